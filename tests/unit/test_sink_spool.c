/* SPDX-License-Identifier: MIT */
/* What waits for a sink: its spool, when it is tried again; the sinks file and exec. */
#include "test.h"
#include "sink_message.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/spool.h"

/* ---- the spool ---- */

static char directory[] = "/tmp/culprit-sink.XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(directory);
}

static void put(struct sink_spool *s, unsigned number)
{
    struct sink_message m = message();
    struct sbuf out = SBUF_INIT;

    m.events = number;
    sink_message_write(&m, &out);
    assert_int_equal(sink_spool_put(s, sbuf_bytes(&out), NULL), 0);
    sbuf_done(&out);
}

static uint64_t oldest(struct sink_spool *s)
{
    struct sbuf out = SBUF_INIT;
    struct sink_message m = { 0 };
    int r = sink_spool_oldest(s, &out);

    if (r == 0)
        assert_int_equal(sink_message_read(sbuf_bytes(&out), &m), 0);
    sbuf_done(&out);
    return r == 0 ? m.events : 0;
}

/* As the end of its process closes it. */
static void close_spool(struct sink_spool *s)
{
    assert_int_equal(close(s->dir), 0);
    *s = SINK_SPOOL_INIT;
}

static void a_spool_outlives_its_process(void **state)
{
    struct sink_spool s = SINK_SPOOL_INIT, again = SINK_SPOOL_INIT;
    char path[256];
    int fd;

    (void)state;
    assert_int_equal(sink_spool_open(&s, directory, NULL), 0);
    assert_int_equal(oldest(&s), 0);
    for (unsigned i = 1; i <= 5; i++)
        put(&s, i);
    assert_int_equal(oldest(&s), 1);
    sink_spool_remove_oldest(&s);
    close_spool(&s);

    snprintf(path, sizeof(path), "%s/new", directory); /* half of one, as kill -9 leaves it */
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sink_spool_open(&again, directory, NULL), 0);
    assert_int_equal(again.count, 4);
    assert_int_equal(oldest(&again), 2);
    put(&again, 6);
    for (unsigned i = 2; i <= 6; i++) {
        assert_int_equal(oldest(&again), i); /* in order */
        sink_spool_remove_oldest(&again);
    }
    assert_int_equal(oldest(&again), 0);
    assert_int_equal(again.count, 0);
    assert_int_equal(again.bytes, 0);
    assert_int_equal(access(path, F_OK), -1);
    close_spool(&again);
}

static void a_spool_is_bounded(void **state)
{
    struct sink_spool s = SINK_SPOOL_INIT;

    (void)state;
    assert_int_equal(s.max_count, SINK_SPOOL_COUNT);
    s.max_count = 8; /* each is synchronised with the disk */
    assert_int_equal(sink_spool_open(&s, directory, NULL), 0);
    for (unsigned i = 1; i <= 8 + 3; i++)
        put(&s, i);
    assert_int_equal(s.count, 8);
    assert_int_equal(s.dropped, 3); /* the oldest, and that is known */
    assert_int_equal(oldest(&s), 4);
    while (s.count)
        sink_spool_remove_oldest(&s);
    close_spool(&s);
}

static void what_is_no_message_is_dropped(void **state)
{
    struct sink_spool s = SINK_SPOOL_INIT;

    (void)state;
    assert_int_equal(sink_spool_open(&s, directory, NULL), 0);
    assert_int_equal(sink_spool_put(&s, BYTES("rubbish"), NULL), 0);
    put(&s, 9);
    assert_int_equal(oldest(&s), 9);
    assert_int_equal(s.dropped, 1);
    sink_spool_remove_oldest(&s);
    close_spool(&s);
}

static void tries_later_and_later(void **state)
{
    (void)state;
    for (uint64_t chance = 0; chance < 1000; chance++) {
        assert_in_range(sink_retry_ns(1, chance * 7919 * NS_PER_MS), NS_PER_S * 3 / 4, NS_PER_S * 5 / 4);
        assert_in_range(sink_retry_ns(3, chance * 7919 * NS_PER_MS), NS_PER_S * 3, NS_PER_S * 5);
        assert_in_range(sink_retry_ns(1000000, chance * 7919 * NS_PER_MS), SINK_RETRY_MAX_NS / 4 * 3, SINK_RETRY_MAX_NS / 4 * 5);
    }
    assert_true(sink_retry_ns(5, 0) != sink_retry_ns(5, NS_PER_S)); /* many hosts do not come at once */
}

/* ---- a file ---- */

static void a_file_is_rotated(void **state)
{
    char path[256], older[300];
    const struct bytes to = { path, (size_t)snprintf(path, sizeof(path), "%s/alerts.jsonl", directory) };
    struct sink_settings settings = { .ops = &sink_file, .to = &to, .to_count = 1, .size = 24 };
    struct sink_message m = message();
    struct stat st;

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(sink_file.deliver(&settings, &m, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 24); /* three lines each */
    for (int i = 1; i <= 6; i++) {
        snprintf(older, sizeof(older), "%s.%d", path, i);
        assert_int_equal(stat(older, &st), i <= 5 ? 0 : -1);
        (void)unlink(older);
    }
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* whoever may write there does not have us wait */
    assert_true(sink_file.deliver(&settings, &m, NULL) < 0);
    (void)unlink(path);
}

/* ---- a program ---- */

static void a_program_that_is_not_there(void **state)
{
    char path[256];
    const struct bytes to = { path, (size_t)snprintf(path, sizeof(path), "%s/no-program", directory) };
    const struct sink_settings of_exec = { .ops = &sink_exec, .to = &to, .to_count = 1 };
    const struct bytes address = BYTES("ops@example.org");
    const struct sink_settings of_mail = { .ops = &sink_mail, .to = &address, .to_count = 1, .server = to };
    struct sink_message m = message();
    struct err err = ERR_INIT;

    (void)state;
    assert_true(sink_exec.deliver(&of_exec, &m, &err) < 0);
    assert_non_null(strstr(err.text, "no-program is not there"));
    err.text[0] = '\0';
    assert_true(sink_mail.deliver(&of_mail, &m, &err) < 0);
    assert_non_null(strstr(err.text, "no-program is not there"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spool_outlives_its_process),
        cmocka_unit_test(a_spool_is_bounded),
        cmocka_unit_test(what_is_no_message_is_dropped),
        cmocka_unit_test(tries_later_and_later),
        cmocka_unit_test(a_file_is_rotated),
        cmocka_unit_test(a_program_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
