/* SPDX-License-Identifier: MIT */
/* What an engine's own record of what was done with a container says, and of whom it says nothing. */
#include "test.h"

#include "clues/engine_events.h"
#include "event/container.h"

#define SECOND NS_PER_S
#define AT (UINT64_C(1795896800) * SECOND)

#define EVENT(action, id, time) "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id "\",\"Attributes\":{}},\"timeNano\":" time "}"
#define NOW "1795896800000000000"
#define EARLIER "1795896000000000000" /* 800 s */
#define OWN "0123456789ab"

static const struct event_line_row {
    const char *name, *line, *suspect, *text; /* suspect: NULL = nothing is said, "" = it is shown, and points at nobody */
    unsigned marks;
} rows[] = {
    { "a command", EVENT("exec_start: rm -rf /prd/x ", OWN, NOW), "exec into container web: rm -rf /prd/x", "container web ran, by exec: rm -rf /prd/x",
      CLUE_STARTED | CLUE_COMMAND | CLUE_NAMES_BELOW | CLUE_REMOVES },
    { "its making is said before", EVENT("exec_create: rm -rf /prd/x ", OWN, NOW), NULL, NULL, 0 },
    { "a command long before that names nothing", EVENT("exec_start: true", OWN, EARLIER), NULL, NULL, 0 },
    { "but one that does", EVENT("exec_start: rm -rf /prd", OWN, EARLIER), "exec into container web: rm -rf /prd", NULL,
      CLUE_STARTED | CLUE_COMMAND | CLUE_NAMES_PATH | CLUE_REMOVES },
    { "its health check is nobody", EVENT("exec_start: /bin/sh -c curl -f localhost ", OWN, NOW), NULL, NULL, 0 },
    { "what only begins as the health check", EVENT("exec_start: /bin/sh -c curl -f localhost; rm /prd/x", OWN, NOW),
      "exec into container web: /bin/sh -c curl -f localhost; rm /prd/x", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_NAMES_BELOW | CLUE_REMOVES },
    { "a copy into it", EVENT("extract-to-dir", OWN, NOW), "a copy into container web", NULL, CLUE_STARTED | CLUE_ALTERS },
    { "a copy out of it", EVENT("archive-path", OWN, NOW), NULL, NULL, 0 },
    { "a signal", EVENT("kill", OWN, NOW), "", "container web was sent a signal", 0 },
    { "another container's", EVENT("exec_start: rm -rf /prd", "ffffffffffff", NOW), NULL, NULL, 0 },
    { "one whose id only begins so", EVENT("exec_start: rm -rf /prd", OWN "cd", NOW), NULL, NULL, 0 },
    { "no time", EVENT("exec_start: rm -rf /prd", OWN, "\"x\""), NULL, NULL, 0 },
    { "a time before all", EVENT("exec_start: rm -rf /prd", OWN, "-1"), NULL, NULL, 0 },
    { "no object", "[1]", NULL, NULL, 0 },
    { "no JSON", "{\"Action\":", NULL, NULL, 0 },
    { "an empty line", "", NULL, NULL, 0 },
};

static void test_row(void **state)
{
    const struct event_line_row *row = *state;
    struct clue_question q = { .path = bytes_of("/prd"), .now_ns = AT + SECOND, .spans = { { AT, AT } }, .span_count = 1 };
    struct container *c = container_new();
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    struct clue_span cover;
    struct clue_fact f;
    struct bytes rest;

    container_set(c, &c->id, bytes_of(OWN));
    container_set(c, &c->name, bytes_of("web"));
    container_set(c, &c->health_check, (struct bytes){ "/bin/sh\0-c\0curl -f localhost", 29 });
    engine_event(&answer, &q, c, bytes_of(row->line));
    rest = sbuf_bytes(&answer);
    if (!row->suspect) {
        assert_int_equal(answer.len, 0);
    } else {
        assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
        assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_END);
        assert_bytes(f.suspect, row->suspect);
        assert_int_equal(f.marks, row->marks);
        if (row->text)
            assert_bytes(f.text, row->text);
    }
    container_unref(c);
}

int main(void)
{
    return RUN_ROWS(rows, test_row);
}
