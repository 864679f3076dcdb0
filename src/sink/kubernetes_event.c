/* SPDX-License-Identifier: MIT */
/* Source: the API reference of Kubernetes 1.31, Event v1 core; names as in its "Object Names and IDs". */
#include "sink/kubernetes_event.h"


#include "util/json_writer.h"
#include "util/macro.h"

#define NAME_MAX_LEN 253
#define ID_LEN 16
#define MESSAGE_MAX 1024 /* bytes: what events.k8s.io takes */

static bool is_plain(char c)
{
    return bytes_is_digit(c) || (c >= 'a' && c <= 'z');
}

bool kubernetes_is_name(struct bytes name)
{
    if (!name.len || name.len > NAME_MAX_LEN || !is_plain(name.data[0]) || !is_plain(name.data[name.len - 1]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_plain(name.data[i]) && name.data[i] != '-' && name.data[i] != '.')
            return false;
    return true;
}

void kubernetes_event_name(const struct sink_message *m, struct sbuf *out)
{
    struct bytes pod = bytes_cut(m->pod_name, NAME_MAX_LEN - ID_LEN - 1);

    while (pod.len && !is_plain(pod.data[pod.len - 1]))
        pod.len--;
    sbuf_add_bytes(out, pod);
    sbuf_addf(out, ".%.*s", ID_LEN, m->id);
}

static void add_message(const struct sink_message *m, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_addf(&text, "[%s%s] ", severity_name(m->severity), alert_state_words(m->state));
    sbuf_add_bytes(&text, m->sentence);
    json_string(out, JSON_KEY("message"), bytes_cut(sbuf_bytes(&text), MESSAGE_MAX));
}

static void add_pod(const struct sink_message *m, struct sbuf *out)
{
    (void)json_open(out, JSON_OBJECT("involvedObject"));
    json_string(out, JSON_KEY("apiVersion"), bytes_of("v1"));
    json_string(out, JSON_KEY("kind"), bytes_of("Pod"));
    json_string(out, JSON_KEY("namespace"), m->pod_namespace);
    json_string(out, JSON_KEY("name"), m->pod_name);
    json_bytes(out, JSON_KEY("uid"), m->pod_uid);
    json_close(out);
}

void kubernetes_event(const struct sink_message *m, uint64_t now_ns, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    kubernetes_event_name(m, &name);
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("apiVersion"), bytes_of("v1"));
    json_string(out, JSON_KEY("kind"), bytes_of("Event"));
    (void)json_open(out, JSON_OBJECT("metadata"));
    json_string(out, JSON_KEY("name"), sbuf_bytes(&name));
    json_string(out, JSON_KEY("namespace"), m->pod_namespace);
    json_close(out);
    add_pod(m, out);
    json_string(out, JSON_KEY("reason"), bytes_of("FilesChanged"));
    add_message(m, out);
    (void)json_open(out, JSON_OBJECT("source"));
    json_string(out, JSON_KEY("component"), bytes_of("culprit"));
    json_bytes(out, JSON_KEY("host"), m->host);
    json_close(out);
    json_string(out, JSON_KEY("reportingComponent"), bytes_of("culprit"));
    json_string(out, JSON_KEY("reportingInstance"), bytes_cut(m->host, 128));
    json_string(out, JSON_KEY("type"), bytes_of("Warning"));
    json_number(out, JSON_KEY("count"), MIN(MAX(m->events, UINT64_C(1)), (uint64_t)INT32_MAX));
    json_second(out, JSON_KEY("firstTimestamp"), m->first_ns);
    json_second(out, JSON_KEY("lastTimestamp"), now_ns);
    sbuf_add_char(out, '}');
}
