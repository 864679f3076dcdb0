/* SPDX-License-Identifier: MIT */
#include "cli/who_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"

#define LOOK_MS 200              /* so often the store is asked whether it has anything new: a read of one page */
#define LATE_NS (30 * NS_PER_S)  /* what is recorded may be so much older than what was recorded before it */
#define FORGET_NS (2 * LATE_NS)

struct followed {
    struct followed *next;
    struct target target;
    struct store_query query;
};

/* An event, or a gap, that has had its turn. */
struct shown {
    struct fingerprint key;
    uint64_t time_ns;
    UT_hash_handle hh;
};

struct who_follow {
    struct store *store;
    const struct filter *filter;
    const struct agents *agents;
    struct printer *printer;
    struct followed *targets;
    struct shown *shown;
    uint64_t newest_ns;
    struct who_followed seen;
    uint32_t version;
    bool silent; /* what is found was there before */
};

int who_follow_new(struct store *store, const struct filter *filter, const struct agents *agents, struct printer *printer,
                   struct who_follow **ret)
{
    struct who_follow *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    *f = (struct who_follow){ .store = store, .filter = filter, .agents = agents, .printer = printer };
    f->newest_ns = clock_ns(CLOCK_REALTIME);
    *ret = f;
    return 0;
}

static void forget(struct who_follow *f, uint64_t before_ns)
{
    struct shown *s, *next;

    HASH_ITER(hh, f->shown, s, next) {
        if (s->time_ns >= before_ns)
            continue;
        HASH_DEL(f->shown, s);
        free(s);
    }
}

void who_follow_free(struct who_follow *f)
{
    if (!f)
        return;
    forget(f, UINT64_MAX);
    while (f->targets) {
        struct followed *t = f->targets;

        f->targets = t->next;
        target_done(&t->target);
        free(t);
    }
    free(f);
}

/* For the first time? */
static bool is_new(struct who_follow *f, struct bytes id, uint64_t time_ns)
{
    struct fingerprint_maker of;
    struct fingerprint key;
    struct shown *s;

    fingerprint_begin(&of);
    fingerprint_add(&of, id);
    key = fingerprint_end(&of);
    HASH_FIND(hh, f->shown, &key, sizeof(key), s);
    if (s)
        return false;
    s = calloc(1, sizeof(*s));
    if (s) {
        s->key = key;
        s->time_ns = time_ns;
        HASH_ADD(hh, f->shown, key, sizeof(s->key), s);
        HASH_FREE_IF_OUT(hh, s);
    }
    f->newest_ns = time_ns > f->newest_ns ? time_ns : f->newest_ns;
    return true;
}

static int on_event(void *data, struct event *e)
{
    struct who_follow *f = data;

    if (is_new(f, (struct bytes){ (const char *)e->id, sizeof(e->id) }, e->time_ns) && !f->silent &&
        filter_event(f->filter, e) == FILTER_MATCHES) {
        agents_name_products(f->agents, e);
        printer_event(f->printer, e);
        f->seen.events++;
    }
    event_free(e);
    return 0;
}

static int on_gap(void *data, const struct gap *gap)
{
    struct who_follow *f = data;
    _cleanup_sbuf_ struct sbuf id = SBUF_INIT;

    /* a gap that goes on is the same one: its end does not count */
    sbuf_addf(&id, "%d %llu %s", (int)gap->reason, (unsigned long long)gap->from_ns, gap->text);
    if (gap->to_ns && is_new(f, sbuf_bytes(&id), gap->to_ns) && !f->silent) {
        printer_gap(f->printer, gap);
        f->seen.gaps += gap_has_changes(gap);
    }
    return 0;
}

static int look(struct who_follow *f, struct followed *t, struct err *err)
{
    int r;

    t->query.since_ns = f->newest_ns - LATE_NS;
    r = store_each_event(f->store, &t->query, on_event, f, err);
    if (r >= 0)
        r = store_each_above(f->store, &t->query, on_event, f, err);
    if (r >= 0)
        r = store_each_gap(f->store, &t->query, on_gap, f, err);
    return r < 0 ? r : 0;
}

int who_follow_add(struct who_follow *f, struct target *target, const struct store_query *query, struct err *err)
{
    struct followed *t = calloc(1, sizeof(*t));
    int r;

    if (!t)
        return err_set(err, -ENOMEM, "--follow");
    t->target = *target;
    t->query = *query;
    *target = (struct target){ 0 };
    t->next = f->targets;
    f->targets = t;
    r = store_version(f->store, &f->version, err);
    if (r < 0)
        return r;
    f->silent = true;
    r = look(f, t, err);
    f->silent = false;
    return r;
}

static int look_at_all(struct who_follow *f, struct err *err)
{
    uint32_t version;
    int r = store_version(f->store, &version, err);

    if (r < 0 || version == f->version)
        return r;
    f->version = version;
    for (struct followed *t = f->targets; t && r == 0; t = t->next)
        r = look(f, t, err);
    forget(f, f->newest_ns - FORGET_NS);
    return r;
}

static int open_signals(void)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
        return -errno;
    return signalfd(-1, &mask, SFD_CLOEXEC);
}

/* False: it is to end. */
static bool wait_a_little(int signals)
{
    struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .fd = STDOUT_FILENO, .events = 0 } };

    if (poll(fds, 2, LOOK_MS) < 0)
        return errno == EINTR;
    return !fds[0].revents && !(fds[1].revents & (POLLERR | POLLNVAL));
}

int who_follow_run(struct who_follow *f, struct who_followed *ret, struct err *err)
{
    _cleanup_close_ int signals = open_signals();
    int r = signals < 0 ? err_set(err, -errno, "signals") : 0;

    while (r == 0 && wait_a_little(signals)) {
        r = look_at_all(f, err);
        printer_idle(f->printer);
    }
    printer_flush(f->printer);
    *ret = f->seen;
    return r;
}
