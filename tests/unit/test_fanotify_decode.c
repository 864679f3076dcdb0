/* SPDX-License-Identifier: MIT */
/* fanotify's event buffer: whole events, every kind of record, lengths that lie. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/fanotify/decode.h"

#define META(len, mask, pid) len "\0\0\0" "\x03" "\0" "\x18\0" mask "\xff\xff\xff\xff" pid
#define CREATE "\0\x01\0\0\0\0\0\0"
#define PID7 "\x07\0\0\0"
#define FSID "\x01\x02\x03\x04\x05\x06\x07\x08"
/* a directory's handle of 8 bytes and the name "ab": 4 + 8 + 8 + 8 + 3, padded to 32 */
#define NAMED(type) type "\0" "\x20\0" FSID "\x08\0\0\0" "\x01\0\0\0" "HHHHHHHH" "ab\0\0"
#define PIDFD(fd) "\x04\0" "\x08\0" fd

static const struct row {
    const char *name;
    struct bytes in;
    int r;
    pid_t pid;
    const char *at, *from, *to;
    int pidfd;
    bool gone;
} rows[] = {
    { "an event without records", BYTES(META("\x18", CREATE, PID7)), 0, 7, NULL, NULL, NULL, -1, false },
    { "a name", BYTES(META("\x38", CREATE, PID7) NAMED("\x02")), 0, 7, "ab", NULL, NULL, -1, false },
    { "both names of a rename", BYTES(META("\x58", CREATE, PID7) NAMED("\x0a") NAMED("\x0c")), 0, 7, NULL, "ab", "ab", -1, false },
    { "only the new name", BYTES(META("\x38", CREATE, PID7) NAMED("\x0c")), 0, 7, NULL, NULL, "ab", -1, false },
    { "a process that lives", BYTES(META("\x40", CREATE, PID7) NAMED("\x02") PIDFD("\x05\0\0\0")), 0, 7, "ab", NULL, NULL, 5, false },
    { "a process that has exited", BYTES(META("\x40", CREATE, PID7) NAMED("\x02") PIDFD("\xff\xff\xff\xff")), 0, 7, "ab", NULL, NULL, -1, true },
    { "no pidfd to be had is not an exit", BYTES(META("\x20", CREATE, PID7) PIDFD("\xfe\xff\xff\xff")), 0, 7, NULL, NULL, NULL, -1, false },
    { "a record of a kind to come", BYTES(META("\x38", CREATE, PID7) NAMED("\x63")), 0, 7, NULL, NULL, NULL, -1, false },
    { "a longer head is passed over", BYTES("\x20\0\0\0" "\x03" "\0" "\x20\0" CREATE "\xff\xff\xff\xff" PID7 "newnews!"), 0, 7, NULL, NULL, NULL, -1, false },
    { "nothing", BYTES(""), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "half a head", BYTES("\x18\0\0\0\x03\0\x18\0"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "another version", BYTES("\x18\0\0\0" "\x04" "\0" "\x18\0" CREATE "\xff\xff\xff\xff" PID7), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "longer than the buffer", BYTES(META("\x38", CREATE, PID7)), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "shorter than its head", BYTES(META("\x10", CREATE, PID7)), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "a record of no length", BYTES(META("\x1c", CREATE, PID7) "\x02\0\0\0"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "a record past the end", BYTES(META("\x20", CREATE, PID7) "\x02\0\x20\0" "abcd"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "a handle past the end", BYTES(META("\x38", CREATE, PID7) "\x02\0" "\x20\0" FSID "\xff\0\0\0" "\x01\0\0\0" "HHHHHHHH" "ab\0\0"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "a handle of four billion bytes", BYTES(META("\x38", CREATE, PID7) "\x02\0" "\x20\0" FSID "\xff\xff\xff\xff" "\x01\0\0\0" "HHHHHHHH" "ab\0\0"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "a name without an end", BYTES(META("\x38", CREATE, PID7) "\x02\0" "\x20\0" FSID "\x08\0\0\0" "\x01\0\0\0" "HHHHHHHH" "abcd"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
    { "a pidfd cut short", BYTES(META("\x1e", CREATE, PID7) "\x04\0\x06\0\0\0"), -EBADMSG, 0, NULL, NULL, NULL, 0, false },
};

static void check_name(struct bytes found, const char *wanted)
{
    if (wanted)
        assert_bytes(found, wanted);
    else
        assert_null(found.data);
}

static void decodes(void **state)
{
    const struct row *row = *state;
    struct fanotify_event e;
    char *copy = malloc(row->in.len ? row->in.len : 1); /* of exactly that size: the sanitizer sees a step too far */

    assert_non_null(copy);
    memcpy(copy, row->in.data, row->in.len);
    assert_int_equal(fanotify_decode((struct bytes){ copy, row->in.len }, &e, NULL), row->r);
    if (row->r == 0) {
        assert_int_equal(e.len, row->in.len);
        assert_int_equal(e.pid, row->pid);
        assert_int_equal(e.mask, 0x100);
        assert_int_equal(e.pidfd, row->pidfd);
        assert_int_equal(e.gone, row->gone);
        check_name(e.at.name, row->at);
        check_name(e.from.name, row->from);
        check_name(e.to.name, row->to);
        if (row->at) {
            assert_bytes(e.at.directory.data, "HHHHHHHH");
            assert_int_equal(e.at.directory.type, 1);
            assert_true(e.at.directory.fsid == 0x0807060504030201ull);
        }
    }
    free(copy);
}

int main(void)
{
    return RUN_ROWS(rows, decodes);
}
