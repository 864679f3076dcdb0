/* SPDX-License-Identifier: MIT */
/* Verdicts: as what changes count, in which words, at which times. A row a rule. */
#include "test.h"
#include "case_people.h"

enum { UNKNOWN_OUTCOME = -1 };

#define STEPS 12
#define TEXTS 5

struct row {
    const char *name;
    struct step steps[STEPS];
    const char *says[TEXTS], *says_not[TEXTS];
};

#define O OPERATION_OPEN_WRITE
#define P OPERATION_REPLACE
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
    { "two, replaced many times: one bracket says all",
      { { C, "/srv/t" }, { R, "/srv/a", "/srv/t" }, { P, "/srv/a" }, { C, "/srv/t" }, { R, "/srv/b", "/srv/t" }, { P, "/srv/b" },
        { C, "/srv/t", .ms = 100 }, { R, "/srv/a", "/srv/t", .ms = 100 }, { P, "/srv/a", .ms = 100 } },
      { "replaced 2 files in /srv (3 times in all, each written new and renamed over the old one), at" }, { ") (" } },
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
    { "no folder goes below itself, whatever a forged record says",
      { { C, "/srv/a" }, { C, "/srv/d/b" }, { R, "/srv/d/c", "/srv" }, { R, "/x", "" } },
      { "2 files created in /srv" } },
    { "emptied and filled is overwritten", { { T, "/srv/a" }, { O, "/srv/a" }, { W, "/srv/a" } },
      { "agent, on the host, overwrote /srv/a, at", "/srv/a overwritten, at", "folded    2 changes for filling files" }, { "truncated", "wrote to" } },
    { "and is no other one's writing", { { T, "/srv/a" }, { W, "/srv/a", .who = OTHER } },
      { "agent, on the host, truncated /srv/a, at", "other, on the host, wrote to /srv/a, at" }, { "overwr" } },
    { "emptied and filled, when it is looked at",
      { { T, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY }, { O, "/srv/a", .sensors = SENSOR_FANOTIFY },
        { W, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY } }, { "agent, on the host, overwrote /srv/a, at" }, { "truncated", "wrote to" } },
    { "flags that are as they were", { { OPERATION_SETFLAGS, "/srv/a", .note = EVENT_NOTE_SAME } }, { "agent, on the host, touched /srv/a, nothing changed, at" } },
    { "cut, and perhaps filled: no sensor saw the call",
      { { T, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY }, { O, "/srv/a", .sensors = SENSOR_FANOTIFY },
        { W, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY, .note = EVENT_NOTE_CUT } }, { "agent, on the host, truncated or overwrote /srv/a, at" }, { "wrote to" } },
    { "and then filled", { { T, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY }, { O, "/srv/a", .sensors = SENSOR_FANOTIFY },
        { W, "/srv/a", .was = 9, .is = 3, .sensors = SENSOR_FANOTIFY, .note = EVENT_NOTE_CUT }, { W, "/srv/a", .was = 3, .is = 5, .sensors = SENSOR_FANOTIFY } },
      { "agent, on the host, overwrote /srv/a, at" }, { "truncated" } },
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
    { "an editor that keeps the old one: renamed, and made anew",
      { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a", .ms = 10 }, { W, "/srv/a", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one is kept as /srv/a~), at", "/srv/a replaced (the old one is kept as /srv/a~), at",
        "folded    1 change for writing the new files" }, { "renamed", "/srv/a created" } },
    { "the new one is written by another name first",
      { { C, "/srv/t" }, { W, "/srv/t" }, { R, "/srv/a.bak", "/srv/a", .ms = 10 }, { R, "/srv/a", "/srv/t", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one is kept as /srv/a.bak), at" }, { "renamed /srv", "created" } },
    { "two of them, and what becomes of the new ones",
      { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { R, "/srv/b~", "/srv/b" }, { C, "/srv/b" }, { D, "/srv/b" } },
      { "agent, on the host, deleted /srv/b and replaced 2 files in /srv (the old ones are kept by other names), at" }, { "temporary", "renamed", "created" } },
    { "what it kept is moved back", { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { R, "/srv/a", "/srv/a~", .ms = 10 } },
      { "replaced /srv/a (the old one was kept as /srv/a~ at first) and renamed /srv/a~ to /srv/a" }, { "and back", "is kept" } },
    { "what it kept is deleted by another one", { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { D, "/srv/a~", .who = OTHER, .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one was kept as /srv/a~ at first), at", "other, on the host, deleted /srv/a~ (which had been /srv/a), at" }, { "is kept" } },
    { "of two that it kept one is deleted by another one",
      { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { R, "/srv/b~", "/srv/b" }, { C, "/srv/b" }, { D, "/srv/a~", .who = OTHER, .ms = 10 } },
      { "replaced 2 files in /srv (the old ones were kept by other names at first), at" }, { "are kept" } },
    { "another file takes the place of what it kept",
      { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { R, "/srv/a~", "/srv/x", .who = OTHER, .ms = 10 }, { P, "/srv/a~", .who = OTHER, .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one was kept as /srv/a~ at first), at" }, { "is kept" } },
    { "what it kept is emptied", { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { T, "/srv/a~", .who = OTHER, .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one was kept as /srv/a~ at first), at" }, { "is kept" } },
    { "what it made anew is deleted by another one", { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a" }, { D, "/srv/a", .who = OTHER, .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one is kept as /srv/a~), at" } },
    { "moved away, and a file of long ago given the name", { { R, "/srv/a~", "/srv/a" }, { R, "/srv/a", "/srv/b", .ms = 10 } },
      { "agent, on the host, renamed 2 files in /srv", "/srv/a to /srv/a~, /srv/b to /srv/a" }, { "kept" } },
    { "moved away, and a file from elsewhere given the name: mv -b", { { R, "/srv/a~", "/srv/a" }, { R, "/srv/a", "/tmp/n", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (the old one is kept as /srv/a~), at" }, { "renamed 2", "/tmp to" } },
    { "moved away, and made anew by another one", { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a", .who = OTHER } },
      { "agent, on the host, renamed /srv/a to /srv/a~", "other, on the host, created /srv/a" }, { "kept" } },
    { "moved away, and made anew much later", { { R, "/srv/a~", "/srv/a" }, { C, "/srv/a", .ms = 3600000 } },
      { "agent, on the host, renamed /srv/a to /srv/a~", "/srv/a created" }, { "kept" } },
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
    { "deleted, and a file of long ago given the name: both are gone from where they were", { { D, "/srv/a.1" }, { R, "/srv/a.1", "/srv/a", .ms = 10 } },
      { "agent, on the host, deleted /srv/a.1 and renamed /srv/a to /srv/a.1, at" }, { "anew", "replaced" } },
    { "deleted, and a file from elsewhere given the name", { { D, "/srv/a" }, { R, "/srv/a", "/tmp/a", .ms = 10 } },
      { "agent, on the host, replaced /srv/a (deleted and made anew), at" }, { "renamed" } },
    { "by a file with a long path, cut in its middle", { { R, "/srv/a", "/root/.ansible/tmp/ansible-tmp-1796083347.4914155-11433-87674883659183/a/longer/one/source" }, { P, "/srv/a" } },
      { "replaced /srv/a (by /root/.ansible/", "…", "source, renamed over it), at" } },
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
    { "several, from where is not known", { { R, "/srv/a" }, { R, "/srv/b" } },
      { "agent, on the host, moved other files to 2 names in /srv, at", "other files moved to 2 names in /srv: /srv/a, /srv/b, at" }, { "renamed", "another" } },
    { "a directory, from where is not known: no file was moved into it", { { R, "/srv/d", .type = S_IFDIR } },
      { "agent, on the host, moved another directory to /srv/d, at", "another directory moved to /srv/d, at" }, { "file" } },
    { "several directories", { { R, "/srv/d", .type = S_IFDIR }, { R, "/srv/e", .type = S_IFDIR } },
      { "agent, on the host, moved other directories to 2 names in /srv, at" }, { "file" } },
    { "from where is not known, over one that was there", { { R, "/srv/a" }, { P, "/srv/a" } },
      { "agent, on the host, replaced /srv/a, at", "folded    1 change" }, { "renamed /srv", "moved" } },
    { "the same, the replacement first", { { P, "/srv/a" }, { R, "/srv/a" } },
      { "agent, on the host, replaced /srv/a, at", "folded    1 change" }, { "renamed /srv", "moved" } },
    { "a directory is no file", { { R, "/srv/new", "/srv/old", .type = S_IFDIR } },
      { "renamed the directory /srv/old to /srv/new" } },
    { "files and directories apart", { { D, "/srv/d/a" }, { D, "/srv/d/b" }, { OPERATION_RMDIR, "/srv/d/x" }, { OPERATION_RMDIR, "/srv/d" } },
      { "deleted 2 files in /srv/d and removed the directory /srv/d and 1 directory in it, at", "the directory /srv/d and 1 directory in it removed, at" },
      { "4 files", "2 directories" } },
    { "two directories, of which none holds the other", { { OPERATION_RMDIR, "/srv/d/x" }, { OPERATION_RMDIR, "/srv/d/y" } },
      { "removed 2 directories in /srv/d, at" }, { "in it" } },
    { "a directory after two in it", { { OPERATION_RMDIR, "/srv/d/x/z" }, { OPERATION_RMDIR, "/srv/d/y" }, { OPERATION_RMDIR, "/srv/d" } },
      { "removed the directory /srv/d and 2 directories in it, at" } },
    { "the same owner of a tree", { { OPERATION_CHOWN, "/srv/d", .type = S_IFDIR }, { OPERATION_CHOWN, "/srv/d/x", .type = S_IFDIR } },
      { "changed the owner of /srv/d and 1 directory in it, at" } },
    { "an exchange", { { R, "/srv/b", "/srv/a", .inode = 7 }, { R, "/srv/a", "/srv/b", .inode = 8 } },
      { "agent, on the host, exchanged /srv/a and /srv/b, at" }, { "renamed", "twice" } },
    { "made in a directory that is renamed afterwards",
      { { OPERATION_MKDIR, "/srv/.new" }, { C, "/srv/.new/a" }, { C, "/srv/.new/b" }, { R, "/srv/app", "/srv/.new", .type = S_IFDIR } },
      { "created 2 files in /srv/app and created the directory /srv/app, at" }, { "in /srv/.new" } },
    { "and deleted there",
      { { C, "/srv/keep" }, { OPERATION_MKDIR, "/srv/.new" }, { C, "/srv/.new/a" }, { R, "/srv/app", "/srv/.new", .type = S_IFDIR }, { D, "/srv/app/a" } },
      { "created /srv/keep" }, { "deleted" } },
    { "what others made there is theirs",
      { { OPERATION_MKDIR, "/srv/.new" }, { C, "/srv/.new/a", .who = OTHER }, { R, "/srv/app", "/srv/.new", .type = S_IFDIR }, { D, "/srv/app/a" } },
      { "other, on the host, created /srv/app/a, at", "deleted /srv/app/a" }, { "/srv/.new/a" } },
    { "from name to name is one rename", { { R, "/srv/b", "/srv/a" }, { R, "/srv/c", "/srv/b" }, { R, "/srv/d", "/srv/c", .ms = 10 } },
      { "agent, on the host, renamed /srv/a to /srv/d, at", "folded    2 changes for names that files had in between" }, { "renamed 2", "in all" } },
    { "from name to name, hours apart, is not", { { R, "/srv/b", "/srv/a" }, { R, "/srv/c", "/srv/b", .ms = 3600000 } },
      { "/srv/a to /srv/b", "/srv/b to /srv/c" }, { "in between" } },
    { "and then deleted", { { R, "/srv/0", "/srv/a" }, { R, "/srv/1", "/srv/0" }, { D, "/srv/1" } },
      { "agent, on the host, deleted /srv/a (moved to /srv/1 first), at" }, { "renamed" } },
    { "there and back within a moment is no exchange", { { R, "/srv/b", "/srv/a", .inode = 7 }, { R, "/srv/a", "/srv/b", .inode = 7 } }, { "renamed" }, { "exchanged" } },
    { "where it is not known which file, nor", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b" } }, { "renamed" }, { "exchanged" } },
    { "there and back is one file", { { R, "/srv/b", "/srv/a", .inode = 7 }, { R, "/srv/a", "/srv/b", .inode = 7, .ms = 10 } },
      { "agent, on the host, renamed /srv/a to /srv/b and back, ", "/srv/a renamed to /srv/b and back, from" }, { "2 files", "twice" } },
    { "hours later as well", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b", .ms = 3600000 } },
      { "agent, on the host, renamed /srv/a to /srv/b and back, from" }, { "2 files" } },
    { "by a third name", { { R, "/srv/b", "/srv/a" }, { R, "/srv/c", "/srv/b" }, { R, "/srv/a", "/srv/c" } },
      { "agent, on the host, renamed /srv/a to /srv/c and back, at" }, { "2 files" } },
    { "out of what is watched", { { R, "/out/a", "/srv/a" }, { R, "/srv/a", "/out/a" } },
      { "agent, on the host, renamed /srv/a to /out/a and back, at" }, { "2 files", "moved" } },
    { "several, there and back", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b" }, { R, "/srv/d", "/srv/c" }, { R, "/srv/c", "/srv/d" } },
      { "renamed 2 files in /srv and back, at", "2 files renamed in /srv and back: /srv/a to /srv/b, /srv/c to /srv/d" }, { "4 files" } },
    { "twice there and back", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b" }, { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b" } },
      { "renamed /srv/a to /srv/b and back twice, at" }, { "2 files" } },
    { "brought back by another one", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b", .who = OTHER } },
      { "agent, on the host, renamed /srv/a to /srv/b, at", "other, on the host, renamed /srv/b to /srv/a, at" }, { "and back" } },
    { "back, and deleted", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b" }, { D, "/srv/a" } }, { "renamed /srv/a to /srv/b and back", "deleted /srv/a" }, { "moved" } },
    { "there and back is no exchange", { { R, "/srv/b", "/srv/a" }, { R, "/srv/a", "/srv/b", .ms = 5000 } }, { "renamed" }, { "exchanged" } },
    { "deleted what another one had moved", { { R, "/srv/b", "/srv/a", .who = OTHER }, { D, "/srv/b" } },
      { "other, on the host, renamed /srv/a to /srv/b", "agent, on the host, deleted /srv/b (which had been /srv/a)" } },
    { "the same mode", { { M, "/srv/a", .before = S_IFREG | 0644, .after = S_IFREG | 0644 } },
      { "touched /srv/a, nothing changed" }, { "mode", "times" } },
    { "attributes set to what they were, as fanotify sees it",
      { { OPERATION_UTIME, "/srv/a", .note = EVENT_NOTE_SAME } }, { "set the times of /srv/a" } },
    { "attributes, not known which", { { OPERATION_ATTRIBUTES, "/srv/a" } },
      { "changed an attribute of /srv/a (which one is not known)" }, { "times", "mode" } },
    { "opened, and what followed changed nothing",
      { { O, "/srv/a" }, { OPERATION_ATTRIBUTES, "/srv/a", .note = EVENT_NOTE_SAME }, { OPERATION_ATTRIBUTES, "/srv/a", .note = EVENT_NOTE_SAME } },
      { "agent, on the host, touched /srv/a twice, nothing changed, at", "/srv/a touched twice, nothing changed, at" }, { "made and removed" } },
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
    { "a link that gets its final name", { { OPERATION_SYMLINK, "/srv/l.tmp", "target" }, { R, "/srv/l", "/srv/l.tmp" } },
      { "created the symbolic link /srv/l, at" }, { "l.tmp" } },
    { "in words: opened", { { O, "/srv/a" }, { O, "/srv/b" } }, { "opened 2 files in /srv for writing", "2 files opened for writing in /srv" } },
    { "without a name", { { D, "", .error = UNKNOWN_OUTCOME } }, { "whether it did is not known" } },
};

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_reported_or_folded, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(followed_files_give_way, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(the_same_counts_by_operation, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(half_a_replacement, set_up_people, tear_down_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(rows, rule);
}
