/* SPDX-License-Identifier: MIT */
/* Still open is not gone: deleted files that a process holds open, and how their content is brought back. The kernel's words alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/parse.h"

#define MAPS_MAX (4 * 1024 * 1024)
#define GONE " (deleted)"

/* Our own descriptors, such as one that was inherited, hold nothing for anybody. */
static bool is_own(int proc, int all)
{
    char own[4096], exe[4096];
    ssize_t n = readlinkat(all, "self/exe", own, sizeof(own)), m = readlinkat(proc, "exe", exe, sizeof(exe));

    return n > 0 && m == n && memcmp(own, exe, (size_t)n) == 0;
}

struct held {
    int root; /* ours */
    int proc; /* its directory */
    uint32_t pid;
    const struct clue_question *q;
    struct sbuf *out;
};

static struct bytes read_comm(int proc, char *buffer, size_t size)
{
    _cleanup_close_ int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, buffer, size) : -1;

    while (n > 0 && buffer[n - 1] == '\n')
        n--;
    return n > 0 ? (struct bytes){ buffer, (size_t)n } : BYTES_NULL;
}

static void put(const struct held *h, const char *where, struct bytes path, const struct stat *st)
{
    struct clue_fact f = { .kind = CLUE_OPEN, .path = path };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char comm[64];
    struct bytes name = read_comm(h->proc, comm, sizeof(comm));

    sbuf_addf(&text, "deleted, but %.*s (pid %u) still holds it, %lld bytes; to bring it back: ", (int)name.len, name.data, h->pid,
              (long long)st->st_size);
    if (!h->q->host_path.len) { /* the host's: with all that belongs to it */
        sbuf_add_str(&text, "culprit restore ");
        escape_shell(&text, path);
        sbuf_add_str(&text, ", or ");
    }
    sbuf_addf(&text, "cp /proc/%u/%s ", h->pid, where);
    escape_shell(&text, path);
    f.text = sbuf_bytes(&text);
    clue_put(h->out, &f);
}

/* Does the process see the directory that is asked for at that path, or the nearest above it that is there? In a container or a private
 * mount namespace the same words may lead to another one. host_path: where we find what it would have at `path`. */
static bool sees_it(const struct held *h, struct bytes path, struct bytes host_path)
{
    _cleanup_close_ int root = openat(h->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct bytes ours = host_path;

    while (root >= 0) {
        _cleanup_close_ int own = beneath_open(h->root, ours, O_PATH), its = -EBADF;
        struct stat st, seen;

        if (own >= 0) {
            its = path.len > 1 ? beneath_open(root, path, O_PATH) : fcntl(root, F_DUPFD_CLOEXEC, 3);
            return its >= 0 && fstat(own, &st) == 0 && fstat(its, &seen) == 0 && st.st_dev == seen.st_dev && st.st_ino == seen.st_ino;
        }
        if (path.len <= 1 || ours.len <= 1)
            return false;
        path = bytes_dirname(path);
        ours = bytes_dirname(ours);
    }
    return false;
}

static bool is_asked_for(const struct held *h, struct bytes path)
{
    const struct clue_question *q = h->q;

    if (q->host_path.len && bytes_path_covers(q->host_path, path) && sees_it(h, q->host_path, q->host_path))
        return true;
    return bytes_path_covers(q->path, path) && sees_it(h, q->path, q->host_path.len ? q->host_path : q->path);
}

static void look_at_links(const struct held *h, const char *directory)
{
    int fd = openat(h->proc, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!dir) {
        closep(&fd);
        return;
    }
    while ((entry = readdir(dir))) {
        char target[4096], where[64];
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target));
        struct bytes path = { target, n > 0 ? (size_t)n : 0 };
        struct stat st;

        if (!bytes_ends_with(path, bytes_of(GONE)))
            continue;
        path.len -= sizeof(GONE) - 1;
        if (!is_asked_for(h, path))
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
            continue;
        snprintf(where, sizeof(where), "%s/%.40s", directory, entry->d_name);
        put(h, where, path, &st);
    }
    closedir(dir);
}

/* One line of /proc/PID/maps: "FROM-TO rwxp OFFSET DEVICE INODE   PATH (deleted)". */
static void look_at_mapping(const struct held *h, struct bytes line)
{
    struct bytes rest = line, range = bytes_next_word(&rest), path;
    char where[64];
    struct stat st;

    if (!bytes_ends_with(line, bytes_of(GONE)))
        return;
    for (unsigned i = 0; i < 4; i++)
        (void)bytes_next_word(&rest);
    while (rest.len && rest.data[0] == ' ')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    path = (struct bytes){ rest.data, rest.len - MIN(rest.len, sizeof(GONE) - 1) };
    if (!is_asked_for(h, path))
        return;
    snprintf(where, sizeof(where), "map_files/%.*s", (int)MIN(range.len, (size_t)40), range.data);
    if (fstatat(h->proc, where, &st, 0) == 0 && S_ISREG(st.st_mode))
        put(h, where, path, &st);
}

/* The text says it for all mappings at once; following each link of map_files would be slow. */
static void look_at_mappings(const struct held *h)
{
    _cleanup_close_ int fd = openat(h->proc, "maps", O_RDONLY | O_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes rest, before = BYTES_NULL;

    if (fd < 0 || sbuf_add_file(&text, fd, MAPS_MAX) < 0)
        return;
    for (rest = sbuf_bytes(&text); rest.len;) {
        struct bytes line = bytes_next_line(&rest), path = bytes_basename(line);

        if (!bytes_equal(path, before)) /* one file is mapped in several parts */
            look_at_mapping(h, line);
        before = path;
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    _cleanup_closedir_ DIR *dir = opendir("/proc");
    _cleanup_close_ int root = clue_root();
    struct clue_question q;
    struct dirent *entry;

    if (root < 0 || clue_question_get(request, &q) < 0 || !dir)
        return -EBADMSG;
    clue_put_cover(&out, 0, 0);
    while ((entry = readdir(dir))) {
        struct held h = { .root = root, .q = &q, .out = &out };

        if (parse_u32(bytes_of(entry->d_name), 10, &h.pid) < 0)
            continue;
        h.proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (h.proc < 0)
            continue;
        if (!is_own(h.proc, dirfd(dir))) {
            look_at_links(&h, "fd");
            look_at_mappings(&h);
        }
        close(h.proc);
    }
    return clue_gather_text(g, CLUE_ANSWER, &out);
}

const struct foreign_job clue_job_open = { "the files that processes hold open", 4 * 1024 * 1024, gather, NULL, false };
