/* SPDX-License-Identifier: MIT */
/* One group of records as events: paths, actor, outcome. */
#include "history/log_events.h"

#include <errno.h>
#include <libaudit.h>
#include <string.h>
#include <sys/stat.h>

#include "cause/argv.h"
#include "history/proc_root.h"
#include "history/replay_state.h"
#include "history/user_names.h"
#include "sensor/audit/describe.h"
#include "util/limits.h"
#include "util/macro.h"

/* what a record says of a file */
#define SAID (FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE)

/* ---- events ---- */

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
    if (p->options->through_roots)
        path = replay_below_root(path);
    return bytes_path_covers(p->options->path, path);
}

static bool is_above(const struct replay *p, struct bytes path)
{
    if (p->options->through_roots)
        path = replay_below_root(path);
    return path.len > 1 && path.len < p->options->path.len && bytes_path_covers(path, p->options->path);
}

/* With a directory that is moved goes what is in it; a link or a mount on the way leads elsewhere. */
static bool carries(const struct replay *p, const struct audit_change *c, struct bytes path, struct bytes previous)
{
    unsigned type = c->object ? c->object->file.mode & S_IFMT : 0;

    if (c->error != 0)
        return false;
    switch (c->operation) {
    case OPERATION_RENAME:
        return is_above(p, path) || (previous.data && is_above(p, previous));
    case OPERATION_UNLINK:
        return type == S_IFLNK && is_above(p, path);
    case OPERATION_SYMLINK:
    case OPERATION_MOUNT:
    case OPERATION_UNMOUNT:
        return is_above(p, path);
    default:
        return false;
    }
}

/* "/srv/t/": all that is known of a change whose records have no name. */
static struct bytes directory_of(struct replay *p, const struct audit_change *c, bool *ret_certain)
{
    const struct search_path *parent = path_of_record(p, c->parent);

    *ret_certain = parent && parent->certain;
    if (!*ret_certain)
        return BYTES_NULL;
    sbuf_clear(&p->directory);
    sbuf_add_bytes(&p->directory, parent->path);
    if (parent->path.len > 1)
        sbuf_add_char(&p->directory, '/');
    return sbuf_error(&p->directory) ? BYTES_NULL : sbuf_bytes(&p->directory);
}

static struct event *make_event(struct replay *p, struct node *node, const struct audit_group *g, unsigned index)
{
    const struct audit_facts *f = &p->paths.facts;
    const struct audit_change *c = &p->paths.changes[index];
    bool certain, certain_before = true, carried = false;
    struct bytes path = resolved(p, c, c->name, AUDIT_NAME_CREATE, &certain), previous = BYTES_NULL;
    struct event *e;

    if (p->paths.facts.nameless && !path.data)
        path = directory_of(p, c, &certain);
    else if (c->operation == OPERATION_RENAME)
        previous = resolved(p, c, c->previous_name, AUDIT_NAME_DELETE, &certain_before);
    if (p->options->path.data) {
        bool in = (certain && covers(p, path)) || (previous.data && certain_before && covers(p, previous));

        carried = !in && carries(p, c, certain ? path : BYTES_NULL, certain_before ? previous : BYTES_NULL);
        if (!in && !carried) {
            p->stats->unsure += !certain && path.data; /* chmod -R and chown -R name no directory, only what is in it */
            return NULL;
        }
    }
    if (!path.data && !previous.data)
        return NULL;
    if (!certain)
        p->stats->unsure++;
    e = event_new();
    if (!e) {
        p->result = -ENOMEM;
        return NULL;
    }
    audit_event_id(g->node.len ? g->node : bytes_of(p->options->host), f->time_ms, f->serial, index, e->id);
    audit_describe(f, e);
    e->sequence = ++p->sequence;
    e->operation = c->operation;
    e->error = c->error;
    e->sensors = SENSOR_AUDIT_LOG;
    event_set(e, &e->path, path);
    event_set(e, &e->host_path, certain ? path : BYTES_NULL);
    if (previous.data) {
        event_set(e, &e->previous_path, previous);
        event_set(e, &e->previous_host_path, certain_before ? previous : BYTES_NULL);
    }
    if (carried)
        event_set(e, &e->carried, p->options->path);
    if (c->target.len)
        event_set(e, &e->target_path, c->target);
    e->before = c->before;
    e->after = c->after;
    if (c->after.known)
        file_state_add(&e->file, e->error == 0 ? &c->after : &c->before, SAID);
    if (c->object)
        file_state_add(&e->file, &c->object->file, SAID);
    e->elsewhere = !p->options->local;
    event_set(e, &e->node, g->node);
    e->victim_kind = VICTIM_HOST;
    event_set(e, &e->key, f->key);
    if (c->note)
        e->note = bytes_of(c->note);
    else if (f->nameless)
        e->note = bytes_of("the file's name is not in the log");
    p->stats->nameless += f->nameless;
    p->stats->lost_calls += !f->has_syscall && index == 0;
    e->actor.process = f->has_syscall ? lineage_find(node->lineage, f->pid) : NULL;
    if (e->arena.failed) {
        p->result = -ENOMEM;
        event_free(e);
        return NULL;
    }
    return e;
}

/* ---- groups ---- */

static struct bytes argument(struct bytes args, unsigned index)
{
    const char *end;

    while ((end = memchr(args.data, '\0', args.len)) && index--)
        args = (struct bytes){ end + 1, args.len - (size_t)(end + 1 - args.data) };
    return end ? (struct bytes){ args.data, (size_t)(end - args.data) } : index ? BYTES_NULL : args;
}

/*
 * What a #! line started: the file that was executed is the first name then, the interpreter another one, and the
 * kernel has made [interpreter, its argument, the file as it was called, ...] of the arguments. Of a program that is
 * called by a symbolic link the first name is not the executable's either, and its arguments are the caller's own.
 */
static struct bytes executed_script(const struct replay *p)
{
    const struct audit_facts *f = &p->paths.facts;
    struct bytes args = bytes_known(f->argv) ? f->argv : f->args_text, file = f->path_count ? f->paths[0].name : BYTES_NULL;
    bool interpreted = false;

    for (unsigned i = 1; i < f->path_count && i <= 4; i++)
        interpreted |= f->paths[i].name.len && bytes_equal(f->paths[i].name, argument(args, 0));
    if (!interpreted || !file.len)
        return BYTES_NULL;
    for (unsigned i = 1; i <= 4; i++) /* an interpreter may be a script itself */
        if (bytes_equal(argument(args, i), file))
            return p->paths.count && p->paths.paths[0].path.data ? p->paths.paths[0].path : file;
    return BYTES_NULL;
}

static void see_group(struct replay *p, struct node *node, const struct audit_group *g)
{
    const struct audit_facts *f = &p->paths.facts;
    const struct audit_record *call = audit_group_find(g, AUDIT_SYSCALL);
    struct sighting s = { .pid = f->pid, .parent_pid = f->parent_pid, .time_ms = f->time_ms,
                          .executable = f->executable, .name = f->name, .cred = f->cred,
                          .login_uid = f->login_uid, .session = f->session };

    if (!f->has_syscall || f->pid <= 0)
        return;
    s.executes = f->success && (f->call == AUDIT_CALL_execve || f->call == AUDIT_CALL_execveat);
    s.args = bytes_known(f->argv) ? f->argv : f->args_text;
    s.args_cut = !bytes_known(f->argv) && f->args_text.len >= 127;
    s.tty = f->tty;
    if (s.executes) {
        s.script = executed_script(p);
        s.working_directory = f->cwd;
    }
    replay_name(p, call ? call->enriched : BYTES_NULL, &s);
    lineage_see(node->lineage, &s);
}

/* Directories of the path that is asked for: what is done in them by descriptor names only their inode. */
void replay_add_inside(void *data, uint64_t inode, struct bytes path)
{
    struct replay *p = data;
    struct inside_directory *in;

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
    HASH_FREE_IF_OUT(hh, in);
    p->too_many_inside |= !in;
}

static void learn_inside(struct replay *p)
{
    for (unsigned i = 0; i < p->paths.count; i++) {
        const struct search_path *s = &p->paths.paths[i];
        const struct file_state *file = &s->record->file;

        if (!s->certain || !(file->known & FILE_INODE))
            continue;
        if (!(file->known & FILE_MODE) || S_ISDIR(file->mode) || s->path.len == p->options->path.len)
            replay_add_inside(p, file->inode, s->path);
    }
}

/*
 * Kernels before 3.14 have no PROCTITLE, and auditd writes no EOE: whole is what has all the paths it announced. PROCTITLE says no
 * more than that the last record is there; EOE alone is of a form that may leave paths out. A queue's name is no path.
 */
static bool lacks_records(const struct audit_facts *f, const struct audit_group *g)
{
    bool ended = g->complete && !audit_group_find(g, AUDIT_PROCTITLE);

    if (!f->has_syscall || ended || audit_group_find(g, AUDIT_MQ_OPEN))
        return false;
    return f->items_known ? f->path_count < MIN(f->items, (unsigned)AUDIT_PATHS_MAX) : !g->complete;
}

void replay_on_group(void *data, const struct audit_group *g)
{
    struct replay *p = data;
    uint64_t lost_calls, unsure;
    struct node *node;

    if (p->result)
        return;
    node = nodes_find(&p->nodes, g->node);
    if (!node || search_paths_read_group(g, node->places, p->learning, &p->paths) < 0) {
        p->result = -ENOMEM;
        return;
    }
    if (p->learning) {
        if (p->options->path.data)
            learn_inside(p);
        return;
    }
    if (p->skimming) {
        see_group(p, node, g);
        return;
    }
    p->stats->events++;
    p->stats->foreign_calls += p->paths.facts.has_syscall && p->paths.facts.route == ROUTE_SYSCALL &&
                               !audit_call_knows(p->paths.facts.arch);
    see_group(p, node, g);
    lost_calls = p->stats->lost_calls;
    unsure = p->stats->unsure;
    for (unsigned i = 0; i < p->paths.change_count && p->result == 0; i++) {
        struct event *e = make_event(p, node, g, i);

        if (!e)
            continue;
        p->stats->changes++;
        p->result = p->options->event(p->options->data, e);
    }
    if (p->stats->lost_calls == lost_calls) /* else it is counted there */
        p->stats->incomplete += lacks_records(&p->paths.facts, g) || p->paths.facts.cut ||
                                (!p->paths.facts.has_syscall && p->stats->unsure != unsure);
}
