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
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "foreign/answers.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/mountinfo.h"

#define ANSWER_MS 1000
#define PATIENCE_MS 3000    /* for all that do not answer */
#define IMPATIENT_MS 100    /* for each one after that */
#define TRUST_NS (20 * NS_PER_MS) /* it is looked at now, and may stop at any time; asking takes one or two milliseconds */
#define TRUST_WAY_NS NS_PER_S /* the way to each watched path is looked at ten times a second */
#define TOTAL_MS 2500       /* a file system that was listing until then counts as one that answers */
#define DISTRUST_NS (60 * NS_PER_S)
#define FORGET_NS (10 * DISTRUST_NS) /* all have answered since: a machine that was busy is so no more */
#define POLL_NS NS_PER_MS           /* each file of a big tree is asked about; what is mounted may hang at once */
#define READ_NS NS_PER_S            /* what cannot be polled */
#define ASKED_MAX 64
#define WAY_KEY (1ull << 63)
#define OWN_TABLE "/proc/self/mountinfo"

struct asked_mount {
    uint64_t device, inode; /* the directory that it is mounted in */
    size_t name;            /* where in `names`; of a way: WAY_KEY and a hash */
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
static uint64_t waited_ns; /* CLOCK_MONOTONIC: the last time */

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

/* Do not keep another process's mountinfo open: that would keep its mount namespace, and the mounts of a container that has ended. */
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

/* Asked without touching what is mounted there. True also where the kernel does not support asking. */
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

static unsigned patience_ms(uint64_t now)
{
    if (now - waited_ns > FORGET_NS)
        waited_ms = 0;
    return waited_ms < PATIENCE_MS ? ANSWER_MS : IMPATIENT_MS;
}

static bool ask_for(struct foreign_mounts *m, struct asked_mount *a, int fd, const char *name, bool below, uint64_t trust_ns)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (a->until_ns < now || (below && a->answered)) {
        unsigned ms = patience_ms(now);

        a->answered = below ? foreign_answers_below(fd, name, ms, TOTAL_MS) : foreign_answers_at(fd, name, ms);
        now = clock_ns(CLOCK_MONOTONIC);
        if (!a->answered) {
            waited_ms += ms;
            waited_ns = now;
        }
        a->until_ns = now + (a->answered ? trust_ns : DISTRUST_NS);
    }
    m->unanswered += !a->answered;
    return a->answered;
}

static bool ask(struct foreign_mounts *m, struct asked_mount *a, int fd, const char *name, bool below)
{
    return ask_for(m, a, fd, name, below, TRUST_NS);
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
    return ask(m, find_asked(m, st.st_dev, st.st_ino, at), fd, name, below);
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
    return ask(m, find_asked(m, device, 0, SIZE_MAX), fd, path, false);
}

/* ---- a way ---- */

static uint64_t device_of(int fd)
{
    struct statx stx;

    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0 ? 0 : makedev(stx.stx_dev_major, stx.stx_dev_minor);
}

/* Are such file systems mounted by a name that is on the way? */
static bool is_named(const struct foreign_mounts *m, struct bytes path)
{
    for (struct bytes name; (name = bytes_next_component(&path)).len;) {
        char text[NAME_MAX + 1];
        size_t at;

        if (name.len >= sizeof(text))
            continue;
        memcpy(text, name.data, name.len);
        text[name.len] = '\0';
        if (find(m, text, &at))
            return true;
    }
    return false;
}

/* One step down, O_PATH, not onto such a mount. -EXDEV: that is there; -ELOOP: a link. */
static int step(const struct foreign_mounts *m, int fd, const char *name, bool links)
{
    _cleanup_close_ int next = -EBADF;
    char target[1];
    size_t at;

    if (find(m, name, &at) && is_mount_point(fd, name))
        return -EXDEV;
    next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return -errno;
    return links && readlinkat(next, "", target, sizeof(target)) > 0 ? -ELOOP : TAKE_FD(next);
}

/* All that follows is looked at by that process. One answer counts for all that is behind it. */
static bool ask_way(struct foreign_mounts *m, int fd, uint64_t device, struct bytes name, const char *rest)
{
    size_t key = (size_t)hash_add(HASH_START, name.data, name.len) | WAY_KEY;
    struct stat st = { 0 };

    if (!device && fstat(fd, &st) < 0)
        return true;
    return ask_for(m, find_asked(m, device ? device : st.st_dev, st.st_ino, key), fd, rest, false, TRUST_WAY_NS);
}

bool foreign_mounts_way_answers(struct foreign_mounts *m, int fd, struct bytes path, bool links)
{
    _cleanup_close_ int at = -EBADF;
    char text[PATH_MAX];
    struct bytes rest;
    uint64_t device;

    if (!foreign_mounts_any(m) || path.len >= sizeof(text))
        return true;
    while (path.len && path.data[0] == '/')
        path = (struct bytes){ path.data + 1, path.len - 1 };
    if (path.len) /* the directory itself has no bytes at all */
        memcpy(text, path.data, path.len);
    text[path.len] = '\0';
    device = device_of(fd);
    if (has_device(m, device))
        return ask_way(m, fd, device, BYTES_NULL, path.len ? text : ".");
    if (!links && !is_named(m, path))
        return true;
    rest = (struct bytes){ text, path.len };
    for (struct bytes name; (name = bytes_next_component(&rest)).len;) {
        char component[NAME_MAX + 1];
        int next;

        if (name.len >= sizeof(component))
            return true;
        memcpy(component, name.data, name.len);
        component[name.len] = '\0';
        next = step(m, at < 0 ? fd : at, component, links);
        if (next == -EXDEV || next == -ELOOP)
            return ask_way(m, at < 0 ? fd : at, 0, name, name.data);
        if (next < 0)
            return true;
        closep(&at);
        at = next;
    }
    return true;
}

/* Of our own namespace; it stays until the process ends. */
static struct foreign_mounts *ours(void)
{
    static struct foreign_mounts *mounts;

    if (!mounts)
        mounts = foreign_mounts_new(0);
    return mounts;
}

bool foreign_way_answers(struct bytes path)
{
    _cleanup_close_ int root = foreign_mounts_any(ours()) ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;

    return root < 0 || foreign_mounts_way_answers(ours(), root, path, true);
}

bool foreign_name_answers(int fd, const char *name)
{
    return foreign_mounts_answer(ours(), fd, name);
}
