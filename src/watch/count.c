/* SPDX-License-Identifier: MIT */
#include "watch/count.h"

#include <fts.h>

#define COUNT_MAX 1000000

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
