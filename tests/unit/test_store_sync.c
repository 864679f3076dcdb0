/* SPDX-License-Identifier: MIT */
/* What was written comes to the disk soon, and a disk has nothing to do where nothing was. */
#include "test.h"

#include "store_play.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/clock.h"

static atomic_uint synced; /* how often the store's log was */

/* In place of the C library's, for what is linked into this test. */
int fdatasync(int fd)
{
    char link[64], file[PATH_MAX], log[PATH_MAX];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, file, sizeof(file) - 1);
    file[n > 0 ? n : 0] = '\0';
    snprintf(log, sizeof(log), "%s-wal", path);
    if (strcmp(file, log) == 0)
        synced++;
    return (int)syscall(SYS_fdatasync, fd);
}

static void what_was_written_comes_to_the_disk(void **state)
{
    struct process *p = make_process(5, "/bin/p", NULL);
    struct store *store = open_store(false);
    unsigned before;

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct event *e = make_event(OPERATION_UNLINK, "/d/f", p, NULL, clock_ns(CLOCK_REALTIME));

        set_id(e, round + 1);
        before = synced;
        add(store, e);
        assert_int_equal(store_flush(store, NULL), 0);
        for (unsigned i = 0; i < 3000 && synced == before; i++)
            usleep(10 * 1000);
        assert_int_equal(synced, before + 1);
    }
    before = synced;
    usleep(5 * 1000 * 1000); /* only that somebody lives is written */
    assert_int_equal(synced, before);
    store_close(store);
    process_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_comes_to_the_disk, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
