/* SPDX-License-Identifier: MIT */
/* What rules.c (ours, into the kernel), rules_build.c (how they are put together) and rules_found.c (what the kernel has) share. */
#pragma once

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KEY_PREFIX "culprit-"
#define KEY_MAX 64
#define SET_MAX 64 /* of a way: three for each directory */

struct kernel_rule {
    size_t len;
    struct audit_rule_data *data;
};

struct audit_rule_set {
    struct audit_rule_set *next;
    struct kernel_rule rules[SET_MAX];
    unsigned count, added;
    unsigned found; /* by the last look into the kernel */
    unsigned number; /* no other of this process has it, from 1 */
    char key[KEY_MAX];
};

struct audit_rules {
    int fd;
    char prefix[KEY_MAX - 16]; /* "culprit-PID-START-" */
    unsigned last_number;
    bool no_uring;
    struct audit_rule_set *sets;
};
