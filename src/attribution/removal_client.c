/* SPDX-License-Identifier: MIT */
#include "attribution/removal_client.h"

#include <string.h>

#include "cause/argv.h"
#include "cause/engine_client.h"
#include "util/clock.h"
#include "util/macro.h"

#define UP_NS (60 * NS_PER_S) /* `up` makes containers anew as it begins; then it may stay for as long as they run */
#define ANONYMOUS 64 /* hexadecimal digits of a name that the engine made up */

/* ---- its words ---- */

/* "-v", "-fv", "--volumes" */
static bool has_option(struct bytes rest, char letter, const char *name)
{
    struct bytes word;

    while (argv_take(&rest, &word)) {
        if (bytes_equal_str(word, name))
            return true;
        if (word.len > 1 && word.data[0] == '-' && word.data[1] != '-' && bytes_char(word, letter))
            return true;
    }
    return false;
}

static bool has_word(struct bytes rest, struct bytes wanted)
{
    struct bytes word;

    while (argv_take(&rest, &word))
        if (bytes_equal(word, wanted))
            return true;
    return false;
}

static bool is_anonymous(struct bytes volume)
{
    if (volume.len != ANONYMOUS)
        return false;
    for (size_t i = 0; i < volume.len; i++)
        if (!strchr("0123456789abcdef", volume.data[i]))
            return false;
    return true;
}

/* ---- docker ---- */

static bool container_rm_asks(struct bytes rest, const struct removal *r)
{
    if (!r->container || (r->volume.len && (!is_anonymous(r->volume) || !has_option(rest, 'v', "--volumes"))))
        return false;
    return start_client_names(rest, r->container);
}

/* What had ended before. It may wait for its user's answer while somebody else removes something. */
static bool prune_asks(const struct start_client *client, struct bytes noun, struct bytes rest, const struct removal *r)
{
    bool ended = r->container && r->ended_ns && r->ended_ns < client->start_ns, system = bytes_equal_str(noun, "system");

    if (!has_option(rest, 'f', "--force"))
        return false;
    if (r->volume.len)
        return bytes_equal_str(noun, "volume") || (system && has_option(rest, '\0', "--volumes"));
    return ended && (system || bytes_equal_str(noun, "container"));
}

/* ---- compose ---- */

static bool is_of_project(const struct start_client *client, struct bytes before, const struct removal *r)
{
    struct bytes project = start_client_project(client, before), volume = r->volume;

    if (r->container && r->container->compose_project.len)
        return start_client_is_project(project, r->container->compose_project);
    for (size_t i = 1; !r->container && i < volume.len; i++) /* "shop_data" */
        if (volume.data[i] == '_' && start_client_is_project(project, (struct bytes){ volume.data, i }))
            return true;
    return false;
}

static bool compose_asks(const struct start_client *client, struct bytes before, struct bytes verb, struct bytes rest, const struct removal *r)
{
    if (!is_of_project(client, before, r))
        return false;
    if (bytes_equal_str(verb, "down"))
        return !r->volume.len || has_option(rest, 'v', "--volumes");
    if (!r->container)
        return false;
    if (bytes_equal_str(verb, "rm") && r->volume.len && (!is_anonymous(r->volume) || !has_option(rest, 'v', "--volumes")))
        return false;
    if (bytes_equal_str(verb, "up") && (r->volume.len || r->time_ns > client->start_ns + UP_NS))
        return false;
    return start_client_means(rest, r->container->compose_service);
}

/* ---- */

static bool docker_asks(const struct start_client *client, struct bytes verb, struct bytes rest, const struct removal *r)
{
    static const char *const nouns[] = { "volume", "container", "system" };
    struct bytes noun = BYTES_NULL;

    if (BYTES_AMONG(verb, nouns)) {
        noun = verb;
        if (!argv_take(&rest, &verb))
            return false;
    }
    if (noun.len && bytes_equal_str(verb, "prune"))
        return prune_asks(client, noun, rest, r);
    if (!bytes_equal_str(verb, "rm") && !(noun.len && bytes_equal_str(verb, "remove")))
        return false;
    if (bytes_equal_str(noun, "volume"))
        return r->volume.len && has_word(rest, r->volume);
    return !bytes_equal_str(noun, "system") && container_rm_asks(rest, r);
}

/* Behind "compose" its own options, and the verb. */
static bool project_asks(const struct start_client *client, struct bytes args, struct bytes rest, const struct removal *r)
{
    static const char *const verbs[] = { "down", "rm", "up" };
    static const char *const others[] = { "exec", "run" }; /* what is behind them may be any words */
    struct bytes word;

    while (argv_take(&rest, &word) && !BYTES_AMONG(word, others))
        if (BYTES_AMONG(word, verbs))
            return compose_asks(client, (struct bytes){ args.data, (size_t)(word.data - args.data) }, word, rest, r);
    return false;
}

bool removal_client_asks(const struct start_client *client, const struct removal *removal)
{
    struct bytes args = argv_without_nuls(client->args), rest = args, word;

    if (engine_client_is(args)) {
        rest = engine_client_request(args);
        if (!argv_take(&rest, &word))
            return false;
        return bytes_equal_str(word, "compose") ? project_asks(client, args, rest, removal) : docker_asks(client, word, rest, removal);
    }
    while (argv_take(&rest, &word)) /* an interpreter may be before it */
        if (engine_client_is_compose(bytes_basename(word)))
            return project_asks(client, args, rest, removal);
    return false;
}

struct bytes removal_volume(struct bytes host_path)
{
    static const char folder[] = "/volumes/", data[] = "/_data";
    struct bytes rest = host_path;

    while (rest.len >= sizeof(folder)) {
        const char *at = memmem(rest.data, rest.len, folder, sizeof(folder) - 1), *end = host_path.data + host_path.len, *slash;
        struct bytes name, below;

        if (!at)
            break;
        at += sizeof(folder) - 1;
        rest = (struct bytes){ at - 1, (size_t)(end - at) + 1 };
        slash = memchr(at, '/', (size_t)(end - at));
        name = (struct bytes){ at, (size_t)((slash ? slash : end) - at) };
        below = slash ? (struct bytes){ slash, (size_t)(end - slash) } : BYTES_NULL;
        if (name.len && (!below.len || bytes_equal_str(below, data) || bytes_starts_with(below, bytes_of("/_data/"))))
            return name;
    }
    return BYTES_NULL;
}
