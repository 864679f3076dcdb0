/* SPDX-License-Identifier: MIT */
/* Products are named by kernel facts; a name alone never makes a claim. And the data itself. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "attribution/agents.h"

static struct agents *builtin;

/* ---- matching against the built-in data ---- */

static const struct match_row {
    const char *name;
    const char *executable, *unit, *package, *comm;
    const char *id; /* NULL: no product */
    bool looks_like;
} matches[] = {
    { "path below a directory", "/opt/sentinelone/bin/sentinelone-agent", NULL, NULL, NULL, "sentinelone", false },
    { "path as a whole", "/usr/bin/rsync", NULL, NULL, NULL, "rsync", false },
    { "prefix with a star", "/usr/bin/containerd-shim-runc-v2", NULL, NULL, NULL, "containerd", false },
    { "unit", "/srv/anything", "falcon-sensor.service", NULL, NULL, "crowdstrike", false },
    { "unit's template", "/srv/anything", "syncthing@im.service", NULL, NULL, "syncthing", false },
    { "package", "/srv/anything", NULL, "logrotate", NULL, "logrotate", false },
    { "name only", NULL, NULL, NULL, "s1-agent", "sentinelone", true },
    { "name, and an executable that is another's", "/home/im/s1-agent", NULL, NULL, "s1-agent", "sentinelone", true },
    { "path wins over the name", "/usr/bin/git", NULL, NULL, "falcond", "git", false },
    { "path wins over unit and package", "/usr/bin/git", "cron.service", "rsync", NULL, "git", false },
    { "unit wins over package", NULL, "cron.service", "rsync", NULL, "cron", false },
    { "package wins over name", NULL, NULL, "rsync", "falcond", "rsync", false },
    { "directory without its slash", "/opt/sentinelone", NULL, NULL, NULL, NULL, false },
    { "directory that goes on", "/opt/sentinelone-fake/agent", NULL, NULL, NULL, NULL, false },
    { "path in another place", "/home/im/opt/sentinelone/agent", NULL, NULL, NULL, NULL, false },
    { "whole path that goes on", "/usr/bin/rsync-fake", NULL, NULL, NULL, NULL, false },
    { "whole path, case", "/usr/bin/RSYNC", NULL, NULL, NULL, NULL, false },
    { "sophos' two products", "/opt/sophos-spl/plugins/av", NULL, NULL, NULL, "sophos-spl", false },
    { "unit that only begins like it", NULL, "cron.service.evil", NULL, NULL, NULL, false },
    { "package that only begins like it", NULL, NULL, "cron-evil", NULL, NULL, false },
    { "name that only begins like it", NULL, NULL, NULL, "s1-agent2", NULL, false },
    { "a name is no path", "s1-agent", NULL, NULL, NULL, NULL, false },
    { "a name is no unit", NULL, "s1-agent", NULL, NULL, NULL, false },
    { "a path is no name", NULL, NULL, NULL, "/usr/bin/rsync", NULL, false },
    { "nothing known", NULL, NULL, NULL, NULL, NULL, false },
    { "empty facts", "", "", "", "", NULL, false },
    { "the shell is nobody", "/usr/bin/dash", "session-4.scope", "dash", "sh", NULL, false },
    { "the interpreter is nobody", "/usr/bin/python3.11", NULL, "python3.11-minimal", "python3", NULL, false },
};

static void names_product(void **state)
{
    const struct match_row *row = *state;
    struct agent_facts facts = { bytes_of(row->executable), bytes_of(row->unit), bytes_of(row->package),
                                 bytes_of(row->comm) };
    bool looks_like = !row->looks_like;
    const struct agent *found = agents_match(builtin, &facts, &looks_like);

    if (row->id) {
        assert_non_null(found);
        assert_bytes(found->id, row->id);
    } else {
        assert_null(found);
    }
    assert_int_equal(looks_like, row->looks_like);
}

/* For every product: its own name among its names is "looks like", never more. */
static void no_claim_by_name_alone(void **state)
{
    json_t *root = json_loadb(agents_builtin().data, agents_builtin().len, 0, NULL), *row, *v;
    size_t i, j, checked = 0;

    (void)state;
    json_array_foreach(json_object_get(root, "agents"), i, row) {
        json_array_foreach(json_object_get(json_object_get(row, "match"), "name"), j, v) {
            struct agent_facts facts = { .name = bytes_of(json_string_value(v)),
                                         .executable = bytes_of("/home/im/program") };
            bool looks_like = false;
            const struct agent *found = agents_match(builtin, &facts, &looks_like);

            assert_non_null(found);
            assert_bytes(found->id, json_string_value(json_object_get(row, "id")));
            assert_true(looks_like);
            checked++;
        }
    }
    assert_true(checked > 50);
    json_decref(root);
}

static void the_most_exact_rule_wins(void **state)
{
    static const char text[] =
        "{\"agents\":["
        "{\"id\":\"all\",\"product\":\"All\",\"kind\":\"k\",\"match\":{\"path\":[\"/opt/\"]}},"
        "{\"id\":\"one\",\"product\":\"One\",\"kind\":\"k\",\"match\":{\"path\":[\"/opt/x/\",\"/opt/x/y*\"]}},"
        "{\"id\":\"late\",\"product\":\"Late\",\"kind\":\"k\",\"match\":{\"path\":[\"/opt/x/yes\"]}}]}";
    struct agents *a = NULL;
    bool looks_like;

    (void)state;
    assert_int_equal(agents_parse(bytes_of(text), &a, NULL), 0);
    assert_bytes(agents_match(a, &(struct agent_facts){ .executable = bytes_of("/opt/a") }, &looks_like)->id, "all");
    assert_bytes(agents_match(a, &(struct agent_facts){ .executable = bytes_of("/opt/x/a") }, &looks_like)->id, "one");
    assert_bytes(agents_match(a, &(struct agent_facts){ .executable = bytes_of("/opt/x/yes") }, &looks_like)->id,
                 "late");
    assert_bytes(agents_match(a, &(struct agent_facts){ .executable = bytes_of("/opt/x/yesno") }, &looks_like)->id,
                 "one");
    assert_bytes(agents_by_product(a, bytes_of("Late"))->id, "late");
    assert_null(agents_by_product(a, bytes_of("late")));
    assert_null(agents_by_product(a, BYTES_NULL));
    agents_free(a);
    agents_free(NULL);
}

/* ---- damaged data ---- */

#define ROW(members) "{\"agents\":[{" members "}]}"
#define GOOD "\"id\":\"x\",\"product\":\"X\",\"kind\":\"k\""

static const struct bad_row {
    const char *name, *text, *says;
} bad[] = {
    { "nothing", "", "line" },
    { "no JSON", "agents: []", "line 1" },
    { "the line is told", "{\n\"agents\": [\n,]}", "line 3" },
    { "a list", "[]", "agents" },
    { "no list", "{\"agents\":{}}", "agents" },
    { "no member", "{}", "agents" },
    { "a row that is no object", "{\"agents\":[1]}", "id" },
    { "no id", ROW("\"product\":\"X\",\"kind\":\"k\",\"match\":{\"path\":[\"/x\"]}"), "id" },
    { "empty product", ROW("\"id\":\"x\",\"product\":\"\",\"kind\":\"k\",\"match\":{\"path\":[\"/x\"]}"), "product" },
    { "kind a number", ROW("\"id\":\"x\",\"product\":\"X\",\"kind\":3,\"match\":{\"path\":[\"/x\"]}"), "kind" },
    { "no match", ROW(GOOD), "match" },
    { "match a list", ROW(GOOD ",\"match\":[\"/x\"]"), "match" },
    { "match empty", ROW(GOOD ",\"match\":{}"), "never" },
    { "only empty lists", ROW(GOOD ",\"match\":{\"path\":[],\"name\":[]}"), "never" },
    { "path a text", ROW(GOOD ",\"match\":{\"path\":\"/x\"}"), "lists" },
    { "path with an empty text", ROW(GOOD ",\"match\":{\"path\":[\"\"]}"), "lists" },
    { "name with a number", ROW(GOOD ",\"match\":{\"name\":[\"x\",7]}"), "lists" },
    { "unit null", ROW(GOOD ",\"match\":{\"unit\":null,\"path\":[\"/x\"]}"), "lists" },
    { "a member twice", ROW("\"id\":\"x\"," GOOD ",\"match\":{\"path\":[\"/x\"]}"), "line" },
    { "not UTF-8", ROW("\"id\":\"\xff\",\"product\":\"X\""), "line" },
    { "NUL in a text", ROW(GOOD ",\"match\":{\"path\":[\"/x\\u0000\"]}"), "line" },
    { "a bad row behind a good one", "{\"agents\":[{" GOOD ",\"match\":{\"path\":[\"/x\"]}},{}]}", "id" },
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct agents *a = (void *)1;
    struct err err = ERR_INIT;

    assert_int_equal(agents_parse(bytes_of(row->text), &a, &err), -EBADMSG);
    assert_ptr_equal(a, (void *)1);
    assert_non_null(strstr(err.text, row->says));
    assert_int_equal(agents_parse(bytes_of(row->text), &a, NULL), -EBADMSG);
}

static void loads_a_file(void **state)
{
    static const char text[] = ROW(GOOD ",\"match\":{\"path\":[\"/x\"]}");
    char path[] = "/tmp/culprit-test-agents-XXXXXX";
    int fd = mkstemp(path);
    struct agents *a = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_int_equal(agents_load(path, &a, NULL), 0);
    assert_bytes(agents_by_product(a, bytes_of("X"))->id, "x");
    agents_free(a);
    a = NULL;
    /* a file larger than any list of products is damaged, not cut */
    assert_int_equal(ftruncate(fd, 2 * 1024 * 1024), 0);
    assert_int_equal(agents_load(path, &a, &err), -EBADMSG);
    assert_non_null(strstr(err.text, path));
    close(fd);
    unlink(path);
    assert_int_equal(agents_load(path, &a, &err), -ENOENT);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(agents_load("/", &a, NULL), -EISDIR);
    assert_null(a);
}

/* ---- the data that is built in ---- */

static bool is_text(const json_t *v)
{
    const char *s = json_string_value(v);

    if (!s || !*s || s[0] == ' ' || s[strlen(s) - 1] == ' ')
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
            return false;
    return true;
}

static bool ends_with(const char *s, const char *end)
{
    return strlen(s) > strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

static const char *check_rule(const char *kind, const char *text)
{
    size_t len = strlen(text);

    if (strcmp(kind, "path") == 0)
        return text[0] != '/' || strstr(text, "//") || strstr(text, "/../") ? "not an absolute path"
               : len < 8                                                     ? "too short to be anybody's own"
               : strcspn(text, "*?[") < len - (text[len - 1] == '*')         ? "a star inside is not a pattern"
                                                                             : NULL;
    if (strcmp(kind, "unit") == 0)
        return !ends_with(text, ".service") && !ends_with(text, "@*") ? "not a service" : NULL;
    if (strcmp(kind, "package") == 0)
        return strpbrk(text, " /*:") ? "not a package's name" : NULL;
    if (strcmp(kind, "name") == 0) /* comm has room for 15 bytes: a longer one never fits */
        return len > 15 || strpbrk(text, "/*") ? "not a process's name" : NULL;
    return "no such kind of rule";
}

static void every_row_is_well_formed(void **state)
{
    static const char *const members[] = { "id",         "product", "kind",  "does",
                                           "quarantine", "moves_by", "exclude", "match", "source" };
    json_t *root = json_loadb(agents_builtin().data, agents_builtin().len, JSON_REJECT_DUPLICATES, NULL);
    json_t *seen = json_object(), *row, *rules, *v;
    const char *key;
    char once[256];
    size_t i, j;

    (void)state;
    assert_non_null(root);
    assert_true(json_array_size(json_object_get(root, "agents")) >= 60);
    json_array_foreach(json_object_get(root, "agents"), i, row) {
        const char *id = json_string_value(json_object_get(row, "id"));

        json_object_foreach(row, key, v) {
            bool known = false;

            for (size_t m = 0; m < ARRAY_SIZE(members); m++)
                known |= strcmp(key, members[m]) == 0;
            if (!known || (strcmp(key, "match") != 0 && !is_text(v)))
                fail_msg("%s: %s is unknown, empty or not plain text", id, key);
        }
        if (!json_object_get(row, "source"))
            fail_msg("%s: no source", id);
        for (size_t m = 0; m < 2; m++) { /* agents_by_product() finds only the first */
            snprintf(once, sizeof(once), "%s %s", members[m], json_string_value(json_object_get(row, members[m])));
            if (json_object_get(seen, once))
                fail_msg("twice: %s", once);
            json_object_set_new(seen, once, json_true());
        }
        json_object_foreach(json_object_get(row, "match"), key, rules)
            json_array_foreach(rules, j, v) {
                const char *why = check_rule(key, json_string_value(v));

                if (why)
                    fail_msg("%s: %s \"%s\": %s", id, key, json_string_value(v), why);
                snprintf(once, sizeof(once), "match %s %s", key, json_string_value(v));
                if (json_object_get(seen, once))
                    fail_msg("two products claim %s", once);
                json_object_set_new(seen, once, json_true());
            }
    }
    json_array_foreach(json_object_get(root, "agents"), i, row)
        assert_bytes(agents_by_product(builtin, bytes_of(json_string_value(json_object_get(row, "product"))))->id,
                     json_string_value(json_object_get(row, "id")));
    json_decref(seen);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(no_claim_by_name_alone),
        cmocka_unit_test(the_most_exact_rule_wins),
        cmocka_unit_test(loads_a_file),
        cmocka_unit_test(every_row_is_well_formed),
    };
    int failed;

    if (agents_parse(agents_builtin(), &builtin, NULL) < 0)
        return 99;
    failed = RUN_ROWS(matches, names_product) + RUN_ROWS(bad, refuses) +
             cmocka_run_group_tests(more, NULL, NULL);
    agents_free(builtin);
    return failed;
}
