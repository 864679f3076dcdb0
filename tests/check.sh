#!/bin/bash
# SPDX-License-Identifier: MIT
# Every test: what needs nothing first, then the real kernel, then other kernels. Ends with what failed, what was not
# run, and a plain line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
ROOT=$PWD
. tests/steps.sh
trap clear_up EXIT
trap 'exit 130' INT TERM

# what needs compilers and no result of a test
more_builds() {
    build build-asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all &&
        tests/fuzz/run.sh --build
}

sanitized() {
    step "unit, sanitized" unit build-asan
    step "who and import from logs, sanitized" python3 tests/search/who_import.py "$ROOT/build-asan/culprit"
    step "logs of other machines, sanitized" python3 tests/search/foreign.py "$ROOT/build-asan/culprit"
    ROTATE=$(rotation) step "fuzz" tests/fuzz/run.sh "${FUZZ_SECONDS:-22}"
}

step "build, warnings are errors" build build -Dwerror=true
step "what failed is listed" tests/steps_test.sh
step "layers" tests/check_layers.sh
step "what the packages are built with" tests/package_deps.sh
step "hardening of the program" tests/hardening.sh "$ROOT/build/culprit"
step "the unit" tests/cli/unit.sh
step "unit" unit build
# what follows reads logs and has no deadline
beside "build with sanitizers, and for fuzzing" more_builds
SHOW=1 step "search" python3 tests/search/search.py "$ROOT/build/culprit"
step "who and import from logs" python3 tests/search/who_import.py "$ROOT/build/culprit"
step "logs of other machines" python3 tests/search/foreign.py "$ROOT/build/culprit"
SHOW=1 step "search beside ausearch" python3 tests/search/differential.py "$ROOT/build/culprit" 2000
if [ "$(id -u)" != 0 ]; then
    echo "check: not root: the tests on the real kernel cannot run" >&2
    fail 1
    joined "build with sanitizers, and for fuzzing"
    sanitized
else
    [ -x tests/cli/run.sh ] && step "command line" tests/cli/run.sh "$ROOT/build/culprit"
    joined "build with sanitizers, and for fuzzing" # nothing beside what has to be seen in time
    step "exit statuses, filters, CI" tests/cli/observe.sh "$ROOT/build/culprit"
    # the sets that auto takes where bpf is refused; audit alone is what old kernels have
    SHOW=1 step "scenarios on this kernel" tests/scenario/run.sh "$ROOT/build/culprit" -s fanotify,fanotify+audit
    sanitized
    SHOW=1 step "the essential ones by audit alone" tests/scenario/run.sh "$ROOT/build/culprit" -s audit --few here
    step "which sensors auto takes" tests/scenario/auto.sh "$ROOT/build/culprit"
    SHOW=1 step "beside strace, short" tests/oracle/run.sh "$ROOT/build/culprit" -s fanotify,audit \
        -w git,sed-perl,acl-xattr,rsync,dpkg,storm,folders
    SHOW=1 step "beside strace, culprit is late" tests/oracle/run.sh "$ROOT/build/culprit" -s fanotify,audit --late -w git,locked-edit,replaces,folders
    SHOW=1 step "beside strace, culprit looks afterwards" tests/oracle/run.sh "$ROOT/build/culprit" -s fanotify --held -w exchanged,remade
    SHOW=1 step "situations" tests/situations/run.py "$ROOT/build/culprit"
    SHOW=1 step "short-lived actors" bench/actors.py "$ROOT/build" 1000 fanotify fanotify,audit
    step "the daemon" python3 -B tests/scenario/daemon.py "$ROOT/build/culprit"
    step "the daemon judges" python3 -B tests/scenario/alert.py "$ROOT/build/culprit"
    step "where alerts go" python3 -B tests/scenario/sinks.py "$ROOT/build/culprit"
    SHOW=1 step "alerts arrive at the real ones" python3 -B tests/scenario/receivers.py "$ROOT/build/culprit"
    step "the daemon is asked" python3 -B tests/scenario/control.py "$ROOT/build/culprit"
    step "containers ask to be watched" python3 -B tests/scenario/labels.py "$ROOT/build/culprit"
    step "the daemon observes for others" python3 -B tests/scenario/attach.py "$ROOT/build/culprit"
    step "containers come and go at the start" tests/scenario/begin.sh "$ROOT/build/culprit"
    step "nothing is left behind" tests/scenario/left.sh "$ROOT/build/culprit"
    step "somebody deletes the rules" tests/scenario/disturbed.sh "$ROOT/build/culprit"
    step "the same, sanitized" tests/scenario/disturbed.sh "$ROOT/build-asan/culprit"
    SHOW=1 step "the end of a storm" tests/scenario/end.sh "$ROOT/build/culprit"
    step "the story from a log" tests/scenario/log.sh "$ROOT/build/culprit"
    SHOW=1 step "rules" tests/scenario/rules.sh "$ROOT/build/culprit"
    step "asked for by any name" tests/scenario/asked.sh "$ROOT/build/culprit"
    step "clues of what nobody watched" python3 -B tests/scenario/clues.py "$ROOT/build/culprit"
    step "diff, hostile containers" tests/scenario/diff.sh "$ROOT/build/culprit"
    step "guard" tests/scenario/guard.sh "$ROOT/build/culprit"
    step "restore, hostile owners, 300 histories" tests/scenario/restore.sh "$ROOT/build/culprit"
    for sensor in fanotify audit; do
        SHOW=1 step "the first moment after 20 restarts, $sensor" tests/scenario/restarts.sh "$ROOT/build/culprit" -n 20 -s $sensor
    done
    SHOW=1 step "the store: many users, trouble, kill -9" tests/scenario/store.sh "$ROOT/build/culprit" -s fanotify,audit
    step "nobody reads what is printed" python3 -B tests/scenario/unread.py "$ROOT/build/culprit"
    step "hostile files" tests/scenario/foreign.sh "$ROOT/build/culprit"
    step "privileges" tests/scenario/privileges.sh "$ROOT/build/culprit"
    SHOW=1 step "the story" tests/scenario/story.sh "$ROOT/build/culprit"
    SHOW=1 step "the story on each engine" tests/scenario/stories.sh "$ROOT/build/culprit"
    SHOW=1 step "situations under systemd" tests/vm/systemd.sh "$ROOT/build/culprit"
    for kind in deb rpm install; do
        step "packages, $kind" tests/package.sh $kind "$ROOT/build"
    done
    # last, for what time is left: all is to end within 40 minutes, where the machine is quick enough for that
    budget=$((2280 - SECONDS))
    [ $budget -le 1480 ] || budget=1480
    [ $budget -ge 240 ] || budget=240
    ROTATE=$(rotation) BUDGET=$budget SHOW=1 step "virtual machines" tests/vm/run.sh --quick "$ROOT/build/culprit"
fi
summary
