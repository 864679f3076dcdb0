/* SPDX-License-Identifier: MIT */
/*
 * Who is born, executes, dies, emitted at that moment by raw tracepoints: these load also where a kernel
 * refuses programs on its functions. Nothing is filtered: every process may be the culprit, or its
 * launcher.
 */
#include "bpf/process.h"

/* Written here, read by user space; the size is set before the load. When full: counted in losses. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 22);
} notifications SEC(".maps");

/* Records that found no room, a counter per CPU. Written here, read by user space. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u64);
} losses SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 6);
    __type(key, u32);
    __type(value, struct process_scratch);
} scratches SEC(".maps");

/* Bytes of `notifications`: set by user space. */
const volatile __u64 notifications_size = 1 << 22;

static __always_inline struct process_scratch *begin(u32 kind, struct task_struct *t)
{
    struct process_scratch *s = bpf_map_lookup_elem(&scratches, &kind);

    if (s)
        process_begin(s, kind, t);
    return s;
}

/* A wake-up costs more than the record: the reader looks by itself whenever it has an actor to name. */
static __always_inline int emit(struct process_scratch *s)
{
    u64 len = sizeof(s->p) + s->tail_len;
    u32 zero = 0;
    u64 *lost;

    if (len > sizeof(s->p) + PROCESS_TAIL_SIZE)
        return 0;
    s->p.len = len;
    if (bpf_ringbuf_output(&notifications, s, len,
                           bpf_ringbuf_query(&notifications, BPF_RB_AVAIL_DATA) > notifications_size / 4
                               ? BPF_RB_FORCE_WAKEUP
                               : BPF_RB_NO_WAKEUP) == 0)
        return 0;
    lost = bpf_map_lookup_elem(&losses, &zero);
    if (lost)
        (*lost)++;
    return 0;
}

SEC("raw_tp/sched_process_fork")
int on_fork(u64 *ctx)
{
    struct task_struct *child = (void *)ctx[1];
    struct process_scratch *s;

    if (BPF_CORE_READ(child, tgid) != BPF_CORE_READ(child, pid))
        return 0; /* a thread */
    s = begin(WIRE_PROCESS_FORK, child);
    if (!s)
        return 0;
    process_put_cgroup(s, process_cgroup(child)); /* clone3 may put it elsewhere */
    return emit(s);
}

SEC("raw_tp/sched_process_exec")
int on_exec(u64 *ctx)
{
    struct task_struct *t = (void *)ctx[0];
    struct linux_binprm *bprm = (void *)ctx[2];
    struct process_scratch *s = begin(WIRE_PROCESS_EXEC, t);
    const char *name;

    if (!s)
        return 0;
    process_put_rest(s, t);
    name = BPF_CORE_READ(bprm, filename);
    if (name != BPF_CORE_READ(bprm, interp))
        process_put_script(s, name);
    process_put_input(s, t);
    return emit(s);
}

SEC("raw_tp/sched_process_exit")
int on_exit(u64 *ctx)
{
    struct task_struct *t = (void *)ctx[0];
    struct process_scratch *s;

    if (BPF_CORE_READ(t, signal, live.counter) != 0)
        return 0; /* others of its threads go on */
    s = begin(WIRE_PROCESS_EXIT, t);
    return s ? emit(s) : 0;
}

SEC("raw_tp/task_rename")
int on_rename(u64 *ctx)
{
    struct task_struct *t = (void *)ctx[0];
    struct process_scratch *s;

    if (BPF_CORE_READ(t, tgid) != BPF_CORE_READ(t, pid))
        return 0; /* a thread's name */
    /* execve() sets the name first, and is emitted itself */
    if (bpf_core_field_exists(t->in_execve) && BPF_CORE_READ_BITFIELD_PROBED(t, in_execve))
        return 0;
    s = begin(WIRE_PROCESS_COMM, t);
    if (!s)
        return 0;
    bpf_probe_read_kernel_str(s->p.comm, sizeof(s->p.comm), (void *)ctx[1]);
    return emit(s);
}

/* (destination, path, task, whole thread group) */
SEC("raw_tp/cgroup_attach_task")
int on_attach(u64 *ctx)
{
    struct task_struct *t = (void *)ctx[2];
    struct process_scratch *s;

    if (BPF_CORE_READ(t, tgid) != BPF_CORE_READ(t, pid))
        return 0;
    s = begin(WIRE_PROCESS_CGROUP, t);
    if (!s)
        return 0;
    process_put_cgroup(s, process_cgroup(t));
    return emit(s);
}

char _license[] SEC("license") = "GPL";
