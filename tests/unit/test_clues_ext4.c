/* SPDX-License-Identifier: MIT */
/* Deleted files by what ext4 keeps of them: on a file system of our own. */
#include "test.h"
#include "ext4_image.h"

static const struct name_row {
    const char *name, *options;
    bool in_leafs; /* also what is in no first block of a directory */
} rows[] = {
    { "names from the journal", "-b 1024", true },
    { "names from the journal, blocks of 4 KiB", "-b 4096", true },
    { "names from the journal, without checksums", "-b 1024 -O ^metadata_csum", false },
    { "names from the journal, short block numbers", "-b 1024 -O ^64bit,^metadata_csum", false },
    { "names from the journal, short numbers and checksums", "-b 1024 -O ^64bit", true },
    { "no names without a journal", "-b 1024 -O ^has_journal", false },
};

static void test_names(void **state)
{
    const struct name_row *row = *state;
    bool has = !strstr(row->options, "^has_journal");
    _cleanup_close_ int device = -EBADF;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct image image;

    make_image(row->options, &image);
    if (!image.made)
        skip();
    device = open_image(O_RDONLY);
    read_to_text(&image, device, &text);
    if (getenv("SHOW_CLUES"))
        fprintf(stderr, "%s\n%s", row->name, sbuf_str(&text));
    assert_int_equal(!!strstr(sbuf_str(&text), "older copies of /srv/d in the journal"), has);
    assert_int_equal(!!strstr(sbuf_str(&text), "have that inode as b"), has);
    assert_int_equal(!!strstr(sbuf_str(&text), "have that inode as sub"), has);
    assert_int_equal(!!strstr(sbuf_str(&text), "older copies of /srv/d/sub in the journal"), has);
    assert_int_equal(!!strstr(sbuf_str(&text), "have that inode as c"), has);
    assert_int_equal(!!strstr(sbuf_str(&text), "have that inode as n150-with"), row->in_leafs);
    assert_null(strstr(sbuf_str(&text), "as a\n")); /* it is still there */
    assert_null(strstr(sbuf_str(&text), "n151"));
    assert_int_equal(!!strstr(sbuf_str(&text), "whose names are gone"), !row->in_leafs);
    assert_int_equal(!!strstr(sbuf_str(&text), "no journal"), !has);
    assert_null(strstr(sbuf_str(&text), "damaged"));
}

/* Gives an inode a later birth. */
static void make_later(const struct image *image, uint64_t inode)
{
    char command[256];

    snprintf(command, sizeof(command), "PATH=$PATH:/sbin:/usr/sbin debugfs -w -R 'set_inode_field <%llu> crtime @%llu' %s/image 2>/dev/null",
             (unsigned long long)inode, (unsigned long long)(image->to_ns / NS_PER_S + 1), base);
    assert_int_equal(system(command), 0);
}

/* What is said of an image whose inode, of the directory or of the file b, was made after the copy. */
static void read_used_again(const char *options, bool directory, struct sbuf *text)
{
    _cleanup_close_ int device = -EBADF;
    struct image image;

    make_image(options, &image);
    if (!image.made)
        skip();
    make_later(&image, directory ? image.directory : image.b);
    device = open_image(O_RDONLY);
    read_to_text(&image, device, text);
}

/* Nor is a directory that was made after the copy the one whose block that was. */
static void test_directory_used_again(void **state)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    (void)state;
    read_used_again("-b 1024 -O ^metadata_csum", true, &text);
    assert_null(strstr(sbuf_str(&text), "have that inode as b"));
    assert_null(strstr(sbuf_str(&text), "have that inode as sub"));
}

/* An inode that was made after the copy is another file. */
static void test_used_again(void **state)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    (void)state;
    read_used_again("-b 1024", false, &text);
    assert_null(strstr(sbuf_str(&text), "have that inode as b"));
    assert_non_null(strstr(sbuf_str(&text), "have that inode as c"));
    assert_non_null(strstr(sbuf_str(&text), "whose names are gone"));
}

/* What an encrypted directory has as names is none. */
static void test_encrypted(void **state)
{
    _cleanup_close_ int device = -EBADF;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct image image;
    char command[256];

    (void)state;
    make_image("-b 1024", &image);
    if (!image.made)
        skip();
    /* its extents and index are as they were */
    snprintf(command, sizeof(command), "PATH=$PATH:/sbin:/usr/sbin debugfs -w -R 'set_inode_field d/many flags 0x81800' %s/image 2>/dev/null", base);
    assert_int_equal(system(command), 0);
    device = open_image(O_RDONLY);
    read_to_text(&image, device, &text);
    assert_null(strstr(sbuf_str(&text), "n150"));
    assert_non_null(strstr(sbuf_str(&text), "have that inode as b"));
    assert_non_null(strstr(sbuf_str(&text), "(names in 1 encrypted directory are not known)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_used_again),
        cmocka_unit_test(test_directory_used_again),
        cmocka_unit_test(test_encrypted),
    };
    int failed;

    if (make_base(NULL) < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(rows, test_names);
    (void)remove_base(NULL);
    return failed;
}
