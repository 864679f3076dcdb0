# SPDX-License-Identifier: MIT
# In the guest: guard_guest.sh CULPRIT QUICK PLACES [TESTS]. Results go to /out/results: "passed NAME", "failed NAME: WHY", and
# "table PLACE denied N none N" for each file system.
culprit=$1 quick=$2 places=$3 tests=${4:-}
actors=$(dirname "$culprit")/tests/actors
scenario=$(cd "$(dirname "$0")/../scenario" && pwd)
module loop ext4 xfs btrfs overlay 2> /dev/null
mount --make-rshared /
status=0
exec 3> /out/results
result() { # result NAME REASON: empty is passed
    if [ -z "$2" ]; then echo "passed $1" >&3; else echo "failed $1: $2" >&3; status=1; fi
    echo "$(cut -d. -f1 /proc/uptime) s: $1 ${2:-passed}"
}
is_listed() { tr , '\n' < /sys/kernel/security/lsm | grep -qx bpf; }
preempts() { ! grep -qE '\((none|voluntary)\)' /sys/kernel/debug/sched/preempt 2> /dev/null && ! uname -v | grep -qv PREEMPT; }
mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null

new_place() { # new_place TYPE FOLDER
    mkdir -p "$2"
    case $1 in
    tmpfs) mount -t tmpfs tmpfs "$2" ;;
    ext4) truncate -s 96M "/run/$1.img" && mkfs.ext4 -F -q "/run/$1.img" && mount -o loop "/run/$1.img" "$2" ;;
    xfs) truncate -s 320M "/run/$1.img" && mkfs.xfs -f -q "/run/$1.img" && mount -o loop "/run/$1.img" "$2" ;;
    btrfs) truncate -s 160M "/run/$1.img" && mkfs.btrfs -f -q "/run/$1.img" > /dev/null 2>&1 && mount -o loop "/run/$1.img" "$2" ;;
    esac
}

# guard_begin TARGET...: in the background, once it says "guarded"; options in $options
guard_begin() {
    echo "$(cut -d. -f1 /proc/uptime) s: guarding $*"
    "$culprit" guard --method bpf --no-store --format json $options "$@" > /run/guard.out 2> /run/guard.err &
    guard=$!
    local i
    for ((i = 0; i < 3000; i++)); do
        grep -q '^culprit: guarded: ' /run/guard.err && return 0
        kill -0 $guard 2> /dev/null || break
        sleep 0.1
    done
    return 1
}
guard_end() {
    kill -INT $guard 2> /dev/null
    wait $guard
    sed 's/^/    /' /run/guard.err > /run/guard.err.last
}

# Every way: ways_of NAME FOLDER OUTSIDE [options of ways] -- TARGET...
ways_of() {
    local name=$1 folder=$2 outside=$3 own=() bad
    shift 3
    while [ "$1" != -- ]; do own+=("$1"); shift; done
    shift
    mkfifo /run/go
    "$actors/ways" "${own[@]}" "$folder" "$outside" < /run/go > /run/ways.out 2>&1 &
    local ways=$!
    exec 4> /run/go
    while ! grep -q prepared /run/ways.out; do sleep 0.1; kill -0 $ways || break; done
    rm -f /run/go
    if ! guard_begin "$@"; then
        exec 4>&-
        wait $ways
        result "$name" "not guarded: $(tail -2 /run/guard.err | tr '\n' ' ')"
        return
    fi
    echo go >&4
    exec 4>&-
    wait $ways
    sleep 1
    guard_end
    cp /run/ways.out "/out/ways.$name"
    cp /run/guard.out "/out/events.$name"
    cp /run/guard.err "/out/said.$name"
    bad=$(grep -E ' (passed|changed|kept out|failed)' /run/ways.out | grep -v '^old_store ' | tr '\n' ';')
    [ "$(grep -c ' works$' /run/ways.out)" = 6 ] || bad="$bad uses: $(grep -c ' works$' /run/ways.out) of 6;"
    result "$name: every way is refused" "$bad"
    echo "table $name denied $(grep -c ' denied$' /run/ways.out) none $(grep -c ' none$' /run/ways.out)" >&3
    reported "$name"
}

# Each refusal that was counted is among the events, with its actor and who denied it; but those by handle.
reported() {
    local why
    why=$(python3 -c '
import json, sys
events, acts, end = [], set(), {}
for line in open("/run/guard.out"):
    e = json.loads(line)
    if e.get("event", {}).get("dataset") == "culprit.guard":
        end = e["culprit"]["guard"]
    elif e.get("culprit", {}).get("denied_by") == "guard":
        events.append(e)
        acts.add((e["@timestamp"], e["process"]["pid"])) # a rename over a file, and an exchange, are two events
lost = end.get("without_path", 0)
counted = end.get("refused", 0) - lost
nameless = [e for e in events if not e.get("process", {}).get("pid") or not e.get("file", {}).get("path")]
if len(acts) != counted or nameless or not counted or lost > 1:
    print(f"{counted} refused, {len(acts)} reported, {len(nameless)} of them without actor or path, {lost} not reported")
')
    result "$1: each refusal is reported" "$why"
}

plain() { # plain TYPE
    local base=/run/place/$1
    new_place "$1" "$base" || { result "$1" "cannot be made here"; return; }
    mkdir -p "$base/p/g" "$base/o"
    ways_of "$1" "$base/p/g" "$base/o" -m -l -- "$base/p/g"
    umount -l "$base"
}

# files in the writable layer, or below in a lower one; the layers are found by guard itself
overlay() { # overlay NAME
    local base=/run/place/$1
    new_place ext4 "$base" || { result "$1" "cannot be made here"; return; }
    mkdir -p "$base"/{lower/p/g,lower/o,upper,work,merged}
    [ "$1" = overlay-upper ] || "$actors/ways" -m "$base/lower/p/g" "$base/lower/o" < /dev/null > /dev/null 2>&1
    mount -t overlay -o "lowerdir=$base/lower,upperdir=$base/upper,workdir=$base/work" overlay "$base/merged" || return
    touch "$base/merged/p/other" "$base/merged/o/other"
    case $1 in
    overlay-upper) ways_of "$1" "$base/merged/p/g" "$base/merged/o" -m -l -t "$base/upper/p" -- "$base/merged/p/g" ;;
    overlay-lower) ways_of "$1" "$base/merged/p/g" "$base/merged/o" -t "$base/lower/p" -- "$base/merged/p/g" ;;
    overlay-direct)
        touch "$base/merged/p/g/f" "$base/merged/p/g/x" "$base/merged/p/g/facl" "$base/merged/p/g/sub/deep/f"
        chmod 755 "$base/merged/p/g/empty"
        mkdir -p "$base/upper/o"
        ways_of "$1" "$base/upper/p/g" "$base/upper/o" -- "$base/merged/p/g"
        ;;
    esac
    umount -l "$base/merged"
    umount -l "$base"
    rm -f /run/ext4.img
}

# One processor, six processes that are interrupted by each other: not one file may go.
race() {
    local base=/run/race i pids=() left
    mkdir -p $base
    mount -t tmpfs tmpfs $base
    mkdir -p $base/g
    for i in 1 2 3 4 5 6; do mkdir $base/g/$i; (cd $base/g/$i && seq 300 | xargs touch); done
    guard_begin $base/g || { result race "not guarded: $(tail -1 /run/guard.err)"; return; }
    for i in 1 2 3 4 5 6; do
        timeout 8 sh -c "cd $base/g/$i; while :; do rm -f *; done" 2> /dev/null &
        pids+=($!)
    done
    wait "${pids[@]}"
    left=$(find $base/g -type f | wc -l)
    kill -KILL $guard
    wait $guard 2> /dev/null
    result "race of six processes" "$([ "$left" = 1800 ] || echo "$((1800 - left)) of 1800 files are gone")"
    umount -l $base
}

ends() {
    local base=/run/ends before after i
    mkdir -p $base/g
    seq 50 | sed "s,^,$base/g/," | xargs touch
    guard_begin $base/g || { result ends "not guarded: $(tail -1 /run/guard.err)"; return; }
    rm $base/g/1 2> /dev/null && result "refused while it runs" "deleted"
    kill -KILL $guard
    # as an emulated processor has it: the kernel frees programs when it has the time
    for ((i = 0; i < 1200; i++)); do rm -f $base/g/1 2> /dev/null && break; sleep 0.05; done
    wait $guard 2> /dev/null
    result "kill -9 frees" "$([ -e $base/g/1 ] && echo "still refused after a minute")"
    guard_begin $base/g
    kill -STOP $guard
    before=$SECONDS
    while ! rm -f $base/g/2 2> /dev/null && [ $((SECONDS - before)) -lt 120 ]; do sleep 0.1; done
    after=$((SECONDS - before))
    # the last renewal is a second old, or some more where the machine is busy; when it is seen that it is over, the machine decides
    result "SIGSTOP frees after its lease" "$([ -e $base/g/2 ] || [ $after -lt 5 ] && echo "after $after s")"
    kill -CONT $guard
    for ((i = 0; i < 600; i++)); do chmod 644 $base/g/3 2> /dev/null || break; sleep 0.1; done
    rm -f $base/g/3 2> /dev/null && result "continued it refuses again" deleted
    "$culprit" doctor 2> /dev/null | grep -q "^guard .*$base/g, bpf, by pid $guard" || result "doctor lists it" "$("$culprit" doctor 2>&1 | grep '^guard')"
    "$culprit" guard --off > /run/off 2>&1
    rm -f $base/g/3 2> /dev/null || result "--off ends it" "$(cat /run/off)"
    wait $guard
    grep -q "nothing was refused, because culprit was stopped" /run/guard.err || result "the time without it is reported" "$(tail -3 /run/guard.err)"
    result "its ends" ""
}

# Unless it is confirmed it ends by itself; whoever asked for it may hang.
confirmed() {
    local base=/run/confirm why= i
    mkdir -p $base/g
    touch $base/g/1 $base/g/2 $base/g/3
    options="$options --confirm 20s"
    guard_begin $base/g || { result confirmed "not guarded: $(tail -1 /run/guard.err)"; options=${options% --confirm*}; return; }
    rm $base/g/1 2> /dev/null && why="$why not refused before;"
    wait $guard
    grep -q "nobody confirmed it within 20s" /run/guard.err || why="$why $(tail -2 /run/guard.err);"
    rm $base/g/1 2> /dev/null || why="$why refused after its end;"
    guard_begin $base/g
    "$culprit" guard --confirmed > /run/confirmed 2>&1 || why="$why $(cat /run/confirmed);"
    "$culprit" doctor 2> /dev/null | grep -q "^guard .*unless it is confirmed" && why="$why doctor does not know;"
    sleep 32
    rm $base/g/2 2> /dev/null && why="$why not refused after it was confirmed;"
    guard_end
    rm $base/g/2 2> /dev/null || why="$why refused after its end;"
    result "--confirm" "$why"
    options=${options% --confirm*}
}

# Who may is known by what nobody else can have; and may not be written into.
allowed() {
    local base=/run/may why= i
    mkdir -p $base/g $base/bin /sys/fs/cgroup/may.scope
    for i in 1 2 3 4 5 6 7 8; do echo $i > $base/g/$i; done
    chmod 777 $base/g
    cp /bin/rm $base/bin/remover
    cp /bin/rm $base/bin/copy
    # in that cgroup, whatever it is by then
    echo "echo \$\$ > /sys/fs/cgroup/may.scope/cgroup.procs && rm -f \$1" > $base/inside
    options="$options --allow $base/bin/remover --allow user:nobody --allow may.scope"
    guard_begin $base/g || { result allowed "not guarded: $(tail -1 /run/guard.err)"; return; }
    $base/bin/remover -f $base/g/1 2> /dev/null
    [ -e $base/g/1 ] && why="$why the executable is refused;"
    $base/bin/copy -f $base/g/2 2> /dev/null
    [ -e $base/g/2 ] || why="$why a copy of it may;"
    cp /bin/false $base/bin/remover 2> /dev/null && why="$why it can be written to;"
    mv $base/bin/copy $base/bin/remover 2> /dev/null && why="$why it can be replaced;"
    busybox chpst -u nobody rm -f $base/g/3 2> /dev/null || setpriv --reuid nobody --clear-groups rm -f $base/g/3
    [ -e $base/g/3 ] && why="$why the user is refused;"
    sh $base/inside $base/g/4
    [ -e $base/g/4 ] && why="$why the cgroup is refused;"
    # as a restart leaves it
    for ((i = 0; i < 600; i++)); do rmdir /sys/fs/cgroup/may.scope 2> /dev/null && break; sleep 0.1; done
    mkdir /sys/fs/cgroup/may.scope
    for ((i = 0; i < 600; i++)); do sh $base/inside $base/g/5 2> /dev/null; [ -e $base/g/5 ] || break; sleep 0.1; done
    [ -e $base/g/5 ] && why="$why the cgroup is refused after a restart;"
    rm -f $base/g/6 2> /dev/null && why="$why everybody may;"
    result "who may" "$why"
    guard_end
    options=${options%% --allow*}
}

# A subvolume goes by a call that no hook of names sees.
subvolume() {
    new_place btrfs /run/sub || return
    btrfs subvolume create /run/sub/sv > /dev/null
    mkdir /run/sub/sv/g
    echo a > /run/sub/sv/g/f
    guard_begin /run/sub/sv/g || { result subvolume "not guarded: $(tail -1 /run/guard.err)"; return; }
    btrfs subvolume delete /run/sub/sv > /run/deleted 2>&1
    result "a subvolume is not deleted" "$([ -e /run/sub/sv/g/f ] || echo gone)"
    guard_end
    umount -l /run/sub
}

# A start of a container makes its own view of the file system: that goes on.
containers() {
    local why=
    mkdir -p /run/con/g /run/con/root
    echo a > /run/con/g/f
    guard_begin /run/con/g || { result containers "not guarded: $(tail -1 /run/guard.err)"; return; }
    unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs t /run/con/g && mount --bind / /run/con/root && umount /run/con/root' \
        2> /run/unshare.err || why=$(cat /run/unshare.err)
    mount -t tmpfs t /run/con/g 2> /dev/null && why="$why mounted over, here"
    result "another namespace mounts as it likes" "$why"
    guard_end
}

# A container of a real dockerd: its restarts, every access path to its files, who may.
engine() {
    command -v dockerd > /dev/null || { echo "not run: dockerd is not here"; return; }
    mkdir -p /run/docker-place && mount -t tmpfs tmpfs /run/docker-place # the root is an overlay: not every kernel puts one on it
    CULPRIT_TEST_DIR=/run/docker-place timeout 1200 python3 -B "$scenario/guard_docker.py" "$culprit" $options > /out/docker 2>&1
    tail -1 /out/docker | grep -q ' passed, 0 failed$' && result "a container of docker" "" ||
        result "a container of docker" "$(grep -a '^FAILED\|Error' /out/docker | head -4 | cut -c1-200 | tr '\n' ' ') $(tail -1 /out/docker)"
}

# Whoever had it open for writing before is refused, and asked for only as long as he has.
writers() {
    CULPRIT_TEST_DIR=/run timeout 1200 python3 -B "$scenario/guard_writers.py" "$culprit" $options > /out/writers 2>&1
    tail -1 /out/writers | grep -q ' passed, 0 failed$' && result "older writers" "" ||
        result "older writers" "$(grep -a '^FAILED\|Error' /out/writers | head -6 | cut -c1-300 | tr '\n' ' ') $(tail -1 /out/writers)"
}

# The daemon is killed 20 times, the caches are dropped between, and somebody goes on deleting what it has guarded with guard_keep.
kills() {
    mkdir -p /run/kills
    CULPRIT_TEST_DIR=/run/kills ONLY=daemon_kills METHOD=bpf KILLS=${KILLS:-20} SENSOR=fanotify PATIENCE=10 PYTHONPATH=$scenario \
        timeout 1400 python3 -B "$scenario/guard.py" "$culprit" > /out/kills 2>&1
    grep ' kills of the daemon by ' /out/kills
    tail -1 /out/kills | grep -q ' passed, 0 failed$' && result "kills of the daemon" "" ||
        result "kills of the daemon" "$(grep -a 'WRONG\|Error' /out/kills | head -4 | cut -c1-300 | tr '\n' ' ') $(tail -1 /out/kills)"
}

# The story to its end: put back, guarded, and the agent is refused, by each access path.
story() {
    command -v dockerd > /dev/null || { echo "not run: dockerd is not here"; return; }
    mkdir -p /run/story-place && mount -t tmpfs tmpfs /run/story-place # the root is an overlay: not every kernel puts one on it
    CULPRIT_TEST_DIR=/run/story-place STORY_SETTLE=20s STORY_ACCESS=" " STORY_GUARD="${STORY_GUARD:-proc merged bind exec}" STORY_METHOD=bpf \
        timeout 1400 bash "$scenario/story.sh" "$culprit" fanotify > /out/story 2>&1
    cat /out/story
    tail -1 /out/story | grep -q ' passed, 0 failed$' && result "the story, put back and guarded" "" ||
        result "the story, put back and guarded" "$(grep -a 'WRONG' /out/story | cut -c1-200 | tr '\n' ' ') $(tail -1 /out/story)"
}

echo "kernel $(uname -r), modules $(cat /sys/kernel/security/lsm)"
options=
is_listed || ! preempts || options=--best-effort
for place in $places; do
    case $place in
    overlay) for kind in upper lower direct; do overlay "overlay-$kind"; done ;;
    *) plain "$place" ;;
    esac
done
[ -n "$tests" ] || [ "$quick" != - ] || tests="allowed writers race subvolume containers engine ends confirmed"
for name in $tests; do $name; done
exit $status
