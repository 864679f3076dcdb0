/* SPDX-License-Identifier: MIT */
/* One request of HTTP. Certificates are checked, redirections are not followed: a secret goes to whom it is for. */
#pragma once

#include "sink/sink.h"

#define HTTP_ANSWER_MAX (64 * 1024) /* bytes; a longer answer is a failure */

struct http_request {
    const char *method;     /* "POST" */
    const char *url;
    const char *type;       /* of the body */
    struct bytes body;
    struct bytes token;     /* Authorization: Bearer; empty: none */
};

/* ca_file and timeout are the settings'. *ret_status: what was answered. answer: NULL: nobody wants to read it. -EIO with what happened. */
int sink_http(const struct sink_settings *s, const struct http_request *request, long *ret_status, struct sbuf *answer, struct err *err);
