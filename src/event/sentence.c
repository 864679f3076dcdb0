/* SPDX-License-Identifier: MIT */
#include "event/sentence.h"

#include "event/operation.h"
#include "util/err.h"
#include "util/digits.h"
#include "util/escape.h"

#define RED "\x1b[31m"
#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define RESET "\x1b[0m"

/* Up to here a double is nearer to its quotient than that is to one halfway between two tenths, if it is none. */
#define EXACT_S (1ull << 22) /* nanoseconds are divided once */

#define TIME_COLUMNS 14
#define SINCE_COLUMNS 9
#define OPERATION_COLUMNS 12
#define PATH_COLUMN_MIN 24 /* a path is never cut to less */
#define PATH_PAD 44        /* the actors form a column as long as paths are short */

static void paint(struct sbuf *out, const struct sentence_style *style, const char *code)
{
    if (style->colour)
        sbuf_add_str(out, code);
}

static void add_path(struct sbuf *out, const struct event *e, unsigned columns)
{
    if (e->operation == OPERATION_RENAME && e->previous_path.len) {
        escape_terminal_path(out, e->previous_path, columns ? MAX(columns / 2, 16u) : 0);
        sbuf_add_str(out, " → ");
        escape_terminal_path(out, e->path, columns ? MAX(columns / 2, 16u) : 0);
        sbuf_add_str(out, e->path.len ? "" : "(not known)");
        return;
    }
    if (!e->path.len) {
        sbuf_add_str(out, "(a file whose name is not known)");
        return;
    }
    escape_terminal_path(out, e->path, columns);
}

static void add_uid(struct sbuf *out, uint32_t uid)
{
    sbuf_add_str(out, "uid ");
    sbuf_add_decimal(out, uid);
}

void sentence_actor(struct sbuf *out, const struct event *e, const struct sentence_style *style)
{
    const struct process *p = e->actor.process;
    const struct credentials *cred = e->actor.cred.known || !p ? &e->actor.cred : &p->cred;
    struct bytes name = event_actor_name(e);

    paint(out, style, BOLD);
    if (name.len)
        escape_terminal(out, name);
    else
        sbuf_add_str(out, "unknown");
    paint(out, style, RESET);
    if (e->actor.pid > 0) {
        sbuf_add_char(out, '[');
        sbuf_add_decimal(out, (uint64_t)e->actor.pid);
        sbuf_add_char(out, ']');
    }
    if (cred->known) {
        sbuf_add_char(out, ' ');
        if (p && p->cred.known && p->cred.euid == cred->euid && p->user_name.len)
            escape_terminal(out, p->user_name);
        else if (cred->euid == 0)
            sbuf_add_str(out, "root");
        else
            add_uid(out, cred->euid);
    }
    if (!p || p->origin == ORIGIN_UNKNOWN)
        return;
    sbuf_add_str(out, " · ");
    if (p->origin == ORIGIN_HOST) {
        sbuf_add_str(out, "host");
    } else if (p->container) {
        struct bytes id = p->container->id;

        escape_terminal(out, p->container->name.len ? p->container->name
                                                    : (struct bytes){ id.data, MIN(id.len, (size_t)12) });
    } else {
        sbuf_add_str(out, "a container");
    }
}

static void add_since(struct sbuf *out, const struct event *e)
{
    size_t from = out->len;
    bool before = e->since_start_ns < 0;
    uint64_t ns = before ? -(uint64_t)e->since_start_ns : (uint64_t)e->since_start_ns;

    if (e->since_start_known) {
        sbuf_add_char(out, before ? '-' : '+');
        if (ns >= EXACT_S * NS_PER_S || !sentence_tenths(out, ns, NS_PER_S))
            sbuf_addf(out, "%.1f", (double)ns / 1e9);
        sbuf_add_str(out, " s");
    }
    escape_pad(out, from, SINCE_COLUMNS);
}

static void add_operation(struct sbuf *out, const struct event *e, const struct sentence_style *style)
{
    const char *name = operation_info(e->operation)->name;
    bool red = style->colour && operation_removes(e->operation);
    size_t len = strlen(name);

    if (red)
        sbuf_add_str(out, RED);
    sbuf_add(out, name, len);
    if (red)
        sbuf_add_str(out, RESET);
    if (len < OPERATION_COLUMNS)
        sbuf_fill(out, ' ', OPERATION_COLUMNS - len);
}

static void add_outcome(struct sbuf *out, int error, unsigned sensors)
{
    if (sensors & SENSOR_GUARD) {
        sbuf_add_str(out, "refused (by the guard)");
        return;
    }
    if (error < 0) {
        sbuf_add_str(out, "outcome not known");
        return;
    }
    sbuf_add_str(out, "refused (");
    sbuf_add_str(out, errno_name(error) ? errno_name(error) : "?");
    sbuf_add_char(out, ')');
}

/* What else there is to say, two spaces before each; nothing of a plain success. */
static void add_remarks(struct sbuf *out, const struct event *e)
{
    size_t before = out->len, from;

    sbuf_add_str(out, "  ");
    from = out->len;
    sentence_change(out, e);
    if (out->len == from)
        sbuf_truncate(out, before);
    if (e->error != 0) {
        sbuf_add_str(out, "  ");
        add_outcome(out, e->error, e->sensors);
    }
    if (e->carried.len && e->error == 0) {
        sbuf_add_str(out, "  ");
        sentence_carried(out, e);
    }
    if (e->note.len) {
        sbuf_add_str(out, "  ");
        escape_terminal(out, e->note);
    }
    if (e->sharers.len) {
        sbuf_add_str(out, "  (also of ");
        sentence_names(out, e->sharers, 3);
        sbuf_add_char(out, ')');
    }
}

/* What the other columns of a terminal leave for the path. The others are written once more for that, where there is
 * room for them already. */
static unsigned columns_for_path(struct sbuf *out, const struct event *e, const struct sentence_style *style)
{
    struct sentence_style plain = *style;
    unsigned actor, remarks, used;
    size_t from = out->len;

    plain.colour = false;
    sentence_actor(out, e, &plain);
    actor = escape_columns_from(out, from);
    sbuf_truncate(out, from);
    add_remarks(out, e);
    remarks = escape_columns_from(out, from);
    sbuf_truncate(out, from);
    used = TIME_COLUMNS + (style->containers ? SINCE_COLUMNS : 0) + OPERATION_COLUMNS + MAX(remarks, 2u) + 2 + actor;
    return style->columns > used + PATH_COLUMN_MIN ? style->columns - used : PATH_COLUMN_MIN;
}

void sentence_event(struct sbuf *out, const struct event *e, const struct sentence_style *style)
{
    unsigned path_columns = style->columns ? columns_for_path(out, e, style) : 0;
    size_t from;

    paint(out, style, DIM);
    sentence_time(out, e->time_ns, style->utc_offset_s);
    paint(out, style, RESET);
    sbuf_add_str(out, "  ");
    if (style->containers)
        add_since(out, e);
    add_operation(out, e, style);
    from = out->len;
    add_path(out, e, path_columns);
    add_remarks(out, e);
    escape_pad(out, from, path_columns ? MIN(path_columns, (unsigned)PATH_PAD) : PATH_PAD);
    sbuf_add_str(out, "  ");
    sentence_actor(out, e, style);
}

void sentence_names(struct sbuf *out, struct bytes names, unsigned max)
{
    unsigned n = 0;

    while (names.len) {
        struct bytes name = { names.data, strnlen(names.data, names.len) };

        if (n++ < max) {
            sbuf_add_str(out, n > 1 ? ", " : "");
            escape_terminal(out, name);
        }
        names = (struct bytes){ names.data + name.len, names.len - name.len };
        if (names.len)
            names = (struct bytes){ names.data + 1, names.len - 1 };
    }
    if (n > max)
        sbuf_addf(out, " and %u more", n - max);
}

void sentence_life(struct sbuf *out, const struct lifecycle_event *life, const struct sentence_style *style)
{
    static const char *const words[LIFECYCLE_COUNT] = {
        [LIFECYCLE_CREATE] = "created",   [LIFECYCLE_START] = "started",   [LIFECYCLE_DIE] = "stopped",
        [LIFECYCLE_DESTROY] = "removed",  [LIFECYCLE_RENAME] = "renamed",  [LIFECYCLE_PAUSE] = "paused",
        [LIFECYCLE_UNPAUSE] = "resumed",  [LIFECYCLE_OOM] = "ran out of memory",
    };
    const struct container *c = life->container;

    paint(out, style, DIM);
    sentence_time(out, life->time_ns, style->utc_offset_s);
    paint(out, style, RESET);
    sbuf_add_str(out, style->containers ? "           ●  " : "  ●  ");
    escape_terminal(out, c->name.len ? c->name : (struct bytes){ c->id.data, MIN(c->id.len, (size_t)12) });
    sbuf_addf(out, " %s", (unsigned)life->kind < LIFECYCLE_COUNT && words[life->kind] ? words[life->kind] : "?");
    if (life->kind == LIFECYCLE_DIE && life->exit_code >= 0)
        sbuf_addf(out, " (exit %d)", life->exit_code);
    if (life->kind == LIFECYCLE_CREATE && c->image_name.len) {
        sbuf_add_str(out, " (");
        escape_terminal(out, c->image_name);
        sbuf_add_char(out, ')');
    }
    if (life->kind == LIFECYCLE_START && c->pid > 0)
        sbuf_addf(out, " (pid %d)", c->pid);
    if (life->kind == LIFECYCLE_RENAME && life->previous_name.len) {
        sbuf_add_str(out, " (was ");
        escape_terminal(out, life->previous_name);
        sbuf_add_char(out, ')');
    }
}

void sentence_gap(struct sbuf *out, const struct gap *gap, const struct sentence_style *style)
{
    /* for how long, nobody knows */
    bool goes_on = gap->reason == LOST_UNANSWERED ||
                   (gap->from_ns == gap->to_ns && (gap->reason == LOST_SENSOR || gap->reason == LOST_ENGINE));

    paint(out, style, RED);
    sentence_time(out, gap->from_ns, style->utc_offset_s);
    sbuf_add_str(out, "  ");
    if (gap->count)
        sbuf_addf(out, gap->reason == LOST_AUDIT_NUMBERS ? "%llu missing" : "%llu lost", (unsigned long long)gap->count);
    else if (gap->reason == LOST_ENGINE) /* the changes are there */
        sbuf_add_str(out, "names may be missing");
    else
        sbuf_add_str(out, gap->reason == LOST_KILLED || goes_on ? "some may be lost" : "some lost");
    if (!goes_on) {
        sbuf_add_str(out, " until ");
        sentence_time(out, gap->to_ns, style->utc_offset_s);
    }
    if (gap->text[0])
        sbuf_addf(out, ": %s", gap->text);
    paint(out, style, RESET);
}
