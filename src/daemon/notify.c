/* SPDX-License-Identifier: MIT */
#include "daemon/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"

#define WAIT_S 5

static void send_text(const char *socket_path, const char *text, size_t text_len, int flags)
{
    const struct timeval wait = { .tv_sec = WAIT_S };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = socket_path ? strlen(socket_path) : 0;
    _cleanup_close_ int fd = -EBADF;

    if (len < 2 || len >= sizeof(address.sun_path) || (socket_path[0] != '/' && socket_path[0] != '@'))
        return;
    memcpy(address.sun_path, socket_path, len);
    if (socket_path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
        return;
    (void)sendto(fd, text, text_len, MSG_NOSIGNAL | flags, (const struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

void notify_send(const char *socket_path, const char *format, ...)
{
    char text[1024];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof(text))
        send_text(socket_path, text, (size_t)n, 0);
}

void notify_sign(const char *socket_path)
{
    send_text(socket_path, "WATCHDOG=1", strlen("WATCHDOG=1"), MSG_DONTWAIT);
}
