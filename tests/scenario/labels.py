# SPDX-License-Identifier: MIT
"""labels.py CULPRIT: containers that ask the daemon by a label to be watched, with a real dockerd. The last line is "N passed, N failed"."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from lib.engine import Docker

CULPRIT = os.path.realpath(sys.argv[1])
SECONDS = 120
results = {True: 0, False: 0}
work = tempfile.mkdtemp(prefix="culprit-labels.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
etc, run, store, err = (f"{work}/{name}" for name in ("etc", "run", "db", "err"))


def check(text, fine, *more):
    results[bool(fine)] += 1
    print("right:" if fine else "WRONG:", text, *([] if fine else more), flush=True)


def wait_until(condition):
    until = time.time() + SECONDS
    while not condition() and time.time() < until:
        time.sleep(0.1)
    return condition()


def said():
    return open(err, encoding="utf-8").read()


def watches():
    out = subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", "--json", "watches"], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    return {w["target"]: w for w in json.loads(out)["watches"]} if out else {}


def told(target):
    out = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", target], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    return [(e["event"]["action"], e["file"]["path"], e.get("rule", {}).get("name")) for e in map(json.loads, out.splitlines())
            if e["event"]["kind"] == "event"]


def test(docker):
    docker.run("before", "--label", "culprit.watch=/prd", "--label", "culprit.watch.key=early")
    docker.run("plain")
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nheartbeat = off\nstore = {store}\ndocker_socket = {docker.host[len('unix://'):]}\n")
    with open(err, "w", encoding="utf-8") as stderr:
        daemon = subprocess.Popen([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], stdin=subprocess.DEVNULL, stderr=stderr)
    try:
        check("it is ready", wait_until(lambda: "culprit: ready" in said()), said())
        check("what had the label before is watched", watches().get("label:culprit.watch=/prd:/prd", {}).get("armed") is True
              and watches()["label:culprit.watch=/prd:/prd"]["source"] == "label", watches(), said())
        docker("exec", "before", "sh", "-c", "echo > /prd/one")
        check("and its changes are recorded with its key", wait_until(lambda: ("create", "/prd/one", "early") in told("before:/prd")),
              told("before:/prd"))
        docker.run("later", "--label", "culprit.watch=/srv /opt/app", "--label", "culprit.watch.permissions=w")
        check("so is one that comes later, each of its paths",
              wait_until(lambda: all(watches().get(f"label:culprit.watch=/srv /opt/app:{p}", {}).get("armed") for p in ("/srv", "/opt/app"))),
              watches(), said())
        docker("exec", "later", "sh", "-c", "mkdir -p /opt/app; echo > /opt/app/two")
        check("and recorded", wait_until(lambda: ("create", "/opt/app/two") in [t[:2] for t in told("later:/opt/app")]), told("later:/"))
        docker("rm", "-f", "later")
        docker.run("later", "--label", "culprit.watch=/srv /opt/app")
        docker("exec", "later", "sh", "-c", "mkdir -p /opt/app; echo > /opt/app/three")
        check("and one that is made anew", wait_until(lambda: ("create", "/opt/app/three") in [t[:2] for t in told("later:/opt/app")]),
              told("later:/"))
        docker.run("greedy", "--label", "culprit.watch=/")
        check("all of a container is refused, with its name", wait_until(lambda: "container greedy: label culprit.watch:" in said()), said())
        docker.run("other", "--label", "culprit.watch=plain:/prd")
        check("so is another one's path", wait_until(lambda: "container other: label culprit.watch:" in said()), said())
        check("what has no label is not watched", not any("plain" in w or w.endswith("=/:/") for w in watches()), watches())
    finally:
        daemon.terminate()
        daemon.wait(SECONDS)


def main():
    os.makedirs(etc)
    os.makedirs(run)
    docker = Docker()
    try:
        test(docker)
    finally:
        docker.clear()
        docker.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{results[True]} passed, {results[False]} failed")
    return 1 if results[False] else 0


sys.exit(main())
