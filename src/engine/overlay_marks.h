/* SPDX-License-Identifier: MIT */
/*
 * What overlay and fuse-overlayfs write into a layer beside its files, to say what is deleted, made anew or renamed: device files,
 * names and extended attributes (kernel's Documentation/filesystems/overlayfs.rst). Descriptors are borrowed, and may be O_PATH.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Attributes of what an O_PATH descriptor stands for: length in bytes or -errno, as getxattr(2). */
ssize_t path_getxattr(int fd, const char *name, void *value, size_t size);
ssize_t path_listxattr(int fd, char *list, size_t size);

/* Whether list (`size` bytes of names that end with 0, as path_listxattr() gives them) has this name. */
bool xattr_is_listed(const char *list, size_t size, const char *name);
/* False for what is no file's own: overlay's bookkeeping, and the label that an engine gives each container's files (a policy each file). */
bool xattr_is_own(const char *name);

/* One of overlay's own attributes, `what` without its prefix: its length in bytes, -ENODATA where there is none. */
ssize_t overlay_xattr(int fd, const char *what, char *value, size_t size);

/* True if this file says that its name is deleted. */
bool overlay_is_whiteout(int fd, const struct stat *st);
/* The same by a file beside it, which fuse-overlayfs writes where it may not make devices. fd: of the directory. */
bool overlay_has_whiteout_file(int fd, const char *name);
/* True if nothing of the lower layers is seen through this directory. */
bool overlay_is_opaque(int fd);
