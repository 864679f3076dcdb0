/* SPDX-License-Identifier: MIT */
#include "rules/field_value.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <libaudit.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/words.h"
#include "util/macro.h"

/* ---- reading ---- */

/* Decimal, 0x or 0 as C has them, as auditctl takes them; the whole word. */
static bool parse_number(const char *text, bool negative, uint32_t *ret)
{
    char *end;
    long long v;

    if (!isdigit((unsigned char)text[0]) &&
        !(negative && text[0] == '-' && isdigit((unsigned char)text[1])))
        return false;
    errno = 0;
    v = strtoll(text, &end, 0);
    if (errno || *end || v > UINT32_MAX || v < INT32_MIN)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static int not_a_number(const struct field_row *row, const char *text, const char *or,
                        struct err *err)
{
    return err_say(err, -EINVAL, "\"%.60s\" is no number for %s (a number up to 4294967295%s)", text,
                   row->name, or);
}

static int parse_user(const struct field_row *row, const char *text, uint32_t *ret, struct err *err)
{
    const struct passwd *user;
    const struct group *group;

    if (parse_number(text, row->kind == FIELD_USER, ret))
        return 0;
    if (isdigit((unsigned char)text[0]) || text[0] == '-')
        return not_a_number(row, text, row->kind == FIELD_USER ? ", -1 or unset" : "", err);
    if (row->kind == FIELD_USER) {
        user = strcmp(text, "unset") == 0 ? NULL : getpwnam(text);
        *ret = user ? user->pw_uid : UINT32_MAX;
        if (user || strcmp(text, "unset") == 0)
            return 0;
    } else {
        group = getgrnam(text);
        if (group) {
            *ret = group->gr_gid;
            return 0;
        }
    }
    return err_say(err, -EINVAL, "unknown %s \"%.60s\" on this machine (its number works everywhere)",
                   row->kind == FIELD_USER ? "user" : "group", text);
}

static int parse_exit(const char *text, uint32_t *ret, struct err *err)
{
    bool negative = text[0] == '-';
    struct guess guess;
    char hint[96];
    int number;

    if (parse_number(text, true, ret))
        return 0;
    number = audit_name_to_errno(text);
    if (number) {
        *ret = (uint32_t)number;
        return 0;
    }
    guess_begin(&guess, text + negative);
    for (int i = 1; i < 134; i++)
        guess_offer(&guess, audit_errno_to_name(i));
    return err_say(err, -EINVAL, "unknown error \"%.60s\" in exit%s (-EACCES, -EPERM, or a number)",
                   text, guess_text(&guess, hint, sizeof(hint)));
}

static int parse_msgtype(const char *text, uint32_t *ret, struct err *err)
{
    struct guess guess;
    char hint[96];
    int type;

    if (parse_number(text, false, ret))
        return 0;
    type = isdigit((unsigned char)text[0]) ? 0 : audit_name_to_msg_type(text);
    if (type > 0) {
        *ret = (uint32_t)type;
        return 0;
    }
    guess_begin(&guess, text);
    for (int i = AUDIT_FIRST_USER_MSG; i <= AUDIT_LAST_USER_MSG2; i++)
        guess_offer(&guess, audit_msg_type_to_name(i));
    return err_say(err, -EINVAL, "unknown record type \"%.60s\"%s (CWD, PATH, EOE ..., or a number)", text,
                   guess_text(&guess, hint, sizeof(hint)));
}

static int parse_arch(const char *text, uint32_t *ret, struct err *err)
{
    int machine;
    uint32_t elf;

    if (isdigit((unsigned char)text[0])) {
        if (parse_number(text, false, &elf) && audit_elf_to_machine(elf) >= 0) {
            *ret = elf;
            return 0;
        }
    } else {
        machine = audit_determine_machine(text);
        elf = machine >= 0 ? audit_machine_to_elf(machine) : 0;
        if (elf) {
            *ret = elf;
            return 0;
        }
    }
    return err_say(err, -EINVAL, "unknown architecture \"%.60s\" (b64, b32, or a name such as x86_64, "
                                 "i386, aarch64)",
                   text);
}

static int parse_perm(const char *text, uint32_t *ret, struct err *err)
{
    uint32_t perm = 0;

    for (const char *c = text; *c; c++) {
        switch (tolower((unsigned char)*c)) {
        case 'r':
            perm |= AUDIT_PERM_READ;
            break;
        case 'w':
            perm |= AUDIT_PERM_WRITE;
            break;
        case 'x':
            perm |= AUDIT_PERM_EXEC;
            break;
        case 'a':
            perm |= AUDIT_PERM_ATTR;
            break;
        default:
            return err_say(err, -EINVAL, "unknown permission '%c'", *c);
        }
    }
    if (!perm || strlen(text) > 4)
        return err_say(err, -EINVAL, perm ? "more than four permissions" : "no permission");
    *ret = perm;
    return 0;
}

static int parse_filetype(const char *text, uint32_t *ret, struct err *err)
{
    int type = audit_name_to_ftype(text);

    if (type < 0)
        return err_say(err, -EINVAL, "unknown file type \"%.60s\" (file, dir, socket, link, character, "
                                     "block, fifo)",
                       text);
    *ret = (uint32_t)type;
    return 0;
}

static int parse_fstype(const char *text, uint32_t *ret, struct err *err)
{
    int type;

    if (parse_number(text, false, ret))
        return 0;
    type = audit_name_to_fstype(text);
    if (type == -1)
        return err_say(err, -EINVAL, "unknown filesystem \"%.60s\" (debugfs, tracefs, or a number of "
                                     "linux/magic.h)",
                       text);
    *ret = (uint32_t)type;
    return 0;
}

int field_value(const struct field_row *row, const char *text, uint32_t *ret, struct err *err)
{
    switch (row->kind) {
    case FIELD_USER:
    case FIELD_GROUP:
        return parse_user(row, text, ret, err);
    case FIELD_ERRNO:
        return parse_exit(text, ret, err);
    case FIELD_MSGTYPE:
        return parse_msgtype(text, ret, err);
    case FIELD_ARCH:
        return parse_arch(text, ret, err);
    case FIELD_PERM:
        return parse_perm(text, ret, err);
    case FIELD_FILETYPE:
        return parse_filetype(text, ret, err);
    case FIELD_FSTYPE:
        return parse_fstype(text, ret, err);
    case FIELD_SESSION:
        if (strcmp(text, "unset") == 0) {
            *ret = UINT32_MAX;
            return 0;
        }
        return parse_number(text, true, ret) ? 0 : not_a_number(row, text, ", -1 or unset", err);
    case FIELD_SIGNED:
        return parse_number(text, true, ret) ? 0 : not_a_number(row, text, ", or 0x...", err);
    case FIELD_SUCCESS:
        if (!parse_number(text, false, ret) || *ret > 1)
            return err_say(err, -EINVAL, "success is 1 or 0, not \"%.60s\"", text);
        return 0;
    case FIELD_FAMILY:
        if (!parse_number(text, false, ret) || *ret >= AF_MAX)
            return err_say(err, -EINVAL, "\"%.60s\" is no address family (2 is IPv4, 10 is IPv6, 1 is unix)",
                           text);
        return 0;
    default:
        return parse_number(text, false, ret) ? 0 : not_a_number(row, text, "", err);
    }
}

/* ---- printing ---- */

/* "rwxa" of AUDIT_PERM_*, in that order. */
static void field_print_perm(uint32_t perm, char ret[5])
{
    static const struct {
        uint32_t bit;
        char letter;
    } letters[] = {
        { AUDIT_PERM_READ, 'r' }, { AUDIT_PERM_WRITE, 'w' },
        { AUDIT_PERM_EXEC, 'x' }, { AUDIT_PERM_ATTR, 'a' },
    };
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (perm & letters[i].bit)
            ret[n++] = letters[i].letter;
    ret[n] = '\0';
}

void field_print_value(const struct field_row *row, uint32_t value, bool names, struct sbuf *out)
{
    const char *name = NULL;
    char perm[5];

    switch (row->kind) {
    case FIELD_MSGTYPE:
        name = audit_msg_type_to_name((int)value);
        break;
    case FIELD_FSTYPE:
        name = audit_fstype_to_name((int)value);
        break;
    case FIELD_FILETYPE:
        name = audit_ftype_to_name((int)value);
        break;
    case FIELD_PERM:
        field_print_perm(value, perm);
        name = perm;
        break;
    case FIELD_ERRNO:
        if ((int32_t)value < 0 && value != (uint32_t)INT32_MIN &&
            (name = audit_errno_to_name(-(int32_t)value)))
            sbuf_add_char(out, '-');
        break;
    case FIELD_ARCH:
        if (audit_elf_to_machine(value) < 0) {
            sbuf_addf(out, "0x%X", value);
            return;
        }
        name = value & __AUDIT_ARCH_64BIT ? "b64" : "b32";
        if (names || audit_machine_to_elf(audit_determine_machine(name)) != value)
            name = audit_machine_to_name(audit_elf_to_machine(value)); /* another machine's */
        break;
    case FIELD_SIGNED:
        sbuf_addf(out, "0x%X", value);
        return;
    case FIELD_USER:
    case FIELD_SESSION:
        if (names && value == UINT32_MAX)
            name = "unset";
        break;
    default:
        break;
    }
    if (name)
        sbuf_add_str(out, name);
    else if (row->field == AUDIT_INODE)
        sbuf_addf(out, "%u", value);
    else
        sbuf_addf(out, "%d", (int)value);
}
