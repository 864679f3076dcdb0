/* SPDX-License-Identifier: MIT */
/* Verdicts: who is accused, of how much, what is folded. */
#include "event/agent.h"
#include "report/coverage.h"
#include "test.h"

#include <limits.h>

#include "case.h"

/* ---- who ---- */

static void nothing_seen(void **state)
{
    json_t *all;

    (void)state;
    assert_false(case_answered(c));
    assert_int_equal(case_events(c), 0);
    says("culprit: nothing happened to web:/prd");
    says_not("VERDICT");
    case_add_coverage(c, &(struct coverage){ .sensors = SENSOR_AUDIT | SENSOR_BPF, .from_ns = T0, .to_ns = T0 + 1 });
    says("(audit + bpf; nothing lost)");
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_array_get(all, 0), "event"), "action")),
                        "no-culprit");
    json_decref(all);
}

/* What is advised must work: `who` asks the store that was written to, if any was. */
static void later_names_the_store(void **state)
{
    struct case_options options = { .target = bytes_of("web:/prd"), .command_status = -1 };

    (void)state;
    add(OPERATION_UNLINK, "/prd/f", agent, 0, 0);
    says("later     culprit who web:/prd");
    case_free(c);
    options.store = bytes_of("/tmp/my store.db");
    c = case_new(&options);
    add(OPERATION_UNLINK, "/prd/f", agent, 0, 0);
    says("later     culprit who --store '/tmp/my store.db' web:/prd");
    case_free(c);
    options.not_recorded = true;
    c = case_new(&options);
    add(OPERATION_UNLINK, "/prd/f", agent, 0, 0);
    says_not("later ");
}

static void one_agent_of_many_processes_is_one(void **state)
{
    struct process *forks[3];
    json_t *all;

    (void)state;
    for (int i = 0; i < 3; i++)
        forks[i] = make_process(100 + i, "/opt/x/agent", process_ref(init));
    for (int i = 0; i < 30; i++) { /* they take turns */
        char path[64];

        snprintf(path, sizeof(path), "/prd/conf/f%d", i);
        add(OPERATION_UNLINK, path, forks[i % 3], (unsigned)i, 0);
    }
    assert_int_equal(verdicts(), 1);
    says("VERDICT  agent, on the host, deleted 30 files of container web");
    says("30 files deleted in /prd/conf");
    says("3 processes, the first pid 100");
    assert_true(case_answered(c));
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(number(verdict_of(all, 0), "deleted"), 30);
    assert_int_equal(number(verdict_of(all, 0), "processes"), 3);
    json_decref(all);
    for (int i = 0; i < 3; i++)
        process_unref(forks[i]);
}

static void another_launcher_is_another_culprit(void **state)
{
    struct process *cron = make_process(40, "/usr/sbin/cron", process_ref(init));
    struct process *by_cron = make_process(41, "/opt/x/agent", process_ref(cron));

    (void)state;
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    add(OPERATION_UNLINK, "/prd/b", by_cron, 2, 0);
    assert_int_equal(verdicts(), 2);
    process_unref(by_cron);
    process_unref(cron);
}

static void the_worst_comes_first(void **state)
{
    struct process *writer = make_process(50, "/bin/writer", process_ref(init));
    struct process *moder = make_process(51, "/bin/moder", process_ref(init));
    const char *deleted, *changed, *wrote;

    (void)state;
    add(OPERATION_WRITE, "/prd/a", writer, 1, 0);
    add(OPERATION_CHMOD, "/prd/a", moder, 2, 0);
    add(OPERATION_UNLINK, "/prd/a", agent, 3, 0);
    assert_int_equal(verdicts(), 3);
    deleted = strstr(sbuf_str(&text), "VERDICT  agent");
    changed = strstr(sbuf_str(&text), "VERDICT  moder");
    wrote = strstr(sbuf_str(&text), "VERDICT  writer");
    assert_true(deleted && changed && wrote && deleted < changed && changed < wrote);
    says("wrote to /prd/a of container web");
    process_unref(writer);
    process_unref(moder);
}

/* ---- noise ---- */

/* From the record alone: its engine took the layer of a container that was removed. */
static void a_removed_container_accuses_nobody(void **state)
{
    (void)state;
    add(OPERATION_UNLINK, "/prd/a", runc, 0, 0);
    case_add_life(c, &(struct lifecycle_event){ .kind = LIFECYCLE_DESTROY, .container = web });
    assert_int_equal(verdicts(), 1);
    says("Nobody deleted these files by themselves: container web was removed");
    add(OPERATION_UNLINK, "/prd/b", agent, 1, 0);
    assert_int_equal(verdicts(), 1);
    says("VERDICT  agent, on the host, deleted /prd/b of container web");
}

static void set_up_of_the_container_is_noise(void **state)
{
    json_t *all;

    (void)state;
    for (int i = 0; i < 50; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/prd/log%d", i);
        add(OPERATION_CREATE, path, app, (unsigned)i, 0);
        add(OPERATION_WRITE, path, app, (unsigned)i, 0);
    }
    add(OPERATION_MKDIR, "/prd/dev", runc, 0, 0);
    add(OPERATION_UNLINK, "/prd/x", app, 60, EACCES);
    add(OPERATION_UNLINK, "/prd/conf", agent, 70, 0);
    assert_int_equal(verdicts(), 1);
    says("VERDICT  agent, on the host, deleted /prd/conf of container web");
    says("runc");
    says(": 101 changes of new files of their own, none of them a deletion; 1 more attempt was refused");
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(
        number(json_object_get(json_object_get(json_array_get(all, 0), "culprit"), "noise"), "changes"), 101);
    json_decref(all);
}

/* podman mounts its storage, runc the root over itself: on the host, where the container does not see it. */
static void mounts_around_a_container_are_its_set_up(void **state)
{
    (void)state;
    add(OPERATION_UNMOUNT, "/var/lib/containers/storage/overlay", runc, 0, 0);
    add(OPERATION_MOUNT, "/run/web/rootfs", app, 1, 0);
    add(OPERATION_UNLINK, "/prd/conf", agent, 70, 0);
    assert_int_equal(verdicts(), 1);
    says("VERDICT  agent, on the host, deleted /prd/conf");
    add(OPERATION_MOUNT, "/prd/over", app, 80, 0); /* what it sees is none */
    assert_int_equal(verdicts(), 2);
    says("app, in container web itself, mounted over /prd/over");
}

/* Nothing that the container sees has changed, though something was recorded. */
static void around_alone_is_no_culprit(void **state)
{
    (void)state;
    add(OPERATION_UNMOUNT, "/run/web/rootfs", runc, 0, 0);
    assert_int_equal(verdicts(), 0);
    says("nothing happened to web:/prd");
    says_not("runc");
    add(OPERATION_MKDIR, "/prd/dev", runc, 1, 0);
    assert_int_equal(verdicts(), 1);
    says("created the directory /prd/dev");
}

static void rename_on_the_host(const char *from, const char *to, struct process *who, const char *watch, unsigned ms)
{
    struct event *e = make_event(OPERATION_RENAME, to, who, web, T0 + ms * NS_PER_MS);

    event_set(e, &e->host_path, bytes_of(to));
    event_set(e, &e->previous_path, bytes_of(from));
    event_set(e, &e->previous_host_path, bytes_of(from));
    event_set(e, &e->watch_text, bytes_of(watch));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

/* containerd gives a task's folder another name before it removes it, the container's root in it. */
static void a_runtimes_own_folder_is_its_set_up(void **state)
{
    (void)state;
    rename_on_the_host("/run/task/web", "/run/task/.web", runc, "web:/prd", 0);
    rename_on_the_host("/run/task/web", "/run/task/.web", runc, "web:/", 1);
    add(OPERATION_UNLINK, "/prd/conf", agent, 70, 0);
    assert_int_equal(verdicts(), 1);
    says("VERDICT  agent, on the host, deleted /prd/conf");
    says_not("runc");
    /* not by whoever else moves it, nor what the container sees */
    rename_on_the_host("/run/task/web", "/srv/web", agent, "web:/prd", 80);
    says("and renamed /run/task/web to /srv/web");
    rename_on_the_host("/prd/a", "/prd/b", runc, "web:/prd", 90);
    assert_int_equal(verdicts(), 2);
}

static void noise_alone_is_what_happened(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/prd/a", app, 1, 0);
    assert_int_equal(verdicts(), 1);
    says("app, in container web itself, created /prd/a");
    says_not("of their own");
}

static void deletion_in_the_container_is_no_noise(void **state)
{
    (void)state;
    add(OPERATION_UNLINK, "/prd/old", app, 1, 0);
    add(OPERATION_WRITE, "/prd/x", agent, 2, 0);
    assert_int_equal(verdicts(), 2);
    says("VERDICT  app, in container web itself, deleted /prd/old");
}

static void own_temporary_files_are_no_deletion(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        add(OPERATION_CREATE, "/prd/.tmp", app, (unsigned)i * 2, 0);
        add(OPERATION_UNLINK, "/prd/.tmp", app, (unsigned)i * 2 + 1, 0);
    }
    add(OPERATION_UNLINK, "/prd/a", agent, 20, 0);
    assert_int_equal(verdicts(), 1);
    says("VERDICT  agent");
    says("app: 10 changes of new files of their own, none of them a deletion");
    /* what somebody else had made is a loss */
    add(OPERATION_CREATE, "/prd/made", app, 30, 0);
    add(OPERATION_UNLINK, "/prd/made", agent, 31, 0);
    says("agent, on the host, deleted 2 files of container web");
}

/* The name was made, deleted, made by another and deleted: the second was not its own. */
static void a_name_is_one_file_at_a_time(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/prd/x", agent, 1, 0);
    add(OPERATION_UNLINK, "/prd/x", agent, 2, 0);
    add(OPERATION_CREATE, "/prd/x", app, 3, 0);
    add(OPERATION_UNLINK, "/prd/x", agent, 4, 0);
    says("agent, on the host, deleted /prd/x of container web");
    says("folded    2 changes about temporary files of its own");
}

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
    says("folded    3 changes for writing the new files and renaming them over the old ones");
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

static void own_command(void **state)
{
    struct process *shell = make_process(70, "/bin/sh", process_ref(init));
    struct process *rm = make_process(71, "/bin/rm", process_ref(shell));

    (void)state;
    case_free(c);
    c = case_new(&(struct case_options){ .target = bytes_of("web:/prd"), .command = bytes_of("sh -c 'rm \x1b[2J'"),
                                         .command_status = -1 });
    case_set_command(c, 70, shell->start_ns);
    add(OPERATION_UNLINK, "/prd/a", rm, 1, 0);
    add(OPERATION_CREATE, "/prd/b", shell, 1, 0);
    says(": did not end");
    case_set_command_status(c, 137, 1500000000);
    says("sh -c 'rm \\x1b[2J': exit 137 after 1.5 s");
    says("Your own command's rm, on the host, deleted /prd/a");
    assert_int_equal(verdicts(), 1); /* what it only created is noise */
    process_unref(rm);
    process_unref(shell);
}

/* "nothing happened" would be a lie where only the filter saw nothing. */
static void what_a_filter_leaves_out_is_counted(void **state)
{
    json_t *all;

    (void)state;
    case_leave_out(c, FILTER_OTHER, 12);
    assert_false(case_answered(c));
    says("culprit: nothing that matches the filters happened to web:/prd (12 events did not match the filters)");
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    case_leave_out(c, FILTER_ALLOWED, 1);
    says("12 more events did not match the filters");
    says("1 change to what --allow permits");
    all = lines();
    assert_int_equal(number(json_object_get(json_array_get(all, 0), "culprit"), "filtered"), 12);
    assert_int_equal(number(json_object_get(json_array_get(all, 0), "culprit"), "allowed"), 1);
    json_decref(all);
}

/* One cause, two processes: whoever did what is not asked for is not accused of the rest. */
static void who_is_left_out_is_not_named(void **state)
{
    struct process *first = make_process(100, "/opt/x/agent", process_ref(init));
    struct process *second = make_process(101, "/opt/x/agent", process_ref(init));
    struct event *e = make_event(OPERATION_UNLINK, "/prd/a", first, web, T0);

    (void)state;
    case_leave_out_event(c, FILTER_OTHER, e);
    add(OPERATION_CHMOD, "/prd/b", second, 1000, 0);
    assert_int_equal(verdicts(), 1);
    says("pid 101");
    says_not("pid 100");
    event_free(e);
    process_unref(first);
    process_unref(second);
}

static void only_so_many_verdicts(void **state)
{
    struct case_options options = { .target = bytes_of("/prd"), .command_status = -1, .limit = 2, .not_recorded = true };
    struct process *others[5];

    (void)state;
    case_free(c);
    c = case_new(&options);
    for (int i = 0; i < 5; i++) {
        char name[32];

        snprintf(name, sizeof(name), "/opt/agent%d", i);
        others[i] = make_process(100 + i, name, process_ref(init));
        add(OPERATION_UNLINK, "/prd/a", others[i], (unsigned)i, 0);
    }
    assert_int_equal(verdicts(), 2);
    says("and 3 more causes with 3 changes: --limit 0 would have shown all");
    case_free(c);
    options.limit = UINT_MAX;
    c = case_new(&options);
    for (int i = 0; i < 5; i++)
        add(OPERATION_UNLINK, "/prd/a", others[i], (unsigned)i, 0);
    assert_int_equal(verdicts(), 5);
    says_not("more cause");
    for (int i = 0; i < 5; i++)
        process_unref(others[i]);
}

static void quiet_is_the_sentence_alone(void **state)
{
    struct case_options options = { .target = bytes_of("/prd"), .command_status = -1, .quiet = true };

    (void)state;
    case_free(c);
    c = case_new(&options);
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    assert_int_equal(verdicts(), 1);
    assert_ptr_equal(strchr(sbuf_str(&text), '\n'), sbuf_str(&text) + text.len - 1);
    case_add_gap(c, &(struct gap){ .count = 3 });
    says("3 lost: the verdict may be incomplete");
}

static void what_is_not_seen_is_short(void **state)
{
    struct case_options options = { .target = bytes_of("/prd"), .command_status = -1, .verbose = true };
    struct coverage coverage = { .sensors = SENSOR_FANOTIFY, .from_ns = T0, .not_seen = bytes_of("mounts, refused attempts") };

    (void)state;
    case_add_coverage(c, &coverage);
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    says("2 kinds of change are not seen (--verbose, or culprit doctor)");
    case_free(c);
    c = case_new(&options);
    case_add_coverage(c, &coverage);
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    says("not seen: mounts, refused attempts");
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
        TEST(nothing_seen),
        TEST(later_names_the_store),
        TEST(one_agent_of_many_processes_is_one),
        TEST(another_launcher_is_another_culprit),
        TEST(the_worst_comes_first),
        TEST(a_removed_container_accuses_nobody),
        TEST(set_up_of_the_container_is_noise),
        TEST(mounts_around_a_container_are_its_set_up),
        TEST(around_alone_is_no_culprit),
        TEST(a_runtimes_own_folder_is_its_set_up),
        TEST(noise_alone_is_what_happened),
        TEST(deletion_in_the_container_is_no_noise),
        TEST(own_temporary_files_are_no_deletion),
        TEST(a_name_is_one_file_at_a_time),
        TEST(moved_then_deleted),
        TEST(renamed_onto_itself),
        TEST(moved_twice_by_two),
        TEST(moved_out_of_the_watch_is_gone),
        TEST(moved_out_of_view),
        TEST(moved_with_a_folder_above),
        TEST(saved_by_an_editor),
        TEST(denied_attempts),
        TEST(unknown_outcome_is_no_deed),
        TEST(one_file_many_times),
        TEST(mode_that_lets_write),
        TEST(long_runs_are_folded_and_counted),
        TEST(too_many_programs_are_counted),
        TEST(pattern_over_starts),
        TEST(own_command),
        TEST(what_a_filter_leaves_out_is_counted),
        TEST(who_is_left_out_is_not_named),
        TEST(only_so_many_verdicts),
        TEST(quiet_is_the_sentence_alone),
        TEST(what_is_not_seen_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
