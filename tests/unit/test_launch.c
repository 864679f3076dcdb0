/* SPDX-License-Identifier: MIT */
/* How a process was launched, and from where its login came: what files and command lines say of it. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#include "attribution/ci_job.h"
#include "attribution/crontab.h"
#include "attribution/inside.h"
#include "attribution/launch.h"
#include "attribution/timer.h"
#include "attribution/peer.h"
#include "attribution/sessions.h"

/* ---- crontabs ---- */

static const struct crontab_row {
    const char *name, *crontab;
    bool with_user;
    const char *user, *command;
    const char *expected; /* NULL: none */
} crontab_rows[] = {
    { "a user's own", "# m h\nPATH=/bin\n8 3 * * * /opt/purge --older 3\n", false, "bob", "/opt/purge --older 3",
      "8 3 * * * /opt/purge --older 3" },
    { "another command", "8 3 * * * /opt/purge --older 30\n", false, "bob", "/opt/purge --older 3", NULL },
    { "the beginning of a command", "8 3 * * * /opt/purge\n", false, "bob", "/opt/purge --older 3", NULL },
    { "tabs, no newline at the end", "*/5\t*  * * 1-5\t  sh -c 'x  y'", false, "bob", "sh -c 'x  y'",
      "*/5\t*  * * 1-5\t  sh -c 'x  y'" },
    { "a nickname", "@reboot /opt/start\n", false, "bob", "/opt/start", "@reboot /opt/start" },
    { "with a user", "17 * * * * root cd / && run-parts /etc/cron.hourly\n", true, "root", "cd / && run-parts /etc/cron.hourly",
      "17 * * * * root cd / && run-parts /etc/cron.hourly" },
    { "with another user", "17 * * * * ann rm -f /x\n", true, "root", "rm -f /x", NULL },
    { "a user's name is no command", "17 * * * * root rm -f /x\n", false, "root", "rm -f /x", NULL },
    { "input behind a percent sign", "1 1 * * * mail -s x ann%hello%there\n", false, "bob", "mail -s x ann",
      "1 1 * * * mail -s x ann%hello%there" },
    { "a percent sign", "1 1 * * * rm /x/$(date +\\%F)\n", false, "bob", "rm /x/$(date +%F)", "1 1 * * * rm /x/$(date +\\%F)" },
    { "a backslash", "1 1 * * * rm /x/\\*\n", false, "bob", "rm /x/\\*", "1 1 * * * rm /x/\\*" },
    { "a comment", "# 8 3 * * * /opt/purge\n", false, "bob", "/opt/purge", NULL },
    { "nothing", "", false, "bob", "/opt/purge", NULL },
    { "too short a line", "8 3 *\n\n", false, "bob", "/opt/purge", NULL },
};

static void crontab_line(void **state)
{
    const struct crontab_row *row = *state;
    struct bytes rest = bytes_of(row->crontab);
    struct bytes line = crontab_next(&rest, row->with_user, bytes_of(row->user), bytes_of(row->command));

    if (row->expected)
        assert_bytes(line, row->expected);
    else
        assert_int_equal(line.len, 0);
}

static char base[] = "/tmp/culprit-test-launch-XXXXXX";

static void put(const char *path, const char *text)
{
    char full[256];
    FILE *f;

    snprintf(full, sizeof(full), "%s%s", base, path);
    for (char *slash = full + strlen(base) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int find(const char *user, const char *command, struct sbuf *ret)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    int r = -ETIMEDOUT;

    inside_by_root(&place, bytes_of(base));
    for (unsigned i = 0; i < 50 && r == -ETIMEDOUT; i++) { /* a worker of a busy machine */
        sbuf_clear(ret);
        r = crontab_find(sbuf_bytes(&place), bytes_of(user), bytes_of(command), ret);
    }
    return r;
}

#define FOUND(user, command, answer) \
    do { \
        assert_int_equal(find(user, command, &m), 0); \
        assert_int_equal(m.len, sizeof(answer) - 1); \
        assert_memory_equal(m.data, answer, m.len); \
    } while (0)

static void tables_of_cron(void **state)
{
    _cleanup_sbuf_ struct sbuf m = SBUF_INIT;
    char fifo[256];

    (void)state;
    put("/var/spool/cron/crontabs/bob", "8 3 * * * /opt/purge\n5 5 * * * twice\n");
    put("/etc/crontab", "1 1 * * * root both\n2 2 * * * root both\n3 3 * * * bob same\n");
    put("/etc/cron.d/app", "5 5 * * * bob /opt/app\n3 3 * * * bob same\n6 6 * * * bob twice\n");
    put("/etc/cron.d/old.dpkg-old", "5 5 * * * bob /opt/old\n");
    snprintf(fifo, sizeof(fifo), "%s/etc/cron.d/fifo", base);
    (void)mkfifo(fifo, 0644); /* nobody waits for it */
    FOUND("bob", "/opt/purge", "/var/spool/cron/crontabs/bob\0" "8 3 * * * /opt/purge");
    FOUND("bob", "/opt/app", "/etc/cron.d/app\0" "5 5 * * * bob /opt/app");
    FOUND("bob", "same", "/etc/crontab\0" "3 3 * * * bob same"); /* the same line twice is one answer */
    assert_int_equal(find("root", "both", &m), -ENOENT);
    assert_int_equal(find("bob", "twice", &m), -ENOENT);
    assert_int_equal(find("ann", "/opt/purge", &m), -ENOENT);
    assert_int_equal(find("bob", "/opt/old", &m), -ENOENT);
    assert_int_equal(find("../crontabs/bob", "/opt/purge", &m), -ENOENT);
}

/* ---- clients of engines ---- */

static const struct client_row {
    const char *name;
    struct bytes client, names, args;
    bool asks;
    struct bytes script;
} client_rows[] = {
    { "docker exec", BYTES("docker\0exec\0-it\0web\0rm\0/x\0"), BYTES("web\0"), BYTES("rm\0/x\0"), true },
    { "another container", BYTES("docker\0exec\0web2\0rm\0/x\0"), BYTES("web\0"), BYTES("rm\0/x\0"), false },
    { "another command", BYTES("docker\0exec\0web\0bash\0"), BYTES("web\0"), BYTES("rm\0/x\0"), false },
    { "the end of a word", BYTES("docker\0exec\0web\0/bin/rm\0"), BYTES("web\0"), BYTES("rm\0"), false },
    { "by the beginning of an id", BYTES("docker\0exec\0" "0123\0sh\0"),
      BYTES("web\0" "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\0"), BYTES("sh\0"), true },
    { "too short for an id", BYTES("docker\0exec\0" "0\0sh\0"),
      BYTES("web\0" "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\0"), BYTES("sh\0"), false },
    { "kubectl", BYTES("kubectl\0-n\0x\0exec\0pod/web-0\0-c\0app\0--\0sh\0"), BYTES("web-0\0"), BYTES("sh\0"), true },
    { "compose", BYTES("docker\0compose\0exec\0db\0psql\0"), BYTES("shop-db-1\0db\0"), BYTES("psql\0"), true },
    { "run is no exec", BYTES("docker\0run\0web\0sh\0"), BYTES("web\0"), BYTES("sh\0"), false },
    { "the name is the command", BYTES("docker\0exec\0db\0web\0"), BYTES("web\0"), BYTES("web\0"), false },
    { "nothing is known of it", BYTES("docker\0exec\0web\0sh\0"), BYTES("web\0"), BYTES_NULL, false },
    { "a script", BYTES("docker\0exec\0web\0/bin/clean\0"), BYTES("web\0"), BYTES("/bin/sh\0/bin/clean\0"), true, BYTES("/bin/clean") },
    { "a script by its name, with arguments", BYTES("docker\0exec\0web\0clean\0-a\0"), BYTES("web\0"),
      BYTES("/usr/bin/python3\0-E\0/bin/clean\0-a\0"), true, BYTES("/bin/clean") },
    { "another script", BYTES("docker\0exec\0web\0/bin/purge\0"), BYTES("web\0"), BYTES("/bin/sh\0/bin/clean\0"), false, BYTES("/bin/clean") },
    { "a script's other arguments", BYTES("docker\0exec\0web\0clean\0-b\0"), BYTES("web\0"), BYTES("/bin/sh\0/bin/clean\0-a\0"), false,
      BYTES("/bin/clean") },
    { "a script that is the container's name", BYTES("docker\0exec\0clean\0"), BYTES("clean\0"), BYTES("/bin/sh\0/bin/clean\0"), false,
      BYTES("/bin/clean") },
    { "no client", BYTES_NULL, BYTES("web\0"), BYTES("sh\0"), false },
};

static void client(void **state)
{
    const struct client_row *row = *state;

    assert_int_equal(launch_client_asks(row->client, row->names, row->args, row->script), row->asks);
}

static const struct copy_row {
    const char *name;
    struct bytes client;
    const char *destination;
    bool copies;
} copy_rows[] = {
    { "into a directory", BYTES("docker\0cp\0a\0web:/prd\0"), "/prd", true },
    { "to a name in it", BYTES("docker\0cp\0-a\0/x/a\0web:/prd/b\0"), "/prd", true },
    { "container cp", BYTES("docker\0container\0cp\0a\0web:prd/\0"), "/prd", true },
    { "to a name in the root", BYTES("docker\0cp\0a\0web:/b\0"), "/", true },
    { "elsewhere", BYTES("docker\0cp\0a\0web:/etc/b\0"), "/prd", false },
    { "out of it", BYTES("docker\0cp\0web:/prd/a\0/x\0"), "/prd", false },
    { "a path with a colon", BYTES("docker\0cp\0web:/a\0./x:/prd\0"), "/prd", false },
    { "no cp", BYTES("docker\0run\0web:/prd\0"), "/prd", false },
    { "cp alone", BYTES("docker\0cp\0"), "/prd", false },
    { "nothing", BYTES_NULL, "/prd", false },
};

static void copies(void **state)
{
    const struct copy_row *row = *state;

    assert_int_equal(launch_client_copies(row->client, bytes_of(row->destination)), row->copies);
}

/* ---- jobs of CI runners ---- */

#define TEN "0123456789"

static const struct job_row {
    const char *name;
    struct bytes environment;
    const char *job; /* "" = none */
} job_rows[] = {
    { "GitHub", BYTES("A=b\0GITHUB_RUN_ID=4711\0GITHUB_JOB=build\0GITHUB_WORKFLOW=CI\0GITHUB_REPOSITORY=acme/shop\0"),
      "job build of acme/shop, workflow CI, run 4711" },
    { "GitLab", BYTES("CI_JOB_ID=8\0CI_JOB_NAME=test 1/2\0CI_PROJECT_PATH=acme/shop\0"), "job test 1/2 of acme/shop, run 8" },
    { "Buildkite", BYTES("BUILDKITE_LABEL=:hammer: build\0BUILDKITE_JOB_ID=01-x\0BUILDKITE_PIPELINE_SLUG=shop\0BUILDKITE_BUILD_NUMBER=12\0"),
      "job :hammer: build of shop, run 12" },
    { "Buildkite without a label", BYTES("BUILDKITE_LABEL=\0BUILDKITE_JOB_ID=01-x\0"), "job 01-x" },
    { "Jenkins", BYTES("JOB_NAME=shop/main\0BUILD_NUMBER=7\0STAGE_NAME=Clean up\0"), "job shop/main, workflow Clean up, run 7" },
    { "Woodpecker", BYTES("CI=true\0CI_STEP_NAME=lint\0CI_REPO=a/b\0CI_PIPELINE_NUMBER=3\0"), "job lint of a/b, run 3" },
    { "a longer name", BYTES("XGITHUB_JOB=x\0GITHUB_JOBS=y\0"), "" },
    { "an empty one", BYTES("GITHUB_JOB=\0GITHUB_RUN_ID=1\0"), "" },
    { "without its job", BYTES("GITHUB_RUN_ID=1\0BUILD_NUMBER=7\0"), "" },
    { "too long", BYTES("GITHUB_JOB=" TEN TEN TEN TEN TEN TEN TEN "012345678\xc3\xa4\0GITHUB_RUN_ID=1\0"),
      "job " TEN TEN TEN TEN TEN TEN TEN "012345678…, run 1" },
    { "nothing", BYTES_NULL, "" },
};

static void ci_job(void **state)
{
    const struct job_row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    ci_job_describe(row->environment, &out);
    assert_bytes(sbuf_bytes(&out), row->job);
}

/* ---- timers ---- */

static void trigger(void **state)
{
    (void)state;
    assert_bytes(timer_of_environment(BYTES("A=b\0TRIGGER_UNIT=purge.timer\0TRIGGER_TIMER_REALTIME_USEC=1\0")), "purge.timer");
    assert_int_equal(timer_of_environment(BYTES("TRIGGER_UNIT=drop.path\0")).len, 0);
    assert_int_equal(timer_of_environment(BYTES("TRIGGER_UNIT=.timer\0")).len, 0);
    assert_int_equal(timer_of_environment(BYTES("XTRIGGER_UNIT=purge.timer\0")).len, 0);
    assert_int_equal(timer_of_environment(BYTES_NULL).len, 0);
}

static void fired_just_before(void **state)
{
    (void)state;
    assert_bytes(timer_just_before(BYTES("tidy.timer 5000000\n"), 5200000), "tidy.timer");
    assert_bytes(timer_just_before(BYTES("other.timer 100000\ntidy.timer 5000000\nthird.timer 0\n"), 5200000), "tidy.timer");
    assert_int_equal(timer_just_before(BYTES("tidy.timer 5000000\n"), 4900000).len, 0);   /* it fired later */
    assert_int_equal(timer_just_before(BYTES("tidy.timer 5000000\n"), 60000000).len, 0);  /* long ago: by hand */
    assert_int_equal(timer_just_before(BYTES("tidy.timer 5000000\nb.timer 5100000\n"), 5200000).len, 0); /* which of them? */
    assert_int_equal(timer_just_before(BYTES("tidy.timer\ntidy.timer x\n.timer 5000000\n"), 5200000).len, 0);
    assert_int_equal(timer_just_before(BYTES_NULL, 5200000).len, 0);
}

/* What was found of a process is not looked up again when it executes something else. */
static void looked_up_once(void **state)
{
    const struct launch_sources sources = { 0 };
    struct process *before = process_new(5, 500), *p = process_new(5, 500);

    (void)state;
    process_set(before, &before->executable, bytes_of("/bin/sh"));
    process_set(p, &p->executable, bytes_of("/bin/rm"));
    before->launch = (struct launch){ .looked = true, .kind = LAUNCH_TIMER, .text = bytes_of("purge.timer") };
    p->earlier = before;
    launch_find(&sources, p);
    assert_true(p->launch.looked);
    assert_int_equal(p->launch.kind, LAUNCH_TIMER);
    assert_bytes(p->launch.text, "purge.timer");
    before->launch.kind = LAUNCH_CRONTAB; /* of that image alone */
    p->launch = (struct launch){ 0 };
    launch_find(&sources, p);
    assert_true(p->launch.looked);
    assert_int_equal(p->launch.kind, LAUNCH_UNKNOWN);
    process_unref(p);
}

/* ---- sessions ---- */

#define LOGIND "# of logind\nUID=1000\nUSER=ann\nACTIVE=1\nREMOTE=1\nREMOTE_HOST=10.0.0.7\nAUDIT=5\nLEADER=77\n"

static const struct logind_row {
    const char *name, *text;
    uint32_t session;
    const char *expected; /* NULL: none */
} logind_rows[] = {
    { "from elsewhere", LOGIND, 5, "10.0.0.7" },
    { "another session's", LOGIND, 6, NULL },
    { "at the machine itself", "REMOTE=0\nREMOTE_HOST=10.0.0.7\nAUDIT=5\n", 5, NULL },
    { "no kernel's session", "REMOTE=1\nREMOTE_HOST=10.0.0.7\n", 5, NULL },
    { "by IPv6", "AUDIT=5\nREMOTE=1\nREMOTE_HOST=fe80::1%eth0\n", 5, "fe80::1%eth0" },
    { "not an address", "AUDIT=5\nREMOTE=1\nREMOTE_HOST=a\x1b[2Jb\n", 5, NULL },
    { "nothing", "", 5, NULL },
};

static void logind(void **state)
{
    const struct logind_row *row = *state;
    struct bytes remote = sessions_parse_logind(bytes_of(row->text), row->session);

    if (row->expected)
        assert_bytes(remote, row->expected);
    else
        assert_int_equal(remote.len, 0);
}

static void utmp(void **state)
{
    struct utmpx u[3] = { { .ut_type = DEAD_PROCESS, .ut_line = "pts/1", .ut_user = "ann", .ut_host = "gone" },
                          { .ut_type = USER_PROCESS, .ut_line = "pts/1", .ut_user = "ann", .ut_host = "there.example" },
                          { .ut_type = USER_PROCESS, .ut_line = "pts/2", .ut_user = "bob", .ut_host = ":0" } };
    struct bytes text = { (const char *)u, sizeof(u) };
    char buffer[SESSIONS_ADDRESS];

    (void)state;
    assert_bytes(sessions_parse_utmp(text, bytes_of("pts/1"), bytes_of("ann"), buffer), "there.example");
    assert_int_equal(sessions_parse_utmp(text, bytes_of("pts/1"), bytes_of("bob"), buffer).len, 0);
    assert_int_equal(sessions_parse_utmp(text, bytes_of("pts/2"), bytes_of("bob"), buffer).len, 0);
    u[1].ut_addr_v6[0] = (int32_t)inet_addr("10.0.0.7");
    assert_bytes(sessions_parse_utmp(text, bytes_of("pts/1"), bytes_of("ann"), buffer), "10.0.0.7");
    text.len -= 1; /* cut */
    assert_int_equal(sessions_parse_utmp(text, bytes_of("pts/2"), bytes_of("bob"), buffer).len, 0);
}

static void environment(void **state)
{
    (void)state;
    assert_bytes(sessions_parse_environment(BYTES("HOME=/root\0SSH_CONNECTION=10.0.0.7 5000 10.0.0.1 22\0A=b\0")), "10.0.0.7");
    assert_int_equal(sessions_parse_environment(BYTES("XSSH_CONNECTION=10.0.0.7 1 2 3\0")).len, 0);
    assert_int_equal(sessions_parse_environment(BYTES("SSH_CONNECTION=\033[2J 1 2 3\0")).len, 0);
    assert_int_equal(sessions_parse_environment(BYTES("SSH_CONNECTION=10.0.0.7")).len, 0);
    assert_int_equal(sessions_parse_environment(BYTES_NULL).len, 0);
}

#define TCP_HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define TCP(remote, state, inode) "   1: 0100007F:0016 " remote " " state " 00000000:00000000 02:000AF7E3 00000000     0        0 " inode " 2 00000000 20 4\n"

static const struct peer_row {
    const char *name, *tables;
    struct bytes sockets;
    const char *address; /* "" = none */
} peer_rows[] = {
    { "IPv4", TCP_HEAD TCP("0700000A:C350", "01", "77"), BYTES("/dev/null\0socket:[77]\0"), "10.0.0.7" },
    { "IPv6", TCP_HEAD TCP("B80D0120000000000000000001000000:C350", "01", "77"), BYTES("socket:[77]\0"), "2001:db8::1" },
    { "IPv4 by a socket of IPv6", TCP_HEAD TCP("0000000000000000FFFF00000700000A:C350", "01", "77"), BYTES("socket:[77]\0"), "10.0.0.7" },
    { "one peer by two sockets", TCP_HEAD TCP("0700000A:C350", "01", "77") TCP("0700000A:C351", "01", "78"), BYTES("socket:[77]\0socket:[78]\0"), "10.0.0.7" },
    { "two peers", TCP_HEAD TCP("0700000A:C350", "01", "77") TCP("0800000A:C351", "01", "78"), BYTES("socket:[77]\0socket:[78]\0"), "" },
    { "somebody else's", TCP_HEAD TCP("0700000A:C350", "01", "777"), BYTES("socket:[77]\0"), "" },
    { "listening", TCP_HEAD TCP("00000000:0000", "0A", "77"), BYTES("socket:[77]\0"), "" },
    { "damaged", TCP_HEAD TCP("0700000A", "01", "77") TCP("xx00000A:1", "01", "77") "1: 2 3", BYTES("socket:[77]\0"), "" },
    { "nothing", "", BYTES("socket:[77]\0"), "" },
};

static void peer(void **state)
{
    const struct peer_row *row = *state;
    char buffer[PEER_ADDRESS];

    assert_bytes(peer_find(bytes_of(row->tables), row->sockets, buffer), row->address);
}

/* The socket is the kernel's word: it counts where SSH_CONNECTION says something else, and sshd is there when its command is not. */
static void where_sshd_is_connected_to(void **state)
{
    struct process *listener = process_new(80, 8000000000), *sshd = process_new(81, 8100000000), *rm = process_new(82, 8200000000);
    struct sessions *sessions;
    char proc[256], link[300];

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", base);
    put("/proc/81/stat", "81 (sshd) S 80 81 81 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 810 0 0\n");
    put("/proc/81/net/tcp", TCP_HEAD TCP("0900000A:C350", "01", "77"));
    put("/proc/81/fd/none", "");
    snprintf(link, sizeof(link), "%s/proc/81/fd/3", base);
    assert_int_equal(symlink("socket:[77]", link), 0);
    process_set(listener, &listener->executable, bytes_of("/usr/sbin/sshd"));
    process_set(sshd, &sshd->executable, bytes_of("/usr/sbin/sshd"));
    process_set(rm, &rm->executable, bytes_of("/usr/bin/rm"));
    sshd->parent = process_ref(listener);
    rm->parent = process_ref(sshd);
    assert_int_equal(sessions_new(base, proc, &sessions, NULL), 0);
    sessions_see(sessions, sshd);
    sshd->exited_ns = rm->exited_ns = 8300000000;
    for (unsigned i = 0; i < 600 && !sessions_remote(sessions, rm).len; i++)
        usleep(100000); /* a worker of a busy machine */
    assert_bytes(sessions_remote(sessions, rm), "10.0.0.9");
    assert_int_equal(sessions_remote(sessions, listener).len, 0);
    sessions_free(sessions);
    process_unref(rm);
    process_unref(sshd);
    process_unref(listener);
}

/* The first process of the session is asked where nothing was noted of it; what was found is remembered. */
static void where_a_login_came_from(void **state)
{
    struct process *sshd = process_new(70, 7000000000), *shell = process_new(71, 7100000000), *rm = process_new(72, 7200000000);
    struct sessions *sessions;
    char proc[256];

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", base);
    put("/proc/71/stat", "71 (bash) S 70 71 71 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 710 0 0\n");
    put("/proc/71/environ", "SSH_CONNECTION=10.0.0.8 5000 10.0.0.1 22");
    put("/run/systemd/sessions/5", LOGIND);
    process_set(sshd, &sshd->executable, bytes_of("/usr/lib/openssh/sshd-session"));
    process_set(shell, &shell->executable, bytes_of("/bin/bash"));
    process_set(rm, &rm->executable, bytes_of("/bin/rm"));
    shell->parent = process_ref(sshd);
    rm->parent = process_ref(shell);
    assert_int_equal(sessions_new(base, proc, &sessions, NULL), 0);
    assert_bytes(sessions_remote(sessions, rm), "10.0.0.8");
    put("/proc/71/environ", "");
    assert_bytes(sessions_remote(sessions, shell), "10.0.0.8");
    assert_int_equal(sessions_remote(sessions, sshd).len, 0);
    rm->session = 5;
    assert_bytes(sessions_remote(sessions, rm), "10.0.0.7");
    rm->session = 6;
    assert_int_equal(sessions_remote(sessions, rm).len, 0);
    sessions_free(sessions);
    process_unref(rm);
    process_unref(shell);
    process_unref(sshd);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[300];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", base);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(tables_of_cron), cmocka_unit_test(utmp), cmocka_unit_test(environment), cmocka_unit_test(trigger),
        cmocka_unit_test(fired_just_before), cmocka_unit_test(looked_up_once),
                                        cmocka_unit_test(where_a_login_came_from), cmocka_unit_test(where_sshd_is_connected_to) };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);

    failed += RUN_ROWS(crontab_rows, crontab_line);
    failed += RUN_ROWS(client_rows, client);
    failed += RUN_ROWS(copy_rows, copies);
    failed += RUN_ROWS(job_rows, ci_job);
    failed += RUN_ROWS(peer_rows, peer);
    failed += RUN_ROWS(logind_rows, logind);
    return failed;
}
