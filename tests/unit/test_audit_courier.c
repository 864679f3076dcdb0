/* SPDX-License-Identifier: MIT */
/* Requests are sent by processes that may wait: whoever asks does not, whatever the socket does. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/audit/courier.h"
#include "sensor/audit/netlink.h"
#include "util/clock.h"

enum { MINUTE_MS = 60000, MESSAGES_MAX = 100000 };

/* So that the next one who sends waits. Returns how many are in it. */
static unsigned fill(int fd)
{
    unsigned n = 0;

    while (n < MESSAGES_MAX && send(fd, "before", 6, MSG_DONTWAIT) == 6)
        n++;
    return n;
}

static int ask(int fd, const char *text, unsigned ms)
{
    return audit_courier_send(fd, bytes_of(text), true, ms);
}

/* The next message that is no filling. */
static void receive(int fd, char text[8])
{
    do {
        struct pollfd ready = { .fd = fd, .events = POLLIN };

        memset(text, 0, 8);
        assert_int_equal(poll(&ready, 1, MINUTE_MS), 1);
        assert_true(recv(fd, text, 7, MSG_DONTWAIT) > 0);
    } while (strcmp(text, "before") == 0);
}

static void sends(void **state)
{
    int ends[2], event = eventfd(0, EFD_CLOEXEC);
    char text[8];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(ask(ends[0], "first", MINUTE_MS), 0);
    receive(ends[1], text);
    assert_string_equal(text, "first");
    assert_int_equal(ask(event, "none", MINUTE_MS), -ENOTSOCK); /* what sending says is said */
    assert_int_equal(ask(ends[0], "two", MINUTE_MS), 0);
    receive(ends[1], text);
    assert_string_equal(text, "two");
    audit_courier_end();
    close(ends[0]);
    close(ends[1]);
    close(event);
}

/* Few may wait for what is only asked; what changes something has room beside them. All of it arrives in the end. */
static void never_waits(void **state)
{
    unsigned seen[6] = { 0 }, waiting = 0;
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    int ends[2], r;
    char text[8];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_in_range(fill(ends[0]), 1, MESSAGES_MAX - 1);
    while (waiting < 100 && (r = ask(ends[0], "1.", 1)) == 0)
        waiting++;
    assert_int_equal(waiting, 4);
    assert_int_equal(r, -EAGAIN);
    assert_int_equal(audit_courier_send(ends[0], bytes_of("2."), false, 1), 0);
    for (unsigned i = 0; i < 5; i++) {
        receive(ends[1], text);
        seen[text[0] - '0']++;
    }
    assert_int_equal(seen[1], 4);
    assert_int_equal(seen[2], 1);
    do /* they have sent, and take more */
        r = ask(ends[0], "3.", MINUTE_MS);
    while (r == -EAGAIN && clock_ns(CLOCK_MONOTONIC) - begun < MINUTE_MS * NS_PER_MS);
    assert_int_equal(r, 0);
    receive(ends[1], text);
    assert_string_equal(text, "3.");
    (void)fill(ends[0]);
    assert_int_equal(ask(ends[0], "4.", 1), 0);
    audit_courier_end(); /* it does not wait for one that waits either: nobody reads */
    close(ends[0]);
    close(ends[1]);
}

/* The last one who has it closes it, and that is not this process. */
static void closes(void **state)
{
    int ends[2];
    char text[8];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    audit_courier_close(ends[0]);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    struct pollfd ready = { .fd = ends[1], .events = POLLIN };

    assert_int_equal(poll(&ready, 1, MINUTE_MS), 1);
    assert_int_equal(recv(ends[1], text, sizeof(text), MSG_DONTWAIT), 0);
    close(ends[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(ask(ends[0], "after", MINUTE_MS), 0);
    receive(ends[1], text);
    assert_string_equal(text, "after");
    audit_courier_end();
    close(ends[0]);
    close(ends[1]);
}

/* More rules than may wait at the same time: they go together, and all arrive though nobody answers. */
static void deletes_together(void **state)
{
    enum { RULES = 200, RULE_BYTES = 1100 };
    static char content[RULE_BYTES], text[65536];
    struct bytes rules[RULES];
    unsigned seen = 0, messages = 0;
    int ends[2];

    (void)state;
    for (unsigned i = 0; i < RULES; i++)
        rules[i] = (struct bytes){ content, sizeof(content) };
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_in_range(fill(ends[0]), 1, MESSAGES_MAX - 1);
    audit_netlink_set_patience(AUDIT_NEVER_WAITS);
    assert_int_equal(audit_netlink_delete_rules(ends[0], rules, RULES), 0);
    while (seen < RULES) {
        struct pollfd ready = { .fd = ends[1], .events = POLLIN };
        ssize_t n;

        assert_int_equal(poll(&ready, 1, MINUTE_MS), 1);
        n = recv(ends[1], text, sizeof(text), MSG_DONTWAIT);
        assert_true(n > 0);
        seen += (unsigned)n / NLMSG_SPACE(RULE_BYTES);
        messages += n > 6;
    }
    assert_int_equal(seen, RULES);
    assert_in_range(messages, 1, 10);
    audit_netlink_set_patience(AUDIT_WAITS);
    audit_courier_end();
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends),
        cmocka_unit_test(never_waits),
        cmocka_unit_test(closes),
        cmocka_unit_test(deletes_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
