/* SPDX-License-Identifier: MIT */
/* ECS 8 encoding of events and gaps: one JSON object a line. Pure: bytes in, text out. */
#pragma once

#include "event/container.h"
#include "event/ecs_actor.h"
#include "event/ecs_time.h"
#include "event/event.h"
#include "util/sbuf.h"

struct ecs_host {
    struct bytes name; /* nodename */
    struct bytes id;   /* machine-id */
    struct bytes boot_id;
};

/* Each appends one object and a newline. */
void ecs_write_event(struct sbuf *out, const struct event *event, const struct ecs_host *host);
void ecs_write_gap(struct sbuf *out, const struct gap *gap, const struct ecs_host *host);

/* Parts that report/ uses for its alerts: a member list without braces, comma-separated. Those of the actor and of
 * time are in ecs_actor.h and ecs_time.h. */
/* "victim":{...}, "container":{...}, "host":{...}, "ecs":{...}: one member each. */
void ecs_write_victim(struct sbuf *out, enum victim_kind kind, const struct container *victim,
                      struct bytes sharers);
void ecs_write_container(struct sbuf *out, const struct container *container);
void ecs_write_host(struct sbuf *out, const struct ecs_host *host); /* NULL: nothing */
void ecs_write_version(struct sbuf *out);
/* file.type by st_mode: "file", "dir", "symlink" ...; NULL: none of them. Static. */
const char *ecs_file_type(uint32_t mode);
/* "audit,fanotify" without quotes. */
void ecs_write_sensors(struct sbuf *out, unsigned bits);
