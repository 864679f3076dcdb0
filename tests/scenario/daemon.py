# SPDX-License-Identifier: MIT
"""daemon.py CULPRIT: the life of `culprit daemon`: ready when it is, signs of life, one on a host, a broken configuration, another
one while changes are made, what comes later, its end. The last line is "N passed, N failed"."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from lib.daemon_test import CULPRIT, DaemonTest, touch

SECONDS = 120
shared = DaemonTest("daemon", SECONDS)
work, etc, run, started = shared.work, shared.etc, shared.run, shared.started
check, wait_until = shared.check, shared.wait_until
watched, store = f"{work}/w", f"{work}/db"


class Manager(threading.Thread):
    """What the service manager hears, all the time."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.path = f"{work}/{name}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.states = []
        self.signs = 0
        self.start()

    def run(self):
        while True:
            text = self.socket.recv(4096).decode()
            if text == "WATCHDOG=1":
                self.signs += 1
            else:
                self.states.append(text)

    def heard(self, word, after=0):
        return wait_until(lambda: any(word in s for s in self.states[after:]))


def configure(text):
    with open(f"{etc}/culprit.conf.new", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nstore = {store}\n{text}")
    os.rename(f"{etc}/culprit.conf.new", f"{etc}/culprit.conf")


def daemon(manager, err, watchdog=True, journal=False):
    environment = dict(os.environ, NOTIFY_SOCKET=manager.path)
    if watchdog:
        environment["WATCHDOG_USEC"] = "400000"
    stderr = open(err, "w", encoding="utf-8")
    if journal:
        stat = os.fstat(stderr.fileno())
        environment["JOURNAL_STREAM"] = f"{stat.st_dev}:{stat.st_ino}"
    started.append(subprocess.Popen([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], env=environment,
                                    stdin=subprocess.DEVNULL, stderr=stderr))
    return started[-1]


def said(err):
    return open(err, encoding="utf-8").read()


def reported(path, *options):
    """(operation, path, key) of each event at or below it."""
    out = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", *options, path], capture_output=True, text=True,
                         check=False, timeout=SECONDS).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    return [(e["event"]["action"], e["file"]["path"], e.get("rule", {}).get("name")) for e in lines if e["event"]["kind"] == "event"]


def reload(process, manager):
    """Its states from the signal to READY=1."""
    before = len(manager.states)
    process.send_signal(signal.SIGHUP)
    manager.heard("READY=1\n", before)
    return manager.states[before:]


def begins(manager, err):
    configure(f"watch outer {{ targets = {watched} }}\nwatch inner {{ targets = {watched}/in }}\n"
              f"watch later {{ targets = {work}/later/dir }}\n")
    process = daemon(manager, err)
    check("it is ready, and says how many are watched", manager.heard("READY=1\nSTATUS=3 targets are watched"), manager.states, said(err))
    touch(f"{watched}/first")
    touch(f"{watched}/in/first")
    check("what is done then is recorded", wait_until(lambda: ("create", f"{watched}/first", "outer") in reported(watched)), reported(watched))
    check("of two watches the nearer one's key marks it", [t[2] for t in reported(f"{watched}/in", "--op", "create")] == ["inner"],
          reported(f"{watched}/in"))
    check("it gives signs of life", wait_until(lambda: manager.signs >= 3), manager.signs)
    second = subprocess.run([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], capture_output=True, text=True, check=False,
                            timeout=SECONDS)
    check("a second one is refused, and says whose turn it is", second.returncode == 3 and
          f"another culprit daemon runs (pid {process.pid})" in second.stderr, second.returncode, second.stderr)
    return process


def stays_with_a_mistake(process, manager, err):
    configure("wtach x { targets = /tmp }\n")
    states = reload(process, manager)
    check("a reload begins and ends", len(states) == 2 and states[0].startswith("RELOADING=1\nMONOTONIC_USEC="), states)
    check("a mistake is said to the manager", "has mistakes" in states[-1], states)
    check("and to people, with its line", f'{etc}/culprit.conf:4: no key "wtach"; did you mean watch?' in said(err), said(err))
    checked = subprocess.run([CULPRIT, "daemon", "--config", etc, "--check-config"], capture_output=True, text=True, check=False)
    check("--check-config says the same, with status 2", checked.returncode == 2 and ":4: no key" in checked.stderr, checked)
    touch(f"{watched}/after")
    check("what was watched is watched still", wait_until(lambda: ("create", f"{watched}/after", "outer") in reported(watched)), reported(watched))


class Storm(threading.Thread):
    """A file after the other, some hundred a second."""

    def __init__(self):
        super().__init__()
        self.count, self.stop = 0, False

    def run(self):
        while not self.stop:
            touch(f"{watched}/in/s{self.count}")
            self.count += 1
            time.sleep(0.002)


def exchanges(process, manager, err):
    outer, inner = f"watch outer {{ targets = {watched} }}\n", f"watch inner {{ targets = {watched}/in }}\n"
    attributes = f"watch all {{ targets = {work} permissions = wa }}\n"
    storm = Storm()
    storm.start()
    try:
        for text in (inner, outer + inner, inner, attributes + inner, outer):
            configure(text)
            states = reload(process, manager)
            check("a reload while changes are made: " + text.split()[1], "mistakes" not in states[-1], states, said(err))
    finally:
        storm.stop = True
        storm.join()
    touch(f"{watched}/in/last")
    wait_until(lambda: any(t[1].endswith("/in/last") for t in reported(f"{watched}/in/last")))
    seen = {}
    for _, path, _ in reported(f"{watched}/in", "--op", "create"):
        seen[path] = seen.get(path, 0) + 1
    lost = [n for n in range(storm.count) if f"{watched}/in/s{n}" not in seen]
    twice = [path for path, n in seen.items() if n > 1]
    check(f"each of {storm.count} changes is reported", not lost, len(lost), lost[:20])
    check("none is reported twice", not twice, len(twice), twice[:20])


def waits_for_what_comes(process, manager):
    configure(f"watch outer {{ targets = {watched} }}\nwatch later {{ targets = {work}/later/dir }}\n")
    reload(process, manager)
    os.makedirs(f"{work}/later/dir")
    touch(f"{work}/later/dir/f")
    check("a target that comes later is watched from its making on",
          wait_until(lambda: any(t[1] == f"{work}/later/dir" for t in reported(f"{work}/later/dir"))), reported(f"{work}/later"))
    shutil.rmtree(f"{work}/later")
    os.makedirs(f"{work}/later/dir")

    def again():
        touch(f"{work}/later/dir/g{time.time()}")
        return any(t[0] == "create" and "/g" in t[1] for t in reported(f"{work}/later/dir"))
    check("and again when it went and came back", wait_until(again), reported(f"{work}/later/dir"))


def follow(name):
    process = None
    with open(f"{work}/{name}", "w", encoding="utf-8") as out:
        process = subprocess.Popen([CULPRIT, "who", "--store", store, "--format", "json", "--op", "create", "--follow", watched], stdout=out,
                                   stdin=subprocess.DEVNULL)
    started.append(process)
    return process


def lines_of(name):
    with open(f"{work}/{name}", encoding="utf-8") as f:
        return [json.loads(line) for line in f.read().splitlines(True) if line.endswith("\n")]  # the last one may be half written


def gaps_of(name):
    return [e for e in lines_of(name) if "gap" in e.get("culprit", {})]


def follows():
    def lines():
        return lines_of("followed")

    def made(name):  # a gap is a line as well: on a busy machine names of processes may be missing
        return [e for e in lines() if e["event"]["kind"] == "event" and e["event"]["action"] == "create" and e["file"]["path"] == f"{watched}/{name}"]
    touch(f"{watched}/answered")
    check("what is asked for is recorded", wait_until(lambda: ("create", f"{watched}/answered", "outer") in reported(watched)), reported(watched))
    process = follow("followed")
    check("who --follow answers first", wait_until(lambda: made("answered") and lines()[-1]["event"]["kind"] == "alert"), lines()[-3:])
    for name in ("followed1", "followed2"):
        touch(f"{watched}/{name}")
        check("and goes on with what comes: " + name, wait_until(lambda n=name: made(n)), lines()[-3:])
    process.send_signal(signal.SIGINT)
    process.wait(SECONDS)
    lossy = gaps_of("followed")
    # not 4 where only names of processes may be missing
    check("a signal ends it, and the status says whether something was lost", process.returncode == 0 or process.returncode == 4 and lossy,
          process.returncode, lossy[:3])
    check("each is reported once", [len(made(n)) for n in ("answered", "followed1", "followed2")] == [1, 1, 1], lines()[-5:])


def one_of_very_many(process, manager):
    """What no event says is found by looking, also where each of very many has its turn now and then."""
    many, place = f"{work}/many", f"{work}/held/dir"
    for i in range(100):
        os.makedirs(f"{many}/{i}")
    os.makedirs(place)
    configure("".join(f"watch many{i} {{ targets = {many}/{i} }}\n" for i in range(100))
              + f"watch outer {{ targets = {watched} }}\nwatch held {{ targets = {place} }}\n")
    reload(process, manager)
    touch(f"{place}/before")
    check("of very many watches each reports", wait_until(lambda: ("create", f"{place}/before", "held") in reported(place)), reported(place))
    holder = os.open(f"{work}/held", os.O_RDONLY)  # its end is not reported while somebody has it open
    shutil.rmtree(f"{work}/held")
    os.makedirs(place)

    def again():
        touch(f"{place}/g{time.time()}")
        return any("/g" in t[1] for t in reported(place))
    check("one that went without an event is watched again", wait_until(again), reported(place))
    os.close(holder)


def ends(process, manager, err):
    before = len(manager.states)
    touch(f"{watched}/at-the-end")
    process.send_signal(signal.SIGTERM)
    check("SIGTERM ends it", process.wait(SECONDS) == 0, process.returncode, said(err))
    check("which it says", manager.heard("STOPPING=1", before), manager.states)
    check("what was done right before is recorded", ("create", f"{watched}/at-the-end", "outer") in reported(watched))


def one_that_was_killed(manager):
    err = f"{work}/err.killed"
    configure(f"watch outer {{ targets = {watched} }}\n")
    first = daemon(manager, err, watchdog=False, journal=True)
    before = 0
    check("it begins again", manager.heard("READY=1", before), said(err))
    check("the journal has the priority of each line", said(err).startswith("<6>culprit: ready "), said(err))
    touch(f"{watched}/before")
    wait_until(lambda: any(t[1].endswith("/before") for t in reported(watched)))
    follower = follow("over-a-kill")
    wait_until(lambda: any(e["event"]["kind"] == "alert" for e in lines_of("over-a-kill")))
    known = len(gaps_of("over-a-kill"))
    first.kill()
    first.wait()
    before = len(manager.states)
    second = daemon(manager, err, watchdog=False)
    check("a killed one holds no lock", manager.heard("READY=1", before), said(err))
    touch(f"{watched}/then")
    check("and the next one records", wait_until(lambda: any(t[1].endswith("/then") for t in reported(watched))), reported(watched))
    check("who follows over that, and shows the gap", wait_until(lambda: len(gaps_of("over-a-kill")) > known), lines_of("over-a-kill")[-3:])
    follower.send_signal(signal.SIGINT)
    check("its status says so", follower.wait(SECONDS) == 4, follower.returncode)
    second.send_signal(signal.SIGINT)
    check("SIGINT ends it as well", second.wait(SECONDS) == 0, second.returncode, said(err))


def main():
    os.makedirs(etc)
    os.makedirs(run)
    os.makedirs(f"{watched}/in")
    manager, err = Manager("notify"), f"{work}/err"
    try:
        process = begins(manager, err)
        stays_with_a_mistake(process, manager, err)
        exchanges(process, manager, err)
        waits_for_what_comes(process, manager)
        follows()
        one_of_very_many(process, manager)
        ends(process, manager, err)
        one_that_was_killed(Manager("notify2"))
    finally:
        shared.clear()
    return shared.result()


sys.exit(main())
