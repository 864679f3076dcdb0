# SPDX-License-Identifier: MIT
"""counts.py STORE DONE: what a storm's store holds of the DONE changes that were made. Exit status 1 if one is neither
told nor counted as lost, or if something was told more than once."""
import sqlite3
import sys

db, done = sqlite3.connect(sys.argv[1]), int(sys.argv[2])
seen = db.execute("SELECT ifnull(sum(count), 0) FROM rollup WHERE place = 0").fetchone()[0]
gaps, lost, uncounted = db.execute("SELECT count(*), ifnull(sum(count), 0), ifnull(sum(count IS NULL OR count = 0), 0) FROM gap").fetchone()
fault = "told twice" if seen > done else "neither told nor lost" if seen + lost < done and not uncounted else ""
print(f"{seen} seen + {lost} lost{' or more' if uncounted else ''} of {done} ({gaps} gaps): {fault or 'right'}")
sys.exit(fault != "")
