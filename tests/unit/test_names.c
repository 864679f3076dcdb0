/* SPDX-License-Identifier: MIT */
/*
 * Every kind of cause has a subject, whatever of it is known: all launchers with all that can have been run, each part
 * known or not, by somebody who is known, who only sits at a terminal, or by nobody.
 */
#include "test.h"

#include "make.h"
#include "report/names.h"

enum { HAS_NAME = 1, HAS_DETAIL = 2, HAS_UNIT = 4, HAS_STARTER = 8, HAS_RUN = 16, HAS_ARGS = 32, OF_CONTAINER = 64, ALL_PARTS = 128 };
enum { NOBODY, AT_TERMINAL, TYPING, KNOWN, WAYS };

static bool is_well_formed(const char *text)
{
    size_t n = strlen(text);

    return n && text[0] != ' ' && text[0] != ',' && text[n - 1] != ' ' && text[n - 1] != ',' && !strstr(text, "  ") &&
           !strstr(text, " ,") && !strstr(text, ",,") && !strstr(text, "()") && !strstr(text, "( ");
}

static void set_person(struct person *person, int way)
{
    *person = (struct person){ .id = UID_UNKNOWN, .as_id = UID_UNKNOWN };
    if (way == NOBODY)
        return;
    person->terminal = bytes_of("pts/3");
    person->interactive = way == TYPING;
    if (way == KNOWN) {
        person->known = true;
        person->id = 1000;
        person->name = bytes_of("ann");
    }
}

static void set_parts(struct cause *cause, struct process *starter, unsigned parts)
{
    cause->launcher.name = parts & HAS_NAME ? bytes_of("name") : BYTES_NULL;
    cause->launcher.detail = parts & HAS_DETAIL ? bytes_of("detail") : BYTES_NULL;
    cause->launcher.unit = parts & HAS_UNIT ? bytes_of("a.service") : BYTES_NULL;
    cause->launcher.process = parts & HAS_STARTER ? starter : NULL;
    cause->run.name = parts & HAS_RUN ? bytes_of("/opt/jobs/run") : BYTES_NULL;
    cause->run.args = parts & HAS_ARGS ? (struct bytes){ "sh\0/opt/jobs/run\0", 17 } : BYTES_NULL;
}

static void check(const struct cause *cause, const struct actor *actor, bool own, unsigned parts, int way)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT, launcher = SBUF_INIT;
    bool comma;

    name_subject(&out, cause, actor, own, &comma);
    name_launcher(&launcher, &cause->launcher);
    if (!is_well_formed(sbuf_str(&out)) || (launcher.len && !is_well_formed(sbuf_str(&launcher))))
        fail_msg("launcher %s, run %s, parts %#x, way %d, own %d: subject '%s', launcher '%s'", cause_launcher_name(cause->launcher.kind),
                 cause_run_name(cause->run.kind), parts, way, own, sbuf_str(&out), sbuf_str(&launcher));
}

static void names_whatever_is_known(void **state)
{
    struct process *starter = make_process(10, "/usr/bin/tmux", NULL), *p = make_process(11, "/usr/bin/rm", process_ref(starter));
    struct container *container = make_container("0123456789ab", "web");

    (void)state;
    for (int launcher = 0; launcher < LAUNCHER_KIND_COUNT; launcher++)
        for (int run = 0; run < RUN_KIND_COUNT; run++)
            for (unsigned parts = 0; parts < ALL_PARTS; parts++)
                for (int way = 0; way < WAYS; way++) {
                    struct cause cause = { .run.kind = (enum run_kind)run, .launcher.kind = (enum launcher_kind)launcher };
                    struct actor actor = { .process = p, .pid = 11 };

                    set_parts(&cause, starter, parts);
                    set_person(&cause.person, way);
                    cause.run.process = parts & HAS_RUN ? p : NULL;
                    p->container = parts & OF_CONTAINER ? container : NULL;
                    check(&cause, &actor, false, parts, way);
                    check(&cause, &actor, true, parts, way);
                }
    p->container = NULL;
    container_unref(container);
    process_unref(p);
    process_unref(starter);
}

static const struct terminal_row {
    const char *name;
    const char *executable;
    bool interactive;
    const char *terminal;
    bool comma;
} terminals[] = {
    { "/opt/jobs/run, in tmux of root", "/usr/bin/tmux", false, "pts/0", true },
    { "/opt/jobs/run, in screen of root", "/usr/bin/screen", false, "", true },
    { "/opt/jobs/run, in a terminal of root", "", false, "pts/0", true },
    { "root, at pts/0", "/bin/bash", true, "pts/0", true },
    { "root", "/bin/bash", true, "", false },
};

static void names_the_terminals_user(void **state)
{
    const struct terminal_row *row = *state;
    struct process *starter = make_process(10, row->executable, NULL), *p = make_process(11, "/usr/bin/rm", process_ref(starter));
    struct cause cause = { .run = { .kind = RUN_SCRIPT, .name = bytes_of("/opt/jobs/run") },
                           .launcher = { .kind = LAUNCHER_PERSON, .name = bytes_of("root"), .process = starter },
                           .person = { .interactive = row->interactive, .terminal = bytes_of(row->terminal) } };
    struct actor actor = { .process = p, .pid = 11 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    bool comma;

    name_subject(&out, &cause, &actor, false, &comma);
    assert_string_equal(sbuf_str(&out), row->name);
    assert_int_equal(comma, row->comma);
    process_unref(p);
    process_unref(starter);
}

static const struct target_row {
    const char *name; /* what it says */
    const char *interpreter, *target, *file, *directory;
} targets[] = {
    { "make", "make", "", "", "" },
    { "make in /src", "make", "", "", "/src" },
    { "make -f fix.mk in /src", "make", "", "fix.mk", "/src" },
    { "ninja -f a.ninja install in /src", "ninja", "install", "a.ninja", "/src" },
    { "make -f a\\nb clean", "make", "clean", "a\nb", "" },
};

/* Without a target it is still make, not the tool that it starts. */
static void names_what_was_built(void **state)
{
    const struct target_row *row = *state;
    struct process *p = make_process(11, "/usr/bin/chmod", NULL);
    struct cause cause = { .run = { .kind = RUN_TARGET, .name = bytes_of(row->target), .interpreter = bytes_of(row->interpreter),
                                    .file = bytes_of(row->file), .directory = bytes_of(row->directory) },
                           .launcher = { .kind = LAUNCHER_CRON, .name = bytes_of("ann") } };
    struct actor actor = { .process = p, .pid = 11 };
    char text[256];

    for (int launcher = 0; launcher < 2; launcher++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
        bool comma;

        if (launcher)
            cause.launcher = (struct cause_launcher){ .kind = LAUNCHER_COMMAND, .name = bytes_of("culprit") };
        name_subject(&out, &cause, &actor, launcher, &comma);
        snprintf(text, sizeof(text), launcher ? "Your own command (%s)" : "%s, a cron job of ann", row->name);
        assert_string_equal(sbuf_str(&out), text);
    }
    process_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_whatever_is_known) };

    return RUN_ROWS(targets, names_what_was_built) + RUN_ROWS(terminals, names_the_terminals_user) + cmocka_run_group_tests(tests, NULL, NULL);
}
