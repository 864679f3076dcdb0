#!/bin/bash
# SPDX-License-Identifier: MIT
# vm.sh BUILD [VERSION]: what watching costs, counted in instructions. Ratios within one boot. bpftrace and auditd are measured if here.
. "$(dirname "$0")/boot.sh"
counted "$PWD/bench/guest.sh" "$BUILD" "${PAIRS:-5000}"
failed=$?
# how many a second: processors that run as fast as they are emulated, one more than storms
echo
bare() { local t0 t1; t0=$(date +%s%N); "$BUILD/tests/actors/act" storm "$1" 100000 > /dev/null; t1=$(date +%s%N); echo $((200000 * 1000000000 / (t1 - t0))); }
directory=$(mktemp -d /dev/shm/culprit-bench.XXXXXX) && echo "one process, bare, on this machine itself: $(bare "$directory/f") events/s"
rm -rf "${directory:-/nonexistent}"
fast "$PWD/bench/rate.sh" "$BUILD" "${RATE_PAIRS:-500000}" 2 && exit "$failed"
exit 1
