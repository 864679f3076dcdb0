/* SPDX-License-Identifier: MIT */
/* What Docker answers, and what something that is not Docker could answer in its place. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/docker_json.h"
#include "util/sbuf.h"

#define ID "4d1c0f3ab2e95d7786a1b0c4d9e8f7061524334251607f8e9dacbbcad9e8f706"

/* ---- times ---- */

static const struct time_row {
    const char *name, *text;
    uint64_t ns;
} times[] = {
    { "nanoseconds", "2026-11-24T02:45:35.123456789Z", 1795488335123456789ull },
    { "no fraction", "2026-11-24T02:45:35Z", 1795488335000000000ull },
    { "an offset", "2026-11-24T03:45:35+01:00", 1795488335000000000ull },
    { "Docker's zero", "0001-01-01T00:00:00Z", 0 },
    { "nothing", "", 0 },
    { "no time", "soon", 0 },
    { "a word for people", "today", 0 },
    { "a word that would go below zero", "recent", 0 },
    { "another one", "boot", 0 },
    { "a duration", "0s", 0 },
    { "a date alone", "2026-11-24", 0 },
    { "month 13", "2026-13-24T02:45:35Z", 0 },
    { "hour 25", "2026-11-24T25:45:35Z", 0 },
    { "rest behind it", "2026-11-24T02:45:35Zx", 0 },
    { "a year that no 64 bits hold", "9999-12-31T23:59:59Z", 0 },
    { "too long", "2026-11-24T02:45:35.123456789123456789123456789123456789123456789Z", 0 },
};

static void reads_time(void **state)
{
    const struct time_row *row = *state;

    assert_int_equal(docker_parse_time(bytes_of(row->text)), row->ns);
}

static void time_ends_at_its_length(void **state)
{
    (void)state;
    assert_int_equal(docker_parse_time((struct bytes){ "2026-11-24T02:45:35Zjunk", 20 }),
                     1795488335000000000ull);
    assert_int_equal(docker_parse_time(BYTES("2026-11-24T02:45:35Z\0x")), 0);
    assert_int_equal(docker_parse_time(BYTES_NULL), 0);
}

/* ---- inspect ---- */

static const char full[] =
    "{\"Id\":\"" ID "\",\"Created\":\"2026-11-24T02:45:30Z\",\"Name\":\"/web\","
    "\"State\":{\"Running\":true,\"Pid\":4242,\"StartedAt\":\"2026-11-24T02:45:35.5Z\"},"
    "\"Config\":{\"Image\":\"nginx:1.25\",\"Healthcheck\":{\"Test\":[\"CMD\",\"curl\",\"-f\",\"http://x/\"]},\"Labels\":{\"com.docker.compose.project\":\"shop\","
    "\"com.docker.compose.service\":\"front\",\"other\":\"x\"}},"
    "\"HostConfig\":{\"Tmpfs\":{\"/run\":\"size=64m\",\"not/absolute\":\"\"}},"
    "\"GraphDriver\":{\"Name\":\"overlay2\",\"Data\":{\"MergedDir\":\"/d/merged\",\"UpperDir\":\"/d/diff\","
    "\"LowerDir\":\"/l/1:/l/2::relative:/l/3\"}},"
    "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"data\",\"Source\":\"/v/data\",\"Destination\":\"/data\",\"RW\":true},"
    "{\"Type\":\"bind\",\"Source\":\"/srv\",\"Destination\":\"/srv\",\"RW\":false},"
    "{\"Type\":\"bind\",\"Source\":\"/nowhere\"},"
    "{\"Type\":\"bind\",\"Source\":\"/x\",\"Destination\":\"etc\"},"
    "7,null,\"text\"]}";

static void reads_inspect(void **state)
{
    struct container_view v;
    struct container *c;

    (void)state;
    assert_int_equal(docker_parse_inspect(bytes_of(full), &v, NULL), 0);
    c = v.container;
    assert_bytes(c->id, ID);
    assert_bytes(c->name, "web");
    assert_bytes(c->image_name, "nginx:1.25");
    assert_bytes(c->compose_project, "shop");
    assert_bytes(c->compose_service, "front");
    assert_false(bytes_known(c->pod_name));
    assert_true(bytes_equal(c->health_check, BYTES("curl\0-f\0http://x/\0")));
    assert_int_equal(c->pid, 4242);
    assert_int_equal(c->created_ns, 1795488330000000000ull);
    assert_int_equal(c->started_ns, 1795488335500000000ull);
    assert_true(v.running);
    assert_bytes(v.merged, "/d/merged");
    assert_bytes(v.upper, "/d/diff");
    assert_int_equal(v.lower_count, 3); /* the empty and the relative one are none */
    assert_bytes(v.lower[0], "/l/1");
    assert_bytes(v.lower[2], "/l/3");
    assert_int_equal(v.mount_count, 3); /* volume, bind, tmpfs; nothing without an absolute place */
    assert_bytes(v.mounts[0].name, "data");
    assert_false(v.mounts[0].read_only);
    assert_bytes(v.mounts[1].destination, "/srv");
    assert_true(v.mounts[1].read_only);
    assert_bytes(v.mounts[2].type, "tmpfs");
    assert_bytes(v.mounts[2].destination, "/run");
    assert_false(bytes_known(v.mounts[2].source));
    container_view_done(&v);
}

static const struct health_row {
    const char *name, *config;
    struct bytes args;
} healths[] = {
    { "by a shell", "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl x || exit 1\"]}}", { "/bin/sh\0-c\0curl x || exit 1\0", sizeof("/bin/sh\0-c\0curl x || exit 1\0") - 1 } },
    { "by the image's shell", "{\"Shell\":[\"/bin/bash\",\"-ec\"],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x\"]}}",
      { "/bin/bash\0-ec\0x\0", sizeof("/bin/bash\0-ec\0x\0") - 1 } },
    { "an empty shell", "{\"Shell\":[],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x\"]}}", { "/bin/sh\0-c\0x\0", sizeof("/bin/sh\0-c\0x\0") - 1 } },
    { "an empty argument", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\",\"\"]}}", { "x\0\0", sizeof("x\0\0") - 1 } },
    { "without a form", "{\"Healthcheck\":{\"Test\":[\"curl\",\"x\"]}}", { "curl\0x\0", sizeof("curl\0x\0") - 1 } },
    { "none", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}", { NULL, 0 } },
    { "an empty list", "{\"Healthcheck\":{\"Test\":[]}}", { NULL, 0 } },
    { "a form alone", "{\"Healthcheck\":{\"Test\":[\"CMD\"]}}", { NULL, 0 } },
    { "a form of a shell alone", "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\"]}}", { NULL, 0 } },
    { "an empty form", "{\"Healthcheck\":{\"Test\":[\"\",\"x\"]}}", { NULL, 0 } },
    { "no text", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\",7]}}", { NULL, 0 } },
    { "a NUL", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\\u0000y\"]}}", { NULL, 0 } },
    { "no list", "{\"Healthcheck\":{\"Test\":\"CMD x\"}}", { NULL, 0 } },
    { "no object", "{\"Healthcheck\":[\"CMD\",\"x\"]}", { NULL, 0 } },
    { "a shell that is none", "{\"Shell\":[7],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x\"]}}", { NULL, 0 } },
};

static void reads_health_check(void **state)
{
    const struct health_row *row = *state;
    struct container_view v;
    char body[512];

    snprintf(body, sizeof(body), "{\"Id\":\"%s\",\"Config\":%s}", ID, row->config);
    assert_int_equal(docker_parse_inspect(bytes_of(body), &v, NULL), 0);
    assert_true(bytes_equal(v.container->health_check, row->args));
    container_view_done(&v);
}

/* Nothing is compared with a part of a command. */
static void a_long_health_check_is_left_out(void **state)
{
    struct container_view v;
    char body[6000];
    int n = snprintf(body, sizeof(body), "{\"Id\":\"%s\",\"Config\":{\"Healthcheck\":{\"Test\":[\"CMD\",\"", ID);

    (void)state;
    memset(body + n, 'x', 4096);
    snprintf(body + n + 4096, sizeof(body) - (size_t)n - 4096, "\"]}}}");
    assert_int_equal(docker_parse_inspect(bytes_of(body), &v, NULL), 0);
    assert_int_equal(v.container->health_check.len, 0);
    container_view_done(&v);
}

/* Each of these is refused, and none may read what is not there. */
static const struct bad_row {
    const char *name, *body;
} bad[] = {
    { "nothing", "" },
    { "a blank", " " },
    { "no JSON", "<html>502</html>" },
    { "cut", "{\"Id\":\"" ID "\",\"Name\":\"/we" },
    { "rest behind it", "{\"Id\":\"" ID "\"} {}" },
    { "a list", "[{\"Id\":\"" ID "\"}]" },
    { "a text", "\"" ID "\"" },
    { "no id", "{\"Name\":\"/web\"}" },
    { "empty id", "{\"Id\":\"\"}" },
    { "id is a number", "{\"Id\":4711}" },
    { "id is a list", "{\"Id\":[\"" ID "\"]}" },
    { "id is null", "{\"Id\":null}" },
    { "number too large for any integer", "{\"Id\":\"a\",\"State\":{\"Pid\":99999999999999999999999}}" },
    { "number too large for a real", "{\"Id\":\"a\",\"x\":1e99999}" },
    { "not UTF-8", "{\"Id\":\"a\",\"Name\":\"/\xff\xfe\"}" },
    { "half a surrogate", "{\"Id\":\"a\",\"Name\":\"/\\ud800\"}" },
    { "a raw control byte", "{\"Id\":\"a\",\"Name\":\"/\x01\"}" },
    { "an error message of Docker", "{\"message\":\"No such container: web\"}" },
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct container_view v = { .mount_count = 77 };
    struct err err = ERR_INIT;

    assert_int_equal(docker_parse_inspect(bytes_of(row->body), &v, &err), -EBADMSG);
    assert_true(err.text[0]);
    assert_int_equal(v.mount_count, 77); /* written only on success */
    assert_int_equal(docker_parse_inspect(bytes_of(row->body), &v, NULL), -EBADMSG);
}

/* Members of a wrong type or of silly values are not known; the rest is. */
static const struct odd_row {
    const char *name, *body;
} odd[] = {
    { "only an id", "{\"Id\":\"a\"}" },
    { "everything null", "{\"Id\":\"a\",\"Name\":null,\"State\":null,\"Config\":null,\"HostConfig\":null,"
                         "\"GraphDriver\":null,\"Mounts\":null,\"Created\":null}" },
    { "everything a number", "{\"Id\":\"a\",\"Name\":1,\"State\":1,\"Config\":1,\"HostConfig\":1,"
                             "\"GraphDriver\":1,\"Mounts\":1,\"Created\":1}" },
    { "everything a list", "{\"Id\":\"a\",\"Name\":[],\"State\":[1],\"Config\":[],\"HostConfig\":[2],"
                           "\"GraphDriver\":[[]],\"Mounts\":[[],[{}]],\"Created\":[]}" },
    { "mounts an object", "{\"Id\":\"a\",\"Mounts\":{\"Destination\":\"/x\"}}" },
    { "tmpfs a list", "{\"Id\":\"a\",\"HostConfig\":{\"Tmpfs\":[\"/run\"]}}" },
    { "pid too large", "{\"Id\":\"a\",\"State\":{\"Running\":true,\"Pid\":9223372036854775807}}" },
    { "pid negative", "{\"Id\":\"a\",\"State\":{\"Running\":true,\"Pid\":-1}}" },
    { "pid a text", "{\"Id\":\"a\",\"State\":{\"Running\":true,\"Pid\":\"12\"}}" },
    { "pid real", "{\"Id\":\"a\",\"State\":{\"Running\":true,\"Pid\":12.0}}" },
    { "not running: the pid is an old one", "{\"Id\":\"a\",\"State\":{\"Running\":false,\"Pid\":4242}}" },
    { "running is a text", "{\"Id\":\"a\",\"State\":{\"Running\":\"true\",\"Pid\":4242}}" },
    { "layers of another driver", "{\"Id\":\"a\",\"GraphDriver\":{\"Name\":\"btrfs\",\"Data\":{"
                                  "\"UpperDir\":\"/d\",\"LowerDir\":\"/l\"}}}" },
    { "layers a list", "{\"Id\":\"a\",\"GraphDriver\":{\"Name\":\"overlay2\",\"Data\":{"
                       "\"UpperDir\":[\"/d\"],\"LowerDir\":[\"/l\"]}}}" },
    { "layers all empty", "{\"Id\":\"a\",\"GraphDriver\":{\"Name\":\"overlay2\",\"Data\":{"
                          "\"LowerDir\":\":::\"}}}" },
    { "name only a slash", "{\"Id\":\"a\",\"Name\":\"/\"}" },
};

static void knows_only_the_id(void **state)
{
    const struct odd_row *row = *state;
    struct container_view v;

    assert_int_equal(docker_parse_inspect(bytes_of(row->body), &v, NULL), 0);
    assert_bytes(v.container->id, "a");
    assert_false(bytes_known(v.container->name));
    assert_false(bytes_known(v.container->image_name));
    assert_int_equal(v.container->pid, 0);
    assert_int_equal(v.container->created_ns, 0);
    assert_int_equal(v.container->started_ns, 0);
    assert_int_equal(v.mount_count, 0);
    assert_int_equal(v.lower_count, 0);
    assert_int_equal(v.upper.len, 0);
    container_view_done(&v);
}

static void keeps_every_byte_of_a_name(void **state)
{
    struct container_view v;

    (void)state;
    assert_int_equal(docker_parse_inspect(BYTES("{\"Id\":\"a\",\"Name\":\"/w\\u001b[2J\\nb\\u0000c\\\"\"}"),
                                          &v, NULL),
                     0);
    assert_int_equal(v.container->name.len, 10);
    assert_memory_equal(v.container->name.data, "w\x1b[2J\nb\0c\"", 10);
    container_view_done(&v);
}

static void first_of_doubled_members_does_not_crash(void **state)
{
    struct container_view v;

    (void)state;
    assert_int_equal(docker_parse_inspect(BYTES("{\"Id\":\"a\",\"Id\":\"b\",\"Mounts\":[],\"Mounts\":3}"), &v,
                                          NULL),
                     0);
    assert_bytes(v.container->id, "b");
    container_view_done(&v);
}

static void bears_depth_and_width(void **state)
{
    struct sbuf deep = SBUF_INIT, wide = SBUF_INIT;
    struct container_view v;

    (void)state;
    sbuf_add_str(&deep, "{\"Id\":\"a\",\"x\":");
    for (unsigned i = 0; i < 200000; i++)
        sbuf_add_char(&deep, '[');
    assert_int_equal(docker_parse_inspect(sbuf_bytes(&deep), &v, NULL), -EBADMSG);
    sbuf_add_str(&wide, "{\"Id\":\"a\",\"GraphDriver\":{\"Name\":\"overlay2\",\"Data\":{\"LowerDir\":\"");
    for (unsigned i = 0; i < 20000; i++)
        sbuf_addf(&wide, "/l/%u:", i);
    sbuf_add_str(&wide, "\"}},\"Mounts\":[");
    for (unsigned i = 0; i < 20000; i++)
        sbuf_addf(&wide, "%s{\"Destination\":\"/m/%u\"}", i ? "," : "", i);
    sbuf_add_str(&wide, "]}");
    assert_int_equal(docker_parse_inspect(sbuf_bytes(&wide), &v, NULL), 0);
    assert_int_equal(v.lower_count, 20000);
    assert_bytes(v.lower[19999], "/l/19999");
    assert_int_equal(v.mount_count, 20000);
    container_view_done(&v);
    sbuf_done(&deep);
    sbuf_done(&wide);
}

/* An answer that the connection cut anywhere is refused everywhere. */
static void refuses_every_cut(void **state)
{
    struct container_view v;

    (void)state;
    for (size_t len = 0; len < sizeof(full) - 1; len++) {
        char *copy = malloc(len + 1); /* of exactly that size: a sanitizer sees the byte behind it */

        assert_non_null(copy);
        memcpy(copy, full, len);
        assert_int_equal(docker_parse_inspect((struct bytes){ copy, len }, &v, NULL), -EBADMSG);
        free(copy);
    }
}

/* ---- lists ---- */

struct collected {
    struct container *list[8];
    size_t count, stop_at;
};

static int collect(void *data, struct container *c)
{
    struct collected *all = data;

    all->list[all->count++] = container_ref(c);
    return all->count == all->stop_at ? -EXFULL : 0;
}

static void drop(struct collected *all)
{
    for (size_t i = 0; i < all->count; i++)
        container_unref(all->list[i]);
    *all = (struct collected){ 0 };
}

static void reads_list(void **state)
{
    static const char body[] =
        "[{\"Id\":\"a\",\"Names\":[\"/web\",\"/alias\"],\"Image\":\"i\",\"Created\":1795488330,"
        "\"Labels\":{\"io.kubernetes.pod.name\":\"p\",\"io.kubernetes.pod.namespace\":\"ns\","
        "\"io.kubernetes.container.name\":\"c\"}},"
        "{\"Names\":[\"/no-id\"]},7,null,"
        "{\"Id\":\"b\",\"Names\":[],\"Created\":-5},"
        "{\"Id\":\"c\",\"Names\":\"/text\",\"Created\":9223372036854775807,\"Labels\":[]}]";
    struct collected all = { 0 };

    (void)state;
    assert_int_equal(docker_parse_list(bytes_of(body), collect, &all, NULL), 0);
    assert_int_equal(all.count, 3);
    assert_bytes(all.list[0]->name, "web");
    assert_bytes(all.list[0]->pod_name, "p");
    assert_bytes(all.list[0]->pod_namespace, "ns");
    assert_bytes(all.list[0]->pod_container, "c");
    assert_int_equal(all.list[0]->created_ns, 1795488330000000000ull);
    assert_false(bytes_known(all.list[1]->name));
    assert_int_equal(all.list[1]->created_ns, 0);
    assert_false(bytes_known(all.list[2]->name));
    assert_int_equal(all.list[2]->created_ns, 0); /* no time that nanoseconds can hold */
    drop(&all);
    all.stop_at = 2;
    assert_int_equal(docker_parse_list(bytes_of(body), collect, &all, NULL), -EXFULL);
    assert_int_equal(all.count, 2);
    drop(&all);
    assert_int_equal(docker_parse_list(BYTES("[]"), collect, &all, NULL), 0);
    assert_int_equal(docker_parse_list(BYTES("{}"), collect, &all, NULL), -EBADMSG);
    assert_int_equal(docker_parse_list(BYTES("[{\"Id\":\"a\"}"), collect, &all, NULL), -EBADMSG);
    assert_int_equal(docker_parse_list(BYTES_NULL, collect, &all, NULL), -EBADMSG);
    assert_int_equal(all.count, 0); /* a damaged list gives nothing, not a part */
}

/* ---- events ---- */

#define EVENT(action, attributes, more) \
    "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{" attributes \
    "}}" more "}"

static const struct event_row {
    const char *name, *body;
    int r;
    enum lifecycle_kind kind;
    int exit_code;
    uint64_t time_ns;
    const char *container, *previous;
} events[] = {
    { "start", EVENT("start", "\"name\":\"web\",\"image\":\"i\"", ",\"timeNano\":1795488335123456789"), 1,
      LIFECYCLE_START, -1, 1795488335123456789ull, "web", NULL },
    { "die", EVENT("die", "\"name\":\"web\",\"exitCode\":\"137\"", ""), 1, LIFECYCLE_DIE, 137, 0, "web", NULL },
    { "die, exit code 0", EVENT("die", "\"name\":\"web\",\"exitCode\":\"0\"", ""), 1, LIFECYCLE_DIE, 0, 0, "web", NULL },
    { "die, no code", EVENT("die", "\"name\":\"web\"", ""), 1, LIFECYCLE_DIE, -1, 0, "web", NULL },
    { "die, silly code", EVENT("die", "\"exitCode\":\"99999999999999999999\"", ""), 1, LIFECYCLE_DIE, -1, 0, NULL, NULL },
    { "die, negative code", EVENT("die", "\"exitCode\":\"-1\"", ""), 1, LIFECYCLE_DIE, -1, 0, NULL, NULL },
    { "die, code 256", EVENT("die", "\"exitCode\":\"256\"", ""), 1, LIFECYCLE_DIE, -1, 0, NULL, NULL },
    { "a code where none belongs", EVENT("start", "\"exitCode\":\"3\"", ""), 1, LIFECYCLE_START, -1, 0, NULL, NULL },
    { "rename", EVENT("rename", "\"name\":\"new\",\"oldName\":\"/old\"", ""), 1, LIFECYCLE_RENAME, -1, 0, "new", "old" },
    { "destroy", EVENT("destroy", "", ""), 1, LIFECYCLE_DESTROY, -1, 0, NULL, NULL },
    { "negative time", EVENT("oom", "", ",\"timeNano\":-5"), 1, LIFECYCLE_OOM, -1, 0, NULL, NULL },
    { "time a text", EVENT("pause", "", ",\"timeNano\":\"12\""), 1, LIFECYCLE_PAUSE, -1, 0, NULL, NULL },
    { "exec_create is no moment of a container", EVENT("exec_create: sh", "", ""), 0, 0, 0, 0, NULL, NULL },
    { "only begins like one", EVENT("starting", "", ""), 0, 0, 0, 0, NULL, NULL },
    { "health_status", EVENT("health_status: healthy", "", ""), 0, 0, 0, 0, NULL, NULL },
    { "an image's", "{\"Type\":\"image\",\"Action\":\"create\",\"Actor\":{\"ID\":\"x\"}}", 0, 0, 0, 0, NULL, NULL },
    { "no type", "{\"Action\":\"start\",\"Actor\":{\"ID\":\"x\"}}", 0, 0, 0, 0, NULL, NULL },
    { "no actor", "{\"Type\":\"container\",\"Action\":\"start\"}", 0, 0, 0, 0, NULL, NULL },
    { "actor a list", "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":[\"x\"]}", 0, 0, 0, 0, NULL, NULL },
    { "empty id", "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"\"}}", 0, 0, 0, 0, NULL, NULL },
    { "an empty object", "{}", 0, 0, 0, 0, NULL, NULL },
    { "cut", "{\"Type\":\"container\",\"Action\":\"sta", -EBADMSG, 0, 0, 0, NULL, NULL },
    { "nothing", "", -EBADMSG, 0, 0, 0, NULL, NULL },
    { "time too large", EVENT("start", "", ",\"timeNano\":99999999999999999999"), -EBADMSG, 0, 0, 0, NULL, NULL },
};

static void reads_event(void **state)
{
    const struct event_row *row = *state;
    struct lifecycle_event life = { .exit_code = 4711 };

    assert_int_equal(docker_parse_event(bytes_of(row->body), &life, NULL), row->r);
    if (row->r != 1) {
        assert_int_equal(life.exit_code, 4711);
        assert_null(life.container);
        return;
    }
    assert_int_equal(life.kind, row->kind);
    assert_int_equal(life.exit_code, row->exit_code);
    assert_int_equal(life.time_ns, row->time_ns);
    assert_bytes(life.container->id, ID);
    assert_bytes(life.container->name, row->container ? row->container : "");
    assert_bytes(life.previous_name, row->previous ? row->previous : "");
    assert_int_equal(life.container->started_ns, row->kind == LIFECYCLE_START ? row->time_ns : 0);
    container_unref(life.container);
}

/* ---- version ---- */

static void reads_version(void **state)
{
    char text[64], small[4] = "xyz";

    (void)state;
    assert_int_equal(docker_parse_version(BYTES("{\"Version\":\"20.10.24+dfsg1\"}"), text, sizeof(text)), 0);
    assert_string_equal(text, "20.10.24+dfsg1");
    assert_int_equal(docker_parse_version(BYTES("{\"Version\":\"20.10.24\"}"), small, sizeof(small)), 0);
    assert_string_equal(small, "20.");
    assert_int_equal(docker_parse_version(BYTES("{\"Version\":\"\"}"), text, sizeof(text)), -EBADMSG);
    assert_int_equal(docker_parse_version(BYTES("{\"Version\":20}"), text, sizeof(text)), -EBADMSG);
    assert_int_equal(docker_parse_version(BYTES("[]"), text, sizeof(text)), -EBADMSG);
    assert_int_equal(docker_parse_version(BYTES_NULL, text, sizeof(text)), -EBADMSG);
    assert_string_equal(text, "20.10.24+dfsg1");
    /* kept as they are: doctor escapes what it prints */
    assert_int_equal(docker_parse_version(BYTES("{\"Version\":\"1\\u001b[2J\"}"), text, sizeof(text)), 0);
    assert_string_equal(text, "1\x1b[2J");
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(time_ends_at_its_length),
        cmocka_unit_test(reads_inspect),
        cmocka_unit_test(a_long_health_check_is_left_out),
        cmocka_unit_test(keeps_every_byte_of_a_name),
        cmocka_unit_test(first_of_doubled_members_does_not_crash),
        cmocka_unit_test(bears_depth_and_width),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(reads_list),
        cmocka_unit_test(reads_version),
    };

    return RUN_ROWS(times, reads_time) + RUN_ROWS(bad, refuses) + RUN_ROWS(odd, knows_only_the_id) + RUN_ROWS(healths, reads_health_check) +
           RUN_ROWS(events, reads_event) + cmocka_run_group_tests(more, NULL, NULL);
}
