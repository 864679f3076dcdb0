/* SPDX-License-Identifier: MIT */
/* Which mounts lie below a watched path, by a mountinfo. */
#include "test.h"

#include "sensor/bpf/below.h"

#define LINE(point) "36 35 98:0 /root " point " rw,noatime master:1 - ext3 /dev/root rw\n"

static const struct row {
    const char *name, *mountinfo, *path;
    int count;
    const char *first;
} rows[] = {
    { "below", LINE("/w/m"), "/w", 1, "/w/m" },
    { "deep below", LINE("/") LINE("/w/a/b"), "/w", 1, "/w/a/b" },
    { "the path itself is not below it", LINE("/w"), "/w", 0, "" },
    { "a neighbour that begins alike", LINE("/w2/m"), "/w", 0, "" },
    { "everything is below the root", LINE("/") LINE("/proc"), "/", 1, "/proc" },
    { "a blank and a newline", LINE("/w/a\\040b\\012c"), "/w", 1, "/w/a b\nc" },
    { "a backslash that is none of theirs", LINE("/w/a\\9"), "/w", 1, "/w/a\\9" },
    { "a torn line", "36 35 98:0 /root /w/m", "/w", 1, "/w/m" },
    { "a line with too few words", "36 35\n\n", "/w", 0, "" },
};

static void parses(void **state)
{
    const struct row *row = *state;
    struct sbuf out = SBUF_INIT;

    assert_int_equal(bpf_mounts_parse(bytes_of(row->mountinfo), bytes_of(row->path), &out), row->count);
    if (row->count)
        assert_string_equal(sbuf_bytes(&out).data, row->first);
    else
        assert_int_equal(out.len, 0);
    sbuf_done(&out);
}

int main(void)
{
    return RUN_ROWS(rows, parses);
}
