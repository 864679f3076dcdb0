/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "util/escape.h"

static const struct row {
    const char *name;
    struct bytes in;
    const char *terminal, *json, *shell;
} rows[] = {
    { "plain", BYTES("/prd/a"), "/prd/a", "\"/prd/a\"", "/prd/a" },
    { "empty", BYTES(""), "", "\"\"", "''" },
    { "newline", BYTES("a\nb"), "a\\nb", "\"a\\nb\"", "$'a\\x0ab'" },
    { "escape sequence", BYTES("\x1b[2J"), "\\x1b[2J", "\"\\u001b[2J\"", "$'\\x1b[2J'" },
    { "NUL", BYTES("a\0b"), "a\\x00b", "\"a\\u0000b\"", "$'a\\x00b'" },
    { "quote", BYTES("it's \"x\""), "it's \"x\"", "\"it's \\\"x\\\"\"", "'it'\\''s \"x\"'" },
    { "backslash", BYTES("a\\nb"), "a\\\\nb", "\"a\\\\nb\"", "'a\\nb'" },
    { "umlaut", BYTES("ä"), "ä", "\"ä\"", "'ä'" },
    { "invalid byte", BYTES("a\xff"), "a\\xff", "\"a\xef\xbf\xbd\"", "$'a\\xff'" },
    { "truncated sequence", BYTES("\xe2\x82"), "\\xe2\\x82", "\"\xef\xbf\xbd\"", "$'\\xe2\\x82'" },
    { "overlong", BYTES("\xc0\xaf"), "\\xc0\\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "$'\\xc0\\xaf'" },
    { "surrogate", BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80",
      "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "$'\\xed\\xa0\\x80'" },
    { "bidi override", BYTES("a\xe2\x80\xae"), "a\\u{202e}", "\"a\\u202e\"", "$'a\\xe2\\x80\\xae'" },
    { "C1 control", BYTES("\xc2\x9b"), "\\u{9b}", "\"\\u009b\"", "$'\\xc2\\x9b'" },
    { "tag character", BYTES("\xf3\xa0\x81\x81"), "\\u{e0041}", "\"\\udb40\\udc41\"",
      "$'\\xf3\\xa0\\x81\\x81'" },
    { "format", BYTES("%s%n"), "%s%n", "\"%s%n\"", "%s%n" },
};

static void escapes(void **state)
{
    const struct row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    escape_terminal(&out, row->in);
    assert_string_equal(sbuf_str(&out), row->terminal);
    sbuf_clear(&out);
    escape_json(&out, row->in);
    assert_string_equal(sbuf_str(&out), row->json);
}

static void escapes_shell(void **state)
{
    const struct row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    escape_shell(&out, row->in);
    assert_string_equal(sbuf_str(&out), row->shell);
}

static const struct cut_row {
    const char *name, *in;
    unsigned columns;
    const char *out;
} cut_rows[] = {
    { "fits", "/a/b/c", 6, "/a/b/c" },
    { "cut in the middle", "/aaaa/bbbb/cccc/name", 12, "/aaaa/…/name" },
    { "name alone too long", "/a/nnnnnnnnnnnn", 8, "/…nnnnnn" },
    { "no limit", "/aaaa/bbbb/cccc/name", 0, "/aaaa/bbbb/cccc/name" },
};

static void cuts(void **state)
{
    const struct cut_row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    escape_terminal_path(&out, bytes_of(row->in), row->columns);
    assert_string_equal(sbuf_str(&out), row->out);
}

int main(void)
{
    return RUN_ROWS(rows, escapes) + RUN_ROWS(rows, escapes_shell) + RUN_ROWS(cut_rows, cuts);
}
