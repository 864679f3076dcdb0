/* SPDX-License-Identifier: MIT */
#include "cli/kernel_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "guard/state.h"
#include "sensor/bpf/bpf_sensor.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json_writer.h"
#include "util/thread.h"

#define LATE_NS (10 * NS_PER_S)
#define MODULES "/sys/kernel/security/lsm"

const char *guard_way_words(enum guard_way way)
{
    return way == GUARD_WAY_LSM ? "by the kernel's security module bpf" : "by programs in place of the kernel's security modules";
}

static struct bytes read_modules(char *text, size_t size)
{
    _cleanup_close_ int fd = open(MODULES, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, size) : -1;

    return n > 0 ? (struct bytes){ text, (size_t)n } : BYTES_NULL;
}

static int load(struct kernel_guard *g, const struct guard_wish *wish, struct sbuf *why, struct err *err)
{
    struct err refused = ERR_INIT;
    int r = bpf_sensor_load(g->way == GUARD_WAY_LSM ? GUARD_KIND_LSM : GUARD_KIND_RETURN, !g->allowed.count, &refused);

    if (r == 0)
        return 0;
    if (strcmp(wish->method, "auto") != 0)
        return err_say(err, r, "%s; or --method immutable", err_text(&refused, r));
    sbuf_add_str(why, err_text(&refused, r));
    g->way = GUARD_WAY_IMMUTABLE;
    return 0;
}

int kernel_guard_choose(const struct guard_wish *wish, struct kernel_guard *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf why = SBUF_INIT;
    struct err lacks = ERR_INIT;
    struct guard_facts facts = { 0 };
    char modules[512];
    int r;

    if (strcmp(wish->method, "immutable") == 0)
        return ret->allowed.count ? err_say(err, -EINVAL, "--allow is of the method bpf: the flags of chattr deny everybody") : 0;
    facts.modules = read_modules(modules, sizeof(modules));
    r = bpf_guard_ask_kernel(&facts.preempts, &lacks);
    if (r < 0)
        facts.bpf_lacks = err_text(&lacks, r);
    r = guard_choose(wish, &facts, &ret->way, &why, err);
    if (r == 0 && ret->way != GUARD_WAY_IMMUTABLE)
        r = load(ret, wish, &why, err);
    if (r == 0 && ret->way == GUARD_WAY_IMMUTABLE && ret->allowed.count)
        return err_say(err, -ENOTSUP, "--allow needs bpf, the flags of chattr deny everybody: %s", sbuf_str(&why));
    if (r == 0 && why.len)
        cli_note("by the flags of chattr, not by the kernel: %s", sbuf_str(&why));
    return r;
}

/* For doctor and --off; the lock on it goes with this process. */
static int write_down(struct kernel_guard *g, struct bytes target, uint64_t for_ns, uint64_t confirm_ns, struct err *err)
{
    uint64_t now = clock_ns(CLOCK_REALTIME);
    struct guard_state state = { .method = bytes_of(guard_bpf.name), .target = target, .since_ns = now,
                                 .until_ns = for_ns ? now + for_ns : 0,
                                 .confirm_ns = confirm_ns ? now + confirm_ns : 0, .asker = getpid(),
                                 .older_writers = g->counts.older_writers, .mounted_below = g->mounted_below };
    _cleanup_close_ int lock = guard_state_lock(GUARD_STATE_DIRECTORY, true);

    if (lock < 0)
        return err_set(err, lock, GUARD_STATE_DIRECTORY);
    return guard_state_create(GUARD_STATE_DIRECTORY, &state, &g->state_fd, &g->state_name, err);
}

static int test(struct kernel_guard *g, struct err *err)
{
    int r = bpf_guard_test(&g->test, err);

    if (r == 0 && !g->test.all)
        return err_say(err, -ENOENT, "there is no file or folder to guard");
    if (r == 0 && g->test.denied < g->test.all)
        return err_say(err, -EBUSY, "not guarded: of %zu places of the target %zu did not refuse a change of mode", g->test.all,
                       g->test.all - g->test.denied);
    return r;
}

#define FOLLOW_MS 200
#define FIRST_LOOK_MS 10000

/* For doctor. */
static void write_writers_down(struct kernel_guard *g)
{
    struct bpf_guard_counts now;

    bpf_guard_look(&now);
    if (now.older_writers == g->written_writers)
        return;
    (void)guard_state_set_older_writers(g->state_fd, now.older_writers);
    g->written_writers = now.older_writers;
}

static void *follow(void *data)
{
    struct kernel_guard *g = data;
    struct pollfd stop = { .fd = g->stop_fd, .events = POLLIN };

    while (poll(&stop, 1, FOLLOW_MS) <= 0) {
        guard_allow_follow(&g->allowed);
        write_writers_down(g);
    }
    return NULL;
}

static int begin_to_follow(struct kernel_guard *g, struct err *err)
{
    int r;

    g->stop_fd = eventfd(0, EFD_CLOEXEC);
    r = g->stop_fd < 0 ? -errno : thread_start(&g->follower, follow, g);
    if (r < 0)
        closep(&g->stop_fd), g->stop_fd = -EBADF;
    return r < 0 ? err_set(err, r, "following the guard") : 0;
}

static void follow_no_more(struct kernel_guard *g)
{
    uint64_t one = 1;

    if (g->stop_fd < 0)
        return;
    (void)!write(g->stop_fd, &one, sizeof(one));
    (void)pthread_join(g->follower, NULL);
    closep(&g->stop_fd);
    g->stop_fd = -EBADF;
}

/* The command ends it in time; should it hang, the kernel is not asked to refuse for much longer. */
static void limit(struct kernel_guard *g, uint64_t for_ns, uint64_t confirm_ns)
{
    uint64_t first = confirm_ns && (!for_ns || confirm_ns < for_ns) ? confirm_ns : for_ns;

    g->until_ns = for_ns ? clock_ns(CLOCK_MONOTONIC) + for_ns + LATE_NS : 0;
    bpf_guard_limit(first ? clock_ns(CLOCK_MONOTONIC) + first + LATE_NS : 0);
}

void kernel_guard_confirmed(struct kernel_guard *g)
{
    bpf_guard_limit(g->until_ns);
    (void)guard_state_confirm(g->state_fd);
}

void kernel_guard_end(struct kernel_guard *g)
{
    follow_no_more(g);
    bpf_guard_end();
    bpf_guard_look(&g->counts);
    if (g->state_name)
        guard_state_remove(GUARD_STATE_DIRECTORY, g->state_name);
    free(g->state_name);
    g->state_name = NULL;
    closep(&g->state_fd);
    g->state_fd = -EBADF;
}

static bool is_to_end(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 && (sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGHUP) == 1);
}

/* To say at the beginning how many there are. Everything is refused by now, doctor knows, and whoever ends it is obeyed. */
static void await_writers(void)
{
    for (unsigned waited = 0; waited < FIRST_LOOK_MS && !is_to_end(); waited += FOLLOW_MS)
        if (bpf_guard_await_writers(FOLLOW_MS))
            return;
}

int kernel_guard_begin(struct kernel_guard *g, struct bytes target, uint64_t for_ns, uint64_t confirm_ns, struct err *err)
{
    int r = bpf_guard_begin(err);

    if (r == 0)
        r = guard_allow_apply(&g->allowed, err);
    if (r == 0)
        r = test(g, err);
    bpf_guard_look(&g->counts);
    g->written_writers = g->counts.older_writers;
    if (r == 0)
        r = write_down(g, target, for_ns, confirm_ns, err);
    if (r == 0)
        limit(g, for_ns, confirm_ns);
    if (r == 0)
        r = bpf_guard_look_for_writers(err);
    if (r == 0)
        r = begin_to_follow(g, err);
    if (r < 0) {
        kernel_guard_end(g);
        return r;
    }
    await_writers();
    limit(g, for_ns, confirm_ns); /* from now on, as whoever asked counts it */
    bpf_guard_look(&g->counts);
    return 0;
}

void kernel_guard_say_end(const struct kernel_guard *g)
{
    const struct bpf_guard_counts *c = &g->counts;

    cli_note("the guard is over: %llu refused", (unsigned long long)c->refused);
    if (c->unplaced)
        cli_note("%llu of them by handles of files, whose path is not known: they are not among the events", (unsigned long long)c->unplaced);
    if (c->lapsed_ns)
        cli_warn("for %llu ms nothing was refused, because culprit was stopped", (unsigned long long)(c->lapsed_ns / NS_PER_MS));
    if (c->writers_escaped)
        cli_warn("for a time writes through descriptors from before the guard were not refused: the kernel did not attach a program again");
    if (g->way == GUARD_WAY_RETURN && c->missed)
        cli_warn("the kernel passed the guard over %llu times, for any file of this machine", (unsigned long long)c->missed);
}

void kernel_guard_write(const struct kernel_guard *g, struct sbuf *out)
{
    const struct bpf_guard_counts *c = &g->counts;

    json_string(out, JSON_KEY("way"), bytes_of(g->way == GUARD_WAY_LSM ? "lsm" : "return"));
    if (c->older_writers != BPF_GUARD_UNKNOWN)
        json_number(out, JSON_KEY("older_writers"), c->older_writers);
    if (c->refused)
        json_number(out, JSON_KEY("refused"), c->refused);
    if (c->unplaced)
        json_number(out, JSON_KEY("without_path"), c->unplaced);
    if (c->missed)
        json_number(out, JSON_KEY("passed_over"), c->missed);
    if (c->lapsed_ns)
        json_number(out, JSON_KEY("lapsed_ns"), c->lapsed_ns);
}
