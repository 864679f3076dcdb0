/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/handles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/vfs.h>

#include "util/hash.h"
#include "util/macro.h"
#include "util/slots.h"

#define HANDLE_FID 0x200 /* AT_HANDLE_FID, Linux 6.5: a handle to compare, not to open by; overlay has only such */
#define INLINE_DATA 12u  /* bytes; what ext4 and tmpfs give fits */

/* What many handles have in common. */
struct kind {
    uint64_t fsid;
    int32_t type;
    uint32_t len;   /* of the handle's bytes */
    uint32_t refs;
};

/* One user of one directory. Of those with the same handle the newest is found by it, and leads to the others. */
struct handle_user {
    uint32_t directory : 31, ancestor : 1;
    uint16_t kind, object; /* object 0: the entry is free */
    uint32_t next;         /* of the same directory; of free ones: the next free one */
    char data[INLINE_DATA]; /* the handle, or a pointer to it */
};
_Static_assert(sizeof(struct handle_user) == 24, "what a directory takes is promised in handles.h");

struct handle_object {
    struct fanotify_object *object; /* NULL: free */
    uint32_t refs;
};

struct fanotify_handles {
    uint64_t seed;
    struct handle_user *entries;
    uint32_t count, size, free;
    struct kind *kinds;       /* few: a file system each */
    struct handle_object *objects;
    uint32_t kind_count, object_count;
    uint32_t last_kind; /* of the newest entry: what follows has mostly the same */
    struct slots by_handle, by_user, by_object;
};

struct fanotify_handles *fanotify_handles_new(void)
{
    struct fanotify_handles *h = calloc(1, sizeof(*h));

    if (h)
        h->last_kind = 1;
    if (h && getrandom(&h->seed, sizeof(h->seed), GRND_NONBLOCK) != sizeof(h->seed))
        h->seed = (uintptr_t)h;
    return h;
}

/* ---- what many have in common ---- */

/* An element more, 1 or greater; 0: out of memory, or too many. `count` is of those that have been used. */
static uint32_t one_more(void **array, size_t element, uint32_t *count)
{
    void *p;

    if (*count == UINT16_MAX)
        return 0;
    if ((*count & (*count + 1)) == 0) { /* full: 0, 1, 3, 7 ... and the unused number 0 */
        p = reallocarray(*array, 2 * (*count + 1), element);
        if (!p)
            return 0;
        *array = p;
    }
    return ++*count;
}

static uint32_t find_kind(const struct fanotify_handles *h, const struct fanotify_handle *handle)
{
    for (uint32_t i = h->last_kind, n = 0; n < h->kind_count; n++, i = i == h->kind_count ? 1 : i + 1) {
        const struct kind *k = &h->kinds[i];

        if (k->refs && k->fsid == handle->fsid && k->type == handle->type && k->len == handle->data.len)
            return i;
    }
    return 0;
}

static uint32_t new_kind(struct fanotify_handles *h, const struct fanotify_handle *handle)
{
    uint32_t i = 1;

    while (i <= h->kind_count && h->kinds[i].refs)
        i++;
    if (i > h->kind_count)
        i = one_more((void **)&h->kinds, sizeof(*h->kinds), &h->kind_count);
    if (i)
        h->kinds[i] = (struct kind){ handle->fsid, handle->type, (uint32_t)handle->data.len, 0 };
    return i;
}

static uint32_t hash_object(const struct fanotify_handles *h, const struct fanotify_object *object)
{
    return (uint32_t)(hash_word(h->seed, (uintptr_t)object) >> 32);
}

static uint32_t hash_of_object(const void *data, uint32_t i)
{
    const struct fanotify_handles *h = data;

    return hash_object(h, h->objects[i].object);
}

/* Only those that are used are found. */
static uint32_t find_object(const struct fanotify_handles *h, const struct fanotify_object *object)
{
    uint32_t hash = hash_object(h, object), at, left, i;

    slots_start(&h->by_object, hash, &at, &left);
    while ((i = slots_next(&h->by_object, hash, &at, &left)))
        if (h->objects[i].object == object)
            break;
    return i;
}

static uint32_t new_object(struct fanotify_handles *h, struct fanotify_object *object)
{
    uint32_t i = 1;

    while (i <= h->object_count && h->objects[i].refs)
        i++;
    if (i > h->object_count)
        i = one_more((void **)&h->objects, sizeof(*h->objects), &h->object_count);
    if (i)
        h->objects[i] = (struct handle_object){ object, 0 };
    return i;
}

/* ---- entries ---- */

static const char *data_of(const struct fanotify_handles *h, const struct handle_user *e)
{
    const char *p;

    if (h->kinds[e->kind].len <= INLINE_DATA)
        return e->data;
    memcpy(&p, e->data, sizeof(p));
    return p;
}

static uint32_t hash_handle(const struct fanotify_handles *h, uint32_t kind, const char *data, size_t len)
{
    return (uint32_t)(hash_words(h->seed ^ kind, data, len) >> 32);
}

static uint32_t hash_user(const struct fanotify_handles *h, uint32_t object, uint32_t directory, bool ancestor)
{
    return (uint32_t)(hash_word(h->seed ^ object ^ (ancestor ? 1u << 31 : 0), directory) >> 32);
}

static uint32_t hash_entry(const void *data, uint32_t i)
{
    const struct fanotify_handles *h = data;
    const struct handle_user *e = &h->entries[i];

    return hash_handle(h, e->kind, data_of(h, e), h->kinds[e->kind].len);
}

static uint32_t hash_entry_user(const void *data, uint32_t i)
{
    const struct fanotify_handles *h = data;
    const struct handle_user *e = &h->entries[i];

    return hash_user(h, e->object, e->directory, e->ancestor);
}

static uint32_t find_entry(const struct fanotify_handles *h, uint32_t kind, const char *data, size_t len)
{
    uint32_t hash = hash_handle(h, kind, data, len), at, left, i;

    slots_start(&h->by_handle, hash, &at, &left);
    while ((i = slots_next(&h->by_handle, hash, &at, &left)))
        if (h->entries[i].kind == kind && memcmp(data_of(h, &h->entries[i]), data, len) == 0)
            return i;
    return 0;
}

static uint32_t find_user(const struct fanotify_handles *h, const struct fanotify_user *user)
{
    uint32_t object = find_object(h, user->object), hash, at, left, i;

    if (!object)
        return 0;
    hash = hash_user(h, object, user->directory, user->ancestor);
    slots_start(&h->by_user, hash, &at, &left);
    while ((i = slots_next(&h->by_user, hash, &at, &left))) {
        const struct handle_user *e = &h->entries[i];

        if (e->object == object && e->directory == user->directory && e->ancestor == user->ancestor)
            return i;
    }
    return 0;
}

void fanotify_handles_free(struct fanotify_handles *h)
{
    if (!h)
        return;
    for (uint32_t i = 1; i < h->count; i++)
        if (h->entries[i].object && h->kinds[h->entries[i].kind].len > INLINE_DATA)
            free((char *)(uintptr_t)data_of(h, &h->entries[i]));
    free(h->entries);
    free(h->kinds);
    free(h->objects);
    slots_done(&h->by_handle);
    slots_done(&h->by_user);
    slots_done(&h->by_object);
    free(h);
}

static uint32_t take(struct fanotify_handles *h)
{
    uint32_t i = h->free, bigger;
    void *p;

    if (i) {
        h->free = h->entries[i].next;
        return i;
    }
    if (h->count == h->size) {
        if (__builtin_add_overflow(h->size, h->size / 4 + 32, &bigger))
            return 0;
        p = reallocarray(h->entries, bigger, sizeof(*h->entries));
        if (!p)
            return 0;
        h->entries = p;
        h->size = bigger;
        if (h->count == 0)
            h->count = 1; /* number 0 is "none" */
    }
    return h->count++;
}

static void give_back(struct fanotify_handles *h, uint32_t i)
{
    h->entries[i] = (struct handle_user){ .next = h->free };
    h->free = i;
}

/* The bytes of a handle, where they are kept. */
static int set_data(struct handle_user *e, struct bytes data)
{
    char *copy;

    if (data.len <= INLINE_DATA) {
        memcpy(e->data, data.data, data.len);
        return 0;
    }
    copy = malloc(data.len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, data.data, data.len);
    memcpy(e->data, &copy, sizeof(copy));
    return 0;
}

static int add(struct fanotify_handles *h, uint32_t kind, struct bytes data, const struct fanotify_user *user)
{
    uint32_t object = find_object(h, user->object), i, first;
    struct handle_user *e;

    if (!object)
        object = new_object(h, user->object);
    i = object ? take(h) : 0;
    if (!i)
        return -ENOMEM;
    e = &h->entries[i];
    *e = (struct handle_user){ .directory = user->directory & INT32_MAX,
                         .ancestor = user->ancestor,
                         .kind = (uint16_t)kind,
                         .object = (uint16_t)object };
    if (slots_reserve(&h->by_handle, i, hash_entry, h) < 0 ||
        slots_reserve(&h->by_user, i, hash_entry_user, h) < 0 ||
        slots_reserve(&h->by_object, object, hash_of_object, h) < 0 || set_data(e, data) < 0) {
        give_back(h, i);
        return -ENOMEM;
    }
    first = find_entry(h, kind, data.data, data.len);
    if (first)
        slots_remove(&h->by_handle, hash_entry(h, first), first);
    e->next = first;
    slots_add(&h->by_handle, hash_entry(h, i), i);
    slots_add(&h->by_user, hash_entry_user(h, i), i);
    h->kinds[kind].refs++;
    if (!h->objects[object].refs++)
        slots_add(&h->by_object, hash_of_object(h, object), object);
    h->last_kind = kind;
    return 0;
}

int fanotify_handles_add(struct fanotify_handles *h, const struct fanotify_handle *handle,
                         const struct fanotify_user *user)
{
    uint32_t kind, known;

    if (!handle->data.data || handle->data.len > FANOTIFY_HANDLE_MAX)
        return -E2BIG;
    known = find_user(h, user);
    kind = find_kind(h, handle);
    if (known && h->entries[known].kind == kind &&
        memcmp(data_of(h, &h->entries[known]), handle->data.data, handle->data.len) == 0)
        return 0;
    if (known) /* the number was given to another directory */
        (void)fanotify_handles_remove(h, user);
    kind = find_kind(h, handle);
    if (!kind)
        kind = new_kind(h, handle);
    return kind ? add(h, kind, handle->data, user) : -ENOMEM;
}

bool fanotify_handles_has(const struct fanotify_handles *h, const struct fanotify_user *user)
{
    return find_user(h, user) != 0;
}

bool fanotify_handles_is(const struct fanotify_handles *h, const struct fanotify_user *user, const struct fanotify_handle *handle)
{
    uint32_t i = find_user(h, user);
    const struct handle_user *e = &h->entries[i];
    const struct kind *k;

    if (!i)
        return false;
    k = &h->kinds[e->kind];
    return k->fsid == handle->fsid && k->type == handle->type && k->len == handle->data.len &&
           memcmp(data_of(h, e), handle->data.data, k->len) == 0;
}

bool fanotify_handles_remove(struct fanotify_handles *h, const struct fanotify_user *user)
{
    uint32_t i = find_user(h, user), first;
    struct handle_user *e;
    bool last;

    if (!i)
        return false;
    e = &h->entries[i];
    first = find_entry(h, e->kind, data_of(h, e), h->kinds[e->kind].len);
    last = first == i && !e->next;
    if (first == i) {
        slots_remove(&h->by_handle, hash_entry(h, i), i);
        if (e->next)
            slots_add(&h->by_handle, hash_entry(h, e->next), e->next);
    } else {
        while (h->entries[first].next != i)
            first = h->entries[first].next;
        h->entries[first].next = e->next;
    }
    slots_remove(&h->by_user, hash_entry_user(h, i), i);
    if (h->kinds[e->kind].len > INLINE_DATA)
        free((char *)(uintptr_t)data_of(h, e));
    h->kinds[e->kind].refs--;
    if (!--h->objects[e->object].refs)
        slots_remove(&h->by_object, hash_of_object(h, e->object), e->object);
    give_back(h, i);
    return last;
}

bool fanotify_handles_next(const struct fanotify_handles *h, const struct fanotify_handle *handle,
                           uint32_t *at, struct fanotify_user *ret)
{
    uint32_t kind, i;

    if (*at == 0) {
        kind = handle->data.data ? find_kind(h, handle) : 0;
        i = kind ? find_entry(h, kind, handle->data.data, handle->data.len) : 0;
    } else {
        i = h->entries[*at].next;
    }
    if (!i)
        return false;
    *at = i;
    *ret = (struct fanotify_user){ h->objects[h->entries[i].object].object, h->entries[i].directory,
                                   h->entries[i].ancestor };
    return true;
}

uint64_t fanotify_handle_hash(const struct fanotify_handle *handle)
{
    return hash_words(hash_word(hash_word(HASH_START, handle->fsid), (uint64_t)(uint32_t)handle->type), handle->data.data, handle->data.len) | 1;
}

bool fanotify_handle_may_be(const struct fanotify_handle *handle, uint64_t inode)
{
    uint32_t low = (uint32_t)inode, word;

    for (size_t i = 0; i + sizeof(word) <= handle->data.len; i += sizeof(word)) {
        memcpy(&word, handle->data.data + i, sizeof(word));
        if (word == low)
            return true;
    }
    return false;
}

int fanotify_handle_of(int fd, char buffer[FANOTIFY_HANDLE_MAX], const uint64_t *fsid,
                       struct fanotify_handle *ret)
{
    union {
        struct file_handle head;
        char space[sizeof(struct file_handle) + FANOTIFY_HANDLE_MAX];
    } u;
    struct statfs fs;
    int mount_id, r;

    for (int flags = AT_EMPTY_PATH | HANDLE_FID;; flags = AT_EMPTY_PATH) {
        u.head.handle_bytes = FANOTIFY_HANDLE_MAX;
        r = name_to_handle_at(fd, "", &u.head, &mount_id, flags) < 0 ? -errno : 0;
        if (r == 0)
            break;
        if (r != -EINVAL || flags == AT_EMPTY_PATH)
            return r;
    }
    if (!fsid && fstatfs(fd, &fs) < 0)
        return -errno;
    memcpy(buffer, u.head.f_handle, u.head.handle_bytes);
    *ret = (struct fanotify_handle){ .type = u.head.handle_type,
                                     .data = { buffer, u.head.handle_bytes } };
    memcpy(&ret->fsid, fsid ? (const void *)fsid : (const void *)&fs.f_fsid, sizeof(ret->fsid));
    return 0;
}
