# SPDX-License-Identifier: MIT
# In the guest, for bench/guard.sh: guard_guest.sh BUILD PAIRS
CULPRIT=$1/culprit ACT=$1/tests/actors/act PAIRS=$2
mkdir -p /run/b /run/other
mount -t tmpfs tmpfs /run/b
mount -t tmpfs tmpfs /run/other
mkdir -p /run/b/guarded /run/b/else /run/other/d
touch /run/b/guarded/f /run/b/else/byte /run/other/byte

# One nanosecond is one instruction: what a process used, in user space and in the kernel; the least of three, what else the kernel does only adds.
used() { # used COMMAND...
    python3 -c '
import os, sys
def once():
    pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"bench: {sys.argv[1:]} failed")
    return usage.ru_utime + usage.ru_stime
print(round(min(once() for _ in range(3)) * 1e9))' "$@"
}
each() { # each KIND FILE
    local many one
    many=$(used "$ACT" "$1" "$2" "$PAIRS") && one=$(used "$ACT" "$1" "$2" 1) && echo $(((many - one) / (PAIRS - 1)))
}
rows=("storm /run/b/else/f 1.10 a pair of creat and unlink, same file system" "storm /run/other/d/f 1.04 a pair on another file system"
    "bytes /run/b/else/byte 1.02 one byte written and read, same file system" "bytes /run/other/byte 1.02 one byte on another file system")
declare -A bare=()
failed=0
print() { printf '%-50s %9s %9s %7s %7s  %s\n' "$@"; }

for row in "${rows[@]}"; do
    read -r kind file limit text <<< "$row"
    bare[$text]=$(each "$kind" "$file")
done
# with what observes for it, the sensor bpf
"$CULPRIT" guard --method bpf --best-effort --no-store /run/b/guarded > /dev/null 2> /run/err &
guard=$!
for ((i = 0; i < 6000; i++)); do
    grep -q 'culprit: guarded: ' /run/err && break
    kill -0 $guard 2> /dev/null || { cat /run/err; exit 1; }
    sleep 0.05
done
sleep 2
grep guarded: /run/err || { cat /run/err; exit 1; }
rm -f /run/b/guarded/f 2> /dev/null && { echo "bench: it is not guarded"; exit 1; }
echo "$(uname -r), instructions, the mean of $PAIRS; a guard elsewhere on the first file system"
print "" bare guarded ratio limit ""
for row in "${rows[@]}"; do
    read -r kind file limit text <<< "$row"
    now=$(each "$kind" "$file")
    read -r ratio said < <(awk -v a="${now:-0}" -v b="${bare[$text]:-0}" -v l="$limit" 'BEGIN {r = b > 0 ? a / b : 0; printf "%.3f %s", r, (r > 0 && r <= l) ? "right" : "WRONG"}')
    print "$text" "${bare[$text]}" "$now" "$ratio" "$limit" "$said"
    [ "$said" = right ] || failed=1
done
kill -INT $guard
wait $guard
exit $failed
