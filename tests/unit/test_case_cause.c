/* SPDX-License-Identifier: MIT */
/* Verdicts: whom they name, by the cause of the events. */
#include "test.h"
#include "case_people.h"
#include "event/agent.h"

static void by_cause(void **state)
{
    struct process *tools[2] = { make_process(50, "/bin/rm", process_ref(init)), make_process(51, "/bin/mv", process_ref(init)) };
    struct event *e;
    json_t *all, *cause;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char path[16];

        snprintf(path, sizeof(path), "/srv/%u", i);
        e = make_event(i == 3 ? R : D, path, tools[i == 3], NULL, T0 + i * NS_PER_MS);
        event_set(e, &e->previous_path, bytes_of("/srv/old"));
        set_cause(e, RUN_SCRIPT, "/opt/jobs/purge-logs", LAUNCHER_CRON, "bob", i == 3 ? "mv" : "rm");
        e->cause.run.args = BYTES("sh\0/opt/jobs/purge-logs\0--older 3\0");
        e->cause.launcher.detail = bytes_of("8 3 * * * /opt/jobs/purge-logs");
        case_add_event(c, e);
        event_free(e);
    }
    assert_int_equal(verdicts(), 1);
    says("VERDICT  /opt/jobs/purge-logs, a cron job of bob, on the host, deleted 3 files in /srv and renamed /srv/old to /srv/3 "
         "with rm and mv, at 02:45:35 on Tue 24 Nov.");
    says("who       sh /opt/jobs/purge-logs '--older 3' · cron of bob (8 3 * * * /opt/jobs/purge-logs)");
    says("tools     rm (1 process) · mv (1 process)");
    says("next      its job: crontab -l -u bob");
    all = lines();
    cause = json_object_get(json_object_get(json_array_get(all, 0), "culprit"), "cause");
    assert_string_equal(json_string_value(json_object_get(cause, "kind")), "script");
    assert_string_equal(json_string_value(json_object_get(cause, "command_line")), "sh /opt/jobs/purge-logs --older 3");
    assert_string_equal(json_string_value(json_object_get(json_object_get(cause, "launcher"), "kind")), "cron");
    json_decref(all);
    process_unref(tools[0]);
    process_unref(tools[1]);
}

static void by_a_person(void **state)
{
    struct event *e = make_event(D, "/etc/app.conf", agent, NULL, T0);
    json_t *all, *who;

    (void)state;
    set_cause(e, RUN_COMMAND, "/usr/bin/rm", LAUNCHER_PERSON, "ann", NULL);
    e->cause.run.args = BYTES("sudo\0rm\0-f\0/etc/app.conf\0");
    e->cause.run.directory = bytes_of("/home/ann");
    person_of(e);
    e->actor.login_uid = 1000;
    case_add_event(c, e);
    event_free(e);
    says("VERDICT  ann, as root by sudo, at pts/3 from 10.0.0.7, deleted /etc/app.conf: sudo rm -f /etc/app.conf, in /home/ann, "
         "at 02:45:35 on Tue 24 Nov.");
    says("person    ann, as root by sudo, at pts/3 from 10.0.0.7 (login uid 1000)");
    all = lines();
    who = json_object_get(json_object_get(json_array_get(all, 0), "culprit"), "person");
    assert_string_equal(json_string_value(json_object_get(who, "remote")), "10.0.0.7");
    assert_string_equal(json_string_value(json_object_get(who, "by")), "sudo");
    json_decref(all);
}

/* "puppet, run by ann, ..., as ann" would say it twice; in a container that number may be somebody else. */
static void by_the_user_who_asked(void **state)
{
    struct event *e = make_event(D, "/srv/a", agent, NULL, T0);

    (void)state;
    set_cause(e, RUN_SCRIPT, "/usr/bin/puppet", LAUNCHER_CONFIGURATION, "Puppet", NULL);
    person_of(e);
    e->cause.person.as_id = e->cause.person.id;
    e->actor.cred = (struct credentials){ .known = true, .uid = e->cause.person.id, .euid = e->cause.person.id };
    case_add_event(c, e);
    event_free(e);
    says("run by ann, at pts/3 from 10.0.0.7, deleted /srv/a, at");
}

static struct event *typed(const char *path, struct bytes args, struct process *run, unsigned ms)
{
    struct event *e = make_event(D, path, run, NULL, T0 + ms * NS_PER_MS);

    set_cause(e, RUN_COMMAND, "/usr/bin/rm", LAUNCHER_PERSON, "ann", NULL);
    e->cause.run.args = args;
    person_of(e);
    return e;
}

/* What the first of several runs was given did not do all that is counted. */
static void by_several_command_lines(void **state)
{
    struct process *runs[3] = { make_process(50, "/usr/bin/rm", process_ref(init)), make_process(51, "/usr/bin/rm", process_ref(init)),
                                make_process(52, "/usr/bin/rm", process_ref(init)) };
    struct event *same[2] = { typed("/srv/a", BYTES("rm\0-f\0/srv/a\0"), runs[0], 0), typed("/srv/a", BYTES("rm\0-f\0/srv/a\0"), runs[1], 10) };
    struct event *another = typed("/srv/b", BYTES("rm\0-f\0/srv/b\0"), runs[2], 20);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        case_add_event(c, same[i]);
        event_free(same[i]);
    }
    says("deleted /srv/a twice: rm -f /srv/a, at");
    case_add_event(c, another);
    event_free(another);
    says("deleted 2 files in /srv (3 times in all): rm -f /srv/a (the first of 3 runs), at");
    for (size_t i = 0; i < 3; i++)
        process_unref(runs[i]);
}

/* sshd has the login shell run what it was given: that is no shell's doing. */
static void by_a_text_given_to_ssh(void **state)
{
    struct process *sshd = make_process(60, "/usr/sbin/sshd", process_ref(init)), *shell = make_process(61, "/usr/bin/bash", process_ref(sshd)),
                   *of_a_shell = make_process(62, "/usr/bin/bash", process_ref(shell));
    struct { struct process *run; const char *says; } rows[] = {
        { shell, "VERDICT  cd /srv && rm -f a, a command given to ssh by ann, on the host, deleted /srv/a with rm, at" },
        { of_a_shell, "VERDICT  bash -c 'cd /srv && rm -f a', a command given to ssh by ann, on the host, deleted /srv/a with rm, at" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct event *e = make_event(D, "/srv/a", agent, NULL, T0 + i);

        set_cause(e, RUN_TEXT, "bash", LAUNCHER_SSH, "ann", "rm");
        e->cause.key.number = 42 + i;
        e->cause.run.args = BYTES("bash\0-c\0cd /srv && rm -f a\0");
        e->cause.run.text = bytes_of("cd /srv && rm -f a");
        e->cause.run.process = process_ref(rows[i].run);
        e->cause.launcher.process = process_ref(sshd);
        case_add_event(c, e);
        event_free(e);
        says(rows[i].says);
    }
    says("who       cd /srv && rm -f a · ssh command of ann");
    process_unref(of_a_shell);
    process_unref(shell);
    process_unref(sshd);
}

/* Of several commands none is shown as if it were all of them. */
static void by_several_commands_given_to_ssh(void **state)
{
    static const char *const paths[] = { "/srv/a", "/srv/b" };
    const struct bytes lines_of[] = { BYTES("rm\0/srv/a\0"), BYTES("rm\0/srv/b\0") };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct event *e = make_event(D, paths[i], agent, NULL, T0 + i);

        set_cause(e, RUN_COMMAND, "/usr/bin/rm", LAUNCHER_SSH, "ann", NULL);
        e->cause.run.args = lines_of[i];
        case_add_event(c, e);
        event_free(e);
    }
    says("VERDICT  rm, a command given to ssh by ann, on the host, deleted 2 files in /srv, at");
}

/* A word with quotes in it is written as a shell would read it. */
static void quotes_in_a_command_line(void **state)
{
    struct event *e = typed("/srv/a", BYTES("python3\0-c\0import os; os.unlink('/srv/a')\0"), agent, 0);

    (void)state;
    case_add_event(c, e);
    event_free(e);
    says(": python3 -c \"import os; os.unlink('/srv/a')\", at");
    e = typed("/srv/a", BYTES("sh\0-c\0echo 'a' \"b\"\0"), other, 0);
    e->cause.key.number = 77;
    case_add_event(c, e);
    event_free(e);
    says(": sh -c 'echo '\\''a'\\'' \"b\"', at");
}

/* As whom is said once. */
static void by_another_user_over_ssh(void **state)
{
    struct event *e = make_event(D, "/srv/a", agent, NULL, T0);

    (void)state;
    set_cause(e, RUN_SCRIPT, "/opt/x.sh", LAUNCHER_SSH, "ann", "rm");
    person_of(e);
    e->cause.person.as_id = 1001;
    e->cause.person.as_name = bytes_of("bob");
    e->actor.cred = (struct credentials){ .known = true, .uid = 1001, .euid = 1001 };
    case_add_event(c, e);
    event_free(e);
    says("VERDICT  /opt/x.sh, a command given to ssh by ann, as bob by sudo, from 10.0.0.7, on the host, deleted /srv/a with rm, at");
}

/* What belongs to the product is no tool of it. */
static void by_a_product(void **state)
{
    (void)state;
    process_set(agent, &agent->owner.product, bytes_of("XDR"));
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(D, i ? "/srv/b" : "/srv/a", i ? other : agent, NULL, T0 + i);

        set_cause(e, RUN_PROGRAM, "/opt/x/daemon", LAUNCHER_PRODUCT, "XDR", i ? "other" : "agent");
        e->cause.launcher.detail = bytes_of("EDR");
        case_add_event(c, e);
        event_free(e);
    }
    says("VERDICT  XDR's agent, on the host, deleted 2 files in /srv partly with other, at");
}

/* A tool is named with what it did, and not with what the script did itself. */
static void by_tools_in_part(void **state)
{
    static const struct {
        enum operation op;
        const char *path, *tool;
    } did[] = { { D, "/srv/a", "rm" }, { D, "/srv/b", "rm" }, { R, "/srv/d", NULL }, { D, "/srv/e", NULL } };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(did); i++) {
        struct event *e = make_event(did[i].op, did[i].path, script, NULL, T0 + i);

        if (did[i].op == R)
            event_set(e, &e->previous_path, bytes_of("/srv/c"));
        set_cause(e, RUN_SCRIPT, "/opt/x.sh", LAUNCHER_CRON, "bob", did[i].tool);
        case_add_event(c, e);
        event_free(e);
        if (i == 2)
            says("/opt/x.sh, a cron job of bob, on the host, deleted 2 files in /srv with rm and renamed /srv/c to /srv/d, at");
    }
    says("/opt/x.sh, a cron job of bob, on the host, deleted 3 files in /srv partly with rm and renamed /srv/c to /srv/d, at");
}

/* What start-stop-daemon begins is not dpkg's, whose program that is. */
static void launched_by_a_product(void **state)
{
    static const char *const programs[] = { "/usr/sbin/start-stop-daemon", "/usr/bin/dpkg" };
    struct agent product = { .exclude = bytes_of("apt-mark hold PACKAGE") };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
        struct process *above = make_process(60 + i, programs[i], process_ref(init)), *p = make_process(70 + i, "/opt/x", process_ref(above));
        struct event *e = make_event(D, i ? "/srv/b" : "/srv/a", p, NULL, T0 + i);

        process_set(above, &above->owner.product, bytes_of("dpkg and APT"));
        above->owner.agent = &product;
        set_cause(e, RUN_SCRIPT, i ? "/opt/b" : "/opt/a", LAUNCHER_UNKNOWN, "", NULL);
        e->cause.key = (struct fingerprint){ 200 + i, 0 };
        case_add_event(c, e);
        event_free(e);
        if (i)
            says("launched by dpkg and APT: apt-mark hold PACKAGE");
        else
            says_not("launched by");
        above->owner.agent = NULL;
        process_unref(p);
        process_unref(above);
    }
}

static void by_exec(void **state)
{
    struct event *e = make_event(D, "/prd/a", app, web, T0);

    (void)state;
    set_cause(e, RUN_COMMAND, "/bin/rm", LAUNCHER_EXEC, "web", NULL);
    e->cause.launcher.detail = BYTES("docker\0exec\0web\0rm\0/prd/a\0");
    case_add_event(c, e);
    event_free(e);
    says("VERDICT  rm, run by docker exec in container web, deleted /prd/a of container web, at");
    says("exec in container web (docker exec web rm /prd/a)");
}

/* What called the client, and with which image a container was started, its first process knows. */
static void by_client(void **state)
{
    static const struct {
        struct bytes args;
        const char *said;
    } clients[] = {
        { BYTES("docker\0compose\0-p\0shop\0up\0-d\0"), "started by /opt/job.sh (ann) with docker compose up, deleted" },
        { BYTES("/usr/bin/podman-compose\0up\0"), "started by /opt/job.sh (ann) with podman-compose up, deleted" },
        { BYTES("podman\0restart\0web\0"), "started by /opt/job.sh (ann) with podman restart, deleted" },
        { BYTES_NULL, "started by /opt/job.sh (ann), deleted" }, /* a damaged record */
    };
    struct process *first = make_process(95, "/bin/busybox", NULL);
    struct event *e = make_event(D, "/prd/a", first, web, T0);

    (void)state;
    first->origin = ORIGIN_CONTAINER;
    first->container = container_ref(web);
    first->launch = (struct launch){ .kind = LAUNCH_EXEC, .text = BYTES("docker\0exec\0web\0rm\0/prd/a\0"), .place = bytes_of("/opt/job.sh") };
    set_cause(e, RUN_COMMAND, "/bin/rm", LAUNCHER_EXEC, "web", NULL);
    e->cause.launcher.process = process_ref(first);
    case_add_event(c, e);
    says("VERDICT  rm, run by docker exec in container web, called by /opt/job.sh, deleted /prd/a of container web");
    first->launch = (struct launch){ .kind = LAUNCH_START, .text = BYTES("/usr/bin/docker\0run\0--rm\0shop\0rm\0"), .place = bytes_of("/opt/job.sh"),
                                     .user = bytes_of("ann") };
    e->cause.launcher.kind = LAUNCHER_ENTRY_POINT;
    e->cause.launcher.detail = e->cause.run.name;
    e->cause.key.number++;
    case_add_event(c, e);
    says("started by /opt/job.sh (ann) with docker run");
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        first->launch.text = clients[i].args;
        e->cause.key.number++;
        case_add_event(c, e);
        says(clients[i].said);
    }
    event_free(e);
    process_unref(first);
}

static void by_health_check(void **state)
{
    static const struct {
        enum run_kind kind;
        const char *name, *tool;
        struct bytes check;
        const char *said;
    } checks[] = {
        { RUN_COMMAND, "/bin/rm", NULL, { "rm\0-f\0/prd/a\0", 13 }, "VERDICT  The health check of container web (rm -f /prd/a) deleted /prd/a of" },
        { RUN_SCRIPT, "/check.sh", "rm", { "/check.sh\0-q\0", 13 }, "VERDICT  The health check of container web (/check.sh -q) deleted /prd/a of container web with rm" },
        { RUN_SCRIPT, "/tidy.sh", "rm", { "/check\0-q\0", 10 }, "VERDICT  The health check of container web (/check -q), running /tidy.sh, deleted /prd/a" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        struct event *e = make_event(D, "/prd/a", app, web, T0);

        set_cause(e, checks[i].kind, checks[i].name, LAUNCHER_HEALTH_CHECK, "web", checks[i].tool);
        e->cause.launcher.detail = checks[i].check;
        e->cause.key.number = 200 + i;
        case_add_event(c, e);
        event_free(e);
        says(checks[i].said);
    }
    says("health check of container web (/check -q)");
}

/* One program of two users is two culprits, and the sentence distinguishes them. */
static void by_two_users(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(D, i ? "/srv/b" : "/srv/a", agent, NULL, T0 + i);

        set_cause(e, RUN_SCRIPT, "/opt/x.sh", LAUNCHER_UNKNOWN, NULL, "rm");
        e->cause.key.number = 100 + i;
        e->actor.cred = (struct credentials){ .known = true, .uid = i * 1000, .euid = i * 1000 };
        case_add_event(c, e);
        event_free(e);
    }
    assert_int_equal(verdicts(), 2);
    says("VERDICT  /opt/x.sh, on the host, deleted /srv/a with rm");
    says("VERDICT  /opt/x.sh, as uid 1000, on the host, deleted /srv/b with rm");
}

/* Whoever makes two keys with one number is two culprits all the same. */
static void by_one_number(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char path[16];
        struct event *e;

        snprintf(path, sizeof(path), "/srv/%u", i);
        e = make_event(D, path, agent, NULL, T0 + i);
        set_cause(e, RUN_SCRIPT, i % 2 ? "/opt/evil.sh" : "/opt/x.sh", LAUNCHER_UNKNOWN, NULL, "rm");
        e->cause.key = (struct fingerprint){ 7, i % 2 };
        case_add_event(c, e);
        event_free(e);
    }
    assert_int_equal(verdicts(), 2);
    says("VERDICT  /opt/x.sh, on the host, deleted 2 files in /srv with rm");
    says("VERDICT  /opt/evil.sh, on the host, deleted 2 files in /srv with rm");
}

/* `sort x > y`, in whatever order the two are read. */
static void a_redirection_is_its_commands(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        struct process *shell = make_process(60 + (int)order, "/bin/bash", process_ref(init));
        struct process *sort = make_process(60 + (int)order, "/bin/sort", process_ref(init));

        for (unsigned i = 0; i < 2; i++) {
            bool is_shell = i == order;
            struct event *e = make_event(is_shell ? C : W, order ? "/srv/b" : "/srv/a", is_shell ? shell : sort, NULL, T0 + !is_shell);

            set_cause(e, is_shell ? RUN_BUILTIN : RUN_COMMAND, is_shell ? "bash" : "sort", LAUNCHER_PERSON, "ann", NULL);
            e->cause.run.args = is_shell ? BYTES("-bash\0") : BYTES("sort\0x\0");
            e->cause.key = (struct fingerprint){ is_shell ? 100 : 101 + order, 0 };
            person_of(e);
            case_add_event(c, e);
            event_free(e);
        }
        process_unref(shell);
        process_unref(sort);
    }
    assert_int_equal(verdicts(), 2);
    says("created /srv/a: sort x, at");
    says("/srv/b: sort x, at");
    says_not("typed in");
}

/* Another process's redirection stays the shell's. */
static void a_redirection_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct process *p = make_process(60 + (int)i, i ? "/bin/sort" : "/bin/bash", process_ref(init));
        struct event *e = make_event(C, i ? "/srv/b" : "/srv/a", p, NULL, T0 + i);

        set_cause(e, i ? RUN_COMMAND : RUN_BUILTIN, i ? "sort" : "bash", LAUNCHER_PERSON, "ann", NULL);
        e->cause.run.args = i ? BYTES("sort\0x\0") : BYTES("-bash\0");
        e->cause.key = (struct fingerprint){ 100 + i, 0 };
        person_of(e);
        case_add_event(c, e);
        event_free(e);
        process_unref(p);
    }
    assert_int_equal(verdicts(), 2);
    says("created /srv/a: a command typed in bash (a shell builtin or redirection), at");
    says("created /srv/b: sort x, at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_cause, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_a_person, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_the_user_who_asked, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_several_command_lines, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_a_text_given_to_ssh, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_several_commands_given_to_ssh, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(quotes_in_a_command_line, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_another_user_over_ssh, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_a_product, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_tools_in_part, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(launched_by_a_product, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_exec, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_client, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_health_check, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_two_users, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(by_one_number, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(a_redirection_is_its_commands, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(a_redirection_of_its_own, set_up_people, tear_down_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
