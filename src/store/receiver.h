/* SPDX-License-Identifier: MIT */
/*
 * The other end of sender.h: messages become records again, without a store between. What is received may be damaged or made
 * up: it is checked, and nothing of it is trusted. One thread.
 */
#pragma once

#include "event/container.h"
#include "event/event.h"
#include "util/err.h"

struct receiver;

struct receiver_sink {
    void *data;
    void (*event)(void *data, struct event *event); /* the receiver's to keep; with process, victim and cause */
    void (*life)(void *data, const struct lifecycle_event *life);
    void (*gap)(void *data, const struct gap *gap);
};

struct receiver *receiver_new(void); /* NULL: out of memory */
void receiver_free(struct receiver *r); /* NULL is fine */
/* All messages of one buffer, which sender_restart() began. -EBADMSG: some are none; those before were handed on. */
int receiver_take(struct receiver *r, struct bytes messages, const struct receiver_sink *sink, struct err *err);
