#!/bin/bash
# SPDX-License-Identifier: MIT
# oracle_kernels.sh CULPRIT [VERSION...]: what strace saw beside what culprit reported (tests/oracle), on stock kernels. Prints each
# kernel's table and ends with "N passed, N failed". Needs no root. Environment: SETS (of sensors), PLACES (file systems),
# WORKLOADS, VM_OUT (a folder that keeps what each guest left).
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -ge 1 ] || { sed -n 3,5p "$0"; exit 2; }
CULPRIT=$(readlink -f "$1")
shift
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-out.XXXXXX)}
mkdir -p "$OUT"
[ -n "${VM_OUT:-}" ] || trap 'rm -rf "$OUT"' EXIT
"$HERE/fetch.sh" > "$OUT/kernels" || echo "******** NOT TESTED: kernels that were not to be had"
passed=0 failed=0
while read -r version release; do
    [ $# = 0 ] || grep -qw -- "$version" <<< "$*" || continue
    mkdir -p "$OUT/$version"
    echo "kernel $release"
    SECONDS_MAX=${SECONDS_MAX:-580} SMP=${SMP:-2} MEMORY=${MEMORY:-2500M} "$HERE/boot.sh" "${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}/$version" \
        "$OUT/$version" "$HERE/oracle.sh" "$CULPRIT" -s "${SETS:-bpf fanotify,audit audit fanotify}" -f "${PLACES:-ext4}" \
        -w "${WORKLOADS:-git,coreutils,acl-xattr,dpkg,rsync,folders,replaces,exchanged,calls,refused}" < /dev/null | tee "$OUT/$version.log"
    read -r right wrong < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$OUT/$version.log" | tail -1)
    passed=$((passed + ${right:-0})) failed=$((failed + ${wrong:-1}))
done < "$OUT/kernels"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
