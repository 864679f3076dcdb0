/* SPDX-License-Identifier: MIT */
/* What `culprit clues` prints: text for people, or one JSON object a line (ECS). Everything foreign is escaped here. */
#pragma once

#include "clues/clues.h"
#include "clues/judge.h"
#include "event/ecs.h"

struct clue_page {
    const struct clues *clues;
    const struct clue_circumstances *circumstances;
    const struct clue_suspect *suspects;
    size_t suspect_count;
    struct bytes target;            /* as the user wrote it */
    const struct container *container; /* whose file it is; NULL: the host's */
    const struct ecs_host *host;
    bool colour;
    unsigned columns;  /* of the terminal; 0 = lines are whole */
    bool unprivileged; /* what is not here may only not be readable */
};

/* The whole page, appended: text, escaped for a terminal; JSON, one object a line. */
void clue_page_text(const struct clue_page *p, struct sbuf *out);
void clue_page_json(const struct clue_page *p, struct sbuf *out);

/* Is anything known of how it is now, or is anybody suspected? */
bool clue_page_has_answer(const struct clue_page *p);
