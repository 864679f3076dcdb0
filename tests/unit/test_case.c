/* SPDX-License-Identifier: MIT */
/* Verdicts: who is accused, of how much, what is folded, what is said where nobody is. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <jansson.h>

#include "make.h"
#include "report/case.h"
#include "util/escape.h"

#define T0 1795488335000000000ull

static struct case_ *c;
static struct sbuf text;
static struct container *web;
static struct process *init, *agent, *app, *runc;

static int set_up(void **state)
{
    (void)state;
    c = case_new(&(struct case_options){ .target = bytes_of("web:/prd"), .command_status = -1 });
    text = SBUF_INIT;
    web = make_container("0123456789abcdef", "web");
    init = make_process(1, "/usr/lib/systemd/systemd", NULL);
    agent = make_process(10, "/opt/x/agent", process_ref(init));
    app = make_process(20, "/usr/bin/app", process_ref(init));
    app->origin = ORIGIN_CONTAINER;
    app->container = container_ref(web);
    runc = make_process(30, "/usr/bin/runc", process_ref(init));
    process_set(runc, &runc->owner.product, bytes_of("OCI runtime"));
    process_set(runc, &runc->owner.product_kind, bytes_of("container runtime"));
    return c ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    case_free(c);
    sbuf_done(&text);
    process_unref(agent);
    process_unref(app);
    process_unref(runc);
    process_unref(init);
    container_unref(web);
    return 0;
}

/* One event by `who` on the container's file, `ms` after T0. */
static void add(enum operation op, const char *path, struct process *who, unsigned ms, int error)
{
    struct event *e = make_event(op, path, who, web, T0 + ms * NS_PER_MS);

    e->error = error;
    event_set(e, &e->watch_text, bytes_of("web:/prd"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

static void move(const char *from, const char *to, struct process *who, unsigned ms)
{
    struct event *e = make_event(OPERATION_RENAME, to, who, web, T0 + ms * NS_PER_MS);

    event_set(e, &e->previous_path, bytes_of(from));
    event_set(e, &e->watch_text, bytes_of("web:/prd"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

static const char *written(void)
{
    sbuf_clear(&text);
    case_write_text(c, false, 0, &text);
    return sbuf_str(&text);
}

static void says(const char *what)
{
    if (!strstr(written(), what))
        fail_msg("not said: %s\nbut:\n%s", what, sbuf_str(&text));
}

static void says_not(const char *what)
{
    if (strstr(written(), what))
        fail_msg("said: %s\nin:\n%s", what, sbuf_str(&text));
}

static unsigned verdicts(void)
{
    unsigned n = 0;

    for (const char *at = written(); (at = strstr(at, "VERDICT")); at++)
        n++;
    return n;
}

/* All lines, each parsed by itself. */
static json_t *lines(void)
{
    json_t *all = json_array();
    const char *at;

    sbuf_clear(&text);
    case_write_json(c, &text);
    for (at = sbuf_str(&text); *at; at = strchr(at, '\n') + 1) {
        json_error_t where;
        json_t *line = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES, &where);

        if (!line)
            fail_msg("%s at %d: %s", where.text, where.position, at);
        assert_non_null(strchr(at, '\n'));
        assert_string_equal(json_string_value(json_object_get(json_object_get(line, "event"), "kind")), "alert");
        assert_non_null(json_object_get(json_object_get(line, "ecs"), "version"));
        json_array_append_new(all, line);
    }
    return all;
}

static json_t *verdict_of(json_t *all, size_t i)
{
    return json_object_get(json_object_get(json_array_get(all, i), "culprit"), "verdict");
}

static long long number(json_t *object, const char *key)
{
    json_t *v = json_object_get(object, key);

    if (!json_is_integer(v))
        fail_msg("%s is no number", key);
    return json_integer_value(v);
}

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
    says("wrote /prd/a of container web");
    process_unref(writer);
    process_unref(moder);
}

/* ---- noise ---- */

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
    says(": 101 changes of their own set-up, none of them a deletion; 1 more attempt was refused");
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(
        number(json_object_get(json_object_get(json_array_get(all, 0), "culprit"), "noise"), "changes"), 101);
    json_decref(all);
}

static void noise_alone_is_what_happened(void **state)
{
    (void)state;
    add(OPERATION_CREATE, "/prd/a", app, 1, 0);
    assert_int_equal(verdicts(), 1);
    says("app, in container web itself, created /prd/a");
    says_not("set-up");
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
    says("app: 10 changes of their own set-up, none of them a deletion");
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
    says("1 of its own temporary files deleted");
}

/* ---- what ---- */

static void moved_then_deleted(void **state)
{
    (void)state;
    move("/prd/conf", "/prd/.trash/conf", agent, 1);
    add(OPERATION_UNLINK, "/prd/.trash/conf", agent, 2, 0);
    says("agent, on the host, deleted /prd/conf of container web (moved away first)");
    says_not("renamed");
    says_not("temporary");
}

static void moved_twice_by_two(void **state)
{
    (void)state;
    move("/prd/conf", "/prd/a", app, 1);
    move("/prd/a", "/prd/b", agent, 2);
    add(OPERATION_UNLINK, "/prd/b", agent, 3, 0);
    says("agent, on the host, deleted /prd/conf of container web (moved away first)");
}

static void moved_out_of_the_watch_is_gone(void **state)
{
    (void)state;
    move("/prd/conf", "/quarantine/1", agent, 1);
    move("/prd/kept", "/prd/kept2", app, 2);
    says("agent, on the host, moved away /prd/conf of container web");
    assert_int_equal(verdicts(), 1);
    move("/prdx/other", "/other", agent, 3); /* not of the watch, though it begins like it */
    says("renamed 2 files");
}

static void saved_by_an_editor(void **state)
{
    struct process *vim = make_process(60, "/usr/bin/vim", process_ref(init));

    (void)state;
    add(OPERATION_CREATE, "/prd/a.swp", vim, 1, 0);
    add(OPERATION_WRITE, "/prd/a.swp", vim, 2, 0);
    move("/prd/a.swp", "/prd/a", vim, 3);
    add(OPERATION_REPLACE, "/prd/a", vim, 3, 0);
    says("vim, on the host, replaced /prd/a of container web");
    process_unref(vim);
}

static void denied_attempts(void **state)
{
    json_t *all;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        add(OPERATION_UNLINK, "/prd/conf", agent, i, EPERM);
    assert_int_equal(verdicts(), 1);
    says("agent, on the host, tried to unlink /prd/conf and was refused (EPERM)");
    says_not("deleted");
    says_not("4 files");
    add(OPERATION_UNLINK, "/prd/conf2", agent, 9, EPERM);
    says("tried to unlink 2 files");
    all = lines();
    assert_int_equal(number(verdict_of(all, 0), "deleted"), 0);
    json_decref(all);
    assert_true(case_answered(c));
    add(OPERATION_UNLINK, "/prd/other", agent, 10, 0); /* a success is the news, then */
    says("agent, on the host, deleted /prd/other of container web");
    says("refused (EPERM)");
}

/* Attempted, and the record of the outcome was lost. */
static void unknown_outcome_is_no_deed(void **state)
{
    json_t *all;

    (void)state;
    add(OPERATION_UNLINK, "/prd/conf", agent, 1, -1);
    says("tried to unlink /prd/conf (whether it did is not known)");
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
    says("opened for writing /prd/log");
    says("wrote /prd/log");
    says_not("100 files");
    add(OPERATION_WRITE, "/prd/log2", agent, 200, 0);
    says("wrote 2 files");
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
    says("made /prd/conf writable of container web");
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
    assert_int_equal(verdicts(), LIMIT_CASE_GROUPS / 8);
}

/* ---- when ---- */

static void pattern_over_starts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/prd/a", agent, web, T0 + i * 3600 * NS_PER_S);
        struct life life = { .kind = LIFE_START, .container = web };

        e->since_start_known = true;
        e->since_start_ns = (int64_t)((900 + 200 * i) * NS_PER_MS);
        case_add_event(c, e);
        case_add_life(c, &life);
        event_free(e);
    }
    says(", 0.9 s after web started.");
    says("after each of the last 3 starts, 0.9 to 1.3 s after the start");
    case_add_life(c, &(struct life){ .kind = LIFE_START, .container = web });
    says("after 3 of the last 4 starts");
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

/* ---- what cannot be told ---- */

static void gaps_are_named(void **state)
{
    json_t *all, *culprit;
    struct gap gap = { .reason = LOST_RING_FULL, .count = 12, .from_ns = T0, .to_ns = T0 + NS_PER_S,
                       .text = "the ring was full" };

    (void)state;
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    says("nothing lost");
    assert_int_equal(case_lost(c), 0);
    case_add_gap(c, &gap);
    says("12 lost: the verdict may be incomplete");
    says("the ring was full");
    assert_int_equal(case_lost(c), 12);
    /* names of processes lost are no changes lost */
    case_add_gap(c, &(struct gap){ .reason = LOST_PROCESS_EVENTS, .count = 5, .from_ns = T0, .to_ns = T0 });
    assert_int_equal(case_lost(c), 12);
    case_add_gap(c, &(struct gap){ .reason = LOST_AUDIT_SOCKET, .from_ns = T0, .to_ns = T0 });
    says("12 and more lost");
    for (int i = 0; i < 100; i++)
        case_add_gap(c, &gap);
    assert_int_equal(case_lost(c), 1212);
    all = lines();
    culprit = json_object_get(json_array_get(all, 0), "culprit");
    assert_int_equal(number(culprit, "lost"), 1212);
    assert_int_equal(number(culprit, "gaps"), 103);
    assert_true(json_is_true(json_object_get(culprit, "lost_unknown")));
    json_decref(all);
}

static void gap_of_unknown_size_is_not_zero(void **state)
{
    json_t *all, *culprit;

    (void)state;
    case_add_gap(c, &(struct gap){ .reason = LOST_AUDIT_SOCKET, .from_ns = T0, .to_ns = T0 });
    assert_true(case_lost(c) > 0);
    says("how many is not known");
    says_not("nothing lost");
    all = lines();
    culprit = json_object_get(json_array_get(all, 0), "culprit");
    assert_null(json_object_get(culprit, "lost"));
    assert_true(json_is_true(json_object_get(culprit, "lost_unknown")));
    json_decref(all);
}

static void explanations(void **state)
{
    json_t *all;

    (void)state;
    case_add_explanation(c, EXPLANATION_BEFORE, T0, 0, BYTES_NULL);
    assert_false(case_answered(c));
    says("web:/prd was not there when the observation began");
    case_free(c);
    c = case_new(&(struct case_options){ .target = bytes_of("web:/prd") });
    case_add_explanation(c, EXPLANATION_RECREATED, T0, 21, bytes_of("w\x1b[2Jb"));
    add(OPERATION_UNLINK, "/prd/a", runc, 1, 0); /* the runtime drops the layer: told by the explanation */
    assert_true(case_answered(c));
    says("VERDICT  Nobody deleted these files: container w\\x1b[2Jb was created anew, and its writable layer with "
         "21 files was dropped");
    says_not("VERDICT  OCI");
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    add(OPERATION_UNLINK, "/prd/b", agent, 2, 0);
    says("VERDICT  agent");
    says("also      Nobody deleted these files");
    for (int i = 0; i < 15; i++)
        assert_int_equal(case_add_explanation(c, EXPLANATION_HIDDEN, T0, 0, bytes_of("/prd")), 0);
    assert_int_equal(case_add_explanation(c, EXPLANATION_HIDDEN, T0, 0, bytes_of("/prd")), -ENOSPC);
}

static void names_alone_make_no_claim(void **state)
{
    struct process *p = make_process(80, "", process_ref(init));

    (void)state;
    process_set(p, &p->name, bytes_of("s1-agent"));
    process_set(p, &p->owner.product, bytes_of("SentinelOne"));
    process_set(p, &p->owner.product_kind, bytes_of("EDR"));
    p->owner.looks_like = true;
    add(OPERATION_UNLINK, "/prd/a", p, 1, 0);
    says("A process that looks like \"s1-agent\" (name only; its executable is not known)");
    says("looks like SentinelOne (EDR), by its name only");
    says_not("SentinelOne's agent");
    process_unref(p);
    add(OPERATION_UNLINK, "/prd/b", NULL, 2, 0);
    says("A process that is not known deleted /prd/b");
}

static void hostile_names_do_nothing(void **state)
{
    static const char evil[] = "/\x1b]0;x\x07\n\r\t\x7f\x9b" "2J\xe2\x80\xae\xff\"";
    struct container *other = make_container(evil, evil);
    struct process *p = make_process(90, evil, make_process(91, evil, process_ref(init)));
    struct event *e = make_event(OPERATION_CHMOD, evil, p, other, T0);
    json_t *all;

    (void)state;
    p->origin = ORIGIN_CONTAINER;
    p->container = container_ref(other);
    p->cred.known = true;
    process_set(p, &p->user_name, bytes_of(evil));
    process_set(p, &p->script, bytes_of(evil));
    process_set(p, &p->args, bytes_of(evil));
    process_set(p, &p->owner.unit, bytes_of(evil));
    process_set(p, &p->owner.package, bytes_of(evil));
    process_set(p, &p->owner.package_version, bytes_of(evil));
    process_set(p, &p->owner.product, bytes_of(evil));
    process_set(p, &p->owner.product_kind, bytes_of(evil));
    e->since_start_known = true;
    case_free(c);
    c = case_new(&(struct case_options){ .target = bytes_of(evil), .command = bytes_of(evil) });
    case_add_event(c, e);
    e->operation = OPERATION_UNLINK;
    case_add_event(c, e);
    e->operation = OPERATION_WRITE;
    event_set(e, &e->path, bytes_of("/other"));
    case_add_event(c, e);
    case_add_coverage(c, &(struct coverage){ .from_ns = T0, .watch = bytes_of(evil), .not_seen = bytes_of(evil) });
    case_add_explanation(c, EXPLANATION_TMPFS, T0, 1, bytes_of(evil));
    for (struct bytes rest = (written(), sbuf_bytes(&text)); rest.len;) {
        uint32_t code = 0;
        unsigned n = utf8_decode(rest, &code);

        assert_true(n > 0);
        assert_true(code >= 0x20 || code == '\n');
        assert_true(code != 0x7f && !(code >= 0x80 && code < 0xa0) && code != 0x202e);
        rest = (struct bytes){ rest.data + n, rest.len - n };
    }
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    event_free(e);
    process_unref(p);
    container_unref(other);
}

/* ---- from the store ---- */

static void rollups_count_like_events(void **state)
{
    struct event *samples[3], *one;
    struct store_rollup rollup = { .count = 500, .first_ns = T0, .last_ns = T0 + 60 * NS_PER_S };

    (void)state;
    for (int i = 0; i < 3; i++) {
        char path[32];

        snprintf(path, sizeof(path), "/prd/f%d", i);
        samples[i] = make_event(OPERATION_UNLINK, path, agent, web, T0 + (unsigned)i);
    }
    rollup.sample = samples[0];
    assert_int_equal(case_add_rollup(c, &rollup, samples, 3), 0);
    assert_int_equal(case_events(c), 500);
    says("agent, on the host, deleted 500 files of container web");
    one = make_event(OPERATION_WRITE, "/prd/log", agent, web, T0);
    rollup = (struct store_rollup){ .sample = one, .count = 70, .first_ns = T0, .last_ns = T0 + 1 };
    assert_int_equal(case_add_rollup(c, &rollup, NULL, 0), 0);
    assert_int_equal(case_events(c), 570);
    says_not("70 files"); /* writes, of how many files is not known */
    says("files written in /prd (70 times)");
    event_free(one);
    for (int i = 0; i < 3; i++)
        event_free(samples[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_seen),
        TEST(one_agent_of_many_processes_is_one),
        TEST(another_launcher_is_another_culprit),
        TEST(the_worst_comes_first),
        TEST(set_up_of_the_container_is_noise),
        TEST(noise_alone_is_what_happened),
        TEST(deletion_in_the_container_is_no_noise),
        TEST(own_temporary_files_are_no_deletion),
        TEST(a_name_is_one_file_at_a_time),
        TEST(moved_then_deleted),
        TEST(moved_twice_by_two),
        TEST(moved_out_of_the_watch_is_gone),
        TEST(saved_by_an_editor),
        TEST(denied_attempts),
        TEST(unknown_outcome_is_no_deed),
        TEST(one_file_many_times),
        TEST(mode_that_lets_write),
        TEST(long_runs_are_folded_and_counted),
        TEST(too_many_programs_are_counted),
        TEST(pattern_over_starts),
        TEST(own_command),
        TEST(gaps_are_named),
        TEST(gap_of_unknown_size_is_not_zero),
        TEST(explanations),
        TEST(names_alone_make_no_claim),
        TEST(hostile_names_do_nothing),
        TEST(rollups_count_like_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
