/* SPDX-License-Identifier: MIT */
/* What a scanner is recorded to have moved away: whose file is taken out of the directory that its command line names. */
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make.h"
#include "restore/restore.h"
#include "util/clock.h"

static char base[] = "/tmp/culprit-quarantined.XXXXXX";

static const struct row {
    const char *name;
    uint32_t uid; /* whoever ran the scanner */
    bool unknown; /* who that was is not known */
    bool same;    /* q/f is the recorded inode, else a copy */
    uint32_t was; /* whose f was */
    const char *make, *to;
    enum restore_outcome outcome;
} rows[] = {
    { "root's own copy", 0, false, false, 1000, ":", "q", RESTORE_DONE },
    { "root's file, by somebody who names root's directory", 1000, false, false, 1000, ":", "q", RESTORE_FAILED },
    { "a copy, by nobody knows whom", 0, true, false, 1000, ":", "q", RESTORE_FAILED },
    { "root's directory below another's", 0, false, false, 1000, "mkdir theirs && mv q theirs && chown 1000 theirs", "theirs/q", RESTORE_FAILED },
    { "a link to root's directory", 0, false, false, 1000, "mv q r && ln -s r q && chown -h 1000 q", "q", RESTORE_FAILED },
    { "through a link", 0, false, false, 1000, "ln -s . l", "l/q", RESTORE_FAILED },
    { "the file itself, by anybody", 1000, false, true, 1000, "chown 1000 q q/f", "q", RESTORE_DONE },
    { "another's, of the same number", 0, false, true, 0, "chown 1000 q/f", "q", RESTORE_FAILED },
};

static void shell(const char *script)
{
    char command[512];

    snprintf(command, sizeof(command), "cd %s && %s", base, script);
    assert_int_equal(system(command), 0);
}

static bool kept_in(void *data, const struct event *e, char *ret)
{
    (void)e;
    return snprintf(ret, PATH_MAX, "%s/%s", base, (const char *)data) < PATH_MAX;
}

/* "here/f" was removed. */
static struct event *removal(const struct row *row, const char *path, const struct stat *kept)
{
    struct process *scanner = make_process(77, "/usr/bin/clamscan", NULL);
    struct event *e;

    scanner->cred = (struct credentials){ .known = !row->unknown, .uid = row->uid, .euid = row->uid, .suid = row->uid, .fsuid = row->uid };
    e = make_event(OPERATION_UNLINK, path, scanner, NULL, NS_PER_S);
    e->file = (struct file_state){ .known = FILE_UID | FILE_SIZE | FILE_MODE | FILE_INODE | FILE_DEVICE, .uid = row->was, .mode = S_IFREG | 0600,
                                   .size = (uint64_t)kept->st_size, .inode = kept->st_ino + !row->same, .device = kept->st_dev };
    process_unref(scanner);
    return e;
}

static void is_taken(void **state)
{
    const struct row *row = *state;
    char path[96], kept[96], database[96];
    struct store_options store_options = { .path = database };
    struct store_query query = { 0 };
    struct restore_options options = { .query = &query, .data = (void *)(uintptr_t)row->to, .kept_in = kept_in };
    struct restore_items items = { 0 };
    struct restore_summary summary = { 0 };
    struct err err = ERR_INIT;
    struct stat st;
    struct event *e;

    if (geteuid() != 0)
        skip();
    shell("rm -rf q r l here theirs && mkdir -m 755 q here && echo kept > q/f");
    shell(row->make);
    snprintf(path, sizeof(path), "%s/here/f", base);
    snprintf(kept, sizeof(kept), "%s/%s/f", base, row->to);
    snprintf(database, sizeof(database), "%s/culprit.db", base);
    (void)unlink(database);
    assert_int_equal(stat(kept, &st), 0);
    e = removal(row, path, &st);
    assert_int_equal(store_open(&store_options, &options.store, &err), 0);
    assert_int_equal(store_add_event(options.store, e), 0);
    assert_int_equal(store_flush(options.store, &err), 0);
    assert_int_equal(restore_quarantine(bytes_of(path), &options, &items, &summary, &err), 0);
    assert_int_equal(items.count, 1);
    assert_int_equal(items.all[0].outcome, row->outcome);
    assert_int_equal(access(path, F_OK), row->outcome == RESTORE_DONE ? 0 : -1);
    assert_true(row->outcome != RESTORE_DONE || (stat(path, &st) == 0 && st.st_uid == row->was));
    restore_items_done(&items);
    store_close(options.store);
    event_free(e);
}

int main(void)
{
    char command[128];
    int failed;

    if (!mkdtemp(base))
        return 99;
    failed = RUN_ROWS(rows, is_taken);
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command) ? 98 : failed;
}
