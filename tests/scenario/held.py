#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""held.py CULPRIT: large files whose copy is made when they change, on ext4, tmpfs and an overlay: whoever opens one for writing waits until its
content is kept, and whoever reads does not; deleted, replaced and cut ones are kept; nobody is held up by a keeper that was killed. Ends
with "N passed, N failed"; as root, in a mount namespace of its own."""
import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.argv.insert(2, "0") if len(sys.argv) < 3 else None
from restore_host import CULPRIT, Watch, check, diff_content, must, outcomes, reasons, restore_by, run, utc, wait_for, write
import restore_host

SIZE = 3 << 20  # with 32M: more than is copied at once, less than all of them have


def fill(top, *names):
    content = {n: os.urandom(SIZE) for n in names}
    for n, data in content.items():
        write(f"{top}/{n}", data)
    return content


def read(path):
    with open(path, "rb") as f:
        return f.read()


def kept(store):
    """The contents that are there by now."""
    large = store + ".copies/large"
    return {hashlib.sha256(read(f"{large}/{n}")).hexdigest() for n in os.listdir(large) if len(n) == 64}


def is_kept(store, data):
    return hashlib.sha256(data).hexdigest() in kept(store)


def truncate(path):
    os.truncate(path, 7)


def overwrite(path):
    with open(path, "r+b") as f:
        f.write(b"changed")


def cut(path):
    with open(path, "wb") as f:
        f.write(b"anew")


def replace(path):
    write(path + ".new", "another")
    os.rename(path + ".new", path)


def move(path):
    os.rename(path, os.path.dirname(os.path.dirname(path)) + "/moved")


def open_at_once(path):
    """Whoever does not want to wait is refused once."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        raise AssertionError("not refused")
    except OSError as e:
        assert e.errno == errno.EWOULDBLOCK, e
    for _ in range(500):
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "wb") as f:
                f.write(b"changed")
            return
        except OSError:
            time.sleep(0.01)
    raise AssertionError("refused again and again")


def with_folder(path):
    shutil.rmtree(os.path.dirname(path))


CHANGES = {"overwrite": overwrite, "cut": cut, "truncate": truncate, "unlink": os.remove, "replace": replace, "move": move,
           "open_at_once": open_at_once, "folder/gone": with_folder}


def ways(where, what):
    """Each way to change one: its old content is kept whole, and comes back."""
    top, store = where + "/files", where + "/s.db"
    content = fill(top, *CHANGES, "stays")
    stays = f"{top}/stays"
    watch = Watch(store, "47M", top)
    check(f"{what}: it is said", f"{len(content)} of them are copied when they change" in watch.said(), watch.said())
    check(f"{what}: nothing is copied before", not kept(store), kept(store))
    began = time.time()
    time.sleep(0.05)
    for name in list(CHANGES)[:3]:  # a quarter of the limit has room for three at once
        CHANGES[name](f"{top}/{name}")
        check(f"{what}: {name}: its content is kept", wait_for(lambda: is_kept(store, content[name]), 20), watch.said())
    check(f"{what}: a reader does not make it copy", read(stays) == content["stays"] and not is_kept(store, content["stays"]))
    code, out, err = diff_content(store, "--since", utc(began), top)
    check(f"{what}: diff by sums", f"{top}/overwrite  changed" in out and hashlib.sha256(content["overwrite"]).hexdigest() in out and f"{top}/stays" not in out,
          (out, err))
    code, items, err = restore_by(store, "--from", "copies", "--force", "--at", utc(began), top)
    check(f"{what}: put back", code == 0 and all(read(f"{top}/{n}") == content[n] for n in list(CHANGES)[:3]) and stays not in items,
          (code, reasons(items), err))
    watch.end()
    for name in list(CHANGES)[3:]:
        shutil.rmtree(store + ".copies")
        watch = Watch(store, "47M", top)
        began = time.time()
        time.sleep(0.05)
        path = f"{top}/{name}"
        CHANGES[name](path)
        check(f"{what}: {name}: kept", wait_for(lambda: is_kept(store, content[name]), 20), watch.said())
        watch.end()
        code, items, err = restore_by(store, "--from", "copies", "--force", "--at", utc(began), top)
        check(f"{what}: {name}: put back", code == 0 and outcomes(items).get(path) == "restored" and read(path) == content[name],
              (code, reasons(items), err))


def lower(where, what):
    """Files of a lower layer, which are copied up by who writes to them."""
    top, store = where + "/low", where + "/l.db"
    names = ("overwrite", "truncate", "unlink")
    content = {n: read(f"{top}/{n}") for n in names}
    watch = Watch(store, "47M", top)
    check(f"{what}: lower: it is said", "3 of them are copied when they change" in watch.said(), watch.said())
    began = time.time()
    time.sleep(0.05)
    for n in names:
        CHANGES[n](f"{top}/{n}")
        check(f"{what}: lower: {n}: kept", wait_for(lambda: is_kept(store, content[n]), 20), watch.said())
    watch.end()
    code, items, err = restore_by(store, "--from", "copies", "--force", "--at", utc(began), top)
    check(f"{what}: lower: put back", code == 0 and all(read(f"{top}/{n}") == content[n] for n in names), (code, reasons(items), err))


def waits(where, what):
    """How long writers wait, and nobody else; the holder is stopped, killed, at its limit."""
    top, store = where + "/more", where + "/m.db"
    content = fill(top, "a", "b", "c")
    watch = Watch(store, "47M", top)
    keeping = watch.keeping()
    os.kill(keeping, signal.SIGTSTP)  # as ^Z does, to all of a terminal's group
    began = time.time()
    overwrite(top + "/c")
    check(f"{what}: a terminal that is stopped stops no writer", time.time() - began < 10, time.time() - began)
    os.kill(keeping, signal.SIGCONT)
    check(f"{what}: and it is kept", wait_for(lambda: is_kept(store, content["c"]), 20), watch.said())
    os.kill(keeping, signal.SIGSTOP)
    writer = subprocess.Popen([sys.executable, "-c", f"open({top + '/a'!r}, 'wb').write(b'went on')"])
    check(f"{what}: a reader does not wait", read(top + "/a") == content["a"])
    time.sleep(0.5)
    check(f"{what}: a writer waits for who keeps it", writer.poll() is None)
    os.kill(keeping, signal.SIGKILL)
    began = time.time()
    writer.wait(30)
    check(f"{what}: killed: the writer goes on at once", time.time() - began < 10 and read(top + "/a") == b"went on", time.time() - began)
    watch.await_("it is begun anew")
    check(f"{what}: begun anew, they are held again", wait_for(lambda: "2 of them are copied when they change" in watch.said()), watch.said())
    overwrite(top + "/b")
    check(f"{what}: begun anew: kept", wait_for(lambda: is_kept(store, content["b"]), 20), watch.said())
    watch.end()
    code, items, err = restore_by(store, "--from", "copies", top)
    check(f"{what}: nothing is missing", code == 1, (code, reasons(items), err))


def no_room(where, what):
    """All room is had by files that are there: of another one the writer goes on, and it is said."""
    top, store = where + "/crowded", where + "/c.db"
    content = fill(top, "held")
    for i in range(4):
        write(f"{top}/copied{i}", os.urandom(2900000))
    watch = Watch(store, "47M", top)
    check(f"{what}: those that have room are copied", "1 of them is copied when it changes" in watch.said() and len(kept(store)) == 4, watch.said())
    began = time.time()
    cut(top + "/held")
    watch.await_("could not be copied when it changed")
    check(f"{what}: said", "there was no room for it" in watch.said() and read(top + "/held") == b"anew" and not is_kept(store, content["held"]), watch.said())
    watch.end()
    code, items, err = restore_by(store, "--from", "copies", "--force", "--at", utc(began), top)
    check(f"{what}: and of the file", code == 3 and "there was no room then" in reasons(items).get(top + "/held", ""), (code, reasons(items), err))


def writers(where, what):
    """One that somebody has open for writing is not held, which is said; once he has closed it is."""
    top, store = where + "/open", where + "/o.db"
    content = fill(top, "log")
    with open(top + "/log", "ab") as f:
        watch = Watch(store, "32M", top)
        check(f"{what}: open for writing: said", "not kept: 1 file larger than 1 MB that is open for writing" in watch.said(), watch.said())
        for _ in range(12):  # it is tried again meanwhile
            f.write(b"a line\n")
            f.flush()
            time.sleep(1)
        check(f"{what}: open for writing: said once", watch.said().count("open for writing") == 1, watch.said())
    content["log"] = read(top + "/log")
    status = lambda: is_kept(store, content["log"])
    held = wait_for(lambda: "1 of them is copied" in watch.said() or leased(watch), 30)
    os.remove(top + "/log")
    check(f"{what}: kept once it was closed", held and wait_for(status, 20), watch.said())
    watch.end()
    code, items, err = restore_by(store, "--from", "copies", top)
    check(f"{what}: and put back", code == 0 and read(top + "/log") == content["log"], (code, reasons(items), err))


def leased(watch):
    keeping = str(watch.keeping()).encode()
    return any(b"LEASE" in line and keeping in line.split() for line in read("/proc/locks").splitlines())  # others may hold some


def hidden(where, what):
    """A cut through a descriptor for reading alone asks nobody: said."""
    top, store = where + "/hidden", where + "/h.db"
    content = fill(top, "f")
    watch = Watch(store, "32M", top)
    os.close(os.open(top + "/f", os.O_RDONLY | os.O_TRUNC))
    watch.await_("could not be copied when")
    check(f"{what}: cut for reading: it is said", "in a way of which nobody is asked" in watch.said() and not is_kept(store, content["f"]), watch.said())
    watch.end()


def unmounted(where, what):
    """What is held is in nobody's way: its file system is unmounted, and its device is free."""
    top, store = where + "/sub", where + "/u.db"
    image = where + "/sub.img"
    with open(image, "wb") as f:
        f.truncate(64 << 20)
    must("mkfs.ext4", "-q", "-F", image)
    os.mkdir(top)
    must("mount", "-o", "loop", image, top)
    fill(top, "f")
    watch = Watch(store, "32M", top)
    check(f"{what}: held", "1 of them is copied when it changes" in watch.said(), watch.said())
    r = run("umount", top)
    check(f"{what}: it can be unmounted", r.returncode == 0, r.stderr)
    check(f"{what}: and checked", wait_for(lambda: run("e2fsck", "-f", "-n", image).returncode == 0 and
                                           image not in run("losetup", "-a").stdout.decode(), 20), run("losetup", "-a").stdout)
    watch.end()


def full(where, what):
    """The disk of the copies is full: the writer goes on, and it is said of that time."""
    top, disk = where + "/full", where + "/disk"
    store = disk + "/f.db"
    os.mkdir(disk)
    must("mount", "-t", "tmpfs", "-o", "size=16m", "none", disk)
    content = fill(top, "f", "g")
    watch = Watch(store, "32M", top)
    restore_host.fill(disk + "/fill")
    cut(top + "/f")
    check(f"{what}: the writer goes on", read(top + "/f") == b"anew")
    watch.await_("the disk is full")
    check(f"{what}: said", "could not be copied when it changed: the disk is full" in watch.said(), watch.said())
    middle = time.time()
    time.sleep(0.1)
    os.remove(disk + "/fill")
    watch.await_("copies are kept again")
    cut(top + "/g")
    check(f"{what}: with room again they are kept", wait_for(lambda: is_kept(store, content["g"]), 20), watch.said())
    watch.end()
    code, items, err = restore_by(store, "--from", "copies", "--dry-run", "--at", utc(middle), top)
    check(f"{what}: the gap is recorded", "no copies were kept from " in err and "the disk was full" in err, (err, items))
    run("umount", "-l", disk)


def descriptors(where, what):
    """No more than it may have open are held: the others are said."""
    top, store = where + "/many", where + "/d.db"
    for i in range(12):
        write(f"{top}/{i}", os.urandom(1100000))
    store_at = store + "0"
    limited = subprocess.Popen(["prlimit", "--nofile=72:72", CULPRIT, "watch", "--sensor", "fanotify", "--store", store_at, "--keep-copies", "6M", top],
                               stdout=subprocess.DEVNULL, stderr=open(where + "/d.err", "wb"))
    said = lambda: read(where + "/d.err").decode(errors="replace")
    wait_for(lambda: "culprit: ready" in said() or limited.poll() is not None, 60)
    text = said()
    check(f"{what}: as many as it has descriptors for, and the others are said", "8 of them are copied when they change" in text and
          "not kept: 4 files larger than 1 MB that have no room" in text, text)
    limited.send_signal(signal.SIGINT)
    limited.wait(60)


def on(where, what):
    for part in (ways, waits, writers, hidden):
        if not os.environ.get("ONLY") or part.__name__ in os.environ["ONLY"].split():
            print(f"-- {what}: {part.__name__}", flush=True)
            part(where, what)


def main():
    if os.environ.get("CULPRIT_TEST_OWN_MOUNTS") != "1":
        os.environ["CULPRIT_TEST_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B", *sys.argv])
    work = tempfile.mkdtemp(prefix="culprit-held.")
    places = os.environ.get("PLACES", "ext4 tmpfs overlay").split()
    try:
        for kind in ("ext4", "tmpfs", "overlay"):
            if kind not in places:
                continue
            where = f"{work}/{kind}"
            os.mkdir(where)
            if kind == "ext4":
                with open(work + "/ext4.img", "wb") as f:
                    f.truncate(400 << 20)
                must("mkfs.ext4", "-q", "-F", work + "/ext4.img")
                must("mount", "-o", "loop", work + "/ext4.img", where)
            elif kind == "tmpfs":
                must("mount", "-t", "tmpfs", "-o", "size=400m", "none", where)
            else:
                must("mount", "-t", "tmpfs", "-o", "size=400m", "none", where)
                for d in ("lower", "upper", "work", "merged"):
                    os.mkdir(f"{where}/{d}")
                fill(where + "/lower/low", "overwrite", "truncate", "unlink")
                must("mount", "-t", "overlay", "-o", f"lowerdir={where}/lower,upperdir={where}/upper,workdir={where}/work", "overlay", where + "/merged")
                where += "/merged"
            on(where, kind)
            if kind == "overlay" and (not os.environ.get("ONLY") or "lower" in os.environ["ONLY"].split()):
                lower(where, kind)
            if kind == "tmpfs":
                for part in (no_room, full, descriptors, unmounted):
                    if not os.environ.get("ONLY") or part.__name__ in os.environ["ONLY"].split():
                        print(f"-- {part.__name__}", flush=True)
                        part(where, part.__name__)
    finally:
        os.chdir("/")
        run("umount", "-R", "-l", work)
        shutil.rmtree(work, ignore_errors=True)
    print(f"{restore_host.passed} passed, {len(restore_host.failures)} failed")
    return 1 if restore_host.failures else 0


if __name__ == "__main__":
    sys.exit(main())
