/* SPDX-License-Identifier: MIT */
#include "cli/by_daemon.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/base64.h"
#include "control/client.h"
#include "control/reply.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/macro.h"

#define ANSWER_MS (660 * 1000u) /* the daemon gives up before that */
#define SEND_MS 10000u

const char *by_daemon_environment(unsigned index)
{
    static const char *const names[] = { "TZ", "LANG", "LC_ALL", "LC_TIME", "LC_CTYPE", "LC_MESSAGES", "LANGUAGE" };

    return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static void write_texts(struct sbuf *out, const struct daemon_question *q)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *name;

    json_open(out, JSON_ARRAY("arguments"));
    for (int i = 1; i < q->argc; i++)
        json_element(out, bytes_of(q->argv[i]));
    json_close_array(out);
    json_open(out, JSON_ARRAY("environment"));
    for (unsigned i = 0; (name = by_daemon_environment(i)); i++) {
        const char *value = getenv(name);

        if (!value)
            continue;
        sbuf_clear(&text);
        sbuf_addf(&text, "%s=%s", name, value);
        json_element(out, sbuf_bytes(&text));
    }
    json_close_array(out);
}

/* A path that is cut or changed on its way would be another one's answer. */
static int write_question(struct control_asker *asker, const struct daemon_question *q, const char *store, struct err *err)
{
    _cleanup_sbuf_ struct sbuf scratch = SBUF_INIT;
    struct sbuf *out = control_asker_out(asker);
    char cwd[PATH_MAX];

    if (!getcwd(cwd, sizeof(cwd)))
        return err_set(err, -errno, "the working directory");
    control_call_begin(out, CONTROL_INTERFACE ".Ask", true);
    (void)json_string(out, JSON_KEY("verb"), bytes_of(q->verb));
    (void)json_string(out, JSON_KEY("store"), bytes_of(store));
    if (json_string(out, JSON_KEY("directory"), bytes_of(cwd)))
        return err_say(err, -EILSEQ, "the daemon is asked in UTF-8, which the working directory's path is not");
    write_texts(out, q);
    json_number(out, JSON_KEY("columns"), cli_columns(stdout));
    json_bool(out, JSON_KEY("colour"), cli_colour(stdout));
    control_call_end(out);
    for (int i = 1; i < q->argc; i++)
        if (json_string(&scratch, JSON_KEY("text"), bytes_of(q->argv[i])))
            return err_say(err, -EILSEQ, "the daemon is asked in UTF-8, which \"%.40s\" is not", q->argv[i]);
    return 0;
}

static int print_piece(const struct control_reply *reply, const char *name, FILE *to)
{
    _cleanup_sbuf_ struct sbuf piece = SBUF_INIT;
    struct bytes text = control_text(reply->parameters, name);

    if (!text.len)
        return 0;
    if (base64_read(text, &piece) < 0)
        return -EBADMSG;
    cli_write(to, &piece);
    return fflush(to) == 0 ? 0 : -EPIPE;
}

/* *ret_began: something was printed, so that it can be no other answer any more. */
static int print_answer(struct control_asker *asker, bool *ret_began, int *ret_status, struct err *err)
{
    for (;;) {
        struct control_reply reply;
        int r = control_receive(asker, ANSWER_MS, &reply, err);

        if (r < 0)
            return r;
        if (bytes_known(reply.error)) {
            _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

            escape_terminal(&shown, control_error_text(&reply));
            r = bytes_equal_str(reply.error, CONTROL_INTERFACE ".NotFound") ? -EXDEV : -EIO;
            (void)err_say(err, r, "%s", sbuf_str(&shown));
        } else {
            *ret_began = true;
            r = print_piece(&reply, "output", stdout);
            if (r == 0)
                r = print_piece(&reply, "errors", stderr);
            *ret_status = (int)control_number(reply.parameters, "status");
            if (r == 0 && !reply.continues)
                r = 1;
        }
        control_reply_done(&reply);
        if (r)
            return r;
    }
}

static int ask(const struct daemon_question *q, const char *store, bool *ret_began, int *ret_status, struct err *err)
{
    struct control_asker asker = CONTROL_ASKER_INIT;
    int r = control_connect(q->control ? q->control : CLI_CONTROL_SOCKET, &asker, err);

    if (r == 0)
        r = write_question(&asker, q, store, err);
    if (r == 0)
        r = control_send(&asker, SEND_MS, err);
    if (r == 0)
        r = print_answer(&asker, ret_began, ret_status, err);
    control_disconnect(&asker);
    return r;
}

/* Why nobody has answered. err has why the store cannot be opened. */
static int say_why(int opened, int asked, const struct err *why, struct err *err)
{
    struct err first = *err;

    *err = ERR_INIT;
    if (asked == -ENOENT || asked == -ECONNREFUSED)
        return err_say(err, opened, "%s; a daemon that records to it answers members of the group culprit, and none does here",
                       err_text(&first, opened));
    if (asked == -EACCES || asked == -EPERM)
        return err_say(err, opened, "%s; the daemon answers members of the group culprit, and you are none", err_text(&first, opened));
    return err_say(err, opened, "%s; the daemon: %s", err_text(&first, opened), err_text(why, asked));
}

int by_daemon_open_store(const struct store_options *options, const struct daemon_question *question, struct store **ret_store,
                       int *ret_status, struct err *err)
{
    struct err why = ERR_INIT;
    bool began = false;
    int r, asked;

    if (question->given) {
        *err = question->given->err;
        *ret_store = question->given->store;
        return question->given->opened;
    }
    r = store_open(options, ret_store, err);
    if ((r != -EACCES && r != -EPERM) || geteuid() == 0)
        return r;
    asked = ask(question, options->path ? options->path : STORE_DEFAULT_PATH, &began, ret_status, &why);
    if (asked > 0)
        return 1;
    if (!began)
        return say_why(r, asked, &why, err);
    if (asked != -EPIPE) {
        cli_error("%s", err_text(&why, asked));
        *ret_status = EXIT_UNABLE;
    }
    return 1;
}
