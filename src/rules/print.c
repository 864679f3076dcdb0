/* SPDX-License-Identifier: MIT */
/* Rules as text, in auditctl's words. */
#include <libaudit.h>
#include <stdio.h>
#include <string.h>

#include "event/syscall_name.h"
#include "rules/field_value.h"
#include "rules/rule.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

#define CALL_WORDS (AUDIT_BITMASK_SIZE - 1)

/* ---- looking into a rule ---- */

static uint32_t field_count(const struct audit_rule_data *data)
{
    return data->field_count < AUDIT_MAX_FIELDS ? data->field_count : AUDIT_MAX_FIELDS;
}

struct bytes rule_text(const struct audit_rule_data *data, size_t len, unsigned i)
{
    size_t at = 0, room = len > sizeof(*data) ? len - sizeof(*data) : 0;

    for (uint32_t k = 0; k < field_count(data) && k <= i; k++) {
        size_t n = data->values[k];

        if (!field_has_text(data->fields[k]))
            continue;
        if (n > room - at)
            return BYTES_NULL;
        if (k == i)
            return (struct bytes){ data->buf + at, n };
        at += n;
    }
    return BYTES_NULL;
}

int rule_find(const struct audit_rule_data *data, uint32_t field)
{
    for (uint32_t i = 0; i < field_count(data); i++)
        if (data->fields[i] == field)
            return (int)i;
    return -1;
}

bool rule_all_calls(const struct audit_rule_data *data)
{
    for (unsigned i = 0; i < CALL_WORDS; i++)
        if (data->mask[i] != UINT32_MAX)
            return false;
    return true;
}

bool rule_has_call(const struct audit_rule_data *data, unsigned number)
{
    return number < CALL_WORDS * 32 && data->mask[AUDIT_WORD(number)] & AUDIT_BIT(number);
}

bool rule_has_key(const struct audit_rule_data *data, size_t len, struct bytes key)
{
    int at = rule_find(data, AUDIT_FILTERKEY);
    struct bytes keys = at < 0 ? BYTES_NULL : rule_text(data, len, (unsigned)at);

    while (keys.len) {
        const char *end = memchr(keys.data, AUDIT_KEY_SEPARATOR, keys.len);
        size_t n = end ? (size_t)(end - keys.data) : keys.len;

        if (bytes_equal((struct bytes){ keys.data, n }, key))
            return true;
        n += end != NULL;
        keys = (struct bytes){ keys.data + n, keys.len - n };
    }
    return false;
}

static bool takes_calls(uint32_t list)
{
    return list == AUDIT_FILTER_EXIT || list == AUDIT_FILTER_URING_EXIT;
}

static bool is_place(uint32_t field)
{
    return field == AUDIT_WATCH || field == AUDIT_DIR;
}

bool rule_is_watch(const struct audit_rule_data *data)
{
    unsigned perms = 0, places = 0;

    for (uint32_t i = 0; i < field_count(data); i++) {
        switch (data->fields[i]) {
        case AUDIT_PERM:
            perms++;
            break;
        case AUDIT_WATCH:
        case AUDIT_DIR:
            places++;
            break;
        case AUDIT_FILTERKEY:
            break;
        default:
            return false;
        }
    }
    /* auditctl shows a second -p too, but of two of them a line keeps the last, and the kernel wants both */
    return perms == 1 && places == 1 && data->flags == AUDIT_FILTER_EXIT && data->action == AUDIT_ALWAYS &&
           rule_all_calls(data);
}

/* ---- printing ---- */

/* A word of a rule file: what splits words is escaped, so that it can be read again. */
static void add_word(struct sbuf *out, struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] == ' ' || word.data[i] == '\\')
            sbuf_add_char(out, '\\');
        sbuf_add_char(out, word.data[i]);
    }
}

static void add_keys(struct sbuf *out, struct bytes keys, const char *option)
{
    while (keys.len) {
        const char *end = memchr(keys.data, AUDIT_KEY_SEPARATOR, keys.len);
        size_t n = end ? (size_t)(end - keys.data) : keys.len;

        if (n) {
            sbuf_add_str(out, option);
            add_word(out, (struct bytes){ keys.data, n });
        }
        n += end != NULL;
        keys = (struct bytes){ keys.data + n, keys.len - n };
    }
}

static void add_calls(const struct audit_rule_data *data, uint32_t arch, struct sbuf *out)
{
    bool uring = rule_list(data) == AUDIT_FILTER_URING_EXIT;
    int machine = arch ? audit_elf_to_machine(arch) : audit_detect_machine();
    bool any = false;

    if (!takes_calls(rule_list(data)))
        return;
    if (rule_all_calls(data)) {
        sbuf_add_str(out, " -S all");
        return;
    }
    for (unsigned i = 0; i < CALL_WORDS * 32; i++) {
        const char *name;

        if (!rule_has_call(data, i))
            continue;
        name = uring ? uring_name(i) : machine < 0 ? NULL : audit_call_name_by_number((int)i, machine);
        sbuf_add_str(out, any ? "," : " -S ");
        if (name)
            sbuf_add_str(out, name);
        else
            sbuf_addf(out, "%u", i);
        any = true;
    }
}

static void add_one_field(const struct audit_rule_data *data, size_t len, unsigned i, bool watch, bool names,
                          struct sbuf *out)
{
    const struct field_row *row = field_by_number(data->fields[i]);
    const struct operator_row *op = field_operator_by_flag(data->fieldflags[i]);
    const char *operator_text = op ? op->text : "?";
    const char *left, *right;

    if (data->fields[i] == AUDIT_FIELD_COMPARE) {
        if (comparison_names(data->values[i], &left, &right))
            sbuf_addf(out, " -C %s%s%s", left, operator_text, right);
        return;
    }
    if (!row) {
        sbuf_addf(out, " f%u%s%d", data->fields[i], operator_text, (int)data->values[i]);
        return;
    }
    if (row->kind == FIELD_KEY) {
        add_keys(out, rule_text(data, len, i), watch ? " -k " : " -F key=");
        return;
    }
    if (watch && (row->kind == FIELD_PATH || row->kind == FIELD_DIRECTORY)) {
        sbuf_add_str(out, "-w ");
        add_word(out, rule_text(data, len, i));
        return;
    }
    if (watch && row->kind == FIELD_PERM)
        sbuf_add_str(out, " -p ");
    else
        sbuf_addf(out, " -F %s%s", row->name, operator_text);
    if (field_has_text(row->field))
        add_word(out, rule_text(data, len, i));
    else
        field_print_value(row, data->values[i], names, out);
}

void rule_print(const struct audit_rule_data *data, size_t len, bool names, struct sbuf *out)
{
    bool watch = rule_is_watch(data);
    uint32_t arch = 0;

    if (!watch) {
        const char *list = list_name(rule_list(data));

        sbuf_addf(out, "-%c %s,", data->flags & AUDIT_FILTER_PREPEND ? 'A' : 'a',
                  data->action == AUDIT_NEVER ? "never" : "always");
        if (list)
            sbuf_add_str(out, list);
        else
            sbuf_addf(out, "%u", rule_list(data));
        for (uint32_t i = 0; i < field_count(data); i++)
            if (data->fields[i] == AUDIT_ARCH) {
                arch = data->values[i];
                add_one_field(data, len, i, false, names, out);
            }
        add_calls(data, arch, out);
    }
    for (uint32_t i = 0; i < field_count(data) && watch; i++)
        if (is_place(data->fields[i])) /* first, whatever its position: auditctl prints " -p wa-w /x" */
            add_one_field(data, len, i, true, names, out);
    for (uint32_t i = 0; i < field_count(data); i++)
        if (data->fields[i] != AUDIT_ARCH && !(watch && is_place(data->fields[i])))
            add_one_field(data, len, i, watch, names, out);
}

void rule_print_any(const struct rule *rule, struct sbuf *out)
{
    static const struct {
        const char *text;
        bool value;
    } settings[] = {
        [RULE_DELETE_ALL] = { "-D", false },
        [RULE_ENABLE] = { "-e", true },
        [RULE_FAILURE] = { "-f", true },
        [RULE_BACKLOG] = { "-b", true },
        [RULE_RATE] = { "-r", true },
        [RULE_WAIT_TIME] = { "--backlog_wait_time", true },
        [RULE_RESET_LOST] = { "--reset-lost", false },
        [RULE_RESET_WAIT] = { "--reset_backlog_wait_time_actual", false },
        [RULE_LOGINUID] = { "--loginuid-immutable", false },
        [RULE_IGNORE] = { "-i", false },
        [RULE_CONTINUE] = { "-c", false },
        [RULE_STATUS] = { "-s", false },
        [RULE_TRIM] = { "-t", false },
        [RULE_EQUIVALENT] = { "-q", false },
        [RULE_LIST] = { "-l", false },
    };
    struct sbuf text = SBUF_INIT;

    switch (rule->kind) {
    case RULE_ADD:
        rule_print(rule->data, rule->len, false, out);
        return;
    case RULE_DELETE:
        rule_print(rule->data, rule->len, false, &text);
        /* the same letters, but of taking away */
        sbuf_add_str(out, rule_is_watch(rule->data) ? "-W" : "-d");
        if (text.len > 2)
            sbuf_add(out, text.data + 2, text.len - 2);
        sbuf_done(&text);
        return;
    default:
        sbuf_add_str(out, settings[rule->kind].text);
        if (settings[rule->kind].value)
            sbuf_addf(out, " %u", rule->value);
        if (rule->kind == RULE_EQUIVALENT) {
            sbuf_add_char(out, ' ');
            add_word(out, bytes_of(rule->text));
            sbuf_add_char(out, ',');
            add_word(out, bytes_of(rule->text2));
        } else if (rule->text) {
            add_keys(out, bytes_of(rule->text), " -k ");
        }
        return;
    }
}
