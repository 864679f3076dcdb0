/* SPDX-License-Identifier: MIT */
/* culprit's own record, which the command has asked. */
#include "clues/record.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/cleanup.h"

#define OF_LOGS "culprit: "

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

int record_ask_audit(struct clues *c, unsigned source, struct err *err)
{
    const struct clues_options *o = clues_options(c);
    _cleanup_sbuf_ struct sbuf note = SBUF_INIT;
    struct bytes rest = o->audit, line;
    int r = 0;

    (void)err;
    sbuf_add_bytes(&note, o->audit_note);
    while (rest.len && r == 0) {
        struct clue_fact f = { .kind = CLUE_RECORDED, .marks = CLUE_DID | CLUE_NAMES_PATH };

        line = bytes_next_line(&rest);
        if (bytes_starts_with(line, bytes_of("VERDICT")))
            line = (struct bytes){ line.data + 7, line.len - 7 };
        while (line.len && line.data[0] == ' ')
            line = (struct bytes){ line.data + 1, line.len - 1 };
        if (!line.len || bytes_starts_with(line, bytes_of("Nobody")))
            continue;
        if (bytes_starts_with(line, bytes_of(OF_LOGS))) { /* what is said of the logs, and of nobody */
            line = (struct bytes){ line.data + strlen(OF_LOGS), line.len - strlen(OF_LOGS) };
            sbuf_add_str(&note, note.len ? "; " : "");
            sbuf_add_bytes(&note, line);
            continue;
        }
        f.text = line;
        f.suspect = line.len <= CLUE_TEXT_MAX ? line : (struct bytes){ line.data, CLUE_TEXT_MAX };
        if (f.suspect.data[f.suspect.len - 1] == '.') /* reasons follow it in a sentence */
            f.suspect.len--;
        r = clues_add(c, source, &f);
    }
    clues_set_report(c, source, o->has_audit ? CLUE_STATE_READ : CLUE_STATE_ABSENT, sbuf_bytes(&note));
    return r;
}
