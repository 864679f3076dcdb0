# SPDX-License-Identifier: MIT
"""alert.py CULPRIT: the daemon's alerts: what is expected and what is not, one alert for a matter, exact counts of a storm, why (explain),
what a reload changes. The last line is "N passed, N failed"."""
import json
import os
import re
import signal
import subprocess
import sys

from lib.daemon_test import CULPRIT, DaemonTest

SECONDS = 120
STORM = 20000
shared = DaemonTest("alert", SECONDS)
work, etc, run = shared.work, shared.etc, shared.run
check, wait_until, said, start = shared.check, shared.wait_until, shared.said, shared.start
watched, store = f"{work}/w", f"{work}/db"


def alerts():
    """(id, how, sentence) of each message about an alert."""
    return re.findall(r"^culprit: alert (\w+) \(([^)]*)\): (.*)$", said(), re.M)


def configure(text):
    with open(f"{etc}/culprit.conf.new", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nstore = {store}\nheartbeat = 1h\nwatch w {{ targets = {watched} }}\n{text}")
    os.rename(f"{etc}/culprit.conf.new", f"{etc}/culprit.conf")


def ctl(*words):
    return subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", *words], capture_output=True, text=True, check=False,
                          timeout=SECONDS)


def silence(*words):
    return subprocess.run([CULPRIT, "silence", "--control", f"{run}/control", *words], capture_output=True, text=True, check=False,
                          timeout=SECONDS)


def status():
    answer = ctl("--json", "status")
    return json.loads(answer.stdout)["alerts"] if answer.returncode == 0 else {"failed": answer.stderr}


def reload():
    answer = ctl("reload")
    check("a reload", answer.returncode == 0, answer.stderr)


def events(path):
    out = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", path], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    return [e for e in map(json.loads, out.splitlines()) if e["event"]["kind"] == "event"]


def shell(name, text):
    """A script of its own: what it does has another cause than what others do."""
    with open(f"{work}/{name}", "w", encoding="utf-8") as f:
        f.write(text + "\n")
    subprocess.run(["/bin/sh", f"{work}/{name}"], check=True, timeout=SECONDS, cwd="/")


def adds_up(s):
    return s["seen"] == s["reported"] + s["silenced"] + sum(s["expected"].values())


def a_deletion():
    shell("one.sh", f"rm {watched}/one {watched}/two")
    check("a deletion is an alert", wait_until(lambda: len(alerts()) == 1), said())
    check("with the verdict's sentence", "deleted 2 files" in alerts()[0][2] and f"{watched}" in alerts()[0][2], alerts())
    check("and what it is by the table", alerts()[0][1] == "medium", alerts())
    seen = wait_until(lambda: len(events(f"{watched}/one")) == 1) and events(f"{watched}/one")[0]
    answer = ctl("explain", seen["event"]["id"])
    check("why is explained", answer.returncode == 0 and answer.stdout.startswith("an alert: ") and alerts()[0][0] in answer.stdout,
          answer.stdout, answer.stderr)
    none = ctl("explain", "00" * 16)
    check("of an event that is none, that is said", none.returncode == 1 and "none of the last" in none.stderr, none)
    check("all are counted once", wait_until(lambda: adds_up(status())), status())
    check("and open is what is open", [m["id"][:8] for m in status()["open"]] == [alerts()[0][0]], status())
    return seen


def what_is_expected():
    configure(f"expect cleaning {{ program = find\n paths = '{watched}/tmp' }}\n")
    reload()
    before, messages = status(), len(alerts())
    shell("clean.sh", f"find {watched}/tmp -type f -delete")
    check("what a block expects is counted", wait_until(lambda: status()["expected"].get("block") == 10), before, status())
    seen = wait_until(lambda: len(events(f"{watched}/tmp/3")) == 1) and events(f"{watched}/tmp/3")[0]
    answer = ctl("explain", seen["event"]["id"][:32])
    check("and explained, with the block's name", answer.stdout == "no alert: an expect block of the configuration (expected: block, cleaning)\n",
          answer.stdout, answer.stderr)
    shell("clean.sh", f"find {watched}/keep -type f -delete")
    check("the same program elsewhere is an alert", wait_until(lambda: len(alerts()) == messages + 1), alerts())
    check("all are counted once", wait_until(lambda: adds_up(status())), status())


def who_expected(*words):
    return subprocess.run([CULPRIT, "who", "--store", store, "--expected", "--config", etc, *words, watched], capture_output=True, text=True,
                          check=False, timeout=SECONDS)


def what_was_expected_is_asked_for():
    def rows():
        return {row["name"]: row for row in map(json.loads, who_expected("--format", "json").stdout.splitlines())}
    counted = status()
    check("what was expected is asked for", wait_until(lambda: rows()["block"]["changes"] == counted["expected"]["block"] == 10) and
          rows()["block"]["causes"][0]["block"] == "cleaning" and "clean.sh" in rows()["block"]["causes"][0]["name"], rows(), counted)
    check("and what was not is counted", rows()["none"]["changes"] == counted["reported"], rows(), counted)
    text = who_expected()
    check("in words", text.returncode == 0 and text.stdout.startswith("EXPECTED  ") and re.search(
        r"^ +10 .* block +an expect block of the configuration$", text.stdout, re.M) and "expect cleaning: " in text.stdout, text)
    none = who_expected("--config", f"{work}/none")
    check("by the configuration that is named", none.returncode == 2 and "none: No such file" in none.stderr, none)


def a_storm():
    configure("")
    reload()
    for n in range(STORM):
        open(f"{work}/storm/{n}", "w", encoding="utf-8").close()
    os.rename(f"{work}/storm", f"{watched}/storm")
    check("what comes from elsewhere is an alert", wait_until(lambda: any("/storm" in a[2] for a in alerts())), alerts())
    before = status()["reported"]
    began = len(alerts())
    shell("storm.sh", f"rm -r {watched}/storm")
    check("a storm has its first word", wait_until(lambda: len(alerts()) > began), alerts())
    check("and each change is counted", wait_until(lambda: status()["reported"] >= before + STORM + 1), before, status())
    new = {a[0] for a in alerts()[began:]}
    check("as one alert", len(new) == 1, new)
    mine = [m for m in status()["open"] if m["id"][:8] in new]
    check("whose count is exact", len(mine) == 1 and mine[0]["events"] == STORM + 1, mine)
    metrics = ctl("metrics").stdout
    check("the metrics count, by watch", f'culprit_alerts_total{{watch="{watched}",severity="medium"}} ' in metrics and
          f'culprit_events_expected_total{{watch="{watched}",reason="block"}} 10' in metrics and "\nculprit_store_bytes 0\n" not in metrics and
          "\nculprit_store_bytes " in metrics, metrics)


def temporary_files():
    shell("build.sh", f"cd {watched}/build\ni=0; while [ $i -lt 80 ]; do echo x > conftest$i; chmod 755 conftest$i; rm conftest$i; i=$((i + 1)); done\n"
          "mkdir t; for n in a b c d; do echo $n > t/$n; chown 1 t/$n; done; rm -r t\nmktemp -d d.XXXXXX | xargs rmdir")
    def of_build():
        return [m for m in status()["open"] if m["first_file"].startswith(f"{watched}/build/")]
    check("what is made and removed again is one alert", wait_until(lambda: len(of_build()) == 1), status())
    check("that is not grave", wait_until(lambda: of_build()[0]["events"] >= 80 * 2 + 12) and of_build()[0]["severity"] == "medium", status())
    shell("build.sh", f"rm {watched}/build/program")
    check("a program that it did not make is", wait_until(lambda: of_build()[0]["severity"] == "high"), status())


def silenced(process):
    before, messages = status(), len(alerts())
    wrong = silence(watched)
    check("a silence has an end and a reason", wrong.returncode == 2 and "--for DUR --reason TEXT" in wrong.stderr, wrong)
    begun = silence("--for", "1h", "--reason", "migration, \x1b[31mred", f"{work}/link/quiet")
    check("a path is silenced", begun.returncode == 0 and "silence 1 until " in begun.stderr, begun)
    check("and that is said, with who and why", wait_until(lambda: any("Silence 1 begins" in a[2] and "/quiet" in a[2] and "root: migration" in a[2]
                                                                     and "\x1b" not in a[2] for a in alerts()[messages:])), alerts())
    messages = len(alerts())
    shell("quiet.sh", f"rm {watched}/quiet/a {watched}/quiet/b")
    check("what happens there is counted", wait_until(lambda: status()["silenced"] == before["silenced"] + 2), before, status())
    shell("loud.sh", f"rm {watched}/loud")
    check("elsewhere it is an alert", wait_until(lambda: any("loud.sh" in a[2] for a in alerts()[messages:])), alerts())
    check("and there none", not any("quiet.sh" in a[2] for a in alerts()), alerts())
    seen = wait_until(lambda: len(events(f"{watched}/quiet/a")) == 1) and events(f"{watched}/quiet/a")[0]
    answer = ctl("explain", seen["event"]["id"])
    check("why is explained", answer.stdout.startswith("no alert: it was silenced (silence 1, by ") and "migration" in answer.stdout, answer)
    check("all are counted once", wait_until(lambda: adds_up(status())), status())
    check("also on disk", wait_until(lambda: '"events":2' in open(f"{os.path.dirname(store)}/silences", encoding="utf-8").read()))
    configure(f"watch own {{ targets = {os.path.dirname(store)}/silences }}\n")
    reload()
    shell("attack.sh", f"chmod 644 {os.path.dirname(store)}/silences")
    check("who touches that file attacks culprit", wait_until(lambda: any(a[1].startswith("critical") and "attack.sh" in a[2] for a in alerts())), alerts())
    configure("")
    reload()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process = start()
    listed = ctl("silence")
    check("the short command lists the same", silence().stdout == listed.stdout, silence())
    check("it outlives the daemon", listed.returncode == 0 and listed.stdout.startswith(f"1  {watched}/quiet until ") and "migration" in listed.stdout,
          listed)
    shell("quiet.sh", f"rm {watched}/quiet/c")
    check("and silences still", wait_until(lambda: status()["silenced"] == 1 and adds_up(status())), status())
    metrics = ctl("metrics").stdout
    check("the metrics count", "culprit_events_silenced_total 1\n" in metrics and "culprit_silences 1\n" in metrics, metrics)
    shell("once.sh", f"rm {watched}/once")
    check("an alert", wait_until(lambda: any("once.sh" in a[2] for a in alerts())), alerts())
    number = [a[0] for a in alerts() if "once.sh" in a[2]][0]
    check("is silenced by its id", ctl("silence", "--for", "1h", "--reason", "known", number).returncode == 0 and
          [s["number"] for s in status()["silences"]] == [1, 2] and not [m for m in status()["open"] if m["id"].startswith(number)], status())
    shell("once.sh", f"rm {watched}/again")
    check("the same cause elsewhere is silent then", wait_until(lambda: status()["silenced"] == 2 and adds_up(status())), status())
    ended = ctl("silence", "--off", "1")
    check("a silence is ended", ended.returncode == 0 and [s["number"] for s in status()["silences"]] == [2], ended, status())
    check("of one that is none that is said", ctl("silence", "--off", "1").returncode == 1 == silence("--off", "1").returncode)
    check("the end is said", wait_until(lambda: any("Silence 1 is over, 3 changes were silenced" in a[2] for a in alerts())), alerts())
    messages = len(alerts())
    shell("quiet.sh", f"rm {watched}/quiet/d")
    check("and all is as before", wait_until(lambda: any("quiet.sh" in a[2] for a in alerts()[messages:])), alerts())
    return process


def ends(process):
    shell("last.sh", f"rm {watched}/last")
    before = len(alerts())
    process.send_signal(signal.SIGTERM)
    check("SIGTERM ends it", process.wait(SECONDS) == 0, process.returncode)
    check("what was not said yet is said", any("last.sh" in a[2] for a in alerts()[before:]), alerts())


def main():
    for name in ("etc", "run", "w", "w/tmp", "w/keep", "w/quiet", "w/build", "storm"):
        os.makedirs(f"{work}/{name}")
    for name in ("one", "two", "last", "keep/a", "keep/b", "loud", "once", "again", *(f"quiet/{n}" for n in "abcd"), *(f"tmp/{n}" for n in range(10))):
        open(f"{watched}/{name}", "w", encoding="utf-8").close()
    os.symlink(watched, f"{work}/link")
    with open(f"{watched}/build/program", "w", encoding="utf-8") as f:
        os.fchmod(f.fileno(), 0o755)
    try:
        configure("")
        process = start()
        a_deletion()
        what_is_expected()
        what_was_expected_is_asked_for()
        a_storm()
        temporary_files()
        process = silenced(process)
        ends(process)
    finally:
        shared.clear()
    return shared.result()


sys.exit(main())
