/* SPDX-License-Identifier: MIT */
#include "attribution/launch.h"

#include <errno.h>
#include <string.h>

#include "attribution/crontab.h"
#include "attribution/inside.h"
#include "attribution/timer.h"
#include "cause/argv.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define CLIENT_NS (60 * NS_PER_S) /* an image may have to be pulled up from a slow disk; who asked before is somebody else */

/* ---- arguments ---- */

/* argv without what /proc shows behind it. */
static struct bytes without_last_nul(struct bytes args)
{
    while (args.len && !args.data[args.len - 1])
        args.len--;
    return args;
}

static struct bytes shell_command(const struct process *p)
{
    struct bytes rest = p->args, word = BYTES_NULL;

    (void)argv_take(&rest, &word);
    if (!argv_take(&rest, &word) || !bytes_equal_str(word, "-c") || !argv_take(&rest, &word))
        return BYTES_NULL;
    return word;
}

/* ---- cron ---- */

static bool is_cron(const struct process *p)
{
    struct bytes name = bytes_basename(p->executable), rest = p->args, first;

    if (bytes_equal_str(name, "busybox") && argv_take(&rest, &first))
        name = bytes_basename(first);
    return bytes_equal_str(name, "cron") || bytes_equal_str(name, "crond");
}

/* Did cron, of which the parent is a likeness, start this image by sh -c? */
static bool is_job(const struct process *p)
{
    return p->parent && is_cron(p->parent) && !is_cron(p) && shell_command(p).len && !p->args_truncated;
}

static void find_crontab(const struct launch_sources *s, struct process *p)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, answer = SBUF_INIT;
    struct bytes user = p->real_user_name.len ? p->real_user_name : p->user_name, file, line;

    if (p->origin == ORIGIN_HOST)
        inside_by_root(&place, bytes_of("/"));
    else if (p->container)
        inside_by_process(&place, p->container->pid);
    if (p->container && !place.len)
        (void)inside_by_engine(&place, s->engines, p->container);
    if (crontab_find(sbuf_bytes(&place), user, shell_command(p), &answer) < 0)
        return;
    file = bytes_of(sbuf_str(&answer));
    line = (struct bytes){ file.data + file.len + 1, answer.len - file.len - 1 };
    p->launch.kind = LAUNCH_CRONTAB;
    process_set(p, &p->launch.text, line);
    process_set(p, &p->launch.place, file);
    process_set(p, &p->launch.user, user);
}

/* ---- timers ---- */

/* A service that somebody started by hand is not its timer's. */
static void find_timer(const struct launch_sources *sources, struct process *p)
{
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;

    if (timer_find(p, sources->timers_hang, &answer) < 0)
        return;
    for (struct process *image = p; image; image = image->earlier)
        if (!image->launch.kind) {
            image->launch.kind = LAUNCH_TIMER;
            process_set(image, &image->launch.text, sbuf_bytes(&answer));
        }
}

static bool is_first_of_service(const struct process *p)
{
    return p->origin == ORIGIN_HOST && p->parent && p->parent->pid == 1 && p->start_ns &&
           bytes_ends_with(p->owner.unit, bytes_of(".service"));
}

/* ---- jobs of CI runners ---- */

/* No process above it has a CI job yet: the one nearest to the runner counts. */
static bool has_no_job(const struct process *p)
{
    for (unsigned depth = 0; p && depth < LIMIT_LINEAGE; depth++, p = p->parent)
        if (p->launch.kind == LAUNCH_CI_JOB)
            return false;
    return true;
}

static void find_ci_job(const struct launch_sources *sources, struct process *p)
{
    struct bytes job = sources->ci_jobs && has_no_job(p) ? ci_jobs_find(sources->ci_jobs, p) : BYTES_NULL;

    for (struct process *image = p; image && job.len; image = image->earlier)
        if (!image->launch.kind) {
            image->launch.kind = LAUNCH_CI_JOB;
            process_set(image, &image->launch.text, job);
        }
}

/* ---- into a container ---- */

/* What may ask an engine on this host to run something in a container. */
static bool is_client(struct bytes executable)
{
    static const char *const names[] = { "docker", "docker-compose", "podman", "podman-remote", "nerdctl", "kubectl",
                                         "crictl", "ctr", "oc", "k3s", "microk8s.kubectl" };
    struct bytes name = bytes_basename(executable);

    return BYTES_AMONG(name, names);
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
    *rest = without_last_nul(*rest);
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
    struct bytes rest = without_last_nul(client), word;
    bool exec = false, named = false;

    args = without_last_nul(args);
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
};

static void add_found(struct client_search *s, struct process *client)
{
    if (s->found)
        s->ambiguous |= !bytes_equal(s->found->args, client->args) || s->found->cred.uid != client->cred.uid;
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

/* docker-compose and podman-compose (scripts both) have their engine's client do it: who was asked is the outer one. */
static bool is_compose(const struct process *p)
{
    struct bytes name = bytes_basename(p->script.len ? p->script : p->executable);

    return bytes_equal_str(name, "docker-compose") || bytes_equal_str(name, "podman-compose");
}

static const struct process *asked_client(const struct process *client)
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

static void set_client(const struct launch_sources *sources, struct process *p, enum launch_kind kind, const struct process *client)
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
static bool came_in(const struct process *p)
{
    return p->origin == ORIGIN_CONTAINER && p->container && p->pid != p->container->pid && p->start_ns &&
           !(p->parent && p->parent->origin == ORIGIN_CONTAINER && p->parent->container &&
             bytes_equal(p->parent->container->id, p->container->id) && p->parent->mnt_ns == p->mnt_ns);
}

static void find_client(const struct launch_sources *sources, struct process *p)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    struct client_search s = { .asked = p };
    const struct container *c = p->container;
    const struct process *client;

    add_name(&names, c->name);
    add_name(&names, c->id);
    add_name(&names, c->compose_service);
    add_name(&names, c->pod_name);
    s.what = sbuf_bytes(&names);
    (void)process_table_each_recent(sources->table, look_at, &s);
    if (!s.found || s.ambiguous)
        return;
    client = asked_client(s.found);
    for (struct process *image = p; image; image = image->earlier)
        set_client(sources, image, LAUNCH_EXEC, client);
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
    struct bytes rest = without_last_nul(client), word = BYTES_NULL, place, directory;
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

static void find_copier(const struct launch_sources *sources, struct process *p)
{
    struct client_search s = { .asked = p };
    struct bytes rest = p->args;

    (void)argv_take(&rest, &s.what);
    if (!argv_take(&rest, &s.what))
        return;
    (void)process_table_each_recent(sources->table, look_at_copier, &s);
    if (!s.found || s.ambiguous)
        return;
    set_client(sources, p, LAUNCH_COPY, s.found);
}

/* What this process was before, and was looked at then. */
static const struct process *looked_before(const struct process *p)
{
    while (p && !p->launch.looked)
        p = p->earlier;
    return p;
}

void launch_find(const struct launch_sources *sources, struct process *p)
{
    const struct process *before = looked_before(p);

    if (before == p)
        return;
    for (struct process *image = p; image && image != before; image = image->earlier)
        if (is_job(image))
            find_crontab(sources, image);
    if (before && before->launch.kind != LAUNCH_CRONTAB && !p->launch.kind)
        process_set_launch(p, before);
    else if (!before && came_in(p))
        find_client(sources, p);
    else if (!before && is_first_of_service(p))
        find_timer(sources, p);
    if (!p->launch.kind && unpacks(p)) /* docker-untar is what dockerd's child has executed */
        find_copier(sources, p);
    if (!p->launch.kind) /* each exec has an environment of its own */
        find_ci_job(sources, p);
    for (struct process *image = p; image && image != before; image = image->earlier)
        image->launch.looked = true;
}
