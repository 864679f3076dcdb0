#!/bin/bash
# SPDX-License-Identifier: MIT
# systemd.sh CULPRIT [VERSION]: the situations that need systemd as the first process (units, timers, systemd-run), on a
# stock kernel (6.1), by the sensor that culprit takes there. Ends with "N passed, N failed". Needs no root.
# Environment: ONLY (situations whose names hold this; "systemd"), VM_OUT (a folder that keeps what the guest left).
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -ge 1 ] || { sed -n 3,6p "$0"; exit 2; }
CULPRIT=$(readlink -f "$1")
VERSION=${2:-6.1}
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-out.XXXXXX)}
[ -n "${VM_OUT:-}" ] || trap 'rm -rf "$OUT"' EXIT
SYSTEMD=/lib/systemd/systemd
CACHE=${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}

not_tested() {
    echo "******** NOT TESTED under systemd: $1"
    [ "${CI:-}" != true ]
    local failed=$?
    echo "0 passed, $failed failed"
    exit $failed
}
PATH=$PATH:/usr/sbin:/sbin
for program in qemu-system-x86_64 busybox cpio modprobe xz $SYSTEMD; do
    command -v "$program" > /dev/null || not_tested "$program is not here (tools/deps.sh installs it)"
done
"$HERE/fetch.sh" 2> /dev/null | grep -q "^$VERSION " || not_tested "the kernel $VERSION is not to be had"
INIT=systemd SECONDS_MAX=${SECONDS_MAX:-900} MEMORY=${MEMORY:-2500M} "$HERE/boot.sh" "$CACHE/$VERSION" "$OUT" "$HERE/situations.sh" \
    "$CULPRIT" --only "${ONLY:-systemd:}" --sensor auto --also ''
rc=$?
[ $rc != 125 ] || echo "0 passed, 1 failed"
exit $rc
