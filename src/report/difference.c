/* SPDX-License-Identifier: MIT */
#include "report/difference.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <uthash.h>

#include "event/operation.h"
#include "report/difference_json.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/limits.h"

#define SHOWN 5       /* equal neighbours that are shown before the rest is folded */
#define KIND_WIDTH 10
#define PATH_WIDTH 44
#define CULPRITS_MAX 256 /* counted one by one; more are counted together */

struct difference_culprit {
    struct fingerprint suspect; /* event_suspect() */
    uint64_t counts[DIFFERENCE_COUNT], total;
    char *text;       /* "s1-agent root · host" */
    UT_hash_handle hh;
};

struct difference_page {
    struct difference_page_options options;
    uint64_t count, counts[DIFFERENCE_COUNT];
    uint64_t unrecorded[UNRECORDED_UNSEEN + 1];
    struct difference_culprit *culprits;
    uint64_t others; /* differences by culprits beyond CULPRITS_MAX */
    /* the run that is being folded */
    enum difference_kind kind;
    enum unrecorded reason;
    struct fingerprint suspect;
    unsigned run;
    uint64_t folded;
};

struct difference_page *difference_page_new(const struct difference_page_options *options)
{
    struct difference_page *p = calloc(1, sizeof(*p));

    if (p)
        p->options = *options;
    return p;
}

void difference_page_free(struct difference_page *p)
{
    struct difference_culprit *c, *next;

    if (!p)
        return;
    HASH_ITER(hh, p->culprits, c, next) {
        HASH_DEL(p->culprits, c);
        free(c->text);
        free(c);
    }
    free(p);
}

uint64_t difference_page_count(const struct difference_page *p)
{
    return p->count;
}

static long utc_offset(uint64_t time_ns)
{
    time_t s = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&s, &tm);
    return tm.tm_gmtoff;
}

static void add_date_time(struct sbuf *out, uint64_t time_ns)
{
    time_t s = (time_t)(time_ns / NS_PER_S), now = time(NULL);
    struct tm tm, today;

    localtime_r(&s, &tm);
    localtime_r(&now, &today);
    if (tm.tm_year != today.tm_year || tm.tm_yday != today.tm_yday)
        sbuf_addf(out, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    sentence_time(out, time_ns, utc_offset(time_ns));
}

/* ---- one line ---- */

static const char *type_word(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "symlink";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
    case S_IFBLK:
        return "device";
    case S_IFREG:
        return "file";
    default:
        return NULL;
    }
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
        sbuf_add_str(out, operation_info(d->event->operation)->past);
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
            add_date_time(out, (uint64_t)MAX(d->before.mtime_ns, (int64_t)0));
            sbuf_add_str(out, " → ");
            add_date_time(out, (uint64_t)MAX(d->after.mtime_ns, (int64_t)0));
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
        add_date_time(out, e->time_ns);
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
        add_date_time(out, d->changed_ns);
    }
}

static unsigned columns_from(const struct sbuf *s, size_t from)
{
    unsigned n = 0;

    for (size_t i = from; i < s->len; i++)
        n += ((unsigned char)s->data[i] & 0xc0) != 0x80;
    return n;
}

static void pad(struct sbuf *out, size_t from, unsigned width)
{
    for (unsigned n = columns_from(out, from); n < width; n++)
        sbuf_add_char(out, ' ');
}

static void write_line(const struct difference_page *p, const struct difference *d, struct sbuf *out)
{
    struct sentence_style style = { .colour = p->options.colour, .containers = p->options.container != NULL };
    struct sentence_style plain = { .containers = style.containers };
    _cleanup_sbuf_ struct sbuf what = SBUF_INIT, who = SBUF_INIT;
    bool loss = d->kind == DIFFERENCE_MISSING;
    unsigned columns = 0;
    size_t from;

    add_what(&what, d);
    add_culprit(&who, d, &plain);
    if (p->options.columns) {
        unsigned used = KIND_WIDTH + columns_from(&what, 0) + columns_from(&who, 0) + 4;

        columns = p->options.columns > used + 16 ? p->options.columns - used : 16;
    }
    if (p->options.colour && loss)
        sbuf_add_str(out, "\x1b[31m");
    from = out->len;
    sbuf_add_str(out, difference_kind_name(d->kind));
    pad(out, from, KIND_WIDTH);
    if (p->options.colour && loss)
        sbuf_add_str(out, "\x1b[0m");
    from = out->len;
    escape_terminal_path(out, d->path, columns);
    if (what.len) {
        sbuf_add_str(out, "  ");
        sbuf_add_bytes(out, sbuf_bytes(&what));
    }
    pad(out, from, columns ? MIN(columns + columns_from(&what, 0), (unsigned)PATH_WIDTH) : PATH_WIDTH);
    sbuf_add_str(out, "  ");
    add_culprit(out, d, &style);
    sbuf_add_char(out, '\n');
}

static void print_fold(struct difference_page *p, struct sbuf *out)
{
    if (p->folded)
        sbuf_addf(out, "%*s… and %llu more like this\n", KIND_WIDTH, "", (unsigned long long)p->folded);
    p->folded = 0;
}

/* ---- adding up ---- */

static int count(struct difference_page *p, const struct difference *d, struct fingerprint suspect)
{
    struct difference_culprit *c;

    p->count++;
    p->counts[d->kind]++;
    if (!d->event) {
        p->unrecorded[d->unrecorded]++;
        return 0;
    }
    HASH_FIND(hh, p->culprits, &suspect, sizeof(suspect), c);
    if (!c && HASH_COUNT(p->culprits) >= CULPRITS_MAX) {
        p->others++;
        return 0;
    }
    if (!c) {
        struct sentence_style plain = { 0 };
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        c = calloc(1, sizeof(*c));
        if (!c)
            return -ENOMEM;
        c->suspect = suspect;
        sentence_actor(&text, d->event, &plain);
        c->text = sbuf_steal(&text);
        HASH_ADD(hh, p->culprits, suspect, sizeof(c->suspect), c);
    }
    c->counts[d->kind]++;
    c->total++;
    return 0;
}

int difference_page_add(struct difference_page *p, const struct difference *d, struct sbuf *out)
{
    struct fingerprint suspect = d->event ? event_suspect(d->event) : (struct fingerprint){ 0 };
    int r = count(p, d, suspect);

    if (r < 0)
        return r;
    if (p->options.json) {
        difference_write_json(out, d, p->options.container,
                              p->options.volume      ? VICTIM_VOLUME
                              : p->options.container ? VICTIM_CONTAINER
                                                     : VICTIM_HOST,
                              p->options.against, p->options.host);
        return sbuf_error(out);
    }
    if (p->run && p->kind == d->kind && p->reason == d->unrecorded && fingerprint_equal(p->suspect, suspect)) {
        if (++p->run > SHOWN) {
            p->folded++;
            return 0;
        }
    } else {
        print_fold(p, out);
        p->kind = d->kind;
        p->reason = d->unrecorded;
        p->suspect = suspect;
        p->run = 1;
    }
    write_line(p, d, out);
    return sbuf_error(out);
}

/* ---- the end ---- */

static const char *const words[DIFFERENCE_COUNT][2] = {
    [DIFFERENCE_MISSING] = { "missing", "missing" },
    [DIFFERENCE_ADDED] = { "added", "added" },
    [DIFFERENCE_TYPE] = { "of another type", "of another type" },
    [DIFFERENCE_CONTENT] = { "with other content", "with other content" },
    [DIFFERENCE_MODE] = { "with another mode", "with another mode" },
    [DIFFERENCE_OWNER] = { "with another owner", "with another owner" },
    [DIFFERENCE_XATTR] = { "with another attribute", "with other attributes" },
    [DIFFERENCE_TIMES] = { "with another time", "with other times" },
};

static void add_counts(struct sbuf *out, const uint64_t counts[DIFFERENCE_COUNT])
{
    bool first = true;

    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++) {
        if (!counts[i])
            continue;
        sbuf_addf(out, "%s%llu %s", first ? "" : ", ", (unsigned long long)counts[i], words[i][counts[i] > 1]);
        first = false;
    }
}

static void line(const struct difference_page *p, struct sbuf *out, const char *label)
{
    sbuf_addf(out, "  %s%-10s%s", p->options.colour ? "\x1b[2m" : "", label, p->options.colour ? "\x1b[0m" : "");
}

static int by_total(const struct difference_culprit *a, const struct difference_culprit *b)
{
    return a->total > b->total ? -1 : a->total < b->total;
}

static void end_text(struct difference_page *p, const struct difference_end *end, struct sbuf *out)
{
    const char *label = "by";
    uint64_t unknown = p->unrecorded[UNRECORDED_NEVER] + p->unrecorded[UNRECORDED_BEFORE] +
                       p->unrecorded[UNRECORDED_UNSEEN];

    print_fold(p, out);
    if (p->count)
        sbuf_add_char(out, '\n');
    sbuf_addf(out, "%sDIFF%s  ", p->options.colour ? "\x1b[1m" : "", p->options.colour ? "\x1b[0m" : "");
    escape_terminal(out, p->options.target);
    sbuf_add_str(out, p->count ? " differs from " : " does not differ from ");
    escape_terminal(out, p->options.against);
    if (!p->count) {
        sbuf_add_str(out, ".\n");
    } else {
        sbuf_add_str(out, ": ");
        add_counts(out, p->counts);
        sbuf_add_str(out, ".\n");
    }
    HASH_SORT(p->culprits, by_total);
    for (struct difference_culprit *c = p->culprits; c; c = c->hh.next) {
        line(p, out, label);
        label = "";
        sbuf_addf(out, "%s · ", c->text ? c->text : "?");
        add_counts(out, c->counts);
        sbuf_add_char(out, '\n');
    }
    if (p->others) {
        line(p, out, label);
        sbuf_addf(out, "%llu by others\n", (unsigned long long)p->others);
    }
    if (unknown) {
        line(p, out, "unknown");
        if (p->unrecorded[UNRECORDED_NEVER]) {
            sbuf_addf(out, "%llu: nobody has watched these files; from now on: culprit watch ",
                      (unsigned long long)p->unrecorded[UNRECORDED_NEVER]);
            escape_shell(out, p->options.target);
        } else {
            if (p->unrecorded[UNRECORDED_BEFORE])
                sbuf_addf(out, "%llu before we watched",
                          (unsigned long long)p->unrecorded[UNRECORDED_BEFORE]);
            if (p->unrecorded[UNRECORDED_UNSEEN])
                sbuf_addf(out, "%s%llu not recorded: before we watched, while nobody did, or not seen",
                          p->unrecorded[UNRECORDED_BEFORE] ? ", " : "",
                          (unsigned long long)p->unrecorded[UNRECORDED_UNSEEN]);
        }
        sbuf_add_char(out, '\n');
    }
    if (end->temporary) {
        line(p, out, "besides");
        sbuf_addf(out, "%llu %s came and went in that time\n", (unsigned long long)end->temporary,
                  end->temporary == 1 ? "path" : "paths");
    }
    if (end->watched_since) {
        line(p, out, "watched");
        sbuf_add_str(out, "since ");
        add_date_time(out, end->watched_since);
        if (end->watched_partly.len) {
            sbuf_add_str(out, ", ");
            sbuf_add_bytes(out, end->watched_partly);
        }
        if (end->lossy && end->lost)
            sbuf_addf(out, ", %llu events lost: there may be more", (unsigned long long)end->lost);
        else if (end->lossy)
            sbuf_add_str(out, ", events were lost: there may be more");
        sbuf_add_char(out, '\n');
    }
    if (p->culprits) {
        line(p, out, "later");
        sbuf_add_str(out, "culprit who ");
        if (p->options.store.len) {
            sbuf_add_str(out, "--store ");
            escape_shell(out, p->options.store);
            sbuf_add_char(out, ' ');
        }
        escape_shell(out, p->options.target);
        sbuf_add_char(out, '\n');
    }
}

static void end_json(const struct difference_page *p, const struct difference_end *end, struct sbuf *out)
{
    const uint64_t *unrecorded = p->unrecorded;

    sbuf_add_char(out, '{');
    json_key(out, JSON_KEY("@timestamp"));
    ecs_write_time(out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"module\":\"culprit\","
                               "\"dataset\":\"culprit.difference\"}"));
    (void)json_open(out, JSON_OBJECT("culprit"));
    (void)json_open(out, JSON_OBJECT("differences"));
    json_number(out, JSON_KEY("count"), p->count);
    json_bytes(out, JSON_KEY("against"), p->options.against);
    (void)json_open(out, JSON_OBJECT("kinds"));
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++)
        if (p->counts[i]) {
            json_key_of(out, difference_kind_name((enum difference_kind)i));
            sbuf_add_decimal(out, p->counts[i]);
        }
    json_close(out);
    json_number(out, JSON_KEY("recorded"), p->count - unrecorded[UNRECORDED_NEVER] - unrecorded[UNRECORDED_BEFORE] -
                                               unrecorded[UNRECORDED_UNSEEN]);
    json_number(out, JSON_KEY("before_watch"), unrecorded[UNRECORDED_BEFORE]);
    json_number(out, JSON_KEY("not_recorded"), unrecorded[UNRECORDED_UNSEEN]);
    json_number(out, JSON_KEY("never_watched"), unrecorded[UNRECORDED_NEVER]);
    if (end->temporary)
        json_number(out, JSON_KEY("temporary"), end->temporary);
    if (end->lossy)
        json_number(out, JSON_KEY("lost"), end->lost);
    if (end->watched_since) {
        json_key(out, JSON_KEY("watched_since"));
        ecs_write_time(out, end->watched_since);
    }
    json_bytes(out, JSON_KEY("watched_partly"), end->watched_partly);
    json_close(out);
    json_string(out, JSON_KEY("watch"), p->options.target);
    ecs_write_victim(out,
                     p->options.volume      ? VICTIM_VOLUME
                     : p->options.container ? VICTIM_CONTAINER
                                            : VICTIM_HOST,
                     p->options.container, BYTES_NULL);
    json_close(out);
    ecs_write_host(out, p->options.host);
    sbuf_add_str(out, "}\n");
}

void difference_page_end(struct difference_page *p, const struct difference_end *end, struct sbuf *out)
{
    if (p->options.json)
        end_json(p, end, out);
    else
        end_text(p, end, out);
}
