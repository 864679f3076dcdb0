/* SPDX-License-Identifier: MIT */
#include "clues/line.h"

#include <stdio.h>

#include "util/glob.h"
#include "util/path.h"

#define LINE_MAX_LEN (16 * 1024)
#define WITHIN 64     /* words after a command in which its option is looked for: a line may be made to be slow */
#define WORD_MAX LINE_PLACE_MAX /* of a pattern: matching costs the product of both lengths */
#define BRACES_MAX 256    /* of a word with braces */
#define ALTERNATIVES 16   /* of all braces of a line */

/* What ends a word of a command, as far as paths go. */
static bool ends_word(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'`;|&()<>=,", c) != NULL;
}

/* "File[/srv/x]/ensure", as Puppet has it; not that of a pattern. */
static bool is_bracket_of_path(struct bytes text, size_t at)
{
    return text.data[at] == '[' && at + 1 < text.len && text.data[at + 1] == '/';
}

/* Is it the comma of "/srv/{a,b}"? Not of "${a,,}". */
static bool is_comma_of_braces(struct bytes word, struct bytes behind)
{
    const char *open = word.len && behind.len && behind.data[0] == ',' ? memrchr(word.data, '{', word.len) : NULL;

    if (!open || word.data[0] != '/' || (open > word.data && open[-1] == '$') || memchr(open, '}', (size_t)(word.data + word.len - open)))
        return false;
    for (size_t i = 1; i < behind.len && (behind.data[i] == ',' || !ends_word(behind.data[i])); i++)
        if (behind.data[i] == '}')
            return true;
    return false;
}

static struct bytes next_word(struct bytes *rest)
{
    size_t from = 0, to;
    bool bracket;
    struct bytes word;

    while (from < rest->len && (ends_word(rest->data[from]) || is_bracket_of_path(*rest, from)))
        from++;
    bracket = from && rest->data[from - 1] == '[';
    for (to = from; to < rest->len && !(bracket && rest->data[to] == ']') && !is_bracket_of_path(*rest, to); to++)
        if (ends_word(rest->data[to]) && !is_comma_of_braces((struct bytes){ rest->data + from, to - from },
                                                             (struct bytes){ rest->data + to, MIN(rest->len - to, (size_t)BRACES_MAX) }))
            break;
    word = (struct bytes){ rest->data ? rest->data + from : NULL, to - from };
    *rest = (struct bytes){ rest->data ? rest->data + to : NULL, rest->len - to };
    return word;
}

struct bytes line_next_path(struct bytes *rest)
{
    struct bytes word;

    while ((word = next_word(rest)).len)
        if (word.data[0] == '/')
            return word;
    return BYTES_NULL;
}

static unsigned names(struct bytes word, struct bytes path)
{
    if (!path.len || word.len < 2)
        return 0;
    if (bytes_equal(word, path))
        return CLUE_NAMES_PATH;
    if (bytes_path_covers(word, path))
        return CLUE_NAMES_ABOVE;
    if (memchr(word.data, '*', word.len) || memchr(word.data, '?', word.len)) {
        if (word.data[1] == '*')
            return 0; /* what follows a variable, and may be anything */
        if (glob_covers(word, path))
            return CLUE_NAMES_ABOVE;
        /* "/srv/data/" and a star: what lies in the directory that is asked for */
        if (glob_matches(bytes_dirname(word), path))
            return CLUE_NAMES_PATH;
    }
    return bytes_path_covers(path, word) ? CLUE_NAMES_BELOW : 0;
}

static unsigned word_names(struct bytes directory, struct bytes word, const struct clue_question *q)
{
    char hold[WORD_MAX];

    while (word.len > 1 && (word.data[word.len - 1] == ':' || (word.data[word.len - 1] == '}' && !memchr(word.data, '{', word.len))))
        word.len--; /* "/tmp:" and, of a default, "${DIR:=/tmp}" */
    if (word.len > WORD_MAX)
        return 0;
    word = path_join(directory, word, hold, sizeof(hold));
    return names(word, q->path) | names(word, q->host_path) | names(word, q->written);
}

/* "/srv/{a,b}" is "/srv/a" and "/srv/b". left: how many such words it may be made to look at. */
static unsigned any_names(struct bytes directory, struct bytes word, const struct clue_question *q, unsigned *left)
{
    const char *open = word.len && word.len <= BRACES_MAX ? memchr(word.data, '{', word.len) : NULL;
    const char *end = open ? memchr(open, '}', (size_t)(word.data + word.len - open)) : NULL;
    struct bytes rest;
    unsigned marks = 0;

    if (!end || (open > word.data && open[-1] == '$'))
        return word_names(directory, word, q);
    for (rest = (struct bytes){ open + 1, (size_t)(end - open) - 1 }; rest.len && *left; --*left) {
        struct bytes one = bytes_next_field(&rest, ',');
        char text[BRACES_MAX + 1];
        int n = snprintf(text, sizeof(text), "%.*s%.*s%.*s", (int)(open - word.data), word.data, (int)one.len, one.data,
                         (int)(word.data + word.len - end - 1), end + 1);

        marks |= word_names(directory, (struct bytes){ text, (size_t)n }, q);
    }
    return marks;
}

unsigned line_word_names(struct bytes word, const struct clue_question *q)
{
    unsigned left = ALTERNATIVES;

    return any_names(BYTES_NULL, word, q, &left);
}

/* A word that says what the line does: alone, or together with one that follows on the line. */
static const struct does_row {
    const char *word, *with; /* with: NULL = alone */
    unsigned marks;
    bool operands; /* to what it names, and to nothing else of where it is run */
} does[] = {
    { "rm", NULL, CLUE_REMOVES, true },
    { "rmdir", NULL, CLUE_REMOVES, true },
    { "unlink", NULL, CLUE_REMOVES, true },
    { "shred", NULL, CLUE_REMOVES, true },
    { "mv", NULL, CLUE_REMOVES, true },
    { "srm", NULL, CLUE_REMOVES, true },
    { "tmpreaper", NULL, CLUE_REMOVES },
    { "tmpwatch", NULL, CLUE_REMOVES },
    { "rimraf", NULL, CLUE_REMOVES },
    { "find", "-delete", CLUE_REMOVES, true },
    { "find", "rm", CLUE_REMOVES, true },
    { "rsync", "--delete", CLUE_REMOVES },
    { "rsync", "--delete-after", CLUE_REMOVES },
    { "rsync", "--delete-before", CLUE_REMOVES },
    { "rsync", "--delete-during", CLUE_REMOVES },
    { "rsync", "--delete-excluded", CLUE_REMOVES },
    { "rsync", "--remove-source-files", CLUE_REMOVES },
    { "rsync", NULL, CLUE_ALTERS },
    { "rclone", "sync", CLUE_REMOVES },
    { "git", "clean", CLUE_REMOVES },
    { "git", "reset", CLUE_REMOVES },
    { "git", "checkout", CLUE_REMOVES },
    { "git", "stash", CLUE_REMOVES },
    { "git", "pull", CLUE_ALTERS },
    { "make", "clean", CLUE_REMOVES },
    { "make", "distclean", CLUE_REMOVES },
    { "make", "mrproper", CLUE_REMOVES },
    { "mvn", "clean", CLUE_REMOVES },
    { "gradle", "clean", CLUE_REMOVES },
    { "cargo", "clean", CLUE_REMOVES },
    { "npm", "ci", CLUE_REMOVES },
    { "apt-get", "clean", CLUE_REMOVES },
    { "systemd-tmpfiles", "--clean", CLUE_REMOVES },
    { "systemd-tmpfiles", "--remove", CLUE_REMOVES },
    { "journalctl", "--vacuum-time", CLUE_REMOVES },
    { "journalctl", "--vacuum-size", CLUE_REMOVES },
    { "journalctl", "--vacuum-files", CLUE_REMOVES },
    { "btrfs", "delete", CLUE_REMOVES },
    { "zfs", "destroy", CLUE_REMOVES },
    { "zfs", "rollback", CLUE_REMOVES },
    { "lvremove", NULL, CLUE_REMOVES },
    { "wipefs", NULL, CLUE_REMOVES },
    { "trash-put", NULL, CLUE_REMOVES, true },
    { "gio", "trash", CLUE_REMOVES },
    { "state", "absent", CLUE_REMOVES }, /* Ansible's */
    { "docker", "rm", CLUE_REMOVES },
    { "docker", "prune", CLUE_REMOVES },
    { "docker", "down", CLUE_REMOVES },
    { "docker-compose", "down", CLUE_REMOVES },
    { "podman", "rm", CLUE_REMOVES },
    { "podman", "prune", CLUE_REMOVES },
    { "mkfs", NULL, CLUE_REMOVES },
    { "truncate", NULL, CLUE_ALTERS, true },
    { "chmod", NULL, CLUE_ALTERS, true },
    { "chown", NULL, CLUE_ALTERS, true },
    { "chgrp", NULL, CLUE_ALTERS, true },
    { "setfacl", NULL, CLUE_ALTERS, true },
    { "chattr", NULL, CLUE_ALTERS, true },
    { "sed", "-i", CLUE_ALTERS, true },
    { "install", NULL, CLUE_ALTERS, true },
    { "cp", NULL, CLUE_ALTERS, true },
    { "tee", NULL, CLUE_ALTERS, true },
    { "tar", NULL, CLUE_ALTERS },
    { "unzip", NULL, CLUE_ALTERS },
    /* languages: calls that remove */
    { "os.remove", NULL, CLUE_REMOVES },
    { "os.unlink", NULL, CLUE_REMOVES },
    { "shutil.rmtree", NULL, CLUE_REMOVES },
    { "FileUtils.rm_rf", NULL, CLUE_REMOVES },
    { "fs.rmSync", NULL, CLUE_REMOVES },
    { "fs.unlinkSync", NULL, CLUE_REMOVES },
    { "fs.rmdirSync", NULL, CLUE_REMOVES },
    { "File.delete", NULL, CLUE_REMOVES },
};

static bool has_word(struct bytes rest, const char *word)
{
    struct bytes w;

    for (unsigned i = 0; i < WITHIN && (w = next_word(&rest)).len; i++)
        if (bytes_equal_str(w, word))
            return true;
    return false;
}

/* "path.unlink()", whatever has that name. */
static bool is_method(struct bytes word, struct bytes rest)
{
    static const char *const methods[] = { ".unlink", ".rmdir", ".rmtree" };

    for (size_t i = 0; rest.len && rest.data[0] == '(' && i < ARRAY_SIZE(methods); i++)
        if (bytes_ends_with(word, bytes_of(methods[i])))
            return true;
    return false;
}

/* Of it what is done to operands alone. */
static unsigned what_it_does(struct bytes word, struct bytes rest, unsigned *to_operands)
{
    struct bytes name = bytes_basename(word);
    unsigned marks = is_method(word, rest) ? CLUE_REMOVES : 0;

    for (size_t i = 0; i < ARRAY_SIZE(does); i++)
        if (bytes_equal_str(name, does[i].word) && (!does[i].with || has_word(rest, does[i].with))) {
            marks |= does[i].operands ? 0 : does[i].marks;
            *to_operands |= does[i].operands ? does[i].marks : 0;
        }
    return marks;
}

/* Is the word run, so that its path is that of a program and not of what is changed? before: the word before it; from: where that
 * ended, or the line begins. */
static bool is_program(struct bytes before, const char *from, struct bytes word)
{
    static const char *const runs_next[] = { "COMMAND", "sudo", "exec", "env", "nice", "nohup", "then", "do", "else", "xargs", "!" };

    if (!before.data)
        return true;
    for (const char *at = from; at < word.data; at++)
        if (strchr(";|&`", *at) || (*at == '(' && at[1] != '"' && at[1] != '\''))
            return true; /* behind a bracket a quote begins an argument, in languages that have such */
    return BYTES_AMONG(bytes_basename(before), runs_next);
}

/* Is what follows spared? */
static bool is_exclusion(struct bytes before)
{
    static const char *const options[] = { "-x", "-X", "--exclude", "--exclude-pattern", "--exclude-dir", "--protect", "-not", "!" };

    return before.data && BYTES_AMONG(before, options);
}

/* What is known of a line. */
struct line_walk {
    const struct clue_question *q;
    struct line_place *place;
    unsigned names, of_place;   /* CLUE_NAMES_*: of its words; of where it is run */
    unsigned does, to_operands; /* CLUE_REMOVES, CLUE_ALTERS */
    unsigned left;              /* alternatives of braces */
    bool goes, operands, unknown; /* it goes to a place; has operands, some that nobody knows */
    bool finds, tests;            /* find's words; behind the first test none is a place */
};

static bool is_going(struct bytes before)
{
    static const char *const words[] = { "cd", "pushd", "PWD" }; /* the last one is sudo's, in its message */

    return before.data && BYTES_AMONG(before, words);
}

static void go(struct line_walk *w, struct bytes word)
{
    struct bytes from = { w->place->path, w->place->len };
    char hold[WORD_MAX];
    bool known = word.data[0] == '/' || (from.len && !strchr("$~-", word.data[0]));
    struct bytes to = known && !memchr(word.data, '$', word.len) ? path_join(word.data[0] == '/' ? BYTES_NULL : from, word, hold, sizeof(hold)) : BYTES_NULL;

    if (to.len)
        memcpy(w->place->path, to.data, to.len);
    w->place->len = to.len;
    w->of_place = to.len ? line_word_names(to, w->q) : 0;
    w->goes = true;
}

static void take_operand(struct line_walk *w, struct bytes word)
{
    struct bytes place = { w->place->path, w->place->len };

    if (word.data[0] == '/') {
        w->names |= any_names(BYTES_NULL, word, w->q, &w->left);
        w->operands |= w->to_operands != 0;
    } else if (memchr(word.data, '$', word.len) || word.data[0] == '~') {
        w->unknown = true;
    } else if (word.data[0] == '-') {
        w->tests |= w->finds;
    } else if (place.len && !w->tests) {
        w->names |= w->to_operands ? any_names(place, word, w->q, &w->left) : 0;
        w->operands |= w->to_operands != 0;
    }
}

/* "find -mtime +3 -delete" is of the place where it is run. */
static void take_program(struct line_walk *w, struct bytes word, struct bytes rest)
{
    w->finds = bytes_equal_str(bytes_basename(word), "find");
    w->tests = false;
    w->unknown |= w->finds && bytes_starts_with(next_word(&rest), bytes_of("-"));
}

unsigned line_marks_at(struct bytes line, const struct clue_question *q, struct line_place *place)
{
    struct line_walk w = { .q = q, .place = place, .left = ALTERNATIVES };
    struct bytes rest = line, word, before = BYTES_NULL;

    rest.len = MIN(line.len, LINE_MAX_LEN);
    w.of_place = place->len ? line_word_names((struct bytes){ place->path, place->len }, q) : 0;
    for (const char *from = line.data; (word = next_word(&rest)).len; from = rest.data, before = word) {
        w.does |= what_it_does(word, rest, &w.to_operands);
        if (is_going(before))
            go(&w, word);
        else if (is_program(before, from, word))
            take_program(&w, word, rest);
        else if (!is_exclusion(before))
            take_operand(&w, word);
    }
    /* who works on all of the place, or on what is not known to lie elsewhere */
    if (!(w.names & CLUE_NAMES) && (w.does || (w.to_operands ? w.unknown || !w.operands : w.goes)))
        w.names = w.of_place;
    return w.names | w.does | w.to_operands;
}

unsigned line_marks(struct bytes line, const struct clue_question *q)
{
    struct line_place nowhere = { .len = 0 };

    return line_marks_at(line, q, &nowhere);
}
