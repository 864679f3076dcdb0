/* SPDX-License-Identifier: MIT */
/*
 * The keys of culprit.conf, each in one row: what the parser accepts, what is said of a mistake, and what
 * `daemon --print-config` writes are made from it. What has no effect is no key.
 */
#pragma once

#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"

enum config_key {
    /* at the top */
    CONFIG_GROUPS,
    CONFIG_PERMISSIONS,
    CONFIG_WRITES,
    CONFIG_SENSOR,
    CONFIG_STORE,
    CONFIG_DOCKER_SOCKET,
    CONFIG_RING_SIZE,
    CONFIG_CONTROL,
    CONFIG_METRICS,
    CONFIG_HEARTBEAT,
    CONFIG_RETENTION_AGE,
    CONFIG_RETENTION_SIZE,
    CONFIG_WHEN_FULL,
    CONFIG_COPIES_SIZE,
    CONFIG_ALERTS,
    CONFIG_LEARNING,
    CONFIG_EXPECTED,
    CONFIG_EDITORS,
    CONFIG_REDACT,
    /* of one watch */
    CONFIG_WATCH_TARGETS,
    CONFIG_WATCH_PERMISSIONS,
    CONFIG_WATCH_KEY,
    CONFIG_WATCH_RETENTION_AGE,
    CONFIG_WATCH_KEEP_COPIES,
    CONFIG_WATCH_GUARD,
    CONFIG_WATCH_ALLOW,
    CONFIG_WATCH_GUARD_METHOD,
    CONFIG_WATCH_GUARD_KEEP,
    CONFIG_WATCH_ON_VERDICT,
    CONFIG_WATCH_ON_VERDICT_LIMIT,
    CONFIG_WATCH_ON_VERDICT_RUN,
    /* of one block of what is expected: in the order of enum expect_kind (alert/expect.h) */
    CONFIG_EXPECT_PROGRAM,
    CONFIG_EXPECT_PACKAGE,
    CONFIG_EXPECT_UNIT,
    CONFIG_EXPECT_SCRIPT,
    CONFIG_EXPECT_LAUNCHER,
    CONFIG_EXPECT_USER,
    CONFIG_EXPECT_CONTAINER,
    CONFIG_EXPECT_IMAGE,
    CONFIG_EXPECT_HOURS,
    CONFIG_EXPECT_OPERATIONS,
    CONFIG_EXPECT_PATHS,
    /* of one sink */
    CONFIG_SINK_TYPE,
    CONFIG_SINK_TO,
    CONFIG_SINK_FORMAT,
    CONFIG_SINK_SECRET,
    CONFIG_SINK_CA,
    CONFIG_SINK_USER,
    CONFIG_SINK_TIMEOUT,
    CONFIG_SINK_SEVERITY,
    CONFIG_SINK_SIZE,
    CONFIG_SINK_SERVER,
    CONFIG_SINK_FROM,
    CONFIG_KEY_COUNT,
};
#define CONFIG_TOP_COUNT CONFIG_WATCH_TARGETS /* those at the top come first */

/* Where a key has its place. */
enum config_section {
    CONFIG_TOP,
    CONFIG_WATCH,
    CONFIG_EXPECT,
    CONFIG_SINK,
    CONFIG_SECTION_COUNT,
};
/* "watch", "expect", "sink"; NULL: the top. */
const char *config_section_name(enum config_section section);

struct config_key_info {
    enum config_section section;
    bool list;            /* takes { VALUE, VALUE } as well */
    const char *name;
    const char *fallback; /* values separated by one space; NULL: another key's, or it must be given: the help says */
    const char *takes;    /* what is allowed, for a mistake: "on, off" */
    const char *help;     /* one line for --print-config */
    /* One value: -EINVAL with what is wrong and what is allowed. */
    int (*check)(struct bytes value, struct err *err);
};

/* Never NULL for a key of the enum. */
const struct config_key_info *config_key_info(enum config_key key);
/* CONFIG_KEY_COUNT: there is none by that name. */
enum config_key config_key_by_name(enum config_section section, struct bytes name);
/* auto, cheap: a value of CONFIG_SENSOR that is given alone. */
bool config_sensor_is_automatic(struct bytes value);
/* Nanoseconds, bytes; 0: off. -EINVAL with what is wrong. */
int config_parse_age(struct bytes value, uint64_t *ret_ns, struct err *err);
int config_parse_retention_size(struct bytes value, uint64_t *ret, struct err *err);
/* Bytes on disk. -EINVAL. */
int config_parse_copies_size(struct bytes value, uint64_t *ret, struct err *err);
/* Nanoseconds; 0: off. -EINVAL with what is wrong. */
int config_parse_learning(struct bytes value, uint64_t *ret_ns, struct err *err);
/* "off" is 0. CLOCK_MONOTONIC's nanoseconds; -EINVAL. */
int config_parse_heartbeat(struct bytes value, uint64_t *ret_ns, struct err *err);
/* stop (false), oldest. -EINVAL with what is allowed. */
int config_parse_when_full(struct bytes value, bool *ret_oldest, struct err *err);
/* on, off, true, false, yes, no. -EINVAL: it is none. */
int config_parse_switch(struct bytes value, bool *ret);
