/* SPDX-License-Identifier: MIT */
#include "sink/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/message.h"
#include "util/cleanup.h"
#include "util/parse.h"
#include "util/write.h"

#define NAME_SIZE 32

static void name_of(uint64_t number, char ret[NAME_SIZE])
{
    snprintf(ret, NAME_SIZE, "%020" PRIu64, number);
}

static void count_file(struct sink_spool *s, const char *name)
{
    uint64_t number;
    struct stat st;

    if (strlen(name) != 20 || parse_u64(bytes_of(name), 10, &number) < 0 || fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    s->first = s->count ? MIN(s->first, number) : number;
    s->last = MAX(s->last, number);
    s->count++;
    s->bytes += (uint64_t)st.st_size;
}

int sink_spool_open(struct sink_spool *s, const char *directory, struct err *err)
{
    const struct dirent *entry;
    DIR *listing;
    int copy;

    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return err_set(err, -errno, "%s", directory);
    s->dir = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->dir < 0)
        return err_set(err, -errno, "%s", directory);
    copy = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    listing = copy >= 0 ? fdopendir(copy) : NULL;
    if (!listing) {
        int r = -errno;

        if (copy >= 0)
            close(copy);
        return err_set(err, r, "%s", directory);
    }
    while ((entry = readdir(listing)) != NULL) {
        if (strcmp(entry->d_name, "new") == 0)
            (void)unlinkat(s->dir, "new", 0); /* half of one: its writer did not live to say that it is kept */
        count_file(s, entry->d_name);
    }
    closedir(listing);
    return 0;
}

static int write_file(const struct sink_spool *s, struct bytes message)
{
    _cleanup_close_ int fd = openat(s->dir, "new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return -errno;
    r = write_all(fd, message);
    return r == 0 && fdatasync(fd) < 0 ? -errno : r;
}

static bool is_there(const struct sink_spool *s, struct stat *st)
{
    char name[NAME_SIZE];

    name_of(s->first, name);
    return fstatat(s->dir, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Numbers of which the file is gone are passed over. */
static bool find_oldest(struct sink_spool *s, struct stat *st)
{
    while (s->first <= s->last && !is_there(s, st))
        s->first++;
    if (s->first > s->last)
        s->count = s->bytes = 0;
    return s->first <= s->last;
}

void sink_spool_remove_oldest(struct sink_spool *s)
{
    char name[NAME_SIZE];
    struct stat st;

    if (!find_oldest(s, &st))
        return;
    name_of(s->first++, name);
    (void)unlinkat(s->dir, name, 0);
    s->count -= s->count > 0;
    s->bytes -= MIN(s->bytes, (uint64_t)st.st_size);
}

int sink_spool_put(struct sink_spool *s, struct bytes message, struct err *err)
{
    char name[NAME_SIZE];
    int r;

    while (s->count && (s->count >= s->max_count || s->bytes + message.len > SINK_SPOOL_BYTES)) {
        sink_spool_remove_oldest(s);
        s->dropped++;
    }
    r = write_file(s, message);
    if (r == 0) {
        name_of(s->last + 1, name);
        r = renameat(s->dir, "new", s->dir, name) < 0 ? -errno : 0;
    }
    if (r < 0)
        return err_set(err, r, "the spool");
    (void)fsync(s->dir);
    s->last++;
    s->count++;
    s->bytes += message.len;
    return 0;
}

int sink_spool_oldest(struct sink_spool *s, struct sbuf *ret)
{
    struct sink_message m;
    char name[NAME_SIZE];
    struct stat st;

    while (find_oldest(s, &st)) {
        _cleanup_close_ int fd = -EBADF;

        name_of(s->first, name);
        fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        sbuf_clear(ret);
        if (fd >= 0 && sbuf_add_file(ret, fd, SINK_MESSAGE_MAX) == 0 && sink_message_read(sbuf_bytes(ret), &m) == 0)
            return 0;
        sink_spool_remove_oldest(s);
        s->dropped++;
    }
    return -ENOENT;
}
