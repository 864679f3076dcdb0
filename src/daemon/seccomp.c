/* SPDX-License-Identifier: MIT */
/*
 * A list of what is refused, not of what is allowed: what the C library, SQLite, libcurl and libbpf call differs by their
 * versions and by the kernel, and a call that is refused by mistake would be an event lost. None of these is made by
 * any of them once culprit observes; tests/scenario/privileges.sh and the kernel's log hold that.
 */
#include "daemon/seccomp.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "event/event.h"
#include "util/macro.h"
#include "util/seccomp.h"

struct refused {
    const char *name;
    struct seccomp_row row;
    unsigned needed_by; /* sensors that make this call while they observe */
};

#define CALL(name) { #name, { .call = SYS_##name }, 0 }
#define CALL_BUT(name, sensors) { #name, { .call = SYS_##name }, sensors }
#define BPF(command) { "bpf(" #command ")", { .call = SYS_bpf, .of_first = true, .first = command }, 0 }

static const struct refused table[] = {
    /* running programs: run's COMMAND is started before, without the filter */
    CALL(execve),
    CALL(execveat),
    /* looking into other processes, and changing them: all that we know of them is read from /proc */
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(kcmp),
#ifdef SYS_pidfd_getfd
    CALL(pidfd_getfd),
#endif
#ifdef SYS_process_madvise
    CALL(process_madvise),
#endif
    /* the tables of mounts: a container's is entered by setns(), and not changed */
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(unshare),
#ifdef SYS_open_tree
    CALL_BUT(open_tree, SENSOR_BPF), /* a detached clone keeps a watched inode */
    CALL(move_mount),
    CALL(fsopen),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fspick),
#endif
#ifdef SYS_mount_setattr
    CALL(mount_setattr),
#endif
    CALL(swapon),
    CALL(swapoff),
    CALL(quotactl),
    /* code in the kernel: what is needed of it was loaded before, and is attached as watches ask */
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
#ifdef SYS_kexec_load
    CALL(kexec_load),
#endif
#ifdef SYS_kexec_file_load
    CALL(kexec_file_load),
#endif
    CALL(perf_event_open),
    BPF(BPF_MAP_CREATE),
    BPF(BPF_PROG_LOAD),
    BPF(BPF_BTF_LOAD),
    /* keys: nobody here has any */
    CALL(add_key),
    CALL(request_key),
    CALL(keyctl),
    /* ways around: files by number, calls that no filter sees, faults handled here */
    CALL_BUT(open_by_handle_at, SENSOR_FANOTIFY),
#ifdef SYS_io_uring_setup
    CALL(io_uring_setup),
    CALL(io_uring_enter),
    CALL(io_uring_register),
#endif
    CALL(userfaultfd),
    /* the machine: its clock, names, devices, log */
    CALL(reboot),
    CALL(sethostname),
    CALL(setdomainname),
    CALL(settimeofday),
    CALL(clock_settime),
    CALL(adjtimex),
    CALL(clock_adjtime),
    CALL(acct),
    CALL(syslog),
    CALL(mknodat),
#ifdef SYS_mknod
    CALL(mknod),
#endif
#ifdef SYS_iopl
    CALL(iopl),
#endif
#ifdef SYS_ioperm
    CALL(ioperm),
#endif
};

bool seccomp_built_in(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

bool seccomp_works(void)
{
    const uint32_t action = SECCOMP_RET_ERRNO;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int seccomp_confine(const struct choice *choice)
{
    struct seccomp_row rows[ARRAY_SIZE(table)];
    unsigned used = 0;
    size_t count = 0;

    if (!seccomp_built_in())
        return 0;
    for (size_t i = 0; i < choice->count; i++)
        used |= choice->sensors[i]->bit;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (!(table[i].needed_by & used))
            rows[count++] = table[i].row;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return seccomp_give_up(SECCOMP_NOT_THESE, rows, count, true);
}
