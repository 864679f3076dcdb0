/* SPDX-License-Identifier: MIT */
#include "event/event.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "util/limits.h"
#include "util/macro.h"

struct event *event_new(void)
{
    struct event *e = malloc(sizeof(*e)); /* not calloc(): that does not take what was freed a moment ago */

    if (!e)
        return NULL;
    *e = (struct event){ .syscall = -1, .actor = { .login_uid = UID_UNKNOWN, .session = SESSION_UNKNOWN } };
    return e;
}

void event_free(struct event *e)
{
    if (!e)
        return;
    cause_done(&e->cause);
    process_unref(e->actor.process);
    container_unref(e->victim);
    shared_arena_unref(e->lent);
    arena_done(&e->arena);
    free(e);
}

static bool is_above(struct bytes dir, struct bytes path)
{
    return dir.len && dir.len < path.len && bytes_path_covers(dir, path);
}

void event_carry(struct event *e, struct bytes path)
{
    if (is_above(e->path, path) || is_above(e->previous_path, path))
        event_set(e, &e->carried, path);
}

void event_set(struct event *e, struct bytes *field, struct bytes value)
{
    *field = arena_copy(&e->arena, value);
}

void event_make_id(uint64_t time_ns, uint64_t hash, uint8_t ret[16])
{
    const uint64_t parts[2] = { htobe64(time_ns), htobe64(hash) };

    memcpy(ret, parts, sizeof(parts));
}

void file_state_add(struct file_state *s, const struct file_state *more, unsigned which)
{
    which &= more->known & ~s->known & (FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE | FILE_SIZE);
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
    if (which & FILE_SIZE)
        s->size = more->size;
    s->known |= which;
}

bool file_state_mode_differs(const struct file_state *a, const struct file_state *b)
{
    return (a->known & b->known & FILE_MODE) && ((a->mode ^ b->mode) & 07777);
}

bool file_state_owner_differs(const struct file_state *a, const struct file_state *b)
{
    return ((a->known & b->known & FILE_UID) && a->uid != b->uid) || ((a->known & b->known & FILE_GID) && a->gid != b->gid);
}

bool event_attribute_is_unknown(const struct event *e)
{
    /* stores of former versions have it as times, concluded */
    return e->operation == OPERATION_ATTRIBUTES || (e->operation == OPERATION_UTIME && e->operation_presumed);
}

bool event_note_is_doubt(const struct event *e)
{
    static const char *const facts[] = { EVENT_NOTE_SAME, EVENT_NOTE_ONE_OF, EVENT_NOTE_OPEN, EVENT_NOTE_HOLE };

    return e->note.len > 0 && !BYTES_AMONG(e->note, facts);
}

uint64_t event_inode(const struct event *e)
{
    return e->file.known & FILE_INODE ? e->file.inode : 0;
}

struct bytes event_actor_executable(const struct event *e)
{
    if (e->actor.executable.len)
        return e->actor.executable;
    return e->actor.process ? e->actor.process->executable : BYTES_NULL;
}

struct bytes event_actor_name(const struct event *e)
{
    struct bytes executable = event_actor_executable(e);

    if (executable.len)
        return bytes_basename(executable);
    if (e->actor.name.len)
        return e->actor.name;
    return e->actor.process ? e->actor.process->name : BYTES_NULL;
}

const struct credentials *actor_credentials(const struct actor *a)
{
    return a->cred.known || !a->process ? &a->cred : &a->process->cred;
}

uint32_t actor_login_uid(const struct actor *a)
{
    return a->login_uid != UID_UNKNOWN || !a->process ? a->login_uid : a->process->login_uid;
}

uint32_t actor_session(const struct actor *a)
{
    return a->session != SESSION_UNKNOWN || !a->process ? a->session : a->process->session;
}

/* The executable; its name only where none is known. */
static void add_program(struct fingerprint_maker *of, const struct event *e)
{
    struct bytes executable = event_actor_executable(e);

    fingerprint_add(of, executable);
    fingerprint_add(of, executable.len ? BYTES_NULL : event_actor_name(e));
}

static struct fingerprint suspect_of_cause(const struct event *e)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, e->cause.key.number);
    fingerprint_add_word(&of, e->cause.key.rest);
    add_program(&of, e);
    return fingerprint_end(&of);
}

static struct fingerprint find_suspect(const struct event *e)
{
    struct bytes executable = event_actor_executable(e);
    const struct process *actor = e->actor.process, *p = actor;
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    add_program(&of, e);
    fingerprint_add_word(&of, event_actor_name(e).len ? 0 : (uint64_t)e->actor.pid);
    fingerprint_add(&of, !p || !p->container ? BYTES_NULL : p->container->name.len ? p->container->name : p->container->id);
    fingerprint_add(&of, p ? p->script : BYTES_NULL);
    p = p ? p->parent : NULL;
    for (unsigned depth = 0; p && depth < LIMIT_LINEAGE; p = p->parent, depth++) {
        struct bytes launcher = p->executable.len ? p->executable : p->name;

        /* a program that forks itself, however often, is one link of the chain */
        if (bytes_equal(launcher, executable))
            continue;
        if (!process_lives_with(actor, p))
            break; /* how it came in from the host is not who it is */
        fingerprint_add(&of, launcher);
        executable = launcher;
    }
    return fingerprint_end(&of);
}

struct fingerprint event_suspect(const struct event *e)
{
    if (e->suspect.number)
        return e->suspect;
    return e->cause.key.number ? suspect_of_cause(e) : find_suspect(e);
}

void event_remember_suspect(struct event *e)
{
    e->suspect = (struct fingerprint){ 0 };
    e->suspect = event_suspect(e);
}
