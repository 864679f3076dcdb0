# SPDX-License-Identifier: MIT
"""All of a tree that can be compared: {path: facts}."""
import hashlib
import os
import stat


def facts(path, st):
    target = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
    digest = ""
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") \
                else hashlib.sha256(f.read()).hexdigest()
    attributes = {n: os.getxattr(path, n, follow_symlinks=False) for n in os.listxattr(path, follow_symlinks=False)
                  if not n.startswith(("trusted.overlay.", "user.overlay.", "security.selinux"))}
    size = st.st_size if not stat.S_ISDIR(st.st_mode) else 0
    return (oct(st.st_mode), st.st_uid, st.st_gid, size, st.st_mtime_ns, st.st_rdev, target, digest,
            tuple(sorted(attributes.items())))


def snapshot(root):
    found = {"": facts(root, os.lstat(root))}
    for at, directories, names in os.walk(root):
        for name in directories + names:
            path = os.path.join(at, name)
            found[os.path.relpath(path, root)] = facts(path, os.lstat(path))
    return found


def differences(a, b, ignore=()):
    """What is not the same, for people; paths in `ignore` do not count."""
    return [(p, a.get(p), b.get(p)) for p in sorted({*a, *b}) if a.get(p) != b.get(p) and p not in ignore]
