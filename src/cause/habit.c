/* SPDX-License-Identifier: MIT */
#include "cause/habit.h"

#include "cause/chain.h"
#include "cause/one_off.h"

/* Named well enough by itself: what started it may be found one time and not the other. */
static bool is_named(enum run_kind kind)
{
    return kind != RUN_PROGRAM && kind != RUN_COMMAND && kind != RUN_TEXT && kind != RUN_INPUT && kind != RUN_BUILTIN;
}

/* The launcher's name is that of a container which has another one each time. */
static bool is_own_name(const struct cause *cause)
{
    return cause->image.len && cause->launcher.kind == LAUNCHER_ENTRY_POINT;
}

struct fingerprint cause_find_habit(const struct event *e)
{
    const struct cause *cause = &e->cause;
    const struct credentials *cred = actor_credentials(&e->actor);
    bool named = is_named(cause->run.kind);
    struct fingerprint_maker of;

    if (cause->run.kind == RUN_UNKNOWN || (!named && cause->launcher.kind == LAUNCHER_UNKNOWN) || !cred->known || !e->actor.process ||
        e->actor_presumed || e->share || event_note_is_doubt(e))
        return (struct fingerprint){ 0 };
    fingerprint_begin(&of);
    fingerprint_add_word(&of, cause->run.kind);
    fingerprint_add_word(&of, cause->run.claimed);
    cause_add_lasting_words(&of, cause->run.name);
    cause_add_lasting_words(&of, cause->run.directory);
    cause_add_lasting_words(&of, cause->run.text);
    if (cause->run.file.len) /* "make -f other.mk" */
        cause_add_lasting_words(&of, cause->run.file);
    if (cause->run.kind == RUN_TARGET && !cause->run.name.len)
        fingerprint_add(&of, cause->run.interpreter);
    fingerprint_add(&of, e->node);
    fingerprint_add_word(&of, cred->uid);
    cause_add_origin(&of, e->actor.process, one_off_image_name(cause->image));
    fingerprint_add_word(&of, named ? LAUNCHER_UNKNOWN : cause->launcher.kind);
    cause_add_lasting_words(&of, named ? BYTES_NULL : is_own_name(cause) ? cause_job_of(cause->launcher.process) : cause->launcher.name);
    return fingerprint_end(&of);
}
