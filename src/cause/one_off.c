/* SPDX-License-Identifier: MIT */
#include "cause/one_off.h"

#include <string.h>

#include "cause/argv.h"
#include "cause/engine_client.h"
#include "util/macro.h"

#define HEX_MIN 8 /* so many hexadecimal digits together are no word */

/* "brave_bell", "brave_bell7": Docker and Podman name by one of these and a person of science. */
static const char *const adjectives[] = {
    "admiring",  "adoring",      "affectionate", "agitated",  "amazing",    "angry",     "awesome",      "beautiful",   "blissful",
    "bold",      "boring",       "brave",        "busy",      "charming",   "clever",    "compassionate", "competent",  "condescending",
    "confident", "cool",         "cranky",       "crazy",     "dazzling",   "determined", "distracted",  "dreamy",      "eager",
    "ecstatic",  "elastic",      "elated",       "elegant",   "eloquent",   "epic",      "exciting",     "fervent",     "festive",
    "flamboyant", "focused",     "friendly",     "frosty",    "funny",      "gallant",   "gifted",       "goofy",       "gracious",
    "great",     "happy",        "hardcore",     "heuristic", "hopeful",    "hungry",    "infallible",   "inspiring",   "intelligent",
    "interesting", "jolly",      "jovial",       "keen",      "kind",       "laughing",  "loving",       "lucid",       "magical",
    "modest",    "musing",       "mystifying",   "naughty",   "nervous",    "nice",      "nifty",        "nostalgic",   "objective",
    "optimistic", "peaceful",    "pedantic",     "pensive",   "practical",  "priceless", "quirky",       "quizzical",   "recursing",
    "relaxed",   "reverent",     "romantic",     "sad",       "serene",     "sharp",     "silly",        "sleepy",      "stoic",
    "strange",   "stupefied",    "suspicious",   "sweet",     "tender",     "thirsty",   "trusting",     "unruffled",   "upbeat",
    "vibrant",   "vigilant",     "vigorous",     "wizardly",  "wonderful",  "xenodochial", "youthful",   "zealous",     "zen",
};

/* A lower-case word, perhaps with one digit behind it; not what people call containers themselves, "busy_worker". */
static bool is_surname(struct bytes word)
{
    static const char *const things[] = { "agent",   "api",   "app",   "backend", "backup", "bot",     "box",    "builder", "cache",  "client",  "cluster", "container",
                                          "cron",    "data",  "database", "db",   "demo",   "dev",     "docker", "engine",  "files",  "frontend", "gateway", "home",
                                          "host",    "job",   "jobs",  "mail",    "monitor", "mysql",  "nginx",  "node",    "postgres", "prod",  "project", "proxy",
                                          "queue",   "redis", "router", "runner", "scheduler", "search", "server", "service", "shop", "site",   "staging", "store",
                                          "storage", "task",  "test",  "ui",      "web",    "worker" };

    if (word.len > 1 && bytes_is_digit(word.data[word.len - 1]))
        word.len--;
    if (BYTES_AMONG(word, things))
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.data[i] < 'a' || word.data[i] > 'z')
            return false;
    return word.len > 1;
}

static bool is_made_up(struct bytes name)
{
    struct bytes rest = name, adjective = bytes_next_field(&rest, '_');

    return is_surname(rest) && BYTES_AMONG(adjective, adjectives);
}

static bool is_hex(char c)
{
    return bytes_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* "shop-app-run-3f2a9c1b07de", "runner-1-b45dc57c5c9c1f1c-build": a number that somebody drew. */
static bool has_drawn_number(struct bytes name)
{
    size_t n = 0;
    bool digit = false;

    for (size_t i = 0; i < name.len; i++) {
        bool begins = i == 0 || strchr("-_.", name.data[i - 1]);

        if (!is_hex(name.data[i]) || (n == 0 && !begins)) {
            n = 0;
            digit = false;
            continue;
        }
        n++;
        digit |= bytes_is_digit(name.data[i]);
        if (n >= HEX_MIN && digit && (i + 1 == name.len || strchr("-_.", name.data[i + 1])))
            return true;
    }
    return false;
}

/* Does the client's command line have the container's name as that of --name? */
static bool gives_name(struct bytes client, struct bytes name)
{
    static const char option[] = "--name";
    struct bytes rest = client, word, before = BYTES_NULL;

    while (argv_take(&rest, &word)) {
        if (bytes_equal(word, name) && bytes_equal_str(before, option))
            return true;
        if (bytes_starts_with(word, bytes_of(option)) && word.len == sizeof(option) + name.len && word.data[sizeof(option) - 1] == '=' &&
            bytes_ends_with(word, name))
            return true;
        before = word;
    }
    return false;
}

/* Its service's own: it has a number of compose's, in an old one also before a name that was given away. */
static bool is_of_service(const struct container *c)
{
    return c->compose_service.len && (bytes_equal_str(container_label(c, "com.docker.compose.oneoff"), "False") || !has_drawn_number(c->name));
}

bool one_off_container(const struct container *c, struct bytes client)
{
    struct engine_client_start start;

    /* a pod says what it is, where its image is that of many; its name has a number that was drawn */
    if (!c || !c->name.len || !c->image_name.len || c->pod_name.len || bytes_starts_with(c->name, bytes_of("k8s_")))
        return false;
    if (client.len && engine_client_starts(client, &start) && bytes_equal_str(start.verb, "run"))
        return !gives_name(client, c->name) || has_drawn_number(c->name);
    return !is_of_service(c) && (is_made_up(c->name) || has_drawn_number(c->name));
}

struct bytes one_off_image_name(struct bytes image)
{
    const char *at = bytes_char(image, '@'), *colon;
    struct bytes base;

    if (at)
        image.len = (size_t)(at - image.data);
    base = bytes_basename(image);
    colon = bytes_char(base, ':');
    if (colon)
        image.len = (size_t)(colon - image.data);
    return image;
}
