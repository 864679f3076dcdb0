/* SPDX-License-Identifier: MIT */
#include "config/learn.h"

#include <stdlib.h>
#include <time.h>

#include "alert/severity.h"
#include "config/config.h"
#include "event/operation.h"
#include "report/names.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"

#define CAUSES_MAX 4096
#define PATHS_MAX 8     /* of a block; more become those above them */
#define PROGRAMS_MAX 8
#define DAYS_MIN 2      /* what happened on one day only is no habit */
#define SHOWN_MAX 50    /* causes that are not proposed */

/* Why it is not proposed; the first that fits. */
enum learn_reason {
    LEARN_PROPOSED,
    LEARN_OWN,
    LEARN_REFUSED,
    LEARN_PERSON,
    LEARN_CLAIMED,
    LEARN_WIDE,
    LEARN_ONCE,
    LEARN_REASON_COUNT,
};

static const char *const reasons[LEARN_REASON_COUNT] = {
    [LEARN_OWN] = "touches culprit itself",
    [LEARN_REFUSED] = "was refused",
    [LEARN_PERSON] = "somebody typed it",
    [LEARN_CLAIMED] = "only its own word says what it is",
    [LEARN_WIDE] = "files of everywhere",
    [LEARN_ONCE] = "on one day only",
};

struct learn_cause {
    UT_hash_handle hh;
    struct fingerprint key;
    struct arena arena;
    struct bytes name;      /* of whom, for people: escaped */
    struct bytes title;     /* of its block */
    struct bytes script, unit, user, container;
    struct bytes programs[PROGRAMS_MAX], paths[PATHS_MAX + 1];
    unsigned program_count, path_count;
    enum launcher_kind launcher;
    uint64_t operations;    /* bit 1 << enum operation */
    uint64_t changes, last_ns, last_day;
    unsigned days, gravest; /* gravest: a row of severity.h */
    bool own, refused, person, claimed, wide;
};

struct learn {
    const struct expect_rules *rules;
    struct learn_cause *causes; /* uthash */
    uint64_t unexpected, beyond;
};

struct learn *learn_new(const struct expect_rules *rules)
{
    struct learn *l = calloc(1, sizeof(*l));

    if (l)
        l->rules = rules;
    return l;
}

void learn_free(struct learn *l)
{
    struct learn_cause *c, *next;

    if (!l)
        return;
    HASH_ITER(hh, l->causes, c, next) {
        HASH_DEL(l->causes, c);
        arena_done(&c->arena);
        free(c);
    }
    free(l);
}

uint64_t learn_unexpected(const struct learn *l)
{
    return l->unexpected;
}

/* ---- what a block would name ---- */

/* What is a pattern's sign is taken as it is. */
static struct bytes pattern_of(struct arena *arena, struct bytes text)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    for (size_t i = 0; i < text.len; i++) {
        if (memchr("*?[\\", text.data[i], 4))
            sbuf_add_char(&out, '\\');
        sbuf_add_char(&out, text.data[i]);
    }
    if (sbuf_error(&out) < 0 || out.len > EXPECT_PATTERN_MAX || memchr(sbuf_str(&out), '\0', out.len))
        return BYTES_NULL;
    return arena_copy(arena, sbuf_bytes(&out));
}

static bool is_script(const struct cause_run *run)
{
    return run->kind == RUN_SCRIPT || run->kind == RUN_MODULE || run->kind == RUN_TARGET || run->kind == RUN_ARCHIVE || run->kind == RUN_NPM ||
           run->kind == RUN_GIT_HOOK || run->kind == RUN_MAINTAINER || run->kind == RUN_ANSIBLE;
}

static struct bytes program_of(const struct event *e)
{
    const struct process *run = e->cause.run.process;

    return run && run->executable.len ? run->executable : event_actor_executable(e);
}

static struct bytes user_of(struct arena *arena, const struct event *e)
{
    const struct process *p = e->actor.process;
    const struct credentials *cred = actor_credentials(&e->actor);
    char number[16];

    if (p && p->user_name.len)
        return pattern_of(arena, p->user_name);
    snprintf(number, sizeof(number), "%u", cred->euid);
    return cred->known && cred->euid != UID_UNKNOWN ? arena_copy(arena, bytes_of(number)) : BYTES_NULL;
}

static struct bytes container_of(struct arena *arena, const struct event *e)
{
    const struct process *p = e->actor.process;

    if (!p || p->origin == ORIGIN_UNKNOWN)
        return BYTES_NULL;
    if (p->origin == ORIGIN_HOST)
        return bytes_of("host");
    return p->container && p->container->name.len ? pattern_of(arena, p->container->name) : BYTES_NULL;
}

static struct bytes unit_of(struct arena *arena, const struct cause_launcher *launcher)
{
    if (launcher->kind != LAUNCHER_SERVICE && launcher->kind != LAUNCHER_TIMER)
        return BYTES_NULL;
    return pattern_of(arena, launcher->unit.len ? launcher->unit : launcher->name);
}

/* Letters and digits of what it is called; what else there may be in a name is of no use in a title. */
static struct bytes title_of(struct learn_cause *c, struct bytes of)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    of = bytes_basename(of);
    for (size_t i = 0; i < of.len && out.len < 40; i++) {
        char x = of.data[i];
        bool plain = (x >= '0' && x <= '9') || ((x | 0x20) >= 'a' && (x | 0x20) <= 'z') || x == '.' || x == '_' || x == '-';

        sbuf_add_char(&out, plain ? x : '-');
    }
    return sbuf_error(&out) < 0 || !out.len ? bytes_of("change") : arena_copy(&c->arena, sbuf_bytes(&out));
}

static void describe(struct learn_cause *c, const struct event *e)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;
    const struct cause_run *run = &e->cause.run;

    name_cause(&name, e);
    c->name = sbuf_error(&name) < 0 ? BYTES_NULL : arena_copy(&c->arena, sbuf_bytes(&name));
    if (is_script(run) && !run->claimed)
        c->script = pattern_of(&c->arena, run->name);
    c->title = title_of(c, c->script.len ? run->name : program_of(e));
    c->launcher = e->cause.launcher.kind;
    c->unit = unit_of(&c->arena, &e->cause.launcher);
    c->user = user_of(&c->arena, e);
    c->container = container_of(&c->arena, e);
}

static void add_program(struct learn_cause *c, const struct event *e)
{
    struct bytes program = program_of(e);

    if (c->script.len)
        return;
    if (!program.len) {
        c->claimed = true;
        return;
    }
    program = pattern_of(&c->arena, program);
    for (unsigned i = 0; i < c->program_count; i++)
        if (bytes_equal(c->programs[i], program))
            return;
    if (program.len && c->program_count < PROGRAMS_MAX)
        c->programs[c->program_count++] = program;
    else
        c->wide = true;
}

/* ---- where ---- */

static void drop_path(struct learn_cause *c, unsigned at)
{
    memmove(&c->paths[at], &c->paths[at + 1], (c->path_count - at - 1) * sizeof(c->paths[0]));
    c->path_count--;
}

static unsigned depth_of(struct bytes path)
{
    unsigned n = 0;

    for (size_t i = 0; i < path.len; i++)
        n += path.data[i] == '/';
    return n;
}

/* A directory, unless one above it is there; those below it go. */
static void put_path(struct learn_cause *c, struct bytes directory)
{
    for (unsigned i = 0; i < c->path_count; i++)
        if (bytes_path_covers(c->paths[i], directory))
            return;
    for (unsigned i = c->path_count; i > 0; i--)
        if (bytes_path_covers(directory, c->paths[i - 1]))
            drop_path(c, i - 1);
    directory = arena_copy(&c->arena, directory);
    if (directory.data)
        c->paths[c->path_count++] = directory;
    else
        c->wide = true;
}

static void add_path(struct learn_cause *c, struct bytes path)
{
    struct bytes directory = bytes_dirname(path);

    while (!c->wide) {
        unsigned deepest = 0;

        if (directory.len < 2 || directory.data[0] != '/') {
            c->wide = true;
            return;
        }
        put_path(c, directory);
        if (c->path_count <= PATHS_MAX)
            return;
        for (unsigned i = 1; i < c->path_count; i++)
            if (depth_of(c->paths[i]) > depth_of(c->paths[deepest]))
                deepest = i;
        directory = bytes_dirname(c->paths[deepest]);
    }
}

/* ---- in ---- */

static struct learn_cause *cause_of(struct learn *l, const struct event *e)
{
    struct fingerprint key = name_cause_key(e);
    struct learn_cause *c;

    HASH_FIND(hh, l->causes, &key, sizeof(key), c);
    if (c || HASH_COUNT(l->causes) >= CAUSES_MAX || !(c = calloc(1, sizeof(*c))))
        return c;
    c->key = key;
    HASH_ADD(hh, l->causes, key, sizeof(c->key), c);
    HASH_FREE_IF_OUT(hh, c);
    if (c)
        describe(c, e);
    return c;
}

static bool is_own(const struct event *e)
{
    static const char *const places[] = { "/etc/culprit", "/var/lib/culprit", "/run/culprit", "/usr/bin/culprit" };

    for (size_t i = 0; !e->victim && i < ARRAY_SIZE(places); i++)
        if (bytes_path_covers(bytes_of(places[i]), e->path) || bytes_path_covers(bytes_of(places[i]), e->previous_path))
            return true;
    return false;
}

static void count_day(struct learn_cause *c, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    uint64_t day;
    struct tm tm;

    if (!localtime_r(&seconds, &tm))
        return;
    day = (uint64_t)(tm.tm_year * 366 + tm.tm_yday + 1);
    c->days += day != c->last_day;
    c->last_day = day;
}

void learn_add(struct learn *l, const struct event *e)
{
    const struct expect_block *block;
    struct learn_cause *c;
    unsigned row;

    if (expected_find(l->rules, e, &block) != EXPECTED_NONE)
        return;
    l->unexpected++;
    c = cause_of(l, e);
    if (!c) {
        l->beyond++;
        return;
    }
    row = severity_find(e, NULL, 0, false);
    if (!c->changes++ || severity_row(row)->severity > severity_row(c->gravest)->severity)
        c->gravest = row;
    c->last_ns = e->time_ns;
    count_day(c, e->time_ns);
    c->operations |= UINT64_C(1) << e->operation;
    c->own |= is_own(e);
    c->refused |= e->error > 0;
    c->person |= e->cause.person.interactive;
    c->claimed |= e->cause.run.claimed;
    add_program(c, e);
    add_path(c, e->path);
    if (e->previous_path.len)
        add_path(c, e->previous_path);
}

/* ---- out ---- */

static enum learn_reason reason_of(const struct learn_cause *c)
{
    if (c->own)
        return LEARN_OWN;
    if (c->refused)
        return LEARN_REFUSED;
    if (c->person)
        return LEARN_PERSON;
    if (c->claimed || (!c->script.len && !c->program_count))
        return LEARN_CLAIMED;
    if (c->wide)
        return LEARN_WIDE;
    return c->days < DAYS_MIN ? LEARN_ONCE : LEARN_PROPOSED;
}

static void add_list(struct sbuf *out, const char *key, const struct bytes *values, unsigned count)
{
    bool any = false;

    for (unsigned i = 0; i < count; i++) {
        if (!values[i].len)
            continue;
        sbuf_addf(out, any ? ", " : "    %s = { ", key);
        config_quote(out, values[i]);
        any = true;
    }
    if (any)
        sbuf_add_str(out, " }\n");
}

static void add_operations(struct sbuf *out, uint64_t operations)
{
    struct bytes names[64];
    unsigned n = 0;

    for (unsigned i = 1; i < OPERATION_COUNT; i++)
        if (operations >> i & 1)
            names[n++] = bytes_of(operation_info((enum operation)i)->name);
    add_list(out, "operations", names, n);
}
_Static_assert(OPERATION_COUNT <= 64, "a bit each");

static void add_paths(const struct learn_cause *c, struct sbuf *out)
{
    struct arena arena = { 0 };
    struct bytes patterns[PATHS_MAX];

    for (unsigned i = 0; i < c->path_count; i++)
        patterns[i] = pattern_of(&arena, c->paths[i]);
    add_list(out, "paths", patterns, c->path_count);
    arena_done(&arena);
}

static void add_count(const struct learn_cause *c, struct sbuf *out)
{
    time_t seconds = (time_t)(c->last_ns / NS_PER_S);
    char last[32] = "";
    struct tm tm;

    if (localtime_r(&seconds, &tm))
        (void)strftime(last, sizeof(last), "%Y-%m-%d %H:%M:%S", &tm);
    sbuf_addf(out, "%llu change%s on %u day%s, last %s; the gravest: %s (%s)", (unsigned long long)c->changes, c->changes == 1 ? "" : "s", c->days,
              c->days == 1 ? "" : "s", last, severity_row(c->gravest)->name, severity_name(severity_row(c->gravest)->severity));
}

static bool is_taken(const struct learn *l, struct bytes title)
{
    for (size_t i = 0; i < l->rules->block_count; i++)
        if (bytes_equal(l->rules->blocks[i].name, title))
            return true;
    return false;
}

/* Unlike that of any block there is, and of any before this one: those have smaller numbers. */
static void add_title(const struct learn *l, const struct learn_cause *c, unsigned *number, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf title = SBUF_INIT;

    do {
        sbuf_clear(&title);
        sbuf_addf(&title, "learned %u ", ++*number);
        sbuf_add_bytes(&title, c->title);
    } while (is_taken(l, sbuf_bytes(&title)));
    config_quote(out, sbuf_bytes(&title));
}

static void add_block(const struct learn *l, const struct learn_cause *c, unsigned *number, struct sbuf *out)
{
    const struct bytes launcher = c->launcher == LAUNCHER_UNKNOWN ? BYTES_NULL : bytes_of(cause_launcher_name(c->launcher));

    sbuf_add_str(out, "\n# ");
    add_count(c, out);
    sbuf_add_str(out, "\n# by ");
    sbuf_add_bytes(out, c->name);
    sbuf_add_str(out, "\nexpect ");
    add_title(l, c, number, out);
    sbuf_add_str(out, " {\n");
    add_list(out, "script", &c->script, 1);
    add_list(out, "program", c->programs, c->program_count);
    add_list(out, "unit", &c->unit, 1);
    add_list(out, "launcher", &launcher, 1);
    add_list(out, "user", &c->user, 1);
    add_list(out, "container", &c->container, 1);
    add_operations(out, c->operations);
    add_paths(c, out);
    sbuf_add_str(out, "}\n");
}

static int by_changes(const struct learn_cause *a, const struct learn_cause *b)
{
    return a->changes > b->changes ? -1 : a->changes < b->changes;
}

static void add_others(const struct learn *l, struct sbuf *out)
{
    unsigned n = 0, more = 0;

    for (const struct learn_cause *c = l->causes; c; c = c->hh.next) {
        enum learn_reason reason = reason_of(c);

        if (reason == LEARN_PROPOSED)
            continue;
        if (n++ >= SHOWN_MAX) {
            more++;
            continue;
        }
        if (n == 1)
            sbuf_add_str(out, "\n# Not proposed:\n");
        sbuf_addf(out, "#   %s: ", reasons[reason]);
        add_count(c, out);
        sbuf_add_str(out, ", by ");
        sbuf_add_bytes(out, c->name);
        sbuf_add_char(out, '\n');
    }
    if (more)
        sbuf_addf(out, "#   and %u more cause%s\n", more, more == 1 ? "" : "s");
    if (l->beyond)
        sbuf_addf(out, "#   and %llu changes of more causes than are kept apart\n", (unsigned long long)l->beyond);
}

unsigned learn_write(struct learn *l, struct sbuf *out)
{
    unsigned proposed = 0, number = 0;

    HASH_SORT(l->causes, by_changes);
    for (const struct learn_cause *c = l->causes; c; c = c->hh.next)
        if (reason_of(c) == LEARN_PROPOSED) {
            add_block(l, c, &number, out);
            proposed++;
        }
    add_others(l, out);
    return proposed;
}
