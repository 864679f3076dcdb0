#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py OUT VERSION...: what the guests found, scenario x kernel. A cell is one result over all file
systems: right, declared, WRONG, unstable (right when played once more), or skipped where the kernel cannot do it at all; file systems that
differ from the others are named. Ends with "N passed, N failed". A guest that was too slow for its time is said,
and is no failure; one that found nothing out is."""
import json
import os
import re
import sys

out, versions = sys.argv[1], sys.argv[2:]
cells, order, details, stories, wrong = {}, [], [], [], {}
counts = {"right": 0, "declared": 0, "unstable": 0, "WRONG": 0, "skipped": 0, "not run": 0}
of_version = {v: dict(counts) for v in versions}
declared = {}
passed = failed = 0


def read(*path):
    try:
        with open(os.path.join(out, *path), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


for version in versions:
    lines = read(version, "results").splitlines()
    for line in lines:
        place, scenario, sensor, result, why, _ = json.loads(line)
        if scenario not in order:
            order.append(scenario)
        cells.setdefault((scenario, version), {}).setdefault(result, []).append(place)
        counts[result] += 1
        of_version[version][result] += 1
        if result in ("WRONG", "unstable"):
            wrong.setdefault((result.upper(), place, sensor, why[0] if why else ""), []).append((scenario, why))
        if result == "declared":
            declared.setdefault(scenario, {}).setdefault(version, why)
    # what many have in common is said once
    for (result, place, sensor, _), found in wrong.items():
        scenarios = f"{len(found)} scenarios, as {found[0][0]}" if len(found) > 1 else found[0][0]
        details.append(f"{result}: {version}, {place}, {sensor}: {scenarios}: " + "; ".join(found[0][1]))
    wrong.clear()
    status = read(version + ".rc").strip()
    if not of_version[version]["right"] or status not in ("0", "1"):
        failed += 1
        details.append(f"WRONG: {version}: the guest ended with {status or 'nothing'}: " + read(version + ".log")[-1500:])
    for line in read(version, "story").splitlines():
        if line.startswith("story: "):
            stories.append(f"{version}: {line}")
        m = re.match(r"(\d+) passed, (\d+) failed", line)
        if m:
            passed += int(m[1])
            failed += int(m[2])
            if int(m[2]):
                details.append(f"WRONG: {version}: the story:\n" + read(version, "story")[-3000:])


def cell(scenario, version):
    found = cells.get((scenario, version), {})
    worst = next((r for r in ("WRONG", "unstable", "right", "declared", "skipped", "not run") if r in found), "-")
    others = [f"{r} {' '.join(p)}" for r, p in found.items() if r in ("WRONG", "unstable", "declared") and (r != worst or len(found) > 1)]
    return worst + (f" ({', '.join(others)})" if others else "")


for line in details:  # before the table: a log may be cut
    print(line)
width = max([len(s) for s in order] + [20]) + 2
print(f"{'scenario':<{width}}" + "".join(f"{v:<12}" for v in versions))
for s in order:
    print(f"{s:<{width}}" + "".join(f"{cell(s, v):<12}" for v in versions).rstrip())
print()
for line in stories:
    print(line)
if declared:
    print("declared, not seen by their nature:")
    for s, by in declared.items():
        print(f"  {s}: {', '.join(by)}: {next(iter(by.values()))[0]}")
for version in versions:
    print(f"{version}: " + ", ".join(f"{n} {k}" for k, n in of_version[version].items()) +
          " (scenario x file system)" + "".join(f"; {t}" for t in re.findall(r"(?:battery|story): .* since boot", read(version + ".log"))))
for version in versions:
    if of_version[version]["not run"]:
        print(f"******** NOT RUN on the kernel {version}: {of_version[version]['not run']} scenarios: this machine was too slow "
              "for the time it had (make check-vm runs them all)")
not_tested = read("not-tested").strip()
if not_tested:
    print(not_tested)
    if os.environ.get("CI") == "true":
        failed += 1
passed += counts["right"] + counts["declared"] + counts["unstable"]
failed += counts["WRONG"]
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
