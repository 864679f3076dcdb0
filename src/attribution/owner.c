/* SPDX-License-Identifier: MIT */
/*
 * dpkg keeps one list of paths for each package. A path is looked for in all of them, once for each
 * executable: some 20 ms on a host with 600 packages, and cached.
 */
#include "attribution/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "util/arena.h"
#include "util/cleanup.h"

#define CACHE_MAX 4096

struct answer {
    struct bytes path;
    struct bytes package, version;
    UT_hash_handle hh;
};

struct packages {
    struct arena arena;
    int root;
    struct answer *answers;
};

int packages_new(const char *root, struct packages **ret, struct err *err)
{
    struct packages *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(err, -ENOMEM, "packages");
    p->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (p->root < 0) {
        int r = -errno;

        free(p);
        return err_set(err, r, "%s", root);
    }
    *ret = p;
    return 0;
}

static void forget(struct packages *p)
{
    struct answer *a, *next;

    HASH_ITER(hh, p->answers, a, next) {
        HASH_DEL(p->answers, a);
        free(a);
    }
}

void packages_free(struct packages *p)
{
    if (!p)
        return;
    forget(p);
    arena_done(&p->arena);
    close(p->root);
    free(p);
}

struct mapping {
    char *data;
    size_t len;
};

static void mapping_done(struct mapping *m)
{
    if (m->data)
        munmap(m->data, m->len);
}

#define _cleanup_mapping_ _cleanup_(mapping_done)

static struct mapping map_file(int dir, const char *name)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct mapping m = { 0 };
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
        return m;
    m.data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m.data == MAP_FAILED)
        m.data = NULL;
    else
        m.len = (size_t)st.st_size;
    return m;
}

/* A whole line of the text. */
static bool has_line(const struct mapping *m, struct bytes line)
{
    const char *at = m->data, *end = m->data + m->len;

    while (at && at < end) {
        at = memmem(at, (size_t)(end - at), line.data, line.len);
        if (!at)
            return false;
        if ((at == m->data || at[-1] == '\n') && (at + line.len == end || at[line.len] == '\n'))
            return true;
        at++;
    }
    return false;
}

/* "Version:" of the paragraph "Package: NAME". */
static struct bytes find_version(struct packages *p, struct bytes package)
{
    _cleanup_close_ int dir = openat(p->root, "var/lib/dpkg", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_mapping_ struct mapping m = dir >= 0 ? map_file(dir, "status") : (struct mapping){ 0 };
    char needle[300];
    const char *at = m.data, *end = m.data + m.len;
    int n = snprintf(needle, sizeof(needle), "Package: %.*s\n", (int)package.len, package.data);

    if (n < 0 || (size_t)n >= sizeof(needle))
        return BYTES_NULL;
    while (at && at < end && (at = memmem(at, (size_t)(end - at), needle, (size_t)n))) {
        const char *stop, *version;

        if (at != m.data && at[-1] != '\n') {
            at++;
            continue;
        }
        stop = memmem(at, (size_t)(end - at), "\n\n", 2);
        stop = stop ? stop : end;
        version = memmem(at, (size_t)(stop - at), "\nVersion: ", 10);
        if (version) {
            const char *line_end;

            version += 10;
            line_end = memchr(version, '\n', (size_t)(stop - version));
            return arena_copy(&p->arena, (struct bytes){ version, (size_t)((line_end ? line_end : stop) -
                                                                          version) });
        }
        at = stop;
    }
    return BYTES_NULL;
}

/* The same file by its name before or after the merge of / and /usr. */
static struct bytes alias(struct bytes path, char *buffer, size_t size)
{
    int n;

    if (bytes_starts_with(path, bytes_of("/usr/")))
        return (struct bytes){ path.data + 4, path.len - 4 };
    n = snprintf(buffer, size, "/usr%.*s", (int)path.len, path.data);
    return n > 0 && (size_t)n < size ? (struct bytes){ buffer, (size_t)n } : path;
}

static struct bytes search_lists(struct packages *p, struct bytes path)
{
    int fd = openat(p->root, "var/lib/dpkg/info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    char buffer[4200];
    struct bytes other = alias(path, buffer, sizeof(buffer));
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return BYTES_NULL;
    }
    while ((entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        const char *colon = strchr(entry->d_name, ':'); /* libc6:amd64.list */

        if (len <= 5 || strcmp(entry->d_name + len - 5, ".list") != 0)
            continue;
        _cleanup_mapping_ struct mapping m = map_file(dirfd(dir), entry->d_name);

        if (has_line(&m, path) || has_line(&m, other))
            return arena_copy(&p->arena,
                              (struct bytes){ entry->d_name,
                                              colon ? (size_t)(colon - entry->d_name) : len - 5 });
    }
    return BYTES_NULL;
}

int packages_find(struct packages *p, struct bytes path, struct bytes *ret_package,
                  struct bytes *ret_version)
{
    struct answer *a;

    if (!path.len || path.data[0] != '/' || memchr(path.data, '\n', path.len))
        return -ENOENT;
    HASH_FIND(hh, p->answers, path.data, path.len, a);
    if (!a) {
        if (HASH_COUNT(p->answers) >= CACHE_MAX)
            forget(p);
        a = calloc(1, sizeof(*a));
        if (!a)
            return -ENOMEM;
        a->path = arena_copy(&p->arena, path);
        a->package = search_lists(p, path);
        if (a->package.len)
            a->version = find_version(p, a->package);
        HASH_ADD_KEYPTR(hh, p->answers, a->path.data, a->path.len, a);
    }
    if (!a->package.len)
        return -ENOENT;
    *ret_package = a->package;
    *ret_version = a->version;
    return 0;
}
