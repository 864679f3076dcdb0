# SPDX-License-Identifier: MIT
"""What happened beside what was reported."""
from collections import Counter

from change import ATTRIBUTES, AUDIT, CONTENT, FOUND, MADE, NOBODY, ONE_OF_NAMES, UNKNOWN, WRITES, Reported


MADES = {'create', 'link', 'symlink', 'mknod'}
ARRIVALS = MADES | {'mkdir', 'rename'}


class Result:
    """right: changes reported as what they were; unknown: those of them that were reported as "attributes, not known which";
    refused: those of them that were refused; missed: not reported; declared: not reported, as the sensor says of itself; extra:
    reported once more; wrong: reported, and not so; who: those of the wrong that another process did."""

    def __init__(self):
        self.right = self.unknown = self.refused = 0
        self.missed, self.declared, self.extra, self.wrong, self.who = [], [], [], [], []

    @property
    def all(self):
        return self.right + len(self.missed)


def take(reported, key):
    if reported.get(key, 0) <= 0:
        return False
    reported[key] -= 1
    return True


def accepted(change, sensors):
    """What this set of sensors may report it as."""
    ops = [op for op in change.ops if op not in ('own-times', 'acl-mode')]
    # a mode that is set by way of an ACL is a changed mode, to who sees no calls
    return ops + (['chmod'] if sensors == 'fanotify' and 'acl-mode' in change.ops else [])


def match(changes, reported, sensors, optional):
    """The changes that nothing was reported of, exact words first."""
    left = [c for c in changes if c.optional == optional]
    for best in (True, False):
        rest = []
        for c in left:
            ops = accepted(c, sensors)
            if not any(take(reported, Reported(op, c.path, c.pid, c.previous, c.error)) for op in (ops[:1] if best else ops)):
                rest.append(c)
        left = rest
    return left


def is_one_of_names(change, reported, sensors, result):
    """Reported with a name of the file, and with the word that another one may have been meant."""
    for op in accepted(change, sensors):
        for path in {change.path, *change.links}:
            if take(reported, Reported(op + ONE_OF_NAMES, path, change.pid, change.previous, change.error)):
                result.unknown += 1
                return True
    return False


def is_one_of_processes(change, reported, sensors, result):
    """Reported, with the word that another process of the same cause may have been it."""
    if not any(take(reported, Reported(op, change.path, None, change.previous, change.error)) for op in accepted(change, sensors)):
        return False
    result.unknown += 1
    return True


def was_renamed(changes, a, b):
    return any(c.ops[0] == 'rename' and not c.error and {c.path, c.previous} == {a, b} for c in changes)


def is_of_nobody(change, changes, reported, sensors, result):
    """Found by looking, by nobody known, under another name that the file had, with the word that it may be another one."""
    for op in accepted(change, sensors):
        for key in [k for k in reported if k.op == op + ONE_OF_NAMES and k.pid is None and reported[k] > 0]:
            if not change.error and (key.path == change.path or was_renamed(changes, key.path, change.path)) and take(reported, key):
                result.unknown += 1
                return True
    return False


def is_half_known(change, reported, sensors, result):
    """A rename that is refused for its old name: the new one is in no audit record."""
    if sensors in ('bpf', 'fanotify') or not change.error or change.ops[0] != 'rename' or change.previous is None:
        return False
    if not take(reported, Reported('rename', None, change.pid, change.previous, change.error)):
        return False
    result.unknown += 1
    return True


def is_made(change, reported, result):
    """Reported as made, or found, of a kind that is said not to be known."""
    ops = set(change.ops)
    if change.error or not ((MADES & ops and take(reported, Reported(MADE, change.path, change.pid))) or
                            (ARRIVALS & ops and take(reported, Reported(FOUND, change.path, change.pid)))):
        return False
    result.unknown += 'create' not in change.ops
    return True


def is_folded(change, merged, written):
    """The kernel makes one fanotify event of what one process does at once to a file's attributes, and one of what it does to its contents:
    of the latter are its making, cuts, and a time of modification that is set alone."""
    at = (change.path, change.pid)
    if ATTRIBUTES & set(change.ops):
        return at in merged or ('utime' in change.ops and at in written)
    return 'truncate' in change.ops and at in written


def is_declared(change, sensors, merged, written):
    """What no record of these sensors can show, which the manual says. merged, written: of whose attributes and contents it was reported that they
    changed. What two sensors declare each for itself is not reported by both of them together."""
    if change.error:
        return sensors == 'fanotify' or change.unplaced == NOBODY or (change.unplaced == AUDIT and sensors != 'bpf')
    if 'setflags' in change.ops: # few kernels notify fanotify of it
        return sensors != 'bpf' and (sensors != 'fanotify' or (change.path, change.pid) in merged)
    audit, fanotify = change.unplaced == AUDIT, is_folded(change, merged, written)
    return {'audit': audit, 'fanotify': fanotify, 'fanotify,audit': audit and fanotify}.get(sensors, False)


def stands_for(change, unknown):
    """Of this file and process it was reported that attributes changed; perhaps by another of its names, which was said."""
    return (UNKNOWN, change.path, change.pid) in unknown or any((UNKNOWN + ONE_OF_NAMES, p, change.pid) in unknown for p in change.links)


def sort(change, sensors, unknown, merged, written, result):
    """One that nothing was reported of by its own name."""
    if not change.error and ATTRIBUTES & set(change.ops) and stands_for(change, unknown):
        result.right += 1
        result.unknown += 1
    elif 'own-times' in change.ops and sensors != 'bpf':
        result.right += 1 # times that the maker gives its own new file are part of its creation
    else:
        (result.declared if is_declared(change, sensors, merged, written) else result.missed).append(change)


def is_again(key, changes, sensors):
    """Reported once more, by a name that is said not to be certain."""
    op = key.op[:-len(ONE_OF_NAMES)]
    return key.op.endswith(ONE_OF_NAMES) and any(
        c.pid == key.pid and c.error == key.error and key.path in c.links and
        (op in accepted(c, sensors) or (op == UNKNOWN and ATTRIBUTES & set(c.ops))) for c in changes)


def compare(changes, reported, sensors):
    result, reported = Result(), Counter(reported)
    changes = sorted(changes, key=lambda c: c.unplaced is not None) # what is reported goes to those first that it can be of
    written = {(k.path, k.pid) for k in reported if k.op in WRITES or k.op in ('create', MADE)}
    merged = {(k.path, k.pid) for k in reported if k.op in ATTRIBUTES or k.op == UNKNOWN}
    needed = match(changes, reported, sensors, False)
    needed = [c for c in needed if not is_made(c, reported, result) and not is_half_known(c, reported, sensors, result) and
              not is_one_of_names(c, reported, sensors, result) and not is_one_of_processes(c, reported, sensors, result) and
              not is_of_nobody(c, changes, reported, sensors, result)]
    match(changes, reported, sensors, True)
    result.right = sum(not c.optional for c in changes) - len(needed)
    unknown = {(k.op, k.path, k.pid) for k, n in reported.items() if n > 0 and k.op in (UNKNOWN, UNKNOWN + ONE_OF_NAMES)}
    for c in needed:
        sort(c, sensors, unknown, merged, written, result)
    result.refused = sum(c.error is not None and not c.optional for c in changes) - sum(c.error is not None for c in needed)
    happened = {(op, c.path, c.pid, c.previous, c.error) for c in changes for op in accepted(c, sensors)}
    by_anybody = {(op, path, previous, error) for op, path, _, previous, error in happened}
    touched = {(c.path, c.pid) for c in changes if ATTRIBUTES & set(c.ops)}
    for key, n in reported.items():
        if n <= 0 or key.op.rstrip(ONE_OF_NAMES) in CONTENT or (key.op == UNKNOWN and (key.path, key.pid) in touched) or \
           (key.op == UNKNOWN + ONE_OF_NAMES and is_again(key, changes, sensors)):
            continue
        again = tuple(key) in happened or is_again(key, changes, sensors)
        (result.extra if again else result.wrong).extend([key] * n)
        if not again and (key.op, key.path, key.previous, key.error) in by_anybody:
            result.who.extend([key] * n)
    return result
