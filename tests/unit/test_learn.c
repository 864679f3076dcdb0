/* SPDX-License-Identifier: MIT */
/* Proposed expect blocks: of what is done again and again, valid, and no wider than what was seen. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/expect_rules.h"
#include "config/learn.h"
#include "event/operation.h"
#include "make.h"

#define T0 1700000000000000000ull /* 2023-11-14 22:13:20 */
#define DAY (24 * 3600 * NS_PER_S)

static struct container *web;

struct act {
    const char *path, *script, *executable, *previous;
    unsigned day;
    enum operation operation;
    enum launcher_kind launcher;
    int error;
    bool interactive, claimed, inside;
};

static struct event *event_of(const struct act *a)
{
    struct process *actor = make_process(50, a->executable ? a->executable : "/usr/bin/rm", NULL);
    struct event *e;

    actor->cred = (struct credentials){ .known = true, .uid = 34, .euid = 34 };
    process_set(actor, &actor->user_name, bytes_of("back*up"));
    actor->origin = a->inside ? ORIGIN_CONTAINER : ORIGIN_HOST;
    actor->container = a->inside ? container_ref(web) : NULL;
    e = make_event(a->operation ? a->operation : OPERATION_UNLINK, a->path, actor, NULL, T0 + a->day * DAY);
    if (a->previous)
        event_set(e, &e->previous_path, bytes_of(a->previous));
    e->error = a->error;
    e->cause.run.kind = a->script ? RUN_SCRIPT : RUN_PROGRAM;
    e->cause.run.name = bytes_of(a->script ? a->script : "/usr/bin/rm");
    e->cause.run.claimed = a->claimed;
    e->cause.launcher.kind = a->launcher;
    e->cause.person.interactive = a->interactive;
    e->cause.key = fingerprint_of(bytes_of(a->script ? a->script : a->executable));
    process_unref(actor);
    return e;
}

/* What is proposed of these, as text; how many blocks. */
static unsigned learned(const struct expect_rules *rules, const struct act *acts, size_t count, struct sbuf *out)
{
    struct learn *l = learn_new(rules);
    unsigned blocks;

    for (size_t i = 0; i < count; i++) {
        struct event *e = event_of(&acts[i]);

        learn_add(l, e);
        event_free(e);
    }
    blocks = learn_write(l, out);
    learn_free(l);
    return blocks;
}

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    (void)data, (void)warning;
    print_error("%s:%u: %s\n", file, line, text);
}

/* The text as a configuration: does it expect this one? */
static bool expects(struct bytes text, const struct act *a)
{
    struct config_report report = { .problem = on_problem };
    const struct expect_block *block;
    struct expect_rules rules = { 0 };
    struct arena arena = { 0 };
    struct event *e = event_of(a);
    struct config c;
    bool expected;

    assert_int_equal(config_init(&c), 0);
    assert_int_equal(config_read(&c, "learned", text, &report), 0);
    assert_int_equal(report.errors + report.warnings, 0);
    assert_int_equal(config_expect_rules(&c, &arena, &rules), 0);
    rules.rows = 0;
    expected = expected_find(&rules, e, &block) == EXPECTED_BLOCK;
    event_free(e);
    arena_done(&arena);
    config_done(&c);
    return expected;
}

static void a_habit_is_proposed(void **state)
{
    static const struct act acts[] = {
        { .path = "/srv/logs/a", .script = "/opt/jobs/purge", .launcher = LAUNCHER_CRON, .day = 0 },
        { .path = "/srv/logs/b", .script = "/opt/jobs/purge", .launcher = LAUNCHER_CRON, .day = 1 },
        { .path = "/srv/old/b", .script = "/opt/jobs/purge", .launcher = LAUNCHER_CRON, .day = 1, .operation = OPERATION_CHMOD },
    };
    struct act other = acts[0];
    struct sbuf out = SBUF_INIT;

    (void)state;
    assert_int_equal(learned(&(struct expect_rules){ 0 }, acts, 3, &out), 1);
    assert_string_equal(sbuf_str(&out), "\n# 3 changes on 2 days, last 2023-11-15 22:13:20; the gravest: gone (medium)\n"
                                        "# by /opt/jobs/purge\n"
                                        "expect \"learned 1 purge\" {\n"
                                        "    script = { \"/opt/jobs/purge\" }\n"
                                        "    launcher = { \"cron\" }\n"
                                        "    user = { \"back\\\\*up\" }\n"
                                        "    container = { \"host\" }\n"
                                        "    operations = { \"unlink\", \"chmod\" }\n"
                                        "    paths = { \"/srv/logs\", \"/srv/old\" }\n"
                                        "}\n");
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
        assert_true(expects(sbuf_bytes(&out), &acts[i]));
    other.path = "/srv/other/x";
    assert_false(expects(sbuf_bytes(&out), &other));
    other = acts[0];
    other.operation = OPERATION_WRITE;
    assert_false(expects(sbuf_bytes(&out), &other));
    other = acts[0];
    other.script = "/opt/jobs/purge2";
    assert_false(expects(sbuf_bytes(&out), &other));
    other = acts[0];
    other.launcher = LAUNCHER_SSH;
    assert_false(expects(sbuf_bytes(&out), &other));
    other = acts[0];
    other.inside = true;
    assert_false(expects(sbuf_bytes(&out), &other));
    sbuf_done(&out);
}

/* Each twice, and on two days, but for the first. */
static const struct refusal {
    const char *name, *why;
    struct act act;
} refusals[] = {
    { "typed", "somebody typed it", { .path = "/srv/a", .script = "/opt/x", .interactive = true } },
    { "refused", "was refused", { .path = "/srv/a", .script = "/opt/x", .error = EACCES } },
    { "culprit's configuration", "touches culprit itself", { .path = "/etc/culprit/culprit.conf", .script = "/opt/x" } },
    { "moved out of culprit's", "touches culprit itself",
      { .path = "/srv/x", .previous = "/var/lib/culprit/culprit.db", .script = "/opt/x", .operation = OPERATION_RENAME } },
    { "says that it is it", "only its own word says what it is", { .path = "/srv/a", .script = "/opt/x", .claimed = true } },
    { "at the root", "files of everywhere", { .path = "/a", .script = "/opt/x" } },
};

static void is_not_proposed(void **state)
{
    const struct refusal *row = *state;
    struct act acts[] = { row->act, row->act };
    struct sbuf out = SBUF_INIT;

    acts[1].day = 1;
    assert_int_equal(learned(&(struct expect_rules){ 0 }, acts, 2, &out), 0);
    assert_non_null(strstr(sbuf_str(&out), row->why));
    assert_false(expects(sbuf_bytes(&out), &row->act));
    sbuf_done(&out);
}

static void once_is_no_habit(void **state)
{
    static const struct act acts[] = { { .path = "/srv/a", .script = "/opt/x" }, { .path = "/srv/b", .script = "/opt/x" } };
    struct sbuf out = SBUF_INIT;

    (void)state;
    assert_int_equal(learned(&(struct expect_rules){ 0 }, acts, 2, &out), 0);
    assert_non_null(strstr(sbuf_str(&out), "\n# Not proposed:\n#   on one day only: 2 changes on 1 day, "));
    sbuf_done(&out);
}

static void what_is_expected_is_left_out(void **state)
{
    static const struct act acts[] = { { .path = "/usr/a", .launcher = LAUNCHER_PACKAGE, .executable = "/usr/bin/dpkg" },
                                       { .path = "/usr/b", .launcher = LAUNCHER_PACKAGE, .executable = "/usr/bin/dpkg", .day = 1 } };
    struct sbuf out = SBUF_INIT;

    (void)state;
    assert_int_equal(learned(&(struct expect_rules){ .rows = ~UINT64_C(0) }, acts, 2, &out), 0);
    assert_int_equal(out.len, 0);
    sbuf_done(&out);
}

/* Whatever a name is, it is valid, one block, and fits that name only. */
static void names_are_taken_as_they_are(void **state)
{
    static const char *const names[] = { "/opt/a*b", "/opt/a\"b", "/opt/a\\b", "/opt/${HOME}", "/opt/a\n}\nexpect all {", "/opt/[a]?", "/opt/\033[31m",
                                         "/opt/\xff\xfe", "/opt/#x", "/opt/a'b" };
    struct sbuf out = SBUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[64], like[64];
        struct act acts[2] = { { .script = names[i] }, { .script = names[i], .day = 1 } }, other;

        snprintf(path, sizeof(path), "%s/f", names[i]);
        acts[0].path = acts[1].path = path;
        sbuf_clear(&out);
        assert_int_equal(learned(&(struct expect_rules){ 0 }, acts, 2, &out), 1);
        assert_true(expects(sbuf_bytes(&out), &acts[0]));
        other = acts[0];
        snprintf(like, sizeof(like), "/opt/aXXb%zu", i);
        other.script = like;
        assert_false(expects(sbuf_bytes(&out), &other));
    }
    sbuf_done(&out);
}

/* More directories than a block names become those above them. */
static void many_places_are_those_above(void **state)
{
    struct act acts[40];
    char paths[40][64];
    struct sbuf out = SBUF_INIT;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/srv/%c/d%u/f", 'a' + (char)(i % 3), i);
        acts[i] = (struct act){ .path = paths[i], .script = "/opt/x", .day = i % 2 };
    }
    assert_int_equal(learned(&(struct expect_rules){ 0 }, acts, 40, &out), 1);
    for (unsigned i = 0; i < 40; i++)
        assert_true(expects(sbuf_bytes(&out), &acts[i]));
    assert_false(expects(sbuf_bytes(&out), &(struct act){ .path = "/srv/d/x", .script = "/opt/x" }));
    sbuf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_habit_is_proposed),          cmocka_unit_test(once_is_no_habit), cmocka_unit_test(what_is_expected_is_left_out),
        cmocka_unit_test(names_are_taken_as_they_are), cmocka_unit_test(many_places_are_those_above),
    };
    int failed;

    setenv("TZ", "UTC", 1);
    web = make_container("111111111111", "web");
    failed = RUN_ROWS(refusals, is_not_proposed) + cmocka_run_group_tests(tests, NULL, NULL);
    container_unref(web);
    return failed;
}
