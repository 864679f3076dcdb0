/* SPDX-License-Identifier: MIT */
/* culprit who of several targets that may be one place: each change counts once. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make.h"
#include "store/store.h"
#include "store_place.h"
#include "util/clock.h"
#include "util/sbuf.h"

#define WEB "culprit-test-web"
#define ID "0b1c2d3e4f5a69788796a5b4c3d2e1f00b1c2d3e4f5a69788796a5b4c3d2e1f0"

static void add(struct store *s, unsigned number, struct process *actor, struct container *victim, const char *name, const char *host_name)
{
    struct event *e = make_event(OPERATION_UNLINK, name, actor, victim, clock_ns(CLOCK_REALTIME) + number);

    e->victim_kind = victim ? VICTIM_VOLUME : VICTIM_HOST;
    event_set(e, &e->host_path, bytes_of(host_name));
    event_make_id(e->time_ns, number, e->id);
    assert_int_equal(store_add_event(s, e), 0);
    event_free(e);
}

/* Three changes of the container's volume, of which one is below another folder; two of the host's own files. */
static int set_up(void **state)
{
    struct store_options options = { .path = path };
    struct container *web = make_container(ID, WEB);
    struct process *rm = make_process(812, "/usr/bin/rm", NULL);
    struct store *s;

    (void)state;
    make_store_place("who", "store/culprit.db");
    assert_int_equal(store_open(&options, &s, NULL), 0);
    add(s, 1, rm, web, "/culprit-data/a", "/culprit-volume/a");
    add(s, 2, rm, web, "/culprit-data/b", "/culprit-volume/b");
    add(s, 3, rm, web, "/culprit-data/sub/c", "/culprit-volume/sub/c");
    add(s, 4, rm, NULL, "/culprit-other/a", "/culprit-other/a");
    add(s, 5, rm, NULL, "/culprit-other/d", "/culprit-other/d");
    assert_int_equal(store_flush(s, NULL), 0);
    store_close(s);
    process_unref(rm);
    container_unref(web);
    return 0;
}

static void ask(const char *options, const char *targets, struct sbuf *ret)
{
    char command[1024], part[4096];
    FILE *said;
    size_t n;

    snprintf(command, sizeof(command), CULPRIT " who --store %s %s %s", path, targets, options);
    said = popen(command, "r");
    assert_non_null(said);
    while ((n = fread(part, 1, sizeof(part), said)) > 0)
        sbuf_add(ret, part, n);
    assert_int_equal(pclose(said), 0);
}

/* Many are counted in rows of many: which of them two targets have in common is not known then. */
static void says_what_it_cannot_compare(void **state)
{
    struct store_options options = { .path = path };
    struct container *web = make_container(ID, WEB);
    struct process *rm = make_process(812, "/usr/bin/rm", NULL);
    _cleanup_sbuf_ struct sbuf one = SBUF_INIT, two = SBUF_INIT;
    struct store *s;

    (void)state;
    assert_int_equal(store_open(&options, &s, NULL), 0);
    for (unsigned i = 0; i <= 50000; i++)
        add(s, 100 + i, rm, web, "/culprit-many/a", "/culprit-much/a");
    assert_int_equal(store_flush(s, NULL), 0);
    store_close(s);
    process_unref(rm);
    container_unref(web);
    ask("2>&1", WEB ":/culprit-many", &one);
    assert_null(strstr(sbuf_str(&one), "may count twice"));
    ask("2>&1", WEB ":/culprit-many /culprit-much", &two);
    assert_non_null(strstr(sbuf_str(&two), "may count twice"));
}

static unsigned count(const struct sbuf *text, const char *part)
{
    unsigned n = 0;

    for (const char *at = sbuf_str(text); (at = strstr(at, part)); at++)
        n++;
    return n;
}

static const struct who_row {
    const char *name, *targets;
    unsigned changes;
} rows[] = {
    { "one", WEB ":/culprit-data", 3 },
    { "by name and by id", WEB ":/culprit-data " ID ":/culprit-data", 3 },
    { "by the beginning of its id", "0b1c2d3e4f5a:/culprit-data " WEB ":/culprit-data", 3 },
    { "and by its engine", "docker:" WEB ":/culprit-data " WEB ":/culprit-data", 3 },
    { "a volume by its path on the host", WEB ":/culprit-data /culprit-volume", 3 },
    { "the same the other way round", "/culprit-volume " WEB ":/culprit-data", 3 },
    { "a part of it", WEB ":/culprit-data/sub /culprit-volume", 3 },
    { "parts that have nothing in common", WEB ":/culprit-data/sub /culprit-volume/a", 2 },
    { "with another one", WEB ":/culprit-data /culprit-other", 5 },
    { "all of it", WEB ":/culprit-data /culprit-volume /culprit-other " ID ":/culprit-data", 5 },
};

static void counts_once(void **state)
{
    const struct who_row *row = *state;
    _cleanup_sbuf_ struct sbuf json = SBUF_INIT, table = SBUF_INIT;
    char all[32];

    ask("--format json 2>/dev/null", row->targets, &json);
    assert_int_equal(count(&json, "\"kind\":\"event\""), row->changes);
    ask("--by file 2>/dev/null", row->targets, &table);
    snprintf(all, sizeof(all), " %u ", row->changes);
    assert_non_null(strstr(sbuf_str(&table), "in all"));
    assert_non_null(strstr(sbuf_str(&table), all));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_it_cannot_compare) };
    int failed;

    if (set_up(NULL) < 0)
        return 1;
    failed = RUN_ROWS(rows, counts_once) + cmocka_run_group_tests(tests, NULL, NULL);
    return tear_down(NULL) ? 1 : failed;
}
