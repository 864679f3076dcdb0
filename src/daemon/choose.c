/* SPDX-License-Identifier: MIT */
#include "daemon/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/sensors.h"
#include "util/macro.h"

/* What the sensors must see for the answer to be complete, given what was asked for. */
static uint64_t wanted(unsigned permissions)
{
    uint64_t want = CAPABILITY_OLD_PROCESSES | CAPABILITY_IO_URING | CAPABILITY_ACTOR_EXITED |
                    CAPABILITY_RESTART;

    if (permissions & PERMISSION_WRITE)
        want |= CAPABILITY_NAMES | CAPABILITY_CONTENTS | CAPABILITY_CLOSE_WRITE |
                CAPABILITY_OLD_DESCRIPTORS | CAPABILITY_MAPPINGS | CAPABILITY_MOUNTS;
    if (permissions & PERMISSION_ATTR)
        want |= CAPABILITY_METADATA | CAPABILITY_BEFORE_AFTER | CAPABILITY_FLAGS;
    if (permissions & PERMISSION_READ)
        want |= CAPABILITY_READS;
    if (permissions & PERMISSION_EXEC)
        want |= CAPABILITY_EXECUTIONS;
    return want;
}

/* Nice to have: no reason to take one as the first instead of a cheaper one. */
#define EXTRAS \
    (CAPABILITY_REFUSED | CAPABILITY_MAPPINGS | CAPABILITY_CREDENTIALS | CAPABILITY_ANY_ALIAS | \
     CAPABILITY_EACH_WRITE | CAPABILITY_MOUNTS | CAPABILITY_FLAGS)

/* Only who sees the call itself knows what was done: which attribute, which of two names, what was tried in vain. Who looks
 * at the file afterwards has to say "not known". */
#define SEES_CALLS CAPABILITY_ROUTE

static void list_lacks(uint64_t missing, char *ret, size_t size)
{
    const struct capability_info *info;
    size_t len = 0;

    ret[0] = '\0';
    for (unsigned i = 0; (info = capability_info(i)); i++) {
        int n;

        if (!(missing & info->bit))
            continue;
        n = snprintf(ret + len, size - len, "%s%s", len ? ", " : "", info->lack);
        if (n < 0 || (size_t)n >= size - len)
            return;
        len += (size_t)n;
    }
}

/* What only those sensors of the set can see that do not see older processes. */
static uint64_t of_young_processes(const struct choice *c)
{
    uint64_t young = 0, all = 0;

    for (size_t i = 0; i < c->count; i++)
        *(c->capabilities[i].has & CAPABILITY_OLD_PROCESSES ? &all : &young) |= c->capabilities[i].has;
    return all ? young & ~all : 0;
}

void choice_lacks(const struct choice *choice, unsigned permissions, char *ret, size_t size)
{
    uint64_t asked = wanted(permissions) | CAPABILITY_REFUSED;
    char young[256];
    size_t len;

    list_lacks(asked & ~choice->has, ret, size);
    list_lacks(asked & of_young_processes(choice), young, sizeof(young));
    len = strlen(ret);
    if (young[0])
        snprintf(ret + len, size - len, "%sby processes that were running before auditing was first enabled (%s)", len ? ", " : "",
                 young);
}

uint64_t choice_with_tracker(uint64_t has, const struct tracker_ops *tracker)
{
    return tracker && tracker->captures ? has | CAPABILITY_ACTOR_EXITED : has;
}

/* As the manual has it: --sensor. */
const char *choice_price(const struct choice *choice)
{
    static const struct {
        unsigned bits; /* enum sensor_bit */
        const char *text;
    } prices[] = {
        { SENSOR_FANOTIFY, "what makes and removes a file there takes about 2.5 times as long, elsewhere on its file system 1.5 times" },
        { SENSOR_AUDIT, "what makes and removes a file there takes about 10 times as long, elsewhere on its file system 1.5 times" },
        { SENSOR_FANOTIFY | SENSOR_AUDIT,
          "what makes and removes a file there takes about 8 times as long, elsewhere on its file system twice; --sensor cheap takes less" },
    };
    unsigned bits = 0;

    for (size_t i = 0; i < choice->count; i++)
        bits |= choice->sensors[i]->bit;
    for (size_t i = 0; i < ARRAY_SIZE(prices); i++)
        if (prices[i].bits == bits)
            return prices[i].text;
    return "";
}

static bool is_chosen(const struct choice *c, const struct sensor_ops *ops)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->sensors[i] == ops)
            return true;
    return false;
}

static int add(struct choice *c, const struct candidate *candidate)
{
    if (c->count == CHOICE_MAX)
        return -E2BIG;
    if (is_chosen(c, candidate->ops))
        return 0;
    c->sensors[c->count] = candidate->ops;
    c->capabilities[c->count++] = candidate->capabilities;
    c->has |= candidate->capabilities.has;
    return 0;
}

static int probe(const struct sensor_ops *ops, const struct tracker_ops *tracker, struct candidate *ret)
{
    struct err why = ERR_INIT;
    int r;

    *ret = (struct candidate){ .ops = ops };
    r = ops->probe(&ret->capabilities, &why);
    ret->capabilities.works &= r >= 0;
    ret->capabilities.has = choice_with_tracker(ret->capabilities.has, tracker);
    if (!ret->capabilities.works)
        snprintf(ret->why, sizeof(ret->why), "%.255s", why.text[0] ? why.text : ret->capabilities.state);
    return r < 0 ? r : 0;
}

static int choose_listed(const char *list, const struct tracker_ops *tracker, struct choice *c,
                         struct err *err)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        struct candidate one;
        char name[32];
        int r;

        snprintf(name, sizeof(name), "%.*s", (int)MIN(n, sizeof(name) - 1), list);
        if (n && !sensor_by_name(name)) {
            char known[128] = "";

            for (unsigned i = 0; sensors[i]; i++) {
                strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
                strncat(known, sensors[i]->name, sizeof(known) - strlen(known) - 1);
            }
            return err_say(err, -EINVAL, "unknown sensor \"%s\" (use auto, cheap, or of %s)", name, known);
        }
        if (n) {
            r = probe(sensor_by_name(name), tracker, &one);
            if (!one.capabilities.works) {
                r = r < 0 ? r : geteuid() == 0 ? -ENODEV : -EPERM;
                return err_say(err, r, "sensor %s does not work here (--sensor auto takes one that does): %s", name, one.why[0] ? one.why : strerror(-r));
            }
            r = add(c, &one);
            if (r < 0)
                return err_set(err, r, "sensors");
        }
        list += n + (list[n] == ',');
    }
    return c->count ? 0 : err_say(err, -EINVAL, "no sensor named; write --sensor auto");
}

/* The set is without it: why, what that costs, and how to have it all the same. */
static void say_compromise(struct choice *c, const struct choice_wish *wish, const struct sensor_ops *ops, uint64_t has,
                           const char *why, bool works)
{
    char lacks[512];

    list_lacks((wanted(wish->permissions) | CAPABILITY_REFUSED) & has & ~c->has, lacks, sizeof(lacks));
    snprintf(c->compromise, sizeof(c->compromise), "%s alone: %s%s%s%s", c->sensors[0]->name, why,
             lacks[0] ? "; not seen therefore: " : "", lacks,
             has & SEES_CALLS & ~c->has ? "; nor is it always known which attribute was changed" : "");
    if (works)
        snprintf(c->compromise + strlen(c->compromise), sizeof(c->compromise) - strlen(c->compromise),
                 "; --sensor %s,%s takes both", c->sensors[0]->name, ops->name);
}

/* Not to be had, or not to be taken without being asked: why. Empty: it may be taken. */
static void what_is_against(const struct choice_wish *wish, const struct candidate *one, char *ret, size_t size)
{
    const struct sensor_capabilities *caps = &one->capabilities;

    ret[0] = '\0';
    if (!caps->works)
        snprintf(ret, size, "%s", one->why[0] ? one->why : "the other one does not work here");
    else if (caps->taken_by[0])
        snprintf(ret, size, "%s belongs to %s, where every change would end up too", one->ops->name, caps->taken_by);
    else if (caps->targets && wish->targets > caps->targets)
        snprintf(ret, size, "%s takes minutes to set up %zu watches", one->ops->name, wish->targets);
}

static bool is_better(const struct candidate *a, const struct candidate *b, uint64_t need)
{
    int as = __builtin_popcountll(a->capabilities.has & need), bs = __builtin_popcountll(b->capabilities.has & need);

    return as != bs ? as > bs : a->capabilities.cost < b->capabilities.cost;
}

int choose_among(const struct choice_wish *wish, const struct candidate *candidates, size_t count, struct choice *ret)
{
    struct choice c = { .automatic = true };
    uint64_t need = wanted(wish->permissions) & ~(uint64_t)EXTRAS;
    const struct candidate *best = NULL;

    /* most of what is needed first, then the cheapest */
    for (size_t i = 0; i < count; i++)
        if (candidates[i].capabilities.works && (!best || is_better(&candidates[i], best, need)))
            best = &candidates[i];
    for (size_t i = 0; i < count && !c.reason[0] && &candidates[i] != best; i++)
        if (!candidates[i].capabilities.works)
            snprintf(c.reason, sizeof(c.reason), "%s", candidates[i].why);
    if (!best) {
        *ret = c;
        return -ENODEV;
    }
    (void)add(&c, best);
    /* a second one where the first does not see calls, and this one does */
    for (size_t i = 0; i < count && strcmp(wish->list, "cheap") != 0; i++) {
        const struct candidate *one = &candidates[i];
        char against[320];

        if (one == best || !(one->capabilities.has & (SEES_CALLS | need) & ~c.has))
            continue;
        what_is_against(wish, one, against, sizeof(against));
        if (!against[0])
            (void)add(&c, one);
        else
            say_compromise(&c, wish, one->ops, one->capabilities.has, against, one->capabilities.works);
    }
    *ret = c;
    return 0;
}

void choice_leave_out(struct choice *choice, const struct choice_wish *wish, const struct sensor_ops *ops, const char *why)
{
    uint64_t had = 0;
    size_t n = 0;

    for (size_t i = 0; i < choice->count; i++) {
        if (choice->sensors[i] == ops) {
            had = choice->capabilities[i].has;
            continue;
        }
        choice->sensors[n] = choice->sensors[i];
        choice->capabilities[n++] = choice->capabilities[i];
    }
    choice->count = n;
    choice->has = 0;
    for (size_t i = 0; i < n; i++)
        choice->has |= choice->capabilities[i].has;
    if (n && choice->automatic)
        say_compromise(choice, wish, ops, had, why, false);
}

int choose_sensors(const struct choice_wish *wish, const struct tracker_ops *tracker, struct choice *ret, struct err *err)
{
    struct candidate candidates[CHOICE_MAX] = { 0 };
    struct choice c = { 0 };
    size_t count = 0;
    int r;

    if (strcmp(wish->list, "auto") != 0 && strcmp(wish->list, "cheap") != 0) {
        r = choose_listed(wish->list, tracker, &c, err);
        if (r == 0)
            *ret = c;
        return r;
    }
    for (unsigned i = 0; sensors[i] && count < CHOICE_MAX; i++)
        (void)probe(sensors[i], tracker, &candidates[count++]);
    r = choose_among(wish, candidates, count, &c);
    if (r < 0) {
        if (geteuid() != 0)
            return err_say(err, -EPERM,
                           "needs root, or the capabilities that `culprit doctor` lists");
        return err_say(err, -ENODEV, "no sensor works here: %s",
                       c.reason[0] ? c.reason : "culprit doctor says more");
    }
    for (unsigned i = 0; sensors[i]; i++)
        if (sensors[i]->forget && !is_chosen(&c, sensors[i]))
            sensors[i]->forget();
    *ret = c;
    return 0;
}
