#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""restarts.py CULPRIT [-n COUNT] [-e ENGINE,...] [-s SENSOR]: a file deleted in the first millisecond of a
container's new life, once for each of COUNT restarts: none may be missed but in a gap that is reported."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

from lib.engines import each
from lib.expect import get

# builtins of the shell first: the program begins with it; it ends when it is asked to, so that a restart is quick
PROGRAM = "read n < /prd/n; echo $((n + 1)) > /prd/n; rm /prd/f$n; trap 'exit 0' TERM; sleep 1000 & wait $!"


def play(args, engines, name, work):
    engine, label = engines.get(name), "again-" + name  # a name that several engines have is ambiguous
    engine.run(label, command=["/bin/sh", "-c", "mkdir -p /prd; i=0; while [ $i -lt %d ]; do : > /prd/f$i; i=$((i+1)); "
                                                  "done; echo 0 > /prd/n; sleep 1000" % args.count])
    upper = engine.upper(label)
    deadline = time.time() + 120
    while not os.path.exists(upper + "/prd/n") and time.time() < deadline:
        time.sleep(0.05)
    # the same container with another program would be another one: the files are put into its layer
    kept = os.path.join(work, "prd")
    subprocess.run(["cp", "-a", upper + "/prd", kept], check=True)
    engine.run(label, command=["/bin/sh", "-c", f"[ -e /prd/n ] || exit 0; {PROGRAM}"])
    upper = engine.upper(label)
    subprocess.run(["cp", "-a", kept + "/.", upper + "/prd/"], check=True)
    out = open(os.path.join(work, "out"), "w+b")
    err = open(os.path.join(work, "err"), "w+b")
    culprit = subprocess.Popen([args.culprit, "watch", "--format", "json", "--sensor", args.sensor, "--no-store",
                                f"{label}:/prd"], stdout=out, stderr=err)
    while b"culprit: ready" not in open(err.name, "rb").read():
        if culprit.poll() is not None:
            raise RuntimeError(open(err.name, encoding="utf-8", errors="replace").read())
        time.sleep(0.02)
    for i in range(args.count):
        engine.restart(label)
        deadline = time.time() + 120
        while os.path.exists(f"{upper}/prd/f{i}") and time.time() < deadline:
            time.sleep(0.005)
    time.sleep(0.5)
    culprit.send_signal(signal.SIGINT)
    culprit.wait(120)
    lines = [json.loads(l) for l in open(out.name, encoding="utf-8")]
    reported = {}
    for l in lines:
        if get(l, "event.action") == "unlink" and get(l, "event.outcome") == "success":
            reported.setdefault(get(l, "file.path"), []).append(l)
    # the very first thing that it does: the shell's own redirection. Not in the first restart: the container was down when
    # the watch began, so that how its files looked was not known
    begun = get(reported["/prd/f0"][0], "@timestamp") if "/prd/f0" in reported else ""
    first = len({get(l, "process.entity_id") for l in lines if get(l, "file.path") == "/prd/n" and l["@timestamp"] > begun
                 and get(l, "event.action") in ("open-write", "truncate", "write")})
    gaps = [l for l in lines if get(l, "event.kind") == "pipeline_error"]
    done = [i for i in range(args.count) if not os.path.exists(f"{upper}/prd/f{i}")]
    missed = [i for i in done if f"/prd/f{i}" not in reported]
    twice = [i for i in done if len(reported.get(f"/prd/f{i}", [])) > 1]
    elsewhere = [i for i in done if i not in missed
                 and get(reported[f"/prd/f{i}"][0], "culprit.victim.container.name") != label]
    unwritten = max(0, len(done) - 1 - first)
    foreign = [i for i in done if i not in missed and get(reported[f"/prd/f{i}"][0], "culprit.origin") != "container"]
    wrong = len(done) < args.count or twice or elsewhere or (missed and not gaps)
    # before the new file system is marked only names are seen, in its layer, and what differs from before (culprit(1))
    wrong = wrong or (unwritten > len(done) // 2 and not gaps and "audit" != args.sensor)
    after = sorted(get(reported[f"/prd/f{i}"][0], "culprit.since_start") or 0 for i in done if i not in missed)
    print(f"{name:<11} {args.sensor:<9} {len(done)} restarts, {len(missed)} deletions missed, {unwritten} first writes missed, {len(gaps)} gaps reported, "
          f"{len(twice)} reported twice, {len(elsewhere)} without the victim, {len(foreign)} whose origin is not known; "
          f"{1000 * after[len(after) // 2] if after else 0:.0f} ms after the engine's start (median)"
          f"{'  WRONG' if wrong else ''}", flush=True)
    if wrong and os.environ.get("RESTARTS_KEEP"):
        subprocess.run(["cp", out.name, err.name, os.environ["RESTARTS_KEEP"]], check=False)
    engine.clear()
    return not wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("culprit")
    parser.add_argument("-n", "--count", type=int, default=200)
    parser.add_argument("-e", "--engines", default="docker,podman")
    parser.add_argument("-s", "--sensor", default="auto")
    args = parser.parse_args()
    args.culprit = os.path.realpath(args.culprit)
    return each(args.engines.split(","), "culprit-restarts.", lambda *where: play(args, *where))


if __name__ == "__main__":
    sys.exit(main())
