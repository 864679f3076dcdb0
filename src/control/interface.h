/* SPDX-License-Identifier: MIT */
/* The interfaces of the control socket as Varlink describes them. */
#pragma once

#include "util/bytes.h"

/* BYTES_NULL: there is no such interface. */
struct bytes control_interface(struct bytes name);
