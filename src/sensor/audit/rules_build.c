/* SPDX-License-Identifier: MIT */
#include "sensor/audit/rules_build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/audit/call.h"
#include "util/macro.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif
#define PID_BITS 22 /* the kernel's PID_MAX_LIMIT */

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

/* ---- rules of one kind ---- */

unsigned rules_build_groups(unsigned permissions)
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

int rules_build_calls(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place)
{
    unsigned groups = rules_build_groups(place->permissions);
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
int rules_build_opens(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place)
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

int rules_build_uring(struct audit_rule_set *set, const struct audit_place *place)
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

int rules_build_moves(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place)
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

int rules_build_uring_moves(struct audit_rule_set *set, const struct audit_place *place)
{
    struct kernel_rule *r = new_rule(set, AUDIT_FILTER_URING_EXIT);

    if (!r)
        return -ENOMEM;
    set_bit(r, IORING_OP_RENAMEAT);
    return finish_rule(set, r, place);
}

/* By a descriptor: AT_EMPTY_PATH is in no argument that a rule can ask for. The call is seldom. */
static int build_file_setattr(struct audit_rule_set *set, uint32_t arch)
{
    struct kernel_rule *rule = audit_call_number(arch, AUDIT_CALL_file_setattr) >= 0 ? new_rule(set, AUDIT_FILTER_EXIT) : NULL;

    if (audit_call_number(arch, AUDIT_CALL_file_setattr) < 0)
        return 0;
    if (!rule)
        return -ENOMEM;
    set_bit(rule, audit_call_number(arch, AUDIT_CALL_file_setattr));
    if (add_field(rule, AUDIT_ARCH, AUDIT_EQUAL, arch, NULL) < 0 || add_field(rule, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, set->key) < 0)
        return -ENOMEM;
    return 0;
}

int rules_build_flags(struct audit_rule_set *set, uint32_t arch)
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
    return build_file_setattr(set, arch);
}

int rules_build_unmounts(struct audit_rule_set *set, uint32_t arch)
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

int rules_build_exclusion(struct audit_rule_set *set, uint32_t type)
{
    struct kernel_rule *rule = new_rule(set, AUDIT_FILTER_EXCLUDE);
    int r = rule ? add_field(rule, AUDIT_MSGTYPE, AUDIT_EQUAL, type, NULL) : -ENOMEM;

    if (rule)
        memset(rule->data->mask, 0xff, sizeof(rule->data->mask));
    return r < 0 ? r : add_field(rule, AUDIT_FILTERKEY, AUDIT_EQUAL, 0, set->key);
}
