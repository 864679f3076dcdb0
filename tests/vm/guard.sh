#!/bin/bash
# SPDX-License-Identifier: MIT
# guard.sh [--quick] CULPRIT [VERSION...]: `culprit guard --method bpf` on stock kernels: every way to change a file
# (tests/actors/ways.c) on every file system and through overlays, the race, what becomes of it when culprit is killed or stopped,
# who may. Prints what was not as it is to be, a table file system x kernel, and ends with "N passed, N failed". Needs no root.
# --quick: on the newest kernel, on ext4: some two minutes.
# Environment: PLACES (file systems), ONLY (no file systems, these tests alone: ends, confirmed, kills, story ...), VM_OUT (a folder that keeps what each
# guest left), SECONDS_MAX (of each guest, 1500).
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
QUICK=
[ "${1:-}" = --quick ] && { QUICK=1; shift; }
[ $# -ge 1 ] || { sed -n 3,9p "$0"; exit 2; }
CULPRIT=$(readlink -f "$1")
shift
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-guard.XXXXXX)}
mkdir -p "$OUT"
[ -n "${VM_OUT:-}" ] || trap 'rm -rf "$OUT"' EXIT
for program in qemu-system-x86_64 busybox cpio modprobe xz; do
    command -v "$program" > /dev/null || PATH=$PATH:/usr/sbin:/sbin
    command -v "$program" > /dev/null || {
        echo "NOT TESTED: guard by bpf: $program is not here (tools/deps.sh installs it)"
        echo "0 passed, 0 failed"
        exit 0
    }
done
"$HERE/fetch.sh" > "$OUT/kernels" 2> "$OUT/fetch.err" || cat "$OUT/fetch.err"
CACHE=${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}
versions=("$@")
[ $# -gt 0 ] || mapfile -t versions < <(cut -d' ' -f1 "$OUT/kernels")
places=${PLACES:-ext4 tmpfs xfs btrfs overlay}
if [ -n "$QUICK" ]; then
    [ $# -gt 0 ] || versions=("${versions[@]: -1}")
    places=${PLACES:-ext4}
fi
[ -z "${ONLY:-}" ] || places=
passed=0 failed=0
for version in "${versions[@]}"; do
    mkdir -p "$OUT/$version"
    rm -f "$OUT/$version/results"
    SECONDS_MAX=${SECONDS_MAX:-1500} MEMORY=${MEMORY:-2500M} "$HERE/boot.sh" "$CACHE/$version" "$OUT/$version" \
        "$HERE/guard_guest.sh" "$CULPRIT" "${QUICK:--}" "$places" "${ONLY:-}" > "$OUT/$version.log" 2>&1
    status=$?
    p=$(grep -c '^passed' "$OUT/$version/results" 2> /dev/null)
    f=$(grep -c '^failed' "$OUT/$version/results" 2> /dev/null)
    [ "$status" = 0 ] || [ "$f" != 0 ] || { f=1; tail -20 "$OUT/$version.log"; }
    echo "kernel $version: $p passed, $f failed"
    grep -h '^failed\|^  ' "$OUT/$version/results" 2> /dev/null
    grep -h '^table' "$OUT/$version/results" 2> /dev/null | sed "s/^table/$version/"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
