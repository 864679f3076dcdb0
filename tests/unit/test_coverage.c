/* SPDX-License-Identifier: MIT */
/* What was watched, as the record knows it: whole, in part, at times, never; and what lies nearest. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/operation.h"
#include "make.h"
#include "store/query.h"
#include "util/clock.h"
#include "util/sbuf.h"

#define WA (PERMISSION_WRITE | PERMISSION_ATTR)

static char dir[64], path[96];
static struct store *store;

static int set_up(void **state)
{
    struct store_options options = { .path = path };

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/culprit-coverage.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    return store_open(&options, &store, NULL);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    store_close(store);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* ---- how much of a question ---- */

static void how_much_is_reported_by_the_spans(void **state)
{
    static const struct {
        struct coverage_span spans[3];
        uint64_t since, until;
        enum coverage_extent extent;
        unsigned count;
    } rows[] = {
        { { { 0 } }, 10, 20, COVERAGE_NEVER, 0 },
        { { { 5, 30 } }, 10, 20, COVERAGE_WHOLE, 1 },
        { { { 10, 20 } }, 10, 20, COVERAGE_WHOLE, 1 },
        { { { 11, 20 } }, 10, 20, COVERAGE_AT_TIMES, 1 },
        { { { 5, 15 }, { 15, 25 } }, 10, 20, COVERAGE_WHOLE, 1 },   /* adjacent */
        { { { 5, 15 }, { 12, 25 } }, 10, 20, COVERAGE_WHOLE, 1 },   /* overlapping */
        { { { 15, 25 }, { 5, 15 } }, 10, 20, COVERAGE_WHOLE, 1 },   /* in any order */
        { { { 5, 14 }, { 16, 25 } }, 10, 20, COVERAGE_AT_TIMES, 2 },
        { { { 5, 14 }, { 16, 25 }, { 13, 17 } }, 10, 20, COVERAGE_WHOLE, 1 },
        { { { 5, 0 } }, 10, 0, COVERAGE_WHOLE, 1 },                 /* still observing, open question */
        { { { 5, 20 } }, 10, 0, COVERAGE_AT_TIMES, 1 },             /* over: now is 100 */
        { { { 5, 0 } }, 0, 0, COVERAGE_AT_TIMES, 1 },               /* no time was asked for */
        { { { 5, 0 } }, 10, 500, COVERAGE_WHOLE, 1 },               /* until a time to come */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct coverage_sum sum = { .since_ns = rows[i].since, .until_ns = rows[i].until, .permissions = WA };

        for (size_t k = 0; k < 3 && rows[i].spans[k].from_ns; k++) {
            struct coverage c = { .sensors = SENSOR_BPF, .from_ns = rows[i].spans[k].from_ns,
                                  .to_ns = rows[i].spans[k].to_ns, .permissions = WA };

            coverage_sum_add(&sum, &c);
        }
        if (coverage_sum_extent(&sum, 100) != rows[i].extent || sum.count != rows[i].count)
            fail_msg("row %zu: %s, %u spans", i, coverage_extent_name(coverage_sum_extent(&sum, 100)), sum.count);
    }
}

static void a_part_is_no_claim_of_the_whole(void **state)
{
    static const struct {
        struct coverage c;
        enum coverage_extent extent;
    } rows[] = {
        { { .sensors = SENSOR_BPF, .from_ns = 1, .permissions = PERMISSION_WRITE }, COVERAGE_PARTLY },
        { { .sensors = SENSOR_BPF, .from_ns = 1, .permissions = WA, .only = { "/a", 3 } }, COVERAGE_PARTLY },
        { { .sensors = SENSOR_BPF, .from_ns = 1, .permissions = WA, .narrowed = { "--user bob", 10 } }, COVERAGE_PARTLY },
        { { .sensors = SENSOR_AUDIT_LOG, .from_ns = 1 }, COVERAGE_UNKNOWN },
        { { .sensors = SENSOR_AUDIT_LOG, .from_ns = 1, .permissions = WA }, COVERAGE_WHOLE },
        { { .sensors = SENSOR_BPF, .from_ns = 1 }, COVERAGE_WHOLE }, /* of before permissions were kept */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct coverage_sum sum = { .since_ns = 10, .permissions = WA };

        coverage_sum_add(&sum, &rows[i].c);
        if (coverage_sum_extent(&sum, 100) != rows[i].extent)
            fail_msg("row %zu: %s", i, coverage_extent_name(coverage_sum_extent(&sum, 100)));
    }
}

static void more_spans_than_are_held(void **state)
{
    struct coverage_sum sum = { .since_ns = 1, .permissions = WA };

    (void)state;
    for (uint64_t i = 0; i < 2 * COVERAGE_SPANS; i++)
        coverage_sum_add(&sum, &(struct coverage){ .from_ns = 10 * i + 1, .to_ns = 10 * i + 5 });
    assert_true(sum.more_spans);
    assert_int_equal(sum.count, COVERAGE_SPANS);
    assert_int_equal(coverage_sum_extent(&sum, 10000), COVERAGE_AT_TIMES);
}

/* ---- the store ---- */

static void watch(const char *text, uint64_t from_ns, uint64_t to_ns, const struct coverage_place *places, size_t count)
{
    struct coverage c = { .sensors = SENSOR_BPF, .from_ns = from_ns, .watch = bytes_of(text),
                          .host_id = bytes_of("m1"), .host_name = bytes_of("db1") };
    uint64_t id;

    assert_int_equal(store_begin_coverage(store, &c, &id), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_add_coverage_place(store, id, &places[i]), 0);
    assert_int_equal(store_end_coverage(store, id, to_ns), 0);
    assert_int_equal(store_flush(store, NULL), 0);
}

struct got {
    unsigned count, permissions;
    uint64_t from_ns;
    char only[256];
};

static int on_coverage(void *data, const struct coverage *c)
{
    struct got *got = data;
    size_t used = 0;

    assert_bytes(c->host_name, "db1");
    got->count++;
    got->permissions = c->permissions;
    got->from_ns = c->from_ns;
    for (size_t i = 0; i < c->only.len && used + 1 < sizeof(got->only); i++)
        got->only[used++] = c->only.data[i] ? c->only.data[i] : ' ';
    got->only[used] = '\0';
    return 0;
}

static struct got ask(struct store_query q)
{
    struct got got = { 0 };
    struct err err = ERR_INIT;

    if (store_each_coverage(store, &q, on_coverage, &got, &err) < 0)
        fail_msg("%s", err.text);
    return got;
}

#define HOST(p) { .path = bytes_of(p), .permissions = WA, .from_ns = 5 }
#define CONTAINER(p, host)                                                                                      \
    { .kind = SELECTOR_NAME, .runtime = bytes_of("docker"), .selector = bytes_of("web"),                       \
      .container_id = bytes_of("0123456789ab"), .container_name = bytes_of("web"), .path = bytes_of(p),        \
      .host_path = bytes_of(host), .permissions = WA, .from_ns = 5 }

static void a_path_is_covered_whole_in_part_or_not(void **state)
{
    const struct coverage_place places[] = { HOST("/data/a"), HOST("/data/b/c"), HOST("/srv") };
    static const struct {
        const char *path;
        unsigned count;
        const char *only;
    } rows[] = {
        { "/data/a", 1, "" },        { "/data/a/deep/er", 1, "" }, { "/data/ab", 0, "" },
        { "/data/b", 1, "/data/b/c " }, { "/data", 1, "/data/a /data/b/c " }, { "/", 1, "/data/a /data/b/c /srv " },
        { "/etc", 0, "" },
    };

    (void)state;
    watch("a ../b/c /srv", 5, 77, places, ARRAY_SIZE(places)); /* relative, as the user wrote it */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct got got = ask((struct store_query){ .path = bytes_of(rows[i].path) });

        if (got.count != rows[i].count || strcmp(got.only, rows[i].only) != 0)
            fail_msg("%s: %u spans, only \"%s\"", rows[i].path, got.count, got.only);
    }
    assert_int_equal(ask((struct store_query){ .path = bytes_of("/srv"), .since_ns = 78 }).count, 0);
    assert_int_equal(ask((struct store_query){ .path = bytes_of("/srv"), .until_ns = 4 }).count, 0);
    assert_int_equal(ask((struct store_query){ .any_victim = true }).count, 1);
}

/* One place, however it is asked for: by the container, by its id, by the host's path of volume or layer. */
static void a_container_and_the_host_see_the_same_place(void **state)
{
    const struct coverage_place places[] = { CONTAINER("/prd", "/layers/web/diff/prd"), CONTAINER("/prd/data", "/vol/data") };
    const struct coverage_place volume[] = { { .kind = SELECTOR_VOLUME, .selector = bytes_of("logs"), .path = bytes_of("/"),
                                               .host_path = bytes_of("/vol/logs"), .permissions = WA, .from_ns = 5 } };
    const struct store_query rows[] = {
        { .container = bytes_of("web"), .path = bytes_of("/prd/x") },
        { .container = bytes_of("0123"), .path = bytes_of("/prd/x") },
        { .path = bytes_of("/layers/web/diff/prd/x") },
        { .path = bytes_of("/vol/data/x") },
        { .container = bytes_of("other"), .path = bytes_of("/d/x"), .host_path = bytes_of("/vol/data/x") },
        { .path = bytes_of("/vol/logs/x") },
        { .container = bytes_of("app"), .path = bytes_of("/log/x"), .host_path = bytes_of("/vol/logs/x") },
    };
    const struct store_query none[] = {
        { .container = bytes_of("other"), .path = bytes_of("/prd/x") },
        { .path = bytes_of("/prd/x") },
        { .container = bytes_of("web"), .path = bytes_of("/etc") },
    };

    (void)state;
    watch("web:/prd", 5, 77, places, ARRAY_SIZE(places));
    watch("volume:logs", 5, 77, volume, ARRAY_SIZE(volume));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (ask(rows[i]).count != 1)
            fail_msg("row %zu is not found", i);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        if (ask(none[i]).count != 0)
            fail_msg("row %zu is found", i);
}

static void a_place_counts_since_it_was_known(void **state)
{
    struct coverage_place late = CONTAINER("/prd", "/layers/new/prd");

    (void)state;
    late.kind = SELECTOR_IMAGE;
    late.selector = bytes_of("shop");
    late.from_ns = 40;
    late.permissions = PERMISSION_WRITE;
    watch("image:shop:/prd", 5, 77, &late, 1);
    assert_int_equal(ask((struct store_query){ .container = bytes_of("web"), .path = bytes_of("/prd") }).from_ns, 40);
    assert_int_equal(ask((struct store_query){ .container = bytes_of("web"), .path = bytes_of("/prd") }).permissions,
                     PERMISSION_WRITE);
    assert_int_equal(
        ask((struct store_query){ .container = bytes_of("web"), .path = bytes_of("/prd"), .until_ns = 39 }).count, 0);
}

static void the_nearest_is_named(void **state)
{
    const struct coverage_place host[] = { HOST("/var/log/app"), HOST("/etc") };
    const struct coverage_place web[] = { CONTAINER("/prd", "/vol/prd") };
    const struct {
        struct store_query q;
        const char *shown;
    } rows[] = {
        { { .path = bytes_of("/var/log/nothing") }, "/var/log/app" },
        { { .path = bytes_of("/etcetera") }, "/var/log/app" },
        { { .path = bytes_of("/var") }, "/var/log/app" },
        { { .container = bytes_of("web"), .path = bytes_of("/x") }, "web:/prd" },
    };
    struct arena arena = { 0 };
    struct coverage_nearest nearest;

    (void)state;
    assert_int_equal(store_nearest_coverage(store, &rows[0].q, &arena, &nearest, NULL), 0);
    assert_false(bytes_known(nearest.shown));
    watch("x y", 5, 77, host, ARRAY_SIZE(host));
    watch("x y", 85, 99, host, ARRAY_SIZE(host));
    watch("web:/prd", 5, 77, web, ARRAY_SIZE(web));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(store_nearest_coverage(store, &rows[i].q, &arena, &nearest, NULL), 0);
        assert_bytes(nearest.shown, rows[i].shown);
    }
    assert_int_equal(store_nearest_coverage(store, &rows[0].q, &arena, &nearest, NULL), 0);
    assert_int_equal(nearest.from_ns, 5);
    assert_int_equal(nearest.to_ns, 99);
    arena_done(&arena);
}

/* No engine knows them any more: the record does. */
static void the_record_knows_whose_a_path_was(void **state)
{
    const struct coverage_place places[] = {
        CONTAINER("/prd", "/layers/web/prd"),
        CONTAINER("/", "/layers/web"),
        CONTAINER("/srv", "/vol/shop/_data"),
        { .kind = SELECTOR_VOLUME, .selector = bytes_of("logs"), .path = bytes_of("/app"),
          .host_path = bytes_of("/vol/logs/app"), .permissions = WA, .from_ns = 5 },
    };
    struct store_query host = { .path = bytes_of("/layers/web/prd/x") },
                       inside = { .container = bytes_of("web"), .path = bytes_of("/prd/x") },
                       anywhere = { .container = bytes_of("web"), .path = bytes_of("/etc/x") },
                       mounted = { .container = bytes_of("web"), .path = bytes_of("/srv/x") },
                       volume = { .kind = SELECTOR_VOLUME, .container = bytes_of("logs"), .path = bytes_of("/other") },
                       gone = { .kind = SELECTOR_VOLUME, .container = bytes_of("none"), .path = bytes_of("/") };
    struct arena arena = { 0 };

    (void)state;
    watch("web:/prd volume:logs/app", 5, 77, places, ARRAY_SIZE(places));
    assert_int_equal(store_translate(store, &host, &arena, NULL), 0);
    assert_bytes(host.container, "0123456789ab");
    assert_bytes(host.path, "/prd/x");
    assert_bytes(host.host_path, "/layers/web/prd/x");
    assert_int_equal(store_translate(store, &inside, &arena, NULL), 0);
    assert_bytes(inside.host_path, "/layers/web/prd/x");
    assert_false(inside.host_is_mount);
    assert_int_equal(store_translate(store, &anywhere, &arena, NULL), 0);
    assert_bytes(anywhere.host_path, "/layers/web/etc/x");
    assert_false(anywhere.host_is_mount);
    assert_int_equal(store_translate(store, &mounted, &arena, NULL), 0);
    assert_bytes(mounted.host_path, "/vol/shop/_data/x");
    assert_true(mounted.host_is_mount);
    assert_int_equal(store_translate(store, &volume, &arena, NULL), 0);
    assert_bytes(volume.path, "/vol/logs/other");
    assert_false(bytes_known(volume.container));
    assert_int_equal(store_translate(store, &gone, &arena, NULL), -ENOENT);
    arena_done(&arena);
}

static int on_former(void *data, const struct store_former *f)
{
    struct sbuf *out = data;

    sbuf_addf(out, "%.*s %llu-%llu ", (int)f->path.len, f->path.data, (unsigned long long)(f->from_ns / NS_PER_S),
              (unsigned long long)(f->to_ns / NS_PER_S));
    return 0;
}

/* A link was set to another place while it was watched, and cannot be followed any more. */
static void the_record_knows_where_a_link_led(void **state)
{
#define AT(p, seconds) { .path = bytes_of(p), .permissions = WA, .from_ns = (seconds) * NS_PER_S }
#define INSIDE(p, seconds) { .kind = SELECTOR_NAME, .selector = bytes_of("web"), .container_id = bytes_of("0123456789ab"), \
                             .container_name = bytes_of("web"), .path = bytes_of(p), .permissions = WA, .from_ns = (seconds) * NS_PER_S }
#define LED(p, t, seconds) { .path = bytes_of(p), .target = bytes_of(t), .permissions = WA, .from_ns = (seconds) * NS_PER_S }
    const struct coverage_place host[] = { AT("/srv/current", 10), AT("/srv/by", 10), AT("/srv/r/1", 10), AT("/srv/r/1/mnt", 10),
                                           AT("/var/lib/culprit/heartbeat/.culprit-doctor-0123456789abcdef", 12), /* no watch of the span's */
                                           AT("/srv/r/2", 20) },
                                inside[] = { INSIDE("/prd", 30), INSIDE("/prd/data", 30), INSIDE("/app/volume", 30) },
                                two[] = { AT("/a", 40), AT("/b", 40), AT("/c", 40) },
                                known[] = { LED("/d", "/d", 50), LED("/e", "/e", 50), LED("/f", "/d", 50) };
    static const struct {
        const char *container, *path, *expected;
    } rows[] = {
        { NULL, "/srv/current", "/srv/by 10-20 /srv/r/1 10-20 /srv/r/2 20-25 " },
        { NULL, "/srv/current/config/a", "/srv/by/config/a 10-20 /srv/r/1/config/a 10-20 /srv/r/2/config/a 20-25 " },
        { NULL, "/srv", "" },          /* above it: of all below, what led elsewhere is not meant */
        { NULL, "/srv/currently", "" },
        { "web", "/app", "/prd 30-35 " },
        { "web", "/app/x", "/prd/x 30-35 " },
        { "0123", "/app", "/prd 30-35 " },
        { "db", "/app", "" },
        { NULL, "/app", "" },
        { NULL, "/a", "" },            /* two targets, in an older record: which of them led to /c is not known */
        { NULL, "/d", "/f 50-55 " }, /* two targets, and it is */
        { NULL, "/e", "" },
    };

    (void)state;
    watch("/srv/current/", 10 * NS_PER_S, 25 * NS_PER_S, host, ARRAY_SIZE(host));
    watch("web:/app", 30 * NS_PER_S, 35 * NS_PER_S, inside, ARRAY_SIZE(inside));
    watch("/a /b", 40 * NS_PER_S, 45 * NS_PER_S, two, ARRAY_SIZE(two));
    watch("/d /e", 50 * NS_PER_S, 55 * NS_PER_S, known, ARRAY_SIZE(known));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct store_query q = { .path = bytes_of(rows[i].path), .container = rows[i].container ? bytes_of(rows[i].container) : BYTES_NULL,
                                 .kind = rows[i].container ? SELECTOR_NAME : SELECTOR_NONE };
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

        assert_int_equal(store_each_former(store, &q, on_former, &out, NULL), 0);
        if (strcmp(sbuf_str(&out), rows[i].expected) != 0)
            fail_msg("%s: \"%s\"", rows[i].path, sbuf_str(&out));
    }
}

static int count_event(void *data, struct event *e)
{
    ++*(unsigned *)data;
    event_free(e);
    return 0;
}

static int count_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    (void)samples;
    (void)count;
    *(unsigned *)data += (unsigned)rollup->count;
    return 0;
}

static void add_event(const char *file, const char *host_path, struct container *victim, enum victim_kind kind, uint8_t id)
{
    struct event *e = make_event(OPERATION_UNLINK, file, NULL, victim, 10);

    e->victim_kind = kind;
    e->id[0] = id;
    event_set(e, &e->host_path, bytes_of(host_path));
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
}

/* Recorded as the container's, as the host's, by another container of the same volume: each once. */
static void changes_are_found_by_either_name(void **state)
{
    struct container *web = make_container("0123456789ab", "web"), *app = make_container("ffff56789abc", "app");
    const struct store_query rows[] = {
        { .container = bytes_of("web"), .path = bytes_of("/prd/data"), .host_path = bytes_of("/data") },
        { .container = bytes_of("app"), .path = bytes_of("/data"), .host_path = bytes_of("/data") },
        { .path = bytes_of("/data") },
        { .container = bytes_of("web"), .path = bytes_of("/prd/data/f"), .host_path = bytes_of("/data/f") },
    };

    (void)state;
    add_event("/prd/data/f", "/data/f", web, VICTIM_VOLUME, 1);
    add_event("/data/f", "/data/f", NULL, VICTIM_HOST, 2);
    add_event("/data/f", "/data/f", app, VICTIM_VOLUME, 3); /* mounted where it is on the host */
    add_event("/data/f", "/layers/app/data/f", app, VICTIM_CONTAINER, 4);
    assert_int_equal(store_flush(store, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        unsigned events = 0, counted = 0, expected = i == 1 ? 4 : 3;

        assert_int_equal(store_each_event(store, &rows[i], count_event, &events, NULL), 0);
        assert_int_equal(store_each_rollup(store, &rows[i], 4, count_rollup, &counted, NULL), 0);
        if (events != expected || counted != expected)
            fail_msg("row %zu: %u events, %u counted", i, events, counted);
    }
    container_unref(web);
    container_unref(app);
}

/* ---- what lies above ---- */

struct above {
    char text[512];
};

static int on_above(void *data, struct event *e)
{
    struct above *a = data;
    size_t used = strlen(a->text);

    snprintf(a->text + used, sizeof(a->text) - used, "%u %.*s %.*s %.*s|", (unsigned)e->time_ns, (int)e->previous_path.len,
             e->previous_path.data ? e->previous_path.data : "", (int)e->path.len, e->path.data, (int)e->carried.len,
             e->carried.data);
    event_free(e);
    return 0;
}

static void add_above(enum operation operation, const char *from, const char *to, struct container *victim, uint64_t time_ns,
                      uint32_t mode, int error)
{
    struct event *e = make_event(operation, to, NULL, victim, time_ns);

    e->id[0] = (uint8_t)time_ns;
    e->error = error;
    if (from)
        event_set(e, &e->previous_path, bytes_of(from));
    event_set(e, &e->host_path, bytes_of(victim ? "/merged/x" : to));
    e->file = (struct file_state){ .known = FILE_MODE, .mode = mode };
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
}

static void moves_above_are_found(void **state)
{
    static const struct {
        const char *path, *container, *expected;
        uint64_t since_ns, operations;
    } rows[] = {
        { "/data/mid/leaf/k", NULL,
          "1 /data/mid /data/gone /data/mid/leaf/k|2 /data/gone /data/mid /data/mid/leaf/k|"
          "4  /data/mid /data/mid/leaf/k|9 /data /old /data/mid/leaf/k|", 0, 0 },
        { "/data/mid/leaf/k", NULL, "9 /data /old /data/mid/leaf/k|", 5, 0 },
        { "/data/mid/leaf/k", NULL, "4  /data/mid /data/mid/leaf/k|", 0, 1ull << OPERATION_UNLINK },
        { "/data/gone/x", NULL, "1 /data/mid /data/gone /data/gone/x|2 /data/gone /data/mid /data/gone/x|9 /data /old /data/gone/x|",
          0, 0 },
        { "/data/mi", NULL, "9 /data /old /data/mi|", 0, 0 },
        { "/data/mid/leaf", "web", "7 /data/mid /data/away /data/mid/leaf|", 0, 0 },
        { "/data", NULL, "", 0, 0 }, /* the name itself: no change above it */
    };
    struct container *web = make_container("0123456789ab", "web");

    (void)state;
    add_above(OPERATION_RENAME, "/data/mid", "/data/gone", NULL, 1, 040755, 0);
    add_above(OPERATION_RENAME, "/data/gone", "/data/mid", NULL, 2, 040755, 0);
    add_above(OPERATION_RENAME, "/data/mid", "/data/no", NULL, 3, 040755, EACCES);
    add_above(OPERATION_UNLINK, NULL, "/data/mid", NULL, 4, 0120777, 0);       /* a link on the way */
    add_above(OPERATION_UNLINK, NULL, "/data/mid", NULL, 5, 0100644, 0);       /* a file leads nowhere */
    add_above(OPERATION_RMDIR, NULL, "/data/mid", NULL, 6, 040755, 0);         /* it was empty */
    add_above(OPERATION_RENAME, "/data/mid", "/data/away", web, 7, 040755, 0); /* the container's */
    add_above(OPERATION_RENAME, "/data/mid/leaf/k/f", "/data", NULL, 8, 0100644, 0); /* below it: found by that */
    add_above(OPERATION_RENAME, "/data", "/old", NULL, 9, 040755, 0);
    assert_int_equal(store_flush(store, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct store_query q = { .path = bytes_of(rows[i].path), .container = bytes_of(rows[i].container),
                                 .since_ns = rows[i].since_ns, .operations = rows[i].operations };
        struct above a = { "" };

        assert_int_equal(store_each_above(store, &q, on_above, &a, NULL), 0);
        if (i == 3 || i == 4) /* the eighth is above these */
            assert_non_null(strstr(a.text, "8 /data/mid/leaf/k/f /data "));
        else if (strcmp(a.text, rows[i].expected) != 0)
            fail_msg("row %zu: %s", i, a.text);
    }
    container_unref(web);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_much_is_reported_by_the_spans),
        cmocka_unit_test(a_part_is_no_claim_of_the_whole),
        cmocka_unit_test(more_spans_than_are_held),
        TEST(a_path_is_covered_whole_in_part_or_not),
        TEST(a_container_and_the_host_see_the_same_place),
        TEST(a_place_counts_since_it_was_known),
        TEST(the_nearest_is_named),
        TEST(the_record_knows_whose_a_path_was),
        TEST(the_record_knows_where_a_link_led),
        TEST(changes_are_found_by_either_name),
        TEST(moves_above_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
