#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""diff.py CULPRIT: what differs from the image and by whom; names in a container's own world; containers
that try to harm whoever watches them. Ends with "N passed, N failed"."""
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lib.engine import Docker

CULPRIT = sys.argv[1]
failures = []
passed = 0


def check(what, condition, detail=""):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(f"{what}: {detail}")
        print(f"   WRONG {what}: {detail}", flush=True)


class Watch:
    """culprit watch --format FMT over targets, in the background."""

    def __init__(self, work, *targets, form="json", options=()):
        sensor = os.environ.get("SENSOR", "auto")
        self.out, self.err = open(work + "/out", "w+b"), open(work + "/err", "w+b")
        self.process = subprocess.Popen(
            [CULPRIT, "watch", "--format", form, "--store", work + "/s.db", "--sensor", sensor, *options, *targets],
            stdout=self.out, stderr=self.err)
        for _ in range(24000):
            if b"culprit: ready" in self.read(self.err):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError("not ready: " + self.read(self.err).decode(errors="replace"))

    @staticmethod
    def read(f):
        with open(f.name, "rb") as g:
            return g.read()

    def rss(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))

    def wait_for(self, word, seconds=60):
        for _ in range(seconds * 100):
            if word in self.read(self.out):
                return True
            time.sleep(0.01)
        return False

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            check("culprit ends", False, "it hangs")
        return self.read(self.out)


def events(raw):
    return [e for e in map(json.loads, raw.decode("utf-8").splitlines()) if e["event"]["kind"] == "event"]


def culprit(*arguments):
    r = subprocess.run([CULPRIT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
    return r.returncode, r.stdout, r.stderr.decode(errors="replace")


def differences(*arguments):
    code, out, err = culprit("diff", "--format", "json", *arguments)
    lines = [json.loads(l) for l in out.decode("utf-8").splitlines()]
    return code, [l for l in lines if l["event"]["kind"] == "state"], lines[-1] if lines else {}, err


def reported(lines):
    return {(l["culprit"]["difference"]["kind"], l["file"]["path"]):
            l.get("process", {}).get("name", l["culprit"]["difference"].get("reason")) for l in lines}


def damaged(docker, work):
    """The damage is done before, while, and after somebody watches; then the container goes."""
    docker.run("dweb", "-v", "data:/prd/vol")
    store = ["--store", work + "/s.db"]
    code, lines, _, err = differences(*store, "dweb")
    check("diff: a fresh container does not differ", code == 1 and not lines, (code, lines, err))
    docker("exec", "dweb", "sh", "-c", "echo x > /prd/before")
    time.sleep(0.1)
    watch = Watch(work, "dweb:/prd")
    pid = docker.pid("dweb")
    docker("exec", "dweb", "sh", "-c", "rm /prd/lower; chmod 700 /prd/lower2; chown im /prd/lower2; echo t > /prd/t; rm /prd/t")
    subprocess.run(["rm", "-r", f"/proc/{pid}/root/prd/sub"], check=True)
    subprocess.run(["sh", "-c", f"cd /proc/{pid}/root/prd; echo n > new; mv new renamed; echo v > vol/v"], check=True)
    time.sleep(0.5)
    watch.stop()
    docker("exec", "dweb", "sh", "-c", "echo later > /prd/lower2")
    want = {("added", "/prd/before"): "before we watched", ("missing", "/prd/lower"): "busybox",
            ("mode", "/prd/lower2"): "busybox", ("owner", "/prd/lower2"): "busybox",
            ("content", "/prd/lower2"): "not recorded", ("missing", "/prd/sub"): "rm",
            ("missing", "/prd/sub/deep"): "rm", ("added", "/prd/renamed"): "mv", ("added", "/prd/vol/v"): "sh"}
    got = {}
    for state in ("running", "stopped"):
        if state == "stopped":
            docker("stop", "-t", "1", "dweb")
        code, lines, end, err = differences(*store, "dweb")
        got = reported(lines)
        got[("added", "/prd/vol/v")] = "sh" if got.get(("added", "/prd/vol/v")) in ("sh", "dash", "bash") else "?"
        check(f"diff: {state}: each difference and its culprit", code == 0 and got == want, (code, got, err))
        check(f"diff: {state}: counts", end["culprit"]["differences"]["count"] == len(want), end)
        check(f"diff: {state}: names of the container", any(l["culprit"]["difference"]["after"].get("owner") == "im"
              for l in lines if l["culprit"]["difference"]["kind"] == "owner"), lines)
    deleted = next(l for l in lines if l["file"]["path"] == "/prd/sub/deep")
    check("diff: the culprit's origin, the victim, the hash", deleted["culprit"]["origin"] == "host" and
          deleted["culprit"]["victim"]["container"]["name"] == "dweb" and
          len(deleted["file"]["hash"]["sha256"]) == 64 and deleted["event"]["action"] == "unlink", deleted)
    code, lines, _, err = differences(*store, "dweb", "/prd/sub")
    check("diff: of one path", code == 0 and len(lines) == 2, (code, reported(lines), err))
    code, out, err = culprit("diff", *store, "dweb")
    check("diff: text", code == 0 and b"DIFF  dweb:/ differs from its image shop:1.4" in out and b"before we watched" in out, out)
    code, lines, _, err = differences(*store, "--since", "-1h", "dweb:/prd")
    moments = {k: v for k, v in reported(lines).items() if k[1] != "/prd/vol/v"}
    check("diff: two moments, from the record", code == 0 and moments ==
          {k: v for k, v in want.items() if v in ("busybox", "rm", "mv")}, (code, moments, err))
    docker("rm", "-f", "dweb")
    code, _, err = culprit("diff", *store, "dweb")
    check("diff: removed: said", code == 3 and "--since" in err and err.count("\n") == 1, (code, err))
    code, lines, _, err = differences(*store, "--since", "-1h", "dweb", "/prd/sub")
    check("diff: removed: the record is left", code == 0 and len(lines) == 2, (code, lines, err))
    code, lines, _, err = differences(*store, "--from", "-2h", "--to", "-1h", "dweb")
    check("diff: a time without changes", code == 1 and not lines, (code, lines, err))
    for arguments in (["/etc"], [], ["a", "b"], ["--since", "rubbish", "dweb"], ["--from", "-1h", "--to", "-2h", "dweb"]):
        code, _, err = culprit("diff", *arguments)
        check(f"diff {arguments}: wrong usage", code == 2 and err.count("\n") == 1, (code, err))


def read_late(docker, work):
    """Whoever watches comes to it late: what came first is still reported first, and the record is the right one."""
    docker.run("dweb")
    watch = Watch(work, "dweb:/prd")
    pid = docker.pid("dweb")
    watch.process.send_signal(signal.SIGSTOP)
    try:
        subprocess.run(["sh", "-c", f"cd /proc/{pid}/root/prd; echo n > new; mv new renamed; rm lower; echo y > sub/y; "
                                    "rm sub/y; echo z > lower"], check=True)
        time.sleep(0.05)
    finally:
        watch.process.send_signal(signal.SIGCONT)
    time.sleep(0.5)
    got = [e for e in events(watch.stop()) if e["event"]["action"] not in ("open-write", "utime")]
    # audit's stamp is that of the last timer tick, fanotify's of when it was read
    times = [datetime.datetime.fromisoformat(e["@timestamp"][:26] + "+00:00").timestamp() for e in got]
    check("late: in the order of their times", all(b > a - 0.02 for a, b in zip(times, times[1:])), [(e["event"]["action"], e["file"]["path"], e["@timestamp"]) for e in got])
    names = [(e["event"]["action"], e["file"]["path"]) for e in got if e["event"]["action"] != "write"]
    check("late: in the order in which they were done", names == [
        ("create", "/prd/new"), ("rename", "/prd/renamed"), ("unlink", "/prd/lower"), ("create", "/prd/sub/y"),
        ("unlink", "/prd/sub/y"), ("create", "/prd/lower")], names)
    code, lines, _, err = differences("--store", work + "/s.db", "--since", "-1h", "dweb:/prd")
    got = reported(lines)
    check("late: diff", code == 0 and got.get(("added", "/prd/renamed")) == "mv" and
          got.get(("content", "/prd/lower")) in ("sh", "dash", "bash") and len(got) == 2, (code, got, err))


def own_world(docker, work):
    """An image has its own packages."""
    docker.run("dweb", command=["/bin/sh", "-c", "mkdir -p /var/lib/dpkg/info; echo /bin/busybox > /var/lib/dpkg/info/tools.list; "
                               "printf 'Package: tools\\nVersion: 9.9\\n' > /var/lib/dpkg/status; while :; do sleep 1; done"])
    packages = f"/proc/{docker.pid('dweb')}/root/var/lib/dpkg/status"
    until = time.monotonic() + 60
    while not (os.path.exists(packages) and os.path.getsize(packages)) and time.monotonic() < until:
        time.sleep(0.05)
    watch = Watch(work, "dweb:/prd")
    docker("exec", "dweb", "sh", "-c", "rm /prd/lower; sleep 0.2; exec rm /prd/lower2")
    subprocess.run(["rm", f"/proc/{docker.pid('dweb')}/root/prd/sub/deep"], check=True)
    time.sleep(0.3)
    owners = {e["file"]["path"]: (e["culprit"].get("origin"), e["culprit"].get("owner", {}).get("package"))
              for e in events(watch.stop()) if e["event"]["action"] == "unlink"}
    host = owners.pop("/prd/sub/deep", (None, None))
    check("packages: of the container's image", owners in [
        {"/prd/lower": ("container", "tools"), "/prd/lower2": ("container", "tools")}], owners)
    check("packages: of the host", host == ("host", "coreutils"), host)


NAMES = ["esc\x1b[2J\x1b]0;owned\x07", "new\nculprit: ready", "quote'\"; DROP TABLE event; --", "<img src=x onerror=alert(1)>",
         "%s%n%n", "-rf", "back\\slash", "rtl\u202egnp.exe", "\udcff\udcfe", "a" * 255]


def injection(docker, work):
    """Names, labels and command lines are somebody else's bytes."""
    docker.run("dweb", "--label", "com.docker.compose.project=\x1b[31mred\n<b>", "--label",
               "com.docker.compose.service=\"},{\"x\":\"\x07", "--label", "io.kubernetes.pod.name=\x1b]0;t\x07")
    prd = f"/proc/{docker.pid('dweb')}/root/prd/"
    for name in NAMES:
        with open(os.fsencode(prd + name), "w", encoding="ascii"):
            pass
    for form in ("json", "text"):
        watch = Watch(work, "dweb:/prd", form=form)
        fake = subprocess.Popen(["bash", "-c", "exec -a $'\\e[2Jfake\\n' sleep 0.2"])
        for name in NAMES:
            target = os.fsencode(prd + name)
            os.rename(target, target[:-1] + b"2")
            os.rename(target[:-1] + b"2", target)
            if form == "text":
                os.unlink(target)
        fake.wait()
        time.sleep(0.4)
        raw = watch.stop()
        err = watch.read(watch.err)
        control = [b for b in raw + err if (b < 32 and b != 10) or b == 127]
        check(f"injection: {form}: no control character comes out", not control, control)
        check(f"injection: {form}: no second ready", err.count(b"culprit: ready") == 1, err)
        if form == "json":
            got = [e for e in events(raw) if e["event"]["action"] == "rename"]
            check("injection: every rename is reported, as JSON", len(got) >= 2 * len(NAMES), len(got))
            invalid = [e for e in got if "raw" in e["culprit"] and "fffe" in e["culprit"]["raw"].get("file.path", "")]
            check("injection: bytes that are no text are kept", len(invalid) >= 1, [e["file"] for e in got])
    for verb in (["who"], ["who", "--format", "json"], ["diff"], ["diff", "--format", "json"], ["diff", "--since", "-1h"]):
        code, out, err = culprit(*verb, "--store", work + "/s.db", "dweb:/prd")
        bad = [b for b in out + err.encode() if (b < 32 and b != 10) or b == 127]
        check(f"injection: {' '.join(verb)}", code in (0, 1) and not bad, (code, bad, err))
        if "json" in verb:
            check("injection: each line is JSON", all(json.loads(l) for l in out.decode().splitlines()))
    code, out, _ = culprit("who", "--store", work + "/s.db", "--op", "unlink", "dweb:/prd/" + NAMES[2])
    check("injection: asked for by the name itself", code == 0 and b"DROP TABLE" in out, (code, out))


def lured_out(docker, work):
    """The watched folder becomes a link to a folder of the host, at any time."""
    secret = work + "/secret"
    os.mkdir(secret)
    for i in range(3):
        with open(f"{secret}/s{i}", "w", encoding="ascii"):
            pass
    docker.run("dweb")
    watch = Watch(work, "dweb:/prd/sub")
    docker("exec", "dweb", "sh", "-c", f"rm -r /prd/sub; ln -s {secret} /prd/sub")
    time.sleep(1.5)
    os.unlink(secret + "/s0")
    docker("restart", "-t", "1", "dweb")
    time.sleep(0.5)
    os.unlink(secret + "/s1")
    got = [(e["event"]["action"], e["file"]["path"]) for e in events(watch.stop())]
    check("links: what was there is reported", ("unlink", "/prd/sub/deep") in got, got)
    check("links: the host's files are not the container's", not any("s0" in p or "s1" in p for _, p in got), got)
    for path in ("/prd/sub", "/prd"):
        code, lines, _, err = differences("--store", work + "/s.db", "dweb", path)
        check(f"links: diff {path} stays inside", code in (0, 1) and not any("/s2" in l["file"]["path"] for l in lines), (code, lines, err))
    check("links: the secret is untouched", os.listdir(secret) == ["s2"], os.listdir(secret))
    # the upper folder changed while the container is down
    upper = docker.inspect("dweb", "{{.GraphDriver.Data.UpperDir}}")
    docker("stop", "-t", "1", "dweb")
    shutil.rmtree(upper + "/prd")
    os.symlink(secret, upper + "/prd")
    code, lines, _, err = differences("--store", work + "/s.db", "dweb")
    check("links: a layer's link is a link", code == 0 and ("type", "/prd") in reported(lines) and
          not any("/s2" in l["file"]["path"] for l in lines), (code, reported(lines), err))


def unanswered(docker, work):
    """A file system below a volume never answers: the comparison ends with a word, and goes on once it is gone."""
    if not os.path.exists("/dev/fuse"):
        print("******** NOT RUN: a file system that never answers: no /dev/fuse")
        return
    docker.run("dhang", "-v", "hang:/prd/vol")
    volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "hang").stdout.decode().strip()
    os.mkdir(volume + "/sub")
    with open(volume + "/new", "wb") as f:
        f.write(b"x")
    fuse = subprocess.Popen([os.path.dirname(CULPRIT) + "/tests/actors/hangfuse", volume + "/sub", "silent"])
    try:
        until = time.monotonic() + 60
        while not os.path.ismount(volume + "/sub") and time.monotonic() < until:
            time.sleep(0.05)
        code, _, err = culprit("diff", "--store", work + "/s.db", "dhang")
        check("diff: a file system that never answers is said", code == 3 and "no answer in time" in err, (code, err))
    finally:
        fuse.terminate()
        fuse.wait()
    code, lines, _, err = differences("--store", work + "/s.db", "dhang")
    check("diff: without it all is reported", code == 0 and ("added", "/prd/vol/new") in reported(lines), (code, reported(lines), err))


def bad_passwd(docker, work):
    """Its /etc/passwd is no file, or none that ends."""
    makers = {"fifo": "rm /etc/passwd; busybox mkfifo /etc/passwd", "device": "rm /etc/passwd; busybox mknod /etc/passwd c 1 5",
              "link out": "rm /etc/passwd; ln -s ../../../../../../etc/passwd /etc/passwd; chown 65534 /etc",
              "huge": "busybox truncate -s 50G /etc/passwd", "loop": "rm /etc/passwd; ln -s passwd /etc/passwd",
              "long line": "busybox dd if=/dev/zero of=/etc/passwd bs=1M count=1"}
    for name, script in makers.items():
        docker.run("dweb")
        docker("exec", "dweb", "sh", "-c", script)
        watch = Watch(work, "dweb:/prd")
        # not by docker exec: the engine itself reads that file, and hangs
        enter = ["nsenter", "-t", str(docker.pid("dweb")), "-m", "/bin/busybox"]
        subprocess.run([*enter, "chown", "1000", "/prd/lower"], check=True, timeout=120)
        subprocess.run([*enter, "rm", "/prd/lower2"], check=True, timeout=120)
        ok = watch.wait_for(b"/prd/lower2")
        rss = watch.rss()
        got = [e for e in events(watch.stop()) if e["event"]["action"] == "chown"]
        check(f"passwd: {name}: reported, in bounds", ok and len(got) == 1 and rss < 60000, (ok, len(got), rss))
        check(f"passwd: {name}: no name of the host's", got and "owner" not in got[0]["culprit"]["after"], got[:1])


def churn(docker, work):
    """Containers that live for a moment, all in one volume: who was it?"""
    count = int(os.environ.get("CHURN", "40"))
    docker("volume", "create", "shared")
    docker.run("dweb", "-v", "shared:/prd/vol")
    docker("exec", "dweb", "sh", "-c", f"i=0; while [ $i -lt {count} ]; do echo > /prd/vol/f$i; i=$((i+1)); done")
    watch = Watch(work, "dweb:/prd/vol")
    before, half, running = watch.rss(), 0, []
    for i in range(count):
        running.append(subprocess.Popen(["docker", "run", "--rm", "--name", f"short{i}", "--network", "none", "-v", "shared:/v",
                                         "shop:1.4", "rm", f"/v/f{i}"], env=docker.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        if len(running) >= 4:
            running.pop(0).wait()
        if i == count // 2:
            half = watch.rss()
    for r in running:
        r.wait()
    time.sleep(1)
    rss = watch.rss()
    got = {e["file"]["name"]: e for e in events(watch.stop()) if e["event"]["action"] == "unlink"}
    check("churn: every deletion is reported", len(got) == count, len(got))
    named = [n for n, e in got.items() if e.get("container", {}).get("name") == "short" + n[1:]]
    known = [n for n, e in got.items() if e["culprit"].get("origin") == "container"]
    wrong = [(n, e.get("container", {}).get("name")) for n, e in got.items()
             if e["culprit"].get("origin") == "host" or e.get("container", {}).get("name", "short" + n[1:]) != "short" + n[1:]]
    print(f"   churn: {count} containers, {len(known)} known to be containers, {len(named)} named; "
          f"{before} kB at first, {half} kB half way, {rss} kB at the end")
    check("churn: nobody is named wrongly", not wrong, wrong)
    check("churn: 95 % are named", len(named) >= 0.95 * count, (len(named), len(known), count))
    # what a sensor needs from the start is bench/'s business; here it must not grow with the containers
    check("churn: memory", rss - half < 8192 and rss - before < 20480, (before, half, rss))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave nothing behind
    docker = Docker()
    try:
        for play in (damaged, read_late, own_world, injection, lured_out, unanswered, bad_passwd, churn):
            work = tempfile.mkdtemp(prefix="culprit-diff.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
            print(f"== {play.__name__}", flush=True)
            try:
                play(docker, work)
            except Exception as reason:  # pylint: disable=broad-except
                check(play.__name__, False, f"{type(reason).__name__}: {reason}")
            finally:
                docker.clear()
                shutil.rmtree(work, ignore_errors=True)
    finally:
        docker.stop()
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
