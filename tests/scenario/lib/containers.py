# SPDX-License-Identifier: MIT
"""The scenarios with containers: every road to a container's file, and a container's life."""
import os
import subprocess
import time

from lib.expect import Event
from lib.scenarios import scenario

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


def container(name, before=web(), targets=WEB, harmless=(), gaps=False, needs=("names",)):
    return scenario("container: " + name, needs=needs, before=before, targets=targets, harmless=harmless, gaps=gaps,
                    after=lambda run: run.docker.clear())


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


@container("by id and by a prefix of it", targets=lambda run: [run.id[:12] + ":/prd"])
def _(run):
    run.docker("exec", "web", "rm", "/prd/upper")
    return [gone("/prd/upper", "container")]


@container("a restart, then a deletion", harmless=SETUP)
def _(run):
    run.docker("restart", "-t", "2", "web")
    pid = run.act("unlink", f"/proc/{run.docker.pid('web')}/root/prd/upper")
    return [gone("/prd/upper", pid=pid, culprit__since_start=lambda s: s is not None and -0.5 < s < 10)]


@container("three restarts, a deletion after each", harmless=SETUP)
def _(run):
    expected = []
    for name in ("upper", "lower", "sub/upper2"):
        run.docker("restart", "-t", "2", "web")
        pid = run.act("unlink", f"/proc/{run.docker.pid('web')}/root/prd/{name}")
        expected.append(gone("/prd/" + name, pid=pid))
    return expected


@container("stopped, then changed in its layer", harmless=SETUP)
def _(run):
    upper = run.docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}")
    run.docker("stop", "-t", "2", "web")
    return [gone("/prd/upper", pid=run.act("unlink", upper + "/prd/upper"))]


@container("stopped and started again", harmless=SETUP)
def _(run):
    run.docker("stop", "-t", "2", "web")
    time.sleep(0.3)
    run.docker("start", "web")
    run.docker("exec", "web", "rm", "/prd/upper")
    return [gone("/prd/upper", "container")]


# the engine itself deletes the old layer's files
@container("removed and created again with the same name", harmless=SETUP + ("rmdir", "unlink"))
def _(run):
    run.docker.run("web")
    time.sleep(0.3)
    run.docker("exec", "web", "rm", "/prd/lower")
    return [gone("/prd/lower", "container")]


@container("not created yet", before=None, harmless=SETUP)
def _(run):
    run.docker.run("web")
    time.sleep(0.5)
    run.docker("exec", "web", "rm", "/prd/lower")
    return [gone("/prd/lower", "container")]


@container("its own entrypoint is the culprit", before=None, harmless=SETUP)
def _(run):
    run.docker.run("web", command=["/bin/sh", "-c", "rm /prd/lower /prd/sub/deep; sleep 100"])
    time.sleep(1)
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
