/* SPDX-License-Identifier: MIT */
#include "report/live.h"

#include "event/operation.h"
#include "util/escape.h"

#define SHOWN 3                   /* events of one run that are shown before the rest is folded */
#define FOLD_NS NS_PER_S          /* a fold is printed at least this often */
#define RUN_NS (2 * NS_PER_S)     /* an event that comes later than this after the last one begins a new run */
#define WAITING_NS (20 * NS_PER_MS)  /* how long a line waits for further events that belong to it */

static void write_line(struct live *l, const struct event *e, const struct live_run *run, const struct sentence_style *style,
                       struct sbuf *out)
{
    sentence_event(out, e, style);
    sbuf_add_char(out, '\n');
    l->last = run;
}

/* ---- runs ---- */

static bool is_of(const struct live_run *r, const struct event *e)
{
    return r->count && r->operation == e->operation && r->error == e->error && r->watch == e->watch &&
           fingerprint_equal(r->suspect, event_suspect(e));
}

static struct live_run *find_run(struct live *l, const struct event *e)
{
    for (size_t i = 0; i < LIVE_RUNS_MAX; i++)
        if (is_of(&l->runs[i], e))
            return &l->runs[i];
    return NULL;
}

static void write_waiting(struct live *l, const struct sentence_style *style, struct sbuf *out)
{
    for (size_t i = 0; i < l->waiting_count; i++) {
        write_line(l, l->waiting[i].event, find_run(l, l->waiting[i].event), style, out);
        event_free(l->waiting[i].event);
    }
    l->waiting_count = 0;
}

static void say_fold(struct live *l, struct live_run *r, const struct sentence_style *style, uint64_t now_ns, struct sbuf *out)
{
    if (!r->folded)
        return;
    write_waiting(l, style, out);
    sbuf_addf(out, "                        … and %llu more ", (unsigned long long)r->folded);
    if (l->last == r) {
        sbuf_add_str(out, "like this");
    } else {
        sbuf_addf(out, "%s by ", operation_info(r->operation)->name);
        sbuf_add_bytes(out, sbuf_bytes(&r->actor));
        if (r->pid > 0)
            sbuf_addf(out, "[%d]", r->pid);
    }
    sbuf_add_str(out, ", until ");
    sentence_time(out, r->until_ns, style->utc_offset_s);
    sbuf_add_char(out, '\n');
    r->folded = 0;
    r->said_ns = now_ns;
}

static void begin_run(struct live_run *r, const struct event *e)
{
    struct sbuf actor = r->actor;
    struct bytes name = event_actor_name(e);

    *r = (struct live_run){ .operation = e->operation, .error = e->error, .suspect = event_suspect(e), .watch = e->watch,
                            .pid = e->actor.pid, .actor = actor };
    sbuf_clear(&r->actor);
    if (name.len)
        escape_terminal(&r->actor, name);
    else
        sbuf_add_str(&r->actor, "unknown");
}

/* The run that the event belongs to. If that has ended, a new one, in place of the run that was idle for longest. */
static struct live_run *run_of(struct live *l, const struct event *e, const struct sentence_style *style, uint64_t now_ns,
                               struct sbuf *out)
{
    struct live_run *oldest = &l->runs[0];

    for (size_t i = 0; i < LIVE_RUNS_MAX; i++) {
        if (is_of(&l->runs[i], e)) {
            if (e->time_ns > l->runs[i].until_ns + RUN_NS) {
                say_fold(l, &l->runs[i], style, now_ns, out);
                l->runs[i].count = 0;
            }
            return &l->runs[i];
        }
        if (l->runs[i].until_ns < oldest->until_ns)
            oldest = &l->runs[i];
    }
    say_fold(l, oldest, style, now_ns, out);
    if (l->last == oldest)
        l->last = NULL;
    begin_run(oldest, e);
    return oldest;
}

/* ---- lines that wait ---- */

static void own(struct event *e, struct bytes *b)
{
    *b = arena_copy(&e->arena, *b);
}

/* What a line is made of, and no more. */
static struct event *copy(const struct event *e)
{
    struct event *to = event_new();

    if (!to)
        return NULL;
    *to = *e;
    to->arena = (struct arena){ 0 };
    to->lent = NULL;
    to->cause = (struct cause){ 0 };
    to->actor.process = process_ref(e->actor.process);
    to->victim = container_ref(e->victim);
    own(to, &to->path);
    own(to, &to->previous_path);
    own(to, &to->target_path);
    own(to, &to->xattr);
    own(to, &to->note);
    own(to, &to->sharers);
    own(to, &to->actor.executable);
    own(to, &to->actor.name);
    own(to, &to->before.owner);
    own(to, &to->before.group);
    own(to, &to->after.owner);
    own(to, &to->after.group);
    return to;
}

/* The first event of the group that opening, writing and closing one file makes. */
static bool may_take_in(const struct event *e)
{
    return e->error == 0 && e->path.len &&
           (e->operation == OPERATION_CREATE || e->operation == OPERATION_OPEN_WRITE || e->operation == OPERATION_TRUNCATE);
}

static bool may_be_taken_in(const struct event *e)
{
    if (e->error != 0 || e->actor_presumed || event_note_is_doubt(e))
        return false;
    return e->operation == OPERATION_WRITE || e->operation == OPERATION_OPEN_WRITE ||
           event_attribute_is_unknown(e);
}

static bool is_same_file(const struct event *a, const struct event *b)
{
    const struct process *p = a->actor.process, *q = b->actor.process;

    return a->actor.pid == b->actor.pid && (p ? p->start_ns : 0) == (q ? q->start_ns : 0) && a->watch == b->watch &&
           bytes_equal(a->path, b->path);
}

static void take_in(struct event *line, const struct event *e)
{
    if (e->operation != OPERATION_WRITE)
        return;
    if (line->operation == OPERATION_OPEN_WRITE)
        line->operation = OPERATION_WRITE;
    if (e->bytes_known) {
        line->bytes = (line->bytes_known ? line->bytes : 0) + e->bytes;
        line->bytes_known = true;
    }
    if (line->operation == OPERATION_TRUNCATE)
        return; /* its line shows the size before and that the file became empty: later sizes do not belong there */
    if (e->after.known & FILE_SIZE) {
        line->after.size = e->after.size;
        line->after.known |= FILE_SIZE;
    }
    if (line->operation == OPERATION_WRITE && (e->before.known & FILE_SIZE) && !(line->before.known & FILE_SIZE)) {
        line->before.size = e->before.size;
        line->before.known |= FILE_SIZE;
    }
}

static struct fingerprint file_key(const struct event *e)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, (uint64_t)e->actor.pid);
    fingerprint_add_word(&of, e->watch);
    fingerprint_add(&of, e->path);
    return fingerprint_end(&of);
}

static bool was_folded(const struct live *l, const struct event *e)
{
    struct fingerprint key = file_key(e);

    for (size_t i = 0; i < LIVE_WAITING_MAX; i++)
        if (fingerprint_equal(l->folded_files[i], key))
            return true;
    return false;
}

static bool taken_in(struct live *l, const struct event *e)
{
    if (!may_be_taken_in(e))
        return false;
    if (was_folded(l, e))
        return true;
    for (size_t i = l->waiting_count; i-- > 0;) {
        struct event *line = l->waiting[i].event;

        if (!is_same_file(line, e))
            continue;
        if (!may_take_in(line) && !(line->operation == OPERATION_WRITE && e->operation == OPERATION_WRITE))
            return false; /* something else happened to it in between */
        take_in(line, e);
        return true;
    }
    return false;
}

static void hold(struct live *l, const struct event *e, const struct live_run *run, const struct sentence_style *style,
                 uint64_t now_ns, struct sbuf *out)
{
    struct event *waiting = copy(e);

    if (!waiting) {
        write_waiting(l, style, out);
        write_line(l, e, run, style, out);
        return;
    }
    l->waiting[l->waiting_count++] = (struct live_waiting){ waiting, now_ns };
    if (l->waiting_count == LIVE_WAITING_MAX)
        write_waiting(l, style, out);
}

/* ---- in ---- */

void live_event(struct live *l, const struct event *event, const struct sentence_style *style, uint64_t now_ns,
                struct sbuf *out)
{
    struct live_run *run;

    if (taken_in(l, event))
        return;
    run = run_of(l, event, style, now_ns, out);
    run->until_ns = event->time_ns;
    if (run->pid != event->actor.pid)
        run->pid = 0;
    if (++run->count > SHOWN) {
        if (!run->folded++)
            run->said_ns = now_ns;
        if (may_take_in(event)) {
            l->folded_files[l->next_file] = file_key(event);
            l->next_file = (l->next_file + 1) % LIVE_WAITING_MAX;
        }
        return;
    }
    if (l->waiting_count || may_take_in(event))
        hold(l, event, run, style, now_ns, out);
    else
        write_line(l, event, run, style, out);
}

void live_idle(struct live *l, const struct sentence_style *style, uint64_t now_ns, struct sbuf *out)
{
    if (l->waiting_count && now_ns - l->waiting[0].since_ns >= WAITING_NS)
        write_waiting(l, style, out);
    for (size_t i = 0; i < LIVE_RUNS_MAX; i++)
        if (l->runs[i].folded && now_ns - l->runs[i].said_ns >= FOLD_NS)
            say_fold(l, &l->runs[i], style, now_ns, out);
}

void live_flush(struct live *l, const struct sentence_style *style, uint64_t now_ns, struct sbuf *out)
{
    write_waiting(l, style, out);
    for (size_t i = 0; i < LIVE_RUNS_MAX; i++) {
        say_fold(l, &l->runs[i], style, now_ns, out);
        l->runs[i].count = 0;
        l->runs[i].until_ns = 0;
    }
    l->last = NULL;
}

void live_done(struct live *l)
{
    for (size_t i = 0; i < l->waiting_count; i++)
        event_free(l->waiting[i].event);
    for (size_t i = 0; i < LIVE_RUNS_MAX; i++)
        sbuf_done(&l->runs[i].actor);
}
