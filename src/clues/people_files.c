/* SPDX-License-Identifier: MIT */
/* Where login, accounting and shells keep their records. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "clues/people.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define RECORDS_MAX (32 * 1024 * 1024)
#define HISTORY_MAX (4 * 1024 * 1024)
#define UNPACKED_MAX (64 * 1024 * 1024)

static const char *const accounting[] = { "/var/log/account/pacct", "/var/account/pacct" };
static const char *const histories[] = { ".bash_history", ".zsh_history", ".histfile", ".ash_history" };

static int gather_records(struct bytes request, struct gathered *g, const char *const *paths, size_t count)
{
    _cleanup_close_ int root = clue_root();
    struct clue_question q;
    int r = 0;

    if (root < 0 || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < count && r == 0; i++)
        r = clue_gather_logs(g, root, paths[i], &q, RECORDS_MAX);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse_records(struct bytes request, const struct gathered *g, struct sbuf *answer,
                         uint64_t (*one)(struct sbuf *, const struct clue_question *, struct bytes, struct bytes))
{
    _cleanup_sbuf_ struct sbuf hold = SBUF_INIT;
    uint64_t earliest = 0;
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < g->count; i++) {
        uint64_t first = one(answer, &q, bytes_of(g->files[i].name), clue_unpacked(&g->files[i], UNPACKED_MAX, &hold));

        if (first && (!earliest || first < earliest))
            earliest = first;
    }
    clue_put_cover(answer, earliest, 0);
    return 0;
}

static int gather_logins(struct bytes request, struct gathered *g)
{
    static const char *const paths[] = { "/var/log/wtmp" };

    return gather_records(request, g, paths, ARRAY_SIZE(paths));
}

static int parse_logins(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return parse_records(request, g, answer, people_wtmp);
}

const struct foreign_job clue_job_logins = { "the record of logins", 2 * RECORDS_MAX, gather_logins, parse_logins, false };

static int gather_accounting(struct bytes request, struct gathered *g)
{
    return gather_records(request, g, accounting, ARRAY_SIZE(accounting));
}

static int parse_accounting(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return parse_records(request, g, answer, people_accounting);
}

const struct foreign_job clue_job_accounting = { "process accounting", 2 * RECORDS_MAX, gather_accounting, parse_accounting, false };

/* ---- histories ---- */

static int gather_home(struct gathered *g, int root, const char *home)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(histories) && r == 0; i++) {
        char path[512];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", home, histories[i]) < sizeof(path))
            r = clue_gather_file(g, root, path, HISTORY_MAX, true);
    }
    return r;
}

static int gather_histories(struct bytes request, struct gathered *g)
{
    (void)request;
    return clue_gather_homes(g, gather_home);
}

static int parse_histories(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++) {
        struct bytes name = bytes_of(g->files[i].name);

        people_history(answer, &q, name, bytes_basename(bytes_dirname(name)), g->files[i].content);
    }
    return 0;
}

const struct foreign_job clue_job_histories = { "the histories of shells", 64 * 1024 * 1024, gather_histories, parse_histories, false };
