/* SPDX-License-Identifier: MIT */
#include "daemon/heartbeat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/changes.h"
#include "daemon/proof.h"
#include "daemon/scratch.h"
#include "event/operation.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define FIRST_NS (60 * NS_PER_S)  /* a start has enough to do */
#define MAKE_NS (30 * NS_PER_S)   /* the child has so long */
#define LOOK_NS (60 * NS_PER_S)   /* and its events to come */
#define KEY "heartbeat"

enum phase {
    PHASE_IDLE,
    PHASE_PREPARED, /* the files are there, and are to be watched: what we make ourselves no sensor reports */
    PHASE_MAKING,   /* the child is at work */
    PHASE_LOOKING,  /* its events are awaited */
    PHASE_ENDING,   /* what was watched goes before the directory does: else that would be one that went without a word */
};

struct heartbeat {
    struct heartbeat_options options;
    struct transient *watch; /* of the scratch directory */
    bool stale;              /* it was given up, and is armed still */
    struct sbuf directory, place;
    enum phase phase;
    uint64_t next_ns;   /* CLOCK_MONOTONIC */
    uint64_t began_ns;  /* CLOCK_REALTIME: of this one */
    uint64_t phase_ns;  /* CLOCK_REALTIME: of this phase */
    struct scratch_directory scratch;
    struct change_files files;
    struct proof_seen seen;
    int errors[CHANGES];
    pid_t pid;
    int outcome_fd;
};

static void enter(struct heartbeat *h, enum phase phase)
{
    h->phase = phase;
    h->phase_ns = clock_ns(CLOCK_REALTIME);
}

static void end_child(struct heartbeat *h)
{
    if (h->outcome_fd >= 0)
        close(h->outcome_fd);
    h->outcome_fd = -EBADF;
    if (h->pid <= 0)
        return;
    (void)kill(h->pid, SIGKILL); /* one that has ended is there until it is waited for */
    (void)waitpid(h->pid, NULL, 0);
    h->pid = 0;
}

/* While watches are exchanged that has to wait. */
static void give_up(struct heartbeat *h)
{
    struct err err = ERR_INIT;
    int r = arm_transients(h->options.arming, false, &err);

    h->stale = r == -EBUSY;
    if (r < 0 && !h->stale)
        log_warn(h->options.log, "heartbeat: %s", err_text(&err, r));
}

static void clean_up(struct heartbeat *h)
{
    struct err err = ERR_INIT;

    proof_done(&h->seen);
    change_files_done(&h->files);
    if (h->scratch.dir >= 0 && scratch_remove(&h->scratch, &err) < 0)
        log_warn(h->options.log, "heartbeat: %s; it is left there", err.text);
    scratch_done(&h->scratch);
    h->scratch = SCRATCH_INIT;
    enter(h, PHASE_IDLE);
    h->next_ns = clock_ns(CLOCK_MONOTONIC) + h->options.every_ns;
}

static void begin_end(struct heartbeat *h)
{
    end_child(h);
    if (h->watch) {
        (void)transient_leave(&h->options.arming->transients, TAKE_PTR(h->watch), false);
        give_up(h);
    }
    enter(h, PHASE_ENDING);
}

/* ---- what is said ---- */

static void report(struct heartbeat *h, const char *wrong)
{
    struct status *s = h->options.status;
    bool again = s->heartbeat_text[0] != '\0';

    s->heartbeats++;
    s->heartbeats_wrong += wrong[0] != '\0';
    s->heartbeat_ns = clock_ns(CLOCK_REALTIME);
    snprintf(s->heartbeat_text, sizeof(s->heartbeat_text), "%s", wrong);
    if (wrong[0]) {
        struct gap gap = { .reason = LOST_HEARTBEAT, .from_ns = h->began_ns, .to_ns = s->heartbeat_ns };

        snprintf(gap.text, sizeof(gap.text), "the daemon's own test did not come back right: %.100s", wrong);
        pipeline_report_gap(h->options.pipeline, &gap);
        log_warn(h->options.log, "heartbeat: %s; what happens may not be seen", wrong);
    } else if (again) {
        log_warn(h->options.log, "heartbeat: right again");
    }
    begin_end(h);
}

static void judge(struct heartbeat *h)
{
    _cleanup_sbuf_ struct sbuf wrong = SBUF_INIT;
    struct proof_made made = { .place = sbuf_str(&h->place), .pid = h->pid, .errors = h->errors, .confined = true };
    struct pipeline_condition now;
    unsigned right = 0;

    pipeline_look(h->options.pipeline, &now);
    made.has = now.has;
    for (size_t i = 0; i < CHANGES; i++) {
        enum proof_outcome outcome;
        const char *text = proof_judge(&h->seen, &made, i, &outcome);

        right += outcome == PROOF_RIGHT;
        if (outcome == PROOF_WRONG)
            sbuf_addf(&wrong, "%s%s: %s", wrong.len ? "; " : "", operation_info(changes[i].operation)->name, text);
    }
    if (!wrong.len && !right)
        sbuf_add_str(&wrong, "nothing of it could be done");
    report(h, sbuf_str(&wrong));
}

/* ---- its phases ---- */

static void prepare(struct heartbeat *h)
{
    int parent = open(sbuf_str(&h->directory), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = parent < 0 ? -errno : 0;
    struct err err = ERR_INIT;
    char name[64], why[LIMIT_ERR];

    h->began_ns = clock_ns(CLOCK_REALTIME);
    if (r == 0)
        r = scratch_name(name, sizeof(name));
    if (r == 0)
        r = scratch_make(parent, name, &h->scratch, &err);
    else if (parent >= 0)
        close(parent);
    if (r == 0)
        r = changes_prepare(h->scratch.dir, &h->files);
    if (r < 0) {
        snprintf(why, sizeof(why), "its files could not be made: %.300s", err_text(&err, r));
        report(h, why);
        return;
    }
    sbuf_clear(&h->place);
    sbuf_addf(&h->place, "%s/%s", sbuf_str(&h->directory), h->scratch.name);
    enter(h, PHASE_PREPARED);
}

/* -EBUSY: later. */
static int watch(struct heartbeat *h, struct err *err)
{
    struct transients *list = &h->options.arming->transients;
    int r = transient_take(list, sbuf_bytes(&h->place), PERMISSION_WRITE | PERMISSION_ATTR, bytes_of(KEY), false, &h->watch, err);

    if (r == 0)
        r = arm_transients(h->options.arming, false, err);
    if (r < 0 && h->watch)
        (void)transient_leave(list, TAKE_PTR(h->watch), false);
    return r;
}

/* In the child. */
static void make_and_exit(const struct heartbeat *h, int fd)
{
    int self_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC), errors[CHANGES] = { 0 };
    int r = self_fds < 0 ? -errno : 0;

    umask(0);
    if (r == 0)
        r = changes_make(h->scratch.dir, self_fds, &h->files, true, errors);
    _exit(r == 0 && write(fd, errors, sizeof(errors)) == (ssize_t)sizeof(errors) ? 0 : 1);
}

static void make(struct heartbeat *h)
{
    struct err err = ERR_INIT;
    char why[LIMIT_ERR];
    int pipes[2], r = watch(h, &err);

    if (r == -EBUSY)
        return;
    if (r < 0) {
        snprintf(why, sizeof(why), "its directory cannot be watched: %.300s", err_text(&err, r));
        report(h, why);
        return;
    }
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        report(h, "no descriptor is left");
        return;
    }
    h->outcome_fd = pipes[0];
    h->pid = fork();
    if (h->pid == 0)
        make_and_exit(h, pipes[1]);
    close(pipes[1]);
    if (h->pid < 0)
        report(h, "no process could be started");
    else
        enter(h, PHASE_MAKING);
}

static void take_outcome(struct heartbeat *h)
{
    struct pollfd fd = { .fd = h->outcome_fd, .events = POLLIN };

    if (poll(&fd, 1, 0) <= 0) {
        if (clock_ns(CLOCK_REALTIME) > h->phase_ns + MAKE_NS)
            report(h, "the changes were not made within half a minute");
        return;
    }
    if (read(h->outcome_fd, h->errors, sizeof(h->errors)) != (ssize_t)sizeof(h->errors)) {
        report(h, "the changes could not be made");
        return;
    }
    enter(h, PHASE_LOOKING);
}

static bool has_come(const struct heartbeat *h)
{
    return pipeline_has_emitted(h->options.pipeline, h->phase_ns) || clock_ns(CLOCK_REALTIME) > h->phase_ns + LOOK_NS;
}

void heartbeat_idle(struct heartbeat *h)
{
    if (h->stale && !pipeline_is_changing(h->options.pipeline))
        give_up(h);
    switch (h->phase) {
    case PHASE_IDLE:
        if (clock_ns(CLOCK_MONOTONIC) >= h->next_ns)
            prepare(h);
        break;
    case PHASE_PREPARED:
        make(h);
        break;
    case PHASE_MAKING:
        take_outcome(h);
        break;
    case PHASE_LOOKING:
        if (has_come(h))
            judge(h);
        break;
    case PHASE_ENDING:
        if (!h->stale && !pipeline_is_changing(h->options.pipeline))
            clean_up(h);
        break;
    }
}

void heartbeat_event(struct heartbeat *h, const struct event *event)
{
    if ((h->phase != PHASE_MAKING && h->phase != PHASE_LOOKING) || event->actor.pid == getpid())
        return;
    if (bytes_path_covers(sbuf_bytes(&h->place), event->path) && event->path.len > h->place.len)
        proof_add(&h->seen, event);
}

/* ---- its life ---- */

static int make_directory(struct heartbeat *h, struct err *err)
{
    struct bytes above = bytes_dirname(bytes_of(h->options.store_path));

    sbuf_add_bytes(&h->directory, above);
    sbuf_add_str(&h->directory, "/heartbeat");
    if (sbuf_error(&h->directory))
        return err_set(err, -ENOMEM, "heartbeat");
    if (mkdir(sbuf_str(&h->directory), 0700) < 0 && errno != EEXIST) {
        _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
        int r = -errno;

        escape_terminal(&shown, sbuf_bytes(&h->directory));
        return err_set(err, r, "%s", sbuf_str(&shown));
    }
    return 0;
}

int heartbeat_start(const struct heartbeat_options *options, struct heartbeat **ret, struct err *err)
{
    struct heartbeat *h = calloc(1, sizeof(*h));
    int r;

    if (!h)
        return err_set(err, -ENOMEM, "heartbeat");
    h->options = *options;
    h->scratch = SCRATCH_INIT;
    h->outcome_fd = -EBADF;
    change_files_init(&h->files);
    r = make_directory(h, err);
    if (r < 0) {
        heartbeat_end(h);
        return r;
    }
    h->next_ns = clock_ns(CLOCK_MONOTONIC) + MIN(options->every_ns, FIRST_NS);
    *ret = h;
    return 0;
}

void heartbeat_end(struct heartbeat *h)
{
    if (!h)
        return;
    end_child(h);
    if (h->watch) /* the observation is over: nothing is exchanged any more */
        (void)transient_leave(&h->options.arming->transients, TAKE_PTR(h->watch), false);
    clean_up(h);
    (void)rmdir(sbuf_str(&h->directory));
    sbuf_done(&h->directory);
    sbuf_done(&h->place);
    free(h);
}
