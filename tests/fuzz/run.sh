#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzz each decoder for SECONDS with libFuzzer and the sanitizers: tests/fuzz/run.sh [SECONDS]
# A finding is kept in build-fuzz/findings; minimised, it becomes a file of tests/fuzz/corpus.
set -u
cd "$(dirname "$0")/../.." || exit 2
SECONDS_EACH=${1:-30}
BUILD=build-fuzz
passed=0 failed=0

case $SECONDS_EACH in
'' | 0 | *[!0-9]*)
    echo "usage: $0 [SECONDS]" >&2
    exit 2
    ;;
esac
if ! command -v clang > /dev/null; then
    echo "fuzz: clang is missing: run \`make deps\`" >&2
    echo "0 passed, 1 failed"
    exit 1
fi
targets=()
for source in tests/fuzz/fuzz_*.c; do
    target=${source##*/}
    targets+=("${target%.c}")
done
if [ ! -e $BUILD/build.ninja ]; then
    CC=clang meson setup $BUILD -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false || {
        echo "0 passed, 1 failed"
        exit 1
    }
fi
ninja -C $BUILD "${targets[@]/#/tests/fuzz/}" || {
    echo "0 passed, 1 failed"
    exit 1
}
mkdir -p $BUILD/findings
work=$(mktemp -d /tmp/culprit-fuzz.XXXXXX) || exit 2
trap 'rm -rf "$work"' EXIT
for target in "${targets[@]}"; do
    corpus=tests/fuzz/corpus/${target#fuzz_}
    mkdir -p "$work/$target"
    # new inputs go to the first directory: the corpus in the repository is chosen by hand
    if $BUILD/tests/fuzz/"$target" "$work/$target" "$corpus" -max_total_time="$SECONDS_EACH" \
        -max_len=65536 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$BUILD/findings/$target-" > "$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "$target: $(awk '/number_of_executed_units/ {print $2}' "$work/log") inputs, nothing found"
    else
        failed=$((failed + 1))
        tail -n 60 "$work/log"
        echo "$target: FAILED, see $BUILD/findings"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
