/* SPDX-License-Identifier: MIT */
/* Watches of paths, containers and volumes, with an engine that says what the test wants. */
#include "test.h"
#include "watch_play.h"

#include <stdlib.h>

#include "watch/coverage.h"

static void missing_host_path_is_waited_for_and_said(void **state)
{
    (void)state;
    assert_int_equal(watch("/nonexistent/x\x1b[2J", NULL), 0);
    assert_string_equal(seen.notices, "/nonexistent/x\\x1b[2J does not exist yet; waiting for it\n");
    assert_int_equal(living(), 1);
    assert_non_null(strstr(seen.explained, "/nonexistent/x"));
    watchset_poll(set);
    assert_int_equal(living(), 1);
    assert_null(strstr(strchr(seen.notices, '\n') + 1, "waiting")); /* once */
}

static void refusal_of_the_sensor_is_reported(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    seen.add_error = -EPERM;
    assert_int_equal(watch("/etc", &err), -EPERM);
    assert_string_equal(err.text, "the sensor refused");
    is_not_ours(1, OPERATION_UNLINK, "/etc/x"); /* its number is used up, and leads nowhere */
}

static void container_path(void **state)
{
    char path[200], host[200];
    struct event *e;

    (void)state;
    new_container("aaaa", T0);
    container_set(known, &known->image_name, bytes_of("shop:1"));
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_string_equal(seen.notices, "web:/prd is /prd of container web (docker, shop:1, aaaa)\n");
    assert_int_equal(living(), 2); /* the merged view and the layer behind it */
    assert_int_equal(seen.objects[0].group, seen.objects[1].group);
    e = event_on(object_of(VIEW_MERGED), OPERATION_UNLINK, "/prd/d/a");
    assert_non_null(e);
    assert_bytes(e->path, "/prd/d/a");
    assert_bytes(e->host_path, "/merged/prd/d/a");
    assert_ptr_equal(e->victim, known);
    assert_int_equal(e->victim_kind, VICTIM_CONTAINER);
    assert_true(e->since_start_known);
    assert_int_equal(e->since_start_ns, 5 * NS_PER_S);
    event_free(e);
    snprintf(host, sizeof(host), "%s/prd/a", upper);
    e = event_on(object_of(VIEW_UPPER), OPERATION_UNLINK, host);
    assert_non_null(e);
    assert_bytes(e->path, "/prd/a"); /* as the container sees it */
    assert_bytes(e->host_path, host);
    event_free(e);
    /* renamed out of the watch: the old name is the victim's, the new one the host's */
    e = make_event(OPERATION_RENAME, "/elsewhere/a", NULL, NULL, T0);
    event_set(e, &e->previous_path, bytes_of(host));
    e->object = object_of(VIEW_UPPER);
    assert_true(watchset_event(set, e));
    assert_bytes(e->previous_path, "/prd/a");
    assert_bytes(e->previous_host_path, host);
    assert_bytes(e->path, "/elsewhere/a");
    assert_bytes(e->host_path, "/elsewhere/a");
    event_free(e);
    /* a folder above moved: as the container sees it, with what went with it */
    assert_int_equal(watch("web:/srv/mid/leaf", NULL), 0);
    snprintf(host, sizeof(host), "%s/srv/mid", upper);
    snprintf(path, sizeof(path), "%s/srv/gone", upper);
    e = make_event(OPERATION_RENAME, path, NULL, NULL, T0);
    event_set(e, &e->previous_path, bytes_of(host));
    e->object = seen.objects[2].view == VIEW_UPPER ? 3 : 4;
    assert_true(watchset_event(set, e));
    assert_bytes(e->previous_path, "/srv/mid");
    assert_bytes(e->path, "/srv/gone");
    assert_bytes(e->host_path, path);
    assert_bytes(e->carried, "/srv/mid/leaf");
    event_free(e);
    snprintf(path, sizeof(path), "%s/prdx", upper);
    is_not_ours(object_of(VIEW_UPPER), OPERATION_UNLINK, path);
    assert_true(watchset_concerns(set, known));
}

/* A container comes that matches, and the engine is too slow to say where its files are: asked again, not in half a minute. */
static void match_of_a_slow_engine_is_looked_at_again(void **state)
{
    (void)state;
    assert_int_equal(watch("label:tier=front:/prd", NULL), 0);
    new_container("aaaa", T0);
    container_set(known, &known->labels, BYTES("tier=front\0"));
    engine_error = -ETIMEDOUT;
    life(LIFECYCLE_START, known);
    assert_int_equal(living(), 0);
    assert_true(seen.window); /* its first moments are kept until then */
    watchset_poll(set);
    assert_int_equal(living(), 0);
    engine_error = 0;
    watchset_poll(set);
    assert_int_equal(living(), 2);
    assert_false(seen.window);
    assert_non_null(strstr(seen.notices, "label:tier=front:/prd is /prd of container web"));
}

/* And one that was gone before the engine answered is not waited for. */
static void match_of_a_slow_engine_that_is_gone(void **state)
{
    struct container *gone;

    (void)state;
    assert_int_equal(watch("label:tier=front:/prd", NULL), 0);
    gone = container_ref(new_container("aaaa", T0));
    container_set(gone, &gone->labels, BYTES("tier=front\0"));
    engine_error = -ETIMEDOUT;
    life(LIFECYCLE_START, gone);
    assert_true(seen.window);
    engine_error = -ENOENT;
    watchset_poll(set);
    assert_false(seen.window);
    assert_int_equal(living(), 0);
    container_unref(gone);
}

static void plural_watch_takes_and_loses_containers(void **state)
{
    struct container *one;
    uint32_t first;

    (void)state;
    assert_int_equal(watch("label:tier=front:/prd", NULL), 0);
    assert_non_null(strstr(seen.notices, "no container matches label:tier=front:/prd; waiting for it"));
    assert_int_equal(living(), 0);
    one = container_ref(new_container("aaaa", T0));
    life(LIFECYCLE_START, one); /* of others */
    assert_int_equal(living(), 0);
    container_unref(one);
    one = container_ref(new_container("bbbb", T0));
    container_set(one, &one->labels, BYTES("tier=front\0"));
    assert_false(seen.window);
    running = false;
    life(LIFECYCLE_CREATE, one);
    assert_true(seen.window); /* its first moments are not to be missed */
    running = true;
    life(LIFECYCLE_START, one);
    assert_false(seen.window);
    assert_int_equal(living(), 2);
    first = object_of(VIEW_UPPER);
    /* another one with the same layer below it: one object, two victims */
    (void)new_container("cccc", T0);
    container_set(known, &known->labels, BYTES("tier=front\0"));
    known->pid = NOBODY - 1;
    life(LIFECYCLE_START, known);
    assert_int_equal(object_of(VIEW_UPPER), first);
    assert_int_equal(living(), 3);
    {
        char path[200];
        struct event *e;

        snprintf(path, sizeof(path), "%s/prd/f0", upper);
        e = event_on(first, OPERATION_UNLINK, path);
        assert_non_null(e);
        assert_bytes(e->path, "/prd/f0");
        assert_int_equal(e->sharers.len, 4); /* "web" and its NUL: both have that name */
        event_free(e);
    }
    life(LIFECYCLE_DIE, one);
    life(LIFECYCLE_DESTROY, one);
    assert_int_equal(living(), 2); /* the other one's stay */
    life(LIFECYCLE_DESTROY, known);
    assert_int_equal(living(), 0);
    container_unref(one);
}

static void each_target_has_its_own_permissions_and_key(void **state)
{
    char dir[160], path[200];
    struct target target;
    struct event *e;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/upper/prd", base);
    assert_int_equal(target_parse(bytes_of(dir), bytes_of("/"), &target, NULL), 0);
    target.permissions = PERMISSION_ATTR;
    target.key = bytes_of("attrs");
    assert_int_equal(watchset_add(set, &target, NULL), 0);
    assert_int_equal(seen.objects[0].permissions, PERMISSION_ATTR);
    snprintf(path, sizeof(path), "%s/f0", dir);
    is_not_ours(1, OPERATION_UNLINK, path);
    e = event_on(1, OPERATION_CHMOD, path);
    assert_non_null(e);
    assert_bytes(e->key, "attrs");
    event_free(e);
}

static void volume_is_watched_by_its_place(void **state)
{
    (void)state;
    assert_int_equal(watch("volume:data/prd", NULL), 0);
    assert_int_equal(living(), 1);
    assert_int_equal(seen.objects[0].view, VIEW_HOST);
    assert_non_null(strstr(seen.paths[0], "/upper/prd"));
    assert_int_equal(watch("volume:nothing/x", NULL), 0);
    assert_non_null(strstr(seen.notices, "no volume \"nothing\"; waiting for it"));
}

static struct sbuf places;

static void on_place(void *data, const struct coverage_place *p)
{
    (void)data;
    sbuf_addf(&places, "%u %.*s %.*s %.*s %.*s\n", (unsigned)p->kind, (int)p->selector.len, p->selector.data,
              (int)p->container_id.len, p->container_id.data ? p->container_id.data : "", (int)p->path.len, p->path.data,
              (int)p->host_path.len, p->host_path.data ? p->host_path.data : "");
    assert_int_equal(p->permissions, PERMISSION_WRITE | PERMISSION_ATTR);
}

/* For the record: what was asked for and what it turned out to be, each once. */
static void places_are_reported_once(void **state)
{
    char link[200], real[200], expected[900];

    (void)state;
    places = SBUF_INIT;
    snprintf(link, sizeof(link), "%s/link", upper);
    snprintf(real, sizeof(real), "%s/real", upper);
    assert_int_equal(mkdir(real, 0755), 0);
    assert_int_equal(symlink("real", link), 0);
    strcat(link, "/x");
    strcat(real, "/x");
    new_container("aaaa", T0);
    assert_int_equal(watch(link, NULL), 0);
    assert_int_equal(watch("volume:data/prd", NULL), 0);
    assert_int_equal(watch("web:/etc", NULL), 0);
    watchset_each_new_place(set, on_place, NULL);
    snprintf(expected, sizeof(expected),
             "0   %s \n0   %s/link \n0   %s \n6 data  /prd \n6 data  /prd %s/prd\n1 web  /etc \n1 web aaaa /etc %s/etc\n"
             "1 web aaaa /etc /merged/etc\n",
             link, upper, real, upper, upper);
    assert_string_equal(sbuf_str(&places), expected);
    sbuf_clear(&places);
    watchset_each_new_place(set, on_place, NULL);
    assert_int_equal(places.len, 0);
    sbuf_done(&places);
    *strrchr(link, '/') = *strrchr(real, '/') = '\0';
    (void)unlink(link);
    (void)rmdir(real);
}

static void forget_place(void *data, const struct coverage_place *p)
{
    (void)p;
    ++*(unsigned *)data;
}

/* Of the test's own table. */
static void forget_gone(void)
{
    size_t n = 0;

    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id)
            seen.objects[n++] = seen.objects[i];
    seen.count = n;
}

/* One container after the other has the name, for as long as it is watched. */
static void containers_come_and_go(void **state)
{
    const unsigned warm = 6000, all = 26000;
    unsigned reported = 0;
    size_t before = 0;
    uint32_t gone = 0;

    (void)state;
    new_container("0", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    for (unsigned i = 1; i <= all; i++) {
        char id[16];

        running = false;
        life(LIFECYCLE_DIE, known);
        running = true;
        snprintf(id, sizeof(id), "%u", i);
        new_container(id, T0 + i * NS_PER_S);
        known->pid = (pid_t)(NOBODY + i);
        life(LIFECYCLE_START, known);
        assert_in_range(living(), 1, 4);
        assert_int_not_equal(object_of(VIEW_MERGED), 0);
        if (i == warm)
            gone = object_of(VIEW_MERGED);
        forget_gone();
        seen.notices[0] = seen.explained[0] = '\0';
        watchset_each_new_place(set, forget_place, &reported);
        if (i == warm)
            before = heap_in_use();
    }
    assert_true(heap_in_use() <= before + 64 * 1024);
    assert_true(reported >= all); /* each of them is in the record */
    is_not_ours(gone, OPERATION_UNLINK, "/prd/a");
    event_free(event_on(object_of(VIEW_MERGED), OPERATION_UNLINK, "/prd/a"));
    reported = 0;
    watchset_each_new_place(set, forget_place, &reported);
    assert_int_equal(reported, 0); /* what is there now is not forgotten */
}

static void engine_that_refuses(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    engine_error = -EACCES;
    assert_int_equal(watch("web:/prd", &err), -EACCES);
    assert_string_equal(err.text, "the engine refused");
    engine_error = 0;
    new_container("aaaa", T0);
    watchset_poll(set);
    assert_int_equal(living(), 2);
    engine_error = -EACCES; /* later on it is no reason to drop what is watched */
    life(LIFECYCLE_RENAME, known);
    watchset_poll(set);
    assert_int_equal(living(), 2);
}

static void two_watches(void **state)
{
    struct event *e;

    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_int_equal(watch("/etc", NULL), 0);
    assert_string_equal(watchset_text(set).data, "web:/prd /etc");
    assert_true(seen.objects[2].group != seen.objects[0].group);
    e = event_on(object_of(VIEW_HOST), OPERATION_UNLINK, "/etc/x");
    assert_non_null(e);
    assert_bytes(e->watch_text, "/etc");
    assert_int_equal(e->watch, 1);
    assert_null(e->victim);
    event_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(host_path),
        TEST(missing_host_path_is_waited_for_and_said),
        TEST(refusal_of_the_sensor_is_reported),
        TEST(container_path),
        TEST(match_of_a_slow_engine_is_looked_at_again),
        TEST(match_of_a_slow_engine_that_is_gone),
        TEST(plural_watch_takes_and_loses_containers),
        TEST(each_target_has_its_own_permissions_and_key),
        TEST(volume_is_watched_by_its_place),
        TEST(places_are_reported_once),
        TEST(containers_come_and_go),
        TEST(engine_that_refuses),
        TEST(two_watches),
    };
    int failed;

    if (!mkdtemp(base))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    end_play();
    return rmdir(base) < 0 ? 98 : failed;
}
