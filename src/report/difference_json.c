/* SPDX-License-Identifier: MIT */
#include "report/difference_json.h"

#include <sys/stat.h>

#include "event/operation.h"
#include "util/escape.h"
#include "util/json_writer.h"

static void add_id(struct sbuf *out, struct bytes key, uint32_t id) /* key: a JSON_TEXT_KEY */
{
    json_number(out, key, id);
    sbuf_add_char(out, '"');
}

/* The members of "file", "before", "after". */
static void add_state(struct sbuf *out, const struct file_state *s, struct bytes hash, struct bytes target)
{
    if (s->known & FILE_MODE) {
        json_bytes(out, JSON_KEY("type"), bytes_of(ecs_file_type(s->mode)));
        json_key(out, JSON_KEY("mode"));
        sbuf_addf(out, "\"%04o\"", s->mode & 07777);
    }
    if (s->known & FILE_UID)
        add_id(out, JSON_TEXT_KEY("uid"), s->uid);
    if (s->known & FILE_GID)
        add_id(out, JSON_TEXT_KEY("gid"), s->gid);
    json_bytes(out, JSON_KEY("owner"), s->owner);
    json_bytes(out, JSON_KEY("group"), s->group);
    if (s->known & FILE_SIZE)
        json_number(out, JSON_KEY("size"), s->size);
    if ((s->known & FILE_MTIME) && s->mtime_ns > 0) {
        json_key(out, JSON_KEY("mtime"));
        ecs_write_time(out, (uint64_t)s->mtime_ns);
    }
    json_bytes(out, JSON_KEY("target_path"), target);
    if (hash.len) {
        json_string(out, JSON_MEMBER("hash", "sha256"), hash);
        json_close(out);
    }
}

static void add_raw(struct sbuf *raw, struct bytes key, struct bytes value)
{
    _cleanup_sbuf_ struct sbuf scratch = SBUF_INIT;

    if (escape_json(&scratch, value))
        json_hex(raw, key, value);
}

static void add_file(struct sbuf *out, const struct difference *d)
{
    bool gone = d->kind == DIFFERENCE_MISSING;

    (void)json_open(out, JSON_OBJECT("file"));
    json_bytes(out, JSON_KEY("path"), d->path);
    json_bytes(out, JSON_KEY("name"), bytes_basename(d->path));
    json_bytes(out, JSON_KEY("directory"), bytes_dirname(d->path));
    add_state(out, gone ? &d->before : &d->after, gone ? d->before_hash : d->after_hash,
              gone ? d->before_target : d->after_target);
    json_close(out);
}

static const char *const reasons[] = {
    [UNRECORDED_NEVER] = "never watched",
    [UNRECORDED_BEFORE] = "before we watched",
    [UNRECORDED_UNSEEN] = "not recorded",
};

static void add_difference(struct sbuf *out, const struct difference *d, struct bytes against)
{
    _cleanup_sbuf_ struct sbuf raw = SBUF_INIT;

    json_string(out, JSON_MEMBER("difference", "kind"), bytes_of(difference_kind_name(d->kind)));
    json_bytes(out, JSON_KEY("against"), against);
    json_bytes(out, JSON_KEY("xattr"), d->xattr);
    if (d->changed_ns) {
        json_key(out, JSON_KEY("not_later_than"));
        ecs_write_time(out, d->changed_ns);
    }
    json_bool(out, JSON_KEY("recorded"), d->event != NULL);
    if (!d->event)
        json_string(out, JSON_KEY("reason"), bytes_of(reasons[d->unrecorded]));
    if (d->before.known) {
        (void)json_open(out, JSON_OBJECT("before"));
        add_state(out, &d->before, d->before_hash, d->before_target);
        json_close(out);
    }
    if (d->after.known) {
        (void)json_open(out, JSON_OBJECT("after"));
        add_state(out, &d->after, d->after_hash, d->after_target);
        json_close(out);
    }
    json_close(out);
    if (d->host_path.len && d->kind != DIFFERENCE_MISSING) {
        json_string(out, JSON_MEMBER("file", "host_path"), d->host_path);
        json_close(out);
    }
    add_raw(&raw, JSON_KEY("file.path"), d->path);
    if (d->kind != DIFFERENCE_MISSING)
        add_raw(&raw, JSON_KEY("culprit.file.host_path"), d->host_path);
    add_raw(&raw, JSON_KEY("file.target_path"), d->kind == DIFFERENCE_MISSING ? d->before_target : d->after_target);
    if (raw.len) {
        (void)json_open(out, JSON_OBJECT("raw"));
        sbuf_add_bytes(out, sbuf_bytes(&raw));
        json_close(out);
    }
}

void difference_write_json(struct sbuf *out, const struct difference *d, const struct container *victim,
                           enum victim_kind victim_kind, struct bytes against, const struct ecs_host *host)
{
    const struct event *e = d->event;
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    sbuf_add_char(&line, '{');
    if (e || d->changed_ns) {
        json_key(&line, JSON_KEY("@timestamp"));
        ecs_write_time(&line, e ? e->time_ns : d->changed_ns);
    }
    ecs_write_version(&line);
    json_key(&line, JSON_LITERAL(",\"event\":{\"kind\":\"state\",\"category\":[\"file\"],\"type\":["));
    json_element(&line, bytes_of(d->kind == DIFFERENCE_MISSING ? "deletion"
                                 : d->kind == DIFFERENCE_ADDED ? "creation"
                                                               : "change"));
    json_close_array(&line);
    if (e) {
        json_string(&line, JSON_KEY("action"), bytes_of(operation_info(e->operation)->name));
        json_hex(&line, JSON_KEY("id"), (struct bytes){ (const char *)e->id, sizeof(e->id) });
    }
    json_key(&line, JSON_LITERAL(",\"module\":\"culprit\",\"dataset\":\"culprit.difference\"}"));
    add_file(&line, d);
    if (e) {
        ecs_write_process(&line, &e->actor);
        if (e->actor.process && e->actor.process->container)
            ecs_write_container(&line, e->actor.process->container);
    }
    ecs_write_host(&line, host);
    (void)json_open(&line, JSON_OBJECT("culprit"));
    add_difference(&line, d, against);
    if (e)
        ecs_write_actor_culprit(&line, &e->actor);
    ecs_write_victim(&line, victim_kind, victim, e ? e->sharers : BYTES_NULL);
    if (e && e->since_start_known)
        json_fraction(&line, JSON_KEY("since_start"), (double)e->since_start_ns / 1e9, 6);
    sbuf_add_str(&line, "}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}
