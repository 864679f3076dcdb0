/* SPDX-License-Identifier: MIT */
/* The daemon's side of its sinks, with their processes: who is away or broken keeps the others from nothing, and is said. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/alert_sinks.h"
#include "sink/spool.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define WAIT_NS (300 * NS_PER_S) /* a machine may have much else to do */

static char directory[64] = "/dev/shm/culprit-alert-sinks.XXXXXX"; /* in memory: each message that waits is synchronised */

struct said {
    unsigned count;
    char name[64], text[512];
};

static void on_failing(void *data, const char *name, const char *text)
{
    struct said *s = data;

    s->count++;
    snprintf(s->name, sizeof(s->name), "%s", name);
    snprintf(s->text, sizeof(s->text), "%s", text);
}

/* A port of nobody else's, for as long as it is open: whoever connects is refused. */
static int refuses(unsigned *ret_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

/* Whoever connects waits until it is accepted. */
static int listens(unsigned *ret_port)
{
    int fd = refuses(ret_port);

    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static bool is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "Content-Length:");

    return end && length && strlen(end + 4) >= strtoul(length + strlen("Content-Length:"), NULL, 10);
}

/* The next POST, its text into `body`; false: there is none now. */
static bool takes(int fd, char *body, size_t size)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    _cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    struct pollfd ready = { client, POLLIN, 0 };
    size_t len = 0;
    ssize_t n = 1;

    if (client < 0)
        return false;
    body[0] = '\0';
    while (n > 0 && !is_whole(body) && len + 1 < size && poll(&ready, 1, 60000) > 0) {
        n = recv(client, body + len, size - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
        body[len] = '\0';
    }
    (void)!send(client, answer, strlen(answer), MSG_NOSIGNAL); /* on a slow machine it may wait no longer: it comes again */
    return true;
}

static struct alert_sinks *start(const char *sinks, struct said *said, struct config *c)
{
    const struct alert_sinks_options options = { .data = said, .failing = on_failing };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct config_report report = { 0 };
    struct alert_sinks *s = NULL;

    *said = (struct said){ 0 };
    sbuf_addf(&text, "store = %s/culprit.db\n%s\n", directory, sinks);
    assert_int_equal(config_init(c), 0);
    assert_int_equal(config_read(c, "f", sbuf_bytes(&text), &report), 0);
    assert_int_equal(report.errors, 0);
    assert_int_equal(alert_sinks_start(&options, c, &s), 0);
    return s;
}

static void end(struct alert_sinks *s, struct config *c)
{
    alert_sinks_free(s);
    config_done(c);
}

static void send_one(struct alert_sinks *s, const char *line)
{
    const struct sink_message m = { .severity = SEVERITY_HIGH, .id = "0123456789abcdef0123456789abcdef", .sentence = BYTES("x"), .line = bytes_of(line) };

    alert_sinks_send(s, &m);
}

/* Of the sink with that name. */
static json_t *status_of(const struct alert_sinks *s, const char *name)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    json_t *all, *found = NULL, *sinks;

    sbuf_add_char(&out, '{');
    alert_sinks_write_status(s, &out);
    sbuf_add_char(&out, '}');
    all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    sinks = json_object_get(all, "sinks");
    for (size_t i = 0; i < json_array_size(sinks); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(sinks, i), "name")), name) == 0)
            found = json_incref(json_array_get(sinks, i));
    json_decref(all);
    assert_non_null(found);
    return found;
}

static uint64_t count_of(const struct alert_sinks *s, const char *name, const char *what)
{
    json_t *status = status_of(s, name);
    uint64_t count = (uint64_t)json_integer_value(json_object_get(status, what));

    json_decref(status);
    return count;
}

/* Behind two that hang and one that is away: it gets each, once, and at once. */
static void a_url_waits_for_no_other(void **state)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    _cleanup_close_ int first = -EBADF, second = -EBADF, away = -EBADF, last = -EBADF;
    unsigned ports[4], got[2] = { 0 };
    struct alert_sinks *s;
    struct config c;
    struct said said;
    char text[512], body[4096];

    (void)state;
    first = listens(&ports[0]);
    second = listens(&ports[1]);
    away = refuses(&ports[2]);
    last = listens(&ports[3]);
    snprintf(text, sizeof(text),
             "sink w { type = webhook timeout = 1s to = { 'http://127.0.0.1:%u', 'http://127.0.0.1:%u', 'http://127.0.0.1:%u', 'http://127.0.0.1:%u' } }",
             ports[0], ports[1], ports[2], ports[3]);
    s = start(text, &said, &c);
    send_one(s, "{\"number\":1}\n");
    send_one(s, "{\"number\":2}\n");
    while (count_of(s, "w", "failures") < 2 || count_of(s, "w:2", "failures") < 2 || count_of(s, "w:3", "failures") < 2 ||
           count_of(s, "w:4", "delivered") < 2) {
        assert_true(clock_ns(CLOCK_MONOTONIC) < until);
        alert_sinks_idle(s);
        if (takes(last, body, sizeof(body))) {
            got[0] += strstr(body, "{\"number\":1}") != NULL;
            got[1] += strstr(body, "{\"number\":2}") != NULL;
        } else {
            usleep(10 * 1000);
        }
    }
    assert_true(got[0] > 0 && got[1] > 0);
    assert_true(got[0] + got[1] <= 2 + count_of(s, "w:4", "failures")); /* the machine's own, if it takes longer than that second */
    assert_int_equal(count_of(s, "w", "waiting"), 2); /* for the first they wait */
    end(s, &c);
}

static void wait_for(struct alert_sinks *s, const char *what, uint64_t count)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + WAIT_NS;

    while (count_of(s, "hook", what) < count) {
        assert_true(clock_ns(CLOCK_MONOTONIC) < until);
        alert_sinks_idle(s);
        usleep(10 * 1000);
    }
    assert_int_equal(count_of(s, "hook", what), count);
}

/* The sink of a daemon that was killed has its last try still. */
static void two_deliver_nothing_twice(void **state)
{
    _cleanup_close_ int other = -EBADF;
    struct alert_sinks *s;
    struct config c;
    struct said said;
    char text[160], path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/alerts", directory);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "%s/alerts/hook", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    other = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(other >= 0);
    snprintf(text, sizeof(text), "sink hook { type = file to = %s/locked }", directory);
    s = start(text, &said, &c); /* its process inherits the descriptor, which is closed there */
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    send_one(s, "{}\n");
    wait_for(s, "waiting", 1);
    for (unsigned i = 0; i < 50; i++) {
        alert_sinks_idle(s);
        usleep(10 * 1000);
    }
    assert_int_equal(count_of(s, "hook", "delivered"), 0);
    closep(&other);
    other = -EBADF;
    wait_for(s, "delivered", 1);
    assert_int_equal(count_of(s, "hook", "waiting"), 0);
    end(s, &c);
}

#define WEEK 700 /* alerts, at 100 a day */

/* Nothing is lost, nothing is kept in the daemon's memory; far beyond a week the oldest give way, and that is said. */
static void a_week_without_a_sink(void **state)
{
    _cleanup_close_ int away = -EBADF;
    struct alert_sinks *s;
    struct config c;
    struct said said;
    unsigned port;
    char text[160];
    size_t before;

    (void)state;
    away = refuses(&port);
    snprintf(text, sizeof(text), "sink hook { type = webhook timeout = 1s to = 'http://127.0.0.1:%u' }", port);
    s = start(text, &said, &c);
    send_one(s, "{}\n");
    wait_for(s, "waiting", 1);
    before = heap_in_use();
    for (unsigned i = 1; i < WEEK; i++)
        send_one(s, "{}\n");
    wait_for(s, "waiting", WEEK);
    assert_int_equal(count_of(s, "hook", "dropped"), 0);
    assert_true(!before || heap_in_use() < before + 16 * 1024);
    for (unsigned i = WEEK; i < SINK_SPOOL_COUNT + 4; i++)
        send_one(s, "{}\n");
    wait_for(s, "dropped", 4);
    assert_int_equal(count_of(s, "hook", "waiting"), SINK_SPOOL_COUNT);
    assert_string_equal(said.name, "hook");
    assert_non_null(strstr(said.text, "Sink hook has dropped 4 alerts, the oldest that waited, in all: "));
    end(s, &c);
}

static void a_spool_that_cannot_be_is_said(void **state)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    char text[256], path[256];
    struct alert_sinks *s;
    struct config c;
    struct said said;
    json_t *status;

    (void)state;
    snprintf(path, sizeof(path), "%s/alerts", directory);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/alerts/blocked", directory); /* where its directory would be */
    assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
    snprintf(text, sizeof(text), "sink blocked { type = file to = %s/out }", directory);
    s = start(text, &said, &c);
    send_one(s, "{}\n");
    while (!said.count || count_of(s, "blocked", "failures") < 2) {
        assert_true(clock_ns(CLOCK_MONOTONIC) < until);
        alert_sinks_idle(s);
        usleep(10 * 1000);
    }
    assert_int_equal(said.count, 1); /* not at each try */
    assert_string_equal(said.name, "blocked");
    assert_non_null(strstr(said.text, "Alerts do not get into sink blocked: "));
    assert_non_null(strstr(said.text, "Not a directory"));
    status = status_of(s, "blocked");
    assert_true(json_is_true(json_object_get(status, "failing")));
    assert_non_null(strstr(json_string_value(json_object_get(status, "why")), "Not a directory"));
    json_decref(status);
    assert_int_equal(unlink(path), 0);
    while (count_of(s, "blocked", "delivered") < 1) { /* and what came meanwhile is not lost */
        assert_true(clock_ns(CLOCK_MONOTONIC) < until);
        alert_sinks_idle(s);
        usleep(10 * 1000);
    }
    status = status_of(s, "blocked");
    assert_true(json_is_false(json_object_get(status, "failing")));
    json_decref(status);
    end(s, &c);
}

/* ---- a test ---- */

static json_t *test_of(struct alert_sinks *s, const char *name)
{
    const struct sink_message m = { .severity = SEVERITY_LOW, .id = "0123456789abcdef0123456789abcdef", .test = true, .sentence = BYTES("test"),
                                    .line = BYTES("{\"test\":1}\n") };
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    json_t *answer, *sinks;

    assert_int_equal(alert_sinks_test(s, bytes_of(name), &m), 0);
    while (!alert_sinks_test_is_over(s)) {
        assert_true(clock_ns(CLOCK_MONOTONIC) < until);
        alert_sinks_idle(s);
        usleep(10 * 1000);
    }
    sbuf_add_char(&out, '{');
    alert_sinks_end_test(s, &out);
    sbuf_add_char(&out, '}');
    answer = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    sinks = json_incref(json_object_get(answer, "sinks"));
    json_decref(answer);
    return sinks;
}

static json_t *of(const json_t *tested, unsigned i, const char *what)
{
    return json_object_get(json_array_get(tested, i), what);
}

static bool is_right_of_both(const json_t *tested)
{
    const char *why = json_string_value(of(tested, 1, "why"));

    return json_is_true(of(tested, 0, "arrived")) && json_is_false(of(tested, 1, "arrived")) && why && strstr(why, "127.0.0.1");
}

static bool is_right_of_good(const json_t *tested)
{
    return json_is_true(of(tested, 0, "arrived"));
}

static bool is_right_of_bad(const json_t *tested)
{
    return json_is_false(of(tested, 0, "arrived")) && json_integer_value(of(tested, 0, "waiting")) >= 2;
}

/* Again, until the answer is that: a machine may need longer for it than whoever asks has patience. */
static void test_until(struct alert_sinks *s, const char *name, unsigned sinks, bool (*is_right)(const json_t *tested))
{
    bool right = false;

    for (unsigned i = 0; i < 30 && !right; i++) {
        json_t *tested = test_of(s, name);

        assert_int_equal(json_array_size(tested), sinks);
        right = is_right(tested);
        json_decref(tested);
    }
    assert_true(right);
}

static void a_test_says_where_it_arrives(void **state)
{
    const struct sink_message m = { .severity = SEVERITY_LOW, .test = true };
    unsigned port;
    struct alert_sinks *s;
    struct config c;
    struct said said;
    char text[512];
    _cleanup_close_ int away = refuses(&port);

    (void)state;
    snprintf(text, sizeof(text), "sink good { type = file to = %s/good severity = critical }\nsink bad { type = webhook to = 'http://127.0.0.1:%u' }",
             directory, port);
    s = start(text, &said, &c);
    assert_int_equal(alert_sinks_test(s, BYTES("goo"), &m), -ENOENT);
    test_until(s, NULL, 2, is_right_of_both); /* also where it is not grave enough */
    test_until(s, "good", 1, is_right_of_good); /* again, and of one alone */
    test_until(s, "bad", 1, is_right_of_bad); /* at once, whenever the next try would have been */
    end(s, &c);
}

/* Whoever starts the daemon may have closed its standard input and output: the sockets have those numbers then. */
static void works_without_standard_output(void **state)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    char text[512], path[256];
    struct stat st = { 0 };
    int status = -1;
    pid_t pid;

    (void)state;
    snprintf(path, sizeof(path), "%s/without", directory);
    snprintf(text, sizeof(text), "sink lonely { type = file to = %s }", path);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct alert_sinks *s;
        struct config c;
        struct said said;

        (void)close(0);
        (void)close(1);
        (void)close(2);
        s = start(text, &said, &c);
        send_one(s, "{}\n");
        while (stat(path, &st) < 0 && clock_ns(CLOCK_MONOTONIC) < until) {
            alert_sinks_idle(s);
            usleep(10 * 1000);
        }
        _exit(stat(path, &st) < 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_url_waits_for_no_other), cmocka_unit_test(two_deliver_nothing_twice), cmocka_unit_test(a_week_without_a_sink), cmocka_unit_test(a_spool_that_cannot_be_is_said),
                                        cmocka_unit_test(a_test_says_where_it_arrives), cmocka_unit_test(works_without_standard_output) };
    char command[128];
    int failed;

    if (!mkdtemp(directory)) {
        snprintf(directory, sizeof(directory), "/tmp/culprit-alert-sinks.XXXXXX");
        if (!mkdtemp(directory))
            return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s 2>/dev/null", directory);
    for (unsigned i = 0; i < 100 && system(command) != 0; i++)
        usleep(100 * 1000); /* a sink's process may have something to do still */
    return failed;
}
