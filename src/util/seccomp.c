/* SPDX-License-Identifier: MIT */
#include "util/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/macro.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define OTHER_NUMBERS 0x40000000u /* x32: the same machine to the filter, other calls */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#else
#error "util/seccomp.c: name this machine's AUDIT_ARCH"
#endif

#define ROWS_MAX 200
#define ROW_SIZE 5 /* instructions at most */
#define AROUND 8

/* Linux 4.14, 4.17. Without the second a kernel before 5.16 makes the whole process slower, as it does with browsers'
 * foreign code: here all code is our own. */
#define EXTRAS ((unsigned long)(SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST (offsetof(struct seccomp_data, args[0]))
#else
#define FIRST (offsetof(struct seccomp_data, args[0]) + 4)
#endif
#define NUMBER (offsetof(struct seccomp_data, nr))

struct program {
    struct sock_filter *code;
    unsigned short len;
};

static void add(struct program *p, unsigned short code, uint32_t k, unsigned char yes, unsigned char no)
{
    p->code[p->len++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

static void load(struct program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void end(struct program *p, uint32_t action)
{
    add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The number is loaded before and after it. */
static void add_row(struct program *p, const struct seccomp_row *row, uint32_t action)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, row->call, 0, row->of_first ? 4 : 1);
    if (row->of_first) {
        load(p, FIRST);
        add(p, BPF_JMP | BPF_JEQ | BPF_K, row->first, 0, 1);
    }
    end(p, action);
    if (row->of_first)
        load(p, NUMBER);
}

static void write_program(struct program *p, enum seccomp_kind kind, const struct seccomp_row *rows, size_t count)
{
    bool only = kind == SECCOMP_ONLY_THESE;
    uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    uint32_t foreign = only ? (uint32_t)SECCOMP_RET_KILL : (uint32_t)(SECCOMP_RET_ERRNO | ENOSYS);

    load(p, offsetof(struct seccomp_data, arch));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    end(p, foreign);
    load(p, NUMBER);
#ifdef OTHER_NUMBERS
    add(p, BPF_JMP | BPF_JGE | BPF_K, OTHER_NUMBERS, 0, 1);
    end(p, foreign);
#endif
    for (size_t i = 0; i < count; i++)
        add_row(p, &rows[i], only ? (uint32_t)SECCOMP_RET_ALLOW : refuse);
    end(p, only ? refuse : (uint32_t)SECCOMP_RET_ALLOW);
}

int seccomp_give_up(enum seccomp_kind kind, const struct seccomp_row *rows, size_t count, bool all_threads)
{
    struct sock_filter code[AROUND + ROWS_MAX * ROW_SIZE]; /* nothing has to be given back behind the filter */
    struct program p = { code, 0 };
    struct sock_fprog filter;
    unsigned long flags = all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
    long r;

    if (count > ROWS_MAX)
        return -E2BIG;
    write_program(&p, kind, rows, count);
    filter = (struct sock_fprog){ p.len, p.code };
    if (kind == SECCOMP_NOT_THESE)
        flags |= EXTRAS;
    r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    if (r < 0 && errno == EINVAL && (flags & EXTRAS))
        r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags & ~EXTRAS, &filter);
    return r < 0 ? -errno : r > 0 ? -EBUSY : 0;
}
