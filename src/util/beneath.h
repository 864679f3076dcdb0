/* SPDX-License-Identifier: MIT */
/*
 * Opening what somebody else may rearrange: a container's tree, a layer. A path is followed as a process
 * would follow it whose root directory is `root_fd`: symbolic links, also absolute ones, and ".." lead
 * nowhere else. openat2() does it (kernel 5.6); without it the path is walked one component at a time.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"

/* flags: of open(); O_CLOEXEC is added. O_NOFOLLOW concerns the last component, as usual. A descriptor
 * or -errno; -ELOOP after 40 links. What is opened may be of any type: a fifo or device is touched only
 * with O_PATH. */
int beneath_open(int root_fd, struct bytes path, int flags);

/*
 * What is called `name` (one component) in the directory: no symbolic link is followed, no mount crossed, neither of a folder
 * nor of one file. flags: O_PATH, or those of a directory; O_CLOEXEC and O_NOFOLLOW are added. -EXDEV: something is mounted
 * there. Without openat2() the kernel's number of the mount is compared, after nothing but O_PATH has been done to it.
 */
int beneath_open_here(int dir, const char *name, int flags);

/* Opens for reading a regular file and nothing else: no device is touched, no fifo waited for.
 * -EBADF: of another type. */
int beneath_open_file(int root_fd, struct bytes path);
/* Opens what an O_PATH descriptor stands for, if it is a regular file; the same errors. */
int beneath_reopen_file(int path_fd);
/* The same of a regular file or a directory. */
int beneath_reopen(int path_fd);

/* The whole of such a file, NUL behind it; caller frees. -EFBIG: more than `max` bytes. */
int beneath_read_file(int root_fd, struct bytes path, size_t max, char **ret, size_t *ret_len);

/* The same of a descriptor of a regular file, from where it is. */
int beneath_read_fd(int fd, size_t max, char **ret, size_t *ret_len);

/* Of such a descriptor `len` bytes from `from` on, fewer where it ends, NUL behind them; caller frees. What is appended meanwhile does no
 * harm. -errno */
int beneath_read_part(int fd, off_t from, size_t len, char **ret, size_t *ret_len);

/* An absolute path, of the host (root_fd: AT_FDCWD) or beneath a root, in which no component is a symbolic link any more: -ELOOP if one
 * has become that. Mounts are entered: beneath_mount_of() says which one it is in. flags: O_PATH, or what else fits. */
int beneath_open_plain(int root_fd, const char *path, int flags);
/* The kernel's number of the mount that a descriptor was opened in (mountinfo's id); -errno. */
int64_t beneath_mount_of(int fd);

/* The first root_len bytes of `path` are a directory that is trusted to be one ("/proc/7/root",
 * ".../overlay2/ID/diff"); the rest is followed beneath it. root_len 0: all of it is trusted. */
int beneath_open_host(struct bytes path, size_t root_len, int flags);
