/* SPDX-License-Identifier: MIT */
/*
 * LXC and systemd-nspawn: machines that run are found by the cgroup that LXC gives them, or by their
 * registration in /run/systemd/machines; LXC's stopped ones by their configuration. A machine's name is
 * its id. Looked at anew when asked, and once a second for what has happened.
 */
#include "engine/engine_ops.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/first_process.h"
#include "engine/oci_mount.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/parse.h"
#include "util/proc_stat.h"

#define LOOK_NS NS_PER_S

struct machine {
    char name[NAME_MAX + 1];
    struct container *container; /* owned reference */
    int pidfd;
    bool seen;
    UT_hash_handle hh;
};

struct machines {
    bool lxc;
    struct machine *known;
    uint64_t next_look_ns;
    int epoll_fd;
    bool looked;
};

static int open_machines(bool lxc, void **ret, struct err *err)
{
    struct machines *m = calloc(1, sizeof(*m));

    if (!m)
        return err_set(err, -ENOMEM, "machines");
    m->lxc = lxc;
    m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (m->epoll_fd < 0) {
        int r = err_set(err, -errno, "epoll");

        free(m);
        return r;
    }
    *ret = m;
    return 0;
}

static int open_lxc(const struct engines_options *o, struct oci *oci, void **ret, struct err *err)
{
    (void)o;
    (void)oci;
    return open_machines(true, ret, err);
}

static int open_nspawn(const struct engines_options *o, struct oci *oci, void **ret, struct err *err)
{
    (void)o;
    (void)oci;
    return open_machines(false, ret, err);
}

static void forget(struct machines *m, struct machine *k)
{
    HASH_DEL(m->known, k);
    if (k->pidfd >= 0)
        close(k->pidfd);
    container_unref(k->container);
    free(k);
}

static void close_machines(void *engine)
{
    struct machines *m = engine;
    struct machine *k, *next;

    HASH_ITER(hh, m->known, k, next)
        forget(m, k);
    close(m->epoll_fd);
    free(m);
}

static struct container *new_machine(struct bytes name, const char *runtime)
{
    struct container *c = container_new();

    if (c) {
        container_set(c, &c->id, name);
        container_set(c, &c->name, name);
        container_set(c, &c->runtime, bytes_of(runtime));
    }
    return c;
}

static uint64_t start_of(pid_t pid)
{
    uint64_t boot_ns = proc_stat_start_ns("/proc", pid);
    uint64_t up = clock_ns(CLOCK_BOOTTIME), wall = clock_ns(CLOCK_REALTIME);

    return boot_ns && boot_ns <= up ? wall - (up - boot_ns) : 0;
}

/* ---- LXC ---- */

static const char *const lxc_cgroups[] = {
    "/sys/fs/cgroup/lxc.payload.*",         "/sys/fs/cgroup/lxc/*",
    "/sys/fs/cgroup/unified/lxc.payload.*", "/sys/fs/cgroup/systemd/lxc.payload.*",
    "/sys/fs/cgroup/systemd/lxc/*",         "/sys/fs/cgroup/memory/lxc/*",
    "/sys/fs/cgroup/memory/lxc.payload.*",
};

static int each_lxc_running(int (*each)(void *data, struct container_view *view), void *data)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(lxc_cgroups) && r == 0; i++) {
        glob_t found = { 0 };

        if (glob(lxc_cgroups[i], GLOB_ONLYDIR | GLOB_NOSORT, NULL, &found) == 0)
            for (size_t k = 0; k < found.gl_pathc && r == 0; k++) {
                struct bytes name = bytes_basename(bytes_of(found.gl_pathv[k]));
                struct bytes prefix = bytes_of("lxc.payload.");
                struct container_view view = { 0 };
                char root[64];
                pid_t pid = first_process_in(found.gl_pathv[k]);

                if (!pid)
                    continue; /* a cgroup that is left over, or the one of its monitor */
                if (bytes_starts_with(name, prefix))
                    name = (struct bytes){ name.data + prefix.len, name.len - prefix.len };
                view.container = new_machine(name, "lxc");
                if (!view.container)
                    continue;
                view.container->pid = pid;
                view.container->started_ns = start_of(pid);
                view.running = true;
                snprintf(root, sizeof(root), "/proc/%d/root", pid);
                view.root = arena_copy(&view.container->arena, bytes_of(root));
                if (oci_overlay("/proc", pid, &view) < 0)
                    view.root = BYTES_NULL; /* by its mount namespace alone */
                r = each(data, &view);
                container_view_done(&view);
            }
        globfree(&found);
    }
    return r;
}

/* lxc.rootfs.path = [dir:|btrfs:|zfs:...]PATH; older: lxc.rootfs = PATH */
static struct bytes lxc_root(struct arena *arena, const char *config)
{
    _cleanup_fclose_ FILE *f = fopen(config, "re");
    char line[PATH_MAX + 64], path[PATH_MAX];

    while (f && fgets(line, sizeof(line), f)) {
        const char *slash;

        if (sscanf(line, " lxc.rootfs.path = %4000s", path) != 1 &&
            sscanf(line, " lxc.rootfs = %4000s", path) != 1)
            continue;
        slash = strchr(path, '/');
        return slash && !strchr(slash, ':') ? arena_copy(arena, bytes_of(slash)) : BYTES_NULL;
    }
    return BYTES_NULL;
}

static int each_lxc(int (*each)(void *data, struct container_view *view), void *data)
{
    static const char *const configs[] = { "/var/lib/lxc/*/config" };
    static const char *const roots[] = { "/var/lib/lxd/containers/*/rootfs",
                                         "/var/snap/lxd/common/lxd/containers/*/rootfs",
                                         "/var/lib/incus/containers/*/rootfs" };
    int r = each_lxc_running(each, data);

    for (size_t i = 0; i < ARRAY_SIZE(configs) + ARRAY_SIZE(roots) && r == 0; i++) {
        bool config = i < ARRAY_SIZE(configs);
        glob_t found = { 0 };

        if (glob(config ? configs[i] : roots[i - ARRAY_SIZE(configs)], GLOB_NOSORT, NULL, &found) == 0)
            for (size_t k = 0; k < found.gl_pathc && r == 0; k++) {
                struct bytes path = bytes_of(found.gl_pathv[k]);
                struct container_view view = {
                    .container = new_machine(bytes_basename(bytes_dirname(path)), "lxc")
                };

                if (!view.container)
                    continue;
                view.root = config ? lxc_root(&view.container->arena, found.gl_pathv[k])
                                   : arena_copy(&view.container->arena, path);
                r = each(data, &view);
                container_view_done(&view);
            }
        globfree(&found);
    }
    return r;
}

/* ---- systemd-nspawn, by what systemd-machined writes down ---- */

static void take_registration(struct container_view *view, FILE *f, bool *ret_container)
{
    char line[PATH_MAX + 64];

    while (fgets(line, sizeof(line), f)) {
        char *equals = strchr(line, '='), *end = strchr(line, '\n');
        struct bytes value;
        uint64_t n;

        if (!equals)
            continue;
        if (end)
            *end = '\0';
        *equals = '\0';
        value = bytes_of(equals + 1);
        if (strcmp(line, "CLASS") == 0)
            *ret_container = bytes_equal_str(value, "container");
        else if (strcmp(line, "ROOT") == 0 && value.len > 1 && value.data[0] == '/')
            view->root = arena_copy(&view->container->arena, value);
        else if (strcmp(line, "LEADER") == 0 && parse_u64(value, 10, &n) == 0 && n <= INT_MAX)
            view->container->pid = (pid_t)n;
        else if (strcmp(line, "TIMESTAMP") == 0 && parse_u64(value, 10, &n) == 0 &&
                 n < UINT64_MAX / 1000)
            view->container->started_ns = n * 1000;
        else if (strcmp(line, "SERVICE") == 0 && bytes_equal_str(value, "libvirt-lxc"))
            container_set(view->container, &view->container->runtime, bytes_of("libvirt-lxc"));
    }
}

static int each_nspawn(int (*each)(void *data, struct container_view *view), void *data)
{
    glob_t found = { 0 };
    int r = 0;

    if (glob("/run/systemd/machines/*", GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
            struct bytes name = bytes_basename(bytes_of(found.gl_pathv[i]));
            _cleanup_fclose_ FILE *f = fopen(found.gl_pathv[i], "re");
            struct container_view view = { 0 };
            bool is_container = false;

            if (!f || bytes_starts_with(name, bytes_of("unit:")) || name.data[0] == '.')
                continue;
            view.container = new_machine(name, "nspawn");
            if (!view.container)
                continue;
            take_registration(&view, f, &is_container);
            view.running = view.container->pid > 0 && proc_stat_start_ns("/proc", view.container->pid) > 0;
            if (!view.running)
                view.container->pid = 0;
            if (is_container)
                r = each(data, &view);
            container_view_done(&view);
        }
    globfree(&found);
    return r;
}

/* ---- the row's functions ---- */

static int each_machine(const struct machines *m, int (*each)(void *data, struct container_view *view),
                        void *data)
{
    return m->lxc ? each_lxc(each, data) : each_nspawn(each, data);
}

static bool present(void *engine, char *text, size_t size)
{
    const struct machines *m = engine;
    const char *places[] = { m->lxc ? "/var/lib/lxc" : "/run/systemd/machines",
                             m->lxc ? "/usr/bin/lxc-start" : "/usr/bin/systemd-nspawn",
                             m->lxc ? "/var/lib/incus" : NULL };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (places[i] && access(places[i], F_OK) == 0) {
            snprintf(text, size, "%s", m->lxc ? "by its cgroups and /var/lib" : "by /run/systemd/machines");
            return true;
        }
    snprintf(text, size, "not here");
    return false;
}

struct machine_listing {
    int (*each)(void *data, struct container *c);
    void *data;

};

static int list_one(void *data, struct container_view *view)
{
    struct machine_listing *l = data;

    return l->each(l->data, view->container);
}

static int list(void *engine, int (*each)(void *data, struct container *c), void *data, struct err *err)
{
    struct machine_listing listing = { each, data };

    (void)err;
    return each_machine(engine, list_one, &listing);
}

struct machine_search {
    struct bytes word;
    struct container_view found;
};

static int search_one(void *data, struct container_view *view)
{
    struct machine_search *s = data;

    if (!bytes_equal(view->container->name, s->word))
        return 0;
    s->found = *view;
    *view = (struct container_view){ 0 };
    return 1; /* a running one comes before its configuration */
}

static int view(void *engine, struct bytes word, struct container_view *ret, struct err *err)
{
    struct machine_search s = { .word = word };

    (void)err;
    (void)each_machine(engine, search_one, &s);
    if (!s.found.container)
        return -ENOENT;
    *ret = s.found;
    return 0;
}

/* ---- what happens to them ---- */

static int get_fd(void *engine)
{
    return ((const struct machines *)engine)->epoll_fd;
}

struct round {
    struct machines *m;
    void (*life)(void *data, const struct lifecycle_event *life);
    void *data;
};

static void emit(const struct round *r, struct container *c, enum lifecycle_kind kind, uint64_t time_ns)
{
    if (r->m->looked)
        r->life(r->data, &(struct lifecycle_event){ .kind = kind, .time_ns = time_ns, .exit_code = -1,
                                         .container = c });
}

static int notice(void *data, struct container_view *view)
{
    const struct round *r = data;
    struct container *c = view->container;
    struct epoll_event event = { .events = EPOLLIN };
    char name[NAME_MAX + 1];
    struct machine *k;

    if (!view->running)
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)c->name.len, c->name.data);
    HASH_FIND_STR(r->m->known, name, k);
    if (k) {
        k->seen = true;
        return 0;
    }
    k = calloc(1, sizeof(*k));
    if (!k)
        return 0;
    memcpy(k->name, name, sizeof(name));
    HASH_ADD_STR(r->m->known, name, k);
    HASH_FREE_IF_OUT(hh, k);
    if (!k)
        return 0; /* found again when it is looked for the next time */
    k->container = container_ref(c);
    k->seen = true;
    k->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    event.data.ptr = k;
    if (k->pidfd >= 0)
        (void)epoll_ctl(r->m->epoll_fd, EPOLL_CTL_ADD, k->pidfd, &event);
    emit(r, c, LIFECYCLE_START, c->started_ns ? c->started_ns : clock_ns(CLOCK_REALTIME));
    return 0;
}

static int dispatch(void *engine, void (*life)(void *data, const struct lifecycle_event *life), void *data,
                    struct err *err)
{
    struct machines *m = engine;
    struct round round = { m, life, data };
    struct epoll_event events[16];
    struct machine *k, *next;
    int n = epoll_wait(m->epoll_fd, events, 16, 0);

    (void)err;
    for (int i = 0; i < n; i++) {
        k = events[i].data.ptr;
        emit(&round, k->container, LIFECYCLE_DIE, clock_ns(CLOCK_REALTIME));
        forget(m, k);
    }
    if (clock_ns(CLOCK_MONOTONIC) < m->next_look_ns)
        return 0;
    m->next_look_ns = clock_ns(CLOCK_MONOTONIC) + LOOK_NS;
    HASH_ITER(hh, m->known, k, next)
        k->seen = false;
    (void)each_machine(m, notice, &round);
    HASH_ITER(hh, m->known, k, next)
        if (!k->seen) {
            emit(&round, k->container, LIFECYCLE_DIE, clock_ns(CLOCK_REALTIME));
            forget(m, k);
        }
    m->looked = true;
    return 0;
}

const struct engine_ops lxc_engine_ops = {
    .name = "lxc", .open = open_lxc, .close = close_machines, .present = present,
    .list = list, .view = view, .fd = get_fd, .dispatch = dispatch,
};
const struct engine_ops nspawn_engine_ops = {
    .name = "nspawn", .open = open_nspawn, .close = close_machines, .present = present,
    .list = list, .view = view, .fd = get_fd, .dispatch = dispatch,
};
