# SPDX-License-Identifier: MIT
"""Every access path to a container's file, on every engine: the same change, the same answer."""
import os
import subprocess

from lib.containers import SETUP
from lib.expect import Event
from lib.scenario import scenario

ENGINES = ["docker", "podman", "containerd", "runc"]


def access_path(name, engines=None, options=None, targets=("web:/prd",), harmless=(), gaps=False, needs=("names",), files=True, limits=None):
    """One scenario for each engine. options: of its run, made from the run; files: in its own layer first."""
    def add(function):
        for engine in engines or ENGINES:
            def before(run, engine=engine):
                run.engine = run.engines.get(engine)
                run.engine.run("web", *(options(run, run.engine) if options else ()))
                if files:
                    run.engine.exec("web", "echo x > /prd/upper; echo y > /prd/sub/upper2")

            # containerd moves a task's folder aside before it removes it: a folder above the watched path
            aside = ("rename",) if engine == "containerd" else ()
            scenario(f"{engine}: {name}", needs=needs, before=before, harmless=tuple(harmless) + aside, gaps=gaps, limits=limits,
                     targets=lambda run: list(targets),
                     after=lambda run: run.engine and run.engine.clear())(lambda run, engine=engine: function(run, run.engine))
        return function
    return add


def gone(path, origin="host", victim="web", **more):
    return Event("unlink", path, culprit__origin=origin, culprit__victim__container__name=victim, **more)


LAYERED = ["docker", "podman", "containerd"]


@access_path("a folder above is moved away and comes back", targets=("web:/prd/mid/leaf",), gaps=True)
def _(run, engine):
    for script, *reported in (("mkdir -p /prd/mid/leaf", "mkdir", "/prd/mid/leaf"),
                              ("echo x > /prd/mid/leaf/k; mv /prd/mid /prd/gone", "rename", "/prd/gone"),
                              ("mv /prd/gone /prd/mid", "rename", "/prd/mid")):
        engine.exec("web", script)
        run.seen(*reported)
        run.settle(1)
    engine.exec("web", "rm /prd/mid/leaf/k")
    moved = {"culprit__origin": "container", "culprit__victim__container__name": "web",
             "culprit__file__carried": "/prd/mid/leaf"}
    return [Event("mkdir", "/prd/mid/leaf"), Event("mkdir", "/prd/mid/leaf", optional=True), Event("create", "/prd/mid/leaf/k"),
            Event("rename", "/prd/gone", culprit__file__previous_path="/prd/mid", **moved),
            Event("rename", "/prd/mid", culprit__file__previous_path="/prd/gone", **moved),
            gone("/prd/mid/leaf/k", "container", container__name="web")]


@access_path("a folder that does not exist yet, one name after the other", engines=["docker", "runc"], targets=("web:/prd/mid/leaf",))
def _(run, engine):
    # so far apart that each is looked at before the next one comes
    for script, *reported in (("mkdir /prd/mid",), ("mkdir /prd/mid/leaf", "mkdir", "/prd/mid/leaf"),
                              ("echo x > /prd/mid/leaf/k", "create", "/prd/mid/leaf/k")):
        engine.exec("web", script)
        if reported:
            run.seen(*reported)
        run.settle(0.7)
    engine.exec("web", "rm /prd/mid/leaf/k")
    return [Event("mkdir", "/prd/mid/leaf", container__name="web"), Event("create", "/prd/mid/leaf/k"),
            gone("/prd/mid/leaf/k", "container", container__name="web")]


@access_path("exec")
def _(run, engine):
    engine.exec("web", "rm /prd/upper")
    return [gone("/prd/upper", "container", container__name="web")]


@access_path("a file of a lower layer, deleted")
def _(run, engine):
    engine.exec("web", "rm /prd/lower")
    return [gone("/prd/lower", "container", container__name="web")]


@access_path("a file of a lower layer, changed", harmless=("create", "truncate"))
def _(run, engine):
    engine.exec("web", "chmod 700 /prd/lower; echo more >> /prd/sub/deep")
    return [Event("chmod", "/prd/lower", culprit__after__mode="0700", culprit__origin="container"),
            Event("open-write", "/prd/sub/deep", culprit__origin="container")]


@access_path("/proc/PID/root")
def _(run, engine):
    pid = run.act("unlink", f"/proc/{engine.pid('web')}/root/prd/upper")
    return [gone("/prd/upper", pid=pid, executable="act")]


@access_path("the merged directory", engines=LAYERED)
def _(run, engine):
    merged = engine.merged("web")
    pid, low = run.act("unlink", merged + "/prd/upper"), run.act("unlink", merged + "/prd/lower")
    return [gone("/prd/upper", pid=pid, executable="act"), gone("/prd/lower", pid=low)]


@access_path("the layer on the host")
def _(run, engine):
    upper = engine.upper("web")
    pid = run.act("unlink", upper + "/prd/upper")
    return [gone("/prd/upper", pid=pid, executable="act", culprit__file__host_path=upper + "/prd/upper")]


def two(run, engine):
    run.write(run.out + "/data/f")
    run.write(run.out + "/data/g")
    engine.run("other", "-v", run.out + "/data:/elsewhere")
    return "-v", run.out + "/data:/prd/shared"


@access_path("a neighbour by a shared folder", options=two, files=False)
def _(run, engine):
    engine.exec("other", "rm /elsewhere/f")
    return [gone("/prd/shared/f", "container", container__name="other")]


@access_path("the host by a bind mount", options=two, files=False)
def _(run, engine):
    pid = run.act("unlink", run.out + "/data/g")
    return [gone("/prd/shared/g", pid=pid, executable="act", culprit__file__host_path=run.out + "/data/g")]


def volume(run, engine):
    engine.run("other", "-v", "shared:/mnt")
    engine.exec("other", "echo x > /mnt/f")
    return "-v", "shared:/prd/vol"


@access_path("a neighbour by a volume", engines=["docker", "podman"], options=volume, files=False)
def _(run, engine):
    engine.exec("other", "rm /mnt/f")
    return [gone("/prd/vol/f", "container", container__name="other")]


@access_path("a volume by its name", engines=["docker", "podman"], options=volume, files=False, targets=("volume:shared/f",))
def _(run, engine):
    engine.exec("other", "rm /mnt/f")
    return [Event("unlink", lambda path: path.endswith("/shared/_data/f"), culprit__origin="container",
                  container__name="other")]


@access_path("volume rm", engines=["docker", "podman"], options=volume, files=False, targets=("volume:shared",),
             harmless=("rmdir",))
def _(run, engine):
    engine.tool("rm", "-f", "web")
    engine.tool("rm", "-f", "other")
    engine.tool("volume", "rm", "shared")
    return [Event("unlink", lambda path: path.endswith("/shared/_data/f"), culprit__origin="host")]


@access_path("cp into it", engines=["docker", "podman"],
             harmless=("create", "chmod", "chown", "utime", "mount", "unmount", "mkdir", "setxattr", "rename", "unlink", "replace"))
def _(run, engine):
    engine.tool("cp", run.write(run.out + "/new"), "web:/prd/upper")
    return [Event("open-write|create|truncate|replace|rename", "/prd/upper", culprit__victim__container__name="web")]


@access_path("a restart, then a deletion", harmless=SETUP)
def _(run, engine):
    engine.restart("web")
    run.settle(0.2)
    engine.exec("web", "rm /prd/lower")
    return [gone("/prd/lower", "container", container__name="web",
                 culprit__since_start=lambda s: s is not None and -5 < s < 120)]


@access_path("created anew by the same name", harmless=SETUP + ("rmdir", "unlink"), gaps=True)
def _(run, engine):
    engine.run("web")
    run.settle(0.3)
    engine.exec("web", "rm /prd/lower")
    return [gone("/prd/lower", "container", container__name="web")]


# making it anew removes the old files first: that is reported, and is right
@access_path("its own first program", harmless=SETUP + ("rmdir", "unlink"), files=False,
             limits={"fanotify": "until the runtime has changed the root, something else is at the path: a gap may be said",
                     "audit": "the watched folder itself is made anew, and its rules are placed a moment later: a gap is said"})
def _(run, engine):
    engine.run("web", command=["/bin/sh", "-c", "rm /prd/lower /prd/sub/deep; sleep 1000"])
    deep = f"/proc/{engine.pid('web')}/root/prd/sub/deep"
    run.until(lambda: not os.path.exists(deep))
    run.settle(0.3)
    return [gone("/prd/lower", "container"), gone("/prd/sub/deep", "container")]


# ---- by what several have in common ----

def labelled(*labels):
    def options(run, engine):
        return [x for label in labels for x in ("--label", label)]
    return options


@access_path("by label, also one that is made later", options=labelled("tier=front"), targets=("label:tier=front:/prd",),
             harmless=SETUP)
def _(run, engine):
    engine.exec("web", "rm /prd/upper")
    engine.run("late", "--label", "tier=front")
    engine.run("another", "--label", "tier=back")
    run.settle(0.3)
    engine.exec("late", "rm /prd/lower")
    engine.exec("another", "rm /prd/lower")
    return [gone("/prd/upper", "container"), gone("/prd/lower", "container", victim="late")]


@access_path("by Compose service, two replicas", engines=["docker", "podman"],
             options=labelled("com.docker.compose.project=shop", "com.docker.compose.service=front"),
             targets=("compose:shop/front:/prd",), harmless=SETUP)
def _(run, engine):
    engine.run("web2", "--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=front")
    run.settle(0.3)
    engine.exec("web", "rm /prd/lower")
    engine.exec("web2", "rm /prd/lower")
    return [gone("/prd/lower", "container"), gone("/prd/lower", "container", victim="web2")]


@access_path("by pod, with Kubernetes' annotations", engines=["containerd"],
             options=labelled("io.kubernetes.cri.container-type=container", "io.kubernetes.cri.container-name=app",
                              "io.kubernetes.cri.sandbox-name=shop-7d", "io.kubernetes.cri.sandbox-namespace=prod"),
             targets=("pod:prod/shop-7d/app:/prd",))
def _(run, engine):
    engine.exec("web", "rm /prd/upper")
    return [gone("/prd/upper", "container", victim="app")]


@access_path("by image", engines=["docker", "podman"], targets=("image:shop:/prd",))
def _(run, engine):
    engine.exec("web", "rm /prd/upper")
    return [gone("/prd/upper", "container")]


@access_path("a change underneath two containers of one image", engines=["docker", "podman"],
             options=lambda run, engine: engine.run("other") or (),
             harmless=("create", "mknod", "chmod", "chown", "utime", "setxattr")) # the file is put back: others need it
def _(run, engine):
    lower = engine.lower("web")
    subprocess.run(["cp", "-a", lower + "/prd/lower", run.out + "/kept"], check=True)
    pid = run.act("unlink", lower + "/prd/lower")
    run.settle(0.5)
    os.rename(run.out + "/kept", run.out + "/kept2")
    subprocess.run(["cp", "-a", run.out + "/kept2", lower + "/prd/lower"], check=True)
    return [gone("/prd/lower", pid=pid, executable="act",
                 culprit__victim__shared_with=lambda names: names is not None and "other" in names)]
