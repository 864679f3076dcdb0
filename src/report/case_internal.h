/* SPDX-License-Identifier: MIT */
/* What the files of report/ share: the case as it is collected. Not for other folders. */
#pragma once

#include <uthash.h>

#include "report/case.h"

#define STARTS_MAX 32          /* starts of the victim that one suspect is seen to follow */
#define TRACES_MAX 8192        /* files followed by name through creations and moves */
#define SEEN_MAX 65536         /* different files and processes that are told apart to be counted */
#define SAMPLE_BYTES (4 * 1024 * 1024) /* for all paths that are kept by name */

/* One kind of thing that a suspect did to one victim. */
struct tally {
    struct tally *next;
    enum operation operation;
    int error;
    enum victim_kind victim_kind;
    struct container *victim; /* owned reference, NULL = the host's */
    struct bytes sharers;     /* other containers with the same files: names, each ended by a NUL */
    uint64_t count;
    uint64_t seen;            /* of it: looked at one by one; the rest is a count of the store's */
    uint64_t temporary;       /* of it: deletions of files that the suspect had made itself */
    uint64_t own_files;       /* of it: changes to files that the suspect had made itself */
    uint64_t moved_first;     /* of it: deletions of files that had been moved away first */
    uint64_t files;           /* different ones among them, as far as they were told apart */
    bool files_beyond;        /* not all were */
    uint64_t moved_out;       /* renames that took the file out of what is watched */
    uint64_t followed;        /* renames whose file was deleted afterwards: told there */
    uint64_t first_ns, last_ns;
    bool since_start_known;
    int64_t since_start_ns;   /* of the first */
    struct bytes *samples;    /* paths, oldest first, LIMIT_CASE_SAMPLES at most */
    size_t sample_count;
    struct bytes directory;   /* the deepest that holds all the paths seen */
    struct file_state before, after; /* of the first one; names live in the case's arena */
    bool gains_write;         /* chmod: the first one made something writable */
};

struct start {
    uint64_t start_ns;
    int64_t since_ns;
};

/* Who: everything with the same executable, launched by the same chain, living in the same place. */
struct suspect {
    struct suspect *next;
    struct actor actor;       /* of its first event; strings live in the case's arena, process is owned */
    uint64_t chain;           /* hash of what makes it one suspect */
    unsigned order;
    uint64_t processes;       /* how many different ones */
    pid_t last_pid;           /* counted among them already; 0 = nobody yet */
    struct tally *tallies;
    uint64_t first_ns, last_ns;
    struct start starts[STARTS_MAX];
    size_t start_count;
    bool own_command;         /* descends from run's COMMAND */
    bool noise;               /* judged: told in one line */
    unsigned harm;            /* judged: 3 destroyed, 2 changed permissions, 1 changed contents, 0 created */
};

/* A file followed by its name: who made it, or where it was before. */
struct trace {
    struct bytes key;        /* victim's id, a NUL, the path */
    struct bytes original;   /* path before the first move; BYTES_NULL: made, not moved */
    const struct suspect *maker;
    struct suspect *mover;
    struct tally *moved_by;
    UT_hash_handle hh;
};

/* Something that has been counted already: the hash of it and of what it is counted in. */
struct seen {
    uint64_t key;
    UT_hash_handle hh;
};

struct explained {
    enum explanation kind;
    uint64_t time_ns, files;
    struct bytes detail;
};

/* Coverage of one watch: spans that follow on one another are one line. */
struct watched {
    struct coverage coverage; /* from the first span's beginning to the last one's end; texts in the case's arena */
    unsigned spans;           /* that do not touch */
    uint64_t between_ns;      /* not watched, between them */
};

struct case_ {
    struct arena arena;
    struct case_options options;
    struct suspect *suspects;
    struct suspect *last_suspect; /* whose event came last */
    unsigned suspect_count, tally_count;
    uint64_t beyond;         /* events of suspects beyond the limits */
    size_t sample_bytes;
    struct trace *traces;
    struct trace no_trace;   /* among them, of nothing: a table that gets empty is made anew for the next */
    struct sbuf trace_key;   /* of the one that is looked for */
    struct seen *seen;
    uint64_t events, refused, lost;
    bool lost_unknown;
    uint64_t filtered, allowed; /* seen, and left out by the user's filter */
    int own_status;             /* run: culprit's own exit status; -1 = not decided */
    struct gap gaps[16];
    size_t gap_count, gaps_beyond;
    struct watched watched[16];
    size_t watched_count, watched_beyond;
    struct case_question *questions; /* in the arena */
    struct explained explained[16];
    size_t explained_count;
    struct bytes removed;    /* the name of the first container that was removed with its layer */
    uint64_t starts;         /* of the victim's containers, seen in their lives */
    uint64_t first_ns, last_ns;
    bool judged;
};

/* judge.c: decide harm and noise, put the suspects into the order of interest. */
void case_judge(struct case_ *c);
/* The one sentence of a suspect, without a newline. */
void case_sentence(const struct case_ *c, const struct suspect *s, struct sbuf *out);
/* The sentence where there is nobody to accuse. */
void case_sentence_nobody(const struct case_ *c, struct sbuf *out);
/* "12 more events did not match the filters" */
void case_filtered(const struct case_ *c, struct sbuf *out);
/* "21 files deleted in /prd/ProcessConf": one tally. */
void case_what(const struct tally *t, struct sbuf *out);
/* "on the host", "in container web itself", "" if not known. */
void case_where(const struct suspect *s, struct sbuf *out);
struct bytes case_actor_name(const struct suspect *s);
/* Deletions and the like that count, of all tallies of the suspect. */
uint64_t tally_net(const struct tally *t);
/* How many files: what makes or takes away a file is a file each time, anything else may happen to
 * the same one many times. 0: not known. */
uint64_t tally_files(const struct tally *t);
/* "after each of the last 5 starts, 0.9 to 1.3 s after the start"; nothing if there is no pattern. */
void case_pattern(const struct case_ *c, const struct suspect *s, struct sbuf *out);
bool case_victim_same(const struct container *a, const struct container *b);
