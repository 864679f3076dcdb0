#!/bin/bash
# SPDX-License-Identifier: MIT
# vm.sh BUILD [VERSION]: what watching costs, counted in instructions: a stock kernel in QEMU with one processor
# whose clock counts instructions (-icount shift=0: one nanosecond each), so that the numbers are the same on
# every machine. Ratios within one boot. Needs what tests/vm needs; bpftrace and auditd are measured if here.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
VERSION=${2:-6.1}
tests/vm/fetch.sh > /dev/null || exit 2
OUT=$(mktemp -d /var/tmp/culprit-bench-vm.XXXXXX)
trap 'rm -rf "$OUT"' EXIT
ICOUNT=shift=0 SECONDS_MAX=${SECONDS_MAX:-1800} tests/vm/boot.sh "${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}/$VERSION" "$OUT" \
    "$PWD/bench/guest.sh" "$BUILD" "${PAIRS:-5000}"
failed=$?
# how many a second: processors that run as fast as they are emulated, one more than storms
echo
bare() { local t0 t1; t0=$(date +%s%N); "$BUILD/tests/actors/act" storm "$1" 100000 > /dev/null; t1=$(date +%s%N); echo $((200000 * 1000000000 / (t1 - t0))); }
directory=$(mktemp -d /dev/shm/culprit-bench.XXXXXX) && echo "one process, bare, on this machine itself: $(bare "$directory/f") events/s"
rm -rf "${directory:-/nonexistent}"
SMP=2 SECONDS_MAX=${SECONDS_MAX:-1800} tests/vm/boot.sh "${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}/$VERSION" "$OUT" \
    "$PWD/bench/rate.sh" "$BUILD" "${RATE_PAIRS:-500000}" 2 && exit "$failed"
exit 1
