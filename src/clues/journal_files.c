/* SPDX-License-Identifier: MIT */
#include "clues/journal_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ID_LEN 32 /* of a machine, hexadecimal */
#define DIRECTORIES_MAX 64

static DIR *open_directory(int root, const char *path)
{
    int fd = beneath_open(root, bytes_of(path), O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir)
        closep(&fd);
    return dir;
}

/* "~": it was not closed, and what journald wrote to until the machine fell. */
static bool is_journal(struct bytes name)
{
    return bytes_ends_with(name, bytes_of(".journal")) || bytes_ends_with(name, bytes_of(".journal~"));
}

static void open_files(int root, const char *path, uint64_t earliest_ns, struct journal_files *ret)
{
    _cleanup_closedir_ DIR *dir = open_directory(root, path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) && ret->count < JOURNAL_FILES_MAX) {
        char full[512];
        struct stat st;
        int file;

        if (!is_journal(bytes_of(entry->d_name)) ||
            (size_t)snprintf(full, sizeof(full), "%s/%s", path, entry->d_name) >= sizeof(full))
            continue;
        file = beneath_open_file(root, bytes_of(full));
        if (file < 0)
            continue;
        /* what is written by a mapping may have an older time: a day is enough */
        if (fstat(file, &st) < 0 || ((uint64_t)st.st_mtim.tv_sec + 86400) * NS_PER_S < earliest_ns)
            close(file);
        else
            ret->fds[ret->count++] = file;
    }
}

static bool is_id(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!memchr("0123456789abcdef", name.data[i], 16))
            return false;
    return name.len == ID_LEN;
}

/* "ID", or "ID.NAMESPACE" of units that have a journal of their own. id: empty, any. */
static bool is_of(struct bytes name, struct bytes id)
{
    struct bytes first = { name.data, MIN(name.len, (size_t)ID_LEN) };

    return is_id(first) && (name.len == ID_LEN || name.data[ID_LEN] == '.') && (!id.len || bytes_equal(first, id));
}

/* The journals of other machines are there too: of containers that nspawn links, and of whole hosts that send theirs ("remote"). What
 * happened there did not happen here. A host that has no id yet has only its own. */
static void open_all(int root, const char *path, struct bytes id, uint64_t earliest_ns, struct journal_files *ret)
{
    _cleanup_closedir_ DIR *dir = open_directory(root, path);
    struct dirent *entry;
    unsigned n = 0;

    while (dir && (entry = readdir(dir)) && n < DIRECTORIES_MAX) {
        char full[512];

        if (!is_of(bytes_of(entry->d_name), id))
            continue;
        snprintf(full, sizeof(full), "%s/%s", path, entry->d_name);
        open_files(root, full, earliest_ns, ret);
        n++;
    }
}

unsigned journal_files_open(int root, uint64_t earliest_ns, struct journal_files *ret)
{
    _cleanup_free_ char *text = NULL;
    struct bytes id = BYTES_NULL;
    size_t len = 0;

    if (beneath_read_file(root, bytes_of("/etc/machine-id"), 256, &text, &len) == 0) {
        id = (struct bytes){ text, MIN(len, (size_t)ID_LEN) };
        id = is_id(id) ? id : BYTES_NULL;
    }
    ret->count = 0;
    open_all(root, "/var/log/journal", id, earliest_ns, ret);
    open_all(root, "/run/log/journal", id, earliest_ns, ret);
    return ret->count;
}
