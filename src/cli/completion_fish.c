/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include <string.h>

static const char begin[] =
    "# fish completion of culprit, made by `culprit completion fish`\n"
    "function __culprit_first # of the command line's words\n"
    "    test (count (commandline -opc)) -eq 1\n"
    "end\n"
    "function __culprit_in # COMMAND: it is this one's turn\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -ge 2; and test $words[2] = $argv[1]; and not contains -- -- $words\n"
    "end\n"
    "function __culprit_second # COMMAND: the word behind it\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -eq 2; and test $words[2] = $argv[1]\n"
    "end\n"
    "function __culprit_behind # COMMAND: behind its --\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -ge 3; and test $words[2] = $argv[1]; and contains -- -- $words\n"
    "end\n"
    "function __culprit_command # the words behind --, as a command line of their own\n"
    "    set -l words (commandline -opc)\n"
    "    set -l at (contains -i -- -- $words)\n"
    "    set -l rest $words[(math $at + 1)..-1]\n"
    "    complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))\n"
    "end\n"
    "function __culprit_list # the words of a list that is separated by commas\n"
    "    set -l before (commandline -ct | string replace -r '^-[^=]*=' '' | string match -r '.*,')\n"
    "    for word in $argv\n"
    "        echo \"$before$word\"\n"
    "    end\n"
    "end\n"
    "function __culprit_targets\n"
    "    timeout 2 culprit doctor --containers 2> /dev/null\n"
    "end\n"
    "function __culprit_containers\n"
    "    __culprit_targets | string replace -r ':/*$' ''\n"
    "end\n"
    "complete -c culprit -n __culprit_first -f -l help -d 'what there is'\n"
    "complete -c culprit -n __culprit_first -f -l version -d 'which culprit this is'\n";

static void add_quoted(struct sbuf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            sbuf_add_char(out, '\\');
        sbuf_add_char(out, text.data[i]);
    }
}

static void add_action(struct sbuf *out, enum completion completion, const char *words)
{
    switch (completion) {
    case COMPLETE_NOTHING: sbuf_add_str(out, " -x"); break;
    case COMPLETE_WORDS: sbuf_addf(out, " -x -a '%s'", words); break;
    case COMPLETE_LIST:
    case COMPLETE_OPERATIONS: sbuf_addf(out, " -x -a '(__culprit_list %s)'", words); break;
    case COMPLETE_FILE: sbuf_add_str(out, " -r -F"); break;
    case COMPLETE_USER: sbuf_add_str(out, " -x -a '(__fish_complete_users)'"); break;
    case COMPLETE_GROUP: sbuf_add_str(out, " -x -a '(__fish_complete_groups)'"); break;
    case COMPLETE_PROGRAM: sbuf_add_str(out, " -x -a '(__fish_complete_command)'"); break;
    case COMPLETE_COMMAND: break; /* an operand only */
    case COMPLETE_CONTAINER: sbuf_add_str(out, " -x -a '(__culprit_containers)'"); break;
    case COMPLETE_TARGET: sbuf_add_str(out, " -r -F -a '(__culprit_targets)'"); break;
    }
}

static void add_option(struct sbuf *out, const struct verb *verb, const struct option_row *row)
{
    _cleanup_sbuf_ struct sbuf words = SBUF_INIT;

    sbuf_addf(out, "complete -c culprit -n '__culprit_in %s'", verb->name);
    if (row->letter) /* fish's -o: several letters behind one dash */
        sbuf_addf(out, " -%c %s", row->letter[2] ? 'o' : 's', row->letter + 1);
    if (row->name)
        sbuf_addf(out, " -l %s", row->name + 2);
    completion_words(row, &words);
    if (row->argument)
        add_action(out, row->completion, sbuf_str(&words));
    else
        sbuf_add_str(out, " -f");
    sbuf_add_str(out, " -d '");
    add_quoted(out, completion_summary(row->help));
    sbuf_add_str(out, "'\n");
}

static void add_operand(struct sbuf *out, const struct verb *verb)
{
    _cleanup_sbuf_ struct sbuf first = SBUF_INIT;

    completion_first_words(verb, &first);
    if (first.len)
        sbuf_addf(out, "complete -c culprit -n '__culprit_second %s' -f -a '%s'\n", verb->name, sbuf_str(&first));
    if (verb->operand == COMPLETE_COMMAND)
        sbuf_addf(out, "complete -c culprit -n '__culprit_behind %s' -f -a '(__culprit_command)'\n", verb->name);
    else if (verb->operand == COMPLETE_TARGET)
        sbuf_addf(out, "complete -c culprit -n '__culprit_in %s' -F -a '(__culprit_targets)'\n", verb->name);
    else if (verb->operand == COMPLETE_NOTHING)
        sbuf_addf(out, "complete -c culprit -n '__culprit_in %s' -f\n", verb->name);
}

void completion_fish(struct sbuf *out)
{
    sbuf_add_str(out, begin);
    for (const struct verb *v = verbs; v->name; v++) {
        sbuf_addf(out, "complete -c culprit -n __culprit_first -f -a %s -d '", v->name);
        add_quoted(out, bytes_of(v->summary));
        sbuf_add_str(out, "'\n");
    }
    for (const struct verb *v = verbs; v->name; v++) {
        const struct option_row *row;
        unsigned i = 0;

        while ((row = completion_option(v, &i)) != NULL)
            add_option(out, v, row);
        add_operand(out, v);
    }
}
