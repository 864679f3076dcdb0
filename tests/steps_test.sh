#!/bin/bash
# SPDX-License-Identifier: MIT
# What a run of steps says at its end: each step that failed, with its own lines, and how many.
set -u
cd "$(dirname "$0")/.." || exit 2
right=0 wrong=0

run() { # the steps, in a shell of their own
    bash -c '. tests/steps.sh; trap clear_up EXIT; '"$1"'; summary' 2>&1
}

check() { # check TEXT PATTERN STEPS: the end of the run holds the pattern, a line of its own
    if run "$3" | sed -n '/^$/,$p' | grep -qxE -- "$2"; then
        right=$((right + 1))
    else
        wrong=$((wrong + 1))
        echo "WRONG: $1"
        run "$3" | sed 's/^/    /'
    fi
}

two='echo "row 1 right"; echo "row 2 WRONG"; echo "  because"; seq 100; echo "1 passed, 1 failed"; false'
check "a step that failed is named" 'second: 1 failed \(exit 1, [0-9]+ s\)' "step first true; step second bash -c '$two'; step third true"
check "with the line that failed" '    row 2 WRONG' "step second bash -c '$two'"
check "and what follows it" '      because' "step second bash -c '$two'"
check "all are counted" '3 passed, 1 failed' "step first true; step second bash -c '$two'; step third true"
check "a step that says nothing counts once" 'silent: 1 failed \(exit 3, [0-9]+ s\)' "step silent bash -c 'exit 3'"
check "then its last lines stand there" '    no such engine' "step silent bash -c 'echo no such engine; exit 3'"
check "a failure is counted once, whatever the exit status" '0 passed, 2 failed' "step odd bash -c 'echo 0 passed, 2 failed; exit 1'"
check "also where the exit status denies it" 'odd: 2 failed \(exit 0, [0-9]+ s\)' "step odd bash -c 'echo 0 passed, 2 failed'"
check "what was not run is said" 'NOT EVERYTHING WAS RUN: NOT RUN: x' "step some bash -c 'echo \"******** NOT RUN: x\"'"
check "a long line is cut" '    WRONG x{394}' "step long bash -c 'echo \"WRONG \$(printf x%.0s {1..600})\"; false'"
check "what runs beside is a step" '2 passed, 0 failed' "beside b/1 true; step other true; joined b/1"
check "also one that fails" 'b 1: 1 failed \(exit 1, [0-9]+ s\)' "beside 'b 1' bash -c '$two'; joined 'b 1'"
check "with its lines" '    row 2 WRONG' "beside 'b 1' bash -c '$two'; joined 'b 1'"
# it ends with the run, and what it has started too: nobody holds the lock any more
lock=$(mktemp /tmp/culprit-steps.XXXXXX)
bash -c '. tests/steps.sh; trap clear_up EXIT; mkfifo "$LOG/begun"; exec 3<> "$LOG/begun" 4> "$1"; flock 4
    beside b bash -c "sleep 1000 & echo >&3; wait"; read -r <&3' - "$lock"
if flock -w 60 "$lock" true; then
    right=$((right + 1))
else
    wrong=$((wrong + 1))
    echo "WRONG: what ran beside goes on after the end"
fi
rm -f "$lock"
if run "step fine bash -c 'echo 0 WRONG; echo 1 passed, 0 failed'" | grep -q FAILED; then
    wrong=$((wrong + 1))
    echo "WRONG: nothing failed, and nothing is listed"
else
    right=$((right + 1))
fi
echo "$right passed, $wrong failed"
[ $wrong = 0 ]
