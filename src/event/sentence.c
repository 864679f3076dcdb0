/* SPDX-License-Identifier: MIT */
#include "event/sentence.h"

#include <sys/stat.h>
#include <time.h>

#include "event/operation.h"
#include "util/err.h"
#include "util/escape.h"

#define RED "\x1b[31m"
#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define RESET "\x1b[0m"

#define PATH_COLUMN_MIN 24 /* a path is never cut to less */
#define PATH_PAD 44        /* the actors stand under each other as long as paths are short */

static void paint(struct sbuf *out, const struct sentence_style *style, const char *code)
{
    if (style->colour)
        sbuf_add_str(out, code);
}

void sentence_time(struct sbuf *out, uint64_t time_ns, long utc_offset_s)
{
    time_t s = (time_t)(time_ns / NS_PER_S) + utc_offset_s;
    struct tm tm = { 0 };

    gmtime_r(&s, &tm);
    sbuf_addf(out, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
              (unsigned)(time_ns % NS_PER_S / NS_PER_MS));
}

void sentence_size(struct sbuf *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 1000) {
        sbuf_addf(out, "%llu B", (unsigned long long)bytes);
        return;
    }
    for (value /= 1000; value >= 999.95 && unit + 1 < ARRAY_SIZE(units); value /= 1000)
        unit++;
    sbuf_addf(out, "%.1f %s", value, units[unit]);
}

static void add_owner(struct sbuf *out, bool known, uint32_t id, struct bytes name)
{
    if (name.len)
        escape_terminal(out, name);
    else if (known)
        sbuf_addf(out, "%u", id);
    else
        sbuf_add_char(out, '?');
}

static void change_of_mode(struct sbuf *out, const struct event *e)
{
    if (e->before.known & FILE_MODE)
        sbuf_addf(out, "%04o → ", e->before.mode & 07777);
    if (e->after.known & FILE_MODE)
        sbuf_addf(out, "%04o", e->after.mode & 07777);
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
    case OPERATION_WRITE:
        if (e->bytes_known) {
            sentence_size(out, e->bytes);
            sbuf_add_str(out, " written");
        }
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

static void add_path(struct sbuf *out, const struct event *e, unsigned columns)
{
    if (e->operation == OPERATION_RENAME && e->previous_path.len) {
        escape_terminal_path(out, e->previous_path, columns ? MAX(columns / 2, 16u) : 0);
        sbuf_add_str(out, " → ");
        escape_terminal_path(out, e->path, columns ? MAX(columns / 2, 16u) : 0);
        return;
    }
    if (!e->path.len) {
        sbuf_add_str(out, "(a file whose name is not known)");
        return;
    }
    escape_terminal_path(out, e->path, columns);
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
    if (e->actor.pid > 0)
        sbuf_addf(out, "[%d]", e->actor.pid);
    if (cred->known) {
        sbuf_add_char(out, ' ');
        if (p && p->cred.known && p->cred.euid == cred->euid && p->user_name.len)
            escape_terminal(out, p->user_name);
        else if (cred->euid == 0)
            sbuf_add_str(out, "root");
        else
            sbuf_addf(out, "uid %u", cred->euid);
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

static unsigned columns_of(const struct sbuf *s, size_t from)
{
    unsigned n = 0;

    for (size_t i = from; i < s->len; i++)
        n += ((unsigned char)s->data[i] & 0xc0) != 0x80;
    return n;
}

static void pad(struct sbuf *out, size_t from, unsigned width)
{
    for (unsigned n = columns_of(out, from); n < width; n++)
        sbuf_add_char(out, ' ');
}

static void add_since(struct sbuf *out, const struct event *e)
{
    size_t from = out->len;

    if (e->since_start_known)
        sbuf_addf(out, "%+.1f s", (double)e->since_start_ns / 1e9);
    pad(out, from, 9);
}

void sentence_event(struct sbuf *out, const struct event *e, const struct sentence_style *style)
{
    _cleanup_sbuf_ struct sbuf actor = SBUF_INIT, change = SBUF_INIT;
    const char *name = operation_info(e->operation)->name;
    struct sentence_style plain = *style;
    unsigned path_columns = 0;
    size_t from;

    plain.colour = false;
    sentence_actor(&actor, e, &plain);
    sentence_change(&change, e);
    if (e->error != 0) {
        if (change.len)
            sbuf_add_str(&change, "  ");
        if (e->error > 0)
            sbuf_addf(&change, "refused (%s)", errno_name(e->error) ? errno_name(e->error) : "?");
        else
            sbuf_add_str(&change, "outcome not known");
    }
    if (e->note.len) {
        sbuf_add_str(&change, change.len ? "  " : "");
        escape_terminal(&change, e->note);
    }
    if (e->sharers.len) {
        sbuf_add_str(&change, change.len ? "  (also of " : "(also of ");
        sentence_names(&change, e->sharers, 3);
        sbuf_add_char(&change, ')');
    }
    if (style->columns) {
        unsigned used = 14 + (style->containers ? 9 : 0) + 12 + columns_of(&actor, 0) + 4 +
                        columns_of(&change, 0);

        path_columns = style->columns > used + PATH_COLUMN_MIN ? style->columns - used
                                                               : PATH_COLUMN_MIN;
    }
    paint(out, style, DIM);
    sentence_time(out, e->time_ns, style->utc_offset_s);
    paint(out, style, RESET);
    sbuf_add_str(out, "  ");
    if (style->containers)
        add_since(out, e);
    from = out->len;
    if (style->colour && operation_removes(e->operation)) {
        sbuf_add_str(out, RED);
        sbuf_add_str(out, name);
        sbuf_add_str(out, RESET);
        for (size_t n = strlen(name); n < 12; n++)
            sbuf_add_char(out, ' ');
    } else {
        sbuf_add_str(out, name);
        pad(out, from, 12);
    }
    from = out->len;
    add_path(out, e, path_columns);
    if (change.len) {
        sbuf_add_str(out, "  ");
        sbuf_add_bytes(out, sbuf_bytes(&change));
    }
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

void sentence_life(struct sbuf *out, const struct life *life, const struct sentence_style *style)
{
    static const char *const words[LIFE_COUNT] = {
        [LIFE_CREATE] = "created",   [LIFE_START] = "started",   [LIFE_DIE] = "stopped",
        [LIFE_DESTROY] = "removed",  [LIFE_RENAME] = "renamed",  [LIFE_PAUSE] = "paused",
        [LIFE_UNPAUSE] = "resumed",  [LIFE_OOM] = "ran out of memory",
    };
    const struct container *c = life->container;

    paint(out, style, DIM);
    sentence_time(out, life->time_ns, style->utc_offset_s);
    paint(out, style, RESET);
    sbuf_add_str(out, style->containers ? "           ●  " : "  ●  ");
    escape_terminal(out, c->name.len ? c->name : (struct bytes){ c->id.data, MIN(c->id.len, (size_t)12) });
    sbuf_addf(out, " %s", (unsigned)life->kind < LIFE_COUNT && words[life->kind] ? words[life->kind] : "?");
    if (life->kind == LIFE_DIE && life->exit_code >= 0)
        sbuf_addf(out, " (exit %d)", life->exit_code);
    if (life->kind == LIFE_CREATE && c->image_name.len) {
        sbuf_add_str(out, " (");
        escape_terminal(out, c->image_name);
        sbuf_add_char(out, ')');
    }
    if (life->kind == LIFE_START && c->pid > 0)
        sbuf_addf(out, " (pid %d)", c->pid);
    if (life->kind == LIFE_RENAME && life->previous_name.len) {
        sbuf_add_str(out, " (was ");
        escape_terminal(out, life->previous_name);
        sbuf_add_char(out, ')');
    }
}

void sentence_gap(struct sbuf *out, const struct gap *gap, const struct sentence_style *style)
{
    paint(out, style, RED);
    sentence_time(out, gap->from_ns, style->utc_offset_s);
    sbuf_add_str(out, "  ");
    if (gap->count)
        sbuf_addf(out, "%llu lost", (unsigned long long)gap->count);
    else
        sbuf_add_str(out, "some lost");
    sbuf_add_str(out, " until ");
    sentence_time(out, gap->to_ns, style->utc_offset_s);
    if (gap->text[0])
        sbuf_addf(out, ": %s", gap->text);
    paint(out, style, RESET);
}
