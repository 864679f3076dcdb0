# SPDX-License-Identifier: MIT
"""What culprit should have reported, compared with what it reported."""
import os

from lib.unknown import what_is_not_known


def get(line, path, default=None):
    for key in path.split("."):
        if not isinstance(line, dict) or key not in line:
            return default
        line = line[key]
    return line


class Event:
    """One expected line. Names below the watched folder are relative; `more`: other fields by their
    dotted names. optional: may be missing."""

    def __init__(self, action, path, pid=None, executable=None, outcome="success", optional=False, **more):
        self.action, self.path, self.pid, self.executable = action, path, pid, executable
        self.outcome, self.optional = outcome, optional
        self.more = {k.replace("__", "."): v for k, v in more.items()}

    def is_at(self, run, path):
        if callable(self.path):
            return path is not None and self.path(path)
        return path in self.full(run)

    def full(self, run):
        """A path, or any of several."""
        paths = self.path if isinstance(self.path, tuple) else (self.path,)
        return [p if p.startswith("/") else run.path(p) for p in paths]

    def __str__(self):
        return f"{self.action} {'a path' if callable(self.path) else self.path}"


def differences(event, line, run):
    """What is wrong, each beginning with the field."""
    wrong = []
    pids = event.pid if isinstance(event.pid, tuple) else (event.pid,)
    if event.pid is not None and get(line, "process.pid") not in pids:
        wrong.append(f"pid {get(line, 'process.pid')}, not {event.pid}")
    executable = event.executable
    if executable == "act":
        executable = run.act_path
    if executable and get(line, "process.executable") != executable:
        wrong.append(f"executable {get(line, 'process.executable')}, not {executable}")
    if get(line, "event.outcome") != ("success" if event.outcome == "success" else "failure"):
        wrong.append(f"outcome {get(line, 'event.outcome')}")
    if event.outcome != "success" and get(line, "error.code") != event.outcome:
        wrong.append(f"error {get(line, 'error.code')}, not {event.outcome}")
    for field, value in event.more.items():
        found = get(line, field)
        if field.endswith(".previous_path") and isinstance(value, str) and not value.startswith("/"):
            value = run.path(value)
        if callable(value):
            if not value(found):
                wrong.append(f"{field} {found!r}")
        elif found != value:
            wrong.append(f"{field} {found!r}, not {value!r}")
    return wrong


MAKING = ("create", "mkdir", "mknod", "symlink", "link")


def is_makers(line, events):
    """What the maker of a new file gave it, of which fanotify cannot say what it was."""
    return get(line, "event.action") == "attributes" and any(
        get(l, "event.action") in MAKING and get(l, "file.path") == get(line, "file.path")
        and get(l, "process.pid") == get(line, "process.pid") for l in events)


def stands_for(line, event, run):
    """What this line says that it does not know of that event; None: it is of another one."""
    return what_is_not_known(line, event, differences(event, line, run)) if event.is_at(run, get(line, "file.path")) else None


class Never(Event):
    """What must not be reported, though it would be harmless elsewhere."""


def is_less(event, line, run):
    return not [d for d in differences(event, line, run) if "path None" not in d]


# Facts that a sensor may not have by its nature: left out they are missing, not wrong.
UNKNOWN = ("culprit.route None", "culprit.syscall None", "culprit.file.previous_path None")


# What may stand beside an expected change without being a wrong answer: reading, and how a write is
# reported (opened, truncated, written), which sensors see in different steps.
HARMLESS = {"read", "exec", "open-write", "write"}


def is_scenery(line, scenario):
    """What the battery itself did to set the scene, where that may be reported: no answer to what another is expected
    to have done."""
    return get(line, "event.action") in scenario.harmless and get(line, "process.pid") == os.getpid()


def is_interruption(line):
    """What a busy machine may hide, of whatever file: a gap, and no fault of what is reported. (What is not reported is one.)"""
    message = get(line, "message") or ""
    return "had interrupted them" in message or "had started again before" in message


def compare(expected, lines, run, scenario, uncertain=None):
    """(what was reported wrong, what was not reported, what was said to be unknown: gaps). uncertain: a list that takes what
    may be reported as not certain; None: nothing may."""
    wrong, missing, gaps, unreported = [], [], [], []
    events = [l for l in lines if get(l, "event.kind") == "event"]
    used = set()
    for e in expected:
        actions = e.action.split("|")
        candidates = [i for i, l in enumerate(events) if i not in used and get(l, "event.action") in actions
                      and e.is_at(run, get(l, "file.path")) and not is_scenery(l, scenario)]
        if isinstance(e, Never):
            wrong += [f"reported, but never done: {e}"] * len(candidates)
            continue
        if not candidates:
            if not e.optional:
                missing.append(f"not reported: {e}")
                unreported.append(e)
            continue
        best = min(candidates, key=lambda i: len(differences(e, events[i], run)))
        used.add(best)
        for d in differences(e, events[best], run):
            (missing if d.startswith(UNKNOWN) else wrong).append(f"{e}: {d}")
    for i, line in enumerate(events):
        action = get(line, "event.action")
        if i in used or action in scenario.harmless or action in HARMLESS or is_makers(line, events):
            continue
        # reported of the right actor and without a place: less than what is expected, and not wrong
        if get(line, "file.path") is None and any(action in e.action.split("|") and is_less(e, line, run) for e in unreported):
            missing.append(f"{action}: its place is not known")
            continue
        unsure = [(e, unknown) for e in unreported if uncertain is not None for unknown in [stands_for(line, e, run)] if unknown]
        if unsure:
            event, unknown = unsure[0]
            unreported.remove(event)
            missing.remove(f"not reported: {event}")
            uncertain.append(f"{event}: {unknown} is not known")
            continue
        wrong.append(f"reported too much: {action} {get(line, 'file.path')} by {get(line, 'process.name')}"
                     f" {get(line, 'event.outcome')}")
    for field in ("event.id", "@timestamp", "ecs.version", "host.name"):
        if any(get(l, field) is None for l in events):
            wrong.append(f"an event without {field}")
    for line in lines:
        if get(line, "event.kind") == "pipeline_error" and not scenario.gaps and not is_interruption(line):
            gaps.append(f"a gap: {get(line, 'message')} {get(line, 'culprit.gap')}")
    return wrong, missing, gaps
