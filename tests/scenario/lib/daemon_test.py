# SPDX-License-Identifier: MIT
"""What the tests of `culprit daemon` share: a directory to work in, checks that are counted, waiting, processes that are ended with it."""
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

CULPRIT = os.path.realpath(sys.argv[1])  # the first argument of each of these tests


def own_port():
    """A port of 127.0.0.1 that nobody else gets by chance, also while nobody listens there: below those that the kernel gives away itself."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        first = int(f.read().split()[0])
    while True:
        port = random.randrange(10000, first) if first > 11000 else 0
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind(("127.0.0.1", port))
                datagrams.bind(stream.getsockname())
            except OSError:
                continue
            return stream.getsockname()[1]


def touch(path):
    with open(path, "w", encoding="utf-8"):
        pass


class DaemonTest:
    """One test. name: a part of its directory's name; seconds: how long it waits for something; pause: between two looks at it."""

    def __init__(self, name, seconds, pause=0.05):
        self.seconds, self.pause = seconds, pause
        self.results = {True: 0, False: 0}
        self.started = []
        self.work = tempfile.mkdtemp(prefix=f"culprit-{name}.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
        self.etc, self.run, self.err = (f"{self.work}/{part}" for part in ("etc", "run", "err"))

    def check(self, text, fine, *more):
        self.results[bool(fine)] += 1
        print("right:" if fine else "WRONG:", text, *([] if fine else more), flush=True)

    def wait_until(self, condition, seconds=None):
        until = time.time() + (self.seconds if seconds is None else seconds)
        while not condition() and time.time() < until:
            time.sleep(self.pause)
        return condition()

    def said(self):
        """What the daemon that began last says."""
        with open(self.err, encoding="utf-8") as f:
            return f.read()

    def start(self):
        """A daemon that is ready."""
        with open(self.err, "w", encoding="utf-8") as stderr:
            process = subprocess.Popen([CULPRIT, "daemon", "--config", self.etc, "--runtime-dir", self.run], stdin=subprocess.DEVNULL,
                                       stderr=stderr)
        self.started.append(process)
        self.check("the daemon is ready", self.wait_until(lambda: "culprit: ready" in self.said()), self.said())
        return process

    def clear(self, order=iter):
        """Ends what was started and runs still, in this order (or reversed); removes the directory."""
        for process in order(self.started):
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def result(self):
        """Prints the last line; the test's exit status."""
        print(f"{self.results[True]} passed, {self.results[False]} failed")
        return 1 if self.results[False] else 0
