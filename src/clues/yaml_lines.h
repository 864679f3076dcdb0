/* SPDX-License-Identifier: MIT */
/*
 * A reader of the YAML that people and tools write for Compose and Kubernetes: mappings and sequences by indentation, plain and quoted
 * values, and collections in brackets on one line. What it does not understand (anchors, tags, merges, values of several lines, escapes) it
 * says, with the line: whoever asks must then not conclude from what is absent. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"

#define YAML_DEPTH 24

struct yaml_level {
    size_t indent;
    struct bytes key;
    unsigned item; /* of a sequence, from 1; 0: it is a key of a mapping */
};

struct yaml_node {
    const struct yaml_level *levels; /* the way to it; 0 of them: a document begins */
    size_t depth;
    struct bytes value;  /* BYTES_NULL: what is below it follows, or nothing */
    unsigned line;
    const char *unclear; /* what is not understood here; NULL: nothing */
};

/* Each node in its order; views into the text. */
void yaml_read(struct bytes text, void (*each)(void *data, const struct yaml_node *node), void *data);

/* The key of a level; BYTES_NULL: of a sequence, or there is no such level. */
struct bytes yaml_key(const struct yaml_node *node, size_t level);
