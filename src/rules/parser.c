/* SPDX-License-Identifier: MIT */
#include "rules/parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int parser_fail(struct parser *p, const char *format, ...)
{
    char text[LIMIT_ERR];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    return err_say(p->err, -EINVAL, "%s", text);
}

void parser_warn(struct parser *p, const char *format, ...)
{
    char text[LIMIT_ERR];
    va_list ap;

    if (!p->options->warn)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    p->options->warn(p->options->data, p->line, text);
}

int parser_add_field(struct parser *p, uint32_t field, uint32_t operator_flag, uint32_t value,
                            const char *text)
{
    struct audit_rule_data *d = p->rule.data;
    size_t n = text ? strlen(text) : 0;

    if (d->field_count == AUDIT_MAX_FIELDS)
        return parser_fail(p, "more than %d fields in one rule: the kernel takes no more", AUDIT_MAX_FIELDS);
    if (n) {
        d = realloc(d, p->rule.len + n);
        if (!d)
            return err_set(p->err, -ENOMEM, "rule");
        p->rule.data = d;
        memcpy((char *)d + p->rule.len, text, n);
        p->rule.len += n;
        d->buflen += (uint32_t)n;
    }
    d->fields[d->field_count] = field;
    d->fieldflags[d->field_count] = operator_flag;
    d->values[d->field_count++] = text ? (uint32_t)n : value;
    return 0;
}

void parser_set_all_calls(struct parser *p)
{
    for (unsigned i = 0; i < AUDIT_BITMASK_SIZE; i++) /* word for word what auditctl sends: either may delete it then */
        p->rule.data->mask[i] = UINT32_MAX;
}

int parser_one_of_a_kind(struct parser *p)
{
    if (p->list != NO_LIST || p->kind_set)
        return parser_fail(p, "%s: a line holds one rule or one setting; put it on a line of its own", p->option);
    p->kind_set = true;
    return 0;
}
