/* SPDX-License-Identifier: MIT */
/* What the tests of logs as events share: records of system calls, and a log of them. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/sbuf.h"

/* A call of x86-64: T is "SECONDS.MILLI:SERIAL". Of so many names, or two. */
#define CALL(t, nr, ...) CALL_OF("2", t, nr, __VA_ARGS__)
#define CALL_OF(items, t, nr, success, exit, a0, a1, ppid, pid, comm, exe) \
    "type=SYSCALL msg=audit(" t "): arch=c000003e syscall=" nr " success=" success " exit=" exit " a0=" a0 " a1=" a1 \
    " a2=0 a3=0 items=" items " ppid=" ppid " pid=" pid " auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 " \
    "tty=pts0 ses=3 comm=" comm " exe=" exe " key=\"k\"\n"

#define CWD(t, cwd) "type=CWD msg=audit(" t "): cwd=\"" cwd "\"\n"
#define NAMED(t, item, name, inode, mode, type) \
    "type=PATH msg=audit(" t "): item=" item " name=" name " inode=" inode " dev=fe:00 mode=" mode \
    " ouid=0 ogid=0 rdev=00:00 nametype=" type " cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n"
#define DIRECTORY "040755"
#define FILE_ "0100644"
#define END(t) "type=PROCTITLE msg=audit(" t "): proctitle=\"x\"\n"
#define RM_ONE(t, ppid, pid, cwd, parent, name, inode) \
    CALL(t, "87", "yes", "0", "1", "2", ppid, pid, "\"rm\"", "\"/usr/bin/rm\"") CWD(t, cwd) \
    NAMED(t, "0", "\"" cwd "\"", parent, DIRECTORY, "PARENT") NAMED(t, "1", "\"" name "\"", inode, FILE_, "DELETE") END(t)

static inline void write_log(char *path, const char *text)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}
