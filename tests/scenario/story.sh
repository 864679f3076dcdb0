#!/bin/bash
# SPDX-License-Identifier: MIT
# story.sh [--try] CULPRIT [SENSORS]
# The story: executables in a container vanish after every restart. A private dockerd runs `web`; on
# the host an agent of a security product is running, or is launched later, and deletes the files of
# the container by one of four access paths. culprit must name it. --try plays it before the user's eyes.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
. "$HERE/lib/docker.sh"

TRY=
[ "${1:-}" = --try ] && { TRY=1; shift; }
CULPRIT=$(readlink -f "$1")
SENSORS=${2:-auto}
AGENT=$(dirname "$CULPRIT")/tests/actors/s1-agent
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/var/tmp}/culprit-story.XXXXXX")
STORE=$WORK/culprit.db
passed=0 failed=0

# The kernel has one audit: two runs at once would see each other.
exec 8> /run/culprit-test-audit.lock
flock 8

cleanup() {
    kill_agent
    end_guard
    docker_stop
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

end_guard() {
    [ -n "${GUARD_PID:-}" ] || return
    kill -INT "$GUARD_PID" 2> /dev/null
    wait "$GUARD_PID"
    GUARD_PID=
}

say() { [ -z "$TRY" ] || printf '%b\n' "$*"; }

make_image() {
    docker_rootfs "$WORK/root"
    mkdir -p "$WORK/root/prd/ProcessConf"
    local i
    printf '#!/bin/sh\necho deployed\n' > "$WORK/root/prd/ProcessConf/DeployConfig.sh"
    for i in $(seq -w 1 20); do printf '#!/bin/sh\necho %s\n' "$i" > "$WORK/root/prd/ProcessConf/step$i.sh"; done
    chmod 0555 "$WORK"/root/prd/ProcessConf/* "$WORK/root/prd/ProcessConf" "$WORK/root/prd"
    chown -R 1000:1000 "$WORK/root/prd"
    docker_image shop:1.4 "$WORK/root"
}

# No process is born in it before the restart: the agent that is running already waits for a new one.
run_web() { # run_web [docker options]
    dk rm -f web > /dev/null 2>&1
    dk run -d --name web --network none "$@" shop:1.4 /bin/sh -c \
        'trap "exit 0" TERM; sleep 86400 & wait $!' > /dev/null
}

# The agent lives below /opt/sentinelone of a mount namespace of its own: nothing is left behind.
# Its standard output says "waiting" once it waits for the container, "deleted N" at its end.
start_agent() { # start_agent MARKER FOLDER DELAY_MS [BASE]
    : > "$WORK/agent.out"
    unshare --mount --propagation private /bin/bash -c '
        mount -t tmpfs tmpfs /opt && mkdir -p /opt/sentinelone/bin &&
        cp "$0" /opt/sentinelone/bin/s1-agent && cp "$0" /opt/sentinelone/bin/sentineld &&
        exec /opt/sentinelone/bin/sentineld "$@"' "$AGENT" "$1" "$2" 5001 5001 "$3" ${4:+"$4"} \
        > "$WORK/agent.out" 2>&1 &
    echo $! > "$WORK/agent.pid"
}

# It has done what it does: it has ended, waited for or not. On a busy machine that may be long after the restart.
wait_agent_done() {
    local i pid
    pid=$(cat "$WORK/agent.pid")
    for ((i = 0; i < 2400; i++)); do
        grep -qs '^State:.[^Z]' "/proc/$pid/status" || return 0
        sleep 0.05
    done
}

kill_agent() {
    local pid
    pid=$(cat "$WORK/agent.pid" 2> /dev/null) || return
    rm -f "$WORK/agent.pid"
    kill $(pgrep -P "$pid") "$pid" 2> /dev/null # sentineld and the agent itself
    wait "$pid" 2> /dev/null
}

wait_agent() {
    local i
    for ((i = 0; i < 2400; i++)); do
        grep -q waiting "$WORK/agent.out" && return 0
        sleep 0.05
    done
    echo "story: the agent does not wait" >&2
    return 1
}

# variant ACCESS AGENT: ACCESS proc|uring|merged|exec|bind; AGENT running|later
variant() {
    local access=$1 agent=$2 name="$1, agent $2" marker=/prd/ProcessConf/DeployConfig.sh command=() rc
    begin_web "$access"
    if [ "$access" = exec ]; then
        command=(/bin/sh -c "docker restart -t 5 web && docker exec web /bin/sh -c \"$INSIDE\"")
    elif [ "$agent" = later ]; then
        export -f start_agent wait_agent wait_agent_done
        export WORK AGENT
        command=(/bin/bash -c 'start_agent "$@"; wait_agent && docker restart -t 5 web && wait_agent_done' story "$marker" /prd 300 $base)
    else
        start_agent "$marker" /prd 300 $base
        wait_agent || { kill_agent; failed=$((failed + 1)); return; }
        export -f wait_agent_done
        export WORK
        command=(/bin/bash -c 'docker restart -t 5 web && wait_agent_done')
    fi
    say "\n\033[1m\$ culprit run -w web:/prd -- docker restart web\033[0m     # $name"
    if [ -n "$TRY" ]; then
        "$CULPRIT" run --sensor "$SENSORS" --store "$STORE" --settle "${STORY_SETTLE:-3s}" -w web:/prd -- "${command[@]}"
    else
        "$CULPRIT" run --sensor "$SENSORS" --store "$STORE" --settle "${STORY_SETTLE:-3s}" --format json -w web:/prd -- "${command[@]}" \
            > "$WORK/out.json" 2> "$WORK/err"
    fi
    rc=$?
    kill_agent
    [ -z "$TRY" ] || return 0
    "$CULPRIT" who --store "$STORE" --since -5m web:/prd > "$WORK/who" 2>> "$WORK/err"
    if python3 -B "$HERE/story_check.py" "$access" "$agent" "$rc" "$WORK/out.json" "$WORK/who" "$WORK/err"; then
        passed=$((passed + 1))
        echo "story: reported rightly: $name"
    else
        failed=$((failed + 1))
        echo "story: WRONG: $name"
        # what was not done cannot be reported
        [ $access = exec ] || sed 's/^/the agent: /' "$WORK/agent.out"
        tail -20 "$WORK/err"
    fi
    [ -z "${STORY_KEEP:-}" ] || cp "$WORK/out.json" "$STORY_KEEP"
    rm -f "$STORE"*
}

# The container, and where the agent finds its files: $base, empty: by /proc/PID/root.
begin_web() { # begin_web ACCESS
    base=
    if [ "$1" = bind ]; then
        rm -rf "$WORK/bind"
        cp -a "$WORK/root/prd" "$WORK/bind"
        run_web -v "$WORK/bind:/prd"
        base=$WORK/hostview
        rm -rf "$base"
        mkdir -p "$base"
        ln -sfn "$WORK/bind" "$base/prd"
    else
        run_web
    fi
    [ "$1" != merged ] || base=$(dk inspect -f '{{.GraphDriver.Data.MergedDir}}' web)
}

INSIDE='chmod 0775 /prd && chown ugadmin /prd && rm -f /prd/ProcessConf/*'

# A restart, with the agent by that access path, until it has tried.
restart_with_agent() { # restart_with_agent ACCESS
    if [ "$1" = exec ]; then
        dk restart -t 5 web > /dev/null
        dk exec web /bin/sh -c "$INSIDE" > "$WORK/agent.out" 2>&1
        return
    fi
    start_agent /prd/ProcessConf/DeployConfig.sh /prd 300 $base
    wait_agent || return
    dk restart -t 5 web > /dev/null
    wait_agent_done
    kill_agent
}

# The damage. A volume is in no image, so copies are kept of it, by its path on the host.
damage() { # damage ACCESS
    if [ "$1" != bind ]; then
        restart_with_agent "$1"
        return
    fi
    export -f restart_with_agent start_agent wait_agent wait_agent_done kill_agent dk
    export WORK AGENT base DOCKER_HOST
    "$CULPRIT" run --sensor "$SENSORS" --store "$STORE" --settle "${STORY_SETTLE:-3s}" --keep-copies 16M --quiet -w "$WORK/bind" -- \
        /bin/bash -c 'restart_with_agent bind' > "$WORK/damage" 2>&1
}

# What is damaged is put back, and the agent, which is still there, is refused: how many of the 21 files are there after a restart.
# With the immutable method what is missing comes first: nothing can be put into what is guarded.
eliminate() { # eliminate ACCESS
    local i left mode gone state method=${STORY_METHOD:-immutable} target=web:/prd
    [ "$1" != bind ] || target=$WORK/bind
    say "\n\033[1m\$ culprit restore $target\033[0m"
    # the exit of its life before the restart may come late, and the engine takes it for the end of this one
    [ "$(dk inspect -f '{{.State.Running}}' web)" = true ] || { echo "story: its engine says that web has ended: begun anew"; dk start web > /dev/null; }
    gone=$(dk exec web ls /prd/ProcessConf | wc -l)
    "$CULPRIT" restore --store "$STORE" "$target" > "$WORK/restored" 2> "$WORK/err"
    [ -z "$TRY" ] || cat "$WORK/restored"
    say "\n\033[1m\$ culprit guard --method $method web:/prd & docker restart web\033[0m     # the agent is still there"
    : > "$WORK/guard.err" # else the ready line of the one before is found
    "$CULPRIT" guard --method "$method" --sensor "$SENSORS" --store "$STORE" web:/prd > "$WORK/guard.out" 2> "$WORK/guard.err" &
    GUARD_PID=$!
    for ((i = 0; i < 6000; i++)); do
        grep -q 'culprit: ready' "$WORK/guard.err" && break
        kill -0 "$GUARD_PID" 2> /dev/null || break
        sleep 0.05
    done
    state=$(dk inspect -f '{{json .State}}' web)
    restart_with_agent "$1"
    left=$(dk exec web ls /prd/ProcessConf | wc -l)
    mode=$(dk exec web ls -ld /prd | cut -c1-10)
    end_guard
    if [ -n "$TRY" ]; then
        grep -q '^culprit: guarded' "$WORK/guard.err" || { cat "$WORK/guard.err"; return; }
        grep '^culprit: guarded' "$WORK/guard.err"
        cat "$WORK/guard.out"
        grep '^culprit: the guard' "$WORK/guard.err"
        say "\n\033[1m\$ docker exec web ls /prd/ProcessConf | wc -l\033[0m     # still there\n$left"
        return
    fi
    if [ "$gone" = 0 ] && [ "$left" = 21 ] && [ "$mode" = dr-xr-xr-x ] && grep -q 'culprit: guarded: web:/prd' "$WORK/guard.err" && grep -q '21 back' "$WORK/restored"; then
        passed=$((passed + 1))
        echo "story: put back and guarded by the method $method: still there after a restart with the agent: $1"
    else
        failed=$((failed + 1))
        echo "story: WRONG: $1: $gone left by the damage, $left of 21 files, $mode after restore, guard ($method) and restart"
        tail -n 8 "$WORK/guard.err"
        tail -n 8 "$WORK/guard.out"
        tail -n 3 "$WORK/restored" "$WORK/err"
        cat "$WORK/damage" "$WORK/agent.out" 2> /dev/null
        echo "the container: $state; now: $(dk inspect -f '{{json .State}}' web)"
        dk events --since 2m --until "$(date +%s)" 2> /dev/null | tail -30
    fi
    rm -rf "$STORE"* "$WORK/damage"
}

say "\033[1mThe story\033[0m: executables of the container \`web\` vanish after every restart. The image holds a busybox and nothing else.
A private dockerd is started for it; your own is not touched. Somewhere on this host runs the culprit."
docker_start "$WORK/docker" || exit 1
make_image
if [ -n "$TRY" ]; then
    # the hardest variant, the agent older than culprit and than auditing, wherever a sensor sees it
    case $("$CULPRIT" doctor --format json | jq -r '.would_use[]' 2> /dev/null) in
    *bpf* | *fanotify*) variant proc running ;;
    *) variant proc later ;;
    esac
    say "\n\033[1m\$ culprit who web:/prd\033[0m     # the same answer later, from the store"
    "$CULPRIT" who --store "$STORE" web:/prd
    eliminate proc
    say "\nNothing was mounted, nothing was installed in the image, and nothing is left behind."
    exit 0
fi
for access in ${STORY_ACCESS:-proc merged bind exec}; do
    if [ $access = uring ]; then # as proc, by io_uring: for sensors that see it
        export S1_URING=1
        variant uring running
        unset S1_URING
        continue
    fi
    [ $access = exec ] || variant $access running
    variant $access later
done
# once more by each, and then an end of it; a machine in QEMU has no disk to hold the flags, and says by which method
[ -n "${STORY_ACCESS:-}" ] || STORY_GUARD=${STORY_GUARD:-proc merged bind exec}
for access in ${STORY_GUARD:-}; do
    begin_web "$access"
    damage "$access"
    eliminate "$access"
done
if [ -e "$WORK/unnamed" ] && [ ! -e "$WORK/named" ]; then
    failed=$((failed + 1))
    echo "story: WRONG: the owner's name is never reported"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
