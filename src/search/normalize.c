/* SPDX-License-Identifier: MIT */
/*
 * csv and text: what an event means in ausearch's words (subject, action, object, how) comes from
 * libauparse's normaliser. Cells are quoted where CSV (RFC 4180) needs it, which ausearch does not
 * do, and the new name of a rename is printed where the normaliser has lost it.
 */
#include "search/normalize.h"

#include <auparse.h>
#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>
#include <time.h>

#include "search/format_text.h"
#include "search/formatter.h"
#include "sensor/audit/record.h"
#include "util/macro.h"

struct word_interpreter {
    auparse_state_t *au;
    struct search_formatter *f; /* of the call under way */
    struct search_matcher *matcher;
    const struct search_event *event;
    struct sbuf *out;
    bool csv;
    int result;
};

void interpreter_free(struct word_interpreter *i)
{
    if (!i)
        return;
    if (i->au)
        auparse_destroy(i->au);
    free(i);
}

/* The new name of a rename that succeeded; BYTES_NULL if it is none. */
static struct bytes new_name(struct word_interpreter *in)
{
    if (search_paths_read(in->event, in->matcher->places, &in->matcher->paths) < 0)
        return BYTES_NULL;
    for (unsigned i = 0; i < in->matcher->paths.change_count; i++) {
        const struct audit_change *c = &in->matcher->paths.changes[i];

        if (c->operation == OPERATION_RENAME)
            return search_change_path(&in->matcher->paths, c);
    }
    return BYTES_NULL;
}

static bool is_rename(const char *action)
{
    return action && strcmp(action, "renamed") == 0;
}

static const char *field_text(auparse_state_t *au)
{
    return auparse_get_field_type(au) == AUPARSE_TYPE_ESCAPED_FILE ? auparse_interpret_realpath(au)
                                                                   : auparse_interpret_field(au);
}

static bool result_is_success(auparse_state_t *au)
{
    const char *text = auparse_interpret_field(au);

    if (!text)
        return false;
    return strcmp(text, "yes") == 0 || strncmp(text, "suc", 3) == 0 ||
           (auparse_get_field_type(au) == AUPARSE_TYPE_SECCOMP && strcmp(text, "allow") == 0);
}

/* ---- csv ---- */

/* What a setting's change is about is the field's name, not its value. */
static const char *object_text(auparse_state_t *au, const char *action)
{
    if (auparse_get_field_type(au) == AUPARSE_TYPE_ESCAPED_FILE)
        return auparse_interpret_realpath(au);
    if (auparse_get_type(au) == AUDIT_CONFIG_CHANGE && action &&
        (strcmp(action, "set") == 0 || strcmp(action, "seccomp-logging") == 0))
        return auparse_get_field_name(au);
    return auparse_interpret_field(au);
}

static void cell_bytes(struct sbuf *out, struct bytes text)
{
    bool quote = false;

    for (size_t i = 0; i < text.len; i++)
        quote = quote || strchr(",\"\r\n", text.data[i]);
    if (!quote) {
        sbuf_add_bytes(out, text);
        return;
    }
    sbuf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            sbuf_add_char(out, '"');
        sbuf_add_char(out, text.data[i]);
    }
    sbuf_add_char(out, '"');
}

static void cell(struct sbuf *out, const char *text)
{
    cell_bytes(out, bytes_of(text));
}

static void next(struct sbuf *out)
{
    sbuf_add_char(out, ',');
}

static void time_cell(struct sbuf *out, const char *format, const struct tm *tm)
{
    char text[32] = "";

    cell(out, format_when(format, tm, text, sizeof(text)));
    next(out);
}

static void label_cell(struct sbuf *out, auparse_state_t *au, const char *wanted,
                       int (*first)(auparse_state_t *), int (*following)(auparse_state_t *))
{
    int rc = first(au);

    do {
        if (rc == 1) {
            const char *name = auparse_get_field_name(au);

            if (name && strcmp(name, wanted) == 0) {
                cell(out, auparse_interpret_field(au));
                break;
            }
        }
    } while (following(au) == 1);
    next(out);
}

static void extra_time(struct sbuf *out, auparse_state_t *au, const struct tm *tm)
{
    static const char *const formats[] = { "%Y", "%m", "%d", "%u", "%k" };

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        time_cell(out, formats[i], tm);
    sbuf_addf(out, "%u,", auparse_get_milli(au));
    if (tm) {
        unsigned long total = (unsigned long)labs(tm->tm_gmtoff), hour = total / 3600;

        sbuf_addf(out, "%c%02lu:%02lu", tm->tm_gmtoff >= 0 ? '+' : '-', hour, (total - hour * 3600) / 60);
    }
    next(out);
}

static void say_csv(struct word_interpreter *in, auparse_state_t *au)
{
    const struct search_query *q = in->f->query;
    struct sbuf *out = in->out;
    time_t t = auparse_get_time(au);
    struct tm buffer, *tm = localtime_r(&t, &buffer);
    const char *node = auparse_get_node(au), *action, *text;
    int rc;

    if (node)
        cell(out, auparse_interpret_field(au));
    free((void *)(uintptr_t)node);
    next(out);
    cell(out, auparse_get_type_name(au));
    next(out);
    rc = auparse_normalize(au, q->extra_labels ? NORM_OPT_ALL : NORM_OPT_NO_ATTRS);
    time_cell(out, "%x", tm);
    time_cell(out, "%T", tm);
    if (q->extra_time)
        extra_time(out, au, tm);
    sbuf_addf(out, "%lu,", auparse_get_serial(au));
    if (rc) { /* nothing is known of such an event */
        sbuf_addf(out, ",,,,,,,,,%s%s\n", q->extra_labels ? ",," : "", q->extra_keys ? "," : "");
        return;
    }
    text = auparse_normalize_get_event_kind(au);
    cell(out, text ? text : "unknown");
    next(out);
    if (auparse_normalize_session(au) == 1)
        cell(out, auparse_interpret_field(au));
    next(out);
    if (auparse_normalize_subject_primary(au) == 1) {
        text = auparse_interpret_field(au);
        cell(out, text && strcmp(text, "unset") == 0 ? "system" : text);
    }
    next(out);
    if (auparse_normalize_subject_secondary(au) == 1)
        cell(out, auparse_interpret_field(au));
    next(out);
    cell(out, auparse_normalize_subject_kind(au));
    next(out);
    if (q->extra_labels)
        label_cell(out, au, "subj", auparse_normalize_subject_first_attribute,
                   auparse_normalize_subject_next_attribute);
    action = auparse_normalize_get_action(au);
    cell(out, action ? action : "did-unknown");
    next(out);
    if (auparse_normalize_get_results(au) == 1)
        sbuf_add_str(out, result_is_success(au) ? "success" : "failed");
    next(out);
    if (auparse_normalize_object_primary(au) == 1)
        cell(out, object_text(au, action));
    next(out);
    if (auparse_normalize_object_secondary(au) == 1)
        cell(out, auparse_interpret_field(au));
    next(out);
    if (q->extra_obj2) {
        if (auparse_normalize_object_primary2(au) == 1)
            cell(out, field_text(au));
        else if (is_rename(action))
            cell_bytes(out, new_name(in));
        next(out);
    }
    if (q->extra_labels)
        label_cell(out, au, "obj", auparse_normalize_object_first_attribute,
                   auparse_normalize_object_next_attribute);
    cell(out, auparse_normalize_object_kind(au));
    next(out);
    cell(out, auparse_normalize_how(au));
    if (q->extra_keys) {
        next(out);
        if (auparse_normalize_key(au) == 1)
            cell(out, auparse_interpret_field(au));
    }
    sbuf_add_char(out, '\n');
}

/* ---- text ---- */

static void say_object(struct word_interpreter *in, auparse_state_t *au, const char *action, int type)
{
    const char *text = NULL;

    switch (auparse_get_field_type(au)) {
    case AUPARSE_TYPE_ESCAPED_FILE:
        text = auparse_interpret_realpath(au);
        break;
    case AUPARSE_TYPE_SOCKADDR:
        text = auparse_interpret_sock_address(au);
        if (!text)
            text = auparse_interpret_sock_family(au);
        break;
    default:
        if (action && strstr(action, "violated"))
            text = "accessing ";
        if (type == AUDIT_CONFIG_CHANGE)
            text = object_text(au, action);
    }
    sbuf_add_str(in->out, text ? text : auparse_interpret_field(au));
    sbuf_add_char(in->out, ' ');
}

static void say_text(struct word_interpreter *in, auparse_state_t *au)
{
    struct sbuf *out = in->out;
    time_t t = auparse_get_time(au);
    struct tm tm;
    char when[32] = "?";
    const char *node, *action, *how, *text;
    int type = auparse_get_type(au), id = -2;

    if (localtime_r(&t, &tm))
        format_when("%T %x", &tm, when, sizeof(when));
    auparse_normalize(au, NORM_OPT_NO_ATTRS);
    node = auparse_get_node(au);
    if (node) {
        sbuf_add_str(out, "On ");
        sbuf_add_str(out, auparse_interpret_field(au));
        sbuf_addf(out, " at %s ", when);
    } else {
        sbuf_addf(out, "At %s ", when);
    }
    free((void *)(uintptr_t)node);
    if (auparse_normalize_subject_primary(au) == 1) {
        text = auparse_interpret_field(au);
        id = auparse_get_field_int(au);
        sbuf_add_str(out, text && strcmp(text, "unset") == 0 ? "system" : text);
    }
    if (auparse_normalize_subject_secondary(au) == 1) {
        int uid = auparse_get_field_int(au);

        if (uid != id && id != -2 && uid != -1) {
            sbuf_add_str(out, ", acting as ");
            sbuf_add_str(out, auparse_interpret_field(au));
            sbuf_add_char(out, ',');
        }
    }
    if (auparse_normalize_get_results(au) == 1)
        sbuf_add_str(out, result_is_success(au) ? " successfully " : " unsuccessfully ");
    else
        sbuf_add_char(out, ' ');
    action = auparse_normalize_get_action(au);
    if (in->f->query->debug && !action)
        sbuf_addf(out, "error on type:%d\n", type);
    sbuf_add_str(out, action ? action : "did-unknown");
    sbuf_add_char(out, ' ');
    if (auparse_normalize_object_primary(au) == 1)
        say_object(in, au, action, type);
    if (auparse_normalize_object_primary2(au) == 1) {
        sbuf_add_str(out, "to ");
        sbuf_add_str(out, field_text(au));
        sbuf_add_char(out, ' ');
    } else if (is_rename(action)) {
        struct bytes to = new_name(in);

        if (to.data) {
            sbuf_add_str(out, "to ");
            format_escaped(in->f->query->escape, to, out);
            sbuf_add_char(out, ' ');
        }
    }
    how = auparse_normalize_how(au);
    if (how && action && *action != 'e') /* not of a session that ended */
        sbuf_addf(out, "using %s", how);
    sbuf_add_char(out, '\n');
}

/* ---- feeding ---- */

static void on_event(auparse_state_t *au, auparse_cb_event_t type, void *data)
{
    struct word_interpreter *in = data;

    if (type != AUPARSE_CB_EVENT_READY)
        return;
    if (in->csv)
        say_csv(in, au);
    else
        say_text(in, au);
}

static struct word_interpreter *interpreter_of(struct search_formatter *f)
{
    struct word_interpreter *in = f->interpreter;

    if (in)
        return in;
    in = calloc(1, sizeof(*in));
    if (!in)
        return NULL;
    in->au = auparse_init(AUSOURCE_FEED, NULL);
    if (!in->au) {
        free(in);
        return NULL;
    }
    auparse_set_escape_mode(in->au, (auparse_esc_t)f->query->escape);
    auparse_set_eoe_timeout((time_t)f->query->end_of_event_s);
    auparse_add_callback(in->au, on_event, in, NULL);
    f->interpreter = in;
    return in;
}

static int feed(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out, bool csv)
{
    struct word_interpreter *in = interpreter_of(f);

    if (!in)
        return -ENOMEM;
    in->f = f;
    in->event = event;
    in->matcher = matcher;
    in->out = out;
    in->csv = csv;
    /* record by record, as ausearch does: the library decides at each what is complete */
    for (unsigned i = 0; i < event->count; i++) {
        sbuf_clear(&f->scratch);
        format_raw_record(event, &event->records[i], &f->scratch);
        if (sbuf_error(&f->scratch))
            return -ENOMEM;
        auparse_feed(in->au, f->scratch.data, f->scratch.len);
    }
    auparse_flush_feed(in->au);
    return 0;
}

int format_csv(struct search_formatter *f, const struct search_event *event,
               struct search_matcher *matcher, struct sbuf *out)
{
    return feed(f, event, matcher, out, true);
}

int format_text(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out)
{
    return feed(f, event, matcher, out, false);
}
