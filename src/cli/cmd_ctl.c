/* SPDX-License-Identifier: MIT */
/* ctl: one question to the daemon, or several of a kind. */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/silence.h"
#include "cli/ctl_alerts.h"
#include "cli/ctl_ask.h"
#include "cli/ctl_text.h"
#include "cli/options.h"
#include "cli/who_store.h"
#include "control/client.h"
#include "control/reply.h"
#include "store/query.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/parse.h"
#include "util/suggest.h"
#include "watch/target.h"

struct ctl {
    const struct verb *verb;
    struct control_asker asker;
    const char *socket, *permissions, *key, *duration, *reason;
    bool off;
    bool json;
    char **targets;
    int target_count;
    uint32_t silence; /* its number, of --off */
};

static int ask(struct ctl *c, struct control_reply *ret)
{
    return ctl_ask(&c->asker, ret);
}

static int ask_plainly(struct ctl *c, const char *method, struct control_reply *ret)
{
    struct sbuf *out = control_asker_out(&c->asker);

    control_call_begin(out, method, false);
    control_call_end(out);
    return ask(c, ret);
}

/* What was put into the asker's text: as JSON, or in the words of `say`, which may be NULL where there is nothing to be said. */
static int ask_and_say(struct ctl *c, void (*say)(const struct ctl *c, const struct json_t *answer))
{
    struct control_reply reply;
    int r = ask(c, &reply);

    if (r)
        return r;
    if (c->json)
        ctl_write_json(reply.parameters);
    else if (say)
        say(c, reply.parameters);
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

/* Read beside the daemon, as `who` does: NULL where that cannot be. */
static const struct store_summary *summarise(const struct json_t *status, struct store_summary *ret)
{
    struct bytes path = control_text(control_object(status, "store"), "path");
    struct store_options options = { .path = path.data, .read_only = true };
    struct store *store = NULL;
    bool known = path.len && access(path.data, R_OK) == 0 && cli_check_answers(path.data, NULL) == 0 &&
                 store_open(&options, &store, NULL) == 0 && store_summarise(store, ret, NULL) == 0;

    if (store)
        store_close(store);
    return known ? ret : NULL;
}

static int ctl_status(struct ctl *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct store_summary summary;
    struct control_reply reply;
    int r = ask_plainly(c, CONTROL_INTERFACE ".Status", &reply);

    if (r)
        return r;
    if (c->json) {
        ctl_write_json(control_object(reply.parameters, "status"));
    } else {
        const struct json_t *status = control_object(reply.parameters, "status");

        ctl_write_status(status, summarise(status, &summary), &text);
        cli_write(stdout, &text);
    }
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

static int ctl_watches(struct ctl *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct control_reply reply;
    int r = ask_plainly(c, CONTROL_INTERFACE ".Watches", &reply);

    if (r)
        return r;
    if (c->json) {
        ctl_write_json(reply.parameters);
    } else {
        ctl_write_watches(reply.parameters, &text);
        cli_write(stdout, &text);
    }
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

static int ctl_metrics(struct ctl *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct control_reply reply;
    int r = ask_plainly(c, CONTROL_INTERFACE ".Metrics", &reply);

    if (r)
        return r;
    sbuf_add_bytes(&text, control_text(reply.parameters, "text"));
    cli_write(stdout, &text);
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

static int ctl_reload(struct ctl *c)
{
    struct control_reply reply;
    int r = ask_plainly(c, CONTROL_INTERFACE ".Reload", &reply);

    if (r)
        return r;
    if (c->json)
        ctl_write_json(reply.parameters);
    else
        cli_note("the configuration was read again: %llu new, %llu ended, %llu as before",
                 (unsigned long long)control_number(reply.parameters, "added"),
                 (unsigned long long)control_number(reply.parameters, "ended"),
                 (unsigned long long)control_number(reply.parameters, "kept"));
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

static int ctl_flush(struct ctl *c)
{
    struct control_reply reply;
    int r = ask_plainly(c, CONTROL_INTERFACE ".Flush", &reply);

    if (r)
        return r;
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

/* As the daemon is to take it: it has another working directory. recorded: as what happens there is recorded. */
static int absolute(const char *text, bool recorded, struct sbuf *out)
{
    struct err err = ERR_INIT;
    struct target target;
    char cwd[PATH_MAX];
    int r = getcwd(cwd, sizeof(cwd)) ? 0 : err_set(&err, -errno, "the working directory");

    if (r == 0)
        r = target_parse(bytes_of(text), bytes_of(cwd), &target, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return EXIT_USAGE;
    }
    if (target.selector.kind != SELECTOR_NONE)
        sbuf_add_str(out, text);
    else
        sbuf_add_bytes(out, recorded ? cli_follow_links(&target) : target.path);
    target_done(&target);
    return 0;
}

static int change_one(struct ctl *c, const char *method, const char *text)
{
    struct sbuf *out = control_asker_out(&c->asker);
    _cleanup_sbuf_ struct sbuf target = SBUF_INIT;
    int r = absolute(text, false, &target);

    if (r)
        return r;
    control_call_begin(out, method, false);
    if (json_string(out, JSON_KEY("target"), sbuf_bytes(&target))) {
        cli_error("the daemon takes targets in UTF-8 only");
        return EXIT_USAGE;
    }
    json_bytes(out, JSON_KEY("permissions"), bytes_of(c->permissions));
    json_bytes(out, JSON_KEY("key"), bytes_of(c->key));
    control_call_end(out);
    return ask_and_say(c, NULL);
}

static int change(struct ctl *c, const char *method)
{
    int r = 0;

    if (!c->target_count)
        return cli_usage_error(c->verb, "which one? give [CONTAINER:]PATH");
    if (cli_check_targets(c->verb, c->targets, (size_t)c->target_count))
        return EXIT_USAGE;
    for (int i = 0; r == 0 && i < c->target_count; i++)
        r = change_one(c, method, c->targets[i]);
    return r;
}

static int ctl_add(struct ctl *c)
{
    return change(c, CONTROL_INTERFACE ".Add");
}

static int ctl_remove(struct ctl *c)
{
    return change(c, CONTROL_INTERFACE ".Remove");
}

static int ctl_explain(struct ctl *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct control_reply reply;
    struct sbuf *out;
    int r;

    if (c->target_count != 1)
        return cli_usage_error(c->verb, "which event? give its id (event.id of the JSON), or the first eight digits of it");
    out = control_asker_out(&c->asker);
    control_call_begin(out, CONTROL_INTERFACE ".Explain", false);
    (void)json_string(out, JSON_KEY("event"), bytes_of(c->targets[0]));
    control_call_end(out);
    r = ask(c, &reply);
    if (r)
        return r;
    if (c->json)
        ctl_write_json(control_object(reply.parameters, "explanation"));
    else
        ctl_write_explanation(control_object(reply.parameters, "explanation"), &text);
    cli_write(stdout, &text);
    control_reply_done(&reply);
    return EXIT_ANSWERED;
}

static int list_silences(struct ctl *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct control_reply reply;
    int r = ask_plainly(c, CONTROL_INTERFACE ".Status", &reply);
    const struct json_t *alerts;

    if (r)
        return r;
    alerts = control_object(control_object(reply.parameters, "status"), "alerts");
    r = control_array_size(alerts, "silences") ? EXIT_ANSWERED : EXIT_NOTHING;
    for (size_t i = 0; i < control_array_size(alerts, "silences"); i++) {
        const struct json_t *silence = control_array_object(alerts, "silences", i);

        if (c->json)
            ctl_write_json(silence);
        else
            ctl_write_silence(silence, &text);
    }
    cli_write(stdout, &text);
    control_reply_done(&reply);
    return r;
}

static void say_silence_ended(const struct ctl *c, const struct json_t *answer)
{
    cli_note("silence %u is over: %llu changes were silenced", c->silence, (unsigned long long)control_number(answer, "events"));
}

static int end_silence(struct ctl *c)
{
    struct sbuf *out = control_asker_out(&c->asker);

    if (c->target_count != 1 || parse_u32(bytes_of(c->targets[0]), 10, &c->silence) < 0)
        return cli_usage_error(c->verb, "which one? silence --off NUMBER");
    control_call_begin(out, CONTROL_INTERFACE ".EndSilence", false);
    json_number(out, JSON_KEY("silence"), c->silence);
    control_call_end(out);
    return ask_and_say(c, say_silence_ended);
}

/* An alert's id, or its beginning; all else is a target. */
static bool is_alert(const char *text)
{
    size_t len = strspn(text, "0123456789abcdef");

    return len >= 8 && len <= 32 && !text[len];
}

static void say_silenced(const struct ctl *c, const struct json_t *answer)
{
    struct bytes until = control_text(answer, "until");

    (void)c;
    cli_note("silence %llu until %.*s", (unsigned long long)control_number(answer, "silence"), (int)until.len, until.data);
}

static int begin_silence(struct ctl *c, const char *text, uint64_t for_ns)
{
    struct sbuf *out = control_asker_out(&c->asker);
    _cleanup_sbuf_ struct sbuf target = SBUF_INIT;
    int r = 0;

    if (is_alert(text))
        sbuf_add_str(&target, text);
    else
        r = absolute(text, true, &target); /* /var/run/x is /run/x */
    if (r)
        return r;
    control_call_begin(out, CONTROL_INTERFACE ".Silence", false);
    if (json_string(out, is_alert(text) ? JSON_KEY("alert") : JSON_KEY("target"), sbuf_bytes(&target)) ||
        json_string(out, JSON_KEY("reason"), bytes_of(c->reason))) {
        cli_error("the daemon takes targets and reasons in UTF-8 only");
        return EXIT_USAGE;
    }
    json_number(out, JSON_KEY("seconds"), for_ns / NS_PER_S);
    control_call_end(out);
    return ask_and_say(c, say_silenced);
}

static int ctl_silence(struct ctl *c)
{
    struct err err = ERR_INIT;
    uint64_t for_ns;
    int r = 0;

    if (c->off)
        return end_silence(c);
    if (!c->target_count)
        return c->duration || c->reason ? cli_usage_error(c->verb, "silence what? give [CONTAINER:]PATH, or an alert's id") : list_silences(c);
    if (!c->duration || !c->reason || !*c->reason)
        return cli_usage_error(c->verb, "a silence has an end and a reason: --for DUR --reason TEXT");
    if (parse_duration(c->duration, &for_ns, &err) < 0)
        return cli_usage_error(c->verb, "--for: %s", err.text);
    if (for_ns < NS_PER_S || for_ns > SILENCE_MAX_NS)
        return cli_usage_error(c->verb, "--for is from 1s to 30d: for longer there are expect blocks in the configuration");
    for (int i = 0; r == 0 && i < c->target_count; i++)
        r = begin_silence(c, c->targets[i], for_ns);
    return r;
}

static const struct action {
    const char *name;
    bool targets;
    int (*run)(struct ctl *c);
} actions[] = {
    { "status", false, ctl_status }, { "watches", false, ctl_watches }, { "add", true, ctl_add },
    { "remove", true, ctl_remove },  { "silence", true, ctl_silence }, { "reload", false, ctl_reload },   { "flush", false, ctl_flush },
    { "metrics", false, ctl_metrics }, { "explain", true, ctl_explain },
};

static const struct action *find_action(const struct verb *verb, const char *name)
{
    struct suggestion near = { .typed = bytes_of(name) };

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (strcmp(name, actions[i].name) == 0)
            return &actions[i];
        suggest_offer(&near, bytes_of(actions[i].name));
    }
    if (near.best.data)
        (void)cli_usage_error(verb, "unknown \"%.40s\"; did you mean %s?", name, near.best.data);
    else
        (void)cli_usage_error(verb, "unknown \"%.40s\" (status, watches, add, remove, silence, reload, flush, metrics or explain)", name);
    return NULL;
}

static int parse(struct ctl *c, int argc, char **argv)
{
    const struct cli_option *option;
    struct option_parser parser;
    int next;

    options_begin(&parser, c->verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        switch (option->id) {
        case OPTION_JSON:
            c->json = true;
            break;
        case OPTION_CONTROL:
            c->socket = optarg;
            break;
        case OPTION_PERMISSIONS:
            c->permissions = optarg;
            break;
        case OPTION_KEY:
            c->key = optarg;
            break;
        case OPTION_FOR:
            c->duration = optarg;
            break;
        case OPTION_REASON:
            c->reason = optarg;
            break;
        case OPTION_OFF:
            c->off = true;
            break;
        default:
            break;
        }
    }
    return 0;
}

static int connect_and_run(struct ctl *c, int (*run)(struct ctl *c))
{
    int r = ctl_connect(c->socket, &c->asker);

    if (r == 0)
        r = run(c);
    control_disconnect(&c->asker);
    return r;
}

int cmd_silence(int argc, char **argv)
{
    struct ctl c = { .verb = verb_by_name("silence"), .asker = CONTROL_ASKER_INIT, .socket = CLI_CONTROL_SOCKET };
    int r = parse(&c, argc, argv);

    if (r)
        return r;
    c.targets = argv + optind;
    c.target_count = argc - optind;
    return connect_and_run(&c, ctl_silence);
}

int cmd_ctl(int argc, char **argv)
{
    struct ctl c = { .verb = verb_by_name("ctl"), .asker = CONTROL_ASKER_INIT, .socket = CLI_CONTROL_SOCKET };
    const struct action *action;
    int r = parse(&c, argc, argv);

    if (r)
        return r;
    if (optind >= argc)
        return cli_usage_error(c.verb, "what of the daemon? status, watches, add, remove, silence, reload, flush, metrics or explain");
    action = find_action(c.verb, argv[optind++]);
    if (!action)
        return EXIT_USAGE;
    c.targets = argv + optind;
    c.target_count = argc - optind;
    if (!action->targets && c.target_count)
        return cli_usage_error(c.verb, "unexpected word \"%.80s\"", c.targets[0]);
    if (!action->targets && (c.permissions || c.key))
        return cli_usage_error(c.verb, "-p and -k go with add");
    if (action->run != ctl_silence && (c.duration || c.reason || c.off))
        return cli_usage_error(c.verb, "--for, --reason and --off go with silence");
    return connect_and_run(&c, action->run);
}
