/* SPDX-License-Identifier: MIT */
#include "attribution/work.h"

#include "attribution/removal_client.h"
#include "event/operation.h"
#include "util/clock.h"
#include "util/macro.h"

#define AGAIN_NS (200 * NS_PER_MS) /* a volume may have very many files */
#define LATE_NS NS_PER_S           /* what a client asked for is seen so long after its end, where the events come late */

static bool is_daemon(const struct process *p)
{
    return bytes_equal_str(bytes_basename(p->executable), "dockerd") && !p->executable_memfd && p->origin == ORIGIN_HOST &&
           p->launch.kind == LAUNCH_UNKNOWN && p->start_ns;
}

static void forget(struct engine_work *w)
{
    process_unref(w->daemon);
    process_unref(w->client);
    process_unref(w->record);
    *w = (struct engine_work){ 0 };
}

void works_done(struct works *w)
{
    for (unsigned i = 0; i < WORKS; i++)
        forget(&w->list[i]);
}

/* The same process, by the same facts. */
static struct process *copy_daemon(struct process *daemon)
{
    struct process *p = process_new(daemon->pid, daemon->start_ns);

    if (!p)
        return NULL;
    process_set_likeness(p, daemon);
    process_set(p, &p->name, daemon->name);
    process_set(p, &p->tty, daemon->tty);
    process_set(p, &p->cgroup, daemon->cgroup);
    process_set(p, &p->user_name, daemon->user_name);
    process_set(p, &p->real_user_name, daemon->real_user_name);
    process_set(p, &p->group_name, daemon->group_name);
    process_set(p, &p->login_name, daemon->login_name);
    p->parent_pid = daemon->parent_pid;
    p->parent = process_ref(daemon->parent);
    p->exited_ns = daemon->exited_ns;
    p->booted_ns = daemon->booted_ns;
    p->cred = daemon->cred;
    p->login_uid = daemon->login_uid;
    p->session = daemon->session;
    p->mnt_ns = daemon->mnt_ns;
    p->attributed = p->launch.looked = true;
    p->origin = daemon->origin;
    p->owner.agent = daemon->owner.agent;
    p->owner.looks_like = daemon->owner.looks_like;
    process_set(p, &p->owner.package, daemon->owner.package);
    process_set(p, &p->owner.package_version, daemon->owner.package_version);
    process_set(p, &p->owner.unit, daemon->owner.unit);
    process_set(p, &p->owner.product, daemon->owner.product);
    process_set(p, &p->owner.product_kind, daemon->owner.product_kind);
    return p;
}

static struct fingerprint what_of(const struct removal *r)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, r->container ? r->container->id : BYTES_NULL);
    fingerprint_add(&of, r->volume);
    return fingerprint_end(&of);
}

static struct engine_work *find(struct works *w, const struct process *daemon, struct fingerprint what, uint64_t at_ns)
{
    for (unsigned i = 0; i < WORKS; i++) {
        struct engine_work *k = &w->list[i];

        if (k->daemon == daemon && fingerprint_equal(k->what, what) && (k->client ? !k->client->exited_ns || at_ns <= k->client->exited_ns + LATE_NS : at_ns < k->until_ns))
            return k;
    }
    return NULL;
}

static struct process *record_for(const struct works *w, const struct launch_sources *sources, struct process *daemon, struct process *client)
{
    struct process *p;

    for (unsigned i = 0; i < WORKS; i++) /* it has several removed */
        if (w->list[i].daemon == daemon && w->list[i].client == client && w->list[i].record)
            return process_ref(w->list[i].record);
    p = copy_daemon(daemon);
    if (p)
        launch_set_remover(sources, p, client);
    return p;
}

static struct engine_work *look(struct works *w, const struct launch_sources *sources, struct process *daemon, const struct removal *r,
                         uint64_t from_ns, uint64_t to_ns)
{
    struct process *client = launch_find_remover(sources, r, from_ns, to_ns), *record = client ? record_for(w, sources, daemon, client) : NULL;
    struct engine_work *k = &w->list[w->next++ % WORKS];

    forget(k);
    *k = (struct engine_work){ what_of(r), process_ref(daemon), record ? process_ref(client) : NULL, record, to_ns + AGAIN_NS };
    return k;
}

/* 1: before anything that is remembered. */
static uint64_t end_of(const struct launch_sources *sources, const struct container *c, uint64_t at_ns)
{
    const struct process *first = c && c->pid > 0 ? process_table_find(sources->table, c->pid, at_ns, 0, BYTES_NULL) : NULL;

    return !c ? 0 : first ? first->exited_ns : 1;
}

void works_take(struct works *w, const struct launch_sources *sources, struct event *e)
{
    struct removal r = { .container = e->victim_kind == VICTIM_HOST ? NULL : e->victim };
    struct process *daemon = e->actor.process;
    struct engine_work *k;

    if (!e->boot_ns || e->error || !operation_removes(e->operation) || !is_daemon(daemon))
        return;
    if (e->victim_kind != VICTIM_CONTAINER)
        r.volume = removal_volume(e->host_path.len ? e->host_path : e->path);
    if (!r.volume.len && e->victim_kind != VICTIM_CONTAINER)
        return;
    r.time_ns = e->boot_ns;
    r.ended_ns = end_of(sources, r.container, e->boot_ns);
    k = find(w, daemon, what_of(&r), e->boot_ns);
    if (!k)
        k = look(w, sources, daemon, &r, e->boot_from_ns ? e->boot_from_ns : e->boot_ns, e->boot_ns);
    if (!k->record)
        return;
    e->actor.process = process_ref(k->record);
    process_unref(daemon);
}
