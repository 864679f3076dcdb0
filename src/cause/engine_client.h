/* SPDX-License-Identifier: MIT */
/* The command line of a container engine's client: "docker run shop", "docker-compose -p x up". Pure. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

/* Is it the name (without a directory) of a compose that is a program of its own? */
bool engine_client_is_compose(struct bytes program);

/* Is it a client's, of an engine: its verb and objects say what was asked for ("podman volume rm data"), its name does not. */
bool engine_client_is(struct bytes args);
/* The arguments behind its name and the options that only say which daemon is meant, and how it is reached. */
struct bytes engine_client_request(struct bytes args);
/* Does it copy a file into a container, or out of one: "podman cp x web:/prd"? By itself or by its engine's daemon. */
bool engine_client_copies(struct bytes args);

/* Does it do what its command line alone says: "podman volume rm data"? Not one that starts containers, nor what podman cleans up behind each
 * of them: those are many, and alike but for a name. */
bool engine_client_acts(struct bytes args);

/* Of a command that has containers started. All are views into the arguments. */
struct engine_client_start {
    struct bytes before, verb, rest; /* the arguments before the verb, each with its NUL; "run", "start", "restart" or "up"; those behind it */
    bool compose;                    /* it is compose's, a program of its own or not */
};

/* args: each ended by a NUL, the last perhaps not; a script's interpreter may be before it. False: it has no such verb. */
bool engine_client_starts(struct bytes args, struct engine_client_start *ret);
