# SPDX-License-Identifier: MIT
"""attach.py CULPRIT: `watch` and `run` beside a daemon: it observes for them, and what they print is what they print alone; members
of its group; many at once; one that does not read; a daemon that is restarted. The last line is "N passed, N failed"."""
import json
import os
import signal
import subprocess
import sys

from lib.daemon_test import CULPRIT, DaemonTest, touch

SECONDS = 180
VIEWERS = 64
LONG = "n" * 230
shared = DaemonTest("attach", SECONDS)
work, etc, run, err, started = shared.work, shared.etc, shared.run, shared.err, shared.started
check, wait_until = shared.check, shared.wait_until
watched, other, store = (f"{work}/{name}" for name in ("w", "other", "db"))
written, WRITTEN_SIZES = f"{watched}/in/c", (0, 2)  # made and written to in one breath: each observer looks at it before or after that
control = f"{run}/control"


def read(path):
    return open(path, encoding="utf-8", errors="replace").read()


def daemon():
    stderr = open(err, "w", encoding="utf-8")
    process = subprocess.Popen([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], stdin=subprocess.DEVNULL, stderr=stderr)
    started.append(process)
    check("the daemon is ready", wait_until(lambda: "culprit: ready" in read(err)), read(err))
    return process


def ctl(*words):
    answer = subprocess.run([CULPRIT, "ctl", "--control", control, "--json", *words], capture_output=True, text=True, check=False,
                            timeout=SECONDS)
    return json.loads(answer.stdout) if answer.stdout else answer


class Viewer:
    """A `culprit watch`; its output is in files."""

    count = 0

    def __init__(self, *words, user=None):
        Viewer.count += 1
        self.out, self.err = f"{work}/out.{Viewer.count}", f"{work}/err.{Viewer.count}"
        more = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        with open(self.out, "w", encoding="utf-8") as out, open(self.err, "w", encoding="utf-8") as stderr:
            self.process = subprocess.Popen([CULPRIT, "watch", "--control", control, "--format", "json", *words],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=stderr, **more)
        started.append(self.process)

    def ready(self):
        return wait_until(lambda: "culprit: ready" in self.said() or self.process.poll() is not None) and "culprit: ready" in self.said()

    def said(self):
        return read(self.err)

    def lines(self):
        return [json.loads(line) for line in read(self.out).splitlines(True) if line.endswith("\n")]

    def events(self):
        return [e for e in self.lines() if e["event"]["kind"] == "event"]

    def has(self, path):
        return wait_until(lambda: f'"path":"{path}"' in read(self.out))

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


def act(viewers):
    """All that is compared: by several processes, also what carries the directory along. fanotify looks at attributes afterwards: each
    change is seen before the next one."""
    for i, line in enumerate((f": > {watched}/in/a", f"chmod 600 {watched}/in/a", f"mv {watched}/in/a {watched}/in/b",
                              f"sh -c 'echo x > {written}'", f"ln {watched}/in/b {watched}/in/d", f"mkdir {watched}/in/e",
                              f"rm -r {watched}/in/b {watched}/in/c {watched}/in/d {watched}/in/e", f": > {other}/f", f"rm {other}/f",
                              f"mv {other} {other}2", f"mv {other}2 {other}")):
        subprocess.run(["sh", "-c", line], check=True)
        touch(f"{watched}/in/seen{i}")
        for v in viewers:
            v.has(f"{watched}/in/seen{i}")


def without_start(value):
    """When a process began is reckoned from the clock of boots once in a run: some nanoseconds are another one's."""
    if isinstance(value, dict):
        return {k: without_start(v) for k, v in value.items() if k != "start"}
    return [without_start(v) for v in value] if isinstance(value, list) else value


def comparable(events):
    """Without what is another one's: id, order, who saw it."""
    kept = []
    for e in map(without_start, events):
        for name in ("id", "sequence"):
            e["event"].pop(name, None)
        e.pop("@timestamp")
        e["culprit"].pop("sensor", None)
        if (e["event"]["action"], e["file"]["path"]) == ("create", written) and e["file"].get("size") in WRITTEN_SIZES:
            e["file"]["size"] = "any of them"
        for p in e["culprit"].get("lineage", []):
            p.pop("exited", None)
        kept.append(json.dumps(e, sort_keys=True))
    return sorted(kept)


def flat(value, name=""):
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in flat(inner, f"{name}.{key}").items()}
    if isinstance(value, list):
        return {k: v for i, inner in enumerate(value) for k, v in flat(inner, f"{name}[{i}]").items()}
    return {name: value}


def differences(a, b):
    """Short: of events of one action and path the members that differ."""
    found = []
    a, b = ([flat(json.loads(e)) for e in side] for side in (a, b))
    for e in a:
        others = [o for o in b if (o[".event.action"], o[".file.path"]) == (e[".event.action"], e[".file.path"])]
        if not others:
            found.append(f"only by the daemon: {e['.event.action']} {e['.file.path']}")
        elif e not in others:
            o = others[0]
            found.append({k: (e.get(k), o.get(k)) for k in {*e, *o} if e.get(k) != o.get(k)})
    found += [f"only alone: {o['.event.action']} {o['.file.path']}" for o in b
              if not any((o[".event.action"], o[".file.path"]) == (e[".event.action"], e[".file.path"]) for e in a)]
    return found


def says_the_same():
    by_daemon = Viewer("-k", "mine", f"{watched}/in", other)
    check("watch attaches, and says so", by_daemon.ready() and f"by the daemon, pid {started[0].pid}" in by_daemon.said(), by_daemon.said())
    check("what it asks for beside the configuration is watched meanwhile",
          [w["source"] for w in ctl("watches")["watches"] if w["target"] == other] == ["viewer"], ctl("watches"))
    alone = Viewer("--no-daemon", "--sensor", "fanotify", "--no-store", "-k", "mine", f"{watched}/in", other)
    check("--no-daemon does not", alone.ready() and "by the daemon" not in alone.said(), alone.said())
    act((by_daemon, alone))
    touch(f"{other}/last")
    check("both see the last change", by_daemon.has(f"{other}/last") and alone.has(f"{other}/last"), by_daemon.lines(), alone.lines())
    touch(f"{watched}/not-asked-for")
    touch(f"{other}/last2")
    by_daemon.has(f"{other}/last2")
    statuses = by_daemon.end(), alone.end()
    check("both answer", statuses == (0, 0), statuses, by_daemon.said(), alone.said())
    a, b = comparable(by_daemon.events()), comparable(alone.events())
    check("each event is the same, with its process, lineage and cause", a == b, differences(a, b))
    check("what is not asked for is not reported", not any("not-asked-for" in e for e in a))
    verdicts = [[(v["event"]["kind"], v.get("message", "").split(" at ")[0]) for v in w.lines() if v["event"]["kind"] == "alert"]
                for w in (by_daemon, alone)]
    check("and the same verdicts", verdicts[0] == verdicts[1] and verdicts[0], verdicts)
    check("what was watched for it alone is given up", wait_until(lambda: other not in [w["target"] for w in ctl("watches")["watches"]]),
          ctl("watches"))
    recorded = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", other, f"{watched}/in"], capture_output=True,
                              text=True, check=False, timeout=SECONDS).stdout
    keys = {(e["file"]["path"], e["rule"]["name"]) for e in map(json.loads, recorded.splitlines()) if e["event"]["kind"] == "event"}
    check("its key is in the record where only it asked", (f"{other}/f", "mine") in keys, keys)
    check("and the configuration's where that did", (f"{watched}/in/a", "outer") in keys and (f"{watched}/in/a", "mine") not in keys, keys)


def runs_as_ever():
    def culprit(*words):
        return subprocess.run([CULPRIT, "run", "--control", control, *words], capture_output=True, text=True, check=False, timeout=SECONDS)
    r = culprit("-w", f"{watched}/in", "--settle", "0s", "--", "touch", f"{watched}/in/r")
    check("run attaches and names its command", r.returncode == 0 and "by the daemon" in r.stderr and "Your own command" in r.stdout, r)
    r = culprit("-w", f"{watched}/in", "--settle", "0s", "--", "true")
    check("nothing happened: 1", r.returncode == 1, r)
    r = culprit("-w", f"{watched}/in", "--settle", "0s", "--", "sh", "-c", "exit 7")
    check("its command's failure is its own", r.returncode == 7, r)
    r = culprit("-w", f"{watched}/in", "--settle", "0s", "--assert-unchanged", "--", "touch", f"{watched}/in/s")
    check("--assert-unchanged", r.returncode == 1, r)
    for settle in ("1s", "10s", "60s"):  # on a busy machine it may be later
        r = culprit("-w", f"{watched}/in", "--settle", settle, "--format", "json", "--", "sh", "-c", f"(sleep 0.3; touch {watched}/in/late) &")
        if f"{watched}/in/late" in r.stdout:
            break
        wait_until(lambda: os.path.exists(f"{watched}/in/late"))
        os.unlink(f"{watched}/in/late")
    check("late changes are waited for", f"{watched}/in/late" in r.stdout, r)


def lets_members_look():
    os.chmod(work, 0o755)
    before = os.stat(control)
    os.chown(control, -1, 65533)
    os.chmod(control, 0o660)
    member = Viewer(f"{watched}/in", user=(65534, 65533))
    check("a member of the group looks on", member.ready() and "by the daemon" in member.said(), member.said())
    touch(f"{watched}/in/member")
    check("and sees", member.has(f"{watched}/in/member"), member.lines())
    check("and gets a verdict", member.end() == 0, member.said())
    member = Viewer(other, user=(65534, 65533))
    check("what is not watched it may not have watched", member.process.wait(SECONDS) == 3 and "only root" in member.said(), member.said())
    stranger = Viewer(f"{watched}/in", user=(65534, 65534))
    check("a stranger may nothing", stranger.process.wait(SECONDS) == 3 and "by the daemon" not in stranger.said(), stranger.said())
    os.chown(control, -1, before.st_gid)


def serves_many():
    many = [Viewer("--follow", f"{watched}/in") for _ in range(VIEWERS)]
    check(f"{VIEWERS} viewers", all(v.ready() and "by the daemon" in v.said() for v in many), many[-1].said())
    check("are counted", ctl("status")["viewers"] == VIEWERS, ctl("status"))
    for i in range(50):
        touch(f"{watched}/in/many{i}")
    check("each sees the last of 50 changes", all(v.has(f"{watched}/in/many49") for v in many))
    ends = [v.end() for v in many]
    check("each answers", ends == [0] * VIEWERS, ends)
    counts = {len([e for e in v.events() if e["event"]["action"] == "create"]) for v in many}
    check("each saw each of them", counts == {50}, counts)
    check("none is left", wait_until(lambda: ctl("status")["viewers"] == 0), ctl("status"))


def waits_for_nobody():
    stopped, reading = Viewer(f"{watched}/in"), Viewer(f"{watched}/in")
    check("two look on", stopped.ready() and reading.ready())
    stopped.process.send_signal(signal.SIGSTOP)
    made = 0
    while not ctl("status")["lost"].get("viewer") and made < 200000:
        for _ in range(4000):
            touch(f"{watched}/in/s{made}.{LONG}")
            os.unlink(f"{watched}/in/s{made}.{LONG}")
            made += 1
        if made >= 24000:
            break
    touch(f"{watched}/in/after")
    check("who reads sees the end, though another one has stopped", reading.has(f"{watched}/in/after"))
    check("without a gap", reading.end() == 0 and not [e for e in reading.lines() if e["event"]["kind"] == "pipeline_error"], reading.said())
    stopped.process.send_signal(signal.SIGCONT)
    check("who stopped gets a gap of his own, and what comes then",
          wait_until(lambda: any(e["event"]["kind"] == "pipeline_error" for e in stopped.lines())), stopped.said(), len(stopped.lines()))
    touch(f"{watched}/in/then")
    check("and sees again", stopped.has(f"{watched}/in/then"))
    check("his status says that something is missing", stopped.end() == 4, stopped.said())
    gaps = [e for e in stopped.lines() if e["event"]["kind"] == "pipeline_error"]
    created = len([e for e in stopped.events() if e["event"]["action"] in ("create", "unlink") and LONG in e["file"]["path"]])
    lost = sum(e["culprit"]["gap"].get("lost", 0) for e in gaps)
    everything = len([e for e in reading.events() if LONG in e["file"]["path"]])
    check("seen and lost are all", len([e for e in stopped.events() if LONG in e["file"]["path"]]) + lost >= everything, created, lost, everything)
    check("the daemon counts it", ctl("status")["lost"].get("viewer", 0) > 0, ctl("status"))


def goes_on_after_a_restart():
    viewer = Viewer(f"{watched}/in")
    check("one looks on", viewer.ready())
    touch(f"{watched}/in/before")
    check("before", viewer.has(f"{watched}/in/before"))
    started[0].send_signal(signal.SIGTERM)
    started[0].wait(SECONDS)
    started[0] = daemon()
    del started[-1]
    check("he is attached again", wait_until(lambda: ctl("status")["viewers"] == 1), ctl("status"), viewer.said())
    touch(f"{watched}/in/afterwards")
    check("and sees", viewer.has(f"{watched}/in/afterwards"), viewer.said())
    check("the time between is a gap", viewer.end() == 4 and any(e["event"]["kind"] == "pipeline_error" for e in viewer.lines()), viewer.lines())


def main():
    os.makedirs(etc)
    os.makedirs(run)
    os.makedirs(f"{watched}/in")
    os.makedirs(other)
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nstore = {store}\nwatch outer {{ targets = {watched} }}\n")
    try:
        daemon()
        says_the_same()
        runs_as_ever()
        lets_members_look()
        serves_many()
        waits_for_nobody()
        goes_on_after_a_restart()
    finally:
        shared.clear()
    return shared.result()


sys.exit(main())
