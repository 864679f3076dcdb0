/* SPDX-License-Identifier: MIT */
#include "cli/clues_audit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/who_log.h"
#include "clues/journal_audit.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/write.h"

#define LOGS "/var/log/audit"
#define JOURNAL_MS 1200 /* records that journald keeps */
#define BYTES_MAX (48 * 1024 * 1024) /* of logs: about a second */

static uint64_t size_of(const struct audit_log_files *files)
{
    uint64_t size = 0;

    for (size_t i = 0; i < files->count; i++)
        size += files->files[i].size;
    return size;
}

static int ask(struct audit_log_files *files, struct target *target, const struct clues_options *clues, bool own, struct sbuf *out, struct err *err)
{
    struct case_options options = { .command_status = -1, .stored = true, .quiet = true, .target = target->text };
    struct store_query query = { .since_ns = clues->since_ns, .until_ns = clues->until_ns };
    struct case_ *c = case_new(&options);
    struct filter filter = { 0 };
    struct agents *agents = NULL;
    struct who_places one = { 0 };
    struct who_log who = { .files = files, .query = &query, .case_ = c, .filter = &filter, .places = &one, .own = own };
    int r = c ? 0 : -ENOMEM;

    (void)agents_parse(agents_builtin(), &agents, NULL);
    who.agents = agents;
    if (r == 0)
        r = who_log_ask(&who, target, err);
    if (r == 0 && case_events(c))
        case_write_text(c, false, 0, out);
    case_free(c);
    agents_free(agents);
    who_places_done(&one);
    return r;
}

/* The records that only journald keeps, as a log in memory: *ret_fd is that, for the caller to close. -ENOENT: there are none. */
static int from_journal(struct audit_log_files *files, const struct clues_options *clues, int *ret_fd, char *note, size_t note_size, struct err *err)
{
    struct clue_question q = { .path = bytes_of("/"), .since_ns = clues->since_ns, .until_ns = clues->until_ns };
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT, answer = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    struct bytes text;
    uint64_t from_ns;
    bool is_log = false;
    char path[64];
    int r;

    clue_question_put(&request, &q);
    r = foreign_ask(&journal_audit_job, sbuf_bytes(&request), JOURNAL_MS, &answer, err);
    if (r == 0)
        r = journal_audit_take(sbuf_bytes(&answer), &from_ns, &text);
    if (r < 0 || !text.len)
        return r < 0 && r != -EOPNOTSUPP ? r : -ENOENT;
    fd = memory_file("audit", text);
    if (fd < 0)
        return err_set(err, fd, "the audit records in the journal");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    r = who_log_add(files, path, &is_log, err);
    if (r == 0 && !is_log)
        return -ENOENT;
    snprintf(note, note_size, "there is no log of auditd: the records in the journal%s", from_ns ? ", of which only the newest were read" : "");
    *ret_fd = TAKE_FD(fd);
    return r;
}

void clues_audit(struct target *target, struct clues_options *options, struct arena *arena)
{
    struct audit_log_files files = { 0 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct err err = ERR_INIT;
    char note[256] = "";
    bool is_log = false, too_long;
    _cleanup_close_ int journal = -EBADF;
    int r = access(LOGS, R_OK) < 0 ? -ENOENT : who_log_add(&files, LOGS, &is_log, &err);

    too_long = r == 0 && size_of(&files) > BYTES_MAX;
    if (too_long)
        snprintf(note, sizeof(note), "%llu MB are too much for now: culprit who --from " LOGS, (unsigned long long)size_of(&files) >> 20);
    else if (r == -ENOENT || (r == 0 && !is_log))
        r = from_journal(&files, options, &journal, note, sizeof(note), &err);
    if (r == 0 && files.count && !too_long)
        r = ask(&files, target, options, journal >= 0, &out, &err);
    if (r < 0 && r != -ENOENT)
        snprintf(note, sizeof(note), "%s", err_text(&err, r));
    options->has_audit = r != -ENOENT && (is_log || note[0]);
    options->audit = arena_copy(arena, sbuf_bytes(&out));
    options->audit_note = arena_copy(arena, bytes_of(note));
    audit_log_files_done(&files);
}
