/* SPDX-License-Identifier: MIT */
/*
 * past FILE EVENTS DAYS [rows]: a store with so many events of the last days, as hosts have them: packages are upgraded, an application is
 * deployed, configuration is written, scripts start a program for each file, sources are built, containers keep what was uploaded.
 * Through the writer, as fanotify reports them; then all of it is compacted, as the daemon does it, but for "rows".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>

#include "store/compact.h"
#include "store/store.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define CONTAINERS 20
#define BURST 400 /* events of one activity, one soon after the other */

struct activity {
    unsigned share;          /* of 100 events */
    const char *watch, *executable, *args; /* args: each ended by ';' */
    unsigned events_each;    /* of a process */
    unsigned directories;
    const char *directory, *name; /* '#': a number */
    const char *temporary;   /* what is after the name until it is renamed */
    const char *steps;       /* of a file: c create, w write, o chown, m chmod, r rename, R rename that replaces, d delete */
    bool container;
};

static const struct activity activities[] = {
    { 25, "/usr", "/usr/bin/dpkg", "/usr/bin/dpkg;--status-fd;20;--no-triggers;--unpack;--auto-deconfigure;--recursive;"
      "/tmp/apt-dpkg-install-x2dJ1K;", 900, 6000, "/usr/share/doc/package#/examples", "file#.html", ".dpkg-new", "cwomR", false },
    { 25, "/opt", "/usr/bin/rsync", "rsync;--server;-logDtprze.iLsfxCIvu;.;/opt/shop/releases/current;", 1500, 2000,
      "/opt/shop/releases/current/node_modules/module#/lib", "part#.js", ".Xq3fT1", "cwmr", false },
    { 5, "/etc", "/usr/bin/python3.11", "/usr/bin/python3;/root/.ansible/tmp/ansible-tmp-1700000000.1-1234-567890/AnsiballZ_copy.py;",
      3, 60, "/etc/service#.d", "#.conf", ".ansible_tmpz6k2x1", "cwmR", false },
    { 10, "/opt", "/usr/bin/rm", "rm;-f;--;/opt/spool/job/file;", 1, 40, "/opt/spool/queue#", "job-#.dat", "", "d", false },
    { 10, "/opt", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1;-quiet;-I;include;-imultiarch;"
      "x86_64-linux-gnu;-MD;-MF;build/object.d;-dumpdir;build/;-O2;-Wall;source.c;", 2, 300, "/opt/build/src/part#", "object#.o", "", "cw",
      false },
    { 25, "/app", "/usr/sbin/php-fpm8.2", "php-fpm: pool www;", 200000, 256, "/app/uploads/#", "#.jpg", ".tmp", "cwr", true },
};

struct past {
    struct store *store;
    uint64_t random, sequence, booted_ns;
    unsigned pid;
    struct process *launcher, *shell; /* borrowed: the chain that all have */
    struct container *containers[CONTAINERS];
    struct {
        struct process *process;
        unsigned left; /* events of it */
    } actors[ARRAY_SIZE(activities) * CONTAINERS];
};

static unsigned any(struct past *p, unsigned below)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (unsigned)(p->random >> 16) % below;
}

static struct process *start(struct past *p, struct process *parent, const char *executable, const char *args, uint64_t boot_ns)
{
    struct process *q = process_new((pid_t)(2000 + p->pid++ % 4000000), boot_ns);
    char words[512];

    snprintf(words, sizeof(words), "%s", args);
    for (char *c = words; *c; c++)
        *c = *c == ';' ? '\0' : *c;
    process_set(q, &q->executable, bytes_of(executable));
    process_set(q, &q->name, bytes_of(strrchr(executable, '/') + 1));
    process_set(q, &q->args, (struct bytes){ words, strlen(args) });
    process_set(q, &q->working_directory, bytes_of("/root"));
    process_set(q, &q->user_name, bytes_of("root"));
    process_set(q, &q->real_user_name, bytes_of("root"));
    process_set(q, &q->group_name, bytes_of("root"));
    process_set(q, &q->cgroup, bytes_of("/user.slice/user-0.slice/session-17.scope"));
    process_set(q, &q->owner.package, bytes_of("coreutils"));
    process_set(q, &q->owner.package_version, bytes_of("9.1-1"));
    q->executable_inode = 247000 + strlen(executable);
    q->executable_device = 65024;
    q->mnt_ns = 4026531832;
    q->cred.known = q->attributed = true;
    q->origin = ORIGIN_HOST;
    q->booted_ns = p->booted_ns;
    q->parent_pid = parent ? parent->pid : 0;
    q->parent = process_ref(parent);
    return q;
}

static struct process *actor(struct past *p, unsigned which, unsigned container, uint64_t boot_ns)
{
    const struct activity *a = &activities[which];
    unsigned slot = which * CONTAINERS + container;

    if (!p->actors[slot].left) {
        process_unref(p->actors[slot].process);
        p->actors[slot].process = start(p, p->shell, a->executable, a->args, boot_ns - NS_PER_MS);
        if (a->container) {
            p->actors[slot].process->origin = ORIGIN_CONTAINER;
            p->actors[slot].process->container = container_ref(p->containers[container]);
        }
        p->actors[slot].left = a->events_each;
    }
    p->actors[slot].left--;
    return p->actors[slot].process;
}

static void set_file(struct past *p, struct event *e, uint64_t time_ns, uint64_t inode)
{
    e->file = (struct file_state){ .known = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_INODE | FILE_DEVICE | FILE_LINKS | FILE_MTIME,
                                   .mode = S_IFREG | 0644, .links = 1, .size = any(p, 100000), .inode = inode, .device = 65024,
                                   .mtime_ns = (int64_t)(time_ns - any(p, 100000)) };
    e->file.owner = e->file.group = bytes_of("root");
}

static void make(struct past *p, unsigned which, unsigned container, uint64_t time_ns, char step, const char *path, const char *temporary,
                 uint64_t inode)
{
    static const enum operation operations[] = { ['c'] = OPERATION_CREATE, ['w'] = OPERATION_WRITE, ['o'] = OPERATION_CHOWN,
                                                 ['m'] = OPERATION_CHMOD, ['r'] = OPERATION_RENAME, ['R'] = OPERATION_REPLACE,
                                                 ['d'] = OPERATION_UNLINK };
    const struct activity *a = &activities[which];
    struct event *e = event_new();
    char host[256];
    bool renamed = step == 'r';

    event_set(e, &e->path, bytes_of(renamed || step == 'R' || step == 'd' ? path : temporary));
    if (renamed)
        event_set(e, &e->previous_path, bytes_of(temporary));
    e->victim_kind = a->container ? VICTIM_CONTAINER : VICTIM_HOST;
    if (a->container) {
        e->victim = container_ref(p->containers[container]);
        snprintf(host, sizeof(host), "/var/lib/docker/overlay2/%016x%048x/diff%s", container, container, path);
        event_set(e, &e->host_path, bytes_of(host));
    }
    e->watch_text = bytes_of(a->watch);
    e->time_ns = time_ns;
    e->boot_ns = time_ns - p->booted_ns;
    e->sequence = ++p->sequence;
    event_make_id(time_ns, p->sequence * 0x9e3779b97f4a7c15ull, e->id);
    e->operation = operations[(unsigned char)step];
    e->sensors = SENSOR_FANOTIFY;
    e->syscall = -1;
    e->actor.process = process_ref(actor(p, which, container, e->boot_ns));
    e->actor.pid = e->actor.process->pid;
    e->actor.start_ns = e->actor.process->start_ns;
    e->actor.login_uid = UID_UNKNOWN;
    e->actor.session = SESSION_UNKNOWN;
    set_file(p, e, time_ns, inode);
    if (step == 'm') {
        e->before = (struct file_state){ .known = FILE_MODE, .mode = S_IFREG | 0600 };
        e->after = (struct file_state){ .known = FILE_MODE, .mode = S_IFREG | 0644 };
    }
    while (store_add_event(p->store, e) == -ENOBUFS)
        (void)store_flush(p->store, NULL);
    event_free(e);
}

/* '#' in the text is the number. */
static void add_numbered(struct sbuf *out, const char *text, unsigned number)
{
    for (; *text; text++)
        if (*text == '#')
            sbuf_add_decimal(out, number);
        else
            sbuf_add_char(out, *text);
}

/* Some files, one after the other. Returns how many events that were. */
static long burst(struct past *p, uint64_t time_ns, uint64_t until_ns, long most)
{
    unsigned which = 0, at = any(p, 100), container;
    const struct activity *a;
    long made = 0;

    while (at >= activities[which].share)
        at -= activities[which++].share;
    a = &activities[which];
    container = a->container ? any(p, CONTAINERS) : 0;
    while (made < most && made < BURST && time_ns < until_ns) {
        _cleanup_sbuf_ struct sbuf path = SBUF_INIT, temporary = SBUF_INIT;
        unsigned number = any(p, 1u << 30);

        add_numbered(&path, a->directory, any(p, a->directories));
        sbuf_add_char(&path, '/');
        add_numbered(&path, a->name, a->container ? number : number % 5000);
        sbuf_addf(&temporary, "%s%s", sbuf_str(&path), a->temporary);
        for (const char *s = a->steps; *s && made < most; s++, made++) {
            make(p, which, container, time_ns, *s == 'R' ? 'r' : *s, sbuf_str(&path), sbuf_str(&temporary), 1000000 + number);
            if (*s == 'R' && ++made < most) /* and what was there */
                make(p, which, container, time_ns, 'R', sbuf_str(&path), sbuf_str(&path), 900000 + number);
            time_ns += 20000 + any(p, 100000);
        }
    }
    return made;
}

static void make_containers(struct past *p)
{
    for (unsigned i = 0; i < CONTAINERS; i++) {
        struct container *c = p->containers[i] = container_new();
        char text[80];

        snprintf(text, sizeof(text), "%016lx%048x", i * 0x9e3779b97f4a7c15ul, i);
        container_set(c, &c->id, bytes_of(text));
        snprintf(text, sizeof(text), "shop-web-%u", i);
        container_set(c, &c->name, bytes_of(text));
        container_set(c, &c->runtime, bytes_of("docker"));
        container_set(c, &c->image_name, bytes_of("shop:1.4"));
    }
}

static void release(struct past *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(p->actors); i++)
        process_unref(p->actors[i].process);
    for (unsigned i = 0; i < CONTAINERS; i++)
        container_unref(p->containers[i]);
    process_unref(p->launcher);
    process_unref(p->shell);
}

static int fill(struct past *p, long events, uint64_t from_ns, uint64_t to_ns, struct err *err)
{
    struct store_state state;
    int r;

    p->booted_ns = from_ns - NS_PER_S;
    p->launcher = start(p, NULL, "/usr/lib/systemd/systemd", "/sbin/init;", 1);
    p->shell = start(p, p->launcher, "/usr/bin/bash", "bash;/usr/local/sbin/nightly;", 2);
    make_containers(p);
    for (long done = 0, next; done < events; done = next) {
        uint64_t each_ns = (to_ns - from_ns) / (uint64_t)events;

        next = done + burst(p, from_ns + (uint64_t)done * each_ns, to_ns, events - done);
        if (next == done)
            break;
    }
    r = store_flush(p->store, err);
    store_state(p->store, &state);
    printf("%" PRIu64 " lost\n", state.missing);
    release(p);
    return r;
}

/* As the daemon does it in the background, without its pauses. */
static int compact(const char *path, uint64_t until_ns, struct err *err)
{
    struct compactor *c = NULL;
    sqlite3 *db = NULL;
    int r = db_open(path, false, &db, NULL, err), more = 1;

    if (r == 0)
        r = compactor_new(db, path, &c, err);
    while (r == 0 && more == 1) {
        more = compactor_run(c, until_ns, 0, err);
        r = MIN(more, 0);
    }
    if (r == 0) /* as the daemon gives it back, bit by bit */
        r = db_exec(db, path, "PRAGMA incremental_vacuum", err);
    compactor_free(c);
    sqlite3_close(db);
    return r;
}

int main(int argc, char **argv)
{
    const bool rows = argc == 5 && strcmp(argv[4], "rows") == 0;
    struct store_options options = { .path = argc == 4 || rows ? argv[1] : NULL, .patient = true };
    long events = options.path ? atol(argv[2]) : 0, days = options.path ? atol(argv[3]) : 0;
    struct past p = { .random = 88172645463325252ull };
    uint64_t to_ns = (uint64_t)(time(NULL) - 7200) * NS_PER_S;
    struct err err = ERR_INIT;
    int r;

    if (events <= 0 || days <= 0) {
        fprintf(stderr, "past FILE EVENTS DAYS [rows]\n");
        return 2;
    }
    r = store_open(&options, &p.store, &err);
    if (r == 0) {
        r = fill(&p, events, to_ns - (uint64_t)days * 86400 * NS_PER_S, to_ns, &err);
        store_close(p.store);
    }
    if (r == 0 && !rows)
        r = compact(options.path, to_ns + 25 * 3600 * NS_PER_S, &err); /* a day later: no row waits for others */
    if (r < 0)
        fprintf(stderr, "past: %s\n", err.text);
    return r < 0;
}
