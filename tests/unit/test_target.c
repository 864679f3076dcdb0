/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>

#include "watch/target.h"

static const struct row {
    const char *name;
    int r;
    enum selector_kind kind;
    const char *container, *path;
} rows[] = {
    { "/prd", 0, SELECTOR_NONE, "", "/prd" },
    { "/prd/", 0, SELECTOR_NONE, "", "/prd" },
    { "//a//b/./c/../d", 0, SELECTOR_NONE, "", "/a/b/d" },
    { "/../..", 0, SELECTOR_NONE, "", "/" },
    { "rel/x", 0, SELECTOR_NONE, "", "/work/dir/rel/x" },
    { "../x", 0, SELECTOR_NONE, "", "/work/x" },
    { ".", 0, SELECTOR_NONE, "", "/work/dir" },
    { "web:/prd", 0, SELECTOR_NAME, "web", "/prd" },
    { "web:/prd/../etc/", 0, SELECTOR_NAME, "web", "/etc" },
    { "web:/", 0, SELECTOR_NAME, "web", "/" },
    { "./a:b", 0, SELECTOR_NONE, "", "/work/dir/a:b" },
    { "/a:b", 0, SELECTOR_NONE, "", "/a:b" },
    { "web:/a:b", 0, SELECTOR_NAME, "web", "/a:b" },
    { "compose:shop/web:/prd", 0, SELECTOR_COMPOSE, "shop/web", "/prd" },
    { "pod:ns/name:/prd", 0, SELECTOR_POD, "ns/name", "/prd" },
    { "pod:ns/name/c:/prd", 0, SELECTOR_POD, "ns/name/c", "/prd" },
    { "pod:/prd", 0, SELECTOR_NAME, "pod", "/prd" },
    { "image:shop:/prd", 0, SELECTOR_IMAGE, "shop", "/prd" },
    { "image:reg:5000/a/shop:1.4:/prd:/x", 0, SELECTOR_IMAGE, "reg:5000/a/shop:1.4", "/prd:/x" },
    { "image:/prd", 0, SELECTOR_NAME, "image", "/prd" },
    { "label:app=web:/prd", 0, SELECTOR_LABEL, "app=web", "/prd" },
    { "label:url=http://x:/prd", 0, SELECTOR_LABEL, "url=http://x", "/prd" },
    { "label:app:/prd", 0, SELECTOR_LABEL, "app", "/prd" },
    { "volume:data/a/../b", 0, SELECTOR_VOLUME, "data", "/b" },
    { "volume:data:/b", 0, SELECTOR_VOLUME, "data", "/b" },
    { "volume:data", 0, SELECTOR_VOLUME, "data", "/" },
    { "volume:data/../../etc", 0, SELECTOR_VOLUME, "data", "/etc" }, /* below its directory, wherever it leads */
    { "volume:/x", 0, SELECTOR_NAME, "volume", "/x" },
    { "docker:web:/prd", 0, SELECTOR_NAME, "web", "/prd" },
    { "docker:/prd", 0, SELECTOR_NAME, "docker", "/prd" },
    { "podman:a:b:/prd", -EINVAL, SELECTOR_NONE, "", "" },
    { "image:shop", -EINVAL, SELECTOR_NONE, "", "" },
    { "label:=x:/prd", -EINVAL, SELECTOR_NONE, "", "" },
    { "volume:", -EINVAL, SELECTOR_NONE, "", "" },
    { "compose:shop:/prd", -EINVAL, SELECTOR_NONE, "", "" },
    { "pod:a//b:/prd", -EINVAL, SELECTOR_NONE, "", "" },
    { "web:prd", -EINVAL, SELECTOR_NONE, "", "" },
    { "web:", -EINVAL, SELECTOR_NONE, "", "" },
    { ":/prd", -EINVAL, SELECTOR_NONE, "", "" },
    { "", -EINVAL, SELECTOR_NONE, "", "" },
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
    assert_int_equal(t.selector.kind, row->kind);
    assert_bytes(t.selector.text, row->container);
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

static const struct match_row {
    const char *name, *text;
    bool matches;
} matches[] = {
    { "name", "web:/", true }, { "another name", "we:/", false }, { "id", "3f9a1c2e77b0:/", true },
    { "beginning of an id", "3f:/", true }, { "one digit is none", "3:/", false }, { "not its middle", "9a1c:/", false },
    { "engine", "docker:web:/", true }, { "another engine", "podman:web:/", false },
    { "compose", "compose:shop/front:/", true }, { "another service", "compose:shop/db:/", false },
    { "pod", "pod:prod/shop-7d:/", true }, { "pod and container", "pod:prod/shop-7d/app:/", true },
    { "another container of the pod", "pod:prod/shop-7d/side:/", false }, { "another namespace", "pod:dev/shop-7d:/", false },
    { "image and tag", "image:shop:1.4:/", true }, { "image of any tag", "image:shop:/", true },
    { "with its registry", "image:reg.example:5000/team/shop:1.4:/", true }, { "a part of its path", "image:team/shop:/", true },
    { "another tag", "image:shop:1.5:/", false }, { "another image", "image:op:/", false },
    { "label", "label:tier=front:/", true }, { "label's key", "label:tier:/", true },
    { "another value", "label:tier=back:/", false }, { "a key that begins like it", "label:ti:/", false },
};

static void selects(void **state)
{
    const struct match_row *row = *state;
    struct container c = {
        .id = bytes_of("3f9a1c2e77b0"), .name = bytes_of("web"), .runtime = bytes_of("docker"),
        .image_name = bytes_of("reg.example:5000/team/shop:1.4"), .compose_project = bytes_of("shop"),
        .compose_service = bytes_of("front"), .pod_namespace = bytes_of("prod"), .pod_name = bytes_of("shop-7d"),
        .pod_container = bytes_of("app"), .labels = BYTES("a=b\0tier=front\0"),
    };
    struct target t;

    assert_int_equal(target_parse(bytes_of(row->text), bytes_of("/"), &t, NULL), 0);
    assert_int_equal(selector_matches(&t.selector, &c), row->matches);
    target_done(&t);
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(refuses_nul) };

    return RUN_ROWS(rows, parses) + RUN_ROWS(matches, selects) + cmocka_run_group_tests(more, NULL, NULL);
}
