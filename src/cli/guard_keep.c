/* SPDX-License-Identifier: MIT */
#include "cli/guard_keep.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "daemon/guard_starter.h"
#include "util/cleanup.h"
#include "util/escape.h"

static void add_word(struct sbuf *words, const char *word)
{
    sbuf_add(words, word, strlen(word) + 1);
}

static void add_option(struct sbuf *words, const char *option, const char *value)
{
    if (!value)
        return;
    add_word(words, option);
    add_word(words, value);
}

/* As it is found from the directory of the process that begins it. NULL: out of memory. */
static const char *absolute(struct guard_command *q, const char *path)
{
    char cwd[PATH_MAX];

    if (path[0] == '/')
        return path;
    return getcwd(cwd, sizeof(cwd)) ? arena_join_path(&q->arena, bytes_of(cwd), bytes_of(path)).data : NULL;
}

static int add_path(struct guard_command *q, struct sbuf *words, const char *option, const char *path)
{
    const char *value = path ? absolute(q, path) : NULL;

    add_option(words, option, value);
    return path && !value ? -ENOMEM : 0;
}

/* An executable by its path, whoever else as he was named. */
static void add_allowed(const struct guard_command *q, struct sbuf *words, size_t i)
{
    const struct guard_allowance *a = &q->kernel.allowed.all[i];

    if (a->kind != ALLOW_EXECUTABLE || q->allow[i][0] == '/') {
        add_option(words, "--allow", q->allow[i]);
        return;
    }
    add_word(words, "--allow");
    sbuf_addf(words, "exe:%.*s", (int)a->path.len, a->path.data);
    sbuf_add_char(words, '\0');
}

/* Also its name. */
static const char *target_of(const struct guard_command *q, size_t i)
{
    return q->targets[i][0] == '/' || q->parsed[i].selector.kind != SELECTOR_NONE ? q->targets[i] : q->parsed[i].path.data;
}

static int write_words(struct guard_command *q, struct sbuf *words)
{
    int r;

    add_option(words, "--method", q->method);
    add_option(words, "--for", q->duration);
    add_option(words, "--confirm", q->confirm_text);
    add_option(words, "--sensor", q->sensor);
    r = add_path(q, words, "--store", q->store);
    if (r == 0)
        r = add_path(q, words, "--control", q->control);
    for (size_t i = 0; i < q->allow_count; i++)
        add_allowed(q, words, i);
    if (q->best_effort)
        add_word(words, "--best-effort");
    if (q->no_store)
        add_word(words, "--no-store");
    add_word(words, "--");
    for (size_t i = 0; i < q->count; i++)
        add_word(words, target_of(q, i));
    return r < 0 ? r : sbuf_error(words);
}

/* The next that is said of it; one that is lost is begun anew. */
static int await_report(int socket, struct guard_report *ret)
{
    struct pollfd ready = { .fd = socket, .events = POLLIN };
    ssize_t n;

    do {
        if (poll(&ready, 1, -1) < 0 && errno != EINTR)
            return -errno;
        n = recv(socket, ret, sizeof(*ret), MSG_DONTWAIT);
    } while ((n < 0 && (errno == EAGAIN || errno == EINTR)) || (n == (ssize_t)sizeof(*ret) && ret->condition == GUARD_LOST));
    return n == (ssize_t)sizeof(*ret) ? 0 : n < 0 ? -errno : -ECONNRESET;
}

static int ask(int socket, struct bytes words, bool keep, struct guard_report *ret, struct err *err)
{
    int r = guard_starter_order(socket, GUARD_ORDER_BEGIN, 1, keep, words);

    if (r == -E2BIG)
        return err_say(err, r, "more than %d bytes of targets and options: guard them in several", GUARD_WORDS_MAX);
    return r < 0 ? r : await_report(socket, ret);
}

static void say_kept(const struct guard_command *q, const char *text)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    for (size_t i = 0; i < q->count; i++) {
        sbuf_add_str(&name, i ? " " : "");
        escape_terminal(&name, bytes_of(target_of(q, i)));
    }
    cli_note("%s", text);
    cli_note("it goes on in the background, also when this terminal is closed or somebody kills it: culprit guard --off %s", sbuf_str(&name));
    if (q->confirm_text)
        cli_note("it ends in %s unless it is confirmed: say culprit guard --confirmed", q->confirm_text);
}

int guard_keep(struct guard_command *q)
{
    _cleanup_sbuf_ struct sbuf words = SBUF_INIT;
    _cleanup_close_ int socket = -EBADF;
    struct guard_report report;
    struct err err = ERR_INIT;
    int r;

    r = write_words(q, &words);
    if (r == 0)
        r = guard_starter_start(NULL, &socket, &err);
    /* whoever interrupts us before it is in force wants none */
    if (r == 0 && (r = ask(socket, sbuf_bytes(&words), false, &report, &err)) == 0 && report.condition == GUARD_IN_FORCE)
        r = ask(socket, sbuf_bytes(&words), true, &report, &err);
    if (r < 0) {
        cli_error("%s", err.text[0] || r == -ENOMEM ? err_text(&err, r) : "the process that keeps it has ended");
        return EXIT_UNABLE;
    }
    if (report.condition != GUARD_IN_FORCE) {
        cli_error("%s", report.text);
        return EXIT_UNABLE;
    }
    say_kept(q, report.text);
    return EXIT_ANSWERED;
}
