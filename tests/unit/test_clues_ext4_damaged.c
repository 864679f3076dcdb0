/* SPDX-License-Identifier: MIT */
/* Deleted files by what ext4 keeps of them: of file systems that are damaged in every place, and of none. */
#include "test.h"
#include "ext4_image.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MEMORY_MAX (512ul * 1024 * 1024) /* what the worker has (foreign/sandbox.c) */
#define TIME_MAX_MS 5000 /* of a processor: how long that takes is the machine's affair */
#define ROUNDS 400

/* ---- damaged ones ---- */

struct damaging {
    char *bytes; /* the image */
    size_t len;
    uint64_t seed;
    uint64_t table, journal, directory; /* offsets; 0: not found */
};

static uint32_t any(struct damaging *d)
{
    d->seed ^= d->seed << 13;
    d->seed ^= d->seed >> 7;
    d->seed ^= d->seed << 17;
    return (uint32_t)(d->seed >> 16);
}

static uint32_t get32(const struct damaging *d, size_t at)
{
    uint32_t value;

    memcpy(&value, d->bytes + at, sizeof(value));
    return value;
}

static void put32(struct damaging *d, size_t at, uint32_t value)
{
    memcpy(d->bytes + at, &value, sizeof(value));
}

#define SUPER 1024
#define GROUPS 2048 /* with blocks of 1 KiB */

static void find_places(struct damaging *d, uint64_t directory)
{
    d->table = (uint64_t)get32(d, GROUPS + 8) * 1024;
    for (size_t at = 0; at + 1024 <= d->len; at += 1024) {
        if (!d->journal && memcmp(d->bytes + at, "\xC0\x3B\x39\x98\0\0\0\4", 8) == 0)
            d->journal = at;
        if (get32(d, at) == directory && memcmp(d->bytes + at + 4, "\x0c\0\1\2.", 5) == 0 && (!d->journal || at < d->journal))
            d->directory = at;
    }
}

/* What all of a field can be. */
static const uint32_t values[] = { 0, 1, 2, 3, 7, 8, 11, 12, 255, 1023, 1024, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

/* Part `n` of the damage that is done by a table. */
#define SUPER_FIELDS 256

#define TABLED (SUPER_FIELDS + 8)

static void damage_by_table(struct damaging *d, unsigned n)
{
    if (n < SUPER_FIELDS) { /* each field of the superblock, with another value each time */
        put32(d, SUPER + n * 4, values[(n + any(d)) % ARRAY_SIZE(values)]);
        return;
    }
    switch (n - SUPER_FIELDS) {
    case 0: /* all groups in one place: that of the tables themselves */
        for (unsigned i = 0; i < 8; i++)
            put32(d, GROUPS + i * 64 + 8, 1);
        break;
    case 1: /* inodes of 64 KiB */
        put32(d, SUPER + 88, 0xffff);
        break;
    case 2: /* an entry of no length, on the way to the next */
        put32(d, d->directory + 12 + 4, 0x02020000);
        break;
    case 3: /* one that leads behind the block */
        put32(d, d->directory + 12 + 4, 0x0202fffc);
        break;
    case 4: /* "sub" is the directory itself */
        put32(d, d->directory + 24, get32(d, d->directory));
        break;
    case 5: /* the journal's inode maps to itself: an index without an end */
        put32(d, d->table + 7 * 256 + 40, 0x0001f30a);
        put32(d, d->table + 7 * 256 + 44, 0x00050004);
        put32(d, d->table + 7 * 256 + 56, (uint32_t)(d->table / 1024));
        break;
    case 6: /* each block of the journal is a descriptor of one transaction without an end */
        for (size_t at = d->journal + 1024; at < d->journal + 1024 * 1024 && at + 1024 <= d->len; at += 1024)
            memcpy(d->bytes + at, "\xC0\x3B\x39\x98\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\x0a", 20);
        break;
    default: /* the journal is longer than the file system */
        put32(d, d->journal + 16, 0xffffffff);
        put32(d, d->journal + 20, 0x01000000);
        break;
    }
}

static void damage_anywhere(struct damaging *d)
{
    const struct {
        uint64_t at, len;
    } places[] = { { SUPER, 256 },           { GROUPS, 512 },          { d->table, 64 * 256 }, { d->journal, 1024 },
                   { d->journal, 256 * 1024 }, { d->directory, 1024 }, { 0, d->len } };
    unsigned which = any(d) % ARRAY_SIZE(places), count = 1 + any(d) % 32;

    for (unsigned i = 0; i < count; i++) {
        uint64_t at = places[which].at + any(d) % places[which].len;

        if (at + 4 > d->len)
            continue;
        if (any(d) % 2)
            d->bytes[at] ^= (char)(1u << any(d) % 8);
        else
            put32(d, at, values[any(d) % ARRAY_SIZE(values)]);
    }
}

/* As a worker would: 0 = an answer, or that it could not be read. */
static int child(const struct image *image, int device)
{
    struct deleted_place place = { device, -EBADF, image->directory, bytes_of("/srv/d") };
    struct clue_question q = question_of(image);
    struct sbuf answer = SBUF_INIT;
    struct clue_span cover;
    struct clue_fact f;
    struct bytes rest;
    struct rlimit time = { 4 * TIME_MAX_MS / 1000, 4 * TIME_MAX_MS / 1000 };
    int r, part;

#ifndef __SANITIZE_ADDRESS__
    struct rlimit limit = { MEMORY_MAX, MEMORY_MAX };

    (void)setrlimit(RLIMIT_AS, &limit);
#endif
    (void)setrlimit(RLIMIT_CPU, &time);
    r = deleted_read(&place, &q, &answer);
    if (r < 0)
        return r == -EBADMSG || r == -ENOMEM ? 0 : 1;
    for (rest = sbuf_bytes(&answer); (part = clue_take(&rest, &f, &cover)) > 0;)
        ;
    return part == CLUE_PART_END ? 0 : 2;
}

/* Of the processor; *ret_status is waitpid()'s. */
static uint64_t await_ms(pid_t pid, int *ret_status)
{
    struct rusage used;

    assert_int_equal(wait4(pid, ret_status, 0, &used), pid);
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static void test_damaged(void **state)
{
    _cleanup_close_ int file = -EBADF, device = memfd_create("image", MFD_CLOEXEC);
    struct damaging d = { .seed = 0x9E3779B97F4A7C15 };
    uint64_t longest = 0;
    struct image image;
    char *whole;

    (void)state;
    make_image("-b 1024", &image);
    if (!image.made)
        skip();
    file = open_image(O_RDONLY);
    d.len = (size_t)lseek(file, 0, SEEK_END);
    whole = mmap(NULL, d.len, PROT_READ, MAP_PRIVATE, file, 0);
    assert_true(whole != MAP_FAILED);
    assert_int_equal(ftruncate(device, (off_t)d.len), 0);
    d.bytes = mmap(NULL, d.len, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    assert_true(d.bytes != MAP_FAILED);
    memcpy(d.bytes, whole, d.len);
    find_places(&d, image.directory);
    assert_true(d.table && d.journal && d.directory);
    for (unsigned i = 0; i < TABLED + ROUNDS; i++) {
        uint64_t took;
        int status;
        pid_t pid;

        memcpy(d.bytes, whole, d.len);
        if (i < TABLED)
            damage_by_table(&d, i);
        else
            damage_anywhere(&d);
        pid = fork();
        if (pid == 0)
            _exit(child(&image, device));
        assert_true(pid > 0);
        took = await_ms(pid, &status);
        longest = MAX(longest, took);
        if (status || took > TIME_MAX_MS)
            print_error("damage %u: status %d after %llu ms\n", i, status, (unsigned long long)took);
        assert_int_equal(status, 0);
        assert_true(took <= TIME_MAX_MS);
    }
    munmap(whole, d.len);
    munmap(d.bytes, d.len);
    if (getenv("SHOW_CLUES"))
        fprintf(stderr, "the longest took %llu ms\n", (unsigned long long)longest);
}

/* It is said what could not be read: of the journal beside what was found, of the tables as a failure. */
static void test_said(void **state)
{
    _cleanup_close_ int file = -EBADF, device = memfd_create("image", MFD_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, answer = SBUF_INIT;
    struct deleted_place place = { device, -EBADF, 2, bytes_of("/srv/d") };
    struct damaging d = { 0 };
    struct clue_question q;
    struct image image;

    (void)state;
    make_image("-b 1024", &image);
    if (!image.made)
        skip();
    file = open_image(O_RDONLY);
    d.len = (size_t)lseek(file, 0, SEEK_END);
    assert_int_equal(ftruncate(device, (off_t)d.len), 0);
    d.bytes = mmap(NULL, d.len, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    assert_true(d.bytes != MAP_FAILED);
    assert_int_equal(pread(file, d.bytes, d.len, 0), d.len);
    find_places(&d, image.directory);
    put32(&d, d.journal, 0);
    read_to_text(&image, device, &text);
    assert_non_null(strstr(sbuf_str(&text), "its journal could not be read: damaged)"));
    assert_non_null(strstr(sbuf_str(&text), "whose names are gone"));
    for (unsigned i = 0; i < 8; i++) /* behind the end of the device */
        put32(&d, GROUPS + i * 64 + 8, (uint32_t)(d.len / 1024) - 1);
    q = question_of(&image);
    assert_int_equal(deleted_read(&place, &q, &answer), -EBADMSG);
    munmap(d.bytes, d.len);
}

static void test_no_file_system(void **state)
{
    _cleanup_close_ int device = memfd_create("image", MFD_CLOEXEC);
    struct deleted_place place = { device, -EBADF, 2, bytes_of("/") };
    struct clue_question q = { .path = bytes_of("/srv/d") };
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    int r;

    (void)state;
    assert_int_equal(ftruncate(device, 1024 * 1024), 0);
    r = deleted_read(&place, &q, &answer);
    assert_true(r == -EBADMSG || r == -ENOENT); /* -ENOENT: built without libext2fs */
    assert_int_equal(answer.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_said),
        cmocka_unit_test(test_no_file_system),
    };
    int failed;

    if (make_base(NULL) < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)remove_base(NULL);
    return failed;
}
