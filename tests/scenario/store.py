# SPDX-License-Identifier: MIT
"""store.py CULPRIT [-n KILLS] [-s fanotify,audit] [-l]

The store is safe with any number of users, all is right again after trouble, and kill -9 loses less than 100 ms. -n: kills
for each sensor; -l: also what takes long (a lock of 30 s). The last line is "N passed, N failed".
"""
import argparse
import contextlib
import json
import mmap
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("culprit", type=os.path.realpath)
parser.add_argument("-n", type=int, default=10, metavar="KILLS")
parser.add_argument("-s", default="fanotify", metavar="SENSORS")
parser.add_argument("-l", action="store_true")
options = parser.parse_args()
WORK = tempfile.mkdtemp(prefix="culprit-store.", dir="/tmp")
results = {True: 0, False: 0}
FULL_SIZE = 2 << 20


def check(text, fine, *more):
    results[bool(fine)] += 1
    print("right:" if fine else "WRONG:", text, *([] if fine else more), flush=True)


# ---- observers and what they observe ----

class Watch:
    def __init__(self, store, *targets, sensor="fanotify", stop=True):
        self.store, self.targets, self.stop = store, targets, stop
        self.err = tempfile.TemporaryFile(dir=WORK, mode="w+")
        self.process = subprocess.Popen([options.culprit, "watch", "--sensor", sensor, "--store", store, *targets],
                                        stdout=subprocess.DEVNULL, stderr=self.err)
        self.wait_for("culprit: ready")

    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for(self, text, seconds=15):
        until = time.time() + seconds
        while text not in self.said() and time.time() < until and self.process.poll() is None:
            time.sleep(0.02)
        return text in self.said()

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()


def directory(name):
    path = os.path.join(WORK, name)
    os.makedirs(path)
    return path


def change(path, prefix, count, pause=0.0):
    for i in range(count):
        name = f"{path}/{prefix}{i}"
        open(name, "w").close()
        os.unlink(name)
        time.sleep(pause)


class Answer:
    """What `who` says as JSON."""

    def __init__(self, store, target, since=None):
        p = subprocess.run([options.culprit, "who", "--format", "json", *(["--since", since] if since else []),
                            "--store", store, target], capture_output=True, timeout=60)
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


def is_sound(store):
    try:
        with contextlib.closing(sqlite3.connect(store)) as db:
            return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.Error:
        return False


def lock(store, seconds):
    """Another program has the store for itself."""
    code = ("import sqlite3, sys, time; d = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20);"
            "d.execute('begin exclusive'); print('locked', flush=True); time.sleep(float(sys.argv[2])); d.execute('rollback')")
    p = subprocess.Popen([sys.executable, "-c", code, store, str(seconds)], stdout=subprocess.PIPE)
    p.stdout.readline()
    return p


# ---- any number of users ----

def look_on():
    """sqlite3 opens and closes the store beside the writer; so do copies and backups."""
    target, store = directory("look"), WORK + "/look.db"
    copy, backup = WORK + "/copy.db", WORK + "/backup.db"
    with Watch(store, target) as w:
        change(target, "one", 30)
        time.sleep(0.5)
        for i in range(5):
            subprocess.run([sys.executable, "-c", f"import sqlite3; d = sqlite3.connect({store!r});"
                            "d.execute('select count(*) from event').fetchone(); d.close()"], check=True)
            change(target, f"two{i}-", 20)
        time.sleep(0.5)
        for end in ("", "-wal"):
            shutil.copy(store + end, copy + end)
        with contextlib.closing(sqlite3.connect(store)) as a, contextlib.closing(sqlite3.connect(backup)) as b:
            a.backup(b)
        os.chmod(backup, 0o600)
        change(target, "three", 20)
        time.sleep(0.5)
        a = Answer(store, target)
        check("others look on: all is recorded while it runs", a.count("") == 150, a.count(""))
        w.end(signal.SIGKILL)
    a = Answer(store, target)
    check("and after kill -9", a.count("") == 150 and a.without_actor() == 0, a.count(""))
    for name in (copy, backup):
        a = Answer(name, target)
        check(f"{os.path.basename(name)} holds what was recorded then", a.count("one") == 30 and a.count("two") == 100,
              a.count("one"), a.count("two"), a.error)


def many_writers():
    targets, store = [directory(f"writer{i}") for i in range(3)], WORK + "/many.db"
    watches = [Watch(store, t) for t in targets]
    for i in range(6):
        for t in targets:
            change(t, f"a{i}-", 20)
        p = subprocess.run([options.culprit, "run", "--sensor", "fanotify", "--store", store, "-w", targets[0], "--settle",
                            "200ms", "--", "sh", "-c", f"touch {targets[0]}/r{i}; rm {targets[0]}/r{i}"], capture_output=True)
        check("run beside three watches", p.returncode == 0, p.returncode, p.stderr)
        Answer(store, targets[1])
    watches[1].end(signal.SIGKILL)
    for t in targets:
        change(t, "b", 20)
    for w in watches:
        w.end()
    for i, t in enumerate(targets):
        a, expected = Answer(store, t), 140 if i != 1 else 120
        missing = [n for j in range(6) for k in range(20) for n in [f"a{j}-{k}"]
                   if n not in {e["file"]["name"] for e in a.events}]
        check(f"writer {i}: all of it, with its actors", a.count("a") == 120 and a.count("") - a.count("r") == expected
              and a.without_actor() == 0, a.count("a"), a.count("b"), a.without_actor(), missing[:5])
    check("a store of many writers is sound", is_sound(store))


def taken_away():
    for name, command, text in (("rm", "rm -f {0}", "moved away or deleted"), ("rm-all", "rm -f {0}*", "moved away or deleted"),
                                ("mv", "mv {0} {0}.old", "moved away or deleted"),
                                ("truncate", "truncate -s 0 {0}", "truncated")):
        target, store = directory(f"away-{name}"), f"{WORK}/away-{name}.db"
        with Watch(store, target) as w:
            change(target, "one", 30)
            time.sleep(1.2)  # it has looked at the file
            with contextlib.closing(sqlite3.connect(store)) as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            change(target, "between", 2)
            subprocess.run(command.format(store), shell=True, check=True)
            began = time.time()
            noticed = w.wait_for(text, 4)
            check(f"{name} is noticed within 2 s", noticed and time.time() - began < 2.2, time.time() - began, w.said())
            change(target, "two", 80)
            time.sleep(0.3)
            w.end(signal.SIGKILL if name == "rm" else signal.SIGTERM)
        a = Answer(store, target)
        check(f"{name}: a new store has what came after it", a.count("two") == 80 and a.without_actor() == 0
              and not a.count("one"), a.count("two"), a.without_actor(), a.error)
        check(f"{name}: the gap is in it", any("taken away" in str(g) or g.get("from") for g in a.gaps) and a.status == 4,
              a.gaps, a.status)
        check(f"{name}: the new store is sound", is_sound(store))
        if name == "mv":
            a = Answer(store + ".old", target)
            check("mv: what was moved is whole", a.count("one") == 30, a.count("one"), a.error)


# ---- trouble ----

def trouble(name, store, begin, end, seconds, said=True):
    """Something keeps the store from being written for a time: nothing is missing afterwards."""
    target = directory(f"trouble-{name}")
    with Watch(store, target) as w:
        change(target, "before", 20)
        time.sleep(0.3)
        begin(store)
        began, n = time.time(), 0
        while time.time() - began < seconds:
            change(target, f"during{n}-", 1, 0.02)
            n += 1
        end(store)
        check(f"{name}: that it is written again is said", not said or w.wait_for("is written now", 6), w.said())
        change(target, "after", 20)
        time.sleep(0.3)
        a = Answer(store, target)
        check(f"{name}: nothing is missing", (a.count("before"), a.count("during"), a.count("after")) == (20, n, 20),
              a.count("before"), a.count("during"), n, a.count("after"))
        check(f"{name}: no event without actor", a.events and a.without_actor() == 0, a.without_actor())
        began = time.time()
        w.end()
        check(f"{name}: ends at once", time.time() - began < 5)
    a = Answer(store, target)
    check(f"{name}: no gap, for none is missing", not a.gaps and a.status == 0, a.gaps, a.status)


def troubles():
    place = directory("full")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FULL_SIZE}", "none", place], check=True)
    try:
        trouble("full disk", place + "/c.db",
                lambda _: subprocess.run(f"head -c {FULL_SIZE} /dev/zero > {place}/filler", shell=True, stderr=subprocess.DEVNULL),
                lambda _: os.unlink(place + "/filler"), 4)
    finally:
        subprocess.run(["umount", "-l", place], check=True)
    for seconds in (3, 30) if options.l else (3,):
        holders = []
        trouble(f"locked for {seconds} s", f"{WORK}/lock{seconds}.db", lambda s, n=seconds: holders.append(lock(s, n)),
                lambda _: holders[0].wait(), seconds)


def unusable_at_start():
    target, store = directory("start"), WORK + "/late/deep/c.db"
    w = Watch(store, target)
    check("a store that cannot be used is said", w.wait_for("trying again", 3), w.said())
    change(target, "early", 30)
    os.makedirs(WORK + "/late")
    check("and that it can be used now", w.wait_for("is written now", 4), w.said())
    change(target, "late", 30)
    w.end()
    a = Answer(store, target)
    check("what came before it could be used is in it", (a.count("early"), a.count("late")) == (30, 30)
          and a.without_actor() == 0, a.count("early"), a.count("late"))

    p = subprocess.run([options.culprit, "watch", "--sensor", "fanotify", "--store", WORK + "/never/there/c.db", "--for", "1s",
                        target], capture_output=True, text=True)
    check("no `later` is promised where nothing is recorded", "  later " not in p.stdout, p.stdout)

    target, store = directory("stop"), WORK + "/stop.db"
    w = Watch(store, target)
    holder = lock(store, 12)
    change(target, "f", 10)
    began = time.time()
    w.end()
    check("a lock does not hold up the end", time.time() - began < 5.5, time.time() - began)
    holder.terminate()
    holder.wait()


def foreign():
    target, store = directory("foreign"), WORK + "/foreign.db"
    Watch(store, target).end()
    for what, undo in ((lambda: os.chown(store, 4242, 4242), lambda: os.chown(store, 0, 0)),
                       (lambda: os.chmod(store, 0o622), lambda: os.chmod(store, 0o600))):
        what()
        a = Answer(store, target)
        check("a store that others may change is refused with one line", a.status == 3 and a.error.count("\n") == 1
              and "chmod go-w" in a.error, a.status, a.error)
        undo()
    check("and read again when it is ours", Answer(store, target).status in (0, 1))


# ---- kill -9 ----

class Actor:
    """A child that makes and deletes files, and notes when each was done."""
    RECORD = struct.Struct("=QQ")
    MAX = 400000

    def __init__(self, target):
        self.memory = mmap.mmap(-1, 8 + self.RECORD.size * self.MAX)
        self.pid = os.fork()
        if self.pid == 0:
            i, due = 0, time.monotonic()
            while i < self.MAX:
                name = f"{target}/f{i:06}"
                os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
                made = time.time_ns()
                os.unlink(name)
                self.RECORD.pack_into(self.memory, 8 + self.RECORD.size * i, made, time.time_ns())
                i += 1
                struct.pack_into("=Q", self.memory, 0, i)
                due = max(due + 0.001, time.monotonic() - 0.1)
                time.sleep(max(0, due - time.monotonic()))
            os._exit(0)

    def count(self):
        return struct.unpack_from("=Q", self.memory, 0)[0]

    def done(self, first, last):
        """(when, action, name) of what was done."""
        for i in range(first, last):
            made, deleted = self.RECORD.unpack_from(self.memory, 8 + self.RECORD.size * i)
            yield made, "create", f"f{i:06}"
            yield deleted, "unlink", f"f{i:06}"

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def parse_time(text):
    whole, part = text.rstrip("Z").split(".")
    return int(time.mktime(time.strptime(whole + "UTC", "%Y-%m-%dT%H:%M:%S%Z")) - time.timezone) * 10**9 + int(part.ljust(9, "0"))


def kill_once(sensor, actor, target, store, rnd):
    since = time.time_ns()
    w = Watch(store, target, sensor=sensor)
    ready, first = time.time_ns(), actor.count() + 1
    time.sleep(rnd.uniform(0.3, 1.3))
    last, killed = actor.count(), time.time_ns()
    w.process.send_signal(signal.SIGKILL)
    w.process.wait()
    began = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since // 10**9)) + f".{since % 10**9:09}Z"
    a = Answer(store, target, stamp)
    took = time.time() - began
    there = {(e["event"]["action"], e["file"]["name"]) for e in a.events}
    scope = [(when, key) for when, *key in actor.done(first, last) if ready + 20_000_000 < when < killed]
    missing = [when for when, key in scope if tuple(key) not in there]
    span = a.coverage[-1]
    end = parse_time(span["to"]) if span.get("to") else 0
    return {"loss": (killed - min(missing)) / 1e6 if missing else 0, "scope": len(scope), "missing": len(missing),
            "covered": sum(when < end for when in missing), "ended": bool(end) and end <= killed,
            "gap": [g for g in a.gaps if g["from"] == span.get("to")], "nobody": a.without_actor(), "took": took,
            "status": a.status}


def kills(sensor):
    target, store = directory(f"kill-{sensor}"), f"{WORK}/kill-{sensor}.db"
    rnd, actor = random.Random(7), Actor(target)
    try:
        runs = [kill_once(sensor, actor, target, store, rnd) for _ in range(options.n)]
    finally:
        actor.end()
    loss = sorted(r["loss"] for r in runs)
    print(f"{sensor}: {len(runs)} kills, oldest missing event in ms: median {loss[len(loss) // 2]:.1f}, 95 % "
          f"{loss[int(len(loss) * 0.95)]:.1f}, most {loss[-1]:.1f}; events missing: "
          f"{sum(r['missing'] for r in runs)} of {sum(r['scope'] for r in runs)}", flush=True)
    late = sum(x > 100 for x in loss)  # where the sensor itself did not get the processor for so long
    check(f"{sensor}: kill -9 loses less than 100 ms", late <= max(1, len(loss) // 20) and loss[-1] < 500, loss)
    check(f"{sensor}: coverage ends before what is missing", not any(r["covered"] for r in runs),
          [r["covered"] for r in runs])
    check(f"{sensor}: the end is known at once", all(r["ended"] for r in runs), [r["ended"] for r in runs])
    check(f"{sensor}: and is a gap", all(r["gap"] and r["status"] == 4 for r in runs), runs[0])
    check(f"{sensor}: no event without actor", not any(r["nobody"] for r in runs), [r["nobody"] for r in runs])
    check(f"{sensor}: the store is sound after {len(runs)} kills", is_sound(store))


try:
    look_on()
    many_writers()
    taken_away()
    troubles()
    unusable_at_start()
    if os.geteuid() == 0:
        foreign()
    for each in options.s.split(","):
        kills(each)
finally:
    shutil.rmtree(WORK, ignore_errors=True)
print(f"{results[True]} passed, {results[False]} failed")
sys.exit(results[False] > 0)
