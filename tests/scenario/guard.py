#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guard.py CULPRIT: what is guarded is refused by each access path, with who tried; and however the guard ends, the flags are as
they were. Ends with "N passed, N failed"."""
import contextlib
import json
import os
import pty
import select
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
PATIENCE = int(os.environ.get("PATIENCE", "1")) # a machine in QEMU is slow
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
        time.sleep(0.02 * PATIENCE)
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
    await_(lambda: '"EPERM"' in read(guard.out), 0 if os.environ.get("SENSOR") == "fanotify" else 60)
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


def mounts_of_container(docker, work):
    """What is mounted in a container below the target is not held, and named."""
    os.makedirs(work + "/volume")
    docker.run("gmounts", "-v", work + "/volume:/prd/volume", "--tmpfs", "/prd/tmp")
    with open(work + "/volume/file", "w", encoding="ascii") as f:
        f.write("content\n")
    guard = Guard(work, "gmounts:/prd")
    said = read(guard.err)
    check("mounts of a container: named", "; not what is mounted below at 2 places" in said and "not guarded: what is mounted below: /prd/" in said and
          "/prd/volume" in said and "/prd/tmp" in said and "name such a place as a target of its own, but what only the container has" in said, said)
    check("mounts of a container: not held", "i" not in flags(work + "/volume/file")[work + "/volume/file"], flags(work + "/volume"))
    guard.end()
    guard = Guard(work, "gmounts:/prd/volume")
    check("mounts of a container: the volume as a target of its own", "i" in flags(work + "/volume/file")[work + "/volume/file"] and
          "mounted below" not in read(guard.err), read(guard.err))
    guard.end()
    docker("rm", "-f", "gmounts")


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
    here = os.getcwd()
    os.chdir(os.path.dirname(path))
    guard = Guard(work, "./" + os.path.basename(path))
    os.chdir("/")
    said = run(CULPRIT, "doctor").stdout.decode(errors="replace")
    check("a name from where one was is listed as a path", f"{path}, immutable" in said and f"guarded: {path}, " in read(guard.err), (said, read(guard.err)))
    r = run(CULPRIT, "guard", "--off", path)
    check("and --off means that", r.returncode == 0 and nothing_left() and guard.process.wait(240) in (0, 1), (r.stderr, flags(path)))
    os.chdir(here)
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
    await_(lambda: '"chmod"' in read(guard.out))
    guard.end()
    os.chmod(path + "/lower", 0o644)
    check("--log-only: nothing is held, all is reported", nothing_left() and any(l["event"].get("action") == "chmod" for l in guard.lines()),
          read(guard.err))
    check("the tree is what it was", {p: f[:4] for p, f in tree.items()} == {p: f[:4] for p, f in snapshot(path).items()})
    r = run(CULPRIT, "guard", "--no-store", "--for", "1s", path)
    by_kernel = b"by the kernel's security module bpf" in r.stderr or b"in place of the kernel's security modules" in r.stderr
    check("without a method: by the kernel, or why by flags", r.returncode in (0, 1) and b"guarded: " in r.stderr and
          (by_kernel or b"by the flags of chattr, not by the kernel: " in r.stderr), r.stderr)
    r = run(CULPRIT, "guard", "--method", "bpf", "--no-store", "--for", "1s", path)
    check("--method bpf: the same, or what it would need", b"guarded: " in r.stderr if by_kernel else
          r.returncode == 3 and b"--method immutable" in r.stderr and r.stderr.count(b"\n") == 1, r.stderr)
    check("nothing is left", nothing_left(), os.listdir(STATES) if os.path.exists(STATES) else "")
    for arguments in ([], ["--method", "other", path], ["--for", "0s", path], ["--method", "immutable", "/"],
                      ["--method", "immutable", "--allow", "nobody", path], ["--allow", "/bin/sh", path], ["--allow", "user:root", path],
                      ["--allow", "/dev/null", path], ["--allow", "nobody-is-called-this", path], ["--log-only", "--allow", "nobody", path],
                      ["--confirm", "0s", path], ["--confirm", "soon", path], ["--log-only", "--confirm", "9s", path], ["--off", "--confirmed"]):
        r = run(CULPRIT, "guard", *arguments)
        check(f"guard {arguments}: wrong usage", r.returncode == 2 and r.stderr.count(b"\n") == 1, r.stderr)
    run("chattr", "-i", path + "/own")


def said(work):
    """What it says as it begins is so of this target; and that nobody who is refused will be known, by a sensor that does not see it."""
    path = work + "/said"
    make_tree(path)
    guard = Guard(work, "--sensor", "fanotify", path)
    text = read(guard.err)
    check("a sensor without refusals is said", "do not see what is refused" in text, text)
    check("nothing of containers", not any(word in text for word in ("docker", "container", "image")), text)
    guard.end()
    guard = Guard(work, "--sensor", "audit", path)
    check("one with them is not", "do not see what is refused" not in read(guard.err), read(guard.err))
    guard.end()


def confirmed(work):
    """--confirm: it ends by itself, unless it is confirmed, at the terminal or from elsewhere; also where who asked is stopped."""
    path = work + "/confirm"
    make_tree(path)
    before = flags(path)
    held = lambda: "i" in flags(path)[path + "/lower"]
    nothing_left = lambda: flags(path) == before and not (os.path.exists(STATES) and os.listdir(STATES))
    doctor = lambda: json.loads(run(CULPRIT, "doctor", "--format", "json").stdout)["guards"]
    guard = Guard(work, "--confirm", "2s", path)
    check("--confirm: how is said", "culprit guard --confirmed" in read(guard.err), read(guard.err))
    code = guard.process.wait(240)
    check("not confirmed: it ended", code in (0, 1) and nothing_left() and "nobody confirmed it within 2s" in read(guard.err), (code, read(guard.err)))
    end = [l for l in guard.lines() if l["event"].get("action") == "guard-end"]
    check("not confirmed: in JSON", len(end) == 1 and end[0]["culprit"]["guard"]["confirmed"] is False, end)
    asked = time.monotonic()
    doctor()
    limit = max(20, int(20 * (time.monotonic() - asked)))  # there are four commands until it is confirmed
    guard = Guard(work, "--confirm", f"{limit}s", path)
    check("doctor: until when", [("confirm_until" in g) for g in doctor()] == [True], doctor())
    r = run(CULPRIT, "guard", "--confirmed", path + "/other")
    check("--confirmed of another: none", r.returncode == 1 and b"confirm_until" in run(CULPRIT, "doctor", "--format", "json").stdout, r.stderr)
    begun = time.monotonic()
    r = run(CULPRIT, "guard", "--confirmed")
    check("--confirmed", r.returncode == 0 and b"1 confirmed" in r.stderr, (r.returncode, r.stderr))
    check("--confirmed: it says so", await_(lambda: "confirmed: it goes on" in read(guard.err)) and
          await_(lambda: '"guard-confirmed"' in read(guard.out)), read(guard.err))
    check("--confirmed: doctor knows", [("confirm_until" in g) for g in doctor()] == [False], doctor())
    r = run(CULPRIT, "guard", "--confirmed")
    check("confirmed already: none waits", r.returncode == 1, r.stderr)
    while time.monotonic() < begun + limit + 1:
        time.sleep(0.1)
    check("confirmed: it still holds", held() and guard.process.poll() is None and refused(path) == [], read(guard.err))
    guard.end()
    check("confirmed: it ends as ever", nothing_left())
    guard = Guard(work, path)
    os.kill(guard.process.pid, signal.SIGUSR1)
    os.kill(guard.keeper(), signal.SIGUSR1)
    r = run(CULPRIT, "guard", "--confirmed")
    check("without --confirm nothing waits, and the signal does nothing", r.returncode == 1 and guard.process.poll() is None and held(), r.stderr)
    guard.end()
    guard = Guard(work, "--confirm", "1s", path)
    guard.process.send_signal(signal.SIGSTOP)
    check("not confirmed, and who asked is stopped: its keeper ends it", await_(nothing_left, 240), flags(path))
    guard.process.send_signal(signal.SIGCONT)
    guard.end()
    at_terminal(work, path, held, nothing_left)


def would_have(work):
    """--would-have: who would have been refused, by what was recorded of real processes."""
    path, store = work + "/judged", work + "/judged.db"
    os.mkdir(path)
    os.chmod(work, 0o755)
    os.chmod(path, 0o777)
    for i in "12345":
        open(f"{path}/{i}", "x", encoding="ascii").close()
    shutil.copy("/bin/rm", work + "/remover")
    shutil.copy("/bin/rm", work + "/copy")
    script = f"rm {path}/1; {work}/remover {path}/2; setpriv --reuid 65534 --clear-groups rm -f {path}/3; {work}/copy {path}/4; cat {path}/5; rm {path}/none"
    run(CULPRIT, "run", "--sensor", os.environ.get("SENSOR", "audit"), "--store", store, "-w", path, "--", "sh", "-c", script)
    before = snapshot(path)

    def ask(*arguments):
        r = run(CULPRIT, "guard", "--would-have", "1h", "--store", store, "--format", "json", *arguments)
        lines = [json.loads(l) for l in r.stdout.decode().splitlines()]
        return r.returncode, [(l["judgement"], os.path.basename(l["program"]), l["user"]) for l in lines if "judgement" in l], lines[-1] if lines else r.stderr

    code, rows, last = ask(path)
    check("would-have: everybody", code == 0 and sorted(rows) == sorted([("refused", "rm", "root"), ("refused", "remover", "root"), ("refused", "copy", "root"),
          ("refused", "rm", "nobody")]) and (last["refused"], last["unknown"], last["allowed"]) == (4, 0, 0), (code, rows, last))
    code, rows, last = ask("--allow", work + "/remover", "--allow", "user:nobody", "--allow", "web", path)
    check("would-have: who may is judged", code == 0 and sorted(rows) == sorted([("refused", "rm", "root"), ("allowed", "remover", "root"),
          ("refused", "copy", "root"), ("allowed", "rm", "nobody")]) and last["unused"] == ["web"], (code, rows, last))
    code, rows, last = ask("--allow", work + "/remover", "--allow", "nobody", "--allow", work + "/copy", "--allow", shutil.which("rm"), path)
    check("would-have: nobody: 1", code == 1 and last["allowed"] == 4, (code, rows, last))
    r = run(CULPRIT, "guard", "--would-have", "1h", "--store", store, path)
    check("would-have: as text", r.returncode == 0 and r.stdout.startswith(b"WOULD HAVE BEEN REFUSED  4 of 4 changes of ") and b"coverage" in r.stdout, r.stdout)
    code, rows, last = ask(path, work + "/never")
    check("would-have: one of two was never watched, and it is said", code == 0 and last["refused"] == 4 and len(last["unwatched"]) == 1 and
          last["unwatched"][0].startswith(work + "/never was never watched"), (code, rows, last))
    r = run(CULPRIT, "guard", "--would-have", "1h", "--store", store, path, work + "/never")
    check("would-have: the same as text", b"/never was never watched" in r.stdout and b"4 of 4" in r.stdout, r.stdout)
    r = run(CULPRIT, "guard", "--would-have", "1h", "--store", store, work + "/never")
    check("would-have: never watched is no 0 of 0", r.returncode == 1 and b"/never was never watched" in r.stdout and b"REFUSED" not in r.stdout, r.stdout)
    code, rows, last = ask(work + "/never")
    check("would-have: never watched: said, 1", code == 1 and not rows and "coverage" in last.get("culprit", {}), (code, rows, last))
    r = run(CULPRIT, "guard", "--would-have", "1h", "--store", work + "/none.db", path)
    check("would-have: no store", r.returncode == 1 and r.stderr.count(b"\n") == 1, r.stderr)
    for arguments in (["--would-have", "0s"], ["--would-have", "soon"], ["--would-have", "1h", "--allow", "root"], ["--would-have", "1h", "--allow", "/bin/sh"],
                      ["--would-have", "1h", "--allow", "user:no-such-user"], ["--would-have", "1h", "--allow", "unit:"], ["--would-have", "1h", "--allow", ""],
                      ["--would-have", "1h", "--for", "1h"], ["--would-have", "1h", "--off"], ["--would-have", "1h", "--method", "bpf"]):
        r = run(CULPRIT, "guard", "--store", store, *arguments, path)
        check(f"guard {arguments}: wrong usage", r.returncode == 2 and r.stderr.count(b"\n") == 1, r.stderr)
    check("would-have: nothing is held", snapshot(path) == before and not os.path.exists(STATES))


class Daemon:
    """The daemon, with guards in its configuration."""

    def __init__(self, work):
        self.work, self.log = work, f"{work}/daemon.log"
        self.socket = f"{work}/run/control"
        self.undone = "" # what `ctl` said: it may be the first command after a kill, and undoes what was left before the daemon does
        os.makedirs(f"{work}/etc", exist_ok=True)
        os.makedirs(f"{work}/run", exist_ok=True)

    def configure(self, watches):
        with open(f"{self.work}/etc/culprit.conf", "w", encoding="ascii") as f:
            f.write(f"groups = {{}}\nsensor = {os.environ.get('SENSOR', 'audit')}\nstore = {self.work}/daemon.db\n{watches}")

    def start(self):
        STARTED.append(self)
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen([CULPRIT, "daemon", "--config", f"{self.work}/etc", "--runtime-dir", f"{self.work}/run"], stderr=err)
        return await_(lambda: self.process.poll() is not None or self.guards() is not None)

    def reload(self):
        return run(CULPRIT, "ctl", "--control", self.socket, "reload").returncode

    def guards(self):
        r = run(CULPRIT, "ctl", "--control", self.socket, "--json", "watches")
        self.undone += "".join(l for l in r.stderr.decode().splitlines(True) if "undone now" in l)
        return {w["target"]: w.get("guard") for w in json.loads(r.stdout)["watches"]} if r.returncode == 0 else None

    def alerts_of_itself(self):
        return [l for l in read(self.log).splitlines()
                if "alert " in l and ("flags" in l or f": {CULPRIT}" in l or ": culprit" in l.split("alert ", 1)[1])]

    def says(self, target, begin, seconds=60):
        return await_(lambda: ((self.guards() or {}).get(target) or "").startswith(begin), seconds)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60 * PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def kill_all_of_it(self, *stopped):
        """None of them sees another one go, and all are gone; but those that are only stopped."""
        pids = [self.process.pid] + family(self.process.pid)
        with held(*(pid for pid in pids if pid not in stopped)) as killed:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            send(killed, signal.SIGKILL)
            if not await_(lambda: are_over(killed)):
                raise RuntimeError(f"they do not die: {pids}")
        self.process.wait()


def is_called(pid, name):
    try:
        return read(f"/proc/{pid}/comm") == name + "\n"
    except OSError:
        return False


def family(pid):
    """Its descendants, the nearest first."""
    found = []
    for other in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(read(f"/proc/{other}/stat").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(other)] + family(int(other))
    return found


def send(held_ones, number):
    for fd in held_ones:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(fd, number)


def are_over(held_ones):
    return len(select.select(held_ones, [], [], 0)[0]) == len(held_ones)


@contextlib.contextmanager
def held(*pids):
    """Their pidfds; none of them outlives it, stopped or not."""
    fds = [os.pidfd_open(pid) for pid in pids]
    try:
        yield fds
    finally:
        send(fds, signal.SIGKILL)
        for fd in fds:
            os.close(fd)


@contextlib.contextmanager
def stopped(pid):
    """It goes on afterwards."""
    fd = os.pidfd_open(pid)
    send([fd], signal.SIGSTOP)
    try:
        yield
    finally:
        send([fd], signal.SIGCONT)
        os.close(fd)


def configured(work):
    """guard in a watch of the daemon's: armed, kept over a reload, taken away and added by one, ended by --off and by each end of the daemon."""
    one, two, later = work + "/one", work + "/two", work + "/later"
    make_tree(one)
    make_tree(two)
    before = [flags(one), flags(two)]
    is_free = lambda: [flags(one), flags(two)] == before
    none_written = lambda: not (os.path.exists(STATES) and os.listdir(STATES))
    watch = lambda name, path, more="guard = on guard_method = immutable": f"watch {name} {{ targets = {path} {more} }}\n"
    pids = lambda: sorted(g["pid"] for g in json.loads(run(CULPRIT, "doctor", "--format", "json").stdout)["guards"])
    d = Daemon(work)
    d.configure(watch("one", one) + watch("later", later))
    check("daemon: it starts", d.start(), read(d.log))
    check("daemon: guarded, and its watch says so", d.says(one, "guarded: ") and refused(one) == [], (d.guards(), refused(one)))
    check("daemon: what is not there is said once, in the log and in its watch", d.says(later, "not guarded: ") and
          read(d.log).count(f"culprit: {later} is not guarded: ") == 1, (d.guards(), read(d.log)))
    check("daemon: doctor lists it", len(pids()) == 1, pids())
    if os.environ.get("SENSOR", "audit") != "fanotify":
        who = lambda: [(l["event"]["action"], l["error"]["code"], l["process"]["name"]) for l in map(json.loads, run(
            CULPRIT, "who", "--store", work + "/daemon.db", "--format", "json", one).stdout.splitlines())
            if l["event"]["kind"] == "event" and l["event"]["outcome"] == "failure"]
        run("rm", "-f", one + "/lower")
        check("daemon: who was refused is recorded", await_(lambda: ("unlink", "EPERM", "rm") in who()), who())
    os.mkdir(later)
    check("daemon: what comes later is guarded then", d.says(later, "guarded: ") and len(pids()) == 2, d.guards())
    kept = pids()
    d.configure(watch("one", one) + watch("two", two) + watch("later", later, ""))
    check("daemon: reload", d.reload() == 0 and d.says(two, "guarded: "), (d.guards(), read(d.log)))
    check("reload: added, ended, and kept as it was", await_(lambda: "i" not in flags(later)[later]) and refused(two) == [] and refused(one) == [] and
          d.guards()[later] is None and len(set(pids()) & set(kept)) == 1 and len(pids()) == 2, (kept, pids(), d.guards()))
    r = run(CULPRIT, "guard", "--off", two)
    check("--off ends it, and it is said", r.returncode == 0 and d.says(two, "not guarded any more: ") and flags(two) == before[1], (r.stderr, d.guards()))
    check("--off: others go on", refused(one) == [] and d.says(one, "guarded: "))
    time.sleep(11) # what could not be guarded is tried again by then: this is not
    check("--off: it stays so", flags(two) == before[1] and d.says(two, "not guarded any more: "), d.guards())
    check("--off: a reload begins it anew", d.reload() == 0 and d.says(two, "guarded: ") and refused(two) == [], d.guards())
    d.configure(watch("one", one, "guard = off"))
    check("reload: guard = off", d.reload() == 0 and await_(is_free) and d.guards() == {one: None}, d.guards())
    check("its own flags are no alert", not d.alerts_of_itself(), d.alerts_of_itself())
    d.configure(watch("one", one) + watch("bad", two, "guard = on allow = nobody-is-called-this"))
    check("what cannot be so is said", d.reload() == 0 and d.says(two, "not guarded: no unit or container that runs") and d.says(one, "guarded: "), d.guards())
    check("the daemon ends: undone", d.end() == 0 and await_(is_free) and await_(none_written),
          (d.process.returncode, is_free(), none_written() or os.listdir(STATES), read(d.log)))
    d.configure(watch("one", one) + watch("two", two))
    d.start()
    check("started again: guarded", d.says(one, "guarded: ") and d.says(two, "guarded: "), d.guards())
    d.kill()
    check("kill -9 of the daemon: undone", await_(is_free) and await_(none_written), (flags(one), flags(two)))
    d.start()
    check("started once more: guarded", d.says(one, "guarded: ") and d.says(two, "guarded: "), d.guards())
    d.kill_all_of_it()
    check("kill -9 of all its processes: it stays", "i" in flags(one)[one + "/lower"], flags(one))
    d.configure(watch("one", one, ""))
    d.start()
    check("kill -9 of all its processes: undone by the next command", await_(is_free) and await_(none_written) and
          "undone now" in read(d.log) + d.undone, (d.undone, read(d.log)))
    d.configure(watch("one", one))
    check("the first guard by a reload: from the next start on, and said", d.reload() == 0 and "it counts from its next start on" in read(d.log) and
          is_free(), read(d.log))
    d.end()


def outlived(work):
    """Who holds a guard is still there when the next daemon starts, and dies later: it is undone then, whoever calls a command or not."""
    path = work + "/outlived"
    make_tree(path)
    for n in range(10000):  # to undo them takes longer than a change waits for its record
        open(f"{path}/sub/{n}", "w", encoding="ascii").close()
    before = flags(path)
    d = Daemon(work)
    d.configure(f"watch one {{ targets = {path} guard = on guard_method = immutable }}\n")
    d.start()
    check("outlived: guarded", d.says(path, "guarded: "), d.guards())
    keeper = [pid for pid in family(d.process.pid) if is_called(pid, "culprit-guard")]
    check("outlived: one holds it", len(keeper) == 1, keeper)
    with held(*keeper) as holding:
        d.kill_all_of_it(*keeper)
        d.configure(f"watch one {{ targets = {path} }}\n")
        undone = read(d.log).count("undone now")
        d.start()
        check("outlived: nobody takes it from who holds it", "i" in flags(path)[path + "/lower"] and not are_over(holding), flags(path))
        open(work + "/elsewhere", "w", encoding="ascii").close()
        # so that nobody is named for what is undone
        others = subprocess.Popen(["/bin/sh", "-c", "while :; do chattr +d $0; chattr -d $0; done", work + "/elsewhere"])
        send(holding, signal.SIGKILL)
        check("outlived: undone by the daemon that is there", await_(lambda: read(d.log).count("undone now") == undone + 1) and flags(path) == before and
              not os.path.exists(STATES), (flags(path), read(d.log)[-800:]))
        time.sleep(1.5)  # a change that nobody is named for is reported a second after it was found
        others.kill()
        others.wait()
    check("outlived: nobody is left who would wait for others", await_(lambda: not [pid for pid in family(d.process.pid) if is_called(pid, "culprit-undoer")]),
          family(d.process.pid))
    d.end()
    check("outlived: its own flags are no alert", not d.alerts_of_itself(), d.alerts_of_itself())


def guards_of_doctor():
    return {g["target"]: g["pid"] for g in json.loads(run(CULPRIT, "doctor", "--format", "json").stdout)["guards"]}


def kept(work):
    """guard_keep: it goes on while the daemon is killed; whatever is killed of it is begun anew, and that is said."""
    one, two = work + "/kept", work + "/not-kept"
    make_tree(one)
    make_tree(two)
    before = [flags(one), flags(two)]
    is_free = lambda which: flags([one, two][which]) == before[which]
    none_written = lambda: not (os.path.exists(STATES) and os.listdir(STATES))
    watch = lambda name, path, more: f"watch {name} {{ targets = {path} guard = on guard_method = immutable {more} }}\n"
    d = Daemon(work)
    d.configure(watch("one", one, "guard_keep = on") + watch("two", two, ""))
    d.start()
    check("kept: guarded", d.says(one, "guarded: ") and d.says(two, "guarded: "), d.guards())
    holder = guards_of_doctor()[one]
    check("kept: who holds it has culprit's name", is_called(holder, "culprit"), holder)
    for time_ in ("first", "second"):
        d.kill()
        check(f"kept, {time_} kill: the other one ends", await_(lambda: is_free(1)), flags(two))
        check(f"kept, {time_} kill: it goes on", refused(one) == [] and list(guards_of_doctor()) == [one], guards_of_doctor())
        d.start()
        check(f"kept, {time_} kill: the next daemon takes it over", d.says(one, "guarded: ") and d.says(two, "guarded: ") and
              guards_of_doctor().get(one) == holder and refused(one) == [], (d.guards(), guards_of_doctor(), holder))
    lost = lambda: read(d.log).count(f"culprit: {one} is not guarded: who held it was killed")
    again = lambda: read(d.log).count(f"{one} was not guarded for ")
    for count, what in enumerate(("what holds it", "what asked for it"), 1):
        pid = guards_of_doctor()[one]
        os.kill(pid if what == "what asked for it" else family(pid)[0], signal.SIGKILL)
        check(f"kill -9 of {what}: begun anew, and said", await_(lambda: again() == count) and lost() == count and d.says(one, "guarded: ") and
              refused(one) == [] and guards_of_doctor().get(one, pid) != pid, (lost(), again(), d.guards(), read(d.log)[-800:]))
    d.kill()
    asker = guards_of_doctor()[one]
    os.kill(asker, signal.SIGKILL)
    check("kill -9 of it while there is no daemon: begun anew", await_(lambda: guards_of_doctor().get(one, asker) != asker and refused(one) == []),
          guards_of_doctor())
    d.start()
    check("what happened without a daemon is said by the next one", await_(lambda: again() == 3), read(d.log)[-800:])
    starter_is_silent(d, one)
    d.kill()
    asker = guards_of_doctor()[one]
    with held(asker, *family(asker)) as all_of_it:
        r = run(CULPRIT, "guard", "--off", one)
        check("kept: --off ends it without a daemon", r.returncode == 0 and is_free(0) and none_written(), (r.stderr, flags(one)))
        check("kept: --off: nobody is left who would begin it anew", await_(lambda: are_over(all_of_it)), family(asker))
        check("kept: --off: it stays so", is_free(0), flags(one))
    d.start()
    check("kept: begun anew by the next daemon", d.says(one, "guarded: "), d.guards())
    d.kill()
    asker = guards_of_doctor()[one]
    with stopped(parent_of(asker)):  # the next daemon hears nothing
        d.start()
        os.kill(asker, signal.SIGKILL)
        check("kept: killed while nobody begins it anew: undone", await_(lambda: is_free(0)), flags(one))
    check("kept: then it is begun anew", d.says(one, "guarded: "), d.guards())
    d.kill()
    d.configure(watch("two", two, ""))
    d.start()
    check("kept, but not asked for any more: ended by the next daemon", d.says(two, "guarded: ") and await_(lambda: is_free(0)), guards_of_doctor())
    d.configure(watch("one", one, "guard_keep = on"))
    check("kept: a reload", d.reload() == 0 and d.says(one, "guarded: "), d.guards())
    check("kept: a daemon that ends as it is to ends it", d.end() == 0 and await_(lambda: is_free(0)) and await_(none_written), (flags(one), read(d.log)[-800:]))
    check("kept: its own flags are no alert", not d.alerts_of_itself(), (d.alerts_of_itself(), read(d.log)[-1200:]))
    check("kept: its socket is gone", not os.path.exists(f"{work}/run/guards"), os.listdir(work + "/run"))


def parent_of(pid):
    return int(read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[1])


def starter_is_silent(d, path):
    """Who starts guards for the daemon does not answer when the next one comes: it is waited for, and none is begun beside it."""
    holder = guards_of_doctor()[path]
    starter = parent_of(holder)
    others = lambda: [pid for pid in family(d.process.pid) if is_called(pid, "culprit-starter")]
    check("kept: who starts guards is found", is_called(starter, "culprit-starter"), starter)
    for ended in (False, True):
        d.kill()
        with stopped(starter):
            d.start()
            check("kept: who starts guards does not answer: said, and it goes on", d.says(path, "not guarded: the process that starts guards does not answer") and
                  refused(path) == [] and list(guards_of_doctor().values()).count(holder) == 1, (d.guards(), guards_of_doctor()))
            check("kept: none is begun beside it", others() == [], others())
            if ended: # what that daemon has said still counts when it is heard
                check("kept: who starts guards does not answer: the daemon ends", d.end() == 0, read(d.log)[-800:])
                d.start()
                check("kept: the next one begins none beside it either", others() == [], others())
        check("kept: it goes on: taken over", d.says(path, "guarded: ") and refused(path) == [] and (guards_of_doctor()[path] == holder) != ended and others() == [],
              (d.guards(), guards_of_doctor(), holder, read(d.log)[-800:]))


DELETER = """
import os, sys, time
refused = gone = 0
while True:
    for name in os.listdir(sys.argv[1]):
        try:
            os.unlink(f"{sys.argv[1]}/{name}")
            gone += 1
        except PermissionError:
            refused += 1
        os.pwrite(1, f"{refused} {gone}\\n".encode(), 0)
        time.sleep(0.01)
"""


def holders_of(path):
    """The pids of `culprit guard ... PATH`: less work than to ask doctor, which tries the sensors too."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = read(f"/proc/{pid}/cmdline").split("\0")
            parent = int(read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if words[1:2] == ["guard"] and path in words:
            parents[int(pid)] = parent
    # its keeper and its reader, which it may begin at any time, have its command line
    return [pid for pid, parent in parents.items() if parent not in parents]


def daemon_kills(work):
    """The daemon is killed again and again, and the kernel's caches are dropped, while somebody goes on deleting: nothing goes."""
    path, method = work + "/kills", os.environ.get("METHOD", "immutable")
    os.makedirs(path)
    names = sorted(f"{i:03}" for i in range(50))
    for name in names:
        open(f"{path}/{name}", "x", encoding="ascii").close()
    d = Daemon(work)
    d.configure(f"watch kills {{ targets = {path} guard = on guard_keep = on guard_method = {method} }}\n")
    d.start()
    check("kills: guarded", d.says(path, "guarded: "), (d.guards(), read(d.log)[-800:]))
    holder = holders_of(path)
    check("kills: one holds it", len(holder) == 1, holder)
    counts = lambda: [int(n) for n in (read(work + "/deleted") or "0 0").split()]
    killed = 0
    with open(work + "/deleted", "wb") as out:
        deleter = subprocess.Popen([sys.executable, "-c", DELETER, path], stdout=out)
    try:
        def tried_anew(before):
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
                f.write("3\n")
            return await_(lambda: counts()[0] >= before + 20 or deleter.poll() is not None) and counts()[1] == 0

        for i in range(1, int(os.environ.get("KILLS", "3")) + 1):
            d.kill()
            check(f"kill {i}: nothing goes while there is no daemon", tried_anew(counts()[0]), counts())
            d.start()
            check(f"kill {i}: the next daemon takes it over", d.says(path, "guarded: ") and holders_of(path) == holder, (d.guards(), holders_of(path)))
            check(f"kill {i}: nothing goes beside the next daemon", tried_anew(counts()[0]), counts())
            killed = i
            print(f"   kill {i}: {counts()[0]} deletions refused, {counts()[1]} done", flush=True)
    finally:
        deleter.kill()
        deleter.wait()
    tried, gone = counts()
    check("kills: all is there", gone == 0 and sorted(os.listdir(path)) == names, (tried, gone, len(os.listdir(path))))
    print(f"   {killed} kills of the daemon by {method}: {tried} deletions refused, {gone} done", flush=True)
    check("kills: a daemon that ends as it is to ends it", d.end() == 0 and await_(lambda: deletes(path + "/000")), read(d.log)[-800:])


def deletes(path):
    try:
        os.remove(path)
    except PermissionError:
        return False
    return True


def kept_by_command(work):
    """guard --keep: it goes on in the background, is begun anew when it is killed, and --off ends it even if it hangs."""
    path = work + "/background"
    make_tree(path)
    before = flags(path)
    nothing_left = lambda: flags(path) == before and not (os.path.exists(STATES) and os.listdir(STATES))
    sensor = os.environ.get("SENSOR", "audit")
    keep = lambda *more: run(CULPRIT, "guard", "--keep", "--method", "immutable", "--no-store", "--sensor", sensor, *more)
    r = keep(path)
    said = r.stderr.decode(errors="replace")
    check("--keep: it comes back once it is in force", r.returncode == 0 and "guarded: " in said and f"culprit guard --off {path}" in said, (r.returncode, said))
    check("--keep: refused", refused(path) == [] and list(guards_of_doctor()) == [path], (refused(path), guards_of_doctor()))
    first = guards_of_doctor().get(path, 0)
    os.kill(first, signal.SIGKILL)
    check("--keep: killed: begun anew", await_(lambda: guards_of_doctor().get(path, first) != first and refused(path) == []), guards_of_doctor())
    r = run(CULPRIT, "guard", "--off", path)
    check("--keep: --off ends it", r.returncode == 0 and nothing_left(), (r.stderr, flags(path)))
    r = keep("--for", "2s", path)
    check("--keep --for: it ends by itself", r.returncode == 0 and await_(nothing_left), (r.stderr, flags(path)))
    r = keep("--confirm", "2s", path)
    check("--keep --confirm: it ends by itself", r.returncode == 0 and b"unless it is confirmed" in r.stderr and await_(nothing_left), (r.stderr, flags(path)))
    r = subprocess.run([os.path.realpath(CULPRIT), "guard", "--keep", "--method", "immutable", "--no-store", "--sensor", sensor, "./lower"], cwd=path,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
    check("--keep: a relative path is of where it was called", r.returncode == 0 and list(guards_of_doctor()) == [path + "/lower"] and
          f"culprit guard --off {path}/lower".encode() in r.stderr, (r, guards_of_doctor()))
    r = run(CULPRIT, "guard", "--off", path + "/lower")
    check("--keep: a relative path: --off ends it", r.returncode == 0 and nothing_left(), (r.stderr, flags(path)))
    r = keep(path + "/none")
    check("--keep: what is not there", r.returncode == 3 and nothing_left(), r)
    keep(path)
    asker = guards_of_doctor()[path]
    with held(asker, *family(asker)) as hanging:
        send(hanging, signal.SIGSTOP)
        r = run(CULPRIT, "guard", "--off", path)
        check("--keep: --off ends one that hangs, and it stays so", r.returncode == 0 and nothing_left(), (r.stderr, flags(path)))
        send(hanging, signal.SIGCONT)
        check("--keep: what went on ends as well", await_(lambda: are_over(hanging)), family(asker))
        # nobody is left who would begin it anew
        check("--keep: it stays so", nothing_left() and not guards_of_doctor(), (flags(path), guards_of_doctor()))


def at_terminal(work, path, held, nothing_left):
    for typed, goes_on in ((b"\n", True), (b"y\n", True), (b"what\n", None), (b"n\n", False)):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(CULPRIT, [CULPRIT, "guard", "--method", "immutable", "--no-store", "--sensor", os.environ.get("SENSOR", "audit"),
                               "--confirm", "30s", path])
        said = b""

        def more():
            nonlocal said
            while select.select([terminal], [], [], 0)[0]:
                try:
                    part = os.read(terminal, 4096)
                except OSError:
                    return True # it is gone
                if not part:
                    return True
                said += part
            return False

        check(f"terminal {typed}: ready, and how", await_(lambda: more() or b"culprit: ready" in said, 240) and b"press Enter here" in said, said)
        os.write(terminal, typed)
        if goes_on:
            check(f"terminal {typed}: goes on", await_(lambda: more() or b"confirmed: it goes on" in said) and held(), said)
        elif goes_on is None:
            r = run(CULPRIT, "guard", "--confirmed")
            check(f"terminal {typed}: no answer", r.returncode == 0 and held(), (r.stderr, said))
        if goes_on is not False:
            os.write(terminal, b"\x03")
        check(f"terminal {typed}: ended", await_(more, 60) and os.waitpid(pid, 0)[1] in (0, 256) and nothing_left(), said)
        os.close(terminal)


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
        listed = [g for g in json.loads(run(CULPRIT, "doctor", "--format", "json").stdout)["guards"] if g["target"] == path]
        check("mounted: it is said", "; not what is mounted below at 2 places" in read(guard.err) and
              f"not guarded: what is mounted below: {path}/lower, {path}/sub;" in read(guard.err) and
              listed and listed[0]["mounted_below"] == 2, (read(guard.err), listed))
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
        run("mount", "-o", "remount,ro", mount)
        r = run(CULPRIT, "guard", "--no-store", mount + "/t")
        check("read-only before: why", r.returncode == 3 and b"the file system of the target is read-only" in r.stderr, (r.returncode, r.stderr))
        run("mount", "-o", "remount,rw", mount)
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
        for part in (ends, said, confirmed, would_have, configured, outlived, kept, daemon_kills, kept_by_command, overlapping, mounted, read_only, file_systems, container, mounts_of_container, same_image, in_use):
            if os.environ.get("ONLY") and part.__name__ not in os.environ["ONLY"].split():
                continue
            print(f"-- {part.__name__}", flush=True)
            if part in (container, mounts_of_container, same_image, in_use):
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
