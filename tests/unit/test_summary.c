/* SPDX-License-Identifier: MIT */
/* Summaries: counted by what, in which order, and what is left out adds up. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "make.h"
#include "report/names.h"
#include "report/summary.h"
#include "util/err.h"
#include "util/hash.h"

#define T0 1795488335000000000ull

static struct process *rm, *cp;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    rm = make_process(10, "/usr/bin/rm", NULL);
    cp = make_process(11, "/usr/bin/cp", NULL);
    rm->cred = (struct credentials){ .known = true, .uid = 1000, .euid = 1000 };
    process_set(rm, &rm->user_name, bytes_of("bob"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    process_unref(rm);
    process_unref(cp);
    return 0;
}

static void add(struct summary *s, enum operation op, const char *path, struct process *who, uint64_t second, int error,
                uint64_t bytes)
{
    struct event *e = make_event(op, path, who, NULL, T0 + second * NS_PER_S);

    e->error = error;
    e->bytes = bytes;
    e->bytes_known = bytes > 0;
    summary_add(s, e);
    event_free(e);
}

static struct summary *filled(enum summary_by by)
{
    struct summary *s = summary_new(by);

    add(s, OPERATION_UNLINK, "/srv/a", rm, 0, 0, 0);
    add(s, OPERATION_UNLINK, "/srv/b", rm, 1, 0, 0);
    add(s, OPERATION_UNLINK, "/srv/c", rm, 2, 13, 0);
    add(s, OPERATION_WRITE, "/srv/a", cp, 7200, 0, 1500);
    return s;
}

struct row {
    const char *name;
    enum summary_by by;
    enum summary_order order;
    uint64_t top;
    const char *lines[5]; /* each contained in the line of that number */
};

static const struct row rows[] = {
    { "program", SUMMARY_PROGRAM, SUMMARY_BY_COUNT, 0,
      { "  changes   deleted   refused   written  last                 program",
        "        2         2         1         -  2026-11-24 02:45:37  /usr/bin/rm",
        "        1         0         0    1.5 kB  2026-11-24 04:45:35  /usr/bin/cp",
        "        3         2         1    1.5 kB  2026-11-24 04:45:35  in all" } },
    { "most bytes first", SUMMARY_PROGRAM, SUMMARY_BY_BYTES, 0, { "program", "/usr/bin/cp", "/usr/bin/rm", "in all" } },
    { "the first ones", SUMMARY_PROGRAM, SUMMARY_BY_COUNT, 1, { "program", "/usr/bin/rm", "1 more", "in all" } },
    { "user", SUMMARY_USER, SUMMARY_BY_COUNT, 0, { "user", "bob", "not known", "in all" } },
    { "file", SUMMARY_FILE, SUMMARY_BY_COUNT, 0, { "file", "/srv/a", "/srv/b", "/srv/c", "in all" } },
    { "hour, in order of time", SUMMARY_HOUR, SUMMARY_BY_COUNT, 0,
      { "hour", "Tue 24 Nov 2026, 02:00 to 02:59", "Tue 24 Nov 2026, 04:00 to 04:59", "in all" } },
};

static void written(void **state)
{
    const struct row *row = *state;
    struct summary *s = filled(row->by);
    struct sbuf text = SBUF_INIT;
    const char *at;

    summary_write_text(s, row->order, row->top, &text);
    at = sbuf_str(&text);
    for (size_t i = 0; i < ARRAY_SIZE(row->lines) && row->lines[i]; i++) {
        const char *end = strchr(at, '\n'), *found = strstr(at, row->lines[i]);

        if (!end || !found || found > end)
            fail_msg("line %zu is not: %s\nin:\n%s", i, row->lines[i], sbuf_str(&text));
        at = end + 1;
    }
    assert_string_equal(at, "");
    sbuf_done(&text);
    summary_free(s);
}

static void json_adds_up(void **state)
{
    struct summary *s = filled(SUMMARY_FILE);
    struct sbuf text = SBUF_INIT;
    long long changes = 0, refused = 0;
    unsigned n = 0;

    (void)state;
    summary_write_json(s, SUMMARY_BY_COUNT, 1, &text);
    for (const char *at = sbuf_str(&text); *at; at = strchr(at, '\n') + 1, n++) {
        json_t *line = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(line);
        changes += json_integer_value(json_object_get(line, "changes"));
        refused += json_integer_value(json_object_get(line, "refused"));
        assert_true(n == 0 || json_integer_value(json_object_get(line, "others")) == 2);
        json_decref(line);
    }
    assert_int_equal(n, 2);
    assert_int_equal(changes, 3);
    assert_int_equal(refused, 1);
    sbuf_done(&text);
    summary_free(s);
}

/* Two names that one hash has, as whoever names a file can make them: the second word undoes what the first one did. */
static void names_of_one_hash(void **state)
{
    char names[2][25] = { "?/srv/ab11111111abcdefgh", "?/srv/ab11111111abcdefgh" };
    struct summary *s = summary_new(SUMMARY_FILE);
    uint64_t state_of[2], word;
    unsigned row_count = 0;
    struct sbuf text = SBUF_INIT;

    (void)state;
    names[0][0] = names[1][0] = '\0'; /* before the path: no container */
    for (unsigned tries = 0;; tries++) {
        names[1][6] = (char)('a' + tries % 26);
        names[1][7] = (char)('A' + tries / 26 % 26);
        for (unsigned i = 0; i < 2; i++) {
            memcpy(&word, names[i], 8);
            state_of[i] = hash_word(hash_word(HASH_START, 24), word);
        }
        memcpy(&word, names[0] + 8, 8);
        word ^= state_of[0] ^ state_of[1];
        memcpy(names[1] + 8, &word, 8);
        if (names[1][7] != 'b' && !memchr(names[1] + 8, '/', 8) && !memchr(names[1] + 8, '\0', 8))
            break;
    }
    assert_true(hash_words(HASH_START, names[0], 24) == hash_words(HASH_START, names[1], 24));
    for (unsigned i = 0; i < 2; i++)
        add(s, OPERATION_UNLINK, names[i] + 1, rm, i, 0, 0);
    summary_write_json(s, SUMMARY_BY_COUNT, 0, &text);
    for (const char *at = sbuf_str(&text); *at; at = strchr(at, '\n') + 1)
        row_count++;
    assert_int_equal(row_count, 2);
    sbuf_done(&text);
    summary_free(s);
}

/* What finds no row any more is counted. */
static void bounded(void **state)
{
    struct summary *s = summary_new(SUMMARY_FILE);
    struct sbuf text = SBUF_INIT;

    (void)state;
    for (unsigned i = 0; i < SUMMARY_ROWS_MAX + 5; i++) {
        char path[32];

        snprintf(path, sizeof(path), "/f%u", i);
        add(s, OPERATION_UNLINK, path, rm, i, 0, 0);
    }
    summary_write_text(s, SUMMARY_BY_COUNT, 3, &text);
    assert_non_null(strstr(sbuf_str(&text), "    65538     65538"));
    assert_non_null(strstr(sbuf_str(&text), "all others\n"));
    assert_non_null(strstr(sbuf_str(&text), "    65541     65541"));
    sbuf_done(&text);
    summary_free(s);
}

static void words(void **state)
{
    enum summary_by by = SUMMARY_HOUR;

    (void)state;
    assert_true(summary_by_parse(bytes_of("cause"), &by));
    assert_int_equal(by, SUMMARY_CAUSE);
    assert_false(summary_by_parse(bytes_of("causes"), &by));
    assert_false(summary_by_parse(bytes_of(""), &by));
}

/* Arguments with a blank are quoted; the text of a shell, which has no NUL, is what somebody wrote. */
static void command_lines(void **state)
{
    static const struct {
        struct bytes args;
        unsigned columns;
        const char *line;
    } cases[] = {
        { BYTES("rm\0a b\0"), 0, "rm 'a b'" }, { BYTES("rm -f /srv/x"), 0, "rm -f /srv/x" }, { BYTES("rm -f /srv/x"), 5, "rm -f…" },
        { BYTES(""), 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sbuf out = SBUF_INIT;

        name_command_line(&out, cases[i].args, cases[i].columns);
        assert_string_equal(sbuf_str(&out), cases[i].line);
        sbuf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_adds_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_one_hash, set_up, tear_down),
        cmocka_unit_test(words),
        cmocka_unit_test(command_lines),
    };
    struct CMUnitTest table[ARRAY_SIZE(rows)];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        table[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = written, .setup_func = NULL,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    set_up(NULL);
    if (_cmocka_run_group_tests("written", table, ARRAY_SIZE(table), NULL, NULL))
        return 1;
    tear_down(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
