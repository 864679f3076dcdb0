/* SPDX-License-Identifier: MIT */
#include "store/daily_suspects.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/daily.h"
#include "util/hash_table.h"

struct suspect_at {
    uint64_t words[2];
    int64_t index;
    UT_hash_handle hh;
};

struct day_suspects {
    int64_t day;
    struct suspect_at *all;
    struct sbuf data;
    bool changed, is_damaged;
    UT_hash_handle hh;
};

struct daily_suspects {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *read, *write;
    struct day_suspects *days;
};

int daily_suspects_new(sqlite3 *db, const char *path, struct daily_suspects **ret, struct err *err)
{
    struct daily_suspects *m = calloc(1, sizeof(*m));
    int r;

    if (!m)
        return err_set(err, -ENOMEM, "the store");
    m->db = db;
    m->path = path;
    r = db_prepare(db, path, "SELECT data, sum FROM daily_suspect WHERE day = ?", &m->read, err);
    if (r == 0)
        r = db_prepare(db, path, "INSERT OR REPLACE INTO daily_suspect (day, data, sum) VALUES (?, ?, ?)", &m->write, err);
    if (r < 0) {
        daily_suspects_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

void daily_suspects_forget(struct daily_suspects *m)
{
    struct day_suspects *d, *next;
    struct suspect_at *a, *a_next;

    HASH_ITER(hh, m->days, d, next) {
        HASH_ITER(hh, d->all, a, a_next) {
            HASH_DEL(d->all, a);
            free(a);
        }
        HASH_DEL(m->days, d);
        sbuf_done(&d->data);
        free(d);
    }
}

void daily_suspects_free(struct daily_suspects *m)
{
    if (!m)
        return;
    daily_suspects_forget(m);
    sqlite3_finalize(m->read);
    sqlite3_finalize(m->write);
    free(m);
}

static struct suspect_at *add_suspect(struct day_suspects *d, const uint64_t words[2])
{
    struct suspect_at *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    memcpy(a->words, words, sizeof(a->words));
    a->index = HASH_COUNT(d->all);
    HASH_ADD(hh, d->all, words, sizeof(a->words), a);
    HASH_FREE_IF_OUT(hh, a);
    return a;
}

/* 1 */
static int damaged(const struct daily_suspects *m, const struct day_suspects *d, struct err *err)
{
    (void)err_say(err, -EBADMSG, DAILY_DAMAGED, m->path, (long long)d->day);
    return 1;
}

static int read_suspects(struct daily_suspects *m, struct day_suspects *d, struct err *err)
{
    sqlite3_stmt *s = m->read;
    const int64_t key[3] = { 0, 0, d->day };
    bool is_whole = true;
    int code, r = 0;

    sqlite3_bind_int64(s, 1, d->day);
    code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        sbuf_add_bytes(&d->data, db_column_bytes(s, 0));
        is_whole = daily_is_whole(s, 1, key, db_column_bytes(s, 0));
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        r = db_error(m->db, m->path, err);
    sqlite3_reset(s);
    d->is_damaged = r == 0 && (!is_whole || d->data.len % DAILY_SUSPECT);
    if (d->is_damaged)
        return damaged(m, d, err);
    for (size_t at = 0; r == 0 && at < d->data.len; at += DAILY_SUSPECT) {
        uint64_t words[2];

        memcpy(words, d->data.data + at, sizeof(words));
        words[0] = le64toh(words[0]);
        words[1] = le64toh(words[1]);
        if (!add_suspect(d, words))
            r = err_set(err, -ENOMEM, "the store");
    }
    return r < 0 ? r : sbuf_error(&d->data);
}

static int suspects_of(struct daily_suspects *m, int64_t day, struct day_suspects **ret, struct err *err)
{
    struct day_suspects *d;

    HASH_FIND(hh, m->days, &day, sizeof(day), d);
    *ret = d;
    if (d)
        return d->is_damaged ? damaged(m, d, err) : 0;
    d = calloc(1, sizeof(*d));
    if (!d)
        return err_set(err, -ENOMEM, "the store");
    d->day = day;
    HASH_ADD(hh, m->days, day, sizeof(d->day), d);
    HASH_FREE_IF_OUT(hh, d);
    if (!d)
        return err_set(err, -ENOMEM, "the store");
    *ret = d;
    return read_suspects(m, d, err);
}

int daily_suspects_index(struct daily_suspects *m, int64_t day, const uint64_t words[2], int64_t *ret, struct err *err)
{
    const uint64_t stored[2] = { htole64(words[0]), htole64(words[1]) };
    struct suspect_at *a;
    struct day_suspects *d;
    int r = suspects_of(m, day, &d, err);

    if (r)
        return r;
    HASH_FIND(hh, d->all, words, sizeof(a->words), a);
    if (!a) {
        a = add_suspect(d, words);
        if (!a)
            return err_set(err, -ENOMEM, "the store");
        sbuf_add(&d->data, (const char *)stored, sizeof(stored));
        d->changed = true;
    }
    *ret = a->index;
    return 0;
}

int daily_suspects_write(struct daily_suspects *m, struct err *err)
{
    sqlite3_stmt *s = m->write;
    int r = 0;

    for (const struct day_suspects *d = m->days; d && r == 0; d = d->hh.next) {
        const int64_t key[3] = { 0, 0, d->day };

        if (!d->changed)
            continue;
        if (sbuf_error(&d->data))
            return err_set(err, -ENOMEM, "the store");
        sqlite3_bind_int64(s, 1, d->day);
        db_bind_bytes(s, 2, sbuf_bytes(&d->data));
        sqlite3_bind_int64(s, 3, daily_sum(key, sbuf_bytes(&d->data)));
        r = db_run(m->db, m->path, s, err);
    }
    return r;
}
