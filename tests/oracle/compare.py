# SPDX-License-Identifier: MIT
"""What happened beside what was told."""
from collections import Counter

from change import ATTRIBUTES, CONTENT, MADE, UNKNOWN, Told


class Result:
    """right: changes told as what they were; unknown: those of them that were told as "attributes, not known which";
    missed: not told; extra: told once more; wrong: told, and not so."""

    def __init__(self):
        self.right = self.unknown = 0
        self.missed, self.extra, self.wrong = [], [], []

    @property
    def all(self):
        return self.right + len(self.missed)


def take(told, key):
    if told.get(key, 0) <= 0:
        return False
    told[key] -= 1
    return True


def accepted(change, sensors):
    """What this set of sensors may tell it as."""
    ops = [op for op in change.ops if op not in ('own-times', 'acl-mode')]
    # a mode that is set by way of an ACL is a changed mode, to who sees no calls
    return ops + (['chmod'] if sensors == 'fanotify' and 'acl-mode' in change.ops else [])


def match(changes, told, sensors, optional):
    """The changes that nothing was told of, exact words first."""
    left = [c for c in changes if c.optional == optional]
    for best in (True, False):
        rest = []
        for c in left:
            ops = accepted(c, sensors)
            if not any(take(told, Told(op, c.path, c.pid, c.previous)) for op in (ops[:1] if best else ops)):
                rest.append(c)
        left = rest
    return left


def is_made(change, told, result):
    """Told as made, of a kind that is said not to be known."""
    if not {'create', 'link', 'symlink', 'mknod'} & set(change.ops) or not take(told, Told(MADE, change.path, change.pid)):
        return False
    result.unknown += 'create' not in change.ops
    return True


def compare(changes, told, sensors):
    result, told = Result(), Counter(told)
    needed = match(changes, told, sensors, False)
    needed = [c for c in needed if not is_made(c, told, result)]
    match(changes, told, sensors, True)
    result.right = sum(not c.optional for c in changes) - len(needed)
    unknown = {(k.path, k.pid) for k, n in told.items() if n > 0 and k.op == UNKNOWN}
    for c in needed:
        if (c.path, c.pid) in unknown and ATTRIBUTES & set(c.ops):
            result.right += 1
            result.unknown += 1
        elif 'own-times' in c.ops and sensors != 'bpf':
            result.right += 1 # times that the maker gives its own new file are part of its creation
        else:
            result.missed.append(c)
    happened = {(op, c.path, c.pid, c.previous) for c in changes for op in accepted(c, sensors)}
    touched = {(c.path, c.pid) for c in changes if ATTRIBUTES & set(c.ops)}
    for key, n in told.items():
        if n <= 0 or key.op in CONTENT or (key.op == UNKNOWN and (key.path, key.pid) in touched):
            continue
        (result.extra if tuple(key) in happened else result.wrong).extend([key] * n)
    return result
