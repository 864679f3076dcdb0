/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "foreign/answers.h"
#include "util/escape.h"
#include "util/parse.h"
#include "watch/target.h"

enum { PRIORITY_ERROR = 3, PRIORITY_WARNING = 4, PRIORITY_INFO = 6 }; /* syslog(3) */

#define ANSWER_MS 5000 /* a loaded machine, a disk that has to start */

bool cli_debug, cli_priorities;

void cli_add_visible(struct sbuf *out, struct bytes text)
{
    while (text.len) {
        const char *backslash = memchr(text.data, '\\', text.len);
        size_t n = backslash ? (size_t)(backslash - text.data) : text.len;

        escape_terminal(out, (struct bytes){ text.data, n });
        if (backslash)
            sbuf_add_char(out, '\\');
        n += backslash ? 1 : 0;
        text = (struct bytes){ text.data + n, text.len - n };
    }
}

_printf_(2, 0) static void say(unsigned priority, const char *format, va_list ap)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    char text[2048];

    vsnprintf(text, sizeof(text), format, ap);
    if (cli_priorities)
        sbuf_addf(&line, "<%u>", priority);
    sbuf_add_str(&line, "culprit: ");
    cli_add_visible(&line, bytes_of(text));
    sbuf_add_char(&line, '\n');
    /* one write, so that lines of COMMAND and ours do not mix */
    dprintf(STDERR_FILENO, "%s", sbuf_str(&line));
}

void cli_error(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(PRIORITY_ERROR, format, ap);
    va_end(ap);
}

void cli_note(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(PRIORITY_INFO, format, ap);
    va_end(ap);
}

void cli_warn(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(PRIORITY_WARNING, format, ap);
    va_end(ap);
}

int cli_usage_error(const struct verb *verb, const char *format, ...)
{
    char raw[1024];
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    va_list ap;

    va_start(ap, format);
    vsnprintf(raw, sizeof(raw), format, ap);
    va_end(ap);
    escape_terminal(&text, bytes_of(raw)); /* it quotes what the user typed */
    if (verb)
        cli_error("%s (culprit help %s)", sbuf_str(&text), verb->name);
    else
        cli_error("%s (culprit --help)", sbuf_str(&text));
    return EXIT_USAGE;
}

int cli_check_targets(const struct verb *verb, char *const *targets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = ERR_INIT;
        struct target target;
        int r = target_parse(bytes_of(targets[i]), bytes_of("/"), &target, &err);

        if (r < 0)
            return cli_usage_error(verb, "%s", err_text(&err, r));
        target_done(&target);
    }
    return 0;
}

int cli_check_answers(const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0 || foreign_answers(path, ANSWER_MS))
        return 0;
    return err_say(err, -ETIMEDOUT, "%s: its file system does not answer (FUSE, NFS?)", path);
}

int cli_check_target_answers(const struct target *target, struct err *err)
{
    return target->selector.kind == SELECTOR_NONE ? cli_check_answers(target->path.data, err) : 0;
}

const char *cli_docker_socket(void)
{
    const char *host = getenv("DOCKER_HOST");

    return host && strncmp(host, "unix://", 7) == 0 ? host + 7 : NULL;
}

int cli_exit_code(int r)
{
    switch (-r) {
    case EINVAL:
    case EEXIST:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
        return EXIT_USAGE;
    default:
        return EXIT_UNABLE;
    }
}

static void log_to_stderr(void *data, enum log_level level, const char *text)
{
    static char last[256];
    static unsigned repeated;

    (void)data;
    if (level < LOG_LEVEL_INFO && !cli_debug)
        return;
    if (level >= LOG_LEVEL_WARNING && strncmp(last, text, sizeof(last) - 1) == 0) {
        /* printed already: the count is printed with the next power of ten */
        repeated++;
        if (repeated != 10 && repeated != 100 && repeated % 1000 != 0)
            return;
        cli_warn("%s (%u times)", text, repeated);
        return;
    }
    repeated = 1;
    snprintf(last, sizeof(last), "%s", text);
    if (level >= LOG_LEVEL_WARNING)
        cli_warn("%s", text);
    else
        cli_note("%s", text);
}

const struct log cli_log = { LOG_LEVEL_DEBUG, log_to_stderr, NULL };

bool cli_colour(FILE *stream)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *elsewhere = getenv(CLI_COLOUR);

    if (elsewhere && stream == stdout)
        return *elsewhere;
    return (!no || !*no) && isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

unsigned cli_columns(FILE *stream)
{
    const char *elsewhere = getenv(CLI_COLUMNS);
    struct winsize size;
    uint32_t columns;

    if (elsewhere && stream == stdout && parse_u32(bytes_of(elsewhere), 10, &columns) == 0)
        return columns >= 40 ? columns : 0;
    if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col >= 40 ? size.ws_col : 0;
}

long cli_utc_offset(uint64_t time_ns)
{
    time_t t = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&t, &tm);
    return tm.tm_gmtoff;
}

void cli_write(FILE *stream, const struct sbuf *text)
{
    if (text->len)
        fwrite(text->data, 1, text->len, stream);
}
