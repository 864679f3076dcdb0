/* SPDX-License-Identifier: MIT */
/* Recorded streams in, one line for each change out, compared with the file beside the recording. */
#include "sensor/audit/facts_read.h"
#include "test.h"

#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/operation.h"
#include "sensor/audit/meaning.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/sbuf.h"

#define CALL_NAME(name, group) [AUDIT_CALL_##name] = #name,
static const char *const call_names[AUDIT_CALL_COUNT] = { [AUDIT_CALL_none] = "", AUDIT_CALLS(CALL_NAME) };

struct output {
    struct sbuf text;
    struct audit_scratch scratch;
    struct audit_facts facts;
};

static void add_file(struct sbuf *out, const char *what, const struct audit_path *p)
{
    if (p && (p->file.known & FILE_INODE))
        sbuf_addf(out, " %s=%llu", what, (unsigned long long)p->file.inode);
}

static void add_bytes(struct sbuf *out, const char *what, struct bytes b)
{
    if (!bytes_known(b))
        return;
    sbuf_addf(out, " %s=", what);
    escape_terminal(out, b);
}

static void add_state(struct sbuf *out, const char *what, const struct file_state *s)
{
    if (s->known & FILE_MODE)
        sbuf_addf(out, " %s.mode=%o", what, s->mode);
    if (s->known & FILE_UID)
        sbuf_addf(out, " %s.owner=%u:%u", what, s->uid, s->gid);
    if (s->known & FILE_SIZE)
        sbuf_addf(out, " %s.size=%llu", what, (unsigned long long)s->size);
}

static void describe(void *data, const struct audit_group *group)
{
    struct output *o = data;
    struct sbuf *out = &o->text;
    struct audit_change changes[AUDIT_CHANGES_MAX];
    unsigned count;

    assert_int_equal(audit_facts_read(group, &o->scratch, &o->facts), 0);
    assert_false(o->facts.damaged);
    count = audit_meaning(&o->facts, changes);
    for (unsigned i = 0; i < count; i++) {
        const struct audit_change *c = &changes[i];

        sbuf_addf(out, "%llu %s %s", (unsigned long long)o->facts.serial,
                  call_names[o->facts.call], operation_info(c->operation)->name);
        add_bytes(out, "name", c->name);
        add_file(out, "in", c->parent);
        add_file(out, "inode", c->object);
        add_bytes(out, "from", c->previous_name);
        add_file(out, "from-in", c->previous_parent);
        add_bytes(out, "target", c->target);
        add_state(out, "before", &c->before);
        add_state(out, "after", &c->after);
        if (c->fd >= 0)
            sbuf_addf(out, " fd=%d", c->fd);
        if (c->parents_unsure)
            sbuf_add_str(out, " unsure");
        if (c->error)
            sbuf_addf(out, " %s", errno_name(c->error));
        sbuf_add_char(out, '\n');
    }
}

static char *read_file(const char *dir, const char *name)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    char path[4096], piece[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "re");
    if (!f)
        fail_msg("%s: cannot be opened", path);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        sbuf_add(&s, piece, n);
    fclose(f);
    sbuf_add(&s, "", 0);
    return sbuf_steal(&s);
}

static void replay(struct output *o, const char *log)
{
    struct audit_grouper *g = audit_grouper_new(
        &(struct audit_grouper_options){ .group = describe, .data = o });

    assert_non_null(g);
    while (*log) {
        const char *end = strchr(log, '\n');
        size_t len = end ? (size_t)(end - log) : strlen(log);
        struct audit_record r;

        if (audit_record_parse_line((struct bytes){ log, len }, &r, NULL) == 0)
            audit_grouper_add(g, &r, r.time_ms);
        log += len + (end ? 1 : 0);
    }
    audit_grouper_expire(g, 0, 0);
    audit_grouper_free(g);
}

static const struct fixture_row {
    const char *name, *expected;
} fixture_rows[] = {
    { "kernel-6.18-x86_64.log", "kernel-6.18-x86_64.expected" },
};

static void reads_recording(void **state)
{
    const struct fixture_row *row = *state;
    _cleanup_free_ char *log = read_file(FIXTURES "/audit", row->name);
    _cleanup_free_ char *expected = read_file(FIXTURES "/audit", row->expected);
    struct output o = { .text = SBUF_INIT };

    replay(&o, log);
    if (strcmp(sbuf_str(&o.text), expected) != 0)
        fputs(sbuf_str(&o.text), stderr); /* cmocka cuts long texts */
    assert_string_equal(sbuf_str(&o.text), expected);
    sbuf_done(&o.text);
    audit_scratch_done(&o.scratch);
}

#define X64 "pid=9 comm=\"x\" arch=c000003e success=yes exit=0 "
#define X32 "pid=9 comm=\"x\" arch=40000003 success=yes exit=0 "
#define REFUSED "pid=9 comm=\"x\" arch=c000003e success=no exit=-13 "
#define P(item, name, inode, mode, type) \
    "\ntype=PATH msg=audit(1.0:1): item=" #item " name=" name " inode=" #inode " dev=08:01 mode=" mode \
    " ouid=5 ogid=6 rdev=00:00 nametype=" type
#define S "type=SYSCALL msg=audit(1.0:1): "
#define CWD "\ntype=CWD msg=audit(1.0:1): cwd=\"/w\""

static const struct row {
    const char *name, *log, *changes;
} rows[] = {
    { "truncate by open", S X64 "syscall=257 a0=0 a1=0 a2=201 a3=0" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 openat truncate name=f inode=7 after.size=0\n" },
    { "truncating a device changes nothing", S X64 "syscall=257 a0=0 a1=0 a2=201 a3=0" P(0, "\"null\"", 7, "020666", "NORMAL"), "" },
    { "opened for reading", S X64 "syscall=257 a0=0 a1=0 a2=0 a3=0" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 openat read name=f inode=7\n" },
    { "O_PATH is nothing", S X64 "syscall=257 a0=0 a1=0 a2=200000 a3=0" P(0, "\"f\"", 7, "0100644", "NORMAL"), "" },
    { "i386 unlink", S X32 "syscall=10 a0=0 a1=0 a2=0 a3=0" P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"f\"", 7, "0100644", "DELETE"),
      "1 unlink unlink name=f in=3 inode=7\n" },
    { "i386 chown: 16 bits, group unchanged", S X32 "syscall=182 a0=0 a1=a a2=ffff a3=0" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 chown chown name=f inode=7 before.owner=5:6 after.owner=10:6\n" },
    { "i386 truncate64: two halves", S X32 "syscall=193 a0=0 a1=5 a2=1 a3=0" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 truncate64 truncate name=f inode=7 after.size=4294967301\n" },
    { "x32 bit", S X64 "syscall=1073741911 a0=0 a1=0 a2=0 a3=0" P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"f\"", 7, "0100644", "DELETE"),
      "1 unlink unlink name=f in=3 inode=7\n" },
    { "setgid by a user: after is not known", S X64 "syscall=90 a0=0 a1=5ed a2=0 a3=0 fsuid=1000" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 chmod chmod name=f inode=7 before.mode=100644\n" },
    { "refused", S REFUSED "syscall=90 a0=0 a1=1ed a2=0 a3=0" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 chmod chmod name=f inode=7 before.mode=100644 after.mode=100755 EACCES\n" },
    { "a name that is not there is no attempt", S "pid=9 comm=\"x\" arch=c000003e success=no exit=-2 syscall=87 a0=0 a1=0 a2=0 a3=0" P(0, "\"/w\"", 3, "040755", "PARENT"), "" },
    { "rename, old parent first (Linux 5.10)", S X64 "syscall=82 a0=0 a1=0 a2=0 a3=0" CWD
      P(0, "\"a/\"", 3, "040755", "PARENT") P(1, "\"b/\"", 4, "040755", "PARENT") P(2, "\"a/x\"", 7, "0100644", "DELETE") P(3, "\"b/y\"", 7, "0100644", "CREATE"),
      "1 rename rename name=y in=4 inode=7 from=x from-in=3\n" },
    { "rename, new parent first (Linux 6.18)", S X64 "syscall=82 a0=0 a1=0 a2=0 a3=0" CWD
      P(0, "\"b/\"", 4, "040755", "PARENT") P(1, "\"a/\"", 3, "040755", "PARENT") P(2, "\"a/x\"", 7, "0100644", "DELETE") P(3, "\"b/y\"", 7, "0100644", "CREATE"),
      "1 rename rename name=y in=4 inode=7 from=x from-in=3\n" },
    { "mv to a directory descriptor", S X64 "syscall=316 a0=0 a1=0 a2=0 a3=0" CWD
      P(0, "\"/w\"", 4, "040755", "PARENT") P(1, "\"a/\"", 3, "040755", "PARENT") P(2, "\"a/x\"", 7, "0100644", "DELETE") P(3, "\"x\"", 7, "0100644", "CREATE"),
      "1 renameat2 rename name=x in=4 inode=7 from=x from-in=3\n" },
    { "rename between two descriptors: not told", S X64 "syscall=316 a0=0 a1=0 a2=0 a3=0" CWD
      P(0, "\"/w\"", 4, "040755", "PARENT") P(1, "\"/w\"", 3, "040755", "PARENT") P(2, "\"x\"", 7, "0100644", "DELETE") P(3, "\"y\"", 7, "0100644", "CREATE"),
      "1 renameat2 rename name=y in=4 inode=7 from=x from-in=3 unsure\n" },
    { "rename of one link onto another: nothing", S X64 "syscall=82 a0=0 a1=0 a2=0 a3=0"
      P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"/w\"", 3, "040755", "PARENT") P(2, "\"a\"", 7, "0100644", "DELETE") P(3, "\"b\"", 7, "0100644", "DELETE"),
      "" },
    { "rename that is refused for what stands at the new name", S REFUSED "syscall=82 a0=0 a1=0 a2=0 a3=0"
      P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"/w\"", 3, "040755", "PARENT") P(2, "\"a\"", 7, "0100644", "DELETE") P(3, "\"b\"", 8, "0100644", "DELETE"),
      "1 rename rename name=b in=3 inode=7 from=a from-in=3 EACCES\n" },
    { "mkdir with slash at the end", S X64 "syscall=83 a0=0 a1=0 a2=0 a3=0" P(0, "\"a/\"", 3, "040755", "PARENT") P(1, "\"a/d/\"", 7, "040755", "CREATE"),
      "1 mkdir mkdir name=d in=3 inode=7\n" },
    { "mknod of a regular file", S X64 "syscall=133 a0=0 a1=8180 a2=0 a3=0" P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"f\"", 7, "0100600", "CREATE"),
      "1 mknod create name=f in=3 inode=7\n" },
    { "mknodat of a pipe", S X64 "syscall=259 a0=ffffff9c a1=0 a2=1180 a3=0" P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"p\"", 7, "010600", "CREATE"),
      "1 mknodat mknod name=p in=3 inode=7\n" },
    { "mknod of a regular file, refused", S REFUSED "syscall=133 a0=0 a1=180 a2=0 a3=0" P(0, "\"/w\"", 3, "040755", "PARENT"),
      "1 mknod create in=3 EACCES\n" },
    { "bind of an address is no file", S X64 "syscall=49 a0=0 a1=0 a2=0 a3=0", "" },
    { "io_uring unlink", "type=URINGOP msg=audit(1.0:1): uring_op=36 success=yes exit=0 items=2 ppid=1 pid=9 uid=0" P(0, "\"/w\"", 3, "040755", "PARENT") P(1, "\"f\"", 7, "0100644", "DELETE"),
      "1  unlink name=f in=3 inode=7\n" },
    { "file_setattr of a descriptor", S X64 "syscall=469 a0=5 a1=7ffe a2=7fff a3=18 items=0", "1 file_setattr setflags fd=5\n" },
    { "file_setattr of a path", S X64 "syscall=469 a0=ffffff9c a1=7ffe a2=7fff a3=18 items=1" P(0, "\"f\"", 7, "0100644", "NORMAL"),
      "1 file_setattr setflags name=f inode=7\n" },
    { "another ioctl", S X64 "syscall=16 a0=5 a1=5401 a2=0 a3=0", "" },
    { "remount is no mount", S X64 "syscall=165 a0=0 a1=0 a2=0 a3=1021" P(0, "\"d\"", 7, "040755", "NORMAL"), "" },
    { "a call that changes no file", S X64 "syscall=0 a0=0 a1=0 a2=0 a3=0" P(0, "\"d\"", 7, "040755", "NORMAL"), "" },
    { "a record without its end, and all that it announced", S X64 "syscall=87 items=2" P(0, "\"/w\"", 3, "040755", "PARENT")
      "\ntype=PATH msg=audit(1.0:1): item=1 name=\"f\" inode=7 dev=08:01 mode=0100644", "1 unlink unlink name=f in=3 inode=7\n" },
    { "the same of three that it announced: which one it is is not known", S X64 "syscall=87 items=3" P(0, "\"/w\"", 3, "040755", "PARENT")
      "\ntype=PATH msg=audit(1.0:1): item=1 name=\"f\" inode=7 dev=08:01 mode=0100644", "1 unlink unlink in=3\n" },
    { "no system call record", "type=CWD msg=audit(1.0:1): cwd=\"/w\"" P(0, "\"d\"", 7, "040755", "DELETE"), "" },
};

static void reports_change(void **state)
{
    const struct row *row = *state;
    struct output o = { .text = SBUF_INIT };

    replay(&o, row->log);
    assert_string_equal(sbuf_str(&o.text), row->changes);
    sbuf_done(&o.text);
    audit_scratch_done(&o.scratch);
}

static const struct damage_row {
    const char *name, *log;
} damage_rows[] = {
    { "odd hex in a name", S X64 "syscall=87" P(0, "2F6", 3, "040755", "PARENT") },
    { "mode is not octal", S X64 "syscall=87" P(0, "\"x\"", 3, "9", "PARENT") },
    { "device without colon", S X64 "syscall=87\ntype=PATH msg=audit(1.0:1): item=0 dev=0801" },
    { "exit is not a number", S "arch=c000003e syscall=87 success=no exit=EPERM" },
};

static void note_damage(void *data, const struct audit_group *group)
{
    struct output *o = data;

    assert_int_equal(audit_facts_read(group, &o->scratch, &o->facts), 0);
    assert_true(o->facts.damaged);
    sbuf_add_char(&o->text, 'x');
}

static void marks_damage(void **state)
{
    const struct damage_row *row = *state;
    struct output o = { .text = SBUF_INIT };
    struct audit_grouper *g = audit_grouper_new(
        &(struct audit_grouper_options){ .group = note_damage, .data = &o });
    _cleanup_free_ char *log = strdup(row->log);
    char *save = NULL;

    for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        struct audit_record r;

        assert_int_equal(audit_record_parse_line(bytes_of(line), &r, NULL), 0);
        audit_grouper_add(g, &r, 0);
    }
    audit_grouper_expire(g, 0, 0);
    assert_string_equal(sbuf_str(&o.text), "x");
    audit_grouper_free(g);
    sbuf_done(&o.text);
    audit_scratch_done(&o.scratch);
}

static void joins_arguments(void **state)
{
    const struct audit_record records[] = {
        { .type = AUDIT_EXECVE, .body = bytes_of("argc=3 a0=\"sh\" a1=2D63 a2_len=6 a2[0]=6162") },
        { .type = AUDIT_EXECVE, .body = bytes_of("a2[1]=\"cd\"") },
        { .type = AUDIT_EXECVE, .body = bytes_of("a2[2]=6566 a3=\"\"") },
    };
    struct audit_group group = { .records = records, .count = ARRAY_SIZE(records) };
    struct audit_scratch scratch = { 0 };
    struct audit_facts facts;

    (void)state;
    assert_int_equal(audit_facts_read(&group, &scratch, &facts), 0);
    assert_int_equal(facts.argv.len, sizeof("sh\0-c\0abcdef\0"));
    assert_memory_equal(facts.argv.data, "sh\0-c\0abcdef\0", facts.argv.len);
    audit_scratch_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(joins_arguments) };

    return RUN_ROWS(fixture_rows, reads_recording) + RUN_ROWS(rows, reports_change) +
           RUN_ROWS(damage_rows, marks_damage) + cmocka_run_group_tests(tests, NULL, NULL);
}
