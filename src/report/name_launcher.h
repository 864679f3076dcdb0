/* SPDX-License-Identifier: MIT */
/* What started whatever made the change, in the words of the verdict: one row a kind. Escaped for terminals; pure. */
#pragma once

#include "event/cause.h"
#include "event/event.h"
#include "util/sbuf.h"

/* In a row: words before the name in a sentence ("%" is the engine), after it, and the short form of the `who` line. */
struct launcher_words {
    const char *before, *after, *who;
    bool headline; /* it is named first, then what it ran */
    bool by_person; /* whoever asked for it is named in the sentence */
    const char *detail; /* words before the detail, where the sentence has the detail as well */
};

/* Never NULL: a kind without words has a row without any. It lives as long as the program. */
const struct launcher_words *launcher_words_of(const struct cause_launcher *launcher);
/* Its detail: a text, or the arguments of an engine's client; those of `ansible -a`, which may be a file's whole content, are cut. */
void name_launcher_detail(struct sbuf *out, const struct cause_launcher *launcher);
/* What started it, in a few words: "cron of bob (8 3 * * * /opt/jobs/purge-logs --older 3)"; nothing if not known. */
void name_launcher(struct sbuf *out, const struct cause_launcher *launcher);
/* ", a cron job of bob": behind what was run; false, and nothing written, where no words are for it. */
bool name_started_by(struct sbuf *out, const struct cause *cause, const struct actor *actor);
/* ", started by /opt/clean.sh (root) with docker run of image shop:1.4": who had an engine start the container; ", called by /opt/x.sh":
 * what called the client of an exec. False: neither is known. */
bool name_client(struct sbuf *out, const struct cause *cause);
/* "container web", of an entry point's launcher; "a container of image shop:1.4" where its name is another one each time. */
void name_home(struct sbuf *out, const struct cause *cause);
/* What sshd or cron was given: a command's line, or the text that they have a shell of their own run. BYTES_NULL: what runs is named. */
struct bytes name_given_line(const struct cause *cause);
/* Somebody is named by name_asked_by(). */
bool name_is_asked_by(const struct cause *cause);
/* ", run by ann": who logged in, where the launcher is one that a person uses; false: nobody has to be named. */
bool name_asked_by(struct sbuf *out, const struct cause *cause);
