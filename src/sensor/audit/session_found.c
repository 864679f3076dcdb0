/* SPDX-License-Identifier: MIT */
#include "sensor/audit/session_found.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/proc_stat.h"
#include "util/trusted.h"

static int read_file(const char *path, char *text, size_t size)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!file_is_trusted(&st))
        return -EPERM;
    n = read(fd, text, size - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    return (int)n;
}

/* ---- what was found, written down ---- */

static void boot_id(char ret[40])
{
    if (read_file("/proc/sys/kernel/random/boot_id", ret, 40) < 0)
        ret[0] = '\0';
}

bool audit_session_load(struct audit_session *s, enum holder *ret_holder)
{
    char path[512], text[256], boot[40], stored[40];
    unsigned enabled, backlog, rate, changed;
    unsigned long long blind, start = 0;
    int r, by = 0;

    *ret_holder = HOLDER_NONE;

    boot_id(boot);
    snprintf(path, sizeof(path), "%s/" AUDIT_STATE_FILE, s->state_dir);
    r = read_file(path, text, sizeof(text));
    if (r == -EPERM)
        log_warn(s->log, "%s belongs to somebody else, or others can change it: not read; remove it", path);
    if (r < 0 ||
        sscanf(text, "boot %39s enabled %u backlog %u rate %u held %u blind %llu by %d %llu", stored, &enabled,
               &backlog, &rate, &changed, &blind, &by, &start) < 6 ||
        strcmp(stored, boot) != 0)
        return false;
    if (changed) {
        s->original.enabled = enabled;
        s->original.backlog_limit = backlog;
        s->original.rate_limit = rate;
    }
    s->blind_before_ns = blind;
    if (changed) /* an older culprit did not say who */
        *ret_holder = by != getpid() && !proc_stat_is_gone(by, start) ? HOLDER_OTHER : HOLDER_GONE;
    return true;
}

int audit_session_save(const struct audit_session *s, bool changed)
{
    char path[512], temporary[520], text[320], boot[40];
    _cleanup_close_ int fd = -EBADF;
    int n;

    boot_id(boot);
    if (mkdir(s->state_dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    snprintf(path, sizeof(path), "%s/" AUDIT_STATE_FILE, s->state_dir);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    n = snprintf(text, sizeof(text), "boot %s enabled %u backlog %u rate %u held %u blind %llu by %d %llu\n",
                 boot, s->original.enabled, s->original.backlog_limit, s->original.rate_limit, changed,
                 (unsigned long long)s->blind_before_ns, getpid(), (unsigned long long)proc_stat_start_ticks("/proc", getpid()));
    (void)unlink(temporary); /* of a culprit that was killed, or somebody else's */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, text, (size_t)n) != n || rename(temporary, path) < 0)
        return -errno;
    return 0;
}

/* ---- one at a time ---- */

#define LOCK_MS 2000
#define LOCK_PAUSE_MS 5

int audit_session_lock(const char *state_dir, bool make)
{
    _cleanup_close_ int fd = -EBADF;
    char path[512];

    if (make && mkdir(state_dir, 0700) < 0 && errno != EEXIST)
        return -EBADF;
    snprintf(path, sizeof(path), "%s/" AUDIT_STATE_FILE ".lock", state_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -EBADF;
    for (unsigned ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; ms += LOCK_PAUSE_MS) {
        if (errno != EWOULDBLOCK || ms >= LOCK_MS)
            return -EBADF;
        usleep(LOCK_PAUSE_MS * 1000);
    }
    return TAKE_FD(fd);
}

/* A process that was forked meanwhile has the descriptor, too. */
void audit_session_unlock(int lock)
{
    if (lock < 0)
        return;
    (void)flock(lock, LOCK_UN);
    close(lock);
}

/* ---- who is blind to us ---- */

/* As audit_enable() of kernel/audit.c does. */
bool audit_boot_option(struct bytes line)
{
    static const char option[] = "audit=";
    bool on = false;

    while (line.len) {
        size_t n = 0;
        struct bytes value;

        while (n < line.len && !memchr(" \n\t", line.data[n], 3))
            n++;
        value = (struct bytes){ line.data + sizeof(option) - 1, n - (sizeof(option) - 1) };
        if (n >= sizeof(option) - 1 && memcmp(line.data, option, sizeof(option) - 1) == 0)
            on = bytes_equal_str(value, "1") || bytes_equal_str(value, "on");
        n += n < line.len;
        line = (struct bytes){ line.data + n, line.len - n };
    }
    return on;
}

static bool booted_with_audit(void)
{
    char text[4096];
    ssize_t n = read_file("/proc/cmdline", text, sizeof(text));

    return n > 0 && audit_boot_option((struct bytes){ text, (size_t)n });
}

/* When `pid` started. 0: unknown. */
static uint64_t process_start(uint32_t pid)
{
    char path[32];
    struct stat st;
    struct timespec real, boot;

    snprintf(path, sizeof(path), "/proc/%u", pid);
    if (pid == 0 || stat(path, &st) < 0)
        return 0;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (uint64_t)(st.st_ctim.tv_sec - real.tv_sec + boot.tv_sec) * NS_PER_S;
}

void audit_session_find_blind(struct audit_session *s, const struct audit_status *now, bool remembered)
{
    if (remembered) /* an earlier culprit enabled it, and knew when */
        return;
    if (booted_with_audit()) {
        s->blind_before_ns = 0;
    } else if (now->enabled == 0) {
        s->blind_before_ns = clock_ns(CLOCK_BOOTTIME);
    } else {
        s->blind_before_ns = process_start(now->pid);
        s->blind_unknown = s->blind_before_ns == 0;
    }
}

void audit_session_name_owner(struct audit_session *s, uint32_t pid)
{
    char path[32];

    s->owner_pid = pid;
    snprintf(path, sizeof(path), "/proc/%u/comm", pid);
    if (pid == 0 || read_file(path, s->owner_name, sizeof(s->owner_name)) < 0)
        s->owner_name[0] = '\0';
    for (char *c = s->owner_name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}
