/* SPDX-License-Identifier: MIT */
/*
 * Syslog by TCP or TLS: RFC 5424, counted octets (RFC 6587, RFC 5425). Nobody answers there: what the other machine's kernel has
 * acknowledged counts as delivered.
 */
#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>

#include "sink/sink.h"
#include "sink/syslog_message.h"
#include "util/clock.h"
#include "util/macro.h"

#define FACILITY 13 /* log audit */
#define PAUSE_MS 10

static const struct {
    const char *scheme, *curl;
} schemes[] = { { "tcp://", "http://" }, { "tls://", "https://" } };

static void add_header(struct sbuf *out, struct bytes text, size_t max)
{
    size_t at = out->len;

    for (size_t i = 0; i < text.len && out->len - at < max; i++)
        if (text.data[i] > ' ' && text.data[i] < 0x7f) /* PRINTUSASCII */
            sbuf_add_char(out, text.data[i]);
    if (out->len == at)
        sbuf_add_char(out, '-');
}

void sink_syslog_message(const struct sink_message *m, uint64_t now_ns, struct sbuf *out)
{
    static const unsigned severities[SEVERITY_COUNT] = { 6, 6, 5, 3, 2 };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    char moment[40] = "-";
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        (void)!strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%SZ", &tm);
    sbuf_addf(&text, "<%u>1 %s ", FACILITY * 8 + severities[m->severity], moment);
    add_header(&text, m->host, 255);
    sbuf_addf(&text, " culprit - %s - ", m->test ? "test" : "alert");
    sbuf_addf(&text, "[%s%s] ", severity_name(m->severity), alert_state_words(m->state));
    sbuf_add_bytes(&text, m->sentence);
    sbuf_addf(&text, " (alert %.8s, %llu event%s)", m->id, (unsigned long long)m->events, m->events == 1 ? "" : "s");
    sbuf_addf(out, "%zu ", text.len);
    sbuf_add_bytes(out, sbuf_bytes(&text));
}

/* Up to the deadline: all of it has gone, and is acknowledged. */
static int send_all(CURL *curl, struct bytes text, uint64_t until_ns)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    int left = 1;

    if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
        return -ENOTCONN;
    while (text.len) {
        struct pollfd ready = { fd, POLLOUT, 0 };
        size_t n = 0;
        CURLcode r = curl_easy_send(curl, text.data, text.len, &n);

        if (r != CURLE_OK && r != CURLE_AGAIN)
            return -EIO;
        text = (struct bytes){ text.data + n, text.len - n };
        if (clock_ns(CLOCK_MONOTONIC) >= until_ns)
            return -ETIMEDOUT;
        if (r == CURLE_AGAIN)
            (void)poll(&ready, 1, PAUSE_MS);
    }
    while (ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0) {
        struct pollfd broken = { fd, 0, 0 };

        if (poll(&broken, 1, PAUSE_MS) > 0 && broken.revents & (POLLERR | POLLHUP))
            return -EPIPE;
        if (clock_ns(CLOCK_MONOTONIC) >= until_ns)
            return -ETIMEDOUT;
    }
    return 0;
}

static void add_url(const char *to, struct sbuf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (bytes_starts_with(bytes_of(to), bytes_of(schemes[i].scheme))) {
            sbuf_add_str(out, schemes[i].curl);
            sbuf_add_str(out, to + strlen(schemes[i].scheme));
        }
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + s->timeout_ns;
    _cleanup_sbuf_ struct sbuf url = SBUF_INIT, text = SBUF_INIT;
    char why[CURL_ERROR_SIZE] = "";
    int r = sink_become(s->user, err);
    CURL *curl = r == 0 ? curl_easy_init() : NULL;
    CURLcode c;

    if (r < 0)
        return r;
    add_url(s->to[0].data, &url);
    sink_syslog_message(m, clock_ns(CLOCK_REALTIME), &text);
    if (!curl || sbuf_error(&url) < 0 || sbuf_error(&text) < 0)
        return err_set(err, -ENOMEM, "syslog");
    (void)curl_easy_setopt(curl, CURLOPT_URL, url.data);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L); /* and no HTTP: the connection, and TLS with the other one's certificate checked */
    (void)curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->timeout_ns / NS_PER_MS));
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (s->ca_file.len)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca_file.data);
    c = curl_easy_perform(curl);
    if (c != CURLE_OK)
        r = err_say(err, -EIO, "%.200s: %s", s->to[0].data, why[0] ? why : curl_easy_strerror(c));
    else if ((r = send_all(curl, sbuf_bytes(&text), until)) < 0)
        (void)err_set(err, r, "%.200s", s->to[0].data);
    curl_easy_cleanup(curl);
    return r;
}

static int check(struct bytes to, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (bytes_starts_with(to, bytes_of(schemes[i].scheme)) && to.len > strlen(schemes[i].scheme) &&
            memchr(to.data + strlen(schemes[i].scheme), ':', to.len - strlen(schemes[i].scheme)))
            return 0;
    return err_say(err, -EINVAL, "a syslog server is tcp://HOST:PORT or tls://HOST:PORT");
}

const struct sink_ops sink_syslog = { "syslog", 1, SINK_TO_MAX, "tcp://HOST:PORT or tls://HOST:PORT", check, deliver, true, SINK_TAKES_CA, NULL };
