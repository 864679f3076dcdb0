#!/bin/bash
# SPDX-License-Identifier: MIT
# under_systemd.sh GUEST CULPRIT [VERSION]: play the script GUEST (of this folder) in a stock kernel (6.1) with systemd as its first
# process. Ends with "N passed, N failed", GUEST's own. Needs no root. Environment: VM_OUT (a folder that keeps what the guest left),
# SECONDS_MAX, MEMORY, ONLY (what GUEST is to play).
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -ge 2 ] || { sed -n 3,6p "$0"; exit 2; }
GUEST=$HERE/$1
CULPRIT=$(readlink -f "$2")
VERSION=${3:-6.1}
CACHE=${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-out.XXXXXX)}
[ -n "${VM_OUT:-}" ] || trap 'rm -rf "$OUT"' EXIT
PATH=$PATH:/usr/sbin:/sbin
for program in qemu-system-x86_64 busybox cpio modprobe xz /lib/systemd/systemd; do
    command -v "$program" > /dev/null || {
        echo "******** NOT TESTED under systemd: $program is not here (tools/deps.sh installs it)"
        echo "0 passed, 0 failed"
        exit 0
    }
done
"$HERE/fetch.sh" 2> /dev/null | grep -q "^$VERSION " || {
    echo "******** NOT TESTED under systemd: the kernel $VERSION is not to be had"
    echo "0 passed, 0 failed"
    exit 0
}
# on a machine with much else to do a unit of systemd takes longer to start than it would wait
export APPEND="${APPEND:-} systemd.default_timeout_start_sec=900"
INIT=systemd SECONDS_MAX=${SECONDS_MAX:-1200} MEMORY=${MEMORY:-2500M} "$HERE/boot.sh" "$CACHE/$VERSION" "$OUT" "$GUEST" "$CULPRIT" ${ONLY:+"$ONLY"}
rc=$?
[ $rc != 125 ] || echo "0 passed, 1 failed"
exit $rc
