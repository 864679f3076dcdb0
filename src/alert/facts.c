/* SPDX-License-Identifier: MIT */
#include "alert/facts.h"

#include <stdio.h>

#include "event/ecs_parts.h"
#include "report/coverage_words.h"
#include "report/when.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/macro.h"

#define NAME_MAX_SHOWN 128 /* bytes of a container's name */

/* In any ten minutes of the watch, but for what is the matter's own now; of the others of the last twenty it is an upper bound. */
static uint64_t busiest(const struct facts *f, const struct usual_answer *usual)
{
    uint64_t own = minutes_sum_all(&f->minutes);

    return MAX(usual->busiest, usual->recent - MIN(usual->recent, own));
}

void facts_add(struct facts *f, const struct event *event, const struct usual_answer *usual)
{
    uint64_t changes;

    if (usual->new_since_ns && !f->new.new_since_ns)
        f->new = *usual;
    if (!minutes_is_change(event))
        return;
    minutes_add(&f->minutes, event->time_ns);
    changes = minutes_sum(&f->minutes);
    if (!f->burst && usual->busiest_since_ns && changes >= BURST_CHANGES && changes > BURST_TIMES * busiest(f, usual)) {
        f->burst_ns = event->time_ns;
        f->busiest = busiest(f, usual);
        f->busiest_since_ns = usual->busiest_since_ns;
        f->burst = changes;
    }
    if (f->burst)
        f->burst = MAX(f->burst, changes);
}

/* What it did before as well does not come from that. */
void facts_set_renewed(struct facts *f, const struct event *event, const struct usual_answer *usual, struct bytes program, uint64_t renewed_ns,
                       const struct renewed_versions *versions)
{
    if (!renewed_ns || !program.len || usual->seen_since_ns < renewed_ns || event->time_ns <= renewed_ns)
        return;
    snprintf(f->program, sizeof(f->program), "%.*s", (int)MIN(program.len, sizeof(f->program) - 1), program.data);
    f->versions = *versions;
    f->renewed_ns = renewed_ns;
    f->begun_ns = event->time_ns;
}

/* ---- in words ---- */

static void add_versions(const struct facts *f, struct sbuf *out)
{
    if (!f->versions.now[0])
        return;
    sbuf_add_str(out, f->versions.before[0] ? " (from version " : " (it is version ");
    if (f->versions.before[0]) {
        escape_terminal(out, bytes_of(f->versions.before));
        sbuf_add_str(out, " to ");
    }
    escape_terminal(out, bytes_of(f->versions.now));
    sbuf_add_str(out, f->versions.before[0] ? ")" : " now)");
}

static void add_renewed(const struct facts *f, struct sbuf *out)
{
    sbuf_add_char(out, ' ');
    escape_terminal(out, bytes_of(f->program));
    sbuf_add_str(out, " itself was changed at ");
    when_time(f->renewed_ns, false, out);
    add_versions(f, out);
    sbuf_add_str(out, ", ");
    coverage_add_duration(out, f->begun_ns - f->renewed_ns);
    sbuf_add_str(out, " before the first of these changes.");
}

static void add_seconds(struct sbuf *out, int64_t ns)
{
    sbuf_addf(out, "%.1f", (double)ns / 1e9);
}

static void add_starts(const struct facts *f, const struct container *victim, struct sbuf *out)
{
    sbuf_addf(out, " It was so after each of the last %d starts of ", STARTS);
    escape_terminal(out, bytes_cut(victim->name.len ? victim->name : victim->id, NAME_MAX_SHOWN));
    sbuf_add_str(out, ", ");
    add_seconds(out, f->starts.earliest_ns);
    sbuf_add_str(out, " to ");
    add_seconds(out, f->starts.latest_ns);
    sbuf_add_str(out, " s later.");
}

void facts_write_text(const struct facts *f, const struct container *victim, struct sbuf *out)
{
    if (f->burst) {
        sbuf_addf(out, " A burst: %llu changes in ten minutes; beside them this watch had at most %llu in any ten minutes of the ", (unsigned long long)f->burst,
                  (unsigned long long)f->busiest);
        coverage_add_duration(out, f->burst_ns - f->busiest_since_ns);
        sbuf_add_str(out, " before.");
    }
    if (f->new.new_since_ns) {
        sbuf_add_str(out, " New at this watch: nothing of this cause was recorded in the ");
        coverage_add_duration(out, f->new.first_ns - f->new.new_since_ns);
        sbuf_add_str(out, " before.");
    }
    if (f->renewed_ns)
        add_renewed(f, out);
    if (f->starts_known && victim)
        add_starts(f, victim, out);
}

/* ---- as JSON ---- */

void facts_write_json(const struct facts *f, struct sbuf *out)
{
    size_t at = json_open(out, JSON_OBJECT("facts"));

    if (f->burst) {
        (void)json_open(out, JSON_OBJECT("burst"));
        json_number(out, JSON_KEY("changes"), f->burst);
        json_number(out, JSON_KEY("minutes"), MINUTES);
        json_number(out, JSON_KEY("busiest"), f->busiest);
        ecs_add_time(out, JSON_KEY("compared_since"), f->busiest_since_ns);
        ecs_add_time(out, JSON_KEY("since"), f->burst_ns);
        json_close(out);
    }
    if (f->new.new_since_ns) {
        (void)json_open(out, JSON_OBJECT("new_cause"));
        ecs_add_time(out, JSON_KEY("first"), f->new.first_ns);
        ecs_add_time(out, JSON_KEY("not_seen_since"), f->new.new_since_ns);
        json_close(out);
    }
    if (f->renewed_ns) {
        (void)json_open(out, JSON_OBJECT("program_changed"));
        json_string(out, JSON_KEY("path"), bytes_of(f->program));
        ecs_add_time(out, JSON_KEY("at"), f->renewed_ns);
        json_bytes(out, JSON_KEY("version_before"), bytes_of(f->versions.before));
        json_bytes(out, JSON_KEY("version"), bytes_of(f->versions.now));
        json_fraction(out, JSON_KEY("before"), (double)(f->begun_ns - f->renewed_ns) / 1e9, 3);
        json_close(out);
    }
    if (f->starts_known) {
        (void)json_open(out, JSON_OBJECT("each_start"));
        json_number(out, JSON_KEY("starts"), STARTS);
        json_fraction(out, JSON_KEY("earliest"), (double)f->starts.earliest_ns / 1e9, 3);
        json_fraction(out, JSON_KEY("latest"), (double)f->starts.latest_ns / 1e9, 3);
        json_close(out);
    }
    json_close_filled(out, at);
}
