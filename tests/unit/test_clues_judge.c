/* SPDX-License-Identifier: MIT */
/* Who is suspected of what, rule by rule; and that nobody is for being there. */
#include "test.h"

#include "clues/judge.h"

#define SECOND NS_PER_S
#define AT (UINT64_C(1795896800) * SECOND)
#define FACTS_MAX 6

static const struct clue_fact gone = { .kind = CLUE_MISSING, .from_ns = AT, .to_ns = AT, .path = { "/srv/data/x", 11 },
                                       .text = { "is missing; it is in the list of package p", 42 } };
static const struct clue_fact there = { .kind = CLUE_TIME, .from_ns = AT, .to_ns = AT, .path = { "/srv/data", 9 } };

#define FACT(kind_, seconds, marks_, who) \
    { .kind = kind_, .marks = marks_, .from_ns = (seconds) == NEVER ? 0 : AT + (uint64_t)((seconds) * (int64_t)SECOND), \
      .to_ns = (seconds) == NEVER ? 0 : AT + (uint64_t)((seconds) * (int64_t)SECOND), .suspect = { who, sizeof(who) - 1 } }
#define NEVER INT32_MIN
/* The same, as that user; and that he may not write, since then. */
#define AS_FACT(user_, kind_, seconds, marks_, who) \
    { .kind = kind_, .marks = marks_, .from_ns = (seconds) == NEVER ? 0 : AT + (uint64_t)((seconds) * (int64_t)SECOND), \
      .to_ns = (seconds) == NEVER ? 0 : AT + (uint64_t)((seconds) * (int64_t)SECOND), .user = { user_, sizeof(user_) - 1 }, .suspect = { who, sizeof(who) - 1 } }
#define BARRED(user_, seconds) \
    { .kind = CLUE_ACCESS, .from_ns = AT + (uint64_t)((seconds) * (int64_t)SECOND), .user = { user_, sizeof(user_) - 1 } }
#define HERE (CLUE_NAMES_PATH | CLUE_REMOVES)

static const struct judge_row {
    const char *name;
    struct clue_fact facts[FACTS_MAX];
    const char *first, *second; /* NULL: nobody */
    const char *rule;           /* that applies to the first */
    int boot_s;                 /* the machine's last start, so many seconds after the moment; 0: not known */
    int other_s;                /* another moment, so many seconds after the first; 0: none */
} rows[] = {
    { "nothing is left", { gone }, NULL, NULL, NULL },
    { "act: a trash's note", { gone, FACT(CLUE_KEPT, -9999, CLUE_DID, "trash") }, "trash", NULL, "act" },
    { "ran_here: its command names the path",
      { gone, FACT(CLUE_HAPPENED, -20, CLUE_STARTED | HERE, "job"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "other") }, "job", "other", "ran_here" },
    { "ran_before: within the hour", { gone, FACT(CLUE_HAPPENED, -1200, CLUE_STARTED | HERE, "job") }, "job", NULL, "ran_before" },
    { "ran two hours before: nobody", { gone, FACT(CLUE_HAPPENED, -7200, CLUE_STARTED | HERE, "job") }, NULL, NULL, NULL },
    { "rule: set to remove here", { gone, FACT(CLUE_RULE, NEVER, HERE, "cleaner") }, "cleaner", NULL, "rule" },
    { "a rule that only names the path", { gone, FACT(CLUE_RULE, NEVER, CLUE_NAMES_PATH, "backup") }, NULL, NULL, NULL },
    { "a rule that only removes, elsewhere", { gone, FACT(CLUE_RULE, NEVER, CLUE_REMOVES, "cleaner") }, NULL, NULL, NULL },
    { "due: before one that was not said to be",
      { gone, FACT(CLUE_RULE, NEVER, HERE, "a"), FACT(CLUE_RULE, -1, HERE | CLUE_DUE, "b") }, "b", "a", "due" },
    { "due, and does nothing here", { gone, FACT(CLUE_RULE, -1, CLUE_DUE, "job") }, NULL, NULL, NULL },
    { "began: within seconds", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "entry point") }, "entry point", NULL, "began" },
    { "began: known by its end, which was before", { gone, FACT(CLUE_HAPPENED, -1, CLUE_STARTED | CLUE_LATEST, "at job") }, "at job", NULL, "began" },
    { "what began after the change", { gone, FACT(CLUE_HAPPENED, 3, CLUE_STARTED, "job") }, NULL, NULL, NULL },
    { "minute: alone it is too little", { gone, FACT(CLUE_HAPPENED, -40, CLUE_STARTED, "job") }, NULL, NULL, NULL },
    { "session: but a login is enough", { gone, FACT(CLUE_HAPPENED, -40, CLUE_STARTED, "login by ssh: ann from 10.0.0.7") },
      "login by ssh: ann from 10.0.0.7", NULL, "session" },
    { "session: su", { gone, FACT(CLUE_HAPPENED, -40, CLUE_STARTED, "su: (to root) ann on pts/3") }, "su: (to root) ann on pts/3", NULL, "session" },
    { "session: sudo for a shell", { gone, FACT(CLUE_HAPPENED, -40, CLUE_STARTED, "sudo by ann: /bin/bash") }, "sudo by ann: /bin/bash", NULL, "session" },
    { "sudo for a script is none", { gone, FACT(CLUE_HAPPENED, -40, CLUE_STARTED, "sudo by ann: /bin/bash /root/x.sh") }, NULL, NULL, NULL },
    { "a login after the change", { gone, FACT(CLUE_HAPPENED, 4, CLUE_STARTED, "login by ssh: ann from 10.0.0.7") }, NULL, NULL, NULL },
    { "a unit that began with the machine is no suspect for that", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: atd.service") }, NULL, NULL, NULL, -20 },
    { "nor by a record of that start",
      { gone, FACT(CLUE_HAPPENED, -20, CLUE_BOOT, ""), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: atd.service") }, NULL, NULL, NULL },
    { "nor of another start, at another moment, where the clock was set since",
      { gone, FACT(CLUE_HAPPENED, -2410, CLUE_BOOT, ""), FACT(CLUE_HAPPENED, -2401, CLUE_STARTED, "unit: atd.service"),
        FACT(CLUE_HAPPENED, -2405, CLUE_STARTED, "unit: systemd-tmpfiles-setup.service") }, NULL, NULL, NULL, -170, -2400 },
    { "began: at another moment, long after that start",
      { gone, FACT(CLUE_HAPPENED, -9999, CLUE_BOOT, ""), FACT(CLUE_HAPPENED, -2401, CLUE_STARTED, "unit: x.service") }, "unit: x.service", NULL, "began", -170,
      -2400 },
    { "nor a process of it that works there",
      { gone, FACT(CLUE_RUNNING, -2, CLUE_STARTED | CLUE_HOLDS, "/usr/bin/app (pid 7)") }, NULL, NULL, NULL, -20 },
    { "nor where it changed something",
      { there, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: atd.service") }, NULL, NULL, NULL, -20 },
    { "began: with the machine, but it is set to remove files here",
      { gone, FACT(CLUE_RULE, NEVER, HERE, "unit: tidy.service"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: tidy.service"),
        FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: atd.service") }, "unit: tidy.service", NULL, "began", -20 },
    { "began: the same by another name",
      { gone, FACT(CLUE_RULE, NEVER, HERE, "systemd-tmpfiles"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: systemd-tmpfiles-setup.service") },
      "systemd-tmpfiles", NULL, "began", -20 },
    { "began: the machine had been started long before", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: atd.service") },
      "unit: atd.service", NULL, "began", -4000 },
    { "began: it was started afterwards", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: atd.service") }, "unit: atd.service", NULL, "began", 60 },
    { "began: an entry point is its container's alone", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "the entry point of container web") },
      "the entry point of container web", NULL, "began", -20 },
    { "session: somebody who logged in just then",
      { gone, FACT(CLUE_HAPPENED, -40, CLUE_STARTED, "login by ssh: ann from 10.0.0.7") }, "login by ssh: ann from 10.0.0.7", NULL, "session", -100 },
    { "units that begin together, at a start that nobody knows of",
      { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: a.service"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: b.service"),
        FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: c.service"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: d.service") }, NULL, NULL, NULL },
    { "began: one of these, that removes files here",
      { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: a.service"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: b.service"),
        FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: c.service"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: d.service"),
        FACT(CLUE_RULE, NEVER, HERE, "unit: b.service") }, "unit: b.service", NULL, "began" },
    { "began: two units", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "unit: a.service"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: b.service") },
      "unit: b.service", "unit: a.service", "began" },
    { "ended: known by its end alone, a moment after the change",
      { gone, FACT(CLUE_HAPPENED, 4, CLUE_STARTED | CLUE_LATEST, "at job") }, "at job", NULL, "ended" },
    { "known by its end, long after the change", { gone, FACT(CLUE_HAPPENED, 9, CLUE_STARTED | CLUE_LATEST, "at job") }, NULL, NULL, NULL },
    { "began after the change", { gone, FACT(CLUE_HAPPENED, 4, CLUE_STARTED, "job") }, NULL, NULL, NULL },
    { "as_old: a process that is as old is too little", { gone, FACT(CLUE_RUNNING, -2, CLUE_STARTED, "shell") }, NULL, NULL, NULL },
    { "holds: but one that works in the directory is not",
      { gone, FACT(CLUE_RUNNING, -2, CLUE_STARTED | CLUE_HOLDS, "shell") }, "shell", NULL, "holds" },
    { "still_there: what ran before it was seen again",
      { FACT(CLUE_HAPPENED, -1200, CLUE_STARTED | HERE, "job"),
        { .kind = CLUE_TIME, .marks = CLUE_STILL, .from_ns = AT - 600 * SECOND, .to_ns = AT - 600 * SECOND, .path = { "/srv/data", 9 } } }, NULL, NULL, NULL },
    { "still_there: but it ran again later",
      { FACT(CLUE_HAPPENED, -1200, CLUE_STARTED | HERE, "job"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "job"),
        { .kind = CLUE_TIME, .marks = CLUE_STILL, .from_ns = AT - 600 * SECOND, .to_ns = AT - 600 * SECOND, .path = { "/srv/data", 9 } } },
      "job", NULL, "ran_here" },
    { "removed: a package that was", { gone, FACT(CLUE_HAPPENED, -20, CLUE_STARTED | CLUE_REMOVES, "package q") }, "package q", NULL, "removed" },
    { "owns: of two packages the one that has the file",
      { gone, FACT(CLUE_HAPPENED, -20, CLUE_STARTED | CLUE_REMOVES, "package q"), FACT(CLUE_HAPPENED, -20, CLUE_STARTED | CLUE_REMOVES, "package p") },
      "package p", "package q", "owns" },
    { "restores: installing a package removes nothing of it", { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_ALTERS, "package p") }, NULL, NULL, NULL },
    { "several: a transaction that removed packages, before each of them",
      { { .kind = CLUE_TIME, .marks = CLUE_LATEST, .from_ns = AT, .to_ns = AT, .path = { "/srv", 4 } },
        FACT(CLUE_HAPPENED, -1, CLUE_STARTED | CLUE_REMOVES, "package q"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_REMOVES, "package p"),
        FACT(CLUE_HAPPENED, -12, CLUE_STARTED, "apt: apt autoremove") },
      "apt: apt autoremove", "package q", "several" },
    { "called: of these the one that has its name there",
      { { .kind = CLUE_TIME, .marks = CLUE_LATEST, .from_ns = AT, .to_ns = AT, .path = { "/srv", 4 } },
        FACT(CLUE_HAPPENED, -1, CLUE_STARTED | CLUE_REMOVES, "package q"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_REMOVES, "package data") },
      "package data", "package q", "called" },
    { "transaction: before its packages",
      { gone, FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_ALTERS, "package q"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "apt: apt upgrade") },
      "apt: apt upgrade", NULL, "transaction" },
    { "a package that is configured changes files, and removes none",
      { there, FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_ALTERS, "package q") }, "package q", NULL, "began" },
    { "and is one of its transaction, if none of its files is asked for",
      { there, FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_ALTERS, "package q"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "apt: apt upgrade") },
      "apt: apt upgrade", NULL, "transaction" },
    { "or one more, if one is",
      { there, { .kind = CLUE_INTACT, .text = { "1 file is as in the list of package q", 37 } },
        FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_ALTERS, "package q"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED, "apt: apt upgrade") },
      "apt: apt upgrade", "package q", "transaction" },
    { "guards: a product that quarantines", { gone, FACT(CLUE_AGENT, -99999, CLUE_GUARDS, "EDR") }, "EDR", NULL, "guards" },
    { "later: it did not run yet", { gone, FACT(CLUE_AGENT, 600, CLUE_GUARDS | CLUE_LATER, "EDR") }, NULL, NULL, NULL },
    { "another product", { gone, FACT(CLUE_AGENT, -99999, 0, "Puppet") }, NULL, NULL, NULL },
    { "guards: nothing is missing", { there, FACT(CLUE_AGENT, -99999, CLUE_GUARDS, "EDR") }, NULL, NULL, NULL },
    { "anew: a container that was made again", { FACT(CLUE_HAPPENED, -99999, CLUE_RECREATES, "anew") }, "anew", NULL, "anew" },
    { "anew: but a file of the image is missing", { gone, FACT(CLUE_HAPPENED, -99999, CLUE_RECREATES, "anew") }, NULL, NULL, NULL },
    { "anew: made just before, but a new one has all files of the image",
      { gone, FACT(CLUE_HAPPENED, -2, CLUE_RECREATES | CLUE_STARTED, "anew"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "entry point") }, "entry point", NULL,
      "began" },
    { "anew: the machine started long before",
      { { .kind = CLUE_TIME, .from_ns = AT, .to_ns = AT, .path = { "/srv", 4 } }, FACT(CLUE_RULE, -9999, CLUE_RECREATES | HERE, "restart") },
      NULL, NULL, NULL },
    { "anew: the machine had just started",
      { { .kind = CLUE_TIME, .from_ns = AT, .to_ns = AT, .path = { "/srv", 4 } }, FACT(CLUE_RULE, -20, CLUE_RECREATES | HERE, "restart") },
      "restart", NULL, "anew" },
    { "not_due: its schedule contradicts", { gone, FACT(CLUE_RULE, NEVER, HERE | CLUE_NOT_DUE, "cron job: x") }, NULL, NULL, NULL },
    { "not_due: but the log has it",
      { gone, FACT(CLUE_RULE, NEVER, HERE | CLUE_NOT_DUE, "cron job: x"), FACT(CLUE_HAPPENED, -2, CLUE_STARTED | CLUE_LOGGED | HERE, "cron job: x") },
      "cron job: x", NULL, "ran_here" },
    { "left_home: userdel that was not asked to remove it",
      { { .kind = CLUE_TIME, .from_ns = AT - 9 * SECOND, .to_ns = AT - 9 * SECOND, .path = { "/home/bob", 9 } }, FACT(CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "userdel: bob") }, NULL, NULL, NULL },
    { "ran_here: userdel, and the directory was made again",
      { { .kind = CLUE_TIME, .from_ns = AT + SECOND, .to_ns = AT + SECOND, .path = { "/home/bob", 9 } },
        { .kind = CLUE_TIME, .marks = CLUE_LATEST, .from_ns = AT - 9 * SECOND, .to_ns = AT - 9 * SECOND, .path = { "/home/bob", 9 } },
        FACT(CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "userdel: bob") }, "userdel: bob", NULL, "ran_here" },
    { "ran_here: userdel, and the directory is gone",
      { { .kind = CLUE_TIME, .from_ns = AT, .to_ns = AT, .path = { "/home", 5 } }, FACT(CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "userdel: bob") }, "userdel: bob", NULL, "ran_here" },
    { "may_not_write: the user of a cron job may not",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"), BARRED("bob", -60) }, NULL, NULL, NULL },
    { "may_not_write: but it does not stand alone",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"), BARRED("bob", -60), FACT(CLUE_HAPPENED, -3, CLUE_STARTED, "other") },
      "other", NULL, "began" },
    { "another user may not",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"), BARRED("ann", -60) }, "cron job: x", NULL, "ran_here" },
    { "he may not since the moment, as far as is known",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"), BARRED("bob", 1) }, "cron job: x", NULL, "ran_here" },
    { "may_not_write: at the moment itself that was so",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"), BARRED("bob", 0) }, NULL, NULL, NULL },
    { "of two users of one line one may",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"), AS_FACT("root", CLUE_RULE, NEVER, HERE, "cron job: x"), BARRED("bob", -60) },
      "cron job: x", NULL, "ran_here" },
    { "his command runs another as root",
      { gone, AS_FACT("bob", CLUE_HAPPENED, -2, CLUE_STARTED | HERE, "cron job: x"),
        { .kind = CLUE_RULE, .suspect = { "cron job: x", 11 }, .text = { "/usr/bin/sudo rm -rf /srv/data/x", 32 } }, BARRED("bob", -60) },
      "cron job: x", NULL, "ran_here" },
    { "who logged in may have become root by su",
      { gone, AS_FACT("ann", CLUE_HAPPENED, -40, CLUE_STARTED, "login by ssh: ann from 10.0.0.7"), BARRED("ann", -60) },
      "login by ssh: ann from 10.0.0.7", NULL, "session" },
    { "at another moment it was not so yet",
      { gone, AS_FACT("ann", CLUE_HAPPENED, -2402, CLUE_STARTED | HERE, "cron job: x"), BARRED("ann", -60) },
      "cron job: x", NULL, "ran_here", 0, -2400 },
    { "not_logged: the log has others",
      { gone, FACT(CLUE_RULE, -1, HERE | CLUE_DUE, "cron job: x"), FACT(CLUE_HAPPENED, -40, CLUE_STARTED | CLUE_LOGGED, "cron job: y") },
      NULL, NULL, NULL },
    { "altering explains no removal", { gone, FACT(CLUE_RULE, NEVER, CLUE_NAMES_PATH | CLUE_ALTERS, "chown") }, NULL, NULL, NULL },
    { "but it does a change", { there, FACT(CLUE_RULE, NEVER, CLUE_NAMES_PATH | CLUE_ALTERS, "chown") }, "chown", NULL, "rule" },
    { "one by two names",
      { gone, FACT(CLUE_RULE, NEVER, HERE, "systemd-tmpfiles"), FACT(CLUE_HAPPENED, -1, CLUE_STARTED, "unit: systemd-tmpfiles-clean.service") },
      "systemd-tmpfiles", NULL, "began" },
};

static size_t judge(const struct judge_row *row, struct clue_suspect *suspects)
{
    struct clue_question q = { .path = bytes_of("/srv/data"), .spans = { { AT, AT } }, .span_count = 1 };
    struct clue_circumstances c;
    size_t n = 0;

    q.boot_ns = row->boot_s ? AT + (uint64_t)(row->boot_s * (int64_t)SECOND) : 0;
    if (row->other_s)
        q.spans[q.span_count++].from_ns = AT + (uint64_t)(row->other_s * (int64_t)SECOND);
    q.spans[1].to_ns = q.spans[1].from_ns;
    while (n < FACTS_MAX && (row->facts[n].kind || row->facts[n].from_ns))
        n++;
    clue_circumstances_find(&q, row->facts, n, &c);
    return clues_judge(&c, suspects);
}

static bool has_rule(const struct clue_suspect *s, const char *name)
{
    for (unsigned i = 0; i < clue_rule_count; i++)
        if (strcmp(clue_rules[i].name, name) == 0)
            return s->rules & 1u << i;
    return false;
}

static void test_row(void **state)
{
    static struct clue_suspect suspects[CLUE_SUSPECTS_MAX];
    const struct judge_row *row = *state;
    size_t n = judge(row, suspects);

    if (!row->first) {
        assert_int_equal(n, 0);
        return;
    }
    assert_true(n >= 1);
    assert_bytes(suspects[0].name, row->first);
    assert_true(has_rule(&suspects[0], row->rule));
    if (row->second)
        assert_bytes(suspects[1].name, row->second);
    else
        assert_int_equal(n, 1);
}

/* Each rule has a reason, and a row here by its name. */
static void test_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < clue_rule_count; i++) {
        bool has_row = false;

        assert_true(clue_rules[i].reason[0] && clue_rules[i].weight && i < 32);
        for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
            has_row |= bytes_starts_with(bytes_of(rows[j].name), bytes_of(clue_rules[i].name));
        if (!has_row)
            fail_msg("no row for the rule %s", clue_rules[i].name);
    }
}

static void test_many_suspects(void **state)
{
    static struct clue_suspect suspects[CLUE_SUSPECTS_MAX];
    static struct clue_fact facts[2 * CLUE_SUSPECTS_MAX];
    static char names[ARRAY_SIZE(facts)][16];
    struct clue_question q = { .path = bytes_of("/srv/data"), .spans = { { AT, AT } }, .span_count = 1 };
    struct clue_circumstances c;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        facts[i] = (struct clue_fact){ .kind = CLUE_HAPPENED, .marks = CLUE_STARTED, .from_ns = AT, .to_ns = AT, .suspect = { names[i], 4 } };
        memcpy(names[i], (char[]){ 'a' + (char)(i / 512 % 8), 'a' + (char)(i / 64 % 8), 'a' + (char)(i / 8 % 8), 'a' + (char)(i % 8) }, 4);
    }
    clue_circumstances_find(&q, facts, ARRAY_SIZE(facts), &c);
    assert_int_equal(clues_judge(&c, suspects), CLUE_SUSPECTS_MAX);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_many_suspects) };
    int failed = RUN_ROWS(rows, test_row);

    return failed + cmocka_run_group_tests(others, NULL, NULL);
}
