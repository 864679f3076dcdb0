/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/guard_programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sensor/bpf/features.h"
#include "sensor/bpf/skeleton.h"
#include "util/macro.h"

/* clang-format off */
static const struct guard_row {
    const char *program, *hook;
    bool newer; /* than 5.10: where it is missing, another hook is asked */
} rows[] = {
    { "guard_unlink",       "inode_unlink",       false },
    { "guard_rmdir",        "inode_rmdir",        false },
    { "guard_create",       "inode_create",       false },
    { "guard_mkdir",        "inode_mkdir",        false },
    { "guard_mknod",        "inode_mknod",        false },
    { "guard_symlink",      "inode_symlink",      false },
    { "guard_rename",       "inode_rename",       false },
    { "guard_link",         "inode_link",         false },
    { "guard_setattr",      "inode_setattr",      false },
    { "guard_setxattr",     "inode_setxattr",     false },
    { "guard_removexattr",  "inode_removexattr",  false },
    { "guard_set_acl",      "inode_set_acl",      true },  /* 6.2 */
    { "guard_remove_acl",   "inode_remove_acl",   true },
    { "guard_file_setattr", "inode_file_setattr", true },  /* 6.17 */
    { "guard_open",         "file_open",          false },
    { "guard_permission",   "file_permission",    false },
    { "guard_mmap",         "mmap_file",          false },
    { "guard_mprotect",     "file_mprotect",      false },
    { "guard_ioctl",        "file_ioctl",         false },
    { "guard_ioctl_compat", "file_ioctl_compat",  true },  /* 6.6 */
    { "guard_mount",        "sb_mount",           false },
    { "guard_move",         "move_mount",         false },
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) <= GUARD_PROGRAMS_MAX, "more rows");

static const struct { enum wire_guard_hook which; const char *hook; } moved[] = {
    { WIRE_GUARD_SETATTR,      "inode_setattr" },
    { WIRE_GUARD_SETXATTR,     "inode_setxattr" },
    { WIRE_GUARD_REMOVEXATTR,  "inode_removexattr" },
    { WIRE_GUARD_SET_ACL,      "inode_set_acl" },
    { WIRE_GUARD_REMOVE_ACL,   "inode_remove_acl" },
    { WIRE_GUARD_FILE_SETATTR, "inode_file_setattr" },
};
/* clang-format on */

static void function_name(char ret[64], enum guard_kind kind, const char *hook)
{
    snprintf(ret, 64, "%s%s", kind == GUARD_KIND_LSM ? "bpf_lsm_" : "security_", hook);
}

static void find_shapes(const struct btf *btf, struct guard_choice *c)
{
    char name[64];
    int count;

    for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
        int at;

        function_name(name, c->kind, moved[i].hook);
        at = features_find_argument(btf, name, "dentry", 0);
        if (at >= 0)
            c->shapes[moved[i].which] = (struct wire_guard_shape){ (uint8_t)at, (uint8_t)(at + 1) };
    }
    function_name(name, c->kind, "mmap_file");
    count = features_argument_count(btf, name); /* the last two, of three or four */
    if (count >= 3)
        c->shapes[WIRE_GUARD_MMAP] = (struct wire_guard_shape){ (uint8_t)(count - 2), (uint8_t)(count - 1) };
}

int guard_programs_choose(const struct btf *btf, enum guard_kind kind, struct guard_choice *ret, struct err *err)
{
    *ret = (struct guard_choice){ .kind = kind };
    if (kind == GUARD_KIND_NONE)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[64];

        function_name(name, kind, rows[i].hook);
        ret->wanted[i] = features_has_function(btf, name);
        if (!ret->wanted[i] && !rows[i].newer)
            return err_say(err, -ENOTSUP, "this kernel has no %s()", name);
    }
    find_shapes(btf, ret);
    return 0;
}

void guard_programs_prepare(struct files_bpf *k, const struct guard_choice *choice)
{
    memcpy((void *)k->rodata->guard_shapes, choice->shapes, sizeof(choice->shapes));
    (void)bpf_program__set_autoload(k->progs.guard_space_query, choice->kind != GUARD_KIND_NONE);
    (void)bpf_program__set_autoload(k->progs.guard_writers_query, choice->kind != GUARD_KIND_NONE);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bpf_program *p = bpf_object__find_program_by_name(k->obj, rows[i].program);
        char name[64];

        (void)bpf_program__set_autoload(p, choice->wanted[i]);
        if (!choice->wanted[i] || choice->kind != GUARD_KIND_RETURN)
            continue;
        function_name(name, choice->kind, rows[i].hook);
        (void)bpf_program__set_type(p, BPF_PROG_TYPE_TRACING);
        (void)bpf_program__set_expected_attach_type(p, BPF_MODIFY_RETURN);
        (void)bpf_program__set_attach_target(p, 0, name);
    }
}

static struct bpf_link **link_of(struct files_bpf *k, const char *name)
{
    for (int i = 0; i < k->skeleton->prog_cnt; i++)
        if (strcmp(k->skeleton->progs[i].name, name) == 0)
            return k->skeleton->progs[i].link;
    return NULL;
}

int guard_programs_attach(struct files_bpf *k, const struct guard_choice *choice, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bpf_link **link = link_of(k, rows[i].program);

        if (!choice->wanted[i])
            continue;
        *link = bpf_program__attach(bpf_object__find_program_by_name(k->obj, rows[i].program));
        if (!*link)
            return err_set(err, -errno, "the kernel does not attach %s", rows[i].program);
    }
    return 0;
}

int guard_programs_ask_writes(struct files_bpf *k, bool on, struct err *err)
{
    struct bpf_link **link = &k->links.guard_permission;

    if (!on && *link) {
        (void)bpf_link__destroy(*link);
        *link = NULL;
    } else if (on && !*link) {
        *link = bpf_program__attach(k->progs.guard_permission);
    }
    return on && !*link ? err_set(err, -errno, "the kernel does not attach guard_permission") : 0;
}

static uint64_t missed_by(const struct bpf_program *p)
{
    struct bpf_prog_info info = { 0 };
    __u32 len = sizeof(info);

    return p && bpf_program__fd(p) >= 0 && bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) == 0 ? info.recursion_misses : 0;
}

uint64_t guard_programs_missed(struct files_bpf *k)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        sum += missed_by(bpf_object__find_program_by_name(k->obj, rows[i].program));
    return sum;
}

uint64_t guard_programs_missed_opens(struct files_bpf *k)
{
    return missed_by(k->progs.guard_open);
}
