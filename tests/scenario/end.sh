#!/bin/bash
# SPDX-License-Identifier: MIT
# end.sh CULPRIT: stopped at once after a storm, culprit has reported every change or counted it as lost,
# however much was waiting in the kernel.
set -u
CULPRIT=$(readlink -f "$1")
ACT=$(dirname "$CULPRIT")/tests/actors/act
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/var/tmp}/culprit-end.XXXXXX")
exec 8> /run/culprit-test-audit.lock
flock 8
passed=0 failed=0 PID=
trap 'kill -9 $PID 2> /dev/null; umount -l "$WORK/w" 2> /dev/null; rm -rf "$WORK"' EXIT
mkdir "$WORK/w"
mount -t tmpfs tmpfs "$WORK/w"

storm() { # storm SENSOR PAIRS
    local sensor=$1 pairs=$2 i sum
    rm -f "$WORK"/db*
    : > "$WORK/err"
    "$CULPRIT" watch --sensor "$sensor" --store "$WORK/db" "$WORK/w" > "$WORK/out" 2> "$WORK/err" 8>&- &
    PID=$!
    for ((i = 0; i < 4800; i++)); do
        grep -q 'culprit: ready' "$WORK/err" && break
        sleep 0.05
    done
    "$ACT" storm "$WORK/w/f" "$pairs" > /dev/null
    kill -INT "$PID"
    wait "$PID"
    sum=$(python3 - "$WORK/db" << 'PY'
import sqlite3
import sys
db = sqlite3.connect(sys.argv[1])
reported = db.execute("SELECT ifnull(sum(count), 0) FROM rollup WHERE place = 0 AND operation IN (5, 10)").fetchone()[0]
lost, unknown = db.execute("SELECT ifnull(sum(count), 0), ifnull(sum(count = 0), 0) FROM gap").fetchone()
print(reported, lost, unknown)
PY
)
    set -- $sum
    if [ $(($1 + $2)) -ge $((pairs * 2)) ] || [ "$3" != 0 ]; then
        passed=$((passed + 1))
        echo "right: $sensor: $1 of $((pairs * 2)) reported, $2 lost"
    else
        failed=$((failed + 1))
        echo "WRONG: $sensor: $1 of $((pairs * 2)) reported, $2 lost"
        tail -3 "$WORK/err"
    fi
}

for sensor in $("$CULPRIT" doctor --format json | jq -r 'select(.sensors) | .sensors[] | select(.works) | .name'); do
    case $sensor in
    audit) storm audit 50000 ;;
    *) storm "$sensor" 1000000 ;;
    esac
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
