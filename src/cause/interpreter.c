/* SPDX-License-Identifier: MIT */
#include "cause/interpreter.h"

#include "cause/argv.h"

enum interpreter_flags {
    SHELL = 1 << 0,      /* a letter's value is the next argument, and its cluster goes on: -euo pipefail */
    LONG = 1 << 1,       /* options are words with one dash: no clusters */
    TEXT_FIRST = 1 << 2, /* the first operand is the program's text, unless an option named a file */
    CLASS = 1 << 3,      /* the first operand is a class, unless it is a file of source */
    BOTH = 1 << 4,       /* a text may come before a script */
    VERBS = 1 << 5,      /* "run FILE", "eval TEXT" */
    SERVER = 1 << 6,     /* without anything to run it serves: FastCGI */
};

struct interpreter {
    const char *name;
    unsigned flags;
    /* letters of short options, by what they take: the rest of their cluster, else the next argument */
    const char *text, *module, *script, *value;
    const char *attached;     /* letters whose value is never an argument of its own */
    const char *operand_text; /* letters that make the first operand the text */
    const char *serves;       /* letters among `value` that make a server of it, which runs what it is asked for */
    /* options that are words, each ended by a space; "--word=VALUE" is understood as well */
    const char *text_words, *module_words, *script_words, *archive_words, *value_words;
};

#define NODE_WORDS "--conditions --diagnostic-dir --disable-warning --dns-result-order --env-file --experimental-loader --icu-data-dir " \
    "--import --input-type --inspect-port --loader --openssl-config --redirect-warnings --report-dir --require --title --trace-event-categories " \
    "--unhandled-rejections --watch-path "
#define SHELL_WORDS .value_words = "--rcfile --init-file --emulate ", .text_words = "--command "

/* clang-format off */
static const struct interpreter interpreters[] = {
    { "Rscript", .text = "e" },
    { "ash", SHELL, .value = "oO", .operand_text = "c", SHELL_WORDS },
    { "awk", TEXT_FIRST, .script = "fE", .value = "vFil", .text = "e", .attached = "W", .script_words = "--file --exec ",
      .value_words = "--assign --field-separator --include --load ", .text_words = "--source " },
    { "bash", SHELL, .value = "oO", .operand_text = "c", SHELL_WORDS },
    { "bun", VERBS, .text = "ep", .value = "r", .text_words = "--eval --print ", .value_words = "--cwd --config --preload " },
    { "csh", SHELL, .operand_text = "c" },
    { "dash", SHELL, .value = "o", .operand_text = "c", SHELL_WORDS },
    { "deno", VERBS, .value = "Lc", .value_words = "--cert --config --import-map --location --lock --log-level --seed " },
    { "escript", .value = "" },
    { "expect", .text = "c", .script = "fb" },
    { "fish", SHELL, .text = "c", .value = "CdDo", .text_words = "--command ", .value_words = "--init-command " },
    { "gawk", TEXT_FIRST, .script = "fE", .value = "vFil", .text = "e", .attached = "W", .script_words = "--file --exec ",
      .value_words = "--assign --field-separator --include --load ", .text_words = "--source " },
    { "groovy", .text = "e", .value = "cDl", .value_words = "-cp --classpath " },
    { "guile", .text = "c", .script = "s", .value = "lLxe" },
    { "hush", SHELL, .value = "o", .operand_text = "c" },
    { "java", LONG | CLASS, .archive_words = "-jar ", .module_words = "-m --module ",
      .value_words = "-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --add-reads "
                     "--add-exports --add-opens --limit-modules --patch-module --source --enable-native-access " },
    { "jruby", .text = "e", .value = "IrCEJ", .attached = "iFx0KTW" },
    { "jsc", .text = "e" },
    { "julia", .text = "eE", .value = "LJpt", .text_words = "--eval --print ", .value_words = "--load --procs --threads " },
    { "ksh", SHELL, .value = "o", .operand_text = "c" },
    { "lksh", SHELL, .value = "o", .operand_text = "c" },
    { "lua", BOTH, .text = "e", .value = "l" },
    { "luajit", BOTH, .text = "e", .value = "lj" },
    { "mawk", TEXT_FIRST, .script = "f", .value = "vF", .attached = "W" },
    { "mksh", SHELL, .value = "o", .operand_text = "c" },
    { "nawk", TEXT_FIRST, .script = "f", .value = "vF" },
    { "node", .text = "ep", .value = "rC", .text_words = "--eval --print -pe ",
      .value_words = NODE_WORDS },
    { "nodejs", .text = "ep", .value = "rC", .text_words = "--eval --print -pe ",
      .value_words = NODE_WORDS },
    { "octave", .text_words = "--eval ", .value_words = "--path " },
    { "original-awk", TEXT_FIRST, .script = "f", .value = "vF" },
    { "perl", .text = "eE", .value = "I", .attached = "iMmFDCx0dVl" },
    { "php", .text = "rBRE", .script = "fF", .value = "cdzStg", .serves = "S", .text_words = "--run ", .script_words = "--file ",
      .value_words = "--define --php-ini --zend-extension --server --docroot " },
    { "php-cgi", SERVER, .script = "f", .value = "cdzbT" },
    { "posh", SHELL, .value = "o", .operand_text = "c" },
    { "pwsh", LONG, .text_words = "-Command -c -command -EncodedCommand ", .script_words = "-File -f -file ",
      .value_words = "-ExecutionPolicy -WorkingDirectory -ConfigurationName " },
    { "pypy", .text = "c", .module = "m", .value = "WXQ" },
    { "python", .text = "c", .module = "m", .value = "WXQ", .value_words = "--check-hash-based-pycs " },
    { "racket", .text = "e", .script = "fu", .value = "tlSC", .text_words = "--eval " },
    { "rbash", SHELL, .value = "oO", .operand_text = "c", SHELL_WORDS },
    { "ruby", .text = "e", .value = "IrCE", .attached = "iFx0KTW" },
    { "sbcl", LONG, .script_words = "--script --load ", .text_words = "--eval ", .value_words = "--core --dynamic-space-size " },
    { "sh", SHELL, .value = "oO", .operand_text = "c", SHELL_WORDS },
    { "tclsh", LONG, .value_words = "-encoding " },
    { "tcsh", SHELL, .operand_text = "c" },
    { "ts-node", .text = "ep", .value = "rPO" },
    { "wish", LONG, .value_words = "-encoding -name -display -geometry " },
    { "yash", SHELL, .value = "o", .operand_text = "c" },
    { "zsh", SHELL, .value = "o", .operand_text = "c", SHELL_WORDS },
};
/* clang-format on */

const struct name_table interpreter_table = TABLE(interpreters);

const struct interpreter *interpreter_find(struct bytes name)
{
    const struct interpreter *found = table_find(&interpreter_table, name);
    size_t len = name.len;

    for (size_t i = 1; !found && i < name.len; i++)
        if (name.data[i] >= '0' && name.data[i] <= '9')
            name.len = name.data[i - 1] == '-' ? i - 1 : i; /* the version begins */
    return found || name.len == len ? found : table_find(&interpreter_table, name);
}

const char *interpreter_name(const struct interpreter *i)
{
    return i->name;
}

bool interpreter_is_shell(const struct interpreter *i)
{
    return i->flags & SHELL;
}

bool interpreter_reads_input(const struct interpreter *i)
{
    return !(i->flags & (CLASS | TEXT_FIRST | VERBS | SERVER));
}

/* ---- one command line ---- */

struct parse {
    const struct interpreter *row;
    struct argv argv;
    struct interpreted *ret;
    bool operand_is_text;
};

static bool has_letter(const char *letters, char c)
{
    return letters && c && strchr(letters, c);
}

/* Found what it runs: true ends the search. */
static bool found(struct parse *p, enum run_kind kind, struct bytes value)
{
    p->ret->kind = kind;
    p->ret->value = value;
    return !(kind == RUN_TEXT && p->row->flags & BOTH);
}

static bool found_next(struct parse *p, enum run_kind kind)
{
    struct bytes value;

    return argv_next(&p->argv, &value) ? found(p, kind, value) : true;
}

static const struct {
    size_t words;
    enum run_kind kind;
} word_kinds[] = {
    { offsetof(struct interpreter, text_words), RUN_TEXT },
    { offsetof(struct interpreter, module_words), RUN_MODULE },
    { offsetof(struct interpreter, script_words), RUN_SCRIPT },
    { offsetof(struct interpreter, archive_words), RUN_ARCHIVE },
};

/* A whole word, "--eval TEXT" or "--eval=TEXT". *ret_end: nothing more is looked for. False: it is none of those. */
static bool parse_word(struct parse *p, struct bytes word, bool *ret_end)
{
    const char *equals = bytes_char(word, '=');
    struct bytes name = { word.data, equals ? (size_t)(equals - word.data) : word.len };
    struct bytes value = equals ? (struct bytes){ equals + 1, word.len - name.len - 1 } : BYTES_NULL;

    for (size_t i = 0; i < ARRAY_SIZE(word_kinds); i++) {
        const char *list = *(const char *const *)((const char *)p->row + word_kinds[i].words);

        if (!word_in(list, name))
            continue;
        *ret_end = equals ? found(p, word_kinds[i].kind, value) : found_next(p, word_kinds[i].kind);
        return true;
    }
    if (!word_in(p->row->value_words, name))
        return false;
    p->ret->serves |= p->row->serves && bytes_equal_str(name, "--server");
    if (!equals)
        *ret_end = !argv_next(&p->argv, &value);
    return true;
}

/* "-euo" and its like. True: what it runs was found. */
static bool parse_cluster(struct parse *p, struct bytes word)
{
    const struct interpreter *row = p->row;
    bool shell = row->flags & SHELL;

    for (size_t i = 1; i < word.len; i++) {
        char c = word.data[i];
        struct bytes rest = { word.data + i + 1, word.len - i - 1 };
        enum run_kind kind = has_letter(row->text, c)     ? RUN_TEXT
                             : has_letter(row->module, c) ? RUN_MODULE
                             : has_letter(row->script, c) ? RUN_SCRIPT
                                                          : RUN_UNKNOWN;

        if (has_letter(row->operand_text, c))
            p->operand_is_text = true;
        if (shell && (c == 'i' || c == 'l'))
            p->ret->asks = true;
        if (shell && c == 's')
            p->ret->reads = true;
        if (kind)
            return rest.len ? found(p, kind, rest) : found_next(p, kind);
        if (has_letter(row->attached, c))
            return false;
        if (!has_letter(row->value, c))
            continue;
        p->ret->serves |= has_letter(row->serves, c);
        if (shell || !rest.len)
            (void)argv_next(&p->argv, &rest);
        if (!shell)
            return false;
    }
    return false;
}

static bool is_source(struct bytes name)
{
    return name.len > 5 && memcmp(name.data + name.len - 5, ".java", 5) == 0;
}

static void parse_operand(struct parse *p, struct bytes word)
{
    if (p->row->flags & VERBS && bytes_equal_str(word, "run")) {
        bool value = false;

        while (argv_next(&p->argv, &word)) {
            if (word.len && word.data[0] != '-' && !value) {
                (void)found(p, RUN_SCRIPT, word);
                return;
            }
            value = !value && (word_in(p->row->value_words, word) || (word.len == 2 && word.data[0] == '-' && has_letter(p->row->value, word.data[1])));
        }
        return;
    }
    if (p->row->flags & VERBS && bytes_equal_str(word, "eval"))
        (void)found_next(p, RUN_TEXT);
    else if (p->operand_is_text)
        (void)found(p, RUN_TEXT, word);
    else if (p->row->flags & CLASS && !is_source(word))
        (void)found(p, RUN_MODULE, word);
    else
        (void)found(p, RUN_SCRIPT, word);
}

/* "-", "--": no option. True: what it runs was found. */
static bool is_input(struct bytes word)
{
    static const char fd[] = "/dev/fd/", self[] = "/proc/self/fd/";

    return bytes_equal_str(word, "-") || bytes_equal_str(word, "/dev/stdin") || bytes_starts_with(word, bytes_of(fd)) ||
           bytes_starts_with(word, bytes_of(self));
}

void interpreter_parse(const struct interpreter *row, struct bytes args, struct interpreted *ret)
{
    struct parse p = { .row = row, .argv = argv_of(args), .ret = ret, .operand_is_text = row->flags & TEXT_FIRST };
    bool options = true, end = false;
    struct bytes word;

    *ret = (struct interpreted){ .kind = RUN_INPUT };
    if (!argv_next(&p.argv, &word))
        return;
    ret->asks = row->flags & SHELL && word.len && word.data[0] == '-'; /* a login shell */
    while (!end && argv_next(&p.argv, &word)) {
        bool option = options && word.len > 1 && (word.data[0] == '-' || (row->flags & SHELL && word.data[0] == '+'));

        if (option && bytes_equal_str(word, "--")) {
            options = false;
        } else if (option && (parse_word(&p, word, &end) || word.data[1] == '-' || row->flags & LONG)) {
            if (row->flags & SHELL && (bytes_equal_str(word, "--login") || bytes_equal_str(word, "--interactive")))
                ret->asks = true;
        } else if (option) {
            end = parse_cluster(&p, word);
        } else if (!p.operand_is_text && is_input(word)) {
            ret->reads = true;
            end = true;
        } else if (row->flags & CLASS && word.len && word.data[0] == '@') {
            continue; /* a file of more arguments */
        } else {
            if (!ret->reads || !(row->flags & SHELL)) /* of sh -s, operands are the text's own */
                parse_operand(&p, word);
            end = true;
        }
    }
}
