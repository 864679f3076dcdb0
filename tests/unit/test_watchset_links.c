/* SPDX-License-Identifier: MIT */
/* A link on the way leads elsewhere: was something missed there before it was watched? On real directories, with the kernel's own times. */
#include "test.h"
#include "watch_play.h"

#include <stdlib.h>

#include "watch/led.h"

static const struct row {
    const char *name;
    const char *before, *does, *after; /* in the directory that has `current`, which leads to old: long before, the change, and then */
    enum operation operation;
    unsigned events; /* of the change */
    bool late;       /* its event is older than the link is */
    bool missed;
    bool cut;        /* its event is of audit, dated in whole milliseconds */
    enum { BY_ONE, BY_BOTH, FIRST_FUSED } seen; /* each by fanotify and by audit; the first by both as one event, the others by fanotify alone */
    bool set_back;   /* the clock, since another change of it was reported */
} rows[] = {
    { "nothing happened there", "mkdir new; : > new/f", "ln -sfn new current", "", OPERATION_RENAME, 1, false, false },
    { "nothing, and the link was removed first", "mkdir new; : > new/f; rm current", "ln -s new current", "", OPERATION_SYMLINK, 1, false, false },
    { "nothing, and audit told it", "mkdir new; : > new/f", "ln -sfn new current", "", OPERATION_RENAME, 1, false, false, true },
    { "nothing, and two sensors saw it", "mkdir new; : > new/f", "ln -sfn new current", "", OPERATION_RENAME, 1, false, false, false, BY_BOTH },
    { "it was changed twice, and two sensors saw it", "mkdir new", "ln -sfn new current", "", OPERATION_RENAME, 2, false, true, false, BY_BOTH },
    { "it was changed twice, and once both saw it", "mkdir new", "ln -sfn new current", "", OPERATION_RENAME, 2, false, true, false, FIRST_FUSED },
    { "it leads to a file", "echo > one", "ln -sfn one current", "", OPERATION_RENAME, 1, false, false },
    { "it leads nowhere", "", "rm current", "", OPERATION_UNLINK, 1, false, false },
    { "back to where it led", "", "ln -sfn old current", "echo > old/f", OPERATION_RENAME, 1, false, false },
    { "a file was written to", "mkdir new; : > new/f", "ln -sfn new current", "echo >> new/f", OPERATION_RENAME, 1, false, true },
    { "a file was written to, deep in it", "mkdir -p new/a/b; : > new/a/b/f", "ln -sfn new current", "echo >> new/a/b/f", OPERATION_RENAME, 1, false, true },
    { "a file was deleted", "mkdir new; : > new/f", "ln -sfn new current", "rm new/f", OPERATION_RENAME, 1, false, true },
    { "a file was moved in", "mkdir new; : > f", "ln -sfn new current", "mv f new/f", OPERATION_RENAME, 1, false, true },
    { "a mode was changed", "mkdir new; : > new/f", "ln -sfn new current", "chmod 600 new/f", OPERATION_RENAME, 1, false, true },
    { "it was changed twice", "mkdir new", "ln -sfn new current", "", OPERATION_RENAME, 2, false, true },
    { "it was changed again, and that has not been told", "mkdir new", "ln -sfn new current", "", OPERATION_RENAME, 1, true, true },
    { "likewise, after the clock was set back", "mkdir new", "ln -sfn new current", "", OPERATION_RENAME, 1, true, true, .set_back = true },
};

static void shell(const char *text)
{
    char command[512];

    snprintf(command, sizeof(command), "cd %s && { :; %s%s }", upper, text, *text ? ";" : "");
    assert_int_equal(system(command), 0);
}

static struct timespec changed_at(const char *name)
{
    char path[256];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", upper, name);
    assert_int_equal(lstat(path, &st), 0);
    return st.st_ctim;
}

/* What is changed from here on is younger than what was: the kernel's clock of files has steps. */
static void pass_a_step(void)
{
    struct timespec first;

    shell("rm -f probe; : > probe");
    first = changed_at("probe");
    do
        shell("rm -f probe; : > probe");
    while (clock_of(changed_at("probe")) == clock_of(first));
}

static uint32_t link_object(void)
{
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id && strcmp(strrchr(seen.paths[i], '/'), "/current") == 0)
            return seen.objects[i].id;
    fail_msg("the link is not watched");
    return 0;
}

static void report(const char *path, uint32_t object, uint64_t time_ns)
{
    struct event *e = make_event(OPERATION_RENAME, path, NULL, NULL, time_ns);
    uint64_t from_ns;

    e->object = object;
    e->sensors = SENSOR_FANOTIFY;
    assert_true(watchset_event(set, e));
    event_free(e);
    (void)watchset_poll_links(set, &from_ns);
}

static void links(void **state)
{
    const struct row *row = *state;
    uint64_t from_ns = 0, link_ns = 0, before_ns;
    char path[256];
    uint32_t object;

    shell("rm -rf old new one f current; mkdir old; ln -s old current");
    snprintf(path, sizeof(path), "%s/current", upper);
    assert_int_equal(watch(path, NULL), 0);
    object = link_object();
    if (row->set_back)
        report(path, object, clock_ns(CLOCK_REALTIME) + 24 * 3600 * NS_PER_S);
    shell(row->before);
    pass_a_step();
    before_ns = clock_ns(CLOCK_REALTIME);
    pass_a_step();
    shell(row->does);
    if (row->operation != OPERATION_UNLINK)
        link_ns = clock_of(changed_at("current"));
    shell(row->after);
    for (unsigned i = 0; i < (row->seen == BY_BOTH ? 2 : 1) * row->events; i++) {
        struct event *e = make_event(row->operation, path, NULL, NULL, row->late ? before_ns : clock_ns(CLOCK_REALTIME));

        e->object = object;
        e->sensors = SENSOR_FANOTIFY;
        if (row->seen == FIRST_FUSED && i == 0)
            e->sensors |= SENSOR_AUDIT;
        if (row->cut || (row->seen == BY_BOTH && i % 2)) {
            e->sensors = SENSOR_AUDIT;
            e->time_ns = link_ns / NS_PER_MS * NS_PER_MS;
        }
        assert_true(watchset_event(set, e));
        event_free(e);
    }
    assert_true(watchset_leads_elsewhere(set));
    assert_int_equal(watchset_poll_links(set, &from_ns), row->missed);
    assert_false(watchset_leads_elsewhere(set));
    if (row->missed)
        assert_int_equal(from_ns, link_ns);
    assert_false(watchset_poll_links(set, &from_ns)); /* once */
    shell("rm -rf old new one f current probe");
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(rows)];
    int failed;

    if (!mkdtemp(base))
        return 99;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        tests[i] = (struct CMUnitTest){ rows[i].name, links, set_up, tear_down, (void *)(uintptr_t)&rows[i] };
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    end_play();
    return rmdir(base) < 0 ? 98 : failed;
}
