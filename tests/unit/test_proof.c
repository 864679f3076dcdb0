/* SPDX-License-Identifier: MIT */
/* Whether what came out says what was done: every way to be wrong is found. */
#include "test.h"

#include <errno.h>
#include <unistd.h>

#include "daemon/changes.h"
#include "daemon/proof.h"
#include "event/operation.h"
#include "sensor/sensor.h"

#define PLACE "/x/.culprit-doctor-1"
#define ALL (~0ull)

static const struct row {
    const char *name;
    enum operation operation;
    const char *path, *previous; /* path NULL: no event */
    bool other_process, other_program, twice, confined, unknown;
    int done, reported; /* errors */
    unsigned mode_after;
    uint64_t has;
    enum proof_outcome outcome;
} rows[] = {
    { "right", OPERATION_UNLINK, PLACE "/unlink", .has = ALL, .outcome = PROOF_RIGHT },
    { "nothing came", OPERATION_UNLINK, NULL, .has = ALL, .outcome = PROOF_WRONG },
    { "another process", OPERATION_UNLINK, PLACE "/unlink", .other_process = true, .has = ALL, .outcome = PROOF_WRONG },
    { "another program", OPERATION_UNLINK, PLACE "/unlink", .other_program = true, .has = ALL, .outcome = PROOF_WRONG },
    { "twice", OPERATION_UNLINK, PLACE "/unlink", .twice = true, .has = ALL, .outcome = PROOF_WRONG },
    { "another outcome", OPERATION_UNLINK, PLACE "/unlink", .reported = EPERM, .has = ALL, .outcome = PROOF_WRONG },
    { "another place", OPERATION_UNLINK, "/y/unlink", .has = ALL, .outcome = PROOF_WRONG },
    { "a mode", OPERATION_CHMOD, PLACE "/chmod", .mode_after = 0640, .has = ALL, .outcome = PROOF_RIGHT },
    { "another mode", OPERATION_CHMOD, PLACE "/chmod", .mode_after = 0600, .has = ALL, .outcome = PROOF_WRONG },
    { "attributes, looked at too late", OPERATION_CHMOD, PLACE "/chmod", .unknown = true, .has = ALL & ~CAPABILITY_REFUSED, .outcome = PROOF_DECLARED },
    { "the same where a sensor sees each call", OPERATION_CHMOD, PLACE "/chmod", .unknown = true, .has = ALL, .outcome = PROOF_WRONG },
    { "the same by another process", OPERATION_CHMOD, PLACE "/chmod", .unknown = true, .other_process = true, .has = ALL & ~CAPABILITY_REFUSED, .outcome = PROOF_WRONG },
    { "of another file", OPERATION_CHMOD, PLACE "/chown", .unknown = true, .has = ALL & ~CAPABILITY_REFUSED, .outcome = PROOF_WRONG },
    { "attributes are no name", OPERATION_UNLINK, PLACE "/unlink", .unknown = true, .has = ALL & ~CAPABILITY_REFUSED, .outcome = PROOF_WRONG },
    { "a rename", OPERATION_RENAME, PLACE "/rename.to", PLACE "/rename", .has = ALL, .outcome = PROOF_RIGHT },
    { "from another name", OPERATION_RENAME, PLACE "/rename.to", PLACE "/other", .has = ALL, .outcome = PROOF_WRONG },
    { "refused, and reported", OPERATION_UNLINK, PLACE "/unlink", .done = EPERM, .reported = EPERM, .has = ALL, .outcome = PROOF_RIGHT },
    { "refused, and not reported", OPERATION_UNLINK, NULL, .done = EPERM, .has = ALL, .outcome = PROOF_WRONG },
    { "refused, and cannot be reported", OPERATION_UNLINK, NULL, .done = EPERM, .has = ALL & ~CAPABILITY_REFUSED, .outcome = PROOF_DECLARED },
    { "the file system has none", OPERATION_UNLINK, NULL, .done = EOPNOTSUPP, .has = ALL, .outcome = PROOF_DECLARED },
    { "who tries may not", OPERATION_UNLINK, NULL, .done = EPERM, .confined = true, .has = ALL, .outcome = PROOF_DECLARED },
    { "a sensor without it", OPERATION_UNLINK, NULL, .has = 0, .outcome = PROOF_DECLARED },
};

static void add(struct proof_seen *seen, const struct row *row, const char *self)
{
    struct event *e = event_new();

    e->operation = row->unknown ? OPERATION_ATTRIBUTES : row->operation;
    e->error = row->reported;
    e->actor.pid = row->other_process ? 8 : 7;
    e->before = (struct file_state){ .known = FILE_MODE, .mode = 0644 };
    e->after = (struct file_state){ .known = FILE_MODE, .mode = row->mode_after };
    event_set(e, &e->path, bytes_of(row->path));
    event_set(e, &e->previous_path, bytes_of(row->previous));
    event_set(e, &e->actor.executable, bytes_of(row->other_program ? "/bin/rm" : self));
    proof_add(seen, e);
    event_free(e);
}

static void judges(void **state)
{
    const struct row *row = *state;
    char self[4096] = "";
    struct proof_seen seen = { 0 };
    int errors[CHANGES] = { 0 };
    const struct proof_made made = { .place = PLACE, .pid = 7, .errors = errors, .has = row->has, .confined = row->confined };
    enum proof_outcome outcome;
    size_t change = 0;
    const char *text;

    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    while (changes[change].operation != row->operation)
        change++;
    errors[change] = row->done;
    for (int i = 0; row->path && i < (row->twice ? 2 : 1); i++)
        add(&seen, row, self);
    text = proof_judge(&seen, &made, change, &outcome);
    assert_int_equal(outcome, row->outcome);
    assert_int_equal(text[0] == '\0', outcome == PROOF_RIGHT);
    proof_done(&seen);
}

int main(void)
{
    return RUN_ROWS(rows, judges);
}
