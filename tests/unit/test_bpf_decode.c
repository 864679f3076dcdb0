/* SPDX-License-Identifier: MIT */
/* Records of the BPF programs: what holds together is read, everything else is refused. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "sensor/bpf/decode.h"
#include "wire/operation.h"

static size_t make_change(char *buffer, const char *path, size_t path_len, const char *text)
{
    struct wire_change c = {
        .header = { .time_ns = 7, .version = WIRE_CHANGE_VERSION, .type = WIRE_CHANGE },
        .operation = OPERATION_UNLINK,
        .hit_count = 1,
        .path_len = (__u32)path_len,
        .text_len = (__u32)strlen(text) + 1,
    };

    c.header.len = (__u32)(sizeof(c) + path_len + strlen(text) + 1);
    memcpy(buffer, &c, sizeof(c));
    memcpy(buffer + sizeof(c), path, path_len);
    memcpy(buffer + sizeof(c) + path_len, text, strlen(text) + 1);
    return c.header.len;
}

static void reads_a_change(void **state)
{
    _Alignas(8) char buffer[1024];
    size_t len = make_change(buffer, "f\0d\0", 4, "user.k");
    struct bpf_record r;

    (void)state;
    assert_int_equal(bpf_decode(buffer, len, &r, NULL), 0);
    assert_int_equal(r.type, WIRE_CHANGE);
    assert_int_equal(r.path.len, 4);
    assert_int_equal(bpf_names_count(r.path), 2);
    assert_true(bytes_equal_str(r.text, "user.k"));
    /* a longer tail than is known is no mistake */
    assert_int_equal(bpf_decode(buffer, sizeof(buffer), &r, NULL), 0);
}

struct row {
    const char *name;
    size_t offset; /* of a 32-bit number to be replaced */
    __u32 value;
};

static const struct row rows[] = {
    { "another version", offsetof(struct wire_header, version), 0x00010063 },
    { "longer than what is there", offsetof(struct wire_header, len), 100000 },
    { "shorter than a header", offsetof(struct wire_header, len), 4 },
    { "shorter than a change", offsetof(struct wire_header, len), 64 },
    { "a path past the end", offsetof(struct wire_change, path_len), 5000 },
    { "a path of almost 4 GiB", offsetof(struct wire_change, path_len), 0xfffffff0 },
    { "a second path past the end", offsetof(struct wire_change, other_len), 0xffffffff },
    { "a text past the end", offsetof(struct wire_change, text_len), 4000 },
    { "names without an end", offsetof(struct wire_change, path_len), 3 },
    { "too many hits", offsetof(struct wire_change, hit_count), WIRE_HITS_MAX + 1 },
    { "no operation", offsetof(struct wire_change, operation), OPERATION_NONE },
    { "an operation of tomorrow", offsetof(struct wire_change, operation), OPERATION_COUNT },
    { "an error that is none", offsetof(struct wire_change, error), 5000 },
};

static void refuses(void **state)
{
    const struct row *row = *state;
    _Alignas(8) char buffer[1024] = { 0 };
    size_t len = make_change(buffer, "f\0d\0", 4, "user.k");
    struct bpf_record r;
    struct err err = ERR_INIT;

    memcpy(buffer + row->offset, &row->value, sizeof(row->value));
    assert_int_equal(bpf_decode(buffer, len, &r, &err), -EBADMSG);
    assert_true(err.text[0]);
}

static void refuses_every_cut(void **state)
{
    _Alignas(8) char buffer[1024];
    size_t len = make_change(buffer, "f\0d\0", 4, "user.k");
    struct bpf_record r;

    (void)state;
    for (size_t n = 0; n < len; n++)
        assert_int_equal(bpf_decode(buffer, n, &r, NULL), -EBADMSG);
}

static void turns_names_round(void **state)
{
    struct bytes names = { "f\0sub\0d\0", 8 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    assert_true(bpf_names_path(names, 2, bytes_of("/w"), &out));
    assert_string_equal(sbuf_str(&out), "/w/sub/f");
    assert_true(bpf_names_path(names, 3, bytes_of("/"), &out));
    assert_string_equal(sbuf_str(&out), "/d/sub/f");
    assert_true(bpf_names_path(names, 0, bytes_of("/w"), &out));
    assert_string_equal(sbuf_str(&out), "/w");
    assert_true(bpf_names_path(names, 0, bytes_of("/"), &out));
    assert_string_equal(sbuf_str(&out), "/");
    assert_false(bpf_names_path(names, 4, bytes_of("/w"), &out));
}

int main(void)
{
    struct CMUnitTest tests[3 + sizeof(rows) / sizeof(rows[0])] = {
        cmocka_unit_test(reads_a_change),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(turns_names_round),
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        tests[3 + i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = refuses, .initial_state = (void *)&rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
