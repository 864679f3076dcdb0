/* SPDX-License-Identifier: MIT */
#include "watch/count.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#include "foreign/answers.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/mountinfo.h"

#define COUNT_MAX 1000000
#define OLDER_MAX 20000 /* some 40 ms */
#define ANSWER_MS 1000
#define ANSWERS_MS 3000 /* all that is below */

uint64_t count_files(struct bytes path)
{
    char *paths[2] = { (char *)(uintptr_t)path.data, NULL }; /* fts does not write to them */
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV | FTS_NOSTAT, NULL);
    uint64_t files = 0;
    FTSENT *entry;

    if (!fts)
        return 0;
    while (files < COUNT_MAX && (entry = fts_read(fts)))
        files += entry->fts_info != FTS_D && entry->fts_info != FTS_DP &&
                 entry->fts_info != FTS_DNR && entry->fts_info != FTS_ERR &&
                 entry->fts_info != FTS_NS;
    fts_close(fts);
    return files;
}

static bool is_known(const FTSENT *entry)
{
    return entry->fts_info != FTS_NS && entry->fts_info != FTS_DNR && entry->fts_info != FTS_ERR && entry->fts_info != FTS_DC;
}

/* Whoever looks at what another machine or a program answers for may wait for ever. */
static bool answers(struct bytes path)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    bool known = mountinfo_read("/proc/self/mountinfo", &table) == 0, below = false, asked = false;
    struct bytes rest = sbuf_bytes(&table);
    struct mountinfo m;

    while (known && !below && mountinfo_next(&rest, &m)) {
        char point[PATH_MAX];
        struct bytes plain = mountinfo_plain(m.point, point);

        if (!mountinfo_may_hang(&m))
            continue;
        below = !plain.len || (bytes_path_covers(path, plain) && !bytes_equal(path, plain));
        asked |= bytes_path_covers(plain, path);
    }
    return known && !below && (!asked || foreign_answers_below(AT_FDCWD, path.data, ANSWER_MS, ANSWERS_MS));
}

bool count_is_older(struct bytes path, dev_t device, uint64_t time_ns)
{
    char *paths[2] = { (char *)(uintptr_t)path.data, NULL };
    FTS *fts = answers(path) ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    unsigned entries = 0;
    bool older = fts != NULL;
    FTSENT *entry;

    while (older && (entry = fts_read(fts)))
        if (entry->fts_info != FTS_DP)
            older = ++entries <= OLDER_MAX && is_known(entry) && entry->fts_statp->st_dev == device &&
                    clock_of(entry->fts_statp->st_ctim) < time_ns;
    if (fts)
        fts_close(fts);
    return older && entries > 0;
}
