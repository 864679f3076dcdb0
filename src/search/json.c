/* SPDX-License-Identifier: MIT */
/* JSON: the changes that an event made to files, in ECS or OCSF; what is no change of a file is written with
 * its records (ECS only: OCSF's class 1001 has no place for it). */
#include "search/json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libaudit.h>
#include <sys/stat.h>

#include "event/ocsf.h"
#include "search/formatter.h"
#include "sensor/audit/describe.h"
#include "util/cleanup.h"
#include "util/json_writer.h"
#include "util/macro.h"

/* The same records give the same id, on whatever machine and however often they are read. */
static void make_id(const struct search_event *event, unsigned index, uint8_t id[16])
{
    audit_event_id(event->node, event->sec * 1000 + event->milli, event->serial, index, id);
}

static struct bytes first_key(struct bytes key)
{
    const char *stop = key.data ? memchr(key.data, AUDIT_KEY_SEPARATOR, key.len) : NULL;

    return stop ? (struct bytes){ key.data, (size_t)(stop - key.data) } : key;
}

static struct event *make_event(const struct search_event *event, const struct search_paths *paths,
                                unsigned index)
{
    const struct audit_facts *f = &paths->facts;
    const struct audit_change *c = &paths->changes[index];
    struct event *e = event_new();

    if (!e)
        return NULL;
    make_id(event, index, e->id);
    audit_describe(f, e);
    e->operation = c->operation;
    e->error = c->error;
    e->sensors = SENSOR_AUDIT_LOG;
    event_set(e, &e->path, search_change_path(paths, c));
    event_set(e, &e->previous_path, search_change_previous_path(paths, c));
    event_set(e, &e->target_path, c->target);
    event_set(e, &e->key, first_key(f->key));
    if (c->object)
        e->file = c->object->file;
    e->before = c->before;
    e->after = c->after;
    if (c->error == 0) { /* the record has the file as it was */
        if (c->after.known & FILE_MODE)
            e->file.mode = (e->file.mode & S_IFMT) | (c->after.mode & ~(uint32_t)S_IFMT);
        if (c->after.known & FILE_UID)
            e->file.uid = c->after.uid;
        if (c->after.known & FILE_GID)
            e->file.gid = c->after.gid;
    }
    e->file.owner = e->file.group = e->before.owner = e->before.group = e->after.owner = e->after.group = BYTES_NULL;
    return e;
}

/* Each change through `write`; how many, or -ENOMEM. */
static int each_change(struct search_formatter *f, const struct search_event *event,
                       struct search_matcher *matcher, struct sbuf *out, bool ocsf)
{
    const struct search_query *q = f->query;
    struct ecs_host host = { .name = event->node };
    int r = search_paths_read(event, matcher->places, &matcher->paths), count = 0;

    if (r < 0)
        return r;
    for (unsigned i = 0; i < matcher->paths.change_count; i++) {
        struct event *e;

        if (q->operations && !(q->operations & 1ull << matcher->paths.changes[i].operation))
            continue;
        e = make_event(event, &matcher->paths, i);
        if (!e)
            return -ENOMEM;
        e->sequence = ++f->sequence;
        if (ocsf)
            ocsf_write_event(out, e, event->node);
        else
            ecs_write_event(out, e, event->node.data ? &host : f->host);
        event_free(e);
        count++;
    }
    return count;
}

/* An event that changed no file: its time, type and records. */
static void write_records(struct search_formatter *f, const struct search_event *event, struct sbuf *out)
{
    const char *type = event->type >= 0 ? audit_msg_type_to_name(event->type) : NULL;
    uint8_t id[16];

    make_id(event, 0, id);
    sbuf_add_char(out, '{');
    json_key(out, JSON_KEY("@timestamp"));
    ecs_write_time(out, (event->sec * 1000 + event->milli) * NS_PER_MS);
    (void)json_open(out, JSON_OBJECT("event"));
    json_string(out, JSON_KEY("kind"), bytes_of("event"));
    json_hex(out, JSON_KEY("id"), (struct bytes){ (const char *)id, sizeof(id) });
    json_number(out, JSON_KEY("sequence"), ++f->sequence);
    json_key(out, JSON_TEXT_KEY("action"));
    for (const char *p = type ? type : "unknown"; *p; p++)
        sbuf_add_char(out, *p == '_' ? '-' : (char)tolower((unsigned char)*p));
    sbuf_add_char(out, '"');
    sbuf_clear(&f->scratch);
    for (unsigned i = 0; i < event->count; i++) {
        sbuf_add_bytes(&f->scratch, event->records[i].text);
        if (i + 1 < event->count)
            sbuf_add_char(&f->scratch, '\n');
    }
    json_string(out, JSON_KEY("original"), sbuf_bytes(&f->scratch));
    json_close(out);
    if (event->node.data) {
        json_string(out, JSON_MEMBER("host", "name"), event->node);
        json_close(out);
    }
    ecs_write_version(out); /* it brings its comma */
    sbuf_add_str(out, "}\n");
}

int format_json(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out)
{
    int r = each_change(f, event, matcher, out, false);

    if (r == 0)
        write_records(f, event, out);
    return MIN(r, 0);
}

int format_ocsf(struct search_formatter *f, const struct search_event *event,
                struct search_matcher *matcher, struct sbuf *out)
{
    int r = each_change(f, event, matcher, out, true);

    f->no_file += r == 0;
    return MIN(r, 0);
}
