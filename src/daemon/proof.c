/* SPDX-License-Identifier: MIT */
#include "daemon/proof.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/changes.h"
#include "daemon/scratch.h"
#include "event/operation.h"
#include "sensor/sensor.h"
#include "util/macro.h"

#define EVENTS_MAX 4096

void proof_add(struct proof_seen *seen, const struct event *event)
{
    struct event *copy;

    if (seen->count == seen->size) {
        size_t size = seen->size ? seen->size * 2 : 64;
        struct event **grown = size <= EVENTS_MAX ? reallocarray(seen->events, size, sizeof(struct event *)) : NULL;

        if (!grown)
            return;
        seen->events = grown;
        seen->size = size;
    }
    copy = event_new();
    if (!copy)
        return;
    copy->operation = event->operation;
    copy->error = event->error;
    copy->actor.pid = event->actor.pid;
    copy->before = event->before;
    copy->after = event->after;
    event_set(copy, &copy->path, event->path);
    event_set(copy, &copy->previous_path, event->previous_path);
    event_set(copy, &copy->actor.executable, event_actor_executable(event));
    seen->events[seen->count++] = copy;
}

void proof_done(struct proof_seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        event_free(seen->events[i]);
    free(seen->events);
    *seen = (struct proof_seen){ 0 };
}

static const struct event *find(const struct proof_seen *seen, const struct change *c, pid_t pid, const char *name,
                                unsigned *ret_times)
{
    const struct event *found = NULL;

    *ret_times = 0;
    for (size_t i = 0; i < seen->count; i++) {
        const struct event *e = seen->events[i];

        if (e->operation != c->operation || !bytes_equal_str(bytes_basename(e->path), name))
            continue;
        (*ret_times)++;
        if (!found || e->actor.pid == pid)
            found = e;
    }
    return found;
}

/* Attributes that were changed before fanotify could look, which says then that it does not know which ones. A sensor that sees what is
 * refused sees the call itself, and knows. */
static bool is_seen_unknown(const struct proof_seen *seen, const struct change *c, pid_t pid, const char *name)
{
    for (size_t i = 0; (c->needs & CAPABILITY_METADATA) && i < seen->count; i++) {
        const struct event *e = seen->events[i];

        if (e->operation == OPERATION_ATTRIBUTES && e->actor.pid == pid && bytes_equal_str(bytes_basename(e->path), name))
            return true;
    }
    return false;
}

/* "" if the event says what was done, else what is wrong with it. */
static const char *judge(const struct event *e, const struct change *c, const struct proof_made *made, int error, const char *self,
                         unsigned times)
{
    struct bytes name = bytes_of(operation_info(c->operation)->name);
    uint64_t has = made->has;

    if (e->actor.pid != made->pid)
        return "the wrong process is named";
    if (!bytes_equal_str(e->actor.executable, self))
        return "the wrong executable is named";
    if (e->error != error)
        return "the outcome is wrong";
    if (times != 1)
        return "it is reported more than once";
    if (!strstr(made->place, "/" SCRATCH_PREFIX) ||
        !memmem(e->path.data, e->path.len, "/" SCRATCH_PREFIX, strlen("/" SCRATCH_PREFIX)))
        return "the path is wrong";
    if (c->operation == OPERATION_RENAME && !bytes_equal(bytes_basename(e->previous_path), name))
        return "the old name is wrong";
    if (!error && c->operation == OPERATION_CHMOD && (has & CAPABILITY_BEFORE_AFTER) &&
        (!(e->before.known & FILE_MODE) || (e->before.mode & 07777) != 0644 || !(e->after.known & FILE_MODE) ||
         (e->after.mode & 07777) != 0640))
        return "the mode before or after is wrong";
    if (!error && c->operation == OPERATION_CHOWN && (has & CAPABILITY_BEFORE_AFTER) &&
        (!(e->before.known & FILE_UID) || e->before.uid != 0 || !(e->after.known & FILE_UID) || e->after.uid != 12345))
        return "the owner before or after is wrong";
    return "";
}

const char *proof_judge(const struct proof_seen *seen, const struct proof_made *made, size_t change, enum proof_outcome *ret)
{
    const struct change *c = &changes[change];
    const char *what = operation_info(c->operation)->name, *text;
    int error = made->errors[change];
    char self[PATH_MAX] = "", name[256];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const struct event *e;
    unsigned times;

    *ret = PROOF_DECLARED;
    self[MAX(n, 0)] = '\0';
    snprintf(name, sizeof(name), "%s%s", what, c->suffix);
    if (made->confined && error)
        return "whoever tries may not do it";
    e = find(seen, c, made->pid, name, &times);
    if (e) {
        text = judge(e, c, made, error, self, times);
        *ret = *text ? PROOF_WRONG : PROOF_RIGHT;
        return text;
    }
    if ((c->needs & ~made->has) || (error && !(made->has & CAPABILITY_REFUSED)))
        return "these sensors cannot report it";
    if (error && !operation_error_is_refusal(error)) /* as tmpfs without attributes, before 6.6 */
        return "this file system does not have it";
    if (!error && !(made->has & CAPABILITY_REFUSED) && is_seen_unknown(seen, c, made->pid, name))
        return "which attributes is not known: it was looked at too late";
    *ret = PROOF_WRONG;
    return "it is not reported";
}
