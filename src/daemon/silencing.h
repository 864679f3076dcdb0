/* SPDX-License-Identifier: MIT */
/* Silences as the control socket asks for them: who it was, by the kernel's word, and a file beside the store, so that they outlive the daemon. */
#pragma once

#include <sys/types.h>

#include "alert/alerts.h"
#include "util/err.h"
#include "util/log.h"
#include "util/sbuf.h"

struct json_t;

struct silencing {
    struct alerts *alerts;   /* borrowed */
    const struct log *log;
    struct sbuf path;        /* "silences" beside the store */
    uint64_t saved_events;   /* of all of them, as the file has it */
    uint64_t next_save_ns;   /* CLOCK_MONOTONIC */
};

/* "alice as root": who that process is, by the kernel's word; appended. */
void silencing_author(pid_t pid, uid_t uid, struct sbuf *out);

/* Takes what is in force still. -ENOMEM; what cannot be read is warned about. */
int silencing_begin(struct silencing *s, struct alerts *alerts, struct bytes store_path, const struct log *log);
void silencing_done(struct silencing *s); /* counts are written; what was never begun is fine */

/*
 * parameters: target or alert, seconds, reason. pid, uid: of whoever asks. -EINVAL: *ret_parameter is what is wrong; -ENOENT, -EEXIST, -EPERM:
 * of the alert; -ENOSPC. It is on disk when it returns, else nothing is silenced.
 */
int silencing_add(struct silencing *s, const struct json_t *parameters, pid_t pid, uid_t uid, const struct silence **ret, const char **ret_parameter,
                  struct err *err);
/* -ENOENT */
int silencing_end(struct silencing *s, uint32_t number, uint64_t *ret_events, struct err *err);
/* Each time the loop has done what there was: keeps the counts, every other second at most. */
void silencing_idle(struct silencing *s);
/* One has ended by itself. */
void silencing_ended(struct silencing *s);
