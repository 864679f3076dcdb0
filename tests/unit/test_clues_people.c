/* SPDX-License-Identifier: MIT */
/* What sources of clues make of logins, accounting and shells' histories. */
#include "test.h"
#include "clues_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <utmp.h>

#include "clues/people.h"

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
        const char *user;
        char flag;
    } rows[] = { { "rm", 1, CLUE_STARTED | CLUE_REMOVES, "#7" }, { "rm", 100, 0 }, { "ls", 1, 0 }, { "chown", 0, CLUE_STARTED | CLUE_ALTERS, "#7", AFORK },
                 { "rm", 1, CLUE_STARTED | CLUE_REMOVES, "", ASU } }; /* with rights that its real user has not */
    struct clue_question q = question_of("/srv/data");

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct acct_v3 a = { .ac_version = 3, .ac_flag = rows[i].flag, .ac_uid = 7, .ac_btime = (uint32_t)(1795896800 - rows[i].before) };
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

        memcpy(a.ac_comm, rows[i].comm, strlen(rows[i].comm));
        people_accounting(&s, &q, bytes_of("p"), (struct bytes){ (const char *)&a, sizeof(a) });
        assert_int_equal(s.len != 0, rows[i].marks != 0);
        if (!s.len)
            continue;
        assert_int_equal(only(&s).marks, rows[i].marks);
        assert_bytes(only(&s).user, rows[i].user);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wtmp),
        cmocka_unit_test(test_btmp),
        cmocka_unit_test(test_accounting),
    };
    int failed;

    setenv("TZ", "UTC", 1);
    tzset();
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(histories, test_history);
    return failed;
}
