/* SPDX-License-Identifier: MIT */
#include "compare/record.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compare/event_copy.h"
#include "event/operation.h"
#include "util/hash_table.h"
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
    bool named;         /* the first change of it gave it the name by a rename: whether there was one before, its replacement says */
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
    struct bytes host_below; /* where the host has a container's; BYTES_NULL: only its own names count */
    struct selector asked;
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
    HASH_FREE_IF_OUT(hh, t);
    if (!t)
        err_set(r->err, -ENOMEM, "comparing");
    return t;
}

/* What is newer takes the place of what was known. */
static void renew(struct file_state *to, const struct file_state *from, unsigned which)
{
    to->known &= ~(from->known & which);
    file_state_add(to, from, which);
}

#define ATTRIBUTES (FILE_MODE | FILE_UID | FILE_GID)
#define HALVES_NS (2 * NS_PER_S) /* two events of one system call: the same moment, or when a sensor on a busy machine looked */

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
    t->named = e->operation == OPERATION_RENAME && !t->was && !t->name;
    t->is = true;
    t->other = true;
    t->after = (struct file_state){ 0 };
    renew(&t->after, &e->file, ATTRIBUTES | FILE_SIZE);
    put(&t->content, NULL);
    put(&t->name, e);
    return 0;
}

static int disappears(struct record_comparison *r, struct event *e, struct bytes path)
{
    struct track *t = track_of(r, path, true);

    if (!t) {
        event_free(e);
        return -E2BIG;
    }
    if (!t->other) {
        /* as it was before the changes in between, as far as they say */
        file_state_add(&t->before, &e->file, ATTRIBUTES | FILE_SIZE);
    }
    t->is = t->named = false;
    put(&t->name, e);
    return 0;
}

/* The rename that put something there, and the event of what is gone, are one system call. */
static bool is_same_moment(const struct event *rename, const struct event *e)
{
    uint64_t apart = !rename ? 0 : rename->time_ns > e->time_ns ? rename->time_ns - e->time_ns : e->time_ns - rename->time_ns;

    return rename && rename->operation == OPERATION_RENAME && bytes_equal(rename->path, e->path) && rename->actor.pid == e->actor.pid &&
           apart < HALVES_NS;
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
    same_moment = is_same_moment(t->name, e);
    t->was |= same_moment && t->named;
    t->named = false;
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
            if (!HASH_IS_IN(hh, t)) {
                track_free(t);
                code = err_set(r->err, -ENOMEM, "comparing");
            }
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

/* What is there now is what had the other name, whatever the rename's own event says of it. */
static int appears_as(struct record_comparison *r, struct event *e, const struct track *from)
{
    struct track *t;
    int code = appears(r, e);

    if (code < 0 || !from)
        return code;
    HASH_FIND(hh, r->tracks, e->path.data, e->path.len, t); /* which keeps the event */
    if (!t)
        return 0;
    file_state_add(&t->after, &from->after, ATTRIBUTES | FILE_SIZE);
    if (!from->other)
        file_state_add(&t->after, &from->before, ATTRIBUTES | FILE_SIZE);
    return 0;
}

static int renamed(struct record_comparison *r, struct event *e)
{
    struct event *old = e->previous_path.len ? event_copy_for_track(e) : NULL;
    struct track *from = NULL;
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
    return appears_as(r, e, from);
}

/* Out of what is watched, to where fanotify could not look any more. */
static bool is_moved_away(const struct event *e)
{
    return e->operation == OPERATION_RENAME && !e->path.len && e->previous_path.len;
}

static int moved_away(struct record_comparison *r, struct event *e)
{
    struct track *t, *next;

    HASH_ITER(hh, r->tracks, t, next) {
        struct bytes path = { t->path, t->len };

        if (t->len > e->previous_path.len && bytes_path_covers(e->previous_path, path) && !t->was)
            t->is = false;
    }
    return disappears(r, e, e->previous_path);
}

static bool knows(const struct event *e, unsigned which)
{
    return (e->before.known & e->after.known & which) == which;
}

/* Which of them it was is not known: whatever differs in the end may come from it. */
static void put_attributes(struct track *t, struct event *e)
{
    struct event *copy;

    if ((!knows(e, FILE_MODE) || file_state_mode_differs(&e->before, &e->after)) && (copy = event_copy_for_track(e)))
        put(&t->mode, copy);
    if ((!knows(e, FILE_UID | FILE_GID) || file_state_owner_differs(&e->before, &e->after)) && (copy = event_copy_for_track(e)))
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

/* A volume's file has a name in each container, and one on the host: the one that is asked for, or BYTES_NULL: it lies elsewhere. */
static struct bytes asked_name(const struct record_comparison *r, struct event *e, struct bytes path, struct bytes host)
{
    bool own = e->victim && selector_matches(&r->asked, e->victim);
    struct bytes rest;

    if (own && bytes_path_covers(r->below, path))
        return path;
    if (!host.len && e->victim_kind == VICTIM_HOST)
        host = path;
    if (!host.len || !bytes_path_covers(r->host_below, host))
        return own ? path : BYTES_NULL;
    rest = (struct bytes){ host.data + r->host_below.len, host.len - r->host_below.len };
    return rest.len ? arena_join_path(&e->arena, r->below, rest) : arena_copy(&e->arena, r->below);
}

static int on_event(void *data, struct event *e)
{
    struct record_comparison *r = data;

    if (bytes_known(r->host_below)) {
        e->path = asked_name(r, e, e->path, e->host_path);
        e->previous_path = asked_name(r, e, e->previous_path, e->previous_host_path);
    }
    if (e->error != 0 || (!e->path.len && !is_moved_away(e))) { /* what was refused changed nothing */
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
        return disappears(r, e, e->path);
    case OPERATION_REPLACE:
        return replaced(r, e);
    case OPERATION_RENAME:
        return is_moved_away(e) ? moved_away(r, e) : renamed(r, e);
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
        struct event *again = t->name ? event_copy_for_track(t->name) : NULL;

        code = emit(r, t, DIFFERENCE_CONTENT, t->content ? &t->content : &t->name, BYTES_NULL);
        if (!t->mode)
            t->mode = TAKE_PTR(again);
        event_free(again);
        if (code == 0 && file_state_owner_differs(&t->before, &t->after) && !t->owner && t->mode)
            t->owner = event_copy_for_track(t->mode);
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
    struct record_comparison r = { .options = options, .below = query->path, .err = err, .host_below = bytes_known(query->container) ? query->host_path : BYTES_NULL,
                                   .asked = { query->kind ? query->kind : SELECTOR_NAME, query->runtime, query->container } };
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
