/* SPDX-License-Identifier: MIT */
/* What may be sent to the daemon's socket: calls, replies, and records in base64. */
#include <stdlib.h>

#include "util/base64.h"
#include "control/call.h"
#include "fuzz.h"

static void check_base64(struct bytes text)
{
    struct sbuf plain = SBUF_INIT, again = SBUF_INIT;

    base64_write(&plain, text);
    if (base64_read(sbuf_bytes(&plain), &again) < 0 || !bytes_equal(sbuf_bytes(&again), text))
        abort();
    sbuf_clear(&again);
    (void)base64_read(text, &again);
    sbuf_done(&plain);
    sbuf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size };
    struct control_reply reply;
    struct control_call call;
    struct err err = ERR_INIT;

    if (control_call_parse(text, &call, &err) == 0) {
        if (!call.method.len)
            abort();
        (void)control_text(call.parameters, "target");
        (void)control_array_object(call.parameters, "targets", control_array_size(call.parameters, "targets"));
        control_call_done(&call);
    } else if (!err.text[0]) {
        abort();
    }
    if (control_reply_parse(text, &reply, NULL) == 0)
        control_reply_done(&reply);
    check_base64(text);
    return 0;
}
