/* SPDX-License-Identifier: MIT */
#include "compare/record.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <uthash.h>

#include "cause/cause.h"
#include "event/operation.h"
#include "util/limits.h"
#include "util/macro.h"

struct attribute {
    struct attribute *next;
    struct event *event; /* owned: the last change of it */
};

/* One path through the time between. */
struct track {
    bool was, is;       /* was it there at the first moment, is it at the second */
    bool other;         /* what is there is another file than what was */
    struct file_state before, after; /* as far as the changes say */
    /* the last change of each kind; owned */
    struct event *name, *content, *mode, *owner, *times;
    struct attribute *attributes;
    UT_hash_handle hh;
    size_t len;
    char path[];
};

struct record_comparison {
    const struct compare_options *options;
    struct bytes below; /* the path that is asked for */
    struct track *tracks;
    struct record_summary summary;
    struct err *err;
};

static void track_free(struct track *t)
{
    while (t->attributes) {
        struct attribute *a = t->attributes;

        t->attributes = a->next;
        event_free(a->event);
        free(a);
    }
    event_free(t->name);
    event_free(t->content);
    event_free(t->mode);
    event_free(t->owner);
    event_free(t->times);
    free(t);
}

static struct track *track_of(struct record_comparison *r, struct bytes path, bool was)
{
    struct track *t;

    HASH_FIND(hh, r->tracks, path.data, path.len, t);
    if (t)
        return t;
    if (HASH_COUNT(r->tracks) >= LIMIT_RECORD_PATHS) {
        err_say(r->err, -E2BIG, "more than %d paths were touched in that time: give a shorter one, or a path",
                LIMIT_RECORD_PATHS);
        return NULL;
    }
    t = calloc(1, sizeof(*t) + path.len + 1);
    if (!t) {
        err_set(r->err, -ENOMEM, "comparing");
        return NULL;
    }
    t->was = t->is = was;
    t->len = path.len;
    memcpy(t->path, path.data, path.len);
    HASH_ADD(hh, r->tracks, path, t->len, t);
    return t;
}

/* What is newer takes the place of what was known. */
static void renew(struct file_state *to, const struct file_state *from, unsigned which)
{
    to->known &= ~(from->known & which);
    file_state_add(to, from, which);
}

#define ATTRIBUTES (FILE_MODE | FILE_UID | FILE_GID)

static void put(struct event **slot, struct event *e)
{
    event_free(*slot);
    *slot = e;
}

/* ---- one change ---- */

static int appears(struct record_comparison *r, struct event *e)
{
    struct track *t = track_of(r, e->path, false);

    if (!t) {
        event_free(e);
        return -E2BIG;
    }
    t->is = true;
    t->other = true;
    t->after = (struct file_state){ 0 };
    renew(&t->after, &e->file, ATTRIBUTES | FILE_SIZE);
    put(&t->content, NULL);
    put(&t->name, e);
    return 0;
}

static int disappears(struct record_comparison *r, struct event *e)
{
    struct track *t = track_of(r, e->path, true);

    if (!t) {
        event_free(e);
        return -E2BIG;
    }
    if (!t->other) {
        /* as it was before the changes in between, as far as they say */
        file_state_add(&t->before, &e->file, ATTRIBUTES | FILE_SIZE);
    }
    t->is = false;
    put(&t->name, e);
    return 0;
}

/* A rename has put something else in its place: the name stays. */
static int replaced(struct record_comparison *r, struct event *e)
{
    struct track *t = track_of(r, e->path, true);
    bool same_moment;

    if (!t) {
        event_free(e);
        return -E2BIG;
    }
    /* its two events come in either order */
    same_moment = t->name && t->name->operation == OPERATION_RENAME && t->name->time_ns == e->time_ns;
    if (same_moment && !t->was && t->name->actor.pid == e->actor.pid)
        t->was = true;
    if (!t->other || same_moment)
        file_state_add(&t->before, &e->file, ATTRIBUTES | FILE_SIZE);
    t->other = true;
    if (same_moment)
        event_free(e);
    else
        put(&t->name, e);
    return 0;
}

/* What was tracked below a directory that moved is there now by another name. */
static int move_tracks(struct record_comparison *r, struct bytes from, struct bytes to)
{
    struct track *t, *next, *moved = NULL;
    int code = 0;

    HASH_ITER(hh, r->tracks, t, next) {
        struct bytes path = { t->path, t->len };

        /* what was there before the first moment is missed under its old name */
        if (t->len > from.len && bytes_path_covers(from, path) && t->is && !t->was) {
            HASH_DEL(r->tracks, t);
            HASH_ADD(hh, moved, path, t->len, t);
        }
    }
    HASH_ITER(hh, moved, t, next) {
        struct arena arena = { 0 };
        struct bytes rest = { t->path + from.len + 1, t->len - from.len - 1 };
        struct bytes path = arena_join_path(&arena, to, rest);
        struct track *there = path.data ? track_of(r, path, false) : NULL;

        HASH_DEL(moved, t);
        if (there) {
            there->is = true;
            there->other = true;
            there->after = t->after;
            put(&there->name, TAKE_PTR(t->name));
        } else {
            code = -ENOMEM;
        }
        track_free(t);
        arena_done(&arena);
    }
    return code;
}

static struct event *copy_for_old_name(const struct event *e)
{
    struct event *copy = event_new();

    if (!copy)
        return NULL;
    *copy = *e;
    copy->arena = (struct arena){ 0 };
    copy->lent = NULL;
    copy->cause = (struct cause){ 0 };
    /* what points into the other's memory is copied */
    event_set(copy, &copy->path, e->path);
    event_set(copy, &copy->previous_path, e->previous_path);
    event_set(copy, &copy->host_path, e->host_path);
    event_set(copy, &copy->previous_host_path, e->previous_host_path);
    event_set(copy, &copy->target_path, e->target_path);
    event_set(copy, &copy->xattr, e->xattr);
    event_set(copy, &copy->watch_text, e->watch_text);
    event_set(copy, &copy->key, e->key);
    event_set(copy, &copy->note, e->note);
    event_set(copy, &copy->actor.executable, e->actor.executable);
    event_set(copy, &copy->actor.name, e->actor.name);
    event_set(copy, &copy->actor.args, e->actor.args);
    event_set(copy, &copy->actor.working_directory, e->actor.working_directory);
    event_set(copy, &copy->actor.tty, e->actor.tty);
    event_set(copy, &copy->actor.script, e->actor.script);
    copy->file.owner = copy->file.group = BYTES_NULL;
    copy->before = copy->after = (struct file_state){ 0 };
    copy->actor.process = process_ref(e->actor.process);
    copy->victim = container_ref(e->victim);
    cause_remember(copy);
    return copy;
}

static int renamed(struct record_comparison *r, struct event *e)
{
    struct event *old = e->previous_path.len ? copy_for_old_name(e) : NULL;
    struct track *from;
    int code;

    if (old) {
        from = track_of(r, e->previous_path, true);
        if (!from) {
            event_free(old);
            event_free(e);
            return -E2BIG;
        }
        if (!from->other)
            file_state_add(&from->before, &e->file, ATTRIBUTES | FILE_SIZE);
        from->is = false;
        put(&from->name, old);
        if (!(e->file.known & FILE_MODE) || S_ISDIR(e->file.mode)) {
            code = move_tracks(r, e->previous_path, e->path);
            if (code < 0) {
                event_free(e);
                return code;
            }
        }
    }
    return appears(r, e);
}

static bool knows(const struct event *e, unsigned which)
{
    return (e->before.known & e->after.known & which) == which;
}

/* Which of them it was is not known: whatever differs in the end may come from it. */
static void put_attributes(struct track *t, struct event *e)
{
    struct event *copy;

    if ((!knows(e, FILE_MODE) || file_state_mode_differs(&e->before, &e->after)) && (copy = copy_for_old_name(e)))
        put(&t->mode, copy);
    if ((!knows(e, FILE_UID | FILE_GID) || file_state_owner_differs(&e->before, &e->after)) && (copy = copy_for_old_name(e)))
        put(&t->owner, copy);
    put(&t->times, e);
}

static int changed(struct record_comparison *r, struct event *e)
{
    struct track *t = track_of(r, e->path, true);
    struct attribute *a;

    if (!t) {
        event_free(e);
        return -E2BIG;
    }
    if (!t->other) {
        file_state_add(&t->before, &e->before, ATTRIBUTES | FILE_SIZE);
        if (e->operation != OPERATION_CHMOD && e->operation != OPERATION_CHOWN && e->operation != OPERATION_ATTRIBUTES)
            file_state_add(&t->before, &e->file, ATTRIBUTES);
    }
    renew(&t->after, &e->file, ATTRIBUTES | FILE_SIZE);
    renew(&t->after, &e->after, ATTRIBUTES | FILE_SIZE);
    switch (e->operation) {
    case OPERATION_OPEN_WRITE:
        /* that it was opened says less than that it was written */
        if (t->content && t->content->operation != OPERATION_OPEN_WRITE)
            break;
        put(&t->content, TAKE_PTR(e));
        break;
    case OPERATION_WRITE:
    case OPERATION_TRUNCATE:
        put(&t->content, TAKE_PTR(e));
        break;
    case OPERATION_CHMOD:
        put(&t->mode, TAKE_PTR(e));
        break;
    case OPERATION_CHOWN:
        put(&t->owner, TAKE_PTR(e));
        break;
    case OPERATION_UTIME:
        put(&t->times, TAKE_PTR(e));
        break;
    case OPERATION_ATTRIBUTES:
        put_attributes(t, TAKE_PTR(e));
        break;
    case OPERATION_SETXATTR:
    case OPERATION_REMOVEXATTR:
    case OPERATION_SETACL:
        for (a = t->attributes; a; a = a->next)
            if (bytes_equal(a->event->xattr, e->xattr))
                break;
        if (!a && (a = calloc(1, sizeof(*a)))) {
            a->next = t->attributes;
            t->attributes = a;
        }
        if (a)
            put(&a->event, TAKE_PTR(e));
        break;
    default:
        break;
    }
    event_free(e);
    return 0;
}

static int on_event(void *data, struct event *e)
{
    struct record_comparison *r = data;

    if (e->error != 0 || !e->path.len) { /* what was refused changed nothing */
        event_free(e);
        return 0;
    }
    r->summary.changes++;
    if (bytes_known(r->below) && !bytes_path_covers(r->below, e->path) &&
        !bytes_path_covers(r->below, e->previous_path) &&
        (bytes_path_covers(r->below, e->host_path) || bytes_path_covers(r->below, e->previous_host_path))) {
        /* a container's file, asked for by its place on the host */
        e->path = e->host_path;
        e->previous_path = e->previous_host_path;
    }
    switch (e->operation) {
    case OPERATION_CREATE:
    case OPERATION_MKDIR:
    case OPERATION_MKNOD:
    case OPERATION_SYMLINK:
    case OPERATION_LINK:
        return appears(r, e);
    case OPERATION_UNLINK:
    case OPERATION_RMDIR:
        return disappears(r, e);
    case OPERATION_REPLACE:
        return replaced(r, e);
    case OPERATION_RENAME:
        return renamed(r, e);
    default:
        return changed(r, e);
    }
}

/* ---- what is left of it ---- */

static int emit(struct record_comparison *r, const struct track *t, enum difference_kind kind, struct event **event,
                struct bytes xattr)
{
    struct difference *d = difference_new();

    if (!d)
        return err_set(r->err, -ENOMEM, "comparing");
    d->kind = kind;
    d->path = arena_copy(&d->arena, (struct bytes){ t->path, t->len });
    d->xattr = arena_copy(&d->arena, xattr);
    d->before = t->before;
    d->after = t->is ? t->after : (struct file_state){ 0 };
    d->before.owner = d->before.group = d->after.owner = d->after.group = BYTES_NULL;
    if (kind == DIFFERENCE_ADDED)
        d->before = (struct file_state){ 0 };
    if (*event) {
        bool old_name = (*event)->operation == OPERATION_RENAME &&
                        !bytes_equal((*event)->path, d->path);

        d->host_path = arena_copy(&d->arena, old_name ? (*event)->previous_host_path : (*event)->host_path);
        d->changed_ns = (*event)->time_ns;
        d->event = TAKE_PTR(*event);
    }
    return r->options->each(r->options->data, d);
}

static int emit_track(struct record_comparison *r, struct track *t)
{
    int code = 0;

    if (!t->was && !t->is) {
        r->summary.temporary++;
        return 0;
    }
    if (!t->was || !t->is)
        return emit(r, t, t->is ? DIFFERENCE_ADDED : DIFFERENCE_MISSING, &t->name, BYTES_NULL);
    if (t->other) {
        /* another file is there; what it holds is not recorded */
        struct event *again = t->name ? copy_for_old_name(t->name) : NULL;

        code = emit(r, t, DIFFERENCE_CONTENT, t->content ? &t->content : &t->name, BYTES_NULL);
        if (!t->mode)
            t->mode = TAKE_PTR(again);
        event_free(again);
        if (code == 0 && file_state_owner_differs(&t->before, &t->after) && !t->owner && t->mode)
            t->owner = copy_for_old_name(t->mode);
    } else if (t->content) {
        code = emit(r, t, DIFFERENCE_CONTENT, &t->content, BYTES_NULL);
    }
    if (code == 0 && t->mode && file_state_mode_differs(&t->before, &t->after))
        code = emit(r, t, DIFFERENCE_MODE, &t->mode, BYTES_NULL);
    if (code == 0 && t->owner && file_state_owner_differs(&t->before, &t->after))
        code = emit(r, t, DIFFERENCE_OWNER, &t->owner, BYTES_NULL);
    for (struct attribute *a = t->attributes; a && code == 0; a = a->next)
        if (a->event)
            code = emit(r, t, DIFFERENCE_XATTR, &a->event, a->event->xattr);
    if (code == 0 && t->times && r->options->times)
        code = emit(r, t, DIFFERENCE_TIMES, &t->times, BYTES_NULL);
    return code;
}

/* A directory before what is below it: '/' sorts before every other byte of a name. */
static int by_path(const struct track *a, const struct track *b)
{
    size_t n = MIN(a->len, b->len);

    for (size_t i = 0; i < n; i++) {
        int x = a->path[i] == '/' ? 0 : (unsigned char)a->path[i] + 1;
        int y = b->path[i] == '/' ? 0 : (unsigned char)b->path[i] + 1;

        if (x != y)
            return x - y;
    }
    return a->len < b->len ? -1 : a->len > b->len;
}

int compare_record(struct store *store, const struct store_query *query, const struct compare_options *options,
                   struct record_summary *ret, struct err *err)
{
    struct record_comparison r = { .options = options, .below = query->path, .err = err };
    struct track *t, *next;
    int code = store_each_event(store, query, on_event, &r, err);

    HASH_SORT(r.tracks, by_path);
    HASH_ITER(hh, r.tracks, t, next) {
        struct bytes path = { t->path, t->len };

        /* the other end of a rename may lie elsewhere */
        if (code == 0 && (!bytes_known(query->path) || bytes_path_covers(query->path, path)))
            code = emit_track(&r, t);
        HASH_DEL(r.tracks, t);
        track_free(t);
    }
    *ret = r.summary;
    return code;
}
