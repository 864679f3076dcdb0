#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh CULPRIT [VERSION...]: the battery of scenarios on stock kernels, on real file systems, and the story
# with a real dockerd. Prints a table scenario x kernel and ends with "N passed, N failed". Needs no root.
# Environment: SENSORS (bpf where this build has it, else audit), JOBS (guests at a time: one a processor),
# PLACES, PATTERN and EXCLUDE (scenarios), STORY ("-" for none), VM_OUT (a folder that keeps what each guest left).
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -ge 1 ] || { sed -n 3,7p "$0"; exit 2; }
CULPRIT=$(readlink -f "$1")
shift
ONLY="$*"
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-out.XXXXXX)}
mkdir -p "$OUT"
cleanup() {
    local pid
    for pid in "${!running[@]}"; do kill "$pid" 2> /dev/null; done
    [ -n "${VM_OUT:-}" ] || rm -rf "$OUT"
}
declare -A running=()
trap cleanup EXIT
trap 'exit 130' INT TERM

# What cannot be tested is said; where a machine is meant to test everything, it is a failure.
not_tested() {
    echo
    echo "******** NOT TESTED on the kernels $1: $2" | tee -a "$OUT/not-tested"
    echo
}

for program in qemu-system-x86_64 busybox cpio modprobe xz; do
    command -v "$program" > /dev/null || PATH=$PATH:/usr/sbin:/sbin
    command -v "$program" > /dev/null || {
        not_tested "5.10 6.1 6.12 sid" "$program is not here (tools/deps.sh installs it)"
        [ "${CI:-}" = true ] && { echo "0 passed, 1 failed"; exit 1; }
        echo "0 passed, 0 failed"
        exit 0
    }
done
: > "$OUT/not-tested"
"$HERE/fetch.sh" > "$OUT/kernels" 2> "$OUT/fetch.err" || not_tested "below" "$(grep '^fetch:' "$OUT/fetch.err" | tr '\n' ';')"
CACHE=${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}
if [ -z "${SENSORS:-}" ]; then
    SENSORS=audit
    "$CULPRIT" doctor --format json 2> /dev/null | grep -q '"name":"bpf"' && SENSORS=bpf
fi
PLACES=${PLACES:-ext4,tmpfs,xfs,btrfs,overlay,fuse}

# one guest: the story is played on two kernels, an old and a new one, and is split between them
guest() { # guest VERSION
    local version=$1 story=-
    case $version in 6.1) story="proc uring" ;; 7.*) story="proc exec" ;; esac
    [ -z "${PATTERN:-}" ] || story=-
    SECONDS_MAX=${SECONDS_MAX:-900} MEMORY=${MEMORY:-2500M} "$HERE/boot.sh" "$CACHE/$version" "$OUT/$version" "$HERE/battery.sh" \
        "$CULPRIT" "$SENSORS" "$PLACES" "${STORY:-$story}" ${PATTERN:+-k "$PATTERN"} ${EXCLUDE:+-x "$EXCLUDE"} > "$OUT/$version.log" 2>&1
    echo $? > "$OUT/$version.rc"
}

versions=()
while read -r version release; do
    [ -z "$ONLY" ] || grep -qw -- "$version" <<< "$ONLY" || continue
    versions+=("$version")
    echo "kernel $version: $release"
done < "$OUT/kernels"
jobs=${JOBS:-$(nproc)}
for version in "${versions[@]}"; do
    while [ ${#running[@]} -ge "$jobs" ]; do
        wait -n -p pid
        unset "running[$pid]"
    done
    mkdir -p "$OUT/$version"
    guest "$version" &
    running[$!]=$version
done
wait
running=()
python3 "$HERE/table.py" "$OUT" "${versions[@]}"
