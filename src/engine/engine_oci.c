/* SPDX-License-Identifier: MIT */
/*
 * containerd, CRI-O and runtimes used by hand, by what they leave in their state directories. No
 * daemon is asked. A container that has never run, or whose task is gone, is not known: it has no
 * process and no mounted files then.
 */
#include "engine/engine_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct runtime_row {
    struct oci *oci;
    const char *runtime;
    const char *program; /* installed: the engine may come */
    const char *socket;  /* of a daemon that runs; NULL: there is none */
    const char *volumes; /* pattern of directories that hold volumes by name; NULL: none */
};

static int open_row(struct oci *oci, struct runtime_row row, void **ret, struct err *err)
{
    struct runtime_row *r = malloc(sizeof(*r));

    if (!r)
        return err_set(err, -ENOMEM, "%s", row.runtime);
    *r = row;
    r->oci = oci;
    *ret = r;
    return 0;
}

static void close_row(void *engine)
{
    free(engine);
}

static bool is_there(const char *program)
{
    static const char *const directories[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin",
                                               "/usr/local/sbin" };
    char path[128];

    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        snprintf(path, sizeof(path), "%s/%s", directories[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static int count_one(void *data, const struct oci_facts *f)
{
    unsigned *n = data;

    (void)f;
    ++*n;
    return 0;
}

static bool present(void *engine, char *text, size_t size)
{
    const struct runtime_row *row = engine;
    unsigned n = 0;

    (void)oci_each(row->oci, row->runtime, count_one, &n);
    if (row->socket && access(row->socket, F_OK) == 0)
        snprintf(text, size, "running, by its state in /run");
    else if (n)
        snprintf(text, size, "by its state in /run");
    else
        snprintf(text, size, "%s", is_there(row->program) ? row->socket ? "not running" : "installed"
                                                           : "not here");
    return n > 0 || (row->socket ? access(row->socket, F_OK) == 0 : is_there(row->program));
}

struct oci_listing {
    int (*each)(void *data, struct container *c);
    void *data;
};

static int list_one(void *data, const struct oci_facts *f)
{
    const struct oci_listing *l = data;

    return l->each(l->data, f->view.container);
}

static int list(void *engine, int (*each)(void *data, struct container *c), void *data,
                struct err *err)
{
    const struct runtime_row *row = engine;
    struct oci_listing listing = { each, data };

    (void)err;
    return oci_each(row->oci, row->runtime, list_one, &listing);
}

struct oci_search {
    struct bytes word;
    const struct oci_facts *exact, *prefix;
    unsigned exacts, prefixes;
};

static int search_one(void *data, const struct oci_facts *f)
{
    struct oci_search *s = data;
    const struct container *c = f->view.container;

    if (bytes_equal(c->id, s->word)) { /* nothing is more exact */
        s->exact = f;
        s->exacts = 1;
        return 1;
    }
    if (bytes_equal(c->name, s->word)) {
        /* of a name's containers the one that runs: Kubernetes keeps the dead ones for a while */
        if (!s->exact || s->exact->view.running == f->view.running)
            s->exacts++;
        else
            s->exacts = 1;
        if (!s->exact || f->view.running)
            s->exact = f;
    } else if (s->word.len >= 2 && bytes_starts_with(c->id, s->word)) {
        s->prefix = f;
        s->prefixes++;
    }
    return 0;
}

static int view(void *engine, struct bytes word, struct container_view *ret, struct err *err)
{
    const struct runtime_row *row = engine;
    struct oci_search s = { .word = word };
    const struct oci_facts *found;

    (void)err;
    (void)oci_each(row->oci, row->runtime, search_one, &s);
    if (s.exacts > 1 || (!s.exact && s.prefixes > 1))
        return -EEXIST;
    found = s.exact ? s.exact : s.prefix;
    if (!found)
        return -ENOENT;
    *ret = found->view; /* strings live in the container's record */
    container_ref(ret->container);
    if (ret->running && !oci_is_running(found))
        ret->running = false;
    return 0;
}

static int volume(void *engine, struct bytes name, struct arena *arena, struct bytes *ret,
                  struct err *err)
{
    const struct runtime_row *row = engine;
    glob_t found = { 0 };
    int r = -ENOENT;

    (void)err;
    if (!row->volumes || !name.len || memchr(name.data, '/', name.len) || name.data[0] == '.')
        return -ENOENT;
    if (glob(row->volumes, GLOB_NOSORT | GLOB_ONLYDIR, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && r == -ENOENT; i++) {
            struct bytes path = arena_join_path(
                arena, arena_join_path(arena, bytes_of(found.gl_pathv[i]), name), bytes_of("_data"));

            if (path.data && access(path.data, F_OK) == 0) {
                *ret = path;
                r = 0;
            }
        }
    globfree(&found);
    return r;
}

/* clang-format off */
#define ROW(ident, ...)                                                                               \
    static int open_##ident(const struct engines_options *o, struct oci *oci, void **ret, struct err *err) \
    {                                                                                                 \
        (void)o;                                                                                      \
        return open_row(oci, (struct runtime_row){ __VA_ARGS__ }, ret, err);                                  \
    }
ROW(containerd, .runtime = "containerd", .program = "containerd", .socket = "/run/containerd/containerd.sock",
    .volumes = "/var/lib/nerdctl/*/volumes/*")
ROW(crio, .runtime = "cri-o", .program = "crio", .socket = "/var/run/crio/crio.sock")
ROW(runc, .runtime = "runc", .program = "runc")
ROW(crun, .runtime = "crun", .program = "crun")
#define OPS(ident, text)                                                                              \
    const struct engine_ops ident##_engine_ops = { .name = text, .open = open_##ident, .close = close_row, \
                                                   .present = present, .list = list, .view = view,    \
                                                   .volume = volume };
OPS(containerd, "containerd")
OPS(crio, "cri-o")
OPS(runc, "runc")
OPS(crun, "crun")
/* clang-format on */
