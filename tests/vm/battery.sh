# SPDX-License-Identifier: MIT
# In the guest: battery.sh CULPRIT SENSORS PLACES STORY [options of battery.py]. Every scenario on every file
# system, then, where STORY is not "-", the story by the access paths that STORY names. Results go to /out.
culprit=$1 sensors=$2 places=$3 story=$4
shift 4
tests=$(cd "$(dirname "$0")/.." && pwd)
module loop ext4 xfs btrfs fuse overlay 2> /dev/null
# as systemd leaves it
mount --make-rshared /
mkdir -m 1777 /run/tests
export CULPRIT_TEST_DIR=/run/tests PYTHONPATH=$tests/scenario
uname -r
rm -f /out/results /out/story
echo "begun: $(cut -d. -f1 /proc/uptime) s since boot"
python3 -B "$tests/scenario/battery.py" "$culprit" "$(dirname "$culprit")/tests/actors/act" -s "$sensors" -f "$places" \
    --guest --together --results /out/results --doctor /out/doctor "$@"
status=$?
echo "battery: $(cut -d. -f1 /proc/uptime) s since boot"
if [ "$story" != - ]; then
    # whoever acts after the restart is as slow here as everything else
    STORY_SETTLE=30s STORY_ACCESS=$story STORY_KEEP=/out/story.json bash "$tests/scenario/story.sh" "$culprit" "$sensors" \
        > /out/story 2>&1 || status=1
    cat /out/story
    echo "story: $(cut -d. -f1 /proc/uptime) s since boot"
fi
# what doctor says of a machine that does not let us: rights, no BTF, and last what cannot be taken back
doctor_says() { # doctor_says NAME EXPECTED COMMAND...
    local name=$1 expected=$2 line result=WRONG
    shift 2
    line=$("$@" "$culprit" doctor 2>&1 | grep '^bpf ' | tr -d '"\\')
    [[ $line = *"$expected"* ]] && result=right
    printf '["-","doctor: %s","bpf","%s",["%s"],0]\n' "$name" "$result" "$line" >> /out/results
    [ $result = right ] || status=1
}
# One processor, several processes: what interrupts one of them must not hide what the others do, or has to be counted.
several() {
    local each=500 acts=() line result=WRONG i pid
    mkdir -p /run/several/w
    "$culprit" watch --sensor bpf --store /run/several/store /run/several/w > /dev/null 2> /run/several/err &
    pid=$!
    for ((i = 0; i < 2400; i++)); do
        grep -q "culprit: ready" /run/several/err && break
        kill -0 $pid 2> /dev/null || break
        sleep 0.05
    done
    for i in 1 2 3 4; do
        "$(dirname "$culprit")/tests/actors/act" storm "/run/several/w/f$i" $each > /dev/null &
        acts+=($!)
    done
    wait "${acts[@]}"
    kill -INT $pid
    wait $pid
    line=$(python3 -c '
import sqlite3, sys
db, done = sqlite3.connect("/run/several/store"), int(sys.argv[1])
of = lambda operation: db.execute("SELECT ifnull(sum(count), 0) FROM rollup WHERE place = 0 AND operation = ?", (operation,)).fetchone()[0]
CREATE, UNLINK = 5, 10 # src/wire/operation.h
created, gone = of(CREATE), of(UNLINK)
lost = db.execute("SELECT ifnull(sum(count), 0) FROM gap").fetchone()[0]
good = max(created, gone) <= done and min(created, gone) > done * 0.9 and 2 * done - created - gone <= lost
print("right" if good else "WRONG", f"{created} creates and {gone} deletes reported of {done} each, {lost} calls lost")' $((4 * each)) 2>&1 | tail -1)
    [[ $line = right* ]] && result=right
    printf '["-","several processes at once, reported or counted","bpf","%s",["%s"],0]\n' "$result" "${line//\"/}" >> /out/results
    echo "several processes: $line"
    [ $result = right ] || status=1
}
# every kind of change, where tmpfs has no attributes of users before 6.6
proof() {
    local said result=WRONG
    mkdir -p /run/proof
    said=$("$culprit" doctor --sensor bpf /run/proof 2>&1) && result=right
    said=$(tr '\n"\\' '   ' <<< "$said")
    printf '["-","doctor: every kind of change","bpf","%s",["%s"],0]\n' "$result" "$said" >> /out/results
    echo "doctor: $said"
    [ $result = right ] || status=1
}
if [ "$sensors" = bpf ]; then
    several
    proof
    doctor_says "missing capabilities" "missing here: CAP_BPF, CAP_PERFMON" \
        setpriv --bounding-set -bpf,-perfmon,-sys_admin --inh-caps -bpf,-perfmon,-sys_admin
    mkdir /run/nothing
    mount --bind /run/nothing /sys/kernel/btf
    doctor_says "no BTF" "no BTF" env
    umount /sys/kernel/btf
    echo confidentiality > /sys/kernel/security/lockdown
    doctor_says "lockdown" "lockdown is confidentiality" env
fi
exit $status
