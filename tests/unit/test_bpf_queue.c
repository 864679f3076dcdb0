/* SPDX-License-Identifier: MIT */
/* Records of two rings: in the order of their time, each once, however they come. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/bpf/queue.h"

#define FIRST_LEN 100

static void add(struct bpf_queue *q, unsigned lane, uint64_t time_ns, size_t len)
{
    char record[4096];

    memset(record, (int)(time_ns & 0x7f), sizeof(record));
    memcpy(record, &time_ns, sizeof(time_ns));
    assert_int_equal(bpf_queue_add(q, lane, time_ns, record, len), 0);
}

/* Takes one, looks at its bytes, gives it back; 0: there is none. */
static uint64_t take(struct bpf_queue *q, uint64_t until_ns)
{
    struct bpf_queued *record = bpf_queue_take(q, until_ns);
    uint64_t time_ns;

    if (!record)
        return 0;
    memcpy(&time_ns, record->data, sizeof(time_ns));
    for (size_t i = sizeof(time_ns); i < record->len; i++)
        assert_int_equal(record->data[i], time_ns & 0x7f);
    bpf_queue_give_back(q, record);
    return time_ns;
}

static void two_rings_are_one_order(void **state)
{
    struct bpf_queue q = BPF_QUEUE_INIT;

    (void)state;
    for (uint64_t i = 1; i <= 2000; i += 2)
        add(&q, 0, i, FIRST_LEN);
    for (uint64_t i = 2; i <= 2000; i += 2)
        add(&q, 1, i, FIRST_LEN);
    assert_int_equal(q.count, 2000);
    assert_int_equal(q.bytes, 2000 * FIRST_LEN);
    for (uint64_t i = 1; i <= 2000; i++)
        assert_int_equal(take(&q, UINT64_MAX), i);
    assert_int_equal(take(&q, UINT64_MAX), 0);
    assert_int_equal(q.count + q.bytes, 0);
    bpf_queue_done(&q);
}

static void the_younger_wait(void **state)
{
    struct bpf_queue q = BPF_QUEUE_INIT;

    (void)state;
    add(&q, 0, 10, FIRST_LEN);
    add(&q, 0, 30, FIRST_LEN);
    add(&q, 1, 20, FIRST_LEN);
    assert_int_equal(take(&q, 20), 10);
    assert_int_equal(take(&q, 20), 20);
    assert_int_equal(take(&q, 20), 0);
    bpf_queue_rest(&q);
    add(&q, 1, 25, FIRST_LEN);
    assert_int_equal(take(&q, 30), 25);
    assert_int_equal(take(&q, 30), 30);
    bpf_queue_done(&q);
}

static void those_of_one_time_keep_their_order(void **state)
{
    struct bpf_queue q = BPF_QUEUE_INIT;

    (void)state;
    for (size_t i = 0; i < 300; i++)
        add(&q, i % 3 == 0, 7, FIRST_LEN + i);
    for (size_t i = 0; i < 300; i++) {
        struct bpf_queued *record = bpf_queue_take(&q, 7);

        assert_int_equal(record->len, FIRST_LEN + i);
        bpf_queue_give_back(&q, record);
    }
    bpf_queue_done(&q);
}

/* A few places out of order, and many: the one is put right as it comes, the other when it is read. */
static void what_is_out_of_order_is_put_right(void **state)
{
    static const unsigned distances[] = { 2, 63, 64, 65, 700 };

    (void)state;
    for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
        struct bpf_queue q = BPF_QUEUE_INIT;
        unsigned distance = distances[d], n = 10 * distance;

        for (unsigned i = 0; i < n; i++) /* blocks of `distance`, each the other way round */
            add(&q, 0, 1 + i / distance * distance + (distance - 1 - i % distance), 64);
        add(&q, 1, 1, 64);
        assert_int_equal(take(&q, 1), 1);
        for (unsigned i = 1; i <= n; i++)
            assert_int_equal(take(&q, n), i);
        assert_int_equal(take(&q, UINT64_MAX), 0);
        bpf_queue_done(&q);
    }
}

/* Large and small ones, more than fit into one piece of memory, some always waiting; a fixed sequence of numbers. */
static void a_storm_loses_none(void **state)
{
    struct bpf_queue q = BPF_QUEUE_INIT;
    uint64_t number = 1, now = 1000, added = 0, taken = 0, last = 0, sum = 0, sum_taken = 0, at;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        unsigned n = (unsigned)(number >> 40) % 600;

        for (unsigned i = 0; i < n; i++) {
            number = number * 6364136223846793005ull + 1442695040888963407ull;
            at = now + i - (number >> 33) % 50;
            add(&q, number >> 63, at, 8 + (number >> 35) % 4000);
            sum += at;
            added++;
        }
        now += n;
        while ((at = take(&q, now - 100))) {
            assert_true(at >= last);
            last = at;
            sum_taken += at;
            taken++;
        }
        if (round % 7 == 0)
            bpf_queue_rest(&q);
    }
    while ((at = take(&q, UINT64_MAX))) {
        sum_taken += at;
        taken++;
    }
    assert_int_equal(added, taken);
    assert_int_equal(sum, sum_taken);
    bpf_queue_done(&q);
}

/* The receiver of one may look at the rings again. */
static void one_that_is_held_stays(void **state)
{
    struct bpf_queue q = BPF_QUEUE_INIT;
    struct bpf_queued *held;
    uint64_t time_ns;

    (void)state;
    add(&q, 0, 1, 4096);
    add(&q, 0, 3, 4096);
    held = bpf_queue_take(&q, UINT64_MAX);
    for (uint64_t i = 4; i < 1000; i++)
        add(&q, 1, i, 4096);
    add(&q, 1, 2, 4096);
    for (uint64_t i = 2; i < 1000; i++)
        assert_int_equal(take(&q, UINT64_MAX), i);
    bpf_queue_rest(&q);
    memcpy(&time_ns, held->data, sizeof(time_ns));
    assert_int_equal(time_ns, 1);
    assert_int_equal(held->data[4095], 1);
    bpf_queue_give_back(&q, held);
    bpf_queue_done(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_rings_are_one_order),
        cmocka_unit_test(the_younger_wait),
        cmocka_unit_test(those_of_one_time_keep_their_order),
        cmocka_unit_test(what_is_out_of_order_is_put_right),
        cmocka_unit_test(a_storm_loses_none),
        cmocka_unit_test(one_that_is_held_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
