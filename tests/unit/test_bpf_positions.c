/* SPDX-License-Identifier: MIT */
/* Whether what a BPF ring held at a moment has been read, by the two pages that the kernel shows of it. */
#include "test.h"

#include <sys/mman.h>
#include <unistd.h>

#include "sensor/bpf/positions.h"

static unsigned long *pages; /* the consumer's, and the producer's */
static size_t words;         /* of a page */

static void all_of_it_and_less(void **state)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    int fd = memfd_create("ring", MFD_CLOEXEC);
    struct bpf_positions p;

    (void)state;
    words = size / sizeof(*pages);
    assert_int_equal(ftruncate(fd, (off_t)(2 * size)), 0);
    pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(bpf_positions_open(&p, fd, NULL), 0);
    bpf_positions_note(&p);
    assert_true(bpf_positions_are_read(&p)); /* there was nothing */
    pages[words] = 800;
    assert_true(bpf_positions_are_read(&p)); /* it came later */
    bpf_positions_note(&p);
    assert_false(bpf_positions_are_read(&p));
    pages[0] = 792; /* up to one that is reserved and not written */
    pages[words] = 4000;
    assert_false(bpf_positions_are_read(&p));
    pages[0] = 800;
    assert_true(bpf_positions_are_read(&p));
    pages[0] = pages[words] = ~0ul - 7; /* they are counted on for ever */
    bpf_positions_note(&p);
    pages[words] += 80;
    assert_true(bpf_positions_are_read(&p));
    bpf_positions_note(&p);
    assert_false(bpf_positions_are_read(&p));
    pages[0] += 80;
    assert_true(bpf_positions_are_read(&p));
    bpf_positions_done(&p);
    bpf_positions_done(&p);
    munmap(pages, 2 * size);
    close(fd);
}

static void no_ring(void **state)
{
    struct bpf_positions p;

    (void)state;
    assert_true(bpf_positions_open(&p, -1, NULL) < 0);
    bpf_positions_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_of_it_and_less), cmocka_unit_test(no_ring) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
