#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""search.py CULPRIT: what `culprit search` does beyond ausearch, and where it differs on purpose.

Each difference of docs/ausearch.md has its test here. Ends with "N passed, N failed".
"""
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import logs  # noqa: E402
from runner import run_all, test  # noqa: E402

CULPRIT = os.path.abspath(sys.argv[1])
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "audit", "kernel-6.18-x86_64.log")
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
DIR = tempfile.mkdtemp(prefix="culprit-search.")
T = 1795480000


def culprit(*options, stdin=subprocess.DEVNULL, data=None):
    p = subprocess.run([CULPRIT, "search", *options], input=data, stdin=None if data is not None else stdin,
                       capture_output=True, env=ENVIRONMENT, timeout=2400)
    return p.returncode, p.stdout.decode("latin-1"), p.stderr.decode("latin-1")


def ausearch(*options):
    p = subprocess.run(["ausearch", *options], stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=2400)
    return p.returncode, p.stdout.decode("latin-1"), p.stderr.decode("latin-1")


def put(name, text):
    path = os.path.join(DIR, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode("latin-1"))
    return path


def serials(output):
    return sorted({line.split("):")[0].split(":")[-1] for line in output.splitlines() if "msg=audit(" in line}, key=int)


def event(serial, call, paths, cwd="/srv", a0="ffffff9c", a2="0", key="k", sec=T, success="yes", code=0, comm="rm"):
    stamp = "msg=audit(%d.000:%d)" % (sec, serial)
    lines = ["type=SYSCALL %s: arch=c000003e syscall=%d success=%s exit=%d a0=%s a1=7ffd a2=%s a3=0 items=%d ppid=1 pid=7 "
             "auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm=\"%s\" exe=\"/usr/bin/rm\" key=\"%s\""
             % (stamp, call, success, code, a0, a2, len(paths), comm, key),
             "type=CWD %s: cwd=\"%s\"" % (stamp, cwd)]
    for i, (name, inode, kind, mode) in enumerate(paths):
        lines.append("type=PATH %s: item=%d name=%s inode=%d dev=fe:00 mode=%s ouid=0 ogid=0 rdev=00:00 nametype=%s cap_fp=0"
                     % (stamp, i, logs.untrusted(name), inode, mode, kind))
    lines.append("type=PROCTITLE %s: proctitle=\"rm\"" % stamp)
    return lines


FILE, FOLDER = "0100644", "040755"
FILES = put("files.log", "\n".join(
    event(1, 87, [("/prd/bin", 5, "PARENT", FOLDER), ("/prd/bin/other", 9, "DELETE", FILE)], cwd="/")
    + event(2, 87, [("/prd/bin", 5, "PARENT", FOLDER), ("tool", 11, "DELETE", FILE)], cwd="/prd/bin")
    + event(3, 87, [("/tmp", 6, "PARENT", FOLDER), ("/tmp/x", 12, "DELETE", FILE)], cwd="/prd/bin")
    # rm -rf: relative to a descriptor, and PARENT has the working directory's name
    + event(4, 263, [("/root", 5, "PARENT", FOLDER), ("tool", 13, "DELETE", FILE)], cwd="/root", a0="4")
    + event(5, 263, [("/root", 77, "PARENT", FOLDER), ("tool", 14, "DELETE", FILE)], cwd="/root", a0="4", comm="other")
    + event(6, 82, [("/prd/bin", 5, "PARENT", FOLDER), ("/prd/bin", 5, "PARENT", FOLDER),
                    ("../bin/a,b", 15, "DELETE", FILE), ("new", 15, "CREATE", FILE)], cwd="/prd/bin")
    + event(7, 90, [("./../bin/sub dir/y", 16, "NORMAL", FILE)], cwd="/prd/bin", key="z")
    + event(8, 91, [(None, 16, "NORMAL", FILE)], cwd="/prd/bin", key="z")
    + event(9, 87, [("/prd/binary", 5, "PARENT", FOLDER), ("/prd/binary/tool", 17, "DELETE", FILE)], cwd="/")
) + "\n")


def expect(options, wanted, log=None):
    code, out, err = culprit("-r", "-if", log or FILES, *options)
    got = serials(out)
    assert got == [str(w) for w in wanted], "%s: %s, wanted %s %s" % (options, got, wanted, err)
    assert code == (0 if wanted else 1), code
    return err


@test
def newest_calls_have_names():
    line = ('type=SYSCALL msg=audit(1795480000.100:7): arch=c000003e syscall=452 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0 ppid=1 '
            'pid=2 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm="c" exe="/c" key="k"\n')
    name = put("new.log", line)
    expect(["-sc", "fchmodat2"], [7], name)
    assert "syscall=fchmodat2 " in culprit("-i", "-if", name, "-k", "k")[1]
    assert "fchmodat2" not in culprit("--strict-ausearch", "-i", "-if", name, "-k", "k")[1]


@test
def file_by_relative_name():
    # the directory of the fifth is nowhere reported: better shown and said than lost
    err = expect(["-f", "/prd/bin/tool"], [2, 4, 5])
    assert "1 of these have the file's last name only" in err, err


@test
def file_below_directory():
    expect(["-f", "/prd/bin/"], [1, 2, 4, 6, 7, 8])


@test
def working_directory_is_not_the_file():
    expect(["-f", "/prd/bin/x"], [])
    assert "3" not in serials(culprit("-r", "-if", FILES, "-f", "/prd/bin")[1])
    assert "9" not in serials(culprit("-r", "-if", FILES, "-f", "/prd/bin")[1])


@test
def strict_is_ausearch():
    for f in ("/prd/bin/tool", "/prd/bin", "tool", "/tmp/x", "../bin"):
        for extra in ([], ["-w"]):
            assert culprit("--strict-ausearch", "-r", "-if", FILES, "-f", f, *extra)[:2] == ausearch("-r", "-if", FILES, "-f", f, *extra)[:2], f


@test
def patterns():
    expect(["-f", "/prd/bin/t*l"], [2, 4, 5])
    expect(["-f", "/prd/*/sub dir/?"], [7, 8])
    expect(["-f", "*,*"], [6])


@test
def last_components():
    expect(["-f", "bin/tool"], [2, 4])
    expect(["-f", "tool", "-w"], [2, 4, 5, 9])


@test
def unknown_directory_is_said():
    log = put("unsure.log", "\n".join(event(1, 263, [("/root", 77, "PARENT", FOLDER), ("tool", 14, "DELETE", FILE)], cwd="/root", a0="4")) + "\n")
    assert "last name only" in expect(["-f", "/prd/bin/tool"], [1], log)


@test
def by_inode():
    expect(["--inode", "16"], [7, 8])


@test
def below_directory_by_descriptor():
    """rm -rf /prd/tree: its files are named alone, before the directories that show where they were."""
    log = put("tree.log", "\n".join(
        event(1, 263, [("/root", 21, "PARENT", FOLDER), ("leaf", 31, "DELETE", FILE)], cwd="/root", a0="5")
        + event(2, 263, [("/root", 20, "PARENT", FOLDER), ("sub", 21, "DELETE", FOLDER)], cwd="/root", a0="4")
        + event(3, 263, [("/root", 99, "PARENT", FOLDER), ("leaf", 32, "DELETE", FILE)], cwd="/root", a0="5")
        + event(4, 263, [("/prd", 2, "PARENT", FOLDER), ("/prd/tree", 20, "DELETE", FOLDER)], cwd="/root")) + "\n")
    expect(["-f", "/prd/tree"], [1, 2, 4], log)
    # which directory held this "sub" is reported under another name: shown, and said
    assert "last name only" in expect(["-f", "/prd/tree/sub"], [2], log)


@test
def several_files_and_keys():
    expect(["-f", "/tmp/x", "-f", "/prd/bin/new"], [3, 6])
    expect(["-k", "z", "-k", "nothing"], [7, 8])
    expect(["-k", "?"], list(range(1, 10)))


@test
def operations():
    expect(["--op", "rename"], [6])
    expect(["--op", "chmod,rename"], [6, 7, 8])


@test
def terminals_are_safe():
    name = b"/srv/a\x7fb\xff\xc3\xa4\xc2\x9b2J"
    lines = "\n".join(event(1, 87, [("/srv/HIGH", 1, "DELETE", FILE)])) + "\n"
    hostile = put("high.log", lines.replace('"/srv/HIGH"', name.hex().upper()))
    for options in (["-i"], ["--format", "text"], ["--format", "csv"]):
        out = culprit("-if", hostile, "-k", "k", *options)[1]
        assert "a\\x7fb\\xff\xc3\xa4\\u{9b}2J" in out, (options, out)
        for ausearchs_way in (["--strict-ausearch"], ["--escape", "raw"]):
            out = culprit("-if", hostile, "-k", "k", *options, *ausearchs_way)[1]
            assert "a\x7fb\xff\xc3\xa4\xc2\x9b2J" in out, (options, out)


@test
def csv_is_quoted():
    code, out, _ = culprit("-if", FILES, "--format", "csv", "--extra-obj2")
    rows = list(csv.reader(io.StringIO(out)))
    assert {len(r) for r in rows} == {len(rows[0])}, rows
    rename = rows[6]
    assert rename[rows[0].index("OBJ_PRIME")] == "/prd/bin/a,b", rename
    assert rename[rows[0].index("OBJ2")] == "/prd/bin/new", rename


@test
def text_has_the_new_name():
    out = culprit("-if", FILES, "--op", "rename", "--format", "text")[1]
    assert "renamed /prd/bin/a,b to /prd/bin/new using" in out, out


@test
def json_is_ecs():
    out = culprit("-if", FILES, "--op", "rename,chmod", "--format", "json")[1]
    rows = [json.loads(line) for line in out.splitlines()]
    assert [r["event"]["action"] for r in rows] == ["rename", "chmod", "chmod"]
    assert rows[0]["file"]["path"] == "/prd/bin/new" and rows[0]["culprit"]["file"]["previous_path"] == "/prd/bin/a,b"
    assert len({r["event"]["id"] for r in rows}) == 3


@test
def json_of_every_event():
    log = put("mixed.log", "\n".join(logs.ordinary(7, 300, nodes=("n1", "n2"))) + "\n")
    events = serials(culprit("-r", "-if", log)[1])
    rows = [json.loads(line) for line in culprit("-if", log, "--format", "json")[1].splitlines()]
    assert len(rows) >= len(events), (len(rows), len(events))
    assert {r["host"]["name"] for r in rows} == {"n1", "n2"}


@test
def ocsf():
    out = culprit("-if", FILES, "--format", "ocsf")[1]
    rows = [json.loads(line) for line in out.splitlines()]
    assert {r["class_uid"] for r in rows} == {1001}
    for r in rows:
        assert r["type_uid"] == 100100 + r["activity_id"] and r["category_uid"] == 1
        for needed in ("severity_id", "time", "metadata", "actor", "device", "file"):
            assert needed in r, needed
    rename = [r for r in rows if r["activity_id"] == 5]
    assert rename[0]["file"]["path"] == "/prd/bin/a,b" and rename[0]["file_result"]["path"] == "/prd/bin/new"
    code, out, err = culprit("-if", put("user.log", "type=USER_CMD msg=audit(1.000:1): pid=1 uid=0 auid=0 ses=1 msg='cwd=\"/\" cmd=6C73 terminal=? res=success'\n"), "--format", "ocsf")
    assert out == "" and "no place" in err


@test
def compressed():
    text = open(FILES, "rb").read()
    for name, packed in (("a.gz", gzip.compress(text)), ("a.xz", lzma.compress(text))):
        expect(["-f", "/prd/bin/tool"], [2, 4, 5], put(name, packed))
    zstd = subprocess.run(["zstd", "-q"], input=text, capture_output=True)
    if zstd.returncode == 0:
        expect(["-f", "/prd/bin/tool"], [2, 4, 5], put("a.zst", zstd.stdout))
    big = gzip.compress("\n".join(logs.ordinary(3, 3000)).encode("latin-1") + b"\n")
    code, out, err = culprit("-r", "-if", put("cut.gz", big[: len(big) // 2]), "-m", "ALL")
    assert code == 0 and "ends too early" in err and len(serials(out)) > 100, err


@test
def rotations():
    lines = logs.ordinary(8, 300)
    third = len(lines) // 3
    put("rot/audit.log-20261101.gz", gzip.compress(("\n".join(lines[:third]) + "\n").encode("latin-1")))
    put("rot/audit.log-20261102", "\n".join(lines[third:2 * third]) + "\n")
    put("rot/audit.log", "\n".join(lines[2 * third:]) + "\n")
    whole = put("whole.log", "\n".join(lines) + "\n")
    assert culprit("-r", "-if", os.path.join(DIR, "rot"), "-m", "ALL")[1] == ausearch("-r", "-if", whole, "-m", "ALL")[1]


@test
def pipe():
    text = open(FILES, "rb").read()
    for where in (["-if", "-"], ["-"], []):
        code, out, err = culprit("-r", "-f", "/prd/bin/tool", *where, data=text)
        assert serials(out) == ["2", "4", "5"], (where, out, err)


@test
def silent_pipe():
    """What is complete is shown while the pipe stays open; --just-one does not wait for its end."""
    r, w = os.pipe()
    p = subprocess.Popen([CULPRIT, "search", "-r", "--just-one", "-k", "k", "-"], stdin=r, stdout=subprocess.PIPE, env=ENVIRONMENT)
    os.close(r)
    with open(FILES, "rb") as f:
        os.write(w, f.read())
    try:
        out = p.communicate(timeout=2400)[0].decode()
    finally:
        os.close(w)
    assert serials(out) == ["1"] and p.returncode == 0, out


@test
def silent_pipe_and_a_full_disk():
    """What cannot be written ends the search, though more may come."""
    r, w = os.pipe()
    with open("/dev/full", "wb") as full:
        p = subprocess.Popen([CULPRIT, "search", "-r", "-l", "-m", "ALL", "-"], stdin=r, stdout=full, stderr=subprocess.DEVNULL,
                             env=ENVIRONMENT)
    os.close(r)
    with open(FILES, "rb") as f:
        os.write(w, f.read())
    try:
        assert p.wait(timeout=2400) == 3
    finally:
        os.close(w)


@test
def times():
    log = put("times.log", "\n".join(sum((event(i, 87, [("/x", i, "DELETE", FILE)], sec=T + 60 * i) for i in range(1, 6)), [])) + "\n")
    iso = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))
    expect(["-ts", iso(T + 120), "-te", iso(T + 240)], [2, 3, 4], log)
    now = time.time()
    log = put("recent.log", "\n".join(event(1, 87, [("/x", 1, "DELETE", FILE)], sec=int(now) - 7000)
                                      + event(2, 87, [("/x", 1, "DELETE", FILE)], sec=int(now) - 100)) + "\n")
    expect(["-ts", "-1h"], [2], log)
    expect(["-ts", "recent"], [2], log)
    expect(["-te", "-1h"], [1], log)


@test
def damaged_lines_are_counted():
    text = "\n".join(event(1, 87, [("/x", 1, "DELETE", FILE)]) + ["garbage", "type=PATH msg=audit(", "\x7fELF"]
                     + event(2, 87, [("/x", 1, "DELETE", FILE)], sec=T + 1)) + "\n"
    assert "3 damaged records skipped" in expect(["-k", "k"], [1, 2], put("damaged.log", text))
    holes = text.replace("garbage\n", "").replace("type=PATH msg=audit(\n\x7fELF\n", "\0" * 5000)
    expect(["-k", "k"], [1, 2], put("holes.log", holes))


@test
def long_line():
    text = "\n".join(event(1, 87, [("/x", 1, "DELETE", FILE)])) + "\ntype=EXECVE msg=audit(1.000:9): a0=" + "A" * 100_000_000 + "\n" \
        + "\n".join(event(2, 87, [("/x", 1, "DELETE", FILE)], sec=T + 1)) + "\n"
    assert "1 damaged record skipped" in expect(["-k", "k"], [1, 2], put("long.log", text))
    os.unlink(os.path.join(DIR, "long.log"))


@test
def binary_file():
    code, out, err = culprit("-if", CULPRIT, "-k", "x")
    assert code == 2 and out == "" and "does not look like an audit log" in err, err


@test
def same_serial_after_reboot():
    text = "\n".join(event(1, 87, [("/a", 1, "DELETE", FILE)], sec=T) + event(1, 87, [("/b", 1, "DELETE", FILE)], sec=T + 3600)) + "\n"
    code, out, _ = culprit("-r", "-if", put("reboot.log", text), "-f", "/b")
    assert out.count("type=SYSCALL") == 1 and '"/b"' in out and '"/a"' not in out


@test
def grows_while_read():
    path = put("growing.log", "\n".join(logs.ordinary(9, 2000)) + "\n")
    stop = threading.Event()

    def write():
        with open(path, "ab") as f:
            n = 0
            while not stop.is_set() and n < 3000:
                n += 1
                f.write(("\n".join(event(n, 87, [("/grown", 1, "DELETE", FILE)], sec=T + 90000 + n)) + "\n").encode())

    writer = threading.Thread(target=write)
    writer.start()
    code, out, err = culprit("-r", "-if", path, "-m", "ALL")
    stop.set()
    writer.join()
    assert code == 0 and len(serials(out)) > 1000, err


@test
def exit_codes():
    assert culprit("-if", FILES, "-k", "k")[0] == 0
    code, out, err = culprit("-if", FILES, "-k", "nothing")
    assert code == 1 and err.endswith("<no matches>\n")
    assert culprit("-if", FILES, "-k", "nothing", "-r")[2] == ""
    for bad in (["-a", "1junk"], ["-p", "x"], ["-m", "NOSUCH"], ["-sc", "nosuch"], ["--frobnicate"], ["-k"], ["-ts", "32/45/99"],
                ["-r", "-i"], ["--extra-keys"], ["-ui", "nobody-here"], ["-if", "/nonexistent", "-k", "x"], []):
        code, out, err = culprit(*bad)
        assert code == 2 and err.startswith("culprit: ") and err.count("\n") == 1, (bad, code, err)
        assert not bad or culprit("--strict-ausearch", *bad)[0] == 1, bad
    put("no.db", b"no database, and not empty either" * 50)
    assert culprit("--store", os.path.join(DIR, "no.db"), "-k", "x")[0] == 3


def checkpoint_run(program, log, file, *extra):
    return program("--checkpoint", file, "-r", "-if", log, "-m", "ALL", *extra)


@test
def checkpoints_are_ausearchs():
    lines = logs.ordinary(11, 300)
    for directory, first, second in (("c1", culprit, culprit), ("c2", culprit, ausearch), ("c3", ausearch, culprit), ("c4", ausearch, ausearch)):
        put(directory + "/audit.log", "\n".join(lines[:400]) + "\n")
        where = os.path.join(DIR, directory)
        mark = os.path.join(DIR, directory + ".mark")
        one = checkpoint_run(first, where, mark)
        with open(os.path.join(where, "audit.log"), "a", encoding="latin-1") as f:
            f.write("\n".join(lines[400:]) + "\n")
        two = checkpoint_run(second, where, mark)
        if directory == "c1":
            expected = one[:2], two[:2]
            assert one[0] == 0 and two[0] == 0
        assert (one[:2], two[:2]) == expected, directory
    assert not set(serials(one[1])) & set(serials(two[1]))


@test
def checkpoint_exit_codes():
    put("cc/audit.log", "\n".join(logs.ordinary(12, 100)) + "\n")
    where, mark = os.path.join(DIR, "cc"), os.path.join(DIR, "cc.mark")
    for text in ("nonsense\n", "dev=0x1\ninode=1\noutput=- 1.000:1 0x514\n", "dev=0x1\n"):
        for program in (culprit, ausearch):
            with open(mark, "w") as f:
                f.write(text)
            assert checkpoint_run(program, where, mark)[0] == 10, (program, text)
    for program in (culprit, ausearch):
        st = os.stat(os.path.join(where, "audit.log"))
        with open(mark, "w") as f:
            f.write("dev=0x%X\ninode=%d\noutput=- 1000.000:1 0x514\n" % (st.st_dev, st.st_ino))
        assert checkpoint_run(program, where, mark)[0] == 12, program
        assert checkpoint_run(program, where, "/nonexistent/dir/mark")[0] == 11, program
        with open(mark, "w") as f:
            f.write("dev=0x%X\ninode=%d\noutput=- %d.000:1 0x514\n" % (1, 1, T + 20))
        assert checkpoint_run(program, where, mark, "-ts", "checkpoint")[0] == 0, program


@test
def numbers_of_unset_users():
    log = put("unset.log", "\n".join(logs.ordinary(13, 400)) + "\n")
    out = culprit("-r", "-if", log, "-ui", "4294967295")[1]
    assert all(" uid=4294967295 " in line for line in out.splitlines() if line.startswith("type=SYSCALL")) and out


@test
def users_by_name_and_number():
    log = put("users.log", "\n".join(logs.ordinary(14, 400)) + "\n")
    out = culprit("-r", "-if", log, "-ui", "root", "-ul", "1000")[1]
    calls = [line for line in out.splitlines() if line.startswith("type=SYSCALL")]
    assert calls and all(" auid=1000 uid=0 " in line for line in calls)


@test
def memory_is_bounded():
    path = os.path.join(DIR, "big.log")
    with open(path, "w", encoding="latin-1") as f:
        for i in range(12):
            f.write("\n".join(logs.ordinary(20 + i, 20000, start=T + i * 100000)) + "\n")
    for options in (["-k", "watched"], ["-m", "ALL"], ["-f", "/srv*"]):
        p = subprocess.Popen([CULPRIT, "search", "-r", "-if", path, *options], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        peak = 0
        while p.poll() is None: # ru_maxrss would be ours, from before exec
            try:
                with open("/proc/%d/status" % p.pid) as status:
                    peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
            except OSError:
                break
            time.sleep(0.005)
        assert p.wait() == 0 and 0 < peak < 50 * 1024, (options, peak)
    os.unlink(path)


@test
def our_store():
    """What the store answers is what ausearch says of the same records."""
    build = os.path.dirname(CULPRIT)
    subprocess.run(["ninja", "-C", build, "bench/fill"], check=True, stdout=subprocess.DEVNULL)
    store, log = os.path.join(DIR, "store.db"), os.path.join(DIR, "store.log")
    subprocess.run([os.path.join(build, "bench/fill"), store, "500", "20"], check=True, stdout=subprocess.DEVNULL)
    raw = culprit("--store", store, "-m", "ALL", "-r")[1]
    put("store.log", raw)
    assert raw.count("type=SYSCALL") == 500
    for options in ([], ["-i"], ["--format", "text"], ["--format", "csv"], ["-sc", "unlink", "-r"], ["-x", "s1-agent", "-i"]):
        assert culprit("--store", store, "-m", "ALL", *options)[:2] == ausearch("-if", log, "-m", "ALL", *options)[:2], options
    code, out, _ = culprit("--store", store, "-f", "/srv/data/d0000", "--op", "unlink", "--format", "json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows and all(r["event"]["action"] == "unlink" and r["file"]["path"].startswith("/srv/data/d0000/") for r in rows)
    assert culprit("--store", store, "-f", "/nowhere")[0] == 1
    assert culprit("--store", store + ".none", "-k", "x")[0] == 1
    assert culprit("--container", "web", "-k", "x")[0] == 2


@test
def ids_of_a_sensor_that_brings_none():
    """Who and with which login is the process's, where the sensor reported a pid alone: as `who` says."""
    watched, store = os.path.join(DIR, "watched"), os.path.join(DIR, "ids.db")
    with open(watched, "w") as f:
        f.write("a")
    shell = "echo 1000 > /proc/self/loginuid; rm " + watched
    subprocess.run([CULPRIT, "run", "-w", watched, "--sensor", "fanotify", "--settle", "1s", "--store", store, "--", "sh", "-c", shell],
                   capture_output=True, stdin=subprocess.DEVNULL, timeout=2400)
    lines = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", watched], capture_output=True, text=True, timeout=2400)
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    login = next(r["culprit"]["login"] for r in rows if "login" in r["culprit"])
    raw = culprit("--store", store, "--op", "unlink", "-r")[1]
    assert " auid=" + login["user"]["id"] + " uid=0 gid=0 euid=0 " in raw, raw
    assert " ses=" + login["session"]["id"] + " " in raw, raw
    for options in (["-ui", "0"], ["-ul", login["user"]["id"]], ["--session", login["session"]["id"]]):
        assert serials(culprit("--store", store, "--op", "unlink", "-r", *options)[1]) == serials(raw), options
    assert culprit("--store", store, "-ui", "4321")[0] == 1
    sensed = json.loads(culprit("--store", store, "--op", "unlink", "--format", "ocsf")[1].splitlines()[0])
    assert sensed["actor"]["user"]["uid"] == "0" and sensed["unmapped"]["auid"] == login["user"]["id"]
    assert sensed["actor"]["session"]["uid"] == login["session"]["id"]


sys.exit(run_all(DIR, 600))
