/* SPDX-License-Identifier: MIT */
#include "cli/option.h"

#include <string.h>

#include "event/operation.h"
#include "util/suggest.h"

/* The row of a long option, or NULL; all that begin so, where it is an abbreviation of several, in `several`. */
static const struct option *find(const struct option *options, struct bytes name, struct sbuf *several)
{
    const struct option *found = NULL;

    for (const struct option *o = options; o->name; o++) {
        if (!bytes_starts_with(bytes_of(o->name), name))
            continue;
        if (strlen(o->name) == name.len)
            return o;
        sbuf_addf(several, "%s--%s", several->len ? ", " : "", o->name);
        found = o;
    }
    return found;
}

static int unknown_long(const struct verb *verb, const char *word, const struct option *options)
{
    struct bytes name = { word + 2, strcspn(word + 2, "=") };
    struct suggestion suggestion = { .typed = name };
    _cleanup_sbuf_ struct sbuf several = SBUF_INIT;
    const struct option *known = find(options, name, &several);

    if (known && word[2 + name.len] == '=' && known->has_arg == no_argument)
        return cli_usage_error(verb, "unknown option %.200s: --%s takes no argument", word, known->name);
    if (known && name.len)
        return cli_usage_error(verb, "unknown option %.200s: it could be %s", word, sbuf_str(&several));
    for (const struct option *o = options; o->name; o++)
        suggest_offer(&suggestion, bytes_of(o->name));
    if (suggestion.best.data)
        return cli_usage_error(verb, "unknown option %.200s; did you mean --%s?", word, suggestion.best.data);
    return cli_usage_error(verb, "unknown option %.200s", word);
}

int cli_option_error(const struct verb *verb, int c, char **argv, const struct option *options)
{
    const char *word = argv[optind - 1];
    char letter[] = { '-', (char)optopt, 0 };

    if (strncmp(word, "--", 2) == 0)
        return c == ':' ? cli_usage_error(verb, "%.200s needs an argument", word) : unknown_long(verb, word, options);
    if (optopt && optopt < 256) /* one letter of several: -ik */
        word = letter;
    return c == ':' ? cli_usage_error(verb, "%.200s needs an argument", word)
                    : cli_usage_error(verb, "unknown option %s", word);
}

int cli_parse_format(const struct verb *verb, const char *text, enum format *ret)
{
    if (strcmp(text, "json") == 0)
        *ret = FORMAT_JSON;
    else if (strcmp(text, "text") == 0)
        *ret = FORMAT_TEXT;
    else
        return cli_usage_error(verb, "unknown format \"%.40s\" (use text, json)", text);
    return 0;
}

int cli_parse_operations(const struct verb *verb, const char *list, uint64_t *ret)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes unknown;

    if (operation_list_parse(bytes_of(list), ret, &unknown) == 0)
        return 0;
    operation_list_refuse(unknown, &text);
    return cli_usage_error(verb, "%s", sbuf_str(&text));
}
