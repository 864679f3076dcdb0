/* SPDX-License-Identifier: MIT */
#include "history/node.h"

#include <stdlib.h>

#include "util/limits.h"

static void drop(struct nodes *nodes, struct node *n)
{
    if (nodes->last == n)
        nodes->last = NULL;
    HASH_DEL(nodes->table, n);
    search_places_free(n->places);
    lineage_free(n->lineage);
    free(n);
}

void nodes_done(struct nodes *nodes)
{
    struct node *n, *next;

    HASH_ITER(hh, nodes->table, n, next)
        drop(nodes, n);
}

static void node_free(struct node *n)
{
    lineage_free(n->lineage);
    search_places_free(n->places);
    free(n);
}

static struct node *make(struct nodes *nodes, struct bytes name)
{
    struct node *n = calloc(1, sizeof(*n) + name.len);

    if (!n)
        return NULL;
    n->lineage = lineage_new();
    n->places = search_places_new();
    if (!n->lineage || !n->places) {
        node_free(n);
        return NULL;
    }
    n->name_len = name.len;
    if (name.len)
        memcpy(n->name, name.data, name.len);
    if (HASH_COUNT(nodes->table) >= LIMIT_HISTORY_NODES)
        drop(nodes, nodes->table); /* the oldest: uthash keeps the order of addition */
    HASH_ADD_KEYPTR(hh, nodes->table, n->name, n->name_len, n);
    if (HASH_IS_IN(hh, n))
        return n;
    node_free(n);
    return NULL;
}

struct node *nodes_find(struct nodes *nodes, struct bytes name)
{
    struct node *n = nodes->last;

    if (n && bytes_equal((struct bytes){ n->name, n->name_len }, name))
        return n;
    HASH_FIND(hh, nodes->table, name.len ? name.data : "", name.len, n);
    if (!n)
        n = make(nodes, name);
    nodes->last = n;
    return n;
}
