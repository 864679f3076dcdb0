#!/bin/bash
# SPDX-License-Identifier: MIT
# sensors.sh BUILD [PAIRS] [ROUNDS]: what each set of sensors costs who changes files in the watched directory, who does so
# elsewhere on its file system, and who changes nothing, as root. Ratios of one run, medians of ROUNDS, each set after the
# other in every round. Fails where a set did not tell every change, or where its price is of another order than the manual says.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
PAIRS=${2:-20000}
ROUNDS=${3:-5}
CALLS=$((PAIRS * 50))
CULPRIT=$BUILD/culprit
ACT=$BUILD/tests/actors/act
ninja -C "$BUILD" culprit tests/actors/act bench/calls > /dev/null || exit 2
WORK=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
exec 8> /run/culprit-test-audit.lock
flock 8
mkdir "$WORK/fs"
mount -t tmpfs tmpfs "$WORK/fs"
mkdir "$WORK/fs/w" "$WORK/fs/elsewhere"
pid=
cleanup() {
    [ -z "$pid" ] || { kill -INT "$pid" 2> /dev/null && wait "$pid"; }
    umount -l "$WORK/fs" 2> /dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT

middle() { # FILE: its median
    sort -n "$1" > "$1.sorted"
    sed -n "$(((ROUNDS + 1) / 2))p" "$1.sorted"
}

picoseconds() { # N COMMAND...: of one of N
    local t0 t1 n=$1
    shift
    t0=$(date +%s%N)
    "$@" > /dev/null || echo "bench: $1 failed" >&2
    t1=$(date +%s%N)
    echo $(((t1 - t0) * 1000 / n))
}

measure() { # SET
    picoseconds "$PAIRS" "$ACT" storm "$WORK/fs/w/f" "$PAIRS" >> "$WORK/$1.here"
    picoseconds "$PAIRS" "$ACT" storm "$WORK/fs/elsewhere/f" "$PAIRS" >> "$WORK/$1.elsewhere"
    picoseconds "$CALLS" "$BUILD/bench/calls" getppid "$CALLS" >> "$WORK/$1.getppid"
    picoseconds "$((CALLS / 10))" "$BUILD/bench/calls" open "$((CALLS / 10))" >> "$WORK/$1.open"
}

failed=0
complain() { echo "FAILED: $*"; failed=1; }

with() { # SET LIST: culprit watches with LIST; every change is to be told, or to be counted as lost
    local i told lost
    rm -f "$WORK"/db*
    : > "$WORK/err"
    "$CULPRIT" watch --sensor "$2" --store "$WORK/db" "$WORK/fs/w" > /dev/null 2> "$WORK/err" 8>&- &
    pid=$!
    for ((i = 0; i < 600; i++)); do grep -q "culprit: ready" "$WORK/err" && break; sleep 0.05; done
    grep -q "culprit: ready" "$WORK/err" || { complain "$1 did not get ready: $(cat "$WORK/err")"; return; }
    measure "$1"
    kill -INT "$pid"
    wait "$pid"
    pid=
    read -r told lost < <(python3 -c "
import sqlite3
db = sqlite3.connect('$WORK/db')
print(db.execute('SELECT ifnull(sum(count), 0) FROM rollup WHERE place = 0').fetchone()[0], db.execute('SELECT count(*) FROM gap').fetchone()[0])")
    [ "$told" = $((PAIRS * 2)) ] || [ "$lost" != 0 ] || complain "$1 told $told of $((PAIRS * 2)) changes, and lost none"
    [ "$told" -le $((PAIRS * 2)) ] || complain "$1 told $told of $((PAIRS * 2)) changes"
}

sets=(bare)
works=" $("$CULPRIT" doctor --format json | jq -r 'select(.sensors) | .sensors[] | select(.works) | .name' | tr '\n' ' ')"
for set in bpf fanotify audit; do [[ $works == *" $set "* ]] && sets+=("$set"); done
[[ $works == *" fanotify "*audit* ]] && sets+=(fanotify,audit)
for ((r = 0; r < ROUNDS; r++)); do
    for set in "${sets[@]}"; do
        if [ "$set" = bare ]; then measure bare; else with "$set" "$set"; fi
    done
done

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
at_most() { # WHAT SET RATIO LIMIT
    awk -v a="$3" -v b="$4" 'BEGIN {exit !(a <= b)}' || complain "$2: $1 cost $3 times as much, the manual says about $4 at most"
}
declare -A bare
echo "sensors, $(uname -r), $(nproc) processors, $PAIRS pairs of creat and unlink, $CALLS calls, medians of $ROUNDS: times bare"
printf '%-18s %12s %12s %12s %12s\n' "" "change here" "elsewhere" "getppid" "open+close"
for set in "${sets[@]}"; do
    printf '%-18s' "$set"
    for what in here elsewhere getppid open; do
        [ -s "$WORK/$set.$what" ] || { printf ' %12s' -; continue; }
        value=$(middle "$WORK/$set.$what")
        if [ "$set" = bare ]; then
            bare[$what]=$value
            printf ' %9d ns' $(((value + 500) / 1000))
        else
            printf ' %12s' "$(ratio "$value" "${bare[$what]}")"
        fi
    done
    echo
done
for set in "${sets[@]:1}"; do
    here=$(ratio "$(middle "$WORK/$set.here")" "${bare[here]}")
    call=$(ratio "$(middle "$WORK/$set.getppid")" "${bare[getppid]}")
    case $set in
    fanotify | bpf) at_most "a change" "$set" "$here" 6; at_most "a call of no concern" "$set" "$call" 1.5 ;;
    *) at_most "a change" "$set" "$here" 40; at_most "a call of no concern" "$set" "$call" 20 ;;
    esac
done
[ $failed = 0 ] && echo "1 passed, 0 failed" || echo "0 passed, 1 failed"
exit $failed
