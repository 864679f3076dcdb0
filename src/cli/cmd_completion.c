/* SPDX-License-Identifier: MIT */
/* completion: for bash, zsh or fish, what Tab offers; made of the tables of verbs and options. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/completion.h"
#include "util/macro.h"

int cmd_completion(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(struct sbuf *out);
    } shells[] = { { "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish } };
    const struct verb *verb = verb_by_name("completion");
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    if (argc != 2)
        return cli_usage_error(verb, "for which shell? bash, zsh or fish");
    for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
        if (strcmp(argv[1], shells[i].name) != 0)
            continue;
        shells[i].write(&out);
        if (sbuf_error(&out) < 0) {
            cli_error("out of memory");
            return EXIT_UNABLE;
        }
        cli_write(stdout, &out);
        return EXIT_ANSWERED;
    }
    return cli_usage_error(verb, "no completion for \"%.40s\" (bash, zsh, fish)", argv[1]);
}
