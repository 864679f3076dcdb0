/* SPDX-License-Identifier: MIT */
/*
 * dpkg keeps one list of paths for each package. Reading them all takes some 30 ms on a host with 900
 * packages: too long for the thread that has to look at short-lived processes. So another thread reads
 * them into hashes of their lines, at start and each time that dpkg has changed them; the list that a hash
 * names is read again to be sure. Only what no list had before waits for the newer ones: whose a process is
 * said once, when it is first seen, and the first look after an upgrade may be at what it brought.
 */
#include "attribution/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attribution/file_mapping.h"
#include "util/arena.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/thread.h"

#define CACHE_MAX 4096

struct package_answer {
    struct bytes package, version; /* in the arena: handed out, valid as long as the packages */
    UT_hash_handle hh;
    size_t path_len;
    char path[]; /* not in the arena: builds run thousands of programs once, and the cache forgets */
};

/* Names and versions that were handed out: each once, however often it is read again. */
struct package_text {
    struct bytes text; /* in the arena */
    UT_hash_handle hh;
};

struct package_line {
    uint32_t hash;
    uint32_t list; /* index into lists */
};

/* All of dpkg's lists as they were at one time. */
struct package_lists {
    int root;
    struct arena names;
    struct bytes *lists; /* file names in dpkg's directory */
    uint32_t list_count;
    struct package_line *lines; /* sorted by hash */
    size_t line_count, line_size;
    atomic_bool read;
};

/* dpkg's records as they were at one time: its status is another file for each transaction. */
struct dpkg_mark {
    uint64_t status_inode, status_ns, lists_ns, updates_ns;
};

struct packages {
    struct arena arena;
    int root;
    struct package_answer *answers;
    struct package_text *texts;
    struct dpkg_mark mark; /* what the answers are of */
    bool stale;            /* dpkg changed its lists since reading them began */
    struct package_lists *lists;
    struct package_lists *newer; /* the reading thread's until it is joined; NULL: it does not run */
    pthread_t thread;
};

static void *read_lists(void *data);

static void lists_free(struct package_lists *l)
{
    if (!l)
        return;
    arena_done(&l->names);
    free(l->lists);
    free(l->lines);
    free(l);
}

/* Without it the old lists stay. */
static void begin_reading(struct packages *p)
{
    p->newer = calloc(1, sizeof(*p->newer));
    if (!p->newer)
        return;
    p->newer->root = p->root;
    if (thread_start(&p->thread, read_lists, p->newer) == 0)
        return;
    free(p->newer);
    p->newer = NULL;
}

static uint64_t changed_ns(const struct packages *p, const char *path, uint64_t *ret_inode)
{
    struct stat st;

    if (fstatat(p->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (ret_inode)
        *ret_inode = st.st_ino;
    return clock_of(st.st_mtim);
}

static struct dpkg_mark mark_of(const struct packages *p)
{
    struct dpkg_mark m = { 0 };

    m.status_ns = changed_ns(p, "var/lib/dpkg/status", &m.status_inode);
    m.lists_ns = changed_ns(p, "var/lib/dpkg/info", NULL);
    m.updates_ns = changed_ns(p, "var/lib/dpkg/updates", NULL);
    return m;
}

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
    p->mark = mark_of(p);
    begin_reading(p);
    *ret = p;
    return 0;
}

void packages_await(struct packages *p, unsigned ms)
{
    const uint64_t until_ms = clock_ms(CLOCK_MONOTONIC) + ms;

    while (p->newer && !p->newer->read && clock_ms(CLOCK_MONOTONIC) < until_ms)
        (void)nanosleep(&(struct timespec){ .tv_nsec = (long)NS_PER_MS }, NULL);
}

static void forget(struct packages *p)
{
    struct package_answer *a, *next;

    HASH_ITER(hh, p->answers, a, next) {
        HASH_DEL(p->answers, a);
        free(a);
    }
}

static void take_newer(struct packages *p)
{
    pthread_join(p->thread, NULL);
    lists_free(p->lists);
    p->lists = p->newer;
    p->newer = NULL;
    forget(p);
}

/* Of what dpkg did meanwhile: versions are read anew at once, whose file it is once the lists have been read. */
static void look_again(struct packages *p)
{
    struct dpkg_mark now = mark_of(p);
    bool status = now.status_inode != p->mark.status_inode || now.status_ns != p->mark.status_ns, lists = now.lists_ns != p->mark.lists_ns;

    if (status || lists || now.updates_ns != p->mark.updates_ns)
        forget(p);
    p->stale |= status || lists;
    p->mark = now;
    if (p->newer && (!p->lists || p->newer->read)) /* nothing is known before the first ones */
        take_newer(p);
    if (!p->stale || p->newer)
        return;
    begin_reading(p);
    p->stale = !p->newer;
}

void packages_free(struct packages *p)
{
    struct package_text *t, *next;

    if (!p)
        return;
    if (p->newer)
        take_newer(p);
    lists_free(p->lists);
    forget(p);
    HASH_ITER(hh, p->texts, t, next) {
        HASH_DEL(p->texts, t);
        free(t);
    }
    arena_done(&p->arena);
    close(p->root);
    free(p);
}

/* In the arena. BYTES_NULL: out of memory. */
static struct bytes keep(struct packages *p, struct bytes text)
{
    struct package_text *t;

    HASH_FIND(hh, p->texts, text.data, text.len, t);
    if (t || !text.len)
        return t ? t->text : BYTES_NULL;
    t = calloc(1, sizeof(*t));
    if (!t)
        return BYTES_NULL;
    t->text = arena_copy(&p->arena, text);
    if (t->text.len)
        HASH_ADD_KEYPTR(hh, p->texts, t->text.data, t->text.len, t);
    if (t->hh.tbl)
        return t->text;
    text = t->text;
    free(t);
    return text;
}

/* "Version:" of the paragraph "Package: NAME", in the mapping. BYTES_NULL: there is none. */
static struct bytes version_in(const struct file_mapping *m, struct bytes package)
{
    char needle[300];
    const char *at = m->data, *end = file_mapping_end(m);
    int n = snprintf(needle, sizeof(needle), "Package: %.*s\n", (int)package.len, package.data);

    if (n < 0 || (size_t)n >= sizeof(needle))
        return BYTES_NULL;
    while (at && at < end && (at = memmem(at, (size_t)(end - at), needle, (size_t)n))) {
        const char *stop, *version;

        if (at != m->data && at[-1] != '\n') {
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
            return (struct bytes){ version, (size_t)((line_end ? line_end : stop) - version) };
        }
        at = stop;
    }
    return BYTES_NULL;
}

/* What dpkg has done and not yet written into its status: a paragraph a file, numbered. A script of a package that is being upgraded
 * starts its service meanwhile. */
static struct bytes find_update(struct packages *p, struct bytes package)
{
    int fd = openat(p->root, "var/lib/dpkg/updates", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct bytes found = BYTES_NULL;
    struct dirent *entry;
    char newest[16] = "";

    if (!dir && fd >= 0)
        close(fd);
    while (dir && (entry = readdir(dir))) {
        _cleanup_mapping_ struct file_mapping m = { 0 };
        struct bytes version;

        if (entry->d_name[strspn(entry->d_name, "0123456789")] || strlen(entry->d_name) >= sizeof(newest) || strcmp(entry->d_name, newest) < 0)
            continue;
        m = file_map(dirfd(dir), entry->d_name);
        version = version_in(&m, package);
        if (!version.len)
            continue;
        found = keep(p, version);
        snprintf(newest, sizeof(newest), "%s", entry->d_name);
    }
    return found;
}

static struct bytes find_version(struct packages *p, struct bytes package)
{
    _cleanup_close_ int dir = openat(p->root, "var/lib/dpkg", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct bytes update = find_update(p, package);
    _cleanup_mapping_ struct file_mapping m = dir >= 0 && !update.len ? file_map(dir, "status") : (struct file_mapping){ 0 };

    return update.len ? update : keep(p, version_in(&m, package));
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

static bool add_line(struct package_lists *p, const char *line, size_t len, uint32_t list)
{
    if (ARRAY_ROOM(p->lines, p->line_count, p->line_size, 65536) < 0)
        return false;
    p->lines[p->line_count++] = (struct package_line){ hash_line(line, len), list };
    return true;
}

static bool read_list(struct package_lists *p, int dir, const char *name)
{
    _cleanup_mapping_ struct file_mapping m = file_map(dir, name);
    const char *at = m.data, *end = file_mapping_end(&m);
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
    struct package_lists *p = data;
    int fd = openat(p->root, "var/lib/dpkg/info", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        p->read = true;
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
    p->read = true;
    return NULL;
}

/* The package whose list has the path: the lists that its hash names are read to be sure. */
static struct bytes search_name(const struct package_lists *p, int dir, struct bytes path)
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
        _cleanup_mapping_ struct file_mapping m = file_map(dir, name.data);

        if (file_mapping_has_line(&m, path))
            return (struct bytes){ name.data, colon ? (size_t)(colon - name.data) : name.len - 5 };
    }
    return BYTES_NULL;
}

static struct bytes search_lists(struct packages *p, struct bytes path)
{
    _cleanup_close_ int dir = openat(p->root, "var/lib/dpkg/info", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char buffer[4200];
    struct bytes found = BYTES_NULL;

    if (dir < 0 || !p->lists)
        return BYTES_NULL;
    found = search_name(p->lists, dir, path);
    if (!found.len)
        found = search_name(p->lists, dir, alias(path, buffer, sizeof(buffer)));
    return keep(p, found);
}

/* Whose it is by the newest lists. */
static struct bytes search(struct packages *p, struct bytes path)
{
    struct bytes package = search_lists(p, path);

    for (unsigned i = 0; i < 2 && !package.len && p->newer; i++) { /* dpkg may have changed them again while they were read */
        take_newer(p);
        package = search_lists(p, path);
        look_again(p);
    }
    return package;
}

int packages_find(struct packages *p, struct bytes path, struct bytes *ret_package,
                  struct bytes *ret_version)
{
    struct package_answer *a;

    if (!path.len || path.data[0] != '/' || memchr(path.data, '\n', path.len))
        return -ENOENT;
    look_again(p);
    HASH_FIND(hh, p->answers, path.data, path.len, a);
    if (!a) {
        if (HASH_COUNT(p->answers) >= CACHE_MAX)
            forget(p);
        a = calloc(1, sizeof(*a) + path.len);
        if (!a)
            return -ENOMEM;
        a->path_len = path.len;
        memcpy(a->path, path.data, path.len);
        a->package = search(p, path);
        if (a->package.len)
            a->version = find_version(p, a->package);
        HASH_ADD_KEYPTR(hh, p->answers, a->path, a->path_len, a);
        HASH_FREE_IF_OUT(hh, a);
        if (!a)
            return -ENOMEM;
    }
    if (!a->package.len)
        return -ENOENT;
    *ret_package = a->package;
    *ret_version = a->version;
    return 0;
}
