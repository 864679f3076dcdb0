/* SPDX-License-Identifier: MIT */
/* What a filter lets through. One event: root's rm for user 1000, of script /opt/jobs/purge, in container web. */
#include "test.h"

#include <errno.h>

#include "event/coverage.h"
#include "event/filter.h"
#include "event/operation.h"
#include "make.h"

static struct event *make(struct bytes path, struct bytes previous, bool on_host)
{
    struct container *web = make_container("67ba10172723", "web");
    struct process *script = make_process(10, "/usr/bin/dash", NULL);
    struct process *rm = make_process(11, "/usr/bin/rm", script);
    struct event *e;

    process_set(script, &script->script, bytes_of("/opt/jobs/purge-logs"));
    process_set(script, &script->owner.product, bytes_of("Acme Backup"));
    process_set(rm, &rm->owner.unit, bytes_of("purge.service"));
    process_set(rm, &rm->user_name, bytes_of("root"));
    process_set(rm, &rm->real_user_name, bytes_of("bob"));
    rm->cred = (struct credentials){ .known = true, .uid = 1001 };
    rm->login_uid = 1000;
    rm->origin = ORIGIN_CONTAINER;
    rm->container = container_ref(web);
    e = make_event(OPERATION_UNLINK, "/", rm, on_host ? NULL : web, 1);
    event_set(e, &e->path, path);
    event_set(e, &e->previous_path, previous);
    e->actor.login_uid = UID_UNKNOWN;
    process_unref(rm);
    container_unref(web);
    return e;
}

static const struct row {
    const char *name;
    enum filter_kind kind;
    const char *text;
    uint32_t id;
    enum filter_result result;
} rows[] = {
    { "effective user by name", FILTER_USER, "root", UID_UNKNOWN, FILTER_MATCHES },
    { "real user by name", FILTER_USER, "bob", UID_UNKNOWN, FILTER_MATCHES },
    { "effective user by number", FILTER_USER, "0", 0, FILTER_MATCHES },
    { "real user by number", FILTER_USER, "1001", 1001, FILTER_MATCHES },
    { "the host's user of that number is not the container's", FILTER_USER, "carl", 1001, FILTER_OTHER },
    { "login user by number", FILTER_USER, "ann", 1000, FILTER_MATCHES },
    { "another user", FILTER_USER, "eve", 1002, FILTER_OTHER },
    { "nobody of that name", FILTER_USER, "ro", UID_UNKNOWN, FILTER_OTHER },
    { "program by name", FILTER_PROGRAM, "rm", 0, FILTER_MATCHES },
    { "program by path", FILTER_PROGRAM, "/usr/bin/rm", 0, FILTER_MATCHES },
    { "program by pattern", FILTER_PROGRAM, "/usr/*/rm", 0, FILTER_MATCHES },
    { "program by part of its path", FILTER_PROGRAM, "/bin/rm", 0, FILTER_OTHER },
    { "the launcher is not the program", FILTER_PROGRAM, "dash", 0, FILTER_OTHER },
    { "cause: the launcher's script", FILTER_CAUSE, "purge-logs", 0, FILTER_MATCHES },
    { "cause: in any case", FILTER_CAUSE, "acme", 0, FILTER_MATCHES },
    { "cause: its unit", FILTER_CAUSE, "purge.service", 0, FILTER_MATCHES },
    { "another cause", FILTER_CAUSE, "cleanup", 0, FILTER_OTHER },
    { "an excluded file", FILTER_EXCLUDE, "/srv/a/f.log", 0, FILTER_OTHER },
    { "an excluded folder", FILTER_EXCLUDE, "/srv", 0, FILTER_OTHER },
    { "an excluded name", FILTER_EXCLUDE, "f.log", 0, FILTER_OTHER },
    { "an excluded folder's name", FILTER_EXCLUDE, "a", 0, FILTER_OTHER },
    { "an excluded pattern of names", FILTER_EXCLUDE, "*.log", 0, FILTER_OTHER },
    { "an excluded pattern of paths", FILTER_EXCLUDE, "/srv/*/*.log", 0, FILTER_OTHER },
    { "part of a name excludes nothing", FILTER_EXCLUDE, "log", 0, FILTER_MATCHES },
    { "nor does a name's beginning", FILTER_EXCLUDE, "/srv/a/f", 0, FILTER_MATCHES },
    { "an allowed folder", FILTER_ALLOW, "/srv/a", 0, FILTER_ALLOWED },
    { "another allowed folder", FILTER_ALLOW, "/srv/b", 0, FILTER_MATCHES },
};

static void filters(void **state)
{
    const struct row *row = *state;
    struct filter f = { 0 };
    struct event *e = make(bytes_of("/srv/a/f.log"), BYTES_NULL, false);
    struct filter_term *term;

    assert_int_equal(filter_event(&f, e), FILTER_MATCHES);
    term = filter_add(&f, row->kind, bytes_of(row->text));
    term->id = row->kind == FILTER_USER ? row->id : UID_UNKNOWN;
    term->is_number = row->text[0] >= '0' && row->text[0] <= '9';
    assert_int_equal(filter_event(&f, e), row->result);
    assert_int_equal(filter_needs_paths(&f), row->kind == FILTER_EXCLUDE || row->kind == FILTER_ALLOW);
    event_free(e);
    filter_done(&f);
}

/* What cause_find() has found, by any of its words. */
static void the_cause_s_words(void **state)
{
    static const struct {
        const char *text;
        enum filter_result result;
    } words[] = { { "cron", FILTER_MATCHES },     { "8 3 * * *", FILTER_MATCHES }, { "purge.timer", FILTER_MATCHES },
                  { "--older 3", FILTER_MATCHES }, { "tidy", FILTER_MATCHES },      { "older3", FILTER_OTHER } };
    struct event *e = make_event(OPERATION_UNLINK, "/srv/f", NULL, NULL, 1);

    (void)state;
    e->cause.run.kind = RUN_SCRIPT;
    e->cause.run.name = bytes_of("/opt/tidy");
    e->cause.run.args = BYTES("sh\0/opt/tidy\0--older\0003\0");
    e->cause.launcher.kind = LAUNCHER_CRON;
    e->cause.launcher.detail = bytes_of("8 3 * * * /opt/tidy --older 3");
    e->cause.launcher.unit = bytes_of("purge.timer");
    e->cause.person = (struct person){ .known = true, .id = 1000, .name = bytes_of("ann") };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct filter f = { 0 };

        filter_add(&f, FILTER_CAUSE, bytes_of(words[i].text));
        assert_int_equal(filter_event(&f, e), words[i].result);
        filter_done(&f);
        filter_add(&f, FILTER_USER, bytes_of("ann"));
        filter_add(&f, FILTER_PROGRAM, bytes_of("tidy"));
        assert_int_equal(filter_event(&f, e), FILTER_MATCHES);
        f.operations = 1ull << OPERATION_RENAME;
        assert_int_equal(filter_event(&f, e), FILTER_OTHER);
        filter_done(&f);
    }
    event_free(e);
}

static void kinds_are_joined_by_and(void **state)
{
    struct filter f = { 0 };
    struct event *e = make(bytes_of("/srv/a/f.log"), BYTES_NULL, false);

    (void)state;
    filter_add(&f, FILTER_PROGRAM, bytes_of("cp"));
    assert_int_equal(filter_event(&f, e), FILTER_OTHER);
    filter_add(&f, FILTER_PROGRAM, bytes_of("rm")); /* one of a kind is enough */
    assert_int_equal(filter_event(&f, e), FILTER_MATCHES);
    filter_add(&f, FILTER_CAUSE, bytes_of("cleanup"));
    assert_int_equal(filter_event(&f, e), FILTER_OTHER);
    event_free(e);
    filter_done(&f);
}

/* What comes out of an excluded place, or goes there, concerns the rest too. */
static void both_names_of_a_rename_count(void **state)
{
    struct filter f = { 0 };
    struct event *out = make(bytes_of("/srv/b"), bytes_of("/srv/tmp/b"), false);
    struct event *inside = make(bytes_of("/srv/tmp/c"), bytes_of("/srv/tmp/b"), false);

    (void)state;
    filter_add(&f, FILTER_EXCLUDE, bytes_of("/srv/tmp"));
    assert_int_equal(filter_event(&f, out), FILTER_MATCHES);
    assert_int_equal(filter_event(&f, inside), FILTER_OTHER);
    event_free(out);
    event_free(inside);
    filter_done(&f);
}

static void a_container_s_path_is_its_own(void **state)
{
    struct filter f = { 0 };
    struct event *host = make(bytes_of("/srv/f"), BYTES_NULL, true);
    struct event *web = make(bytes_of("/srv/f"), BYTES_NULL, false);
    struct filter_term *term;

    (void)state;
    term = filter_add(&f, FILTER_EXCLUDE, bytes_of("/srv"));
    term->selector = (struct selector){ SELECTOR_NAME, BYTES_NULL, bytes_of("web") };
    assert_int_equal(filter_event(&f, host), FILTER_MATCHES);
    assert_int_equal(filter_event(&f, web), FILTER_OTHER);
    term->selector.text = bytes_of("db");
    assert_int_equal(filter_event(&f, web), FILTER_MATCHES);
    term->selector.kind = SELECTOR_NONE;
    term->host_only = true;
    assert_int_equal(filter_event(&f, host), FILTER_OTHER);
    assert_int_equal(filter_event(&f, web), FILTER_MATCHES);
    event_free(host);
    event_free(web);
    filter_done(&f);
}

static void where_the_actor_lives(void **state)
{
    struct filter f = { 0 };
    struct event *e = make(bytes_of("/srv/f"), BYTES_NULL, true);
    struct filter_term *term = filter_add(&f, FILTER_CONTAINER, bytes_of("web"));

    (void)state;
    term->selector = (struct selector){ SELECTOR_NAME, BYTES_NULL, bytes_of("web") };
    assert_int_equal(filter_event(&f, e), FILTER_MATCHES);
    term->selector.text = bytes_of("db");
    assert_int_equal(filter_event(&f, e), FILTER_OTHER);
    event_free(e);
    filter_done(&f);
}

static void who_is_not_known_matches_nothing(void **state)
{
    static const enum filter_kind kinds[] = { FILTER_USER, FILTER_PROGRAM, FILTER_CAUSE, FILTER_CONTAINER };
    struct event *e = make_event(OPERATION_UNLINK, "/srv/f", NULL, NULL, 1);

    (void)state;
    e->actor.login_uid = UID_UNKNOWN;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct filter f = { 0 };

        filter_add(&f, kinds[i], bytes_of("root"))->id = 0;
        assert_int_equal(filter_event(&f, e), FILTER_OTHER);
        filter_done(&f);
    }
    event_free(e);
}

#define BIT(operation) (1ull << OPERATION_##operation)

static const struct operation_row {
    const char *name;
    uint64_t operations; /* 0: refused */
    const char *unknown;
} operation_rows[] = {
    { "unlink", BIT(UNLINK), NULL },
    { "delete", BIT(UNLINK) | BIT(RMDIR) | BIT(REPLACE), NULL },
    { "unlink,chmod", BIT(UNLINK) | BIT(CHMOD) | BIT(ATTRIBUTES), NULL }, /* which it may be */
    { "permission,owner", BIT(CHMOD) | BIT(SETACL) | BIT(CHOWN) | BIT(ATTRIBUTES), NULL },
    { "create", BIT(CREATE) | BIT(MKDIR) | BIT(MKNOD) | BIT(SYMLINK) | BIT(LINK), NULL },
    { "rename,", BIT(RENAME), NULL },
    { "read", BIT(READ), NULL },
    { "unlink,fly", 0, "fly" },
    { "", 0, "" },
    { ",", 0, "" },
    { "deletee", 0, "deletee" },
};

static void operations(void **state)
{
    const struct operation_row *row = *state;
    struct bytes unknown;
    uint64_t got = 0;
    int r = operation_list_parse(bytes_of(row->name), &got, &unknown);

    assert_int_equal(r, row->operations ? 0 : -EINVAL);
    assert_int_equal(got, row->operations);
    if (r < 0)
        assert_bytes(unknown, row->unknown);
}

/* Every operation can be asked for by a word that people use, and every name is listed. */
static void groups_hold_all(void **state)
{
    struct sbuf text = SBUF_INIT;
    uint64_t all = 0;

    (void)state;
    operation_list_refuse(bytes_of("dlete"), &text);
    assert_non_null(strstr(sbuf_str(&text), "did you mean delete?"));
    assert_null(strstr(sbuf_str(&text), "there are"));
    sbuf_clear(&text);
    operation_list_refuse(bytes_of("quux"), &text); /* like none of them: all are listed */
    for (unsigned i = 0; operation_group(i)->name; i++) {
        all |= operation_group(i)->operations;
        assert_non_null(strstr(sbuf_str(&text), operation_group(i)->name));
    }
    for (unsigned op = OPERATION_NONE + 1; op < OPERATION_COUNT; op++) {
        assert_non_null(strstr(sbuf_str(&text), operation_info((enum operation)op)->name));
        assert_true((all & 1ull << op) || op == OPERATION_MOUNT);
    }
    sbuf_done(&text);
}

static const struct lacks_row {
    const char *name;
    unsigned count;
} lacks_rows[] = {
    { "", 0 },
    { "mounts over the files", 1 },
    { "mounts over the files, refused attempts, flags of files (chattr, lsattr)", 3 },
    { "a; b, c", 3 },
};

static void lacks(void **state)
{
    const struct lacks_row *row = *state;

    assert_int_equal(coverage_lacks(bytes_of(row->name)), row->count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cause_s_words),             cmocka_unit_test(kinds_are_joined_by_and),       cmocka_unit_test(both_names_of_a_rename_count),
        cmocka_unit_test(a_container_s_path_is_its_own), cmocka_unit_test(where_the_actor_lives),
        cmocka_unit_test(who_is_not_known_matches_nothing), cmocka_unit_test(groups_hold_all),
    };

    return RUN_ROWS(rows, filters) + RUN_ROWS(operation_rows, operations) + RUN_ROWS(lacks_rows, lacks) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
