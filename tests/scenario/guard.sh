#!/bin/bash
# SPDX-License-Identifier: MIT
# guard.sh CULPRIT: `culprit guard --method immutable` of containers and of four file systems; as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# the kernel has one audit: two runs at once would see each other
exec 8> /run/culprit-test-audit.lock
flock 8
# Any culprit that root runs undoes a guard whose holders were killed: here it is for this test alone to say which one does. What is
# mounted elsewhere meanwhile is seen.
mkdir -p /var/lib/culprit
PYTHONPATH=$HERE exec unshare --mount --propagation slave -- sh -c 'mount -t tmpfs -o mode=0700 culprit-test /var/lib/culprit && exec "$@"' sh \
    python3 -B "$HERE/guard.py" "$(readlink -f "$1")"
