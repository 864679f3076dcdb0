/* SPDX-License-Identifier: MIT */
#include "event/sentence.h"

#include <sys/stat.h>

#include "event/operation.h"
#include "util/err.h"
#include "util/digits.h"
#include "util/escape.h"

#define RED "\x1b[31m"
#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define RESET "\x1b[0m"

#define DAY_S 86400
/* Up to here a double is nearer to its quotient than that is to one halfway between two tenths, if it is none. */
#define EXACT_UNIT 2         /* GB: sizes are divided by a thousand again and again */
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

void sentence_time(struct sbuf *out, uint64_t time_ns, long utc_offset_s)
{
    int64_t of_day = ((int64_t)(time_ns / NS_PER_S) + utc_offset_s) % DAY_S;
    unsigned s = (unsigned)(of_day < 0 ? of_day + DAY_S : of_day);
    unsigned ms = (unsigned)(time_ns % NS_PER_S / NS_PER_MS);
    char text[] = "00:00:00.000";

    put_two_digits(text, s / 3600);
    put_two_digits(text + 3, s / 60 % 60);
    put_two_digits(text + 6, s % 60);
    text[9] = (char)('0' + ms / 100);
    put_two_digits(text + 10, ms % 100);
    sbuf_add(out, text, sizeof(text) - 1);
}

/* A quotient with one digit after the point, as "%.1f" writes that of doubles, which is exact enough for this unless it
 * is halfway between two: then false, and how doubles round it decides. */
static bool add_tenths(struct sbuf *out, uint64_t value, uint64_t unit)
{
    uint64_t tenths = (value + unit / 20) / (unit / 10);

    if (value % (unit / 10) == unit / 20)
        return false;
    sbuf_add_decimal(out, tenths / 10);
    sbuf_add_char(out, '.');
    sbuf_add_char(out, (char)('0' + tenths % 10));
    return true;
}

void sentence_size(struct sbuf *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    double value = (double)bytes / 1000;
    uint64_t divisor = 1000;
    size_t unit = 0;

    if (bytes < 1000) {
        sbuf_add_decimal(out, bytes);
        sbuf_add_str(out, " B");
        return;
    }
    for (; value >= 999.95 && unit + 1 < ARRAY_SIZE(units); value /= 1000) {
        divisor *= 1000;
        unit++;
    }
    if (unit > EXACT_UNIT || !add_tenths(out, bytes, divisor))
        sbuf_addf(out, "%.1f", value);
    sbuf_add_char(out, ' ');
    sbuf_add_str(out, units[unit]);
}

static void add_owner(struct sbuf *out, bool known, uint32_t id, struct bytes name)
{
    if (name.len)
        escape_terminal(out, name);
    else if (known)
        sbuf_add_decimal(out, id);
    else
        sbuf_add_char(out, '?');
}

static void add_permissions(struct sbuf *out, uint32_t mode)
{
    char text[4];

    for (size_t i = sizeof(text); i-- > 0; mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    sbuf_add(out, text, sizeof(text));
}

static void change_of_mode(struct sbuf *out, const struct event *e)
{
    if (e->before.known & FILE_MODE) {
        add_permissions(out, e->before.mode);
        sbuf_add_str(out, " → ");
    }
    if (e->after.known & FILE_MODE)
        add_permissions(out, e->after.mode);
}

static void change_of_owner(struct sbuf *out, const struct event *e)
{
    bool uid = (e->after.known & FILE_UID) &&
               (!(e->before.known & FILE_UID) || e->before.uid != e->after.uid);
    bool gid = (e->after.known & FILE_GID) &&
               (!(e->before.known & FILE_GID) || e->before.gid != e->after.gid);

    if (!uid && !gid) { /* it was set to what it was */
        if (e->after.known & FILE_UID)
            uid = true;
        else
            gid = (e->after.known & FILE_GID) != 0;
    }
    if (uid) {
        add_owner(out, e->before.known & FILE_UID, e->before.uid, e->before.owner);
        sbuf_add_str(out, " → ");
        add_owner(out, true, e->after.uid, e->after.owner);
    }
    if (gid) {
        sbuf_add_str(out, uid ? ", group " : "group ");
        add_owner(out, e->before.known & FILE_GID, e->before.gid, e->before.group);
        sbuf_add_str(out, " → ");
        add_owner(out, true, e->after.gid, e->after.group);
    }
}

/* What was written, where the sensor knows that; else what is known of the size. */
static void change_of_contents(struct sbuf *out, const struct event *e)
{
    bool before = e->before.known & FILE_SIZE, after = e->after.known & FILE_SIZE;

    if (e->bytes_known) {
        sentence_size(out, e->bytes);
        sbuf_add_str(out, " written");
    } else if (e->operation == OPERATION_CREATE && after && e->after.size) {
        sentence_size(out, e->after.size);
    } else if (e->operation == OPERATION_WRITE && before && after && e->before.size != e->after.size) {
        bool grew = e->after.size > e->before.size;

        sbuf_add_str(out, grew ? "grew by " : "shrank by ");
        sentence_size(out, grew ? e->after.size - e->before.size : e->before.size - e->after.size);
    }
}

void sentence_change(struct sbuf *out, const struct event *e)
{
    switch (e->operation) {
    case OPERATION_CHMOD:
        change_of_mode(out, e);
        break;
    case OPERATION_CHOWN:
        change_of_owner(out, e);
        break;
    case OPERATION_TRUNCATE:
        if (e->before.known & FILE_SIZE) {
            sentence_size(out, e->before.size);
            sbuf_add_str(out, " → ");
            sentence_size(out, e->after.known & FILE_SIZE ? e->after.size : 0);
        }
        break;
    case OPERATION_CREATE:
    case OPERATION_WRITE:
        change_of_contents(out, e);
        break;
    case OPERATION_SETXATTR:
    case OPERATION_REMOVEXATTR:
        escape_terminal(out, e->xattr);
        break;
    case OPERATION_SETFLAGS:
        if ((e->before.known & FILE_FLAGS) && (e->after.known & FILE_FLAGS))
            sbuf_addf(out, "%#x → %#x", e->before.flags, e->after.flags);
        break;
    case OPERATION_SYMLINK:
    case OPERATION_LINK:
    case OPERATION_MOUNT:
        if (e->target_path.len) {
            sbuf_add_str(out, e->operation == OPERATION_MOUNT ? "from " : "→ ");
            escape_terminal(out, e->target_path);
        }
        break;
    case OPERATION_UNLINK:
    case OPERATION_REPLACE:
        if ((e->file.known & FILE_SIZE) && (!(e->file.known & FILE_MODE) || S_ISREG(e->file.mode)))
            sentence_size(out, e->file.size);
        break;
    default:
        break;
    }
}

void sentence_carried(struct sbuf *out, const struct event *e)
{
    const char *what = "went with it";

    if (!e->carried.len)
        return;
    if (e->operation == OPERATION_RENAME && !bytes_path_covers(e->previous_path, e->carried))
        what = (e->file.known & FILE_MODE) && S_ISLNK(e->file.mode) ? "is reached by it" : "came with it";
    else if (e->operation == OPERATION_UNLINK)
        what = "is not reached any more";
    else if (e->operation == OPERATION_MOUNT)
        what = "is hidden by it";
    else if (e->operation == OPERATION_UNMOUNT)
        what = "is what it was before the mount";
    else if (e->operation == OPERATION_SYMLINK)
        what = "is reached by it";
    escape_terminal(out, e->carried);
    sbuf_addf(out, " %s", what);
}

static void add_some_path(struct sbuf *out, const char *before, struct bytes path)
{
    if (!path.len)
        return;
    sbuf_add_str(out, before);
    escape_terminal(out, path);
}

void sentence_above(struct sbuf *out, const struct event *e)
{
    if (e->operation == OPERATION_RENAME) {
        add_some_path(out, "moved ", e->previous_path);
        sbuf_add_str(out, e->previous_path.len ? "" : "moved something from where it is not known");
        add_some_path(out, " to ", e->path);
    } else {
        sbuf_add_str(out, operation_info(e->operation)->past);
        add_some_path(out, " ", e->path);
        add_some_path(out, e->operation == OPERATION_MOUNT ? " from " : " to ", e->target_path);
    }
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

static unsigned columns_from(const struct sbuf *out, size_t from)
{
    return escape_columns((struct bytes){ sbuf_str(out) + from, out->len - from });
}

/* So many columns, counted from `from`; no fewer than there are. */
static void pad(struct sbuf *out, size_t from, unsigned width)
{
    unsigned columns = columns_from(out, from);

    if (columns < width)
        sbuf_fill(out, ' ', width - columns);
}

static void add_since(struct sbuf *out, const struct event *e)
{
    size_t from = out->len;
    bool before = e->since_start_ns < 0;
    uint64_t ns = before ? -(uint64_t)e->since_start_ns : (uint64_t)e->since_start_ns;

    if (e->since_start_known) {
        sbuf_add_char(out, before ? '-' : '+');
        if (ns >= EXACT_S * NS_PER_S || !add_tenths(out, ns, NS_PER_S))
            sbuf_addf(out, "%.1f", (double)ns / 1e9);
        sbuf_add_str(out, " s");
    }
    pad(out, from, SINCE_COLUMNS);
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

static void add_outcome(struct sbuf *out, int error)
{
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
        add_outcome(out, e->error);
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
    actor = columns_from(out, from);
    sbuf_truncate(out, from);
    add_remarks(out, e);
    remarks = columns_from(out, from);
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
    pad(out, from, path_columns ? MIN(path_columns, (unsigned)PATH_PAD) : PATH_PAD);
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
        sbuf_addf(out, "%llu lost", (unsigned long long)gap->count);
    else
        sbuf_add_str(out, gap->reason == LOST_KILLED || gap->reason == LOST_ENGINE || goes_on ? "some may be lost" : "some lost");
    if (!goes_on) {
        sbuf_add_str(out, " until ");
        sentence_time(out, gap->to_ns, style->utc_offset_s);
    }
    if (gap->text[0])
        sbuf_addf(out, ": %s", gap->text);
    paint(out, style, RESET);
}
