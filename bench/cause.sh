#!/bin/bash
# SPDX-License-Identifier: MIT
# What naming the cause costs: instructions of the pipeline, and of it those for causes, counted by valgrind.
#   bench/cause.sh CULPRIT
# one: a process that makes and deletes many files; many: a process for each deletion.
culprit=${1:?the path of culprit}
work=$(mktemp -d) && mkdir "$work/d" && trap 'rm -rf "$work"' EXIT
cat > "$work/one" << 'EOF'
import os, sys
for i in range(10000):
    path = sys.argv[1] + "/f%d" % i
    open(path, "w").close()
    os.unlink(path)
EOF
cat > "$work/many" << 'EOF'
for i in $(seq 200); do : > "$1/f$i"; /bin/rm "$1/f$i"; done
EOF
for load in "one python3" "many sh"; do
    set -- $load
    valgrind --tool=callgrind --callgrind-out-file="$work/out.%p" \
        "$culprit" run --sensor fanotify --no-store -w "$work/d" -- "$2" "$work/$1" "$work/d" > "$work/text" 2>&1
    callgrind_annotate --inclusive=yes --threshold=100 "$(ls -S "$work"/out.* | head -1)" |
        awk -v name="$1" '/=>/ { next }
            { gsub(",", "", $1) }
            /:pipeline_run/ { all = $1 }
            /:(cause_remember|cause_copy|cause_done|cause_has_exited) / { cause += $1 }
            END { printf "%-5s %d million instructions in the pipeline, %.2f %% for causes\n", name, all / 1e6, 100 * cause / all }'
    rm -f "$work"/out.*
done
