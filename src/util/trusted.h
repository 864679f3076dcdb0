/* SPDX-License-Identifier: MIT */
/* Files whose content we act on: whose word is it? */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody but root and the user whom we run as can have written it. */
static inline bool file_is_trusted(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}
