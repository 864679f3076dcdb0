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

int main(void)
{
    return RUN_ROWS(rows, decodes);
}
