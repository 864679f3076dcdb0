/* SPDX-License-Identifier: MIT */
#include "rules/warning.h"

#include <libaudit.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/field.h"
#include "util/err.h"
#include "util/macro.h"

#define ERRNO_MAX 133
#define FIRST_RECORD 1300 /* the types of the records of events: AUDIT_FIRST_EVENT to AUDIT_LAST_EVENT */
#define LAST_RECORD 1399

struct warnings {
    const struct rule_set *set;
    void (*warn)(void *data, unsigned line, const char *text);
    void *data;
};

static bool is_exit_rule(const struct rule *r)
{
    return r->kind == RULE_ADD && !r->container && rule_list(r->data) == AUDIT_FILTER_EXIT;
}

static bool is_empty(const struct audit_rule_data *d)
{
    for (uint32_t i = 0; i < d->field_count; i++)
        if (d->fields[i] != AUDIT_FILTERKEY && d->fields[i] != AUDIT_ARCH)
            return false;
    return true;
}

/* Of those that this machine's own programs are not: hardening guides record all that they do, since there is nearly none. */
static bool is_of_other_programs(const struct audit_rule_data *d)
{
    int machine = audit_detect_machine(), at = rule_find(d, AUDIT_ARCH);

    return at >= 0 && machine >= 0 && d->fieldflags[at] == AUDIT_EQUAL && d->values[at] != (uint32_t)audit_machine_to_elf(machine);
}

/* ---- conditions on one number ---- */

/* What is left of all values after the conditions on a field. */
struct value_range {
    int64_t low, high;
    bool has_hole;
    int64_t hole; /* != VALUE */
};

static int64_t value_of(const struct audit_rule_data *d, uint32_t i)
{
    return d->fields[i] == AUDIT_EXIT ? (int64_t)(int32_t)d->values[i] : (int64_t)d->values[i];
}

static void narrow(struct value_range *r, uint32_t operator_flag, int64_t value)
{
    switch (operator_flag & AUDIT_OPERATORS) {
    case AUDIT_EQUAL:
        r->low = MAX(r->low, value);
        r->high = MIN(r->high, value);
        break;
    case AUDIT_NOT_EQUAL:
        r->has_hole = true;
        r->hole = value;
        break;
    case AUDIT_GREATER_THAN:
        r->low = MAX(r->low, value + 1);
        break;
    case AUDIT_GREATER_THAN_OR_EQUAL:
        r->low = MAX(r->low, value);
        break;
    case AUDIT_LESS_THAN:
        r->high = MIN(r->high, value - 1);
        break;
    case AUDIT_LESS_THAN_OR_EQUAL:
        r->high = MIN(r->high, value);
        break;
    default: /* bits */
        break;
    }
}

static struct value_range range_of(const struct audit_rule_data *d, uint32_t field)
{
    struct value_range r = { INT64_MIN, INT64_MAX, false, 0 };

    for (uint32_t i = 0; i < d->field_count; i++)
        if (d->fields[i] == field)
            narrow(&r, d->fieldflags[i], value_of(d, i));
    return r;
}

static bool is_impossible(const struct value_range *r)
{
    return r->low > r->high || (r->has_hole && r->low == r->hole && r->high == r->hole);
}

static bool is_number(const struct field_row *row)
{
    return row && !field_has_text(row->field) && row->kind != FIELD_PERM && row->kind != FIELD_ARCH && row->kind != FIELD_KEY &&
           row->field != AUDIT_FIELD_COMPARE;
}

static void warn_of_conditions(const struct warnings *w, const struct rule *r)
{
    const struct audit_rule_data *d = r->data;
    struct value_range success = range_of(d, AUDIT_SUCCESS), result = range_of(d, AUDIT_EXIT);
    char text[200];

    for (uint32_t i = 0; i < d->field_count; i++) {
        const struct field_row *row = field_by_number(d->fields[i]);
        struct value_range range = range_of(d, d->fields[i]);
        bool seen = false;

        for (uint32_t k = 0; k < i; k++)
            seen |= d->fields[k] == d->fields[i];
        if (seen || !is_number(row) || !is_impossible(&range))
            continue;
        snprintf(text, sizeof(text), "never matches: its conditions on %s exclude each other", row->name);
        w->warn(w->data, r->line, text);
    }
    if (rule_find(d, AUDIT_SUCCESS) >= 0 && rule_find(d, AUDIT_EXIT) >= 0 &&
        ((success.low == 1 && result.high < 0) || (success.high == 0 && success.low == 0 && result.low >= 0)))
        w->warn(w->data, r->line, success.low == 1 ? "never matches: a call that succeeds (success=1) has no negative exit"
                                                   : "never matches: a call that fails (success=0) has a negative exit");
    if (result.low == result.high && result.low > 0 && result.low <= ERRNO_MAX && rule_list(d) == AUDIT_FILTER_EXIT) {
        const char *name = errno_name((int)result.low);

        snprintf(text, sizeof(text), "exit=%" PRId64 " is a result, not a refusal: a call that fails returns the negative number (exit=-%s)",
                 result.low, name ? name : "ERRNO");
        w->warn(w->data, r->line, text);
    }
}

/* ---- order ---- */

static int place_of(const struct audit_rule_data *d)
{
    int at = rule_find(d, AUDIT_WATCH);

    return at >= 0 ? at : rule_find(d, AUDIT_DIR);
}

/* Is whatever `b` names also named by `a`? A rule without a place names every file. */
static bool place_covers(const struct rule *a, const struct rule *b)
{
    int at_a = place_of(a->data), at_b = place_of(b->data);
    struct bytes path_a, path_b;

    if (at_a < 0)
        return rule_find(a->data, AUDIT_INODE) < 0;
    if (at_b < 0)
        return false;
    path_a = rule_text(a->data, a->len, (unsigned)at_a);
    path_b = rule_text(b->data, b->len, (unsigned)at_b);
    return bytes_equal(path_a, path_b) || (a->data->fields[at_a] == AUDIT_DIR && bytes_path_covers(path_a, path_b));
}

static bool shares_calls(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
    for (unsigned i = 0; i < AUDIT_BITMASK_SIZE - 1; i++)
        if (a->mask[i] & b->mask[i])
            return true;
    return false;
}

static bool has_condition(const struct rule *r, const struct rule *of, uint32_t i)
{
    for (uint32_t k = 0; k < r->data->field_count; k++)
        if (r->data->fields[k] == of->data->fields[i] && r->data->fieldflags[k] == of->data->fieldflags[i] &&
            r->data->values[k] == of->data->values[i] &&
            bytes_equal(rule_text(r->data, r->len, k), rule_text(of->data, of->len, i)))
            return true;
    return false;
}

/* `a` matches whatever `b` matches, as far as permissions and system calls have something in common. */
static bool takes_from(const struct rule *a, const struct rule *b)
{
    const struct audit_rule_data *d = a->data;
    int perm_a = rule_find(a->data, AUDIT_PERM), perm_b = rule_find(b->data, AUDIT_PERM);

    if (!place_covers(a, b) || !shares_calls(a->data, b->data))
        return false;
    if (perm_a >= 0 && perm_b >= 0 && !(a->data->values[perm_a] & b->data->values[perm_b]))
        return false;
    for (uint32_t i = 0; i < d->field_count; i++) {
        bool place = d->fields[i] == AUDIT_WATCH || d->fields[i] == AUDIT_DIR;

        if (place || d->fields[i] == AUDIT_FILTERKEY || d->fields[i] == AUDIT_PERM)
            continue;
        if (!has_condition(b, a, i))
            return false;
    }
    return true;
}

const struct rule *rule_taken_before(const struct rule_set *set, size_t index)
{
    const struct rule *r = &set->rules[index];

    if (!is_exit_rule(r) || (r->data->flags & AUDIT_FILTER_PREPEND))
        return NULL;
    for (size_t i = 0; i < index; i++) {
        const struct rule *before = &set->rules[i];

        if (before->kind == RULE_DELETE_ALL && !before->text)
            return NULL;
        if (is_exit_rule(before) && before->data->action != r->data->action && takes_from(before, r))
            return before;
    }
    return NULL;
}

static void warn_of_order(const struct warnings *w, size_t index)
{
    const struct rule *r = &w->set->rules[index], *before = rule_taken_before(w->set, index);
    char text[200];

    if (!before)
        return;
    if (r->data->action == AUDIT_NEVER)
        snprintf(text, sizeof(text), "comes too late: line %u records it before, and the first match counts (put this one above it, or write -A)",
                 before->line);
    else
        snprintf(text, sizeof(text), "never matches%s: line %u leaves it out before, and the first match wins",
                 place_of(before->data) < 0 && rule_all_calls(before->data) ? "" : " what they share", before->line);
    w->warn(w->data, r->line, text);
}

/* ---- one rule, and the set ---- */

static void warn_of_excluded(const struct warnings *w, const struct rule *r)
{
    struct value_range types = range_of(r->data, AUDIT_MSGTYPE);

    for (uint32_t i = 0; i < r->data->field_count; i++)
        if (r->data->fields[i] != AUDIT_MSGTYPE)
            return;
    if (types.low <= FIRST_RECORD && types.high >= LAST_RECORD && !(types.has_hole && types.hole >= FIRST_RECORD && types.hole <= LAST_RECORD))
        w->warn(w->data, r->line, "drops every record: nothing is logged any more");
}

static void warn_of_twin(const struct warnings *w, size_t index)
{
    const struct rule *r = &w->set->rules[index];
    char text[160];

    for (size_t k = 0; k < index; k++) {
        const struct rule *o = &w->set->rules[k];

        if (o->kind == RULE_ADD && o->len == r->len && memcmp(o->data, r->data, r->len) == 0) {
            snprintf(text, sizeof(text), "is the same rule as line %u: the kernel takes it once", o->line);
            w->warn(w->data, r->line, text);
            return;
        }
    }
}

static void warn_of_rule(const struct warnings *w, size_t index)
{
    const struct rule *r = &w->set->rules[index];
    const struct audit_rule_data *d = r->data;

    warn_of_order(w, index);
    warn_of_conditions(w, r);
    if (rule_list(d) == AUDIT_FILTER_EXCLUDE)
        warn_of_excluded(w, r);
    if (rule_list(d) == AUDIT_FILTER_TASK && d->action == AUDIT_NEVER && d->field_count == 0)
        w->warn(w->data, r->line, "no process that starts from now on is ever audited: the other rules see nothing of them");
    if (is_exit_rule(r) && d->action == AUDIT_ALWAYS && rule_all_calls(d) && is_empty(d) && !is_of_other_programs(d))
        w->warn(w->data, r->line, "records every system call of every program: few machines can bear that");
    warn_of_twin(w, index);
}

/* -D at the end of a file deletes all rules before it. */
static void warn_of_deletion(const struct warnings *w, size_t index)
{
    size_t before = 0, behind = 0;
    char text[160];

    if (w->set->rules[index].text)
        return;
    for (size_t i = 0; i < w->set->count; i++) {
        before += i < index && w->set->rules[i].kind == RULE_ADD;
        behind += i > index && w->set->rules[i].kind == RULE_ADD;
    }
    if (!before)
        return;
    snprintf(text, sizeof(text), "deletes the %zu rule%s before it%s", before, before == 1 ? "" : "s",
             behind ? "" : ": none is left; -D stands at the beginning of a file");
    w->warn(w->data, w->set->rules[index].line, text);
}

void rule_set_warnings(const struct rule_set *set, void (*warn)(void *data, unsigned line, const char *text), void *data)
{
    const struct warnings w = { set, warn, data };
    bool locked = false;

    for (size_t i = 0; i < set->count; i++) {
        const struct rule *r = &set->rules[i];

        if (locked)
            warn(data, r->line, "comes after -e 2: the kernel refuses it, the rules are locked by then");
        locked |= r->kind == RULE_ENABLE && r->value == 2;
        if (r->kind == RULE_DELETE_ALL)
            warn_of_deletion(&w, i);
        else if (r->kind == RULE_ADD && !r->container)
            warn_of_rule(&w, i);
    }
}
