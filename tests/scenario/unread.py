# SPDX-License-Identifier: MIT
"""unread.py CULPRIT: who does not read what `watch` prints, as a pager that waits or a reader that is stopped, holds up neither the
recording nor the end; who reads late gets all of it. The last line is "N passed, N failed"."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from lib.observer import Observers, change

observers = Observers(os.path.realpath(sys.argv[1]), 60)
results = {True: 0, False: 0}


def check(text, fine, *more):
    results[bool(fine)] += 1
    print("right:" if fine else "WRONG:", text, *([] if fine else more), flush=True)


def wait_until(condition, seconds=60):
    until = time.time() + seconds
    while not condition() and time.time() < until:
        time.sleep(0.1)
    return condition()


def watch(name, *options):
    """A watch whose output goes into a pipe that nobody reads yet."""
    target = observers.directory(name)
    err = open(f"{observers.work}/{name}.err", "w+", encoding="utf-8")
    process = subprocess.Popen([observers.culprit, "watch", "--sensor", "fanotify", "--format", "json", *options, target],
                               stdout=subprocess.PIPE, stderr=err)
    said = lambda: open(err.name, encoding="utf-8").read()
    if not wait_until(lambda: "culprit: ready" in said()):
        raise RuntimeError(said())
    return target, process, said


def count(output):
    return sum(json.loads(line)["event"]["kind"] == "event" for line in output.splitlines())


def nobody_reads(pairs):
    store = f"{observers.work}/c{pairs}.db"
    target, process, said = watch(f"nobody{pairs}", "--store", store)
    change(target, "f", pairs)
    if pairs <= 300:  # so much is kept
        check("what nobody reads is recorded", wait_until(lambda: observers.who(store, target).count("f") == pairs),
              observers.who(store, target).count("f"))
    process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(120)
    except subprocess.TimeoutExpired:
        process.kill()
        status = None
    check(f"nobody reads {2 * pairs} events: SIGTERM ends it, which says so", status == 4 and "nobody read the output" in said(), status, said())
    process.stdout.close()


def somebody_reads_late(pairs, key):
    target, process, said = watch(f"late{pairs}", "--no-store")
    change(target, "f", pairs)
    if key:
        process.send_signal(signal.SIGINT)
    time.sleep(2)  # longer than who is in a hurry would wait
    if key:
        output = process.stdout.read()
    else:
        lines, impatience = [], threading.Timer(120, process.terminate)  # if some are missing
        impatience.start()
        while sum(b'"kind":"event"' in line for line in lines) < 2 * pairs and (line := process.stdout.readline()):
            lines.append(line)
        impatience.cancel()
        process.send_signal(signal.SIGTERM)
        output = b"".join(lines) + process.stdout.read()
    status = process.wait(120)
    check(f"who reads {2 * pairs} events late gets all, and the verdict", count(output) == 2 * pairs and status in (0, 4)
          and b'"kind":"alert"' in output and "nobody read" not in said(), count(output), status, said())


try:
    nobody_reads(300)
    nobody_reads(2000)
    somebody_reads_late(300, True)
    somebody_reads_late(2000, False)
finally:
    shutil.rmtree(observers.work, ignore_errors=True)
print(f"{results[True]} passed, {results[False]} failed")
sys.exit(results[False] > 0)
