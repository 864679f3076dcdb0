#!/bin/bash
# SPDX-License-Identifier: MIT
# daemon.sh CULPRIT [VERSION]: the daemon as a unit of a real systemd, on a stock kernel (6.1). Ends with "N passed, N failed".
# Needs no root. Environment: VM_OUT (a folder that keeps what the guest left).
set -u
[ $# -ge 1 ] || { sed -n 3,4p "$0"; exit 2; }
SECONDS_MAX=${SECONDS_MAX:-1200} exec "$(dirname "$(readlink -f "$0")")/under_systemd.sh" daemon_guest.sh "$@"
