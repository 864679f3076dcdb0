/* SPDX-License-Identifier: MIT */
#include "report/difference_json.h"

#include <sys/stat.h>

#include "event/operation.h"
#include "util/escape.h"

static void add_text(struct sbuf *out, bool *first, const char *key, struct bytes value)
{
    if (!value.len)
        return;
    sbuf_addf(out, "%s\"%s\":", *first ? "" : ",", key);
    escape_json(out, value);
    *first = false;
}

static const char *type_of(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "dir";
    case S_IFLNK:
        return "symlink";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
        return "character_device";
    case S_IFBLK:
        return "block_device";
    default:
        return NULL;
    }
}

/* The members of "file", "before", "after". */
static void add_state(struct sbuf *out, bool *first, const struct file_state *s, struct bytes hash,
                      struct bytes target)
{
    if (s->known & FILE_MODE) {
        if (type_of(s->mode))
            add_text(out, first, "type", bytes_of(type_of(s->mode)));
        sbuf_addf(out, "%s\"mode\":\"%04o\"", *first ? "" : ",", s->mode & 07777);
        *first = false;
    }
    if (s->known & FILE_UID) {
        sbuf_addf(out, "%s\"uid\":\"%u\"", *first ? "" : ",", s->uid);
        *first = false;
    }
    if (s->known & FILE_GID) {
        sbuf_addf(out, "%s\"gid\":\"%u\"", *first ? "" : ",", s->gid);
        *first = false;
    }
    add_text(out, first, "owner", s->owner);
    add_text(out, first, "group", s->group);
    if (s->known & FILE_SIZE) {
        sbuf_addf(out, "%s\"size\":%llu", *first ? "" : ",", (unsigned long long)s->size);
        *first = false;
    }
    if ((s->known & FILE_MTIME) && s->mtime_ns > 0) {
        sbuf_addf(out, "%s\"mtime\":", *first ? "" : ",");
        ecs_write_time(out, (uint64_t)s->mtime_ns);
        *first = false;
    }
    add_text(out, first, "target_path", target);
    if (hash.len) {
        sbuf_addf(out, "%s\"hash\":{\"sha256\":", *first ? "" : ",");
        escape_json(out, hash);
        sbuf_add_char(out, '}');
        *first = false;
    }
}

static void add_raw(struct sbuf *raw, const char *key, struct bytes value)
{
    _cleanup_sbuf_ struct sbuf scratch = SBUF_INIT;

    if (!escape_json(&scratch, value))
        return;
    sbuf_addf(raw, "%s\"%s\":\"", raw->len ? "," : "", key);
    escape_hex(raw, value);
    sbuf_add_char(raw, '"');
}

static void add_file(struct sbuf *out, const struct difference *d)
{
    bool gone = d->kind == DIFFERENCE_MISSING, first = true;

    sbuf_add_str(out, ",\"file\":{");
    add_text(out, &first, "path", d->path);
    add_text(out, &first, "name", bytes_basename(d->path));
    add_text(out, &first, "directory", bytes_dirname(d->path));
    add_state(out, &first, gone ? &d->before : &d->after, gone ? d->before_hash : d->after_hash,
              gone ? d->before_target : d->after_target);
    sbuf_add_char(out, '}');
}

static const char *const reasons[] = {
    [UNRECORDED_NEVER] = "never watched",
    [UNRECORDED_BEFORE] = "before we watched",
    [UNRECORDED_UNSEEN] = "not recorded",
};

static void add_difference(struct sbuf *out, const struct difference *d, struct bytes against)
{
    _cleanup_sbuf_ struct sbuf raw = SBUF_INIT;
    bool first = true;

    sbuf_addf(out, "\"difference\":{\"kind\":\"%s\"", difference_kind_name(d->kind));
    if (against.len) {
        sbuf_add_str(out, ",\"against\":");
        escape_json(out, against);
    }
    if (d->xattr.len) {
        sbuf_add_str(out, ",\"xattr\":");
        escape_json(out, d->xattr);
    }
    if (d->changed_ns) {
        sbuf_add_str(out, ",\"not_later_than\":");
        ecs_write_time(out, d->changed_ns);
    }
    sbuf_addf(out, ",\"recorded\":%s", d->event ? "true" : "false");
    if (!d->event)
        sbuf_addf(out, ",\"reason\":\"%s\"", reasons[d->unrecorded]);
    if (d->before.known) {
        sbuf_add_str(out, ",\"before\":{");
        add_state(out, &first, &d->before, d->before_hash, d->before_target);
        sbuf_add_char(out, '}');
    }
    if (d->after.known) {
        first = true;
        sbuf_add_str(out, ",\"after\":{");
        add_state(out, &first, &d->after, d->after_hash, d->after_target);
        sbuf_add_char(out, '}');
    }
    sbuf_add_char(out, '}');
    if (d->host_path.len && d->kind != DIFFERENCE_MISSING) {
        sbuf_add_str(out, ",\"file\":{\"host_path\":");
        escape_json(out, d->host_path);
        sbuf_add_char(out, '}');
    }
    add_raw(&raw, "file.path", d->path);
    if (d->kind != DIFFERENCE_MISSING)
        add_raw(&raw, "culprit.file.host_path", d->host_path);
    add_raw(&raw, "file.target_path", d->kind == DIFFERENCE_MISSING ? d->before_target : d->after_target);
    if (raw.len)
        sbuf_addf(out, ",\"raw\":{%s}", sbuf_str(&raw));
}

void difference_write_json(struct sbuf *out, const struct difference *d, const struct container *victim,
                           enum victim_kind victim_kind, struct bytes against, const struct ecs_host *host)
{
    const struct event *e = d->event;
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    sbuf_add_char(&line, '{');
    if (e || d->changed_ns) {
        sbuf_add_str(&line, "\"@timestamp\":");
        ecs_write_time(&line, e ? e->time_ns : d->changed_ns);
    }
    ecs_write_version(&line);
    sbuf_addf(&line, ",\"event\":{\"kind\":\"state\",\"category\":[\"file\"],\"type\":[\"%s\"]",
              d->kind == DIFFERENCE_MISSING ? "deletion"
              : d->kind == DIFFERENCE_ADDED ? "creation"
                                            : "change");
    if (e) {
        sbuf_addf(&line, ",\"action\":\"%s\",\"id\":\"", operation_info(e->operation)->name);
        escape_hex(&line, (struct bytes){ (const char *)e->id, sizeof(e->id) });
        sbuf_add_char(&line, '"');
    }
    sbuf_add_str(&line, ",\"module\":\"culprit\",\"dataset\":\"culprit.difference\"}");
    add_file(&line, d);
    if (e) {
        ecs_write_process(&line, &e->actor);
        if (e->actor.process && e->actor.process->container)
            ecs_write_container(&line, e->actor.process->container);
    }
    ecs_write_host(&line, host);
    sbuf_add_str(&line, ",\"culprit\":{");
    add_difference(&line, d, against);
    if (e)
        ecs_write_actor_culprit(&line, &e->actor);
    ecs_write_victim(&line, victim_kind, victim, e ? e->sharers : BYTES_NULL);
    if (e && e->since_start_known)
        sbuf_addf(&line, ",\"since_start\":%.6f", (double)e->since_start_ns / 1e9);
    sbuf_add_str(&line, "}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}
