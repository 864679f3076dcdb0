/* SPDX-License-Identifier: MIT */
/*
 * The first byte says what the rest is: a block of a directory, or a journal in blocks of 1 KiB. Checksums, which a fuzzer does not find,
 * are not looked at, or are such that all fit that have the right low byte.
 */
#include <stdlib.h>
#include <string.h>

#include "clues/ext4_directory.h"
#include "clues/ext4_journal.h"
#include "fuzz.h"

#define BLOCK 1024
#define INODES 1000

struct input {
    struct bytes all;
    uint64_t reads;
};

static void directory(struct bytes block)
{
    struct ext4_directory d;
    struct ext4_entry e;
    size_t n = 0;

    if (!ext4_directory_open(block, INODES, &d))
        return;
    while (ext4_directory_next(&d, &e))
        if (!e.inode || e.inode > INODES || !e.name.len || e.name.len > 255 || e.name.data < block.data ||
            e.name.data + e.name.len > block.data + block.len || ++n > block.len / 8)
            abort();
}

static int read_block(void *data, uint32_t n, char *to)
{
    struct input *in = data;

    if ((n + (uint64_t)1) * BLOCK > in->all.len)
        abort(); /* more than there is */
    in->reads++;
    memcpy(to, in->all.data + (size_t)n * BLOCK, BLOCK);
    return 0;
}

static int take_copy(void *data, const struct ext4_copy *copy)
{
    (void)data;
    if (copy->bytes.len != BLOCK || !copy->commit_ns)
        abort();
    directory(copy->bytes);
    return 0;
}

static uint32_t any_sum(uint32_t start, const unsigned char *data, size_t len)
{
    return len ? (start + data[len - 1]) & 1 : start;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { { (const char *)data + 1, size - 1 }, 0 };
    struct ext4_journal journal = { read_block, take_copy, &in, BLOCK, 0, NULL };

    if (!size)
        return 0;
    journal.blocks = (uint32_t)(in.all.len / BLOCK);
    switch (data[0] % 3) {
    case 0:
        directory(in.all);
        return 0;
    case 1:
        journal.crc32c = any_sum;
        break;
    default:
        break;
    }
    (void)ext4_journal_walk(&journal);
    if (in.reads > 5 * (uint64_t)journal.blocks + 1)
        abort();
    return 0;
}
