/* SPDX-License-Identifier: MIT */
/* Who is one suspect, and who are two; which errors are a refusal. */
#include "test.h"

#include <errno.h>

#include "event/operation.h"
#include "make.h"
#include "util/hash.h"

#define WEB "67ba10172723"

/* One launcher, from pid 1 down; `inside` lives in container web. */
struct link {
    const char *executable;
    bool inside;
    uint64_t mnt_ns;
};

static struct fingerprint suspect(const struct link *links)
{
    struct container *web = make_container(WEB, "web");
    struct process *p = NULL;
    pid_t pid = 1;
    struct fingerprint h;

    for (; links->executable; links++) {
        p = make_process(pid++, links->executable, p);
        p->mnt_ns = links->mnt_ns;
        if (links->inside) {
            p->origin = ORIGIN_CONTAINER;
            p->container = container_ref(web);
        }
    }
    struct event *e = make_event(OPERATION_UNLINK, "/prd/f", p, web, 1);

    h = event_suspect(e);
    event_free(e);
    process_unref(p);
    container_unref(web);
    return h;
}

static const struct row {
    const char *name;
    struct link a[6], b[6];
    bool same;
} rows[] = {
    { "the same chain", { { "/init" }, { "/agent" } }, { { "/init" }, { "/agent" } }, true },
    { "another launcher", { { "/init" }, { "/agent" } }, { { "/cron" }, { "/agent" } }, false },
    { "it forks itself", { { "/init" }, { "/agent" }, { "/agent" } }, { { "/init" }, { "/agent" } }, true },
    { "of a container, its way in from the host does not count",
      { { "/shim" }, { "/runc" }, { "/sh", true }, { "/rm", true } },
      { { "/shim" }, { "/sh", true }, { "/rm", true } },
      true },
    { "of a container, what launched it in there counts",
      { { "/shim" }, { "/cron", true }, { "/rm", true } },
      { { "/shim" }, { "/sh", true }, { "/rm", true } },
      false },
    { "a runtime's stage in the container's cgroup is not yet there",
      { { "/runc" }, { "/runc", true, 1 }, { "/busybox", true, 2 } },
      { { "/runc" }, { "/memfd:runc", true, 1 }, { "/busybox", true, 2 } },
      true },
    { "on the host and in a container", { { "/shim" }, { "/rm" } }, { { "/shim" }, { "/rm", true } }, false },
};

static void compares(void **state)
{
    const struct row *row = *state;

    if (row->same)
        assert_true(fingerprint_equal(suspect(row->a), suspect(row->b)));
    else
        assert_false(fingerprint_equal(suspect(row->a), suspect(row->b)));
}

/* Stores hold it: the same for ever. (Groups of one suspect under two numbers are joined when they are read.) */
static void a_suspect_keeps_his_number(void **state)
{
    static const struct link links[] = { { "/sbin/init" }, { "/usr/bin/agent" }, { "/bin/rm" }, { 0 } };

    (void)state;
    assert_int_equal(suspect(links).number, 0x26200a28558533f7ull);
    assert_int_equal(suspect(links).rest, 0x3b566836824583d1ull);
}

static void what_is_lent_outlives_its_lender(void **state)
{
    struct shared_arena *memory = shared_arena_new();
    struct event *e = event_new(), *other = event_new();

    (void)state;
    e->lent = shared_arena_ref(memory);
    e->actor.executable = arena_copy(&memory->arena, bytes_of("/usr/bin/agent"));
    other->lent = shared_arena_ref(memory);
    shared_arena_unref(memory);
    event_free(other);
    assert_bytes(e->actor.executable, "/usr/bin/agent");
    event_free(e);
}

/* Every byte counts, and how many there are; where they lie does not. */
static void words_are_hashed_whole(void **state)
{
    char text[40] = { 0 }, moved[41];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        uint64_t h = hash_words(HASH_START, text, len);

        memcpy(moved + 1, text, sizeof(text));
        assert_int_equal(hash_words(HASH_START, moved + 1, len), h);
        assert_int_not_equal(hash_words(HASH_START, text, len + 1), h);
        for (size_t i = 0; i < len; i++) {
            moved[1 + i] ^= 1;
            assert_int_not_equal(hash_words(HASH_START, moved + 1, len), h);
            moved[1 + i] ^= 1;
        }
    }
}

static void ids(void **state)
{
    uint8_t first[16], second[16], other[16], again[16];

    (void)state;
    event_make_id(0x00ff, UINT64_MAX, first);
    event_make_id(0x0100, 0, second);
    event_make_id(0x0100, 1, other);
    event_make_id(0x0100, 1, again);
    assert_true(memcmp(first, second, sizeof(first)) < 0); /* by time, whatever the hash */
    assert_memory_not_equal(second, other, sizeof(other));
    assert_memory_equal(other, again, sizeof(other));
}

static void some_errors_are_refusals(void **state)
{
    (void)state;
    assert_true(operation_error_is_refusal(EACCES) && operation_error_is_refusal(EPERM));
    assert_true(operation_error_is_refusal(EROFS) && operation_error_is_refusal(ETXTBSY));
    assert_true(operation_error_is_refusal(ENOSPC) && operation_error_is_refusal(ENOTEMPTY));
    /* what mv hears of FUSE and asks again without flags; a name that is not there; a call that is restarted */
    assert_false(operation_error_is_refusal(EINVAL) || operation_error_is_refusal(ENOENT));
    assert_false(operation_error_is_refusal(512) || operation_error_is_refusal(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ids), cmocka_unit_test(a_suspect_keeps_his_number),
                                        cmocka_unit_test(words_are_hashed_whole),
                                        cmocka_unit_test(what_is_lent_outlives_its_lender),
                                        cmocka_unit_test(some_errors_are_refusals) };

    return RUN_ROWS(rows, compares) + cmocka_run_group_tests(tests, NULL, NULL);
}
