# SPDX-License-Identifier: MIT
"""More scenarios of actors: who they are in all detail, rare routes, refusals, load."""
import os
import pwd
import shutil
import subprocess
import time

from lib.expect import Event
from lib.scenario import META, REFUSED, act_event, files, scenario

URING = ("io_uring",)
OPEN = lambda run: (os.chmod(run.work, 0o755), run.write("f"), run.write("d/x"))  # noqa: E731


def ancestors():
    """This process and those above it."""
    pid, chain = os.getpid(), []
    while pid > 0:
        chain.append(pid)
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            pid = int(f.read().rsplit(")", 1)[1].split()[1])
    return chain


@scenario("all that is known of the actor", needs=("names", "route"), before=files("f"))
def _(run):
    pid = run.act("unlink", run.path("f"))
    above = ancestors()
    return [act_event(run, "unlink", "f", pid, process__args=[run.act_path, "unlink", run.path("f")],
                      process__name="act", process__working_directory=run.dir, process__user__id="0",
                      process__real_user__id="0", process__group__id="0", process__user__name=pwd.getpwuid(0).pw_name,
                      process__parent__pid=above[0], process__start=lambda s: s is not None,
                      process__entity_id=lambda s: s is not None,
                      culprit__lineage=lambda chain: chain is not None and [p["pid"] for p in chain] == above,
                      culprit__route="syscall", culprit__syscall="unlink")]


@scenario("a set-user-id program", before=lambda run: (os.chmod(run.work, 0o755), run.write("f")))
def _(run):
    copy = shutil.copy(run.act_path, run.out + "/suid")
    os.chmod(run.out, 0o755)
    os.chmod(copy, 0o4755)
    pid = run.act("unlink", run.path("f"), program=copy, user=5)
    return [Event("unlink", "f", pid=pid, executable=copy, process__user__id="0", process__real_user__id="5")]


@scenario("a chain of su", before=lambda run: (os.chmod(run.work, 0o755), os.chmod(run.path(), 0o777), run.write("f")))
def _(run):
    name = pwd.getpwuid(5).pw_name
    p = subprocess.Popen(["su", "-s", "/bin/sh", name, "-c", f"cd {run.dir}; rm -f f; true"], stdout=subprocess.DEVNULL)
    p.wait(120)
    return [Event("unlink", "f", executable="/usr/bin/rm", process__user__id="5", process__user__name=name,
                  culprit__lineage=lambda chain: any(e.get("pid") == p.pid and e.get("name") == "su" for e in chain or []))]


@scenario("a job without a terminal, its parents gone", before=files("f"))
def _(run):
    run.sh("setsid -f sh -c 'sleep 0.2; rm f; true' < /dev/null")
    run.until(lambda: not os.path.exists(run.path("f")))
    run.settle(0.3)
    return [Event("unlink", "f", executable="/usr/bin/rm", process__tty=None)]


@scenario("running before the watch", needs=("old-processes",),
          before=lambda run: setattr(run, "old", run.started("unlink", run.write("f"))))
def _(run):
    pid = run.act_now(run.old)
    return [act_event(run, "unlink", "f", pid, process__args=[run.act_path, "unlink", run.path("f")])]


@scenario("running before the watch, by io_uring", needs=("old-processes", "io_uring", "route"),
          before=lambda run: setattr(run, "old", run.started("uring-unlink", run.write("f"))))
def _(run):
    return [act_event(run, "unlink", "f", run.act_now(run.old), culprit__route="io_uring")]


# several times: whether the two lie within a tick of each other's start is the machine's affair
@scenario("a process number used again at once", guest=True, before=files(*[n + str(i) for n in "fg" for i in range(8)]))
def _(run):
    expected = []
    for i in range(8):
        run.act("pid-again", run.path(f"f{i}"), "/usr/bin/rm", run.path(f"g{i}"))
        expected += [Event("unlink", f"f{i}", pid=run.child, executable="act"),
                     Event("unlink", f"g{i}", pid=run.child, executable="/usr/bin/rm")]
    return expected


@scenario("ten processes at the same time", before=files(*[f"f{i}" for i in range(10)]))
def _(run):
    old = [run.started("unlink", run.path(f"f{i}")) for i in range(10)]
    for p in old:
        p.stdin.write(b"\n")
        p.stdin.flush()
    for p in old:
        p.communicate(timeout=120)
    return [act_event(run, "unlink", f"f{i}", p.pid) for i, p in enumerate(old)]


@scenario("an argument longer than is kept", before=files("f"))
def _(run):
    p = subprocess.Popen([run.act_path, "unlink", run.path("f"), "y" * 100000], stdout=subprocess.DEVNULL)
    p.wait(120)
    return [act_event(run, "unlink", "f", p.pid,
                      process__args=lambda a: a is not None and a[:3] == [run.act_path, "unlink", run.path("f")])]


# ---- routes ----

for title, number, action, arguments in [("rename", 38, "rename", ("f", "g")), ("chmod", 15, "chmod", ("f", "600")),
                                         ("truncate", 92, "truncate", ("f", "1")), ("mkdir", 39, "mkdir", ("n", "755"))]:
    @scenario("a 32-bit " + title, needs=META if action == "chmod" else ("contents",) if action == "truncate" else ("names",),
              before=files("f"))
    def _(run, number=number, action=action, arguments=arguments):
        first, second = run.path(arguments[0]), arguments[1]
        pid = run.act("call32", number, first, run.path(second) if second == "g" else second)
        return [act_event(run, action, "g" if second == "g" else arguments[0], pid)]


for title, kind, action, arguments, reported in [
        ("mkdir", "uring-mkdir", "mkdir", ("n",), "n"), ("link", "uring-link", "link", ("f", "n"), "n"),
        ("fallocate", "uring-fallocate", "open-write", ("f",), "f"), ("unlink, polled by the kernel", "uring-poll", "unlink", ("f",), "f")]:
    @scenario("io_uring " + title, needs=URING, before=files("f"))
    def _(run, kind=kind, action=action, arguments=arguments, reported=reported):
        return [act_event(run, action, reported, run.act(kind, *[run.path(a) for a in arguments]))]


@scenario("io_uring symlink", needs=URING)
def _(run):
    return [act_event(run, "symlink", "n", run.act("uring-symlink", "nowhere", run.path("n")))]


@scenario("by /proc/PID/root of a process in another mount namespace", before=files("f"))
def _(run):
    other = subprocess.Popen(["unshare", "-m", "sleep", "1000"])
    run.until(lambda: os.readlink(f"/proc/{other.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt"))
    try:
        pid = run.act("unlink", f"/proc/{other.pid}/root{run.path('f')}")
    finally:
        other.kill()
        other.wait()
    return [act_event(run, "unlink", "f", pid)]


# ---- refused ----

# who may not even search is refused before audit has found where it would have been
AUDIT_PLACE = {"audit": "a refused attempt whose place audit did not record"}

for title, action, arguments, path in [
        ("create", "create", ("create", "n"), "n"), ("mkdir", "mkdir", ("mkdir", "n"), "n"),
        ("rename", "rename", ("rename", "f", "g"), ("f", "g")), ("rmdir", "rmdir", ("rmdir", "d"), "d"),
        ("symlink", "symlink", ("symlink", "f", "n"), "n"), ("open for writing", "open-write", ("write", "f"), "f"),
        ("truncate", "truncate", ("truncate", "f"), "f"), ("chown", "chown", ("chown", "f", "5", "5"), "f"),
        ("setxattr", "setxattr", ("setxattr", "f", "user.k"), "f"), ("utimensat", "utime", ("utimensat", "f"), "f")]:
    @scenario(title + " without permission", needs=REFUSED, before=OPEN, limits=AUDIT_PLACE)
    def _(run, action=action, arguments=arguments, path=path):
        names = [run.path(a) if a in ("f", "g", "n", "d") else a for a in arguments[1:]]
        pid = run.act("as", 5, arguments[0], *names, check=False)
        return [act_event(run, action, path, pid, outcome="EPERM" if action in ("chown", "utime") else "EACCES",
                          process__user__id="5")]


def read_only(run):
    run.write("f")
    subprocess.run(["mount", "--bind", run.dir, run.dir], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", run.dir], check=True)


@scenario("a read-only mount", needs=REFUSED, before=read_only,
          limits={**AUDIT_PLACE, "bpf": "a read-only mount says no before any file is looked at"})
def _(run):
    one = run.act("unlink", run.path("f"), check=False)
    return [act_event(run, "unlink", "f", one, outcome="EROFS")]


@scenario("open for writing on a read-only mount", needs=REFUSED, before=read_only, limits=AUDIT_PLACE)
def _(run):
    pid = run.act("write", run.path("f"), check=False)
    return [act_event(run, "open-write", "f", pid, outcome="EROFS")]


@scenario("open for writing of a program that runs", needs=REFUSED,
          before=lambda run: shutil.copy(run.act_path, run.path("program")))
def _(run):
    program = run.path("program")
    running = run.started("unlink", "/nonexistent", program=program)
    try:
        pid = run.act("write", program, check=False)
    finally:
        running.kill()
        running.wait()
    return [act_event(run, "open-write", "program", pid, outcome="ETXTBSY")]


# ---- load ----

@scenario("a storm of new processes", alone=True, anywhere=True, before=files("f"))
def _(run):
    run.act("fork-storm", 2000)
    pid = run.act("unlink", run.path("f"))
    return [act_event(run, "unlink", "f", pid, process__parent__pid=os.getpid())]


@scenario("the clock set back", alone=True, anywhere=True, guest=True, before=files("f", "g"))
def _(run):
    one = run.act("unlink", run.path("f"))
    subprocess.run(["date", "-s", "@" + str(int(time.time()) - 3600)], check=True, stdout=subprocess.DEVNULL)
    two = run.act("unlink", run.path("g"))
    subprocess.run(["date", "-s", "@" + str(int(time.time()) + 3600)], check=True, stdout=subprocess.DEVNULL)
    return [act_event(run, "unlink", "f", one), act_event(run, "unlink", "g", two)]
