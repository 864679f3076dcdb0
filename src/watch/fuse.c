/* SPDX-License-Identifier: MIT */
#include "watch/fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/operation.h"
#include "util/hash.h"
#include "util/macro.h"

#define BUCKETS 4096
#define ACLS 1024 /* calls that set an ACL, seen lately */
#define ACL_NS (2 * NS_PER_S)

struct waiting {
    struct event *event;
    uint64_t hash, arrival_ns;
    unsigned sensors; /* whose sight it has */
    bool done;        /* seen by all: goes as soon as it is its turn */
    struct waiting *next;        /* in the order of arrival */
    struct waiting *bucket_next; /* of the same bucket, in the order of arrival */
};

struct fuse {
    struct fuse_options options;
    struct fuse_stats stats;
    struct waiting *first, **last;
    struct waiting *buckets[BUCKETS];
    size_t count;
    struct {
        uint64_t hash, arrival_ns;
    } acls[ACLS];
};

/* Sensors tell some changes by different names: an ACL is an attribute to those who see the call. */
static enum operation class_of(enum operation operation)
{
    switch (operation) {
    case OPERATION_SETACL:
        return OPERATION_SETXATTR;
    case OPERATION_LINK: /* to those who see a new name, and not how it came */
        return OPERATION_CREATE;
    default:
        return operation;
    }
}

/* A mode that was set by way of an ACL is a changed mode, to who looks at the file. */
static bool is_looked_up_mode(const struct event *e)
{
    return e->operation == OPERATION_CHMOD && e->sensors == SENSOR_FANOTIFY;
}

static bool may_set_acl(const struct event *e)
{
    return e->sensors == SENSOR_AUDIT && e->error == 0 &&
           (e->operation == OPERATION_SETXATTR || e->operation == OPERATION_SETACL || e->operation == OPERATION_REMOVEXATTR);
}

static bool is_creation(enum operation operation)
{
    return strcmp(operation_info(operation)->ecs_type, "creation") == 0;
}

enum likeness { SAME_NAME, MODE_BY_ACL, CONCLUDED, LIKENESSES }; /* the best first */

static bool is_like(const struct event *a, const struct event *b, enum likeness likeness)
{
    switch (likeness) {
    case SAME_NAME:
        return a->operation_presumed == b->operation_presumed && class_of(a->operation) == class_of(b->operation);
    case MODE_BY_ACL:
        return (is_looked_up_mode(a) && may_set_acl(b)) || (is_looked_up_mode(b) && may_set_acl(a));
    default:
        return a->operation_presumed != b->operation_presumed &&
               operation_info(a->operation)->permission == operation_info(b->operation)->permission &&
               is_creation(a->operation) == is_creation(b->operation);
    }
}

static bool same_actor(const struct event *a, const struct event *b)
{
    if (a->actor_presumed != b->actor_presumed)
        return true;
    return a->actor.pid == b->actor.pid &&
           (!a->actor.start_ns || !b->actor.start_ns || a->actor.start_ns == b->actor.start_ns);
}

static uint64_t hash_of(const struct event *e)
{
    uint32_t facts[] = { e->watch, e->error == 0 };

    return hash_add(hash_add(HASH_START, facts, sizeof(facts)), e->path.data, e->path.len);
}

static bool same_change(const struct event *a, const struct event *b, enum likeness likeness)
{
    /* a rename out of the watch is told with its new name by some and without by others */
    return a->watch == b->watch && is_like(a, b, likeness) && same_actor(a, b) &&
           (a->error == 0) == (b->error == 0) && bytes_equal(a->path, b->path) &&
           (!a->previous_path.len || !b->previous_path.len || bytes_equal(a->previous_path, b->previous_path));
}

/* ---- union of facts ---- */

static void take(struct event *to, struct bytes *field, struct bytes value)
{
    if (!field->data && value.data)
        event_set(to, field, value);
}

static void take_state(struct fuse *f, struct event *e, struct file_state *to, const struct file_state *from)
{
#define FACT(bit, member)                                                                          \
    if (from->known & (bit)) {                                                                     \
        if (!(to->known & (bit)))                                                                  \
            to->member = from->member;                                                             \
        else if (to->member != from->member)                                                       \
            f->stats.contradictions++;                                                             \
    }
    FACT(FILE_MODE, mode)
    FACT(FILE_UID, uid)
    FACT(FILE_GID, gid)
    FACT(FILE_SIZE, size)
    FACT(FILE_INODE, inode)
    FACT(FILE_DEVICE, device)
    FACT(FILE_LINKS, links)
    FACT(FILE_MTIME, mtime_ns)
    FACT(FILE_FLAGS, flags)
    FACT(FILE_ATIME, atime_ns)
    FACT(FILE_CTIME, ctime_ns)
#undef FACT
    to->known |= from->known;
    take(e, &to->owner, from->owner);
    take(e, &to->group, from->group);
}

static void take_actor(struct event *e, const struct actor *from)
{
    struct actor *to = &e->actor;

    if (!to->tid)
        to->tid = from->tid;
    if (!to->parent_pid)
        to->parent_pid = from->parent_pid;
    if (!to->start_ns)
        to->start_ns = from->start_ns;
    if (!to->cred.known) {
        to->cred = from->cred;
        to->login_uid = from->login_uid;
        to->session = from->session;
    }
    take(e, &to->executable, from->executable);
    take(e, &to->name, from->name);
    take(e, &to->args, from->args);
    take(e, &to->working_directory, from->working_directory);
    take(e, &to->tty, from->tty);
    take(e, &to->script, from->script);
    to->inside |= from->inside;
}

static void fold(struct fuse *f, struct event *to, const struct event *from)
{
    to->sensors |= from->sensors;
    if (!to->boot_ns)
        to->boot_ns = from->boot_ns;
    if (to->route == ROUTE_UNKNOWN) {
        to->route = from->route;
        to->syscall_arch = from->syscall_arch;
        to->syscall = from->syscall;
    }
    if (from->actor_presumed == to->actor_presumed)
        take_actor(to, &from->actor);
    take(to, &to->previous_path, from->previous_path);
    take(to, &to->host_path, from->host_path);
    take(to, &to->previous_host_path, from->previous_host_path);
    take(to, &to->target_path, from->target_path);
    take(to, &to->xattr, from->xattr);
    if (!from->actor_presumed && !from->operation_presumed) /* else the note says what is known now */
        take(to, &to->note, from->note);
    take_state(f, to, &to->file, &from->file);
    take_state(f, to, &to->before, &from->before);
    take_state(f, to, &to->after, &from->after);
    if (!to->bytes_known && from->bytes_known) {
        to->bytes = from->bytes;
        to->bytes_known = true;
    }
    f->stats.folded++;
}

static bool presumes(const struct event *e)
{
    return e->actor_presumed || e->operation_presumed;
}

/* The sight whose actor was captured in the kernel is the base, also of the event's time and id; never one
 * that had to conclude what the other one saw. */
static void merge(struct fuse *f, struct waiting *w, struct event *second)
{
    if (presumes(w->event) != presumes(second) ? presumes(w->event)
                                               : second->actor.cred.known && !w->event->actor.cred.known) {
        struct event *first = w->event;

        w->event = second;
        second = first;
    }
    fold(f, w->event, second);
    w->sensors = w->event->sensors;
    event_free(second);
}

/* ---- the queue ---- */

int fuse_new(const struct fuse_options *options, struct fuse **ret, struct err *err)
{
    struct fuse *f = calloc(1, sizeof(*f));

    if (!f)
        return err_set(err, -ENOMEM, "fusing events");
    f->options = *options;
    f->last = &f->first;
    *ret = f;
    return 0;
}

static struct event *shift(struct fuse *f)
{
    struct waiting *w = f->first, **at = &f->buckets[w->hash % BUCKETS];
    struct event *e = w->event;

    while (*at != w)
        at = &(*at)->bucket_next;
    *at = w->bucket_next;
    f->first = w->next;
    if (!f->first)
        f->last = &f->first;
    f->count--;
    free(w);
    return e;
}

void fuse_free(struct fuse *f)
{
    if (!f)
        return;
    while (f->first)
        event_free(shift(f));
    free(f);
}

static void let_go(struct fuse *f)
{
    f->options.event(f->options.data, shift(f));
}

static void let_go_done(struct fuse *f)
{
    while (f->first && f->first->done)
        let_go(f);
}

/* Another sensor's sight of the change, one by the same name first. */
static struct waiting *find_other(struct fuse *f, const struct event *event, uint64_t hash)
{
    for (enum likeness likeness = SAME_NAME; likeness < LIKENESSES; likeness++)
        for (struct waiting *w = f->buckets[hash % BUCKETS]; w; w = w->bucket_next)
            if (w->hash == hash && !(w->sensors & event->sensors) && same_change(w->event, event, likeness))
                return w;
    return NULL;
}

/* The call that set the ACL was told already, with another sight of the same process: true if that is what this one is of. */
static bool was_set_by_acl(struct fuse *f, const struct event *e, uint64_t hash, uint64_t now_ns)
{
    hash = hash_word(hash, (uint64_t)e->actor.pid);
    if (may_set_acl(e)) {
        f->acls[hash % ACLS].hash = hash;
        f->acls[hash % ACLS].arrival_ns = now_ns;
    }
    return is_looked_up_mode(e) && f->acls[hash % ACLS].hash == hash && now_ns - f->acls[hash % ACLS].arrival_ns < ACL_NS;
}

void fuse_add(struct fuse *f, struct event *event, uint64_t now_ns)
{
    uint64_t hash = hash_of(event);
    struct waiting **at = &f->buckets[hash % BUCKETS], *w = find_other(f, event, hash);
    bool told = was_set_by_acl(f, event, hash, now_ns);

    if (!w && told) {
        f->stats.folded++;
        event_free(event);
        return;
    }
    if (w) {
        merge(f, w, event);
        w->done = (w->sensors & f->options.sensors) == f->options.sensors;
        let_go_done(f);
        return;
    }
    while (*at)
        at = &(*at)->bucket_next;
    w = calloc(1, sizeof(*w));
    if (!w) { /* told twice is better than not at all */
        f->options.event(f->options.data, event);
        return;
    }
    *w = (struct waiting){ .event = event, .hash = hash, .arrival_ns = now_ns, .sensors = event->sensors };
    w->done = (w->sensors & f->options.sensors) == f->options.sensors;
    *at = w;
    *f->last = w;
    f->last = &w->next;
    f->count++;
    let_go_done(f);
    if (f->count > FUSE_WAITING_MAX) {
        f->stats.early++;
        let_go(f);
    }
}

void fuse_expire(struct fuse *f, uint64_t now_ns, bool drained)
{
    uint64_t patience = drained ? FUSE_SETTLE_NS : FUSE_BOUND_NS;

    while (f->first && (f->first->done || now_ns - f->first->arrival_ns >= patience))
        let_go(f);
}

void fuse_flush(struct fuse *f)
{
    while (f->first)
        let_go(f);
}

const struct fuse_stats *fuse_stats(const struct fuse *f)
{
    return &f->stats;
}
