/* SPDX-License-Identifier: MIT */
/* What `culprit diff` compares: the question as it was asked, its container or volume, and the store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "attribution/users.h"
#include "cli/by_daemon.h"
#include "cli/who_store.h"
#include "compare/join.h"
#include "engine/engine.h"
#include "engine/view.h"
#include "event/ecs.h"
#include "report/difference.h"
#include "util/arena.h"
#include "watch/target.h"

struct diff_question {
    const char *store_path;
    struct daemon_question member; /* who answers if the store is not ours to read */
    bool json, times, content;
    bool record; /* two moments, not the image */
    uint64_t since_ns, until_ns;
    char *target_text; /* owned */
    struct target target;
    struct arena arena;
    struct ecs_host host;
    struct engines *engines;
    struct container_view view; /* of a container that is there */
    struct store_machine machine;
    struct sbuf partly;         /* what of it was watched, if never all of it was */
    bool never;                 /* nothing of it was watched in that time, and that was said */
    bool have_view;
    struct store *store; /* NULL: nothing was recorded */
    struct joiner *joiner;
    struct users *users;
    struct difference_page *page;
    struct sbuf out;
    struct err err; /* of a callback */
    uint64_t lost;
    bool lossy;
};

/* Fills q->engines and, but for a volume, q->view. -ENOENT: there is none; -EEXIST: several are meant; -EINVAL, -errno; err says why. */
int diff_find_container(struct diff_question *q, struct err *err);
/* Opens q->store; NULL where nothing was recorded and the image is compared. False: *ret_status is the exit status, and all is said. */
bool diff_find_store(struct diff_question *q, int *ret_status);
/* What is gone is no error where the record is asked. The exit status, after having said why; 0. */
int diff_find_subjects(struct diff_question *q);
