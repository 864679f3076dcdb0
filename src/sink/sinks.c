/* SPDX-License-Identifier: MIT */
#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/macro.h"

#define SECRET_MAX 4096

static const struct sink_ops *const table[] = { &sink_journal, &sink_file, &sink_exec, &sink_webhook, &sink_syslog,
                                                &sink_container, &sink_mail, &sink_kubernetes };

const struct sink_ops *sink_ops(unsigned index)
{
    return index < ARRAY_SIZE(table) ? table[index] : NULL;
}

const struct sink_ops *sink_ops_by_type(struct bytes type)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (bytes_equal_str(type, table[i]->type))
            return table[i];
    return NULL;
}

int sink_become(struct bytes user, struct err *err)
{
    return sink_become_user(user, false, err);
}

int sink_become_user(struct bytes user, bool gains, struct err *err)
{
    const char *name = user.len ? user.data : "nobody";
    const struct passwd *p = geteuid() == 0 ? getpwnam(name) : NULL;

    if (!gains)
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (geteuid() != 0) /* a test, or somebody's own daemon */
        return 0;
    if (!p)
        return err_say(err, -ENOENT, "there is no user %.80s", name);
    if (initgroups(name, p->pw_gid) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
        return err_set(err, -errno, "becoming %.80s", name);
    return 0;
}

int sink_read_secret(struct bytes path, struct sbuf *ret, struct err *err)
{
    _cleanup_close_ int fd = -EBADF;
    int r;

    if (!path.len)
        return 0;
    fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    r = fd < 0 ? -errno : sbuf_add_file(ret, fd, SECRET_MAX);
    if (r < 0)
        return err_set(err, r, "the secret in %.200s", path.data);
    while (ret->len && (ret->data[ret->len - 1] == '\n' || ret->data[ret->len - 1] == '\r'))
        sbuf_truncate(ret, ret->len - 1);
    return 0;
}
