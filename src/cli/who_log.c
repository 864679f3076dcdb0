/* SPDX-License-Identifier: MIT */
#include "cli/who_log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/engine.h"
#include "cli/cli.h"
#include "daemon/logs.h"
#include "history/proc_root.h"
#include "report/coverage.h"
#include "util/cleanup.h"

#define PLACES_MAX 8
#define STARTING_NS (10 * NS_PER_S) /* its root is there before its engine calls it started */

/* The host's paths that lead to a target, and the part of them that the victim does not see. */
struct target_place {
    struct bytes path;   /* on the host */
    struct bytes prefix; /* the container's root there; BYTES_NULL: the host's own file */
    bool inside;         /* as processes name it that live in a container, or go through /proc/PID/root: whose it is, is to be seen */
};

struct log_asking {
    struct who_log *who;
    struct target_place *place;
    struct bytes text;           /* the target as the user wrote it */
    struct container *container; /* borrowed; NULL = the host's */
    struct bytes not_seen;
    uint64_t device;             /* of the container's root as it is now; 0 = it does not run */
    uint64_t doubtful;           /* changes of which only the path says whose file it was */
    bool found;
    bool last;                   /* what the logs say of themselves is printed once */
};

static bool is_asked(const struct store_query *q, const struct event *e)
{
    return !(q->since_ns && e->time_ns < q->since_ns) && !(q->until_ns && e->time_ns > q->until_ns);
}

/* The victim's view: its path without where its root is on the host. */
static void translate(const struct log_asking *a, struct event *e)
{
    struct bytes root = a->place->prefix;

    if (!a->container)
        return;
    if (a->place->inside) { /* the host's path leads to another file */
        e->path = replay_below_root(e->path);
        e->previous_path = replay_below_root(e->previous_path);
        e->carried = replay_below_root(e->carried);
        e->host_path = e->previous_host_path = BYTES_NULL;
    }
    for (struct process *p = e->actor.process; p; p = p->parent) /* the engine knows more of it than the log: its name */
        if (p->container && p->container != a->container && bytes_equal(p->container->id, a->container->id)) {
            container_unref(p->container);
            p->container = container_ref(a->container);
        }
    e->victim = container_ref(a->container);
    e->victim_kind = VICTIM_CONTAINER;
    if (root.len && bytes_path_covers(root, e->path) && e->path.len > root.len)
        e->path = (struct bytes){ e->path.data + root.len, e->path.len - root.len };
    if (root.len && bytes_path_covers(root, e->previous_path) && e->previous_path.len > root.len)
        e->previous_path = (struct bytes){ e->previous_path.data + root.len, e->previous_path.len - root.len };
    if (root.len && bytes_path_covers(root, e->carried) && e->carried.len > root.len)
        e->carried = (struct bytes){ e->carried.data + root.len, e->carried.len - root.len };
}

/* A path as containers have it is not this container's alone. The device is: an overlay has its own, from one start to the next. */
static bool is_its_own(struct log_asking *a, const struct event *e)
{
    const struct process *p = e->actor.process;
    bool has_device = e->file.known & FILE_DEVICE;

    if (!a->place->inside)
        return true;
    if (p && p->origin == ORIGIN_CONTAINER && p->container && bytes_equal(p->container->id, a->container->id))
        return true;
    if (has_device && a->device && e->file.device == a->device && e->time_ns + STARTING_NS >= a->container->started_ns)
        return true;
    if (has_device && a->device && e->time_ns >= a->container->started_ns)
        return false;
    if (has_device && major(e->file.device)) /* a disk's: the host's own file of this path */
        return false;
    if (p && p->origin == ORIGIN_CONTAINER && p->container)
        return false;
    a->doubtful++;
    return true;
}

static int on_event(void *data, struct event *event)
{
    struct log_asking *a = data;
    enum filter_result result;
    int r = 0;

    if (is_asked(a->who->query, event) && is_its_own(a, event)) {
        a->found = true;
        translate(a, event);
        event_set(event, &event->watch_text, a->text);
        if (!who_places_new_event(a->who->places, event)) {
            event_free(event);
            return 0;
        }
        result = filter_event(a->who->filter, event);
        if (a->who->json && result == FILTER_MATCHES)
            printer_event(a->who->printer, event);
        if (a->who->summary && result == FILTER_MATCHES)
            summary_add(a->who->summary, event);
        if (result == FILTER_MATCHES)
            r = case_add_event(a->who->case_, event);
        else
            case_leave_out_event(a->who->case_, result, event);
    }
    event_free(event);
    return r < 0 ? r : 0;
}

/* Says what could not be read; the verdict says it too. */
static void print_damage(const struct replay_stats *s)
{
    uint64_t damaged = s->damaged + s->log.long_lines;

    if (damaged)
        cli_note("%" PRIu64 " damaged record%s skipped", damaged, damaged == 1 ? "" : "s");
}

static int on_gap(void *data, const struct gap *gap)
{
    struct log_asking *a = data;

    if (!who_places_new_gap(a->who->places, gap))
        return 0;
    if (a->who->json)
        printer_gap(a->who->printer, gap);
    return case_add_gap(a->who->case_, gap);
}

static int on_span(void *data, uint64_t from_ns, uint64_t to_ns)
{
    struct log_asking *a = data;
    struct coverage coverage = { .sensors = SENSOR_AUDIT_LOG, .from_ns = from_ns, .to_ns = to_ns,
                                 .watch = a->text, .not_seen = a->not_seen };

    /* the permissions stay 0: a log says that rules were loaded, not what they watched */
    return case_add_coverage(a->who->case_, &coverage);
}

/* That there is a log says that rules were watching, and not what. */
static int print_extent(const struct log_asking *a)
{
    const struct store_query *q = a->who->query;
    struct case_question question = {
        .target = a->text,
        .found = a->found,
        .sum = { .since_ns = q->since_ns, .until_ns = q->until_ns, .unknown_scope = true },
    };

    return case_add_question(a->who->case_, &question);
}

static int ask_place(struct log_asking *a, struct err *err)
{
    const struct store_query *q = a->who->query;
    struct logs_options options = { .files = a->who->files, .log = &cli_log, .agents = a->who->agents, .own = a->who->own, .path = a->place->path,
                                    .through_roots = a->place->inside, .data = a, .event = on_event };
    _cleanup_sbuf_ struct sbuf not_seen = SBUF_INIT;
    struct replay_stats stats;
    int r = logs_read(&options, &stats, err);

    if (r == 0)
        r = logs_check(a->who->files, &stats, err);
    if (r < 0)
        return r;
    if (!a->last) /* the same logs, for another place of the same file */
        return 0;
    logs_not_seen(&stats, &not_seen);
    if (a->doubtful)
        sbuf_addf(&not_seen, "; of %" PRIu64 " changes only the path says that they were in this container", a->doubtful);
    a->not_seen = sbuf_bytes(&not_seen);
    print_damage(&stats);
    r = logs_each_gap(&stats, q->since_ns, q->until_ns, on_gap, a);
    if (r >= 0)
        r = logs_each_span(&stats, on_span, a);
    return r < 0 ? r : print_extent(a);
}

/* Where a container's files are on the host, as its engine says: a log has only the host's paths. */
static int ask_container(struct who_log *w, struct target *target, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    struct container_view view = { 0 };
    struct engines *engines = NULL;
    struct target_place places[PLACES_MAX];
    struct log_asking asking = { .who = w, .text = target->text };
    struct stat st;
    unsigned count = 0;
    int r = engines_new(&options, &engines, err);

    if (r == 0)
        r = engines_find(engines, target->selector.runtime, target->selector.text, &view, err);
    if (r < 0) {
        engines_free(engines);
        return err_prefix(err, r, "a log has the host's paths only, and the engine does not say where this "
                                  "container's are (give the host's path)");
    }
    for (size_t i = 0; i < view.mount_count; i++) {
        const struct container_mount *m = &view.mounts[i];

        if (m->source.len && m->destination.len > 1 && bytes_path_covers(m->destination, target->path) && count < PLACES_MAX) {
            struct bytes rest = { target->path.data + m->destination.len, target->path.len - m->destination.len };

            places[count].inside = false;
            places[count].prefix = BYTES_NULL;
            places[count++].path = rest.len ? arena_join_path(&target->arena, m->source, rest) : m->source;
        }
    }
    if (count == 0) { /* in the container's own layer */
        const struct bytes roots[] = { view.merged, view.upper, view.root };

        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
            if (roots[i].len) {
                places[count].inside = false;
                places[count].prefix = roots[i];
                places[count++].path = arena_join_path(&target->arena, roots[i], target->path);
            }
        /* its own processes' name for it, and others' by way of /proc/PID/root */
        places[count].inside = true;
        places[count].prefix = BYTES_NULL;
        places[count++].path = target->path;
    }
    asking.container = view.container;
    if (view.running && view.merged.len && stat(view.merged.data, &st) == 0)
        asking.device = (uint64_t)st.st_dev;
    for (unsigned i = 0; i < count && r == 0; i++) {
        asking.place = &places[i];
        asking.last = i + 1 == count;
        r = ask_place(&asking, err);
    }
    container_view_done(&view);
    engines_free(engines);
    return r;
}

int who_log_ask(struct who_log *w, struct target *target, struct err *err)
{
    struct target_place place = { .path = target->path };
    struct log_asking asking = { .who = w, .place = &place, .text = target->text, .last = true };

    if (target->selector.kind == SELECTOR_NONE)
        return ask_place(&asking, err);
    if (target->selector.kind == SELECTOR_NAME)
        return ask_container(w, target, err);
    return err_say(err, -EINVAL, "with --from, TARGET is a path or CONTAINER:PATH: a log has the host's paths only");
}

int who_log_add(struct audit_log_files *files, const char *argument, bool *ret_is_log, struct err *err)
{
    size_t before = files->count;
    int r = cli_check_answers(argument, err);

    if (r == 0)
        r = audit_log_files_add(files, argument, AUDIT_LOG_ROTATIONS_ALL, err);
    *ret_is_log = r == 0 && files->count > before && files->files[before].first_ms != 0;
    return r;
}
