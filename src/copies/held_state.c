/* SPDX-License-Identifier: MIT */
#include "copies/held_state.h"

#include <stdlib.h>
#include <unistd.h>

void held_unname(struct held_all *h, struct held_file *f)
{
    struct held_file *named;

    HASH_FIND(hh, h->paths, f->path, f->len, named);
    if (named == f)
        HASH_DEL(h->paths, f);
}

void held_close(struct held_all *h, struct held_file *f)
{
    HASH_DELETE(by_fd, h->fds, f);
    close(f->fd); /* with it goes its lease */
    free(f);
}
