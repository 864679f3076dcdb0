/* SPDX-License-Identifier: MIT */
/* Verdicts: who is accused, what is noise, what a filter leaves out. */
#include "test.h"
#include "case.h"

#include <limits.h>

#include "report/coverage.h"

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

/* A volume does not go with the layer: somebody had it removed. */
static void a_removed_volume_does(void **state)
{
    struct event *e = make_event(OPERATION_UNLINK, "/data/a", runc, web, T0);

    (void)state;
    e->victim_kind = VICTIM_VOLUME;
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
    case_add_life(c, &(struct lifecycle_event){ .kind = LIFECYCLE_DESTROY, .container = web });
    assert_int_equal(verdicts(), 1);
    says("deleted /data/a of container web");
    assert_null(strstr(sbuf_str(&text), "Nobody deleted"));
}

static void another_volume_accuses_nobody(void **state)
{
    (void)state;
    add(OPERATION_MKDIR, "/data", runc, 0, 0);
    assert_int_equal(case_add_explanation(c, EXPLANATION_MOUNTED, T0, 0, bytes_of("/var/lib/docker/volumes/x/_data")), 0);
    assert_int_equal(verdicts(), 1);
    says("VERDICT  Nobody deleted these files: the container was created anew and has something else there; what it had is in "
         "/var/lib/docker/volumes/x/_data on the host.");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_seen),
        TEST(later_names_the_store),
        TEST(one_agent_of_many_processes_is_one),
        TEST(another_launcher_is_another_culprit),
        TEST(the_worst_comes_first),
        TEST(a_removed_container_accuses_nobody),
        TEST(a_removed_volume_does),
        TEST(another_volume_accuses_nobody),
        TEST(set_up_of_the_container_is_noise),
        TEST(mounts_around_a_container_are_its_set_up),
        TEST(around_alone_is_no_culprit),
        TEST(a_runtimes_own_folder_is_its_set_up),
        TEST(noise_alone_is_what_happened),
        TEST(deletion_in_the_container_is_no_noise),
        TEST(own_temporary_files_are_no_deletion),
        TEST(a_name_is_one_file_at_a_time),
        TEST(own_command),
        TEST(what_a_filter_leaves_out_is_counted),
        TEST(who_is_left_out_is_not_named),
        TEST(only_so_many_verdicts),
        TEST(quiet_is_the_sentence_alone),
        TEST(what_is_not_seen_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
