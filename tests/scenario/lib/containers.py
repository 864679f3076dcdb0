# SPDX-License-Identifier: MIT
"""The scenarios with containers: every access path to a container's file, and a container's life."""
import os
import signal
import subprocess

from lib.expect import Event, Never
from lib.scenario import act_event, scenario
from lib.silence import Silence

WEB = lambda run: ["web:/prd"]  # noqa: E731
# what an engine's own set-up may write when a container starts
SETUP = ("create", "mkdir", "mknod", "chmod", "chown", "truncate", "mount", "unmount", "symlink", "utime", "setxattr")


def web(*options, after=None):
    def before(run):
        run.id = run.docker.run("web", *options)
        run.docker("exec", "web", "sh", "-c", "echo x > /prd/upper; echo y > /prd/sub/upper2")
        if after:
            after(run)
    return before


def container(name, before=web(), targets=WEB, harmless=(), gaps=False, needs=("names",), limits=None):
    return scenario("container: " + name, needs=needs, before=before, targets=targets, harmless=harmless, gaps=gaps,
                    limits=limits, after=lambda run: run.docker.clear())


def gone(path, origin="host", **more):
    return Event("unlink", path, culprit__origin=origin, culprit__victim__container__name="web", **more)


@container("a change from inside, by docker exec")
def _(run):
    run.docker("exec", "web", "rm", "/prd/upper")
    run.docker("exec", "web", "sh", "-c", "cd /prd/sub && rm upper2")
    return [gone("/prd/upper", "container", container__name="web"),
            gone("/prd/sub/upper2", "container", container__name="web")]


@container("a file that is only in a lower layer")
def _(run):
    run.docker("exec", "web", "rm", "/prd/lower")
    return [gone("/prd/lower", "container")]


@container("a lower file, the folder above copied up", before=lambda run: run.docker.run("web"),
           targets=lambda run: ["web:/prd/sub"])
def _(run):
    run.docker("exec", "web", "sh", "-c", "rm /prd/sub/deep")
    return [gone("/prd/sub/deep", "container")]


@container("chmod, chown and write of a lower file", harmless=("create", "truncate"))
def _(run):
    run.docker("exec", "web", "sh", "-c", "chmod 700 /prd/lower; chown im /prd/lower2; echo more >> /prd/sub/deep")
    return [Event("chmod", "/prd/lower", culprit__before__mode="0644", culprit__after__mode="0700"),
            Event("chown", "/prd/lower2", culprit__after__uid="1000", culprit__after__owner="im"),
            Event("open-write", "/prd/sub/deep", culprit__origin="container")]


@container("rename within, and of a lower file")
def _(run):
    run.docker("exec", "web", "sh", "-c", "mv /prd/upper /prd/u2; mv /prd/lower /prd/sub/l2")
    return [Event("rename", "/prd/u2", culprit__file__previous_path="/prd/upper"),
            Event("rename", "/prd/sub/l2", culprit__file__previous_path="/prd/lower")]


@container("by /proc/PID/root from the host")
def _(run):
    pid = run.act("unlink", f"/proc/{run.docker.pid('web')}/root/prd/upper")
    return [gone("/prd/upper", pid=pid, executable="act")]


@container("through the merged directory from the host")
def _(run):
    merged = run.docker.inspect("web", "{{.GraphDriver.Data.MergedDir}}")
    pid = run.act("unlink", merged + "/prd/upper")
    low = run.act("unlink", merged + "/prd/lower")
    return [gone("/prd/upper", pid=pid, executable="act"), gone("/prd/lower", pid=low)]


@container("in the upper directory from the host")
def _(run):
    upper = run.docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}")
    pid = run.act("unlink", upper + "/prd/upper")
    return [gone("/prd/upper", pid=pid, executable="act", culprit__file__host_path=upper + "/prd/upper")]


@container("by nsenter from the host")
def _(run):
    subprocess.run(["nsenter", "-t", str(run.docker.pid("web")), "-m", "/bin/rm", "/prd/upper"], check=True)
    return [Event("unlink", "/prd/upper", culprit__victim__container__name="web")]


@container("written to, each time reported once")
def _(run):
    first, second = "/prd/upper", "/prd/lower"
    for path in (first, second):
        run.docker("exec", "web", "sh", "-c", f"echo more >> {path}")
    return [Event("open-write", first), Event("open-write", second), Event("write", first, optional=True),
            Event("write", second, optional=True), *(Never(w, p) for w in ("open-write", "write") for p in (first, second))]


@container("by id and by a prefix of it", targets=lambda run: [run.id[:12] + ":/prd"])
def _(run):
    run.docker("exec", "web", "rm", "/prd/upper")
    return [gone("/prd/upper", "container")]


@container("a restart, then a deletion", harmless=SETUP)
def _(run):
    run.docker("restart", "-t", "2", "web")
    pid = run.act("unlink", f"/proc/{run.docker.pid('web')}/root/prd/upper")
    return [gone("/prd/upper", pid=pid, culprit__since_start=lambda s: s is not None and -5 < s < 120)]


@container("three restarts, a deletion after each", harmless=SETUP)
def _(run):
    expected = []
    for name in ("upper", "lower", "sub/upper2"):
        run.docker("restart", "-t", "2", "web")
        pid = run.act("unlink", f"/proc/{run.docker.pid('web')}/root/prd/{name}")
        expected.append(gone("/prd/" + name, pid=pid))
    return expected


def late(run, *commands):
    """culprit sees nothing of what the engine does until a file is deleted."""
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        for command in commands:
            run.docker(*command)
        root = f"/proc/{run.docker.pid('web')}/root"
        return [gone(name, pid=run.act("unlink", root + name)) for name in ("/prd/sub/upper2", "/prd/lower")]
    finally:
        run.session.process.send_signal(signal.SIGCONT)


@container("a restart that culprit is late for", harmless=SETUP)
def _(run):
    return late(run, ("restart", "-t", "2", "web"))


def with_silence(run):
    web("--tmpfs", "/prd/t")(run)
    run.silence = Silence(run.work + "/docker.sock", run.docker.host)


# neither its end nor its new life is reported, and no question answered, until all is done
@scenario("container: a restart while the engine does not answer", before=with_silence, targets=WEB, gaps=True, harmless=SETUP,
          after=lambda run: (run.silence.end(), run.docker.clear()))
def _(run):
    run.silence.hush()
    run.docker("restart", "-t", "2", "web")
    pid = run.docker.pid("web")
    run.settle(0.3)
    expected = [gone(name, pid=run.act("unlink", f"/proc/{pid}/root{name}"), culprit__since_start=lambda s: s is None or -5 < s < 120)
                for name in ("/prd/upper", "/prd/lower")]
    run.docker("exec", "web", "sh", "-c", "echo > /prd/t/f; rm /prd/t/f")  # in no layer
    run.settle(4)  # longer than a question is waited for
    expected.append(gone("/prd/sub/deep", pid=run.act("unlink", f"/proc/{pid}/root/prd/sub/deep")))
    run.silence.speak()
    run.settle(0.5)
    run.docker("exec", "web", "rm", "/prd/sub/upper2")
    return [*expected, gone("/prd/t/f", "container", culprit__victim__kind="volume"), gone("/prd/sub/upper2", "container")]


@container("a start that culprit is late for", harmless=SETUP)
def _(run):
    run.docker("stop", "-t", "2", "web")
    run.settle(0.3)
    return late(run, ("start", "web"))


@container("stopped and started, both while culprit is late", harmless=SETUP, gaps=True,
           limits={"audit": "the mount was made anew before anybody looked for it"})
def _(run):
    expected = late(run, ("stop", "-t", "2", "web"), ("start", "web"))
    if run.session.sensor == "audit" and not run.said("had started again before"):
        raise RuntimeError("neither reported nor said to be missing")
    return expected


@container("made and moved away, both while culprit is late", targets=lambda run: ["web:/prd/mid/leaf"], gaps=True,
           limits={"fanotify": "what is there is looked at when its turn comes: by then it is somewhere else"})
def _(run):
    run.session.process.send_signal(signal.SIGSTOP)
    try:
        run.docker("exec", "web", "sh", "-c", "mkdir /prd/mid; mkdir /prd/mid/leaf; mv /prd/mid /prd/gone")
    finally:
        run.session.process.send_signal(signal.SIGCONT)
    return [Event("mkdir", "/prd/mid/leaf", container__name="web"),
            Event("rename", "/prd/gone", culprit__file__previous_path="/prd/mid", culprit__file__carried="/prd/mid/leaf")]


def twins(run):
    web(after=lambda run: run.docker.run("other"))(run)
    run.docker("exec", "other", "sh", "-c", "echo z > /prd/sub/upper3")


# audit's rules are distinguished by their text alone: the second container's must not be the first one's
@container("the same path in two of one image", before=twins, targets=lambda run: ["web:/prd", "other:/prd"],
           harmless=("create", "truncate"))
def _(run):
    run.docker("exec", "other", "sh", "-c", "rm /prd/sub/upper3; chmod 700 /prd/lower2; chmod 711 /prd/sub; mkdir /prd/sub/d")
    run.docker("exec", "other", "sh", "-c", "rmdir /prd/sub/d; mv /prd/lower /prd/sub/l")
    run.docker("exec", "web", "sh", "-c", "rm /prd/sub/upper2 /prd/sub/deep; chmod 700 /prd/sub")
    theirs = {"container__name": "other", "culprit__victim__container__name": "other"}
    return [Event("unlink", "/prd/sub/upper3", **theirs), Event("chmod", "/prd/lower2", **theirs),
            Event("chmod", "/prd/sub", culprit__after__mode="0711", **theirs), Event("mkdir", "/prd/sub/d", **theirs),
            Event("rmdir", "/prd/sub/d", **theirs),
            Event("rename", "/prd/sub/l", culprit__file__previous_path="/prd/lower", **theirs),
            gone("/prd/sub/upper2", "container", container__name="web"),
            gone("/prd/sub/deep", "container", container__name="web"),
            Event("chmod", "/prd/sub", culprit__after__mode="0700", culprit__victim__container__name="web")]


# the record of mount(2) has a path and no namespace
@container("a mount at the same path in one of two", before=twins, targets=lambda run: ["web:/prd", "other:/prd"],
           needs=("mounts",))
def _(run):
    inside = ["nsenter", "-t", str(run.docker.pid("other")), "-m", "/bin/busybox"]
    subprocess.run([*inside, "mount", "-t", "tmpfs", "none", "/prd/sub"], check=True)
    run.reported("mount")
    subprocess.run([*inside, "umount", "/prd/sub"], check=True)
    return [Event(action, "/prd/sub", culprit__victim__container__name="other") for action in ("mount", "unmount")]


def alike(run):
    web()(run)
    run.write("f")
    run.docker("exec", "web", "sh", "-c", f"mkdir -p {run.dir}/d; touch {run.dir}/f {run.dir}/g {run.dir}/d/x")


# watches of the host, of a file and of what is not there yet, and a container that has the same names
@container("a name of the host that a container has too", before=alike, harmless=("create",),
           targets=lambda run: [run.path("f"), run.path("g"), run.path("d"), "web:" + run.dir])
def _(run):
    run.docker("exec", "web", "rm", "-r", run.path("f"), run.path("g"), run.path("d"))
    run.docker("exec", "web", "sh", "-c", f"cd {run.dir}; touch f; mv f g; rm g")
    inside = {"culprit__victim__container__name": "web"}
    return [Event("unlink", "f", **inside), Event("unlink", "g", **inside), Event("unlink", "d/x", **inside),
            Event("rmdir", "d", **inside), Event("create", "f", **inside), Event("rename", "g", **inside),
            Event("unlink", "g", **inside),
            act_event(run, "unlink", "f", run.act("unlink", run.path("f")), culprit__victim__kind="host")]


@container("stopped, then changed in its layer", harmless=SETUP)
def _(run):
    upper = run.docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}")
    run.docker("stop", "-t", "2", "web")
    return [gone("/prd/upper", pid=run.act("unlink", upper + "/prd/upper"))]


@container("stopped and started again", harmless=SETUP)
def _(run):
    run.docker("stop", "-t", "2", "web")
    run.settle(0.3)
    run.docker("start", "web")
    run.docker("exec", "web", "rm", "/prd/upper")
    return [gone("/prd/upper", "container")]


# the engine itself deletes the old layer's files
@container("removed and created again with the same name", harmless=SETUP + ("rmdir", "unlink"))
def _(run):
    run.docker.run("web")
    run.settle(0.3)
    run.docker("exec", "web", "rm", "/prd/lower")
    return [gone("/prd/lower", "container")]


@container("not created yet", before=None, harmless=SETUP)
def _(run):
    run.docker.run("web")
    run.settle(0.5)
    run.docker("exec", "web", "rm", "/prd/lower")
    return [gone("/prd/lower", "container")]


@container("its own entrypoint is the culprit", before=None, harmless=SETUP)
def _(run):
    run.docker.run("web", command=["/bin/sh", "-c", "rm /prd/lower /prd/sub/deep; sleep 1000"])
    deep = f"/proc/{run.docker.pid('web')}/root/prd/sub/deep"
    run.until(lambda: not os.path.exists(deep))
    run.settle(0.3)
    return [gone("/prd/lower", "container"), gone("/prd/sub/deep", "container")]


# as hardening guides have them: loaded before ours, their key is in the record instead of ours
AUDITED = ["-a", "always,exit", "-F", "arch=b64", "-S", "unlink,unlinkat,rename,renameat,renameat2", "-k", "delete"]


def audited(run):
    subprocess.run(["auditctl", *AUDITED], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def unaudited(run):
    subprocess.run(["auditctl", "-d", *AUDITED[1:]], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run.docker.clear()


@scenario("container: its own entrypoint, beside somebody's audit rules", before=audited, targets=WEB,
          harmless=SETUP, after=unaudited)
def _(run):
    run.docker.run("web", command=["/bin/sh", "-c", "rm /prd/lower /prd/sub/deep; sleep 1000"])
    deep = f"/proc/{run.docker.pid('web')}/root/prd/sub/deep"
    run.until(lambda: not os.path.exists(deep))
    run.settle(0.3)
    return [gone("/prd/lower", "container"), gone("/prd/sub/deep", "container")]


def bound(run):
    run.write(run.out + "/data/f")
    run.write(run.out + "/data/g")
    run.docker.run("web", "-v", run.out + "/data:/prd")


@container("a folder of the host, changed from the host and from inside", before=bound)
def _(run):
    pid = run.act("unlink", run.out + "/data/f")
    run.docker("exec", "web", "rm", "/prd/g")
    return [gone("/prd/f", pid=pid, executable="act"), gone("/prd/g", "container")]


def two(run):
    bound(run)
    run.docker.run("other", "-v", run.out + "/data:/elsewhere")


@container("a folder of the host in two containers", before=two)
def _(run):
    run.docker("exec", "other", "rm", "/elsewhere/f")
    return [gone("/prd/f", "container", container__name="other")]


def volumes(run):
    run.docker.run("web", "-v", "shared:/prd/vol")
    run.docker.run("other", "-v", "shared:/mnt")
    run.docker("exec", "web", "sh", "-c", "echo x > /prd/vol/f")


@container("two containers sharing a volume below the watched folder", before=volumes)
def _(run):
    run.docker("exec", "other", "rm", "/mnt/f")
    run.docker("exec", "web", "rm", "/prd/lower")
    return [gone("/prd/vol/f", "container", container__name="other"), gone("/prd/lower", "container")]


@container("a tmpfs in the container", before=lambda run: (run.docker.run("web", "--tmpfs", "/prd/t"),
                                                           run.docker("exec", "web", "touch", "/prd/t/f")))
def _(run):
    run.docker("exec", "web", "rm", "/prd/t/f")
    return [gone("/prd/t/f", "container")]


@container("the host's folder above it is watched", targets=lambda run: [os.path.dirname(
    run.docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}")) + "/diff"])
def _(run):
    upper = run.docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}")
    pid = run.act("unlink", upper + "/prd/upper")
    return [Event("unlink", upper + "/prd/upper", pid=pid, culprit__origin="host")]
