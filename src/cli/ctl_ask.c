/* SPDX-License-Identifier: MIT */
#include "cli/ctl_ask.h"

#include <errno.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "control/reply.h"
#include "util/cleanup.h"
#include "util/escape.h"

#define ANSWER_MS 30000 /* a reload looks at every target, a flush waits for the disk, a test for whom alerts go to */

static int no_daemon(const char *socket, int r, const char *text)
{
    if (r == -ENOENT || r == -ECONNREFUSED)
        cli_error("no daemon runs (%s); systemctl start culprit, or culprit daemon", socket);
    else if (r == -EACCES || r == -EPERM)
        cli_error("%s: only root and members of the group culprit may ask the daemon", socket);
    else
        cli_error("%s", text);
    return EXIT_UNABLE;
}

int ctl_connect(const char *socket, struct control_asker *ret)
{
    struct err err = ERR_INIT;
    int r = control_connect(socket, ret, &err);

    return r < 0 ? no_daemon(socket, r, err_text(&err, r)) : 0;
}

static void say_error(const struct control_reply *reply)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    size_t problems = control_array_size(reply->parameters, "problems");

    for (size_t i = 0; i < problems; i++) {
        sbuf_clear(&shown);
        escape_terminal(&shown, control_array_text(reply->parameters, "problems", i));
        cli_error("%s", sbuf_str(&shown));
    }
    sbuf_clear(&shown);
    escape_terminal(&shown, control_error_text(reply));
    cli_error("%s", sbuf_str(&shown));
}

int ctl_ask(struct control_asker *asker, struct control_reply *ret)
{
    struct err err = ERR_INIT;
    int r = control_send(asker, ANSWER_MS, &err);

    if (r == 0)
        r = control_receive(asker, ANSWER_MS, ret, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return EXIT_UNABLE;
    }
    if (!bytes_known(ret->error))
        return 0;
    say_error(ret);
    r = bytes_equal_str(ret->error, CONTROL_INTERFACE ".NotWatched")            ? EXIT_NOTHING
        : bytes_equal_str(ret->error, CONTROL_INTERFACE ".NotRemembered")       ? EXIT_NOTHING
        : bytes_equal_str(ret->error, CONTROL_INTERFACE ".NotFound")            ? EXIT_NOTHING
        : bytes_equal_str(ret->error, CONTROL_INTERFACE ".ConfigurationBroken") ? EXIT_USAGE
                                                                                 : EXIT_UNABLE;
    control_reply_done(ret);
    return r;
}

void ctl_write_json(const struct json_t *value)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    control_write(value, &text);
    sbuf_add_char(&text, '\n');
    cli_write(stdout, &text);
}
