/* SPDX-License-Identifier: MIT */
/* Records of the kernel side of the process tracker: whole ones, cut ones, and what is no record. */
#include "test.h"

#include <errno.h>

#include "sensor/process/decode.h"

struct record {
    struct wire_process fixed;
    char tail[512];
};

static size_t add(struct record *r, size_t at, const char *text, size_t len)
{
    memcpy(r->tail + at, text, len);
    return at + len;
}

#define PART(r, at, field, text)                                                                   \
    ((r)->fixed.field = sizeof(text) - 1, add((r), (at), (text), sizeof(text) - 1))

static struct record make(void)
{
    struct record r = { .fixed = { .version = WIRE_PROCESS_VERSION,
                                   .kind = WIRE_PROCESS_EXEC,
                                   .start_ns = 77,
                                   .tgid = 4242,
                                   .parent = 41,
                                   .uid = 1,
                                   .euid = 2,
                                   .suid = 3,
                                   .fsuid = 4,
                                   .gid = 5,
                                   .egid = 6,
                                   .sgid = 7,
                                   .fsgid = 8,
                                   .login_uid = 9,
                                   .session = 10,
                                   .mnt_ns = 11,
                                   .exe_inode = 12,
                                   .exe_device = 8 << 20 | 1,
                                   .comm = "sh",
                                   .tty = "pts12" } };
    size_t at = PART(&r, 0, exe_len, "sh\0bin\0usr\0");

    at = PART(&r, at, cwd_len, "src\0home\0");
    at = PART(&r, at, cgroup_len, "docker-1.scope\0system.slice\0");
    at = PART(&r, at, args_len, "/bin/sh\0./run.sh\0");
    at = PART(&r, at, script_len, "./run.sh");
    at = PART(&r, at, input_len, "list\0tmp\0");
    r.fixed.len = (__u32)(sizeof(r.fixed) + at);
    return r;
}

static void whole(void **state)
{
    struct record r = make();
    struct process_record decoded;
    struct process *p;

    (void)state;
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), 0);
    p = process_from_record(&decoded);
    assert_int_equal(p->pid, 4242);
    assert_int_equal(p->start_ns, 77);
    assert_int_equal(p->parent_pid, 41);
    assert_bytes(p->executable, "/usr/bin/sh");
    assert_int_equal(p->executable_inode, 12);
    assert_int_equal(p->executable_device, 0x801);
    assert_false(p->executable_deleted);
    assert_bytes(p->working_directory, "/home/src");
    assert_bytes(p->cgroup, "/system.slice/docker-1.scope");
    assert_true(bytes_equal(p->args, (struct bytes){ "/bin/sh\0./run.sh", 17 }));
    assert_bytes(p->script, "/home/src/./run.sh");
    assert_bytes(p->input, "/tmp/list");
    assert_bytes(p->name, "sh");
    assert_bytes(p->tty, "pts/12");
    assert_true(p->cred.known);
    assert_int_equal(p->cred.uid, 1);
    assert_int_equal(p->cred.euid, 2);
    assert_int_equal(p->cred.fsuid, 4);
    assert_int_equal(p->cred.fsgid, 8);
    assert_int_equal(p->login_uid, 9);
    assert_int_equal(p->session, 10);
    process_unref(p);
}

/* Cut paths are not shown as whole ones; a memory file has a name only; no paths, no executable. */
static void flags(void **state)
{
    struct record r = make();
    struct process_record decoded;
    struct process *p;

    (void)state;
    r.fixed.flags = WIRE_PROCESS_EXE_CUT | WIRE_PROCESS_CWD_CUT | WIRE_PROCESS_ARGS_CUT |
                    WIRE_PROCESS_UNLINKED | WIRE_PROCESS_MEMORY;
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), 0);
    p = process_from_record(&decoded);
    assert_bytes(p->executable, ".../usr/bin/sh");
    assert_bytes(p->working_directory, ".../home/src");
    assert_true(p->args_truncated);
    assert_true(p->executable_deleted);
    assert_true(p->executable_memfd);
    process_unref(p);

    r = make();
    r.fixed.exe_len = r.fixed.cwd_len = r.fixed.cgroup_len = r.fixed.args_len = r.fixed.script_len = r.fixed.input_len = 0;
    r.fixed.len = sizeof(r.fixed);
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), 0);
    p = process_from_record(&decoded);
    assert_int_equal(p->executable.len, 0);
    assert_bytes(p->working_directory, "/"); /* no names: the root */
    assert_bytes(p->cgroup, "/");
    process_unref(p);
}

static void no_record(void **state)
{
    struct record r = make();
    struct process_record decoded = { 0 };

    (void)state;
    for (size_t len = 0; len < r.fixed.len; len++)
        assert_int_equal(process_decode(&r, len, &decoded, NULL), -EBADMSG);
    r.fixed.version++;
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), -EBADMSG);
    r = make();
    r.fixed.args_len = 0xffff;
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), -EBADMSG);
    r = make();
    r.fixed.len = sizeof(r.fixed) - 1;
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), -EBADMSG);
    /* strings without an end are bounded by their length */
    r = make();
    memset(r.fixed.comm, 'x', sizeof(r.fixed.comm));
    r.tail[r.fixed.exe_len - 1] = 'x';
    assert_int_equal(process_decode(&r, sizeof(r), &decoded, NULL), 0);
    process_unref(process_from_record(&decoded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(flags),
        cmocka_unit_test(no_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
