/* SPDX-License-Identifier: MIT */
#include "restore/page.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "event/sentence.h"
#include "restore/attributes.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"

#define SHOWN 10    /* lines of one outcome that are shown before the rest is folded */
#define CULPRITS 16 /* named one by one */

static const struct {
    enum given bit;
    const char *word;
} gifts[] = {
    { GIVEN_MODE, "mode" },   { GIVEN_OWNER, "owner" },       { GIVEN_ACL, "ACL" }, { GIVEN_CAPABILITIES, "capabilities" },
    { GIVEN_XATTR, "xattrs" }, { GIVEN_FLAGS, "flags" },
};

void restore_count(const struct restore_items *items, struct restore_counts *ret)
{
    *ret = (struct restore_counts){ 0 };
    for (size_t i = 0; i < items->count; i++) {
        const struct restore_item *item = &items->all[i];

        ret->outcomes[item->outcome]++;
        if (item->outcome != RESTORE_DONE && item->outcome != RESTORE_PLANNED)
            continue;
        ret->back += restore_item_is_whole(item);
        ret->attributes += !restore_item_is_whole(item);
        ret->given |= item->given;
    }
}

/* ---- text ---- */

static void add_name(struct sbuf *out, struct bytes name, uint32_t id)
{
    if (name.len)
        escape_terminal(out, name);
    else
        sbuf_addf(out, "%u", id);
}

/* "0555 im, 1.2 kB": what is back. */
static void add_facts(struct sbuf *out, const struct file_state *s)
{
    const char *type = ecs_file_type(s->mode);

    if (!S_ISREG(s->mode) && type)
        sbuf_addf(out, "%s ", type);
    if (!S_ISLNK(s->mode))
        sbuf_addf(out, "%04o ", s->mode & 07777);
    add_name(out, s->owner, s->uid);
    if (s->known & FILE_SIZE) {
        sbuf_add_str(out, ", ");
        sentence_size(out, s->size);
    }
}

/* "0775 → 0555, ugadmin → im": what is as it was again. */
static void add_changes(struct sbuf *out, const struct restore_item *item)
{
    const struct file_state *was = &item->difference->before, *is = &item->difference->after;
    const char *comma = "";

    if (item->kinds & RESTORE_BIT(DIFFERENCE_MODE)) {
        sbuf_addf(out, "%04o → %04o", is->mode & 07777, was->mode & 07777);
        comma = ", ";
    }
    if ((item->kinds & RESTORE_BIT(DIFFERENCE_OWNER)) && is->uid != was->uid) {
        sbuf_add_str(out, comma);
        add_name(out, is->owner, is->uid);
        sbuf_add_str(out, " → ");
        add_name(out, was->owner, was->uid);
        comma = ", ";
    }
    if ((item->kinds & RESTORE_BIT(DIFFERENCE_OWNER)) && is->gid != was->gid) {
        sbuf_addf(out, "%sgroup ", comma);
        add_name(out, is->group, is->gid);
        sbuf_add_str(out, " → ");
        add_name(out, was->group, was->gid);
        comma = ", ";
    }
    if (item->kinds & RESTORE_BIT(DIFFERENCE_XATTR)) {
        sbuf_addf(out, "%sattributes", comma);
        comma = ", ";
    }
    if (item->kinds & RESTORE_BIT(DIFFERENCE_TIMES))
        sbuf_addf(out, "%stimes", comma);
}

/* Whoever held it goes on with the deleted file. */
static void add_holder(struct sbuf *out, const struct restore_item *item)
{
    sbuf_add_str(out, ", open in ");
    escape_terminal(out, item->holder_name);
    sbuf_addf(out, " (pid %d)", (int)item->holder);
    if (item->holder_writes)
        sbuf_add_str(out, ", whose writes go to the deleted one yet: restart it");
    if (item->older)
        sbuf_add_str(out, "; older ones of that name are open too");
}

static void write_line(const struct restore_page *page, const struct restore_item *item, struct sbuf *out)
{
    static const char *const words[RESTORE_OUTCOMES] = {
        [RESTORE_DONE] = "back", [RESTORE_PLANNED] = "would", [RESTORE_NEWER] = "left", [RESTORE_EARLIER] = "left",
        [RESTORE_FAILED] = "failed", [RESTORE_OPEN] = "left",
    };
    bool bad = item->outcome == RESTORE_FAILED;

    sbuf_addf(out, "  %s%-8s%s", bad && page->colour ? "\x1b[31m" : "", words[item->outcome], bad && page->colour ? "\x1b[0m" : "");
    escape_terminal_path(out, item->path, page->columns > 60 ? page->columns - 44 : page->columns ? 16 : 0);
    sbuf_add_str(out, "  ");
    if (item->reason[0])
        sbuf_add_str(out, item->reason);
    else if (restore_item_is_whole(item))
        add_facts(out, &item->difference->before);
    else
        add_changes(out, item);
    if (item->holder && item->outcome != RESTORE_FAILED)
        add_holder(out, item);
    if (item->origin.len && item->outcome != RESTORE_FAILED) {
        sbuf_addf(out, ", %s ", restore_source_word(item->source));
        escape_terminal(out, item->origin);
    }
    sbuf_add_char(out, '\n');
}

static void write_lines(const struct restore_page *page, enum restore_outcome outcome, bool whole, size_t max, struct sbuf *out)
{
    uint64_t n = 0; /* who goes on with a deleted file is named however many there are */

    for (size_t i = 0; i < page->items->count; i++) {
        const struct restore_item *item = &page->items->all[i];

        if (item->outcome == outcome && restore_item_is_whole(item) == whole && (++n <= max || item->holder))
            write_line(page, item, out);
    }
    if (n > max)
        sbuf_addf(out, "  %-8s… and %llu more like this\n", "", (unsigned long long)(n - max));
}

/* "21 back and 1 put right" */
static void add_counts(const struct restore_counts *c, bool dry_run, struct sbuf *out)
{
    if (c->back)
        sbuf_addf(out, "%llu %s", (unsigned long long)c->back, dry_run ? "would be back" : "back");
    if (c->attributes)
        sbuf_addf(out, "%s%llu %s", c->back ? " and " : "", (unsigned long long)c->attributes,
                  dry_run ? "would be put right" : "put right");
}

static void write_head(const struct restore_page *page, const struct restore_counts *c, struct sbuf *out)
{
    uint64_t left = c->outcomes[RESTORE_NEWER] + c->outcomes[RESTORE_EARLIER], failed = c->outcomes[RESTORE_FAILED];

    sbuf_addf(out, "%sRESTORE%s  ", page->colour ? "\x1b[1m" : "", page->colour ? "\x1b[0m" : "");
    escape_terminal(out, page->target);
    sbuf_add_str(out, ": ");
    if (c->back || c->attributes) {
        add_counts(c, page->dry_run, out);
        sbuf_add_str(out, " from ");
        escape_terminal(out, page->source);
        for (size_t i = 0; i < ARRAY_SIZE(gifts); i++)
            if (c->given & gifts[i].bit)
                sbuf_addf(out, ", %s", gifts[i].word);
        if (!page->dry_run)
            sbuf_addf(out, ", %llu ms", (unsigned long long)((page->summary->took_ns + NS_PER_MS / 2) / NS_PER_MS));
    } else {
        sbuf_add_str(out, left || failed         ? "nothing was put back from "
                          : page->in_pieces  ? "nothing is missing that would be found in "
                                             : "nothing is missing or changed against ");
        escape_terminal(out, page->source);
    }
    if (left)
        sbuf_addf(out, "; %llu left as %s", (unsigned long long)left, left == 1 ? "it is" : "they are");
    if (failed)
        sbuf_addf(out, "; %llu failed", (unsigned long long)failed);
    sbuf_add_char(out, '\n');
}

struct culprit_row {
    struct fingerprint suspect;
    const struct event *event;
    uint64_t count;
};

static int by_count(const void *a, const void *b)
{
    const struct culprit_row *x = a, *y = b;

    return x->count < y->count ? 1 : -(x->count > y->count);
}

static void add_time(const struct restore_page *page, uint64_t time_ns, struct sbuf *out)
{
    sentence_time(out, time_ns, page->utc_offset_s);
}

/* Who had made them so. */
static void write_culprits(const struct restore_page *page, struct sbuf *out)
{
    struct sentence_style style = { .colour = page->colour, .containers = page->container != NULL };
    struct culprit_row rows[CULPRITS] = { 0 };
    uint64_t others = 0, unknown = 0;
    size_t n = 0;
    const char *label = "by";

    for (size_t i = 0; i < page->items->count; i++) {
        const struct event *e = page->items->all[i].difference->event;
        struct fingerprint suspect = e ? event_suspect(e) : (struct fingerprint){ 0 };
        size_t k = 0;

        if (!e) {
            unknown++;
            continue;
        }
        while (k < n && !fingerprint_equal(rows[k].suspect, suspect))
            k++;
        if (k == CULPRITS) {
            others++;
            continue;
        }
        if (k == n)
            rows[n++] = (struct culprit_row){ .suspect = suspect, .event = e };
        rows[k].count++;
    }
    qsort(rows, n, sizeof(*rows), by_count);
    for (size_t k = 0; k < n; k++) {
        sbuf_addf(out, "  %-8s", label);
        label = "";
        sentence_actor(out, rows[k].event, &style);
        sbuf_addf(out, " · %llu of them, ", (unsigned long long)rows[k].count);
        add_time(page, rows[k].event->time_ns, out);
        sbuf_add_char(out, '\n');
    }
    if (others)
        sbuf_addf(out, "  %-8s%llu by others\n", "", (unsigned long long)others);
    if (unknown)
        sbuf_addf(out, "  %-8s%llu: %s\n", n ? "unknown" : "by", (unsigned long long)unknown,
                  page->summary->watched_since ? "not recorded" : "nobody has watched these files");
}

static void add_command(const struct restore_page *page, const char *command, struct bytes asked, struct sbuf *out)
{
    sbuf_addf(out, "culprit %s ", command);
    if (page->store.len) {
        sbuf_add_str(out, "--store ");
        escape_shell(out, page->store);
        sbuf_add_char(out, ' ');
    }
    sbuf_add_bytes(out, asked);
    escape_shell(out, page->target);
}

static void write_next(const struct restore_page *page, const struct restore_counts *c, struct sbuf *out)
{
    bool recorded = false;

    for (size_t i = 0; i < page->items->count && !recorded; i++)
        recorded = page->items->all[i].difference->event != NULL;
    sbuf_addf(out, "  %-8s", "next");
    if (page->dry_run && (c->back || c->attributes)) {
        add_command(page, "restore", page->asked, out);
        sbuf_add_str(out, " · ");
    }
    add_command(page, recorded ? "who" : "clues", BYTES_NULL, out);
    sbuf_add_char(out, '\n');
}

void restore_page_text(const struct restore_page *page, struct sbuf *out)
{
    struct restore_counts c;

    restore_count(page->items, &c);
    if (page->dry_run)
        for (int whole = 1; whole >= 0; whole--)
            write_lines(page, RESTORE_PLANNED, whole, SIZE_MAX, out);
    if (page->in_pieces)
        write_lines(page, RESTORE_DONE, true, SHOWN, out);
    write_lines(page, RESTORE_DONE, false, SHOWN, out);
    for (int whole = 1; whole >= 0; whole--) {
        write_lines(page, RESTORE_NEWER, whole, SHOWN, out);
        write_lines(page, RESTORE_EARLIER, whole, SHOWN, out);
        write_lines(page, RESTORE_FAILED, whole, SIZE_MAX, out);
    }
    write_head(page, &c, out);
    if (!page->items->count)
        return;
    write_culprits(page, out);
    write_next(page, &c, out);
}

/* ---- JSON ---- */

static void add_state(struct sbuf *out, const struct file_state *s)
{
    if (!(s->known & FILE_MODE)) /* of a file whose source could not be read */
        return;
    json_bytes(out, JSON_KEY("type"), bytes_of(ecs_file_type(s->mode)));
    json_key(out, JSON_KEY("mode"));
    sbuf_addf(out, "\"%04o\"", s->mode & 07777);
    json_number(out, JSON_TEXT_KEY("uid"), s->uid);
    sbuf_add_char(out, '"');
    json_number(out, JSON_TEXT_KEY("gid"), s->gid);
    sbuf_add_char(out, '"');
    json_bytes(out, JSON_KEY("owner"), s->owner);
    json_bytes(out, JSON_KEY("group"), s->group);
    if (s->known & FILE_SIZE)
        json_number(out, JSON_KEY("size"), s->size);
}

static void add_kinds(struct sbuf *out, unsigned kinds)
{
    json_key(out, JSON_ARRAY("kinds"));
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++)
        if (kinds & RESTORE_BIT(i))
            json_element(out, bytes_of(difference_kind_name((enum difference_kind)i)));
    json_close_array(out);
}

static void add_given(struct sbuf *out, unsigned given)
{
    json_key(out, JSON_ARRAY("given"));
    for (size_t i = 0; i < ARRAY_SIZE(gifts); i++)
        if (given & gifts[i].bit)
            json_element(out, bytes_of(gifts[i].word));
    json_close_array(out);
}

static void write_item(const struct restore_page *page, const struct restore_item *item, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf scratch = SBUF_INIT;
    const struct difference *d = item->difference;
    const struct event *e = d->event;

    sbuf_add_char(out, '{');
    json_key(out, JSON_KEY("@timestamp"));
    ecs_write_time(out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"state\",\"category\":[\"file\"],\"type\":["));
    json_element(out, bytes_of(item->kinds & RESTORE_BIT(DIFFERENCE_MISSING) ? "creation" : "change"));
    json_close_array(out);
    json_string(out, JSON_KEY("outcome"), bytes_of(item->outcome == RESTORE_DONE     ? "success"
                                                   : item->outcome == RESTORE_FAILED ? "failure"
                                                                                     : "unknown"));
    json_key(out, JSON_LITERAL(",\"module\":\"culprit\",\"dataset\":\"culprit.restore\"}"));
    (void)json_open(out, JSON_OBJECT("file"));
    json_bytes(out, JSON_KEY("path"), item->path);
    json_bytes(out, JSON_KEY("name"), bytes_basename(item->path));
    json_bytes(out, JSON_KEY("directory"), bytes_dirname(item->path));
    add_state(out, &d->before);
    json_close(out);
    if (e) {
        ecs_write_process(out, &e->actor);
        if (e->actor.process && e->actor.process->container)
            ecs_write_container(out, e->actor.process->container);
    }
    ecs_write_host(out, page->host);
    (void)json_open(out, JSON_OBJECT("culprit"));
    (void)json_open(out, JSON_OBJECT("restore"));
    json_string(out, JSON_KEY("outcome"), bytes_of(restore_outcome_name(item->outcome)));
    json_string(out, JSON_KEY("source"), bytes_of(restore_source_name(item->source)));
    json_bytes(out, JSON_KEY("from"), page->source);
    add_kinds(out, item->kinds);
    add_given(out, item->given);
    json_bytes(out, JSON_KEY("reason"), bytes_of(item->reason));
    if (item->source == RESTORE_FROM_PACKAGE)
        json_bytes(out, JSON_KEY("package"), item->origin);
    if (item->source == RESTORE_FROM_COPIES)
        json_bytes(out, JSON_KEY("copy"), item->origin);
    if (item->source == RESTORE_FROM_GIT)
        json_bytes(out, JSON_KEY("git"), item->origin);
    if (item->source == RESTORE_FROM_QUARANTINE)
        json_bytes(out, JSON_KEY("quarantine"), item->origin);
    if (item->holder) {
        (void)json_open(out, JSON_OBJECT("holder"));
        json_number(out, JSON_KEY("pid"), (uint64_t)item->holder);
        json_bytes(out, JSON_KEY("name"), item->holder_name);
        json_bool(out, JSON_KEY("writes"), item->holder_writes);
        json_bool(out, JSON_KEY("older"), item->older);
        json_close(out);
    }
    if (e) {
        json_string(out, JSON_KEY("action"), bytes_of(operation_info(e->operation)->name));
        json_key(out, JSON_KEY("changed"));
        ecs_write_time(out, e->time_ns);
    }
    json_close(out);
    if (escape_json(&scratch, item->path)) {
        (void)json_open(out, JSON_OBJECT("raw"));
        json_hex(out, JSON_KEY("file.path"), item->path);
        json_close(out);
    }
    if (e)
        ecs_write_actor_culprit(out, &e->actor);
    ecs_write_victim(out, page->container ? VICTIM_CONTAINER : VICTIM_HOST, page->container, BYTES_NULL);
    sbuf_add_str(out, "}}\n");
}

static void write_end(const struct restore_page *page, struct sbuf *out)
{
    struct restore_counts c;

    restore_count(page->items, &c);
    sbuf_add_char(out, '{');
    json_key(out, JSON_KEY("@timestamp"));
    ecs_write_time(out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"module\":\"culprit\","
                               "\"dataset\":\"culprit.restore\"}"));
    (void)json_open(out, JSON_OBJECT("culprit"));
    (void)json_open(out, JSON_OBJECT("restore"));
    for (unsigned i = RESTORE_DONE; i < RESTORE_OUTCOMES; i++) {
        json_key_of(out, restore_outcome_name((enum restore_outcome)i));
        sbuf_add_decimal(out, c.outcomes[i]);
    }
    json_bytes(out, JSON_KEY("from"), page->source);
    json_number(out, JSON_KEY("took_ns"), page->summary->took_ns);
    json_close(out);
    json_string(out, JSON_KEY("watch"), page->target);
    ecs_write_victim(out, page->container ? VICTIM_CONTAINER : VICTIM_HOST, page->container, BYTES_NULL);
    json_close(out);
    ecs_write_host(out, page->host);
    sbuf_add_str(out, "}\n");
}

void restore_page_json(const struct restore_page *page, struct sbuf *out)
{
    for (size_t i = 0; i < page->items->count; i++)
        write_item(page, &page->items->all[i], out);
    write_end(page, out);
}
