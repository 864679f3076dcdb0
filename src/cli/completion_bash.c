/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include <string.h>

#include "util/macro.h"

static const char begin[] =
    "# bash completion of culprit, made by `culprit completion bash`\n"
    "_culprit() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
    "    local kind= words= first= options= operand= before= typed name i\n"
    "    COMPREPLY=()\n"
    "    [ \"$prev\" != = ] || prev=${COMP_WORDS[COMP_CWORD-2]} # --format=js is three words\n"
    "    [ \"$cur\" != = ] || cur=\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n";

static const char end[] =
    "    for ((i = 2; i < COMP_CWORD; i++)); do # behind -- stands a command with options of its own\n"
    "        [ \"$operand ${COMP_WORDS[i]}\" != 'command --' ] || break\n"
    "    done\n"
    "    if [ \"$i\" -lt \"$COMP_CWORD\" ]; then\n"
    "        kind=file\n"
    "        [ $((i + 1)) -lt \"$COMP_CWORD\" ] || kind=program\n"
    "    elif [ \"$kind\" ]; then\n"
    "        :\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        kind=words words=$options\n"
    "    elif [ \"$first\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
    "        kind=words words=$first\n"
    "    elif [ \"$operand\" = command ]; then # a word of -w that is broken at its colon\n"
    "        kind=target\n"
    "    else\n"
    "        kind=$operand\n"
    "    fi\n"
    "    case $kind in\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
    "    list) # the last word of it\n"
    "        [[ $cur != *,* ]] || before=${cur%,*},\n"
    "        mapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$words\" -- \"${cur##*,}\") ;;\n"
    "    file) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
    "    user) mapfile -t COMPREPLY < <(compgen -u -- \"$cur\") ;;\n"
    "    group) mapfile -t COMPREPLY < <(compgen -g -- \"$cur\") ;;\n"
    "    program) mapfile -t COMPREPLY < <(compgen -c -- \"$cur\") ;;\n"
    "    container)\n"
    "        mapfile -t COMPREPLY < <(timeout 2 culprit doctor --containers 2> /dev/null | sed 's,:/*$,,' |\n"
    "            grep -F -- \"$cur\") ;;\n"
    "    target)\n"
    "        # words broken at the colon: take the target as it was typed\n"
    "        typed=${COMP_LINE:0:COMP_POINT}\n"
    "        typed=${typed##* }\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "        while IFS= read -r name; do # names are foreign: compared, never expanded\n"
    "            if [[ $typed && $name == \"$typed\"* && $typed == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
    "                COMPREPLY+=(\"${name#\"${typed%\"${typed##*:}\"}\"}\")\n"
    "            elif [[ $name == \"$typed\"* ]]; then\n"
    "                COMPREPLY+=(\"$name\")\n"
    "            fi\n"
    "        done < <(timeout 2 culprit doctor --containers 2> /dev/null) ;;\n"
    "    esac\n"
    "}\n"
    "complete -o nospace -F _culprit culprit\n";

static const char *kind_name(enum completion completion)
{
    static const char *const names[] = {
        [COMPLETE_NOTHING] = "nothing",       [COMPLETE_WORDS] = "words",     [COMPLETE_LIST] = "list",
        [COMPLETE_FILE] = "file",             [COMPLETE_USER] = "user",       [COMPLETE_GROUP] = "group",
        [COMPLETE_PROGRAM] = "program",       [COMPLETE_COMMAND] = "command", [COMPLETE_OPERATIONS] = "list",
        [COMPLETE_CONTAINER] = "container",   [COMPLETE_TARGET] = "target",
    };

    return names[completion];
}

static void add_names(struct sbuf *out, const struct option_row *row, const char *between)
{
    sbuf_addf(out, "%s%s%s", row->letter ? row->letter : "", row->letter && row->name ? between : "",
              row->name ? row->name : "");
}

static void add_argument(struct sbuf *out, const struct option_row *row)
{
    _cleanup_sbuf_ struct sbuf words = SBUF_INIT;

    sbuf_add_str(out, "        ");
    add_names(out, row, " | ");
    sbuf_addf(out, ") kind=%s", kind_name(row->completion));
    completion_words(row, &words);
    if (words.len)
        sbuf_addf(out, " words='%s'", sbuf_str(&words));
    sbuf_add_str(out, " ;;\n");
}

static void add_verb(struct sbuf *out, const struct verb *verb)
{
    _cleanup_sbuf_ struct sbuf first = SBUF_INIT;
    const struct option_row *row;
    unsigned i = 0;

    completion_first_words(verb, &first);
    sbuf_addf(out, "    %s)\n        operand=%s first='%s'\n        options='", verb->name, kind_name(verb->operand),
              sbuf_str(&first));
    for (const char *space = ""; (row = completion_option(verb, &i)) != NULL; space = " ") {
        sbuf_add_str(out, space);
        add_names(out, row, " ");
    }
    sbuf_add_str(out, "'\n        case $prev in\n");
    i = 0;
    while ((row = completion_option(verb, &i)) != NULL)
        if (row->argument)
            add_argument(out, row);
    sbuf_add_str(out, "        esac ;;\n");
}

void completion_bash(struct sbuf *out)
{
    sbuf_add_str(out, begin);
    sbuf_add_str(out, "        mapfile -t COMPREPLY < <(compgen -W '");
    for (const struct verb *v = verbs; v->name; v++)
        sbuf_addf(out, "%s ", v->name);
    sbuf_add_str(out, "--help --version' -- \"$cur\")\n        return\n    fi\n    case $verb in\n");
    for (const struct verb *v = verbs; v->name; v++)
        add_verb(out, v);
    sbuf_add_str(out, "    esac\n");
    sbuf_add_str(out, end);
}
