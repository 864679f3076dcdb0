/* SPDX-License-Identifier: MIT */
/* From a handle to the objects that its directory belongs to: many of each, added and removed. */
#include "test.h"

#include <stdlib.h>

#include "sensor/fanotify/handles.h"

static struct fanotify_object *object(unsigned n)
{
    static char objects[16]; /* only their addresses count */

    return (struct fanotify_object *)(void *)&objects[n];
}

static struct fanotify_handle handle(char buffer[8], uint32_t n)
{
    memcpy(buffer, &n, 4);
    memcpy(buffer + 4, "dir!", 4);
    return (struct fanotify_handle){ .fsid = 77, .type = 1, .data = { buffer, 8 } };
}

static unsigned count(const struct fanotify_handles *h, uint32_t n, uint32_t *ret_sum)
{
    char buffer[8];
    struct fanotify_handle key = handle(buffer, n);
    struct fanotify_user user;
    uint32_t at = 0;
    unsigned users = 0;

    *ret_sum = 0;
    while (fanotify_handles_next(h, &key, &at, &user)) {
        users++;
        *ret_sum += user.directory;
    }
    return users;
}

static void known_by_its_handle(void **state)
{
    enum { SHARERS = 12 };
    struct fanotify_handles *h = fanotify_handles_new();
    char one[8], two[8];
    struct fanotify_handle first = handle(one, 1), second = handle(two, 2);

    (void)state;
    for (unsigned i = 0; i < SHARERS; i++)
        assert_int_equal(fanotify_handles_add(h, &first, &(struct fanotify_user){ object(i), 5, false }), 0);
    for (unsigned i = 0; i < SHARERS; i++) {
        const struct fanotify_user user = { object(i), 5, false };

        assert_true(fanotify_handles_is(h, &user, &first));
        assert_false(fanotify_handles_is(h, &user, &second));
        assert_false(fanotify_handles_is(h, &(struct fanotify_user){ object(i), 5, true }, &first));
    }
    assert_false(fanotify_handles_is(h, &(struct fanotify_user){ object(SHARERS), 5, false }, &first));
    second.fsid++;
    assert_int_equal(fanotify_handles_add(h, &second, &(struct fanotify_user){ object(3), 5, false }), 0);
    assert_false(fanotify_handles_is(h, &(struct fanotify_user){ object(3), 5, false }, &first));
    assert_true(fanotify_handles_is(h, &(struct fanotify_user){ object(3), 5, false }, &second));
    (void)fanotify_handles_remove(h, &(struct fanotify_user){ object(3), 5, false });
    assert_false(fanotify_handles_is(h, &(struct fanotify_user){ object(3), 5, false }, &second));
    fanotify_handles_free(h);
}

static void many_come_and_go(void **state)
{
    enum { MANY = 20000 };
    struct fanotify_handles *h = fanotify_handles_new();
    char buffer[8];
    uint32_t sum;

    (void)state;
    for (uint32_t i = 1; i <= MANY; i++) {
        struct fanotify_handle key = handle(buffer, i);

        assert_int_equal(fanotify_handles_add(h, &key, &(struct fanotify_user){ object(0), i, false }), 0);
        if (i % 2)
            assert_int_equal(fanotify_handles_add(h, &key, &(struct fanotify_user){ object(1), i + 5, false }), 0);
    }
    for (uint32_t i = 1; i <= MANY; i++) {
        assert_int_equal(count(h, i, &sum), i % 2 ? 2 : 1);
        assert_int_equal(sum, i % 2 ? 2 * i + 5 : i);
    }
    for (uint32_t i = 1; i <= MANY; i++)
        assert_int_equal(fanotify_handles_remove(h, &(struct fanotify_user){ object(0), i, false }), i % 2 == 0);
    for (uint32_t i = 1; i <= MANY; i++)
        assert_int_equal(count(h, i, &sum), i % 2);
    fanotify_handles_free(h);
}

static void same_thing_differently(void **state)
{
    struct fanotify_handles *h = fanotify_handles_new();
    char a[8], b[8];
    struct fanotify_handle one = handle(a, 1), two = handle(b, 2), other = one;
    struct fanotify_user user = { object(0), 9, false }, above = { object(0), 9, true };
    uint32_t sum;

    (void)state;
    assert_int_equal(fanotify_handles_add(h, &one, &user), 0);
    assert_int_equal(fanotify_handles_add(h, &one, &user), 0); /* again is no harm */
    assert_int_equal(count(h, 1, &sum), 1);
    assert_int_equal(fanotify_handles_add(h, &one, &above), 0); /* another role is another user */
    assert_int_equal(count(h, 1, &sum), 2);
    assert_int_equal(fanotify_handles_add(h, &two, &user), 0); /* the number stands for another directory now */
    assert_int_equal(count(h, 1, &sum), 1);
    assert_int_equal(count(h, 2, &sum), 1);
    assert_true(fanotify_handles_has(h, &user));
    assert_true(fanotify_handles_remove(h, &user));
    assert_false(fanotify_handles_has(h, &user));
    assert_false(fanotify_handles_remove(h, &user));
    other.fsid = 78; /* another file system's handle of the same bytes */
    assert_int_equal(fanotify_handles_add(h, &other, &user), 0);
    assert_int_equal(count(h, 1, &sum), 1);
    other.data.data = NULL;
    assert_true(fanotify_handles_add(h, &other, &user) < 0);
    fanotify_handles_free(h);
}

/* Handles of every length are kept, and the newest user of a directory comes first. */
static void long_ones_and_their_order(void **state)
{
    struct fanotify_handles *h = fanotify_handles_new();
    char bytes[FANOTIFY_HANDLE_MAX];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (uint32_t len = 1; len <= FANOTIFY_HANDLE_MAX; len++)
        for (uint32_t user = 0; user < 3; user++) {
            struct fanotify_handle key = { .fsid = 5, .type = 1, .data = { bytes, len } };

            assert_int_equal(fanotify_handles_add(h, &key, &(struct fanotify_user){ object(user), len, false }), 0);
        }
    assert_false(fanotify_handles_remove(h, &(struct fanotify_user){ object(1), 40, false }));
    for (uint32_t len = 1; len <= FANOTIFY_HANDLE_MAX; len++) {
        struct fanotify_handle key = { .fsid = 5, .type = 1, .data = { bytes, len } };
        struct fanotify_user user;
        uint32_t at = 0;

        for (int n = 2; n >= 0; n--) {
            if (len == 40 && n == 1)
                continue;
            assert_true(fanotify_handles_next(h, &key, &at, &user));
            assert_ptr_equal(user.object, object((unsigned)n));
            assert_int_equal(user.directory, len);
        }
        assert_false(fanotify_handles_next(h, &key, &at, &user));
    }
    fanotify_handles_free(h);
}

static void holds_its_inode(void **state)
{
    struct fanotify_handle h = { .type = 1, .data = BYTES("\x07\0\0\0\x02\x01\0\0") };

    (void)state;
    assert_true(fanotify_handle_may_be(&h, 7));
    assert_true(fanotify_handle_may_be(&h, 0x102));
    assert_false(fanotify_handle_may_be(&h, 8));
    h.data.len = 7;
    assert_false(fanotify_handle_may_be(&h, 0x102));
    h.data.len = 0;
    assert_false(fanotify_handle_may_be(&h, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_by_its_handle), cmocka_unit_test(many_come_and_go),
        cmocka_unit_test(holds_its_inode),
        cmocka_unit_test(same_thing_differently),
        cmocka_unit_test(long_ones_and_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
