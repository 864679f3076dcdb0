/* SPDX-License-Identifier: MIT */
/* HTTP: a POST to its URL. Of several each has to take it (every Alertmanager of a cluster), and waits for no other. Certificates are checked. */
#include "sink/webhook_format.h"

#include <errno.h>

#include "sink/http.h"
#include "sink/sink.h"
#include "util/clock.h"

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_sbuf_ struct sbuf secret = SBUF_INIT, body = SBUF_INIT, shown = SBUF_INIT;
    struct http_request request = { .method = "POST", .url = s->to[0].data, .type = "application/json" };
    int r = sink_read_secret(s->secret_file, &secret, err);
    long status = 0;

    if (r == 0)
        r = sink_become(s->user, err);
    if (r < 0)
        return r;
    webhook_body(s->format, m, sbuf_bytes(&secret), clock_ns(CLOCK_REALTIME), &body);
    if (sbuf_error(&body) < 0)
        return err_set(err, -ENOMEM, "the message");
    request.body = sbuf_bytes(&body);
    if (webhook_secret_is_header(s->format))
        request.token = sbuf_bytes(&secret);
    r = sink_http(s, &request, &status, NULL, err);
    if (r < 0)
        return r;
    webhook_shown_url(request.url, &shown);
    return status >= 200 && status <= 299 ? 0 : err_say(err, -EIO, "%.200s: answered %ld", sbuf_str(&shown), status);
}

static int check(struct bytes to, struct err *err)
{
    if (bytes_starts_with(to, bytes_of("https://")) || bytes_starts_with(to, bytes_of("http://")))
        return 0;
    return err_say(err, -EINVAL, "a URL begins with https:// or http://");
}

const struct sink_ops sink_webhook = { "webhook", 1, SINK_TO_MAX, "URLs", check, deliver, true, SINK_TAKES_FORMAT | SINK_TAKES_SECRET | SINK_TAKES_CA, NULL };
