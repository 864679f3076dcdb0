/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline_copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copies/pack.h"
#include "event/sentence.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/sbuf.h"
#include "watch/listing.h"
#include "watch/plan.h"
#include "watch/resolve.h"

#define AWAIT_MS 60000

static void say(const struct pipeline *p, const char *text)
{
    if (p->options.notice)
        p->options.notice(p->options.data, text);
}

int pipeline_open_copies(struct pipeline *p, struct err *err)
{
    _cleanup_free_ char *directory = NULL;

    if (!p->options.keep_copies)
        return 0;
    directory = copies_directory(p->options.store_path);
    return directory ? copies_keeper_start(directory, p->options.keep_copies, &p->copies, err) : -ENOMEM;
}

static void forget_choices(struct pipeline *p)
{
    for (size_t i = 0; i < p->copies_choice_count; i++)
        free((char *)(uintptr_t)p->copies_choices[i].target);
    free(TAKE_PTR(p->copies_choices));
    p->copies_choice_count = 0;
}

void pipeline_close_copies(struct pipeline *p)
{
    copies_keeper_end(TAKE_PTR(p->copies));
    forget_choices(p);
}

static void say_container_is_left(struct pipeline *p)
{
    if (!p->copies_left)
        say(p, "of a container's files no copies are kept: its root is mounted nowhere on the host");
    p->copies_left = true;
}

/* ---- what is chosen ---- */

static bool is_chosen_already(const struct pipeline *p, const struct pipeline_choice *choices, size_t count)
{
    bool same = count == p->copies_choice_count;

    for (size_t i = 0; i < count && same; i++)
        same = choices[i].keep == p->copies_choices[i].keep && strcmp(choices[i].target, p->copies_choices[i].target) == 0;
    return same;
}

/* Where it leads to now; links are events' too, and a file is kept by the path that it has without them. */
static struct bytes path_of_choice(const struct pipeline_choice *choice, struct arena *arena)
{
    _cleanup_close_ int root = beneath_open_host(bytes_of("/"), 0, O_PATH | O_DIRECTORY);
    struct bytes path = BYTES_NULL;
    struct target target;

    if (root < 0 || target_parse(bytes_of(choice->target), bytes_of("/"), &target, NULL) < 0)
        return BYTES_NULL;
    if (target.selector.kind == SELECTOR_NONE)
        path = resolve_links(root, target.path, true, arena);
    target_done(&target);
    return path;
}

static void hand_over_choices(struct pipeline *p)
{
    struct copies_choice *roots = calloc(p->copies_choice_count + 1, sizeof(*roots));
    struct arena arena = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < p->copies_choice_count && roots; i++) {
        roots[n].keep = p->copies_choices[i].keep;
        roots[n].path = path_of_choice(&p->copies_choices[i], &arena);
        n += roots[n].path.data != NULL;
    }
    p->copies_stale = !roots || !copies_keeper_choose(p->copies, roots, n);
    p->copies_object = 0;
    arena_done(&arena);
    free(roots);
}

int pipeline_choose_copies(struct pipeline *p, const struct pipeline_choice *choices, size_t count, uint64_t age_ns)
{
    if (!p->copies)
        return 0;
    copies_keeper_age(p->copies, age_ns);
    if (is_chosen_already(p, choices, count))
        return 0;
    forget_choices(p);
    p->copies_choices = calloc(count + 1, sizeof(*choices));
    for (size_t i = 0; i < count && p->copies_choices; i++) {
        p->copies_choices[i] = (struct pipeline_choice){ strdup(choices[i].target), choices[i].keep };
        if (!p->copies_choices[i].target)
            return -ENOMEM;
        p->copies_choice_count++;
    }
    hand_over_choices(p);
    p->copies_said = false;
    return p->copies_choices ? 0 : -ENOMEM;
}

/* Something of it was made anew: all of that is looked at again. */
static void copy_chosen(struct pipeline *p, struct bytes object)
{
    struct arena arena = { 0 };

    for (size_t i = 0; i < p->copies_choice_count; i++) {
        struct bytes path = p->copies_choices[i].keep ? path_of_choice(&p->copies_choices[i], &arena) : BYTES_NULL;

        if (path.data && (bytes_path_covers(object, path) || bytes_path_covers(path, object)))
            copies_keeper_watch(p->copies, path);
    }
    arena_done(&arena);
}

void pipeline_copy_object(struct pipeline *p, const struct watch_object *object)
{
    if (!p->copies)
        return;
    if (object->view == VIEW_HOST && !object->ns_pid && p->options.choose_copies)
        copy_chosen(p, object->path);
    else if (object->view == VIEW_HOST && !object->ns_pid)
        copies_keeper_watch(p->copies, object->path);
}

/* ---- containers ---- */

struct merged_look {
    struct pipeline *p;
    uint32_t newest;
    bool failed;
};

static void keep_merged(struct merged_look *look, const struct watch_merged *m, struct bytes below)
{
    struct arena arena = { 0 };
    struct bytes path = below.len ? arena_join_path(&arena, m->host_path, below) : m->host_path;

    if (!path.data || !copies_keeper_watch_mounted(look->p->copies, path, m->host_path.len - (m->victim_path.len > 1 ? m->victim_path.len : 0)))
        look->failed = true;
    arena_done(&arena);
}

/* The choice is what is watched, or a part of it. */
static void keep_choice(struct merged_look *look, const struct watch_merged *m, const struct pipeline_choice *choice)
{
    struct target target;

    if (!choice->keep || target_parse(bytes_of(choice->target), bytes_of("/"), &target, NULL) < 0)
        return;
    if (plan_same_place(&target, m->target) && bytes_path_covers(m->target->path, target.path))
        keep_merged(look, m, bytes_path_below(m->target->path, target.path));
    target_done(&target);
}

/* Its root is mounted on the host, where the path is what it is in the container. */
static bool is_on_host(const struct watch_merged *m)
{
    return m->host_path.len && !bytes_starts_with(m->host_path, bytes_of("/proc/")) &&
           (m->victim_path.len == 1 || bytes_ends_with(m->host_path, m->victim_path));
}

static void on_merged(void *data, const struct watch_merged *m)
{
    struct merged_look *look = data;
    struct pipeline *p = look->p;

    if (m->object <= p->copies_object)
        return;
    look->newest = MAX(look->newest, m->object);
    if (!is_on_host(m)) {
        say_container_is_left(p);
        return;
    }
    if (!p->options.choose_copies)
        keep_merged(look, m, BYTES_NULL);
    for (size_t i = 0; i < p->copies_choice_count && p->options.choose_copies; i++)
        keep_choice(look, m, &p->copies_choices[i]);
}

/* Containers that have begun since: all of what is watched in them. */
static void look_at_containers(struct pipeline *p)
{
    struct merged_look look = { .p = p, .newest = p->copies_object };

    watchset_each_merged(p->watches, on_merged, &look);
    if (!look.failed)
        p->copies_object = look.newest;
}

/* ---- what is said ---- */

static void add_not_kept(const struct copies_report *report, struct sbuf *out)
{
    const struct {
        uint64_t count;
        const char *one, *many;
    } rows[] = {
        { report->too_large, "1 file larger than 1 MB that has no room", "files larger than 1 MB that have no room" },
        { report->busy, "1 file larger than 1 MB that is open for writing", "files larger than 1 MB that are open for writing" },
        { report->unreadable, "1 file or folder that could not be read", "files or folders that could not be read" },
        { report->unwatched, "what is mounted at 1 place below", "places where something is mounted" },
    };
    const char *separator = "; not kept: ";

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!rows[i].count)
            continue;
        sbuf_add_str(out, separator);
        if (rows[i].count == 1)
            sbuf_add_str(out, rows[i].one);
        else
            sbuf_addf(out, "%llu %s", (unsigned long long)rows[i].count, rows[i].many);
        separator = ", ";
    }
}

static const char *why(const struct pipeline *p, int r)
{
    return r == -EFBIG ? (p->options.choose_copies ? "there is more than the limit has room for: a larger copies_size, or fewer files"
                                                   : "there is more than the limit has room for: --keep-copies with a larger one")
           : r == -ENOSPC ? "the disk is full; trying again"
           : r == -EPIPE  ? "the process that keeps them was ended"
                          : strerror(-r);
}

static void say_error(struct pipeline *p, int r)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_addf(&text, "copies are not kept any more: %s", why(p, r));
    say(p, sbuf_str(&text));
}

static void say_kept(struct pipeline *p, const struct copies_report *report)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_addf(&text, "copies of %llu files and folders are kept, ", (unsigned long long)report->files);
    sentence_size(&text, report->bytes);
    if (report->held)
        sbuf_addf(&text, "; %llu of them %s copied when %s", (unsigned long long)report->held, report->held == 1 ? "is" : "are",
                  report->held == 1 ? "it changes" : "they change");
    add_not_kept(report, &text);
    say(p, sbuf_str(&text));
    p->copies_said = true;
}

void pipeline_await_copies(struct pipeline *p)
{
    struct copies_report report;

    if (!p->copies)
        return;
    look_at_containers(p);
    if (p->options.choose_copies) /* nobody who looks on waits for a daemon's */
        return;
    if (!copies_keeper_await(p->copies, AWAIT_MS, &report)) {
        say(p, "copies of what is watched are still being made");
        return;
    }
    p->copies_report = report;
    p->copies_error = report.error;
    if (report.error)
        say_error(p, report.error);
    else
        say_kept(p, &report);
}

static void say_missed(struct pipeline *p)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    uint64_t missed = copies_keeper_missed(p->copies);

    if (!missed)
        return;
    sbuf_addf(&text, "%llu changes came faster than copies are kept: what was in between is not in them", (unsigned long long)missed);
    say(p, sbuf_str(&text));
}

/* What was held, and was changed. */
static void say_lost(struct pipeline *p, uint64_t count, int r)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    if (count == 1)
        sbuf_add_str(&text, "the content of 1 large file could not be copied when it changed: ");
    else
        sbuf_addf(&text, "the contents of %llu large files could not be copied when they changed: ", (unsigned long long)count);
    sbuf_add_str(&text, r == -EFBIG       ? "there was no room for it"
                        : r == -ENOSPC    ? "the disk is full"
                        : r == -ETIMEDOUT ? "it took too long, and who writes to it went on"
                        : r == -ESTALE    ? "it had been changed in a way of which nobody is asked"
                                          : strerror(-r));
    say(p, sbuf_str(&text));
}

void pipeline_look_at_copies(struct pipeline *p)
{
    struct copies_report *report = &p->copies_report, before = *report;

    if (!p->copies)
        return;
    if (p->copies_stale)
        hand_over_choices(p);
    look_at_containers(p);
    (void)copies_keeper_take(p->copies, report);
    if (report->killed != before.killed) {
        say(p, "the process that keeps copies was killed; it is begun anew: what changed meanwhile and changed again is not in them");
        p->copies_said = false;
    }
    if (report->error && report->error != p->copies_error)
        say_error(p, report->error);
    else if (!report->error && p->copies_error)
        say(p, "copies are kept again");
    else if (!report->error && copies_keeper_is_through(p->copies) &&
             (!p->copies_said || report->too_large > before.too_large || report->busy > before.busy || report->unreadable > before.unreadable))
        say_kept(p, report);
    p->copies_error = report->error;
    if (report->lost != before.lost)
        say_lost(p, report->lost - before.lost, report->lost_error);
    say_missed(p);
}

void pipeline_look_at_kept(const struct pipeline *p, struct pipeline_condition *ret)
{
    ret->keeps_copies = p->copies != NULL;
    ret->copies = p->copies_report;
}
