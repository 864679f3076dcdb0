/* SPDX-License-Identifier: MIT */
/* What git did to its work tree, by its own log of where HEAD was (.git/logs/HEAD): resets, checkouts, pulls, with who did it and when. */
#include "clues/reflog.h"

#include <errno.h>
#include <stdio.h>

#include "clues/source.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define LOG "/.git/logs/HEAD"
#define LOG_MAX (2 * 1024 * 1024)

/* What changes files of the work tree; a commit does not. */
static bool changes_files(struct bytes message)
{
    static const char *const begins[] = { "checkout:", "reset:", "pull", "merge", "rebase", "cherry-pick", "revert", "am:", "clone:" };

    for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
        if (bytes_starts_with(message, bytes_of(begins[i])))
            return true;
    return false;
}

/* "OLD NEW Ann <ann@x> 1764380000 +0100\treset: moving to HEAD~1" */
static void one_line(struct sbuf *answer, const struct clue_question *q, struct bytes tree, struct bytes place, struct bytes line)
{
    const char *tab = bytes_char(line, '\t'), *close = bytes_char(line, '>');
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED | CLUE_REMOVES | CLUE_ALTERS, .place = place };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT;
    struct bytes message, who, rest;
    uint64_t s;

    if (!tab || !close || close > tab || line.len < 82)
        return;
    message = (struct bytes){ tab + 1, line.len - (size_t)(tab + 1 - line.data) };
    rest = (struct bytes){ close + 1, (size_t)(tab - close - 1) };
    who = (struct bytes){ line.data + 82, close > line.data + 82 ? (size_t)(close + 1 - line.data - 82) : 0 };
    if (!changes_files(message) || parse_u64(bytes_next_word(&rest), 10, &s) < 0 || s > UINT32_MAX)
        return;
    f.from_ns = s * NS_PER_S;
    if (clue_span_of(q, f.from_ns, CLUE_FAR_NS) < 0)
        return;
    f.marks |= bytes_equal(tree, q->path) ? CLUE_NAMES_PATH : CLUE_NAMES_ABOVE;
    sbuf_add_str(&text, "git ");
    sbuf_add_bytes(&text, message);
    sbuf_add_str(&text, ", by ");
    sbuf_add_bytes(&text, who);
    sbuf_add_str(&suspect, "git ");
    sbuf_add_bytes(&suspect, message);
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    clue_put(answer, &f);
}

void reflog_text(struct sbuf *answer, const struct clue_question *q, struct bytes tree, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line))
        one_line(answer, q, tree, clue_place(&place, name, lines.number), line);
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);

    if (root < 0)
        return root;
    return clue_gather_above(g, root, q.host_path.len ? q.host_path : q.path, LOG, LOG_MAX, true);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes name = bytes_of(g->files[0].name), tree = name;
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    tree.len -= sizeof(LOG) - 1;
    clue_put_cover(answer, 0, 0);
    reflog_text(answer, &q, tree, name, g->files[0].content);
    return 0;
}

const struct foreign_job clue_job_reflog = { "git's log of its work tree", LOG_MAX + 4096, gather, parse, false };
