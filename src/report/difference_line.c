/* SPDX-License-Identifier: MIT */
#include "report/difference_line.h"

#include <sys/stat.h>

#include "event/ecs.h"
#include "event/operation.h"
#include "event/sentence.h"
#include "report/when.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/macro.h"

#define PATH_WIDTH 44

void difference_add_time(struct sbuf *out, uint64_t time_ns)
{
    struct tm tm = when_local(time_ns), today = when_local(clock_ns(CLOCK_REALTIME));

    if (!when_is_same_day(&tm, &today))
        sbuf_addf(out, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    sentence_time(out, time_ns, tm.tm_gmtoff);
}

/* ECS's words are those of people, but for these. */
static const char *type_word(uint32_t mode)
{
    if (S_ISDIR(mode))
        return "directory";
    return S_ISCHR(mode) || S_ISBLK(mode) ? "device" : ecs_file_type(mode);
}

static void add_name(struct sbuf *out, struct bytes name, uint32_t id)
{
    if (name.len)
        escape_terminal(out, name);
    else
        sbuf_addf(out, "%u", id);
}

/* "0555 im, 1.2 kB", "directory 0755 root", "→ target" */
static void add_facts(struct sbuf *out, const struct file_state *s, struct bytes target)
{
    size_t from = out->len;

    if ((s->known & FILE_MODE) && type_word(s->mode) && !S_ISREG(s->mode))
        sbuf_addf(out, "%s", type_word(s->mode));
    if ((s->known & FILE_MODE) && !S_ISLNK(s->mode))
        sbuf_addf(out, "%s%04o", out->len > from ? " " : "", s->mode & 07777);
    if (s->known & FILE_UID) {
        sbuf_add_str(out, out->len > from ? " " : "");
        add_name(out, s->owner, s->uid);
    }
    if (s->known & FILE_SIZE) {
        sbuf_add_str(out, out->len > from ? ", " : "");
        sentence_size(out, s->size);
    }
    if (target.len) {
        sbuf_add_str(out, " → ");
        escape_terminal(out, target);
    }
}

/* Another file has the name now. */
static bool is_replacement(const struct event *e)
{
    return e->operation == OPERATION_RENAME || e->operation == OPERATION_REPLACE || e->operation == OPERATION_CREATE ||
           e->operation == OPERATION_MKNOD || e->operation == OPERATION_SYMLINK || e->operation == OPERATION_LINK;
}

static void add_content(struct sbuf *out, const struct difference *d)
{
    if (d->before_target.len || d->after_target.len) {
        escape_terminal(out, d->before_target);
        sbuf_add_str(out, " → ");
        escape_terminal(out, d->after_target);
    } else if (d->event && d->event->operation == OPERATION_OPEN_WRITE && !d->after_hash.len) {
        sbuf_add_str(out, "opened for writing");
    } else if ((d->before.known & d->after.known & FILE_SIZE) && d->before.size != d->after.size) {
        sentence_size(out, d->before.size);
        sbuf_add_str(out, " → ");
        sentence_size(out, d->after.size);
    } else if (d->after_hash.len) {
        sbuf_add_str(out, "same size, other content");
    } else if (d->event) {
        sbuf_add_str(out, is_replacement(d->event) ? "replaced" : operation_info(d->event->operation)->past);
    }
}

static void add_owners(struct sbuf *out, const struct difference *d)
{
    unsigned known = d->before.known & d->after.known;
    bool uid = (known & FILE_UID) && d->before.uid != d->after.uid;

    if (uid) {
        add_name(out, d->before.owner, d->before.uid);
        sbuf_add_str(out, " → ");
        add_name(out, d->after.owner, d->after.uid);
    }
    if ((known & FILE_GID) && d->before.gid != d->after.gid) {
        sbuf_add_str(out, uid ? ", group " : "group ");
        add_name(out, d->before.group, d->before.gid);
        sbuf_add_str(out, " → ");
        add_name(out, d->after.group, d->after.gid);
    }
}

static void add_what(struct sbuf *out, const struct difference *d)
{
    switch (d->kind) {
    case DIFFERENCE_MISSING:
        add_facts(out, &d->before, d->before_target);
        break;
    case DIFFERENCE_ADDED:
        add_facts(out, &d->after, d->after_target);
        break;
    case DIFFERENCE_TYPE:
        sbuf_addf(out, "%s → %s", type_word(d->before.mode) ? type_word(d->before.mode) : "?",
                  type_word(d->after.mode) ? type_word(d->after.mode) : "?");
        break;
    case DIFFERENCE_CONTENT:
        add_content(out, d);
        break;
    case DIFFERENCE_MODE:
        sbuf_addf(out, "%04o → %04o", d->before.mode & 07777, d->after.mode & 07777);
        break;
    case DIFFERENCE_OWNER:
        add_owners(out, d);
        break;
    case DIFFERENCE_XATTR:
        if (bytes_equal_str(d->xattr, "security.capability"))
            sbuf_add_str(out, "capabilities");
        else if (bytes_starts_with(d->xattr, bytes_of("system.posix_acl_")))
            sbuf_add_str(out, bytes_equal_str(d->xattr, "system.posix_acl_default") ? "default ACL" : "ACL");
        else
            escape_terminal(out, d->xattr);
        break;
    case DIFFERENCE_TIMES:
        if (d->before.known & d->after.known & FILE_MTIME) {
            difference_add_time(out, (uint64_t)MAX(d->before.mtime_ns, (int64_t)0));
            sbuf_add_str(out, " → ");
            difference_add_time(out, (uint64_t)MAX(d->after.mtime_ns, (int64_t)0));
        }
        break;
    default:
        break;
    }
}

static void add_culprit(struct sbuf *out, const struct difference *d, const struct sentence_style *style)
{
    const struct event *e = d->event;

    switch (d->unrecorded) {
    case UNRECORDED_NOT:
        sentence_actor(out, e, style);
        sbuf_add_str(out, "  ");
        difference_add_time(out, e->time_ns);
        if (e->since_start_known)
            sbuf_addf(out, "  %+.1f s", (double)e->since_start_ns / 1e9);
        if (event_attribute_is_unknown(e) && e->note.len) {
            sbuf_add_str(out, " (");
            escape_terminal(out, e->note);
            sbuf_add_char(out, ')');
        }
        break;
    case UNRECORDED_NEVER:
        sbuf_add_str(out, "never watched");
        break;
    case UNRECORDED_BEFORE:
        sbuf_add_str(out, "before we watched");
        break;
    default:
        sbuf_add_str(out, "not recorded");
        break;
    }
    if (!e && d->changed_ns) {
        sbuf_add_str(out, ", not later than ");
        difference_add_time(out, d->changed_ns);
    }
}

void difference_write_line(const struct difference_page_options *o, const struct difference *d, struct sbuf *out)
{
    struct sentence_style style = { .colour = o->colour, .containers = o->container != NULL };
    struct sentence_style plain = { .containers = style.containers };
    _cleanup_sbuf_ struct sbuf what = SBUF_INIT, who = SBUF_INIT;
    bool loss = d->kind == DIFFERENCE_MISSING;
    unsigned columns = 0;
    size_t from;

    add_what(&what, d);
    add_culprit(&who, d, &plain);
    if (o->columns) {
        unsigned used = DIFFERENCE_KIND_WIDTH + escape_columns(sbuf_bytes(&what)) + escape_columns(sbuf_bytes(&who)) + 4;

        columns = o->columns > used + 16 ? o->columns - used : 16;
    }
    if (o->colour && loss)
        sbuf_add_str(out, "\x1b[31m");
    from = out->len;
    sbuf_add_str(out, difference_kind_name(d->kind));
    escape_pad(out, from, DIFFERENCE_KIND_WIDTH);
    if (o->colour && loss)
        sbuf_add_str(out, "\x1b[0m");
    from = out->len;
    escape_terminal_path(out, d->path, columns);
    if (what.len) {
        sbuf_add_str(out, "  ");
        sbuf_add_bytes(out, sbuf_bytes(&what));
    }
    escape_pad(out, from, columns ? MIN(columns + escape_columns(sbuf_bytes(&what)), (unsigned)PATH_WIDTH) : PATH_WIDTH);
    sbuf_add_str(out, "  ");
    add_culprit(out, d, &style);
    sbuf_add_char(out, '\n');
}
