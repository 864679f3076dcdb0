/* SPDX-License-Identifier: MIT */
/* What was usual, read from its file: what is taken of it, and what is said where it cannot be read. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/usual_file.h"

#define WATCH "{\"number\":7,\"watch\":\"/srv\",\"days\":[{\"day\":19700,\"busiest\":3}]}\n"
#define CAUSE "\"cause\":\"0123456789abcdef0123456789abcdef\",\"last\":1702080000}\n"

static void on_message(void *data, enum log_level level, const char *text)
{
    (void)level;
    snprintf(data, 512, "%s", text);
}

static void put(const char *path, const char *text, size_t long_by)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    for (const char *c = text; *c; c++)
        for (size_t i = 0; i < (*c == '~' ? long_by : 1); i++)
            fputc(*c == '~' ? 'x' : *c, f);
    assert_int_equal(fclose(f), 0);
}

static void what_cannot_be_read_is_said(void **state)
{
    static const struct {
        const char *text; /* ~: many x */
        size_t many;
        int error;
        const char *kept; /* of what is written again */
    } rows[] = {
        { WATCH "{\"of\":7," CAUSE, 0, 0, "0123456789abcdef0123456789abcdef" },
        { WATCH "{\"of\":8," CAUSE, 0, EBADMSG, "/srv" }, /* of no watch */
        { WATCH "{\"of\":7,\"cause\":\"x\",\"last\":1}\n", 0, EBADMSG, "/srv" },
        { "no json\n", 0, EBADMSG, NULL },
        { "{\"number\":1,\"watch\":\"/~\",\"days\":[{\"day\":1,\"busiest\":1}]}\n", USUAL_WATCH_MAX - 1, 0, "/xxx" },
        { "{\"number\":1,\"watch\":\"/~\",\"days\":[{\"day\":1,\"busiest\":1}]}\n", USUAL_WATCH_MAX, EBADMSG, NULL },
        { "{\"number\":1,\"watch\":\"/srv\",\"days\":[],\"lost\":true}\n", 0, 0, "\"lost\":true" },
    };
    char dir[] = "/tmp/culprit-usual.XXXXXX", path[64], store[64], said[512];
    const struct log log = { .level = LOG_LEVEL_WARNING, .message = on_message, .data = said };

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/usual", dir);
    snprintf(store, sizeof(store), "%s/db", dir);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct usual_file f = { 0 };
        struct usual *u = usual_new();
        struct sbuf text = SBUF_INIT;

        said[0] = '\0';
        put(path, rows[i].text, rows[i].many);
        assert_int_equal(usual_file_open(&f, u, bytes_of(store), &log), 0);
        usual_write(u, &text);
        if (rows[i].error ? !strstr(said, strerror(rows[i].error)) : said[0] != '\0')
            fail_msg("row %zu: said \"%s\"", i, said);
        if (rows[i].kept ? !strstr(sbuf_str(&text), rows[i].kept) : text.len != 0)
            fail_msg("row %zu: kept \"%.100s\"", i, sbuf_str(&text));
        usual_file_close(&f);
        usual_free(u);
        sbuf_done(&text);
    }
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_cannot_be_read_is_said) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
