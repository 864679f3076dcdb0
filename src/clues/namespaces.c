/* SPDX-License-Identifier: MIT */
/*
 * What is not there for us may be there for others: services with a private /tmp, shells in a mount namespace. Only namespaces that
 * have our root directory are looked at: in a container's own root the same path is another file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define NAMESPACES_MAX 256

static void look_from(int proc, uint32_t pid, const struct stat *own, const struct clue_question *q, struct sbuf *out)
{
    _cleanup_close_ int root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF, comm_fd = -EBADF;
    struct clue_fact f = { .kind = CLUE_HIDDEN, .marks = CLUE_NAMES_PATH, .path = q->path };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char comm[64];
    struct stat st;
    ssize_t n;

    if (root < 0 || fstat(root, &st) < 0 || st.st_dev != own->st_dev || st.st_ino != own->st_ino)
        return;
    fd = beneath_open(root, q->path, O_PATH | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    comm_fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
    n = comm_fd >= 0 ? read(comm_fd, comm, sizeof(comm)) : 0;
    while (n > 0 && comm[n - 1] == '\n')
        n--;
    sbuf_addf(&text, "is not there for us, but for %.*s (pid %u) in a mount namespace of its own: nsenter -t %u -m", (int)MAX(n, 0), comm, pid,
              pid);
    f.text = sbuf_bytes(&text);
    clue_put(out, &f);
}

static bool is_new(uint64_t *seen, size_t *count, uint64_t id)
{
    for (size_t i = 0; i < *count; i++)
        if (seen[i] == id)
            return false;
    if (*count < NAMESPACES_MAX)
        seen[(*count)++] = id;
    return true;
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root(), fd = -EBADF;
    _cleanup_closedir_ DIR *dir = opendir("/proc");
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    static uint64_t seen[NAMESPACES_MAX]; /* too large for a stack; a worker has one thread */
    struct clue_question q;
    struct dirent *entry;
    struct stat own, st;
    size_t count = 0;

    if (root < 0 || !dir || clue_question_get(request, &q) < 0 || fstat(root, &own) < 0)
        return -EBADMSG;
    clue_put_cover(&out, 0, 0);
    fd = beneath_open(root, q.path, O_PATH | O_NOFOLLOW);
    if (q.host_path.len || fd >= 0 || fstatat(dirfd(dir), "self/ns/mnt", &st, 0) < 0)
        return clue_gather_text(g, CLUE_ANSWER, &out);
    (void)is_new(seen, &count, st.st_ino);
    while (count < NAMESPACES_MAX && (entry = readdir(dir))) {
        uint32_t pid;
        int proc;

        if (parse_u32(bytes_of(entry->d_name), 10, &pid) < 0 ||
            (proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
            continue;
        if (fstatat(proc, "ns/mnt", &st, 0) == 0 && is_new(seen, &count, st.st_ino))
            look_from(proc, pid, &own, &q, &out);
        close(proc);
    }
    return clue_gather_text(g, CLUE_ANSWER, &out);
}

const struct foreign_job clue_job_namespaces = { "the mount namespaces of others", 1024 * 1024, gather, NULL, false };
