#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""copies.py BUILD [FILES] [cost]: what keeping copies of 10,000 files of 8 kB costs: until they are kept, memory of who keeps them, an open for reading and
one for writing compared with a watch without copies; and how long whoever opens a held file for writing waits. As root. Exit status 1: more than
its limits. It measures time: on a machine that is not quiet, or emulated, the numbers are worth less:
"cost" is the open for reading alone, for a guest whose clock counts instructions (copies.sh)."""
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

CULPRIT = os.path.abspath(sys.argv[1]) + "/culprit"
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
COST = len(sys.argv) > 3
OPENS = 2000 if COST else 20000
READY_S, MEMORY_MB, READ, WAIT_MS = 2.0, 25, 1.01, 5
failed = False


def line(what, value, limit, good):
    global failed
    failed |= not good
    print(f"{what:<58} {value:>12}   limit {limit}{'' if good else '   MISSED'}", flush=True)


def begin(work, top, *options):
    err = open(work + "/err", "w+b")
    began = time.time()
    p = subprocess.Popen([CULPRIT, "watch", "--sensor", "fanotify", "--store", work + "/s.db", *options, top], stdout=subprocess.DEVNULL, stderr=err)
    while True:
        text = os.pread(err.fileno(), 1 << 16, 0).decode()
        if "culprit: ready" in text:
            return p, time.time() - began, text
        if p.poll() is not None:
            sys.exit(text)
        time.sleep(0.005)


def end(p):
    p.send_signal(signal.SIGINT)
    p.wait()


def memory_of(parent):
    """Of the processes that keep copies, in MB."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() == "culprit-copies\n" and descends(int(pid), parent):
                total += sum(int(l.split()[1]) for l in open(f"/proc/{pid}/smaps_rollup") if l.startswith("Pss_Anon:"))
        except OSError:
            pass
    return total / 1024


def descends(pid, parent):
    while pid > 1:
        if pid == parent:
            return True
        pid = int(open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()[1])
    return False


def opens(paths):
    """Processor's time of an open and close of one of them, which was read before; the least of some rounds, in which nobody was in the way."""
    best = 1e9
    for p in paths:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.argv[1] + "/bench/calls", "open", str(OPENS), p], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best / OPENS


def waits(paths):
    times = []
    for p in paths:
        began = time.perf_counter()
        fd = os.open(p, os.O_WRONLY | os.O_TRUNC)
        times.append((time.perf_counter() - began) * 1000)
        os.close(fd)
    return sorted(times)


def percentile(times, part):
    return times[min(len(times) - 1, int(len(times) * part))]


work = tempfile.mkdtemp(prefix="culprit-bench-copies.", dir=os.environ.get("CULPRIT_TEST_DIR"))
try:
    top = work + "/top"
    paths = [f"{top}/{i % 100:02}/f{i}" for i in range(FILES)]
    for i in range(100):
        os.makedirs(f"{top}/{i:02}")
    for i, p in enumerate(paths):
        with open(p, "wb") as f:
            f.write(b"%08d" % i * 1024)
    p, plain, _ = begin(work, top)
    read_plain = opens(paths[:7])
    end(p)
    p, ready, text = begin(work, top, "--keep-copies", "512M")
    memory = memory_of(p.pid)
    read_kept = opens(paths[:7])
    times = [] if COST else waits(paths[:2000])
    end(p)
    if COST:
        line("open and close for reading, compared with a watch alone", f"{read_kept / read_plain:.3f}", READ, read_kept / read_plain <= READ)
        print(f"{read_plain * 1e9:.0f} and {read_kept * 1e9:.0f} instructions, of {OPENS}")
        sys.exit(failed)
    line(f"{FILES} files of 8 kB: until they are kept", f"{ready:.2f} s", f"{READY_S:g} s (without copies ready after {plain:.2f} s)", ready <= READY_S)
    line("memory of who keeps them", f"{memory:.1f} MB", f"{MEMORY_MB} MB", memory <= MEMORY_MB)
    print(f"an open and close: {read_plain * 1e6:.2f} us by a watch alone, {read_kept * 1e6:.2f} us with copies")
    line("open and close for reading, compared with a watch alone", f"{read_kept / read_plain:.3f}", READ, read_kept / read_plain <= READ)
    line("an open for writing, 99 of 100 within", f"{percentile(times, 0.99):.2f} ms", f"{WAIT_MS} ms", percentile(times, 0.99) <= WAIT_MS)
    shutil.rmtree(top)
    os.mkdir(top)
    paths = [f"{top}/l{i}" for i in range(20)]
    for q in paths:
        with open(q, "wb") as f:
            f.write(os.urandom(3 << 20))
    shutil.rmtree(work + "/s.db.copies")
    p, ready, text = begin(work, top, "--keep-copies", "47M")
    times = waits(paths[:3])
    end(p)
    held = [l for l in text.splitlines() if "copied when" in l]
    print(f"held: {held[0].split('; ')[1] if held else 'none'}; whoever writes to one of 3 MB waits {statistics.median(times):.1f} ms, at most {times[-1]:.1f} ms")
finally:
    shutil.rmtree(work)
sys.exit(failed)
