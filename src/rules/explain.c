/* SPDX-License-Identifier: MIT */
#include "rules/explain.h"

#include <libaudit.h>
#include <stdio.h>
#include <string.h>

#include "event/syscall_name.h"
#include "rules/warning.h"
#include "rules/field_value.h"
#include "util/macro.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

#define CALLS_SHOWN 12

static void line(struct sbuf *out, const char *label, const char *text)
{
    sbuf_addf(out, "  %-8s  %s\n", label, text);
}

static int first_of(const struct audit_rule_data *d, uint32_t a, uint32_t b)
{
    int at = rule_find(d, a);

    return at >= 0 ? at : rule_find(d, b);
}

/* ---- what it catches ---- */

static void add_permissions(uint32_t perm, struct sbuf *out)
{
    static const struct {
        uint32_t bit;
        const char *text;
    } rows[] = {
        { AUDIT_PERM_WRITE, "contents and names (opened for writing, created, deleted, renamed, linked)" },
        { AUDIT_PERM_ATTR, "attributes (mode, owner, times, extended attributes)" },
        { AUDIT_PERM_READ, "opening for reading" },
        { AUDIT_PERM_EXEC, "execution" },
    };
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (perm & rows[i].bit) {
            sbuf_addf(out, "%s%s", any ? "; " : "", rows[i].text);
            any = true;
        }
}

static void add_calls(const struct audit_rule_data *d, struct sbuf *out)
{
    bool uring = rule_list(d) == AUDIT_FILTER_URING_EXIT;
    int at = rule_find(d, AUDIT_ARCH), machine, shown = 0, more = 0;

    machine = at >= 0 ? audit_elf_to_machine(d->values[at]) : audit_detect_machine();
    for (unsigned i = 0; i < (AUDIT_BITMASK_SIZE - 1) * 32; i++) {
        const char *name;

        if (!rule_has_call(d, i))
            continue;
        if (shown == CALLS_SHOWN) {
            more++;
            continue;
        }
        name = uring ? uring_name(i) : machine < 0 ? NULL : audit_call_name_by_number((int)i, machine);
        sbuf_add_str(out, shown++ ? ", " : "");
        if (name)
            sbuf_add_str(out, name);
        else
            sbuf_addf(out, "%u", i);
    }
    if (more)
        sbuf_addf(out, " and %d more", more);
}

/* "where the login user is at least 1000, ..." */
static void add_conditions(const struct rule *rule, struct sbuf *out)
{
    const struct audit_rule_data *d = rule->data;
    bool any = false;

    for (uint32_t i = 0; i < d->field_count; i++) {
        const struct field_row *row = field_by_number(d->fields[i]);
        const struct operator_row *op = field_operator_by_flag(d->fieldflags[i]);
        const char *left, *right;

        if (d->fields[i] == AUDIT_FIELD_COMPARE && comparison_names(d->values[i], &left, &right)) {
            sbuf_addf(out, "%s%s is %s %s", any ? ", " : ", only where ", left,
                      op && op->flag == AUDIT_EQUAL ? "equal to" : "not", right);
            any = true;
            continue;
        }
        if (!row || !op || row->kind == FIELD_KEY || row->kind == FIELD_PERM || row->kind == FIELD_PATH ||
            row->kind == FIELD_DIRECTORY || row->kind == FIELD_ARCH)
            continue;
        sbuf_addf(out, "%s%s %s", any ? ", " : ", only where ", row->meaning, op->meaning);
        any = true;
        if (field_has_text(row->field))
            sbuf_add_bytes(out, rule_text(d, rule->len, i));
        else if (row->kind == FIELD_SUCCESS)
            sbuf_add_str(out, d->values[i] ? "yes" : "no");
        else if (row->kind == FIELD_USER && d->values[i] == UINT32_MAX)
            sbuf_add_str(out, "unset");
        else
            field_print_value(row, d->values[i], true, out);
    }
}

static void add_place(const struct rule *rule, struct sbuf *out)
{
    const struct audit_rule_data *d = rule->data;
    int at = first_of(d, AUDIT_WATCH, AUDIT_DIR);

    if (at < 0)
        return;
    sbuf_add_str(out, d->fields[at] == AUDIT_DIR ? " of everything in and below " : " of ");
    sbuf_add_bytes(out, rule_text(d, rule->len, (unsigned)at));
}

static void explain_exit(const struct rule *rule, struct sbuf *out)
{
    const struct audit_rule_data *d = rule->data;
    int perm = rule_find(d, AUDIT_PERM), arch = rule_find(d, AUDIT_ARCH);
    struct sbuf text = SBUF_INIT;

    if (d->action == AUDIT_NEVER)
        sbuf_add_str(&text, "nothing: it keeps out of the log ");
    if (perm >= 0)
        add_permissions(d->values[perm], &text);
    else if (rule_all_calls(d))
        sbuf_add_str(&text, "every system call");
    else
        add_calls(d, &text);
    if (rule_list(d) == AUDIT_FILTER_URING_EXIT)
        sbuf_add_str(&text, ", done through io_uring,");
    add_place(rule, &text);
    if (perm >= 0 && !rule_all_calls(d)) {
        sbuf_add_str(&text, ", by ");
        add_calls(d, &text);
    }
    if (arch >= 0) {
        sbuf_add_str(&text, d->fieldflags[arch] == AUDIT_EQUAL ? ", by programs of " : ", by programs not of ");
        field_print_value(field_by_number(AUDIT_ARCH), d->values[arch], true, &text);
    }
    add_conditions(rule, &text);
    line(out, "catches", sbuf_str(&text));
    sbuf_done(&text);
}

static void explain_other_list(const struct rule *rule, struct sbuf *out)
{
    const struct audit_rule_data *d = rule->data;
    bool never = d->action == AUDIT_NEVER;
    struct sbuf text = SBUF_INIT;

    switch (rule_list(d)) {
    case AUDIT_FILTER_TASK:
        sbuf_add_str(&text, never ? "nothing: processes that are started from now on are left out of auditing for "
                                    "their whole life"
                                  : "the start of processes");
        break;
    case AUDIT_FILTER_EXCLUDE:
        sbuf_add_str(&text, "nothing: it drops records as they are made"); /* the action is ignored */
        break;
    case AUDIT_FILTER_USER:
        sbuf_add_str(&text, never ? "nothing: it drops messages that programs send to audit"
                                  : "messages that programs send to audit (logins, sudo ...)");
        break;
    case AUDIT_FILTER_FS:
        sbuf_add_str(&text, never ? "nothing: it leaves out names on a file system" : "names on a file system");
        break;
    default:
        break;
    }
    add_conditions(rule, &text);
    line(out, "catches", sbuf_str(&text));
    sbuf_done(&text);
}

/* ---- what it cannot ---- */

/* Calls that do the same by other ways: who asks for one rarely means only that one. */
static const char *const families[][8] = {
    { "unlink", "unlinkat", "rmdir" },
    { "rename", "renameat", "renameat2" },
    { "chmod", "fchmod", "fchmodat", "fchmodat2" },
    { "chown", "fchown", "lchown", "fchownat" },
    { "open", "openat", "openat2", "creat", "open_by_handle_at" },
    { "truncate", "ftruncate" },
    { "mkdir", "mkdirat" },
    { "link", "linkat" },
    { "symlink", "symlinkat" },
    { "mknod", "mknodat" },
    { "setxattr", "lsetxattr", "fsetxattr", "setxattrat" },
    { "removexattr", "lremovexattr", "fremovexattr", "removexattrat" },
    { "execve", "execveat" },
};

static void miss_siblings(const struct rule *rule, struct sbuf *out)
{
    const struct audit_rule_data *d = rule->data;
    int at = rule_find(d, AUDIT_ARCH);
    int machine = at >= 0 ? audit_elf_to_machine(d->values[at]) : audit_detect_machine();
    struct sbuf text = SBUF_INIT;

    if (machine < 0 || rule_all_calls(d) || rule_list(d) != AUDIT_FILTER_EXIT)
        return;
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        bool some = false;

        for (size_t i = 0; i < ARRAY_SIZE(families[f]) && families[f][i]; i++) {
            int number = audit_call_number_by_name(families[f][i], machine);

            some |= number >= 0 && rule_has_call(d, (unsigned)number);
        }
        for (size_t i = 0; some && i < ARRAY_SIZE(families[f]) && families[f][i]; i++) {
            int number = audit_call_number_by_name(families[f][i], machine);

            if (number >= 0 && !rule_has_call(d, (unsigned)number))
                sbuf_addf(&text, "%s%s", text.len ? ", " : "the same done by ", families[f][i]);
        }
    }
    if (text.len)
        line(out, "not", sbuf_str(&text));
    sbuf_done(&text);
}

static bool same_but_arch(const struct rule *a, const struct rule *b)
{
    for (uint32_t i = 0, k = 0;; i++, k++) {
        while (i < a->data->field_count && a->data->fields[i] == AUDIT_ARCH)
            i++;
        while (k < b->data->field_count && b->data->fields[k] == AUDIT_ARCH)
            k++;
        if (i >= a->data->field_count || k >= b->data->field_count)
            return i >= a->data->field_count && k >= b->data->field_count;
        if (a->data->fields[i] != b->data->fields[k] || a->data->values[i] != b->data->values[k] ||
            a->data->fieldflags[i] != b->data->fieldflags[k] ||
            !bytes_equal(rule_text(a->data, a->len, i), rule_text(b->data, b->len, k)))
            return false;
    }
}

static bool is_exit_rule(const struct rule *r)
{
    return r->kind == RULE_ADD && !r->container && rule_list(r->data) == AUDIT_FILTER_EXIT;
}

static bool has_twin(const struct rule_set *set, size_t index)
{
    const struct rule *rule = &set->rules[index];

    for (size_t i = 0; i < set->count; i++) {
        const struct rule *other = &set->rules[i];
        int at = is_exit_rule(other) ? rule_find(other->data, AUDIT_ARCH) : -1;
        int own = rule_find(rule->data, AUDIT_ARCH);

        if (i == index || !is_exit_rule(other) || !same_but_arch(rule, other))
            continue;
        if (at < 0 || other->data->values[at] != rule->data->values[own])
            return true;
    }
    return false;
}

static void miss_architecture(const struct rule_set *set, size_t index, struct sbuf *out)
{
    const struct audit_rule_data *d = set->rules[index].data;
    int at = rule_find(d, AUDIT_ARCH);

    if (at < 0 || d->fieldflags[at] != AUDIT_EQUAL || d->action == AUDIT_NEVER || has_twin(set, index))
        return;
    line(out, "not", d->values[at] & __AUDIT_ARCH_64BIT
                         ? "32-bit programs: they use other numbers; add the same rule with -F arch=b32"
                         : "64-bit programs; add the same rule with -F arch=b64");
}

static void miss_people(const struct audit_rule_data *d, struct sbuf *out)
{
    for (uint32_t i = 0; i < d->field_count; i++) {
        bool unset = d->values[i] == UINT32_MAX;
        uint32_t op = d->fieldflags[i] & AUDIT_OPERATORS;

        if (d->fields[i] == AUDIT_LOGINUID && ((unset && op == AUDIT_NOT_EQUAL) || (!unset && op == AUDIT_EQUAL))) {
            line(out, "not", "services, containers, cron of the system: nobody logged in there, their login user is unset");
            return;
        }
        if ((d->fields[i] == AUDIT_PID || d->fields[i] == AUDIT_PPID) && op == AUDIT_EQUAL) {
            line(out, "not", "what this process starts (each child has a number of its own)");
            return;
        }
        if (d->fields[i] == AUDIT_SUCCESS || d->fields[i] == AUDIT_EXIT) {
            if (d->fields[i] == AUDIT_SUCCESS ? (op == AUDIT_EQUAL) == (d->values[i] != 0) : op == AUDIT_EQUAL && (int32_t)d->values[i] >= 0)
                line(out, "not", "attempts that were refused");
            else if (d->fields[i] == AUDIT_SUCCESS || (op == AUDIT_EQUAL && (int32_t)d->values[i] < 0))
                line(out, "not", "what succeeded");
            return;
        }
    }
}

static void miss_by_place(const struct rule *rule, struct sbuf *out)
{
    const struct audit_rule_data *d = rule->data;
    int at = first_of(d, AUDIT_WATCH, AUDIT_DIR), inode = rule_find(d, AUDIT_INODE);

    if (at >= 0 && d->fields[at] == AUDIT_DIR) {
        line(out, "not", "file systems that are mounted below later (-q MOUNT,SUBTREE adds one, -t forgets those that are gone)");
        line(out, "not", "the same path in a container or another mount namespace: other files stand there; and an "
                         "overlay's merged directory does not show what is done to its layers");
    } else if (at >= 0) {
        line(out, "not", "what is below, if it becomes a directory; the rule goes with its parent directory");
        line(out, "not", "the same path in a container or another mount namespace: another file stands there");
    } else if (inode >= 0) {
        line(out, "not", "the file that replaces it (editors, package managers): that has another inode");
    }
}

static void explain_setting(const struct rule *rule, struct sbuf *out)
{
    static const char *const enabled[] = {
        "switches auditing off: no rule records anything; processes go on being prepared for it",
        "switches auditing on; processes older than the first time stay invisible (boot with audit=1)",
        "locks rules and settings until the next boot: culprit's audit sensor cannot work then, nor auditctl",
    };
    static const char *const failure[] = {
        "records that get lost are lost in silence",
        "lost records are reported in the kernel's log",
        "the machine stops (panic) if a record gets lost",
    };
    char text[192];

    switch (rule->kind) {
    case RULE_ENABLE:
        line(out, "does", enabled[MIN(rule->value, 2u)]);
        break;
    case RULE_FAILURE:
        line(out, "does", failure[MIN(rule->value, 2u)]);
        break;
    case RULE_BACKLOG:
        snprintf(text, sizeof(text), "%u records may wait for auditd%s", rule->value,
                 rule->value < 8192 ? "; that is little: a busy moment loses records (8192 is usual)" : "");
        line(out, "does", rule->value ? text : "the queue has no limit: a stuck auditd fills the memory");
        break;
    case RULE_RATE:
        snprintf(text, sizeof(text), "more than %u records a second are dropped", rule->value);
        line(out, "does", rule->value ? text : "no limit on records a second");
        break;
    case RULE_WAIT_TIME:
        snprintf(text, sizeof(text), "with a full queue, whoever is recorded waits up to %u ticks; then it is lost", rule->value);
        line(out, "does", rule->value ? text : "with a full queue records are dropped at once, nobody waits");
        break;
    case RULE_RESET_LOST:
        line(out, "does", "sets the counter of lost records to 0");
        break;
    case RULE_RESET_WAIT:
        line(out, "does", "sets the sum of waiting times to 0");
        break;
    case RULE_LOGINUID:
        line(out, "does", "a login user, once set, cannot be changed until the next boot (containers with their own sshd, cron or systemd may fail)");
        break;
    case RULE_IGNORE:
        line(out, "does", "errors in the file do not stop its loading, and are no failure");
        break;
    case RULE_CONTINUE:
        line(out, "does", "errors in the file do not stop its loading; the exit status says so");
        break;
    case RULE_STATUS:
        line(out, "does", "prints audit's state");
        break;
    case RULE_LIST:
        line(out, "does", "prints the rules");
        break;
    case RULE_TRIM:
        line(out, "does", "forgets what was mounted below watched directories and is gone");
        break;
    case RULE_EQUIVALENT:
        line(out, "does", "what is mounted at the first path is covered by directory rules that cover the second");
        break;
    case RULE_DELETE_ALL:
        line(out, "does", rule->text ? "deletes every rule with this key" : "deletes every rule (those of a running culprit stay)");
        break;
    case RULE_DELETE:
        line(out, "does", "deletes this rule, if the kernel has it word for word");
        break;
    case RULE_ADD:
        break;
    }
}

static void explain_excluded(const struct audit_rule_data *d, struct sbuf *out)
{
    static const struct {
        uint32_t type;
        const char *text;
    } rows[] = {
        { AUDIT_CWD, "loses: the working directory, so that relative names cannot be completed" },
        { AUDIT_PATH, "loses: which files an event touches" },
        { AUDIT_SYSCALL, "loses: who did it and what" },
        { AUDIT_PROCTITLE, "loses: the command line; an event's end is known by EOE only" },
        { AUDIT_EXECVE, "loses: the arguments of what is executed" },
    };
    int at = rule_find(d, AUDIT_MSGTYPE);

    for (size_t i = 0; at >= 0 && i < ARRAY_SIZE(rows); i++)
        if (d->values[at] == rows[i].type && d->fieldflags[at] == AUDIT_EQUAL)
            line(out, "price", rows[i].text);
}

/* Of two rules that match the first counts. */
static void explain_order(const struct rule_set *set, size_t index, struct sbuf *out)
{
    const struct rule *before = rule_taken_before(set, index);
    char text[120];

    if (!before)
        return;
    if (before->line)
        snprintf(text, sizeof(text), "not what line %u matches: that one comes first, and %s it", before->line,
                 before->data->action == AUDIT_NEVER ? "leaves out" : "records");
    else
        snprintf(text, sizeof(text), "not what a rule before it matches, which %s it",
                 before->data->action == AUDIT_NEVER ? "leaves out" : "records");
    line(out, "but", text);
}

void rule_explain(const struct rule_set *set, size_t index, struct sbuf *out)
{
    const struct rule *rule = &set->rules[index];
    const struct audit_rule_data *d = rule->data;

    if (rule->kind != RULE_ADD) {
        explain_setting(rule, out);
        return;
    }
    if (rule->container) {
        line(out, "catches", "changes in a container, by whatever way: `culprit watch --rules` only, the kernel's rules know no containers");
        return;
    }
    if (rule_list(d) != AUDIT_FILTER_EXIT && rule_list(d) != AUDIT_FILTER_URING_EXIT) {
        explain_other_list(rule, out);
        if (rule_list(d) == AUDIT_FILTER_EXCLUDE)
            explain_excluded(d, out);
        return;
    }
    explain_exit(rule, out);
    explain_order(set, index, out);
    if (d->action == AUDIT_NEVER)
        return;
    if (rule_find(d, AUDIT_PERM) >= 0 && rule_list(d) == AUDIT_FILTER_EXIT)
        line(out, "not", "each read and write: opening is reported, by its flags; a descriptor that was open before is not seen");
    miss_siblings(rule, out);
    miss_architecture(set, index, out);
    miss_people(d, out);
    miss_by_place(rule, out);
}

void rule_set_limits(const struct rule_set *set, struct sbuf *out)
{
    bool exit_rules = false, uring = false;

    for (size_t i = 0; i < set->count; i++) {
        const struct rule *r = &set->rules[i];

        if (r->kind != RULE_ADD || r->container || r->data->action == AUDIT_NEVER)
            continue;
        exit_rules |= rule_list(r->data) == AUDIT_FILTER_EXIT;
        uring |= rule_list(r->data) == AUDIT_FILTER_URING_EXIT;
    }
    if (!exit_rules)
        return;
    sbuf_add_str(out, "No rule here can catch\n");
    line(out, "old", "processes that were started before auditing was first enabled (boot with audit=1)");
    line(out, "open", "what is written through descriptors, and memory mappings, that were open before");
    if (!uring)
        line(out, "io_uring", "changes through io_uring (since Linux 5.16: -a always,io_uring -S unlinkat,renameat,openat ...)");
    line(out, "who", "which container did it: the kernel's records have no container (culprit adds it while it watches)");
    line(out, "lost", "what the kernel drops with a full queue (culprit rules list -s: lost)");
}
