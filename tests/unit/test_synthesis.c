/* SPDX-License-Identifier: MIT */
/* An event of our own as audit records: to the letter, since scripts read it. */
#include "test.h"

#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "make.h"
#include "search/synthesis.h"

static struct event *make(enum operation operation, const char *path, uint64_t time_ns)
{
    struct process *p = make_process(2, "/bin/x", make_process(1, "/sbin/init", NULL));
    struct event *e = make_event(operation, path, p, NULL, time_ns);

    process_set(p, &p->working_directory, bytes_of("/srv"));
    process_set(p, &p->name, bytes_of("x"));
    e->syscall = 90;
    e->syscall_arch = 0xc000003e;
    e->sequence = 77;
    process_unref(p);
    return e;
}

static void assert_records(const struct event *e, const char *const *expected)
{
    struct search_synthesis s = { .text = SBUF_INIT };
    unsigned count = 0;

    assert_int_equal(search_synthesis_make(&s, e, false), 0);
    while (expected[count])
        count++;
    assert_int_equal(s.event.count, count);
    for (unsigned i = 0; i < count; i++)
        assert_bytes(s.event.records[i].text, expected[i]);
    assert_int_equal(s.event.records[0].type, AUDIT_SYSCALL);
    assert_int_equal(s.event.records[1].type, AUDIT_CWD);
    assert_int_equal(s.event.records[2].type, AUDIT_PATH);
    search_synthesis_done(&s);
}

static void of_attributes(void **state)
{
    struct event *e = make(OPERATION_CHMOD, "/a b/f", 1700000000023456789ull);

    (void)state;
    e->file = (struct file_state){ .known = FILE_INODE | FILE_DEVICE | FILE_MODE | FILE_UID | FILE_GID, .inode = UINT64_MAX,
                                   .device = makedev(8, 0x1a), .mode = 0100644, .uid = 0, .gid = 5 };
    e->after = (struct file_state){ .known = FILE_MODE, .mode = 0100755 };
    e->actor.cred = (struct credentials){ .known = true, .uid = 1000, .gid = 100, .euid = 0, .suid = 1, .fsuid = 2, .egid = 3,
                                                 .sgid = 4, .fsgid = 5 };
    e->actor.login_uid = 1000;
    e->actor.session = 3;
    event_set(e, &e->key, bytes_of("k"));
    assert_records(e, (const char *const[]){
        "type=SYSCALL msg=audit(1700000000.023:77): arch=c000003e syscall=90 success=yes exit=0 a0=0 a1=1ed a2=0 a3=0 items=1 ppid=1 pid=2 "
        "auid=1000 uid=1000 gid=100 euid=0 suid=1 fsuid=2 egid=3 sgid=4 fsgid=5 tty=(none) ses=3 comm=\"x\" exe=\"/bin/x\" key=\"k\"",
        "type=CWD msg=audit(1700000000.023:77): cwd=\"/srv\"",
        "type=PATH msg=audit(1700000000.023:77): item=0 name=2F6120622F66 inode=18446744073709551615 dev=08:1a mode=0100644 ouid=0 ogid=5 "
        "nametype=NORMAL",
        NULL });
    event_free(e);
}

static void of_a_failure(void **state)
{
    struct event *e = make(OPERATION_UNLINK, "/d/f", 999000000ull);

    (void)state;
    e->error = 13;
    assert_records(e, (const char *const[]){
        "type=SYSCALL msg=audit(0.999:77): arch=c000003e syscall=90 success=no exit=-13 a0=0 a1=0 a2=0 a3=0 items=2 ppid=1 pid=2 "
        "auid=4294967295 uid=4294967295 gid=4294967295 euid=4294967295 suid=4294967295 fsuid=4294967295 egid=4294967295 sgid=4294967295 "
        "fsgid=4294967295 tty=(none) ses=4294967295 comm=\"x\" exe=\"/bin/x\" key=(null)",
        "type=CWD msg=audit(0.999:77): cwd=\"/srv\"",
        "type=PATH msg=audit(0.999:77): item=0 name=\"/d\" nametype=PARENT",
        "type=PATH msg=audit(0.999:77): item=1 name=\"/d/f\" nametype=DELETE",
        NULL });
    event_free(e);
}

/* What is kept of the event before changes nothing: each is written as by one that has seen none. */
static void one_after_the_other(void **state)
{
    struct search_synthesis used = { .text = SBUF_INIT };
    struct event *events[12];

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct event *e = events[i] = make(OPERATION_UNLINK, "/d/f", i * 1000000ull);
        struct process *p = e->actor.process;

        if (i == 1 || i == 7) { /* the process of the one before */
            e->actor.process = process_ref(events[i - 1]->actor.process);
            process_unref(p);
        }
        if (i == 2)
            process_set(p, &p->args, (struct bytes){ "rm\0-f", 5 });
        if (i == 3)
            process_set(p, &p->args, (struct bytes){ "rm\0-g", 5 });
        e->actor.parent_pid = i == 4 ? 9 : 0;
        e->actor.pid = i == 5 ? 8 : 2;
        e->actor.cred = (struct credentials){ .known = i == 6 || i == 7, .uid = i };
        e->actor.login_uid = i == 8 ? 1000 : UID_UNKNOWN;
        e->actor.session = i == 8 ? 5 : SESSION_UNKNOWN;
        if (i >= 9) { /* not attributed: all that is known of him is in the event, with one length */
            process_unref(TAKE_PTR(e->actor.process));
            event_set(e, &e->actor.executable, bytes_of(i == 9 ? "/bin/a" : "/bin/b"));
            event_set(e, &e->actor.name, bytes_of(i < 11 ? "n" : "m"));
            event_set(e, &e->actor.tty, bytes_of("pts/1"));
        }
    }
    for (unsigned i = 0; i < 12; i++) {
        struct search_synthesis alone = { .text = SBUF_INIT };

        assert_int_equal(search_synthesis_make(&used, events[i], false), 0);
        assert_int_equal(search_synthesis_make(&alone, events[i], false), 0);
        assert_int_equal(used.event.count, alone.event.count);
        assert_bytes(sbuf_bytes(&used.text), sbuf_str(&alone.text));
        search_synthesis_done(&alone);
    }
    for (unsigned i = 0; i < 12; i++)
        event_free(events[i]); /* what is kept of the last one does not need it */
    search_synthesis_done(&used);
}

/* A name is quoted if it has nothing but what the kernel quotes, wherever in it the other byte is. */
static void quoted_or_not(void **state)
{
    struct search_synthesis s = { .text = SBUF_INIT };

    (void)state;
    for (unsigned c = 1; c < 256; c++)
        for (unsigned at = 0; at < 18; at++) {
            char name[] = "/d/~~!!aaaaaaaa~~~", expected[80] = " name=";
            bool hex = c == '"' || c < 0x21 || c > 0x7e;
            struct event *e;

            if (c == '/' || at < 3)
                continue;
            name[at] = (char)c;
            e = make(OPERATION_CHMOD, name, 0);
            assert_int_equal(search_synthesis_make(&s, e, false), 0);
            for (unsigned i = 0; hex && name[i]; i++)
                snprintf(expected + 6 + 2 * i, 3, "%02X", (unsigned char)name[i]);
            if (!hex)
                snprintf(expected, sizeof(expected), " name=\"%s\"", name);
            assert_non_null(memmem(s.event.records[2].text.data, s.event.records[2].text.len, expected, strlen(expected)));
            event_free(e);
        }
    search_synthesis_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_attributes),
        cmocka_unit_test(of_a_failure),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(quoted_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
