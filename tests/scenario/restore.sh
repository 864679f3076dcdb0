#!/bin/bash
# SPDX-License-Identifier: MIT
# restore.sh CULPRIT [HISTORIES [SEED]]: `culprit restore` on damaged containers, hostile owners, random histories; as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
CULPRIT=$(readlink -f "$1")
shift
# the kernel has one audit: two runs at once would see each other
exec 8> /run/culprit-test-audit.lock
flock 8
PYTHONPATH=$HERE exec python3 -B "$HERE/restore.py" "$CULPRIT" "$@"
