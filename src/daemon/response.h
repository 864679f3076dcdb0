/* SPDX-License-Identifier: MIT */
/*
 * What the configuration has done to a culprit (on_verdict of a watch): once for each process of an alert, or for each alert; so often an
 * hour, and then never again until the configuration is read anew. One thread.
 */
#pragma once

#include "alert/alert.h"
#include "config/config.h"
#include "daemon/responder.h"
#include "util/log.h"

struct response;

struct response_options {
    const struct log *log;
    void *data;
    /* What was done, or why nothing was; id: of the alert. */
    void (*acted)(void *data, const char *id, const char *text);
    /* It is done no more. what: one matter each. */
    void (*failing)(void *data, const char *what, const char *text);
};

/* Where a watch of the configuration has on_verdict, none too; else NULL, and 0. With one thread, and before privileges are given away. */
int response_start(const struct response_options *options, const struct config *c, struct response **ret, struct err *err);
/* Those of this configuration from now on, armed. r NULL: what is asked for counts from the next start on, and that is said; true: it is. -ENOMEM. */
int response_configure(struct response *r, const struct config *c, const struct log *log, bool *ret_later);
int response_fd(const struct response *r); /* readable: response_read() */
void response_read(struct response *r);
/* An event that belongs to the alert of that id. The culprit has to be beyond doubt. */
void response_event(struct response *r, const struct event *event, const char *id);
/* An alert as sinks get it. */
void response_alert(struct response *r, const struct alert *alert);
void response_free(struct response *r); /* NULL is fine */
