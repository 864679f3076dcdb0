/* SPDX-License-Identifier: MIT */
/* Where login, accounting and shells keep their records. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/acct.h>
#include <utmp.h>

#include "clues/people.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define RECORDS_MAX (32 * 1024 * 1024)
#define HISTORY_MAX (4 * 1024 * 1024)

static const char *const histories[] = { ".bash_history", ".zsh_history", ".histfile", ".ash_history" };

static const char *const logins[] = { "/var/log/wtmp" };
static const struct clue_logs login_records = { logins, ARRAY_SIZE(logins), RECORDS_MAX, people_wtmp, sizeof(struct utmp) };

static int gather_logins(struct bytes request, struct gathered *g)
{
    return clue_gather_logs(request, g, &login_records);
}

static int parse_logins(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_logs(request, g, answer, &login_records);
}

const struct foreign_job clue_job_logins = { "the record of logins", 2 * RECORDS_MAX, gather_logins, parse_logins, false };

static const char *const refused[] = { "/var/log/btmp" };
static const struct clue_logs refused_records = { refused, ARRAY_SIZE(refused), RECORDS_MAX, people_btmp, sizeof(struct utmp), "/etc/passwd" };

static int gather_refused(struct bytes request, struct gathered *g)
{
    return clue_gather_logs(request, g, &refused_records);
}

static int parse_refused(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_logs(request, g, answer, &refused_records);
}

const struct foreign_job clue_job_refused = { "the record of refused logins", 2 * RECORDS_MAX, gather_refused, parse_refused, false };

static const char *const accounting[] = { "/var/log/account/pacct", "/var/account/pacct" };
static const struct clue_logs accounting_records = { accounting, ARRAY_SIZE(accounting), RECORDS_MAX, people_accounting, sizeof(struct acct_v3) };

static int gather_accounting(struct bytes request, struct gathered *g)
{
    return clue_gather_logs(request, g, &accounting_records);
}

static int parse_accounting(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_logs(request, g, answer, &accounting_records);
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
