#!/bin/bash
# SPDX-License-Identifier: MIT
# unit.sh: systemd/culprit.service: nothing in it blinds the daemon, systemd understands it, and its exposure is 5.0 at most.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/scenario/lib/test.sh
WORK=$(mktemp -d /tmp/culprit-unit.XXXXXX) || exit 2
trap 'rm -rf "$WORK"' EXIT
UNIT=$WORK/culprit.service
SHOW_FAILED=$WORK/said
sed 's|@bindir@/culprit|/bin/true|' systemd/culprit.service.in > "$UNIT"
settings() { grep -v '^#' "$UNIT"; }

# whatever gives it a mount namespace, another root or another user's eyes
blinds() { settings | grep -E '^(Private(Tmp|Devices|Mounts|Users|IPC|Network)|Protect(Home|System|Proc|KernelTunables|KernelModules|KernelLogs|ControlGroups|Hostname)|ProcSubset|(ReadOnly|ReadWrite|Inaccessible|Exec|NoExec)Paths|Bind(ReadOnly)?Paths|TemporaryFileSystem|Root(Directory|Image)|MountAPIVFS|MountFlags|MountImages|ExtensionImages|DynamicUser|User|Group)='; }
sees() { ! blinds; }
ok "nothing blinds it" sees
understands() { systemd-analyze verify --man=no "$UNIT" > "$WORK/said" 2>&1 && [ ! -s "$WORK/said" ]; }
is_tight() { systemd-analyze security --offline=true --threshold=50 "$UNIT" > "$WORK/said" 2>&1; }
# what sensors, the workers of src/foreign and daemon/seccomp.c call, beside what every program does
CALLS="bpf perf_event_open fanotify_init fanotify_mark name_to_handle_at open_by_handle_at setns open_tree chroot seccomp prctl
    capset setresuid setresgid setgroups pidfd_open clone3 close_range openat2 statx sched_setattr setpriority prlimit64"
expand() { # expand WORD...: the system calls of a filter
    local word
    for word; do
        case $word in
        @*) expand $(systemd-analyze syscall-filter "$word" | awk 'NR > 1 && $1 !~ /^#/ {print $1}') ;;
        *) echo "$word" ;;
        esac
    done
}
lets_through() {
    expand @default $(settings | sed -n 's/^SystemCallFilter=//p') | sort -u > "$WORK/calls"
    tr -s ' ' '\n' <<< "$CALLS" | grep . | sort | comm -23 - "$WORK/calls" > "$WORK/said"
    [ ! -s "$WORK/said" ]
}
if [ "$(systemd-analyze --version 2> /dev/null | awk 'NR == 1 {print $2}')" -ge 250 ] 2> /dev/null; then
    ok "systemd understands it" understands
    ok "its exposure is 5.0 at most" is_tight
    ok "what culprit calls is let through" lets_through
else
    echo "no systemd-analyze of version 250 or later here: not asked"
fi
has() { settings | grep -qx "$1"; }
for line in Type=notify WatchdogSec=30 Restart=always RestartPreventExitStatus=2 'ExecReload=/bin/kill -HUP $MAINPID' 'ExecStart=/bin/true daemon'; do
    ok "$line" has "$line"
done
finish
