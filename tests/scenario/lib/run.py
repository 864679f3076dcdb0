# SPDX-License-Identifier: MIT
"""One scenario's folder, and the culprit that watches one or several of them."""
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from lib.expect import get, is_interruption
from lib.mounts import unmount_below

READY_SECONDS = 900  # an emulated kernel on a busy machine takes its time to verify programs

# What "this kernel or file system cannot do it at all" looks like; any other failure of an actor is a
# mistake of the scenario, and is reported as one.
CANNOT = {errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY, errno.ENAMETOOLONG}


CALLS_32 = ("unlink32", "call32")


class Skip(Exception):
    """The machine cannot do this at all (no such call, no such file system)."""


class Run:
    def __init__(self, args, scenario, place):
        self.args, self.scenario = args, scenario
        self.work = tempfile.mkdtemp(prefix="culprit-scenario.", dir=place)
        self.dir = os.path.join(self.work, "w")  # what is watched
        self.out = os.path.join(self.work, "outside")
        os.mkdir(self.dir)
        os.mkdir(self.out)
        self.act_path = args.act
        self.docker = getattr(args, "docker", None)
        self.engines = getattr(args, "engines", None)
        self.engine = None
        self.failure = None  # (result, why), once a step failed
        self.expected, self.targets, self.session = None, [], None
        self.child = None
        self.has = set()  # the sensor's capabilities

    def path(self, name=""):
        return os.path.join(self.dir, name) if name else self.dir

    def write(self, name, content="content\n", mode=0o644):
        path = name if name.startswith("/") else self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        os.chmod(path, mode)
        return path

    def sh(self, script, **more):
        """A shell command in the watched folder; returns the shell's pid."""
        p = subprocess.Popen(["/bin/bash", "-c", script], cwd=self.dir, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, **more)
        p.wait(300)
        return p.pid

    def started(self, kind, *arguments, program=None, **more):
        """An actor that waits until act_now()."""
        p = subprocess.Popen([program or self.act_path, kind, *map(os.fsencode, map(str, arguments))],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "ACT_WAIT": "1"}, **more)
        if b"ready" not in p.stdout.readline():
            raise RuntimeError(f"act {kind} did not get ready")
        return p

    def act_now(self, p):
        self.result(p.args[1], p.communicate(b"\n", timeout=300)[0].decode())
        return p.pid

    def said(self, text, seconds=60, alive=lambda: True):
        """Waits until culprit says so, in a line of any kind: how long that takes is the machine's affair."""
        deadline = time.monotonic() + seconds
        while True:
            going_on = alive()
            with open(os.path.join(self.session.work, "stdout"), "rb") as f:
                if text.encode() in f.read():
                    return True
            if time.monotonic() > deadline or not going_on:
                return False
            time.sleep(0.05)

    def seen(self, action, path, seconds=120):
        """Waits until culprit has reported that of that path: it has looked there. What a sensor cannot see is not waited for long."""
        path = path if path.startswith("/") else self.path(path)
        able = self.has.issuperset(self.scenario.needs)
        deadline = time.monotonic() + (seconds if able else 20)
        while time.monotonic() < deadline:
            with open(os.path.join(self.session.work, "stdout"), "rb") as f:
                lines = [json.loads(line) for line in f.read().split(b"\n")[:-1]]
            if any((get(line, "event.action"), get(line, "file.path")) == (action, path) for line in lines):
                return True
            time.sleep(0.05)
        return False

    def turns(self):
        """How often culprit has waited for something: at least once in each turn of its loop."""
        with open(f"/proc/{self.session.process.pid}/status", encoding="ascii", errors="replace") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt_switches"))

    def settle(self, seconds):
        """So long, and until culprit has looked at what was done: on a busy machine its turn may come later."""
        before = self.turns()
        time.sleep(seconds)
        after, deadline = self.turns(), time.monotonic() + 60
        while (self.turns() < before + 3 or self.turns() == after) and time.monotonic() < deadline:
            time.sleep(0.02)

    @staticmethod
    def until(condition, seconds=60):
        """Waits for what somebody else does; whether it came."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        return condition()

    def steps(self, *steps):
        """Commands of a shell, what is reported of them before the next one, and seconds to settle."""
        for step in steps:
            if isinstance(step, str):
                self.sh(step)
            elif isinstance(step, tuple):
                self.seen(*step)
            else:
                self.settle(step)

    def reported(self, action, seconds=60, alive=lambda: True):
        """Waits until culprit reports such an event. Who has not what the scenario needs is not waited for long."""
        able = self.has.issuperset(self.scenario.needs)
        return self.said(f'"action":"{action}"', seconds if able else 1.5, alive)

    @staticmethod
    def result(kind, out):
        words = out.split()
        if "done" in words:
            return
        code = int(words[-1]) if words and words[-1].isdigit() else 0
        if code in CANNOT:
            raise Skip(f"act {kind}: {os.strerror(code)}")
        raise RuntimeError(f"act {kind}: {out.strip()} {os.strerror(code) if code else ''}")

    def act(self, kind, *arguments, check=True, env=None, program=None, **more):
        """One operation by the actor; returns its pid."""
        p = subprocess.Popen([program or self.act_path, kind, *map(str, arguments)], cwd=more.pop("cwd", self.dir),
                             stdout=subprocess.PIPE, env={**os.environ, **(env or {})}, **more)
        out = p.communicate(timeout=300)[0].decode()
        if kind in CALLS_32 and p.returncode == -signal.SIGSEGV:  # some hypervisors pass no int 0x80 on
            raise Skip("a 32-bit call ends its caller on this machine")
        if check:
            self.result(kind, out)
        # an actor that works through a child says which
        words = out.split()
        self.child = int(words[words.index("child") + 1]) if "child" in words else None
        return p.pid

    def clean(self):
        unmount_below(self.work)
        shutil.rmtree(self.work, ignore_errors=True)


class Session:
    """One culprit. Its output, its errors and its store lie in a scenario's folder."""

    def __init__(self, args, sensor, work, options):
        self.args, self.sensor, self.work, self.options = args, sensor, work, options
        self.process, self.lines, self.code = None, [], None

    def start(self, targets):
        command = [self.args.culprit, "watch", "--format", "json", "--sensor", self.sensor.replace("+", ","),
                   "--store", os.path.join(self.work, "store.db"), *self.options, *targets]
        self.stdout = open(os.path.join(self.work, "stdout"), "w+b")
        self.stderr = open(os.path.join(self.work, "stderr"), "w+b")
        self.process = subprocess.Popen(command, stdout=self.stdout, stderr=self.stderr)
        deadline = time.time() + READY_SECONDS
        while b"culprit: ready" not in self.err():
            if self.process.poll() is not None or time.time() > deadline:
                raise RuntimeError("culprit did not get ready: " + self.err().decode(errors="replace"))
            time.sleep(0.005)
        if self.args.late:
            threading.Thread(target=self.hold_up, args=(self.process,), daemon=True).start()

    @staticmethod
    def hold_up(process):
        """It is stopped again and again, as on a machine that is busy all the time."""
        while process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(min(random.expovariate(5), 2))  # longer than a program takes to start, often
            process.send_signal(signal.SIGCONT)
            time.sleep(random.random() * 0.05)

    def err(self):
        with open(os.path.join(self.work, "stderr"), "rb") as f:
            return f.read()

    def finish(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.code = self.process.wait(120)
        with open(os.path.join(self.work, "stdout"), "rb") as f:
            self.lines = [json.loads(line) for line in f.read().decode("utf-8").splitlines()]
        return self.lines

    def deal(self, runs):
        """({run: its lines}, [what is nobody's]). With one run everything is its own."""
        if self.code not in (0, 1, 4):
            raise RuntimeError(f"culprit ended with {self.code}: " + self.err().decode(errors="replace")[-800:])
        if len(runs) == 1:
            return {runs[0]: self.lines}, []
        dealt, rest = {}, []
        for line in self.lines:
            if line["event"]["kind"] == "alert":
                continue
            said = [line.get("file", {}).get("path"), line.get("culprit", {}).get("file", {}).get("previous_path"),
                    line.get("culprit", {}).get("watch")]
            owner = [r for r in runs if any(s and (s + "/").startswith(r.work + "/") for s in said)]
            if owner:
                dealt.setdefault(owner[0], []).append(line)
            elif not is_interruption(line):
                rest.append(f"nobody's: {line['event'].get('action')} {said} {line.get('message')}"
                            f" {line.get('culprit', {}).get('gap')}")
        return dealt, rest

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
