/* SPDX-License-Identifier: MIT */
/* What dnf, yum and zypper did then: a line a package, and where the log has it the command line. */
#include "clues/package_log.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define FILE_MAX (8 * 1024 * 1024)

static const char *const files[] = { "/var/log/dnf.rpm.log", "/var/log/dnf.log", "/var/log/yum.log", "/var/log/zypp/history" };

static const struct action_row {
    const char *word;
    unsigned marks;
} actions[] = {
    { "Installed:", CLUE_ALTERS },  { "Reinstalled:", CLUE_ALTERS }, { "Updated:", CLUE_ALTERS },  { "Upgrade:", CLUE_ALTERS },
    { "Upgraded:", CLUE_ALTERS },   { "Downgrade:", CLUE_ALTERS },   { "Erase:", CLUE_REMOVES },   { "Erased:", CLUE_REMOVES },
    { "Removed:", CLUE_REMOVES },   { "Obsoleted:", CLUE_REMOVES },  { "install", CLUE_ALTERS },   { "remove", CLUE_REMOVES },
};

static unsigned marks_of(struct bytes word)
{
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (bytes_equal_str(word, actions[i].word))
            return actions[i].marks;
    return 0;
}

/* "foo-bar-1:1.0-1.fc40.x86_64": the name is what is before the last dash but one. */
static struct bytes name_of(struct bytes package)
{
    unsigned dashes = 0;

    for (size_t i = package.len; i > 0; i--)
        if (package.data[i - 1] == '-' && ++dashes == 2)
            return (struct bytes){ package.data, i - 1 };
    return package;
}

static void put(struct sbuf *answer, struct clue_fact *f, const char *kind, struct bytes whom)
{
    _cleanup_sbuf_ struct sbuf suspect = SBUF_INIT;

    if (!whom.len)
        return; /* dnf.log has headings: "Removed: " */
    sbuf_add_str(&suspect, kind);
    sbuf_add_bytes(&suspect, whom);
    f->suspect = sbuf_bytes(&suspect);
    clue_put(answer, f);
}

/* "SUBDEBUG Erase: foo-1.0-1.x86_64", of yum without the first word; "DDEBUG Command: dnf remove foo". */
static void dnf_line(struct sbuf *answer, struct clue_fact *f, struct bytes line)
{
    struct bytes rest = line, word;

    for (unsigned i = 0; i < 2 && (word = bytes_next_word(&rest)).len; i++) {
        unsigned marks = marks_of(word);

        if (bytes_equal_str(word, "Command:")) {
            while (rest.len && rest.data[0] == ' ')
                rest = (struct bytes){ rest.data + 1, rest.len - 1 };
            put(answer, f, "dnf: ", rest);
            return;
        }
        if (!marks || word.data[word.len - 1] != ':')
            continue;
        f->marks |= marks | CLUE_LOGGED;
        put(answer, f, "package ", name_of(bytes_next_word(&rest)));
        return;
    }
}

/* "|remove |foo|1.0-1|x86_64|root@host|", "|command|root@host|'zypper' 'rm' 'foo'|" */
static void zypper_line(struct sbuf *answer, struct clue_fact *f, struct bytes line)
{
    struct bytes rest = { line.data + 1, line.len - 1 }, action = bytes_next_field(&rest, '|'), whom = bytes_next_field(&rest, '|');
    unsigned marks;

    while (action.len && action.data[action.len - 1] == ' ')
        action.len--;
    marks = marks_of(action);
    if (bytes_equal_str(action, "command")) {
        put(answer, f, "zypper: ", bytes_next_field(&rest, '|'));
    } else if (marks) {
        f->marks |= marks | CLUE_LOGGED;
        put(answer, f, "package ", whom);
    }
}

uint64_t package_log_rpm(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    uint64_t first = 0;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED };

        f.from_ns = clue_log_time(&line, q->now_ns);
        first = first ? first : f.from_ns;
        if (!f.from_ns || !line.len || clue_span_of(q, f.from_ns, CLUE_BEFORE_NS) < 0)
            continue;
        f.text = line;
        f.place = clue_place(&place, name, lines.number);
        if (line.data[0] == '|')
            zypper_line(answer, &f, line);
        else
            dnf_line(answer, &f, line);
    }
    return first;
}

static const struct clue_logs logs = { files, ARRAY_SIZE(files), FILE_MAX, package_log_rpm };

static int gather(struct bytes request, struct gathered *g)
{
    return clue_gather_logs(request, g, &logs);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_logs(request, g, answer, &logs);
}

const struct foreign_job clue_job_rpm_log = { "the logs of dnf, yum and zypper", 64 * 1024 * 1024, gather, parse, false };
