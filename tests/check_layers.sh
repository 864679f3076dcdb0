#!/bin/bash
# SPDX-License-Identifier: MIT
# Compares every #include "folder/..." below src/ with the table of docs/architecture.md, and finds
# what libraries must not do: print, exit, read the environment.
cd "$(dirname "$0")/.." || exit 2

allowed() {
    case $1 in
    util) echo util ;;
    wire) echo wire ;;
    bpf) echo bpf wire ;;
    event) echo util wire event ;;
    foreign) echo util foreign ;;
    sensor) echo util wire event sensor bpf ;; # bpf: the generated skeletons
    cause) echo util event cause ;;
    attribution) echo util event cause attribution foreign ;;
    watch) echo util event cause attribution watch foreign ;;
    store) echo util event cause store ;;
    compare) echo util event cause attribution store compare foreign ;;
    report) echo util event cause store report ;;
    history) echo util event cause sensor search history ;;
    rules) echo util event sensor rules ;;
    search) echo util event sensor search ;;
    daemon) echo util event cause sensor attribution watch store report search history daemon foreign ;;
    cli) echo util event cause sensor attribution watch store compare report search rules history daemon cli foreign ;;
    esac
}

failed=0
for folder in src/*/; do
    name=$(basename "$folder")
    list=" $(allowed "$name") "
    if [ "$list" = "  " ]; then
        echo "layers: folder $name is not in the table"
        failed=1
    fi
    grep -q "src/$name/" docs/architecture.md || { echo "layers: docs/architecture.md does not name src/$name/"; failed=1; }
    while IFS=: read -r file line include; do
        to=$(sed -n 's/.*"\([a-z]*\)\/.*/\1/p' <<< "$include")
        [ -n "$to" ] && [ -d "src/$to" ] || continue
        case $list in
        *" $to "*) ;;
        *)
            echo "$file:$line: $name/ may not include $to/"
            failed=1
            ;;
        esac
    done < <(grep -rn '^#include "[a-z]*/' "$folder" --include='*.c' --include='*.h')
done
if grep -rnE '\b(printf|puts|perror|exit|getenv|secure_getenv)\(' src --include='*.c' |
    grep -vE '^src/(cli|bpf)/|_exit\(|bpf_printk|^[^:]*:[0-9]*: *(/?\*|//)'; then
    echo "layers: libraries neither print, exit, nor read the environment"
    failed=1
fi
[ $failed = 0 ] && echo "layers: every include is in the table"
exit $failed
