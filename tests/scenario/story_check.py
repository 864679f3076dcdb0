#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""story_check.py ACCESS AGENT EXIT_CODE OUT.json WHO.txt STDERR: does culprit report the story rightly?"""
import json
import os
import sys

from lib.expect import get, is_interruption

access, agent, code, out, who, err = sys.argv[1:7]
wrong = []


def check(condition, text):
    if not condition:
        wrong.append(text)


lines = [json.loads(line) for line in open(out, "rb").read().decode("utf-8").splitlines()]
events = [l for l in lines if get(l, "event.kind") == "event"]
alerts = [l for l in lines if get(l, "event.kind") == "alert"]
stderr = open(err, errors="replace").read()
text = open(who, errors="replace").read()

# an engine that was silent for longer than culprit waits, which it said: what only the engine knows may be unknown
silent = "does not answer" in stderr

# where a busy machine interrupts the kernel's side that is counted, of whatever file: true, and no fault of the story's
reported_gaps = [l for l in lines if get(l, "event.kind") == "pipeline_error"]
interrupted = reported_gaps and all(is_interruption(l) for l in reported_gaps)
check(code == ("4" if interrupted else "0"), f"exit code {code}, gaps: {[get(l, 'message') for l in reported_gaps]}")
check("culprit: ready" in stderr, "no ready line")
check(alerts, "no verdict")

inside = access == "exec"
name = "busybox" if inside else "s1-agent"
mine = [e for e in events if get(e, "process.name") == name and get(e, "event.outcome") == "success"]

# audit is blind to processes older than its first enabling in this boot; then they must be named in
# the warning and in the coverage, and nobody else may be accused
if not mine and agent == "running" and "audit" in stderr and "fanotify" not in stderr and "bpf" not in stderr:
    check("s1-agent" in stderr, "s1-agent neither seen nor named as one that cannot be seen")
    check(not any(get(a, "event.action") == "verdict" for a in alerts), "somebody else is accused")
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)

files = {"/prd/ProcessConf/DeployConfig.sh"} | {f"/prd/ProcessConf/step{i:02}.sh" for i in range(1, 21)}
deleted = [e for e in mine if get(e, "event.action") == "unlink"]
check({get(e, "file.path") for e in deleted} == files,
      f"deleted: {sorted(str(get(e, 'file.path')) for e in deleted)}")
check(len(deleted) == len(files), f"{len(deleted)} deletions reported for {len(files)}")
# chmod and chown, run one after the other by a shell, may be in one read of fanotify: what changed is known, and reported as such
# where both processes are known to be of this command; else with each of them, or with the one or the other
attributes = [e for e in mine if get(e, "event.action") in ("attributes", "chmod", "chown") and get(e, "file.path") == "/prd"]
unsure = [e for e in attributes if inside and get(e, "event.action") == "attributes"]
for e in unsure:
    check("not certain" in str(get(e, "culprit.note")), f"attributes without a doubt: {get(e, 'culprit.note')}")
if unsure:
    for what, right in (("mode", ("0555", "0775")), ("uid", ("1000", "5001"))):
        changes = [(get(e, "culprit.before." + what), get(e, "culprit.after." + what)) for e in attributes]
        check({c for c in changes if c[0] != c[1]} == {right}, f"{what}: {changes}")
if not unsure:
    chmods = [e for e in mine if get(e, "event.action") == "chmod" and get(e, "file.path") == "/prd"]
    check(len(chmods) == 1, f"{len(chmods)} chmods of /prd")
    check(all(get(e, "culprit.before.mode") == "0555" and get(e, "culprit.after.mode") == "0775" for e in chmods),
          f"chmod: {[(get(e, 'culprit.before.mode'), get(e, 'culprit.after.mode')) for e in chmods]}")
    chowns = [e for e in mine if get(e, "event.action") == "chown" and get(e, "file.path") == "/prd"]
    check(len(chowns) == 1, f"{len(chowns)} chowns of /prd")
    check(all(get(e, "culprit.before.uid") == "1000" and get(e, "culprit.after.uid") == "5001" for e in chowns),
          f"chown: {[(get(e, 'culprit.before.uid'), get(e, 'culprit.after.uid')) for e in chowns]}")
    # a busy machine may not have read the container's names in time: then there is none; story.sh wants one of its variants named
    owners = {get(e, "culprit.after.owner") for e in chowns}
    check(owners <= {"ugadmin", None}, f"the owner's name is not the container's: {owners}")
    if chowns and not silent:
        open(os.path.join(os.path.dirname(out), "named" if "ugadmin" in owners else "unnamed"), "w", encoding="utf-8").close()

for e in mine:
    check(get(e, "culprit.victim.container.name") == "web", "whose file: " + str(get(e, "culprit.victim")))
    since = get(e, "culprit.since_start")
    # dockerd notes the start when it has heard of it: on a slow machine that is seconds after the program began
    check(silent if since is None else -5 < since < 60, f"since_start {since}")
    if inside:
        check(get(e, "culprit.origin") == "container" and get(e, "container.name") == "web",
              f"origin {get(e, 'culprit.origin')} {get(e, 'container.name')}")
    else:
        check(get(e, "process.executable") == "/opt/sentinelone/bin/s1-agent", str(get(e, "process.executable")))
        check(get(e, "culprit.origin") == "host", f"origin {get(e, 'culprit.origin')}")
        check(get(e, "culprit.owner.product") == "SentinelOne", f"owner {get(e, 'culprit.owner')}")
        check(any(p.get("name") == "sentineld" for p in get(e, "culprit.lineage", [])), "sentineld is not in the lineage")

verdicts = [a for a in alerts if get(a, "event.action") == "verdict"]
check(len(verdicts) == 1, f"{len(verdicts)} verdicts: {[get(a, 'message') for a in verdicts]}")
for v in verdicts[:1]:
    check(get(v, "process.name") == name, f"accused: {get(v, 'process.name')}")
    check(get(v, "culprit.verdict.deleted") == 21, f"deleted {get(v, 'culprit.verdict.deleted')}")
    check("deleted 21 files of container web" in get(v, "message", ""), get(v, "message", ""))
    check(unsure or "made /prd writable" in get(v, "message", ""), get(v, "message", ""))
    if not inside:
        check("SentinelOne" in get(v, "message", ""), get(v, "message", ""))
    check("deleted 21 files of container web" in text, "who: " + text[:300])
check(get(lines[-1], "event.kind") == "alert", "the verdict is not last")

print(*dict.fromkeys(wrong), sep="\n")
sys.exit(1 if wrong else 0)
