/* SPDX-License-Identifier: MIT */
#include "store/compact.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "store/block.h"
#include "store/daily.h"
#include "store/fields.h"
#include "store/process_pack.h"
#include "util/clock.h"
#include "util/macro.h"

#define FEW 32           /* events that are worth a block of their own, unless they have waited for long */
#define FEW_NS (24 * 3600 * NS_PER_S)
#define LOOKED_AT 1024   /* rows, in one step */
#define DATA_MAX (1 << 20) /* bytes of a block, before it is compressed */

#define PROCESSES_YOUNG 2048 /* stay rows: they are asked for more often than all others */

#define BEGINS_AT 16 /* the column of the first of event_fields */

struct compactor {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *rows, *next_block, *remove, *blocks, *update;
    struct event_block *block;
    struct daily_maker *daily;
    struct process_packs *packs;
    struct delta_packer packer;
    struct sbuf packed;
    int64_t row, block_row; /* all up to here have been looked at */
};

/* What a log may bring again. */
#define AGAIN "(e.sensors & 0x%x) <> 0"

static int prepare(struct compactor *c, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    int r;

    sbuf_addf(&sql, "SELECT e.row, e.time_ns, " AGAIN ", e.process, e.victim, e.suspect, e.suspect_rest, "
                    "e.directory, d.path, e.name, e.previous_directory, p.path, e.previous_name, e.host_directory, h.path, "
                    "e.host_name, e.previous_host_path, ", SENSOR_AUDIT | SENSOR_AUDIT_LOG);
    fields_columns(event_fields, "e.", &sql);
    sbuf_addf(&sql, " FROM event e LEFT JOIN directory d ON d.row = e.directory LEFT JOIN directory p ON p.row = "
                    "e.previous_directory LEFT JOIN directory h ON h.row = e.host_directory WHERE e.row > ? ORDER BY e.row "
                    "LIMIT %d", LOOKED_AT);
    r = db_prepare(c->db, c->path, sbuf_str(&sql), &c->rows, err);
    if (r == 0)
        r = db_prepare(c->db, c->path, "SELECT min(row) FROM block WHERE row > ?", &c->next_block, err);
    sbuf_clear(&sql);
    sbuf_addf(&sql, "DELETE FROM event AS e WHERE e.row >= ? AND e.row <= ? AND e.time_ns < ? AND NOT " AGAIN,
              SENSOR_AUDIT | SENSOR_AUDIT_LOG);
    if (r == 0)
        r = db_prepare(c->db, c->path, sbuf_str(&sql), &c->remove, err);
    if (r == 0)
        r = db_prepare(c->db, c->path, "SELECT row, last_ns, data FROM block WHERE row > ? ORDER BY row LIMIT 1", &c->blocks, err);
    if (r == 0)
        r = db_prepare(c->db, c->path, "UPDATE block SET data = ? WHERE row = ?", &c->update, err);
    return r;
}

int compactor_new(sqlite3 *db, const char *path, struct compactor **ret, struct err *err)
{
    struct compactor *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return err_set(err, -ENOMEM, "the store");
    c->db = db;
    c->path = path;
    r = prepare(c, err);
    if (r == 0)
        r = block_new(db, path, &c->block, err);
    if (r == 0)
        r = daily_maker_new(db, path, &c->daily, err);
    if (r == 0)
        r = process_packs_new(db, path, &c->packs, err);
    if (r < 0) {
        compactor_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void compactor_free(struct compactor *c)
{
    if (!c)
        return;
    sqlite3_finalize(c->rows);
    sqlite3_finalize(c->next_block);
    sqlite3_finalize(c->remove);
    sqlite3_finalize(c->blocks);
    sqlite3_finalize(c->update);
    block_free(c->block);
    daily_maker_free(c->daily);
    process_packs_free(c->packs);
    sbuf_done(&c->packed);
    free(c);
}

const char *compactor_fault(const struct compactor *c)
{
    return daily_maker_fault(c->daily);
}

static int find_next_block(struct compactor *c, int64_t row, int64_t *ret, struct err *err)
{
    int r = 0;

    sqlite3_bind_int64(c->next_block, 1, row);
    if (sqlite3_step(c->next_block) != SQLITE_ROW)
        r = db_error(c->db, c->path, err);
    else
        *ret = sqlite3_column_type(c->next_block, 0) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(c->next_block, 0);
    sqlite3_reset(c->next_block);
    return r;
}

/* One row, as the writer would have put it into a block. */
static int add_event(struct compactor *c, struct err *err)
{
    struct event *e = event_new();
    struct event_places places = { .suspect = (uint64_t)sqlite3_column_int64(c->rows, 5),
                                   .previous_host_path = db_column_bytes(c->rows, BEGINS_AT) };
    struct block_rows rows = { .row = { [BLOCK_PROCESS] = sqlite3_column_int64(c->rows, 3),
                                        [BLOCK_VICTIM] = sqlite3_column_int64(c->rows, 4),
                                        [BLOCK_SUSPECT_REST] = sqlite3_column_int64(c->rows, 6) } };
    size_t begin = c->packed.len;
    uint64_t mask = 0;
    int r;

    if (!e)
        return err_set(err, -ENOMEM, "the store");
    for (int i = 0; i < PLACE_COUNT; i++) {
        rows.row[BLOCK_DIRECTORIES + i] = sqlite3_column_int64(c->rows, 7 + 3 * i);
        places.at[i].directory = db_column_bytes(c->rows, 8 + 3 * i);
        places.at[i].name = db_column_bytes(c->rows, 9 + 3 * i);
    }
    fields_read(event_fields, c->rows, BEGINS_AT + 1, &e->arena, e);
    delta_pack(&c->packer, &places, e, &c->packed);
    c->packer.alone = false;
    r = sbuf_error(&c->packed);
    if (r == 0) {
        memcpy(&mask, c->packed.data + begin, sizeof(mask));
        mask = le64toh(mask);
        r = block_add(c->block, sqlite3_column_int64(c->rows, 0), (uint64_t)sqlite3_column_int64(c->rows, 1), &rows,
                      (struct bytes){ c->packed.data + begin, c->packed.len - begin });
    }
    for (int i = 0; i < PLACE_COUNT && r == 0; i++)
        if (rows.row[BLOCK_DIRECTORIES + i] && (mask & (DELTA_ALONE | 3ull << DELTA_DIRECTORY(i))))
            r = block_add_name(c->block, rows.row[BLOCK_DIRECTORIES + i], places.at[i].name);
    event_free(e);
    return r < 0 ? err_set(err, r, "the store") : 0;
}

struct run {
    int64_t first, last;
    uint64_t first_ns;
    unsigned count, seen;
    bool young; /* it ends where what comes next is too young */
};

/* What follows on one another, of few enough rows that one block's are. */
static int collect_run(struct compactor *c, uint64_t before_ns, struct run *run, struct err *err)
{
    int64_t next_block = INT64_MAX;
    int code = SQLITE_DONE, r = 0;

    block_clear(c->block);
    block_set_sparse(c->block);
    sbuf_clear(&c->packed);
    memset(&c->packer, 0, sizeof(c->packer));
    c->packer.alone = true;
    sqlite3_bind_int64(c->rows, 1, c->row);
    while (r == 0 && (code = sqlite3_step(c->rows)) == SQLITE_ROW) {
        int64_t row = sqlite3_column_int64(c->rows, 0);
        uint64_t time_ns = (uint64_t)sqlite3_column_int64(c->rows, 1);

        if (run->count && (row - run->first >= BLOCK_MAX || row > next_block || c->packed.len > DATA_MAX))
            break;
        run->young = time_ns >= before_ns;
        if (run->young)
            break;
        run->seen++;
        run->last = row;
        if (sqlite3_column_int(c->rows, 2))
            continue;
        if (!run->count) {
            run->first = row;
            run->first_ns = time_ns;
            r = find_next_block(c, row, &next_block, err);
        }
        run->count++;
        if (r == 0)
            r = add_event(c, err);
    }
    if (r == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
        r = db_error(c->db, c->path, err);
    sqlite3_reset(c->rows);
    return r;
}

static int remove_run(struct compactor *c, const struct run *run, uint64_t before_ns, struct err *err)
{
    int r;

    sqlite3_bind_int64(c->remove, 1, run->first);
    sqlite3_bind_int64(c->remove, 2, run->last);
    sqlite3_bind_int64(c->remove, 3, (sqlite3_int64)before_ns);
    r = db_run(c->db, c->path, c->remove, err);
    if (r == 0 && sqlite3_changes64(c->db) != run->count)
        r = err_say(err, -EBADMSG, "%s is damaged: rows that are there cannot be removed", c->path);
    return r;
}

/* The next block as a storm wrote it. */
static int compress_block(struct compactor *c, uint64_t before_ns, struct err *err)
{
    _cleanup_sbuf_ struct sbuf data = SBUF_INIT;
    int64_t row;
    int r = 0, code;

    sqlite3_bind_int64(c->blocks, 1, c->block_row);
    code = sqlite3_step(c->blocks);
    if (code != SQLITE_ROW) {
        sqlite3_reset(c->blocks);
        return code == SQLITE_DONE ? 0 : db_error(c->db, c->path, err);
    }
    row = sqlite3_column_int64(c->blocks, 0);
    if ((uint64_t)sqlite3_column_int64(c->blocks, 1) >= before_ns) {
        sqlite3_reset(c->blocks);
        return 0;
    }
    r = block_compress(db_column_bytes(c->blocks, 2), &data);
    sqlite3_reset(c->blocks);
    if (r == 1) {
        db_bind_bytes(c->update, 1, sbuf_bytes(&data));
        sqlite3_bind_int64(c->update, 2, row);
        r = db_run(c->db, c->path, c->update, err);
    } else if (r < 0) {
        (void)err_set(err, r, "the store");
    }
    if (r == 0)
        c->block_row = row;
    return r < 0 ? r : 1;
}

/* The transaction of the last step was rolled back. */
static void compactor_roll_back(struct compactor *c)
{
    c->row = c->block_row = 0; /* from the beginning */
    daily_maker_roll_back(c->daily);
}

int compactor_step(struct compactor *c, uint64_t before_ns, uint64_t few_ns, struct err *err)
{
    struct run run = { 0 };
    int r = collect_run(c, before_ns, &run, err);
    bool wanted = run.count && (run.count >= FEW || run.first_ns < few_ns || !run.young);

    if (r == 0 && wanted) {
        r = block_write(c->block, err);
        if (r == 0)
            r = remove_run(c, &run, before_ns, err);
    }
    block_clear(c->block);
    if (r < 0) {
        compactor_roll_back(c);
        return r;
    }
    if (run.seen && (wanted || !run.count)) {
        c->row = run.last;
        return 1;
    }
    r = compress_block(c, before_ns, err);
    if (r == 0)
        r = process_packs_step(c->packs, PROCESSES_YOUNG, err);
    if (r == 0)
        r = daily_maker_step(c->daily, before_ns, err);
    if (r < 0)
        compactor_roll_back(c);
    return r;
}

int compactor_run(struct compactor *c, uint64_t now_ns, uint64_t age_ns, struct err *err)
{
    const uint64_t before_ns = now_ns - MIN(age_ns, now_ns), few_ns = before_ns - MIN(FEW_NS, before_ns);
    int r = db_exec(c->db, c->path, "BEGIN IMMEDIATE", err), more = 0;

    if (r == 0)
        r = more = compactor_step(c, before_ns, few_ns, err);
    if (r >= 0)
        r = db_exec(c->db, c->path, "COMMIT", err);
    if (r < 0) {
        (void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
        compactor_roll_back(c);
    }
    return r < 0 ? r : more;
}
