#!/bin/bash
# SPDX-License-Identifier: MIT
# containers.sh BUILD [CONTAINERS] [SECONDS]: with so many containers on record, how long until `watch` is ready and
# until `who NAME:/p` answers; then containers by runc, 20 a second: memory, and how many were named. As root.
# The containers on record are in a Podman storage made for it, mounted where Podman's is, in a mount namespace of
# its own.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=$(readlink -f "${1:-build}")
CONTAINERS=${2:-10000}
SECONDS_OF_CHURN=${3:-60}
CULPRIT=$BUILD/culprit
ninja -C "$BUILD" culprit bench/fill > /dev/null || exit 2
if [ -z "${CULPRIT_BENCH_NS:-}" ]; then
    exec 8> /run/culprit-test-audit.lock
    flock 8
    CULPRIT_BENCH_NS=1 exec unshare -m --propagation private "$0" "$@"
fi
WORK=$(mktemp -d /var/tmp/culprit-bench.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
ms() { echo $((($(date +%s%N) - $1) / 1000000)); }

mkdir -p "$WORK/lib/storage/overlay-containers" "$WORK/lib/storage/overlay" /var/lib/containers
python3 - "$WORK/lib/storage" "$CONTAINERS" <<'PY'
import hashlib, json, os, sys
root, n = sys.argv[1], int(sys.argv[2])
records = []
for i in range(n):
    cid = hashlib.sha256(b"c%d" % i).hexdigest()
    layer = hashlib.sha256(b"l%d" % i).hexdigest()
    records.append({"id": cid, "names": [f"web{i}"], "image": "f" * 64, "layer": layer,
                    "metadata": json.dumps({"image-name": "localhost/shop:1.4", "image-id": "f" * 64,
                                            "name": f"web{i}", "created-at": 1795529191}),
                    "created": "2026-11-24T14:06:31.464847427Z", "flags": {"MountLabel": "", "ProcessLabel": ""}})
    if i == n // 2:
        os.makedirs(f"{root}/overlay/{layer}/diff/prd")
with open(f"{root}/overlay-containers/containers.json", "w", encoding="ascii") as f:
    json.dump(records, f)
PY
mount --bind "$WORK/lib" /var/lib/containers
name=web$((CONTAINERS / 2))

for round in 1 2 3; do
    : > "$WORK/err"
    t0=$(date +%s%N)
    "$CULPRIT" watch --no-store "$name:/prd" > "$WORK/out" 2> "$WORK/err" &
    pid=$!
    until grep -q "culprit: ready" "$WORK/err"; do sleep 0.002; kill -0 $pid 2> /dev/null || break; done
    echo "watch ready with $CONTAINERS containers of Podman: $(ms "$t0") ms, $(awk '/VmRSS/ {print $2}' /proc/$pid/status) kB"
    kill -INT $pid
    wait $pid
done
head -1 "$WORK/err"

"$BUILD/bench/fill" "$WORK/store.db" $((CONTAINERS * 20)) 100 "$CONTAINERS" > /dev/null
for round in 1 2 3; do
    t0=$(date +%s%N)
    "$CULPRIT" who --store "$WORK/store.db" "$name:/srv/data" > "$WORK/who"
    echo "who $name:/srv/data among $CONTAINERS containers: $(ms "$t0") ms"
done
head -1 "$WORK/who"

command -v runc > /dev/null || exit 0
mkdir -p "$WORK/b/rootfs"/{bin,proc,dev,sys,shared} "$WORK/shared"
cp "$(command -v busybox)" "$WORK/b/rootfs/bin/sh"
(cd "$WORK/b" && runc spec)
python3 - "$WORK" <<'PY'
import json, sys
work = sys.argv[1]
c = json.load(open(work + "/b/config.json", encoding="ascii"))
c["process"].pop("rlimits", None)
c["process"].update(terminal=False, args=["/bin/sh", "-c", "echo x > /shared/$HOSTNAME; rm /shared/$HOSTNAME"])
c["process"]["env"].append("HOSTNAME=f")
c["mounts"].append({"destination": "/shared", "type": "bind", "source": work + "/shared", "options": ["rbind", "rw"]})
json.dump(c, open(work + "/b/config.json", "w", encoding="ascii"))
PY
umount /var/lib/containers
: > "$WORK/err" # else the ready line of the one before is found
"$CULPRIT" watch --no-store --format json "$WORK/shared" > "$WORK/out" 2> "$WORK/err" &
pid=$!
until grep -q "culprit: ready" "$WORK/err"; do sleep 0.01; kill -0 $pid 2> /dev/null || break; done
before=$(awk '/VmRSS/ {print $2}' /proc/$pid/status)
end=$((SECONDS + SECONDS_OF_CHURN)) n=0
while [ $SECONDS -lt $end ]; do
    for i in 1 2 3 4; do
        n=$((n + 1))
        (cd "$WORK/b" && exec runc run --no-pivot "churn$n" < /dev/null > /dev/null 2>&1) &
    done
    sleep 0.2
done
wait $(jobs -p | grep -vx $pid)
sleep 1
after=$(awk '/VmRSS/ {print $2}' /proc/$pid/status) peak=$(awk '/VmHWM/ {print $2}' /proc/$pid/status)
kill -INT $pid
wait $pid
python3 - "$WORK/out" "$n" "$before" "$after" "$peak" <<'PY'
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
events = [l for l in lines if l["event"]["kind"] == "event" and l["event"]["action"] == "unlink"]
named = [l for l in events if l.get("container", {}).get("name", "").startswith("churn")]
gaps = [l for l in lines if l["event"]["kind"] == "pipeline_error"]
n = int(sys.argv[2])
print(f"churn: {n} containers, {len(events)} deletions told, {len(named)} with the container's name "
      f"({100 * len(named) / max(1, len(events)):.1f} %), {len(gaps)} gaps")
wrong = len(events) > n or (len(events) < n and not gaps)
print(f"memory: {sys.argv[3]} kB before, {sys.argv[4]} kB after, {sys.argv[5]} kB at most")
if wrong:
    print("FAILED: a deletion was told twice, or neither told nor counted as lost")
sys.exit(wrong)
PY
