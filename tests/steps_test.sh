#!/bin/bash
# SPDX-License-Identifier: MIT
# What a run of steps says at its end: each step that failed, with its own lines, and how many.
set -u
cd "$(dirname "$0")/.." || exit 2
right=0 wrong=0
WORK=$(mktemp -d /tmp/culprit-steps.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

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
check "at the very end in short" 'FAILED, in short:' "step second bash -c '$two'"
check "and what follows it" '      because' "step second bash -c '$two'"
check "all are counted" '3 passed, 1 failed' "step first true; step second bash -c '$two'; step third true"
check "a step that says nothing counts once" 'silent: 1 failed \(exit 3, [0-9]+ s\)' "step silent bash -c 'exit 3'"
check "then its last lines stand there" '    no such engine' "step silent bash -c 'echo no such engine; exit 3'"
check "a failure is counted once, whatever the exit status" '0 passed, 2 failed' "step odd bash -c 'echo 0 passed, 2 failed; exit 1'"
check "also where the exit status denies it" 'odd: 2 failed \(exit 0, [0-9]+ s\)' "step odd bash -c 'echo 0 passed, 2 failed'"
check "what was not run is said" 'NOT EVERYTHING WAS RUN: NOT RUN: x' "step some bash -c 'echo \"******** NOT RUN: x\"'"
check "a long line is cut" '    WRONG x{394}' "step long bash -c 'echo \"WRONG \$(printf x%.0s {1..600})\"; false'"
check "what there is no time for is not begun, and said" 'NOT EVERYTHING WAS RUN: NOT RUN: x: this machine was too slow' "LAST_BEGIN=-1; step x false"
check "and is no failure" '1 passed, 0 failed' "step y true; LAST_BEGIN=-1; step x false"
check "what runs beside is counted" '3 passed, 0 failed' "beside b/1 step x true; step other true; joined b/1; step after true"
check "also what fails there" 'x: 1 failed \(exit 1, [0-9]+ s\)' "beside 'b 1' step x bash -c '$two'; joined 'b 1'"
check "with its lines" '    row 2 WRONG' "beside 'b 1' step x bash -c '$two'; joined 'b 1'"
check "all of its steps" '4 passed, 1 failed' "f() { step x bash -c '$two'; step y true; step z true; }; beside b f; step other true; joined b"
check "two of them, and what the first left" '3 passed, 0 failed' "EQUAL=1 beside a step x true; beside b step y true; joined b; joined a; step z true"
check "one that is killed has not passed" 'all of: b: 1 failed \(exit 1, [0-9]+ s\)' 'f() { step x true; kill -KILL $BASHPID; step y true; }; beside b f; joined b'
check "or one after the other" ' +[0-9]+ +[0-9]+ +[0-9]+  x' "SERIAL=1; beside 'b 1' step x true; joined 'b 1'"
check "what was not run beside is said" 'NOT EVERYTHING WAS RUN: NOT RUN: x' "beside b step some bash -c 'echo \"******** NOT RUN: x\"'; joined b"
check "how long a step took is listed" ' +[0-9]+ +[0-9]+ +[0-9]+  first and last' "step 'first and last' true"
check "and beside what" ' +[0-9]+ +[0-9]+ +[0-9]+  x  \(b 1\)' "beside 'b 1' step x true; joined 'b 1'"
check "and what it took of the processors" ' +[0-9]+ +[0-9]+ +[1-9][0-9]*  busy' \
    "step busy python3 -c 'import time
while time.process_time() < 1.1: pass'"
check "what a step itself calls unstable is listed" 'x: row 2 WRONG' "step x bash -c 'echo UNSTABLE: row 2 WRONG'"
check "and does not count" '1 passed, 0 failed' "step x bash -c 'echo UNSTABLE: row 2 WRONG'"
# what fails once more is broken; what does not is said too
once="[ -e $WORK/once.\$n ] && { echo 3 passed, 0 failed; exit; }; touch $WORK/once.\$n; $two"
check "what failed once, and not by itself, is not counted" '5 passed, 0 failed' "n=1; export n; step 'a b' bash -c '$once'; step c true; step d true; once_more"
check "but said" 'UNSTABLE: .*' "n=2; export n; step 'a b' bash -c '$once'; once_more"
check "with its lines" '      because' "n=3; export n; step 'a b' bash -c '$once'; once_more"
check "what fails twice is counted once" '2 passed, 1 failed' "step x bash -c '$two'; step y true; once_more"
check "and listed" 'x, once more: 1 failed \(exit 1, [0-9]+ s\)' "step x bash -c '$two'; once_more"
check "also what ran beside, by a function, in its turn" '6 passed, 1 failed' \
    "n=4; export n; f() { bash -c '$once'; }; g() { ROTATE=7 step 'a b' f; step x bash -c '$two'; }; beside b g; step y true; step z true; joined b; once_more"
check "with the same turn" '7 passed, 0 failed' "f() { [ -e $WORK/6 ] && echo \$ROTATE passed, 0 failed && return; touch $WORK/6; false; }; ROTATE=7 step x f; ROTATE=; once_more"
check "its arguments are the same" '1 passed, 0 failed' "f() { [ -e $WORK/7 ] && [ \"\$1\" = 'a ' ] && return; touch $WORK/7; false; }; step 'x\\\\y' f 'a '; once_more"
check "one of two of the same name has failed" '0 passed, 2 failed' "f() { [ -e $WORK/8 ] && return; touch $WORK/8; false; }; step x f; step x false; once_more"
check "what a sanitizer has found is not run once more" '0 passed, 1 failed' \
    "f() { [ -e $WORK/9 ] && return; touch $WORK/9; echo SUMMARY: AddressSanitizer: 8 bytes leaked; false; }; step x f; once_more"
check "what there is no time for has failed" '0 passed, 1 failed' "ONCE_MORE=0; n=5; export n; step 'a b' bash -c '[ -e $WORK/5 ] && exit; touch $WORK/5; false'; once_more"
# a step's words are not mixed with those of others
mixed=$(run 'lines() { seq 2000 | sed "s/^/$1 /"; }; f() { SHOW=1 step b lines b; }; beside b f; SHOW=1 step a lines a; joined b' |
    sed -n 's/ [0-9]*$//; /^[ab]$/p' | uniq | wc -l)
if [ "$mixed" = 2 ]; then
    right=$((right + 1))
else
    wrong=$((wrong + 1))
    echo "WRONG: the words of two steps are mixed: $mixed changes"
fi
# it ends with the run, and what it has started too: nobody holds the lock any more
lock=$WORK/lock
bash -c '. tests/steps.sh; trap clear_up EXIT; mkfifo "$LOG/begun"; exec 3<> "$LOG/begun" 4> "$1"; flock 4
    beside b bash -c "sleep 1000 & echo >&3; wait"; read -r <&3' - "$lock"
if flock -w 60 "$lock" true; then
    right=$((right + 1))
else
    wrong=$((wrong + 1))
    echo "WRONG: what ran beside goes on after the end"
fi
# and what it has to clear away, it can
trace=$WORK/trace
mkdir "$trace"
bash -c '. tests/steps.sh; trap clear_up EXIT; mkfifo "$LOG/begun"; exec 3<> "$LOG/begun"
    beside b step x bash -c "trap \"rm -r $1\" EXIT; echo >&3; sleep 1000"; read -r <&3' - "$trace"
if [ ! -e "$trace" ]; then
    right=$((right + 1))
else
    wrong=$((wrong + 1))
    echo "WRONG: what ran beside had no time to clear up"
fi
if run "step fine bash -c 'echo 0 WRONG; echo 1 passed, 0 failed'" | grep -q FAILED; then
    wrong=$((wrong + 1))
    echo "WRONG: nothing failed, and nothing is listed"
else
    right=$((right + 1))
fi
echo "$right passed, $wrong failed"
[ $wrong = 0 ]
