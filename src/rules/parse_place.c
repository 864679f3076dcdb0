/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <libaudit.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "rules/field_value.h"
#include "rules/parser.h"

int parser_check_path(struct parser *p, const char *option, char *path)
{
    size_t n = strlen(path);

    if (path[0] != '/')
        return parser_fail(p, "\"%s %.80s\" must start with '/': the kernel takes absolute paths only", option, path);
    if (n >= PATH_MAX)
        return parser_fail(p, "the path of %s is longer than %d bytes", option, PATH_MAX - 1);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    if (strlen(strrchr(path, '/') + 1) > NAME_MAX)
        return parser_fail(p, "the last name in %s is longer than %d bytes", option, NAME_MAX);
    if (strstr(path, "/../") || strstr(path, "/./") || (n >= 3 && strcmp(path + n - 3, "/..") == 0))
        parser_warn(p, "\"%.80s\" holds \"..\" or \".\": the kernel follows it when the rule is loaded; write "
                       "the path without",
                    path);
    if (strpbrk(path, "*?["))
        parser_warn(p, "\"%.80s\" is taken literally: the kernel knows no wildcards; name the directory "
                       "(dir=), it covers everything below",
                    path);
    return 0;
}

bool parser_leads_to_directory(struct parser *p, const char *path)
{
    return p->options->is_directory && p->options->is_directory(p->options->data, path);
}

void parser_warn_of_missing(struct parser *p, const char *path, bool whole)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    if (!p->options->exists || p->deletes)
        return;
    snprintf(directory, sizeof(directory), "%.*s", (int)(whole ? strlen(path) : slash > path ? (size_t)(slash - path) : 1), path);
    if (!p->options->exists(p->options->data, directory))
        parser_warn(p, "%.120s is not there: the kernel refuses a rule whose directory is missing when it is loaded", directory);
}

int parser_take_watch(struct parser *p, char *path, bool deletes)
{
    const char *colon = strchr(path, ':'), *slash = strchr(path, '/');
    int r = parser_one_of_a_kind(p);

    if (r < 0)
        return r;
    p->rule.container = path[0] != '/' && colon && slash && colon < slash && colon != path;
    if (p->rule.container && !p->options->containers)
        return parser_fail(p, "\"%s %.80s\" is a path in a container: the kernel's rules know none; "
                              "culprit watch --rules takes it",
                           p->option, path);
    if (p->any_field)
        return parser_fail(p, "%s stands first: what narrows it follows", p->option);
    if (!p->rule.container) {
        r = parser_check_path(p, p->option, path);
        if (r < 0)
            return r;
    }
    p->deletes = deletes;
    if (!p->rule.container)
        parser_warn_of_missing(p, path, false);
    if (strcmp(path, "/") == 0)
        parser_warn(p, "a watch on / covers every file of the root file system: most machines cannot bear it");
    p->list = AUDIT_FILTER_EXIT;
    p->rule.kind = deletes ? RULE_DELETE : RULE_ADD;
    p->rule.watch = true;
    p->rule.directory = !p->rule.container && parser_leads_to_directory(p, path);
    p->rule.data->flags = AUDIT_FILTER_EXIT;
    p->rule.data->action = AUDIT_ALWAYS;
    p->calls = p->perm = true;
    parser_set_all_calls(p);
    r = parser_add_field(p, p->rule.directory ? AUDIT_DIR : AUDIT_WATCH, AUDIT_EQUAL, 0, path);
    /* the default of a watch; -p puts another value there */
    return r < 0 ? r : parser_add_field(p, AUDIT_PERM, AUDIT_EQUAL,
                                        AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR,
                                        NULL);
}

int parser_take_permissions(struct parser *p, const char *text)
{
    struct err why = ERR_INIT;
    uint32_t perm;
    int at;

    if (p->list == NO_LIST)
        return parser_fail(p, "\"-p %.20s\" follows the -w that it belongs to", text);
    if (field_value(field_by_name("perm"), text, &perm, &why) < 0)
        return parser_fail(p, "%s in \"-p %.40s\" (use r, w, x, a)", err_text(&why, -EINVAL), text);
    at = rule_find(p->rule.data, AUDIT_PERM);
    if (at < 0 && rule_find(p->rule.data, AUDIT_WATCH) < 0 && rule_find(p->rule.data, AUDIT_DIR) < 0)
        return parser_fail(p, "\"-p %.20s\" belongs to -w; in a rule with -a write -F perm=%.20s", text, text);
    p->perm = true;
    if (at < 0)
        return parser_add_field(p, AUDIT_PERM, AUDIT_EQUAL, perm, NULL);
    p->rule.data->values[at] = perm;
    return 0;
}
