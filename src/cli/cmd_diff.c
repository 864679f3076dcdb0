/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/diff_content.h"
#include "cli/diff_subject.h"
#include "cli/option.h"
#include "cli/options.h"
#include "cli/print.h"
#include "compare/apart.h"
#include "compare/record.h"
#include "restore/stage.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

static void question_done(struct diff_question *q)
{
    difference_page_free(q->page);
    joiner_free(q->joiner);
    store_close(q->store);
    if (q->have_view)
        container_view_done(&q->view);
    users_free(q->users);
    engines_free(q->engines);
    target_done(&q->target);
    store_machine_done(&q->machine);
    arena_done(&q->arena);
    sbuf_done(&q->out);
    sbuf_done(&q->partly);
    free(q->target_text);
}

/* CONTAINER [PATH], CONTAINER:PATH or, between two moments, a host's PATH. */
static int take_target(const struct verb *verb, struct diff_question *q, char *const *words, int count)
{
    char cwd[PATH_MAX];
    struct err err = ERR_INIT;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    bool named = !q->content && !strchr(words[0], '/') && !strchr(words[0], ':'); /* with --content it is a file that lies here */
    bool prefixed = !named && !q->content && words[0][0] != '/' && words[0][0] != '.' && !strstr(words[0], ":/") &&
                    strncmp(words[0], "volume:", 7) != 0; /* whose path follows its name at once */
    int r;

    if (count > 2)
        return cli_usage_error(verb, "one container and one path, please");
    sbuf_add_str(&text, words[0]);
    if (count == 2) {
        if (words[1][0] != '/')
            return cli_usage_error(verb, "\"%.80s\" is no absolute path in the container", words[1]);
        sbuf_addf(&text, ":%s", words[1]);
    } else if (named || prefixed) { /* NAME, compose:PROJECT/SERVICE ... without a path: all of it */
        sbuf_add_str(&text, ":/");
    }
    q->target_text = sbuf_steal(&text);
    if (!q->target_text || !getcwd(cwd, sizeof(cwd))) {
        cli_error("the working directory: %s", strerror(errno));
        return EXIT_UNABLE;
    }
    r = target_parse(bytes_of(q->target_text), bytes_of(cwd), &q->target, &err);
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    r = cli_check_target_answers(&q->target, &err);
    if (r < 0)
        cli_error("%s", err_text(&err, r));
    return r < 0 ? EXIT_UNABLE : 0;
}

static int parse(int argc, char **argv, struct diff_question *q)
{
    const struct verb *verb = verb_by_name("diff");
    struct err err = ERR_INIT;
    uint64_t now = clock_ns(CLOCK_REALTIME);
    enum format format;
    const struct cli_option *option;
    struct option_parser parser;
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        switch (option->id) {
        case OPTION_SINCE:
            r = parse_time(optarg, now, &q->since_ns, &err);
            q->record = true;
            break;
        case OPTION_UNTIL:
            r = parse_time(optarg, now, &q->until_ns, &err);
            q->record = true;
            break;
        case OPTION_STORE:
            q->store_path = optarg;
            break;
        case OPTION_CONTROL:
            q->member.control = optarg;
            break;
        case OPTION_CONTENT:
            q->content = true;
            break;
        case OPTION_TIMES:
            q->times = true;
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
    if (optind >= argc)
        return cli_usage_error(verb, "which container? give CONTAINER [PATH]");
    if (q->since_ns && q->until_ns && q->since_ns >= q->until_ns)
        return cli_usage_error(verb, "the second moment is not later than the first");
    r = take_target(verb, q, argv + optind, argc - optind);
    if (r)
        return r;
    if (q->content && q->target.selector.kind == SELECTOR_VOLUME)
        return cli_usage_error(verb, "--content of a volume: give the place where it lies on the host");
    if (q->target.selector.kind == SELECTOR_NONE && !q->record && !q->content)
        return cli_usage_error(verb, "what a host's file was before is known from the record alone: give --since T");
    return 0;
}

/* ---- what comes out ---- */

static void name_owner(struct diff_question *q, struct difference *d, struct file_state *s)
{
    const struct container *world = q->have_view ? q->view.container : NULL;

    /* the names in a container that is gone are not the host's */
    if (q->target.selector.kind != SELECTOR_NONE && !world)
        return;
    if (s->known & FILE_UID)
        s->owner = arena_copy(&d->arena, users_name(q->users, world, s->uid));
    if (s->known & FILE_GID)
        s->group = arena_copy(&d->arena, users_group(q->users, world, s->gid));
}

static int on_difference(void *data, struct difference *d)
{
    struct diff_question *q = data;
    int r = d->event || !q->joiner ? 0 : joiner_join(q->joiner, d, &q->err);

    name_owner(q, d, &d->before);
    name_owner(q, d, &d->after);
    if (r == 0)
        r = difference_page_add(q->page, d, &q->out);
    difference_free(d);
    if (q->out.len > 64 * 1024) {
        cli_write(stdout, &q->out);
        sbuf_clear(&q->out);
    }
    return r;
}

static void on_notice(void *data, const char *text)
{
    (void)data;
    cli_note("%s", text);
}

static int on_gap(void *data, const struct gap *gap)
{
    struct diff_question *q = data;

    q->lossy = true;
    q->lost += gap->count;
    return 0;
}

/* ---- the two ways ---- */

static struct bytes against_image(struct diff_question *q)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    sbuf_add_str(&s, "its image");
    if (q->view.container->image_name.len) {
        sbuf_add_char(&s, ' ');
        sbuf_add_bytes(&s, q->view.container->image_name);
    }
    return arena_copy(&q->arena, sbuf_bytes(&s));
}

static struct bytes against_moment(struct diff_question *q, uint64_t watched_since)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    uint64_t from = MAX(q->since_ns, watched_since);

    sbuf_add_str(&s, "what it was");
    if (from) {
        sbuf_add_str(&s, " at ");
        cli_add_moment(&s, from);
        if (watched_since > q->since_ns)
            sbuf_add_str(&s, ", when the record begins");
    }
    if (q->until_ns) {
        sbuf_add_str(&s, ", until ");
        cli_add_moment(&s, q->until_ns);
    }
    return arena_copy(&q->arena, sbuf_bytes(&s));
}

static int make_page(struct diff_question *q, struct bytes against)
{
    struct difference_page_options options = {
        .json = q->json,
        .colour = cli_colour(stdout),
        .columns = cli_columns(stdout),
        .target = bytes_of(q->target_text),
        .store = bytes_of(q->store_path),
        .against = against,
        .container = q->have_view ? q->view.container : NULL,
        .host = &q->host,
    };

    q->page = difference_page_new(&options);
    return q->page ? 0 : -ENOMEM;
}

static int diff_image(struct diff_question *q, struct compare_options *options, struct err *err)
{
    struct store_query query = { .container = q->view.container->id, .path = q->target.path };
    struct bytes path;
    int r = joiner_new(q->store, &query, &q->joiner, err);

    if (r == 0)
        r = make_page(q, against_image(q));
    if (r == 0)
        r = compare_image_apart(&q->view, q->target.path, options, &q->arena, &path, err);
    if (r == -ENOENT && !err->text[0])
        r = err_say(err, r, "neither the container nor its image has anything there");
    return r;
}

static int diff_record(struct diff_question *q, struct compare_options *options, struct difference_end *end,
                       struct err *err)
{
    struct store_query query = { .since_ns = q->since_ns, .until_ns = q->until_ns }, watched;
    struct record_summary summary = { 0 };
    struct joiner *joiner = NULL;
    int r;

    r = store_machine_find(q->store, q->host.id, &q->machine, err);
    if (r == 0)
        r = who_store_resolve(q->store, &q->machine, &q->target, &query, err);
    if (r == 0)
        r = who_store_never(q->store, &query, &q->target, q->json, &q->never, &q->out, &q->partly, err);
    if (r < 0 || q->never)
        return r;
    watched = query; /* by any name, as gaps are of what was watched */
    /* files are compared by their paths: one way to name them */
    if (q->target.selector.kind == SELECTOR_NONE && bytes_known(query.host_path)) {
        query.path = query.host_path;
        query.container = BYTES_NULL;
        query.kind = SELECTOR_NONE;
    }
    if (!bytes_known(query.container) || !query.host_is_mount)
        query.host_path = BYTES_NULL;
    r = joiner_new(q->store, &watched, &joiner, err); /* it knows since when these files were watched */
    if (r == 0) {
        end->watched_since = joiner_watched_since(joiner);
        joiner_free(joiner);
        r = make_page(q, against_moment(q, end->watched_since));
    }
    if (r == 0)
        r = store_each_gap(q->store, &watched, on_gap, q, err);
    if (r == 0)
        r = compare_record(q->store, &query, options, &summary, err);
    end->temporary = summary.temporary;
    end->lossy = q->lossy;
    end->lost = q->lost;
    end->watched_partly = sbuf_bytes(&q->partly);
    return r;
}

/* Its files' copies are kept by their paths in its root as it is mounted on the host. */
static int find_content(struct diff_question *q, struct diff_content *content, struct err *err)
{
    _cleanup_close_ int root = -EBADF;
    char real[PATH_MAX], key[STAGE_KEY_SIZE];
    int r = diff_find_container(q, err);

    if (r == 0)
        r = stage_find_base(&q->view, &root, &content->base, err);
    if (r == 0)
        r = stage_resolve(root, q->target.path, real, err);
    if (r < 0)
        return r;
    stage_key(content->base, real, key);
    content->container = q->view.container;
    content->path = arena_copy(&q->arena, bytes_of(key));
    return 0;
}

static int show_content(struct diff_question *q)
{
    struct diff_content content = { .store_path = q->store_path, .since_ns = q->since_ns, .until_ns = q->until_ns, .json = q->json };
    struct err err = ERR_INIT;
    int r = 0;

    if (q->target.selector.kind == SELECTOR_NONE)
        content.path = arena_copy(&q->arena, q->target.path);
    else
        r = find_content(q, &content, &err);
    if (r == 0 && content.path.data)
        return diff_content(&content);
    cli_error("%s", r < 0 ? err_text(&err, r) : "out of memory");
    return r == -ENOENT ? EXIT_NOTHING : r < 0 ? cli_exit_code(r) : EXIT_UNABLE;
}

int diff_given(const struct given_store *given, int argc, char **argv)
{
    struct diff_question q = { .member = { .given = given, .verb = "diff", .argc = argc, .argv = argv } };
    struct compare_options options = { .each = on_difference, .notice = on_notice, .data = &q };
    struct difference_end end = { 0 };
    struct err err = ERR_INIT;
    int r = parse(argc, argv, &q), code;
    bool answered = false; /* by the daemon, with nothing to add */

    if (r == 0 && q.content) {
        r = show_content(&q);
        question_done(&q);
        return r;
    }
    if (r == 0 && diff_find_store(&q, &r))
        r = diff_find_subjects(&q);
    else if (r == 0)
        answered = true;
    if (r || answered) {
        question_done(&q);
        return r;
    }
    options.times = q.times;
    options.hashes = q.json;
    q.host = cli_host(&q.arena);
    r = users_new(q.engines, "/", &q.users, &err);
    if (r == 0)
        r = q.record ? diff_record(&q, &options, &end, &err) : diff_image(&q, &options, &err);
    if (r < 0) {
        cli_write(stdout, &q.out);
        cli_error("%s", err_text(err.text[0] ? &err : &q.err, r));
        question_done(&q);
        return r == -ENOENT ? EXIT_NOTHING : cli_exit_code(r);
    }
    if (q.joiner)
        end.watched_since = joiner_watched_since(q.joiner);
    if (!q.never)
        difference_page_end(q.page, &end, &q.out);
    cli_write(stdout, &q.out);
    code = q.never ? EXIT_NOTHING : !difference_page_count(q.page) ? EXIT_NOTHING : q.lossy ? EXIT_LOST : EXIT_ANSWERED;
    question_done(&q);
    return code;
}

int cmd_diff(int argc, char **argv)
{
    return diff_given(NULL, argc, argv);
}
