/* SPDX-License-Identifier: MIT */
/*
 * The scripts that commands name (of cron, units, sudo): a line of theirs that names the path. Which files are opened is found in the
 * commands' words while gathering; what they hold is understood afterwards.
 */
#include <errno.h>

#include "clues/line.h"
#include "clues/scripts.h"
#include "clues/source.h"
#include "engine/flat.h"
#include "util/cleanup.h"

#define SCRIPT_MAX (128 * 1024)
#define WORDS_MAX 4      /* paths of one command that are looked at */
#define DIRECTORY_MAX 64 /* files of one that run-parts is given */

struct named_command {
    struct bytes text, suspect;
    uint64_t from_ns, marks;
};

static bool take(struct bytes *list, struct named_command *c)
{
    return list->len && flat_get_bytes(list, &c->text) == 0 && flat_get_bytes(list, &c->suspect) == 0 &&
           flat_get_u64(list, &c->from_ns) == 0 && flat_get_u64(list, &c->marks) == 0;
}

/* Does the command give the directory to run-parts, which runs each file of it? */
static bool runs_parts(const struct named_command *c)
{
    return memmem(c->text.data, c->text.len, "run-parts", 9) != NULL;
}

/* Is there an earlier file of that name? A script may be named by itself, and lie in a directory that is gathered. */
static bool is_repeated(const struct gathered *g, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(g->files[i].name, g->files[n].name) == 0)
            return true;
    return false;
}

/* Was the directory given to run-parts by a command before the one that is left at `until`? */
static bool was_given(struct bytes all, struct bytes until, struct bytes directory)
{
    struct named_command c;

    while (all.len > until.len && take(&all, &c) && all.len > until.len) {
        struct bytes rest = c.text, word;

        for (unsigned i = 0; runs_parts(&c) && i < WORDS_MAX && (word = line_next_path(&rest)).len; i++)
            if (bytes_equal(word, directory))
                return true;
    }
    return false;
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    struct named_command c;
    struct bytes left;
    int r = 0;

    if (root < 0)
        return root;
    for (left = q.extra; r == 0 && take(&left, &c);) {
        struct bytes rest = c.text, word;

        for (unsigned i = 0; i < WORDS_MAX && r == 0 && (word = line_next_path(&rest)).len; i++) {
            char path[512];

            if (word.len >= sizeof(path) || bytes_equal(word, q.path))
                continue;
            snprintf(path, sizeof(path), "%.*s", (int)word.len, word.data);
            if (gathered_get(g, path).data)
                continue;
            r = clue_gather_file(g, root, path, SCRIPT_MAX, false);
            if (r == 0 && runs_parts(&c) && !was_given(q.extra, left, word))
                r = clue_gather_directory(g, root, path, NULL, DIRECTORY_MAX, SCRIPT_MAX);
        }
    }
    return r == 0 && !g->count ? -ENOENT : r;
}

/* ---- pure ---- */

/* Are its variables written with a dollar? */
static bool has_dollars(struct bytes text)
{
    static const char *const others[] = { "python", "node", "ruby", "lua" };
    struct bytes line = bytes_next_field(&text, '\n');

    for (size_t i = 0; bytes_starts_with(line, bytes_of("#!")) && i < ARRAY_SIZE(others); i++)
        if (bytes_has(line, others[i]))
            return false;
    return true;
}

void scripts_text(struct sbuf *answer, const struct clue_question *q, const struct clue_fact *of, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, hold = SBUF_INIT, named_line = SBUF_INIT;
    struct clue_fact f = *of, named = { 0 };
    unsigned named_at = 0, later = 0, number;
    struct line_place place_of = { .len = 0 };
    struct bytes line;
    bool dollars;

    if (!text.len || memchr(text.data, '\0', MIN(text.len, (size_t)4096)))
        return; /* a program */
    dollars = has_dollars(text);
    while (clue_next_command(&lines, &hold, &line, &number)) {
        unsigned says;

        while (line.len && (line.data[0] == ' ' || line.data[0] == '\t'))
            line = (struct bytes){ line.data + 1, line.len - 1 };
        if (!line.len || line.data[0] == '#')
            continue;
        says = line_marks_at(line, q, &place_of);
        if ((says & CLUE_NAMES) && (says & (CLUE_REMOVES | CLUE_ALTERS))) {
            f.marks = of->marks | says;
            f.text = line;
            f.place = clue_place(&place, name, number);
            clue_put(answer, &f);
            return;
        }
        if ((says & CLUE_NAMES) && !named_at) {
            named_at = number;
            sbuf_add_bytes(&named_line, line);
            named.marks = says;
        }
        /* a variable was given the path, and something is done with a variable */
        if (named_at && !(says & CLUE_NAMES) && (!dollars || bytes_char(line, '$')))
            later |= says & (CLUE_REMOVES | CLUE_ALTERS);
    }
    if (!named_at)
        return;
    f.marks = of->marks | named.marks | later;
    f.text = sbuf_bytes(&named_line);
    f.place = clue_place(&place, name, named_at);
    clue_put(answer, &f);
}

/* Is the file what the word names, or one of the directory that run-parts is given? */
static bool is_meant(const struct named_command *c, struct bytes word, struct bytes name)
{
    return bytes_equal(word, name) || (bytes_equal(bytes_dirname(name), word) && runs_parts(c));
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;
    struct named_command c;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (struct bytes list = q.extra; take(&list, &c);) {
        struct clue_fact f = { .kind = CLUE_RULE, .suspect = c.suspect, .from_ns = c.from_ns, .marks = (unsigned)c.marks & CLUE_MARKS_ALL };
        struct bytes rest = c.text, word;

        if (f.marks & CLUE_STARTED)
            f.kind = CLUE_HAPPENED;
        for (unsigned i = 0; i < WORDS_MAX && (word = line_next_path(&rest)).len; i++)
            for (size_t j = 0; j < g->count; j++)
                if (is_meant(&c, word, bytes_of(g->files[j].name)) && !is_repeated(g, j))
                    scripts_text(answer, &q, &f, bytes_of(g->files[j].name), g->files[j].content);
    }
    return 0;
}

const struct foreign_job clue_job_scripts = { "the scripts that are named", 16 * 1024 * 1024, gather, parse, false };
