/* SPDX-License-Identifier: MIT */
/* The input is what is stored already, then a segment of a spool; hashes are not asked for. What it has is put into a store. */
#include <sqlite3.h>
#include <stdlib.h>

#include "event/event.h"
#include "fuzz.h"
#include "store/message.h"
#include "store/schema.h"
#include "store/spool_format.h"
#include "store/writer.h"

#define INPUTS_MAX 500 /* for one store: it grows */

static sqlite3 *db;
static struct writer *writer;
static unsigned inputs;

static void renew(void)
{
    writer_free(writer);
    sqlite3_close(db);
    db = NULL;
    writer = NULL;
    inputs = 0;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || schema_migrate(db, "fuzz", NULL) < 0 || writer_new(db, "fuzz", &writer, NULL) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spool_segment segment;
    struct spool_numbers stored = { 0 };
    struct spool_head head;
    struct err err = ERR_INIT;
    int r;

    (void)spool_read_head((struct bytes){ (const char *)data, size }, &head);
    if (size < 2)
        return 0;
    stored.at[SPOOL_EVENTS] = data[0];
    stored.at[SPOOL_OTHERS] = data[1];
    if (spool_read_segment((struct bytes){ (const char *)data + 2, size - 2 }, &stored, &segment) < 0)
        return 0;
    if (!writer || inputs++ == INPUTS_MAX)
        renew();
    r = writer_write(writer, sbuf_bytes(&segment.messages), segment.seen_ns, 1, &segment.last, &err);
    if (r < 0 && !err.text[0])
        abort();
    sbuf_done(&segment.messages);
    return 0;
}
