/* SPDX-License-Identifier: MIT */
/*
 * run: watch, start COMMAND, wait for it and a little longer, print the verdict. COMMAND keeps the
 * terminal: Ctrl-C reaches it by its process group, and we wait for it to end.
 */
#include "cli/commands.h"

#include <errno.h>
#include <linux/capability.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/identity.h"
#include "cli/watch_session.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/inherited.h"

struct command {
    pid_t pid;
    bool ended;
    int status; /* exit code, or 128 + signal */
    unsigned interrupts;
    uint64_t started_ns, ended_ns; /* CLOCK_MONOTONIC */
    struct inherited descriptors;
};

static void reap(struct watch_session *o)
{
    struct command *c = o->data;
    int status;

    if (c->pid <= 0 || c->ended || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return;
    c->ended = true;
    c->ended_ns = clock_ns(CLOCK_MONOTONIC);
    c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    watch_session_stop(o);
}

static void on_signal(struct watch_session *o, int number, pid_t sender)
{
    struct command *c = o->data;

    if (number == SIGCHLD) {
        reap(o);
        return;
    }
    c->interrupts++;
    if (c->ended || c->interrupts > 1) {
        watch_session_stop(o);
        return;
    }
    /* A key reaches COMMAND by itself: then the kernel is the sender. What was sent to us alone is
     * handed on. */
    if (sender != 0)
        (void)kill(c->pid, number);
}

/* In the child. Returns why COMMAND cannot be executed. */
static int execute(char **argv, bool json, const struct identity *identity)
{
    int r;

    watch_session_restore_signals();
    if (json) /* stdout is pure JSON */
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    r = identity ? identity_take(identity) : 0;
    if (r < 0)
        return -r;
    execvp(argv[0], argv);
    return errno;
}

/* As shells have it: what cannot be found is 127, what cannot be executed 126. */
static void never_started(struct command *c, const char *name, int error)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    (void)waitpid(c->pid, NULL, 0);
    c->pid = 0;
    c->ended = true;
    c->ended_ns = clock_ns(CLOCK_MONOTONIC);
    c->status = error == ENOENT || error == ENOTDIR ? 127 : 126;
    escape_terminal(&shown, bytes_of(name));
    cli_error("%s: %s", sbuf_str(&shown), strerror(error));
}

/* Start COMMAND; the child reports a failing exec through a pipe. */
static int start(struct command *c, char **argv, bool json, const struct identity *identity, struct err *err)
{
    int pipes[2], error = 0;
    _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set(err, -errno, "pipe");
    read_end = pipes[0];
    write_end = pipes[1];
    inherited_keep(&c->descriptors); /* libraries do not close all of theirs */
    c->started_ns = clock_ns(CLOCK_MONOTONIC);
    c->pid = fork();
    if (c->pid < 0)
        return err_set(err, -errno, "fork");
    if (c->pid == 0) {
        error = execute(argv, json, identity);
        (void)!write(write_end, &error, sizeof(error));
        _exit(127);
    }
    close(TAKE_FD(write_end));
    if (read(read_end, &error, sizeof(error)) == (ssize_t)sizeof(error))
        never_started(c, argv[0], error);
    return 0;
}

static void join_command(char **argv, struct sbuf *out)
{
    for (int i = 0; argv[i]; i++) {
        if (i)
            sbuf_add_char(out, ' ');
        escape_shell(out, bytes_of(argv[i]));
    }
}

/* COMMAND's failure is run's, as with strace and timeout; where it succeeds, or did not end, culprit's own counts. */
static int exit_status(const struct watch_session *o, const struct command *c, int own)
{
    return !o->args.own_status && c->status > 0 ? c->status : own;
}

/* Runs COMMAND and waits for late changes; culprit's own status. */
static int observe_command(struct watch_session *o, char **argv, const struct identity *identity)
{
    struct command *c = o->data;
    struct case_ *case_ = watch_session_case(o);
    struct err err = ERR_INIT;
    int r = start(c, argv, o->args.report.format == FORMAT_JSON, identity, &err);

    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return EXIT_UNABLE;
    }
    watch_session_confine(o); /* COMMAND runs: it was executed without the filter */
    if (!c->ended) {
        case_set_command(case_, c->pid, 0);
        if (o->junit)
            junit_file_set_command(o->junit, c->pid);
        r = watch_session_run(o, 0);
    }
    if (r == 0 && c->ended && c->interrupts < 2) {
        case_set_command_status(case_, c->status, c->ended_ns - c->started_ns);
        if (c->pid > 0)
            r = watch_session_run(o, clock_ns(CLOCK_MONOTONIC) + o->args.settle_ns);
        else
            case_set_unsettled(case_);
    }
    return r < 0 ? EXIT_UNABLE : watch_session_finish(o);
}

static int prepare(struct watch_session *o, struct identity *identity)
{
    struct err err = ERR_INIT;
    int r;

    o->args.pipeline.keep = 1ull << CAP_KILL; /* COMMAND may be another user's by the time of a signal */
    o->args.pipeline.commands = true;
    if (o->args.run_as) {
        r = identity_find(o->args.run_as, identity, &err);
        if (r < 0)
            return cli_usage_error(verb_by_name("run"), "%s", err_text(&err, r));
        o->args.pipeline.keep |= 1ull << CAP_SETUID | 1ull << CAP_SETGID;
    }
    return o->junit ? junit_file_open(o->junit, &o->args) : 0;
}

int cmd_run(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("run");
    struct command command = { .status = -1 };
    struct watch_session o = { .signalled = on_signal, .data = &command, .is_run = true, .signal_fd = -EBADF };
    struct junit_file junit = JUNIT_FILE_INIT;
    struct identity identity = { 0 };
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    int first, r, failed;

    inherited_note(&command.descriptors);
    first = watch_args_parse(verb, argc, argv, true, &o.args);
    if (first < 0)
        return -first;
    if (first >= argc) {
        watch_args_done(&o.args);
        return cli_usage_error(verb, "no command to run: write -- COMMAND...");
    }
    join_command(argv + first, &line);
    o.args.pipeline.case_options.command = sbuf_bytes(&line);
    o.junit = o.args.junit ? &junit : NULL;
    r = prepare(&o, &identity);
    if (r == 0)
        r = watch_session_start(&o);
    else
        watch_args_done(&o.args);
    if (r == 0) {
        r = observe_command(&o, argv + first, o.args.run_as ? &identity : NULL);
        failed = o.junit ? junit_file_write(&junit, watch_session_case(&o), sbuf_bytes(&line), command.status) : 0;
        r = exit_status(&o, &command, failed ? failed : r);
        watch_session_close(&o);
    }
    junit_file_close(&junit);
    identity_done(&identity);
    return r;
}
