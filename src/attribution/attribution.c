/* SPDX-License-Identifier: MIT */
#include "attribution/attribution.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "cause/exited.h"
#include "engine/cgroup.h"
#include "attribution/ci_job.h"
#include "attribution/launch.h"
#include "attribution/origin.h"
#include "attribution/owner.h"
#include "attribution/owner_inside.h"
#include "attribution/process_table.h"
#include "attribution/procfs.h"
#include "attribution/sessions.h"
#include "attribution/users.h"
#include "attribution/work.h"
#include "cause/cause.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"

#define PROC "/proc"

#define KNOWN_SUSPECTS 16 /* processes whose events come in turn */

/* The cause of what one process, executing this, changes: found by going up all of its chain. */
struct known_suspect {
    struct process *process; /* owned reference, NULL = none yet */
    struct bytes executable; /* in its memory, or in `own` */
    struct arena own;
    struct cause cause;
    struct fingerprint suspect;
    uint32_t uid, euid, login_uid;
    unsigned long changes;   /* process_table_cuts() as it was found */
    bool leads;              /* cause_suits_tools() */
};

struct attribution {
    struct attribution_options options;
    struct process_table *table;
    struct agents *agents;
    struct packages *packages;
    struct image_packages *image_packages;
    struct users *users;
    struct sessions *sessions;
    struct ci_jobs *ci_jobs;
    bool timers_hang;         /* systemd did not answer in time */
    struct known_suspect suspects[KNOWN_SUSPECTS]; /* by the address of the process */
    struct known_suspect siblings[KNOWN_SUSPECTS]; /* cause_suits_siblings(); by the address of its parent, and its executable */
    struct works works;
    uint32_t mnt_ns;          /* our own mount namespace, whose packages are asked for; 0 = not known */
    uint64_t booted_ns;       /* CLOCK_REALTIME of CLOCK_BOOTTIME's zero; reckoned once: it dates each process alike */
};

int attribution_new(const struct attribution_options *options, struct attribution **ret,
                    struct err *err)
{
    struct attribution *a = calloc(1, sizeof(*a));
    struct err why = ERR_INIT;
    struct stat st;
    int r;

    if (!a) {
        packages_free(options->packages);
        return err_set(err, -ENOMEM, "attribution");
    }
    a->options = *options;
    a->packages = options->packages;
    a->booted_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
    a->mnt_ns = stat(PROC "/self/ns/mnt", &st) == 0 ? (uint32_t)st.st_ino : 0;
    r = process_table_new(PROC, &a->table, err);
    if (r == 0)
        r = users_new(options->engines, "/", &a->users, err);
    if (r == 0)
        r = sessions_new("/", PROC, &a->sessions, err);
    if (r == 0)
        r = ci_jobs_new(PROC, &a->ci_jobs, err);
    if (r == 0)
        r = image_packages_new(&a->image_packages, err);
    if (r < 0) {
        attribution_free(a);
        return r;
    }
    if ((options->agents_path ? agents_load(options->agents_path, &a->agents, &why)
                              : agents_parse(agents_builtin(), &a->agents, &why)) < 0)
        log_warn(options->log, "%s; products are not named", err_text(&why, -ENOENT));
    *ret = a;
    return 0;
}

static void forget_suspect(struct known_suspect *s)
{
    process_unref(s->process);
    cause_done(&s->cause);
    arena_done(&s->own);
    *s = (struct known_suspect){ 0 };
}

void attribution_free(struct attribution *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < KNOWN_SUSPECTS; i++) {
        forget_suspect(&a->suspects[i]);
        forget_suspect(&a->siblings[i]);
    }
    works_done(&a->works);
    process_table_free(a->table);
    agents_free(a->agents);
    packages_free(a->packages);
    image_packages_free(a->image_packages);
    users_free(a->users);
    sessions_free(a->sessions);
    ci_jobs_free(a->ci_jobs);
    free(a);
}

int attribution_seed(struct attribution *a, struct err *err)
{
    return process_table_seed(a->table, err);
}

void attribution_await(struct attribution *a, unsigned ms)
{
    if (a->packages)
        packages_await(a->packages, ms);
}

/* What only /proc knows, read while the process is still there. */
static void look_at_once(struct attribution *a, const struct process_event *event)
{
    struct process *p = process_table_find(a->table, event->pid, event->boot_ns, event->start_ns, BYTES_NULL);

    if (!p)
        return;
    ci_jobs_see(a->ci_jobs, p);
    sessions_see(a->sessions, p);
}

void attribution_process_event(struct attribution *a, const struct process_event *event)
{
    process_table_apply(a->table, event);
    if (event->kind == PROCESS_EXEC)
        look_at_once(a, event);
}

void attribution_recheck(struct attribution *a)
{
    process_table_recheck(a->table);
}

/* ---- owner and names of one process ---- */

/* The package of the container's own image. */
static bool find_inside(struct attribution *a, const struct process *p, struct bytes path, struct bytes *package,
                        struct bytes *version)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;

    if (!path.len)
        return false;
    inside_by_process(&place, p->container->pid);
    if (!p->exited_ns) /* the first process may be unknown, or gone */
        inside_by_process(&place, p->pid);
    return image_packages_find(a->image_packages, p->container->id, sbuf_bytes(&place), path, package,
                               version) == 0;
}

/* By nsenter a process of the host executes what another tree has at that path. */
static bool is_of_another_tree(const struct attribution *a, const struct process *p)
{
    struct stat st;

    if (!a->mnt_ns || !p->mnt_ns || (uint32_t)p->mnt_ns == a->mnt_ns || !p->executable_inode || !p->executable.len)
        return false;
    return stat(p->executable.data, &st) < 0 || st.st_ino != p->executable_inode;
}

/* By a path alone: whose lists are asked depends on where it lives. Not known where: not asked. */
static bool find_package(struct attribution *a, const struct process *p, struct bytes path, struct bytes *package,
                         struct bytes *version)
{
    if (!path.len || p->executable_memfd)
        return false;
    if (p->origin == ORIGIN_HOST)
        return a->packages && packages_find(a->packages, path, package, version) == 0 && !is_of_another_tree(a, p);
    return p->origin == ORIGIN_CONTAINER && find_inside(a, p, path, package, version);
}

static void find_owner(struct attribution *a, struct process *p)
{
    struct agent_facts facts = { .name = p->name };
    struct bytes package, version;

    if (p->origin != ORIGIN_CONTAINER)
        process_set(p, &p->owner.unit, cgroup_unit(p->cgroup));
    /* a script's own package says more than its interpreter's */
    if (find_package(a, p, p->script, &package, &version) || find_package(a, p, p->executable, &package, &version)) {
        process_set(p, &p->owner.package, package);
        process_set(p, &p->owner.package_version, version);
    }
    if (!a->agents)
        return;
    facts.executable = p->executable_memfd ? BYTES_NULL : p->executable;
    facts.unit = p->owner.unit;
    facts.package = p->owner.package;
    p->owner.agent = agents_match(a->agents, &facts, &p->owner.looks_like);
    if (p->owner.agent) {
        process_set(p, &p->owner.product, p->owner.agent->product);
        process_set(p, &p->owner.product_kind, p->owner.agent->kind);
    }
}

static void find_names(struct attribution *a, struct process *p)
{
    const struct container *world = p->origin == ORIGIN_CONTAINER ? p->container : NULL;

    process_set(p, &p->login_name, users_name(a->users, NULL, p->login_uid));
    if (!p->cred.known)
        return;
    process_set(p, &p->user_name, users_name(a->users, world, p->cred.euid));
    process_set(p, &p->real_user_name, users_name(a->users, world, p->cred.uid));
    process_set(p, &p->group_name, users_group(a->users, world, p->cred.egid));
}

/* A process, or what it was before. */
static void attribute_image(struct attribution *a, struct process *p)
{
    p->attributed = true;
    p->booted_ns = a->booted_ns;
    origin_find(a->options.engines, p);
    find_owner(a, p);
    find_names(a, p);
    process_set(p, &p->remote, sessions_remote(a->sessions, p));
}

static void attribute_client(void *data, struct process *p);

static struct launch_sources launch_sources(struct attribution *a)
{
    return (struct launch_sources){ a->table, a->options.engines, a->users, a->ci_jobs, &a->timers_hang, attribute_client, a };
}

static void attribute(struct attribution *a, struct process *p)
{
    const struct launch_sources sources = launch_sources(a);
    struct process *chain[LIMIT_LINEAGE];
    unsigned count = 0;

    for (; p && !p->attributed && count < LIMIT_LINEAGE; p = p->parent) {
        chain[count++] = p;
        for (struct process *image = p; image && !image->attributed; image = image->earlier)
            attribute_image(a, image);
    }
    while (count > 0) /* launchers first */
        launch_find(&sources, chain[--count]);
}

/* A client may have been started in a container itself, by a client: that is older, so that this ends. */
static void attribute_client(void *data, struct process *p)
{
    attribute(data, p);
}

/* ---- events ---- */

/* A record of the sensor's own facts: the process was gone before /proc could be read. */
static struct process *make_from_facts(struct attribution *a, const struct event *e, struct process *known)
{
    const struct actor *actor = &e->actor;
    struct process *p = process_new(actor->pid, known ? known->start_ns : actor->start_ns);

    if (!p)
        return NULL;
    process_set(p, &p->executable, actor->executable);
    process_set(p, &p->name, actor->name);
    process_set(p, &p->args, actor->args);
    process_set(p, &p->script, actor->script);
    process_set(p, &p->working_directory, actor->working_directory);
    process_set(p, &p->tty, actor->tty);
    p->cred = actor->cred;
    p->login_uid = actor->login_uid;
    p->session = actor->session;
    p->parent_pid = known ? known->parent_pid : actor->parent_pid;
    if (known) {
        p->parent = process_ref(known->parent);
        p->exited_ns = known->exited_ns;
        p->mnt_ns = known->mnt_ns;
        process_set(p, &p->cgroup, known->cgroup);
        p->cgroup_inherited = known->cgroup_inherited;
        process_set_earlier(p, process_same(p, known) ? known : NULL);
    } else if (actor->cgroup.len) {
        process_set(p, &p->cgroup, actor->cgroup);
        p->mnt_ns = actor->mnt_ns;
        if (actor->parent_pid > 0)
            p->parent = process_ref(process_table_find(a->table, actor->parent_pid, e->boot_ns, 0,
                                                       BYTES_NULL));
    } else if (actor->parent_pid > 0) {
        /* the parent at the moment of the act; a child lives where its parent lives */
        p->parent = process_ref(process_table_find(a->table, actor->parent_pid, e->boot_ns, 0,
                                                   BYTES_NULL));
        if (p->parent)
            process_set(p, &p->cgroup, p->parent->cgroup);
        p->cgroup_inherited = true;
    }
    process_table_add(a->table, p);
    return p;
}

static void name_state(struct attribution *a, struct event *e, struct file_state *s)
{
    if ((s->known & FILE_UID) && !s->owner.data)
        event_set(e, &s->owner, users_name(a->users, e->victim, s->uid));
    if ((s->known & FILE_GID) && !s->group.data)
        event_set(e, &s->group, users_group(a->users, e->victim, s->gid));
}

/* An event later than the end of this process belongs to another one with the same pid. */
static bool may_be_another(const struct process *p, const struct event *e)
{
    return p->exited_ns && (!e->boot_ns || !e->actor.start_ns || e->boot_ns > p->exited_ns);
}

bool attribution_knows(struct attribution *a, struct event *e)
{
    struct process *p;

    if (e->actor.pid <= 0 || !e->actor.executable.len)
        return false;
    p = process_table_find(a->table, e->actor.pid, e->boot_ns, e->actor.start_ns, e->actor.executable);
    if (!p || may_be_another(p, e) || !bytes_equal(p->executable, e->actor.executable))
        return false;
    if (!e->boot_from_ns && !e->actor.process)
        e->actor.process = process_ref(p);
    return true;
}

/* Who had the pid then; NULL: nobody is known. */
static struct process *look_for(struct attribution *a, const struct event *e)
{
    struct process *p;

    if (e->boot_from_ns)
        p = process_table_find_between(a->table, e->actor.pid, e->boot_from_ns, e->boot_ns,
                                       e->actor.gone);
    else
        p = process_table_find(a->table, e->actor.pid, e->boot_ns, e->actor.start_ns,
                               e->actor.executable);
    if (p && (!e->actor.executable.len || bytes_equal(p->executable, e->actor.executable)))
        return process_ref(p);
    if (e->actor.executable.len || e->actor.name.len)
        return make_from_facts(a, e, p);
    return process_ref(p);
}

static size_t slot_of(const struct process *p)
{
    return ((uintptr_t)p >> 6) % KNOWN_SUSPECTS;
}

static size_t sibling_slot_of(const struct process *p)
{
    return (((uintptr_t)p->parent >> 6) + p->executable_inode) % KNOWN_SUSPECTS;
}

static bool has_same_ids(const struct known_suspect *s, const struct event *e, unsigned long changes)
{
    return s->changes == changes && s->uid == e->actor.cred.uid && s->euid == e->actor.cred.euid &&
           s->login_uid == e->actor.login_uid;
}

static void keep_suspect(struct known_suspect *s, const struct event *e, unsigned long changes)
{
    struct process *p = e->actor.process;
    struct bytes executable = event_actor_executable(e);

    forget_suspect(s);
    s->process = process_ref(p);
    s->executable = bytes_equal(p->executable, executable) ? p->executable : arena_copy(&s->own, executable);
    cause_copy(&s->cause, &e->cause);
    s->suspect = e->suspect;
    s->uid = e->actor.cred.uid;
    s->euid = e->actor.cred.euid;
    s->login_uid = e->actor.login_uid;
    s->changes = changes;
    s->leads = cause_suits_tools(e);
}

/* From what is known of others: a sibling, or the script that launched it. */
static bool take_cause(struct attribution *a, struct event *e, unsigned long changes)
{
    struct process *p = e->actor.process;
    struct known_suspect *sibling = &a->siblings[sibling_slot_of(p)], *script = &a->suspects[slot_of(p->parent)];

    if (sibling->process && has_same_ids(sibling, e, changes) && cause_of_sibling(e, sibling->process, &sibling->cause)) {
        e->suspect = sibling->suspect;
        if (sibling->leads && p != sibling->process) /* what it launches is led by this one */
            keep_suspect(&a->suspects[slot_of(p)], e, changes);
        return true;
    }
    if (p->parent && script->leads && script->process == p->parent && has_same_ids(script, e, changes) &&
        cause_of_launcher(e, &script->cause)) {
        event_remember_suspect(e);
        keep_suspect(sibling, e, changes);
        return true;
    }
    return false;
}

/*
 * A record of a process that was attributed is not changed, nor who launched it, but for the cut of a chain: until
 * then what was found holds.
 */
static void remember_cause(struct attribution *a, struct event *e)
{
    struct process *p = e->actor.process;
    struct known_suspect *s = &a->suspects[slot_of(p)];
    struct bytes executable = event_actor_executable(e);
    unsigned long changes = process_table_cuts(a->table);

    if (s->process == p && has_same_ids(s, e, changes) && executable.len && bytes_equal(s->executable, executable)) {
        cause_copy(&e->cause, &s->cause);
        e->cause.run.exited = cause_has_exited(&e->cause, e);
        e->suspect = s->suspect;
        return;
    }
    if (take_cause(a, e, changes))
        return;
    cause_remember(e);
    keep_suspect(s, e, changes);
    if (cause_suits_siblings(e))
        keep_suspect(&a->siblings[sibling_slot_of(p)], e, changes);
}

static void find_actor(struct attribution *a, struct event *e)
{
    struct launch_sources sources;

    if (!e->actor.process)
        e->actor.process = look_for(a, e);
    if (e->actor.process) {
        struct process *actor = e->actor.process;

        if (actor->attributed && actor->origin == ORIGIN_UNKNOWN && actor->cgroup_inherited &&
            e->actor.inside && e->victim && e->actor.executable.len) {
            /* A child's event came before its own, when it was not known where the process lives. Events already
             * point to that record, so that it must not change: a new one is made. */
            struct process *again = make_from_facts(a, e, actor);

            if (again) {
                process_unref(actor);
                e->actor.process = actor = again;
            }
        }
        if (!actor->attributed && actor->cgroup_inherited && e->actor.inside && e->victim) {
            attribute(a, actor->parent);
            actor->attributed = true;
            actor->booted_ns = a->booted_ns;
            actor->origin = ORIGIN_CONTAINER;
            actor->container = container_ref(e->victim);
            find_owner(a, actor);
            find_names(a, actor);
        }
        attribute(a, actor);
        if (!e->actor.start_ns)
            e->actor.start_ns = e->actor.process->start_ns;
        sources = launch_sources(a);
        works_take(&a->works, &sources, e);
    }
}

void attribution_event(struct attribution *a, struct event *e)
{
    name_state(a, e, &e->file);
    name_state(a, e, &e->before);
    name_state(a, e, &e->after);
    if (e->actor.pid <= 0)
        return;
    find_actor(a, e);
    if (e->actor.process)
        remember_cause(a, e);
}

struct table_walk {
    struct attribution *a;
    int (*each)(void *data, struct process *p);
    void *data;
    bool known_products;
};

static int walk_one(void *data, struct process *p)
{
    struct table_walk *w = data;

    attribute(w->a, p);
    if ((p->owner.agent != NULL && !p->owner.looks_like) != w->known_products)
        return 0;
    return w->each(w->data, p);
}

int attribution_each_process(struct attribution *a, int (*each)(void *data, struct process *p),
                             void *data)
{
    struct table_walk walk = { a, each, data, true };
    int r = process_table_each(a->table, walk_one, &walk);

    walk.known_products = false;
    return r ? r : process_table_each(a->table, walk_one, &walk);
}
