#!/bin/bash
# SPDX-License-Identifier: MIT
# begin.sh CULPRIT: containers come and go while culprit starts.
set -u
CULPRIT=$(readlink -f "$1")
WORK=$(mktemp -d /tmp/culprit-begin.XXXXXX)
STATE=/run/runc
[ -d $STATE ] || MADE=1
mkdir -p $STATE "$WORK/w" "$WORK/made"
trap 'kill $LOOP 2> /dev/null; wait $LOOP 2> /dev/null; rm -rf "$WORK" $STATE/culprit-begin.*; [ -z "${MADE:-}" ] || rmdir $STATE 2> /dev/null' EXIT

# what a runtime leaves of a container whose process is gone
while :; do
    for i in 1 2 3 4 5 6 7 8; do
        mkdir "$STATE/culprit-begin.$i"
        printf '{"id":"culprit-begin.%d","init_process_pid":0,"init_process_start":0,"created":"2026-01-01T00:00:00Z","config":{"labels":["bundle=/nowhere"],"rootfs":"/nowhere"}}' $i \
            > "$STATE/culprit-begin.$i/state.json"
    done
    rm -rf $STATE/culprit-begin.*
done &
LOOP=$!

passed=0 failed=0
for i in $(seq 20); do
    "$CULPRIT" watch --sensor fanotify --no-store --for 1ms "$WORK/w" > /dev/null 2> "$WORK/err"
    code=$?
    if [ $code -eq 1 ] && grep -q 'culprit: ready' "$WORK/err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "WRONG: start $i ended with $code: $(tail -1 "$WORK/err")"
    fi
done
[ $failed -eq 0 ] && echo "right: $passed starts while containers came and went"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
