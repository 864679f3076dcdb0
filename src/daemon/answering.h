/* SPDX-License-Identifier: MIT */
/*
 * Questions to the record by whoever may look: who, search and diff, each answered by processes of its own (daemon/answerer.h). Here is
 * whose turn it is, and how what they print gets to the client. Nothing waits: what a client does not take stays where it is. One thread.
 */
#pragma once

#include "control/server.h"
#include "daemon/answerer.h"

struct member_ask;
struct pipeline;

struct answering {
    struct answerer_options options; /* answer NULL: there is none */
    struct member_ask *first;
    int socket, epoll_fd;
};

#define ANSWERING_INIT ((struct answering){ .socket = -EBADF, .epoll_fd = -EBADF })

/* With one thread, before privileges are given away. Options are copied; store is borrowed until answering_close(). */
int answering_open(struct answering *a, const struct answerer_options *options, struct err *err);
int answering_start(struct answering *a, struct pipeline *pipeline, struct err *err);
void answering_close(struct answering *a); /* what was never opened is fine */

/* The method Ask; it is answered, now or later. */
void answering_ask(struct answering *a, struct control_client *client, const struct control_call *call);
void answering_gone(struct answering *a, const struct control_client *client);
/* At each turn: what has come goes to the clients as far as they take it. */
void answering_idle(struct answering *a);
