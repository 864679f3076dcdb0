/* SPDX-License-Identifier: MIT */
/* HTTP: a POST to its URL. Of several each has to take it (every Alertmanager of a cluster), and waits for no other. Certificates are checked. */
#include "sink/webhook_format.h"

#include <curl/curl.h>
#include <errno.h>

#include "sink/sink.h"
#include "util/clock.h"
#include "util/macro.h"

#define ANSWER_MAX (64 * 1024) /* bytes that are read of an answer: nothing in it is of interest */

struct webhook_answer {
    size_t len;
};

static size_t on_answer(char *data, size_t size, size_t count, void *user)
{
    struct webhook_answer *a = user;

    (void)data;
    a->len += size * count;
    return a->len <= ANSWER_MAX ? size * count : 0;
}

static struct curl_slist *headers_of(const struct sink_settings *s, struct bytes secret)
{
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json"), *longer;
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    if (!list || !secret.len || !webhook_secret_is_header(s->format))
        return list;
    sbuf_add_str(&line, "Authorization: Bearer ");
    sbuf_add_bytes(&line, secret);
    longer = sbuf_error(&line) < 0 ? NULL : curl_slist_append(list, sbuf_str(&line));
    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

static int post(const struct sink_settings *s, const char *url, struct bytes body, const struct curl_slist *headers, struct err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    struct webhook_answer answer = { 0 };
    CURL *curl = curl_easy_init();
    long status = 0;
    CURLcode r;

    if (!curl)
        return err_set(err, -ENOMEM, "libcurl");
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L); /* a secret goes to whom it is for */
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(s->timeout_ns / NS_PER_MS));
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "culprit/" CULPRIT_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (s->ca_file.len)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca_file.data);
    r = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (r != CURLE_OK)
        return err_say(err, -EIO, "%.200s: %s", url, why[0] ? why : curl_easy_strerror(r));
    if (status < 200 || status > 299)
        return err_say(err, -EIO, "%.200s: answered %ld", url, status);
    return 0;
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_sbuf_ struct sbuf secret = SBUF_INIT, body = SBUF_INIT;
    struct curl_slist *headers = NULL;
    int r = sink_read_secret(s->secret_file, &secret, err);

    if (r == 0)
        r = sink_become(s->user, err);
    if (r < 0)
        return r;
    webhook_body(s->format, m, sbuf_bytes(&secret), clock_ns(CLOCK_REALTIME), &body);
    headers = headers_of(s, sbuf_bytes(&secret));
    if (!headers || sbuf_error(&body) < 0)
        return err_set(err, -ENOMEM, "the message");
    r = post(s, s->to[0].data, sbuf_bytes(&body), headers, err);
    curl_slist_free_all(headers);
    return r;
}

static int check(struct bytes to, struct err *err)
{
    if (bytes_starts_with(to, bytes_of("https://")) || bytes_starts_with(to, bytes_of("http://")))
        return 0;
    return err_say(err, -EINVAL, "a URL begins with https:// or http://");
}

const struct sink_ops sink_webhook = { "webhook", 1, SINK_TO_MAX, "URLs", check, deliver, true };
