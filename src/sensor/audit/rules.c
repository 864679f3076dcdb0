/* SPDX-License-Identifier: MIT */
#include "sensor/audit/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/audit/call.h"
#include "sensor/audit/netlink.h"
#include "sensor/audit/rules_state.h"
#include "util/cleanup.h"
#include "util/proc_stat.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif
#define PID_BITS 22 /* the kernel's PID_MAX_LIMIT */

int audit_rules_new(int fd, struct audit_rules **ret, struct err *err)
{
    struct audit_rules *rules = calloc(1, sizeof(*rules));

    if (!rules)
        return err_set(err, -ENOMEM, "audit rules");
    rules->fd = fd;
    snprintf(rules->prefix, sizeof(rules->prefix), KEY_PREFIX "%d-%llu-", getpid(),
             (unsigned long long)proc_stat_start_ticks("/proc", getpid()));
    *ret = rules;
    return 0;
}

/* ---- one rule ---- */

/* Adds a field; text is what the rule's buffer holds for it. */
static int add_field(struct kernel_rule *r, uint32_t field, uint32_t op, uint32_t value, const char *text)
{
    struct audit_rule_data *d = r->data;
    size_t n = text ? strlen(text) : 0;

    if (d->field_count == AUDIT_MAX_FIELDS)
        return -E2BIG;
    if (n) {
        d = realloc(d, r->len + n);
        if (!d)
            return -ENOMEM;
        r->data = d;
        memcpy((char *)d + r->len, text, n);
        r->len += n;
        d->buflen += (uint32_t)n;
        value = (uint32_t)n;
    }
    d->fields[d->field_count] = field;
    d->fieldflags[d->field_count] = op;
    d->values[d->field_count++] = value;
    return 0;
}

static struct kernel_rule *new_rule(struct audit_rule_set *set, uint32_t list)
{
    struct kernel_rule *r;

    if (set->count == SET_MAX)
        return NULL;
    r = &set->rules[set->count];
    r->data = calloc(1, sizeof(*r->data));
    if (!r->data)
        return NULL;
    r->len = sizeof(*r->data);
    r->data->flags = list;
    r->data->action = AUDIT_ALWAYS;
    set->count++;
    return r;
}

static void set_bit(struct kernel_rule *r, int number)
{
    if (number >= 0 && number < AUDIT_BITMASK_SIZE * 32)
        r->data->mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
}

/* The kernel knows a directory of a rule by the text alone: a second rule of the same text watches what the
 * first one found there (audit_add_tree_rule(), 5.8 to 7.2), be it in another container, or renamed away since.
 * So each set writes its own: "/prd" with slashes and dots behind it that lead nowhere, a bit of the set's number
 * and of our pid each. Too long for the kernel: the plain text. */
static void spell_directory(const struct audit_rule_set *set, const char *path, char ret[PATH_MAX])
{
    uint64_t bits = (uint64_t)set->number << PID_BITS | (uint64_t)getpid();
    size_t n = (size_t)snprintf(ret, PATH_MAX, "%s", path), plain = n;

    for (; bits; bits >>= 1) {
        const char *step = bits & 1 ? "/." : "/";

        if (n + strlen(step) >= PATH_MAX) {
            ret[plain] = '\0';
            return;
        }
        n += (size_t)sprintf(ret + n, "%s", step);
    }
}

static int finish_rule(struct audit_rule_set *set, struct kernel_rule *r, const struct audit_place *place)
{
    char directory[PATH_MAX];
    int k = 0;

    if (place->path && place->directory) {
        spell_directory(set, place->path, directory);
        k = add_field(r, AUDIT_DIR, AUDIT_EQUAL, 0, directory);
    } else if (place->path) {
        k = add_field(r, AUDIT_WATCH, AUDIT_EQUAL, 0, place->path);
    }
    return k < 0 ? k : add_field(r, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, set->key);
}

/* ---- the rules of one place ---- */

static unsigned groups_of(unsigned permissions)
{
    unsigned groups = 0;

    if (permissions & PERMISSION_WRITE)
        groups |= 1u << AUDIT_CALLS_WRITE | 1u << AUDIT_CALLS_MOUNT;
    if (permissions & PERMISSION_ATTR)
        groups |= 1u << AUDIT_CALLS_ATTR;
    if (permissions & PERMISSION_EXEC)
        groups |= 1u << AUDIT_CALLS_EXEC;
    return groups;
}

static int add_calls(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place)
{
    unsigned groups = groups_of(place->permissions);
    struct kernel_rule *r = new_rule(set, AUDIT_FILTER_EXIT);
    int k;

    if (!r)
        return -ENOMEM;
    for (int call = 1; call < AUDIT_CALL_COUNT; call++) {
        /* binding sockets everywhere is not worth a record; without a path it cannot be distinguished */
        if (!place->path && (call == AUDIT_CALL_bind || call == AUDIT_CALL_socketcall))
            continue;
        if (groups & 1u << audit_call_group((enum audit_call)call))
            set_bit(r, audit_call_number(arch, (enum audit_call)call));
    }
    k = add_field(r, AUDIT_ARCH, AUDIT_EQUAL, arch, NULL);
    return k < 0 ? k : finish_rule(set, r, place);
}

/* Opening changes a file only with some flags; they are in another argument in each call. The
 * kernel's own test (perm=w) overlooks O_RDONLY with O_CREAT or O_TRUNC. */
static int add_opens(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place)
{
    static const struct {
        enum audit_call calls[2];
        uint32_t argument; /* 0: in memory, AUDIT_PERM knows it */
    } rows[] = {
        { { AUDIT_CALL_open }, AUDIT_ARG1 },
        { { AUDIT_CALL_openat, AUDIT_CALL_open_by_handle_at }, AUDIT_ARG2 },
        { { AUDIT_CALL_openat2 }, 0 },
    };
    bool reads = place->permissions & PERMISSION_READ;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct kernel_rule *r = new_rule(set, AUDIT_FILTER_EXIT);
        int k;

        if (!r)
            return -ENOMEM;
        for (size_t c = 0; c < ARRAY_SIZE(rows[i].calls); c++)
            if (rows[i].calls[c])
                set_bit(r, audit_call_number(arch, rows[i].calls[c]));
        k = add_field(r, AUDIT_ARCH, AUDIT_EQUAL, arch, NULL);
        if (k == 0 && !reads && rows[i].argument)
            k = add_field(r, rows[i].argument, AUDIT_BIT_MASK, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC,
                          NULL);
        if (k == 0 && !reads && !rows[i].argument)
            k = add_field(r, AUDIT_PERM, AUDIT_EQUAL, AUDIT_PERM_WRITE, NULL);
        if (k == 0)
            k = finish_rule(set, r, place);
        if (k < 0)
            return k;
    }
    return 0;
}

static int add_uring(struct audit_rule_set *set, const struct audit_place *place)
{
    static const uint8_t operations[] = {
        IORING_OP_OPENAT,   IORING_OP_OPENAT2,   IORING_OP_RENAMEAT,
        IORING_OP_UNLINKAT,     IORING_OP_MKDIRAT,   IORING_OP_SYMLINKAT,
        IORING_OP_LINKAT,   IORING_OP_SETXATTR,  IORING_OP_FSETXATTR,
    };
    struct kernel_rule *r = new_rule(set, AUDIT_FILTER_URING_EXIT);

    if (!r)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
        set_bit(r, operations[i]);
    return finish_rule(set, r, place);
}

/* ---- to the kernel and back ---- */

static int send_set(int fd, struct audit_rule_set *set)
{
    for (; set->added < set->count; set->added++) {
        const struct kernel_rule *r = &set->rules[set->added];
        int k = audit_netlink_request(fd, AUDIT_ADD_RULE, r->data, r->len);

        if (k < 0)
            return k;
    }
    return 0;
}

/* How the child reports where it failed; more than any errno. */
#define CHILD_NO_NAMESPACE 255

/* Without SIGCHLD: the caller's own children are its business. */
static pid_t fork_quietly(void)
{
    return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

static int send_set_in_namespace(int fd, struct audit_rule_set *set, pid_t ns_pid)
{
    char path[48];
    _cleanup_close_ int ns = -EBADF;
    int status = 0;
    pid_t child;

    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", ns_pid);
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0)
        return errno == ESRCH ? -ENOENT : -errno;
    child = fork_quietly();
    if (child < 0)
        return -errno;
    if (child == 0) {
        int k = setns(ns, CLONE_NEWNS) < 0 ? CHILD_NO_NAMESPACE : -send_set(fd, set);

        _exit(k < 0 || k > 255 ? EIO : k);
    }
    while (waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    if (!WIFEXITED(status))
        return -ECHILD;
    if (WEXITSTATUS(status) == CHILD_NO_NAMESPACE)
        return -EPERM;
    /* what the child has added before it failed is not known here: try to delete all */
    set->added = set->count;
    return -WEXITSTATUS(status);
}

static void delete_set(struct audit_rules *rules, struct audit_rule_set *set)
{
    for (unsigned i = 0; i < set->added; i++)
        (void)audit_netlink_request(rules->fd, AUDIT_DEL_RULE, set->rules[i].data,
                                    set->rules[i].len);
    for (unsigned i = 0; i < set->count; i++)
        free(set->rules[i].data);
    free(set);
}

static struct audit_rule_set *new_set(struct audit_rules *rules, bool wide)
{
    struct audit_rule_set *set = calloc(1, sizeof(*set));

    if (set) {
        set->number = ++rules->last_number;
        snprintf(set->key, sizeof(set->key), "%s%u%s", rules->prefix, set->number, wide ? "w" : "");
    }
    return set;
}

static int keep(struct audit_rules *rules, struct audit_rule_set *set, int r,
                struct audit_rule_set **ret)
{
    if (r < 0) {
        if (set)
            delete_set(rules, set);
        return r;
    }
    set->next = rules->sets;
    rules->sets = set;
    *ret = set;
    return 0;
}

static int build_and_send(struct audit_rules *rules, struct audit_rule_set *set,
                          const struct audit_place *place)
{
    bool opens = place->permissions & (PERMISSION_WRITE | PERMISSION_READ) && place->path;
    uint32_t arch;
    int r = 0;

    for (unsigned i = 0; r == 0 && (arch = audit_call_arch(i)); i++) {
        if (groups_of(place->permissions))
            r = add_calls(set, arch, place);
        if (r == 0 && opens)
            r = add_opens(set, arch, place);
    }
    if (r < 0)
        return r;
    return place->ns_pid ? send_set_in_namespace(rules->fd, set, place->ns_pid)
                         : send_set(rules->fd, set);
}

/* io_uring's rules are a set of their own within the set: their refusal is no failure. */
static int add_uring_rule(struct audit_rules *rules, struct audit_rule_set *set,
                          const struct audit_place *place)
{
    unsigned before = set->count;
    int r;

    if (rules->no_uring || !place->path)
        return 0;
    r = add_uring(set, place);
    if (r == 0)
        r = place->ns_pid ? send_set_in_namespace(rules->fd, set, place->ns_pid)
                          : send_set(rules->fd, set);
    if (r == -EINVAL || r == -EOPNOTSUPP) {
        rules->no_uring = true;
        while (set->count > before)
            free(set->rules[--set->count].data);
        set->added = MIN(set->added, set->count);
        r = 0;
    }
    return r;
}

int audit_rules_add(struct audit_rules *rules, const struct audit_place *place,
                    struct audit_rule_set **ret, struct err *err)
{
    struct audit_rule_set *set = new_set(rules, place->wide);
    int r = set ? build_and_send(rules, set, place) : -ENOMEM;

    if (r == 0)
        r = add_uring_rule(rules, set, place);
    r = keep(rules, set, r, ret);
    if (r < 0)
        return err_set(err, r, "audit rule");
    return 0;
}

static int add_moves(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place)
{
    static const enum audit_call calls[] = { AUDIT_CALL_rename, AUDIT_CALL_renameat, AUDIT_CALL_renameat2 };
    struct kernel_rule *r = new_rule(set, AUDIT_FILTER_EXIT);
    int k;

    if (!r)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        set_bit(r, audit_call_number(arch, calls[i]));
    for (int call = 1; call < AUDIT_CALL_COUNT; call++)
        if (audit_call_group((enum audit_call)call) == AUDIT_CALLS_MOUNT)
            set_bit(r, audit_call_number(arch, (enum audit_call)call));
    k = add_field(r, AUDIT_ARCH, AUDIT_EQUAL, arch, NULL);
    return k < 0 ? k : finish_rule(set, r, place);
}

static int add_uring_moves(struct audit_rule_set *set, const struct audit_place *place)
{
    struct kernel_rule *r = new_rule(set, AUDIT_FILTER_URING_EXIT);

    if (!r)
        return -ENOMEM;
    set_bit(r, IORING_OP_RENAMEAT);
    return finish_rule(set, r, place);
}

int audit_rules_add_way(struct audit_rules *rules, pid_t ns_pid, const char *const *paths, unsigned count,
                        struct audit_rule_set **ret, struct err *err)
{
    struct audit_rule_set *set = new_set(rules, true);
    int r = set ? 0 : -ENOMEM;

    for (unsigned i = 0; i < count && r == 0; i++) {
        struct audit_place place = { .ns_pid = ns_pid, .path = paths[i] };
        uint32_t arch;

        for (unsigned k = 0; r == 0 && (arch = audit_call_arch(k)); k++)
            r = add_moves(set, arch, &place);
        if (r == 0 && !rules->no_uring)
            r = add_uring_moves(set, &place);
    }
    if (r == 0)
        r = ns_pid ? send_set_in_namespace(rules->fd, set, ns_pid) : send_set(rules->fd, set);
    r = keep(rules, set, r, ret);
    return r < 0 ? err_set(err, r, "audit rules for what lies above the path") : 0;
}

void audit_rules_remove(struct audit_rules *rules, struct audit_rule_set *set)
{
    if (!set)
        return;
    for (struct audit_rule_set **at = &rules->sets; *at; at = &(*at)->next)
        if (*at == set) {
            *at = set->next;
            break;
        }
    delete_set(rules, set);
}

static int add_flags(struct audit_rule_set *set, uint32_t arch)
{
    static const struct {
        uint32_t arch;
        unsigned long command;
    } rows[] = {
        { AUDIT_ARCH_X86_64, FS_IOC_SETFLAGS },
        { AUDIT_ARCH_X86_64, FS_IOC_FSSETXATTR },
        { AUDIT_ARCH_I386, _IOW('f', 2, int) }, /* the same command has another size there */
        { AUDIT_ARCH_I386, FS_IOC_FSSETXATTR },
    };

    for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
        struct kernel_rule *rule = rows[k].arch == arch ? new_rule(set, AUDIT_FILTER_EXIT) : NULL;

        if (rows[k].arch != arch)
            continue;
        if (!rule)
            return -ENOMEM;
        set_bit(rule, audit_call_number(arch, AUDIT_CALL_ioctl));
        if (add_field(rule, AUDIT_ARCH, AUDIT_EQUAL, arch, NULL) < 0 ||
            add_field(rule, AUDIT_ARG1, AUDIT_EQUAL, (uint32_t)rows[k].command, NULL) < 0 ||
            add_field(rule, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, set->key) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int add_unmounts(struct audit_rule_set *set, uint32_t arch)
{
    struct kernel_rule *rule = new_rule(set, AUDIT_FILTER_EXIT);

    if (!rule)
        return -ENOMEM;
    set_bit(rule, audit_call_number(arch, AUDIT_CALL_umount));
    set_bit(rule, audit_call_number(arch, AUDIT_CALL_umount2));
    if (add_field(rule, AUDIT_ARCH, AUDIT_EQUAL, arch, NULL) < 0 ||
        add_field(rule, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, set->key) < 0)
        return -ENOMEM;
    return 0;
}

int audit_rules_add_pathless(struct audit_rules *rules, unsigned permissions,
                             struct audit_rule_set **ret, struct err *err)
{
    struct audit_rule_set *set = new_set(rules, true);
    uint32_t arch;
    int r = set ? 0 : -ENOMEM;

    for (unsigned i = 0; r == 0 && (arch = audit_call_arch(i)); i++) {
        if (permissions & PERMISSION_ATTR)
            r = add_flags(set, arch);
        if (r == 0 && (permissions & PERMISSION_WRITE))
            r = add_unmounts(set, arch);
    }
    if (r == 0)
        r = send_set(rules->fd, set);
    r = keep(rules, set, r, ret);
    return r < 0 ? err_set(err, r, "audit rules for flags and mounts") : 0;
}

int audit_rules_exclude(struct audit_rules *rules, struct audit_rule_set **ret)
{
    static const uint32_t types[] = { AUDIT_EOE, AUDIT_BPRM_FCAPS };
    struct audit_rule_set *set = new_set(rules, true);
    int r = set ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(types); i++) {
        struct kernel_rule *rule = new_rule(set, AUDIT_FILTER_EXCLUDE);


        r = rule ? add_field(rule, AUDIT_MSGTYPE, AUDIT_EQUAL, types[i], NULL) : -ENOMEM;
        if (rule)
            memset(rule->data->mask, 0xff, sizeof(rule->data->mask));
        if (r == 0)
            r = add_field(rule, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, set->key);
    }
    if (r == 0)
        r = send_set(rules->fd, set);
    return keep(rules, set, r, ret);
}

void audit_rules_free(struct audit_rules *rules)
{
    if (!rules)
        return;
    while (rules->sets)
        audit_rules_remove(rules, rules->sets);
    free(rules);
}

/* ---- keys ---- */

bool audit_rule_set_has_key(const struct audit_rule_set *set, struct bytes key)
{
    return bytes_equal_str(key, set->key);
}

enum audit_key audit_rules_key(const struct audit_rules *rules, struct bytes key)
{
    struct bytes prefix = bytes_of(rules->prefix);
    enum audit_key found = AUDIT_KEY_FOREIGN;

    while (key.len) {
        const char *end = memchr(key.data, 1, key.len);
        size_t n = end ? (size_t)(end - key.data) : key.len;

        if (n > prefix.len && bytes_starts_with(key, prefix)) {
            if (key.data[n - 1] != 'w')
                return AUDIT_KEY_EXACT;
            found = AUDIT_KEY_WIDE;
        }
        n += end != NULL;
        key = (struct bytes){ key.data + n, key.len - n };
    }
    return found;
}

