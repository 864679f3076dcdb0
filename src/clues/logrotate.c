/* SPDX-License-Identifier: MIT */
/* logrotate: which of its patterns have the file, and when it last rotated that one. */
#include <errno.h>

#include "clues/cleaners.h"
#include "clues/line.h"
#include "clues/source.h"
#include "util/cleanup.h"
#include "util/glob.h"

#define WORD_MAX 1024

/* Of "x.log.8.gz" and "x.log-20261129" the "x.log" that was rotated. */
static struct bytes rotated_from(struct bytes path)
{
    static const char *const packed[] = { ".gz", ".xz", ".zst", ".bz2" };
    size_t len;

    for (size_t i = 0; i < ARRAY_SIZE(packed); i++)
        if (bytes_ends_with(path, bytes_of(packed[i]))) {
            path.len -= strlen(packed[i]);
            break;
        }
    len = path.len;
    while (len && path.data[len - 1] >= '0' && path.data[len - 1] <= '9')
        len--;
    if (len && len < path.len && (path.data[len - 1] == '.' || path.data[len - 1] == '-'))
        path.len = len - 1;
    return path;
}

static bool has(struct bytes pattern, struct bytes path)
{
    struct bytes from = rotated_from(path);

    if (pattern.len > 1 && pattern.data[0] == '"' && pattern.data[pattern.len - 1] == '"')
        pattern = (struct bytes){ pattern.data + 1, pattern.len - 2 };
    return pattern.len && pattern.len <= WORD_MAX && pattern.data[0] == '/' && (glob_matches(pattern, path) || glob_matches(pattern, from));
}

/* What is to be said at the end of its block. */
struct rotation_rule {
    struct bytes line;
    unsigned number; /* 0: none */
    struct bytes old_directory;
};

static void put_rule(struct sbuf *answer, struct bytes name, struct rotation_rule *rule)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_NAMES_PATH | CLUE_REMOVES, .suspect = bytes_of("logrotate") };
    struct bytes old = bytes_cut(rule->old_directory, 200);

    if (rule->number) {
        sbuf_add_bytes(&text, bytes_cut(rule->line, 120));
        if (old.len)
            sbuf_addf(&text, " : is moved to %.*s when it is rotated, and removed when it is one too many", (int)old.len, old.data);
        else
            sbuf_add_str(&text, " : is renamed when it is rotated, and removed when it is one too many");
        f.text = sbuf_bytes(&text);
        f.place = clue_place(&place, name, rule->number);
        clue_put(answer, &f);
    }
    *rule = (struct rotation_rule){ .number = 0 };
}

/* Where in the text we are. */
struct rotation_state {
    bool inside, script; /* a block; a script in it */
    bool acts;           /* some script does something to what is asked for */
    struct line_place place;
    struct rotation_rule rule;
};

/* A line of a script, which logrotate runs before or after it rotates. */
static bool put_script(struct sbuf *answer, const struct clue_question *q, struct bytes name, unsigned number, struct bytes line, struct line_place *at)
{
    struct clue_fact f = { .kind = CLUE_RULE, .marks = line_marks_at(line, q, at), .suspect = bytes_of("logrotate"), .text = line };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;

    if (!(f.marks & CLUE_NAMES) || !(f.marks & (CLUE_REMOVES | CLUE_ALTERS)))
        return false;
    f.place = clue_place(&place, name, number);
    clue_put(answer, &f);
    return true;
}

static bool begins_script(struct bytes word)
{
    static const char *const all[] = { "prerotate", "postrotate", "firstaction", "lastaction", "preremove" };

    return BYTES_AMONG(word, all);
}

/* A line of a block: is it still inside? */
static bool read_inside(struct sbuf *answer, const struct clue_question *q, struct bytes name, unsigned number, struct bytes line,
                        struct rotation_state *s)
{
    struct bytes rest = line, word = bytes_next_word(&rest);

    if (s->script) {
        s->script = !bytes_equal_str(word, "endscript");
        if (s->script && word.len && word.data[0] != '#')
            s->acts |= put_script(answer, q, name, number, (struct bytes){ word.data, (size_t)(line.data + line.len - word.data) }, &s->place);
        return true;
    }
    s->script = begins_script(word);
    s->place.len = 0;
    if (bytes_equal_str(word, "olddir"))
        s->rule.old_directory = bytes_next_word(&rest);
    return s->script || !bytes_char(line, '}');
}

bool logrotate_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    struct rotation_state s = { .inside = false };
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct bytes rest = line, word;

        if (s.inside) {
            s.inside = read_inside(answer, q, name, lines.number, line, &s);
        } else {
            while ((word = bytes_next_word(&rest)).len && word.data[0] != '#') {
                if (word.data[word.len - 1] == '{')
                    word.len--;
                if (!s.rule.number && (has(word, q->path) || (q->written.len && has(word, q->written))))
                    s.rule = (struct rotation_rule){ .line = line, .number = lines.number };
            }
            s.inside = bytes_char(line, '{') && !bytes_char(line, '}');
        }
        if (!s.inside && bytes_char(line, '}'))
            put_rule(answer, name, &s.rule);
    }
    put_rule(answer, name, &s.rule);
    return s.acts;
}

/* "2026-11-29-6:25:1" */
static uint64_t state_time(struct bytes word, uint64_t now_ns)
{
    struct bytes parts[6], rest = word;
    char text[24];

    for (size_t i = 0; i < 3; i++)
        parts[i] = bytes_next_field(&rest, '-');
    for (size_t i = 3; i < 6; i++)
        parts[i] = bytes_next_field(&rest, ':');
    for (size_t i = 0; i < 6; i++)
        if (!parts[i].len || parts[i].len > (i ? 2u : 4u))
            return 0;
#define PART(i) (parts[i].len == 1 ? "0" : ""), (int)parts[i].len, parts[i].data
    snprintf(text, sizeof(text), "%.*s-%s%.*s-%s%.*s %s%.*s:%s%.*s:%s%.*s", (int)parts[0].len, parts[0].data, PART(1), PART(2), PART(3),
             PART(4), PART(5));
#undef PART
    rest = bytes_of(text);
    return clue_log_time(&rest, now_ns);
}

/* A file of the record: the path itself, what it is a rotation of, or one that lies in it. */
static bool is_rotated(struct bytes file, struct bytes path)
{
    return bytes_equal(file, path) || bytes_equal(file, rotated_from(path)) || bytes_equal(bytes_dirname(file), path);
}

void logrotate_state(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, bool acts)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_STARTED, .text = line,
                               .suspect = bytes_of("logrotate") };
        const char *end = line.len && line.data[0] == '"' ? memchr(line.data + 1, '"', line.len - 1) : NULL;
        struct bytes file, rest;

        if (!end)
            continue;
        file = (struct bytes){ line.data + 1, (size_t)(end - line.data) - 1 };
        rest = (struct bytes){ end + 1, line.len - file.len - 2 };
        f.from_ns = state_time(bytes_next_word(&rest), q->now_ns);
        if (!f.from_ns)
            continue;
        if (!is_rotated(file, q->path) && !(q->written.len && is_rotated(file, q->written))) {
            if (!acts || clue_span_of(q, f.from_ns, CLUE_BEFORE_NS) < 0)
                continue;
            f.marks = CLUE_STARTED;
            acts = false; /* once says it */
        }
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

static const char *const states[] = { "/var/lib/logrotate/status", "/var/lib/logrotate/logrotate.status", "/var/lib/logrotate.status" };

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : clue_gather_file(g, root, "/etc/logrotate.conf", 256 * 1024, false);

    (void)request;
    if (r == 0)
        r = clue_gather_directory(g, root, "/etc/logrotate.d", NULL, 500, 256 * 1024);
    for (size_t i = 0; i < ARRAY_SIZE(states) && r == 0; i++)
        r = clue_gather_file(g, root, states[i], 1024 * 1024, false);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;
    bool acts = false;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++) { /* the configuration comes first */
        struct bytes name = bytes_of(g->files[i].name);

        if (bytes_starts_with(name, bytes_of("/etc/")))
            acts |= logrotate_text(answer, &q, name, g->files[i].content);
        else
            logrotate_state(answer, &q, name, g->files[i].content, acts);
    }
    return 0;
}

const struct foreign_job clue_job_logrotate = { "logrotate's configuration and record", 16 * 1024 * 1024, gather, parse, false };
