/* SPDX-License-Identifier: MIT */
/* tmpfiles.d(5): what systemd-tmpfiles removes by age, at each start, or sets mode and owner of. */
#include <errno.h>

#include "clues/cleaners.h"
#include "clues/line.h"
#include "clues/source.h"
#include "util/cleanup.h"

static const char *const directories[] = { "/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d" };
static const char *const endings[] = { ".conf", NULL };

static struct bytes take_word(struct bytes *rest)
{
    struct bytes word = bytes_next_word(rest);

    if (word.len > 1 && word.data[0] == '"' && word.data[word.len - 1] == '"')
        word = (struct bytes){ word.data + 1, word.len - 2 };
    return word;
}

void tmpfiles_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, says = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct bytes rest = line, type = take_word(&rest), path = take_word(&rest), age;
        unsigned named = line_word_names(path, q);
        struct clue_fact f = { .kind = CLUE_RULE, .marks = named, .suspect = bytes_of("systemd-tmpfiles") };
        char kind = type.len ? type.data[0] : '#';

        if (kind == '#' || !(named & (CLUE_NAMES_PATH | CLUE_NAMES_ABOVE)))
            continue;
        for (unsigned i = 0; i < 3; i++)
            (void)take_word(&rest);
        age = take_word(&rest);
        sbuf_clear(&says);
        sbuf_add_bytes(&says, line);
        if (age.len && age.data[0] != '-' && strchr("dDevqQCxX", kind)) {
            sbuf_addf(&says, " : removes what is older than %.*s here", (int)age.len, age.data);
            f.marks |= CLUE_REMOVES | CLUE_BY_AGE;
        } else if (kind == 'r' || kind == 'R' || kind == 'D') {
            sbuf_add_str(&says, kind == 'D' ? " : empties it at each start of the machine" : " : removes it at each start of the machine");
            f.marks |= CLUE_REMOVES | CLUE_RECREATES;
            f.from_ns = q->boot_ns;
        } else if (strchr("xX", kind)) {
            sbuf_add_str(&says, " : keeps it from being cleaned");
            f.suspect = BYTES_NULL;
        } else if (strchr("zZmaAtT", kind)) {
            sbuf_add_str(&says, " : sets its mode, owner or attributes at each start of the machine");
            f.marks |= CLUE_ALTERS;
        } else {
            continue; /* it only makes something */
        }
        f.text = sbuf_bytes(&says);
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : 0;

    (void)request;
    for (size_t i = 0; i < ARRAY_SIZE(directories) && r == 0; i++)
        r = clue_gather_directory(g, root, directories[i], endings, 500, 256 * 1024);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++) {
        bool replaced = false;

        for (size_t j = 0; j < i; j++) /* /etc's file takes the place of the one of its name */
            replaced |= bytes_equal(bytes_basename(bytes_of(g->files[j].name)), bytes_basename(bytes_of(g->files[i].name)));
        if (!replaced)
            tmpfiles_text(answer, &q, bytes_of(g->files[i].name), g->files[i].content);
    }
    return 0;
}

const struct foreign_job clue_job_tmpfiles = { "the rules of systemd-tmpfiles", 16 * 1024 * 1024, gather, parse, false };
