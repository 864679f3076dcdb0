/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/daily.h"
#include "store/daily_folders.h"
#include "store/daily_suspects.h"
#include "util/hash_table.h"
#include "util/macro.h"

#define ROWS 2048 /* looked at in one step */

#define KEY "directory, place, other, suspect, suspect_rest, operation, error, victim, victim_kind, watch, hour"
#define KEYS 11
enum { DIRECTORY, PLACE, OTHER, SUSPECT, REST, OPERATION, FAILURE, VICTIM, VICTIM_KIND, WATCH, HOUR, COUNT, FIRST, LAST, EVENT, COLUMNS };

/* What counts as one. */
struct counted_key {
    int64_t directory, whose, day, place, other, suspect, operation, error, victim, victim_kind, watch;
};

struct counted_as {
    struct counted_key key;
    uint64_t count, first_ns, last_ns;
    int64_t first_event;
    UT_hash_handle hh;
};

struct row_key {
    int64_t directory, whose, day;
};

/* A row of the table that was read. */
struct row_seen {
    struct row_key key;
    bool is_damaged;
    UT_hash_handle hh;
};

enum { NEXT_ROWS, READ, WRITE, REMOVE, STATEMENTS };

static const char *const statements[STATEMENTS] = {
    [NEXT_ROWS] = "SELECT " KEY ", count, first_ns, last_ns, first_event FROM rollup WHERE (" KEY ") > "
                  "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ORDER BY " KEY " LIMIT ?",
    [READ] = "SELECT data, sum FROM daily WHERE directory = ? AND whose = ? AND day = ?",
    [WRITE] = "INSERT OR REPLACE INTO daily (directory, whose, day, data, sum) VALUES (?, ?, ?, ?, ?)",
    [REMOVE] = "DELETE FROM rollup WHERE directory = ? AND place = ? AND other = ? AND suspect = ? AND suspect_rest = ? AND "
               "operation = ? AND error = ? AND victim = ? AND victim_kind = ? AND watch = ? AND hour = ?",
};

struct daily_maker {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *s[STATEMENTS];
    int64_t at[KEYS], hour; /* how far it has come; up to which hour there is nothing left */
    int64_t rows[ROWS][COLUMNS];
    /* of one step: whatever somebody else does between two of them is read anew */
    struct counted_as *counted;
    struct row_seen *seen;
    struct daily_suspects *suspects;
    struct daily_folders *folders;
    struct err fault; /* what cannot be read, of the last pass or of this one */
    bool left_out;    /* something, in this pass */
};

static void forget(struct daily_maker *m)
{
    struct counted_as *c, *c_next;
    struct row_seen *w, *w_next;

    HASH_ITER(hh, m->counted, c, c_next) {
        HASH_DEL(m->counted, c);
        free(c);
    }
    HASH_ITER(hh, m->seen, w, w_next) {
        HASH_DEL(m->seen, w);
        free(w);
    }
    if (m->folders)
        daily_folders_forget(m->folders);
    if (m->suspects)
        daily_suspects_forget(m->suspects);
}

void daily_maker_roll_back(struct daily_maker *m)
{
    for (unsigned i = 0; i < KEYS; i++)
        m->at[i] = INT64_MIN;
    m->hour = 0;
    m->left_out = false;
}

const char *daily_maker_fault(const struct daily_maker *m)
{
    return m->fault.text;
}

int daily_maker_new(sqlite3 *db, const char *path, struct daily_maker **ret, struct err *err)
{
    struct daily_maker *m = calloc(1, sizeof(*m));
    int r = m ? 0 : err_set(err, -ENOMEM, "the store");

    if (!m)
        return r;
    m->db = db;
    m->path = path;
    daily_maker_roll_back(m);
    for (unsigned i = 0; i < STATEMENTS && r == 0; i++)
        r = db_prepare(db, path, statements[i], &m->s[i], err);
    if (r == 0)
        r = daily_suspects_new(db, path, &m->suspects, err);
    if (r == 0)
        r = daily_folders_new(db, path, &m->folders, err);
    if (r < 0) {
        daily_maker_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

void daily_maker_free(struct daily_maker *m)
{
    if (!m)
        return;
    forget(m);
    daily_suspects_free(m->suspects);
    daily_folders_free(m->folders);
    for (unsigned i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(m->s[i]);
    free(m);
}

/* ---- counting ---- */

static int count(struct daily_maker *m, const struct counted_key *key, const struct daily *d, struct err *err)
{
    struct counted_as *c;

    HASH_FIND(hh, m->counted, key, sizeof(*key), c);
    if (!c) {
        c = calloc(1, sizeof(*c));
        if (!c)
            return err_set(err, -ENOMEM, "the store");
        c->key = *key;
        c->first_ns = UINT64_MAX;
        HASH_ADD(hh, m->counted, key, sizeof(c->key), c);
        HASH_FREE_IF_OUT(hh, c);
        if (!c)
            return err_set(err, -ENOMEM, "the store");
    }
    c->count += d->count;
    c->last_ns = MAX(c->last_ns, d->last_ns);
    if (d->first_ns < c->first_ns || (d->first_ns == c->first_ns && d->first_event < c->first_event)) {
        c->first_ns = d->first_ns;
        c->first_event = d->first_event;
    }
    return 0;
}

static bool is_readable(uint64_t day, struct bytes data)
{
    struct daily d = daily_before(day);
    int r;

    while ((r = daily_next(&data, &d)) == 1)
        ;
    return r == 0;
}

static int count_again(struct daily_maker *m, const struct row_key *row, struct bytes data, struct err *err)
{
    struct daily d = daily_before((uint64_t)row->day);
    int r = 0;

    while (r == 0 && daily_next(&data, &d) == 1) {
        struct counted_key key = { row->directory, row->whose, row->day, d.place, d.other, d.suspect, d.operation, d.error,
                                   d.victim, d.victim_kind, d.watch };

        r = count(m, &key, &d, err);
    }
    return r;
}

/* What was counted there before. 1: it is damaged, which err says; nothing of it is counted. */
static int read_row(struct daily_maker *m, const struct row_key *row, struct err *err)
{
    const int64_t at[3] = { row->directory, row->whose, row->day };
    sqlite3_stmt *s = m->s[READ];
    int code, r = 0;

    for (int i = 0; i < 3; i++)
        sqlite3_bind_int64(s, i + 1, at[i]);
    code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        struct bytes data = db_column_bytes(s, 0);

        r = daily_is_whole(s, 1, at, data) && is_readable((uint64_t)row->day, data) ? count_again(m, row, data, err) : 1;
        if (r == 1)
            (void)err_say(err, -EBADMSG, DAILY_DAMAGED, m->path, (long long)row->day);
    } else if (code != SQLITE_DONE) {
        r = db_error(m->db, m->path, err);
    }
    sqlite3_reset(s);
    return r;
}

/* r: 1, damage, with why. */
static int say(struct daily_maker *m, int r, const struct err *why, struct err *err)
{
    if (r == 1)
        m->fault = *why;
    return r < 0 ? err_say(err, r, "%s", err_text(why, r)) : r;
}

/* What was counted there before is at hand. 1: it is damaged, and stays as it is. */
static int see(struct daily_maker *m, const struct row_key *row, struct err *err)
{
    struct err why = ERR_INIT;
    struct row_seen *w;
    int r;

    HASH_FIND(hh, m->seen, row, sizeof(*row), w);
    if (w)
        return w->is_damaged;
    w = calloc(1, sizeof(*w));
    if (!w)
        return err_set(err, -ENOMEM, "the store");
    w->key = *row;
    HASH_ADD(hh, m->seen, key, sizeof(w->key), w);
    HASH_FREE_IF_OUT(hh, w);
    if (!w)
        return err_set(err, -ENOMEM, "the store");
    r = read_row(m, row, &why);
    w->is_damaged = r == 1;
    return say(m, r, &why, err);
}

/* Where a row counts: at and above its directory, of these each event once, though its old and its new name may both lie below; in all
 * there is; in itself, where it is deep. */
struct counted_places {
    int64_t at[DAILY_DEPTH + 3];
    unsigned above, count;
};

static void find_places(const struct counted_key *key, const struct daily_folder *f, const struct daily_folder *other,
                        struct counted_places *ret)
{
    *ret = (struct counted_places){ 0 };
    for (unsigned i = 0; i < f->count; i++)
        if (!other || !daily_folder_has(other, f->at[i]))
            ret->at[ret->count++] = f->at[i];
    ret->above = ret->count;
    if (key->place == 0)
        ret->at[ret->count++] = DAILY_ALL;
    if (f->is_deep)
        ret->at[ret->count++] = f->directory;
}

/* All of them, or none: what counted here and not there would not be found again. 1: one is damaged. */
static int see_places(struct daily_maker *m, const struct counted_key *key, const struct counted_places *places, struct err *err)
{
    int r = 0;

    for (unsigned i = 0; i < places->count && r == 0; i++)
        r = see(m, &(struct row_key){ places->at[i], key->whose, key->day }, err);
    return r;
}

static int count_in(struct daily_maker *m, const struct counted_key *key, const struct counted_places *places, const struct daily *d,
                    struct err *err)
{
    int r = 0;

    for (unsigned i = 0; i < places->count && r == 0; i++) {
        struct counted_key here = *key;

        here.directory = places->at[i];
        if (i < places->above) {
            here.place = here.place == 1 ? 0 : here.place;
            here.other = 0;
        }
        r = count(m, &here, d, err);
    }
    return r;
}

/* 1: the suspects of that day are damaged. */
static int find_suspect(struct daily_maker *m, const int64_t row[COLUMNS], struct counted_key *key, struct err *err)
{
    const uint64_t suspect[2] = { (uint64_t)row[SUSPECT], (uint64_t)row[REST] };
    struct err why = ERR_INIT;
    int r = daily_suspects_index(m->suspects, key->day, suspect, &key->suspect, &why);

    return say(m, r, &why, err);
}

/* 1: it counts in what is damaged, and stays a row. */
static int count_row(struct daily_maker *m, const int64_t row[COLUMNS], struct err *err)
{
    const struct daily d = { .count = (uint64_t)row[COUNT], .first_ns = (uint64_t)row[FIRST], .last_ns = (uint64_t)row[LAST],
                             .first_event = row[EVENT] };
    struct counted_key key = { .whose = row[PLACE] == 2 ? 0 : row[VICTIM], .day = (int64_t)((uint64_t)row[FIRST] / DAILY_NS),
                               .place = row[PLACE], .other = row[PLACE] == 1 ? row[OTHER] : 0, .operation = row[OPERATION], .error = row[FAILURE],
                               .victim = row[VICTIM], .victim_kind = row[VICTIM_KIND], .watch = row[WATCH] };
    const struct daily_folder *f = NULL, *other = NULL;
    struct counted_places places;
    int r = daily_folders_find(m->folders, row[DIRECTORY], &f, err);

    if (r == 0 && key.other)
        r = daily_folders_find(m->folders, key.other, &other, err);
    if (r < 0)
        return r;
    find_places(&key, f, other, &places);
    r = see_places(m, &key, &places, err);
    if (r == 0)
        r = find_suspect(m, row, &key, err);
    m->left_out |= r == 1;
    return r ? r : count_in(m, &key, &places, &d, err);
}

/* ---- writing ---- */

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_row(const struct counted_as *a, const struct counted_as *b)
{
    int r = compare(a->key.directory, b->key.directory);

    r = r ? r : compare(a->key.whose, b->key.whose);
    r = r ? r : compare(a->key.day, b->key.day);
    r = r ? r : compare((int64_t)a->first_ns, (int64_t)b->first_ns);
    return r ? r : compare(a->first_event, b->first_event);
}

static bool is_same_row(const struct counted_as *a, const struct counted_as *b)
{
    return a->key.directory == b->key.directory && a->key.whose == b->key.whose && a->key.day == b->key.day;
}

static int write_row(struct daily_maker *m, const struct counted_as *c, const struct sbuf *data, struct err *err)
{
    const int64_t at[3] = { c->key.directory, c->key.whose, c->key.day };
    sqlite3_stmt *s = m->s[WRITE];

    if (sbuf_error(data))
        return err_set(err, -ENOMEM, "the store");
    sqlite3_bind_int64(s, 1, c->key.directory);
    sqlite3_bind_int64(s, 2, c->key.whose);
    sqlite3_bind_int64(s, 3, c->key.day);
    db_bind_bytes(s, 4, sbuf_bytes(data));
    sqlite3_bind_int64(s, 5, daily_sum(at, sbuf_bytes(data)));
    return db_run(m->db, m->path, s, err);
}

static int write_counted(struct daily_maker *m, struct err *err)
{
    _cleanup_sbuf_ struct sbuf data = SBUF_INIT;
    struct daily before = { 0 };
    int r = 0;

    HASH_SORT(m->counted, by_row);
    for (const struct counted_as *c = m->counted, *next; c && r == 0; c = next) {
        const struct daily d = { c->key.place, c->key.other, c->key.suspect, c->key.operation, c->key.error, c->key.victim,
                                 c->key.victim_kind, c->key.watch, c->count, c->first_ns, c->last_ns, c->first_event };

        next = c->hh.next;
        if (!data.len)
            before = daily_before((uint64_t)c->key.day);
        daily_pack(&d, &before, &data);
        if (next && is_same_row(c, next))
            continue;
        r = write_row(m, c, &data, err);
        sbuf_clear(&data);
    }
    return r;
}

/* ---- a step ---- */

static int read_rows(struct daily_maker *m, unsigned *ret_count, struct err *err)
{
    sqlite3_stmt *s = m->s[NEXT_ROWS];
    int code = SQLITE_DONE;
    unsigned n = 0;

    for (int i = 0; i < KEYS; i++)
        sqlite3_bind_int64(s, i + 1, m->at[i]);
    sqlite3_bind_int64(s, KEYS + 1, ROWS);
    while (n < ROWS && (code = sqlite3_step(s)) == SQLITE_ROW) {
        for (int i = 0; i < COLUMNS; i++)
            m->rows[n][i] = sqlite3_column_int64(s, i);
        n++;
    }
    sqlite3_reset(s);
    *ret_count = n;
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : db_error(m->db, m->path, err);
}

static int remove_row(struct daily_maker *m, const int64_t row[COLUMNS], struct err *err)
{
    for (int i = 0; i < KEYS; i++)
        sqlite3_bind_int64(m->s[REMOVE], i + 1, row[i]);
    return db_run(m->db, m->path, m->s[REMOVE], err);
}

/* What was counted before hours were kept may be of many days: it stays. */
static bool is_due(const int64_t row[COLUMNS], int64_t hour)
{
    return row[HOUR] > 0 && row[HOUR] < hour && row[COUNT] > 0 && row[FIRST] >= 0 && row[FIRST] <= row[LAST] &&
           (uint64_t)row[FIRST] / DAILY_NS == (uint64_t)row[LAST] / DAILY_NS;
}

int daily_maker_step(struct daily_maker *m, uint64_t before_ns, struct err *err)
{
    const int64_t hour = (int64_t)(before_ns / ROLLUP_HOUR_NS);
    unsigned n = 0;
    int r;

    if (hour <= m->hour)
        return 0;
    r = read_rows(m, &n, err);
    for (unsigned i = 0; i < n && r == 0; i++) {
        if (!is_due(m->rows[i], hour))
            continue;
        r = count_row(m, m->rows[i], err);
        if (r == 0)
            r = remove_row(m, m->rows[i], err);
        r = MIN(r, 0); /* those behind one that stays do not wait for it */
    }
    if (r == 0)
        r = write_counted(m, err);
    if (r == 0)
        r = daily_suspects_write(m->suspects, err);
    forget(m);
    if (r < 0)
        return r;
    if (n)
        memcpy(m->at, m->rows[n - 1], sizeof(m->at));
    if (n == ROWS)
        return 1;
    if (!m->left_out)
        m->fault = ERR_INIT;
    daily_maker_roll_back(m); /* from the beginning, in an hour */
    m->hour = hour;
    return 0;
}
