/* SPDX-License-Identifier: MIT */
#include "cli/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/parse.h"

#define GROUPS_MAX 65536 /* NGROUPS_MAX of linux/limits.h */

static int find_groups(struct identity *identity)
{
    int count = 64;

    for (;;) {
        gid_t *groups = reallocarray(identity->groups, (size_t)count, sizeof(*groups));
        int asked = count;

        if (!groups)
            return -ENOMEM;
        identity->groups = groups;
        if (getgrouplist(identity->name, identity->gid, groups, &count) >= 0) {
            identity->group_count = count;
            return 0;
        }
        if (count <= asked || count > GROUPS_MAX)
            return -E2BIG;
    }
}

int identity_find(const char *text, struct identity *ret, struct err *err)
{
    struct identity identity = { 0 };
    const struct passwd *entry;
    uint32_t id;
    int r = 0;

    errno = 0;
    entry = getpwnam(text);
    if (!entry && parse_u32(bytes_of(text), 10, &id) == 0)
        entry = getpwuid(id);
    if (!entry)
        return err_say(err, -ENOENT, "this host has no user \"%.40s\"", text);
    identity.uid = entry->pw_uid;
    identity.gid = entry->pw_gid;
    identity.name = strdup(entry->pw_name);
    identity.home = strdup(entry->pw_dir && *entry->pw_dir ? entry->pw_dir : "/");
    identity.shell = strdup(entry->pw_shell && *entry->pw_shell ? entry->pw_shell : "/bin/sh");
    if (!identity.name || !identity.home || !identity.shell)
        r = -ENOMEM;
    if (r == 0)
        r = find_groups(&identity);
    if (r < 0) {
        identity_done(&identity);
        return err_set(err, r, "user %.40s", text);
    }
    *ret = identity;
    return 0;
}

void identity_done(struct identity *identity)
{
    free(identity->groups);
    free(identity->name);
    free(identity->home);
    free(identity->shell);
    *identity = (struct identity){ 0 };
}

int identity_take(const struct identity *identity)
{
    /* kernels before 4.3 have no ambient capabilities: nothing to clear */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (setgroups((size_t)identity->group_count, identity->groups) < 0 ||
        setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return -errno;
    if (identity->uid != 0 && setuid(0) == 0)
        return -EPERM; /* it could come back */
    if (setenv("HOME", identity->home, 1) < 0 || setenv("USER", identity->name, 1) < 0 ||
        setenv("LOGNAME", identity->name, 1) < 0 || setenv("SHELL", identity->shell, 1) < 0)
        return -ENOMEM;
    return 0;
}
