#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clues.py CULPRIT [-k WORD] [-v]: pasts that nobody watched, played here, and what `culprit clues` makes of each; as root.

Each plays in mount namespaces of its own (logs, tables of cron, /etc/tmpfiles.d, dpkg's records are private), so that nothing of
this host is changed or is taken for a clue. Right is: the true cause is the first suspect, or among three where the row says so, or
nobody where nothing is left. Ends with "N passed, N failed"."""
import contextlib
import ctypes
import datetime
import encodings.ascii  # pylint: disable=unused-import  # before /root is covered, where this Python may be
import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

from lib import journald
from lib.engine import Docker

CULPRIT = os.path.abspath(sys.argv[1])
ONLY = sys.argv[sys.argv.index("-k") + 1] if "-k" in sys.argv else ""
VERBOSE = "-v" in sys.argv
BASE = pathlib.Path("/srv/clues-past")  # not below /tmp: that has rules of its own
PASTS = []
PRIVATE = ["/var/log", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/var/spool/cron", "/etc/logrotate.d", "/var/lib/logrotate",
           "/etc/tmpfiles.d", "/etc/systemd/system", "/var/lib/systemd", "/root", "/home", "/opt", "/run/log"]


def past(name, first=None, rank=1, **expected):
    """first: words of the true cause; None: nobody may be accused. Expected as well: state, a kind of clue; source, one that says what
    happened; code, the exit status; lacks, a kind that there must not be; says, words of the text; mark, one that a clue has. target: asked for. What play() returns ends what it started; LeftOut: it cannot be played here."""
    def add(play):
        PASTS.append((name, play, first, rank, expected))
        return play
    return add


class LeftOut(Exception):
    pass


def run(*words, **options):
    return subprocess.run([str(w) for w in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)


def make(path, text="x\n", mode=0o644):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def data(*names):
    """The directory with some files that were there long before."""
    directory = BASE / "data"
    directory.mkdir(parents=True, exist_ok=True)
    old = time.time() - 90 * 86400
    for name in names or ("a", "b", "c"):
        os.utime(make(directory / name), (old, old))
    os.utime(directory, (old, old))
    return directory


def log(line, file="/var/log/syslog", when=None):
    with open(file, "a", encoding="utf-8") as f:
        f.write((when or datetime.datetime.now()).strftime("%b %e %H:%M:%S ") + "host " + line + "\n")


# ---- how it is now ----

@past("mounted over", "the mount of tmpfs", state="hidden")
def mounted_over():
    run("mount", "-t", "tmpfs", "tmpfs", data())


@past("a mount of fstab is not there", "a file system that is not mounted", state="unmounted")
def unmounted():
    if not os.path.exists("/etc/fstab"):
        raise LeftOut("this host has no /etc/fstab to be covered")
    fstab = make(BASE / "fstab", f"/dev/nosuch {data()} ext4 defaults 0 2\n")
    run("mount", "--bind", fstab, "/etc/fstab")
    shutil.rmtree(BASE / "data")
    (BASE / "data").mkdir()


@past("unlinked, and still open", None, state="open", target="data/a")
def still_open():
    directory = data()
    holder = subprocess.Popen(["sleep", "600"], stdin=open(directory / "a", encoding="utf-8"))
    os.unlink(directory / "a")
    return holder.kill


@past("there for a service with a private directory", None, state="hidden", target="data/private")
def namespace():
    directory = data()
    inside = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c",
                               f"mount -t tmpfs tmpfs {directory} && touch {directory}/private && exec sleep 600"])
    await_that(lambda: os.path.exists(f"/proc/{inside.pid}/root{directory}/private"))
    return inside.kill


@past("deleted and open where the same path is another file", None, lacks="open", target="data/private")
def open_elsewhere():
    directory = data()
    inside = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c",
                               f"mount -t tmpfs tmpfs {directory} && exec 3> {directory}/private && rm {directory}/private && exec sleep 600"])
    await_that(lambda: executable(inside.pid) == shutil.which("sleep") or os.path.basename(executable(inside.pid) or "") == "sleep")
    return inside.kill


@past("removed from a package's list", None, state="missing", target="/opt/clues-pkg/f1")
def package_file():
    package("clues-pkg")
    os.unlink("/opt/clues-pkg/f1")


@past("changed beside the package's checksum", None, state="changed", target="/opt/clues-pkg/f1")
def package_changed():
    package("clues-pkg")
    make("/opt/clues-pkg/f1", "another\n")


@past("a package removed", "clues-pkg", target="/opt/clues-pkg")
def package_removed():
    package("clues-pkg")
    time.sleep(1.1)  # dpkg's clock has whole seconds; this only keeps the two operations apart
    run("dpkg", "-r", "clues-pkg")


@past("configuration of a package, changed by somebody", None, state="changed", target="/opt/clues-conf/c",
      says="is configuration, and not as it came with package clues-conf")
def configuration_changed():
    package("clues-conf", configuration="first\n")
    make("/opt/clues-conf/c", "mine\n")


@past("configuration replaced by a package's new version", "dpkg", state="kept", target="/opt/clues-conf/c",
      says="it is configuration of package clues-conf")
def configuration_replaced():
    package("clues-conf", configuration="first\n")
    make("/opt/clues-conf/c", "mine\n")
    build_package("clues-conf", "2", "second\n")
    run("dpkg", "--force-confnew", "-i", BASE / "x.deb")
    assert pathlib.Path("/opt/clues-conf/c.dpkg-old").read_text(encoding="utf-8") == "mine\n"


def package(name, configuration=None):
    """A real one, by dpkg, in a copy of its records."""
    for place in ("/var/lib/dpkg",):
        upper = BASE / "upper"
        upper.mkdir()
        run("mount", "-t", "tmpfs", "tmpfs", upper)
        for part in ("u", "w"):
            (upper / part).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={place},upperdir={upper}/u,workdir={upper}/w", place)
    build_package(name, "1", configuration)
    run("dpkg", "-i", BASE / "x.deb")


def build_package(name, version, configuration):
    root = BASE / "pkg"
    make(root / "DEBIAN/control",
         f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n")
    make(root / f"opt/{name}/f1", "one\n")
    make(root / f"opt/{name}/f2", "two\n")
    if configuration:
        make(root / f"opt/{name}/c", configuration)
        make(root / "DEBIAN/conffiles", f"/opt/{name}/c\n")
    sums = "".join(subprocess.run(["md5sum", f"opt/{name}/{f}"], cwd=root, check=True, capture_output=True, text=True).stdout
                   for f in ("f1", "f2"))
    make(root / "DEBIAN/md5sums", sums)
    run("dpkg-deb", "--root-owner-group", "-b", root, BASE / "x.deb")


@past("removed from an rpm's list", None, state="missing", target="/opt/clues-rpm/f1")
def rpm_file():
    rpm_package()
    os.unlink("/opt/clues-rpm/f1")


@past("changed beside the rpm's checksum", None, state="changed", target="/opt/clues-rpm/f1")
def rpm_changed():
    rpm_package()
    make("/opt/clues-rpm/f1", "another\n")


@past("an rpm removed, by dnf's log", "package clues-rpm", target="/opt/clues-rpm")
def rpm_removed():
    rpm_package()
    run("rpm", "--dbpath", "/var/lib/rpm", "-e", "--nodeps", "clues-rpm")
    make("/var/log/dnf.rpm.log", f"{datetime.datetime.now().astimezone():%Y-%m-%dT%H:%M:%S%z} SUBDEBUG Erase: clues-rpm-1-1.noarch\n")


def rpm_package():
    """A real one, by rpm, with a database of its own."""
    if not shutil.which("rpmbuild"):
        raise LeftOut("no rpm")
    os.makedirs("/var/lib/rpm", exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/var/lib/rpm")
    top = BASE / "rpm"
    make(top / "x.spec", "Name: clues-rpm\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n%install\n"
         "mkdir -p %{buildroot}/opt/clues-rpm\necho one > %{buildroot}/opt/clues-rpm/f1\necho two > %{buildroot}/opt/clues-rpm/f2\n"
         "%files\n/opt/clues-rpm\n")
    run("rpmbuild", "-bb", "--dbpath", BASE / "rpm-none", "--define", f"_topdir {top}", top / "x.spec")
    run("rpm", "--dbpath", "/var/lib/rpm", "-i", "--nodeps", next(top.glob("RPMS/noarch/*.rpm")))


@past("gone since the database of locate was made", None, state="missing")
def locate():
    program = shutil.which("updatedb.plocate")
    if not program:
        raise LeftOut("no plocate")
    directory = data()
    os.makedirs("/var/lib/plocate", exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/var/lib/plocate")
    run(program, "-U", BASE, "-o", "/var/lib/plocate/plocate.db", "--prunepaths", "", "--prunefs", "", "-l", "no")
    os.unlink(directory / "b")


@past("a snapshot of snapper has it", None, state="kept", target="data/b")
def snapshot():
    directory = data()
    shutil.copytree(directory, BASE / ".snapshots/7/snapshot/data")
    os.unlink(directory / "b")
    os.makedirs(BASE / ".snapshots/8/snapshot/data")


@past("snapshots of btrfs are named", None, state="backup", target="fs/vol/b", says="btrfs has 1 snapshot of the subvolume that it is in (before)")
def btrfs():
    if not shutil.which("mkfs.btrfs"):
        raise LeftOut("no btrfs-progs")
    (BASE / "fs").mkdir()
    run("truncate", "-s", "128M", BASE / "image")
    run("mkfs.btrfs", "-q", BASE / "image")
    try:
        run("mount", "-o", "loop", BASE / "image", BASE / "fs")
    except subprocess.CalledProcessError as e:
        raise LeftOut("no loop device, or no btrfs") from e
    for volume in ("vol", "other"):
        run("btrfs", "subvolume", "create", BASE / "fs" / volume)
    make(BASE / "fs/vol/b")
    run("btrfs", "subvolume", "snapshot", "-r", BASE / "fs/vol", BASE / "fs/before")
    run("btrfs", "subvolume", "snapshot", "-r", BASE / "fs/other", BASE / "fs/others")
    os.unlink(BASE / "fs/vol/b")


@past("restic makes backups of this host", None, state="backup", target="data/b")
def restic():
    make("/root/.cache/restic/0123456789abcdef/version", "1\n")
    os.unlink(data() / "b")


@past("a job of at ran: atd writes no log", "at job")
def at_ran():
    directory = data()
    spool = pathlib.Path("/var/spool/cron/atspool")
    spool.mkdir(parents=True)
    make(spool / "a0000101c2f0a0")  # as atd does it
    os.unlink(directory / "b")


@past("a job of at that waits has not run", None)
def at_waits():
    directory = data()
    spool = pathlib.Path("/var/spool/cron/atjobs")
    make(spool / f"a00001{int(time.time()) // 60 + 5:08x}", f"#!/bin/sh\n# atrun uid=0 gid=0\nrm -rf {directory}\n", 0o700)
    os.unlink(directory / "b")


@past("a tracked file removed from a work tree", None, state="missing")
def git_tracked():
    directory = data()
    run("git", "init", "-q", directory)
    run("git", "-C", directory, "add", ".")
    os.unlink(directory / "b")


@past("git reset --hard, by git's own log", "git reset: moving to HEAD~1", target="data/new")
def git_reset():
    directory = data()
    git = ["git", "-C", directory, "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    run("git", "init", "-q", directory)
    run(*git, "add", ".")
    run(*git, "commit", "-q", "-m", "one")
    make(directory / "new")
    run(*git, "add", ".")
    run(*git, "commit", "-q", "-m", "two")
    run(*git, "reset", "-q", "--hard", "HEAD~1")


@past("a service stopped, and its directory of /run is gone", "unit: tidy.service", target="/run/clues-tidy/socket")
def runtime_directory():
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    make("/etc/systemd/system/tidy.service", "[Service]\nExecStart=/usr/bin/true\nRuntimeDirectory=clues-tidy\n")
    os.makedirs("/run/clues-tidy")
    log("systemd[1]: Stopping tidy.service - Tidy...")
    os.rmdir("/run/clues-tidy")


@past("asked for by a link, which a job's line names", "cron job: rm -f", target="current/b", says="/srv/clues-past/current: is a link to data")
def by_a_link():
    directory = data()
    (BASE / "current").symlink_to("data")
    make("/etc/cron.d/purge", f"* * * * * root rm -f {BASE}/current/b\n")
    os.unlink(directory / "b")


@past("rpm kept it by another name", "rpm", state="kept", target="data/a")
def rpmsave():
    directory = data()
    os.rename(directory / "a", directory / "a.rpmsave")


@past("packed beside, long before it went", None, state="kept", target="data/a")
def packed():
    directory = data()
    run("gzip", "-k", directory / "b")
    os.rename(directory / "b.gz", directory / "a.gz")
    os.unlink(directory / "a")


@past("put into the trash", "the trash /home/u/.local/share/Trash", state="kept", target="data/a")
def trash():
    directory = data()
    info = pathlib.Path("/home/u/.local/share/Trash")
    make(info / "info/a.trashinfo", f"[Trash Info]\nPath={directory}/a\nDeletionDate={datetime.datetime.now():%Y-%m-%dT%H:%M:%S}\n")
    (info / "files").mkdir()
    shutil.move(directory / "a", info / "files/a")


# ---- what ran then ----

@past("a job of cron, by the log; its script has a variable", "cron job: /usr/local/bin/clues-purge")
def cron_log():
    directory = data()
    with script("#!/bin/sh\nDIR=%s\nrm -f \"$DIR\"/b\n" % directory) as path:
        make("/etc/cron.d/purge", f"* * * * * root {path}\n")
        log("CRON[77]: (nobody) CMD (/usr/bin/true)")
        log(f"CRON[78]: (root) CMD ({path})")
        run(path)


def logged_job_of_nobody(mode, after=None):
    """Somebody else did it; what cron ran then for a user could only have, where he may write to the directory."""
    for table in ("passwd", "group", "subuid", "subgid"):  # another test may add a user to those of this machine
        if os.path.exists(f"/etc/{table}"):
            run("mount", "--bind", make(BASE / f"etc-{table}", pathlib.Path(f"/etc/{table}").read_text(encoding="utf-8")), f"/etc/{table}")
    directory = data()
    directory.chmod(mode)
    time.sleep(7)  # or the job belongs to the moment of its preparation as well
    log(f"CRON[78]: (nobody) CMD (rm -f {directory}/b)")
    (directory / "b").unlink()
    if after:
        time.sleep(1.5)
        directory.chmod(after)


@past("a job whose user may not write there is not accused", None, state="access", says="nobody may not write there")
def cron_barred():
    logged_job_of_nobody(0o755)


@past("a job whose user may become root", "cron job: rm -f", lacks="access")
def cron_of_sudo():
    own = make("/opt/sudoers", "Defaults env_reset\nann , nobody ALL=(ALL) NOPASSWD: ALL\n")
    if not os.path.exists("/etc/sudoers"):
        raise LeftOut("no /etc/sudoers to be covered")
    run("mount", "--bind", own, "/etc/sudoers")
    logged_job_of_nobody(0o755)


@past("a job whose user could become root then", "cron job: rm -f", state="access")
def cron_of_sudo_then():
    if not os.path.exists("/etc/sudoers"):
        raise LeftOut("no /etc/sudoers to be covered")
    run("mount", "--bind", make("/opt/sudoers", "nobody ALL=(ALL) NOPASSWD: ALL\n"), "/etc/sudoers")
    logged_job_of_nobody(0o755)
    time.sleep(1.5)
    make("/opt/sudoers", "root ALL=(ALL) ALL\n")


@past("a job whose user may write to what the directory lies in", "cron job: rm -f", lacks="access")
def cron_of_owner_above():
    shutil.chown(BASE, "nobody")
    logged_job_of_nobody(0o755)


@past("a job whose user may", "cron job: rm -f", lacks="access")
def cron_of_a_user():
    logged_job_of_nobody(0o777)


@past("a job whose user may not since, as the mode was changed", "cron job: rm -f")
def cron_barred_since():
    logged_job_of_nobody(0o777, after=0o755)


@past("a job whose user may not write there, with an access list that lets him", "cron job: rm -f", lacks="access")
def cron_by_access_list():
    directory = data()
    if not shutil.which("setfacl"):
        raise LeftOut("no setfacl")
    run("setfacl", "-m", "u:nobody:rwx", directory)
    log(f"CRON[78]: (nobody) CMD (rm -f {directory}/b)")
    (directory / "b").unlink()


@contextlib.contextmanager
def script(text, name="clues-purge"):
    tools = BASE / "bin"
    if not tools.exists():
        tools.mkdir()
        run("mount", "--bind", tools, "/usr/local/bin")
    yield make(f"/usr/local/bin/{name}", text, 0o755)


@past("the same from a log that was rotated and packed", "cron job: /usr/local/bin/clues-purge")
def cron_rotated():
    cron_log()
    with open("/var/log/syslog", "rb") as f, gzip.open("/var/log/syslog.2.gz", "wb") as g:
        g.write(f.read())
    os.unlink("/var/log/syslog")
    make("/var/log/syslog", "")


@past("a table of cron that was due, without a log", "cron job: rm -f")
def cron_due():
    directory = data()
    make("/etc/cron.d/purge", f"* * * * * root rm -f {directory}/b\n0 0 30 2 * root rm -rf {directory}\n")
    os.unlink(directory / "b")


@past("a job that was not due is not accused")
def cron_not_due():
    make("/etc/cron.d/purge", f"0 0 30 2 * root rm -rf {data()}\n")
    os.unlink(BASE / "data/b")


@past("a job that the log does not have is not accused")
def cron_silent():
    make("/etc/cron.d/purge", f"* * * * * root rm -rf {data()}\n")
    log("CRON[77]: (nobody) CMD (/usr/bin/true)", when=datetime.datetime.now() - datetime.timedelta(seconds=20))
    os.unlink(BASE / "data/b")


def daily(text):
    """A script of cron.daily, which the log has as run by run-parts. Its path."""
    path = make("/etc/cron.daily/tidy", text, 0o755)
    log("CRON[9]: (root) CMD (cd / && run-parts --report /etc/cron.daily)")
    return path


@past("run-parts of cron.daily", "cron job: ")
def cron_parts():
    run(daily(f"#!/bin/sh\nfind {data()} -type f -mtime +30 -delete\n"))


@past("run-parts, and a script that goes to the place first", "cron job: ", says="find data -type f")
def cron_parts_from_place():
    run(daily(f"#!/bin/sh\ncd {data().parent} || exit\nfind data -type f -mtime +30 -delete\n"))


@past("a cleaner in Python", "cron job: ", says="what it runs changes files here")
def cron_python():
    directory = data()
    daily(f"#!/usr/bin/env python3\nfrom pathlib import Path\nfor f in (Path('{BASE}') / 'data').glob('*'):\n    f.unlink()\n")
    run("rm", directory / "a")  # the Python of this test may not be there for it


@past("sudo worked there, on something else", None)
def sudo_elsewhere():
    directory = data()
    log(f"sudo:      ann : TTY=pts/3 ; PWD={directory} ; USER=root ; COMMAND=/usr/bin/rm -f /tmp/culprit-x", "/var/log/auth.log",
        datetime.datetime.now() - datetime.timedelta(seconds=40))
    run("rm", "-f", directory / "a")


@past("a user was deleted with his home", "userdel: bob", target="/home/bob/x")
def user_deleted():
    make("/home/bob/x")
    log("userdel[44]: delete user 'bob'", "/var/log/auth.log")
    shutil.rmtree("/home/bob")


@past("a user was deleted with his home, which was put back from a copy", "userdel: bob", target="/home/bob/x")
def user_deleted_and_back():
    make("/home/bob/x")
    os.utime("/home/bob", (time.time() - 86400,) * 2)
    copy = BASE / "copy"
    run("cp", "-a", "/home/bob", copy)
    log("userdel[44]: delete user 'bob'", "/var/log/auth.log")
    shutil.rmtree("/home/bob")
    time.sleep(1.5)
    (copy / "x").unlink()
    run("cp", "-a", copy, "/home/bob")


@past("a user by sudo", "sudo by ann: /usr/bin/rm")
def sudo():
    directory = data()
    log(f"sudo:      ann : TTY=pts/3 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/rm -f {directory}/a", "/var/log/auth.log")
    run("rm", "-f", directory / "a")


@past("rsync --delete by ssh: the login", "login by ssh: backup from 10.0.0.7")
def ssh():
    directory, empty = data(), BASE / "empty"
    empty.mkdir()
    run("rsync", "-a", "--delete", f"{empty}/", f"{directory}/")
    when = datetime.datetime.fromtimestamp(os.stat(directory).st_mtime - 1)  # however slow rsync is here
    log("sshd[4]: Accepted publickey for backup from 10.0.0.7 port 4022 ssh2: ED25519 SHA256:x", "/var/log/auth.log", when)


@past("a timer by its stamp, and the unit's script", "unit: tidy.service")
def timer():
    directory = data()
    with script(f"#!/bin/sh\nrm -f {directory}/*\n", "tidy") as path:
        make("/etc/systemd/system/tidy.service", f"[Service]\nExecStart={path}\n")
        make("/etc/systemd/system/tidy.timer", "[Timer]\nOnCalendar=daily\n")
        make("/var/lib/systemd/timers/stamp-tidy.timer", "")
        run(path)


@past("a unit by the log", "unit: tidy.service")
def unit():
    directory = data()
    make("/etc/systemd/system/tidy.service", f"[Service]\nExecStart=/bin/rm -rf {directory}/b\n")
    log("systemd[1]: Starting tidy.service - Tidy...")
    run("rm", "-rf", directory / "b")


@past("the journal, and a user who logs as cron", "cron job: rm -f")
def journal():
    if not journald.PROGRAM or not os.path.exists("/etc/systemd/journald.conf"):
        raise LeftOut("no journald")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    make(BASE / "journald.conf", "[Journal]\nReadKMsg=no\nStorage=volatile\nSplitMode=none\n")
    run("mount", "--bind", BASE / "journald.conf", "/etc/systemd/journald.conf")
    for place in ("/run/systemd/journal", "/run/log"):
        os.makedirs(place)
    daemon = subprocess.Popen(journald.COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_that(lambda: os.path.exists("/run/systemd/journal/socket"))
    directory = data()
    for user, command in ((0, f"rm -f {directory}/a"), (1000, f"rm -rf {directory}")):
        words = ["setpriv", "--reuid", str(user), "--clear-groups", "logger", "--journald"]
        run(*words, input=f"MESSAGE=(root) CMD ({command})\nSYSLOG_IDENTIFIER=CRON\nPRIORITY=6\n".encode())
    os.unlink(directory / "a")
    for n in range(2):
        await_that(lambda count=n: read_journal().count("CMD") > count)
    return daemon.kill


def read_journal():
    return subprocess.run(["journalctl", "-q", "--no-pager"], capture_output=True, text=True, check=False).stdout


def await_that(condition):
    for _ in range(18000):
        if condition():
            return
        time.sleep(0.01)
    raise RuntimeError("it does not come")


def ext4():
    (BASE / "fs").mkdir()
    run("truncate", "-s", "64M", BASE / "image")
    run("mkfs.ext4", "-q", BASE / "image")
    try:
        run("mount", "-o", "loop", BASE / "image", BASE / "fs")
    except subprocess.CalledProcessError as e:
        raise LeftOut("no loop device") from e
    for name in "abc":
        make(BASE / "fs/d" / name)


@past("deleted inodes of ext4", None, source="inodes", target="fs/d")
def inodes():
    ext4()
    os.unlink(BASE / "fs/d/b")


@past("names of deleted files, by ext4's journal", None, source="inodes", target="fs/d", says="have that inode as b")
def inode_names():
    ext4()
    run("sync", "-f", BASE / "fs")
    os.unlink(BASE / "fs/d/b")
    run("sync", "-f", BASE / "fs")


@past("refused logins are reported, and accuse nobody", None, source="refused", says="a login of root from 10.0.0.9 was refused, 2 times")
def refused():
    directory = data()
    with open("/var/log/btmp", "wb") as f:
        for name, ago in ((b"root", 9), (b"root", 3), (b"hunter2", 2)):
            f.write(struct.pack("<hxxi32s4s32s256shhiii16s20x", 6, 77, b"ssh:notty", b"", name, b"10.0.0.9", 0, 0, 0, int(time.time()) - ago, 0, b""))
    os.unlink(directory / "a")


@past("the last login, where wtmp is gone", "login of u at pts/7", source="lastlog", says="u was logged in at pts/7 from 10.0.0.7")
def last_login():
    directory = data()
    uid = 4321
    with open("/var/log/lastlog", "wb") as f:
        f.seek(uid * 292)
        f.write(struct.pack("<i32s256s", int(time.time()) - 20, b"pts/7", b"10.0.0.7"))
        f.truncate(1 << 40)  # as long as the highest uid asks for
    passwd = make(BASE / "passwd", pathlib.Path("/etc/passwd").read_text(encoding="utf-8") + f"u:x:{uid}:{uid}::/home/u:/bin/sh\n")
    run("mount", "--bind", passwd, "/etc/passwd")
    os.unlink(directory / "a")


@past("rm, by process accounting", "rm of uid 0")
def accounting():
    directory = data()
    os.makedirs("/var/log/account")
    with open("/var/log/account/pacct", "wb") as f:
        for comm, ago in ((b"ls", 1), (b"rm", 0), (b"rm", 500)):
            f.write(struct.pack("<BBHIIIIIIf8H16s", 0, 3, 0, 0, 0, 0, 77, 1, int(time.time()) - ago, 0.0, *([0] * 8), comm))
    os.unlink(directory / "a")


@past("typed in a shell, if histories are asked for", "typed by u: rm", args=["--history"])
def history():
    directory = data()
    make("/home/u/.bash_history", f"#{int(time.time())}\nrm {directory}/a\n")
    os.unlink(directory / "a")


@past("and not if they are not", None)
def no_history():
    history()


# ---- what is set to happen ----

@past("tmpfiles by age", "systemd-tmpfiles")
def tmpfiles():
    directory = data()
    make("/etc/tmpfiles.d/x.conf", f"d {directory} 0755 root root m:30d\n")
    run("systemd-tmpfiles", "--clean", "/etc/tmpfiles.d/x.conf")
    assert not list(directory.iterdir()), "systemd-tmpfiles removed nothing"


@past("the audit log has it", "rm, on the host, deleted", target="data/a")
def audit_log():
    directory = data()
    os.makedirs("/var/log/audit")
    stamp = f"msg=audit({time.time():.3f}:77):"
    ids = "auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295"
    make("/var/log/audit/audit.log", f"""type=SYSCALL {stamp} arch=c000003e syscall=263 success=yes exit=0 a0=ffffff9c a1=55d0 a2=0 a3=0 items=2 ppid=1 pid=4242 {ids} comm="rm" exe="/usr/bin/rm" subj=unconfined key="k"
type=CWD {stamp} cwd="/"
type=PATH {stamp} item=0 name="{directory}/" inode=2 dev=fe:00 mode=040755 ouid=0 ogid=0 rdev=00:00 nametype=PARENT
type=PATH {stamp} item=1 name="{directory}/a" inode=3 dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=DELETE
type=EOE {stamp}
""")
    os.unlink(directory / "a")


@past("logrotate: one log too many", "logrotate", target="/var/log/app.log.1")
def logrotate():
    make("/var/log/app.log", "x\n" * 100)
    make("/etc/logrotate.d/app", "/var/log/app.log {\n  rotate 0\n  size 1\n}\n")
    run("logrotate", "-f", "-s", "/var/lib/logrotate/status", "/etc/logrotate.d/app")


@past("logrotate: the script of another log", "logrotate", target="data/b", says="-name b -delete")
def logrotate_script():
    directory = data()
    make("/var/log/app.log", "x\n")
    make("/etc/logrotate.d/app", f"/var/log/app.log {{\n rotate 3\n postrotate\n  find {directory} -name b -delete\n endscript\n}}\n")
    run("logrotate", "-f", "-s", "/var/lib/logrotate/status", "/etc/logrotate.d/app")
    assert not (directory / "b").exists()


@past("logrotate: a log that is empty, as it was made again", "logrotate", target="/var/log/app.log")
def logrotate_create():
    make("/var/log/app.log", "x\n" * 100)
    make("/etc/logrotate.d/app", "/var/log/app.log {\n  rotate 0\n  size 1\n  create\n}\n")
    run("logrotate", "-s", "/var/lib/logrotate/status", "/etc/logrotate.d/app")
    assert not os.path.getsize("/var/log/app.log"), "logrotate rotated nothing"


@past("cleaned by a runner of CI: git clean, by its own file", "GitHub Actions runner", target="runner/_work/shop/shop/out",
      says="/srv/clues-past/runner/.runner:2")
def ci_runner():
    work = BASE / "runner/_work/shop/shop"
    make(BASE / "runner/.runner", '{\n  "workFolder": "_work"\n}\n')
    make(work / "out/x")
    make(work / "kept")
    git = ["git", "-C", work, "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    run("git", "init", "-q", work)
    run(*git, "add", "kept")
    run(*git, "commit", "-q", "-m", "one")
    run(*git, "clean", "-ffdxq")
    assert not (work / "out").exists(), "git clean removed nothing"


@past("tmpreaper's configuration, which its script reads", "cron job: /etc/cron.daily/tmpreaper", says="/etc/tmpreaper.conf:2")
def tmpreaper():
    directory = data()
    upper = BASE / "etc"
    upper.mkdir()
    run("mount", "-t", "tmpfs", "tmpfs", upper)
    for part in ("u", "w"):
        (upper / part).mkdir()
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={upper}/u,workdir={upper}/w", "/etc")
    make("/etc/tmpreaper.conf", f"TMPREAPER_TIME=30d\nTMPREAPER_DIRS='{directory}/.'\n")
    make("/etc/cron.daily/tmpreaper", "#!/bin/sh\n. /etc/tmpreaper.conf\n", 0o755)
    os.unlink(directory / "b")


@past("a product that quarantines", "SentinelOne")
def quarantine():
    agent = pathlib.Path("/opt/sentinelone/bin/sentinelone-agent")
    agent.parent.mkdir(parents=True)
    shutil.copy("/bin/sleep", agent)
    running = subprocess.Popen([agent, "600"])
    await_that(lambda: executable(running.pid) == str(agent))
    time.sleep(1.1)  # it ran before the moment, by whole clock ticks
    directory = data()
    run("git", "init", "-q", directory)
    run("git", "-C", directory, "add", ".")
    os.unlink(directory / "a")
    return running.kill


@past("a product that is installed and does not run", None, says="SentinelOne (EDR) is installed, /opt/sentinelone/")
def installed():
    os.makedirs("/opt/sentinelone/bin")
    os.unlink(data() / "a")
    return lambda: shutil.rmtree("/opt/sentinelone")


def executable(pid):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")
    return None


# ---- containers ----

def web():
    try:
        docker = Docker()
    except (RuntimeError, OSError) as e:
        raise LeftOut(f"no docker: {e}") from e
    docker.run("web")
    return docker


@past("a file of the image is missing in a container", None, state="missing", asked="web:/prd", says="has a whiteout of it", mark="exact")
def container_file():
    docker = web()
    merged = docker.inspect("web", "{{.GraphDriver.Data.MergedDir}}")
    started = time.time()
    await_that(lambda: time.time() > started + 8)  # or the entry point would have been starting just then
    os.unlink(merged + "/prd/lower")
    return docker.stop


@past("where a service's manifest has nothing mounted", None, state="missing", asked="web:/prd",
      says="service shop: /prd lies in the container's writable layer")
def manifest():
    docker = web()
    file = make(BASE / "compose.yaml", "services:\n  shop:\n    image: shop:1.4\n")
    docker.run("web", "--label", "com.docker.compose.service=shop", "--label", f"com.docker.compose.project.config_files={file}")
    merged = docker.inspect("web", "{{.GraphDriver.Data.MergedDir}}")
    started = time.time()
    await_that(lambda: time.time() > started + 8)
    os.unlink(merged + "/prd/lower")
    return docker.stop


@past("a container's entry point was starting", "the entry point of container web", state="missing", rank=3, asked="web:/prd")
def container_start():
    docker = web()
    docker.run("web", command=["/bin/sh", "-c", "rm /prd/lower; while :; do sleep 1; done"])
    merged = docker.inspect("web", "{{.GraphDriver.Data.MergedDir}}")
    await_that(lambda: not os.path.exists(merged + "/prd/lower"))
    return docker.stop


@past("a command in a container, by what its engine remembers", "exec into container web: rm /prd/lower", state="missing", asked="web:/prd")
def container_exec():
    docker = web()
    docker("exec", "web", "true")
    docker("exec", "web", "rm", "/prd/lower")
    return docker.stop


@past("files copied into a container", "a copy into container web", rank=3, asked="web:/prd/given", source="events")
def container_copy():
    docker = web()
    started = time.time()
    await_that(lambda: time.time() > started + 8)  # or the entry point would have been starting just then
    docker("cp", make(BASE / "given"), "web:/prd/given")
    return docker.stop


@past("a container was made anew", "the making anew of container web", asked="web:/prd/added")
def container_anew():
    docker = web()
    docker("exec", "web", "/bin/sh", "-c", "echo x > /prd/added")
    docker.run("web")
    return docker.stop


@past("removed from a volume by a command in a container", "exec into container web: rm /data/f", asked="web:/data/f")
def container_volume():
    docker = web()
    docker.run("web", "-v", "shopdata:/data")
    docker("exec", "web", "/bin/sh", "-c", "echo x > /data/f")
    docker("exec", "web", "rm", "/data/f")
    return docker.stop


@past("the host's side of a folder that a container has, by a command in it", "exec into container web: rm /data/f", asked=BASE / "shared" / "f",
      says="container web (shop:1.4) has it as /data/f")
def container_shares():
    docker = web()
    shared = make(BASE / "shared" / "f").parent
    docker.run("web", "-v", f"{shared}:/data")
    docker("exec", "web", "rm", "/data/f")
    return docker.stop


@past("what a named volume lost was not lost with the container", None, asked="web:/data/f")
def container_volume_anew():
    docker = web()
    docker.run("web", "-v", "shopdata:/data")
    volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "shopdata").stdout.decode().strip()
    make(volume + "/f")
    started = time.time()
    await_that(lambda: time.time() > started + 8)  # or the entry point would have been starting just then
    os.unlink(volume + "/f")
    return docker.stop


@past("what lay in a tmpfs of a container that was started again", "the start with an empty tmpfs of container web", asked="web:/cache/f")
def container_tmpfs():
    docker = web()
    docker.run("web", "--tmpfs", "/cache")
    docker("exec", "web", "/bin/sh", "-c", "echo x > /cache/f")
    docker("restart", "-t", "0", "web")
    return docker.stop


@past("a container that is gone", None, asked="web:/prd/added", state="missing", says="container web (shop:1.4) was removed")
def container_gone():
    docker = web()
    docker("rm", "-f", "web")
    return docker.stop


@past("a volume that is gone, by sudo", "sudo by ann: /usr/bin/docker volume rm shopdata", asked="volume:shopdata/f", state="missing",
      says="volume shopdata was removed, with all that was in it")
def volume_gone():
    docker = web()
    docker("volume", "create", "shopdata")
    log("sudo:      ann : TTY=pts/3 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/docker volume rm shopdata", "/var/log/auth.log")
    docker("volume", "rm", "shopdata")
    return docker.stop


# ---- nothing ----

@past("nothing is left", None)
def nothing():
    os.unlink(data() / "b")


@past("a log that lies in the future, and hostile lines", None)
def hostile():
    directory = data()
    with open("/var/log/syslog", "wb") as f:
        f.write(b"\xff\x00\x1b[2J" * 1000 + b"\n" + b"Nov 99 99:99:99 x\n" * 1000 + b"9" * 300000 + b"\n")
    log(f"CRON[1]: (root) CMD (rm -rf {directory})", when=datetime.datetime.now() + datetime.timedelta(days=2))
    os.symlink("/dev/zero", "/var/log/messages")
    os.mkfifo("/var/log/cron.log")
    make("/etc/cron.d/x", "* " * 100000)
    os.unlink(directory / "b")


@past("what users may put in the way: pipes, links, devices, databases that are none", None)
def hostile_places():
    directory = data()
    for place in ("/var/spool/cron/crontabs/u", "/var/spool/cron/atjobs/a0000101c2f0a0", "/home/u/.bash_history", "/etc/cron.d/pipe",
                  "/home/u/.local/share/Trash/info/a.trashinfo", "/etc/logrotate.d/pipe", "/etc/tmpfiles.d/pipe.conf"):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.mkfifo(place)
    for place, leads in (("/var/spool/cron/crontabs/v", "/dev/zero"), ("/home/v/.local/share/Trash", "/proc/self/root"),
                         ("/var/spool/cron/crontabs/loop", "loop"), ("/home/v/.cache/restic", "/proc"), ("/etc/cron.d/tty", "/dev/tty")):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(leads, place)
    for place, begins in (("/var/lib/plocate/plocate.db", b"\0plocate" + b"\1\0\0\0" + b"\xff" * 200), ("/var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0" + b"\xff" * 4000)):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", os.path.dirname(place))
        with open(place, "wb") as f:
            f.write(begins)
    (BASE / ".snapshots").symlink_to("/proc/self/fd")
    make(directory / ".git/index", "DIRC\0\0\0\2\xff\xff\xff\xff")
    make(directory / ".git/logs/HEAD", "0 " * 60 + "\x1b[2J> 1 +0\treset: \x1b[2J\n")
    make(directory / "\x1b[2Jname\n")
    os.unlink(directory / "b")


@past("never there, and nothing beside it", None, code=1, target="/srv/clues-past/none/such")
def never():
    (BASE / "none").mkdir(parents=True)


# ---- ----

CLONE_NEWNS = 0x00020000


def play(row):
    """In a process of its own, whose mounts are gone with it. What is wrong, or None."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        wrong = "the test itself failed"
        try:
            wrong = play_inside(*row)
        except LeftOut as e:
            wrong = f"left out: {e}"
        except subprocess.CalledProcessError as e:
            wrong = f"{e}: {e.stderr.decode(errors='replace')[-300:]}"
        except Exception as e:  # pylint: disable=broad-except
            wrong = f"{type(e).__name__}: {e}"
        finally:
            os.write(write_end, (wrong or "").encode()[:60000])
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as f:
        answer = f.read().decode()
    os.waitpid(pid, 0)
    return answer


def ask(target, form, args):
    return subprocess.run([CULPRIT, "clues", "--store", "/nowhere.db", "--for", "60s", "--format", form, *args, str(target)], capture_output=True,
                          timeout=300, check=False)


def play_inside(name, function, first, rank, expected):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    # no file system of its own: one in memory would be a clue, as what it has is gone with each start
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(parents=True)
    for place in PRIVATE:
        if os.path.isdir(place):
            run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", place)
    end = function()
    try:
        asked = expected.get("asked") or BASE / expected.get("target", "data")
        answer = ask(asked, "json", expected.get("args", []))
        text = ask(asked, "text", expected.get("args", []))
    finally:
        if end:
            end()
    if VERBOSE:
        print(f"--- {name}\n{text.stdout.decode()}", flush=True)
    clues = [json.loads(line) for line in answer.stdout.splitlines()]
    suspects = [c["culprit"]["clue"]["suspect"] for c in clues if c["culprit"]["clue"]["kind"] == "suspect"]
    kinds = {c["culprit"]["clue"]["kind"] for c in clues}
    happened = {c["culprit"]["clue"].get("source") for c in clues if c["culprit"]["clue"]["kind"] == "happened"}
    if answer.returncode not in (0, 1) or text.returncode != answer.returncode:
        return f"exit {answer.returncode}, {text.returncode}: {answer.stderr.decode()}"
    if b"\x1b" in text.stdout or b"\x00" in text.stdout:
        return "what is in a log got to the terminal as it is"
    if expected.get("state", "summary") not in kinds:
        return f"no clue \"{expected['state']}\" among {sorted(kinds)}"
    if expected.get("lacks") in kinds:
        return f"a clue \"{expected['lacks']}\""
    if "source" in expected and expected["source"] not in happened:
        return f"{expected['source']} says nothing of what happened"
    if expected.get("says", "").encode() not in text.stdout:
        return f"\"{expected['says']}\" is not said"
    if "mark" in expected and not any(expected["mark"] in c["culprit"]["clue"].get("marks", []) for c in clues):
        return f"no clue is marked {expected['mark']}"
    if answer.returncode != expected.get("code", answer.returncode):
        return f"exit {answer.returncode}, not {expected['code']}"
    if first is None and suspects:
        return f"accused: {suspects}"
    if first and not any(first in s for s in suspects[:rank]):
        return f"\"{first}\" is not among {suspects[:3]}"
    return None


def main():
    failed = passed = 0
    for row in PASTS:
        if ONLY not in row[0]:
            continue
        wrong = play(row)
        left_out = wrong.startswith("left out: ")
        print(f"{'-----' if left_out else 'WRONG' if wrong else 'right'}  {row[0]}{': ' + wrong if wrong else ''}", flush=True)
        failed += bool(wrong) and not left_out
        passed += not wrong
    shutil.rmtree(BASE, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
