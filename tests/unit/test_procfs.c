/* SPDX-License-Identifier: MIT */
/* /proc as the kernel writes it, as a process can make it look, and as it is when the process goes. */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "attribution/procfs.h"
#include "fake_proc.h"
#include "util/limits.h"
#include "util/proc_stat.h"

/* ---- stat ---- */

#define REST " 1 1 0 -1 4194560 1 1 0 0 1 1 0 0 20 0 1 0 "

static const struct stat_row {
    const char *name, *text;
    int r;
    int parent;
    uint64_t start;
} stats[] = {
    { "plain", "7 (cat) S 3" REST "4711 99 9", 0, 3, 4711 },
    { "start is the last word", "7 (cat) S 3" REST "4711", 0, 3, 4711 },
    { "a blank in the name", "7 (a b) S 3" REST "4711 9", 0, 3, 4711 },
    { "a name that looks like the rest", "7 (x) S 1 1 1) S 3" REST "4711 9", 0, 3, 4711 },
    { "a name of brackets", "7 ()))) S 3" REST "4711 9", 0, 3, 4711 },
    { "a newline in the name", "7 (a\nb) S 3" REST "4711 9", 0, 3, 4711 },
    { "no name", "7 () S 3" REST "4711 9", 0, 3, 4711 },
    { "parent 0", "7 (kthreadd) S 0" REST "2 9", 0, 0, 2 },
    { "cut before the start", "7 (cat) S 3 1 1 0 -1 4194560 1 1 0 0 1 1 0 0 20 0 1 0", -EBADMSG, 0, 0 },
    { "cut behind the name", "7 (cat)", -EBADMSG, 0, 0 },
    { "no bracket", "7 cat S 3" REST "4711 9", -EBADMSG, 0, 0 },
    { "parent no number", "7 (cat) S x" REST "4711 9", -EBADMSG, 0, 0 },
    { "parent negative", "7 (cat) S -3" REST "4711 9", -EBADMSG, 0, 0 },
    { "parent no pid", "7 (cat) S 4294967299" REST "4711 9", -EBADMSG, 0, 0 },
    { "start too large", "7 (cat) S 3" REST "99999999999999999999 9", -EBADMSG, 0, 0 },
    { "start negative", "7 (cat) S 3" REST "-5 9", -EBADMSG, 0, 0 },
    { "nothing", "", -EBADMSG, 0, 0 },
};

static void parses_stat(void **state)
{
    const struct stat_row *row = *state;
    pid_t parent = 77;
    uint64_t start = 77;

    assert_int_equal(proc_stat_parse(bytes_of(row->text), &parent, &start), row->r);
    assert_int_equal(parent, row->r ? 77 : row->parent);
    assert_int_equal(start, row->r ? 77 : row->start);
}

/* ---- cgroup ---- */

static const struct cgroup_row {
    const char *name, *text, *path; /* NULL: none */
} cgroups[] = {
    { "version 2", "0::/system.slice/cron.service\n", "/system.slice/cron.service" },
    { "version 2, no newline", "0::/a", "/a" },
    { "version 2, the root", "0::/\n", "/" },
    { "version 1", "12:pids:/docker/x\n4:memory:/docker/x\n1:name=systemd:/docker/x\n", "/docker/x" },
    { "version 1, not all controllers", "3:cpu,cpuacct:/\n2:pids:/system.slice/a.service\n1:name=systemd:/\n",
      "/system.slice/a.service" },
    { "hybrid, container in version 1", "2:pids:/docker/x\n0::/\n", "/docker/x" },
    { "hybrid, version 2 tells more", "2:pids:/a\n0::/a/b.service\n", "/a/b.service" },
    { "hybrid, version 2 first", "0::/\n2:pids:/docker/x\n", "/docker/x" },
    { "colons in the path", "0::/a:b:c\n", "/a:b:c" },
    { "no colon", "nonsense\n", NULL },
    { "one colon", "0:/a\n", NULL },
    { "empty path", "0::\n", "" },
    { "empty lines", "\n\n0::/a\n\n", "/a" },
    { "nothing", "", NULL },
    { "another hierarchy that begins with 0", "01:x:/ab\n0::/a\n", "/ab" },
};

static void parses_cgroup(void **state)
{
    const struct cgroup_row *row = *state;

    assert_bytes(procfs_parse_cgroup(bytes_of(row->text)), row->path ? row->path : "");
}

/* ---- a whole process ---- */

static void reads_process(void **state)
{
    struct process *p = NULL;

    (void)state;
    fake_start(&(struct fake_process){ 100, 1, 1000, "a) S 9 (b", fake_proc, "0::/x.service\n", "prog\0-v\0\0", 9,
                                       "1000\t1001\t1002\t1003" });
    fake_write(100, "loginuid", "1000", 4);
    fake_write(100, "sessionid", "4294967295", 10);
    fake_link(100, "ns/mnt", "mnt:[4026531841]");
    fake_link(100, "cwd", "/srv");
    assert_int_equal(procfs_read(fake_proc, 100, &p, NULL), 0);
    assert_int_equal(p->pid, 100);
    assert_int_equal(p->parent_pid, 1);
    assert_int_equal(p->start_ns, 10 * NS_PER_S);
    assert_int_equal(proc_stat_start_ns(fake_proc, 100), 10 * NS_PER_S);
    assert_bytes(p->name, "a) S 9 (b");
    assert_bytes(p->executable, fake_proc);
    assert_false(p->executable_deleted);
    assert_bytes(p->cgroup, "/x.service");
    assert_bytes(p->working_directory, "/srv");
    assert_int_equal(p->args.len, 9);
    assert_memory_equal(p->args.data, "prog\0-v\0\0", 9);
    assert_false(p->args_truncated);
    assert_true(p->cred.known);
    assert_int_equal(p->cred.uid, 1000);
    assert_int_equal(p->cred.euid, 1001);
    assert_int_equal(p->cred.suid, 1002);
    assert_int_equal(p->cred.fsuid, 1003);
    assert_int_equal(p->login_uid, 1000);
    assert_int_equal(p->session, SESSION_UNKNOWN);
    assert_int_equal(p->mnt_ns, 4026531841u);
    assert_null(p->parent);
    process_unref(p);
    fake_end(100);
}

/* What cannot be read is not known; nobody becomes root by it. */
static void knows_little_of_little(void **state)
{
    struct process *p = NULL;

    (void)state;
    fake_start(&(struct fake_process){ 101, 1, 1000, NULL, NULL, NULL, NULL, 0, NULL });
    fake_write(101, "status", "Name:\tx\n", 8);
    fake_write(101, "loginuid", "nonsense", 8);
    assert_int_equal(procfs_read(fake_proc, 101, &p, NULL), 0);
    assert_false(p->cred.known);
    assert_false(bytes_known(p->executable));
    assert_false(bytes_known(p->cgroup));
    assert_false(bytes_known(p->args));
    assert_int_equal(p->login_uid, UID_UNKNOWN);
    assert_int_equal(p->session, SESSION_UNKNOWN);
    assert_int_equal(p->mnt_ns, 0);
    process_unref(p);
    fake_write(101, "status", "Uid:\t1000\t10", 12); /* cut */
    assert_int_equal(procfs_read(fake_proc, 101, &p, NULL), 0);
    assert_false(p->cred.known);
    process_unref(p);
    fake_write(101, "status", "Uid:\t1000\t10\nGid:\t1\t1\t1\t1\n", 27);
    assert_int_equal(procfs_read(fake_proc, 101, &p, NULL), 0);
    assert_false(p->cred.known);
    process_unref(p);
    fake_end(101);
}

static void says_when_it_is_gone(void **state)
{
    struct process *p = (void *)1;

    (void)state;
    assert_int_equal(procfs_read(fake_proc, 102, &p, NULL), -ESRCH);
    assert_int_equal(proc_stat_start_ns(fake_proc, 102), 0);
    assert_int_equal(procfs_tgid(fake_proc, 102), 0);
    fake_start(&(struct fake_process){ 102, 1, 1000, NULL, NULL, NULL, NULL, 0, NULL });
    fake_write(102, "stat", "", 0); /* what a read gives after the last reference went */
    assert_int_equal(procfs_read(fake_proc, 102, &p, NULL), -ESRCH);
    assert_int_equal(proc_stat_start_ns(fake_proc, 102), 0);
    fake_write(102, "stat", "102 (x", 6);
    assert_int_equal(procfs_read(fake_proc, 102, &p, NULL), -ESRCH);
    assert_ptr_equal(p, (void *)1);
    fake_end(102);
}

static void cuts_long_arguments_and_says_so(void **state)
{
    char *args = malloc(LIMIT_ARGS + 1);
    struct process *p = NULL;

    (void)state;
    assert_non_null(args);
    memset(args, 'a', LIMIT_ARGS + 1);
    for (size_t more = 0; more < 2; more++) {
        fake_start(&(struct fake_process){ 103, 1, 1000, NULL, NULL, NULL, args, LIMIT_ARGS + more, NULL });
        assert_int_equal(procfs_read(fake_proc, 103, &p, NULL), 0);
        assert_int_equal(p->args.len, LIMIT_ARGS);
        assert_int_equal(p->args_truncated, more);
        process_unref(p);
    }
    free(args);
    fake_end(103);
}

/* argv says what it likes: a script counts only if the file is there and begins with #!. */
static void finds_the_script(void **state)
{
    static const struct {
        const char *args;
        size_t len;
        const char *script;
    } cases[] = {
        { "/bin/sh\0/job.sh\0", 16, "/job.sh" },
        { "/bin/sh\0-e\0/job.sh\0", 19, "/job.sh" },
        { "sh\0job.sh\0", 10, "/job.sh" },
        { "sh\0sub/../job.sh\0", 17, "/sub/../job.sh" },
        { "/bin/sh\0/data\0", 14, NULL },
        { "/bin/sh\0/none\0", 14, NULL },
        { "/bin/sh\0-c\0/job.sh", 18, NULL }, /* `sh -c /job.sh` runs it, but as its own process */
        { "/job.sh\0", 8, NULL },
        { "/bin/sh\0", 8, NULL },
        { "/bin/sh", 7, NULL },
        { "cp\0/job.sh\0", 11, NULL }, /* an argument of what is no interpreter */
        { "bash\0-o\0posix\0/job.sh\0", 22, "/job.sh" },
    };
    char path[256];
    struct process *p = NULL;
    FILE *f;

    (void)state;
    fake_start(&(struct fake_process){ 104, 1, 1000, NULL, NULL, NULL, NULL, 0, NULL });
    snprintf(path, sizeof(path), "%s/104/world", fake_proc);
    assert_int_equal(mkdir(path, 0755), 0);
    fake_link(104, "root", path);
    fake_link(104, "cwd", "/");
    snprintf(path, sizeof(path), "%s/104/world/sub", fake_proc);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/104/world/job.sh", fake_proc);
    assert_non_null(f = fopen(path, "we"));
    fputs("#!/bin/sh\n", f);
    fclose(f);
    snprintf(path, sizeof(path), "%s/104/world/data", fake_proc);
    assert_non_null(f = fopen(path, "we"));
    fputs("text\n", f);
    fclose(f);
    snprintf(path, sizeof(path), "%s/104/world", fake_proc);
    fake_link(104, "cwd", path);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fake_write(104, "cmdline", cases[i].args, cases[i].len);
        assert_int_equal(procfs_read(fake_proc, 104, &p, NULL), 0);
        if (cases[i].script && cases[i].args[3] == 'j') /* relative: below the working directory */
            snprintf(path, sizeof(path), "%s/104/world%s", fake_proc, cases[i].script);
        else if (cases[i].script && cases[i].args[3] == 's')
            snprintf(path, sizeof(path), "%s/104/world%s", fake_proc, cases[i].script);
        else
            snprintf(path, sizeof(path), "%s", cases[i].script ? cases[i].script : "");
        if (p->script.len != strlen(path))
            fail_msg("row %zu: \"%.*s\"", i, (int)p->script.len, p->script.data);
        assert_bytes(p->script, path);
        process_unref(p);
    }
    fake_end(104);
}

static int count_pid(void *data, pid_t pid)
{
    unsigned *sum = data;

    *sum += (unsigned)pid;
    return pid == 107 ? 42 : 0;
}

static void walks_pids_only(void **state)
{
    unsigned sum = 0;
    char path[256];

    (void)state;
    fake_start(&(struct fake_process){ 105, 1, 1000, NULL, NULL, NULL, NULL, 0, NULL });
    fake_start(&(struct fake_process){ 106, 1, 1000, NULL, NULL, NULL, NULL, 0, NULL });
    snprintf(path, sizeof(path), "%s/1x", fake_proc);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(procfs_each(fake_proc, count_pid, &sum), 0);
    assert_int_equal(sum, 211);
    fake_start(&(struct fake_process){ 107, 1, 1000, NULL, NULL, NULL, NULL, 0, NULL });
    assert_int_equal(procfs_each(fake_proc, count_pid, &sum), 42);
    assert_int_equal(procfs_each("/nonexistent", count_pid, &sum), -ENOENT);
    (void)rmdir(path);
    fake_end(105);
    fake_end(106);
    fake_end(107);
}

/* The real thing: ourselves. */
static void reads_this_process(void **state)
{
    struct process *p = NULL;
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    (void)state;
    assert_true(n > 0);
    exe[n] = '\0';
    assert_int_equal(procfs_read("/proc", getpid(), &p, NULL), 0);
    assert_int_equal(p->parent_pid, getppid());
    assert_bytes(p->executable, exe);
    assert_int_equal(p->cred.euid, geteuid());
    assert_int_equal(p->cred.gid, getgid());
    assert_true(p->start_ns > 0 && p->mnt_ns > 0 && p->args.len > 0);
    assert_int_equal(proc_stat_start_ns("/proc", getpid()), p->start_ns);
    assert_int_equal(procfs_tgid("/proc", gettid()), getpid());
    process_unref(p);
}

/* A pid with a start: who has another start is another, who waits to be waited for has ended, who is stopped has not. */
static void finds_who_is_gone(void **state)
{
    uint64_t ours = proc_stat_start_ticks("/proc", getpid()), its;
    siginfo_t info;
    pid_t child;

    (void)state;
    assert_false(proc_stat_is_gone(getpid(), ours));
    assert_false(proc_stat_is_gone(getpid(), 0));
    assert_true(proc_stat_is_gone(getpid(), ours + 1));
    assert_true(proc_stat_is_gone(0, 1));
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        for (;;)
            pause();
    its = proc_stat_start_ticks("/proc", child);
    assert_false(proc_stat_is_gone(child, its));
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WSTOPPED), 0);
    assert_false(proc_stat_is_gone(child, its));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_stat_start_ticks("/proc", child), its);
    assert_true(proc_stat_is_gone(child, its));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(proc_stat_is_gone(child, its));
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(reads_process),
        cmocka_unit_test(knows_little_of_little),
        cmocka_unit_test(says_when_it_is_gone),
        cmocka_unit_test(cuts_long_arguments_and_says_so),
        cmocka_unit_test(finds_the_script),
        cmocka_unit_test(walks_pids_only),
        cmocka_unit_test(reads_this_process),
        cmocka_unit_test(finds_who_is_gone),
    };
    int failed;

    if (!mkdtemp(fake_proc))
        return 99;
    failed = RUN_ROWS(stats, parses_stat) + RUN_ROWS(cgroups, parses_cgroup) +
             cmocka_run_group_tests(more, NULL, NULL);
    fake_remove(fake_proc);
    return failed;
}
