/* SPDX-License-Identifier: MIT */
/* Records that are not where one looks first: of logins in lastlog and databases, of audit in the journal; and what CI runners clean. */
#include "test.h"

#include <errno.h>
#include <lastlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sqlite3.h>

#include "clues/cleaners.h"
#include "clues/clues.h"
#include "clues/anew.h"
#include "clues/journal_audit.h"
#include "clues/last_logins.h"
#include "clues/record.h"
#include "clues/removed.h"
#include "clues/source.h"
#include "engine/flat.h"
#include "engine/view.h"
#include "util/cleanup.h"

#define SECOND NS_PER_S
#define AT (UINT64_C(1795896800) * SECOND) /* Sat 2026-11-28 20:13:20 UTC */

static struct clue_question question_of(const char *path)
{
    return (struct clue_question){ .path = bytes_of(path), .now_ns = AT + 86400 * SECOND, .spans = { { AT, AT } }, .span_count = 1 };
}

/* The facts of an answer; the last one in *ret. */
static unsigned facts_of(const struct sbuf *answer, struct clue_fact *ret)
{
    struct bytes rest = sbuf_bytes(answer);
    struct clue_span cover;
    struct clue_fact f;
    unsigned n = 0;
    int part;

    while ((part = clue_take(&rest, &f, &cover)) > 0)
        if (part == CLUE_PART_FACT) {
            *ret = f;
            n++;
        }
    assert_int_equal(part, CLUE_PART_END);
    return n;
}

/* ---- logins ---- */

static void put_lastlog(struct sbuf *out, int before, const char *line)
{
    struct lastlog l = { 0 };

    l.ll_time = before < 0 ? 0 : (int32_t)(AT / SECOND) - before;
    snprintf(l.ll_line, sizeof(l.ll_line), "%s", line);
    memset(l.ll_host, 'h', sizeof(l.ll_host)); /* no NUL behind it */
    sbuf_add(out, (const char *)&l, sizeof(l));
}

static void test_lastlog(void **state)
{
    struct bytes passwd = bytes_of("root:x:0:0::/root:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\n");
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf in = SBUF_INIT, s = SBUF_INIT;
    struct clue_fact f;

    (void)state;
    put_lastlog(&in, -1, "");       /* 1000 never came */
    put_lastlog(&in, 30, "pts/3");  /* ann */
    put_lastlog(&in, 3000, "pts/4"); /* long before: whether he was still there nobody knows */
    put_lastlog(&in, -30, "pts/5");
    sbuf_add_str(&in, "half");
    last_logins_part(&s, &q, passwd, 1000 * sizeof(struct lastlog), sbuf_bytes(&in));
    assert_int_equal(facts_of(&s, &f), 1);
    assert_bytes(f.suspect, "login of ann at pts/3"); /* as wtmp's has it: it is one */
    assert_int_equal(f.marks, CLUE_STARTED);
    assert_int_equal(f.from_ns, AT - 30 * SECOND);
    /* a user who is gone from /etc/passwd */
    sbuf_clear(&s);
    last_logins_part(&s, &q, BYTES_NULL, 1000 * sizeof(struct lastlog), sbuf_bytes(&in));
    assert_int_equal(facts_of(&s, &f), 1);
    assert_bytes(f.suspect, "login of uid 1001 at pts/3");
}

/* A database of these statements, and room behind it as a worker has. */
static struct bytes database_of(const char *sql, char **hold)
{
    sqlite3_int64 size = 0;
    sqlite3 *db = NULL;
    unsigned char *made;

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    made = sqlite3_serialize(db, "main", &size, 0);
    assert_non_null(made);
    *hold = malloc((size_t)size);
    assert_non_null(*hold);
    memcpy(*hold, made, (size_t)size);
    sqlite3_free(made);
    sqlite3_close(db);
    return (struct bytes){ *hold, (size_t)size };
}

static void test_lastlog2(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    _cleanup_free_ char *hold = NULL;
    struct clue_fact f;
    struct bytes db;

    (void)state;
    db = database_of("CREATE TABLE Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT);"
                     "INSERT INTO Lastlog2 VALUES('ann', 1795896790, 'pts/3', '10.0.0.7', 'sshd'), ('bob', 1795890000, 'pts/4', NULL, 'login'),"
                     "('eve', -1, NULL, NULL, NULL), (NULL, 9223372036854775807, x'00ff', 7, 8);",
                     &hold);
    last_logins_lastlog2(&s, &q, bytes_of("l"), db);
    assert_int_equal(facts_of(&s, &f), 1);
    assert_bytes(f.suspect, "login of ann at pts/3");
    assert_bytes(f.text, "ann was logged in at pts/3 from 10.0.0.7");
    for (size_t len = 0; len < db.len; len += 97) { /* cut off */
        sbuf_clear(&s);
        last_logins_lastlog2(&s, &q, bytes_of("l"), (struct bytes){ db.data, len });
        assert_true(facts_of(&s, &f) <= 1);
    }
}

static void test_wtmpdb(void **state)
{
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    _cleanup_free_ char *hold = NULL;
    struct clue_fact f;
    struct bytes db;

    (void)state;
    /* bob was there and left later; eve left before; the machine was started behind old's login, which has no end; ann came after it */
    db = database_of("CREATE TABLE wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, Login INTEGER, Logout INTEGER, TTY TEXT, "
                     "RemoteHost TEXT, Service TEXT) STRICT;"
                     "INSERT INTO wtmp(Type, User, Login, Logout, TTY, RemoteHost) VALUES(3, 'old', 1795800000000000, NULL, 'tty1', NULL),"
                     "(1, 'reboot', 1795850000000000, NULL, '~', NULL), (3, 'bob', 1795890000000000, 1795896900000000, 'pts/2', '10.0.0.7'),"
                     "(3, 'eve', 1795890000000000, 1795896000000000, 'pts/3', NULL), (3, 'ann', 1795897000000000, NULL, 'pts/4', NULL);",
                     &hold);
    assert_int_equal(last_logins_wtmpdb(&s, &q, bytes_of("w"), db), UINT64_C(1795800000) * SECOND);
    assert_int_equal(facts_of(&s, &f), 1);
    assert_bytes(f.text, "bob was logged in at pts/2 from 10.0.0.7");
    assert_int_equal(f.suspect.len, 0); /* who is there has done nothing yet */
}

/* ---- audit's records in the journal ---- */

static const struct record_row {
    const char *name, *type, *type_name, *serial, *message, *line; /* line: NULL = none */
} records[] = {
    { "record", "1300", "SYSCALL", "77", "SYSCALL arch=c000003e syscall=87 success=yes",
      "type=UNKNOWN[1300] msg=audit(1795896800.123:77): arch=c000003e syscall=87 success=yes\n" },
    { "record, of several lines", "1112", "USER_LOGIN", "77", "USER_LOGIN pid=1\ntype=SYSCALL msg=audit(1.0:1): x", NULL },
    { "record, whose message is not of its type", "1300", "SYSCALL", "77", "PATH item=0", NULL },
    { "record, without a number", "1300", "SYSCALL", "x", "SYSCALL x", NULL },
    { "record, without a type", "", "", "77", "SYSCALL x", NULL },
    { "record, empty", "1300", "SYSCALL", "77", "", NULL },
};

static void test_record(void **state)
{
    const struct record_row *row = *state;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    bool is = journal_audit_line(&s, bytes_of(row->type), bytes_of(row->type_name), bytes_of(row->serial), UINT64_C(1795896800123456),
                                 bytes_of(row->message));

    assert_int_equal(is, row->line != NULL);
    assert_bytes(sbuf_bytes(&s), row->line ? row->line : "");
}

static void test_journal_answer(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct bytes text;
    uint64_t from;

    (void)state;
    flat_put_u64(&s, 5);
    sbuf_add_str(&s, "type=x\n");
    assert_int_equal(journal_audit_take(sbuf_bytes(&s), &from, &text), 0);
    assert_int_equal(from, 5);
    assert_bytes(text, "type=x\n");
    assert_int_equal(journal_audit_take(bytes_of("1234567"), &from, &text), -EBADMSG);
}

/* ---- runners ---- */

static const struct runner_row {
    const char *name, *path, *file, *text, *suspect, *place; /* suspect: NULL = nobody */
} runners[] = {
    { "gitlab", "/srv/builds/a1/0/g/p/out", "/etc/gitlab-runner/config.toml", "concurrent = 1\n[[runners]]\n  executor = \"shell\"\n  builds_dir = \"/srv/builds\"\n",
      "GitLab Runner", "/etc/gitlab-runner/config.toml:4" },
    { "gitlab, where it has them by default", "/home/gitlab-runner/builds/x", "/etc/gitlab-runner/config.toml", "[[runners]]\n  executor = \"shell\"\n",
      "GitLab Runner", "/etc/gitlab-runner/config.toml:2" },
    { "gitlab, a user's", "/home/ann/builds/x", "/home/ann/.gitlab-runner/config.toml", "[[runners]]\n  executor = \"shell\"\n", "GitLab Runner",
      "/home/ann/.gitlab-runner/config.toml:2" },
    { "gitlab, of containers", "/srv/builds/x", "/etc/gitlab-runner/config.toml", "[[runners]]\n  builds_dir = \"/srv/builds\"\n  executor = \"docker\"\n", NULL, NULL },
    { "gitlab, told to keep", "/srv/builds/x", "/etc/gitlab-runner/config.toml",
      "[[runners]]\nexecutor = \"shell\"\nbuilds_dir = \"/srv/builds\"\nenvironment = [\"GIT_CLEAN_FLAGS=none\"]\n", NULL, NULL },
    { "gitlab, the second one", "/srv/two/x", "/etc/gitlab-runner/config.toml",
      "[[runners]]\nexecutor = \"docker\"\nbuilds_dir = \"/srv/one\"\n[[runners]]\nexecutor = \"shell\"\nbuilds_dir = \"/srv/two\"\n", "GitLab Runner",
      "/etc/gitlab-runner/config.toml:6" },
    { "gitlab, another place", "/srv/builds2/x", "/etc/gitlab-runner/config.toml", "[[runners]]\nexecutor = \"shell\"\nbuilds_dir = \"/srv/builds\"\n", NULL, NULL },
    { "github", "/opt/r/_work/p/p/out", "/opt/r/.runner", "\xef\xbb\xbf{\n  \"agentId\": 7,\n  \"workFolder\": \"_work\"\n}\n", "GitHub Actions runner", "/opt/r/.runner:3" },
    { "github, an absolute one", "/srv/w/p", "/opt/r/.runner", "{ \"workFolder\": \"/srv/w\" }", "GitHub Actions runner", "/opt/r/.runner:1" },
    { "github, the runner itself", "/opt/r/bin/x", "/opt/r/.runner", "{ \"workFolder\": \"_work\" }", NULL, NULL },
    { "github, damaged", "/opt/r/_work/x", "/opt/r/.runner", "{ \"workFolder\"", NULL, NULL },
    { "buildkite", "/var/lib/buildkite-agent/builds/h/o/p/x", "/etc/buildkite-agent/buildkite-agent.cfg", "token=\"x\"\nbuild-path=\"/var/lib/buildkite-agent/builds\"\n",
      "Buildkite agent", "/etc/buildkite-agent/buildkite-agent.cfg:2" },
    { "jenkins", "/var/lib/jenkins/workspace/shop/out", "/var/lib/jenkins/jobs/shop/config.xml",
      "<project>\n  <hudson.plugins.git.extensions.impl.CleanBeforeCheckout/>\n", "Jenkins", "/var/lib/jenkins/jobs/shop/config.xml:2" },
    { "jenkins, a folder", "/j/workspace/team/shop/out", "/j/jobs/team/jobs/shop/config.xml", "<script>cleanWs()</script>\n", "Jenkins", "/j/jobs/team/jobs/shop/config.xml:1" },
    { "jenkins, a second build", "/j/workspace/shop@2/out", "/j/jobs/shop/config.xml", "<script>cleanWs()</script>\n", "Jenkins", "/j/jobs/shop/config.xml:1" },
    { "jenkins, another job", "/j/workspace/shopping/out", "/j/jobs/shop/config.xml", "<script>cleanWs()</script>\n", NULL, NULL },
    { "jenkins, which keeps", "/j/workspace/shop/out", "/j/jobs/shop/config.xml", "<project>\n</project>\n", NULL, NULL },
    { "jenkins, by the file in the workspace", "/j/workspace/shop/out", "/j/workspace/shop/Jenkinsfile", "node {\n  sh 'git clean -ffdx'\n}\n", "Jenkins",
      "/j/workspace/shop/Jenkinsfile:2" },
};

static void test_runner(void **state)
{
    const struct runner_row *row = *state;
    struct clue_question q = question_of(row->path);
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clue_fact f = { 0 };

    ci_text(&s, &q, bytes_of(row->file), bytes_of(row->text));
    assert_int_equal(facts_of(&s, &f), row->suspect != NULL);
    if (!row->suspect)
        return;
    assert_int_equal(f.kind, CLUE_RULE);
    assert_int_equal(f.marks, CLUE_REMOVES | CLUE_ALTERS | CLUE_NAMES_ABOVE);
    assert_bytes(f.suspect, row->suspect);
    assert_bytes(f.place, row->place);
}

/* ---- answers ---- */

/* What came whole is kept, and that the rest did not is said. */
static void test_damaged_answer(void **state)
{
    struct clues_options options = { .path = { "/srv/data", 9 } };
    struct clue_fact f = { .kind = CLUE_HAPPENED, .text = { "x", 1 } };
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct clues *c = NULL;
    size_t count;

    (void)state;
    assert_int_equal(clues_new(&options, &c, NULL), 0);
    clue_put(&s, &f);
    clue_put_note(&s, "a note");
    clue_put(&s, &f);
    assert_int_equal(clues_take(c, 0, sbuf_bytes(&s)), 0);
    assert_int_equal(clues_report(c, 0)->state, CLUE_STATE_READ);
    assert_bytes(clues_report(c, 0)->note, "a note");
    assert_int_equal(clues_take(c, 1, (struct bytes){ s.data, s.len - 1 }), 0);
    assert_int_equal(clues_report(c, 1)->state, CLUE_STATE_FAILED);
    assert_bytes(clues_report(c, 1)->note, "its answer was damaged");
    (void)clues_facts(c, &count);
    assert_int_equal(count, 3);
    clues_free(c);
}

#define VERDICTS "VERDICT  rm deleted /srv/data, at 1.\n         culprit: 3 events lost: the verdict may be incomplete\n"

static void test_notes_of_audit(void **state)
{
    struct clues_options options = { .path = { "/srv/data", 9 }, .has_audit = true,
                                     .audit = { VERDICTS, sizeof(VERDICTS) - 1 } };
    struct clues *c = NULL;
    const struct clue_fact *facts;
    size_t count;

    (void)state;
    assert_int_equal(clues_new(&options, &c, NULL), 0);
    assert_int_equal(record_ask_audit(c, 0, NULL), 0);
    facts = clues_facts(c, &count);
    assert_int_equal(count, 1);
    assert_bytes(facts[0].suspect, "rm deleted /srv/data, at 1"); /* reasons follow it in a sentence */
    assert_bytes(clues_report(c, 0)->note, "3 events lost: the verdict may be incomplete");
    clues_free(c);
}

#define EVENT(type, action, id, name, ns) \
    "{\"Type\":\"" type "\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id "\",\"Attributes\":{\"image\":\"shop:1.4\",\"name\":\"" name "\"}}," \
    "\"timeNano\":" ns "}"

static const struct removal_row {
    const char *name, *line, *asked, *text; /* text: NULL = not that */
    bool volume;
} removals[] = {
    { "removal", EVENT("container", "destroy", "0123456789abcdef", "web", "7"), "web",
      "container web (shop:1.4) was removed: what it had in its writable layer is gone with it; volumes that have a name outlive it", false },
    { "removal, by a part of its id", EVENT("container", "destroy", "0123456789abcdef", "web", "7"), "0123456789ab",
      "container web (shop:1.4) was removed: what it had in its writable layer is gone with it; volumes that have a name outlive it", false },
    { "removal, of another one", EVENT("container", "destroy", "0123456789abcdef", "web2", "7"), "web", NULL, false },
    { "removal, earlier", EVENT("container", "destroy", "0123456789abcdef", "web", "3"), "web", NULL, false },
    { "removal, its end", EVENT("container", "die", "0123456789abcdef", "web", "7"), "web", NULL, false },
    { "removal, of a volume", EVENT("volume", "destroy", "shopdata", "", "7"), "shopdata", "volume shopdata was removed, with all that was in it", true },
    { "removal, of a container that is called as the volume", EVENT("container", "destroy", "0123456789abcdef", "shopdata", "7"), "shopdata", NULL, true },
    { "removal, damaged", "{\"Type\":\"container\",\"Action\":\"destroy\",\"timeNano\":7}", "web", NULL, false },
    { "removal, no JSON", "{", "web", NULL, false },
};

static void test_removal(void **state)
{
    const struct removal_row *row = *state;
    struct removed_thing removed = { .ns = 5 };
    struct arena arena = { 0 };

    removed_event(bytes_of(row->line), row->volume, bytes_of(row->asked), &arena, &removed);
    assert_int_equal(removed.ns, row->text ? 7 : 5);
    assert_bytes(removed.text, row->text ? row->text : "");
    arena_done(&arena);
}

static void test_begins_anew(void **state)
{
    static const char nameless[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct container_mount mounts[] = { { .destination = { "/data", 5 }, .type = { "volume", 6 }, .name = { "shopdata", 8 } },
                                        { .destination = { "/cache", 6 }, .type = { "tmpfs", 5 } },
                                        { .destination = { "/any", 4 }, .type = { "volume", 6 }, .name = { nameless, 64 } },
                                        { .destination = { "/host", 5 }, .type = { "bind", 4 } } };
    struct container k = { .created_ns = 5, .started_ns = 7 };
    struct container_view view = { .container = &k, .mounts = mounts, .mount_count = ARRAY_SIZE(mounts) };

    (void)state;
    assert_int_equal(anew_ns(&view, bytes_of("/prd/x")), 5);
    assert_int_equal(anew_ns(&view, bytes_of("/data/x")), 0);
    assert_int_equal(anew_ns(&view, bytes_of("/cache/x")), 7);
    assert_int_equal(anew_ns(&view, bytes_of("/any/x")), 5);
    assert_int_equal(anew_ns(&view, bytes_of("/host/x")), 0);
}

static void test_mount_of_a_view(void **state)
{
    struct container_mount mounts[] = { { .destination = { "/srv", 4 } },      { .destination = { "/srv/data", 9 } }, { .destination = { "/srv/d", 6 } },
                                        { .destination = { "/srv/data", 9 } }, { .destination = { "", 0 } } };
    struct container_view view = { .mounts = mounts, .mount_count = ARRAY_SIZE(mounts) };

    (void)state;
    assert_ptr_equal(container_view_mount(&view, bytes_of("/srv/data/x")), &mounts[3]);
    assert_ptr_equal(container_view_mount(&view, bytes_of("/srv/x")), &mounts[0]);
    assert_null(container_view_mount(&view, bytes_of("/var")));
}

int main(void)
{
    static struct CMUnitTest tests[64];
    size_t n = 0;

    setenv("TZ", "UTC", 1);
    tzset();
#define ADD(function) tests[n++] = (struct CMUnitTest)cmocka_unit_test(function)
#define ADD_ROWS(rows, function) \
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) \
    tests[n++] = (struct CMUnitTest){ rows[i].name, function, NULL, NULL, (void *)(uintptr_t)&rows[i] }
    ADD(test_lastlog);
    ADD(test_lastlog2);
    ADD(test_wtmpdb);
    ADD_ROWS(records, test_record);
    ADD(test_journal_answer);
    ADD_ROWS(runners, test_runner);
    ADD(test_damaged_answer);
    ADD(test_notes_of_audit);
    ADD_ROWS(removals, test_removal);
    ADD(test_begins_anew);
    ADD(test_mount_of_a_view);
    return _cmocka_run_group_tests("clues_records", tests, n, NULL, NULL);
}
