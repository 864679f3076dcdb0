/* SPDX-License-Identifier: MIT */
#include "config/sink_block.h"

#include <errno.h>

#include "sink/sink.h"
#include "util/macro.h"

/* Its spool is a directory of that name. */
static int check_name(struct bytes name, struct err *err)
{
    if (bytes_is_plain(name) && name.data[0] != '.')
        return 0;
    return err_say(err, -EINVAL, "a sink's name is of letters, digits, '_', '-' and '.', and begins with none of the last");
}

/* What not all types have. */
static const struct {
    enum config_key key;
    unsigned takes;
    const char *of;
} rows[] = {
    { CONFIG_SINK_FORMAT, SINK_TAKES_FORMAT, "webhook" },
    { CONFIG_SINK_SECRET, SINK_TAKES_SECRET, "webhook, mail or kubernetes" },
    { CONFIG_SINK_CA, SINK_TAKES_CA, "webhook, syslog, mail or kubernetes" },
    { CONFIG_SINK_SERVER, SINK_TAKES_SERVER, "mail" },
    { CONFIG_SINK_FROM, SINK_TAKES_SERVER, "mail" },
};

/* A mailer has settings of its own for both. */
static int check_mail(const struct config_block *block, struct err *err)
{
    const struct config_value *server = &block->values[CONFIG_SINK_SERVER];

    if (server->count && server->items[0].data[0] != '/')
        return 0;
    if (!block->values[CONFIG_SINK_SECRET].count && !block->values[CONFIG_SINK_CA].count)
        return 0;
    return err_say(err, -EINVAL, "secret and ca of mail are for a server: server = \"smtp://HOST\"");
}

int check_sink(const struct config_block *block, struct err *err)
{
    const struct config_value *type = &block->values[CONFIG_SINK_TYPE], *to = &block->values[CONFIG_SINK_TO];
    const struct sink_ops *ops = type->count ? sink_ops_by_type(type->items[0]) : NULL;
    int r = check_name(block->name, err);

    if (r == 0 && !ops)
        r = err_say(err, -EINVAL, "it has no type: type = journal");
    if (r == 0 && !ops->to_max && to->count)
        r = err_say(err, -EINVAL, "type %s has no to", ops->type);
    if (r == 0 && (to->count < ops->to_min || to->count > ops->to_max))
        r = err_say(err, -EINVAL, "to of type %s is %s", ops->type, ops->to_help);
    for (size_t i = 0; r == 0 && ops->check && i < to->count; i++)
        r = ops->check(to->items[i], err);
    if (r == 0 && ops == &sink_exec && to->items[0].data[0] != '/')
        r = err_say(err, -EINVAL, "to of type exec is %s", ops->to_help);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++)
        if (block->values[rows[i].key].count && !(ops->takes & rows[i].takes))
            r = err_say(err, -EINVAL, "%s is of type %s, not of %s", config_key_info(rows[i].key)->name, rows[i].of, ops->type);
    if (r == 0 && ops == &sink_mail)
        r = check_mail(block, err);
    return r;
}
