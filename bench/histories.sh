#!/bin/bash
# SPDX-License-Identifier: MIT
# histories.sh BUILD [COUNT] [SEED]: so many random histories of a tree (10,000), a thousand under one watch with --keep-copies at a time: restore
# --at makes all the same again that was there when it began, touches nothing else, and names what it cannot. Prints how many were
# right. Status 0: all.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=${1:-build}
COUNT=${2:-10000}
SEED=${3:-21}
BATCH=1000
right=0 paths=0 back=0 named=0

for ((done = 0; done < COUNT; done += BATCH, SEED++)); do
    size=$((COUNT - done < BATCH ? COUNT - done : BATCH))
    out=$(ONLY=histories python3 -B tests/scenario/restore_host.py "$BUILD/culprit" "$size" "$SEED")
    status=$?
    echo "seed $SEED: $(grep histories: <<< "$out")"
    [ $status = 0 ] && right=$((right + size)) || echo "$out"
    read -r p b n < <(sed -nE 's/.*histories: ([0-9]+) paths, ([0-9]+) put back, ([0-9]+) named.*/\1 \2 \3/p' <<< "$out")
    paths=$((paths + ${p:-0})) back=$((back + ${b:-0})) named=$((named + ${n:-0}))
done
echo "histories: $right of $COUNT right; $paths paths, $back put back, $named named as not"
[ "$right" = "$COUNT" ]
