/* SPDX-License-Identifier: MIT */
/*
 * A source of clues: one row of sources.c, one file. Nearly all are jobs of src/foreign/: what is opened and read is gathered,
 * understood only in a process that has given everything away, and answered in the parts of fact.h.
 */
#pragma once

#include <sys/stat.h>

#include "clues/fact.h"
#include "foreign/job.h"
#include "util/err.h"

struct clues;

/* In this order they are asked. */
enum clue_stage {
    CLUE_STAGE_STATE,
    CLUE_STAGE_TIME,
    CLUE_STAGE_THEN, /* and what is set to happen */
    CLUE_STAGE_SCRIPTS, /* what the facts so far name */
    CLUE_STAGE_ACCESS,  /* whom they name */
    CLUE_STAGE_COUNT
};

/* What a source is about: those of one group stand in one line. */
enum clue_group {
    CLUE_OF_RECORDS,
    CLUE_OF_FILES,
    CLUE_OF_ORIGINALS,
    CLUE_OF_CONTAINERS,
    CLUE_OF_LOGS,
    CLUE_OF_PEOPLE,
    CLUE_OF_PROGRAMS,
    CLUE_GROUP_COUNT
};

struct clue_source {
    const char *name;    /* one word, in the output */
    const char *reads;   /* what is looked at, for people */
    const char *privacy; /* what it reads of others; NULL: nothing that is theirs */
    enum clue_stage stage;
    enum clue_group group;
    unsigned budget_ms;
    const struct foreign_job *job; /* its request is a question; NULL: `ask` */
    int (*ask)(struct clues *c, unsigned source, struct err *err);
    bool only_if_asked; /* --history */
    bool of_removed;    /* it says how it is also where a container or volume is gone */
};

extern const struct clue_source clue_sources[];
extern const unsigned clue_source_count;

/* The jobs; each is in the file of its name. */
extern const struct foreign_job clue_job_access, clue_job_accounting, clue_job_at, clue_job_beside, clue_job_ci, clue_job_copies, clue_job_cron, clue_job_deleted, clue_job_directory, clue_job_dpkg_log, clue_job_dpkg_triggers, clue_job_histories,
    clue_job_journal, clue_job_last_logins, clue_job_links, clue_job_logins, clue_job_logrotate, clue_job_mounts, clue_job_namespaces, clue_job_open, clue_job_processes, clue_job_reflog, clue_job_refused, clue_job_rpm_log, clue_job_scripts, clue_job_syslog,
    clue_job_tmpfiles, clue_job_trash, clue_job_units;

/* ---- gathering: in the worker, as long as it may open something ---- */

/* The root directory, O_PATH: everything is opened beneath it. -errno */
int clue_root(void);
/* The same, and the question, whose texts are views of the request. -EBADMSG: it is none. */
int clue_begin(struct bytes request, struct clue_question *ret);
/* A regular file; what is longer than `max` is read from its end if `tail`, else not at all. 0 also where it is not there; then nothing
 * is gathered. A failure of memory or of the whole budget is returned. */
int clue_gather_file(struct gathered *g, int root, const char *path, size_t max, bool tail);
/* Every regular file of a directory with one of the endings (NULL at the end; NULL: any), at most `files` of them, each by its path. */
int clue_gather_directory(struct gathered *g, int root, const char *directory, const char *const *endings, unsigned files, size_t max);
/* What each home directory has: /root and those below /home, by their paths. -ENOENT: nothing was gathered. */
int clue_gather_homes(struct gathered *g, int (*gather)(struct gathered *g, int root, const char *home));
/* Of the nearest directory above the path, or of the path itself, that has it, the file `below` ("/.git/index"); of a longer one its end if
 * `tail`, else nothing. -ENOENT: none has it. */
int clue_gather_above(struct gathered *g, int root, struct bytes path, const char *below, size_t max, bool tail);

/* Logs, and how one of their texts is read: it returns the earliest time in it, 0 = none. */
struct clue_logs {
    const char *const *paths;
    size_t count, max; /* max: bytes of each file, its end */
    uint64_t (*text)(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
    size_t record;      /* bytes of each, where it has no lines: its end begins with a whole one; 0: lines */
    const char *also;   /* a file that each of them is read with, as `extra` of the question; NULL: none */
};

/* Both steps of a job. Each log and its rotations (.1, .2.gz, -20261129 ...), as far as they were written to after the earliest moment;
 * packed ones too. They cover what is behind the earliest time in any of them. */
int clue_gather_logs(struct bytes request, struct gathered *g, const struct clue_logs *logs);
int clue_parse_logs(struct bytes request, const struct gathered *g, struct sbuf *answer, const struct clue_logs *logs);
/* A text of ours that parse() needs. */
int clue_gather_text(struct gathered *g, const char *name, const struct sbuf *text);

#define CLUE_ANSWER "answer" /* a text of that name has facts: it is answered as it is */

/* The second step of a job whose files each say something: `file` is called for each of them, in their order. */
int clue_parse_files(struct bytes request, const struct gathered *g, struct sbuf *answer,
                     void (*file)(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text));

/* ---- parsing ---- */

/* A file's text, unpacked if it is gzip; `hold` keeps it. */
struct bytes clue_unpacked(const struct gathered_file *file, size_t max, struct sbuf *hold);

/* Lines of a text with their numbers. */
struct clue_lines {
    struct bytes rest;
    unsigned number;
};
bool clue_next_line(struct clue_lines *lines, struct bytes *ret);
/* The same of a script: what is continued behind a backslash is one line, in `hold`, as far as that is no longer than 16 KiB. *ret_number is
 * its first line's. */
bool clue_next_command(struct clue_lines *lines, struct sbuf *hold, struct bytes *ret, unsigned *ret_number);
/* "/etc/crontab:7" in `hold`, which is emptied first. */
struct bytes clue_place(struct sbuf *hold, struct bytes file, unsigned line);

/* The time that a line of a log begins with: "Nov  9 01:33:00", in the year that makes it the latest past one, or RFC 3339, or
 * "2026-11-29 01:20:12". *line is moved behind it. Local time is asked of the C library: tzset() must have been called while files
 * could be opened. 0: none. */
uint64_t clue_log_time(struct bytes *line, uint64_t now_ns);
