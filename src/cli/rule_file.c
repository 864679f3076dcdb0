/* SPDX-License-Identifier: MIT */
#include "cli/rule_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/cleanup.h"

static bool is_directory(void *data, const char *path)
{
    struct stat st;

    (void)data;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool exists(void *data, const char *path)
{
    struct stat st;

    (void)data;
    return stat(path, &st) == 0;
}

static void on_warning(void *data, unsigned line, const char *text)
{
    struct rule_file *file = data;

    file->warnings++;
    cli_note("%s:%u: %s", file->name, line, text);
}

static int on_bad(void *data, unsigned line, const char *error)
{
    struct rule_file *file = data;

    file->errors++;
    cli_error("%s:%u: %s", file->name, line, error);
    return 0;
}

static int on_rule(void *data, struct rule *rule)
{
    return rule_file_add(data, rule);
}

int rule_file_add(struct rule_file *file, struct rule *rule)
{
    struct rule *grown = reallocarray(file->rules, file->count + 1, sizeof(*grown));

    if (!grown) {
        rule_done(rule);
        return -ENOMEM;
    }
    file->rules = grown;
    grown[file->count++] = *rule;
    return 0;
}

int rule_file_read(const char *path, bool containers, struct rule_file *ret)
{
    struct rule_options options = { .data = ret, .is_directory = is_directory, .exists = exists, .warn = on_warning,
                                    .containers = containers };
    bool standard = strcmp(path, "-") == 0;
    _cleanup_close_ int fd = -EBADF;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct err err = ERR_INIT;
    int r = cli_check_answers(path, &err);

    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return EXIT_UNABLE;
    }
    fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    r = fd < 0 ? -errno : sbuf_add_file(&text, fd, LIMIT_RULES_FILE);
    ret->name = standard ? "standard input" : path;
    if (r == 0)
        r = rules_parse(sbuf_bytes(&text), &options, on_rule, on_bad, ret);
    if (r == 0)
        return 0;
    if (r == -EFBIG)
        cli_error("%s: longer than %d bytes: this is no rule file", ret->name, LIMIT_RULES_FILE);
    else
        cli_error("%s: %s", ret->name, strerror(-r));
    rule_file_done(ret);
    return r == -EFBIG ? EXIT_USAGE : cli_exit_code(r);
}

void rule_file_done(struct rule_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        rule_done(&file->rules[i]);
    free(file->rules);
    file->rules = NULL;
    file->count = 0;
}
