/* SPDX-License-Identifier: MIT */
/*
 * Contents. The kernel says that a file was modified, any number of times, and that a descriptor open for writing was
 * closed; how it was opened it does not say. So `open-write` and `write` are emitted at the close, and `write` once a second
 * while a file stays open.
 */
#include "sensor/fanotify/writes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>

#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/interpret.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/state.h"
#include "util/clock.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"
#include "util/limits.h"

#define EMIT_MS 1000
#define KEEP_MS 60000       /* of a file that stays open and is left alone */
#define ENTRIES_MAX 65536   /* files open for writing at once; one more is emitted at once */
#define RECENT 1024         /* reads emitted recently */

struct writer_key {
    struct fanotify_object *object;
    uint64_t device, inode;
    uint64_t pid;
};

struct written_file {
    struct writer_key key;
    uint64_t since_ms, emitted_ms, last_ms;
    uint64_t born_ns; /* of the file: its inode's number may become another one's, once its last name is gone; 0 = not known */
    uint64_t size; /* when it was last emitted, or before the first change */
    bool size_known, dirty, emitted;
    bool made;    /* by this process, which has not closed it yet: opening it was making it */
    bool written;
    bool cut;
    struct fanotify_cause cause;
    UT_hash_handle hh;
};

struct recent {
    struct fingerprint what;
    uint64_t until_ms;
};

struct fanotify_writes {
    struct written_file *entries;
    struct recent recent[RECENT];
};

struct fanotify_writes *fanotify_writes_new(void)
{
    return calloc(1, sizeof(struct fanotify_writes));
}

static void drop(struct fanotify_writes *w, struct written_file *e)
{
    HASH_DEL(w->entries, e);
    free(e);
}

void fanotify_writes_free(struct fanotify_writes *w)
{
    struct written_file *e, *next;

    if (!w)
        return;
    HASH_ITER(hh, w->entries, e, next)
        drop(w, e);
    free(w);
}

void fanotify_writes_forget(struct fanotify_object *o)
{
    struct fanotify_writes *w = o->sensor->writes;
    struct written_file *e, *next;

    HASH_ITER(hh, w->entries, e, next)
        if (e->key.object == o)
            drop(w, e);
}

/* ---- emitting ---- */

static void emit(struct fanotify_object *o, enum operation operation, uint32_t directory, struct bytes name,
                 const struct file_state *before, const struct file_state *after,
                 const struct fanotify_cause *cause)
{
    struct event *e = fanotify_event_new(o, operation, directory, name, after, cause);

    if (!e)
        return;
    if (operation != OPERATION_OPEN_WRITE) {
        e->before = *before;
        e->after = *after;
        e->before.known &= FILE_SIZE;
        e->after.known &= FILE_SIZE;
    }
    fanotify_send(o, e, cause);
}

static struct written_file *find(struct fanotify_object *o, const struct file_state *state, pid_t pid)
{
    struct writer_key key = { o, state->device, state->inode, (uint64_t)pid };
    struct written_file *e = NULL;

    HASH_FIND(hh, o->sensor->writes->entries, &key, sizeof(key), e);
    return e;
}

/* Another one than who wrote may close it: the descriptor was handed on. */
static struct written_file *add(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct file_state *before,
                         const struct file_state *after, const struct fanotify_cause *cause)
{
    struct fanotify_writes *w = o->sensor->writes;
    struct written_file *e;

    if (HASH_COUNT(w->entries) >= ENTRIES_MAX || !(e = calloc(1, sizeof(*e))))
        return NULL;
    e->key = (struct writer_key){ o, after->device, after->inode, (uint64_t)cause->pid };
    e->since_ms = e->emitted_ms = clock_ms(CLOCK_MONOTONIC);
    e->born_ns = after->known & FILE_BORN ? (uint64_t)after->born_ns : fanotify_born(o, directory, name);
    e->size = before->size;
    e->size_known = (before->known & FILE_SIZE) != 0;
    HASH_ADD(hh, w->entries, key, sizeof(e->key), e);
    HASH_FREE_IF_OUT(hh, e);
    return e;
}

void fanotify_writes_made(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct file_state *file,
                          const struct fanotify_cause *now)
{
    struct file_state empty = { .known = FILE_SIZE };
    struct written_file *e;

    if (!S_ISREG(file->mode) || now->silent || find(o, file, now->pid))
        return;
    e = add(o, directory, name, &empty, file, now);
    if (e) {
        e->made = true;
        e->last_ms = clock_ms(CLOCK_MONOTONIC);
    }
}

static struct fanotify_writer writer_of(const struct written_file *e)
{
    if (!e)
        return (struct fanotify_writer){ 0 };
    return (struct fanotify_writer){ .known = true, .made = e->made, .written = e->written, .dirty = e->dirty, .emitted = e->emitted, .cut = e->cut,
                                     .size_known = e->size_known, .size = e->size };
}

void fanotify_written(struct fanotify_object *o, uint32_t directory, struct bytes name, uint64_t mask, bool times_set,
                      const struct tree_change *change, const struct fanotify_cause *cause)
{
    const struct file_state *after = &change->after, *file = after->known ? after : &change->before; /* it may be gone again */
    struct written_file *e = file->known ? find(o, file, cause->pid) : NULL;
    struct fanotify_writer writer = writer_of(e);
    struct fanotify_contents c;

    if (cause->silent)
        return;
    fanotify_interpret_contents(mask, change, times_set, &writer, &c);
    for (unsigned i = 0; i < c.count; i++) {
        struct fanotify_cause why = *cause;

        if (c.changes[i].presumed)
            why.note = EVENT_NOTE_CUT;
        emit(o, c.changes[i].operation, directory, name, &c.changes[i].before, after, &why);
    }
    if (c.after == FANOTIFY_FORGET && e)
        drop(o->sensor->writes, e);
    if (c.after != FANOTIFY_REMEMBER && c.after != FANOTIFY_CUT)
        return;
    if (!e)
        e = add(o, directory, name, &c.before, after, cause);
    if (c.after == FANOTIFY_CUT) {
        if (e) {
            e->cut = true;
            e->last_ms = clock_ms(CLOCK_MONOTONIC);
        }
        return;
    }
    if (!e) { /* too many: now or never */
        emit(o, OPERATION_WRITE, directory, name, &c.before, after, cause);
        return;
    }
    e->dirty = e->written = true;
    e->last_ms = clock_ms(CLOCK_MONOTONIC);
    e->cause = *cause;
    e->cause.in_turn = false;
}

void fanotify_emit_changed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                           const struct tree_change *c, const struct fanotify_cause *cause)
{
    emit(o, c->after.size < c->before.size ? OPERATION_TRUNCATE : OPERATION_WRITE, directory, name, &c->before,
         &c->after, cause);
}

/* ---- files that stay open ---- */

/* What was written to is gone, with its last name, and has left its number to another file: that was written by others. */
static bool is_another(const struct written_file *e, uint64_t born_ns)
{
    return e->born_ns && born_ns && e->born_ns != born_ns;
}

static void emit_open(struct sensor *s, struct written_file *e, uint64_t now, bool all)
{
    struct fanotify_object *o = e->key.object;
    uint32_t object = o->tree ? tree_find(o->tree, e->key.device, e->key.inode) : 0;
    uint32_t name = object ? tree_first_name(o->tree, object) : 0, directory;
    struct tree_change change;
    char text[LIMIT_NAME + 1];
    struct bytes base = o->tree ? tree_name(o->tree, name, text) : BYTES_NULL;
    struct file_state before = { 0 };
    uint64_t born_ns;

    if (!name)
        return;
    directory = tree_parent_of(o->tree, name);
    born_ns = fanotify_born(o, directory, base);
    if (is_another(e, born_ns)) {
        e->dirty = false;
        return;
    }
    /* a file that is older than the watch may have been open before it began */
    if (e->emitted && !all && !o->wanted.writes && born_ns >= s->watch_real_ns)
        return;
    if (fanotify_look(o, directory, base, &e->cause, &change) < 0 || !change.after.known)
        return;
    if (e->size_known)
        before = (struct file_state){ .known = FILE_SIZE, .size = e->size };
    e->cause.note = EVENT_NOTE_OPEN;
    emit(o, OPERATION_WRITE, directory, base, &before, &change.after, &e->cause);
    e->size = change.after.size;
    e->size_known = true;
    e->emitted = true;
    e->dirty = false;
    e->emitted_ms = now;
}

static bool has_name(const struct written_file *e)
{
    const struct tree *tree = e->key.object->tree;
    uint32_t object = tree ? tree_find(tree, e->key.device, e->key.inode) : 0;

    return object && tree_first_name(tree, object);
}

void fanotify_writes_tick(struct sensor *s, uint64_t now, bool all)
{
    struct written_file *e, *next;

    HASH_ITER(hh, s->writes->entries, e, next) {
        if (e->dirty && (all || now >= e->emitted_ms + EMIT_MS))
            emit_open(s, e, now, all);
        /* also where it waits to be emitted: a file that has no name any more, as one that truncate() changed, is never
         * closed */
        if (now >= e->last_ms + KEEP_MS && (!e->dirty || !has_name(e)))
            drop(s->writes, e);
    }
}

/* ---- reads, executions ---- */

static struct fingerprint access_of(const struct fanotify_object *o, uint32_t directory, struct bytes name,
                                 enum operation operation, pid_t pid)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, (uintptr_t)o);
    fingerprint_add_word(&of, directory);
    fingerprint_add_word(&of, operation);
    fingerprint_add_word(&of, (uint64_t)pid);
    fingerprint_add(&of, name);
    return fingerprint_end(&of);
}

void fanotify_accessed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                       enum operation operation, const struct fanotify_cause *cause)
{
    struct fingerprint what = access_of(o, directory, name, operation, cause->pid);
    uint64_t now = clock_ms(CLOCK_MONOTONIC);
    uint32_t entry, object;
    struct recent *r;
    struct file_state state = { 0 };
    struct event *e;

    r = &o->sensor->writes->recent[what.number % RECENT];
    if (operation == OPERATION_READ && fingerprint_equal(r->what, what) && now < r->until_ms)
        return;
    *r = (struct recent){ what, now + EMIT_MS };
    entry = tree_child(o->tree, directory, name);
    object = tree_object_of(o->tree, entry);
    tree_state(o->tree, object, &state);
    e = fanotify_event_new(o, operation, directory, name, &state, cause);
    if (e)
        e->time_ns = cause->to_real_ns;
    fanotify_send(o, e, cause);
}
