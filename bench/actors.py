#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""actors.py BUILD [ACTORS] [SENSORS...]: how many of ACTORS processes that exit right after their only unlink
are named fully (executable, arguments, ids, launcher, where they live), under load, by each tracker. As
root. The last line of each run says how many; exit status 1 if raw tracepoints miss one."""
import json
import os
import subprocess
import sys
import tempfile
import time

BUILD = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "build")
ACTORS = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
SENSORS = sys.argv[3:] or ["fanotify", "audit", "fanotify,audit"]
WORKERS = 4


def run(sensors, wrapper):
    with tempfile.TemporaryDirectory(prefix="culprit-actors.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp")) as work:
        watched, out, err = f"{work}/w", f"{work}/out", f"{work}/err"
        os.mkdir(watched)
        os.chmod(work, 0o755)
        os.chmod(watched, 0o777)
        names = [f"{watched}/f{i:06}" for i in range(ACTORS)]
        for name in names:
            open(name, "w").close()
        with open(out, "w") as o, open(err, "w") as e:
            watch = subprocess.Popen(wrapper + [f"{BUILD}/culprit", "watch", "--sensor", sensors, "--format", "json",
                                                "--store", f"{work}/store.db", watched], stdout=o, stderr=e)
        for _ in range(4800):
            if "culprit: ready" in open(err).read():
                break
            time.sleep(0.05)
        load = subprocess.Popen(["/bin/sh", "-c", "while :; do /bin/true; done"])
        begun = time.monotonic()
        # a user of its own, so that ids that were captured differ from those that were inherited
        subprocess.run(["xargs", "-P", str(WORKERS), "-n1", "setpriv", "--reuid=12345", "--regid=54321",
                        "--clear-groups", "/bin/rm", "-f"], input="\n".join(names).encode(),
                       stderr=subprocess.DEVNULL)
        took = time.monotonic() - begun
        load.kill()
        load.wait()
        watch.send_signal(2)
        watch.wait(600)
        seen, full, lacks = set(), 0, {}
        for line in open(out, "rb"):
            e = json.loads(line)
            if e["event"].get("action") != "unlink":
                continue
            path, p = e["file"]["path"], e.get("process", {})
            parents = [q.get("name") for q in e.get("culprit", {}).get("lineage", [])]
            facts = {
                "executable": p.get("executable", "").endswith("/bin/rm"),
                "arguments": p.get("args") == ["/bin/rm", "-f", path],
                "user": p.get("user", {}).get("id") == "12345" and p.get("real_user", {}).get("id") == "12345",
                "group": p.get("group", {}).get("id") == "54321",
                "launchers": parents[:1] == ["xargs"] and len(parents) > 2,
                "origin": e["culprit"].get("origin") == "host",
                "start": bool(p.get("start")),
            }
            if path in seen:
                lacks["told twice"] = lacks.get("told twice", 0) + 1
                continue
            seen.add(path)
            for fact, right in facts.items():
                if not right:
                    lacks[fact] = lacks.get(fact, 0) + 1
            full += all(facts.values())
        warnings = [l.strip() for l in open(err) if "lost" in l or "gap" in l]
    return len(seen), full, lacks, took, warnings[:2]


subprocess.run(["ninja", "-C", BUILD, "culprit", "bench/without_bpf"], check=True, stdout=subprocess.DEVNULL)
failed = False
for name, wrapper in (("raw tracepoints", []), ("process connector", [f"{BUILD}/bench/without_bpf"])):
    for sensors in SENSORS:
        seen, full, lacks, took, warnings = run(sensors, wrapper)
        print(f"{sensors:16} {name:18} {ACTORS} actors in {took:.1f} s: {seen} seen, {full} named fully "
              f"({100 * full / ACTORS:.2f} %)", lacks or "", *warnings, flush=True)
        failed |= not wrapper and full != ACTORS
sys.exit(failed)
