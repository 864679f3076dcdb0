/* SPDX-License-Identifier: MIT */
#include "watch/cut.h"

#include <stdlib.h>
#include <string.h>

#include "event/operation.h"
#include "event/syscall_name.h"
#include "util/clock.h"
#include "util/hash.h"

#define PLACES 4096
#define CUT_NS (60 * NS_PER_S) /* from the opening to the close; who keeps a file open for longer, and writes, is seen writing */

struct cut_calls {
    struct {
        uint64_t hash, arrival_ns;
        bool emptied, opened; /* by calls that empty, by others */
    } places[PLACES];
};

struct cut_calls *cut_calls_new(void)
{
    return calloc(1, sizeof(struct cut_calls));
}

void cut_calls_free(struct cut_calls *t)
{
    free(t);
}

static uint64_t key_of(const struct event *e, uint64_t hash)
{
    return hash_word(hash, (uint64_t)e->actor.pid) | 1;
}

static bool is_opening(const struct event *e)
{
    const char *call = event_call_name(e);

    return call && (strncmp(call, "open", 4) == 0 || strcmp(call, "creat") == 0);
}

void cut_calls_note(struct cut_calls *t, const struct event *e, uint64_t hash, uint64_t now_ns)
{
    uint64_t key = key_of(e, hash);
    bool emptied = e->operation == OPERATION_TRUNCATE;

    if (e->error || !(e->sensors & SENSOR_AUDIT) || (!emptied && e->operation != OPERATION_OPEN_WRITE) || !is_opening(e))
        return;
    if (t->places[key % PLACES].hash != key || now_ns - t->places[key % PLACES].arrival_ns > CUT_NS) {
        memset(&t->places[key % PLACES], 0, sizeof(t->places[0]));
        t->places[key % PLACES].hash = key;
    }
    t->places[key % PLACES].arrival_ns = now_ns;
    t->places[key % PLACES].emptied |= emptied;
    t->places[key % PLACES].opened |= !emptied;
}

void cut_calls_decide(const struct cut_calls *t, struct event *e, uint64_t hash, uint64_t now_ns)
{
    uint64_t key = key_of(e, hash);

    if (e->operation != OPERATION_WRITE || !bytes_equal_str(e->note, EVENT_NOTE_CUT) || t->places[key % PLACES].hash != key ||
        now_ns - t->places[key % PLACES].arrival_ns > CUT_NS)
        return;
    if (t->places[key % PLACES].emptied && !t->places[key % PLACES].opened)
        e->note = BYTES_NULL;
}
