/* SPDX-License-Identifier: MIT */
#include "attribution/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define NAMES_MAX (4 * 1024 * 1024) /* bytes of names in one directory: dpkg has some 1000 of 20 */

static int open_root(pid_t pid)
{
    char path[64];

    if (pid <= 0)
        return -ESRCH;
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    return beneath_open_host(bytes_of(path), 0, O_PATH | O_DIRECTORY);
}

static void add_place(struct sbuf *place, char kind, struct bytes text)
{
    if (!text.len)
        return;
    sbuf_add_char(place, kind);
    sbuf_add_bytes(place, text);
    sbuf_add_char(place, '\0');
}

void inside_by_process(struct sbuf *place, pid_t pid)
{
    char number[16];

    snprintf(number, sizeof(number), "%d", (int)pid);
    if (pid > 0)
        add_place(place, 'p', bytes_of(number));
}

void inside_by_root(struct sbuf *place, struct bytes directory)
{
    add_place(place, 'r', directory);
}

int inside_by_engine(struct sbuf *place, struct engines *engines, const struct container *c)
{
    struct container_view view;
    int r = engines && c->id.len ? engines_find(engines, c->runtime, c->id, &view, NULL) : -ENOENT;

    if (r < 0)
        return r;
    if (view.running)
        inside_by_process(place, view.container->pid);
    add_place(place, 'l', view.upper);
    for (size_t i = 0; i < view.lower_count; i++)
        add_place(place, 'l', view.lower[i]);
    if (!view.upper.len && !view.lower_count)
        add_place(place, 'l', view.root);
    container_view_done(&view);
    return 0;
}

int inside_open(struct bytes place, struct inside *ret)
{
    _cleanup_free_ struct bytes *layers = calloc(place.len + 1, sizeof(*layers));
    struct inside in = INSIDE_NONE;
    size_t count = 0;

    if (!layers)
        return -ENOMEM;
    while (place.len > 1 && in.root < 0) {
        struct bytes text = { place.data + 1, strnlen(place.data + 1, place.len - 1) };
        char kind = place.data[0];
        uint32_t pid;

        if (text.len == place.len - 1)
            break; /* each ends with NUL */
        place = (struct bytes){ text.data + text.len + 1, place.len - text.len - 2 };
        if (kind == 'l')
            layers[count++] = text;
        else if (kind == 'r')
            in.root = beneath_open_host(text, 0, O_PATH | O_DIRECTORY);
        else if (kind == 'p' && parse_u32(text, 10, &pid) == 0)
            in.root = open_root((pid_t)pid);
    }
    if (in.root < 0 && layers_open(layers, count, &in.layers, NULL) < 0)
        return -ENOENT;
    *ret = in;
    return 0;
}

void inside_done(struct inside *in)
{
    closep(&in->root);
    layers_done(&in->layers);
    *in = INSIDE_NONE;
}

static int open_file(const struct inside *in, const char *path)
{
    return in->root >= 0 ? beneath_open_file(in->root, bytes_of(path))
                         : layers_open_file(&in->layers, bytes_of(path));
}

int inside_stat(const struct inside *in, const char *path, struct stat *ret)
{
    _cleanup_close_ int fd = open_file(in, path);

    if (fd < 0)
        return fd;
    return fstat(fd, ret) < 0 ? -errno : 0;
}

int inside_read(const struct inside *in, const char *path, size_t max, char **ret, size_t *ret_len)
{
    _cleanup_close_ int fd = open_file(in, path);

    return fd < 0 ? fd : beneath_read_fd(fd, max, ret, ret_len);
}

static int list_root(int root, const char *path, struct sbuf *names, size_t *ret_count)
{
    int fd = beneath_open(root, bytes_of(path), O_RDONLY | O_DIRECTORY);
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    size_t n = 0;

    if (fd < 0)
        return fd;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    while ((entry = readdir(dir)) && names->len < NAMES_MAX) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        sbuf_add(names, entry->d_name, strlen(entry->d_name) + 1);
        n++;
    }
    *ret_count = n;
    return sbuf_error(names);
}

int inside_list(const struct inside *in, const char *path, struct sbuf *names, size_t *ret_count)
{
    struct layer_entry e = LAYER_ENTRY_NONE;
    struct arena arena = { 0 };
    int r;

    if (in->root >= 0)
        return list_root(in->root, path, names, ret_count);
    r = layers_lookup(&in->layers, layers_resolve(&in->layers, bytes_of(path), true, &arena), &e);
    if (r == 0)
        r = merged_names(&e.merged, false, names, ret_count);
    layer_entry_done(&e);
    arena_done(&arena);
    return r;
}
