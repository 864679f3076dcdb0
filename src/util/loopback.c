/* SPDX-License-Identifier: MIT */
#include "util/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "util/macro.h"
#include "util/parse.h"

int loopback_parse(struct bytes text, struct sockaddr_in *ret, struct err *err)
{
    const char *colon = text.len ? memrchr(text.data, ':', text.len) : NULL;
    char host[INET_ADDRSTRLEN] = "";
    uint32_t port = 0;
    size_t len = colon ? (size_t)(colon - text.data) : 0;

    *ret = (struct sockaddr_in){ .sin_family = AF_INET };
    if (len && len < sizeof(host) && !memchr(text.data, '\0', len))
        memcpy(host, text.data, len);
    if (!colon || parse_u32((struct bytes){ colon + 1, text.len - len - 1 }, 10, &port) < 0 || port > UINT16_MAX ||
        inet_pton(AF_INET, host, &ret->sin_addr) != 1)
        return err_say(err, -EINVAL, "\"%.*s\" is no address and port, such as 127.0.0.1:9742", BYTES_SHOWN(text));
    if (ntohl(ret->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        return err_say(err, -EINVAL, "\"%.*s\" can be reached from elsewhere: only 127.0.0.1 and its like", BYTES_SHOWN(text));
    ret->sin_port = htons((uint16_t)port);
    return 0;
}
