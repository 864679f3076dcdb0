#!/bin/bash
# SPDX-License-Identifier: MIT
# What naming the cause costs: instructions of the pipeline, and of it those for causes, counted by valgrind.
#   bench/cause.sh CULPRIT          exit status 1: more than the limit for one of them
# one: a process that makes and deletes many files; many: a process for each deletion, by one script; jobs: a script
# of its own for each, the same one, called with something else. These hold 2 %. scripts is the worst that can be: another
# script for each change, of which nothing is known yet; half of it is SHA-256, which valgrind's processor does
# without the instructions that a real one has for it. Without the store, which would make the share smaller.
culprit=${1:?the path of culprit}
work=$(mktemp -d) && mkdir "$work/d" && trap 'rm -rf "$work"' EXIT
cat > "$work/one" << 'END'
import os, sys
for i in range(10000):
    path = sys.argv[1] + "/f%d" % i
    open(path, "w").close()
    os.unlink(path)
END
cat > "$work/many" << 'END'
for i in $(seq 200); do : > "$1/f$i"; /bin/rm "$1/f$i"; done
END
cat > "$work/jobs" << 'END'
for i in $(seq 200); do sh "$0.one" "$1/f$i"; done
END
# shellcheck disable=SC2016
echo ': > "$1"; /bin/rm "$1"' > "$work/jobs.one"
for i in $(seq 200); do cp "$work/jobs.one" "$work/scripts.$i"; done
cat > "$work/scripts" << 'END'
for i in $(seq 200); do sh "$0.$i" "$1/f$i"; done
END
failed=0
for load in "one python3 2" "many sh 2" "jobs sh 2" "scripts sh 15"; do # % of the pipeline's instructions
    set -- $load
    valgrind --tool=callgrind --callgrind-out-file="$work/out.%p" \
        "$culprit" run --sensor fanotify --no-store -w "$work/d" -- "$2" "$work/$1" "$work/d" > "$work/text" 2>&1
    # functions of cause.h and those of event/cause.h; what they call is counted with them
    callgrind_annotate --inclusive=yes --threshold=100 "$(ls -S "$work"/out.* | head -1)" |
        awk -v name="$1" -v limit="$3" '/=>/ { next }
            { gsub(",", "", $1) }
            /\.c:pipeline_run / { all = $1 }
            /\.c:(cause_remember|cause_copy|cause_done|cause_has_exited|cause_suits_siblings|cause_of_sibling) / { cause += $1 }
            END {
                if (!all || !cause) { print name ": not measured"; exit 1 }
                share = 100 * cause / all
                printf "%-7s %6.1f million instructions in the pipeline, %.2f %% for causes (limit: %d %%)\n", name, all / 1e6, share, limit
                exit share > limit
            }' || failed=1
    rm -f "$work"/out.*
done
[ $failed = 0 ] || echo "FAILED: more than the limit, or not measured"
exit $failed
