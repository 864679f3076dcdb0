/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/guarding.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/bpf/features.h"
#include "sensor/bpf/guard_links.h"
#include "sensor/bpf/guard_writers.h"
#include "sensor/bpf/objects.h"
#include "sensor/bpf/skeleton.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/thread.h"

#define LEASE_NS (10 * NS_PER_S)
#define RENEW_MS 1000

static struct {
    struct programs *programs; /* NULL: there is no guard */
    struct bpf_objects *objects;
    pthread_t renewer;
    int stop_fd; /* readable: it is to end */
    bool renewed;
    uint64_t lapsed_ns;
    uint64_t limit_ns; /* CLOCK_MONOTONIC: it is not renewed afterwards; 0: no such time */
    uint64_t let;      /* opens for writing that were let pass, or that the programs may not have been asked for, as the renewer knows it */
} guarding = { .stop_fd = -EBADF };

int bpf_guard_ask_kernel(bool *ret_preempts, struct err *err)
{
    struct btf *btf = NULL;
    int r = features_permitted(err);

    if (r == 0)
        r = features_open(&btf, err);
    if (r < 0)
        return r;
    *ret_preempts = features_preempts(btf);
    features_close(btf);
    return 0;
}

void guarding_opened(struct programs *programs, struct bpf_objects *objects)
{
    guarding.programs = programs;
    guarding.objects = objects;
    bpf_objects_before_placing(objects, guard_writers_unsure);
}

void guarding_closed(void)
{
    bpf_guard_end();
    guarding.programs = NULL;
    guarding.objects = NULL;
}

/* ---- who may ---- */

int bpf_guard_allow(enum wire_guard_kind kind, uint64_t value, struct err *err)
{
    struct wire_guard_allowed key = { kind, value };
    uint32_t yes = 1;

    if (!guarding.programs)
        return err_say(err, -ENODEV, "there is no guard");
    guard_writers_stay();
    if (bpf_map_update_elem(bpf_map__fd(guarding.programs->skeleton->maps.guard_allowed), &key, &yes, BPF_ANY) < 0)
        return err_set(err, -errno, "who may");
    return 0;
}

int bpf_guard_allow_executable(int fd, struct err *err)
{
    _cleanup_free_ struct wire_chain *chain = malloc(sizeof(*chain));
    int r = chain ? bpf_objects_query(guarding.objects, fd, chain) : -ENOMEM;

    return r < 0 ? err_set(err, r, "asking the kernel for the executable")
                 : bpf_guard_allow(WIRE_GUARD_EXECUTABLE, chain->entries[0].inode, err);
}

/* ---- for how long ---- */

/* After a time in which nothing was refused there may be new older writers: they are refused from the moment on in which others are. */
static void renew_once(struct files_bpf *k, uint64_t now)
{
    uint64_t until = k->bss->guard_until_ns, let;
    bool lapsed = now > until;

    if (lapsed)
        guard_writers_pause(true);
    __atomic_store_n(&k->bss->guard_until_ns, now + LEASE_NS, __ATOMIC_SEQ_CST);
    if (lapsed) {
        guard_writers_pause(false);
        __atomic_fetch_add(&guarding.lapsed_ns, now - until, __ATOMIC_SEQ_CST);
    }
    let = __atomic_load_n(&k->bss->guard_let, __ATOMIC_SEQ_CST) + guard_programs_missed_opens(k);
    if (let != guarding.let)
        guard_writers_unsure();
    guarding.let = let;
}

/* Does nothing else: while it runs the guard is meant. */
static void *renew(void *data)
{
    struct files_bpf *k = guarding.programs->skeleton;
    struct pollfd stop = { .fd = guarding.stop_fd, .events = POLLIN };

    (void)data;
    do {
        uint64_t now = clock_ns(CLOCK_BOOTTIME);
        uint64_t limit = __atomic_load_n(&guarding.limit_ns, __ATOMIC_SEQ_CST);

        if (limit && clock_ns(CLOCK_MONOTONIC) > limit) {
            k->bss->guard_until_ns = MIN(k->bss->guard_until_ns, now);
            continue;
        }
        renew_once(k, now);
    } while (poll(&stop, 1, RENEW_MS) <= 0);
    return NULL;
}

void bpf_guard_limit(uint64_t until_ns)
{
    __atomic_store_n(&guarding.limit_ns, until_ns, __ATOMIC_SEQ_CST);
}

/* Mounts are judged in our own namespace: the host's, for a path of the host. */
static int guard_our_space(struct files_bpf *k, struct err *err)
{
    LIBBPF_OPTS(bpf_test_run_opts, options);
    uint32_t yes = 1;
    uint64_t space;

    if (bpf_prog_test_run_opts(bpf_program__fd(k->progs.guard_space_query), &options) < 0)
        return err_set(err, -errno, "asking the kernel for our mount namespace");
    space = k->bss->guard_space;
    if (space && bpf_map_update_elem(bpf_map__fd(k->maps.guard_spaces), &space, &yes, BPF_ANY) < 0)
        return err_set(err, -errno, "mount namespaces");
    return 0;
}

int bpf_guard_begin(struct err *err)
{
    struct files_bpf *k = guarding.programs ? guarding.programs->skeleton : NULL;
    int r;

    if (!k)
        return err_say(err, -ENODEV, "the sensor bpf was not opened");
    r = guard_our_space(k, err);
    if (r == 0)
        r = guard_links_register(guarding.programs, guarding.objects, err);
    if (r < 0)
        return r;
    guarding.stop_fd = eventfd(0, EFD_CLOEXEC);
    if (guarding.stop_fd < 0)
        return err_set(err, -errno, "the guard's lease");
    guarding.lapsed_ns = 0;
    bpf_guard_limit(0);
    k->bss->guard_until_ns = clock_ns(CLOCK_BOOTTIME) + LEASE_NS;
    r = thread_start(&guarding.renewer, renew, NULL);
    if (r < 0)
        return err_set(err, r, "the guard's lease");
    guarding.renewed = true;
    __atomic_store_n(&k->bss->guard_mode, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void hand_over_places(void)
{
    _cleanup_free_ int *fds = NULL;
    size_t count = 0, all = 0;

    for (struct bpf_object_watch *w = bpf_objects_first(guarding.objects); w; w = w->next)
        all++;
    fds = calloc(all + 1, sizeof(*fds));
    if (!fds)
        return; /* at the next turn */
    for (struct bpf_object_watch *w = bpf_objects_first(guarding.objects); w; w = w->next)
        if (w->exists)
            fds[count++] = bpf_object_watch_fd(w);
    guard_writers_take_places(fds, count);
}

int bpf_guard_look_for_writers(struct err *err)
{
    int r = guard_writers_begin(guarding.programs, err);

    if (r < 0)
        return r;
    guarding_turn();
    return 0;
}

bool bpf_guard_await_writers(unsigned timeout_ms)
{
    return guard_writers_wait(timeout_ms);
}

void guarding_turn(void)
{
    if (guard_writers_want_places())
        hand_over_places();
}

void bpf_guard_end(void)
{
    uint64_t one = 1;

    if (guarding.programs)
        guarding.programs->skeleton->bss->guard_mode = 0;
    if (guarding.renewed) {
        (void)!write(guarding.stop_fd, &one, sizeof(one));
        (void)pthread_join(guarding.renewer, NULL);
    }
    guarding.renewed = false;
    guard_writers_end();
    closep(&guarding.stop_fd);
    guarding.stop_fd = -EBADF;
}

void bpf_guard_look(struct bpf_guard_counts *ret)
{
    *ret = (struct bpf_guard_counts){ .older_writers = BPF_GUARD_UNKNOWN };
    if (!guarding.programs)
        return;
    ret->refused = __atomic_load_n(&guarding.programs->skeleton->bss->guard_refused, __ATOMIC_SEQ_CST);
    ret->unplaced = __atomic_load_n(&guarding.programs->skeleton->bss->guard_unplaced, __ATOMIC_SEQ_CST);
    ret->older_writers = guard_writers_count();
    ret->writers_escaped = guard_writers_escaped();
    ret->missed = guard_programs_missed(guarding.programs->skeleton);
    ret->lapsed_ns = __atomic_load_n(&guarding.lapsed_ns, __ATOMIC_SEQ_CST);
}

/* ---- does it? ---- */

/* A change of mode that changes nothing. */
static void try_place(int fd, struct bpf_guard_test *t)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
        return;
    if (chmod(path, st.st_mode & 07777) == 0)
        t->all++;
    else if (errno == EPERM)
        t->all++, t->denied++;
}

static _Noreturn void try_all(int out)
{
    struct files_bpf *k = guarding.programs->skeleton;
    struct bpf_guard_test t = { 0 };
    uint64_t before = k->bss->guard_tested;

    k->bss->guard_tester = (uint32_t)getpid();
    for (struct bpf_object_watch *w = bpf_objects_first(guarding.objects); w; w = w->next)
        if (w->exists)
            try_place(w->pin.clone_fd >= 0 ? w->pin.clone_fd : w->pin.fd, &t);
    /* who else refused it is not the guard */
    t.denied = MIN(t.denied, k->bss->guard_tested - before);
    k->bss->guard_tester = 0;
    _exit(write(out, &t, sizeof(t)) != (ssize_t)sizeof(t));
}

int bpf_guard_test(struct bpf_guard_test *ret, struct err *err)
{
    int pipes[2], r = 0;
    pid_t pid;

    if (!guarding.programs)
        return err_say(err, -ENODEV, "there is no guard");
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set(err, -errno, "testing the guard");
    pid = fork();
    if (pid == 0)
        try_all(pipes[1]);
    close(pipes[1]);
    if (pid < 0)
        r = -errno;
    else if (read(pipes[0], ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
        r = -ECHILD;
    close(pipes[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return r < 0 ? err_set(err, r, "testing the guard") : 0;
}
