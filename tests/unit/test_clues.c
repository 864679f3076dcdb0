/* SPDX-License-Identifier: MIT */
/* What each source of clues makes of the bytes it reads: also of those that were made to mislead or to break it. */
#include "test.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/acct.h>
#include <time.h>
#include <utmp.h>

#include <zstd.h>

#include "clues/at.h"
#include "clues/beside.h"
#include "clues/cleaners.h"
#include "clues/copies.h"
#include "clues/cron.h"
#include "clues/deleted_burst.h"
#include "clues/line.h"
#include "clues/moment.h"
#include "clues/original.h"
#include "clues/package_log.h"
#include "clues/people.h"
#include "clues/reflog.h"
#include "clues/scripts.h"
#include "clues/source.h"
#include "clues/syslog.h"
#include "clues/units.h"
#include "engine/flat.h"
#include "util/cleanup.h"
#include "util/escape.h"

#define SECOND NS_PER_S
#define AT (UINT64_C(1795896800) * SECOND) /* Sat 2026-11-28 20:13:20 UTC */

static struct clue_question question_of(const char *path)
{
    return (struct clue_question){ .path = bytes_of(path), .now_ns = AT + 86400 * SECOND, .spans = { { AT, AT } }, .span_count = 1 };
}

/* The only fact of an answer. */
static struct clue_fact only(struct sbuf *answer)
{
    struct bytes rest = sbuf_bytes(answer);
    struct clue_fact f = { 0 }, more;
    struct clue_span cover;

    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
    assert_int_equal(clue_take(&rest, &more, &cover), CLUE_PART_END);
    return f;
}

static unsigned count_of(const struct sbuf *answer)
{
    struct bytes rest = sbuf_bytes(answer);
    struct clue_span cover;
    struct clue_fact f;
    unsigned n = 0;

    while (clue_take(&rest, &f, &cover) > 0)
        n++;
    return n;
}

/* ---- facts as bytes ---- */

static void test_parts(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_DUE | CLUE_NAMES_PATH, .from_ns = 5, .to_ns = 6, .text = BYTES("a\0b"),
                           .place = bytes_of("/p:1"), .path = bytes_of("/x"), .suspect = bytes_of("who") },
                     got;
    struct clue_span cover;
    struct bytes rest;

    (void)state;
    clue_put(&s, &f);
    clue_put_cover(&s, 7, 8);
    clue_put_note(&s, "%d left", 3);
    rest = sbuf_bytes(&s);
    assert_int_equal(clue_take(&rest, &got, &cover), CLUE_PART_FACT);
    assert_int_equal(got.kind, CLUE_RULE);
    assert_int_equal(got.marks, f.marks);
    assert_true(bytes_equal(got.text, f.text));
    assert_bytes(got.suspect, "who");
    assert_int_equal(clue_take(&rest, &got, &cover), CLUE_PART_COVER);
    assert_int_equal(cover.from_ns, 7);
    assert_int_equal(clue_take(&rest, &got, &cover), CLUE_PART_NOTE);
    assert_bytes(got.text, "3 left");
    assert_int_equal(clue_take(&rest, &got, &cover), CLUE_PART_END);
    /* a worker that was taken over may answer anything */
    for (size_t len = 1; len < s.len; len++) {
        int part;

        for (rest = (struct bytes){ s.data, len }; (part = clue_take(&rest, &got, &cover)) > 0;)
            ;
        assert_true(part == -EBADMSG || part == CLUE_PART_END);
    }
    sbuf_clear(&s);
    flat_put_u64(&s, CLUE_PART_FACT);
    flat_put_u64(&s, CLUE_KIND_COUNT); /* no such kind */
    for (unsigned i = 0; i < 12; i++)
        flat_put_u64(&s, 0);
    rest = sbuf_bytes(&s);
    assert_int_equal(clue_take(&rest, &got, &cover), -EBADMSG);
}

static void test_long_texts_are_cut(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_RULE };

    (void)state;
    sbuf_fill(&text, 'x', 100000);
    f.text = f.path = f.place = f.suspect = sbuf_bytes(&text);
    clue_put(&s, &f);
    f = only(&s);
    assert_int_equal(f.text.len, CLUE_TEXT_MAX);
    assert_true(bytes_ends_with(f.text, bytes_of("...")));
    assert_int_equal(f.path.len, CLUE_PATH_MAX);
}

static void test_question(void **state)
{
    struct clue_question q = question_of("/srv/data"), got;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    clue_question_put(&s, &q);
    assert_int_equal(clue_question_get(sbuf_bytes(&s), &got), 0);
    assert_bytes(got.path, "/srv/data");
    assert_int_equal(got.spans[0].from_ns, AT);
    for (size_t len = 0; len < s.len; len++)
        assert_int_equal(clue_question_get((struct bytes){ s.data, len }, &got), -EBADMSG);
}

/* ---- lines ---- */

static const struct line_row {
    const char *name, *line;
    unsigned marks;
} lines[] = {
    { "the path itself", "rm -rf /srv/data", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "with a slash", "rm -rf /srv/data/", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "quoted", "rm -rf \"/srv/data\";", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "all that is in it", "rm -rf /srv/data/*", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "a directory above", "find /srv -mtime +3 -delete", CLUE_NAMES_ABOVE | CLUE_REMOVES },
    { "a pattern above", "rm -rf /s*/data", CLUE_NAMES_ABOVE | CLUE_REMOVES },
    { "something below", "rm /srv/data/x/y", CLUE_NAMES_BELOW | CLUE_REMOVES },
    { "find without -delete", "find /srv/data -name x", CLUE_NAMES_PATH },
    { "rsync without --delete", "rsync -a h: /srv/data/", CLUE_NAMES_PATH | CLUE_ALTERS },
    { "rsync with it", "/usr/bin/rsync -a --delete h:/x/ /srv/data", CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_ALTERS },
    { "a name that goes on", "rm -rf /srv/database", CLUE_REMOVES },
    { "another place", "rm -rf /mnt/srv/data", CLUE_REMOVES },
    { "the root names everything, which is nothing", "du /", 0 },
    { "a word within a word", "harm /srv/data", CLUE_NAMES_PATH },
    { "owner", "chown -R u /srv/data", CLUE_NAMES_PATH | CLUE_ALTERS },
    { "git", "cd /srv/data && git clean -fdx", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "python", "shutil.rmtree('/srv/data')", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "a program that lies there", "/srv/data/bin/rm -rf /x", CLUE_REMOVES },
    { "behind another command", "true; /srv/data/rm /x", CLUE_REMOVES },
    { "of sudo", "ann : PWD=/ ; COMMAND=/srv/data/rm /x", CLUE_REMOVES },
    { "a value", "DIR=/srv/data", CLUE_NAMES_PATH },
    { "a child of cron", "(root) CMD (/srv/data/rm -f /srv/data/x)", CLUE_NAMES_BELOW | CLUE_REMOVES },
    { "nothing", "", 0 },
};

static void test_line(void **state)
{
    const struct line_row *row = *state;
    struct clue_question q = question_of("/srv/data");

    assert_int_equal(line_marks(bytes_of(row->line), &q), row->marks);
}

/* Asked for by a link: a line may name either. */
static void test_line_by_a_link(void **state)
{
    struct clue_question q = question_of("/srv/releases/42/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    q.written = bytes_of("/srv/current/data");
    assert_int_equal(line_marks(bytes_of("rm -rf /srv/current/data"), &q), CLUE_NAMES_PATH | CLUE_REMOVES);
    assert_int_equal(line_marks(bytes_of("rm -rf /srv/current"), &q), CLUE_NAMES_ABOVE | CLUE_REMOVES);
    assert_int_equal(line_marks(bytes_of("rm -rf /srv/releases/42"), &q), CLUE_NAMES_ABOVE | CLUE_REMOVES);
    assert_int_equal(line_marks(bytes_of("rm -rf /srv/old/data"), &q), CLUE_REMOVES);
    logrotate_text(&s, &q, bytes_of("/etc/logrotate.d/x"), bytes_of("/srv/current/data {\n rotate 3\n}\n"));
    assert_bytes(only(&s).suspect, "logrotate");
}

static void test_line_made_to_be_slow(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    for (unsigned i = 0; i < 300000; i++)
        sbuf_add_str(&s, "find ");
    assert_int_equal(line_marks(sbuf_bytes(&s), &q), 0);
    sbuf_clear(&s);
    sbuf_add_char(&s, '/');
    sbuf_fill(&s, '*', 300000);
    assert_int_equal(line_marks(sbuf_bytes(&s), &q), 0);
}

/* ---- times of logs ---- */

static const struct time_row {
    const char *name, *line;
    uint64_t s;
    const char *rest;
} times[] = {
    { "old form", "Nov 28 20:13:20 host x", 1795896800, "host x" },
    { "old form, one digit", "Nov  8 20:13:20 host", 1794168800, "host" },
    { "last year's", "Dec 24 00:00:00 host", 1766534400, "host" },
    { "RFC 3339", "2026-11-28T20:13:20.123456+00:00 host", 1795896800, "host" },
    { "RFC 3339, a zone", "2026-11-28T21:13:20+01:00 host", 1795896800, "host" },
    { "Z", "2026-11-28T20:13:20Z host", 1795896800, "host" },
    { "dpkg's", "2026-11-28 20:13:20 remove x", 1795896800, "remove x" },
    { "no time", "host x", 0, NULL },
    { "no month", "Nav 28 20:13:20 x", 0, NULL },
    { "hour 25", "Nov 28 25:13:20 x", 0, NULL },
    { "month 13", "2026-13-28 20:13:20 x", 0, NULL },
    { "cut off", "2026-11-28T20:13", 0, NULL },
    { "cut off in the zone", "2026-11-28T20:13:20+01", 1795896800, NULL },
};

static void test_time(void **state)
{
    const struct time_row *row = *state;
    struct bytes line = bytes_of(row->line);
    uint64_t ns = clue_log_time(&line, UINT64_C(1795900000) * SECOND);

    assert_int_equal(ns / SECOND, row->s);
    if (row->rest)
        assert_bytes(line, row->rest);
}

/* ---- cron ---- */

static const struct due_row {
    const char *name, *line;
    int due;
} dues[] = { /* Sat 2026-11-28 20:13 */
    { "always", "* * * * * x", 1 },
    { "the minute", "13 20 * * * x", 1 },
    { "another minute", "14 20 * * * x", 0 },
    { "a list", "3,13 20 * * * x", 1 },
    { "a range with a step", "3-23/10 20 * * * x", 1 },
    { "a step", "*/5 * * * * x", 0 },
    { "the weekday", "13 20 * * 6 x", 1 },
    { "by name", "13 20 * nov sat x", 1 },
    { "day or weekday", "13 20 1 * 6 x", 1 },
    { "neither", "13 20 1 * 5 x", 0 },
    { "daily", "@daily x", 0 },
    { "reboot", "@reboot x", -1 },
    { "nonsense", "a b c d e f", -1 },
    { "out of range", "77 20 * * * x", -1 },
    { "a step of nothing", "*/0 * * * * x", -1 },
    { "a step that would wrap", "1-59/4294967290 * * * * x", -1 },
    { "too short", "13 20", -1 },
};

static void test_due(void **state)
{
    const struct due_row *row = *state;
    struct bytes line = bytes_of(row->line);

    assert_int_equal(cron_due(&line, UINT64_C(1795896800) * SECOND), row->due);
}

static void test_crontab(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    cron_table(&s, &q, bytes_of("/etc/crontab"), bytes_of("# rm /srv/data\nPATH=/srv/data\n* * * * * root rm -rf /srv/data\n"), true);
    f = only(&s);
    assert_bytes(f.suspect, "cron job: rm -rf /srv/data");
    assert_bytes(f.place, "/etc/crontab:3");
    assert_int_equal(f.marks, CLUE_COMMAND | CLUE_DUE | CLUE_NAMES_PATH | CLUE_REMOVES);
    sbuf_clear(&s);
    cron_table(&s, &q, bytes_of("/var/spool/cron/crontabs/u"), bytes_of("@reboot rm /x"), false);
    f = only(&s);
    assert_bytes(f.suspect, "cron job: rm /x");
    assert_int_equal(f.marks, CLUE_COMMAND | CLUE_REMOVES);
}

/* ---- logs ---- */

static const struct log_row {
    const char *name, *line;
    const char *suspect; /* NULL: nothing is taken; "": nobody is meant */
    unsigned marks;
} logs[] = {
    { "cron", "Nov 28 20:13:18 h CRON[7]: (root) CMD (/usr/local/bin/purge)", "cron job: /usr/local/bin/purge",
      CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED },
    { "cron that removes", "Nov 28 20:13:18 h CRON[7]: (root) CMD (rm -rf /srv/data)", "cron job: rm -rf /srv/data",
      CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "sudo", "Nov 28 20:13:18 h sudo:  ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm -r /srv/data", "sudo: /usr/bin/rm -r /srv/data",
      CLUE_STARTED | CLUE_COMMAND | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "ssh", "Nov 28 20:13:18 h sshd[9]: Accepted publickey for bob from 10.0.0.7 port 22 ssh2", "login by ssh: bob from 10.0.0.7", CLUE_STARTED },
    { "a timer, which does nothing itself", "Nov 28 20:13:18 h systemd[1]: Started purge.timer.", "", CLUE_STARTED },
    { "unit", "Nov 28 20:13:18 h systemd[1]: Starting purge.service - Purge...", "unit: purge.service", CLUE_STARTED },
    { "a session is none", "Nov 28 20:13:18 h systemd[1]: Started Session 3 of User ann.", "", 0 },
    { "names the path, 50 minutes before", "Nov 28 19:23:18 h app[1]: cleaning /srv/data", "", CLUE_NAMES_PATH },
    { "only the time, 50 minutes before", "Nov 28 19:23:18 h CRON[7]: (root) CMD (x)", NULL, 0 },
    { "after it", "Nov 28 20:13:40 h CRON[7]: (root) CMD (x)", NULL, 0 },
    { "of no known kind", "Nov 28 20:13:18 h app[1]: hello", NULL, 0 },
    { "no message", "Nov 28 20:13:18 h", NULL, 0 },
    { "no time", "CRON[7]: (root) CMD (rm -rf /srv/data)", NULL, 0 },
};

static void test_log(void **state)
{
    const struct log_row *row = *state;
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    q.spans[0].from_ns = q.spans[0].to_ns = UINT64_C(1795896800) * SECOND;
    syslog_text(&s, &q, bytes_of("/var/log/syslog"), bytes_of(row->line));
    if (!row->suspect) {
        assert_int_equal(s.len, 0);
        return;
    }
    f = only(&s);
    assert_bytes(f.suspect, row->suspect);
    assert_int_equal(f.marks, row->marks);
    assert_bytes(f.place, "/var/log/syslog:1");
}

static void test_package_logs(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    q.spans[0].from_ns = q.spans[0].to_ns = UINT64_C(1795896800) * SECOND;
    package_log_dpkg(&s, &q, bytes_of("d"),
                     bytes_of("2026-11-28 20:13:19 status installed x:amd64 1\n2026-11-28 20:13:19 remove x:amd64 1 <none>\n"
                              "2026-11-28 10:00:00 remove y:amd64 1 <none>\n"));
    f = only(&s);
    assert_bytes(f.suspect, "package x");
    assert_int_equal(f.marks, CLUE_STARTED | CLUE_LOGGED | CLUE_REMOVES);
    sbuf_clear(&s);
    package_log_apt(&s, &q, bytes_of("a"),
                    bytes_of("\nStart-Date: 2026-11-28  20:13:10\nCommandline: apt-get remove x\nRequested-By: ann (1000)\nRemove: x:amd64 (1)\n"
                             "End-Date: 2026-11-28  20:13:21\n\nStart-Date: 2026-11-28  10:00:00\nEnd-Date: 2026-11-28  10:00:01\n"));
    f = only(&s);
    assert_bytes(f.suspect, "apt: apt-get remove x");
    assert_bytes(f.text, "apt-get remove x, asked for by ann (1000)");
    assert_int_equal((f.to_ns - f.from_ns) / SECOND, 11);
    sbuf_clear(&s);
    package_log_apt(&s, &q, bytes_of("a"), bytes_of("Start-Date:\nEnd-Date: x\nStart-Date: 2026\nCommandline:\n"));
    assert_int_equal(s.len, 0);
}

static const struct rpm_log_row {
    const char *name, *text, *suspect; /* NULL: nothing */
    unsigned marks;
} rpm_logs[] = {
    { "dnf.rpm.log, removed", "2026-11-28T20:13:19+0000 SUBDEBUG Erase: foo-bar-1:1.0-1.fc40.x86_64\n", "package foo-bar",
      CLUE_STARTED | CLUE_LOGGED | CLUE_REMOVES },
    { "dnf.rpm.log, upgraded", "2026-11-28T20:13:19+0000 SUBDEBUG Upgrade: foo-1.0-1.x86_64\n", "package foo", CLUE_STARTED | CLUE_LOGGED | CLUE_ALTERS },
    { "dnf.log, the command", "2026-11-28T20:13:19+0000 DDEBUG Command: dnf -y remove foo \n", "dnf: dnf -y remove foo ", CLUE_STARTED },
    { "yum.log", "Nov 28 20:13:19 Erased: foo-1.0-1.x86_64\n", "package foo", CLUE_STARTED | CLUE_LOGGED | CLUE_REMOVES },
    { "zypper, removed", "2026-11-28 20:13:19|remove |foo|1.0-1|x86_64|root@h|\n", "package foo", CLUE_STARTED | CLUE_LOGGED | CLUE_REMOVES },
    { "zypper, the command", "2026-11-28 20:13:19|command|root@h|'zypper' 'rm' 'foo'|\n", "zypper: 'zypper' 'rm' 'foo'", CLUE_STARTED },
    { "at another time", "2026-11-28T10:13:19+0000 SUBDEBUG Erase: foo-1.0-1.x86_64\n", NULL, 0 },
    { "a message of dnf: a heading names no package", "2026-11-28T20:13:19+0000 DEBUG Removed: \n2026-11-28T20:13:19+0000 INFO Complete\n", NULL, 0 },
    { "dnf, a name that is empty", "2026-11-28T20:13:19+0000 SUBDEBUG Erase: -1.0-1.x86_64\n", NULL, 0 },
    { "dnf, a command that is empty", "2026-11-28T20:13:19+0000 DDEBUG Command: \n", NULL, 0 },
    { "zypper, no package", "2026-11-28 20:13:19|remove ||1.0-1|x86_64|root@h|\n", NULL, 0 },
    { "zypper, no command", "2026-11-28 20:13:19|command|root@h||\n", NULL, 0 },
    { "short", "2026-11-28 20:13:19|\n2026-11-28 20:13:19\n", NULL, 0 },
};

static void test_rpm_log(void **state)
{
    const struct rpm_log_row *row = *state;
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    package_log_rpm(&s, &q, bytes_of("l"), bytes_of(row->text));
    if (!row->suspect) {
        assert_int_equal(s.len, 0);
        return;
    }
    f = only(&s);
    assert_bytes(f.suspect, row->suspect);
    assert_int_equal(f.marks, row->marks);
}

static void test_at(void **state)
{
    struct clue_question q = question_of("/srv/data");
    static const char job[] = "#!/bin/sh\n# atrun uid=0 gid=0\nHOME=/root; export HOME\n${SHELL:-/bin/sh} << 'm'\nrm -rf /srv/data\n\nm\n";
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    char name[64];
    struct clue_fact f;

    (void)state;
    snprintf(name, sizeof(name), "/var/spool/at/a00001%08llx", (unsigned long long)(AT / SECOND / 60));
    at_job(&s, &q, bytes_of(name), bytes_of(job));
    f = only(&s);
    assert_bytes(f.suspect, "at job: rm -rf /srv/data");
    assert_int_equal(f.marks, CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_NOT_DUE); /* it waits: it has not run */
    assert_int_equal(f.from_ns, AT / SECOND / 60 * 60 * SECOND);
    sbuf_clear(&s);
    name[sizeof("/var/spool/at/") - 1] = '=';
    at_job(&s, &q, bytes_of(name), bytes_of(job));
    f = only(&s);
    assert_int_equal(f.marks, CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_DUE);
    sbuf_clear(&s);
    at_job(&s, &q, bytes_of("/var/spool/at/.SEQ"), bytes_of(job));
    at_job(&s, &q, bytes_of("/var/spool/at/spool-job-name-"), bytes_of(job));
    assert_int_equal(s.len, 0);
}

static const struct reflog_row {
    const char *name, *line, *suspect; /* NULL: nothing */
} reflogs[] = {
#define HASHES "0123456789012345678901234567890123456789 0123456789012345678901234567890123456789 "
    { "reset", HASHES "Ann <ann@x> 1795896798 +0100\treset: moving to HEAD~1\n", "git reset: moving to HEAD~1" },
    { "checkout", HASHES "Ann <ann@x> 1795896798 +0100\tcheckout: moving from main to old\n", "git checkout: moving from main to old" },
    { "a commit changes no file", HASHES "Ann <ann@x> 1795896798 +0100\tcommit: x\n", NULL },
    { "at another time", HASHES "Ann <ann@x> 1795000000 +0100\treset: moving to HEAD~1\n", NULL },
    { "no name", HASHES "> 1795896798 +0100\treset: x\n", "git reset: x" },
    { "a time that is none", HASHES "A <a> 99999999999999999999 +0100\treset: x\n", NULL },
    { "short", "x > 1\treset: x\n>\t\n", NULL },
};

static void test_reflog(void **state)
{
    const struct reflog_row *row = *state;
    struct clue_question q = question_of("/srv/data/x");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    reflog_text(&s, &q, bytes_of("/srv/data"), bytes_of("/srv/data/.git/logs/HEAD"), bytes_of(row->line));
    if (!row->suspect) {
        assert_int_equal(s.len, 0);
        return;
    }
    f = only(&s);
    assert_bytes(f.suspect, row->suspect);
    assert_int_equal(f.marks, CLUE_STARTED | CLUE_REMOVES | CLUE_ALTERS | CLUE_NAMES_ABOVE);
}

static void test_beside(void **state)
{
    static const struct {
        const char *name, *suspect; /* NULL: it says nothing */
        uint64_t after;
        bool there;
    } cases[] = { { "a.conf.rpmsave", "rpm", 0, false }, { "a.conf.rpmsave", "", 100, false }, { "a.conf.1.gz", "", 0, false },
                  { "a.conf~", "", 0, false },           { "a.conf.dpkg-old", "dpkg", 0, true }, { "a.conf.dpkg-old", "", 100, true },
                  { "a.conf~", NULL, 0, true },          { "a.conf.dpkg-dist", NULL, 0, true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
        struct clue_fact f;

        beside_name(&s, bytes_of("/etc/a.conf"), bytes_of(cases[i].name), AT, cases[i].there, AT + cases[i].after * SECOND);
        if (!cases[i].suspect) {
            assert_int_equal(s.len, 0);
            continue;
        }
        f = only(&s);
        assert_int_equal(f.kind, CLUE_KEPT);
        assert_bytes(f.suspect, cases[i].suspect);
        beside_name(&s, bytes_of("/etc/a"), bytes_of(cases[i].name), AT, cases[i].there, AT); /* another file's */
        (void)only(&s);
    }
}

static void test_lvm(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    copies_lvm(&s, bytes_of("/etc/lvm/backup/vg"),
               bytes_of("vg {\n logical_volumes {\n  root {\n   segment1 {\n    type = \"striped\"\n   }\n  }\n  snapshot0 {\n   segment1 {\n"
                        "    type = \"snapshot\"\n    origin = \"root\"\n    cow_store = \"before-upgrade\"\n   }\n  }\n }\n}\norigin = \"\norigin\n"));
    f = only(&s);
    assert_int_equal(f.kind, CLUE_BACKUP);
    assert_bytes(f.place, "/etc/lvm/backup/vg:11");
    assert_true(bytes_starts_with(f.text, bytes_of("LVM has a snapshot of the volume root (snapshot0)")));
}

/* ---- what is set to happen ---- */

static const struct trigger_row {
    const char *name, *path, *text, *log;
    unsigned marks; /* ~0: nothing */
    const char *says;
} triggers[] = {
    { "trigger, the path", "/usr/share/mime", "/usr/share/mime shared-mime-info\n", "", CLUE_NAMES_PATH, "/info/shared-mime-info.postinst" },
    { "trigger, above", "/usr/share/mime/a/b", "/usr/share/mime shared-mime-info/noawait\n", "", CLUE_NAMES_ABOVE, "/info/shared-mime-info.postinst" },
    { "trigger, with an architecture", "/usr/lib/gio/x", "/usr/lib/gio libglib2.0-0:amd64/noawait\n", "", CLUE_NAMES_ABOVE,
      "/info/libglib2.0-0:amd64.postinst" },
    { "trigger, another place", "/usr/share/mimes", "/usr/share/mime shared-mime-info\n", "", ~0u, NULL },
    { "trigger, below", "/usr/share", "/usr/share/mime shared-mime-info\n", "", ~0u, NULL },
    { "trigger, damaged", "/usr/share/mime", "/usr/share/mime\n/usr/share/mime /noawait\nusr/share/mime x\n", "", ~0u, NULL },
    { "trigger, which ran", "/usr/a", "/usr/a b:amd64\n",
      "2026-11-01 00:00:00 install c:amd64 1\n2026-11-28 20:13:20 trigproc b:amd64 1 <none>\n", CLUE_NAMES_PATH | CLUE_DUE, NULL },
    { "trigger, of another one", "/usr/a", "/usr/a b\n", "2026-11-01 00:00:00 install c:amd64 1\n2026-11-28 20:13:20 trigproc bb:amd64 1 <none>\n",
      CLUE_NAMES_PATH | CLUE_NOT_DUE, NULL },
    { "trigger, which did not run", "/usr/a", "/usr/a b\n", "2026-11-01 00:00:00 trigproc b:amd64 1\n", CLUE_NAMES_PATH | CLUE_NOT_DUE, NULL },
    { "trigger, and the log begins later", "/usr/a", "/usr/a b\n", "2027-11-01 00:00:00 trigproc c:amd64 1\n", CLUE_NAMES_PATH, NULL },
};

static void test_trigger(void **state)
{
    const struct trigger_row *row = *state;
    struct clue_question q = question_of(row->path);
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    package_triggers(&s, &q, bytes_of("/var/lib/dpkg/triggers/File"), bytes_of(row->text), bytes_of(row->log));
    if (row->marks == ~0u) {
        assert_int_equal(s.len, 0);
        return;
    }
    f = only(&s);
    assert_int_equal(f.kind, CLUE_RULE);
    assert_int_equal(f.marks, row->marks | CLUE_COMMAND);
    assert_bytes(f.place, "/var/lib/dpkg/triggers/File:1");
    assert_true(bytes_starts_with(f.suspect, bytes_of("package ")) && !bytes_char(f.suspect, ':'));
    if (row->says)
        assert_true(bytes_ends_with(f.text, bytes_of(row->says)));
}

static const struct rule_row {
    const char *name;
    void (*parse)(struct sbuf *, const struct clue_question *, struct bytes, struct bytes);
    const char *path, *text;
    unsigned facts, marks; /* of the first */
} rules[] = {
    { "unit, its directory of /run", units_text, "/run/foo/x", "[Service]\nRuntimeDirectory=bar foo\n", 1, CLUE_NAMES_ABOVE | CLUE_REMOVES },
    { "unit, another directory of /run", units_text, "/run/food", "RuntimeDirectory=foo\n", 0, 0 },
    { "unit, which keeps its directory", units_text, "/run/foo", "[Service]\nRuntimeDirectoryPreserve=yes\nRuntimeDirectory=foo\n", 0, 0 },
    { "tmpfiles, age", tmpfiles_text, "/tmp/x", "q /tmp 1777 root root 10d\n", 1, CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_BY_AGE },
    { "tmpfiles, no age", tmpfiles_text, "/tmp/x", "d /tmp 1777 root root -\n", 0, 0 },
    { "tmpfiles, at boot", tmpfiles_text, "/tmp/x", "D! /tmp 1777 root root\n", 1, CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES },
    { "tmpfiles, a pattern", tmpfiles_text, "/tmp/a-1/x", "R /tmp/a-*\n", 1, CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES },
    { "tmpfiles, an exception accuses nobody", tmpfiles_text, "/tmp/x", "x /tmp/x\n", 1, CLUE_NAMES_PATH },
    { "tmpfiles, modes", tmpfiles_text, "/srv/x", "Z /srv 0700 root root\n", 1, CLUE_NAMES_ABOVE | CLUE_ALTERS },
    { "tmpfiles, another place", tmpfiles_text, "/srv/x", "q /tmp - - - 10d\n", 0, 0 },
    { "tmpfiles, a comment", tmpfiles_text, "/tmp/x", "# q /tmp - - - 10d\n", 0, 0 },
    { "tmpfiles, quoted", tmpfiles_text, "/tmp/x", "q \"/tmp\" - - - 10d", 1, CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_BY_AGE },
    { "logrotate", logrotate_text, "/var/log/a.log", "/var/log/*.log {\n weekly\n}\n", 1, CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, a rotated one", logrotate_text, "/var/log/a.log.8.gz", "/var/log/a.log /var/log/b.log {\n weekly\n}\n", 1,
      CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, by date", logrotate_text, "/var/log/a.log-20261128", "/var/log/a.log {\n}\n", 1, CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, within a block", logrotate_text, "/x", "/y {\n postrotate\n  /x\n endscript\n /x\n}\n", 0, 0 },
    { "logrotate, another file", logrotate_text, "/var/log/sub/a.log", "/var/log/*.log {\n}\n", 0, 0 },
    { "logrotate's record", logrotate_state, "/var/log/a.log", "logrotate state -- version 2\n\"/var/log/a.log\" 2026-11-28-6:25:1\n", 1,
      CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_STARTED },
    { "logrotate's record, damaged", logrotate_state, "/var/log/a.log", "\"/var/log/a.log\" 2026-11\n\"/var/log/a.log\n\"\n", 0, 0 },
    { "unit", units_text, "/srv/data", "[Service]\nExecStart=/bin/rm -rf /srv/data\n", 1, CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_COMMAND },
    { "unit, a comment", units_text, "/srv/data", "#ExecStart=/bin/rm -rf /srv/data\n", 0, 0 },
    { "unit, another place", units_text, "/srv/data", "ExecStart=/bin/rm -rf /srv/other\n", 0, 0 },
    { "unit, of the program asked for", units_text, "/usr/bin/x", "ExecStart=/usr/bin/x\n", 0, 0 },
    { "trash", trash_note, "/home/u/a b", "[Trash Info]\nPath=/home/u/a%20b\nDeletionDate=2026-11-28T20:13:20\n", 1,
      CLUE_DID | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "trash, of another file", trash_note, "/home/u/c", "[Trash Info]\nPath=/home/u/a%20b\n", 0, 0 },
    { "trash, damaged", trash_note, "/home/u/c", "Path=/home/u/c%\nPath=%4", 0, 0 },
};

static void test_rule(void **state)
{
    const struct rule_row *row = *state;
    struct clue_question q = question_of(row->path);
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct bytes rest;
    struct clue_span cover;
    struct clue_fact f;

    row->parse(&s, &q, bytes_of("/usr/lib/x"), bytes_of(row->text));
    assert_int_equal(count_of(&s), row->facts);
    rest = sbuf_bytes(&s);
    if (row->facts && clue_take(&rest, &f, &cover) == CLUE_PART_FACT)
        assert_int_equal(f.marks, row->marks);
}

static const struct script_row {
    const char *name, *text;
    unsigned marks; /* ~0: nothing */
    const char *place;
} scripts[] = {
    { "one line", "#!/bin/sh\nset -e\nrm -rf /srv/data/*\n", CLUE_NAMES_PATH | CLUE_REMOVES, "/s:3" },
    { "by a variable", "#!/bin/sh\nDIR=/srv/data\nrm -rf \"$DIR\"/*\n", CLUE_NAMES_PATH | CLUE_REMOVES, "/s:2" },
    { "a variable before is another one", "#!/bin/sh\nrm $x\nDIR=/srv/data\nls $DIR\n", CLUE_NAMES_PATH, "/s:3" },
    { "named only", "#!/bin/sh\ndu /srv/data\n", CLUE_NAMES_PATH, "/s:2" },
    { "a comment", "#!/bin/sh\n# rm /srv/data\n", ~0u, NULL },
    { "empty", "", ~0u, NULL },
};

static void test_script(void **state)
{
    const struct script_row *row = *state;
    struct clue_question q = question_of("/srv/data");
    struct clue_fact of = { .kind = CLUE_RULE, .suspect = bytes_of("cron job: /s") }, f;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    scripts_text(&s, &q, &of, bytes_of("/s"), bytes_of(row->text));
    if (row->marks == ~0u) {
        assert_int_equal(s.len, 0);
        return;
    }
    f = only(&s);
    assert_int_equal(f.marks, row->marks);
    assert_bytes(f.place, row->place);
    assert_bytes(f.suspect, "cron job: /s");
}

static void test_program_is_no_script(void **state)
{
    struct clue_question q = question_of("/srv/data");
    struct clue_fact of = { .kind = CLUE_RULE };
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    scripts_text(&s, &q, &of, bytes_of("/s"), BYTES("\x7f" "ELF\0\nrm /srv/data\n"));
    assert_int_equal(s.len, 0);
}

/* ---- originals ---- */

static void test_dpkg_list(void **state)
{
    struct clue_question q = question_of("/usr/bin/x");
    static const struct original_conffiles none;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct bytes rest;
    struct original o;

    (void)state;
    /* of a merged system: the list has /bin/x */
    original_dpkg(&s, &q, bytes_of("package p"), bytes_of("/.\n/bin\n/bin/x\n/etc\n/etc/y\n"),
                  bytes_of("0123456789abcdef0123456789abcdef  bin/x\nshort\n"), &none);
    rest = sbuf_bytes(&s);
    assert_int_equal(original_get(&rest, &o), 0);
    assert_bytes(o.path, "/bin/x");
    assert_bytes(o.digest, "0123456789abcdef0123456789abcdef");
    assert_int_equal(rest.len, 0);
    /* directories of a list are not files */
    sbuf_clear(&s);
    q.path = bytes_of("/etc");
    original_dpkg(&s, &q, bytes_of("package p"), bytes_of("/etc\n/etc/d\n/etc/d/y\n"), BYTES_NULL, &none);
    rest = sbuf_bytes(&s);
    assert_int_equal(original_get(&rest, &o), 0);
    assert_bytes(o.path, "/etc/d/y");
    assert_int_equal(rest.len, 0);
}

static void put_be32(struct sbuf *s, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        sbuf_add_char(s, (char)(v >> shift));
}

/* An entry of version 2 or 4: no times but mtime, a file of 7 bytes. */
static void put_entry(struct sbuf *s, unsigned version, const char *name, unsigned strip)
{
    size_t at = s->len;

    for (unsigned i = 0; i < 10; i++)
        put_be32(s, i == 2 ? 1000 : i == 6 ? 0100644 : i == 9 ? 7 : 0);
    sbuf_fill(s, '\1', 20);
    sbuf_add_char(s, 0);
    sbuf_add_char(s, (char)strlen(name));
    if (version == 4)
        sbuf_add_char(s, (char)strip);
    sbuf_add(s, name, strlen(name) + 1);
    while (version != 4 && (s->len - at) % 8)
        sbuf_add_char(s, 0);
}

static size_t put_little(char *at, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (char)(n >> 8 * i);
    return bytes;
}

/* A database of plocate with one block of names. */
static size_t make_plocate(char *db, const char *names, size_t len)
{
    size_t block = ZSTD_compress(db + 128, 1024, names, len, 1);

    assert_false(ZSTD_isError(block));
    memset(db, 0, 128);
    memcpy(db, "\0plocate", 8);
    put_little(db + 8, 1, 4);
    put_little(db + 20, 1, 4);
    put_little(db + 32, 128 + block, 8);
    put_little(db + 128 + block, 128, 8);
    put_little(db + 128 + block + 8, 128 + block, 8);
    return 128 + block + 16;
}

static void test_locate(void **state)
{
    static const char names[] = "/etc/x\0/srv/data\0/srv/data/b\0/srv/database", mdb[] = "\0mlocate\0\0\0\2\0\0\0\0/\0c\0"
                                                                                             "0123456789abcdef/srv\0\1data\0\0other\0\2"
                                                                                             "0123456789abcdef/srv/data\0\0b\0\2";
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    char db[2048];
    size_t len = make_plocate(db, names, sizeof(names));
    struct original o;
    struct bytes rest;

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct bytes all = kind ? (struct bytes){ mdb, sizeof(mdb) - 1 } : (struct bytes){ db, len };

        sbuf_clear(&s);
        assert_int_equal(original_locate(&s, &q, AT, all), 0);
        rest = sbuf_bytes(&s);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/data");
        assert_bytes(o.owner, "locate's database of 2026-11-28 20:13:20");
        assert_int_equal(o.seen_ns, AT);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/data/b");
        assert_int_equal(rest.len, 0);
        /* cut, and damaged at each place: the sanitizer sees each byte beyond */
        for (size_t cut = 0; cut < all.len; cut++) {
            _cleanup_free_ char *copy = malloc(all.len);

            memcpy(copy, all.data, all.len);
            (void)original_locate(&s, &q, AT, (struct bytes){ copy + all.len - cut, cut });
            copy[cut] = (char)~copy[cut];
            (void)original_locate(&s, &q, AT, (struct bytes){ copy, all.len });
        }
    }
    assert_int_equal(original_locate(&s, &q, AT, bytes_of("something else that is long enough")), -EBADMSG);
}

static void test_git_index(void **state)
{
    for (unsigned version = 2; version <= 4; version += 2) {
        struct clue_question q = question_of("/srv/r/dir");
        _cleanup_sbuf_ struct sbuf index = SBUF_INIT, s = SBUF_INIT;
        struct bytes rest;
        struct original o;

        (void)state;
        sbuf_add_str(&index, "DIRC");
        put_be32(&index, version);
        put_be32(&index, 3);
        put_entry(&index, version, "a", 0);
        put_entry(&index, version, "dir/one", 1);
        put_entry(&index, version, version == 4 ? "two" : "dir/two", 3);
        assert_int_equal(original_git(&s, &q, bytes_of("/srv/r"), sbuf_bytes(&index)), 0);
        rest = sbuf_bytes(&s);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/r/dir/one");
        assert_int_equal(o.size, 7);
        assert_int_equal(o.mtime_s, 1000);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/r/dir/two");
        assert_int_equal(rest.len, 0);
        for (size_t len = 0; len < index.len - 8; len++)
            assert_int_equal(original_git(&s, &q, bytes_of("/srv/r"), (struct bytes){ index.data, len }), -EBADMSG);
    }
}

/* ---- people ---- */

static void put_utmp(struct sbuf *s, short type, const char *user, const char *line, int64_t seconds)
{
    struct utmp u = { .ut_type = type };

    u.ut_tv.tv_sec = (int32_t)(1795896800 + seconds);
    memcpy(u.ut_user, user, MIN(strlen(user), sizeof(u.ut_user)));
    memcpy(u.ut_line, line, MIN(strlen(line), sizeof(u.ut_line)));
    memset(u.ut_host, 'h', sizeof(u.ut_host)); /* no NUL */
    sbuf_add(s, (const char *)&u, sizeof(u));
}

static void test_btmp(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf in = SBUF_INIT, s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    q.extra = bytes_of("root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
    put_utmp(&in, LOGIN_PROCESS, "ann", "ssh:notty", -5000); /* at another time */
    put_utmp(&in, LOGIN_PROCESS, "ann", "ssh:notty", -20);
    put_utmp(&in, LOGIN_PROCESS, "ann", "ssh:notty", -10);
    sbuf_add_str(&in, "half");
    assert_int_equal(people_btmp(&s, &q, bytes_of("b"), sbuf_bytes(&in)), AT - 5000 * SECOND);
    f = only(&s);
    assert_true(bytes_starts_with(f.text, bytes_of("a login of ann from hhh")));
    assert_true(bytes_ends_with(f.text, bytes_of(" was refused, 2 times")));
    assert_int_equal(f.from_ns, AT - 20 * SECOND);
    assert_int_equal(f.to_ns, AT - 10 * SECOND);
    assert_int_equal(f.suspect.len, 0); /* who was refused has done nothing */
    assert_int_equal(f.marks, 0);
    /* a password that was typed where the name belongs is not repeated */
    sbuf_clear(&in);
    sbuf_clear(&s);
    put_utmp(&in, LOGIN_PROCESS, "S3cret!", "tty1", -2);
    people_btmp(&s, &q, bytes_of("b"), sbuf_bytes(&in));
    f = only(&s);
    assert_null(memmem(s.data, s.len, "S3cret", 6));
    assert_true(bytes_starts_with(f.text, bytes_of("a login of a name that nobody has here from hhh")));
    /* who tries from everywhere is counted, not listed */
    sbuf_clear(&in);
    sbuf_clear(&s);
    for (unsigned i = 0; i < 100; i++) {
        struct utmp u = { .ut_type = LOGIN_PROCESS, .ut_user = "root" };

        u.ut_tv.tv_sec = (int32_t)(AT / SECOND);
        snprintf(u.ut_host, sizeof(u.ut_host), "10.0.0.%u", i);
        sbuf_add(&in, (const char *)&u, sizeof(u));
    }
    people_btmp(&s, &q, bytes_of("b"), sbuf_bytes(&in));
    assert_int_equal(count_of(&s), 64 + 1); /* and a note of the rest */
}

static void test_wtmp(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf in = SBUF_INIT, s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    put_utmp(&in, USER_PROCESS, "ann", "pts/1", -5000); /* left before */
    put_utmp(&in, DEAD_PROCESS, "", "pts/1", -4000);
    put_utmp(&in, USER_PROCESS, "bob", "pts/2", -5000); /* was there */
    put_utmp(&in, USER_PROCESS, "eve", "pts/3", 100);   /* came later */
    put_utmp(&in, DEAD_PROCESS, "", "pts/2", 50);
    assert_int_equal(people_wtmp(&s, &q, bytes_of("w"), sbuf_bytes(&in)), AT - 5000 * SECOND);
    f = only(&s);
    assert_true(bytes_starts_with(f.text, bytes_of("bob was logged in at pts/2 from hhh")));
    assert_int_equal(f.suspect.len, 0); /* who is there has done nothing yet */
    /* one who came just before; a record that is cut off; another start of the machine ends sessions */
    sbuf_clear(&in);
    sbuf_clear(&s);
    put_utmp(&in, USER_PROCESS, "old", "pts/9", -90000);
    put_utmp(&in, BOOT_TIME, "reboot", "~", -9000);
    put_utmp(&in, USER_PROCESS, "bob", "pts/2", -2);
    sbuf_add_str(&in, "half");
    people_wtmp(&s, &q, bytes_of("w"), sbuf_bytes(&in));
    f = only(&s);
    assert_bytes(f.suspect, "login of bob at pts/2");
    assert_int_equal(f.marks, CLUE_STARTED);
}

static void test_accounting(void **state)
{
    static const struct {
        const char *comm;
        int before;
        unsigned marks; /* 0: nothing */
    } rows[] = { { "rm", 1, CLUE_STARTED | CLUE_REMOVES }, { "rm", 100, 0 }, { "ls", 1, 0 }, { "chown", 0, CLUE_STARTED | CLUE_ALTERS } };
    struct clue_question q = question_of("/srv/data");

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct acct_v3 a = { .ac_version = 3, .ac_uid = 7, .ac_btime = (uint32_t)(1795896800 - rows[i].before) };
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

        memcpy(a.ac_comm, rows[i].comm, strlen(rows[i].comm));
        people_accounting(&s, &q, bytes_of("p"), (struct bytes){ (const char *)&a, sizeof(a) });
        assert_int_equal(s.len != 0, rows[i].marks != 0);
        if (s.len)
            assert_int_equal(only(&s).marks, rows[i].marks);
    }
}

static const struct history_row {
    const char *name, *text, *suspect;
    unsigned marks;
} histories[] = {
    { "bash, with a time", "#1795896798\nrm -rf /srv/data\n", "typed by u: rm -rf /srv/data",
      CLUE_COMMAND | CLUE_STARTED | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "zsh", ": 1795896798:0;rm -rf /srv/data\n", "typed by u: rm -rf /srv/data", CLUE_COMMAND | CLUE_STARTED | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "without a time", "rm -rf /srv/data\n", "typed by u: rm -rf /srv/data", CLUE_COMMAND | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "another time", "#1795000000\nrm -rf /srv/data\n", NULL, 0 },
    { "a time that is none", "#99999999999999999999\nls /srv/data\n", NULL, 0 },
    { "only looked at", "ls /srv/data\n", NULL, 0 },
    { "a time is of one command", "#1795000000\nls\nrm /srv/data\n", "typed by u: rm /srv/data", CLUE_COMMAND | CLUE_NAMES_PATH | CLUE_REMOVES },
};

static void test_history(void **state)
{
    const struct history_row *row = *state;
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    people_history(&s, &q, bytes_of("/home/u/.bash_history"), bytes_of("u"), bytes_of(row->text));
    if (!row->suspect) {
        assert_int_equal(s.len, 0);
        return;
    }
    f = only(&s);
    assert_bytes(f.suspect, row->suspect);
    assert_int_equal(f.marks, row->marks);
}

static void test_deleted(void **state)
{
    struct clue_question q = question_of("/srv/data");
    struct deleted_inode d = { .number = 12, .mode = 0100644, .uid = 1, .gid = 2, .deleted_s = 1795896800, .deleted_ns = 5, .born_s = 1795000000 };
    static struct deleted_inodes all;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    all = (struct deleted_inodes){ .question = &q };
    deleted_add(&all, &d);
    d.number = 13;
    d.deleted_ns = 9;
    deleted_add(&all, &d);
    d.deleted_s += 100; /* at another time */
    deleted_add(&all, &d);
    deleted_put(&s, &all);
    f = only(&s);
    assert_int_equal(f.marks, CLUE_EXACT);
    assert_int_equal(f.to_ns - f.from_ns, 4);
    assert_true(bytes_starts_with(f.text, bytes_of("2 files were deleted")));
    d.deleted_s -= 100;
    for (unsigned i = 0; i < 1000; i++) {
        d.uid = i + 10;
        deleted_add(&all, &d);
    }
    assert_int_equal(all.count, DELETED_BURSTS_MAX);
    assert_int_equal(all.left_out, 1000 + 1 - DELETED_BURSTS_MAX);
}

/* ---- moments ---- */

static void test_moments(void **state)
{
    struct clue_fact facts[] = {
        { .kind = CLUE_TIME, .marks = CLUE_LATEST, .from_ns = AT + 500 * SECOND, .to_ns = AT + 500 * SECOND },
        { .kind = CLUE_MISSING, .from_ns = AT, .to_ns = AT },
        { .kind = CLUE_MISSING, .from_ns = AT + SECOND, .to_ns = AT + SECOND },
        { .kind = CLUE_RULE, .from_ns = AT + 900 * SECOND, .to_ns = AT + 900 * SECOND },
    };
    struct clue_question q = { .path = bytes_of("/x") };

    (void)state;
    moments_find(facts, ARRAY_SIZE(facts), &q);
    assert_int_equal(q.span_count, 1); /* what merely has a time does not count beside what is missing */
    assert_int_equal(q.spans[0].from_ns, AT);
    assert_int_equal(q.spans[0].to_ns, AT + SECOND);
    q.since_ns = AT + 100 * SECOND;
    moments_find(facts, ARRAY_SIZE(facts), &q);
    assert_int_equal(q.span_count, 1);
    assert_int_equal(q.spans[0].from_ns, AT + 500 * SECOND);
    q.since_ns = AT + 600 * SECOND;
    moments_find(facts, ARRAY_SIZE(facts), &q);
    assert_int_equal(q.span_count, 0);
    q.until_ns = AT + 700 * SECOND;
    moments_find(facts, ARRAY_SIZE(facts), &q);
    assert_int_equal(q.span_count, 1);
    assert_int_equal(q.spans[0].from_ns, AT + 600 * SECOND);
}

static void test_many_moments(void **state)
{
    struct clue_fact facts[64];
    struct clue_question q = { .path = bytes_of("/x") };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        facts[i] = (struct clue_fact){ .kind = CLUE_MISSING, .from_ns = AT + i * 100 * SECOND, .to_ns = AT + i * 100 * SECOND };
    moments_find(facts, ARRAY_SIZE(facts), &q);
    assert_int_equal(q.span_count, CLUE_SPANS_MAX);
    assert_int_equal(q.spans[0].from_ns, AT + 6300 * SECOND); /* the newest first */
}

static void test_sources(void **state)
{
    (void)state;
    for (unsigned i = 0; i < clue_source_count; i++) {
        const struct clue_source *s = &clue_sources[i];

        assert_true(s->name[0] && strlen(s->name) < 10 && s->reads[0]);
        assert_true((s->job != NULL) != (s->ask != NULL));
        assert_true(s->budget_ms > 0 && s->budget_ms <= 3000);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(clue_sources[j].name, s->name);
    }
}

int main(void)
{
    static struct CMUnitTest tests[200];
    size_t n = 0;

    setenv("TZ", "UTC", 1);
    tzset();
#define ADD(function) tests[n++] = (struct CMUnitTest)cmocka_unit_test(function)
#define ADD_ROWS(rows, function) \
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) \
    tests[n++] = (struct CMUnitTest){ rows[i].name, function, NULL, NULL, (void *)(uintptr_t)&rows[i] }
    ADD(test_parts);
    ADD(test_long_texts_are_cut);
    ADD(test_question);
    ADD_ROWS(lines, test_line);
    ADD(test_line_by_a_link);
    ADD(test_line_made_to_be_slow);
    ADD_ROWS(times, test_time);
    ADD_ROWS(dues, test_due);
    ADD(test_crontab);
    ADD_ROWS(logs, test_log);
    ADD(test_package_logs);
    ADD_ROWS(rpm_logs, test_rpm_log);
    ADD(test_at);
    ADD(test_lvm);
    ADD_ROWS(reflogs, test_reflog);
    ADD(test_beside);
    ADD(test_locate);
    ADD_ROWS(triggers, test_trigger);
    ADD_ROWS(rules, test_rule);
    ADD_ROWS(scripts, test_script);
    ADD(test_program_is_no_script);
    ADD(test_dpkg_list);
    ADD(test_git_index);
    ADD(test_wtmp);
    ADD(test_btmp);
    ADD(test_accounting);
    ADD_ROWS(histories, test_history);
    ADD(test_deleted);
    ADD(test_moments);
    ADD(test_many_moments);
    ADD(test_sources);
    assert(n <= ARRAY_SIZE(tests));
    return _cmocka_run_group_tests("clues", tests, n, NULL, NULL);
}
