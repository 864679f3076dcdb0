/* SPDX-License-Identifier: MIT */
#include "copies/lives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "copies/below.h"
#include "util/macro.h"

struct lives_replay {
    struct kept_path **paths;
    struct names_below alive;
};

struct kept_path *kept_path_find(struct kept_path *paths, struct bytes path)
{
    struct kept_path *p;

    HASH_FIND(hh, paths, path.data, path.len, p);
    return p;
}

static struct kept_path *make(struct kept_path **paths, struct bytes path)
{
    struct kept_path *p = kept_path_find(*paths, path);

    if (!p && (p = calloc(1, sizeof(*p) + path.len))) {
        p->len = path.len;
        memcpy(p->path, path.data, path.len);
        HASH_ADD_KEYPTR(hh, *paths, p->path, p->len, p);
        HASH_FREE_IF_OUT(hh, p);
    }
    return p;
}

static void end_life(struct lives_replay *r, struct kept_path *p, const struct copy *gone)
{
    uint64_t time_ns = gone->record.time_ns;

    if (!time_ns || !p->newest || p->gone_ns || (p->newest->era == gone->era && p->newest->record.time_ns > time_ns))
        return;
    p->gone_ns = time_ns;
    below_remove(&r->alive, (struct bytes){ p->path, p->len });
}

/* With a folder all that is in it goes. */
static void on_gone(struct lives_replay *r, const struct copy *copy)
{
    struct kept_path *p = kept_path_find(*r->paths, copy->path), *next;
    bool alone = p && p->newest && !S_ISDIR(p->newest->record.mode);

    if (p)
        end_life(r, p, copy);
    if (!alone && below_has(&r->alive, copy->path))
        HASH_ITER(hh, *r->paths, p, next) {
            if (bytes_path_covers(copy->path, (struct bytes){ p->path, p->len }))
                end_life(r, p, copy);
        }
}

/* True: a life of it begins. */
static bool take(struct kept_path *p, struct copy *copy)
{
    bool begins = !p->newest || p->gone_ns;

    if (begins) {
        p->first_ns = copy->record.time_ns;
        p->at_begin = copy->record.flags & COPY_AT_BEGIN;
        p->gone_ns = 0;
    }
    copy->earlier = begins ? NULL : p->newest;
    p->newest = copy;
    return begins;
}

static int on_kept(struct lives_replay *r, struct copy *copy)
{
    struct kept_path *p = make(r->paths, copy->path);

    if (!p)
        return -ENOMEM;
    if (take(p, copy))
        below_add(&r->alive, copy->path);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct copy *x = a, *y = b;

    if (x->era != y->era)
        return x->era < y->era ? -1 : 1;
    return x->record.time_ns < y->record.time_ns ? -1 : x->record.time_ns > y->record.time_ns;
}

static void order(struct copies *c)
{
    if (c->count)
        qsort(c->all, c->count, sizeof(*c->all), by_time);
}

/* Where the clock was set back, a time may have been twice: the later one is meant. How many of the records, in their order, were by then. */
static size_t count_until(const struct copies *c, uint64_t at_ns)
{
    size_t n = c->count;

    while (at_ns && n && c->all[n - 1].record.time_ns > at_ns)
        n--;
    return n;
}

int copies_replay(struct copies *c, uint64_t at_ns, struct kept_path **ret)
{
    struct lives_replay replay = { .paths = ret };
    size_t count;
    int r = 0;

    *ret = NULL;
    order(c);
    count = count_until(c, at_ns);
    for (size_t i = 0; i < count && r == 0; i++) {
        struct copy *copy = &c->all[i];

        if (copy->record.flags & COPY_GONE)
            on_gone(&replay, copy);
        else
            r = on_kept(&replay, copy);
    }
    below_forget(&replay.alive);
    return r;
}

int copies_oldest(struct copies *c, struct kept_path **ret)
{
    *ret = NULL;
    order(c);
    for (size_t i = 0; i < c->count; i++) {
        struct copy *copy = &c->all[i];
        struct kept_path *p;

        if ((copy->record.flags & COPY_GONE) || kept_path_find(*ret, copy->path))
            continue;
        p = make(ret, copy->path);
        if (!p)
            return -ENOMEM;
        (void)take(p, copy);
    }
    return 0;
}

const struct copy *kept_path_at(const struct kept_path *p, uint64_t at_ns)
{
    const struct copy *copy = p->newest;

    while (copy && copy->earlier && copy->record.time_ns > at_ns)
        copy = copy->earlier;
    return copy;
}

static int by_path(struct kept_path *a, struct kept_path *b)
{
    int r = memcmp(a->path, b->path, MIN(a->len, b->len));

    return r ? r : a->len < b->len ? -1 : a->len > b->len;
}

void kept_paths_sort(struct kept_path **paths)
{
    HASH_SORT(*paths, by_path);
}

void kept_paths_free(struct kept_path *paths)
{
    struct kept_path *p, *next;

    HASH_ITER(hh, paths, p, next) {
        HASH_DEL(paths, p);
        free(p);
    }
}
