/* SPDX-License-Identifier: MIT */
#include "event/ecs.h"

#include <sys/stat.h>
#include <time.h>


#include "event/ecs_cause.h"
#include "event/ecs_parts.h"
#include "event/operation.h"
#include "event/syscall_name.h"
#include "util/clock.h"
#include "util/digits.h"
#include "util/escape.h"
#include "util/err.h"
#include "util/json_writer.h"
#include "util/limits.h"

#define ECS_VERSION "8.17.0"
#define EXACT_S (1ull << 22) /* up to here a double of seconds is nearer than half a nanosecond */

/* ---- container, victim, host ---- */

static void add_container_members(struct sbuf *out, const struct container *c)
{
    json_bytes(out, JSON_KEY("id"), c->id);
    json_bytes(out, JSON_KEY("name"), c->name);
    json_bytes(out, JSON_KEY("runtime"), c->runtime);
    ecs_add_only(out, JSON_MEMBER("image", "name"), c->image_name);
}

void ecs_write_victim(struct sbuf *out, enum victim_kind kind, const struct container *victim,
                      struct bytes sharers)
{
    static const char *const kinds[] = { [VICTIM_HOST] = "host",
                                         [VICTIM_CONTAINER] = "container",
                                         [VICTIM_VOLUME] = "volume" };

    size_t at, container_at;

    if (!kind)
        return;
    at = json_open(out, JSON_OBJECT("victim"));
    if ((unsigned)kind < ARRAY_SIZE(kinds))
        ecs_add_text(out, JSON_KEY("kind"), kinds[kind]);
    if (victim) {
        container_at = json_open(out, JSON_OBJECT("container"));
        add_container_members(out, victim);
        json_close_filled(out, container_at);
    }
    if (sharers.len)
        ecs_add_words(out, JSON_KEY("shared_with"), ecs_without_last_nul(sharers));
    json_close_filled(out, at);
}

void ecs_write_container(struct sbuf *out, const struct container *c)
{
    size_t at = json_open(out, JSON_OBJECT("container"));

    add_container_members(out, c);
    json_close_filled(out, at);
}

void ecs_write_host(struct sbuf *out, const struct ecs_host *host)
{
    size_t at;

    if (!host)
        return;
    at = json_open(out, JSON_OBJECT("host"));
    json_bytes(out, JSON_KEY("name"), host->name);
    json_bytes(out, JSON_KEY("id"), host->id);
    ecs_add_only(out, JSON_MEMBER("boot", "id"), host->boot_id);
    json_close_filled(out, at);
}

void ecs_write_version(struct sbuf *out)
{
    json_key(out, JSON_LITERAL(",\"ecs\":{\"version\":\"" ECS_VERSION "\"}"));
}

void ecs_write_sensors(struct sbuf *out, unsigned bits)
{
    static const char *const names[] = { "audit", "fanotify", "bpf", "audit-log" };
    bool first = true;

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (bits & (1u << i)) {
            if (!first)
                sbuf_add_char(out, ',');
            sbuf_add_str(out, names[i]);
            first = false;
        }
}

/* ---- file ---- */

const char *ecs_file_type(uint32_t mode)
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

static void add_permissions(struct sbuf *out, uint32_t mode)
{
    char text[] = { '0', '0', '0', '0', '"' };

    for (size_t i = 4; i-- > 0; mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    json_key(out, JSON_TEXT_KEY("mode"));
    sbuf_add(out, text, sizeof(text));
}

static void add_state(struct sbuf *out, const struct file_state *s)
{
    if (s->known & FILE_MODE)
        add_permissions(out, s->mode);
    if (s->known & FILE_UID)
        ecs_add_number_text(out, JSON_TEXT_KEY("uid"), s->uid);
    if (s->known & FILE_GID)
        ecs_add_number_text(out, JSON_TEXT_KEY("gid"), s->gid);
    json_bytes(out, JSON_KEY("owner"), s->owner);
    json_bytes(out, JSON_KEY("group"), s->group);
    if (s->known & FILE_SIZE)
        json_number(out, JSON_KEY("size"), s->size);
}

static void add_times(struct sbuf *out, const struct file_state *s)
{
    if (s->known & FILE_MTIME)
        ecs_add_time(out, JSON_KEY("mtime"), (uint64_t)MAX(s->mtime_ns, (int64_t)0));
    if (s->known & FILE_ATIME)
        ecs_add_time(out, JSON_KEY("accessed"), (uint64_t)MAX(s->atime_ns, (int64_t)0));
    if (s->known & FILE_FLAGS)
        json_number(out, JSON_KEY("flags"), s->flags);
}

static void write_file(struct sbuf *out, const struct event *e, struct ecs_raw *raw)
{
    struct bytes dir = bytes_dirname(e->path);
    size_t at = json_open(out, JSON_OBJECT("file"));

    ecs_add_bytes_raw(out, JSON_KEY("path"), e->path, raw, "file.path");
    ecs_add_bytes_raw(out, JSON_KEY("name"), bytes_basename(e->path), raw, "file.name");
    ecs_add_bytes_raw(out, JSON_KEY("directory"), dir, raw, "file.directory");
    if (e->file.known & FILE_MODE)
        ecs_add_text(out, JSON_KEY("type"), ecs_file_type(e->file.mode));
    if (e->file.known & FILE_INODE)
        ecs_add_number_text(out, JSON_TEXT_KEY("inode"), e->file.inode);
    if (e->file.known & FILE_DEVICE)
        ecs_add_number_text(out, JSON_TEXT_KEY("device"), e->file.device);
    add_state(out, &e->file);
    ecs_add_bytes_raw(out, JSON_KEY("target_path"), e->target_path, raw, "file.target_path");
    json_close_filled(out, at);
}

static void add_change(struct sbuf *out, struct bytes key, const struct file_state *s,
                       struct bytes xattr)
{
    size_t at = json_open(out, key);

    add_state(out, s);
    add_times(out, s);
    json_bytes(out, JSON_KEY("xattr"), xattr);
    json_close_filled(out, at);
}

/* ---- event ---- */

static void write_event_object(struct sbuf *out, const struct event *e)
{
    const struct operation_info *info = operation_info(e->operation);

    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\""));
    sbuf_add_str(out, info->ecs_type);
    sbuf_add_str(out, "\"]");
    json_key(out, JSON_TEXT_KEY("action"));
    sbuf_add_str(out, info->name);
    sbuf_add_char(out, '"');
    json_key(out, JSON_TEXT_KEY("outcome"));
    sbuf_add_str(out, e->error == 0 ? "success" : e->error > 0 ? "failure" : "unknown");
    sbuf_add_char(out, '"');
    json_hex(out, JSON_KEY("id"), (struct bytes){ (const char *)e->id, sizeof(e->id) });
    if (e->sequence)
        json_number(out, JSON_KEY("sequence"), e->sequence);
    json_key(out, JSON_LITERAL(",\"module\":\"culprit\",\"dataset\":\"culprit.file\"}"));
}

/*
 * As "%.6f" writes the quotient of doubles. That is nearer to the exact quotient than this is to one halfway between
 * two millionths as long as there are not too many seconds; if it is halfway itself, how doubles round it decides.
 */
static void add_since_start(struct sbuf *out, int64_t ns)
{
    uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, us = (size + 500) / 1000;
    char text[] = { '.', '0', '0', '0', '0', '0', '0' };

    json_key(out, JSON_KEY("since_start"));
    if (size % 1000 == 500 || size / NS_PER_S >= EXACT_S) {
        sbuf_addf(out, "%.6f", (double)ns / 1e9);
        return;
    }
    if (ns < 0)
        sbuf_add_char(out, '-');
    sbuf_add_decimal(out, us / 1000000);
    ecs_put_six_digits(text + 1, (uint32_t)(us % 1000000));
    sbuf_add(out, text, sizeof(text));
}

static void write_culprit(struct sbuf *out, const struct event *e, uint64_t booted, struct ecs_raw *raw)
{
    size_t at = json_open(out, JSON_OBJECT("culprit")), file_at;

    ecs_write_cause(out, &e->cause);
    ecs_write_actor_culprit_of(out, &e->actor, booted, raw);
    if (e->previous_path.len || e->host_path.len || e->previous_host_path.len || e->carried.len) {
        file_at = json_open(out, JSON_OBJECT("file"));
        ecs_add_bytes_raw(out, JSON_KEY("previous_path"), e->previous_path, raw, "culprit.file.previous_path");
        ecs_add_bytes_raw(out, JSON_KEY("host_path"), e->host_path, raw, "culprit.file.host_path");
        ecs_add_bytes_raw(out, JSON_KEY("previous_host_path"), e->previous_host_path, raw,
                          "culprit.file.previous_host_path");
        ecs_add_bytes_raw(out, JSON_KEY("carried"), e->carried, raw, "culprit.file.carried");
        json_close_filled(out, file_at);
    }
    add_change(out, JSON_OBJECT("before"), &e->before,
               e->operation == OPERATION_REMOVEXATTR ? e->xattr : BYTES_NULL);
    add_change(out, JSON_OBJECT("after"), &e->after,
               e->operation == OPERATION_SETXATTR || e->operation == OPERATION_SETACL ? e->xattr
                                                                                     : BYTES_NULL);
    ecs_write_victim(out, e->victim_kind, e->victim, e->sharers);
    if (e->since_start_known)
        add_since_start(out, e->since_start_ns);
    if (e->route != ROUTE_UNKNOWN)
        ecs_add_text(out, JSON_KEY("route"), e->route == ROUTE_SYSCALL ? "syscall" : "io_uring");
    ecs_add_text(out, JSON_KEY("syscall"), event_call_name(e));
    ecs_add_bytes_raw(out, JSON_KEY("watch"), e->watch_text, raw, "culprit.watch");
    if (e->bytes_known)
        json_number(out, JSON_KEY("bytes"), e->bytes);
    json_bytes(out, JSON_KEY("note"), e->note);
    if (e->sensors & SENSOR_GUARD)
        ecs_add_text(out, JSON_KEY("denied_by"), "guard");
    if (e->sensors) {
        json_key(out, JSON_TEXT_KEY("sensor"));
        ecs_write_sensors(out, e->sensors);
        sbuf_add_char(out, '"');
    }
    if (raw->members.len) {
        json_key(out, JSON_OBJECT("raw"));
        sbuf_add_bytes(out, sbuf_bytes(&raw->members));
        sbuf_add_char(out, '}');
    }
    json_close_filled(out, at);
}

/* Of another machine's log its name is known at most. */
static void write_event_host(struct sbuf *out, const struct event *e, const struct ecs_host *host)
{
    const struct ecs_host named = { .name = e->node };

    if (e->node.len)
        ecs_write_host(out, &named);
    else if (!e->elsewhere)
        ecs_write_host(out, host);
}

void ecs_write_event(struct sbuf *out, const struct event *e, const struct ecs_host *host)
{
    struct ecs_raw raw = { SBUF_INIT };
    uint64_t booted = ecs_booted_ns(&e->actor);

    sbuf_add_char(out, '{');
    ecs_add_time(out, JSON_KEY("@timestamp"), e->time_ns);
    ecs_write_version(out);
    write_event_object(out, e);
    if (e->error > 0)
        ecs_add_only(out, JSON_MEMBER("error", "code"), bytes_of(errno_name(e->error)));
    write_file(out, e, &raw);
    ecs_write_process_of(out, &e->actor, booted, &raw);
    ecs_write_user(out, &e->actor, &e->cause.person);
    if (e->actor.process && e->actor.process->container)
        ecs_write_container(out, e->actor.process->container);
    if (e->key.len) {
        ecs_add_bytes_raw(out, JSON_MEMBER("rule", "name"), e->key, &raw, "rule.name");
        sbuf_add_char(out, '}');
    }
    write_event_host(out, e, host);
    write_culprit(out, e, booted, &raw);
    sbuf_add_str(out, "}\n");
    sbuf_done(&raw.members);
}

void ecs_write_gap(struct sbuf *out, const struct gap *gap, const struct ecs_host *host)
{
    size_t at, gap_at;

    sbuf_add_char(out, '{');
    ecs_add_time(out, JSON_KEY("@timestamp"), gap->to_ns);
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"pipeline_error\""));
    ecs_add_time(out, JSON_KEY("start"), gap->from_ns);
    ecs_add_time(out, JSON_KEY("end"), gap->to_ns);
    sbuf_add_char(out, '}');
    ecs_add_text(out, JSON_KEY("message"), gap->text);
    if (gap->sensor != SENSOR_AUDIT_LOG) /* it may have been written elsewhere, and before this boot */
        ecs_write_host(out, host);
    at = json_open(out, JSON_OBJECT("culprit"));
    gap_at = json_open(out, JSON_OBJECT("gap"));
    if (gap->count && gap->reason == LOST_AUDIT_NUMBERS)
        json_number(out, JSON_KEY("missing"), gap->count);
    else if (gap->count) /* 0: how many is not known */
        json_number(out, JSON_KEY("lost"), gap->count);
    ecs_add_time(out, JSON_KEY("from"), gap->from_ns);
    ecs_add_time(out, JSON_KEY("to"), gap->to_ns);
    json_close_filled(out, gap_at);
    if (gap->sensor) {
        json_key(out, JSON_TEXT_KEY("sensor"));
        ecs_write_sensors(out, gap->sensor);
        sbuf_add_char(out, '"');
    }
    json_close_filled(out, at);
    sbuf_add_str(out, "}\n");
}
