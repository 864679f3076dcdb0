#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""asked.py CULPRIT: one file has several names: of the container, of its volume, of the host. However it was watched, and
however it is asked for, the change is found; and what was never watched is never "nothing happened"."""
import os
import sqlite3
import subprocess
import sys
import tempfile

from lib.engine import Docker

NAMES = {
    "container": "web:/prd/data/f",
    "volume": "volume:logs/f",
    "host": None,  # where the volume is, known once it is made
}


def culprit(*arguments):
    return subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, text=True, errors="replace", timeout=300)


def check(what, good, output):
    global failed
    print(f"{'ok' if good else 'FAILED':8}{what}")
    if not good:
        failed += 1
        print("        " + output.strip().replace("\n", "\n        ")[:1500])


def watched_by(watched, docker, store):
    docker("exec", "web", "sh", "-c", "echo x > /prd/data/f")
    culprit("run", "-w", NAMES[watched], "--sensor", "fanotify", "--settle", "1s", "--store", store, "--",
            "rm", NAMES["host"])
    for asked, name in NAMES.items():
        answer = culprit("who", "--store", store, name)
        check(f"watched by {watched}, asked by {asked}", answer.returncode == 0 and "deleted" in answer.stdout,
              answer.stdout + answer.stderr)
        answer = culprit("diff", "--store", store, "--since", "1h", name)
        check(f"watched by {watched}, compared by {asked}", answer.returncode == 0 and "missing" in answer.stdout and " rm" in answer.stdout,
              answer.stdout + answer.stderr)


def lost_by(watched, store):
    """Something was lost while it was watched: a file that was deleted then may be missing in the record, whatever it is called."""
    db = sqlite3.connect(store)
    begun, sensors = db.execute("SELECT max(from_ns), sensors FROM coverage").fetchone()
    db.execute("INSERT INTO gap (reason, count, from_ns, to_ns, sensor, text) VALUES (1, 7, ?, ?, ?, 'a test')", (begun, begun + 1000, sensors))
    db.commit()
    db.close()
    for asked, name in NAMES.items():
        answer = culprit("diff", "--store", store, "--since", "1h", name)
        check(f"watched by {watched}, lossy, compared by {asked}", answer.returncode == 4 and "7 events lost" in answer.stdout,
              f"{answer.returncode} {answer.stdout}{answer.stderr}")


def never_watched(store):
    for name in ["web:/etc", "/etc/hosts", "volume:other/f"]:
        answer = culprit("who", "--store", store, name)
        check(f"{name} was never watched", answer.returncode == 1 and "was never watched; the nearest that was: " in answer.stdout
              and "nothing happened" not in answer.stdout, answer.stdout + answer.stderr)


def layer_of(docker, store):
    """A file of the container's own layer, by its place on the host, also when the engine knows no such container any more."""
    upper = docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}")
    docker("exec", "web", "sh", "-c", "echo x > /prd/own")
    culprit("run", "-w", "web:/prd", "--sensor", "fanotify", "--settle", "1s", "--store", store, "--", "docker", "exec", "web",
            "rm", "/prd/own")
    for when in ["while it is there", "when it is gone"]:
        for name in ["web:/prd/own", upper + "/prd/own"]:
            answer = culprit("who", "--store", store, name)
            check(f"in its own layer, {when}: {name.split(':')[0] if ':' in name else 'on the host'}",
                  answer.returncode == 0 and "deleted" in answer.stdout, answer.stdout + answer.stderr)
        docker("rm", "-f", "web")


BINARY = os.path.realpath(sys.argv[1])
failed = 0
docker = Docker()
work = tempfile.mkdtemp(prefix="culprit-asked.")
try:
    docker("volume", "create", "logs")
    docker("volume", "create", "other")
    docker.run("web", "-v", "logs:/prd/data")
    NAMES["host"] = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "logs").stdout.decode().strip() + "/f"
    for by in NAMES:
        watched_by(by, docker, f"{work}/{by}.db")
        lost_by(by, f"{work}/{by}.db")
    never_watched(f"{work}/container.db")
    layer_of(docker, f"{work}/layer.db")
finally:
    docker.stop()
    subprocess.run(["rm", "-rf", work], check=False)
print(f"{failed} failed")
sys.exit(1 if failed else 0)
