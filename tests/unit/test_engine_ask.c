/* SPDX-License-Identifier: MIT */
/* A daemon is asked by a thread: what it answers in time, what it answers too late, and what must not be used any more. The
 * daemon here answers when it is allowed to; nothing is measured. */
#include "engine/engine_ask.h"
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "util/clock.h"
#include "util/limits.h"

#define LONG_MS 60000 /* for what comes: never reached */
#define SHORT_MS 30   /* for what does not come */
#define KEPT_NS (2 * NS_PER_S) /* so long a late answer is there, as engine_ask.c has it */
#define TRIES 100     /* where a machine is slower than that */

/* A daemon. It puts one `asked` a question, and answers once `go` is posted, or always if `free`. */
struct daemon {
    sem_t asked, go;
    atomic_bool free, interrupted;
    atomic_int questions;
    int result;
    size_t containers;
    char word[64];
};

static void wait_for_leave(struct daemon *d)
{
    d->questions++;
    sem_post(&d->asked);
    while (!d->free && sem_wait(&d->go) < 0)
        ;
}

static bool present(void *engine, char *text, size_t size)
{
    struct daemon *d = engine;

    wait_for_leave(d);
    snprintf(text, size, "version 1");
    return d->result >= 0;
}

static int list(void *engine, int (*each)(void *data, struct container *c), void *data, struct err *err)
{
    struct daemon *d = engine;

    wait_for_leave(d);
    if (d->result < 0)
        return err_set(err, d->result, "listing");
    for (size_t i = 0; i < d->containers; i++) {
        struct container *c = container_new();
        int r = each(data, c);

        container_unref(c);
        if (r < 0)
            return r;
    }
    return 0;
}

static int view(void *engine, struct bytes word, struct container_view *ret, struct err *err)
{
    struct daemon *d = engine;

    (void)ret;
    snprintf(d->word, sizeof(d->word), "%.*s", (int)word.len, word.data);
    wait_for_leave(d);
    return d->result < 0 ? err_set(err, d->result, "looking at %s", d->word) : 0;
}

static void interrupt(void *engine)
{
    struct daemon *d = engine;

    d->interrupted = true;
    d->free = true;
    sem_post(&d->go);
}

static int recent(void *engine, struct bytes id, struct sbuf *ret, struct err *err)
{
    (void)engine;
    (void)err;
    sbuf_add_str(ret, "{} of ");
    sbuf_add_bytes(ret, id);
    return 0;
}

static const struct engine_ops ops = { .name = "test", .remote = true, .present = present, .list = list, .view = view, .recent = recent,
                                       .interrupt = interrupt };

static struct daemon d;
static struct asker *asker;

static int begin(void **state)
{
    (void)state;
    memset(&d, 0, sizeof(d));
    sem_init(&d.asked, 0, 0);
    sem_init(&d.go, 0, 0);
    return asker_new(&ops, &d, &asker, NULL);
}

static int end(void **state)
{
    (void)state;
    asker_free(asker);
    return 0;
}

/* Asked for as long as it takes, by a daemon that answers at once. */
static int ask(enum ask_kind kind, const char *word, struct answer *ret)
{
    d.free = true;
    sem_post(&d.go);
    return asker_ask(asker, kind, bytes_of(word), LONG_MS, ret);
}

/* Nobody waits for the answer any more. The daemon has the question, and has not answered. */
static void ask_in_vain(enum ask_kind kind, const char *word)
{
    struct answer a;
    int r;

    do { /* until the thread has taken it up, however busy the machine is */
        r = asker_ask(asker, kind, bytes_of(word), SHORT_MS, &a);
        assert_int_equal(r, -ETIMEDOUT);
    } while (sem_trywait(&d.asked) < 0);
    assert_null(a.list);
}

static void answer_late(void)
{
    struct pollfd readable = { .fd = asker_fd(asker), .events = POLLIN };

    assert_false(asker_late(asker));
    sem_post(&d.go);
    assert_int_equal(poll(&readable, 1, LONG_MS), 1);
    assert_true(asker_late(asker));
    assert_false(asker_late(asker)); /* said once */
}

static void in_time(void **state)
{
    struct answer a;

    (void)state;
    assert_int_equal(ask(ASK_PRESENT, NULL, &a), 0);
    assert_int_equal(a.r, 1);
    assert_string_equal(a.text, "version 1");
    answer_done(&a);
    d.containers = 5;
    assert_int_equal(ask(ASK_LIST, NULL, &a), 0);
    assert_int_equal(a.r, 0);
    assert_int_equal(a.count, 5);
    answer_done(&a);
    assert_int_equal(a.count, 0);
    assert_int_equal(ask(ASK_VIEW, "web", &a), 0);
    assert_string_equal(d.word, "web");
    answer_done(&a);
    assert_int_equal(ask(ASK_RECENT, "web", &a), 0);
    assert_int_equal(a.r, 0);
    assert_string_equal(sbuf_str(&a.lines), "{} of web");
    answer_done(&a);
    assert_int_equal(a.lines.len, 0);
    assert_false(asker_late(asker));
}

/* The engine's own failure is an answer; what it cannot be asked is one too. */
static void failures(void **state)
{
    char longest[600];
    struct answer a;

    (void)state;
    d.result = -EACCES;
    assert_int_equal(ask(ASK_LIST, NULL, &a), 0);
    assert_int_equal(a.r, -EACCES);
    assert_string_equal(err_text(&a.err, a.r), "listing: Permission denied");
    answer_done(&a);
    assert_int_equal(ask(ASK_VOLUME, "data", &a), 0); /* it has no volumes */
    assert_int_equal(a.r, -ENOENT);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    d.questions = 0;
    assert_int_equal(ask(ASK_VIEW, longest, &a), 0);
    assert_int_equal(a.r, -ENOENT);
    assert_int_equal(d.questions, 0);
}

static void bounded(void **state)
{
    struct answer a;

    (void)state;
    d.containers = LIMIT_CONTAINERS + 1;
    assert_int_equal(ask(ASK_LIST, NULL, &a), 0);
    assert_int_equal(a.r, -E2BIG);
    assert_int_equal(a.count, LIMIT_CONTAINERS);
    answer_done(&a);
}

/* What came too late is there for whoever asks the same again, once, and for nobody else. False: it may not be any more. */
static bool is_late(void)
{
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    struct answer a;
    int questions, r;

    d.containers = 2;
    ask_in_vain(ASK_LIST, NULL);
    answer_late();
    questions = d.questions;
    assert_int_equal(ask(ASK_VIEW, "web", &a), 0);
    assert_int_equal(d.questions, questions + 1);
    answer_done(&a);
    r = asker_ask(asker, ASK_LIST, BYTES_NULL, 0, &a); /* without waiting */
    if (r < 0 && clock_ns(CLOCK_MONOTONIC) - begun >= KEPT_NS)
        return false;
    assert_int_equal(r, 0);
    assert_int_equal(a.count, 2);
    assert_int_equal(d.questions, questions + 1);
    answer_done(&a);
    assert_int_equal(ask(ASK_LIST, NULL, &a), 0);
    assert_int_equal(d.questions, questions + 2);
    answer_done(&a);
    return true;
}

static void late(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRIES; i++) {
        assert_int_equal(begin(NULL), 0);
        if (is_late())
            return;
        end(NULL);
    }
    fail_msg("the machine is too slow");
}

/* Each question is answered, also where our own thread has not begun with it while somebody waited. */
static void late_to_begin(void **state)
{
    struct answer a;

    (void)state;
    assert_int_equal(asker_ask(asker, ASK_LIST, BYTES_NULL, 0, &a), -ETIMEDOUT);
    answer_late();
}

/* A failure may be another one by now. */
static void late_failure(void **state)
{
    struct answer a;
    int questions;

    (void)state;
    d.result = -EIO;
    ask_in_vain(ASK_LIST, NULL);
    answer_late();
    d.result = 0;
    questions = d.questions;
    assert_int_equal(ask(ASK_LIST, NULL, &a), 0);
    assert_int_equal(a.r, 0);
    assert_int_equal(d.questions, questions + 1);
    answer_done(&a);
}

/* A question is being asked: the next one waits its turn, and does not get the first one's answer. */
static void one_at_a_time(void **state)
{
    struct answer a;

    (void)state;
    ask_in_vain(ASK_LIST, NULL);
    assert_int_equal(asker_ask(asker, ASK_VIEW, bytes_of("web"), SHORT_MS, &a), -ETIMEDOUT);
    assert_string_equal(d.word, "");
    answer_late();
    assert_int_equal(ask(ASK_VIEW, "web", &a), 0);
    assert_int_equal(a.count, 0);
    assert_string_equal(d.word, "web");
    answer_done(&a);
}

static struct container *make(const char *id, const char *name)
{
    struct container *c = container_new();

    container_set(c, &c->id, bytes_of(id));
    container_set(c, &c->name, bytes_of(name));
    return c;
}

/* Something happened to a container: what was asked about it before must not be used. */
static const struct forget_row {
    const char *name;
    enum ask_kind kind;
    const char *word;       /* of the question */
    const char *id, *named; /* whom the notification is about; NULL: anybody */
    bool while_asking;      /* it comes before the answer */
    bool kept;
} forget_rows[] = {
    { "anybody", ASK_VIEW, "web", NULL, NULL, false, false },
    { "by name", ASK_VIEW, "web", "0123456789", "web", false, false },
    { "by the beginning of its id", ASK_VIEW, "0123", "0123456789", "web", false, false },
    { "another one", ASK_VIEW, "web", "0123456789", "db", false, true },
    { "a list has all of them", ASK_LIST, NULL, "0123456789", "db", false, false },
    { "by name, before the answer", ASK_VIEW, "web", "0123456789", "web", true, false },
    { "another one, before the answer", ASK_VIEW, "web", "0123456789", "db", true, true },
};

/* False: what is kept may not be there any more. */
static bool forgets_in_time(const struct forget_row *row)
{
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    struct container *c = row->id ? make(row->id, row->named) : NULL;
    struct answer a;
    int questions;
    bool in_time;

    begin(NULL);
    ask_in_vain(row->kind, row->word);
    if (row->while_asking)
        asker_forget(asker, c);
    answer_late();
    if (!row->while_asking)
        asker_forget(asker, c);
    questions = d.questions;
    assert_int_equal(ask(row->kind, row->word, &a), 0);
    in_time = !row->kept || d.questions == questions || clock_ns(CLOCK_MONOTONIC) - begun < KEPT_NS;
    if (in_time)
        assert_int_equal(d.questions, questions + !row->kept);
    answer_done(&a);
    container_unref(c);
    end(NULL);
    return in_time;
}

static void forgets(void **state)
{
    for (unsigned i = 0; i < TRIES; i++)
        if (forgets_in_time(*state))
            return;
    fail_msg("the machine is too slow");
}

/* It ends although the daemon never answers: the question is interrupted. */
static void ends_while_asked(void **state)
{
    (void)state;
    begin(NULL);
    d.containers = 3;
    ask_in_vain(ASK_LIST, NULL);
    asker_free(asker); /* hangs if nobody interrupts */
    assert_true(d.interrupted);
    asker_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_time, begin, end),
        cmocka_unit_test_setup_teardown(failures, begin, end),
        cmocka_unit_test_setup_teardown(bounded, begin, end),
        cmocka_unit_test_teardown(late, end),
        cmocka_unit_test_setup_teardown(late_to_begin, begin, end),
        cmocka_unit_test_setup_teardown(late_failure, begin, end),
        cmocka_unit_test_setup_teardown(one_at_a_time, begin, end),
        cmocka_unit_test(ends_while_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) | RUN_ROWS(forget_rows, forgets);
}
