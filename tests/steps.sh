# SPDX-License-Identifier: MIT
# Steps of a run and their count; source it. Some run beside others. A log may be cut in the middle: what failed is listed once more
# at its end, and how long each step took.
LOG=$(mktemp -d /tmp/culprit-check.XXXXXX)
: > "$LOG/counts" # a line for each count: PASSED FAILED STEP
LAST_BEGIN=3900 # seconds: no step begins later, so that all of it ends within an hour and a half on whatever machine; what was not run is listed
ONCE_MORE=4800  # seconds: a step that would not be over by then is not run once more

pass() { echo "$1 0 ${2:-}" >> "$LOG/counts"; }
fail() { echo "0 $1 ${2:-}" >> "$LOG/counts"; }

# What a failed step says of its failures; else how it ended.
failures() { # failures OUTPUT
    local lines
    lines=$(grep -aE -A 8 --no-group-separator 'WRONG|FAILED|^not ok|(^|[^a-z])(error|Error|ERROR):' "$1" |
        grep -avE '(^|[ ,])0 (WRONG|FAILED)' | head -40)
    [ -n "$lines" ] || lines=$(tail -5 "$1")
    cut -c1-400 <<< "$lines" | sed 's/^/    /'
}

# step NAME COMMAND...: the last line "N passed, N failed" of its output counts, else its exit status
step() {
    local name=$1 out=$LOG/out.$BASHPID line began=$SECONDS rc bad=0 took
    shift
    if [ "$SECONDS" -gt "$LAST_BEGIN" ]; then
        echo "NOT RUN: $name: this machine was too slow" >> "$LOG/not"
        return
    fi
    [ -n "${BESIDE:-}" ] || echo "== $name"
    times > "$out.times" # of this shell: one of its own would have waited for nothing
    "$@" > "$out" 2>&1
    rc=$?
    times >> "$out.times"
    took=$((SECONDS - began))
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1)
    if [ -n "$line" ]; then
        pass "$(cut -d' ' -f1 <<< "$line")" "$name"
        bad=$(cut -d' ' -f3 <<< "$line")
    elif [ $rc = 0 ]; then
        pass 1 "$name"
    fi
    [ $rc = 0 ] || [ "$bad" != 0 ] || bad=1
    fail "$bad" "$name"
    {
        flock 7 # one step's words at a time
        grep -a '^\*\*\*\*\*\*\*\* NOT ' "$out" | sed 's/^\** //' >> "$LOG/not"
        grep -a '^UNSTABLE: ' "$out" | cut -c1-400 | name="$name: " awk '{sub(/^UNSTABLE: /, ENVIRON["name"]); print}' >> "$LOG/unstable"
        if [ "$bad" != 0 ]; then
            printf '%s: %s failed (exit %s, %s s)\n' "$name" "$bad" $rc $took
            failures "$out"
            # what a sanitizer or a fuzzer has found, or what crashed, has nothing to do with the machine
            grep -qaE 'SUMMARY: |runtime error: |[Ss]egmentation fault|core dumped' "$out" ||
                { printf '%s' $took; printf ' %q' "${ROTATE:-}" "${BUDGET:-}" "$name" "$@"; echo ' .'; } >> "$LOG/again"
        fi >> "$LOG/failed"
        echo "$took $began $(processors "$out.times") ${BESIDE:--} $name" >> "$LOG/seconds"
        [ -z "${BESIDE:-}" ] || echo "== $name (beside)"
        if [ $rc != 0 ]; then
            tail -60 "$out"
            echo "   FAILED: $name (exit $rc, $took s)"
        else
            [ -z "${SHOW:-}" ] || cat "$out"
            echo "   ok: $name: ${line:-done} ($took s)"
        fi
    } 7>> "$LOG/words"
}

# Each step that failed is run once more, by itself: whether it fails then too shows whether something is broken, or depends on what else the
# machine has to do. The second is a fault as well, of the test or of what it tests: it is listed as UNSTABLE, with its lines, to be mended.
once_more() {
    of_step() { name=$1 awk '{n = $0; for (i = 0; i < 4; i++) sub(/^[^ ]+ /, "", n)} n == ENVIRON["name"] {c++} END {print c + 0}' "$LOG/seconds"; }
    local took name words command bad
    [ -e "$LOG/again" ] || return 0
    mv "$LOG/again" "$LOG/first"
    while read -r -u 9 took words; do
        eval "command=($words)"
        unset 'command[-1]' # the dot: no line ends with a blank that counts
        name=${command[2]}
        [ "$(of_step "$name")" = 1 ] && [ $((SECONDS + took)) -lt "$ONCE_MORE" ] || continue
        mv "$LOG/failed" "$LOG/failed.first"
        mv "$LOG/counts" "$LOG/counts.first"
        : > "$LOG/counts"
        ROTATE=${command[0]} BUDGET=${command[1]} step "$name, once more" "${command[@]:3}"
        bad=$(awk '{f += $2} END {print f + 0}' "$LOG/counts")
        if [ "$bad" = 0 ]; then
            # its words the first time: those up to the next step's name
            name="$name: " awk '/^[^ ]/ {its = index($0, ENVIRON["name"]) == 1} its' "$LOG/failed.first" >> "$LOG/unstable"
            name="$name: " awk '/^[^ ]/ {its = index($0, ENVIRON["name"]) == 1} !its' "$LOG/failed.first" > "$LOG/failed"
            name=$name awk '{n = $0; sub(/^[0-9]+ [0-9]+ /, "", n)} n != ENVIRON["name"]' "$LOG/counts.first" >> "$LOG/counts"
        else
            cat "$LOG/failed" >> "$LOG/failed.first"
            mv "$LOG/failed.first" "$LOG/failed"
            mv "$LOG/counts.first" "$LOG/counts"
        fi
    done 9< "$LOG/first"
}

# processors FILE: with what `times` said before and after: the seconds of the processors of all that was waited for between
processors() {
    tr ms '  ' < "$1" | awk 'NR % 2 == 0 {s[NR] = $1 * 60 + $2 + $3 * 60 + $4} END {printf "%d", s[4] - s[2] + 0.5}'
}

# beside NAME COMMAND...: the steps of COMMAND (itself one, or a function) begin now, beside those that follow here, with all of the
# processors that nobody else wants, and never so little that they come to a halt: for what waits for nobody and has no deadline of its own, as a
# build. joined NAME: waits until they have ended. Environment: NICE (15, a thirtieth of the weight of the others; 10 is a tenth);
# EQUAL=1: as one of two, for what waits most of its time, or has to see something in time. SERIAL=1: nothing runs beside anything, which
# shows whether a failure comes from that.
beside() {
    local name=$1 file=$LOG/beside.${1//[!a-zA-Z0-9]/_}
    shift
    if [ -n "${SERIAL:-}" ]; then
        "$@"
        return
    fi
    set -m # a process group of its own, to be ended as one
    (
        trap - EXIT INT TERM
        BESIDE=${name// /_}
        # who is SCHED_BATCH interrupts nobody when it wakes
        [ -n "${EQUAL:-}" ] || { renice -n "${NICE:-15}" -p "$BASHPID"; chrt --batch --pid 0 "$BASHPID"; } > /dev/null 2>&1
        unset EQUAL
        "$@"
        : > "$file.ended"
    ) < /dev/null &
    set +m
    echo $! > "$file.pid"
}

joined() {
    local file=$LOG/beside.${1//[!a-zA-Z0-9]/_}
    [ -e "$file.pid" ] || return 0 # SERIAL
    wait "$(cat "$file.pid")"
    rm -f "$file.pid"
    [ -e "$file.ended" ] || step "all of: $1" false # killed: its other steps are missing
}

# For the trap of EXIT: what still runs beside is asked to end, as it has to clear up too, then made to; and the logs go.
clear_up() {
    local file pid i
    for file in "$LOG"/beside.*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        kill -TERM -- "-$pid" 2> /dev/null
        for ((i = 0; i < 300; i++)); do
            kill -0 -- "-$pid" 2> /dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$pid" 2> /dev/null
    done
    rm -rf "$LOG"
}

# A number that is another one at each commit: what does not fit into the time of one run has its turn in one of the next.
rotation() {
    git -c safe.directory='*' rev-list --count HEAD 2> /dev/null || echo 0
}

# unit BUILD [SUITE...]: one line for each cmocka test and each other test of the suites given
unit() {
    local build=$1 out ok=0 bad=0 rc said=$LOG/meson.$BASHPID
    shift
    meson test -C "$build" --no-rebuild --num-processes 2 "$@" > "$said" 2>&1
    rc=$?
    out=$build/meson-logs/testlog.txt
    ok=$(grep -aoE '\[  PASSED  \] [0-9]+ test' "$out" | awk '{n += $4} END {print n + 0}')
    bad=$(grep -aoE '^ ?[0-9]+ FAILED TEST' "$out" | awk '{n += $1} END {print n + 0}')
    [ $rc = 0 ] || { cat "$said"; grep -aE 'FAILED|ERROR|error:' "$out" | head -40; [ "$bad" -gt 0 ] || bad=1; }
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

# How long each step took, the longest first: seconds, when it began, seconds of the processors (without what nobody waited for, as
# daemons), beside what.
time_table() {
    echo "seconds  began  processors  step"
    sort -k1,1nr -k2,2n "$LOG/seconds" | while read -r took began used place name; do
        [ "$place" = - ] && place= || place="  (${place//_/ })"
        printf '%7d  %5d  %10d  %s%s\n' "$took" "$began" "$used" "$name" "$place"
    done
}

# Of each step its name and its first two lines
in_short() {
    awk '/^[^ ]/ {n = 0} n++ < 3 {print substr($0, 1, 200)}' | head -24
}

summary() {
    local passed failed
    read -r passed failed < <(awk '{p += $1; f += $2} END {print p + 0, f + 0}' "$LOG/counts")
    echo
    [ ! -s "$LOG/seconds" ] || time_table
    [ ! -s "$LOG/not" ] || echo "NOT EVERYTHING WAS RUN: $(paste -sd'|' "$LOG/not" | sed 's/|/; /g')"
    [ ! -s "$LOG/unstable" ] || { echo "UNSTABLE: once failed, and right by itself; to be mended:"; cat "$LOG/unstable"; }
    # of a log that is cut the end is left: what failed, in short
    [ ! -s "$LOG/failed" ] || { echo "FAILED:"; cat "$LOG/failed"; echo "FAILED, in short:"; in_short < "$LOG/failed"; }
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
