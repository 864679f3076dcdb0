/* SPDX-License-Identifier: MIT */
#include "guard/holder.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"

#define ANSWER_MS 5000 /* of whoever holds it, which may be stopped */
#define LOOK_MS 20

struct holder_search {
    const char *target;
    guard_holder_fn *which;
    struct guard_holders *found;
};

static int note_keeper(void *data, const char *name, const struct guard_state *state)
{
    struct holder_search *f = data;
    struct guard_holder *h = &f->found->all[f->found->count];

    if (state->keeper <= 0 || f->found->count == GUARD_HOLDERS_MAX || (f->target && !bytes_equal_str(state->target, f->target)))
        return 0;
    if (f->which && !f->which(state))
        return 0;
    h->keeper = state->keeper;
    snprintf(h->name, sizeof(h->name), "%s", name);
    f->found->count++;
    return 0;
}

void guard_holders_find(const char *directory, const char *target, guard_holder_fn *which, struct guard_holders *ret)
{
    struct holder_search f = { target, which, ret };

    ret->count = 0;
    (void)guard_state_each_head(directory, note_keeper, &f);
}

bool guard_holder_is_there(const char *directory, const struct guard_holder *h)
{
    return guard_state_keeper(directory, h->name) == h->keeper;
}

/* A pid that is another's by now holds no lock of ours: it is asked for once more, when its descriptor is open. */
bool guard_holder_signal(const char *directory, const struct guard_holder *h, int number)
{
    _cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, h->keeper, 0);

    if (!guard_holder_is_there(directory, h))
        return false;
    return fd >= 0 ? syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0 : kill(h->keeper, number) == 0;
}

/* ---- confirming ---- */

static bool is_unconfirmed(const struct guard_state *state)
{
    return state->confirm_ns != 0;
}

static bool waits_still(const char *directory, const struct guard_holder *h)
{
    struct guard_holders now;

    guard_holders_find(directory, NULL, is_unconfirmed, &now);
    for (size_t i = 0; i < now.count; i++)
        if (now.all[i].keeper == h->keeper && strcmp(now.all[i].name, h->name) == 0)
            return true;
    return false;
}

/* It says so by what it writes down; if it is gone by then it was not confirmed. */
static bool confirm_one(const char *directory, const struct guard_holder *h)
{
    if (!guard_holder_signal(directory, h, GUARD_SIGNAL_CONFIRM))
        return false;
    for (unsigned waited = 0; waited < ANSWER_MS; waited += LOOK_MS) {
        if (!waits_still(directory, h))
            return guard_holder_is_there(directory, h);
        (void)nanosleep(&(struct timespec){ 0, LOOK_MS * 1000 * 1000 }, NULL);
    }
    return false;
}

size_t guard_confirm(const char *directory, const char *target, size_t *ret_failed)
{
    struct guard_holders waiting;
    size_t confirmed = 0;

    guard_holders_find(directory, target, is_unconfirmed, &waiting);
    for (size_t i = 0; i < waiting.count; i++)
        confirmed += confirm_one(directory, &waiting.all[i]);
    *ret_failed = waiting.count - confirmed;
    return confirmed;
}

/* ---- ending those that hang ---- */

struct asker_search {
    const char *name;
    pid_t asker;
};

static int note_asker(void *data, const char *name, const struct guard_state *state)
{
    struct asker_search *f = data;

    if (strcmp(name, f->name) != 0)
        return 0;
    f->asker = state->asker;
    return 1;
}

pid_t guard_note_turned_off(const char *directory, const char *name)
{
    struct asker_search f = { .name = name };

    (void)guard_state_each_head(directory, note_asker, &f);
    return f.asker > 0 && guard_state_note(directory, f.asker) == 0 ? f.asker : 0;
}
