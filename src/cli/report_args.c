/* SPDX-License-Identifier: MIT */
#include "cli/report_args.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/option.h"
#include "util/cleanup.h"
#include "util/glob.h"
#include "util/parse.h"

static int no_memory(void)
{
    cli_error("out of memory");
    return EXIT_UNABLE;
}

/* A name may also be a container's own: it is no error that this host does not have it, but it is said. */
static int add_user(const struct verb *verb, struct filter *filter, const char *text)
{
    struct filter_term *term;
    const struct passwd *entry;
    uint32_t id = UID_UNKNOWN;
    bool is_number;

    if (!*text)
        return cli_usage_error(verb, "no user in --user");
    is_number = parse_u32(bytes_of(text), 10, &id) == 0;
    if (!is_number) {
        entry = getpwnam(text);
        id = entry ? entry->pw_uid : UID_UNKNOWN;
        if (!entry)
            cli_note("this host has no user \"%.40s\"; only users of containers and logs can have that name", text);
    }
    term = filter_add(filter, FILTER_USER, bytes_of(text));
    if (!term)
        return no_memory();
    term->id = id;
    term->is_number = is_number;
    return 0;
}

static int add_text(const struct verb *verb, struct filter *filter, enum filter_kind kind, const char *option,
                    const char *text)
{
    if (!*text)
        return cli_usage_error(verb, "nothing in %s", option);
    return filter_add(filter, kind, bytes_of(text)) ? 0 : no_memory();
}

static int add_container(const struct verb *verb, struct filter *filter, const char *text)
{
    _cleanup_sbuf_ struct sbuf target = SBUF_INIT;
    struct err err = ERR_INIT;
    struct filter_term *term;
    struct selector selector;
    struct bytes path;
    int r;

    sbuf_addf(&target, "%s%s", text, strstr(text, ":/") ? "" : ":/");
    term = filter_add(filter, FILTER_CONTAINER, sbuf_bytes(&target));
    if (!term)
        return no_memory();
    r = selector_parse(term->text, &selector, &path, &err);
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    if (selector.kind == SELECTOR_NONE || selector.kind == SELECTOR_VOLUME)
        return cli_usage_error(verb, "\"%.40s\" is no container", text);
    term->selector = selector;
    return 0;
}

/* What is before the first component with a wildcard, as it is now. False: it is not there, or is the same. */
static bool resolve(const char *text, char *ret, size_t size)
{
    char beginning[PATH_MAX], real[PATH_MAX];
    size_t n = strcspn(text, "*?[\\");

    while (text[n] && n > 1 && text[n - 1] != '/')
        n--;
    if (n >= sizeof(beginning))
        return false;
    memcpy(beginning, text, n);
    beginning[n] = '\0';
    if (cli_check_answers(beginning, NULL) < 0) /* who excludes it may do so because it hangs */
        return false;
    if (!realpath(beginning, real) || (size_t)snprintf(ret, size, "%s%s%s", real, text[n] && real[1] ? "/" : "",
                                                       text + n) >= size)
        return false;
    return strcmp(ret, text) != 0;
}

/* What --exclude and --allow take as it is: a name, an absolute path, a container's path. */
static int parse_path(const struct verb *verb, const char *text, char *absolute, size_t size, struct selector *selector,
                      struct bytes *ret)
{
    struct err err = ERR_INIT;
    char cwd[PATH_MAX];
    int r;

    *ret = bytes_of(text);
    if (text[0] == '/' || !strchr(text, '/'))
        return 0;
    r = selector_parse(*ret, selector, ret, &err);
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    if (selector->kind != SELECTOR_NONE || ret->data[0] == '/')
        return 0;
    if (!getcwd(cwd, sizeof(cwd)))
        return cli_usage_error(verb, "the working directory: %s", strerror(errno));
    text += strncmp(text, "./", 2) == 0 ? 2 : 0;
    if ((size_t)snprintf(absolute, size, "%s/%s", cwd[1] ? cwd : "", text) >= size)
        return cli_usage_error(verb, "the path is too long");
    *ret = bytes_of(absolute);
    return 0;
}

int report_args_add_path(const struct verb *verb, struct filter *filter, enum filter_kind kind, const char *text)
{
    char absolute[2 * PATH_MAX], real[2 * PATH_MAX];
    struct selector selector = { 0 };
    struct filter_term *term;
    struct bytes path;
    int r;

    if (!*text)
        return cli_usage_error(verb, "no path in --%s", kind == FILTER_ALLOW ? "allow" : "exclude");
    r = parse_path(verb, text, absolute, sizeof(absolute), &selector, &path);
    if (r)
        return r;
    term = filter_add(filter, kind, path);
    if (!term)
        return no_memory();
    if (selector.kind != SELECTOR_NONE) {
        term->selector = selector;
        term->selector.runtime = arena_copy(&filter->arena, selector.runtime);
        term->selector.text = arena_copy(&filter->arena, selector.text);
        return 0;
    }
    if (path.data[0] != '/' || !resolve(path.data, real, sizeof(real)))
        return 0;
    term = filter_add(filter, kind, bytes_of(real)); /* the same place by the path that it is recorded by */
    if (term)
        term->host_only = true;
    return term ? 0 : no_memory();
}

bool report_args_take(const struct verb *verb, enum option_id id, const char *argument, struct report_args *args, int *ret)
{
    uint64_t operations = 0;

    *ret = 0;
    switch (id) {
    case OPTION_FORMAT:
        *ret = cli_parse_format(verb, argument, &args->format);
        return true;
    case OPTION_QUIET:
        args->quiet = true;
        return true;
    case OPTION_VERBOSE:
        args->verbose = true;
        return true;
    case OPTION_LIMIT:
        if (parse_u32(bytes_of(argument), 10, &args->limit) < 0)
            *ret = cli_usage_error(verb, "\"%.40s\" is not a number (--limit 10; 0: all)", argument);
        else if (!args->limit)
            args->limit = UINT_MAX;
        return true;
    case OPTION_OP:
        *ret = cli_parse_operations(verb, argument, &operations);
        args->filter.operations |= operations;
        return true;
    case OPTION_USER:
        *ret = add_user(verb, &args->filter, argument);
        return true;
    case OPTION_PROGRAM:
        *ret = add_text(verb, &args->filter, FILTER_PROGRAM, "--program", argument);
        return true;
    case OPTION_CAUSE:
        *ret = add_text(verb, &args->filter, FILTER_CAUSE, "--cause", argument);
        return true;
    case OPTION_CONTAINER:
        *ret = add_container(verb, &args->filter, argument);
        return true;
    case OPTION_EXCLUDE:
        *ret = report_args_add_path(verb, &args->filter, FILTER_EXCLUDE, argument);
        return true;
    default:
        return false;
    }
}

int report_args_check(const struct verb *verb, const struct report_args *args)
{
    if (args->quiet && args->verbose)
        return cli_usage_error(verb, "--quiet and --verbose are opposites");
    return 0;
}

void report_args_done(struct report_args *args)
{
    filter_done(&args->filter);
}
