#!/bin/bash
# SPDX-License-Identifier: MIT
# log.sh [--show] CULPRIT: the verdict from a log alone. A private auditd writes a log while culprit watches live; what `who --from`
# makes of the log must be what was reported live: actor, launchers, product, files, operations, before and after.
# Then the same of a container's files, by the access paths that a log shows: through /proc/PID/root, and from inside.
# --show prints the answer as people see it.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
. "$HERE/lib/docker.sh"
SHOW=
[ "${1:-}" = --show ] && { SHOW=1; shift; }
CULPRIT=$(readlink -f "${1:?usage: log.sh [--show] CULPRIT}")
ACTORS=$(dirname "$CULPRIT")/tests/actors
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/var/tmp}/culprit-log.XXXXXX")
exec 8> /run/culprit-test-audit.lock
flock 8
passed=0 failed=0 PIDS=
ENABLED=$(auditctl -s | awk '/^enabled/ {print $2}')

cleanup() {
    local pid
    for pid in $PIDS; do kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null; done
    docker_stop
    auditctl -D > /dev/null 2>&1
    auditctl -e "$ENABLED" > /dev/null 2>&1
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    echo "log: $1" >&2
    echo "$passed passed, $((failed + 1)) failed"
    exit 1
}

wait_for() { # wait_for COMMAND...: at most 120 s
    local i
    for ((i = 0; i < 2400; i++)); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}

auditd_start() { # auditd_start FORMAT
    mkdir -p "$WORK/etc/plugins.d"
    cat > "$WORK/etc/auditd.conf" << END
log_file = $WORK/audit.log
log_format = $1
flush = NONE
max_log_file = 50
num_logs = 2
max_log_file_action = ROTATE
space_left = 75
admin_space_left = 50
space_left_action = IGNORE
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
END
    chmod 0640 "$WORK/etc/auditd.conf"
    auditd -n -c "$WORK/etc" > "$WORK/err.auditd" 2>&1 8>&- &
    AUDITD=$!
    PIDS="$PIDS $AUDITD"
    wait_for owns_audit || fail "auditd does not start: $(tail -1 "$WORK/err.auditd")"
    auditctl -e 1 > /dev/null
}
owns_audit() { [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$AUDITD" ]; }
is_ready() { grep -q 'culprit: ready' "$WORK/err.live"; }
is_logged() { grep -q "$1" "$WORK/audit.log"; }

auditd_stop() {
    auditctl -D > /dev/null
    kill "$AUDITD"
    wait "$AUDITD" 2> /dev/null
    auditctl -e "$ENABLED" > /dev/null
    PIDS=
}

tree() { # the folder of the story, and what else is done to it
    local i
    mkdir -p "$WORK/prd/ProcessConf" "$WORK/prd/deep/a/b/c" "$WORK/elsewhere"
    for i in $(seq -w 1 21); do echo "$i" > "$WORK/prd/ProcessConf/step$i.sh"; done
    for i in 1 2 3; do echo > "$WORK/prd/deep/a/b/c/leaf$i"; done
    echo > "$WORK/prd/keep"
    echo > "$WORK/prd/moved"
    echo > "$WORK/prd/two words"
    chmod 0555 "$WORK/prd/ProcessConf"
    chown -R 4001:4001 "$WORK/prd/ProcessConf" # nobody's: a raw log has no names
    chmod 0755 "$WORK"
}

for format in RAW ENRICHED; do
    rm -rf "$WORK/prd" "$WORK/elsewhere" "$WORK"/audit.log*
    tree
    auditd_start $format
    auditctl -w "$WORK/prd" -p wa -k file_delete > /dev/null || fail "auditctl does not take the watch"
    auditctl -a always,exit -F arch=b64 -S execve -k launch > /dev/null
    : > "$WORK/err.live"
    "$CULPRIT" watch --sensor audit --store "$WORK/live.db" --format json "$WORK/prd" > "$WORK/live.json" 2> "$WORK/err.live" 8>&- &
    LIVE=$!
    PIDS="$PIDS $LIVE"
    wait_for is_ready || fail "culprit is not ready: $(tail -1 "$WORK/err.live")"
    # a program of its own: a log knows who was launched while execve was audited
    "$HERE/log_act.sh" "$ACTORS" "$WORK"
    wait_for is_logged the-end || fail "auditd has not written the end"
    wait_for grep -q the-end "$WORK/live.json"
    kill -INT $LIVE
    wait $LIVE
    auditd_stop
    "$CULPRIT" who --from "$WORK/audit.log" --format json "$WORK/prd" > "$WORK/log.json" 2> "$WORK/err.log"
    rc=$?
    if python3 -B "$HERE/log_check.py" "$WORK" $rc; then
        passed=$((passed + 1))
        echo "log: the same verdict as live, $format"
    else
        failed=$((failed + 1))
        echo "log: WRONG, $format"
        cat "$WORK/err.log"
        [ -z "${LOG_KEEP:-}" ] || { rm -rf "$LOG_KEEP"; cp -r "$WORK" "$LOG_KEEP"; }
    fi
    if [ -n "$SHOW" ]; then
        printf '\n# ausearch -i -k file_delete | tail -5\n'
        ausearch -if "$WORK/audit.log" -i -k file_delete 2> /dev/null | tail -5
        printf '\n# culprit who --from audit.log %s\n' "$WORK/prd"
        "$CULPRIT" who --from "$WORK/audit.log" "$WORK/prd"
    fi
done
# ---- a container's files ----

container() {
    docker_rootfs "$WORK/root"
    mkdir -p "$WORK/root/prd/ProcessConf"
    for i in $(seq -w 1 21); do echo "$i" > "$WORK/root/prd/ProcessConf/step$i.sh"; done
    chmod 0555 "$WORK/root/prd/ProcessConf"
    echo > "$WORK/root/prd/own"
    docker_image shop:1.4 "$WORK/root"
    dk run -d --name web --network none shop:1.4 /bin/sh -c 'trap "exit 0" TERM; sleep 86400 & wait $!' > /dev/null
    # another container has the same path, and so has somebody on the host
    dk run -d --name other --network none shop:1.4 /bin/sh -c 'trap "exit 0" TERM; sleep 86400 & wait $!' > /dev/null
}

act_on_container() {
    unshare --mount --propagation private /bin/bash -c '
        mount -t tmpfs tmpfs /opt && mkdir -p /opt/sentinelone/bin &&
        cp "$0" /opt/sentinelone/bin/s1-agent && cp "$0" /opt/sentinelone/bin/sentineld &&
        exec /opt/sentinelone/bin/sentineld /prd/ProcessConf/step01.sh /prd/ProcessConf 5001 5001 0' "$ACTORS/s1-agent" > "$WORK/out.agent" &
    AGENT=$!
    PIDS="$PIDS $AGENT"
    wait_for grep -q waiting "$WORK/out.agent" || fail "the agent does not wait"
    dk restart -t 5 web > /dev/null
    wait "$AGENT"
    dk exec web rm /prd/own
    dk exec other rm /prd/own
    # the same path on the host: nothing of it is the container's
    unshare --mount --propagation private /bin/bash -c 'mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/prd && touch /mnt/prd/own &&
        mkdir /mnt/bin && cp "$0" /mnt/bin/busybox && chroot /mnt /bin/busybox rm /prd/own' "$(command -v busybox)"
}

if ! command -v dockerd > /dev/null; then
    echo "log: no dockerd here: nothing is said of containers"
else
    docker_start "$WORK/docker" || fail "no private dockerd"
    rm -f "$WORK"/audit.log*
    container
    auditd_start RAW
    auditctl -a always,exit -F arch=b64 -S unlink,unlinkat,rename,renameat,renameat2,chmod,fchmod,fchmodat,chown,fchownat,execve -k change > /dev/null
    act_on_container
    touch "$WORK/the-end"
    rm "$WORK/the-end"
    wait_for is_logged the-end || fail "auditd has not written the end"
    auditd_stop
    "$CULPRIT" who --from "$WORK/audit.log" --format json web:/prd > "$WORK/web.json" 2> "$WORK/err.web"
    rc=$?
    if python3 -B "$HERE/log_check.py" "$WORK" $rc web; then
        passed=$((passed + 1))
        echo "log: a container's files"
    else
        failed=$((failed + 1))
        echo "log: WRONG, a container's files"
        cat "$WORK/err.web"
        [ -z "${LOG_KEEP:-}" ] || { rm -rf "$LOG_KEEP"; mkdir "$LOG_KEEP"; cp "$WORK"/*.log "$WORK"/*.json "$LOG_KEEP"; }
    fi
    [ -z "$SHOW" ] || "$CULPRIT" who --from "$WORK/audit.log" web:/prd
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
