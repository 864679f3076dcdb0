#!/bin/bash
# SPDX-License-Identifier: MIT
# diff.sh CULPRIT: `culprit diff` on a damaged container, and containers that mean harm; as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# the kernel has one audit: two runs at once would see each other
exec 8> /run/culprit-test-audit.lock
flock 8
PYTHONPATH=$HERE exec python3 -B "$HERE/diff.py" "$(readlink -f "$1")"
