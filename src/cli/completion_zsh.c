/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include <string.h>

static const char begin[] =
    "#compdef culprit\n"
    "# zsh completion of culprit, made by `culprit completion zsh`\n"
    "_culprit_containers() {\n"
    "    local -a names\n"
    "    names=(${(f)\"$(timeout 2 culprit doctor --containers 2> /dev/null)\"})\n"
    "    compadd -S '' -- \"${names[@]%%:/#}\"\n"
    "}\n"
    "_culprit_targets() {\n"
    "    local -a names\n"
    "    names=(${(f)\"$(timeout 2 culprit doctor --containers 2> /dev/null)\"})\n"
    "    compadd -S '' -- $names\n"
    "    _files\n"
    "}\n"
    "_culprit() {\n"
    "    setopt localoptions extendedglob\n"
    "    local command=$words[2]\n"
    "    if (( CURRENT == 2 )); then\n"
    "        local -a commands=(\n";

static const char end[] =
    "    esac\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _culprit ]; then _culprit \"$@\"; else compdef _culprit culprit; fi\n";

/* For single quotes, and for _arguments, which reads brackets and colons as its own. */
static void add_quoted(struct sbuf *out, struct bytes text, const char *special)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'') {
            sbuf_add_str(out, "'\\''");
            continue;
        }
        if (strchr(special, text.data[i]))
            sbuf_add_char(out, '\\');
        sbuf_add_char(out, text.data[i]);
    }
}

static void add_action(struct sbuf *out, enum completion completion, const char *words)
{
    switch (completion) {
    case COMPLETE_NOTHING: sbuf_add_str(out, " "); break; /* the name of the argument alone */
    case COMPLETE_WORDS: sbuf_addf(out, "(%s)", words); break;
    case COMPLETE_LIST:
    case COMPLETE_OPERATIONS: sbuf_addf(out, "_values -s , word %s", words); break;
    case COMPLETE_FILE: sbuf_add_str(out, "_files"); break;
    case COMPLETE_USER: sbuf_add_str(out, "_users"); break;
    case COMPLETE_GROUP: sbuf_add_str(out, "_groups"); break;
    case COMPLETE_PROGRAM: sbuf_add_str(out, "_command_names -e"); break;
    case COMPLETE_COMMAND: sbuf_add_str(out, "_normal"); break;
    case COMPLETE_CONTAINER: sbuf_add_str(out, "_culprit_containers"); break;
    case COMPLETE_TARGET: sbuf_add_str(out, "_culprit_targets"); break;
    }
}

/* `assigned`: --name=VALUE too. */
static void add_option(struct sbuf *out, const struct option_row *row, const char *name, bool assigned)
{
    _cleanup_sbuf_ struct sbuf words = SBUF_INIT;

    sbuf_addf(out, " \\\n            '*%s%s[", name, assigned && row->argument ? "=" : "");
    add_quoted(out, completion_summary(row->help), "[]\\");
    sbuf_add_char(out, ']');
    if (row->argument) {
        completion_words(row, &words);
        sbuf_addf(out, ":%s:", row->argument);
        add_action(out, row->completion, sbuf_str(&words));
    }
    sbuf_add_char(out, '\'');
}

static void add_verb(struct sbuf *out, const struct verb *verb)
{
    _cleanup_sbuf_ struct sbuf first = SBUF_INIT;
    const struct option_row *row;
    unsigned i = 0;

    sbuf_addf(out, "    %s)\n        _arguments -S", verb->name);
    while ((row = completion_option(verb, &i)) != NULL) {
        if (row->letter)
            add_option(out, row, row->letter, false);
        if (row->name)
            add_option(out, row, row->name, verb->bit != VERB_SEARCH);
    }
    completion_first_words(verb, &first);
    if (first.len)
        sbuf_addf(out, " \\\n            '1:what:(%s)'", sbuf_str(&first));
    if (verb->operand != COMPLETE_NOTHING) {
        sbuf_addf(out, " \\\n            '%s:operand:", verb->operand == COMPLETE_COMMAND ? "*:" : "*");
        add_action(out, verb->operand, "");
        sbuf_add_char(out, '\'');
    }
    sbuf_add_str(out, " ;;\n");
}

void completion_zsh(struct sbuf *out)
{
    sbuf_add_str(out, begin);
    for (const struct verb *v = verbs; v->name; v++) {
        sbuf_addf(out, "            '%s:", v->name);
        add_quoted(out, bytes_of(v->summary), "");
        sbuf_add_str(out, "'\n");
    }
    sbuf_add_str(out, "        )\n        _describe command commands\n        return\n    fi\n"
                      "    shift words\n    (( CURRENT-- ))\n    case $command in\n");
    for (const struct verb *v = verbs; v->name; v++)
        add_verb(out, v);
    sbuf_add_str(out, end);
}
