#!/bin/bash
# SPDX-License-Identifier: MIT
# bounds.sh BUILD [SECONDS]: what a watch takes of a great tree, and in the long run, as root; exit status 1 if it is
# more than is promised. SECONDS (600) of CHANGES (1200) and PROGRAMS (400) a second, as many as an hour of a busy machine
# brings: what it has after two fifths of them it must have at the end, but for 300 kB. The machine is not alone: time is
# the processor's, that of the clock stands beside it. Where find(1), which looks at the same tree just before, takes more
# than half of what is promised, system calls are slow there, and at most twice find's time counts. TREES=0: the long run only.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
SECONDS_LONG=${2:-600}
MINUTE=65 # of what a watch has at a time the least counts: so often it gives back to the kernel what a burst has left
[[ $SECONDS_LONG =~ ^[0-9]+$ ]] && { [ "$SECONDS_LONG" = 0 ] || [ "$SECONDS_LONG" -ge $((MINUTE * 5 / 2)) ]; } ||
    { echo "bounds.sh: SECONDS is 0 or at least $((MINUTE * 5 / 2))" >&2; exit 2; }
CHANGES=${CHANGES:-1200} PROGRAMS=${PROGRAMS:-400}
SENSORS=${SENSORS:-fanotify audit fanotify,audit}
CULPRIT=$BUILD/culprit
ninja -C "$BUILD" culprit bench/churn > /dev/null || exit 2
WORK=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
exec 8> /run/culprit-test-audit.lock
flock 8
mkdir "$WORK/fs"
mount -t tmpfs -o nr_inodes=2m tmpfs "$WORK/fs" || exit 2
pid=
failed=0
cleanup() {
    [ -n "$pid" ] && kill "$pid" 2> /dev/null && wait "$pid"
    umount -l "$WORK/fs" 2> /dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT

start() { # SENSOR FOLDER [options]: ready, and $ready_ms
    local sensor=$1 folder=$2 t0 i
    shift 2
    : > "$WORK/err"
    t0=$(date +%s%N)
    "$CULPRIT" watch --sensor "$sensor" "$@" "$folder" > /dev/null 2> "$WORK/err" &
    pid=$!
    for ((i = 0; i < 6000; i++)); do
        grep -q "culprit: ready" "$WORK/err" && break
        kill -0 "$pid" 2> /dev/null || { cat "$WORK/err" >&2; exit 2; }
        sleep 0.02
    done
    ready_ms=$((($(date +%s%N) - t0) / 1000000))
}

stop() {
    kill -INT "$pid"
    wait "$pid"
    pid=
}

memory() { awk -v what="$1" '$1 == what ":" {print $2}' "/proc/$pid/status"; } # kB

# Its own memory, the least of a minute.
settled() {
    local i least= now
    for ((i = 0; i < MINUTE; i++)); do
        now=$(memory RssAnon)
        [ -n "$least" ] && [ "$least" -le "$now" ] || least=$now
        sleep 1
    done
    echo "$least"
}
cpu_ms() { awk '{print ($14 + $15) * 10}' "/proc/$pid/stat"; }

row() { # NAME VALUE LIMIT UNIT [MORE]
    local verdict=ok
    [ "$2" -le "$3" ] || { verdict=TOO-MUCH; failed=1; }
    printf '%-52s %8s %-3s of at most %6s   %-8s %s\n' "$1" "$2" "$4" "$3" "$verdict" "${5:-}"
}

# Milliseconds of the processor that find takes to look at all of FOLDER.
find_ms() { # FOLDER
    local TIMEFORMAT='%3U %3S'
    { time find "$1" -size +1G > /dev/null; } 2>&1 | awk '{printf "%d", ($1 + $2) * 1000}'
}

tree() { # SENSOR FOLDER MEGABYTES MILLISECONDS
    local by_find limit=$4
    by_find=$(find_ms "$WORK/fs/$2")
    [ $((by_find * 2)) -le "$limit" ] || limit=$((by_find * 2))
    start "$1" "$WORK/fs/$2" --no-store
    row "$1, $2: ready, processor" "$(cpu_ms)" "$limit" ms "promised $4, find took $by_find; $ready_ms ms by the clock"
    # fanotify looks at most of the files of a great tree when the watch has begun
    if [[ $1 == fanotify* ]]; then
        for ((i = 0; i < 1200; i++)); do grep -q "have been looked at$" "$WORK/err" && break; sleep 0.1; done
    fi
    row "$1, $2: resident" "$(($(memory VmRSS) / 1024))" "$3" MB "$(($(memory VmHWM) / 1024)) MB at its highest"
    stop
}

long() { # SENSOR
    mkdir -p "$WORK/fs/churn"
    rm -f "$WORK"/store.db*
    start "$1" "$WORK/fs/churn" --store "$WORK/store.db"
    "$BUILD/bench/churn" "$WORK/fs/churn" "$CHANGES" "$PROGRAMS" "$SECONDS_LONG" > "$WORK/churn" &
    local churn=$! before now
    sleep $((SECONDS_LONG * 2 / 5 - MINUTE))
    before=$(settled)
    sleep $((SECONDS_LONG * 3 / 5 - MINUTE - 5))
    now=$(settled)
    wait "$churn"
    row "$1, $SECONDS_LONG s at $CHANGES changes and $PROGRAMS programs/s" "$((now - before))" 300 kB \
        "more than after two fifths, of its own; $((now / 1024)) of $(($(memory VmRSS) / 1024)) MB, $(cat "$WORK/churn")"
    stop
}

[ "${TREES:-1}" = 0 ] || python3 - "$WORK/fs" << 'END'
import os, sys
os.chdir(sys.argv[1])
os.mkdir("files")
for i in range(1000000):
    os.close(os.open("files/name-%08d" % i, os.O_CREAT | os.O_WRONLY, 0o644))
for a in range(300):
    for b in range(1000):
        os.makedirs("directories/a%d/b%d" % (a, b))
END
echo "culprit, $(uname -r), $(nproc) processors: a million files in one directory, 300,000 directories"
for sensor in $SENSORS; do
    [ "${TREES:-1}" = 0 ] || { tree "$sensor" files 60 6000; tree "$sensor" directories 40 5000; }
    [ "$SECONDS_LONG" -gt 0 ] && long "$sensor"
done
exit $failed
