# SPDX-License-Identifier: MIT
"""kill -9 at any moment: what is missing then, what `who` claims, and whether the store is sound."""
import calendar
import mmap
import os
import random
import shutil
import signal
import struct
import time

from lib.observer import is_sound

STORE_EACH = 25        # kills before a new store is begun
SETTLED_NS = 20_000_000  # what is done so soon after the first word may be older than the coverage
BEAT_LATE_NS = 10_000_000_000  # how much later than it is to a busy machine may let it say that it lives


class Actor:
    """A child that makes and deletes files, `rate` a second of both, and notes when each was done."""
    RECORD = struct.Struct("=QQ")
    MAX = 4000000

    def __init__(self, target, rate):
        self.memory = mmap.mmap(-1, 8 + self.RECORD.size * self.MAX)
        self.pid = os.fork()
        if self.pid == 0:
            self.act(target, 1 / rate)
            os._exit(0)

    def act(self, target, pause):
        due = time.monotonic()
        for i in range(self.MAX):
            name = f"{target}/f{i:07}"
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            made = time.time_ns()
            os.unlink(name)
            self.RECORD.pack_into(self.memory, 8 + self.RECORD.size * i, made, time.time_ns())
            struct.pack_into("=Q", self.memory, 0, i + 1)
            due = max(due + pause, time.monotonic() - 0.1)
            time.sleep(max(0, due - time.monotonic()))

    def count(self):
        return struct.unpack_from("=Q", self.memory, 0)[0]

    def done(self, first, last):
        """(when, action, name) of what was done."""
        for i in range(first, last):
            made, deleted = self.RECORD.unpack_from(self.memory, 8 + self.RECORD.size * i)
            yield made, "create", f"f{i:07}"
            yield deleted, "unlink", f"f{i:07}"

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def parse_time(text):
    whole, part = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(part.ljust(9, "0"))


def format_time(ns):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9)) + f".{ns % 10**9:09}Z"


def is_sound_now(store):
    """Looked at in a copy: the next one finds it as the killed one left it."""
    copy = store + ".copy"
    for end in ("", "-wal"):
        if os.path.exists(store + end):
            shutil.copy(store + end, copy + end)
    sound = is_sound(copy)
    for end in ("", "-wal", "-shm"):
        if os.path.exists(copy + end):
            os.unlink(copy + end)
    return sound


def kill_once(observers, sensor, actor, target, store, rnd, span):
    since = time.time_ns()
    w = observers.watch(store, target, sensor=sensor)
    ready, first = time.time_ns(), actor.count() + 1
    time.sleep(rnd.uniform(*span))
    last, killed = actor.count(), time.time_ns()
    w.process.send_signal(signal.SIGKILL)
    w.process.wait()
    began = time.time()
    a = observers.who(store, target, format_time(since))
    took = time.time() - began
    there = {(e["event"]["action"], e["file"]["name"]) for e in a.events}
    scope = [(when, key) for when, *key in actor.done(first, last) if ready + SETTLED_NS < when < killed]
    missing = [when for when, key in scope if tuple(key) not in there]
    stored = [when for when, key in scope if tuple(key) in there]
    said = a.coverage[-1] if a.coverage else {}
    end = parse_time(said["to"]) if said.get("to") else 0
    return {"sensor": sensor, "sound": is_sound_now(store), "scope": len(scope), "missing": len(missing),
            "loss": (killed - min(missing)) / 1e6 if missing else 0,
            "holes": sum(when < max(stored, default=0) for when in missing), "covered": sum(when < end for when in missing),
            "ended": bool(end) and end <= killed, "unknown": (killed - end) / 1e6 if end else None,
            "gap": [g for g in a.gaps if g["from"] == said.get("to") and parse_time(g["to"]) >= killed - BEAT_LATE_NS], "nobody": a.without_actor(), "took": took,
            "status": a.status}


def kill_early(observers, sensor, target, store, rnd):
    """Before it is ready, or as it becomes so: nothing is expected of it but a sound store."""
    w = observers.begin(store, target, sensor=sensor)
    time.sleep(rnd.uniform(0, 0.4))
    w.process.send_signal(signal.SIGKILL)
    w.process.wait()
    return {"sensor": sensor, "early": True, "sound": not os.path.exists(store) or is_sound_now(store)}


def kill(observers, sensor, count, seed=7, rate=1000, span=(0.3, 1.3)):
    """One row for each kill; every eighth comes early."""
    target = observers.directory(f"kill-{sensor}-{seed}")
    rnd, actor = random.Random(seed), Actor(target, rate)
    try:
        for i in range(count):
            store = f"{observers.work}/kill-{sensor}-{seed}-{i // STORE_EACH}.db"
            if i % 8 == 7:
                yield kill_early(observers, sensor, target, store, rnd)
            else:
                yield kill_once(observers, sensor, actor, target, store, rnd, span)
    finally:
        actor.end()


def is_right(row):
    """All but how much is missing, which the machine has its part in."""
    return row["sound"] and (row.get("early") or
                             (row["ended"] and row["gap"] and row["status"] == 4 and not row["covered"] and not row["nobody"]))


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def table(rows):
    """Of all rows, a line each sensor."""
    out = [f"{'sensor':9} {'kills':>5} {'damaged':>7} {'missing of events':>19} {'oldest missing, ms':>24} "
           f"{'covered':>7} {'no gap':>6} {'nobody':>6} {'who, s':>11}",
           f"{'':9} {'':5} {'':7} {'':19} {'median  95 %   most':>24} {'':7} {'':6} {'':6} {'median most':>11}"]
    for sensor in sorted({r["sensor"] for r in rows}):
        of = [r for r in rows if r["sensor"] == sensor]
        late = [r for r in of if not r.get("early")]
        loss, took = [r["loss"] for r in late] or [0], [r["took"] for r in late] or [0]
        missing = f"{sum(r['missing'] for r in late)} of {sum(r['scope'] for r in late)}"
        spread = f"{quantile(loss, 0.5):.1f} {quantile(loss, 0.95):6.1f} {max(loss):6.1f}"
        time_ = f"{quantile(took, 0.5):.2f} {max(took):.2f}"
        out.append(f"{sensor:9} {len(of):5} {sum(not r['sound'] for r in of):7} {missing:>19} {spread:>24} "
                   f"{sum(r['covered'] > 0 or not r['ended'] for r in late):7} "
                   f"{sum(not r['gap'] or r['status'] != 4 for r in late):6} {sum(r['nobody'] for r in late):6} {time_:>11}")
    return "\n".join(out)
