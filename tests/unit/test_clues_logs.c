/* SPDX-License-Identifier: MIT */
/* What sources of clues make of logs: lines, their times, cron, packages, reflogs. */
#include "test.h"
#include "clues_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clues/at.h"
#include "clues/cleaners.h"
#include "clues/copies.h"
#include "clues/cron.h"
#include "clues/line.h"
#include "clues/package_log.h"
#include "clues/reflog.h"
#include "clues/source.h"
#include "clues/syslog.h"

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
    { "spared", "tmpwatch -x /srv/data 10d /tmp", CLUE_REMOVES },
    { "spared, the other form", "rsync --delete --exclude=/srv/data a b", CLUE_REMOVES | CLUE_ALTERS },
    { "with a dot", "rm -rf /srv/data/.", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "a hidden file is another one", "rm -rf /srv/.data", CLUE_REMOVES },
    { "in brackets", "(/Stage[main]/Main/File[/srv/data]/ensure) x", CLUE_NAMES_PATH },
    { "a pattern with brackets is not its beginning", "rm /srv/data[0-9] /srv/d[a]", CLUE_REMOVES },
    { "ansible", "Invoked with path=/srv/data state=absent recurse=False", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "make", "cd /srv/data && make -s clean", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "slashes and dots", "find //srv//./x/../data// -delete", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "two dots leave it", "rm -r /srv/data/../old", CLUE_REMOVES },
    { "patterns in two places", "rm -f /s*/data/*", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "braces", "rm -rf /srv/{old,data}/*", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "braces without it", "rm -rf /srv/{old,new}/*", CLUE_REMOVES },
    { "braces of a variable", "rm -rf /srv/${data,,}", CLUE_REMOVES },
    { "a default", ": ${DIR:=/srv/data}", CLUE_NAMES_PATH },
    { "from where it is run", "cd /srv && rm -rf data/x", CLUE_NAMES_BELOW | CLUE_REMOVES },
    { "from there, something else", "cd /srv && rm -rf old ./cache/*", CLUE_REMOVES },
    { "from there, by patterns", "cd /srv/data; rm -f -- *", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "from there, elsewhere", "cd /srv/data && rm -rf /tmp/x", CLUE_REMOVES },
    { "from there, what nobody knows", "cd /srv && rm -rf $OLD", CLUE_NAMES_ABOVE | CLUE_REMOVES },
    { "from there, what comes by a pipe", "cd /srv/data; ls -t | xargs rm -f", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "find from there", "cd /srv/data && find -mtime +3 -delete", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "find elsewhere", "cd /srv/data && find ../old -mtime +3 -delete", CLUE_REMOVES },
    { "sudo from there, elsewhere", "ann : TTY=pts/3 ; PWD=/srv/data ; USER=root ; COMMAND=/usr/bin/rm -rf /tmp/x", CLUE_REMOVES },
    { "sudo from above", "ann : TTY=pts/3 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/rm -rf data/x", CLUE_NAMES_BELOW | CLUE_REMOVES },
    { "sudo from there, who knows what", "ann : TTY=pts/3 ; PWD=/srv/data ; USER=root ; COMMAND=/usr/bin/git clean -f", CLUE_NAMES_PATH | CLUE_REMOVES },
    { "a place that is not known", "cd $HOME && rm -rf data", CLUE_REMOVES },
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
    (void)logrotate_text(&s, &q, bytes_of("/etc/logrotate.d/x"), bytes_of("/srv/current/data {\n rotate 3\n}\n"));
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

/* What Debian installs only warns. */
static void test_tmpreaper(void **state)
{
    static const struct {
        const char *text, *path, *says; /* says: NULL = nothing */
        unsigned marks;
    } cases[] = {
        { "TMPREAPER_TIME=30d\nTMPREAPER_DIRS='/tmp/. /var/tmp/.'\n", "/var/tmp/x",
          "TMPREAPER_DIRS='/tmp/. /var/tmp/.' : tmpreaper removes what is older than 30d here", CLUE_NAMES_ABOVE },
        { "TMPREAPER_DIRS='/tmp/.'\n", "/tmp", "TMPREAPER_DIRS='/tmp/.' : tmpreaper removes what is older than 7d here", CLUE_NAMES_PATH },
        { "#SHOWWARNING=true\nTMPREAPER_TIME=2d\n", "/tmp/x", " : tmpreaper removes what is older than 2d here", CLUE_NAMES_ABOVE },
        { "SHOWWARNING=true\nTMPREAPER_DIRS='/tmp/.'\n", "/tmp/x", NULL, 0 },
        { "TMPREAPER_DIRS='/tmp/.'\n", "/srv/data", NULL, 0 },
    };
    struct clue_fact f;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
        struct clue_question q = question_of(cases[i].path);

        cron_tmpreaper(&s, &q, bytes_of(cases[i].text));
        assert_int_equal(count_of(&s), cases[i].says != NULL);
        if (!cases[i].says)
            continue;
        f = only(&s);
        assert_bytes(f.text, cases[i].says);
        assert_int_equal(f.marks, cases[i].marks | CLUE_REMOVES | CLUE_BY_AGE);
        assert_bytes(f.suspect, "cron job: /etc/cron.daily/tmpreaper");
    }
}

static void test_continued_lines(void **state)
{
    struct clue_lines text = { .rest = bytes_of("one\ntwo \\\n three \\\n four\nfive\\") };
    _cleanup_sbuf_ struct sbuf hold = SBUF_INIT;
    struct bytes line;
    unsigned number;

    (void)state;
    assert_true(clue_next_command(&text, &hold, &line, &number));
    assert_bytes(line, "one");
    assert_true(clue_next_command(&text, &hold, &line, &number));
    assert_bytes(line, "two   three   four ");
    assert_int_equal(number, 2);
    assert_true(clue_next_command(&text, &hold, &line, &number));
    assert_bytes(line, "five ");
    assert_int_equal(number, 5);
    assert_false(clue_next_command(&text, &hold, &line, &number));
}

static const struct log_row {
    const char *name, *line;
    const char *suspect; /* NULL: nothing is taken; "": nobody is meant */
    unsigned marks;
} logs[] = {
    { "cron", "Nov 28 20:13:18 h CRON[7]: (root) CMD (/usr/local/bin/purge)", "cron job: /usr/local/bin/purge",
      CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED },
    { "cron that removes", "Nov 28 20:13:18 h CRON[7]: (root) CMD (rm -rf /srv/data)", "cron job: rm -rf /srv/data",
      CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "sudo", "Nov 28 20:13:18 h sudo:  ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm -r /srv/data", "sudo by ann: /usr/bin/rm -r /srv/data",
      CLUE_STARTED | CLUE_COMMAND | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "sudo that refuses", "Nov 28 20:13:18 h sudo:  ann : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm -r /srv/data", "",
      CLUE_NAMES_PATH | CLUE_REMOVES },
    { "sudo without the password", "Nov 28 20:13:18 h sudo:  ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", "", 0 },
    { "sudo without a terminal", "Nov 28 20:13:18 h sudo:  ann : PWD=/ ; USER=root ; COMMAND=/usr/local/bin/purge", "sudo by ann: /usr/local/bin/purge",
      CLUE_STARTED | CLUE_COMMAND },
    { "doas", "Nov 28 20:13:18 h doas: ann ran command rm -r /srv/data as root from /home", "doas by ann: rm -r /srv/data",
      CLUE_STARTED | CLUE_COMMAND | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "ssh", "Nov 28 20:13:18 h sshd[9]: Accepted publickey for bob from 10.0.0.7 port 22 ssh2", "login by ssh: bob from 10.0.0.7", CLUE_STARTED },
    { "su", "Nov 28 20:13:18 h su: (to root) ann on pts/3", "su: (to root) ann on pts/3", CLUE_STARTED },
    { "a timer, which does nothing itself", "Nov 28 20:13:18 h systemd[1]: Started purge.timer.", "", CLUE_STARTED },
    { "unit", "Nov 28 20:13:18 h systemd[1]: Starting purge.service - Purge...", "unit: purge.service", CLUE_STARTED },
    { "a program that says it itself", "Nov 28 20:13:18 h cf-agent[3]: CFEngine(agent)  Deleted file '/srv/data/b'", "cf-agent, by its own message",
      CLUE_STARTED | CLUE_REMOVES | CLUE_NAMES_BELOW },
    { "one that says that it did not", "Nov 28 20:13:18 h app[3]: unlinking /srv/data/b: could not be removed", "", CLUE_NAMES_BELOW },
    { "audit's, which is read as such", "Nov 28 20:13:18 h kernel: [  5.1] audit: type=1302 audit(1.0:3): item=1 name=\"/srv/data/b\"", NULL, 0 },
    { "puppet", "Nov 28 20:13:18 h puppet-user[3]: (/Stage[main]/Main/File[/srv/data/b]/ensure) removed", "Puppet",
      CLUE_STARTED | CLUE_REMOVES | CLUE_NAMES_BELOW },
    { "a user's manager", "Nov 28 20:13:18 h systemd[1]: Starting user@1000.service - User Manager for UID 1000...", NULL, 0 },
    { "a unit that is only called so", "Nov 28 20:13:18 h systemd[1]: Starting user-backup.service - Backup...", "unit: user-backup.service", CLUE_STARTED },
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

/* Who it ran as: where the words that anybody chooses leave no doubt. */
static void test_user_of_log(void **state)
{
    static const struct {
        const char *message, *user;
    } cases[] = {
        { "sudo:  ann : TTY=pts/0 ; PWD=/ ; USER=bob ; COMMAND=/usr/bin/rm -r /srv/data", "bob" },
        { "sudo:  ann : TTY=pts/0 ; PWD=/tmp/USER=nobody ; USER=root ; COMMAND=/usr/bin/rm -r /srv/data", "" },
        { "sudo:  ann : TTY=pts/0 ; PWD=/ ; USER=ann ; GROUP=ops ; COMMAND=/usr/bin/rm -r /srv/data", "" },
        { "doas: ann ran command rm -r /srv/data as bob from /home", "bob" },
        { "doas: ann ran command rm -r /srv/data x as nobody as root from /home", "" },
        { "CRON[7]: (bob) CMD ((rm -rf /srv/data))", "bob" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct clue_question q = question_of("/srv/data");
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
        char line[200];

        q.spans[0].from_ns = q.spans[0].to_ns = UINT64_C(1795896800) * SECOND;
        snprintf(line, sizeof(line), "Nov 28 20:13:18 h %s", cases[i].message);
        syslog_text(&s, &q, bytes_of("/var/log/syslog"), bytes_of(line));
        assert_bytes(only(&s).user, cases[i].user);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_by_a_link),
        cmocka_unit_test(test_line_made_to_be_slow),
        cmocka_unit_test(test_crontab),
        cmocka_unit_test(test_tmpreaper),
        cmocka_unit_test(test_continued_lines),
        cmocka_unit_test(test_user_of_log),
        cmocka_unit_test(test_package_logs),
        cmocka_unit_test(test_at),
        cmocka_unit_test(test_lvm),
    };
    int failed;

    setenv("TZ", "UTC", 1);
    tzset();
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(lines, test_line) +
             RUN_ROWS(times, test_time) +
             RUN_ROWS(dues, test_due) +
             RUN_ROWS(logs, test_log) +
             RUN_ROWS(rpm_logs, test_rpm_log) +
             RUN_ROWS(reflogs, test_reflog);
    return failed;
}
