# SPDX-License-Identifier: MIT
"""Scenarios of odd names, of what is watched, of what lies above it, of load."""
import os
import subprocess

from lib.expect import Event
from lib.scenario import act_event, files, scenario

# ---- names of files ----

for title, odd in [("a newline", "a\nb"), ("a tab", "a\tb"), ("a quote", "a\"b'c"), ("a backslash", "a\\b"),
                   ("%s", "%s%n"), ("255 bytes", "n" * 255), ("a leading dash", "-rf"), ("an escape", "\x1b[31mred")]:
    @scenario("a name with " + title, before=files(odd))
    def _(run, odd=odd):
        return [act_event(run, "unlink", odd, run.act("unlink", run.path(odd)))]


@scenario("a name that is not UTF-8", before=lambda run: open(os.path.join(os.fsencode(run.dir), b"x\xff\xfe"), "w").close())
def _(run):
    p = subprocess.Popen([run.act_path, "unlink", os.path.join(os.fsencode(run.dir), b"x\xff\xfe")],
                         stdout=subprocess.DEVNULL)
    p.wait(120)
    return [Event("unlink", "x\ufffd\ufffd", pid=p.pid,
                  culprit__raw=lambda raw: raw is not None and any(v.endswith("78fffe") for v in raw.values()))]


def long_path(run):
    fd = os.open(run.dir, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 120, dir_fd=fd)
        inner = os.open("d" * 120, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    run.fd = fd


@scenario("a path longer than 4,096 bytes", before=long_path)
def _(run):
    p = subprocess.Popen([run.act_path, "unlink", "f"], preexec_fn=lambda: os.fchdir(run.fd),
                         stdout=subprocess.DEVNULL)
    p.wait(120)
    os.close(run.fd)
    return [Event("unlink", "/".join(["d" * 120] * 40 + ["f"]), pid=p.pid)]


@scenario("depth 100", before=lambda run: run.write("/".join(["d"] * 100 + ["f"])))
def _(run):
    path = "/".join(["d"] * 100 + ["f"])
    return [act_event(run, "unlink", path, run.act("unlink", run.path(path)))]


# ---- what is watched ----

@scenario("a watch of one file", before=files("f", "g"), targets=lambda run: [run.path("f")])
def _(run):
    run.act("unlink", run.path("g"))
    return [act_event(run, "unlink", "f", run.act("unlink", run.path("f")))]


@scenario("a watched file replaced by an editor, then deleted", before=files("f"), targets=lambda run: [run.path("f")])
def _(run):
    run.sh("echo new > .f.swp; mv .f.swp f; rm f")
    return [Event("rename", "f", executable="/usr/bin/mv"), Event("replace", "f"), Event("unlink", "f")]


@scenario("a file that does not exist yet", targets=lambda run: [run.path("f")])
def _(run):
    run.sh("echo x > f; rm f")
    return [Event("create", "f"), Event("unlink", "f", executable="/usr/bin/rm")]


@scenario("a folder that does not exist yet", targets=lambda run: [run.path("d/e")])
def _(run):
    run.steps("mkdir d; mkdir d/e", ("mkdir", "d/e"), 0.3, "echo x > d/e/f; rm d/e/f")
    return [Event("mkdir", "d/e"), Event("create", "d/e/f"), Event("unlink", "d/e/f")]


@scenario("a folder that does not exist yet, one name after the other", targets=lambda run: [run.path("d/e")])
def _(run):
    run.steps("mkdir d", 0.3, "cd d; mkdir e", ("mkdir", "d/e"), 0.3, "cd d; echo x > e/f; rm e/f")
    return [Event("mkdir", "d/e"), Event("create", "d/e/f"), Event("unlink", "d/e/f")]


@scenario("a folder deleted and made again", before=files("d/f"), targets=lambda run: [run.path("d")], gaps=True)
def _(run):
    run.steps("rm -r d", ("rmdir", "d"), 0.3, "mkdir d", ("mkdir", "d"), 0.3, "echo x > d/g; rm d/g")
    return [Event("unlink", "d/f"), Event("rmdir", "d"), Event("mkdir", "d"), Event("create", "d/g"),
            Event("unlink", "d/g")]


# ---- what lies above the watched path ----

def above(run, old, new, target, **more):
    return Event("rename", new, culprit__file__previous_path=run.path(old), culprit__file__carried=run.path(target), **more)


@scenario("a folder above is moved away", before=files("d/mid/leaf/k"), targets=lambda run: [run.path("d/mid/leaf/k")])
def _(run):
    return [above(run, "d/mid", "d/gone", "d/mid/leaf/k", pid=run.act("rename", run.path("d/mid"), run.path("d/gone")))]


@scenario("a folder above is moved away and comes back", before=files("d/mid/leaf/k"),
          targets=lambda run: [run.path("d/mid/leaf/k")], gaps=True)
def _(run):
    run.steps("mv d/mid d/gone", ("rename", "d/gone"), 0.5, "mv d/gone d/mid", ("rename", "d/mid"), 0.5, "rm d/mid/leaf/k")
    return [above(run, "d/mid", "d/gone", "d/mid/leaf/k"), above(run, "d/gone", "d/mid", "d/mid/leaf/k"),
            Event("unlink", "d/mid/leaf/k", executable="/usr/bin/rm")]


@scenario("a folder above is moved away and made anew", before=files("d/mid/leaf/k"),
          targets=lambda run: [run.path("d/mid/leaf/k")], gaps=True)
def _(run):
    run.steps("mv d/mid d/gone; mkdir -p d/mid/leaf", 0.5, "echo x > d/mid/leaf/k", ("create", "d/mid/leaf/k"), 0.3, "rm d/mid/leaf/k")
    return [above(run, "d/mid", "d/gone", "d/mid/leaf/k"), Event("create", "d/mid/leaf/k"),
            Event("unlink", "d/mid/leaf/k", executable="/usr/bin/rm")]


# an engine's storage is, for as long as each of its commands takes
@scenario("a folder above is mounted on itself for a moment", before=files("d/mid/f"), targets=lambda run: [run.path("d/mid")],
          harmless=("mount", "unmount"))
def _(run):
    run.steps("mount --bind d d", 1.2, "umount d", 1.2)
    return [act_event(run, "unlink", "d/mid/f", run.act("unlink", run.path("d/mid/f")))]


@scenario("a folder several levels up is moved", before=lambda run: (run.write("d/mid/leaf/k"), run.write("o/x/f")),
          targets=lambda run: [run.path("d/mid/leaf")])
def _(run):
    return [above(run, "d", "o/x/b", "d/mid/leaf", pid=run.act("rename", run.path("d"), run.path("o/x/b")))]


@scenario("a link on the way is replaced, removed and made anew",
          before=lambda run: (run.write("one/k"), run.write("two/k"), os.symlink("one", run.path("l"))),
          targets=lambda run: [run.path("l/k")], gaps=True)
def _(run):
    run.steps("ln -s two l.new; mv -T l.new l", 1.5, "rm two/k; rm l", 0.5, "ln -s one l", 1.5, "rm one/k")
    return [above(run, "l.new", "l", "l/k"), Event("unlink", "two/k"),
            Event("unlink", "l", culprit__file__carried=run.path("l/k")),
            Event("symlink", "l", culprit__file__carried=run.path("l/k")), Event("unlink", "one/k")]


@scenario("two watches that overlap", before=files("d/f"), targets=lambda run: [run.path(), run.path("d")])
def _(run):
    pid = run.act("unlink", run.path("d/f"))
    return [act_event(run, "unlink", "d/f", pid), act_event(run, "unlink", "d/f", pid, optional=True)]


@scenario("a watch through a symbolic link", before=lambda run: (run.write("real/f"), os.symlink("real", run.path("l"))),
          targets=lambda run: [run.path("l")])
def _(run):
    return [act_event(run, "unlink", "real/f", run.act("unlink", run.path("real/f")))]


# ---- load, and itself ----

@scenario("a storm elsewhere", alone=True, anywhere=True, before=files("f"))
def _(run):
    storm = subprocess.Popen([run.act_path, "storm", run.out + "/s", "20000"], stdout=subprocess.DEVNULL)
    pid = run.act("unlink", run.path("f"))
    storm.wait(120)
    return [act_event(run, "unlink", "f", pid)]


@scenario("a storm inside", alone=True, anywhere=True, before=files("f"), harmless=("create", "unlink"))
def _(run):
    run.act("storm", run.path("s"), 5000)
    return [act_event(run, "unlink", "f", run.act("unlink", run.path("f")))]


@scenario("the watch covers culprit's own store", alone=True, anywhere=True, before=files("f"), targets=lambda run: [run.work],
          harmless=("create", "unlink", "chmod", "truncate"))
def _(run):
    pid = run.act("unlink", run.path("f"))
    run.settle(1)
    size = os.path.getsize(run.work + "/store.db-wal")
    run.settle(1)
    assert os.path.getsize(run.work + "/store.db-wal") - size < 200000, "it feeds itself"
    return [act_event(run, "unlink", "f", pid)]
