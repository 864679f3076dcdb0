/* SPDX-License-Identifier: MIT */
/* The files that syslog writes, with their rotations. */
#include <errno.h>

#include "clues/source.h"
#include "clues/syslog.h"
#include "util/cleanup.h"

#define FILE_MAX (16 * 1024 * 1024) /* of each, its end: bytes that are read */
#define UNPACKED_MAX (64 * 1024 * 1024)

static const char *const files[] = { "/var/log/syslog",   "/var/log/messages", "/var/log/auth.log", "/var/log/secure", "/var/log/cron",
                                     "/var/log/cron.log", "/var/log/daemon.log", "/var/log/user.log", "/var/log/rsyncd.log" };

/* "host CRON[123]: (root) CMD (x)" */
static void take_words(struct bytes line, struct syslog_message *m)
{
    struct bytes rest = line, word;
    const char *end;

    (void)bytes_next_word(&rest);
    word = bytes_next_word(&rest);
    end = bytes_char(word, '[');
    if (!end)
        end = bytes_char(word, ':');
    m->ident = (struct bytes){ word.data, end ? (size_t)(end - word.data) : word.len };
    while (rest.len && rest.data[0] == ' ')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    m->message = rest;
}

void syslog_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, uint64_t *ret_first_ns)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes line;

    *ret_first_ns = 0;
    while (clue_next_line(&lines, &line)) {
        struct syslog_message m = { .time_ns = clue_log_time(&line, q->now_ns) };

        if (!m.time_ns)
            continue;
        if (!*ret_first_ns)
            *ret_first_ns = m.time_ns;
        if (clue_span_of(q, m.time_ns, CLUE_FAR_NS) < 0)
            continue;
        take_words(line, &m);
        m.place = clue_place(&place, name, lines.number);
        syslog_message(answer, q, &m);
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    struct clue_question q;
    int r = 0;

    if (root < 0 || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
        r = clue_gather_logs(g, root, files[i], &q, FILE_MAX);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf hold = SBUF_INIT;
    uint64_t first, earliest = 0;
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < g->count; i++) {
        syslog_text(answer, &q, bytes_of(g->files[i].name), clue_unpacked(&g->files[i], UNPACKED_MAX, &hold), &first);
        if (first && (!earliest || first < earliest))
            earliest = first;
    }
    clue_put_cover(answer, earliest, 0);
    return 0;
}

const struct foreign_job clue_job_syslog = { "syslog's files", 128 * 1024 * 1024, gather, parse, false };
