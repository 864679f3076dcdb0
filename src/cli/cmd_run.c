/* SPDX-License-Identifier: MIT */
/*
 * run: watch, start COMMAND, wait for it and a little longer, tell the verdict. COMMAND keeps the
 * terminal: Ctrl-C reaches it by its process group, and we wait for it to end.
 */
#include "cli/observe.h"

#include <errno.h>
#include <linux/capability.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/escape.h"

struct command {
    pid_t pid;
    bool ended;
    int status; /* exit code, or 128 + signal */
    unsigned interrupts;
    uint64_t started_ns, ended_ns; /* CLOCK_MONOTONIC */
};

static uint64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void reap(struct observation *o)
{
    struct command *c = o->data;
    int status;

    if (c->pid <= 0 || c->ended || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return;
    c->ended = true;
    c->ended_ns = monotonic();
    c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    pipeline_stop(o->pipeline);
}

static void on_signal(struct observation *o, int number, pid_t sender)
{
    struct command *c = o->data;

    if (number == SIGCHLD) {
        reap(o);
        return;
    }
    c->interrupts++;
    if (c->ended || c->interrupts > 1) {
        pipeline_stop(o->pipeline);
        return;
    }
    /* A key reaches COMMAND by itself: then the kernel is the sender. What was sent to us alone is
     * handed on. */
    if (sender != 0)
        (void)kill(c->pid, number);
}

/* Start COMMAND; a failing exec is told through a pipe, so that it is our error and not an exit code. */
static int start(struct command *c, char **argv, bool json, struct err *err)
{
    int pipes[2], error = 0;
    _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set(err, -errno, "pipe");
    read_end = pipes[0];
    write_end = pipes[1];
    c->started_ns = monotonic();
    c->pid = fork();
    if (c->pid < 0)
        return err_set(err, -errno, "fork");
    if (c->pid == 0) {
        observation_restore_signals();
        if (json) /* stdout is pure JSON */
            (void)dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        error = errno;
        (void)!write(write_end, &error, sizeof(error));
        _exit(127);
    }
    close(TAKE_FD(write_end));
    if (read(read_end, &error, sizeof(error)) == (ssize_t)sizeof(error)) {
        _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

        (void)waitpid(c->pid, NULL, 0);
        c->pid = 0;
        escape_terminal(&name, bytes_of(argv[0]));
        return err_set(err, -error, "%s", sbuf_str(&name));
    }
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

int cmd_run(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("run");
    struct command command = { .status = -1 };
    struct observation o = { .signalled = on_signal, .data = &command, .is_run = true };
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct err err = ERR_INIT;
    int first = watch_args_parse(verb, argc, argv, true, &o.args), r;

    if (first < 0)
        return -first;
    if (first >= argc) {
        watch_args_done(&o.args);
        return cli_usage_error(verb, "no command to run: write -- COMMAND...");
    }
    join_command(argv + first, &line);
    o.args.pipeline.case_options.command = sbuf_bytes(&line);
    o.args.pipeline.keep = 1ull << CAP_KILL; /* COMMAND may be another user's by the time of a signal */
    o.args.pipeline.commands = true;
    r = observation_start(&o);
    if (r)
        return r;
    r = start(&command, argv + first, o.args.report.format == FORMAT_JSON, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        observation_close(&o);
        return EXIT_USAGE;
    }
    case_set_command(pipeline_case(o.pipeline), command.pid, 0);
    r = observation_run(&o, 0);
    if (r == 0 && command.ended && command.interrupts < 2) {
        case_set_command_status(pipeline_case(o.pipeline), command.status,
                                command.ended_ns - command.started_ns);
        r = observation_run(&o, monotonic() + o.args.settle_ns);
    }
    r = r < 0 ? EXIT_NOTHING : observation_finish(&o);
    observation_close(&o);
    return r;
}
