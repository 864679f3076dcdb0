/* SPDX-License-Identifier: MIT */
#include "cause/build.h"

#include "cause/argv.h"
#include "util/sbuf.h"

#define NAMES_MAX 200 /* bytes of the targets that are named */

struct build_row {
    const char *name;  /* of the program, or of the file of the script that it is */
    const char *shown;
    enum run_kind kind;
    const char *value; /* letters of options that take a value */
    const char *words; /* options that are words and take one, each ended by a space */
    const char *pairs; /* words that take two, each followed by a space */
    const char *counts; /* letters and words whose value is a number, and its own argument only if that is one; each followed by a space */
    const char *place; /* letters among them whose value is the directory */
    const char *files; /* letters and words whose value is the file with the targets, each followed by a space */
    const char *verbs; /* the name follows one of these; else the verb is the name */
    bool assigns;      /* NAME=VALUE is no target */
    bool many;         /* what follows a target is another one; else it is the target's own argument */
    bool anywhere;     /* its options may follow the name, up to "--" */
    char tool;         /* letter of the option behind which a tool of its own has the rest */
    const char *does;  /* words whose value is the directory, each followed by a space: one of them makes it a build, and is its name */
};

#define MAKE .place = "C", .files = "f --file --makefile ", .assigns = true, .many = true
#define GNU_MAKE MAKE, .value = "CEfIoW", .counts = "j l --jobs --load-average --max-load ", \
    .words = "--assume-new --assume-old --directory --eval --file --include-dir --jobserver-style --makefile --new-file --old-file --what-if "
#define ANT .words = "-f -file -buildfile -lib -propertyfile -logfile -listener -logger -inputhandler -find -s ", .files = "-f -file -buildfile ", .many = true
#define GRADLE .value = "bcDFgIMpPx", .place = "p", .many = true, \
    .words = "--build-file --settings-file --gradle-user-home --init-script --project-dir --exclude-task --console --max-workers " \
    "--configuration-cache-problems --dependency-verification --include-build --priority --project-cache-dir --project-prop --system-prop " \
    "--tests --update-locks --warning-mode --write-verification-metadata "
#define MAVEN .value = "DPlT", .files = "-f --file ", .many = true, .words = "-b -color -emp -ep -f -gs -gt -pl -rf -s -t " \
    "--builder --color --define --file --global-settings --global-toolchains --activate-profiles --log-file --projects --resume-from --settings --threads --toolchains "
#define NINJA .value = "Cfjkldwt", .place = "C", .files = "f ", .many = true, .tool = 't'
#define RAKE .value = "CeEfIpRr", .place = "C", .files = "f --rakefile ", .counts = "j --jobs ", .assigns = true, .many = true, \
    .words = "--directory --execute --execute-continue --execute-print --libdir --rakefile --rakelib --rakelibdir --require "

#define NPM_RUN "run run-script rum urn " /* what names a script of the package */
#define NPM RUN_NPM, .value = "wC", .place = "C", .anywhere = true, .verbs = NPM_RUN, \
    .words = "--access --audit-level --auth-type --before --ca --cache --cafile --call --cert --cpu --depth --fetch-retries --fetch-timeout " \
    "--globalconfig --https-proxy --include --install-strategy --key --libc --location --lockfile-version --loglevel --logs-dir --logs-max " \
    "--maxsockets --node-options --noproxy --omit --os --otp --pack-destination --package --prefix --proxy --registry --save-prefix --scope " \
    "--script-shell --tag --umask --user-agent --userconfig --workspace "
#define PNPM RUN_NPM, .value = "CF", .place = "C", .anywhere = true, .verbs = "run run-script exec dlx ", \
    .words = "--cache-dir --config-dir --dir --filter --filter-prod --global-dir --loglevel --modules-dir --registry --reporter --store-dir " \
    "--virtual-store-dir --workspace-concurrency "
#define YARN RUN_NPM, .anywhere = true, .verbs = "run exec dlx ", \
    .words = "--cache-folder --cwd --global-folder --https-proxy --modules-folder --mutex --network-concurrency --network-timeout --otp " \
    "--preferred-cache-folder --proxy --registry --use-yarnrc "
#define NPX RUN_NPM, .value = "pcw", .words = "--call --cache --loglevel --package --prefix --registry --userconfig --workspace "

/* clang-format off */
static const struct build_row rows[] = {
    { "ant", "ant", RUN_TARGET, .value = "", ANT },
    { "bmake", "make", RUN_TARGET, .value = "CdDfIjJmoTvV", MAKE },
    { "cmake", "cmake", RUN_TARGET, .value = "CDGSBPATU", .does = "--build --install ", .many = true, .counts = "j --parallel ",
      .words = "--component --config --install-prefix --log-level --prefix --preset --resolve-package-references --toolchain " },
    { "git", "git", RUN_GIT, .value = "Cc", .place = "C", .words = "--attr-source --config-env --git-dir --namespace --super-prefix --work-tree " },
    { "gmake", "make", RUN_TARGET, GNU_MAKE },
    { "gradle", "gradle", RUN_TARGET, GRADLE },
    { "just", "just", RUN_TARGET, .value = "cdEfs", .place = "d", .files = "f --justfile ", .assigns = true, .pairs = "--set ", .words = "--chooser --color "
      "--command-color --dotenv-filename --dotenv-path --dump-format --justfile --shell --shell-arg --tempdir --timestamp-format --working-directory " },
    { "make", "make", RUN_TARGET, GNU_MAKE },
    { "ninja", "ninja", RUN_TARGET, NINJA },
    { "npm", "npm", NPM },
    { "npm-cli.js", "npm", NPM },
    { "npx", "npx", NPX },
    { "npx-cli.js", "npx", NPX },
    { "org.apache.tools.ant.launch.Launcher", "ant", RUN_TARGET, ANT },
    { "org.codehaus.plexus.classworlds.launcher.Launcher", "mvn", RUN_TARGET, MAVEN },
    { "org.gradle.launcher.GradleMain", "gradle", RUN_TARGET, GRADLE },
    { "org.gradle.wrapper.GradleWrapperMain", "gradle", RUN_TARGET, GRADLE },
    { "pnpm", "pnpm", PNPM },
    { "pnpm.cjs", "pnpm", PNPM },
    { "rake", "rake", RUN_TARGET, RAKE },
    { "samu", "ninja", RUN_TARGET, NINJA },
    { "yarn", "yarn", YARN },
    { "yarn.js", "yarn", YARN },
    { "yarnpkg", "yarn", YARN },
};
/* clang-format on */

const struct name_table build_table = TABLE(rows);

const struct build_row *build_find(struct bytes name)
{
    const struct build_row *row = table_find(&build_table, name);

    return row && row->kind != RUN_NPM ? row : NULL; /* those are scripts of node */
}

const struct build_row *build_script(struct bytes script)
{
    const struct build_row *row = table_find(&build_table, bytes_basename(script));

    return row && (row->kind == RUN_NPM || bytes_equal_str(bytes_of(row->shown), "rake")) ? row : NULL;
}

const struct build_row *build_class(struct bytes name)
{
    return bytes_starts_with(name, bytes_of("org.")) ? table_find(&build_table, name) : NULL;
}

static bool is_letter_of(const char *letters, char c)
{
    return letters && c && strchr(letters, c);
}

/* What the value of an option is, if it is a directory or the file with the targets. */
static void take_value(const struct build_row *row, struct bytes option, struct bytes value, struct cause_run *ret)
{
    if (word_in("--directory --working-directory --prefix --dir --cwd --project-dir ", option) ||
        (option.len == 1 && is_letter_of(row->place, option.data[0])))
        ret->directory = value;
    else if (word_in(row->files, option))
        ret->file = value;
}

/* Arguments as they follow one another. */
struct build_walk {
    const struct build_row *row;
    struct argv argv;
    bool counted; /* the last was -j: a number behind it is its value */
    bool ended;   /* "--" came, or a tool: no options of its own follow */
    struct bytes tool, does;
};

/* A letter, or a word, of those whose value is a number. */
static bool is_count(const struct build_row *row, struct bytes option)
{
    return row->counts && word_in(row->counts, option);
}

/* "-sC dir", "-j4". */
static void skip_letters(struct build_walk *w, struct bytes word, struct cause_run *ret)
{
    for (size_t i = 1; i < word.len; i++) {
        struct bytes letter = { word.data + i, 1 }, value = { word.data + i + 1, word.len - i - 1 };
        bool counts = is_count(w->row, letter);

        if (!counts && !is_letter_of(w->row->value, word.data[i]))
            continue;
        w->counted = counts && !value.len;
        if (!counts && !value.len)
            (void)argv_next(&w->argv, &value);
        if (w->row->tool == word.data[i]) {
            w->tool = value;
            w->ended = true;
        }
        take_value(w->row, letter, value, ret);
        return;
    }
}

/* An option and what belongs to it. */
static void skip_option(struct build_walk *w, struct bytes word, struct cause_run *ret)
{
    const char *equals = bytes_char(word, '=');
    struct bytes value = BYTES_NULL, name = { word.data, equals ? (size_t)(equals - word.data) : word.len };

    if (word_in(w->row->pairs, word))
        (void)(argv_next(&w->argv, &value) && argv_next(&w->argv, &value));
    if (word_in(w->row->words, name)) {
        if (equals)
            value = (struct bytes){ equals + 1, word.len - name.len - 1 };
        else
            (void)argv_next(&w->argv, &value);
        take_value(w->row, name, value, ret);
        return;
    }
    if (word_in(w->row->does, name)) {
        w->does = name;
        if (argv_at(w->argv.rest, 0).len && argv_at(w->argv.rest, 0).data[0] != '-')
            (void)argv_next(&w->argv, &ret->directory);
        return;
    }
    w->counted = is_count(w->row, word);
    w->ended = bytes_equal_str(word, "--");
    if (word.len > 1 && word.data[1] != '-')
        skip_letters(w, word, ret);
}

/* 4, 2.5 */
static bool is_number(struct bytes word)
{
    const char *point = bytes_char(word, '.');
    struct bytes before = { word.data, point ? (size_t)(point - word.data) : word.len };

    return word.len && (!before.len || bytes_is_number(before)) &&
           (!point || bytes_is_number((struct bytes){ point + 1, word.len - before.len - 1 }));
}

/* The next that is neither an option nor an assignment. */
static bool next_word(struct build_walk *w, struct bytes *ret_word, struct cause_run *ret)
{
    while (!(w->ended && w->row->does) && argv_next(&w->argv, ret_word)) { /* cmake's "--": what follows is make's */
        struct bytes word = *ret_word;
        bool counted = w->counted;

        w->counted = false;
        if (!word.len || (counted && is_number(word)))
            continue;
        if (word.data[0] == '-' && !w->ended)
            skip_option(w, word, ret);
        else if (!w->row->assigns || !bytes_char(word, '='))
            return true;
    }
    return false;
}

/* Where it is done, by an option behind the name: "npm run clean --prefix DIR". */
static void take_options(struct build_walk *w, struct cause_run *ret)
{
    struct bytes word;

    while (w->row->anywhere && !w->ended && next_word(w, &word, ret))
        ;
}

/* "make clean install": all of them are what was asked for, and any of them may have made the change. */
static void add_targets(struct build_walk *w, struct arena *arena, struct cause_run *ret)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    struct bytes word;

    sbuf_add_bytes(&names, ret->name);
    while (next_word(w, &word, ret)) {
        if (names.len + word.len > NAMES_MAX) {
            sbuf_add_str(&names, " ...");
            break;
        }
        sbuf_add_char(&names, ' ');
        sbuf_add_bytes(&names, word);
    }
    if (names.len > ret->name.len && !sbuf_error(&names))
        ret->name = arena_copy(arena, sbuf_bytes(&names));
}

/* "ninja -t clean": no target, but what a tool of ninja's own does. */
static struct bytes tool_name(const struct build_walk *w, struct arena *arena)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    sbuf_add_str(&name, "-t ");
    sbuf_add_bytes(&name, w->tool);
    return sbuf_error(&name) ? w->tool : arena_copy(arena, sbuf_bytes(&name));
}

static bool parse(struct build_walk *w, struct arena *arena, struct cause_run *ret)
{
    const struct build_row *row = w->row;
    struct bytes word, verb = BYTES_NULL;

    if (!argv_next(&w->argv, &word))
        return row->kind == RUN_TARGET;
    while (next_word(w, &word, ret) && !w->tool.len) {
        if (!verb.len && word_in(row->verbs, word)) {
            verb = word;
            continue;
        }
        ret->name = word;
        if (row->kind == RUN_NPM && !word_in(NPM_RUN, verb)) /* npm install, npx eslint: no script of the package's own */
            ret->kind = RUN_TARGET;
        if (row->many)
            add_targets(w, arena, ret);
        take_options(w, ret);
        return true;
    }
    if (w->tool.len)
        ret->name = tool_name(w, arena);
    if (verb.len) {
        ret->name = verb;
        ret->kind = RUN_TARGET;
    }
    return row->kind == RUN_TARGET || ret->name.len;
}

/* "cmake --build DIR -t clean" is "--build clean". False: it builds nothing. */
static bool name_does(const struct build_walk *w, struct arena *arena, struct cause_run *ret)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    if (!w->does.len)
        return false;
    sbuf_add_bytes(&name, w->does);
    sbuf_add_str(&name, ret->name.len ? " " : "");
    sbuf_add_bytes(&name, ret->name);
    ret->name = sbuf_error(&name) ? w->does : arena_copy(arena, sbuf_bytes(&name));
    return true;
}

bool build_parse(const struct build_row *row, struct bytes args, struct arena *arena, struct cause_run *ret)
{
    struct build_walk w = { .row = row, .argv = argv_of(args) };
    struct cause_run before = *ret;

    ret->kind = row->kind;
    ret->interpreter = bytes_of(row->shown);
    ret->name = ret->file = BYTES_NULL;
    if (parse(&w, arena, ret) && (!row->does || name_does(&w, arena, ret)))
        return true;
    *ret = before;
    return false;
}
