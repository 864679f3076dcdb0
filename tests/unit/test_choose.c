/* SPDX-License-Identifier: MIT */
/* Which sensors auto and cheap take, of what was found here: made-up machines, one row each. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/choose.h"
#include "event/operation.h"
#include "sensor/sensors.h"

#define LOOKS \
    (CAPABILITY_NAMES | CAPABILITY_CONTENTS | CAPABILITY_CLOSE_WRITE | CAPABILITY_METADATA | CAPABILITY_READS | \
     CAPABILITY_EXECUTIONS | CAPABILITY_OLD_PROCESSES | CAPABILITY_OLD_DESCRIPTORS | CAPABILITY_MAPPINGS | CAPABILITY_IO_URING | \
     CAPABILITY_ACTOR_EXITED | CAPABILITY_BEFORE_AFTER | CAPABILITY_RESTART)
#define CALLS \
    (CAPABILITY_NAMES | CAPABILITY_CONTENTS | CAPABILITY_METADATA | CAPABILITY_READS | CAPABILITY_EXECUTIONS | CAPABILITY_MOUNTS | \
     CAPABILITY_REFUSED | CAPABILITY_CREDENTIALS | CAPABILITY_ACTOR_EXITED | CAPABILITY_BEFORE_AFTER | CAPABILITY_RESTART | \
     CAPABILITY_FLAGS | CAPABILITY_ROUTE)

enum { BPF = 1, FANOTIFY = 2, AUDIT = 4, TAKEN = 8, LOCKED = 16, BOOTED = 32, CHEAP = 64, MANY = 128, NO_TRACKER = 256 };

static const struct {
    const char *machine;
    unsigned found;
    const char *set;        /* as it is opened */
    const char *compromise; /* is in that line; NULL: there is none */
    const char *lacks, *lacks_not; /* is among what is not seen; is not */
} rows[] = {
    { "all work", BPF | FANOTIFY | AUDIT, "bpf", NULL, NULL, "refused" },
    { "all work, audit has an owner", BPF | FANOTIFY | AUDIT | TAKEN, "bpf", NULL, NULL, "refused" },
    { "the least load, and bpf is to be had", BPF | FANOTIFY | AUDIT | CHEAP, "bpf", NULL, NULL, "refused" },
    { "bpf is refused", FANOTIFY | AUDIT, "fanotify+audit", NULL, "before auditing was first enabled (mounts over the files, refused", "io_uring" },
    { "bpf is refused, booted with audit=1", FANOTIFY | AUDIT | BOOTED, "fanotify+audit", NULL, NULL, "before auditing" },
    { "bpf is refused, the least load", FANOTIFY | AUDIT | CHEAP, "fanotify", NULL, "refused attempts", "before auditing" },
    { "audit has an owner", FANOTIFY | AUDIT | TAKEN, "fanotify",
      "fanotify alone: audit belongs to auditd (pid 612), where every change would end up too; not seen therefore: mounts over the "
      "files, refused attempts, flags of files (chattr); nor is it always known which attribute was changed; --sensor fanotify,audit takes both",
      "refused attempts", NULL },
    { "audit has an owner, the least load", FANOTIFY | AUDIT | TAKEN | CHEAP, "fanotify", NULL, "refused attempts", NULL },
    { "audit is locked", FANOTIFY | AUDIT | LOCKED, "fanotify", "fanotify alone: locked until the next boot; not seen therefore: mounts",
      "refused attempts", NULL },
    { "many targets", FANOTIFY | AUDIT | MANY, "fanotify", "fanotify alone: audit takes minutes to set up 51 watches; not seen", "refused", NULL },
    { "audit has an owner, and short-lived processes are not captured", FANOTIFY | AUDIT | TAKEN | NO_TRACKER, "fanotify",
      "full names of processes that exit at once", "full names of processes that exit at once", NULL },
    { "nothing but audit, which has an owner", AUDIT | TAKEN, "audit", NULL, "io_uring", NULL },
    { "nothing but audit, the least load", AUDIT | CHEAP, "audit", NULL, "io_uring", NULL },
    { "nothing", 0, "", NULL, NULL, NULL },
};

static size_t make(unsigned found, struct candidate ret[3])
{
    uint64_t captured = found & NO_TRACKER ? CAPABILITY_ACTOR_EXITED : 0;
    bool bpf = found & BPF, fanotify = found & FANOTIFY, audit = (found & AUDIT) && !(found & LOCKED);

    memset(ret, 0, 3 * sizeof(*ret));
    ret[0] = (struct candidate){ sensor_by_name("bpf"), { bpf, bpf ? LOOKS | CALLS : 0, 130 }, "refused here" };
    ret[1] = (struct candidate){ sensor_by_name("fanotify"), { fanotify, fanotify ? LOOKS & ~captured : 0, 150 }, "too old" };
    ret[2] = (struct candidate){ sensor_by_name("audit"), { audit, CALLS, 700, .targets = 50 }, "locked until the next boot" };
    if (found & BOOTED)
        ret[2].capabilities.has |= CAPABILITY_OLD_PROCESSES;
    if (found & TAKEN)
        strcpy(ret[2].capabilities.taken_by, "auditd (pid 612)");
    if (!(found & AUDIT))
        ret[2].capabilities = (struct sensor_capabilities){ .has = CALLS };
    return 3;
}

static void join(const struct choice *c, char *ret, size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; i < c->count; i++)
        snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", i ? "+" : "", c->sensors[i]->name);
}

static void auto_and_cheap(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct choice_wish wish = { rows[i].found & CHEAP ? "cheap" : "auto", PERMISSION_WRITE | PERMISSION_ATTR,
                                          rows[i].found & MANY ? 51 : 50 };
        struct candidate candidates[3];
        size_t count = make(rows[i].found, candidates);
        struct choice choice = { 0 };
        char set[64], lacks[512];
        int r = choose_among(&wish, candidates, count, &choice);

        join(&choice, set, sizeof(set));
        choice_lacks(&choice, wish.permissions, lacks, sizeof(lacks));
        if (strcmp(set, rows[i].set) != 0 || r != (rows[i].set[0] ? 0 : -ENODEV))
            fail_msg("%s: took \"%s\" (%d)", rows[i].machine, set, r);
        if (rows[i].compromise ? !strstr(choice.compromise, rows[i].compromise) : choice.compromise[0] != '\0')
            fail_msg("%s: said \"%s\"", rows[i].machine, choice.compromise);
        if (r == 0 && ((rows[i].lacks && !strstr(lacks, rows[i].lacks)) || (rows[i].lacks_not && strstr(lacks, rows[i].lacks_not))))
            fail_msg("%s: not seen is \"%s\"", rows[i].machine, lacks);
        assert_null(strchr(choice.compromise, '\n'));
        if (strcmp(set, "bpf") != 0)
            assert_string_equal(choice.reason, "refused here");
        else
            assert_string_equal(choice.reason, "");
    }
}

/* What works was chosen, and could not be opened all the same: as if it had not worked. */
static void one_is_left_out(void **state)
{
    const struct choice_wish wish = { "auto", PERMISSION_WRITE | PERMISSION_ATTR, 1 };
    struct candidate candidates[3];
    size_t count = make(FANOTIFY | AUDIT, candidates);
    struct choice choice = { 0 };

    (void)state;
    assert_int_equal(choose_among(&wish, candidates, count, &choice), 0);
    assert_int_equal(choice.count, 2);
    choice_leave_out(&choice, &wish, sensor_by_name("audit"), "somebody was faster");
    assert_int_equal(choice.count, 1);
    assert_ptr_equal(choice.sensors[0], sensor_by_name("fanotify"));
    assert_true(choice.has == LOOKS);
    assert_non_null(strstr(choice.compromise, "fanotify alone: somebody was faster; not seen therefore: mounts over the files, refused"));
    assert_null(strstr(choice.compromise, "--sensor"));
    /* the last one can go too: then nobody is left to speak of */
    choice_leave_out(&choice, &wish, sensor_by_name("fanotify"), "no more descriptors");
    assert_int_equal(choice.count, 0);
    assert_true(choice.has == 0);
}

/* What was asked for is what it is, whoever owns audit: no word about it. */
static void named_sensors_are_no_compromise(void **state)
{
    const struct choice_wish wish = { "fanotify,audit", PERMISSION_WRITE, 1 };
    struct candidate candidates[3];
    size_t count = make(FANOTIFY | AUDIT, candidates);
    struct choice choice = { 0 };

    (void)state;
    assert_int_equal(choose_among(&wish, candidates, count, &choice), 0);
    choice.automatic = false;
    choice_leave_out(&choice, &wish, sensor_by_name("audit"), "somebody was faster");
    assert_string_equal(choice.compromise, "");
}

static void every_set_of_auto_has_its_price(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct choice_wish wish = { rows[i].found & CHEAP ? "cheap" : "auto", PERMISSION_WRITE, 1 };
        struct candidate candidates[3];
        size_t count = make(rows[i].found, candidates);
        struct choice choice = { 0 };

        if (choose_among(&wish, candidates, count, &choice) == 0 && choice.sensors[0] != sensor_by_name("bpf"))
            assert_true(choice_price(&choice)[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_and_cheap),
        cmocka_unit_test(one_is_left_out),
        cmocka_unit_test(named_sensors_are_no_compromise),
        cmocka_unit_test(every_set_of_auto_has_its_price),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
