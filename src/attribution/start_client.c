/* SPDX-License-Identifier: MIT */
#include "attribution/start_client.h"

#include <string.h>

#include "cause/argv.h"
#include "cause/engine_client.h"
#include "util/macro.h"

#define ID_MIN 4 /* the beginning of an id that is long enough not to be met by chance */

static bool is_name_of(struct bytes word, const struct container *c)
{
    return word.len && (bytes_equal(word, c->name) || (word.len >= ID_MIN && bytes_starts_with(c->id, word)));
}

/* "--name x" and "--name=x": the value; *rest is what follows. */
static bool take_value(struct bytes word, const char *option, struct bytes *rest, struct bytes *ret)
{
    size_t n = strlen(option);

    if (bytes_equal_str(word, option))
        return argv_take(rest, ret);
    if (!bytes_starts_with(word, bytes_of(option)) || word.len <= n || word.data[n] != '=')
        return false;
    *ret = (struct bytes){ word.data + n + 1, word.len - n - 1 };
    return true;
}

/* ---- the image ---- */

static struct bytes without_latest(struct bytes image)
{
    static const char tag[] = ":latest";

    if (bytes_ends_with(image, bytes_of(tag)))
        image.len -= sizeof(tag) - 1;
    return image;
}

/* "shop" is docker.io/library/shop:latest and localhost/shop, by the engine. */
static bool is_image(struct bytes word, struct bytes image)
{
    word = without_latest(word);
    image = without_latest(image);
    if (!word.len || !image.len)
        return false;
    return bytes_equal(word, image) ||
           (image.len > word.len && bytes_ends_with(image, word) && image.data[image.len - word.len - 1] == '/');
}

/* ---- what is run in it ---- */

/* The last arguments of the first process are those that were asked for: before them may be the image's entry point, or an init. */
static bool ends_with(struct bytes args, struct bytes asked)
{
    args = argv_without_nuls(args);
    asked = argv_without_nuls(asked);
    return bytes_ends_with(args, asked) && (args.len == asked.len || !asked.len || !args.data[args.len - asked.len - 1]);
}

/* A script by its name or path: the kernel puts its interpreter before it, and its path in its place. */
static bool is_script(struct bytes args, struct bytes script, struct bytes asked)
{
    struct bytes word, name;

    if (!script.len || !argv_take(&asked, &name) || !bytes_equal(bytes_basename(name), bytes_basename(script)))
        return false;
    while (argv_take(&args, &word))
        if (bytes_equal(word, script))
            return bytes_equal(argv_without_nuls(args), argv_without_nuls(asked));
    return false;
}

static bool runs(struct bytes args, struct bytes script, struct bytes asked)
{
    return ends_with(args, asked) || is_script(args, script, asked);
}

/* ---- docker run, start ---- */

static bool run_asks(struct bytes rest, const struct container *c, struct bytes args, struct bytes script)
{
    struct bytes word, name = BYTES_NULL;
    bool image = false;

    while (!image && argv_take(&rest, &word))
        if (!take_value(word, "--name", &rest, &name))
            image = is_image(word, c->image_name);
    if (name.len)
        return bytes_equal(name, c->name);
    return image && runs(args, script, rest);
}

bool start_client_names(struct bytes rest, const struct container *c)
{
    struct bytes word;

    while (argv_take(&rest, &word))
        if (is_name_of(word, c))
            return true;
    return false;
}

/* ---- compose ---- */

/* As compose makes a project's name of its folder's. */
static bool is_folder_of(struct bytes name, struct bytes project)
{
    size_t at = 0;

    for (size_t i = 0; i < name.len; i++) {
        char ch = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] - 'A' + 'a') : name.data[i];
        bool kept = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-';

        if (kept && (at >= project.len || project.data[at++] != ch))
            return false;
    }
    return project.len && at == project.len;
}

struct bytes start_client_project(const struct start_client *client, struct bytes before)
{
    struct bytes word, project = BYTES_NULL;

    while (argv_take(&before, &word))
        if (!take_value(word, "-p", &before, &project))
            (void)take_value(word, "--project-name", &before, &project);
    return project.len ? project : client->working_directory;
}

bool start_client_is_project(struct bytes asked, struct bytes project)
{
    return bytes_char(asked, '/') ? is_folder_of(bytes_basename(asked), project) : asked.len && bytes_equal(asked, project);
}

bool start_client_means(struct bytes rest, struct bytes service)
{
    static const char *const valued[] = { "-t", "--timeout", "--scale", "--pull", "--attach", "--no-attach", "--exit-code-from", "--wait-timeout" };
    struct bytes word;
    bool any = false;

    while (argv_take(&rest, &word)) {
        if (bytes_equal(word, service))
            return true;
        if (BYTES_AMONG(word, valued))
            (void)argv_take(&rest, &word);
        else
            any |= word.len && word.data[0] != '-';
    }
    return !any;
}

static bool compose_asks(const struct engine_client_start *start, const struct start_client *client, const struct container *c,
                         struct bytes args, struct bytes script)
{
    struct bytes rest = start->rest, word;

    if (!c->compose_project.len || !c->compose_service.len)
        return false;
    if (!start_client_is_project(start_client_project(client, start->before), c->compose_project))
        return false;
    if (!bytes_equal_str(start->verb, "run"))
        return start_client_means(rest, c->compose_service);
    while (argv_take(&rest, &word))
        if (bytes_equal(word, c->compose_service))
            return runs(args, script, rest);
    return false;
}

/* ---- */

bool start_client_asks(const struct start_client *client, const struct container *container, struct bytes args, struct bytes script)
{
    struct engine_client_start s;
    bool run;

    if (!engine_client_starts(argv_without_nuls(client->args), &s))
        return false;
    if (s.compose)
        return compose_asks(&s, client, container, args, script);
    run = bytes_equal_str(s.verb, "run");
    if (bytes_equal_str(s.verb, "up") || (run && container->compose_project.len))
        return false;
    return run ? run_asks(s.rest, container, args, script) : start_client_names(s.rest, container);
}
