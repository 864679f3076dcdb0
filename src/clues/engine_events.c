/* SPDX-License-Identifier: MIT */
#include "clues/engine_events.h"

#include <errno.h>

#include "clues/line.h"
#include "engine/engine.h"
#include "engine/json.h"
#include "util/cleanup.h"

#define PATIENCE_MS 1500

/* What the engine says was done. Its start and its making are in its record. */
static const struct event_row {
    const char *action; /* its beginning */
    const char *text;   /* behind "container NAME"; the command follows, where there is one */
    const char *suspect; /* before the container's name; NULL: it is only shown */
    unsigned marks;
    bool command;       /* behind the action */
} rows[] = {
    { "exec_start: ", "ran, by exec: ", "exec into container ", CLUE_STARTED | CLUE_COMMAND, true },
    { "extract-to-dir", "was given files, by a copy from outside", "a copy into container ", CLUE_STARTED | CLUE_ALTERS, false },
    { "restart", "was restarted", NULL, 0, false },
    { "kill", "was sent a signal", NULL, 0, false },
    { "die", "ended", NULL, 0, false },
    { "oom", "ran out of memory", NULL, 0, false },
    { "update", "was given other limits", NULL, 0, false },
};

/* The engine's own look at whether it is well: its arguments, with blanks between them as in the event. */
static bool is_health_check(const struct container *c, struct bytes command)
{
    struct bytes check = c->health_check;

    if (check.len && check.data[check.len - 1] == '\0')
        check.len--;
    if (!check.len || check.len != command.len)
        return false;
    for (size_t i = 0; i < check.len; i++)
        if (command.data[i] != (check.data[i] ? check.data[i] : ' '))
            return false;
    return true;
}

static void put(struct sbuf *answer, const struct clue_question *q, const struct container *container, const struct event_row *row,
                struct bytes command, uint64_t time_ns)
{
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = row->marks, .from_ns = time_ns };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT;
    unsigned says = line_marks(command, q);

    /* what names the path counts from an hour before, as in logs */
    if (clue_span_of(q, time_ns, says & CLUE_NAMES ? CLUE_FAR_NS : CLUE_BEFORE_NS) < 0)
        return;
    sbuf_add_str(&text, "container ");
    sbuf_add_bytes(&text, container->name);
    sbuf_add_char(&text, ' ');
    sbuf_add_str(&text, row->text);
    sbuf_add_bytes(&text, command);
    if (row->suspect) {
        sbuf_add_str(&suspect, row->suspect);
        sbuf_add_bytes(&suspect, container->name);
        sbuf_add_str(&suspect, command.len ? ": " : "");
        sbuf_add_bytes(&suspect, command);
    }
    f.marks |= says;
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    clue_put(answer, &f);
}

void engine_event(struct sbuf *answer, const struct clue_question *q, const struct container *container, struct bytes line)
{
    _cleanup_json_ json_t *root = json_read(line, "the engine's answer", NULL);
    struct bytes action = root ? json_text_at(root, "Action") : BYTES_NULL;
    uint64_t time_ns = root ? json_number_at(root, "timeNano", INT64_MAX) : 0;

    if (!time_ns || !bytes_equal(json_text_at(json_object_get(root, "Actor"), "ID"), container->id))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bytes name = bytes_of(rows[i].action), command = BYTES_NULL;

        if (rows[i].command ? !bytes_starts_with(action, name) : !bytes_equal(action, name))
            continue;
        if (rows[i].command)
            command = (struct bytes){ action.data + name.len, action.len - name.len };
        while (command.len && command.data[command.len - 1] == ' ')
            command.len--; /* Docker puts a blank behind each argument */
        if (!is_health_check(container, command))
            put(answer, q, container, &rows[i], command, time_ns);
    }
}

int engine_events_ask(struct clues *c, unsigned source, struct err *err)
{
    const struct clues_options *o = clues_options(c);
    _cleanup_sbuf_ struct sbuf lines = SBUF_INIT, answer = SBUF_INIT;
    struct err own = ERR_INIT;
    struct clue_span cover;
    struct bytes rest;
    struct clue_fact f;
    int r;

    (void)err;
    if (!o->view || !o->engines)
        return 0;
    engines_set_patience(o->engines, clues_time_left(c, PATIENCE_MS));
    r = engines_recent(o->engines, o->view->container, &lines, &own);
    clues_set_report(c, source, r == -ENOENT ? CLUE_STATE_ABSENT : r < 0 ? CLUE_STATE_FAILED : CLUE_STATE_READ,
                     r < 0 && r != -ENOENT ? bytes_of(err_text(&own, r)) : BYTES_NULL);
    for (rest = sbuf_bytes(&lines); rest.len;)
        engine_event(&answer, clues_question(c), o->view->container, bytes_next_line(&rest));
    for (rest = sbuf_bytes(&answer), r = 0; r == 0 && clue_take(&rest, &f, &cover) == CLUE_PART_FACT;)
        r = clues_add(c, source, &f);
    return r == -ENOMEM ? r : 0;
}
