/* SPDX-License-Identifier: MIT */
/* Verdicts on the page: the subject of a sentence, the lines of what was run, their width. */
#include "test.h"
#include "case_people.h"

#include "report/name_parts.h"

struct subject_row {
    const char *name;
    enum run_kind run;
    const char *what, *interpreter;
    enum launcher_kind launcher;
    const char *by, *detail;
    bool with_person, claimed;
    const char *says;
    struct bytes args;
};

static const struct subject_row subject_rows[] = {
    { "service", RUN_SCRIPT, "/srv/backup.py", "python3", LAUNCHER_SERVICE, "backup.service", NULL, false, false,
      "VERDICT  /srv/backup.py (python3), service backup.service, deleted" },
    { "timer", RUN_SCRIPT, "/usr/lib/x", "sh", LAUNCHER_TIMER, "x.service", "x.timer", false, false,
      "VERDICT  /usr/lib/x, service x.service, started by its timer, deleted" },
    { "ansible", RUN_ANSIBLE, "file", "python3", LAUNCHER_CONFIGURATION, "Ansible", "playbook site.yml", true, false,
      "VERDICT  Ansible (module file, playbook site.yml), run by ann, as root by sudo, at pts/3 from 10.0.0.7, deleted" },
    { "package", RUN_MAINTAINER, "postinst of foo", NULL, LAUNCHER_PACKAGE, "apt-get", "foo", false, false,
      "VERDICT  apt-get (foo), running the postinst of foo, on the host, deleted" },
    { "make", RUN_TARGET, "clean", "make", LAUNCHER_UNKNOWN, NULL, NULL, false, false, "VERDICT  make clean, on the host, deleted" },
    { "make without a target", RUN_TARGET, NULL, "make", LAUNCHER_CRON, "ann", NULL, false, false, "VERDICT  make, a cron job of ann, on the host, deleted" },
    { "an engine's client", RUN_COMMAND, "/usr/bin/podman", NULL, LAUNCHER_CRON, "ann", NULL, false, false, "VERDICT  podman volume rm data, a cron job of ann, on the host, deleted",
      .args = BYTES("podman\0volume\0rm\0data\0") },
    { "a class of java", RUN_MODULE, "com.example.Main", "java", LAUNCHER_UNKNOWN, NULL, NULL, false, false, "VERDICT  java com.example.Main, on the host, deleted" },
    { "log rotation that somebody called", RUN_COMMAND, "/usr/sbin/logrotate", NULL, LAUNCHER_PRODUCT, "logrotate", "log rotation", true, false,
      "VERDICT  logrotate, run by ann, as root by sudo, at pts/3 from 10.0.0.7, on the host, deleted" },
    { "an agent that somebody may have started long ago", RUN_COMMAND, "/opt/edr/agent", NULL, LAUNCHER_PRODUCT, "Some EDR", "EDR", true, false,
      "VERDICT  Some EDR's agent, on the host, deleted" },
    { "git", RUN_GIT, "checkout", "git", LAUNCHER_UNKNOWN, NULL, NULL, false, false, "VERDICT  git checkout, on the host, deleted" },
    { "module", RUN_MODULE, "pkg.tool", "python3", LAUNCHER_UNKNOWN, NULL, NULL, false, false,
      "VERDICT  python3 -m pkg.tool, on the host, deleted" },
    { "claimed", RUN_SCRIPT, "/x/y", "agent", LAUNCHER_UNKNOWN, NULL, NULL, false, true,
      "VERDICT  agent, which says it runs /x/y, on the host, deleted" },
    { "a command of culprit run", RUN_SCRIPT, "/x/y", "sh", LAUNCHER_COMMAND, NULL, NULL, false, false,
      "VERDICT  A command of culprit run (/x/y) deleted" },
    { "ssh", RUN_COMMAND, "/bin/rm", NULL, LAUNCHER_SSH, "ann", NULL, false, false,
      "VERDICT  rm, a command given to ssh by ann, on the host, deleted" },
    { "ssh, and what it was given", RUN_COMMAND, "/bin/rm", NULL, LAUNCHER_SSH, "ann", NULL, false, false,
      "VERDICT  rm -f '/srv/a b', a command given to ssh by ann, on the host, deleted", .args = BYTES("rm\0-f\0/srv/a b\0") },
    { "cron, and its command", RUN_COMMAND, "/usr/bin/find", NULL, LAUNCHER_CRON, "bob", NULL, false, false,
      "VERDICT  find /srv -delete, a cron job of bob, on the host, deleted", .args = BYTES("find\0/srv\0-delete\0") },
    { "ssh, and who logged in", RUN_COMMAND, "/bin/rm", NULL, LAUNCHER_SSH, "bob", NULL, true, false,
      "VERDICT  rm, a command given to ssh by bob, run by ann, as root by sudo, at pts/3 from 10.0.0.7, on the host, deleted" },
    { "ssh, and sudo in it", RUN_COMMAND, "/bin/rm", NULL, LAUNCHER_SSH, "ann", NULL, true, false,
      "VERDICT  rm, a command given to ssh by ann, as root by sudo, from 10.0.0.7, on the host, deleted" },
    { "an at job", RUN_SCRIPT, "/opt/purge", "sh", LAUNCHER_AT, "ann", NULL, false, false, "VERDICT  /opt/purge, an at job of ann, on the host, deleted" },
    { "an at job of commands", RUN_INPUT, "sh", NULL, LAUNCHER_AT, "ann", NULL, false, false, "VERDICT  An at job of ann, on the host, deleted" },
    { "anacron", RUN_SCRIPT, "/etc/cron.daily/x", "sh", LAUNCHER_ANACRON, "root", NULL, false, false,
      "VERDICT  /etc/cron.daily/x, an anacron job of root, on the host, deleted" },
    { "anacron alone", RUN_SCRIPT, "/etc/cron.daily/x", "sh", LAUNCHER_ANACRON, NULL, NULL, false, false,
      "VERDICT  /etc/cron.daily/x, an anacron job, on the host, deleted" },
    { "an entry point", RUN_SCRIPT, "/entry.sh", "sh", LAUNCHER_ENTRY_POINT, "web", "/entry.sh", false, false,
      "VERDICT  The entry point of container web (/entry.sh), on the host, deleted" },
    { "what an entry point runs", RUN_SCRIPT, "/bin/clean", "sh", LAUNCHER_ENTRY_POINT, "web", "/entry.sh", false, false,
      "VERDICT  /bin/clean, run by the entry point of container web (/entry.sh), on the host, deleted" },
    { "docker cp", RUN_PROGRAM, "/usr/bin/dockerd", NULL, LAUNCHER_COPY, "Docker", NULL, false, false,
      "VERDICT  dockerd, for docker cp, on the host, deleted" },
};

/* The first word is what the process calls itself. */
static const struct line_row {
    const char *name, *executable;
    struct bytes args;
    const char *says;
    enum run_kind kind; /* RUN_UNKNOWN: a command */
    const char *script;
    bool input;
} line_rows[] = {
    { "its own name", "/usr/bin/rm", { "rm\0-f\0a", 8 }, "rm -f a" },
    { "a path", "/usr/bin/rm", { "/bin/rm\0a", 10 }, "/bin/rm a" },
    { "an alternative", "/usr/bin/vim.basic", { "vi\0a", 5 }, "vi a" },
    { "a link's name", "/usr/bin/sudo", { "sudoedit\0a", 10 }, "sudoedit a" },
    { "a link's name, of an alternative", "/usr/bin/vim.basic", { "ex\0a", 4 }, "ex a" },
    { "not that one's link", "/usr/bin/sudox", { "sudoedit\0a", 10 }, "sudox a (calls itself sudoedit)" },
    { "another one's name", "/usr/bin/rm", { "/opt/innocent.sh\0-f\0a", 22 }, "rm -f a (calls itself /opt/innocent.sh)" },
    { "an empty name", "/usr/bin/rm", { "\0-f\0a", 6 }, "rm -f a" },
    { "not known what it is", "", { "/opt/x\0a", 9 }, "/opt/x a" },
    { "no arguments", "/usr/bin/rm", { "x", 1 }, "x" },
    { "a script by where it is", "/usr/bin/dash", { "sh\0./purge\0./purge\0", 19 }, "sh /opt/purge ./purge", RUN_SCRIPT, "/opt/purge" },
    { "a script by its path", "/usr/bin/dash", { "sh\0/opt/link/purge\0", 19 }, "sh /opt/link/purge", RUN_SCRIPT, "/opt/purge" },
    { "a hook", "/usr/bin/dash", { "/bin/sh\0.git/hooks/update\0x\0", 28 }, "/bin/sh /src/.git/hooks/update x", RUN_GIT_HOOK, "/src/.git/hooks/update" },
    { "not known where", "/usr/bin/dash", { "sh\0./purge\0", 11 }, "sh ./purge", RUN_SCRIPT, "./purge" },
    { "from a file", "/usr/bin/bash", { "bash\0-s\0", 8 }, "bash -s < /opt/a.sh", RUN_SCRIPT, "/opt/a.sh", true },
    { "from a pipe", "/usr/bin/bash", { "bash\0-s\0", 8 }, "standard input of bash -s", RUN_INPUT, "bash" },
    { "from a pipe, told so", "/usr/bin/python3.11", { "python3\0-\0", 10 }, "standard input of python3", RUN_INPUT, "python3.11" },
    { "typed", "/usr/bin/bash", { "-bash\0", 6 }, "a command typed in bash (a shell builtin or redirection)", RUN_BUILTIN, "bash" },
};

static void run_lines(void **state)
{
    const struct line_row *row = *state;
    struct process *p = process_new(1, 1);
    struct cause_run run = { .kind = row->kind ? row->kind : RUN_COMMAND, .process = p, .input = row->input,
                             .name = bytes_of(row->script ? row->script : row->executable) };
    struct sbuf out = SBUF_INIT;

    process_set(p, &p->executable, bytes_of(row->executable));
    name_run_line(&out, &run, row->args, 0);
    assert_string_equal(sbuf_str(&out), row->says);
    sbuf_done(&out);
    process_unref(p);
}

static void subject(void **state)
{
    const struct subject_row *row = *state;
    struct event *e;

    set_up_people(NULL);
    e = make_event(D, "/srv/a", agent, NULL, T0);
    set_cause(e, row->run, row->what, row->launcher, row->by, NULL);
    e->cause.run.interpreter = bytes_of(row->interpreter);
    e->cause.launcher.detail = bytes_of(row->detail);
    e->cause.run.claimed = row->claimed;
    event_set(e, &e->cause.run.args, row->args);
    if (row->with_person)
        person_of(e);
    case_add_event(c, e);
    event_free(e);
    says(row->says);
    tear_down_people(NULL);
}

/* sh -c TEXT: the text is no name of the entry point, but it is what was run. */
static void an_entry_point_that_is_a_text(void **state)
{
    static const char *const above[] = { "/usr/bin/docker-init", "/usr/bin/dash" };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(above); i++) {
        struct process *first = make_process(90, above[i], process_ref(init)), *shell = make_process(91, "/usr/bin/dash", process_ref(first));
        struct event *e = make_event(D, i ? "/srv/b" : "/srv/a", shell, NULL, T0);

        first->container = container_ref(web);
        shell->container = container_ref(web);
        set_cause(e, RUN_TEXT, "dash", LAUNCHER_ENTRY_POINT, "web", NULL);
        e->cause.run.args = BYTES("sh\0-c\0rm *; :\0");
        e->cause.run.process = process_ref(shell);
        e->cause.key = (struct fingerprint){ 100 + i, 0 };
        case_add_event(c, e);
        event_free(e);
        process_unref(first);
        process_unref(shell);
    }
    says("The entry point of container web (sh -c 'rm *; :') deleted /srv/a");
    says("sh -c 'rm *; :', run by the entry point of container web, deleted /srv/b");
}

/* ---- the page ---- */

static void wraps_at_the_width(void **state)
{
    unsigned longest = 0, n = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/srv/漢字漢字漢字漢字漢字 漢字漢字/%u", i);
        add_step(&(struct step){ D, path }, NULL);
        add_step(&(struct step){ M, path }, NULL);
    }
    sbuf_clear(&text);
    case_write_text(c, false, 60, &text);
    for (const char *at = sbuf_str(&text); *at; at = strchr(at, '\n') + 1, n++)
        longest = MAX(longest, escape_columns((struct bytes){ at, strcspn(at, "\n") }));
    assert_in_range(longest, 40, 60);
    assert_non_null(strstr(sbuf_str(&text), "\n         ")); /* what goes on is indented */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_point_that_is_a_text, set_up_people, tear_down_people),
        cmocka_unit_test_setup_teardown(wraps_at_the_width, set_up_people, tear_down_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(subject_rows, subject) +
           RUN_ROWS(line_rows, run_lines);
}
