# SPDX-License-Identifier: MIT
"""facts.py CULPRIT: what the daemon's alerts say beside what happened: a cause that is new to the watch, a burst; nothing of a time that
was not recorded. In a mount namespace of its own, with dpkg's records of its own. The last line is "N passed, N failed"."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

if "CULPRIT_FACTS" not in os.environ:
    os.environ["CULPRIT_FACTS"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B", *sys.argv])

from lib.daemon_test import CULPRIT, DaemonTest, touch
from lib.engine import Docker

SECONDS = 120
LEARNING = 1
NEW, BURST = "New at this watch: nothing of this cause was recorded in the ", "A burst: "
shared = DaemonTest("facts", SECONDS)
work, etc, run = shared.work, shared.etc, shared.run
check, wait_until, said, start = shared.check, shared.wait_until, shared.said, shared.start
watched, store = f"{work}/w", f"{work}/db"


def configure(learning):
    with open(f"{etc}/culprit.conf.new", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nstore = {store}\nheartbeat = 1h\nlearning = {learning}\nwatch w {{ targets = {{ {watched}, {work}/bin }} }}\n"
                f"sink lines {{ type = file\n to = {work}/lines }}\n")
    os.rename(f"{etc}/culprit.conf.new", f"{etc}/culprit.conf")


def ctl(*words):
    return subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", *words], capture_output=True, text=True, check=False,
                          timeout=SECONDS)


def lines():
    if not os.path.exists(f"{work}/lines"):
        return []
    with open(f"{work}/lines", encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def recorded(path):
    return subprocess.run([CULPRIT, "who", "--store", store, path], capture_output=True, check=False, timeout=SECONDS).returncode == 0


def alert_of(script):
    """The newest message about what that script did; None: there is none."""
    found = [line for line in lines() if f"/{script}" in line["message"]]
    return found[-1] if found else None


def open_matter(alert):
    matters = json.loads(ctl("--json", "status").stdout)["alerts"]["open"]
    return ([m for m in matters if m["id"] == alert["culprit"]["alert"]["id"]] or [{"events": 0}])[0]


def remove(script, *names):
    """By a script of that name: what it does has a cause of its own. Waits until all is counted."""
    with open(f"{work}/{script}", "w", encoding="utf-8") as f:
        f.write(f"cd {watched}\nrm {' '.join(names)}\n")
    subprocess.run(["/bin/sh", f"{work}/{script}"], check=True, timeout=SECONDS, cwd="/")
    check(f"{script}: is an alert", wait_until(lambda: alert_of(script)), lines())
    alert = alert_of(script)
    check(f"{script}: all is counted", wait_until(lambda: open_matter(alert)["events"] == len(names)), open_matter(alert))
    return alert


def facts(alert):
    return alert["culprit"]["alert"].get("facts", {})


def learn():
    """Until it was recorded for so long."""
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() > begun + LEARNING + 0.5)


def before_it_is_learnt():
    first = remove("known.sh", "a")
    check("before it is learnt nothing is new", facts(first) == {} and NEW not in first["message"], first)
    storm = remove("early.sh", *(f"early-{n}" for n in range(60)))
    check("nor a burst", facts(storm) == {} and BURST not in storm["message"], storm)
    return first


def new_causes(first):
    configure(f"{LEARNING}s")
    check("a reload", ctl("reload").returncode == 0)
    learn()
    new = remove("odd.sh", "b")
    check("then a cause is new", NEW in new["message"] and set(facts(new)) == {"new_cause"}, new)
    check("with the time that this is said of", re.search(r"in the \d+ [^.]+ before\.", new["message"]) and
          facts(new)["new_cause"]["not_seen_since"] < facts(new)["new_cause"]["first"], new)
    event = new["culprit"]["alert"]["first_event"]["event"]["id"]
    answer = ctl("explain", event)
    check("explain says so", answer.returncode == 0 and NEW in answer.stdout, answer)
    check("also as JSON", "new_cause" in json.loads(ctl("--json", "explain", event).stdout)["facts"], ctl("--json", "explain", event))
    check("a cause that was there is not", "facts" not in open_matter(first), open_matter(first))


def a_program_that_was_changed():
    remove_by = f"{work}/bin/tool.sh"
    with open(remove_by, "w", encoding="utf-8") as f:
        f.write(f"rm {watched}/f\n")
    check("its change is recorded", wait_until(lambda: recorded(remove_by)))
    subprocess.run(["/bin/sh", remove_by], check=True, timeout=SECONDS, cwd="/")
    check("what a program does that was changed", wait_until(lambda: alert_of("bin/tool.sh, on the host")), lines())
    alert = alert_of("bin/tool.sh, on the host")
    changed = facts(alert).get("program_changed", {})
    check("has when it was", changed.get("path") == remove_by and 0 < changed["before"] < 3600 and
          f" {remove_by} itself was changed at " in alert["message"], alert)


def sh(text):
    r = subprocess.run(["/bin/sh", "-ec", text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                       timeout=SECONDS, cwd="/")
    check(text.replace(work, "…"), r.returncode == 0, r.stdout)


def own_records():
    """dpkg's, which are this test's alone from here on."""
    sh(f"mkdir {work}/over; mount -t tmpfs -o mode=0755 tmpfs {work}/over")
    for place in ("/var/lib/dpkg", "/var/log"):
        at = f"{work}/over/{os.path.basename(place)}"
        sh(f"mkdir -p {at}/upper {at}/work; mount -t overlay overlay -o lowerdir={place},upperdir={at}/upper,workdir={at}/work {place}")


def package(version, script=""):
    """Has the program vx, which removes what its arguments name. The archive."""
    root = f"{work}/package-{version}"
    os.makedirs(f"{root}{work}/bin")
    os.makedirs(f"{root}/DEBIAN")
    shutil.copy("/bin/rm", f"{root}{work}/bin/vx")
    with open(f"{root}/DEBIAN/control", "w", encoding="utf-8") as f:
        f.write(f"Package: culprit-vx\nVersion: {version}\nArchitecture: all\nMaintainer: t <t@t>\nDescription: a test\n")
    with open(f"{root}/DEBIAN/postinst", "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nset -e\n{script}\n")
        os.fchmod(f.fileno(), 0o755)
    sh(f"dpkg-deb --root-owner-group -Znone -b {root} {root}.deb")
    return f"{root}.deb"


def version_that_removed(name):
    """Of the package whose program removed that file, by the record; "": of none. None: nobody is recorded yet."""
    out = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", f"{watched}/{name}"], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    for event in map(json.loads, out.splitlines()):
        if event["event"]["kind"] == "event" and event["event"]["action"] == "unlink":
            return event["culprit"].get("owner", {}).get("package_version", "")
    return None


def check_version(text, name, version):
    wait_until(lambda: version_that_removed(name) is not None)
    check(text, version_that_removed(name) == version, version_that_removed(name), said())


def a_program_of_a_package():
    """Installed and upgraded by the real dpkg while the daemon runs. Who launched it has to be known, or nobody can say that it did the
    same before: it is a person's, in tmux."""
    vx = f"{work}/bin/vx"
    one, two, three = package("1.0"), package("1.1"), package("1.2", f"{vx} {watched}/vx-2")
    sh(f"dpkg -i {one}; {vx} {watched}/vx-0")
    check_version("whose the program is that was just installed", "vx-0", "1.0")
    sh(f"dpkg -i {two}; tmux -S {work}/tmux -f /dev/null new-session -d {vx} {watched}/vx-1")
    check_version("whose it is since it was upgraded", "vx-1", "1.1")
    check("what a program of a package does that was changed", wait_until(lambda: alert_of("bin/vx itself was changed at ")), lines())
    alert = alert_of("bin/vx itself was changed at ")
    changed = facts(alert)["program_changed"] if alert else {}
    check("has from which version to which", changed.get("version_before") == "1.0" and changed.get("version") == "1.1" and
          " (from version 1.0 to 1.1), " in alert["message"], alert)
    sh(f"dpkg -i {three}")
    check_version("also while dpkg is not done", "vx-2", "1.2")


def a_burst():
    storm = remove("storm.sh", *(f"storm-{n}" for n in range(400)))
    check("much more than ever is a burst", BURST in storm["message"] and facts(storm)["burst"]["changes"] >= 50, storm)
    check("with what there was beside it", facts(storm)["burst"]["busiest"] == 62, storm)
    check("and counted", open_matter(storm)["facts"]["burst"]["changes"] == 400, open_matter(storm))


def end(process):
    process.send_signal(signal.SIGTERM)
    check("SIGTERM ends it", process.wait(SECONDS) == 0, process.returncode)


def after_a_restart(process):
    end(process)
    check("what is usual is kept", os.stat(f"{work}/usual").st_size > 0 and os.stat(f"{work}/usual").st_mode & 0o777 == 0o600)
    os.remove(f"{work}/lines")
    process = start()
    learn()
    again = remove("odd.sh", "c")
    check("what was seen before it is not new", "new_cause" not in facts(again), again)
    new = remove("other.sh", "d")
    check("another cause is", "new_cause" in facts(new), new)
    storm = remove("storms.sh", *(f"again-{n}" for n in range(400)))
    check("as much as there was before is no burst", "burst" not in facts(storm), storm)
    configure("off")
    check("a reload", ctl("reload").returncode == 0)
    off = remove("off.sh", "e")
    check("off: nothing is said", facts(off) == {}, off)
    return process


def of_container():
    return [m for m in json.loads(ctl("--json", "status").stdout)["alerts"]["open"] if m["watch"] == "web:/prd"]


def deletions():
    out = subprocess.run([CULPRIT, "who", "--store", store, "--op", "delete", "--format", "json", "web:/prd/x"], capture_output=True, text=True,
                         check=False, timeout=SECONDS).stdout
    return sum(e["event"]["kind"] == "event" for e in map(json.loads, out.splitlines()))


def each_start():
    """With a real dockerd: what the container itself does after each of its starts."""
    docker = Docker()
    try:
        with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
            f.write(f"groups = {{}}\nsensor = fanotify\nstore = {store}\nheartbeat = 1h\nexpected = {{}}\ndocker_socket = {docker.host[len('unix://'):]}\n"
                    "watch w { targets = 'web:/prd' }\n")
        daemon = start()
        command = ["/bin/sh", "-c", "sleep 1; echo > /prd/x; rm /prd/x; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
        docker.run("web", command=command)
        known = lambda: [m for m in of_container() if "each_start" in m.get("facts", {})]
        # while an engine is silent starts may be missed: then it is five from there
        silences = lambda: said().count("docker: does not answer")
        n = row = 0
        while row < 5 and n < 15:
            n, before = n + 1, silences()
            if n > 1:
                docker("restart", "-t", "5", "web")
            check(f"start {n}: is seen", wait_until(lambda: deletions() >= n), of_container(), said())
            row = row + 1 if silences() == before else 0
            if n == row < 5:
                check(f"start {n}: not five yet", not known(), of_container(), said())
        check("each of five", wait_until(known), of_container(), said())
        fact = known()[0]["facts"]["each_start"] if known() else {"starts": 0, "earliest": 0, "latest": 0}
        check("and how long after them", fact["starts"] == 5 and 0.9 <= fact["earliest"] <= fact["latest"], fact)
        end(daemon)
    finally:
        docker.clear()
        docker.stop()


def main():
    for name in ("etc", "run", "w", "bin"):
        os.makedirs(f"{work}/{name}")
    for name in ("a", "b", "c", "d", "e", "f", "vx-0", "vx-1", "vx-2", *(f"early-{n}" for n in range(60)), *(f"{name}-{n}" for name in ("storm", "again") for n in range(400))):
        touch(f"{watched}/{name}")
    try:
        own_records()
        configure("7d")
        process = start()
        new_causes(before_it_is_learnt())
        a_burst()
        a_program_that_was_changed()
        if all(map(shutil.which, ("dpkg-deb", "tmux"))):
            a_program_of_a_package()
        else:
            print("not tried: a program of a package (no dpkg-deb, tmux)")
        end(after_a_restart(process))
        if all(map(shutil.which, ("dockerd", "docker", "busybox"))):
            each_start()
        else:
            print("not tried: after each start of a container (no dockerd, docker, busybox)")
    finally:
        shared.clear()
        subprocess.run(f"umount -l {work}/over; rm -rf {work}", shell=True, check=False)
    return shared.result()


sys.exit(main())
