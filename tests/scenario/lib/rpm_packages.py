# SPDX-License-Identifier: MIT
"""What a real rpm installed on the host, and is gone: for restore_host.py, whose module is `t`. In a mount namespace of its own."""
import os
import shutil
import stat
import subprocess

from lib.snapshot import differences

NAME = "shop-rpm-1.4-2.noarch.rpm"
CACHE = "/var/cache/dnf/fedora-0123456789abcdef/packages"
# of each path how the package declares it
FILES = {
    "bin/privileged": "%attr(4755,root,root)", "bin/capable": "%caps(cap_net_raw=ep)", "data/of-games": "%attr(0640,games,games)",
    "data/empty": "%dir %attr(0750,root,root)", "data/empty/below": "", "data/hard": "", "data/hard2": "", "data/void": "", "data/link": "",
    "data/dangling": "", "etc/shop.conf": "%config(noreplace)", "ghost": "%ghost", "bin/tool*": "", "data/sparse": "", "data/a ü": "",
}


def fill(t, root):
    top = root + "/opt/rpmshop/"
    for i in range(30):
        t.write(f"{top}bin/tool{i:02}", f"echo {i}\n", 0o755)
    t.write(top + "bin/privileged", "suid\n")
    t.write(top + "bin/capable", "raw\n", 0o755)
    t.write(top + "data/of-games", "theirs\n")
    t.write(top + "data/void", "")
    t.write(top + "data/sparse", bytes(6 << 20) + b"end")
    t.write(top + "data/a ü", "odd name\n")
    t.write(top + "etc/shop.conf", "colour = red\n")
    t.write(top + "ghost", "made at run time\n")
    t.write(root + "/bin/rpmshop-in-bin", "merged\n", 0o755)
    os.makedirs(top + "data/empty/below")
    os.symlink("../bin/tool00", top + "data/link")
    os.symlink("/nowhere", top + "data/dangling")
    for name in ("hard", "hard2"):
        os.link(top + "bin/tool03", top + "data/" + name)


def build(t, work, payload, make=fill):
    source, top = work + "/source", work + "/top"
    shutil.rmtree(source, ignore_errors=True)
    make(t, source)
    listed = "".join(f'{how} "/opt/rpmshop/{path}"\n' for path, how in FILES.items())
    t.write(work + "/x.spec", "Name: shop-rpm\nEpoch: 3\nVersion: 1.4\nRelease: 2\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n"
            f"%install\nmkdir -p %{{buildroot}}\ncp -a {source}/. %{{buildroot}}/\n"
            f"%files\n%dir /opt/rpmshop\n%dir /opt/rpmshop/bin\n%dir /opt/rpmshop/data\n%dir /opt/rpmshop/etc\n/bin/rpmshop-in-bin\n{listed}")
    t.must("rpmbuild", "-bb", "--dbpath", work + "/none", "--define", f"_topdir {top}", "--define", f"_binary_payload {payload}", "--define", "__os_install_post %{nil}", work + "/x.spec")
    return f"{top}/RPMS/noarch/{NAME}"


def is_mounted(place, kind):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
        return any(line.split()[4] == place and line.split(" - ")[1].split()[0] == kind for line in f)


def install(t, work):
    os.makedirs(work)
    t.must("mount", "-t", "tmpfs", "none", work)
    for place in ("/opt", "/var/lib/rpm", "/var/cache"):
        t.must("mount", "-t", "tmpfs", "-o", "mode=755", "none", place)
    if not is_mounted("/usr", "overlay"):  # else an earlier part has put it there
        for name in ("upper", "w"):
            os.mkdir(f"{work}/{name}")
        t.must("mount", "-t", "overlay", "-o", f"lowerdir=/usr,upperdir={work}/upper,workdir={work}/w", "overlay", "/usr")
    rpm = build(t, work, "w9.gzdio")
    t.must("rpm", "--dbpath", "/var/lib/rpm", "-i", "--nodeps", rpm)
    os.makedirs(CACHE)
    shutil.copy(rpm, CACHE)


def without_capability(found):
    return {p: f for p, f in found.items() if p != "bin/capable"}


def verify(t):
    """What rpm itself finds wrong, but for the capability."""
    lines = t.run("rpm", "--dbpath", "/var/lib/rpm", "-V", "--nodeps", "shop-rpm").stdout.decode().splitlines()
    return [l for l in lines if not l.endswith("bin/capable") and not l.endswith("ghost")]


def play(t, work):
    install(t, work)
    t.check("rpm: its database is in SQLite", os.path.exists("/var/lib/rpm/rpmdb.sqlite"), os.listdir("/var/lib/rpm"))
    before, shown = t.tree("/opt/rpmshop"), os.lstat("/usr/bin/rpmshop-in-bin")
    code, items, err = t.restore("/opt/rpmshop")
    t.check("rpm: nothing to do", code == 1 and not items, (code, items, err))
    for name in ("bin", "data", "etc"):
        shutil.rmtree("/opt/rpmshop/" + name)
    code, items, err = t.restore("--dry-run", "/opt/rpmshop")
    planned = set(items)
    t.check("rpm: dry run", code == 0 and set(t.outcomes(items).values()) == {"planned"} and len(os.listdir("/opt/rpmshop")) == 0 and "--setcaps" not in err,
            (code, t.outcomes(items), err))
    code, items, err = t.restore("/opt/rpmshop")
    after = t.tree("/opt/rpmshop")
    t.check("rpm: all of it is back", code == 0 and set(t.outcomes(items).values()) == {"restored"} and set(items) == planned, (code, t.reasons(items), err))
    t.check("rpm: identical", without_capability(before) == without_capability(after), differences(without_capability(before), without_capability(after)))
    t.check("rpm: sparse", os.stat("/opt/rpmshop/data/sparse").st_blocks * 512 < 1 << 20, os.stat("/opt/rpmshop/data/sparse"))
    t.check("rpm: whose", {l["culprit"]["restore"]["package"] for l in items.values()} == {"shop-rpm 1.4-2"}, items)
    t.check("rpm: a capability is named", "rpm --setcaps shop-rpm" in err, err)
    t.check("rpm: it agrees", verify(t) == [], verify(t))
    os.remove("/usr/bin/rpmshop-in-bin")
    code, out, err = t.culprit("/bin/rpmshop-in-bin")
    t.check("rpm: in a merged /usr", code == 0 and "RESTORE  /bin/rpmshop-in-bin: 1 back from package shop-rpm 1.4-2, mode, owner" in out, (code, out, err))
    t.check("rpm: in a merged /usr: the same", stat.S_IMODE(os.lstat("/usr/bin/rpmshop-in-bin").st_mode) == stat.S_IMODE(shown.st_mode))
    for payload in ("w7.xzdio", "w3.zstdio", "w9.bzdio"):
        shutil.copy(build(t, work, payload), CACHE)
        os.remove("/opt/rpmshop/data/hard")
        code, items, err = t.restore("/opt/rpmshop/data")
        t.check(f"rpm: {payload}", code == 0 and open("/opt/rpmshop/data/hard", encoding="ascii").read() == "echo 3\n", (code, t.reasons(items), err))
    changed(t)
    hostile(t, work)


def changed(t):
    for name in ("bin/tool01", "etc/shop.conf"):
        with open("/opt/rpmshop/" + name, "a", encoding="ascii") as f:
            f.write("newer\n")
    code, items, err = t.restore("/opt/rpmshop")
    t.check("rpm, changed: not unasked", code == 1 and not items, (code, t.outcomes(items), err))
    code, items, err = t.restore("--from", "package", "/opt/rpmshop")
    t.check("rpm, changed: left", code == 4 and t.outcomes(items) == {"/opt/rpmshop/bin/tool01": "newer", "/opt/rpmshop/etc/shop.conf": "newer"} and
            "configuration" in t.reasons(items)["/opt/rpmshop/etc/shop.conf"], (code, t.reasons(items), err))
    code, items, err = t.restore("--from", "package", "--force", "/opt/rpmshop")
    t.check("rpm, changed: --force", code == 0 and set(t.outcomes(items).values()) == {"restored"} and verify(t) == [], (code, t.reasons(items), err))


def hostile(t, work):
    """Missing, damaged and exchanged package files; a damaged database."""
    rpm = f"{CACHE}/{NAME}"
    whole = open(rpm, "rb").read()
    os.remove("/opt/rpmshop/bin/tool01")
    os.remove(rpm)
    code, out, err = t.culprit("/opt/rpmshop")
    t.check("rpm: not in the cache: what to do", code == 3 and " shop-rpm\n" in out and "not in the cache: " in out, (code, out, err))
    for name, data in (("cut off", whole[:len(whole) * 2 // 3]), ("no archive", whole[:96] + b"x" * 5000), ("empty", b"")):
        with open(rpm, "wb") as f:
            f.write(data)
        code, items, err = t.restore("/opt/rpmshop/bin")
        t.check(f"rpm, {name}: nothing is put there", code == 3 and t.outcomes(items) == {"/opt/rpmshop/bin/tool01": "failed"}, (code, t.reasons(items), err))

    def lie(t, root):
        fill(t, root)
        t.write(root + "/opt/rpmshop/bin/tool01", "echo evil\n", 0o755)
        os.remove(root + "/opt/rpmshop/bin/tool02")
        os.symlink("/etc/passwd", root + "/opt/rpmshop/bin/tool02")
        for name in ("link", "dangling"):
            os.remove(root + "/opt/rpmshop/data/" + name)
        os.symlink("../bin/tool01", root + "/opt/rpmshop/data/link")
        t.write(root + "/opt/rpmshop/data/dangling", "echo evil\n", 0o755)
    for name in ("bin/tool02", "data/link", "data/dangling"):
        os.remove("/opt/rpmshop/" + name)
    shutil.copy(build(t, work, "w9.gzdio", lie), rpm)
    code, items, err = t.restore("/opt/rpmshop")
    t.check("rpm: another content than is on record, a link in place of a file, a file of a link, one that leads elsewhere", code == 3 and len(items) == 4 and
            all("another one" in r for r in t.reasons(items).values()), (code, t.reasons(items), err))
    os.remove(rpm)
    os.mkdir(work + "/downloaded")
    with open(f"{work}/downloaded/{NAME}", "wb") as f:
        f.write(whole)
    code, items, err = t.restore("--packages", work + "/downloaded", "/opt/rpmshop")
    t.check("rpm: downloaded elsewhere", code == 0 and verify(t) == [], (code, t.reasons(items), err))
    os.remove("/opt/rpmshop/bin/tool02")
    for name, data in (("no database", b"x" * 5000), ("an empty one", b""), ("half of one", open("/var/lib/rpm/rpmdb.sqlite", "rb").read()[:20000])):
        with open("/var/lib/rpm/rpmdb.sqlite", "wb") as f:
            f.write(data)
        code, items, err = t.restore("--from", "package", "/opt/rpmshop/bin")
        t.check(f"rpm: {name}", code in (1, 3) and t.outcomes(items) in ({}, {"/opt/rpmshop/bin/tool02": "failed"}) and
                (name != "no database" or "rpm's database could not be read" in err), (code, t.reasons(items), err))
    for place in ("/var/cache", "/var/lib/rpm"):
        subprocess.run(["umount", place], check=False)
