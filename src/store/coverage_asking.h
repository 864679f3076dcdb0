/* SPDX-License-Identifier: MIT */
/* What the questions about coverage share. Not for other folders. */
#pragma once

#include "event/coverage.h"
#include "store/handle.h"
#include "store/question.h"


struct coverage_asking {
    struct store *store;
    const struct store_query *query;
    sqlite3_stmt *places;    /* of one span; NULL: an older culprit's store has none */
    sqlite3_stmt *container; /* is this id among the containers that are asked for? */
    bool observers;          /* the spans say who writes them */
    uint64_t floor_ns;       /* what was observed before is not there any more */
};

/* The columns of a struct coverage_place, of coverage_place p. */
#define COVERAGE_PLACE_COLUMNS \
    "p.kind, p.permissions, p.from_ns, p.runtime, p.selector, p.container_id, p.container_name, p.path, p.host_path"

/* After select_begin(). An older culprit's store has no places. */
int coverage_prepare(struct coverage_asking *a, struct err *err);
void coverage_asking_done(struct coverage_asking *a);

/* A row that begins with COVERAGE_PLACE_COLUMNS: valid until the next step. */
void coverage_read_place(sqlite3_stmt *row, struct coverage_place *ret);
/* Is the place one of a container that is asked for? */
bool coverage_is_asked_container(const struct coverage_asking *a, const struct coverage_place *p);
/* The next target of a watch as it was written. */
bool coverage_next_target(struct bytes *watch, struct bytes *ret);

/*
 * When a span ended, 0 = it goes on. Whoever observed and was killed, or has written nothing for long, had not come
 * further than alive_ns: *ret_unclean.
 * observer: see store/observer.h; BYTES_NULL = not recorded
 */
uint64_t coverage_end_ns(uint64_t to_ns, uint64_t alive_ns, struct bytes observer, bool *ret_unclean);
