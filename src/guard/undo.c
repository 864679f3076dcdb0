/* SPDX-License-Identifier: MIT */
#include "guard/undo.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/escape.h"
#include "util/macro.h"

#define PATIENCE_MS 15000 /* of a keeper that is asked to end: it may wait for the lock of the states */
#define LOOK_MS 20
#define KEEPERS_MAX 64

void guard_undo(const char *directory, const char *name, const struct guard_method *method, const struct guard_list *list,
                struct guard_released *ret)
{
    _cleanup_close_ int lock = guard_state_lock(directory, false);
    struct guard_set others = { 0 };

    /* two that end at once would each leave to the other what both hold: without the lock nothing is released. Where somebody
     * removed all that was written down, nobody else knows what to release */
    if ((lock < 0 && lock != -ENOENT) || guard_state_held(directory, name, &others) < 0) {
        *ret = (struct guard_released){ .failed = list->count };
    } else {
        *ret = method->release(list, &others);
        if (!ret->failed)
            guard_state_remove(directory, name);
    }
    guard_set_done(&others);
}

/* ---- those that nobody holds ---- */

struct state_taking {
    const char *directory;
    struct sbuf *said;
    size_t count, failed;
};

static int undo(void *data, const char *name, const struct guard_state *state)
{
    const struct guard_method *method;
    struct guard_released released;
    struct state_taking *t = data;
    char word[32];

    snprintf(word, sizeof(word), "%.*s", (int)state->method.len, state->method.data);
    method = guard_method_by_name(word);
    if (!method)
        return 0; /* a newer culprit's */
    guard_undo(t->directory, name, method, &state->list, &released);
    sbuf_addf(t->said, "%sthe guard of ", t->said->len ? "; " : "");
    escape_terminal(t->said, state->target);
    sbuf_addf(t->said, " (%zu files", state->list.count - released.other - released.shared - released.failed);
    if (released.shared)
        sbuf_addf(t->said, ", %zu others stay another guard's", released.shared);
    if (released.failed)
        sbuf_addf(t->said, ", %zu others could not be: the next culprit command tries again", released.failed);
    sbuf_add_char(t->said, ')');
    t->count += !released.failed;
    t->failed += released.failed;
    return 0;
}

size_t guard_take_back(const char *directory, struct sbuf *said, size_t *ret_failed)
{
    struct state_taking t = { .directory = directory, .said = said };

    (void)guard_state_each_left(directory, undo, &t);
    if (ret_failed)
        *ret_failed = t.failed;
    return t.count;
}

/* ---- ending those that are held ---- */

struct held_state {
    pid_t keeper;
    char name[64];
};

struct ending {
    const char *target;
    struct held_state held[KEEPERS_MAX];
    size_t count;
};

static int note_keeper(void *data, const char *name, const struct guard_state *state)
{
    struct ending *e = data;
    struct held_state *held = &e->held[e->count];

    if (state->keeper <= 0 || e->count == KEEPERS_MAX || (e->target && !bytes_equal_str(state->target, e->target)))
        return 0;
    held->keeper = state->keeper;
    snprintf(held->name, sizeof(held->name), "%s", name);
    e->count++;
    return 0;
}

static bool is_held(const char *directory, const struct held_state *held)
{
    return guard_state_keeper(directory, held->name) == held->keeper;
}

static bool wait_for_end(const char *directory, const struct held_state *held)
{
    for (unsigned waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
        if (!is_held(directory, held))
            return true;
        (void)nanosleep(&(struct timespec){ 0, LOOK_MS * 1000 * 1000 }, NULL);
    }
    return false;
}

/* A pid that is another's by now holds no lock of ours: it is asked for once more, when its descriptor is open. */
static bool signal_keeper(const char *directory, const struct held_state *held, int number)
{
    _cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, held->keeper, 0);

    if (!is_held(directory, held))
        return false;
    return fd >= 0 ? syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0 : kill(held->keeper, number) == 0;
}

size_t guard_end(const char *directory, const char *target, struct sbuf *said, size_t *ret_failed)
{
    struct ending e = { .target = target };
    size_t ended = 0;

    (void)guard_state_each_head(directory, note_keeper, &e);
    for (size_t i = 0; i < e.count; i++) {
        const struct held_state *held = &e.held[i];

        if (!signal_keeper(directory, held, SIGTERM) || wait_for_end(directory, held)) {
            ended++;
            continue;
        }
        ended += signal_keeper(directory, held, SIGKILL) && wait_for_end(directory, held);
    }
    (void)guard_take_back(directory, said, ret_failed);
    return ended;
}
