/* SPDX-License-Identifier: MIT */
#include "search/learn.h"

#include <string.h>
#include <sys/stat.h>

#include "util/macro.h"

#define PASSES_MAX 4 /* a tree deeper than that, removed without any of its directories being named, is rare */

struct learning {
    struct search_query *query;
    struct search_matcher *matcher;
    struct bytes wanted;
    bool is_file, grown, too_many;
};

static void note(struct learning *l, uint64_t inode)
{
    struct search_query *q = l->query;

    for (unsigned i = 0; i < q->hint_count; i++)
        if (q->hints[i] == inode)
            return;
    if (q->hint_count == ARRAY_SIZE(q->hints)) {
        l->too_many = true;
        return;
    }
    q->hints[q->hint_count++] = inode;
    l->grown = true;
}

static bool on_match(void *data, const struct search_event *event)
{
    struct learning *l = data;
    const struct search_paths *paths = &l->matcher->paths;

    /* it was matched a while ago: what the matcher holds is of a later event */
    if (search_paths_read(event, l->matcher->places, &l->matcher->paths) < 0)
        return false;
    for (unsigned i = 0; i < paths->count; i++) {
        const struct search_path *p = &paths->paths[i];
        const struct file_state *f = &p->record->file;

        if (!p->certain || !(f->known & FILE_MODE) || !(f->known & FILE_INODE) || !bytes_path_covers(l->wanted, p->path))
            continue;
        if (S_ISDIR(f->mode))
            note(l, f->inode);
        else if (bytes_equal(l->wanted, p->path))
            l->is_file = true;
    }
    return !l->is_file && !l->too_many;
}

int search_learn(const struct search_run *run, struct search_query *query, struct err *err)
{
    struct search_query wide = { .success = -1, .format = SEARCH_RAW, .file_count = 1, .end_of_event_s = query->end_of_event_s };
    struct learning l = { .query = &wide, .matcher = run->matcher, .wanted = bytes_of(query->files[0]) };
    struct search_run pass = *run;
    struct search_stats stats;
    int r = 0;

    if (query->strict || query->file_count != 1 || query->files[0][0] != '/' || strpbrk(query->files[0], "*?["))
        return 0;
    for (size_t i = 0; i < run->files->count; i++)
        if (run->files->files[i].size == 0) /* it may be a pipe, which can be read once */
            return 0;
    while (l.wanted.len > 1 && l.wanted.data[l.wanted.len - 1] == '/')
        l.wanted.len--;
    wide.files[0] = query->files[0];
    pass.query = &wide;
    pass.match = on_match;
    pass.event = NULL;
    pass.idle = NULL;
    pass.log = NULL; /* the search itself reports what is wrong with a file */
    pass.data = &l;
    pass.matcher->query = &wide;
    for (unsigned i = 0; i < PASSES_MAX && r == 0; i++) {
        l.grown = false;
        r = search_run(&pass, &stats, err);
        if (!l.grown)
            break;
    }
    pass.matcher->query = query;
    pass.matcher->unsure = 0;
    if (r < 0)
        return r;
    memcpy(query->hints, wide.hints, sizeof(query->hints));
    query->hint_count = l.is_file ? 0 : wide.hint_count;
    query->no_needle = l.too_many;
    return 0;
}
