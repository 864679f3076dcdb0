/* SPDX-License-Identifier: MIT */
/* What names are made of: command lines, users, containers. Escaped for terminals. */
#pragma once

#include "event/cause.h"
#include "event/container.h"
#include "event/process.h"
#include "util/sbuf.h"

/* "bob", "uid 1000"; root where it is that. */
void name_uid(struct sbuf *out, uint32_t uid, struct bytes name);
/* "ann, as root by sudo, at pts/3 from 10.0.0.7"; nothing if not known. */
void name_person(struct sbuf *out, const struct person *person);
/* argv as one line, cut to `columns` (0 = whole). */
void name_command_line(struct sbuf *out, struct bytes args, unsigned columns);
/* The same of `run`, whose first word is what the process calls itself: where its executable is called otherwise, that is
 * there, and the word behind the line. args: its argv, each ended by a NUL. */
void name_run_line(struct sbuf *out, const struct cause_run *run, struct bytes args, unsigned columns);
/* Its name, else the beginning of its id. */
void name_container(struct sbuf *out, const struct container *container);

/* "a command typed in bash (a shell builtin or redirection)"; false: it is none. */
bool name_typed(struct sbuf *out, const struct cause_run *run);
/* He is another user now than the one who logged in. */
bool name_user_changed(const struct person *p);
/* ", as root by sudo"; a log may not say by what. */
void name_user_change(struct sbuf *out, const struct person *p);
