/* SPDX-License-Identifier: MIT */
/* Where the index is kept: tables of objects by identity, of names by directory, and of what many have in common. Numbers:
 * 0 = none, or out of memory. */
#pragma once

#include "sensor/tree/state.h"

void tree_clear(struct tree *t); /* everything but the options goes */
int tree_device_find(const struct tree *t, uint64_t device); /* -ENOENT */
int tree_device_number(struct tree *t, uint64_t device);     /* made if it is not there */
/* By the tree's own seed: nobody can make names that collide. */
uint32_t tree_hash_name(const struct tree *t, struct bytes name);
/* device: tree_device_number()'s. 0: it is not there. */
uint32_t tree_find_identity(const struct tree *t, uint16_t device, uint64_t inode);
/* Room for tree_identity_add(), which cannot fail then. -ENOMEM. */
int tree_identity_reserve(struct tree *t, uint32_t object);
void tree_identity_add(struct tree *t, uint16_t device, uint64_t inode, uint32_t object);
void tree_identity_remove(struct tree *t, uint32_t object); /* not being there is fine: a tombstone */
/* A name that is about to be put into the directory's table, that is there from now on, that goes. */
int tree_children_reserve(struct tree *t, uint32_t directory, uint32_t name);
void tree_children_add(struct tree *t, uint32_t directory, uint32_t name);
void tree_children_add_named(struct tree *t, uint32_t directory, uint32_t name, struct bytes text); /* where the text is at hand */
void tree_children_remove(struct tree *t, uint32_t directory, uint32_t name);
/* The directory is being listed and has some `more` names: room for them at once, until another one is expected or 0. */
void tree_expect(struct tree *t, uint32_t directory, uint32_t more);
void tree_children_trim(struct tree *t, uint32_t directory); /* an empty table takes no memory */
uint32_t tree_attributes_get(struct tree *t, const struct object_attributes *wanted);
void tree_attributes_put(struct tree *t, uint32_t l);
