/* SPDX-License-Identifier: MIT */
/* The case as it is collected, for the files of report/. */
#pragma once

#include "event/cause.h"
#include "event/coverage.h"
#include "event/event.h"
#include "report/case_options.h"
#include "util/hash_table.h"
#include "util/slots.h"

#define STARTS_MAX 32          /* starts of the victim that one culprit is seen to follow */
#define RUNS_MAX 16            /* runs of one culprit that may interleave */
#define ONCE_NS (2 * NS_PER_S) /* nearer to each other than this is one occasion */
#define TOOLS_MAX 12           /* programs by which one culprit made its changes */
#define TALLY_TOOLS_MAX 3      /* of them that are named with one kind of change */
#define NOTES_MAX 4            /* different doubts of one culprit */
#define TRACES_MAX 8192        /* files followed by name through creations and moves */
#define PARTS_MAX 8            /* kinds of changes to one such file that wait for what becomes of it */
#define SEEN_MAX 65536         /* different files and processes that are reported apart to be counted: 1.4 MB */
#define SAMPLE_BYTES (4 * 1024 * 1024) /* for all paths that are kept by name */

/* What kind of a change it was, beyond the operation. */
enum variant {
    VARIANT_PLAIN,
    VARIANT_OWN,       /* of a file that the culprit itself had made */
    VARIANT_AWAY,      /* a rename out of what is watched */
    VARIANT_ANEW,      /* a deletion, and another file made under the name soon */
    VARIANT_BACK,      /* a rename, and another one that gave the file its name back */
    VARIANT_KEPT,      /* a rename, and another file made under the old name soon: what editors do that keep a copy */
    VARIANT_EXCHANGE,  /* two renames that swap two names */
    VARIANT_UNCHANGED, /* mode or owner set to what they were */
    VARIANT_CARRIED,   /* of a folder above: what is watched went with it */
    VARIANT_BROUGHT,   /* of a folder above: what is watched came with it */
    VARIANT_OVERWRITTEN, /* emptied, and filled by the same culprit: what `>` and cp do */
    VARIANT_CUT,       /* cut, and what is in it may have been written after that: who sees no calls does not know */
    VARIANT_REOPENED,  /* opened with O_TRUNC; whether anything was written then, the sensor does not see */
    VARIANT_ARRIVED,   /* a rename to a name that is watched, from one that is not known */
    VARIANT_AROUND,    /* a mount on the host, on the way to a container's files: the container does not see it */
    VARIANT_BUNDLE,    /* a folder of the runtime's own got another name, the container's root in it: containerd, before it removes it */
    VARIANT_UNCERTAIN, /* something changed; what is not known */
};

/* Why an event is not reported by itself. The names in JSON are those of fold_name(). */
enum fold {
    FOLD_TEMPORARY,   /* about files that the culprit made and deleted again */
    FOLD_REPLACEMENT, /* writing the new file, and renaming it over the old one or making it in its place: reported as its replacement */
    FOLD_CONTENTS,    /* filling files that the culprit had created or emptied: reported as their creation, or as overwritten */
    FOLD_RENAMED,     /* giving a file that it had created its final name: reported as its creation */
    FOLD_PASSING,     /* giving a file a name that it kept for a moment: reported as its rename to the last one */
    FOLD_MOVED,       /* moving a file away that was deleted afterwards: reported as its deletion */
    FOLD_COUNT,
};

/* Why all that a culprit did is not reported by itself. */
enum noise {
    NOISE_NONE,
    NOISE_ENGINE,    /* the container runtime made new files only */
    NOISE_CONTAINER, /* the container's own processes made new files only */
    NOISE_COMMAND,   /* the COMMAND of `culprit run` made new files only */
    NOISE_AROUND,    /* the runtime's mounts and folders on the host around the container: stays noise, whatever else happened */
    NOISE_REMOVED,   /* the runtime dropped the layer of a container: reported as that */
    NOISE_EMPTY,     /* nothing of it was counted */
    NOISE_COUNT,
};

/* One path of a tally. */
struct sample {
    struct bytes path;
    struct bytes other; /* new name of a rename, source of a replacement, first name of a creation, target of a link; of a
                         * deletion: the name that it was moved to first, or from */
};

/* One kind of thing that a culprit did to one victim. */
struct tally {
    struct tally *next;
    enum operation operation;
    int error;
    enum variant variant;
    bool directory;           /* to directories */
    struct bytes tools[TALLY_TOOLS_MAX]; /* programs by which it was done, where it was not the culprit itself */
    unsigned tool_count;      /* more than TALLY_TOOLS_MAX: and others */
    bool by_itself;           /* some of it was done without a tool */
    enum victim_kind victim_kind;
    struct container *victim; /* owned reference, NULL = the host's */
    struct bytes sharers;     /* other containers with the same files: names, each ended by a NUL */
    uint64_t reported;            /* events, without those that are folded */
    uint64_t folded[FOLD_COUNT];
    uint64_t unread;          /* of `reported`: counted by the store, looked at by nobody */
    uint64_t moved_first;     /* of `reported`: deletions of files that had been moved away first */
    uint64_t written_new;     /* of `reported`: replacements by a file that the culprit had written */
    uint64_t files;           /* different ones among those reported, as far as they were reported apart */
    bool files_beyond;        /* not all were */
    uint64_t bytes;           /* written, where bytes_known */
    bool bytes_known, bytes_unknown; /* of some; of some not */
    int64_t growth;           /* of those whose bytes are not known: how much larger the files became, where growth_known */
    bool growth_known;
    uint64_t first_ns, last_ns; /* of those reported */
    uint64_t start_ns;        /* when the victim had started, at the first; 0 = not known */
    struct sample *samples;   /* oldest first, LIMIT_CASE_SAMPLES at most */
    size_t sample_count;
    struct bytes above, carried; /* of a change above: the first one, and what it meant, in words; escaped */
    struct bytes directory_of; /* the deepest that holds all the paths seen */
    struct bytes top;         /* the deepest that is or holds them: if that is not directory_of, it is one of them */
    struct file_state before, after; /* of the first one; names live in the case's arena */
    bool place_unsure;        /* judged: there are unread ones, which may lie elsewhere than in directory_of */
    bool same_change;         /* all were from the same state to the same state */
    bool gains_write;         /* chmod: the first one made something writable */
    bool by_guard;            /* culprit's guard refused each of them */
    bool kept_no_more;        /* an old file that was kept was deleted or moved on */
};

struct start {
    uint64_t start_ns;
    int64_t since_ns;
};

/* How often it began to do something: by runs, and by pauses of one run. */
struct rhythm {
    struct {
        pid_t pid;
        uint64_t start_ns; /* CLOCK_BOOTTIME */
    } runs[RUNS_MAX];      /* the last ones, of what was run and not of its tools */
    unsigned next;
    uint64_t run_count;    /* processes of what was run */
    uint64_t occasions;    /* what is nearly one moment is one */
    uint64_t first_ns, last_ns;  /* the beginning of the first and of the last one */
    uint64_t low_ns, high_ns;    /* shortest and longest time from one to the next */
    uint64_t event_ns;     /* the last event */
    bool unknown;          /* not all events were looked at, or not in order of time */
};

struct tool {
    struct bytes name;
    uint64_t processes;
    pid_t last_pid;
};

struct note {
    struct bytes text;
    uint64_t count;
};

/* The other half of a replacement or an exchange: two events of one moment. */
struct half {
    uint64_t time_ns;
    pid_t pid;
    struct fingerprint key;     /* of the victim and the name that both halves have */
    struct fingerprint old_key; /* of the rename: the name that it took away */
    uint64_t inode;             /* of the rename: what it moved; 0: not known */
    struct tally *tally;
    bool own;             /* the file that is gone was the culprit's own */
};

/* Whom a person would name: everything with the same cause. */
struct culprit {
    struct culprit *next;
    struct fingerprint key;      /* of the cause */
    unsigned order;
    struct actor actor;       /* of its first event; strings live in the case's arena, process is owned */
    struct cause cause;       /* of its first event; strings live in the case's arena, processes are owned */
    struct bytes node;        /* the machine, where a log names one; in the case's arena */
    uint64_t processes;       /* how many different ones */
    pid_t last_pid;           /* counted among them already; 0 = nobody yet */
    struct tally *tallies;
    uint64_t first_ns, last_ns;
    struct start starts[STARTS_MAX];
    size_t start_count;
    struct rhythm rhythm;
    struct tool tools[TOOLS_MAX];
    size_t tool_count, tools_beyond;
    struct note notes[NOTES_MAX];
    size_t note_count;
    uint64_t notes_beyond;
    uint64_t presumed;        /* changes of which it is not certain that it made them */
    struct half renamed, replaced; /* the last ones */
    struct sbuf renamed_to;        /* the name that the last rename gave */
    bool own_command;         /* descends from run's COMMAND */
    bool lines_differ;        /* of its runs: the first one's command line is not that of all */
    enum noise noise;         /* judged */
    unsigned harm;            /* judged: 3 destroyed, 2 changed names or permissions, 1 changed contents, 0 created */
};

/* Changes to a followed file that are not counted yet: what becomes of it says as what. */
struct part {
    struct tally *tally;
    uint64_t count, first_ns, last_ns, start_ns;
};

/* A file followed by its name: who made it, or where it was before. */
struct trace {
    struct bytes key;        /* victim's id, a NUL, the path */
    size_t path_at;          /* where in it the path begins */
    struct bytes original;   /* path before the first move; BYTES_NULL: made, not moved */
    struct bytes previous;   /* path before the last move */
    struct culprit *maker;
    struct culprit *gone_by; /* who deleted it: the name is free, and may be taken again */
    struct culprit *emptied_by; /* who truncated it last: what it writes then overwrites the file */
    struct culprit *cut_by;  /* who cut it to a length by a call of its own; these are the sizes: */
    uint64_t cut_from, cut_to;
    bool away;               /* its maker moved it out of what is watched: nothing of it stays, unless it comes back */
    struct tally *overwritten; /* by who emptied it: where that is counted */
    bool anew;               /* made where one had been deleted */
    struct culprit *mover;   /* who moved it last */
    struct part *parts;      /* mostly one or two, and thousands of traces */
    unsigned part_count, part_size;
    UT_hash_handle hh;
};

/* What has been counted already: the address of what it is counted in, and it itself, in 21 bytes however long it is. */
struct seen {
    struct slots slots; /* numbers: where in `at`, + 1 */
    struct fingerprint *at;
    uint32_t size;
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
    struct culprit *culprits;
    struct culprit *last_culprit; /* whose event came last */
    unsigned culprit_count, tally_count;
    uint64_t beyond;         /* events of culprits beyond the limits */
    size_t sample_bytes;
    struct trace *traces;
    struct trace no_trace;   /* among them, of nothing: a table that gets empty is made anew for the next */
    struct sbuf trace_key;   /* of the one that is looked for */
    uint64_t looks;          /* at traces, that renames of directories may still take: some for each event */
    struct seen seen;
    uint64_t events, refused, lost;
    bool lost_unknown;
    uint64_t not_in_log;     /* events that a log gave numbers and does not have */
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
