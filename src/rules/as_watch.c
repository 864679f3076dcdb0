/* SPDX-License-Identifier: MIT */
#include "rules/as_watch.h"

#include "event/operation.h"
#include "util/macro.h"

bool rule_as_watch(const struct rule *rule, struct rule_watch *ret)
{
    static const unsigned permissions[][2] = { { AUDIT_PERM_READ, PERMISSION_READ },
                                               { AUDIT_PERM_WRITE, PERMISSION_WRITE },
                                               { AUDIT_PERM_EXEC, PERMISSION_EXEC },
                                               { AUDIT_PERM_ATTR, PERMISSION_ATTR } };
    struct rule_watch watch = { 0 };
    int at, perm, key;

    if (rule->kind != RULE_ADD || (!rule->watch && !rule_is_watch(rule->data)))
        return false;
    at = rule_find(rule->data, AUDIT_WATCH);
    at = at < 0 ? rule_find(rule->data, AUDIT_DIR) : at;
    if (at < 0)
        return false;
    perm = rule_find(rule->data, AUDIT_PERM);
    for (size_t p = 0; p < ARRAY_SIZE(permissions); p++)
        if (perm < 0 || rule->data->values[perm] & permissions[p][0])
            watch.permissions |= permissions[p][1];
    key = rule_find(rule->data, AUDIT_FILTERKEY);
    watch.path = rule_text(rule->data, rule->len, (unsigned)at);
    watch.key = key < 0 ? BYTES_NULL : rule_text(rule->data, rule->len, (unsigned)key);
    *ret = watch;
    return true;
}
