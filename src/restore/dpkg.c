/* SPDX-License-Identifier: MIT */
/* What dpkg has on record of the host's packages. */
#include "restore/packages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "restore/host_text.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define DIRECTORY "/var/lib/dpkg"
#define CACHE "/var/cache/apt/archives"
#define LIST_MAX (16 * 1024 * 1024)
#define STATUS_MAX (64 * 1024 * 1024)

/* ---- where a package's file lies ---- */

struct diversion {
    struct bytes original, diverted, package;
};

struct paths {
    struct diversion *diversions; /* by `original` */
    size_t diversion_count;
    bool merged[6]; /* /bin is a link to usr/bin ... */
};

static const char *const aliases[] = { "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/" };

static int order(struct bytes a, struct bytes b)
{
    int r = memcmp(a.data ? a.data : "", b.data ? b.data : "", MIN(a.len, b.len));

    return r ? r : a.len < b.len ? -1 : a.len > b.len;
}

static int by_original(const void *a, const void *b)
{
    return order(((const struct diversion *)a)->original, ((const struct diversion *)b)->original);
}

static void read_paths(struct arena *arena, struct paths *ret)
{
    struct bytes text = host_text(arena, DIRECTORY "/diversions", LIST_MAX);
    size_t lines = 1;

    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    ret->diversions = calloc(lines / 3 + 1, sizeof(*ret->diversions));
    while (ret->diversions && text.len && ret->diversion_count < lines / 3) {
        struct diversion *d = &ret->diversions[ret->diversion_count++];

        d->original = bytes_next_line(&text);
        d->diverted = bytes_next_line(&text);
        d->package = bytes_next_line(&text);
    }
    if (ret->diversion_count)
        qsort(ret->diversions, ret->diversion_count, sizeof(*ret->diversions), by_original);
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        struct bytes link = { aliases[i], strlen(aliases[i]) - 1 };
        _cleanup_close_ int fd = beneath_open_host(link, 0, O_PATH | O_NOFOLLOW);
        struct stat st;

        ret->merged[i] = fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
    }
}

/* The path in `room`, or the line itself. */
static struct bytes real_path(const struct paths *paths, struct bytes listed, struct bytes package, char room[PATH_MAX])
{
    const struct diversion key = { .original = listed };
    const struct diversion *d = paths->diversion_count
        ? bsearch(&key, paths->diversions, paths->diversion_count, sizeof(key), by_original) : NULL;
    struct bytes path = d && !bytes_equal(d->package, package) ? d->diverted : listed;

    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (!paths->merged[i] || !bytes_starts_with(path, bytes_of(aliases[i])) || path.len + 5 > PATH_MAX)
            continue;
        return (struct bytes){ room, (size_t)snprintf(room, PATH_MAX, "/usr%.*s", (int)path.len, path.data) };
    }
    return path;
}

/* ---- lists ---- */

/* A line of `list`: `name` is its package, without an architecture. */
static int read_list(struct package_set *d, const struct paths *paths, struct bytes wanted, int directory, const char *file, struct bytes name)
{
    _cleanup_close_ int at = beneath_open_here(directory, file, O_PATH), fd = at < 0 ? at : beneath_reopen_file(at);
    struct package *package;
    _cleanup_free_ char *data = NULL;
    struct bytes rest, line;
    size_t len, before = d->file_count;
    int r = 0;

    if (fd < 0 || beneath_read_fd(fd, LIST_MAX, &data, &len) < 0)
        return 0;
    for (rest = (struct bytes){ data, len }; r == 0 && rest.len;) {
        char room[PATH_MAX];
        struct package_file f = { .package = (uint32_t)d->package_count };

        line = bytes_next_line(&rest);
        if (line.len < 2 || line.data[0] != '/' || line.len >= PATH_MAX)
            continue;
        f.listed = line;
        f.path = real_path(paths, line, name, room);
        if (bytes_path_covers(wanted, f.path))
            r = package_set_add(d, &f);
    }
    if (r < 0 || d->file_count == before)
        return r;
    package = package_set_add_package(d);
    if (!package)
        return -ENOMEM;
    package->list = arena_copy(&d->arena, (struct bytes){ file, strlen(file) - strlen(".list") });
    return 0;
}

static int read_lists(struct package_set *d, const struct paths *paths, struct bytes wanted)
{
    int fd = beneath_open_host(bytes_of(DIRECTORY "/info"), 0, O_RDONLY | O_DIRECTORY), r = 0;
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!dir) {
        closep(&fd);
        return -ENOENT;
    }
    while (r == 0 && (entry = readdir(dir))) {
        struct bytes name = bytes_of(entry->d_name), stem;

        if (!bytes_ends_with(name, bytes_of(".list")))
            continue;
        stem = (struct bytes){ name.data, name.len - strlen(".list") };
        stem = bytes_next_field(&stem, ':');
        r = read_list(d, paths, wanted, dirfd(dir), entry->d_name, stem);
    }
    return r;
}

/* ---- status ---- */

struct paragraph {
    struct bytes package, status, version, architecture, conffiles;
};

static struct bytes value_of(struct bytes line, const char *key)
{
    struct bytes k = bytes_of(key);

    return bytes_starts_with(line, k) ? (struct bytes){ line.data + k.len, line.len - k.len } : BYTES_NULL;
}

/* The next one; rest moves on. */
static bool next_paragraph(struct bytes *rest, struct paragraph *ret)
{
    *ret = (struct paragraph){ 0 };
    while (rest->len) {
        struct bytes line = bytes_next_line(rest), value;

        if (!line.len)
            break;
        if ((value = value_of(line, "Package: ")).len)
            ret->package = value;
        else if ((value = value_of(line, "Status: ")).len)
            ret->status = value;
        else if ((value = value_of(line, "Version: ")).len)
            ret->version = value;
        else if ((value = value_of(line, "Architecture: ")).len)
            ret->architecture = value;
        else if (bytes_equal_str(line, "Conffiles:"))
            ret->conffiles = (struct bytes){ rest->data, 0 };
        else if (line.data[0] == ' ' && ret->conffiles.data && line.data == ret->conffiles.data + ret->conffiles.len)
            ret->conffiles.len += line.len + (rest->len > 0);
    }
    return ret->package.len > 0;
}

/* "libc6:amd64" is the paragraph of libc6 whose architecture is amd64. */
static bool is_of(const struct package *p, const struct paragraph *q)
{
    struct bytes architecture = p->list, name = bytes_next_field(&architecture, ':');

    return bytes_equal(name, q->package) && (!architecture.len || bytes_equal(architecture, q->architecture));
}

static void read_status(struct package_set *d)
{
    struct bytes text = host_text(&d->arena, DIRECTORY "/status", STATUS_MAX);
    struct paragraph q;

    while (text.len) {
        if (!next_paragraph(&text, &q) || !bytes_ends_with(q.status, bytes_of(" ok installed")))
            continue;
        for (size_t i = 0; i < d->package_count; i++) {
            struct package *p = &d->packages[i];

            if (!is_of(p, &q))
                continue;
            p->name = q.package;
            p->version = q.version;
            p->architecture = q.architecture;
            p->conffiles = q.conffiles;
        }
    }
}

static int dpkg_find(struct bytes path, struct package_set *ret, struct err *err)
{
    struct package_set d = { 0 };
    struct paths paths = { 0 };
    int r;

    read_paths(&d.arena, &paths);
    r = read_lists(&d, &paths, path);
    free(paths.diversions);
    if (r < 0) {
        package_set_done(&d);
        return r == -ENOENT ? r : err_set(err, r, "dpkg's lists of files");
    }
    if (d.package_count)
        read_status(&d);
    package_set_sort(&d);
    d.overrides = host_text(&d.arena, DIRECTORY "/statoverride", LIST_MAX);
    *ret = d;
    return 0;
}

/* ---- one file, one package ---- */

static struct bytes conffile_sum(const struct package *p, struct bytes listed)
{
    for (struct bytes rest = p->conffiles; rest.len;) {
        struct bytes line = bytes_next_line(&rest), path = bytes_next_word(&line), sum = bytes_next_word(&line);

        if (bytes_equal(path, listed) && sum.len == 32)
            return sum;
    }
    return BYTES_NULL;
}

static struct bytes listed_sum(struct package_set *d, struct package *p, struct bytes listed)
{
    char path[PATH_MAX];

    if (!p->read && snprintf(path, sizeof(path), DIRECTORY "/info/%.*s.md5sums", (int)p->list.len, p->list.data) < (int)sizeof(path))
        p->md5sums = host_text(&d->arena, path, LIST_MAX);
    p->read = true;
    for (struct bytes rest = p->md5sums; rest.len;) {
        struct bytes line = bytes_next_line(&rest);

        if (line.len == 33 + listed.len && memcmp(line.data + 34, listed.data + 1, listed.len - 1) == 0)
            return (struct bytes){ line.data, 32 };
    }
    return BYTES_NULL;
}

static void dpkg_sum(struct package_set *d, const struct package_file *f, struct package_sum *ret)
{
    struct package *p = &d->packages[f->package];
    struct bytes sum = conffile_sum(p, f->listed);

    *ret = (struct package_sum){ .config = sum.len > 0, .hex = sum.len ? sum : listed_sum(d, p, f->listed) };
    ret->kind = ret->hex.len ? PACKAGE_DIGEST_MD5 : PACKAGE_DIGEST_NONE;
}

/* What dpkg-statoverride says. */
static void dpkg_owner(const struct package_set *d, const struct package_file *f, struct bytes *user, struct bytes *group, uint32_t *mode)
{
    for (struct bytes rest = d->overrides; rest.len;) {
        struct bytes line = bytes_next_line(&rest), u = bytes_next_word(&line), g = bytes_next_word(&line);
        uint32_t m;

        if (parse_u32(bytes_next_word(&line), 8, &m) < 0 || line.len < 2 ||
            !bytes_equal((struct bytes){ line.data + 1, line.len - 1 }, f->listed))
            continue;
        *user = u;
        *group = g;
        *mode = m;
        return;
    }
}

static bool is_file(const char *path)
{
    _cleanup_close_ int fd = beneath_open_host(bytes_of(path), 0, O_PATH);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* apt writes an epoch's colon as %3a; by hand it is downloaded without the epoch, as mirrors have it. */
static struct bytes dpkg_archive(struct package_set *d, const struct package *p, struct bytes directory)
{
    const char *colon = bytes_char(p->version, ':');
    size_t epoch = colon ? (size_t)(colon - p->version.data) : 0;
    struct bytes bare = { p->version.data + epoch + (colon != NULL), p->version.len - epoch - (colon != NULL) };
    char path[PATH_MAX];

    if (!directory.len)
        directory = bytes_of(CACHE);
    if (!p->version.len || memchr(p->version.data, '/', p->version.len) || memchr(p->name.data, '/', p->name.len))
        return BYTES_NULL;
    for (unsigned with_epoch = 2; with_epoch-- > 0;) {
        int n = snprintf(path, sizeof(path), "%.*s/%.*s_%.*s%s%.*s_%.*s.deb", (int)directory.len, directory.data, (int)p->name.len, p->name.data,
                         with_epoch ? (int)epoch : 0, p->version.data, with_epoch && colon ? "%3a" : "", (int)bare.len, bare.data,
                         (int)p->architecture.len, p->architecture.data);

        if (n > 0 && (size_t)n < sizeof(path) && is_file(path))
            return arena_copy(&d->arena, bytes_of(path));
    }
    return BYTES_NULL;
}

static const char *dpkg_again(void)
{
    return "apt-get install --reinstall";
}

const struct package_kind packages_dpkg = { dpkg_find, dpkg_sum, dpkg_owner, dpkg_archive, dpkg_again };
