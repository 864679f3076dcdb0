#!/bin/bash
# SPDX-License-Identifier: MIT
# privileges.sh CULPRIT [SENSOR...]: while it observes culprit keeps what `doctor` says it needs and nothing
# else, in every thread, and has its filter of system calls there; with exactly these it still works; and run's COMMAND
# has all that the user has, and no filter.
set -u
CULPRIT=$(readlink -f "$1")
shift
WORK=$(mktemp -d "${CULPRIT_TEST_DIR:-/tmp}/culprit-privileges.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
passed=0 failed=0
exec 8> /run/culprit-test-audit.lock
flock 8

check() { # check TEXT CONDITION...
    local text=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "privileges: WRONG: $text"; fi
}

numbers() { # names of capabilities on standard input: their mask, in hexadecimal
    python3 -c '
import re, sys
text = open("/usr/include/linux/capability.h").read()
n = {m[0]: int(m[1]) for m in re.findall(r"#define\s+(CAP_\w+)\s+(\d+)", text)}
print("%016x" % sum(1 << n[w] for w in re.findall(r"CAP_\w+", sys.stdin.read())))'
}

wait_ready() {
    local i
    for ((i = 0; i < 4800; i++)); do grep -q "culprit: ready" "$WORK/err" && return 0; sleep 0.05; done
    cat "$WORK/err"
    return 1
}

# without_bpf COMMAND...: the kernel refuses bpf(), as lockdown and container engines do
without_bpf() {
    exec python3 -c '
import ctypes, os, struct, sys
BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}[os.uname().machine]
code = [(0x20, 0, 0, 0), (0x15, 0, 1, BPF), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
if ctypes.CDLL(None, use_errno=True).prctl(22, 2, filter, 0, 0) != 0:
    sys.exit("no seccomp: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])' "$@"
}

masks() { # masks PID: every mask of effective and permitted capabilities that one of its threads has
    cat /proc/"$1"/task/*/status | awk '/^Cap(Prm|Eff)/ {print $2}' | sort -u
}

# 2: a filter of system calls; as many of them as culprit inherited, and its own
filters() { # filters PID: each state that one of its threads has
    cat /proc/"$1"/task/*/status | awk '/^Seccomp:/ {print $2}' | sort -u
}

child_of() { # child_of PID NAME
    local child
    for child in $(cat /proc/"$1"/task/*/children); do
        [ "$(cat /proc/"$child"/comm)" != "$2" ] || echo "$child"
    done
}

reader_of() { child_of "$1" culprit-reader; } # the process that opens foreign files for it

list_threads() { # list_threads PID: what each may do, for people
    local task
    for task in /proc/"$1"/task/*; do
        awk -v tid="${task##*/}" '/^Name:/ {name = $2} /^CapEff:/ {caps = $2} /^NoNewPrivs:/ {new = $2} /^Seccomp:/ {filter = $2}
            END {printf "   %-16s %8s  capabilities %s  no new privileges %s  seccomp %s\n", name, tid, caps, new, filter}' "$task/status"
    done
}

confines=$("$CULPRIT" doctor --format json | head -1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["privileges"]["seccomp"])')
inherited=$(awk '/^Seccomp:/ {print $2}' /proc/self/status)
[ "$confines" = True ] || echo "******** NOT RUN: privileges: this kernel or this build has no filter of system calls"

[ $# -gt 0 ] || mapfile -t works < <("$CULPRIT" doctor --format json | head -1 |
    python3 -c 'import json, sys; print("\n".join(s["name"] for s in json.load(sys.stdin)["sensors"] if s["works"]))')
for sensor in "${@:-${works[@]}}"; do
    needed=$("$CULPRIT" doctor --format json --sensor "$sensor" | head -1 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["privileges"]["needed"])')
    mine=$(awk '/^CapEff/ {print $2}' /proc/self/status)
    mask=$(numbers <<< "$needed")
    want=$(printf %016x $((0x$mask & 0x$mine)))
    mkdir -p "$WORK/w"
    echo x > "$WORK/w/f"
    : > "$WORK/err"
    "$CULPRIT" watch --sensor "$sensor" --store "$WORK/db" --format json "$WORK/w" > "$WORK/out" 2> "$WORK/err" &
    pid=$!
    check "$sensor does not get ready" wait_ready
    check "$sensor: some thread has more or less than doctor says ($needed)" \
        [ "$(masks $pid)" = "$want" ]
    check "$sensor: the bounding set is kept" [ "$(awk '/^CapBnd/ {print $2}' /proc/$pid/status)" = "$want" ]
    if [ "$confines" = True ]; then
        # it comes with the loop's first turn
        for ((i = 0; i < 1200; i++)); do [ "$(filters $pid)" = 2 ] && break; sleep 0.05; done
        check "$sensor: some thread has no filter of system calls" [ "$(filters $pid)" = 2 ]
    fi
    list_threads $pid
    opening=$(numbers <<< "CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_SYS_PTRACE CAP_SYS_ADMIN CAP_FOWNER CAP_SYS_CHROOT
        CAP_SETUID CAP_SETGID")
    for ((i = 0; i < 1200; i++)); do reader=$(reader_of $pid); [ -z "$reader" ] || break; sleep 0.05; done # it has its name once it runs
    check "$sensor: what opens foreign files has more or less than that needs" \
        [ "$(masks "${reader:-none}")" = "$(printf %016x $((0x$opening & 0x$mine)))" ]
    rm "$WORK/w/f"
    kill -INT $pid
    wait $pid
    check "$sensor: nothing seen with what is kept" grep -q '"unlink"' "$WORK/out"
    : > "$WORK/err"
    "$CULPRIT" watch --no-seccomp --sensor "$sensor" --store "$WORK/db" "$WORK/w" > "$WORK/out" 2> "$WORK/err" &
    pid=$!
    check "$sensor does not get ready with --no-seccomp" wait_ready
    sleep 0.3
    check "$sensor: --no-seccomp: a filter all the same" [ "$(filters $pid)" = "$inherited" ]
    kill -INT $pid
    wait $pid
    # where bpf() is refused a thread reads /proc: it was opened before the privileges were given away
    if [ "$sensor" != bpf ]; then
        echo x > "$WORK/w/f"
        : > "$WORK/err"
        without_bpf "$CULPRIT" watch --sensor "$sensor" --store "$WORK/db" --format json "$WORK/w" > "$WORK/out" 2> "$WORK/err" &
        pid=$!
        check "$sensor does not get ready without bpf()" wait_ready
        check "$sensor: some thread has more or less than doctor says, without bpf()" [ "$(masks $pid)" = "$want" ]
        python3 -c 'import os, sys, time; os.unlink(sys.argv[1]); time.sleep(300)' "$WORK/w/f" &
        actor=$! # it lives until it has been looked at
        for ((i = 0; i < 1200; i++)); do grep -q '"unlink"' "$WORK/out" && break; sleep 0.05; done
        kill $actor
        wait $actor 2> /dev/null
        kill -INT $pid
        wait $pid
        check "$sensor: no actor without bpf()" grep -q '"unlink".*"name":"python3' "$WORK/out"
    fi
    # started with no more than that it works as well
    if command -v setpriv > /dev/null; then
        echo x > "$WORK/w/f"
        : > "$WORK/err"
        list=$(sed 's/CAP_/+/g; s/, /,/g' <<< "$needed" | tr '[:upper:]' '[:lower:]')
        setpriv --bounding-set "-all,$list" --inh-caps "-all" \
            "$CULPRIT" watch --sensor "$sensor" --store "$WORK/db" --format json "$WORK/w" > "$WORK/out" 2> "$WORK/err" &
        pid=$!
        check "$sensor does not get ready with what doctor names ($needed)" wait_ready
        rm -f "$WORK/w/f"
        kill -INT $pid
        wait $pid
        check "$sensor: nothing seen with what doctor names" grep -q '"unlink"' "$WORK/out"
    fi
    # who keeps copies has a right to leases; nobody else has
    : > "$WORK/err"
    "$CULPRIT" watch --sensor "$sensor" --store "$WORK/db" --keep-copies 8M "$WORK/w" > "$WORK/out" 2> "$WORK/err" &
    pid=$!
    check "$sensor does not get ready with --keep-copies" wait_ready
    keeping=$(numbers <<< "CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_LEASE CAP_SYS_ADMIN")
    check "$sensor: who keeps copies has more or less than that needs" [ "$(masks "$(child_of $pid culprit-copies)")" = "$(printf %016x $((0x$keeping & 0x$mine)))" ]
    check "$sensor: with --keep-copies some thread has more or less than doctor says" [ "$(masks $pid)" = "$want" ]
    kill -INT $pid
    wait $pid
    "$CULPRIT" run --sensor "$sensor" --store "$WORK/db" --settle 0s -w "$WORK/w" -- \
        sh -c "awk '/^CapEff|^Seccomp:|^NoNewPrivs/ {print \$2}' /proc/self/status > $WORK/command; nice > $WORK/nice; ls /proc/self/fd > $WORK/fds" > /dev/null 2>&1
    sh -c "ls /proc/self/fd > $WORK/fds_alone" > /dev/null 2>&1
    check "$sensor: run's COMMAND has descriptors that it has not alone" cmp -s "$WORK/fds" "$WORK/fds_alone"
    check "$sensor: run's COMMAND has another priority" [ "$(cat "$WORK/nice")" = "$(nice)" ]
    check "$sensor: run's COMMAND has lost privileges" [ "$(grep .... "$WORK/command")" = "$mine" ]
    check "$sensor: run's COMMAND has culprit's filter" \
        [ "$(tail -1 "$WORK/command") $(awk 'FNR == 2' "$WORK/command")" = "$inherited $(awk '/^NoNewPrivs/ {print $2}' /proc/self/status)" ]
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
