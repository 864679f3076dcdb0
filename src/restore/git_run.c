/* SPDX-License-Identifier: MIT */
#include "restore/git_run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foreign/program.h"
#include "foreign/sandbox.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/seccomp.h"
#include "util/write.h"

#define TIMEOUT_MS 60000
#define ARGUMENTS_MAX 40

/* What a repository may configure and reading it might use; of these the command line counts more. */
static const char *const settings[] = {
    "git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "index.threads=1", "-c", "core.preloadIndex=false",
    "-c", "protocol.allow=never", "-c", "core.untrackedCache=false", "--no-pager",
};

static const char *const environment[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_CONFIG_SYSTEM=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1",
    "GIT_TERMINAL_PROMPT=0", "GIT_LITERAL_PATHSPECS=1", NULL, /* room for one more */ NULL,
};

static const char *const programs[] = { "/usr/bin/git", "/usr/local/bin/git", "/bin/git" };

/* ---- in the child ---- */

static int give_up_calls(void)
{
#define REFUSE(name) { .call = SYS_##name }
    static const struct seccomp_row refused[] = {
#ifdef SYS_fork
        REFUSE(fork),
#endif
#ifdef SYS_vfork
        REFUSE(vfork),
#endif
        REFUSE(clone),
#ifdef SYS_clone3
        REFUSE(clone3),
#endif
#ifdef SYS_socket
        REFUSE(socket),
        REFUSE(socketpair),
        REFUSE(connect),
#endif
        REFUSE(kill),
        REFUSE(tgkill),
        REFUSE(tkill),
        REFUSE(ptrace),
        REFUSE(process_vm_writev),
        REFUSE(process_vm_readv),
        REFUSE(mount),
        REFUSE(unshare),
        REFUSE(setns),
        REFUSE(bpf),
        REFUSE(keyctl),
        REFUSE(add_key),
        REFUSE(perf_event_open),
        REFUSE(prlimit64),
#ifdef SYS_io_uring_setup
        REFUSE(io_uring_setup),
#endif
#ifdef SYS_pidfd_open
        REFUSE(pidfd_open),
#endif
        REFUSE(unlinkat),
        REFUSE(renameat2),
        REFUSE(fchownat),
#ifdef SYS_unlink
        REFUSE(unlink),
        REFUSE(rename),
        REFUSE(chown),
        REFUSE(chmod),
#endif
    };

    return seccomp_give_up(SECCOMP_NOT_THESE, refused, ARRAY_SIZE(refused), false);
}

static void limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit l = { value, value };

    (void)setrlimit(resource, &l);
}

static int become(const struct git_tree *tree)
{
    /* else root's rights would come back with execve() */
    if (geteuid() == 0 && prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED) < 0)
        return -errno;
    if (setgroups(0, NULL) < 0 || setresgid(tree->gid, tree->gid, tree->gid) < 0 || setresuid(tree->uid, tree->uid, tree->uid) < 0)
        return -errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return sandbox_keep_capabilities(0);
}

_Noreturn static void be_git(const struct git_tree *tree, const char *const *arguments, int input, int output, pid_t parent)
{
    const char *argv[ARGUMENTS_MAX + 1] = { 0 }, *env[ARRAY_SIZE(environment)];
    char ceiling[4200];
    size_t n = 0;
    struct bytes above = bytes_dirname(tree->path);

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        argv[n++] = settings[i];
    while (*arguments && n < ARGUMENTS_MAX)
        argv[n++] = *arguments++;
    memcpy(env, environment, sizeof(env));
    snprintf(ceiling, sizeof(ceiling), "GIT_CEILING_DIRECTORIES=%.*s", (int)above.len, above.data);
    env[ARRAY_SIZE(environment) - 2] = ceiling;
    (void)setsid();
    if (fchdir(tree->fd) < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0)
        _exit(126);
    (void)syscall(SYS_close_range, 3, ~0u, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, TIMEOUT_MS / 1000);
    if (become(tree) < 0 || !program_end_with(parent) || give_up_calls() < 0)
        _exit(126);
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        (void)execve(programs[i], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
    _exit(127);
}

/* ---- whoever asks ---- */

static int await(pid_t pid, int r, struct err *err)
{
    int status = program_wait(pid, r);

    if (r == -ETIMEDOUT)
        return err_say(err, r, "git gave no answer in time");
    if (r)
        return r;
    if (status == 127)
        return err_say(err, -ENOENT, "there is no git on this machine");
    return status == 0 ? 0 : err_say(err, -EBADMSG, "git could not read the repository");
}

int git_run(const struct git_tree *tree, const char *const *arguments, struct bytes input, size_t max, struct sbuf *out, struct err *err)
{
    _cleanup_close_ int in = memory_file("culprit-git", input);
    int ends[2], r;
    pid_t pid, parent = getpid();

    if (in < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, in < 0 ? in : -errno, "asking git");
    pid = fork();
    if (pid == 0)
        be_git(tree, arguments, in, ends[1], parent);
    r = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        return err_set(err, r, "starting git");
    }
    r = await(pid, program_output(ends[0], max, TIMEOUT_MS, out), err);
    close(ends[0]);
    return r;
}
