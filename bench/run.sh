#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh BUILD [PAIRS] [ROUNDS]: what culprit costs, as root, beside what there is without it. Ratios of
# one run count, and medians of ROUNDS: the machine is not alone.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
PAIRS=${2:-100000}
ROUNDS=${3:-3}
CULPRIT=$BUILD/culprit
ACT=$BUILD/tests/actors/act
ninja -C "$BUILD" culprit tests/actors/act bench/sink bench/fill > /dev/null || exit 2
WORK=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
exec 8> /run/culprit-test-audit.lock
flock 8
mkdir "$WORK/w"
mount -t tmpfs tmpfs "$WORK/w"
cleanup() {
    pkill -P $$ 2> /dev/null
    auditctl -D > /dev/null 2>&1
    auditctl -e 0 > /dev/null 2>&1
    umount -l "$WORK/w" 2> /dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT

nanoseconds() { # of one pair of the storm
    local t0 t1
    t0=$(date +%s%N)
    "$ACT" storm "$WORK/w/f" "$PAIRS" > /dev/null
    t1=$(date +%s%N)
    echo $(((t1 - t0) / PAIRS))
}

median() { sort -n | sed -n "$(((ROUNDS + 1) / 2))p"; }

wait_for() { # FILE TEXT
    local i
    for ((i = 0; i < 400; i++)); do grep -q "$2" "$1" 2> /dev/null && return 0; sleep 0.05; done
    echo "bench: no \"$2\" in $1" >&2
    return 1
}

failed=0
with_sink() {
    : > "$WORK/sink" # else the line of the round before is found
    "$BUILD/bench/sink" > "$WORK/sink" 2>&1 &
    local pid=$!
    wait_for "$WORK/sink" ready || return
    auditctl -w "$WORK/w" -p wa -k bench > /dev/null
    nanoseconds
    kill "$pid"; wait "$pid" 2> /dev/null
    auditctl -D > /dev/null; auditctl -e 0 > /dev/null
}

with_auditd() { # with_auditd FORMAT FLUSH
    mkdir -p "$WORK/etc" "$WORK/log"
    printf 'log_file = %s/log/audit.log\nlog_format = %s\nflush = %s\nfreq = 50\nmax_log_file = 500\nnum_logs = 2\nmax_log_file_action = ROTATE\nspace_left = 75\nspace_left_action = IGNORE\nadmin_space_left = 50\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' \
        "$WORK" "$1" "$2" > "$WORK/etc/auditd.conf"
    : > "$WORK/etc/plugins"; rm -f "$WORK/etc/plugins"; mkdir -p "$WORK/etc/plugins.d"
    auditd -n -c "$WORK/etc" > "$WORK/auditd" 2>&1 &
    local pid=$! i
    for ((i = 0; i < 100; i++)); do [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$pid" ] && break; sleep 0.05; done
    auditctl -e 1 -b 16384 > /dev/null
    auditctl -w "$WORK/w" -p wa -k bench > /dev/null
    nanoseconds
    auditctl -D > /dev/null
    kill "$pid"; wait "$pid" 2> /dev/null
    auditctl -e 0 > /dev/null
    rm -rf "$WORK/log"
}

with_culprit() {
    rm -f "$WORK"/store.db*
    : > "$WORK/err" # else the ready line of the round before is found
    "$CULPRIT" watch --sensor audit --store "$WORK/store.db" "$WORK/w" > /dev/null 2> "$WORK/err" &
    local pid=$!
    wait_for "$WORK/err" "culprit: ready" || return
    nanoseconds
    awk '/^VmHWM/ {print $2}' "/proc/$pid/status" >> "$WORK/memory"
    local t0 t1
    t0=$(date +%s%N)
    kill -INT "$pid"; wait "$pid"
    echo $? >> "$WORK/codes"
    t1=$(date +%s%N)
    echo $(((t1 - t0) / 1000000)) >> "$WORK/end"
    python3 bench/counts.py "$WORK/store.db" $((PAIRS * 2)) >> "$WORK/stored" || failed=1
}

for ((r = 0; r < ROUNDS; r++)); do
    nanoseconds >> "$WORK/bare"
    with_sink >> "$WORK/t_sink" || failed=1
    with_auditd ENRICHED INCREMENTAL_ASYNC >> "$WORK/t_auditd"
    with_auditd RAW NONE >> "$WORK/t_fastest"
    with_culprit >> "$WORK/t_culprit" || failed=1
done
bare=$(median < "$WORK/bare") sink=$(median < "$WORK/t_sink") auditd=$(median < "$WORK/t_auditd") fastest=$(median < "$WORK/t_fastest") culprit=$(median < "$WORK/t_culprit")
memory=$(median < "$WORK/memory")

ready() {
    local t0 t1 pid
    rm -f "$WORK/err"; : > "$WORK/err"
    t0=$(date +%s%N)
    "$CULPRIT" watch --sensor audit --store "$WORK/store2.db" "$WORK/tree" > /dev/null 2> "$WORK/err" &
    pid=$!
    while ! grep -q "culprit: ready" "$WORK/err"; do kill -0 $pid 2> /dev/null || return; done
    t1=$(date +%s%N)
    echo $(((t1 - t0) / 1000000))
    kill -INT $pid; wait $pid
}
mkdir "$WORK/tree"
(cd "$WORK/tree" && for a in $(seq 100); do mkdir -p "a$a"; for b in $(seq 100); do echo "a$a/b$b"; done; done | xargs mkdir -p)
for ((r = 0; r < ROUNDS; r++)); do ready >> "$WORK/ready"; done

"$BUILD/bench/fill" "$WORK/million.db" 1000000 1000 > "$WORK/fill"
who() {
    local t0 t1
    t0=$(date +%s%N)
    "$CULPRIT" who --store "$WORK/million.db" /srv/data > "$WORK/answer" || return
    t1=$(date +%s%N)
    echo $(((t1 - t0) / 1000000))
}
for ((r = 0; r < ROUNDS; r++)); do who >> "$WORK/who"; done

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
row() { printf '%-52s %12s   %s\n' "$@"; }
echo "culprit, $(uname -r), $(nproc) processors, $PAIRS pairs, medians of $ROUNDS"
row "a pair of creat and unlink, bare" "$((bare / 1000)).$((bare % 1000 / 100)) µs" ""
row "  audit, records thrown away" "$((sink / 1000)).$((sink % 1000 / 100)) µs" "$(ratio "$sink" "$bare") times bare"
row "  auditd with the same watch, at its fastest" "$((fastest / 1000)).$((fastest % 1000 / 100)) µs" "$(ratio "$fastest" "$bare") times bare (RAW, NONE)"
row "  auditd with the same watch, as it is installed" "$((auditd / 1000)).$((auditd % 1000 / 100)) µs" "$(ratio "$auditd" "$bare") times bare (ENRICHED, INCREMENTAL_ASYNC)"
row "  culprit, decoding and storing" "$((culprit / 1000)).$((culprit % 1000 / 100)) µs" "$(ratio "$culprit" "$sink") of throwing away (wanted: 1.25), $(ratio "$culprit" "$auditd") of auditd as installed, $(ratio "$culprit" "$fastest") of its fastest (wanted: 0.50)"
row "  what was behind at the end" "$(median < "$WORK/end") ms" "until the verdict"
while read -r line; do row "  events in the store" "" "$line"; done < "$WORK/stored"
row "  memory at its highest" "$((memory / 1024)) MB" "wanted: 25"
row "ready on a tree of 10,000 directories" "$(median < "$WORK/ready") ms" "wanted: 300"
row "who on a million stored events" "$(median < "$WORK/who") ms" "wanted: 50; $(cat "$WORK/fill")"
[ "$failed" = 0 ] || echo "FAILED: not ready, told twice, or neither told nor counted as lost"
exit "$failed"
