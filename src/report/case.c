/* SPDX-License-Identifier: MIT */
/* Collecting: events become tallies of suspects. */
#include "report/case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "report/case_internal.h"
#include "util/hash.h"
#include "util/limits.h"

struct case_ *case_new(const struct case_options *options)
{
    struct case_ *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->options = *options;
    c->options.target = arena_copy(&c->arena, options->target);
    c->options.command = arena_copy(&c->arena, options->command);
    c->own_status = -1;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->traces, "", 0, 0, &c->no_trace);
    if (!options->command.len)
        c->options.command_status = -1;
    return c;
}

void case_free(struct case_ *c)
{
    struct trace *trace, *next_trace;
    struct seen *seen, *next_seen;

    if (!c)
        return;
    HASH_ITER(hh, c->seen, seen, next_seen) {
        HASH_DEL(c->seen, seen);
        free(seen);
    }
    HASH_ITER(hh, c->traces, trace, next_trace) {
        HASH_DEL(c->traces, trace);
        if (trace != &c->no_trace)
            free(trace);
    }
    sbuf_done(&c->trace_key);
    while (c->suspects) {
        struct suspect *s = c->suspects;

        c->suspects = s->next;
        while (s->tallies) {
            struct tally *t = s->tallies;

            s->tallies = t->next;
            container_unref(t->victim);
            free(t->samples);
            free(t);
        }
        process_unref(s->actor.process);
        free(s);
    }
    arena_done(&c->arena);
    free(c);
}

void case_set_command(struct case_ *c, pid_t pid, uint64_t start_ns)
{
    c->options.command_pid = pid;
    c->options.command_start_ns = start_ns;
}

void case_set_command_status(struct case_ *c, int status, uint64_t command_ns)
{
    c->options.command_status = status;
    c->options.command_ns = command_ns;
}

void case_set_own_status(struct case_ *c, int status)
{
    c->own_status = status;
}

void case_leave_out(struct case_ *c, enum filter_result why, uint64_t count)
{
    if (why == FILTER_ALLOWED)
        c->allowed += count;
    else if (why == FILTER_OTHER)
        c->filtered += count;
}

/* ---- who ---- */

static struct suspect *find_suspect(struct case_ *c, const struct event *e)
{
    uint64_t chain = event_suspect(e);
    struct suspect *s = c->last_suspect, **last = &c->suspects;
    struct arena *arena = &c->arena;

    if (s && s->chain == chain)
        return s;
    for (s = c->suspects; s; last = &s->next, s = s->next)
        if (s->chain == chain)
            return c->last_suspect = s;
    if (c->suspect_count >= LIMIT_CASE_GROUPS / 8 || !(s = calloc(1, sizeof(*s))))
        return NULL;
    s->chain = chain;
    s->order = c->suspect_count++;
    s->actor = e->actor;
    s->actor.process = process_ref(e->actor.process);
    s->actor.executable = arena_copy(arena, e->actor.executable);
    s->actor.name = arena_copy(arena, e->actor.name);
    s->actor.args = arena_copy(arena, e->actor.args);
    s->actor.working_directory = arena_copy(arena, e->actor.working_directory);
    s->actor.tty = arena_copy(arena, e->actor.tty);
    s->actor.script = arena_copy(arena, e->actor.script);
    s->actor.cgroup = BYTES_NULL; /* of the event's memory */
    s->first_ns = e->time_ns;
    s->own_command = c->options.command_pid > 0 && e->actor.process &&
                     process_descends_from(e->actor.process, c->options.command_pid,
                                           c->options.command_start_ns);
    *last = s;
    return c->last_suspect = s;
}

/* Is this the first of its kind in `owner`? False also where it cannot be told any more. */
static bool see(struct case_ *c, const void *owner, struct bytes what, bool *ret_beyond)
{
    uint64_t key = hash_words(hash_word(HASH_START, (uintptr_t)owner), what.data, what.len);
    struct seen *s;

    HASH_FIND_BYHASHVALUE(hh, c->seen, &key, sizeof(key), (unsigned)key, s);
    if (s)
        return false;
    if (HASH_COUNT(c->seen) >= SEEN_MAX || !(s = calloc(1, sizeof(*s)))) {
        *ret_beyond = true;
        return false;
    }
    s->key = key;
    HASH_ADD_BYHASHVALUE(hh, c->seen, key, sizeof(s->key), (unsigned)key, s);
    return true;
}

static void count_process(struct case_ *c, struct suspect *s, const struct event *e)
{
    bool beyond = false;

    if (s->last_pid == e->actor.pid && s->last_pid)
        return;
    s->last_pid = e->actor.pid;
    s->processes += see(c, s, (struct bytes){ (const char *)&e->actor.pid, sizeof(e->actor.pid) }, &beyond);
}

/* ---- what ---- */

bool case_victim_same(const struct container *a, const struct container *b)
{
    if (!a || !b)
        return a == b;
    return bytes_equal(a->id, b->id) || (a->name.len && bytes_equal(a->name, b->name));
}

static void copy_state(struct case_ *c, struct file_state *to, const struct file_state *from)
{
    *to = *from;
    to->owner = arena_copy(&c->arena, from->owner);
    to->group = arena_copy(&c->arena, from->group);
}

static struct tally *find_tally(struct case_ *c, struct suspect *s, const struct event *e)
{
    struct tally *t, **last = &s->tallies;

    for (t = s->tallies; t; last = &t->next, t = t->next)
        if (t->operation == e->operation && t->error == e->error &&
            t->victim_kind == e->victim_kind && case_victim_same(t->victim, e->victim))
            return t;
    if (c->tally_count >= LIMIT_CASE_GROUPS || !(t = calloc(1, sizeof(*t))))
        return NULL;
    c->tally_count++;
    t->operation = e->operation;
    t->error = e->error;
    t->victim_kind = e->victim_kind;
    t->victim = container_ref(e->victim);
    t->sharers = arena_copy(&c->arena, e->sharers);
    t->first_ns = e->time_ns;
    t->since_start_known = e->since_start_known;
    t->since_start_ns = e->since_start_ns;
    t->gains_write = e->operation == OPERATION_CHMOD && (e->before.known & FILE_MODE) &&
                     (e->after.known & FILE_MODE) && !(e->before.mode & 0222) &&
                     (e->after.mode & 0222);
    copy_state(c, &t->before, &e->before);
    copy_state(c, &t->after, &e->after);
    *last = t;
    return t;
}

/* The deepest directory that covers both. */
static struct bytes common_directory(struct bytes directory, struct bytes path)
{
    struct bytes dir = bytes_dirname(path);

    while (directory.len > 1 && !bytes_path_covers(directory, dir))
        directory = bytes_dirname(directory);
    return directory;
}

static void add_sample(struct case_ *c, struct tally *t, struct bytes path)
{
    struct bytes *samples, kept;

    if (!path.len)
        return;
    if (!t->directory.data)
        t->directory = arena_copy(&c->arena, bytes_dirname(path));
    else
        t->directory = common_directory(t->directory, path);
    if (t->sample_count >= LIMIT_CASE_SAMPLES || c->sample_bytes + path.len > SAMPLE_BYTES)
        return;
    for (size_t i = 0; i < t->sample_count; i++)
        if (bytes_equal(t->samples[i], path))
            return;
    samples = reallocarray(t->samples, t->sample_count + 1, sizeof(*samples));
    if (!samples)
        return;
    t->samples = samples;
    kept = arena_copy(&c->arena, path);
    if (!kept.data)
        return;
    c->sample_bytes += path.len;
    t->samples[t->sample_count++] = kept;
}

/* What has been seen already changes neither the samples nor the directory. */
static void add_file(struct case_ *c, struct tally *t, struct bytes path)
{
    bool beyond = false, is_new;

    if (!path.len) {
        t->files_beyond = true;
        return;
    }
    is_new = see(c, t, path, &beyond);
    t->files += is_new;
    t->files_beyond |= beyond;
    if (is_new || beyond)
        add_sample(c, t, path);
}

/* ---- following files by name ---- */

struct trace_key {
    struct bytes text; /* until the next is made */
    unsigned hash;
};

static struct trace_key make_key(struct case_ *c, const struct event *e, struct bytes path)
{
    struct sbuf *buffer = &c->trace_key;

    sbuf_clear(buffer);
    if (e->victim)
        sbuf_add_bytes(buffer, e->victim->id);
    sbuf_add_char(buffer, '\0');
    sbuf_add_bytes(buffer, path);
    return (struct trace_key){ sbuf_bytes(buffer), (unsigned)hash_words(HASH_START, sbuf_str(buffer), buffer->len) };
}

static struct trace *find_trace(struct case_ *c, const struct trace_key *key)
{
    struct trace *t;

    HASH_FIND_BYHASHVALUE(hh, c->traces, key->text.data, key->text.len, key->hash, t);
    return t;
}

static void drop_trace(struct case_ *c, struct trace *t)
{
    if (!t)
        return;
    HASH_DEL(c->traces, t);
    free(t);
}

/* One allocation holds the row and its strings: traces come and go with every temporary file. */
static struct trace *add_trace(struct case_ *c, const struct trace_key *made, struct bytes original)
{
    struct bytes key = made->text;
    struct trace *t;

    if (HASH_COUNT(c->traces) > TRACES_MAX || sbuf_error(&c->trace_key))
        return NULL;
    t = malloc(sizeof(*t) + key.len + original.len);
    if (!t)
        return NULL;
    *t = (struct trace){ 0 };
    memcpy((char *)(t + 1), key.data, key.len);
    t->key = (struct bytes){ (char *)(t + 1), key.len };
    if (original.len) {
        memcpy((char *)(t + 1) + key.len, original.data, original.len);
        t->original = (struct bytes){ (char *)(t + 1) + key.len, original.len };
    }
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->traces, t->key.data, t->key.len, made->hash, t);
    return t;
}

static bool makes_a_file(enum operation operation)
{
    return operation == OPERATION_CREATE || operation == OPERATION_MKDIR ||
           operation == OPERATION_MKNOD || operation == OPERATION_SYMLINK ||
           operation == OPERATION_LINK;
}

static void follow_rename(struct case_ *c, struct suspect *s, struct tally *t, const struct event *e)
{
    struct trace_key key = make_key(c, e, e->previous_path);
    struct trace *old = find_trace(c, &key), *now;
    const struct suspect *maker = old ? old->maker : NULL;

    key = make_key(c, e, e->path);
    drop_trace(c, find_trace(c, &key));
    now = add_trace(c, &key,
                    old && old->original.len ? old->original
                    : maker                  ? BYTES_NULL
                                             : e->previous_path);
    if (now) {
        now->maker = maker;
        now->mover = old && old->mover ? old->mover : s;
        now->moved_by = old && old->moved_by ? old->moved_by : t;
    }
    if (maker)
        t->own_files++;
    drop_trace(c, old);
}

/* Whose file is it, and where did it come from? Returns the path by which it should be told. */
static struct bytes follow(struct case_ *c, struct suspect *s, struct tally *t,
                           const struct event *e, struct bytes *buffer)
{
    struct trace_key key;
    struct trace *trace;

    if (e->error != 0 || !e->path.len)
        return e->path;
    if (makes_a_file(e->operation)) {
        key = make_key(c, e, e->path);
        drop_trace(c, find_trace(c, &key)); /* what was known of a file of that name is of another one */
        trace = add_trace(c, &key, BYTES_NULL);
        if (trace)
            trace->maker = s;
        return e->path;
    }
    if (e->operation == OPERATION_RENAME) {
        if (e->previous_path.len && !bytes_equal(e->previous_path, e->path)) /* onto itself: nothing moved */
            follow_rename(c, s, t, e);
        return e->previous_path.len ? e->previous_path : e->path;
    }
    key = make_key(c, e, e->path);
    trace = find_trace(c, &key);
    if (!trace)
        return e->path;
    if (e->operation != OPERATION_UNLINK && e->operation != OPERATION_RMDIR) {
        if (trace->maker == s)
            t->own_files++;
        return e->path;
    }
    if (trace->maker == s) {
        t->temporary++;
    } else if (trace->original.len && !trace->maker) {
        /* moved away, then deleted under another name: the old name's disappearance is the story */
        t->moved_first++;
        if (trace->moved_by)
            trace->moved_by->followed++;
        *buffer = arena_copy(&c->arena, trace->original);
    }
    drop_trace(c, trace);
    return buffer->len ? *buffer : e->path;
}

/* A rename out of what is watched: to the user that file is gone. */
static bool leaves_watch(const struct event *e)
{
    struct bytes watched = e->watch_text;
    const char *colon = watched.len ? memmem(watched.data, watched.len, ":/", 2) : NULL;

    if (e->error != 0 || !e->previous_path.len)
        return false;
    if (colon && watched.data[0] != '/' && watched.data[0] != '.')
        watched = (struct bytes){ colon + 1, watched.len - (size_t)(colon + 1 - watched.data) };
    while (watched.len > 1 && watched.data[watched.len - 1] == '/')
        watched.len--;
    return watched.len && watched.data[0] == '/' && bytes_path_covers(watched, e->previous_path) &&
           !bytes_path_covers(watched, e->path);
}

/* ---- in ---- */

static void add_start(struct suspect *s, const struct event *e)
{
    uint64_t start;

    if (!e->since_start_known || e->error != 0)
        return;
    start = e->time_ns - (uint64_t)e->since_start_ns;
    for (size_t i = 0; i < s->start_count; i++)
        if (s->starts[i].start_ns == start)
            return;
    if (s->start_count < STARTS_MAX)
        s->starts[s->start_count++] = (struct start){ start, e->since_start_ns };
}

static struct tally *add(struct case_ *c, const struct event *e, uint64_t count, uint64_t last_ns)
{
    struct suspect *s = find_suspect(c, e);
    struct tally *t = s ? find_tally(c, s, e) : NULL;
    struct bytes moved = BYTES_NULL, path;

    c->judged = false;
    c->events += count;
    if (e->error > 0)
        c->refused += count;
    if (!c->first_ns || e->time_ns < c->first_ns)
        c->first_ns = e->time_ns;
    c->last_ns = MAX(c->last_ns, last_ns);
    if (!t) {
        c->beyond += count;
        return NULL;
    }
    count_process(c, s, e);
    if (e->time_ns < s->first_ns)
        s->first_ns = e->time_ns;
    s->last_ns = MAX(s->last_ns, last_ns);
    if (e->time_ns < t->first_ns) {
        t->first_ns = e->time_ns;
        t->since_start_known = e->since_start_known;
        t->since_start_ns = e->since_start_ns;
    }
    t->last_ns = MAX(t->last_ns, last_ns);
    t->count += count;
    t->seen += count;
    path = follow(c, s, t, e, &moved);
    if (e->operation == OPERATION_RENAME && leaves_watch(e))
        t->moved_out++;
    add_file(c, t, path);
    add_start(s, e);
    return t;
}

int case_add_event(struct case_ *c, const struct event *event)
{
    (void)add(c, event, 1, event->time_ns);
    return 0;
}

int case_add_rollup(struct case_ *c, const struct store_rollup *rollup,
                    struct event *const *samples, unsigned sample_count)
{
    struct tally *t = NULL;

    for (unsigned i = 0; i < sample_count && i < rollup->count; i++)
        t = add(c, samples[i], 1, samples[i]->time_ns);
    if (!sample_count)
        t = add(c, rollup->sample, 1, rollup->first_ns);
    if (rollup->count > MAX(sample_count, 1u)) {
        uint64_t rest = rollup->count - MAX(sample_count, 1u);

        c->events += rest;
        if (rollup->sample->error > 0)
            c->refused += rest;
        if (t) {
            t->count += rest;
            t->files_beyond = true;
            t->last_ns = MAX(t->last_ns, rollup->last_ns);
        } else {
            c->beyond += rest;
        }
    }
    c->last_ns = MAX(c->last_ns, rollup->last_ns);
    return 0;
}

int case_add_life(struct case_ *c, const struct life *life)
{
    c->starts += life->kind == LIFE_START;
    /* where the engine has layers, one goes with it; by hand the files stay where they were */
    if (life->kind == LIFE_DESTROY && !c->removed.len &&
        (bytes_equal_str(life->container->runtime, "docker") || bytes_equal_str(life->container->runtime, "podman"))) {
        c->removed = arena_copy(&c->arena, life->container->name);
        c->judged = false;
    }
    return 0;
}

void case_not_recorded(struct case_ *c)
{
    c->options.not_recorded = true;
}

int case_add_gap(struct case_ *c, const struct gap *gap)
{
    /* news of processes lost are no changes lost: names may be missing, and that is said */
    if (gap->reason != LOST_PROCESS_EVENTS) {
        c->lost += gap->count;
        c->lost_unknown |= gap->count == 0;
    }
    if (c->gap_count < ARRAY_SIZE(c->gaps))
        c->gaps[c->gap_count++] = *gap;
    else
        c->gaps_beyond++;
    return 0;
}

int case_add_explanation(struct case_ *c, enum explanation kind, uint64_t time_ns, uint64_t files,
                         struct bytes detail)
{
    if (c->explained_count == ARRAY_SIZE(c->explained))
        return -ENOSPC;
    c->explained[c->explained_count++] =
        (struct explained){ kind, time_ns, files, arena_copy(&c->arena, detail) };
    c->judged = false;
    return 0;
}

bool case_answered(const struct case_ *c)
{
    for (size_t i = 0; i < c->explained_count; i++)
        if (c->explained[i].kind != EXPLANATION_BEFORE)
            return true;
    return c->events > 0;
}

uint64_t case_events(const struct case_ *c)
{
    return c->events;
}

uint64_t case_lost(const struct case_ *c)
{
    return c->lost ? c->lost : c->lost_unknown ? 1 : 0;
}
