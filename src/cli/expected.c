/* SPDX-License-Identifier: MIT */
#include "cli/expected.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "config/expect_rules.h"

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    (void)data;
    if (line && !warning)
        cli_error("%s:%u: %s", file, line, text);
    else if (!warning)
        cli_error("%s: %s", file, text);
}

/* A record may be read by whoever may not read the daemon's configuration. */
static int load(struct config *c, const char *directory)
{
    struct config_report report = { .problem = on_problem };
    int r = config_init(c);

    if (r == 0 && access(directory ? directory : CONFIG_DIRECTORY, R_OK | X_OK) == 0)
        r = config_load(c, directory ? directory : CONFIG_DIRECTORY, &report);
    else if (r == 0 && (directory || errno != ENOENT))
        r = -errno;
    if (r < 0)
        cli_error("%s: %s: what is expected is not known", directory ? directory : CONFIG_DIRECTORY, strerror(-r));
    return r < 0 ? cli_exit_code(r) : report.errors ? EXIT_USAGE : 0;
}

int cli_expected_begin(struct cli_expected *e, const char *config_dir)
{
    int r = load(&e->config, config_dir);

    if (r)
        return r;
    if (config_expect_rules(&e->config, &e->arena, &e->rules) == 0)
        return 0;
    cli_error("out of memory");
    return EXIT_UNABLE;
}

void cli_expected_done(struct cli_expected *e)
{
    arena_done(&e->arena);
    config_done(&e->config);
}
