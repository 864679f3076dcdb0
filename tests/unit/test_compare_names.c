/* SPDX-License-Identifier: MIT */
/* A container's volume between two moments: what was recorded by the host's name of it, or by another container's, is found too. */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "compare/record.h"
#include "make.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/sbuf.h"

static char base[] = "/tmp/culprit-test-names-XXXXXX";

static const struct row {
    const char *name;
    const char *victim; /* NULL: the host's */
    enum operation operation;
    const char *path, *previous, *host_path, *previous_host_path;
    const char *says; /* of web:/prd/data, which is /vol/logs */
} rows[] = {
    { "its own", "web", OPERATION_CREATE, "/prd/data/f", NULL, "/vol/logs/f", NULL, "added /prd/data/f\n" },
    { "by the host's name", NULL, OPERATION_UNLINK, "/vol/logs/f", NULL, "/vol/logs/f", NULL, "missing /prd/data/f\n" },
    { "by the host's name, as a log has it", NULL, OPERATION_UNLINK, "/vol/logs/d/f", NULL, NULL, NULL, "missing /prd/data/d/f\n" },
    { "the whole of it", NULL, OPERATION_CHMOD, "/vol/logs", NULL, "/vol/logs", NULL, "mode /prd/data\n" },
    { "by another container's name", "db", OPERATION_CREATE, "/srv/f", NULL, "/vol/logs/f", NULL, "added /prd/data/f\n" },
    { "by its own other name", "web", OPERATION_CREATE, "/again/f", NULL, "/vol/logs/f", NULL, "added /prd/data/f\n" },
    { "another container's file of that name", "db", OPERATION_CREATE, "/prd/data/f", NULL, "/upper/prd/data/f", NULL, "" },
    { "the host's file of that name", NULL, OPERATION_CREATE, "/prd/data/f", NULL, "/prd/data/f", NULL, "" },
    { "moved in by the host", NULL, OPERATION_RENAME, "/vol/logs/f", "/elsewhere/f", "/vol/logs/f", "/elsewhere/f", "added /prd/data/f\n" },
    { "moved away by the host, to such a name of its own", NULL, OPERATION_RENAME, "/prd/data/g", "/vol/logs/f", "/prd/data/g", "/vol/logs/f",
      "missing /prd/data/f\n" },
    { "moved within it by the host", NULL, OPERATION_RENAME, "/vol/logs/g", "/vol/logs/f", "/vol/logs/g", "/vol/logs/f",
      "missing /prd/data/f\nadded /prd/data/g\n" },
    { "moved in by itself", "web", OPERATION_RENAME, "/prd/data/f", "/own/f", "/vol/logs/f", "/upper/own/f", "added /prd/data/f\n" },
};

static int write_difference(void *data, struct difference *d)
{
    struct sbuf *out = data;

    sbuf_addf(out, "%s %.*s\n", difference_kind_name(d->kind), (int)d->path.len, d->path.data);
    difference_free(d);
    return 0;
}

static void is_found(void **state)
{
    const struct row *row = *state;
    struct store_options options = { .path = "names.db" };
    struct store_query query = { .container = bytes_of("web"), .path = bytes_of("/prd/data"), .host_path = bytes_of("/vol/logs"), .host_is_mount = true };
    struct container *victim = row->victim ? make_container(row->victim, row->victim) : NULL;
    struct event *e = make_event(row->operation, row->path, NULL, victim, NS_PER_S);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct compare_options compare_options = { .data = &out, .each = write_difference };
    struct record_summary summary;
    struct err err = ERR_INIT;
    struct store *store;

    (void)unlink("names.db");
    event_set(e, &e->previous_path, bytes_of(row->previous));
    event_set(e, &e->host_path, bytes_of(row->host_path));
    event_set(e, &e->previous_host_path, bytes_of(row->previous_host_path));
    if (row->operation == OPERATION_CHMOD) {
        e->before = (struct file_state){ .known = FILE_MODE, .mode = 040755 };
        e->after = (struct file_state){ .known = FILE_MODE, .mode = 040700 };
    }
    assert_int_equal(store_open(&options, &store, &err), 0);
    assert_int_equal(store_add_event(store, e), 0);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(compare_record(store, &query, &compare_options, &summary, &err), 0);
    assert_string_equal(sbuf_str(&out), row->says);
    store_close(store);
    event_free(e);
    container_unref(victim);
}

int main(void)
{
    char command[128];
    int failed;

    if (!mkdtemp(base) || chdir(base) < 0)
        return 99;
    failed = RUN_ROWS(rows, is_found);
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command) ? 98 : failed;
}
