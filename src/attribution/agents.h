/* SPDX-License-Identifier: MIT */
/*
 * Known products, from a data file. Recognised by kernel facts in this order: path of the executable,
 * systemd unit, package; by a process's name only as "looks like", because a name is anybody's.
 */
#pragma once

#include "event/agent.h"
#include "event/event.h"
#include "util/err.h"

struct agents;

/* -EBADMSG: err names the place in the file. */
int agents_load(const char *path, struct agents **ret, struct err *err);
int agents_parse(struct bytes text, struct agents **ret, struct err *err);
/* The text of data/agents.json as it was when the program was built. */
struct bytes agents_builtin(void);
void agents_free(struct agents *a); /* NULL is fine */

struct agent_facts {
    struct bytes executable, unit, package, name;
};

/* NULL: no product known. *ret_looks_like: only the name fits. Borrowed from `a`. */
const struct agent *agents_match(const struct agents *a, const struct agent_facts *facts,
                                 bool *ret_looks_like);
/* Each place that a product is recognised by: a path, or one that ends in '/' or '*' for all that begins so. Borrowed from `a`. */
void agents_each_path(const struct agents *a, void (*each)(void *data, const struct agent *agent, struct bytes path), void *data);
/* The facts of a product that was matched earlier, when the event was stored. */
const struct agent *agents_by_product(const struct agents *a, struct bytes product);
/* Puts them into the records of the event's actor and launchers, which have the product's name as it was stored. a: NULL is fine. */
void agents_name_products(const struct agents *a, struct event *e);
