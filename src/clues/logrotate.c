/* SPDX-License-Identifier: MIT */
/* logrotate: which of its patterns have the file, and when it last rotated that one. */
#include <errno.h>

#include "clues/cleaners.h"
#include "clues/line.h"
#include "clues/source.h"
#include "util/cleanup.h"
#include "util/glob.h"

#define WORD_MAX 1024

/* Of "x.log.8.gz" and "x.log-20261129" the "x.log" that was rotated. */
static struct bytes rotated_from(struct bytes path)
{
    static const char *const packed[] = { ".gz", ".xz", ".zst", ".bz2" };
    size_t len;

    for (size_t i = 0; i < ARRAY_SIZE(packed); i++)
        if (bytes_ends_with(path, bytes_of(packed[i]))) {
            path.len -= strlen(packed[i]);
            break;
        }
    len = path.len;
    while (len && path.data[len - 1] >= '0' && path.data[len - 1] <= '9')
        len--;
    if (len && len < path.len && (path.data[len - 1] == '.' || path.data[len - 1] == '-'))
        path.len = len - 1;
    return path;
}

static bool has(struct bytes pattern, struct bytes path)
{
    struct bytes from = rotated_from(path);

    if (pattern.len > 1 && pattern.data[0] == '"' && pattern.data[pattern.len - 1] == '"')
        pattern = (struct bytes){ pattern.data + 1, pattern.len - 2 };
    return pattern.len && pattern.len <= WORD_MAX && pattern.data[0] == '/' && (glob_matches(pattern, path) || glob_matches(pattern, from));
}

static void put_rule(struct sbuf *answer, struct bytes name, unsigned number, struct bytes line)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_NAMES_PATH | CLUE_REMOVES, .suspect = bytes_of("logrotate") };

    sbuf_add_bytes(&text, line);
    sbuf_add_str(&text, " : is renamed when it is rotated, and removed when it is one too many");
    f.text = sbuf_bytes(&text);
    f.place = clue_place(&place, name, number);
    clue_put(answer, &f);
}

void logrotate_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    struct bytes line;
    bool inside = false, script = false;

    while (clue_next_line(&lines, &line)) {
        struct bytes rest = line, word;
        bool matched = false;

        if (inside) {
            word = bytes_next_word(&rest);
            script = script ? !bytes_equal_str(word, "endscript")
                            : bytes_ends_with(word, bytes_of("rotate")) && (bytes_starts_with(word, bytes_of("pre")) ||
                                                                            bytes_starts_with(word, bytes_of("post")));
            inside = script || !bytes_char(line, '}');
            continue;
        }
        while ((word = bytes_next_word(&rest)).len && word.data[0] != '#') {
            if (word.data[word.len - 1] == '{')
                word.len--;
            matched |= has(word, q->path) || (q->written.len && has(word, q->written));
        }
        inside = bytes_char(line, '{') && !bytes_char(line, '}');
        if (matched)
            put_rule(answer, name, lines.number, line);
    }
}

/* "2026-11-29-6:25:1" */
static uint64_t state_time(struct bytes word, uint64_t now_ns)
{
    struct bytes parts[6], rest = word;
    char text[24];

    for (size_t i = 0; i < 3; i++)
        parts[i] = bytes_next_field(&rest, '-');
    for (size_t i = 3; i < 6; i++)
        parts[i] = bytes_next_field(&rest, ':');
    for (size_t i = 0; i < 6; i++)
        if (!parts[i].len || parts[i].len > (i ? 2u : 4u))
            return 0;
#define PART(i) (parts[i].len == 1 ? "0" : ""), (int)parts[i].len, parts[i].data
    snprintf(text, sizeof(text), "%.*s-%s%.*s-%s%.*s %s%.*s:%s%.*s:%s%.*s", (int)parts[0].len, parts[0].data, PART(1), PART(2), PART(3),
             PART(4), PART(5));
#undef PART
    rest = bytes_of(text);
    return clue_log_time(&rest, now_ns);
}

/* A file of the record: the path itself, what it is a rotation of, or one that lies in it. */
static bool is_rotated(struct bytes file, struct bytes path)
{
    return bytes_equal(file, path) || bytes_equal(file, rotated_from(path)) || bytes_equal(bytes_dirname(file), path);
}

void logrotate_state(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_STARTED, .text = line,
                               .suspect = bytes_of("logrotate") };
        const char *end = line.len && line.data[0] == '"' ? memchr(line.data + 1, '"', line.len - 1) : NULL;
        struct bytes file, rest;

        if (!end)
            continue;
        file = (struct bytes){ line.data + 1, (size_t)(end - line.data) - 1 };
        rest = (struct bytes){ end + 1, line.len - file.len - 2 };
        if (!is_rotated(file, q->path) && !(q->written.len && is_rotated(file, q->written)))
            continue;
        f.from_ns = state_time(bytes_next_word(&rest), q->now_ns);
        if (!f.from_ns)
            continue;
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

static const char *const states[] = { "/var/lib/logrotate/status", "/var/lib/logrotate/logrotate.status", "/var/lib/logrotate.status" };

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : clue_gather_file(g, root, "/etc/logrotate.conf", 256 * 1024, false);

    (void)request;
    if (r == 0)
        r = clue_gather_directory(g, root, "/etc/logrotate.d", NULL, 500, 256 * 1024);
    for (size_t i = 0; i < ARRAY_SIZE(states) && r == 0; i++)
        r = clue_gather_file(g, root, states[i], 1024 * 1024, false);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++) {
        struct bytes name = bytes_of(g->files[i].name);

        if (bytes_starts_with(name, bytes_of("/etc/")))
            logrotate_text(answer, &q, name, g->files[i].content);
        else
            logrotate_state(answer, &q, name, g->files[i].content);
    }
    return 0;
}

const struct foreign_job clue_job_logrotate = { "logrotate's configuration and record", 16 * 1024 * 1024, gather, parse, false };
