/* SPDX-License-Identifier: MIT */
/* Messages of the process connector: what they say, and which of them reach a reader of changed ids only. */
#include "test.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/process/connector.h"

struct message {
    struct nlmsghdr header;
    struct cn_msg message;
    struct proc_event event;
} __attribute__((packed));

static struct message make(unsigned what, pid_t pid, pid_t tgid)
{
    struct message m = {
        .header = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_DONE },
        .message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(m.event) },
        .event = { .timestamp_ns = 77 },
    };

    memcpy((char *)&m + offsetof(struct message, event) + offsetof(struct proc_event, what), &what, sizeof(what));
    /* the acting process is first in all of them, but for a fork, where its parent is */
    m.event.event_data.id.process_pid = pid;
    m.event.event_data.id.process_tgid = tgid;
    if (what == PROC_EVENT_FORK) {
        m.event.event_data.fork.parent_pid = m.event.event_data.fork.parent_tgid = 1;
        m.event.event_data.fork.child_pid = pid;
        m.event.event_data.fork.child_tgid = tgid;
    }
    return m;
}

static int decode(const struct message *m, struct process_event *ret)
{
    return connector_decode(&m->message, sizeof(*m) - sizeof(m->header), ret);
}

static void meaning(void **state)
{
    static const struct {
        unsigned what;
        enum process_event_kind kind;
    } rows[] = {
        { PROC_EVENT_FORK, PROCESS_FORK }, { PROC_EVENT_EXEC, PROCESS_EXEC }, { PROC_EVENT_EXIT, PROCESS_EXIT },
        { PROC_EVENT_UID, PROCESS_CRED },  { PROC_EVENT_GID, PROCESS_CRED },  { PROC_EVENT_COMM, PROCESS_COMM },
    };
    struct process_event e;
    struct message m;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        m = make(rows[i].what, 42, 42);
        assert_int_equal(decode(&m, &e), 1);
        assert_int_equal(e.kind, rows[i].kind);
        assert_int_equal(e.pid, 42);
        assert_int_equal(e.boot_ns, 77);
        assert_int_equal(e.parent_pid, rows[i].kind == PROCESS_FORK ? 1 : 0);
    }
    m = make(PROC_EVENT_FORK, 43, 42); /* a thread */
    assert_int_equal(decode(&m, &e), 0);
    m = make(PROC_EVENT_NONE, 0, 0);
    assert_int_equal(decode(&m, &e), 0);
    for (size_t len = 0; len < sizeof(struct cn_msg); len++)
        assert_int_equal(connector_decode(&m.message, len, &e), -EBADMSG);
}

/* The filter reads the messages of any datagram socket: a pair stands for the kernel's end. */
static void only_credentials(void **state)
{
    static const unsigned sent[] = { PROC_EVENT_FORK, PROC_EVENT_UID, PROC_EVENT_EXEC, PROC_EVENT_GID,
                                     PROC_EVENT_EXIT, PROC_EVENT_COMM, PROC_EVENT_NONE };
    static const unsigned wanted[] = { PROC_EVENT_UID, PROC_EVENT_GID };
    struct message m;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
    connector_ask_for_credentials_only(fds[1]);
    for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
        m = make(sent[i], 42, 42);
        (void)send(fds[0], &m, sizeof(m), 0); /* a dropped one fails on some kernels: EPERM */
    }
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        assert_int_equal(recv(fds[1], &m, sizeof(m), 0), sizeof(m));
        assert_int_equal((unsigned)m.event.what, wanted[i]);
    }
    assert_int_equal(recv(fds[1], &m, sizeof(m), 0), -1);
    assert_int_equal(errno, EAGAIN);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meaning),
        cmocka_unit_test(only_credentials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
