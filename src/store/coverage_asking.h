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
    bool observers, beats;   /* the spans say who writes them; when he last did */
    bool only_unclean;       /* those that ended without saying so: of all others nothing is compared */
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

/* Of a row of coverage. */
struct coverage_life {
    uint64_t to_ns, alive_ns, beat_ns; /* CLOCK_REALTIME: ended, 0 = not said; has seen all until then; its writer lived then */
    struct bytes observer;             /* store/observer.h; BYTES_NULL = not recorded */
};

/* What it is made of, in this order: they are put behind "SELECT " and other columns. prefix: "" or "c." */
void coverage_life_columns(const struct coverage_asking *a, const char *prefix, struct sbuf *out);
/* The columns from `first` on; the bytes are valid until the next step. */
struct coverage_life coverage_read_life(sqlite3_stmt *row, int first);
/*
 * When a span ended, 0 = it goes on. Whoever has seen nothing for long may not know more: it ends there. *ret_unclean: it was
 * killed, or is silent and not known to live.
 */
uint64_t coverage_end_ns(const struct coverage_life *life, bool *ret_unclean);
