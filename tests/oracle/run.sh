#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh CULPRIT [options of oracle.py]: what strace saw beside what culprit reported, as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
CULPRIT=$(readlink -f "$1")
shift
# the kernel has one audit: two runs at once would see each other
exec 8> /run/culprit-test-audit.lock
flock 8
# mounts of ours end with us
exec unshare --mount --propagation private python3 -B "$HERE/oracle.py" "$CULPRIT" "$@"
