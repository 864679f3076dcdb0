/* SPDX-License-Identifier: MIT */
/*
 * dpkg's triggers on files: which package's script is run, with "triggered", after any package has changed something in the directory. That
 * says nothing of what the script does here: it is read as those are that cron names. It runs only while packages are changed, and dpkg's
 * log says when that was.
 */
#include <errno.h>

#include "clues/line.h"
#include "clues/package_log.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define TRIGGERS "/var/lib/dpkg/triggers/File"
#define LOG "/var/log/dpkg.log"

/* CLUE_DUE: the log has its run at a moment; CLUE_NOT_DUE: it has not, and covers the first one; 0: it does not say. */
static unsigned ran(const struct clue_question *q, struct bytes package, struct bytes log)
{
    struct clue_lines lines = { .rest = log };
    uint64_t first = 0;
    struct bytes line;

    while (q->span_count && clue_next_line(&lines, &line)) {
        uint64_t at = clue_log_time(&line, q->now_ns);
        struct bytes action = bytes_next_word(&line), of = bytes_next_word(&line);

        first = first ? first : at;
        if (at && (bytes_equal_str(action, "trigproc") || bytes_equal_str(action, "configure")) &&
            bytes_equal(bytes_next_field(&of, ':'), package) && clue_span_of(q, at, CLUE_BEFORE_NS) >= 0)
            return CLUE_DUE;
    }
    return first && first <= q->spans[0].from_ns ? CLUE_NOT_DUE : 0;
}

/* "/usr/share/mime/packages shared-mime-info/noawait": of a package of several architectures with ":amd64", as its script's name has it. */
void package_triggers(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, struct bytes log)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT, says = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct bytes rest = line, path = bytes_next_word(&rest), waits = bytes_next_word(&rest);
        struct bytes script = bytes_next_field(&waits, '/'), bare = script, package = bytes_next_field(&bare, ':');
        struct clue_fact f = { .kind = CLUE_RULE };
        unsigned names = path.len && path.data[0] == '/' ? line_word_names(path, q) & (CLUE_NAMES_PATH | CLUE_NAMES_ABOVE) : 0;

        if (!names || !package.len)
            continue;
        f.marks = names | CLUE_COMMAND | ran(q, package, log);
        sbuf_clear(&suspect);
        sbuf_add_str(&suspect, "package ");
        sbuf_add_bytes(&suspect, package);
        sbuf_clear(&says);
        sbuf_add_bytes(&says, line);
        sbuf_add_str(&says, " : when a package changes files there, dpkg runs /var/lib/dpkg/info/");
        sbuf_add_bytes(&says, script);
        sbuf_add_str(&says, ".postinst");
        f.suspect = sbuf_bytes(&suspect);
        f.text = sbuf_bytes(&says);
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : clue_gather_file(g, root, TRIGGERS, 1024 * 1024, false);

    (void)request;
    if (r == 0 && !g->count)
        return -ENOENT;
    return r == 0 ? clue_gather_file(g, root, LOG, 8 * 1024 * 1024, true) : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    package_triggers(answer, &q, bytes_of(TRIGGERS), gathered_get(g, TRIGGERS), gathered_get(g, LOG));
    return 0;
}

const struct foreign_job clue_job_dpkg_triggers = { "the triggers of dpkg", 16 * 1024 * 1024, gather, parse, false };
