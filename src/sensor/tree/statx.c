/* SPDX-License-Identifier: MIT */
#include "sensor/tree/statx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/hash.h"
#include "util/macro.h"

static int64_t time_ns(struct statx_timestamp ts)
{
    return ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec;
}

/* statx says without opening the file what FS_IOC_GETFLAGS would, for the flags that matter. */
static uint32_t flags_of(uint64_t attributes)
{
    return (attributes & STATX_ATTR_IMMUTABLE ? FS_IMMUTABLE_FL : 0u) |
           (attributes & STATX_ATTR_APPEND ? FS_APPEND_FL : 0u) |
           (attributes & STATX_ATTR_NODUMP ? FS_NODUMP_FL : 0u) |
           (attributes & STATX_ATTR_COMPRESSED ? FS_COMPR_FL : 0u) |
           (attributes & STATX_ATTR_ENCRYPTED ? FS_ENCRYPT_FL : 0u) |
           (attributes & STATX_ATTR_VERITY ? FS_VERITY_FL : 0u);
}

void tree_state_of_statx(const struct statx *stx, struct file_state *ret)
{
    *ret = (struct file_state){
        .known = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_INODE | FILE_DEVICE |
                 FILE_LINKS | FILE_MTIME | FILE_CTIME,
        .mode = stx->stx_mode,
        .uid = stx->stx_uid,
        .gid = stx->stx_gid,
        .links = stx->stx_nlink,
        .size = stx->stx_size,
        .inode = stx->stx_ino,
        .device = makedev(stx->stx_dev_major, stx->stx_dev_minor),
        .mtime_ns = time_ns(stx->stx_mtime),
        .ctime_ns = time_ns(stx->stx_ctime),
    };
    if (stx->stx_mask & STATX_BTIME) {
        ret->known |= FILE_BORN;
        ret->born_ns = time_ns(stx->stx_btime);
    }
    if (stx->stx_attributes_mask & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) {
        ret->known |= FILE_FLAGS;
        ret->flags = flags_of(stx->stx_attributes);
    }
}

uint64_t tree_birth(int fd, const char *name)
{
    struct file_state state;

    return tree_stat(fd, name, &state) == 0 && (state.known & FILE_BORN) ? (uint64_t)state.born_ns : 0;
}

static int look(int fd, const char *name, int flags, struct file_state *ret)
{
    struct statx stx;

    if (statx(fd, name ? name : "",
              AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name ? 0 : AT_EMPTY_PATH) | flags, STATX_BASIC_STATS | STATX_BTIME, &stx) < 0)
        return -errno;
    tree_state_of_statx(&stx, ret);
    ret->atime_ns = time_ns(stx.stx_atime);
    ret->known |= FILE_ATIME;
    return 0;
}

int tree_stat(int fd, const char *name, struct file_state *ret)
{
    return look(fd, name, 0, ret);
}

int tree_stat_known(int fd, struct file_state *ret)
{
    return look(fd, NULL, AT_STATX_DONT_SYNC, ret);
}

uint16_t tree_born(const struct file_state *s)
{
    uint64_t h;

    if (!(s->known & FILE_BORN) || !s->born_ns || !major(s->device))
        return 0;
    h = hash_word(HASH_START, (uint64_t)s->born_ns);
    return (uint16_t)(h ^ (h >> 16) ^ (h >> 32)) | 1;
}

bool tree_born_differs(uint16_t born, const struct file_state *s)
{
    uint16_t other = tree_born(s);

    return born && other && born != other;
}
