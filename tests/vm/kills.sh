#!/bin/bash
# SPDX-License-Identifier: MIT
# kills.sh CULPRIT [VERSION [KILLS [SENSORS]]]: kill -9 of the observer at any moment, on a stock kernel (6.1; 24 kills; bpf), as the table of
# bench/kills.py. Exit status 1: a store was damaged, an end was not reported, or `who` claims to have watched what is missing. How much is
# missing has to do with how slow an emulated processor is. Some 15 minutes; needs no root. Environment: VM_OUT (a folder that keeps the rows, so that a table can be made in parts).
set -u
[ $# -ge 1 ] || { sed -n 3,6p "$0"; exit 2; }
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
CULPRIT=$(readlink -f "$1")
OUT=${VM_OUT:-$(mktemp -d /var/tmp/culprit-vm-kills.XXXXXX)}
[ -n "${VM_OUT:-}" ] || trap 'rm -rf "$OUT"' EXIT
"$HERE/fetch.sh" > /dev/null || exit 2
SMP=${SMP:-2} SECONDS_MAX=${SECONDS_MAX:-2400} "$HERE/boot.sh" "${CULPRIT_VM_CACHE:-/var/cache/culprit-vm}/${2:-6.1}" "$OUT" \
    "$HERE/kills_guest.sh" "$CULPRIT" "${3:-24}" "${4:-bpf}"
