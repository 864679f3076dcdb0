/* SPDX-License-Identifier: MIT */
#include "engine/merged.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

void merged_done(struct merged *m)
{
    for (size_t i = 0; i < m->count; i++)
        closep(&m->parts[i].fd);
    free(m->parts);
    *m = (struct merged){ 0 };
}

int merged_add(struct merged *m, int fd, size_t layer)
{
    struct merged_part *parts = reallocarray(m->parts, m->count + 1, sizeof(*parts));

    if (!parts)
        return -ENOMEM;
    m->parts = parts;
    m->parts[m->count++] = (struct merged_part){ fd, layer };
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_part(int fd, struct sbuf *raw)
{
    int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;

    if (opened < 0 && errno == EPERM)
        opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return -errno;
    dir = fdopendir(opened);
    if (!dir) {
        close(opened);
        return -ENOMEM;
    }
    while ((errno = 0, entry = readdir(dir))) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (strncmp(name, ".wh.", 4) == 0) {
            name += 4;
            if (!*name || strncmp(name, ".wh.", 4) == 0)
                continue;
        }
        sbuf_add(raw, name, strlen(name) + 1);
    }
    return -errno;
}

int merged_names(const struct merged *directory, bool top_only, struct sbuf *names, size_t *ret_count)
{
    _cleanup_sbuf_ struct sbuf raw = SBUF_INIT;
    _cleanup_free_ const char **sorted = NULL;
    size_t n = 0, kept = 0;
    int r = 0;

    for (size_t i = 0; i < directory->count && r == 0 && !(top_only && i > 0); i++)
        r = list_part(directory->parts[i].fd, &raw);
    if (r == 0)
        r = sbuf_error(&raw);
    if (r < 0)
        return r;
    for (size_t i = 0; i < raw.len; i++)
        n += raw.data[i] == '\0';
    sorted = calloc(n + 1, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0, at = 0; i < n; i++, at += strlen(raw.data + at) + 1)
        sorted[i] = raw.data + at;
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0)
            continue;
        sbuf_add(names, sorted[i], strlen(sorted[i]) + 1);
        kept++;
    }
    *ret_count = kept;
    return sbuf_error(names);
}
