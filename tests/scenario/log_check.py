#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""log_check.py WORK EXIT_CODE [web]: is what was reported from the log (log.json) what was reported live (live.json)? web: is the
container's story right (web.json)?"""
import json
import re
import sys

from lib.expect import get

work, code = sys.argv[1:3]
wrong = []


def check(condition, text):
    if not condition:
        wrong.append(text)


def read(name):
    lines = [json.loads(line) for line in open(f"{work}/{name}", "rb").read().decode().splitlines()]
    kinds = {}
    for line in lines:
        kinds.setdefault(get(line, "event.kind"), []).append(line)
    return kinds


# A log has neither what a file looked like at its end (sizes) nor which descriptor was closed; who did what to which is the same.
FIELDS = ["event.action", "event.outcome", "error.code", "file.path", "culprit.file.previous_path", "file.inode",
          "process.executable", "process.name", "process.pid", "process.user.id", "culprit.login.user.id",
          "culprit.owner.product", "culprit.syscall"]


def essence(e):
    values = [str(get(e, f)) for f in FIELDS]
    for side in ("before", "after"):
        state = get(e, f"culprit.{side}", {})
        values.append(f"{side} " + ",".join(f"{k}={state[k]}" for k in ("mode", "uid", "gid") if k in state))
    return " | ".join(values)


def chain(e):
    return [get(p, "executable") for p in get(e, "culprit.lineage", [])]


def check_container():
    kinds = read("web.json")
    events = [e for e in kinds.get("event", []) if get(e, "event.action") != "exec"]
    agent = [e for e in events if get(e, "process.name") == "s1-agent"]
    deleted = {get(e, "file.path") for e in agent if get(e, "event.action") == "unlink"}
    check(deleted == {f"/prd/ProcessConf/step{i:02}.sh" for i in range(1, 22)}, f"deleted {sorted(map(str, deleted))}")
    check(len(agent) == 23, f"{len(agent)} changes of the agent")
    check(all(get(e, "culprit.victim.container.name") == "web" for e in events), "not all of web")
    check(all(get(e, "process.executable") == "/opt/sentinelone/bin/s1-agent" for e in agent), "executable")
    own = [e for e in events if get(e, "file.path") == "/prd/own" and get(e, "event.action") == "unlink"]
    check(len(own) == 1, f"{len(own)} deletions of web's own file: the other's, or the host's, is among them")
    check(all(get(e, "container.name") == "web" and get(e, "culprit.origin") == "container" for e in own), "its own actor is not in web")
    messages = [get(a, "message", "") for a in kinds.get("alert", []) if get(a, "event.action") == "verdict"]
    check(any("SentinelOne" in m and "21 files of container web" in m for m in messages), str(messages))


if sys.argv[3:]:
    check(code == "0", f"exit code {code}")
    check_container()
    print(*dict.fromkeys(wrong), sep="\n")
    sys.exit(1 if wrong else 0)
live, log = read("live.json"), read("log.json")
check(code == "0", f"exit code {code}")
events = {k: {essence(e): e for e in v.get("event", []) if get(e, "event.action") not in ("write", "exec")}
          for k, v in (("live", live), ("log", log))}
check(len(events["live"]) > 30, f"{len(events['live'])} events live")
for name in sorted(set(events["live"]) - set(events["log"])):
    wrong.append(f"only live: {name}")
for name in sorted(set(events["log"]) - set(events["live"])):
    wrong.append(f"only log:  {name}")
agents = 0
for name in set(events["live"]) & set(events["log"]):
    a, b = chain(events["live"][name]), chain(events["log"][name])
    # the log knows who was launched while execve was audited; nobody else may be in the chain
    check(b == a[:len(b)], f"{name}: chain {a} live, {b} in the log")
    if get(events["log"][name], "process.executable") == "/opt/sentinelone/bin/s1-agent":
        agents += 1
        check(b[:1] == ["/opt/sentinelone/bin/sentineld"], f"{name}: the launcher is not in {b}")
check(agents >= 23, f"{agents} changes of the agent")


def essence_of_verdict(message):
    """Whether an actor lives on the host a log knows only if it saw its launchers up to the first process; it has ids, no names."""
    return re.sub(r"(changed the owner of \S+): .*?(?=, at |, from )", r"\1", message.replace(", on the host,", ""))


# who was started before execve was audited is known live only: what it ran is its own there, in the log its programs'
verdicts = {k: sorted(essence_of_verdict(get(a, "message", "")) for a in v.get("alert", [])
                      if get(a, "event.action") == "verdict" and "SentinelOne" in get(a, "message", ""))
            for k, v in (("live", live), ("log", log))}
check(verdicts["live"] == verdicts["log"], f"verdicts live {verdicts['live']}\nfrom log {verdicts['log']}")
check(any("SentinelOne" in m and "21 files" in m for m in verdicts["log"]), str(verdicts["log"]))
print(*dict.fromkeys(wrong), sep="\n")
sys.exit(1 if wrong else 0)
