/* SPDX-License-Identifier: MIT */
/*
 * lastlog has one login of each user, the last one: it still has those whose wtmp was rotated away. It is as long as the highest uid asks
 * for, and mostly a hole. Since 2024 distributions go over to lastlog2 and wtmpdb, two databases of SQLite.
 */
#include "clues/last_logins.h"

#include <errno.h>
#include <lastlog.h>
#include <stdio.h>
#include <unistd.h>

#include "clues/people.h"
#include "clues/source.h"
#include "engine/flat.h"
#include "foreign/database.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define LASTLOG "/var/log/lastlog"
#define LASTLOG2 "/var/lib/lastlog/lastlog2.db"
#define PASSWD "/etc/passwd"
#define PARTS_MAX (1024 * 1024) /* bytes of lastlog that are no hole: 3500 users */
#define DATABASE_MAX (32 * 1024 * 1024)
#define PASSWD_MAX (1024 * 1024)
#define VALUE_MAX (64 * 1024)
#define STEPS 5000000
#define BOOTS_MAX 1024
#define NS_PER_US 1000u

/* By their places: wtmpdb's was moved. */
static const char *const wtmpdbs[] = { "/var/lib/wtmpdb/wtmp.db", "/var/log/wtmp.db" };

/* ---- gathering ---- */

/* The parts that are no hole, by whole records. */
static int gather_lastlog(struct gathered *g, int root)
{
    _cleanup_close_ int fd = beneath_open_file(root, bytes_of(LASTLOG));
    const off_t record = sizeof(struct lastlog);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    off_t at = 0, data;

    while (fd >= 0 && out.len < PARTS_MAX && (data = lseek(fd, at, SEEK_DATA)) >= 0) {
        off_t hole = lseek(fd, data, SEEK_HOLE), from = MAX(data - data % record, at);
        _cleanup_free_ char *part = NULL;
        size_t len;

        if (hole <= data || beneath_read_part(fd, from, (size_t)MIN((hole - from + record - 1) / record * record, (off_t)PARTS_MAX), &part, &len) < 0)
            break;
        flat_put_u64(&out, (uint64_t)from);
        flat_put_bytes(&out, (struct bytes){ part, len });
        at = from + (off_t)(len - len % (size_t)record);
        if (len < (size_t)record)
            break;
    }
    return fd < 0 ? 0 : clue_gather_text(g, LASTLOG, &out);
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r;

    (void)request;
    if (root < 0)
        return root;
    r = gather_lastlog(g, root);
    if (r == 0)
        r = clue_gather_file(g, root, LASTLOG2, DATABASE_MAX, false);
    for (size_t i = 0; i < ARRAY_SIZE(wtmpdbs) && r == 0; i++)
        r = clue_gather_file(g, root, wtmpdbs[i], DATABASE_MAX, false);
    if (r == 0 && !g->count)
        return -ENOENT;
    return r == 0 ? clue_gather_file(g, root, PASSWD, PASSWD_MAX, false) : r;
}

/* ---- pure ---- */

static struct bytes text_of(const char *field, size_t size)
{
    return (struct bytes){ field, strnlen(field, size) };
}

/* Its name in /etc/passwd; empty: it has none. */
static struct bytes name_of(struct bytes passwd, uint64_t uid)
{
    while (passwd.len) {
        struct bytes line = bytes_next_line(&passwd), name = bytes_next_field(&line, ':');
        uint64_t number;

        (void)bytes_next_field(&line, ':');
        if (parse_u64(bytes_next_field(&line, ':'), 10, &number) == 0 && number == uid)
            return name;
    }
    return BYTES_NULL;
}

/* How long it lasted is not on record: only where it began just before a moment it says something. */
static bool is_near(const struct clue_question *q, uint64_t ns)
{
    return ns && clue_span_of(q, ns, CLUE_BEFORE_NS) >= 0;
}

void last_logins_part(struct sbuf *answer, const struct clue_question *q, struct bytes passwd, uint64_t from, struct bytes part)
{
    uint64_t uid = from / sizeof(struct lastlog);
    struct lastlog l;

    for (; part.len >= sizeof(l); part = (struct bytes){ part.data + sizeof(l), part.len - sizeof(l) }, uid++) {
        struct login_session s = { .from_ns = 0 };
        char number[32];

        memcpy(&l, part.data, sizeof(l));
        s.from_ns = (uint64_t)(uint32_t)l.ll_time * NS_PER_S;
        if (!is_near(q, s.from_ns))
            continue;
        s.user = name_of(passwd, uid);
        if (!s.user.len) {
            snprintf(number, sizeof(number), "uid %llu", (unsigned long long)uid);
            s.user = bytes_of(number);
        }
        s.line = text_of(l.ll_line, sizeof(l.ll_line));
        s.host = text_of(l.ll_host, sizeof(l.ll_host));
        people_session(answer, q, bytes_of(LASTLOG), &s);
    }
}

static struct bytes column(sqlite3_stmt *s, int i)
{
    const char *text = (const char *)sqlite3_column_text(s, i);

    return text ? (struct bytes){ text, (size_t)sqlite3_column_bytes(s, i) } : BYTES_NULL;
}

/* 0: none, or beyond what a time can be. */
static uint64_t time_in(sqlite3_stmt *s, int i, uint64_t unit_ns)
{
    sqlite3_int64 n = sqlite3_column_int64(s, i);

    return n > 0 && (uint64_t)n < UINT64_MAX / unit_ns ? (uint64_t)n * unit_ns : 0;
}

void last_logins_lastlog2(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes database)
{
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;

    if (foreign_database_open(database, VALUE_MAX, STEPS, &db) < 0)
        return;
    if (sqlite3_prepare_v2(db, "SELECT Name, Time, TTY, RemoteHost FROM Lastlog2", -1, &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW) {
            struct login_session session = { column(s, 0), column(s, 2), column(s, 3), time_in(s, 1, NS_PER_S), 0 };

            if (is_near(q, session.from_ns))
                people_session(answer, q, name, &session);
        }
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* The first start of the machine behind it; 0: none. */
static uint64_t started_after(const uint64_t *boots, size_t count, uint64_t ns)
{
    uint64_t first = 0;

    for (size_t i = 0; i < count; i++)
        if (boots[i] > ns && (!first || boots[i] < first))
            first = boots[i];
    return first;
}

uint64_t last_logins_wtmpdb(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes database)
{
    static uint64_t boots[BOOTS_MAX]; /* too large for a stack; a worker has one thread */
    uint64_t first = 0;
    size_t count = 0;
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;

    if (foreign_database_open(database, VALUE_MAX, STEPS, &db) < 0)
        return 0;
    /* types are those of utmp's records in another numbering: 1 a start, 3 a session. The latest starts first: of a session that has no
     * end the next one is it. */
    if (sqlite3_prepare_v2(db, "SELECT Type, Login, Logout, User, TTY, RemoteHost FROM wtmp ORDER BY Login DESC", -1, &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW) {
            uint64_t ns = time_in(s, 1, NS_PER_US);

            first = ns ? ns : first;
            if (sqlite3_column_int(s, 0) == 1) {
                people_machine(answer, q, name, ns, true);
                people_machine(answer, q, name, time_in(s, 2, NS_PER_US), false);
                if (count < BOOTS_MAX)
                    boots[count++] = ns;
            } else if (sqlite3_column_int(s, 0) == 3) {
                struct login_session session = { column(s, 3), column(s, 4), column(s, 5), ns, time_in(s, 2, NS_PER_US) };

                if (!session.to_ns)
                    session.to_ns = started_after(boots, count, ns);
                people_session(answer, q, name, &session);
            }
        }
    sqlite3_finalize(s);
    sqlite3_close(db);
    return first;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes parts = gathered_get(g, LASTLOG), part;
    struct clue_question q;
    uint64_t from, first = 0;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    while (parts.len && flat_get_u64(&parts, &from) == 0 && flat_get_bytes(&parts, &part) == 0)
        last_logins_part(answer, &q, gathered_get(g, PASSWD), from, part);
    if (gathered_get(g, LASTLOG2).len)
        last_logins_lastlog2(answer, &q, bytes_of(LASTLOG2), gathered_get(g, LASTLOG2));
    for (size_t i = 0; i < ARRAY_SIZE(wtmpdbs); i++)
        if (gathered_get(g, wtmpdbs[i]).len && !first)
            first = last_logins_wtmpdb(answer, &q, bytes_of(wtmpdbs[i]), gathered_get(g, wtmpdbs[i]));
    clue_put_cover(answer, first, 0); /* only wtmpdb has all logins */
    return 0;
}

const struct foreign_job clue_job_last_logins = { "the last logins", 2 * DATABASE_MAX + 4 * PARTS_MAX, gather, parse, false };
