/* SPDX-License-Identifier: MIT */
/*
 * sink: owns audit's stream and throws every record away until it is asked to end. The cheapest reader
 * there can be: what remains is the kernel's own cost. Prints how many records it had.
 */
#include <linux/audit.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int set(int fd, unsigned mask, unsigned value)
{
    struct {
        struct nlmsghdr header;
        struct audit_status status;
    } m = { .header = { .nlmsg_len = sizeof(m), .nlmsg_type = AUDIT_SET, .nlmsg_flags = NLM_F_REQUEST },
            .status = { .mask = mask } };

    if (mask == AUDIT_STATUS_ENABLED)
        m.status.enabled = value;
    else if (mask == AUDIT_STATUS_PID)
        m.status.pid = value;
    else
        m.status.backlog_limit = value;
    return send(fd, &m, sizeof(m), 0) < 0;
}

int main(void)
{
    static char buffers[64][9216];
    struct mmsghdr messages[64] = { 0 };
    struct iovec parts[64];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT), size = 32 << 20;
    struct sigaction action = { .sa_handler = on_signal };
    unsigned long records = 0;

    sigaction(SIGTERM, &action, NULL);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (fd < 0 || set(fd, AUDIT_STATUS_PID, (unsigned)getpid()) || set(fd, AUDIT_STATUS_BACKLOG_LIMIT, 16384) ||
        set(fd, AUDIT_STATUS_ENABLED, 1))
        return 1;
    for (int i = 0; i < 64; i++) {
        parts[i] = (struct iovec){ buffers[i], sizeof(buffers[i]) };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    puts("ready");
    fflush(stdout);
    while (!stop) {
        int n = recvmmsg(fd, messages, 64, MSG_WAITFORONE, NULL);

        if (n > 0)
            records += (unsigned long)n;
    }
    set(fd, AUDIT_STATUS_ENABLED, 0);
    set(fd, AUDIT_STATUS_PID, 0);
    printf("%lu records\n", records);
    return 0;
}
