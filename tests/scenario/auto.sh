#!/bin/bash
# SPDX-License-Identifier: MIT
# auto.sh CULPRIT: which sensors auto and cheap take: by who has audit, and by how much is watched; what is said of it; and that all
# of it is reported, and nothing left behind.
set -u
CULPRIT=$(readlink -f "$1")
ACT=$(dirname "$CULPRIT")/tests/actors/act
WORK=$(mktemp -d /tmp/culprit-auto.XXXXXX)
exec 8> /run/culprit-test-audit.lock
flock 8
. "$(dirname "$(readlink -f "$0")")/lib/test.sh"
PIDS= SHOW_FAILED="$WORK/err*"
trap 'kill -9 $PIDS 2> /dev/null; auditctl -D > /dev/null 2>&1; auditctl -e 0 > /dev/null 2>&1; rm -rf "$WORK"' EXIT
chmod 755 "$WORK"
mkdir "$WORK/w"

works() { "$CULPRIT" doctor --format json | jq -e --arg s "$1" 'select(.sensors) | .sensors[] | select(.name == $s) | .works' > /dev/null; }
if works bpf; then
    ok "where bpf works auto takes it, and cheap too" test "bpf bpf" = "$(for s in auto cheap; do
        "$CULPRIT" doctor --sensor $s --format json | jq -r 'select(.sensors) | .would_use | join("+")'; done | paste -sd' ')"
    finish
    exit
fi
if ! works fanotify || ! works audit; then
    echo "******** NOT RUN: auto: fanotify or audit does not work here"
    exit 0
fi

kernel() { # rules and settings
    auditctl -l | grep -v '^No rules'
    auditctl -s | grep -E '^(enabled|pid|rate_limit|backlog_limit) '
}
same() { diff "$WORK/before" <(kernel) > "$WORK/err.diff"; }

start() { # start NAME SENSORS [TARGET...]: $PID is ready
    local name=$1 sensors=$2
    shift 2
    : > "$WORK/err.$name"
    "$CULPRIT" watch --sensor "$sensors" --store "$WORK/$name.db" --format json "${@:-$WORK/w}" \
        > "$WORK/out.$name" 2> "$WORK/err.$name" 8>&- &
    PID=$!
    PIDS="$PIDS $PID"
    await 240 grep -q 'culprit: ready' "$WORK/err.$name"
}
stop() {
    kill -INT "$1"
    wait "$1"
}
took() { grep -q "^culprit: ready ($2;" "$WORK/err.$1"; } # took NAME SET
lines() { [ "$(wc -l < "$WORK/err.$1")" = "$2" ]; }      # lines NAME N: all that was said
# reported NAME OPERATION FILE [JQ]: once
reported() {
    [ 1 = "$(jq -c --arg o "$2" --arg p "$WORK/w/$3" "select(.event.action == \$o and .file.path == \$p and (${4:-true}))" "$WORK/out.$1" | wc -l)" ]
}
did() { # did NAME PROGRAM FILE: something that it did to the file is reported
    jq -e --arg n "$2" --arg p "$WORK/w/$3" -n 'first(inputs | select(.process.name == $n and .file.path == $p))' "$WORK/out.$1" > /dev/null
}
# everything FILE WATCHER: what both see, what one of them sees alone. Each step waits for the one before: what is gone before a
# slow culprit could look is reported with less.
everything() {
    touch "$WORK/w/$1"
    await 60 did "$2" touch "$1"
    chmod 600 "$WORK/w/$1"
    await 60 did "$2" chmod "$1"
    setpriv --reuid=65534 --clear-groups rm -f "$WORK/w/$1" 2> /dev/null
    "$ACT" uring-unlink "$WORK/w/$1" > /dev/null 2>&1 || rm "$WORK/w/$1"
}

kernel > "$WORK/before"
start a auto
ok "nobody has audit: auto takes both" took a 'fanotify + audit'
ok "and says nothing else" lines a 1
everything f a
A=$PID

start b auto
ok "another culprit has it: fanotify alone" took b fanotify
ok "which one line says, with its reason and its price" grep -q \
    "^culprit: fanotify alone: audit belongs to culprit (pid $A), where every change would end up too; not seen therefore: mounts over the files, refused attempts, .*; --sensor fanotify,audit takes both$" "$WORK/err.b"
ok "and no other" lines b 2
touch "$WORK/w/g"
stop "$PID"
ok "that one sees" reported b create g
start c cheap
ok "cheap is fanotify alone" took c fanotify
ok "of which nobody need know why" lines c 1
stop "$PID"
stop "$A"
ok "both see: the creation" reported a create f
ok "both see: the mode, as what it was" reported a chmod f '.event.outcome == "success"'
ok "audit sees: what was refused" reported a unlink f '.event.outcome == "failure"'
ok "the deletion" reported a unlink f '.event.outcome == "success"'
ok "the first one sees what was done beside the second" reported a create g
ok "no gap is reported" test -z "$(jq 'select(.event.kind == "pipeline_error")' "$WORK/out.a" "$WORK/out.b")"
ok "after it all is as before" same

# both find audit free, one of them gets it
for ((i = 0; i < 3; i++)); do
    : > "$WORK/err.a"
    "$CULPRIT" watch --sensor auto --no-store "$WORK/w" > "$WORK/out.a" 2> "$WORK/err.a" 8>&- &
    A=$!
    PIDS="$PIDS $A"
    start b auto
    await 240 grep -q 'culprit: ready' "$WORK/err.a"
    ok "two at once: not both have audit" test 1 -ge "$(cat "$WORK/err.a" "$WORK/err.b" | grep -c 'ready (fanotify + audit;')"
    ok "two at once: who has not says so" test "$(cat "$WORK/err.a" "$WORK/err.b" | grep -c 'ready (fanotify;')" = "$(cat "$WORK/err.a" "$WORK/err.b" | grep -c 'fanotify alone: ')"
    stop "$PID"
    stop "$A"
done
ok "after that all is as before" same

start a auto
kill -9 "$PID"
wait "$PID" 2> /dev/null
ok "kill -9 leaves rules (else the next lines prove nothing)" test -n "$(auditctl -l | grep culprit-)"
start b auto
ok "the next one takes both again" took b 'fanotify + audit'
ok "having undone what was left" grep -q 'a killed culprit had left' "$WORK/err.b"
stop "$PID"
ok "and all is as before" same

many=()
for ((i = 0; i < 51; i++)); do
    mkdir -p "$WORK/many/$i"
    many+=("$WORK/many/$i")
done
start a auto "${many[@]}"
ok "many watches: fanotify alone" took a fanotify
ok "which one line says" grep -q '^culprit: fanotify alone: audit takes minutes to set up 51 watches; not seen therefore' "$WORK/err.a"
stop "$PID"

start a auto
ok "(both, or the next lines prove nothing)" took a 'fanotify + audit'
A=$PID
mkdir -p "$WORK/etc/plugins.d"
printf 'log_file = %s/audit.log\nlog_format = RAW\nspace_left = 75\nadmin_space_left = 50\nspace_left_action = IGNORE\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' "$WORK" > "$WORK/etc/auditd.conf"
chmod 0640 "$WORK/etc/auditd.conf"
has_stream() { [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$1" ]; }
if command -v auditd > /dev/null; then
    auditd -n -c "$WORK/etc" > "$WORK/err.auditd" 2>&1 8>&- &
    AUDITD=$!
    PIDS="$PIDS $AUDITD"
    ok "auditd gets audit at its first start, from auto too" await 60 has_stream "$AUDITD"
    ok "which has audit left to it, and says so in one line" await 60 grep -q '^culprit: fanotify alone: audit was given to .*, where every change would end up too; not seen therefore: mounts over the files, refused attempts' "$WORK/err.a"
    ok "and no other (but that it was ready)" lines a 2
    ok "no rule of its is left" test -z "$(auditctl -l | grep culprit-)"
    everything h a
    start b auto
    ok "auditd has it: fanotify alone" took b fanotify
    ok "which one line says, with whose it is" grep -q "^culprit: fanotify alone: audit belongs to auditd (pid $AUDITD), where every change" "$WORK/err.b"
    everything i b
    stop "$PID"
    ok "and sees" reported b create i
    everything j a
    auditctl -m the-end > /dev/null
    ok "(auditd's log has come to the end)" await 60 grep -q the-end "$WORK/audit.log"
    ok "auditd's log has none of it" test -z "$(grep -a 'name="[^"]*/w/[hij]"' "$WORK/audit.log")"
    stop "$A"
    ok "seen beside auditd, once" reported a create h
    ok "and the deletion, once" reported a unlink j '.event.outcome == "success"'
    ok "no gap is reported of it" test -z "$(jq 'select(.event.kind == "pipeline_error")' "$WORK/out.a")"
    ok "the record has both: what was seen by both, and by one" test "audit,fanotify fanotify" = \
        "$(jq -r 'select(.culprit.coverage) | .culprit.coverage[].sensor' "$WORK/out.a" | sort -u | paste -sd' ')"
    kill "$AUDITD"
    wait "$AUDITD" 2> /dev/null
    auditctl -e 0 > /dev/null
    ok "and all is as before" same
else
    stop "$A"
    echo "******** NOT RUN: auto beside auditd: no auditd"
fi
finish
