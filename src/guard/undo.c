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

#include "guard/holder.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/macro.h"

#define PATIENCE_MS 15000 /* of a keeper that is asked to end: it may wait for the lock of the states */
#define NOTED_MS 5000 /* for whoever starts guards to see why one was killed */
#define GONE_MS 500    /* of a guard that nobody started for others */
#define LOOK_MS 20

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
    if (method == &guard_bpf)
        return 0; /* it ended with its process */
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

static bool wait_for_end(const char *directory, const struct guard_holder *h)
{
    for (unsigned waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
        if (!guard_holder_is_there(directory, h))
            return true;
        (void)nanosleep(&(struct timespec){ 0, LOOK_MS * 1000 * 1000 }, NULL);
    }
    return false;
}

/* False: it hangs even when it is killed. */
static bool end_one(const char *directory, const struct guard_holder *h)
{
    if (!guard_holder_signal(directory, h, SIGTERM) || wait_for_end(directory, h))
        return true;
    return guard_holder_signal(directory, h, SIGKILL) && wait_for_end(directory, h);
}

/* Until whoever starts guards, and would begin this one anew, knows why it ended. Who asked for it may be stopped: pidfd, of the time when
 * the guard was there; its number may be another one's by now. */
static void settle_note(const char *directory, pid_t asker, int pidfd)
{
    unsigned gone = 0;

    if (pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
    for (unsigned waited = 0; waited < NOTED_MS && gone < GONE_MS && guard_state_is_noted(directory, asker); waited += LOOK_MS) {
        gone += kill(asker, 0) < 0 ? LOOK_MS : 0;
        (void)nanosleep(&(struct timespec){ 0, LOOK_MS * 1000 * 1000 }, NULL);
    }
    (void)guard_state_take_note(directory, asker); /* nobody wanted to know */
}

size_t guard_end(const char *directory, const char *target, struct sbuf *said, size_t *ret_failed)
{
    struct guard_holders found;
    size_t ended = 0;

    guard_holders_find(directory, target, NULL, &found);
    for (size_t i = 0; i < found.count; i++) {
        const struct guard_holder *h = &found.all[i];
        pid_t asker = guard_note_turned_off(directory, h->name);
        _cleanup_close_ int pidfd = asker ? (int)syscall(SYS_pidfd_open, asker, 0) : -EBADF;

        ended += end_one(directory, h);
        if (asker)
            settle_note(directory, asker, pidfd);
    }
    (void)guard_take_back(directory, said, ret_failed);
    return ended;
}
