/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "attribution/users.h"
#include "cli/option.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/restore_products.h"
#include "cli/who_store.h"
#include "copies/pack.h"
#include "engine/engine.h"
#include "foreign/foreign.h"
#include "guard/state.h"
#include "restore/page.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"

struct guarded {
    struct guard_set held;
    struct timespec read; /* the states' directory was changed last, when they were read */
};

struct restore_command {
    const char *store_path;
    bool json;
    enum restore_source from;
    bool unasked; /* where nothing is said, a container's image is taken, and all that the host has */
    struct guarded guarded;
    struct restore_options options;
    struct target target;
    struct arena arena;
    struct ecs_host host;
    struct engines *engines;
    struct container_view view;
    bool have_view;
    struct store *store;
    struct restore_items items;
    struct restore_summary summary;
    struct sbuf source, asked; /* asked: restore_page.asked */
    char *copies; /* owned */
    struct agents *agents; /* once they are asked about */
};

static void command_done(struct restore_command *q)
{
    restore_items_done(&q->items);
    guard_set_done(&q->guarded.held);
    store_close(q->store);
    if (q->have_view)
        container_view_done(&q->view);
    engines_free(q->engines);
    target_done(&q->target);
    arena_done(&q->arena);
    sbuf_done(&q->source);
    sbuf_done(&q->asked);
    free(q->copies);
    agents_free(q->agents);
}

static int take_target(const struct verb *verb, struct restore_command *q, int argc, char **argv)
{
    struct err err = ERR_INIT;
    char cwd[PATH_MAX];
    bool is_host;
    int r;

    if (optind + 1 != argc)
        return cli_usage_error(verb, optind < argc ? "one target at a time, please" : "which files? give [CONTAINER:]PATH");
    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    r = target_parse(bytes_of(argv[optind]), bytes_of(cwd), &q->target, &err);
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    is_host = q->target.selector.kind == SELECTOR_NONE;
    if (is_host && q->from == RESTORE_FROM_IMAGE)
        return cli_usage_error(verb, "\"%.80s\" is the host's: no image has it; from what the host has, without --from", argv[optind]);
    if (!is_host && (q->from == RESTORE_FROM_PACKAGE || q->from == RESTORE_FROM_GIT || q->from == RESTORE_FROM_QUARANTINE))
        return cli_usage_error(verb, "\"%.80s\" is a container's: of it there are image, copies and open alone", argv[optind]);
    if (q->options.at_ns && is_host && q->from == RESTORE_FROM_ANY)
        q->from = RESTORE_FROM_COPIES;
    if (q->options.at_ns && (is_host ? q->from != RESTORE_FROM_COPIES : q->from == RESTORE_FROM_OPEN))
        return cli_usage_error(verb, "--at is for what an image or kept copies have: other sources have it as it is now");
    q->unasked = q->from == RESTORE_FROM_ANY;
    if (!is_host && q->from == RESTORE_FROM_ANY)
        q->from = RESTORE_FROM_IMAGE;
    if (selector_is_plural(&q->target.selector) || q->target.selector.kind == SELECTOR_VOLUME)
        return cli_usage_error(verb, "name one container, by its name or id");
    return 0;
}

/* What belongs to the question, for the command that is named after a dry run. */
static void note_asked(struct restore_command *q, enum option_id id, const char *argument)
{
    static const struct {
        enum option_id id;
        const char *name;
    } options[] = { { OPTION_AT, "--at" }, { OPTION_SOURCE, "--from" }, { OPTION_PACKAGES, "--packages" }, { OPTION_FORCE, "--force" } };

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (options[i].id != id)
            continue;
        sbuf_addf(&q->asked, "%s ", options[i].name);
        if (id == OPTION_FORCE)
            continue;
        escape_shell(&q->asked, bytes_of(argument));
        sbuf_add_char(&q->asked, ' ');
    }
}

static int parse(int argc, char **argv, struct restore_command *q)
{
    const struct verb *verb = verb_by_name("restore");
    uint64_t now = clock_ns(CLOCK_REALTIME);
    const struct cli_option *option;
    struct option_parser parser;
    struct err err = ERR_INIT;
    enum format format;
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        note_asked(q, option->id, optarg);
        switch (option->id) {
        case OPTION_AT:
            r = parse_time(optarg, now, &q->options.at_ns, &err);
            break;
        case OPTION_SOURCE:
            if (restore_source_parse(optarg, &q->from) < 0)
                return cli_usage_error(verb, "unknown source \"%.40s\" (use image, copies, open, package, git or quarantine)", optarg);
            break;
        case OPTION_PACKAGES:
            q->options.package_cache = optarg;
            break;
        case OPTION_DRY_RUN:
            q->options.dry_run = true;
            break;
        case OPTION_FORCE:
            q->options.force = true;
            break;
        case OPTION_STORE:
            q->store_path = optarg;
            break;
        case OPTION_FORMAT:
            if (cli_parse_format(verb, optarg, &format))
                return EXIT_USAGE;
            q->json = format == FORMAT_JSON;
            break;
        default:
            break;
        }
        if (r < 0)
            return cli_usage_error(verb, "%s", err_text(&err, r));
    }
    return take_target(verb, q, argc, argv);
}

/* Who did it is said where that was recorded; whatever goes wrong with that is no reason to put nothing back, unless
 * the record is asked what was when. */
static int open_store(struct restore_command *q, struct err *err)
{
    struct store_options options = { .path = q->store_path, .spool_directory = STORE_SPOOL_DIRECTORY, .read_only = true, .log = &cli_log };
    int r = store_open(&options, &q->store, err);

    if (r == 0)
        return 0;
    q->store = NULL;
    if (q->options.at_ns)
        return r == -ENOENT ? err_say(err, r, "what was at that time is known from the record alone, and nothing was recorded yet") : r;
    if (r != -ENOENT)
        cli_warn("the record could not be asked: %s", err_text(err, r));
    return 0;
}

static int find_container(struct restore_command *q, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    const struct selector *selector = &q->target.selector;
    int r = engines_new(&options, &q->engines, err);

    if (r == 0)
        r = engines_find(q->engines, selector->runtime, selector->text, &q->view, err);
    q->have_view = r == 0;
    return r;
}

static void on_notice(void *data, const char *text)
{
    (void)data;
    cli_note("%s", text);
}

static bool kept_in(void *data, const struct event *e, char *ret)
{
    struct restore_command *q = data;

    if (!q->agents)
        (void)agents_parse(agents_builtin(), &q->agents, NULL);
    return q->agents && restore_product_keeps(q->agents, e, ret);
}

static void name_owners(struct restore_command *q)
{
    struct users *users = NULL;
    struct err err = ERR_INIT;

    if (users_new(q->engines, "/", &users, &err) < 0)
        return;
    for (size_t i = 0; i < q->items.count; i++) {
        struct difference *d = q->items.all[i].difference;

        for (unsigned k = 0; k < 2; k++) {
            struct file_state *s = k ? &d->after : &d->before;

            if (s->known & FILE_UID)
                s->owner = arena_copy(&d->arena, users_name(users, q->view.container, s->uid));
            if (s->known & FILE_GID)
                s->group = arena_copy(&d->arena, users_group(users, q->view.container, s->gid));
        }
    }
    users_free(users);
}

static void print(struct restore_command *q)
{
    struct restore_page page = { .items = &q->items, .summary = &q->summary, .container = q->view.container, .host = &q->host,
                                 .target = q->target.text, .source = sbuf_bytes(&q->source),
                                 .store = q->store_path && strcmp(q->store_path, STORE_DEFAULT_PATH) != 0 ? bytes_of(q->store_path) : BYTES_NULL,
                                 .asked = sbuf_bytes(&q->asked),
                                 .in_pieces = q->from != RESTORE_FROM_IMAGE, .colour = cli_colour(stdout),
                                 .dry_run = q->options.dry_run, .columns = cli_columns(stdout),
                                 .utc_offset_s = cli_utc_offset(clock_ns(CLOCK_REALTIME)) };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    name_owners(q);
    if (q->json)
        restore_page_json(&page, &out);
    else
        restore_page_text(&page, &out);
    cli_write(stdout, &out);
}

static int status_of(const struct restore_items *items)
{
    struct restore_counts c;
    bool some;

    restore_count(items, &c);
    some = c.back || c.attributes;
    if (c.outcomes[RESTORE_FAILED])
        return some ? EXIT_LOST : EXIT_UNABLE;
    if (c.outcomes[RESTORE_NEWER] || c.outcomes[RESTORE_EARLIER])
        return EXIT_LOST;
    return some ? EXIT_ANSWERED : EXIT_NOTHING;
}

/* A guard may have begun meanwhile: it is written down before it sets its flags, under the lock. */
static bool is_held(void *data, const struct stat *st)
{
    struct guarded *g = data;
    struct stat now = { 0 };

    if (stat(GUARD_STATE_DIRECTORY, &now) < 0)
        return false;
    if (now.st_mtim.tv_sec != g->read.tv_sec || now.st_mtim.tv_nsec != g->read.tv_nsec) {
        _cleanup_close_ int lock = guard_state_lock(GUARD_STATE_DIRECTORY, false);

        guard_set_done(&g->held);
        if (guard_state_held(GUARD_STATE_DIRECTORY, NULL, &g->held) == 0 && lock >= 0)
            g->read = now.st_mtim;
    }
    return guard_set_has(&g->held, st->st_dev, st->st_ino);
}

static int restore_container(struct restore_command *q, struct err *err)
{
    struct held_files held = { is_held, &q->guarded };
    int r;

    sbuf_add_str(&q->source, "image");
    if (q->view.container->image_name.len) {
        sbuf_add_char(&q->source, ' ');
        sbuf_add_bytes(&q->source, q->view.container->image_name);
    }
    q->options.held = &held;
    r = restore_image(&q->view, q->target.path, &q->options, &q->items, &q->summary, err);
    if (r == -ENOENT && !err->text[0])
        r = err_say(err, r, "neither the container nor its image has anything there");
    return r;
}

/* What was the container's own is in no image, and goes with the process that holds it. */
static void say_still_open(struct restore_command *q)
{
    bool asked = q->unasked && q->view.running && !q->options.dry_run;
    size_t count = asked ? restore_still_open_count(&q->view, q->target.path) : 0;
    _cleanup_sbuf_ struct sbuf target = SBUF_INIT;

    escape_shell(&target, q->target.text);
    if (count)
        cli_note("%zu deleted file%s that %s not put back yet can be, from whoever holds them open: culprit restore --from open %s", count,
                 count == 1 ? "" : "s", count == 1 ? "is" : "are", sbuf_str(&target));
}

static int restore_pieces(struct restore_command *q, struct err *err)
{
    int r = q->have_view ? 0 : cli_check_target_answers(&q->target, err);

    if (r < 0)
        return r;
    *err = (struct err)ERR_INIT; /* of a record that is not there nothing more is said */
    if (q->from == RESTORE_FROM_ANY)
        return restore_host(q->target.path, &q->options, &q->items, &q->summary, &q->source, err);
    if (q->from == RESTORE_FROM_COPIES)
        r = restore_copies(q->have_view ? &q->view : NULL, q->target.path, &q->options, &q->items, &q->summary, err);
    else if (q->from == RESTORE_FROM_PACKAGE)
        r = restore_package(q->target.path, true, &q->options, &q->items, &q->summary, err);
    else if (q->from == RESTORE_FROM_QUARANTINE)
        r = restore_quarantine(q->target.path, &q->options, &q->items, &q->summary, err);
    else if (q->from == RESTORE_FROM_GIT)
        r = restore_git(q->target.path, true, &q->options, &q->items, &q->summary, err);
    else
        r = restore_still_open(q->have_view ? &q->view : NULL, q->target.path, &q->options, &q->items, &q->summary, err);
    if (r == -ENOENT && q->from == RESTORE_FROM_PACKAGE && !err->text[0])
        return err_say(err, -EOPNOTSUPP, "of this host's packages neither dpkg nor rpm's SQLite has a record: dnf reinstall PACKAGE, or zypper install -f PACKAGE; rpm -qf FILE names it");
    if (r == -ENOENT && q->from == RESTORE_FROM_COPIES && !err->text[0])
        return err_say(err, -EOPNOTSUPP, "no copies of it are kept: culprit watch --keep-copies 256M PATH keeps them");
    if (r == -ENOENT && q->from == RESTORE_FROM_GIT && !err->text[0])
        return err_say(err, -EOPNOTSUPP, "no git work tree has that path");
    restore_name_sources(&q->items, q->from, &q->source);
    return r;
}

static int restore(struct restore_command *q, struct err *err)
{
    struct store_query query = { .path = q->target.path };
    int r = q->target.selector.kind == SELECTOR_NONE ? 0 : find_container(q, err);

    if (r < 0)
        return r == -ENOENT ? -ESRCH : r; /* a container that is gone is no wrong usage, and -ENOENT would say that nothing is missing */
    if (q->have_view)
        query.container = q->view.container->id;
    q->options.query = &query;
    q->options.store = q->store;
    q->options.notice = on_notice;
    q->options.kept_in = kept_in;
    q->options.data = q;
    q->options.copies = q->copies = copies_directory(q->store_path);
    q->options.utc_offset_s = cli_utc_offset(clock_ns(CLOCK_REALTIME));
    r = q->from == RESTORE_FROM_IMAGE ? restore_container(q, err) : restore_pieces(q, err);
    if (r == 0)
        print(q);
    if (r == 0 && q->from == RESTORE_FROM_IMAGE)
        say_still_open(q);
    if (r == 0)
        restore_say_products(q->store, &query, q->have_view ? &q->view : NULL, &q->items);
    return r;
}

int cmd_restore(int argc, char **argv)
{
    struct restore_command q = { 0 };
    struct err err = ERR_INIT;
    int r = parse(argc, argv, &q), code = r;

    if (r == 0 && geteuid() != 0) {
        cli_error("needs root: it writes into what belongs to others");
        r = code = EXIT_UNABLE;
    }
    if (r == 0) {
        (void)foreign_start();
        q.host = cli_host(&q.arena);
        r = open_store(&q, &err);
        if (r == 0)
            r = restore(&q, &err);
        if (r < 0)
            cli_error("%s", err_text(&err, r));
        code = r == -ENOENT ? EXIT_NOTHING : r < 0 ? cli_exit_code(r) : status_of(&q.items);
    }
    command_done(&q);
    return code;
}
