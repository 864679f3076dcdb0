/* SPDX-License-Identifier: MIT */
#include "clues/people.h"

#include <stdio.h>
#include <sys/acct.h>
#include <utmp.h>

#include "clues/line.h"
#include "clues/source.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define SESSIONS_MAX 512 /* that are open at a time */

static struct bytes text_of(const char *field, size_t size)
{
    return (struct bytes){ field, strnlen(field, size) };
}

static uint64_t time_of(const struct utmp *u)
{
    return clock_join(u->ut_tv.tv_sec, MIN((uint64_t)(uint32_t)u->ut_tv.tv_usec, UINT64_C(999999)) * 1000);
}

/* ---- wtmp ---- */

static bool lasted(const struct clue_question *q, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < q->span_count; i++)
        if (from <= q->spans[i].to_ns + CLUE_AFTER_NS && to >= q->spans[i].from_ns)
            return true;
    return false;
}

void people_session(struct sbuf *answer, const struct clue_question *q, struct bytes name, const struct login_session *s)
{
    struct clue_fact f = { .kind = CLUE_HAPPENED, .from_ns = s->from_ns, .to_ns = s->to_ns ? s->to_ns : q->now_ns, .place = name };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT;

    if (!s->user.len || !f.from_ns || !lasted(q, f.from_ns, f.to_ns))
        return;
    sbuf_add_bytes(&text, s->user);
    sbuf_add_str(&text, " was logged in at ");
    sbuf_add_bytes(&text, s->line);
    if (s->host.len) {
        sbuf_add_str(&text, " from ");
        sbuf_add_bytes(&text, s->host);
    }
    if (clue_span_of(q, f.from_ns, CLUE_BEFORE_NS) >= 0) {
        f.marks |= CLUE_STARTED;
        f.to_ns = f.from_ns; /* what counts is that it began then */
        sbuf_add_str(&suspect, "login of ");
        sbuf_add_bytes(&suspect, s->user);
        sbuf_add_str(&suspect, " at ");
        sbuf_add_bytes(&suspect, s->line);
        f.user = s->user;
    }
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    clue_put(answer, &f);
}

static void put_session(struct sbuf *answer, const struct clue_question *q, struct bytes name, const struct utmp *u, uint64_t to_ns)
{
    struct login_session s = { text_of(u->ut_user, sizeof(u->ut_user)), text_of(u->ut_line, sizeof(u->ut_line)),
                               text_of(u->ut_host, sizeof(u->ut_host)), time_of(u), to_ns };

    people_session(answer, q, name, &s);
}

void people_machine(struct sbuf *answer, const struct clue_question *q, struct bytes name, uint64_t ns, bool start)
{
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = start ? CLUE_BOOT : 0, .from_ns = ns, .place = name,
                           .text = bytes_of(start ? "the machine was started" : "the machine was shut down") };

    if (f.from_ns && clue_span_of(q, f.from_ns, CLUE_FAR_NS) >= 0)
        clue_put(answer, &f);
}

uint64_t people_wtmp(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    static struct utmp open[SESSIONS_MAX]; /* too large for a stack; a worker has one thread */
    size_t count = 0;
    uint64_t first = 0;
    struct utmp u;

    for (; text.len >= sizeof(u); text = (struct bytes){ text.data + sizeof(u), text.len - sizeof(u) }) {
        memcpy(&u, text.data, sizeof(u));
        first = first ? first : time_of(&u);
        if (u.ut_type == BOOT_TIME)
            people_machine(answer, q, name, time_of(&u), true);
        else if (u.ut_type == RUN_LVL && memcmp(u.ut_user, "shutdown", 8) == 0)
            people_machine(answer, q, name, time_of(&u), false);
        if (u.ut_type != USER_PROCESS && u.ut_type != DEAD_PROCESS && u.ut_type != BOOT_TIME)
            continue;
        /* who was at this terminal has left it; a start of the machine ends all */
        for (size_t i = 0; i < count;) {
            if (u.ut_type != BOOT_TIME && memcmp(open[i].ut_line, u.ut_line, sizeof(u.ut_line)) != 0) {
                i++;
                continue;
            }
            put_session(answer, q, name, &open[i], MAX(time_of(&u), (uint64_t)1));
            open[i] = open[--count];
        }
        if (u.ut_type == USER_PROCESS && count < SESSIONS_MAX)
            open[count++] = u;
    }
    for (size_t i = 0; i < count; i++)
        put_session(answer, q, name, &open[i], 0);
    return first;
}

/* ---- btmp ---- */

#define REFUSED_MAX 64 /* of whom from where, or at which terminal */

struct refused_logins {
    struct bytes user, from; /* user: empty, it is nobody's name here */
    bool host;
    uint64_t from_ns, to_ns;
    unsigned count;
};

/* The name as /etc/passwd has it. */
static struct bytes known_name(struct bytes passwd, struct bytes name)
{
    while (passwd.len && name.len) {
        struct bytes line = bytes_next_line(&passwd), known = bytes_next_field(&line, ':');

        if (bytes_equal(known, name))
            return known;
    }
    return BYTES_NULL;
}

static void put_refused(struct sbuf *answer, struct bytes name, const struct refused_logins *r)
{
    struct clue_fact f = { .kind = CLUE_HAPPENED, .from_ns = r->from_ns, .to_ns = r->to_ns, .place = name };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_add_str(&text, "a login of ");
    sbuf_add_bytes(&text, r->user.len ? r->user : bytes_of("a name that nobody has here"));
    if (r->from.len) {
        sbuf_add_str(&text, r->host ? " from " : " at ");
        sbuf_add_bytes(&text, r->from);
    }
    sbuf_add_str(&text, " was refused");
    if (r->count > 1)
        sbuf_addf(&text, ", %u times", r->count);
    f.text = sbuf_bytes(&text);
    clue_put(answer, &f);
}

uint64_t people_btmp(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct refused_logins all[REFUSED_MAX];
    size_t count = 0;
    uint64_t first = 0;
    unsigned more = 0;

    for (; text.len >= sizeof(struct utmp); text = (struct bytes){ text.data + sizeof(struct utmp), text.len - sizeof(struct utmp) }) {
        struct refused_logins r = { .count = 1 };
        struct utmp u;
        size_t i = 0;

        memcpy(&u, text.data, sizeof(u));
        r.from_ns = r.to_ns = time_of(&u);
        first = first ? first : r.from_ns;
        if (!r.from_ns || clue_span_of(q, r.from_ns, CLUE_BEFORE_NS) < 0)
            continue;
        r.user = known_name(q->extra, text_of(u.ut_user, sizeof(u.ut_user)));
        r.host = u.ut_host[0] != '\0';
        /* a view into the text, which lasts */
        r.from = r.host ? text_of(text.data + offsetof(struct utmp, ut_host), sizeof(u.ut_host))
                        : text_of(text.data + offsetof(struct utmp, ut_line), sizeof(u.ut_line));
        while (i < count && (!bytes_equal(all[i].user, r.user) || !bytes_equal(all[i].from, r.from) || all[i].host != r.host))
            i++;
        if (i < count) {
            all[i].from_ns = MIN(all[i].from_ns, r.from_ns);
            all[i].to_ns = MAX(all[i].to_ns, r.to_ns);
            all[i].count++;
        } else if (count < REFUSED_MAX) {
            all[count++] = r;
        } else {
            more++;
        }
    }
    for (size_t i = 0; i < count; i++)
        put_refused(answer, name, &all[i]);
    if (more)
        clue_put_note(answer, "%u more refused logins, from elsewhere, are not shown", more);
    return first;
}

/* ---- accounting ---- */

uint64_t people_accounting(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    uint64_t first = 0;
    struct acct_v3 a;

    for (; text.len >= sizeof(a); text = (struct bytes){ text.data + sizeof(a), text.len - sizeof(a) }) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .place = name };
        _cleanup_sbuf_ struct sbuf suspect = SBUF_INIT, says = SBUF_INIT;
        struct bytes comm;
        unsigned marks;
        char number[16];

        memcpy(&a, text.data, sizeof(a));
        if ((a.ac_version & 0x0f) != 3)
            continue;
        f.from_ns = a.ac_btime * NS_PER_S;
        first = first ? first : f.from_ns;
        comm = text_of(a.ac_comm, sizeof(a.ac_comm));
        /* begins are noted in whole seconds */
        marks = clue_span_of(q, f.from_ns, CLUE_BEFORE_NS) >= 0 ? line_marks(comm, q) & (CLUE_REMOVES | CLUE_ALTERS) : 0;
        if (!marks)
            continue;
        sbuf_add_bytes(&suspect, comm);
        sbuf_addf(&suspect, " of uid %u", a.ac_uid);
        sbuf_add_bytes(&says, comm);
        sbuf_addf(&says, " (pid %u, parent %u, uid %u)", a.ac_pid, a.ac_ppid, a.ac_uid);
        f.marks = CLUE_STARTED | marks;
        f.text = sbuf_bytes(&says);
        f.suspect = sbuf_bytes(&suspect);
        /* the real user: a set-user-ID program, or who went from root to it later, used more than that */
        snprintf(number, sizeof(number), "#%u", a.ac_uid);
        f.user = a.ac_flag & ASU ? BYTES_NULL : bytes_of(number);
        clue_put(answer, &f);
    }
    return first;
}

/* ---- histories ---- */

/* "#1764380000" of bash is a line before the command's; ": 1764380000:0;command" of zsh is on it. */
static bool take_history_time(struct bytes *line, uint64_t *ret_ns)
{
    struct bytes rest = *line;
    uint64_t s;

    if (rest.len > 1 && rest.data[0] == '#' && parse_u64((struct bytes){ rest.data + 1, rest.len - 1 }, 10, &s) == 0) {
        *ret_ns = s < UINT32_MAX ? s * NS_PER_S : 0;
        return true;
    }
    if (rest.len > 2 && rest.data[0] == ':' && rest.data[1] == ' ') {
        const char *command = bytes_char(rest, ';');
        struct bytes time = { rest.data + 2, rest.len - 2 };

        if (command && parse_u64(bytes_next_field(&time, ':'), 10, &s) == 0) {
            *ret_ns = s < UINT32_MAX ? s * NS_PER_S : 0;
            *line = (struct bytes){ command + 1, rest.len - (size_t)(command + 1 - rest.data) };
        }
    }
    return false;
}

void people_history(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes user, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT;
    uint64_t ns = 0;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_COMMAND };
        unsigned says;

        if (take_history_time(&line, &ns))
            continue;
        says = line_marks(line, q);
        f.from_ns = ns;
        ns = 0;
        if (!(says & CLUE_NAMES) || !(says & (CLUE_REMOVES | CLUE_ALTERS)))
            continue;
        if (f.from_ns && clue_span_of(q, f.from_ns, CLUE_FAR_NS) < 0)
            continue;
        sbuf_clear(&suspect);
        sbuf_add_str(&suspect, "typed by ");
        sbuf_add_bytes(&suspect, user);
        sbuf_add_str(&suspect, ": ");
        sbuf_add_bytes(&suspect, line);
        f.marks |= says | (f.from_ns ? CLUE_STARTED : 0);
        if (!f.from_ns)
            f.kind = CLUE_RULE; /* at an unknown time: no more than something that does this */
        f.text = line;
        f.suspect = sbuf_bytes(&suspect);
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}
