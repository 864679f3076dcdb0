/* SPDX-License-Identifier: MIT */
#include "cli/guard_said.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "cli/print.h"
#include "event/ecs.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"

#define MOUNTED_SHOWN 4

static bool is_on_tmpfs(struct bytes path)
{
    char text[PATH_MAX];
    struct statfs fs;

    snprintf(text, sizeof(text), "%.*s", (int)path.len, path.data);
    return statfs(text, &fs) < 0 || fs.f_type == TMPFS_MAGIC;
}

/* Of these targets. */
static bool is_lacking(const struct guard_command *q, const struct guard_lack *lack)
{
    bool containers = false, tmpfs = false;

    for (size_t i = 0; i < q->count; i++) {
        containers |= q->asked[i].view != NULL;
        tmpfs |= q->asked[i].view || is_on_tmpfs(q->asked[i].path); /* of a container that may be mounted below */
    }
    switch (lack->where) {
    case LACK_OF_CONTAINERS:
        return containers;
    case LACK_OF_TMPFS:
        return tmpfs;
    case LACK_OF_ALLOWED:
        return q->kernel.allowed.count;
    case LACK_ALWAYS:
        break;
    }
    return true;
}

static void write_mounted(const struct guard_mounted *m, struct sbuf *out)
{
    if (!m->count)
        return;
    json_number(out, JSON_KEY("mounted_below"), m->count);
    json_key(out, JSON_ARRAY("mounted_paths"));
    for (size_t i = 0; i < m->named; i++)
        json_element(out, m->paths[i]);
    json_close_array(out);
}

static void say_mounted(const struct guard_mounted *m)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t shown = MIN(m->named, (size_t)MOUNTED_SHOWN);

    for (size_t i = 0; i < shown; i++) {
        sbuf_add_str(&names, i ? ", " : "");
        escape_terminal(&names, m->paths[i]);
    }
    if (m->count > shown)
        sbuf_addf(&names, " and %zu more", m->count - shown);
    if (!m->count)
        return;
    cli_note("not guarded: what is mounted below: %s%s%s", sbuf_str(&names), m->own < m->count ? "; name such a place as a target of its own" : "",
             !m->own                ? ""
             : m->own < m->count ? ", but what only the container has"
                                 : "; only the container has it");
}

void guard_print_json(struct guard_command *q, const char *action, const struct guard_method *method, const struct guard_released *released)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    sbuf_add_char(&out, '{');
    json_key(&out, JSON_KEY("@timestamp"));
    ecs_write_time(&out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(&out);
    json_key(&out, JSON_LITERAL(",\"event\":{\"kind\":\"state\",\"category\":[\"file\"],\"module\":\"culprit\",\"dataset\":\"culprit.guard\""));
    json_string(&out, JSON_KEY("action"), bytes_of(action));
    json_close(&out);
    (void)json_open(&out, JSON_OBJECT("culprit"));
    (void)json_open(&out, JSON_OBJECT("guard"));
    json_string(&out, JSON_KEY("target"), sbuf_bytes(&q->text));
    json_string(&out, JSON_KEY("method"), bytes_of(method->name));
    if (guard_is_by_kernel(q))
        kernel_guard_write(&q->kernel, &out);
    else
        json_number(&out, JSON_KEY("held"), q->keeper.held);
    json_number(&out, JSON_KEY("denied"), guard_is_by_kernel(q) ? q->kernel.test.denied : q->keeper.denied);
    json_number(&out, JSON_KEY("tested"), guard_is_by_kernel(q) ? q->kernel.test.all : q->keeper.all);
    if (released->other)
        json_number(&out, JSON_KEY("changed_by_others"), released->other);
    if (released->shared)
        json_number(&out, JSON_KEY("held_by_others"), released->shared);
    if (released->failed)
        json_number(&out, JSON_KEY("not_released"), released->failed);
    if (q->for_ns)
        json_number(&out, JSON_KEY("for_ns"), q->for_ns);
    if (q->confirm.for_ns)
        json_bool(&out, JSON_KEY("confirmed"), q->confirm.confirmed);
    json_key(&out, JSON_ARRAY("not_denied"));
    for (const struct guard_lack *lack = method->lacks; lack->text; lack++)
        if (is_lacking(q, lack))
            json_element(&out, bytes_of(lack->text));
    json_close_array(&out);
    write_mounted(&q->mounted, &out);
    sbuf_add_str(&out, "}}}\n");
    cli_write(stdout, &out);
    fflush(stdout);
}

void guard_say_begun(struct guard_command *q, const struct guard_method *method)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char but[64] = "";

    escape_terminal(&text, sbuf_bytes(&q->text));
    if (q->mounted.count)
        snprintf(but, sizeof(but), "; not what is mounted below at %zu place%s", q->mounted.count, q->mounted.count == 1 ? "" : "s");
    if (guard_is_by_kernel(q))
        cli_note("guarded: %s, %s%s%s; tested, %zu of %zu places deny%s", sbuf_str(&text), guard_way_words(q->kernel.way),
                 q->duration ? " for " : "", q->duration ? q->duration : "", q->kernel.test.denied, q->kernel.test.all, but);
    else
        cli_note("guarded: %s, %zu %s held %s%s%s; tested, %zu of %zu deny%s", sbuf_str(&text), q->keeper.held,
             q->keeper.held == 1 ? "file or folder" : "files and folders", method->name,
             q->duration ? " for " : "", q->duration ? q->duration : "", q->keeper.denied, q->keeper.all, but);
    for (const struct guard_lack *lack = method->lacks; lack->text; lack++)
        if (is_lacking(q, lack))
            cli_note("%s%s", lack == method->lacks ? "not denied, or to be known: " : "  ", lack->text);
    say_mounted(&q->mounted);
    if (guard_is_by_kernel(q) && q->kernel.counts.older_writers && q->kernel.counts.older_writers != BPF_GUARD_UNKNOWN)
        cli_note("%llu of its files somebody has had open for writing since before: they are refused too, and until their last close each "
                 "read and write of this machine is asked", (unsigned long long)q->kernel.counts.older_writers);
    if (q->confirm.for_ns)
        cli_note("it ends in %s unless it is confirmed: %sculprit guard --confirmed", q->confirm_text,
                 q->confirm.terminal ? "press Enter here, or say elsewhere " : "say ");
    if (q->json)
        guard_print_json(q, "guard-begin", method, &(struct guard_released){ 0 });
}
