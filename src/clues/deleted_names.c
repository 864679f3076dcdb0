/* SPDX-License-Identifier: MIT */
#include "clues/source.h"

#ifdef HAVE_EXT2FS
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clues/deleted_names.h"
#include "clues/ext4_directory.h"
#include "clues/ext4_journal.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/slots.h"

#define DIRECTORIES_MAX 4096 /* that are there, below the one that is asked for */
#define BLOCKS_MAX 65536     /* of those that have more than one */
#define RUNS_MAX 4096        /* of the journal */
#define DEPTH_MAX 64
#define WINDOW (256 * 1024)  /* of the journal, read at a time */
#define SECTOR 4096          /* the largest one that reading past the cache has to keep to */
#define LATE_NS (60 * NS_PER_S) /* a commit is written some seconds after what it has */
#define COARSE_NS (10 * NS_PER_MS) /* its clock goes by ticks; since Linux 6.13 that of files is finer */

struct live_directory {
    ext2_ino_t inode;
    uint32_t above; /* index; its own: the first one */
    struct bytes name;
};

struct live_block {
    uint64_t block;
    ext2_ino_t inode;
};

struct journal_run {
    uint64_t logical, physical, count;
};

struct old_name {
    uint32_t directory, parent; /* parent: 0 = the block did not say */
    uint32_t sequence;
    uint64_t commit_ns; /* 0: nothing was found */
    struct bytes name;
};

struct name_search {
    ext2_filsys fs;
    const struct deleted_place *place;
    struct deleted_inode *all;
    struct old_name *found; /* of each of them */
    size_t count;
    struct live_directory *directories;
    size_t directory_count, at; /* at: the one that is looked through */
    struct slots by_inode;      /* indexes into them, from 1 */
    unsigned encrypted;
    struct live_block *blocks;
    size_t block_count;
    struct journal_run *runs;
    size_t run_count;
    char *window; /* aligned */
    uint64_t window_from, window_to; /* bytes of the device */
    uint64_t until;
    struct arena *arena;
    bool part;
};

static bool is_late(struct name_search *n)
{
    n->part |= clock_ns(CLOCK_MONOTONIC) > n->until;
    return n->part;
}

/* ---- the directories that are there ---- */

static uint32_t hash_of_inode(uint32_t inode)
{
    return (uint32_t)hash_word(HASH_START, inode);
}

static uint32_t hash_of_directory(const void *data, uint32_t number)
{
    const struct live_directory *directories = data;

    return hash_of_inode(directories[number - 1].inode);
}

static size_t find_directory(const struct name_search *n, ext2_ino_t inode)
{
    uint32_t at, left, number;

    slots_start(&n->by_inode, hash_of_inode(inode), &at, &left);
    while ((number = slots_next(&n->by_inode, hash_of_inode(inode), &at, &left)))
        if (n->directories[number - 1].inode == inode)
            return number - 1;
    return n->directory_count;
}

static bool add_directory(struct name_search *n, ext2_ino_t inode, struct bytes name)
{
    uint32_t number = (uint32_t)n->directory_count + 1;

    if (number > DIRECTORIES_MAX || slots_reserve(&n->by_inode, number, hash_of_directory, n->directories) < 0)
        return false;
    n->directories[n->directory_count++] = (struct live_directory){ inode, (uint32_t)n->at, name };
    slots_add(&n->by_inode, hash_of_inode(inode), number);
    return true;
}

static int on_entry(ext2_ino_t directory, int entry, struct ext2_dir_entry *d, int offset, int size, char *buffer, void *data)
{
    struct name_search *n = data;
    struct bytes name = { d->name, (size_t)ext2fs_dirent_name_len(d) };
    int type = ext2fs_dirent_file_type(d);

    (void)directory;
    (void)offset;
    (void)size;
    (void)buffer;
    if (is_late(n))
        return DIRENT_ABORT;
    if (entry != DIRENT_OTHER_FILE || !d->inode || d->inode > n->fs->super->s_inodes_count || !name.len)
        return 0;
    if (type == EXT2_FT_UNKNOWN ? ext2fs_check_directory(n->fs, d->inode) != 0 : type != EXT2_FT_DIR)
        return 0;
    if (find_directory(n, d->inode) < n->directory_count)
        return 0; /* a damaged tree may be a circle */
    n->part |= !add_directory(n, d->inode, arena_copy(n->arena, name));
    return n->part ? DIRENT_ABORT : 0;
}

static int on_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t number, blk64_t reference, int offset, void *data)
{
    struct name_search *n = data;

    (void)fs;
    (void)number;
    (void)reference;
    (void)offset;
    if (n->block_count == BLOCKS_MAX || is_late(n)) {
        n->part = true;
        return BLOCK_ABORT;
    }
    n->blocks[n->block_count++] = (struct live_block){ *block, n->directories[n->at].inode };
    return 0;
}

static int by_block(const void *a, const void *b)
{
    const struct live_block *x = a, *y = b;

    return x->block < y->block ? -1 : x->block > y->block;
}

static void find_directories(struct name_search *n)
{
    struct ext2_inode inode;

    n->part |= !add_directory(n, (ext2_ino_t)n->place->directory, BYTES_NULL);
    for (n->at = 0; n->at < n->directory_count && !is_late(n); n->at++) {
        ext2_ino_t number = n->directories[n->at].inode;

        if (ext2fs_read_inode(n->fs, number, &inode) || !LINUX_S_ISDIR(inode.i_mode))
            continue;
        if (inode.i_flags & EXT4_ENCRYPT_FL) {
            n->encrypted++;
            continue;
        }
        (void)ext2fs_dir_iterate2(n->fs, number, 0, NULL, on_entry, n);
        if (EXT2_I_SIZE(&inode) > n->fs->blocksize)
            (void)ext2fs_block_iterate3(n->fs, number, BLOCK_FLAG_READ_ONLY | BLOCK_FLAG_DATA_ONLY, NULL, on_block, n);
    }
    qsort(n->blocks, n->block_count, sizeof(*n->blocks), by_block);
}

static uint32_t owner_of_block(const struct name_search *n, uint64_t block)
{
    struct live_block key = { .block = block };
    const struct live_block *found = n->block_count ? bsearch(&key, n->blocks, n->block_count, sizeof(key), by_block) : NULL;

    return found ? found->inode : 0;
}

/* ---- the journal ---- */

static int on_journal_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t number, blk64_t reference, int offset, void *data)
{
    struct name_search *n = data;
    struct journal_run *last = n->run_count ? &n->runs[n->run_count - 1] : NULL;
    uint64_t next = last ? last->logical + last->count : 0;

    (void)reference;
    (void)offset;
    /* in its order and without holes, or only up to there */
    if (number < 0 || (uint64_t)number != next || *block >= ext2fs_blocks_count(fs->super) || is_late(n))
        return BLOCK_ABORT;
    if (last && last->physical + last->count == *block) {
        last->count++;
        return 0;
    }
    if (n->run_count == RUNS_MAX)
        return BLOCK_ABORT;
    n->runs[n->run_count++] = (struct journal_run){ next, *block, 1 };
    return 0;
}

static int fill_window(struct name_search *n, uint64_t from)
{
    int fd = n->place->direct >= 0 ? n->place->direct : n->place->device;
    ssize_t len;

    from -= from % SECTOR;
    len = pread(fd, n->window, WINDOW, (off_t)from);
    if (len < 0 && n->place->direct >= 0)
        len = pread(n->place->device, n->window, WINDOW, (off_t)from);
    if (len < 0)
        return -EIO;
    n->window_from = from;
    n->window_to = from + (size_t)len;
    return 0;
}

static int read_journal(void *data, uint32_t block, char *to)
{
    struct name_search *n = data;
    uint32_t size = n->fs->blocksize;
    size_t low = 0, high = n->run_count;
    uint64_t at;
    int r;

    if (is_late(n))
        return -ETIMEDOUT;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;

        if (n->runs[middle].logical <= block)
            low = middle;
        else
            high = middle;
    }
    at = (n->runs[low].physical + (block - n->runs[low].logical)) * size;
    if (at < n->window_from || at + size > n->window_to) {
        r = fill_window(n, at);
        if (r < 0)
            return r;
        if (at + size > n->window_to)
            return -EIO; /* the device ends before */
    }
    memcpy(to, n->window + (at - n->window_from), size);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct deleted_inode *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static size_t find_deleted(const struct name_search *n, uint32_t inode)
{
    struct deleted_inode key = { .number = inode };
    const struct deleted_inode *found = n->count ? bsearch(&key, n->all, n->count, sizeof(key), by_number) : NULL;

    return found ? (size_t)(found - n->all) : n->count;
}

/* Inodes are used again: a copy from before this one was made shows another file. Where nothing says when that was, no name is known. */
static bool may_be_of(const struct deleted_inode *d, const struct old_name *f, const struct ext4_copy *copy)
{
    return d->born_ns && copy->commit_ns + COARSE_NS >= d->born_ns && copy->commit_ns <= d->deleted_s * NS_PER_S + LATE_NS &&
           (!f->commit_ns || (int32_t)(copy->sequence - f->sequence) > 0);
}

/* The block itself proves whose it is: by its checksum, which has the directory's inode and generation in it; without those only a
 * directory's first block does, by its own entry, if the directory of that number was there already. */
static bool is_block_of(const struct name_search *n, uint32_t number, const struct ext4_directory *d, uint64_t commit_ns)
{
    _Alignas(8) char buffer[1024];
    struct ext2_inode_large *now = (struct ext2_inode_large *)(void *)buffer;
    int size = EXT2_INODE_SIZE(n->fs->super);

    if (size > (int)sizeof(buffer) || size <= EXT2_GOOD_OLD_INODE_SIZE ||
        ext2fs_read_inode_full(n->fs, number, (struct ext2_inode *)now, size) || !LINUX_S_ISDIR(now->i_mode) || (now->i_flags & EXT4_ENCRYPT_FL))
        return false;
    if (ext2fs_has_feature_metadata_csum(n->fs->super))
        return ext2fs_dir_block_csum_verify(n->fs, number, (struct ext2_dir_entry *)(uintptr_t)d->block.data);
    return d->own == number && now->i_extra_isize >= 24 && now->i_crtime &&
           now->i_crtime * NS_PER_S + (now->i_crtime_extra >> 2) <= commit_ns + COARSE_NS;
}

static int on_copy(void *data, const struct ext4_copy *copy)
{
    struct name_search *n = data;
    struct ext4_directory d;
    struct ext4_entry e;
    uint32_t owner = 0;

    if (!ext4_directory_open(copy->bytes, n->fs->super->s_inodes_count, &d))
        return 0;
    while (ext4_directory_next(&d, &e)) {
        size_t i = find_deleted(n, e.inode);

        if (i == n->count || !may_be_of(&n->all[i], &n->found[i], copy))
            continue;
        if (!owner) {
            owner = d.own ? d.own : owner_of_block(n, copy->block);
            if (!owner || !is_block_of(n, owner, &d, copy->commit_ns))
                return 0;
        }
        n->found[i] = (struct old_name){ owner, d.parent, copy->sequence, copy->commit_ns, arena_copy(n->arena, e.name) };
        if (!n->found[i].name.data)
            return -ENOMEM;
    }
    return 0;
}

/* ---- paths ---- */

/* The names on the way up to a directory that is there, then those of directories that are; false: it is not known to be below. */
static bool path_of(const struct name_search *n, uint32_t inode, struct sbuf *out)
{
    struct bytes parts[2 * DEPTH_MAX];
    size_t count = 0, i;

    while ((i = find_directory(n, inode)) == n->directory_count) {
        size_t gone = find_deleted(n, inode);

        if (gone == n->count || !n->found[gone].commit_ns || count == DEPTH_MAX)
            return false;
        parts[count++] = n->found[gone].name;
        inode = n->found[gone].directory;
    }
    for (; i; i = n->directories[i].above) {
        if (count == ARRAY_SIZE(parts))
            return false;
        parts[count++] = n->directories[i].name;
    }
    sbuf_add_bytes(out, n->place->path);
    while (count--) {
        if (!out->len || out->data[out->len - 1] != '/')
            sbuf_add_char(out, '/');
        sbuf_add_bytes(out, parts[count]);
    }
    return true;
}

/* Where names were found, asked for once: most are of the same one. */
struct known_place {
    uint32_t directory, parent;
    struct bytes path; /* empty: not known */
    bool below_gone;
};

static void find_place(const struct name_search *n, const struct old_name *f, struct known_place *ret)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    bool known = path_of(n, f->directory, &path), above = !known && f->parent && path_of(n, f->parent, &path);

    *ret = (struct known_place){ f->directory, f->parent, known || above ? arena_copy(n->arena, sbuf_bytes(&path)) : BYTES_NULL, above };
}

static void put_names(struct name_search *n)
{
    struct known_place place = { 0 };

    for (size_t i = 0; i < n->count; i++) {
        struct deleted_inode *d = &n->all[i];
        const struct old_name *f = &n->found[i];

        if (!f->commit_ns)
            continue;
        if (f->directory != place.directory || f->parent != place.parent)
            find_place(n, f, &place);
        if (!place.path.len)
            continue;
        d->below_gone = place.below_gone;
        d->directory = place.path;
        d->name = f->name;
        d->copy_ns = f->commit_ns;
    }
}

static int find(struct name_search *n, struct deleted_names *ret)
{
    struct ext4_journal journal = { read_journal, on_copy, n, n->fs->blocksize, 0, ext2fs_crc32c_le };
    ext2_ino_t inode = n->fs->super->s_journal_inum;
    int r;

    ret->state = DELETED_NAMES_NONE;
    if (!ext2fs_has_feature_journal(n->fs->super) || !inode || inode > n->fs->super->s_inodes_count)
        return 0;
    (void)ext2fs_block_iterate3(n->fs, inode, BLOCK_FLAG_READ_ONLY, NULL, on_journal_block, n);
    ret->state = DELETED_NAMES_BAD;
    if (!n->run_count)
        return 0;
    journal.blocks = (uint32_t)MIN(n->runs[n->run_count - 1].logical + n->runs[n->run_count - 1].count, (uint64_t)UINT32_MAX);
    find_directories(n);
    r = ext4_journal_walk(&journal);
    if (r == -ENOMEM)
        return r;
    put_names(n);
    ret->state = n->part ? DELETED_NAMES_PART : r < 0 ? DELETED_NAMES_BAD : DELETED_NAMES_READ;
    ret->encrypted = n->encrypted;
    return 0;
}

int deleted_names_find(ext2_filsys fs, const struct deleted_place *place, struct deleted_inode *all, size_t count, uint64_t until,
                       struct arena *arena, struct deleted_names *ret)
{
    struct name_search n = { .fs = fs, .place = place, .all = all, .count = count, .until = until, .arena = arena };
    int r = -ENOMEM;

    *ret = (struct deleted_names){ .state = DELETED_NAMES_READ };
    n.found = calloc(count + 1, sizeof(*n.found));
    n.directories = calloc(DIRECTORIES_MAX, sizeof(*n.directories));
    n.blocks = calloc(BLOCKS_MAX, sizeof(*n.blocks));
    n.runs = calloc(RUNS_MAX, sizeof(*n.runs));
    n.window = aligned_alloc(SECTOR, WINDOW);
    qsort(all, count, sizeof(*all), by_number);
    if (n.found && n.directories && n.blocks && n.runs && n.window)
        r = find(&n, ret);
    free(n.found);
    slots_done(&n.by_inode);
    free(n.directories);
    free(n.blocks);
    free(n.runs);
    free(n.window);
    return r;
}
#endif
