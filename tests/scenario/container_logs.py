# SPDX-License-Identifier: MIT
"""container_logs.py CULPRIT: an alert is where the people of the container look: `docker logs web` and `podman logs web`, with the driver of the
journal and a real systemd-journald, whose place in /run is ours in a mount namespace of our own. Skipped where one of them is not there. The last
line is "N passed, N failed"."""
import os
import shutil
import subprocess
import sys

if os.environ.get("CULPRIT_OWN_MOUNTS") != "1":
    os.environ["CULPRIT_OWN_MOUNTS"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B", *sys.argv])

from lib import journald
from lib.daemon_test import DaemonTest
from lib.engine import Docker
from lib.engines import Podman

SPEAKS = 'echo web is up; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
shared = DaemonTest("container-logs", 120, pause=0.2)
work, etc, check, wait_until = shared.work, shared.etc, shared.check, shared.wait_until


def start_journald():
    for name in ("systemd/journal", "journal", "etc"):
        os.makedirs(f"{work}/{name}")
    os.makedirs("/run/systemd", exist_ok=True)
    os.makedirs("/run/log/journal", exist_ok=True)
    for source, place in (("systemd", "/run/systemd"), ("journal", "/run/log/journal")):
        subprocess.run(["mount", "--bind", f"{work}/{source}", place], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "t", "/var/log"], check=True)
    shared.started.append(subprocess.Popen(journald.COMMAND, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    check("journald listens", wait_until(lambda: os.path.exists("/run/systemd/journal/socket")))


def asked_for(engine, name, fields):
    """What its own logs say, after a program of the host has deleted a file in it."""
    script = f"{work}/{name}-agent.sh"
    with open(script, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nrm {engine['merged']}/prd/lower\n")
    os.chmod(script, 0o755)
    subprocess.run([script], check=True)

    def says():
        return f"{name}-agent.sh" in engine["logs"]()

    check(f"{name} logs: the verdict", wait_until(says), engine["logs"](), shared.said())
    check(f"{name} logs: what the container says, too", "web is up" in engine["logs"](), engine["logs"]())
    entry = subprocess.run(["journalctl", "-D", f"{work}/journal", "-o", "export", f"CONTAINER_NAME={engine['name']}", "SYSLOG_IDENTIFIER=culprit"],
                           stdout=subprocess.PIPE, text=True, check=False, timeout=120).stdout
    for field in fields:
        check(f"{name}: {field}", f"{field}\n" in entry, entry)
    print(f"$ {name} logs {engine['name']}\n{engine['logs']()}")


def docker_of(docker):
    def logs():
        r = docker("logs", "web", check=False)
        return (r.stdout + r.stderr).decode(errors="replace")

    identity = docker("run", "-d", "--name", "web", "--network", "none", "--log-driver", "journald", "shop:1.4", "/bin/sh", "-c", SPEAKS).stdout.decode().strip()
    merged = docker("inspect", "-f", "{{.GraphDriver.Data.MergedDir}}", "web").stdout.decode().strip()
    return {"name": "web", "merged": merged, "logs": logs, "id": identity}


def podman_of(podman):
    podman.run("shop", "--log-driver", "journald", command=("/bin/sh", "-c", SPEAKS))
    return {"name": "shop", "merged": podman.merged("shop"), "logs": lambda: podman.tool("logs", "shop", check=False), "id": podman.inspect("shop", "{{.Id}}")}


def main():
    missing = [name for name, there in (("systemd-journald", journald.PROGRAM), ("dockerd", shutil.which("dockerd")), ("podman", shutil.which("podman"))) if not there]
    if missing:
        print(f"skipped: no {', '.join(missing)}")
        return shared.result()
    docker = podman = None
    try:
        start_journald()
        docker = Docker()
        podman = Podman()
        engines = {"docker": docker_of(docker), "podman": podman_of(podman)}
        with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
            f.write(f"""store = {work}/culprit.db
groups = {{}}
sensor = fanotify
heartbeat = off
watch web {{ targets = {{ "web:/prd" }} }}
watch shop {{ targets = {{ "shop:/prd" }} }}
sink journal {{ type = journal }}
""")
        shared.start()
        for name, engine in engines.items():
            asked_for(engine, name, (f"CONTAINER_ID_FULL={engine['id']}", "PRIORITY=6"))
    finally:
        if podman:
            podman.tool("rm", "-f", "-t", "0", "shop", check=False)
        if docker:
            docker("rm", "-f", "web", check=False)
            docker.daemon.terminate()
            docker.daemon.wait()
        shared.clear(reversed)
    return shared.result()


sys.exit(main())
