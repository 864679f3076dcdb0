/* SPDX-License-Identifier: MIT */
/* JSON by util/json_writer.h: where commas stand, what is taken away, what is escaped. */
#include "test.h"

#include "util/json_writer.h"

static void commas_stand_between(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    sbuf_add_char(&out, '{');
    json_number(&out, JSON_KEY("a"), 7);
    json_signed(&out, JSON_KEY("b"), -12);
    (void)json_open(&out, JSON_ARRAY("c"));
    json_element(&out, bytes_of("x"));
    json_element(&out, bytes_of(""));
    json_open_element(&out);
    json_flag(&out, JSON_KEY("no"), false);
    json_flag(&out, JSON_KEY("yes"), true);
    json_close(&out);
    json_open_element(&out);
    json_close(&out);
    json_close_array(&out);
    json_fraction(&out, JSON_KEY("d"), 1.25, 1);
    json_bytes(&out, JSON_KEY("not there"), BYTES_NULL);
    json_string(&out, JSON_MEMBER("e", "f"), BYTES_NULL);
    json_close(&out);
    json_key_of(&out, "g");
    sbuf_add_char(&out, '1');
    json_close(&out);
    assert_string_equal(sbuf_str(&out), "{\"a\":7,\"b\":-12,\"c\":[\"x\",\"\",{\"yes\":true},{}],\"d\":1.2,\"e\":{\"f\":\"\"},\"g\":1}");
}

static void what_stays_empty_goes(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    size_t outer, inner;

    (void)state;
    sbuf_add_str(&out, "{\"a\":1");
    outer = json_open(&out, JSON_OBJECT("b"));
    inner = json_open(&out, JSON_OBJECT("c"));
    json_bytes(&out, JSON_KEY("d"), BYTES_NULL);
    json_close_filled(&out, inner);
    json_close_filled(&out, outer);
    outer = json_open(&out, JSON_OBJECT("e"));
    json_hex(&out, JSON_KEY("f"), (struct bytes){ "\x01\xff", 2 });
    json_close_filled(&out, outer);
    json_close(&out);
    assert_string_equal(sbuf_str(&out), "{\"a\":1,\"e\":{\"f\":\"01ff\"}}");
}

/* A key that fits in no room that is left, at each length of the buffer, and one that is longer than the copy. */
static void keys_are_whole(void **state)
{
    (void)state;
    for (size_t filled = 0; filled < 200; filled++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

        sbuf_fill(&out, '[', filled);
        json_key(&out, JSON_KEY("k"));
        json_number(&out, JSON_LITERAL(",\"a key that is longer than what is copied at once\":"), 10);
        assert_int_equal(out.len, filled + strlen("\"k\":,\"a key that is longer than what is copied at once\":10"));
        assert_string_equal(sbuf_str(&out) + filled, "\"k\":,\"a key that is longer than what is copied at once\":10");
    }
}

static void values_are_escaped(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    assert_false(json_string(&out, JSON_KEY("q"), bytes_of("\"\n{")));
    assert_true(json_string(&out, JSON_KEY("u"), bytes_of("\xff")));
    assert_string_equal(sbuf_str(&out), "\"q\":\"\\\"\\n{\",\"u\":\"\xef\xbf\xbd\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between),
        cmocka_unit_test(what_stays_empty_goes),
        cmocka_unit_test(keys_are_whole),
        cmocka_unit_test(values_are_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
