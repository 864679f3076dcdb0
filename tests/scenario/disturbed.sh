#!/bin/bash
# SPDX-License-Identifier: MIT
# disturbed.sh CULPRIT: somebody deletes the rules of a watch, or switches audit off. What cannot be known is a
# gap, and what comes after it is seen.
set -u
CULPRIT=$(readlink -f "$1")
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/var/tmp}/culprit-disturbed.XXXXXX")
exec 8> /tmp/culprit-audit.lock
flock 8
. "$(dirname "$(readlink -f "$0")")/lib/test.sh"
PID= AUDITD= SHOW_FAILED=$WORK/err
trap 'kill -9 $PID $AUDITD 2> /dev/null; rm -rf "$WORK"' EXIT
mkdir "$WORK/w"
touch "$WORK/w/old"

told() { await 15 grep -q "$1" "$WORK/out"; } # told PATTERN
seen() { told "\"action\":\"$1\".*/$2\""; } # seen OPERATION NAME

: > "$WORK/err"
"$CULPRIT" watch --sensor audit --no-store --format json "$WORK/w" > "$WORK/out" 2> "$WORK/err" 8>&- &
PID=$!
await 20 grep -q 'culprit: ready' "$WORK/err"
touch "$WORK/w/before"
ok "a change before" seen create before
auditctl -D > /dev/null 2>&1
ok "deleted rules are a gap" told "deleted the audit rules"
touch "$WORK/w/after"
ok "a change after the rules were placed again" seen create after
sleep 1 # auditctl deletes one by one: what is deleted after the first gap is another gap
chattr +d "$WORK/w/old" 2> /dev/null && ok "and its flags, which no path has a rule for" seen setflags old
auditctl -e 0 > /dev/null
auditctl -D > /dev/null 2>&1
ok "audit switched off is a gap" told "switched audit off"
sleep 1 # its rules are looked for with the next upkeep; no line says that they stand
touch "$WORK/w/on"
ok "a change after it is on again" seen create on

# auditd comes: the stream becomes its own, whole
mkdir -p "$WORK/etc/plugins.d" "$WORK/log"
printf 'log_file = %s/log/audit.log\nlog_format = RAW\nspace_left = 75\nspace_left_action = IGNORE\nadmin_space_left = 50\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' \
    "$WORK" > "$WORK/etc/auditd.conf"
for ((i = 0; i < 20; i++)); do # the first time, the kernel asks us whether we are alive
    auditd -n -c "$WORK/etc" > "$WORK/auditd" 2>&1 8>&- &
    AUDITD=$!
    sleep 0.5
    [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$AUDITD" ] && break
    kill "$AUDITD" 2> /dev/null
    wait "$AUDITD" 2> /dev/null
done
ok "auditd gets the stream" [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$AUDITD" ]
sleep 2 # culprit listens beside it from its next look at the owner on
touch "$WORK/w/beside"
ok "and we see beside it" seen create beside
sleep 1 # auditd writes when it likes
ok "it has all records" grep -q PROCTITLE "$WORK/log/audit.log"
kill "$AUDITD"
wait "$AUDITD" 2> /dev/null
kill -INT "$PID"
wait "$PID"
ok "and losses are told by the exit status" [ $? = 4 ]
auditctl -l > "$WORK/rules" 2> /dev/null
ok "no rule of ours is left" sh -c "! grep culprit-$PID- $WORK/rules"
finish
