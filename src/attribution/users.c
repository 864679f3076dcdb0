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

#include <uthash.h>

#include "attribution/inside.h"
#include "util/arena.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/parse.h"

#define FILE_MAX (1024 * 1024)  /* a container's passwd is its own to write: no more than this is read of it */
#define MAP_MAX 16384           /* /proc/PID/uid_map has at most 340 lines */
#define WORLDS_MAX 256          /* containers whose names are remembered; the oldest go first */
#define HOST_NAMES_MAX 4096
#define LOOK_AGAIN_NS NS_PER_S  /* a file is looked at for changes, a container that is down asked for, so often */

/* What one container says of its users or groups. */
struct names {
    char *text; /* of passwd or group; owned */
    size_t len;
    struct stat seen; /* the file that was read */
    char *map;        /* of uid_map or gid_map; NULL: none was ever to be had, ids are as the host counts */
    size_t map_len;
};

struct world {
    char id[64];
    uint64_t started_ns;
    uint64_t looked_ns; /* CLOCK_MONOTONIC */
    struct names users, groups;
    UT_hash_handle hh;
};

struct host_name {
    uint64_t key; /* id, and bit 32 for groups */
    char *text;   /* NULL: no name */
    UT_hash_handle hh;
};

struct users {
    struct engines *engines;
    struct world *worlds; /* in the order of their making */
    struct host_name *host;
    struct host_name *asked[2]; /* of users, of groups: what was looked for last, NULL: none */
};

int users_new(struct engines *engines, struct users **ret, struct err *err)
{
    struct users *u = calloc(1, sizeof(*u));

    if (!u)
        return err_set(err, -ENOMEM, "user names");
    u->engines = engines;
    *ret = u;
    return 0;
}

static void names_done(struct names *n)
{
    free(n->text);
    free(n->map);
}

static void forget_world(struct users *u, struct world *w)
{
    HASH_DEL(u->worlds, w);
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
    free(u);
}

static uint64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* ---- pure parts ---- */

static struct bytes next_line(struct bytes *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct bytes line = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    size_t step = line.len + (end ? 1 : 0);

    *rest = (struct bytes){ rest->data + step, rest->len - step };
    return line;
}

static struct bytes next_field(struct bytes *line, char separator)
{
    struct bytes field;
    const char *end;

    while (separator == ' ' && line->len && line->data[0] == ' ')
        *line = (struct bytes){ line->data + 1, line->len - 1 };
    end = line->len ? memchr(line->data, separator, line->len) : NULL;
    field = (struct bytes){ line->data, end ? (size_t)(end - line->data) : line->len };
    *line = (struct bytes){ line->data + field.len + (end ? 1 : 0), line->len - field.len - (end ? 1 : 0) };
    return field;
}

uint32_t users_map(struct bytes map, uint32_t id)
{
    while (map.len) {
        struct bytes line = next_line(&map);
        uint32_t inside, outside, count;

        if (parse_u32(next_field(&line, ' '), 10, &inside) < 0 ||
            parse_u32(next_field(&line, ' '), 10, &outside) < 0 ||
            parse_u32(next_field(&line, ' '), 10, &count) < 0)
            continue;
        if (id >= outside && id - outside < count && id - outside <= UINT32_MAX - inside)
            return inside + (id - outside);
    }
    return UINT32_MAX;
}

/* name:password:id:...; the first of an id counts. */
static struct bytes find_name(struct bytes text, uint32_t id)
{
    while (text.len) {
        struct bytes line = next_line(&text), name = next_field(&line, ':');
        uint32_t this_id;

        (void)next_field(&line, ':');
        if (name.len && name.len <= LIMIT_NAME && parse_u32(next_field(&line, ':'), 10, &this_id) == 0 &&
            this_id == id)
            return name;
    }
    return BYTES_NULL;
}

/* ---- a container ---- */

static void read_map(struct names *n, pid_t pid, const char *name)
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

static void read_names(struct names *n, const struct inside *in, const char *path)
{
    struct stat st;
    char *text;
    size_t len;

    if (inside_stat(in, path, &st) < 0)
        return;
    if (n->text && st.st_ino == n->seen.st_ino && st.st_size == n->seen.st_size &&
        st.st_ctim.tv_sec == n->seen.st_ctim.tv_sec && st.st_ctim.tv_nsec == n->seen.st_ctim.tv_nsec)
        return;
    if (inside_read(in, path, FILE_MAX, &text, &len) < 0)
        return;
    free(n->text);
    n->text = text;
    n->len = len;
    n->seen = st;
}

static void look(struct users *u, struct world *w, const struct container *c)
{
    struct inside in = INSIDE_NONE;

    w->looked_ns = monotonic();
    w->started_ns = c->started_ns;
    if (c->pid > 0) {
        read_map(&w->users, c->pid, "uid_map");
        read_map(&w->groups, c->pid, "gid_map");
    }
    if (inside_open(u->engines, c, 0, &in) < 0)
        return;
    read_names(&w->users, &in, "/etc/passwd");
    read_names(&w->groups, &in, "/etc/group");
    inside_done(&in);
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
        w = calloc(1, sizeof(*w));
        if (!w)
            return NULL;
        memcpy(w->id, key, sizeof(key));
        HASH_ADD(hh, u->worlds, id, sizeof(w->id), w);
        look(u, w, c);
    } else if (w->started_ns != c->started_ns || monotonic() - w->looked_ns > LOOK_AGAIN_NS) {
        look(u, w, c);
    }
    return w;
}

static struct bytes in_container(struct users *u, const struct container *c, uint32_t id, bool group)
{
    const struct world *w = c->id.len ? world_of(u, c) : NULL;
    const struct names *n;

    if (!w)
        return BYTES_NULL;
    n = group ? &w->groups : &w->users;
    if (n->map)
        id = users_map((struct bytes){ n->map, n->map_len }, id);
    return id == UINT32_MAX || !n->text ? BYTES_NULL : find_name((struct bytes){ n->text, n->len }, id);
}

/* ---- the host ---- */

static char *ask_host(uint32_t id, bool group)
{
    char buffer[8192];
    struct passwd pw, *user = NULL;
    struct group gr, *found = NULL;

    if (group)
        return getgrgid_r(id, &gr, buffer, sizeof(buffer), &found) == 0 && found ? strdup(gr.gr_name) : NULL;
    return getpwuid_r(id, &pw, buffer, sizeof(buffer), &user) == 0 && user ? strdup(pw.pw_name) : NULL;
}

static struct bytes on_host(struct users *u, uint32_t id, bool group)
{
    uint64_t key = id | (group ? 1ull << 32 : 0);
    struct host_name *n = u->asked[group];

    if (n && n->key == key)
        return bytes_of(n->text);
    HASH_FIND(hh, u->host, &key, sizeof(key), n);
    if (!n) {
        if (HASH_COUNT(u->host) >= HOST_NAMES_MAX)
            forget_host(u);
        n = calloc(1, sizeof(*n));
        if (!n)
            return BYTES_NULL;
        n->key = key;
        n->text = ask_host(id, group);
        HASH_ADD(hh, u->host, key, sizeof(n->key), n);
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
