/* SPDX-License-Identifier: MIT */
/* Containers that are made for one run: known by their names or by who had them started, and what belongs together of them. */
#include "test.h"
#include "cause_chain.h"

#include <stdio.h>

#include "cause/habit.h"
#include "cause/one_off.h"

static void one_off_names(void **state)
{
    static const struct {
        const char *name;
        struct bytes client;
        bool one_off;
    } cases[] = {
        { "brave_bell", BYTES("docker\0run\0--rm\0shop\0"), true },
        { "brave_bell7", BYTES_NULL, true },
        { "zen_mirzakhani", BYTES_NULL, true },
        { "admiring_albattani", BYTES_NULL, true },
        { "compassionate_bell", BYTES_NULL, true },
        { "xenodochial_bell", BYTES_NULL, true },
        { "compassion_bell", BYTES_NULL, false }, /* no adjective of theirs, but the beginning of one */
        { "zeal_bell", BYTES_NULL, false },
        { "brave_bell", BYTES("docker\0run\0--name\0brave_bell\0shop\0"), false },
        { "brave_bell", BYTES("docker\0run\0--name=brave_bell\0shop\0"), false },
        { "brave_bell", BYTES("docker\0run\0--rm\0shop\0--name=other\0"), true }, /* the command's */
        { "shop-3f2a9", BYTES("nerdctl\0run\0shop\0"), true },
        { "web", BYTES("docker\0start\0web\0"), false },
        { "web", BYTES_NULL, false },
        { "my_app", BYTES_NULL, false },
        { "brave_bell_two", BYTES_NULL, false },
        { "brave_Bell", BYTES_NULL, false },
        { "brave_", BYTES_NULL, false },
        { "brave_7", BYTES_NULL, false },
        { "shop-app-run-3f2a9c1b07de", BYTES_NULL, true },
        { "runner-1-b45dc57c5c9c1f1c-build", BYTES_NULL, true },
        { "backup-20261130", BYTES("docker\0run\0--name\0backup-20261130\0shop\0"), true },
        { "facade", BYTES_NULL, false },
        { "deadbeefcafe", BYTES_NULL, false }, /* a word, as far as anybody can say */
        { "x3f2a9c1b07de", BYTES_NULL, false },
        { "shop-3f2a9c1b07dex", BYTES_NULL, false },
        { "", BYTES("docker\0run\0shop\0"), false },
        { "cool_app", BYTES_NULL, false }, /* a user's own */
        { "busy_worker2", BYTES_NULL, false },
        { "cool_apple", BYTES_NULL, true },
        { "k8s_app_web-7d9f8b6c5d-x2x4z_shop_3f2a9c1b-07de-4b1f-9c1b-0123456789ab_0", BYTES_NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct container c = { .id = bytes_of("0f3c"), .name = bytes_of(cases[i].name), .image_name = bytes_of("shop:1.4") };

        if (one_off_container(&c, cases[i].client) != cases[i].one_off)
            fail_msg("%s: %d", cases[i].name, !cases[i].one_off);
        c.image_name = BYTES_NULL;
        assert_false(one_off_container(&c, cases[i].client));
    }
    assert_bytes(one_off_image_name(bytes_of("registry:5000/a/shop:1.4@sha256:00")), "registry:5000/a/shop");
    assert_bytes(one_off_image_name(bytes_of("shop")), "shop");
    assert_int_equal(one_off_image_name(BYTES_NULL).len, 0);
}

/* Of compose and Kubernetes there is more to go by than a name. */
static void one_off_services(void **state)
{
    struct container c = { .id = bytes_of("0f3c"), .image_name = bytes_of("shop:1.4"), .compose_project = bytes_of("shop"), .compose_service = bytes_of("app") };

    (void)state;
    c.name = bytes_of("brave_bell"); /* by container_name */
    assert_false(one_off_container(&c, BYTES_NULL));
    c.name = bytes_of("shop-app-run-3f2a9c1b07de");
    assert_true(one_off_container(&c, BYTES_NULL));
    c.labels = BYTES("com.docker.compose.oneoff=True\0");
    assert_true(one_off_container(&c, BYTES_NULL));
    c.name = bytes_of("3f2a9c1b07de_shop_app_1"); /* an old compose, while it makes it anew */
    c.labels = BYTES("com.docker.compose.oneoff=False\0");
    assert_false(one_off_container(&c, BYTES_NULL));
    c = (struct container){ .name = bytes_of("app-3f2a9c1b07de"), .image_name = bytes_of("shop:1.4"), .pod_name = bytes_of("web-1") };
    assert_false(one_off_container(&c, BYTES_NULL));
}

/* `rm` as the first process of container `name` of `image`, which `caller` had started by docker run, or nobody knows who. */
static struct event *started_event(const char *name, const char *image, const char *caller, bool given, const char *command, const char *service)
{
    const struct step steps[STEPS] = { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2" }, { "/usr/bin/rm", "rm|/x", .inside = true } };
    struct container *plain = web;
    struct process *p;
    struct event *e;
    char client[100];

    web = make_container(name, name);
    container_set(web, &web->image_name, bytes_of(image));
    container_set(web, &web->compose_service, bytes_of(service));
    p = make_chain(steps);
    web->pid = p->pid;
    snprintf(client, sizeof(client), given ? "docker|run|--name|%s|%s|%s" : "docker|run|--rm|%.0s%s|%s", name, image, command);
    if (caller) {
        p->launch.kind = LAUNCH_START;
        set_words(p, &p->launch.text, client);
        process_set(p, &p->launch.place, bytes_of(caller));
        process_set(p, &p->launch.user, bytes_of("root"));
    }
    e = make_event(OPERATION_UNLINK, "/srv/x", p, NULL, 1);
    cause_remember(e);
    assert_int_equal(e->cause.launcher.kind, LAUNCHER_ENTRY_POINT);
    process_unref(p);
    container_unref(web);
    web = plain;
    return e;
}

/* An hourly `docker run --rm` is one matter, whatever its container is called each time. */
static void one_off_containers_belong_together(void **state)
{
    static const struct {
        const char *names[2], *images[2], *callers[2];
        bool given, same, habit;
        const char *commands[2], *services[2];
    } cases[] = {
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.4" }, { "/opt/a", "/opt/a" }, false, true, true },
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.4" }, { NULL, NULL }, false, true, true },
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.5" }, { "/opt/a", "/opt/a" }, false, false, true },
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "web:1.4" }, { "/opt/a", "/opt/a" }, false, false, false },
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.4" }, { "/opt/a", "/opt/b" }, false, false, true },
        { { "web", "db" }, { "shop:1.4", "shop:1.4" }, { "/opt/a", "/opt/a" }, true, false, false },
        { { "web", "db" }, { "shop:1.4", "shop:1.4" }, { NULL, NULL }, false, false, false },
        /* two jobs of cron */
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.4" }, { "cron", "cron" }, false, false, false, { "rm|/srv/cache/x", "rm|/srv/orders/x" } },
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.4" }, { "cron", "cron" }, false, true, true, { "rm|/srv/2026-11-30", "rm|/srv/2026-12-01" } },
        /* a script that starts one for each file */
        { { "brave_bell", "sad_noether" }, { "shop:1.4", "shop:1.4" }, { "/opt/a", "/opt/a" }, false, true, true, { "rm|/srv/cache/x", "rm|/srv/orders/x" } },
        /* two services of one image */
        { { "brave_bell-run-3f2a9c1b07de", "shop-run-4f2a9c1b07de" }, { "shop:1.4", "shop:1.4" }, { NULL, NULL }, false, false, false, .services = { "app", "worker" } },
        { { "brave_bell-run-3f2a9c1b07de", "shop-run-4f2a9c1b07de" }, { "shop:1.4", "shop:1.4" }, { NULL, NULL }, false, true, true, .services = { "app", "app" } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct event *a = started_event(cases[i].names[0], cases[i].images[0], cases[i].callers[0], cases[i].given, cases[i].commands[0] ? cases[i].commands[0] : "",
                                         cases[i].services[0] ? cases[i].services[0] : "");
        struct event *b = started_event(cases[i].names[1], cases[i].images[1], cases[i].callers[1], cases[i].given, cases[i].commands[1] ? cases[i].commands[1] : "",
                                         cases[i].services[1] ? cases[i].services[1] : "");

        assert_int_equal(fingerprint_equal(a->cause.key, b->cause.key), cases[i].same);
        assert_int_equal(fingerprint_equal(cause_find_habit(a), cause_find_habit(b)), cases[i].habit);
        assert_int_equal(a->cause.image.len > 0, bytes_starts_with(bytes_of(cases[i].names[0]), bytes_of("brave_bell")));
        event_free(a);
        event_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_off_names), cmocka_unit_test(one_off_services), cmocka_unit_test(one_off_containers_belong_together) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
