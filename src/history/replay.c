/* SPDX-License-Identifier: MIT */
/* The passes over a log: blocks in, groups out; where another reading may go on. */
#include "history/replay.h"

#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history/ahead.h"
#include "history/log_events.h"
#include "history/replay_state.h"
#include "history/scan.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"

#define SILENT_MS 200 /* a pipe is silent: so often whoever asked may stop it */

static void note_line(struct replay *p, struct node *node, const struct search_line *line)
{
    uint64_t ms = line->sec * 1000 + line->milli;

    p->stats->outages.last_ms = ms;
    p->seen_ms = MAX(p->seen_ms, ms);
    if (!p->stats->first_ms || ms < p->stats->first_ms)
        p->stats->first_ms = ms;
    p->stats->last_ms = MAX(p->stats->last_ms, ms);
    /* auditd's own records have numbers of its own (AUDIT_FIRST_DAEMON, libaudit.h) */
    if (line->type >= AUDIT_FIRST_DAEMON && line->type <= AUDIT_LAST_DAEMON)
        return;
    switch (numbers_see(&node->numbers, line->serial, ms, &p->stats->missing)) {
    case NUMBERS_ANEW: /* nothing of the boot before comes any more; other machines' events go on */
        audit_grouper_end(p->grouper, (struct bytes){ node->name, node->name_len });
        p->stats->incomplete += awaited_end(&p->awaited, node);
        lineage_forget(node->lineage);
        break;
    case NUMBERS_OTHER:
        lineage_forget(node->lineage);
        break;
    case NUMBERS_GO_ON:
        break;
    }
}

/* Lines that are not records lie between those of the table: some are the kernel's messages about lost records. */
static void see_between(struct replay *p, const struct log_block *b, size_t from, size_t to)
{
    struct bytes rest = { b->text.text.data + from, to - from }, line;

    while (audit_log_line_next(&rest, &line))
        if (outages_see_message(&p->stats->outages, line))
            p->stats->damaged--;
}

/*
 * An earlier reading emitted all before this place: processes and directories stay known, counters start again. Events
 * that are open stay open: those whose records lie on both sides are emitted whole, once more, and have the same ids.
 */
static void begin_emitting(struct replay *p)
{
    struct replay_stats *s = p->stats;

    p->skimming = false;
    outages_forget(&s->outages);
    *s = (struct replay_stats){ .outages = s->outages, .enriched = s->enriched };
}

/* The last line has no newline: where it begins, else the end. */
static size_t whole_lines(const struct audit_log_block *text)
{
    const char *newline = text->torn ? memrchr(text->text.data, '\n', text->text.len) : NULL;

    return !text->torn ? text->text.len : newline ? (size_t)(newline + 1 - text->text.data) : 0;
}

/* So late that what follows may still be written. */
static bool is_recent(uint64_t time_ms)
{
    return clock_ns(CLOCK_REALTIME) / NS_PER_S * 1000 < time_ms + LIVE_MS;
}

/* A line that is still being written is read the next time: from now on it is not there. */
static void drop_torn(struct replay *p, struct log_block *b)
{
    const struct search_line *last = b->lines.count ? &b->lines.lines[b->lines.count - 1] : NULL;
    size_t whole = whole_lines(&b->text);
    bool parsed = last && last->offset >= whole;

    if (!p->options->live || !b->text.torn)
        return;
    if (!is_recent(parsed ? last->sec * 1000 + last->milli : p->stats->last_ms))
        return; /* it was cut: nobody writes the rest */
    if (parsed)
        b->lines.count--;
    else
        b->lines.damaged -= b->lines.damaged > 0;
    b->text.text.len = whole;
    b->text.torn = false;
}

static void set_mark(struct replay *p, const struct audit_log_block *text)
{
    const struct replay_position *from = &p->options->emit_from;
    struct mark *m = &p->marks[p->mark_count++ % MARKS];

    m->at = (struct replay_position){ text->file, text->offset };
    if (replay_is_before(p, text, 0))
        m->at = *from;
    m->before_ms = p->seen_ms;
}

/* After a block: its end, or the beginning of the latest block before which an open event has no record. */
static void set_safe(struct replay *p, const struct audit_log_block *text)
{
    uint64_t open = audit_grouper_oldest(p->grouper);

    if (replay_is_before(p, text, (uint32_t)text->text.len)) { /* emitted before */
        p->stats->safe = p->options->emit_from;
        return;
    }
    p->end = (struct replay_position){ text->file, text->offset + text->text.len };
    p->stats->safe = p->end;
    for (uint64_t back = 1; open != UINT64_MAX && back <= MIN(p->mark_count, (uint64_t)MARKS); back++) {
        const struct mark *m = &p->marks[(p->mark_count - back) % MARKS];

        p->stats->safe = m->at;
        if (m->before_ms < open)
            break;
    }
}

/* The log's clock: a call that blocked has the stamp of when it began, and its records come among younger ones. A stamp that
 * is broken is not believed for long. */
static void set_clock(struct replay *p, uint64_t time_ms)
{
    if (time_ms > p->clock_ms || time_ms + BLOCKED_MS < p->clock_ms)
        p->clock_ms = time_ms;
}

/* An event that does not matter. */
static void pass_by(struct replay *p, struct node *node, const struct search_line *line, const char *text)
{
    if (!p->skimming)
        awaited_see(&p->awaited, node, line, (struct bytes){ text, line->len });
    if (line->type == AUDIT_SYSCALL)
        replay_see_line(p, node, line->sec * 1000 + line->milli, text, line->len);
}

/* Decode what matters of blocks[1]; its neighbours' wishes count too, as events cross blocks. */
static void decode(struct replay *p)
{
    struct log_block *b = &p->blocks[1];
    bool all = p->needle.count == 0, wanted = false;
    bool holes = b->lines.damaged && !p->learning;
    size_t end = 0; /* of the line before */

    if (!b->present)
        return;
    if (!p->learning)
        set_mark(p, &b->text);
    if (!p->learning)
        drop_torn(p, b);
    for (uint32_t i = 0; i < b->lines.count && p->result == 0; i++) {
        const struct search_line *line = &b->lines.lines[i];
        const char *text = b->text.text.data + line->offset;
        struct audit_record record;
        struct node *node = p->learning ? NULL : nodes_find(&p->nodes, (struct bytes){ text + line->node_at, line->node_len });

        if (!p->learning && !node) {
            p->result = -ENOMEM;
            return;
        }
        if (p->skimming && !replay_is_before(p, &b->text, line->offset))
            begin_emitting(p);
        p->stats->lines += !p->learning;
        if (holes && line->offset > end)
            see_between(p, b, end, line->offset);
        end = line->offset + line->len;
        if (!line->same || i == 0) {
            wanted = all || replay_is_wanted(p, line);
            audit_grouper_turn(p->grouper);
        }
        if (!p->learning && outages_want(line->type))
            outages_see(&p->stats->outages, line->type, line->sec * 1000 + line->milli,
                        (struct bytes){ text, line->len });
        if (line->cut) { /* whose it is cannot be known: its event is emitted without it */
            p->stats->damaged += !p->learning;
            continue;
        }
        if (!p->learning && (!line->same || i == 0))
            note_line(p, node, line);
        if (!p->learning && (line->type == AUDIT_USER_LOGIN || line->type == AUDIT_USER_START))
            replay_see_login(node, text, line->len);
        if (!wanted) {
            if (!p->learning)
                pass_by(p, node, line, text);
            continue;
        }
        if (audit_record_parse_line((struct bytes){ text, line->len }, &record, NULL) < 0) {
            p->stats->damaged += !p->learning;
            continue;
        }
        p->stats->records_decoded++;
        set_clock(p, record.time_ms);
        if (audit_grouper_add(p->grouper, &record, p->clock_ms) < 0)
            p->result = -ENOMEM;
        audit_grouper_expire(p->grouper, p->clock_ms, END_OF_EVENT_MS);
    }
    if (holes)
        see_between(p, b, end, b->text.text.len);
    if (!p->learning && !p->skimming)
        p->stats->damaged += b->lines.damaged;
    if (!p->learning)
        set_safe(p, &b->text);
}

/* The oldest is evicted for the next. */
static void turn(struct replay *p)
{
    struct log_block oldest;

    replay_block_clear(&p->blocks[0]);
    oldest = p->blocks[0];
    memmove(&p->blocks[0], &p->blocks[1], sizeof(p->blocks) - sizeof(p->blocks[0]));
    p->blocks[BLOCKS - 1] = oldest;
}

static int report_progress(struct replay *p, uint64_t offset)
{
    return p->options->progress && !p->learning ? p->options->progress(p->options->progress_data, p->stats, offset) : 0;
}

/* All blocks, the last one with nothing behind it. */
static int read_blocks(struct replay *p, struct ahead *ahead, struct audit_log_stats *log)
{
    int r = 0, more = 1;

    replay_ahead_ask(ahead);
    do {
        while (more > 0 && !replay_ahead_is_done(ahead, SILENT_MS))
            if ((r = report_progress(p, p->end.offset)) != 0)
                return r;
        if (more > 0)
            more = replay_ahead_wait(ahead, log);
        if (more < 0)
            return more;
        turn(p);
        if (more > 0)
            replay_ahead_ask(ahead);
        decode(p);
        r = p->result;
        if (r == 0 && !p->learning && p->blocks[1].present) {
            p->stats->log = *log;
            r = report_progress(p, p->blocks[1].text.offset + p->blocks[1].text.text.len);
        }
    } while (r == 0 && (more > 0 || p->blocks[2].present));
    return r;
}

/* Events that are still open: emitted as far as they have come, or left to the next reading. */
static int end_pass(struct replay *p)
{
    if (p->skimming) { /* nothing came behind it */
        audit_grouper_expire(p->grouper, 0, 0);
        begin_emitting(p);
    }
    if (!p->learning && p->options->live && is_recent(p->stats->last_ms)) {
        p->stats->left_open = audit_grouper_open_count(p->grouper);
        return 0;
    }
    audit_grouper_expire(p->grouper, 0, 0);
    p->stats->incomplete += awaited_end(&p->awaited, NULL);
    if (!p->learning)
        p->stats->safe = p->end;
    return p->result;
}

static int pass(struct replay *p, bool learning, struct err *err)
{
    struct audit_log_reader_options options = { .files = p->options->files,
                                                .log = learning ? NULL : p->options->log,
                                                .start_offset = p->options->start_offset };
    struct audit_grouper_options grouping = { .copy = true, .patience = END_OF_EVENT_TURNS, .group = replay_on_group, .data = p };
    struct audit_log_stats log = { 0 };
    struct ahead *ahead = NULL;
    int r;

    p->learning = learning;
    p->skimming = !learning && (p->options->emit_from.file || p->options->emit_from.offset);
    p->result = 0;
    p->clock_ms = 0;
    r = replay_ahead_new(p, &options, &ahead, err);
    if (r < 0)
        return r;
    p->grouper = audit_grouper_new(&grouping);
    r = p->grouper ? read_blocks(p, ahead, &log) : -ENOMEM;
    if (r == 0)
        r = end_pass(p);
    if (!learning)
        p->stats->log = log;
    replay_ahead_free(ahead);
    audit_grouper_free(p->grouper);
    p->grouper = NULL;
    for (int i = 0; i < BLOCKS; i++)
        replay_block_clear(&p->blocks[i]);
    return r;
}

/* ---- what is looked for ---- */

static int set_needle(struct replay *p, bool emitting)
{
    char name[LIMIT_NAME + 1];
    struct bytes base = bytes_basename(p->options->path);
    struct search_query query = { .file_count = 1, .files = { name } };

    p->needle = (struct needle){ 0 };
    if (!p->options->path.data || !base.len || base.len > LIMIT_NAME || memchr(base.data, '\\', base.len) ||
        (emitting && p->too_many_inside))
        return 0;
    for (size_t i = 0; i < base.len; i++)
        if (strchr("*?[\\", base.data[i]) || !base.data[i])
            return 0; /* the query would take it for a pattern: everything is decoded */
    memcpy(name, base.data, base.len);
    name[base.len] = '\0';
    return needle_of_query(&query, &p->needle);
}

static bool can_read_twice(const struct audit_log_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->files[i].path, "-") == 0 || files->files[i].size == 0)
            return false;
    return true;
}

int replay_run(const struct replay_options *options, struct replay_stats *ret, struct err *err)
{
    struct replay p = { .options = options, .stats = ret };
    bool twice = can_read_twice(options->files);
    struct inside_directory *in, *next;
    int r = 0;

    *ret = (struct replay_stats){ 0 };
    if (twice) {
        r = set_needle(&p, false);
        if (r == 0)
            r = pass(&p, true, err);
        needle_done(&p.needle);
        if (r == 0 && options->path.data) /* of some the path is known only now */
            for (struct node *n = p.nodes.table; n; n = n->hh.next)
                search_places_each(n->places, replay_add_inside, &p);
    }
    if (r == 0)
        r = twice ? set_needle(&p, true) : 0; /* a pipe: whatever comes may be needed */
    if (r == 0)
        r = pass(&p, false, err);
    needle_done(&p.needle);
    for (int i = 0; i < BLOCKS; i++) {
        replay_block_clear(&p.blocks[i]);
        audit_log_block_done(&p.blocks[i].text);
        search_lines_done(&p.blocks[i].lines);
    }
    HASH_ITER(hh, p.inside, in, next) {
        HASH_DEL(p.inside, in);
        free(in);
    }
    search_paths_done(&p.paths);
    nodes_done(&p.nodes);
    sbuf_done(&p.directory);
    return r;
}
