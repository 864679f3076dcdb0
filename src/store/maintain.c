/* SPDX-License-Identifier: MIT */
#include "store/maintain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/compact.h"
#include "store/others.h"
#include "store/packed.h"
#include "store/prune.h"
#include "store/prune_look.h"
#include "store/schema.h"
#include "store/store.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define PAUSES 4          /* of a step, where somebody writes */
#define BACKUP_PAGES 1024 /* at a time */

static int number(sqlite3 *db, const char *path, const char *sql, uint64_t value, uint64_t *ret, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(db, path, sql, &s, err);

    if (r == 0 && sqlite3_bind_parameter_count(s) > 0)
        sqlite3_bind_int64(s, 1, (sqlite3_int64)value);
    if (r == 0 && sqlite3_step(s) == SQLITE_ROW)
        *ret = (uint64_t)sqlite3_column_int64(s, 0);
    else if (r == 0)
        r = db_error(db, path, err);
    sqlite3_finalize(s);
    return r;
}

static int count_bytes(sqlite3 *db, const char *path, uint64_t *ret, struct err *err)
{
    return number(db, path, "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, "
                            "pragma_page_size", 0, ret, err);
}

/* Not older than that: the events of a block are looked at where it lies on both sides. */
static int count_events(sqlite3 *db, const char *path, uint64_t since_ns, uint64_t *ret, struct err *err)
{
    return number(db, path, "SELECT (SELECT count(*) FROM event WHERE time_ns >= ?1) + "
                            "ifnull((SELECT sum(count) FROM block WHERE first_ns >= ?1), 0) + "
                            "(SELECT count(*) FROM block b CROSS JOIN packed(b.row) e WHERE b.first_ns < ?1 AND b.last_ns >= ?1 "
                            "AND e.time_ns >= ?1)", since_ns, ret, err);
}

struct pruning {
    sqlite3 *db;
    const char *path;
    uint64_t now_ns; /* one moment, or there is always more */
    bool *others;    /* once there are, what they remember must stay */
    struct err *fault; /* what was left as it is */
};

static void note_fault(const struct pruning *p, const char *fault)
{
    if (fault[0])
        snprintf(p->fault->text, sizeof(p->fault->text), "%s", fault);
}

/* Before each step, but for the first: others may write for most of the time. */
static int before_step(const struct pruning *p, uint64_t *begin_ns, struct err *err)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (*p->others && *begin_ns)
        usleep((useconds_t)((now - *begin_ns) * PAUSES / 1000 + 1000));
    *begin_ns = clock_ns(CLOCK_MONOTONIC);
    return *p->others ? 0 : others_are_alive(p->db, p->path, p->now_ns, p->others, err);
}

/* sweep: and what nothing refers to any more. */
static int remove_events(const struct pruning *p, const struct store_retention *retention, bool sweep, struct err *err)
{
    const struct rows_in_use nobody = { 0 };
    struct pruner *pruner = NULL;
    uint64_t begin_ns = 0;
    bool forget;
    int r = pruner_new(p->db, p->path, retention, &pruner, err), more = 1;

    while (r == 0 && more == 1) {
        r = before_step(p, &begin_ns, err);
        if (r == 0)
            more = pruner_step(pruner, p->now_ns, *p->others || !sweep ? NULL : &nobody, &forget, err);
    }
    if (pruner)
        note_fault(p, pruner_fault(pruner));
    pruner_free(pruner);
    return r < 0 ? r : more;
}

static int compact(const struct pruning *p, struct err *err)
{
    struct compactor *compactor = NULL;
    uint64_t begin_ns = 0;
    int r = compactor_new(p->db, p->path, &compactor, err), more = 1;

    while (r == 0 && more == 1) {
        r = before_step(p, &begin_ns, err);
        if (r == 0)
            more = compactor_run(compactor, p->now_ns, RETENTION_COMPACT_NS, err);
    }
    if (compactor)
        note_fault(p, compactor_fault(compactor));
    compactor_free(compactor);
    return r < 0 ? r : more;
}

/* By age, then what is left takes less room, then by size; what is free is given back after that. */
static int remove_all(sqlite3 *db, const char *path, const struct store_retention *retention, bool *others, struct err *err)
{
    struct err fault = ERR_INIT;
    const struct pruning p = { .db = db, .path = path, .now_ns = clock_ns(CLOCK_REALTIME), .others = others, .fault = &fault };
    const struct store_retention by_age = { .age_ns = retention->age_ns };
    int r = by_age.age_ns ? remove_events(&p, &by_age, false, err) : 0;

    if (r == 0)
        r = compact(&p, err);
    if (r == -ENOSPC) /* what is removed next makes room */
        r = 0;
    if (r == 0)
        r = remove_events(&p, retention, true, err);
    return r == 0 && fault.text[0] ? err_say(err, -EBADMSG, "%s; all else is done", fault.text) : r;
}

int store_prune(const char *path, const struct store_retention *retention, bool dry_run, struct store_pruned *ret, struct err *err)
{
    const char *name = path ? path : STORE_DEFAULT_PATH;
    struct store_pruned p = { 0 };
    struct schema_parts has;
    struct stat st;
    sqlite3 *db = NULL;
    uint64_t now = clock_ns(CLOCK_REALTIME);
    int r = db_look(name, &st, err); /* none is made */

    if (r == 0)
        r = db_open(name, dry_run, &db, NULL, err);
    if (r == 0)
        r = dry_run ? schema_check(db, name, &has, err) : schema_migrate(db, name, err);
    if (r == 0 && dry_run && !has.floors)
        r = err_say(err, -EPROTO, "the store %s was written by an older culprit: it is brought up to date without --dry-run", name);
    if (r == 0)
        r = packed_register(db, name, err);
    if (r == 0)
        r = number(db, name, "SELECT floor_ns FROM watch WHERE row = 0", 0, &p.floor_ns, err);
    if (r == 0)
        r = count_events(db, name, p.floor_ns, &p.events, err);
    if (r == 0)
        r = count_bytes(db, name, &p.bytes, err);
    if (r == 0 && !dry_run)
        r = remove_all(db, name, retention, &p.others, err);
    if (r == 0 && !dry_run)
        r = number(db, name, "SELECT floor_ns FROM watch WHERE row = 0", 0, &p.floor_ns, err);
    if (r == 0 && dry_run)
        p.floor_ns = MAX(p.floor_ns, pruner_floor_for_age(retention->age_ns, now));
    if (r == 0)
        r = count_events(db, name, p.floor_ns, &p.events_left, err);
    if (r == 0)
        r = count_bytes(db, name, &p.bytes_left, err);
    sqlite3_close(db);
    if (r == 0)
        *ret = p;
    return r;
}

/* ---- a copy ---- */

/* One moment's: a transaction is open, so that what is written meanwhile does not begin it anew. */
static int copy_pages(sqlite3 *from, const char *path, sqlite3 *to, const char *name, struct err *err)
{
    uint64_t events;
    sqlite3_backup *b;
    int code = SQLITE_OK, r = db_exec(from, path, "BEGIN", err);

    if (r == 0)
        r = number(from, path, "SELECT count(*) FROM sqlite_master", 0, &events, err);
    if (r < 0)
        return r;
    b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return db_error(to, name, err);
    while (code == SQLITE_OK)
        code = sqlite3_backup_step(b, BACKUP_PAGES);
    r = sqlite3_backup_finish(b) == SQLITE_OK && code == SQLITE_DONE ? 0 : db_error(to, name, err);
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(from, path, err);
    return r == 0 && code != SQLITE_DONE ? err_say(err, -EIO, "copying the store %s", path) : r;
}

static int copy_to(sqlite3 *from, const char *path, const char *name, struct err *err)
{
    sqlite3 *to = NULL;
    int r = sqlite3_open_v2(name, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK ? 0 : db_error(to, name, err);

    if (r == 0)
        r = copy_pages(from, path, to, name, err);
    if (r == 0) /* one file, which needs none beside it */
        r = db_exec(to, name, "PRAGMA journal_mode = DELETE", err);
    sqlite3_close(to);
    return r;
}

/* The name is given once all is there, and on the disk: SQLite has seen to that. */
static int give_name(const char *temporary, const char *to, bool force, struct err *err)
{
    int r = 0;

    if (force)
        r = rename(temporary, to) < 0 ? -errno : 0;
    else if (link(temporary, to) < 0)
        r = -errno;
    else
        (void)unlink(temporary);
    if (r == -EEXIST)
        return err_say(err, r, "%s is there already: give another name, or --force", to);
    return r < 0 ? err_set(err, r, "%s", to) : 0;
}

int store_backup(const char *path, const char *to, bool force, uint64_t *ret_bytes, struct err *err)
{
    const char *name = path ? path : STORE_DEFAULT_PATH;
    _cleanup_sbuf_ struct sbuf temporary = SBUF_INIT;
    struct schema_parts has;
    sqlite3 *from = NULL;
    struct stat st;
    int fd, r = db_open(name, true, &from, NULL, err);

    if (r == 0)
        r = schema_check(from, name, &has, err);
    if (r == 0 && !force && lstat(to, &st) == 0)
        r = err_say(err, -EEXIST, "%s is there already: give another name, or --force", to);
    if (r == 0 && force && lstat(to, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        r = err_say(err, -EEXIST, "%s is there already, and is no file: give another name", to);
    sbuf_addf(&temporary, "%s%s.XXXXXX", to[0] == '/' ? "" : "./", to);
    if (r == 0 && sbuf_error(&temporary))
        r = err_set(err, -ENOMEM, "the copy");
    if (r == 0) {
        fd = mkostemp(temporary.data, O_CLOEXEC); /* 0600 */
        r = fd < 0 ? err_set(err, -errno, "making %s", sbuf_str(&temporary)) : 0;
        if (fd >= 0)
            close(fd);
        if (r == 0) {
            r = copy_to(from, name, sbuf_str(&temporary), err);
            if (r == 0)
                r = give_name(sbuf_str(&temporary), to, force, err);
            if (r < 0)
                (void)unlink(sbuf_str(&temporary));
        }
    }
    sqlite3_close(from);
    if (r == 0 && stat(to, &st) == 0)
        *ret_bytes = (uint64_t)st.st_size;
    return r;
}
