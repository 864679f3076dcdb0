/* SPDX-License-Identifier: MIT */
/* Labels of containers that ask to be watched: what is taken, and what is refused. */
#include "test.h"

#include <errno.h>

#include "daemon/declared.h"
#include "event/operation.h"

static const struct row {
    const char *name;
    struct bytes labels;
    int r;
    size_t count;
    const char *last, *key;
    unsigned permissions;
} rows[] = {
    { "none", BYTES("tier=front\0"), 0, 0, NULL, NULL, PERMISSION_WRITE | PERMISSION_ATTR },
    { "a path", BYTES("tier=front\0culprit.watch=/prd\0"), 0, 1, "/prd", NULL, PERMISSION_WRITE | PERMISSION_ATTR },
    { "several", BYTES("culprit.watch=/prd /etc/app\0culprit.watch.permissions=rw\0culprit.watch.key=k\0"), 0, 2, "/etc/app", "k",
      PERMISSION_READ | PERMISSION_WRITE },
    { "sixteen", BYTES("culprit.watch=/1 /2 /3 /4 /5 /6 /7 /8 /9 /a /b /c /d /e /f /g\0"), 0, 16, "/g", NULL,
      PERMISSION_WRITE | PERMISSION_ATTR },
    { "seventeen", BYTES("culprit.watch=/1 /2 /3 /4 /5 /6 /7 /8 /9 /a /b /c /d /e /f /g /h\0"), -EINVAL },
    { "all of it", BYTES("culprit.watch=/\0"), -EINVAL },
    { "all of it, in other words", BYTES("culprit.watch=/prd/..\0"), -EINVAL },
    { "the kernel's", BYTES("culprit.watch=/proc/sys\0"), -EINVAL },
    { "devices, in other words", BYTES("culprit.watch=//dev/./shm\0"), -EINVAL },
    { "what only begins so", BYTES("culprit.watch=/device\0"), 0, 1, "/device", NULL, PERMISSION_WRITE | PERMISSION_ATTR },
    { "another container's", BYTES("culprit.watch=db:/prd\0"), -EINVAL },
    { "another one's, behind a slash", BYTES("culprit.watch=/x:/prd\0"), -EINVAL },
    { "the host's", BYTES("culprit.watch=prd\0"), -EINVAL },
    { "empty", BYTES("culprit.watch=\0"), -EINVAL },
    { "no permission", BYTES("culprit.watch=/prd\0culprit.watch.permissions=z\0"), -EINVAL },
};

static struct container *labelled(const char *name, struct bytes labels)
{
    struct container *c = container_new();

    container_set(c, &c->labels, labels);
    container_set(c, &c->name, bytes_of(name));
    return c;
}

static void reads(void **state)
{
    const struct row *row = *state;
    struct container *c = labelled("web", row->labels);
    struct declaration d = { 0 };
    struct err err = ERR_INIT;

    assert_int_equal(declaration_read(c, &d, &err), row->r);
    assert_int_equal(err.text[0] != '\0', row->r < 0);
    if (row->r == 0) {
        assert_int_equal(d.count, row->count);
        assert_int_equal(d.permissions, row->permissions);
        if (row->last)
            assert_bytes(d.paths[d.count - 1], row->last);
        if (row->key)
            assert_bytes(d.key, row->key);
    }
    container_unref(c);
}

static unsigned warnings;

static void on_message(void *data, enum log_level level, const char *text)
{
    (void)data, (void)level;
    assert_non_null(strstr(text, "container bad: label culprit.watch: "));
    warnings++;
}

static void watches_each_once(void **state)
{
    const struct log log = { LOG_LEVEL_INFO, on_message, NULL };
    struct transients transients = { 0 };
    struct declared d = { .log = &log, .transients = &transients };
    struct container *web = labelled("web", BYTES("culprit.watch=/prd /etc\0")), *other = labelled("other", BYTES("culprit.watch=/prd /etc\0")),
                     *bad = labelled("bad", BYTES("culprit.watch=/proc\0")), *plain = labelled("plain", BYTES("a=b\0"));

    (void)state;
    declared_container(&d, plain);
    assert_int_equal(transients.count, 0);
    for (int i = 0; i < 3; i++) {
        declared_container(&d, web);
        declared_container(&d, other); /* the same label: the same watches */
        declared_container(&d, bad);
    }
    assert_int_equal(transients.count, 2);
    assert_bytes(transients.first->target.text, "label:culprit.watch=/prd /etc:/prd");
    assert_int_equal(transients.first->target.selector.kind, SELECTOR_LABEL);
    assert_true(selector_matches(&transients.first->target.selector, web));
    assert_false(selector_matches(&transients.first->target.selector, plain));
    assert_int_equal(warnings, 1);
    assert_true(d.stale);
    declared_done(&d);
    transients_done(&transients);
    container_unref(web);
    container_unref(other);
    container_unref(bad);
    container_unref(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(watches_each_once) };

    return RUN_ROWS(rows, reads) + cmocka_run_group_tests(tests, NULL, NULL);
}
