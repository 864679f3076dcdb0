#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""differential.py CULPRIT [QUERIES] [SEED]: random questions to culprit search and to ausearch.

Both get the same options on the same logs, and must give the same bytes: raw, default and
interpreted output as they are; csv and text up to the differences that docs/ausearch.md lists
(quoted cells, new names of renames). Ends with "N passed, N failed".
"""
import csv
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import logs  # noqa: E402

CULPRIT = os.path.abspath(sys.argv[1])
QUERIES = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "audit")
EXTRA_LOGS = sys.argv[4:]  # logs that this machine's kernel has just written
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}


def make_logs(directory):
    made = {}

    def put(name, lines, end="\n"):
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="latin-1") as f:
            f.write("\n".join(lines) + end)
        return path

    made["ordinary"] = put("ordinary.log", logs.ordinary(SEED, 400))
    made["enriched"] = put("enriched.log", logs.ordinary(SEED + 1, 400, enriched=True))
    made["nodes"] = put("nodes.log", logs.ordinary(SEED + 2, 300, nodes=("web1", "web2", "db.example.org")))
    made["interleaved"] = put("interleaved.log", logs.interleaved(SEED + 3, 400))
    made["hostile"] = put("hostile.log", logs.hostile(SEED + 4, 500))
    made["torn"] = put("torn.log", logs.ordinary(SEED + 5, 60), end="")
    lines = logs.interleaved(SEED + 6, 400)
    put("dir/audit.log.2", lines[:500])
    put("dir/audit.log.1", lines[500:900])
    put("dir/audit.log", lines[900:])
    made["dir"] = os.path.join(directory, "dir")
    for name in sorted(os.listdir(FIXTURES)):
        if name.endswith(".log"):
            made[name] = os.path.join(FIXTURES, name)
    for i, path in enumerate(EXTRA_LOGS):
        made["kernel%d" % i] = path
    return made


def facts(path):
    """Values that stand in the log, so that questions find something."""
    text = ""
    names = [os.path.join(path, n) for n in os.listdir(path)] if os.path.isdir(path) else [path]
    for name in names:
        with open(name, encoding="latin-1") as f:
            text += f.read()
    def all_of(pattern):
        return sorted(set(re.findall(pattern, text))) or ["none"]
    return {
        "serial": all_of(r":(\d+)\): "),
        "pid": all_of(r"[ ]pid=(\d+)"),
        "ppid": all_of(r"ppid=(\d+)"),
        "uid": all_of(r"uid=(\d+)"),
        "gid": all_of(r"gid=(\d+)"),
        "ses": all_of(r"ses=(\d+)"),
        "comm": all_of(r'comm="([^"]+)"') + ["my prog"],
        "exe": all_of(r'exe="([^"]+)"') + ["my prog", "/opt/my prog/bin"],
        "key": all_of(r'key="([^"]+)"') + ["two words", "a", "b", "file_delete"],
        "type": all_of(r"type=([A-Z_0-9]+)"),
        "name": all_of(r'name="([^"]+)"') + all_of(r'cwd="([^"]+)"') + ["with space", "a b", "/tmp/agseck"],
        "tty": all_of(r"tty=([a-z0-9()]+)") + all_of(r"terminal=([a-z0-9/]+)"),
        "host": all_of(r"hostname=([^ ,']+)") + ["10.0.0.7", "8.8.8.8", "2001:db8::1"],
        "label": all_of(r"(?:subj|obj|scontext|tcontext)=([^ ]+)"),
        "syscall": all_of(r"syscall=(\d+)"),
        "exit": all_of(r"exit=(-?\d+)"),
        "sec": [int(s) for s in all_of(r"audit\((\d+)\.") if s.isdigit()],
        "vm": ["guest one", "g2", "guest"],
        "uuid": all_of(r"uuid=([-0-9a-f]+)"),
        "node": all_of(r"node=(\S+)"),
    }


def piece(r, text):
    if r.random() < 0.5 or len(text) < 3:
        return text
    start = r.randrange(len(text) - 1)
    cut = text[start : start + r.randrange(2, 8)]
    return cut if not cut.startswith("-") else text


def moment(r, sec, index):
    t = time.gmtime(sec + r.choice([0, 0, 1, -1, 30]))
    return [time.strftime("%m/%d/%y", t), time.strftime("%H:%M:%S", t)][: 2 if index else r.choice([1, 2])]


def question(r, f):
    pick = lambda name: r.choice(f[name])
    criteria = [
        lambda: ["-a", pick("serial")],
        lambda: ["-p", pick("pid")],
        lambda: ["-pp", pick("ppid")],
        # 4294967295 means "any" to all of ausearch's but -ul: docs/ausearch.md
        lambda: ["-ul", pick("uid")],
        lambda: [r.choice(["-ui", "-ue", "-ua"]), r.choice([u for u in f["uid"] if u != "4294967295"])],
        lambda: [r.choice(["-ui", "-ue", "-ul", "-ua"]), r.choice(["root", "www-data", "nobody"])],
        lambda: ["-ul", "-1"],
        lambda: [r.choice(["-gi", "-ge", "-ga"]), r.choice([g for g in f["gid"] if g != "4294967295"] + ["root"])],
        lambda: ["--session", r.choice([pick("ses"), "-1"])],
        lambda: ["-c", piece(r, pick("comm"))],
        lambda: ["-x", piece(r, pick("exe"))],
        lambda: ["-k", piece(r, pick("key"))],
        lambda: ["-k", piece(r, pick("key"))],
        lambda: ["-f", piece(r, pick("name"))],
        lambda: ["-f", piece(r, pick("name"))],
        lambda: ["-m", ",".join(r.sample(f["type"], min(len(f["type"]), r.randrange(1, 4))))],
        lambda: ["-m", "ALL"],
        lambda: ["-tm", piece(r, pick("tty"))],
        lambda: ["-hn", piece(r, pick("host"))],
        lambda: [r.choice(["-su", "-o", "-se"]), piece(r, pick("label"))],
        lambda: ["-sc", r.choice([pick("syscall"), "unlink", "openat", "execve", "rename"])],
        lambda: ["-e", r.choice([pick("exit"), "EPERM", "ENOENT", "EACCES"])],
        lambda: ["-sv", r.choice(["yes", "no"])],
        lambda: ["-vm", piece(r, pick("vm"))],
        lambda: ["-uu", piece(r, pick("uuid"))],
        lambda: ["-n", pick("node")],
        lambda: ["-ts"] + moment(r, pick("sec"), 0),
        lambda: ["-te"] + moment(r, pick("sec"), 1),
        lambda: ["--arch", r.choice(["b64", "b32", "x86_64"])],
        lambda: ["--eoe-timeout", r.choice(["1", "2", "5"])],
        lambda: ["-w"],
        lambda: ["--just-one"],
    ]
    options, used = [], set()
    for make in r.sample(criteria, r.choices([1, 2, 3], [5, 4, 2])[0]):
        words = make()
        if words[-1].startswith("-") and words[0] not in ("-w", "--just-one", "-e", "-ul", "--session"):
            continue
        # users by name and by number together: ausearch forgets the number, or crashes: docs/ausearch.md
        kind = "user" if words[0] in ("-ui", "-ue", "-ul", "-ua") else words[0]
        if kind in used:
            continue
        used.add(kind)
        options += words
    if "--arch" in options and "-sc" in options: # the order matters to both
        i = options.index("--arch")
        options = options[i : i + 2] + options[:i] + options[i + 2 :]
    form = r.choices(["-r", "", "-i", "csv", "text"], [6, 2, 4, 2, 2])[0]
    if form in ("csv", "text"):
        options += ["--format", form]
        if form == "csv":
            options += [o for o in ("--extra-keys", "--extra-time", "--extra-labels", "--extra-obj2") if r.random() < 0.3]
    elif form:
        options += [form]
    if r.random() < 0.2:
        options += ["--escape", r.choice(["raw", "tty", "shell", "shell_quote"])]
    # asked for a user by name, ausearch -i prints the last record by the names of the first
    if "-i" in options and any(o in ("root", "www-data", "nobody") for o in options):
        options[options.index("-i")] = "-r"
    return options or ["-m", "ALL"]


def run(program, options):
    p = subprocess.run(program + options, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=2400)
    return p.returncode, p.stdout


RENAME = re.compile(rb"(renamed .*?) to .*?( using |$)")


def comparable(output, options, ours):
    if "csv" in options and ours:  # RFC 4180 away, for ausearch does not have it
        text = output.decode("latin-1")
        rows = csv.reader(text.splitlines(keepends=True))
        output = "".join(",".join(row) + "\n" for row in rows).encode("latin-1")
    if "csv" in options and "--extra-obj2" in options:
        # the new name of a rename: ausearch leaves the cell empty
        output = b"\n".join(re.sub(rb"(,renamed,(success|failed)?,).*", rb"\1", line) for line in output.split(b"\n"))
    if "text" in options:
        output = b"\n".join(RENAME.sub(rb"\1\2", line) for line in output.split(b"\n"))
    return output


def main():
    directory = tempfile.mkdtemp(prefix="culprit-search.")
    made = make_logs(directory)
    values = {name: facts(path) for name, path in made.items()}
    r = random.Random(SEED)
    questions = []
    for _ in range(QUERIES):
        name = r.choice(sorted(made))
        questions.append((name, question(r, values[name])))

    def ask(item):
        name, options = item
        where = ["-if", made[name]]
        theirs = run(["ausearch"], where + options)
        ours = run([CULPRIT, "search", "--strict-ausearch"], where + options)
        same = theirs[0] == ours[0] and comparable(theirs[1], options, False) == comparable(ours[1], options, True)
        return item, same, theirs, ours

    failed, found = [], 0
    with ThreadPoolExecutor(2) as pool:
        for item, same, theirs, ours in pool.map(ask, questions):
            found += theirs[0] == 0
            if not same:
                failed.append((item, theirs, ours))
    for (name, options), theirs, ours in failed[:20]:
        print("differs on %s: %s" % (name, " ".join("'%s'" % o if " " in o else o for o in options)))
        print("   ausearch: exit %d, %d bytes; culprit: exit %d, %d bytes" % (theirs[0], len(theirs[1]), ours[0], len(ours[1])))
    print("%d questions to %d logs, %d of them found something" % (len(questions), len(made), found))
    if failed:
        print("the logs are kept in %s" % directory)
    else:
        shutil.rmtree(directory)
    print("%d passed, %d failed" % (len(questions) - len(failed), len(failed)))
    return 1 if failed else 0


sys.exit(main())
