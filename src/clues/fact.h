/* SPDX-License-Identifier: MIT */
/*
 * What a source found, as plain data: the vocabulary of `culprit clues`. All bytes come from outside: they are escaped
 * where they are printed. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/bytes.h"
#include "util/sbuf.h"

enum clue_kind {
    /* how it is now */
    CLUE_MISSING,
    CLUE_CHANGED,
    CLUE_ADDED,
    CLUE_HIDDEN,    /* it is there, under a mount */
    CLUE_UNMOUNTED, /* fstab mounts something there, and it is not mounted */
    CLUE_OPEN,      /* deleted, and a process holds it open */
    CLUE_KEPT,      /* a copy of it is elsewhere */
    CLUE_INTACT,    /* compared, and nothing differs */
    CLUE_RECORDED,  /* culprit has a record of it */
    /* when */
    CLUE_TIME,
    CLUE_BACKUP,    /* what may have a copy: named, not opened */
    /* what happened then */
    CLUE_HAPPENED,
    CLUE_RUNNING, /* a process that is still there */
    /* what is set to happen */
    CLUE_RULE,
    CLUE_AGENT, /* a known product is here */
    CLUE_ACCESS, /* `user` may not write to what whoever did it wrote to: so since from_ns, when that was last changed */
    CLUE_KIND_COUNT
};

/* What a fact says beside its words. Judging goes by these alone. */
enum clue_mark {
    CLUE_NAMES_PATH = 1 << 0,  /* the line names the path itself */
    CLUE_NAMES_ABOVE = 1 << 1, /* a directory above it, or a pattern that covers it */
    CLUE_NAMES_BELOW = 1 << 2, /* something below it */
    CLUE_REMOVES = 1 << 3,     /* what the line runs or does removes or moves files */
    CLUE_ALTERS = 1 << 4,      /* changes contents, mode or owner */
    CLUE_STARTED = 1 << 5,     /* something began to run at from_ns */
    CLUE_LATEST = 1 << 6,      /* the time is the latest possible one: it may have happened before */
    CLUE_DUE = 1 << 7,         /* its schedule has the moment */
    CLUE_NOT_DUE = 1 << 8,     /* its schedule does not */
    CLUE_LATER = 1 << 9,       /* it did not exist yet at the moment */
    CLUE_GUARDS = 1 << 10,     /* a product that removes what it takes for harmful */
    CLUE_BY_AGE = 1 << 11,     /* removes what is old */
    CLUE_COMMAND = 1 << 12,    /* `text` holds a command: the scripts it runs are worth a look */
    CLUE_DID = 1 << 13,        /* a record of the very act: a trash's note, an audit record */
    CLUE_EXACT = 1 << 14,      /* the time is that of the act itself: a deletion time, a whiteout's */
    CLUE_HOLDS = 1 << 15,      /* a process that works in the directory, or holds a file there */
    CLUE_RECREATES = 1 << 16,  /* its files begin anew with it */
    CLUE_LOGGED = 1 << 17,     /* whenever it runs, the logs that were read have it */
    CLUE_STILL = 1 << 18,      /* the time is one at which it was still there */
    CLUE_BOOT = 1 << 19,       /* the machine was started then */
    CLUE_MARKS_ALL = (1 << 20) - 1,
};

#define CLUE_NAMES (CLUE_NAMES_PATH | CLUE_NAMES_ABOVE | CLUE_NAMES_BELOW)

struct clue_fact {
    enum clue_kind kind;
    unsigned marks;          /* enum clue_mark */
    unsigned source;         /* index into the table of sources; set by whoever asked */
    uint64_t from_ns, to_ns; /* CLOCK_REALTIME; 0 = no time; to_ns 0 = the same */
    struct bytes text;       /* what is known, or the line itself */
    struct bytes place;      /* where that is: "/etc/crontab:7"; empty: nowhere */
    struct bytes path;       /* the file that it is about; empty: the target */
    struct bytes user;       /* who it ran as: a name, or "#UID"; empty: not known */
    struct bytes suspect;    /* whom it points at; the same text is the same one. Empty: nobody */
};

#define CLUE_TEXT_MAX 400       /* of one text; what is longer is cut, and ends in "..." */
#define CLUE_PATH_MAX (4 * 1024)
#define CLUE_USER_MAX 64        /* of a user's name: a longer one is cut, and is nobody's then */
#define CLUE_SPANS_MAX 4
#define CLUE_FACTS_MAX 1024     /* of one source; the rest is counted */

struct clue_span {
    uint64_t from_ns, to_ns;
};

/* What every source is asked. */
struct clue_question {
    struct bytes path;      /* absolute, normalised; of a container: as it sees it */
    struct bytes host_path; /* of a container: where the host finds it; else empty */
    struct bytes written;   /* as it was asked for, where links lead to `path`; else empty */
    struct bytes extra;     /* of one source: a list of its own; else empty */
    uint64_t now_ns;
    uint64_t boot_ns;  /* when the machine was started for the last time; 0: not known */
    uint64_t anew_ns;  /* when what the path lies in began with what its image has, or empty: of a container. 0: it never did, or nobody knows */
    uint64_t patience; /* times the usual time; 0 = 1 */
    uint64_t since_ns, until_ns; /* what the user said of the time; 0 = open */
    struct clue_span spans[CLUE_SPANS_MAX]; /* the moments that count, the first one most */
    size_t span_count;
};

#define CLUE_BEFORE_NS (60 * UINT64_C(1000000000)) /* what began so long before a moment is shown with it */
#define CLUE_AFTER_NS (5 * UINT64_C(1000000000))
#define CLUE_FAR_NS (3600 * UINT64_C(1000000000))  /* a line that names the path, so long before */

/* The span of `q` that the time belongs to; `before`: how long before it still counts. -1: to none. */
int clue_span_of(const struct clue_question *q, uint64_t time_ns, uint64_t before);

/* How far from the beginning of the nearest moment, in nanoseconds; UINT64_MAX: it has no time, or there is no moment. */
uint64_t clue_distance(const struct clue_question *q, const struct clue_fact *f);

/* So long at most, of a source that usually may take that. */
uint64_t clue_patience(const struct clue_question *q, uint64_t usual_ns);

/* A question as bytes, and back. -EBADMSG: it is none. Views into `in`. */
void clue_question_put(struct sbuf *out, const struct clue_question *q);
int clue_question_get(struct bytes in, struct clue_question *ret);

/* ---- what a source answers ---- */

/* One fact, as bytes that clue_take() reads. Texts that are too long are cut. */
void clue_put(struct sbuf *answer, const struct clue_fact *f);
/* It would have had everything from then to then; to_ns 0: until now. */
void clue_put_cover(struct sbuf *answer, uint64_t from_ns, uint64_t to_ns);
/* What could not be looked at, or not wholly: for people. */
void clue_put_note(struct sbuf *answer, const char *format, ...) _printf_(2, 3);

enum clue_part { CLUE_PART_END, CLUE_PART_FACT, CLUE_PART_COVER, CLUE_PART_NOTE };

/* The next part of an answer, of which nothing is believed; views into it. cover: a span; note: `text` of the fact. A negative errno,
 * CLUE_PART_END, or what it is. */
int clue_take(struct bytes *answer, struct clue_fact *ret_fact, struct clue_span *ret_cover);

const char *clue_kind_name(enum clue_kind kind); /* "missing", ... */
