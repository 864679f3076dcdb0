/* SPDX-License-Identifier: MIT */
/* What started it: up from the actor to the first that launches for a reason of its own. */
#include "cause/chain.h"

#include <string.h>

#include "cause/ansible.h"
#include "cause/argv.h"
#include "cause/engine_client.h"
#include "cause/health.h"
#include "util/macro.h"

/* ---- facts of single kinds ---- */

static struct bytes user_of(const struct process *p)
{
    return p->real_user_name.len ? p->real_user_name : p->user_name;
}

/* cron: whose job it is, is who its outermost process runs as. */
static void describe_cron(const struct chain *c, unsigned at, struct cause_launcher *ret)
{
    struct bytes text = BYTES_NULL;

    for (unsigned i = at; i-- > 0;) {
        const struct process *p = c->process[i];

        if (c->link[i]->launcher && c->link[i]->launcher->kind == ret->kind)
            continue; /* cron's own child, before it executes the job */
        if (!ret->name.len)
            ret->name = user_of(p);
        if (!text.len)
            text = c->link[i]->run.text;
        if (p->launch.kind == LAUNCH_CRONTAB && !ret->detail.len) {
            ret->detail = p->launch.text;
            if (p->launch.user.len)
                ret->name = p->launch.user;
        }
    }
    for (unsigned i = at; i-- > 0 && !ret->detail.len;) /* /etc/cron.daily/NAME */
        if (c->link[i]->run.kind == RUN_SCRIPT && bytes_starts_with(c->link[i]->run.name, bytes_of("/etc/cron.")))
            ret->detail = c->link[i]->run.name;
    if (!ret->detail.len)
        ret->detail = text;
}

/* dpkg is apt's tool: the outermost of the managers was asked. */
static unsigned outermost_manager(const struct chain *c, unsigned at)
{
    for (unsigned i = at + 1; i < c->inside; i++)
        if (c->link[i]->launcher && c->link[i]->launcher->kind == LAUNCHER_PACKAGE)
            at = i;
    return at;
}

static void describe_package(const struct chain *c, unsigned at, struct cause_launcher *ret)
{
    ret->detail = c->link[at]->packages;
    for (unsigned i = 0; i < at && !ret->detail.len; i++)
        ret->detail = c->link[i]->run.package;
}

static bool is_policy_file(struct bytes word)
{
    static const char *const suffixes[] = { ".pp", ".cf", ".sls", ".rb" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (bytes_ends_with(word, bytes_of(suffixes[i])))
            return word.data[0] != '-';
    return false;
}

/* The manifest, policy, state or recipe that it applies: the first argument that looks like one. */
static struct bytes policy_file(const struct process *p)
{
    struct argv a = argv_of(p->args);
    struct bytes word;

    while (argv_next(&a, &word))
        if (is_policy_file(word))
            return word;
    return BYTES_NULL;
}

/* What the environment of the job's outermost process says, of those that it says anything to. */
static struct bytes ci_job(const struct chain *c, unsigned at)
{
    for (unsigned i = at; i-- > 0;)
        if (c->process[i]->launch.kind == LAUNCH_CI_JOB)
            return c->process[i]->launch.text;
    return BYTES_NULL;
}

static void describe_person(const struct process *p, struct cause_launcher *ret)
{
    ret->name = p->login_name.len ? p->login_name : user_of(p);
}

/*
 * No command: sftp, by a server of its own or by sshd itself, which changes files of a user for nothing else. As root it
 * may be about its own business, and that nobody asked for.
 */
static void describe_ssh(const struct chain *c, struct cause_launcher *ret)
{
    const struct cause_link *link = c->link[0];
    const struct credentials *cred = actor_credentials(&c->event->actor);
    bool itself = link->launcher && link->launcher->kind == LAUNCHER_SSH;

    if (bytes_equal_str(link->name, "sftp-server") ? bytes_starts_with(c->process[0]->executable, bytes_of("/usr/"))
                                                   : itself && cred->known && cred->euid != 0) {
        ret->kind = LAUNCHER_SFTP;
    } else if (itself) {
        process_unref(ret->process);
        *ret = (struct cause_launcher){ .unit = ret->unit };
    }
}

static void describe_service(const struct chain *c, struct cause_launcher *ret)
{
    ret->name = ret->unit;
    for (unsigned i = 0; i < c->inside; i++)
        if (c->process[i]->launch.kind == LAUNCH_TIMER) {
            ret->kind = LAUNCHER_TIMER;
            ret->detail = c->process[i]->launch.text;
        }
}

/* ---- by a process ---- */

static void begin(const struct chain *c, unsigned at, enum launcher_kind kind, const char *name, struct cause_launcher *ret)
{
    ret->kind = kind;
    ret->process = process_ref(c->process[at]);
    ret->name = bytes_of(name);
}

/* "docker cp a web:/prd": not of another container than the one that was changed. */
static bool is_copied_by(const struct process *p, const struct container *victim)
{
    struct argv a = argv_of(p->launch.text);
    struct bytes word, name = BYTES_NULL;
    const char *colon;

    if (p->launch.kind != LAUNCH_COPY)
        return false;
    while (argv_next(&a, &word))
        name = word;
    colon = bytes_char(name, ':');
    if (!victim || !colon)
        return !victim;
    name.len = (size_t)(colon - name.data);
    return bytes_equal(name, victim->name) || bytes_equal(name, victim->compose_service) ||
           (name.len >= 4 && bytes_starts_with(victim->id, name));
}

static const char *shown_name(const struct launcher_row *row)
{
    return row->name ? row->name : row->program;
}

static void describe(struct chain *c, unsigned at, struct cause_launcher *ret)
{
    const struct launcher_row *row = c->link[at]->launcher;
    unsigned manager;

    begin(c, at, row->kind, shown_name(row), ret);
    switch (row->kind) {
    case LAUNCHER_CRON:
    case LAUNCHER_ANACRON:
    case LAUNCHER_AT:
        ret->name = BYTES_NULL;
        describe_cron(c, at, ret);
        break;
    case LAUNCHER_CI:
        ret->detail = ci_job(c, at);
        break;
    case LAUNCHER_PACKAGE:
        manager = outermost_manager(c, at);
        process_unref(ret->process);
        begin(c, manager, LAUNCHER_PACKAGE, shown_name(c->link[manager]->launcher), ret);
        describe_package(c, manager, ret);
        break;
    case LAUNCHER_CONFIGURATION:
        ret->detail = ansible_task(c->process[at]);
        if (!ret->detail.len)
            ret->detail = policy_file(c->process[at]);
        break;
    case LAUNCHER_SSH:
        describe_person(c->process[at > 0 ? at - 1 : 0], ret);
        describe_ssh(c, ret);
        break;
    case LAUNCHER_PERSON:
        describe_person(c->process[at > 0 ? at - 1 : 0], ret);
        break;
    case LAUNCHER_ENGINE:
        if (c->process[at]->launch.kind == LAUNCH_REMOVE) {
            ret->kind = LAUNCHER_REMOVAL;
            ret->detail = c->process[at]->launch.text;
            break;
        }
        if (bytes_equal_str(argv_at(c->process[at]->args, 0), "docker-untar") ||
            bytes_equal_str(argv_at(c->process[at]->args, 0), "docker-tar"))
            ret->kind = LAUNCHER_COPY;
        if (ret->kind == LAUNCHER_COPY && is_copied_by(c->process[at], c->event->victim))
            ret->detail = c->process[at]->launch.text;
        break;
    default:
        break;
    }
}

/* Of all that belong to one product, by their unit say, the outermost is what starts the others. */
static bool is_outermost_product(const struct chain *c, unsigned at)
{
    return at + 1 >= c->inside || !bytes_equal(c->process[at + 1]->owner.product, c->process[at]->owner.product);
}

/* GitLab's runner has a login shell read its script, whose parts are its likeness: nobody types into that. */
static bool reads_script_of_runner(const struct chain *c, unsigned at)
{
    while (at < c->inside && c->link[at]->role == ROLE_TERMINAL && !c->process[at]->tty.len)
        at++;
    return at < c->inside && !c->process[at]->tty.len && launcher_is_ci(c->process[at]);
}

/* `echo rm x | sh`: a shell that another one runs, which a person types into, reads a pipe. It might be typed into as
 * well; but who wants that mostly asks for it (-i), or has sudo, su or tmux start it. */
static bool reads_pipe(const struct chain *c, unsigned at)
{
    unsigned above = at + 1;

    while (above < c->inside && c->process[above]->pid == c->process[at]->pid)
        above++;
    return !c->link[at]->asks && above < c->inside && c->link[above]->role == ROLE_TERMINAL &&
           !(bytes_equal(c->process[at]->args, c->process[above]->args) && /* but for a part of that shell, forked: (rm x) */
             bytes_equal(c->process[at]->executable, c->process[above]->executable));
}

/* True: found. Else chain->end is where the search ended. */
static bool find_by_process(struct chain *c, struct cause_launcher *ret)
{
    for (unsigned i = 0; i < c->inside; i++) {
        const struct cause_link *link = c->link[i];
        const struct launcher_row *row = link->launcher;

        c->end = i;
        if (link->role == ROLE_TERMINAL && !reads_pipe(c, i) && !reads_script_of_runner(c, i)) {
            begin(c, i, LAUNCHER_PERSON, NULL, ret);
            describe_person(c->process[i], ret);
            return true;
        }
        if (row && row->flags & LAUNCHER_FIRST)
            return false;
        if (row && (i > 0 || row->flags & LAUNCHER_EXPLAINS || row->kind == LAUNCHER_ENGINE)) {
            describe(c, i, ret);
            return true;
        }
        if (link->product && is_outermost_product(c, i)) {
            begin(c, i, link->product, NULL, ret);
            ret->name = c->process[i]->owner.product;
            ret->detail = link->product == LAUNCHER_CONFIGURATION ? policy_file(c->process[i]) : c->process[i]->owner.product_kind;
            return true;
        }
    }
    c->end = c->inside;
    return false;
}

/* ---- the way into a container ---- */

/* What the runtime does, by its arguments: "runc [OPTIONS] exec ...". */
static enum launcher_kind runtime_call(const struct chain *c, unsigned *ret_at)
{
    for (unsigned i = c->inside; i < c->count; i++) {
        const struct launcher_row *row = c->link[i]->launcher;

        if (!row || !(row->flags & LAUNCHER_RUNTIME))
            continue;
        *ret_at = i;
        if (argv_has(c->process[i]->args, "exec", 12))
            return LAUNCHER_EXEC;
        if (argv_has(c->process[i]->args, "create", 12) || argv_has(c->process[i]->args, "run", 12))
            return LAUNCHER_ENTRY_POINT;
        return LAUNCHER_UNKNOWN;
    }
    return LAUNCHER_UNKNOWN;
}

static bool is_kubernetes(const struct chain *c)
{
    for (unsigned i = c->inside; i < c->count; i++)
        if (argv_has(c->process[i]->args, "k8s.io", 12))
            return true;
    return c->process[0]->container->pod_name.len > 0;
}

/* "docker compose exec web rm x", "docker-compose exec ...": a NUL behind each argument. */
static bool is_compose(struct bytes client)
{
    return engine_client_is_compose(bytes_basename(argv_at(client, 0))) || argv_has(client, "compose", 3);
}

/* A health check is run by the engine with `runc exec` too. The same command by a user's `docker exec` is not one. */
static bool is_health_check(const struct chain *c, enum launcher_kind call)
{
    const struct process *first = c->process[c->inside - 1];
    const struct container *container = c->process[0]->container;

    if (first->launch.kind == LAUNCH_EXEC ||
        (call != LAUNCHER_EXEC && (!container->pid || first->pid == container->pid)))
        return false;
    for (unsigned i = 0; i < c->count; i++)
        if (c->process[i]->pid == first->pid && health_check_is(container->health_check, c->process[i]))
            return true;
    return false;
}

/* kubelet has a probe and a hook run by the call that kubectl exec takes as well. But they have no terminal. */
static enum launcher_kind pod_entry(const struct process *first)
{
    static const char *const clients[] = { "kubectl", "oc", "k3s", "microk8s.kubectl" };

    if (first->launch.kind != LAUNCH_EXEC)
        return first->tty.len ? LAUNCHER_KUBECTL_EXEC : LAUNCHER_POD_EXEC;
    /* by crictl, ctr: past kubelet */
    return BYTES_AMONG(bytes_basename(argv_at(first->launch.text, 0)), clients) ? LAUNCHER_KUBECTL_EXEC : LAUNCHER_EXEC;
}

/* What the container was made to run: the first that lives in it, past the runtime's own stage, tini and their like. */
static struct bytes entry_point(const struct chain *c)
{
    unsigned at = c->inside - 1;
    const struct cause_run *run;

    while (at > 0 && (c->link[at]->role == ROLE_WRAPPER || (c->link[at]->launcher && c->link[at]->launcher->flags & LAUNCHER_RUNTIME)))
        at--;
    run = &c->link[at]->run;
    return run->kind == RUN_TEXT || run->kind == RUN_INPUT ? BYTES_NULL : run->name; /* sh -c: its text is no name */
}

static void find_container_entry(struct chain *c, struct cause_launcher *ret)
{
    const struct container *container = c->process[0]->container;
    const struct process *first = c->process[c->inside - 1];
    unsigned at = c->inside - 1;
    bool client;

    ret->kind = runtime_call(c, &at);
    if (at != c->inside - 1 && ret->kind != LAUNCHER_ENTRY_POINT && is_health_check(c, ret->kind)) {
        ret->kind = LAUNCHER_HEALTH_CHECK;
        ret->detail = container->health_check;
    }
    if (first->launch.kind == LAUNCH_EXEC) {
        ret->kind = LAUNCHER_EXEC;
        ret->detail = first->launch.text;
    }
    if (ret->kind == LAUNCHER_UNKNOWN && container->pid && first->pid == container->pid)
        ret->kind = LAUNCHER_ENTRY_POINT;
    if (ret->kind == LAUNCHER_UNKNOWN)
        return;
    if (ret->kind == LAUNCHER_ENTRY_POINT)
        ret->detail = entry_point(c);
    if (ret->kind == LAUNCHER_EXEC && is_kubernetes(c))
        ret->kind = pod_entry(first);
    ret->name = container->name.len ? container->name : container->id;
    if (ret->kind == LAUNCHER_EXEC && container->compose_project.len && is_compose(ret->detail)) {
        ret->kind = LAUNCHER_COMPOSE;
        ret->name = container->compose_project;
    }
    /* the record of the first has the client */
    client = first->launch.kind == LAUNCH_EXEC || (first->launch.kind == LAUNCH_START && ret->kind == LAUNCHER_ENTRY_POINT);
    ret->process = process_ref(client ? c->process[c->inside - 1] : c->process[at]);
}

/* ---- by the cgroup ---- */

static const struct {
    const char *unit;
    enum launcher_kind kind;
} units[] = {
    { "cron.service", LAUNCHER_CRON },   { "crond.service", LAUNCHER_CRON }, { "atd.service", LAUNCHER_AT },
    { "anacron.service", LAUNCHER_ANACRON }, { "ssh.service", LAUNCHER_SSH },    { "sshd.service", LAUNCHER_SSH },
};

static bool is_service(struct bytes unit)
{
    static const char suffix[] = ".service";
    size_t n = sizeof(suffix) - 1;

    return unit.len > n && memcmp(unit.data + unit.len - n, suffix, n) == 0 && !bytes_starts_with(unit, bytes_of("user@"));
}

/* The unit's first process is the runner, which changes files of its own too: what it started is a job. */
static bool find_ci_by_unit(struct chain *c, struct cause_launcher *ret)
{
    const char *name = launcher_ci_unit(ret->unit);
    unsigned at = c->end;

    while (name && at > 0 && c->process[at - 1]->pid == c->process[c->end - 1]->pid)
        at--;
    if (!name || at == 0 || !launcher_is_ci(c->process[at]))
        return false;
    c->end = at;
    begin(c, at, LAUNCHER_CI, name, ret);
    ret->detail = ci_job(c, at);
    return true;
}

static void find_by_unit(struct chain *c, struct cause_launcher *ret)
{
    const struct process *actor = c->process[0];

    if (find_ci_by_unit(c, ret))
        return;
    if (is_service(ret->unit)) {
        ret->kind = LAUNCHER_SERVICE;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
            if (bytes_equal_str(ret->unit, units[i].unit))
                ret->kind = units[i].kind;
        if (ret->kind == LAUNCHER_SERVICE)
            describe_service(c, ret);
        else
            ret->name = user_of(actor);
        if (ret->kind == LAUNCHER_SSH)
            describe_ssh(c, ret);
        return;
    }
    if (actor->tty.len && actor->login_uid != UID_UNKNOWN) {
        ret->kind = LAUNCHER_PERSON;
        ret->process = process_ref(c->process[0]);
        describe_person(actor, ret);
    }
}

void cause_find_launcher(struct chain *c, struct cause_launcher *ret)
{
    struct cause_launcher way = { 0 };

    ret->unit = c->process[0]->owner.unit;
    if (c->process[0]->container) {
        if (!find_by_process(c, ret) || ret->kind == LAUNCHER_PERSON)
            find_container_entry(c, &way);
        if (way.kind) {
            process_unref(ret->process);
            *ret = way;
        }
        return;
    }
    if (!find_by_process(c, ret))
        find_by_unit(c, ret);
}
