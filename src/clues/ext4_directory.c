/* SPDX-License-Identifier: MIT */
#include "clues/ext4_directory.h"

#include "util/load.h"
#include "util/macro.h"

#define HEAD 8 /* inode, length of the entry, length of the name, type */

struct raw_entry {
    uint32_t inode;
    size_t len;
    struct bytes name;
};

/* Lengths are multiples of four, so the lowest two bits hold what is beyond 64 KiB (kernel: ext4_rec_len_from_disk()). */
static size_t length_of(uint32_t stored, size_t block)
{
    if (stored == 65535 || stored == 0)
        return block > 65535 ? block : stored;
    return (stored & 65532) | (stored & 3) << 16;
}

static bool raw_at(struct bytes block, size_t at, struct raw_entry *ret)
{
    const char *p = block.data + at;

    if (block.len - at < HEAD)
        return false;
    *ret = (struct raw_entry){ load_le32(p), length_of(load_le16(p + 4), block.len), { p + HEAD, (uint8_t)p[6] } };
    return ret->len >= HEAD && ret->len % 4 == 0 && ret->len <= block.len - at && ret->name.len <= ret->len - HEAD;
}

static bool may_be_name(struct bytes name)
{
    return name.len && !memchr(name.data, '/', name.len) && !memchr(name.data, '\0', name.len);
}

bool ext4_directory_open(struct bytes block, uint32_t inodes, struct ext4_directory *ret)
{
    struct ext4_directory d = { .block = block };
    struct raw_entry e;
    unsigned n = 0;

    if (!block.len)
        return false;
    for (size_t at = 0; at < block.len; at += e.len, n++) {
        bool dot, dots;

        if (!raw_at(block, at, &e) || e.inode > inodes || (e.inode && !may_be_name(e.name)))
            return false;
        dot = e.inode && bytes_equal_str(e.name, ".");
        dots = e.inode && bytes_equal_str(e.name, "..");
        if ((dot && n != 0) || (dots && (n != 1 || !d.own)))
            return false;
        if (dot)
            d.own = e.inode;
        if (dots)
            d.parent = e.inode;
    }
    if (d.own && !d.parent)
        return false;
    *ret = d;
    return true;
}

bool ext4_directory_next(struct ext4_directory *d, struct ext4_entry *ret)
{
    struct raw_entry e;

    while (d->at < d->block.len && raw_at(d->block, d->at, &e)) {
        d->at += e.len;
        if (!e.inode || bytes_equal_str(e.name, ".") || bytes_equal_str(e.name, ".."))
            continue;
        *ret = (struct ext4_entry){ e.inode, e.name };
        return true;
    }
    return false;
}
