/* SPDX-License-Identifier: MIT */
/* Still open is not gone: deleted files that a process holds open, and how their content is brought back. The kernel's words alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clues/source.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/parse.h"

#define GONE " (deleted)"

/* Our own descriptors, such as one that was inherited, hold nothing for anybody. */
static bool is_own(int proc, int all)
{
    char own[4096], exe[4096];
    ssize_t n = readlinkat(all, "self/exe", own, sizeof(own)), m = readlinkat(proc, "exe", exe, sizeof(exe));

    return n > 0 && m == n && memcmp(own, exe, (size_t)n) == 0;
}

struct held {
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

    sbuf_addf(&text, "deleted, but %.*s (pid %u) still holds it, %lld bytes; to bring it back: cp /proc/%u/%s ", (int)name.len, name.data,
              h->pid, (long long)st->st_size, h->pid, where);
    escape_shell(&text, path);
    f.text = sbuf_bytes(&text);
    clue_put(h->out, &f);
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
        if (!bytes_path_covers(h->q->path, path) && !(h->q->host_path.len && bytes_path_covers(h->q->host_path, path)))
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
            continue;
        snprintf(where, sizeof(where), "%s/%.40s", directory, entry->d_name);
        put(h, where, path, &st);
        if (directory[0] == 'm')
            break; /* one file is mapped in several parts */
    }
    closedir(dir);
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    _cleanup_closedir_ DIR *dir = opendir("/proc");
    struct clue_question q;
    struct dirent *entry;

    if (clue_question_get(request, &q) < 0 || !dir)
        return -EBADMSG;
    clue_put_cover(&out, 0, 0);
    while ((entry = readdir(dir))) {
        struct held h = { .q = &q, .out = &out };

        if (parse_u32(bytes_of(entry->d_name), 10, &h.pid) < 0)
            continue;
        h.proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (h.proc < 0)
            continue;
        if (!is_own(h.proc, dirfd(dir))) {
            look_at_links(&h, "fd");
            look_at_links(&h, "map_files");
        }
        close(h.proc);
    }
    return clue_gather_text(g, "answer", &out);
}

const struct foreign_job clue_job_open = { "the files that processes hold open", 4 * 1024 * 1024, gather, NULL, false };
