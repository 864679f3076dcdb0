/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <libaudit.h>

#include "sensor/audit/record.h"

static const struct line_row {
    const char *name, *line;
    int r;
    unsigned type;
    uint64_t time_ms, serial;
    const char *body, *node, *enriched;
} line_rows[] = {
    { "path", "type=PATH msg=audit(1700000000.123:456): item=0 name=\"a\"", 0, AUDIT_PATH, 1700000000123, 456, "item=0 name=\"a\"", NULL, NULL },
    { "newline at the end", "type=CWD msg=audit(1700000000.123:456): cwd=\"/\"\n", 0, AUDIT_CWD, 1700000000123, 456, "cwd=\"/\"", NULL, NULL },
    { "node first", "node=host.example type=CWD msg=audit(1.002:3): cwd=\"/\"", 0, AUDIT_CWD, 1002, 3, "cwd=\"/\"", "host.example", NULL },
    { "enriched", "type=SYSCALL msg=audit(1.002:3): arch=c000003e\x1d" "ARCH=x86_64", 0, AUDIT_SYSCALL, 1002, 3, "arch=c000003e", NULL, "ARCH=x86_64" },
    { "EOE has no body", "type=EOE msg=audit(1700000000.123:456): ", 0, AUDIT_EOE, 1700000000123, 456, "", NULL, NULL },
    { "type by number", "type=UNKNOWN[1336] msg=audit(1.002:3): uring_op=36", 0, 1336, 1002, 3, "uring_op=36", NULL, NULL },
    { "type unknown", "type=BOGUS_NEW msg=audit(1.002:3): x=1", 0, 0, 1002, 3, "x=1", NULL, NULL },
    { "short fraction", "type=CWD msg=audit(1.5:3): cwd=\"/\"", 0, AUDIT_CWD, 1500, 3, "cwd=\"/\"", NULL, NULL },
    { "empty", "", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "no type", "msg=audit(1.002:3): x=1", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "no stamp", "type=CWD cwd=\"/\"", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "cut stamp", "type=CWD msg=audit(1.002:3", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "cut before the serial", "type=CWD msg=audit(1.002:", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "serial too large", "type=CWD msg=audit(1.002:99999999999999999999): x=1", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "seconds too large", "type=CWD msg=audit(18446744073709551615.002:9): x=1", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "interpreted time is not raw", "type=CWD msg=audit(11/24/2026 02:26:01.123:456) : x=1", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
    { "type alone", "type=", -EBADMSG, 0, 0, 0, NULL, NULL, NULL },
};

static void parses_line(void **state)
{
    const struct line_row *row = *state;
    struct audit_record r = { 0 };

    assert_int_equal(audit_record_parse_line(bytes_of(row->line), &r, NULL), row->r);
    if (row->r < 0)
        return;
    assert_int_equal(r.type, row->type);
    assert_int_equal(r.time_ms, row->time_ms);
    assert_int_equal(r.serial, row->serial);
    assert_bytes(r.body, row->body);
    assert_bytes(r.node, row->node ? row->node : "");
    assert_bytes(r.enriched, row->enriched ? row->enriched : "");
}

static const struct field_row {
    const char *name; /* of the row, and the field that is looked for unless `field` says another */
    unsigned type;
    const char *body;
    const char *field;
    bool found;
    enum audit_encoding encoding;
    int r;
    const char *text; /* NULL: BYTES_NULL */
} field_rows[] = {
    { "quoted", AUDIT_PATH, "item=0 name=\"/a b\" inode=7", "name", true, AUDIT_ENCODING_QUOTED, 0, "/a b" },
    { "hex path", AUDIT_PATH, "item=0 name=2F610A inode=7", "name", true, AUDIT_ENCODING_HEX, 0, "/a\n" },
    { "lower-case hex", AUDIT_PATH, "name=2f61", "name", true, AUDIT_ENCODING_HEX, 0, "/a" },
    { "odd hex", AUDIT_PATH, "item=0 name=2F6", "name", true, AUDIT_ENCODING_HEX, -EBADMSG, NULL },
    { "foreign digits", AUDIT_PATH, "item=0 name=2F6G", "name", true, AUDIT_ENCODING_HEX, -EBADMSG, NULL },
    { "null name", AUDIT_PATH, "item=0 name=(null) inode=7", "name", true, AUDIT_ENCODING_NULL, 0, NULL },
    { "file called (null)", AUDIT_PATH, "name=\"(null)\" inode=7", "name", true, AUDIT_ENCODING_QUOTED, 0, "(null)" },
    { "no terminal", AUDIT_SYSCALL, "tty=(none) ses=1", "tty", true, AUDIT_ENCODING_NULL, 0, NULL },
    { "terminal", AUDIT_SYSCALL, "tty=pts0 ses=1", "tty", true, AUDIT_ENCODING_PLAIN, 0, "pts0" },
    { "a number that looks like hex stays one", AUDIT_PATH, "inode=1234 dev=08:01", "inode", true, AUDIT_ENCODING_PLAIN, 0, "1234" },
    { "a0 of SYSCALL is a number", AUDIT_SYSCALL, "a0=7f00 a1=1", "a0", true, AUDIT_ENCODING_PLAIN, 0, "7f00" },
    { "a0 of EXECVE is a string", AUDIT_EXECVE, "argc=2 a0=726D a1=\"x\"", "a0", true, AUDIT_ENCODING_HEX, 0, "rm" },
    { "a length in EXECVE is a number", AUDIT_EXECVE, "a1_len=20 a1[0]=2F61", "a1_len", true, AUDIT_ENCODING_PLAIN, 0, "20" },
    { "a piece in EXECVE is a string", AUDIT_EXECVE, "a1_len=20 a1[0]=2F61", "a1[0]", true, AUDIT_ENCODING_HEX, 0, "/a" },
    { "several keys", AUDIT_SYSCALL, "exe=\"/x\" key=610162", "key", true, AUDIT_ENCODING_HEX, 0, "a\1b" },
    { "proctitle", AUDIT_PROCTITLE, "proctitle=726D002D7266", "proctitle", true, AUDIT_ENCODING_HEX, 0, "rm\0-rf" },
    { "user message", 1100, "pid=1 uid=0 msg='op=PAM:x acct=\"root\" res=success'", "msg", true, AUDIT_ENCODING_QUOTED, 0, "op=PAM:x acct=\"root\" res=success" },
    { "unknown field stays visible", AUDIT_PATH, "name=\"a\" novel=17", "novel", true, AUDIT_ENCODING_PLAIN, 0, "17" },
    { "empty value", AUDIT_SYSCALL, "key= ses=4", "key", true, AUDIT_ENCODING_PLAIN, 0, "" },
    { "behind an empty value", AUDIT_SYSCALL, "key= ses=4", "ses", true, AUDIT_ENCODING_PLAIN, 0, "4" },
    { "behind words", AUDIT_AVC, "avc:  denied  { read write } for  pid=7 comm=\"x\"", "pid", true, AUDIT_ENCODING_PLAIN, 0, "7" },
    { "cut in quotes", AUDIT_PATH, "item=0 name=\"/abc", "name", true, AUDIT_ENCODING_PLAIN, 0, "\"/abc" },
    { "braces", AUDIT_SOCKADDR, "SADDR={ fam=local path=/x } z=1", "SADDR", true, AUDIT_ENCODING_PLAIN, 0, "{ fam=local path=/x }" },
    { "absent", AUDIT_PATH, "item=0 name=\"x\"", "nam", false, AUDIT_ENCODING_PLAIN, 0, NULL },
    { "name inside a quoted value", AUDIT_PATH, "name=\"inode=5\" inode=6", "inode", true, AUDIT_ENCODING_PLAIN, 0, "6" },
};

static void finds_field(void **state)
{
    const struct field_row *row = *state;
    struct audit_record r = { .type = row->type, .body = bytes_of(row->body) };
    struct audit_field f;
    struct bytes text = BYTES_NULL;
    char buffer[64];

    assert_int_equal(audit_record_find(&r, row->field, &f), row->found);
    if (!row->found)
        return;
    assert_int_equal(f.encoding, row->encoding);
    assert_int_equal(audit_field_text(&f, buffer, sizeof(buffer), &text), row->r);
    if (row->r < 0)
        return;
    assert_true((row->text != NULL) == bytes_known(text));
    /* NUL inside: compare the part before it, and the length by the hex digits */
    if (row->text)
        assert_memory_equal(text.data, row->text, MIN(text.len, strlen(row->text)));
    if (f.encoding == AUDIT_ENCODING_HEX)
        assert_int_equal(text.len, f.value.len / 2);
    else if (row->text)
        assert_int_equal(text.len, strlen(row->text));
}

static void refuses_small_buffer(void **state)
{
    struct audit_field f = { bytes_of("name"), bytes_of("2F616263"), AUDIT_ENCODING_HEX };
    struct bytes text;
    char buffer[3];

    (void)state;
    assert_int_equal(audit_field_text(&f, buffer, sizeof(buffer), &text), -ENOBUFS);
}

/* Every byte of a body is in some field: nothing that the kernel says disappears. */
static void counts_all_fields(void **state)
{
    struct bytes rest = bytes_of("avc:  denied  { read } for  pid=7 comm=\"a b\" =x y= z");
    struct audit_field f;
    unsigned words = 0, fields = 0;

    (void)state;
    while (audit_field_next(AUDIT_AVC, &rest, &f))
        f.encoding == AUDIT_ENCODING_WORD ? words++ : fields++;
    assert_int_equal(words, 8);
    assert_int_equal(fields, 3);
}

static const struct number_row {
    const char *name;
    unsigned base;
    bool ok;
    uint64_t value;
} number_rows[] = {
    { "0", 10, true, 0 },
    { "4294967295", 10, true, 4294967295 },
    { "-1", 10, true, UINT64_MAX },
    { "unset", 10, true, UINT64_MAX },
    { "ffffffffffffff9c", 16, true, 0xffffffffffffff9cull },
    { "040755", 8, true, 040755 },
    { "8", 8, false, 0 },
    { "1a", 10, false, 0 },
    { "", 10, false, 0 },
    { "-13", 10, false, 0 },
    { "18446744073709551616", 10, false, 0 },
};

static void reads_number(void **state)
{
    const struct number_row *row = *state;
    struct audit_field f = { bytes_of("n"), bytes_of(row->name), AUDIT_ENCODING_PLAIN };
    uint64_t v = 0;

    assert_int_equal(audit_field_number(&f, row->base, &v), row->ok);
    if (row->ok)
        assert_int_equal(v, row->value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_small_buffer),
        cmocka_unit_test(counts_all_fields),
    };

    return RUN_ROWS(line_rows, parses_line) + RUN_ROWS(field_rows, finds_field) +
           RUN_ROWS(number_rows, reads_number) + cmocka_run_group_tests(tests, NULL, NULL);
}
