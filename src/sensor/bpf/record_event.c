/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/record_event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/bpf/actors.h"
#include "sensor/bpf/record_meaning.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/limits.h"

#define TARGETS_MAX 32
#define PLACES_MAX 16

/* What a path is put together from, within one record. */
struct path_key {
    const char *base; /* NULL: of nothing */
    size_t base_len;
    unsigned which, depth;
};

struct bpf_emitter {
    struct bpf_emitter_options options;
    struct bpf_actors *actors;
    struct sbuf text;
    struct path_key text_of; /* what is in `text` */
    uint64_t boot_id[2];
};

static void read_boot_id(uint64_t ret[2])
{
    char text[64] = "";
    _cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
        for (unsigned i = 0, n = 0; text[i] && n < 32; i++) {
            int digit = text[i] >= 'a' ? text[i] - 'a' + 10 : text[i] - '0';

            if (text[i] == '-')
                continue;
            ret[n / 16] = ret[n / 16] << 4 | (uint64_t)(digit & 15);
            n++;
        }
}

int bpf_emitter_new(const struct bpf_emitter_options *options, struct bpf_emitter **ret, struct err *err)
{
    struct bpf_emitter *t = calloc(1, sizeof(*t));

    if (t)
        t->actors = bpf_actors_new();
    if (!t || !t->actors) {
        free(t);
        return err_set(err, -ENOMEM, "BPF events");
    }
    t->options = *options;
    read_boot_id(t->boot_id);
    *ret = t;
    return 0;
}

void bpf_emitter_free(struct bpf_emitter *t)
{
    if (!t)
        return;
    bpf_actors_free(t->actors);
    sbuf_done(&t->text);
    free(t);
}

/* ---- states ---- */

static uint64_t device_of(const struct bpf_object_watch *w, uint32_t kernel)
{
    if (kernel == w->kernel_device)
        return w->device;
    /* the kernel keeps 12 bits of major above 20 of minor */
    return ((uint64_t)(kernel >> 20) << 8) | (kernel & 0xff) | ((uint64_t)(kernel & 0xfff00) << 12);
}

static struct file_state state_of(const struct bpf_object_watch *w, const struct wire_state *s)
{
    if (!(s->known & WIRE_STATE_KNOWN))
        return (struct file_state){ 0 };
    return (struct file_state){
        .known = FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE | FILE_LINKS | FILE_MTIME |
                 FILE_ATIME | FILE_CTIME | (S_ISREG(s->mode) ? FILE_SIZE : 0),
        .mode = s->mode,
        .uid = s->uid,
        .gid = s->gid,
        .links = s->links,
        .size = s->size,
        .inode = s->inode,
        .device = device_of(w, s->device),
        .mtime_ns = s->mtime_ns,
        .atime_ns = s->atime_ns,
        .ctime_ns = s->ctime_ns,
    };
}

/* What of the state the operation changes. */
static unsigned changes(enum operation operation, const struct wire_change *c)
{
    unsigned mode = c->file.mode != c->after.mode && (c->after.known & WIRE_STATE_KNOWN) ? FILE_MODE : 0;

    switch (operation) {
    case OPERATION_CHMOD:
        return FILE_MODE;
    case OPERATION_CHOWN:
        return FILE_UID | FILE_GID | mode; /* it may take set-user-id away */
    case OPERATION_TRUNCATE:
    case OPERATION_WRITE:
        return FILE_SIZE;
    case OPERATION_UTIME:
        return FILE_MTIME | FILE_ATIME;
    default:
        return 0;
    }
}

static void fill_states(const struct wire_change *c, const struct bpf_object_watch *w,
                        enum operation operation, bool victim, struct event *e)
{
    unsigned which = changes(operation, c);
    bool gone = operation == OPERATION_UNLINK || operation == OPERATION_RMDIR || victim;
    const struct wire_state *now =
        e->error == 0 && !gone && (c->after.known & WIRE_STATE_KNOWN) ? &c->after : &c->file;

    e->file = state_of(w, victim ? &c->other : now);
    if (victim || !which || (operation == OPERATION_WRITE && (c->flags & WIRE_ANY_WRITE)))
        return;
    e->before = state_of(w, &c->file);
    e->before.known &= which;
    if (e->error == 0) {
        e->after = state_of(w, &c->after);
        e->after.known &= which;
    }
}

/* ---- where ---- */

static unsigned add_targets(struct bpf_emitter *t, const struct bpf_record *r, struct record_target *targets)
{
    unsigned count = 0;

    for (unsigned i = 0; i < r->change->hit_count; i++) {
        const struct wire_hit *hit = &r->change->hits[i];
        unsigned which = hit->path;
        struct bpf_place places[PLACES_MAX];
        unsigned n = hit->kind == WIRE_HIT_LINK
                         ? bpf_objects_link_place(t->options.objects, r->change->file.device, places)
                         : bpf_objects_places(t->options.objects, hit, which ? r->other : r->path, places, PLACES_MAX);

        for (unsigned k = 0; k < n; k++) {
            struct record_target *at = NULL;

            for (unsigned j = 0; j < count && !at; j++)
                if (targets[j].object == places[k].object)
                    at = &targets[j];
            if (!at && count < TARGETS_MAX) {
                at = &targets[count++];
                *at = (struct record_target){ .object = places[k].object };
            }
            if (!at)
                continue;
            if (at->has[which]) { /* by its inode and by its name: the name says more */
                at->places[which].by_name |= places[k].by_name;
                at->places[which].above &= places[k].above;
                continue;
            }
            at->has[which] = true;
            at->places[which] = places[k];
            at->depths[which] = hit->depth;
        }
    }
    return count;
}

/* The path by what was hit, in t->text. It is needed when a record is judged, and when it is emitted. */
static bool write_path(struct bpf_emitter *t, const struct record_target *at, unsigned which, const struct bpf_record *r)
{
    const struct path_key key = { at->object->wanted.path.data, at->places[which].base_len, which, at->depths[which] };
    struct path_key *is = &t->text_of;

    if (is->base == key.base && is->base_len == key.base_len && is->which == which && is->depth == key.depth)
        return true;
    is->base = NULL;
    if (!bpf_names_path(which ? r->other : r->path, key.depth, (struct bytes){ key.base, key.base_len }, &t->text))
        return false;
    *is = key;
    return true;
}

static bool hit_path(struct bpf_emitter *t, const struct record_target *at, unsigned which,
                     const struct bpf_record *r, struct event *e, struct bytes *field)
{
    if (!write_path(t, at, which, r))
        return false;
    event_set(e, field, sbuf_bytes(&t->text));
    return true;
}

/* The other end of a rename, outside: it is on the same mount. */
static void outside_path(struct bpf_emitter *t, const struct record_target *at, unsigned which,
                         const struct bpf_record *r, struct event *e, struct bytes *field)
{
    struct bytes names = which ? r->other : r->path;
    struct bytes mount = { at->object->wanted.path.data, at->object->mount_len };
    unsigned count = bpf_names_count(names);

    if (!(r->change->flags & (which ? WIRE_WHOLE_OTHER : WIRE_WHOLE_PATH)) ||
        count < at->object->above_mount)
        return;
    t->text_of.base = NULL;
    if (bpf_names_path(names, count - at->object->above_mount, mount, &t->text))
        event_set(e, field, sbuf_bytes(&t->text));
}

/* ---- events ---- */

static void set_id(const struct bpf_emitter *t, const struct wire_change *c, struct event *e)
{
    uint64_t parts[5] = { c->header.time_ns, (uint64_t)c->tid << 32 | (uint32_t)e->operation, c->file.inode,
                          t->boot_id[0], t->boot_id[1] };
    uint64_t hash = hash_word(hash_words(HASH_START, parts, sizeof(parts)), e->object);

    event_make_id(e->time_ns, hash_words(hash, e->path.data, e->path.len), e->id);
}

#define NOTE_OTHER_NAME "by another name of a file in it" /* a hard link */

static bool is_by_other_name(const struct wire_change *c)
{
    return c->hit_count == 1 && c->hits[0].kind == WIRE_HIT_LINK;
}

static int emit_one(struct bpf_emitter *t, const struct bpf_record *r, const struct record_target *at,
                    const struct record_meaning *meanings, uint64_t real_offset_ns)
{
    const struct wire_change *c = r->change;
    struct event *e = event_new();

    if (!e)
        return -ENOMEM;
    e->operation = meanings->operation;
    e->error = c->error;
    e->sensors = SENSOR_BPF | (c->flags & WIRE_DENIED ? SENSOR_GUARD : 0);
    e->object = at->object->wanted.id;
    e->boot_ns = c->header.time_ns;
    e->time_ns = c->header.time_ns + real_offset_ns;
    e->route = c->flags & WIRE_IO_URING ? ROUTE_IO_URING : c->syscall >= 0 ? ROUTE_SYSCALL : ROUTE_UNKNOWN;
    e->syscall = -1;
    if (e->route == ROUTE_SYSCALL) {
        e->syscall = c->syscall;
        e->syscall_arch = c->arch;
    }
    bpf_actors_fill(t->actors, c, at->object, e);
    if (!at->has[meanings->now] || !hit_path(t, at, meanings->now, r, e, &e->path))
        outside_path(t, at, meanings->now, r, e, &e->path);
    if (meanings->has_old) {
        /* the object itself, by its inode: it may have had another name than the one it is watched by */
        if (!at->has[meanings->old] || (at->depths[meanings->old] == 0 && !at->places[meanings->old].by_name))
            outside_path(t, at, meanings->old, r, e, &e->previous_path);
        else
            (void)hit_path(t, at, meanings->old, r, e, &e->previous_path);
    }
    fill_states(c, at->object, meanings->operation, meanings->victim, e);
    if (meanings->operation == OPERATION_LINK && meanings->now == 0) {
        if (!at->has[1] || !hit_path(t, at, 1, r, e, &e->target_path))
            outside_path(t, at, 1, r, e, &e->target_path);
    } else if (meanings->operation == OPERATION_SYMLINK || meanings->operation == OPERATION_MOUNT) {
        event_set(e, &e->target_path, r->text);
    } else if (r->text.len) {
        event_set(e, &e->xattr, r->text);
    }
    if (meanings->operation == OPERATION_WRITE && (c->flags & WIRE_BYTES)) {
        e->bytes = c->bytes;
        e->bytes_known = true;
    }
    if (meanings->note || is_by_other_name(c))
        e->note = bytes_of(meanings->note ? meanings->note : NOTE_OTHER_NAME);
    set_id(t, c, e);
    if (e->arena.failed) {
        event_free(e);
        return -ENOMEM;
    }
    t->options.event(t->options.data, e);
    t->text_of.base = NULL; /* what the receiver did may have changed it */
    return 1;
}

static bool names_change(enum operation operation)
{
    switch (operation) {
    case OPERATION_CREATE:
    case OPERATION_OPEN_WRITE:
    case OPERATION_MKDIR:
    case OPERATION_MKNOD:
    case OPERATION_SYMLINK:
    case OPERATION_LINK:
    case OPERATION_UNLINK:
    case OPERATION_RMDIR:
    case OPERATION_RENAME:
    case OPERATION_MOUNT:
    case OPERATION_UNMOUNT:
        return true;
    default:
        return false;
    }
}

/* Is this path, as it was hit, the object's or below? Else it is something on the way to it. */
static bool reaches(struct bpf_emitter *t, const struct record_target *at, unsigned which, const struct bpf_record *r,
                    bool *ret_on_the_way, bool *ret_itself)
{
    struct bytes wanted = at->object->wanted.path, path;

    if (!write_path(t, at, which, r))
        return false;
    path = sbuf_bytes(&t->text);
    *ret_itself = bytes_equal(path, wanted);
    *ret_on_the_way = !*ret_itself && bytes_path_covers(path, wanted);
    return bytes_path_covers(wanted, path);
}

/* The directory that holds it went: so did it. Or one came, and the object perhaps with it. */
static bool takes_along(const struct bpf_object_watch *w, const struct wire_change *c, unsigned which)
{
    return (w->exists && w->root) || (c->operation == OPERATION_RENAME && which == 0) || c->operation == OPERATION_UNMOUNT;
}

/* What does not concern the object goes; what may have changed which file is at its path is noted. */
static void judge(struct bpf_emitter *t, struct record_target *at, const struct bpf_record *r)
{
    bool gone = r->change->operation == OPERATION_RENAME || r->change->operation == OPERATION_RMDIR ||
                r->change->operation == OPERATION_MOUNT || r->change->operation == OPERATION_UNMOUNT;

    for (unsigned which = 0; which < 2; which++) {
        bool on_the_way = false, itself = false, reached;

        if (!at->has[which])
            continue;
        reached = reaches(t, at, which, r, &on_the_way, &itself);
        if ((itself || on_the_way) && r->change->error == 0 && names_change(r->change->operation) &&
            (r->change->operation != OPERATION_OPEN_WRITE || (r->change->flags & WIRE_CREATED)))
            bpf_objects_request_recheck(t->options.objects, at->object);
        at->on_the_way[which] = on_the_way;
        if (!reached && !(on_the_way && gone && takes_along(at->object, r->change, which)))
            at->has[which] = false;
    }
}

/* Objects of one group show the same files: the nearest to the victim emits the event. */
static bool is_best(const struct record_target *targets, unsigned count, unsigned index)
{
    const struct watch_object *mine = &targets[index].object->wanted;

    for (unsigned i = 0; i < count; i++) {
        const struct watch_object *other = &targets[i].object->wanted;

        if (i == index || other->group != mine->group || !(targets[i].has[0] || targets[i].has[1]))
            continue;
        if (other->view < mine->view || (other->view == mine->view && i < index))
            return false;
    }
    return true;
}

/* Each look finds all there is: it is emitted for those objects for whom it was made. */
static bool is_already_open(const struct bpf_object_watch *w, uint64_t time_ns)
{
    return time_ns >= w->already_open_from_ns && time_ns <= w->already_open_to_ns;
}

int bpf_emitter_record(struct bpf_emitter *t, const struct bpf_record *r, uint64_t real_offset_ns)
{
    struct record_target targets[TARGETS_MAX];
    unsigned count;
    int events = 0;

    t->text_of.base = NULL; /* what was written is of another record */
    if (r->type == WIRE_ACTOR)
        return bpf_actors_learn(t->actors, r);
    if (r->type != WIRE_CHANGE && r->type != WIRE_ALREADY_OPEN)
        return 0;
    if (r->change->error && !operation_error_is_refusal((int)r->change->error))
        return 0;
    count = add_targets(t, r, targets);
    for (unsigned i = 0; i < count; i++)
        judge(t, &targets[i], r);
    for (unsigned i = 0; i < count; i++) {
        struct record_meaning meanings[RECORD_MEANINGS_MAX];
        unsigned n;

        if (!(targets[i].has[0] || targets[i].has[1]) || !is_best(targets, count, i))
            continue;
        if (r->type == WIRE_ALREADY_OPEN && !is_already_open(targets[i].object, r->change->header.time_ns))
            continue;
        n = bpf_record_meanings(r, &targets[i], meanings);
        for (unsigned k = 0; k < n; k++) {
            int result = emit_one(t, r, &targets[i], &meanings[k], real_offset_ns);

            if (result < 0)
                return result;
            events += result;
        }
    }
    return events;
}
