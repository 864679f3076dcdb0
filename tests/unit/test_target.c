/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>

#include "watch/target.h"

static const struct row {
    const char *name;
    int r;
    enum target_kind kind;
    const char *container, *path;
} rows[] = {
    { "/prd", 0, TARGET_HOST, "", "/prd" },
    { "/prd/", 0, TARGET_HOST, "", "/prd" },
    { "//a//b/./c/../d", 0, TARGET_HOST, "", "/a/b/d" },
    { "/../..", 0, TARGET_HOST, "", "/" },
    { "rel/x", 0, TARGET_HOST, "", "/work/dir/rel/x" },
    { "../x", 0, TARGET_HOST, "", "/work/x" },
    { ".", 0, TARGET_HOST, "", "/work/dir" },
    { "web:/prd", 0, TARGET_CONTAINER, "web", "/prd" },
    { "web:/prd/../etc/", 0, TARGET_CONTAINER, "web", "/etc" },
    { "web:/", 0, TARGET_CONTAINER, "web", "/" },
    { "./a:b", 0, TARGET_HOST, "", "/work/dir/a:b" },
    { "/a:b", 0, TARGET_HOST, "", "/a:b" },
    { "web:/a:b", 0, TARGET_CONTAINER, "web", "/a:b" },
    { "compose:shop/web:/prd", 0, TARGET_COMPOSE, "shop/web", "/prd" },
    { "pod:ns/name:/prd", 0, TARGET_POD, "ns/name", "/prd" },
    { "pod:ns/name/c:/prd", 0, TARGET_POD, "ns/name/c", "/prd" },
    { "pod:/prd", 0, TARGET_CONTAINER, "pod", "/prd" },
    { "compose:shop:/prd", -EINVAL, TARGET_HOST, "", "" },
    { "pod:a//b:/prd", -EINVAL, TARGET_HOST, "", "" },
    { "web:prd", -EINVAL, TARGET_HOST, "", "" },
    { "web:", -EINVAL, TARGET_HOST, "", "" },
    { ":/prd", -EINVAL, TARGET_HOST, "", "" },
    { "", -EINVAL, TARGET_HOST, "", "" },
};

static void parses(void **state)
{
    const struct row *row = *state;
    struct target t = { 0 };
    struct err err = ERR_INIT;

    assert_int_equal(target_parse(bytes_of(row->name), bytes_of("/work/dir"), &t, &err), row->r);
    if (row->r < 0) {
        assert_true(err.text[0]);
        return;
    }
    assert_int_equal(t.kind, row->kind);
    assert_bytes(t.container, row->container);
    assert_bytes(t.path, row->path);
    assert_bytes(t.text, row->name);
    target_done(&t);
}

static void refuses_nul(void **state)
{
    struct target t = { 0 };

    (void)state;
    assert_int_equal(target_parse(BYTES("/a\0b"), bytes_of("/"), &t, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(refuses_nul) };

    return RUN_ROWS(rows, parses) + cmocka_run_group_tests(more, NULL, NULL);
}
