/* SPDX-License-Identifier: MIT */
/*
 * Which containers somebody means: by a name, or by what several have in common. Pure; one answer
 * for those that run and for those that are in the store.
 */
#pragma once

#include "event/container.h"
#include "util/err.h"

enum selector_kind {
    SELECTOR_NONE,    /* the host's files */
    SELECTOR_NAME,    /* a name, an id, or the beginning of an id */
    SELECTOR_COMPOSE, /* PROJECT/SERVICE: every replica */
    SELECTOR_POD,     /* NAMESPACE/NAME[/CONTAINER] */
    SELECTOR_IMAGE,   /* NAME[:TAG]: every container of that image; without a tag of any */
    SELECTOR_LABEL,   /* KEY[=VALUE] */
    SELECTOR_VOLUME,  /* no container: a volume by its name */
};

struct selector {
    enum selector_kind kind;
    struct bytes runtime; /* "docker" in docker:web:/prd; empty: any */
    struct bytes text;    /* without the prefix that says the kind */
};

/*
 * Take `[WHICH:]PATH` apart: views into `text`. ret_path is not normalised; for a volume it is below
 * its directory. -EINVAL: err says what to write.
 */
int selector_parse(struct bytes text, struct selector *ret, struct bytes *ret_path, struct err *err);

/* Is `c` one of those that it means? By what the record of `c` holds; nobody is asked. */
bool selector_matches(const struct selector *s, const struct container *c);

/* True if it can mean several containers at a time, also those that are made later. */
bool selector_is_plural(const struct selector *s);
