#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guard_writers.py CULPRIT [OPTIONS of guard]: whoever had a file open for writing before the guard by programs in the kernel, as root: refused,
wherever his descriptor is; and once nobody has one, no program is asked at each write any more. Ends with "N passed, N failed"."""
import array
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

CULPRIT = os.path.abspath(sys.argv[1])
OPTIONS = sys.argv[2:]
WORK = tempfile.mkdtemp(prefix="culprit-guard-writers.", dir=os.environ.get("CULPRIT_TEST_DIR", "/run"))
G = WORK + "/g"
FILE = G + "/f"
passed, failures = 0, []


def check(name, good, detail=""):
    global passed
    passed += bool(good)
    if not good:
        failures.append(name)
        print(f"FAILED: {name}: {detail}", flush=True)


def await_(condition, seconds=120):
    for _ in range(seconds * 10):
        if condition():
            return True
        time.sleep(0.1)
    return False


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


class Guard:
    """asked: how many programs are asked before something is done (links of lsm, or in place of it)"""
    def __init__(self, *options):
        self.said = WORK + "/err"
        with open(self.said, "wb") as err, open(WORK + "/out", "wb") as out:
            self.process = subprocess.Popen([CULPRIT, "guard", "--method", "bpf", "--no-store", "--format", "json", *OPTIONS, *options, G],
                                            stdout=out, stderr=err)
        ready = await_(lambda: "culprit: guarded: " in read(self.said) or self.process.poll() is not None, 300)
        check("it guards", ready and self.process.poll() is None, read(self.said)[-500:])

    def asked(self):
        directory = f"/proc/{self.process.pid}/fdinfo"
        texts = [read(f"{directory}/{fd}") for fd in os.listdir(directory)]
        return sum("attach_type:\t27" in t or "attach_type:\t26" in t for t in texts)

    def began_with(self):
        begun = [json.loads(l) for l in read(WORK + "/out").splitlines() if '"guard-begin"' in l]
        return begun[0]["culprit"]["guard"].get("older_writers") if begun else None

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)


def doctor():
    out = subprocess.run([CULPRIT, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, check=False).stdout.decode()
    return [l for l in out.splitlines() if l.startswith("guard ")]


def refused(call, *arguments):
    try:
        call(*arguments)
    except PermissionError:
        return True
    return False


def is_unchanged():
    with open(FILE, "rb") as f:
        return f.read() == b"as it was"


def in_flight(fd):
    """On its way through a socket, and nowhere else."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    os.close(fd)
    return ours, theirs


def received(sockets):
    _, control, _, _ = sockets[1].recvmsg(1, socket.CMSG_SPACE(4))
    for s in sockets:
        s.close()
    return array.array("i", control[0][2])[0]


def none_then_paused():
    """Nobody has one: at once nobody is asked. While it is stopped somebody opens one: refused as soon as others are again."""
    g = Guard()
    # with --best-effort a program that was passed over has it asked again, until every file was looked at
    none = min((g.asked(), time.sleep(0.3))[0] for _ in range(10))
    check("nobody had it open", g.began_with() == 0, read(WORK + "/out")[:600])
    check("others cannot open it", refused(os.open, FILE, os.O_WRONLY))
    g.process.send_signal(signal.SIGSTOP)
    fd = -1
    for _ in range(600):
        try:
            fd = os.open(FILE, os.O_WRONLY)
            break
        except PermissionError:
            time.sleep(0.1)
    check("its lease ends", fd >= 0)
    g.process.send_signal(signal.SIGCONT)
    check("it refuses again", await_(lambda: refused(lambda: os.close(os.open(FILE, os.O_WRONLY)))))
    check("also whoever opened it meanwhile", refused(os.pwrite, fd, b"changed", 0))
    check("he is asked", g.asked() == none + 1, f"{g.asked()}, not {none + 1}")
    os.close(fd)
    check("until his last close", await_(lambda: g.asked() == none), g.asked())
    check("nothing was written", is_unchanged())
    g.end()
    return none


def in_a_table(none):
    fd = os.open(FILE, os.O_RDWR)
    reader = os.open(FILE, os.O_RDONLY)
    g = Guard()
    check("one is known", g.began_with() == 1, read(WORK + "/out")[:600])
    check("a write is refused", refused(os.pwrite, fd, b"changed", 0))
    check("one is asked", g.asked() == none + 1, f"{g.asked()}, not {none + 1}")
    lines = doctor()
    check("doctor knows him", any(l.endswith("; older writers: 1") for l in lines), lines)
    os.close(fd)
    check("after his close nobody is asked", await_(lambda: g.asked() == none), g.asked())
    lines = doctor()
    check("doctor knows that too", any(l.endswith("; older writers: 0") for l in lines), lines)
    check("others still cannot open it", refused(os.open, FILE, os.O_RDWR) and refused(os.truncate, FILE, 0))
    check("who reads it goes on", os.pread(reader, 9, 0) == b"as it was")
    os.close(reader)
    g.end()


def elsewhere(none):
    """Where no table of descriptors has it."""
    sockets = in_flight(os.open(FILE, os.O_RDWR))
    mapped = os.open(G + "/mapped", os.O_RDWR)
    memory = mmap.mmap(mapped, 4)
    os.close(mapped)
    g = Guard()
    check("a descriptor in a socket and a mapping are known", g.began_with() == 2, read(WORK + "/out")[:600])
    fd = received(sockets)
    check("it is refused to whoever gets it", refused(os.pwrite, fd, b"changed", 0))
    os.close(fd)
    check("one is left", g.asked() == none + 1, g.asked())
    memory.close()
    check("both are over", await_(lambda: g.asked() == none), g.asked())
    check("nothing was written there", is_unchanged())
    g.end()


def mounted_later(none):
    """A file system with an older writer comes to be below what is guarded: another namespace mounts it there, and ours gets it."""
    other = WORK + "/other"
    os.mkdir(other)
    os.mkdir(G + "/sub")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", other], check=True)
    with open(other + "/late", "wb") as f:
        f.write(b"late")
    fd = os.open(other + "/late", os.O_RDWR)
    g = Guard()
    check("he does not count yet", g.began_with() == 0 and os.pwrite(fd, b"late", 0) == 4, read(WORK + "/out")[:600])
    mounted = subprocess.run(["unshare", "-m", "--propagation", "unchanged", "mount", "--bind", other, G + "/sub"], check=False).returncode == 0
    check("it is mounted", mounted and os.path.exists(G + "/sub/late"))
    check("he is refused", await_(lambda: refused(os.pwrite, fd, b"gone", 0)))
    check("and is asked", g.asked() == none + 1, f"{g.asked()}, not {none + 1}")
    os.close(fd)
    check("until his last close too", await_(lambda: g.asked() == none), g.asked())
    g.end()
    subprocess.run(["umount", "-l", G + "/sub"], check=False)
    subprocess.run(["umount", "-l", other], check=False)


def main():
    os.mkdir(G)
    for path in (FILE, G + "/mapped"):
        with open(path, "wb") as f:
            f.write(b"as it was")
    none = none_then_paused()
    in_a_table(none)
    elsewhere(none)
    mounted_later(none)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
