/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <signal.h>
#include <time.h>

#include "cli/watch_session.h"
#include "util/clock.h"

static uint64_t after(uint64_t ns)
{
    return ns ? clock_ns(CLOCK_MONOTONIC) + ns : 0;
}

static void on_signal(struct watch_session *o, int number, pid_t sender)
{
    (void)sender;
    if (number != SIGCHLD)
        watch_session_stop(o);
}

int cmd_watch(int argc, char **argv)
{
    struct watch_session o = { .signalled = on_signal };
    int r = watch_args_parse(verb_by_name("watch"), argc, argv, false, &o.args);

    if (r < 0)
        return -r;
    r = watch_session_start(&o);
    if (r)
        return r;
    watch_session_confine(&o);
    r = watch_session_run(&o, after(o.args.for_ns));
    r = r < 0 ? EXIT_UNABLE : watch_session_finish(&o);
    watch_session_close(&o);
    return r;
}
