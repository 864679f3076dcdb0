/* SPDX-License-Identifier: MIT */
/* What makes new older writers while a guard by programs is on: the kernel's part is played by the test. */
#include "test.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "sensor/bpf/guard_links.h"
#include "sensor/bpf/guard_writers.h"
#include "sensor/bpf/guarding.h"
#include "sensor/bpf/objects.h"
#include "sensor/bpf/skeleton.h"

static uint64_t passed_over;
static unsigned unsure;

int __wrap_bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *options);
int __wrap_bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *options)
{
    (void)fd, (void)options;
    return 0;
}

int __wrap_bpf_program__fd(const struct bpf_program *program);
int __wrap_bpf_program__fd(const struct bpf_program *program)
{
    (void)program;
    return -1;
}

void __wrap_bpf_objects_before_placing(struct bpf_objects *o, void (*before)(void));
void __wrap_bpf_objects_before_placing(struct bpf_objects *o, void (*before)(void))
{
    (void)o, (void)before;
}

int __wrap_guard_links_register(struct programs *programs, struct bpf_objects *objects, struct err *err);
int __wrap_guard_links_register(struct programs *programs, struct bpf_objects *objects, struct err *err)
{
    (void)programs, (void)objects, (void)err;
    return 0;
}

uint64_t __wrap_guard_programs_missed_opens(struct files_bpf *k);
uint64_t __wrap_guard_programs_missed_opens(struct files_bpf *k)
{
    (void)k;
    return __atomic_load_n(&passed_over, __ATOMIC_SEQ_CST);
}

void __wrap_guard_writers_unsure(void);
void __wrap_guard_writers_unsure(void)
{
    (void)__atomic_add_fetch(&unsure, 1, __ATOMIC_SEQ_CST);
}

static bool becomes(unsigned wanted)
{
    for (unsigned i = 0; i < 12000; i++) {
        if (__atomic_load_n(&unsure, __ATOMIC_SEQ_CST) == wanted)
            return true;
        usleep(10 * 1000);
    }
    return false;
}

static void opens_that_nobody_judged_may_be_older_writers(void **state)
{
    struct files_bpf *k = calloc(1, sizeof(*k));
    struct programs programs = { .skeleton = k };

    (void)state;
    assert_non_null(k);
    k->bss = calloc(1, sizeof(*k->bss));
    assert_non_null(k->bss);
    guarding_opened(&programs, NULL);
    assert_int_equal(bpf_guard_begin(NULL), 0);
    assert_int_equal(__atomic_load_n(&unsure, __ATOMIC_SEQ_CST), 0);
    (void)__atomic_add_fetch(&k->bss->guard_let, 1, __ATOMIC_SEQ_CST); /* by process 1 */
    assert_true(becomes(1));
    __atomic_store_n(&passed_over, 1, __ATOMIC_SEQ_CST); /* the kernel did not ask */
    assert_true(becomes(2));
    guarding_closed();
    free(k->bss);
    free(k);
}

/* Whoever begins a guard is not kept by a look that takes long: it may be asked again and again. */
static void a_look_that_is_not_over_keeps_nobody(void **state)
{
    struct files_bpf *k = calloc(1, sizeof(*k));
    struct programs programs = { .skeleton = k };

    (void)state;
    assert_non_null(k);
    assert_true(guard_writers_wait(1)); /* there is no guard */
    assert_int_equal(guard_writers_begin(&programs, NULL), 0);
    assert_false(guard_writers_wait(1)); /* nobody has said where to look */
    assert_true(guard_writers_want_places());
    assert_true(guard_writers_count() == GUARD_WRITERS_UNKNOWN);
    guard_writers_end();
    assert_true(guard_writers_wait(1));
    free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_that_is_not_over_keeps_nobody),
        cmocka_unit_test(opens_that_nobody_judged_may_be_older_writers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
