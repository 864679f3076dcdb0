/* SPDX-License-Identifier: MIT */
#include "clues/line.h"

#include "util/glob.h"

#define LINE_MAX_LEN (16 * 1024)
#define WITHIN 64     /* words after a command in which its option is looked for: a line may be made to be slow */
#define WORD_MAX 1024 /* of a pattern: matching costs the product of both lengths */

/* What ends a word of a command, as far as paths go. */
static bool ends_word(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'`;|&()<>=,", c) != NULL;
}

static struct bytes next_word(struct bytes *rest)
{
    size_t from = 0, to;
    struct bytes word;

    while (from < rest->len && ends_word(rest->data[from]))
        from++;
    for (to = from; to < rest->len && !ends_word(rest->data[to]); to++)
        ;
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
    if (!path.len)
        return 0;
    while (word.len > 1 && (word.data[word.len - 1] == '/' || word.data[word.len - 1] == ':'))
        word.len--;
    if (word.len < 2 || word.len > WORD_MAX)
        return 0;
    if (bytes_equal(word, path))
        return CLUE_NAMES_PATH;
    if (bytes_path_covers(word, path))
        return CLUE_NAMES_ABOVE;
    if (memchr(word.data, '*', word.len) || memchr(word.data, '?', word.len)) {
        struct bytes dir = bytes_dirname(word);

        if (word.data[1] == '*')
            return 0; /* what follows a variable, and may be anything */

        if (glob_covers(word, path))
            return CLUE_NAMES_ABOVE;
        /* "/srv/data/" and a star: what lies in the directory that is asked for */
        if (bytes_equal(dir, path))
            return CLUE_NAMES_PATH;
    }
    return bytes_path_covers(path, word) ? CLUE_NAMES_BELOW : 0;
}

unsigned line_word_names(struct bytes word, const struct clue_question *q)
{
    return names(word, q->path) | names(word, q->host_path) | names(word, q->written);
}

/* A word that says what the line does: alone, or together with one that follows on the line. */
static const struct does_row {
    const char *word, *with; /* with: NULL = alone */
    unsigned marks;
} does[] = {
    { "rm", NULL, CLUE_REMOVES },
    { "rmdir", NULL, CLUE_REMOVES },
    { "unlink", NULL, CLUE_REMOVES },
    { "shred", NULL, CLUE_REMOVES },
    { "mv", NULL, CLUE_REMOVES },
    { "srm", NULL, CLUE_REMOVES },
    { "tmpreaper", NULL, CLUE_REMOVES },
    { "tmpwatch", NULL, CLUE_REMOVES },
    { "rimraf", NULL, CLUE_REMOVES },
    { "find", "-delete", CLUE_REMOVES },
    { "find", "rm", CLUE_REMOVES },
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
    { "docker", "rm", CLUE_REMOVES },
    { "docker", "prune", CLUE_REMOVES },
    { "docker", "down", CLUE_REMOVES },
    { "docker-compose", "down", CLUE_REMOVES },
    { "podman", "rm", CLUE_REMOVES },
    { "podman", "prune", CLUE_REMOVES },
    { "mkfs", NULL, CLUE_REMOVES },
    { "truncate", NULL, CLUE_ALTERS },
    { "chmod", NULL, CLUE_ALTERS },
    { "chown", NULL, CLUE_ALTERS },
    { "chgrp", NULL, CLUE_ALTERS },
    { "setfacl", NULL, CLUE_ALTERS },
    { "chattr", NULL, CLUE_ALTERS },
    { "sed", "-i", CLUE_ALTERS },
    { "install", NULL, CLUE_ALTERS },
    { "cp", NULL, CLUE_ALTERS },
    { "tee", NULL, CLUE_ALTERS },
    { "tar", NULL, CLUE_ALTERS },
    { "unzip", NULL, CLUE_ALTERS },
    /* languages: calls that remove */
    { "os.remove", NULL, CLUE_REMOVES },
    { "os.unlink", NULL, CLUE_REMOVES },
    { "shutil.rmtree", NULL, CLUE_REMOVES },
    { "FileUtils.rm_rf", NULL, CLUE_REMOVES },
    { "fs.rmSync", NULL, CLUE_REMOVES },
};

static bool has_word(struct bytes rest, const char *word)
{
    struct bytes w;

    for (unsigned i = 0; i < WITHIN && (w = next_word(&rest)).len; i++)
        if (bytes_equal_str(w, word))
            return true;
    return false;
}

static unsigned what_it_does(struct bytes word, struct bytes rest)
{
    struct bytes name = bytes_basename(word);
    unsigned marks = 0;

    for (size_t i = 0; i < ARRAY_SIZE(does); i++)
        if (bytes_equal_str(name, does[i].word) && (!does[i].with || has_word(rest, does[i].with)))
            marks |= does[i].marks;
    return marks;
}

/* Is the word run, so that its path is that of a program and not of what is changed? before: the word before it; from: where that
 * ended, or the line begins. */
static bool is_program(struct bytes before, const char *from, struct bytes word)
{
    static const char *const runs_next[] = { "COMMAND", "sudo", "exec", "env", "nice", "nohup", "then", "do", "else", "!" };

    if (!before.data)
        return true;
    for (const char *at = from; at < word.data; at++)
        if (strchr(";|&`", *at) || (*at == '(' && at[1] != '"' && at[1] != '\''))
            return true; /* behind a bracket a quote begins an argument, in languages that have such */
    return BYTES_AMONG(bytes_basename(before), runs_next);
}

unsigned line_marks(struct bytes line, const struct clue_question *q)
{
    struct bytes rest = line, word, before = BYTES_NULL;
    unsigned marks = 0;

    rest.len = MIN(line.len, LINE_MAX_LEN);
    for (const char *from = line.data; (word = next_word(&rest)).len; from = rest.data, before = word) {
        marks |= what_it_does(word, rest);
        if (word.data[0] == '/' && !is_program(before, from, word))
            marks |= line_word_names(word, q);
    }
    return marks;
}
