/* SPDX-License-Identifier: MIT */
/* Watches through a container's life: it starts, ends, starts anew, is found late, gets another layer. */
#include "test.h"
#include "watch_play.h"

#include <stdlib.h>

static void container_that_is_not_there_yet(void **state)
{
    struct container *other = make_container("bbbb", "db");

    (void)state;
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_string_equal(seen.notices, "no container \"web\"; waiting for it\n");
    assert_true(watchset_is_waiting(set));
    assert_true(seen.window);
    assert_int_equal(living(), 0);
    watchset_poll(set);
    life(LIFECYCLE_START, other); /* somebody else's */
    assert_string_equal(seen.notices, "no container \"web\"; waiting for it\n");
    assert_false(watchset_concerns(set, other));
    life(LIFECYCLE_START, new_container("aaaa", T0));
    assert_int_equal(living(), 2);
    assert_false(watchset_is_waiting(set));
    assert_false(seen.window);
    assert_non_null(strstr(seen.notices, "web:/prd is /prd of container web"));
    container_unref(other);
}

/* The engine said that it runs, and by the time that it was to be watched it did not: its next life must not begin unseen. */
static void ended_while_it_was_looked_at(void **state)
{
    uint32_t layer;

    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    layer = object_of(VIEW_UPPER);
    running = false;
    life(LIFECYCLE_DIE, known);
    running = true;
    seen.ended = true;
    new_container("aaaa", T0 + 10 * NS_PER_S);
    known->pid = NOBODY + 1;
    life(LIFECYCLE_START, known);
    assert_true(seen.window);
    assert_true(watchset_is_waiting(set));
    assert_int_equal(object_of(VIEW_UPPER), layer);
    assert_int_equal(living(), 1);
    life(LIFECYCLE_DIE, known);
    assert_true(seen.window);
    seen.ended = false;
    known->pid = NOBODY + 2;
    life(LIFECYCLE_START, known);
    assert_false(seen.window);
    assert_int_equal(living(), 2);
}

static void restart_keeps_what_stays(void **state)
{
    uint32_t layer, merged;
    struct event *e;
    char path[200];

    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    layer = object_of(VIEW_UPPER);
    merged = object_of(VIEW_MERGED);
    running = false;
    life(LIFECYCLE_DIE, known);
    assert_true(seen.window);
    running = true;
    new_container("aaaa", T0 + 10 * NS_PER_S);
    known->pid = NOBODY + 1;
    life(LIFECYCLE_START, known);
    assert_false(seen.window);
    assert_int_equal(object_of(VIEW_UPPER), layer); /* did not blink */
    assert_true(object_of(VIEW_MERGED) != merged);
    assert_int_equal(living(), 2);
    /* a late notification of a view that is gone: it was in a sensor's queue while we looked the container up */
    e = event_on(merged, OPERATION_UNLINK, "/prd/a");
    assert_non_null(e);
    assert_bytes(e->path, "/prd/a");
    assert_bytes(e->victim->id, "aaaa");
    assert_int_equal(e->since_start_ns, 5 * NS_PER_S); /* of the life that it belongs to */
    event_free(e);
    snprintf(path, sizeof(path), "%s/prd/a", upper);
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, -(int64_t)(5 * NS_PER_S)); /* 5 s before the new start */
    event_free(e);
    assert_string_equal(seen.explained, ""); /* the layer is the same: nothing was dropped */
    assert_null(strstr(strchr(seen.notices, '\n') + 1, "is /prd of")); /* and is not reported again */
}

/* The engine is slow: the new life has begun, and what it looks like is not known yet. */
static void start_is_not_the_one_before(void **state)
{
    uint32_t layer;
    struct event *e;
    char path[200];

    (void)state;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    layer = object_of(VIEW_UPPER);
    snprintf(path, sizeof(path), "%s/prd/a", upper);
    life(LIFECYCLE_DIE, known);
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_false(e->since_start_known);
    event_free(e);
    engine_error = -ETIMEDOUT;
    watchset_life(set, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = known, .time_ns = T0 + 4 * NS_PER_S });
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
    engine_error = 0;
    new_container("aaaa", T0 + 4 * NS_PER_S);
    watchset_poll(set);
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
}

/* The same where the watch began while it was down. */
static void first_start_is_not_the_one_before(void **state)
{
    struct event *e;
    char path[200];

    (void)state;
    running = false;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    watchset_life(set, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = known, .time_ns = T0 + 4 * NS_PER_S });
    snprintf(path, sizeof(path), "%s/prd/a", upper);
    e = event_on(object_of(VIEW_UPPER), OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
}

/* The process through whose namespace it is watched; 0: none. */
static pid_t seen_inside(void)
{
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id && seen.objects[i].ns_pid)
            return seen.objects[i].ns_pid;
    return 0;
}

/* The engine reports the start, and does not say yet what the container looks like: the kernel does. */
static void new_life_is_watched_before_the_engine_answers(void **state)
{
    uint32_t merged;
    struct event *e;

    (void)state;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_int_equal(seen_inside(), NOBODY);
    life(LIFECYCLE_DIE, known);
    engine_error = -ETIMEDOUT;
    kernel_pid = NOBODY + 1;
    watchset_life(set, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = known, .time_ns = T0 + 4 * NS_PER_S });
    assert_int_equal(seen_inside(), NOBODY + 1);
    assert_int_equal(living(), 2);
    assert_true(seen.window); /* until the engine has answered */
    merged = object_of(VIEW_MERGED);
    e = event_on(merged, OPERATION_UNLINK, "/prd/a");
    assert_non_null(e);
    assert_bytes(e->victim->id, "aaaa");
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
    watchset_poll(set);
    assert_int_equal(object_of(VIEW_MERGED), merged);
    engine_error = 0;
    new_container("aaaa", T0 + 4 * NS_PER_S);
    known->pid = NOBODY + 1;
    watchset_poll(set);
    assert_int_equal(object_of(VIEW_MERGED), merged); /* did not blink */
    assert_false(seen.window);
    assert_string_equal(seen.gap, "");
}

/* Neither its end nor its new life is reported: a program executed in its cgroup says it, and else the next look. */
static void new_life_is_watched_while_the_engine_is_silent(void **state)
{
    struct event *e;

    (void)state;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    kernel_pid = getpid();
    watchset_process(set, bytes_of("/system.slice/docker-bbbb.scope"));
    watchset_look_for_new_lives(set);
    assert_int_equal(seen_inside(), NOBODY);
    watchset_process(set, bytes_of("/system.slice/docker-aaaa.scope/init.scope"));
    assert_int_equal(seen_inside(), NOBODY); /* an event may be under way */
    watchset_look_for_new_lives(set);
    assert_int_equal(seen_inside(), getpid());
    /* not so long after the start before that one */
    e = make_event(OPERATION_UNLINK, "/prd/a", NULL, NULL, clock_ns(CLOCK_REALTIME));
    e->object = object_of(VIEW_MERGED);
    assert_true(watchset_event(set, e));
    assert_true(e->since_start_known);
    assert_true(e->since_start_ns < (int64_t)(60 * NS_PER_S));
    event_free(e);
    watchset_poll(set);
    assert_int_equal(seen_inside(), getpid());
}

static void next_look_finds_a_new_life(void **state)
{
    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY);
    kernel_pid = NOBODY + 1;
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY + 1);
    /* the answer to what was asked before that life: what the kernel says counts, and is looked at again */
    engine_error = 0;
    seen.ended = true;
    watchset_poll(set);
    assert_int_equal(seen_inside(), 0);
    seen.ended = false;
    engine_error = -ETIMEDOUT;
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY + 1);
}

/* A step of a runtime that has not changed its root yet, or another container: not this one. */
static void root_of_another_layer_is_no_new_life(void **state)
{
    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    kernel_pid = NOBODY + 1;
    snprintf(kernel_upper, sizeof(kernel_upper), "/elsewhere");
    life(LIFECYCLE_DIE, known);
    life(LIFECYCLE_START, known);
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY);
    assert_true(seen.window);
}

/* What only the container sees was not watched for a while: said. What its layer shows was. */
static void late_look_is_a_gap(void **state)
{
    (void)state;
    for (mount_count = 0; mount_count < 2; mount_count++) {
        mounts[0] = (struct container_mount){ .destination = bytes_of("/prd/t"), .type = bytes_of("tmpfs") };
        new_container("aaaa", T0 - 100 * NS_PER_S);
        known->pid = NOBODY;
        if (!mount_count)
            assert_int_equal(watch("web:/prd", NULL), 0);
        set->watches[0]->since_ns = clock_ns(CLOCK_REALTIME) - 60 * NS_PER_S;
        engine_error = -ETIMEDOUT;
        life(LIFECYCLE_DIE, known);
        life(LIFECYCLE_START, known);
        watchset_poll(set);
        engine_error = 0;
        new_container("aaaa", clock_ns(CLOCK_REALTIME) - 10 * NS_PER_S);
        known->pid = NOBODY + 1 + (pid_t)mount_count;
        watchset_poll(set);
        assert_int_equal(seen_inside(), known->pid);
        if (mount_count) {
            assert_non_null(strstr(seen.gap, "mounts that only container web sees were not watched since it started"));
            assert_true(seen.gap_ns >= 10 * NS_PER_S && seen.gap_ns < 60 * NS_PER_S);
        } else {
            assert_string_equal(seen.gap, "");
        }
    }
}

static void recreation_is_explained(void **state)
{
    struct container *old;
    char before[sizeof(upper)];

    (void)state;
    old = container_ref(new_container("aaaa", T0));
    assert_int_equal(watch("web:/prd", NULL), 0);
    life(LIFECYCLE_DIE, old);
    snprintf(before, sizeof(before), "%s", upper);
    snprintf(upper, sizeof(upper), "%s/upper2", base);
    assert_int_equal(rename(before, upper), 0); /* its layer goes with it */
    life(LIFECYCLE_DESTROY, old);
    assert_int_equal(living(), 0);
    assert_true(seen.window);
    life(LIFECYCLE_CREATE, new_container("cccc", T0 + NS_PER_S));
    assert_string_equal(seen.explained, "2 3 web\n0 3 web\n"); /* WATCH_REMOVED, WATCH_RECREATED, its 3 files, once */
    life(LIFECYCLE_START, known);
    assert_string_equal(seen.explained, "2 3 web\n0 3 web\n");
    assert_int_equal(living(), 2);
    life(LIFECYCLE_DIE, old); /* a late notification of the old one */
    life(LIFECYCLE_DESTROY, old);
    assert_int_equal(living(), 2);
    assert_false(seen.window);
    container_unref(old);
    assert_int_equal(rename(upper, before), 0);
}

static void files_that_a_runtime_leaves_stay_in_view(void **state)
{
    struct container *old;

    (void)state;
    old = container_ref(new_container("aaaa", T0));
    assert_int_equal(watch("web:/prd", NULL), 0);
    life(LIFECYCLE_DIE, old);
    life(LIFECYCLE_DESTROY, old); /* runc delete: the bundle's files are where they were */
    assert_int_equal(living(), 1);
    assert_int_not_equal(object_of(VIEW_UPPER), 0);
    assert_true(seen.window);
    life(LIFECYCLE_START, new_container("aaaa", T0 + NS_PER_S));
    assert_int_equal(living(), 2);
    assert_string_equal(seen.explained, ""); /* nothing was dropped */
    container_unref(old);
}

static char volume[160];

static void mount_volume(void)
{
    snprintf(volume, sizeof(volume), "%s/volume", base);
    assert_int_equal(mkdir(volume, 0755), 0);
    mounts[0] = (struct container_mount){ .type = bytes_of("volume"), .source = bytes_of(volume), .destination = bytes_of("/data") };
    mount_count = 1;
}

static void deletion_in_volume_is_reported(uint32_t object)
{
    struct event *e;
    char path[200];

    snprintf(path, sizeof(path), "%s/a", volume);
    e = event_on(object, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_bytes(e->path, "/data/a");
    assert_bytes(e->victim->id, "aaaa");
    assert_int_equal(e->victim_kind, VICTIM_VOLUME);
    event_free(e);
}

static void absent(void *data, struct bytes text)
{
    (void)text;
    *(unsigned *)data += 1;
}

/* "compose down -v" removes them one after the other. Of a name: */
static void volume_outlives_its_container(void **state)
{
    struct container *old;
    unsigned never = 0;
    uint32_t object;

    (void)state;
    mount_volume();
    old = container_ref(new_container("aaaa", T0));
    assert_int_equal(watch("web:/data", NULL), 0);
    object = object_of(VIEW_VOLUME);
    snprintf(upper, sizeof(upper), "%s/none", base); /* its layer goes with it */
    life(LIFECYCLE_DIE, old);
    container_unref(known);
    known = NULL;
    life(LIFECYCLE_DESTROY, old);
    assert_int_equal(object_of(VIEW_VOLUME), object);
    assert_string_equal(seen.explained, ""); /* nothing of what is watched was in the layer */
    deletion_in_volume_is_reported(object);
    watchset_each_absent(set, absent, &never);
    assert_int_equal(never, 0);
    life(LIFECYCLE_START, new_container("cccc", T0 + NS_PER_S));
    assert_string_equal(seen.explained, ""); /* as it was: the volume is the same */
    assert_int_equal(object_of(VIEW_VOLUME), object);
    assert_int_equal(living(), 1);
    container_unref(old);
    assert_int_equal(rmdir(volume), 0);
}

/* The container is made anew with another one: nobody deleted what is missing in it. */
static void another_volume_is_explained(void **state)
{
    struct container *old;
    char before[160], expected[200];

    (void)state;
    mount_volume();
    old = container_ref(new_container("aaaa", T0));
    assert_int_equal(watch("web:/data", NULL), 0);
    snprintf(before, sizeof(before), "%s", volume);
    life(LIFECYCLE_DIE, old);
    life(LIFECYCLE_DESTROY, old);
    snprintf(volume, sizeof(volume), "%s/other", base); /* not there: it was when the observation began */
    mounts[0].source = bytes_of(volume);
    life(LIFECYCLE_START, new_container("cccc", T0 + NS_PER_S));
    assert_non_null(strstr(seen.notices, "web:/data does not exist yet; waiting for it"));
    snprintf(expected, sizeof(expected), "%d 0 %s\n", WATCH_MOUNTED, before);
    assert_string_equal(seen.explained, expected);
    assert_int_equal(living(), 1);
    container_unref(old);
    assert_int_equal(rmdir(before), 0);
}

static struct container *labelled(const char *id)
{
    (void)new_container(id, T0);
    container_set(known, &known->labels, BYTES("tier=front\0"));
    return container_ref(known);
}

/* Of several: until it is gone too, or another container's. */
static void volumes_outlive_their_containers(void **state)
{
    struct container *one, *two;
    unsigned never = 0;
    uint32_t object;

    (void)state;
    mount_volume();
    one = labelled("aaaa");
    assert_int_equal(watch("label:tier=front:/data", NULL), 0);
    object = object_of(VIEW_VOLUME);
    life(LIFECYCLE_DIE, one);
    container_unref(known);
    known = NULL;
    life(LIFECYCLE_DESTROY, one);
    assert_int_equal(object_of(VIEW_VOLUME), object);
    deletion_in_volume_is_reported(object);
    two = labelled("cccc");
    life(LIFECYCLE_START, two);
    assert_int_equal(object_of(VIEW_VOLUME), object);
    assert_int_equal(set->watches[0]->instance_count, 1);
    life(LIFECYCLE_DIE, two);
    container_unref(known);
    known = NULL;
    life(LIFECYCLE_DESTROY, two);
    assert_int_equal(set->watches[0]->instance_count, 1);
    assert_int_equal(rmdir(volume), 0);
    watchset_poll(set);
    assert_int_equal(set->watches[0]->instance_count, 0);
    assert_int_equal(living(), 0);
    watchset_each_absent(set, absent, &never);
    assert_int_equal(never, 0); /* it was there */
    container_unref(one);
    container_unref(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(container_that_is_not_there_yet),
        TEST(volume_outlives_its_container),
        TEST(another_volume_is_explained),
        TEST(volumes_outlive_their_containers),
        TEST(ended_while_it_was_looked_at),
        TEST(restart_keeps_what_stays),
        TEST(start_is_not_the_one_before),
        TEST(first_start_is_not_the_one_before),
        TEST(new_life_is_watched_before_the_engine_answers),
        TEST(new_life_is_watched_while_the_engine_is_silent),
        TEST(next_look_finds_a_new_life),
        TEST(root_of_another_layer_is_no_new_life),
        TEST(late_look_is_a_gap),
        TEST(recreation_is_explained),
        TEST(files_that_a_runtime_leaves_stay_in_view),
    };
    int failed;

    if (!mkdtemp(base))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    end_play();
    return rmdir(base) < 0 ? 98 : failed;
}
