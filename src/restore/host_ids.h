/* SPDX-License-Identifier: MIT */
/* Numbers of the host's own users and groups, by their names, as its files have them: what an archive's names mean here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/arena.h"
#include "util/bytes.h"

struct host_ids {
    struct arena arena;
    struct bytes users, groups; /* /etc/passwd, /etc/group */
};

/* The local files alone, as dpkg reads them, not NSS. What cannot be read is empty: then no name is found. */
void host_ids_read(struct host_ids *ret);
void host_ids_done(struct host_ids *ids);
/*
 * To whom it belongs here, into `st`; names: empty, or "#NUMBER" as dpkg-statoverride has it, too. False: a name is not known here. Then its number stays as it is,
 * and set-user-ID or set-group-ID goes: it was meant for somebody else.
 */
bool host_ids_give(const struct host_ids *ids, struct bytes user, struct bytes group, struct stat *st);
