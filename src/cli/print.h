/* SPDX-License-Identifier: MIT */
/* Events as they come, to stdout: text with long runs folded, or JSON with every one. */
#pragma once

#include "cli/cli.h"
#include "cli/outlet.h"
#include "event/ecs.h"
#include "event/sentence.h"
#include "report/live.h"

struct printer {
    enum format format;
    FILE *out;
    struct sentence_style style;
    uint64_t offset_of_s; /* the second that style.utc_offset_s is of */
    struct ecs_host host;
    struct arena arena;
    struct sbuf buffer;
    struct outlet *outlet; /* the way to `out`; NULL: by stdio */
    struct live live;
};

/* One thread. out is borrowed until printer_done(); colour and width are what it has now. */
void printer_init(struct printer *p, enum format format, FILE *out);
/* Prints what is left, and frees all but p itself. */
void printer_done(struct printer *p);
/* Each is formatted before it returns and may be freed; it is buffered (64 kB), and in text the same change again and again is one line. */
void printer_event(struct printer *p, const struct event *event);
void printer_life(struct printer *p, const struct lifecycle_event *life); /* text only: in JSON they are in the verdict */
void printer_gap(struct printer *p, const struct gap *gap);
/* Print a fold that is a second old, and write out what is buffered. */
void printer_idle(struct printer *p);
/* All that there is, also a fold that may go on. */
void printer_flush(struct printer *p);
/* Text of another kind, behind what is buffered; it is empty then. */
void printer_text(struct printer *p, struct sbuf *text);

/* name, machine-id and boot id of this machine; strings live in `arena`. */
struct ecs_host cli_host(struct arena *arena);

/* "2026-11-16 03:12:00.118", in local time. time_ns: CLOCK_REALTIME. */
void cli_add_moment(struct sbuf *out, uint64_t time_ns);
