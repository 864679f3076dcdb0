/* SPDX-License-Identifier: MIT */
/* One kind of question to foreign files, and what is gathered for it (foreign.h says who runs which step). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"
#include "util/sbuf.h"

/* What step 1 leaves for step 3. */
struct gathered {
    struct gathered_file *files;
    size_t count;
    size_t total, max; /* bytes of all, and how many there may be */
    int lent;          /* the descriptor that came with the question; -EBADF: none */
};

struct gathered_file {
    const char *name; /* static, or to be freed never: the worker ends */
    struct bytes content;
};

/* `data` is taken over. -EFBIG: too much together; -ENOMEM */
int gathered_add(struct gathered *g, const char *name, char *data, size_t len);
/* Empty where it was not gathered. */
struct bytes gathered_get(const struct gathered *g, const char *name);

/* One kind of question: static const, as it is handed to the reader by its address. */
struct foreign_job {
    const char *what; /* "the packages of a container": for errors */
    size_t gather_max;
    int (*gather)(struct bytes request, struct gathered *g);
    /* NULL: what was gathered last is the answer as it is. */
    int (*parse)(struct bytes request, const struct gathered *g, struct sbuf *answer);
    /* No step 1: parse() asks the system (its name service) and keeps what a program without capabilities may. */
    bool open_world;
};

#define FOREIGN_REQUEST_MAX (64 * 1024)
#define FOREIGN_ANSWER_MAX (64 * 1024 * 1024)
