/* SPDX-License-Identifier: MIT */
/* An event, its cause, its processes and containers: every text is one of these kinds. */
#include "alert/redact.h"

#include <stddef.h>
#include <stdlib.h>

#include "util/macro.h"

enum redact_kind {
    KIND_TEXT,
    KIND_PATH,
    KIND_COMMAND,
    KIND_SHELL, /* a text that is nothing but arguments */
};

/* Where a text is in a struct, beside those that need to be looked at together with others. */
struct redact_place {
    size_t at;
    enum redact_kind kind;
};
#define OF_PROCESS(member, kind) { offsetof(struct process, member), kind }
#define OF_EVENT(member, kind) { offsetof(struct event, member), kind }
#define OF_CONTAINER(member, kind) { offsetof(struct container, member), kind }

static const struct redact_place process_places[] = {
    OF_PROCESS(executable, KIND_PATH), OF_PROCESS(script, KIND_PATH), OF_PROCESS(input, KIND_PATH), OF_PROCESS(name, KIND_TEXT),
    OF_PROCESS(args, KIND_COMMAND), OF_PROCESS(working_directory, KIND_PATH), OF_PROCESS(tty, KIND_TEXT), OF_PROCESS(group_name, KIND_TEXT),
    OF_PROCESS(remote, KIND_TEXT), OF_PROCESS(launch.place, KIND_PATH), OF_PROCESS(cgroup, KIND_PATH), OF_PROCESS(owner.package, KIND_TEXT),
    OF_PROCESS(owner.package_version, KIND_TEXT), OF_PROCESS(owner.unit, KIND_TEXT), OF_PROCESS(owner.product, KIND_TEXT),
    OF_PROCESS(owner.product_kind, KIND_TEXT),
};

static const struct redact_place event_places[] = {
    OF_EVENT(path, KIND_PATH), OF_EVENT(previous_path, KIND_PATH), OF_EVENT(host_path, KIND_PATH), OF_EVENT(previous_host_path, KIND_PATH),
    OF_EVENT(target_path, KIND_PATH), OF_EVENT(carried, KIND_PATH), OF_EVENT(xattr, KIND_TEXT), OF_EVENT(watch_text, KIND_PATH),
    OF_EVENT(key, KIND_TEXT), OF_EVENT(sharers, KIND_TEXT), OF_EVENT(node, KIND_TEXT), OF_EVENT(file.group, KIND_TEXT),
    OF_EVENT(before.group, KIND_TEXT), OF_EVENT(after.group, KIND_TEXT), OF_EVENT(actor.executable, KIND_PATH),
    OF_EVENT(actor.name, KIND_TEXT), OF_EVENT(actor.args, KIND_COMMAND), OF_EVENT(actor.working_directory, KIND_PATH),
    OF_EVENT(actor.tty, KIND_TEXT), OF_EVENT(actor.script, KIND_PATH), OF_EVENT(actor.cgroup, KIND_PATH),
    OF_EVENT(cause.run.name, KIND_PATH), OF_EVENT(cause.run.interpreter, KIND_TEXT), OF_EVENT(cause.run.args, KIND_COMMAND),
    OF_EVENT(cause.run.text, KIND_SHELL), OF_EVENT(cause.run.directory, KIND_PATH), OF_EVENT(cause.run.file, KIND_PATH),
    OF_EVENT(cause.run.package, KIND_TEXT), OF_EVENT(cause.run.environment, KIND_PATH), OF_EVENT(cause.launcher.unit, KIND_TEXT), OF_EVENT(cause.person.by, KIND_TEXT),
    OF_EVENT(cause.person.terminal, KIND_TEXT), OF_EVENT(cause.person.remote, KIND_TEXT), OF_EVENT(cause.tool, KIND_TEXT),
};

static const struct redact_place container_places[] = {
    OF_CONTAINER(name, KIND_TEXT), OF_CONTAINER(image_name, KIND_TEXT), OF_CONTAINER(compose_project, KIND_TEXT),
    OF_CONTAINER(compose_service, KIND_TEXT), OF_CONTAINER(pod_namespace, KIND_TEXT), OF_CONTAINER(pod_name, KIND_TEXT),
    OF_CONTAINER(pod_container, KIND_TEXT), OF_CONTAINER(labels, KIND_TEXT), OF_CONTAINER(cgroup, KIND_PATH),
    OF_CONTAINER(health_check, KIND_COMMAND),
};

/* ---- one text ---- */

static struct bytes keep(struct arena *arena, struct bytes from, struct sbuf *text)
{
    struct bytes kept = BYTES_NULL;

    if (sbuf_error(text) == 0 && bytes_known(from))
        kept = arena_copy(arena, (struct bytes){ sbuf_str(text), text->len });
    sbuf_done(text);
    return kept;
}

static void hide(const struct redact *r, struct arena *arena, struct bytes *text, enum redact_kind kind)
{
    struct sbuf out = SBUF_INIT;

    if (kind == KIND_COMMAND)
        redact_command(r, *text, &out);
    else if (kind == KIND_SHELL && r->rules.arguments && text->len)
        sbuf_add_str(&out, REDACTED);
    else if (kind == KIND_PATH)
        redact_path(r, *text, &out);
    else
        redact_text(r, *text, &out);
    *text = keep(arena, *text, &out);
}

static void hide_user(const struct redact *r, struct arena *arena, struct bytes *name, uint32_t uid)
{
    struct sbuf out = SBUF_INIT;

    redact_user(r, *name, uid, &out);
    *name = keep(arena, *name, &out);
}

static void hide_places(const struct redact *r, struct arena *arena, void *of, const struct redact_place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hide(r, arena, (struct bytes *)(void *)((char *)of + places[i].at), places[i].kind);
}

/* ---- containers ---- */

static void forget_containers(struct redact *r)
{
    for (size_t i = 0; i < r->container_count; i++) {
        container_unref(r->containers[i].from);
        container_unref(r->containers[i].to);
    }
    r->container_count = 0;
}

/* A reference of the caller's; NULL: none, or out of memory. */
static struct container *shown_container(struct redact *r, struct container *from)
{
    struct container *to;

    for (size_t i = 0; from && i < r->container_count; i++)
        if (r->containers[i].from == from)
            return container_ref(r->containers[i].to);
    to = from ? container_copy(from) : NULL;
    if (!to)
        return NULL;
    hide_places(r, &to->arena, to, container_places, ARRAY_SIZE(container_places));
    if (r->container_count == REDACT_CONTAINERS_MAX)
        forget_containers(r);
    r->containers[r->container_count++] = (struct redact_container){ container_ref(from), container_ref(to) };
    return to;
}

/* ---- processes ---- */

static void forget_processes(struct redact *r)
{
    for (size_t i = 0; i < r->process_count; i++) {
        process_unref(r->processes[i].from);
        process_unref(r->processes[i].to);
    }
    r->process_count = 0;
}

static struct redact_process *find(const struct redact *r, const struct process *from)
{
    for (size_t i = 0; from && i < r->process_count; i++)
        if (r->processes[i].from == from)
            return &r->processes[i];
    return NULL;
}

static void collect_one(struct redact *r, struct process *from)
{
    if (from && !find(r, from) && r->process_count < REDACT_PROCESSES_MAX)
        r->processes[r->process_count++] = (struct redact_process){ process_ref(from), NULL };
}

static void collect(struct redact *r, const struct event *e)
{
    if (r->process_count > REDACT_PROCESSES_MAX / 2 || !find(r, e->actor.process))
        forget_processes(r);
    collect_one(r, e->actor.process);
    collect_one(r, e->cause.run.process);
    collect_one(r, e->cause.launcher.process);
    collect_one(r, e->cause.person.process);
    collect_one(r, e->cause.sibling);
    for (size_t i = 0; i < r->process_count; i++) {
        collect_one(r, r->processes[i].from->parent);
        collect_one(r, r->processes[i].from->earlier);
    }
}

/* A timer's and a CI job's names are no arguments. */
static enum redact_kind launch_kind(const struct process *p)
{
    return p->launch.kind == LAUNCH_TIMER || p->launch.kind == LAUNCH_CI_JOB ? KIND_TEXT : KIND_SHELL;
}

static uint32_t uid_of(const struct process *p, uint32_t uid)
{
    return p->cred.known ? uid : UID_UNKNOWN;
}

static struct process *copy_alone(struct redact *r, const struct process *from)
{
    struct process *to = process_new(from->pid, from->start_ns);

    if (!to)
        return NULL;
    *to = *from;
    to->refs = 1;
    to->arena = (struct arena){ 0 };
    to->likeness = to->next_dead = to->earlier = to->parent = NULL;
    to->cause_link = NULL;
    to->container = shown_container(r, from->container);
    hide_places(r, &to->arena, to, process_places, ARRAY_SIZE(process_places));
    hide(r, &to->arena, &to->launch.text, launch_kind(from));
    hide_user(r, &to->arena, &to->launch.user, UID_UNKNOWN);
    hide_user(r, &to->arena, &to->user_name, uid_of(from, from->cred.euid));
    hide_user(r, &to->arena, &to->real_user_name, uid_of(from, from->cred.uid));
    hide_user(r, &to->arena, &to->login_name, from->login_uid);
    return to;
}

static void copy_processes(struct redact *r)
{
    size_t first = r->process_count;

    for (size_t i = r->process_count; i-- > 0;)
        if (!r->processes[i].to) {
            r->processes[i].to = copy_alone(r, r->processes[i].from);
            first = i;
        }
    for (size_t i = first; i < r->process_count; i++) {
        const struct redact_process *p = &r->processes[i], *parent = find(r, p->from->parent), *earlier = find(r, p->from->earlier);

        if (!p->to || p->to->parent || p->to->earlier)
            continue;
        p->to->parent = parent ? process_ref(parent->to) : NULL;
        p->to->earlier = earlier ? process_ref(earlier->to) : NULL;
    }
    for (size_t i = 0; i < r->process_count; i++)
        if (r->processes[i].to)
            r->processes[i].to->exited_ns = r->processes[i].from->exited_ns;
}

static struct process *shown_process(const struct redact *r, const struct process *from)
{
    const struct redact_process *p = find(r, from);

    return p ? process_ref(p->to) : NULL;
}

/* ---- names ---- */

static void learn_home(struct redact *r, struct bytes path)
{
    static const char home[] = "/home/";
    const char *at = r->rules.users && path.len ? memmem(path.data, path.len, home, strlen(home)) : NULL;
    struct bytes rest;

    if (!at)
        return;
    rest = (struct bytes){ at + strlen(home), path.len - (size_t)(at - path.data) - strlen(home) };
    redact_learn(r, bytes_next_component(&rest), UID_UNKNOWN);
}

static void learn_process(struct redact *r, const struct process *p)
{
    redact_learn(r, p->user_name, uid_of(p, p->cred.euid));
    redact_learn(r, p->real_user_name, uid_of(p, p->cred.uid));
    redact_learn(r, p->login_name, p->login_uid);
    redact_learn(r, p->launch.user, UID_UNKNOWN);
    learn_home(r, p->working_directory);
    learn_home(r, p->executable);
    learn_home(r, p->script);
}

static void learn_file(struct redact *r, const struct file_state *f)
{
    redact_learn(r, f->owner, f->known & FILE_UID ? f->uid : UID_UNKNOWN);
}

static bool is_named_by_user(enum launcher_kind kind)
{
    return kind == LAUNCHER_CRON || kind == LAUNCHER_SSH || kind == LAUNCHER_PERSON || kind == LAUNCHER_SFTP;
}

static void learn(struct redact *r, const struct event *e)
{
    for (size_t i = 0; i < r->process_count; i++)
        if (!r->processes[i].to)
            learn_process(r, r->processes[i].from);
    learn_file(r, &e->file);
    learn_file(r, &e->before);
    learn_file(r, &e->after);
    redact_learn(r, e->cause.person.name, e->cause.person.id);
    redact_learn(r, e->cause.person.as_name, e->cause.person.as_id);
    if (is_named_by_user(e->cause.launcher.kind))
        redact_learn(r, e->cause.launcher.name, UID_UNKNOWN);
    learn_home(r, e->path);
    learn_home(r, e->previous_path);
    learn_home(r, e->target_path);
}

/* ---- the event ---- */

static void hide_file(const struct redact *r, struct arena *arena, struct file_state *f)
{
    hide_user(r, arena, &f->owner, f->known & FILE_UID ? f->uid : UID_UNKNOWN);
}

/* What is no command line. */
static enum redact_kind detail_kind(enum launcher_kind kind)
{
    return kind == LAUNCHER_PRODUCT || kind == LAUNCHER_TIMER || kind == LAUNCHER_CI || kind == LAUNCHER_ENTRY_POINT || kind == LAUNCHER_SERVICE
               ? KIND_TEXT : KIND_SHELL;
}

static void hide_cause(const struct redact *r, struct arena *arena, struct cause *c)
{
    hide(r, arena, &c->launcher.detail, detail_kind(c->launcher.kind));
    if (is_named_by_user(c->launcher.kind))
        hide_user(r, arena, &c->launcher.name, UID_UNKNOWN);
    else
        hide(r, arena, &c->launcher.name, KIND_TEXT);
    hide_user(r, arena, &c->person.name, c->person.id);
    hide_user(r, arena, &c->person.as_name, c->person.as_id);
    c->run.process = shown_process(r, c->run.process);
    c->launcher.process = shown_process(r, c->launcher.process);
    c->person.process = shown_process(r, c->person.process);
    c->sibling = shown_process(r, c->sibling);
}

static struct event *copy(struct redact *r, const struct event *e)
{
    struct event *to = event_new();

    if (!to)
        return NULL;
    *to = *e;
    to->arena = (struct arena){ 0 };
    to->lent = NULL;
    to->share = NULL;
    to->actor.process = shown_process(r, e->actor.process);
    to->victim = shown_container(r, e->victim);
    hide_places(r, &to->arena, to, event_places, ARRAY_SIZE(event_places));
    hide_file(r, &to->arena, &to->file);
    hide_file(r, &to->arena, &to->before);
    hide_file(r, &to->arena, &to->after);
    hide_cause(r, &to->arena, &to->cause);
    event_set(to, &to->note, e->note); /* our own words */
    return to;
}

struct event *redact_event(struct redact *r, const struct event *e)
{
    if (!r->processes && !(r->processes = calloc(REDACT_PROCESSES_MAX, sizeof(*r->processes))))
        return NULL;
    collect(r, e);
    learn(r, e);
    if (r->learned) {
        forget_containers(r);
        forget_processes(r);
        collect(r, e);
        r->learned = false;
    }
    copy_processes(r);
    return copy(r, e);
}

void redact_done(struct redact *r)
{
    forget_containers(r);
    forget_processes(r);
    free(r->processes);
    free(r->names);
    *r = (struct redact){ 0 };
}
