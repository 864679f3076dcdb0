/* SPDX-License-Identifier: MIT */
/* Watches within one another: what is armed, and whose a change is. */
#include "test.h"

#include <errno.h>

#include "event/operation.h"
#include "util/sbuf.h"
#include "watch/plan.h"

#define R PERMISSION_READ
#define W PERMISSION_WRITE
#define A PERMISSION_ATTR

static const struct row {
    const char *name;
    struct {
        const char *text;
        unsigned permissions;
        const char *key;
    } asks[5];
    const char *armed; /* "PATH PERMISSIONS\n" */
    struct {
        const char *path;
        unsigned permission;
        const char *key; /* of the armed one that reports it; NULL: nobody does */
    } events[6];
} rows[] = {
    { "one", { { "/a", W | A, "a" } }, "/a wa\n", { { "/a", W, "a" }, { "/a/x", A, "a" }, { "/ab", W, NULL }, { "/a/x", R, NULL } } },
    { "beside one another", { { "/a", W, "a" }, { "/b", W, "b" } }, "/a w\n/b w\n", { { "/a/x", W, "a" }, { "/b/x", W, "b" } } },
    { "within", { { "/a/b", W, "b" }, { "/a", W, "a" } }, "/a w\n", { { "/a/x", W, "a" }, { "/a/b", W, "b" }, { "/a/b/c", W, "b" }, { "/a/bc", W, "a" } } },
    { "three deep", { { "/a", W, "a" }, { "/a/b", W, "b" }, { "/a/b/c", W, "c" } }, "/a w\n",
      { { "/a/x", W, "a" }, { "/a/b/x", W, "b" }, { "/a/b/c/x", W, "c" } } },
    { "an inner one asks for more", { { "/a", W, "a" }, { "/a/b", R | W, "b" } }, "/a w\n/a/b r\n",
      { { "/a/b/x", W, "b" }, { "/a/b/x", R, "b" }, { "/a/x", R, NULL }, { "/a/x", W, "a" } } },
    { "an inner one asks for less", { { "/a", W | A, "a" }, { "/a/b", W, "b" } }, "/a wa\n",
      { { "/a/b/x", W, "b" }, { "/a/b/x", A, "a" } } },
    { "each asks for something else", { { "/a", W, "a" }, { "/a/b", R, "b" }, { "/a/b/c", W | R | A, "c" } }, "/a w\n/a/b r\n/a/b/c a\n",
      { { "/a/b/c/x", W, "c" }, { "/a/b/c/x", R, "c" }, { "/a/b/c/x", A, "c" }, { "/a/b/x", R, "b" }, { "/a/b/x", W, "a" }, { "/a/b/x", A, NULL } } },
    { "the same path: the later one counts", { { "/a", W | A, "group" }, { "/a", W, "own" } }, "/a wa\n",
      { { "/a/x", W, "own" }, { "/a/x", A, "group" } } },
    { "the same path, more", { { "/a", W, "group" }, { "/a", W | R, "own" } }, "/a w\n/a r\n", { { "/a/x", W, "own" }, { "/a/x", R, "own" } } },
    { "no key", { { "/a", W, "a" }, { "/a/b", W, "" } }, "/a w\n", { { "/a/b/x", W, "" }, { "/a/x", W, "a" } } },
    { "all of it", { { "/", W, "root" }, { "/a", W, "a" } }, "/ w\n", { { "/b", W, "root" }, { "/a/x", W, "a" } } },
    { "container", { { "web:/", W, "web" }, { "web:/prd", W, "prd" }, { "db:/prd", W, "db" }, { "/prd", W, "host" } },
      "/ w\n/prd w\n/prd w\n", { { NULL, 0, NULL } } },
    { "one container of two engines", { { "docker:web:/a", W, "d" }, { "podman:web:/a", W, "p" } }, "/a w\n/a w\n", { { NULL, 0, NULL } } },
    { "nothing", { { NULL, 0, NULL } }, "", { { NULL, 0, NULL } } },
};

/* Of one place only, as all rows with events are: exactly one armed one may report it. */
static void reports(const struct plan *plan, const char *path, unsigned permission, const char *key)
{
    const struct watch_label *found = NULL;
    unsigned reported = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_entry *e = &plan->entries[i];

        if (!(e->target.permissions & permission) || !bytes_path_covers(e->target.path, bytes_of(path)))
            continue;
        reported++;
        found = watch_labels_find(e->labels, bytes_of(path), permission);
        assert_non_null(found);
    }
    assert_int_equal(reported, key != NULL);
    if (key)
        assert_bytes(found->key, key);
}

static void plans(void **state)
{
    const struct row *row = *state;
    struct plan_ask asks[5];
    struct sbuf armed = SBUF_INIT;
    struct plan plan;
    size_t n = 0;

    for (; n < ARRAY_SIZE(asks) && row->asks[n].text; n++)
        asks[n] = (struct plan_ask){ bytes_of(row->asks[n].text), bytes_of(row->asks[n].key), row->asks[n].permissions, false };
    assert_int_equal(plan_make(asks, n, &plan, NULL), 0);
    for (size_t i = 0; i < plan.count; i++) {
        char letters[5];

        sbuf_add_bytes(&armed, plan.entries[i].target.path);
        sbuf_addf(&armed, " %s\n", permissions_text(plan.entries[i].target.permissions, letters));
        assert_true(plan.entries[i].ask < n);
        for (size_t k = 0; k < i; k++) /* what makes it right whatever happens: nothing in common */
            assert_false(plan_same_place(&plan.entries[i].target, &plan.entries[k].target) &&
                         bytes_path_covers(plan.entries[k].target.path, plan.entries[i].target.path) &&
                         (plan.entries[i].target.permissions & plan.entries[k].target.permissions));
    }
    assert_string_equal(sbuf_str(&armed), row->armed);
    for (size_t i = 0; i < ARRAY_SIZE(row->events) && row->events[i].path; i++)
        reports(&plan, row->events[i].path, row->events[i].permission, row->events[i].key);
    plan_done(&plan);
    sbuf_done(&armed);
}

static void refuses(void **state)
{
    struct plan_ask asks[] = { { bytes_of("/a"), BYTES_NULL, W, false }, { bytes_of("web:x"), BYTES_NULL, W, false } };
    struct err err = ERR_INIT;
    struct plan plan;

    (void)state;
    assert_int_equal(plan_make(asks, 2, &plan, &err), -EINVAL);
    assert_true(err.text[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(refuses) };
    int failed = RUN_ROWS(rows, plans);

    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
