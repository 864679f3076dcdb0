/* SPDX-License-Identifier: MIT */
/*
 * Our rules in the kernel's audit filter. Each carries a key that names this process by pid and
 * start time, so that a later culprit knows what a killed one left behind, and a number, so that the
 * same path in two mount namespaces is two rules (the kernel compares rules by their text).
 */
#pragma once

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sensor/audit/rules_place.h"
#include "util/bytes.h"
#include "util/err.h"

struct audit_rules; /* all rules of this run */
struct audit_rule_set; /* those of one place */

/* `fd`: a socket of audit_netlink_open(), borrowed. */
int audit_rules_new(int fd, struct audit_rules **ret, struct err *err);
/* Deletes all from the kernel together, before one set after the other is freed. NULL is fine. */
void audit_rules_withdraw(struct audit_rules *rules);
/* Deletes what is still there. NULL is fine. */
void audit_rules_free(struct audit_rules *rules);

/*
 * Adds the rules for one place; all or none. The kernel finds the mounts below a directory in the
 * namespace of whoever asks (kernel/audit_tree.c): for another one a short-lived child goes there.
 * -ENOENT: the path (or the namespace) is not there (any more).
 */
int audit_rules_add(struct audit_rules *rules, const struct audit_place *place,
                    struct audit_rule_set **ret, struct err *err);
/* Rules for moves of these names and for mounts over them, whatever is there; of several namespaces' the same way. */
int audit_rules_add_way(struct audit_rules *rules, pid_t ns_pid, const char *const *paths, unsigned count,
                        struct audit_rule_set **ret, struct err *err);
void audit_rules_remove(struct audit_rules *rules, struct audit_rule_set *set); /* NULL is fine */
/* True if the kernel has dropped a rule of this set (its directory is gone): known by the kernel's own record of that. */
bool audit_rule_set_has_key(const struct audit_rule_set *set, struct bytes key);

/* Look which of ours the kernel still has: anybody with the right may delete them (`auditctl -D`), and it drops
 * those of a directory that is gone. Returns how many sets miss a rule, or -errno. */
int audit_rules_look(struct audit_rules *rules);
/* By the last look. */
bool audit_rule_set_is_missing(const struct audit_rule_set *set); /* NULL: no */

/* What no rule for a path catches, so that the call itself is: flags of an inode are changed through a
 * descriptor (PERMISSION_ATTR), and by an unmount's end the rules for what was mounted there are gone
 * (PERMISSION_WRITE). */
int audit_rules_add_pathless(struct audit_rules *rules, unsigned permissions,
                             struct audit_rule_set **ret, struct err *err);

/* Leave out record types that nobody here needs. Only for the owner, while
 * nobody else listens. Failure costs time only. */
int audit_rules_exclude(struct audit_rules *rules, struct audit_rule_set **ret);

enum audit_key {
    AUDIT_KEY_FOREIGN, /* somebody else's rule, or none */
    AUDIT_KEY_EXACT,   /* ours, of a place that was asked for */
    AUDIT_KEY_WIDE,
};
/* `key`: of a record; several are joined by 0x01. */
enum audit_key audit_rules_key(const struct audit_rules *rules, struct bytes key);

/* Deletes the rules of culprits that no longer run. Returns how many rules; ret_others: living
 * culprits other than this one have rules here. */
int audit_rules_remove_orphans(int fd, bool *ret_others);
/* True if it is a rule of a culprit that is running. */
bool audit_rules_is_live(const struct audit_rule_data *rule, size_t len);
