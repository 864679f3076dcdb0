/* SPDX-License-Identifier: MIT */
#include "cli/restore_products.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "attribution/agents.h"
#include "cli/print.h"
#include "restore/place.h"
#include "restore/stage.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/escape.h"

#define PRODUCTS_MAX 8
#define SAMPLES 64

struct products {
    const struct restore_items *items;
    struct agents *agents;
    bool of_container;
    int root; /* a running container's; AT_FDCWD: the host's; else: it cannot be looked at */
    struct removing_product {
        const struct agent *agent;
        struct bytes path; /* one that is not there */
        uint64_t count;    /* of deletions that are recorded */
    } rows[PRODUCTS_MAX];
    size_t count;
    struct arena arena;
};

/* Put back, or it would be. */
static bool is_back(const struct restore_items *items, struct bytes path)
{
    for (size_t i = 0; i < items->count; i++)
        if (bytes_equal(items->all[i].path, path))
            return items->all[i].outcome == RESTORE_DONE || items->all[i].outcome == RESTORE_PLANNED;
    return false;
}

static bool is_missing(const struct products *p, struct bytes path)
{
    _cleanup_close_ int fd = -EBADF;

    if (!path.len || is_back(p->items, path))
        return false;
    if (p->root < 0 && p->root != AT_FDCWD)
        return true; /* a container that does not run */
    fd = p->of_container ? beneath_open(p->root, path, O_PATH | O_NOFOLLOW) : beneath_open_host(path, 0, O_PATH | O_NOFOLLOW);
    return fd == -ENOENT || fd == -ENOTDIR;
}

/* The process itself, or whoever launched it: a product may delete by a script. A name alone does not count. */
static const struct agent *product_of(const struct process *process)
{
    for (unsigned i = 0; process && i < 32; process = process->parent, i++)
        if (process->owner.agent && !process->owner.looks_like)
            return process->owner.agent->quarantine.len ? process->owner.agent : NULL;
    return NULL;
}

/* "--move=DIR" or "--move" "DIR". */
static struct bytes option_value(struct bytes args, struct bytes option)
{
    while (args.len) {
        struct bytes word = bytes_next_field(&args, '\0');

        if (bytes_equal(word, option))
            return bytes_next_field(&args, '\0');
        if (bytes_starts_with(word, option) && word.len > option.len && word.data[option.len] == '=')
            return (struct bytes){ word.data + option.len + 1, word.len - option.len - 1 };
    }
    return BYTES_NULL;
}

bool restore_product_keeps(const struct agents *agents, const struct event *e, char *ret)
{
    const struct process *p = e->actor.process;
    const struct agent *agent = p && !p->owner.looks_like ? agents_by_product(agents, p->owner.product) : NULL;
    struct bytes directory = agent && agent->moves_by.len && !p->args_truncated ? option_value(p->args, agent->moves_by) : BYTES_NULL;
    struct bytes from = directory.len && directory.data[0] != '/' ? p->working_directory : BYTES_NULL;
    int n;

    if (!directory.len || (directory.data[0] != '/' && !from.len) || p->origin == ORIGIN_CONTAINER) /* whose directories are others */
        return false;
    n = snprintf(ret, PATH_MAX, "%.*s%s%.*s", (int)from.len, from.len ? from.data : "", from.len ? "/" : "", (int)directory.len, directory.data);
    return n > 0 && n < PATH_MAX;
}

static struct removing_product *row_of(struct products *p, const struct agent *agent)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].agent == agent)
            return &p->rows[i];
    if (p->count == PRODUCTS_MAX)
        return NULL;
    p->rows[p->count].agent = agent;
    return &p->rows[p->count++];
}

static int on_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    struct products *p = data;
    const struct agent *agent;
    struct removing_product *row;

    if (!count || samples[0]->error)
        return 0;
    agents_name_products(p->agents, samples[0]);
    agent = product_of(samples[0]->actor.process);
    row = agent ? row_of(p, agent) : NULL;
    if (!row)
        return 0;
    row->count += rollup->count;
    for (unsigned i = 0; i < count && !row->path.len; i++) {
        struct bytes was = samples[i]->operation == OPERATION_RENAME ? samples[i]->previous_path : samples[i]->path;

        if (is_missing(p, was))
            row->path = arena_copy(&p->arena, was);
    }
    return 0;
}

static void say(const struct removing_product *row)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    escape_terminal(&text, row->path);
    sbuf_add_str(&text, " is not there: ");
    escape_terminal(&text, row->agent->product);
    sbuf_add_str(&text, " removed it");
    if (row->count > 1)
        sbuf_addf(&text, " (%llu removals are recorded)", (unsigned long long)row->count);
    sbuf_add_str(&text, ". What it removed: ");
    escape_terminal(&text, row->agent->quarantine);
    if (row->agent->moves_by.len)
        sbuf_add_str(&text, "; culprit restore --from quarantine puts it back");
    cli_note("%s", sbuf_str(&text));
}

void restore_say_products(struct store *store, const struct store_query *query, const struct container_view *view, const struct restore_items *items)
{
    struct products p = { .items = items, .of_container = view != NULL, .root = AT_FDCWD };
    struct store_query deletions = *query;
    struct err ignored = ERR_INIT;
    char real[PATH_MAX];

    if (!store || agents_parse(agents_builtin(), &p.agents, NULL) < 0)
        return;
    if (view)
        p.root = view->running ? place_open_container(view, &ignored) : -ESRCH;
    else if (stage_resolve(AT_FDCWD, query->path, real, &ignored) == 0)
        deletions.path = bytes_of(real);
    deletions.operations = 1ull << OPERATION_UNLINK | 1ull << OPERATION_RENAME;
    deletions.since_ns = deletions.until_ns = deletions.limit = 0;
    (void)store_each_rollup(store, &deletions, SAMPLES, on_rollup, &p, &ignored); /* advice alone hangs on it */
    for (size_t i = 0; i < p.count; i++)
        if (p.rows[i].path.len)
            say(&p.rows[i]);
    if (p.root >= 0)
        closep(&p.root);
    agents_free(p.agents);
    arena_done(&p.arena);
}
