/* SPDX-License-Identifier: MIT */
/* What the tests of the process table share: a table, a /proc of their own, and the notifications of a kernel. */
#pragma once

#include "fake_proc.h"

#include "attribution/process_table.h"

#define SECOND NS_PER_S
#define A "/tmp" /* executables: links of a real directory, so that they exist */
#define B "/usr"

static struct process_table *table;

static inline void feed(enum process_event_kind kind, uint64_t at, int pid, int parent, struct process *captured)
{
    process_table_apply(table, &(struct process_event){ .kind = kind, .boot_ns = at, .pid = pid,
                                                        .parent_pid = parent, .captured = captured,
                                                        .start_ns = kind == PROCESS_FORK ? at : 0 });
}

static inline void fork_(uint64_t at, int pid, int parent)
{
    feed(PROCESS_FORK, at, pid, parent, NULL);
}

static inline void exit_(uint64_t at, int pid)
{
    feed(PROCESS_EXIT, at, pid, 0, NULL);
    fake_end(pid);
}

static inline struct process *at(int pid, uint64_t boot_ns)
{
    return process_table_find(table, pid, boot_ns, 0, BYTES_NULL);
}

/* exec as the kernel's own sensor reports it: with the record */
static inline void exec_captured(uint64_t when, int pid, uint64_t start, const char *executable)
{
    struct process *p = process_new(pid, start);

    process_set(p, &p->executable, bytes_of(executable));
    feed(PROCESS_EXEC, when, pid, 0, p);
    process_unref(p);
}

static inline int count_remembered(void *data, struct process *p)
{
    (void)p;
    ++*(size_t *)data;
    return 0;
}

/* How many processes the table hands out, the living ones and those that have exited. */
static inline size_t remembered(void)
{
    size_t n = 0;

    assert_int_equal(process_table_each_recent(table, count_remembered, &n), 0);
    return n;
}

static inline int set_up(void **state)
{
    (void)state;
    assert_int_equal(process_table_new(fake_proc, &table, NULL), 0);
    fake_start(&(struct fake_process){ 1, 0, 1, "init", B, "0::/init.scope\n", "init", 0, NULL });
    return process_table_seed(table, NULL);
}

static inline int tear_down(void **state)
{
    (void)state;
    process_table_free(table);
    fake_remove(fake_proc);
    (void)mkdir(fake_proc, 0755);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
