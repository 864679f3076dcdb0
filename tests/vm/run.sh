#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh [--quick] CULPRIT [VERSION...]: the battery of scenarios on stock kernels, on real file systems, and the
# story with a real dockerd. Prints a table scenario x kernel and ends with "N passed, N failed". Needs no root.
# --quick: what fits into `make check`: everything that needs no containers on ext4 on every kernel, what depends on
# the file system on each other one on one of the kernels, and no longer than BUDGET seconds (1320), as far as whole
# scenarios go: what is left then is said to be not run.
# Environment: ROTATE (a number: each begins with other scenarios), SENSORS (bpf where this build has it, else audit), JOBS (guests at a time: one a processor, as
# memory allows), PLACES, FEW (file systems with the essential scenarios only), PATTERN and EXCLUDE (scenarios),
# STORY ("-" for none), VM_OUT (a folder that keeps what each guest left).
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
QUICK=
[ "${1:-}" = --quick ] && { QUICK=1; shift; }
[ $# -ge 1 ] || { sed -n 3,10p "$0"; exit 2; }
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

# one guest: the story is played on two kernels, an old and a new one, and is split between them
guest() { # guest VERSION SECONDS
    local version=$1 seconds=$2 story=- places=${PLACES:-ext4,tmpfs,xfs,btrfs,overlay,fuse} few=${FEW:-} most
    case $version in 6.1) story="proc uring" ;; 7.*) story="proc exec" ;; esac
    if [ -n "$QUICK" ]; then
        case $version in
        5.10) few=xfs ;;
        6.1) few=overlay ;;
        6.12) few=fuse,tmpfs ;;
        *) few=btrfs ;;
        esac
        [ "$story" = - ] || story=${story#proc }
        places=${PLACES:-$few,ext4}
        few=${FEW:-$few}
    fi
    [ -z "${PATTERN:-}" ] || story=-
    # past the battery's own end it has time for its last scenarios and the story
    most=$((seconds + 900))
    SECONDS_MAX=${SECONDS_MAX:-$most} MEMORY=${MEMORY:-2500M} "$HERE/boot.sh" "$CACHE/$version" "$OUT/$version" "$HERE/battery.sh" \
        "$CULPRIT" "$SENSORS" "$places" "${STORY:-$story}" --deadline "$seconds" ${few:+--few "$few"} ${PATTERN:+-k "$PATTERN"} \
        ${ROTATE:+--rotate "$ROTATE"} ${QUICK:+-x "container: *"} ${EXCLUDE:+-x "$EXCLUDE"} > "$OUT/$version.log" 2>&1
    echo $? > "$OUT/$version.rc"
}

versions=()
while read -r version release; do
    [ -z "$ONLY" ] || grep -qw -- "$version" <<< "$ONLY" || continue
    versions+=("$version")
    echo "kernel $version: $release"
done < "$OUT/kernels"
memory=$(awk '/^MemAvailable/ {print int($2 / 1048576 / 3)}' /proc/meminfo)
jobs=${JOBS:-$(nproc)}
[ -n "${JOBS:-}" ] || [ "$jobs" -le "$memory" ] || jobs=$((memory > 0 ? memory : 1))
left=${#versions[@]}
# each is among the last, which have more of the machine, at some commit
turn=$((${ROTATE:-0} % (left > 0 ? left : 1)))
for version in "${versions[@]:turn}" "${versions[@]:0:turn}"; do
    while [ ${#running[@]} -ge "$jobs" ]; do
        wait -n -p pid
        unset "running[$pid]"
    done
    # what is left of the time is shared by the rounds that are left; boot and story have theirs
    rounds=$(((left + jobs - 1) / jobs)) seconds=3600
    [ -z "$QUICK" ] || seconds=$(((${BUDGET:-1320} - SECONDS) / rounds - 120))
    [ "$seconds" -ge 120 ] || seconds=120
    left=$((left - 1))
    mkdir -p "$OUT/$version"
    guest "$version" "$seconds" &
    running[$!]=$version
done
wait
running=()
echo "guests: $SECONDS s, $jobs at a time"
python3 "$HERE/table.py" "$OUT" "${versions[@]}"
