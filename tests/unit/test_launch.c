/* SPDX-License-Identifier: MIT */
/* How a process was launched: crontabs, clients of engines, jobs of CI, timers. */
#include "test.h"
#include "launch_files.h"

#include <errno.h>

#include "attribution/ci_job.h"
#include "attribution/crontab.h"
#include "attribution/inside.h"
#include "attribution/launch.h"
#include "attribution/removal_client.h"
#include "attribution/start_client.h"
#include "attribution/timer.h"
#include "util/macro.h"

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

static int find(const char *user, const char *command, struct sbuf *ret)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    int r = -ETIMEDOUT;

    inside_by_root(&place, bytes_of(base));
    for (unsigned i = 0; i < 1000 && r == -ETIMEDOUT; i++) { /* a worker of a busy machine */
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

/* Who had container brave_bell (web in project shop) of image docker.io/library/shop:latest started, whose first process runs `args`. */
static const struct start_row {
    const char *name;
    struct bytes client, args;
    bool asks;
    const char *project, *directory;
    struct bytes script;
} start_rows[] = {
    { "docker run", BYTES("docker\0run\0--rm\0-v\0/a:/x\0shop\0rm\0/x\0"), BYTES("rm\0/x\0"), true },
    { "podman run with its tag", BYTES("podman\0container\0run\0shop:latest\0rm\0/x\0"), BYTES("rm\0/x\0"), true },
    { "behind the image's entry point", BYTES("docker\0run\0shop\0-f\0/x\0"), BYTES("rm\0-f\0/x\0"), true },
    { "what the image says", BYTES("docker\0run\0shop\0"), BYTES("rm\0/x\0"), true },
    { "the end of a word", BYTES("docker\0run\0shop\0m\0/x\0"), BYTES("rm\0/x\0"), false },
    { "another command", BYTES("docker\0run\0shop\0ls\0"), BYTES("rm\0/x\0"), false },
    { "another image", BYTES("docker\0run\0workshop\0rm\0/x\0"), BYTES("rm\0/x\0"), false },
    { "another tag", BYTES("docker\0run\0shop:2\0rm\0/x\0"), BYTES("rm\0/x\0"), false },
    { "another container's name", BYTES("docker\0run\0--name\0web\0shop\0rm\0/x\0"), BYTES("rm\0/x\0"), false },
    { "its name", BYTES("docker\0run\0--name=brave_bell\0" "0f3c\0"), BYTES("rm\0/x\0"), true },
    { "a name that the command has", BYTES("docker\0run\0shop\0app\0--name\0web\0"), BYTES("app\0--name\0web\0"), true },
    { "a script", BYTES("docker\0run\0shop\0clean\0-a\0"), BYTES("/bin/sh\0/bin/clean\0-a\0"), true, .script = BYTES("/bin/clean") },
    { "another script", BYTES("docker\0run\0shop\0purge\0-a\0"), BYTES("/bin/sh\0/bin/clean\0-a\0"), false, .script = BYTES("/bin/clean") },
    { "docker start", BYTES("docker\0start\0-a\0brave_bell\0"), BYTES("rm\0/x\0"), true },
    { "by the beginning of its id", BYTES("docker\0restart\0" "0123\0"), BYTES("rm\0/x\0"), true },
    { "start of another", BYTES("docker\0start\0web\0"), BYTES("rm\0/x\0"), false },
    { "exec is no start", BYTES("docker\0exec\0brave_bell\0rm\0/x\0"), BYTES("rm\0/x\0"), false },
    { "logs is no start", BYTES("docker\0logs\0brave_bell\0"), BYTES("rm\0/x\0"), false },
    { "compose run", BYTES("docker\0compose\0-p\0shop\0run\0--rm\0web\0rm\0/x\0"), BYTES("rm\0/x\0"), true, "shop" },
    { "compose run by its folder", BYTES("/usr/bin/docker-compose\0run\0-e\0A=1\0web\0rm\0/x\0"), BYTES("rm\0/x\0"), true, "myshop", "/srv/My.Shop" },
    { "compose elsewhere", BYTES("docker-compose\0run\0web\0rm\0/x\0"), BYTES("rm\0/x\0"), false, "shop", "/srv/other" },
    { "compose, not known where", BYTES("docker-compose\0run\0web\0rm\0/x\0"), BYTES("rm\0/x\0"), false, "shop" },
    { "compose run of another service", BYTES("docker-compose\0-p\0shop\0run\0db\0rm\0/x\0"), BYTES("rm\0/x\0"), false, "shop" },
    { "compose run of another command", BYTES("docker-compose\0-p\0shop\0run\0web\0ls\0"), BYTES("rm\0/x\0"), false, "shop" },
    { "compose up", BYTES("docker\0compose\0-p\0shop\0up\0-d\0"), BYTES("rm\0/x\0"), true, "shop" },
    { "compose up of it", BYTES("docker\0compose\0--project-name=shop\0up\0db\0web\0"), BYTES("rm\0/x\0"), true, "shop" },
    { "compose restart with a time-out", BYTES("docker-compose\0-p\0shop\0restart\0-t\0" "0\0"), BYTES("rm\0/x\0"), true, "shop" },
    { "compose up of another", BYTES("docker\0compose\0-p\0shop\0up\0db\0"), BYTES("rm\0/x\0"), false, "shop" },
    { "compose, and it is in no project", BYTES("docker\0compose\0-p\0shop\0up\0"), BYTES("rm\0/x\0"), false },
    { "docker run, and it is in a project", BYTES("docker\0run\0shop\0rm\0/x\0"), BYTES("rm\0/x\0"), false, "shop" },
    { "nothing", BYTES_NULL, BYTES("rm\0/x\0"), false },
};

static void starter(void **state)
{
    const struct start_row *row = *state;
    const struct start_client client = { row->client, 0, bytes_of(row->directory) };
    const struct container c = { .id = bytes_of("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
                                 .name = bytes_of("brave_bell"), .image_name = bytes_of("docker.io/library/shop:latest"),
                                 .compose_project = bytes_of(row->project), .compose_service = bytes_of(row->project ? "web" : NULL) };

    assert_int_equal(start_client_asks(&client, &c, row->args, row->script), row->asks);
}

static void attribute_nothing(void *data, struct process *p)
{
    (void)data;
    (void)p;
}

/* The client is there when the container starts, and is the only one; else nobody is named. What called it is named too, though
 * nothing is known of what launched that. */
static void who_started_it(void **state)
{
    static const struct {
        const char *name;
        uint64_t began_s, ended_s; /* of the client; the container's first process began at 100 */
        bool second, found;        /* another script's client asks for the same */
        bool other;                /* it is not what the client asked for */
        uint64_t made_s;           /* when the container was; 0: not known */
        bool rival;                /* another container runs the same since 50: one client can be that one's */
    } rows[] = {
        { "it waits", 99, 0, false, true },        { "it ended behind the start", 99, 101, false, true },
        { "it ended before", 98, 99, false, false }, { "it came later", 101, 0, false, false },
        { "long before", 10, 0, false, false },    { "two of them", 99, 0, true, false },
        { "it waits for another one", 99, 0, false, false, true },
        { "it pulled the image", 10, 0, false, true, .made_s = 99 },
        { "it ended, and something else pulled it", 10, 98, false, false, .made_s = 99 },
        { "the container was made long before the start: a policy restarts it", 10, 0, false, false, .made_s = 12 },
        { "the container was there before the client", 30, 0, false, false, .made_s = 20 },
        { "it was made by somebody else, who runs the same", 10, 0, false, false, .made_s = 99, .rival = true },
        { "two that wait for an image", 10, 0, true, false, .made_s = 99 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct process_table *table = NULL;
        struct users *users = NULL;
        bool hang = false;
        struct process *p = process_new(900000100, 100 * NS_PER_S);
        struct launch_sources sources;

        assert_int_equal(process_table_new("/nowhere", &table, NULL), 0);
        assert_int_equal(users_new(NULL, base, &users, NULL), 0);
        sources = (struct launch_sources){ .table = table, .users = users, .timers_hang = &hang, .attribute = attribute_nothing };
        for (unsigned k = 0; k <= rows[i].second; k++) {
            struct process *script = process_new((pid_t)(900000010 + k), 5 * NS_PER_S);
            struct process *client = process_new((pid_t)(900000020 + k), rows[i].began_s * NS_PER_S);

            process_set(script, &script->executable, bytes_of("/bin/dash"));
            process_set(script, &script->args, BYTES("/bin/sh\0/opt/clean.sh\0"));
            process_set(script, &script->script, bytes_of("/opt/clean.sh"));
            process_set(client, &client->executable, bytes_of("/usr/bin/docker"));
            process_set(client, &client->args, BYTES("docker\0run\0shop\0rm\0/x\0"));
            client->parent = script; /* owned */
            client->exited_ns = rows[i].ended_s * NS_PER_S;
            process_table_add(table, client);
            process_unref(client);
        }
        process_set(p, &p->args, rows[i].other ? BYTES("ls\0/x\0") : BYTES("rm\0/x\0"));
        p->earlier = process_new(p->pid, p->start_ns); /* the runtime, before it was in the container's cgroup */
        process_set(p->earlier, &p->earlier->args, BYTES("runc\0init\0"));
        p->earlier->origin = ORIGIN_HOST;
        p->origin = ORIGIN_CONTAINER;
        p->container = container_new();
        container_set(p->container, &p->container->image_name, bytes_of("shop"));
        p->container->pid = p->pid;
        p->booted_ns = 1000000 * NS_PER_S;
        p->container->created_ns = rows[i].made_s ? p->booted_ns + rows[i].made_s * NS_PER_S : 0;
        process_set(p, &p->cgroup, bytes_of("/docker/one"));
        p->mnt_ns = 7;
        if (rows[i].rival) {
            struct process *first = process_new(900000050, 50 * NS_PER_S);

            process_set(first, &first->args, p->args);
            process_set(first, &first->cgroup, bytes_of("/docker/other"));
            first->mnt_ns = 8;
            process_table_add(table, first);
            process_unref(first);
        }
        launch_find(&sources, p);
        assert_int_equal(p->launch.kind, rows[i].found ? LAUNCH_START : LAUNCH_UNKNOWN);
        assert_bytes(p->launch.place, rows[i].found ? "/opt/clean.sh" : "");
        process_unref(p);
        users_free(users);
        process_table_free(table);
    }
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

/* Of container brave_bell (web in project shop), which ended at 5 s: at 100 s its layer was removed, or that volume. */
#define NAMELESS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static const struct removal_row {
    const char *name;
    struct bytes client;
    const char *volume; /* NULL: the layer */
    bool asks;
    bool no_container, runs; /* it is not known, or had not ended */
    unsigned start_s;        /* of the client; 0: 90 */
} removal_rows[] = {
    { "rm", BYTES("docker\0rm\0-f\0brave_bell\0"), NULL, true },
    { "rm by its id", BYTES("docker\0-H\0unix:///x\0container\0rm\0" "0123\0"), NULL, true },
    { "rm of another", BYTES("docker\0rm\0-f\0web\0"), NULL, false },
    { "rm of an image", BYTES("docker\0image\0rm\0brave_bell\0"), NULL, false },
    { "rm leaves its volume", BYTES("docker\0rm\0-f\0brave_bell\0"), NAMELESS, false },
    { "rm with its volume", BYTES("docker\0rm\0-fv\0brave_bell\0"), NAMELESS, true },
    { "rm leaves what has a name", BYTES("docker\0rm\0-fv\0brave_bell\0"), "data", false },
    { "rm with a volume, whose is not known", BYTES("docker\0rm\0-fv\0brave_bell\0"), NAMELESS, false, .no_container = true },
    { "volume rm", BYTES("docker\0volume\0rm\0-f\0x\0data\0"), "data", true, .no_container = true },
    { "volume rm of another", BYTES("docker\0volume\0rm\0x\0"), "data", false },
    { "volume rm is no layer", BYTES("docker\0volume\0rm\0brave_bell\0"), NULL, false },
    { "volume ls", BYTES("docker\0volume\0ls\0data\0"), "data", false },
    { "volume prune", BYTES("docker\0volume\0prune\0-f\0"), "data", true, .no_container = true },
    { "volume prune that asks first", BYTES("docker\0volume\0prune\0"), "data", false },
    { "system prune", BYTES("docker\0system\0prune\0-af\0"), NULL, true },
    { "system prune, and it ran", BYTES("docker\0system\0prune\0-af\0"), NULL, false, .runs = true },
    { "system prune, and it ended later", BYTES("docker\0system\0prune\0-af\0"), NULL, false, .start_s = 4 },
    { "system prune leaves volumes", BYTES("docker\0system\0prune\0-af\0"), "data", false },
    { "system prune with volumes", BYTES("docker\0system\0prune\0--force\0--volumes\0"), "data", true },
    { "container prune", BYTES("docker\0container\0prune\0--force\0"), NULL, true },
    { "image prune", BYTES("docker\0image\0prune\0-f\0"), NULL, false },
    { "compose down", BYTES("docker-compose\0-p\0shop\0down\0-t\0" "0\0"), NULL, true },
    { "compose down leaves volumes", BYTES("docker-compose\0-p\0shop\0down\0-t\0" "0\0"), "shop_data", false },
    { "compose down with them", BYTES("python3\0/usr/bin/docker-compose\0-p\0shop\0down\0-v\0"), "shop_data", true },
    { "compose down with them, alone", BYTES("docker\0compose\0-p\0shop\0down\0--volumes\0"), "shop_data", true, .no_container = true },
    { "compose down of another project", BYTES("docker-compose\0-p\0workshop\0down\0-v\0"), "shop_data", false, .no_container = true },
    { "compose up", BYTES("docker-compose\0-p\0shop\0up\0-d\0--timeout\0" "0\0"), NULL, true },
    { "compose up of another service", BYTES("docker-compose\0-p\0shop\0up\0-d\0db\0"), NULL, false },
    { "compose up that stays", BYTES("docker-compose\0-p\0shop\0up\0"), NULL, false, .start_s = 1 },
    { "compose rm", BYTES("docker-compose\0-p\0shop\0rm\0-fv\0web\0"), NAMELESS, true },
    { "exec", BYTES("docker\0exec\0brave_bell\0rm\0brave_bell\0"), NULL, false },
    { "nothing", BYTES_NULL, NULL, false },
};

static void removed(void **state)
{
    const struct removal_row *row = *state;
    const struct start_client client = { row->client, (row->start_s ? row->start_s : 90) * NS_PER_S, BYTES_NULL };
    const struct container c = { .id = bytes_of(NAMELESS), .name = bytes_of("brave_bell"), .compose_project = bytes_of("shop"),
                                 .compose_service = bytes_of("web") };
    const struct removal r = { row->no_container ? NULL : &c, bytes_of(row->volume), 100 * NS_PER_S, row->runs ? 0 : 5 * NS_PER_S };

    assert_int_equal(removal_client_asks(&client, &r), row->asks);
}

static void volumes_by_their_paths(void **state)
{
    (void)state;
    assert_bytes(removal_volume(bytes_of("/var/lib/docker/volumes/data/_data/a/b")), "data");
    assert_bytes(removal_volume(bytes_of("/var/lib/docker/volumes/data/_data")), "data");
    assert_bytes(removal_volume(bytes_of("/var/lib/docker/volumes/data")), "data");
    assert_bytes(removal_volume(bytes_of("/srv/volumes/docker/volumes/data/_data/volumes/x/_data")), "data");
    assert_int_equal(removal_volume(bytes_of("/var/lib/docker/volumes/data/_datas")).len, 0);
    assert_int_equal(removal_volume(bytes_of("/var/lib/docker/volumes/")).len, 0);
    assert_int_equal(removal_volume(bytes_of("/volumes")).len, 0);
    assert_int_equal(removal_volume(BYTES_NULL).len, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_cron),
        cmocka_unit_test(trigger),
        cmocka_unit_test(fired_just_before),
        cmocka_unit_test(looked_up_once),
        cmocka_unit_test(volumes_by_their_paths),
        cmocka_unit_test(who_started_it),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down) +
           RUN_ROWS(crontab_rows, crontab_line) +
           RUN_ROWS(client_rows, client) +
           RUN_ROWS(start_rows, starter) +
           RUN_ROWS(copy_rows, copies) +
           RUN_ROWS(removal_rows, removed) +
           RUN_ROWS(job_rows, ci_job);
}
