/* SPDX-License-Identifier: MIT */
/*
 * Docker's Engine API over its unix socket, which Podman's service speaks too. Questions are put by
 * a thread of their own (engine_ask.h) and have a time-out; the stream of events runs in a curl multi
 * handle, read from the caller's loop. The two share nothing that changes.
 */
#include "engine/engine_ops.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "engine/docker_json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/fingerprint.h"
#include "util/limits.h"
#include "util/macro.h"

#define ASK_TIMEOUT_MS 2000
#define LIST_TIMEOUT_MS 30000 /* 10,000 containers take a busy dockerd some seconds */
#define RECONNECT_NS NS_PER_S

static const char *const docker_sockets[] = { "/run/docker.sock", "/var/run/docker.sock", NULL };
static const char *const podman_sockets[] = { "/run/podman/podman.sock", NULL };

#define RECENT 256                 /* moments; a reconnect repeats those of OVERLAP_NS */
#define OVERLAP_NS (5 * NS_PER_S)

struct docker {
    const struct log *log;
    const char *name;           /* "Docker", for people */
    const char *const *sockets; /* the usual places */
    char *given;                /* by the user, NULL = the usual places */
    CURL *ask;
    CURLM *asking;
    atomic_bool end;
    /* the stream */
    CURLM *multi;
    CURL *stream;
    int epoll_fd;          /* holds what curl waits for, so that the caller has one descriptor */
    struct sbuf line;      /* a part of an object that has not come whole yet */
    struct sbuf complete;  /* whole objects, one a line */
    uint64_t opened_ns;    /* CLOCK_REALTIME: what happened before is not asked for */
    uint64_t newest_ns;    /* the latest time of a moment so far */
    struct fingerprint recent[RECENT]; /* of the last objects: what a reconnect repeats is dropped by them */
    unsigned recent_at;
    uint64_t retry_ns;     /* CLOCK_MONOTONIC: not before */
};

/* Looked for each time: an engine may come. NULL: none is there. */
static const char *find_socket(const struct docker *d)
{
    struct stat st;

    if (d->given)
        return d->given;
    for (size_t i = 0; d->sockets[i]; i++)
        if (stat(d->sockets[i], &st) == 0 && S_ISSOCK(st.st_mode))
            return d->sockets[i];
    return NULL;
}

static int open_api(const struct log *log, const char *name, const char *const *sockets,
                    const char *given, void **ret, struct err *err)
{
    struct docker *d = calloc(1, sizeof(*d));

    if (!d)
        return err_set(err, -ENOMEM, "%s", name);
    d->log = log;
    d->name = name;
    d->sockets = sockets;
    d->epoll_fd = -1;
    d->opened_ns = d->newest_ns = clock_ns(CLOCK_REALTIME);
    d->given = given ? strdup(given) : NULL;
    /* nothing but plain HTTP over unix sockets: TLS libraries, which curl would make ready, stay as they are */
    (void)curl_global_init(CURL_GLOBAL_NOTHING);
    d->ask = curl_easy_init();
    d->asking = curl_multi_init();
    if (!d->ask || !d->asking || (given && !d->given)) {
        curl_easy_cleanup(d->ask);
        curl_multi_cleanup(d->asking);
        curl_global_cleanup();
        free(d->given);
        free(d);
        return err_set(err, -ENOMEM, "%s", name);
    }
    *ret = d;
    return 0;
}

static int docker_open(const struct engines_options *options, struct oci *oci, void **ret, struct err *err)
{
    (void)oci;
    return open_api(options->log, "Docker", docker_sockets, options->docker_socket, ret, err);
}

static int podman_open(const struct engines_options *options, struct oci *oci, void **ret, struct err *err)
{
    (void)oci;
    return open_api(options->log, "Podman's service", podman_sockets, NULL, ret, err);
}

static void stop_stream(struct docker *d)
{
    if (d->stream) {
        curl_multi_remove_handle(d->multi, d->stream);
        curl_easy_cleanup(d->stream);
        d->stream = NULL;
    }
    if (d->multi) {
        curl_multi_cleanup(d->multi);
        d->multi = NULL;
    }
    if (d->epoll_fd >= 0)
        close(d->epoll_fd);
    d->epoll_fd = -1;
    sbuf_clear(&d->line);
}

static void docker_close(void *engine)
{
    struct docker *d = engine;

    stop_stream(d);
    curl_easy_cleanup(d->ask);
    curl_multi_cleanup(d->asking);
    sbuf_done(&d->line);
    sbuf_done(&d->complete);
    curl_global_cleanup(); /* counted */
    free(d->given);
    free(d);
}

static size_t collect(char *data, size_t size, size_t count, void *user)
{
    struct sbuf *body = user;
    size_t len = size * count;

    if (body->len + len > LIMIT_API_BODY)
        return 0; /* curl ends the transfer: CURLE_WRITE_ERROR */
    sbuf_add(body, data, len);
    return sbuf_error(body) ? 0 : len;
}

/* The errno behind curl's failure to reach a unix socket. */
static int connection_error(CURL *curl)
{
    long os_error = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    return os_error > 0 ? (int)-os_error : -ECONNREFUSED;
}

static void set_common(const char *socket, CURL *curl, const char *url)
{
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

/* As curl_easy_perform(), but docker_interrupt() ends it at once. */
static CURLcode perform(struct docker *d)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    const CURLMsg *message;

    if (curl_multi_add_handle(d->asking, d->ask) != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (running && !atomic_load(&d->end)) {
        if (curl_multi_perform(d->asking, &running) != CURLM_OK)
            break;
        if (running && !atomic_load(&d->end))
            (void)curl_multi_poll(d->asking, NULL, 0, ASK_TIMEOUT_MS, NULL);
    }
    while ((message = curl_multi_info_read(d->asking, &left)))
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    curl_multi_remove_handle(d->asking, d->ask);
    return code;
}

static bool docker_there(void *engine)
{
    return find_socket(engine) != NULL;
}

static void docker_interrupt(void *engine)
{
    struct docker *d = engine;

    atomic_store(&d->end, true);
    (void)curl_multi_wakeup(d->asking);
}

/* 0 and the body of a 200; -ENOENT for 404. */
static int get(struct docker *d, const char *path, long timeout_ms, struct sbuf *body, struct err *err)
{
    const char *socket = find_socket(d);
    char url[512];
    long status = 0;
    CURLcode code;

    if (!socket)
        return err_say(err, -ENODEV, "%s is not running here (no %s)", d->name, d->sockets[0]);
    snprintf(url, sizeof(url), "http://docker%s", path);
    curl_easy_reset(d->ask);
    set_common(socket, d->ask, url);
    curl_easy_setopt(d->ask, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(d->ask, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(d->ask, CURLOPT_WRITEDATA, body);
    code = perform(d);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_say(err, -ETIMEDOUT, "%s accepts and does not answer within %ld s", socket,
                       timeout_ms / 1000);
    if (code == CURLE_WRITE_ERROR)
        return err_say(err, -E2BIG, "%s answered more than %d bytes", d->name, LIMIT_API_BODY);
    if (code != CURLE_OK) {
        int r = connection_error(d->ask);

        return r == -EACCES ? err_say(err, r, "%s: permission denied; run as root, or join its group", socket)
               : r == -ENOENT || r == -ECONNREFUSED
                   ? err_say(err, -ENODEV, "%s is not running (%s)", d->name, socket)
                   : err_set(err, r, "%s", socket);
    }
    (void)curl_easy_getinfo(d->ask, CURLINFO_RESPONSE_CODE, &status);
    if (status == 404)
        return -ENOENT;
    if (status != 200)
        return err_say(err, -EPROTO, "%s answered with status %ld", d->name, status);
    return 0;
}

static bool docker_present(void *engine, char *text, size_t size)
{
    struct docker *d = engine;
    _cleanup_sbuf_ struct sbuf body = SBUF_INIT;
    struct err err = ERR_INIT;
    int r = get(d, "/version", ASK_TIMEOUT_MS, &body, &err);

    if (r < 0) {
        snprintf(text, size, "%s", r == -ENODEV ? "not running" : err_text(&err, r));
        return false;
    }
    if (docker_parse_version(sbuf_bytes(&body), text, size) < 0)
        snprintf(text, size, "version not known");
    return true;
}

static int docker_list(void *engine, int (*each)(void *data, struct container *c), void *data,
                       struct err *err)
{
    _cleanup_sbuf_ struct sbuf body = SBUF_INIT;
    int r = get(engine, "/containers/json?all=1", LIST_TIMEOUT_MS, &body, err);

    return r < 0 ? r : docker_parse_list(sbuf_bytes(&body), each, data, err);
}

/* Only what cannot end or change the URL. */
static bool is_plain(struct bytes id)
{
    return bytes_is_plain(id) && id.len < 256;
}

static int docker_view(void *engine, struct bytes id, struct container_view *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf body = SBUF_INIT;
    char path[320];
    int r;

    if (!is_plain(id))
        return -ENOENT;
    snprintf(path, sizeof(path), "/containers/%.*s/json", (int)id.len, id.data);
    r = get(engine, path, ASK_TIMEOUT_MS, &body, err);
    return r < 0 ? r : docker_parse_inspect(sbuf_bytes(&body), ret, err);
}

static int docker_volume(void *engine, struct bytes name, struct arena *arena, struct bytes *ret,
                         struct err *err)
{
    _cleanup_sbuf_ struct sbuf body = SBUF_INIT;
    char path[320];
    int r;

    if (!is_plain(name))
        return -ENOENT;
    snprintf(path, sizeof(path), "/volumes/%.*s", (int)name.len, name.data);
    r = get(engine, path, ASK_TIMEOUT_MS, &body, err);
    return r < 0 ? r : docker_parse_volume(sbuf_bytes(&body), arena, ret, err);
}

/* ---- the stream of events ---- */

static size_t take_stream(char *data, size_t size, size_t count, void *user)
{
    struct docker *d = user;
    size_t len = size * count, done = 0;

    while (done < len) {
        const char *newline = memchr(data + done, '\n', len - done);
        size_t n = newline ? (size_t)(newline + 1 - (data + done)) : len - done;

        if (d->line.len + n > LIMIT_API_BODY)
            return 0;
        sbuf_add(&d->line, data + done, n);
        if (newline) {
            sbuf_add_bytes(&d->complete, sbuf_bytes(&d->line));
            sbuf_clear(&d->line);
        }
        done += n;
    }
    return sbuf_error(&d->complete) || sbuf_error(&d->line) ? 0 : len;
}

/* curl says which descriptors it waits for; they go into one epoll set that the caller polls. */
static int follow_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_data)
{
    struct docker *d = user;
    struct epoll_event event = { .data.fd = fd };

    (void)easy;
    (void)socket_data;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(d->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (epoll_ctl(d->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
        (void)epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return 0;
}

static void start_stream(struct docker *d)
{
    uint64_t since_ns;
    const char *socket;
    char url[256];

    if (d->stream || clock_ns(CLOCK_MONOTONIC) < d->retry_ns || !(socket = find_socket(d)))
        return;
    d->retry_ns = clock_ns(CLOCK_MONOTONIC) + RECONNECT_NS;
    d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    d->multi = curl_multi_init();
    d->stream = curl_easy_init();
    if (d->epoll_fd < 0 || !d->multi || !d->stream) {
        stop_stream(d);
        return;
    }
    /* `since` makes the daemon repeat what happened while nobody listened; filters={"type":["container"]}. Moments of
     * containers that start at once may come in another order than their times. */
    since_ns = MAX(d->opened_ns, d->newest_ns - OVERLAP_NS);
    snprintf(url, sizeof(url),
             "http://docker/events?since=%llu.%09llu&filters=%%7B%%22type%%22%%3A%%5B%%22container%%22%%5D%%7D",
             (unsigned long long)(since_ns / NS_PER_S),
             (unsigned long long)(since_ns % NS_PER_S));
    set_common(socket, d->stream, url);
    curl_easy_setopt(d->stream, CURLOPT_WRITEFUNCTION, take_stream);
    curl_easy_setopt(d->stream, CURLOPT_WRITEDATA, d);
    curl_multi_setopt(d->multi, CURLMOPT_SOCKETFUNCTION, follow_socket);
    curl_multi_setopt(d->multi, CURLMOPT_SOCKETDATA, d);
    (void)curl_multi_add_handle(d->multi, d->stream);
}

static int docker_fd(void *engine)
{
    return ((const struct docker *)engine)->epoll_fd;
}

/* A reconnect repeats what was read before it, word for word. */
static bool is_repeated(struct docker *d, struct bytes object)
{
    struct fingerprint found = fingerprint_of(object); /* labels are chosen by users */

    for (unsigned i = 0; i < RECENT; i++)
        if (fingerprint_equal(d->recent[i], found))
            return true;
    d->recent[d->recent_at++ % RECENT] = found;
    return false;
}

static void emit(struct docker *d, void (*life)(void *data, const struct lifecycle_event *life), void *data)
{
    const char *at = sbuf_str(&d->complete), *end = at + d->complete.len;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct bytes object = { at, (size_t)((newline ? newline : end) - at) };
        struct lifecycle_event moment;

        at += object.len + 1;
        if (is_repeated(d, object) || docker_parse_event(object, &moment, NULL) != 1)
            continue;
        container_set(moment.container, &moment.container->runtime, bytes_of("docker"));
        d->newest_ns = MAX(d->newest_ns, moment.time_ns);
        if (moment.time_ns >= d->opened_ns)
            life(data, &moment);
        container_unref(moment.container);
    }
    sbuf_clear(&d->complete);
}

static int docker_dispatch(void *engine, void (*life)(void *data, const struct lifecycle_event *life),
                           void *data, struct err *err)
{
    struct docker *d = engine;
    int running = 0, left;
    const CURLMsg *message;
    bool ended = false;

    (void)err;
    start_stream(d);
    if (!d->stream)
        return 0;
    (void)curl_multi_socket_action(d->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (;;) {
        struct epoll_event events[4];
        int n = epoll_wait(d->epoll_fd, events, 4, 0);

        for (int i = 0; i < n; i++)
            (void)curl_multi_socket_action(d->multi, events[i].data.fd, 0, &running);
        if (n <= 0)
            break;
    }
    while ((message = curl_multi_info_read(d->multi, &left)))
        ended |= message->msg == CURLMSG_DONE;
    emit(d, life, data);
    if (ended) /* the daemon went away: asked again in a second, from where it stopped */
        stop_stream(d);
    return 0;
}

/* dockerd keeps the last 256 of all containers. */
static int docker_recent(void *engine, struct bytes id, struct sbuf *ret, struct err *err)
{
    uint64_t now = clock_ns(CLOCK_REALTIME);
    bool volume = bytes_starts_with(id, bytes_of(ENGINE_VOLUME));
    size_t skip = volume ? strlen(ENGINE_VOLUME) : 0;
    char path[480]; /* of a URL */

    id = (struct bytes){ id.data + skip, id.len - skip };
    if (!is_plain(id))
        return -ENOENT;
    snprintf(path, sizeof(path), "/events?since=1&until=%llu.%09llu&filters=%%7B%%22%s%%22%%3A%%5B%%22%.*s%%22%%5D%%7D",
             (unsigned long long)(now / NS_PER_S), (unsigned long long)(now % NS_PER_S), volume ? "volume" : "container", (int)id.len, id.data);
    return get(engine, path, ASK_TIMEOUT_MS, ret, err);
}

const struct engine_ops docker_engine_ops = {
    .name = "docker",
    .remote = true,
    .open = docker_open,
    .close = docker_close,
    .there = docker_there,
    .interrupt = docker_interrupt,
    .present = docker_present,
    .list = docker_list,
    .view = docker_view,
    .volume = docker_volume,
    .recent = docker_recent,
    .fd = docker_fd,
    .dispatch = docker_dispatch,
};

/* Its lifecycle events come from its storage and its runtime's state, whether the service runs or not. */
const struct engine_ops podman_api_engine_ops = {
    .name = "podman",
    .remote = true,
    .open = podman_open,
    .close = docker_close,
    .there = docker_there,
    .interrupt = docker_interrupt,
    .present = docker_present,
    .list = docker_list,
    .view = docker_view,
    .volume = docker_volume,
};
