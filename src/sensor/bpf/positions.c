/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/positions.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static const unsigned long *map(int fd, size_t page)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    const void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)(page * size));

    return at == MAP_FAILED ? NULL : at;
}

int bpf_positions_open(struct bpf_positions *p, int ring_fd, struct err *err)
{
    int r;

    *p = BPF_POSITIONS_INIT;
    p->consumer = map(ring_fd, 0);
    p->producer = p->consumer ? map(ring_fd, 1) : NULL;
    if (p->producer)
        return 0;
    r = err_set(err, -errno, "the positions of a BPF ring");
    bpf_positions_done(p);
    return r;
}

void bpf_positions_done(struct bpf_positions *p)
{
    const unsigned long *const pages[] = { p->consumer, p->producer };

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (pages[i])
            (void)munmap((void *)pages[i], (size_t)sysconf(_SC_PAGESIZE));
    *p = BPF_POSITIONS_INIT;
}

void bpf_positions_note(struct bpf_positions *p)
{
    p->noted = __atomic_load_n(p->producer, __ATOMIC_ACQUIRE);
}

bool bpf_positions_are_read(const struct bpf_positions *p)
{
    return (long)(__atomic_load_n(p->consumer, __ATOMIC_ACQUIRE) - p->noted) >= 0;
}
