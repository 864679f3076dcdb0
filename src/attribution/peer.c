/* SPDX-License-Identifier: MIT */
#include "attribution/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attribution/asked.h"
#include "attribution/procfs.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/parse.h"
#include "util/proc_stat.h"

#define TABLE_MAX (8 * 1024 * 1024) /* 50,000 connections */
#define DESCRIPTORS 32              /* of a process that are looked at: sshd's connection is among its first */
#define ESTABLISHED 1               /* TCP_ESTABLISHED of the kernel */

/* ---- pure parts ---- */

static bool is_one_of(struct bytes sockets, struct bytes inode)
{
    char name[32];
    int len = snprintf(name, sizeof(name), "socket:[%.*s]", (int)MIN(inode.len, (size_t)20), inode.data);

    while (sockets.len) {
        size_t n = strnlen(sockets.data, sockets.len);

        if (n == (size_t)len && memcmp(sockets.data, name, n) == 0)
            return true;
        n += n < sockets.len;
        sockets = (struct bytes){ sockets.data + n, sockets.len - n };
    }
    return false;
}

/* "0100007F:1F90", as the kernel prints the words of an address in its own order; IPv6 has four. */
static bool read_address(struct bytes text, char buffer[PEER_ADDRESS])
{
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    size_t digits = colon ? (size_t)(colon - text.data) : 0;
    uint32_t words[4] = { 0 };

    if (digits != 8 && digits != 32)
        return false;
    for (size_t i = 0; i < digits / 8; i++)
        if (parse_u32((struct bytes){ text.data + i * 8, 8 }, 16, &words[i]) < 0)
            return false;
    if (digits == 8)
        return inet_ntop(AF_INET, words, buffer, PEER_ADDRESS) != NULL;
    if (!words[0] && !words[1] && ntohl(words[2]) == 0xffff) /* IPv4 by a socket of IPv6 */
        return inet_ntop(AF_INET, &words[3], buffer, PEER_ADDRESS) != NULL;
    return inet_ntop(AF_INET6, words, buffer, PEER_ADDRESS) != NULL;
}

struct bytes peer_find(struct bytes tables, struct bytes sockets, char buffer[PEER_ADDRESS])
{
    char other[PEER_ADDRESS];
    bool found = false;

    while (tables.len) {
        struct bytes line = bytes_next_line(&tables), remote, state, inode;
        uint32_t number;

        (void)bytes_next_word(&line); /* its number, the local address */
        (void)bytes_next_word(&line);
        remote = bytes_next_word(&line);
        state = bytes_next_word(&line);
        for (unsigned i = 0; i < 5; i++) /* queues, timer, retransmissions, uid, timeouts */
            (void)bytes_next_word(&line);
        inode = bytes_next_word(&line);
        if (parse_u32(state, 16, &number) < 0 || number != ESTABLISHED || !inode.len || !is_one_of(sockets, inode) ||
            !read_address(remote, found ? other : buffer))
            continue;
        if (found && strcmp(other, buffer) != 0)
            return BYTES_NULL;
        found = true;
    }
    return found ? bytes_of(buffer) : BYTES_NULL;
}

/* ---- in a worker ---- */

static int gather_sockets(int process, struct gathered *g)
{
    struct sbuf names = SBUF_INIT;

    for (unsigned i = 0; i < DESCRIPTORS; i++) {
        char path[32], link[64];
        ssize_t n;

        snprintf(path, sizeof(path), "fd/%u", i);
        n = readlinkat(process, path, link, sizeof(link) - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        sbuf_add(&names, link, (size_t)n + 1);
    }
    if (sbuf_error(&names) || !names.len) {
        sbuf_done(&names);
        return -ENOENT;
    }
    return gathered_add(g, "sockets", names.data, names.len); /* taken over */
}

static int gather_table(int process, const char *path, struct sbuf *all)
{
    _cleanup_close_ int fd = openat(process, path, O_RDONLY | O_CLOEXEC);
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r = fd < 0 ? -errno : beneath_read_fd(fd, TABLE_MAX, &text, &len);

    if (r == 0)
        sbuf_add_bytes(all, (struct bytes){ text, len });
    return r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int process = -EBADF;
    struct sbuf tables = SBUF_INIT;
    const char *proc;
    uint64_t start_ns;
    char path[256];
    pid_t pid;
    int r = asked_about(request, &pid, &start_ns, &proc);

    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "%s/%d", proc, pid);
    process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0 || !process_is(&(struct process){ .pid = pid, .start_ns = proc_stat_start_ns(proc, pid) }, pid, start_ns))
        return -ESRCH;
    r = gather_sockets(process, g);
    if (r == 0)
        r = gather_table(process, "net/tcp", &tables);
    if (r == 0)
        r = gather_table(process, "net/tcp6", &tables);
    if (r < 0 || sbuf_error(&tables) || !tables.len) {
        sbuf_done(&tables);
        return r < 0 ? r : -ENOENT;
    }
    return gathered_add(g, "tables", tables.data, tables.len); /* taken over */
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    char buffer[PEER_ADDRESS];
    struct bytes address = peer_find(gathered_get(g, "tables"), gathered_get(g, "sockets"), buffer);

    (void)request;
    sbuf_add_bytes(answer, address);
    return address.len ? sbuf_error(answer) : -ENOENT;
}

const struct foreign_job peer_job = { "where a login came from", 2 * TABLE_MAX + 4096, gather, parse, false };
