# SPDX-License-Identifier: MIT
"""More scenarios of files: contents through rare ways, metadata, mounts, aliases, what is watched."""
import json
import os
import signal
import subprocess

from lib.expect import Event, Never
from lib.run import Skip
from lib.scenario import META, act_event, files, scenario

# ---- names ----


@scenario("moved to another folder, deleted there", before=files("victim"))
def _(run):
    run.sh(f"mv victim {run.out}/x; rm {run.out}/x")
    return [Event("rename", run.out + "/x", culprit__file__previous_path="victim"),
            Event("unlink", (run.out + "/x", "victim"), optional=True)]


@scenario("a folder exchanged with a file", before=files("a", "d/x"))
def _(run):
    pid = run.act("exchange", run.path("a"), run.path("d"))
    run.act("unlink", run.path("a/x"))
    return [act_event(run, "rename", "d", pid, culprit__file__previous_path="a"),
            act_event(run, "rename", "a", pid, culprit__file__previous_path="d"), Event("unlink", "a/x")]


@scenario("a folder with files moved into the watch", before=lambda run: run.write(run.out + "/d/e/f"))
def _(run):
    run.act("rename", run.out + "/d", run.path("d"))
    return [Event("rename", "d", culprit__file__previous_path=run.out + "/d"),
            act_event(run, "unlink", "d/e/f", run.act("unlink", run.path("d/e/f")))]


@scenario("a folder moved out of the watch, and changed there", before=files("d/e/f"))
def _(run):
    run.act("rename", run.path("d"), run.out + "/d")
    run.settle(0.2)
    run.act("unlink", run.out + "/d/e/f")
    return [Event("rename", run.out + "/d", culprit__file__previous_path="d")]


# ---- contents ----

def ended(name, kind, *arguments, before=None, needs=("contents", "close-write"), others=(), **more):
    """Written, and the end of it is reported."""
    @scenario(name + ", reported at its end", needs=needs, before=before or files("f", *others), harmless=("truncate",))
    def _(run):
        pid = run.act(kind, *[run.path(a) for a in arguments])
        return [act_event(run, "open-write", "f", pid), act_event(run, "write", "f", pid, **more)]


ended("write", "write", "f")
ended("pwritev", "pwritev", "f")
ended("append", "append", "f", culprit__bytes=lambda n: n is None or n == 5)
ended("sendfile", "sendfile", "from", "f", others=("from",))
ended("splice", "splice", "f")
ended("copy_file_range", "copy-range", "from", "f", others=("from",))
ended("fallocate", "punch", "f")


@scenario("opened for writing, nothing written", needs=("contents", "close-write"), before=files("f"))
def _(run):
    run.sh("exec 7>> f")
    lines = [Event("open-write", "f", executable="/usr/bin/bash")]
    return lines


@scenario("O_DIRECT", needs=("contents",), before=lambda run: run.write("f", "x" * 8192))
def _(run):
    return [act_event(run, "open-write", "f", run.act("direct", run.path("f")))]


@scenario("openat2 with O_TRUNC", needs=("contents",), before=files("f"))
def _(run):
    return [act_event(run, "truncate", "f", run.act("openat2", run.path("f")))]


@scenario("a descriptor passed over a unix socket", needs=("contents", "close-write"), before=files("f"),
          limits={"fanotify": "who opened is not seen, who wrote is"})
def _(run):
    parent = run.act("passed", run.path("f"))
    # fanotify reports opening by the first write: by who wrote (culprit(1)); the route distinguishes the sensors
    opener = parent if "route" in run.has else (parent, run.child)
    return [act_event(run, "open-write", "f", opener), act_event(run, "write", "f", run.child)]


@scenario("a mapping made before the watch", needs=("mappings", "old-descriptors"),
          before=lambda run: setattr(run, "old", run.started("old-mapping", run.write("f"))))
def _(run):
    return [act_event(run, "write", "f", run.act_now(run.old))]


@scenario("mapped for reading, made writable", needs=("mappings",), before=files("f"))
def _(run):
    return [act_event(run, "open-write|write", "f", run.act("map-protect", run.path("f")))]


@scenario("ftruncate of a descriptor opened before the watch", needs=("old-descriptors",),
          before=lambda run: setattr(run, "old", run.started("old-truncate", run.write("f"))))
def _(run):
    return [act_event(run, "truncate", "f", run.act_now(run.old))]


@scenario("io_uring write through a descriptor opened before the watch", needs=("old-descriptors", "io_uring"),
          before=lambda run: setattr(run, "old", run.started("uring-old", run.write("f"))))
def _(run):
    return [act_event(run, "write", "f", run.act_now(run.old))]


@scenario("each write while it happens", needs=("each-write",), options=["--writes"], before=files("f"))
def _(run):
    p = subprocess.Popen([run.act_path, "holds", run.path("f"), "30000"], stdout=subprocess.DEVNULL)
    reported = run.reported("write", alive=lambda: p.poll() is None)
    p.terminate()
    p.wait(120)
    return [act_event(run, "write", "f", p.pid)] if reported else [Event("write", "(not while it happened)")]


@scenario("an older file linked, and its first name replaced, while the reader is late", before=files("f"), alone=True)
def _(run):
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        run.sh("ln f old; echo new > new; mv new f")
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    # by the time of its birth fanotify knows that it is no new file: not every file system has one
    born = subprocess.run(["stat", "-c", "%W", run.path("old")], capture_output=True, check=True).stdout.strip() not in (b"0", b"-")
    return [Event("link" if born else "link|create", "old"), Event("create", "new"), Event("rename", "f", culprit__file__previous_path="new"), Event("replace", "f")]


@scenario("folders made, replaced and removed while the reader is late", alone=True)
def _(run):
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        pid = run.act("replace-folders", run.path("a"), run.path("b"))
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    # the kernel makes one event of both times that it is renamed to b: how often that was is not known
    return [act_event(run, "mkdir", "a", pid), act_event(run, "mkdir", "b", pid), act_event(run, "rename", "b", pid),
            act_event(run, "rename", "a", pid), act_event(run, "rename", "b", pid, optional=True),
            act_event(run, "replace", "b", pid, optional=True), act_event(run, "rmdir", "b", pid, optional=True),
            Never("attributes", "a"), Never("attributes", "b")]


# ---- metadata ----

@scenario("file capabilities", needs=META, before=files("f"))
def _(run):
    return [act_event(run, "setxattr", "f", run.act("setcap", run.path("f")))]


@scenario("an ACL set and removed, a default ACL", needs=META, before=files("f", "d/x"), harmless=("chmod",))
def _(run):
    run.sh("setfacl -m u:5:rw f")
    run.said(json.dumps(run.path("f")))  # two in one read of fanotify are "attributes, not known which"
    run.sh("setfacl -b f; setfacl -d -m u:5:rw d")
    return [Event("setacl|setxattr", "f", executable="/usr/bin/setfacl"),
            Event("setacl|setxattr|removexattr", "f", executable="/usr/bin/setfacl"),
            Event("setacl|setxattr", "d", executable="/usr/bin/setfacl")]


BOTH = """
import os, sys
def wait(descriptor):
    os.read(descriptor, 1) # until there is something, or nobody is left to say it
ready, go, done = os.pipe(), [os.pipe(), os.pipe()], os.pipe()
for i, change in enumerate((lambda f: os.chmod(f, 0o600), lambda f: os.chown(f, 5, 6))):
    if not os.fork():
        wait(go[i][0])
        change(sys.argv[1])
        os.write(done[1], b".")
        wait(0)
        os._exit(0)
print("ready", flush=True)
wait(0)
for i in range(2):
    os.write(go[i][1], b".")
    wait(done[0])
print("done", flush=True)
wait(0)
"""


@scenario("two of one script change attributes of a file while the reader is late", needs=META, before=files("f"), alone=True)
def _(run):
    with subprocess.Popen(["python3", "-c", BOTH, run.path("f")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as p:
        p.stdout.readline()
        run.session.process.send_signal(signal.SIGSTOP)
        try:
            p.stdin.write(b".")
            p.stdout.readline()
        finally:
            run.session.process.send_signal(signal.SIGCONT)
        run.reported("chown")
        p.stdin.close()
    return [Event("chmod", "f", culprit__before__mode="0644", culprit__after__mode="0600"),
            Event("chown", "f", culprit__before__uid="0", culprit__after__uid="5"), Never("attributes", "f")]


@scenario("two strangers change attributes of a file while the reader is late", needs=META, before=files("f"), alone=True)
def _(run):
    actors = []
    for name, call in (("a.py", "chmod(sys.argv[1], 0o600)"), ("b.py", "chown(sys.argv[1], 5, 6)")):
        script = run.write(f"{run.out}/{name}", f"import os, sys\nos.read(0, 1)\nos.{call}\nprint('done', flush=True)\nos.read(0, 1)\n")
        actors.append(subprocess.Popen(["python3", script, run.path("f")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0))
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        for p in actors:
            p.stdin.write(b"\n")
            p.stdout.readline()
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    run.said(json.dumps(actors[1].pid))
    for p in actors:
        p.stdin.close()
        p.stdout.close()
        p.wait()
    # which of them did what is known to who saw the calls; else it is not, and nobody is accused of the other's
    return [Event("chmod|attributes", "f", pid=actors[0].pid), Event("chown|attributes", "f", pid=actors[1].pid)]


@scenario("chown that clears the set-user-id bit", needs=META, before=files("f", mode=0o4755), harmless=("chmod",))
def _(run):
    return [act_event(run, "chown", "f", run.act("chown", run.path("f"), 5, 6), culprit__after__uid="5")]


# ---- mounts ----

@scenario("a file system mounted below the watched folder before the watch", needs=("names", "any-alias"),
          before=lambda run: (os.mkdir(run.path("m")), subprocess.run(["mount", "-t", "tmpfs", "t", run.path("m")], check=True),
                              run.write("m/f")))
def _(run):
    return [act_event(run, "unlink", "m/f", run.act("unlink", run.path("m/f")))]


# audit's rules stay with the folder that they were made for; culprit looks again from time to time
LATER = {"audit": "a mount below the watched folder, or its own renaming, is followed at the next look"}


@scenario("a file system mounted below the watched folder", needs=("mounts",), gaps=True, limits=LATER,
          before=lambda run: os.mkdir(run.path("m")))
def _(run):
    one = run.act("mount-tmpfs", run.path("m"))
    run.reported("mount")
    run.settle(0.5)
    run.sh("echo x > m/f; rm m/f")
    two = run.act("umount", run.path("m"))
    return [act_event(run, "mount", "m", one), act_event(run, "unmount", "m", two), Event("create", "m/f"),
            Event("unlink", "m/f")]


@scenario("another file system in the place of one that was unmounted", gaps=True, harmless=("create", "utime", "mount", "unmount"), limits=LATER,
          before=lambda run: (os.mkdir(run.path("m")), subprocess.run(["mount", "-t", "tmpfs", "t", run.path("m")], check=True)))
def _(run):
    """It has the same device's number, as a rule, and none of the marks of the first one."""
    run.sh("> m/first")
    if not run.said("m/first", 20):
        raise Skip("what is done on a tmpfs is not seen here")
    for _ in range(2):
        subprocess.run(["umount", run.path("m")], check=True)
        run.settle(1.5)  # looked at while nothing was mounted, and after
        subprocess.run(["mount", "-t", "tmpfs", "t", run.path("m")], check=True)
        run.settle(1.5)
    for i in range(60):
        run.sh(f"> m/p{i}")
        if run.said(f"m/p{i}", 1):
            break
    return [act_event(run, "unlink", f"m/p{i}", run.act("unlink", run.path(f"m/p{i}")))]


@scenario("a folder bound over the watched one by the new mount calls", needs=("mounts",), gaps=True)
def _(run):
    pid = run.act("move-mount", run.out, run.path())
    run.settle(0.3)
    two = run.act("umount", run.path())
    return [act_event(run, "mount", "", pid), act_event(run, "unmount", "", two)]


# ---- aliases ----

def linked(run):
    run.write("f")
    os.link(run.path("f"), run.out + "/alias")


@scenario("one watched file, changed by its other name outside", needs=("any-alias",), before=linked,
          targets=lambda run: [run.path("f")])
def _(run):
    return [act_event(run, "chmod", ("f", run.out + "/alias"), run.act("chmod", run.out + "/alias", "600"))]


@scenario("a file of the watched folder, changed by its other name outside", needs=("any-alias",), before=linked)
def _(run):
    return [act_event(run, "chmod", ("f", run.out + "/alias"), run.act("chmod", run.out + "/alias", "600"))]


# ---- what is watched ----

@scenario("the watched folder itself deleted", before=lambda run: os.mkdir(run.path("d")),
          targets=lambda run: [run.path("d")], gaps=True)
def _(run):
    return [act_event(run, "rmdir", "d", run.act("rmdir", run.path("d")))]


# the kernel drops the rules of what is gone, which nobody deleted
@scenario("the watched folder removed, and the one above it", before=files("a/b/d/f"), targets=lambda run: [run.path("a/b/d")],
          harmless=("unlink",))
def _(run):
    run.steps("rm -r a/b/d", 0.5, "rmdir a/b", 0.3, "rmdir a")
    return [Event("rmdir", "a/b/d", executable="/usr/bin/rm")]


# the new one has the old one's inode number on many file systems
@scenario("the watched folder removed and made anew at once", before=files("d/f"), targets=lambda run: [run.path("d")], gaps=True,
          harmless=("rmdir", "unlink", "mkdir"))
def _(run):
    run.steps("rm -r d && mkdir d", 1, "echo x > d/new; rm d/new")
    return [Event("create", "d/new"), Event("unlink", "d/new", executable="/usr/bin/rm")]


@scenario("the folder above the watched one removed and made anew at once", before=files("a/d/f"),
          targets=lambda run: [run.path("a/d")], gaps=True, harmless=("rmdir", "unlink", "mkdir", "create"))
def _(run):
    run.steps("rm -r a && mkdir -p a/d && echo x > a/d/g", 0.3, "rm a/d/g")
    return [Event("unlink", "a/d/g", executable="/usr/bin/rm")]


@scenario("the watched folder renamed, and back", before=files("d/f"), targets=lambda run: [run.path("d")], gaps=True,
          limits=LATER)
def _(run):
    run.steps("mv d e", ("rename", "e"), 0.3, "mv e d", ("rename", "d"), 0.3, "rm d/f")
    return [Event("rename", "e", culprit__file__previous_path="d"), Event("rename", "d", culprit__file__previous_path="e"),
            Event("unlink", "d/f", executable="/usr/bin/rm")]


@scenario("the folder above the watched one renamed away and replaced", before=files("a/d/f"),
          targets=lambda run: [run.path("a/d")], gaps=True, harmless=("rename", "mkdir"))
def _(run):
    run.steps("mv a b", ("rename", "b"), 0.3, "mkdir -p a/d", ("mkdir", "a/d"), 0.3, "echo x > a/d/g; rm a/d/g")
    return [Event("create", "a/d/g"), Event("unlink", "a/d/g")]


REPLACED = {"fanotify": "what is done below a folder that replaces one above, before it is watched, is a gap"}


# before anybody looked: what is reported of the new one must not be what is in the old one's place
@scenario("the folder above the watched one renamed away and replaced at once", before=files("a/d/s/f"),
          targets=lambda run: [run.path("a/d")], gaps=True, harmless=("rename", "mkdir"), limits=REPLACED)
def _(run):
    run.steps("mv a b; mkdir -p a/d/s", 0.6, "echo x > a/d/s/g; rm b/d/s/f", 0.3, "rm a/d/s/g; chmod 700 a/d/s")
    return [Event("create", "a/d/s/g"), Event("unlink", "a/d/s/g"), Event("chmod", "a/d/s")]


@scenario("the folder above the watched one renamed away and replaced, changed there, while the reader is late", before=files("a/d/s/f"),
          targets=lambda run: [run.path("a/d")], gaps=True, alone=True, harmless=("rename", "mkdir"),
          limits=REPLACED)
def _(run):
    if run.session.sensor != "fanotify":
        raise Skip("it is fanotify's queue that is read late")
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        run.sh("mv a b; mkdir -p a/d/s; echo x > a/d/s/g; rm b/d/s/f")
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    run.settle(0.6)
    run.act("unlink", run.path("a/d/s/g"))
    return [Event("create", "a/d/s/g"), Event("unlink", "a/d/s/g", executable="act"), Never("unlink", "a/d/s/f")]


# a watch of audit's is a dozen rules, and the kernel takes its time for each
@scenario("a thousand watches", alone=True, anywhere=True, costly=("audit", "auto"),
          before=lambda run: [run.write(f"d{i}/f") for i in range(1000)],
          targets=lambda run: [run.path(f"d{i}") for i in range(1000)])
def _(run):
    return [act_event(run, "unlink", f"d{i}/f", run.act("unlink", run.path(f"d{i}/f"))) for i in (0, 500, 999)]


@scenario("reads", needs=("reads",), options=["-p", "r"], before=files("f", "g"))
def _(run):
    run.sh("cat f; echo x > g")
    return [Event("read", "f", executable="/usr/bin/cat")]


@scenario("executions", needs=("executions",), options=["-p", "x"],
          before=lambda run: run.write("prog", "#!/bin/sh\n:\n", 0o755))
def _(run):
    run.sh("./prog; cat prog")
    return [Event("exec", "prog")]


# ---- itself ----

@scenario("only attributes were asked for", needs=META, options=["-p", "a"], before=files("f"))
def _(run):
    run.sh("echo x > g; chmod 600 f; rm g")
    return [Event("chmod", "f", executable="/usr/bin/chmod")]
