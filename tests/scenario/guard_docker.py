#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guard_docker.py CULPRIT [OPTIONS of guard]: a container of a real dockerd, guarded by the programs in the kernel, as root: every access path to its
files is refused before, during and after restarts, the engine goes on, and whoever may does. Ends with "N passed, N failed"."""
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time

from lib.engine import Docker

CULPRIT = os.path.abspath(sys.argv[1])
OPTIONS = sys.argv[2:]
WORK = tempfile.mkdtemp(prefix="culprit-guard-docker.")
passed, failures = 0, []


def check(name, good, detail=""):
    global passed
    passed += bool(good)
    if not good:
        failures.append(name)
        print(f"FAILED: {name}: {detail}", flush=True)


class Guard:
    def __init__(self, *options):
        self.said = WORK + "/err"
        with open(self.said, "wb") as err, open(WORK + "/out", "wb") as out:
            self.process = subprocess.Popen([CULPRIT, "guard", "--method", "bpf", "--no-store", *OPTIONS, *options, "web:/prd"], stdout=out, stderr=err)
        for _ in range(3000):
            if b"culprit: guarded: " in read(self.said) or self.process.poll() is not None:
                break
            time.sleep(0.1)
        check(f"guarded {options}", self.process.poll() is None, read(self.said)[-500:])

    def end(self):
        self.process.terminate()
        self.process.wait(120)
        return read(WORK + "/out").decode(errors="replace")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def refused(call, *arguments):
    try:
        call(*arguments)
    except PermissionError:
        return True
    except OSError as e:
        return f"{arguments}: {e}"
    return f"{arguments}: done"


def access_paths(docker):
    """Each way from outside to a file of a lower layer, and of the upper one."""
    upper, lower = docker.inspect("web", "{{.GraphDriver.Data.UpperDir}}"), docker.inspect("web", "{{.GraphDriver.Data.LowerDir}}").split(":")[-1]
    merged, root = docker.inspect("web", "{{.GraphDriver.Data.MergedDir}}"), f"/proc/{docker.pid('web')}/root"
    return {"merged": merged + "/prd/lower", "its root": root + "/prd/lower", "the image's layer": lower + "/prd/lower2", "its own layer": upper + "/prd/own",
            "its own file by its root": root + "/prd/own"}


def try_all(docker, when):
    for name, path in access_paths(docker).items():
        check(f"{when}: {name}", refused(os.unlink, path) is True, refused(os.unlink, path))
    for name, command in (("rm", ["rm", "-f", "/prd/lower"]), ("mv of the folder", ["mv", "/prd", "/prd2"]), ("append", ["sh", "-c", "echo x >> /prd/own"]),
                          ("chmod", ["chmod", "777", "/prd"])):
        check(f"{when}: inside, {name}", docker("exec", "web", *command, check=False).returncode != 0)


class Hammer(threading.Thread):
    """Tries without a pause to delete what the image's layer and the container's own have."""

    def __init__(self, docker):
        super().__init__()
        ways = access_paths(docker)
        self.paths = [ways["the image's layer"], ways["its own layer"]]
        self.stop, self.deleted = False, []

    def run(self):
        while not self.stop:
            for path in self.paths:
                with contextlib.suppress(PermissionError):
                    os.unlink(path)
                    self.deleted.append(path)
            time.sleep(0.02)


def everybody(docker):
    guard = Guard()
    try_all(docker, "at first")
    hammer = Hammer(docker)
    hammer.start()
    for words in (("restart", "-t", "2", "web"), ("stop", "-t", "2", "web"), ("start", "web")):
        r = docker(*words, check=False)
        check(f"docker {words[0]}", r.returncode == 0, r.stderr)
    hammer.stop = True
    hammer.join()
    check("nothing goes meanwhile", not hammer.deleted, hammer.deleted)
    time.sleep(2)
    try_all(docker, "after restarts")
    for words in (("commit", "web", "kept:1"), ("cp", "web:/prd/lower", WORK + "/copy")):
        r = docker(*words, check=False)
        check(f"docker {words[0]}", r.returncode == 0, r.stderr)
    check("a copy into it is refused", docker("cp", "/etc/hostname", "web:/prd/given", check=False).returncode != 0)
    said = guard.end()
    check("each is reported", "refused (by the guard)" in said and "VERDICT" in said, said[-800:])
    check("with its program", "rm" in said and "busybox[" in said, said[-800:])


def some(docker):
    guard = Guard("--allow", "container:web")
    check("the container itself may", docker("exec", "web", "rm", "/prd/own", check=False).returncode == 0)
    check("others may not", refused(os.unlink, access_paths(docker)["merged"]) is True)
    guard.end()
    guard = Guard("--allow", os.path.realpath("/usr/sbin/dockerd"))
    check("dockerd may: a copy into it", docker("cp", "/etc/hostname", "web:/prd/given", check=False).returncode == 0)
    check("others may not, still", refused(os.unlink, access_paths(docker)["merged"]) is True)
    r = docker("rm", "-f", "web", check=False)
    check("dockerd may: it is removed", r.returncode == 0, r.stderr)
    guard.end()


def main():
    docker = Docker()
    try:
        docker.run("web")
        docker("exec", "web", "sh", "-c", "echo own > /prd/own")
        everybody(docker)
        some(docker)
    finally:
        docker.stop()
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
