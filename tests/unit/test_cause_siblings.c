/* SPDX-License-Identifier: MIT */
/* Which processes are siblings, so that the cause of one is taken for the other. */
#include "test.h"
#include "cause_chain.h"

/* A script's sibling leads tools, and what is taken from one of them still has its memory once all others are gone. */
static void tools_of_siblings(void **state)
{
    const struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh|1", .tty = "pts/3", .user = "ann" } };
    struct event *first = find(steps), *second, *third, *fourth;
    struct process *p = make_sibling(first->actor.process), *rm, *again;

    (void)state;
    set_args(p, "bash|/opt/a.sh|2");
    second = event_of(p);
    assert_true(cause_suits_siblings(first));
    assert_true(cause_of_sibling(second, first->actor.process, &first->cause));
    assert_true(cause_suits_tools(second));
    event_free(first);
    rm = make_sibling(p);
    process_unref(rm->parent);
    rm->parent = process_ref(p);
    process_set(rm, &rm->executable, bytes_of("/usr/bin/rm"));
    set_args(rm, "rm|x");
    third = event_of(rm);
    assert_true(cause_of_launcher(third, &second->cause));
    event_free(second);
    again = make_sibling(rm);
    fourth = event_of(again);
    assert_true(cause_of_sibling(fourth, rm, &third->cause));
    event_free(third);
    process_unref(p);
    process_unref(rm);
    process_unref(again);
    assert_bytes(fourth->cause.run.name, "/opt/a.sh");
    assert_bytes(fourth->cause.tool, "rm");
    assert_bytes(fourth->cause.run.interpreter, "bash");
    assert_int_equal(fourth->cause.launcher.kind, LAUNCHER_PERSON);
    event_free(fourth);
}

static const char *const other_args[] = { "bash|/opt/b.sh|1", "bash|/opt/a.sh.x", "bash|-c|/opt/a.sh", "bash|-x|/opt/a.sh|1", "bash", "bash|/opt/a" };

static void distinguishes_scripts(void **state)
{
    const struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh|1", .tty = "pts/3", .user = "ann" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(other_args) + 2; i++) {
        struct event *first = find(steps), *next;
        struct process *p = make_sibling(first->actor.process);

        if (i < ARRAY_SIZE(other_args))
            set_args(p, other_args[i]);
        else if (i == ARRAY_SIZE(other_args))
            process_set(p, &p->working_directory, bytes_of("/elsewhere"));
        next = event_of(p);
        assert_true(cause_suits_siblings(first));
        assert_int_equal(cause_of_sibling(next, first->actor.process, &first->cause), i > ARRAY_SIZE(other_args));
        event_free(first);
        event_free(next);
        process_unref(p);
    }
}

static void other_user(struct process *p)
{
    p->cred.uid = 1002;
}

static void other_login(struct process *p)
{
    p->login_uid = 1003;
}

static void other_terminal(struct process *p)
{
    process_set(p, &p->tty, bytes_of("pts/9"));
}

static void other_program(struct process *p)
{
    process_set(p, &p->executable, bytes_of("/usr/local/bin/rm"));
}

static void other_name(struct process *p)
{
    set_args(p, "sh|/opt/innocent.sh");
}

static void script_of_its_own(struct process *p)
{
    process_set(p, &p->script, bytes_of("/opt/b.sh"));
}

static void exec_before(struct process *p)
{
    p->earlier = make_process(p->pid, "/usr/bin/env", process_ref(p->parent));
}

static void other_unit(struct process *p)
{
    process_set(p, &p->owner.unit, bytes_of("other.service"));
}

static void in_container(struct process *p)
{
    p->container = container_ref(web);
    p->origin = ORIGIN_CONTAINER;
}

static void other_parent(struct process *p)
{
    process_unref(p->parent);
    p->parent = make_process(77, "/usr/bin/bash", NULL);
}

static void launched(struct process *p)
{
    p->launch.kind = LAUNCH_CRONTAB;
}

static const struct difference {
    const char *name;
    void (*make)(struct process *p);
} differences[] = {
    { "another user", other_user },       { "another login", other_login },     { "another terminal", other_terminal },
    { "another program", other_program }, { "another name", other_name },       { "a script of its own", script_of_its_own },
    { "an exec before", exec_before },    { "another unit", other_unit },       { "in a container", in_container },
    { "another parent", other_parent },   { "launched by itself", launched },
};

static void distinguishes_siblings(void **state)
{
    const struct difference *d = *state;
    const struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh", .tty = "pts/3", .user = "ann" }, RM };
    struct event *first = find(steps), *next;
    struct process *p = make_sibling(first->actor.process);

    next = make_event(OPERATION_UNLINK, "/srv/y", p, NULL, 1);
    assert_true(cause_suits_siblings(first));
    assert_true(cause_of_sibling(next, first->actor.process, &first->cause));
    event_free(next);
    d->make(p);
    next = make_event(OPERATION_UNLINK, "/srv/y", p, NULL, 1);
    assert_false(cause_of_sibling(next, first->actor.process, &first->cause));
    event_free(next);
    event_free(first);
    process_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_of_siblings),
        cmocka_unit_test(distinguishes_scripts),
    };
    int failed;

    web = make_container("67ba10172723", "web");
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(differences, distinguishes_siblings);
    container_unref(web);
    return failed;
}
