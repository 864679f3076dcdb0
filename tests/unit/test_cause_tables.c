/* SPDX-License-Identifier: MIT */
/* The tables of the cause as a whole; what belongs together; what an attacker writes; long chains; health checks. */
#include "test.h"
#include "cause_chain.h"

#include <stdio.h>

#include "cause/argv.h"
#include "cause/build.h"
#include "cause/engine_client.h"
#include "cause/interpreter.h"
#include "cause/launcher.h"
#include "cause/link.h"
#include "cause/wrapper.h"

/* ---- what belongs together ---- */

#define SCRIPT(path, by) { "/usr/bin/dash", "/bin/sh|" path, .script = path, .uid = by }

static const struct pair {
    const char *name;
    struct step a[STEPS], b[STEPS];
    bool same;
} pairs[] = {
    { "one script with two tools",
      { CRON, SCRIPT("/opt/a", 1), { "/usr/bin/rm", "rm|x", .uid = 1 } }, { CRON, SCRIPT("/opt/a", 1), { "/usr/bin/mkdir", "mkdir|x", .uid = 1 } }, true },
    { "one script, two runs", { CRON, SCRIPT("/opt/a", 1), RM }, { CRON, { "/usr/bin/dash", "/bin/sh|/opt/a|-v", .script = "/opt/a", .uid = 1, .pid = 77 }, RM }, true },
    { "two scripts", { CRON, SCRIPT("/opt/a", 1), RM }, { CRON, SCRIPT("/opt/b", 1), RM }, false },
    { "two python scripts", { BASH, { "/usr/bin/python3", "python3|/a.py" } }, { BASH, { "/usr/bin/python3", "python3|/b.py" } }, false },
    { "two users of one script", { CRON, SCRIPT("/opt/a", 1), { "/usr/bin/rm", "rm", .uid = 1 } }, { CRON, SCRIPT("/opt/a", 2), { "/usr/bin/rm", "rm", .uid = 2 } }, false },
    { "root's rm and bob's", { BASH, { "/usr/bin/rm", "rm|x" } }, { BASH, { "/usr/bin/rm", "rm|x", .uid = 2 } }, false },
    { "one person types two commands of one program", { BASH, { "/usr/bin/rm", "rm|a" } }, { BASH, { "/usr/bin/rm", "rm|b" } }, true },
    { "and one of them with sudo, which makes a terminal", { BASH, { "/usr/bin/rm", "rm|a" } },
      { BASH, { "/usr/bin/sudo", "sudo|rm|b" }, { "/usr/bin/rm", "rm|b", .tty = "pts/9" } }, true },
    { "at another terminal", { BASH, { "/usr/bin/rm", "rm|a" } },
      { { "/usr/bin/bash", "-bash", .tty = "pts/4", .user = "ann" }, { "/usr/bin/rm", "rm|b" } }, false },
    { "two lines of one crontab", { CRON, { "/bin/dash", "sh|-c|rm -f a" }, RM }, { CRON, { "/bin/dash", "sh|-c|rm -f b" }, RM }, false },
    { "two commands of one engine", { CRON, { "/usr/bin/podman", "podman|volume|rm|data" } }, { CRON, { "/usr/bin/podman", "podman|cp|a|web:/prd" } }, false },
    { "one of them twice", { CRON, { "/usr/bin/podman", "podman|volume|rm|data" } }, { CRON, { "/usr/bin/podman", "podman|volume|rm|data", .pid = 77 } }, true },
    { "two containers that it starts", { CRON, { "/usr/bin/podman", "podman|run|--rm|web" } }, { CRON, { "/usr/bin/podman", "podman|run|--rm|db" } }, true },
    { "what it cleans up behind them", { CRON, { "/usr/bin/podman", "/usr/bin/podman|--root|/x|container|cleanup|4fa1" } },
      { CRON, { "/usr/bin/podman", "/usr/bin/podman|--root|/x|container|cleanup|67ba" } }, true },
    { "two targets", { { "/usr/bin/make", "make|a", "/s" }, RM }, { { "/usr/bin/make", "make|b", "/s" }, RM }, false },
    { "one target in two directories", { { "/usr/bin/make", "make|a", "/s" }, RM }, { { "/usr/bin/make", "make|a", "/t" }, RM }, false },
    { "npm in two directories, named behind the verb", { { "/usr/bin/node", "npm install --prefix /a", "/s" }, RM }, { { "/usr/bin/node", "npm install --prefix /b", "/s" }, RM }, false },
    { "on the host and in a container", { SCRIPT("/opt/a", 0), RM }, { { "/usr/bin/runc", "runc|create" }, { "/usr/bin/dash", "/bin/sh|/opt/a", .script = "/opt/a", .inside = true } }, false },
    { "a real script and one that argv alone names", { { "/usr/bin/python3", "python3|/a.py" } }, { { "/tmp/python3", "python3|/a.py" } }, false },
    { "a job's script has another name each time", { SCRIPT("/home/r/_work/_temp/a1.sh", 0), RM }, { SCRIPT("/home/r/_work/_temp/b2.sh", 0), RM }, true },
    { "one ansible task for two items", { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|a" } }, { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|b" } }, true },
    { "two ansible tasks", { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|a" } }, { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/mv", "mv|a|b" } }, false },
    { "so has a directory of mktemp", { SCRIPT("/tmp/tmp.Ab12345678/x.sh", 0), RM }, { SCRIPT("/tmp/tmp.Zz12345678/x.sh", 0), RM }, true },
};

/* What the module `command` executed: arguments, or a shell's text. */
static void ansible_commands(void **state)
{
    struct event *e = find((const struct step[STEPS]){ BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|-f|a" } });

    (void)state;
    assert_int_equal(e->cause.run.text.len, 8);
    assert_memory_equal(e->cause.run.text.data, "rm\0-f\0a", 8);
    event_free(e);
    e = find((const struct step[STEPS]){ BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/dash", "/bin/sh|-c|rm -f a; :" }, { "/usr/bin/rm", "rm|-f|a" } });
    assert_bytes(e->cause.run.text, "rm -f a; :");
    event_free(e);
    e = find((const struct step[STEPS]){ BASH, PLAYBOOK, MODULE("unarchive"), { "/usr/bin/tar", "tar|x" } });
    assert_int_equal(e->cause.run.text.len, 0);
    event_free(e);
}

static const struct copy_row {
    const char *name;
    struct bytes args;
    bool copies;
} copy_rows[] = {
    { "into a container", BYTES("podman\0cp\0a\0web:/prd\0"), true },
    { "out of one, by a path", BYTES("/usr/bin/docker\0--log-level\0error\0container\0cp\0web:/prd/a\0-\0"), true },
    { "cp of a colon alone", BYTES("podman\0cp\0./a:b\0/c:d\0"), false },
    { "a container that runs cp", BYTES("podman\0exec\0web:x\0cp\0a\0b\0"), false },
    { "no engine", BYTES("scp\0cp\0web:/prd\0"), false },
    { "without an end", { "podman\0cp\0a\0web:/prd", 20 }, true },
    { "nothing", BYTES_NULL, false },
};

static void client_copies(void **state)
{
    const struct copy_row *row = *state;

    assert_int_equal(engine_client_copies(row->args), row->copies);
}

/* Who is named, where what was changed is another container's: nobody. */
static void copied_into(void **state)
{
    static const struct step steps[STEPS] = { { "/usr/bin/dockerd", "dockerd" },
                                              { "/usr/bin/dockerd", "docker-untar|/prd|/m", .copier = "docker|cp|a|web:/prd" } };
    struct container *other = make_container("a7ba10172723", "db");
    struct process *p = make_chain(steps);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct event *e = make_event(OPERATION_CREATE, "/prd/a", p, i == 0 ? NULL : i == 1 ? web : other, 1);

        cause_remember(e);
        assert_int_equal(e->cause.launcher.kind, LAUNCHER_COPY);
        assert_int_equal(e->cause.launcher.detail.len, i < 2 ? sizeof("docker cp a web:/prd") : 0);
        event_free(e);
    }
    process_unref(p);
    container_unref(other);
}

static void groups(void **state)
{
    const struct pair *pair = *state;
    struct event *a = find(pair->a), *b = find(pair->b);

    if (pair->same)
        assert_true(fingerprint_equal(a->cause.key, b->cause.key));
    else
        assert_false(fingerprint_equal(a->cause.key, b->cause.key));
    event_free(a);
    event_free(b);
}

static void any_argv(void **state)
{
    static const char *const programs[] = { "/usr/bin/python3", "/usr/bin/bash", "/bin/busybox", "/usr/bin/java", "/usr/bin/make",
                                            "/usr/bin/git", "/usr/bin/node", "/usr/bin/apt-get", "/usr/bin/awk", "/usr/bin/perl" };
    static const char alphabet[] = "-c\0-m=e.r/js x\xff\n";
    size_t size = 1 << 20;
    char *text = malloc(size);
    unsigned seed = 1;

    (void)state;
    for (unsigned round = 0; round < 4000; round++) {
        size_t len = round < 8 ? (round & 1 ? size : round) : round % 60;
        struct process *p = make_process(7, programs[round % ARRAY_SIZE(programs)], NULL);
        struct event *e;

        for (size_t i = 0; i < len; i++)
            text[i] = round < 8 ? (round & 2 ? '\0' : 'a') : alphabet[(seed = seed * 1103515245 + 12345) >> 16 & 15];
        p->args = (struct bytes){ memcpy(malloc(len ? len : 1), text, len), len }; /* of exactly this size: for the sanitizer */
        if (round % 3 == 0)
            process_set(p, &p->working_directory, BYTES("/w"));
        e = make_event(OPERATION_UNLINK, "/x", p, NULL, 1);
        cause_remember(e);
        assert_int_not_equal(e->cause.key.number, 0);
        {
            char *args = (char *)(uintptr_t)p->args.data;

            event_free(e);
            process_unref(p);
            free(args);
        }
    }
    free(text);
}

/* A chain as long as it gets, and longer: cut. What is found is held when the event's process is not. */
static void a_long_chain(void **state)
{
    struct process *p = make_process(1, "/usr/sbin/cron", NULL);
    struct event *e;

    (void)state;
    for (pid_t pid = 2; pid < 1000; pid++) {
        p = make_process(pid, "/usr/bin/dash", p);
        set_args(p, pid == 990 ? "sh|/opt/a.sh" : "sh|-c|x; y");
    }
    e = make_event(OPERATION_UNLINK, "/x", p, NULL, 1);
    process_unref(p);
    cause_remember(e);
    process_unref(e->actor.process);
    e->actor.process = NULL;
    assert_bytes(e->cause.run.name, "/opt/a.sh");
    assert_bytes(e->cause.run.process->executable, "/usr/bin/dash");
    event_free(e);
}

/* `while read; do ...; done`, a subshell, an applet of busybox: parts of one run of the script. */
static void parts_of_a_script(void **state)
{
    const struct step script = { "/bin/busybox", "sh|/opt/a.sh", .script = "/opt/a.sh" }, other = { "/bin/busybox", "sh|/opt/a.sh|-q", .script = "/opt/a.sh" };
    const struct step parts[STEPS] = { BASH, script, script, script }, runs[STEPS] = { BASH, other, script, RM };
    struct event *e = find(parts);

    (void)state;
    assert_bytes(e->cause.run.name, "/opt/a.sh");
    assert_ptr_equal(e->cause.run.process, e->actor.process->parent->parent);
    event_free(e);
    e = find(runs); /* it called itself with other arguments: that is another run */
    assert_ptr_equal(e->cause.run.process, e->actor.process->parent);
    event_free(e);
}

/* Of a text as well, and of a program that works by its children. */
static void parts_of_a_text(void **state)
{
    const struct step text = { "/bin/busybox", "sh|-c|echo 1 > a; (echo 2 > b)", .inside = true }, worker = { "/opt/worker", "worker|-d" };
    const struct step parts[STEPS] = { { "/usr/bin/runc", "runc|create|web" }, text, text }, workers[STEPS] = { { "/sbin/init", "init" }, worker, worker };
    struct event *e = find(parts);

    (void)state;
    assert_int_equal(e->cause.run.kind, RUN_TEXT);
    assert_ptr_equal(e->cause.run.process, e->actor.process->parent);
    event_free(e);
    e = find(workers);
    assert_ptr_equal(e->cause.run.process, e->actor.process->parent);
    event_free(e);
}

/* ---- health checks ---- */

#define SHIM { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|moby" }

#define RUNC_EXEC { "/usr/bin/runc", "runc|--root|/x|exec|--process|/p|web" }
#define CONMON { "/usr/bin/conmon", "/usr/bin/conmon|--api-version|1|-c|67ba|--exec-attach" }

static const struct health_row {
    const char *name, *check;
    struct step steps[STEPS];
    const char *launcher;
    bool by_client; /* somebody's docker exec is known */
} healths[] = {
    { "by a shell", "/bin/sh|-c|curl -f http://x/; rm /t",
      { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|-c|curl -f http://x/; rm /t", .inside = true }, { "/usr/bin/rm", "rm|/t", .inside = true } },
      "health-check" },
    { "a program", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "health-check" },
    { "the shell became another program", "/bin/sh|-c|rm /t",
      { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|-c|rm /t", .inside = true }, { "/usr/bin/rm", "rm|/t", .inside = true, .executed = true } },
      "health-check" },
    { "a script", "/check.sh|-q", { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|/check.sh|-q", .script = "/check.sh", .inside = true } }, "health-check" },
    { "a script in PATH, whose #! has an option", "check|-q",
      { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|-e|/usr/local/bin/check|-q", .script = "/usr/local/bin/check", .inside = true } }, "health-check" },
    { "the shim alone is known", "rm|-f|/t", { SHIM, { "/usr/bin/rm", "rm|-f|/t", .inside = true, .pid = 500 } }, "health-check" },
    { "podman's", "rm|-f|/t", { CONMON, { "/usr/bin/crun", "crun|exec|67ba" }, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "health-check" },
    { "another command", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/u", .inside = true } }, "container-exec" },
    { "more arguments", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t|/u", .inside = true } }, "container-exec" },
    { "fewer arguments", "rm|-f|/t|/u", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "container-exec" },
    { "no script of the kernel's", "/check.sh|-q", { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|/check.sh|-q", .inside = true } }, "container-exec" },
    { "not known", "", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "container-exec" },
    { "somebody's docker exec of the same command", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "container-exec", .by_client = true },
    { "the application runs the same command", "rm|-f|/t",
      { SHIM, { "/usr/bin/runc", "runc|create|web" }, { "/usr/bin/app", "app", .inside = true }, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "entry-point" },
    { "the entry point is the same command", "app|-x", { SHIM, { "/usr/bin/runc", "runc|create|web" }, { "/usr/bin/app", "app|-x", .inside = true } }, "entry-point" },
    { "nobody above is known", "rm|-f|/t", { { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "unknown" },
};

static void checks_health(void **state)
{
    const struct health_row *row = *state;
    struct container *plain = web;
    struct process *p, *args = make_process(1, "/x", NULL);
    struct event *e;

    set_args(args, row->check);
    web = make_container("67ba10172723", "web");
    web->pid = 400;
    container_set(web, &web->health_check, args->args);
    p = make_chain(row->steps);
    if (row->by_client)
        p->launch.kind = LAUNCH_EXEC;
    e = make_event(OPERATION_UNLINK, "/t", p, NULL, 1);
    cause_remember(e);
    assert_string_equal(cause_launcher_name(e->cause.launcher.kind), row->launcher);
    if (e->cause.launcher.kind == LAUNCHER_HEALTH_CHECK) {
        assert_bytes(e->cause.launcher.name, "web");
        assert_true(bytes_equal(e->cause.launcher.detail, web->health_check));
    }
    event_free(e);
    process_unref(p);
    process_unref(args);
    container_unref(web);
    web = plain;
}

static void nobody(void **state)
{
    struct event *e = make_event(OPERATION_UNLINK, "/x", NULL, NULL, 1);

    (void)state;
    cause_remember(e);
    assert_int_equal(e->cause.run.kind, RUN_UNKNOWN);
    assert_int_equal(e->cause.launcher.kind, LAUNCHER_UNKNOWN);
    e->actor.executable = BYTES("/usr/bin/rm");
    cause_remember(e);
    assert_int_equal(e->cause.run.kind, RUN_PROGRAM);
    assert_bytes(e->cause.run.name, "rm");
    event_free(e);
}

/* ---- tables ---- */

static void tables(void **state)
{
    const struct name_table *const all[] = { &interpreter_table, &launcher_table, &wrapper_table, &tool_table, &changer_table, &build_table };
    const char *name, *before;

    (void)state;
    for (size_t l = 0; l < ARRAY_SIZE(all); l++) {
        before = "";
        for (size_t i = 0; (name = table_name(all[l], i)); before = name, i++)
            if (strcmp(before, name) >= 0)
                fail_msg("\"%s\" is before \"%s\"", before, name);
        assert_string_not_equal(before, ""); /* it has rows */
    }
    for (size_t i = 0; (name = table_name(&wrapper_table, i)); i++)
        assert_false(tool_is(bytes_of(name)));
    for (size_t i = 0; (name = table_name(&tool_table, i)); i++) { /* what its name says is what is found of it */
        struct process *p = make_process(7, name, NULL);

        set_args(p, name);
        assert_int_equal(tool_is_plain(bytes_of(name)), link_of(p)->plain);
        process_unref(p);
    }
    for (size_t i = 0; (name = table_name(&interpreter_table, i)); i++) {
        assert_non_null(interpreter_find(bytes_of(name)));
        assert_string_equal(interpreter_name(interpreter_find(bytes_of(name))), name);
    }
    for (unsigned i = 1; i < RUN_KIND_COUNT; i++)
        assert_string_not_equal(cause_run_name(i), cause_run_name(0));
    for (unsigned i = 1; i < LAUNCHER_KIND_COUNT; i++)
        assert_string_not_equal(cause_launcher_name(i), cause_launcher_name(0));
}

/* Every wrapper is seen through, every tool is explained by who runs it. */
static void every_row(void **state)
{
    const char *name;

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++)
        for (size_t i = 0; (name = table_name(kind ? &wrapper_table : &tool_table, i)); i++) {
            char executable[64];
            struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh" }, { executable, "x|y" }, RM };
            struct event *e;

            snprintf(executable, sizeof(executable), "/usr/bin/%s", name);
            e = find(steps);
            assert_bytes(e->cause.run.name, "/opt/a.sh");
            assert_int_equal(e->cause.launcher.kind, LAUNCHER_PERSON);
            event_free(e);
        }
}

/* What it is asked for, and not by which socket. */
static void request_of_a_client(void **state)
{
    static const struct {
        struct bytes args;
        const char *first; /* "": nothing */
    } rows[] = {
        { BYTES("docker\0volume\0rm\0x\0"), "volume" },
        { BYTES("docker\0-H\0unix:///run/x\0--debug\0--context=a\0rm\0x\0"), "rm" },
        { BYTES("docker-compose\0-p\0shop\0down\0"), "-p" },
        { BYTES("podman\0--root\0/srv/x\0--cgroup-manager=cgroupfs\0exec\0web\0-H\0"), "exec" },
        { BYTES("docker\0-H\0"), "" },
        { BYTES("docker\0"), "" },
        { BYTES_NULL, "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_bytes(argv_at(engine_client_request(rows[i].args), 0), rows[i].first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_of_a_client),
        cmocka_unit_test(any_argv),
        cmocka_unit_test(a_long_chain),
        cmocka_unit_test(parts_of_a_script),
        cmocka_unit_test(parts_of_a_text),
        cmocka_unit_test(nobody),
        cmocka_unit_test(tables),
        cmocka_unit_test(every_row),
        cmocka_unit_test(ansible_commands),
        cmocka_unit_test(copied_into),
    };
    int failed;

    web = make_container("67ba10172723", "web");
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(pairs, groups) + RUN_ROWS(copy_rows, client_copies) +
             RUN_ROWS(healths, checks_health);
    container_unref(web);
    return failed;
}
