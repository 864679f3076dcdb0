#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""battery.py CULPRIT ACT [-s SENSOR,...] [-k PATTERN] [-f FILESYSTEM,...]: every scenario with every sensor.

A scenario sets the scene, starts culprit, does one thing, and compares all that culprit reported with the
one right answer. Outcomes: right; "declared": not seen, and the sensor's capabilities say so; WRONG:
seen wrong, reported too much, or not seen without being declared; skipped: this kernel or this file
system cannot do it at all. What was WRONG is played once more; right then it is UNSTABLE: listed, to be mended, and no failure.

With --late culprit is stopped again and again. With --together, scenarios that do not mind share one culprit, each with a folder and a watch of its own:
what is reported is dealt out by path. On the file systems that --few names, only what depends on them is played.
After --deadline SECONDS nothing more is begun: what is left is "not run", which is said and is no failure. --rotate N begins
elsewhere for each N, so that what was left has its turn.
--results FILE leaves one line a result, for tests/vm/table.py; --doctor FILE what `culprit doctor` answered."""
import argparse
import fnmatch
import json
import os
import subprocess
import sys
import time

from lib import scenarios, targets, actors, containers, files, access_paths  # noqa: F401, they add their scenarios, in this order
from lib.engine import Docker
from lib.engines import Engines, Missing
from lib.expect import compare, get
from lib.places import PLACES
from lib.run import CANNOT, Run, Session, Skip
from lib.scenario import SCENARIOS


def capabilities(culprit, keep):
    answer = subprocess.run([culprit, "doctor", "--format", "json"], stdout=subprocess.PIPE, check=False)
    if keep:
        with open(keep, "wb") as f:
            f.write(answer.stdout)
    doctor = json.loads(answer.stdout.splitlines()[0])
    return {s["name"]: set(s["capabilities"]) for s in doctor["sensors"] if s["works"]}, doctor["would_use"]


OF_DOCKER = ("container: ", "docker: ")

# What differs between file systems, or might: numbers of devices and inodes, how names and attributes are
# changed, who does the work (a FUSE server, an overlay's mounter), where io_uring hands it to a worker.
ESSENTIAL = {
    "unlink", "rmdir", "rm -rf of a deep tree", "rename within", "rename out of", "rename over a victim", "RENAME_EXCHANGE",
    "RENAME_WHITEOUT", "hard link in", "unlink of one of two links", "symlink created, then replaced",
    "mknod of a fifo and a device", "O_TMPFILE and linkat", "O_CREAT | O_EXCL, read-only", "mkdir, and a file in it at once",
    "write", "O_TRUNC", "truncate, before and after", "fallocate, punch a hole", "copy_file_range", "MAP_SHARED",
    "write through a descriptor opened before the watch", "write, reported at its end", "chmod", "chown", "utimensat",
    "setxattr and removexattr", "an ACL", "chattr +i and -i", "io_uring unlink", "io_uring rename",
    "io_uring open with O_TRUNC, write", "open_by_handle_at and write", "another user", "unlink without permission",
    "open for writing without permission", "a watch of one file", "a file that does not exist yet",
    "a bind mount reaches the file by another path", "running before the watch",
}


def judge(scenario, run, lines, parts, has):
    """What is reported wrong is wrong, whatever a sensor lacks: only what is not reported, or said to be unknown, can be
    declared."""
    if run.failure:
        return run.failure
    uncertain = [] if set(parts) == {"fanotify"} else None
    wrong, missing, gaps = compare(run.expected, lines, run, scenario, uncertain)
    if wrong:
        return "WRONG", wrong + missing + gaps
    if not missing and not gaps:
        return ("declared", uncertain) if uncertain else ("right", [])
    lacks = [c for c in scenario.needs if c not in has]
    if missing and not gaps and lacks:
        return "declared", [f"needs {' '.join(lacks)}"]
    # of several sensors one is enough: all that could report it by their nature must have a limit
    limits = [scenario.limits.get(s) for s in parts if set(scenario.needs) <= parts[s]]
    if limits and all(limits):
        return "declared", limits
    return "WRONG", missing + gaps


def is_unknown(why):
    """Reported, with a part that is said not to be known: a matter of how busy the machine is."""
    return any(w.endswith(" is not known") for w in why)


def evidence(session, lines):
    """What there was instead, for a failure that may not come again."""
    reported = [f"{get(l, 'event.action')} {get(l, 'file.path')} {get(l, '@timestamp')}" for l in lines[:12]]
    return ["reported was: " + (", ".join(reported) or "nothing"), "said was: " + session.err().decode(errors="replace")[-600:]]


def guarded(run, step):
    """One step of a scenario; what goes wrong in it is the scenario's result."""
    if run.failure:
        return None
    try:
        return step()
    except (Skip, Missing) as reason:
        run.failure = ("skipped", [str(reason)])
    except OSError as reason:
        run.failure = ("skipped" if reason.errno in CANNOT else "WRONG", [str(reason)[:200]])
    except Exception as reason:  # pylint: disable=broad-except
        run.failure = ("WRONG", [f"{type(reason).__name__}: {reason}"])
    return None


def play(args, scenarios, sensor, has, place):
    """These scenarios with one culprit: (scenario, result, why) of each."""
    runs = [(s, Run(args, s, place.dir)) for s in scenarios]
    results = []
    session = Session(args, sensor, runs[0][1].work, scenarios[0].options)
    try:
        for scenario, run in runs:
            if scenario.before:
                guarded(run, lambda: scenario.before(run))
        for scenario, run in runs:
            run.targets = guarded(run, lambda: scenario.targets(run)) or []
        targets = [t for _, run in runs for t in run.targets]
        if targets:
            try:
                session.start(targets)
                for scenario, run in runs:
                    run.session, run.has = session, has
                    run.expected = guarded(run, lambda: scenario.during(run))
            finally:
                lines = session.finish()
        dealt = session.deal([run for _, run in runs]) if targets else ({}, [])
        for scenario, run in runs:
            result, why = judge(scenario, run, dealt[0].get(run, []), args.parts[sensor], has)
            if result == "WRONG" and targets:
                why = why + evidence(session, dealt[0].get(run, []))
            results.append((scenario.name, result, why))
        if dealt[1]:
            results.append(("(nobody's)", "WRONG", dealt[1][:20]))
    except Exception as reason:  # pylint: disable=broad-except
        for scenario, run in runs[len(results):]:
            results.append((scenario.name, "WRONG", [f"{type(reason).__name__}: {reason}"]))
    finally:
        session.end()
        for scenario, run in runs:
            if scenario.after:
                try:
                    scenario.after(run)
                except Exception as reason:  # pylint: disable=broad-except
                    print(f"{scenario.name}: cleaning up: {reason}", file=sys.stderr)
            run.clean()
    return results


def once_more(args, scenarios, results, sensor, has, place):
    """What was wrong is played once more, a few by themselves, many as they were: what is right then is unstable."""
    wrong = [name for name, result, _ in results if result == "WRONG"]
    if any("culprit ended with -" in w for _, _, why in results for w in why):
        return results  # it crashed: that has nothing to do with the machine
    again = [s for s in scenarios if s.name in wrong]
    if len(again) == len(wrong) <= 8:
        second = [r for s in again for r in play(args, [s], sensor, has, place)]
    else:  # also where something was reported that is no scenario's
        second = play(args, scenarios, sensor, has, place)
    still = {name for name, result, _ in second if result == "WRONG"}
    of_first = [(name, "unstable" if name in wrong and name not in still else result, why) for name, result, why in results]
    return of_first + [r for r in second if r[1] == "WRONG" and r[0] not in wrong]


def batches(args, scenarios):
    if not args.together:
        return [[s] for s in scenarios]
    shared = [s for s in scenarios if not s.alone]
    size = 60
    return [shared[i:i + size] for i in range(0, len(shared), size)] + [[s] for s in scenarios if s.alone]


def rotated(items, n):
    n %= max(len(items), 1)
    return items[n:] + items[:n]


def of_engines(scenario):
    return scenario.engine is not None or scenario.name.startswith(OF_DOCKER)


def chosen(args):
    """The scenarios for the file systems, and those for the ones of --few."""
    all_of_them = [s for s in SCENARIOS if fnmatch.fnmatch(s.name, args.pattern)
                   and not any(fnmatch.fnmatch(s.name, x) for x in args.exclude) and (args.guest or not s.guest)]
    if args.engines_played != "all":
        all_of_them = [s for s in all_of_them if of_engines(s) == (args.engines_played == "only")]
    if args.guest:  # the other engines are played on the host: a guest has little memory and time
        all_of_them = [s for s in all_of_them if s.engine is None]
    unknown = ESSENTIAL - {s.name for s in SCENARIOS}
    assert not unknown, unknown
    return all_of_them, [s for s in all_of_them if s.name in ESSENTIAL]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("culprit")
    parser.add_argument("act")
    parser.add_argument("-s", "--sensors", help='of those that work here; "first": the first of them alone')
    parser.add_argument("-k", "--pattern", default="*")
    parser.add_argument("-f", "--places", default="here")
    parser.add_argument("-x", "--exclude", action="append", default=[])
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--late", action="store_true",
                        help="culprit is stopped again and again: what it reads late it may not report wrongly")
    parser.add_argument("--guest", action="store_true", help="also what would disturb a machine in use")
    parser.add_argument("--engines", dest="engines_played", choices=("all", "none", "only"), default="all",
                        help="scenarios with a container engine too, none of them, only them")
    parser.add_argument("--few", default="", metavar="FILESYSTEM,...", help="only the essential scenarios on these")
    parser.add_argument("--deadline", type=float, default=1e9, metavar="SECONDS", help="begin nothing after that")
    parser.add_argument("--rotate", type=int, default=0, metavar="N", help="begin with another file system, and others of its scenarios")
    parser.add_argument("--results")
    parser.add_argument("--doctor", metavar="FILE", help="keep there what doctor answered")
    began = time.monotonic()
    args = parser.parse_args()
    args.culprit, args.act = os.path.realpath(args.culprit), os.path.realpath(args.act)
    works, would_use = capabilities(args.culprit, args.doctor)
    columns = {name: works[name] for name in works}
    if "fanotify" in works and "audit" in works:
        columns["fanotify+audit"] = works["fanotify"] | works["audit"]
    if len(would_use) > 1 and "+".join(would_use) not in columns:
        columns["auto"] = set().union(*(works[n] for n in would_use))
    if args.sensors == "first":
        columns = {next(iter(works)): works[next(iter(works))]}
    elif args.sensors:
        missing = [n for n in args.sensors.split(",") if n not in columns]
        if missing:
            print(f"sensor {missing[0]} does not work here\n0 passed, 1 failed")
            return 1
        columns = {n: columns[n] for n in args.sensors.split(",")}
    args.parts = {n: {s: works.get(s, has) for s in n.split("+")} for n, has in columns.items()}
    counts, details = {}, []
    scenarios, few = chosen(args)
    for s in scenarios if args.late else []:
        s.gaps = True  # what it cannot keep up with then
    with_docker = any(s.name.startswith(OF_DOCKER) for s in scenarios)
    out = open(args.results, "a", encoding="utf-8") if args.results else None
    places = args.places.split(",")
    for name_of_place in rotated(places, args.rotate):
        with PLACES[name_of_place]() as place:
            if with_docker and place.whole:
                args.docker = Docker()
            args.engines = Engines(args.docker if with_docker and place.whole else None)
            here = [s for s in (few if name_of_place in args.few.split(",") else scenarios) if place.takes(s)]
            print(f"{'scenario, on ' + place.name:<70}" + "".join(f"{name:<15}" for name in columns))
            for batch in rotated(batches(args, here), args.rotate // len(places)):
                rows = {}
                for name, has in columns.items():
                    if any(n in s.costly for s in batch for n in name.split("+")):
                        continue
                    from_time = time.monotonic()
                    if from_time - began > args.deadline:
                        results = [(s.name, "not run", ["no time was left"]) for s in batch]
                    else:
                        results = play(args, batch, name, has, place)
                        if any(r[1] == "WRONG" for r in results):
                            results = once_more(args, batch, results, name, has, place)
                    seconds = round(time.monotonic() - from_time, 1)
                    for scenario, result, why in results:
                        counts[result] = counts.get(result, 0) + 1
                        rows.setdefault(scenario, {})[name] = result
                        if out:
                            print(json.dumps([place.name, scenario, name, result, why, seconds]), file=out, flush=True)
                        if result == "unstable":
                            details.append(f"UNSTABLE: {scenario} ({name}, {place.name}): " + "; ".join(why))
                        if result in ("WRONG", "skipped") or (result == "declared" and is_unknown(why)):
                            details.append(f"{scenario} ({name}, {place.name}): {result}: " + "; ".join(why))
                for scenario, row in rows.items():
                    print(f"{scenario:<70}" + "".join(f"{row.get(n, ''):<15}" for n in columns), flush=True)
            args.engines.stop()
            if with_docker and place.whole:
                args.docker.stop()
    print()
    for line in details:
        print(line)
    print(", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    print(f"{sum(counts.get(r, 0) for r in ('right', 'declared', 'unstable'))} passed, {counts.get('WRONG', 0)} failed")
    return 1 if counts.get("WRONG") else 0


if __name__ == "__main__":
    sys.exit(main())
