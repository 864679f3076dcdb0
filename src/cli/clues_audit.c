/* SPDX-License-Identifier: MIT */
#include "cli/clues_audit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/who_log.h"
#include "util/cleanup.h"

#define LOGS "/var/log/audit"
#define BYTES_MAX (48 * 1024 * 1024) /* of logs: about a second */

static uint64_t size_of(const struct audit_log_files *files)
{
    uint64_t size = 0;

    for (size_t i = 0; i < files->count; i++)
        size += files->files[i].size;
    return size;
}

static int ask(struct audit_log_files *files, struct target *target, const struct clues_options *clues, struct sbuf *out, struct err *err)
{
    struct case_options options = { .command_status = -1, .stored = true, .quiet = true, .target = target->text };
    struct store_query query = { .since_ns = clues->since_ns, .until_ns = clues->until_ns };
    struct case_ *c = case_new(&options);
    struct filter filter = { 0 };
    struct agents *agents = NULL;
    struct who_log who = { .files = files, .query = &query, .case_ = c, .filter = &filter };
    int r = c ? 0 : -ENOMEM;

    (void)agents_parse(agents_builtin(), &agents, NULL);
    who.agents = agents;
    if (r == 0)
        r = who_log_ask(&who, target, err);
    if (r == 0 && case_events(c))
        case_write_text(c, false, 0, out);
    case_free(c);
    agents_free(agents);
    return r;
}

void clues_audit(struct target *target, struct clues_options *options, struct arena *arena)
{
    struct audit_log_files files = { 0 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct err err = ERR_INIT;
    char note[256] = "";
    bool is_log = false;
    int r = access(LOGS, R_OK) < 0 ? -ENOENT : who_log_add(&files, LOGS, &is_log, &err);

    if (r == 0 && size_of(&files) > BYTES_MAX)
        snprintf(note, sizeof(note), "%llu MB are too much for now: culprit who --from " LOGS, (unsigned long long)size_of(&files) >> 20);
    else if (r == 0 && is_log)
        r = ask(&files, target, options, &out, &err);
    if (r < 0 && r != -ENOENT)
        snprintf(note, sizeof(note), "%s", err_text(&err, r));
    options->has_audit = r != -ENOENT && (is_log || note[0]);
    options->audit = arena_copy(arena, sbuf_bytes(&out));
    options->audit_note = arena_copy(arena, bytes_of(note));
    audit_log_files_done(&files);
}
