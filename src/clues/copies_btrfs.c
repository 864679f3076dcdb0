/* SPDX-License-Identifier: MIT */
/* By what the file system lists of its subvolumes. They are named: nothing is mounted or opened. */
#include "clues/copies_btrfs.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "util/beneath.h"
#include "util/cleanup.h"

#define CALLS_MAX 500 /* some eight subvolumes each */
#define NAMED 3

struct snapshot_list {
    unsigned char uuid[BTRFS_UUID_SIZE]; /* of the subvolume that they were made of */
    uint64_t id;                         /* of the one that was read last, if it is a snapshot of that; 0: it is not */
    unsigned count;
    struct sbuf names;
};

/* One item of the tree of roots: a subvolume's own, and behind it the one that has its name. */
static void take_item(struct snapshot_list *l, const struct btrfs_ioctl_search_header *h, const char *data)
{
    struct btrfs_root_item item;
    struct btrfs_root_ref ref;
    size_t len;

    if (h->type == BTRFS_ROOT_ITEM_KEY) {
        l->id = 0;
        if (h->len < sizeof(item))
            return; /* of before there were uuids */
        memcpy(&item, data, sizeof(item));
        if (memcmp(item.parent_uuid, l->uuid, sizeof(l->uuid)) == 0)
            l->id = h->objectid;
    } else if (h->type == BTRFS_ROOT_BACKREF_KEY && l->id && l->id == h->objectid && h->len >= sizeof(ref)) {
        memcpy(&ref, data, sizeof(ref));
        len = MIN((size_t)le16toh(ref.name_len), (size_t)h->len - sizeof(ref));
        if (l->count++ < NAMED) {
            sbuf_add_str(&l->names, l->count > 1 ? ", " : "");
            sbuf_add(&l->names, data + sizeof(ref), len);
        }
    }
}

static void read_roots(struct snapshot_list *l, int fd)
{
    struct btrfs_ioctl_search_args args = { .key = { .tree_id = BTRFS_ROOT_TREE_OBJECTID, .min_objectid = BTRFS_FIRST_FREE_OBJECTID,
                                                     .max_objectid = BTRFS_LAST_FREE_OBJECTID, .min_type = BTRFS_ROOT_ITEM_KEY,
                                                     .max_type = BTRFS_ROOT_BACKREF_KEY, .max_offset = UINT64_MAX, .max_transid = UINT64_MAX } };

    for (unsigned calls = 0; calls < CALLS_MAX; calls++) {
        size_t at = 0;

        args.key.nr_items = 4096;
        if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0 || !args.key.nr_items)
            return;
        for (uint32_t i = 0; i < args.key.nr_items; i++) {
            struct btrfs_ioctl_search_header h;

            if (at + sizeof(h) > sizeof(args.buf))
                return;
            memcpy(&h, args.buf + at, sizeof(h));
            at += sizeof(h);
            if (h.len > sizeof(args.buf) - at)
                return;
            take_item(l, &h, args.buf + at);
            at += h.len;
            args.key.min_objectid = h.objectid;
            args.key.min_type = h.type;
            args.key.min_offset = h.offset;
        }
        if (args.key.min_offset < UINT64_MAX)
            args.key.min_offset++;
        else
            args.key.min_type++;
    }
}

/* The nearest directory that is there. */
static int open_above(int root, struct bytes path)
{
    int fd = beneath_open(root, path, O_RDONLY | O_DIRECTORY);

    while (fd < 0 && path.len > 1) {
        path = bytes_dirname(path);
        fd = beneath_open(root, path, O_RDONLY | O_DIRECTORY);
    }
    return fd;
}

void copies_btrfs(struct sbuf *out, int root, const struct clue_question *q)
{
    struct btrfs_ioctl_get_subvol_info_args info = { 0 };
    _cleanup_close_ int fd = open_above(root, q->path);
    struct clue_fact f = { .kind = CLUE_BACKUP };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct snapshot_list l = { .names = SBUF_INIT };
    struct statfs fs;

    if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != BTRFS_SUPER_MAGIC || ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
        return;
    memcpy(l.uuid, info.uuid, sizeof(l.uuid));
    read_roots(&l, fd);
    if (l.count) {
        sbuf_addf(&text, "btrfs has %u snapshot%s of the subvolume that it is in (%s%s): `btrfs subvolume list -s` says where", l.count,
                  l.count == 1 ? "" : "s", sbuf_str(&l.names), l.count > NAMED ? ", ..." : "");
        f.text = sbuf_bytes(&text);
        clue_put(out, &f);
    }
    sbuf_done(&l.names);
}
