/* SPDX-License-Identifier: MIT */
#include "daemon/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/sensors.h"

/* What must be told for an answer to be the whole truth, given what was asked for. */
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

/* Nice to have: never a reason to pay for a second sensor. */
#define EXTRAS \
    (CAPABILITY_REFUSED | CAPABILITY_MAPPINGS | CAPABILITY_CREDENTIALS | CAPABILITY_ANY_ALIAS | \
     CAPABILITY_EACH_WRITE | CAPABILITY_MOUNTS | CAPABILITY_FLAGS)

void choice_lacks(const struct choice *choice, unsigned permissions, char *ret, size_t size)
{
    uint64_t missing = (wanted(permissions) | CAPABILITY_REFUSED) & ~choice->has;
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

uint64_t choice_with_tracker(uint64_t has, const struct tracker_ops *tracker)
{
    return tracker && tracker->captures ? has | CAPABILITY_ACTOR_EXITED : has;
}

static bool is_chosen(const struct choice *c, const struct sensor_ops *ops)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->sensors[i] == ops)
            return true;
    return false;
}

static int add(struct choice *c, const struct sensor_ops *ops, const struct sensor_capabilities *caps)
{
    if (c->count == CHOICE_MAX)
        return -E2BIG;
    if (is_chosen(c, ops))
        return 0;
    c->sensors[c->count] = ops;
    c->capabilities[c->count++] = *caps;
    c->has |= caps->has;
    return 0;
}

static int choose_listed(const char *list, const struct tracker_ops *tracker, struct choice *c,
                         struct err *err)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        struct sensor_capabilities caps = { 0 };
        struct err why = ERR_INIT;
        char name[32];
        int r;

        snprintf(name, sizeof(name), "%.*s", (int)MIN(n, sizeof(name) - 1), list);
        if (n && !sensor_by_name(name)) {
            char known[128] = "";

            for (unsigned i = 0; sensors[i]; i++) {
                strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
                strncat(known, sensors[i]->name, sizeof(known) - strlen(known) - 1);
            }
            return err_say(err, -EINVAL, "unknown sensor \"%s\" (use auto, %s)", name, known);
        }
        if (n) {
            r = sensor_by_name(name)->probe(&caps, &why);
            if (r < 0 || !caps.works) {
                r = r < 0 ? r : geteuid() == 0 ? -ENODEV : -EPERM;
                return err_say(err, r, "sensor %s does not work here: %s", name,
                               why.text[0] ? why.text : caps.state[0] ? caps.state : strerror(-r));
            }
            caps.has = choice_with_tracker(caps.has, tracker);
            r = add(c, sensor_by_name(name), &caps);
            if (r < 0)
                return err_set(err, r, "sensors");
        }
        list += n + (list[n] == ',');
    }
    return c->count ? 0 : err_say(err, -EINVAL, "no sensor named; write --sensor auto");
}

int choose_sensors(const char *list, unsigned permissions, const struct tracker_ops *tracker,
                   struct choice *ret, struct err *err)
{
    struct choice c = { 0 };
    struct sensor_capabilities all[CHOICE_MAX] = { 0 };
    uint64_t need = wanted(permissions) & ~(uint64_t)EXTRAS;
    int best = -1, r;

    if (strcmp(list, "auto") != 0) {
        r = choose_listed(list, tracker, &c, err);
        if (r == 0)
            *ret = c;
        return r;
    }
    if (permissions & PERMISSION_READ)
        need |= CAPABILITY_READS;
    for (unsigned i = 0; sensors[i] && i < CHOICE_MAX; i++) {
        struct err why = ERR_INIT;

        r = sensors[i]->probe(&all[i], &why);
        if (r < 0 || !all[i].works) {
            all[i].works = false;
            if (!c.reason[0])
                snprintf(c.reason, sizeof(c.reason), "%s", why.text[0] ? why.text : all[i].state);
            continue;
        }
        all[i].has = choice_with_tracker(all[i].has, tracker);
        /* most of what is needed first, then the cheapest */
        if (best < 0 ||
            __builtin_popcountll(all[i].has & need) > __builtin_popcountll(all[best].has & need) ||
            (__builtin_popcountll(all[i].has & need) ==
                 __builtin_popcountll(all[best].has & need) &&
             all[i].cost < all[best].cost))
            best = (int)i;
    }
    if (best < 0) {
        if (geteuid() != 0)
            return err_say(err, -EPERM,
                           "needs root, or the capabilities that `culprit doctor` lists");
        return err_say(err, -ENODEV, "no sensor works here: %s",
                       c.reason[0] ? c.reason : "culprit doctor says more");
    }
    if (best == 0)
        c.reason[0] = '\0';
    (void)add(&c, sensors[best], &all[best]);
    /* a second one only if it tells something needed that the first cannot */
    for (unsigned i = 0; sensors[i] && i < CHOICE_MAX; i++)
        if (all[i].works && (all[i].has & need & ~c.has))
            (void)add(&c, sensors[i], &all[i]);
    for (unsigned i = 0; sensors[i]; i++)
        if (sensors[i]->forget && !is_chosen(&c, sensors[i]))
            sensors[i]->forget();
    *ret = c;
    return 0;
}
