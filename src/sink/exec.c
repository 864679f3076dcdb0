/* SPDX-License-Identifier: MIT */
/* A program: the alert as JSON on its stdin, as a user of its own, within a time. Status 0: it has it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sink/sink.h"
#include "util/cleanup.h"
#include "util/write.h"

/* A file in memory, so that nobody waits for whoever does not read. */
static int open_input(struct bytes line)
{
    _cleanup_close_ int fd = memfd_create("alert", MFD_CLOEXEC);
    int ours, r;

    if (fd < 0)
        return -errno;
    r = write_all(fd, line);
    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    ours = fd;
    fd = -EBADF;
    return ours;
}

static _Noreturn void become(const struct sink_settings *s, const struct sink_message *m, int input)
{
    char severity[64], id[64], test[] = "CULPRIT_TEST=1";
    char *argv[SINK_TO_MAX + 1] = { 0 };
    char *environment[] = { (char *)(uintptr_t)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", severity, id, m->test ? test : NULL, NULL };

    for (size_t i = 0; i < s->to_count && i < SINK_TO_MAX; i++)
        argv[i] = (char *)(uintptr_t)s->to[i].data;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* what is ignored would be so in the program */
    snprintf(severity, sizeof(severity), "CULPRIT_SEVERITY=%s", severity_name(m->severity));
    snprintf(id, sizeof(id), "CULPRIT_ALERT=%s", m->id);
    if (dup2(input, STDIN_FILENO) < 0 || sink_become(s->user, NULL) < 0)
        _exit(126);
    (void)execve(argv[0], argv, environment);
    _exit(127);
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_close_ int input = open_input(m->line);
    int status;
    pid_t pid;

    if (input < 0)
        return err_set(err, input, "the alert");
    pid = fork();
    if (pid < 0)
        return err_set(err, -errno, "fork");
    if (pid == 0)
        become(s, m, input);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, -errno, "waiting for %.100s", s->to[0].data);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status))
        return err_say(err, -EIO, "%.100s: ended by signal %d", s->to[0].data, WTERMSIG(status));
    if (WEXITSTATUS(status) >= 126)
        return err_say(err, -EIO, "%.100s: cannot be run as %.40s", s->to[0].data, s->user.len ? s->user.data : "nobody");
    return err_say(err, -EIO, "%.100s: exit status %d", s->to[0].data, WEXITSTATUS(status));
}

const struct sink_ops sink_exec = { "exec", 1, SINK_TO_MAX, "a program by its whole path, and its arguments", NULL, deliver, false };
