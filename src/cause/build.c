/* SPDX-License-Identifier: MIT */
#include "cause/build.h"

#include "cause/argv.h"
#include "cause/table.h"

struct build_row {
    const char *name;  /* of the program, or of the file of the script that it is */
    const char *shown;
    enum run_kind kind;
    const char *value; /* letters of options that take a value */
    const char *words; /* options that are words and take one, each ended by a space */
    const char *place; /* letters among them whose value is the directory */
    const char *verbs; /* the name follows one of these; else the verb is the name */
    bool assigns;      /* NAME=VALUE is no target */
};

#define MAKE_WORDS .words = "--directory --file --makefile --include-dir --old-file --new-file --what-if "

/* clang-format off */
static const struct build_row rows[] = {
    { "ant", "ant", RUN_TARGET, .value = "", .words = "-f -file -buildfile -lib -propertyfile -logfile " },
    { "bmake", "make", RUN_TARGET, .value = "CfIdjmnVT", .place = "C", .assigns = true },
    { "git", "git", RUN_GIT, .value = "Cc", .place = "C", .words = "--git-dir --work-tree --namespace --exec-path " },
    { "gmake", "make", RUN_TARGET, .value = "CfIoW", .place = "C", .assigns = true, MAKE_WORDS },
    { "just", "just", RUN_TARGET, .value = "fd", .place = "d", .words = "--justfile --working-directory --set ", .assigns = true },
    { "make", "make", RUN_TARGET, .value = "CfIoW", .place = "C", .assigns = true, MAKE_WORDS },
    { "ninja", "ninja", RUN_TARGET, .value = "Cfjkldwt", .place = "C" },
    { "npm", "npm", RUN_NPM, .value = "wC", .place = "C", .words = "--prefix --workspace ", .verbs = "run run-script rum urn " },
    { "npm-cli.js", "npm", RUN_NPM, .value = "wC", .place = "C", .words = "--prefix --workspace ", .verbs = "run run-script rum urn " },
    { "npx", "npx", RUN_NPM, .value = "pc", .words = "--package " },
    { "npx-cli.js", "npx", RUN_NPM, .value = "pc", .words = "--package " },
    { "pnpm", "pnpm", RUN_NPM, .value = "CF", .place = "C", .words = "--dir --filter ", .verbs = "run run-script exec dlx " },
    { "pnpm.cjs", "pnpm", RUN_NPM, .value = "CF", .place = "C", .words = "--dir --filter ", .verbs = "run run-script exec dlx " },
    { "rake", "rake", RUN_TARGET, .value = "fCIr", .place = "C", .assigns = true },
    { "samu", "ninja", RUN_TARGET, .value = "Cfjkldwt", .place = "C" },
    { "yarn", "yarn", RUN_NPM, .words = "--cwd ", .verbs = "run exec dlx " },
    { "yarn.js", "yarn", RUN_NPM, .words = "--cwd ", .verbs = "run exec dlx " },
    { "yarnpkg", "yarn", RUN_NPM, .words = "--cwd ", .verbs = "run exec dlx " },
};
/* clang-format on */

const struct build_row *build_find(struct bytes name)
{
    const struct build_row *row = TABLE_FIND(rows, name);

    return row && row->kind != RUN_NPM ? row : NULL; /* those are scripts of node */
}

const struct build_row *build_script(struct bytes script)
{
    const struct build_row *row = TABLE_FIND(rows, bytes_basename(script));

    return row && (row->kind == RUN_NPM || bytes_equal_str(bytes_of(row->shown), "rake")) ? row : NULL;
}

const char *build_row_name(size_t index)
{
    return index < ARRAY_SIZE(rows) ? rows[index].name : NULL;
}

static bool is_letter_of(const char *letters, char c)
{
    return letters && c && strchr(letters, c);
}

/* An option and what belongs to it. */
static void skip_option(const struct build_row *row, struct argv *a, struct bytes word, struct cause_run *ret)
{
    const char *equals = bytes_char(word, '=');
    struct bytes value = BYTES_NULL, name = { word.data, equals ? (size_t)(equals - word.data) : word.len };

    if (word_in(row->words, name)) {
        if (equals)
            value = (struct bytes){ equals + 1, word.len - name.len - 1 };
        else
            (void)argv_next(a, &value);
        if (word_in("--directory --working-directory --prefix --dir --cwd ", name))
            ret->directory = value;
        return;
    }
    if (word.len < 2 || word.data[1] == '-')
        return;
    for (size_t i = 1; i < word.len; i++) {
        if (!is_letter_of(row->value, word.data[i]))
            continue;
        value = (struct bytes){ word.data + i + 1, word.len - i - 1 };
        if (!value.len)
            (void)argv_next(a, &value);
        if (is_letter_of(row->place, word.data[i]))
            ret->directory = value;
        return;
    }
}

bool build_parse(const struct build_row *row, struct bytes args, struct cause_run *ret)
{
    struct argv a = argv_of(args);
    struct bytes word, verb = BYTES_NULL;
    bool counted = false;

    ret->kind = row->kind;
    ret->interpreter = bytes_of(row->shown);
    ret->name = BYTES_NULL;
    if (!argv_next(&a, &word))
        return row->kind == RUN_TARGET;
    while (argv_next(&a, &word)) {
        bool after_j = counted;

        counted = bytes_equal_str(word, "-j") && row->assigns;
        if (!word.len || (after_j && bytes_is_number(word)))
            continue;
        if (word.data[0] == '-') {
            skip_option(row, &a, word, ret);
            continue;
        }
        if (row->assigns && bytes_char(word, '='))
            continue;
        if (!verb.len && word_in(row->verbs, word)) {
            verb = word;
            continue;
        }
        ret->name = word;
        return true;
    }
    if (verb.len)
        ret->name = verb;
    return row->kind == RUN_TARGET || ret->name.len;
}
