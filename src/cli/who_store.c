/* SPDX-License-Identifier: MIT */
#include "cli/who_store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/engine.h"
#include "cli/cli.h"
#include "event/operation.h"
#include "report/coverage.h"
#include "util/cleanup.h"
#include "watch/resolve.h"

/* ---- which machine ---- */

struct recorded_machines {
    struct store_machine *machine;
    bool here;
};

static int on_machine(void *data, const struct coverage *c)
{
    struct recorded_machines *m = data;

    if (!c->host_id.len || bytes_equal(c->host_id, m->machine->id))
        m->here = true;
    else
        m->machine->elsewhere = arena_copy(&m->machine->arena, c->host_name.len ? c->host_name : c->host_id);
    return 0;
}

int store_machine_find(struct store *store, struct bytes own_id, struct store_machine *ret, struct err *err)
{
    const struct store_query all = { .any_victim = true };
    struct recorded_machines machines = { .machine = ret };
    int r;

    *ret = (struct store_machine){ .id = own_id };
    r = store_each_coverage(store, &all, on_machine, &machines, err);
    if (machines.here || !own_id.len)
        ret->elsewhere = BYTES_NULL;
    return r;
}

void store_machine_done(struct store_machine *m)
{
    arena_done(&m->arena);
}

/* ---- what a target means ---- */

struct bytes cli_follow_links(struct target *target)
{
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct bytes path = root < 0 ? BYTES_NULL : resolve_links(root, target->path, true, &target->arena);

    return path.data ? path : target->path;
}

/* A container's place on the host: of a volume or a mount, else of its own layer. BYTES_NULL: not known. */
static struct bytes place_on_host(const struct container_view *view, struct bytes path, struct arena *arena)
{
    const struct container_mount *cover = container_view_mount(view, path);
    struct bytes rest;

    if (!cover) {
        struct bytes layer = view->upper.len ? view->upper : view->root;

        return layer.len ? arena_join_path(arena, layer, path) : BYTES_NULL;
    }
    if (!cover->source.len || bytes_equal_str(cover->type, "tmpfs"))
        return BYTES_NULL;
    rest = (struct bytes){ path.data + cover->destination.len, path.len - cover->destination.len };
    return rest.len ? arena_join_path(arena, cover->source, rest) : arena_copy(arena, cover->source);
}

/* What the engines know now; a container that is gone is in the record. */
static int ask_engines(struct target *target, struct store_query *q, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    struct container_view view = { 0 };
    struct engines *engines = NULL;
    int r = engines_new(&options, &engines, err);

    if (r == 0 && target->selector.kind == SELECTOR_VOLUME) {
        struct bytes root;

        r = engines_volume(engines, target->selector.text, &target->arena, &root, err);
        if (r == 0) {
            q->container = BYTES_NULL;
            q->kind = SELECTOR_NONE;
            q->path = target->path.len > 1 ? arena_join_path(&target->arena, root, target->path) : root;
        }
    } else if (r == 0 && target->selector.kind == SELECTOR_NAME) {
        r = engines_find(engines, target->selector.runtime, target->selector.text, &view, NULL);
        if (r == 0) {
            q->path = resolve_inside(&view, target->path, &target->arena);
            q->host_path = place_on_host(&view, q->path, &target->arena);
            q->host_is_mount = container_view_mount(&view, q->path) != NULL;
        }
    }
    container_view_done(&view);
    engines_free(engines);
    return r;
}

int who_store_resolve(struct store *store, const struct store_machine *machine, struct target *target,
                      struct store_query *q, struct err *err)
{
    bool volume = target->selector.kind == SELECTOR_VOLUME, here = !machine->elsewhere.len;
    struct err why = ERR_INIT;
    int r = 0;

    q->kind = target->selector.kind;
    q->runtime = target->selector.runtime;
    q->container = q->kind == SELECTOR_NONE ? BYTES_NULL : target->selector.text;
    q->path = target->path;
    q->host_path = BYTES_NULL;
    if (q->kind == SELECTOR_NONE && here)
        q->path = cli_follow_links(target);
    else if (q->kind != SELECTOR_NONE && here)
        r = ask_engines(target, q, &why);
    if ((r == 0 && q->kind == SELECTOR_NONE && volume) || bytes_known(q->host_path))
        return 0; /* the engines have said it */
    r = store_translate(store, q, &target->arena, err);
    return r == -ENOENT && volume ? err_say(err, r, "%s", why.text[0] ? why.text : "no such volume is recorded") : r;
}

/* ---- how far it was watched ---- */

struct summing {
    struct coverage_sum sum;
    struct case_ *case_;
    bool other_times; /* at a time that was not asked for */
    struct coverage_nearest when;
    uint64_t removed_ns; /* what is older */
};

static int on_coverage(void *data, const struct coverage *c)
{
    struct summing *s = data;

    coverage_sum_add(&s->sum, c);
    return case_add_coverage(s->case_, c);
}

static int on_other_time(void *data, const struct coverage *c)
{
    struct summing *s = data;

    if (!s->other_times)
        s->when.from_ns = c->from_ns;
    s->when.to_ns = c->to_ns;
    s->other_times = true;
    return 0;
}

static int on_removal(void *data, const struct store_removal *removal)
{
    struct summing *s = data;

    s->removed_ns = removal->before_ns > s->removed_ns ? removal->before_ns : s->removed_ns;
    return 0;
}

static unsigned permissions_of(uint64_t operations)
{
    unsigned permissions = 0;

    for (unsigned i = 0; i < OPERATION_COUNT && operations; i++)
        if (operations & 1ull << i)
            permissions |= operation_info((enum operation)i)->permission;
    return permissions ? permissions : PERMISSION_WRITE | PERMISSION_ATTR;
}

/* Nothing in the time that was asked for: at another, or what lies nearest. */
static int find_nearest(struct store *store, const struct store_query *query, struct arena *arena, struct summing *s,
                        struct coverage_nearest *ret, struct err *err)
{
    struct store_query ever = *query;
    int r;

    ever.since_ns = ever.until_ns = 0;
    r = store_each_coverage(store, &ever, on_other_time, s, err);
    *ret = s->when;
    return r < 0 || s->other_times ? r : store_nearest_coverage(store, &ever, arena, ret, err);
}

int who_store_coverage(struct store *store, const struct store_query *query, const struct target *target, bool found,
                       struct case_ *c, struct err *err)
{
    struct summing s = { .case_ = c,
                         .sum = { .since_ns = query->since_ns,
                                  .until_ns = query->until_ns,
                                  .permissions = permissions_of(query->operations) } };
    struct case_question question = { .target = target->text, .found = found };
    struct arena arena = { 0 };
    int r = store_each_coverage(store, query, on_coverage, &s, err);

    if (r == 0 && coverage_sum_extent(&s.sum, UINT64_MAX) == COVERAGE_NEVER)
        r = find_nearest(store, query, &arena, &s, &question.nearest, err);
    if (r == 0)
        r = store_each_removal(store, query, on_removal, &s, err);
    question.removed_ns = s.removed_ns;
    question.sum = s.sum;
    question.watched_at_other_times = s.other_times;
    if (r == 0)
        r = case_add_question(c, &question);
    arena_done(&arena);
    return r;
}

int who_store_never(struct store *store, const struct store_query *query, const struct target *target, bool json,
                    bool *ret_never, struct sbuf *out, struct sbuf *partly, struct err *err)
{
    struct case_options options = { .target = target->text, .command_status = -1, .stored = true };
    struct case_ *c = case_new(&options);
    int r = c ? who_store_coverage(store, query, target, false, c, err) : -ENOMEM;

    if (r == 0) {
        *ret_never = !case_was_watched(c);
        if (*ret_never && json)
            case_write_json(c, out);
        else if (*ret_never)
            case_write_text(c, false, 0, out);
        else
            (void)case_watched_partly(c, partly);
    }
    case_free(c);
    return r;
}
