/* SPDX-License-Identifier: MIT */
/* The blocks of the configuration: each kind that is named is compared by a row of a table. */
#include <errno.h>
#include <time.h>

#include "alert/block.h"
#include "event/operation.h"
#include "util/glob.h"
#include "util/macro.h"
#include "util/parse.h"

#define DAY_MINUTES (24 * 60)

static int parse_clock(struct bytes text, unsigned *ret)
{
    struct bytes rest = text, hour = bytes_next_field(&rest, ':');
    uint32_t h, m;

    if (hour.len != 2 || rest.len != 2 || parse_u32(hour, 10, &h) < 0 || parse_u32(rest, 10, &m) < 0 || h > 24 || m > 59 ||
        h * 60 + m > DAY_MINUTES)
        return -EINVAL;
    *ret = h * 60 + m;
    return 0;
}

int expect_parse_hours(struct bytes text, unsigned *ret_from, unsigned *ret_to)
{
    struct bytes rest = text, begin = bytes_next_field(&rest, '-');
    unsigned from, to;

    if (parse_clock(begin, &from) < 0 || parse_clock(rest, &to) < 0 || from == to)
        return -EINVAL;
    *ret_from = from;
    *ret_to = to;
    return 0;
}

bool expect_is_named(struct bytes pattern, struct bytes path)
{
    if (!path.len)
        return false;
    return glob_matches(pattern, bytes_char(pattern, '/') ? path : bytes_basename(path));
}

static bool is_text(struct bytes pattern, struct bytes text)
{
    return text.len && glob_matches(pattern, text);
}

/* Whoever acted, and on whose behalf: by the kernel's word for the executable, never by argv alone. */
static bool is_program(struct bytes pattern, const struct event *e)
{
    const struct process *run = e->cause.run.process;

    return expect_is_named(pattern, event_actor_executable(e)) || (run && expect_is_named(pattern, run->executable));
}

static bool is_package(struct bytes pattern, const struct event *e)
{
    const struct process *actor = e->actor.process, *run = e->cause.run.process;

    return (actor && is_text(pattern, actor->owner.package)) || (run && is_text(pattern, run->owner.package));
}

static bool is_unit(struct bytes pattern, const struct event *e)
{
    const struct process *actor = e->actor.process;

    return is_text(pattern, e->cause.launcher.unit) || (actor && is_text(pattern, actor->owner.unit)) ||
           ((e->cause.launcher.kind == LAUNCHER_SERVICE || e->cause.launcher.kind == LAUNCHER_TIMER) &&
            is_text(pattern, e->cause.launcher.name));
}

static bool is_script(struct bytes pattern, const struct event *e)
{
    const struct cause_run *run = &e->cause.run;

    return !run->claimed && (run->kind == RUN_SCRIPT || run->kind == RUN_MODULE || run->kind == RUN_TARGET || run->kind == RUN_ARCHIVE ||
                             run->kind == RUN_NPM || run->kind == RUN_GIT_HOOK || run->kind == RUN_MAINTAINER || run->kind == RUN_ANSIBLE) &&
           expect_is_named(pattern, run->name);
}

static bool is_launcher(struct bytes pattern, const struct event *e)
{
    const struct cause_launcher *launcher = &e->cause.launcher;

    return launcher->kind != LAUNCHER_UNKNOWN &&
           (bytes_equal_str(pattern, cause_launcher_name(launcher->kind)) || is_text(pattern, launcher->name));
}

static bool is_id(struct bytes text, uint32_t id)
{
    uint32_t number;

    return id != UID_UNKNOWN && parse_u32(text, 10, &number) == 0 && number == id;
}

static bool is_user(struct bytes pattern, const struct event *e)
{
    const struct process *p = e->actor.process;
    const struct credentials *cred = actor_credentials(&e->actor);
    const struct person *person = &e->cause.person;

    return (p && is_text(pattern, p->user_name)) || (cred->known && is_id(pattern, cred->euid)) ||
           is_id(pattern, actor_login_uid(&e->actor)) || (p && is_text(pattern, p->login_name)) ||
           (person->known && is_text(pattern, person->name));
}

static bool is_container(struct bytes pattern, const struct event *e)
{
    const struct process *p = e->actor.process;

    if (!p || p->origin == ORIGIN_UNKNOWN)
        return false;
    if (p->origin == ORIGIN_HOST)
        return bytes_equal_str(pattern, "host");
    return p->container && (is_text(pattern, p->container->name) || bytes_equal(pattern, p->container->id));
}

static bool is_image(struct bytes pattern, const struct event *e)
{
    const struct process *p = e->actor.process;

    return p && p->container && is_text(pattern, p->container->image_name);
}

static bool is_hour(struct bytes pattern, const struct event *e)
{
    time_t seconds = (time_t)(e->time_ns / NS_PER_S);
    unsigned from, to, now;
    struct tm tm;

    if (expect_parse_hours(pattern, &from, &to) < 0 || !localtime_r(&seconds, &tm))
        return false;
    now = (unsigned)tm.tm_hour * 60 + (unsigned)tm.tm_min;
    return from < to ? now >= from && now < to : now >= from || now < to;
}

static bool is_operation(struct bytes pattern, const struct event *e)
{
    struct bytes unknown;
    uint64_t operations;

    return operation_list_parse(pattern, &operations, &unknown) == 0 && (operations >> e->operation & 1);
}

static bool is_path(struct bytes pattern, const struct event *e)
{
    bool there = glob_covers(pattern, e->path) || (e->host_path.len && glob_covers(pattern, e->host_path));
    bool from = !e->previous_path.len || glob_covers(pattern, e->previous_path) ||
                (e->previous_host_path.len && glob_covers(pattern, e->previous_host_path));

    return there && from; /* a file that was moved there from elsewhere is missing elsewhere */
}

static bool (*const kinds[EXPECT_KIND_COUNT])(struct bytes pattern, const struct event *e) = {
    [EXPECT_PROGRAM] = is_program,     [EXPECT_PACKAGE] = is_package, [EXPECT_UNIT] = is_unit,
    [EXPECT_SCRIPT] = is_script,       [EXPECT_LAUNCHER] = is_launcher, [EXPECT_USER] = is_user,
    [EXPECT_CONTAINER] = is_container, [EXPECT_IMAGE] = is_image,     [EXPECT_HOURS] = is_hour,
    [EXPECT_OPERATIONS] = is_operation, [EXPECT_PATHS] = is_path,
};

bool expect_block_matches(const struct expect_block *block, const struct event *e)
{
    for (unsigned kind = 0; kind < EXPECT_KIND_COUNT; kind++) {
        const struct expect_values *v = &block->values[kind];
        bool any = v->count == 0;

        for (size_t i = 0; !any && i < v->count; i++)
            any = kinds[kind](v->items[i], e);
        if (!any)
            return false;
    }
    return true;
}
