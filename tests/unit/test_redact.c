/* SPDX-License-Identifier: MIT */
/* What is redacted is in no byte that any sink gets, whatever the cause is, and all else is. */
#include "test.h"

#include <stdio.h>

#include "alert/alerts.h"
#include "make.h"
#include "sink/sink.h"
#include "sink/syslog_message.h"
#include "sink/webhook_format.h"

#define NOW (1700000000ull * NS_PER_S)

/* ---- texts ---- */

static void texts(void **state)
{
    static const struct {
        const char *text, *users, *homes; /* NULL: as it is */
    } rows[] = {
        { "ann", REDACTED, NULL },
        { "/srv/ann/x", "/srv/" REDACTED "/x", NULL },
        { "su - ann, for ann@h", "su - " REDACTED ", for " REDACTED "@h", NULL },
        { "annex joann ann_ \xc3\xa4nn annä", NULL, NULL },
        { "ann-marie ann-mari", REDACTED " " REDACTED "-mari", NULL }, /* the longest */
        { "root www-data", NULL, NULL },
        { "eve@corp EVE\\eve", REDACTED "@corp EVE\\" REDACTED, NULL },
        { "/home/bob", "/home/" REDACTED, "/home/" REDACTED },
        { "/home/bob/a /var/home//bob:/x", "/home/" REDACTED "/a /var/home//" REDACTED ":/x", "/home/" REDACTED "/a /var/home//" REDACTED ":/x" },
        { "--dir=/home/bob,x '/home/bob'", "--dir=/home/" REDACTED ",x '/home/" REDACTED "'", "--dir=/home/" REDACTED ",x '/home/" REDACTED "'" },
        { "/home /home/ /homes/bob /x", NULL, NULL },
        { "", NULL, NULL },
    };
    struct redact r = { 0 };

    (void)state;
    redact_set(&r, (struct redact_rules){ .users = true });
    redact_learn(&r, BYTES("ann"), 1000);
    redact_learn(&r, BYTES("ann-marie"), UID_UNKNOWN);
    redact_learn(&r, BYTES("CORP\\eve"), 5000);
    redact_learn(&r, BYTES("root"), 0);
    redact_learn(&r, BYTES("www-data"), 33);
    redact_learn(&r, BYTES("x"), 65534);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sbuf out = SBUF_INIT;

        redact_set(&r, (struct redact_rules){ .users = true });
        redact_text(&r, bytes_of(rows[i].text), &out);
        assert_string_equal(sbuf_str(&out), rows[i].users ? rows[i].users : rows[i].text);
        sbuf_clear(&out);
        redact_set(&r, (struct redact_rules){ .homes = true });
        redact_text(&r, bytes_of(rows[i].text), &out);
        assert_string_equal(sbuf_str(&out), rows[i].homes ? rows[i].homes : rows[i].text);
        sbuf_clear(&out);
        redact_set(&r, (struct redact_rules){ .arguments = true });
        redact_text(&r, bytes_of(rows[i].text), &out);
        assert_string_equal(sbuf_str(&out), rows[i].text);
        sbuf_done(&out);
    }
    redact_done(&r);
}

static void commands(void **state)
{
    static const struct {
        struct bytes args, shown;
    } rows[] = {
        { BYTES("rm\0-rf\0/x\0"), BYTES("rm\0" REDACTED "\0") },
        { BYTES("rm\0-rf"), BYTES("rm\0" REDACTED "\0") },
        { BYTES("rm -rf /x"), BYTES("rm\0" REDACTED "\0") },
        { BYTES("sshd: ann [priv]\0"), BYTES("sshd:\0" REDACTED "\0") },
        { BYTES("/home/bob/run\0"), BYTES("/home/" REDACTED "/run\0") },
        { BYTES("rm\0"), BYTES("rm\0") },
        { BYTES("rm"), BYTES("rm") },
        { BYTES("\0x\0"), BYTES("\0" REDACTED "\0") },
        { BYTES(""), BYTES("") },
    };
    struct redact r = { 0 };

    (void)state;
    redact_set(&r, (struct redact_rules){ .arguments = true, .homes = true });
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sbuf out = SBUF_INIT;

        redact_command(&r, rows[i].args, &out);
        assert_int_equal(out.len, rows[i].shown.len);
        assert_true(!out.len || memcmp(out.data, rows[i].shown.data, out.len) == 0);
        sbuf_done(&out);
    }
    redact_done(&r);
}

static void a_path_may_have_spaces(void **state)
{
    struct redact r = { 0 };
    struct sbuf out = SBUF_INIT;

    (void)state;
    redact_set(&r, (struct redact_rules){ .homes = true });
    redact_path(&r, BYTES("/home/bob smith/a b"), &out);
    assert_string_equal(sbuf_str(&out), "/home/" REDACTED "/a b");
    sbuf_done(&out);
    redact_done(&r);
}

/* Whoever has many users loses no memory, and the newest are known. */
static void names_are_bounded(void **state)
{
    struct redact r = { 0 };
    struct sbuf out = SBUF_INIT;
    char name[300];

    (void)state;
    redact_set(&r, (struct redact_rules){ .users = true });
    for (unsigned i = 0; i < 3 * REDACT_NAMES_MAX; i++) {
        snprintf(name, sizeof(name), "user%u", i);
        redact_learn(&r, bytes_of(name), 1000 + i);
    }
    assert_int_equal(r.name_count, REDACT_NAMES_MAX);
    redact_text(&r, bytes_of(name), &out);
    assert_string_equal(sbuf_str(&out), REDACTED);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    redact_learn(&r, bytes_of(name), 1000); /* longer than any name: alone it is not said either */
    sbuf_clear(&out);
    redact_user(&r, bytes_of(name), 1000, &out);
    assert_string_equal(sbuf_str(&out), REDACTED);
    sbuf_done(&out);
    redact_done(&r);
}

/* ---- all that a sink gets ---- */

static const char *const secrets[] = { "annsecret", "argsecret", "homesecret" };

struct heard {
    unsigned messages, watched; /* watched: of those that name the watch as it is configured */
    char id[SINK_ID];
    bool has[ARRAY_SIZE(secrets)], redacted, other;
};

static void look(struct heard *h, struct bytes text)
{
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
        h->has[i] |= bytes_has(text, secrets[i]);
    h->redacted |= bytes_has(text, REDACTED);
    h->other |= bytes_has(text, "/srv/data");
}

static void on_alert(void *data, const struct alert *alert)
{
    struct heard *h = data;
    struct sink_message m = { .state = alert->state, .severity = alert->severity, .events = alert->events, .first_ns = alert->first_ns,
                              .host = BYTES("h"), .watch = alert->watch, .sentence = alert->sentence, .line = alert->line };
    struct sbuf out = SBUF_INIT;

    h->messages++;
    h->watched += bytes_equal_str(alert->watched, "/home/homesecret");
    if (alert->watched.len)
        snprintf(h->id, sizeof(h->id), "%s", alert->id);
    snprintf(m.id, sizeof(m.id), "%s", alert->id);
    m.container_id = alert->victim ? alert->victim->id : BYTES_NULL;
    m.container_name = alert->victim ? alert->victim->name : BYTES_NULL;
    sink_message_write(&m, &out); /* for the journal, files and programs: all they have */
    look(h, sbuf_bytes(&out));
    for (unsigned i = 0; sink_format(i); i++) {
        sbuf_clear(&out);
        webhook_body(bytes_of(sink_format(i)), &m, BYTES_NULL, NOW, &out);
        look(h, sbuf_bytes(&out));
    }
    sbuf_clear(&out);
    sink_syslog_message(&m, NOW, &out);
    look(h, sbuf_bytes(&out));
    sbuf_done(&out);
}

/* Takes over the reference of `parent`. */
static struct process *process_of(pid_t pid, const char *executable, struct process *parent, struct container *in)
{
    struct process *p = make_process(pid, executable, parent);

    process_set(p, &p->args, BYTES("/usr/bin/tool\0--key=argsecret\0/home/homesecret/x\0for annsecret\0"));
    process_set(p, &p->name, BYTES("annsecret"));
    process_set(p, &p->working_directory, BYTES("/home/homesecret/work"));
    process_set(p, &p->script, BYTES("/home/homesecret/bin/script"));
    process_set(p, &p->input, BYTES("/srv/annsecret/input"));
    process_set(p, &p->tty, BYTES("pts/3"));
    process_set(p, &p->user_name, BYTES("annsecret"));
    process_set(p, &p->real_user_name, BYTES("annsecret"));
    process_set(p, &p->login_name, BYTES("annsecret"));
    process_set(p, &p->group_name, BYTES("annsecret"));
    process_set(p, &p->cgroup, BYTES("/user.slice/annsecret"));
    process_set(p, &p->launch.text, BYTES("docker\0exec\0argsecret\0annsecret\0"));
    process_set(p, &p->launch.place, BYTES("/var/spool/cron/crontabs/annsecret"));
    process_set(p, &p->launch.user, BYTES("annsecret"));
    process_set(p, &p->owner.unit, BYTES("backup@annsecret.service"));
    p->launch.kind = (enum launch_kind)(1 + pid % 2);
    p->launch.looked = p->attributed = true;
    p->cred = (struct credentials){ true, 1001, 1001, 1001, 1001, 1001, 1001, 1001, 1001 };
    p->login_uid = 1001;
    p->container = container_ref(in);
    p->origin = in ? ORIGIN_CONTAINER : ORIGIN_HOST;
    return p;
}

static void set_file(struct event *e, struct file_state *f)
{
    f->known = FILE_UID | FILE_GID | FILE_MODE;
    f->uid = f->gid = 1001;
    f->mode = 0100644;
    event_set(e, &f->owner, BYTES("annsecret"));
    event_set(e, &f->group, BYTES("annsecret"));
}

static void set_cause(struct event *e, enum run_kind run, enum launcher_kind launcher, struct process *by)
{
    static const char *const users[LAUNCHER_KIND_COUNT] = { [LAUNCHER_CRON] = "annsecret", [LAUNCHER_SSH] = "annsecret",
                                                            [LAUNCHER_PERSON] = "annsecret", [LAUNCHER_SFTP] = "annsecret" };
    static const bool plain[LAUNCHER_KIND_COUNT] = { [LAUNCHER_PRODUCT] = true, [LAUNCHER_TIMER] = true, [LAUNCHER_CI] = true,
                                                     [LAUNCHER_ENTRY_POINT] = true, [LAUNCHER_SERVICE] = true };

    e->cause.run = (struct cause_run){ .kind = run, .name = BYTES("/home/homesecret/annsecret/run"), .interpreter = BYTES("sh"),
                                       .args = BYTES("sh\0-c\0argsecret annsecret\0"), .text = BYTES("rm argsecret; echo annsecret"),
                                       .directory = BYTES("/home/homesecret"), .file = BYTES("/home/homesecret/fix.mk"), .package = BYTES("tool"), .environment = BYTES("/home/homesecret/venv"),
                                       .process = process_ref(e->actor.process) };
    e->cause.launcher = (struct cause_launcher){ .kind = launcher, .name = bytes_of(users[launcher] ? users[launcher] : "launcher-annsecret"),
                                                 .detail = plain[launcher] ? BYTES("annsecret's job") : BYTES("docker\0exec\0argsecret\0annsecret\0"),
                                                 .unit = BYTES("user@annsecret.service"), .process = process_ref(by) };
    e->cause.person = (struct person){ .known = true, .id = 1001, .name = BYTES("annsecret"), .as_id = 0, .as_name = BYTES("root"),
                                       .by = BYTES("sudo"), .terminal = BYTES("pts/3"), .remote = BYTES("192.0.2.1"), .interactive = true };
    e->cause.tool = BYTES("tool");
    e->cause.key = (struct fingerprint){ 1 + (uint64_t)run, 1 + (uint64_t)launcher };
}

static struct event *change(enum run_kind run, enum launcher_kind launcher)
{
    struct container *web = make_container("0123456789abcdef", "web-annsecret");
    struct process *above = process_of(10, "/home/homesecret/bin/above", process_of(1, "/sbin/init", NULL, NULL), NULL);
    struct process *before = process_of(12, "/home/homesecret/bin/before", NULL, NULL), *actor;
    struct event *e;

    container_set(web, &web->labels, BYTES("dir=/home/homesecret\0who=annsecret\0"));
    container_set(web, &web->compose_project, BYTES("annsecret"));
    container_set(web, &web->image_name, BYTES("registry/annsecret/web"));
    container_set(web, &web->pod_namespace, BYTES("annsecret"));
    container_set(web, &web->health_check, BYTES("curl\0argsecret\0"));
    actor = process_of(12, "/usr/bin/rm", above, run % 2 ? web : NULL);
    actor->earlier = before;
    e = make_event(OPERATION_CHOWN, "/home/homesecret/annsecret/file", actor, launcher % 2 ? web : NULL, NOW);
    event_set(e, &e->previous_path, BYTES("/home/homesecret/before"));
    event_set(e, &e->host_path, BYTES("/var/lib/docker/x/home/homesecret/annsecret/file"));
    event_set(e, &e->previous_host_path, BYTES("/var/lib/docker/x/home/homesecret/before"));
    event_set(e, &e->target_path, BYTES("/home/homesecret/target"));
    event_set(e, &e->watch_text, BYTES("/home/homesecret"));
    event_set(e, &e->key, BYTES("annsecret"));
    event_set(e, &e->sharers, BYTES("db-annsecret\0"));
    event_set(e, &e->xattr, BYTES("user.annsecret"));
    event_set(e, &e->carried, BYTES("/home/homesecret/annsecret/file"));
    event_set(e, &e->actor.args, BYTES("rm\0argsecret\0"));
    event_set(e, &e->actor.working_directory, BYTES("/home/homesecret"));
    event_set(e, &e->actor.name, BYTES("annsecret"));
    event_set(e, &e->actor.script, BYTES("/home/homesecret/script"));
    event_set(e, &e->actor.cgroup, BYTES("/user.slice/annsecret"));
    set_file(e, &e->file);
    set_file(e, &e->before);
    set_file(e, &e->after);
    set_cause(e, run, launcher, above);
    process_unref(actor);
    container_unref(web);
    return e;
}

static struct heard report_it(struct redact_rules rules, enum run_kind run, enum launcher_kind launcher)
{
    static const struct ecs_host host = { .name = { "h", 1 }, .id = { "0123", 4 }, .boot_id = { "b", 1 } };
    struct heard h = { 0 };
    struct alerts_options options = { .host = &host, .data = &h, .emit = on_alert };
    const struct silence silence = { .path = BYTES("/home/homesecret"), .target = BYTES("/home/homesecret"), .by = BYTES("annsecret as root"),
                                     .reason = BYTES("annsecret's"), .from_ns = NOW, .until_ns = UINT64_MAX };
    struct event *e = change(run, launcher), *other;
    const struct silence *made;
    struct alerts *a;

    assert_int_equal(alerts_new(&options, &a), 0);
    alerts_set_redaction(a, rules);
    alerts_event(a, e, 1000 * NS_PER_S);
    alerts_event(a, e, 1000 * NS_PER_S);
    other = make_event(OPERATION_UNLINK, "/srv/data/x", e->actor.process, NULL, NOW);
    alerts_event(a, other, 1000 * NS_PER_S);
    alerts_own(a, "sink-x", SEVERITY_HIGH, "Sink x: /home/homesecret/hook: no such file.", 1000 * NS_PER_S);
    alerts_tick(a, 1003 * NS_PER_S);
    assert_int_equal(h.messages, 3);
    assert_int_equal(h.watched, 1);
    alerts_act(a, h.id, "process 9, /home/homesecret/annsecret/agent: killed");
    alerts_tick(a, 1004 * NS_PER_S);
    assert_int_equal(h.messages, 4);
    assert_int_equal(alerts_silence(a, &silence, 1004 * NS_PER_S, &made), 0);
    alerts_tick(a, 1010 * NS_PER_S);
    alerts_end(a, 1011 * NS_PER_S);
    assert_true(h.messages >= 5);
    event_free(e);
    event_free(other);
    alerts_free(a);
    return h;
}

static void nothing_of_it_is_said(void **state)
{
    static const struct {
        struct redact_rules rules;
        bool has[ARRAY_SIZE(secrets)]; /* users, arguments, homes */
    } rows[] = {
        { { 0 }, { true, true, true } },
        { { .users = true }, { false, true, false } },
        { { .arguments = true }, { true, false, true } },
        { { .homes = true }, { true, true, false } },
        { { .arguments = true, .homes = true }, { true, false, false } },
        { { true, true, true }, { false, false, false } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned run = RUN_UNKNOWN; run < RUN_KIND_COUNT; run++)
            for (unsigned launcher = LAUNCHER_UNKNOWN; launcher < LAUNCHER_KIND_COUNT; launcher++) {
                struct heard h = report_it(rows[i].rules, (enum run_kind)run, (enum launcher_kind)launcher);

                for (size_t k = 0; k < ARRAY_SIZE(secrets); k++)
                    if (h.has[k] != rows[i].has[k])
                        fail_msg("rules %zu, cause %s by %s: %s %s", i, cause_run_name((enum run_kind)run),
                                 cause_launcher_name((enum launcher_kind)launcher), secrets[k], h.has[k] ? "is said" : "is missing");
                assert_int_equal(h.redacted, i > 0);
                assert_true(h.other);
            }
}

/* It is the same matter, and as many events, however little is said. */
static void what_is_judged_is_the_truth(void **state)
{
    struct redact r = { 0 };
    struct event *e = change(RUN_SCRIPT, LAUNCHER_CRON), *shown, *again;

    (void)state;
    redact_set(&r, (struct redact_rules){ true, true, true });
    shown = redact_event(&r, e);
    again = redact_event(&r, e);
    assert_non_null(shown);
    assert_true(fingerprint_equal(shown->cause.key, e->cause.key));
    assert_ptr_equal(shown->actor.process, again->actor.process); /* one copy for all its events */
    assert_ptr_equal(shown->cause.run.process, shown->actor.process);
    assert_ptr_equal(shown->cause.launcher.process, shown->actor.process->parent);
    assert_int_equal(shown->actor.process->parent->parent->pid, 1);
    assert_int_equal(shown->actor.process->earlier->pid, 12);
    assert_int_equal(shown->actor.process->start_ns, e->actor.process->start_ns);
    assert_true(bytes_equal_str(e->path, "/home/homesecret/annsecret/file")); /* the event itself is as it was */
    assert_true(bytes_equal_str(e->actor.process->user_name, "annsecret"));
    e->actor.process->exited_ns = 7;
    event_free(again);
    again = redact_event(&r, e);
    assert_int_equal(again->actor.process->exited_ns, 7);
    redact_done(&r);
    assert_true(bytes_equal_str(shown->path, "/home/" REDACTED "/" REDACTED "/file"));
    event_free(shown);
    event_free(again);
    event_free(e);
}

static void a_long_chain_is_cut(void **state)
{
    struct redact r = { 0 };
    struct process *p = NULL;
    struct event *e, *shown;
    unsigned count = 0;

    (void)state;
    for (pid_t pid = 1; pid <= 2 * REDACT_PROCESSES_MAX; pid++)
        p = make_process(pid, "/bin/sh", p);
    e = make_event(OPERATION_UNLINK, "/x", p, NULL, NOW);
    redact_set(&r, (struct redact_rules){ .homes = true });
    shown = redact_event(&r, e);
    for (const struct process *q = shown->actor.process; q; q = q->parent)
        count++;
    assert_int_equal(count, REDACT_PROCESSES_MAX);
    event_free(shown);
    event_free(e);
    process_unref(p);
    redact_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(commands),
        cmocka_unit_test(a_path_may_have_spaces),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(nothing_of_it_is_said),
        cmocka_unit_test(what_is_judged_is_the_truth),
        cmocka_unit_test(a_long_chain_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
