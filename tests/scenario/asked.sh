#!/bin/bash
# SPDX-License-Identifier: MIT
# asked.sh CULPRIT: a file asked for by each of its names, and what was never watched; as root.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
PYTHONPATH=$HERE exec python3 -B "$HERE/asked.py" "$(readlink -f "$1")"
