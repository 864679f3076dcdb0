# SPDX-License-Identifier: MIT
"""The scenarios: names, contents, metadata, mounts, routes, actors, refusals. One function each; its name is the scenario's."""
import os
import shutil
import signal
import subprocess
import time

from lib.expect import Event, Never
from lib.scenario import META, REFUSED, act_event, files, scenario

# ---- names ----

@scenario("unlink", before=files("f"))
def _(run):
    pid = run.act("unlink", run.path("f"))
    return [act_event(run, "unlink", "f", pid, file__size=8, file__mode="0644", file__uid="0",
                      culprit__origin="host", culprit__victim__kind="host")]


@scenario("unlinkat relative to a directory descriptor", before=files("sub/f"))
def _(run):
    return [act_event(run, "unlink", "sub/f", run.act("unlinkat", run.path("sub"), "f"))]


@scenario("rmdir", before=lambda run: os.mkdir(run.path("d")))
def _(run):
    return [act_event(run, "rmdir", "d", run.act("rmdir", run.path("d")))]


def deep(run):
    for i in range(5):
        run.write("/".join(["t"] + [f"d{k}" for k in range(i)] + ["f"]))


@scenario("rm -rf of a deep tree", before=deep)
def _(run):
    run.sh("rm -rf t")
    expected = []
    for i in range(5):
        below = "/".join(["t"] + [f"d{k}" for k in range(i)])
        expected += [Event("unlink", below + "/f", executable="/usr/bin/rm"), Event("rmdir", below)]
    return expected


@scenario("rename within", before=files("a", "sub/x"))
def _(run):
    pid = run.act("rename", run.path("a"), run.path("sub/b"))
    return [act_event(run, "rename", "sub/b", pid, culprit__file__previous_path="a")]


@scenario("rename into", before=lambda run: run.write(run.out + "/a"))
def _(run):
    pid = run.act("rename", run.out + "/a", run.path("b"))
    return [act_event(run, "rename", "b", pid, culprit__file__previous_path=run.out + "/a")]


@scenario("rename out of", before=files("a"))
def _(run):
    pid = run.act("rename", run.path("a"), run.out + "/b")
    return [act_event(run, "rename", run.out + "/b", pid, culprit__file__previous_path="a")]


@scenario("rename by relative names, mv into a folder", before=files("a", "sub/x"))
def _(run):
    run.sh("mv a sub/")
    return [Event("rename", "sub/a", executable="/usr/bin/mv", culprit__file__previous_path="a")]


@scenario("rename of a directory, then changes in it", before=files("d/e/f"))
def _(run):
    run.sh("mv d g; rm g/e/f")
    return [Event("rename", "g", culprit__file__previous_path="d"), Event("unlink", "g/e/f")]


@scenario("rename over a victim", before=files("a", "b"))
def _(run):
    pid = run.act("rename", run.path("a"), run.path("b"))
    return [act_event(run, "rename", "b", pid, culprit__file__previous_path="a"),
            act_event(run, "replace", "b", pid)]


@scenario("rename over a victim in another directory", before=files("x/a", "y/b"))
def _(run):
    pid = run.act("rename", run.path("x/a"), run.path("y/b"))
    return [act_event(run, "rename", "y/b", pid, culprit__file__previous_path="x/a"),
            act_event(run, "replace", "y/b", pid)]


@scenario("RENAME_EXCHANGE", before=files("a", "b"))
def _(run):
    pid = run.act("exchange", run.path("a"), run.path("b"))
    return [act_event(run, "rename", "b", pid, culprit__file__previous_path="a"),
            act_event(run, "rename", "a", pid, culprit__file__previous_path="b")]


@scenario("RENAME_WHITEOUT", before=files("a"), harmless=("mknod",))
def _(run):
    pid = run.act("whiteout", run.path("a"), run.path("b"))
    return [act_event(run, "rename", "b", pid, culprit__file__previous_path="a")]


@scenario("hard link in", before=lambda run: run.write(run.out + "/a"))
def _(run):
    return [act_event(run, "link", "b", run.act("link", run.out + "/a", run.path("b")))]


@scenario("written to and removed at once: its size is right, or not reported", before=files("f"))
def _(run):
    run.sh("echo more >> f; echo new > g; rm f g")
    return [Event("create", "g"), Event("unlink", "f", file__size=lambda n: n in (None, 13)),
            Event("unlink", "g", file__size=lambda n: n in (None, 4))]


@scenario("written to and removed while the reader is late: no old size is reported", before=files("f", "g"), alone=True)
def _(run):
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        run.sh("echo more >> f; rm f")  # the shell becomes rm: one process, one event
        run.sh("echo more >> g; rm g; true")
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    return [Event("unlink", name, file__size=lambda n: n in (None, 13)) for name in ("f", "g")]


@scenario("made and linked before anybody looked")
def _(run):
    run.sh("""python3 -c "
import os
os.mkdir('d')
open('d/a', 'w').close()
os.link('d/a', 'd/b')" """)
    return [Event("mkdir", "d"), Event("create", ("d/a", "d/b")), Event("link", ("d/a", "d/b"))]


@scenario("touch makes a file: nothing is written to it")
def _(run):
    run.sh("touch n")
    return [Event("create", "n"), Event("utime", "n", optional=True), Never("write", "n")]


@scenario("times set through a descriptor for writing", needs=("metadata",), before=files("f"),
          limits={"audit": "the kernel's record of futimens() has no file"})
def _(run):
    run.sh("touch -d 2001-01-01 f")
    return [Event("utime", "f", executable="/usr/bin/touch")]


@scenario("unlink of one of two links", before=files("a"))
def _(run):
    run.sh("ln a b") # not by this process: it may be older than the kernel's auditing
    return [Event("link", "b"), act_event(run, "unlink", "a", run.act("unlink", run.path("a")))]


@scenario("symlink created, then replaced", before=files("a"))
def _(run):
    one = run.act("symlink", "a", run.path("l"))
    two = run.sh("ln -s nowhere m; mv -T m l")
    return [act_event(run, "symlink", "l", one, file__target_path="a"), Event("symlink", "m"),
            Event("rename", "l", culprit__file__previous_path="m"), Event("replace", "l")] if two else []


@scenario("mknod of a fifo and a device")
def _(run):
    return [act_event(run, "mknod", "p", run.act("fifo", run.path("p"))),
            act_event(run, "mknod", "c", run.act("device", run.path("c")))]


@scenario("bind of a socket")
def _(run):
    return [act_event(run, "mknod", "s", run.act("bind", run.path("s")))]


@scenario("O_TMPFILE and linkat", harmless=("create",))
def _(run):
    # that the file had no name before is known only to who saw it being made
    return [act_event(run, "link|create", "new", run.act("tmpfile", run.path(), run.path("new")))]


@scenario("O_CREAT | O_EXCL, read-only")
def _(run):
    return [act_event(run, "create", "new", run.act("create", run.path("new")))]


@scenario("mkdir, and a file in it at once",
          limits={"fanotify": "made and removed in a new folder before its mark is placed"})
def _(run):
    run.sh("mkdir -p d/e/f; echo x > d/e/f/g; rm d/e/f/g")
    return [Event("mkdir", "d"), Event("mkdir", "d/e"), Event("mkdir", "d/e/f"), Event("create", "d/e/f/g"),
            Event("unlink", "d/e/f/g")]


@scenario("moved to another name, deleted there", before=files("victim"))
def _(run):
    run.sh("mv victim .tmp.123; rm .tmp.123")
    return [Event("rename", ".tmp.123", culprit__file__previous_path="victim"), Event("unlink", ".tmp.123")]


# ---- contents ----

WRITTEN = ("contents",)


def written(name, kind, *arguments, actions="open-write", needs=WRITTEN, others=(), before=None):
    @scenario(name, needs=needs, before=before or files("f", *others), harmless=("truncate",))
    def _(run):
        pid = run.act(kind, *[run.path(a) for a in arguments])
        return [act_event(run, actions, "f", pid)]


written("write", "write", "f")
written("append", "append", "f")
written("pwritev", "pwritev", "f")
written("O_TRUNC", "otrunc", "f", actions="truncate")
written("O_TRUNC, opened for reading", "otrunc-read", "f", actions="truncate")
written("truncate", "truncate", "f", actions="truncate")
written("ftruncate", "ftruncate", "f", actions="open-write|truncate")
written("fallocate, punch a hole", "punch", "f")
written("copy_file_range", "copy-range", "from", "f", others=("from",))
written("sendfile", "sendfile", "from", "f", others=("from",))
written("splice", "splice", "f")
written("MAP_SHARED", "map", "f", actions="open-write|write")


@scenario("truncate, before and after", needs=("contents", "before-after"), before=files("f"))
def _(run):
    return [act_event(run, "truncate", "f", run.act("truncate", run.path("f")), culprit__before__size=8,
                      culprit__after__size=1)]


@scenario("write through a descriptor opened before the watch", needs=("old-descriptors",),
          before=lambda run: old_descriptor(run))
def _(run):
    run.old.communicate(b"\n", timeout=120)
    return [act_event(run, "write", "f", run.old.pid)]


def old_descriptor(run):
    run.write("f")
    run.old = subprocess.Popen([run.act_path, "old-descriptor", run.path("f")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env={**os.environ, "ACT_WAIT": "1"})
    run.old.stdout.readline()


# ---- metadata ----

@scenario("chmod", needs=META, before=files("f"))
def _(run):
    return [act_event(run, "chmod", "f", run.act("chmod", run.path("f"), "4755"), culprit__before__mode="0644",
                      culprit__after__mode="4755")]


@scenario("chmod of the watched folder itself", needs=META)
def _(run):
    return [act_event(run, "chmod", "", run.act("chmod", run.path(), "0700"), culprit__before__mode="0755",
                      culprit__after__mode="0700")]


@scenario("fchmod", needs=META, before=files("f"))
def _(run):
    return [act_event(run, "chmod", "f", run.act("fchmod", run.path("f"), "600"), culprit__after__mode="0600")]


@scenario("fchmodat2", needs=META, before=files("f"))
def _(run):
    return [act_event(run, "chmod", "f", run.act("fchmodat2", run.path("f"), "600"), culprit__after__mode="0600")]


@scenario("chown", needs=META, before=files("f"))
def _(run):
    return [act_event(run, "chown", "f", run.act("chown", run.path("f"), 5, 6), culprit__before__uid="0",
                      culprit__after__uid="5", culprit__before__gid="0", culprit__after__gid="6")]


@scenario("lchown of a symlink", needs=META, before=lambda run: os.symlink("nowhere", run.path("l")))
def _(run):
    return [act_event(run, "chown", "l", run.act("lchown", run.path("l"), 5, 6), culprit__after__uid="5")]


@scenario("utimensat", needs=META, before=files("f"))
def _(run):
    return [act_event(run, "utime", "f", run.act("utimensat", run.path("f")))]


@scenario("setxattr and removexattr", needs=META, before=files("f"))
def _(run):
    one = run.act("setxattr", run.path("f"), "user.k")
    two = run.act("removexattr", run.path("f"), "user.k")
    return [act_event(run, "setxattr", "f", one), act_event(run, "removexattr", "f", two)]


@scenario("an ACL", needs=META, before=files("f"), harmless=("chmod",))
def _(run):
    run.sh("setfacl -m u:5:rw f")
    return [Event("setacl|setxattr", "f", executable="/usr/bin/setfacl")]


@scenario("chattr +i and -i", needs=("metadata", "flags"), before=files("f"))
def _(run):
    one = run.act("flags", run.path("f"), "+")
    run.settle(0.7)  # audit does not record which file it was: the sensor has to look
    two = run.act("flags", run.path("f"), "-")
    run.settle(0.3)
    return [act_event(run, "setflags", "f", one), act_event(run, "setflags", "f", two)]


@scenario("flags of a file elsewhere, then of one here, while the reader is late", needs=("metadata", "flags"), before=files("f"), alone=True, gaps=True,
          after=lambda run: [run.act("flags", path, "-") for path in (run.out + "/elsewhere", run.path("f"))])
def _(run):
    run.write(run.out + "/elsewhere")
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        run.act("flags", run.out + "/elsewhere", "+")
        time.sleep(0.3)  # settle() would wait for culprit, which is stopped
        pid = run.act("flags", run.path("f"), "+")
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    return [act_event(run, "setflags", "f", pid)]


# ---- mounts ----

@scenario("tmpfs over the watched folder and away", needs=("mounts",), gaps=True)
def _(run):
    one = run.act("mount-tmpfs", run.path())
    run.settle(0.3)
    two = run.act("umount", run.path())
    return [act_event(run, "mount", "", one), act_event(run, "unmount", "", two)]


@scenario("a bind mount reaches the file by another path", before=files("f"))
def _(run):
    run.act("mount-bind", run.path(), run.out)
    pid = run.act("unlink", run.out + "/f")
    subprocess.run(["umount", run.out], check=False)
    return [act_event(run, "unlink", "f", pid)]


# ---- routes ----

@scenario("a 32-bit system call", before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("unlink32", run.path("f")))]


@scenario("io_uring unlink", needs=("io_uring",), before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("uring-unlink", run.path("f")),
                      culprit__route=lambda route: route in (None, "io_uring"))]


@scenario("io_uring rename", needs=("io_uring",), before=files("a"))
def _(run):
    pid = run.act("uring-rename", run.path("a"), run.path("b"))
    return [act_event(run, "rename", "b", pid, culprit__file__previous_path="a")]


@scenario("io_uring open with O_TRUNC, write", needs=("io_uring",), before=files("f"), harmless=("truncate",))
def _(run):
    return [act_event(run, "truncate|open-write|write", "f", run.act("uring-write", run.path("f")))]


@scenario("open_by_handle_at and write", needs=("contents",), before=files("f"))
def _(run):
    return [act_event(run, "open-write|write", "f", run.act("handle", run.path(), run.path("f")))]


@scenario("by /proc/self/root", before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("unlink", "/proc/self/root" + run.path("f")))]


@scenario("chmod by /proc/self/fd/N", needs=META, before=files("f"))
def _(run):
    run.sh("exec 7< f; chmod 600 /proc/self/fd/7")
    return [Event("chmod", "f", executable="/usr/bin/chmod", culprit__after__mode="0600")]


# ---- actors ----

@scenario("a child that exits at once", needs=("names", "actor-exited"), before=files("f"))
def _(run):
    parent = run.act("fork-exit", run.path("f"))
    return [Event("unlink", "f", executable="act", process__parent__pid=parent)]


@scenario("a thread that is not the leader", before=files("f"))
def _(run):
    pid = run.act("thread", run.path("f"))
    return [Event("unlink", "f", executable="act", process__pid=pid,
                  process__thread__id=lambda tid: tid != pid)]


@scenario("a daemon whose parents have exited", before=files("f"))
def _(run):
    pid = run.act("orphan", run.path("f"))
    return [Event("unlink", "f", executable="act",
                  culprit__lineage=lambda chain: any(p.get("pid") == pid for p in chain or []))]


@scenario("a program in memory", before=files("f"))
def _(run):
    pid = run.act("memfd", run.path("f"))
    return [Event("unlink", "f", pid=pid, process__executable=lambda e: e is not None and "memfd:friendly" in e)]


@scenario("a faked name and argv[0]", before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("fake", run.path("f")), process__name="act")]


@scenario("an executable replaced after start", before=files("f"))
def _(run):
    copy = shutil.copy(run.act_path, run.out + "/prog")
    p = subprocess.Popen([copy, "unlink", run.path("f")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env={**os.environ, "ACT_WAIT": "1"})
    p.stdout.readline()
    os.unlink(copy)
    p.communicate(b"\n", timeout=120)
    return [Event("unlink", "f", pid=p.pid, process__executable=lambda e: e is not None and e.startswith(copy))]


@scenario("a script: interpreter and script", before=files("f"))
def _(run):
    script = run.write(run.out + "/cleanup.py", "#!/usr/bin/python3\nimport os, sys\nos.unlink(sys.argv[1])\n", 0o755)
    p = subprocess.Popen([script, run.path("f")])
    p.wait(120)
    return [Event("unlink", "f", pid=p.pid, process__executable=lambda e: e is not None and "python3" in e,
                  process__args=lambda a: a is not None and script in a)]


@scenario("chroot", before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("chroot", run.path(), "/f"))]


@scenario("an own mount namespace", before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("mount-ns", run.path("f")))]


@scenario("an own user namespace", before=files("f"))
def _(run):
    return [act_event(run, "unlink", "f", run.act("user-ns", run.path("f")), process__user__id="0")]


@scenario("another user", before=lambda run: (os.chmod(run.work, 0o755), os.chmod(run.path(), 0o777), run.write("f")))
def _(run):
    return [Event("unlink", "f", executable="act", pid=run.act("as", 5, "unlink", run.path("f")),
                  process__user__id="5")]


# ---- refused ----

@scenario("unlink without permission", needs=REFUSED,
          before=lambda run: (os.chmod(run.work, 0o755), run.write("f")))
def _(run):
    pid = run.act("as", 5, "unlink", run.path("f"), check=False)
    return [act_event(run, "unlink", "", pid, outcome="EACCES", optional=True),
            act_event(run, "unlink", "f", pid, outcome="EACCES", optional=True)]


@scenario("chmod by another user", needs=REFUSED, before=lambda run: (os.chmod(run.work, 0o755), run.write("f")))
def _(run):
    return [act_event(run, "chmod", "f", run.act("as", 5, "chmod", run.path("f"), "777", check=False),
                      outcome="EPERM")]


def immutable(run):
    run.write("f")
    run.act("flags", run.path("f"), "+")


def mutable(run):
    run.act("flags", run.path("f"), "-", check=False)


@scenario("write to an immutable file", needs=REFUSED, before=immutable, after=mutable)
def _(run):
    pid = run.act("write", run.path("f"), check=False)
    return [act_event(run, "open-write", "f", pid, outcome="EPERM")]


@scenario("unlink of an immutable file", needs=REFUSED, before=immutable, after=mutable)
def _(run):
    pid = run.act("unlink", run.path("f"), check=False)
    return [act_event(run, "unlink", "f", pid, outcome="EPERM")]
