/* SPDX-License-Identifier: MIT */
/* Verdicts: as what changes count, in which words, at which times. A row a rule. */
#include "test.h"

#include <limits.h>
#include <linux/audit.h>
#include <time.h>

#include "case.h"
#include "event/operation.h"
#include "report/names.h"

enum who { AGENT = 1, APP, RUNC, SCRIPT, OTHER };

enum { UNKNOWN_OUTCOME = -1 };

struct step {
    enum operation op;
    const char *path, *from; /* from: the old name, or what a link points to */
    enum who who;            /* 0: the agent */
    unsigned ms;
    int error;
    uint32_t before, after;  /* mode, with type; 0 = not known */
    uint32_t type;           /* of the object; 0 = not known */
    const char *note;
    bool presumed;           /* the actor */
    unsigned bytes;
    unsigned was, is;        /* sizes, both or none */
    int syscall;             /* 0: not known */
    unsigned sensors;        /* 0: audit */
};

#define STEPS 12
#define TEXTS 5

struct row {
    const char *name;
    struct step steps[STEPS];
    const char *says[TEXTS], *says_not[TEXTS];
};

#define C OPERATION_CREATE
#define W OPERATION_WRITE
#define O OPERATION_OPEN_WRITE
#define D OPERATION_UNLINK
#define R OPERATION_RENAME
#define P OPERATION_REPLACE
#define M OPERATION_CHMOD
#define T OPERATION_TRUNCATE

/* clang-format off */
static const struct row rows[] = {
    { "a new file renamed over an old one is one change, the rename first",
      { { C, "/srv/.a.tmp" }, { W, "/srv/.a.tmp" }, { M, "/srv/.a.tmp" }, { R, "/srv/a", "/srv/.a.tmp" }, { P, "/srv/a" } },
      { "agent, on the host, replaced /srv/a (written new as .a.tmp, renamed over it), at",
        "folded    4 changes for writing the new files" }, { "created", "renamed /srv", "mode" } },
    { "the same, the replacement first",
      { { C, "/srv/.a.tmp" }, { W, "/srv/.a.tmp" }, { P, "/srv/a" }, { R, "/srv/a", "/srv/.a.tmp" } },
      { "agent, on the host, replaced /srv/a (written new as .a.tmp, renamed over it), at" }, { "created", "renamed /srv" } },
    { "a folder's times are no news beside its files",
      { { C, "/srv/a" }, { C, "/srv/b" }, { OPERATION_UTIME, "/srv", .type = S_IFDIR } },
      { "agent, on the host, created 2 files in /srv, at", "times of /srv set, at" }, { "agent, on the host, set the times" } },
    { "nor that they were set to what they were",
      { { C, "/srv/a" }, { OPERATION_UTIME, "/srv", .type = S_IFDIR, .note = EVENT_NOTE_SAME } }, { "agent, on the host, created /srv/a, at" } },
    { "alone they are", { { OPERATION_UTIME, "/srv", .type = S_IFDIR } }, { "agent, on the host, set the times of /srv, at" } },
    { "the halves as a sensor on a busy machine tells them",
      { { C, "/srv/.a.tmp" }, { R, "/srv/a", "/srv/.a.tmp", .ms = 10 }, { P, "/srv/a", .ms = 200 } },
      { "agent, on the host, replaced /srv/a (written new as .a.tmp, renamed over it)" }, { "created", "renamed /srv" } },
    { "an old file renamed over another: both names",
      { { R, "/srv/a", "/srv/b" }, { P, "/srv/a" } }, { "replaced /srv/a (by /srv/b, renamed over it)" }, { "written" } },
    { "the halves of two processes belong not together",
      { { R, "/srv/a", "/srv/b" }, { P, "/srv/a", .who = OTHER } },
      { "agent, on the host, renamed /srv/b to /srv/a", "other, on the host, replaced /srv/a, at" } },
    { "a replacement that is written again later is a change of the old file",
      { { C, "/srv/t" }, { R, "/srv/a", "/srv/t" }, { P, "/srv/a" }, { D, "/srv/a", .ms = 500 } },
      { "replaced /srv/a (written new as t, renamed over it) and deleted /srv/a" }, { "temporary" } },
    { "replaced many times",
      { { C, "/srv/t" }, { R, "/srv/a", "/srv/t" }, { P, "/srv/a" }, { C, "/srv/t", .ms = 100 }, { R, "/srv/a", "/srv/t", .ms = 100 },
        { P, "/srv/a", .ms = 100 } }, { "replaced /srv/a twice" }, { "2 files" } },
    { "a temporary file is none", { { C, "/srv/t" }, { W, "/srv/t" }, { D, "/srv/t" }, { D, "/srv/a" } },
      { "agent, on the host, deleted /srv/a, at", "folded    3 changes about temporary files of its own" }, { "2 files", "created" } },
    { "renamed on the way it is temporary none the less", { { C, "/srv/t" }, { R, "/srv/u", "/srv/t" }, { D, "/srv/u" }, { D, "/srv/a" } },
      { "deleted /srv/a, at", "folded    3 changes about temporary" } },
    { "what another one deletes was no temporary file", { { C, "/srv/t" }, { D, "/srv/t", .who = OTHER } },
      { "other, on the host, deleted /srv/t", "agent, on the host, created /srv/t" } },
    { "filling what it created is reported as creating it", { { C, "/srv/a" }, { O, "/srv/a" }, { W, "/srv/a" }, { OPERATION_UTIME, "/srv/a" } },
      { "created /srv/a, at", "folded    3 changes for filling files that it had created or emptied" }, { "wrote", "opened", "times" } },
    { "a new file that gets its final name", { { C, "/srv/a.new" }, { R, "/srv/a", "/srv/a.new" } },
      { "agent, on the host, created /srv/a, at", "/srv/a created (first named a.new), at" }, { "renamed" } },
    { "a file of its own that is replaced by another one of its own", { { C, "/srv/a" }, { C, "/srv/t" }, { R, "/srv/a", "/srv/t" }, { P, "/srv/a" } },
      { "agent, on the host, created /srv/a, at", "created (first named t)" }, { "replaced", "2 files", "temporary files of its own, " } },
    { "and deleted then: nothing stays", { { C, "/srv/a" }, { C, "/srv/t" }, { R, "/srv/a", "/srv/t" }, { P, "/srv/a" }, { D, "/srv/a" }, { D, "/srv/b" } },
      { "agent, on the host, deleted /srv/b, at", "changes about temporary files of its own" }, { "created", "2 files", "replaced" } },
    { "deleted, made anew, and replaced by another one of its own",
      { { D, "/srv/a" }, { C, "/srv/a" }, { C, "/srv/t" }, { R, "/srv/a", "/srv/t" }, { P, "/srv/a" } },
      { "agent, on the host, replaced /srv/a (deleted and made anew), at" }, { "created", "temporary", "twice" } },
    { "made, moved away and deleted there: nothing stays", { { C, "/srv/t" }, { R, "/out/t", "/srv/t" }, { D, "/out/t" }, { D, "/srv/a" } },
      { "agent, on the host, deleted /srv/a, at", "folded    3 changes about temporary files" }, { "2 files", "created", "/out" } },
    { "made and moved away", { { C, "/srv/t" }, { R, "/out/t", "/srv/t" }, { D, "/srv/a" } },
      { "agent, on the host, deleted /srv/a, at", "folded    2 changes about temporary files" }, { "created", "/out" } },
    { "made, moved away and back", { { C, "/srv/t" }, { R, "/out/t", "/srv/t" }, { R, "/srv/t", "/out/t", .ms = 5000 } },
      { "agent, on the host, created /srv/t, at", "final name" }, { "renamed", "temporary", "first named" } },
    { "made, moved away, back, and deleted", { { C, "/srv/t" }, { R, "/out/t", "/srv/t" }, { R, "/srv/t", "/out/t", .ms = 5000 }, { D, "/srv/t", .ms = 6000 }, { D, "/srv/a" } },
      { "agent, on the host, deleted /srv/a, ", "folded    4 changes about temporary files" }, { "/srv/t", "/out" } },
    { "emptied and filled is overwritten", { { T, "/srv/a" }, { O, "/srv/a" }, { W, "/srv/a" } },
      { "agent, on the host, overwrote /srv/a, at", "/srv/a overwritten, at", "folded    2 changes for filling files" }, { "truncated", "wrote to" } },
    { "and is no other one's writing", { { T, "/srv/a" }, { W, "/srv/a", .who = OTHER } },
      { "agent, on the host, truncated /srv/a, at", "other, on the host, wrote to /srv/a, at" }, { "overwr" } },
    { "emptied and filled, when it is looked at",
      { { T, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY }, { O, "/srv/a", .sensors = SENSOR_FANOTIFY },
        { W, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY } }, { "agent, on the host, overwrote /srv/a, at" }, { "truncated", "wrote to" } },
    { "cut by a call of its own", { { T, "/srv/a", .was = 9, .is = 3, .syscall = 76 } }, { "agent, on the host, truncated /srv/a, at" }, { "overwr" } },
    { "cut, and reported once more at the close",
      { { T, "/srv/a", .was = 9, .is = 3, .syscall = 77 }, { O, "/srv/a" }, { W, "/srv/a", .was = 9, .is = 3 } },
      { "agent, on the host, truncated /srv/a, at", "folded    1 change for filling" }, { "overwr", "wrote" } },
    { "cut, and written to", { { T, "/srv/a", .was = 9, .is = 3, .syscall = 77 }, { W, "/srv/a", .was = 3, .is = 8 } },
      { "truncated /srv/a, at", "/srv/a written to, grown by 5 B, at" }, { "overwr" } },
    { "emptied by that call and filled", { { T, "/srv/a", .was = 9, .syscall = 77 }, { W, "/srv/a", .is = 8 } },
      { "agent, on the host, overwrote /srv/a, at" }, { "truncated" } },
    { "audit saw that the opening did not empty it",
      { { T, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY }, { O, "/srv/a", .sensors = SENSOR_FANOTIFY | SENSOR_AUDIT },
        { W, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY } }, { "agent, on the host, truncated /srv/a, at" }, { "overwr", "wrote to" } },
    { "overwritten again and again", { { T, "/srv/a" }, { W, "/srv/a" }, { T, "/srv/a" }, { W, "/srv/a" }, { T, "/srv/a" }, { W, "/srv/a" } },
      { "agent, on the host, overwrote /srv/a 3 times" }, { "truncated", "wrote to" } },
    { "written for as long as it takes", { { T, "/srv/a" }, { W, "/srv/a" }, { W, "/srv/a", .ms = 90000 } },
      { "agent, on the host, overwrote /srv/a, from 02:45:35 to 02:47:05" }, { "wrote to" } },
    { "emptied, and nothing more", { { T, "/srv/a" }, { O, "/srv/a" } }, { "agent, on the host, truncated /srv/a, at" }, { "overwr", "opened" } },
    { "overwritten and deleted", { { T, "/srv/a" }, { W, "/srv/a" }, { D, "/srv/a" } },
      { "agent, on the host, overwrote /srv/a and deleted /srv/a, at" }, { "truncated", "temporary" } },
    { "contents of a file that was there", { { W, "/srv/a", .bytes = 1500 }, { W, "/srv/a", .bytes = 500 } },
      { "wrote to /srv/a, at", "/srv/a written to, 2.0 kB, at" }, { "twice", "2 times" } },
    { "bytes known of one only", { { W, "/srv/a", .bytes = 1500 }, { W, "/srv/a" } }, { "/srv/a written to, at least 1.5 kB" } },
    { "one path twice is no two files", { { D, "/srv/a" }, { D, "/srv/a" } }, { "deleted /srv/a twice" }, { "2 files" } },
    { "three files, one of them twice", { { D, "/srv/a" }, { D, "/srv/b" }, { D, "/srv/a" } },
      { "deleted 2 files in /srv (3 times in all)" } },
    { "deleted and created anew by one is a replacement", { { D, "/srv/a" }, { C, "/srv/a", .ms = 10 }, { W, "/srv/a", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (deleted and made anew), at" }, { " deleted /srv/a,", "/srv/a created" } },
    { "a directory too", { { OPERATION_RMDIR, "/srv/d", .type = S_IFDIR }, { OPERATION_MKDIR, "/srv/d", .ms = 10, .type = S_IFDIR } },
      { "agent, on the host, replaced the directory /srv/d (deleted and made anew), at" }, { "null", "removed the" } },
    { "and two of them", { { OPERATION_RMDIR, "/srv/d" }, { OPERATION_MKDIR, "/srv/d" }, { OPERATION_RMDIR, "/srv/e" }, { OPERATION_MKDIR, "/srv/e" } },
      { "agent, on the host, replaced 2 directories in /srv (deleted and made anew), at" }, { "null", "2 files" } },
    { "moved away, deleted, and made anew: a log that is rotated by hand",
      { { R, "/srv/a.1", "/srv/a" }, { C, "/srv/a.1.gz" }, { D, "/srv/a.1" }, { C, "/srv/a", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (deleted and made anew), at", "/srv/a.1.gz created" }, { " deleted /srv/a,", "moved to", "/srv/a created" } },
    { "the same by logrotate, which makes it anew before",
      { { R, "/srv/a.1", "/srv/a" }, { C, "/srv/a" }, { C, "/srv/a.1.gz", .ms = 10 }, { D, "/srv/a.1", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (deleted and made anew), at", "/srv/a.1.gz created" }, { " deleted /srv/a,", "moved to", "/srv/a created" } },
    { "another one has made it anew", { { R, "/srv/t", "/srv/a" }, { C, "/srv/a", .who = OTHER }, { D, "/srv/t" } },
      { "agent, on the host, deleted /srv/a (moved to /srv/t first)" }, { "replaced" } },
    { "moved away, deleted, and long afterwards made anew",
      { { R, "/srv/t", "/srv/a" }, { D, "/srv/t" }, { C, "/srv/a", .ms = 600000 } },
      { "agent, on the host, deleted /srv/a (moved to /srv/t first)", "/srv/a created" }, { "replaced" } },
    { "a file that is still open is a fact", { { W, "/srv/a", .note = EVENT_NOTE_OPEN } }, { "agent, on the host, wrote to /srv/a, at" }, { "doubt" } },
    { "that nobody told who is a doubt", { { W, "/srv/a", .note = "found by looking" } }, { "doubt     1 change: found by looking" } },
    { "its own file that stays as it was", { { C, "/srv/a" }, { OPERATION_UTIME, "/srv/a", .note = EVENT_NOTE_SAME } },
      { "agent, on the host, created /srv/a, at" }, { "touched" } },
    { "deleted, and another file given the name", { { C, "/srv/a.new" }, { D, "/srv/a" }, { R, "/srv/a", "/srv/a.new", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (deleted and made anew), at" }, { "created", "renamed" } },
    { "deleted and much later created is both", { { D, "/srv/a" }, { C, "/srv/a", .ms = 3600000 } },
      { "agent, on the host, deleted /srv/a, at", "/srv/a created, at 03:45:35" } },
    { "made anew and deleted in the end", { { D, "/srv/a" }, { C, "/srv/a" }, { D, "/srv/a" } }, { "deleted /srv/a" }, { "temporary" } },
    { "deleted, and a file of that name moved that nobody saw made", { { D, "/srv/a" }, { R, "/srv/b", "/srv/a" } },
      { "deleted /srv/a and renamed /srv/a to /srv/b" }, { "deleted /srv/b" } },
    { "deleted by one, created by another", { { D, "/srv/a" }, { C, "/srv/a", .who = OTHER } },
      { "agent, on the host, deleted /srv/a, at", "other, on the host, created /srv/a, at" } },
    { "opened and written is written", { { O, "/srv/a" }, { W, "/srv/a" } }, { "agent, on the host, wrote to /srv/a, at",
        "/srv/a opened for writing, at" }, { "opened /srv/a" } },
    { "a rename has two names", { { R, "/srv/b", "/srv/a" } }, { "renamed /srv/a to /srv/b", "/srv/a renamed to /srv/b, at" } },
    { "renames of several", { { R, "/srv/b", "/srv/a" }, { R, "/srv/d", "/srv/c" } },
      { "renamed 2 files in /srv", "2 files renamed in /srv: /srv/a to /srv/b, /srv/c to /srv/d, at" } },
    { "where they went", { { R, "/out/a", "/srv/a" }, { R, "/out/b", "/srv/b" } },
      { "agent, on the host, moved 2 files in /srv away to /out, at", "2 files moved away in /srv to /out: /srv/a to /out/a, /srv/b to /out/b" } },
    { "from where is not known", { { R, "/srv/a" } }, { "agent, on the host, moved another file to /srv/a, at", "another file moved to /srv/a, at" }, { "renamed" } },
    { "from where is not known, over one that was there", { { R, "/srv/a" }, { P, "/srv/a" } },
      { "agent, on the host, replaced /srv/a, at", "folded    1 change" }, { "renamed /srv", "moved" } },
    { "the same, the replacement first", { { P, "/srv/a" }, { R, "/srv/a" } },
      { "agent, on the host, replaced /srv/a, at", "folded    1 change" }, { "renamed /srv", "moved" } },
    { "a directory is no file", { { R, "/srv/new", "/srv/old", .type = S_IFDIR } },
      { "renamed the directory /srv/old to /srv/new" } },
    { "files and directories apart", { { D, "/srv/d/a" }, { D, "/srv/d/b" }, { OPERATION_RMDIR, "/srv/d/x" }, { OPERATION_RMDIR, "/srv/d" } },
      { "deleted 2 files in /srv/d and removed 2 directories in /srv" }, { "4 files" } },
    { "an exchange", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b" } },
      { "agent, on the host, exchanged /srv/a and /srv/b, at" }, { "renamed", "twice" } },
    { "there and back is no exchange", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b", .ms = 5000 } }, { "renamed" }, { "exchanged" } },
    { "deleted what another one had moved", { { R, "/srv/b", "/srv/a", .who = OTHER }, { D, "/srv/b" } },
      { "other, on the host, renamed /srv/a to /srv/b", "agent, on the host, deleted /srv/b (which had been /srv/a)" } },
    { "the same mode", { { M, "/srv/a", .before = S_IFREG | 0644, .after = S_IFREG | 0644 } },
      { "touched /srv/a, nothing changed" }, { "mode", "times" } },
    { "attributes set to what they were, as fanotify sees it",
      { { OPERATION_UTIME, "/srv/a", .note = EVENT_NOTE_SAME } }, { "set the times of /srv/a" } },
    { "attributes, not known which", { { OPERATION_ATTRIBUTES, "/srv/a" } },
      { "changed an attribute of /srv/a (which one is not known)" }, { "times", "mode" } },
    { "attributes, not known which, and nothing differs", { { OPERATION_ATTRIBUTES, "/srv/a", .note = EVENT_NOTE_SAME } },
      { "touched /srv/a, nothing changed" }, { "attribute" } },
    { "a change of mode with its values", { { M, "/srv/a", .before = S_IFREG | 0755, .after = S_IFREG | 0700 } },
      { "changed the mode of /srv/a: 0755 → 0700, at", "what      /srv/a 0755 → 0700, at" } },
    { "different changes of mode claim no values",
      { { M, "/srv/a", .before = S_IFREG | 0755, .after = S_IFREG | 0700 }, { M, "/srv/a", .before = S_IFREG | 0700, .after = S_IFREG | 0711 } },
      { "changed the mode of /srv/a twice" }, { "07" } },
    { "the mode of five", { { M, "/srv/a" }, { M, "/srv/b" }, { M, "/srv/c" }, { M, "/srv/d" }, { M, "/srv/e" } },
      { "changed the mode of 5 files in /srv", "mode of 5 files changed in /srv, at" }, { "chmod in" } },
    { "times beside the operation that they are of",
      { { M, "/srv/a", .ms = 0 }, { D, "/srv/b", .ms = 90000 }, { D, "/srv/c", .ms = 95000 } },
      { "from 02:45:35 to 02:47:10 on Tue 24 Nov.", "2 files deleted in /srv, from 02:47:05.000 to 02:47:10.000 on Tue 24 Nov",
        "mode of /srv/a changed, at 02:45:35.000 on Tue 24 Nov" } },
    { "a change of no weight gives the sentence no time", { { C, "/srv/n", .ms = 0 }, { D, "/srv/b", .ms = 90000 } },
      { "deleted /srv/b, at 02:47:05 on Tue 24 Nov." } },
    { "every minute", { { D, "/srv/a" }, { D, "/srv/b", .ms = 60000 }, { D, "/srv/c", .ms = 120100 }, { D, "/srv/d", .ms = 180000 } },
      { "deleted 4 files in /srv, 4 times, about every minute, last at 02:48:35 on Tue 24 Nov." } },
    { "every half hour, the same file", { { M, "/srv/a" }, { M, "/srv/a", .ms = 1800000 }, { M, "/srv/a", .ms = 3600000 } },
      { "changed the mode of /srv/a, 3 times, about every 30 minutes, last at 03:45:35 on" } },
    { "no rhythm", { { D, "/srv/a" }, { D, "/srv/b", .ms = 60000 }, { D, "/srv/c", .ms = 500000 } },
      { "deleted 3 files in /srv, from 02:45:35 to 02:53:55 on" }, { "every" } },
    { "one run is no rhythm", { { D, "/srv/a" }, { D, "/srv/b", .ms = 3000 }, { D, "/srv/c", .ms = 6000 }, { D, "/srv/d", .ms = 9000 } },
      { "deleted 4 files" }, { "every" } },
    { "a doubt stands in the verdict", { { M, "/srv/a", .presumed = true, .note = "two did it at once" } },
      { "(it is not certain that it was this process).", "doubt     1 change: two did it at once" } },
    { "a doubt of one among others", { { M, "/srv/a", .presumed = true }, { D, "/srv/b" } },
      { "(of 1 change it is not certain that it was this process)." } },
    { "the runtime that changes what was there is no noise", { { W, "/srv/a", .who = RUNC }, { C, "/srv/b", .who = APP } },
      { "VERDICT  OCI runtime (runc), on the host, wrote to /srv/a" } },
    { "in words: attempts", { { D, "/srv/a", .error = EPERM }, { M, "/srv/b", .error = EROFS } },
      { "tried to delete /srv/a and was refused (EPERM) and tried to change the mode of /srv/b and was refused (EROFS)",
        "attempt to delete /srv/a refused (EPERM), at" } },
    { "in words: links", { { OPERATION_SYMLINK, "/srv/l", "target" }, { OPERATION_LINK, "/srv/h", "/srv/a" } },
      { "created the symbolic link /srv/l to target", "created the hard link /srv/h to /srv/a" } },
    { "in words: opened", { { O, "/srv/a" }, { O, "/srv/b" } }, { "opened 2 files in /srv for writing", "2 files opened for writing in /srv" } },
    { "without a name", { { D, "", .error = UNKNOWN_OUTCOME } }, { "whether it did is not known" } },
};
/* clang-format on */

static struct process *script, *other;

static struct process *person(enum who who)
{
    struct process *all[] = { agent, agent, app, runc, script, other };

    return all[who];
}

static void add_step(const struct step *s, struct container *victim)
{
    struct event *e = make_event(s->op, s->path, person(s->who), victim, T0 + (uint64_t)s->ms * NS_PER_MS);

    e->error = s->error;
    if (s->op == OPERATION_RENAME)
        event_set(e, &e->previous_path, bytes_of(s->from));
    else if (s->from)
        event_set(e, &e->target_path, bytes_of(s->from));
    if (s->before)
        e->before = (struct file_state){ .known = FILE_MODE, .mode = s->before };
    if (s->after)
        e->after = (struct file_state){ .known = FILE_MODE, .mode = s->after };
    if (s->was || s->is) {
        e->before = (struct file_state){ .known = FILE_SIZE, .size = s->was };
        e->after = (struct file_state){ .known = FILE_SIZE, .size = s->is };
    }
    if (s->syscall) {
        e->syscall_arch = AUDIT_ARCH_X86_64;
        e->syscall = s->syscall;
    }
    if (s->sensors)
        e->sensors = s->sensors;
    if (s->type)
        e->file = (struct file_state){ .known = FILE_MODE, .mode = s->type };
    e->note = bytes_of(s->note);
    e->actor_presumed = s->presumed;
    e->bytes = s->bytes;
    e->bytes_known = s->bytes > 0;
    event_set(e, &e->watch_text, bytes_of("/srv"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

static int set_up_people(void **state)
{
    int r = set_up(state);

    setenv("TZ", "UTC", 1);
    tzset();
    script = make_process(40, "/bin/sh", process_ref(init));
    other = make_process(41, "/opt/x/other", process_ref(init));
    return r;
}

static int tear_down_people(void **state)
{
    process_unref(script);
    process_unref(other);
    return tear_down(state);
}

/* Reported and folded, of all culprits and of the noise. */
static long long counted(json_t *all)
{
    long long sum = 0;

    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *verdict = verdict_of(all, i), *culprit = json_object_get(json_array_get(all, i), "culprit");
        json_t *by = json_object_get(json_object_get(culprit, "noise"), "by"), *actions = json_object_get(verdict, "actions");
        long long actions_sum = 0;

        if (verdict)
            sum += number(verdict, "reported") + number(verdict, "folded");
        for (size_t k = 0; k < json_array_size(actions); k++)
            actions_sum += number(json_array_get(actions, k), "count");
        assert_int_equal(verdict ? number(verdict, "reported") + number(verdict, "folded") : 0, actions_sum);
        for (size_t k = 0; i == 0 && k < json_array_size(by); k++)
            sum += number(json_array_get(by, k), "count");
    }
    return sum;
}

static void rule(void **state)
{
    const struct row *row = *state;
    unsigned n = 0;
    json_t *all;

    set_up_people(NULL);
    while (n < STEPS && row->steps[n].path)
        add_step(&row->steps[n++], NULL);
    for (size_t i = 0; i < TEXTS && row->says[i]; i++)
        says(row->says[i]);
    for (size_t i = 0; i < TEXTS && row->says_not[i]; i++)
        says_not(row->says_not[i]);
    all = lines();
    assert_int_equal(counted(all), n);
    json_decref(all);
    tear_down_people(NULL);
}

/* ---- every event is reported or folded, once ---- */

static unsigned random_of(uint64_t *seed, unsigned n)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(*seed >> 33) % n;
}

static void add_random(uint64_t *seed, unsigned i)
{
    static const enum operation ops[] = { C, C, W, O, D, D, R, R, P, M, OPERATION_MKDIR, OPERATION_RMDIR, OPERATION_LINK,
                                          OPERATION_TRUNCATE, OPERATION_UTIME, OPERATION_CHOWN };
    static const char *const names[] = { "/srv/a", "/srv/b", "/srv/c", "/srv/d/e", "/srv/d", "/out/f", "" };
    const struct step s = { .op = ops[random_of(seed, ARRAY_SIZE(ops))],
                            .path = names[random_of(seed, ARRAY_SIZE(names))],
                            .from = names[random_of(seed, ARRAY_SIZE(names))],
                            .who = (enum who)(1 + random_of(seed, OTHER)),
                            .ms = i * random_of(seed, 3) * 10,
                            .error = random_of(seed, 9) ? 0 : random_of(seed, 2) ? EPERM : -1 };

    add_step(&s, random_of(seed, 2) ? web : NULL);
}

static void all_are_reported_or_folded(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t next = seed;
        json_t *all;

        case_free(c);
        c = case_new(&(struct case_options){ .target = bytes_of("/srv"), .command_status = -1 });
        for (unsigned i = 0; i < 60; i++)
            add_random(&next, i);
        (void)written(); /* asked in the middle, more comes */
        for (unsigned i = 60; i < 100; i++)
            add_random(&next, i);
        assert_int_equal(case_events(c), 100);
        all = lines();
        if (counted(all) != 100)
            fail_msg("seed %llu: %lld of 100", (unsigned long long)seed, counted(all));
        json_decref(all);
    }
}

/* The table of followed files is bounded: the oldest give way, and what is made and deleted again is still that. */
static void followed_files_give_way(void **state)
{
    char path[64];

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(path, sizeof(path), "/srv/f%u", i);
        add_step(&(struct step){ C, path, .ms = i }, NULL);
        if (i % 2)
            add_step(&(struct step){ D, path, .ms = i }, NULL);
    }
    says("created 10000 files in /srv");
    says("folded    20000 changes about temporary files of its own");
    says_not("deleted");
}

/* ---- what is left out by a filter ---- */

/* Asked for deletions only: what was temporary is that still. */
static void the_same_counts_by_operation(void **state)
{
    const char *const paths[] = { "/srv/t", "/srv/t", "/srv/a" };
    const enum operation ops[] = { C, D, D };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
        struct event *e = make_event(ops[i], paths[i], agent, NULL, T0 + i);

        if (ops[i] == D)
            case_add_event(c, e);
        else
            case_leave_out_event(c, FILTER_OTHER, e);
        event_free(e);
    }
    says("agent, on the host, deleted /srv/a, at");
    says("folded    1 change about temporary files of its own");
    says("1 more event did not match the filters");
    assert_int_equal(case_events(c), 2);
}

/* A replacement of which only one half is asked for. */
static void half_a_replacement(void **state)
{
    struct event *rename = make_event(R, "/srv/a", agent, NULL, T0), *replace = make_event(P, "/srv/a", agent, NULL, T0);

    (void)state;
    event_set(rename, &rename->previous_path, bytes_of("/srv/t"));
    case_leave_out_event(c, FILTER_OTHER, rename);
    case_add_event(c, replace);
    says("replaced /srv/a, at");
    event_free(rename);
    event_free(replace);
}

/* ---- the cause ---- */

static void set_cause(struct event *e, enum run_kind run, const char *name, enum launcher_kind launcher, const char *by,
                      const char *tool)
{
    e->cause.run.kind = run;
    e->cause.run.name = bytes_of(name);
    e->cause.launcher.kind = launcher;
    e->cause.launcher.name = bytes_of(by);
    e->cause.tool = bytes_of(tool);
    e->cause.key.number = 42;
}

static void by_cause(void **state)
{
    struct process *tools[2] = { make_process(50, "/bin/rm", process_ref(init)), make_process(51, "/bin/mv", process_ref(init)) };
    struct event *e;
    json_t *all, *cause;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char path[16];

        snprintf(path, sizeof(path), "/srv/%u", i);
        e = make_event(i == 3 ? R : D, path, tools[i == 3], NULL, T0 + i * NS_PER_MS);
        event_set(e, &e->previous_path, bytes_of("/srv/old"));
        set_cause(e, RUN_SCRIPT, "/opt/jobs/purge-logs", LAUNCHER_CRON, "bob", i == 3 ? "mv" : "rm");
        e->cause.run.args = BYTES("sh\0/opt/jobs/purge-logs\0--older 3\0");
        e->cause.launcher.detail = bytes_of("8 3 * * * /opt/jobs/purge-logs");
        case_add_event(c, e);
        event_free(e);
    }
    assert_int_equal(verdicts(), 1);
    says("VERDICT  /opt/jobs/purge-logs, a cron job of bob, on the host, deleted 3 files in /srv and renamed /srv/old to /srv/3 "
         "with rm and mv, at 02:45:35 on Tue 24 Nov.");
    says("who       sh /opt/jobs/purge-logs '--older 3' · cron of bob (8 3 * * * /opt/jobs/purge-logs)");
    says("tools     rm (1 process) · mv (1 process)");
    says("next      its job: crontab -l -u bob");
    all = lines();
    cause = json_object_get(json_object_get(json_array_get(all, 0), "culprit"), "cause");
    assert_string_equal(json_string_value(json_object_get(cause, "kind")), "script");
    assert_string_equal(json_string_value(json_object_get(cause, "command_line")), "sh /opt/jobs/purge-logs --older 3");
    assert_string_equal(json_string_value(json_object_get(json_object_get(cause, "launcher"), "kind")), "cron");
    json_decref(all);
    process_unref(tools[0]);
    process_unref(tools[1]);
}

static void person_of(struct event *e)
{
    e->cause.person = (struct person){ .known = true, .id = 1000, .name = bytes_of("ann"), .as_id = 0, .as_name = bytes_of("root"),
                                       .by = bytes_of("sudo"), .terminal = bytes_of("pts/3"), .remote = bytes_of("10.0.0.7") };
}

static void by_a_person(void **state)
{
    struct event *e = make_event(D, "/etc/app.conf", agent, NULL, T0);
    json_t *all, *who;

    (void)state;
    set_cause(e, RUN_COMMAND, "/usr/bin/rm", LAUNCHER_PERSON, "ann", NULL);
    e->cause.run.args = BYTES("sudo\0rm\0-f\0/etc/app.conf\0");
    e->cause.run.directory = bytes_of("/home/ann");
    person_of(e);
    e->actor.login_uid = 1000;
    case_add_event(c, e);
    event_free(e);
    says("VERDICT  ann, as root by sudo, at pts/3 from 10.0.0.7, deleted /etc/app.conf: sudo rm -f /etc/app.conf, in /home/ann, "
         "at 02:45:35 on Tue 24 Nov.");
    says("person    ann, as root by sudo, at pts/3 from 10.0.0.7 (login uid 1000)");
    all = lines();
    who = json_object_get(json_object_get(json_array_get(all, 0), "culprit"), "person");
    assert_string_equal(json_string_value(json_object_get(who, "remote")), "10.0.0.7");
    assert_string_equal(json_string_value(json_object_get(who, "by")), "sudo");
    json_decref(all);
}

/* What belongs to the product is no tool of it. */
static void by_a_product(void **state)
{
    (void)state;
    process_set(agent, &agent->owner.product, bytes_of("XDR"));
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(D, i ? "/srv/b" : "/srv/a", i ? other : agent, NULL, T0 + i);

        set_cause(e, RUN_PROGRAM, "/opt/x/daemon", LAUNCHER_PRODUCT, "XDR", i ? "other" : "agent");
        e->cause.launcher.detail = bytes_of("EDR");
        case_add_event(c, e);
        event_free(e);
    }
    says("VERDICT  XDR's agent, on the host, deleted 2 files in /srv with other, at");
}

static void by_exec(void **state)
{
    struct event *e = make_event(D, "/prd/a", app, web, T0);

    (void)state;
    set_cause(e, RUN_COMMAND, "/bin/rm", LAUNCHER_EXEC, "web", NULL);
    e->cause.launcher.detail = BYTES("docker\0exec\0web\0rm\0/prd/a\0");
    case_add_event(c, e);
    event_free(e);
    says("VERDICT  rm, run by docker exec in container web, deleted /prd/a of container web, at");
    says("exec in container web (docker exec web rm /prd/a)");
}

static void by_health_check(void **state)
{
    static const struct {
        enum run_kind kind;
        const char *name, *tool;
        struct bytes check;
        const char *said;
    } checks[] = {
        { RUN_COMMAND, "/bin/rm", NULL, { "rm\0-f\0/prd/a\0", 13 }, "VERDICT  The health check of container web (rm -f /prd/a) deleted /prd/a of" },
        { RUN_SCRIPT, "/check.sh", "rm", { "/check.sh\0-q\0", 13 }, "VERDICT  The health check of container web (/check.sh -q) deleted /prd/a of container web with rm" },
        { RUN_SCRIPT, "/tidy.sh", "rm", { "/check\0-q\0", 10 }, "VERDICT  The health check of container web (/check -q), running /tidy.sh, deleted /prd/a" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        struct event *e = make_event(D, "/prd/a", app, web, T0);

        set_cause(e, checks[i].kind, checks[i].name, LAUNCHER_HEALTH_CHECK, "web", checks[i].tool);
        e->cause.launcher.detail = checks[i].check;
        e->cause.key.number = 200 + i;
        case_add_event(c, e);
        event_free(e);
        says(checks[i].said);
    }
    says("health check of container web (/check -q)");
}

/* One program of two users is two culprits, and the sentence distinguishes them. */
static void by_two_users(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(D, i ? "/srv/b" : "/srv/a", agent, NULL, T0 + i);

        set_cause(e, RUN_SCRIPT, "/opt/x.sh", LAUNCHER_UNKNOWN, NULL, "rm");
        e->cause.key.number = 100 + i;
        e->actor.cred = (struct credentials){ .known = true, .uid = i * 1000, .euid = i * 1000 };
        case_add_event(c, e);
        event_free(e);
    }
    assert_int_equal(verdicts(), 2);
    says("VERDICT  /opt/x.sh, on the host, deleted /srv/a with rm");
    says("VERDICT  /opt/x.sh, as uid 1000, on the host, deleted /srv/b with rm");
}

/* Whoever makes two keys with one number is two culprits all the same. */
static void by_one_number(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char path[16];
        struct event *e;

        snprintf(path, sizeof(path), "/srv/%u", i);
        e = make_event(D, path, agent, NULL, T0 + i);
        set_cause(e, RUN_SCRIPT, i % 2 ? "/opt/evil.sh" : "/opt/x.sh", LAUNCHER_UNKNOWN, NULL, "rm");
        e->cause.key = (struct fingerprint){ 7, i % 2 };
        case_add_event(c, e);
        event_free(e);
    }
    assert_int_equal(verdicts(), 2);
    says("VERDICT  /opt/x.sh, on the host, deleted 2 files in /srv with rm");
    says("VERDICT  /opt/evil.sh, on the host, deleted 2 files in /srv with rm");
}

/* `sort x > y`, in whatever order the two are read. */
static void a_redirection_is_its_commands(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        struct process *shell = make_process(60 + (int)order, "/bin/bash", process_ref(init));
        struct process *sort = make_process(60 + (int)order, "/bin/sort", process_ref(init));

        for (unsigned i = 0; i < 2; i++) {
            bool is_shell = i == order;
            struct event *e = make_event(is_shell ? C : W, order ? "/srv/b" : "/srv/a", is_shell ? shell : sort, NULL, T0 + !is_shell);

            set_cause(e, is_shell ? RUN_BUILTIN : RUN_COMMAND, is_shell ? "bash" : "sort", LAUNCHER_PERSON, "ann", NULL);
            e->cause.run.args = is_shell ? BYTES("-bash\0") : BYTES("sort\0x\0");
            e->cause.key = (struct fingerprint){ is_shell ? 100 : 101 + order, 0 };
            person_of(e);
            case_add_event(c, e);
            event_free(e);
        }
        process_unref(shell);
        process_unref(sort);
    }
    assert_int_equal(verdicts(), 2);
    says("created /srv/a: sort x, at");
    says("/srv/b: sort x, at");
    says_not("typed in");
}

/* Another process's redirection stays the shell's. */
static void a_redirection_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct process *p = make_process(60 + (int)i, i ? "/bin/sort" : "/bin/bash", process_ref(init));
        struct event *e = make_event(C, i ? "/srv/b" : "/srv/a", p, NULL, T0 + i);

        set_cause(e, i ? RUN_COMMAND : RUN_BUILTIN, i ? "sort" : "bash", LAUNCHER_PERSON, "ann", NULL);
        e->cause.run.args = i ? BYTES("sort\0x\0") : BYTES("-bash\0");
        e->cause.key = (struct fingerprint){ 100 + i, 0 };
        person_of(e);
        case_add_event(c, e);
        event_free(e);
        process_unref(p);
    }
    assert_int_equal(verdicts(), 2);
    says("created /srv/a: a command typed in bash (a shell builtin or redirection), at");
    says("created /srv/b: sort x, at");
}

struct subject_row {
    const char *name;
    enum run_kind run;
    const char *what, *interpreter;
    enum launcher_kind launcher;
    const char *by, *detail;
    bool with_person, claimed;
    const char *says;
};

static const struct subject_row subject_rows[] = {
    { "service", RUN_SCRIPT, "/srv/backup.py", "python3", LAUNCHER_SERVICE, "backup.service", NULL, false, false,
      "VERDICT  /srv/backup.py (python3), service backup.service, deleted" },
    { "timer", RUN_SCRIPT, "/usr/lib/x", "sh", LAUNCHER_TIMER, "x.service", "x.timer", false, false,
      "VERDICT  /usr/lib/x, service x.service, started by its timer, deleted" },
    { "ansible", RUN_ANSIBLE, "file", "python3", LAUNCHER_CONFIGURATION, "Ansible", "playbook site.yml", true, false,
      "VERDICT  Ansible (module file, playbook site.yml), run by ann, as root by sudo, at pts/3 from 10.0.0.7, deleted" },
    { "package", RUN_MAINTAINER, "postinst of foo", NULL, LAUNCHER_PACKAGE, "apt-get", "foo", false, false,
      "VERDICT  apt-get (foo), running the postinst of foo, on the host, deleted" },
    { "make", RUN_TARGET, "clean", "make", LAUNCHER_UNKNOWN, NULL, NULL, false, false, "VERDICT  make clean, on the host, deleted" },
    { "git", RUN_GIT, "checkout", "git", LAUNCHER_UNKNOWN, NULL, NULL, false, false, "VERDICT  git checkout, on the host, deleted" },
    { "module", RUN_MODULE, "pkg.tool", "python3", LAUNCHER_UNKNOWN, NULL, NULL, false, false,
      "VERDICT  python3 -m pkg.tool, on the host, deleted" },
    { "claimed", RUN_SCRIPT, "/x/y", "agent", LAUNCHER_UNKNOWN, NULL, NULL, false, true,
      "VERDICT  agent, which says it runs /x/y, on the host, deleted" },
    { "a command of culprit run", RUN_SCRIPT, "/x/y", "sh", LAUNCHER_COMMAND, NULL, NULL, false, false,
      "VERDICT  A command of culprit run (/x/y) deleted" },
    { "ssh", RUN_COMMAND, "/bin/rm", NULL, LAUNCHER_SSH, "ann", NULL, false, false,
      "VERDICT  rm, a command given to ssh by ann, on the host, deleted" },
    { "ssh, and who logged in", RUN_COMMAND, "/bin/rm", NULL, LAUNCHER_SSH, "bob", NULL, true, false,
      "VERDICT  rm, a command given to ssh by bob, run by ann, as root by sudo, at pts/3 from 10.0.0.7, on the host, deleted" },
    { "anacron", RUN_SCRIPT, "/etc/cron.daily/x", "sh", LAUNCHER_ANACRON, "root", NULL, false, false,
      "VERDICT  /etc/cron.daily/x, an anacron job of root, on the host, deleted" },
    { "anacron alone", RUN_SCRIPT, "/etc/cron.daily/x", "sh", LAUNCHER_ANACRON, NULL, NULL, false, false,
      "VERDICT  /etc/cron.daily/x, an anacron job, on the host, deleted" },
    { "an entry point", RUN_SCRIPT, "/entry.sh", "sh", LAUNCHER_ENTRY_POINT, "web", "/entry.sh", false, false,
      "VERDICT  The entry point of container web (/entry.sh), on the host, deleted" },
    { "what an entry point runs", RUN_SCRIPT, "/bin/clean", "sh", LAUNCHER_ENTRY_POINT, "web", "/entry.sh", false, false,
      "VERDICT  /bin/clean, run by the entry point of container web (/entry.sh), on the host, deleted" },
    { "docker cp", RUN_PROGRAM, "/usr/bin/dockerd", NULL, LAUNCHER_COPY, "Docker", NULL, false, false,
      "VERDICT  dockerd, for docker cp, on the host, deleted" },
};

/* The first word is what the process calls itself. */
static const struct line_row {
    const char *name, *executable;
    struct bytes args;
    const char *says;
    enum run_kind kind; /* RUN_UNKNOWN: a command */
    const char *script;
    bool input;
} line_rows[] = {
    { "its own name", "/usr/bin/rm", { "rm\0-f\0a", 8 }, "rm -f a" },
    { "a path", "/usr/bin/rm", { "/bin/rm\0a", 10 }, "/bin/rm a" },
    { "an alternative", "/usr/bin/vim.basic", { "vi\0a", 5 }, "vi a" },
    { "another one's name", "/usr/bin/rm", { "/opt/innocent.sh\0-f\0a", 22 }, "rm -f a (calls itself /opt/innocent.sh)" },
    { "an empty name", "/usr/bin/rm", { "\0-f\0a", 6 }, "rm -f a" },
    { "not known what it is", "", { "/opt/x\0a", 9 }, "/opt/x a" },
    { "no arguments", "/usr/bin/rm", { "x", 1 }, "x" },
    { "a script by where it is", "/usr/bin/dash", { "sh\0./purge\0./purge\0", 19 }, "sh /opt/purge ./purge", RUN_SCRIPT, "/opt/purge" },
    { "a script by its path", "/usr/bin/dash", { "sh\0/opt/link/purge\0", 19 }, "sh /opt/link/purge", RUN_SCRIPT, "/opt/purge" },
    { "a hook", "/usr/bin/dash", { "/bin/sh\0.git/hooks/update\0x\0", 28 }, "/bin/sh /src/.git/hooks/update x", RUN_GIT_HOOK, "/src/.git/hooks/update" },
    { "not known where", "/usr/bin/dash", { "sh\0./purge\0", 11 }, "sh ./purge", RUN_SCRIPT, "./purge" },
    { "from a file", "/usr/bin/bash", { "bash\0-s\0", 8 }, "bash -s < /opt/a.sh", RUN_SCRIPT, "/opt/a.sh", true },
    { "from a pipe", "/usr/bin/bash", { "bash\0-s\0", 8 }, "standard input of bash -s", RUN_INPUT, "bash" },
    { "from a pipe, told so", "/usr/bin/python3.11", { "python3\0-\0", 10 }, "standard input of python3", RUN_INPUT, "python3.11" },
    { "typed", "/usr/bin/bash", { "-bash\0", 6 }, "a command typed in bash (a shell builtin or redirection)", RUN_BUILTIN, "bash" },
};

static void run_lines(void **state)
{
    const struct line_row *row = *state;
    struct process *p = process_new(1, 1);
    struct cause_run run = { .kind = row->kind ? row->kind : RUN_COMMAND, .process = p, .input = row->input,
                             .name = bytes_of(row->script ? row->script : row->executable) };
    struct sbuf out = SBUF_INIT;

    process_set(p, &p->executable, bytes_of(row->executable));
    name_run_line(&out, &run, row->args, 0);
    assert_string_equal(sbuf_str(&out), row->says);
    sbuf_done(&out);
    process_unref(p);
}

static void subject(void **state)
{
    const struct subject_row *row = *state;
    struct event *e;

    set_up_people(NULL);
    e = make_event(D, "/srv/a", agent, NULL, T0);
    set_cause(e, row->run, row->what, row->launcher, row->by, NULL);
    e->cause.run.interpreter = bytes_of(row->interpreter);
    e->cause.launcher.detail = bytes_of(row->detail);
    e->cause.run.claimed = row->claimed;
    if (row->with_person)
        person_of(e);
    case_add_event(c, e);
    event_free(e);
    says(row->says);
    tear_down_people(NULL);
}

/* ---- the page ---- */

static void wraps_at_the_width(void **state)
{
    unsigned longest = 0, n = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/srv/漢字漢字漢字漢字漢字 漢字漢字/%u", i);
        add_step(&(struct step){ D, path }, NULL);
        add_step(&(struct step){ M, path }, NULL);
    }
    sbuf_clear(&text);
    case_write_text(c, false, 60, &text);
    for (const char *at = sbuf_str(&text); *at; at = strchr(at, '\n') + 1, n++)
        longest = MAX(longest, escape_columns((struct bytes){ at, strcspn(at, "\n") }));
    assert_in_range(longest, 40, 60);
    assert_non_null(strstr(sbuf_str(&text), "\n         ")); /* what goes on is indented */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_reported_or_folded, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(followed_files_give_way, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(the_same_counts_by_operation, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(half_a_replacement, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_cause, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_a_person, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_a_product, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_exec, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_health_check, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_two_users, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_one_number, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(a_redirection_is_its_commands, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(a_redirection_of_its_own, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(wraps_at_the_width, set_up_people, tear_down_people),
    };

    return RUN_ROWS(rows, rule) + RUN_ROWS(subject_rows, subject) + RUN_ROWS(line_rows, run_lines) + cmocka_run_group_tests(tests, NULL, NULL);
}
