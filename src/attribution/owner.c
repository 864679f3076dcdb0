/* SPDX-License-Identifier: MIT */
/*
 * dpkg keeps one list of paths for each package. Reading them all takes some 30 ms on a host with 900
 * packages: too long for the thread that has to look at short-lived processes. So another thread reads
 * them once, at start, into hashes of their lines; the list that a hash names is read again to be sure.
 */
#include "attribution/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "util/arena.h"
#include "util/cleanup.h"
#include "util/thread.h"

#define CACHE_MAX 4096

struct package_answer {
    struct bytes package, version; /* in the arena: handed out, valid as long as the packages */
    UT_hash_handle hh;
    size_t path_len;
    char path[]; /* not in the arena: builds run thousands of programs once, and the cache forgets */
};

struct package_line {
    uint32_t hash;
    uint32_t list; /* index into lists */
};

struct packages {
    struct arena arena;
    int root;
    struct package_answer *answers;
    /* the reading thread's until it is joined */
    pthread_t thread;
    bool reading;
    struct arena names;
    struct bytes *lists; /* file names in dpkg's directory */
    uint32_t list_count;
    struct package_line *lines; /* sorted by hash */
    size_t line_count, line_size;
};

static void *read_lists(void *data);

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
    {
        p->reading = thread_start(&p->thread, read_lists, p) == 0;
    }
    *ret = p;
    return 0;
}

static void wait_for_lists(struct packages *p)
{
    if (p->reading)
        pthread_join(p->thread, NULL);
    p->reading = false;
}

static void forget(struct packages *p)
{
    struct package_answer *a, *next;

    HASH_ITER(hh, p->answers, a, next) {
        HASH_DEL(p->answers, a);
        free(a);
    }
}

void packages_free(struct packages *p)
{
    if (!p)
        return;
    wait_for_lists(p);
    forget(p);
    arena_done(&p->arena);
    arena_done(&p->names);
    free(p->lists);
    free(p->lines);
    close(p->root);
    free(p);
}

struct file_mapping {
    char *data;
    size_t len;
};

static void mapping_done(struct file_mapping *m)
{
    if (m->data)
        munmap(m->data, m->len);
}

#define _cleanup_mapping_ _cleanup_(mapping_done)

static struct file_mapping map_file(int dir, const char *name)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct file_mapping m = { 0 };
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

/* Of a file that is not there too: nothing is added to a null pointer. */
static const char *end_of(const struct file_mapping *m)
{
    return m->data ? m->data + m->len : NULL;
}

/* A whole line of the text. */
static bool has_line(const struct file_mapping *m, struct bytes line)
{
    const char *at = m->data, *end = end_of(m);

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
    _cleanup_mapping_ struct file_mapping m = dir >= 0 ? map_file(dir, "status") : (struct file_mapping){ 0 };
    char needle[300];
    const char *at = m.data, *end = end_of(&m);
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

/* ---- the lists ---- */

/* FNV-1a, folded: a desktop has half a million lines, and what a hash names is read again anyway. */
static uint32_t hash_line(const char *line, size_t len)
{
    uint64_t h = 14695981039346656037ull;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)line[i]) * 1099511628211ull;
    return (uint32_t)(h ^ h >> 32);
}

static bool add_line(struct packages *p, const char *line, size_t len, uint32_t list)
{
    if (p->line_count == p->line_size) {
        size_t size = p->line_size ? p->line_size * 2 : 65536;
        struct package_line *lines = reallocarray(p->lines, size, sizeof(*lines));

        if (!lines)
            return false;
        p->lines = lines;
        p->line_size = size;
    }
    p->lines[p->line_count++] = (struct package_line){ hash_line(line, len), list };
    return true;
}

static bool read_list(struct packages *p, int dir, const char *name)
{
    _cleanup_mapping_ struct file_mapping m = map_file(dir, name);
    const char *at = m.data, *end = end_of(&m);
    struct bytes *lists = reallocarray(p->lists, p->list_count + 1, sizeof(*lists));

    if (!lists)
        return false;
    p->lists = lists;
    lists[p->list_count] = arena_copy(&p->names, bytes_of(name));
    while (at && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        if (!add_line(p, at, (size_t)(stop - at), p->list_count))
            return false;
        at = stop + 1;
    }
    p->list_count++;
    return true;
}

static int by_hash(const void *a, const void *b)
{
    const struct package_line *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void *read_lists(void *data)
{
    struct packages *p = data;
    int fd = openat(p->root, "var/lib/dpkg/info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    while ((entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);

        if (len > 5 && strcmp(entry->d_name + len - 5, ".list") == 0 &&
            !read_list(p, dirfd(dir), entry->d_name))
            break;
    }
    if (p->line_count)
        qsort(p->lines, p->line_count, sizeof(*p->lines), by_hash);
    return NULL;
}

/* The package whose list has the path: the lists that its hash names are read to be sure. */
static struct bytes search_name(struct packages *p, int dir, struct bytes path)
{
    uint32_t hash = hash_line(path.data, path.len);
    size_t low = 0, high = p->line_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p->lines[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < p->line_count && p->lines[low].hash == hash; low++) {
        struct bytes name = p->lists[p->lines[low].list];
        const char *colon = memchr(name.data, ':', name.len); /* libc6:amd64.list */
        _cleanup_mapping_ struct file_mapping m = map_file(dir, name.data);

        if (has_line(&m, path))
            return (struct bytes){ name.data, colon ? (size_t)(colon - name.data) : name.len - 5 };
    }
    return BYTES_NULL;
}

static struct bytes search_lists(struct packages *p, struct bytes path)
{
    _cleanup_close_ int dir = openat(p->root, "var/lib/dpkg/info", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char buffer[4200];
    struct bytes found = BYTES_NULL;

    if (dir < 0)
        return BYTES_NULL;
    wait_for_lists(p);
    found = search_name(p, dir, path);
    return found.len ? found : search_name(p, dir, alias(path, buffer, sizeof(buffer)));
}

int packages_find(struct packages *p, struct bytes path, struct bytes *ret_package,
                  struct bytes *ret_version)
{
    struct package_answer *a;

    if (!path.len || path.data[0] != '/' || memchr(path.data, '\n', path.len))
        return -ENOENT;
    HASH_FIND(hh, p->answers, path.data, path.len, a);
    if (!a) {
        if (HASH_COUNT(p->answers) >= CACHE_MAX)
            forget(p);
        a = calloc(1, sizeof(*a) + path.len);
        if (!a)
            return -ENOMEM;
        a->path_len = path.len;
        memcpy(a->path, path.data, path.len);
        a->package = search_lists(p, path);
        if (a->package.len)
            a->version = find_version(p, a->package);
        HASH_ADD_KEYPTR(hh, p->answers, a->path, a->path_len, a);
    }
    if (!a->package.len)
        return -ENOENT;
    *ret_package = a->package;
    *ret_version = a->version;
    return 0;
}
