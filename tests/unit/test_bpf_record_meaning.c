/* SPDX-License-Identifier: MIT */
/* Which events one change of the kernel's is, for an object that one or both of its paths reach. */
#include "test.h"

#include <stdio.h>

#include "sensor/bpf/record_meaning.h"

#define HERE { .has = { true, false }, .places = { { .by_name = true } } }
#define OTHER { .has = { false, true }, .places = { { 0 }, { .by_name = true } } }
#define BOTH { .has = { true, true }, .places = { { .by_name = true }, { .by_name = true } } }
#define VALID_MODE 1
#define VALID_OWNER 2
#define IMMUTABLE 8
#define APPEND 4

struct row {
    const char *name;
    uint32_t type; /* 0: a change */
    struct wire_change change;
    struct record_target at;
    const char *text, *meanings;
};

static const struct row rows[] = {
    { "made by an open", 0, { .operation = OPERATION_OPEN_WRITE, .flags = WIRE_CREATED }, HERE, NULL, "create 0" },
    { "opened for writing", 0, { .operation = OPERATION_OPEN_WRITE }, HERE, NULL, "open-write 0" },
    { "made without a name", 0, { .operation = OPERATION_OPEN_WRITE, .flags = WIRE_CREATED | WIRE_TMPFILE }, HERE, NULL,
      "create 0, open-write 0 (a file without a name yet)" },
    { "open since before", WIRE_ALREADY_OPEN, { .operation = OPERATION_OPEN_WRITE }, HERE, NULL,
      "open-write 0 (already open for writing when the watch began)" },
    { "mapped since before", WIRE_ALREADY_OPEN, { .operation = OPERATION_OPEN_WRITE, .flags = WIRE_MAPPED }, HERE, NULL,
      "open-write 0 (already mapped for writing when the watch began)" },
    { "renamed within", 0, { .operation = OPERATION_RENAME }, BOTH, NULL, "rename 0 from 1" },
    { "renamed out of it", 0, { .operation = OPERATION_RENAME }, OTHER, NULL, "rename 0 from 1" },
    { "another name of a watched file is renamed", 0, { .operation = OPERATION_RENAME }, { .has = { false, true } }, NULL, "" },
    { "renamed over another one", 0, { .operation = OPERATION_RENAME, .flags = WIRE_REPLACED }, BOTH, NULL, "rename 0 from 1, replace 0 victim" },
    { "the same on the way to it", 0, { .operation = OPERATION_RENAME, .flags = WIRE_REPLACED },
      { .has = { true, false }, .on_the_way = { true, false } }, NULL, "rename 0 from 1" },
    { "exchanged", 0, { .operation = OPERATION_RENAME, .flags = WIRE_EXCHANGE }, BOTH, NULL, "rename 0 from 1, rename 1 from 0 victim" },
    { "linked in", 0, { .operation = OPERATION_LINK }, HERE, NULL, "link 0" },
    { "linked out of it: nothing here changed", 0, { .operation = OPERATION_LINK }, OTHER, NULL, "" },
    { "a refused link out of it", 0, { .operation = OPERATION_LINK, .flags = WIRE_DENIED }, OTHER, NULL, "link 1 (to a name outside)" },
    { "removed", 0, { .operation = OPERATION_UNLINK }, HERE, NULL, "unlink 0" },
    { "another name of it is removed", 0, { .operation = OPERATION_UNLINK }, { .has = { true, false } }, NULL, "" },
    { "below it, whatever its own name", 0, { .operation = OPERATION_UNLINK }, { .has = { true, false }, .depths = { 1, 0 } }, NULL, "unlink 0" },
    { "truncated, which takes set-user-id away", 0, { .operation = OPERATION_TRUNCATE, .valid = VALID_MODE }, HERE, NULL, "truncate 0, chmod 0" },
    { "mode and owner in one call", 0, { .operation = OPERATION_CHOWN, .valid = VALID_MODE | VALID_OWNER }, HERE, NULL, "chmod 0, chown 0" },
    { "an ACL is an attribute to the kernel", 0, { .operation = OPERATION_SETXATTR }, HERE, "system.posix_acl_access", "setacl 0" },
    { "so is its removal", 0, { .operation = OPERATION_REMOVEXATTR }, HERE, "system.posix_acl_default", "setacl 0" },
    { "another attribute", 0, { .operation = OPERATION_REMOVEXATTR }, HERE, "user.note", "removexattr 0" },
    { "made immutable", 0, { .operation = OPERATION_SETFLAGS, .after = { .known = WIRE_STATE_KNOWN, .flags = IMMUTABLE | APPEND } }, HERE, NULL,
      "setflags 0 (made immutable)" },
    { "no longer append-only", 0, { .operation = OPERATION_SETFLAGS, .file = { .flags = APPEND }, .after = { .known = WIRE_STATE_KNOWN } }, HERE,
      NULL, "setflags 0 (no longer append-only)" },
    { "refused: nothing was made", 0, { .operation = OPERATION_SETFLAGS, .error = 1, .after = { .known = WIRE_STATE_KNOWN, .flags = IMMUTABLE } },
      HERE, NULL, "setflags 0" },
};

static void means(void **state)
{
    const struct row *row = *state;
    const struct bpf_record r = { .type = row->type ? row->type : WIRE_CHANGE, .change = &row->change,
                                  .text = row->text ? bytes_of(row->text) : BYTES_NULL };
    struct record_meaning found[RECORD_MEANINGS_MAX];
    unsigned count = bpf_record_meanings(&r, &row->at, found);
    char text[256] = "";
    size_t len = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct record_meaning *m = &found[i];

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %u", i ? ", " : "", operation_info(m->operation)->name, m->now);
        if (m->has_old)
            len += (size_t)snprintf(text + len, sizeof(text) - len, " from %u", m->old);
        if (m->victim)
            len += (size_t)snprintf(text + len, sizeof(text) - len, " victim");
        if (m->note)
            len += (size_t)snprintf(text + len, sizeof(text) - len, " (%s)", m->note);
    }
    assert_string_equal(text, row->meanings);
}

int main(void)
{
    return RUN_ROWS(rows, means);
}
