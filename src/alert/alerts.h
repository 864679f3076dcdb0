/* SPDX-License-Identifier: MIT */
/*
 * Judging: each event is expected, silenced, or belongs to a matter; each matter becomes one alert, which begins, is brought up to date
 * now and then, and is resolved when it has been quiet. Memory is bounded, counts are exact. Pure, but for the local time zone: time is
 * the caller's. One thread.
 *
 * Each event is counted once: expected + silenced + reported = seen.
 */
#pragma once

#include "alert/alerts_options.h"
#include "alert/redact.h"
#include "alert/usual.h"
#include "alert/series.h"
#include "event/event.h"
#include "util/err.h"
#include "util/sbuf.h"

struct alerts;

int alerts_new(const struct alerts_options *options, struct alerts **ret); /* -ENOMEM */
void alerts_free(struct alerts *a); /* NULL is fine; what is open is not reported any more */

/* Copied; what it points to is borrowed until it is replaced. */
void alerts_set_rules(struct alerts *a, const struct expect_rules *rules);
/* What is not said, from now on. */
void alerts_set_redaction(struct alerts *a, struct redact_rules rules);
/* What the sensors see and do not see, for people; copied. */
void alerts_set_coverage(struct alerts *a, struct bytes sensors, struct bytes not_seen);

/* What is usual at each watch: the caller keeps it on disk, and says what is watched. Valid as long as `a`. */
struct usual *alerts_usual(struct alerts *a);

/* now_ns: CLOCK_MONOTONIC. */
void alerts_event(struct alerts *a, const struct event *event, uint64_t now_ns);
void alerts_life(struct alerts *a, const struct lifecycle_event *life);
void alerts_gap(struct alerts *a, const struct gap *gap, uint64_t now_ns);
/* Something about culprit itself. what: one matter each; text: a sentence; both are ours. */
void alerts_own(struct alerts *a, const char *what, enum severity severity, const char *text, uint64_t now_ns);
/* What was done about the alert of that id, or why nothing was: a sentence of ours. It is in its messages from now on. */
void alerts_act(struct alerts *a, const char *id, const char *text);
/* Emits what is due. Cheap where nothing is. */
void alerts_tick(struct alerts *a, uint64_t now_ns);
/* It ends: what was not reported yet is, now. */
void alerts_end(struct alerts *a, uint64_t now_ns);

/* ---- silence: everything but what is done to culprit's own files, and what culprit says of itself ---- */

/*
 * From now on, of a path; that it begins, and that it ended with how many changes, are messages. Its number is given. -ENOSPC: there are
 * too many; -ENOMEM. *ret is valid until another one ends.
 */
int alerts_silence(struct alerts *a, const struct silence *silence, uint64_t now_ns, const struct silence **ret);
/* The matter of an open alert: id, or its beginning (hexadecimal digits). Its alert is over. -ENOENT: there is none; -EEXIST: several;
 * -EPERM: it is about culprit itself. */
int alerts_silence_alert(struct alerts *a, struct bytes id, const struct silence *silence, uint64_t now_ns, const struct silence **ret);
/* It ends now. -ENOENT */
int alerts_unsilence(struct alerts *a, uint32_t number, uint64_t now_ns, uint64_t *ret_events);
/* Those whose time is over end. Cheap where none is; each time beside alerts_tick(). */
void alerts_end_silences(struct alerts *a, uint64_t now_ns);
/* What was in force before the daemon ended: with its number, and nothing is said of it. -ENOSPC, -ENOMEM */
int alerts_take_silence(struct alerts *a, const struct silence *silence);
const struct silences *alerts_silences(const struct alerts *a);

/* ---- a test ---- */

/* What somebody sends to see whether it arrives: its sentence, and its line for the state. id: 32 hexadecimal digits; by: who. */
void alerts_write_test(const struct alerts *a, const char *id, struct bytes by, uint64_t realtime_ns, struct sbuf *ret_sentence,
                       struct sbuf *ret_line);

/* ---- what is counted ---- */

/* The counts as they are now; *ret is a copy. */
void alerts_look(const struct alerts *a, struct alerts_counts *ret);
/* Some of that by watch; valid until the next event. */
const struct alert_counts_by_watch *alerts_by_watch(const struct alerts *a);
/* One as an object, an element of an array: of status, and of what is kept on disk. */
void alerts_write_silence(const struct silence *s, struct sbuf *out);
/* Members of an object: the counts, what is silenced, and what is open. */
void alerts_write_status(const struct alerts *a, struct sbuf *out);

/*
 * Why an event was an alert or was none: members of an object. id: of the event, or its first bytes. -ENOENT: it is none of the last
 * 65,536; -EEXIST: it is the beginning of several.
 */
int alerts_explain(const struct alerts *a, struct bytes id, struct sbuf *out);
