/* SPDX-License-Identifier: MIT */
#include "event/selector.h"

#include <errno.h>
#include <stdio.h>

#include "util/escape.h"
#include "util/macro.h"
#include "util/sbuf.h"

/* clang-format off */
static const struct form {
    const char *prefix;
    enum selector_kind kind;
    unsigned min_parts, max_parts; /* separated by '/'; 0: any bytes */
    bool last;                     /* its text may hold ":/": the path begins at the last one */
    const char *form;
} forms[] = {
    { "compose:", SELECTOR_COMPOSE, 2, 2, false, "compose:PROJECT/SERVICE:/PATH" },
    { "pod:",     SELECTOR_POD,     2, 3, false, "pod:NAMESPACE/NAME[/CONTAINER]:/PATH" },
    { "image:",   SELECTOR_IMAGE,   0, 0, false, "image:NAME[:TAG]:/PATH" },
    { "label:",   SELECTOR_LABEL,   0, 0, true,  "label:KEY[=VALUE]:/PATH" },
};
/* clang-format on */

static const char *const runtimes[] = { "docker", "podman", "containerd", "cri-o", "runc",
                                        "crun",   "youki",  "lxc",        "nspawn" };

static int refuse(struct err *err, struct bytes text, const char *why)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal_path(&shown, text, 100);
    return err_say(err, -EINVAL, "target \"%s\": %s", sbuf_str(&shown), why);
}

static struct bytes after(struct bytes text, size_t n)
{
    return (struct bytes){ text.data + n, text.len - n };
}

/* Where the ":/" is that ends what is before a path; text.len: nowhere. */
static size_t find_path(struct bytes text, bool last)
{
    size_t found = text.len;

    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == ':' && text.data[i + 1] == '/') {
            found = i;
            if (!last)
                break;
        }
    return found;
}

static unsigned count_parts(struct bytes name)
{
    unsigned parts = 1;

    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] != '/')
            continue;
        if (i == 0 || i + 1 == name.len || name.data[i - 1] == '/')
            return 0;
        parts++;
    }
    return name.len ? parts : 0;
}

/* 1: it is of that form; 0: it is not (a container may be called "pod"). */
static int parse_form(const struct form *f, struct bytes text, struct selector *ret,
                      struct bytes *ret_path, struct err *err)
{
    struct bytes rest;
    unsigned parts;
    char why[128];
    size_t at;

    if (!bytes_starts_with(text, bytes_of(f->prefix)))
        return 0;
    rest = after(text, strlen(f->prefix));
    if (!rest.len || rest.data[0] == '/' || !memchr(rest.data, ':', rest.len))
        return 0;
    at = find_path(rest, f->last);
    snprintf(why, sizeof(why), "write %s", f->form);
    if (at == rest.len)
        return refuse(err, text, why);
    *ret = (struct selector){ .kind = f->kind, .text = { rest.data, at } };
    *ret_path = after(rest, at + 1);
    parts = count_parts(ret->text);
    if (f->max_parts ? parts < f->min_parts || parts > f->max_parts : ret->text.len == 0)
        return refuse(err, text, why);
    if (f->kind == SELECTOR_LABEL && ret->text.data[0] == '=')
        return refuse(err, text, why);
    return 1;
}

/* volume:NAME/PATH, volume:NAME:/PATH, volume:NAME */
static int parse_volume(struct bytes text, struct selector *ret, struct bytes *ret_path, struct err *err)
{
    struct bytes prefix = bytes_of("volume:"), rest;
    size_t n = 0;

    if (!bytes_starts_with(text, prefix))
        return 0;
    rest = after(text, prefix.len);
    if (!rest.len || rest.data[0] == '/')
        return rest.len ? 0 : refuse(err, text, "write volume:NAME/PATH");
    while (n < rest.len && rest.data[n] != '/' && rest.data[n] != ':')
        n++;
    *ret = (struct selector){ .kind = SELECTOR_VOLUME, .text = { rest.data, n } };
    *ret_path = after(rest, n);
    if (ret_path->len && ret_path->data[0] == ':')
        *ret_path = after(*ret_path, 1);
    if (!n || (ret_path->len && ret_path->data[0] != '/'))
        return refuse(err, text, "write volume:NAME/PATH");
    if (!ret_path->len)
        *ret_path = bytes_of("/");
    return 1;
}

/* docker:web:/prd, where several engines have a "web" */
static struct bytes parse_runtime(struct bytes text, struct bytes *ret_runtime)
{
    for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
        size_t n = strlen(runtimes[i]);
        struct bytes rest;

        if (text.len <= n + 1 || text.data[n] != ':' || memcmp(text.data, runtimes[i], n) != 0)
            continue;
        rest = after(text, n + 1);
        if (rest.data[0] == '/' || find_path(rest, false) == rest.len)
            continue; /* a container called "docker" */
        *ret_runtime = (struct bytes){ text.data, n };
        return rest;
    }
    return text;
}

int selector_parse(struct bytes text, struct selector *ret, struct bytes *ret_path, struct err *err)
{
    struct bytes runtime = BYTES_NULL, rest;
    const char *colon;
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        r = parse_form(&forms[i], text, ret, ret_path, err);
        if (r)
            return MIN(r, 0);
    }
    r = parse_volume(text, ret, ret_path, err);
    if (r)
        return MIN(r, 0);
    rest = parse_runtime(text, &runtime);
    colon = rest.len ? memchr(rest.data, ':', rest.len) : NULL;
    if (!colon || memchr(rest.data, '/', (size_t)(colon - rest.data))) {
        *ret = (struct selector){ 0 };
        *ret_path = text;
        return 0;
    }
    *ret = (struct selector){ .kind = SELECTOR_NAME, .runtime = runtime,
                              .text = { rest.data, (size_t)(colon - rest.data) } };
    *ret_path = after(rest, ret->text.len + 1);
    if (!ret->text.len)
        return refuse(err, text, "no container before the colon; write ./ before a host path");
    if (!ret_path->len || ret_path->data[0] != '/')
        return refuse(err, text,
                      "the path in a container starts with /; a host path with a colon is written "
                      "with ./ or / in front");
    return 0;
}

/* The next part before a '/', or the rest. */
static struct bytes part(struct bytes *text)
{
    const char *slash = text->len ? memchr(text->data, '/', text->len) : NULL;
    struct bytes p = { text->data, slash ? (size_t)(slash - text->data) : text->len };

    *text = after(*text, p.len + (slash ? 1 : 0));
    return p;
}

static bool matches_parts(struct bytes text, struct bytes a, struct bytes b, struct bytes c)
{
    struct bytes first = part(&text), second = part(&text);

    return a.len && bytes_equal(first, a) && bytes_equal(second, b) && (!text.len || bytes_equal(text, c));
}

/* "registry:5000/shop:1.4@sha256:..." without digest and tag. */
static struct bytes without_tag(struct bytes image)
{
    const char *at = memchr(image.data, '@', image.len);
    size_t n = at ? (size_t)(at - image.data) : image.len;

    for (size_t i = n; i > 0 && image.data[i - 1] != '/'; i--)
        if (image.data[i - 1] == ':')
            n = i - 1;
    return (struct bytes){ image.data, n };
}

static bool ends_with_part(struct bytes whole, struct bytes end)
{
    return end.len && (bytes_equal(whole, end) ||
                       (whole.len > end.len && whole.data[whole.len - end.len - 1] == '/' &&
                        memcmp(whole.data + whole.len - end.len, end.data, end.len) == 0));
}

/* As people write it: without the registry, and without a tag if any will do. */
static bool matches_image(struct bytes text, struct bytes image)
{
    struct bytes bare;

    if (!image.len)
        return false;
    bare = without_tag(text);
    if (ends_with_part(image, text))
        return true;
    if (bare.len != text.len) /* a tag was asked for: "shop:latest" is also "shop" */
        return bytes_equal_str(after(text, bare.len), ":latest") && ends_with_part(image, bare);
    return ends_with_part(without_tag(image), text);
}

static bool matches_label(struct bytes text, struct bytes labels)
{
    bool with_value = memchr(text.data, '=', text.len);

    while (labels.len) {
        size_t n = strnlen(labels.data, labels.len);
        struct bytes label = { labels.data, n };

        if (with_value ? bytes_equal(label, text)
                       : n > text.len && label.data[text.len] == '=' && bytes_starts_with(label, text))
            return true;
        labels = after(labels, n + (n < labels.len));
    }
    return false;
}

bool selector_matches(const struct selector *s, const struct container *c)
{
    if (s->runtime.len && !bytes_equal(s->runtime, c->runtime))
        return false;
    switch (s->kind) {
    case SELECTOR_NAME:
        return bytes_equal(s->text, c->name) || (s->text.len >= 2 && bytes_starts_with(c->id, s->text)) ||
               bytes_equal(s->text, c->id);
    case SELECTOR_COMPOSE:
        return matches_parts(s->text, c->compose_project, c->compose_service, BYTES_NULL);
    case SELECTOR_POD:
        return matches_parts(s->text, c->pod_namespace, c->pod_name, c->pod_container);
    case SELECTOR_IMAGE:
        return matches_image(s->text, c->image_name);
    case SELECTOR_LABEL:
        return matches_label(s->text, c->labels);
    case SELECTOR_NONE:
    case SELECTOR_VOLUME:
        break;
    }
    return false;
}

bool selector_is_plural(const struct selector *s)
{
    return s->kind == SELECTOR_COMPOSE || s->kind == SELECTOR_POD || s->kind == SELECTOR_IMAGE ||
           s->kind == SELECTOR_LABEL;
}
