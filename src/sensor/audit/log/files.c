/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sensor/audit/log/source.h"
#include "sensor/audit/record.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/parse.h"

#define LOG_NAME "audit.log"
#define PEEK_SIZE (64 * 1024) /* the first records of a file; the kernel's longest takes 9 kB */

void audit_log_files_done(struct audit_log_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->files[i].path);
    free(files->files);
    *files = (struct audit_log_files){ 0 };
}

/* ---- one file ---- */

static uint64_t first_time(struct bytes text)
{
    for (const char *p = text.data, *end = p + text.len; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        struct bytes line = { p, (size_t)((newline ? newline : end) - p) };
        struct audit_record record;

        if (audit_record_parse_line(line, &record, NULL) == 0 && record.time_ms > 0)
            return record.time_ms;
        if (!newline)
            break;
        p = newline + 1;
    }
    return 0;
}

static uint64_t peek_first_time(int fd)
{
    struct audit_log_source *source = NULL;
    _cleanup_free_ char *buffer = malloc(PEEK_SIZE);
    size_t len = 0;
    int copy = buffer ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;

    if (copy < 0)
        return 0;
    if (audit_log_source_open(copy, &source, NULL) == 0) {
        while (len < PEEK_SIZE) {
            int64_t n = audit_log_source_read(source, buffer + len, PEEK_SIZE - len, NULL);

            if (n <= 0)
                break;
            len += (size_t)n;
        }
        audit_log_source_close(source);
    }
    return first_time((struct bytes){ buffer, len });
}

static bool is_listed(const struct audit_log_files *files, dev_t dev, ino_t ino)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->files[i].dev == dev && files->files[i].ino == ino && ino != 0)
            return true;
    return false;
}

static int append(struct audit_log_files *files, const struct audit_log_file *file)
{
    struct audit_log_file *grown = realloc(files->files, (files->count + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    files->files = grown;
    grown[files->count++] = *file;
    return 0;
}

/* 1: it is listed already. A fifo is not opened here: that would take its writer's first bytes. */
/* Most devices hand out bytes for ever. */
static int check_kind(const struct stat *st, int fd, const char *path, struct err *err)
{
    if (S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode) ||
        (S_ISCHR(st->st_mode) && (st->st_rdev == makedev(1, 3) /* null */ || (fd >= 0 && isatty(fd)))))
        return 0;
    return err_say(err, -EINVAL, "%s: neither a file, a directory nor a pipe", path);
}

static int describe(const struct audit_log_files *files, const char *path,
                    struct audit_log_file *ret, struct err *err)
{
    struct audit_log_file file = { 0 };
    _cleanup_close_ int fd = -EBADF;
    struct stat st;

    if (stat(path, &st) < 0)
        return err_set(err, -errno, "%s", path);
    if (is_listed(files, st.st_dev, st.st_ino))
        return 1;
    if (S_ISREG(st.st_mode)) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            return err_set(err, -errno, "%s", path);
        /* it may have been rotated between the two calls: what was opened counts */
        if (fstat(fd, &st) < 0)
            return err_set(err, -errno, "%s", path);
        if (is_listed(files, st.st_dev, st.st_ino))
            return 1;
        file.size = (uint64_t)st.st_size;
        file.first_ms = peek_first_time(fd);
    } else if (access(path, R_OK) < 0) {
        return err_set(err, -errno, "%s", path);
    } else {
        int r;

        if (S_ISCHR(st.st_mode))
            fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        r = check_kind(&st, fd, path, err);
        if (r < 0)
            return r;
    }
    file.dev = st.st_dev;
    file.ino = st.st_ino;
    file.mtime = st.st_mtim;
    file.path = strdup(path);
    if (!file.path)
        return -ENOMEM;
    *ret = file;
    return 0;
}

/* ---- rotations ---- */

struct rotation {
    struct audit_log_file file;
    uint64_t number; /* of NAME.N; 0 = not numbered */
    bool compressed; /* by its name */
    bool is_twin;    /* the same file is there without compression */
};

struct rotations {
    struct rotation *list;
    size_t count;
};

static void rotations_done(struct rotations *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->list[i].file.path);
    free(r->list);
}

static bool strip_suffix(struct bytes *name, const char *suffix)
{
    size_t n = strlen(suffix);

    if (name->len < n || memcmp(name->data + name->len - n, suffix, n) != 0)
        return false;
    name->len -= n;
    return true;
}

/* Is `rest`, what follows "audit.log" in a file's name, the mark of a rotation? ".12", "-20261124",
 * ".2026-11-24", "-20261124-1795487701", each with .gz, .xz, .zst or not. */
static bool is_rotation(struct bytes rest, uint64_t *ret_number, bool *ret_compressed)
{
    bool digits = false;

    *ret_compressed = strip_suffix(&rest, ".gz") || strip_suffix(&rest, ".xz") ||
                      strip_suffix(&rest, ".zst");
    *ret_number = 0;
    if (rest.len == 0)
        return *ret_compressed; /* audit.log.gz */
    if (rest.data[0] != '.' && rest.data[0] != '-' && rest.data[0] != '_')
        return false;
    rest.data++;
    rest.len--;
    if (rest.len > 0 && rest.len <= 6 && parse_u64(rest, 10, ret_number) == 0)
        return true;
    *ret_number = 0;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.data[i];

        digits = digits || isdigit((unsigned char)c);
        if (!isdigit((unsigned char)c) && !strchr("-_.:T+Z", c))
            return false;
    }
    return digits;
}

static int compare_rotations(const void *a, const void *b)
{
    const struct rotation *x = a, *y = b;

    /* the number is the order, whatever the clock said; a date has only the clock */
    if (x->number && y->number && x->number != y->number)
        return x->number > y->number ? -1 : 1;
    if (x->file.first_ms != y->file.first_ms)
        return x->file.first_ms < y->file.first_ms ? -1 : 1;
    return strcmp(x->file.path, y->file.path);
}

/* A log that is just being compressed is there twice: the plain one is whole. */
static bool is_twin(const struct rotations *r, size_t i)
{
    size_t len = strlen(r->list[i].file.path);

    if (!r->list[i].compressed)
        return false;
    for (size_t k = 0; k < r->count; k++) {
        const char *other = r->list[k].file.path;
        size_t n = strlen(other);

        if (!r->list[k].compressed && n < len && strncmp(r->list[i].file.path, other, n) == 0 &&
            r->list[i].file.path[n] == '.' && strpbrk(r->list[i].file.path + n, "gxz"))
            return true;
    }
    return false;
}

static int find_rotations(const struct audit_log_files *files, const char *dir, const char *name,
                          struct rotations *ret, struct err *err)
{
    _cleanup_closedir_ DIR *d = opendir(dir[0] ? dir : ".");
    bool numbered = true;
    size_t n = strlen(name);

    if (!d)
        return err_set(err, -errno, "%s", dir[0] ? dir : ".");
    for (struct dirent *e; (e = readdir(d));) {
        struct rotation rotation = { 0 };
        char path[PATH_MAX];
        int r;

        if (strncmp(e->d_name, name, n) != 0 || e->d_name[n] == '\0' ||
            !is_rotation(bytes_of(e->d_name + n), &rotation.number, &rotation.compressed))
            continue;
        if ((size_t)snprintf(path, sizeof(path), "%s%s", dir, e->d_name) >= sizeof(path))
            continue;
        r = describe(files, path, &rotation.file, err);
        if (r == -ENOENT || r == 1) /* rotated away while we look */
            continue;
        if (r < 0)
            return r;
        struct rotation *grown = realloc(ret->list, (ret->count + 1) * sizeof(*grown));

        if (!grown) {
            free(rotation.file.path);
            return -ENOMEM;
        }
        ret->list = grown;
        grown[ret->count++] = rotation;
        numbered = numbered && rotation.number;
    }
    if (!numbered) /* one order for all of them, or sorting has none */
        for (size_t i = 0; i < ret->count; i++)
            ret->list[i].number = 0;
    if (ret->count)
        qsort(ret->list, ret->count, sizeof(ret->list[0]), compare_rotations);
    return 0;
}

static int add_rotations(struct audit_log_files *files, const char *dir, const char *name,
                         struct err *err)
{
    _cleanup_(rotations_done) struct rotations found = { 0 };
    int r = find_rotations(files, dir, name, &found, err);

    /* which are twins is asked while all of them still have their names */
    for (size_t i = 0; r >= 0 && i < found.count; i++)
        found.list[i].is_twin = is_twin(&found, i);
    for (size_t i = 0; r >= 0 && i < found.count; i++) {
        if (found.list[i].is_twin)
            continue;
        r = append(files, &found.list[i].file);
        if (r == 0)
            found.list[i].file.path = NULL;
    }
    return r;
}

static int add_numbered(struct audit_log_files *files, const char *log_path, struct err *err)
{
    unsigned last = 0;
    char path[PATH_MAX];

    for (;; last++) {
        if ((size_t)snprintf(path, sizeof(path), "%s.%u", log_path, last + 1) >= sizeof(path) ||
            access(path, R_OK) < 0)
            break;
    }
    for (; last > 0; last--) {
        struct audit_log_file file;
        int r;

        snprintf(path, sizeof(path), "%s.%u", log_path, last);
        r = describe(files, path, &file, err);
        if (r == 0)
            r = append(files, &file);
        if (r < 0)
            return r;
    }
    return 0;
}

int audit_log_files_add_log(struct audit_log_files *files, const char *path,
                            enum audit_log_rotations rotations, struct err *err)
{
    struct bytes base = bytes_basename(bytes_of(path));
    _cleanup_free_ char *dir = strndup(path, (size_t)(base.data - path));
    size_t before = files->count;
    struct audit_log_file newest;
    struct err why = ERR_INIT;
    int have, r;

    if (!dir)
        return -ENOMEM;
    /* The newest first: what it is rotated to between the two steps is then known by its inode,
     * and passed over; the other way round a whole file could be missed. */
    have = describe(files, path, &newest, &why);
    if (have < 0 && have != -ENOENT)
        return err_say(err, have, "%s", err_text(&why, have));
    if (have == 0) {
        newest.is_newest = true;
        r = append(files, &newest);
        if (r < 0) {
            free(newest.path);
            return r;
        }
    }
    r = rotations == AUDIT_LOG_ROTATIONS_ALL ? add_rotations(files, dir, base.data, err)
                                             : add_numbered(files, path, err);
    if (r < 0)
        return r;
    if (files->count == before)
        return have == 1 ? 0 : err_say(err, have, "%s", err_text(&why, have));
    if (have == 0) { /* it is read last */
        newest = files->files[before];
        memmove(&files->files[before], &files->files[before + 1],
                (files->count - before - 1) * sizeof(newest));
        files->files[files->count - 1] = newest;
    }
    return 0;
}

/* The log that a directory holds: audit.log, or else the only NAME.log in it. */
static int log_of_directory(const char *dir, char **ret, struct err *err)
{
    _cleanup_closedir_ DIR *d = opendir(dir);
    _cleanup_free_ char *only = NULL;
    bool named = false;
    unsigned count = 0;

    if (!d)
        return err_set(err, -errno, "%s", dir);
    for (struct dirent *e; (e = readdir(d));) {
        struct bytes name = bytes_of(e->d_name);
        const char *dot = strstr(e->d_name, ".log");

        if (bytes_starts_with(name, bytes_of(LOG_NAME)))
            named = true;
        if (!dot || dot == e->d_name || dot[4] != '\0')
            continue;
        count++;
        free(only);
        only = strdup(e->d_name);
        if (!only)
            return -ENOMEM;
    }
    if (!named && count != 1)
        return err_say(err, -ENOENT, count ? "%s: no " LOG_NAME " in this directory, but several others; name the files"
                                           : "%s: no " LOG_NAME " in this directory", dir);
    if (asprintf(ret, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", named ? LOG_NAME : only) < 0)
        return -ENOMEM;
    return 0;
}

int audit_log_files_add(struct audit_log_files *files, const char *argument,
                        enum audit_log_rotations rotations, struct err *err)
{
    struct audit_log_file file = { 0 };
    struct stat st;
    int r;

    if (strcmp(argument, "-") == 0) {
        if (fstat(STDIN_FILENO, &st) < 0)
            return err_set(err, -errno, "standard input");
        r = S_ISSOCK(st.st_mode) ? 0 : check_kind(&st, STDIN_FILENO, "standard input", err);
        if (r < 0)
            return r;
        file.path = strdup("-");
        r = file.path ? append(files, &file) : -ENOMEM;
        if (r < 0)
            free(file.path);
        return r;
    }
    if (stat(argument, &st) < 0)
        return err_set(err, -errno, "%s", argument);
    if (S_ISDIR(st.st_mode)) {
        _cleanup_free_ char *path = NULL;

        r = log_of_directory(argument, &path, err);
        return r < 0 ? r : audit_log_files_add_log(files, path, rotations, err);
    }
    r = describe(files, argument, &file, err);
    if (r != 0)
        return MIN(r, 0);
    file.is_newest = true; /* there is no way to know whether somebody still writes */
    r = append(files, &file);
    if (r < 0)
        free(file.path);
    return r;
}

void audit_log_files_sort(struct audit_log_files *files)
{
    /* insertion: few files, nearly in order, and equal ones must stay as they are */
    for (size_t i = 1; i < files->count; i++) {
        struct audit_log_file file = files->files[i];
        size_t k = i;

        if (file.first_ms == 0)
            continue;
        while (k > 0 && files->files[k - 1].first_ms > file.first_ms)
            k--;
        memmove(&files->files[k + 1], &files->files[k], (i - k) * sizeof(file));
        files->files[k] = file;
    }
}

/* ---- opening ---- */

/* What is called so, if it is the file that was listed: what took its place, a fifo perhaps, is not opened. -ENOENT */
static int open_same(int dir, const char *name, const struct audit_log_file *file)
{
    _cleanup_close_ int path = openat(dir, name, O_PATH | O_CLOEXEC);
    char link[64];
    struct stat st;
    int fd;

    if (path < 0 || fstat(path, &st) < 0)
        return -errno;
    if (st.st_dev != file->dev || st.st_ino != file->ino)
        return -ENOENT;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", path);
    fd = open(link, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Look for the inode among its neighbours: rotation renames. */
static int open_rotated(const struct audit_log_file *file, int *ret_fd, struct err *err)
{
    struct bytes base = bytes_basename(bytes_of(file->path));
    _cleanup_free_ char *dir = strndup(file->path, (size_t)(base.data - file->path));
    _cleanup_closedir_ DIR *d = NULL;

    if (!dir)
        return -ENOMEM;
    d = opendir(dir[0] ? dir : ".");
    for (struct dirent *e; d && (e = readdir(d));) {
        int fd = e->d_ino == file->ino ? open_same(dirfd(d), e->d_name, file) : -ENOENT;

        if (fd >= 0) {
            *ret_fd = fd;
            return 0;
        }
    }
    return err_say(err, -ENOENT, "%s: rotated away before it could be read", file->path);
}

int audit_log_file_open(const struct audit_log_file *file, int *ret_fd, struct err *err)
{
    _cleanup_close_ int fd = -EBADF;

    if (strcmp(file->path, "-") == 0) {
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
            return err_set(err, -errno, "standard input");
        *ret_fd = TAKE_FD(fd);
        return 0;
    }
    fd = open_same(AT_FDCWD, file->path, file);
    if (fd < 0)
        return fd == -ENOENT ? open_rotated(file, ret_fd, err) : err_set(err, fd, "%s", file->path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}
