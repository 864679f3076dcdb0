/* SPDX-License-Identifier: MIT */
/*
 * Mail: by the host's sendmail, the message on its stdin, or to a server by SMTP. A mailer that is set-id (postfix' postdrop, exim, nullmailer, dma)
 * gains nothing where no new privileges are allowed, as in culprit's unit: then it fails, and a server is the way.
 */
#include <curl/curl.h>
#include <errno.h>
#include <sys/prctl.h>

#include "sink/mail_message.h"
#include "sink/program.h"
#include "sink/sink.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SENDMAIL "/usr/sbin/sendmail"

/* ---- a program ---- */

static int by_program(const struct sink_settings *s, const struct sink_message *m, struct bytes text, struct err *err)
{
    char *const with[] = { (char *)(uintptr_t)(s->server.len ? s->server.data : SENDMAIL), (char *)(uintptr_t)"-t", (char *)(uintptr_t)"-oi",
                           (char *)(uintptr_t)(s->from.len ? "-f" : NULL), (char *)(uintptr_t)s->from.data, NULL };
    const struct sink_program program = { .argv = with, .input = text, .gains = true };
    bool gains = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
    struct err why = ERR_INIT;
    int r = sink_run_program(&program, s, m, &why);

    if (r == 0)
        return 0;
    return err_say(err, r, "%.150s%s", err_text(&why, r),
                   gains ? "" : " (set-id mailers cannot work in this unit: server = smtp://localhost)");
}

/* ---- a server ---- */

struct mail_text {
    struct bytes rest;
};

static size_t read_text(char *to, size_t size, size_t count, void *user)
{
    struct mail_text *t = user;
    size_t n = MIN(t->rest.len, size * count);

    memcpy(to, t->rest.data, n);
    t->rest = (struct bytes){ t->rest.data + n, t->rest.len - n };
    return n;
}

static void add_lines(struct bytes text, struct sbuf *out)
{
    while (text.len) {
        sbuf_add_bytes(out, bytes_next_line(&text));
        sbuf_add_str(out, "\r\n");
    }
}

static struct curl_slist *recipients(const struct sink_settings *s)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < s->to_count; i++) {
        struct curl_slist *longer = curl_slist_append(list, s->to[i].data);

        if (!longer) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

/* A name and a password never go without TLS, and with it the certificate is checked. */
static void set_security(CURL *curl, const struct sink_settings *s, const struct sbuf *secret)
{
    if (secret->len || s->ca_file.len)
        (void)curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (secret->len)
        (void)curl_easy_setopt(curl, CURLOPT_USERPWD, secret->data);
    if (s->ca_file.len)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca_file.data);
}

static int send_to(CURL *curl, const struct sink_settings *s, const char *from, const struct curl_slist *to, struct bytes lines, struct err *err)
{
    struct mail_text text = { lines };
    char why[CURL_ERROR_SIZE] = "";
    CURLcode c;

    (void)curl_easy_setopt(curl, CURLOPT_URL, s->server.data);
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(s->timeout_ns / NS_PER_MS));
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_text);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, &text);
    (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    c = curl_easy_perform(curl);
    return c == CURLE_OK ? 0 : err_say(err, -EIO, "%.100s: %s", s->server.data, why[0] ? why : curl_easy_strerror(c));
}

static int by_server(const struct sink_settings *s, const struct sink_message *m, struct bytes text, struct err *err)
{
    _cleanup_sbuf_ struct sbuf secret = SBUF_INIT, from = SBUF_INIT, lines = SBUF_INIT;
    struct curl_slist *to;
    CURL *curl;
    int r = sink_read_secret(s->secret_file, &secret, err);

    if (r == 0)
        r = sink_become(s->user, err);
    if (r < 0)
        return r;
    if (s->from.len)
        sbuf_add_bytes(&from, s->from);
    else
        mail_sender(m->host, &from);
    add_lines(text, &lines);
    to = recipients(s);
    curl = curl_easy_init();
    if (!to || !curl || sbuf_error(&from) < 0 || sbuf_error(&lines) < 0) {
        r = err_set(err, -ENOMEM, "mail");
    } else {
        set_security(curl, s, &secret);
        r = send_to(curl, s, from.data, to, sbuf_bytes(&lines), err);
    }
    curl_slist_free_all(to);
    curl_easy_cleanup(curl);
    return r;
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    mail_write(m, s->from, s->to, s->to_count, clock_ns(CLOCK_REALTIME), &text);
    if (sbuf_error(&text) < 0)
        return err_set(err, -ENOMEM, "the message");
    if (!s->server.len || s->server.data[0] == '/')
        return by_program(s, m, sbuf_bytes(&text), err);
    return by_server(s, m, sbuf_bytes(&text), err);
}

const struct sink_ops sink_mail = {
    "mail", 1, SINK_TO_MAX, "addresses", mail_check_address, deliver, false, SINK_TAKES_SERVER | SINK_TAKES_SECRET | SINK_TAKES_CA, NULL
};
