# SPDX-License-Identifier: MIT
"""Where scenarios are played: the folder for tests of this machine, or a real file system made for it."""
import os
import shutil
import subprocess
import tempfile

BASE = os.environ.get("CULPRIT_TEST_DIR", "/tmp")


def sh(*command):
    r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if r.returncode:
        raise RuntimeError(f"{' '.join(command)}: {r.stdout.decode(errors='replace').strip()}")


class Here:
    """A folder below $CULPRIT_TEST_DIR, whatever that is on."""
    name, whole = "here", True

    def __enter__(self):
        self.dir = BASE
        return self

    def __exit__(self, *_):
        pass

    def takes(self, scenario):
        return True


class Made:
    """A file system that exists while it is used. Containers and what does not depend on the file
    system are played on one of them only."""
    name, whole = "?", False

    def __enter__(self):
        self.base = tempfile.mkdtemp(prefix="culprit-place.", dir=BASE)
        self.dir = os.path.join(self.base, self.name)
        os.mkdir(self.dir)
        os.chmod(self.base, 0o755)
        self.mounted = []
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        os.chmod(self.dir, 0o755)
        return self

    def __exit__(self, *_):
        for m in reversed(self.mounted):
            subprocess.run(["umount", "-R", "-l", m], check=False)
        shutil.rmtree(self.base, ignore_errors=True)

    def mount(self, where, *arguments):
        sh("mount", *arguments, where)
        self.mounted.append(where)

    def image(self, fs, where, size="320M"):
        image = os.path.join(self.base, f"image.{len(self.mounted)}")
        sh("truncate", "-s", size, image)
        sh("mkfs." + fs, "-q", image)
        self.mount(where, "-o", "loop", image)

    def takes(self, scenario):
        return self.whole or not scenario.anywhere


class Tmpfs(Made):
    name = "tmpfs"

    def make(self):
        self.mount(self.dir, "-t", "tmpfs", "tmpfs")


class Ext4(Made):
    name, whole = "ext4", True

    def make(self):
        self.image("ext4", self.dir)


class Xfs(Made):
    name = "xfs"

    def make(self):
        self.image("xfs", self.dir)


class Btrfs(Made):
    """In a subvolume, whose numbers are not those of its file system."""
    name = "btrfs"

    def make(self):
        self.image("btrfs", self.dir)
        sh("btrfs", "subvolume", "create", self.dir + "/volume")
        self.dir += "/volume"


class Overlay(Made):
    """On ext4, as container engines do it; its lower layer holds nothing of the scenarios."""
    name = "overlay"

    def make(self):
        below = os.path.join(self.base, "below")
        os.mkdir(below)
        self.image("ext4", below)
        for d in ("lower", "upper", "work"):
            os.mkdir(f"{below}/{d}")
        self.mount(self.dir, "-t", "overlay", "overlay", "-o",
                   f"lowerdir={below}/lower,upperdir={below}/upper,workdir={below}/work")


class Fuse(Made):
    name = "fuse"

    def make(self):
        below = os.path.join(self.base, "below")
        os.mkdir(below)
        self.image("ext4", below)
        sh("bindfs", "-o", "allow_other,dev,suid", below, self.dir)
        self.mounted.append(self.dir)


PLACES = {p.name: p for p in (Here, Tmpfs, Ext4, Xfs, Btrfs, Overlay, Fuse)}
