/* SPDX-License-Identifier: MIT */
/* A spool's file: damaged, of others, used again, full. */
#include "test.h"
#include "spool_play.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/spool.h"

/* ---- what is no spool ---- */

static void flip(const char *name, off_t at)
{
    int fd = open(name, O_RDWR | O_CLOEXEC);
    char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x41;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static off_t size_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return st.st_size;
}

/* Whatever byte of it is another one, whatever its end: what is sound before that is taken over, and it is gone. */
static void a_damaged_one(void **state)
{
    const struct plan plan = { .stored = 2, .added = 3 };
    char name[192], copy[192], db[192];
    off_t size;

    (void)state;
    kill_writer(&plan);
    assert_true(find_spool(name, sizeof(name)));
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    snprintf(db, sizeof(db), "%s/db", dir);
    copy_file(name, copy);
    sqlite3 *one;
    assert_int_equal(sqlite3_open(path, &one), SQLITE_OK); /* into the file, whose copy is used each time */
    assert_int_equal(sqlite3_exec(one, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(one);
    copy_file(path, db);
    size = size_of(copy);
    for (off_t at = 0; at < size; at += at < 200 ? 7 : 61) {
        char command[512];
        struct found f;

        for (unsigned cut = 0; cut < 2; cut++) {
            copy_file(copy, name);
            snprintf(command, sizeof(command), "rm -f %s-wal %s-shm; cat %s > %s", path, path, db, path); /* the same inode */
            assert_int_equal(system(command), 0);
            if (cut)
                assert_int_equal(truncate(name, at), 0);
            else
                flip(name, at);
            f = look();
            assert_in_range(f.events, 2, 5);
            assert_int_equal(f.with_actor, f.events);
            assert_false(has_spool());
        }
    }
}

static void others_files(void **state)
{
    struct stat st;
    char name[192], target[192];

    (void)state;
    store_close(open_store(false));
    assert_int_equal(stat(path, &st), 0);
    (void)mkdir(spools, 0700);
    snprintf(target, sizeof(target), "%s/target", dir);
    close(open(target, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    snprintf(name, sizeof(name), "%s/" SPOOL_NAME ".link", spools, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, 1);
    assert_int_equal(symlink(target, name), 0);
    snprintf(name, sizeof(name), "%s/" SPOOL_NAME ".fifo", spools, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, 1);
    assert_int_equal(mkfifo(name, 0600), 0);
    snprintf(name, sizeof(name), "%s/" SPOOL_NAME ".open", spools, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, 1);
    close(open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(chmod(name, 0666), 0);
    assert_int_equal(look().events, 0);
    assert_int_equal(access(name, F_OK), 0);
    assert_int_equal(access(target, F_OK), 0);
    assert_int_equal(chmod(name, 0600), 0);
    assert_int_equal(look().events, 0);
    assert_int_equal(access(name, F_OK), -1); /* ours, and nothing in it */
}

/* ---- the file ---- */

/* What is in it now that is beyond `stored`. */
static struct spool_segment read_back(const struct spool_numbers *stored)
{
    struct spool_segment parts[SPOOL_SEGMENTS], all = { 0 };
    struct sbuf file = SBUF_INIT;
    char name[192];
    int fd;

    assert_true(find_spool(name, sizeof(name)));
    fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(sbuf_add_file(&file, fd, SIZE_MAX / 2), 0);
    close(fd);
    for (unsigned i = 0; i < SPOOL_SEGMENTS; i++) {
        size_t at = SPOOL_HEAD_SIZE + i * (size_t)SPOOL_SEGMENT_SIZE;
        struct bytes b = { file.data + MIN(at, file.len), MIN(file.len - MIN(at, file.len), SPOOL_SEGMENT_SIZE) };

        assert_int_equal(spool_read_segment(b, stored, &parts[i]), 0);
        all.count += parts[i].count;
        all.seen_ns = MAX(all.seen_ns, parts[i].seen_ns);
        sbuf_done(&parts[i].messages);
    }
    sbuf_done(&file);
    return all;
}

/* Whatever is stored by when: what is not is in it, and it does not grow. */
static void it_is_used_again(void **state)
{
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct spool_numbers none = { 0 }, stored = { 0 };
    struct spool *s = NULL;
    struct err err = ERR_INIT;
    char name[192];

    (void)state;
    assert_int_equal(spool_open(spools, 1, 2, &none, &s, &err), 0);
    for (uint64_t i = 1; i <= 20000; i++) {
        struct event *e = event_of(rm, i);

        stored.at[SPOOL_EVENTS] = i > 700 ? i - 1 - i % 700 : 0; /* a batch now and then */
        spool_add_event(s, e, i, &stored);
        event_free(e);
        if (i % 997 == 0) {
            spool_write(s, i, &stored);
            assert_int_equal(read_back(&stored).count, i - stored.at[SPOOL_EVENTS]);
            assert_in_range(read_back(&stored).seen_ns, i - 997, i);
        }
    }
    assert_true(find_spool(name, sizeof(name)));
    assert_true(size_of(name) < SPOOL_HEAD_SIZE + SPOOL_SEGMENT_SIZE + (1 << 20));
    spool_close(s, true);
    assert_false(has_spool());
    process_unref(rm);
}

/* What finds no room is not claimed to have been seen, until it is stored. */
static void a_full_one(void **state)
{
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct spool_numbers none = { 0 }, stored = { 0 };
    struct spool *s = NULL;
    struct err err = ERR_INIT;
    struct event *last;
    uint64_t i = 0, kept;

    (void)state;
    assert_int_equal(spool_open(spools, 1, 2, &none, &s, &err), 0);
    while (i < 120000) {
        struct event *e = event_of(rm, ++i);

        spool_add_event(s, e, i, &stored);
        event_free(e);
        if (i == 100)
            spool_write(s, 555, &stored);
    }
    spool_write(s, 666, &stored);
    kept = read_back(&stored).count;
    assert_in_range(kept, 20000, 119000);
    assert_int_equal(read_back(&stored).seen_ns, 555);
    stored.at[SPOOL_EVENTS] = i;
    last = event_of(rm, i + 1);
    spool_add_event(s, last, i + 1, &stored);
    event_free(last);
    do
        spool_write(s, 777, &stored); /* where nothing is added, from time to time only */
    while (read_back(&stored).seen_ns != 777);
    assert_int_equal(read_back(&stored).count, 1);
    spool_close(s, true);
    process_unref(rm);
}

/* A store that is not written for long, and programs that come and go, which the queue's sender holds as well. */
static void the_past_is_not_held(void **state)
{
    static struct process *others[3000];
    struct spool_numbers none = { 0 };
    struct spool *s = NULL;
    struct err err = ERR_INIT;
    unsigned held = 0;

    (void)state;
    assert_int_equal(spool_open(spools, 1, 2, &none, &s, &err), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        struct event *e;

        others[i] = make_process((pid_t)(100 + i), "/usr/bin/rm", NULL);
        e = event_of(others[i], i + 1);
        spool_add_event(s, e, i + 1, &none);
        event_free(e);
    }
    spool_write(s, 1, &none);
    assert_int_equal(read_back(&none).count, ARRAY_SIZE(others));
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        held += others[i]->refs > 1;
    assert_in_range(held, 1, 600);
    spool_close(s, true);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(others[i]->refs, 1);
        process_unref(others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_past_is_not_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_one, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
