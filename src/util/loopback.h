/* SPDX-License-Identifier: MIT */
/* An address on this machine, as people write it. */
#pragma once

#include <netinet/in.h>

#include "util/bytes.h"
#include "util/err.h"

/* `127.0.0.1:9742`: IPv4 of the loopback interface and a port; 0: any that is free. -EINVAL, also for an address that others reach. */
int loopback_parse(struct bytes text, struct sockaddr_in *ret, struct err *err);
