/* SPDX-License-Identifier: MIT */
#include "config/keys_sink.h"

#include <errno.h>

#include "alert/severity.h"
#include "sink/mail_message.h"
#include "sink/sink.h"
#include "util/macro.h"
#include "util/parse.h"

int check_sink_type(struct bytes value, struct err *err)
{
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;

    if (sink_ops_by_type(value))
        return 0;
    for (unsigned i = 0; sink_ops(i); i++)
        sbuf_addf(&all, "%s%s", i ? ", " : "", sink_ops(i)->type);
    return err_say(err, -EINVAL, "no type \"%.*s\" (%s)", BYTES_SHOWN(value), sbuf_str(&all));
}

int check_sink_to(struct bytes value, struct err *err)
{
    return value.len && value.len <= 2048 ? 0 : err_say(err, -EINVAL, "a value is 1 to 2048 bytes long");
}

int check_sink_format(struct bytes value, struct err *err)
{
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;

    for (unsigned i = 0; sink_format(i); i++) {
        if (bytes_equal_str(value, sink_format(i)))
            return 0;
        sbuf_addf(&all, "%s%s", i ? ", " : "", sink_format(i));
    }
    return err_say(err, -EINVAL, "no format \"%.*s\" (%s)", BYTES_SHOWN(value), sbuf_str(&all));
}

int check_sink_timeout(struct bytes value, struct err *err)
{
    uint64_t ns;
    int r = parse_duration(value.data, &ns, err); /* values end in a NUL */

    if (r == 0 && (ns < NS_PER_S || ns > 300 * NS_PER_S))
        r = err_say(err, -EINVAL, "\"%.*s\" is not between 1s and 5m", BYTES_SHOWN(value));
    return r;
}

int check_sink_severity(struct bytes value, struct err *err)
{
    if (severity_by_name(value) != SEVERITY_COUNT)
        return 0;
    return err_say(err, -EINVAL, "no severity \"%.*s\" (low, medium, high, critical)", BYTES_SHOWN(value));
}

int check_sink_server(struct bytes value, struct err *err)
{
    static const char *const begins[] = { "smtp://", "smtps://", "/" };

    if (bytes_char(value, '@') && value.data[0] != '/') /* it would be in failures' texts, and go without TLS */
        return err_say(err, -EINVAL, "user and password of a server are in the file that secret names");
    for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
        if (bytes_starts_with(value, bytes_of(begins[i])) && value.len > strlen(begins[i]))
            return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is neither smtp://HOST nor smtps://HOST, nor a mailer's path", BYTES_SHOWN(value));
}

int check_sink_address(struct bytes value, struct err *err)
{
    return mail_check_address(value, err);
}

int check_sink_size(struct bytes value, struct err *err)
{
    uint64_t size;

    return bytes_equal_str(value, "off") ? 0 : parse_size(value.data, &size, err);
}
