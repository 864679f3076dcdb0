/* SPDX-License-Identifier: MIT */
/* Which files there are, and their bytes. They are root's: whoever else may write one decides what is watched. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "util/cleanup.h"
#include "util/trusted.h"

typedef int read_fn(struct config *c, const char *file, struct bytes text, struct config_report *report);

/* 0 also where it is no file to be read: that was reported. */
static int read_file(struct config *c, int at, const char *name, const char *path, bool may_be_missing, read_fn *read_text,
                     struct config_report *report)
{
    _cleanup_close_ int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct stat st;
    int r;

    if (fd < 0 && errno == ENOENT && may_be_missing)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0) {
        config_problem(report, path, 0, false, "%s", strerror(errno));
        return 0;
    }
    if (!S_ISREG(st.st_mode)) {
        config_problem(report, path, 0, false, "this is no regular file");
        return 0;
    }
    if (!file_is_trusted(&st)) {
        config_problem(report, path, 0, false, "others than root may write it (chown root, chmod go-w): not read");
        return 0;
    }
    r = sbuf_add_file(&text, fd, LIMIT_CONFIG_FILE);
    if (r == -ENOMEM)
        return r;
    if (r == -EFBIG)
        config_problem(report, path, 0, false, "longer than %d bytes: this is no configuration", LIMIT_CONFIG_FILE);
    else if (r < 0)
        config_problem(report, path, 0, false, "%s", strerror(-r));
    return r < 0 ? 0 : read_text(c, path, text.data ? sbuf_bytes(&text) : bytes_of(""), report);
}

static bool ends_in(const char *name, const char *suffix)
{
    return name[0] != '.' && strlen(name) > strlen(suffix) && bytes_ends_with(bytes_of(name), bytes_of(suffix));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **names;
    size_t count;
};

static void names_done(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->names[i]);
    free(n->names);
}

static int names_add(struct names *n, const char *name)
{
    char **grown = reallocarray(n->names, n->count + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    n->names = grown;
    grown[n->count] = strdup(name);
    return grown[n->count++] ? 0 : -ENOMEM;
}

static int read_directory(struct config *c, const char *path, const char *suffix, read_fn *read_text,
                          struct config_report *report)
{
    _cleanup_closedir_ DIR *dir = opendir(path);
    _cleanup_(names_done) struct names names = { 0 };
    struct dirent *entry;
    int r = 0;

    if (!dir) {
        if (errno != ENOENT)
            config_problem(report, path, 0, false, "%s", strerror(errno));
        return 0;
    }
    while (r == 0 && (entry = readdir(dir)) != NULL) {
        if (!ends_in(entry->d_name, suffix))
            continue;
        if (names.count == LIMIT_CONFIG_FILES) {
            config_problem(report, path, 0, false, "more than %d files", LIMIT_CONFIG_FILES);
            return 0;
        }
        r = names_add(&names, entry->d_name);
    }
    if (names.count)
        qsort(names.names, names.count, sizeof(*names.names), by_name);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        _cleanup_sbuf_ struct sbuf file = SBUF_INIT;

        sbuf_addf(&file, "%s/%s", path, names.names[i]);
        r = sbuf_error(&file);
        if (r == 0)
            r = read_file(c, dirfd(dir), names.names[i], sbuf_str(&file), false, read_text, report);
    }
    return r;
}

int config_load(struct config *c, const char *directory, struct config_report *report)
{
    static const struct {
        const char *name, *suffix;
        read_fn *read_text;
    } directories[] = { { "conf.d", ".conf", config_read }, { "watches.d", ".rules", config_read_rules } };
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    int r;

    sbuf_addf(&path, "%s/culprit.conf", directory);
    r = sbuf_error(&path);
    if (r == 0)
        r = read_file(c, AT_FDCWD, sbuf_str(&path), sbuf_str(&path), true, config_read, report);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++) {
        sbuf_clear(&path);
        sbuf_addf(&path, "%s/%s", directory, directories[i].name);
        r = sbuf_error(&path);
        if (r == 0)
            r = read_directory(c, sbuf_str(&path), directories[i].suffix, directories[i].read_text, report);
    }
    return r;
}

int config_load_file(struct config *c, const char *path, struct config_report *report)
{
    return read_file(c, AT_FDCWD, path, path, false, config_read, report);
}
