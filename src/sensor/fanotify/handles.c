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

#define HANDLE_FID 0x200 /* AT_HANDLE_FID, Linux 6.5: a handle to compare, not to open by; overlay has only such */

/* Numbers, not pointers: half the memory. 0 is none; free ones are chained by `next`. */
struct directory {
    uint64_t fsid;
    char *data; /* 4 bytes of type, then the handle */
    uint32_t hash, len;
    uint32_t first_user;
    uint32_t next; /* in its bucket */
};

struct user {
    struct fanotify_object *object;
    uint32_t directory_number; /* the object's own */
    uint32_t entry;            /* struct directory */
    uint32_t next_of_entry;
    uint32_t next;             /* in its bucket */
    bool ancestor;
};

struct chains { /* a hash table whose elements are chained by their `next` */
    uint32_t *buckets;
    uint32_t size, count;
};

struct fanotify_handles {
    uint64_t seed;
    struct directory *directories;
    struct user *users;
    uint32_t directory_count, directory_size, directory_free;
    uint32_t user_count, user_size, user_free;
    struct chains by_handle, by_user;
};

static uint32_t mix(uint64_t h)
{
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
    return (uint32_t)(h >> 32);
}

static uint32_t hash_handle(const struct fanotify_handles *h, const struct fanotify_handle *handle)
{
    uint64_t v = h->seed ^ handle->fsid ^ (uint32_t)handle->type;

    return mix(hash_add(v, handle->data.data, handle->data.len));
}

static uint32_t hash_user(const struct fanotify_handles *h, const struct fanotify_object *object,
                          uint32_t directory, bool ancestor)
{
    return mix(h->seed ^ (uintptr_t)object ^ ((uint64_t)directory << 32) ^ ancestor);
}

struct fanotify_handles *fanotify_handles_new(void)
{
    struct fanotify_handles *h = calloc(1, sizeof(*h));

    if (h && getrandom(&h->seed, sizeof(h->seed), GRND_NONBLOCK) != sizeof(h->seed))
        h->seed = (uintptr_t)h;
    return h;
}

void fanotify_handles_free(struct fanotify_handles *h)
{
    if (!h)
        return;
    for (uint32_t i = 1; i < h->directory_count; i++)
        free(h->directories[i].data);
    free(h->directories);
    free(h->users);
    free(h->by_handle.buckets);
    free(h->by_user.buckets);
    free(h);
}

/* ---- storage ---- */

static uint32_t take(void **array, size_t element, uint32_t *count, uint32_t *size)
{
    if (*count == *size) {
        uint32_t bigger;
        void *p;

        if (__builtin_add_overflow(*size, *size / 2 + 64, &bigger))
            return 0;
        p = reallocarray(*array, bigger, element);
        if (!p)
            return 0;
        *array = p;
        *size = bigger;
        if (*count == 0)
            *count = 1;
    }
    return (*count)++;
}

static int grow(struct fanotify_handles *h, struct chains *c, bool users)
{
    uint32_t size = c->size ? c->size * 2 : 64, *buckets;

    if (c->count < c->size)
        return 0;
    buckets = calloc(size, sizeof(*buckets));
    if (!buckets)
        return -ENOMEM;
    for (uint32_t b = 0; b < c->size; b++)
        for (uint32_t i = c->buckets[b], next; i; i = next) {
            struct user *u = users ? &h->users[i] : NULL;
            uint32_t to = (users ? hash_user(h, u->object, u->directory_number, u->ancestor)
                                 : h->directories[i].hash) & (size - 1);

            next = users ? u->next : h->directories[i].next;
            *(users ? &u->next : &h->directories[i].next) = buckets[to];
            buckets[to] = i;
        }
    free(c->buckets);
    c->buckets = buckets;
    c->size = size;
    return 0;
}

static uint32_t find_directory(const struct fanotify_handles *h, const struct fanotify_handle *handle,
                               uint32_t hash)
{
    uint32_t i = h->by_handle.size ? h->by_handle.buckets[hash & (h->by_handle.size - 1)] : 0;

    for (; i; i = h->directories[i].next) {
        const struct directory *d = &h->directories[i];

        if (d->hash == hash && d->fsid == handle->fsid && d->len == handle->data.len &&
            memcmp(d->data, &handle->type, 4) == 0 &&
            memcmp(d->data + 4, handle->data.data, d->len) == 0)
            return i;
    }
    return 0;
}

static uint32_t *find_user(const struct fanotify_handles *h, const struct fanotify_user *user)
{
    uint32_t *at;

    if (!h->by_user.size)
        return NULL;
    at = &h->by_user.buckets[hash_user(h, user->object, user->directory, user->ancestor) &
                             (h->by_user.size - 1)];
    for (; *at; at = &h->users[*at].next) {
        const struct user *u = &h->users[*at];

        if (u->object == user->object && u->directory_number == user->directory &&
            u->ancestor == user->ancestor)
            return at;
    }
    return NULL;
}

static uint32_t new_directory(struct fanotify_handles *h, const struct fanotify_handle *handle,
                              uint32_t hash)
{
    char *data = malloc(4 + handle->data.len);
    uint32_t i = h->directory_free, bucket;

    if (!data || grow(h, &h->by_handle, false) < 0) {
        free(data);
        return 0;
    }
    if (i)
        h->directory_free = h->directories[i].next;
    else
        i = take((void **)&h->directories, sizeof(*h->directories), &h->directory_count,
                 &h->directory_size);
    if (!i) {
        free(data);
        return 0;
    }
    memcpy(data, &handle->type, 4);
    memcpy(data + 4, handle->data.data, handle->data.len);
    bucket = hash & (h->by_handle.size - 1);
    h->directories[i] = (struct directory){ .fsid = handle->fsid,
                                            .data = data,
                                            .hash = hash,
                                            .len = (uint32_t)handle->data.len,
                                            .next = h->by_handle.buckets[bucket] };
    h->by_handle.buckets[bucket] = i;
    h->by_handle.count++;
    return i;
}

static void drop_directory(struct fanotify_handles *h, uint32_t i)
{
    uint32_t *at = &h->by_handle.buckets[h->directories[i].hash & (h->by_handle.size - 1)];

    while (*at != i)
        at = &h->directories[*at].next;
    *at = h->directories[i].next;
    h->by_handle.count--;
    free(h->directories[i].data);
    h->directories[i] = (struct directory){ .next = h->directory_free };
    h->directory_free = i;
}

int fanotify_handles_add(struct fanotify_handles *h, const struct fanotify_handle *handle,
                         const struct fanotify_user *user)
{
    uint32_t hash, entry, i, *known, bucket;

    if (!handle->data.data || handle->data.len > FANOTIFY_HANDLE_MAX)
        return -E2BIG;
    hash = hash_handle(h, handle);
    entry = find_directory(h, handle, hash);
    known = find_user(h, user);
    if (known && !*known)
        known = NULL;
    if (known && entry && h->users[*known].entry == entry)
        return 0;
    if (known) /* the number was given to another directory */
        (void)fanotify_handles_remove(h, user);
    if (grow(h, &h->by_user, true) < 0)
        return -ENOMEM;
    entry = find_directory(h, handle, hash);
    if (!entry)
        entry = new_directory(h, handle, hash);
    if (!entry)
        return -ENOMEM;
    i = h->user_free;
    if (i)
        h->user_free = h->users[i].next;
    else
        i = take((void **)&h->users, sizeof(*h->users), &h->user_count, &h->user_size);
    if (!i) {
        if (!h->directories[entry].first_user)
            drop_directory(h, entry);
        return -ENOMEM;
    }
    bucket = hash_user(h, user->object, user->directory, user->ancestor) & (h->by_user.size - 1);
    h->users[i] = (struct user){ .object = user->object,
                                 .directory_number = user->directory,
                                 .ancestor = user->ancestor,
                                 .entry = entry,
                                 .next_of_entry = h->directories[entry].first_user,
                                 .next = h->by_user.buckets[bucket] };
    h->directories[entry].first_user = i;
    h->by_user.buckets[bucket] = i;
    h->by_user.count++;
    return 0;
}

bool fanotify_handles_has(const struct fanotify_handles *h, const struct fanotify_user *user)
{
    const uint32_t *at = find_user(h, user);

    return at && *at;
}

bool fanotify_handles_remove(struct fanotify_handles *h, const struct fanotify_user *user)
{
    uint32_t *at = find_user(h, user), i, entry;

    if (!at || !*at)
        return false;
    i = *at;
    *at = h->users[i].next;
    h->by_user.count--;
    entry = h->users[i].entry;
    for (at = &h->directories[entry].first_user; *at != i; at = &h->users[*at].next_of_entry)
        ;
    *at = h->users[i].next_of_entry;
    h->users[i] = (struct user){ .next = h->user_free };
    h->user_free = i;
    if (h->directories[entry].first_user)
        return false;
    drop_directory(h, entry);
    return true;
}

bool fanotify_handles_next(const struct fanotify_handles *h, const struct fanotify_handle *handle,
                           uint32_t *at, struct fanotify_user *ret)
{
    uint32_t i;

    if (*at == 0) {
        uint32_t entry = handle->data.data ? find_directory(h, handle, hash_handle(h, handle)) : 0;

        i = entry ? h->directories[entry].first_user : 0;
    } else {
        i = h->users[*at].next_of_entry;
    }
    if (!i)
        return false;
    *at = i;
    *ret = (struct fanotify_user){ h->users[i].object, h->users[i].directory_number,
                                   h->users[i].ancestor };
    return true;
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
