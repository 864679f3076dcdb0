/* SPDX-License-Identifier: MIT */
/* auditctl's rules: check, list, load, explain. */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/rule_file.h"
#include "rules/warning.h"
#include "rules/explain.h"
#include "rules/kernel.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/suggest.h"

/* One rule a line: what is foreign in it must not become a second one, or reach the terminal raw. */
static void add_visible_line(struct sbuf *out, struct bytes text)
{
    cli_add_visible(out, text);
    sbuf_add_char(out, '\n');
}

/* ---- list ---- */

struct rule_listing {
    const char *key;
    bool names;
    unsigned shown;
    struct sbuf *out;
};

static int list_one(void *data, const struct audit_rule_data *rule, size_t len)
{
    struct rule_listing *l = data;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    if (l->key && !rule_has_key(rule, len, bytes_of(l->key)))
        return 0;
    l->shown++;
    rule_print(rule, len, l->names, &text);
    add_visible_line(l->out, sbuf_bytes(&text));
    return 0;
}

static int open_kernel(int *ret_fd)
{
    struct err err = ERR_INIT;
    int fd = audit_netlink_open(&err);

    if (fd < 0) {
        cli_error("%s", err_text(&err, fd));
        return cli_exit_code(fd);
    }
    *ret_fd = fd;
    return 0;
}

static int kernel_failure(int r, const char *what)
{
    if (r == -EPERM || r == -EACCES || r == -ECONNREFUSED)
        cli_error("%s: not permitted; needs root (CAP_AUDIT_CONTROL), outside of containers", what);
    else
        cli_error("%s: %s", what, strerror(-r));
    return r == -ECONNREFUSED ? EXIT_UNABLE : cli_exit_code(r);
}

static int rules_list(const struct verb *verb, int argc, char **argv)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct rule_listing listing = { .out = &out };
    _cleanup_close_ int fd = -EBADF;
    struct err err = ERR_INIT;
    bool status = false;
    const struct cli_option *option;
    struct option_parser parser;
    int next, r;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        if (option->id == OPTION_KEY)
            listing.key = optarg;
        else if (option->id == OPTION_INTERPRET)
            listing.names = true;
        else if (option->id == OPTION_STATE)
            status = true;
    }
    if (optind < argc)
        return cli_usage_error(verb, "list takes no FILE: it asks the kernel (\"%.40s\")", argv[optind]);
    r = open_kernel(&fd);
    if (r)
        return r;
    if (status) {
        r = rule_status_print(fd, &out, &err);
        if (r < 0)
            return kernel_failure(r, "audit's state");
        cli_write(stdout, &out);
        return EXIT_ANSWERED;
    }
    r = audit_netlink_rules(fd, list_one, &listing);
    if (r < 0)
        return kernel_failure(r, "the kernel's rules");
    cli_write(stdout, &out);
    if (listing.shown)
        return EXIT_ANSWERED;
    cli_note(listing.key ? "no rule has the key %s" : "no rules%s", listing.key ? listing.key : "");
    return EXIT_NOTHING;
}

/* ---- check ---- */

static void on_warning(void *data, unsigned line, const char *text)
{
    struct rule_file *file = data;

    file->warnings++;
    cli_note("%s:%u: %s", file->name, line, text);
}

static int read_one(const struct verb *verb, const char *what, int argc, char **argv,
                    struct rule_file *file)
{
    if (argc > 1 && argv[1][0] == '-' && argv[1][1])
        return cli_usage_error(verb, "unknown option %.40s", argv[1]);
    if (argc != 2)
        return cli_usage_error(verb, "%s which rules? give one FILE, or - for standard input", what);
    return rule_file_read(argv[1], false, file);
}

static int rules_check(const struct verb *verb, int argc, char **argv)
{
    struct rule_file file = { 0 };
    int r = read_one(verb, "check", argc, argv, &file);

    if (r)
        return r;
    rule_set_warnings(&(struct rule_set){ file.rules, file.count }, on_warning, &file);
    if (file.errors == 0)
        printf("%s: %zu rules and settings, no error%s\n", file.name, file.count,
               file.warnings ? "; see the warnings" : "");
    r = file.errors ? EXIT_USAGE : EXIT_ANSWERED;
    rule_file_done(&file);
    return r;
}

/* ---- explain ---- */

static int collect(void *data, const struct audit_rule_data *rule, size_t len)
{
    struct rule_file *file = data;
    struct rule copy = { .kind = RULE_ADD, .data = malloc(len), .len = len };

    if (!copy.data)
        return -ENOMEM;
    memcpy(copy.data, rule, len);
    return rule_file_add(file, &copy);
}

static int rules_explain(const struct verb *verb, int argc, char **argv)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct rule_file file = { .name = "kernel" };
    struct rule_set set;
    int r;

    if (argc > 1) {
        r = read_one(verb, "explain", argc, argv, &file);
    } else { /* what is in force */
        _cleanup_close_ int fd = -EBADF;

        r = open_kernel(&fd);
        if (!r) {
            r = audit_netlink_rules(fd, collect, &file);
            r = r < 0 ? kernel_failure(r, "the kernel's rules") : 0;
        }
    }
    if (r)
        return r;
    set = (struct rule_set){ file.rules, file.count };
    for (size_t i = 0; i < set.count; i++) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT, words = SBUF_INIT;
        struct bytes rest;

        rule_print_any(&set.rules[i], &text);
        add_visible_line(&out, sbuf_bytes(&text));
        rule_explain(&set, i, &words);
        rest = sbuf_bytes(&words);
        while (rest.len) { /* paths in it are foreign */
            add_visible_line(&out, bytes_next_line(&rest));
        }
        sbuf_add_char(&out, '\n');
    }
    rule_set_limits(&set, &out);
    cli_write(stdout, &out);
    rule_set_warnings(&set, on_warning, &file);
    if (!set.count)
        cli_note("no rules");
    r = file.errors ? EXIT_USAGE : set.count ? EXIT_ANSWERED : EXIT_NOTHING;
    rule_file_done(&file);
    return r;
}

/* ---- load ---- */

/* auditctl -R refuses a file that everybody may write to; so do we. */
static int check_owner(const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        return 0;
    if (stat(path, &st) < 0) {
        int r = -errno;

        cli_error("%s: %s", path, strerror(-r));
        return cli_exit_code(r);
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH)) {
        cli_error("%s: everybody may write to it, so its rules are not loaded (chmod o-w)", path);
        return EXIT_UNABLE;
    }
    return 0;
}

static int load_all(int fd, struct rule_file *file, bool go_on)
{
    bool ignored = false, switched_on = false;
    unsigned loaded = 0, failed = 0;
    struct audit_status status;

    for (size_t i = 0; i < file->count; i++) {
        struct rule *rule = &file->rules[i];
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
        struct err err = ERR_INIT;
        unsigned kept = 0;
        int r = 0;

        if (rule->kind == RULE_STATUS) {
            r = rule_status_print(fd, &text, &err);
            cli_write(stdout, &text);
        } else if (rule->kind == RULE_LIST) {
            struct rule_listing listing = { .key = rule->text, .out = &text };

            r = audit_netlink_rules(fd, list_one, &listing);
            cli_write(stdout, &text);
        } else {
            r = rule_apply(fd, rule, &kept, &err);
        }
        ignored |= rule->kind == RULE_IGNORE;
        switched_on |= rule->kind == RULE_ENABLE && rule->value;
        loaded += r == 0 && rule->kind == RULE_ADD;
        if (kept)
            cli_note("%s:%u: %u rules of a running culprit stay", file->name, rule->line, kept);
        if (r < 0) {
            failed++;
            rule_print_any(rule, &text);
            cli_error("%s:%u: %s: %s", file->name, rule->line, sbuf_str(&text), err_text(&err, r));
            if (!go_on) {
                cli_error("stopped there: %u rules were loaded before it (-i or -c in the file goes on)", loaded);
                return EXIT_UNABLE;
            }
        }
    }
    cli_note("%u rules loaded%s", loaded, failed ? ", some were not" : "");
    if (loaded && !switched_on && audit_netlink_status(fd, &status) == 0 && !status.enabled)
        cli_note("auditing is switched off: the rules record nothing until -e 1");
    return failed && !ignored ? EXIT_UNABLE : EXIT_ANSWERED;
}

static int rules_load(const struct verb *verb, int argc, char **argv)
{
    struct rule_file file = { 0 };
    _cleanup_close_ int fd = -EBADF;
    bool go_on = false;
    int r = argc == 2 ? check_owner(argv[1]) : 0;

    if (!r)
        r = read_one(verb, "load", argc, argv, &file);
    if (r)
        return r;
    for (size_t i = 0; i < file.count; i++)
        go_on |= file.rules[i].kind == RULE_IGNORE || file.rules[i].kind == RULE_CONTINUE;
    if (file.errors && !go_on) {
        cli_error("nothing was loaded");
        r = EXIT_USAGE;
    }
    if (!r)
        r = open_kernel(&fd);
    if (!r) {
        bool ignore = false;

        r = load_all(fd, &file, go_on);
        for (size_t i = 0; i < file.count; i++)
            ignore |= file.rules[i].kind == RULE_IGNORE;
        if (!r && file.errors && !ignore)
            r = EXIT_USAGE;
    }
    rule_file_done(&file);
    return r;
}

/* ---- the verb ---- */

int cmd_rules(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct verb *verb, int argc, char **argv);
    } actions[] = {
        { "check", rules_check },
        { "list", rules_list },
        { "load", rules_load },
        { "explain", rules_explain },
    };
    const struct verb *verb = verb_by_name("rules");
    struct suggestion near = { 0 };

    if (argc < 2)
        return cli_usage_error(verb, "what about rules? check, list, load or explain");
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(argv[1], actions[i].name) == 0)
            return actions[i].run(verb, argc - 1, argv + 1);
    near.typed = bytes_of(argv[1]);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        suggest_offer(&near, bytes_of(actions[i].name));
    if (near.best.data)
        return cli_usage_error(verb, "unknown \"%.40s\"; did you mean %s?", argv[1], near.best.data);
    return cli_usage_error(verb, "unknown \"%.40s\" (check, list, load or explain)", argv[1]);
}
