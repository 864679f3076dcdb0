/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/audit/group.h"
#include "util/limits.h"
#include "util/sbuf.h"

/* What came out, as text: "serial:count[!]" for each group, ! where its end was not seen, + where
 * it lost records. */
static void note_group(void *data, const struct audit_group *group)
{
    struct sbuf *out = data;

    sbuf_addf(out, "%s%llu:%u%s%s", out->len ? " " : "", (unsigned long long)group->serial,
              group->count, group->complete ? "" : "!", group->overflowed ? "+" : "");
    /* the views must be readable, and be of this event */
    for (unsigned i = 0; i < group->count; i++) {
        assert_int_equal(group->records[i].serial, group->serial);
        if (group->records[i].body.len)
            assert_non_null(memchr(group->records[i].body.data, '=', group->records[i].body.len));
    }
}

/* A script: each word is one record "TYPE:SERIAL", "@MS" sets the clock and expires what is older
 * than 100 ms, "/" is a turn;  S syscall, I the same that announced two paths, P path, C cwd, T proctitle, E end,
 * U user message, K config change */
static const struct row {
    const char *name, *script, *groups;
    unsigned max_open;
    unsigned patience;
} rows[] = {
    { "one event", "S:1 C:1 P:1 P:1 T:1 E:1", "1:5", 0 },
    { "end without proctitle", "S:1 C:1 P:1 E:1", "1:3", 0 },
    { "two interleaved", "S:1 S:2 P:1 P:2 T:1 T:2", "1:3 2:3", 0 },
    { "later one complete first: order is kept", "S:1 S:2 P:2 T:2 P:1 T:1", "1:3 2:3", 0 },
    { "smaller serial arrives later", "S:2 S:1 T:2 T:1", "1:2 2:2", 0 },
    { "user message is alone", "U:5 S:6 T:6", "5:1 6:2", 0 },
    { "user message waits for an older event", "S:4 U:5 T:4", "4:2 5:1", 0 },
    { "config change alone is timed out", "K:1 @50 @200", "1:1!", 0 },
    { "config change keeps nothing back", "K:1 S:2 P:2 T:2 @50 @200", "2:3 1:1!", 0 },
    { "config change of a call that runs", "K:1 S:2 T:2 S:1 T:1", "2:2 1:3", 0 },
    { "lost end is timed out", "S:1 P:1 @50 S:2 T:2 @101 S:3 T:3", "1:2! 2:2 3:2", 0 },
    { "open at the end is not handed out", "S:1 P:1", "", 0 },
    { "the oldest gives way", "S:1 S:2 S:3", "1:1!", 2 },
    { "stray end is eaten", "E:7 S:8 T:8 E:8", "8:2", 0 },
    { "a late record is a group of its own", "S:1 T:1 P:1 @1 @200", "1:2 1:1!", 0 },
    { "announced paths are not given up for their age", "I:1 P:1 @200 S:2 T:2 P:1 T:1 @400", "1:4 2:2", 0, 2 },
    { "nor are those of a call that has no end", "I:1 P:1 @200 P:1 @400", "1:3!", 0, 2 },
    { "but for others after them", "I:1 P:1 @200 / / @400 P:1 @600", "1:2! 1:1!", 0, 2 },
    { "what is behind them waits", "I:1 P:1 / S:2 @200 / @400", "1:2! 2:1!", 0, 2 },
    { "a stream gives them up", "I:1 P:1 @200 P:1 @400", "1:2! 1:1!", 0, 0 },
};

static void groups_script(const struct row *row, bool copy)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct audit_grouper *g = audit_grouper_new(&(struct audit_grouper_options){
        .copy = copy, .max_open = row->max_open, .patience = row->patience, .group = note_group, .data = &out });
    char script[256], *save = NULL, line[128];
    uint64_t now = 0;

    assert_non_null(g);
    snprintf(script, sizeof(script), "%s", row->script);
    for (char *w = strtok_r(script, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        static const struct {
            char letter;
            unsigned type;
        } types[] = { { 'S', AUDIT_SYSCALL }, { 'I', AUDIT_SYSCALL }, { 'P', AUDIT_PATH }, { 'C', AUDIT_CWD }, { 'T', AUDIT_PROCTITLE },
                      { 'E', AUDIT_EOE }, { 'U', AUDIT_USER }, { 'K', AUDIT_CONFIG_CHANGE } };
        struct audit_record r;
        unsigned type = 0;

        if (*w == '@') {
            now = (uint64_t)atoi(w + 1);
            audit_grouper_expire(g, now, 100);
            continue;
        }
        if (*w == '/') {
            audit_grouper_turn(g);
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
            if (types[i].letter == *w)
                type = types[i].type;
        /* without copying the bytes must live on */
        if (copy) {
            snprintf(line, sizeof(line), "audit(1.000:%s): x=%s%s", w + 2, w, *w == 'I' ? " items=2" : "");
            assert_int_equal(audit_record_parse_payload(type, bytes_of(line), &r, NULL), 0);
        } else {
            r = (struct audit_record){ .type = type, .time_ms = 1000, .serial = (uint64_t)atoi(w + 2),
                                       .body = bytes_of(*w == 'I' ? "x=1 items=2" : "x=1") };
        }
        audit_grouper_add(g, &r, now);
        memset(line, 0xff, sizeof(line));
    }
    assert_string_equal(sbuf_str(&out), row->groups);
    audit_grouper_free(g);
}

static void groups(void **state)
{
    groups_script(*state, true);
    groups_script(*state, false);
}

static void bounds_records(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct audit_grouper *g = audit_grouper_new(
        &(struct audit_grouper_options){ .copy = true, .group = note_group, .data = &out });
    struct audit_record r = { .type = AUDIT_EXECVE, .serial = 9, .body = bytes_of("a0=\"x\"") };

    (void)state;
    for (unsigned i = 0; i < LIMIT_AUDIT_EVENT_RECORDS + 5; i++)
        audit_grouper_add(g, &r, 0);
    r.type = AUDIT_EOE;
    audit_grouper_add(g, &r, 0);
    assert_string_equal(sbuf_str(&out), "9:1024+");
    audit_grouper_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bounds_records) };

    return RUN_ROWS(rows, groups) + cmocka_run_group_tests(tests, NULL, NULL);
}
