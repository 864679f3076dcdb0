#!/bin/bash
# SPDX-License-Identifier: MIT
# left.sh CULPRIT [SENSORS]: whatever way culprit ends, the kernel is as it was found; beside another culprit and
# beside auditd it works and disturbs neither.
set -u
CULPRIT=$(readlink -f "$1")
SENSORS=${2:-audit}
ACT=$(dirname "$CULPRIT")/tests/actors/act
WORK=$(mktemp -d /tmp/culprit-left.XXXXXX)
exec 8> /run/culprit-test-audit.lock
flock 8
. "$(dirname "$(readlink -f "$0")")/lib/test.sh"
PIDS= SHOW_FAILED="$WORK/err* $WORK/out.f"
trap 'kill -9 $PIDS 2> /dev/null; auditctl -D > /dev/null 2>&1; auditctl -e 0 > /dev/null 2>&1; rm -rf "$WORK"' EXIT
mkdir "$WORK/w"

auditctl -D > /dev/null # a test before this one may have been ended in the middle: what culprit switches on is off at first
auditctl -e 0 -b 64 > /dev/null
left_mounts() { ! awk '$2 ~ "^(/var)?/tmp/culprit-" {print $2}' /proc/mounts | grep . > "$WORK/err.mounts"; }

kernel() { # rules, settings, mounts, our processes
    auditctl -l | grep -v '^No rules'
    auditctl -s | grep -E '^(enabled|pid|rate_limit|backlog_limit) '
    cat /proc/mounts
    pgrep -x culprit
}

same() { diff "$WORK/before" <(kernel) > "$WORK/err.diff"; }

start() { # start NAME [options]
    local name=$1
    shift
    : > "$WORK/err.$name" # else the ready line of the last one is found
    "$CULPRIT" watch --sensor "$SENSORS" --store "$WORK/$name.db" --format json "$@" "$WORK/w" \
        > "$WORK/out.$name" 2> "$WORK/err.$name" 8>&- &
    PID=$!
    PIDS="$PIDS $PID"
    await 240 grep -q 'culprit: ready' "$WORK/err.$name"
}

saw() { # saw NAME FILE: the deletion is reported
    [ -n "$(jq --arg p "$WORK/w/$2" 'select(.event.action == "unlink" and .file.path == $p)' "$WORK/out.$1")" ]
}

change() { touch "$WORK/w/$1"; "$ACT" unlink "$WORK/w/$1" > /dev/null; }

ended() { wait "$1"; }

ok "no test has left a mount" left_mounts
kernel > "$WORK/before"
for signal in INT TERM HUP; do
    start a && change f
    kill -$signal "$PID"
    ended "$PID"
    ok "after SIG$signal nothing is left" same
    ok "after SIG$signal the verdict is there" saw a f
done

start a
change f
kill -9 "$PID"
wait "$PID" 2> /dev/null
ok "kill -9 leaves rules behind (else the next lines prove nothing)" test -n "$(auditctl -l | grep culprit-)"
start b
ok "the next culprit removes them and says so" grep -q 'left' "$WORK/err.b"
change g
kill -INT "$PID"
ended "$PID"
ok "and puts everything back" same
ok "the killed one's events are stored" test "$("$CULPRIT" who --store "$WORK/a.db" "$WORK/w" | grep -c '^VERDICT')" -ge 1

# whoever comes next undoes it, also who does not use audit
leave() { # a killed culprit's rules and settings
    start a
    kill -9 "$PID"
    wait "$PID" 2> /dev/null
    [ -n "$(auditctl -l | grep culprit-)" ] && auditctl -s | grep -q '^enabled 1' && auditctl -s | grep -q '^backlog_limit 16384'
}
other_watch() {
    : > "$WORK/err.f"
    "$CULPRIT" watch --sensor fanotify --no-store "$WORK/w" > "$WORK/out.f" 2> "$WORK/err.f" 8>&- &
    local pid=$!
    PIDS="$PIDS $pid"
    await 240 grep -qs 'culprit: ready' "$WORK/err.f"
    kernel | grep -v "^$pid\$" > "$WORK/during"
    kill -INT "$pid"
    wait "$pid"
    grep -q 'a killed culprit had left .* audit rules, auditing switched on, another backlog limit' "$WORK/err.f" &&
        diff "$WORK/before" "$WORK/during" > "$WORK/err.diff"
}
other_run() {
    "$CULPRIT" run --sensor fanotify --no-store -w "$WORK/w" -- true > "$WORK/out.f" 2> "$WORK/err.f"
    grep -q 'a killed culprit had left' "$WORK/err.f" && same
}
doctor() {
    "$CULPRIT" doctor > "$WORK/out.f" 2> "$WORK/err.f"
    grep -q '^left .*a killed culprit had left .* audit rules, auditing switched on, another backlog limit' "$WORK/out.f" && same
}
doctor_json() {
    "$CULPRIT" doctor --format json > "$WORK/out.f" 2> "$WORK/err.f"
    jq -e '.left_by_killed | test("audit rules")' "$WORK/out.f" > /dev/null && same
}
leave_unreaped() { # the same, and its parent does not wait for it
    : > "$WORK/err.u"
    bash -c '"$@" & echo $! > '"$WORK/pid"'; exec sleep 1000' - "$CULPRIT" watch --sensor "$SENSORS" --no-store "$WORK/w" > "$WORK/out.u" 2> "$WORK/err.u" 8>&- &
    PARENT=$!
    PIDS="$PIDS $PARENT"
    await 240 grep -q 'culprit: ready' "$WORK/err.u" && kill -9 "$(cat "$WORK/pid")" &&
        await 60 grep -q '^State:.Z' "/proc/$(cat "$WORK/pid")/status" && [ -n "$(auditctl -l | grep culprit-)" ]
}
unreaped() {
    "$CULPRIT" doctor > "$WORK/out.f" 2> "$WORK/err.f"
    kill "$PARENT"
    wait "$PARENT" 2> /dev/null
    grep -q '^left .*a killed culprit had left .* audit rules, auditing switched on, another backlog limit' "$WORK/out.f" && await 60 same
}
ok "one that is killed, and not waited for, leaves them too (else the next line proves nothing)" leave_unreaped
ok "they are found, said and undone" unreaped
for who in other_watch other_run doctor doctor_json; do
    ok "kill -9 leaves rules and settings (else the next line proves nothing)" leave
    ok "$who finds them, says so and undoes them" "$who"
done
"$CULPRIT" doctor --format json > "$WORK/out.f" 2> "$WORK/err.f"
ok "where nothing was left nothing is said" test null = "$(jq .left_by_killed "$WORK/out.f")"
start a && A=$PID
"$CULPRIT" doctor --format json > "$WORK/out.f" 2> "$WORK/err.f"
ok "what a culprit that runs needs is nothing left" test null = "$(jq .left_by_killed "$WORK/out.f")"
# nor by one that sees it otherwise: its state is hidden, /proc is another one, its start is counted by another clock, it is stopped
taken() { # taken UNSHARE-OPTIONS COMMAND: a start there says what was left, or the rules are others
    auditctl -l > "$WORK/rules"
    unshare $1 bash -c "$2; timeout 300 \"\$@\"; kill -9 \$(jobs -p) 2> /dev/null" - "$CULPRIT" watch --sensor fanotify --no-store --for 1s "$WORK/w" > "$WORK/out.f" 2> "$WORK/err.f" 8>&-
    grep -q 'culprit: ready' "$WORK/err.f" || echo "it did not start" >> "$WORK/err.f"
    grep -q 'had left\|did not start' "$WORK/err.f" || ! diff "$WORK/rules" <(auditctl -l) > "$WORK/err.diff"
}
stays() { ! taken "$@"; }
mkdir -p /var/lib/culprit
ok "nor for one with another /run and /var/lib/culprit" stays -m 'mount -t tmpfs x /run; mount -t tmpfs x /var/lib/culprit'
ok "nor for one with a container's /proc" stays -m "unshare -p -f --kill-child bash -c 'mount -t proc x /proc; sleep 1000' 8>&- & until [ ! -e /proc/$A ]; do sleep 0.05; done"
if unshare -T --boottime 5000 true 2> /dev/null; then
    ok "nor for one in another time namespace" stays '-T --boottime 5000' 'true'
fi
kill -STOP "$A"
ok "nor while it is stopped" stays -m 'true'
kill -CONT "$A"
change f
kill -INT "$A"
ended "$A"
ok "and it goes on seeing" saw a f
ok "after it all is as before" same

auditctl -a always,exit -F arch=b64 -S sethostname -k foreign > /dev/null
kernel > "$WORK/before"
start a
change f
kill -INT "$PID"
ended "$PID"
ok "somebody else's rule stays" same
auditctl -D > /dev/null
kernel > "$WORK/before"

start a && A=$PID
start b && B=$PID
change f
sleep 0.3
kill -INT "$A"
ended "$A"
change g
sleep 0.3
kill -INT "$B"
ended "$B"
ok "two culprits at once: the first saw" saw a f
ok "two culprits at once: the second saw" saw b f
ok "the second goes on when the first has ended" saw b g
ok "the last one puts everything back" same

mkdir -p "$WORK/etc/plugins.d"
printf 'log_file = %s/audit.log\nlog_format = RAW\nmax_log_file = 50\nnum_logs = 2\nmax_log_file_action = ROTATE\nspace_left = 75\nadmin_space_left = 50\nspace_left_action = IGNORE\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' "$WORK" > "$WORK/etc/auditd.conf"
chmod 0640 "$WORK/etc/auditd.conf"
has_stream() { [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$1" ]; }
auditd_start() {
    auditd -n -c "$WORK/etc" > "$WORK/err.auditd" 2>&1 8>&- &
    AUDITD=$!
    PIDS="$PIDS $AUDITD"
    await 60 has_stream "$AUDITD"
}
if auditd_start; then
    auditctl -e 1 > /dev/null
    kernel > "$WORK/before"
    start a
    ok "beside auditd: said" grep -q "auditd" "$WORK/err.a"
    change f
    kill -INT "$PID"
    ended "$PID"
    ok "beside auditd: seen" saw a f
    ok "beside auditd: it keeps its place, and everything else is as before" same
    ok "beside auditd: its log has the records too" grep -q culprit- "$WORK/audit.log"
    kill "$AUDITD"
    wait "$AUDITD" 2> /dev/null
    auditctl -e 0 > /dev/null
else
    echo "auditd does not start here: $(tail -1 "$WORK/err.auditd")"
fi

# auditd while the stream is ours
once() { # once NAME PREFIX COUNT: each deletion is reported, and none twice
    test "$(jq -r --arg p "$WORK/w/$2" 'select(.event.action == "unlink" and (.file.path | startswith($p))) | .file.path' "$WORK/out.$1" |
        sort | uniq -c | awk '$1 == 1' | wc -l)" = "$3" &&
        test "$(jq -r --arg p "$WORK/w/$2" 'select(.event.action == "unlink" and (.file.path | startswith($p))) | .file.path' "$WORK/out.$1" | wc -l)" = "$3"
}
many() { for ((j = 0; j < $2; j++)); do change "$1$j"; done; }
if command -v auditd > /dev/null; then
    kernel > "$WORK/before"
    start a
    ok "the stream is ours (else the next lines prove nothing)" has_stream "$PID"
    many during 300 &
    MANY=$!
    ok "auditd's first start succeeds while culprit has the stream" auditd_start
    wait "$MANY"
    ok "and that is said" grep -q "auditd starts: it gets audit's stream; reading beside it" "$WORK/err.a"
    many beside 100
    ok "auditd's log has the records" await 60 grep -q beside99 "$WORK/audit.log"
    many ending 100 &
    MANY=$!
    kill "$AUDITD"
    wait "$AUDITD" 2> /dev/null
    wait "$MANY"
    ok "when it has gone the stream is taken again" await 60 grep -q "belongs to nobody any more: taken" "$WORK/err.a"
    many after 100
    kill -INT "$PID"
    ended "$PID"
    ok "seen while auditd started, each once" once a during 300
    ok "seen beside auditd, each once" once a beside 100
    ok "seen while auditd ended, each once" once a ending 100
    ok "seen after it, each once" once a after 100
    ok "no gap is reported" test -z "$(jq 'select(.event.kind == "pipeline_error")' "$WORK/out.a")"
    auditctl -e 0 > /dev/null
    ok "and all is as before" same

    start a
    auditd_start
    kill -9 "$AUDITD"
    wait "$AUDITD" 2> /dev/null
    kill -INT "$PID"
    ended "$PID"
    auditctl -m x > /dev/null # the kernel sees that its owner is dead when there is a record for it
    ok "an auditd that was killed does not keep auditing switched on" await 60 same
fi
finish
