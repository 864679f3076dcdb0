/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "engine/engine_table.h"
#include "util/limits.h"

static struct known_container *find_key(struct engines *e, unsigned group, struct bytes id)
{
    char key[256];
    struct known_container *k;

    if (id.len >= sizeof(key))
        return NULL;
    key[0] = (char)group;
    if (id.len)
        memcpy(key + 1, id.data, id.len);
    HASH_FIND(by_id, e->known, key, id.len + 1, k);
    return k;
}

struct known_container *known_find(struct engines *e, unsigned group, struct bytes id)
{
    return find_key(e, group, id);
}

/* The next of a container's cgroups. */
static bool next_path(struct bytes *rest, struct bytes *ret)
{
    if (!rest->len)
        return false;
    *ret = (struct bytes){ rest->data, strnlen(rest->data, rest->len) };
    *rest = (struct bytes){ rest->data + ret->len, rest->len - ret->len };
    if (rest->len)
        *rest = (struct bytes){ rest->data + 1, rest->len - 1 };
    return true;
}

static void forget_cgroup(struct engines *e, struct known_container *k)
{
    struct bytes rest = k->container->cgroup, path;
    struct by_cgroup *c;

    while (next_path(&rest, &path)) {
        HASH_FIND(hh, e->cgroups, path.data, path.len, c);
        if (c && c->known == k) {
            HASH_DEL(e->cgroups, c);
            free(c);
        }
    }
}

static void add_cgroup(struct engines *e, struct known_container *k)
{
    struct bytes rest = k->container->cgroup, path;
    struct by_cgroup *c;

    while (!k->gone && next_path(&rest, &path)) {
        if (path.len < 2)
            continue;
        HASH_FIND(hh, e->cgroups, path.data, path.len, c);
        if (c) {
            c->known = k; /* the name was used again */
            continue;
        }
        c = malloc(sizeof(*c) + path.len);
        if (!c)
            return;
        c->known = k;
        memcpy(c->path, path.data, path.len);
        HASH_ADD_KEYPTR(hh, e->cgroups, c->path, path.len, c);
        HASH_FREE_IF_OUT(hh, c);
    }
}

static void forget(struct engines *e, struct known_container *k)
{
    forget_cgroup(e, k);
    HASH_DELETE(by_id, e->known, k);
    container_unref(k->container);
    free(k);
}

void known_remember(struct engines *e, unsigned group, struct container *c)
{
    struct known_container *k = find_key(e, group, c->id);

    if (k) {
        forget_cgroup(e, k);
        container_ref(c);
        container_unref(k->container);
        k->container = c;
        if (k->gone) { /* the same id again: whoever starts containers by hand names them so */
            e->gone[k->gone_place] = NULL;
            k->gone = false;
        }
    } else {
        if (HASH_CNT(by_id, e->known) >= LIMIT_CONTAINERS || c->id.len >= 255 ||
            !(k = calloc(1, sizeof(*k) + c->id.len + 1)))
            return;
        k->container = container_ref(c);
        k->group = group;
        k->key[0] = (char)group;
        if (c->id.len)
            memcpy(k->key + 1, c->id.data, c->id.len);
        HASH_ADD_KEYPTR(by_id, e->known, k->key, c->id.len + 1, k);
        if (!HASH_IS_IN(by_id, k)) {
            container_unref(k->container);
            free(k);
            return;
        }
    }
    add_cgroup(e, k);
}

/* Short-lived containers by the thousand must not fill the memory: of those that are gone the last
 * ones are kept. */
void known_gone(struct engines *e, unsigned group, struct bytes id)
{
    struct known_container *k = find_key(e, group, id);
    struct known_container **place;

    if (!k || k->gone)
        return;
    forget_cgroup(e, k);
    place = &e->gone[e->gone_count++ % LIMIT_GONE];
    if (*place)
        forget(e, *place);
    k->gone = true;
    k->gone_place = (size_t)(place - e->gone);
    *place = k;
}

void known_forget_all(struct engines *e)
{
    struct known_container *k, *next;

    HASH_ITER(by_id, e->known, k, next)
        forget(e, k);
}

struct container *known_by_cgroup(struct engines *e, struct bytes cgroup)
{
    while (cgroup.len > 1) {
        struct by_cgroup *c;

        HASH_FIND(hh, e->cgroups, cgroup.data, cgroup.len, c);
        if (c)
            return c->known->container;
        cgroup = bytes_dirname(cgroup);
    }
    return NULL;
}
