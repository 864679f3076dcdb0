# SPDX-License-Identifier: MIT
"""Mounts that a test, or an engine that it started, has left below its folder."""
import re
import subprocess


def unmount_below(directory):
    with open("/proc/mounts", encoding="utf-8", errors="surrogateescape") as f:
        paths = [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split(" ")[1]) for line in f]
    for path in reversed(paths):  # the newest first: it may lie on an older one
        if path.startswith(directory + "/"):
            subprocess.run(["umount", "-l", "-q", path], check=False, stderr=subprocess.DEVNULL)
