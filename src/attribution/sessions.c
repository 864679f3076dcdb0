/* SPDX-License-Identifier: MIT */
#include "attribution/sessions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utmpx.h>

#include "attribution/asked.h"
#include "attribution/peer.h"
#include "attribution/procfs.h"
#include "cause/launcher.h"
#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/macro.h"
#include "util/parse.h"

#define LOGIND_MAX 16384       /* a session's file has some 20 short lines */
#define UTMP_MAX (1024 * 1024) /* 2,700 logins */
#define WAIT_MS 300            /* before the event goes on without */
#define WORKER_MS 2000         /* a worker's deadline */
#define TRIES 4                /* times that a session is asked about */
#define TRY_AGAIN_NS NS_PER_S
#define REMEMBERED 1024        /* sessions; the oldest goes first */

struct session {
    struct {
        uint32_t session; /* SESSION_UNKNOWN: known by its first process */
        pid_t pid;
        uint64_t start_ns;
    } key;
    UT_hash_handle hh;
    char remote[SESSIONS_ADDRESS]; /* empty: none */
    unsigned tries;
    uint64_t asked_ns; /* CLOCK_MONOTONIC */
    struct foreign_pending pending;
};

struct sessions {
    const char *proc;
    const char *root;
    struct asked_processes *peers;   /* of the processes of sshd */
    struct session *known; /* in the order of their making */
};

int sessions_new(const char *root, const char *proc, struct sessions **ret, struct err *err)
{
    struct sessions *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(err, -ENOMEM, "sessions");
    s->proc = proc;
    s->root = root;
    if (asked_new(&peer_job, proc, &s->peers, err) < 0) {
        free(s);
        return -ENOMEM;
    }
    *ret = s;
    return 0;
}

static void forget(struct sessions *s, struct session *known)
{
    HASH_DEL(s->known, known);
    foreign_pending_done(&known->pending);
    free(known);
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    while (s->known)
        forget(s, s->known);
    asked_free(s->peers);
    free(s);
}

/* ---- pure parts ---- */

/* An address or a host's name, and nothing else: some of this was written by those who log in. */
static struct bytes address(struct bytes text)
{
    if (!text.len || text.len >= SESSIONS_ADDRESS)
        return BYTES_NULL;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:%-_", text.data[i]) || !text.data[i])
            return BYTES_NULL;
    return text;
}

struct bytes sessions_parse_logind(struct bytes text, uint32_t session)
{
    uint32_t audit;

    if (parse_u32(procfs_variable(text, "AUDIT", '\n'), 10, &audit) < 0 || audit != session ||
        !bytes_equal_str(procfs_variable(text, "REMOTE", '\n'), "1"))
        return BYTES_NULL;
    return address(procfs_variable(text, "REMOTE_HOST", '\n'));
}

static struct bytes until_nul(const char *text, size_t size)
{
    return (struct bytes){ text, strnlen(text, size) };
}

static struct bytes utmp_address(const struct utmpx *u, char buffer[SESSIONS_ADDRESS])
{
    const char *text = NULL;
    struct bytes host;

    if (u->ut_addr_v6[1] || u->ut_addr_v6[2] || u->ut_addr_v6[3])
        text = inet_ntop(AF_INET6, u->ut_addr_v6, buffer, SESSIONS_ADDRESS);
    else if (u->ut_addr_v6[0])
        text = inet_ntop(AF_INET, u->ut_addr_v6, buffer, SESSIONS_ADDRESS);
    if (text)
        return bytes_of(text);
    host = address(until_nul(u->ut_host, sizeof(u->ut_host)));
    if (!host.len || host.data[0] == ':') /* ":0": a display of this machine */
        return BYTES_NULL;
    memcpy(buffer, host.data, host.len);
    return (struct bytes){ buffer, host.len };
}

struct bytes sessions_parse_utmp(struct bytes text, struct bytes terminal, struct bytes user, char buffer[SESSIONS_ADDRESS])
{
    struct utmpx u;

    for (; text.len >= sizeof(u); text = (struct bytes){ text.data + sizeof(u), text.len - sizeof(u) }) {
        memcpy(&u, text.data, sizeof(u));
        if (u.ut_type == USER_PROCESS && terminal.len &&
            bytes_equal(until_nul(u.ut_line, sizeof(u.ut_line)), terminal) &&
            bytes_equal(until_nul(u.ut_user, sizeof(u.ut_user)), user))
            return utmp_address(&u, buffer);
    }
    return BYTES_NULL;
}

struct bytes sessions_parse_environment(struct bytes text)
{
    struct bytes value = procfs_variable(text, "SSH_CONNECTION", '\0');
    const char *space = value.len ? memchr(value.data, ' ', value.len) : NULL;

    return space ? address((struct bytes){ value.data, (size_t)(space - value.data) }) : BYTES_NULL;
}

/* ---- in a worker ---- */

/* What is asked, each part ended by a NUL. */
enum session_part { PART_SESSION, PART_TERMINAL, PART_USER, PART_PID, PART_START, PART_ROOT, PART_PROC, PART_COUNT };

static bool take_request(struct bytes request, struct bytes parts[PART_COUNT])
{
    for (unsigned i = 0; i < PART_COUNT; i++) {
        const char *end = request.len ? memchr(request.data, '\0', request.len) : NULL;

        if (!end)
            return false;
        parts[i] = (struct bytes){ request.data, (size_t)(end - request.data) };
        request = (struct bytes){ end + 1, request.len - parts[i].len - 1 };
    }
    return true;
}

static int gather_file(struct bytes root, const char *path, size_t max, struct gathered *g, const char *name)
{
    _cleanup_close_ int fd = open(root.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *text;
    size_t len;

    if (fd < 0 || beneath_read_file(fd, bytes_of(path), max, &text, &len) < 0)
        return 0;
    return gathered_add(g, name, text, len);
}

static int gather(struct bytes request, struct gathered *g)
{
    struct bytes parts[PART_COUNT];
    uint64_t start_ns = 0;
    char path[64], *text;
    uint32_t pid = 0;
    size_t len;
    int r = 0;

    if (!take_request(request, parts))
        return -EINVAL;
    snprintf(path, sizeof(path), "/run/systemd/sessions/%s", parts[PART_SESSION].data);
    if (parts[PART_SESSION].len)
        r = gather_file(parts[PART_ROOT], path, LOGIND_MAX, g, "logind");
    if (r == 0 && parts[PART_TERMINAL].len)
        r = gather_file(parts[PART_ROOT], "/run/utmp", UTMP_MAX, g, "utmp");
    if (r == 0 && parse_u32(parts[PART_PID], 10, &pid) == 0 && parse_u64(parts[PART_START], 10, &start_ns) == 0 &&
        procfs_read_environment(parts[PART_PROC].data, (pid_t)pid, start_ns, &text, &len) == 0)
        r = gathered_add(g, "environment", text, len);
    return r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes parts[PART_COUNT], remote = BYTES_NULL;
    char buffer[SESSIONS_ADDRESS];
    uint32_t session;

    if (!take_request(request, parts))
        return -EINVAL;
    if (parse_u32(parts[PART_SESSION], 10, &session) == 0)
        remote = sessions_parse_logind(gathered_get(g, "logind"), session);
    if (!remote.len)
        remote = sessions_parse_utmp(gathered_get(g, "utmp"), parts[PART_TERMINAL], parts[PART_USER], buffer);
    if (!remote.len)
        remote = sessions_parse_environment(gathered_get(g, "environment"));
    sbuf_add_bytes(answer, remote);
    return sbuf_error(answer);
}

static const struct foreign_job job = { "where a login came from", LOGIND_MAX + UTMP_MAX + 2 * 65536, gather, parse, false };

/* ---- asking it ---- */

/* The process that sshd started for a login: its own child that is not sshd. NULL: nobody came by ssh. */
static const struct process *by_sshd(const struct process *p)
{
    for (unsigned depth = 0; p && p->parent && depth < LIMIT_LINEAGE; depth++, p = p->parent)
        if (bytes_starts_with(bytes_basename(p->parent->executable), bytes_of("sshd")))
            return bytes_starts_with(bytes_basename(p->executable), bytes_of("sshd")) ? NULL : p;
    return NULL;
}

static void add_part(struct sbuf *request, struct bytes text)
{
    sbuf_add_bytes(request, text);
    sbuf_add_char(request, '\0');
}

static void take(struct session *to, struct bytes request, unsigned wait_ms)
{
    struct bytes answer = BYTES_NULL;
    int r = foreign_wait(&to->pending, &job, request, WORKER_MS, wait_ms, &answer);

    if (r == 0 && answer.len && answer.len < sizeof(to->remote))
        memcpy(to->remote, answer.data, answer.len);
    if (r != -EAGAIN)
        foreign_pending_done(&to->pending);
}

/* Answers that came late, of sessions that nobody asks about any more: each has a descriptor. */
static void collect(struct sessions *s)
{
    for (struct session *known = s->known; known; known = known->hh.next)
        if (known->pending.fd >= 0)
            take(known, BYTES_NULL, 0);
}

static void ask(struct sessions *s, const struct process *p, const struct process *first, struct session *to)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    bool by_terminal = p->origin == ORIGIN_HOST && p->login_name.len; /* utmp is the host's */

    if (p->session != SESSION_UNKNOWN)
        sbuf_addf(&request, "%u", p->session);
    add_part(&request, BYTES_NULL);
    add_part(&request, by_terminal ? p->tty : BYTES_NULL);
    add_part(&request, by_terminal ? p->login_name : BYTES_NULL);
    if (first && first->start_ns)
        sbuf_addf(&request, "%d%c%llu", first->pid, '\0', (unsigned long long)first->start_ns);
    else
        add_part(&request, BYTES_NULL);
    add_part(&request, BYTES_NULL);
    add_part(&request, bytes_of(s->root));
    add_part(&request, bytes_of(s->proc));
    if (to->pending.fd < 0) {
        to->tries++;
        to->asked_ns = clock_ns(CLOCK_MONOTONIC);
    }
    if (!sbuf_error(&request))
        take(to, sbuf_bytes(&request), WAIT_MS);
}

static bool is_sshd(const struct process *p)
{
    const struct launcher_row *row = launcher_find(p, bytes_basename(p->executable));

    return row && row->kind == LAUNCHER_SSH;
}

void sessions_see(struct sessions *s, const struct process *p)
{
    if (p->parent && is_sshd(p) && is_sshd(p->parent))
        asked_put(s->peers, p);
}

/* By the socket of the nearest sshd above it that has one peer: the kernel's word. */
static void ask_sshd(struct sessions *s, const struct process *p, struct session *to)
{
    struct bytes answer;

    for (unsigned depth = 0; p && depth < LIMIT_LINEAGE; depth++, p = p->parent) {
        if (!is_sshd(p))
            continue;
        if (!p->exited_ns)
            asked_put(s->peers, p);
        if (asked_get(s->peers, p->pid, p->start_ns, WAIT_MS, &answer) == 0 && answer.len < sizeof(to->remote)) {
            memcpy(to->remote, answer.data, answer.len);
            return;
        }
    }
}

static struct session *remember(struct sessions *s, const struct session *key)
{
    struct session *new = calloc(1, sizeof(*new)), *oldest = s->known;

    if (!new)
        return NULL;
    if (HASH_COUNT(s->known) >= REMEMBERED)
        forget(s, oldest);
    collect(s);
    new->pending = FOREIGN_PENDING_NONE;
    new->key = key->key;
    HASH_ADD(hh, s->known, key, sizeof(new->key), new);
    HASH_FREE_IF_OUT(hh, new);
    return new;
}

struct bytes sessions_remote(struct sessions *s, const struct process *p)
{
    const struct process *first = by_sshd(p);
    struct session key, *known;

    if (p->session == SESSION_UNKNOWN && !first)
        return BYTES_NULL;
    memset(&key, 0, sizeof(key));
    key.key.session = p->session;
    if (p->session == SESSION_UNKNOWN) {
        key.key.pid = first->pid;
        key.key.start_ns = first->start_ns;
    }
    HASH_FIND(hh, s->known, &key.key, sizeof(key.key), known);
    if (!known)
        known = remember(s, &key);
    /* what a busy machine did not answer in time is asked again, and of a process that may know more */
    if (known && !known->remote[0] &&
        (!known->tries || known->pending.fd >= 0 ||
         (known->tries < TRIES && clock_ns(CLOCK_MONOTONIC) - known->asked_ns > TRY_AGAIN_NS))) {
        ask_sshd(s, p, known);
        if (!known->remote[0])
            ask(s, p, first, known);
    }
    return known ? bytes_of(known->remote) : BYTES_NULL;
}
