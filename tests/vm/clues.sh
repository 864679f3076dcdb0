#!/bin/bash
# SPDX-License-Identifier: MIT
# clues.sh CULPRIT [VERSION]: twenty pasts that nobody watched, under a real systemd, and what `culprit clues` makes of them. Ends with "N passed, N failed".
# Needs no root. Environment: VM_OUT (a folder that keeps what the guest left), ONLY (names of some pasts).
set -u
[ $# -ge 1 ] || { sed -n 3,4p "$0"; exit 2; }
SECONDS_MAX=${SECONDS_MAX:-2400} exec "$(dirname "$(readlink -f "$0")")/under_systemd.sh" clues_guest.sh "$@"
