/* SPDX-License-Identifier: MIT */
/* ECS lines as a program reads them: parsed again, fields and types by the contract. */
#include "test.h"
#include "ecs_line.h"
#include "make.h"

#include <errno.h>
#include <sys/stat.h>

#include "event/operation.h"

static void is_number(json_t *root, const char *path, long long number)
{
    if (!json_is_integer(get(root, path)) || json_integer_value(get(root, path)) != number)
        fail_msg("%s is not the number %lld", path, number);
}

/* ---- tests ---- */

static void nothing_known_is_nothing_said(void **state)
{
    struct event *e = event_new();
    json_t *j;

    (void)state;
    e->operation = OPERATION_UNLINK;
    j = line_of(e);
    is_text(j, "event.kind", "event");
    is_text(j, "event.action", "unlink");
    is_text(j, "event.category.0", "file");
    is_text(j, "event.type.0", "deletion");
    is_text(j, "event.outcome", "success");
    is_text(j, "event.id", "00000000000000000000000000000000");
    assert_non_null(get(j, "ecs.version"));
    is_text(j, "host.name", "srv1");
    is_text(j, "host.boot.id", "4567");
    for (size_t i = 0; i < 12; i++) {
        static const char *const absent[] = { "@timestamp", "event.sequence", "error", "file",  "process", "rule",
                                              "container",  "culprit",        "user",  "event.start", "message",
                                              "labels" };

        is_not_there(j, absent[i]);
    }
    json_decref(j);
    event_free(e);
}

/* Launchers are reported with as much of their arguments as leaves a line small; whoever did it with all. */
static void arguments_of_launchers_are_cut(void **state)
{
    char args[2000];
    struct process *p = make_process(10, "/bin/a", make_process(5, "/bin/b", make_process(1, "/sbin/init", NULL)));
    struct event *e = make_event(OPERATION_UNLINK, "/x", p, NULL, 1);
    json_t *j;

    (void)state;
    memset(args, 'x', sizeof(args) - 1);
    args[sizeof(args) - 1] = '\0';
    process_set(p, &p->args, (struct bytes){ args, sizeof(args) });
    process_set(p->parent, &p->parent->args, (struct bytes){ args, sizeof(args) });
    process_set(p->parent->parent, &p->parent->parent->args, (struct bytes){ args + sizeof(args) - 257, 257 });
    j = line_of(e);
    assert_int_equal(json_string_length(get(j, "process.command_line")), sizeof(args) - 1);
    is_not_there(j, "process.command_line_truncated");
    assert_int_equal(json_string_length(get(j, "process.parent.command_line")), 256);
    assert_true(json_is_true(get(j, "process.parent.command_line_truncated")));
    assert_int_equal(json_string_length(get(j, "culprit.lineage.0.command_line")), 256);
    assert_true(json_is_true(get(j, "culprit.lineage.0.command_line_truncated")));
    assert_int_equal(json_string_length(get(j, "culprit.lineage.1.command_line")), 256);
    is_not_there(j, "culprit.lineage.1.command_line_truncated");
    json_decref(j);
    event_free(e);
    process_unref(p);
}

static void reports_the_whole_story(void **state)
{
    struct container *victim = make_container("aaaa", "web"), *home = make_container("bbbb", "agent");
    struct process *init = make_process(1, "/usr/lib/systemd/systemd", NULL);
    struct process *p = make_process(10, "/opt/x/agent", make_process(5, "/usr/bin/sh", init));
    struct event *e = make_event(OPERATION_CHMOD, "/prd/a.conf", p, victim, 1795488335123456789ull);
    json_t *j;

    (void)state;
    p->origin = ORIGIN_CONTAINER;
    p->container = container_ref(home);
    container_set(home, &home->image_name, bytes_of("agent:1"));
    p->cred = (struct credentials){ true, 1000, 0, 0, 0, 100, 101, 101, 101 };
    process_set(p, &p->user_name, bytes_of("root"));
    process_set(p, &p->real_user_name, bytes_of("im"));
    process_set(p, &p->args, BYTES("agent\0--fix\0\0"));
    process_set(p, &p->working_directory, bytes_of("/srv"));
    process_set(p, &p->tty, bytes_of("pts/3"));
    process_set(p, &p->script, bytes_of("/opt/x/job.sh"));
    p->login_uid = 1000;
    p->session = 7;
    p->booted_ns = 1795000000000000001ull;
    process_set(p, &p->login_name, bytes_of("im"));
    process_set(p, &p->owner.package, bytes_of("agent"));
    process_set(p, &p->owner.unit, bytes_of("agent.service"));
    process_set(p, &p->owner.product, bytes_of("Agent"));
    process_set(p, &p->owner.product_kind, bytes_of("EDR"));
    p->parent->exited_ns = 77;
    process_set(p->parent, &p->parent->args, BYTES("sh\0-c\0x\0"));
    e->cause = (struct cause){
        .run = { .kind = RUN_SCRIPT, .name = bytes_of("/opt/x/job.sh"), .args = BYTES("sh\0/opt/x/job.sh\0"),
                 .interpreter = bytes_of("sh"), .process = process_ref(p->parent), .exited = true },
        .launcher = { .kind = LAUNCHER_EXEC, .name = bytes_of("web"), .detail = BYTES("docker\0exec\0web\0sh\0") },
        .person = { .known = true, .id = 1000, .name = bytes_of("im"), .as_id = 0, .as_name = bytes_of("root"),
                    .by = bytes_of("sudo"), .terminal = bytes_of("pts/3"), .remote = bytes_of("10.0.0.7"), .interactive = true },
        .tool = bytes_of("agent"),
    };
    e->sequence = 42;
    e->id[0] = 0xab;
    e->actor.tid = 11;
    e->route = ROUTE_SYSCALL;
    e->syscall = 90;
    e->syscall_arch = AUDIT_ARCH_X86_64;
    e->file = (struct file_state){ .known = FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE | FILE_INODE | FILE_DEVICE,
                                   .mode = S_IFREG | 04755, .uid = 4294967294u, .gid = 5,
                                   .size = 1ull << 40, .inode = UINT64_MAX, .device = 2049 };
    e->before = (struct file_state){ .known = FILE_MODE, .mode = S_IFREG | 0555 };
    e->after = (struct file_state){ .known = FILE_MODE, .mode = S_IFREG | 04755 };
    e->since_start_known = true;
    e->since_start_ns = 1250000000;
    e->sensors = SENSOR_AUDIT | SENSOR_BPF | SENSOR_GUARD;
    event_set(e, &e->host_path, bytes_of("/var/lib/x/prd/a.conf"));
    event_set(e, &e->key, bytes_of("file_delete"));
    event_set(e, &e->watch_text, bytes_of("web:/prd"));
    j = line_of(e);
    is_text(j, "@timestamp", "2026-11-24T02:45:35.123456789Z");
    is_number(j, "event.sequence", 42);
    is_text(j, "event.id", "ab000000000000000000000000000000");
    is_text(j, "event.type.0", "change");
    is_text(j, "file.path", "/prd/a.conf");
    is_text(j, "file.name", "a.conf");
    is_text(j, "file.directory", "/prd");
    is_text(j, "file.type", "file");
    is_text(j, "file.mode", "4755");
    is_text(j, "file.uid", "4294967294");
    is_text(j, "file.gid", "5");
    is_text(j, "file.inode", "18446744073709551615");
    is_text(j, "file.device", "2049");
    is_number(j, "file.size", 1ll << 40);
    is_text(j, "culprit.file.host_path", "/var/lib/x/prd/a.conf");
    is_text(j, "culprit.before.mode", "0555");
    is_text(j, "culprit.after.mode", "4755");
    is_not_there(j, "culprit.before.uid");
    is_not_there(j, "culprit.raw");
    is_number(j, "process.pid", 10);
    is_number(j, "process.thread.id", 11);
    is_text(j, "process.executable", "/opt/x/agent");
    is_text(j, "process.name", "agent");
    is_text(j, "process.args.1", "--fix");
    is_text(j, "process.args.2", "");
    is_text(j, "process.command_line", "agent --fix ");
    is_text(j, "process.working_directory", "/srv");
    is_text(j, "process.user.id", "0");
    is_text(j, "process.user.name", "root");
    is_text(j, "process.real_user.id", "1000");
    is_text(j, "process.real_user.name", "im");
    is_text(j, "process.group.id", "101");
    is_text(j, "process.tty.name", "pts/3");
    is_text(j, "process.start", "2026-11-18T11:06:50.000000001Z"); /* whenever it is written */
    is_text(j, "process.parent.start", "2026-11-18T11:06:45.000000001Z");
    assert_int_equal(json_string_length(get(j, "process.entity_id")), 22);
    is_number(j, "process.parent.pid", 5);
    is_text(j, "process.parent.executable", "/usr/bin/sh");
    is_text(j, "process.entry_leader.entry_meta.type", "container");
    is_text(j, "culprit.login.user.id", "1000");
    is_text(j, "culprit.login.user.name", "im");
    is_text(j, "culprit.login.session.id", "7");
    is_text(j, "culprit.cause.kind", "script");
    is_text(j, "culprit.cause.name", "/opt/x/job.sh");
    is_text(j, "culprit.cause.command_line", "sh /opt/x/job.sh");
    is_text(j, "culprit.cause.interpreter", "sh");
    is_text(j, "culprit.cause.tool", "agent");
    is_number(j, "culprit.cause.process.pid", 5);
    is_text(j, "culprit.cause.process.executable", "/usr/bin/sh");
    assert_true(json_is_true(get(j, "culprit.cause.exited")));
    is_not_there(j, "culprit.cause.claimed");
    is_text(j, "culprit.cause.launcher.kind", "container-exec");
    is_text(j, "culprit.cause.launcher.name", "web");
    is_text(j, "culprit.cause.launcher.command_line", "docker exec web sh");
    is_not_there(j, "culprit.cause.launcher.detail");
    is_text(j, "culprit.person.id", "1000");
    is_text(j, "culprit.person.name", "im");
    is_text(j, "culprit.person.as.id", "0");
    is_text(j, "culprit.person.as.name", "root");
    is_text(j, "culprit.person.by", "sudo");
    is_text(j, "culprit.person.terminal", "pts/3");
    is_text(j, "culprit.person.remote", "10.0.0.7");
    assert_true(json_is_true(get(j, "culprit.person.interactive")));
    is_text(j, "user.id", "1000");
    is_text(j, "user.name", "im");
    is_text(j, "user.effective.id", "0");
    is_text(j, "user.effective.name", "root");
    assert_int_equal(json_array_size(get(j, "culprit.lineage")), 2);
    is_number(j, "culprit.lineage.0.pid", 5);
    is_text(j, "culprit.lineage.0.command_line", "sh -c x");
    assert_true(json_is_true(get(j, "culprit.lineage.0.exited")));
    assert_true(json_is_false(get(j, "culprit.lineage.1.exited")));
    is_text(j, "culprit.origin", "container");
    is_text(j, "culprit.script", "/opt/x/job.sh");
    is_text(j, "container.name", "agent");
    is_text(j, "container.image.name", "agent:1");
    is_text(j, "container.runtime", "docker");
    is_text(j, "culprit.victim.kind", "container");
    is_text(j, "culprit.victim.container.id", "aaaa");
    is_text(j, "culprit.owner.package", "agent");
    is_text(j, "culprit.owner.unit", "agent.service");
    is_text(j, "culprit.owner.product", "Agent");
    is_text(j, "culprit.owner.product_kind", "EDR");
    assert_true(json_is_real(get(j, "culprit.since_start")));
    assert_true(json_real_value(get(j, "culprit.since_start")) == 1.25);
    is_text(j, "culprit.route", "syscall");
    is_text(j, "culprit.syscall", "chmod");
    is_text(j, "culprit.watch", "web:/prd");
    is_text(j, "culprit.sensor", "audit,bpf"); /* the guard is none */
    is_text(j, "culprit.denied_by", "guard");
    is_text(j, "rule.name", "file_delete");
    json_decref(j);
    event_free(e);
    process_unref(p);
    container_unref(victim);
    container_unref(home);
}

static void outcomes(void **state)
{
    struct event *e = make_event(OPERATION_UNLINK, "/a", NULL, NULL, 1);
    json_t *j;

    (void)state;
    e->error = EPERM;
    j = line_of(e);
    is_text(j, "event.outcome", "failure");
    is_text(j, "error.code", "EPERM");
    json_decref(j);
    e->error = 4711; /* no errno that we know: no name is made up */
    j = line_of(e);
    is_text(j, "event.outcome", "failure");
    is_not_there(j, "error");
    json_decref(j);
    e->error = -1;
    j = line_of(e);
    is_text(j, "event.outcome", "unknown");
    is_not_there(j, "error");
    json_decref(j);
    event_free(e);
}

static void every_operation_has_its_row(void **state)
{
    (void)state;
    for (unsigned op = 0; op < OPERATION_COUNT + 2; op++) {
        struct event *e = make_event((enum operation)op, "/a", NULL, NULL, 1);
        json_t *j = line_of(e);
        const char *type = json_string_value(get(j, "event.type.0"));

        if (op > OPERATION_NONE && op < OPERATION_COUNT) {
            assert_int_equal(operation_by_name(bytes_of(json_string_value(get(j, "event.action")))), op);
            assert_true(strcmp(type, "deletion") == 0 || strcmp(type, "creation") == 0 ||
                        strcmp(type, "change") == 0 || strcmp(type, "access") == 0);
        } else {
            is_text(j, "event.action", "unknown");
        }
        json_decref(j);
        event_free(e);
    }
}

/* A name is anybody's: a product by its name alone is no product. */
static void looks_like_is_no_product(void **state)
{
    struct process *p = make_process(10, "/home/im/s1-agent", NULL);
    struct event *e = make_event(OPERATION_UNLINK, "/a", p, NULL, 1);
    json_t *j;

    (void)state;
    process_set(p, &p->owner.product, bytes_of("SentinelOne"));
    process_set(p, &p->owner.product_kind, bytes_of("EDR"));
    p->owner.looks_like = true;
    j = line_of(e);
    is_not_there(j, "culprit.owner.product");
    is_not_there(j, "culprit.owner.product_kind");
    is_text(j, "culprit.owner.looks_like", "SentinelOne");
    json_decref(j);
    event_free(e);
    process_unref(p);
}

/* What the sensor saw at the moment is nearer than the record of the process. */
static void facts_of_the_moment_win(void **state)
{
    struct process *p = make_process(10, "/bin/record", NULL);
    struct event *e = make_event(OPERATION_UNLINK, "/a", p, NULL, 1);
    json_t *j;

    (void)state;
    p->cred = (struct credentials){ .known = true, .uid = 1, .euid = 1 };
    process_set(p, &p->user_name, bytes_of("daemon"));
    event_set(e, &e->actor.executable, bytes_of("/bin/moment"));
    e->actor.cred = (struct credentials){ .known = true, .uid = 0, .euid = 0 };
    e->actor.parent_pid = 77;
    j = line_of(e);
    is_text(j, "process.executable", "/bin/moment");
    is_text(j, "process.name", "moment");
    is_text(j, "process.user.id", "0");
    is_not_there(j, "process.user.name"); /* "daemon" is another one's name */
    is_number(j, "process.parent.pid", 77);
    json_decref(j);
    event_free(e);
    process_unref(p);
}

static void lineage_ends(void **state)
{
    struct process *p = NULL;
    struct event *e;
    json_t *j;

    (void)state;
    for (int i = 1; i <= 500; i++)
        p = make_process(i, "/bin/nest", p);
    e = make_event(OPERATION_UNLINK, "/a", p, NULL, 1);
    j = line_of(e);
    assert_int_equal(json_array_size(get(j, "culprit.lineage")), 64);
    json_decref(j);
    event_free(e);
    process_unref(p);
}

/* The leader is reported as he is as a parent, whose bytes that are no UTF-8 stand once. */
static void parent_is_the_leader(void **state)
{
    struct process *leader = make_process(20, "/bin/\xff", make_process(10, "/usr/sbin/sshd", NULL));
    struct process *p = make_process(30, "/bin/rm", leader);
    struct event *e = make_event(OPERATION_UNLINK, "/a", p, NULL, 1);
    json_t *j = line_of(e), *reported;

    (void)state;
    reported = json_copy(get(j, "process.entry_leader"));
    is_text(reported, "entry_meta.type", "sshd");
    json_object_del(reported, "entry_meta");
    assert_true(json_equal(reported, get(j, "process.parent")));
    is_text(j, "process.entry_leader.entity_id", "00000014000000000007d0");
    assert_int_equal(json_object_size(get(j, "culprit.raw")), 2);
    json_decref(reported);
    json_decref(j);
    event_free(e);
    process_unref(p);
}

static void gaps(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct gap gap = { .reason = LOST_RING_FULL, .count = 12, .from_ns = 1795488335000000000ull,
                       .to_ns = 1795488336000000000ull, .sensor = SENSOR_BPF, .text = "the ring was full" };
    json_t *j;

    (void)state;
    ecs_write_gap(&out, &gap, &host);
    j = parse_line(&out);
    is_text(j, "event.kind", "pipeline_error");
    is_number(j, "culprit.gap.lost", 12);
    is_text(j, "culprit.gap.from", "2026-11-24T02:45:35.000000000Z");
    is_text(j, "culprit.gap.to", "2026-11-24T02:45:36.000000000Z");
    is_text(j, "culprit.sensor", "bpf");
    is_text(j, "message", "the ring was full");
    assert_non_null(get(j, "ecs.version"));
    is_text(j, "@timestamp", "2026-11-24T02:45:36.000000000Z");
    json_decref(j);
    sbuf_clear(&out);
    /* how many is not known: 0 would say that nothing was lost */
    ecs_write_gap(&out, &(struct gap){ .reason = LOST_AUDIT_SOCKET, .from_ns = 1, .to_ns = 2 }, NULL);
    j = parse_line(&out);
    is_not_there(j, "culprit.gap.lost");
    is_not_there(j, "culprit.sensor");
    is_not_there(j, "message");
    is_not_there(j, "host");
    assert_non_null(get(j, "culprit.gap.from"));
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known_is_nothing_said),
        cmocka_unit_test(arguments_of_launchers_are_cut),
        cmocka_unit_test(reports_the_whole_story),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(every_operation_has_its_row),
        cmocka_unit_test(looks_like_is_no_product),
        cmocka_unit_test(facts_of_the_moment_win),
        cmocka_unit_test(lineage_ends),
        cmocka_unit_test(parent_is_the_leader),
        cmocka_unit_test(gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
