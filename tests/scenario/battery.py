#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""battery.py CULPRIT ACT [-s SENSOR,...] [-k PATTERN]: every scenario with every sensor.

A scenario sets the scene, starts culprit, does one thing, and compares all that culprit told with the
one right answer. Three outcomes: right; "declared": not seen, and the sensor's capabilities say so;
WRONG: seen wrong, told too much, or not seen without being declared."""
import argparse
import fnmatch
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lib import containers  # noqa: F401, adds its scenarios
from lib.engine import Docker
from lib.expect import compare
from lib.scenarios import SCENARIOS

READY_SECONDS = 20


class Run:
    """One culprit over one scenario's folder."""

    def __init__(self, args, sensor, work):
        self.args, self.sensor, self.work = args, sensor, work
        self.dir = os.path.join(work, "w")      # what is watched
        self.out = os.path.join(work, "outside")
        self.act_path = args.act
        self.process = None
        self.pids = []

    def path(self, name=""):
        return os.path.join(self.dir, name) if name else self.dir

    def write(self, name, content="content\n", mode=0o644):
        path = name if name.startswith("/") else self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        os.chmod(path, mode)
        return path

    def start(self, targets, options):
        command = [self.args.culprit, "watch", "--format", "json", "--sensor", self.sensor,
                   "--store", os.path.join(self.work, "store.db"), *options, *targets]
        self.stderr = open(os.path.join(self.work, "stderr"), "w+b")
        self.stdout = open(os.path.join(self.work, "stdout"), "w+b")
        self.process = subprocess.Popen(command, stdout=self.stdout, stderr=self.stderr)
        deadline = time.time() + READY_SECONDS
        while b"culprit: ready" not in self.err():
            if self.process.poll() is not None or time.time() > deadline:
                raise RuntimeError("culprit did not get ready: " + self.err().decode(errors="replace"))
            time.sleep(0.005)

    def err(self):
        with open(os.path.join(self.work, "stderr"), "rb") as f:
            return f.read()

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        self.code = self.process.wait(60)
        with open(os.path.join(self.work, "stdout"), "rb") as f:
            return [json.loads(line) for line in f.read().decode("utf-8").splitlines()]

    def sh(self, script, **more):
        """A shell command in the watched folder; returns the shell's pid."""
        p = subprocess.Popen(["/bin/bash", "-c", script], cwd=self.dir, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, **more)
        p.wait(60)
        self.pids.append(p.pid)
        return p.pid

    def act(self, kind, *arguments, check=True, env=None):
        """One operation by the actor; returns its pid."""
        p = subprocess.Popen([self.act_path, kind, *map(str, arguments)], cwd=self.dir,
                             stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
        out = p.communicate(timeout=60)[0].decode()
        if check and "done" not in out:
            raise Skip(f"act {kind}: {out.strip()}")
        self.pids.append(p.pid)
        return p.pid


class Skip(Exception):
    """The machine cannot do this at all (no such call, no such file system)."""


def capabilities(culprit):
    answer = subprocess.run([culprit, "doctor", "--format", "json"], stdout=subprocess.PIPE, check=False)
    doctor = json.loads(answer.stdout.splitlines()[0])
    return {s["name"]: set(s["capabilities"]) for s in doctor["sensors"] if s["works"]}, doctor["would_use"]


def play(args, scenario, sensor, has):
    work = tempfile.mkdtemp(prefix="culprit-scenario.", dir=os.environ.get("CULPRIT_TEST_DIR", "/tmp"))
    run = Run(args, sensor, work)
    run.docker = args.docker
    os.mkdir(run.dir)
    os.mkdir(run.out)
    try:
        if scenario.before:
            scenario.before(run)
        try:
            run.start(scenario.targets(run), scenario.options)
            try:
                expected = scenario.during(run)
            finally:
                lines = run.finish()
        finally:
            if scenario.after:
                scenario.after(run)
        wrong, missing = compare(expected, lines, run, scenario)
        if wrong:
            return "WRONG", wrong
        if missing:
            lacks = [c for c in scenario.needs if c not in has]
            return ("declared", [f"needs {' '.join(lacks)}"]) if lacks else ("WRONG", missing)
        return "right", []
    except Skip as reason:
        return "skipped", [str(reason)]
    except Exception as reason:  # pylint: disable=broad-except
        return "WRONG", [f"{type(reason).__name__}: {reason}"]
    finally:
        if run.process and run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        subprocess.run(["umount", "-R", "-q", run.dir], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("culprit")
    parser.add_argument("act")
    parser.add_argument("-s", "--sensors")
    parser.add_argument("-k", "--pattern", default="*")
    args = parser.parse_args()
    args.culprit, args.act = os.path.realpath(args.culprit), os.path.realpath(args.act)
    works, would_use = capabilities(args.culprit)
    columns = {name: works[name] for name in works}
    if len(would_use) > 1:
        columns["auto"] = set().union(*(works[n] for n in would_use))
    if args.sensors:
        columns = {n: columns[n] for n in args.sensors.split(",")}
    counts = {}
    details = []
    chosen = [s for s in SCENARIOS if fnmatch.fnmatch(s.name, args.pattern)]
    args.docker = Docker() if any(s.name.startswith("container: ") for s in chosen) else None
    print(f"{'scenario':<70}" + "".join(f"{name:<12}" for name in columns))
    for scenario in chosen:
        row = f"{scenario.name:<70}"
        for name, has in columns.items():
            result, why = play(args, scenario, name, has)
            counts[result] = counts.get(result, 0) + 1
            row += f"{result:<12}"
            if result in ("WRONG", "skipped"):
                details.append(f"{scenario.name} ({name}): {result}: " + "; ".join(why))
        print(row, flush=True)
    if args.docker:
        args.docker.stop()
    print()
    for line in details:
        print(line)
    print(", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    print(f"{counts.get('right', 0) + counts.get('declared', 0)} passed, {counts.get('WRONG', 0)} failed")
    return 1 if counts.get("WRONG") else 0


if __name__ == "__main__":
    sys.exit(main())
