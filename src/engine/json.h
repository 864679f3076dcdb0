/* SPDX-License-Identifier: MIT */
/* Reading what engines and runtimes write as JSON. Pure; views point into the tree of values. */
#pragma once

#include <jansson.h>

#include "event/container.h"
#include "util/cleanup.h"
#include "util/err.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

/* what: whose text it is, for the error ("Docker's answer"). NULL: it is not JSON, err says so. */
json_t *json_read(struct bytes body, const char *what, struct err *err);

struct bytes json_text(const json_t *value);                       /* BYTES_NULL: it is no string */
/* The same of a member; BYTES_NULL: there is none. Valid as long as the object. */
struct bytes json_text_at(const json_t *object, const char *key);
/* 0: it is no number, negative, or larger than `max`. */
uint64_t json_number_at(const json_t *object, const char *key, uint64_t max);

/* Copy the value into the container's field, if there is one. */
void json_take(struct container *c, struct bytes *field, struct bytes value);

/* A health check as Docker and Podman keep it, {"Test": ["CMD", "curl", "-f", ...]} or ["CMD-SHELL", TEXT]: what is
 * executed becomes container.health_check. shell: of the image, as SHELL in a Dockerfile; NULL or empty: /bin/sh -c.
 * One that is longer than what is kept of a process's arguments is left out. */
void json_take_health_check(struct container *c, const json_t *check, const json_t *shell);

/* An object of labels or annotations: all of them that fit become container.labels, and those that
 * say what the container is (Compose, Kubernetes) its members. */
void json_take_labels(struct container *c, const json_t *labels);
