/* SPDX-License-Identifier: MIT */
/* What a target means in a store: whose files, where the host finds them, how far they were watched. */
#pragma once

#include "report/case.h"
#include "store/query.h"
#include "watch/target.h"

/* The machine that asks, and the one that the store was written on. */
struct store_machine {
    struct bytes id;        /* of this machine; borrowed */
    struct bytes elsewhere; /* name of the machine of all that was observed, if that is another one; in the arena */
    struct arena arena;
};

/* own_id is borrowed for the life of *ret. -errno of the store. */
int store_machine_find(struct store *store, struct bytes own_id, struct store_machine *ret, struct err *err);
void store_machine_done(struct store_machine *m);

/* Where a host path leads to now, as far as it is there: what was recorded is recorded under the resolved path. In the target's arena. */
struct bytes cli_follow_links(struct target *target);
/*
 * Fills container, path and host_path of the query; since, until and operations stay. A path of this host is followed
 * through its links; engines say where a container's files are, and the record does where no engine knows. What was
 * recorded on another machine is taken as it is written. New texts live as long as the target.
 */
int who_store_resolve(struct store *store, const struct store_machine *machine, struct target *target,
                      struct store_query *query, struct err *err);

/* How far the record answers this question: each span goes to the case, then the sum. Call after its events.
 * found: there were some. */
int who_store_coverage(struct store *store, const struct store_query *query, const struct target *target, bool found,
                       struct case_ *c, struct err *err);

/* Was nothing of it watched in that time? Then out gets the sentence that says so, and what was. Was it a part only?
 * Then partly says which. */
int who_store_never(struct store *store, const struct store_query *query, const struct target *target, bool json,
                    bool *ret_never, struct sbuf *out, struct sbuf *partly, struct err *err);
