#!/bin/bash
# SPDX-License-Identifier: MIT
# search.sh BUILD [MEGABYTES] [ROUNDS] [ausearch-too]: searching logs, asking them who it was and importing them, beside grep (and ausearch, which takes minutes). Ratios of one
# run count, and medians of ROUNDS: the machine is not alone. The logs stay in memory (warm cache).
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
MEGABYTES=${2:-1000}
ROUNDS=${3:-3}
WITH=${4:-}
ninja -C "$BUILD" culprit bench/audit_log > /dev/null || exit 2
WORK=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
export LC_ALL=C

# milliseconds of a command, median; its peak memory goes to $WORK/memory
ms() {
    local i t0 t1
    for ((i = 0; i < ROUNDS; i++)); do
        t0=$(date +%s%N)
        ("$@") > "$WORK/out" 2> "$WORK/err"
        t1=$(date +%s%N)
        echo $(((t1 - t0) / 1000000))
    done | sort -n | sed -n "$(((ROUNDS + 1) / 2))p"
}
memory() { # kB
    "$@" > /dev/null 2>&1 &
    local pid=$! peak=0 now
    while now=$(awk '/^VmHWM/ {print $2}' "/proc/$pid/status" 2> /dev/null) && [ -n "$now" ]; do
        [ "$now" -gt "$peak" ] && peak=$now
        sleep 0.01
    done
    wait "$pid"
    echo "$peak"
}
import() {
    rm -f "$WORK"/import.db*
    exec "$BUILD/culprit" import --store "$WORK/import.db" "$1"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / (b ? b : 1)}'; }
speed() { awk -v n="$1" -v t="$2" 'BEGIN {printf "%.0f MB/s", n / 1000 / (t ? t : 1)}'; }
row() { printf '%-44s %9s ms  %12s   %s\n' "$@"; }

echo "culprit search, $(uname -r), $(nproc) processors, medians of $ROUNDS"
for kind in storm ordinary; do
    log=$WORK/$kind.log
    "$BUILD/bench/audit_log" $kind "$MEGABYTES" "$log" || exit 1
    cat "$log" > /dev/null
    size=$(stat -c %s "$log")
    many=$([ $kind = storm ] && echo storm || echo access)
    echo "$kind: $((size / 1000000)) MB, $(wc -l < "$log") records"
    grep=$(ms grep -c needle "$log")
    row "  grep -c KEY" "$grep" "$(speed "$size" "$grep")" ""
    t=$(ms "$BUILD/culprit" search -k needle -if "$log")
    row "  search -k KEY (0.2 % of the events)" "$t" "$(speed "$size" "$t")" "$(ratio "$t" "$grep") of grep (wanted: 2)"
    t=$(ms "$BUILD/culprit" search -f /srv/rare/needle.conf -if "$log")
    row "  search -f FILE (0.2 % of the events)" "$t" "$(speed "$size" "$t")" "$(ratio "$t" "$grep") of grep (wanted: 2)"
    for format in raw default; do
        t=$(ms "$BUILD/culprit" search -k "$many" --format $format -if "$log")
        row "  search -k, most match, $format" "$t" "$(speed "$size" "$t")" "wanted: 300 MB/s"
    done
    t=$(ms "$BUILD/culprit" search -k needle -i -if "$log")
    row "  search -k KEY -i" "$t" "$(speed "$size" "$t")" ""
    row "  memory, KEY / most match" "-" "" "$(($(memory "$BUILD/culprit" search -k needle -if "$log") / 1024)) / $(($(memory "$BUILD/culprit" search -k "$many" -r -if "$log") / 1024)) MB (wanted: 50)"
    t=$(ms "$BUILD/culprit" who --from "$log" /srv/rare/needle.conf)
    row "  who --from LOG FILE" "$t" "$(speed "$size" "$t")" "$(ratio "$t" "$grep") of grep (wanted: 5)"
    t=$(ms "$BUILD/culprit" who --from "$log" /srv/rare)
    row "  who --from LOG DIRECTORY" "$t" "$(speed "$size" "$t")" "$(ratio "$t" "$grep") of grep (wanted: 5)"
    records=$(wc -l < "$log")
    t=$(ms import "$log")
    row "  import LOG" "$t" "$(speed "$size" "$t")" "$((records / (t ? t : 1))),000 records/s (wanted: 300,000)"
    row "  memory, who / import" "-" "" "$(($(memory "$BUILD/culprit" who --from "$log" /srv/rare) / 1024)) / $(($(memory import "$log") / 1024)) MB (wanted: 50)"
    t=$(ms "$BUILD/culprit" import --store "$WORK/import.db" "$log")
    row "  import LOG, once more" "$t" "" ""
    rm -f "$WORK"/import.db*
    gzip -1 -k "$log"
    zcat=$(ms sh -c "zcat '$log.gz' | wc -c")
    row "  zcat | wc" "$zcat" "$(speed "$size" "$zcat")" ""
    t=$(ms "$BUILD/culprit" search -k needle -if "$log.gz")
    row "  search -k KEY in .gz" "$t" "$(speed "$size" "$t")" "$(ratio "$zcat" "$t") of zcat's speed (wanted: 0.80)"
    rm "$log.gz"
    if [ -n "$WITH" ]; then
        ROUNDS=1
        t2=$(ms ausearch -k needle -if "$log")
        row "  ausearch -k KEY" "$t2" "$(speed "$size" "$t2")" ""
        ROUNDS=${3:-3}
    fi
    rm "$log"
done
