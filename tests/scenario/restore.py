#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""restore.py CULPRIT [HISTORIES [SEED]]: what was deleted or changed in a container comes back as it was; whoever owns the
directory cannot lead it elsewhere; random histories. Ends with "N passed, N failed"."""
import concurrent.futures
import ctypes
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lib.engine import Docker, make_root
from lib.snapshot import differences, snapshot

CULPRIT = sys.argv[1]
HISTORIES = int(sys.argv[2]) if len(sys.argv) > 2 else 300
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 21
LIBC = ctypes.CDLL(None, use_errno=True)
failures = []
passed = 0


def check(what, condition, detail=""):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(f"{what}: {detail}")
        print(f"   WRONG {what}: {str(detail)[:1500]}", flush=True)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)


def culprit(*arguments):
    r = run(CULPRIT, *arguments)
    return r.returncode, r.stdout.decode("utf-8"), r.stderr.decode(errors="replace")


def await_(condition, seconds=60):
    for _ in range(seconds * 50):
        if condition():
            return True
        time.sleep(0.02)
    return False


def restore(store, *arguments):
    code, out, err = culprit("restore", "--store", store, "--format", "json", *arguments)
    lines = [json.loads(l) for l in out.splitlines()]
    items = {l["file"]["path"]: l for l in lines if l["event"]["kind"] == "state"}
    return code, items, lines[-1]["culprit"]["restore"] if lines else {}, err


def outcomes(items):
    return {p: l["culprit"]["restore"]["outcome"] for p, l in items.items()}


def make_image(docker):
    """21 files as in the story, and what is hard to bring back."""
    root = make_root(docker.dir + "/restore.root")
    conf = root + "/prd/Conf"
    os.makedirs(conf + "/empty")
    for i in range(20):
        with open(f"{conf}/s{i:02}.sh", "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\necho {i}\n")
        os.chmod(f"{conf}/s{i:02}.sh", 0o555)
        os.utime(f"{conf}/s{i:02}.sh", ns=(10 ** 18 + i, 1577934245123456789 + i))
    with open(conf + "/sparse", "wb") as f:
        f.truncate(8 << 20)
        f.seek(4 << 20)
        f.write(b"data")
    os.symlink("../lower", conf + "/link")
    os.symlink("/nowhere", conf + "/dangling")
    os.mkfifo(conf + "/pipe", 0o620)
    os.link(conf + "/s18.sh", conf + "/hard")
    with open(conf + "/a\n\x1b[2J\\b", "wb") as f:
        f.write(b"odd name")
    run("chown", "-hR", "1000:1000", root + "/prd")
    for command in (["setcap", "cap_net_raw+ep", conf + "/s01.sh"], ["setfacl", "-m", "u:5001:rx", conf + "/s02.sh"],
                    ["setfacl", "-d", "-m", "u:5001:rwx", conf + "/empty"], ["chmod", "4755", conf + "/s03.sh"],
                    ["setfattr", "-n", "user.note", "-v", "kept", conf + "/s04.sh"]):
        assert run(*command).returncode == 0, command
    for path in (conf + "/empty", conf + "/link", conf, root + "/prd"):
        os.utime(path, ns=(10 ** 18, 1577934245000000001), follow_symlinks=False)
    os.chmod(root + "/prd", 0o555)
    tar = subprocess.Popen(["tar", "--xattrs", "--xattrs-include=*", "--acls", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(["docker", "import", "-", "shop:1.4"], stdin=tar.stdout, check=True, stdout=subprocess.DEVNULL)
    tar.wait()


def root_of(docker, name="rweb"):
    return f"/proc/{docker.pid(name)}/root"


def damage(root):
    """What the agent does, and worse."""
    conf = root + "/prd/Conf"
    for i in range(20):
        os.remove(f"{conf}/s{i:02}.sh")
    os.remove(conf + "/sparse")
    os.remove(conf + "/link")
    os.remove(conf + "/pipe")
    shutil.rmtree(conf + "/empty")
    os.chmod(root + "/prd", 0o775)
    os.chown(root + "/prd", 5001, 5001)
    os.chmod(root + "/prd/lower", 0)
    os.setxattr(root + "/prd/lower", "user.new", b"1")
    os.utime(root + "/prd/lower2", ns=(1, 1))


def whole(docker, work):
    """Running, stopped, and as the product's own text has it."""
    docker.run("rweb")
    store = work + "/none.db"
    code, items, _, err = restore(store, "rweb:/")
    check("a fresh container: nothing to do", code == 1 and not items, (code, items, err))
    before = snapshot(root_of(docker) + "/prd")
    for state in ("running", "stopped", "gone with its directory"):
        damage(root_of(docker))
        if state != "running":
            if state != "stopped":
                shutil.rmtree(root_of(docker) + "/prd/Conf")
            docker("stop", "-t", "1", "rweb")
        code, items, end, err = restore(store, "--dry-run", "rweb:/prd")
        check(f"{state}: dry run", code == 0 and set(outcomes(items).values()) == {"planned"}, (code, outcomes(items), err))
        code, items, end, err = restore(store, "rweb:/prd")
        check(f"{state}: all of it is back", code == 0 and set(outcomes(items).values()) == {"restored"} and
              end["restored"] == len(items) and len(items) >= 27, (code, outcomes(items), err))
        print(f"   {state}: {len(items)} paths in {end.get('took_ns', 0) / 1e6:.1f} ms", flush=True)
        if state != "running":
            check(f"{state}: docker diff is empty", docker("diff", "rweb").stdout == b"", docker("diff", "rweb").stdout)
            docker("start", "rweb")
        after = snapshot(root_of(docker) + "/prd")
        check(f"{state}: identical", before == after, differences(before, after))
        check(f"{state}: docker diff is empty", docker("diff", "rweb").stdout == b"", docker("diff", "rweb").stdout)
        code, items, _, err = restore(store, "rweb:/prd")
        check(f"{state}: a second time there is nothing to do", code == 1 and not items, (code, items, err))
    for state in ("running", "stopped"):
        # as a restore leaves it that could not open the directory again after the last file
        os.utime(root_of(docker) + "/prd/Conf")
        if state == "stopped":
            docker("stop", "-t", "1", "rweb")
        late = restore(store, "--dry-run", "rweb:/prd"), restore(store, "rweb:/prd")
        if state == "stopped":
            docker("start", "rweb")
        after = snapshot(root_of(docker) + "/prd")
        check(f"{state}: a directory's times alone come back", before == after and all(code == 1 and not items for code, items, _, _ in late),
              (differences(before, after), late))
    damage(root_of(docker))
    code, out, err = culprit("restore", "--store", store, "rweb:/prd")
    check("text", code == 0 and "24 back and 3 put right from image shop:1.4, mode, owner, ACL, capabilities, xattrs" in out and
          "0775 → 0555, 5001 → im" in out and "nobody has watched these files" in out, (code, out, err))


def left_alone(docker, work):
    """What is newer stays, what is new is not touched, and each is named."""
    root = root_of(docker) + "/prd"
    store = work + "/none.db"
    before = snapshot(root)
    with open(root + "/lower", "w", encoding="ascii") as f:
        f.write("newer\n")
    os.remove(root + "/Conf/s05.sh")
    os.symlink("/etc/passwd", root + "/Conf/s05.sh")
    shutil.rmtree(root + "/Conf/empty")
    with open(root + "/Conf/empty", "w", encoding="ascii") as f:
        f.write("a file now\n")
    os.remove(root + "/Conf/s06.sh")
    os.mkdir(root + "/Conf/s06.sh")
    os.remove(root + "/lower2")
    with open(root + "/added", "w", encoding="ascii") as f:
        f.write("theirs\n")
    passwd = snapshot(root_of(docker) + "/etc")
    code, items, _, err = restore(store, "rweb:/prd")
    want = {"/prd/lower": "newer", "/prd/Conf/s05.sh": "newer", "/prd/Conf/empty": "newer", "/prd/Conf/s06.sh": "newer",
            "/prd/lower2": "restored"}
    check("newer: left and named", code == 4 and outcomes(items) == want, (code, outcomes(items), err))
    code, items, _, err = restore(store, "--force", "rweb:/prd")
    want = {p: "restored" for p in want if p != "/prd/lower2"}
    want["/prd/Conf/s06.sh"] = "failed"
    check("--force: replaced, but no directory", code == 4 and outcomes(items) == want, (code, outcomes(items), err))
    os.rmdir(root + "/Conf/s06.sh")
    code, items, _, err = restore(store, "rweb:/prd/Conf")
    os.remove(root + "/added")
    os.utime(root, ns=(0, before[""][4]))
    after = snapshot(root)
    check("--force: identical", before == after and code == 0, (code, differences(before, after), err))
    check("what a link led to was not touched", passwd == snapshot(root_of(docker) + "/etc"))
    os.link(root + "/lower", root_of(docker) + "/tmp/other-name")
    os.chmod(root + "/lower", 0o4777)
    code, items, _, err = restore(store, "rweb:/prd/lower")
    check("another name elsewhere: not changed with it", code == 3 and outcomes(items) == {"/prd/lower": "failed"} and
          "names" in items["/prd/lower"]["culprit"]["restore"]["reason"], (code, items, err))
    os.remove(root_of(docker) + "/tmp/other-name")
    code, items, _, err = restore(store, "rweb:/prd/lower")
    check("once it has one name", code == 0, (code, items, err))
    for arguments in ([], ["/etc/hosts", "/etc/passwd"], ["a:/b", "c:/d"], ["--from", "nowhere", "rweb:/prd"], ["--at", "rubbish", "rweb:/prd"]):
        code, _, err = culprit("restore", *arguments)
        check(f"restore {arguments}: wrong usage", code == 2 and err.count("\n") == 1, (code, err))
    code, _, err = culprit("restore", "--store", store, "nosuch:/prd")
    check("no such container: nothing could be said", code == 3 and err.count("\n") == 1, (code, err))
    code, _, err = culprit("restore", "--store", store, "--at", "-1h", "rweb:/prd")
    check("--at without a record", code == 1 and "record" in err, (code, err))


def volume(docker, work):
    docker.run("rvol", "-v", "rdata:/prd")
    root = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rdata").stdout.decode().strip()
    before = snapshot(root)
    os.remove(root + "/Conf/s01.sh")
    os.chmod(root + "/Conf/s02.sh", 0)
    code, items, _, err = restore(work + "/none.db", "rvol:/prd")
    # an engine fills a volume without the times of its directories
    wrong = differences(before, snapshot(root), ("Conf", "Conf/empty", "sub", ""))
    check("a volume", code == 0 and len(items) == 2 and not wrong, (code, outcomes(items), wrong, err))
    docker("rm", "-f", "rvol")


def recorded(docker, work):
    """With whoever did it; --at: what had been so by then stays."""
    store = work + "/s.db"
    root = root_of(docker)
    out, err = open(work + "/out", "wb"), open(work + "/err", "wb")
    watch = subprocess.Popen([CULPRIT, "watch", "--store", store, "rweb:/prd"], stdout=out, stderr=err)
    try:
        recorded_by(watch, root, store, work)
    finally:
        if watch.poll() is None:
            watch.kill()
            watch.wait()


def recorded_by(watch, root, store, work):
    check("watch is ready", await_(lambda: b"culprit: ready" in open(work + "/err", "rb").read() or watch.poll() is not None, 120) and
          watch.poll() is None, open(work + "/err", "rb").read())
    subprocess.run(["rm", root + "/prd/Conf/s01.sh"], check=True)
    subprocess.run(["sh", "-c", f"echo edited > {root}/prd/lower2"], check=True)
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    subprocess.run(["rm", root + "/prd/Conf/s02.sh", root + "/prd/lower2"], check=True)
    watch.send_signal(signal.SIGINT)
    watch.wait(120)
    code, items, _, err = restore(store, "--at", moment, "rweb:/prd")
    check("--at: only what changed since, and was not another then", code == 4 and outcomes(items) ==
          {"/prd/Conf/s01.sh": "earlier", "/prd/Conf/s02.sh": "restored", "/prd/lower2": "earlier"}, (code, outcomes(items), err))
    code, items, _, err = restore(store, "rweb:/prd")
    check("with whoever did it", code == 0 and len(items) == 2 and
          all(l.get("process", {}).get("name") == "rm" for l in items.values()), (code, items, err))


class Holder:
    """A process that holds a file of that path, by a descriptor or a mapping; in front of it other commands, such as unshare."""
    PROGRAM = """
import mmap, os, sys
how, path = sys.argv[1:]
fd = os.open(path, {"read": os.O_RDONLY}.get(how, os.O_RDWR))
if how == "map":
    held = mmap.mmap(fd, 0)
    os.close(fd)
print("held", flush=True)
sys.stdin.read()
"""

    def __init__(self, how, path, *before):
        self.process = subprocess.Popen([*before, sys.executable, "-c", self.PROGRAM, how, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"held\n"

    def end(self):
        self.process.stdin.close()
        self.process.wait(120)


def still_open(_, work):
    """What a process still holds comes back to where it was, whatever path he had opened it by; nothing else is replaced by it."""
    top, store = work + "/open", work + "/none.db"
    for name in ("log", "map", "twice", "kept (deleted)", "sub/deep", "moved"):
        os.makedirs(os.path.dirname(f"{top}/{name}"), exist_ok=True)
        with open(f"{top}/{name}", "w", encoding="ascii") as f:
            f.write(f"content of {name}\n")
    os.makedirs(top + "/view")
    os.chmod(top + "/log", 0o4640)
    os.chown(top + "/log", 1000, 5)
    os.chmod(top + "/log", 0o4640)
    for command in (["setfacl", "-m", "u:5001:r", top + "/log"], ["setfattr", "-n", "user.note", "-v", "kept", top + "/log"],
                    ["setcap", "cap_net_raw+ep", top + "/map"]):
        assert run(*command).returncode == 0, command
    before = snapshot(top)
    view = lambda kind: ["unshare", kind, "sh", "-c", f'mount --bind {top}/sub {top}/view && exec "$@"', "sh"]
    holders = [Holder("write", top + "/log"), Holder("map", top + "/map"), Holder("read", top + "/twice"),
               Holder("read", top + "/kept (deleted)"), Holder("read", top + "/view/deep", *view("-m"))]
    try:
        os.remove(top + "/twice")
        with open(top + "/twice", "w", encoding="ascii") as f:
            f.write("the later one\n")
        before = snapshot(top)
        holders.append(Holder("read", top + "/twice"))
        for name in ("log", "map", "twice", "sub/deep"):
            os.remove(f"{top}/{name}")
        code, items, _, err = restore(store, "--dry-run", top)
        want = {f"{top}/{name}": "planned" for name in ("log", "map", "twice", "sub/deep")}
        check("still open: planned", code == 0 and outcomes(items) == want, (code, outcomes(items), err))
        code, items, _, err = restore(store, top)
        os.utime(top, ns=(0, before[""][4]))
        os.utime(top + "/sub", ns=(0, before["sub"][4]))
        after = snapshot(top)
        check("still open: back", code == 0 and outcomes(items) == dict.fromkeys(want, "restored"), (code, outcomes(items), err))
        check("still open: identical", before == after, differences(before, after))
        facts = {os.path.basename(p): l["culprit"]["restore"] for p, l in items.items()}
        check("still open: who holds it", facts["log"]["source"] == "open" and facts["log"]["holder"]["pid"] == holders[0].process.pid and
              [facts[n]["holder"]["writes"] for n in ("log", "map", "twice", "deep")] == [True, True, False, False] and
              [facts[n]["holder"]["older"] for n in ("log", "twice")] == [False, True], facts)
        code, items, _, err = restore(store, top)
        check("still open: a second time there is nothing to do", code == 1 and not items, (code, outcomes(items), err))
        with open(top + "/log", "w", encoding="ascii") as f:
            f.write("newer\n")
        code, items, _, err = restore(store, top)
        check("still open: newer is left", code == 4 and outcomes(items) == {top + "/log": "newer"} and
              open(top + "/log", encoding="ascii").read() == "newer\n", (code, outcomes(items), err))
        code, items, _, err = restore(store, "--force", "--from", "open", top + "/log")
        check("still open: --force", code == 0 and open(top + "/log", encoding="ascii").read() == "content of log\n", (code, err))
        shutil.rmtree(top + "/sub")
        code, items, _, err = restore(store, top)
        check("still open: its folder is gone", code == 3 and outcomes(items) == {top + "/sub/deep": "failed"} and
              "folder" in items[top + "/sub/deep"]["culprit"]["restore"]["reason"], (code, items, err))
        os.mkdir(top + "/sub")
        os.symlink("/etc/hostname", top + "/sub/deep")
        code, items, _, err = restore(store, "--force", top)
        check("still open: a link is replaced, not followed", code == 0 and not os.path.islink(top + "/sub/deep"), (code, items, err))
        code, out, err = culprit("restore", "--store", store, "--force", top + "/none")
        check("still open: nothing there", code == 1 and "nothing is missing" in out, (code, out, err))
        # whoever may mount by himself could make a path and a mount fit each other
        holders.append(Holder("read", top + "/moved", "unshare", "-U", "-r", "-m"))
        os.remove(top + "/moved")
        code, items, _, err = restore(store, top)
        check("still open: not of a user's own mounts", code == 1 and not items, (code, outcomes(items), err))
        for arguments in (["--from", "image", top], ["--from", "open", "--at", "-1h", top], ["--from", "open", "--at", "-1h", "rweb:/prd"]):
            code, _, err = culprit("restore", *arguments)
            check(f"restore {arguments}: wrong usage", code == 2 and err.count("\n") == 1, (code, err))
    finally:
        for holder in holders:
            holder.end()
    code, items, _, err = restore(store, top)
    check("still open: nobody holds it any more", code == 1 and not items, (code, outcomes(items), err))


def exchanged(_, work):
    """A user exchanges what his descriptor leads to, root's deleted file and his own, while root restores: never his in root's place."""
    top, store = work + "/exchanged", work + "/none.db"
    os.makedirs(top + "/root")
    os.makedirs(top + "/his")
    os.chmod(work, 0o755)
    for name in ("root/x", "his/y"):
        with open(f"{top}/{name}", "w", encoding="ascii") as f:
            f.write(name)
    os.chown(top + "/his", 1000, 1000)
    os.chown(top + "/his/y", 1000, 1000)
    reported, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(1000)
            os.setuid(1000)
            held = [os.open(f"{top}/{name}", os.O_RDONLY) for name in ("root/x", "his/y")]
            os.dup2(held[0], 100)
            os.write(report, b"x")
            while True:
                os.dup2(held[1], 100)
                os.dup2(held[0], 100)
        finally:
            os._exit(1)
    try:
        os.read(reported, 1)
        os.remove(top + "/root/x")
        os.remove(top + "/his/y")
        back, wrong = 0, []
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            restore(store, top)
            for name, owner in (("root/x", 0), ("his/y", 1000)):
                if os.path.exists(f"{top}/{name}"):
                    back += 1
                    if open(f"{top}/{name}", encoding="ascii").read() != name or os.stat(f"{top}/{name}").st_uid != owner:
                        wrong.append(name)
                    os.remove(f"{top}/{name}")
        check("exchanged: each in its own place", back > 20 and not wrong, (back, wrong))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def open_in_container(docker, work):
    """What no image has, but a process of the container has open: in its own layer and in a volume."""
    store = work + "/none.db"
    script = "exec 7> /prd/made 8> /data/kept; echo made >&7; echo kept >&8; chmod 640 /prd/made; touch /prd/ready; " \
             "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
    docker.run("rhold", "-v", "rkept:/data", command=["/bin/sh", "-c", script])
    root = root_of(docker, "rhold")
    volume_root = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "rkept").stdout.decode().strip()
    check("in a container: it holds them", await_(lambda: os.path.exists(root + "/prd/ready")))
    os.remove(root + "/prd/ready")
    before = snapshot(root + "/prd"), snapshot(volume_root)
    same = lambda: not differences(before[0], snapshot(root + "/prd"), ("",)) and not differences(before[1], snapshot(volume_root), ("",))
    os.remove(root + "/prd/made")
    os.remove(volume_root + "/kept")
    code, items, _, err = restore(store, "rhold:/")
    check("in a container: no image has them, and that is said", code == 1 and not items and
          "2 deleted files that are not put back yet" in err and "culprit restore --from open rhold:/" in err, (code, outcomes(items), err))
    code, items, _, err = restore(store, "/prd")
    check("in a container: not the host's of that name", code == 1 and not items, (code, outcomes(items), err))
    code, items, _, err = restore(store, "--from", "open", "rhold:/")
    check("in a container: back", code == 0 and outcomes(items) == {"/prd/made": "restored", "/data/kept": "restored"} and same(),
          (code, outcomes(items), err, differences(before[0], snapshot(root + "/prd"))))
    code, _, _, err = restore(store, "rhold:/")
    check("in a container: then nothing more is said", code == 1 and not err, (code, err))
    check("in a container: whose", all(l["culprit"]["victim"]["kind"] == "container" and l["culprit"]["restore"]["holder"]["writes"]
          for l in items.values()), items)
    os.remove(volume_root + "/kept")
    code, items, _, err = restore(store, volume_root)
    check("a volume, by the host's path", code == 0 and outcomes(items) == {volume_root + "/kept": "restored"} and same(), (code, items, err))
    docker("stop", "-t", "1", "rhold")
    code, items, _, err = restore(store, "--from", "open", "rhold:/")
    check("in a container that does not run: nothing is open", code == 3 and "does not run" in err, (code, items, err))
    docker("rm", "-f", "rhold")


def swap(directory, a, b, reported):
    """As uid 1000, who owns the directory: exchanges two names in it until he is killed, and says once that he could."""
    at = os.open(directory, os.O_RDONLY | os.O_DIRECTORY) # by /proc/PID/root only root comes in
    pid = os.fork()
    if pid:
        os.close(at)
        return pid
    try:
        os.setgroups([])
        os.setgid(1000)
        os.setuid(1000)
        done = 0
        while True:
            done += LIBC.renameat2(at, a, at, b, 2) == 0
            if done == 100:
                os.write(reported, b"x")
                done += 1
    finally:
        os._exit(1)


def hostile(docker, work):
    """The owner of the directory exchanges folders and links to elsewhere while root puts files back."""
    root = root_of(docker)
    prd, outside = root + "/prd", root + "/outside"
    os.makedirs(outside + "/empty")
    for name in ("s07.sh", "s08.sh"):
        with open(f"{outside}/{name}", "w", encoding="ascii") as f:
            f.write("not yours\n")
        os.chmod(f"{outside}/{name}", 0o600)
    os.chmod(outside + "/empty", 0o700)
    before = snapshot(outside)
    conf_before = snapshot(prd + "/Conf")
    os.chmod(prd, 0o755)
    # what comes from the image cannot be renamed in an overlay; what was made since can
    shutil.rmtree(prd + "/Conf")
    code, _, _, err = restore(work + "/none.db", "rweb:/prd/Conf")
    check("hostile: a folder of his own", code == 0 and conf_before == snapshot(prd + "/Conf"), (code, err))
    os.symlink("/outside", prd + "/trap")
    os.symlink("../../outside", prd + "/trap2")
    os.lchown(prd + "/trap", 1000, 1000)
    os.lchown(prd + "/trap2", 1000, 1000)
    seen = set()
    for trap in ("trap", "trap2"):
        reported, report = os.pipe2(os.O_NONBLOCK)
        pid = swap(prd, b"Conf", trap.encode(), report)
        try:
            check(f"hostile: {trap} is exchanged", await_(lambda: select.select([reported], [], [], 0)[0]))
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                for where in (prd + "/Conf", f"{prd}/{trap}"):
                    for name in ("s07.sh", "s09.sh"):
                        try:
                            fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                        except OSError:
                            continue # it is the link just now
                        try:
                            os.unlink(name, dir_fd=fd)
                        except OSError:
                            pass
                        os.close(fd)
                _, items, _, _ = restore(work + "/none.db", "rweb:/prd/Conf")
                seen.update(outcomes(items).values())
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(reported)
            os.close(report)
        check(f"hostile: {trap} is exchanged back", not os.path.islink(prd + "/Conf") or
              LIBC.renameat2(-100, (prd + "/Conf").encode(), -100, f"{prd}/{trap}".encode(), 2) == 0)
    after = snapshot(outside)
    check("hostile: nothing outside was touched", before == after, differences(before, after))
    print(f"   hostile: outcomes met: {sorted(seen)}", flush=True)
    check("hostile: some was put back meanwhile", "restored" in seen, seen)
    for trap in ("/trap", "/trap2"):
        os.remove(prd + trap)
    shutil.rmtree(outside)
    os.chmod(prd, 0o555)
    code, _, _, err = restore(work + "/none.db", "--force", "rweb:/prd")
    after = snapshot(prd + "/Conf")
    check("hostile: afterwards it is put right", code in (0, 1) and conf_before == after, (code, differences(conf_before, after), err))


def paths_of(root):
    return [os.path.join(at, n) for at, ds, fs in os.walk(root) for n in ds + fs]


def act(rng, root, made):
    """One step of a history. Returns nothing: what it could not do is no step."""
    everything = paths_of(root)
    path = rng.choice(everything) if everything else root
    is_dir = os.path.isdir(path) and not os.path.islink(path)
    kind = rng.choice(("delete", "delete", "delete", "mode", "owner", "write", "truncate", "xattr", "rename", "touch", "new", "link"))
    if kind == "delete":
        shutil.rmtree(path) if is_dir else os.remove(path)
    elif kind == "mode" and not os.path.islink(path):
        os.chmod(path, rng.choice((0, 0o777, 0o4755, 0o600)))
    elif kind == "owner":
        os.lchown(path, rng.choice((0, 1000, 5001)), rng.choice((0, 1000)))
    elif kind in ("write", "truncate") and os.path.isfile(path) and not os.path.islink(path):
        with open(path, "ab") as f:
            f.truncate(0) if kind == "truncate" else f.write(b"more")
    elif kind == "xattr" and os.path.isfile(path) and not os.path.islink(path):
        if "user.note" in os.listxattr(path):
            os.removexattr(path, "user.note")
        else:
            os.setxattr(path, "user.note", b"x")
    elif kind == "rename":
        other = os.path.join(rng.choice([root] + [p for p in everything if os.path.isdir(p) and not os.path.islink(p)]),
                             f"new{rng.randrange(10 ** 9)}")
        if is_dir:
            return # across layers the kernel refuses it, so that mv copies: that is "delete" and "new"
        os.rename(path, other)
    elif kind == "touch":
        os.utime(path, ns=(rng.randrange(2 * 10 ** 18), rng.randrange(2 * 10 ** 18)), follow_symlinks=False)
    elif kind == "new":
        with open(os.path.join(os.path.dirname(path), f"new{rng.randrange(10 ** 9)}"), "wb") as f:
            f.write(b"new")
    elif kind == "link" and not is_dir:
        os.remove(path)
        os.symlink("new", path)


def is_new(path):
    return any(part.startswith("new") for part in path.split("/"))


def histories_in(docker, work, name, numbers):
    docker.run(name)
    root = root_of(docker, name) + "/prd"
    before = snapshot(root)
    bad = steps = paths = 0
    for number in numbers:
        rng = random.Random(SEED * 1000003 + number)
        for _ in range(rng.randint(1, 12)):
            try:
                act(rng, root, None)
                steps += 1
            except OSError:
                pass
        middle = snapshot(root)
        code, items, end, err = restore(work + "/none.db", "--force", name + ":/prd")
        after = snapshot(root)
        paths += len(items)
        # a directory that holds something new keeps its own times: that is said in the manual
        grown = {os.path.dirname(p) for p in after if is_new(p)}
        same = [d for d in differences(before, after) if not is_new(d[0]) and not
                (d[0] in grown and d[1] and d[2] and d[1][:4] + d[1][5:] == d[2][:4] + d[2][5:])]
        theirs = [d for d in differences(middle, after) if is_new(d[0]) and "new" not in os.path.dirname(d[0]) and
                  d[1] is not None and d[1][0][:3] != "0o4" and d[1] != d[2]]
        if same or theirs or code not in (0, 1):
            bad += 1
            check(f"history {number} of seed {SEED}", False, (code, same[:3], theirs[:3], {p: o for p, o in outcomes(items).items()
                  if o != "restored"}, err))
            if bad > 3:
                break
        for path in [p for p in after if is_new(p)]:
            full = os.path.join(root, path)
            if os.path.lexists(full):
                shutil.rmtree(full) if os.path.isdir(full) and not os.path.islink(full) else os.remove(full)
        for path in sorted(grown, key=len, reverse=True):
            if path in before:
                os.utime(os.path.join(root, path), ns=(0, before[path][4]))
        os.utime(root, ns=(0, before[""][4]))
    docker("rm", "-f", name)
    return bad, steps, paths


def histories(docker, work):
    """Whatever happened, all that the image has is the same again; what it does not have is not touched."""
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool: # most of it is the start of the program
        halves = [pool.submit(histories_in, docker, work, f"rhist{i}", range(i, HISTORIES, 2)) for i in range(2)]
        bad, steps, paths = (sum(n) for n in zip(*(h.result() for h in halves)))
    check(f"{HISTORIES} histories", bad == 0)
    print(f"   {HISTORIES} histories, {steps} steps, {paths} paths put back, {time.monotonic() - begin:.0f} s", flush=True)


def stopped_histories(docker, work):
    docker.run("rdown")
    before = snapshot(root_of(docker, "rdown") + "/prd")
    for number in range(min(HISTORIES, 6)):
        rng = random.Random(SEED * 7 + number)
        root = root_of(docker, "rdown") + "/prd"
        for _ in range(rng.randint(4, 20)):
            try:
                act(rng, root, None)
            except OSError:
                pass
        for path in [p for p in paths_of(root) if is_new(os.path.relpath(p, root))]:
            if os.path.lexists(path):
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
        docker("stop", "-t", "1", "rdown")
        code, items, _, err = restore(work + "/none.db", "--force", "rdown:/prd")
        diff = docker("diff", "rdown").stdout
        docker("start", "rdown")
        after = snapshot(root_of(docker, "rdown") + "/prd")
        check(f"history {number}, stopped", code in (0, 1) and before == after and diff == b"",
              (code, differences(before, after)[:4], diff, outcomes(items), err))
    docker("rm", "-f", "rdown")


def without_directory_times(found):
    return {p: f if not f[0].startswith("0o4") else f[:4] + f[5:] for p, f in found.items()}


def kept(docker, work):
    """Copies of a container's files: what it had changed itself comes back, which its image does not have."""
    docker.run("rkept")
    store, top = work + "/kept.db", root_of(docker, "rkept") + "/prd"
    for name, text in (("lower", "changed by the container\n"), ("own", "the container's own\n"), ("sub/made", "made\n")):
        with open(f"{top}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    os.chown(top + "/own", 1234, 5)
    large = os.urandom(2 << 20)  # more than a sixteenth of 16M: it is copied when it changes
    for name in ("large", "large2"):
        with open(f"{top}/{name}", "wb") as f:
            f.write(large if name == "large" else large[::-1])
    os.symlink("/etc/passwd", top + "/absolute")
    before = without_directory_times(snapshot(top))
    log = tempfile.TemporaryFile()
    watch = subprocess.Popen([CULPRIT, "watch", "--sensor", "fanotify", "--store", store, "--keep-copies", "16M", "rkept:/prd"],
                             stdout=subprocess.DEVNULL, stderr=log)
    said = lambda: os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace")
    await_(lambda: "culprit: ready" in said())
    check("kept: large files are held", "2 of them are copied when they change" in said(), said())
    check("kept: how many", "files and folders are kept" in said() and "no copies are kept" not in said(), said())
    began = time.time()
    time.sleep(0.1)
    for name in ("lower", "own", "sub/made", "absolute", "Conf/s01.sh"):
        docker("exec", "rkept", "rm", "-f", f"/prd/{name}")
    docker("exec", "rkept", "sh", "-c", "echo later > /prd/lower2; echo anew > /prd/large")
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began)) + f".{int(began % 1 * 1000):03}Z"

    def contents(*arguments):
        code, out, err = culprit("diff", "--content", "--store", store, *arguments)
        return code, {l["file"]["path"]: l for l in map(json.loads, out.splitlines())} if "json" in arguments else out, err

    is_recorded = lambda action, name: any(f'"action":"{action}"' in l and f'"/prd/{name}"' in l
                                           for l in culprit("who", "--store", store, "--format", "json", "rkept:/prd")[1].splitlines())
    check("kept: all is recorded", await_(lambda: is_recorded("unlink", "Conf/s01.sh") and is_recorded("write", "lower2") and is_recorded("write", "large")), said())
    code, changed, err = contents("--format", "json", "--since", moment, "rkept:/prd")
    check("kept: diff --content", code == 0 and {p: l["culprit"]["content"]["difference"] for p, l in changed.items()} == {
        "/prd/lower": "gone", "/prd/own": "gone", "/prd/sub/made": "gone", "/prd/absolute": "gone", "/prd/Conf/s01.sh": "gone", "/prd/lower2": "changed",
        "/prd/large": "changed"} and
        "+later" in changed["/prd/lower2"]["culprit"]["content"]["unified"] and changed["/prd/own"]["container"]["name"] == "rkept", (code, changed, err))
    code, out, err = contents("--since", moment, "rkept", "/prd/lower2")
    check("kept: diff --content, as text", code == 0 and out.startswith("/prd/lower2  changed\n--- ") and "\n+later\n" in out, (code, out, err))
    check("kept: diff --content of what was never there", contents("rkept:/etc/none")[0] == 1, contents("rkept:/etc/none"))
    code, items, end, err = restore(store, "--from", "copies", "--at", moment, "--force", "rkept:/prd")
    after = without_directory_times(snapshot(top))
    check("kept: identical", code == 0 and before == after and set(items) >= {"/prd/own", "/prd/lower2"},
          (code, differences(before, after), {p: l["culprit"]["restore"].get("reason") for p, l in items.items()}, err))
    check("kept: who", items["/prd/own"].get("process", {}).get("name") in ("rm", "busybox"), items.get("/prd/own"))
    docker("restart", "-t", "1", "rkept")
    top = root_of(docker, "rkept") + "/prd"

    def follows(): # once a change of the new life is recorded
        docker("exec", "rkept", "sh", "-c", ": > /prd/probe; rm /prd/probe")
        return is_recorded("unlink", "probe")

    check("kept: it follows the restart", await_(follows, 120), said())
    docker("exec", "rkept", "rm", "-f", "/prd/Conf/s02.sh")
    lived = time.time()
    docker("exec", "rkept", "sh", "-c", "echo after the restart > /prd/restarted")
    await_(lambda: is_recorded("create", "restarted"))
    time.sleep(2) # its copy is made
    docker("exec", "rkept", "rm", "-f", "/prd/restarted")
    lived = time.time() - lived
    check("kept: all of the new life is recorded", await_(lambda: is_recorded("unlink", "restarted")) and is_recorded("unlink", "Conf/s02.sh"), said())
    time.sleep(1) # the moment is of a whole second
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
    docker("stop", "-t", "1", "rkept")
    time.sleep(1.5)
    code, items, end, err = restore(store, "--from", "copies", "rkept:/prd")
    check("kept: stopped: what to do", code == 3 and not items and "start it first" in err, (code, items, err))
    code, out, err = contents("rkept:/prd")
    check("kept: stopped: diff --content says what to do", code == 3 and not out and "start it first" in err, (code, out, err))
    docker("start", "rkept")
    top = root_of(docker, "rkept") + "/prd"
    time.sleep(2)
    nothing_to_do = lambda: restore(store, "--from", "copies", "--dry-run", "--at", moment, "rkept:/prd")
    check("kept: what the container's end leaves is not gone", await_(lambda: nothing_to_do()[0] == 1), nothing_to_do())
    code, items, end, err = restore(store, "--from", "copies", "rkept:/prd")
    after = without_directory_times(snapshot(top))
    if lived > 50: # what was there for a minute comes back too, and that long it may be on a slow machine
        after.pop("restarted", None)
    check("kept: after its restart", code == 0 and outcomes(items).get("/prd/Conf/s02.sh") == "restored" and before == after,
          (code, outcomes(items), lived, differences(before, after), err))
    shutil.rmtree(top + "/sub")
    outside = work + "/outside"
    os.mkdir(outside)
    os.symlink(outside, top + "/sub")
    code, items, end, err = restore(store, "--from", "copies", "--at", moment, "rkept:/prd")
    check("kept: a link of the container leads nowhere", os.listdir(outside) == [], (code, outcomes(items), err))
    watch.send_signal(signal.SIGINT)
    check("kept: the end", watch.wait(120) == 0, said())
    docker("rm", "-f", "rkept")


def kept_by_daemon(docker, work):
    """The same by a watch of the daemon's configuration, of a container that comes later."""
    etc, state = work + "/etc", work + "/run"
    os.makedirs(etc)
    with open(etc + "/culprit.conf", "w", encoding="ascii") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nheartbeat = off\nalerts = off\nstore = {work}/daemon.db\n"
                f"docker_socket = {docker.host[len('unix://'):]}\nwatch w {{ targets = \"rlater:/prd\" keep_copies = on }}\n")
    log = tempfile.TemporaryFile()
    daemon = subprocess.Popen([CULPRIT, "daemon", "--config", etc, "--runtime-dir", state], stderr=log)
    said = lambda: os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace")
    kept_now = lambda: json.loads(culprit("ctl", "--control", state + "/control", "--json", "status")[1] or "{}").get("copies", {}).get("files", 0)
    await_(lambda: "culprit: ready" in said())
    docker.run("rlater")
    check("daemon: a container that came later is kept", await_(lambda: kept_now() > 20), (kept_now(), said()))
    path = root_of(docker, "rlater") + "/prd/Conf/s05.sh"
    docker("exec", "rlater", "rm", "-f", "/prd/Conf/s05.sh")
    culprit("ctl", "--control", state + "/control", "flush")
    code, items, _, err = restore(work + "/daemon.db", "--from", "copies", "rlater:/prd")
    check("daemon: and comes back", code == 0 and set(items) == {"/prd/Conf/s05.sh"} and os.path.exists(path), (code, outcomes(items), err))
    daemon.terminate()
    check("daemon: the end", daemon.wait(120) == 0, said())
    docker("rm", "-f", "rlater")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    docker = Docker()
    work = tempfile.mkdtemp(prefix="culprit-restore.", dir=os.environ.get("CULPRIT_TEST_DIR", "/var/tmp"))
    try:
        make_image(docker)
        for part in (still_open, exchanged, whole, left_alone, volume, open_in_container, recorded, kept, kept_by_daemon, hostile, stopped_histories, histories):
            if not os.environ.get("ONLY") or part.__name__ in os.environ["ONLY"].split():
                if part not in (still_open, exchanged, whole) and os.environ.get("ONLY"):
                    docker.run("rweb")
                print(f"-- {part.__name__}", flush=True)
                part(docker, work)
    finally:
        docker.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
