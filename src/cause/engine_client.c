/* SPDX-License-Identifier: MIT */
#include "cause/engine_client.h"

#include "cause/argv.h"
#include "util/macro.h"

bool engine_client_is_compose(struct bytes program)
{
    static const char *const names[] = { "docker-compose", "podman-compose" };

    return BYTES_AMONG(program, names);
}

/* "web:/prd", and neither a path nor a URL. */
static bool is_place_in_container(struct bytes word)
{
    const char *colon = bytes_char(word, ':');

    return colon && colon != word.data && word.data[0] != '/' && word.data[0] != '.' && word.data[0] != '-';
}

bool engine_client_is(struct bytes args)
{
    static const char *const names[] = { "docker", "podman", "podman-remote", "nerdctl" };
    struct bytes name = bytes_basename(argv_at(args, 0));

    return BYTES_AMONG(name, names);
}

struct bytes engine_client_request(struct bytes args)
{
    static const char *const valued[] = { "-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey",
                                          /* podman's */ "--root", "--runroot", "--runtime", "--storage-driver", "--storage-opt", "--cgroup-manager",
                                          "--url", "--connection", "--identity", "--tmpdir", "--events-backend" };
    static const char *const alone[] = { "-D", "--debug", "--tls", "--tlsverify", "-r", "--remote" };
    struct bytes rest = args, word, after;

    (void)argv_take(&rest, &word);
    for (after = rest; argv_take(&after, &word); rest = after) {
        const char *equals = bytes_char(word, '=');
        struct bytes name = { word.data, equals ? (size_t)(equals - word.data) : word.len };

        if (!BYTES_AMONG(name, valued) && !BYTES_AMONG(name, alone))
            break;
        if (!equals && BYTES_AMONG(name, valued))
            (void)argv_take(&after, &word);
    }
    return rest;
}

bool engine_client_copies(struct bytes args)
{
    struct bytes rest = args, word;
    bool copies = false, named = false;

    if (!engine_client_is(args))
        return false;
    while (argv_take(&rest, &word)) {
        named |= copies && is_place_in_container(word);
        copies |= bytes_equal_str(word, "cp");
    }
    return named;
}

static bool cleans_up(struct bytes args)
{
    struct bytes word;

    while (argv_take(&args, &word))
        if (bytes_equal_str(word, "cleanup"))
            return true;
    return false;
}

bool engine_client_acts(struct bytes args)
{
    struct engine_client_start start;

    return engine_client_copies(args) || (engine_client_is(args) && !engine_client_starts(args, &start) && !cleans_up(args));
}

bool engine_client_starts(struct bytes args, struct engine_client_start *ret)
{
    static const char *const verbs[] = { "run", "start", "restart", "up" };
    struct bytes rest = args, word;
    bool compose = false;

    while (argv_take(&rest, &word)) {
        if (BYTES_AMONG(word, verbs)) {
            *ret = (struct engine_client_start){ { args.data, (size_t)(word.data - args.data) }, word, rest, compose };
            return true;
        }
        compose |= bytes_equal_str(word, "compose") || engine_client_is_compose(bytes_basename(word));
    }
    return false;
}
