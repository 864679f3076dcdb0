/* SPDX-License-Identifier: MIT */
#include "daemon/guard_undoer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "daemon/privileges.h"
#include "guard/holder.h"
#include "guard/undo.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/macro.h"

#define UNSEEN_MS 1000 /* of a holder that cannot be waited for: it is of another namespace of pids */
#define BIT(c) (UINT64_C(1) << (c))
/* paths of others, and flags of their files */
#define KEPT (BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_FOWNER) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH))

/* ---- the process ---- */

static void say(int socket, struct sbuf *said)
{
    if (said->len)
        (void)send(socket, said->data, MIN(said->len, GUARD_UNDOER_TEXT - 1), MSG_NOSIGNAL);
}

/* Who holds them now is known before those are undone that nobody holds: who dies after that ends the wait. */
static size_t open_holders(const char *directory, struct pollfd fds[GUARD_HOLDERS_MAX], int *ret_timeout_ms)
{
    struct guard_holders found;

    guard_holders_find(directory, NULL, NULL, &found);
    *ret_timeout_ms = -1;
    for (size_t i = 0; i < found.count; i++) {
        fds[i] = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, found.all[i].keeper, 0), .events = POLLIN };
        if (fds[i].fd < 0)
            *ret_timeout_ms = UNSEEN_MS;
    }
    return found.count;
}

static int stop_at_first(void *data, const char *name, const struct guard_state *state)
{
    (void)data;
    (void)name;
    (void)state;
    return 1;
}

/* What it changes now is culprit's own: the daemon is to know that before it reads of the first change. */
static void announce(int socket, const char *directory)
{
    if (guard_state_each_left(directory, stop_at_first, NULL) == 1)
        (void)send(socket, "", 1, MSG_NOSIGNAL);
}

static _Noreturn void work(int socket, const char *directory)
{
    struct pollfd fds[GUARD_HOLDERS_MAX];
    size_t count;

    do {
        _cleanup_sbuf_ struct sbuf said = SBUF_INIT;
        int timeout_ms;

        count = open_holders(directory, fds, &timeout_ms);
        announce(socket, directory);
        (void)guard_take_back(directory, &said, NULL);
        say(socket, &said);
        if (count)
            (void)poll(fds, count, timeout_ms);
        for (size_t i = 0; i < count; i++)
            closep(&fds[i].fd);
    } while (count);
    _exit(0);
}

static _Noreturn void become(int socket, const char *directory, pid_t daemon)
{
    child_begin(socket, "culprit-undoer");
    (void)privileges_drop(KEPT, false);
    /* in the middle of it too: what is not undone stays written down */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != daemon)
        _exit(0);
    work(socket, directory);
}

/* ---- the daemon's side ---- */

int guard_undoer_start(const char *directory, struct guard_undoer *ret, struct err *err)
{
    pid_t pid, daemon = getpid();
    int ends[2];

    *ret = GUARD_UNDOER_NULL;
    /* also one that nobody holds: who did may have died since the last look */
    if (geteuid() != 0 || guard_state_each_head(directory, stop_at_first, NULL) != 1)
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return err_set(err, -errno, "a socket for guards of others");
    pid = fork();
    if (pid == 0)
        become(ends[1], directory, daemon);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_set(err, -errno, "a process for guards of others");
    }
    *ret = (struct guard_undoer){ ends[0], pid };
    return 0;
}

bool guard_undoer_read(struct guard_undoer *u, char text[GUARD_UNDOER_TEXT])
{
    ssize_t n = u->socket < 0 ? -1 : recv(u->socket, text, GUARD_UNDOER_TEXT - 1, MSG_DONTWAIT);

    if (n > 0) {
        text[n] = '\0';
        return true;
    }
    if (u->socket < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return false;
    close(u->socket);
    (void)waitpid(u->pid, NULL, 0); /* it has ended */
    *u = GUARD_UNDOER_NULL;
    return false;
}

/* Not waited for: it may be at a file that never answers. */
void guard_undoer_end(struct guard_undoer *u)
{
    if (u->socket < 0)
        return;
    (void)kill(u->pid, SIGKILL); /* a child that was not waited for yet */
    close(u->socket);
    *u = GUARD_UNDOER_NULL;
}
