# SPDX-License-Identifier: MIT
# In the guest, for bench/vm.sh: rate.sh BUILD PAIRS PROCESSES: how many events a second, none of them lost. The
# emulated processors are slower than real ones by a factor that the same pairs, unwatched, tell here and outside.
BUILD=$1 PAIRS=$2 PROCESSES=$3
CULPRIT=$BUILD/culprit ACT=$BUILD/tests/actors/act
mkdir -p /run/b
mount -t tmpfs tmpfs /run/b
mkdir -p /run/b/w
storm() { # storm PAIRS PROCESSES: events a second
    local t0 t1 n=$2 pids=()
    t0=$(date +%s%N)
    for ((i = 0; i < n; i++)); do "$ACT" storm "/run/b/w/f$i" "$1" > /dev/null & pids+=($!); done
    wait "${pids[@]}"
    t1=$(date +%s%N)
    echo $((2 * $1 * n * 1000000000 / (t1 - t0)))
}
cpu() { cat /proc/"$PID"/task/*/schedstat | awk '{n += $1} END {printf "%.0f", n}'; }
echo "$(uname -r), $(nproc) emulated processors"
echo "one process, bare: $(storm 20000 1) events/s"
: > /run/err
"$CULPRIT" watch --sensor bpf --store /run/store.db /run/b/w > /dev/null 2> /run/err &
PID=$!
for ((i = 0; i < 1200; i++)); do grep -q "culprit: ready" /run/err && break; sleep 0.1; done
sleep 2 # what a start leaves to do is not an event's price
before=$(cpu)
t0=$(date +%s%N)
rate=$(storm "$PAIRS" "$PROCESSES")
echo "$PROCESSES processes, watched: $((2 * PAIRS * PROCESSES)) events in $((($(date +%s%N) - t0) / 1000000000)) s, $rate events/s"
sleep 3 # what waits is read and written
echo "culprit itself: $((($(cpu) - before) / (2 * PAIRS * PROCESSES))) ns an event"
kill -INT $PID
wait $PID
exec python3 "$(dirname "$0")/counts.py" /run/store.db $((2 * PAIRS * PROCESSES))
