/* SPDX-License-Identifier: MIT */
/*
 * Where a login came from: the peer of sshd's own connection, else the address that logind or utmp noted, else what sshd passed to the
 * first process of the session by its environment. Read while the session is there, and remembered; in workers
 * (foreign/foreign.h) that are waited for a moment only, and asked again.
 */
#pragma once

#include "event/process.h"
#include "util/err.h"

struct sessions;

/* root: "/", or a directory of the same shape in tests; proc: "/proc" likewise. Both borrowed. */
int sessions_new(const char *root, const char *proc, struct sessions **ret, struct err *err);
void sessions_free(struct sessions *s); /* NULL is fine */

/* p has just executed something: if it is sshd for one connection, its socket is looked at now, as a command given to ssh may be
 * over in milliseconds; nobody waits. */
void sessions_see(struct sessions *s, const struct process *p);
/* The address of p's session; its launchers and its login's name are known. BYTES_NULL: it came from nowhere else, or
 * that is not known. Valid until the next call. */
struct bytes sessions_remote(struct sessions *s, const struct process *p);

/* ---- pure parts, for tests ---- */

/* The text of /run/systemd/sessions/ID of logind. session: by the kernel's audit; another one's file has none of it. */
struct bytes sessions_parse_logind(struct bytes text, uint32_t session);
/* The bytes of /run/utmp: the address of whoever is logged in at that terminal. In `buffer`. */
#define SESSIONS_ADDRESS 256
struct bytes sessions_parse_utmp(struct bytes text, struct bytes terminal, struct bytes user, char buffer[SESSIONS_ADDRESS]);
/* The environment of a process, each variable ended by a NUL. */
struct bytes sessions_parse_environment(struct bytes text);
