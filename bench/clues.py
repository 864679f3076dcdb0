#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clues.py BUILD [MEGABYTES [INODES]]: how long `culprit clues` takes on a large host, and what memory; as root.

The host: 2048 MB of journal, a real file of journald's in copies whose times and sequences are their own, and an ext4 of ten million inodes, in
which a directory of 100,000 files has lost three; with and without what the kernel keeps in memory. Fails beyond five seconds, or 512 MB. Needs some 6 GB for a while."""
import contextlib
import ctypes
import mmap
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
MEGABYTES = int(sys.argv[2]) if len(sys.argv) > 2 else 2048
INODES = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
WORK = pathlib.Path("/var/tmp/culprit-bench-clues")
ONE = 128 << 20  # of a file of the journal
SECONDS, MEMORY = 5.0, 512 << 10


def run(*words, **options):
    return subprocess.run([str(w) for w in words], check=True, **options)


def made(condition, what):
    for _ in range(60000):
        if condition():
            return
        time.sleep(0.01)
    raise RuntimeError(f"{what} does not come")


def one_journal():
    """A real file of journald's, of its full size."""
    (WORK / "journald.conf").write_text("[Journal]\nAudit=no\nReadKMsg=no\nStorage=volatile\nSplitMode=none\nRateLimitIntervalSec=0\n"
                                        f"RuntimeMaxUse=4G\nRuntimeKeepFree=1M\nRuntimeMaxFileSize={ONE}\n")
    run("mount", "--bind", WORK / "journald.conf", "/etc/systemd/journald.conf")
    for place in ("/run/systemd/journal", "/run/log"):
        os.makedirs(place)
    daemon = subprocess.Popen(["/lib/systemd/systemd-journald"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = "/run/systemd/journal/socket"
    made(lambda: os.path.exists(path), "journald")
    out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    out.connect(path)
    directory = next(iter(pathlib.Path("/run/log/journal").iterdir()), None) if os.path.exists("/run/log/journal") else None
    n = 0
    while True:
        for _ in range(500):
            text = f"request {n} of client 10.{n % 251}.{n % 13}.7: GET /item/{n * 7919 % 1000003} took {n % 997} ms, {n * 31 % 65537} bytes " * 3
            out.send(f"MESSAGE={text}\nPRIORITY=6\nSYSLOG_IDENTIFIER=app{n % 40}\nREQUEST={n}\n".encode())
            n += 1
        directory = directory or next(iter(pathlib.Path("/run/log/journal").iterdir()), None)
        archived = [f for f in directory.iterdir() if "@" in f.name] if directory else []
        if archived:
            break
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    target = WORK / "one.journal"
    shutil.copy(archived[0], target)
    run("umount", "/etc/systemd/journald.conf")
    return target


def shift(path, microseconds, number):
    """Another file of the same host: earlier, and with a sequence of its own."""
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        def earlier(at):
            value = struct.unpack_from("<Q", m, at)[0]
            struct.pack_into("<Q", m, at, value - microseconds)
        m[72:88] = struct.pack("<QQ", 0x1122334455667788, number + 1)
        earlier(184)
        earlier(192)
        at, tail = struct.unpack_from("<Q", m, 88)[0], struct.unpack_from("<Q", m, 136)[0]
        while at <= tail:
            kind, size = m[at], struct.unpack_from("<Q", m, at + 8)[0]
            if kind == 3:  # an entry
                earlier(at + 24)
            at += (size + 7) & ~7


def journals():
    one = one_journal()
    # of other machines' nothing is read
    place = pathlib.Path("/var/log/journal") / pathlib.Path("/etc/machine-id").read_text(encoding="ascii").strip()
    place.mkdir(parents=True)
    span = 3600 * 1_000_000
    for i in range(max(1, MEGABYTES * (1 << 20) // one.stat().st_size)):
        copy = place / f"system@{i:032x}-{i:016x}-{i:016x}.journal"
        shutil.copy(one, copy)
        shift(copy, i * span, i)
    one.unlink()
    return sum(f.stat().st_size for f in place.iterdir())


def file_system():
    image, point = WORK / "image", WORK / "fs"
    run("truncate", "-s", "64G", image)
    run("mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum,uninit_bg", "-E", "lazy_itable_init=1", "-N", INODES, image)
    run(BUILD / "bench/inodes", image, 40)
    point.mkdir()
    run("mount", "-o", "loop", image, point)
    data = point / "srv/data"
    data.mkdir(parents=True)
    for i in range(100_000):
        os.close(os.open(data / f"file{i}", os.O_CREAT | os.O_WRONLY, 0o644))
    time.sleep(1.1)  # what is deleted was made at another second
    for i in (7, 70, 700):
        os.unlink(data / f"file{i}")
    os.sync()
    return data


def ask(target, *options):
    """Wall time, the most memory of one process, and what was said."""
    begin = time.monotonic()
    with open(WORK / "said", "wb") as out, open(WORK / "err", "wb") as err:
        child = subprocess.Popen([BUILD / "culprit", "clues", "--store", "/nowhere.db", *options, target], stdout=out, stderr=err)
        pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert pid == child.pid
    return time.monotonic() - begin, usage.ru_maxrss, (WORK / "said").read_text(), child.returncode


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    (WORK / "log").mkdir()
    wrong = 0
    try:
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        run("mount", "--bind", WORK / "log", "/var/log")
        size = journals()
        data = file_system()
        print(f"host: {size >> 20} MB of journal, a file system of {INODES} inodes, {data} with 100,000 files", flush=True)
        for target, cold in ((data, True), (data, False), (data / "file7", True), (pathlib.Path("/etc/passwd"), False)):
            if cold:
                os.sync()
                pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")
            took, memory, said, code = ask(target)
            bad = took > SECONDS or memory > MEMORY or code not in (0, 1)
            wrong += bad
            print(f"{'WRONG' if bad else 'right'}  {target}{', nothing of it in memory' if cold else ''}: {took:.2f} s, {memory >> 10} MB in the largest process, exit {code}", flush=True)
            if (target == data and cold) or bad:
                print(said)
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            run("umount", WORK / "fs", stderr=subprocess.DEVNULL)
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"{4 - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
