# SPDX-License-Identifier: MIT
"""store.py CULPRIT [-n KILLS] [-s fanotify,audit] [-l]

The store is safe with any number of users, all is right again after trouble, and kill -9 loses little. -n: kills
for each sensor; -l: also what takes long (a lock of 30 s). The last line is "N passed, N failed".
"""
import argparse
import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from lib.kills import kill, parse_time, table
from lib.observer import Observers, change, is_sound

parser = argparse.ArgumentParser()
parser.add_argument("culprit", type=os.path.realpath)
parser.add_argument("-n", type=int, default=10, metavar="KILLS")
parser.add_argument("-s", default="fanotify", metavar="SENSORS")
parser.add_argument("-l", action="store_true")
options = parser.parse_args()
observers = Observers(options.culprit)
WORK, directory = observers.work, observers.directory
results = {True: 0, False: 0}
FULL_SIZE = 2 << 20


def check(text, fine, *more):
    results[bool(fine)] += 1
    print("right:" if fine else "WRONG:", text, *([] if fine else more), flush=True)


class Lock:
    """Another program has the store for itself, until it is asked to let go."""
    CODE = ("import sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=120);"
            "d.execute('begin exclusive'); print('locked', flush=True); sys.stdin.read(); d.execute('rollback')")

    def __init__(self, store):
        self.process = subprocess.Popen([sys.executable, "-c", self.CODE, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"locked\n":
            raise RuntimeError("the store cannot be locked")

    def is_held(self):
        return self.process.poll() is None

    def release(self):
        self.process.communicate(timeout=120)


def wait_until(condition, seconds=60):
    until = time.time() + seconds
    while not condition() and time.time() < until:
        time.sleep(0.1)
    return condition()


def wait_recorded(store, target, count, prefix=""):
    """What comes next is to find it in the store."""
    return wait_until(lambda: observers.who(store, target).count(prefix) == count)


# ---- any number of users ----

def look_on():
    """sqlite3 opens and closes the store beside the writer; so do copies and backups."""
    target, store = directory("look"), WORK + "/look.db"
    copy, backup = WORK + "/copy.db", WORK + "/backup.db"
    with observers.watch(store, target) as w:
        change(target, "one", 30)
        wait_recorded(store, target, 30)
        for i in range(5):
            subprocess.run([sys.executable, "-c", f"import sqlite3; d = sqlite3.connect({store!r});"
                            "d.execute('select count(*) from event').fetchone(); d.close()"], check=True)
            change(target, f"two{i}-", 20)
        wait_recorded(store, target, 130)
        with contextlib.closing(sqlite3.connect(store)) as a, contextlib.closing(sqlite3.connect(backup)) as b:
            a.execute("begin")
            a.execute("select count(*) from event").fetchone()  # who reads keeps both files of one time, however long it takes
            for end in ("", "-wal"):
                subprocess.run(["cp", store + end, copy + end], check=True)
            a.execute("commit")
            a.backup(b)
        os.chmod(backup, 0o600)
        change(target, "three", 20)
        check("others look on: all is recorded while it runs", wait_recorded(store, target, 150), observers.who(store, target).count(""))
        w.end(signal.SIGKILL)
    a = observers.who(store, target)
    check("and after kill -9", a.count("") == 150 and a.without_actor() == 0, a.count(""))
    for name in (copy, backup):
        a = observers.who(name, target)
        check(f"{os.path.basename(name)} holds what was recorded then", a.count("one") == 30 and a.count("two") == 100,
              a.count("one"), a.count("two"), a.error)


def many_writers():
    targets, store = [directory(f"writer{i}") for i in range(3)], WORK + "/many.db"
    watches = [observers.watch(store, t) for t in targets]
    for i in range(6):
        for t in targets:
            change(t, f"a{i}-", 20)
        p = subprocess.run([options.culprit, "run", "--sensor", "fanotify", "--store", store, "-w", targets[0], "--settle",
                            "200ms", "--", "sh", "-c", f"touch {targets[0]}/r{i}; rm {targets[0]}/r{i}"], capture_output=True)
        check("run beside three watches", p.returncode == 0, p.returncode, p.stderr)
        observers.who(store, targets[1])
    watches[1].end(signal.SIGKILL)
    for t in targets:
        change(t, "b", 20)
    for w in watches:
        w.end()
    for i, t in enumerate(targets):
        a, expected = observers.who(store, t), 140 if i != 1 else 120
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
        with observers.watch(store, target) as w:
            change(target, "one", 30)
            wait_recorded(store, target, 30)
            with contextlib.closing(sqlite3.connect(store)) as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            change(target, "between", 2)
            subprocess.run(command.format(store), shell=True, check=True)
            check(f"{name} is noticed", w.wait_for(text), w.said())
            change(target, "two", 80)
            wait_recorded(store, target, 80, "two")
            w.end(signal.SIGKILL if name == "rm" else signal.SIGTERM)
        a = observers.who(store, target)
        check(f"{name}: a new store has what came after it", a.count("two") == 80 and a.without_actor() == 0
              and not a.count("one"), a.count("two"), a.without_actor(), a.error)
        check(f"{name}: the gap is in it", any("taken away" in str(g) or g.get("from") for g in a.gaps) and a.status == 4,
              a.gaps, a.status)
        check(f"{name}: the new store is sound", is_sound(store))
        if name == "mv":
            a = observers.who(store + ".old", target)
            check("mv: what was moved is whole", a.count("one") == 30, a.count("one"), a.error)


# ---- trouble ----

def trouble(name, store, begin, end, seconds, said=True):
    """Something keeps the store from being written for a time: nothing is missing afterwards."""
    target = directory(f"trouble-{name}")
    with observers.watch(store, target) as w:
        change(target, "before", 20)
        wait_recorded(store, target, 20)
        begin(store)
        began, n = time.time(), 0
        while time.time() - began < seconds or (said and "trying again" not in w.said() and time.time() - began < 60):
            change(target, f"during{n}-", 1, 0.02 if time.time() - began < seconds else 1)  # until it has met it
            n += 1
        end(store)
        check(f"{name}: that it is written again is said", not said or w.wait_for("is written now"), w.said())
        change(target, "after", 20)
        wait_recorded(store, target, 40 + n)
        a = observers.who(store, target)
        check(f"{name}: nothing is missing", (a.count("before"), a.count("during"), a.count("after")) == (20, n, 20),
              a.count("before"), a.count("during"), n, a.count("after"))
        check(f"{name}: no event without actor", a.events and a.without_actor() == 0, a.without_actor())
        check(f"{name}: ends, and nothing is missing by its own word", w.end() == 0, w.end(), w.said())
    a = observers.who(store, target)
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
        trouble(f"locked for {seconds} s", f"{WORK}/lock{seconds}.db", lambda s: holders.append(Lock(s)),
                lambda _: holders[0].release(), seconds)


@contextlib.contextmanager
def file_system(name):
    """An ext4 of its own for a store; what puts a copy of it in its place: one that is in use cannot be repaired."""
    image, place = f"{WORK}/{name}.img", directory(name)
    with open(image, "wb") as file:
        file.truncate(32 << 20)

    def mount(what):
        subprocess.run(["mount", "-o", "loop,errors=remount-ro", what, place], check=True, capture_output=True)

    def mount_copy():
        shutil.copy(image, image + ".copy")
        subprocess.run(["umount", "-l", place], check=True)
        mount(image + ".copy")

    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    mount(image)
    try:
        yield place, mount_copy
    finally:
        subprocess.run(["fsfreeze", "-u", place], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", place], check=True)


def read_only():
    """The store's file system finds an error and becomes read-only; a copy of it is mounted in its place."""
    target = directory("read-only-t")
    with file_system("read-only") as (place, mount_copy):
        store = place + "/c.db"
        device = os.path.basename(subprocess.run(["findmnt", "-no", "SOURCE", place], capture_output=True, text=True).stdout.strip())
        with observers.watch(store, target) as w:
            change(target, "before", 20)
            wait_recorded(store, target, 20)
            with open(f"/sys/fs/ext4/{device}/trigger_fs_error", "w") as file:
                file.write("a test")
            change(target, "during", 50, 0.02)
            check("read-only: it is said", w.wait_for("trying again"), w.said())
            mount_copy()
            tries = itertools.count()
            change_more = lambda: change(target, f"again{next(tries)}-", 1) or observers.who(store, target).count("again")
            check("read-only: it is written again once it can be", wait_until(change_more), w.said())
            since = time.time_ns()
            change(target, "after", 20)
            check("read-only: nothing of what comes then is missing",
                  wait_recorded(store, target, 20, "after"), w.said())
        a = observers.who(store, target)
        check("read-only: no event without actor", a.events and a.without_actor() == 0, a.without_actor())
        from_ns = parse_time(a.coverage[-1]["from"])
        lost = 50 - a.count("during")
        check("read-only: what is missing is not claimed", from_ns < since and (not lost or a.gaps or from_ns > parse_time(
            max(e["@timestamp"] for e in a.events if e["file"]["name"] < "b"))), lost, a.gaps, a.coverage)


def is_over(pid):
    """Its own thread has ended, whatever others wait for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0] in "ZX"


def frozen():
    """The store's file system is stopped: the observation goes on, and the end is not held up."""
    target = directory("frozen-t")
    with file_system("frozen") as (place, _):
        store = place + "/c.db"
        with observers.watch(store, target) as w:
            change(target, "before", 20)
            wait_recorded(store, target, 20)
            subprocess.run(["fsfreeze", "-f", place], check=True)
            change(target, "during", 100, 0.02)
            subprocess.run(["fsfreeze", "-u", place], check=True)
            change(target, "after", 20)
            check("frozen: nothing is missing, with its actors", wait_recorded(store, target, 140)
                  and observers.who(store, target).without_actor() == 0, observers.who(store, target).count(""))
            subprocess.run(["fsfreeze", "-f", place], check=True)
            change(target, "late", 5)
            w.process.send_signal(signal.SIGTERM)
            check("frozen: it ends all the same", wait_until(lambda: is_over(w.process.pid)))
            check("frozen: and says why", "does not answer" in w.said(), w.said())
            subprocess.run(["fsfreeze", "-u", place], check=True)
            check("frozen: with what is missing in its exit status", w.end() == 4, w.end())
        a = observers.who(store, target)
        check("frozen: and as a gap", a.count("late") == 5 or (a.gaps and a.status == 4), a.count("late"), a.gaps)


def unusable_at_start():
    target, store = directory("start"), WORK + "/late/deep/c.db"
    w = observers.watch(store, target)
    check("a store that cannot be used is said", w.wait_for("trying again"), w.said())
    change(target, "early", 30)
    os.makedirs(WORK + "/late")
    check("and that it can be used now", w.wait_for("is written now"), w.said())
    change(target, "late", 30)
    w.end()
    a = observers.who(store, target)
    check("what came before it could be used is in it", (a.count("early"), a.count("late")) == (30, 30)
          and a.without_actor() == 0, a.count("early"), a.count("late"))

    p = subprocess.run([options.culprit, "watch", "--sensor", "fanotify", "--store", WORK + "/never/there/c.db", "--for", "1s",
                        target], capture_output=True, text=True)
    check("no `later` is promised where nothing is recorded", "  later " not in p.stdout, p.stdout)

    target, store = directory("stop"), WORK + "/stop.db"
    w = observers.watch(store, target)
    holder = Lock(store)
    change(target, "f", 10)
    w.process.send_signal(signal.SIGTERM)
    check("a lock does not hold up the end", wait_until(lambda: w.process.poll() is not None) and holder.is_held(), w.said())
    holder.release()
    w.end()


def foreign():
    target, store = directory("foreign"), WORK + "/foreign.db"
    observers.watch(store, target).end()
    for what, undo in ((lambda: os.chown(store, 4242, 4242), lambda: os.chown(store, 0, 0)),
                       (lambda: os.chmod(store, 0o622), lambda: os.chmod(store, 0o600))):
        what()
        a = observers.who(store, target)
        check("a store that others may change is refused with one line", a.status == 3 and a.error.count("\n") == 1
              and "chmod go-w" in a.error, a.status, a.error)
        undo()
    check("and read again when it is ours", observers.who(store, target).status in (0, 1))


# ---- kill -9 ----

def kills(sensor):
    rows = list(kill(observers, sensor, options.n))
    late = [r for r in rows if not r.get("early")]
    scope, missing = (sum(r[k] for r in late) for k in ("scope", "missing"))
    print(table(rows), flush=True)
    # how many milliseconds is the machine's affair, too (bench/kills.py)
    check(f"{sensor}: kill -9 does not lose most of it", not scope or missing < scope / 2, (missing, scope))
    check(f"{sensor}: coverage ends before what is missing", not any(r["covered"] for r in late), late)
    check(f"{sensor}: the end is known at once", all(r["ended"] for r in late), late)
    check(f"{sensor}: and is a gap", all(r["gap"] and r["status"] == 4 for r in late), late)
    check(f"{sensor}: no event without actor", not any(r["nobody"] for r in late), late)
    check(f"{sensor}: the store is sound after each of {len(rows)} kills", all(r["sound"] for r in rows), rows)


try:
    look_on()
    many_writers()
    taken_away()
    troubles()
    for each in (read_only, frozen):
        try:
            each()
        except (subprocess.CalledProcessError, FileNotFoundError) as why:
            print(f"******** NOT TESTED: a store's file system that is {each.__name__.replace('_', '-')}: {why}")
    unusable_at_start()
    if os.geteuid() == 0:
        foreign()
    for each in options.s.split(","):
        kills(each)
finally:
    shutil.rmtree(WORK, ignore_errors=True)
print(f"{results[True]} passed, {results[False]} failed")
sys.exit(results[False] > 0)
