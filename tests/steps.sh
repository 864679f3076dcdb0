# SPDX-License-Identifier: MIT
# Steps of a run and their count; source it. A log may be cut in the middle: what failed stands once more at its end.
LOG=$(mktemp -d /tmp/culprit-check.XXXXXX)
passed=0 failed=0

pass() { passed=$((passed + $1)); }
fail() { failed=$((failed + $1)); }

# What a failed step says of its failures; else how it ended.
failures() {
    local lines
    lines=$(grep -aE -A 3 --no-group-separator 'WRONG|FAILED|^not ok|(^|[^a-z])(error|Error|ERROR):' "$LOG/out" |
        grep -avE '(^|[ ,])0 (WRONG|FAILED)' | head -24)
    [ -n "$lines" ] || lines=$(tail -5 "$LOG/out")
    cut -c1-400 <<< "$lines" | sed 's/^/    /'
}

# step NAME COMMAND...: the last line "N passed, N failed" of its output counts, else its exit status
step() {
    local name=$1 line t0=$SECONDS rc bad=0
    shift
    printf '== %s\n' "$name"
    "$@" > "$LOG/out" 2>&1
    rc=$?
    grep -a '^\*\*\*\*\*\*\*\* NOT ' "$LOG/out" | sed 's/^\** //' >> "$LOG/not"
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$LOG/out" | tail -1)
    if [ -n "$line" ]; then
        pass "$(cut -d' ' -f1 <<< "$line")"
        bad=$(cut -d' ' -f3 <<< "$line")
    elif [ $rc = 0 ]; then
        pass 1
    fi
    [ $rc = 0 ] || [ "$bad" != 0 ] || bad=1
    fail "$bad"
    if [ "$bad" != 0 ]; then
        printf '%s: %s failed (exit %s, %s s)\n' "$name" "$bad" $rc $((SECONDS - t0)) >> "$LOG/failed"
        failures >> "$LOG/failed"
    fi
    if [ $rc != 0 ]; then
        tail -60 "$LOG/out"
        echo "   FAILED: $name (exit $rc, $((SECONDS - t0)) s)"
    else
        [ -z "${SHOW:-}" ] || cat "$LOG/out"
        echo "   ok: ${line:-done} ($((SECONDS - t0)) s)"
    fi
}

# beside NAME COMMAND...: begins now, with what the processors have left (SCHED_IDLE: whoever wakes goes before it), while other
# steps wait for something. joined NAME: its step, once it has ended. For what has no deadline of its own, as a build.
beside() {
    local file=$LOG/beside.${1//[!a-zA-Z0-9]/_}
    shift
    set -m # a process group of its own, to be ended as one
    (
        chrt --idle --pid 0 "$BASHPID" > /dev/null 2>&1 || renice -n 19 -p "$BASHPID" > /dev/null 2>&1
        "$@"
    ) > "$file.out" 2>&1 < /dev/null &
    set +m
    echo $! > "$file.pid"
}

joined() {
    step "$1" end_of_beside "$LOG/beside.${1//[!a-zA-Z0-9]/_}"
}

end_of_beside() { # end_of_beside FILE
    local rc
    wait "$(cat "$1.pid")"
    rc=$?
    rm -f "$1.pid"
    cat "$1.out"
    return $rc
}

# For the trap of EXIT: what still runs beside ends, and the logs go.
clear_up() {
    local file
    for file in "$LOG"/beside.*.pid; do
        [ ! -e "$file" ] || kill -KILL -- "-$(cat "$file")" 2> /dev/null
    done
    rm -rf "$LOG"
}

# A number that is another one at each commit: what does not fit into the time of one run has its turn in one of the next.
rotation() {
    git -c safe.directory='*' rev-list --count HEAD 2> /dev/null || echo 0
}

# unit BUILD [SUITE...]: one line for each cmocka test and each other test of the suites given
unit() {
    local build=$1 out ok=0 bad=0 rc
    shift
    meson test -C "$build" --no-rebuild --num-processes 2 "$@" > "$LOG/meson" 2>&1
    rc=$?
    out=$build/meson-logs/testlog.txt
    ok=$(grep -aoE '\[  PASSED  \] [0-9]+ test' "$out" | awk '{n += $4} END {print n + 0}')
    bad=$(grep -aoE '^ ?[0-9]+ FAILED TEST' "$out" | awk '{n += $1} END {print n + 0}')
    [ $rc = 0 ] || { cat "$LOG/meson"; grep -aE 'FAILED|ERROR|error:' "$out" | head -40; [ "$bad" -gt 0 ] || bad=1; }
    echo "$ok passed, $bad failed"
    return $rc
}

# build DIR OPTIONS...
build() {
    local dir=$1
    shift
    if [ -e "$dir/build.ninja" ]; then
        meson configure "$dir" "$@" || return
    else
        meson setup "$dir" "$@" || return
    fi
    ninja -C "$dir"
}

summary() {
    echo
    [ ! -s "$LOG/failed" ] || { echo "FAILED:"; cat "$LOG/failed"; }
    [ ! -s "$LOG/not" ] || echo "NOT EVERYTHING WAS RUN: $(paste -sd'|' "$LOG/not" | sed 's/|/; /g')"
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
