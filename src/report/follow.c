/* SPDX-License-Identifier: MIT */
#include "report/follow.h"

/*
 * What becomes of files: by their names through creations, moves and deletions. A change to a file that its
 * culprit has made waits in the file's trace: only what becomes of the file says as what it counts (a
 * temporary file, the new content of another one, something that stays). Each event is counted once.
 */
#include "event/sentence.h"
#include "report/follow_contents.h"
#include "report/follow_names.h"
#include "report/follow_watched.h"
#include "report/trace.h"
#include "util/cleanup.h"

#define LOOKS_EACH 32 /* at traces, for each event: a storm of renamed directories costs no more */
#define LOOKS_MAX (1 << 20)

/* Of a folder above what is watched: the file's own traces stay where they are. */
static void carried(const struct step *step)
{
    const struct event *e = step->e;
    bool came = e->operation == OPERATION_RENAME && !bytes_path_covers(e->previous_path, e->carried);
    struct tally *t = step_tally(step, came ? VARIANT_BROUGHT : VARIANT_CARRIED);

    if (!step->counted)
        return;
    if (t && !t->above.len) {
        _cleanup_sbuf_ struct sbuf words = SBUF_INIT, meaning = SBUF_INIT;

        sentence_above(&words, e);
        sentence_carried(&meaning, e);
        t->above = arena_copy(&step->c->arena, sbuf_bytes(&words));
        t->carried = arena_copy(&step->c->arena, sbuf_bytes(&meaning));
    }
    step_count_in(step->c, t, e, e->previous_path.len ? e->previous_path : e->path, e->operation == OPERATION_RENAME ? e->path : BYTES_NULL);
}

void follow_event(struct case_ *c, struct culprit *s, const struct event *e, bool counted)
{
    const struct step step = { c, s, e, counted };

    trace_make_room(c);
    c->looks = MIN(c->looks + LOOKS_EACH, LOOKS_MAX);
    if (e->carried.len && e->error == 0)
        carried(&step);
    else if (e->error != 0 || !e->path.len)
        step_count(&step, watched_is_left_unseen(e) ? VARIANT_AWAY : VARIANT_PLAIN,
                  e->operation == OPERATION_RENAME && e->previous_path.len ? e->previous_path : e->path,
                  e->operation == OPERATION_RENAME ? e->path : BYTES_NULL);
    else if (trace_is_creation(e->operation))
        follow_created(&step);
    else if (e->operation == OPERATION_UNLINK || e->operation == OPERATION_RMDIR)
        follow_deleted(&step);
    else if (e->operation == OPERATION_REPLACE)
        follow_replaced(&step);
    else if (e->operation == OPERATION_RENAME && !bytes_equal(e->previous_path, e->path))
        follow_renamed(&step);
    else
        follow_changed(&step); /* also a rename onto itself: nothing moved */
}
