#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""foreign.py CULPRIT: `who --from` on logs of other machines: architectures, old kernels, several nodes, lost and cut records.

A deletion that the log holds is told; what the log does not say is not made up. Ends with "N passed, N failed".
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runner import run_all, test  # noqa: E402

CULPRIT = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix="culprit-foreign.")
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "DOCKER_HOST": "unix:///nonexistent"}
SECONDS = 1795480000


def run(*argv, data=None):
    p = subprocess.run([CULPRIT, *argv], input=data, stdin=subprocess.DEVNULL if data is None else None, capture_output=True,
                       env=ENVIRONMENT, timeout=120, cwd=DIR)
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
def an_architecture_that_nobody_knows_is_told_by_the_names():
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
    # only O_EXCL tells that the file was not there before
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
def a_cut_stamp_is_not_1970():
    whole = deletion(call("c000003e", 87))
    for cut in ("17954800---", "17954800", "1795480000.100", "0.000:0", "1795480000.1"):
        put("stamp.log", [whole[0].replace("1795480000.100:102", cut)] + whole[1:])
        code, out, err = run("who", "--from", "stamp.log", "/srv/share")
        assert code == 4 and "1970" not in out and "deleted /srv/share/f" in out and "nothing lost" not in out, (cut, out)


@test
def a_change_without_a_name_is_told_by_its_directory():
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
    execve = call("c000003e", 59, pid=500, ppid=1, comm="scrubd", exe="/opt/agent/scrubd")
    started = event([execve, CWD, path(0, "/opt/agent/scrubd", 9, "NORMAL", "0100755"), TITLE], 10, 0, "web1")
    removed = event([call("c000003e", 87, pid=600, ppid=500), CWD, path(0, "/srv/data", 1, "PARENT", "040755"),
                     path(1, "/srv/data/x", 7, "DELETE"), TITLE], 311, 1, "db7")
    put("mixed.log", started + removed)
    code, out, err = run("who", "--from", "mixed.log", "/srv/data")
    assert code == 0 and "deleted /srv/data/x" in out and "scrubd" not in out, out
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


sys.exit(run_all(DIR, 300))
