/* SPDX-License-Identifier: MIT */
/* Metrics over HTTP: what is answered, and clients that behave badly. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/scrape.h"
#include "util/loopback.h"

static const struct address_row {
    const char *name, *text;
    int r;
    unsigned port;
} addresses[] = {
    { "an address and a port", "127.0.0.1:9742", 0, 9742 },
    { "another one of this machine", "127.8.0.1:80", 0, 80 },
    { "any port", "127.0.0.1:0", 0, 0 },
    { "of everybody", "0.0.0.0:9742", -EINVAL, 0 },
    { "of others", "192.168.1.1:9742", -EINVAL, 0 },
    { "no port", "127.0.0.1", -EINVAL, 0 },
    { "too high", "127.0.0.1:65536", -EINVAL, 0 },
    { "a name", "localhost:9742", -EINVAL, 0 },
    { "a port alone", ":9742", -EINVAL, 0 },
    { "nothing", "", -EINVAL, 0 },
};

static void parses_address(void **state)
{
    const struct address_row *row = *state;
    struct sockaddr_in address;
    struct err err = ERR_INIT;

    assert_int_equal(loopback_parse(bytes_of(row->text), &address, &err), row->r);
    assert_int_equal(err.text[0] != '\0', row->r < 0);
    if (row->r == 0)
        assert_int_equal(ntohs(address.sin_port), row->port);
}

#define BIG (1 << 20)

static void write_text(void *data, struct sbuf *out)
{
    ++*(unsigned *)data;
    sbuf_add_str(out, "metric 1\n");
}

static void write_much(void *data, struct sbuf *out)
{
    (void)data;
    sbuf_fill(out, 'x', BIG);
}

static struct scrape *start(void (*write)(void *, struct sbuf *), void *data)
{
    struct scrape_options options = { .data = data, .write = write };
    struct scrape *s;

    assert_int_equal(loopback_parse(bytes_of("127.0.0.1:0"), &options.address, NULL), 0);
    assert_int_equal(scrape_open(&options, &s, NULL), 0);
    return s;
}

static int connect_to(const struct scrape *s)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)scrape_port(s)) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* All that it says until it ends. */
static void ask(struct scrape *s, int fd, struct sbuf *out)
{
    struct pollfd ready[] = { { .fd = fd, .events = POLLIN }, { .fd = scrape_fd(s), .events = POLLIN } };

    for (;;) {
        char piece[4096];
        ssize_t n;

        assert_true(poll(ready, 2, 60000) > 0);
        scrape_dispatch(s);
        n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
        if (n > 0)
            sbuf_add(out, piece, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            return;
    }
}

static const struct request_row {
    const char *name, *text, *status;
    unsigned asked;
} requests[] = {
    { "what is asked for", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", 1 },
    { "by an old one", "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n", 1 },
    { "its head", "HEAD /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", 1 },
    { "something else", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0 },
    { "a change", "POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ", 0 },
    { "no HTTP", "hello\r\n\r\n", "HTTP/1.1 405 ", 0 },
};

static void answers(void **state)
{
    const struct request_row *row = *state;
    struct sbuf out = SBUF_INIT;
    unsigned asked = 0;
    struct scrape *s = start(write_text, &asked);
    int fd = connect_to(s);

    assert_int_equal(send(fd, row->text, 7, MSG_NOSIGNAL), 7); /* in two pieces */
    scrape_dispatch(s);
    assert_int_equal(send(fd, row->text + 7, strlen(row->text) - 7, MSG_NOSIGNAL), strlen(row->text) - 7);
    ask(s, fd, &out);
    assert_true(bytes_starts_with(sbuf_bytes(&out), bytes_of(row->status)));
    assert_int_equal(asked, row->asked);
    assert_int_equal(strstr(sbuf_str(&out), "\r\n\r\nmetric 1\n") != NULL, row->asked && row->text[0] == 'G');
    close(fd);
    sbuf_done(&out);
    scrape_close(s);
}

static void is_asked_too_much(void **state)
{
    unsigned asked = 0;
    struct scrape *s = start(write_text, &asked);
    struct sbuf out = SBUF_INIT;
    char much[8192];
    int fd = connect_to(s);

    (void)state;
    memset(much, 'x', sizeof(much));
    (void)send(fd, much, sizeof(much), MSG_NOSIGNAL);
    ask(s, fd, &out);
    assert_int_equal(out.len, 0);
    assert_int_equal(asked, 0);
    close(fd);
    scrape_close(s);
}

/* One that does not take its answer keeps nobody from theirs. */
static void waits_for_nobody(void **state)
{
    unsigned nothing = 0;
    struct scrape *s = start(write_much, &nothing);
    struct sbuf out = SBUF_INIT;
    int slow[16], fd;

    (void)state;
    for (int i = 0; i < 7; i++) {
        slow[i] = connect_to(s);
        assert_true(send(slow[i], "GET /metrics HTTP/1.1\r\n\r\n", 25, MSG_NOSIGNAL) == 25);
        scrape_dispatch(s);
    }
    fd = connect_to(s);
    assert_true(send(fd, "GET /metrics HTTP/1.1\r\n\r\n", 25, MSG_NOSIGNAL) == 25);
    ask(s, fd, &out);
    assert_true(out.len > BIG);
    close(fd);
    for (int i = 7; i < 16; i++)
        slow[i] = connect_to(s); /* more than are served at once */
    scrape_dispatch(s);
    for (int i = 0; i < 16; i++)
        close(slow[i]);
    sbuf_done(&out);
    scrape_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_asked_too_much),
        cmocka_unit_test(waits_for_nobody),
    };

    return RUN_ROWS(addresses, parses_address) + RUN_ROWS(requests, answers) + cmocka_run_group_tests(tests, NULL, NULL);
}
