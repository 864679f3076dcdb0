# SPDX-License-Identifier: MIT
"""numbered.py make DIR LOG PREFIX: a file of the next number in DIR each 100 ms, for ever, or each two seconds where there is a file /run/quiet;
LOG gets a line each: its name, and between which moments it was made.
numbered.py check SPANS CUT READY DIR LOG...: what culprit's record has of them. Each is in the record, once, with who made it, or lies in a
time of which the record says that nothing was watched: between two of SPANS spans, or in a gap. All of these ended in order, but where CUT is
not "-" that of the machine that wrote the log CUT until its power was cut. The last span had begun by READY (CLOCK_MONOTONIC, in
microseconds). Exit status 1: it is not so, and why is printed."""
import collections
import itertools
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../scenario"))
from lib.kills import parse_time  # noqa: E402
from lib.observer import is_sound  # noqa: E402

PAUSE, QUIET = 0.1, 2
# What a power cut takes is what had not come to the disk: it does 3 s after it was written. An emulated machine is late; by itself the
# kernel would look each 5 s for what is 30 s old.
WRITTEN_NS = 20_000_000_000
STORE = "/var/lib/culprit/culprit.db"


def make(directory, log, prefix):
    with open(log, "a", buffering=1, encoding="ascii") as lines:
        for i in itertools.count():
            name = f"{prefix}{i:06}"
            began = time.time_ns()
            os.close(os.open(f"{directory}/{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            lines.write(f"{name} {began} {time.time_ns()}\n")
            time.sleep(QUIET if os.path.exists("/run/quiet") else PAUSE)


def read_log(path):
    """{name: (began, made)}; the last line of one that was killed may be half written."""
    with open(path, encoding="ascii") as lines:
        return {name: (int(began), int(made)) for name, began, made in (line.split() for line in lines if line.endswith("\n"))}


class Answer:
    def __init__(self, directory):
        p = subprocess.run(["culprit", "who", "--format", "json", "--op", "create", directory], stdout=subprocess.PIPE, check=False)
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        self.status = p.returncode
        self.events = [e for e in lines if e["event"]["kind"] == "event"]
        self.gaps = [(parse_time(e["culprit"]["gap"]["from"]), parse_time(e["culprit"]["gap"]["to"]), e["message"])
                     for e in lines if e["event"]["kind"] == "pipeline_error"]
        # each verdict has the same
        times = next((e["culprit"]["watched"][0].get("times", []) for e in lines if e["event"]["kind"] == "alert"), [])
        self.spans = [(parse_time(t["from"]), parse_time(t["to"]) if "to" in t else time.time_ns()) for t in times]
        self.holes = [(a[1], b[0]) for a, b in zip(self.spans, self.spans[1:])]
        self.killed = [g for g in self.gaps if "killed" in g[2]]


def seconds(spans):
    return ", ".join(f"{(b - a) / 1e9:.1f} s" for a, b in spans) or "none"


def lost_in_between(a, missing, times):
    """Of holes that a killed one did not leave: recorded before what is missing. Who starts may record before it claims to; who ends, not."""
    orderly = [h for h in a.holes if h[0] not in [g[0] for g in a.killed]]
    last = {h: max((done for _, done in missing.values() if h[0] <= done <= h[1]), default=0) for h in orderly}
    return [n for n, t in times.items() for h in orderly if h[0] < t < last[h]]


def power_cut(a, made, missing):
    """What is wrong with the gap of the killed one that wrote until then."""
    gap = a.killed[0]
    cut = [when for name, when in missing.items() if name in made and when[1] >= gap[0]]
    last = max(done for _, done in made.values())
    age = last - min((began for began, _ in cut), default=last)
    print(f"power cut: {len(cut)} changes of the last {age / 1e9:.1f} s are missing; the gap has {seconds([gap[:2]])}")
    return {
        "more is missing than had to come to the disk": age > WRITTEN_NS,
        "missing after the gap, which names its end": [w for w in cut if w[0] > gap[1]],
        "the gap begins elsewhere": gap[0] not in [h[0] for h in a.holes],
    }


def check(spans, cut, ready, directory, logs):
    made = {name: when for log in logs for name, when in read_log(log).items()}
    a = Answer(directory)
    known = {name for log in logs for name in read_log(log)}
    found = collections.Counter(e["file"]["name"] for e in a.events)
    times = {e["file"]["name"]: parse_time(e["@timestamp"]) for e in a.events}
    # before the first span nobody claims anything
    missing = {n: w for n, w in made.items() if n not in found and w[1] > a.spans[0][0]} if a.spans else made
    unwatched = a.holes + [g[:2] for g in a.gaps]
    began_ns = time.time_ns() - time.monotonic_ns() + int(ready) * 1000
    wrong = {
        f"there are {len(a.spans)} spans": len(a.spans) != int(spans),
        f"{len(a.killed)} ended without order": len(a.killed) != (cut != "-"),
        f"the status is {a.status}": a.status != (4 if a.gaps else 0),
        "lost, and in no gap": [n for n, (began, done) in missing.items() if not any(done >= frm and began <= to for frm, to in unwatched)],
        "more than once": [n for n in found if found[n] > 1],
        "nobody made it": [e["file"]["name"] for e in a.events if "python" not in e.get("process", {}).get("executable", "")],
        "lost, and later ones not, at an orderly end": lost_in_between(a, missing, times),
        # of a power cut: it may have been made, and its line not written any more
        "never made": [n for n in found if n not in known][cut != "-":],
        "the last span began after it was ready": a.spans and a.spans[-1][0] > began_ns,
        "the store is damaged": not is_sound(STORE) or [n for n in os.listdir(os.path.dirname(STORE)) if "damaged" in n],
    }
    if a.killed and cut != "-":
        wrong |= power_cut(a, read_log(cut), missing)
    print(f"{len(made)} changes: {len(found)} recorded, {len(missing)} are not; not watched for {seconds(a.holes)}; gaps: {len(a.gaps)}")
    for gap in a.gaps:
        print(f"gap of {seconds([gap[:2]])}: {gap[2]}")
    for text, is_wrong in wrong.items():
        if is_wrong:
            print(f"{text}: {is_wrong if is_wrong is True else str(is_wrong)[:300]}")
    return 1 if any(wrong.values()) else 0


if sys.argv[1] == "make":
    make(*sys.argv[2:5])
sys.exit(check(*sys.argv[2:6], sys.argv[6:]))
