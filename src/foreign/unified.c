/* SPDX-License-Identifier: MIT */
#include "foreign/unified.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foreign/program.h"
#include "foreign/sandbox.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/write.h"

#define TIMEOUT_MS 5000
#define FD_BEFORE 3 /* in the child */
#define FD_AFTER 4

static const char *const programs[] = { "/usr/bin/diff", "/bin/diff", "/usr/local/bin/diff" };

_Noreturn static void be_diff(int before, int after, int output, pid_t parent)
{
    static const char *const argv[] = { "diff", "-u", "-a", "--label", "a", "--label", "b", "--", "/dev/fd/3", "/dev/fd/4", NULL };
    static const char *const env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
    int high[3] = { fcntl(before, F_DUPFD, 10), fcntl(after, F_DUPFD, 10), fcntl(output, F_DUPFD, 10) }; /* no number is in the way of another */

    (void)setsid();
    if (dup2(high[0], FD_BEFORE) < 0 || dup2(high[1], FD_AFTER) < 0 || dup2(high[2], STDOUT_FILENO) < 0 || sandbox_give_away() < 0 ||
        !program_end_with(parent))
        _exit(126);
    (void)close(STDIN_FILENO);
    (void)close(STDERR_FILENO);
    (void)syscall(SYS_close_range, FD_AFTER + 1, ~0u, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        (void)execve(programs[i], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
    _exit(127);
}

static int await(pid_t pid, int r, struct err *err)
{
    int status = program_wait(pid, r);

    if (r == -ETIMEDOUT)
        return err_say(err, r, "diff took too long");
    if (r)
        return r < 0 ? r : -EFBIG;
    if (status == 127)
        return err_say(err, -ENOENT, "there is no diff(1) on this machine");
    return status <= 1 ? 0 : err_say(err, -EBADMSG, "diff failed");
}

/* Behind the names of both. */
static struct bytes without_names(struct bytes text)
{
    for (int i = 0; i < 2 && text.len && (text.data[0] == '-' || text.data[0] == '+'); i++)
        (void)bytes_next_line(&text);
    return text;
}

int unified_diff(struct bytes before, struct bytes after, size_t max, struct sbuf *out, struct err *err)
{
    _cleanup_close_ int a = memory_file("culprit-diff", before), b = memory_file("culprit-diff", after);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int ends[2], r;
    pid_t pid, parent = getpid();

    if (a < 0 || b < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, a < 0 ? a : b < 0 ? b : -errno, "comparing two texts");
    pid = fork();
    if (pid == 0)
        be_diff(a, b, ends[1], parent);
    r = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (r == 0)
        r = await(pid, program_output(ends[0], max, TIMEOUT_MS, &text), err);
    close(ends[0]);
    if (r == 0) {
        sbuf_add_bytes(out, without_names(sbuf_bytes(&text)));
        r = sbuf_error(out);
    }
    return r;
}
