/* SPDX-License-Identifier: MIT */
#include "cause/health.h"

#include "cause/argv.h"

/* What /proc shows behind the last argument may be there or not. */
static struct bytes without_last_nul(struct bytes args)
{
    if (args.len && !args.data[args.len - 1])
        args.len--;
    return args;
}

/* The same but for the directory of the program: the runtime finds it in PATH. */
static bool is_same_script(struct bytes command, struct bytes args)
{
    struct argv asked = argv_of(command), ran = argv_of(args);
    struct bytes program, script;

    return argv_next(&asked, &program) && argv_next(&ran, &script) && bytes_equal(asked.rest, ran.rest) &&
           bytes_equal(bytes_basename(program), bytes_basename(script));
}

bool health_check_is(struct bytes command, const struct process *p)
{
    struct bytes asked = without_last_nul(command), args = without_last_nul(p->args), word;
    struct argv a = argv_of(args);

    if (!asked.len || !args.len || p->args_truncated)
        return false;
    if (bytes_equal(asked, args))
        return true;
    if (!p->script.len || !argv_next(&a, &word))
        return false;
    if (is_same_script(asked, a.rest)) /* "#!/bin/sh" */
        return true;
    return argv_next(&a, &word) && is_same_script(asked, a.rest); /* "#!/bin/sh -e" */
}
