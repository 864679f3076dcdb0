# SPDX-License-Identifier: MIT
"""labels.py CULPRIT: containers that ask the daemon by a label to be watched, with a real dockerd. The last line is "N passed, N failed"."""
import json
import os
import subprocess
import sys

from lib.daemon_test import CULPRIT, DaemonTest
from lib.engine import Docker

SECONDS = 120
shared = DaemonTest("labels", SECONDS, pause=0.1)
etc, run, err = shared.etc, shared.run, shared.err
check, wait_until, said = shared.check, shared.wait_until, shared.said
store = f"{shared.work}/db"


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
        shared.clear()
    return shared.result()


sys.exit(main())
