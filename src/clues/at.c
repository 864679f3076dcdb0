/* SPDX-License-Identifier: MIT */
/*
 * Jobs of at that are there: those that are to come, and one that runs now. One that has run is gone with its file; that it ran is in the
 * log (atd). The file's name has the time: queue, number, minutes ("a000010191f5e8"; '=' instead of the queue while it runs).
 */
#include "clues/at.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "clues/line.h"
#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define JOB_MAX (64 * 1024)
#define JOBS_MAX 500
#define NAME_LEN 14 /* of a job */

static const char *const spools[] = { "/var/spool/cron/atjobs", "/var/spool/atjobs", "/var/spool/at" };

/* When it was to run; 0: the name is not one of a job. */
static uint64_t due_ns(struct bytes name)
{
    uint64_t minutes;

    if (name.len != NAME_LEN || parse_u64((struct bytes){ name.data + 6, 8 }, 16, &minutes) < 0)
        return 0;
    return minutes < UINT32_MAX / 60 ? minutes * 60 * NS_PER_S : 0;
}

void at_job(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct bytes base = bytes_basename(name), line;
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT;
    uint64_t due = due_ns(base);
    unsigned when = 0;

    if (!due)
        return;
    /* at moves what it has begun: a job that still waits has not run */
    if (base.data[0] == '=')
        when = clue_span_of(q, due, CLUE_BEFORE_NS) >= 0 ? CLUE_DUE : 0;
    else
        when = CLUE_NOT_DUE;
    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_RULE, .marks = line_marks(line, q), .from_ns = due, .text = line };

        if (!(f.marks & CLUE_NAMES) || !(f.marks & (CLUE_REMOVES | CLUE_ALTERS)) || line.data[0] == '#')
            continue;
        f.marks |= when;
        sbuf_clear(&suspect);
        sbuf_add_str(&suspect, "at job: ");
        sbuf_add_bytes(&suspect, line);
        f.suspect = sbuf_bytes(&suspect);
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

/* atd writes no log; but it makes a file for a job's output when it begins it, and removes it once the job has ended: the directory's time is
 * that of the last one, which may have begun before. */
static int gather_last(struct gathered *g, int root, const struct clue_question *q)
{
    static const char *const outputs[] = { "/var/spool/cron/atspool", "/var/spool/atspool", "/var/spool/at/spool" };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED | CLUE_LATEST, .suspect = bytes_of("at job"), .place = bytes_of(outputs[i]),
                               .text = bytes_of("a job of at began or ended then, the last one: the directory of their output changed") };
        _cleanup_close_ int fd = beneath_open(root, bytes_of(outputs[i]), O_PATH | O_DIRECTORY | O_NOFOLLOW);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || !(f.from_ns = clock_of(st.st_mtim)))
            continue;
        if (clue_span_of(q, f.from_ns, CLUE_BEFORE_NS) >= 0)
            clue_put(&out, &f);
    }
    return out.len ? clue_gather_text(g, CLUE_ANSWER, &out) : 0;
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    int r;

    if (root < 0)
        return root;
    r = gather_last(g, root, &q);
    for (size_t i = 0; i < ARRAY_SIZE(spools) && r == 0; i++)
        r = clue_gather_directory(g, root, spools[i], NULL, JOBS_MAX, JOB_MAX);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_files(request, g, answer, at_job);
}

const struct foreign_job clue_job_at = { "the jobs of at", 16 * 1024 * 1024, gather, parse, false };
