/* SPDX-License-Identifier: MIT */
/* culprit's own record, which the command has asked. */
#include "clues/record.h"

#include <inttypes.h>
#include <stdio.h>

int record_ask(struct clues *c, unsigned source, struct err *err)
{
    const struct clues_options *o = clues_options(c);
    struct clue_fact f = { .kind = CLUE_RECORDED };
    char text[96];

    (void)err;
    if (!o->has_record) {
        clues_set_report(c, source, CLUE_STATE_ABSENT, BYTES_NULL);
        return 0;
    }
    clues_set_report(c, source, CLUE_STATE_READ, BYTES_NULL);
    if (!o->recorded)
        return 0;
    snprintf(text, sizeof(text), "culprit recorded %" PRIu64 " change%s of it: `culprit who` names who made them", o->recorded,
             o->recorded == 1 ? "" : "s");
    f.text = bytes_of(text);
    return clues_add(c, source, &f);
}
