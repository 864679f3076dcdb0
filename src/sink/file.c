/* SPDX-License-Identifier: MIT */
/* A file of JSON lines, rotated by size: FILE, FILE.1 ... FILE.5. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/sink.h"
#include "util/cleanup.h"
#include "util/write.h"

#define KEPT 5

static int rotate(const char *path)
{
    for (int i = KEPT; i > 0; i--) {
        _cleanup_sbuf_ struct sbuf from = SBUF_INIT, to = SBUF_INIT;

        sbuf_add_str(&from, path);
        if (i > 1)
            sbuf_addf(&from, ".%d", i - 1);
        sbuf_addf(&to, "%s.%d", path, i);
        if (sbuf_error(&from) < 0 || sbuf_error(&to) < 0)
            return -ENOMEM;
        if (rename(from.data, to.data) < 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

/* Half a line of a disk that was full is taken away again: the next try writes the whole one. */
static int append(const char *path, struct bytes line)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    r = write_all(fd, line);
    if (r == 0 && fdatasync(fd) < 0 && errno != EINVAL)
        r = -errno;
    if (r < 0)
        (void)!ftruncate(fd, st.st_size);
    return r;
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    const char *path = s->to[0].data;
    struct stat st;
    int r = 0;

    if (s->size && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size && (uint64_t)st.st_size + m->line.len > s->size)
        r = rotate(path);
    if (r == 0)
        r = append(path, m->line);
    return r < 0 ? err_set(err, r, "%.200s", path) : 0;
}

static int check(struct bytes to, struct err *err)
{
    return to.len && to.data[0] == '/' ? 0 : err_say(err, -EINVAL, "a file's path begins with /");
}

const struct sink_ops sink_file = { "file", 1, 1, "a path that begins with /", check, deliver, false, 0, NULL };
