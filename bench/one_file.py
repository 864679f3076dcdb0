#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""one_file.py BUILD [CHANGES]: so many (40,000) changed modes, of one file and of 4,000 files in turn, by fanotify with audit. Asserted: each is told,
nothing is lost, and one of the same file costs culprit no more than twice one of many files (the median of three runs each)."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

CULPRIT = os.path.realpath(f"{sys.argv[1]}/culprit")
CHANGES = int(sys.argv[2]) if len(sys.argv) > 2 else 40000
RATIO = 2
work = tempfile.mkdtemp(prefix="culprit-bench-one-file.", dir="/var/tmp")
CHANGE = "import os, sys\nfor i in range(int(sys.argv[2])):\n os.chmod(f'{i % int(sys.argv[1])}', 0o600 + i // int(sys.argv[1]) % 8)"


def run(files):
    """(changes told, seconds of culprit)"""
    folder = f"{work}/{files}"
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for i in range(files):
        open(f"{folder}/{i}", "w", encoding="utf-8").close()
    with open(f"{work}/out", "w", encoding="utf-8") as out:
        watch = subprocess.Popen([CULPRIT, "watch", "--no-store", "--sensor", "fanotify,audit", "--format", "json", folder], stdout=out, stderr=subprocess.PIPE, text=True)
    for line in watch.stderr:
        if "ready" in line:
            break
    subprocess.run([sys.executable, "-c", CHANGE, str(files), str(CHANGES)], cwd=folder, check=True)
    watch.send_signal(2)
    pid, status, used = os.wait4(watch.pid, 0)
    assert pid == watch.pid and os.waitstatus_to_exitcode(status) == 0, f"exit {os.waitstatus_to_exitcode(status)}: {watch.stderr.read()}"
    with open(f"{work}/out", encoding="utf-8") as f:
        told = sum(1 for line in f if json.loads(line).get("event", {}).get("action") == "chmod")
    return told, used.ru_utime + used.ru_stime


def main():
    seconds = {1: [], 4000: []}
    for _ in range(3):
        for files, each in seconds.items():
            told, used = run(files)
            print(f"{files} files: {told} of {CHANGES} told, {used / CHANGES * 1e6:.1f} us each")
            assert told == CHANGES
            each.append(used)
    ratio = statistics.median(seconds[1]) / statistics.median(seconds[4000])
    print(f"of one file / of many: {ratio:.2f} (at most {RATIO})")
    assert ratio <= RATIO


try:
    main()
finally:
    shutil.rmtree(work, ignore_errors=True)
