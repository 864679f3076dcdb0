/* SPDX-License-Identifier: MIT */
/* Who logged in, and how the user changed on the way: by chains of processes. */
#include "test.h"

#include <stdlib.h>

#include "cause/cause.h"
#include "make.h"
#include "util/sbuf.h"

/* One process, from the outermost down. Users: 0 root, 1000 ann, 1001 bob, 65535 not known. */
struct step {
    const char *executable, *args, *tty;
    uint32_t uid, euid;
    uint32_t login;  /* 0: nobody logged in */
    bool executed;   /* the same process as the one above, after an exec */
    const char *runtime; /* of the container that it lives in */
    const char *client;  /* whose `docker exec` it is */
    const char *caller, *from; /* what called that, and from where who did */
};

#define STEPS 8
#define NONE 65535

static const struct row {
    const char *name;
    struct step steps[STEPS];
    const char *expected; /* see report(); NULL: nobody is known */
} rows[] = {
    { "logged in", { { "/usr/sbin/sshd", "sshd" }, { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 },
                     { "/bin/rm", "rm", "pts/3", 1000, 1000, 1000 } }, "ann as ann at pts/3 from 10.0.0.7 typed" },
    { "sudo, with a terminal of its own",
      { { "/usr/sbin/sshd", "sshd" }, { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 },
        { "/usr/bin/sudo", "sudo|rm", "pts/3", 0, 0, 1000 }, { "/bin/rm", "rm", "pts/4", 0, 0, 1000 } },
      "ann as root by sudo at pts/3 from 10.0.0.7 typed" },
    { "sudo, executed in its place",
      { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 }, { "/usr/bin/sudo", "sudo|rm", "pts/3", 1000, 0, 1000 },
        { "/bin/rm", "rm", "pts/3", 0, 0, 1000, .executed = true } }, "ann as root by sudo at pts/3 from 10.0.0.7 typed" },
    { "a script that calls sudo", { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 },
        { "/bin/sh", "sh|/opt/x.sh", "pts/3", 1000, 1000, 1000 }, { "/usr/bin/sudo", "sudo", "pts/3", 0, 0, 1000 },
        { "/bin/sh", "sh|-c|rm", "pts/3", 0, 0, 1000 }, { "/bin/rm", "rm", "pts/3", 0, 0, 1000 } },
      "ann as root by sudo at pts/3 from 10.0.0.7 typed" },
    { "sudo su -", { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 }, { "/usr/bin/sudo", "sudo", "pts/3", 0, 0, 1000 },
        { "/usr/bin/su", "su|-", "pts/4", 0, 0, 1000 }, { "/bin/bash", "-bash", "pts/4", 0, 0, 1000 },
        { "/bin/rm", "rm", "pts/4", 0, 0, 1000 } }, "ann as root by sudo at pts/3 from 10.0.0.7 typed" },
    { "su to another user", { { "/bin/bash", "-bash", "pts/3", 0, 0, 1000 }, { "/usr/bin/su", "su|bob", "pts/3", 0, 0, 1000 },
        { "/bin/bash", "bash", "pts/3", 1001, 1001, 1000 }, { "/bin/rm", "rm", "pts/3", 1001, 1001, 1000 } },
      "ann as bob by su at pts/3 from 10.0.0.7 typed" },
    { "sudo -u", { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 }, { "/usr/bin/sudo-rs", "sudo", "pts/3", 0, 0, 1000 },
        { "/bin/rm", "rm", "pts/3", 1001, 1001, 1000 } }, "ann as bob by sudo at pts/3 from 10.0.0.7 typed" },
    { "doas", { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 }, { "/usr/bin/doas", "doas", "pts/3", 1000, 0, 1000 },
        { "/bin/rm", "rm", "pts/3", 0, 0, 1000, .executed = true } }, "ann as root by doas at pts/3 from 10.0.0.7 typed" },
    { "a setuid executable", { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 },
        { "/opt/helper", "helper", "pts/3", 1000, 0, 1000 } }, "ann as root by setuid at pts/3 from 10.0.0.7 typed" },
    { "a setuid executable that runs a tool", { { "/bin/bash", "-bash", "pts/3", 1000, 1000, 1000 },
        { "/opt/helper", "helper", "pts/3", 1000, 0, 1000 }, { "/bin/rm", "rm", "pts/3", 0, 0, 1000 } },
      "ann as root by setuid at pts/3 from 10.0.0.7 typed" },
    { "nobody says how", { { "/opt/daemon", "daemon", NULL, 0, 0, 1000 }, { "/bin/rm", "rm", NULL, 0, 0, 1000 } },
      "ann as root from 10.0.0.7" },
    { "a cron job", { { "/usr/sbin/cron", "cron" }, { "/usr/sbin/cron", "cron", NULL, 0, 0, 1001 },
        { "/bin/sh", "sh|-c|rm", NULL, 1001, 1001, 1001 }, { "/bin/rm", "rm", NULL, 1001, 1001, 1001 } },
      "bob as bob from 10.0.0.7" },
    { "no login, sudo", { { "/bin/bash", "bash", "pts/0", 1000, 1000 }, { "/usr/bin/sudo", "sudo", "pts/0", 0, 0 },
        { "/bin/rm", "rm", "pts/1" } }, "ann as root by sudo at pts/0 from 10.0.0.7 typed" },
    { "no login, sudo as the kernel showed it at its exec", { { "/bin/bash", "bash|x", "pts/0", NONE, NONE },
        { "/usr/bin/sudo", "sudo", "pts/0", 1000, 0 }, { "/bin/rm", "rm", "pts/0" } }, "ann as root by sudo at pts/0 from 10.0.0.7" },
    { "no login, sudo su bob: who called the first", { { "/bin/bash", "bash", "pts/0", 1000, 1000 },
        { "/usr/bin/sudo", "sudo", "pts/0" }, { "/usr/bin/su", "su", "pts/0" }, { "/bin/rm", "rm", "pts/0", 1001, 1001 } },
      "ann as bob by su at pts/0 from 10.0.0.7 typed" },
    { "no login, root calls su", { { "/sbin/init", "init" }, { "/usr/bin/su", "su|bob" }, { "/bin/rm", "rm", NULL, 1001, 1001 } }, NULL },
    { "a daemon", { { "/sbin/init", "init" }, { "/opt/daemon", "daemon", NULL, 33, 33 } }, NULL },
    { "in a container: who started the engine's daemon is not who it was",
      { { "/usr/bin/containerd-shim-runc-v2", "shim", NULL, 0, 0, 1000 }, { "/bin/rm", "rm", NULL, 0, 0, 1000, .runtime = "docker" } }, NULL },
    { "in a container that has no daemon",
      { { "/usr/bin/conmon", "conmon", NULL, 1000, 1000, 1000 }, { "/bin/rm", "rm", NULL, 1000, 1000, 1000, .runtime = "podman" } },
      "ann as ann from 10.0.0.7" },
    { "docker exec", { { "/usr/bin/containerd-shim-runc-v2", "shim" },
        { "/bin/sh", "sh|-c|rm", NULL, 0, 0, 0, .runtime = "docker", .client = "ann" },
        { "/bin/rm", "rm", NULL, 0, 0, 0, .runtime = "docker" } }, "ann as root" },
    { "podman exec", { { "/usr/bin/conmon", "conmon" }, { "/bin/rm", "rm", NULL, 0, 0, 0, .runtime = "podman", .client = "ann" } },
      "ann as root" },
    { "docker exec by a program", { { "/usr/bin/containerd-shim-runc-v2", "shim" },
        { "/bin/rm", "rm", NULL, 0, 0, 0, .runtime = "docker", .client = "root", .caller = "/opt/clean.sh" } }, NULL },
    { "docker exec by root", { { "/usr/bin/containerd-shim-runc-v2", "shim" },
        { "/bin/rm", "rm", NULL, 0, 0, 0, .runtime = "docker", .client = "root", .from = "10.0.0.8" } }, "root as root from 10.0.0.8" },
};

static struct bytes name_of(uint32_t uid)
{
    return bytes_of(uid == 0 ? "root" : uid == 1000 ? "ann" : uid == 1001 ? "bob" : NULL);
}

/* Arguments are written with '|' between them. */
static void set_args(struct process *p, const char *text)
{
    char args[64] = "";
    size_t len = strlen(text) + 1;

    assert_in_range(len, 1, sizeof(args));
    memcpy(args, text, len);
    for (size_t i = 0; i < len; i++)
        if (args[i] == '|')
            args[i] = '\0';
    process_set(p, &p->args, (struct bytes){ args, len });
}

static struct process *make_step(const struct step *s, struct process *above, pid_t pid)
{
    struct process *p = s->executed ? make_process(above->pid, s->executable, process_ref(above->parent))
                                    : make_process(pid, s->executable, above);

    if (s->executed)
        p->earlier = above;
    set_args(p, s->args);
    process_set(p, &p->tty, bytes_of(s->tty));
    p->cred = (struct credentials){ .known = s->uid != NONE, .uid = s->uid, .euid = s->euid };
    process_set(p, &p->user_name, name_of(s->euid));
    process_set(p, &p->real_user_name, name_of(s->uid));
    if (s->login) {
        p->login_uid = s->login;
        process_set(p, &p->login_name, name_of(s->login));
    }
    if (s->login || s->uid == 1000)
        process_set(p, &p->remote, bytes_of("10.0.0.7"));
    if (s->runtime) {
        p->origin = ORIGIN_CONTAINER;
        p->container = make_container("aaaa", "web");
        container_set(p->container, &p->container->runtime, bytes_of(s->runtime));
    }
    if (s->client) {
        p->launch.kind = LAUNCH_EXEC;
        process_set(p, &p->launch.user, bytes_of(s->client));
        process_set(p, &p->launch.place, bytes_of(s->caller));
        process_set(p, &p->remote, bytes_of(s->from));
    }
    return p;
}

static void report(const struct person *p, struct sbuf *out)
{
    if (p->name.len)
        sbuf_add_bytes(out, p->name);
    else
        sbuf_addf(out, "%u", p->id);
    sbuf_add_str(out, " as ");
    sbuf_add_bytes(out, p->as_name);
    if (p->by.len)
        sbuf_addf(out, " by %.*s", (int)p->by.len, p->by.data);
    if (p->terminal.len)
        sbuf_addf(out, " at %.*s", (int)p->terminal.len, p->terminal.data);
    if (p->remote.len)
        sbuf_addf(out, " from %.*s", (int)p->remote.len, p->remote.data);
    if (p->interactive)
        sbuf_add_str(out, " typed");
}

static void person(void **state)
{
    const struct row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct process *p = NULL;
    struct event *e;

    for (unsigned i = 0; i < STEPS && row->steps[i].executable; i++)
        p = make_step(&row->steps[i], p, (pid_t)i + 10);
    e = make_event(OPERATION_UNLINK, "/srv/x", p, NULL, 1);
    cause_remember(e);
    assert_int_equal(e->cause.person.known, row->expected != NULL);
    if (row->expected) {
        report(&e->cause.person, &out);
        assert_string_equal(sbuf_str(&out), row->expected);
    }
    event_free(e);
    process_unref(p);
}

static struct fingerprint key_of(const struct step *steps)
{
    struct process *p = NULL;
    struct event *e;
    struct fingerprint key;

    for (unsigned i = 0; i < STEPS && steps[i].executable; i++)
        p = make_step(&steps[i], p, (pid_t)i + 10);
    e = make_event(OPERATION_UNLINK, "/srv/x", p, NULL, 1);
    cause_remember(e);
    key = e->cause.key;
    event_free(e);
    process_unref(p);
    return key;
}

/* What two people did as root is not one. */
static void people_are_distinguished(void **state)
{
    static const struct step ann[STEPS] = { { "/bin/bash", "bash|/x", NULL, 1000, 1000 }, { "/usr/bin/sudo", "sudo" }, { "/bin/rm", "rm" } };
    static const struct step bob[STEPS] = { { "/bin/bash", "bash|/x", NULL, 1001, 1001 }, { "/usr/bin/sudo", "sudo" }, { "/bin/rm", "rm" } };
    static const struct step ann_login[STEPS] = { { "/opt/d", "d" }, { "/bin/rm", "rm", NULL, 0, 0, 1000 } };
    static const struct step bob_login[STEPS] = { { "/opt/d", "d" }, { "/bin/rm", "rm", NULL, 0, 0, 1001 } };
    static const struct step ann_client[STEPS] = { { "/opt/shim", "x" }, { "/bin/rm", "rm", .runtime = "docker", .client = "ann" } };
    static const struct step bob_client[STEPS] = { { "/opt/shim", "x" }, { "/bin/rm", "rm", .runtime = "docker", .client = "bob" } };

    (void)state;
    assert_true(fingerprint_equal(key_of(ann), key_of(ann)));
    assert_false(fingerprint_equal(key_of(ann), key_of(bob)));
    assert_false(fingerprint_equal(key_of(ann_login), key_of(bob_login)));
    assert_false(fingerprint_equal(key_of(ann_client), key_of(bob_client)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(people_are_distinguished) };

    return RUN_ROWS(rows, person) + cmocka_run_group_tests(tests, NULL, NULL);
}
