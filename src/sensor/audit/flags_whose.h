/* SPDX-License-Identifier: MIT */
/*
 * Whose of several calls changed which file's flags: calls of which only the time is known, and files that were found changed. Pure.
 *
 * A call is named where the facts leave no other process's: its stamp is not after the change, the change was not made after the call
 * had ended, and the call did not change another file. What they leave to two processes is nobody's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum flags_call_use {
    FLAGS_CALL_FREE,  /* it changed none of these files, as far as is known */
    FLAGS_CALL_TAKEN, /* one by its process: by this call, or by another one of the same process */
    FLAGS_CALL_USED,  /* one, and so none of the others */
};

struct flags_call {
    uint64_t time_ms, serial; /* CLOCK_REALTIME, of the last timer tick; the record's */
    int64_t read_ns;          /* CLOCK_REALTIME: its record was read then, so it had ended */
    pid_t pid;
    uint64_t number, looked;  /* calls and what was found are numbered as they come. looked: the last of these when all files had been looked
                                 at since it ended, so that none that is found later is its own; 0: they were not */
    enum flags_call_use use, kept; /* kept: the use that is certain, since it was reported */
};

struct flags_change {
    int64_t ctime_ns;  /* CLOCK_REALTIME */
    bool is_of_flags;  /* nothing else of the file differs: it is the time of that change. Else it was changed then, or before */
    uint64_t found;    /* its number */
    struct flags_call *by; /* NULL: whose it is does not follow */
};

/* May that call have made it? Whoever calls can be kept waiting between the call's stamp and the change. */
bool audit_flags_may_be_by(const struct flags_change *change, const struct flags_call *call);

/* Sets `by` of each change, which is NULL before, and `use` of each call, which is what was certain before. Both in any order. */
void audit_flags_whose(struct flags_change **changes, size_t count, struct flags_call *calls, size_t call_count);
