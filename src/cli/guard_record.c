/* SPDX-License-Identifier: MIT */
#include "cli/guard_record.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/guard_allow.h"
#include "cli/print.h"
#include "cli/who_store.h"
#include "event/ecs_parts.h"
#include "guard/judge.h"
#include "report/coverage.h"
#include "report/names.h"
#include "store/query.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/hash_table.h"
#include "util/json_writer.h"

#define CAUSES_MAX 10000 /* rows; what is of others is counted */
#define NAMESPACE "/proc/self/ns/mnt"

struct judged_count {
    uint64_t changes, first_ns, last_ns;
};

/* What one program did for one cause. */
struct judged_row {
    UT_hash_handle hh;
    struct {
        struct fingerprint suspect;
        uint64_t judgement;
    } key;
    struct judged_count count;
    char *program, *user, *cause; /* escaped for a terminal */
};

struct judging {
    struct guard_command *command;
    struct store *store;
    struct store_query query;
    struct store_machine machine;
    struct guard_rule rule[ALLOWED_MAX];
    struct guard_rules rules;
    struct judged_count counts[GUARD_JUDGEMENT_COUNT];
    struct judged_row *rows; /* uthash */
    uint64_t beyond;         /* changes without a row of their own */
    uint64_t found;          /* of one target */
    struct case_ *case_;     /* coverage and losses */
    struct printer printer;
};

/* ---- one by one ---- */

static void count(struct judged_count *c, uint64_t time_ns)
{
    if (!c->changes || time_ns < c->first_ns)
        c->first_ns = time_ns;
    c->last_ns = MAX(c->last_ns, time_ns);
    c->changes++;
}

static char *text_of(void (*name)(struct sbuf *out, const struct event *event), const struct event *e)
{
    struct sbuf text = SBUF_INIT;

    name(&text, e);
    return sbuf_steal(&text);
}

static void row_free(struct judged_row *row)
{
    free(row->program);
    free(row->user);
    free(row->cause);
    free(row);
}

/* NULL: there is no room for it. */
static struct judged_row *row_of(struct judging *j, const struct event *e, enum guard_judgement judgement)
{
    struct judged_row *row, made = { 0 };

    made.key.suspect = event_suspect(e);
    made.key.judgement = judgement;
    HASH_FIND(hh, j->rows, &made.key, sizeof(made.key), row);
    if (row || HASH_COUNT(j->rows) >= CAUSES_MAX || !(row = calloc(1, sizeof(*row))))
        return row;
    row->key = made.key;
    row->program = text_of(name_program, e);
    row->user = text_of(name_user, e);
    row->cause = text_of(name_cause, e);
    if (!row->program || !row->user || !row->cause) {
        row_free(row);
        return NULL;
    }
    HASH_ADD(hh, j->rows, key, sizeof(row->key), row);
    if (HASH_IS_IN(hh, row))
        return row;
    row_free(row);
    return NULL;
}

static int on_event(void *data, struct event *e)
{
    struct judging *j = data;
    enum guard_judgement judgement;
    struct judged_row *row;

    if (guard_judges(&j->rules, e)) {
        judgement = guard_judge(&j->rules, e);
        count(&j->counts[judgement], e->time_ns);
        row = row_of(j, e, judgement);
        if (row)
            count(&row->count, e->time_ns);
        else
            j->beyond++;
    }
    j->found++;
    event_free(e);
    return 0;
}

static int on_gap(void *data, const struct gap *gap)
{
    struct judging *j = data;

    if (j->command->json)
        printer_gap(&j->printer, gap);
    return case_add_gap(j->case_, gap);
}

/* ---- asking ---- */

static int judge_target(struct judging *j, struct target *target, struct err *err)
{
    int r = who_store_resolve(j->store, &j->machine, target, &j->query, err);

    j->found = 0;
    if (r >= 0)
        r = store_each_event(j->store, &j->query, on_event, j, err);
    if (r >= 0)
        r = store_each_above(j->store, &j->query, on_event, j, err);
    if (r >= 0)
        r = store_each_gap(j->store, &j->query, on_gap, j, err);
    if (r >= 0)
        r = who_store_coverage(j->store, &j->query, target, j->found > 0, j->case_, err);
    return r;
}

static int judge_all(struct judging *j, struct err *err)
{
    const struct guard_command *q = j->command;
    char cwd[PATH_MAX];
    int r = store_machine_find(j->store, j->printer.host.id, &j->machine, err);

    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    for (size_t i = 0; i < q->count && r >= 0; i++) {
        struct target target;

        r = target_parse(bytes_of(q->targets[i]), bytes_of(cwd), &target, err);
        if (r < 0)
            break;
        r = cli_check_target_answers(&target, err);
        if (r >= 0)
            r = judge_target(j, &target, err);
        target_done(&target);
    }
    return r;
}

static int find_rules(struct judging *j, struct err *err)
{
    struct guard_command *q = j->command;
    struct stat st;

    j->rules.all = j->rule;
    j->rules.mnt_ns = stat(NAMESPACE, &st) == 0 ? st.st_ino : 0;
    for (size_t i = 0; i < q->allow_count; i++) {
        int r = guard_allow_rule(q->allow[i], &q->arena, &j->rule[i], err);

        if (r < 0)
            return r;
        j->rules.count++;
    }
    return 0;
}

/* 0, or the exit status after it was said. */
static int open_record(struct judging *j)
{
    struct store_options options = { .path = j->command->store, .spool_directory = STORE_SPOOL_DIRECTORY, .read_only = true, .log = &cli_log };
    struct err err = ERR_INIT;
    int r = store_open(&options, &j->store, &err);

    if (r == 0)
        return 0;
    if (r == -ENOENT)
        cli_error("nothing was recorded yet: %s; record with culprit watch or culprit daemon", err_text(&err, r));
    else
        cli_error("%s", err_text(&err, r));
    return r == -ENOENT ? EXIT_NOTHING : EXIT_UNABLE;
}

/* ---- what came out ---- */

static int by_judgement(const struct judged_row *a, const struct judged_row *b)
{
    if (a->key.judgement != b->key.judgement)
        return a->key.judgement < b->key.judgement ? -1 : 1;
    if (a->count.changes != b->count.changes)
        return a->count.changes > b->count.changes ? -1 : 1;
    return a->count.first_ns < b->count.first_ns ? -1 : a->count.first_ns > b->count.first_ns;
}

static uint64_t sum(const struct judging *j)
{
    return j->counts[GUARD_REFUSED].changes + j->counts[GUARD_UNKNOWN].changes + j->counts[GUARD_ALLOWED].changes;
}

static void write_rows(const struct judging *j, enum guard_judgement judgement, struct sbuf *out)
{
    for (const struct judged_row *row = j->rows; row; row = row->hh.next) {
        if (row->key.judgement != judgement)
            continue;
        sbuf_addf(out, "%9" PRIu64 "  ", row->count.changes);
        cli_add_moment(out, row->count.first_ns);
        sbuf_add_str(out, "  ");
        cli_add_moment(out, row->count.last_ns);
        sbuf_addf(out, "  %-20s  %-10s  %s\n", row->program, row->user, row->cause);
    }
}

static void add_sentence(void *data, struct bytes text)
{
    sbuf_add_bytes(data, text);
    sbuf_add_char(data, '\n');
}

static void write_text(struct judging *j, struct sbuf *out)
{
    const struct judged_count *c = j->counts;

    if (!sum(j) && !case_was_watched(j->case_)) { /* 0 of 0 would be an answer */
        case_write_text(j->case_, j->printer.style.colour, j->printer.style.columns, out);
        return;
    }

    sbuf_addf(out, "WOULD HAVE BEEN REFUSED  %" PRIu64 " of %" PRIu64 " changes of ", c[GUARD_REFUSED].changes, sum(j));
    escape_terminal(out, sbuf_bytes(&j->command->text));
    sbuf_add_char(out, '\n');
    if (c[GUARD_REFUSED].changes + c[GUARD_UNKNOWN].changes)
        sbuf_addf(out, "%9s  %-23s  %-23s  %-20s  %-10s  %s\n", "changes", "first", "last", "program", "user", "cause");
    write_rows(j, GUARD_REFUSED, out);
    if (c[GUARD_UNKNOWN].changes) {
        sbuf_addf(out, "NOT KNOWN  %" PRIu64 ": what is recorded of who it was does not say whether he may\n", c[GUARD_UNKNOWN].changes);
        write_rows(j, GUARD_UNKNOWN, out);
    }
    if (c[GUARD_ALLOWED].changes)
        sbuf_addf(out, "%" PRIu64 " by those who may\n", c[GUARD_ALLOWED].changes);
    if (j->beyond)
        sbuf_addf(out, "%" PRIu64 " by more causes than are shown\n", j->beyond);
    for (size_t i = 0; i < j->rules.count; i++)
        if (!j->rule[i].fitted) {
            sbuf_add_str(out, "--allow ");
            escape_terminal(out, j->rule[i].text);
            sbuf_add_str(out, ": nobody in this record is meant by it\n");
        }
    coverage_each_unwatched(j->case_, add_sentence, out);
    case_write_end(j->case_, j->printer.style.colour, j->printer.style.columns, out);
}

static const char *word_of(uint64_t judgement)
{
    return judgement == GUARD_REFUSED ? "refused" : judgement == GUARD_UNKNOWN ? "unknown" : "allowed";
}

static void write_json_count(struct sbuf *out, const struct judged_count *c)
{
    json_number(out, JSON_KEY("changes"), c->changes);
    if (!c->changes)
        return;
    ecs_add_time(out, JSON_KEY("first"), c->first_ns);
    ecs_add_time(out, JSON_KEY("last"), c->last_ns);
}

static void add_element(void *data, struct bytes text)
{
    json_element(data, text);
}

static void write_json(struct judging *j, struct sbuf *out)
{
    for (const struct judged_row *row = j->rows; row; row = row->hh.next) {
        sbuf_add_char(out, '{');
        json_string(out, JSON_KEY("by"), bytes_of("would_have"));
        json_string(out, JSON_KEY("judgement"), bytes_of(word_of(row->key.judgement)));
        json_string(out, JSON_KEY("program"), bytes_of(row->program));
        json_string(out, JSON_KEY("user"), bytes_of(row->user));
        json_string(out, JSON_KEY("cause"), bytes_of(row->cause));
        write_json_count(out, &row->count);
        sbuf_add_str(out, "}\n");
    }
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("by"), bytes_of("would_have"));
    json_string(out, JSON_KEY("target"), sbuf_bytes(&j->command->text));
    json_number(out, JSON_KEY("refused"), j->counts[GUARD_REFUSED].changes);
    json_number(out, JSON_KEY("unknown"), j->counts[GUARD_UNKNOWN].changes);
    json_number(out, JSON_KEY("allowed"), j->counts[GUARD_ALLOWED].changes);
    if (j->beyond)
        json_number(out, JSON_KEY("without_row"), j->beyond);
    (void)json_open(out, JSON_ARRAY("unused"));
    for (size_t i = 0; i < j->rules.count; i++)
        if (!j->rule[i].fitted)
            json_element(out, j->rule[i].text);
    json_close_array(out);
    (void)json_open(out, JSON_ARRAY("unwatched"));
    coverage_each_unwatched(j->case_, add_element, out);
    json_close_array(out);
    if (case_lost(j->case_))
        json_number(out, JSON_KEY("lost"), case_lost(j->case_));
    sbuf_add_str(out, "}\n");
    if (!sum(j)) /* how far it was watched at all */
        case_write_json(j->case_, out);
}

static int give_answer(struct judging *j)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    HASH_SORT(j->rows, by_judgement);
    printer_flush(&j->printer);
    if (j->command->json)
        write_json(j, &out);
    else
        write_text(j, &out);
    cli_write(stdout, &out);
    if (case_lost(j->case_))
        return EXIT_LOST;
    return j->counts[GUARD_REFUSED].changes + j->counts[GUARD_UNKNOWN].changes ? EXIT_ANSWERED : EXIT_NOTHING;
}

static void judging_done(struct judging *j)
{
    struct judged_row *row, *next;

    HASH_ITER(hh, j->rows, row, next) {
        HASH_DEL(j->rows, row);
        row_free(row);
    }
    case_free(j->case_);
    store_machine_done(&j->machine);
    printer_done(&j->printer);
    if (j->store)
        store_close(j->store);
}

int guard_would_have(struct guard_command *q)
{
    struct judging j = { .command = q, .query.since_ns = clock_ns(CLOCK_REALTIME) - q->would_have_ns };
    struct case_options options = { .command_status = -1, .stored = true, .target = sbuf_bytes(&q->text) };
    struct err err = ERR_INIT;
    int r, status;

    printer_init(&j.printer, q->json ? FORMAT_JSON : FORMAT_TEXT, stdout);
    r = find_rules(&j, &err);
    status = r < 0 ? 0 : open_record(&j);
    j.case_ = case_new(&options);
    if (r == 0 && !j.case_)
        r = -ENOMEM;
    if (r == 0 && !status)
        r = judge_all(&j, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        status = cli_exit_code(r);
    } else if (!status) {
        status = give_answer(&j);
    }
    judging_done(&j);
    return status;
}
