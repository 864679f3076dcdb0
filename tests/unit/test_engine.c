/* SPDX-License-Identifier: MIT */
/* An engine that hangs: the real code for Docker's API, and a socket that accepts and says nothing. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"

static char directory[] = "/tmp/culprit-test-engine-XXXXXX";
static char path[128];
static int listener = -1;
static char said[2048];

static void on_message(void *data, enum log_level level, const char *text)
{
    size_t at = strlen(said);

    (void)data;
    if (level == LOG_LEVEL_WARNING)
        snprintf(said + at, sizeof(said) - at, "%s\n", text);
}

#define BUSY_MS 400 /* longer than events are kept waiting */

static const struct log messages = { .level = LOG_LEVEL_WARNING, .message = on_message };

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int listen_there(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_true(fd >= 0);
    (void)unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static int set_up(void **state)
{
    (void)state;
    said[0] = '\0';
    snprintf(path, sizeof(path), "%s/docker.sock", directory);
    listener = listen_there(); /* the kernel accepts; nobody reads */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(listener);
    (void)unlink(path);
    return 0;
}

static struct engines *open_engines(void)
{
    struct engines_options options = { .log = &messages, .docker_socket = path };
    struct engines *e = NULL;

    assert_int_equal(engines_new(&options, &e, NULL), 0);
    return e;
}

#define AGAIN 300 /* questions */
#define PATIENCE_MS 300

/* How often this thread has waited for something. */
static long waits(void)
{
    struct rusage used;

    assert_int_equal(getrusage(RUSAGE_THREAD, &used), 0);
    return used.ru_nvcsw;
}

static void one_that_hangs_costs_one_time_out_and_one_line(void **state)
{
    struct container_view view;
    struct err err = ERR_INIT;
    double t0, t1;
    unsigned quick = 0;
    struct engines *e = open_engines(); /* asks nothing of it */

    (void)state;
    engines_set_patience(e, PATIENCE_MS);
    t0 = seconds();
    assert_int_equal(engines_find(e, BYTES_NULL, bytes_of("no-such-container"), &view, &err), -ETIMEDOUT);
    assert_non_null(strstr(err.text, "does not answer"));
    t1 = seconds();
    for (int i = 0; i < AGAIN; i++) {
        double began = seconds();
        long before = waits();

        assert_int_equal(engines_find(e, BYTES_NULL, bytes_of("no-such-container"), &view, NULL), -ETIMEDOUT);
        quick += seconds() - began < PATIENCE_MS / 1000.0 || waits() == before; /* a busy machine makes many of them slow */
    }
    assert_null(engines_by_id(e, bytes_of("0123456789abcdef")));
    assert_true(quick > AGAIN / 4); /* none would be if each of them waited */
    if (seconds() - t0 < 1.9) /* so long a daemon may be busy */
        assert_null(strstr(said, "docker"));
    while (seconds() - t1 < 2.1)
        usleep(100 * 1000);
    for (int i = 0; i < 20; i++)
        assert_int_equal(engines_find(e, BYTES_NULL, bytes_of("no-such-container"), &view, NULL), -ETIMEDOUT);
    assert_non_null(strstr(said, "docker does not answer; going on without it\n"));
    assert_null(strstr(strchr(said, '\n') + 1, "docker"));
    engines_free(e); /* while its thread still waits for the answer */
}

/* ---- one that was slow, and answers ---- */

static int accepted[64];
static int accepted_count;

static void *answer_late(void *data)
{
    static const char body[] = "{\"Id\":\"0123456789ab\",\"Name\":\"/web\",\"State\":{\"Running\":false}}";
    char text[512], request[4096];
    int fd;

    while (!atomic_load((atomic_bool *)data))
        usleep(5 * 1000);
    snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             sizeof(body) - 1, body);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ssize_t n = read(fd, request, sizeof(request) - 1);

        request[n > 0 ? n : 0] = '\0';
        if (accepted_count < 64)
            accepted[accepted_count++] = fd; /* the stream of events stays open */
        if (strstr(request, "GET /containers/web/json"))
            (void)!write(fd, text, strlen(text));
    }
    return NULL;
}

static void one_that_was_slow_is_asked_again(void **state)
{
    struct container_view view = { 0 };
    struct engines *e = open_engines();
    atomic_bool answers = false;
    double t0 = seconds();
    pthread_t thread;
    int r;

    (void)state;
    engines_set_patience(e, 100);
    assert_int_equal(pthread_create(&thread, NULL, answer_late, &answers), 0);
    r = engines_find(e, bytes_of("docker"), bytes_of("web"), &view, NULL);
    assert_int_equal(r, -ETIMEDOUT);
    atomic_store(&answers, true);
    for (int i = 0; i < 1200 && r == -ETIMEDOUT; i++) {
        usleep(50 * 1000);
        if (engines_dispatch(e, NULL) == 1) /* ask again, it says; a slow machine may be late once more */
            r = engines_find(e, bytes_of("docker"), bytes_of("web"), &view, NULL);
    }
    assert_int_equal(r, 0);
    assert_bytes(view.container->name, "web");
    container_view_done(&view);
    if (seconds() - t0 < 1.9) /* it was only busy */
        assert_null(strstr(said, "docker"));
    engines_free(e);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    for (int i = 0; i < accepted_count; i++)
        close(accepted[i]);
}

/* ---- what happens to containers ---- */

#define EVENT(action, time)                                                                                            \
    "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"0123456789ab\",\"Attributes\":"              \
    "{\"name\":\"web\"}},\"timeNano\":" time "}\n"

static void count_life(void *data, const struct lifecycle_event *life)
{
    unsigned *counts = data;

    if (bytes_equal_str(life->container->id, "0123456789ab")) /* those of this machine are seen too, and may have any name */
        counts[life->kind]++;
}

/* ---- one that is slow each time ---- */

struct slow {
    atomic_bool answers; /* the first question has not been answered in time */
    bool restarts;       /* and while it is being answered the container starts anew */
    int stream;          /* of events */
    unsigned asked;
};

static void answer_web(struct slow *s, int fd)
{
    char body[256];

    while (!atomic_load(&s->answers))
        usleep(5 * 1000);
    usleep(BUSY_MS * 1000);
    s->asked++;
    if (s->asked == 1 && s->restarts)
        dprintf(s->stream, EVENT("start", "3795000001000000000"));
    snprintf(body, sizeof(body), "{\"Id\":\"0123456789ab\",\"Name\":\"/web\",\"State\":{\"Running\":true,\"Pid\":%u}}", 4000000 + s->asked);
    dprintf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            strlen(body), body);
}

static void *answer_slowly(void *data)
{
    struct slow *s = data;
    char request[4096];
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ssize_t n = read(fd, request, sizeof(request) - 1);

        request[n > 0 ? n : 0] = '\0';
        if (strstr(request, "/events?")) {
            dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
            s->stream = fd;
        } else if (strstr(request, "GET /containers/web/json")) {
            answer_web(s, fd);
        }
        if (accepted_count < 64)
            accepted[accepted_count++] = fd;
    }
    return NULL;
}

/* Which first process the container is said to have; each answer takes longer than is waited. */
static int32_t first_process(bool restarts)
{
    unsigned counts[LIFECYCLE_OOM + 1] = { 0 };
    struct engines_options options = { .log = &messages, .docker_socket = path, .life = count_life, .data = counts };
    struct slow slow = { .restarts = restarts, .stream = -1 };
    struct container_view view = { 0 };
    struct engines *e = NULL;
    pthread_t thread;
    int32_t pid;
    int r;

    accepted_count = 0;
    assert_int_equal(pthread_create(&thread, NULL, answer_slowly, &slow), 0);
    assert_int_equal(engines_new(&options, &e, NULL), 0);
    for (int i = 0; i < 1200 && accepted_count == 0; i++) { /* the stream of events is there first */
        usleep(50 * 1000);
        (void)engines_dispatch(e, NULL);
    }
    engines_set_patience(e, 100);
    r = engines_find(e, bytes_of("docker"), bytes_of("web"), &view, NULL);
    assert_int_equal(r, -ETIMEDOUT);
    atomic_store(&slow.answers, true);
    for (int i = 0; i < 1200 && r == -ETIMEDOUT; i++) {
        usleep(50 * 1000);
        if (engines_dispatch(e, NULL) == 1)
            r = engines_find(e, bytes_of("docker"), bytes_of("web"), &view, NULL);
    }
    assert_int_equal(r, 0);
    assert_int_equal(counts[LIFECYCLE_START], restarts);
    pid = view.container->pid;
    container_view_done(&view);
    engines_free(e);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    for (int i = 0; i < accepted_count; i++)
        close(accepted[i]);
    return pid;
}

static void one_that_is_slow_each_time_is_understood(void **state)
{
    (void)state;
    assert_int_equal(first_process(false), 4000001); /* what it said too late */
}

static void what_is_outdated_when_it_comes_is_no_answer(void **state)
{
    (void)state;
    assert_true(first_process(true) > 4000001);
}

/* ---- whose layers they are ---- */

struct layers {
    bool answers; /* when asked for one of them */
};

static void *answer_layers(void *data)
{
    static const char list[] = "[{\"Id\":\"0123456789ab\",\"Names\":[\"/web\"]}]";
    static const char one[] = "{\"Id\":\"0123456789ab\",\"Name\":\"/web\",\"State\":{\"Running\":false},\"GraphDriver\":{\"Name\":"
                              "\"overlay2\",\"Data\":{\"UpperDir\":\"/d/diff\",\"LowerDir\":\"/image/1:/image/2\"}}}";
    const struct layers *layers = data;
    char request[4096];
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ssize_t n = read(fd, request, sizeof(request) - 1);
        const char *body;

        request[n > 0 ? n : 0] = '\0';
        body = strstr(request, "GET /containers/json") ? list : strstr(request, "GET /containers/0") && layers->answers ? one : NULL;
        usleep(BUSY_MS * 1000);
        if (body)
            dprintf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                    strlen(body), body);
        if (accepted_count < 64)
            accepted[accepted_count++] = fd;
    }
    return NULL;
}

static size_t sharing(bool answers, bool *ret_all)
{
    struct engines *e = open_engines();
    struct layers layers = { answers };
    struct container *found[4];
    pthread_t thread;
    size_t n;

    accepted_count = 0;
    engines_set_patience(e, 200);
    assert_int_equal(pthread_create(&thread, NULL, answer_layers, &layers), 0);
    n = engines_sharing(e, bytes_of("/image/2/etc/passwd"), found, 4, ret_all);
    for (size_t i = 0; i < n; i++) {
        assert_bytes(found[i]->name, "web");
        container_unref(found[i]);
    }
    engines_free(e);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    for (int i = 0; i < accepted_count; i++)
        close(accepted[i]);
    return n;
}

static void a_busy_one_says_whose_layer_it_is(void **state)
{
    bool all = false;

    (void)state;
    for (int i = 0; i < 20 && !all; i++) { /* on a machine that is slower than that: not now, which is said */
        size_t n = sharing(true, &all);

        assert_true(!all || n == 1);
        close(listener);
        listener = listen_there();
    }
    assert_true(all);
}

static void who_does_not_say_may_have_more(void **state)
{
    bool all = true;

    (void)state;
    assert_int_equal(sharing(false, &all), 0);
    assert_false(all);
}

/* ---- one that says the same more than once ---- */

static void *answer_events(void *data)
{
    static const char events[] = EVENT("create", "3795000000000000000") EVENT("oom", "3795000001000000000")
        EVENT("oom", "3795000001000200000") EVENT("oom", "3795000001900000000")
        /* of containers that start at once the later may come first */
        EVENT("start", "3795000000900000000") EVENT("oom", "3795000009000000000")
        EVENT("die", "3795000009100000000");
    char request[4096];
    int fd;

    (void)data;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ssize_t n = read(fd, request, sizeof(request) - 1);
        bool stream;

        request[n > 0 ? n : 0] = '\0';
        stream = strstr(request, "/events?");
        dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s\r\n%s",
                stream ? "" : "Content-Length: 2\r\n", stream ? events : "[]");
        if (accepted_count < 64)
            accepted[accepted_count++] = fd;
    }
    return NULL;
}

static void out_of_memory_is_reported_once(void **state)
{
    unsigned counts[LIFECYCLE_OOM + 1] = { 0 };
    struct engines_options options = { .log = &messages, .docker_socket = path, .life = count_life, .data = counts };
    struct engines *e = NULL;
    pthread_t thread;

    (void)state;
    accepted_count = 0;
    assert_int_equal(pthread_create(&thread, NULL, answer_events, NULL), 0);
    assert_int_equal(engines_new(&options, &e, NULL), 0);
    for (int i = 0; i < 1200 && !counts[LIFECYCLE_DIE]; i++) {
        usleep(50 * 1000);
        (void)engines_dispatch(e, NULL);
    }
    assert_int_equal(counts[LIFECYCLE_DIE], 1);
    assert_int_equal(counts[LIFECYCLE_OOM], 2);
    assert_int_equal(counts[LIFECYCLE_START], 1);
    engines_free(e);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    for (int i = 0; i < accepted_count; i++)
        close(accepted[i]);
}

static void one_that_is_not_there_costs_nothing(void **state)
{
    struct container_view view;
    struct err err = ERR_INIT;
    struct engines *e;

    (void)state;
    close(listener); /* the socket stays, nobody listens: as after a crash */
    e = open_engines();
    /* -ETIMEDOUT, if it had been waited for */
    assert_int_equal(engines_find(e, BYTES_NULL, bytes_of("no-such-container"), &view, &err), -ENOENT);
    assert_non_null(strstr(err.text, "no container \"no-such-container\""));
    engines_free(e);
    listener = listen_there();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_hangs_costs_one_time_out_and_one_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_slow_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_slow_each_time_is_understood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_outdated_when_it_comes_is_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_busy_one_says_whose_layer_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_say_may_have_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(out_of_memory_is_reported_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_not_there_costs_nothing, set_up, tear_down),
    };
    int failed;

    if (!mkdtemp(directory))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(directory);
    return failed;
}
