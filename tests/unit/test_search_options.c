/* SPDX-License-Identifier: MIT */
/* Values of `search`'s options that are none: each is refused in words that name it, whatever the stack holds from before. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "search/options.h"

#define NUMBERS(option) \
    { option " no number", option, "x7" }, { option " digits and more", option, "7x" }, \
    { option " beyond all numbers", option, "99999999999999999999" }, { option " nothing", option, "" }

static const struct row {
    const char *name, *option, *value;
} rows[] = {
    NUMBERS("-a"), NUMBERS("-p"), NUMBERS("-pp"), NUMBERS("--eoe-timeout"), NUMBERS("--inode"), NUMBERS("--session"), NUMBERS("-e"),
    { "-p beyond its range", "-p", "4294967296" },
    { "-ui digits and more", "-ui", "7x" },
    { "-ui beyond its range", "-ui", "4294967296" },
    { "-ui nobody's name", "-ui", "no such user" },
    { "-ul digits and more", "-ul", "7x" },
    { "-gi digits and more", "-gi", "7x" },
    { "-gi beyond its range", "-gi", "4294967296" },
    { "-ge nobody's name", "-ge", "no such group" },
    { "-m no type", "-m", "NOTHING" },
    { "-m beyond its range", "-m", "2147483648" },
    { "-m digits and more", "-m", "13x" },
    { "-sv neither", "-sv", "perhaps" },
    { "-sc no call", "-sc", "nothing" },
    { "--arch none", "--arch", "b65" },
    { "--escape none", "--escape", "html" },
    { "--format none", "--format", "xml" },
    { "-ts none", "-ts", "someday" },
    { "-te none", "-te", "25:61:00" },
};

static __attribute__((noinline)) void leave_on_stack(int byte)
{
    char left[64 * 1024];

    memset(left, byte, sizeof(left));
    __asm__ volatile("" : : "r"(left) : "memory"); /* it is written */
}

static int parse(int byte, const struct row *row, struct search_options *o, struct err *err)
{
    char *argv[] = { (char *)"search", (char *)(uintptr_t)row->option, (char *)(uintptr_t)row->value };

    memset(o, byte, sizeof(*o));
    leave_on_stack(byte);
    return search_options_parse(3, argv, 1795480000, 1000, o, err);
}

static void is_refused(void **state)
{
    const struct row *row = *state;
    struct search_options zeros, ones;
    struct err err = ERR_INIT, again = ERR_INIT;

    assert_int_equal(parse(0, row, &zeros, &err), -EINVAL);
    assert_int_equal(parse(0xff, row, &ones, &again), -EINVAL);
    assert_true(strstr(err.text, row->option) || (row->value[0] && strstr(err.text, row->value)));
    assert_string_equal(err.text, again.text);
    assert_int_equal(zeros.query.pid, ones.query.pid);
    assert_int_equal(zeros.query.exit, ones.query.exit);
    assert_int_equal(zeros.query.inode_count, ones.query.inode_count);
    assert_int_equal(zeros.query.type_count, ones.query.type_count);
}

int main(void)
{
    return RUN_ROWS(rows, is_refused);
}
