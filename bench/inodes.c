/* SPDX-License-Identifier: MIT */
/*
 * inodes IMAGE FREE: gives each inode of an ext4 image (made with ^metadata_csum) to a file that has no name, but for those of the first
 * FREE block groups: a file system of ten million inodes in seconds. What has a name is made by mounting it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ext2fs/ext2fs.h>

static void fill_table(int fd, ext2_filsys fs, dgrp_t group, char *table, size_t size)
{
    off_t at = (off_t)ext2fs_inode_table_loc(fs, group) * fs->blocksize;

    if (pwrite(fd, table, size, at) != (ssize_t)size) {
        perror("inodes: write");
        exit(1);
    }
    ext2fs_bg_flags_clear(fs, group, EXT2_BG_INODE_UNINIT);
    ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_ZEROED);
    ext2fs_bg_itable_unused_set(fs, group, 0);
    ext2fs_bg_free_inodes_count_set(fs, group, 0);
}

int main(int argc, char **argv)
{
    struct ext2_inode_large inode = { .i_mode = 0100644, .i_links_count = 1, .i_ctime = 1700000000, .i_mtime = 1700000000, .i_atime = 1700000000,
                                      .i_extra_isize = 32, .i_crtime = 1700000000 };
    unsigned per_group, left = 0;
    ext2_filsys fs;
    char *table;
    size_t size;
    int fd;

    if (argc != 3 || ext2fs_open(argv[1], EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs) || ext2fs_read_inode_bitmap(fs) ||
        (fd = open(argv[1], O_WRONLY | O_CLOEXEC)) < 0) {
        fprintf(stderr, "usage: inodes IMAGE FREE\n");
        return 2;
    }
    per_group = fs->super->s_inodes_per_group;
    size = (size_t)per_group * EXT2_INODE_SIZE(fs->super);
    table = calloc(1, size);
    if (!table)
        return 1;
    for (unsigned i = 0; i < per_group; i++)
        memcpy(table + (size_t)i * EXT2_INODE_SIZE(fs->super), &inode, sizeof(inode));
    for (dgrp_t group = (dgrp_t)atoi(argv[2]); group < fs->group_desc_count; group++) {
        fill_table(fd, fs, group, table, size);
        for (unsigned i = 1; i <= per_group; i++)
            ext2fs_fast_mark_inode_bitmap2(fs->inode_map, (ext2_ino_t)group * per_group + i);
        ext2fs_group_desc_csum_set(fs, group);
    }
    for (dgrp_t group = 0; group < fs->group_desc_count; group++)
        left += ext2fs_bg_free_inodes_count(fs, group);
    printf("%u inodes, %u free\n", fs->super->s_inodes_count, left);
    fs->super->s_free_inodes_count = left;
    ext2fs_mark_ib_dirty(fs);
    ext2fs_mark_super_dirty(fs);
    free(table);
    close(fd);
    return ext2fs_close(fs) ? 1 : 0;
}
