/* SPDX-License-Identifier: MIT */
#include "sensor/audit/way.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/object/mounts.h"
#include "sensor/object/watched.h"
#include "sensor/tree/tree.h"
#include "util/cleanup.h"

struct bytes audit_way_path(const struct watch_object *wanted, const struct audit_step *step)
{
    return (struct bytes){ wanted->path.data, step->len };
}

void audit_way_look(const struct watched_object *w, struct audit_step *step)
{
    _cleanup_close_ int fd = watched_open_above(w, step->len, O_PATH | O_DIRECTORY | O_NOFOLLOW);

    step->state = (struct file_state){ 0 };
    if (fd >= 0)
        (void)tree_stat_known(fd, &step->state);
}

static void look_at_mounts(struct audit_way *way, const struct watch_object *wanted)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, room = SBUF_INIT;
    struct mount_seen seen;
    struct bytes rest;

    if (mounts_read(wanted->ns_pid, &text) < 0)
        return;
    rest = sbuf_bytes(&text);
    while (mounts_next(&rest, wanted->path, &room, &seen))
        if (seen.where == MOUNT_ABOVE && seen.point.len > 1 && !audit_mounts_at(&way->mounts, seen.point, seen.mount.device))
            audit_mounts_add(&way->mounts, seen.point);
}

void audit_way_place(struct audit_way *way, const struct watched_object *w, struct audit_rules *rules)
{
    const struct watch_object *wanted = &w->wanted;
    struct audit_rule_set *old = TAKE_PTR(way->rules);
    char paths[AUDIT_WAY_MAX][PATH_MAX];
    const char *list[AUDIT_WAY_MAX];
    struct bytes at = bytes_dirname(wanted->path);
    unsigned count = 0;

    way->count = 0;
    for (; at.len; at = bytes_dirname(at)) {
        struct audit_step *step = &way->steps[way->count];

        step->len = at.len;
        audit_way_look(w, step);
        way->count++;
        if (at.len <= 1 || way->count > AUDIT_WAY_MAX)
            break;
        if (!step->state.known || at.len >= PATH_MAX)
            continue;
        memcpy(paths[count], at.data, at.len);
        paths[count][at.len] = '\0';
        list[count] = paths[count];
        count++;
    }
    look_at_mounts(way, wanted);
    if (count)
        (void)audit_rules_add_way(rules, wanted->ns_pid, list, count, &way->rules, NULL);
    audit_rules_remove(rules, old);
}

void audit_way_done(struct audit_way *way, struct audit_rules *rules)
{
    if (rules)
        audit_rules_remove(rules, TAKE_PTR(way->rules));
    audit_mounts_done(&way->mounts);
}
