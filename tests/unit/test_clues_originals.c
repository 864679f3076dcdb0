/* SPDX-License-Identifier: MIT */
/* What sources of clues make of what a file was: packages, locate's databases, git, copies beside it. */
#include "test.h"
#include "clues_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

#include "clues/beside.h"
#include "clues/original.h"
#include "util/cleanup.h"

static void test_beside(void **state)
{
    static const struct {
        const char *name, *suspect; /* NULL: it says nothing */
        uint64_t after;
        bool there;
    } cases[] = { { "a.conf.rpmsave", "rpm", 0, false }, { "a.conf.rpmsave", "", 100, false }, { "a.conf.1.gz", "", 0, false },
                  { "a.conf~", "", 0, false },           { "a.conf.dpkg-old", "dpkg", 0, true }, { "a.conf.dpkg-old", "", 100, true },
                  { "a.conf~", NULL, 0, true },          { "a.conf.dpkg-dist", NULL, 0, true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
        struct clue_fact f;

        beside_name(&s, bytes_of("/etc/a.conf"), bytes_of(cases[i].name), AT, cases[i].there, AT + cases[i].after * SECOND);
        if (!cases[i].suspect) {
            assert_int_equal(s.len, 0);
            continue;
        }
        f = only(&s);
        assert_int_equal(f.kind, CLUE_KEPT);
        assert_bytes(f.suspect, cases[i].suspect);
        beside_name(&s, bytes_of("/etc/a"), bytes_of(cases[i].name), AT, cases[i].there, AT); /* another file's */
        (void)only(&s);
    }
}

/* ---- originals ---- */

static void test_dpkg_list(void **state)
{
    struct clue_question q = question_of("/usr/bin/x");
    static const struct original_conffiles none;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct bytes rest;
    struct original o;

    (void)state;
    /* of a merged system: the list has /bin/x */
    original_dpkg(&s, &q, bytes_of("package p"), bytes_of("/.\n/bin\n/bin/x\n/etc\n/etc/y\n"),
                  bytes_of("0123456789abcdef0123456789abcdef  bin/x\nshort\n"), &none);
    rest = sbuf_bytes(&s);
    assert_int_equal(original_get(&rest, &o), 0);
    assert_bytes(o.path, "/bin/x");
    assert_bytes(o.digest, "0123456789abcdef0123456789abcdef");
    assert_int_equal(rest.len, 0);
    /* directories of a list are not files */
    sbuf_clear(&s);
    q.path = bytes_of("/etc");
    original_dpkg(&s, &q, bytes_of("package p"), bytes_of("/etc\n/etc/d\n/etc/d/y\n"), BYTES_NULL, &none);
    rest = sbuf_bytes(&s);
    assert_int_equal(original_get(&rest, &o), 0);
    assert_bytes(o.path, "/etc/d/y");
    assert_int_equal(rest.len, 0);
}

static void put_be32(struct sbuf *s, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        sbuf_add_char(s, (char)(v >> shift));
}

/* An entry of version 2 or 4: no times but mtime, a file of 7 bytes. */
static void put_entry(struct sbuf *s, unsigned version, const char *name, unsigned strip)
{
    size_t at = s->len;

    for (unsigned i = 0; i < 10; i++)
        put_be32(s, i == 2 ? 1000 : i == 6 ? 0100644 : i == 9 ? 7 : 0);
    sbuf_fill(s, '\1', 20);
    sbuf_add_char(s, 0);
    sbuf_add_char(s, (char)strlen(name));
    if (version == 4)
        sbuf_add_char(s, (char)strip);
    sbuf_add(s, name, strlen(name) + 1);
    while (version != 4 && (s->len - at) % 8)
        sbuf_add_char(s, 0);
}

static size_t put_little(char *at, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (char)(n >> 8 * i);
    return bytes;
}

/* A database of plocate with one block of names. */
static size_t make_plocate(char *db, const char *names, size_t len)
{
    size_t block = ZSTD_compress(db + 128, 1024, names, len, 1);

    assert_false(ZSTD_isError(block));
    memset(db, 0, 128);
    memcpy(db, "\0plocate", 8);
    put_little(db + 8, 1, 4);
    put_little(db + 20, 1, 4);
    put_little(db + 32, 128 + block, 8);
    put_little(db + 128 + block, 128, 8);
    put_little(db + 128 + block + 8, 128 + block, 8);
    return 128 + block + 16;
}

static void test_locate(void **state)
{
    static const char names[] = "/etc/x\0/srv/data\0/srv/data/b\0/srv/database", mdb[] = "\0mlocate\0\0\0\2\0\0\0\0/\0c\0"
                                                                                             "0123456789abcdef/srv\0\1data\0\0other\0\2"
                                                                                             "0123456789abcdef/srv/data\0\0b\0\2";
    struct clue_question q = question_of("/srv/data");
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    char db[2048];
    size_t len = make_plocate(db, names, sizeof(names));
    struct original o;
    struct bytes rest;

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct bytes all = kind ? (struct bytes){ mdb, sizeof(mdb) - 1 } : (struct bytes){ db, len };

        sbuf_clear(&s);
        assert_int_equal(original_locate(&s, &q, AT, all), 0);
        rest = sbuf_bytes(&s);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/data");
        assert_bytes(o.owner, "locate's database of 2026-11-28 20:13:20");
        assert_int_equal(o.seen_ns, AT);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/data/b");
        assert_int_equal(rest.len, 0);
        /* cut, and damaged at each place: the sanitizer sees each byte beyond */
        for (size_t cut = 0; cut < all.len; cut++) {
            _cleanup_free_ char *copy = malloc(all.len);

            memcpy(copy, all.data, all.len);
            (void)original_locate(&s, &q, AT, (struct bytes){ copy + all.len - cut, cut });
            copy[cut] = (char)~copy[cut];
            (void)original_locate(&s, &q, AT, (struct bytes){ copy, all.len });
        }
    }
    assert_int_equal(original_locate(&s, &q, AT, bytes_of("something else that is long enough")), -EBADMSG);
}

static void test_git_index(void **state)
{
    for (unsigned version = 2; version <= 4; version += 2) {
        struct clue_question q = question_of("/srv/r/dir");
        _cleanup_sbuf_ struct sbuf index = SBUF_INIT, s = SBUF_INIT;
        struct bytes rest;
        struct original o;

        (void)state;
        sbuf_add_str(&index, "DIRC");
        put_be32(&index, version);
        put_be32(&index, 3);
        put_entry(&index, version, "a", 0);
        put_entry(&index, version, "dir/one", 1);
        put_entry(&index, version, version == 4 ? "two" : "dir/two", 3);
        assert_int_equal(original_git(&s, &q, bytes_of("/srv/r"), sbuf_bytes(&index)), 0);
        rest = sbuf_bytes(&s);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/r/dir/one");
        assert_int_equal(o.size, 7);
        assert_int_equal(o.mtime_s, 1000);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_bytes(o.path, "/srv/r/dir/two");
        assert_int_equal(rest.len, 0);
        for (size_t len = 0; len < index.len - 8; len++)
            assert_int_equal(original_git(&s, &q, bytes_of("/srv/r"), (struct bytes){ index.data, len }), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_dpkg_list),
        cmocka_unit_test(test_git_index),
    };
    int failed;

    setenv("TZ", "UTC", 1);
    tzset();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
