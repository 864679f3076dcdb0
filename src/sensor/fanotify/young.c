/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/young.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>

#include "sensor/fanotify/object.h"
#include "sensor/fanotify/state.h"
#include "util/hash.h"
#include "util/hash_table.h"
#include "util/limits.h"

#define LAYERS_MAX 4 /* each makes what is read at once smaller; overlays that the host has mounted are few */
#define ATTRIBUTES_MAX 64 /* changes of attributes that the overlay's own event is to come of; of many at once the oldest were before its mark */
#define NAMES (FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FANOTIFY_RENAME)

struct young_key {
    const struct fanotify_object *object;
    uint64_t directory;
};

struct young_directory {
    struct young_key key;
    UT_hash_handle hh;
};

/* A rename as the layer has it, in which a young directory takes part. */
struct young_side {
    bool young; /* else its handle may be another one in the overlay */
    struct fanotify_place place;
    char handle[FANOTIFY_HANDLE_MAX], name[LIMIT_NAME + 1];
};

struct young_rename {
    pid_t pid; /* 0: none */
    uint64_t object;
    struct young_side from, to;
};

/* Attributes that the layer reported. 0: of no file that is known, or none. */
struct young_attributes {
    pid_t pid;
    uint64_t place, object;
};

struct fanotify_young {
    struct young_rename rename;
    struct young_attributes attributes[ATTRIBUTES_MAX]; /* a ring */
    unsigned next;
    struct fanotify_layer_key keys[LAYERS_MAX];
    unsigned count;
    struct young_directory *directories;
};

struct fanotify_young *fanotify_young_new(void)
{
    return calloc(1, sizeof(struct fanotify_young));
}

void fanotify_young_free(struct fanotify_young *l)
{
    struct young_directory *y, *next;

    if (!l)
        return;
    HASH_ITER(hh, l->directories, y, next) {
        HASH_DEL(l->directories, y);
        free(y);
    }
    free(l);
}

static const struct fanotify_layer_key *key_of(const struct fanotify_young *l, uint64_t fsid)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->keys[i].fsid == fsid)
            return &l->keys[i];
    return NULL;
}

/* Or is known already. */
static bool may_be_known(const struct fanotify_young *l, const struct fanotify_layer_key *key)
{
    const struct fanotify_layer_key *known = key_of(l, key->fsid);

    return known ? known->layer_fsid == key->layer_fsid && memcmp(known->head, key->head, sizeof(key->head)) == 0 : l->count < LAYERS_MAX;
}

bool fanotify_young_know(struct fanotify_young *l, const struct fanotify_layer_key *key)
{
    if (key_of(l, key->fsid) || l->count == LAYERS_MAX)
        return false;
    l->keys[l->count++] = *key;
    return true;
}

bool fanotify_young_begin(struct fanotify_object *o, int fd)
{
    struct fanotify_young *l = o->sensor->young;
    const struct fanotify_layer *layer;
    struct fanotify_layer_key key;

    if (!o->sensor->features.rename || !o->sensor->features.target)
        return false;
    layer = fanotify_object_layer(o, fd);
    if (!layer || fanotify_layer_key(layer, &key) < 0 || !may_be_known(l, &key) ||
        fanotify_mark(o->sensor->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, NAMES | FAN_ONDIR, fanotify_layer_fd(layer), NULL) < 0)
        return false;
    (void)fanotify_young_know(l, &key);
    return true;
}

static struct young_directory *find(const struct fanotify_object *o, uint32_t directory)
{
    struct young_key key = { o, directory };
    struct young_directory *y = NULL;

    if (o->sensor->young->directories)
        HASH_FIND(hh, o->sensor->young->directories, &key, sizeof(key), y);
    return y;
}

bool fanotify_young_add(struct fanotify_object *o, uint32_t directory, const struct fanotify_handle *handle, int fd)
{
    struct fanotify_young *l = o->sensor->young;
    const struct fanotify_layer *layer;
    struct young_directory *y;

    if (!key_of(l, handle->fsid))
        return false;
    layer = fd < 0 ? NULL : fanotify_object_layer(o, fd);
    if (fd >= 0 && (!layer || fanotify_layer_from_below(layer, handle) != 0))
        return false;
    if (find(o, directory))
        return true;
    y = calloc(1, sizeof(*y));
    if (!y)
        return false;
    y->key = (struct young_key){ o, directory };
    HASH_ADD(hh, l->directories, key, sizeof(y->key), y);
    HASH_FREE_IF_OUT(hh, y);
    return y != NULL;
}

void fanotify_young_remove(const struct fanotify_object *o, uint32_t directory)
{
    struct young_directory *y = find(o, directory);

    if (!y)
        return;
    HASH_DEL(o->sensor->young->directories, y);
    free(y);
}

size_t fanotify_young_room(const struct fanotify_young *l, size_t size)
{
    return size / (1 + 3 * l->count); /* a handle of an overlay has 24 bytes more, an event three of them */
}

size_t fanotify_young_expand(const struct fanotify_young *l, struct bytes events, char *out, size_t size)
{
    struct fanotify_event e;
    size_t len = 0;

    while (events.len && fanotify_decode(events, &e, NULL) == 0) {
        memcpy(out + len, events.data, e.len);
        len += e.len;
        for (unsigned i = 0; i < l->count && (e.mask & NAMES); i++)
            len += fanotify_layer_translate(&l->keys[i], &e, out + len, size - len);
        events = (struct bytes){ events.data + e.len, events.len - e.len };
    }
    memcpy(out + len, events.data, events.len); /* damaged: emitted by who handles it */
    return len + events.len;
}

/* Whose young directory it is, and which; NULL: it is none. */
static struct fanotify_object *young_of(const struct sensor *s, const struct fanotify_handle *handle, uint32_t *ret_directory)
{
    struct fanotify_object *found = NULL;
    struct fanotify_user user;
    uint32_t at = 0;

    while (handle->data.data && fanotify_handles_next(s->handles, handle, &at, &user)) {
        if (user.ancestor || !find(user.object, user.directory))
            return NULL;
        found = user.object;
        *ret_directory = user.directory;
    }
    return found;
}

/* A file that was copied up from below keeps the handle that it had there: the layer's says another file. */
static void check_object(struct fanotify_object *o, uint32_t directory, struct fanotify_event *e)
{
    int fd = e->object.data.data ? fanotify_object_directory(o, directory) : -EBADF;
    const struct fanotify_layer *layer;

    if (e->object.data.data && fd < 0 && o->tree) /* it is gone: the overlay may be the one that the path is on */
        fd = fanotify_object_directory(o, tree_root(o->tree));
    layer = fd < 0 ? NULL : fanotify_object_layer(o, fd);
    if (layer && fanotify_layer_from_below(layer, &e->object) > 0)
        e->object = (struct fanotify_handle){ 0 };
}

static bool keep_side(struct young_side *side, const struct fanotify_place *place, bool young)
{
    if (!place->directory.data.data || !place->name.data || place->directory.data.len > sizeof(side->handle) || place->name.len > LIMIT_NAME)
        return false;
    side->young = young;
    side->place = *place;
    side->place.directory.data.data = memcpy(side->handle, place->directory.data.data, place->directory.data.len);
    side->place.name.data = memcpy(side->name, place->name.data, place->name.len);
    return true;
}

/* The side that the overlay has, by its name where the handles may differ. */
static bool is_side(const struct young_side *side, const struct fanotify_place *place)
{
    return place->directory.data.data && place->directory.fsid == side->place.directory.fsid &&
           (side->young ? fanotify_place_equal(&side->place, place) : bytes_equal(side->place.name, place->name));
}

/* A directory that has no mark yet is not named by the overlay: where it went, or came from, the layer said just before. */
static void complete(struct young_rename *r, struct fanotify_event *e)
{
    if (r->pid != e->pid)
        return;
    r->pid = 0; /* the same call comes to its end */
    if (!e->from.directory.data.data && r->from.young && is_side(&r->to, &e->to))
        e->from = r->from.place;
    else if (!e->to.directory.data.data && r->to.young && is_side(&r->from, &e->from))
        e->to = r->to.place;
}

/* The overlay's own marks are attributes of a directory: what was done to itself the overlay says, once it has a mark. */
static bool is_directory_itself(const struct fanotify_event *e)
{
    return bytes_equal_str(e->at.name, ".");
}

/* What moves to a name with a whiteout changes places with it, and the whiteout is removed then: nothing that anybody did. */
static bool is_whiteout(struct young_rename *r, const struct fanotify_event *e)
{
    const struct young_side *left = r->from.young ? &r->from : &r->to;

    if (r->pid != e->pid || r->from.young == r->to.young || !fanotify_place_equal(&left->place, &e->at))
        return false;
    if (e->mask & FAN_CREATE) /* the name is in use again: the call is over, and the overlay reported nothing of it */
        r->pid = 0;
    return (e->mask & (FAN_CREATE | FAN_DELETE)) == FAN_DELETE;
}

static struct young_attributes attributes_of(const struct fanotify_event *e)
{
    uint64_t place = hash_words(fanotify_handle_hash(&e->at.directory), e->at.name.data, e->at.name.len);

    return (struct young_attributes){ e->pid, place | 1, e->object.data.data ? fanotify_handle_hash(&e->object) | 1 : 0 };
}

static bool is_same_file(const struct young_attributes *a, const struct young_attributes *b)
{
    return a->pid == b->pid && (a->place == b->place || (a->object && a->object == b->object));
}

/* An overlay has one file in its layer for all names of a file: what was changed by another name the layer reports by the
 * first one. The overlay has the name that was used, if the directory has its mark. */
struct overlays {
    const struct young_attributes *of;
    bool other_name;
};

static bool is_overlays(void *data, const struct fanotify_event *e)
{
    struct overlays *o = data;
    struct young_attributes a;

    if (e->from_layer || !(e->mask & FAN_ATTRIB) || e->pid != o->of->pid || !e->at.directory.data.data)
        return false;
    a = attributes_of(e);
    o->other_name = a.place != o->of->place;
    return is_same_file(o->of, &a);
}

/* Was it reported by the layer? It is the overlay's event then that this is the end of. */
static bool forget_attributes(struct fanotify_young *l, const struct young_attributes *a)
{
    for (unsigned i = 0; i < ATTRIBUTES_MAX; i++)
        if (is_same_file(&l->attributes[i], a)) {
            l->attributes[i] = (struct young_attributes){ 0 };
            return true;
        }
    return false;
}

/* Each change of attributes once. False: it is the other one's. */
static bool take_attributes(struct sensor *s, const struct fanotify_event *e, fanotify_young_waits *waits)
{
    struct young_attributes a = attributes_of(e);
    struct overlays overlays = { .of = &a };
    struct fanotify_young *l = s->young;

    if (!e->from_layer) /* else the layer has it under another name, and not in a young directory */
        return !forget_attributes(l, &a);
    if (waits && a.object && waits(s, is_overlays, &overlays) && overlays.other_name) {
        while (forget_attributes(l, &a)) /* of before the directory's mark: the overlay's event belongs to this one */
            ;
        return false;
    }
    l->attributes[l->next++ % ATTRIBUTES_MAX] = a;
    return true;
}

static void keep_rename(struct young_rename *r, const struct fanotify_event *e, bool from_young, bool to_young)
{
    uint64_t object = fanotify_handle_hash(&e->object);

    /* the other half of an exchange with a whiteout: the overlay's own event is as the first */
    if (r->pid == e->pid && r->object != object && fanotify_place_equal(&r->from.place, &e->to) && fanotify_place_equal(&r->to.place, &e->from))
        return;
    r->object = object;
    r->pid = keep_side(&r->from, &e->from, from_young) && keep_side(&r->to, &e->to, to_young) ? e->pid : 0;
}

bool fanotify_young_take(struct sensor *s, struct fanotify_event *e, fanotify_young_waits *waits)
{
    bool rename = (e->mask & FANOTIFY_RENAME) != 0;
    struct fanotify_object *from, *to;
    uint32_t directory = 0;
    uint64_t others = e->from_layer ? 0 : NAMES;

    if (!s->young->directories || !(e->mask & NAMES) ||
        !key_of(s->young, rename ? (e->from.directory.data.data ? e->from : e->to).directory.fsid : e->at.directory.fsid))
        return !e->from_layer;
    if (rename && !e->from_layer)
        complete(&s->young->rename, e);
    from = young_of(s, rename ? &e->from.directory : &e->at.directory, &directory);
    to = rename ? young_of(s, &e->to.directory, &directory) : from;
    if (rename && e->from_layer && (from || to))
        keep_rename(&s->young->rename, e, from != NULL, to != NULL);
    /* what leads to or from another one that is watched is reported by that, whose handle in the layer is not the overlay's */
    if (!from || !to)
        return !e->from_layer;
    if (is_directory_itself(e) || (e->from_layer && is_whiteout(&s->young->rename, e)))
        return !e->from_layer;
    if (e->from_layer)
        check_object(to, directory, e);
    if (e->mask & FAN_ATTRIB)
        others = take_attributes(s, e, waits) ? others & ~(uint64_t)FAN_ATTRIB : others | FAN_ATTRIB;
    e->mask &= ~others;
    return (e->mask & ~(uint64_t)(FAN_ONDIR | FAN_EVENT_ON_CHILD)) != 0;
}
