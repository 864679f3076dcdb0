/* SPDX-License-Identifier: MIT */
#include "copies/holds.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define MOST 65536 /* the kernel has 2 kB of each */
#define OWN_DESCRIPTORS 64
#define QUEUE (1024 * 1024) /* bytes of what is asked */

/* ---- the process ---- */

static bool say(const struct holds *h, const struct holding_ask *ask, int fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .align = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
    struct iovec from = { (void *)(uintptr_t)ask, sizeof(*ask) };
    struct msghdr m = { .msg_iov = &from, .msg_iovlen = 1 };

    if (fd >= 0) {
        memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
    }
    return sendmsg(h->socket, &m, MSG_NOSIGNAL | (fd >= 0 ? MSG_DONTWAIT : 0)) == (ssize_t)sizeof(*ask);
}

static unsigned how_many(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max <= OWN_DESCRIPTORS)
        return 0;
    return (unsigned)MIN(limit.rlim_max - OWN_DESCRIPTORS, (rlim_t)MOST);
}

int holds_begin(struct holds *h, int directory)
{
    struct holding_ask ask = { .word = HOLDING_DIRECTORY };
    pid_t keeper = getpid();
    int ends[2], queue = QUEUE;

    h->socket = -EBADF;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    h->pid = fork();
    if (h->pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != keeper)
            _exit(1);
        child_begin(ends[1], "culprit-holding");
        holding_run(ends[1]);
    }
    close(ends[1]);
    h->socket = ends[0];
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
    h->most = how_many();
    if (!h->next_id) /* what one before may still be making has another name */
        h->next_id = clock_ns(CLOCK_BOOTTIME);
    if (h->pid < 0 || !say(h, &ask, directory)) {
        holds_end(h);
        return -ECHILD;
    }
    return 0;
}

/* ---- which ---- */

void hold_free(struct hold *hold)
{
    if (!hold)
        return;
    free(hold->xattrs);
    free(hold);
}

static struct hold *find(const struct holds *h, struct bytes path)
{
    struct hold *hold;

    HASH_FIND(hh, h->by_path, path.data, path.len, hold);
    return hold;
}

static void leave_path(struct holds *h, struct hold *hold)
{
    if (hold->taken)
        return;
    below_remove(&h->below, (struct bytes){ hold->path, hold->len });
    HASH_DEL(h->by_path, hold);
}

static void not_copied(struct holds *h, struct hold *hold)
{
    h->copied_bytes -= hold->copied ? hold->state.size : 0;
    h->copied -= hold->copied;
    hold->copied = false;
}

static struct hold *forget(struct holds *h, struct hold *hold)
{
    leave_path(h, hold);
    not_copied(h, hold);
    HASH_DELETE(hh_id, h->by_id, hold);
    h->count--;
    return hold;
}

void holds_end(struct holds *h)
{
    struct hold *hold, *next;

    closep(&h->socket);
    h->socket = -EBADF;
    HASH_ITER(hh_id, h->by_id, hold, next)
        hold_free(forget(h, hold));
    if (h->pid > 0)
        (void)waitpid(h->pid, NULL, 0);
    h->pid = 0;
}

/* Out of memory: its record is the older one. */
static bool set_record(struct hold *hold, const struct copy_record *record, struct bytes xattrs)
{
    char *text = malloc(xattrs.len + 1);

    if (!text)
        return false;
    if (xattrs.len)
        memcpy(text, xattrs.data, xattrs.len);
    free(hold->xattrs);
    hold->xattrs = text;
    hold->xattrs_len = xattrs.len;
    hold->record = *record;
    hold->boot_ns = clock_ns(CLOCK_BOOTTIME);
    return true;
}

static struct hold *make(struct holds *h, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st, bool copy)
{
    struct hold *hold = calloc(1, sizeof(*hold) + path.len);

    if (!hold)
        return NULL;
    hold->id = ++h->next_id;
    hold->device = st->st_dev;
    hold->inode = st->st_ino;
    hold->state = holding_state_of(st);
    hold->copied = copy;
    hold->len = path.len;
    memcpy(hold->path, path.data, path.len);
    if (set_record(hold, record, xattrs))
        return hold;
    free(hold);
    return NULL;
}

/* False: out of memory, and it is in no table. */
static bool enter(struct holds *h, struct hold *hold)
{
    HASH_ADD_KEYPTR(hh, h->by_path, hold->path, hold->len, hold);
    if (!HASH_IS_IN(hh, hold))
        return false;
    HASH_ADD(hh_id, h->by_id, id, sizeof(hold->id), hold);
    if (!HASH_IS_IN(hh_id, hold)) {
        HASH_DEL(h->by_path, hold);
        return false;
    }
    below_add(&h->below, (struct bytes){ hold->path, hold->len });
    h->count++;
    h->copied += hold->copied;
    h->copied_bytes += hold->copied ? hold->state.size : 0;
    return true;
}

int holds_add(struct holds *h, int fd, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st, bool copy)
{
    struct holding_ask ask = { .word = HOLDING_HOLD, .state = holding_state_of(st), .copy = copy };
    struct hold *hold;

    if (h->socket < 0)
        return -ECHILD;
    if (h->count >= h->most || find(h, path))
        return -EMFILE;
    hold = make(h, path, record, xattrs, st, copy);
    if (!hold || !enter(h, hold)) {
        hold_free(hold);
        return -ENOMEM;
    }
    ask.id = hold->id;
    if (say(h, &ask, fd))
        return 0;
    hold_free(forget(h, hold));
    return -EAGAIN;
}

static void take(struct holds *h, struct hold *hold)
{
    struct holding_ask ask = { .word = HOLDING_TAKE, .id = hold->id };

    leave_path(h, hold);
    hold->taken = true;
    (void)say(h, &ask, -EBADF); /* it does not fail but where all is lost */
}

struct hold *holds_at(struct holds *h, struct bytes path, const struct stat *st)
{
    struct holding_state now = holding_state_of(st);
    struct hold *hold = find(h, path);

    if (!hold || (hold->device == st->st_dev && hold->inode == st->st_ino && hold->state.size == now.size && hold->state.mtime_ns == now.mtime_ns))
        return hold;
    take(h, hold);
    return NULL;
}

void hold_update(struct hold *hold, const struct copy_record *record, struct bytes xattrs)
{
    (void)set_record(hold, record, xattrs);
}

void holds_take(struct holds *h, struct bytes path)
{
    struct hold *hold = find(h, path), *next;

    if (hold)
        take(h, hold);
    if (below_has(&h->below, path))
        HASH_ITER(hh, h->by_path, hold, next) {
            if (bytes_path_covers(path, (struct bytes){ hold->path, hold->len }))
                take(h, hold);
        }
}

void holds_drop_all(struct holds *h)
{
    struct hold *hold, *next;

    HASH_ITER(hh, h->by_path, hold, next) {
        struct holding_ask ask = { .word = HOLDING_DROP, .id = hold->id };

        (void)say(h, &ask, -EBADF);
        hold_free(forget(h, hold));
    }
}

/* ---- what has become of them ---- */

static struct hold *find_id(const struct holds *h, uint64_t id)
{
    struct hold *hold;

    HASH_FIND(hh_id, h->by_id, &id, sizeof(id), hold);
    return hold;
}

bool holds_reach(const struct holds *h, uint64_t mark)
{
    struct holding_ask ask = { .word = HOLDING_REACH, .id = mark };

    return h->socket >= 0 && say(h, &ask, -EBADF);
}

bool holds_next(struct holds *h, struct hold **ret, struct holding_reply *ret_reply)
{
    struct holding_reply reply;
    struct hold *hold;

    while (h->socket >= 0 && recv(h->socket, &reply, sizeof(reply), MSG_DONTWAIT) == (ssize_t)sizeof(reply)) {
        if (reply.word == HOLDING_REACHED)
            h->reached = reply.id;
        hold = reply.word == HOLDING_REACHED ? NULL : find_id(h, reply.id);
        if (!hold)
            continue; /* or it was dropped meanwhile */
        if (reply.word == HOLDING_STAYS) {
            not_copied(h, hold);
            continue;
        }
        *ret = forget(h, hold);
        *ret_reply = reply;
        return true;
    }
    return false;
}

/* Its last replies come first. */
static bool has_ended(const struct holds *h)
{
    char rest[sizeof(struct holding_reply)];

    return h->socket >= 0 && recv(h->socket, rest, sizeof(rest), MSG_DONTWAIT | MSG_PEEK) == 0;
}

struct hold *holds_lost(struct holds *h)
{
    if (has_ended(h)) {
        closep(&h->socket);
        h->socket = -EBADF;
        (void)waitpid(h->pid, NULL, 0);
        h->pid = 0;
    }
    return h->socket < 0 && h->by_id ? forget(h, h->by_id) : NULL;
}

unsigned holds_count(const struct holds *h)
{
    unsigned all = HASH_CNT(hh, h->by_path);

    return all - MIN(all, h->copied);
}

bool holds_copy(const struct holds *h)
{
    return h->socket >= 0 && (h->copied || h->count > HASH_CNT(hh, h->by_path));
}
