/* SPDX-License-Identifier: MIT */
/* Verdicts: what was done, as what it is counted, in which words; and when. */
#include "test.h"
#include "case.h"

#include "cause/cause.h"
#include "event/agent.h"

/* ---- what ---- */

static void moved_then_deleted(void **state)
{
    (void)state;
    move("/prd/conf", "/prd/.trash/conf", agent, 1);
    add(OPERATION_UNLINK, "/prd/.trash/conf", agent, 2, 0);
    says("agent, on the host, deleted /prd/conf of container web (moved to /prd/.trash/conf first)");
    says_not("renamed");
    says_not("temporary");
}

static void moved_twice_by_two(void **state)
{
    (void)state;
    move("/prd/conf", "/prd/a", app, 1);
    move("/prd/a", "/prd/b", agent, 2);
    add(OPERATION_UNLINK, "/prd/b", agent, 3, 0);
    says("agent, on the host, deleted /prd/conf of container web (moved to /prd/b first)");
    says("app, in container web itself, renamed /prd/conf of container web to /prd/a");
}

static void moved_out_of_the_watch_is_gone(void **state)
{
    (void)state;
    move("/prd/conf", "/quarantine/1", agent, 1);
    move("/prd/kept", "/prd/kept2", app, 2);
    says("agent, on the host, moved /prd/conf of container web away to /quarantine/1");
    says("app, in container web itself, renamed /prd/kept of container web to /prd/kept2");
    move("/prdx/other", "/other", agent, 3); /* not of the watch, though it begins like it */
    says("moved /prd/conf of container web away to /quarantine/1 and renamed /prdx/other to /other");
}

static void moved_with_a_folder_above(void **state)
{
    for (unsigned came = 0; came < 2; came++) {
        struct event *e = make_event(OPERATION_RENAME, came ? "/prd" : "/gone", agent, web, 1);
        json_t *all;
        char *dumped;

        (void)state;
        event_set(e, &e->previous_path, bytes_of(came ? "/gone" : "/prd"));
        event_set(e, &e->carried, bytes_of("/prd/conf"));
        case_add_event(c, e);
        event_free(e);
        all = lines();
        dumped = json_dumps(all, JSON_COMPACT);
        assert_non_null(strstr(dumped, came ? "\"variant\":\"brought\"" : "\"variant\":\"carried\""));
        assert_null(strstr(dumped, "(null)"));
        free(dumped);
        json_decref(all);
    }
}

/* By fanotify alone: whoever saw the call would know. */
static void moved_out_of_view(void **state)
{
    (void)state;
    for (unsigned sensors = SENSOR_FANOTIFY; sensors; sensors = sensors == SENSOR_FANOTIFY ? SENSOR_FANOTIFY | SENSOR_AUDIT : 0) {
        struct event *e = make_event(OPERATION_RENAME, "", agent, web, 1);

        event_set(e, &e->previous_path, bytes_of("/prd/conf"));
        e->sensors = sensors;
        case_add_event(c, e);
        event_free(e);
        says(sensors == SENSOR_FANOTIFY ? "agent, on the host, moved /prd/conf of container web away (where to is not known), "
                                        : "renamed /prd/conf");
    }
}

static void saved_by_an_editor(void **state)
{
    struct process *vim = make_process(60, "/usr/bin/vim", process_ref(init));

    (void)state;
    add(OPERATION_CREATE, "/prd/a.swp", vim, 1, 0);
    add(OPERATION_WRITE, "/prd/a.swp", vim, 2, 0);
    move("/prd/a.swp", "/prd/a", vim, 3);
    add(OPERATION_REPLACE, "/prd/a", vim, 3, 0);
    says("vim, on the host, replaced /prd/a of container web (written new as a.swp, renamed over it)");
    says("folded    3 changes for writing the new files and putting them in the place of the old ones");
    process_unref(vim);
}

static void denied_attempts(void **state)
{
    struct agent product = { .quarantine = bytes_of("lsq"), .exclude = bytes_of("its console") };
    json_t *all;

    (void)state;
    agent->owner.agent = &product;
    for (unsigned i = 0; i < 4; i++)
        add(OPERATION_UNLINK, "/prd/conf", agent, i, EPERM);
    assert_int_equal(verdicts(), 1);
    says("agent, on the host, tried to delete /prd/conf of container web 4 times and was refused (EPERM)");
    says_not("deleted");
    says_not("4 files");
    says("exclude the path: its console");
    says_not("what it removed");
    add(OPERATION_UNLINK, "/prd/conf2", agent, 9, EPERM);
    says("tried to delete 2 files of container web (5 times in all)");
    all = lines();
    assert_int_equal(number(verdict_of(all, 0), "deleted"), 0);
    json_decref(all);
    assert_true(case_answered(c));
    add(OPERATION_UNLINK, "/prd/other", agent, 10, 0); /* a success is what counts, then */
    says("agent, on the host, deleted /prd/other of container web");
    says("refused (EPERM)");
    says("what it removed: lsq");
    agent->owner.agent = NULL;
}

/* An engine drops a container's own files; what is on a volume already, or is the engine's, is not to be put on one. */
static void a_volume_is_advised_for_a_layer(void **state)
{
    struct agent product = { .kind = bytes_of("container runtime"), .exclude = bytes_of("put the files on a volume") };
    static const enum victim_kind kinds[] = { VICTIM_CONTAINER, VICTIM_HOST, VICTIM_VOLUME };

    (void)state;
    agent->owner.agent = &product;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/prd/a", agent, kinds[i] == VICTIM_HOST ? NULL : web, T0);

        e->victim_kind = kinds[i];
        assert_int_equal(case_add_event(c, e), 0);
        event_free(e);
        assert_int_equal(verdicts(), 1);
        assert_int_equal(strstr(sbuf_str(&text), "put the files on a volume") != NULL, i == 0);
    }
    agent->owner.agent = NULL;
}

/* By whom it was refused is said where it was so each time. */
static void refused_by_guard(void **state)
{
    static const char *const paths[] = { "/prd/a", "/prd/b", "/prd/c" };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct event *e = make_event(OPERATION_UNLINK, paths[i], agent, web, T0 + i * NS_PER_MS);

        e->error = EPERM;
        e->sensors = SENSOR_BPF | SENSOR_GUARD;
        event_set(e, &e->watch_text, bytes_of("web:/prd"));
        assert_int_equal(case_add_event(c, e), 0);
        event_free(e);
    }
    says("agent, on the host, tried to delete 3 files of container web and was refused (by the guard)");
    add(OPERATION_UNLINK, "/prd/d", agent, 9, EPERM);
    says("tried to delete 4 files of container web and was refused (EPERM)");
}

/* Attempted, and the record of the outcome was lost. */
static void unknown_outcome_is_no_deed(void **state)
{
    json_t *all;

    (void)state;
    add(OPERATION_UNLINK, "/prd/conf", agent, 1, -1);
    says("tried to delete /prd/conf of container web (whether it did is not known)");
    says("outcome not known");
    says_not("deleted");
    all = lines();
    assert_int_equal(number(verdict_of(all, 0), "deleted"), 0);
    json_decref(all);
}

/* The same file a hundred times is one file. */
static void one_file_many_times(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        add(OPERATION_OPEN_WRITE, "/prd/log", agent, i, 0);
        add(OPERATION_WRITE, "/prd/log", agent, i, 0);
    }
    says("agent, on the host, wrote to /prd/log of container web");
    says("/prd/log opened for writing");
    says_not("100 files");
    add(OPERATION_WRITE, "/prd/log2", agent, 200, 0);
    says("wrote to 2 files");
    assert_int_equal(case_events(c), 201);
}

static void mode_that_lets_write(void **state)
{
    struct event *e = make_event(OPERATION_CHMOD, "/prd/conf", agent, web, T0);

    (void)state;
    e->before = (struct file_state){ .known = FILE_MODE, .mode = S_IFREG | 0444 };
    e->after = (struct file_state){ .known = FILE_MODE, .mode = S_IFREG | 0666 };
    case_add_event(c, e);
    event_free(e);
    says("made /prd/conf of container web writable");
    says("/prd/conf 0444 → 0666");
}

static void long_runs_are_folded_and_counted(void **state)
{
    json_t *all;
    json_t *action;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/prd/d%d/f%d", i % 7, i);
        add(OPERATION_UNLINK, path, agent, (unsigned)i, 0);
    }
    says("deleted 10000 files");
    assert_true(text.len < 2000);
    assert_int_equal(case_events(c), 10000);
    all = lines();
    action = json_array_get(json_object_get(verdict_of(all, 0), "actions"), 0);
    assert_int_equal(number(action, "count"), 10000);
    assert_int_equal(json_array_size(json_object_get(action, "paths")), LIMIT_CASE_SAMPLES);
    json_decref(all);
}

static void too_many_programs_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < LIMIT_CASE_GROUPS / 8 + 100; i++) {
        char path[64];
        struct process *p;

        snprintf(path, sizeof(path), "/bin/p%d", i);
        p = make_process(100 + i, path, process_ref(init));
        add(OPERATION_UNLINK, "/prd/a", p, (unsigned)i, 0);
        process_unref(p);
    }
    says("100 changes by more programs than a case can hold");
    assert_int_equal(case_events(c), LIMIT_CASE_GROUPS / 8 + 100);
    assert_int_equal(verdicts(), CASE_LIMIT);
    says("and 502 more causes with 502 changes: ");
}

/* ---- when ---- */

static void pattern_over_starts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/prd/a", agent, web, T0 + i * 3600 * NS_PER_S);
        struct lifecycle_event life = { .kind = LIFECYCLE_START, .container = web };

        e->since_start_known = true;
        e->since_start_ns = (int64_t)((900 + 200 * i) * NS_PER_MS);
        case_add_event(c, e);
        case_add_life(c, &life);
        event_free(e);
    }
    says("after each of web's last 3 starts, 0.9 to 1.3 s after the start.");
    case_add_life(c, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = web });
    says("after 3 of web's last 4 starts");
}

/* Starts of two containers are not one container's. */
static void starts_of_several(void **state)
{
    struct container *db = make_container("fedcba9876543210", "db");

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/prd/a", agent, i % 2 ? db : web, T0 + i * 3600 * NS_PER_S);

        e->since_start_known = true;
        e->since_start_ns = (int64_t)NS_PER_S;
        case_add_event(c, e);
        event_free(e);
    }
    says("4 times, about every hour");
    says_not(" starts, ");
    container_unref(db);
}

/* `docker run --rm` by cron: the container has another name each time, and it is one matter with a rhythm. */
static void one_off_containers(void **state)
{
    static const char *const names[] = { "brave_bell", "sad_noether", "zen_curie" };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        struct container *box = make_container(names[i], names[i]);
        struct process *first = make_process((pid_t)(200 + i), "/bin/rm", process_ref(runc));
        struct event *e = make_event(OPERATION_UNLINK, "/srv/a", first, NULL, T0 + i * 3600 * NS_PER_S);

        container_set(box, &box->image_name, bytes_of("shop:1.4"));
        box->pid = first->pid;
        first->origin = ORIGIN_CONTAINER;
        first->container = container_ref(box);
        process_set(first, &first->args, BYTES("rm\0-f\0/srv/a\0"));
        first->launch.kind = LAUNCH_START;
        process_set(first, &first->launch.text, BYTES("docker\0run\0--rm\0shop:1.4\0"));
        process_set(first, &first->launch.place, bytes_of("/opt/clean.sh"));
        cause_remember(e);
        case_add_event(c, e);
        event_free(e);
        process_unref(first);
        container_unref(box);
    }
    assert_int_equal(verdicts(), 1);
    says("VERDICT  The entry point of a container of image shop:1.4 (rm), started by /opt/clean.sh with docker run, deleted /srv/a, 3 times, about "
         "every hour");
    says("who       rm -f /srv/a (the first of 3 runs) · entry point of container brave_bell (rm)");
}

/* What was known of the name was freed while it was still needed. */
static void renamed_onto_itself(void **state)
{
    (void)state;
    move("/prd/a", "/prd/b", agent, 1);
    move("/prd/b", "/prd/b", agent, 2);
    add(OPERATION_UNLINK, "/prd/b", agent, 3, 0);
    assert_non_null(strstr(written(), "/prd/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(moved_then_deleted),
        TEST(renamed_onto_itself),
        TEST(moved_twice_by_two),
        TEST(moved_out_of_the_watch_is_gone),
        TEST(moved_out_of_view),
        TEST(moved_with_a_folder_above),
        TEST(saved_by_an_editor),
        TEST(denied_attempts),
        TEST(a_volume_is_advised_for_a_layer),
        TEST(refused_by_guard),
        TEST(unknown_outcome_is_no_deed),
        TEST(one_file_many_times),
        TEST(mode_that_lets_write),
        TEST(long_runs_are_folded_and_counted),
        TEST(too_many_programs_are_counted),
        TEST(pattern_over_starts),
        TEST(starts_of_several),
        TEST(one_off_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
