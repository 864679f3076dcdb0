/* SPDX-License-Identifier: MIT */
/* The upper layer's file handle that an overlay's own holds (Linux 6.18, fs/overlayfs/overlayfs.h), and what is none. */
#include "sensor/fanotify/layer.h"
#include "test.h"

#include <string.h>

#define UUID "UUUUUUUUUUUUUUUU"
#define REAL "\x01\0\0\0\x02\0\0\0"
#define HEAD(len, flags) "\0\0\0" "\0\xfb" len flags "\x01" UUID

static const struct row {
    const char *name;
    struct bytes in;
    int32_t type;
    bool good;
} rows[] = {
    { "a file of the upper layer", BYTES(HEAD("\x1d", "\x04") REAL), 0xf8, true },
    { "of a lower layer", BYTES(HEAD("\x1d", "\x00") REAL), 0xf8, false },
    { "an ext4 handle", BYTES(REAL), 1, false },
    { "of another type", BYTES(HEAD("\x1d", "\x04") REAL), 0xfb, false },
    { "of another version", BYTES("\0\0\0" "\x01\xfb\x1d\x04\x01" UUID REAL), 0xf8, false },
    { "without the magic number", BYTES("\0\0\0" "\0\xfa\x1d\x04\x01" UUID REAL), 0xf8, false },
    { "longer than what there is", BYTES(HEAD("\x1e", "\x04") REAL), 0xf8, false },
    { "shorter than its head", BYTES(HEAD("\x14", "\x04") REAL), 0xf8, false },
    { "a head alone", BYTES(HEAD("\x15", "\x04")), 0xf8, false },
    { "nothing", { "", 0 }, 0xf8, false },
};

static void decodes(void **state)
{
    const struct row *row = *state;
    struct fanotify_handle in = { .type = row->type, .data = row->in }, out = { 0 };

    assert_int_equal(fanotify_layer_decode(&in, &out), row->good);
    if (!row->good)
        return;
    assert_int_equal(out.type, 1);
    assert_int_equal(out.data.len, 8);
    assert_memory_equal(out.data.data, REAL, 8);
}

/* ---- an event of the layer in the overlay's terms ---- */

#define LAYER 5
#define OVERLAY 9

static const struct fanotify_layer_key key = { .layer_fsid = LAYER, .fsid = OVERLAY, .head = HEAD("\0", "\x04") };

static struct fanotify_handle of_layer(uint64_t fsid, const char *bytes, size_t len)
{
    return (struct fanotify_handle){ .fsid = fsid, .type = 0x81, .data = { bytes, len } };
}

static void is_overlays(const struct fanotify_handle *handle, const char *bytes, size_t len)
{
    struct fanotify_handle inside;

    assert_int_equal(handle->fsid, OVERLAY);
    assert_int_equal(handle->type, 0xf8);
    assert_true(fanotify_layer_decode(handle, &inside));
    assert_int_equal(inside.type, 0x81);
    assert_int_equal(inside.data.len, len);
    assert_memory_equal(inside.data.data, bytes, len);
}

static void translates_a_name(void **state)
{
    const struct fanotify_event in = { .mask = 0x40000100, .pid = 77, .pidfd = -1, .gone = true,
                                       .at = { of_layer(LAYER, "directory.", 10), bytes_of("a name") }, .object = of_layer(LAYER, REAL, 8) };
    struct fanotify_event out;
    char bytes[512];
    size_t len = fanotify_layer_translate(&key, &in, bytes, sizeof(bytes));

    (void)state;
    assert_true(len > 0);
    assert_int_equal(fanotify_decode((struct bytes){ bytes, len }, &out, NULL), 0);
    assert_int_equal(out.len, len);
    assert_int_equal(out.mask, in.mask);
    assert_int_equal(out.pid, 77);
    assert_int_equal(out.pidfd, -1);
    assert_true(out.gone && out.from_layer);
    is_overlays(&out.at.directory, "directory.", 10);
    assert_true(bytes_equal_str(out.at.name, "a name"));
    is_overlays(&out.object, REAL, 8);
    for (size_t size = 0; size < len - 8; size++) /* what does not fit is not written; a process that is gone is the last record */
        assert_int_equal(fanotify_layer_translate(&key, &in, bytes, size), 0);
}

static void translates_a_rename(void **state)
{
    struct fanotify_event in = { .mask = FANOTIFY_RENAME, .pid = 77, .pidfd = -1,
                                 .from = { of_layer(LAYER, "ffffffff", 8), bytes_of("old") }, .to = { of_layer(LAYER, "tttttttt", 8), bytes_of("new") } };
    struct fanotify_event out;
    char bytes[512];
    size_t len = fanotify_layer_translate(&key, &in, bytes, sizeof(bytes));

    (void)state;
    assert_int_equal(fanotify_decode((struct bytes){ bytes, len }, &out, NULL), 0);
    assert_false(out.gone);
    is_overlays(&out.from.directory, "ffffffff", 8);
    is_overlays(&out.to.directory, "tttttttt", 8);
    assert_true(bytes_equal_str(out.from.name, "old") && bytes_equal_str(out.to.name, "new"));
    assert_null(out.object.data.data);
    in.to.directory.fsid = LAYER + 1; /* of another file system, and none at all */
    assert_int_equal(fanotify_layer_translate(&key, &in, bytes, sizeof(bytes)), 0);
    assert_int_equal(fanotify_layer_translate(&key, &(struct fanotify_event){ .mask = 1 }, bytes, sizeof(bytes)), 0);
}

int main(void)
{
    const struct CMUnitTest translations[] = { cmocka_unit_test(translates_a_name), cmocka_unit_test(translates_a_rename) };

    return RUN_ROWS(rows, decodes) + cmocka_run_group_tests(translations, NULL, NULL);
}
