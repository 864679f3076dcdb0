/* SPDX-License-Identifier: MIT */
#include "attribution/launch_client.h"

#include <string.h>

#include "attribution/removal_client.h"
#include "attribution/start_client.h"
#include "cause/argv.h"
#include "cause/cause.h"
#include "cause/engine_client.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define CLIENT_NS (60 * NS_PER_S) /* an image may have to be pulled up from a slow disk; who asked before is somebody else */

/* ---- into a container ---- */

/* What may ask an engine on this host to run something in a container. */
static bool is_client(struct bytes executable)
{
    static const char *const names[] = { "docker", "docker-compose", "podman", "podman-remote", "nerdctl", "kubectl",
                                         "crictl", "ctr", "oc", "k3s", "microk8s.kubectl" };
    struct bytes name = bytes_basename(executable);

    return BYTES_AMONG(name, names);
}

/* docker-compose and podman-compose (scripts both) have their engine's client do it: who was asked is the outer one. */
static bool is_compose(const struct process *p)
{
    return engine_client_is_compose(bytes_basename(p->script.len ? p->script : p->executable));
}

/* The first of those that are clients: some execute themselves again, or a client of their own. */
static struct process *outermost_client(struct process *p)
{
    for (unsigned depth = 0; p->parent && depth < LIMIT_LINEAGE && (is_client(p->parent->executable) || is_compose(p->parent)); depth++)
        p = p->parent;
    return p;
}

/* A name, an id or the beginning of one that is long enough not to be met by chance. */
static bool is_named(struct bytes word, struct bytes names)
{
    struct bytes name;

    while (argv_take(&names, &name))
        if (bytes_equal(word, name) ||
            (word.len >= 4 && name.len == 64 && bytes_starts_with(name, word))) /* an id */
            return true;
    return false;
}

/* The arguments behind the script: the kernel puts the interpreter before it, which nobody asked for. */
static struct bytes behind_script(struct bytes args, struct bytes script)
{
    struct bytes word;

    while (argv_take(&args, &word))
        if (bytes_equal(word, script))
            return args;
    return BYTES_NULL;
}

/* *rest ends with `args`, and is what is before them then. */
static bool cut_end(struct bytes *rest, struct bytes args)
{
    const char *tail = rest->data + rest->len - args.len;

    if (rest->len <= args.len + 1 || (args.len && (memcmp(tail, args.data, args.len) != 0 || tail[-1] != '\0')))
        return false;
    rest->len -= args.len;
    *rest = argv_without_nuls(*rest);
    return true;
}

/* *rest ends with what became this script, by its name or by its path. */
static bool cut_script(struct bytes *rest, struct bytes script)
{
    const char *nul = memrchr(rest->data, '\0', rest->len);
    size_t before = nul ? (size_t)(nul + 1 - rest->data) : 0;
    struct bytes word = { rest->data + before, rest->len - before };

    if (!nul || !bytes_equal(bytes_basename(word), bytes_basename(script)))
        return false;
    rest->len = before;
    return true;
}

bool launch_client_asks(struct bytes client, struct bytes names, struct bytes args, struct bytes script)
{
    struct bytes rest = argv_without_nuls(client), word;
    bool exec = false, named = false;

    args = argv_without_nuls(args);
    if (!args.len || !rest.len)
        return false;
    if (!cut_end(&rest, script.len ? behind_script(args, script) : args) || (script.len && !cut_script(&rest, script)))
        return false;
    while (argv_take(&rest, &word)) {
        named |= exec && is_named(bytes_starts_with(word, bytes_of("pod/")) ? (struct bytes){ word.data + 4, word.len - 4 } : word,
                                  names);
        exec |= bytes_equal_str(word, "exec");
    }
    return exec && named;
}

struct client_search {
    const struct process *asked; /* whose client is looked for */
    struct bytes what;           /* the container's names; the directory that is copied to */
    struct process *found;       /* the newest client that asked for it */
    bool ambiguous;
    bool pulled;  /* of clients that came long before those are looked at that may have pulled the image meanwhile */
    bool several; /* the same was asked for more than once, perhaps by several callers */
};

static void add_found(struct client_search *s, struct process *client)
{
    if (s->found) {
        s->ambiguous |= !bytes_equal(s->found->args, client->args) || s->found->cred.uid != client->cred.uid;
        s->several |= outermost_client(s->found) != outermost_client(client);
    }
    if (!s->found || s->found->start_ns < client->start_ns)
        s->found = client;
}

static bool asks(const struct client_search *s, const struct process *client)
{
    for (const struct process *image = s->asked; image; image = image->earlier)
        if (launch_client_asks(client->args, s->what, image->args, image->script))
            return true;
    return false;
}

static int look_at(void *data, struct process *p)
{
    struct client_search *s = data;
    uint64_t start = s->asked->start_ns;

    if (!is_client(p->executable) || p->args_truncated || p->start_ns > start || p->start_ns + CLIENT_NS < start || !asks(s, p))
        return 0;
    add_found(s, p);
    return 0;
}

/* Who ran it: who had logged in, else its own user, who may be root by sudo. */
static uint32_t client_user(const struct process *client)
{
    if (client->login_uid != UID_UNKNOWN)
        return client->login_uid;
    return client->cred.known ? client->cred.uid : UID_UNKNOWN;
}

static struct process *asked_client(struct process *client)
{
    return client->parent && is_compose(client->parent) && !client->parent->args_truncated ? client->parent : client;
}

/* A script's, without what runs it. */
static struct bytes command_line(const struct process *client)
{
    struct bytes rest = client->args, interpreter;

    if (client->script.len)
        (void)argv_take(&rest, &interpreter);
    return rest;
}

/* What a script is called by whoever reads of it; not compose, which is a client itself. In the memory of cause's records. */
static struct bytes script_of(const struct cause *cause)
{
    switch (cause->run.kind) {
    case RUN_SCRIPT:
    case RUN_MODULE:
    case RUN_ARCHIVE:
    case RUN_TARGET:
    case RUN_NPM:
    case RUN_GIT_HOOK:
    case RUN_MAINTAINER:
        return cause->run.claimed || engine_client_is_compose(bytes_basename(cause->run.name)) ? BYTES_NULL : cause->run.name;
    default:
        return BYTES_NULL;
    }
}

/* The same in words: "make clean", as a target is no name of a file. */
static void set_script(struct process *p, const struct cause *cause)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes name = script_of(cause);

    if (cause->run.kind == RUN_TARGET && !cause->run.claimed) {
        sbuf_add_bytes(&text, cause->run.interpreter.len ? cause->run.interpreter : bytes_of("make"));
        sbuf_add_str(&text, name.len ? " " : ""); /* what it makes without one */
    } else if (name.len && cause->run.kind == RUN_NPM) {
        sbuf_add_str(&text, "npm run ");
    }
    sbuf_add_bytes(&text, name);
    process_set(p, &p->launch.place, sbuf_bytes(&text));
}

/* cron and the like; a person is not. In the memory of cause's records. */
static struct bytes launcher_of(const struct cause *cause)
{
    switch (cause->launcher.kind) {
    case LAUNCHER_CRON:
    case LAUNCHER_ANACRON:
    case LAUNCHER_AT:
        return bytes_of(cause_launcher_name(cause->launcher.kind));
    case LAUNCHER_SERVICE:
    case LAUNCHER_TIMER:
    case LAUNCHER_CI:
    case LAUNCHER_PRODUCT:
    case LAUNCHER_CONFIGURATION:
        return cause->launcher.name;
    default:
        return BYTES_NULL;
    }
}

static void find_cause(struct process *p, struct cause *ret)
{
    struct event e = { .actor = { .pid = p->pid, .login_uid = UID_UNKNOWN, .session = SESSION_UNKNOWN, .process = p } };

    cause_find(&e, ret);
}

/* Who called the client: of one that nobody logged in for, whoever called sudo. */
static void set_person(struct process *p, const struct process *client, const struct cause *cause)
{
    if (client->login_uid == UID_UNKNOWN && cause->person.known && cause->person.name.len)
        process_set(p, &p->launch.user, cause->person.name);
    if (cause->person.remote.len && p->launch.kind == LAUNCH_EXEC)
        process_set(p, &p->remote, cause->person.remote);
}

/* The script is sought from the client's parent: the client is a program of its own, and would be taken for the cause itself where
 * nothing is known of what launched the script. What launched it all may be known by the client alone, as by its unit. */
static void set_caller(const struct launch_sources *sources, struct process *p, struct process *client)
{
    struct cause cause;

    if (!sources->attribute)
        return;
    sources->attribute(sources->data, client);
    if (client->parent) {
        find_cause(client->parent, &cause);
        set_script(p, &cause);
        cause_done(&cause);
    }
    find_cause(client, &cause);
    set_person(p, client, &cause);
    if (!p->launch.place.len)
        process_set(p, &p->launch.place, launcher_of(&cause));
    cause_done(&cause);
}

static void set_client(const struct launch_sources *sources, struct process *p, enum launch_kind kind, struct process *client)
{
    p->launch.kind = kind;
    process_set(p, &p->launch.text, command_line(client));
    process_set(p, &p->launch.user, users_name(sources->users, NULL, client_user(client)));
}

static void add_name(struct sbuf *names, struct bytes name)
{
    if (!name.len)
        return;
    sbuf_add_bytes(names, name);
    sbuf_add_char(names, '\0');
}

/* It came into its container by itself, not as the child of somebody who was there. */
bool launch_came_in(const struct process *p)
{
    return p->origin == ORIGIN_CONTAINER && p->container && p->start_ns &&
           !(p->parent && p->parent->origin == ORIGIN_CONTAINER && p->parent->container &&
             bytes_equal(p->parent->container->id, p->container->id) && p->parent->mnt_ns == p->mnt_ns);
}

static void find_asker(const struct launch_sources *sources, struct process *p)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    struct client_search s = { .asked = p };
    const struct container *c = p->container;
    struct process *client;

    add_name(&names, c->name);
    add_name(&names, c->id);
    add_name(&names, c->compose_service);
    add_name(&names, c->pod_name);
    s.what = sbuf_bytes(&names);
    (void)process_table_each_recent(sources->table, look_at, &s);
    if (!s.found || s.ambiguous)
        return;
    client = asked_client(s.found);
    set_client(sources, p, LAUNCH_EXEC, client);
    if (!s.several)
        set_caller(sources, p, outermost_client(s.found));
    for (struct process *image = p->earlier; image; image = image->earlier) {
        process_set_launch(image, p);
        process_set(image, &image->remote, p->remote);
    }
}

/* ---- a container's start ---- */

/* The container was made while the client was there, just before it was started: what it waited for until then was the image. A start by
 * hand, or by a policy, is of a container that was there. */
static bool may_have_pulled(const struct client_search *s, const struct process *client)
{
    uint64_t booted = s->asked->booted_ns ? s->asked->booted_ns : client->booted_ns, made = s->asked->container->created_ns;

    if (!booted || made <= booted)
        return false;
    made -= booted;
    /* some engines say it in whole seconds */
    return made + NS_PER_S >= client->start_ns && made <= s->asked->start_ns + NS_PER_S && made + CLIENT_NS >= s->asked->start_ns;
}

/* Does it fit, and was it there when the container was started: it began shortly before, and had not ended. */
static int look_at_starter(void *data, struct process *p)
{
    struct client_search *s = data;
    const struct start_client client = { p->args, p->start_ns, p->working_directory };
    uint64_t start = s->asked->start_ns;

    if ((!is_client(p->executable) && !is_compose(p)) || p->args_truncated || !p->start_ns || p->start_ns > start ||
        (p->exited_ns && p->exited_ns < start))
        return 0;
    if (s->pulled ? !may_have_pulled(s, p) : p->start_ns + CLIENT_NS < start)
        return 0;
    for (const struct process *image = s->asked; image; image = image->earlier)
        if (!image->args_truncated && image->args.len && start_client_asks(&client, s->asked->container, image->args, image->script)) {
            /* of a compose script and its client, or a client that executed itself, the outermost counts */
            if (s->found && outermost_client(s->found) == outermost_client(p))
                s->found = outermost_client(p);
            else
                add_found(s, p);
            break;
        }
    return 0;
}

/* Another container's first process that the client that was found may have asked for as well: then it is not known for which. */
static int look_at_rival(void *data, struct process *p)
{
    struct client_search *s = data;

    s->several |= p != s->asked && p->pid != s->asked->pid && p->start_ns >= s->found->start_ns && p->start_ns <= s->asked->start_ns &&
                  p->cgroup.len && !bytes_equal(p->cgroup, s->asked->cgroup) && p->mnt_ns != s->found->mnt_ns &&
                  bytes_equal(p->args, s->asked->args);
    return 0;
}

static void find_starter(const struct launch_sources *sources, struct process *p)
{
    struct client_search s = { .asked = p };

    (void)process_table_each_recent(sources->table, look_at_starter, &s);
    if (!s.found) {
        s.pulled = true;
        (void)process_table_each_recent(sources->table, look_at_starter, &s);
    }
    if (!s.found || s.several || s.ambiguous)
        return;
    (void)process_table_each_recent(sources->table, look_at_rival, &s);
    if (s.several)
        return;
    set_client(sources, p, LAUNCH_START, s.found);
    set_caller(sources, p, outermost_client(s.found));
    for (struct process *image = p->earlier; image; image = image->earlier)
        process_set_launch(image, p);
}

void launch_find_client(const struct launch_sources *sources, struct process *p)
{
    if (p->pid != p->container->pid)
        find_asker(sources, p);
    if (!p->launch.kind && (!p->container->pid || p->pid == p->container->pid))
        find_starter(sources, p);
}

/* ---- copied into a container ---- */

static struct bytes without_slashes(struct bytes path)
{
    while (path.len && path.data[path.len - 1] == '/')
        path.len--;
    while (path.len && path.data[0] == '/')
        path = (struct bytes){ path.data + 1, path.len - 1 };
    return path;
}

/* Of "web:/prd/b": "prd/b". Empty: it is no place in a container. */
static struct bytes place_in_container(struct bytes word)
{
    const char *colon = bytes_char(word, ':');

    if (!colon || colon == word.data || word.data[0] == '/' || word.data[0] == '.')
        return BYTES_NULL;
    return (struct bytes){ colon + 1, word.len - (size_t)(colon + 1 - word.data) };
}

bool launch_client_copies(struct bytes client, struct bytes destination)
{
    struct bytes rest = argv_without_nuls(client), word = BYTES_NULL, place, directory;
    bool copies = false;

    while (argv_take(&rest, &word))
        copies |= bytes_equal_str(word, "cp") && rest.len;
    place = copies ? place_in_container(word) : BYTES_NULL;
    if (!place.len)
        return false;
    place = without_slashes(place);
    directory = bytes_char(place, '/') ? without_slashes(bytes_dirname(place)) : (struct bytes){ place.data, 0 };
    destination = without_slashes(destination);
    return bytes_equal(place, destination) || bytes_equal(directory, destination);
}

/* dockerd's own child, to unpack what a client copies: "docker-untar DIRECTORY ROOT". */
static bool unpacks(const struct process *p)
{
    struct bytes rest = p->args, word = BYTES_NULL;

    return bytes_equal_str(bytes_basename(p->executable), "dockerd") && p->parent && p->start_ns && !p->args_truncated &&
           bytes_equal(p->parent->executable, p->executable) && argv_take(&rest, &word) && bytes_equal_str(word, "docker-untar");
}

/* The client waits until all is unpacked. */
static int look_at_copier(void *data, struct process *p)
{
    struct client_search *s = data;

    if (!is_client(p->executable) || p->args_truncated || p->start_ns > s->asked->start_ns ||
        (p->exited_ns && p->exited_ns < s->asked->start_ns) || !launch_client_copies(p->args, s->what))
        return 0;
    add_found(s, p);
    return 0;
}

void launch_find_copier(const struct launch_sources *sources, struct process *p)
{
    struct client_search s = { .asked = p };
    struct bytes rest = p->args;

    if (!unpacks(p))
        return;
    (void)argv_take(&rest, &s.what);
    if (!argv_take(&rest, &s.what))
        return;
    (void)process_table_each_recent(sources->table, look_at_copier, &s);
    if (!s.found || s.ambiguous)
        return;
    set_client(sources, p, LAUNCH_COPY, s.found);
    if (!s.several)
        set_caller(sources, p, outermost_client(s.found));
}

/* ---- removed for a client ---- */

struct remover_search {
    struct client_search s;
    const struct removal *removal;
    uint64_t from_ns, to_ns;
};

/* The client waits until all is removed. */
static int look_at_remover(void *data, struct process *p)
{
    struct remover_search *r = data;
    const struct start_client client = { p->args, p->start_ns, p->working_directory };

    if ((is_client(p->executable) || is_compose(p)) && !p->args_truncated && p->start_ns && p->start_ns <= r->to_ns &&
        (!p->exited_ns || p->exited_ns >= r->from_ns) && removal_client_asks(&client, r->removal))
        add_found(&r->s, outermost_client(p));
    return 0;
}

struct process *launch_find_remover(const struct launch_sources *sources, const struct removal *removal, uint64_t from_ns, uint64_t to_ns)
{
    struct remover_search r = { .removal = removal, .from_ns = from_ns, .to_ns = to_ns };

    (void)process_table_each_recent(sources->table, look_at_remover, &r);
    return r.s.found && !r.s.ambiguous && !r.s.several ? r.s.found : NULL;
}

void launch_set_remover(const struct launch_sources *sources, struct process *p, struct process *client)
{
    set_client(sources, p, LAUNCH_REMOVE, client);
    set_caller(sources, p, client);
}
