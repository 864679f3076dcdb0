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

/* What is not plain is found wherever it is: text is looked at in words of eight bytes. */
static const struct anywhere_row {
    const char *name;
    struct bytes in;
    const char *terminal, *json;
} anywhere_rows[] = {
    { "NUL", BYTES("\0"), "\\x00", "\\u0000" },
    { "unit separator", BYTES("\x1f"), "\\x1f", "\\u001f" },
    { "delete", BYTES("\x7f"), "\\x7f", "\\u007f" },
    { "newline", BYTES("\n"), "\\n", "\\n" },
    { "quote", BYTES("\""), "\"", "\\\"" },
    { "backslash", BYTES("\\"), "\\\\", "\\\\" },
    { "stray continuation", BYTES("\x80"), "\\x80", "\xef\xbf\xbd" },
    { "highest byte", BYTES("\xff"), "\\xff", "\xef\xbf\xbd" },
    { "first of three", BYTES("\xe2"), "\\xe2", "\xef\xbf\xbd" },
    { "two of three", BYTES("\xe2\x82"), "\\xe2\\x82", "\xef\xbf\xbd" },
    { "three bytes", BYTES("\xe2\x82\xac"), "\xe2\x82\xac", "\xe2\x82\xac" },
    { "four bytes", BYTES("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
    { "delete after 0xff", BYTES("\xff\x7f"), "\\xff\\x7f", "\xef\xbf\xbd\\u007f" }, /* 0xff carries */
    { "exclamation mark after NUL", BYTES("\0!"), "\\x00!", "\\u0000!" },               /* NUL borrows */
    { "nothing", BYTES(""), "", "" },
    { "the neighbours of those", BYTES(" !#[]~"), " !#[]~", " !#[]~" },
};

static void escapes_anywhere(void **state)
{
    static const char filler[] = "~ abcdefgh!#[]ijklmnopqr";
    const struct anywhere_row *row = *state;

    for (size_t before = 0; before < sizeof(filler); before++)
        for (size_t after = 0; after < sizeof(filler); after++) {
            _cleanup_sbuf_ struct sbuf in = SBUF_INIT, out = SBUF_INIT, want = SBUF_INIT;

            sbuf_add(&in, filler, before);
            sbuf_add_bytes(&in, row->in);
            sbuf_add(&in, filler, after);
            sbuf_addf(&want, "%.*s%s%.*s", (int)before, filler, row->terminal, (int)after, filler);
            escape_terminal(&out, sbuf_bytes(&in));
            assert_string_equal(sbuf_str(&out), sbuf_str(&want));
            sbuf_clear(&want);
            sbuf_clear(&out);
            sbuf_addf(&want, "\"%.*s%s%.*s\"", (int)before, filler, row->json, (int)after, filler);
            escape_json(&out, sbuf_bytes(&in));
            assert_string_equal(sbuf_str(&out), sbuf_str(&want));
        }
}

static const struct words_row {
    const char *name;
    struct bytes in;
    const char *line, *members;
    bool replaced;
} words_rows[] = {
    { "no words", BYTES(""), "\"\"", "\"\"", false },
    { "one word", BYTES("rm"), "\"rm\"", "\"rm\"", false },
    { "words", BYTES("rm\0-rf\0/long/enough/path"), "\"rm -rf /long/enough/path\"",
      "\"rm\",\"-rf\",\"/long/enough/path\"", false },
    { "empty words", BYTES("\0\0a\0"), "\"  a \"", "\"\",\"\",\"a\",\"\"", false },
    { "quotes", BYTES("\"\0\\"), "\"\\\" \\\\\"", "\"\\\"\",\"\\\\\"", false },
    { "cut before a NUL", BYTES("\xe2\x82\0\xac"), "\"\xef\xbf\xbd \xef\xbf\xbd\"",
      "\"\xef\xbf\xbd\",\"\xef\xbf\xbd\"", true },
};

static void escapes_words(void **state)
{
    const struct words_row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    assert_int_equal(escape_json_words(&out, row->in, " "), row->replaced);
    assert_string_equal(sbuf_str(&out), row->line);
    sbuf_clear(&out);
    assert_int_equal(escape_json_words(&out, row->in, "\",\""), row->replaced);
    assert_string_equal(sbuf_str(&out), row->members);
}

/* Each byte alone is plain, or is not, as the table of ASCII has it. */
static void every_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
        bool same = c >= 0x20 && c < 0x7f && c != '\\';
        char text[9];

        memset(text, (int)c, 8);
        text[8] = '\0';
        escape_terminal(&out, (struct bytes){ text, 8 });
        assert_int_equal(out.len == 8 && memcmp(out.data, text, 8) == 0, same);
    }
}

static const struct columns_row {
    const char *name, *text;
    unsigned columns;
} columns_rows[] = {
    { "wide", "漢字.txt", 8 },
    { "combining", "e\xcc\x81", 1 },
    { "emoji", "😀x", 3 },
    { "hangul", "한", 2 },
    { "empty", "", 0 },
    { "short", "abc", 3 },
    { "a word", "abcdefgh", 8 },
    { "a word and more", "abcdefghi", 9 },
    { "two bytes", "ääääääää", 8 },
    { "two bytes across words", "aääääääääb", 10 },
    { "three bytes", "→→→→→", 5 },
    { "four bytes", "😀😀😀😀😀", 10 },
    { "mixed", "a→ä😀bcdefghijkl→", 17 },
};

static void counts_columns(void **state)
{
    const struct columns_row *row = *state;

    assert_int_equal(escape_columns(bytes_of(row->text)), row->columns);
    assert_int_equal(escape_terminal_width(bytes_of(row->text)), row->columns);
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
    { "wide characters are cut whole", "/漢字漢字/ab", 8, "/漢…/ab" },
    { "fits by columns, not by bytes", "/ä/ö/ü", 6, "/ä/ö/ü" },
    { "cut between characters", "/ääää/öööö/name", 12, "/ääää/…/name" },
    { "escaped, then cut", "/\x1b\x1b/bbbb/cccc/n\n", 10, "/\\x1b…/n\\n" },
};

static void cuts(void **state)
{
    const struct cut_row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    sbuf_add_str(&out, "before: ");
    escape_terminal_path(&out, bytes_of(row->in), row->columns);
    assert_memory_equal(sbuf_str(&out), "before: ", 8);
    assert_string_equal(sbuf_str(&out) + 8, row->out);
}

static const struct xml_row {
    const char *name;
    struct bytes in;
    const char *xml;
} xml_rows[] = {
    { "tags and quotes", BYTES("<a b=\"c\" d='e'>&amp;"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;" },
    { "lines and backslashes stay", BYTES("a\n\tb\\x1b"), "a\n\tb\\x1b" },
    { "control characters", BYTES("\x1b[2J\0\r\x7f"), "\\x1b[2J\\x00\\r\\x7f" },
    { "invalid bytes", BYTES("a\xff\xed\xa0\x80"), "a\\xff\\xed\\xa0\\x80" },
    { "what XML has not", BYTES("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"), "\\u{fffe}\\u{ffff}\xef\xbf\xbd" },
    { "the end of CDATA", BYTES("]]>"), "]]&gt;" },
};

static void escapes_xml(void **state)
{
    const struct xml_row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    escape_xml(&out, row->in);
    assert_string_equal(sbuf_str(&out), row->xml);
}

static const struct xml_row high_rows[] = {
    { "ASCII stays", BYTES("a\\ b\n\x1b"), "a\\ b\n\x1b" },
    { "DEL", BYTES("a\x7f" "b"), "a\\x7fb" },
    { "text stays", BYTES("\xc3\xa4"), "\xc3\xa4" },
    { "invalid bytes", BYTES("\xff\xc3"), "\\xff\\xc3" },
    { "C1 and bidirectional controls", BYTES("\xc2\x9b\xe2\x80\xae"), "\\u{9b}\\u{202e}" },
};

static void escapes_above_ascii(void **state)
{
    const struct xml_row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    escape_above_ascii(&out, row->in);
    assert_string_equal(sbuf_str(&out), row->xml);
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(every_byte) };

    return RUN_ROWS(rows, escapes) + RUN_ROWS(xml_rows, escapes_xml) + RUN_ROWS(high_rows, escapes_above_ascii) + RUN_ROWS(rows, escapes_shell) + RUN_ROWS(cut_rows, cuts) +
           RUN_ROWS(words_rows, escapes_words) + RUN_ROWS(anywhere_rows, escapes_anywhere) +
           RUN_ROWS(columns_rows, counts_columns) + cmocka_run_group_tests(more, NULL, NULL);
}
