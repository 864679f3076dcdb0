/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/members.h"
#include "cli/options.h"
#include "cli/print.h"
#include "config/config.h"
#include "daemon/service.h"
#include "util/clock.h"
#include "util/parse.h"

struct daemon_args {
    struct service_options service;
    bool check, print, chosen; /* chosen: the directory was named, and has to be there */
    const char *file;          /* to be checked alone */
};

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    (void)data;
    void (*say)(const char *format, ...) _printf_(1, 2) = warning ? cli_warn : cli_error;

    if (line)
        say("%s:%u: %s%s", file, line, warning ? "warning: " : "", text);
    else
        say("%s: %s%s", file, warning ? "warning: " : "", text);
}

static void on_notice(void *data, const char *text)
{
    (void)data;
    cli_note("%s", text);
}

static void on_gap(void *data, const struct gap *gap)
{
    struct sentence_style style = { .utc_offset_s = cli_utc_offset(gap->from_ns) };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    (void)data;
    sentence_gap(&text, gap, &style);
    cli_warn("%s", sbuf_str(&text));
}

/* systemd.exec(5): the device and inode of the journal's stream, if it is our stderr. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char own[64];

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, own) == 0;
}

/* What a service manager asks for; it is not for those whom we start. */
static int read_environment(const struct verb *verb, struct service_options *o)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t value, whose = (uint64_t)getpid();

    o->notify_socket = getenv("NOTIFY_SOCKET");
    if (!usec || (pid && (parse_u64(bytes_of(pid), 10, &whose) < 0 || whose != (uint64_t)getpid())))
        return 0;
    if (parse_u64(bytes_of(usec), 10, &value) < 0 || value < 1000 || value > UINT64_MAX / 1000)
        return cli_usage_error(verb, "WATCHDOG_USEC=%.40s is no time", usec);
    o->watchdog_ns = value * 1000;
    return 0;
}

static int read_args(const struct verb *verb, int argc, char **argv, struct daemon_args *args)
{
    const struct cli_option *option;
    struct option_parser parser;
    int next;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        switch (option->id) {
        case OPTION_CONFIG:
            args->service.config_dir = optarg;
            args->chosen = true;
            break;
        case OPTION_CHECK_CONFIG:
            args->check = true;
            break;
        case OPTION_PRINT_CONFIG:
            args->print = true;
            break;
        case OPTION_RUNTIME_DIR:
            args->service.runtime_dir = optarg;
            break;
        case OPTION_NO_SECCOMP:
            args->service.no_seccomp = true;
            break;
        case OPTION_DEBUG:
            cli_debug = true;
            break;
        default:
            break;
        }
    }
    if (optind < argc && args->check)
        args->file = argv[optind++];
    if (optind < argc)
        return cli_usage_error(verb, "unexpected word \"%.80s\": what is watched stands in the configuration", argv[optind]);
    return 0;
}

/* A directory that was named has to be there. 0, or the exit status. */
static int find_directory(const struct daemon_args *args)
{
    struct stat st;
    int r = !args->chosen || args->file || stat(args->service.config_dir, &st) == 0 ? 0 : -errno;

    if (r == 0)
        return 0;
    cli_error("%s: %s", args->service.config_dir, strerror(-r));
    return cli_exit_code(r);
}

/* 0, or the exit status: a mistake is wrong usage. */
static int load(const struct daemon_args *args, struct config *c)
{
    struct config_report report = { .problem = on_problem };
    int r = config_init(c);

    if (r == 0)
        r = args->file ? config_load_file(c, args->file, &report) : config_load(c, args->service.config_dir, &report);
    if (r < 0) {
        cli_error("%s", strerror(-r));
        config_done(c);
        return EXIT_UNABLE;
    }
    if (!report.errors)
        return 0;
    config_done(c);
    return EXIT_USAGE;
}

static int show(const struct daemon_args *args)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct config c;
    int r = load(args, &c);

    if (r)
        return r;
    if (args->print)
        config_print(&c, &text);
    else
        sbuf_addf(&text, "no mistake: %u file%s, %zu watch%s\n", c.files, c.files == 1 ? "" : "s", c.blocks[CONFIG_WATCH].count,
                  c.blocks[CONFIG_WATCH].count == 1 ? "" : "es");
    cli_write(stdout, &text);
    config_done(&c);
    return EXIT_ANSWERED;
}

static int run(struct daemon_args *args)
{
    struct service_options *o = &args->service;
    struct err err = ERR_INIT;
    struct arena arena = { 0 };
    struct ecs_host host = cli_host(&arena);
    int r;

    o->log = &cli_log;
    o->docker_socket = cli_docker_socket();
    o->host_id = host.id;
    o->host_name = host.name;
    o->boot_id = host.boot_id;
    o->problem = on_problem;
    o->notice = on_notice;
    o->gap = on_gap;
    o->answerer = (struct answerer_options){ .open = members_open, .answer = members_answer };
    r = service_run(o, &err);
    if (r < 0)
        cli_error("%s", err_text(&err, r));
    arena_done(&arena);
    return r < 0 ? cli_exit_code(r) : EXIT_ANSWERED;
}

int cmd_daemon(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("daemon");
    struct daemon_args args = { .service = { .config_dir = CONFIG_DIRECTORY, .runtime_dir = "/run/culprit" } };
    int r = read_args(verb, argc, argv, &args);

    if (r == 0)
        r = find_directory(&args);
    if (r)
        return r;
    if (args.check || args.print)
        return show(&args);
    cli_priorities = is_journal();
    r = read_environment(verb, &args.service);
    return r ? r : run(&args);
}
