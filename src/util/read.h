/* SPDX-License-Identifier: MIT */
/* Reading all of it. */
#pragma once

#include <sys/types.h>

/* As many bytes from `at` on as there are, at most len; less only at the file's end. -errno. */
ssize_t read_at(int fd, char *buffer, size_t len, off_t at);
