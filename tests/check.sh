#!/bin/bash
# SPDX-License-Identifier: MIT
# Every test: what needs nothing first; then the real kernel, by two at a time, as most of them wait; other kernels and all that is built
# beside them. What failed is run once more, by itself. Ends with how long each step took, what failed (also what did not fail by itself), what
# was not run, and a plain line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
ROOT=$PWD CULPRIT=$PWD/build/culprit SANITIZED=$PWD/build-asan/culprit
. tests/steps.sh
trap clear_up EXIT
trap 'exit 130' INT TERM

# What waits for nobody and has no deadline.
builds() {
    step "build with sanitizers" build build-asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all
    step "build for fuzzing" tests/fuzz/run.sh --build
    SHOW=1 step "search" python3 tests/search/search.py "$CULPRIT"
    step "who and import from logs" python3 tests/search/who_import.py "$CULPRIT"
    step "logs of other machines" python3 tests/search/foreign.py "$CULPRIT"
    SHOW=1 step "search beside ausearch" python3 tests/search/differential.py "$CULPRIT" 2000
    step "unit, sanitized" unit build-asan
    step "who and import from logs, sanitized" python3 tests/search/who_import.py "$SANITIZED"
    step "logs of other machines, sanitized" python3 tests/search/foreign.py "$SANITIZED"
    ROTATE=$(rotation) step "fuzz" tests/fuzz/run.sh "${FUZZ_SECONDS:-22}"
}

# For what time is left: all is to end within 38 minutes, where the machine is quick enough for that.
kernels() {
    local budget=$((2220 - SECONDS))
    [ $budget -ge 600 ] || budget=600
    ROTATE=$(rotation) BUDGET=$budget SHOW=1 step "virtual machines" tests/vm/run.sh --quick "$CULPRIT"
}

# Audit is one for the whole kernel, and containers of engines have names: each of the two belongs to one test at a time. Who needs both
# takes that of the engines first. Most that use audit take its lock themselves.
with_audit() { flock -o /run/culprit-test-audit.lock "$@"; }
with_engines() { flock -o /run/culprit-test-engines.lock "$@"; }

# By fanotify alone: the engines while the others use audit, then the host while they use the engines.
watchers() {
    local kind
    step "exit statuses, filters, CI" tests/cli/observe.sh "$CULPRIT"
    SHOW=1 step "scenarios of engines by fanotify" tests/scenario/run.sh "$CULPRIT" -s fanotify --engines only
    SHOW=1 step "what is ordinary is no alert" with_engines python3 -B tests/scenario/noise.py "$CULPRIT"
    step "what alerts say beside it" with_engines python3 -B tests/scenario/facts.py "$CULPRIT"
    SHOW=1 step "alerts are in the containers' logs" with_engines python3 -B tests/scenario/container_logs.py "$CULPRIT"
    step "containers ask to be watched" with_engines python3 -B tests/scenario/labels.py "$CULPRIT"
    step "containers come and go at the start" with_engines tests/scenario/begin.sh "$CULPRIT"
    step "asked for by any name" with_engines tests/scenario/asked.sh "$CULPRIT"
    step "clues of what nobody watched" with_engines python3 -B tests/scenario/clues.py "$CULPRIT"
    SHOW=1 step "scenarios of the host by fanotify" tests/scenario/run.sh "$CULPRIT" -s fanotify --engines none
    step "the daemon" python3 -B tests/scenario/daemon.py "$CULPRIT"
    step "the daemon judges" python3 -B tests/scenario/alert.py "$CULPRIT"
    step "where alerts go" python3 -B tests/scenario/sinks.py "$CULPRIT"
    SHOW=1 step "alerts arrive at the real ones" python3 -B tests/scenario/receivers.py "$CULPRIT"
    step "the daemon is asked" python3 -B tests/scenario/control.py "$CULPRIT"
    step "the daemon observes for others" python3 -B tests/scenario/attach.py "$CULPRIT"
    step "the daemon answers members of its group" python3 -B tests/scenario/members.py "$CULPRIT"
    step "nobody reads what is printed" python3 -B tests/scenario/unread.py "$CULPRIT"
    step "restore, from what the host has" python3 -B tests/scenario/restore_host.py "$CULPRIT"
    step "copies of large files, when they change" python3 -B tests/scenario/held.py "$CULPRIT"
    SHOW=1 step "situations" tests/situations/run.py "$CULPRIT"
    for kind in deb rpm install; do
        step "packages, $kind" with_audit tests/package.sh $kind "$ROOT/build" # its daemon takes what it gets
    done
}

# By audit: first what needs no engine.
auditors() {
    local sensor
    # the sets that auto takes where bpf is refused; audit alone is what old kernels have
    SHOW=1 step "scenarios of the host by both" tests/scenario/run.sh "$CULPRIT" -s fanotify+audit --engines none
    SHOW=1 step "the essential ones by audit alone" tests/scenario/run.sh "$CULPRIT" -s audit --few here --engines none
    step "which sensors auto takes" tests/scenario/auto.sh "$CULPRIT"
    SHOW=1 step "beside strace, short" tests/oracle/run.sh "$CULPRIT" -s fanotify,audit \
        -w git,sed-perl,acl-xattr,rsync,dpkg,storm,folders
    SHOW=1 step "beside strace, culprit is late" tests/oracle/run.sh "$CULPRIT" -s fanotify,audit --late -w git,locked-edit,replaces,folders
    SHOW=1 step "beside strace, culprit looks afterwards" tests/oracle/run.sh "$CULPRIT" -s fanotify --held -w exchanged,remade
    SHOW=1 step "beside strace, in an overlay" tests/oracle/run.sh "$CULPRIT" -s fanotify --held -f lower -w layers,exchanged,kept
    SHOW=1 step "short-lived actors" with_audit bench/actors.py "$ROOT/build" 1000 fanotify fanotify,audit
    step "what is done to a culprit" with_audit python3 -B tests/scenario/response.py "$CULPRIT"
    step "somebody deletes the rules" tests/scenario/disturbed.sh "$CULPRIT"
    SHOW=1 step "the end of a storm" tests/scenario/end.sh "$CULPRIT"
    SHOW=1 step "rules" with_audit tests/scenario/rules.sh "$CULPRIT"
    step "privileges" tests/scenario/privileges.sh "$CULPRIT"
    SHOW=1 step "the store: many users, trouble, kill -9" with_audit tests/scenario/store.sh "$CULPRIT" -s fanotify,audit
    step "hostile files" with_audit tests/scenario/foreign.sh "$CULPRIT"
    SHOW=1 step "scenarios of engines by both" tests/scenario/run.sh "$CULPRIT" -s fanotify+audit --engines only
    step "the story from a log" with_engines tests/scenario/log.sh "$CULPRIT"
    step "diff, hostile containers" with_engines tests/scenario/diff.sh "$CULPRIT"
    step "guard" with_engines tests/scenario/guard.sh "$CULPRIT"
    step "restore, hostile owners, 300 histories" with_engines tests/scenario/restore.sh "$CULPRIT"
    for sensor in fanotify audit; do
        SHOW=1 step "the first moment after 20 restarts, $sensor" with_engines tests/scenario/restarts.sh "$CULPRIT" -n 20 -s $sensor
    done
    SHOW=1 step "the story" with_engines tests/scenario/story.sh "$CULPRIT"
    SHOW=1 step "the story on each engine" with_engines tests/scenario/stories.sh "$CULPRIT"
}

step "build, warnings are errors" build build -Dwerror=true
step "what failed is listed" tests/steps_test.sh
step "layers" tests/check_layers.sh
step "what the packages are built with" tests/package_deps.sh
step "hardening of the program" tests/hardening.sh "$CULPRIT"
step "the unit" tests/cli/unit.sh
if [ "$(id -u)" != 0 ]; then
    step "unit" unit build
    builds
    echo "check: not root: the tests on the real kernel cannot run" >&2
    fail 1
else
    beside "builds, logs, fuzzing" builds
    step "unit" unit build
    [ -x tests/cli/run.sh ] && step "command line" tests/cli/run.sh "$CULPRIT"
    # a guard has to be renewed in time, and systemd's jobs are short: each of these guests has a processor
    EQUAL=1 beside "a guest" step "the kernel refuses every way" tests/vm/guard.sh --quick "$CULPRIT"
    SHOW=1 step "situations under systemd" tests/vm/systemd.sh "$CULPRIT"
    joined "a guest"
    NICE=10 beside "guests" kernels
    EQUAL=1 beside "without audit" watchers
    auditors
    joined "without audit"
    joined "builds, logs, fuzzing"
    step "the rules deleted, sanitized" tests/scenario/disturbed.sh "$SANITIZED"
    step "nothing is left behind" tests/scenario/left.sh "$CULPRIT" # looks at all processes and mounts: beside it are guests alone
    joined "guests"
fi
once_more
summary
