/* SPDX-License-Identifier: MIT */
/*
 * An Event on the pod whose container it is about, so that `kubectl describe pod` and `kubectl get events` show it. One for each alert: what is there
 * already is patched. By the API's specification; needed are create and patch of events in the pods' namespaces.
 */
#include <errno.h>
#include <jansson.h>

#include "sink/http.h"
#include "sink/kubernetes_event.h"
#include "sink/sink.h"
#include "util/clock.h"

#define REVIEW "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{\"resourceAttributes\":" \
               "{\"verb\":\"create\",\"resource\":\"events\"}}}"

static void add_server(const struct sink_settings *s, struct sbuf *url)
{
    sbuf_add_bytes(url, s->to[0]);
    while (url->len && url->data[url->len - 1] == '/')
        sbuf_truncate(url, url->len - 1);
}

static int refused(long status, struct err *err)
{
    static const struct {
        long status;
        int r;
        const char *why;
    } rows[] = {
        { 400, SINK_DROP, "the API server does not take the Event" },
        { 401, -EIO, "the API server does not know the token" },
        { 403, -EIO, "the token may not create and patch events in the pod's namespace" },
        { 404, SINK_DROP, "the pod's namespace is gone" },
        { 422, SINK_DROP, "the API server does not take the Event" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].status == status)
            return err_say(err, rows[i].r, "%s (%ld)", rows[i].why, status);
    return err_say(err, -EIO, "the API server answered %ld", status);
}

static bool is_fine(long status)
{
    return status >= 200 && status <= 299;
}

/* Nothing happened, and no pod is to have an Event: may there be one? */
static int try_it(const struct sink_settings *s, struct bytes token, struct err *err)
{
    _cleanup_sbuf_ struct sbuf url = SBUF_INIT, answer = SBUF_INIT;
    long status = 0;
    bool allowed;
    json_t *json;
    int r;

    add_server(s, &url);
    sbuf_add_str(&url, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
    r = sink_http(s, &(struct http_request){ "POST", sbuf_str(&url), "application/json", bytes_of(REVIEW), token }, &status, &answer, err);
    if (r < 0 || !is_fine(status))
        return r < 0 ? r : refused(status, err);
    json = json_loadb(sbuf_str(&answer), answer.len, 0, NULL);
    allowed = json_is_true(json_object_get(json_object_get(json, "status"), "allowed"));
    json_decref(json);
    return allowed ? 0 : err_say(err, -EACCES, "the token may not create events in all namespaces; in the pod's it may be so still");
}

static int put(const struct sink_settings *s, const struct sink_message *m, struct bytes token, struct err *err)
{
    _cleanup_sbuf_ struct sbuf url = SBUF_INIT, body = SBUF_INIT;
    long status = 0;
    int r;

    kubernetes_event(m, clock_ns(CLOCK_REALTIME), &body);
    add_server(s, &url);
    sbuf_add_str(&url, "/api/v1/namespaces/");
    sbuf_add_bytes(&url, m->pod_namespace);
    sbuf_add_str(&url, "/events");
    if (sbuf_error(&body) < 0 || sbuf_error(&url) < 0)
        return err_set(err, -ENOMEM, "the Event");
    r = sink_http(s, &(struct http_request){ "POST", url.data, "application/json", sbuf_bytes(&body), token }, &status, NULL, err);
    if (r == 0 && status == 409) {
        sbuf_add_char(&url, '/');
        kubernetes_event_name(m, &url);
        r = sink_http(s, &(struct http_request){ "PATCH", sbuf_str(&url), "application/merge-patch+json", sbuf_bytes(&body), token }, &status, NULL, err);
    }
    return r < 0 ? r : is_fine(status) ? 0 : refused(status, err);
}

static int deliver(const struct sink_settings *s, const struct sink_message *m, struct err *err)
{
    _cleanup_sbuf_ struct sbuf token = SBUF_INIT;
    int r = 0;

    if (!m->test && (!kubernetes_is_name(m->pod_namespace) || !kubernetes_is_name(m->pod_name) || bytes_char(m->pod_namespace, '.')))
        return err_say(err, SINK_DROP, "the container's labels name a pod as no pod can be named");
    r = sink_read_secret(s->secret_file, &token, err); /* each time: it is exchanged now and then */
    if (r == 0)
        r = sink_become(s->user, err);
    if (r < 0)
        return r;
    return m->test ? try_it(s, sbuf_bytes(&token), err) : put(s, m, sbuf_bytes(&token), err);
}

static int check(struct bytes to, struct err *err)
{
    return bytes_starts_with(to, bytes_of("https://")) ? 0 : err_say(err, -EINVAL, "an API server's URL begins with https://");
}

static bool wants(const struct sink_message *m)
{
    return m->test || (m->pod_namespace.len && m->pod_name.len);
}

const struct sink_ops sink_kubernetes = {
    "kubernetes", 1, 1, "the API server's URL", check, deliver, false, SINK_TAKES_SECRET | SINK_TAKES_CA, wants
};
