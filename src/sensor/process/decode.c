/* SPDX-License-Identifier: MIT */
#include "sensor/process/decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static bool take(struct bytes *tail, size_t len, struct bytes *ret)
{
    if (len > tail->len)
        return false;
    *ret = (struct bytes){ tail->data, len };
    *tail = (struct bytes){ tail->data + len, tail->len - len };
    return true;
}

int process_decode(const void *data, size_t len, struct process_record *ret, struct err *err)
{
    struct process_record r = { 0 };
    struct wire_process *f = &r.fixed;
    struct bytes tail;

    if (len < sizeof(*f))
        return err_say(err, -EBADMSG, "record of %zu bytes, a process needs %zu", len, sizeof(*f));
    memcpy(f, data, sizeof(*f));
    if (f->version != WIRE_PROCESS_VERSION || f->len < sizeof(*f) || f->len > len)
        return err_say(err, -EBADMSG, "process record of version %u, %u bytes of %zu", f->version,
                       f->len, len);
    f->comm[sizeof(f->comm) - 1] = '\0';
    f->tty[sizeof(f->tty) - 1] = '\0';
    tail = (struct bytes){ (const char *)data + sizeof(*f), f->len - sizeof(*f) };
    if (!take(&tail, f->exe_len, &r.executable) ||
        !take(&tail, f->cwd_len, &r.working_directory) || !take(&tail, f->cgroup_len, &r.cgroup) ||
        !take(&tail, f->args_len, &r.args) || !take(&tail, f->script_len, &r.script) ||
        !take(&tail, f->input_len, &r.input))
        return err_say(err, -EBADMSG, "process record: its strings are longer than itself");
    *ret = r;
    return 0;
}

/* Names, leaf first -> "/a/b/leaf" in the arena; of a cut path ".../b/leaf". */
static struct bytes process_path(struct arena *arena, struct bytes names, bool cut)
{
    static const char dots[] = "...";
    size_t lead = cut ? sizeof(dots) - 1 : 0, at;
    char *path;

    /* each name's NUL becomes the '/' before it */
    if (names.len && names.data[names.len - 1] != '\0')
        names.len = 0;
    if (!names.len)
        return arena_copy(arena, bytes_of(cut ? dots : "/"));
    path = arena_alloc(arena, lead + names.len);
    if (!path)
        return BYTES_NULL;
    memcpy(path, dots, lead);
    at = lead + names.len;
    for (const char *name = names.data; name < names.data + names.len;) {
        size_t len = strlen(name);

        at -= len;
        memcpy(path + at, name, len);
        path[--at] = '/';
        name += len + 1;
    }
    return (struct bytes){ path, lead + names.len };
}

struct process *process_from_record(const struct process_record *record)
{
    const struct wire_process *f = &record->fixed;
    struct process *p = process_new((pid_t)f->tgid, f->start_ns);

    if (!p)
        return NULL;
    p->parent_pid = (pid_t)f->parent;
    p->cred = (struct credentials){ .known = true,
                                    .uid = f->uid,
                                    .euid = f->euid,
                                    .suid = f->suid,
                                    .fsuid = f->fsuid,
                                    .gid = f->gid,
                                    .egid = f->egid,
                                    .sgid = f->sgid,
                                    .fsgid = f->fsgid };
    p->login_uid = f->login_uid;
    p->session = f->session;
    p->mnt_ns = f->mnt_ns;
    process_set(p, &p->name, bytes_of((const char *)f->comm));
    p->tty = process_terminal(&p->arena, bytes_of((const char *)f->tty));
    if (record->executable.len) {
        p->executable = process_path(&p->arena, record->executable, f->flags & WIRE_PROCESS_EXE_CUT);
        p->executable_inode = f->exe_inode;
        p->executable_device = makedev(f->exe_device >> 20, f->exe_device & 0xfffff);
        p->executable_deleted = f->flags & WIRE_PROCESS_UNLINKED;
        p->executable_memfd = f->flags & WIRE_PROCESS_MEMORY;
    }
    if (f->kind == WIRE_PROCESS_EXEC)
        p->working_directory = process_path(&p->arena, record->working_directory,
                                            f->flags & WIRE_PROCESS_CWD_CUT);
    p->cgroup = process_path(&p->arena, record->cgroup, f->flags & WIRE_PROCESS_CGROUP_CUT);
    process_set(p, &p->args, record->args);
    p->args_truncated = f->flags & (WIRE_PROCESS_ARGS_CUT | WIRE_PROCESS_ARGS_LOST);
    if (record->script.len) {
        if (record->script.data[0] == '/' || !p->working_directory.len)
            process_set(p, &p->script, record->script);
        else
            p->script = arena_join_path(&p->arena, p->working_directory, record->script);
    }
    if (record->input.len)
        p->input = process_path(&p->arena, record->input, false);
    return p;
}
