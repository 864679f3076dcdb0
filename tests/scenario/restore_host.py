#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""restore_host.py CULPRIT [HISTORIES [SEED]]: what was deleted on the host comes back from packages, git, kept copies. In a mount namespace
of its own: a real dpkg has a database and a /usr that nobody else sees. Ends with "N passed, N failed"."""
import ctypes
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

from lib import quarantined, rpm_packages
from lib.snapshot import differences, snapshot

CULPRIT = os.path.abspath(sys.argv[1])
HISTORIES = int(sys.argv[2]) if len(sys.argv) > 2 else 300
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 21
failures = []
passed = 0


def check(what, condition, detail=""):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(f"{what}: {detail}")
        print(f"   WRONG {what}: {str(detail)[:1500]}", flush=True)


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False, **more)


def must(*command, **more):
    r = run(*command, **more)
    assert r.returncode == 0, (command, r.stderr)
    return r.stdout.decode(errors="replace")


def culprit(*arguments):
    r = run(CULPRIT, "restore", "--store", "/nonexistent/none.db", *arguments)
    return r.returncode, r.stdout.decode("utf-8"), r.stderr.decode(errors="replace")


def restore(*arguments):
    code, out, err = culprit("--format", "json", *arguments)
    lines = [json.loads(l) for l in out.splitlines()]
    items = {l["file"]["path"]: l for l in lines if l["event"]["kind"] == "state"}
    return code, items, err


def outcomes(items):
    return {p: l["culprit"]["restore"]["outcome"] for p, l in items.items()}


def reasons(items):
    return {p: l["culprit"]["restore"].get("reason") for p, l in items.items()}


def tree(root):
    """A directory's times change with what is done in it."""
    return {p: f if not stat.S_ISDIR(int(f[0], 8)) else f[:4] + f[5:] for p, f in snapshot(root).items()}


# ---- packages ----

def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)
    os.utime(path, (1577934245, 1577934245))


def build(work, name, version, fill, conffiles=""):
    root = f"{work}/{name}"
    shutil.rmtree(root, ignore_errors=True)
    write(root + "/DEBIAN/control", f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: none <n@localhost>\nDescription: test\n")
    if conffiles:
        write(root + "/DEBIAN/conffiles", conffiles)
    fill(root)
    sums = "".join(f"{run('md5sum', os.path.join(at, n)).stdout.decode().lstrip(chr(92))[:32]}  {os.path.relpath(os.path.join(at, n), root)}\n"
                   for at, _, names in os.walk(root) for n in names if "DEBIAN" not in at and not os.path.islink(os.path.join(at, n)) and
                   "/" + os.path.relpath(os.path.join(at, n), root) not in conffiles.split())
    write(root + "/DEBIAN/md5sums", sums)
    # as apt names it
    deb = f"{work}/cache/{name}_{version.replace(':', '%3a')}_all.deb"
    must("dpkg-deb", "-Zxz", "-z0", "-b", root, deb)
    return deb


def fill_shop(root):
    for i in range(30):
        write(f"{root}/opt/shop/bin/tool{i:02}", f"#!/bin/sh\necho {i}\n", 0o755)
    write(root + "/opt/shop/bin/privileged", "suid\n", 0o4755)
    write(root + "/opt/shop/bin/overridden", "by statoverride\n")
    write(root + "/opt/shop/etc/shop.conf", "colour = red\n")
    write(root + "/opt/shop/data/of-games", "theirs\n", 0o640)
    shutil.chown(root + "/opt/shop/data/of-games", "games", "games")
    os.makedirs(root + "/opt/shop/data/empty/below")
    os.chmod(root + "/opt/shop/data/empty", 0o750)
    os.symlink("../bin/tool00", root + "/opt/shop/data/link")
    os.symlink("/nowhere", root + "/opt/shop/data/dangling")
    os.link(root + "/opt/shop/bin/tool03", root + "/opt/shop/data/hard")
    write(root + "/opt/shop/data/sparse", bytes(6 << 20) + b"end")
    write(root + "/opt/shop/data/" + "long" * 40 + "/name", "long path\n")
    write(root + "/opt/shop/data/a \x1b[2J\u2028ü", "odd name\n")
    write(root + "/opt/shop/diverted", "its own\n")
    write(root + "/bin/shop-in-bin", "merged\n", 0o755)


def install(work):
    must("mount", "-t", "tmpfs", "none", work)
    for name in ("cache", "dpkg", "upper", "w"):
        os.mkdir(f"{work}/{name}")
    for name in ("dpkg/info", "dpkg/updates", "dpkg/triggers"):
        os.mkdir(f"{work}/{name}")
    for name in ("status", "available"):
        open(f"{work}/dpkg/{name}", "w", encoding="ascii").close()
    must("mount", "-t", "overlay", "-o", f"lowerdir=/usr,upperdir={work}/upper,workdir={work}/w", "overlay", "/usr")
    must("mount", "--bind", work + "/dpkg", "/var/lib/dpkg")
    must("mount", "-t", "tmpfs", "none", "/opt")
    os.chmod("/opt", 0o755)
    must("dpkg-statoverride", "--add", "games", "root", "2711", "/opt/shop/bin/overridden")
    must("dpkg-divert", "--local", "--rename", "--divert", "/opt/shop/diverted.away", "--add", "/opt/shop/diverted")
    deb = build(work, "shop", "2:1.4-1", fill_shop, "/opt/shop/etc/shop.conf\n")
    must("dpkg", "--force-not-root", "-i", deb)
    return deb


def packages(work):
    """All that dpkg installed, file for file."""
    deb = install(work)
    cache = ["--packages", work + "/cache"]
    before, shown = tree("/opt/shop"), os.lstat("/usr/bin/shop-in-bin")
    code, items, err = restore(*cache, "/opt/shop")
    check("nothing to do", code == 1 and not items, (code, items, err))
    shutil.rmtree("/opt/shop/data")
    shutil.rmtree("/opt/shop/bin")
    os.remove("/opt/shop/etc/shop.conf")
    os.remove("/opt/shop/diverted.away")
    middle = tree("/opt/shop")
    code, items, err = restore(*cache, "--dry-run", "/opt/shop")
    check("dry run", code == 0 and set(outcomes(items).values()) == {"planned"} and tree("/opt/shop") == middle, (code, outcomes(items), err))
    planned = set(items)
    code, items, err = restore(*cache, "/opt/shop")
    after = tree("/opt/shop")
    check("all of it is back", code == 0 and set(outcomes(items).values()) == {"restored"} and set(items) == planned, (code, reasons(items), err))
    check("identical", before == after, differences(before, after))
    check("sparse", os.stat("/opt/shop/data/sparse").st_blocks * 512 < 1 << 20, os.stat("/opt/shop/data/sparse"))
    check("whose", {l["culprit"]["restore"]["package"] for l in items.values()} == {"shop 2:1.4-1"} and
          {l["culprit"]["restore"]["source"] for l in items.values()} == {"package"}, items)
    check("dpkg agrees", run("dpkg", "--verify", "shop").stdout == b"", run("dpkg", "--verify", "shop").stdout)
    os.remove("/usr/bin/shop-in-bin")
    code, out, err = culprit(*cache, "/bin/shop-in-bin")
    check("in a merged /usr", code == 0 and "/usr/bin/shop-in-bin: " not in out.splitlines()[0] and
          "RESTORE  /bin/shop-in-bin: 1 back from package shop 2:1.4-1, mode, owner" in out, (code, out, err))
    check("in a merged /usr: the same", stat.S_IMODE(os.lstat("/usr/bin/shop-in-bin").st_mode) == stat.S_IMODE(shown.st_mode))
    changed(work, cache)
    missing_cache(work, cache, deb)
    hostile(work, cache, deb)


def changed(work, cache):
    """What is newer stays, and is only looked for where packages are asked for."""
    before = tree("/opt/shop")
    for name in ("bin/tool01", "etc/shop.conf"):
        with open("/opt/shop/" + name, "a", encoding="ascii") as f:
            f.write("newer\n")
    os.remove("/opt/shop/data/link")
    os.mkdir("/opt/shop/data/link")
    os.chmod("/opt/shop/bin/tool02", 0)
    code, items, err = restore(*cache, "/opt/shop")
    check("changed: not unasked", code == 1 and not items, (code, outcomes(items), err))
    code, items, err = restore(*cache, "--from", "package", "/opt/shop")
    check("changed: left", code == 4 and outcomes(items) == {"/opt/shop/bin/tool01": "newer", "/opt/shop/etc/shop.conf": "newer"} and
          "configuration" in reasons(items)["/opt/shop/etc/shop.conf"], (code, reasons(items), err))
    code, items, err = restore(*cache, "--from", "package", "--force", "/opt/shop/bin/tool01")
    check("changed: --force", code == 0 and outcomes(items) == {"/opt/shop/bin/tool01": "restored"}, (code, reasons(items), err))
    code, items, err = restore(*cache, "--from", "package", "--force", "/opt/shop/etc")
    os.chmod("/opt/shop/bin/tool02", 0o755)
    os.rmdir("/opt/shop/data/link")
    code, items, err = restore(*cache, "/opt/shop")
    check("changed: identical again", code == 0 and tree("/opt/shop") == before, (code, reasons(items), differences(before, tree("/opt/shop"))))


def missing_cache(work, cache, deb):
    os.remove("/opt/shop/bin/tool01")
    code, out, err = culprit("--packages", work, "/opt/shop")
    check("not in the cache: what to do", code == 3 and "apt-get install --reinstall shop\n" in out and "1 failed" in out, (code, out, err))
    os.rename(deb, f"{work}/cache/shop_1.4-1_all.deb") # as a mirror names it
    code, items, err = restore(*cache, "/opt/shop")
    check("a mirror's name", code == 0, (code, reasons(items), err))
    os.rename(f"{work}/cache/shop_1.4-1_all.deb", deb)
    code, _, err = culprit("--from", "package", "nosuch:/prd")
    check("of a container: wrong usage", code == 2 and "image" in err, (code, err))


def hostile(work, cache, deb):
    """Damaged, exchanged and lying package files; links where directories were."""
    whole = open(deb, "rb").read()
    os.remove("/opt/shop/bin/tool01")
    for name, data in (("cut off", whole[:len(whole) // 2]), ("no archive", b"!<arch>\n" + b"x" * 5000), ("empty", b""),
                       ("damaged", whole[:3000] + bytes(600) + whole[3600:])):
        with open(deb, "wb") as f:
            f.write(data)
        code, items, err = restore(*cache, "/opt/shop/bin")
        check(f"{name}: nothing is put there", outcomes(items) in ({"/opt/shop/bin/tool01": "failed"}, {"/opt/shop/bin/tool01": "restored"}) and
              (name == "damaged" or code == 3), (code, reasons(items), err))
        if os.path.exists("/opt/shop/bin/tool01"):
            check(f"{name}: what is put there is right", open("/opt/shop/bin/tool01", encoding="ascii").read() == "#!/bin/sh\necho 1\n")
            os.remove("/opt/shop/bin/tool01")

    def lie(root):
        fill_shop(root)
        write(root + "/opt/shop/bin/tool01", "#!/bin/sh\necho evil\n", 0o755)
    build(work, "shop", "2:1.4-1", lie, "/opt/shop/etc/shop.conf\n")
    code, items, err = restore(*cache, "/opt/shop/bin")
    check("another content than is on record", code == 3 and "another one" in reasons(items)["/opt/shop/bin/tool01"], (code, reasons(items), err))
    with open(deb, "wb") as f:
        f.write(whole)
    os.rename("/opt/shop/bin", "/opt/shop/elsewhere")
    os.mkdir("/opt/away")
    os.symlink("/opt/away", "/opt/shop/bin")
    code, items, err = restore(*cache, "/opt/shop")
    check("a link on the way is not followed", os.listdir("/opt/away") == [], (code, reasons(items), os.listdir("/opt/away")))
    os.remove("/opt/shop/bin")
    os.rename("/opt/shop/elsewhere", "/opt/shop/bin")

    def huge(root):
        write(root + "/opt/huge/file", bytes(41 << 20))
        for i in range(3):
            write(f"{root}/opt/huge/part{i}", bytes(30 << 20) + b"x")
    must("dpkg", "-i", build(work, "huge", "1", huge))
    before = tree("/opt/huge")
    shutil.rmtree("/opt/huge")
    code, items, err = restore(*cache, "/opt/huge")
    check("more than one answer takes; what none takes is said", code == 4 and "too large" in reasons(items)["/opt/huge/file"] and
          "apt-get install --reinstall huge" in reasons(items)["/opt/huge/file"], (code, reasons(items), err))
    check("the others are whole", {p: f for p, f in before.items() if p != "file"} == tree("/opt/huge"), differences(before, tree("/opt/huge")))


def rpm(work):
    """All that rpm installed."""
    rpm_packages.play(sys.modules[__name__], work + "/rpm")


# ---- what a product keeps ----

def products(work):
    """What a known product removed."""
    quarantined.play(sys.modules[__name__], work + "/products")


# ---- git ----

OWNER = 1000


def git(tree, *arguments):
    return must("setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", "git", "-C", tree, "-c", "user.name=n", "-c",
                "user.email=n@localhost", *arguments, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})


def give(tree):
    for at, directories, names in os.walk(tree):
        for name in [at] + directories + names:
            os.chown(os.path.join(at, name), OWNER, OWNER, follow_symlinks=False)


def times_apart(found):
    return {p: f[:4] + f[5:] for p, f in found.items() if not p.startswith(".git")}


def work_tree(work):
    tree = work + "/tree"
    for i in range(40):
        write(f"{tree}/src/part{i % 4}/file{i:02}", f"content {i}\n" * (i + 1), 0o755 if i % 7 == 0 else 0o644)
    write(tree + "/same-a", "the same\n")
    write(tree + "/same-b", "the same\n")
    write(tree + "/empty", "")
    write(tree + "/large", os.urandom(3 << 20))
    write(tree + "/a \x1b[2J\nü", "odd name\n")
    os.symlink("src/part0", tree + "/link")
    give(tree)
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    return tree


def repository(work):
    os.chmod(work, 0o755)
    tree = work_tree(work)
    before = times_apart(snapshot(tree))
    code, items, err = restore(tree)
    check("git: nothing to do", code == 1 and not items, (code, items, err))
    shutil.rmtree(tree + "/src")
    for name in ("same-a", "same-b", "empty", "large", "link", "a \x1b[2J\nü"):
        os.remove(f"{tree}/{name}")
    code, items, err = restore("--dry-run", tree)
    check("git: dry run", code == 0 and len(items) == 46 and set(outcomes(items).values()) == {"planned"} and os.listdir(tree) == [".git"],
          (code, outcomes(items), err))
    code, out, err = culprit("--dry-run", "--from", "git", tree)
    check("git: what to do next is the same question", f"next    culprit restore --store /nonexistent/none.db --from git {tree} · " in out, (code, out, err))
    code, items, err = restore(tree)
    after = times_apart(snapshot(tree))
    check("git: all of it is back", code == 0 and len(items) == 46 and set(outcomes(items).values()) == {"restored"}, (code, reasons(items), err))
    check("git: identical, as the owner's", before == after, differences(before, after))
    check("git: it agrees", git(tree, "status", "--porcelain") == "", git(tree, "status", "--porcelain"))
    check("git: says which", all(", as in HEAD" in l["culprit"]["restore"]["git"] for l in items.values()), items)
    write(tree + "/same-a", "staged\n")
    write(tree + "/same-b", "newer, not staged\n")
    give(tree)
    git(tree, "add", "same-a")
    os.remove(tree + "/same-a")
    code, items, err = restore("--from", "git", tree)
    check("git: what is newer is left, what was staged comes back and is named", code == 4 and outcomes(items) ==
          {tree + "/same-a": "restored", tree + "/same-b": "newer"} and ", not in HEAD" in items[tree + "/same-a"]["culprit"]["restore"]["git"] and
          open(tree + "/same-a", encoding="ascii").read() == "staged\n", (code, reasons(items), err))
    os.remove(tree + "/same-a")
    code, out, err = culprit(tree + "/same-a")
    check("git: text", code == 0 and "1 back from git index " in out and ", not in HEAD, mode, owner" in out, (code, out, err))
    code, items, err = restore("--from", "git", "--force", tree + "/same-b")
    check("git: --force", code == 0 and open(tree + "/same-b", encoding="ascii").read() == "the same\n", (code, reasons(items), err))
    filtered(tree)
    traps(work, tree)


def filtered(tree):
    """git would write another content than it has."""
    write(tree + "/.gitattributes", "*.big filter=lfs\n*.win eol=crlf\n")
    write(tree + "/a.big", "pointer\n")
    write(tree + "/b.win", "text\n")
    give(tree)
    git(tree, "add", "-A")
    os.remove(tree + "/a.big")
    os.remove(tree + "/b.win")
    code, items, err = restore(tree)
    check("git: filters are not undone", code == 3 and outcomes(items) == {tree + "/a.big": "failed", tree + "/b.win": "failed"} and
          "git restore" in reasons(items)[tree + "/a.big"], (code, reasons(items), err))
    git(tree, "rm", "-q", "-f", "--cached", "a.big", "b.win", ".gitattributes")
    os.remove(tree + "/.gitattributes")


def traps(work, tree):
    """Whatever a repository configures, nothing of it is run, and nothing is written elsewhere."""
    trap = f"{work}/trap"
    write(trap, f"#!/bin/sh\nid > {work}/sprung/$$\ncat\n", 0o755)
    os.mkdir(work + "/sprung")
    os.chmod(work + "/sprung", 0o777)
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.gitProxy", "core.askPass", "diff.external", "alias.ls-files",
                "alias.cat-file", "filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "credential.helper", "core.alternateRefsCommand",
                "uploadpack.packObjectsHook", "pager.ls-files", "pager.cat-file", "trace2.eventTarget", "gpg.program", "diff.evil.textconv"):
        git(tree, "config", key, trap)
    git(tree, "config", "extensions.partialClone", "origin")
    git(tree, "config", "remote.origin.promisor", "true")
    git(tree, "config", "remote.origin.url", f"ext::{trap} %S")
    git(tree, "config", "protocol.ext.allow", "always")
    for hook in ("post-checkout", "pre-commit", "post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(trap, f"{tree}/.git/hooks/{hook}")
    write(tree + "/.git/info/attributes", "* filter=evil diff=evil\n")
    give(tree)
    os.remove(tree + "/large")
    code, items, err = restore(tree)
    check("git: a filter is not run", code == 3 and outcomes(items) == {tree + "/large": "failed"}, (code, reasons(items), err))
    os.remove(tree + "/.git/info/attributes")
    oid = git(tree, "-c", "core.fsmonitor=false", "ls-files", "-s", "same-a").split()[1]
    os.remove(f"{tree}/.git/objects/{oid[:2]}/{oid[2:]}")
    os.remove(tree + "/same-a")
    code, items, err = restore(tree)
    check("git: what is not there is not fetched", code == 4 and outcomes(items) == {tree + "/large": "restored", tree + "/same-a": "failed"},
          (code, reasons(items), err))
    check("git: nothing was run", os.listdir(work + "/sprung") == [], os.listdir(work + "/sprung"))
    run("setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", "git", "-C", tree, "status", env={"PATH": os.environ["PATH"]})
    check("git: the trap is one", os.listdir(work + "/sprung") != [])
    os.remove(tree + "/src/part1/file01")
    os.rename(tree + "/src/part1", tree + "/away")
    os.symlink("/etc", tree + "/src/part1")
    code, items, err = restore(tree)
    check("git: links are not followed", not os.path.exists("/etc/file01") and outcomes(items).get(tree + "/src/part1/file01") != "restored",
          (code, reasons(items), err))
    os.chown(tree + "/.git", 0, 0)
    code, items, err = restore("--from", "git", tree)
    check("git: whose it is has to be clear", code == 3 and "two owners" in err, (code, err))


# ---- kept copies ----

class Watch:
    """culprit watch --keep-copies, by fanotify; its record in `store`."""

    def __init__(self, store, size, *targets):
        self.store = store
        self.err = tempfile.TemporaryFile()  # not beside the store, whose disk may be full
        self.process = subprocess.Popen([CULPRIT, "watch", "--sensor", "fanotify", "--store", store, "--keep-copies", size, *targets],
                                        stdout=subprocess.DEVNULL, stderr=self.err)
        self.await_("culprit: ready")

    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def await_(self, text):
        for _ in range(6000):
            if text in self.said() or self.process.poll() is not None:
                return
            time.sleep(0.02)

    def keeper(self):
        """Who begins the process that keeps them."""
        return self.copies_of(self.process.pid)

    def keeping(self):
        return self.copies_of(self.keeper())

    def copies_of(self, parent):
        for pid in os.listdir("/proc"):
            try:
                if pid.isdigit() and open(f"/proc/{pid}/stat", encoding="ascii", errors="replace").read().split(") ")[1].split()[1] == \
                        str(parent) and open(f"/proc/{pid}/comm", encoding="ascii").read() == "culprit-copies\n":
                    return int(pid)
            except (OSError, IndexError):
                pass
        return 0

    def end(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)


def restore_by(store, *arguments):
    r = run(CULPRIT, "restore", "--store", store, "--format", "json", *arguments)
    lines = [json.loads(l) for l in r.stdout.decode().splitlines()]
    return r.returncode, {l["file"]["path"]: l for l in lines if l["event"]["kind"] == "state"}, r.stderr.decode(errors="replace")


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}Z"


def fill_kept(top):
    for i in range(12):
        write(f"{top}/d{i % 3}/f{i:02}", f"content {i}\n" * (i + 1), 0o755 if i % 5 == 0 else 0o640)
    write(top + "/d0/sparse", bytes(600000) + b"end")
    write(top + "/d1/privileged", "x", 0o4755)
    write(top + "/d1/a \x1b[2J\nü", "odd name\n")
    write(top + "/d2/empty", "")
    os.symlink("d0/f00", top + "/link")
    os.chown(top + "/d0/f03", 1000, 5)
    must("setfacl", "-m", "u:5001:r", top + "/d0/f06")
    must("setfattr", "-n", "user.note", "-v", "kept", top + "/d1/f01")
    must("setcap", "cap_net_raw+ep", top + "/d1/f04")


def relative_store(work):
    """A database that was named from where one was: its copies lie beside it."""
    here = work + "/relative"
    write(here + "/kept/file", "content\n")
    r = run(CULPRIT, "run", "--sensor", "fanotify", "--store", "own.db", "--keep-copies", "1M", "--quiet", "-w", "kept", "--", "rm", "kept/file", cwd=here)
    check("copies: a relative database: beside it", "/own.db.copies" not in [e.path for e in os.scandir("/")] and os.path.isdir(here + "/own.db.copies"),
          (r.stderr, os.listdir(here)))
    r = run(CULPRIT, "restore", "--store", "own.db", "kept", cwd=here)
    check("copies: a relative database: put back", r.returncode == 0 and os.path.exists(here + "/kept/file"), (r.stdout, r.stderr))


def copies(work):
    relative_store(work)
    top, store = work + "/kept", work + "/s.db"
    os.makedirs(top)
    fill_kept(top)
    write(top + "/large", os.urandom((1 << 20) + 1))
    must("chattr", "+dA", top + "/d0/f00", top + "/d2")
    must("chattr", "+d", top + "/large")
    before = tree(top)
    code, _, err = restore_by(store, "--from", "copies", top)
    check("copies: none were kept", code == 3 and "--keep-copies" in err, (code, err))
    watch = Watch(store, "8M", top)
    check("copies: said what is kept and what is not", "copies of 22 files and folders are kept" in watch.said() and
          "1 of them is copied when it changes" in watch.said(), watch.said())
    began = time.time()
    time.sleep(0.05)
    shutil.rmtree(top + "/d0")
    shutil.rmtree(top + "/d1")
    for name in ("large", "link", "d2/empty"):
        os.remove(f"{top}/{name}")
    write(top + "/d2/f02", "newer\n")
    write(top + "/d2/f05.new", "another inode\n")
    os.rename(top + "/d2/f05.new", top + "/d2/f05")
    write(top + "/moment", "x")
    os.remove(top + "/moment")
    check("copies: the watch's end", watch.end() == 0, watch.said())
    code, items, err = restore_by(store, "--dry-run", top)
    check("copies: dry run", code == 0 and set(outcomes(items).values()) == {"planned"}, (code, reasons(items), err))
    code, items, err = restore_by(store, top)
    check("copies: what has gone is back, also the large one", code == 0 and top + "/large" in items and set(outcomes(items).values()) == {"restored"} and
          top + "/d2/f02" not in items, (code, reasons(items), err))
    check("copies: whose", all(l["culprit"]["restore"]["source"] == "copies" and l.get("process", {}).get("name") for l in items.values()), items)
    code, items, err = restore_by(store, "--at", utc(began), top)
    check("copies: as it was then: what is newer is left", code == 4 and outcomes(items) ==
          {top + "/d2/f02": "newer", top + "/d2/f05": "newer"}, (code, reasons(items), err))
    code, items, err = restore_by(store, "--at", utc(began), "--force", top)
    after = tree(top)
    check("copies: identical", before == after, differences(before, after))
    has = {n: must("lsattr", "-d", f"{top}/{n}").split()[0] for n in ("d0/f00", "d0/f03", "d2", "large")}
    check("copies: flags", "d" in has["d0/f00"] and "A" in has["d0/f00"] and "d" in has["large"] and "A" in has["d2"] and "d" not in has["d0/f03"], has)
    check("copies: sparse", os.stat(top + "/d0/sparse").st_blocks * 512 < 300000, os.stat(top + "/d0/sparse"))
    os.remove(top + "/large")
    os.mkdir(top + "/large")
    for force in ((), ("--force",)):
        code, items, err = restore_by(store, "--at", utc(began), *force, top + "/large")
        check(f"copies: a folder has its name {force}", code in (3, 4) and "a folder has its name by now" in reasons(items)[top + "/large"] and
              "--force" not in reasons(items)[top + "/large"], (code, reasons(items), err))
    os.rmdir(top + "/large")
    code, items, err = restore_by(store, "--at", utc(began), top + "/large")
    check("copies: and without it, it is back", code == 0 and outcomes(items) == {top + "/large": "restored"}, (code, reasons(items), err))
    damaged(work, top, store)
    moved(work)
    limits(work)


def folders(work):
    """Of folders that were never gone: mode, owner, extended attributes and ACL; unasked only where something comes back in them."""
    top, store = work + "/folders", work + "/folders.db"
    write(top + "/in/deep/gone", "x\n", 0o640)
    write(top + "/in/deep/stays", "y\n")
    write(top + "/other/stays", "z\n")
    for name in ("/other", "/in/deep", "/in", ""):
        os.chown(top + name, 1000, 1001)
        os.chmod(top + name, 0o555)
    must("setfacl", "-m", "u:5001:rx", top + "/in")
    must("setfattr", "-n", "user.note", "-v", "kept", top + "/in/deep")
    before = tree(top)
    watch = Watch(store, "8M", top)
    began = time.time()
    time.sleep(0.05)
    for name in ("", "/in", "/in/deep", "/other"):
        must("setfacl", "-b", top + name)
        os.chmod(top + name, 0o2775)
        os.chown(top + name, 5001, 5002)
    must("setfattr", "-n", "user.note", "-v", "another", top + "/in/deep")
    must("setfattr", "-n", "user.added", "-v", "x", top + "/other")
    must("setfacl", "-m", "u:5002:rwx", top + "/other")
    os.remove(top + "/in/deep/gone")
    check("folders: the watch's end", watch.end() == 0, watch.said())
    changed_other = tree(top)["other"]
    put = {top: "mode owner", top + "/in": "mode owner xattr", top + "/in/deep": "mode owner xattr", top + "/in/deep/gone": "missing"}
    kinds = lambda items: {p: " ".join(sorted(l["culprit"]["restore"]["kinds"])) for p, l in items.items()}
    code, items, err = restore_by(store, "--from", "copies", "--dry-run", top)
    check("folders: dry run", code == 0 and kinds(items) == put and set(outcomes(items).values()) == {"planned"} and tree(top)["other"] == changed_other,
          (code, kinds(items), outcomes(items), err))
    code, items, err = restore_by(store, "--from", "copies", top)
    check("folders: those of what is back are as they were, another is left", code == 0 and kinds(items) == put and
          set(outcomes(items).values()) == {"restored"} and {d[0] for d in differences(before, tree(top))} == {"other"},
          (code, kinds(items), outcomes(items), reasons(items), differences(before, tree(top)), err))
    check("folders: whose", all(l.get("process", {}).get("name") for l in items.values()), items)
    code, items, err = restore_by(store, "--from", "copies", top)
    check("folders: unasked there is nothing to do then", code == 1 and not items, (code, items, err))
    code, items, err = restore_by(store, "--at", utc(began), top)
    check("folders: with a time all of them", code == 0 and kinds(items) == {top + "/other": "mode owner xattr"} and before == tree(top),
          (code, kinds(items), reasons(items), differences(before, tree(top)), err))


def exchange(a, b):
    assert ctypes.CDLL(None).renameat2(-100, a.encode(), -100, b.encode(), 2) == 0


def moved(work):
    """Names that another file or folder has now: all of it is kept as it is then."""
    top, store = work + "/moved", work + "/moved.db"
    for name in ("a", "b", "first/one", "second/two", "full/below/deep"):
        write(f"{top}/{name}", name + "\n")
    os.makedirs(top + "/room")
    watch = Watch(store, "8M", top)
    exchange(top + "/a", top + "/b")
    exchange(top + "/first", top + "/second")
    os.rename(top + "/full", top + "/room")
    before = tree(top)
    check("moved: the watch's end", watch.end() == 0, watch.said())
    now = time.time()
    for name in os.listdir(top):
        (shutil.rmtree if os.path.isdir(f"{top}/{name}") else os.remove)(f"{top}/{name}")
    code, items, err = restore_by(store, "--at", utc(now + 0.001), top)
    check("moved: all of it is back by its names of then", code == 0 and differences(before, tree(top)) == differences(before, before),
          (code, reasons(items), err, sorted(tree(top))))


def diff_content(store, *arguments):
    r = run(CULPRIT, "diff", "--content", "--store", store, *arguments)
    return r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")


def contents(work):
    """diff --content: what changed in files, by their copies."""
    top, store = work + "/shown", work + "/shown.db"
    write(top + "/app.conf", "port=80\nmatch=a\\d\thost\nuser=ann\n")
    write(top + "/blob", bytes(range(256)))
    write(top + "/same", "x\n")
    write(top + "/lost", "one\ntwo\n")
    code, _, err = diff_content(store, top)
    check("content: none were kept", code == 1 and "--keep-copies" in err, (code, err))
    watch = Watch(store, "8M", top)
    time.sleep(0.1)
    began = time.time()
    time.sleep(0.1)
    write(top + "/app.conf", "port=8080\nmatch=a\\d\thost\nuser=\x1b[31mann\n")
    write(top + "/blob", bytes(range(255)))
    write(top + "/fresh", "made\n")
    os.remove(top + "/lost")
    write(top + "/between", "for a while\n")
    copied = lambda: diff_content(store, "--from", utc(began), "--to", utc(time.time()), top)[1]
    check("content: what is written has its copy some seconds later", wait_for(lambda: all(
        text in copied() for text in ("\n+port=8080\n", f"{top}/fresh  new", f"{top}/between  new", f"{top}/lost  gone"))), copied())
    middle = time.time()
    write(top + "/app.conf", "port=9\n")
    os.remove(top + "/between")
    watch.end()
    code, out, err = diff_content(store, top)
    check("content: a changed text", code == 0 and "\n-port=80\n" in out and "\n+port=9\n" in out and f"{top}/app.conf  changed" in out, (code, out, err))
    check("content: what is the same is not shown", top + "/same" not in out, out)
    check("content: a removed one", f"{top}/lost  gone" in out and "\n-one\n-two\n" in out, out)
    check("content: a new one", f"{top}/fresh  new" in out and "\n+made\n" in out, out)
    check("content: what came and went is not shown", top + "/between" not in out, out)
    check("content: bytes by size and sum", f"{top}/blob  changed" in out and ": 256 bytes, sha256 " in out and ": 255 bytes, sha256 " in out, out)
    code, out, err = diff_content(store, "--from", utc(began), "--to", utc(middle), top)
    check("content: between two times", code == 0 and "\n+port=8080\n" in out and "port=9\n" not in out and f"{top}/fresh  new" in out, (code, out, err))
    check("content: lines are shown as they are, and harmless", "\n match=a\\d\thost\n" in out and "\x1b" not in out and "\\x1b[31mann" in out, out)
    code, out, err = diff_content(store, "--since", utc(began - 3600), top)
    check("content: before there were copies: the oldest one", f"{top}/app.conf  changed" in out and "\n-port=80\n" in out and f"{top}/fresh  new" in out, out)
    code, out, err = diff_content(store, "--format", "json", top + "/app.conf")
    line = json.loads(out)
    check("content: json", code == 0 and line["file"]["path"] == top + "/app.conf" and line["culprit"]["content"]["difference"] == "changed" and
          "+port=9\n" in line["culprit"]["content"]["unified"] and len(line["culprit"]["content"]["before"]["sha256"]) == 64, line)
    out = run(CULPRIT, "who", "--store", store, top + "/app.conf").stdout.decode(errors="replace")
    check("content: who names the command", f"content   culprit diff --content --store {store} {top}/app.conf" in out, out)
    code, out, err = diff_content(store, top + "/same")
    check("content: nothing differs", code == 1 and not out and "nothing differs" in err, (code, out, err))


def damaged(work, top, store):
    """Another content in the pack, half a record in the index: nothing wrong is put back."""
    pack, index = store + ".copies/pack", store + ".copies/index"
    data = open(pack, "rb").read()
    with open(pack, "r+b") as f:
        f.seek(data.index(b"content 7\n"))
        f.write(b"WRONG")
    with open(index, "ab") as f:
        f.write(open(index, "rb").read()[:150])
    os.remove(top + "/d1/f07")
    os.remove(top + "/d2/f08")
    code, items, err = restore_by(store, top)
    check("copies: a damaged copy is named", code == 4 and outcomes(items) == {top + "/d1/f07": "failed", top + "/d2/f08": "restored"} and
          "damaged" in reasons(items)[top + "/d1/f07"] and "index of kept copies is damaged" in err, (code, reasons(items), err))
    watch = Watch(store, "8M", top)
    write(top + "/d2/f08", "yet newer\n")
    check("copies: a watch goes on behind what is damaged", watch.end() == 0 and restore_by(store, top)[0] in (3, 4) and
          "index of" not in restore_by(store, top)[2], watch.said())


def limits(work):
    """The limit, a full disk, a keeper that is killed: the writer goes on, and that nothing is kept any more is said."""
    top = work + "/much"
    for i in range(40):
        write(f"{top}/f{i:02}", os.urandom(100000))
    watch = Watch(work + "/little.db", "2M", top)
    check("copies: the limit", "more than the limit has room for" in watch.said(), watch.said())
    watch.end()
    used = sum(os.path.getsize(os.path.join(work + "/little.db.copies", n)) for n in os.listdir(work + "/little.db.copies"))
    check("copies: the limit holds", used <= 2 << 20, used)
    os.mkdir(work + "/small")
    must("mount", "-t", "tmpfs", "-o", "size=3m", "none", work + "/small")
    watch = Watch(work + "/small/s.db", "64M", top)
    check("copies: disk full", "the disk is full" in watch.said(), watch.said())
    write(top + "/written", "on\n")
    check("copies: the writer goes on", open(top + "/written", encoding="ascii").read() == "on\n")
    watch.end()
    watch = Watch(work + "/large.db", "64M", top)
    other = run(CULPRIT, "watch", "--sensor", "fanotify", "--store", work + "/large.db", "--keep-copies", "64M", top)
    check("copies: one keeper for each record", other.returncode == 3 and b"another culprit keeps copies" in other.stderr, other)
    first, at = watch.keeping(), time.time()
    os.kill(first, signal.SIGKILL)
    watch.await_("it is begun anew")
    wait_for(lambda: watch.said().count("files and folders are kept") == 2)
    check("copies: killed: begun anew, and said", "was killed; it is begun anew" in watch.said() and watch.said().count("files and folders are kept") == 2 and
          watch.keeping() not in (0, first), watch.said())
    write(top + "/again", "kept again\n")
    is_kept = lambda: b"/again" in open(work + "/large.db.copies/index", "rb").read()
    check("copies: begun anew, what changes is kept", wait_for(is_kept), watch.said())
    os.remove(top + "/again")
    code, items, err = restore_by(work + "/large.db", "--from", "copies", "--at", utc(at), top)
    check("copies: begun anew: the time without them is said", "no copies were kept from " in err and "was ended" in err, (code, items, err))
    write(top + "/f01", "kept after the kill\n")
    check("copies: begun anew, what changes again is kept", wait_for(lambda: b"kept after the kill" in open(work + "/large.db.copies/pack", "rb").read()))
    kept = time.time()
    time.sleep(1.1)
    os.kill(watch.keeper(), signal.SIGKILL)
    write(top + "/written", "and on\n")
    watch.await_("copies are not kept any more")
    check("copies: killed", "the process that keeps them was ended" in watch.said() and watch.end() == 0, watch.said())
    now = time.time()
    os.remove(top + "/f01")
    code, items, err = restore_by(work + "/large.db", "--from", "copies", "--dry-run", "--at", utc(now + 3600), top)
    check("copies: and nothing of later is known", "may have changed since" in str(items.get(top + "/f01")) and "ended" in str(items[top + "/f01"]),
          (code, items, err))
    code, items, err = restore_by(work + "/large.db", "--from", "copies", "--at", utc(kept), top + "/f01")
    check("copies: what was before is", code == 0 and "may have changed" not in str(items[top + "/f01"]), (code, items, err))
    code, items, err = restore_by(work + "/large.db", top)
    check("copies: nothing is missing", code == 1, (code, reasons(items), err))


def fill(path):
    with open(path, "wb", buffering=0) as f:
        for size in (1 << 20, 1 << 16, 1 << 12):
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass


def wait_for(condition, seconds=120):
    until = time.time() + seconds
    while not condition() and time.time() < until:
        time.sleep(0.05)
    return condition()


def gaps(work):
    """While the disk is full nothing is kept: that is said of the time and of each file; with room again all is right again."""
    disk, top = work + "/disk", work + "/changing"
    store = disk + "/s.db"
    os.mkdir(disk)
    must("mount", "-t", "tmpfs", "-o", "size=16m", "none", disk)
    for name in ("a", "b", "c", "d"):
        write(f"{top}/{name}", "the first\n")
    watch = Watch(store, "6M", top)
    began = time.time()
    fill(disk + "/full")
    write(top + "/a", os.urandom(300000))
    watch.await_("copies are not kept any more: the disk is full")
    check("gap: said", "the disk is full" in watch.said(), watch.said())
    write(top + "/a", "in between\n")
    check("gap: the writer goes on", open(top + "/a", encoding="ascii").read() == "in between\n")
    os.remove(top + "/b")
    write(top + "/new", "made meanwhile\n")
    time.sleep(0.1)
    middle = time.time()
    time.sleep(0.1)
    os.remove(disk + "/full")
    watch.await_("copies are kept again")
    check("gap: over", "copies are kept again" in watch.said(), watch.said())
    walked = lambda: diff_content(store, "--from", utc(began), "--to", utc(time.time()), top)[1]
    check("gap: all is looked at again", wait_for(lambda: all(text in walked() for text in (
        "\n+in between\n", f"{top}/new  new", f"{top}/b  gone"))), walked())
    after = time.time()
    os.remove(top + "/a")
    os.remove(top + "/c")
    os.remove(top + "/new")
    check("gap: the watch's end", watch.end() == 0, watch.said())
    code, items, err = restore_by(store, "--dry-run", "--at", utc(middle), top)
    check("gap: of that time it is said", "no copies were kept from " in err and "the disk was full" in err, err)
    about = {os.path.basename(p): l["culprit"]["restore"].get("of", str(l["culprit"]["restore"])) for p, l in items.items()}
    check("gap: and of each file", "may have changed since" in str(items[top + "/c"]), about)
    code, items, err = restore_by(store, "--dry-run", "--at", utc(after), top)
    check("gap: what went meanwhile had gone", top + "/b" not in items and {top + "/a", top + "/c", top + "/new"} <= set(items) and
          "no copies" not in err and "may have changed" not in str(items[top + "/a"]), (outcomes(items), str(items.get(top + "/a"))[-300:], err))
    code, items, err = restore_by(store, "--from", "copies", "--at", utc(after), top)
    check("gap: and what was then is back", code == 0 and open(top + "/a", encoding="ascii").read() == "in between\n" and
          open(top + "/new", encoding="ascii").read() == "made meanwhile\n", (code, reasons(items), err))
    code, out, err = diff_content(store, "--since", utc(began), top)
    check("gap: diff says it too", "no copies were kept from " in err, (out, err))
    os.remove(top + "/d")
    watch = Watch(store, "6M", top)
    time.sleep(0.1)
    later = time.time()
    watch.end()
    code, items, err = restore_by(store, "--dry-run", "--at", utc(later), top)
    check("gap: what went while nobody watched had gone", top + "/d" not in items, outcomes(items))
    room(work)
    if shutil.which("debugfs"):
        unreadable(work)


def unreadable(work):
    """A folder that cannot be read (its block is damaged): said, and kept in mind."""
    image, where = work + "/damaged.img", work + "/damaged"
    with open(image, "wb") as f:
        f.truncate(40 << 20)
    must("mkfs.ext4", "-q", "-O", "metadata_csum", "-b", "1024", image)
    os.mkdir(where)
    must("mount", "-o", "loop", image, where)
    write(where + "/t/bad/x", "a\n")
    write(where + "/t/good/y", "b\n")
    must("umount", where)
    block = int(must("debugfs", "-R", "blocks /t/bad", image).split()[0])
    with open(image, "r+b") as f:
        f.seek(block * 1024)
        f.write(os.urandom(1024))
    must("mount", "-o", "loop,errors=continue", image, where)
    watch = Watch(work + "/damaged.db", "8M", where + "/t")
    began = time.time()
    check("unreadable: said", "not kept: 1 file or folder that could not be read" in watch.said(), watch.said())
    watch.end()
    must("umount", where)
    os.mkdir(where + "/t")
    code, items, err = restore_by(work + "/damaged.db", "--dry-run", "--at", utc(began), where + "/t")
    check("unreadable: and of that folder later", set(items) == {where + "/t/bad", where + "/t/good", where + "/t/good/y"} and
          "not all that was in it could be read" in str(items[where + "/t/bad"]) and "could be read" not in str(items[where + "/t/good"]),
          (code, items, err))


def room(work):
    """More than the limit has room for: kept again once there is less."""
    top = work + "/room"
    for i in range(6):
        write(f"{top}/f{i}", os.urandom(400000))
    watch = Watch(work + "/room.db", "2M", top)
    check("room: the limit", "more than the limit has room for" in watch.said(), watch.said())
    for i in range(4):
        os.remove(f"{top}/f{i}")
    watch.await_("copies are kept again")
    watch.end()
    for name in ("/f4", "/f5"): # one of them was not kept at first
        os.remove(top + name)
        code, items, err = restore_by(work + "/room.db", top + name)
        check(f"room: with fewer files again, {name}", code == 0 and os.path.exists(top + name), (code, reasons(items), err, watch.said()))


class Daemon:
    def __init__(self, work, text):
        self.etc, self.run, self.work = work + "/etc", work + "/run", work
        os.makedirs(self.etc)
        self.configure(text)
        self.err = tempfile.TemporaryFile()
        self.process = subprocess.Popen([CULPRIT, "daemon", "--config", self.etc, "--runtime-dir", self.run], stdin=subprocess.DEVNULL,
                                        stderr=self.err)
        wait_for(lambda: "culprit: ready" in self.said() or self.process.poll() is not None)

    def said(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def configure(self, text):
        with open(self.etc + "/culprit.conf.new", "w", encoding="ascii") as f:
            f.write(f"groups = {{}}\nsensor = fanotify\nheartbeat = off\nalerts = off\nstore = {self.work}/db\n{text}")
        os.rename(self.etc + "/culprit.conf.new", self.etc + "/culprit.conf")

    def ctl(self, *words):
        return run(CULPRIT, "ctl", "--control", self.run + "/control", *words).stdout.decode(errors="replace")

    def copies(self):
        return json.loads(self.ctl("--json", "status") or "{}").get("copies", {})

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


def daemon(work):
    """Copies that the daemon keeps: of the watches that say so, what lies within them left out by another, changed by a reload."""
    work += "/daemon"
    top, store = work + "/kept", work + "/db"
    fill_kept(top)
    for name in ("cache/x", "cache/deep/y", "cache/deep/kept/z"):
        write(f"{top}/{name}", name + "\n")
    write(work + "/other/file", "of nobody\n")
    os.symlink(top + "/d0", work + "/link")
    asks = f"""copies_size = 8M
watch kept {{ targets = {top} keep_copies = on }}
watch cache {{ targets = {top}/cache }}
watch inner {{ targets = {top}/cache/deep/kept keep_copies = on }}
watch other {{ targets = {work}/other }}
watch later {{ targets = {work}/later keep_copies = on }}
"""
    d = Daemon(work, asks)
    check("daemon: how many are kept", wait_for(lambda: "copies of " in d.said()) and d.copies().get("files", 0) > 20 and
          d.copies()["limit"] == 8 << 20 and d.copies()["bytes"] > 100000 and "why" not in d.copies(), (d.copies(), d.said()))
    check("daemon: for people", "copies    " in d.ctl("status") and " of 8388 kB" in d.ctl("status"), d.ctl("status"))
    check("daemon: a metric", "culprit_copies_kept 1" in d.ctl("metrics"))
    before = tree(top)
    shutil.rmtree(top)
    os.remove(work + "/other/file")
    write(work + "/later/new", "came later\n")
    check("daemon: what came later is kept", wait_for(lambda: b"new" in run(CULPRIT, "diff", "--content", "--store", store, work + "/later").stdout), d.said())
    d.ctl("flush")
    code, items, err = restore_by(store, top)
    check("daemon: folders that were left are missed", code == 4 and "make it" in reasons(items)[top + "/cache/deep/kept"], (code, reasons(items), err))
    os.makedirs(top + "/cache/deep")
    code, items, err = restore_by(store, top)
    after = tree(top)
    left = {"cache/x", "cache/deep/y"}
    check("daemon: what has gone is back, what was left is not", code == 0 and {p for p in before if p not in after} == left and
          all(before[p] == after[p] for p in after if p not in ("cache", "cache/deep")), (code, reasons(items), differences(before, after), err))
    code, items, err = restore_by(store, "--from", "copies", work + "/other")
    check("daemon: of what no watch keeps there are none", code != 0 and not items and not os.path.exists(work + "/other/file"), (code, items, err))
    write(work + "/other/file", "of nobody\n")
    d.configure(asks.replace(f"{work}/other ", f"{work}/other keep_copies = on "))
    d.ctl("reload")
    check("daemon: a reload keeps more", wait_for(lambda: b"/other/file" in open(store + ".copies/index", "rb").read()), (d.copies(), d.said()))
    os.remove(work + "/other/file")
    d.ctl("flush")
    check("daemon: which comes back", restore_by(store, work + "/other")[0] == 0 and os.path.exists(work + "/other/file"), d.said())
    check("daemon: the end", d.end() == 0, d.said())


def large_on(where, what, shares):
    """Files over 1 MB, on one file system together with their copies."""
    top, store = where + "/large", where + "/large.db"
    content = {n: os.urandom(3 << 20) for n in ("a", "b", "c", "twin")}
    content["twin"] = content["a"]
    content["sparse"] = bytes(3 << 20) + b"end"
    for n, data in content.items():
        write(f"{top}/{n}", data)
    with open(top + "/sparse", "r+b") as f:
        f.truncate(0)
        f.seek(3 << 20)
        f.write(b"end")
    content["fits"] = os.urandom(6 << 20)
    write(top + "/fits", content["fits"])
    before = tree(top)
    watch = Watch(store, "88M", top)
    said = "1 of them is copied when it changes" in watch.said()
    check(f"large, {what}: what is copied at once", said == (not shares) and "not kept" not in watch.said(), watch.said())
    began = time.time()
    blocks = sum(os.stat(f"{store}.copies/large/{n}").st_size for n in os.listdir(store + ".copies/large"))
    check(f"large, {what}: each content once", blocks == sum(len(content[n]) for n in ("a", "b", "c", "sparse")) + (len(content["fits"]) if shares else 0), blocks)
    if shares:
        out = must("filefrag", "-v", f"{store}.copies/large/" + max(os.listdir(store + ".copies/large"),
                                                                  key=lambda n: os.stat(f"{store}.copies/large/{n}").st_size))
        check(f"large, {what}: blocks are shared", "shared" in out, out)
    with open(top + "/a", "r+b") as f:  # in place
        f.seek(1 << 20)
        f.write(b"changed")
    with open(top + "/b", "wb"):
        pass
    os.remove(top + "/c")
    write(top + "/twin.new", "another\n")
    os.rename(top + "/twin.new", top + "/twin")
    os.remove(top + "/fits")
    os.remove(top + "/sparse")
    check(f"large, {what}: the watch's end", watch.end() == 0, watch.said())
    code, out, err = diff_content(store, "--since", utc(began), top)
    check(f"large, {what}: diff by sums", f"{top}/a  changed" in out and f"{3 << 20} bytes, sha256" in out and f"{top}/c  gone" in out, (out, err))
    code, items, err = restore_by(store, "--at", utc(began), "--force", top)
    after = tree(top)
    check(f"large, {what}: identical", before == after, (code, [d[0] for d in differences(before, after)], reasons(items), err))
    check(f"large, {what}: sparse", os.stat(top + "/sparse").st_blocks * 512 < 1 << 20, os.stat(top + "/sparse"))
    name = next(n for n in os.listdir(store + ".copies/large") if open(f"{store}.copies/large/{n}", "rb").read() == content["b"])
    with open(f"{store}.copies/large/{name}", "r+b") as f:
        f.write(bytes([content["b"][0] ^ 1]))
    os.remove(top + "/b")
    code, items, err = restore_by(store, "--at", utc(began), top + "/b")
    check(f"large, {what}: a damaged copy is named", code == 3 and "damaged" in reasons(items)[top + "/b"] and not os.path.exists(top + "/b"),
          (code, reasons(items), err))


def churn(work):
    """Large contents give way to newer ones, never that of a file that has it still; the limit holds."""
    top, store = work + "/churn", work + "/churn.db"
    write(top + "/stays", os.urandom(1200000))
    for i in range(8):
        write(f"{top}/gone{i}", os.urandom(1500000))
    stays = open(top + "/stays", "rb").read()
    for i in range(8):
        watch = Watch(store, "32M", top)
        os.remove(f"{top}/gone{i}")
        for k in range(2):
            write(f"{top}/later{i}{k}", os.urandom(1900000))
        watch.end()
        for k in range(2):
            os.remove(f"{top}/later{i}{k}")
    used = sum(os.stat(os.path.join(at, n)).st_size for at, _, names in os.walk(store + ".copies") for n in names)
    check("churn: the limit holds", used <= 32 << 20 and sum(os.stat(f"{store}.copies/large/{n}").st_size for n in
                                                             os.listdir(store + ".copies/large")) <= 8 << 20, used)
    os.remove(top + "/stays")
    code, items, err = restore_by(store, top + "/stays")
    check("churn: what was there all the time is back", code == 0 and open(top + "/stays", "rb").read() == stays, (code, reasons(items), err))


def large(work):
    large_on(work, "copied", False)
    churn(work)
    for kind, make in (("xfs", ["mkfs.xfs", "-q", "-m", "reflink=1"]), ("btrfs", ["mkfs.btrfs", "-q"])):
        if not shutil.which(make[0]) or not shutil.which("filefrag"):
            print(f"-- {kind}: left out, {make[0]} is not here", flush=True)
            continue
        image, where = f"{work}/{kind}.img", f"{work}/{kind}"
        with open(image, "wb") as f:
            f.truncate(400 << 20)
        must(*make, image)
        os.mkdir(where)
        must("mount", "-o", "loop", image, where)
        large_on(where, kind, True)
        must("umount", where)


def act(rng, root):
    everything = [os.path.join(at, n) for at, ds, fs in os.walk(root) for n in ds + fs]
    if not everything:
        return
    path = rng.choice(everything)
    is_dir = os.path.isdir(path) and not os.path.islink(path)
    kind = rng.choice(("delete", "delete", "delete", "write", "truncate", "replace", "away", "new", "link", "mode"))
    if kind == "delete":
        shutil.rmtree(path) if is_dir else os.remove(path)
    elif kind in ("write", "truncate") and not is_dir and not os.path.islink(path):
        with open(path, "ab") as f:
            f.truncate(0) if kind == "truncate" else f.write(b"more")
    elif kind == "replace" and not is_dir:
        write(path + ".new", "another\n")
        os.rename(path + ".new", path)
    elif kind == "away":
        os.rename(path, f"{root}/new{rng.randrange(10 ** 9)}")
    elif kind == "new":
        write(f"{os.path.dirname(path)}/new{rng.randrange(10 ** 9)}", "new\n")
    elif kind == "mode" and is_dir:
        os.chmod(path, rng.choice((0o700, 0o711, 0o2775)))
    elif kind == "link" and not is_dir:
        os.remove(path)
        os.symlink("new", path)


def histories(work):
    """Whatever happened since the watch began: restore --at makes all the same again that was there, and touches nothing else."""
    top, store = work + "/histories", work + "/h.db"
    for i in range(HISTORIES):
        fill_kept(f"{top}/h{i:05}")
    before = tree(top)
    watch = Watch(store, "256M", top)
    began = time.time()
    time.sleep(0.05)
    for i in range(HISTORIES):
        rng = random.Random(SEED * 1000003 + i)
        for _ in range(rng.randint(1, 10)):
            act(rng, f"{top}/h{i:05}")
    watch.end()
    middle = tree(top)
    missed = "faster" in watch.said()
    code, items, err = restore_by(store, "--at", utc(began), "--force", top)
    after = tree(top)
    new = {p for p in after if any(part.startswith("new") or part.endswith(".new") for part in p.split("/"))}
    # of what has the same content again nothing is changed, nor its time
    same = lambda a, b: a and b and a[:4] + a[5:] == b[:4] + b[5:]
    wrong = [d for d in differences(before, after) if d[0] not in new and not (same(d[1], d[2]) and d[0] in middle and d[2] == middle[d[0]])]
    # a folder or link that is in the way of a file, or the other way, is replaced or named
    named = {os.path.relpath(p, top) for p, o in outcomes(items).items() if o == "failed"}
    unnamed = [d for d in wrong if not any(d[0] == n or d[0].startswith(n + "/") for n in named)]
    touched = [p for p in new if p in middle and middle[p] != after[p]]
    check(f"{HISTORIES} histories of seed {SEED}", not unnamed and not touched and not missed and code in (0, 1, 4),
          (code, unnamed[:3], touched[:3], len(named), err))
    print(f"   {HISTORIES} histories: {len(before)} paths, {len(items)} put back, {len(named)} named as not, {len(new)} new left alone", flush=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.environ.get("CULPRIT_TEST_OWN_MOUNTS") != "1":
        os.environ["CULPRIT_TEST_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B", *sys.argv])
    work = tempfile.mkdtemp(prefix="culprit-restore-host.")
    try:
        for part, needs in ((packages, "dpkg-deb"), (rpm, "rpmbuild"), (products, "find"), (repository, "git"), (copies, "setcap"), (folders, "setfacl"), (contents, "diff"), (gaps, "mount"), (large, "mount"), (daemon, "setcap"), (histories, "setcap")):
            if not shutil.which(needs):
                print(f"-- {part.__name__}: left out, {needs} is not here", flush=True)
                continue
            if not os.environ.get("ONLY") or part.__name__ in os.environ["ONLY"].split():
                print(f"-- {part.__name__}", flush=True)
                part(work)
    finally:
        os.chdir("/")
        run("umount", "-R", "-l", work)
        shutil.rmtree(work, ignore_errors=True)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
