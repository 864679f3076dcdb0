# SPDX-License-Identifier: MIT
# In the guest, for bench/vm.sh: guest.sh BUILD PAIRS
BUILD=$1 PAIRS=$2
CULPRIT=$BUILD/culprit ACT=$BUILD/tests/actors/act
mkdir -p /run/b /run/other
mount -t tmpfs tmpfs /run/b
mount -t tmpfs tmpfs /run/other
mkdir -p /run/b/w/d /run/b/else/d /run/b/many /run/other/d
for i in $(seq "${MANY:-10000}"); do echo "/run/b/many/$i"; done | xargs mkdir

# One nanosecond is one instruction. own: what a process and its children used, in user space and in the kernel;
# all: with what the reader and the kernel's audit thread used for it, at once or in the seconds after.
timed() { # timed COMMAND...: "own status"
    python3 -c '
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(round((usage.ru_utime + usage.ru_stime) * 1e9), status)' "$@"
}
PID= IDLE=0 failed=0
others() { cat /proc/${PID:-none}/task/*/schedstat "/proc/$(pgrep -x kauditd)/schedstat" 2> /dev/null | awk '{n += $1} END {printf "%.0f", n}'; }
# what it does when nothing happens, in two seconds
idle() { local n; n=$(others); sleep 2; echo $(($(others) - n)); }
each() { # each N KIND ARGUMENT: "all own" of one of N, the least of three: what else the kernel does only adds
    local own0 own before all status least_all= least_own=
    for _ in 1 2 3; do
        read -r own0 _ < <(timed "$ACT" "$2" "$3" 1)
        sleep 4
        before=$(others)
        read -r own status < <(timed "$ACT" "$2" "$3" "$1")
        sleep 4
        [ "$status" = 0 ] || echo "bench: $2 failed" >&2
        own=$(((own - own0) / ($1 - 1)))
        all=$((own + ($(others) - before - 2 * IDLE) / $1))
        [ -n "$least_own" ] && [ "$least_own" -le "$own" ] || least_own=$own
        [ -n "$least_all" ] && [ "$least_all" -le "$all" ] || least_all=$all
    done
    echo "$least_all $least_own"
}
pair() { each "$PAIRS" storm "$1/f"; }
execs() { each 100 execs /bin/true; }
bytes() { each 20000 bytes /run/other/byte; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3f", b ? a / b : 0}'; }
row() { printf '%-58s %9s %7s %9s %7s\n' "$@"; }
measure() { # measure TEXT DIRECTORY
    local all own
    read -r all own < <(pair "$2")
    row "$1" "$all" "$(ratio "$all" "$bare")" "$own" "$(ratio "$own" "$bare_own")"
}
other() { # other TEXT BARE BARE_OWN: the same with "all own" on standard input
    local all own
    read -r all own
    row "$1" "$all" "$(ratio "$all" "$2")" "$own" "$(ratio "$own" "$3")"
}
start() { # start OPTIONS TARGETS...
    rm -f /run/store*
    : > /run/err # else the ready line of the one before is found
    "$CULPRIT" watch --sensor bpf --store /run/store.db "$@" > /dev/null 2> /run/err &
    PID=$!
    for ((i = 0; i < 2400; i++)); do
        grep -q "culprit: ready" /run/err && { READY=$(date +%s%N); sleep 2; IDLE=$(idle); return 0; }
        kill -0 $PID 2> /dev/null || break
        sleep 0.05
    done
    echo "bench: culprit does not get ready: $(tail -1 /run/err)"
    failed=1
    return 1
}
stop() { kill -INT $PID; wait $PID; PID= IDLE=0; }

echo "$(uname -r), instructions, $PAIRS pairs; all: with reader, attribution and store; own: what the process pays"
row "" all ratio own ratio
pair /run/b/w > /dev/null
read -r bare bare_own < <(pair /run/b/w)
read -r exec0 exec0_own < <(execs)
read -r byte0 byte0_own < <(bytes)
row "a pair of creat and unlink, bare" "$bare" 1 "$bare_own" 1
t0=$(date +%s%N)
if start /run/b/w; then
    measure "in the watched directory" /run/b/w
    measure "in another directory of the watched file system" /run/b/else
    measure "on a file system without a watch" /run/other/d
    other "exec of /bin/true" "$exec0" "$exec0_own" < <(execs)
    other "one byte read and written, unwatched" "$byte0" "$byte0_own" < <(bytes)
    # the rings are the kernel's pages, mapped; "ready" is the highest point
    rings=$(awk '/^[0-9a-f]+-[0-9a-f]+ / {ring = /bpf/} /^Rss:/ && ring {rings += $2} END {printf "%d", rings}' /proc/$PID/smaps)
    memory=$(awk '/^VmHWM/ {print $2}' /proc/$PID/status)
    row "memory at its highest beside the rings, kB" "$((memory - rings))" "" "" ""
    row "the rings, mapped twice each, kB" "$rings" "" "" ""
    stop
    row "ready after, millions of instructions" "$(((READY - t0) / 1000000))" "" "" ""
fi
if start --writes /run/b/w; then
    other "with --writes: one byte read and written, unwatched" "$byte0" "$byte0_own" < <(bytes)
    stop
fi
for n in 100 10000; do
    mapfile -t targets < <(seq -f "/run/b/many/%g" $n)
    start /run/b/w "${targets[@]}" || continue
    measure "with $n watches: in one of them" /run/b/w
    measure "with $n watches: in another directory" /run/b/else
    stop
done
# overload: everything that was done was seen, or is counted as lost
if start /run/b/w; then
    "$ACT" storm /run/b/w/f 50000 > /dev/null
    stop
    echo "a storm of 50,000 pairs: $(python3 "$(dirname "$0")/counts.py" /run/store.db 100000)" > /run/counts
    cat /run/counts
    grep -q ": right$" /run/counts || failed=1
fi
if command -v bpftrace > /dev/null; then
    bpftrace -e 'kprobe:vfs_unlink { printf("%d %s\n", pid, comm); }' > /run/bpftrace 2>&1 &
    PID=$!
    for ((i = 0; i < 600; i++)); do grep -q Attaching /run/bpftrace && break; sleep 0.1; done
    sleep 2
    measure "bpftrace, one line a pair" /run/b/w
    stop
fi
mkdir -p /run/audit/plugins.d
printf 'log_file = /run/audit/log\nlog_format = RAW\nflush = NONE\nmax_log_file_action = IGNORE\nspace_left = 1\nadmin_space_left = 0\nspace_left_action = IGNORE\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n' > /run/audit/auditd.conf
if auditd -n -c /run/audit > /dev/null 2>&1 & then
    PID=$!
    sleep 3
    auditctl -e 1 -b 16384 > /dev/null
    auditctl -w /run/b/w -p wa -k bench > /dev/null
    measure "auditd with the same watch" /run/b/w
    measure "auditd: in another directory" /run/b/else
    auditctl -D > /dev/null
    kill "$PID"; wait "$PID"
fi
exit "$failed"
