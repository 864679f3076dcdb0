#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzz each decoder for SECONDS with libFuzzer and the sanitizers: tests/fuzz/run.sh [SECONDS]; --build builds them only.
# Those that read what comes from other machines (logs, rule files, command lines) get twice the time. One target for
# each processor at a time.
# A finding is kept in build-fuzz/findings; minimised, it becomes a file of tests/fuzz/corpus. What reaches new code is kept in
# build-fuzz/corpus. An input that takes a minute of the processor is a finding (limit.c), as is one that hangs.
# Environment: ROTATE=N plays those with twice the time and a third of the others, the next third for the next N.
set -u
cd "$(dirname "$0")/../.." || exit 2
THIRDS=3
[ "${1:-}" != --build ] || { BUILD_ONLY=1 && shift; }
SECONDS_EACH=${1:-30}
TWICE=" audit form rules search unpack when "
BUILD=build-fuzz

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
    target=${source##*/fuzz_}
    targets+=("${target%.c}")
done
if [ ! -e $BUILD/build.ninja ]; then
    CC=clang meson setup $BUILD -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false || {
        echo "0 passed, 1 failed"
        exit 1
    }
fi
ninja -C $BUILD "${targets[@]/#/tests/fuzz/fuzz_}" || {
    echo "0 passed, 1 failed"
    exit 1
}
[ -z "${BUILD_ONLY:-}" ] || exit 0
mkdir -p $BUILD/findings
work=$(mktemp -d /tmp/culprit-fuzz.XXXXXX) || exit 2
trap 'rm -rf "$work"' EXIT

seconds_of() {
    case $TWICE in
    *" $1 "*) echo $((SECONDS_EACH * 2)) ;;
    *) echo "$SECONDS_EACH" ;;
    esac
}

if [ -n "${ROTATE:-}" ]; then
    all=("${targets[@]}") targets=() later=() n=$ROTATE
    for target in "${all[@]}"; do
        if [[ $TWICE = *" $target "* ]] || [ $((n++ % THIRDS)) = 0 ]; then
            targets+=("$target")
        else
            later+=("$target")
        fi
    done
    echo "******** NOT FUZZED this time, but at one of the next commits: ${later[*]}"
fi

# What one allocation may be. libarchive asks for as much as a header says, and fills no more of it than there is: the limit of the
# worker that reads packages refuses that (foreign/sandbox.c), but there is none with the sanitizer.
malloc_mb_of() {
    case $1 in
    deb) echo 16384 ;;
    *) echo 2048 ;;
    esac
}

# fuzz TARGET: its last words in $work/TARGET.log, and whether it found nothing in $work/TARGET.ok
fuzz() {
    local target=$1 dict=tests/fuzz/dict/$1 options=()
    [ -e "$dict" ] && options+=("-dict=$dict")
    mkdir -p "$BUILD/corpus/$target"
    # new inputs go to the first directory, and the next run begins with them: the corpus in the repository is chosen by hand
    $BUILD/tests/fuzz/fuzz_"$target" "$BUILD/corpus/$target" tests/fuzz/corpus/"$target" "${options[@]}" \
        -max_total_time="$(seconds_of "$target")" -max_len=65536 -rss_limit_mb=2048 -malloc_limit_mb="$(malloc_mb_of "$target")" -timeout=600 \
        -print_final_stats=1 \
        -artifact_prefix="$BUILD/findings/$target-" > "$work/$target.log" 2>&1 && : > "$work/$target.ok"
}

# The long ones first: then the processors end at about the same time.
for target in $(for t in "${targets[@]}"; do echo "$(seconds_of "$t") $t"; done | sort -rn | cut -d' ' -f2); do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
        wait -n
    done
    fuzz "$target" &
done
wait
passed=0 failed=0 total=0
for target in "${targets[@]}"; do
    if [ -e "$work/$target.ok" ]; then
        passed=$((passed + 1))
        inputs=$(awk '/number_of_executed_units/ {print $2}' "$work/$target.log")
        total=$((total + inputs))
        echo "$target: $inputs inputs in $(seconds_of "$target") s, nothing found"
    else
        failed=$((failed + 1))
        tail -n 60 "$work/$target.log"
        echo "$target: FAILED, see $BUILD/findings"
    fi
done
echo "$total inputs in all"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
