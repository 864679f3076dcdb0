#!/bin/bash
# SPDX-License-Identifier: MIT
# fanotify.sh BUILD [PAIRS] [ROUNDS]: what watching with fanotify costs, as root: creat and unlink of one
# name in a watched and in an unwatched directory of the same file system, beside auditd and fatrace; a
# million pairs, seen and lost adding up; a tree of 100,000 directories. Ratios of one run, medians.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
PAIRS=${2:-100000}
ROUNDS=${3:-3}
MILLION=${MILLION:-1000000}
CULPRIT=$BUILD/culprit
ACT=$BUILD/tests/actors/act
ninja -C "$BUILD" culprit tests/actors/act > /dev/null || exit 2
WORK=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
exec 8> /run/culprit-test-audit.lock
flock 8
mkdir "$WORK/fs"
mount -t tmpfs tmpfs "$WORK/fs"
mkdir "$WORK/fs/w" "$WORK/fs/elsewhere"
others=()
cleanup() {
    local pid
    for pid in "${others[@]}"; do kill "$pid" 2> /dev/null; done
    auditctl -D > /dev/null 2>&1
    auditctl -e 0 > /dev/null 2>&1
    umount -l "$WORK/fs" 2> /dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT

nanoseconds() { # FOLDER [PAIRS]: of one pair of the storm
    local t0 t1 n=${2:-$PAIRS}
    t0=$(date +%s%N)
    "$ACT" storm "$WORK/fs/$1/f" "$n" > /dev/null
    t1=$(date +%s%N)
    echo $(((t1 - t0) / n))
}

median() { sort -n | sed -n "$(((ROUNDS + 1) / 2))p"; }

wait_for() { # FILE TEXT
    local i
    for ((i = 0; i < 1200; i++)); do grep -q "$2" "$1" 2> /dev/null && return 0; sleep 0.05; done
    echo "bench: no \"$2\" in $1" >&2
    return 1
}

start() { # FOLDER [options]
    local folder=$1
    shift
    rm -f "$WORK"/store.db*
    : > "$WORK/err" # else the ready line of the round before is found
    "$CULPRIT" watch --sensor fanotify --store "$WORK/store.db" "$@" "$folder" > /dev/null 2> "$WORK/err" &
    pid=$!
    others+=("$pid")
    wait_for "$WORK/err" "culprit: ready"
}

stop() {
    kill -INT "$pid"
    wait "$pid"
}

with_culprit() {
    start "$WORK/fs/w" || return
    nanoseconds w >> "$WORK/t_watched"
    nanoseconds elsewhere >> "$WORK/t_elsewhere"
    stop
}

with_fatrace() {
    command -v fatrace > /dev/null || return
    (cd "$WORK/fs/w" && exec fatrace -c -f CD+W -o "$WORK/fatrace") 2> /dev/null &
    local fatrace=$!
    others+=("$fatrace")
    sleep 0.5
    nanoseconds w >> "$WORK/t_fatrace"
    kill "$fatrace"; wait "$fatrace" 2> /dev/null
}

with_auditd() {
    mkdir -p "$WORK/etc/plugins.d" "$WORK/log"
    printf 'log_file = %s/log/audit.log\nlog_format = RAW\nflush = INCREMENTAL_ASYNC\nfreq = 50\nmax_log_file = 500\nnum_logs = 2\nmax_log_file_action = ROTATE\nspace_left = 75\nspace_left_action = IGNORE\nadmin_space_left = 50\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' \
        "$WORK" > "$WORK/etc/auditd.conf"
    auditd -n -c "$WORK/etc" > "$WORK/auditd" 2>&1 &
    local auditd=$! i
    others+=("$auditd")
    for ((i = 0; i < 100; i++)); do [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$auditd" ] && break; sleep 0.05; done
    auditctl -e 1 -b 16384 > /dev/null
    auditctl -w "$WORK/fs/w" -p wa -k bench > /dev/null
    nanoseconds w >> "$WORK/t_auditd"
    auditctl -D > /dev/null
    kill "$auditd"; wait "$auditd" 2> /dev/null
    auditctl -e 0 > /dev/null
    rm -rf "$WORK/log"
}

for ((r = 0; r < ROUNDS; r++)); do
    nanoseconds w >> "$WORK/bare"
    with_culprit
    with_fatrace
    with_auditd
done

start "$WORK/fs/w" || exit 1
nanoseconds w "$MILLION" > "$WORK/t_million"
memory=$(awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$pid/status")
t0=$(date +%s%N)
stop
behind=$((($(date +%s%N) - t0) / 1000000))
failed=0
counts=$(python3 bench/counts.py "$WORK/store.db" $((MILLION * 2))) || failed=1

mkdir "$WORK/fs/tree"
python3 -c "
import os
for a in range(100):
    for b in range(1000):
        os.makedirs('$WORK/fs/tree/a%d/b%d' % (a, b))"
for ((r = 0; r < ROUNDS; r++)); do
    t0=$(date +%s%N)
    start "$WORK/fs/tree" --no-store || exit 1
    echo $((($(date +%s%N) - t0) / 1000000)) >> "$WORK/t_ready"
    sleep 3
    awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$pid/status" >> "$WORK/tree_memory"
    stop
done

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
row() { printf '%-52s %14s   %s\n' "$@"; }
time_row() { # NAME FILE [MORE]
    local ns
    [ -s "$2" ] || return
    ns=$(median < "$2")
    row "$1" "$((ns / 1000)).$((ns % 1000 / 100)) µs" "$(ratio "$ns" "$bare") times bare${3:+ ($3)}"
}
bare=$(median < "$WORK/bare")
echo "culprit with fanotify, $(uname -r), $(nproc) processors, $PAIRS pairs, medians of $ROUNDS"
time_row "a pair of creat and unlink, bare" "$WORK/bare"
time_row "  watched: culprit, decoding and storing" "$WORK/t_watched" "wanted: 2"
time_row "  another directory of the file system" "$WORK/t_elsewhere" "wanted: 1.02"
time_row "  fatrace, creations, deletions, writes" "$WORK/t_fatrace"
time_row "  auditd with the same watch" "$WORK/t_auditd"
row "$MILLION pairs" "" "$counts; $(ratio "$(cat "$WORK/t_million")" "$bare") times bare"
row "  what was behind at the end" "$behind ms" "until the verdict"
row "  memory at its highest" "$memory MB" ""
row "ready on a tree of 100,000 directories" "$(median < "$WORK/t_ready") ms" "wanted: 2000"
row "  memory at its highest" "$(median < "$WORK/tree_memory") MB" "wanted: 60"
[ "$failed" = 0 ] || echo "FAILED: told twice, or neither told nor counted as lost"
exit "$failed"
