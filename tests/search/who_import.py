#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""who_import.py CULPRIT: `who --from` and `import` on logs of every shape, also damaged ones.

Never a crash (run it with the sanitized build too), never silence: an answer, or one line that says why not.
Ends with "N passed, N failed".
"""
import gzip
import json
import lzma
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import logs  # noqa: E402
from runner import run_all, test  # noqa: E402

CULPRIT = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix="culprit-who.")
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "DOCKER_HOST": "unix:///nonexistent"}


def run(*argv, data=None):
    p = subprocess.run([CULPRIT, *argv], input=data, stdin=subprocess.DEVNULL if data is None else None, capture_output=True,
                       env=ENVIRONMENT, timeout=2400, cwd=DIR)
    err = p.stderr.decode("utf-8", "replace")
    assert p.returncode in (0, 1, 2, 3, 4) and "ERROR: " not in err and "runtime error" not in err, (argv, p.returncode, err[-1500:])
    return p.returncode, p.stdout.decode("utf-8", "replace"), err


def put(name, data):
    path = os.path.join(DIR, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode("latin-1"))
    return path


def text(seed, count=400, **options):
    return "\n".join(logs.ordinary(seed, count, **options)) + "\n"


def events(*argv, data=None):
    code, out, err = run("who", "--format", "json", *argv, data=data)
    lines = [json.loads(line) for line in out.splitlines()]
    return [line for line in lines if line["event"]["kind"] == "event"]


def reported(store):
    """What a store reports, but for the order within one run."""
    answers = events("--store", store, "/")
    for e in answers:
        del e["event"]["sequence"]
    return sorted(answers, key=lambda e: e["event"]["id"])


@test
def every_coding_and_a_pipe_say_the_same():
    plain = text(1).encode("latin-1")
    put("a.log", plain)
    put("a.gz", gzip.compress(plain))
    put("a.xz", lzma.compress(plain))
    wanted = events("--from", "a.log", "/")
    assert len(wanted) > 50
    assert events("--from", "a.gz", "/") == wanted
    assert events("--from", "a.xz", "/") == wanted
    once = events("--from", "-", "/", data=plain)  # read once: fewer directories are known
    assert {e["event"]["id"] for e in once} <= {e["event"]["id"] for e in wanted} and len(once) > len(wanted) // 2


@test
def people_get_a_verdict():
    put("a.log", text(1))
    for target in ("/", "/prd", "/prd/bin/tool", "/srv/w/new1", "/nowhere"):
        code, out, err = run("who", "--from", "a.log", target)
        assert code in (0, 1, 4) and out, (target, code, err)
        assert ("VERDICT" in out) == (code != 1), out
    assert "coverage" in run("who", "--from", "a.log", "/")[1]


@test
def who_logged_in_is_named():
    """An enriched log says who was behind root: by name, in the sentence and in JSON."""
    sys_call = ('type=SYSCALL msg=audit(1795480001.100:102): arch=c000003e syscall=87 success=yes exit=0 a0=7ffd a1=1 a2=2 a3=18 items=2 '
                'ppid=100 pid=200 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm="python3" '
                'exe="/usr/bin/python3.11" key="del"\x1dARCH=x86_64 SYSCALL=unlink AUID="ann" UID="root" GID="root" EUID="root"\n')
    path = ('type=PATH msg=audit(1795480001.100:102): item=%d name="%s" inode=%d dev=fd:00 mode=%s ouid=0 ogid=0 rdev=00:00 nametype=%s\n')
    log = put("login.log", sys_call + 'type=CWD msg=audit(1795480001.100:102): cwd="/"\n' + path % (0, "/srv/app/", 5000, "040755", "PARENT")
              + path % (1, "/srv/app/conf", 5002, "0100600", "DELETE"))
    text = run("who", "--from", log, "/srv/app/conf")[1]
    assert text.startswith("VERDICT  ann, as root, at pts/0, deleted /srv/app/conf"), text
    assert "  person    ann, as root, at pts/0 (login uid 1000)\n" in text, text
    reported = [json.loads(line) for line in run("who", "--format", "json", "--from", log, "/srv/app/conf")[1].splitlines()]
    assert all(j["culprit"]["login"]["user"] == {"id": "1000", "name": "ann"} for j in reported), reported
    assert reported[0]["culprit"]["person"] == {"id": "1000", "name": "ann", "as": {"id": "0", "name": "root"}, "terminal": "pts/0"}, reported
    assert reported[0]["user"] == {"id": "1000", "name": "ann", "effective": {"id": "0", "name": "root"}}


@test
def several_logs_and_options():
    put("d/audit.log", text(3))
    put("d/audit.log.1", text(4, start=1795400000))
    put("d/audit.log.2.gz", gzip.compress(text(5, start=1795300000).encode("latin-1")))
    assert len(events("--from", "d", "/")) > len(events("--from", "d/audit.log", "/"))
    assert len(events("--from", "d/audit.log", "d/audit.log.1", "d/audit.log.2.gz", "/")) == len(events("--from", "d", "/"))
    only = events("--from", "d", "--op", "unlink,chmod", "/")
    assert only and {e["event"]["action"] for e in only} <= {"unlink", "chmod"}
    late = events("--from", "d", "--since", "2026-11-23T20:00:00Z", "/")
    assert 0 < len(late) < len(events("--from", "d", "/"))


@test
def damaged_logs_are_counted():
    packed = gzip.compress(text(1).encode("latin-1"))
    put("cut.gz", packed[: len(packed) // 2])
    code, out, err = run("who", "--from", "cut.gz", "/")
    assert code == 4 and "ends too early" in err and "may be incomplete" in out, (code, err)
    put("hostile.log", "\n".join(logs.hostile(7, 600)) + "\n")
    code, out, err = run("who", "--from", "hostile.log", "/")
    assert code == 4 and "damaged record" in err
    put("binary", os.urandom(5000))
    code, out, err = run("who", "--from", "binary", "/")
    assert code == 2 and "binary: no audit log" in err and not out, (code, out, err)
    code, out, err = run("who", "--from", "-", "/", data=b"\0" * 30000000)
    assert code == 2 and "standard input: no audit log" in err and not out, (code, out, err)
    put("long", b"type=PATH msg=audit(1.000:1): name=" + b"41" * 3000000 + b"\n" + text(1).encode("latin-1"))
    code, out, err = run("who", "--from", "long", "/")
    assert code == 4 and "1 damaged record skipped" in err
    put("empty", b"")
    assert run("who", "--from", "empty", "/")[0] == 1


@test
def what_cannot_be_asked_is_said():
    put("a.log", text(1))
    os.makedirs(os.path.join(DIR, "nothing"), exist_ok=True)
    for argv, word in ((["--from", "nothing", "/"], "audit.log"), (["--from", "missing", "/"], "No such file"),
                       (["--from", "a.log", "no-such-container:/prd"], "give the host's path"), (["--from", "a.log"], "which file")):
        code, out, err = run("who", *argv)
        assert code == 2 and word in err and err.count("\n") == 1, (argv, code, err)


@test
def importing_twice_adds_nothing():
    put("a.log", text(1))
    code, first, _ = run("import", "--store", "s.db", "a.log")
    assert code == 0 and " 0 of them new" not in first
    code, again, err = run("import", "--store", "s.db", "a.log")
    assert code == 0 and again.startswith("0 records") and "imported before" in err
    code, piped, _ = run("import", "--store", "s.db", "-", data=text(1).encode("latin-1"))
    assert code == 0 and " 0 of them new" in piped
    assert run("who", "--store", "s.db", "/")[1].count("VERDICT") == run("who", "--from", "a.log", "/")[1].count("VERDICT")
    os.rename(os.path.join(DIR, "a.log"), os.path.join(DIR, "b.log"))
    assert run("import", "--store", "s.db", "b.log")[1].startswith("0 records")
    for argv, word in ((["--store", "b.log", "b.log"], "not a culprit store"), (["--store", "s.db", "missing"], "No such file"),
                       (["--bogus", "b.log"], "unknown option")):
        code, out, err = run("import", *argv)
        assert code and word in err, (argv, code, err)


@test
def an_interrupted_import_goes_on():
    with open(put("big.log", b""), "w", encoding="latin-1") as f:
        for i in range(25):
            f.write("\n".join(logs.ordinary(100 + i, 4000, start=1795480000 + i * 50000)) + "\n")
    whole = run("import", "--store", "whole.db", "big.log")[1]
    for stop in (signal.SIGINT, signal.SIGKILL):
        for i in range(30):
            p = subprocess.Popen([CULPRIT, "import", "--store", "part.db", "big.log"], cwd=DIR, env=ENVIRONMENT,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(0.15 * (i + 1))
            p.send_signal(stop)
            out, err = p.communicate(timeout=2400)
            if p.returncode == 0:
                break
            # a slow machine may not have begun it: then a signal ends it without a word
            assert p.returncode in ((4, -signal.SIGINT) if stop == signal.SIGINT else (-signal.SIGKILL,)), (p.returncode, err)
            assert p.returncode != 4 or b"import the same logs again" in err
        assert run("import", "--store", "part.db", "big.log")[0] == 0
        part, all_of_it = reported("part.db"), reported("whole.db")
        assert part == all_of_it, next((a, b) for a, b in zip(part, all_of_it) if a != b) if len(part) == len(all_of_it) else (len(part), whole)
        os.unlink(os.path.join(DIR, "part.db"))


@test
def going_on_in_the_middle_of_an_event():
    """Where another reading came to may lie between the records of an event: it is reported as by one reading."""
    lines = text(7, 1500).encode("latin-1").splitlines(keepends=True)
    put("middle.log", b"".join(lines))
    run("import", "--store", "middle.db", "middle.log")
    whole = {e["event"]["id"]: e for e in reported("middle.db")}
    serial = [line.split(b"audit(", 1)[1].split(b")", 1)[0] if b"audit(" in line else None for line in lines]
    offsets, at = [], 0
    for i, line in enumerate(lines):
        if i and serial[i] and serial[i] == serial[i - 1] and lines[i - 1].startswith(b"type=SYSCALL"):
            offsets.append(at)
        at += len(line)
    assert len(offsets) > 100
    for offset in offsets[50:len(offsets) // 2:25]:
        with sqlite3.connect(os.path.join(DIR, "middle.db")) as db:
            db.execute("DELETE FROM event")
            db.execute("DELETE FROM rollup")
            db.execute("UPDATE imported SET offset = ?, complete = 0, tail = ?",
                       (offset, b"".join(lines)[max(0, offset - 256):offset]))
        assert run("import", "--store", "middle.db", "middle.log")[0] == 0
        behind = reported("middle.db")
        assert len(behind) > 20
        for e in behind:
            assert e == whole[e["event"]["id"]], (offset, e, whole[e["event"]["id"]])


sys.exit(run_all(DIR, 1500))
