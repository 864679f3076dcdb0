/* SPDX-License-Identifier: MIT */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    int fd;
    struct io_uring_params params;
    char *sq, *cq;
    struct io_uring_sqe *sqes;
} ring = { .fd = -1 };

static int set_up(void)
{
    const size_t size = 4096;

    if (ring.fd >= 0)
        return 0;
    ring.fd = (int)syscall(SYS_io_uring_setup, 4, &ring.params);
    if (ring.fd < 0)
        return -1;
    ring.sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
    ring.cq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
    ring.sqes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
    return ring.sq == MAP_FAILED || ring.cq == MAP_FAILED || ring.sqes == MAP_FAILED ? -1 : 0;
}

int uring_submit(const struct io_uring_sqe *sqe)
{
    unsigned *tail, *mask, *array, *head, index;
    struct io_uring_cqe *cqe;
    int result;

    if (set_up() < 0)
        return -1;
    tail = (unsigned *)(ring.sq + ring.params.sq_off.tail);
    mask = (unsigned *)(ring.sq + ring.params.sq_off.ring_mask);
    array = (unsigned *)(ring.sq + ring.params.sq_off.array);
    index = *tail & *mask;
    ring.sqes[index] = *sqe;
    array[index] = index;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring.fd, 1, 1,
                IORING_ENTER_GETEVENTS | (ring.params.flags & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : 0),
                NULL, 0) < 0)
        return -1;
    head = (unsigned *)(ring.cq + ring.params.cq_off.head);
    mask = (unsigned *)(ring.cq + ring.params.cq_off.ring_mask);
    cqe = (struct io_uring_cqe *)(ring.cq + ring.params.cq_off.cqes) + (*head & *mask);
    result = cqe->res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return result;
}

int uring_do(int operation, const char *path, const char *to)
{
    struct io_uring_sqe sqe = { .opcode = (uint8_t)operation, .fd = AT_FDCWD, .addr = (uintptr_t)path };

    if (to) {
        sqe.addr2 = (uintptr_t)to;
        sqe.len = (uint32_t)AT_FDCWD;
    }
    return uring_submit(&sqe);
}

int uring_write(const char *path)
{
    struct io_uring_sqe open_sqe = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD,
                                     .addr = (uintptr_t)path, .open_flags = O_WRONLY | O_TRUNC };
    struct io_uring_sqe write_sqe = { .opcode = IORING_OP_WRITE, .addr = (uintptr_t)"hello", .len = 5 };
    struct io_uring_sqe close_sqe = { .opcode = IORING_OP_CLOSE };

    write_sqe.fd = uring_submit(&open_sqe);
    if (write_sqe.fd < 0 || uring_submit(&write_sqe) != 5)
        return -1;
    close_sqe.fd = write_sqe.fd;
    return uring_submit(&close_sqe);
}

void uring_polled(void)
{
    ring.params.flags = IORING_SETUP_SQPOLL;
    ring.params.sq_thread_idle = 1000;
}

int uring_make(int operation, const char *path, const char *to)
{
    struct io_uring_sqe sqe = { .opcode = (uint8_t)operation, .fd = AT_FDCWD, .addr = (uintptr_t)path,
                                .addr2 = (uintptr_t)to };

    sqe.len = operation == IORING_OP_MKDIRAT ? 0755 : operation == IORING_OP_LINKAT ? (uint32_t)AT_FDCWD : 0;
    return uring_submit(&sqe);
}

int uring_write_to(int fd)
{
    struct io_uring_sqe sqe = { .opcode = IORING_OP_WRITE, .fd = fd, .addr = (uintptr_t)"hello", .len = 5 };

    return uring_submit(&sqe);
}

int uring_fallocate(const char *path)
{
    struct io_uring_sqe sqe = { .opcode = IORING_OP_FALLOCATE, .addr = 65536 };

    sqe.fd = open(path, O_WRONLY | O_CLOEXEC);
    return sqe.fd < 0 || uring_submit(&sqe) < 0 ? -1 : close(sqe.fd);
}
