/* SPDX-License-Identifier: MIT */
/*
 * The daemon's control socket: who may connect, calls taken apart, replies kept until they are taken. Nothing here waits for
 * a client: what one does not take is bounded, and costs nobody else. One thread.
 */
#pragma once

#include <sys/types.h>

#include "control/call.h"
#include "util/err.h"
#include "util/log.h"
#include "util/sbuf.h"

struct control_server;
struct control_client;

struct control_server_options {
    const struct log *log;
    const char *path;
    const char *group; /* may connect beside root, if there is such a group; NULL: root alone */
    void *data;
    /* One call. It is answered by control_client_out() and control_client_replied(), now or later: until then the client's next one waits.
     * The call is borrowed. */
    void (*call)(void *data, struct control_client *client, const struct control_call *call);
    /* The client sends no more and waits for what is left of a reply that goes on. */
    void (*finishing)(void *data, struct control_client *client);
    /* It is gone, and freed after this. */
    void (*gone)(void *data, struct control_client *client);
};

/* Makes the socket, in place of a dead daemon's, with the rights it is to have; nobody can connect yet. Whoever calls this holds
 * the daemon's lock. -errno with the path. */
int control_server_open(const struct control_server_options *options, struct control_server **ret, struct err *err);
int control_server_listen(struct control_server *s, struct err *err);
void control_server_close(struct control_server *s); /* and the path goes; NULL is fine */

int control_server_fd(const struct control_server *s); /* readable when there is something to do */
/* Takes what is there, calls back, writes what is taken. Also to be called now and then where nothing is readable. */
void control_server_dispatch(struct control_server *s);
unsigned control_server_clients(const struct control_server *s);

/* Who connected, by the kernel's word (SO_PEERCRED); the process may be gone. */
pid_t control_client_pid(const struct control_client *c);
uid_t control_client_uid(const struct control_client *c);
gid_t control_client_gid(const struct control_client *c);
/* The groups beside that (SO_PEERGROUPS): how many; 0: none, more than max, or a kernel that does not say. */
size_t control_client_groups(const struct control_client *c, gid_t *ret, size_t max);
bool control_client_may_change(const struct control_client *c); /* root, or whoever the daemon runs as */

/* Where a reply is written; whole messages. */
struct sbuf *control_client_out(struct control_client *c);
/* Is there room for what is not a reply to a question: less waits for this client than its share? */
bool control_client_has_room(const struct control_client *c);
size_t control_client_waiting(const struct control_client *c); /* bytes that it has not taken */
/* Something was written to its buffer. last: the call is answered, another one may come. */
void control_client_replied(struct control_client *c, bool last);
