# SPDX-License-Identifier: MIT
"""What a known product removed, on the host: for restore_host.py, whose module is `t`. In a mount namespace of its own. The products are other
programs at the places of the real ones; what ClamAV does to a file was seen of clamscan 1.4.6 (link, rename, unlink; a copy to another file system)
and of older ones (rename)."""
import os
import shutil
import subprocess
import sys

from lib.rpm_packages import is_mounted

# argv: "--move=DIR" then how and the file. It lives on for a moment: of one that is gone the sensor may not know what it was.
CLAMSCAN = """
import os, shutil, sys, time
move, how, path = sys.argv[1], sys.argv[2], sys.argv[3]
directory, name = move.split("=", 1)[1], os.path.basename(path)
to = os.path.join(directory, name)
n = 0
while os.path.exists(to):
    n += 1
    to = os.path.join(directory, f"{name}.{n:03}")
if how == "rename":
    os.rename(path, to)
elif how == "copy":
    shutil.copyfile(path, to)
    os.chmod(to, 0o600)
    st = os.stat(path)
    os.utime(to, ns=(st.st_atime_ns, st.st_mtime_ns))
    os.unlink(path)
else:
    os.link(path, to)
    between = os.path.join(os.path.dirname(path), ".clamav-unlink-1-2-0")
    os.mkdir(between)
    os.rename(path, os.path.join(between, name))
    os.unlink(os.path.join(between, name))
    os.rmdir(between)
time.sleep(0.5)
"""


def prepare(t, work):
    os.makedirs(work)
    t.must("mount", "-t", "tmpfs", "-o", "mode=755", "none", work)
    t.must("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/opt")
    if not is_mounted("/usr", "overlay"):  # else an earlier part has put it there
        for name in ("upper", "w"):
            os.mkdir(f"{work}/{name}")
        t.must("mount", "-t", "overlay", "-o", f"lowerdir=/usr,upperdir={work}/upper,workdir={work}/w", "overlay", "/usr")
    os.makedirs("/opt/sentinelone/bin")
    shutil.copy(shutil.which("find"), "/opt/sentinelone/bin/sentinelone-agent")
    os.path.exists("/usr/bin/clamscan") and os.remove("/usr/bin/clamscan")
    shutil.copy(os.path.realpath(sys.executable), "/usr/bin/clamscan")
    t.write(work + "/clamscan.py", CLAMSCAN)


def watched(t, store, where, script):
    return t.run(t.CULPRIT, "run", "--quiet", "--sensor", "fanotify", "--store", store, "--settle", "1s", "-w", where, "--", "/bin/sh", "-c", script)


def play(t, work):
    prepare(t, work)
    named(t, work)
    moved(t, work)
    for place in ("/opt", work):
        subprocess.run(["umount", "-l", place], check=False)


def named(t, work):
    where, store = work + "/named", work + "/named.db"
    for name in ("first", "second", "third"):
        t.write(f"{where}/{name}", name + "\n")
    agent = "/opt/sentinelone/bin/sentinelone-agent"
    linger = "-exec sleep 0.5 \\;"
    ran = watched(t, store, where, f"{agent} {where} -name first -delete {linger}; {agent} {where} -name second -delete {linger}; rm {where}/third")
    r = t.run(t.CULPRIT, "restore", "--store", store, where)
    said = r.stderr.decode(errors="replace")
    t.check("product: it is named, and how it gives back", r.returncode == 1 and said.count("SentinelOne removed it") == 1 and "is not there" in said and
            "2 removals" in said and "sentinelctl quarantine list all" in said and "/third" not in said and "--from quarantine" not in said, (r, ran))
    for name in ("first", "second"):
        t.write(f"{where}/{name}", name + "\n")
    r = t.run(t.CULPRIT, "restore", "--store", store, where)
    t.check("product: what is there again is not asked for", r.returncode == 1 and b"SentinelOne" not in r.stderr, r)


def moved(t, work):
    where, store = work + "/moved", work + "/moved.db"
    kept, other, theirs = work + "/kept", work + "/other", work + "/theirs"
    for directory in (kept, other, theirs):
        os.mkdir(directory, 0o700)
    for directory in (other, theirs):
        t.must("mount", "-t", "tmpfs", "-o", "mode=700", "none", directory)
    os.chown(theirs, 1000, 1000)
    files = (("renamed", "rename", kept), ("linked", "link", kept), ("below/linked", "link", kept), ("copied", "copy", other), ("theirs", "copy", theirs))
    for name, _, _ in files:
        t.write(f"{where}/{name}", f"content of {name}\n", 0o640)
        shutil.chown(f"{where}/{name}", "games", "games")
    t.write(where + "/plain", "not moved by it\n")
    before = t.tree(where)
    # "-I -S" keeps python from what its own place would have beside it
    script = "".join(f"cd {work}; /usr/bin/clamscan -I -S clamscan.py --move={directory} {how} {where}/{name}; " for name, how, directory in files)
    ran = watched(t, store, where, script + f"rm {where}/plain")
    middle = t.tree(where)
    t.check("quarantine: they are gone", set(middle) == {".", "below"} or all(f[0] not in middle for f in files), (middle, ran))
    code, items, err = t.restore_by(store, where)
    t.check("quarantine: not unasked, but named", code == 1 and not items and "ClamAV removed it" in err and "culprit restore --from quarantine" in err, (code, items, err))
    code, items, err = t.restore_by(store, "--from", "quarantine", "--dry-run", where)
    t.check("quarantine: dry run", t.tree(where) == middle and sorted(t.outcomes(items).values()) == ["failed"] + ["planned"] * 4, (code, t.outcomes(items), err))
    code, items, err = t.restore_by(store, "--from", "quarantine", where)
    after = t.tree(where)
    t.check("quarantine: all but what another could have exchanged", code == 4 and {p for p, o in t.outcomes(items).items() if o != "restored"} == {where + "/theirs"} and
            len(items) == 5, (code, t.reasons(items), err))
    same = lambda found: {p: f for p, f in found.items() if p not in ("theirs", "plain")}
    t.check("quarantine: identical", same(before) == same(after), t.differences(same(before), same(after)))
    t.check("quarantine: whose, and from where", items[where + "/below/linked"]["culprit"]["restore"].get("quarantine") == kept + "/linked.001" and
            "ClamAV" in str(items[where + "/linked"]), items)
    t.check("quarantine: it has them still", sorted(os.listdir(kept)) == ["linked", "linked.001", "renamed"], os.listdir(kept))
    code, items, err = t.restore_by(store, "--from", "quarantine", where)
    t.check("quarantine: what is back is left", code == 3 and list(items) == [where + "/theirs"], (code, t.outcomes(items), err))
    t.write(where + "/renamed", "newer\n")
    code, items, err = t.restore_by(store, "--from", "quarantine", where + "/renamed")
    t.check("quarantine: what is newer is left", code == 4 and t.outcomes(items) == {where + "/renamed": "newer"}, (code, t.outcomes(items), err))
    os.remove(where + "/copied")
    shutil.copy2(other + "/copied", other + "/copied.001")
    code, items, err = t.restore_by(store, "--from", "quarantine", where + "/copied")
    t.check("quarantine: two could be it", code == 3 and "several" in str(t.reasons(items)), (code, t.reasons(items), err))
    code, _, err = t.culprit("--from", "quarantine", where)
    t.check("quarantine: without a record", code == 3 and "record" in err, (code, err))
    for directory in (other, theirs):
        t.must("umount", directory)
