/* SPDX-License-Identifier: MIT */
#include "report/coverage_words.h"

#include <time.h>

#include "event/ecs.h"
#include "event/operation.h"
#include "report/case_state.h"
#include "report/when.h"
#include "util/clock.h"
#include "util/escape.h"

#define SHOWN_PARTS 4

void coverage_write_sensors(struct sbuf *out, unsigned bits)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;

    ecs_write_sensors(&names, bits);
    for (size_t i = 0; i < names.len; i++) {
        if (names.data[i] == ',')
            sbuf_add_str(out, " + ");
        else
            sbuf_add_char(out, names.data[i]);
    }
}

void coverage_write_loss(const struct case_ *c, struct sbuf *out)
{
    if (c->lost)
        sbuf_addf(out, "%llu%s lost: the verdict may be incomplete", (unsigned long long)c->lost,
                  c->lost_unknown ? " and more" : "");
    else if (c->lost_unknown)
        sbuf_add_str(out, "events lost, how many is not known: the verdict may be incomplete");
    else if (c->not_in_log)
        sbuf_addf(out, "%llu event%s not in the log", (unsigned long long)c->not_in_log, c->not_in_log == 1 ? " is" : "s are");
    else
        sbuf_add_str(out, "nothing lost");
}

/* "3 Nov" with the year where it is another one, "14:02:11" today; with_time: both. */
void coverage_add_moment(struct sbuf *out, uint64_t time_ns, bool with_time)
{
    struct tm tm = when_local(time_ns), today = when_local(clock_ns(CLOCK_REALTIME));
    bool is_today = when_is_same_day(&tm, &today);
    char day[32];

    strftime(day, sizeof(day), tm.tm_year == today.tm_year ? "%-d %b" : "%-d %b %Y", &tm);
    if (!is_today)
        sbuf_add_str(out, day);
    if (!is_today && with_time)
        sbuf_add_char(out, ' ');
    if (is_today || with_time)
        sbuf_addf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void coverage_add_span(struct sbuf *out, uint64_t from_ns, uint64_t to_ns)
{
    sbuf_add_str(out, to_ns ? "from " : "since ");
    coverage_add_moment(out, from_ns, true);
    if (to_ns) {
        sbuf_add_str(out, " to ");
        coverage_add_moment(out, to_ns, true);
    }
}

/* ... and what is older was removed. */
void coverage_add_removed(struct sbuf *out, const struct case_question *q)
{
    bool watched = q->sum.count && q->sum.spans[0].from_ns == q->removed_ns; /* and longer, for all that is known */

    sbuf_add_str(out, watched ? "recorded since " : "the record goes back to ");
    coverage_add_moment(out, q->removed_ns, true);
    sbuf_add_str(out, "; older was removed");
}

void coverage_add_duration(struct sbuf *out, uint64_t ns)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
    uint64_t s = ns / NS_PER_S;
    size_t i = 0;

    if (ns && !s) {
        sbuf_addf(out, "%llu ms", (unsigned long long)MAX(ns / NS_PER_MS, (uint64_t)1));
        return;
    }
    while (units[i].seconds > 1 && s < 2 * units[i].seconds)
        i++;
    s /= units[i].seconds;
    sbuf_addf(out, "%llu %s%s", (unsigned long long)s, units[i].name, s == 1 ? "" : "s");
}

static void add_parts(struct sbuf *out, struct bytes only)
{
    unsigned shown = 0;

    while (only.len) {
        size_t n = strnlen(only.data, only.len);

        if (shown == SHOWN_PARTS) {
            sbuf_add_str(out, " ...");
            return;
        }
        sbuf_add_str(out, shown++ ? ", " : "");
        escape_terminal(out, (struct bytes){ only.data, n });
        n += n < only.len;
        only = (struct bytes){ only.data + n, only.len - n };
    }
}

const struct coverage_permission coverage_permissions[] = {
    { PERMISSION_WRITE, "changes of contents and names", "write" },
    { PERMISSION_ATTR, "changes of permissions and owners", "attributes" },
    { PERMISSION_READ, "reading", "read" },
    { PERMISSION_EXEC, "execution", "execute" },
    { 0, NULL, NULL },
};

/* What of it was watched: places, kinds of changes, and what options left out; nothing where it was all. */
bool coverage_add_limits(struct sbuf *out, const struct coverage *v, unsigned asked)
{
    size_t before = out->len;
    bool first = true;

    if (v->only.len) {
        sbuf_add_str(out, "only ");
        add_parts(out, v->only);
    }
    for (size_t i = 0; v->permissions && coverage_permissions[i].name; i++) {
        if (!(asked & coverage_permissions[i].permission) || (v->permissions & coverage_permissions[i].permission))
            continue;
        sbuf_addf(out, "%s%s", first ? out->len > before ? "; not " : "not " : ", ", coverage_permissions[i].words);
        first = false;
    }
    if (v->narrowed.len) {
        sbuf_add_str(out, out->len > before ? "; with " : "with ");
        escape_terminal(out, v->narrowed);
    }
    return out->len > before;
}

bool coverage_is_elsewhere(const struct case_ *c, const struct coverage *v)
{
    return c->options.host_id.len && v->host_id.len && !bytes_equal(c->options.host_id, v->host_id);
}
