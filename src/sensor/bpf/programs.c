/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/bpf/skeleton.h"
#include "sensor/bpf/features.h"
#include "sensor/sensor.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "wire/hooks.h"

#define LOG_SIZE (256 * 1024) /* touched only where something is refused */
#define PROGRAMS_MAX 96 /* rows of the table */
#define RETRIES 8 /* refusals met one after another; more than that is not a kernel with gaps */

/* What is called often: bpf/duplicated.h */
#define DUPLICATED(name, function, gives, lack) DUPLICATED_FOR(name, function, gives, lack, FOR_ALL, FOR_ALL)
#define DUPLICATED_FOR(name, function, gives, lack, one, two)                                      \
    { name, function, COOPERATIVE, gives, lack, one },                                             \
    { name "_first", function, PREEMPTIBLE, gives, lack, two },                                    \
    { name "_again", function, PREEMPTIBLE, gives, lack, two }

/* clang-format off */
const struct program_row program_rows[] = {
    { "query",            NULL,                    ALWAYS, 0, NULL, FOR_ALL },
    DUPLICATED("unlink_begin", "vfs_unlink", CAPABILITY_NAMES, "deletes"),
    DUPLICATED("unlink_end", "vfs_unlink", CAPABILITY_NAMES, "deletes"),
    { "rmdir_begin",      "vfs_rmdir",             ALWAYS, 0, "removals of directories", FOR_ALL },
    { "rmdir_end",        "vfs_rmdir",             ALWAYS, 0, "removals of directories", FOR_ALL },
    { "rmdir_path_begin", "security_path_rmdir",   RMDIR_INLINED, 0, NULL, FOR_ALL },
    { "rmdir_call_end",   "do_rmdir",              RMDIR_INLINED, 0, NULL, FOR_ALL },
    DUPLICATED("rename_begin", "vfs_rename", CAPABILITY_NAMES, "renames"),
    DUPLICATED("rename_end", "vfs_rename", CAPABILITY_NAMES, "renames"),
    { "create_begin",     "vfs_create",            ALWAYS, 0, "regular files made by mknod or a file server", FOR_ALL },
    { "create_end",       "vfs_create",            ALWAYS, 0, "regular files made by mknod or a file server", FOR_ALL },
    { "mkdir_begin",      "vfs_mkdir",             ALWAYS, 0, "new directories", FOR_ALL },
    { "mkdir_end",        "vfs_mkdir",             ALWAYS, 0, "new directories", FOR_ALL },
    { "mknod_begin",      "vfs_mknod",             ALWAYS, 0, "new nodes", FOR_ALL },
    { "mknod_end",        "vfs_mknod",             ALWAYS, 0, "new nodes", FOR_ALL },
    { "symlink_begin",    "vfs_symlink",           ALWAYS, 0, "new symbolic links", FOR_ALL },
    { "symlink_end",      "vfs_symlink",           ALWAYS, 0, "new symbolic links", FOR_ALL },
    { "link_begin",       "vfs_link",              ALWAYS, 0, "new hard links", FOR_ALL },
    { "link_end",         "vfs_link",              ALWAYS, 0, "new hard links", FOR_ALL },
    DUPLICATED("setattr_begin", "notify_change", CAPABILITY_METADATA | CAPABILITY_BEFORE_AFTER, "modes, owners, times, sizes"),
    DUPLICATED("setattr_end", "notify_change", CAPABILITY_METADATA | CAPABILITY_BEFORE_AFTER, "modes, owners, times, sizes"),
    { "setxattr_begin",   "vfs_setxattr",          ALWAYS, 0, "extended attributes", FOR_ALL },
    { "setxattr_end",     "vfs_setxattr",          ALWAYS, 0, "extended attributes", FOR_ALL },
    { "removexattr_begin", "vfs_removexattr",      ALWAYS, 0, "removed attributes", FOR_ALL },
    { "removexattr_end",  "vfs_removexattr",       ALWAYS, 0, "removed attributes", FOR_ALL },
    { "setacl_begin",     "vfs_set_acl",           ALWAYS, 0, NULL, FOR_ALL },
    { "setacl_end",       "vfs_set_acl",           ALWAYS, 0, NULL, FOR_ALL },
    { "removeacl_begin",  "vfs_remove_acl",        ALWAYS, 0, NULL, FOR_ALL },
    { "removeacl_end",    "vfs_remove_acl",        ALWAYS, 0, NULL, FOR_ALL },
    { "fileattr_begin",   "vfs_fileattr_set",      HAS_FILEATTR, CAPABILITY_FLAGS, "flags of files", FOR_ALL },
    { "fileattr_end",     "vfs_fileattr_set",      HAS_FILEATTR, CAPABILITY_FLAGS, "flags of files", FOR_ALL },
    { "flags_begin",      "security_file_ioctl",   NO_FILEATTR, CAPABILITY_FLAGS, "flags of files", FOR_ALL },
    { "flags_end",        "__x64_sys_ioctl",       NO_FILEATTR, CAPABILITY_FLAGS, "flags of files", FOR_ALL },
    { "flags_compat_end", "__ia32_compat_sys_ioctl", NO_FILEATTR, 0, NULL, FOR_ALL },
    DUPLICATED("open_done", "security_file_open", CAPABILITY_CONTENTS | CAPABILITY_READS | CAPABILITY_EXECUTIONS, "files opened"),
    /* counted is what both of two miss: these are never detached */
    DUPLICATED_FOR("last_close", "__fput", CAPABILITY_CLOSE_WRITE, "the end of writing", FOR_WRITERS, FOR_ALL),
    DUPLICATED("map_begin", "security_mmap_file", CAPABILITY_MAPPINGS, "shared mappings"),
    DUPLICATED("protect_begin", "security_file_mprotect", 0, "mappings made writable"),
    { "truncate_end",     "vfs_truncate",          ALWAYS, 0, "refused truncations", FOR_ALL },
    DUPLICATED_FOR("permission_end", "may_open", 0, "opens refused by a file's mode or a read-only mount", FOR_WATCHES, FOR_WATCHES),
    DUPLICATED_FOR("create_asked", "security_path_mknod", 0, "refused creations", FOR_WATCHES, FOR_WATCHES),
    DUPLICATED_FOR("create_answered", "do_filp_open|do_file_open", 0, "refused creations", FOR_WATCHES, FOR_WATCHES),
    { "mount_begin",      "security_sb_mount",     ALWAYS, CAPABILITY_MOUNTS, "mounts", FOR_ALL },
    { "mount_end",        "path_mount",            ALWAYS, CAPABILITY_MOUNTS, "mounts", FOR_ALL },
    { "move_begin",       "security_move_mount",   ALWAYS, 0, "moved mounts", FOR_ALL },
    { "move_end",         "do_move_mount|__x64_sys_move_mount", ALWAYS, 0, "moved mounts", FOR_ALL },
    { "move_compat_end",  "__ia32_sys_move_mount", MOVE_MOUNT_INLINED, 0, NULL, FOR_ALL },
    { "unmount_begin",    "security_sb_umount",    ALWAYS, CAPABILITY_MOUNTS, "unmounts", FOR_ALL },
    { "unmount_end",      "path_umount",           ALWAYS, CAPABILITY_MOUNTS, "unmounts", FOR_ALL },
    { "open_files",       "iter:bpf_iter__task_file", ALWAYS, CAPABILITY_OLD_DESCRIPTORS, "writes through descriptors opened before", FOR_LOOKS },
    { "open_mappings",    "iter:bpf_iter__task_vma", HAS_VMA_ITERATOR, 0, "mappings made before", FOR_LOOKS },
    { "open_mappings_list", "iter:bpf_iter__task", NO_VMA_ITERATOR, 0, "mappings made before", FOR_LOOKS },
    { "write_begin",      "security_file_permission", ALWAYS, CAPABILITY_EACH_WRITE | CAPABILITY_OLD_DESCRIPTORS, "each single write", FOR_WRITES },
    { "dirty_begin",      "file_update_time",      ALWAYS, 0, NULL, FOR_WRITES },
    { "served_write",     "security_file_permission", ALWAYS, 0, "the end of writing on FUSE and network file systems", FOR_SERVED },
    { NULL, NULL, ALWAYS, 0, NULL, FOR_ALL },
};
_Static_assert(sizeof(program_rows) / sizeof(program_rows[0]) <= PROGRAMS_MAX, "more rows");

/* Functions whose arguments are looked for. */
static const struct { enum wire_hook hook; const char *function; unsigned nth; int second; } hook_rows[] = {
    { WIRE_HOOK_VFS_UNLINK,       "vfs_unlink",       0, 0 },
    { WIRE_HOOK_VFS_RMDIR,        "vfs_rmdir",        0, 0 },
    { WIRE_HOOK_VFS_CREATE,       "vfs_create",       0, 0 },
    { WIRE_HOOK_VFS_MKDIR,        "vfs_mkdir",        0, 0 },
    { WIRE_HOOK_VFS_MKNOD,        "vfs_mknod",        0, 0 },
    { WIRE_HOOK_VFS_SYMLINK,      "vfs_symlink",      0, 1 },
    { WIRE_HOOK_VFS_LINK,         "vfs_link",         0, -1 },
    { WIRE_HOOK_NOTIFY_CHANGE,    "notify_change",    0, 1 },
    { WIRE_HOOK_VFS_SETXATTR,     "vfs_setxattr",     0, 1 },
    { WIRE_HOOK_VFS_REMOVEXATTR,  "vfs_removexattr",  0, 1 },
    { WIRE_HOOK_VFS_SET_ACL,      "vfs_set_acl",      0, 1 },
    { WIRE_HOOK_VFS_REMOVE_ACL,   "vfs_remove_acl",   0, 1 },
    { WIRE_HOOK_VFS_FILEATTR_SET, "vfs_fileattr_set", 0, 0 },
};
/* clang-format on */

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

/* What suits this kernel, by its BTF. */
struct program_choice {
    bool task_storage;
    bool mappings_deny_writing;
    bool preempts;
    struct guard_choice guard;
    struct wire_hook_shape shapes[WIRE_HOOK_COUNT];
    struct chosen_program {
        bool applies;      /* this row serves this kernel */
        bool wanted;       /* and there is what it is attached to */
        char function[64]; /* which is this */
    } programs[PROGRAMS_MAX];
};

static void find_shapes(const struct btf *btf, struct wire_hook_shape *shapes)
{
    struct wire_hook_shape *rename = &shapes[WIRE_HOOK_VFS_RENAME], *may_open = &shapes[WIRE_HOOK_MAY_OPEN];

    for (size_t i = 0; i < ARRAY_SIZE(hook_rows); i++) {
        struct wire_hook_shape *s = &shapes[hook_rows[i].hook];
        int at = features_find_argument(btf, hook_rows[i].function, "dentry", hook_rows[i].nth);
        int second = hook_rows[i].second < 0
                         ? features_find_argument(btf, hook_rows[i].function, "dentry", 1)
                         : at + hook_rows[i].second;

        if (at < 0 || second < 0)
            continue;
        s->dentry = (uint8_t)at;
        s->second = (uint8_t)second;
        s->count = (uint8_t)features_argument_count(btf, hook_rows[i].function);
        s->kind = features_returns_pointer(btf, hook_rows[i].function);
    }
    for (int i = 0; i < 2; i++) { /* the first that is there, as in the table */
        static const char *const moves[] = { "__x64_sys_move_mount", "do_move_mount" };

        if (features_has_function(btf, moves[i]))
            shapes[WIRE_HOOK_MOVE_MOUNT].count = (uint8_t)features_argument_count(btf, moves[i]);
    }
    may_open->dentry = (uint8_t)MAX(features_find_argument(btf, "may_open", "path", 0), 0);
    may_open->second = may_open->dentry + 1;
    may_open->count = (uint8_t)MAX(features_argument_count(btf, "may_open"), 0);
    rename->kind = features_find_argument(btf, "vfs_rename", "renamedata", 0) == 0;
    rename->count = (uint8_t)MAX(features_argument_count(btf, "vfs_rename"), 0);
}

#define ITERATOR "iter:"

static bool is_iterator(const struct program_row *row)
{
    return row->function && strncmp(row->function, ITERATOR, strlen(ITERATOR)) == 0;
}

/* The first of the row's functions, separated by '|', that this kernel has. */
static bool find_function(const struct btf *btf, const struct program_row *row, char *ret, size_t size)
{
    const char *p = row->function;

    while (*p) {
        size_t n = strcspn(p, "|");

        snprintf(ret, size, "%.*s", (int)n, p);
        if (is_iterator(row) ? features_has_type(btf, ret + strlen(ITERATOR)) : features_has_function(btf, ret))
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

/* Is it this row that serves this kernel? */
static bool applies(const struct btf *btf, const struct program_row *row, bool preempts)
{
    switch (row->when) {
    case RMDIR_INLINED:
        return features_find_argument(btf, "vfs_rmdir", "inode", 0) == 0; /* it got an idmapping in 5.12 */
    case HAS_FILEATTR:
        return features_has_function(btf, "vfs_fileattr_set");
    case NO_FILEATTR:
        return !features_has_function(btf, "vfs_fileattr_set");
    case HAS_VMA_ITERATOR:
        return features_has_type(btf, "bpf_iter__task_vma");
    case NO_VMA_ITERATOR:
        return !features_has_type(btf, "bpf_iter__task_vma");
    case MOVE_MOUNT_INLINED:
        return !features_has_function(btf, "do_move_mount");
    case COOPERATIVE:
        return !preempts;
    case PREEMPTIBLE:
        return preempts;
    case ALWAYS:
        break;
    }
    return true;
}

/* The kernel's BTF takes some 12 MB, and libbpf reads its own: ours is gone by then. */
static int choose(const struct programs_options *options, struct program_choice *ret, struct err *err)
{
    struct btf *btf = NULL;
    int r = features_open(&btf, err);

    if (r < 0)
        return r;
    find_shapes(btf, ret->shapes);
    /* tracing programs may use it since 5.12 (a10787e6d58c), one release after it came; a helper of 5.13 says so */
    ret->task_storage = features_has_function(btf, "bpf_for_each_map_elem");
    /* since 5.15 a program that runs is denied to writers by its process, not by its mappings; the function came with that */
    ret->mappings_deny_writing = !features_has_function(btf, "replace_mm_exe_file");
    ret->preempts = features_preempts(btf);
    for (unsigned i = 0; program_rows[i].name; i++) {
        const struct program_row *row = &program_rows[i];
        struct chosen_program *p = &ret->programs[i];

        p->applies = !row->function || applies(btf, row, ret->preempts);
        p->wanted = !row->function || (p->applies && find_function(btf, row, p->function, sizeof(p->function)));
        p->wanted &= !(options->nobody_may && row->use == FOR_WATCHES);
    }
    r = guard_programs_choose(btf, options->guard, &ret->guard, err);
    features_close(btf);
    return r;
}

static struct files_bpf *open_skeleton(const struct programs_options *options, const struct program_choice *choice,
                                       const bool *refused)
{
    struct files_bpf *k = files_bpf__open();
    uint32_t entries = options->watches ? options->watches : 65536;

    if (!k)
        return NULL;
    k->rodata->ring_size = options->ring_size;
    k->rodata->has_task_storage = choice->task_storage;
    k->rodata->mappings_deny_writing = choice->mappings_deny_writing;
    k->rodata->twice = choice->preempts;
    (void)bpf_map__set_autocreate(k->maps.works, choice->task_storage);
    memcpy((void *)k->rodata->shapes, choice->shapes, sizeof(choice->shapes));
    (void)bpf_map__set_max_entries(k->maps.rare, (uint32_t)options->ring_size);
    (void)bpf_map__set_max_entries(k->maps.frequent, (uint32_t)options->ring_size);
    (void)bpf_map__set_max_entries(k->maps.watched, entries);
    (void)bpf_map__set_max_entries(k->maps.names, entries);
    for (unsigned i = 0; program_rows[i].name; i++) {
        struct bpf_program *p = bpf_object__find_program_by_name(k->obj, program_rows[i].name);
        const struct chosen_program *chosen = &choice->programs[i];

        (void)bpf_program__set_autoload(p, chosen->wanted && !refused[i]);
        if (program_rows[i].function && strchr(program_rows[i].function, '|') && chosen->wanted)
            (void)bpf_program__set_attach_target(p, 0, chosen->function);
    }
    guard_programs_prepare(k, &choice->guard);
    return k;
}

static void note_missing(struct programs *p, const char *what)
{
    size_t len = strlen(p->missing);

    if (what && !strstr(p->missing, what))
        snprintf(p->missing + len, sizeof(p->missing) - len, "%s%s", len ? ", " : "", what);
}

/* The last line of the verifier's that says something. */
static const char *last_words(char *log)
{
    char *end = log + strlen(log), *line;

    for (;;) {
        while (end > log && end[-1] == '\n')
            *--end = '\0';
        line = strrchr(log, '\n');
        line = line ? line + 1 : log;
        if (line == log || (strncmp(line, "processed ", 10) != 0 && *line))
            return line;
        end = line;
        *end = '\0';
    }
}

/* Loads, leaving out one after another of what is refused. */
static int load(const struct programs_options *options, const struct program_choice *choice, bool *refused,
                struct files_bpf **ret, struct err *err)
{
    unsigned count = 0;
    _cleanup_free_ char *logs = NULL;
    int r = -ENOMEM;

    while (program_rows[count].name)
        count++;
    logs = calloc(count, LOG_SIZE);
    for (unsigned attempt = 0; logs && attempt < RETRIES; attempt++) {
        struct files_bpf *k = open_skeleton(options, choice, refused);
        bool found = false;

        if (!k)
            return err_set(err, -errno, "opening the BPF programs");
        for (unsigned i = 0; i < count; i++) {
            struct bpf_program *p = bpf_object__find_program_by_name(k->obj, program_rows[i].name);

            logs[i * LOG_SIZE] = '\0';
            (void)bpf_program__set_log_buf(p, logs + i * LOG_SIZE, LOG_SIZE);
        }
        r = files_bpf__load(k);
        if (r == 0) {
            *ret = k;
            return 0;
        }
        files_bpf__destroy(k);
        for (unsigned i = 0; i < count; i++) {
            if (!logs[i * LOG_SIZE] || refused[i])
                continue;
            refused[i] = found = true;
            log_warn(options->log, "bpf: the kernel refuses program %s: %s; going on without it",
                     program_rows[i].name, last_words(logs + i * LOG_SIZE));
        }
        if (!found)
            break;
    }
    if (r == -EPERM)
        return err_say(err, r, "%s", features_refusal());
    return err_set(err, r, "loading the BPF programs");
}

static struct bpf_link **link_of(struct files_bpf *k, const char *name)
{
    for (int i = 0; i < k->skeleton->prog_cnt; i++)
        if (strcmp(k->skeleton->progs[i].name, name) == 0)
            return k->skeleton->progs[i].link;
    return NULL;
}

static int attach(struct programs *p, const struct program_row *row)
{
    struct bpf_program *program = bpf_object__find_program_by_name(p->skeleton->obj, row->name);
    struct bpf_link **link = link_of(p->skeleton, row->name);

    if (!program || !link || !bpf_program__autoload(program))
        return -ENOENT;
    if (*link)
        return 0;
    *link = bpf_program__attach(program);
    return *link ? 0 : -errno;
}

int programs_load(const struct programs_options *options, struct programs *ret, struct err *err)
{
    struct programs p = { .has = CAPABILITY_OLD_PROCESSES | CAPABILITY_IO_URING | CAPABILITY_CREDENTIALS |
                                 CAPABILITY_ACTOR_EXITED | CAPABILITY_REFUSED | CAPABILITY_RESTART | CAPABILITY_ROUTE };
    struct program_choice choice = { 0 };
    bool refused[PROGRAMS_MAX] = { false };
    int r = features_permitted(err), first = 0;

    if (r == 0)
        r = choose(options, &choice, err);
    if (r < 0)
        return r;
    libbpf_set_print(silent);
    r = load(options, &choice, refused, &p.skeleton, err);
    if (r < 0)
        return r;
    for (unsigned i = 0; program_rows[i].name; i++)
        p.has |= program_rows[i].gives;
    for (unsigned i = 0; program_rows[i].name; i++) {
        const struct program_row *row = &program_rows[i];

        if (!row->function || !choice.programs[i].applies)
            continue;
        if (row->use == FOR_WRITES || row->use == FOR_SERVED || row->use == FOR_LOOKS)
            r = bpf_program__autoload(bpf_object__find_program_by_name(p.skeleton->obj, row->name)) ? 0 : -ENOENT;
        else
            r = attach(&p, row);
        if (r == 0)
            continue;
        if (first == 0 && r != -ENOENT)
            first = r;
        if (r != -ENOENT)
            log_debug(options->log, "bpf: %s does not attach to %s: %s", row->name, row->function, strerror(-r));
        p.has &= ~row->gives;
        note_missing(&p, row->lack);
    }
    /* what no program sees yet, on any kernel */
    note_missing(&p, "other hard links of a watched directory's files");
    note_missing(&p, "what read-only mounts refuse");
    if (!(p.has & CAPABILITY_NAMES)) {
        programs_unload(&p);
        return err_say(err, first ? first : -ENOTSUP,
                       "the kernel refuses to attach BPF programs to its functions (%s)",
                       first ? strerror(-first) : "fentry is not supported here");
    }
    r = guard_programs_attach(p.skeleton, &choice.guard, err);
    if (r < 0) {
        programs_unload(&p);
        return r;
    }
    *ret = p;
    return 0;
}

void programs_unload(struct programs *p)
{
    files_bpf__destroy(p->skeleton);
    p->skeleton = NULL;
}

int programs_switch(struct programs *p, enum program_use use, bool on, struct err *err)
{
    int result = 0;

    for (unsigned i = 0; program_rows[i].name; i++) {
        struct bpf_link **link;
        int r = 0;

        if (program_rows[i].use != use)
            continue;
        link = link_of(p->skeleton, program_rows[i].name);
        if (on) {
            r = attach(p, &program_rows[i]);
        } else if (link && *link) {
            (void)bpf_link__destroy(*link);
            *link = NULL;
        }
        if (r < 0 && program_rows[i].lack)
            result = err_set(err, r, "attaching %s", program_rows[i].name);
    }
    return result;
}

int programs_follow_writers(struct programs *p, bool on, struct err *err)
{
    int r = guard_programs_ask_writes(p->skeleton, on, err);

    (void)programs_switch(p, FOR_WRITERS, on, NULL); /* where it is always attached there is none of this kind */
    return r;
}

static int64_t missed_by(struct files_bpf *k, const char *name)
{
    struct bpf_program *program = bpf_object__find_program_by_name(k->obj, name);
    struct bpf_prog_info info = { 0 };
    __u32 len = sizeof(info);

    if (!program || bpf_program__fd(program) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) < 0)
        return 0;
    return (int64_t)info.recursion_misses;
}

int64_t programs_missed(const struct programs *p)
{
    struct files_bpf *k = p->skeleton;
    int64_t sum = 0;

    for (unsigned i = 0; program_rows[i].name; i++)
        if (program_rows[i].function && !is_iterator(&program_rows[i]))
            sum += missed_by(k, program_rows[i].name) * (program_rows[i].when == PREEMPTIBLE ? 1 : 2);
    /* A call that one of them missed was done by the other one, one that none missed was found done once. Read last:
     * what is called in between makes the sum less. */
    for (unsigned i = 0; i < WIRE_DUPLICATED_COUNT; i++)
        sum += __atomic_load_n(&k->bss->found_done[i], __ATOMIC_SEQ_CST);
    return sum;
}

int programs_find_already_open(struct programs *p, struct err *err)
{
    char nothing[256];

    for (unsigned i = 0; program_rows[i].name; i++) {
        _cleanup_close_ int fd = -EBADF;
        struct bpf_link **link = link_of(p->skeleton, program_rows[i].name);
        ssize_t n;

        if (!is_iterator(&program_rows[i]) || !link || attach(p, &program_rows[i]) < 0)
            continue;
        fd = bpf_iter_create(bpf_link__fd(*link));
        if (fd < 0)
            return err_set(err, -errno, "looking for open descriptors");
        do /* EAGAIN: of a long list a part was gone through */
            n = read(fd, nothing, sizeof(nothing));
        while (n > 0 || (n < 0 && errno == EAGAIN));
    }
    return 0;
}
