/* SPDX-License-Identifier: MIT */
/*
 * `doctor TARGET`: prove it end to end. In a scratch directory beside the target one change of each
 * kind is made, by every access path that leads there, and the content of every event that comes out is
 * compared with what was done. A check that only asks "did something arrive" proves nothing.
 */
#pragma once

#include "daemon/pipeline.h"
#include "daemon/proof.h"

struct selftest_result {
    unsigned right, declared, wrong;
};

struct selftest_report {
    void *data;
    /* access_path: "host", "inside", "/proc/PID/root", "merged", "upper"; change: "unlink"; text: what is
     * wrong, in our words, "" if right. */
    void (*line)(void *data, const char *access_path, const char *change, enum proof_outcome outcome,
                 const char *text);
};

/*
 * options: sensors, log, state_dir and docker_socket are taken from it
 * target:  borrowed
 * Leaves nothing behind. Takes about a second for each access path.
 */
int selftest_run(const struct pipeline_options *options, const struct target *target,
                 const struct selftest_report *report, struct selftest_result *ret,
                 struct err *err);
