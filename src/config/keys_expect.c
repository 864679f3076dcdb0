/* SPDX-License-Identifier: MIT */
#include "config/keys_expect.h"

#include <errno.h>

#include "alert/expect.h"
#include "event/operation.h"
#include "util/sbuf.h"
#include "util/suggest.h"

int check_expected(struct bytes value, struct err *err)
{
    struct suggestion suggestion = { .typed = value };
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;

    for (unsigned i = EXPECTED_NONE + 1; i < EXPECTED_COUNT; i++) {
        const struct expected_row *row = expected_row((enum expected)i);

        if (row->always)
            continue;
        if (bytes_equal_str(value, row->name))
            return 0;
        sbuf_addf(&all, "%s%s", all.len ? ", " : "", row->name);
        suggest_offer(&suggestion, bytes_of(row->name));
    }
    if (suggestion.best.data)
        return err_say(err, -EINVAL, "no row \"%.*s\"; did you mean %s? (%s)", BYTES_SHOWN(value), suggestion.best.data, sbuf_str(&all));
    return err_say(err, -EINVAL, "no row \"%.*s\" (%s)", BYTES_SHOWN(value), sbuf_str(&all));
}

int check_redact(struct bytes value, struct err *err)
{
    static const char *const words[] = { "users", "arguments", "homes" };

    if (BYTES_AMONG(value, words))
        return 0;
    return err_say(err, -EINVAL, "nothing to redact is called \"%.*s\" (users, arguments, homes)", BYTES_SHOWN(value));
}

int check_pattern(struct bytes value, struct err *err)
{
    if (!value.len)
        return err_say(err, -EINVAL, "an empty pattern, which nothing would match");
    return value.len <= EXPECT_PATTERN_MAX ? 0 : err_say(err, -EINVAL, "longer than %d bytes", EXPECT_PATTERN_MAX);
}

int check_hours(struct bytes value, struct err *err)
{
    unsigned from, to;

    if (expect_parse_hours(value, &from, &to) == 0)
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is no span of hours: 02:00-04:30", BYTES_SHOWN(value));
}

int check_operations(struct bytes value, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    uint64_t operations;
    struct bytes unknown;

    if (operation_list_parse(value, &operations, &unknown) == 0)
        return 0;
    operation_list_refuse(unknown, &text);
    return err_say(err, -EINVAL, "%s", sbuf_str(&text));
}
