/* SPDX-License-Identifier: MIT */
/* Counting: what one culprit did to one victim, of one kind. */
#include "report/tally.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "report/case_state.h"
#include "report/names.h"
#include "util/limits.h"

static uint32_t seen_hash(const void *data, uint32_t number)
{
    const struct case_ *c = data;

    return (uint32_t)(c->seen.at[number - 1].number >> 32);
}

static bool add_seen(struct case_ *c, struct fingerprint key)
{
    struct seen *s = &c->seen;
    uint32_t number = s->slots.used + 1;

    if (number > SEEN_MAX)
        return false;
    if (number > s->size) {
        uint32_t size = s->size ? s->size + s->size / 2 : 64;
        struct fingerprint *at = reallocarray(s->at, size, sizeof(*at));

        if (!at)
            return false;
        s->at = at;
        s->size = size;
    }
    s->at[number - 1] = key;
    if (slots_reserve(&s->slots, number, seen_hash, c) < 0)
        return false;
    slots_add(&s->slots, seen_hash(c, number), number);
    return true;
}

bool case_see(struct case_ *c, const void *owner, struct bytes what, bool *ret_beyond)
{
    struct fingerprint_maker of;
    struct fingerprint key;
    uint32_t at, left, number;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, (uintptr_t)owner);
    fingerprint_add(&of, what);
    key = fingerprint_end(&of);
    slots_start(&c->seen.slots, (uint32_t)(key.number >> 32), &at, &left);
    while ((number = slots_next(&c->seen.slots, (uint32_t)(key.number >> 32), &at, &left)))
        if (fingerprint_equal(c->seen.at[number - 1], key))
            return false;
    if (add_seen(c, key))
        return true;
    *ret_beyond = true;
    return false;
}

bool case_victim_same(const struct container *a, const struct container *b)
{
    if (!a || !b)
        return a == b;
    return bytes_equal(a->id, b->id) || (a->name.len && bytes_equal(a->name, b->name));
}

bool changes_directory(const struct event *e)
{
    return e->operation == OPERATION_MKDIR || e->operation == OPERATION_RMDIR ||
           ((e->file.known & FILE_MODE) && S_ISDIR(e->file.mode)) ||
           ((e->after.known & FILE_MODE) && S_ISDIR(e->after.mode));
}

static void add_tool(struct case_ *c, struct tally *t, struct bytes name)
{
    if (!name.len || t->tool_count > TALLY_TOOLS_MAX)
        return;
    for (unsigned i = 0; i < t->tool_count; i++)
        if (bytes_equal(t->tools[i], name))
            return;
    if (t->tool_count < TALLY_TOOLS_MAX)
        t->tools[t->tool_count] = arena_copy(&c->arena, name);
    t->tool_count++;
}

static struct tally *find(struct case_ *c, struct culprit *s, const struct tally *key)
{
    struct tally *t, **last = &s->tallies;

    for (t = s->tallies; t; last = &t->next, t = t->next)
        if (t->operation == key->operation && t->error == key->error && t->variant == key->variant &&
            t->directory == key->directory && t->victim_kind == key->victim_kind && case_victim_same(t->victim, key->victim))
            return t;
    if (c->tally_count >= LIMIT_CASE_GROUPS || !(t = calloc(1, sizeof(*t))))
        return NULL;
    c->tally_count++;
    *t = *key;
    container_ref(t->victim);
    t->sharers = arena_copy(&c->arena, key->sharers);
    *last = t;
    return t;
}

struct tally *case_tally(struct case_ *c, struct culprit *s, const struct event *e, enum variant variant)
{
    const struct tally key = { .operation = e->operation, .error = e->error, .variant = variant,
                               .directory = changes_directory(e), .victim_kind = e->victim_kind, .victim = e->victim,
                               .sharers = e->sharers };

    return find(c, s, &key);
}

struct tally *tally_of_variant(struct case_ *c, struct culprit *s, const struct tally *like, enum variant variant)
{
    const struct tally key = { .operation = like->operation, .error = like->error, .variant = variant,
                               .directory = like->directory, .victim_kind = like->victim_kind, .victim = like->victim,
                               .sharers = like->sharers };
    struct tally *t = find(c, s, &key);

    for (unsigned i = 0; t && i < like->tool_count && i < TALLY_TOOLS_MAX; i++)
        add_tool(c, t, like->tools[i]);
    if (t)
        t->by_itself |= like->by_itself;
    return t;
}

uint64_t tally_folded(const struct tally *t)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < FOLD_COUNT; i++)
        sum += t->folded[i];
    return sum;
}

/* ---- states and bytes ---- */

static void copy_state(struct case_ *c, struct file_state *to, const struct file_state *from)
{
    *to = *from;
    to->owner = arena_copy(&c->arena, from->owner);
    to->group = arena_copy(&c->arena, from->group);
}

static bool same_state(const struct file_state *a, const struct file_state *b)
{
    return a->known == b->known && (!(a->known & FILE_MODE) || a->mode == b->mode) &&
           (!(a->known & FILE_UID) || a->uid == b->uid) && (!(a->known & FILE_GID) || a->gid == b->gid) &&
           (!(a->known & FILE_SIZE) || a->size == b->size) && (!(a->known & FILE_FLAGS) || a->flags == b->flags);
}

static bool gains_write(const struct event *e)
{
    return e->operation == OPERATION_CHMOD && (e->before.known & FILE_MODE) && (e->after.known & FILE_MODE) &&
           !(e->before.mode & 0222) && (e->after.mode & 0222);
}

void tally_describe(struct case_ *c, struct tally *t, const struct event *e)
{
    struct bytes tool = name_tool(e);

    add_tool(c, t, tool);
    t->by_itself |= !tool.len;
    if (!t->reported && !tally_folded(t)) {
        copy_state(c, &t->before, &e->before);
        copy_state(c, &t->after, &e->after);
        t->gains_write = gains_write(e);
        t->same_change = true;
        t->by_guard = true;
    } else if (!same_state(&t->before, &e->before) || !same_state(&t->after, &e->after)) {
        t->same_change = false;
    }
    t->by_guard &= (e->sensors & SENSOR_GUARD) != 0;
    if (e->operation != OPERATION_WRITE)
        return;
    if (e->bytes_known) {
        t->bytes += e->bytes;
        t->bytes_known = true;
    } else if (e->before.known & e->after.known & FILE_SIZE) {
        t->growth += (int64_t)e->after.size - (int64_t)e->before.size;
        t->growth_known = true;
    } else {
        t->bytes_unknown = true;
    }
}

/* ---- paths ---- */

/* The deepest directory that covers both. */
static struct bytes common_directory(struct bytes directory, struct bytes path)
{
    struct bytes dir = bytes_dirname(path);

    while (directory.len > 1 && !bytes_path_covers(directory, dir))
        directory = bytes_dirname(directory);
    return directory;
}

static void add_place(struct case_ *c, struct tally *t, struct bytes path)
{
    if (!t->directory_of.data) {
        t->top = arena_copy(&c->arena, path);
        t->directory_of = bytes_dirname(t->top);
        return;
    }
    t->directory_of = common_directory(t->directory_of, path);
    while (t->top.len > 1 && !bytes_path_covers(t->top, path))
        t->top = bytes_dirname(t->top);
}

static void add_sample(struct case_ *c, struct tally *t, const struct sample *sample)
{
    struct sample *samples, kept;
    size_t len = sample->path.len + sample->other.len;

    add_place(c, t, sample->path);
    if (t->sample_count >= LIMIT_CASE_SAMPLES || c->sample_bytes + len > SAMPLE_BYTES)
        return;
    for (size_t i = 0; i < t->sample_count; i++)
        if (bytes_equal(t->samples[i].path, sample->path))
            return;
    samples = reallocarray(t->samples, t->sample_count + 1, sizeof(*samples));
    if (!samples)
        return;
    t->samples = samples;
    kept.path = arena_copy(&c->arena, sample->path);
    kept.other = arena_copy(&c->arena, sample->other);
    if (!kept.path.data)
        return;
    c->sample_bytes += len;
    t->samples[t->sample_count++] = kept;
}

/* What has been seen already changes neither the samples nor the directory. */
static void add_file(struct case_ *c, struct tally *t, const struct sample *sample)
{
    bool beyond = false, is_new;

    if (!sample->path.len) {
        t->files_beyond = true;
        return;
    }
    is_new = case_see(c, t, sample->path, &beyond);
    t->files += is_new;
    t->files_beyond |= beyond;
    if (is_new || beyond)
        add_sample(c, t, sample);
}

void tally_add(struct case_ *c, struct tally *t, const struct part *part, const struct sample *sample)
{
    if (!t->reported || part->first_ns < t->first_ns) {
        t->first_ns = part->first_ns;
        t->start_ns = part->start_ns;
    }
    t->reported += part->count;
    t->last_ns = MAX(t->last_ns, part->last_ns);
    add_file(c, t, sample);
}

bool tally_is_around(const struct tally *t)
{
    return t->variant == VARIANT_AROUND || t->variant == VARIANT_BUNDLE;
}
