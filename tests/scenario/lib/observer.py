# SPDX-License-Identifier: MIT
"""Observers with a store, what they observe, and what `who` says of it."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time


class Observers:
    """Where they work, and the program that they are."""

    def __init__(self, culprit, ready_seconds=60, own_sessions=False):
        self.culprit, self.ready_seconds, self.own_sessions = culprit, ready_seconds, own_sessions
        self.work = tempfile.mkdtemp(prefix="culprit-store.", dir="/tmp")

    def directory(self, name):
        path = os.path.join(self.work, name)
        os.makedirs(path)
        return path

    def begin(self, store, *targets, sensor="fanotify"):
        return Watch(self, store, targets, sensor)

    def watch(self, store, *targets, sensor="fanotify"):
        watch = self.begin(store, *targets, sensor=sensor)
        if not watch.wait_for("culprit: ready", self.ready_seconds):
            raise RuntimeError(f"not ready in {self.ready_seconds} s: {watch.said()}")
        return watch

    def who(self, store, target, since=None):
        return Answer(self.culprit, store, target, since)


class Watch:
    """One that has begun; end it, or use it in a with statement."""

    def __init__(self, observers, store, targets, sensor):
        self.err = tempfile.TemporaryFile(dir=observers.work, mode="w+")
        self.process = subprocess.Popen([observers.culprit, "watch", "--sensor", sensor.replace("+", ","), "--store", store, *targets],
                                        stdout=subprocess.DEVNULL, stderr=self.err, start_new_session=observers.own_sessions)

    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for(self, text, seconds=60):
        until = time.time() + seconds
        while text not in self.said() and time.time() < until and self.process.poll() is None:
            time.sleep(0.02)
        return text in self.said()

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(120)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()


class Answer:
    """What `who` says as JSON."""

    def __init__(self, culprit, store, target, since=None):
        p = subprocess.run([culprit, "who", "--format", "json", *(["--since", since] if since else []),
                            "--store", store, target], capture_output=True, timeout=120)
        self.status, self.error = p.returncode, p.stderr.decode(errors="replace")
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        self.events = [e for e in lines if e["event"]["kind"] == "event"]
        self.gaps = [e["culprit"]["gap"] for e in lines if e["event"]["kind"] == "pipeline_error"]
        self.coverage = next((e["culprit"].get("coverage", []) for e in lines if e["event"]["kind"] == "alert"), [])

    def count(self, prefix, action="unlink"):
        return len({e["file"]["name"] for e in self.events
                    if e["event"]["action"] == action and e["file"]["name"].startswith(prefix)})

    def without_actor(self):
        return sum("executable" not in e.get("process", {}) for e in self.events)


def change(path, prefix, count, pause=0.0):
    for i in range(count):
        name = f"{path}/{prefix}{i}"
        open(name, "w").close()
        os.unlink(name)
        time.sleep(pause)


def is_sound(store):
    try:
        with contextlib.closing(sqlite3.connect(store)) as db:
            return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.Error:
        return False
