/* SPDX-License-Identifier: MIT */
#include "attribution/users.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "attribution/host_names.h"
#include "attribution/inside.h"
#include "attribution/passwd.h"
#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/parse.h"

#define FILE_MAX (1024 * 1024)  /* a container's passwd is its own to write: no more than this is read of it */
#define MAP_MAX 16384           /* /proc/PID/uid_map has at most 340 lines */
#define WORLDS_MAX 256          /* containers whose names are remembered; the oldest go first */
#define HOST_NAMES_MAX 4096
#define HOST_MAX (4 * 1024 * 1024)
#define WAIT_MS 300             /* for an answer, before the event goes on without; it is kept when it comes */
#define WORKER_MS 2000          /* a worker's deadline */
#define DISTRUST_NS (60 * NS_PER_S) /* what did not answer in time is not asked again for so long */
#define LOOK_AGAIN_NS NS_PER_S  /* a file is looked at for changes, a container that is down asked for, so often */

static const char *const files[] = { "/etc/passwd", "/etc/group" };

/* What one container says of its users or groups. */
struct container_names {
    char *text; /* lines name:x:id, as a worker found them in passwd or group; owned */
    size_t len;
    char *map;        /* of uid_map or gid_map; NULL: none was ever to be had, ids are as the host counts */
    size_t map_len;
};

struct world {
    char id[64];
    uint64_t started_ns;
    uint64_t looked_ns; /* CLOCK_MONOTONIC */
    uint64_t distrusted_until_ns;
    uint64_t stamp; /* of the files that were read */
    struct foreign_pending pending;
    struct container_names users, groups;
    UT_hash_handle hh;
};

struct host_name {
    uint64_t key; /* id, and bit 32 for groups */
    char *text;   /* NULL: no name */
    bool known;   /* it was answered */
    uint64_t asked_ns;
    struct foreign_pending pending;
    UT_hash_handle hh;
};

struct users {
    struct engines *engines;
    struct world *worlds; /* in the order of their making */
    struct host_name *host;
    struct host_names *files;     /* the host's own; NULL: they cannot be read */
    uint64_t looked_ns;           /* at these; CLOCK_MONOTONIC */
    uint64_t distrusted_until_ns; /* the host's name service */
    struct host_name *asked[2]; /* of users, of groups: what was looked for last, NULL: none */
};

int users_new(struct engines *engines, const char *root, struct users **ret, struct err *err)
{
    struct users *u = calloc(1, sizeof(*u));

    if (!u)
        return err_set(err, -ENOMEM, "user names");
    u->engines = engines;
    (void)host_names_new(root, &u->files, NULL); /* without: the name service has them as well */
    *ret = u;
    return 0;
}

static void names_done(struct container_names *n)
{
    free(n->text);
    free(n->map);
}

static void forget_world(struct users *u, struct world *w)
{
    HASH_DEL(u->worlds, w);
    foreign_pending_done(&w->pending);
    names_done(&w->users);
    names_done(&w->groups);
    free(w);
}

static void forget_host(struct users *u)
{
    struct host_name *n, *next;

    u->asked[false] = u->asked[true] = NULL;
    HASH_ITER(hh, u->host, n, next) {
        HASH_DEL(u->host, n);
        foreign_pending_done(&n->pending);
        free(n->text);
        free(n);
    }
}

void users_free(struct users *u)
{
    if (!u)
        return;
    while (u->worlds)
        forget_world(u, u->worlds);
    forget_host(u);
    host_names_free(u->files);
    free(u);
}

/* ---- pure parts ---- */

uint32_t users_map(struct bytes map, uint32_t id)
{
    while (map.len) {
        struct bytes line = bytes_next_line(&map);
        uint32_t inside, outside, count;

        if (parse_u32(bytes_next_word(&line), 10, &inside) < 0 ||
            parse_u32(bytes_next_word(&line), 10, &outside) < 0 ||
            parse_u32(bytes_next_word(&line), 10, &count) < 0)
            continue;
        if (id >= outside && id - outside < count && id - outside <= UINT32_MAX - inside)
            return inside + (id - outside);
    }
    return UINT32_MAX;
}

/* ---- a container ---- */

static void read_map(struct container_names *n, pid_t pid, const char *name)
{
    char path[64], *text = NULL;
    _cleanup_close_ int fd = -EBADF;
    size_t len;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || beneath_read_fd(fd, MAP_MAX, &text, &len) < 0)
        return;
    if (!len) { /* it has just ended */
        free(text);
        return;
    }
    free(n->map);
    n->map = text;
    n->map_len = len;
}

/* ---- in the worker ---- */

/* What the files are now: the time of change is the kernel's, not to be set. */
static uint64_t stamp_of(const struct inside *in)
{
    uint64_t stamp = HASH_START;
    struct stat st;

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (inside_stat(in, files[i], &st) < 0)
            st = (struct stat){ 0 };
        stamp = hash_word(hash_word(stamp, st.st_ino), (uint64_t)st.st_size);
        stamp = hash_word(hash_word(stamp, (uint64_t)st.st_ctim.tv_sec), (uint64_t)st.st_ctim.tv_nsec);
    }
    return stamp;
}

/* The stamp of what is known already, the place. */
static int gather_names(struct bytes request, struct gathered *g)
{
    struct inside in = INSIDE_NONE;
    uint64_t known, stamp;
    char *copy;
    int r;

    if (request.len < sizeof(known))
        return -EINVAL;
    memcpy(&known, request.data, sizeof(known));
    r = inside_open((struct bytes){ request.data + sizeof(known), request.len - sizeof(known) }, &in);
    if (r < 0)
        return r;
    stamp = stamp_of(&in);
    copy = malloc(sizeof(stamp));
    if (!copy)
        return -ENOMEM;
    memcpy(copy, &stamp, sizeof(stamp));
    r = gathered_add(g, "stamp", copy, sizeof(stamp));
    for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0 && stamp != known; i++) {
        char *text;
        size_t len;

        if (inside_read(&in, files[i], FILE_MAX, &text, &len) == 0)
            r = gathered_add(g, files[i], text, len);
    }
    inside_done(&in);
    return r;
}

/* The stamp; of what is not known already: how many bytes are of users, these, and those of groups. */
static int parse_names(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes stamp = gathered_get(g, "stamp");
    _cleanup_sbuf_ struct sbuf users = SBUF_INIT;
    uint32_t len;

    sbuf_add_bytes(answer, stamp);
    if (memcmp(stamp.data, request.data, sizeof(uint64_t)) == 0)
        return sbuf_error(answer);
    passwd_pick(gathered_get(g, files[0]), &users);
    len = (uint32_t)users.len;
    sbuf_add(answer, (const char *)&len, sizeof(len));
    sbuf_add_bytes(answer, sbuf_bytes(&users));
    passwd_pick(gathered_get(g, files[1]), answer);
    return sbuf_error(answer);
}

static const struct foreign_job names_job = { "the user names of a container", 4 * FILE_MAX, gather_names, parse_names,
                                              false };

/* ---- asking it ---- */

static void set_names(struct container_names *n, struct bytes text)
{
    free(n->text);
    n->text = strndup(text.data ? text.data : "", text.len);
    n->len = n->text ? text.len : 0;
}

static void take_names(struct world *w, struct bytes answer)
{
    uint32_t len;

    if (answer.len < sizeof(w->stamp))
        return;
    memcpy(&w->stamp, answer.data, sizeof(w->stamp));
    answer = (struct bytes){ answer.data + sizeof(w->stamp), answer.len - sizeof(w->stamp) };
    if (answer.len < sizeof(len))
        return;
    memcpy(&len, answer.data, sizeof(len));
    answer = (struct bytes){ answer.data + sizeof(len), answer.len - sizeof(len) };
    if (len > answer.len)
        return;
    set_names(&w->users, (struct bytes){ answer.data, len });
    set_names(&w->groups, (struct bytes){ answer.data + len, answer.len - len });
}

static int ask_names(struct world *w, struct bytes place)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    struct bytes answer;
    int r;

    if (!place.len)
        return -ENOENT;
    sbuf_add(&request, (const char *)&w->stamp, sizeof(w->stamp));
    sbuf_add_bytes(&request, place);
    r = foreign_wait(&w->pending, &names_job, sbuf_bytes(&request), WORKER_MS,
                     clock_ns(CLOCK_MONOTONIC) < w->distrusted_until_ns ? 0 : WAIT_MS, &answer);
    /* an answer that comes after all was kept by a busy machine */
    w->distrusted_until_ns = r == -EAGAIN || r == -EBADMSG ? clock_ns(CLOCK_MONOTONIC) + DISTRUST_NS : 0;
    if (r == 0)
        take_names(w, answer);
    if (r != -EAGAIN)
        foreign_pending_done(&w->pending);
    return r;
}

/* Answers that came late, of containers that nobody asks about any more: each has a descriptor. */
static void collect_worlds(struct users *u)
{
    struct bytes answer;

    for (struct world *w = u->worlds; w; w = w->hh.next) {
        int r = w->pending.fd < 0 ? -EAGAIN : foreign_wait(&w->pending, &names_job, BYTES_NULL, 0, 0, &answer);

        if (r == 0)
            take_names(w, answer);
        if (r != -EAGAIN)
            foreign_pending_done(&w->pending);
    }
}

static void look(struct users *u, struct world *w, const struct container *c)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;

    w->looked_ns = clock_ns(CLOCK_MONOTONIC);
    w->started_ns = c->started_ns;
    if (c->pid > 0) {
        read_map(&w->users, c->pid, "uid_map");
        read_map(&w->groups, c->pid, "gid_map");
    }
    if (w->pending.fd < 0 && w->looked_ns < w->distrusted_until_ns)
        return;
    inside_by_process(&place, c->pid);
    if (ask_names(w, sbuf_bytes(&place)) != -ENOENT)
        return;
    sbuf_clear(&place);
    if (inside_by_engine(&place, u->engines, c) == 0)
        (void)ask_names(w, sbuf_bytes(&place));
}

static struct world *world_of(struct users *u, const struct container *c)
{
    char key[sizeof(u->worlds->id)] = "";
    struct world *w;

    memcpy(key, c->id.data, MIN(c->id.len, sizeof(key)));
    HASH_FIND(hh, u->worlds, key, sizeof(key), w);
    if (!w) {
        if (HASH_COUNT(u->worlds) >= WORLDS_MAX)
            forget_world(u, u->worlds);
        collect_worlds(u);
        w = calloc(1, sizeof(*w));
        if (!w)
            return NULL;
        memcpy(w->id, key, sizeof(key));
        w->pending = FOREIGN_PENDING_NONE;
        HASH_ADD(hh, u->worlds, id, sizeof(w->id), w);
        HASH_FREE_IF_OUT(hh, w);
        if (!w)
            return NULL;
        look(u, w, c);
    } else if (w->started_ns != c->started_ns || w->pending.fd >= 0 ||
               clock_ns(CLOCK_MONOTONIC) - w->looked_ns > LOOK_AGAIN_NS) {
        look(u, w, c);
    }
    return w;
}

static struct bytes in_container(struct users *u, const struct container *c, uint32_t id, bool group)
{
    const struct world *w = c->id.len ? world_of(u, c) : NULL;
    const struct container_names *n;

    if (!w)
        return BYTES_NULL;
    n = group ? &w->groups : &w->users;
    if (n->map)
        id = users_map((struct bytes){ n->map, n->map_len }, id);
    return id == UINT32_MAX || !n->text ? BYTES_NULL : passwd_find((struct bytes){ n->text, n->len }, id);
}

/* ---- the host ---- */

/* In a worker that keeps its world, but no rights: the name service asks whom the system says, who may not answer. */
static int find_on_host(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_free_ char *buffer = malloc(HOST_MAX); /* a group's members are part of it: LDAP has long ones */
    struct passwd pw, *user = NULL;
    struct group gr, *group = NULL;
    uint64_t key;

    (void)g;
    if (!buffer || request.len != sizeof(key))
        return -ENOMEM;
    memcpy(&key, request.data, sizeof(key));
    if (key >> 32 ? getgrgid_r((gid_t)key, &gr, buffer, HOST_MAX, &group) : getpwuid_r((uid_t)key, &pw, buffer, HOST_MAX, &user))
        return -EIO;
    if (!user && !group)
        return -ENOENT;
    sbuf_add_str(answer, user ? pw.pw_name : gr.gr_name);
    return sbuf_error(answer);
}

static const struct foreign_job host_job = { "the names of users", 0, NULL, find_on_host, true };

static void ask_host(struct users *u, struct host_name *n, unsigned wait_ms)
{
    unsigned wait = clock_ns(CLOCK_MONOTONIC) < u->distrusted_until_ns ? 0 : wait_ms;
    struct bytes answer;
    int r;

    n->asked_ns = clock_ns(CLOCK_MONOTONIC);
    r = foreign_wait(&n->pending, &host_job, (struct bytes){ (const char *)&n->key, sizeof(n->key) }, WORKER_MS, wait,
                     &answer);
    if (r == 0)
        n->text = strndup(answer.data, answer.len);
    else if (r == -EAGAIN)
        u->distrusted_until_ns = n->asked_ns + LOOK_AGAIN_NS;
    n->known = r == 0 || r == -ENOENT;
    if (r != -EAGAIN)
        foreign_pending_done(&n->pending);
}

static void collect_host(struct users *u)
{
    for (struct host_name *n = u->host; n; n = n->hh.next)
        if (n->pending.fd >= 0)
            ask_host(u, n, 0);
}

static void look_at_files(struct users *u)
{
    if (u->files && host_names_look(u->files))
        forget_host(u);
    u->looked_ns = clock_ns(CLOCK_MONOTONIC);
}

/* From the files, at once; else from the name service, when it answers. */
static void find_host(struct users *u, struct host_name *n)
{
    bool group = n->key >> 32;
    struct bytes name = u->files ? host_names_find(u->files, (uint32_t)n->key, group) : BYTES_NULL;

    if (!name.len) {
        ask_host(u, n, WAIT_MS);
        return;
    }
    n->text = strndup(name.data, name.len);
    n->known = n->text != NULL;
}

static struct bytes on_host(struct users *u, uint32_t id, bool group)
{
    uint64_t key = id | (group ? 1ull << 32 : 0);
    struct host_name *n;

    if (!u->looked_ns || clock_ns(CLOCK_MONOTONIC) - u->looked_ns > LOOK_AGAIN_NS)
        look_at_files(u);
    n = u->asked[group];
    if (n && n->key == key && n->known)
        return bytes_of(n->text);
    HASH_FIND(hh, u->host, &key, sizeof(key), n);
    if (!n) {
        look_at_files(u); /* a user who was made just now */
        if (HASH_COUNT(u->host) >= HOST_NAMES_MAX)
            forget_host(u);
        collect_host(u);
        n = calloc(1, sizeof(*n));
        if (!n)
            return BYTES_NULL;
        n->key = key;
        n->pending = FOREIGN_PENDING_NONE;
        HASH_ADD(hh, u->host, key, sizeof(n->key), n);
        HASH_FREE_IF_OUT(hh, n);
        if (!n)
            return BYTES_NULL;
        find_host(u, n);
    } else if (!n->known && (n->pending.fd >= 0 || clock_ns(CLOCK_MONOTONIC) - n->asked_ns > LOOK_AGAIN_NS)) {
        ask_host(u, n, WAIT_MS);
    }
    u->asked[group] = n;
    return bytes_of(n->text);
}

static struct bytes look_up(struct users *u, const struct container *c, uint32_t id, bool group)
{
    if (id == UINT32_MAX)
        return BYTES_NULL;
    return c ? in_container(u, c, id, group) : on_host(u, id, group);
}

struct bytes users_name(struct users *u, const struct container *c, uint32_t uid)
{
    return look_up(u, c, uid, false);
}

struct bytes users_group(struct users *u, const struct container *c, uint32_t gid)
{
    return look_up(u, c, gid, true);
}
