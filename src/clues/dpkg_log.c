/* SPDX-License-Identifier: MIT */
/* What dpkg and apt did then: dpkg.log's lines, apt's history with the command line and who asked for it. */
#include "clues/package_log.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define FILE_MAX (8 * 1024 * 1024)

/* "remove foo:amd64 1.0 <none>": an action that changes files, and its package. */
static bool take_action(struct bytes line, struct bytes *action, struct bytes *package)
{
    static const char *const actions[] = { "install", "upgrade", "remove", "purge", "configure", "trigproc", "disappear" };
    struct bytes word = bytes_next_word(&line);

    if (!BYTES_AMONG(word, actions))
        return false;
    *action = word;
    *package = bytes_next_word(&line);
    return package->len > 0;
}

static struct bytes without_architecture(struct bytes package)
{
    const char *colon = bytes_char(package, ':');

    return (struct bytes){ package.data, colon ? (size_t)(colon - package.data) : package.len };
}

uint64_t package_log_dpkg(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    static const char *const removals[] = { "remove", "purge", "disappear" };
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT;
    uint64_t first = 0;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED | CLUE_LOGGED };
        struct bytes action, package;

        f.from_ns = clue_log_time(&line, q->now_ns);
        first = first ? first : f.from_ns;
        if (!f.from_ns || clue_span_of(q, f.from_ns, CLUE_BEFORE_NS) < 0 || !take_action(line, &action, &package))
            continue;
        sbuf_clear(&suspect);
        sbuf_add_str(&suspect, "package ");
        sbuf_add_bytes(&suspect, without_architecture(package));
        f.suspect = sbuf_bytes(&suspect);
        f.text = line;
        f.place = clue_place(&place, name, lines.number);
        f.marks |= BYTES_AMONG(action, removals) ? CLUE_REMOVES : CLUE_ALTERS;
        clue_put(answer, &f);
    }
    return first;
}

static struct bytes value_of(struct bytes line, const char *key)
{
    struct bytes k = bytes_of(key);

    if (!bytes_starts_with(line, k))
        return BYTES_NULL;
    line = (struct bytes){ line.data + k.len, line.len - k.len };
    while (line.len && line.data[0] == ' ')
        line = (struct bytes){ line.data + 1, line.len - 1 };
    return line;
}

struct transaction {
    uint64_t from_ns;
    unsigned number;
    struct bytes command, by;
};

static void put_transaction(struct sbuf *answer, const struct clue_question *q, struct bytes name, const struct transaction *t,
                            uint64_t to_ns)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED, .from_ns = t->from_ns, .to_ns = to_ns };
    bool near = false;

    for (size_t i = 0; i < q->span_count; i++)
        near |= t->from_ns <= q->spans[i].to_ns + CLUE_AFTER_NS && to_ns + CLUE_BEFORE_NS >= q->spans[i].from_ns;
    if (!near || !t->from_ns)
        return;
    sbuf_add_str(&suspect, "apt: ");
    sbuf_add_bytes(&suspect, t->command.len ? t->command : bytes_of("a package transaction"));
    sbuf_add_bytes(&text, t->command.len ? t->command : bytes_of("a transaction without a command line"));
    if (t->by.len)
        sbuf_addf(&text, ", asked for by %.*s", (int)t->by.len, t->by.data);
    f.marks |= bytes_starts_with(t->command, bytes_of("/usr/bin/unattended-upgrade")) ? CLUE_ALTERS : 0;
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    f.place = clue_place(&place, name, t->number);
    clue_put(answer, &f);
}

uint64_t package_log_apt(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    struct transaction t = { 0 };
    uint64_t first = 0;
    struct bytes line, value;

    while (clue_next_line(&lines, &line)) {
        if ((value = value_of(line, "Start-Date:")).len) {
            t = (struct transaction){ .number = lines.number };
            /* two blanks between date and time */
            if (value.len > 12 && value.data[10] == ' ' && value.data[11] == ' ') {
                char joined[24] = "";

                memcpy(joined, value.data, 11);
                memcpy(joined + 11, value.data + 12, MIN(value.len - 12, (size_t)8));
                value = bytes_of(joined);
                t.from_ns = clue_log_time(&value, q->now_ns);
            }
            first = first ? first : t.from_ns;
        } else if ((value = value_of(line, "Commandline:")).len) {
            t.command = value;
        } else if ((value = value_of(line, "Requested-By:")).len) {
            t.by = value;
        } else if ((value = value_of(line, "End-Date:")).len) {
            char joined[24] = "";
            uint64_t to = 0;

            if (value.len > 12) {
                memcpy(joined, value.data, 11);
                memcpy(joined + 11, value.data + 12, MIN(value.len - 12, (size_t)8));
                value = bytes_of(joined);
                to = clue_log_time(&value, q->now_ns);
            }
            put_transaction(answer, q, name, &t, MAX(to, t.from_ns));
            t = (struct transaction){ 0 };
        }
    }
    return first;
}

static uint64_t either(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    return bytes_starts_with(name, bytes_of("/var/log/apt/")) ? package_log_apt(answer, q, name, text) : package_log_dpkg(answer, q, name, text);
}

static const char *const files[] = { "/var/log/dpkg.log", "/var/log/apt/history.log" };
static const struct clue_logs logs = { files, ARRAY_SIZE(files), FILE_MAX, either };

static int gather(struct bytes request, struct gathered *g)
{
    return clue_gather_logs(request, g, &logs);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_logs(request, g, answer, &logs);
}

const struct foreign_job clue_job_dpkg_log = { "the logs of dpkg and apt", 64 * 1024 * 1024, gather, parse, false };
