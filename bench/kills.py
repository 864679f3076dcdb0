#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kills.py CULPRIT [-n KILLS] [-s fanotify,audit] [-o ROWS]: what kill -9 at any moment costs, as a table. As root.

300 kills for each set of sensors (its members joined by +) while 2,000 changes a second are made, every eighth of them before the
sensor is ready or as it becomes so. The columns: stores that were damaged; changes that are missing; how long before the kill the oldest missing one was done;
kills after which `who` claims to have watched longer than what is stored; after which it did not tell the end as a gap with its
span; events without an actor; how long `who` took right after the kill. -o: the rows, as JSON, are added to that file, and the
table is of all that it holds, so that it can be made in parts. Exit status 1: a column that has to be 0 is not.
"""
import argparse
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tests/scenario"))
from lib.kills import is_right, kill, table  # noqa: E402
from lib.observer import Observers  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("culprit", type=os.path.realpath)
parser.add_argument("-n", type=int, default=300, metavar="KILLS")
parser.add_argument("-s", default="fanotify,audit", metavar="SENSORS")
parser.add_argument("-o", metavar="ROWS")
parser.add_argument("--seed", type=int, default=7, help="of the moments")
parser.add_argument("--rate", type=float, default=1000, help="files made and deleted in a second")
parser.add_argument("--seconds", type=float, nargs=2, default=(0.3, 1.3), metavar=("FROM", "TO"), help="from ready to the kill")
parser.add_argument("--ready", type=float, default=60, help="seconds until it has to be ready")
options = parser.parse_args()
observers = Observers(options.culprit, options.ready, own_sessions=True)  # as a service has
rows = []
if options.o and os.path.exists(options.o):
    with open(options.o, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
try:
    for each in options.s.split(","):
        for row in kill(observers, each, options.n, options.seed, options.rate, options.seconds):
            rows.append(row)
            if options.o:
                with open(options.o, "a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
finally:
    shutil.rmtree(observers.work, ignore_errors=True)
print(table(rows))
sys.exit(not all(is_right(row) for row in rows))
