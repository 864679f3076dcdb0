/* SPDX-License-Identifier: MIT */
/* A message to a sink, as the tests of sinks need it. */
#pragma once

#include <jansson.h>

#include "sink/process.h"

#define NOW (1700000000ull * NS_PER_S)

static inline struct sink_message message(void)
{
    return (struct sink_message){ .state = ALERT_BEGINS,
                                  .severity = SEVERITY_HIGH,
                                  .events = 21,
                                  .first_ns = NOW,
                                  .id = "0123456789abcdef0123456789abcdef",
                                  .host = BYTES("h"),
                                  .watch = BYTES("web:/prd"),
                                  .container_id = BYTES("0123456789abcdef"),
                                  .container_name = BYTES("web"),
                                  .container_pid = 77,
                                  .container_log = true,
                                  .pod_namespace = BYTES("shop"),
                                  .pod_name = BYTES("web-0"),
                                  .pod_uid = BYTES("6d1f"),
                                  .sentence = BYTES("rm <!here> & \"x\" deleted 21 files."),
                                  .line = BYTES("{\"a\":1}\n") };
}

static inline const char *text(const json_t *of, const char *name)
{
    return json_string_value(json_object_get(of, name)) ? json_string_value(json_object_get(of, name)) : "";
}
