#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""foreign.py CULPRIT: `who --from` on logs of other machines: architectures, old kernels, several nodes, lost and cut records.

A deletion that the log holds is reported; what the log does not say is not made up. Ends with "N passed, N failed".
"""
import datetime
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runner import run_all, test  # noqa: E402

CULPRIT = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix="culprit-foreign.")
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "DOCKER_HOST": "unix:///nonexistent"}
SECONDS = 1795480000


def run(*argv, data=None):
    p = subprocess.run([CULPRIT, *argv], input=data, stdin=subprocess.DEVNULL if data is None else None, capture_output=True,
                       env=ENVIRONMENT, timeout=2400, cwd=DIR)
    err = p.stderr.decode("utf-8", "replace")
    assert p.returncode in (0, 1, 2, 3, 4) and "ERROR: " not in err and "runtime error" not in err, (argv, p.returncode, err[-1500:])
    return p.returncode, p.stdout.decode("utf-8", "replace"), err


def put(name, lines):
    with open(os.path.join(DIR, name), "wb") as f:
        f.write(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode("latin-1"))
    return name


def answers(*argv, data=None):
    """The lines of JSON by their kind."""
    lines = [json.loads(line) for line in run("who", "--format", "json", *argv, data=data)[1].splitlines()]
    return [line for line in lines if line["event"]["kind"] == "event"], [line for line in lines if line["event"]["kind"] != "event"]


def path(item, name, inode, kind, mode="0100644", field="nametype"):
    name = "(null)" if name is None else '"%s"' % name
    end = " %s=%s" % (field, kind) if field else ""
    return "PATH", "item=%d name=%s inode=%d dev=fd:00 mode=%s ouid=0 ogid=0 rdev=00:00%s" % (item, name, inode, mode, end)


def call(arch, number, a=(1, 1, 1, 1), success="yes", code=0, items=2, pid=200, ppid=100, comm="rm", exe="/usr/bin/rm", key='"k"'):
    return "SYSCALL", ("arch=%s syscall=%d success=%s exit=%d a0=%x a1=%x a2=%x a3=%x items=%d ppid=%d pid=%d auid=1000 uid=0 gid=0 "
                       "euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm=\"%s\" exe=\"%s\" key=%s" %
                       ((arch, number, success, code) + tuple(a) + (items, ppid, pid, comm, exe, key)))


def event(records, serial=102, at=0, node=""):
    return ["%stype=%s msg=audit(%d.100:%d): %s" % ("node=%s " % node if node else "", kind, SECONDS + at, serial, body)
            for kind, body in records]


CWD = ("CWD", 'cwd="/"')
TITLE = ("PROCTITLE", "proctitle=726D002D66")


def deletion(head, field="nametype", title=True):
    records = [head, CWD, path(0, "/srv/share", 1, "PARENT", "040755", field), path(1, "/srv/share/f", 7, "DELETE", field=field)]
    return event(records + ([TITLE] if title else []))


# the numbers of unlink or unlinkat, from the kernel's tables of each architecture
ARCHES = {"aarch64": ("c00000b7", 35), "arm": ("40000028", 10), "armeb": ("28", 10), "i386": ("40000003", 10), "ppc": ("14", 10),
          "ppc64": ("80000015", 10), "ppc64le": ("c0000015", 10), "s390": ("16", 10), "s390x": ("80000016", 10),
          "riscv64": ("c00000f3", 35), "loongarch64": ("c0000102", 35), "x86_64": ("c000003e", 87)}


@test
def every_architecture_is_understood():
    for name, (arch, number) in ARCHES.items():
        put("arch.log", deletion(call(arch, number)))
        events, others = answers("--from", "arch.log", "/srv/share")
        assert [(e["event"]["action"], e["file"]["path"]) for e in events] == [("unlink", "/srv/share/f")], (name, events)
        assert events[0]["process"]["executable"] == "/usr/bin/rm", name
        assert "note" not in events[0]["culprit"], (name, events[0]["culprit"])


@test
def an_architecture_that_nobody_knows_is_reported_by_the_names():
    put("mips.log", deletion(call("80000008", 5085)))
    events, _ = answers("--from", "mips.log", "/srv/share")
    assert [e["event"]["action"] for e in events] == ["unlink"] and events[0]["process"]["pid"] == 200
    put("mips-refused.log", deletion(call("80000008", 5085, success="no", code=-13)))
    events, _ = answers("--from", "mips-refused.log", "/srv/share")
    assert events[0]["event"]["outcome"] == "failure" and events[0]["error"]["code"] == "EACCES", events


@test
def old_kernels_name_types_otherwise_or_not_at_all():
    unlink = call("c000003e", 87)
    for field in ("objtype", ""):
        put("old.log", deletion(unlink, field, title=field != ""))
        events, _ = answers("--from", "old.log", "/srv/share")
        assert [(e["event"]["action"], e["file"]["path"]) for e in events] == [("unlink", "/srv/share/f")], (field, events)
    code, out, _ = run("who", "--from", "old.log", "/srv/share")
    assert code == 0 and "missing" not in out, out

    def untyped(number, names, a=(1, 1, 1, 1), **options):
        paths = [path(i, n, inode, "", mode, "") for i, (n, inode, mode) in enumerate(names)]
        put("untyped.log", event([call("c000003e", number, a, items=len(names), **options), ("CWD", 'cwd="/srv/share"')] + paths))
        return [(e["event"]["action"], e["file"]["path"], e["culprit"].get("file", {}).get("previous_path"))
                for e in answers("--from", "untyped.log", "/srv")[0]]

    d, f = "040755", "0100644"
    rename = [("/srv/share", 1, d), ("/srv/share", 1, d), ("a", 2, f), ("b", 2, f)]
    assert untyped(82, rename) == [("rename", "/srv/share/b", "/srv/share/a")]
    over = [("/srv/share", 1, d), ("/srv/share", 1, d), ("a", 2, f), ("b", 3, f), ("b", 2, f)]
    assert sorted(x[0] for x in untyped(82, over)) == ["rename", "replace"]
    assert untyped(83, [("/srv/share", 1, d), ("new", 5, d)]) == [("mkdir", "/srv/share/new", None)]
    assert untyped(84, [("/srv/share", 1, d), ("old", 5, d)]) == [("rmdir", "/srv/share/old", None)]
    assert untyped(86, [("a", 2, f), ("/srv/share", 1, d), ("b", 2, f)]) == [("link", "/srv/share/b", None)]
    assert untyped(90, [("a", 2, f)], (1, 0o600, 0, 0)) == [("chmod", "/srv/share/a", None)]
    # only O_EXCL shows that the file was not there before
    assert untyped(2, [("/srv/share", 1, d), ("a", 2, f)], (1, 0o301, 0o644, 0)) == [("create", "/srv/share/a", None)]
    assert untyped(2, [("/srv/share", 1, d), ("a", 2, f)], (1, 0o101, 0o644, 0)) == [("open-write", "/srv/share/a", None)]


@test
def a_lost_system_call_is_no_silence():
    whole = deletion(call("c000003e", 87))
    put("lost.log", whole[1:])
    code, out, err = run("who", "--from", "lost.log", "/srv/share")
    assert code == 4 and "deleted /srv/share/f" in out and "nothing lost" not in out and "is not in it" in out, out
    events, _ = answers("--from", "lost.log", "/srv/share")
    assert "executable" not in events[0].get("process", {}) and "user" not in events[0].get("process", {}), events
    put("created.log", event([CWD, path(0, "/srv/share", 1, "PARENT", "040755"), path(1, "/srv/share/d", 7, "CREATE", "040755"), TITLE]))
    assert [e["event"]["action"] for e in answers("--from", "created.log", "/srv")[0]] == ["mkdir"]
    put("looked.log", event([CWD, path(0, "/srv/share/d", 7, "NORMAL"), TITLE]))
    assert answers("--from", "looked.log", "/srv")[0] == []


@test
def records_belong_together_however_far_apart_the_stamps():
    """A call that blocked has the stamp of when it began, and its records come among those of younger ones."""
    long = deletion(call("c000003e", 87, comm="slow", exe="/usr/bin/slow"))
    other = [event([call("c000003e", 90, (1, 0o600, 0, 0), items=1, pid=300 + i), CWD, path(0, "/srv/other", 9, "NORMAL"), TITLE], 103 + i, 60)
             for i in range(20)]
    for rest in (1, 2, 3, 4): # so many of its records come before those of others
        mixed = sum(([r, *(long[rest + i:rest + i + 1])] for i, r in enumerate(other[0])), long[:rest]) + long[rest + len(other[0]):]
        put("blocked.log", mixed + sum(other[1:], []))
        for at in (["/srv/share"], ["/srv"]):
            code, out, _ = run("who", "--from", "blocked.log", *at)
            assert code == 0 and "deleted /srv/share/f" in out and "/usr/bin/slow" in out and "nothing lost" in out and "missing" not in out, (rest, code, out)
    old = [line.replace("%d.100" % SECONDS, "%d.100" % (SECONDS - 300)) for line in long]
    put("older.log", other[0][:2] + old[:2] + other[0][2:3] + old[2:] + other[0][3:])
    code, out, _ = run("who", "--from", "older.log", "/srv")
    assert code == 0 and "deleted /srv/share/f" in out and "/usr/bin/slow" in out and "missing" not in out, (code, out)


@test
def what_the_log_does_not_have_is_not_nothing_lost():
    whole = [deletion(call("c000003e", 87), title=True)]
    whole.append(event([call("c000003e", 90, (1, 0o600, 0, 0), items=1), CWD, path(0, "/srv/other", 9, "NORMAL"), TITLE], 110))
    put("gap.log", sum(whole, []))
    code, out, _ = run("who", "--from", "gap.log", "/srv/share")
    assert code == 0 and "7 events are not in the log" in out and "nothing lost" not in out and "7 missing until" in out, out
    gap, verdict = answers("--from", "gap.log", "/srv/share")[1]
    assert gap["culprit"]["gap"]["missing"] == 7 and "host" not in gap, gap # nobody says whose log it is
    assert verdict["culprit"]["not_in_log"] == 7 and verdict["culprit"]["lost"] == 0, verdict
    assert "7 events are not in the log" in run("who", "--from", "gap.log", "/srv/none")[1]
    assert run("import", "--store", "gap.db", "gap.log")[0] == 0
    code, out, _ = run("who", "--store", "gap.db", "/srv/share")
    assert "7 events are not in the log" in out, out
    # one of which a record is missing is not whole
    put("half.log", whole[0] + whole[1][:2])
    code, out, _ = run("who", "--from", "half.log", "/srv/share")
    assert code == 4 and "deleted /srv/share/f" in out and "nothing lost" not in out and "records of 1 event are missing" in out, (code, out)


@test
def a_path_that_is_lost_in_the_midst_is_lost():
    """The title after it says only that the last record is there."""
    whole = [event([call("c000003e", 87), CWD, path(0, "/srv/share", 1, "PARENT", "040755"), path(1, "/srv/share/f%d" % i, 7, "DELETE"), TITLE], 100 + i, i)
             for i in range(3)]
    for at in ("/srv/share", "/srv/none"):
        for lost in (2, 3):
            put("hole.log", whole[0] + whole[1][:lost] + whole[1][lost + 1:] + whole[2])
            code, out, err = run("who", "--from", "hole.log", at)
            assert code == 4 and "1 lost" in out and "nothing lost" not in out + err, (at, lost, code, out, err)
        # ausearch prints the last record first, and nothing is lost by that
        for records in (whole, [e[:-1] for e in whole]):
            put("reverse.log", sum([e[::-1] for e in records], []))
            code, out, err = run("who", "--from", "reverse.log", at)
            assert code == (1 if at == "/srv/none" else 0) and "nothing lost" in out + err, (at, code, out, err)
    queue = event([call("c000003e", 240, items=1, comm="q", exe="/usr/bin/q"), ("MQ_OPEN", "oflag=0x2 mode=0600 mq_flags=0x0 mq_maxmsg=0 mq_msgsize=0 mq_curmsgs=0"), CWD, TITLE], 103, 9)
    put("queue.log", sum(whole, []) + queue)
    for at in ("/srv/share", "/"):
        assert "nothing lost" in run("who", "--from", "queue.log", at)[1]


@test
def numbers_out_of_order_are_all_there():
    """Processors write their events as they come; a broken stamp, and two machines without names, leave nothing out."""
    def numbered(*serials):
        return put("numbers.log", sum([deletion_of(serial, i) for i, serial in enumerate(serials)], []))

    def deletion_of(serial, at, node=""):
        return event([call("c000003e", 87), CWD, path(0, "/srv/share", 1, "PARENT", "040755"), path(1, "/srv/share/f%d" % serial, 7, "DELETE"), TITLE],
                     serial, at, node)

    for serials in ((100, 102, 101, 103, 105, 104), (100, 1 << 60, 101, 102), (100, 4000000000, 101, 102), (50000, 100, 50001, 101, 50002)):
        code, out, _ = run("who", "--from", numbered(*serials), "/srv/share")
        assert code == 0 and "nothing lost" in out and "missing" not in out, (serials, out)
    # what is missing is so at its time
    put("long-ago.log", deletion_of(100, 0) + deletion_of(200, 1) + deletion_of(201, 864000) + deletion_of(202, 864001))
    assert "99 events are not in the log" in run("who", "--from", "long-ago.log", "/srv/share")[1]
    out = run("who", "--from", "long-ago.log", "--since", "2026-11-30", "/srv/share")[1]
    assert "nothing lost" in out and "missing" not in out, out
    # one machine's boot does not end another one's events
    web, db = deletion_of(60000, 0, "web"), deletion_of(5, 0, "db")
    for at in ("/srv/share", "/srv/none", "/"):
        put("boots.log", deletion_of(50000, 0, "db") + web[:2] + db[:1] + web[2:] + db[1:])
        code, out, _ = run("who", "--from", "boots.log", at)
        assert code == (1 if at == "/srv/none" else 0) and "nothing lost" in out and "missing" not in out and "not known," not in out, (at, code, out)


@test
def a_record_that_is_cut_is_not_nothing_lost():
    """Wherever the log ends, or a record in it: what is left is reported, and the loss is in the answer. A part of a name is no name."""
    lines = deletion(call(*ARCHES["x86_64"]))
    whole = "\n".join(lines)
    head, cwd, parent, child, title = lines
    cuts = {
        "behind the name": (whole[:whole.index("/srv/share/f") + 13], "/srv/share/f"),
        "in the name": (whole[:whole.index("/srv/share/f") + 9], "/srv/share/"),
        "in digits": (whole[:whole.index('"/srv/share/f"')] + "2F7372762F7368", "/srv/share/"),
        "before its type": (whole[:whole.index("nametype=DELETE")], "/srv/share/f"),
        "in its type": (whole[:whole.index("DELETE")], "/srv/share/f"),
        "the call, in its process": ("\n".join([head[:head.index(" pid=") + 6], cwd, parent, child, title]), "/srv/share/f"),
        "the call, in its outcome": ("\n".join([head[:head.index(" success=") + 3], cwd, parent, child, title]), "/srv/share/f"),
        "the call, behind its process": ("\n".join([head[:head.index(" gid=")], cwd, parent, child, title]), "/srv/share/f"),
    }
    for name, (text, where) in cuts.items():
        put("cut.log", text.encode())
        events, rest = answers("--from", "cut.log", "/srv/share")
        got = [(e["event"]["action"], e["file"]["path"]) for e in events]
        assert got == [("unlink", where)], (name, got)
        known = events[0].get("process", {}).get("pid") if events else None
        assert known == (None if name.startswith("the call, in") else 200), (name, known)
        assert any(line["event"]["kind"] == "metric" or "lost" in json.dumps(line) for line in rest), (name, rest)
        assert run("who", "--from", "cut.log", "/srv/share")[0] == 4, name


@test
def what_is_left_of_an_event_is_not_nothing_lost():
    lines = event([("PATH", path(1, "f", 7, "DELETE")[1])])
    put("left.log", lines)
    code, out, err = run("who", "--from", "left.log", "/srv/share")
    assert code == 4 and "nothing lost" not in out + err and "1 lost" in out + err, (code, out, err)
    put("placed.log", event([CWD, path(0, "/elsewhere", 1, "PARENT", "040755"), path(1, "f", 7, "DELETE")]))
    code, out, err = run("who", "--from", "placed.log", "/srv/share")
    assert code == 1, (code, out, err) # it was elsewhere


@test
def a_cut_stamp_is_not_1970():
    whole = deletion(call("c000003e", 87))
    for cut in ("17954800---", "17954800", "1795480000.100", "0.000:0", "1795480000.1"):
        put("stamp.log", [whole[0].replace("1795480000.100:102", cut)] + whole[1:])
        code, out, err = run("who", "--from", "stamp.log", "/srv/share")
        assert code == 4 and "1970" not in out and "deleted /srv/share/f" in out and "nothing lost" not in out, (cut, out)


@test
def a_change_without_a_name_is_reported_by_its_directory():
    names = [path(0, "/srv/t", 272, "PARENT", "040755"), path(1, "/srv/t", 272, "PARENT", "040755"),
             path(2, None, 272, "PARENT", "040755"), path(3, None, 273, "DELETE", "040755"), path(4, None, 273, "CREATE", "040755")]
    put("null.log", event([call("c000003e", 82, items=5, comm="mv", exe="/bin/mv"), ("CWD", 'cwd="/srv/t"')] + names + [TITLE]))
    code, out, err = run("who", "--from", "null.log", "/srv/t")
    assert code == 0 and "/srv/t/" in out and "not the name" in out, out
    assert run("who", "--from", "null.log", "/srv/u")[0] == 1
    # an overlay's work in its layers has no names either, beside the names of the call itself
    layered = [path(0, "/srv/t", 1, "PARENT", "040755"), path(1, "/srv/t/f", 2, "DELETE"), path(2, None, 9, "PARENT", "040755"),
               path(3, None, 8, "DELETE")]
    put("overlay.log", event([call("c000003e", 87, items=4), CWD] + layered + [TITLE]))
    assert [e["file"]["path"] for e in answers("--from", "overlay.log", "/srv/t")[0]] == ["/srv/t/f"]


@test
def nothing_crosses_machines():
    execve = call("c000003e", 59, items=1, pid=500, ppid=1, comm="scrubd", exe="/opt/agent/scrubd")
    started = event([execve, CWD, path(0, "/opt/agent/scrubd", 9, "NORMAL", "0100755"), TITLE], 10, 0, "web1")
    removed = event([call("c000003e", 87, pid=600, ppid=500), CWD, path(0, "/srv/data", 1, "PARENT", "040755"),
                     path(1, "/srv/data/x", 7, "DELETE"), TITLE], 311, 1, "db7")
    put("mixed.log", started + removed)
    code, out, err = run("who", "--from", "mixed.log", "/srv/data")
    assert code == 0 and "on db7, deleted /srv/data/x" in out and "scrubd" not in out, out
    events, _ = answers("--from", "mixed.log", "/srv/data")
    assert events[0]["host"] == {"name": "db7"}, events
    assert run("import", "--store", "nodes.db", "mixed.log")[0] == 0
    assert answers("--store", "nodes.db", "/srv/data")[0][0]["host"] == {"name": "db7"}
    for where in (["--from", "mixed.log"], ["--store", "nodes.db"]):
        assert len(answers(*where, "--node", "db7", "/srv/data")[0]) == 1
        assert answers(*where, "--node", "web*", "/srv/data")[0] == []
        code, out, err = run("who", *where, "--node", "web1", "/srv/data")
        assert code == 1 and "nothing happened" not in out, out
    assert run("search", "--store", "nodes.db", "-n", "db7")[0] == 0
    assert run("search", "--store", "nodes.db", "-n", "web7")[0] == 1
    put("alone.log", deletion(call("c000003e", 87)))
    assert "host" not in answers("--from", "alone.log", "/srv/share")[0][0]
    # the same program and user on two machines are two culprits
    both = []
    for node in ("web1", "db7"):
        both += event([call("c000003e", 87), CWD, path(0, "/srv/two", 1, "PARENT", "040755"), path(1, "/srv/two/f", 7, "DELETE"), TITLE],
                      10, 0, node)
    put("both.log", both)
    assert len([a for a in answers("--from", "both.log", "/srv/two")[1] if a["event"]["kind"] == "alert"]) == 2
    # a directory's inode means nothing on another machine
    known = event([call("c000003e", 87), CWD, path(0, "/srv/secret", 1, "PARENT", "040755"), path(1, "/srv/secret/a", 7, "DELETE"),
                   TITLE], 10, 0, "web1")
    other = event([call("c000003e", 263, (4, 1, 0, 0)), CWD, path(0, "/", 1, "PARENT", "040755"), path(1, "x2", 8, "DELETE"), TITLE],
                  312, 2, "db7")
    put("inode.log", known + other)
    assert [e["file"]["path"] for e in answers("--from", "inode.log", "/srv/secret")[0]] == ["/srv/secret/a"]
    # serials of two machines are two series: neither a hole nor another boot
    lines = []
    for i in range(50):
        for node, base in (("web1", 10), ("db7", 90000)):
            lines += event([call("c000003e", 87), CWD, path(0, "/srv/n", 1, "PARENT", "040755"),
                            path(1, "/srv/n/%s-%d" % (node, i), 70 + i, "DELETE"), TITLE], base + i, i, node)
    put("series.log", lines)
    code, out, err = run("who", "--from", "series.log", "/srv/n")
    assert code == 0 and "serial numbers" not in out, out


def python_event(node=""):
    """As auditd writes it."""
    call_ = call("c000003e", 87, (0x7ffd, 1, 2, 0x18), pid=200, ppid=100, comm="python3", exe="/usr/bin/python3.11", key='"del"')
    return event([call_, CWD, path(0, "/srv/app/", 5000, "PARENT", "040755"), path(1, "/srv/app/conf", 5002, "DELETE", "0100600"),
                  ("PROCTITLE", "proctitle=707974686F6E33002F6F70742F6A6F62732F746964792E7079")], 102, 1, node)


def kernel_form(line):
    numbers = {"SYSCALL": 1300, "CWD": 1307, "PATH": 1302, "PROCTITLE": 1327}
    return re.sub(r"^type=(\w+) msg=", lambda m: "type=%d " % numbers[m.group(1)], line)


def laurel(lines):
    records = {}
    for line in lines:
        kind, body = re.match(r"type=(\w+) msg=audit\(.*?\): (.*)", line).groups()
        fields = dict(re.findall(r'(\w+)="?([^" ]*)"?', body))
        for key in ("syscall", "pid", "ppid", "auid", "uid", "euid", "fsuid", "exit", "items", "item", "inode"):
            if key in fields:
                fields[key] = int(fields[key])
        for key in ("arch", "a0", "a1", "a2", "a3"):
            if key in fields:
                fields[key] = "0x" + fields[key]
        if "mode" in fields:
            fields["mode"] = "0o" + fields["mode"]
        if kind == "PROCTITLE":
            fields = {"ARGV": ["python3", "/opt/jobs/tidy.py"]}
        records.setdefault(kind, []).append(fields)
    out = {"ID": "%d.100:102" % (SECONDS + 1), "NODE": "web1"}
    out.update({kind: rows if kind == "PATH" else rows[0] for kind, rows in records.items()})
    return [json.dumps(out)]


def auditbeat():
    stamp = datetime.datetime.fromtimestamp(SECONDS + 1, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.100Z")
    paths = [{"item": "0", "name": "/srv/app/", "inode": "5000", "dev": "fd:00", "mode": "040755", "ouid": "0", "ogid": "0", "nametype": "PARENT"},
             {"item": "1", "name": "/srv/app/conf", "inode": "5002", "dev": "fd:00", "mode": "0100600", "ouid": "0", "ogid": "0", "nametype": "DELETE"}]
    return [json.dumps({
        "@timestamp": stamp, "host": {"name": "web1"}, "tags": ["del"],
        "auditd": {"sequence": 102, "result": "success", "session": "3", "paths": paths,
                   "data": {"a0": "7ffd", "a1": "1", "a2": "2", "a3": "18", "arch": "x86_64", "syscall": "unlink", "exit": "0", "tty": "pts0"}},
        "process": {"pid": 200, "parent": {"pid": 100}, "name": "python3", "executable": "/usr/bin/python3.11",
                    "args": ["python3", "/opt/jobs/tidy.py"], "working_directory": "/"},
        "user": {"id": "0", "audit": {"id": "1000"}, "group": {"id": "0"}}})]


def journal(lines, form):
    out = []
    for line in lines:
        kind, body = re.match(r"type=(\w+) msg=audit\(.*?\): (.*)", line).groups()
        entry = {"__REALTIME_TIMESTAMP": "%d500000" % (SECONDS + 1), "_HOSTNAME": "web1", "_TRANSPORT": "audit",
                 "_AUDIT_TYPE_NAME": kind, "_AUDIT_ID": "102", "_SOURCE_REALTIME_TIMESTAMP": "%d100000" % (SECONDS + 1),
                 "MESSAGE": "%s %s" % (kind, body)}
        if form == "json":
            out.append(json.dumps(entry))
        elif form == "export":
            out += ["%s=%s" % pair for pair in entry.items()] + [""]
        else:
            when = time.strftime("%b %d %H:%M:%S", time.gmtime(SECONDS + 1))
            out.append("%s web1 audit[200]: %s %s" % (when, kind, body))
    return out


def forms():
    raw = python_event()
    syslog = time.strftime("%b %e %H:%M:%S web1 ", time.gmtime(SECONDS + 1))
    yield "indented", ["  " + line for line in raw], None
    yield "crlf", [line + "\r" for line in raw], None
    yield "bom", ["\xef\xbb\xbf" + raw[0]] + raw[1:], None
    yield "audispd", [syslog + "audispd: node=web1 " + line for line in raw], "web1"
    yield "audisp-syslog", [syslog + "audisp-syslog[7]: " + line for line in raw], "web1"
    yield "rfc5424", ["<13>1 2026-11-24T00:26:41.5Z web1 audispd - - - " + line for line in raw], "web1"
    yield "behind others", [syslog + "sshd[1]: Accepted"] * 300 + [syslog + "audispd: " + line for line in raw], "web1"
    yield "kernel", [syslog + "kernel: [   12.345678] audit: " + kernel_form(line) for line in raw], "web1"
    yield "dmesg", ["[   12.345678] audit: " + kernel_form(line) for line in raw], None
    yield "journal json", journal(raw, "json"), "web1"
    yield "journal export", journal(raw, "export"), "web1"
    yield "laurel", laurel(raw), "web1"
    yield "auditbeat", auditbeat(), "web1"
    stamp = "2026-11-24T00:26:41.123456789Z"
    yield "kubernetes node", ["%s stdout F %s" % (stamp, line) for line in raw], None
    yield "docker json-file", [json.dumps({"log": line + "\n", "stream": "stdout", "time": stamp}) for line in raw], None
    yield "filebeat", [json.dumps({"@timestamp": stamp, "message": line, "host": {"name": "web1"}}) for line in raw], "web1"
    yield "fluentd", [json.dumps({"log": syslog + "audispd: " + line, "kubernetes": {"host": "node7"}}) for line in raw], "web1"
    yield "vector", [json.dumps({"host": "web1", "message": line, "source_type": "file"}) for line in raw], "web1"
    yield "elasticsearch", [json.dumps({"_index": "a", "_source": json.loads(line)}) for line in auditbeat()], "web1"
    yield "array", ["[" + ",\n".join(json.dumps({"event": {"original": line}}) for line in raw) + "]"], None
    yield "grep", ["/var/log/audit/audit.log.1:%d:%s" % (i, line) for i, line in enumerate(raw)], None
    yield "grep -C", ["audit.log%s%s" % ("-:"[i == 2], line) for i, line in enumerate(raw)], None
    arguments = laurel(raw)
    twice = json.loads(arguments[0])
    twice["SYSCALL"]["ARGV"] = [twice["SYSCALL"].pop("a%d" % i) for i in range(4)]
    yield "laurel with ARGV", [json.dumps(twice).replace('"uid": 0', '"uid": 0, "uid": 0')], "web1"
    put("raw.log", raw)
    for name, option in (("ausearch", "--raw"), ("ausearch default", None), ("ausearch -i", "-i")):
        argv = ["ausearch", "-if", os.path.join(DIR, "raw.log")] + ([option] if option else [])
        done = subprocess.run(argv, capture_output=True, env=dict(ENVIRONMENT, PATH=ENVIRONMENT["PATH"] + ":/usr/sbin"), check=True)
        yield name, done.stdout, None


@test
def other_programs_forms_say_the_same():
    names = []
    for name, lines, node in forms():
        names.append(name)
        put("form.log", lines)
        events, _ = answers("--from", "form.log", "/srv/app/conf")
        assert len(events) == 1, (name, events, run("who", "--from", "form.log", "/srv/app/conf"))
        e = events[0]
        assert (e["event"]["action"], e["event"]["outcome"], e["file"]["path"], e["file"]["inode"], e["file"]["mode"]) == \
            ("unlink", "success", "/srv/app/conf", "5002", "0600"), (name, e)
        assert (e["process"]["pid"], e["process"]["executable"]) == (200, "/usr/bin/python3.11"), (name, e)
        assert e["@timestamp"].startswith("2026-11-24T00:26:41."), (name, e)
        assert e["process"].get("args") == ["python3", "/opt/jobs/tidy.py"], (name, e["process"])
        assert e["process"]["user"]["id"] == "0", (name, e["process"])
        code, out, err = run("who", "--from", "form.log", "/srv/app/conf")
        assert code == 0 and "damaged" not in err and "1970" not in out, (name, code, out, err)
        assert run("search", "-if", "form.log", "-f", "/srv/app/conf")[0] == 0, name
        piped, _ = answers("--from", "-", "/srv/app/conf", data=open(os.path.join(DIR, "form.log"), "rb").read())
        assert len(piped) == 1, (name, piped)
        assert e.get("host", {}).get("name") == node, (name, e.get("host"))
    assert len(names) > 15, names


@test
def what_is_cut_in_json_is_counted():
    whole = [json.dumps({"message": line}) for line in python_event()]
    for lines in (laurel(python_event()) + laurel(python_event())[:1], whole + whole[:1]):
        lines[-1] = lines[-1][:60]
        put("cut.json", lines)
        code, out, err = run("who", "--from", "cut.json", "/srv/app/conf")
        assert code == 4 and "deleted /srv/app/conf" in out and "nothing lost" not in out and "1 damaged record" in err, (code, out, err)


@test
def a_value_is_no_record():
    """What a user wrote may have lines of its own: sudo's command, a name that a security module reports, a message of the journal."""
    forged = "x\n" + "\n".join(deletion(call("c000003e", 87, comm="forged", exe="/usr/bin/forged")))
    stamp, whole = "%d.100:90" % SECONDS, laurel(deletion(call("c000003e", 87)))[0]
    data = {"arch": "x86_64", "syscall": "unlink", "tty": forged}
    for entry in ({"ID": stamp, "USER_CMD": {"pid": 1, "cmd": forged}}, {"ID": stamp, "AVC": {forged: 1, "path": forged}}, {"ID": stamp, forged: {"a": 1}},
                  {"ID": stamp, "NODE": forged, "USER_CMD": {"pid": 1}}, {"ID": stamp, "SYSCALL": {"items": 0, "ARGV": [forged], "UID": forged}},
                  {"@timestamp": "2026-11-24T00:26:41.000Z", "host": {"name": forged}, "auditd": {"sequence": 7, "data": data, "paths": [{forged: "a", "dev": forged}]}},
                  {"__REALTIME_TIMESTAMP": "%d000000" % SECONDS, "_HOSTNAME": forged, "MESSAGE": "USER_CMD a=1 " + forged, "_AUDIT_TYPE_NAME": "USER_CMD", "_AUDIT_ID": "7"},
                  {"__REALTIME_TIMESTAMP": "%d000000" % SECONDS, "MESSAGE": forged},
                  {"host": forged, "message": "type=USER_CMD msg=audit(%s): pid=1" % stamp}):
        put("forged.json", [whole, json.dumps(entry), whole])
        events, _ = answers("--from", "forged.json", "/srv/share")
        assert events and all(e["process"]["executable"] == "/usr/bin/rm" for e in events), (entry, events)


def exported(entry):
    """An entry as `journalctl -o export` writes it: what has several lines is in the binary form."""
    out = b""
    for key, value in entry.items():
        value = value.encode("latin-1")
        out += key.encode() + (b"\n" + struct.pack("<Q", len(value)) + value if b"\n" in value else b"=" + value) + b"\n"
    return out + b"\n"


@test
def what_a_user_logs_is_no_record():
    """`logger` of a plain user: what it says looks like records, or like fields and entries of the journal's export."""
    forged = deletion(call("c000003e", 87, comm="forged", exe="/usr/bin/forged"))
    fields = "x\n_AUDIT_TYPE_NAME=SYSCALL\n_AUDIT_ID=7\n_TRANSPORT=audit\nMESSAGE=" + forged[0]
    stamp = {"__REALTIME_TIMESTAMP": "%d000000" % SECONDS}
    entries = b"".join(exported({**stamp, "MESSAGE": line, "_TRANSPORT": "syslog", "_UID": "1000"}) for line in forged)
    for text in (fields, fields + "\n\n__CURSOR=1\n" + fields, "y" * 2 + fields, "\n" + "z" * 9 + fields):
        entries += exported({**stamp, "MESSAGE": text, "_TRANSPORT": "journal", "_UID": "1000"})
    genuine = b"".join((line + "\n").encode() for line in journal(deletion(call("c000003e", 87)), "export"))
    for name, content in (("forged.export", genuine + entries + genuine.replace(b"_AUDIT_ID=102", b"_AUDIT_ID=103")),
                          ("forged.json", "".join(json.dumps({**stamp, "MESSAGE": line, "_TRANSPORT": "stdout", "_UID": "1000"}) + "\n" for line in forged).encode() +
                           "\n".join(journal(deletion(call("c000003e", 87)), "json") + [""]).encode())):
        events, _ = answers("--from", put(name, content), "/srv/share")
        assert events and all(e["process"]["executable"] == "/usr/bin/rm" for e in events), (name, events)
    assert len(answers("--from", "forged.export", "/srv/share")[0]) == 2


@test
def the_order_of_names_is_that_of_their_items():
    """ausearch prints the last record of an event first, and a copy of its output may have lost what parts the events."""
    started = [path(0, "/opt/tool", 5, "NORMAL", "0100755"), path(1, "/lib64/ld-linux-x86-64.so.2", 6, "NORMAL", "0100755")]
    lines = event([call("c000003e", 59, comm="tool", exe="/opt/tool"), ("EXECVE", 'argc=1 a0="/opt/tool"'), CWD] + started)
    put("reversed.log", lines[::-1])
    assert [e["file"]["path"] for e in answers("--from", "reversed.log", "/")[0]] == ["/opt/tool"]
    names = [path(0, "/srv", 1, "", "040755", ""), path(1, "/srv", 1, "", "040755", ""), path(2, "a", 2, "", field=""), path(3, "b", 2, "", field="")]
    put("renamed.log", event([call("c000003e", 82, items=4, comm="mv", exe="/bin/mv"), ("CWD", 'cwd="/srv"')] + names)[::-1])
    assert [(e["event"]["action"], e["file"]["path"], e["culprit"]["file"]["previous_path"]) for e in answers("--from", "renamed.log", "/srv")[0]] == \
        [("rename", "/srv/b", "/srv/a")]


@test
def interpreted_values_are_read_back():
    names = [path(0, "/srv/app/", 1, "PARENT", "040755"), path(1, "/srv/app/a file", 7, "CREATE", "0104711")]
    names[1] = (names[1][0], names[1][1].replace('"/srv/app/a file"', "/srv/app/a file".encode().hex().upper()))
    put("raw.log", event([call("c000003e", 257, (0xffffff9c, 1, 0o1101, 0o644), success="no", code=-13), CWD] + names + [TITLE]))
    done = subprocess.run(["ausearch", "-i", "-if", os.path.join(DIR, "raw.log")], capture_output=True,
                          env=dict(ENVIRONMENT, PATH=ENVIRONMENT["PATH"] + ":/usr/sbin"), check=True)
    put("interpreted.log", done.stdout)
    raw, reported = answers("--from", "raw.log", "/")[0], answers("--from", "interpreted.log", "/")[0]
    for e in raw + reported:
        del e["event"]["id"]
    assert [e["error"]["code"] for e in reported] == ["EACCES"] and reported[0]["file"]["path"] == "/srv/app/a file", reported
    assert reported[0]["file"]["mode"] == raw[0]["file"]["mode"] and reported[0]["file"]["type"] == raw[0]["file"]["type"], (raw, reported)


@test
def what_is_no_log_is_an_error():
    put("messages", ["Nov 24 00:26:41 web1 sshd[1]: Accepted password for im"] * 50)
    put("notes.json", ['{"a": 1}', '{"MESSAGE": "hello"}'])
    for name in ("messages", "notes.json"):
        code, out, err = run("who", "--from", name, "/")
        assert code == 2 and not out and "no audit log" in err and err.count("\n") == 1, (name, code, out, err)
        assert run("import", "--store", "none.db", name)[0] == 2, name



sys.exit(run_all(DIR, 300))
