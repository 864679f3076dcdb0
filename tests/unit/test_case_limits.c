/* SPDX-License-Identifier: MIT */
/* Verdicts: what cannot be reported, what is hostile, what comes from the store. */
#include "report/coverage.h"
#include "test.h"

#include "case.h"
#include "report/phrase.h"
#include "report/tally.h"

/* ---- what cannot be reported ---- */

static void gaps_are_named(void **state)
{
    json_t *all, *culprit;
    struct gap gap = { .reason = LOST_RING_FULL, .count = 12, .from_ns = T0, .to_ns = T0 + NS_PER_S,
                       .text = "the ring was full" };

    (void)state;
    add(OPERATION_UNLINK, "/prd/a", agent, 1, 0);
    says("nothing lost");
    assert_int_equal(case_lost(c), 0);
    case_add_gap(c, &gap);
    says("12 lost: the verdict may be incomplete");
    says("the ring was full");
    assert_int_equal(case_lost(c), 12);
    /* names of processes lost are no changes lost */
    case_add_gap(c, &(struct gap){ .reason = LOST_PROCESS_EVENTS, .count = 5, .from_ns = T0, .to_ns = T0 });
    assert_int_equal(case_lost(c), 12);
    case_add_gap(c, &(struct gap){ .reason = LOST_AUDIT_SOCKET, .from_ns = T0, .to_ns = T0 });
    says("12 and more lost");
    for (int i = 0; i < 100; i++)
        case_add_gap(c, &gap);
    assert_int_equal(case_lost(c), 1212);
    says("168 lost until 02:45:36.000: the ring was full (14 times)"); /* 16 are kept, and those of one kind are one line */
    says("and 87 more");
    all = lines();
    culprit = json_object_get(json_array_get(all, 0), "culprit");
    assert_int_equal(number(culprit, "lost"), 1212);
    assert_int_equal(number(culprit, "gaps"), 103);
    assert_true(json_is_true(json_object_get(culprit, "lost_unknown")));
    json_decref(all);
}

static void gap_of_unknown_size_is_not_zero(void **state)
{
    json_t *all, *culprit;

    (void)state;
    case_add_gap(c, &(struct gap){ .reason = LOST_AUDIT_SOCKET, .from_ns = T0, .to_ns = T0 });
    assert_true(case_lost(c) > 0);
    says("how many is not known");
    says_not("nothing lost");
    all = lines();
    culprit = json_object_get(json_array_get(all, 0), "culprit");
    assert_null(json_object_get(culprit, "lost"));
    assert_true(json_is_true(json_object_get(culprit, "lost_unknown")));
    json_decref(all);
}

static void explanations(void **state)
{
    json_t *all;

    (void)state;
    case_add_explanation(c, EXPLANATION_BEFORE, T0, 0, BYTES_NULL);
    assert_false(case_answered(c));
    says("web:/prd was not there when the observation began");
    case_free(c);
    c = case_new(&(struct case_options){ .target = bytes_of("web:/prd") });
    case_add_explanation(c, EXPLANATION_RECREATED, T0, 21, bytes_of("w\x1b[2Jb"));
    add(OPERATION_UNLINK, "/prd/a", runc, 1, 0); /* the runtime drops the layer: reported by the explanation */
    assert_true(case_answered(c));
    says("VERDICT  Nobody deleted these files: container w\\x1b[2Jb was created anew, and its writable layer with "
         "21 files was dropped");
    says_not("VERDICT  OCI");
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    add(OPERATION_UNLINK, "/prd/b", agent, 2, 0);
    says("VERDICT  agent");
    says("also      Nobody deleted these files");
    for (int i = 0; i < 15; i++)
        assert_int_equal(case_add_explanation(c, EXPLANATION_HIDDEN, T0, 0, bytes_of("/prd")), 0);
    assert_int_equal(case_add_explanation(c, EXPLANATION_HIDDEN, T0, 0, bytes_of("/prd")), -ENOSPC);
}

static void names_alone_make_no_claim(void **state)
{
    struct process *p = make_process(80, "", process_ref(init));

    (void)state;
    process_set(p, &p->name, bytes_of("s1-agent"));
    process_set(p, &p->owner.product, bytes_of("SentinelOne"));
    process_set(p, &p->owner.product_kind, bytes_of("EDR"));
    p->owner.looks_like = true;
    add(OPERATION_UNLINK, "/prd/a", p, 1, 0);
    says("A process that looks like \"s1-agent\" (name only; its executable is not known)");
    says("looks like SentinelOne (EDR), by its name only");
    says_not("SentinelOne's agent");
    process_unref(p);
    add(OPERATION_UNLINK, "/prd/b", NULL, 2, 0);
    says("A process that is not known deleted /prd/b");
}

static void hostile_names_do_nothing(void **state)
{
    static const char evil[] = "/\x1b]0;x\x07\n\r\t\x7f\x9b" "2J\xe2\x80\xae\xff\"";
    struct container *other = make_container(evil, evil);
    struct process *p = make_process(90, evil, make_process(91, evil, process_ref(init)));
    struct event *e = make_event(OPERATION_CHMOD, evil, p, other, T0);
    json_t *all;

    (void)state;
    p->origin = ORIGIN_CONTAINER;
    p->container = container_ref(other);
    p->cred.known = true;
    process_set(p, &p->user_name, bytes_of(evil));
    process_set(p, &p->script, bytes_of(evil));
    process_set(p, &p->args, bytes_of(evil));
    process_set(p, &p->owner.unit, bytes_of(evil));
    process_set(p, &p->owner.package, bytes_of(evil));
    process_set(p, &p->owner.package_version, bytes_of(evil));
    process_set(p, &p->owner.product, bytes_of(evil));
    process_set(p, &p->owner.product_kind, bytes_of(evil));
    e->since_start_known = true;
    case_free(c);
    c = case_new(&(struct case_options){ .target = bytes_of(evil), .command = bytes_of(evil) });
    case_add_event(c, e);
    e->operation = OPERATION_UNLINK;
    case_add_event(c, e);
    e->operation = OPERATION_WRITE;
    event_set(e, &e->path, bytes_of("/other"));
    case_add_event(c, e);
    case_add_coverage(c, &(struct coverage){ .from_ns = T0, .watch = bytes_of(evil), .not_seen = bytes_of(evil) });
    case_add_explanation(c, EXPLANATION_TMPFS, T0, 1, bytes_of(evil));
    for (struct bytes rest = (written(), sbuf_bytes(&text)); rest.len;) {
        uint32_t code = 0;
        unsigned n = utf8_decode(rest, &code);

        assert_true(n > 0);
        assert_true(code >= 0x20 || code == '\n');
        assert_true(code != 0x7f && !(code >= 0x80 && code < 0xa0) && code != 0x202e);
        rest = (struct bytes){ rest.data + n, rest.len - n };
    }
    all = lines();
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
    event_free(e);
    process_unref(p);
    container_unref(other);
}

/* ---- from the store ---- */

static void rollups_count_like_events(void **state)
{
    struct event *samples[3], *one;
    struct store_rollup rollup = { .count = 500, .first_ns = T0, .last_ns = T0 + 60 * NS_PER_S };

    (void)state;
    for (int i = 0; i < 3; i++) {
        char path[32];

        snprintf(path, sizeof(path), "/prd/f%d", i);
        samples[i] = make_event(OPERATION_UNLINK, path, agent, web, T0 + (unsigned)i);
    }
    rollup.sample = samples[0];
    assert_int_equal(case_add_rollup(c, &rollup, samples, 3), 0);
    assert_int_equal(case_events(c), 500);
    says("agent, on the host, deleted 500 files of container web");
    one = make_event(OPERATION_WRITE, "/prd/log", agent, web, T0);
    rollup = (struct store_rollup){ .sample = one, .count = 70, .first_ns = T0, .last_ns = T0 + 1 };
    assert_int_equal(case_add_rollup(c, &rollup, NULL, 0), 0);
    assert_int_equal(case_events(c), 570);
    says_not("70 files"); /* writes, of how many files is not known */
    says("files written to in /prd (70 times)");
    event_free(one);
    for (int i = 0; i < 3; i++)
        event_free(samples[i]);
}

/* Of what nobody looked at file by file one change is left to report: the others are folded away. */
static void one_change_is_of_one_file(void **state)
{
    struct tally t = { .operation = OPERATION_WRITE, .files_beyond = true, .reported = 1 };

    (void)state;
    assert_int_equal(tally_files(&t), 1);
    t.reported = 2;
    assert_int_equal(tally_files(&t), 0); /* of one or of two: not known */
}

/* A run of temporary files that the store gives by its first ones: the rest may be of the same kind. */
static void rollups_of_temporary_files(void **state)
{
    struct event *made[2], *gone[2];
    struct store_rollup rollup = { .count = 100, .first_ns = T0, .last_ns = T0 + 1 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        made[i] = make_event(OPERATION_CREATE, i ? "/prd/t1" : "/prd/t0", agent, web, T0);
        gone[i] = make_event(OPERATION_UNLINK, i ? "/prd/t1" : "/prd/t0", agent, web, T0);
    }
    rollup.sample = made[0];
    case_add_rollup(c, &rollup, made, 2);
    rollup.sample = gone[0];
    case_add_rollup(c, &rollup, gone, 2);
    says("deleted 98 files of container web");
    says("folded    4 changes about temporary files of its own");
    for (int i = 0; i < 2; i++) {
        event_free(made[i]);
        event_free(gone[i]);
    }
}

/* Who may have deleted his own files only comes behind who deleted others', and where the rest lies is not claimed. */
static void what_nobody_looked_at(void **state)
{
    struct event *made = make_event(OPERATION_CREATE, "/prd/d/t0", agent, web, T0), *gone = make_event(OPERATION_UNLINK, "/prd/d/t1", agent, web, T0);
    struct store_rollup rollup = { .sample = made, .count = 100, .first_ns = T0, .last_ns = T0 + 1 };

    (void)state;
    case_add_rollup(c, &rollup, NULL, 0);
    rollup.sample = gone;
    case_add_rollup(c, &rollup, NULL, 0);
    says("VERDICT  agent, on the host, deleted 100 files of container web");
    says("100 files deleted in /prd/d and perhaps elsewhere");
    add(OPERATION_UNLINK, "/prd/a", app, 5000, 0);
    assert_true(strstr(written(), "VERDICT  app") < strstr(written(), "VERDICT  agent"));
    event_free(made);
    event_free(gone);
}

/* The page of a busy directory: the first verdicts whole, of the others the sentence. */
static void many_verdicts_are_short(void **state)
{
    struct process *who[8];
    const char *at;
    unsigned lines_of_who = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        char name[32];

        snprintf(name, sizeof(name), "/opt/p%d", i);
        who[i] = make_process(100 + i, name, process_ref(init));
        snprintf(name, sizeof(name), "/prd/f%d", i);
        add(OPERATION_UNLINK, name, who[i], (unsigned)i, 0);
    }
    written();
    lines_of_who = 0;
    for (at = sbuf_str(&text); (at = strstr(at, "\n  who")); at++)
        lines_of_who++;
    assert_int_equal(lines_of_who, 3);
    says("VERDICT  p7, on the host, deleted /prd/f7 of container web");
    says("more      the first 3 are shown whole; the others with --verbose");
    for (int i = 0; i < 8; i++)
        process_unref(who[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gaps_are_named),
        TEST(gap_of_unknown_size_is_not_zero),
        TEST(explanations),
        TEST(names_alone_make_no_claim),
        TEST(hostile_names_do_nothing),
        TEST(rollups_count_like_events),
        TEST(one_change_is_of_one_file),
        TEST(rollups_of_temporary_files),
        TEST(what_nobody_looked_at),
        TEST(many_verdicts_are_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
