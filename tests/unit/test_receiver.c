/* SPDX-License-Identifier: MIT */
/* What the sender packs the receiver gives back: events with their processes, over several buffers; what is damaged is refused. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/receiver.h"
#include "store/sender.h"
#include "util/limits.h"

static struct {
    struct event *events[600];
    size_t count, lives, gaps;
    struct gap gap;
} seen;

static void on_event(void *data, struct event *e)
{
    (void)data;
    assert_true(seen.count < ARRAY_SIZE(seen.events));
    seen.events[seen.count++] = e;
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    (void)data;
    assert_bytes(life->container->name, "web");
    assert_int_equal(life->kind, LIFECYCLE_DIE);
    assert_int_equal(life->exit_code, -1);
    seen.lives++;
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    seen.gap = *gap;
    seen.gaps++;
}

static const struct receiver_sink sink = { NULL, on_event, on_life, on_gap };

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < seen.count; i++)
        event_free(seen.events[i]);
    memset(&seen, 0, sizeof(seen));
    return 0;
}

static struct process *make_process(pid_t pid, const char *name, struct process *parent)
{
    struct process *p = process_new(pid, (uint64_t)pid * 1000);

    process_set(p, &p->name, bytes_of(name));
    process_set(p, &p->executable, bytes_of("/usr/bin/x"));
    p->cred = (struct credentials){ .known = true, .uid = 7, .euid = 8 };
    p->parent = process_ref(parent);
    return p;
}

static struct event *make_event(const char *path, struct process *actor)
{
    struct event *e = event_new();

    event_set(e, &e->path, bytes_of(path));
    e->host_path = e->path;
    e->operation = OPERATION_CHMOD;
    e->time_ns = 1000;
    e->victim_kind = VICTIM_HOST;
    e->sensors = SENSOR_FANOTIFY;
    e->before = (struct file_state){ .known = FILE_MODE, .mode = 0644 };
    e->after = (struct file_state){ .known = FILE_MODE, .mode = 0600 };
    e->actor.pid = actor->pid;
    e->actor.process = process_ref(actor);
    event_set(e, &e->watch_text, bytes_of("/srv"));
    return e;
}

static void gives_back(void **state)
{
    struct sender *s = sender_new();
    struct receiver *r = receiver_new();
    struct process *shell = make_process(10, "sh", NULL), *tool = make_process(11, "rm", shell);
    struct event *one = make_event("/srv/a", tool), *two = make_event("/srv/b\xff\n", tool);
    struct sbuf out = SBUF_INIT;

    (void)state;
    sender_event(s, one, &out);
    sender_event(s, two, &out);
    assert_int_equal(receiver_take(r, sbuf_bytes(&out), &sink, NULL), 0);
    sbuf_clear(&out);
    sender_restart(s); /* another buffer: the process is known there */
    sender_event(s, two, &out);
    assert_int_equal(receiver_take(r, sbuf_bytes(&out), &sink, NULL), 0);
    assert_int_equal(seen.count, 3);
    assert_bytes(seen.events[0]->path, "/srv/a");
    assert_bytes(seen.events[0]->host_path, "/srv/a");
    assert_bytes(seen.events[1]->path, "/srv/b\xff\n");
    assert_bytes(seen.events[2]->path, "/srv/b\xff\n");
    assert_bytes(seen.events[2]->watch_text, "/srv");
    assert_int_equal(seen.events[2]->operation, OPERATION_CHMOD);
    assert_int_equal(seen.events[2]->before.mode, 0644);
    assert_int_equal(seen.events[2]->after.mode, 0600);
    assert_ptr_equal(seen.events[0]->actor.process, seen.events[2]->actor.process);
    assert_bytes(seen.events[2]->actor.process->name, "rm");
    assert_int_equal(seen.events[2]->actor.process->cred.euid, 8);
    assert_bytes(seen.events[2]->actor.process->parent->name, "sh");
    assert_null(seen.events[2]->actor.process->parent->parent);
    event_free(one);
    event_free(two);
    process_unref(tool);
    process_unref(shell);
    sender_free(s);
    receiver_free(r);
    sbuf_done(&out);
}

static void gives_lives_and_gaps(void **state)
{
    struct gap gap = { .reason = LOST_VIEWER, .count = 5, .from_ns = 1, .to_ns = 2, .text = "not read", .path = "/prd",
                       .container = "web" };
    struct container *c = container_new();
    struct lifecycle_event life = { .kind = LIFECYCLE_DIE, .time_ns = 3, .container = c, .exit_code = -1 };
    struct sender *s = sender_new();
    struct receiver *r = receiver_new();
    struct sbuf out = SBUF_INIT;

    (void)state;
    container_set(c, &c->name, bytes_of("web"));
    sender_life(s, &life, &out);
    sender_gap(&gap, &out);
    assert_int_equal(receiver_take(r, sbuf_bytes(&out), &sink, NULL), 0);
    assert_int_equal(seen.lives, 1);
    assert_int_equal(seen.gaps, 1);
    assert_int_equal(seen.gap.reason, LOST_VIEWER);
    assert_int_equal(seen.gap.count, 5);
    assert_string_equal(seen.gap.text, "not read");
    assert_string_equal(seen.gap.path, "/prd");
    assert_string_equal(seen.gap.container, "web");
    container_unref(c);
    sender_free(s);
    receiver_free(r);
    sbuf_done(&out);
}

/* Forks of forks: a chain that grows by one with each event stays bounded, and nothing is refused. */
static void bounds_a_chain(void **state)
{
    struct sender *s = sender_new();
    struct receiver *r = receiver_new();
    struct process *last = NULL;
    struct sbuf out = SBUF_INIT;
    unsigned depth = 0;

    (void)state;
    for (pid_t pid = 1; pid <= 500; pid++) {
        struct process *p = make_process(pid, "fork", last);
        struct event *e = make_event("/srv/a", p);

        process_unref(last);
        last = p;
        sbuf_clear(&out);
        sender_restart(s);
        sender_event(s, e, &out);
        assert_int_equal(receiver_take(r, sbuf_bytes(&out), &sink, NULL), 0);
        event_free(e);
    }
    assert_int_equal(seen.count, 500);
    for (const struct process *p = seen.events[499]->actor.process; p; p = p->parent)
        depth++;
    assert_true(depth > 10 && depth <= LIMIT_LINEAGE + 2);
    assert_int_equal(seen.events[499]->actor.process->pid, 500);
    process_unref(last);
    sender_free(s);
    receiver_free(r);
    sbuf_done(&out);
}

/* Cut anywhere, or with any byte another one: an error or other records, never what is not there. */
static void refuses_damage(void **state)
{
    struct sender *s = sender_new();
    struct process *tool = make_process(11, "rm", NULL);
    struct event *e = make_event("/srv/a", tool);
    struct sbuf out = SBUF_INIT;
    char *copy;

    (void)state;
    sender_event(s, e, &out);
    copy = malloc(out.len);
    for (size_t len = 1; len < out.len; len++) {
        struct receiver *r = receiver_new();
        size_t before = seen.count;

        memcpy(copy, out.data, len);
        (void)receiver_take(r, (struct bytes){ copy, len }, &sink, NULL);
        assert_int_equal(seen.count, before); /* the event is the last message */
        receiver_free(r);
    }
    for (size_t at = 0; at < out.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct receiver *r = receiver_new();

            memcpy(copy, out.data, out.len);
            copy[at] = (char)(copy[at] ^ 1 << bit);
            (void)receiver_take(r, (struct bytes){ copy, out.len }, &sink, NULL);
            receiver_free(r);
            end(NULL);
        }
    {
        struct receiver *r = receiver_new();
        struct sbuf again = SBUF_INIT;

        sender_event(s, e, &again); /* differs from the one before, which is in another buffer */
        assert_int_equal(receiver_take(r, sbuf_bytes(&again), &sink, NULL), -EBADMSG);
        receiver_free(r);
        sbuf_done(&again);
    }
    free(copy);
    event_free(e);
    process_unref(tool);
    sender_free(s);
    sbuf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gives_back, end),
        cmocka_unit_test_teardown(gives_lives_and_gaps, end),
        cmocka_unit_test_teardown(bounds_a_chain, end),
        cmocka_unit_test_teardown(refuses_damage, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
