#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guard.py CULPRIT: what is guarded is refused by each access path, with who tried; and however the guard ends, the flags are as
they were. Ends with "N passed, N failed"."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lib.engine import Docker
from lib.snapshot import differences, snapshot

CULPRIT = sys.argv[1]
STATES = "/var/lib/culprit/guard"
STARTED = [] # guards, of which none outlives the test
failures = []
passed = 0


def check(what, condition, detail=""):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(f"{what}: {detail}")
        print(f"   WRONG {what}: {str(detail)[:1500]}", flush=True)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)


def await_(condition, seconds=60):
    for _ in range(seconds * 50):
        if condition():
            return True
        time.sleep(0.02)
    return False


def read(path):
    with open(path, "rb") as f:
        return f.read().decode(errors="replace")


class Guard:
    def __init__(self, work, *arguments, ready=True, number=0):
        STARTED.append(self)
        self.out, self.err = f"{work}/guard{number}.out", f"{work}/guard{number}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([CULPRIT, "guard", "--method", "immutable", "--no-store", "--sensor", os.environ.get("SENSOR", "audit"),
                                             "--format", "json", *arguments], stdout=out, stderr=err)
        if ready and not await_(lambda: "culprit: ready" in read(self.err) or self.process.poll() is not None, 240):
            raise RuntimeError("not ready: " + read(self.err))

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(240)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def lines(self):
        return [json.loads(l) for l in read(self.out).splitlines()]

    def keeper(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                status = read(f"/proc/{pid}/status")
            except OSError:
                continue
            if "Name:\tculprit-guard\n" in status and f"PPid:\t{self.process.pid}\n" in status:
                return int(pid)
        return 0


def end_all():
    for guard in STARTED:
        guard.kill()
    run(CULPRIT, "guard", "--off")


def flags(*roots):
    found = {}
    for root in roots:
        r = run("lsattr", "-R", "-a", root)
        for line in r.stdout.decode(errors="replace").splitlines():
            if " /" in line:
                bits, path = line.split(" ", 1)
                found[path.strip()] = bits
        found[root] = run("lsattr", "-d", root).stdout.decode().split(" ")[0]
    return found


def refused(root, name="lower"):
    """Each way is tried; those that were not refused."""
    ways = {"unlink": lambda: os.remove(f"{root}/{name}"), "append": lambda: open(f"{root}/{name}", "ab").close(),
            "truncate": lambda: os.truncate(f"{root}/{name}", 0), "chmod": lambda: os.chmod(f"{root}/{name}", 0o600),
            "chown": lambda: os.chown(f"{root}/{name}", 1, 1), "rename": lambda: os.rename(f"{root}/{name}", f"{root}/new"),
            "rename the folder": lambda: os.rename(f"{root}/sub", f"{root}/sub2"), "rmtree": lambda: os.remove(f"{root}/sub/deep"),
            "create": lambda: open(f"{root}/new", "x").close(), "mkdir": lambda: os.mkdir(f"{root}/newdir"),
            "link": lambda: os.link(f"{root}/{name}", f"{root}/newlink"), "utime": lambda: os.utime(f"{root}/{name}", (1, 1)),
            "xattr": lambda: os.setxattr(f"{root}/{name}", "user.x", b"1"), "chmod the folder": lambda: os.chmod(root, 0o777)}
    slipped = []
    for way, act in ways.items():
        try:
            act()
            slipped.append(way)
        except PermissionError:
            pass
        except OSError as e:
            slipped.append(f"{way}: {e}")
    return slipped


def layers(docker, name):
    upper = docker.inspect(name, "{{.GraphDriver.Data.UpperDir}}")
    lower = docker.inspect(name, "{{.GraphDriver.Data.LowerDir}}").split(":")
    return upper, lower, docker.inspect(name, "{{.GraphDriver.Data.MergedDir}}")


def container(docker, work):
    docker.run("gweb", command=["/bin/sh", "-c", 'echo mine > /prd/upper; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'])
    upper, lower, _ = layers(docker, "gweb")
    await_(lambda: os.path.exists(upper + "/prd/upper"))
    held = [d + "/prd" for d in [upper, *lower] if os.path.isdir(d + "/prd")]
    before = flags(*held)
    root = lambda: f"/proc/{docker.pid('gweb')}/root/prd"
    tree = snapshot(root())
    guard = Guard(work, "gweb:/prd")
    check("guarded: said, after a test of each", "culprit: guarded: gweb:/prd, " in read(guard.err), read(guard.err))
    for when in ("before a restart", "after a restart"):
        _, _, merged = layers(docker, "gweb")
        for path, name in ((root(), "the container's root"), (merged + "/prd", "merged"), (held[-1], "the image's layer")):
            check(f"{when}: refused by {name}", refused(path) == [], refused(path))
        r = docker("exec", "gweb", "sh", "-c", "rm -rf /prd/*; echo x > /prd/new", check=False)
        check(f"{when}: refused inside", r.returncode != 0 and differences(tree, snapshot(root()), ("",)) == [],
              (r.returncode, differences(tree, snapshot(root()))))
        if when.startswith("before"):
            check("restart", docker("restart", "-t", "1", "gweb", check=False).returncode == 0)
    doctor = json.loads(run(CULPRIT, "doctor", "--format", "json").stdout)
    check("doctor lists it", any(g["target"] == "gweb:/prd" and g["method"] == "immutable" and g["files"] >= 4 for g in doctor["guards"]),
          doctor.get("guards"))
    await_(lambda: '"EPERM"' in read(guard.out), 0 if os.environ.get("SENSOR") == "fanotify" else 20)
    guard.end()
    lines = guard.lines()
    tried = [l for l in lines if l["event"]["kind"] == "event" and l["event"]["outcome"] == "failure" and l["error"]["code"] == "EPERM"]
    # fanotify does not see what is refused
    check("who was refused is named", os.environ.get("SENSOR", "audit") == "fanotify" or any(l["process"]["name"] in ("rm", "busybox") and l["event"]["action"] in ("unlink", "rmdir")
          for l in tried), [(l["event"]["action"], l["process"].get("name")) for l in tried][:5])
    ours = [l for l in lines if l["event"]["kind"] == "event" and l["event"]["action"] == "setflags"]
    check("its own flags are no events", not ours, ours[:1])
    states = [l for l in lines if l["event"].get("dataset") == "culprit.guard"]
    check("JSON: begin and end", [l["event"]["action"] for l in states] == ["guard-begin", "guard-end"] and
          states[0]["culprit"]["guard"]["denied"] == states[0]["culprit"]["guard"]["tested"] > 0, states)
    check("ended: the flags are as they were", flags(*held) == before, differences(before, flags(*held))[:3])
    r = docker("exec", "gweb", "sh", "-c", "rm /prd/upper && echo x > /prd/new && rm /prd/sub/deep", check=False)
    check("ended: everything works again", r.returncode == 0, r.stderr)
    check("ended: nothing is written down", not os.path.exists(STATES) or not os.listdir(STATES))
    docker("rm", "-f", "gweb")


def same_image(docker, work):
    """Two containers of one image: each is guarded until its own guard ends; what is restored beside a guard is not held for ever."""
    for name in ("gone", "gtwo"):
        docker.run(name)
    root = lambda name: f"/proc/{docker.pid(name)}/root/prd"
    lower = [d + "/prd" for d in layers(docker, "gone")[1] if os.path.isdir(d + "/prd")]
    before = flags(*lower)
    os.remove(root("gtwo") + "/sub/deep") # its folder is its own by that
    guard = Guard(work, "gone:/prd")
    r = run(CULPRIT, "restore", "--store", work + "/none.db", "gtwo:/prd")
    check("restored beside a guard", r.returncode == 0 and os.path.exists(root("gtwo") + "/sub/deep"), (r.stdout, r.stderr))
    other = Guard(work, "gtwo:/prd", number=1)
    check("the second container is guarded too", refused(root("gtwo")) == [], (refused(root("gtwo")), read(other.err)))
    guard.end()
    check("the first one's end: the second is still guarded", refused(root("gtwo")) == [], refused(root("gtwo")))
    other.end()
    check("both over: the image's flags are as they were", flags(*lower) == before, differences(before, flags(*lower))[:3])
    found = flags(root("gtwo"))
    check("both over: nothing that was restored is immutable", not any("i" in bits for bits in found.values()), found)
    r = docker("exec", "gtwo", "sh", "-c", "rm -r /prd/sub /prd/lower", check=False)
    check("both over: everything works again", r.returncode == 0, r.stderr)
    docker("rm", "-f", "gone", "gtwo")


def in_use(docker, work):
    """A folder of the image that a process is in: it is guarded or that is refused, never said without being so."""
    docker.run("gcwd", "-w", "/prd/sub")
    guard = Guard(work, "gcwd:/prd")
    slipped = refused(f"/proc/{docker.pid('gcwd')}/root/prd")
    if guard.process.poll() is None:
        check("in use: guarded", slipped == [], slipped)
    else:
        check("in use: refused, and nothing is held", guard.process.returncode == 3 and "not guarded" in read(guard.err), read(guard.err))
    print(f"   in use: {'guarded' if guard.process.poll() is None else 'refused'}", flush=True)
    guard.end()
    docker("rm", "-f", "gcwd")


def make_tree(path):
    os.makedirs(path + "/sub")
    for name in ("lower", "sub/deep", "own"):
        with open(f"{path}/{name}", "w", encoding="ascii") as f:
            f.write("content\n")
    os.symlink("lower", path + "/link")
    run("chattr", "+d", path + "/lower")


def ends(work):
    """Ctrl-C, kill -9 of one and of both, --for, --off; what was immutable before stays so."""
    path = work + "/ends"
    make_tree(path)
    run("chattr", "+i", path + "/own")
    before = flags(path)
    tree = snapshot(path)
    check("its own flag is there", "i" in before[path + "/own"], before)
    nothing_left = lambda: flags(path) == before and not (os.path.exists(STATES) and os.listdir(STATES))
    guard = Guard(work, path)
    check("refused", refused(path) == [], refused(path))
    guard.process.kill()
    guard.process.wait()
    check("kill -9: undone by its keeper", await_(nothing_left), (flags(path), before))
    guard = Guard(work, path)
    keeper = guard.keeper()
    check("the keeper is found", keeper > 0)
    os.kill(keeper, signal.SIGSTOP)
    guard.process.kill()
    guard.process.wait()
    os.kill(keeper, signal.SIGKILL)
    check("kill -9 of both: it stays", await_(lambda: not os.path.exists(f"/proc/{keeper}") or "State:\tZ" in read(f"/proc/{keeper}/status"))
          and refused(path) == [], refused(path))
    r = run(CULPRIT, "rules", "check", "/dev/null")
    check("kill -9 of both: undone by the next command", nothing_left() and b"undone now" in r.stderr, (r.stderr, flags(path)))
    os.lchown(path + "/sub/deep", 1000, 1000) # to take its flag away needs more than the flag's privilege
    guard = Guard(work, path)
    keeper = guard.keeper()
    os.kill(keeper, signal.SIGKILL)
    code = guard.process.wait(240)
    check("kill -9 of the keeper: undone by who asked for it", code in (0, 1) and nothing_left() and
          "who held the guard was ended" in read(guard.err), (code, read(guard.err), flags(path), before))
    guard = Guard(work, path, ready=False)
    await_(lambda: guard.keeper() and "i" in flags(path)[path + "/lower"])
    os.kill(guard.keeper(), signal.SIGKILL)
    code = guard.process.wait(240)
    check("kill -9 of the keeper while it begins: undone too", await_(nothing_left) and code in (0, 1, 3), (code, read(guard.err), flags(path)))
    os.lchown(path + "/sub/deep", 0, 0)
    guard = Guard(work, "--for", "2s", path)
    code = guard.process.wait(240)
    check("--for", nothing_left() and code in (0, 1) and "all 4 are as they were" in read(guard.err), (code, read(guard.err)))
    guard = Guard(work, path)
    r = run(CULPRIT, "guard", "--off", path + "/other")
    check("--off of another: nothing", r.returncode == 1 and guard.process.poll() is None, r.stderr)
    r = run(CULPRIT, "guard", "--off", path)
    check("--off", r.returncode == 0 and nothing_left() and guard.process.wait(240) in (0, 1), (r.stderr, flags(path)))
    guard = Guard(work, path)
    guard.process.send_signal(signal.SIGSTOP)
    r = run(CULPRIT, "guard", "--off")
    check("--off while it is stopped", r.returncode == 0 and nothing_left(), (r.stderr, flags(path)))
    guard.process.send_signal(signal.SIGCONT)
    guard.end()
    guard = Guard(work, path)
    run("chattr", "-i", path + "/lower")
    guard.end()
    check("somebody cleared a flag: said, and as it was", nothing_left() and "of 1 of 4" in read(guard.err), read(guard.err))
    guard = Guard(work, "--log-only", path)
    os.chmod(path + "/lower", 0o600)
    await_(lambda: '"chmod"' in read(guard.out), 20)
    guard.end()
    os.chmod(path + "/lower", 0o644)
    check("--log-only: nothing is held, all is told", nothing_left() and any(l["event"].get("action") == "chmod" for l in guard.lines()),
          read(guard.err))
    check("the tree is what it was", {p: f[:4] for p, f in tree.items()} == {p: f[:4] for p, f in snapshot(path).items()})
    r = run(CULPRIT, "guard", path)
    check("without a method: what it would need", r.returncode == 3 and b"--method immutable" in r.stderr and r.stderr.count(b"\n") == 1, r.stderr)
    for arguments in ([], ["--method", "other", path], ["--for", "0s", path], ["--method", "immutable", "/"]):
        r = run(CULPRIT, "guard", *arguments)
        check(f"guard {arguments}: wrong usage", r.returncode == 2 and r.stderr.count(b"\n") == 1, r.stderr)
    run("chattr", "-i", path + "/own")


def overlapping(work):
    """What two guards hold stays held until the last one ends, whichever that is and however."""
    path = work + "/both"
    make_tree(path)
    before = flags(path)
    held = lambda *names: all("i" in flags(path)[path + name] for name in names)
    nothing_left = lambda: flags(path) == before and not (os.path.exists(STATES) and os.listdir(STATES))
    for inner_first in (False, True):
        for ends_first in (0, 1):
            for how in ("ends", "is killed with its keeper", "is ended by --off"):
                targets = [path + "/sub", path] if inner_first else [path, path + "/sub"]
                pair = [Guard(work, target, number=i) for i, target in enumerate(targets)]
                name = f"{'inner' if inner_first else 'outer'} first, {'second' if ends_first else 'first'} {how}"
                check(f"{name}: both are guarded", all("culprit: guarded" in read(g.err) for g in pair) and refused(path) == [],
                      [read(g.err) for g in pair])
                first, last, left = pair[ends_first], pair[1 - ends_first], targets[1 - ends_first]
                if how == "ends":
                    first.end()
                elif how == "is ended by --off":
                    run(CULPRIT, "guard", "--off", targets[ends_first])
                    first.process.wait(240)
                else:
                    keeper = first.keeper()
                    os.kill(keeper, signal.SIGSTOP)
                    first.kill()
                    os.kill(keeper, signal.SIGKILL)
                    await_(lambda: not os.path.exists(f"/proc/{keeper}") or "State:\tZ" in read(f"/proc/{keeper}/status"))
                    run(CULPRIT, "rules", "check", "/dev/null")
                check(f"{name}: the other one still holds", held("/sub", "/sub/deep") and held("/lower") == (left == path), flags(path))
                last.end()
                check(f"{name}: then nothing is held", nothing_left(), (read(last.err), flags(path), before))


def mounted(work):
    """What is mounted below the target is not the target's, neither a folder nor one file."""
    path, other = work + "/mounts", work + "/mounts-other"
    make_tree(path)
    make_tree(other)
    before = flags(other)
    run("mount", "--bind", other + "/lower", path + "/lower")
    run("mount", "--bind", other + "/sub", path + "/sub")
    try:
        guard = Guard(work, path)
        check("mounted: what is mounted there is not held", flags(other) == before, flags(other))
        check("mounted: the others are", "i" in flags(path)[path + "/own"], flags(path))
        guard.end()
    finally:
        run("umount", path + "/lower")
        run("umount", path + "/sub")


def read_only(work):
    """What cannot be undone (read-only, not mounted) stays written down, is said, and the next command tries again."""
    mount = work + "/ro"
    os.mkdir(mount)
    with open(work + "/ro.img", "wb") as f:
        f.truncate(40 << 20)
    run("mkfs.ext4", "-q", work + "/ro.img")
    if run("mount", "-o", "loop", work + "/ro.img", mount).returncode:
        print("   read-only: skipped, nothing can be mounted", flush=True)
        return
    try:
        make_tree(mount + "/t")
        before = flags(mount + "/t")
        guard = Guard(work, mount + "/t")
        check("read-only: remounted", run("mount", "-o", "remount,ro", mount).returncode == 0)
        code = guard.end()
        check("read-only: said", code == 3 and "could not be released" in read(guard.err) and os.listdir(STATES), (code, read(guard.err)))
        end = [l for l in guard.lines() if l["event"].get("action") == "guard-end"]
        check("read-only: in JSON", len(end) == 1 and end[0]["culprit"]["guard"]["not_released"] == 5, end)
        r = run(CULPRIT, "rules", "check", "/dev/null")
        check("read-only: the next command says it again", b"could not be" in r.stderr and os.listdir(STATES), r.stderr)
        run("mount", "-o", "remount,rw", mount)
        r = run(CULPRIT, "guard", "--off")
        check("writable again: undone", r.returncode == 0 and flags(mount + "/t") == before and not os.path.exists(STATES),
              (r.returncode, r.stderr, flags(mount + "/t")))
        guard = Guard(work, mount + "/t")
        keeper = guard.keeper()
        os.kill(keeper, signal.SIGSTOP)
        guard.kill()
        os.kill(keeper, signal.SIGKILL)
        await_(lambda: not os.path.exists(f"/proc/{keeper}") or "State:\tZ" in read(f"/proc/{keeper}/status"))
        check("not mounted: unmounted", run("umount", mount).returncode == 0)
        r = run(CULPRIT, "rules", "check", "/dev/null")
        check("not mounted: it stays written down", b"could not be" in r.stderr and os.listdir(STATES), r.stderr)
        run("mount", "-o", "loop", work + "/ro.img", mount)
        run(CULPRIT, "rules", "check", "/dev/null")
        check("mounted again: undone", flags(mount + "/t") == before and not os.path.exists(STATES), flags(mount + "/t"))
    finally:
        run("mount", "-o", "remount,rw", mount)
        end_all()
        run("umount", "-l", mount)


def file_systems(work):
    for kind in ("ext4", "xfs", "btrfs", "tmpfs"):
        image, mount = f"{work}/{kind}.img", f"{work}/{kind}"
        os.mkdir(mount)
        if kind == "tmpfs":
            made = run("mount", "-t", "tmpfs", "tmpfs", mount)
        else:
            with open(image, "wb") as f:
                f.truncate(400 << 20)
            run("mkfs." + kind, "-q", image)
            made = run("mount", "-o", "loop", image, mount)
        if made.returncode:
            print(f"   {kind}: skipped, {made.stderr.decode().strip()}", flush=True)
            continue
        try:
            make_tree(mount + "/t")
            before = flags(mount + "/t")
            guard = Guard(work, mount + "/t")
            if guard.process.poll() is not None and kind == "tmpfs" and "immutable" in read(guard.err):
                print("   tmpfs: this kernel's has no flags", flush=True)
            else:
                check(f"{kind}: refused", refused(mount + "/t") == [], (refused(mount + "/t"), read(guard.err)))
            guard.end()
            check(f"{kind}: the flags are as they were", flags(mount + "/t") == before, flags(mount + "/t"))
        finally:
            end_all()
            if run("umount", mount).returncode:
                run("umount", "-l", mount)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = tempfile.mkdtemp(prefix="culprit-guard.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
    docker = None
    try:
        for part in (ends, overlapping, mounted, read_only, file_systems, container, same_image, in_use):
            if os.environ.get("ONLY") and part.__name__ not in os.environ["ONLY"].split():
                continue
            print(f"-- {part.__name__}", flush=True)
            if part in (container, same_image, in_use):
                docker = docker or Docker()
                part(docker, work)
            else:
                part(work)
    finally:
        end_all()
        run("chattr", "-R", "-i", work)
        if docker:
            docker.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
