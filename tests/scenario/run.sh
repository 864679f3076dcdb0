#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh CULPRIT [options of battery.py]: the battery of scenarios on this kernel, as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
CULPRIT=$(readlink -f "$1")
shift
# Containers have names, and the kernel has one audit: two runs at once would see each other.
case " $* " in
*" --engines none "*) ;;
*) exec 7> /run/culprit-test-engines.lock && flock 7 ;;
esac
case " $* " in
*" -s fanotify "*) ;;
*) exec 8> /run/culprit-test-audit.lock && flock 8 ;;
esac
PYTHONPATH=$HERE exec python3 -B "$HERE/battery.py" "$CULPRIT" "$(dirname "$CULPRIT")/tests/actors/act" "$@"
