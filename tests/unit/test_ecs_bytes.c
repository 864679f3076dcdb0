/* SPDX-License-Identifier: MIT */
/* ECS lines of what is no text: bytes that are no UTF-8, control bytes, paths at the edges, no memory. */
#include "test.h"
#include "ecs_line.h"
#include "make.h"

#include <errno.h>

/* ECS field, raw field, bytes, what is shown, hex */
static void not_utf8_is_kept_as_hex(void **state)
{
    struct process *parent = make_process(5, "/p\xff", NULL), *p = make_process(10, "/bin/x\xfe", parent);
    struct event *e = make_event(OPERATION_RENAME, "/d\xff/n\xc3", p, NULL, 1);
    json_t *j;

    (void)state;
    process_set(p, &p->args, BYTES("x\xfe\0\xe2\x82\0"));
    process_set(p, &p->working_directory, bytes_of("/w\x80"));
    process_set(p, &p->script, bytes_of("/s\x80"));
    event_set(e, &e->previous_path, bytes_of("/old\xf0\x9f\x98"));
    event_set(e, &e->target_path, bytes_of("\xc0\xaf"));
    event_set(e, &e->host_path, bytes_of("/h\xed\xa0\x80"));
    event_set(e, &e->watch_text, bytes_of("/d\xff"));
    event_set(e, &e->key, bytes_of("k\xff"));
    event_set(e, &e->note, bytes_of("plain"));
    j = line_of(e);
    is_text(j, "file.path", "/d\xef\xbf\xbd/n\xef\xbf\xbd");
    is_text(j, "file.name", "n\xef\xbf\xbd");
    is_text(j, "file.directory", "/d\xef\xbf\xbd");
    is_text(j, "file.target_path", "\xef\xbf\xbd\xef\xbf\xbd");
    is_text(j, "process.args.1", "\xef\xbf\xbd");
    j = get(j, "culprit.raw") ? j : NULL;
    assert_non_null(j);
    {
        json_t *raw = get(j, "culprit.raw");
        static const struct {
            const char *field, *hex;
        } rows[] = {
            { "file.path", "2f64ff2f6ec3" },
            { "file.name", "6ec3" },
            { "file.directory", "2f64ff" },
            { "file.target_path", "c0af" },
            { "process.executable", "2f62696e2f78fe" },
            { "process.name", "78fe" },
            { "process.command_line", "78fe20e282" },
            { "process.working_directory", "2f7780" },
            { "process.parent.executable", "2f70ff" },
            { "culprit.file.previous_path", "2f6f6c64f09f98" },
            { "culprit.file.host_path", "2f68eda080" },
            { "culprit.script", "2f7380" },
            { "culprit.watch", "2f64ff" },
            { "rule.name", "6bff" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            json_t *v = json_object_get(raw, rows[i].field);

            if (!json_is_string(v) || strcmp(json_string_value(v), rows[i].hex) != 0)
                fail_msg("culprit.raw.%s is not %s", rows[i].field, rows[i].hex);
        }
        assert_null(json_object_get(raw, "culprit.note"));
    }
    json_decref(j);
    event_free(e);
    process_unref(p);
}

/* Good UTF-8 needs no second form, and no byte of it ends a line or a string. */
static void control_bytes_stay_inside(void **state)
{
    static const char *const paths[] = {
        "/a\"b\\c", "/a\nb\rc\td", "/\x1b[2J\x07\x7f", "/\x01\x02\x1f", "/\xe2\x80\xaetxt.exe",
        "/\xe2\x80\xa8line", "/\xf0\x9f\x98\x80", "/\xc3\xa4", "/{[:,]}\"}", "\",\"x\":\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct process *p = make_process(10, paths[i], NULL);
        struct event *e = make_event(OPERATION_CREATE, paths[i], p, NULL, 1);
        json_t *j;

        event_set(e, &e->key, bytes_of(paths[i]));
        process_set(p, &p->user_name, bytes_of(paths[i]));
        p->cred.known = true;
        j = line_of(e);
        is_text(j, "file.path", paths[i]);
        is_text(j, "process.executable", paths[i]);
        is_text(j, "process.user.name", paths[i]);
        is_text(j, "rule.name", paths[i]);
        is_not_there(j, "culprit.raw");
        json_decref(j);
        event_free(e);
        process_unref(p);
    }
}

static void every_single_byte_makes_good_json(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        char path[] = { '/', (char)c, '\0' };
        struct event *e = make_event(OPERATION_UNLINK, path, NULL, NULL, 1);
        json_t *j = line_of(e);

        assert_int_equal(get(j, "culprit.raw") != NULL, c >= 0x80);
        json_decref(j);
        event_free(e);
    }
}

static void paths_at_the_edges(void **state)
{
    static const struct {
        const char *path, *name, *directory; /* NULL: not reported */
    } rows[] = {
        { "/a", "a", "/" }, { "a", "a", NULL }, { "/", NULL, "/" }, { "/a/", NULL, "/a" }, { "/a//b", "b", "/a/" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct event *e = make_event(OPERATION_UNLINK, rows[i].path, NULL, NULL, 1);
        json_t *j = line_of(e);

        is_text(j, "file.path", rows[i].path);
        if (rows[i].name)
            is_text(j, "file.name", rows[i].name);
        else
            is_not_there(j, "file.name");
        if (rows[i].directory)
            is_text(j, "file.directory", rows[i].directory);
        else
            is_not_there(j, "file.directory");
        json_decref(j);
        event_free(e);
    }
}

/* Whatever room there is when a line begins, it is the same line. */
static void room_does_not_matter(void **state)
{
    struct process *p = make_process(30, "/bin/rm", make_process(20, "/bin/sh", make_process(1, "/sbin/init", NULL)));
    struct event *e = make_event(OPERATION_UNLINK, "/some/path", p, NULL, 1);
    _cleanup_sbuf_ struct sbuf want = SBUF_INIT;

    (void)state;
    /* their dates would depend on when it is asked */
    e->actor.start_ns = p->start_ns = p->parent->start_ns = p->parent->parent->start_ns = 0;
    ecs_write_event(&want, e, &host);
    for (size_t before = 0; before < 600; before++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

        sbuf_fill(&out, '\n', before);
        ecs_write_event(&out, e, &host);
        assert_string_equal(sbuf_str(&out) + before, sbuf_str(&want));
    }
    event_free(e);
    process_unref(p);
}

static void no_memory_is_no_line(void **state)
{
    struct event *e = make_event(OPERATION_UNLINK, "/some/path", NULL, NULL, 1);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    sbuf_add_char(&out, '{');
    sbuf_fill(&out, 'x', SIZE_MAX);
    ecs_write_event(&out, e, &host);
    assert_int_equal(sbuf_error(&out), -ENOMEM);
    event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_utf8_is_kept_as_hex),
        cmocka_unit_test(control_bytes_stay_inside),
        cmocka_unit_test(every_single_byte_makes_good_json),
        cmocka_unit_test(paths_at_the_edges),
        cmocka_unit_test(room_does_not_matter),
        cmocka_unit_test(no_memory_is_no_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
