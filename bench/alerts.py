#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alerts.py BUILD [FILES]: so many files (100,000) are deleted by one rm. Asserted: the first word of it is in the sink's file within two seconds
of the first deletion, one alert is made, and its last word has the exact count. Printed: when the first word came, how long all took, what the
daemon needed."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

CULPRIT = os.path.realpath(f"{sys.argv[1]}/culprit")
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
FIRST_S = 2
work = tempfile.mkdtemp(prefix="culprit-bench-alerts.", dir="/var/tmp")
watched, out = f"{work}/w", f"{work}/alerts.jsonl"


def alerts():
    try:
        with open(out, encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return []


def open_matters():
    r = subprocess.run([CULPRIT, "ctl", "--control", f"{work}/run/control", "--json", "status"], capture_output=True, text=True, check=False)
    return json.loads(r.stdout)["alerts"]["open"] if r.returncode == 0 else []


def memory(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status", encoding="utf-8").read())[1]) // 1024


def main():
    os.makedirs(f"{work}/etc")
    os.makedirs(f"{work}/run")
    os.makedirs(f"{watched}/d")
    for n in range(FILES):
        open(f"{watched}/d/{n}", "w", encoding="utf-8").close()
    with open(f"{work}/etc/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nheartbeat = off\nstore = {work}/db\nwatch w {{ targets = {watched} }}\nsink lines {{ type = file to = {out} }}\n")
    with open(f"{work}/err", "w", encoding="utf-8") as err:
        daemon = subprocess.Popen([CULPRIT, "daemon", "--config", f"{work}/etc", "--runtime-dir", f"{work}/run"], stdin=subprocess.DEVNULL, stderr=err)
    try:
        while "culprit: ready" not in open(f"{work}/err", encoding="utf-8").read():
            assert daemon.poll() is None, open(f"{work}/err", encoding="utf-8").read()
            time.sleep(0.02)
        begun = time.monotonic()
        rm = subprocess.Popen(["rm", "-r", f"{watched}/d"])
        ended = []
        threading.Thread(target=lambda: (rm.wait(), ended.append(time.monotonic())), daemon=True).start()
        while not alerts():
            time.sleep(0.01)
        first = time.monotonic() - begun
        while not ended or sum(m["events"] for m in open_matters()) < FILES + 1:
            assert time.monotonic() < begun + 600, open_matters()
            time.sleep(0.2)
        took = time.monotonic() - begun
        matters = open_matters()
        print(f"{FILES} deletions: rm {ended[0] - begun:.1f} s, first word after {first:.2f} s, all counted after {took:.1f} s; "
              f"{memory(daemon.pid)} MB at most")
        daemon.terminate()
        daemon.wait(60)
        time.sleep(1)
        ids = {a["culprit"]["alert"]["id"] for a in alerts()}
        print(f"{len(ids)} alert in {len(alerts())} messages: {alerts()[-1]['message'][:160]}")
        assert first <= FIRST_S, f"the first word came after {first:.2f} s"
        assert len(matters) == 1 and matters[0]["events"] == FILES + 1 and len(ids) == 1, matters
        assert alerts()[-1]["culprit"]["alert"]["events"] == FILES + 1, alerts()[-1]
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
        shutil.rmtree(work, ignore_errors=True)


main()
