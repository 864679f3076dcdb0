/* SPDX-License-Identifier: MIT */
/* From where a login came: what logind, utmp, the environment and a socket say of it. */
#include "test.h"
#include "launch_files.h"

#include <arpa/inet.h>
#include <unistd.h>
#include <utmpx.h>

#include "attribution/peer.h"
#include "util/macro.h"

/* ---- sessions ---- */

#define LOGIND "# of logind\nUID=1000\nUSER=ann\nACTIVE=1\nREMOTE=1\nREMOTE_HOST=10.0.0.7\nAUDIT=5\nLEADER=77\n"

static const struct logind_row {
    const char *name, *text;
    uint32_t session;
    const char *expected; /* NULL: none */
} logind_rows[] = {
    { "from elsewhere", LOGIND, 5, "10.0.0.7" },
    { "another session's", LOGIND, 6, NULL },
    { "at the machine itself", "REMOTE=0\nREMOTE_HOST=10.0.0.7\nAUDIT=5\n", 5, NULL },
    { "no kernel's session", "REMOTE=1\nREMOTE_HOST=10.0.0.7\n", 5, NULL },
    { "by IPv6", "AUDIT=5\nREMOTE=1\nREMOTE_HOST=fe80::1%eth0\n", 5, "fe80::1%eth0" },
    { "not an address", "AUDIT=5\nREMOTE=1\nREMOTE_HOST=a\x1b[2Jb\n", 5, NULL },
    { "nothing", "", 5, NULL },
};

static void logind(void **state)
{
    const struct logind_row *row = *state;
    struct bytes remote = sessions_parse_logind(bytes_of(row->text), row->session);

    if (row->expected)
        assert_bytes(remote, row->expected);
    else
        assert_int_equal(remote.len, 0);
}

static void utmp(void **state)
{
    struct utmpx u[3] = { { .ut_type = DEAD_PROCESS, .ut_line = "pts/1", .ut_user = "ann", .ut_host = "gone" },
                          { .ut_type = USER_PROCESS, .ut_line = "pts/1", .ut_user = "ann", .ut_host = "there.example" },
                          { .ut_type = USER_PROCESS, .ut_line = "pts/2", .ut_user = "bob", .ut_host = ":0" } };
    struct bytes text = { (const char *)u, sizeof(u) };
    char buffer[SESSIONS_ADDRESS];

    (void)state;
    assert_bytes(sessions_parse_utmp(text, bytes_of("pts/1"), bytes_of("ann"), buffer), "there.example");
    assert_int_equal(sessions_parse_utmp(text, bytes_of("pts/1"), bytes_of("bob"), buffer).len, 0);
    assert_int_equal(sessions_parse_utmp(text, bytes_of("pts/2"), bytes_of("bob"), buffer).len, 0);
    u[1].ut_addr_v6[0] = (int32_t)inet_addr("10.0.0.7");
    assert_bytes(sessions_parse_utmp(text, bytes_of("pts/1"), bytes_of("ann"), buffer), "10.0.0.7");
    text.len -= 1; /* cut */
    assert_int_equal(sessions_parse_utmp(text, bytes_of("pts/2"), bytes_of("bob"), buffer).len, 0);
}

#define TCP_HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define TCP(remote, state, inode) "   1: 0100007F:0016 " remote " " state " 00000000:00000000 02:000AF7E3 00000000     0        0 " inode " 2 00000000 20 4\n"

static const struct peer_row {
    const char *name, *tables;
    struct bytes sockets;
    const char *address; /* "" = none */
} peer_rows[] = {
    { "IPv4", TCP_HEAD TCP("0700000A:C350", "01", "77"), BYTES("/dev/null\0socket:[77]\0"), "10.0.0.7" },
    { "IPv6", TCP_HEAD TCP("B80D0120000000000000000001000000:C350", "01", "77"), BYTES("socket:[77]\0"), "2001:db8::1" },
    { "IPv4 by a socket of IPv6", TCP_HEAD TCP("0000000000000000FFFF00000700000A:C350", "01", "77"), BYTES("socket:[77]\0"), "10.0.0.7" },
    { "one peer by two sockets", TCP_HEAD TCP("0700000A:C350", "01", "77") TCP("0700000A:C351", "01", "78"), BYTES("socket:[77]\0socket:[78]\0"), "10.0.0.7" },
    { "two peers", TCP_HEAD TCP("0700000A:C350", "01", "77") TCP("0800000A:C351", "01", "78"), BYTES("socket:[77]\0socket:[78]\0"), "" },
    { "somebody else's", TCP_HEAD TCP("0700000A:C350", "01", "777"), BYTES("socket:[77]\0"), "" },
    { "listening", TCP_HEAD TCP("00000000:0000", "0A", "77"), BYTES("socket:[77]\0"), "" },
    { "damaged", TCP_HEAD TCP("0700000A", "01", "77") TCP("xx00000A:1", "01", "77") "1: 2 3", BYTES("socket:[77]\0"), "" },
    { "nothing", "", BYTES("socket:[77]\0"), "" },
};

static void peer(void **state)
{
    const struct peer_row *row = *state;
    char buffer[PEER_ADDRESS];

    assert_bytes(peer_find(bytes_of(row->tables), row->sockets, buffer), row->address);
}

/* A worker of a busy machine needs longer than an event waits for it; four times it is asked. */
static void become_known(struct sessions *sessions, struct process *p, const char *remote)
{
    for (unsigned i = 0; i < 600 && !sessions_remote(sessions, p).len; i++)
        usleep(100000);
    assert_bytes(sessions_remote(sessions, p), remote);
}

/* The socket is the kernel's word: it counts where SSH_CONNECTION says something else, and sshd is there when its command is not. */
static void where_sshd_is_connected_to(void **state)
{
    struct process *listener = process_new(80, 8000000000), *sshd = process_new(81, 8100000000), *rm = process_new(82, 8200000000);
    struct sessions *sessions;
    char proc[256], link[300];

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", base);
    put("/proc/81/stat", "81 (sshd) S 80 81 81 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 810 0 0\n");
    put("/proc/81/net/tcp", TCP_HEAD TCP("0900000A:C350", "01", "77"));
    put("/proc/81/fd/none", "");
    snprintf(link, sizeof(link), "%s/proc/81/fd/3", base);
    assert_int_equal(symlink("socket:[77]", link), 0);
    process_set(listener, &listener->executable, bytes_of("/usr/sbin/sshd"));
    process_set(sshd, &sshd->executable, bytes_of("/usr/sbin/sshd"));
    process_set(rm, &rm->executable, bytes_of("/usr/bin/rm"));
    sshd->parent = process_ref(listener);
    rm->parent = process_ref(sshd);
    assert_int_equal(sessions_new(base, proc, &sessions, NULL), 0);
    sessions_see(sessions, sshd);
    sshd->exited_ns = rm->exited_ns = 8300000000;
    become_known(sessions, rm, "10.0.0.9");
    assert_int_equal(sessions_remote(sessions, listener).len, 0);
    sessions_free(sessions);
    process_unref(rm);
    process_unref(sshd);
    process_unref(listener);
}

/* The first process of the session is asked where nothing was noted of it; what was found is remembered. */
static void where_a_login_came_from(void **state)
{
    struct process *sshd = process_new(70, 7000000000), *shell = process_new(71, 7100000000), *rm = process_new(72, 7200000000);
    struct sessions *sessions;
    char proc[256];

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", base);
    put("/proc/71/stat", "71 (bash) S 70 71 71 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 710 0 0\n");
    put("/proc/71/environ", "SSH_CONNECTION=10.0.0.8 5000 10.0.0.1 22");
    put("/run/systemd/sessions/5", LOGIND);
    process_set(sshd, &sshd->executable, bytes_of("/usr/lib/openssh/sshd-session"));
    process_set(shell, &shell->executable, bytes_of("/bin/bash"));
    process_set(rm, &rm->executable, bytes_of("/bin/rm"));
    shell->parent = process_ref(sshd);
    rm->parent = process_ref(shell);
    assert_int_equal(sessions_new(base, proc, &sessions, NULL), 0);
    become_known(sessions, rm, "10.0.0.8");
    put("/proc/71/environ", "");
    assert_bytes(sessions_remote(sessions, shell), "10.0.0.8");
    assert_int_equal(sessions_remote(sessions, sshd).len, 0);
    rm->session = 5;
    become_known(sessions, rm, "10.0.0.7");
    rm->session = 6;
    assert_int_equal(sessions_remote(sessions, rm).len, 0);
    sessions_free(sessions);
    process_unref(rm);
    process_unref(shell);
    process_unref(sshd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utmp),
        cmocka_unit_test(environment),
        cmocka_unit_test(where_a_login_came_from),
        cmocka_unit_test(where_sshd_is_connected_to),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down) +
           RUN_ROWS(peer_rows, peer) +
           RUN_ROWS(logind_rows, logind);
}
