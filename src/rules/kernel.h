/* SPDX-License-Identifier: MIT */
/* Rules to the kernel and from it, through audit's netlink socket. */
#pragma once

#include "rules/rule.h"
#include "sensor/audit/netlink.h"

/*
 * Do what one rule says. Returns 0 or the kernel's -errno with a line for people:
 * -EEXIST: the rule is there already; -ENOENT: there is none to delete, or its path leads nowhere;
 * -EPERM: not permitted, or locked until the next boot (-e 2).
 * kept: -D has spared so many rules of culprits that are running.
 */
int rule_apply(int fd, const struct rule *rule, unsigned *kept, struct err *err);

/* auditctl -s */
int rule_status_print(int fd, struct sbuf *out, struct err *err);
