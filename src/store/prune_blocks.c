/* SPDX-License-Identifier: MIT */
/* What is too old goes out of blocks: whole ones, and the events of watches that are kept for a shorter time than others. */
#include <errno.h>

#include "store/block.h"
#include "store/prune_state.h"
#include "util/cleanup.h"
#include "util/macro.h"

/* Which directories it is about is said by its events: the other table has no index by block. */
static int remove_places(struct pruner *p, int64_t block, struct err *err)
{
    const struct block_event *e = NULL;
    int64_t last[PLACE_COUNT] = { 0 };
    int r = block_reader_begin(p->reader, block, NULL);

    while (r == 0 && (r = block_reader_next(p->reader, &e, NULL)) == 1) {
        r = 0;
        for (unsigned i = 0; i < PLACE_COUNT && r == 0; i++) {
            int64_t directory = e->rows.row[BLOCK_DIRECTORIES + i];
            const int64_t values[] = { directory, block };
            int64_t n = directory && directory != last[i]
                            ? prune_run(p, "DELETE FROM block_place WHERE directory = ?1 AND block = ?2", values, 2, err)
                            : 0;

            last[i] = directory;
            r = n < 0 ? (int)n : 0;
        }
    }
    block_reader_end(p->reader);
    return r == -EBADMSG || r == -ENOENT ? 0 : r; /* a damaged one goes too; what is left of it finds nothing */
}

int prune_step_blocks(struct pruner *p, struct err *err)
{
    uint64_t block = 0;
    int64_t value = (int64_t)p->floor_ns, n;
    int r = prune_number(p, "SELECT ifnull((SELECT row FROM block WHERE first_ns < ?1 AND last_ns < ?1 LIMIT 1), 0)", &value, 1,
                         &block, err);

    if (r < 0 || !block)
        return r;
    value = (int64_t)block;
    r = remove_places(p, value, err);
    if (r < 0)
        return r;
    n = prune_run(p, "DELETE FROM block WHERE row = ?", &value, 1, err);
    p->removed |= n > 0;
    return n < 0 ? (int)n : n > 0;
}

/* ---- of watches ---- */

/* It is of a watch of which what is as old was removed. */
static bool is_too_old(const struct pruner *p, const struct delta_values *values)
{
    const struct bytes watch = values->bytes[DELTA_watch];

    for (size_t i = 0; i < p->retention.watch_count; i++)
        if (values->numbers[DELTA_time_ns] < p->watches[i].floor_ns && bytes_equal(watch, p->watches[i].text))
            return true;
    return false;
}

/* As it was, behind those that stay. */
static int keep_event(struct event_block *block, struct delta_packer *packer, const struct block_event *e, struct sbuf *packed)
{
    struct event_places places = { .suspect = e->values.numbers[DELTA_SUSPECT],
                                   .previous_host_path = e->values.bytes[DELTA_PREVIOUS_HOST_PATH] };
    struct event *event = event_new();
    size_t begin = packed->len;
    int r;

    if (!event)
        return -ENOMEM;
    for (unsigned i = 0; i < PLACE_COUNT; i++) {
        places.at[i].directory = e->values.bytes[DELTA_DIRECTORY(i)];
        places.at[i].name = e->values.bytes[DELTA_NAME(i)];
    }
    delta_read(&e->values, event);
    delta_pack(packer, &places, event, packed);
    packer->alone = false;
    event_free(event);
    r = sbuf_error(packed);
    if (r == 0)
        r = block_add(block, e->row, e->values.numbers[DELTA_time_ns], &e->rows, (struct bytes){ packed->data + begin, packed->len - begin });
    for (unsigned i = 0; i < PLACE_COUNT && r == 0; i++)
        if (e->rows.row[BLOCK_DIRECTORIES + i])
            r = block_add_name(block, e->rows.row[BLOCK_DIRECTORIES + i], places.at[i].name);
    return r;
}

/* What stays of a block goes to p->anew. *ret_gone: how many events do not; *ret_last: the row of the last one that there was. */
static int sort_out(struct pruner *p, int64_t block, unsigned *ret_gone, int64_t *ret_last, struct err *err)
{
    _cleanup_sbuf_ struct sbuf packed = SBUF_INIT;
    struct delta_packer packer = { .alone = true };
    const struct block_event *e = NULL;
    int r = block_reader_begin(p->reader, block, NULL);

    *ret_gone = 0;
    block_clear(p->anew);
    block_set_sparse(p->anew);
    while (r == 0 && (r = block_reader_next(p->reader, &e, NULL)) == 1) {
        r = 0;
        *ret_last = e->row;
        if (is_too_old(p, &e->values))
            ++*ret_gone;
        else
            r = keep_event(p->anew, &packer, e, &packed);
    }
    block_reader_end(p->reader);
    if (r == -EBADMSG || r == -ENOENT) { /* a damaged one stays until all of it is too old: what can be read of it is found */
        *ret_gone = 0;
        r = 0;
    }
    return r < 0 ? err_set(err, r, "the store") : 0;
}

/* Those whose blocks have to be looked at: between these times. False: none. */
static bool find_span(const struct pruner *p, uint64_t *ret_from_ns, uint64_t *ret_to_ns)
{
    *ret_from_ns = UINT64_MAX;
    *ret_to_ns = 0;
    for (size_t i = 0; i < p->retention.watch_count; i++) {
        const struct watch_sweep *w = &p->watches[i];
        const uint64_t from = MAX(w->swept_ns, p->floor_ns);

        if (w->floor_ns <= from)
            continue;
        *ret_from_ns = MIN(*ret_from_ns, from);
        *ret_to_ns = MAX(*ret_to_ns, w->floor_ns);
    }
    return *ret_to_ns > 0;
}

/* So that the next pruner need not look through all of it again. */
static int note_swept(struct pruner *p, struct err *err)
{
    int64_t n = 0;

    for (size_t i = 0; i < p->retention.watch_count && n >= 0; i++) {
        struct watch_sweep *w = &p->watches[i];
        const int64_t values[] = { (int64_t)w->floor_ns, w->row };

        if (w->floor_ns > w->swept_ns)
            n = prune_run(p, "UPDATE watch SET swept_ns = ?1 WHERE row = ?2", values, 2, err);
        w->swept_ns = w->floor_ns;
    }
    return n < 0 ? (int)n : 0;
}

/* The number of none of its events is given to another one: of the newest block it is not known by what stays. */
static int keep_rows(struct pruner *p, int64_t last, struct err *err)
{
    int64_t n = prune_run(p, "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'event'", &last, 1, err);

    if (n == 0)
        n = prune_run(p, "INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?1)", &last, 1, err);
    return (int)MIN(n, 0);
}

static int write_anew(struct pruner *p, int64_t block, int64_t last, struct err *err)
{
    int r = remove_places(p, block, err);
    int64_t n = r < 0 ? r : prune_run(p, "DELETE FROM block WHERE row = ?", &block, 1, err);

    if (n >= 0)
        n = keep_rows(p, last, err);
    p->removed = true;
    return n < 0 ? (int)n : block_write(p->anew, err);
}

/* One block: where it has something of a watch that is too old, it is written anew without that. */
int prune_step_watch_blocks(struct pruner *p, struct err *err)
{
    uint64_t from_ns, to_ns, block = 0, at[2] = { 0 };
    int64_t values[5], last = 0;
    unsigned gone = 0;
    int r;

    if (!find_span(p, &from_ns, &to_ns))
        return 0;
    values[0] = p->at[0];
    values[1] = p->at[1];
    values[2] = p->at[2];
    values[3] = (int64_t)from_ns;
    values[4] = (int64_t)to_ns;
    r = prune_number(p,
                     "SELECT ifnull((SELECT row FROM block WHERE (first_ns, last_ns, row) > (?1, ?2, ?3) AND last_ns >= ?4 AND "
                     "first_ns < ?5 ORDER BY first_ns, last_ns, row LIMIT 1), 0)",
                     values, ARRAY_SIZE(values), &block, err);
    if (r < 0 || !block)
        return r < 0 ? r : note_swept(p, err);
    values[0] = (int64_t)block;
    r = prune_number(p, "SELECT first_ns FROM block WHERE row = ?", values, 1, &at[0], err);
    if (r == 0)
        r = prune_number(p, "SELECT last_ns FROM block WHERE row = ?", values, 1, &at[1], err);
    if (r == 0)
        r = sort_out(p, (int64_t)block, &gone, &last, err);
    if (r == 0 && gone)
        r = write_anew(p, (int64_t)block, last, err);
    block_clear(p->anew);
    p->at[0] = (int64_t)at[0];
    p->at[1] = (int64_t)at[1];
    p->at[2] = (int64_t)block;
    return r < 0 ? r : 1;
}
