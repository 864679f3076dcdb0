/* SPDX-License-Identifier: MIT */
#include "config/sink_block.h"

#include <errno.h>

#include "sink/sink.h"

/* Its spool is a directory of that name. */
static int check_name(struct bytes name, struct err *err)
{
    if (bytes_is_plain(name) && name.data[0] != '.')
        return 0;
    return err_say(err, -EINVAL, "a sink's name is of letters, digits, '_', '-' and '.', and begins with none of the last");
}

int check_sink(const struct config_block *block, struct err *err)
{
    const struct config_value *type = &block->values[CONFIG_SINK_TYPE], *to = &block->values[CONFIG_SINK_TO];
    const struct sink_ops *ops = type->count ? sink_ops_by_type(type->items[0]) : NULL;
    int r = check_name(block->name, err);

    if (r == 0 && !ops)
        r = err_say(err, -EINVAL, "it has no type: type = journal");
    if (r == 0 && (to->count < ops->to_min || to->count > ops->to_max))
        r = err_say(err, -EINVAL, "to of type %s is %s", ops->type, ops->to_help);
    for (size_t i = 0; r == 0 && ops->check && i < to->count; i++)
        r = ops->check(to->items[i], err);
    if (r == 0 && ops == &sink_exec && to->items[0].data[0] != '/')
        r = err_say(err, -EINVAL, "to of type exec is %s", ops->to_help);
    if (r == 0 && ops != &sink_webhook && (block->values[CONFIG_SINK_FORMAT].count || block->values[CONFIG_SINK_SECRET].count ||
                                          (ops != &sink_syslog && block->values[CONFIG_SINK_CA].count)))
        r = err_say(err, -EINVAL, "format, secret and ca are a webhook's");
    return r;
}
