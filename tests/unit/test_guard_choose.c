/* SPDX-License-Identifier: MIT */
/* By which method a guard denies, and what is said where it is not as wished. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "guard/choose.h"
#include "util/cleanup.h"

struct choice_row {
    const char *method;
    bool best_effort;
    const char *modules; /* NULL: cannot be read */
    bool preempts;
    const char *bpf_lacks;
    int r;
    enum guard_way way;
    const char *said; /* a part of the reason or of the error; NULL: nothing */
};

static const struct choice_row rows[] = {
    /* where bpf is a security module nothing else matters */
    { "auto", false, "lockdown,capability,yama,bpf\n", true, NULL, 0, GUARD_WAY_LSM, NULL },
    { "bpf", false, "bpf", true, NULL, 0, GUARD_WAY_LSM, NULL },
    /* a name that only contains it is another one */
    { "auto", false, "capability,ebpf,bpfx\n", true, NULL, 0, GUARD_WAY_IMMUTABLE, "boot with lsm=capability,ebpf,bpfx,bpf" },
    /* else only on a kernel that does not interrupt itself */
    { "auto", false, "capability,yama\n", false, NULL, 0, GUARD_WAY_RETURN, NULL },
    { "bpf", false, "capability,yama\n", false, NULL, 0, GUARD_WAY_RETURN, NULL },
    { "bpf", false, "capability,yama\n", true, NULL, -ENOTSUP, GUARD_WAY_IMMUTABLE, "boot with lsm=capability,yama,bpf; or say --best-effort" },
    { "bpf", true, "capability,yama\n", true, NULL, 0, GUARD_WAY_RETURN, NULL },
    { "auto", true, "capability,yama\n", true, NULL, 0, GUARD_WAY_RETURN, NULL },
    /* the list is not known */
    { "auto", false, NULL, false, NULL, 0, GUARD_WAY_RETURN, NULL },
    { "bpf", false, NULL, true, NULL, -ENOTSUP, GUARD_WAY_IMMUTABLE, "cannot be read" },
    /* no programs at all: not by best effort either */
    { "bpf", true, "bpf\n", false, "no BTF", -ENOTSUP, GUARD_WAY_IMMUTABLE, "no BTF; or --method immutable" },
    { "auto", true, "bpf\n", false, "no BTF", 0, GUARD_WAY_IMMUTABLE, "no BTF" },
    /* what was asked for is not discussed */
    { "immutable", false, "bpf\n", false, NULL, 0, GUARD_WAY_IMMUTABLE, NULL },
};

static void chooses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct choice_row *row = &rows[i];
        const struct guard_wish wish = { row->method, row->best_effort };
        const struct guard_facts facts = { row->modules ? bytes_of(row->modules) : BYTES_NULL, row->preempts, row->bpf_lacks };
        _cleanup_sbuf_ struct sbuf why = SBUF_INIT;
        struct err err = ERR_INIT;
        enum guard_way way = GUARD_WAY_LSM;
        const char *said;

        assert_int_equal(guard_choose(&wish, &facts, &way, &why, &err), row->r);
        assert_int_equal(way, row->way);
        said = row->r ? err_text(&err, row->r) : sbuf_str(&why);
        if (row->said)
            assert_non_null(strstr(said, row->said));
        else
            assert_int_equal(why.len, 0);
    }
}

static void knows_methods(void **state)
{
    (void)state;
    assert_true(guard_method_is_known("auto") && guard_method_is_known("bpf") && guard_method_is_known("immutable"));
    assert_false(guard_method_is_known("") || guard_method_is_known("lsm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(chooses), cmocka_unit_test(knows_methods) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
