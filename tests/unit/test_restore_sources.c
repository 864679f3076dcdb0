/* SPDX-License-Identifier: MIT */
/* What git and the worker that unpacks answer: read to its end, and not beyond. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "copies/pack.h"
#include "restore/digest.h"
#include "restore/git_index.h"
#include "restore/host_ids.h"
#include "restore/unpack.h"
#include "restore/page.h"
#include "restore/restore.h"
#include "util/clock.h"

#define OID "0123456789abcdef0123456789abcdef01234567"

static const struct entry_row {
    const char *name, *text; /* NUL behind it */
    int r;
    bool left_out;
    const char *path;
} entry_rows[] = {
    { "a file", "H 100644 " OID " 0\ta/b", 1, false, "a/b" },
    { "an executable one", "H 100755 " OID " 0\tx", 1, false, "x" },
    { "a link", "H 120000 " OID " 0\tl", 1, false, "l" },
    { "of another tag", "h 100644 " OID " 0\tx", 1, false, "x" },
    { "a newline and a tab in its name", "H 100644 " OID " 0\ta\n\tb", 1, false, "a\n\tb" },
    { "a submodule", "H 160000 " OID " 0\tm", 1, true, "m" },
    { "in conflict", "M 100644 " OID " 2\tx", 1, true, "x" },
    { "not checked out", "S 100644 " OID " 0\tx", 1, true, "x" },
    { "leads up", "H 100644 " OID " 0\ta/../../x", 1, true, "a/../../x" },
    { "absolute", "H 100644 " OID " 0\t/etc/x", 1, true, "/etc/x" },
    { "into git's own", "H 100644 " OID " 0\t.GIT/hooks/x", 1, true, ".GIT/hooks/x" },
    { "set-user-ID", "H 104755 " OID " 0\tx", 1, true, "x" },
    { "no name", "H 100644 " OID " 0\t", -EBADMSG, false, NULL },
    { "no tab", "H 100644 " OID " 0", -EBADMSG, false, NULL },
    { "a short object", "H 100644 0123 0\tx", -EBADMSG, false, NULL },
    { "no object", "H 100644 0123456789ABCDEF0123456789abcdef01234567 0\tx", -EBADMSG, false, NULL },
    { "no mode", "H x " OID " 0\tx", -EBADMSG, false, NULL },
    { "rubbish", "\x1b", -EBADMSG, false, NULL },
};

static void entries(void **state)
{
    const struct entry_row *row = *state;
    struct bytes text = { row->text, strlen(row->text) + 1 };
    struct git_entry e;

    assert_int_equal(git_next_entry(&text, &e), row->r);
    if (row->r < 0)
        return;
    assert_true(bytes_equal_str(e.path, row->path));
    assert_int_equal(e.left_out, row->left_out);
    assert_int_equal(git_next_entry(&text, &e), 0);
}

static void blobs(void **state)
{
    struct bytes all = bytes_of(OID " blob 3\na\nb\n" OID " missing\n" OID " commit 2\nxx\n" OID " blob 99\nshort\n"), oid, content;
    bool known;

    (void)state;
    assert_true(git_next_blob(&all, &oid, &known, &content) && known && bytes_equal_str(content, "a\nb") && bytes_equal_str(oid, OID));
    assert_true(git_next_blob(&all, &oid, &known, &content) && !known && content.len == 0);
    assert_true(git_next_blob(&all, &oid, &known, &content) && !known && content.len == 2);
    assert_false(git_next_blob(&all, &oid, &known, &content)); /* not all there */
    all = bytes_of(OID " blob 18446744073709551615\nx\n");
    assert_false(git_next_blob(&all, &oid, &known, &content));
    assert_true(git_blob_is(bytes_of(""), bytes_of("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")));
    assert_true(git_blob_is(bytes_of("hello\n"), bytes_of("ce013625030ba8dba906f756967f9e9ca394464a")));
    assert_false(git_blob_is(bytes_of("hello"), bytes_of("ce013625030ba8dba906f756967f9e9ca394464a")));
}

static void answers(void **state)
{
    char text[400];
    struct unpacked_file f;

    (void)state;
    for (size_t len = 1; len < sizeof(text); len++) { /* whatever it is, it ends */
        struct bytes rest;
        int r;

        for (size_t i = 0; i < len; i++)
            text[i] = (char)(len % 3 ? 0xff : i);
        rest = (struct bytes){ text, len };
        while ((r = unpack_next(&rest, &f)) > 0)
            ;
        assert_int_equal(r, -EBADMSG);
    }
}

/* ---- a package of rpm ---- */

static void add_cpio(struct sbuf *out, const char *path, unsigned inode, unsigned mode, unsigned links, const char *content)
{
    sbuf_addf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode, 0, 0, links, 1577934245, (unsigned)strlen(content), 0, 0, 0, 0,
              (unsigned)strlen(path) + 1, 0);
    sbuf_add(out, path, strlen(path) + 1);
    while (out->len % 4)
        sbuf_add_char(out, '\0');
    sbuf_add_str(out, content);
    while (out->len % 4)
        sbuf_add_char(out, '\0');
}

/* As rpm writes it: of several names of one inode the last one has the content. */
static void make_rpm(struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf payload = SBUF_INIT;
    static const char header[16] = "\x8e\xad\xe8\x01";

    sbuf_add(out, "\xed\xab\xee\xdb\x03", 5);
    sbuf_fill(out, '\0', 96 - 5);
    sbuf_add(out, header, sizeof(header));
    sbuf_add(out, header, sizeof(header));
    add_cpio(&payload, "./opt", 1, 040755, 2, "");
    add_cpio(&payload, "./opt/a", 2, 0104711, 1, "one\n");
    add_cpio(&payload, "./opt/h1", 3, 0100640, 3, "");
    add_cpio(&payload, "./opt/h2", 3, 0100640, 3, "");
    add_cpio(&payload, "./opt/h3", 3, 0100640, 3, "of three\n");
    add_cpio(&payload, "./opt/link", 4, 0120777, 1, "../a");
    add_cpio(&payload, "./opt/void1", 5, 0100600, 2, "");
    add_cpio(&payload, "./opt/void2", 5, 0100600, 2, "");
    add_cpio(&payload, "TRAILER!!!", 0, 0, 1, "");
    sbuf_add_bytes(out, sbuf_bytes(&payload));
}

static void unpacks_rpm(void **state)
{
    static const struct {
        const char *path, *content, *link;
        unsigned mode;
    } expected[] = {
        { "/opt", "", "", 040755 },          { "/opt/a", "one\n", "", 0104711 },  { "/opt/h1", "of three\n", "", 0100640 },
        { "/opt/h3", "of three\n", "", 0100640 }, { "/opt/link", "", "../a", 0120777 }, { "/opt/void2", "", "", 0100600 },
    };
    static const char asked[] = "/opt/void2\0/opt/link\0/opt/h3\0/opt/h1\0/opt/a\0/opt\0/none";
    _cleanup_sbuf_ struct sbuf rpm = SBUF_INIT, answer = SBUF_INIT;
    struct unpacked_file f;
    struct bytes rest;

    (void)state;
    if (!unpack_is_possible())
        skip();
    make_rpm(&rpm);
    assert_int_equal(unpack_package(sbuf_bytes(&rpm), (struct bytes){ asked, sizeof(asked) }, &answer), 0);
    rest = sbuf_bytes(&answer);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_int_equal(unpack_next(&rest, &f), 1);
        assert_true(bytes_equal_str(f.path, expected[i].path) && bytes_equal_str(f.link, expected[i].link));
        assert_true(bytes_equal_str(f.content, expected[i].content));
        assert_int_equal(f.st.st_mode, expected[i].mode);
        assert_int_equal(f.st.st_mtim.tv_sec, 1577934245);
        assert_false(f.hard_link || f.left_out || f.too_large);
    }
    assert_int_equal(unpack_next(&rest, &f), 0);
    for (size_t len = 0; len < rpm.len - 200; len += 3) { /* what is not whole is said to be that */
        sbuf_clear(&answer);
        assert_int_equal(unpack_package((struct bytes){ rpm.data, len }, (struct bytes){ asked, sizeof(asked) }, &answer), -EBADMSG);
    }
}

static void digests(void **state)
{
    const struct package_sum md5 = { .kind = PACKAGE_DIGEST_MD5, .hex = bytes_of("b1946ac92492d2347c6235b4d2611184") };
    const struct package_sum sha256 = { .kind = PACKAGE_DIGEST_SHA256, .hex = bytes_of("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03") };
    const struct package_sum cut = { .kind = PACKAGE_DIGEST_SHA256, .hex = bytes_of("5891b5b522d5df086d0ff0b110fbd9d2") };
    const struct package_sum other = { .kind = PACKAGE_DIGEST_OTHER, .hex = sha256.hex }, none = { 0 };

    (void)state;
    assert_true(package_digest_is(bytes_of("hello\n"), &md5) && package_digest_is(bytes_of("hello\n"), &sha256));
    assert_false(package_digest_is(bytes_of("hello"), &md5) || package_digest_is(BYTES_NULL, &sha256) || package_digest_is(bytes_of("hello\n"), &cut));
    assert_false(package_digest_is(bytes_of("hello\n"), &other) || package_digest_is(BYTES_NULL, &none));
}

static const struct fit_row {
    const char *name;
    struct package_sum sum;
    uint32_t mode;
    const char *content, *link;
    bool fits;
} fit_rows[] = {
    { "nothing is on record", { 0 }, S_IFREG | 0755, "x", "", true },
    { "a folder", { .type = S_IFDIR }, S_IFDIR | 0755, "", "", true },
    { "a file for a folder", { .type = S_IFDIR }, S_IFREG | 04755, "x", "", false },
    { "a file for a link", { .type = S_IFLNK, .link = BYTES("f") }, S_IFREG | 0777, "x", "", false },
    { "a link", { .type = S_IFLNK, .link = BYTES("f") }, S_IFLNK | 0777, "", "f", true },
    { "it leads elsewhere", { .type = S_IFLNK, .link = BYTES("f") }, S_IFLNK | 0777, "", "/tmp/f", false },
    { "where it leads is not known", { .type = S_IFLNK }, S_IFLNK | 0777, "", "f", true },
    { "a link for a file", { .kind = PACKAGE_DIGEST_MD5, .hex = BYTES("b1946ac92492d2347c6235b4d2611184") }, S_IFLNK | 0777, "hello\n", "f", false },
    { "a file", { .kind = PACKAGE_DIGEST_MD5, .hex = BYTES("b1946ac92492d2347c6235b4d2611184"), .type = S_IFREG }, S_IFREG, "hello\n", "", true },
};

static void fits(void **state)
{
    const struct fit_row *row = *state;

    assert_int_equal(package_sum_fits(&row->sum, row->mode, bytes_of(row->content), bytes_of(row->link)), row->fits);
}

static const struct give_row {
    const char *name, *user, *group;
    mode_t mode; /* of 06755 */
    uid_t uid;   /* was 7 */
    gid_t gid;   /* was 8 */
} give_rows[] = {
    { "both are known", "one", "staff", 06755, 1, 50 },
    { "no names", "", "", 06755, 7, 8 },
    { "by numbers", "#12", "#13", 06755, 12, 13 },
    { "a user that is not known: nobody else's rights", "gone", "staff", 02755, 7, 50 },
    { "a group that is not known", "one", "gone", 04755, 1, 8 },
    { "no number", "#1x", "#", 0755, 7, 8 },
};

static void gives_owners(void **state)
{
    const struct give_row *row = *state;
    const struct host_ids ids = { .users = bytes_of("root:x:0:0::/:\none:x:1:1::/:\n"), .groups = bytes_of("root:x:0:\nstaff:x:50:\n") };
    struct stat st = { .st_mode = S_IFREG | 06755, .st_uid = 7, .st_gid = 8 };

    assert_int_equal(host_ids_give(&ids, bytes_of(row->user), bytes_of(row->group), &st), row->mode == 06755);
    assert_int_equal(st.st_mode, S_IFREG | row->mode);
    assert_int_equal(st.st_uid, row->uid);
    assert_int_equal(st.st_gid, row->gid);
}

static void index_of_copies(void **state)
{
    struct copy_record record = { .magic = COPY_MAGIC, .path_len = 4, .link_len = 1, .mode = 0120777 };
    char text[2 * (sizeof(record) + 5)];
    struct copy copy;

    (void)state;
    record.check = copy_check(&record, bytes_of("/a/b"), bytes_of("l"), BYTES_NULL);
    memcpy(text, &record, sizeof(record));
    memcpy(text + sizeof(record), "/a/bl", 5);
    memcpy(text + sizeof(record) + 5, text, sizeof(record) + 5);
    for (size_t len = 0; len <= sizeof(text); len++) { /* what is not whole is none */
        struct bytes rest = { text, len };
        size_t n = 0;

        while (copy_next(&rest, &copy)) {
            n++;
            assert_true(bytes_equal_str(copy.path, "/a/b") && bytes_equal_str(copy.link, "l") && !copy.xattrs.len);
        }
        assert_int_equal(n, len / (sizeof(record) + 5));
    }
    for (size_t i = 0; i < sizeof(record) + 5; i++) { /* nor what is damaged, anywhere */
        struct bytes rest = { text, sizeof(record) + 5 };

        text[i] ^= 1;
        assert_false(copy_next(&rest, &copy));
        text[i] ^= 1;
    }
}

/* ---- kept copies ---- */

static const struct kept_row {
    const char *name, *path;
    int r;
    size_t items;
} kept_rows[] = {
    { "what has gone", "/nowhere/kept/f", 0, 1 },
    { "below it", "/nowhere/kept", 0, 2 },
    { "above it", "/nowhere", 0, 3 },
    { "went for long", "/nowhere/kept/old", 0, 0 },
    { "never kept", "/nowhere/other", -ENOENT, 0 },
    { "never kept, in a folder that went", "/nowhere/kept/old/never", -ENOENT, 0 },
    { "never kept, beside it", "/nowhere/kept/f2", -ENOENT, 0 },
};

static void keep(struct pack *p, const char *path, uint64_t time_ns, unsigned mode, unsigned flags)
{
    struct copy_record record = { .time_ns = time_ns, .mode = mode, .flags = flags };
    struct bytes content = bytes_of("text");

    assert_int_equal(pack_add(p, &record, bytes_of(path), BYTES_NULL, BYTES_NULL, S_ISREG(mode) ? &content : NULL), 0);
}

static void on_notice(void *data, const char *text)
{
    (void)data;
    (void)text;
}

static void keep_some(const char *directory)
{
    const uint64_t now = clock_ns(CLOCK_REALTIME), day = 86400 * NS_PER_S;
    struct err err = ERR_INIT;
    struct pack *p;

    assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
    keep(p, "/nowhere", now - 3 * day, S_IFDIR | 0755, COPY_AT_BEGIN);
    keep(p, "/nowhere/kept", now - 3 * day, S_IFDIR | 0755, COPY_AT_BEGIN);
    keep(p, "/nowhere/kept/old", now - 3 * day, S_IFDIR | 0755, COPY_AT_BEGIN);
    keep(p, "/nowhere/kept/f", now - 3 * day, S_IFREG | 0644, COPY_AT_BEGIN);
    keep(p, "/nowhere/kept/old", now - 2 * day, 0, COPY_GONE);
    pack_close(p);
}

/* Of /tmp/culprit-sources-XXXXXX, which keep_some() fills. */
static int restore_some(char *directory, const char *path, struct restore_items *ret, struct restore_summary *ret_summary)
{
    const struct store_query query = { .path = bytes_of(path) };
    struct restore_options options = { .dry_run = true, .copies = directory, .query = &query, .notice = on_notice };
    struct err err = ERR_INIT;

    assert_non_null(mkdtemp(directory));
    keep_some(directory);
    return restore_copies(NULL, query.path, &options, ret, ret_summary, &err);
}

static void remove_copies(const char *directory)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

static void kept_or_not(void **state)
{
    const struct kept_row *row = *state;
    char directory[] = "/tmp/culprit-sources-XXXXXX";
    struct restore_summary summary = { 0 };
    struct restore_items items = { 0 };
    struct copies copies;

    assert_int_equal(restore_some(directory, row->path, &items, &summary), row->r);
    assert_int_equal(items.count, row->items);
    assert_int_equal(copies_read(directory, bytes_of(row->path), &copies, NULL), 0);
    assert_int_equal(copies_has(&copies, bytes_of(row->path)), row->r == 0);
    copies_done(&copies);
    restore_items_done(&items);
    remove_copies(directory);
}

/* ---- what to do after a dry run ---- */

static const struct next_row {
    const char *name, *store, *asked, *is;
} next_rows[] = {
    { "nothing was asked for", NULL, "", "next    culprit restore /nowhere · culprit clues /nowhere\n" },
    { "another store", "/srv/a b.db", "",
      "next    culprit restore --store '/srv/a b.db' /nowhere · culprit clues --store '/srv/a b.db' /nowhere\n" },
    { "a source", NULL, "--from copies ", "next    culprit restore --from copies /nowhere · culprit clues /nowhere\n" },
};

static void names_the_same_question(void **state)
{
    const struct next_row *row = *state;
    char directory[] = "/tmp/culprit-sources-XXXXXX";
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct restore_summary summary = { 0 };
    struct restore_items items = { 0 };
    const struct restore_page page = { .items = &items, .summary = &summary, .target = bytes_of("/nowhere"), .source = bytes_of("kept copies"),
                                       .store = bytes_of(row->store), .asked = bytes_of(row->asked), .in_pieces = true, .dry_run = true };

    assert_int_equal(restore_some(directory, "/nowhere", &items, &summary), 0);
    restore_page_text(&page, &out);
    assert_true(bytes_ends_with(sbuf_bytes(&out), bytes_of(row->is)));
    restore_items_done(&items);
    remove_copies(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(blobs), cmocka_unit_test(answers), cmocka_unit_test(unpacks_rpm),
                                        cmocka_unit_test(digests), cmocka_unit_test(index_of_copies) };

    return RUN_ROWS(fit_rows, fits) + RUN_ROWS(give_rows, gives_owners) + RUN_ROWS(entry_rows, entries) + RUN_ROWS(kept_rows, kept_or_not) + RUN_ROWS(next_rows, names_the_same_question) + cmocka_run_group_tests(tests, NULL, NULL);
}
