/* SPDX-License-Identifier: MIT */
#include "history/replay.h"

#include <errno.h>
#include <libaudit.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <uthash.h>

#include "history/lineage.h"
#include "search/lines.h"
#include "search/paths.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/macro.h"

#define END_OF_EVENT_MS 2000   /* auditd's end_of_event_timeout */
#define MARKS 32               /* blocks; the oldest event that may be open spans fewer, or is read again from there */
#define LIVE_MS 5000           /* auditd writes the rest of an event within this */
#define BOOT_BACK 1000         /* serials start anew with each boot; records of one moment are closer than this */

/* A directory at or below the path that is asked for, by identity. */
struct inside {
    UT_hash_handle hh;
    uint64_t inode; /* another device's inode of the same number costs a look, no more */
};

struct wanted {
    UT_hash_handle hh;
    struct {
        uint64_t time_ms, serial;
    } key;
};

struct block {
    struct audit_log_block text;
    struct search_lines lines;
    struct wanted *wanted; /* events of it that may matter */
    bool present;
};

/* Where a block began, and which serials came before it: where to go on so that an open event is read whole. */
struct mark {
    struct replay_position at;
    uint64_t serial_before;
};

struct replay {
    const struct replay_options *options;
    struct replay_stats *stats;
    struct needle needle;
    bool learning;         /* the first pass: who is where; nothing is told */
    struct inside *inside;
    bool too_many_inside;  /* then everything is decoded */
    struct audit_grouper *grouper;
    struct search_places *places;
    struct search_paths paths;
    struct lineage *lineage;
    struct block blocks[3]; /* before, now, next */
    bool skimming;         /* what is read was told before */
    struct mark marks[MARKS];
    uint64_t mark_count;
    struct replay_position end; /* of what was read */
    uint64_t last_serial;
    uint64_t sequence;
    int result;
};

/* ---- users ---- */

/* UID="root" of what auditd added. */
static struct bytes enriched_name(const struct audit_record *r, const char *name)
{
    struct bytes rest = r->enriched, wanted = bytes_of(name);
    struct audit_field field;

    while (audit_field_next(r->type, &rest, &field))
        if (bytes_equal(field.name, wanted))
            return field.value;
    return BYTES_NULL;
}

/* ---- events ---- */

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3ull; /* FNV-1a */
    return h;
}

/* As the live sensor makes it (sensor/audit/audit.c): what it has seen itself is the same event. */
static void set_id(const struct replay *p, const struct audit_group *g, unsigned index, uint8_t id[16])
{
    uint64_t parts[3] = { g->time_ms, g->serial, index };
    uint64_t half[2] = { 0xcbf29ce484222325ull, 0x9e3779b97f4a7c15ull };
    struct bytes host = g->node.len ? g->node : bytes_of(p->options->host);

    for (int i = 0; i < 2; i++) {
        half[i] = mix(half[i], host.data, host.len);
        half[i] = mix(half[i], parts, sizeof(parts));
    }
    memcpy(id, half, sizeof(half));
}

static void add_state(struct file_state *s, const struct file_state *more)
{
    unsigned which = more->known & ~s->known & (FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE);

    if (which & FILE_MODE)
        s->mode = more->mode;
    if (which & FILE_UID)
        s->uid = more->uid;
    if (which & FILE_GID)
        s->gid = more->gid;
    if (which & FILE_INODE)
        s->inode = more->inode;
    if (which & FILE_DEVICE)
        s->device = more->device;
    s->known |= which;
}

static const struct search_path *path_of_record(const struct replay *p, const struct audit_path *record)
{
    for (unsigned i = 0; i < p->paths.count; i++)
        if (record && p->paths.paths[i].record == record)
            return &p->paths.paths[i];
    return NULL;
}

/* The resolved name of a change: by the record that carries it, and its last component. */
static struct bytes resolved(const struct replay *p, const struct audit_change *c, struct bytes name,
                             enum audit_nametype type, bool *ret_certain)
{
    const struct search_path *by_object = path_of_record(p, c->object), *weak = NULL;

    *ret_certain = true;
    if (by_object && by_object->certain && (!name.data || bytes_equal(bytes_basename(by_object->path), bytes_basename(name))))
        if (c->operation != OPERATION_RENAME || by_object->record->type == type)
            return by_object->path;
    for (unsigned i = 0; i < p->paths.count; i++) {
        const struct search_path *s = &p->paths.paths[i];

        if (s->record->type == AUDIT_NAME_PARENT || !s->path.data || !name.data ||
            !bytes_equal(bytes_basename(s->path), bytes_basename(name)))
            continue;
        if (c->operation == OPERATION_RENAME && s->record->type != type)
            continue;
        if (s->certain)
            return s->path;
        weak = s;
    }
    if (by_object && by_object->certain && c->operation != OPERATION_RENAME)
        return by_object->path;
    *ret_certain = false;
    return weak ? weak->path : name;
}

static bool covers(const struct replay *p, struct bytes path)
{
    return bytes_path_covers(p->options->path, path);
}

static struct event *make_event(struct replay *p, const struct audit_group *g, unsigned index)
{
    const struct audit_facts *f = &p->paths.facts;
    const struct audit_change *c = &p->paths.changes[index];
    bool certain, certain_before = true;
    struct bytes path = resolved(p, c, c->name, AUDIT_NAME_CREATE, &certain), previous = BYTES_NULL;
    struct event *e;

    if (c->operation == OPERATION_RENAME)
        previous = resolved(p, c, c->previous_name, AUDIT_NAME_DELETE, &certain_before);
    if (p->options->path.data) {
        bool in = (certain && covers(p, path)) || (previous.data && certain_before && covers(p, previous));

        if (!in) {
            if (!certain && bytes_equal(bytes_basename(path), bytes_basename(p->options->path)))
                p->stats->unsure++;
            return NULL;
        }
    }
    if (!path.data && !previous.data)
        return NULL;
    if (!certain)
        p->stats->unsure++;
    e = event_new();
    if (!e)
        return NULL;
    set_id(p, g, index, e->id);
    e->sequence = ++p->sequence;
    e->time_ns = f->time_ms * NS_PER_MS;
    e->operation = c->operation;
    e->error = c->error;
    e->sensors = SENSOR_AUDIT_LOG;
    e->route = f->route;
    e->syscall = -1;
    if (f->route == ROUTE_SYSCALL) {
        e->syscall_arch = f->arch;
        e->syscall = f->number;
    }
    event_set(e, &e->path, path);
    event_set(e, &e->host_path, certain ? path : BYTES_NULL);
    if (previous.data) {
        event_set(e, &e->previous_path, previous);
        event_set(e, &e->previous_host_path, certain_before ? previous : BYTES_NULL);
    }
    if (c->target.len)
        event_set(e, &e->target_path, c->target);
    e->before = c->before;
    e->after = c->after;
    if (c->after.known)
        add_state(&e->file, e->error == 0 ? &c->after : &c->before);
    if (c->object)
        add_state(&e->file, &c->object->file);
    e->victim_kind = VICTIM_HOST;
    event_set(e, &e->key, f->key);
    if (c->note)
        e->note = bytes_of(c->note);
    e->actor.pid = f->pid;
    e->actor.parent_pid = f->parent_pid;
    e->actor.cred = f->cred;
    e->actor.login_uid = f->login_uid;
    e->actor.session = f->session;
    event_set(e, &e->actor.executable, f->executable);
    event_set(e, &e->actor.name, f->name);
    event_set(e, &e->actor.args, bytes_known(f->argv) ? f->argv : f->args_text);
    event_set(e, &e->actor.working_directory, f->cwd);
    if (f->tty.len && !bytes_equal_str(f->tty, "(none)"))
        event_set(e, &e->actor.tty, f->tty);
    e->actor.process = lineage_find(p->lineage, f->pid);
    return e;
}

/* ---- groups ---- */

static void see_group(struct replay *p, const struct audit_group *g)
{
    const struct audit_facts *f = &p->paths.facts;
    const struct audit_record *call = audit_group_find(g, AUDIT_SYSCALL);
    struct sighting s = { .pid = f->pid, .parent_pid = f->parent_pid, .time_ms = f->time_ms,
                          .executable = f->executable, .name = f->name, .cred = f->cred,
                          .login_uid = f->login_uid, .session = f->session };
    const struct passwd *user;

    if (!f->has_syscall || f->pid <= 0)
        return;
    s.executes = f->success && (f->call == AUDIT_CALL_execve || f->call == AUDIT_CALL_execveat);
    s.args = bytes_known(f->argv) ? f->argv : f->args_text;
    s.args_cut = !bytes_known(f->argv) && f->args_text.len >= 127;
    if (f->tty.len && !bytes_equal_str(f->tty, "(none)"))
        s.tty = f->tty;
    /* of a script the file that was executed is the first name, the interpreter the second */
    if (s.executes && f->path_count > 1 && f->paths[0].name.len &&
        !bytes_equal(bytes_basename(f->paths[0].name), bytes_basename(f->executable)))
        s.script = p->paths.count && p->paths.paths[0].path.data ? p->paths.paths[0].path : f->paths[0].name;
    if (call)
        s.user_name = enriched_name(call, "EUID");
    if (s.user_name.len) {
        p->stats->enriched = true;
    } else if (p->options->local && f->cred.known) {
        user = getpwuid(f->cred.euid);
        s.user_name = user ? bytes_of(user->pw_name) : BYTES_NULL;
    }
    lineage_see(p->lineage, &s);
}

/* Directories of the path that is asked for: what is done in them by descriptor names only their inode. */
static void add_inside(void *data, uint64_t inode, struct bytes path)
{
    struct replay *p = data;
    struct inside *in;

    if (!covers(p, path) || p->too_many_inside)
        return;
    HASH_FIND(hh, p->inside, &inode, sizeof(inode), in);
    if (in)
        return;
    in = HASH_COUNT(p->inside) < LIMIT_SEARCH_PLACES ? calloc(1, sizeof(*in)) : NULL;
    if (!in) {
        p->too_many_inside = true;
        return;
    }
    in->inode = inode;
    HASH_ADD(hh, p->inside, inode, sizeof(in->inode), in);
}

static void learn_inside(struct replay *p)
{
    for (unsigned i = 0; i < p->paths.count; i++) {
        const struct search_path *s = &p->paths.paths[i];
        const struct file_state *file = &s->record->file;

        if (!s->certain || !(file->known & FILE_INODE))
            continue;
        if (!(file->known & FILE_MODE) || S_ISDIR(file->mode) || s->path.len == p->options->path.len)
            add_inside(p, file->inode, s->path);
    }
}

static void on_group(void *data, const struct audit_group *g)
{
    struct replay *p = data;

    if (p->result)
        return;
    if (search_paths_read_group(g, p->places, p->learning, &p->paths) < 0) {
        p->result = -ENOMEM;
        return;
    }
    if (p->learning) {
        if (p->options->path.data)
            learn_inside(p);
        return;
    }
    if (p->skimming) {
        see_group(p, g);
        return;
    }
    p->stats->events++;
    p->stats->incomplete += !g->complete && p->paths.facts.has_syscall;
    see_group(p, g);
    for (unsigned i = 0; i < p->paths.change_count && p->result == 0; i++) {
        struct event *e = make_event(p, g, i);

        if (!e)
            continue;
        p->stats->changes++;
        p->result = p->options->event(p->options->data, e);
    }
}

/* ---- lines ---- */

/* The value behind "NAME=" of a SYSCALL record; *from moves behind it. */
static struct bytes peek(const char **from, const char *end, const char *name, size_t len)
{
    const char *at = memmem(*from, (size_t)(end - *from), name, len), *stop;

    if (!at)
        return BYTES_NULL;
    at += len;
    stop = memchr(at, ' ', (size_t)(end - at));
    stop = stop ? stop : end;
    *from = stop;
    return (struct bytes){ at, (size_t)(stop - at) };
}

static uint32_t number_of(struct bytes b)
{
    uint32_t v = 0;

    for (size_t i = 0; i < b.len && b.data[i] >= '0' && b.data[i] <= '9'; i++)
        v = v * 10 + (uint32_t)(b.data[i] - '0');
    return v;
}

/* Quoted or hexadecimal. */
static struct bytes plain(struct bytes b, char *buffer, size_t size)
{
    struct bytes out;

    if (b.len >= 2 && b.data[0] == '"')
        return (struct bytes){ b.data + 1, b.len - 2 };
    if (b.len == 0 || b.data[0] == '(' || audit_unhex(b, buffer, size, &out) < 0)
        return BYTES_NULL;
    return out;
}

#define PEEK(name) peek(&at, end, " " name "=", sizeof(name) + 1)

/* An event that is not decoded still tells who its actor's launcher is. */
static void see_line(struct replay *p, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    const char *enriched = memchr(text, AUDIT_ENRICHED_SEPARATOR, len);
    char exe[512], comm[64];
    struct sighting s = { .cred.known = true };
    struct bytes value;

    if (enriched)
        end = enriched;
    value = PEEK("ppid");
    s.parent_pid = (pid_t)number_of(value);
    value = PEEK("pid");
    s.pid = (pid_t)number_of(value);
    s.login_uid = number_of(PEEK("auid"));
    s.cred.uid = number_of(PEEK("uid"));
    s.cred.gid = number_of(PEEK("gid"));
    s.cred.euid = number_of(PEEK("euid"));
    s.cred.suid = number_of(PEEK("suid"));
    s.cred.fsuid = number_of(PEEK("fsuid"));
    s.cred.egid = number_of(PEEK("egid"));
    s.cred.sgid = number_of(PEEK("sgid"));
    s.cred.fsgid = number_of(PEEK("fsgid"));
    s.session = number_of(PEEK("ses"));
    value = PEEK("comm");
    s.name = plain(value, comm, sizeof(comm));
    value = PEEK("exe");
    s.executable = plain(value, exe, sizeof(exe));
    if (s.pid > 0)
        lineage_see(p->lineage, &s);
}

static void want(struct block *b, const struct search_line *line)
{
    struct wanted *w, *found;

    w = calloc(1, sizeof(*w));
    if (!w)
        return;
    w->key.time_ms = line->sec * 1000 + line->milli;
    w->key.serial = line->serial;
    HASH_FIND(hh, b->wanted, &w->key, sizeof(w->key), found);
    if (found)
        free(w);
    else
        HASH_ADD(hh, b->wanted, key, sizeof(w->key), w);
}

static bool is_wanted(const struct replay *p, const struct search_line *line)
{
    struct wanted key, *found = NULL;

    memset(&key, 0, sizeof(key));
    key.key.time_ms = line->sec * 1000 + line->milli;
    key.key.serial = line->serial;
    for (int i = 0; i < 3 && !found; i++)
        if (p->blocks[i].wanted)
            HASH_FIND(hh, p->blocks[i].wanted, &key.key, sizeof(key.key), found);
    return found;
}

static void block_clear(struct block *b)
{
    struct wanted *w, *next;

    HASH_ITER(hh, b->wanted, w, next) {
        HASH_DEL(b->wanted, w);
        free(w);
    }
    b->present = false;
}

/* A PATH record that names a directory of ours by its inode. Names with a space are hexadecimal: what
 * looks like the field is it. */
static bool is_inside(const struct replay *p, const struct block *b, const struct search_line *line)
{
    const char *text = b->text.text.data + line->offset;
    const char *at = p->inside ? memmem(text, line->len, " inode=", 7) : NULL;
    uint64_t inode = 0;
    struct inside *in;

    if (!at)
        return false;
    for (at += 7; at < text + line->len && *at >= '0' && *at <= '9'; at++)
        inode = inode * 10 + (uint64_t)(*at - '0');
    HASH_FIND(hh, p->inside, &inode, sizeof(inode), in);
    return in;
}

/* A PATH record of a directory that is named, not only passed through: its name is part of others' paths. */
static bool names_directory(const struct block *b, const struct search_line *line)
{
    const char *text = b->text.text.data + line->offset;
    const char *mode = memmem(text, line->len, " mode=04", 8), *end = text + line->len;

    return mode && !memmem(mode, (size_t)(end - mode), " nametype=PARENT", 16);
}

static bool is_before(const struct replay *p, const struct audit_log_block *text, uint32_t at)
{
    const struct replay_position *from = &p->options->tell_from;

    return text->file < from->file || (text->file == from->file && text->offset + at < from->offset);
}

/* Which events of a block may matter. */
static int scan(struct replay *p, struct block *b)
{
    struct search_lines_options options = { .needle = &p->needle };
    bool skim = !p->learning && is_before(p, &b->text, 0), all = p->needle.count == 0 && !skim;
    int r = search_lines_read(b->text.text, &options, &b->lines);

    if (r < 0)
        return r;
    b->present = true;
    for (uint32_t i = 0; i < b->lines.count && !all; i++) {
        const struct search_line *line = &b->lines.lines[i];

        /* what is executed is the command line of whoever acts later */
        if ((line->hit && !skim) || (!p->learning && line->type == AUDIT_EXECVE) ||
            (line->type == AUDIT_PATH && (p->learning || skim ? names_directory(b, line) : is_inside(p, b, line))))
            want(b, line);
    }
    return 0;
}

static void note_line(struct replay *p, const struct search_line *line)
{
    uint64_t ms = line->sec * 1000 + line->milli;

    p->stats->outages.last_ms = ms;
    if (!p->stats->first_ms || ms < p->stats->first_ms)
        p->stats->first_ms = ms;
    p->stats->last_ms = MAX(p->stats->last_ms, ms);
    /* auditd's own records have numbers of its own (AUDIT_FIRST_DAEMON, libaudit.h) */
    if (line->type >= AUDIT_FIRST_DAEMON && line->type <= AUDIT_LAST_DAEMON)
        return;
    if (line->serial + BOOT_BACK < p->last_serial) {
        lineage_forget(p->lineage); /* serials began anew: another boot */
        p->last_serial = line->serial;
    } else if (line->serial > p->last_serial) {
        if (p->last_serial && line->serial - p->last_serial > 1)
            p->stats->missing_serials += line->serial - p->last_serial - 1;
        p->last_serial = line->serial;
    }
}

/* Lines that are no records stand between those of the table: some are what the kernel says of lost ones. */
static void see_between(struct replay *p, const struct block *b, size_t from, size_t to)
{
    struct bytes rest = { b->text.text.data + from, to - from }, line;

    while (audit_log_line_next(&rest, &line))
        if (outages_see_message(&p->stats->outages, line))
            p->stats->damaged--;
}

/* Behind what another reading has told: who is who stays known, what was counted is not ours. */
static void begin_telling(struct replay *p)
{
    struct replay_stats *s = p->stats;

    audit_grouper_expire(p->grouper, 0, 0);
    p->skimming = false;
    outages_forget(&s->outages);
    *s = (struct replay_stats){ .outages = s->outages, .enriched = s->enriched };
}

/* The last line has no newline: where it begins, else the end. */
static size_t whole_lines(const struct audit_log_block *text)
{
    const char *newline = text->torn ? memrchr(text->text.data, '\n', text->text.len) : NULL;

    return !text->torn ? text->text.len : newline ? (size_t)(newline + 1 - text->text.data) : 0;
}

/* So late that what follows may still be written. */
static bool is_recent(uint64_t time_ms)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 < time_ms + LIVE_MS;
}

/* A line that is still being written is read the next time: from now on it is not there. */
static void drop_torn(struct replay *p, struct block *b)
{
    const struct search_line *last = b->lines.count ? &b->lines.lines[b->lines.count - 1] : NULL;
    size_t whole = whole_lines(&b->text);
    bool parsed = last && last->offset >= whole;

    if (!p->options->live || !b->text.torn)
        return;
    if (!is_recent(parsed ? last->sec * 1000 + last->milli : p->stats->last_ms))
        return; /* it was cut: nobody writes the rest */
    if (parsed)
        b->lines.count--;
    else
        b->lines.damaged -= b->lines.damaged > 0;
    b->text.text.len = whole;
    b->text.torn = false;
}

static void set_mark(struct replay *p, const struct audit_log_block *text)
{
    const struct replay_position *from = &p->options->tell_from;
    struct mark *m = &p->marks[p->mark_count++ % MARKS];

    m->at = (struct replay_position){ text->file, text->offset };
    if (is_before(p, text, 0))
        m->at = *from;
    m->serial_before = p->last_serial;
}

/* After a block: its end, or the beginning of the latest block before which an open event has no record. */
static void set_safe(struct replay *p, const struct audit_log_block *text)
{
    uint64_t open = audit_grouper_oldest(p->grouper);

    if (is_before(p, text, (uint32_t)text->text.len)) { /* told before */
        p->stats->safe = p->options->tell_from;
        return;
    }
    p->end = (struct replay_position){ text->file, text->offset + text->text.len };
    p->stats->safe = p->end;
    for (uint64_t back = 1; open != UINT64_MAX && back <= MIN(p->mark_count, (uint64_t)MARKS); back++) {
        const struct mark *m = &p->marks[(p->mark_count - back) % MARKS];

        p->stats->safe = m->at;
        if (m->serial_before < open)
            break;
    }
}

/* Decode what matters of blocks[1]; its neighbours' wishes count too, as events cross blocks. */
static void decode(struct replay *p)
{
    struct block *b = &p->blocks[1];
    bool all = p->needle.count == 0, wanted = false;
    bool holes = b->lines.damaged && !p->learning;
    size_t end = 0; /* of the line before */

    if (!b->present)
        return;
    if (!p->learning)
        set_mark(p, &b->text);
    if (!p->learning)
        drop_torn(p, b);
    for (uint32_t i = 0; i < b->lines.count && p->result == 0; i++) {
        const struct search_line *line = &b->lines.lines[i];
        const char *text = b->text.text.data + line->offset;
        struct audit_record record;

        if (p->skimming && !is_before(p, &b->text, line->offset))
            begin_telling(p);
        p->stats->lines += !p->learning;
        if (holes && line->offset > end)
            see_between(p, b, end, line->offset);
        end = line->offset + line->len;
        if (!line->same || i == 0)
            wanted = (all && !p->skimming) || is_wanted(p, line);
        if (!p->learning && outages_want(line->type))
            outages_see(&p->stats->outages, line->type, line->sec * 1000 + line->milli,
                        (struct bytes){ text, line->len });
        if (!p->learning && (!line->same || i == 0))
            note_line(p, line);
        if (!wanted) {
            if (line->type == AUDIT_SYSCALL && !p->learning)
                see_line(p, text, line->len);
            continue;
        }
        if (audit_record_parse_line((struct bytes){ text, line->len }, &record, NULL) < 0) {
            p->stats->damaged += !p->learning;
            continue;
        }
        p->stats->records_decoded++;
        audit_grouper_add(p->grouper, &record, record.time_ms);
        audit_grouper_expire(p->grouper, record.time_ms, END_OF_EVENT_MS);
    }
    if (holes)
        see_between(p, b, end, b->text.text.len);
    if (!p->learning && !p->skimming)
        p->stats->damaged += b->lines.damaged;
    if (!p->learning)
        set_safe(p, &b->text);
}

/* The oldest makes room for the next. */
static void turn(struct replay *p)
{
    struct block oldest;

    block_clear(&p->blocks[0]);
    oldest = p->blocks[0];
    p->blocks[0] = p->blocks[1];
    p->blocks[1] = p->blocks[2];
    p->blocks[2] = oldest;
}

static int pass(struct replay *p, bool learning, struct err *err)
{
    struct audit_log_reader_options options = { .files = p->options->files,
                                                .log = learning ? NULL : p->options->log,
                                                .start_offset = p->options->start_offset };
    struct audit_grouper_options grouping = { .copy = true, .group = on_group, .data = p };
    struct audit_log_reader *reader = NULL;
    int r = audit_log_reader_new(&options, &reader, err), more = 1;

    if (r < 0)
        return r;
    p->learning = learning;
    p->skimming = !learning && (p->options->tell_from.file || p->options->tell_from.offset);
    p->result = 0;
    p->grouper = audit_grouper_new(&grouping);
    if (!p->grouper)
        r = -ENOMEM;
    while (r == 0 && (more > 0 || p->blocks[1].present)) {
        uint64_t offset = 0;

        if (more > 0) {
            more = audit_log_reader_next(reader, &p->blocks[2].text, err);
            r = more < 0 ? more : more ? scan(p, &p->blocks[2]) : 0;
        }
        if (r < 0)
            break;
        offset = p->blocks[1].text.offset + p->blocks[1].text.text.len;
        decode(p);
        r = p->result;
        if (r == 0 && !learning && p->options->progress && p->blocks[1].present) {
            p->stats->log = *audit_log_reader_stats(reader);
            r = p->options->progress(p->options->progress_data, p->stats, offset);
        }
        turn(p);
    }
    if (r == 0 && p->skimming) /* nothing came behind it */
        begin_telling(p);
    if (r == 0 && p->grouper && !learning && p->options->live && is_recent(p->stats->last_ms)) {
        p->stats->left_open = audit_grouper_open_count(p->grouper);
    } else if (r == 0 && p->grouper) {
        audit_grouper_expire(p->grouper, 0, 0);
        if (!learning)
            p->stats->safe = p->end;
        r = p->result;
    }
    if (!learning)
        p->stats->log = *audit_log_reader_stats(reader);
    audit_grouper_free(p->grouper);
    p->grouper = NULL;
    audit_log_reader_free(reader);
    for (int i = 0; i < 3; i++)
        block_clear(&p->blocks[i]);
    return r;
}

/* ---- what is looked for ---- */

static int set_needle(struct replay *p, bool telling)
{
    char name[LIMIT_NAME + 1];
    struct bytes base = bytes_basename(p->options->path);
    struct search_query query = { .file_count = 1, .files = { name } };

    p->needle = (struct needle){ 0 };
    if (!p->options->path.data || !base.len || base.len > LIMIT_NAME || memchr(base.data, '\\', base.len) ||
        (telling && p->too_many_inside))
        return 0;
    for (size_t i = 0; i < base.len; i++)
        if (strchr("*?[\\", base.data[i]) || !base.data[i])
            return 0; /* the query would take it for a pattern: everything is decoded */
    memcpy(name, base.data, base.len);
    name[base.len] = '\0';
    return needle_of_query(&query, &p->needle);
}

static bool can_read_twice(const struct audit_log_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->files[i].path, "-") == 0 || files->files[i].size == 0)
            return false;
    return true;
}

int replay_run(const struct replay_options *options, struct replay_stats *ret, struct err *err)
{
    struct replay p = { .options = options, .stats = ret };
    bool twice = can_read_twice(options->files);
    struct inside *in, *next;
    int r = 0;

    *ret = (struct replay_stats){ 0 };
    p.places = search_places_new();
    p.lineage = lineage_new();
    if (!p.places || !p.lineage)
        r = err_set(err, -ENOMEM, "reading logs");
    if (r == 0 && twice) {
        r = set_needle(&p, false);
        if (r == 0)
            r = pass(&p, true, err);
        needle_done(&p.needle);
        if (r == 0 && options->path.data) /* of some the path is known only now */
            search_places_each(p.places, add_inside, &p);
    }
    if (r == 0)
        r = twice ? set_needle(&p, true) : 0; /* a pipe: whatever comes may be needed */
    if (r == 0)
        r = pass(&p, false, err);
    needle_done(&p.needle);
    for (int i = 0; i < 3; i++) {
        block_clear(&p.blocks[i]);
        audit_log_block_done(&p.blocks[i].text);
        search_lines_done(&p.blocks[i].lines);
    }
    HASH_ITER(hh, p.inside, in, next) {
        HASH_DEL(p.inside, in);
        free(in);
    }
    search_paths_done(&p.paths);
    search_places_free(p.places);
    lineage_free(p.lineage);
    return r;
}
