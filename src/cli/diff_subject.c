/* SPDX-License-Identifier: MIT */
#include "cli/diff_subject.h"

#include <errno.h>

#include "cli/cli.h"
#include "event/selector.h"
#include "util/escape.h"

struct container_search {
    const struct selector *selector;
    struct container *found; /* owned reference */
    unsigned count;
    struct sbuf names;
};

static int on_container(void *data, struct container *c)
{
    struct container_search *search = data;

    if (!selector_matches(search->selector, c))
        return 0;
    if (search->count++ < 8) {
        sbuf_add_str(&search->names, search->count > 1 ? ", " : "");
        escape_terminal(&search->names, c->name.len ? c->name : c->id);
    }
    if (!search->found)
        search->found = container_ref(c);
    return 0;
}

/* What several may have in common: it must be one's. */
static int find_by_selector(struct diff_question *q, struct err *err)
{
    struct container_search search = { .selector = &q->target.selector };
    int r = engines_each(q->engines, on_container, &search);

    if (r == 0 && !search.count)
        r = err_say(err, -ENOENT, "no container is meant by it");
    else if (r == 0 && search.count > 1)
        r = err_say(err, -EEXIST, "that is %u containers, give one: %s%s", search.count, sbuf_str(&search.names),
                    search.count > 8 ? " ..." : "");
    if (r == 0)
        r = engines_find(q->engines, search.found->runtime, search.found->id, &q->view, err);
    container_unref(search.found);
    sbuf_done(&search.names);
    return r;
}

int diff_find_container(struct diff_question *q, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    const struct selector *selector = &q->target.selector;
    int r = engines_new(&options, &q->engines, err);

    if (r < 0)
        return r;
    if (selector->kind == SELECTOR_VOLUME) {
        struct bytes root;

        r = engines_volume(q->engines, selector->text, &q->arena, &root, err);
        return r == 0 && !q->record ? err_say(err, -EINVAL, "a volume has no image: give --since T, or the "
                                                            "container and the place where it is mounted")
                                    : r;
    }
    r = selector_is_plural(selector) ? find_by_selector(q, err)
                                     : engines_find(q->engines, selector->runtime, selector->text, &q->view, err);
    q->have_view = r == 0;
    return r;
}

/* As by_daemon_open_store(). */
static int open_store(struct diff_question *q, int *ret_status, struct err *err)
{
    struct store_options options = { .path = q->store_path,
                                     .spool_directory = STORE_SPOOL_DIRECTORY,
                                     .read_only = true,
                                     .log = &cli_log };
    int r = by_daemon_open_store(&options, &q->member, &q->store, ret_status, err);

    if (r == -ENOENT && !q->record) /* the disk can be compared all the same */
        return 0;
    return r;
}

bool diff_find_store(struct diff_question *q, int *ret_status)
{
    struct err err = ERR_INIT;
    int r = open_store(q, ret_status, &err);

    if (r == -ENOENT) {
        cli_error("nothing was recorded yet: %s; record with culprit watch or culprit run",
                  err_text(&err, r));
        *ret_status = EXIT_NOTHING;
    } else if (r < 0) {
        cli_error("%s", err_text(&err, r));
        *ret_status = EXIT_UNABLE;
    }
    return r == 0;
}

int diff_find_subjects(struct diff_question *q)
{
    struct err err = ERR_INIT;
    int found;

    if (q->target.selector.kind == SELECTOR_NONE)
        return 0;
    found = diff_find_container(q, &err);
    if (found == 0 || q->record)
        return 0; /* of what is gone the record is left */
    cli_error("%s%s", err_text(&err, found),
              found == -ENOENT ? "; one that is removed has taken its files with it, what was recorded of "
                                 "it: culprit diff --since T"
                               : "");
    /* one that is gone is no wrong usage, and EXIT_NOTHING would say that nothing differs */
    return found == -ENOENT ? EXIT_UNABLE : cli_exit_code(found);
}
