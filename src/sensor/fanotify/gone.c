/* SPDX-License-Identifier: MIT */
/*
 * Directories that were made and removed before anybody could look. What was done in them is known by their
 * handle, so they have a place in the index until their end is emitted. Where the kernel reports both in one
 * event, what was done between comes after it: the end waits until the queue is empty.
 */
#include "sensor/fanotify/gone.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/fanotify/found.h"
#include "sensor/fanotify/young.h"
#include "sensor/fanotify/state.h"

#define NUMBERS (1u << 20) /* inodes that no file system gives; of directories that are gone at one time */
#define WAITING_MAX 1024   /* with one more, the oldest is emitted */

struct fanotify_gone {
    struct fanotify_end waiting[WAITING_MAX];
    size_t count;
    uint64_t numbers;
};

struct fanotify_gone *fanotify_gone_new(void)
{
    return calloc(1, sizeof(struct fanotify_gone));
}

void fanotify_gone_free(struct fanotify_gone *g)
{
    free(g);
}

bool fanotify_gone_is(const struct file_state *state)
{
    return state->inode > UINT64_MAX - NUMBERS;
}

bool fanotify_gone_add(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *handle)
{
    struct file_state state = { .mode = S_IFDIR, .links = 2 };
    struct fanotify_gone *g = o->sensor->gone;
    struct file_state above = { 0 };
    struct tree_change change;

    if (!handle->data.data || o->wanted.view == VIEW_UPPER)
        return false;
    tree_state(o->tree, directory, &above);
    state.device = above.device;
    state.inode = UINT64_MAX - g->numbers++ % NUMBERS;
    (void)fanotify_found_cancel(o, tree_child(o->tree, directory, name)); /* it comes later */
    if (tree_put_state(o->tree, directory, name, &state, &change) < 0 || !change.object)
        return false;
    (void)fanotify_young_add(o, change.object, handle, -1);
    return fanotify_handles_add(o->sensor->handles, handle, &(struct fanotify_user){ o, change.object, false }) == 0;
}

void fanotify_gone_end(struct fanotify_object *o, uint32_t directory, const struct fanotify_cause *cause)
{
    struct fanotify_gone *g = o->sensor->gone;

    g->waiting[g->count++] = (struct fanotify_end){ o, directory, *cause };
    g->waiting[g->count - 1].cause.in_turn = false;
}

bool fanotify_gone_is_full(const struct sensor *s)
{
    return s->gone->count == WAITING_MAX;
}

static void take(struct fanotify_gone *g, size_t i, struct fanotify_end *ret)
{
    *ret = g->waiting[i];
    memmove(&g->waiting[i], &g->waiting[i + 1], (g->count - i - 1) * sizeof(g->waiting[0]));
    g->count--;
}

bool fanotify_gone_take(struct sensor *s, struct fanotify_end *ret)
{
    if (!s->gone->count)
        return false;
    take(s->gone, 0, ret);
    return true;
}

bool fanotify_gone_take_at(struct fanotify_object *o, uint32_t directory, struct fanotify_end *ret)
{
    struct fanotify_gone *g = o->sensor->gone;

    for (size_t i = 0; directory && i < g->count; i++) {
        const struct fanotify_end *w = &g->waiting[i];

        if (w->object == o && (w->directory == directory || tree_parent_of(o->tree, tree_first_name(o->tree, w->directory)) == directory)) {
            take(g, i, ret);
            return true;
        }
    }
    return false;
}

bool fanotify_gone_ends(const struct fanotify_object *o, uint32_t directory)
{
    const struct fanotify_gone *g = o->sensor->gone;

    for (size_t i = 0; i < g->count; i++)
        if (g->waiting[i].object == o && g->waiting[i].directory == directory)
            return true;
    return false;
}

void fanotify_gone_forget(struct fanotify_object *o)
{
    struct fanotify_gone *g = o->sensor->gone;
    size_t kept = 0;

    for (size_t i = 0; i < g->count; i++)
        if (g->waiting[i].object != o)
            g->waiting[kept++] = g->waiting[i];
    g->count = kept;
}
