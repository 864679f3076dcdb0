/* SPDX-License-Identifier: MIT */
/* Cleanup attributes: what a local variable owns is released when it goes out of scope. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/macro.h"

static inline void freep(void *p) /* for _cleanup_free_: `p` is the address of a pointer. NULL is fine. */
{
    free(*(void **)p);
}

static inline void closep(int *fd) /* for _cleanup_close_: negative is fine; may change errno */
{
    if (*fd >= 0)
        close(*fd);
}

static inline void fclosep(FILE **f) /* for _cleanup_fclose_: NULL is fine; an error of the last write is not reported */
{
    if (*f)
        fclose(*f);
}

static inline void closedirp(DIR **d) /* for _cleanup_closedir_: NULL is fine */
{
    if (*d)
        closedir(*d);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
#define _cleanup_closedir_ _cleanup_(closedirp)
