/* SPDX-License-Identifier: MIT */
/* What is in the kernel's filter: ours, what a killed culprit left, what others made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/audit/netlink.h"
#include "sensor/audit/rules.h"
#include "sensor/audit/rules_state.h"
#include "util/cleanup.h"
#include "util/proc_stat.h"

/* ---- ours ---- */

/* The rule's key, by walking the texts of its fields. */
static struct bytes key_of(const struct audit_rule_data *rule, size_t len)
{
    size_t at = 0, room = len - sizeof(*rule);

    for (uint32_t i = 0; i < rule->field_count && i < AUDIT_MAX_FIELDS; i++) {
        uint32_t n = rule->values[i];

        switch (rule->fields[i]) {
        case AUDIT_SUBJ_USER ... AUDIT_SUBJ_CLR:
        case AUDIT_OBJ_USER ... AUDIT_OBJ_LEV_HIGH:
        case AUDIT_WATCH:
        case AUDIT_DIR:
        case AUDIT_FILTERKEY:
        case AUDIT_EXE:
            if (n > room - at)
                return BYTES_NULL;
            if (rule->fields[i] == AUDIT_FILTERKEY)
                return (struct bytes){ rule->buf + at, n };
            at += n;
            break;
        default:
            break;
        }
    }
    return BYTES_NULL;
}

static int count_ours(void *data, const struct audit_rule_data *rule, size_t len)
{
    struct audit_rules *rules = data;
    struct bytes key = key_of(rule, len);

    if (bytes_starts_with(key, bytes_of(rules->prefix)))
        for (struct audit_rule_set *set = rules->sets; set; set = set->next)
            if (bytes_equal_str(key, set->key)) {
                set->found++;
                break;
            }
    return 0;
}

static int look_once(struct audit_rules *rules)
{
    int missing = 0, r;

    for (struct audit_rule_set *set = rules->sets; set; set = set->next)
        set->found = 0;
    r = audit_netlink_rules(rules->fd, count_ours, rules);
    for (struct audit_rule_set *set = rules->sets; set; set = set->next) {
        if (r < 0) /* not known: then nothing is missing */
            set->found = set->added;
        missing += set->found < set->added;
    }
    return r < 0 ? r : missing;
}

int audit_rules_look(struct audit_rules *rules)
{
    int missing = look_once(rules);

    /* an answer that is not read within 0.1 s is dropped (sk_sndtimeo of kernel/audit.c) */
    return missing > 0 ? look_once(rules) : missing;
}

bool audit_rule_set_is_missing(const struct audit_rule_set *set)
{
    return set && set->found < set->added;
}

/* ---- what others left ---- */

struct survey {
    struct bytes *orphans; /* owned, each */
    size_t count;
    unsigned foreign;
    bool others;
};

/* 1: of a culprit that is running, *ret_pid; 0: of one that is gone; -1: nobody's of us. */
static int whose(const struct audit_rule_data *rule, size_t len, int *ret_pid)
{
    struct bytes key = key_of(rule, len);
    char text[KEY_MAX];
    unsigned long long start;

    if (!bytes_starts_with(key, bytes_of(KEY_PREFIX)) || key.len >= sizeof(text))
        return -1;
    memcpy(text, key.data, key.len);
    text[key.len] = '\0';
    if (sscanf(text, KEY_PREFIX "%d-%llu-", ret_pid, &start) != 2)
        return -1;
    return *ret_pid == getpid() || !proc_stat_is_gone(*ret_pid, start);
}

bool audit_rules_is_live(const struct audit_rule_data *rule, size_t len)
{
    int pid;

    return whose(rule, len, &pid) == 1;
}

static int survey_rule(void *data, const struct audit_rule_data *rule, size_t len)
{
    struct survey *s = data;
    struct bytes *orphans;
    char *copy;
    int pid = 0, of = whose(rule, len, &pid);

    if (of < 0) {
        s->foreign++;
        return 0;
    }
    if (of == 1) {
        s->others |= pid != getpid();
        return 0;
    }
    orphans = reallocarray(s->orphans, s->count + 1, sizeof(*orphans));
    if (!orphans)
        return -ENOMEM;
    s->orphans = orphans;
    copy = malloc(len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, rule, len);
    orphans[s->count++] = (struct bytes){ copy, len };
    return 0;
}

int audit_rules_remove_orphans(int fd, bool *ret_others)
{
    struct survey s = { 0 };
    int r = audit_netlink_rules(fd, survey_rule, &s);
    int removed = (int)audit_netlink_delete_rules(fd, s.orphans, s.count);

    for (size_t i = 0; i < s.count; i++)
        free((void *)(uintptr_t)s.orphans[i].data);
    free(s.orphans);
    *ret_others = s.others;
    return r < 0 ? r : removed;
}

