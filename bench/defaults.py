#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""defaults.py BUILD [WORK...]: what the daemon costs that is not configured at all, beside ordinary work, as root: a package that is installed,
upgraded and removed; git; a build's many short processes; container starts by a dockerd of its own, where there is one. Printed: seconds of a processor that the
daemon took, beside those of the work. Asserted: memory at most 192 MB, nothing lost, and at most 1 % of a processor while there is nothing
to do. The shares of a processor are those of a burst, and of a machine that does nothing else. WORK: only dpkg, git, build, docker, in this
order and as often as they are named, and nothing in between; nothing is asserted of the idle daemon then."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tests", "scenario"))
from lib.engine import Docker  # pylint: disable=wrong-import-position

CULPRIT = os.path.realpath(f"{sys.argv[1]}/culprit")
MEMORY, IDLE = 192.0, 1.0
FILES, CLONES, PROCESSES, STARTS = 2000, 5, 3000, 20
GROUP = "culprit-bench"  # a cgroup: what dockerd, containerd, shims and containers use is nobody's child here
work = tempfile.mkdtemp(prefix="culprit-defaults.", dir="/var/tmp")
daemon = docker = None


def run(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **more)


def used():
    total = 0
    for task in os.listdir(f"/proc/{daemon.pid}/task"):
        with open(f"/proc/{daemon.pid}/task/{task}/schedstat", encoding="utf-8") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def group(*below):
    """Where the processor time of a cgroup is counted, in either version."""
    top = "/sys/fs/cgroup/cpuacct" if os.path.isdir("/sys/fs/cgroup/cpuacct") else "/sys/fs/cgroup"
    return "/".join((top, GROUP, *below))


def group_used():
    if docker is None:
        return 0
    if os.path.exists(group("cpuacct.usage")):
        with open(group("cpuacct.usage"), encoding="utf-8") as f:
            return int(f.read()) / 1e9
    with open(group("cpu.stat"), encoding="utf-8") as f:
        return int(f.readline().split()[1]) / 1e6


def enter(cgroup):
    with open(f"{cgroup}/cgroup.procs", "w", encoding="utf-8") as f:
        f.write(str(os.getpid()))


def start_docker():
    """A dockerd with all its processes in a cgroup, so that their time is known."""
    global docker
    os.makedirs(group("engine"), exist_ok=True)
    own = os.path.dirname(group())
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        for line in f:
            number, controllers, path = line.rstrip("\n").split(":", 2)
            if "cpuacct" in controllers.split(",") or (number == "0" and not own.endswith("cpuacct")):
                own += path
    enter(group("engine"))
    try:
        docker = Docker()
    finally:
        enter(own)


def stop_docker():
    if docker is None:
        return
    docker.stop()
    shutil.rmtree(docker.dir, ignore_errors=True)
    for below in (("engine",), ("containers",), ()):
        subprocess.run(["rmdir", group(*below)], check=False, capture_output=True)


def children():
    t = os.times()
    return t.children_user + t.children_system + group_used()


def measure(name, function):
    """Its work, and what the daemon did until it had recorded all of it; percent of one processor over that time."""
    at, ours, theirs = time.time(), used(), children()
    function()
    busy = time.time() - at
    run(CULPRIT, "ctl", "--control", f"{work}/run/control", "flush")
    ours, theirs = used() - ours, children() - theirs
    print(f"{name:<44} {busy:6.1f} s, {theirs:6.2f} s of a processor; the daemon {ours:5.2f} s, {100 * ours / max(busy, 1):.1f} % of one", flush=True)
    return 100 * ours / busy


def make_package(version):
    root = f"{work}/package{version}"
    os.makedirs(f"{root}/DEBIAN")
    os.makedirs(f"{root}/opt/culprit-bench")
    for i in range(FILES):
        with open(f"{root}/opt/culprit-bench/f{i}", "w", encoding="utf-8") as f:
            f.write(f"{version} {i}\n" * 20)
    with open(f"{root}/DEBIAN/control", "w", encoding="utf-8") as f:
        f.write(f"Package: culprit-bench\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: for a bench\n")
    run("dpkg-deb", "-b", root, f"{work}/{version}.deb")


def package():
    for version in (1, 2):
        run("dpkg", "-i", f"{work}/{version}.deb")
    run("dpkg", "-P", "culprit-bench")


def git():
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    repository = f"{work}/repository"
    for old in [repository, *(f"{work}/clone{i}" for i in range(CLONES))]:
        shutil.rmtree(old, ignore_errors=True)
    run("git", "init", repository)
    for i in range(FILES):
        with open(f"{repository}/f{i}", "w", encoding="utf-8") as f:
            f.write(f"{i}\n")
    run("git", "-C", repository, "add", "-A")
    run("git", "-C", repository, *identity, "commit", "-m", "all of it")
    for i in range(CLONES):
        run("git", "clone", "--no-hardlinks", repository, f"{work}/clone{i}")


def build():
    run("sh", "-c", f"i=0; while [ $i -lt {PROCESSES} ]; do /bin/true; i=$((i + 1)); done")


def containers():
    if docker is None:
        print("no dockerd here: docker is left out")
        return
    for _ in range(STARTS):
        docker("run", "--rm", "--network=none", f"--cgroup-parent=/{GROUP}/containers", "shop:1.4", "/bin/true")


WORKS = {
    "nothing": ("nothing, for 20 s", lambda: time.sleep(20)),
    "dpkg": (f"dpkg: {FILES} files installed, upgraded, removed", package),
    "git": (f"git: {FILES} files committed, cloned {CLONES} times", git),
    "build": (f"a build: {PROCESSES} processes", build),
    "docker": (f"docker: {STARTS} containers started and removed", containers),
}


def main():
    global daemon
    os.makedirs(f"{work}/etc")
    os.makedirs(f"{work}/run")
    for version in (1, 2):
        make_package(version)
    with open(f"{work}/etc/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"store = {work}/db\n")
    if shutil.which("dockerd") and "docker" in (sys.argv[2:] or WORKS):
        start_docker()
    with open(f"{work}/err", "w", encoding="utf-8") as err:
        daemon = subprocess.Popen([CULPRIT, "daemon", "--config", f"{work}/etc", "--runtime-dir", f"{work}/run"], stdin=subprocess.DEVNULL, stderr=err)
    begun = time.time()
    try:
        while "culprit: ready" not in open(f"{work}/err", encoding="utf-8").read():
            assert daemon.poll() is None, open(f"{work}/err", encoding="utf-8").read()
            time.sleep(0.05)
        print(f"ready after {time.time() - begun:.1f} s", flush=True)
        time.sleep(20)  # until the trees are listed
        shares = [measure(*WORKS[name]) for name in ["nothing"] + (sys.argv[2:] or list(WORKS)[1:])]
        idle = 0 if sys.argv[2:] else shares[0]
        with open(f"/proc/{daemon.pid}/status", encoding="utf-8") as f:
            memory = next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:"))
        print(f"memory at its highest {memory:.0f} MB (wanted: {MEMORY:.0f})")
        status = subprocess.run([CULPRIT, "ctl", "--control", f"{work}/run/control", "metrics"], capture_output=True, text=True, check=True).stdout
        lost = sum(float(line.split()[-1]) for line in status.splitlines() if line.startswith("culprit_events_lost_total"))
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait() == 0
        assert memory <= MEMORY and not lost and idle <= IDLE, ("not what is wanted", lost, idle)
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
        subprocess.run(["dpkg", "-P", "culprit-bench"], check=False, capture_output=True)
        stop_docker()
        shutil.rmtree(work, ignore_errors=True)


main()
