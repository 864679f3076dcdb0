/* SPDX-License-Identifier: MIT */
#include "cli/junit_file.h"
#include "util/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

static int add_targets(struct junit *junit, const struct watch_args *args)
{
    junit->targets = calloc(args->target_count, sizeof(*junit->targets));
    junit->cases = calloc(args->target_count, sizeof(*junit->cases));
    if (!junit->targets || !junit->cases)
        return -ENOMEM;
    for (size_t i = 0; i < args->target_count; i++) {
        struct case_options options = { .target = bytes_of(args->targets[i]), .command_status = -1,
                                        .limit = UINT_MAX, .quiet = true };

        junit->targets[i] = options.target;
        junit->cases[i] = case_new(&options);
        if (!junit->cases[i])
            return -ENOMEM;
        junit->count++;
    }
    return 0;
}

int junit_file_open(struct junit_file *j, const struct watch_args *args)
{
    struct err err = ERR_INIT;
    int r = output_file_prepare(args->junit, &j->file, &err);

    if (r == 0)
        r = add_targets(&j->junit, args);
    if (r < 0)
        cli_error("--junit: %s", err_text(&err, r));
    j->junit.began_ns = clock_ns(CLOCK_REALTIME);
    return r < 0 ? cli_exit_code(r) : 0;
}

void junit_file_set_command(struct junit_file *j, pid_t pid)
{
    for (size_t i = 0; i < j->junit.count; i++)
        case_set_command(j->junit.cases[i], pid, 0);
}

void junit_file_event(struct junit_file *j, const struct event *event)
{
    if (event->watch < j->junit.count)
        (void)case_add_event(j->junit.cases[event->watch], event);
}

int junit_file_write(struct junit_file *j, struct case_ *all, struct bytes command, int status)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct err err = ERR_INIT;
    int r;

    j->junit.all = all;
    j->junit.command = command;
    j->junit.command_status = status;
    j->junit.took_ns = clock_ns(CLOCK_REALTIME) - j->junit.began_ns;
    junit_write(&text, &j->junit);
    r = output_file_write(&j->file, &text, &err);
    if (r < 0)
        cli_error("--junit: %s", err_text(&err, r));
    return r < 0 ? EXIT_UNABLE : 0;
}

void junit_file_close(struct junit_file *j)
{
    for (size_t i = 0; j->junit.cases && i < j->junit.count; i++)
        case_free(j->junit.cases[i]);
    free(j->junit.cases);
    free(j->junit.targets);
    output_file_done(&j->file);
    *j = JUNIT_FILE_INIT;
}
