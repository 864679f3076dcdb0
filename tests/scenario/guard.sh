#!/bin/bash
# SPDX-License-Identifier: MIT
# guard.sh CULPRIT: `culprit guard --method immutable` of containers and of four file systems; as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# the kernel has one audit: two runs at once would see each other
exec 8> /tmp/culprit-audit.lock
flock 8
PYTHONPATH=$HERE exec python3 -B "$HERE/guard.py" "$(readlink -f "$1")"
