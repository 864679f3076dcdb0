#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""idle.py BUILD [WATCHES [SECONDS]]: a daemon with so many watches and nothing to do, beside one with a single watch, as root. Asserted:
ready within 30 s, memory at most 64 MB, and what it costs beyond the other one at most 0.1 % of a processor. Both follow the machine's
processes; where hardly any are born, all that it costs is at most 0.1 %. Both watch a tmpfs of their own, where nobody else is at work."""
import os
import signal
import subprocess
import sys
import tempfile
import time

CULPRIT = os.path.realpath(f"{sys.argv[1]}/culprit")
WATCHES = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
SECONDS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
SETTLE = 15         # seconds: what is done after a start is over
READY, MEMORY, COST = 30.0, 64.0, 0.1
QUIET = 1.0         # processes born in a second


class Daemon:
    def __init__(self, work, name, count):
        self.place = f"{work}/{name}"
        os.makedirs(f"{self.place}/etc")
        os.makedirs(f"{self.place}/run")
        with open(f"{self.place}/etc/culprit.conf", "w", encoding="utf-8") as f:
            f.write(f"groups = {{}}\nsensor = fanotify\nheartbeat = off\nstore = {self.place}/db\n")
            for i in range(count):
                os.makedirs(f"{self.place}/t/w{i}/below")
                f.write(f"watch w{i} {{ targets = {self.place}/t/w{i} }}\n")
        begun = time.time()
        self.err = f"{self.place}/err"
        with open(self.err, "w", encoding="utf-8") as err:
            self.process = subprocess.Popen([CULPRIT, "daemon", "--config", f"{self.place}/etc", "--runtime-dir", f"{self.place}/run"],
                                            stdin=subprocess.DEVNULL, stderr=err)
        while "culprit: ready" not in self.said():
            assert self.process.poll() is None, self.said()
            time.sleep(0.02)
        self.ready = time.time() - begun

    def said(self):
        with open(self.err, encoding="utf-8") as f:
            return f.read()

    def used(self):
        """Seconds of a processor, of all its threads."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="utf-8") as f:
                total += int(f.read().split()[0])
        return total / 1e9

    def memory(self, key):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith(key))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()


def born():
    with open("/proc/stat", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("processes "))


def main():
    work = tempfile.mkdtemp(prefix="culprit-idle.", dir="/var/tmp")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", work], check=True)
    daemons = []
    try:
        one = Daemon(work, "one", 1)
        daemons.append(one)
        many = Daemon(work, "many", WATCHES)
        daemons.append(many)
        time.sleep(SETTLE)
        at, births, before = time.time(), born(), [d.used() for d in daemons]
        time.sleep(SECONDS)
        seconds = time.time() - at
        cost = [100 * (d.used() - b) / seconds for d, b in zip(daemons, before)]
        births = (born() - births) / seconds
        memory = many.memory("VmHWM:")
        print(f"{WATCHES} watches, idle for {seconds:.0f} s, {births:.1f} processes born a second")
        print(f"ready after {many.ready:.1f} s (wanted: {READY:.0f}); one watch: {one.ready:.1f} s")
        print(f"memory {many.memory('VmRSS:'):.0f} MB, at its highest {memory:.0f} MB (wanted: {MEMORY:.0f}); one watch: {one.memory('VmRSS:'):.0f} MB")
        print(f"of a processor {cost[1]:.3f} %; one watch: {cost[0]:.3f} %; more: {cost[1] - cost[0]:.3f} % (wanted: {COST})")
        assert all(d.end() == 0 for d in daemons)
        assert many.ready <= READY and memory <= MEMORY and cost[1] - cost[0] <= COST, "more than is wanted"
        assert births > QUIET or cost[1] <= COST, "more than is wanted, and hardly any processes to follow"
    finally:
        for d in daemons:
            if d.process.poll() is None:
                d.process.kill()
                d.process.wait()
        subprocess.run(["umount", "-l", work], check=False)
        os.rmdir(work)


main()
