# SPDX-License-Identifier: MIT
"""response.py CULPRIT: on_verdict of the daemon's watches, against real processes: kill, freeze, exec, whom nothing is done to, the limit.
The last line is "N passed, N failed"."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from lib.daemon_test import CULPRIT, DaemonTest

SECONDS = 120
shared = DaemonTest("response", SECONDS)
work, etc, run = shared.work, shared.etc, shared.run
check, wait_until, said, start = shared.check, shared.wait_until, shared.said, shared.start
PLACE = tempfile.mkdtemp(prefix="culprit-response.", dir="/var/lib")  # where only root puts programs: names count there
UNIFIED = next((p for p in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if os.path.exists(p + "/cgroup.procs")), None)
# made before the daemon observes: whoever makes one is a culprit, too
FILES = ("k/agent", "k/gone", "k/sshd", "k/polkitd", "k/limit0", "k/limit1", "k/limit2", "k/limit3", "k/limit4", "f/freezer", "f/second", "f/third", "home/e/runner", "h/hanger",
         "other/bystander")


def configure(text):
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = {os.environ.get('SENSOR', 'audit')}\nstore = {work}/db\nheartbeat = off\nredact = homes\n{text}"
                f"sink out {{ type = file to = {work}/alerts.json }}\n")


def reload():
    return subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", "reload"], capture_output=True, check=False, timeout=SECONDS).returncode


def alerts():
    try:
        return [json.loads(line) for line in open(f"{work}/alerts.json", encoding="utf-8") if line.endswith("\n")]  # the last one may be half written
    except FileNotFoundError:
        return []


def culprit(folder, name, cgroup=None, place=work):
    """A program of its own that changes a file and goes on."""
    path = f"{work}/{folder}/{name}"
    if not os.path.exists(f"{place}/{name}"):
        shutil.copy(shutil.which("perl"), f"{place}/{name}")
    enter = (lambda: open(cgroup + "/cgroup.procs", "w", encoding="ascii").write(str(os.getpid()))) if cgroup else None
    process = subprocess.Popen([f"{place}/{name}", "-e", f"truncate('{path}', 0); sleep 600"], preexec_fn=enter)
    shared.started.append(process)
    return process


def responses():
    return [line.split("culprit: response to alert ", 1)[1] for line in said().splitlines() if line.startswith("culprit: response to alert ")]


def has_alert(name):
    return any(name in json.dumps(a) for a in alerts())


def kills():
    agent = culprit("k", "agent")
    check("the culprit is killed", wait_until(lambda: agent.poll() is not None) and agent.returncode == -signal.SIGKILL, agent.poll(), said())
    check("it is in the log", wait_until(lambda: any(f"process {agent.pid}, {work}/agent: killed" in r for r in responses())), said())
    check("and in the alert", wait_until(lambda: any(f"process {agent.pid}, {work}/agent: killed" in r for a in alerts()
          for r in a["culprit"]["alert"].get("response", []))), alerts())
    script = subprocess.Popen([f"{work}/purge"])
    shared.started.append(script)
    check("of a script that has others do it, it is the script", wait_until(lambda: script.poll() is not None) and script.returncode == -signal.SIGKILL,
          script.poll(), said())
    known = culprit("k", "sshd", place=PLACE)
    check("sshd is let be, and that is said", wait_until(lambda: any(f"process {known.pid}, " in r and "logins and engines are let be" in r for r in responses()))
          and known.poll() is None, said())
    bystander = culprit("other", "bystander")
    check("where nothing is asked for there is an alert", wait_until(lambda: has_alert("bystander")), alerts())
    shutil.copy(shutil.which("perl"), f"{work}/polkitd")
    os.chmod(f"{work}/polkitd", 0o775)
    called = culprit("k", "polkitd")
    check("whoever is only called so is not", wait_until(lambda: called.poll() is not None) and called.returncode == -signal.SIGKILL, called.poll(), said())
    check("and nothing is done, though something is done to whoever comes later", bystander.poll() is None, said())


def is_frozen(cgroup):
    return "frozen 1" in open(cgroup + "/cgroup.events", encoding="ascii").read()


def freezes():
    if not UNIFIED:
        print("not tested: no cgroups of version 2", flush=True)
        return
    cgroup, mixed = UNIFIED + "/culprit-test-response", UNIFIED + "/culprit-test-mixed"
    for path in (cgroup, mixed):
        os.makedirs(path, exist_ok=True)
    try:
        agent = culprit("f", "freezer", cgroup)
        check("the culprit's cgroup is frozen", wait_until(lambda: is_frozen(cgroup)) and agent.poll() is None, said())
        check("it is said how it goes on", wait_until(lambda: any(f"echo 0 > {cgroup}/cgroup.freeze" in r for r in responses())), said())
        sshd = subprocess.Popen([f"{PLACE}/sshd", "-e", "sleep 600"], preexec_fn=lambda: open(mixed + "/cgroup.procs", "w", encoding="ascii").write(str(os.getpid())))
        shared.started.append(sshd)
        second = culprit("f", "second", mixed)
        check("a cgroup with sshd in it is let be", wait_until(lambda: any(f"process {second.pid}, " in r and "not frozen: in its cgroup" in r for r in responses()))
              and not is_frozen(mixed), said())
        third = culprit("f", "third")
        check("nor is the root's cgroup frozen", wait_until(lambda: any(f"process {third.pid}, " in r and "not frozen: " in r for r in responses())) and
              third.poll() is None, said())
    finally:
        for path in (cgroup, mixed):
            open(path + "/cgroup.freeze", "w", encoding="ascii").write("0")
            for pid in open(path + "/cgroup.procs", encoding="ascii").read().split():
                os.kill(int(pid), signal.SIGKILL)
        for process in shared.started[1:]:
            process.kill()
            process.wait()
        for path in (cgroup, mixed):
            wait_until(lambda p=path: not open(p + "/cgroup.procs", encoding="ascii").read())
            os.rmdir(path)


def runs():
    agent = culprit("home/e", "runner")
    got = f"{work}/ran/got"
    check("the program has the alert on its stdin", wait_until(lambda: os.path.exists(got) and open(got, encoding="utf-8").read().endswith("\n")), said())
    line = json.loads(open(got, encoding="utf-8").read()) if os.path.exists(got) else {}
    check("it is the alert of that culprit", line.get("culprit", {}).get("alert", {}).get("state") == "begins" or "runner" in json.dumps(line), line)
    check("its watch is found, and not reported, where homes are redacted", line.get("culprit", {}).get("watch") ==
          f"{work}/home/[redacted]", line)
    check("it is said that it ran", wait_until(lambda: any(f"ran {work}/program" in r for r in responses())), said())
    check("the culprit is let be", agent.poll() is None)
    hung = culprit("h", "hanger")
    check("a program that hangs is ended", wait_until(lambda: any("ended after 10 seconds" in r for r in responses())) and hung.poll() is None, said())


def limited():
    first = [culprit("k", f"limit{i}") for i in range(2)]
    check("two are killed", wait_until(lambda: all(p.poll() is not None for p in first)), said())
    third = culprit("k", "limit2")
    check("the third is one too many: it disarms itself, and says so", wait_until(lambda: "on_verdict of watch kill is disarmed" in said()) and third.poll() is None, said())
    check("that is an alert", wait_until(lambda: any("is disarmed" in a.get("message", "") for a in alerts())), alerts()[-2:])
    fourth = culprit("k", "limit3")
    check("there are alerts still", wait_until(lambda: has_alert("limit3")), alerts()[-2:])
    check("a reload arms it", reload() == 0)
    fifth = culprit("k", "limit4")
    check("and it acts again", wait_until(lambda: fifth.poll() is not None), said())
    check("nothing was done meanwhile", fourth.poll() is None, said())


def main():
    for folder in ("etc", "run", "k", "f", "home", "home/e", "h", "other", "ran"):
        os.mkdir(f"{work}/{folder}")
    for name in FILES:
        with open(f"{work}/{name}", "w", encoding="ascii") as f:
            f.write("content\n")
    os.chmod(work, 0o755)
    os.chmod(f"{work}/ran", 0o777)
    for name, text in (("purge", f"rm -f {work}/k/gone\nsleep 600\n"), ("program", f"cat > {work}/ran/part && mv {work}/ran/part {work}/ran/got\n"), ("hang", "sleep 100\n")):
        with open(f"{work}/{name}", "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(f"{work}/{name}", 0o755)
    watches = (f"watch freeze {{ targets = {work}/f on_verdict = freeze on_verdict_limit = 9 }}\nwatch other {{ targets = {work}/other }}\n"
               f"watch exec {{ targets = {work}/home/e on_verdict = exec on_verdict_run = {work}/program }}\n"
               f"watch hang {{ targets = {work}/h on_verdict = exec on_verdict_run = {work}/hang }}\n")
    configure(watches + f"watch kill {{ targets = {work}/k on_verdict = kill on_verdict_limit = 9 }}\n")
    try:
        start()
        kills()
        freezes()
        runs()
        configure(watches + f"watch kill {{ targets = {work}/k on_verdict = kill on_verdict_limit = 2 }}\n")
        check("reload", reload() == 0, said())
        limited()
    finally:
        shared.clear()
        shutil.rmtree(PLACE, ignore_errors=True)
    return shared.result()


if __name__ == "__main__":
    sys.exit(main())
