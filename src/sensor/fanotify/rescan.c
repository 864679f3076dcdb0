/* SPDX-License-Identifier: MIT */
/*
 * After the kernel's queue was full: everything is looked at again and compared with the index. New
 * names first, so that what only moved is emitted as a move; then what became of the names known before.
 */
#include "sensor/fanotify/rescan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sensor/fanotify/appear.h"
#include "event/operation.h"
#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/interpret.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/place.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/writes.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"

struct number_list {
    uint32_t *numbers;
    size_t count, size;
};

static void add(struct number_list *l, uint32_t number)
{
    if (l->count == l->size) {
        size_t size = l->size ? l->size * 2 : 256;
        uint32_t *numbers = reallocarray(l->numbers, size, sizeof(*numbers));

        if (!numbers)
            return;
        l->numbers = numbers;
        l->size = size;
    }
    l->numbers[l->count++] = number;
}

static bool exists(struct fanotify_object *o, uint32_t name)
{
    int fd = fanotify_object_directory(o, tree_parent_of(o->tree, name));
    char text[LIMIT_NAME + 1];
    struct stat st;

    if (fd < 0 || !tree_name(o->tree, name, text).len)
        return false;
    /* what does not answer is there: it was mounted over it */
    return !tree_answers(o->tree, fd, text) || fstatat(fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void on_new(struct fanotify_object *o, uint32_t directory, struct bytes name,
                   const struct fanotify_cause *cause)
{
    struct file_state now;
    int fd = fanotify_object_directory(o, directory);
    uint32_t object, old;
    struct tree_change change;

    if (fd < 0 || tree_stat_at(o->tree, fd, name.data, &now) < 0)
        return;
    object = tree_find(o->tree, now.device, now.inode);
    old = tree_first_name(o->tree, object);
    if (old && !exists(o, old)) {
        struct event *e;
        struct sbuf path = SBUF_INIT;
        uint32_t from = tree_parent_of(o->tree, old);
        char text[LIMIT_NAME + 1];
        int r = fanotify_path(o, from, tree_name(o->tree, old, text), &path);

        if (tree_rename(o->tree, old, directory, name, &change) == 0) {
            e = fanotify_event_new(o, OPERATION_RENAME, directory, name, &change.after, cause);
            if (e && r == 0)
                event_set(e, &e->previous_path, sbuf_bytes(&path));
            fanotify_send(o, e, cause);
            sbuf_done(&path);
            return;
        }
        sbuf_done(&path);
    }
    if (fanotify_look(o, directory, name, cause, &change) < 0 || !change.name)
        return;
    fanotify_found_add(o, change.name, cause);
    fanotify_object_walk(o, change.name, cause);
}

static void list_directory(struct fanotify_object *o, uint32_t directory, const struct fanotify_cause *cause)
{
    int fd = fanotify_object_directory(o, directory), opened;
    _cleanup_closedir_ DIR *dir = NULL;
    const struct dirent *d;

    if (fd < 0)
        return;
    opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
    dir = opened < 0 ? NULL : fdopendir(opened);
    if (!dir) {
        closep(&opened);
        return;
    }
    while ((d = readdir(dir))) {
        struct bytes name = bytes_of(d->d_name);

        if (bytes_equal_str(name, ".") || bytes_equal_str(name, "..") ||
            !fanotify_object_covers(o, directory, name) || tree_child(o->tree, directory, name))
            continue;
        on_new(o, directory, name, cause);
    }
}

static void check_children(struct fanotify_object *o, uint32_t directory, const struct fanotify_cause *cause)
{
    struct number_list names = { 0 };

    for (uint32_t n = tree_first_child(o->tree, directory); n; n = tree_next_child(o->tree, n))
        add(&names, n);
    for (size_t i = 0; i < names.count; i++) {
        char text[LIMIT_NAME + 1];
        struct bytes base = tree_name(o->tree, names.numbers[i], text);
        struct fanotify_compared found;
        struct tree_change c;

        if (!base.len || tree_parent_of(o->tree, names.numbers[i]) != directory ||
            fanotify_found_has(o, names.numbers[i]))
            continue;
        if (fanotify_look(o, directory, base, cause, &c) < 0)
            continue;
        found = fanotify_interpret_compared(&c);
        if (found.operation != OPERATION_COUNT)
            fanotify_send(o, fanotify_event_new(o, found.operation, directory, base, &c.before, cause), cause);
        if (found.appeared) {
            fanotify_emit_new(o, c.name, NULL, cause);
            fanotify_object_walk(o, c.name, cause);
        }
        if (found.attributes)
            (void)fanotify_emit_attributes(o, directory, base, &c, cause);
        if (found.contents)
            fanotify_emit_changed(o, directory, base, &c, cause);
    }
    free(names.numbers);
}

static void collect(const struct fanotify_object *o, uint32_t top, struct number_list *directories)
{
    add(directories, top);
    for (size_t i = 0; i < directories->count; i++)
        for (uint32_t n = tree_first_child(o->tree, directories->numbers[i]); n;
             n = tree_next_child(o->tree, n)) {
            uint32_t child = tree_object_of(o->tree, n);

            if (tree_is_directory(o->tree, child) && tree_first_name(o->tree, child) == n)
                add(directories, child);
        }
}

static void rescan(struct fanotify_object *o, const struct fanotify_cause *cause)
{
    struct number_list directories = { 0 };

    collect(o, tree_root(o->tree), &directories);
    for (size_t i = 0; i < directories.count; i++)
        list_directory(o, directories.numbers[i], cause);
    directories.count = 0;
    collect(o, tree_root(o->tree), &directories);
    for (size_t i = 0; i < directories.count; i++)
        if (tree_is_directory(o->tree, directories.numbers[i]))
            check_children(o, directories.numbers[i], cause);
    free(directories.numbers);
}

static void write_time(char *out, size_t size, uint64_t real_ns)
{
    time_t seconds = (time_t)(real_ns / NS_PER_S);
    struct tm tm = { 0 };

    localtime_r(&seconds, &tm);
    snprintf(out, size, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (unsigned)(real_ns % NS_PER_S / NS_PER_MS));
}

void fanotify_rescan(struct sensor *s)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), boot = clock_ns(CLOCK_BOOTTIME);
    struct fanotify_cause cause = { .from_real_ns = s->overflow_real_ns,
                                    .to_real_ns = now,
                                    .from_boot_ns = boot - (now - s->overflow_real_ns),
                                    .to_boot_ns = boot,
                                    .note = s->rescan_note };
    char from[32], to[32];

    write_time(from, sizeof(from), s->overflow_real_ns);
    write_time(to, sizeof(to), now);
    snprintf(s->rescan_note, sizeof(s->rescan_note), "changed between %s and %s, by whom is not known", from, to);
    fanotify_gap(s, LOST_FANOTIFY_QUEUE, 0, s->overflow_real_ns,
                 "the kernel's queue was full; what changed meanwhile was found by comparing");
    for (struct fanotify_object *o = s->objects; o; o = o->next) {
        if (o->tombstone_until_ms || watched_is_gone(&o->watched))
            continue;
        if (o->needs_recheck || !o->tree)
            (void)watched_place(&o->watched, &fanotify_object_ops, &cause, NULL);
        else
            rescan(o, &cause);
    }
}
