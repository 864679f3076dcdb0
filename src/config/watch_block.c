/* SPDX-License-Identifier: MIT */
#include "config/watch_block.h"

#include <errno.h>

static int check_guard(const struct config_block *w, struct err *err)
{
    const struct config_value *allow = &w->values[CONFIG_WATCH_ALLOW], *method = &w->values[CONFIG_WATCH_GUARD_METHOD],
                              *keep = &w->values[CONFIG_WATCH_GUARD_KEEP];

    if (!w->values[CONFIG_WATCH_GUARD].count && (allow->count || method->count || keep->count))
        return err_say(err, -EINVAL, "%s goes with guard = on", allow->count ? "allow" : method->count ? "guard_method" : "guard_keep");
    if (allow->count && method->count && bytes_equal_str(method->items[0], "immutable"))
        return err_say(err, -EINVAL, "allow is of guard_method = bpf: the flags of chattr deny everybody");
    return 0;
}

static int check_response(const struct config_block *w, struct err *err)
{
    const struct config_value *on = &w->values[CONFIG_WATCH_ON_VERDICT], *run = &w->values[CONFIG_WATCH_ON_VERDICT_RUN];
    bool exec = on->count && bytes_equal_str(on->items[0], "exec");

    if (exec && (!run->count || run->items[0].data[0] != '/'))
        return err_say(err, -EINVAL, "on_verdict = exec needs on_verdict_run = { \"/a/program\", \"argument\" }");
    if (!exec && run->count)
        return err_say(err, -EINVAL, "on_verdict_run goes with on_verdict = exec");
    if (!on->count && w->values[CONFIG_WATCH_ON_VERDICT_LIMIT].count)
        return err_say(err, -EINVAL, "on_verdict_limit goes with on_verdict = exec, freeze or kill");
    return 0;
}

int check_watch(const struct config_block *block, struct err *err)
{
    int r = check_guard(block, err);

    return r < 0 ? r : check_response(block, err);
}
