/* SPDX-License-Identifier: MIT */
/* The first byte says whose text the rest is: each parser of a source, the answer of a worker, and a question. What comes out is judged. */
#include <stdlib.h>

#include "clues/at.h"
#include "clues/cleaners.h"
#include "clues/copies.h"
#include "clues/cron.h"
#include "clues/engine_events.h"
#include "clues/judge.h"
#include "clues/last_logins.h"
#include "clues/manifest.h"
#include "clues/original.h"
#include "clues/package_log.h"
#include "clues/people.h"
#include "clues/reflog.h"
#include "clues/scripts.h"
#include "clues/source.h"
#include "clues/syslog.h"
#include "clues/units.h"
#include "fuzz.h"

#define AT (UINT64_C(1795896800) * NS_PER_S)

static void check(struct sbuf *answer, const struct clue_question *q)
{
    static struct clue_fact facts[4096];
    static struct clue_suspect suspects[CLUE_SUSPECTS_MAX];
    struct bytes rest = sbuf_bytes(answer);
    struct clue_circumstances c;
    struct clue_span cover;
    size_t n = 0;

    for (int part; n < 4096 && (part = clue_take(&rest, &facts[n], &cover)) > 0;)
        n += part == CLUE_PART_FACT;
    if (n < 4096 && rest.len)
        abort(); /* a parser wrote what nobody can read */
    clue_circumstances_find(q, facts, n, &c);
    if (clues_judge(&c, suspects) > CLUE_SUSPECTS_MAX)
        abort();
}

static const struct manifest_container container_of_manifests = {
    .name = { "web-1", 5 }, .service = { "web", 3 }, .pod = { "web-node", 8 }, .pod_container = { "web", 3 }, .created_ns = AT, .started_ns = AT, .is_layer = true
};

/* The first byte says which file of a runner it is. */
static void runner(struct sbuf *out, struct bytes text)
{
    static const char *const names[] = { "/etc/gitlab-runner/config.toml", "/j/.runner", "/etc/buildkite-agent.cfg", "/j/jobs/a/config.xml" };
    const struct clue_question q = { .path = { "/j/workspace/a/b", 16 } };

    if (text.len)
        ci_text(out, &q, bytes_of(names[text.data[0] & 3]), (struct bytes){ text.data + 1, text.len - 1 });
}

/* Each is written to. */
static void databases(struct sbuf *out, const struct clue_question *q, struct bytes text)
{
    char *copy = malloc(text.len + 1);

    if (!copy)
        return;
    memcpy(copy, text.data, text.len);
    last_logins_lastlog2(out, q, (struct bytes){ "/f", 2 }, (struct bytes){ copy, text.len });
    last_logins_wtmpdb(out, q, (struct bytes){ "/f", 2 }, (struct bytes){ copy, text.len });
    free(copy);
}

static void parse(unsigned which, struct sbuf *out, const struct clue_question *q, struct bytes text)
{
    struct clue_fact of = { .kind = CLUE_RULE, .suspect = { "x", 1 } };
    struct bytes name = { "/f", 2 };

    switch (which) {
    case 0:
        syslog_text(out, q, name, text);
        break;
    case 1:
        package_log_dpkg(out, q, name, text);
        break;
    case 2:
        package_log_apt(out, q, name, text);
        break;
    case 3:
        cron_table(out, q, name, text, true);
        break;
    case 4:
        cron_table(out, q, name, text, false);
        break;
    case 5:
        units_text(out, q, name, text);
        break;
    case 6:
        tmpfiles_text(out, q, name, text);
        break;
    case 7:
        (void)logrotate_text(out, q, name, text);
        break;
    case 8:
        logrotate_state(out, q, name, text, text.len & 1);
        break;
    case 9:
        trash_note(out, q, name, text);
        break;
    case 10:
        scripts_text(out, q, &of, name, text);
        break;
    case 13:
        people_wtmp(out, q, name, text);
        people_btmp(out, q, name, text);
        break;
    case 14:
        people_accounting(out, q, name, text);
        break;
    case 15:
        people_history(out, q, name, name, text);
        break;
    case 16:
        package_log_rpm(out, q, name, text);
        break;
    case 17: /* the name says when it was due */
        at_job(out, q, (struct bytes){ "/a00001019191f5", 15 }, text);
        break;
    case 18:
        copies_lvm(out, name, text);
        break;
    case 24:
        manifest_compose(out, q, &container_of_manifests, &name, &text, 1);
        break;
    case 25:
        manifest_pods(out, q, &container_of_manifests, name, text);
        break;
    case 23:
        package_triggers(out, q, name, text, text);
        break;
    case 26:
        runner(out, text);
        break;
    case 27:
        last_logins_part(out, q, text, 0, text);
        break;
    case 29:
        cron_tmpreaper(out, q, text);
        break;
    case 28:
        databases(out, q, text);
        break;
    case 20:
        reflog_text(out, q, (struct bytes){ "/srv", 4 }, name, text);
        break;
    default:
        break;
    }
}

static void take_anything(struct bytes in)
{
    struct clue_question q;
    struct clue_span cover;
    struct clue_fact f = { 0 }; /* a part that is none leaves it as it was */
    struct original o;
    struct bytes rest = in;

    (void)clue_question_get(in, &q);
    while (clue_take(&rest, &f, &cover) > 0)
        if (f.kind >= CLUE_KIND_COUNT)
            abort();
    while (in.len && original_get(&in, &o) == 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct clue_question q = { .path = { "/srv/data", 9 }, .now_ns = AT + NS_PER_S, .spans = { { AT, AT } }, .span_count = 1 };
    struct bytes text = { (const char *)data + 1, size - 1 };
    struct original_conffiles conffiles = { 0 };
    struct container *container;
    struct sbuf out = SBUF_INIT;

    if (!size)
        return 0;
    setenv("TZ", "UTC", 1);
    switch (data[0] % 30) {
    case 11:
        (void)original_git(&out, &q, (struct bytes){ "/srv", 4 }, text);
        break;
    case 12:
        take_anything(text);
        break;
    case 19:
        (void)original_locate(&out, &q, AT, text);
        break;
    case 22:
        container = container_new();
        if (container) {
            container_set(container, &container->id, (struct bytes){ "0123456789ab", 12 });
            engine_event(&out, &q, container, text);
        }
        container_unref(container);
        check(&out, &q);
        break;
    case 21:
        if (original_conffiles_read(text, &conffiles) == 0)
            original_dpkg(&out, &q, (struct bytes){ "package x", 9 }, text, text, &conffiles);
        free(conffiles.all);
        break;
    default:
        parse(data[0] % 30, &out, &q, text);
        check(&out, &q);
    }
    sbuf_done(&out);
    return 0;
}
