/* SPDX-License-Identifier: MIT */
/*
 * Where alerts go. A sink is one file and one row of the table in sinks.c. Each has a process of its own (process.h), which was forked
 * while there were no threads, and delivers each message in a child of that one, with a deadline: nothing here can slow the daemon.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sink/message.h"
#include "util/bytes.h"
#include "util/err.h"

#define SINK_TO_MAX 16

/* What the configuration says of one; texts end in a NUL beside their length. */
struct sink_settings {
    struct bytes name;
    const struct sink_ops *ops;
    const struct bytes *to;   /* a path, a command with its arguments, URLs */
    size_t to_count;
    struct bytes format, secret_file, ca_file, user, server, from;
    uint64_t timeout_ns;
    uint64_t size;            /* of a file before it is rotated, bytes */
    uint32_t severity;        /* less grave messages are not for it */
    const char *spool;        /* directory of its own */
};

#define SINK_TAKES_FORMAT (1u << 0)
#define SINK_TAKES_SECRET (1u << 1)
#define SINK_TAKES_CA (1u << 2)
#define SINK_TAKES_SERVER (1u << 3) /* and from */

struct sink_ops {
    const char *type;
    size_t to_min, to_max;    /* so many values of `to` */
    const char *to_help;      /* "a path that begins with /" */
    int (*check)(struct bytes to, struct err *err); /* one of them; NULL: any */
    /* In a child that ends afterwards. 0; SINK_DROP with the reason: it never gets there; -errno with what was answered: it is tried again later. */
    int (*deliver)(const struct sink_settings *s, const struct sink_message *m, struct err *err);
    bool apart; /* each value of `to` is a place of its own: with a process, a spool and failures of its own, deliver() gets one */
    unsigned takes; /* SINK_TAKES_*: which values it has beside those of all */
    bool (*wants)(const struct sink_message *m); /* others are not for it; NULL: all are */
};
#define SINK_DROP (-ENODATA) /* counted as dropped */

/* NULL past the end. */
const struct sink_ops *sink_ops(unsigned index);
const struct sink_ops *sink_ops_by_type(struct bytes type);

extern const struct sink_ops sink_journal, sink_file, sink_exec, sink_webhook, sink_syslog, sink_container, sink_mail, sink_kubernetes;

/* What it gives away before it deals with others: the user and his groups; no privileges are gained afterwards. -errno. */
int sink_become(struct bytes user, struct err *err);
/* The same; gains: but for the last. */
int sink_become_user(struct bytes user, bool gains, struct err *err);
/* The secret of a file without its newline. -errno. */
int sink_read_secret(struct bytes path, struct sbuf *ret, struct err *err);
/* "ecs" and so on: is it a format of webhooks? NULL past the end. */
const char *sink_format(unsigned index);
