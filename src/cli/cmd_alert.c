/* SPDX-License-Identifier: MIT */
/* alert: does one arrive? */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/ctl_ask.h"
#include "cli/options.h"
#include "cli/print.h"
#include "control/reply.h"
#include "util/cleanup.h"
#include "util/escape.h"

struct alert_args {
    const char *socket, *sink;
    bool json;
};

static int parse(const struct verb *verb, struct alert_args *a, int argc, char **argv)
{
    const struct cli_option *option;
    struct option_parser parser;
    int next;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        if (option->id == OPTION_JSON)
            a->json = true;
        else if (option->id == OPTION_CONTROL)
            a->socket = optarg;
    }
    if (optind >= argc || strcmp(argv[optind], "test") != 0)
        return cli_usage_error(verb, "what of alerts? test");
    if (optind + 1 < argc)
        a->sink = argv[optind + 1];
    if (optind + 2 < argc)
        return cli_usage_error(verb, "unexpected word \"%.80s\": one sink, or all of them", argv[optind + 2]);
    return 0;
}

/* "arrived  am: webhook, after 12 ms", "FAILED   am:2: webhook: http://...: answered 500; 3 wait" */
static bool write_one(const struct json_t *s, struct sbuf *out)
{
    bool arrived = control_flag(s, "arrived");

    sbuf_add_str(out, arrived ? "arrived  " : "FAILED   ");
    escape_terminal(out, control_text(s, "name"));
    sbuf_add_str(out, ": ");
    escape_terminal(out, control_text(s, "type"));
    if (arrived) {
        sbuf_addf(out, ", after %" PRIu64 " ms", control_number(s, "ms"));
    } else {
        sbuf_add_str(out, ": ");
        escape_terminal(out, control_text(s, "why"));
        if (control_number(s, "waiting"))
            sbuf_addf(out, "; %" PRIu64 " wait", control_number(s, "waiting"));
    }
    sbuf_add_char(out, '\n');
    return arrived;
}

static int test(struct control_asker *asker, const struct alert_args *a)
{
    struct sbuf *call = control_asker_out(asker);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct control_reply reply;
    bool all = true;
    int r;

    control_call_begin(call, CONTROL_INTERFACE ".TestAlert", false);
    json_bytes(call, JSON_KEY("sink"), bytes_of(a->sink));
    control_call_end(call);
    r = ctl_ask(asker, &reply);
    if (r)
        return r;
    for (size_t i = 0; i < control_array_size(reply.parameters, "sinks"); i++)
        all &= write_one(control_array_object(reply.parameters, "sinks", i), &text);
    if (a->json)
        ctl_write_json(reply.parameters);
    else
        cli_write(stdout, &text);
    control_reply_done(&reply);
    return all ? EXIT_ANSWERED : EXIT_NOTHING;
}

int cmd_alert(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("alert");
    struct alert_args args = { .socket = CLI_CONTROL_SOCKET };
    struct control_asker asker = CONTROL_ASKER_INIT;
    int r = parse(verb, &args, argc, argv);

    if (r)
        return r;
    r = ctl_connect(args.socket, &asker);
    if (r == 0)
        r = test(&asker, &args);
    control_disconnect(&asker);
    return r;
}
