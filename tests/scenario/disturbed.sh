#!/bin/bash
# SPDX-License-Identifier: MIT
# disturbed.sh CULPRIT [SENSORS]: somebody deletes the rules of a watch, or switches audit off. What cannot be known is a
# gap, and what comes after it is seen.
set -u
CULPRIT=$(readlink -f "$1")
SENSORS=${2:-audit}
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/var/tmp}/culprit-disturbed.XXXXXX")
exec 8> /run/culprit-test-audit.lock
flock 8
. "$(dirname "$(readlink -f "$0")")/lib/test.sh"
PID= AUDITD= SHOW_FAILED=$WORK/err
trap 'kill -9 $PID $AUDITD 2> /dev/null; rm -rf "$WORK"' EXIT
mkdir "$WORK/w"
touch "$WORK/w/old"

reported() { await 60 grep -q "$1" "$WORK/out"; } # reported PATTERN
seen() { reported "\"action\":\"$1\".*/$2\""; } # seen OPERATION NAME

# When its rules stand again, or it listens in another way, no line says: done again and again, the change is seen.
seen_again() { # seen_again OPERATION NAME COMMAND...
    local pattern="\"action\":\"$1\".*/$2\"" i
    for ((i = 0; i < 60; i++)); do
        "${@:3}"
        await 1 grep -q "$pattern" "$WORK/out" && return 0
    done
    return 1
}
make() { rm -f "$WORK/w/$1"; touch "$WORK/w/$1"; }
set_flag() { chattr -d "$WORK/w/old"; chattr +d "$WORK/w/old"; }

: > "$WORK/err"
"$CULPRIT" watch --sensor "$SENSORS" --no-store --format json "$WORK/w" > "$WORK/out" 2> "$WORK/err" 8>&- &
PID=$!
await 240 grep -q 'culprit: ready' "$WORK/err"
touch "$WORK/w/before"
ok "a change before" seen create before
auditctl -D > /dev/null 2>&1
ok "deleted rules are a gap" reported "deleted the audit rules"
# auditctl deletes one by one: what is deleted after the first gap is another gap
ok "a change after the rules were placed again" seen_again create after make after
set_flag 2> /dev/null && ok "and its flags, which no path has a rule for" seen_again setflags old set_flag
auditctl -e 0 > /dev/null
auditctl -D > /dev/null 2>&1
ok "audit switched off is a gap" reported "switched audit off"
ok "a change after it is on again" seen_again create on make on

# auditd comes: the stream becomes its own, whole
mkdir -p "$WORK/etc/plugins.d" "$WORK/log"
printf 'log_file = %s/log/audit.log\nlog_format = RAW\nspace_left = 75\nspace_left_action = IGNORE\nadmin_space_left = 50\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' \
    "$WORK" > "$WORK/etc/auditd.conf"
owns_stream() { [ "$(auditctl -s | awk '/^pid/ {print $2}')" = "$1" ]; }
for ((i = 0; i < 20; i++)); do # the first time, the kernel asks us whether we are alive
    auditd -n -c "$WORK/etc" > "$WORK/auditd" 2>&1 8>&- &
    AUDITD=$!
    await 5 owns_stream "$AUDITD" && break
    kill "$AUDITD" 2> /dev/null
    wait "$AUDITD" 2> /dev/null
done
ok "auditd gets the stream" owns_stream "$AUDITD"
ok "and we see beside it" seen_again create beside make beside
ok "it has all records" await 60 grep -q PROCTITLE "$WORK/log/audit.log"
kill "$AUDITD"
wait "$AUDITD" 2> /dev/null
kill -INT "$PID"
wait "$PID"
ok "and losses are reported by the exit status" [ $? = 4 ]
auditctl -l > "$WORK/rules" 2> /dev/null
ok "no rule of ours is left" sh -c "! grep culprit-$PID- $WORK/rules"
finish
