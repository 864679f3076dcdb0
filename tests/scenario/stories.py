#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stories.py CULPRIT [-e ENGINE,...] [-s SENSOR] [--show]: the story on each engine: an agent on the host
deletes the files of a container after its restart. --show prints what people see."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

from lib.engines import each
from lib.expect import get

# no process is born in it before the restart: the agent that is running already waits for a new one
QUIET = ["/bin/sh", "-c", 'trap "exit 0" TERM; sleep 86400 & wait $!']
FILES = {"/prd/lower", "/prd/lower2", "/prd/sub/deep"}


def start_agent(agent, work, marker):
    """Older than the restart, in a mount namespace of its own: nothing is left behind."""
    out = open(work + "/agent", "wb")
    process = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
         'mount -t tmpfs tmpfs /opt && mkdir -p /opt/sentinelone/bin && cp "$0" /opt/sentinelone/bin/s1-agent && '
         'cp "$0" /opt/sentinelone/bin/sentineld && exec /opt/sentinelone/bin/sentineld "$1" /prd 5001 5001 300',
         agent, marker], stdout=out, stderr=out, start_new_session=True)
    deadline = time.time() + 120
    while b"waiting" not in open(work + "/agent", "rb").read():
        if time.time() > deadline:
            raise RuntimeError("the agent does not wait")
        time.sleep(0.02)
    return process


def reported_rightly(lines, who):
    wrong = []
    mine = [l for l in lines if get(l, "event.kind") == "event" and get(l, "process.name") == "s1-agent"]
    deleted = [get(l, "file.path") for l in mine if get(l, "event.action") == "unlink"]
    verdicts = [l for l in lines if get(l, "event.action") == "verdict"]
    says = [get(v, "message", "") for v in verdicts]
    if sorted(deleted) != sorted(FILES):
        wrong.append(f"deleted: {deleted}")
    for action, field, before, after in (("chmod", "mode", "0555", "0775"), ("chown", "uid", "1000", "5001")):
        seen = [(get(l, f"culprit.before.{field}"), get(l, f"culprit.after.{field}")) for l in mine
                if get(l, "event.action") == action and get(l, "file.path") == "/prd"]
        if seen != [(before, after)]:
            wrong.append(f"{action}: {seen}")
    for l in mine:
        if get(l, "culprit.victim.container.name") != "web" or get(l, "culprit.origin") != "host":
            wrong.append(f"whose, by whom: {get(l, 'culprit.victim')} {get(l, 'culprit.origin')}")
        # a runtime's start is when it took its fifo away: the program may have begun a moment before
        since = get(l, "culprit.since_start")
        if since is None or not -5 < since < 60:
            wrong.append(f"{since} s after the start")
    if len(says) != 1:
        wrong.append(f"verdicts: {says}")
    for text in says[:1] + [who]:
        for part in ("SentinelOne", "on the host", "deleted 3 files of container web", "made /prd writable"):
            if part not in text:
                wrong.append(f"no \"{part}\": {text[:200]}")
    return wrong


def play(args, engines, name, work):
    engine = engines.get(name)
    engine.run("web", command=QUIET)
    # the agent takes any new container that has it: only ours may
    marker = "/" + os.path.basename(work)
    engine.exec("web", f"touch {marker}; chown 1000 /prd; chmod 555 /prd")
    agent = start_agent(args.agent, work, marker)
    command = [args.culprit, "run", "--sensor", args.sensor, "--store", work + "/db", "--settle", "1s", "-w", "web:/prd"]
    who = [args.culprit, "who", "--store", work + "/db", "web:/prd"]
    restart = engine.restart_command("web")
    # ours to reap: what has ended is a zombie until then
    restart_and_wait = restart + f"; for i in $(seq 1200); do grep -q ') Z' /proc/{agent.pid}/stat && break; sleep 0.1; done"
    try:
        if args.show:
            print(f"\n$ culprit run -w web:/prd -- sh -c '{restart}'     # {name}", flush=True)
            subprocess.run(command + ["--", "sh", "-c", restart_and_wait], check=False)
            print("\n$ culprit who web:/prd", flush=True)
            return subprocess.run(who, check=False).returncode == 0
        r = subprocess.run(command + ["--format", "json", "--", "sh", "-c", restart_and_wait], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False)
        reported = subprocess.run(who, stdout=subprocess.PIPE, check=False).stdout.decode(errors="replace")
        wrong = reported_rightly([json.loads(l) for l in r.stdout.decode().splitlines()], reported)
        if r.returncode != 0:
            wrong.append(f"exit {r.returncode}")
        print(f"story on {name}: {'reported rightly' if not wrong else 'WRONG'}", *wrong, sep="\n  ", flush=True)
        if wrong:
            print(r.stderr.decode(errors="replace")[-1500:])
        return not wrong
    finally:
        os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()
        engine.clear()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("culprit")
    parser.add_argument("-e", "--engines", default="docker,podman,podman-vfs,containerd,runc")
    parser.add_argument("-s", "--sensor", default="auto")
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    args.culprit = os.path.realpath(args.culprit)
    args.agent = os.path.join(os.path.dirname(args.culprit), "tests/actors/s1-agent")
    return each(args.engines.split(","), "culprit-stories.", lambda *where: play(args, *where))


if __name__ == "__main__":
    sys.exit(main())
