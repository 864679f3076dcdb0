/* SPDX-License-Identifier: MIT */
#include "clues/judge.h"

#define AT_ONCE_NS (5 * NS_PER_S)    /* so long before a change whoever makes it began, where it is not a long job */
#define LATE_NS NS_PER_S             /* clocks of logs are coarse */
#define AFTER_START_NS (300 * NS_PER_S) /* of the machine: then its directories are made */
#define TOGETHER_MAX 3                  /* units that begin at one time, beyond which none is suspected for that */
#define NARROW_NS (600 * NS_PER_S)   /* a longer span says nothing by itself of who began in it */

/* ---- what rules ask ---- */

struct bytes clue_name_of(struct bytes suspect)
{
    static const struct {
        const char *is, *name;
    } names[] = {
        { "unit: systemd-tmpfiles-clean.service", "systemd-tmpfiles" },
        { "unit: systemd-tmpfiles-setup.service", "systemd-tmpfiles" },
        { "unit: logrotate.service", "logrotate" },
        { "cron job: /etc/cron.daily/logrotate", "logrotate" },
        { "unit: apt-daily-upgrade.service", "unattended-upgrades" },
        { "apt: /usr/bin/unattended-upgrade", "unattended-upgrades" },
        { "unit: puppet.service", "Puppet" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (bytes_equal_str(suspect, names[i].is))
            return bytes_of(names[i].name);
    return suspect;
}

static bool begins_between(const struct clue_circumstances *c, const struct clue_fact *f, uint64_t before, uint64_t after)
{
    if (!f->from_ns)
        return false;
    for (size_t i = 0; i < c->question->span_count; i++) {
        const struct clue_span *s = &c->question->spans[i];

        if (s->to_ns - s->from_ns > NARROW_NS)
            continue;
        if (f->to_ns + before >= s->from_ns && f->from_ns <= s->to_ns + after)
            return true;
    }
    return false;
}

static bool begins_within(const struct clue_circumstances *c, const struct clue_fact *f, uint64_t before)
{
    return begins_between(c, f, before, LATE_NS);
}

static bool ran(const struct clue_fact *f)
{
    return (f->kind == CLUE_HAPPENED || f->kind == CLUE_RUNNING) && (f->marks & CLUE_STARTED) && !(f->marks & CLUE_LATER);
}

static bool acts_here(const struct clue_fact *f, unsigned how)
{
    return (f->marks & CLUE_NAMES) && (f->marks & how);
}

/* What changes files explains a change; what removes some explains both. */
static bool fits(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return acts_here(f, CLUE_REMOVES) || (acts_here(f, CLUE_ALTERS) && (c->changed || !c->missing) && c->there);
}

static bool is_act(const struct clue_circumstances *c, const struct clue_fact *f)
{
    (void)c;
    return (f->marks & CLUE_DID) && (f->kind != CLUE_HAPPENED || begins_within(c, f, CLUE_BEFORE_NS));
}

static bool ran_here(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return ran(f) && fits(c, f) && begins_within(c, f, CLUE_BEFORE_NS);
}

static bool ran_before(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return ran(f) && fits(c, f) && !begins_within(c, f, CLUE_BEFORE_NS) && begins_within(c, f, CLUE_FAR_NS);
}

static bool has_rule(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_RULE && fits(c, f) && !(f->marks & CLUE_RECREATES);
}

static bool was_due(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_RULE && (f->marks & CLUE_DUE) && fits(c, f);
}

/* Is a file that is asked for in the package's list? */
static bool has_a_file_here(const struct clue_circumstances *c, struct bytes package)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct clue_fact *f = &c->facts[i];

        if (f->kind <= CLUE_CHANGED ? bytes_ends_with(f->text, package)
                                    : f->kind == CLUE_INTACT && memmem(f->text.data, f->text.len, package.data, package.len))
            return true;
    }
    return false;
}

static bool is_package_manager(struct bytes suspect)
{
    static const char *const all[] = { "apt: ", "dnf: ", "zypper: " };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (bytes_starts_with(suspect, bytes_of(all[i])))
            return true;
    return false;
}

static bool has_transaction(const struct clue_circumstances *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->facts[i].kind == CLUE_HAPPENED && is_package_manager(c->facts[i].suspect))
            return true;
    return false;
}

/* A package that is installed or configured removes nothing of others; its transaction may by what it runs, and is a suspect itself:
 * one for all packages that have nothing here. */
static bool only_makes(const struct clue_circumstances *c, const struct clue_fact *f)
{
    if (!bytes_starts_with(f->suspect, bytes_of("package ")) || (f->marks & CLUE_REMOVES))
        return false;
    return c->missing || !c->there || (has_transaction(c) && !has_a_file_here(c, f->suspect));
}

/* Whoever has this name: does anything say that it does something here? */
static bool does_something_here(const struct clue_circumstances *c, struct bytes name)
{
    for (size_t i = 0; i < c->count; i++)
        if (fits(c, &c->facts[i]) && bytes_equal(clue_name_of(c->facts[i].suspect), name))
            return true;
    return false;
}

static bool is_unit(const struct clue_fact *f)
{
    return f->kind == CLUE_RUNNING || bytes_starts_with(f->suspect, bytes_of("unit: ")) || bytes_starts_with(f->suspect, bytes_of("mount: "));
}

/* Was the machine being started? As far as this clock says, and as records of earlier starts do: a clock may have been set since. */
static bool begins_with_machine(const struct clue_circumstances *c, const struct clue_fact *f)
{
    uint64_t boot = c->question->boot_ns;
    bool does = boot && f->from_ns >= boot && f->from_ns <= boot + AFTER_START_NS;

    for (size_t i = 0; i < c->count && !does; i++)
        does = (c->facts[i].marks & CLUE_BOOT) && f->from_ns >= c->facts[i].from_ns && f->from_ns <= c->facts[i].from_ns + AFTER_START_NS;
    return does;
}

/* At each start of the machine all units begin, and at midnight many do: that one of them began within seconds of the change says nothing
 * of it, unless what it does is known to be here. */
static bool began_with_all(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return is_unit(f) && (c->many_began || begins_with_machine(c, f)) && !does_something_here(c, clue_name_of(f->suspect));
}

/* What is made anew from an image has all of its files. */
static bool has_all(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return (f->marks & CLUE_RECREATES) && c->missing;
}

static bool began(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_HAPPENED && ran(f) && !only_makes(c, f) && begins_within(c, f, AT_ONCE_NS) && !began_with_all(c, f) && !has_all(c, f);
}

/* What is known by its end alone may have begun before the change though that time is behind it. */
static bool began_or_ended(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_HAPPENED && (f->marks & CLUE_LATEST) && ran(f) && !only_makes(c, f) && begins_between(c, f, AT_ONCE_NS, CLUE_AFTER_NS) &&
           !began(c, f);
}

/* Less than a message that something began: processes begin all the time. */
static bool is_as_old(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_RUNNING && ran(f) && begins_within(c, f, AT_ONCE_NS) && !began_with_all(c, f);
}

static bool ran_in_minute(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_HAPPENED && ran(f) && !only_makes(c, f) && begins_within(c, f, CLUE_BEFORE_NS);
}

static bool began_in_minute(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return ran_in_minute(c, f) && !began_with_all(c, f) && !began(c, f);
}

/* A shell in which somebody goes on to type: of a login, of su, of sudo where it runs one and nothing else. */
static bool is_for_typing(struct bytes suspect)
{
    static const char *const shells[] = { "sh", "bash", "dash", "zsh", "fish", "ksh", "su", "tmux", "screen", "mc" };
    struct bytes rest = suspect, option;

    if (bytes_starts_with(suspect, bytes_of("login ")) || bytes_starts_with(suspect, bytes_of("su: ")))
        return true;
    if (!bytes_equal_str(bytes_next_word(&rest), "sudo") || !bytes_equal_str(bytes_next_word(&rest), "by"))
        return false;
    (void)bytes_next_word(&rest); /* who called it */
    if (!BYTES_AMONG(bytes_basename(bytes_next_word(&rest)), shells))
        return false;
    option = bytes_next_word(&rest);
    return !option.len || (option.data[0] == '-' && !bytes_next_word(&rest).len); /* "-l"; "-c" has a command behind it */
}

/* Who logs in goes on to do something: a minute is soon. */
static bool is_session(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return is_for_typing(f->suspect) && began_in_minute(c, f);
}

static bool removed_then(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return ran_in_minute(c, f) && (f->marks & CLUE_REMOVES) && !(f->marks & CLUE_NAMES) && !c->there;
}

/* A package whose list has what is not as the list says. */
static bool is_listed(const struct clue_circumstances *c, const struct clue_fact *f)
{
    if (f->kind != CLUE_HAPPENED || !begins_within(c, f, CLUE_BEFORE_NS) || !bytes_starts_with(f->suspect, bytes_of("package ")))
        return false;
    for (size_t i = 0; i < c->count; i++)
        if ((c->facts[i].kind == CLUE_MISSING || c->facts[i].kind == CLUE_CHANGED) && bytes_ends_with(c->facts[i].text, f->suspect))
            return true;
    return false;
}

static bool owns(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return (f->marks & CLUE_REMOVES) && is_listed(c, f);
}

/* What is installed or configured is as the list says afterwards. */
static bool restores(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return !(f->marks & CLUE_REMOVES) && is_listed(c, f);
}

static bool is_transaction(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return is_package_manager(f->suspect) && ran_in_minute(c, f);
}

/* Packages were removed, and which of them had what is asked for nobody knows any more: their lists are gone with them. */
static bool removed_packages(const struct clue_circumstances *c, const struct clue_fact *f)
{
    unsigned removed = 0;

    if (!is_transaction(c, f) || c->there)
        return false;
    for (size_t i = 0; i < c->count; i++)
        if (removed_then(c, &c->facts[i]) && bytes_starts_with(c->facts[i].suspect, bytes_of("package "))) {
            if (owns(c, &c->facts[i]))
                return false;
            removed++;
        }
    return removed > 1;
}

/* A directory on the way has the package's name. */
static bool is_called_so(const struct clue_circumstances *c, const struct clue_fact *f)
{
    struct bytes name = f->suspect, rest = c->question->path, part;

    (void)bytes_next_word(&name);
    name = bytes_next_word(&name);
    if (!removed_then(c, f) || !bytes_starts_with(f->suspect, bytes_of("package ")) || !name.len)
        return false;
    while ((part = bytes_next_component(&rest)).len)
        if (bytes_equal(part, name))
            return true;
    return false;
}

static bool guards(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_AGENT && (f->marks & CLUE_GUARDS) && !(f->marks & CLUE_LATER) && (c->missing || !c->there);
}

static bool begins_anew(const struct clue_circumstances *c, const struct clue_fact *f)
{
    if (!(f->marks & CLUE_RECREATES) || c->there || c->missing)
        return false;
    return f->kind == CLUE_HAPPENED || begins_within(c, f, AFTER_START_NS);
}

static bool holds(const struct clue_circumstances *c, const struct clue_fact *f)
{
    (void)c;
    return f->kind == CLUE_RUNNING && (f->marks & CLUE_HOLDS) && !(f->marks & CLUE_LATER);
}

/* ---- contradictions ---- */

static bool ran_at_all(const struct clue_circumstances *c, struct bytes suspect)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->facts[i].kind == CLUE_HAPPENED && bytes_equal(c->facts[i].suspect, suspect))
            return true;
    return false;
}

static bool not_due(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_RULE && (f->marks & CLUE_NOT_DUE) && !ran_at_all(c, f->suspect);
}

static bool not_logged(const struct clue_circumstances *c, const struct clue_fact *f)
{
    return f->kind == CLUE_RULE && c->jobs_are_logged && bytes_starts_with(f->suspect, bytes_of("cron job: ")) &&
           !bytes_starts_with(f->suspect, bytes_of("cron job: /etc/cron.")) && !ran_at_all(c, f->suspect);
}

/* All that it did was long over then. */
static bool still_there(const struct clue_circumstances *c, const struct clue_fact *f)
{
    uint64_t seen = f->kind == CLUE_HAPPENED && f->from_ns && !c->there ? c->last_seen_ns : 0;

    for (size_t i = 0; i < c->count && seen; i++)
        if (c->facts[i].kind == CLUE_HAPPENED && bytes_equal(c->facts[i].suspect, f->suspect) && c->facts[i].to_ns + CLUE_BEFORE_NS >= seen)
            return false;
    return seen != 0;
}

/* A command that runs another as somebody else: by whom it was called says nothing of what it may do. */
static bool becomes_another(struct bytes text)
{
    static const char *const words[] = { "sudo", "doas", "su", "pkexec", "runuser", "docker", "podman", "nsenter", "systemd-run", "machinectl", "ssh", "at" };
    struct bytes word;

    while ((word = bytes_next_word(&text)).len)
        if (BYTES_AMONG(bytes_basename(word), words))
            return true;
    return false;
}

/* The mode is that of each moment to which the fact may belong: nothing of the object was changed since. */
static bool holds_then(const struct clue_circumstances *c, const struct clue_fact *f, uint64_t since_ns)
{
    bool any = false;

    for (size_t i = 0; i < c->question->span_count; i++) {
        const struct clue_span *s = &c->question->spans[i];

        if (f->from_ns && (f->to_ns + CLUE_FAR_NS < s->from_ns || f->from_ns > s->to_ns + CLUE_AFTER_NS))
            continue;
        if (since_ns > s->to_ns)
            return false;
        any = true;
    }
    return any;
}

static bool user_may_not(const struct clue_circumstances *c, const struct clue_fact *f)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->facts[i].kind == CLUE_ACCESS && bytes_equal(c->facts[i].user, f->user) && holds_then(c, f, c->facts[i].from_ns))
            return true;
    return false;
}

/* Nobody whom this suspect ran as may: where another one may, or the command becomes one, it may have been it. Who types may know the
 * password that su asks for. */
static bool may_not_write(const struct clue_circumstances *c, const struct clue_fact *f)
{
    if (!f->user.len || is_for_typing(f->suspect))
        return false;
    for (size_t i = 0; i < c->count; i++) {
        const struct clue_fact *other = &c->facts[i];

        if (bytes_equal(other->suspect, f->suspect) && other->kind != CLUE_ACCESS &&
            ((other->user.len && !user_may_not(c, other)) || becomes_another(other->text)))
            return false;
    }
    return true;
}

/* userdel takes a home with it only where it is asked to: one that is still there it left, unless that was made after it. */
static bool left_home(const struct clue_circumstances *c, const struct clue_fact *f)
{
    struct bytes user = f->suspect;

    if (!bytes_equal_str(bytes_next_word(&user), "userdel:") || !(user = bytes_next_word(&user)).len)
        return false;
    for (size_t i = 0; i < c->count; i++) {
        struct bytes rest = c->facts[i].path, part;

        if (c->facts[i].kind != CLUE_TIME || (c->facts[i].marks & (CLUE_STILL | CLUE_LATEST)) || c->facts[i].from_ns >= f->from_ns)
            continue;
        while ((part = bytes_next_component(&rest)).len)
            if (bytes_equal(part, user))
                return true;
    }
    return false;
}

static bool came_later(const struct clue_circumstances *c, const struct clue_fact *f)
{
    (void)c;
    return (f->marks & CLUE_LATER) != 0;
}

/* clang-format off */
const struct clue_rule clue_rules[] = {
    { "act", 9, "this is how it is now, or a record of the act itself", is_act },
    { "ran_here", 6, "it ran then, and what it runs changes files here", ran_here },
    { "ran_before", 3, "it ran in the hour before, and what it runs changes files here", ran_before },
    { "rule", 3, "what it is set to do changes files here", has_rule },
    { "due", 3, "it was due then", was_due },
    { "began", 3, "it began within seconds", began },
    { "ended", 3, "it began or ended within seconds", began_or_ended },
    { "as_old", 2, "it is there since that moment", is_as_old },
    { "minute", 1, "it began within a minute", began_in_minute },
    { "session", 2, "whoever began that session was there then", is_session },
    { "removed", 2, "it removed files then", removed_then },
    { "owns", 4, "the file is in its list", owns },
    { "transaction", 1, "it covers all of the packages' changes", is_transaction },
    { "several", 6, "it removed several packages then, whose lists are gone", removed_packages },
    { "called", 1, "a directory there has its name", is_called_so },
    { "guards", 3, "it runs here, and removes what it takes for harmful", guards },
    { "anew", 4, "if it was there before, it is gone with that", begins_anew },
    { "holds", 1, "it works in that directory", holds },
    { "restores", -5, "but it leaves its files as they are in its list", restores },
    { "not_due", -5, "but it was not due then", not_due },
    { "not_logged", -5, "but the log that covers the moment does not have it", not_logged },
    { "still_there", -5, "but it was still there afterwards", still_there },
    { "may_not_write", -100, "but who it ran as may not write there", may_not_write },
    { "left_home", -100, "but the user's directory is still there", left_home },
    { "later", -100, "but it did not exist yet", came_later },
};
/* clang-format on */
const unsigned clue_rule_count = ARRAY_SIZE(clue_rules);

/* ---- what is known ---- */

unsigned clue_rules_of(const struct clue_circumstances *c, const struct clue_fact *f)
{
    unsigned rules = 0;

    for (unsigned i = 0; i < clue_rule_count; i++)
        if (clue_rules[i].applies(c, f))
            rules |= 1u << i;
    return rules;
}

/* More units than one looks for began within seconds. */
static bool many_units_began(const struct clue_circumstances *c)
{
    struct bytes names[TOGETHER_MAX];
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++) {
        const struct clue_fact *f = &c->facts[i];
        bool known = false;

        if (f->kind != CLUE_HAPPENED || !is_unit(f) || !ran(f) || !begins_within(c, f, AT_ONCE_NS))
            continue;
        for (size_t j = 0; j < n && !known; j++)
            known = bytes_equal(names[j], f->suspect);
        if (known)
            continue;
        if (n == TOGETHER_MAX)
            return true;
        names[n++] = f->suspect;
    }
    return false;
}

void clue_circumstances_find(const struct clue_question *q, const struct clue_fact *facts, size_t count, struct clue_circumstances *ret)
{
    *ret = (struct clue_circumstances){ .question = q, .facts = facts, .count = count };
    for (size_t i = 0; i < count; i++) {
        const struct clue_fact *f = &facts[i];

        ret->missing |= f->kind == CLUE_MISSING;
        ret->changed |= f->kind == CLUE_CHANGED;
        ret->there |= f->kind == CLUE_TIME && !(f->marks & CLUE_STILL) && bytes_equal(f->path, q->path);
        if ((f->marks & CLUE_STILL) && bytes_equal(f->path, q->path))
            ret->last_seen_ns = MAX(ret->last_seen_ns, f->from_ns);
        ret->jobs_are_logged |= f->kind == CLUE_HAPPENED && (f->marks & CLUE_LOGGED) && bytes_starts_with(f->suspect, bytes_of("cron job: "));
    }
    ret->many_began = many_units_began(ret);
}
