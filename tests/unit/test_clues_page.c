/* SPDX-License-Identifier: MIT */
/* What is shown of many clues: those that say most, in order of time; and that nothing foreign reaches a terminal as it is. */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "clues/page.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define SECOND NS_PER_S
#define AT (UINT64_C(1795896800) * SECOND) /* Sat 2026-11-28 20:13:20 UTC */

static struct clues *clues;
static unsigned columns;

/* With the moment that gathering would have found. */
static void begin(void)
{
    const struct clues_options options = { .path = bytes_of("/srv/data") };
    struct clue_question *q;

    assert_int_equal(clues_new(&options, &clues, NULL), 0);
    q = (struct clue_question *)(uintptr_t)clues_question(clues);
    q->spans[q->span_count++] = (struct clue_span){ AT, AT };
    q->now_ns = AT + 3600 * SECOND;
}

static unsigned source_of(const char *name)
{
    unsigned i = 0;

    while (strcmp(clue_sources[i].name, name) != 0)
        i++;
    return i;
}

static void add(const char *source, enum clue_kind kind, unsigned marks, int64_t seconds, const char *text, const char *suspect)
{
    const struct clue_fact f = { .kind = kind, .marks = marks, .from_ns = AT + (uint64_t)(seconds * (int64_t)SECOND), .text = bytes_of(text),
                                 .suspect = bytes_of(suspect) };

    assert_int_equal(clues_add(clues, source_of(source), &f), 0);
}

static void page(struct sbuf *out)
{
    static struct clue_suspect suspects[CLUE_SUSPECTS_MAX];
    struct clue_circumstances circumstances;
    struct clue_page p = { .clues = clues, .circumstances = &circumstances, .suspects = suspects, .target = bytes_of("/srv/data"),
                             .columns = columns };
    size_t count;
    const struct clue_fact *facts = clues_facts(clues, &count);

    clue_circumstances_find(clues_question(clues), facts, count, &circumstances);
    p.suspect_count = clues_judge(&circumstances, suspects);
    clue_page_text(&p, out);
    clues_free(clues);
}

/* Where the text begins; fails where it is not. */
static const char *at(const struct sbuf *out, const char *text)
{
    const char *found = memmem(out->data, out->len, text, strlen(text));

    if (!found)
        fail_msg("not shown: %s", text);
    return found;
}

static void test_nearest(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    begin();
    for (int i = 100; i > 0; i--) {
        char text[32];

        snprintf(text, sizeof(text), "configure p%d.", i);
        add("dpkg", CLUE_HAPPENED, 0, -i, text, "");
    }
    add("syslog", CLUE_HAPPENED, CLUE_NAMES_PATH, -3000, "a line that names the path", "");
    page(&out);
    at(&out, "and 89 more (--format json has all of them)"); /* of 101 */
    assert_true(at(&out, "names the path") < at(&out, "configure p11."));
    assert_true(at(&out, "configure p11.") < at(&out, "configure p1."));
    assert_null(memmem(out.data, out.len, "configure p12.", 14));
    assert_null(memmem(out.data, out.len, "configure p100.", 15));
}

static void test_few_and_repeated(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    begin();
    add("syslog", CLUE_HAPPENED, CLUE_STARTED, -2, "second", "job: x");
    add("syslog", CLUE_HAPPENED, 0, -40, "first", "");
    add("syslog", CLUE_HAPPENED, 0, -30, "again", "");
    add("syslog", CLUE_HAPPENED, 0, -20, "again", "");
    page(&out);
    assert_true(at(&out, "first") < at(&out, "again  (2 times)"));
    assert_true(at(&out, "again") < at(&out, "second"));
    assert_null(memmem(out.data, out.len, "more (--format", 14));
    at(&out, "SUSPECTS  1  job: x: it began within seconds");
    at(&out, "PRIVATE   before you hand this on, it has messages of all users and services\n");
}

/* What reaches back no farther says nothing by its silence; what was not there is worth having, where nobody is suspected. */
static void test_too_late(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;

    (void)state;
    begin();
    clue_put_cover(&answer, AT + 60 * SECOND, 0);
    assert_int_equal(clues_take(clues, source_of("journal"), sbuf_bytes(&answer)), 0);
    clues_set_report(clues, source_of("acct"), CLUE_STATE_ABSENT, BYTES_NULL);
    page(&out);
    at(&out, "TOO LATE  the systemd journal around the moment (since 20:14:20)");
    at(&out, "SWITCH ON a journal that is kept longer: SystemMaxUse=");
    at(&out, "; process accounting: the package acct");
    assert_null(memmem(out.data, out.len, "nothing   in that minute", 24));
    assert_null(memmem(out.data, out.len, "outlives restarts", 17));
    sbuf_clear(&out);
    begin();
    clues_set_report(clues, source_of("acct"), CLUE_STATE_ABSENT, BYTES_NULL);
    add("syslog", CLUE_HAPPENED, CLUE_STARTED, -2, "x", "job: x");
    page(&out);
    assert_null(memmem(out.data, out.len, "SWITCH ON", 9));
    assert_null(memmem(out.data, out.len, "TOO LATE", 8));
}

/* What was looked at is many sources: a line for each group of them, no wider than the terminal. */
static void test_sources(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct bytes rest, line;
    unsigned lines = 0;

    (void)state;
    for (columns = 0; columns < 100; columns += 60) {
        sbuf_clear(&out);
        begin();
        for (unsigned i = 0; i < clue_source_count; i++)
            clues_set_report(clues, i, i % 2 ? CLUE_STATE_READ : CLUE_STATE_ABSENT, BYTES_NULL);
        add("syslog", CLUE_HAPPENED, CLUE_STARTED, -2, "a line of a log that is longer than sixty columns, and goes on in the next one", "job: x");
        page(&out);
        assert_true(at(&out, "LOOKED AT records: the audit logs (who --from)\n") < at(&out, "\n          people: "));
        assert_true(at(&out, "\n          people: ") < at(&out, "\nNOT HERE  records: culprit's own record\n"));
        for (rest = sbuf_bytes(&out); columns && rest.len;) {
            line = bytes_next_line(&rest);
            if (bytes_starts_with(line, bytes_of("CATCH IT"))) /* to be copied */
                continue;
            assert_true(line.len <= columns);
            lines++;
        }
    }
    columns = 0;
    assert_true(lines > 30);
    at(&out, "\n            sixty columns, and goes on in the next one\n");
}

static void test_hostile(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    begin();
    add("syslog", CLUE_HAPPENED, CLUE_STARTED, -1, "\x1b[2Jtext\nline", "\x1b[2Jjob");
    page(&out);
    assert_null(memchr(out.data, '\x1b', out.len));
    at(&out, "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nearest), cmocka_unit_test(test_few_and_repeated), cmocka_unit_test(test_sources), cmocka_unit_test(test_hostile),
                                         cmocka_unit_test(test_too_late) };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
