/* SPDX-License-Identifier: MIT */
/* Whose a container's files are, where the worker that looks does not come to its end: that is not known, and is asked again. */
#include "test.h"

#include <errno.h>
#include <time.h>

#include "attribution/owner_inside.h"
#include "util/cleanup.h"

static time_t now = 1000; /* of all clocks, in seconds: none goes by itself */
static int search_result;
static unsigned searches;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    (void)clock;
    *ret = (struct timespec){ .tv_sec = now };
    return 0;
}

int __wrap_foreign_wait(struct foreign_pending *p, const struct foreign_job *job, struct bytes request, unsigned timeout_ms, unsigned wait_ms, struct bytes *ret);
int __wrap_foreign_wait(struct foreign_pending *p, const struct foreign_job *job, struct bytes request, unsigned timeout_ms, unsigned wait_ms, struct bytes *ret)
{
    (void)p, (void)request, (void)timeout_ms, (void)wait_ms;
    if (!job->parse) { /* the state of the lists */
        *ret = bytes_of("as before");
        return 0;
    }
    searches++;
    *ret = BYTES("tool\0" "1.2");
    return search_result;
}

static int find(struct image_packages *p)
{
    struct bytes package, version;
    int r = image_packages_find(p, bytes_of("0123"), bytes_of("place"), bytes_of("/usr/bin/tool"), &package, &version);

    if (r == 0) {
        assert_bytes(package, "tool");
        assert_bytes(version, "1.2");
    }
    return r;
}

static const struct row {
    const char *name;
    int result;
    bool again; /* once a minute has passed */
} rows[] = {
    { "ended before it was done", -EBADMSG, true },
    { "too many wait already", -EBUSY, true },
    { "no package has it", -ENOENT, false },
};

static void asked_again(void **state)
{
    const struct row *row = *state;
    struct image_packages *p = NULL;

    assert_int_equal(image_packages_new(&p, NULL), 0);
    searches = 0;
    search_result = row->result;
    assert_int_equal(find(p), -ENOENT);
    assert_int_equal(searches, 1);
    search_result = 0;
    now += 120;
    assert_int_equal(find(p), row->again ? 0 : -ENOENT);
    assert_int_equal(searches, 1 + row->again);
    assert_int_equal(find(p), row->again ? 0 : -ENOENT); /* from what is kept */
    assert_int_equal(searches, 1 + row->again);
    image_packages_free(p);
}

/* What takes too long is not asked for with each event. */
static void not_at_once(void **state)
{
    struct image_packages *p = NULL;

    (void)state;
    assert_int_equal(image_packages_new(&p, NULL), 0);
    searches = 0;
    search_result = -EBADMSG;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(find(p), -ENOENT);
        now += 2;
    }
    assert_int_equal(searches, 1);
    image_packages_free(p);
}

/* Nor with each minute, where it always does. */
static void less_and_less_often(void **state)
{
    struct image_packages *p = NULL;

    (void)state;
    assert_int_equal(image_packages_new(&p, NULL), 0);
    searches = 0;
    search_result = -EBADMSG;
    for (unsigned minute = 0; minute < 24 * 60; minute++) {
        assert_int_equal(find(p), -ENOENT);
        now += 61;
    }
    assert_in_range(searches, 10, 60); /* once in half an hour in the end */
    image_packages_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(not_at_once), cmocka_unit_test(less_and_less_often) };

    return RUN_ROWS(rows, asked_again) + cmocka_run_group_tests(tests, NULL, NULL);
}
