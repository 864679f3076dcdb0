/* SPDX-License-Identifier: MIT */
/* A program: the alert as JSON on its stdin, as a user of its own, within a time. Status 0: it has it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sink/program.h"
#include "sink/sink.h"
#include "util/cleanup.h"
#include "util/write.h"

static _Noreturn void become(const struct sink_program *program, const struct sink_settings *s, const struct sink_message *m, int input)
{
    char severity[64], id[64], test[] = "CULPRIT_TEST=1";
    char *environment[] = { (char *)(uintptr_t)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", severity, id, m->test ? test : NULL, NULL };

    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* what is ignored would be so in the program */
    snprintf(severity, sizeof(severity), "CULPRIT_SEVERITY=%s", severity_name(m->severity));
    snprintf(id, sizeof(id), "CULPRIT_ALERT=%s", m->id);
    if (dup2(input, STDIN_FILENO) < 0 || sink_become_user(s->user, program->gains, NULL) < 0)
        _exit(126);
    (void)execve(program->argv[0], program->argv, environment);
    _exit(127);
}

int sink_run_program(const struct sink_program *program, const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_close_ int input = memory_file("alert", program->input);
    const char *name = program->argv[0];
    int status;
    pid_t pid;

    if (input < 0)
        return err_set(err, input, "the alert");
    pid = fork();
    if (pid < 0)
        return err_set(err, -errno, "fork");
    if (pid == 0)
        become(program, s, m, input);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, -errno, "waiting for %.100s", name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status))
        return err_say(err, -EIO, "%.100s: ended by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status) >= 126 && access(name, F_OK) < 0 && errno == ENOENT)
        return err_say(err, -EIO, "%.100s is not there", name);
    if (WEXITSTATUS(status) >= 126)
        return err_say(err, -EIO, "%.100s: cannot be run as %.40s", name, s->user.len ? s->user.data : "nobody");
    return err_say(err, -EIO, "%.100s: exit status %d", name, WEXITSTATUS(status));
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    char *argv[SINK_TO_MAX + 1] = { 0 };
    const struct sink_program program = { .argv = argv, .input = m->line };

    for (size_t i = 0; i < s->to_count && i < SINK_TO_MAX; i++)
        argv[i] = (char *)(uintptr_t)s->to[i].data;
    return sink_run_program(&program, s, m, err);
}

const struct sink_ops sink_exec = { "exec", 1, SINK_TO_MAX, "a program by its whole path, and its arguments", NULL, deliver, false, 0, NULL };
