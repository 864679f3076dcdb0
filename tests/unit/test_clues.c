/* SPDX-License-Identifier: MIT */
/* What each source of clues makes of the bytes it reads: also of those that were made to mislead or to break it. */
#include "test.h"
#include "clues_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "clues/cleaners.h"
#include "clues/deleted_burst.h"
#include "clues/moment.h"
#include "clues/package_log.h"
#include "clues/scripts.h"
#include "clues/source.h"
#include "clues/units.h"
#include "engine/flat.h"

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

static void rotation_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    (void)logrotate_text(answer, q, name, text);
}

static void rotation_state(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    logrotate_state(answer, q, name, text, false);
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
    { "logrotate", rotation_text, "/var/log/a.log", "/var/log/*.log {\n weekly\n}\n", 1, CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, a rotated one", rotation_text, "/var/log/a.log.8.gz", "/var/log/a.log /var/log/b.log {\n weekly\n}\n", 1,
      CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, by date", rotation_text, "/var/log/a.log-20261128", "/var/log/a.log {\n}\n", 1, CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, within a block", rotation_text, "/x", "/y {\n postrotate\n  /x\n endscript\n /x\n}\n", 0, 0 },
    { "logrotate, its script", rotation_text, "/srv/data", "/y {\n postrotate\n  # rm /srv/data\n  find /srv/data -delete\n endscript\n}\n", 1,
      CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, a script from a place", rotation_text, "/srv/data", "/y {\n lastaction\n  cd /srv\n  rm -f data/*\n endscript\n}\n", 1,
      CLUE_NAMES_PATH | CLUE_REMOVES },
    { "logrotate, another file", rotation_text, "/var/log/sub/a.log", "/var/log/*.log {\n}\n", 0, 0 },
    { "logrotate's record", rotation_state, "/var/log/a.log", "logrotate state -- version 2\n\"/var/log/a.log\" 2026-11-28-6:25:1\n", 1,
      CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_STARTED },
    { "logrotate's record, damaged", rotation_state, "/var/log/a.log", "\"/var/log/a.log\" 2026-11\n\"/var/log/a.log\n\"\n", 0, 0 },
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
    { "from a place", "#!/bin/sh\ncd /srv\nfind data -type f -delete\n", CLUE_NAMES_PATH | CLUE_REMOVES, "/s:3" },
    { "from a place, something else", "#!/bin/sh\ncd /srv\nfind old -type f -delete\n", CLUE_NAMES_ABOVE, "/s:2" },
    { "from place to place", "#!/bin/sh\ncd /srv\ncd data || exit\nrm -f *.tmp\n", CLUE_NAMES_PATH | CLUE_REMOVES, "/s:4" },
    { "python", "#!/usr/bin/env python3\nD = '/srv/data'\nfor n in os.listdir(D):\n    os.unlink(os.path.join(D, n))\n", CLUE_NAMES_PATH | CLUE_REMOVES, "/s:2" },
    { "pathlib", "#!/usr/bin/python3\nfor f in Path('/srv/data').glob('*'):\n    f.unlink()\n", CLUE_NAMES_PATH | CLUE_REMOVES, "/s:2" },
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

static void test_deleted(void **state)
{
    struct clue_question q = question_of("/srv/data");
    struct deleted_inode d = { .number = 12, .mode = 0100644, .uid = 1, .gid = 2, .deleted_s = 1795896800, .deleted_ns = 5, .born_ns = 1795000000 * NS_PER_S };
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_program_is_no_script),
        cmocka_unit_test(test_deleted),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_many_moments),
        cmocka_unit_test(test_sources),
    };
    int failed;

    setenv("TZ", "UTC", 1);
    tzset();
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(triggers, test_trigger) +
             RUN_ROWS(rules, test_rule) +
             RUN_ROWS(scripts, test_script);
    return failed;
}
