/* SPDX-License-Identifier: MIT */
#include "daemon/guard_reach.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"

static int address_of(const char *path, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(ret->sun_path))
        return -ENAMETOOLONG;
    strcpy(ret->sun_path, path);
    return 0;
}

int guard_reach_listen(const char *path, struct err *err)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;
    int r = fd < 0 ? -errno : address_of(path, &address);
    mode_t mask;

    if (r < 0)
        return err_set(err, r, "%s", path);
    (void)unlink(path);
    mask = umask(0177);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0)
        r = -errno;
    (void)umask(mask);
    return r < 0 ? err_set(err, r, "%s", path) : TAKE_FD(fd);
}

static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

int guard_reach_accept(int fd)
{
    _cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    if (peer < 0)
        return -errno;
    return is_ours(peer) ? TAKE_FD(peer) : -EPERM;
}

int guard_reach_connect(const char *path)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;
    int r = fd < 0 ? -errno : address_of(path, &address);

    if (r == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        r = -errno;
    return r < 0 ? r : TAKE_FD(fd);
}
