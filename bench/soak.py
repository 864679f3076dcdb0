#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak.py BUILD [HOURS [PROGRAMS [CONTAINERS [CHANGES]]]]: the daemon with its default sensors for so long (2), while so many programs
(1,000,000) and containers (10,000, by runc) come and go and so many changes a second (200) are made. As root. A line each five minutes.
Asserted: its memory grows by at most 1 MB after the first ten minutes, descriptors stay as many, at most 192 MB at its highest, the
daemon lives, and each file that a container deletes is in the record, once, or in a gap.

Memory is its own (RssAnon) and at a time the least of a minute, as what a burst took is given back a little later; of all that is
resident only the highest counts, since pages of files (the store, package lists) come and go as the kernel likes."""
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = os.path.realpath(sys.argv[1])
HOURS, PROGRAMS, CONTAINERS, CHANGES = (
    float(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 2.0), (3, 1e6), (4, 10000.0), (5, 200.0)))
CULPRIT = f"{BUILD}/culprit"
SECONDS = HOURS * 3600
FIRST = min(600.0, SECONDS / 4)  # seconds: what a start brings is over
GROWTH, HIGHEST, DESCRIPTORS = 1024, 192 * 1024, 4  # kB, kB; four more or fewer: a client, a container, a file that is looked at
AT_ONCE = 4  # containers


def bundle(work):
    os.makedirs(f"{work}/b/rootfs/bin")
    for name in ("proc", "dev", "sys", "shared"):
        os.makedirs(f"{work}/b/rootfs/{name}")
    shutil.copy(shutil.which("busybox"), f"{work}/b/rootfs/bin/sh")
    subprocess.run(["runc", "spec"], cwd=f"{work}/b", check=True)
    with open(f"{work}/b/config.json", encoding="ascii") as f:
        config = json.load(f)
    config["process"].pop("rlimits", None)
    config["process"].update(terminal=False, args=["/bin/sh", "-c", "echo x > /shared/$HOSTNAME; rm /shared/$HOSTNAME"])
    config["mounts"].append({"destination": "/shared", "type": "bind", "source": f"{work}/t/shared", "options": ["rbind", "rw"]})
    return config


class Containers:
    """One after the other, as many as are due by now, a few at once."""

    def __init__(self, work):
        self.work, self.config, self.running, self.made, self.failed = work, bundle(work), [], 0, 0

    def turn(self, due):
        for place, process in self.running[:]:
            if process.poll() is not None:
                self.failed += process.returncode != 0
                self.running.remove((place, process))
                shutil.rmtree(place)
        while self.made < due and len(self.running) < AT_ONCE:
            name = f"soak{self.made}"
            place = f"{self.work}/{name}"
            os.mkdir(place)
            self.config["process"]["env"] = ["PATH=/bin", f"HOSTNAME={name}"]
            self.config["root"]["path"] = f"{self.work}/b/rootfs"
            with open(f"{place}/config.json", "w", encoding="ascii") as f:
                json.dump(self.config, f)
            self.running.append((place, subprocess.Popen(["runc", "run", "--no-pivot", "--bundle", place, name], stdin=subprocess.DEVNULL,
                                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
            self.made += 1


class Daemon:
    def __init__(self, work):
        os.makedirs(f"{work}/etc")
        os.makedirs(f"{work}/run")
        os.makedirs(f"{work}/t/shared")
        os.makedirs(f"{work}/t/churn")
        with open(f"{work}/etc/culprit.conf", "w", encoding="utf-8") as f:
            f.write(f"groups = {{}}\nstore = {work}/db\nwatch soak {{ targets = {work}/t }}\n")
        self.work = work
        with open(f"{work}/err", "w", encoding="utf-8") as err:
            self.process = subprocess.Popen([CULPRIT, "daemon", "--config", f"{work}/etc", "--runtime-dir", f"{work}/run"],
                                            stdin=subprocess.DEVNULL, stderr=err)
        while "culprit: ready" not in self.said():
            assert self.process.poll() is None, self.said()
            time.sleep(0.02)

    def said(self):
        with open(f"{self.work}/err", encoding="utf-8") as f:
            return f.read()

    def memory(self, key):  # kB
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(key))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def deletions(work, store):
    """How often each container's file is in the record as deleted, and the gaps."""
    found, gaps = {}, 0
    with subprocess.Popen([CULPRIT, "who", "--store", store, "--format", "json", f"{work}/t/shared"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as who:
        for line in who.stdout:
            event = json.loads(line)
            gaps += event["event"]["kind"] == "pipeline_error"
            if event["event"].get("action") == "unlink":
                name = os.path.basename(event["file"]["path"])
                found[name] = found.get(name, 0) + 1
    return found, gaps


def main():
    work = tempfile.mkdtemp(prefix="culprit-soak.", dir="/var/tmp")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", work], check=True)
    daemon = churn = None
    try:
        daemon = Daemon(work)
        containers = Containers(work)
        churn = subprocess.Popen([f"{BUILD}/bench/churn", f"{work}/t/churn", str(int(CHANGES)), str(math.ceil(PROGRAMS / SECONDS)), str(int(SECONDS))])
        begun = time.time()
        minute, said, settled = [], 0.0, []  # settled: the least of each minute after the first ones, and its descriptors
        while (now := time.time() - begun) < SECONDS:
            assert daemon.process.poll() is None, daemon.said()
            containers.turn(CONTAINERS * min(1.0, now / SECONDS * 1.05))  # a little ahead, so that the last have ended
            minute.append((now, daemon.memory("RssAnon:"), daemon.descriptors()))
            if now - minute[0][0] >= 60:
                least = (min(m[1] for m in minute), sorted(m[2] for m in minute)[len(minute) // 2])
                if now >= FIRST:
                    settled.append(least)
                minute = []
                if now - said >= 300:
                    said = now
                    print(f"{now / 60:4.0f} min: {least[0]} kB of its own, {daemon.memory('VmRSS:')} kB resident, {least[1]} descriptors, "
                          f"{containers.made} containers, store {os.path.getsize(f'{work}/db') >> 10} kB", flush=True)
            time.sleep(0.2)
        while containers.running:
            containers.turn(0)
            time.sleep(0.1)
        churn.wait()
        quarter = max(1, len(settled) // 8)
        before, after = (min(m[0] for m in part) for part in (settled[:quarter], settled[-quarter:]))
        descriptors = [m[1] for m in settled]
        highest = daemon.memory("VmHWM:")
        daemon.process.send_signal(signal.SIGTERM)
        ended = daemon.process.wait()
        found, gaps = deletions(work, f"{work}/db")
        missing, twice = (sum(found.get(f"soak{i}", 0) == 0 for i in range(containers.made)), sum(n > 1 for n in found.values()))
        print(f"{HOURS:g} h, {PROGRAMS:.0f} programs, {containers.made} containers ({containers.failed} did not run), {CHANGES:.0f} changes a second")
        print(f"memory of its own after the first {FIRST / 60:.0f} min {before} kB, at the end {after} kB (more by {after - before}, wanted: {GROWTH})")
        print(f"at its highest {highest >> 10} MB resident (wanted: {HIGHEST >> 10}); {min(descriptors)} to {max(descriptors)} descriptors")
        print(f"deletions by containers that are in no record: {missing}, twice: {twice}; gaps: {gaps}")
        assert ended == 0 and after - before <= GROWTH and highest <= HIGHEST, "more than is wanted"
        assert max(descriptors) - min(descriptors) <= DESCRIPTORS, "descriptors"
        assert containers.made >= CONTAINERS and not twice and (missing <= containers.failed or gaps), "not all is in the record"
    finally:
        for process in (churn, daemon and daemon.process):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        subprocess.run(["umount", "-l", work], check=False)
        os.rmdir(work)


main()
