/* SPDX-License-Identifier: MIT */
#include "rules/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/audit/rules.h"
#include "util/macro.h"

#define DELETE_ROUNDS 4 /* an answer holds all rules; more rounds only if somebody adds meanwhile */

struct collected {
    struct rule *rules;
    size_t count;
    const char *key;
    unsigned kept;
};

static int collect(void *data, const struct audit_rule_data *rule, size_t len)
{
    struct collected *c = data;
    struct rule *grown;

    if (c->key && !rule_has_key(rule, len, bytes_of(c->key)))
        return 0;
    if (audit_rules_is_live(rule, len)) {
        c->kept++;
        return 0;
    }
    grown = reallocarray(c->rules, c->count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    c->rules = grown;
    grown[c->count] = (struct rule){ .data = malloc(len), .len = len };
    if (!grown[c->count].data)
        return -ENOMEM;
    memcpy(grown[c->count++].data, rule, len);
    return 0;
}

static int delete_all(int fd, const char *key, unsigned *kept, struct err *err)
{
    size_t found = 1;
    int r = 0;

    for (int round = 0; r == 0 && found > 0 && round < DELETE_ROUNDS; round++) {
        struct collected c = { .key = key };

        r = audit_netlink_rules(fd, collect, &c);
        found = c.count;
        for (size_t i = 0; i < c.count; i++) {
            if (r == 0) {
                r = audit_netlink_request(fd, AUDIT_DEL_RULE, c.rules[i].data, c.rules[i].len);
                if (r == -ENOENT) /* gone with its directory meanwhile */
                    r = 0;
            }
            rule_done(&c.rules[i]);
        }
        free(c.rules);
        *kept = c.kept;
    }
    return r < 0 ? err_set(err, r, "deleting rules") : 0;
}

/* What the kernel's errno means for a rule. */
static int explain_refusal(int fd, const struct rule *rule, int r, struct err *err)
{
    struct audit_status status = { 0 };

    switch (-r) {
    case EEXIST:
        return err_say(err, r, "the kernel has this rule already");
    case ENOENT:
        if (rule->kind == RULE_DELETE)
            return err_say(err, r, "the kernel has no such rule to delete (all its words must be the same)");
        return err_say(err, r, "its path leads nowhere: the directory that a rule names (for path=, the "
                               "directory it is in) must exist when it is loaded");
    case EPERM:
    case EACCES:
        if (audit_netlink_status(fd, &status) == 0 && status.enabled == 2)
            return err_say(err, r, "the rules are locked until the next boot (-e 2)");
        return err_say(err, r, "not permitted: needs root (CAP_AUDIT_CONTROL) outside of containers");
    case EINVAL:
        return err_say(err, r, "this kernel refuses it: a field, list or combination that it does not have");
    default:
        return err_set(err, r, "the kernel refuses it");
    }
}

static int set_status(int fd, uint32_t mask, struct audit_status *status)
{
    status->mask = mask;
    return audit_netlink_request(fd, AUDIT_SET, status, sizeof(*status));
}

static int set_loginuid_immutable(int fd)
{
    struct audit_features features = {
        .vers = AUDIT_FEATURE_VERSION,
        .mask = AUDIT_FEATURE_TO_MASK(AUDIT_FEATURE_LOGINUID_IMMUTABLE),
        .features = AUDIT_FEATURE_TO_MASK(AUDIT_FEATURE_LOGINUID_IMMUTABLE),
        .lock = AUDIT_FEATURE_TO_MASK(AUDIT_FEATURE_LOGINUID_IMMUTABLE),
    };

    return audit_netlink_request(fd, AUDIT_SET_FEATURE, &features, sizeof(features));
}

/* AUDIT_MAKE_EQUIV: two lengths, two paths. */
static int make_equivalent(int fd, const char *mount, const char *subtree)
{
    uint32_t lengths[2] = { (uint32_t)strlen(mount), (uint32_t)strlen(subtree) };
    size_t len = sizeof(lengths) + lengths[0] + lengths[1];
    char *message = malloc(len);
    int r;

    if (!message)
        return -ENOMEM;
    memcpy(message, lengths, sizeof(lengths));
    memcpy(message + sizeof(lengths), mount, lengths[0]);
    memcpy(message + sizeof(lengths) + lengths[0], subtree, lengths[1]);
    r = audit_netlink_request(fd, AUDIT_MAKE_EQUIV, message, len);
    free(message);
    return r;
}

int rule_apply(int fd, const struct rule *rule, unsigned *kept, struct err *err)
{
    struct audit_status status = { 0 };
    int r = 0;

    switch (rule->kind) {
    case RULE_ADD:
        r = audit_netlink_request(fd, AUDIT_ADD_RULE, rule->data, rule->len);
        break;
    case RULE_DELETE:
        r = audit_netlink_request(fd, AUDIT_DEL_RULE, rule->data, rule->len);
        break;
    case RULE_DELETE_ALL:
        r = delete_all(fd, rule->text, kept, NULL);
        break;
    case RULE_ENABLE:
        status.enabled = rule->value;
        r = set_status(fd, AUDIT_STATUS_ENABLED, &status);
        break;
    case RULE_FAILURE:
        status.failure = rule->value;
        r = set_status(fd, AUDIT_STATUS_FAILURE, &status);
        break;
    case RULE_BACKLOG:
        status.backlog_limit = rule->value;
        r = set_status(fd, AUDIT_STATUS_BACKLOG_LIMIT, &status);
        break;
    case RULE_RATE:
        status.rate_limit = rule->value;
        r = set_status(fd, AUDIT_STATUS_RATE_LIMIT, &status);
        break;
    case RULE_WAIT_TIME:
        status.backlog_wait_time = rule->value;
        r = set_status(fd, AUDIT_STATUS_BACKLOG_WAIT_TIME, &status);
        break;
    case RULE_RESET_LOST:
        r = set_status(fd, AUDIT_STATUS_LOST, &status);
        break;
    case RULE_RESET_WAIT:
        r = set_status(fd, AUDIT_STATUS_BACKLOG_WAIT_TIME_ACTUAL, &status);
        break;
    case RULE_LOGINUID:
        r = set_loginuid_immutable(fd);
        break;
    case RULE_TRIM:
        r = audit_netlink_request(fd, AUDIT_TRIM, NULL, 0);
        break;
    case RULE_EQUIVALENT:
        r = make_equivalent(fd, rule->text, rule->text2);
        break;
    case RULE_IGNORE:
    case RULE_CONTINUE:
    case RULE_STATUS:
    case RULE_LIST:
        break; /* the caller's */
    }
    if (r > 0) /* the counters' resets answer with the old value */
        r = 0;
    return r < 0 ? explain_refusal(fd, rule, r, err) : 0;
}

int rule_status_print(int fd, struct sbuf *out, struct err *err)
{
    struct audit_status s;
    int r = audit_netlink_status(fd, &s);

    if (r < 0)
        return err_set(err, r, "asking the kernel for audit's state");
    sbuf_addf(out,
              "enabled %u\nfailure %u\npid %u\nrate_limit %u\nbacklog_limit %u\nlost %u\nbacklog %u\n"
              "backlog_wait_time %u\nbacklog_wait_time_actual %u\n",
              s.enabled, s.failure, s.pid, s.rate_limit, s.backlog_limit, s.lost, s.backlog,
              s.backlog_wait_time, s.backlog_wait_time_actual);
    return 0;
}
