/* SPDX-License-Identifier: MIT */
/* The files that syslog writes, with their rotations. */
#include "clues/source.h"
#include "clues/syslog.h"
#include "util/cleanup.h"

#define FILE_MAX (16 * 1024 * 1024) /* of each, its end: bytes that are read */

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

uint64_t syslog_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    uint64_t first = 0;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct syslog_message m = { .time_ns = clue_log_time(&line, q->now_ns) };

        if (!m.time_ns)
            continue;
        first = first ? first : m.time_ns;
        if (clue_span_of(q, m.time_ns, CLUE_FAR_NS) < 0)
            continue;
        take_words(line, &m);
        m.place = clue_place(&place, name, lines.number);
        syslog_message(answer, q, &m);
    }
    return first;
}

static const struct clue_logs logs = { files, ARRAY_SIZE(files), FILE_MAX, syslog_text };

static int gather(struct bytes request, struct gathered *g)
{
    return clue_gather_logs(request, g, &logs);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_logs(request, g, answer, &logs);
}

const struct foreign_job clue_job_syslog = { "syslog's files", 128 * 1024 * 1024, gather, parse, false };
