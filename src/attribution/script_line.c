/* SPDX-License-Identifier: MIT */
#include "attribution/script_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attribution/inside.h"
#include "cause/wrapper.h"
#include "event/container.h"
#include "foreign/foreign.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"

#define TEXT_MAX (256 * 1024)
#define WAIT_MS 2000 /* no event waits for it, and a busy machine is slow to start a worker */
#define AFTER_SILENCE_MS 200 /* where the last one did not answer */
#define WORDS 4 /* what is looked for */

/* ---- the line, pure ---- */

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* As a word of its own, from *at on: "rm" is neither in "alarm" nor in "rmdir" nor in "--rm". */
static bool find_word(struct bytes line, struct bytes word, size_t *at)
{
    for (size_t i = *at; word.len && i + word.len <= line.len; i++)
        if (memcmp(line.data + i, word.data, word.len) == 0 && (i == 0 || !is_of_word(line.data[i - 1])) &&
            (i + word.len == line.len || !is_of_word(line.data[i + word.len]))) {
            *at = i;
            return true;
        }
    return false;
}

static bool has_word(struct bytes line, struct bytes word)
{
    size_t at = 0;

    return find_word(line, word, &at);
}

/* "then rm", "sudo -u a rm", "find . -exec rm", "docker exec web rm": what is before it, from the beginning of the command. */
static bool leads_to_command(struct bytes before)
{
    static const char *const keywords[] = { "then", "do", "else", "elif", "if", "while", "until", "!", "time" };
    static const char *const runs[] = { "exec", "-exec", "-execdir", "-ok", "busybox", "toybox" };
    struct bytes word;
    bool first = true;

    while ((word = bytes_next_word(&before)).len) {
        if (BYTES_AMONG(word, runs))
            return true;
        if (!first || BYTES_AMONG(word, keywords) || bytes_char(word, '='))
            continue;
        if (wrapper_is(bytes_basename(word)))
            return true;
        first = false;
    }
    return first;
}

/* Is it a program that the line runs, and not another one's word, as in "docker rm x"? */
static bool runs_tool(struct bytes line, struct bytes tool)
{
    for (size_t at = 0; find_word(line, tool, &at); at++) {
        size_t begin = at, command;

        while (begin > 0 && (is_of_word(line.data[begin - 1]) || line.data[begin - 1] == '/')) /* by its path */
            begin--;
        command = begin;
        while (command > 0 && !strchr(";|&(){}[`'\"$,", line.data[command - 1]))
            command--;
        if (leads_to_command((struct bytes){ line.data + command, begin - command }))
            return true;
    }
    return false;
}

static bool next_line(struct bytes *rest, struct bytes *ret)
{
    if (!rest->len)
        return false;
    *ret = bytes_next_line(rest);
    while (ret->len && (ret->data[0] == ' ' || ret->data[0] == '\t'))
        *ret = (struct bytes){ ret->data + 1, ret->len - 1 };
    while (ret->len && (ret->data[ret->len - 1] == ' ' || ret->data[ret->len - 1] == '\r'))
        ret->len--;
    return true;
}

static bool is_comment(struct bytes line)
{
    return !line.len || line.data[0] == '#' || bytes_starts_with(line, bytes_of("//")) || bytes_starts_with(line, bytes_of("--"));
}

/* Is there one line alone that holds the tool, if there is one, and this place? */
static bool find_only(struct bytes text, struct bytes tool, struct bytes place, unsigned *ret_number, struct bytes *ret_line)
{
    const struct bytes words[] = { tool, place };
    unsigned found = 0, number = 0;
    struct bytes line;

    while (next_line(&text, &line)) {
        bool all = !is_comment(line);

        number++;
        for (size_t i = 0; all && i < ARRAY_SIZE(words); i++)
            all = !words[i].len || has_word(line, words[i]);
        if (!all)
            continue;
        found++;
        *ret_number = number;
        *ret_line = line;
    }
    return found == 1 && (!tool.len || runs_tool(*ret_line, tool));
}

int script_line_find(struct bytes text, struct bytes tool, struct bytes changed, unsigned *ret_number, struct bytes *ret_line)
{
    /* the nearest first: a line alone counts, and of several none */
    const struct bytes places[WORDS] = { changed, bytes_basename(changed), bytes_dirname(changed), BYTES_NULL };
    size_t n = tool.len ? WORDS : 2; /* without a tool the text has to name the file */

    if (!text.len || memchr(text.data, '\0', text.len))
        return -ENOENT; /* a binary */
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < WORDS && (!places[i].len || bytes_equal_str(places[i], "/")))
            continue;
        if (find_only(text, tool, places[i], ret_number, ret_line))
            return 0;
    }
    return -ENOENT;
}

/* ---- the file, by a worker ---- */

#define PARTS 5
enum script_line_part { PATH, TOOL, CHANGED, BEFORE, PLACE };

/* Each ended by a NUL, but the last: the place has NULs of its own. */
static bool take_request(struct bytes request, struct bytes parts[PARTS])
{
    for (size_t i = 0; i < PLACE; i++) {
        const char *end = bytes_char(request, '\0');

        if (!end)
            return false;
        parts[i] = (struct bytes){ request.data, (size_t)(end - request.data) };
        request = (struct bytes){ end + 1, request.len - parts[i].len - 1 };
    }
    parts[PLACE] = request;
    return true;
}

static int gather(struct bytes request, struct gathered *g)
{
    struct inside in = INSIDE_NONE;
    struct bytes parts[PARTS];
    struct stat st = { 0 };
    char *text = NULL;
    size_t len = 0;
    int r;

    if (!take_request(request, parts))
        return -EINVAL;
    r = inside_open(parts[PLACE], &in);
    if (r < 0)
        return r;
    r = inside_stat(&in, parts[PATH].data, &st);
    if (r == 0 && clock_of(st.st_mtim) > strtoull(parts[BEFORE].data, NULL, 10))
        r = -ESTALE;
    if (r == 0)
        r = inside_read(&in, parts[PATH].data, TEXT_MAX, &text, &len);
    if (r == 0)
        r = gathered_add(g, "script", text, len);
    inside_done(&in);
    return r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes parts[PARTS], line;
    unsigned number;
    int r;

    if (!take_request(request, parts))
        return -EINVAL;
    r = script_line_find(gathered_get(g, "script"), parts[TOOL], parts[CHANGED], &number, &line);
    if (r < 0)
        return r;
    sbuf_addf(answer, "%u: ", number);
    sbuf_add(answer, line.data, MIN(line.len, (size_t)LIMIT_NAME));
    return sbuf_error(answer);
}

static const struct foreign_job job = { "a script", TEXT_MAX, gather, parse, false };

int script_line(const struct process *p, struct bytes path, struct bytes tool, struct bytes changed, uint64_t before_ns,
                struct sbuf *ret)
{
    const struct bytes words[] = { path, tool, changed };
    static bool hangs; /* the last one did, whoever asked: they are read by one process, one after the other */
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    int r;

    if (!path.len || path.data[0] != '/')
        return -ENOENT;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (bytes_char(words[i], '\0'))
            return -EINVAL;
        sbuf_add_bytes(&request, words[i]);
        sbuf_add_char(&request, '\0');
    }
    sbuf_addf(&request, "%llu", (unsigned long long)before_ns);
    sbuf_add_char(&request, '\0');
    if (p->origin == ORIGIN_HOST)
        inside_by_root(&request, bytes_of("/"));
    else if (p->container)
        inside_by_process(&request, p->container->pid);
    r = sbuf_error(&request) ? -ENOMEM : foreign_ask(&job, sbuf_bytes(&request), hangs ? AFTER_SILENCE_MS : WAIT_MS, ret, NULL);
    hangs = r == -ETIMEDOUT;
    return r;
}
