/* SPDX-License-Identifier: MIT */
#include "history/lineage.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash_table.h"
#include "util/limits.h"
#include "util/macro.h"

struct lineage_entry {
    UT_hash_handle hh;
    pid_t pid;
    uint64_t time_ms; /* of its last sighting */
    uint64_t heard; /* how many had been added when it was last heard of */
    struct process *process;
};

struct login {
    UT_hash_handle hh;
    uint32_t session;
    struct arena arena;
    struct bytes address;
};

struct lineage {
    struct login *logins; /* in their order: the first gives way */
    struct lineage_entry *table; /* roughly in the order in which they were last seen: the first is evicted */
    uint64_t added;
};

struct lineage *lineage_new(void)
{
    return calloc(1, sizeof(struct lineage));
}

static void entry_free(struct lineage_entry *e)
{
    process_unref(e->process);
    free(e);
}

static void drop(struct lineage *l, struct lineage_entry *e)
{
    HASH_DEL(l->table, e);
    entry_free(e);
}

static void login_free(struct login *login)
{
    arena_done(&login->arena);
    free(login);
}

static void drop_login(struct lineage *l, struct login *login)
{
    HASH_DEL(l->logins, login);
    login_free(login);
}

void lineage_login(struct lineage *l, uint32_t session, struct bytes address)
{
    struct login *login;

    HASH_FIND(hh, l->logins, &session, sizeof(session), login);
    if (login)
        drop_login(l, login);
    if (session == SESSION_UNKNOWN || !(login = calloc(1, sizeof(*login))))
        return;
    if (HASH_COUNT(l->logins) >= LIMIT_HISTORY_PROCESSES)
        drop_login(l, l->logins);
    login->session = session;
    login->address = arena_copy(&login->arena, address);
    HASH_ADD(hh, l->logins, session, sizeof(login->session), login);
    if (!HASH_IS_IN(hh, login))
        login_free(login);
}

static struct bytes login_address(const struct lineage *l, uint32_t session)
{
    struct login *login = NULL;

    if (session != SESSION_UNKNOWN)
        HASH_FIND(hh, l->logins, &session, sizeof(session), login);
    return login ? login->address : BYTES_NULL;
}

void lineage_forget(struct lineage *l)
{
    struct lineage_entry *e, *next;

    while (l->logins)
        drop_login(l, l->logins);
    HASH_ITER(hh, l->table, e, next)
        drop(l, e);
}

void lineage_free(struct lineage *l)
{
    if (!l)
        return;
    lineage_forget(l);
    free(l);
}

static struct lineage_entry *find(const struct lineage *l, pid_t pid)
{
    struct lineage_entry *e;

    HASH_FIND_INT(l->table, &pid, e);
    return e;
}

/* A daemon launches for months: it is not forgotten for being old. Moved only now and then, that costs less. */
static struct lineage_entry *hear(struct lineage *l, struct lineage_entry *e)
{
    if (!e || l->added - e->heard < LIMIT_HISTORY_PROCESSES / 4)
        return e;
    HASH_DEL(l->table, e);
    e->heard = l->added;
    HASH_ADD_INT(l->table, pid, e);
    if (HASH_IS_IN(hh, e))
        return e;
    entry_free(e);
    return NULL;
}

static bool same_people(const struct process *p, const struct sighting *s)
{
    return p->cred.uid == s->cred.uid && p->cred.euid == s->cred.euid && p->login_uid == s->login_uid &&
           p->session == s->session;
}

/*
 * A log has no ends of processes: the pid may belong to another process now. It is the same one if it has the same launcher
 * and login and was seen not long ago: a pid is used again only after thousands of others.
 */
#define SAME_MS (3600 * 1000ull)

static bool is_same(const struct lineage_entry *e, const struct sighting *s)
{
    const struct process *p = e->process;

    bool kin = s->parent_pid > 1 ? p->parent_pid == s->parent_pid : !s->executes;

    return kin && p->login_uid == s->login_uid && p->session == s->session && s->time_ms < e->time_ms + SAME_MS;
}

static struct process *make(struct lineage *l, const struct sighting *s, const struct process *before)
{
    struct process *p = process_new(s->pid, 0);
    struct lineage_entry *parent;
    bool kept = before && before->parent && !s->executes &&
                (before->parent_pid == s->parent_pid || s->parent_pid == 1);

    if (!p)
        return NULL;
    process_set(p, &p->executable, s->executable);
    process_set(p, &p->name, s->name);
    process_set(p, &p->script, s->script);
    if (!s->script.data && before && !s->executes && bytes_equal(before->executable, s->executable))
        process_set(p, &p->script, before->script);
    process_set(p, &p->working_directory, s->working_directory);
    if (!s->executes && before && bytes_equal(before->executable, s->executable))
        process_set(p, &p->working_directory, before->working_directory);
    p->tty = process_terminal(&p->arena, s->tty);
    process_set(p, &p->user_name, s->user_name);
    process_set(p, &p->real_user_name, s->real_user_name);
    process_set(p, &p->login_name, s->login_name);
    if (bytes_known(s->args)) {
        p->args_truncated = s->args_cut || s->args.len > LIMIT_ARGS;
        process_set(p, &p->args, (struct bytes){ s->args.data, MIN(s->args.len, (size_t)LIMIT_ARGS) });
    } else if (before && bytes_equal(before->executable, s->executable)) {
        process_set(p, &p->args, before->args);
        p->args_truncated = before->args_truncated;
    }
    p->cred = s->cred;
    p->login_uid = s->login_uid;
    p->session = s->session;
    process_set(p, &p->remote, login_address(l, s->session));
    /* as launched: a process whose launcher is gone is handed to pid 1 */
    p->parent_pid = kept ? before->parent_pid : s->parent_pid;
    parent = s->parent_pid == s->pid ? NULL : hear(l, find(l, s->parent_pid));
    p->parent = process_ref(kept ? before->parent : parent ? parent->process : NULL);
    return p;
}

void lineage_see(struct lineage *l, const struct sighting *s)
{
    struct lineage_entry *e = hear(l, find(l, s->pid));
    struct process *p = e ? e->process : NULL;

    if (s->pid <= 0)
        return;
    if (p && !s->executes && bytes_equal(p->executable, s->executable) && bytes_equal(p->name, s->name) &&
        (p->parent_pid == s->parent_pid || s->parent_pid == 1) && same_people(p, s) &&
        (p->parent || !find(l, s->parent_pid)) && (!bytes_known(s->args) || p->args.data)) {
        e->time_ms = s->time_ms;
        return;
    }
    p = make(l, s, p);
    if (!p)
        return;
    if (e) {
        process_set_earlier(p, is_same(e, s) ? e->process : NULL);
        e->time_ms = s->time_ms;
        process_unref(e->process);
        e->process = p;
        return;
    }
    if (HASH_COUNT(l->table) >= LIMIT_HISTORY_PROCESSES)
        drop(l, l->table);
    e = calloc(1, sizeof(*e));
    if (!e) {
        process_unref(p);
        return;
    }
    e->pid = s->pid;
    e->process = p;
    e->time_ms = s->time_ms;
    e->heard = ++l->added;
    HASH_ADD_INT(l->table, pid, e);
    if (!HASH_IS_IN(hh, e))
        entry_free(e);
}

struct process *lineage_find(struct lineage *l, pid_t pid)
{
    struct lineage_entry *e = find(l, pid);

    return e ? process_ref(e->process) : NULL;
}
