/* SPDX-License-Identifier: MIT */
#include "alert/renewed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BIT(operation) (UINT64_C(1) << (operation))
#define NEWER                                                                                                                     \
    (BIT(OPERATION_WRITE) | BIT(OPERATION_TRUNCATE) | BIT(OPERATION_CREATE) | BIT(OPERATION_LINK) | BIT(OPERATION_SYMLINK) |      \
     BIT(OPERATION_RENAME))

/* A container by its id: one that is created anew has other files. */
static struct fingerprint key_of(const struct container *c, struct bytes path)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, c != NULL);
    fingerprint_add(&of, c ? c->id : BYTES_NULL);
    fingerprint_add(&of, path);
    return fingerprint_end(&of);
}

/* The version of the package that the cause's program is of; a script's is not its interpreter's. */
static struct bytes version_of(const struct event *e)
{
    const struct process *p = e->cause.run.process;

    if (!p || e->cause.run.claimed || (e->cause.run.kind != RUN_PROGRAM && e->cause.run.kind != RUN_COMMAND))
        return BYTES_NULL;
    return p->owner.package_version.len < RENEWED_VERSION_MAX ? p->owner.package_version : BYTES_NULL;
}

static void set_version(char *to, struct bytes version)
{
    snprintf(to, RENEWED_VERSION_MAX, "%.*s", (int)version.len, version.data);
}

static void add_version(struct renewed *r, const struct event *e)
{
    struct bytes path = renewed_program(e), version = version_of(e);
    struct renewed_program *p;
    struct fingerprint file;

    if (!path.len || !version.len)
        return;
    if (!r->programs)
        r->programs = calloc(RENEWED_MAX, sizeof(*r->programs));
    if (!r->programs)
        return;
    file = key_of(e->cause.run.process->container, path);
    p = &r->programs[file.number % RENEWED_MAX];
    if (!fingerprint_equal(p->file, file)) {
        *p = (struct renewed_program){ .file = file, .now_first_ns = e->time_ns };
        set_version(p->versions.now, version);
    } else if (!bytes_equal_str(version, p->versions.now)) {
        memcpy(p->versions.before, p->versions.now, RENEWED_VERSION_MAX);
        p->before_last_ns = p->now_last_ns;
        p->now_first_ns = e->time_ns;
        set_version(p->versions.now, version);
    }
    p->now_last_ns = MAX(p->now_last_ns, e->time_ns);
}

void renewed_add(struct renewed *r, const struct event *e)
{
    struct fingerprint file;

    add_version(r, e);
    if (e->error != 0 || !(NEWER >> e->operation & 1) || e->path_presumed || !e->path.len ||
        (e->file.known & FILE_MODE && S_ISDIR(e->file.mode)))
        return;
    if (!r->files)
        r->files = calloc(RENEWED_MAX, sizeof(*r->files));
    if (!r->files)
        return;
    file = key_of(e->victim, e->path);
    r->files[file.number % RENEWED_MAX] = (struct renewed_file){ file, e->time_ns };
}

struct bytes renewed_program(const struct event *e)
{
    const struct cause_run *run = &e->cause.run;
    struct bytes path = BYTES_NULL;

    if (!run->process || run->claimed)
        return BYTES_NULL;
    if (run->kind == RUN_SCRIPT || run->kind == RUN_GIT_HOOK || run->kind == RUN_ARCHIVE)
        path = run->name;
    else if (run->kind == RUN_PROGRAM || run->kind == RUN_COMMAND)
        path = run->process->executable;
    return path.len && path.data[0] == '/' ? path : BYTES_NULL;
}

/* CLOCK_REALTIME; 0: not known. */
static uint64_t start_of(const struct event *e)
{
    uint64_t start_ns = e->cause.run.process->start_ns, ago_ns = e->boot_ns - start_ns;

    return !start_ns || !e->boot_ns || start_ns > e->boot_ns || ago_ns > e->time_ns ? 0 : e->time_ns - ago_ns;
}

uint64_t renewed_find(const struct renewed *r, const struct event *e)
{
    struct bytes path = renewed_program(e);
    const struct renewed_file *f;
    struct fingerprint file;

    if (!r->files || !path.len)
        return 0;
    file = key_of(e->cause.run.process->container, path);
    f = &r->files[file.number % RENEWED_MAX];
    if (!fingerprint_equal(f->file, file) || f->time_ns + RENEWED_NS < e->time_ns)
        return 0;
    return f->time_ns < start_of(e) ? f->time_ns : 0;
}

struct renewed_versions renewed_versions(const struct renewed *r, const struct event *e, uint64_t renewed_ns)
{
    struct bytes path = renewed_program(e), version = version_of(e);
    struct renewed_versions ret = { "", "" };
    const struct renewed_program *p;
    struct fingerprint file;

    if (!path.len || !version.len)
        return ret;
    set_version(ret.now, version);
    if (!r->programs)
        return ret;
    file = key_of(e->cause.run.process->container, path);
    p = &r->programs[file.number % RENEWED_MAX];
    if (!fingerprint_equal(p->file, file))
        return ret;
    if (!bytes_equal_str(version, p->versions.now)) {
        if (p->now_last_ns <= renewed_ns)
            memcpy(ret.before, p->versions.now, RENEWED_VERSION_MAX);
    } else if (p->before_last_ns <= renewed_ns && renewed_ns < p->now_first_ns) {
        memcpy(ret.before, p->versions.before, RENEWED_VERSION_MAX);
    } else if (p->now_first_ns <= renewed_ns) { /* no package's change, or the package manager has not said so yet */
        ret.now[0] = '\0';
    }
    return ret;
}

void renewed_done(struct renewed *r)
{
    free(r->files);
    free(r->programs);
    *r = (struct renewed){ 0 };
}
