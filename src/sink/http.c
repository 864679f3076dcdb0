/* SPDX-License-Identifier: MIT */
#include "sink/http.h"

#include <curl/curl.h>
#include <errno.h>

#include "sink/webhook_format.h"
#include "util/clock.h"
#include "util/macro.h"

struct http_answer {
    size_t len;
    struct sbuf *text;
};

static size_t on_answer(char *data, size_t size, size_t count, void *user)
{
    struct http_answer *a = user;

    a->len += size * count;
    if (a->text && a->len <= HTTP_ANSWER_MAX)
        sbuf_add(a->text, data, size * count);
    return a->len <= HTTP_ANSWER_MAX ? size * count : 0;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, struct bytes value)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct curl_slist *longer = NULL;

    sbuf_add_str(&line, name);
    sbuf_add_bytes(&line, value);
    if (sbuf_error(&line) == 0)
        longer = curl_slist_append(list, line.data);
    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

static struct curl_slist *headers_of(const struct http_request *request)
{
    struct curl_slist *list = add_header(NULL, "Content-Type: ", bytes_of(request->type));

    return list && request->token.len ? add_header(list, "Authorization: Bearer ", request->token) : list;
}

static void set_request(CURL *curl, const struct sink_settings *s, const struct http_request *request, const struct curl_slist *headers)
{
    (void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(s->timeout_ns / NS_PER_MS));
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "culprit/" CULPRIT_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (s->ca_file.len)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca_file.data);
}

int sink_http(const struct sink_settings *s, const struct http_request *request, long *ret_status, struct sbuf *answer, struct err *err)
{
    struct curl_slist *headers = headers_of(request);
    struct http_answer taken = { .text = answer };
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    char why[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    CURLcode c = CURLE_OUT_OF_MEMORY;
    long status = 0;

    if (curl && headers) {
        set_request(curl, s, request, headers);
        (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &taken);
        c = curl_easy_perform(curl);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    webhook_shown_url(request->url, &shown);
    if (c != CURLE_OK)
        return err_say(err, -EIO, "%.200s: %s", sbuf_str(&shown), why[0] ? why : curl_easy_strerror(c));
    *ret_status = status;
    return 0;
}
