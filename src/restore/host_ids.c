/* SPDX-License-Identifier: MIT */
#include "restore/host_ids.h"

#include "restore/host_text.h"
#include "util/parse.h"

#define FILE_MAX_SIZE (16 * 1024 * 1024)

void host_ids_read(struct host_ids *ret)
{
    *ret = (struct host_ids){ 0 };
    ret->users = host_text(&ret->arena, "/etc/passwd", FILE_MAX_SIZE);
    ret->groups = host_text(&ret->arena, "/etc/group", FILE_MAX_SIZE);
}

void host_ids_done(struct host_ids *ids)
{
    arena_done(&ids->arena);
}

/* "NAME:x:NUMBER:..." */
static bool find(struct bytes text, struct bytes name, uint32_t *ret)
{
    if (name.len > 1 && name.data[0] == '#')
        return parse_u32((struct bytes){ name.data + 1, name.len - 1 }, 10, ret) == 0;
    while (text.len && name.len) {
        struct bytes line = bytes_next_line(&text);

        if (!bytes_equal(bytes_next_field(&line, ':'), name))
            continue;
        (void)bytes_next_field(&line, ':');
        return parse_u32(bytes_next_field(&line, ':'), 10, ret) == 0;
    }
    return false;
}

bool host_ids_give(const struct host_ids *ids, struct bytes user, struct bytes group, struct stat *st)
{
    bool has_user = !user.len || find(ids->users, user, &st->st_uid);
    bool has_group = !group.len || find(ids->groups, group, &st->st_gid);

    if (!has_user)
        st->st_mode &= ~(mode_t)S_ISUID;
    if (!has_group)
        st->st_mode &= ~(mode_t)S_ISGID;
    return has_user && has_group;
}
