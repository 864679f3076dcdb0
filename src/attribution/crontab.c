/* SPDX-License-Identifier: MIT */
#include "attribution/crontab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/inside.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/macro.h"

#define TABLE_MAX (256 * 1024) /* of one table; cron itself allows some thousand lines */
#define TABLES_MAX 256         /* in /etc/cron.d */
#define TABLE_DIRECTORY "/etc/cron.d"
#define SYSTEM_TABLE "/etc/crontab"
#define PATH_SIZE 320
#define WAIT_MS 300            /* before the event goes on without */

/* ---- pure parts ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct bytes skip_blanks(struct bytes line)
{
    while (line.len && is_blank(line.data[0]))
        line = (struct bytes){ line.data + 1, line.len - 1 };
    return line;
}

/* What cron gives to the shell of the rest of a line. */
static bool is_command(struct bytes text, struct bytes command)
{
    size_t at = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '%')
            break;
        if (text.data[i] == '\\' && i + 1 < text.len && text.data[i + 1] == '%')
            i++;
        if (at == command.len || command.data[at++] != text.data[i])
            return false;
    }
    return at == command.len;
}

static bool gives(struct bytes line, bool with_user, struct bytes user, struct bytes command)
{
    struct bytes first = skip_blanks(line);
    unsigned times = first.len && first.data[0] == '@' ? 1 : 5;

    if (!first.len || first.data[0] == '#')
        return false;
    for (unsigned i = 0; i < times; i++)
        (void)bytes_next_word(&line);
    if (with_user && !bytes_equal(bytes_next_word(&line), user))
        return false;
    return is_command(skip_blanks(line), command);
}

struct bytes crontab_next(struct bytes *rest, bool with_user, struct bytes user, struct bytes command)
{
    while (rest->len) {
        const char *end = memchr(rest->data, '\n', rest->len);
        struct bytes line = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
        size_t step = line.len + (end != NULL);

        *rest = (struct bytes){ rest->data + step, rest->len - step };
        if (gives(line, with_user, user, command))
            return line;
    }
    return BYTES_NULL;
}

/* ---- in a worker ---- */

/* Left over by editors and package managers: cron does not read them. */
static bool is_table(const char *name)
{
    size_t len = strlen(name);

    return len && name[0] != '.' && len <= LIMIT_NAME && name[len - 1] != '~' && !strstr(name, ".dpkg-") && !strstr(name, ".rpm");
}

static int gather_one(const struct inside *in, const char *path, struct gathered *g)
{
    char *name, *text;
    size_t len;

    if (inside_read(in, path, TABLE_MAX, &text, &len) < 0)
        return 0;
    name = strdup(path);
    return name ? gathered_add(g, name, text, len) : -ENOMEM;
}

static int gather_own(const struct inside *in, struct bytes user, struct gathered *g)
{
    static const char *const directories[] = { "/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs",
                                               "/etc/crontabs" };
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(directories) && r == 0; i++) {
        char path[PATH_SIZE];

        snprintf(path, sizeof(path), "%s/%.*s", directories[i], (int)user.len, user.data);
        r = gather_one(in, path, g);
    }
    return r;
}

static int gather_directory(const struct inside *in, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t count = 0;
    const char *at;
    int r = 0;

    if (inside_list(in, TABLE_DIRECTORY, &names, &count) < 0)
        return 0;
    at = sbuf_str(&names);
    for (size_t i = 0; i < count && i < TABLES_MAX && r == 0; i++, at += strlen(at) + 1) {
        char path[PATH_SIZE];

        snprintf(path, sizeof(path), TABLE_DIRECTORY "/%s", at);
        if (is_table(at))
            r = gather_one(in, path, g);
    }
    return r;
}

/* "USER\0COMMAND\0PLACE" */
static bool take_request(struct bytes request, struct bytes *user, struct bytes *command, struct bytes *place)
{
    struct bytes *const words[] = { user, command };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const char *end = request.len ? memchr(request.data, '\0', request.len) : NULL;

        if (!end)
            return false;
        *words[i] = (struct bytes){ request.data, (size_t)(end - request.data) };
        request = (struct bytes){ end + 1, request.len - words[i]->len - 1 };
    }
    *place = request;
    return true;
}

static int gather(struct bytes request, struct gathered *g)
{
    struct inside in = INSIDE_NONE;
    struct bytes user, command, place;
    int r;

    if (!take_request(request, &user, &command, &place))
        return -EINVAL;
    r = inside_open(place, &in);
    if (r < 0)
        return r;
    r = gather_own(&in, user, g);
    if (r == 0)
        r = gather_one(&in, SYSTEM_TABLE, g);
    if (r == 0)
        r = gather_directory(&in, g);
    inside_done(&in);
    return r;
}

/* The answer: the file, a NUL, the line. */
static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes user, command, place, found = BYTES_NULL;

    if (!take_request(request, &user, &command, &place))
        return -EINVAL;
    for (size_t i = 0; i < g->count; i++) {
        struct bytes name = bytes_of(g->files[i].name), rest = g->files[i].content, line;
        bool with_user = bytes_equal_str(name, SYSTEM_TABLE) || bytes_starts_with(name, bytes_of(TABLE_DIRECTORY "/"));

        while ((line = crontab_next(&rest, with_user, user, command)).len) {
            if (found.len && !bytes_equal(found, line))
                return -ENOENT;
            if (!found.len)
                sbuf_add(answer, name.data, name.len + 1);
            found = line;
        }
    }
    sbuf_add_bytes(answer, found);
    return found.len ? sbuf_error(answer) : -ENOENT;
}

static const struct foreign_job job = { "the tables of cron", TABLES_MAX * TABLE_MAX / 16, gather, parse, false };

int crontab_find(struct bytes place, struct bytes user, struct bytes command, struct sbuf *ret)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;

    if (!place.len || !user.len || user.len > LIMIT_NAME || user.data[0] == '.' || memchr(user.data, '/', user.len) ||
        !command.len)
        return -ENOENT;
    sbuf_add_bytes(&request, user);
    sbuf_add_char(&request, '\0');
    sbuf_add_bytes(&request, command);
    sbuf_add_char(&request, '\0');
    sbuf_add_bytes(&request, place);
    return sbuf_error(&request) ? -ENOMEM : foreign_ask(&job, sbuf_bytes(&request), WAIT_MS, ret, NULL);
}
