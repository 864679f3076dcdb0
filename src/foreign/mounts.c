/* SPDX-License-Identifier: MIT */
#include "foreign/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "foreign/answers.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/mountinfo.h"

#define ANSWER_MS 1000
#define PATIENCE_MS 3000    /* for all that do not answer */
#define IMPATIENT_MS 100    /* for each one after that */
#define TRUST_NS (2 * NS_PER_S)     /* a tree is listed twice when it is begun */
#define TRUST_BELOW_NS (20 * NS_PER_MS) /* what is below it is looked at now; asking takes one or two */
#define TOTAL_MS 2500       /* until it is taken for one that answers, however much there is to list */
#define DISTRUST_NS (60 * NS_PER_S)
#define POLL_NS (20 * NS_PER_MS)    /* each file of a big tree is asked about */
#define READ_NS NS_PER_S            /* what cannot be polled */
#define ASKED_MAX 64
#define OWN_TABLE "/proc/self/mountinfo"

struct asked_mount {
    uint64_t device, inode; /* the directory that it is mounted in */
    size_t name;            /* where in `names` */
    uint64_t until_ns;
    bool answered;
};

struct foreign_mounts {
    pid_t pid;
    int table;         /* mountinfo of our own namespace: polled for changes */
    uint64_t polled_ns;
    struct sbuf names; /* of mount points, each ended by NUL */
    struct sbuf devices; /* theirs, an uint64_t each */
    struct asked_mount asked[ASKED_MAX];
    uint64_t unanswered;
};

/* For all that did not answer, whoever asked: many watched trees with dead mounts must not hold up the start by a time-out each.
 * The loop's thread only. */
static unsigned waited_ms;

struct foreign_mounts *foreign_mounts_new(pid_t pid)
{
    struct foreign_mounts *m = calloc(1, sizeof(*m));

    if (m)
        *m = (struct foreign_mounts){ .table = -EBADF, .pid = pid, .names = SBUF_INIT, .devices = SBUF_INIT };
    return m;
}

void foreign_mounts_free(struct foreign_mounts *m)
{
    if (!m)
        return;
    closep(&m->table);
    sbuf_done(&m->names);
    sbuf_done(&m->devices);
    free(m);
}

uint64_t foreign_mounts_take_unanswered(struct foreign_mounts *m)
{
    uint64_t n = m ? m->unanswered : 0;

    if (m)
        m->unanswered = 0;
    return n;
}

/* ---- the table ---- */

static void add_name(struct foreign_mounts *m, struct bytes point)
{
    char path[PATH_MAX];
    struct bytes name;

    if (point.len > sizeof(path))
        return;
    name = bytes_basename((struct bytes){ path, mountinfo_unescape(point, path) });
    if (!name.len)
        return;
    sbuf_add_bytes(&m->names, name);
    sbuf_add_char(&m->names, '\0');
}

static void read_table(const char *path, struct foreign_mounts *m)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct mountinfo mount;
    struct bytes rest;

    sbuf_clear(&m->names);
    sbuf_clear(&m->devices);
    if (mountinfo_read(path, &text) < 0)
        return;
    rest = sbuf_bytes(&text);
    while (mountinfo_next(&rest, &mount))
        if (mountinfo_may_hang(&mount)) {
            add_name(m, mount.point);
            sbuf_add(&m->devices, (const char *)&mount.device, sizeof(mount.device));
        }
}

/* Of our own namespace the kernel says by poll() that something was mounted or unmounted since it was last asked. */
static void follow_own(struct foreign_mounts *m, bool first)
{
    struct pollfd changed = { .events = POLLPRI };

    if (m->table < 0)
        m->table = open(OWN_TABLE, O_RDONLY | O_CLOEXEC);
    changed.fd = m->table;
    if (!first && (m->table < 0 || poll(&changed, 1, 0) <= 0))
        return;
    memset(m->asked, 0, sizeof(m->asked));
    read_table(OWN_TABLE, m);
}

/* A table of another's that is kept open keeps his namespace, and with it the mounts of a container that has ended. */
static void follow_other(struct foreign_mounts *m)
{
    _cleanup_sbuf_ struct sbuf before = m->names;
    char path[48];

    m->names = (struct sbuf)SBUF_INIT;
    snprintf(path, sizeof(path), "/proc/%d/mountinfo", m->pid);
    read_table(path, m);
    if (!bytes_equal(sbuf_bytes(&before), sbuf_bytes(&m->names)))
        memset(m->asked, 0, sizeof(m->asked));
}

static void follow(struct foreign_mounts *m)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    bool first = !m->polled_ns;

    if (!first && now - m->polled_ns < (m->pid ? READ_NS : POLL_NS))
        return;
    m->polled_ns = now;
    if (m->pid)
        follow_other(m);
    else
        follow_own(m, first);
}

/* ---- asking ---- */

static bool find(const struct foreign_mounts *m, const char *name, size_t *ret)
{
    for (size_t at = 0; at < m->names.len; at += strlen(m->names.data + at) + 1)
        if (strcmp(m->names.data + at, name) == 0) {
            *ret = at;
            return true;
        }
    return false;
}

/* Without looking at what is mounted there. True also where the kernel cannot say. */
static bool is_mount_point(int fd, const char *name)
{
    struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
    int opened = (int)syscall(SYS_openat2, fd, name, &how, sizeof(how)); /* Linux 5.6 */

    if (opened < 0)
        return errno == EXDEV || errno == ENOSYS || errno == EPERM;
    close(opened);
    return false;
}

static struct asked_mount *find_asked(struct foreign_mounts *m, uint64_t device, uint64_t inode, size_t name)
{
    struct asked_mount *oldest = &m->asked[0];

    for (size_t i = 0; i < ASKED_MAX; i++) {
        struct asked_mount *a = &m->asked[i];

        if (a->until_ns && a->device == device && a->inode == inode && a->name == name)
            return a;
        if (a->until_ns < oldest->until_ns)
            oldest = a;
    }
    *oldest = (struct asked_mount){ device, inode, name, 0, true };
    return oldest;
}

static bool ask(struct foreign_mounts *m, struct asked_mount *a, int fd, const char *name, bool below, uint64_t trust_ns)
{
    unsigned ms = waited_ms < PATIENCE_MS ? ANSWER_MS : IMPATIENT_MS;

    if (a->until_ns < clock_ns(CLOCK_MONOTONIC) || (below && a->answered)) {
        a->answered = below ? foreign_answers_below(fd, name, ms, TOTAL_MS) : foreign_answers_at(fd, name, ms);
        if (!a->answered)
            waited_ms += ms;
        a->until_ns = clock_ns(CLOCK_MONOTONIC) + (a->answered ? trust_ns : DISTRUST_NS);
    }
    m->unanswered += !a->answered;
    return a->answered;
}

static bool answer(struct foreign_mounts *m, int fd, const char *name, bool below)
{
    struct stat st;
    size_t at;

    if (!m)
        return true;
    follow(m);
    if (!find(m, name, &at) || !is_mount_point(fd, name) || fstat(fd, &st) < 0)
        return true;
    return ask(m, find_asked(m, st.st_dev, st.st_ino, at), fd, name, below, TRUST_NS);
}

bool foreign_mounts_answer(struct foreign_mounts *m, int fd, const char *name)
{
    return answer(m, fd, name, false);
}

bool foreign_mounts_answer_below(struct foreign_mounts *m, int fd, const char *name)
{
    return answer(m, fd, name, true);
}

bool foreign_mounts_any(struct foreign_mounts *m)
{
    if (!m)
        return false;
    follow(m);
    return m->devices.len > 0;
}

static bool has_device(const struct foreign_mounts *m, uint64_t device)
{
    for (size_t at = 0; at < m->devices.len; at += sizeof(device))
        if (memcmp(m->devices.data + at, &device, sizeof(device)) == 0)
            return true;
    return false;
}

bool foreign_mounts_device_answers(struct foreign_mounts *m, uint64_t device, int fd, const char *path)
{
    if (!foreign_mounts_any(m) || !has_device(m, device))
        return true;
    return ask(m, find_asked(m, device, 0, SIZE_MAX), fd, path, false, TRUST_BELOW_NS);
}
