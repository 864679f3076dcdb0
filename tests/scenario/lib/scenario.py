# SPDX-License-Identifier: MIT
"""What a scenario is, how it is added, and what many of them need."""
from lib.expect import Event

SCENARIOS = []
META, REFUSED = ("metadata",), ("refused",)  # what a scenario may need
ENGINES = ("docker: ", "podman: ", "containerd: ", "runc: ")


class Scenario:
    """needs: the capabilities without which it cannot be reported · harmless: what may be reported besides ·
    gaps: a window may be reported · alone: needs a culprit of its own · anywhere: the file system does not
    matter · guest: would disturb a machine in use · limits: {sensor: why}, a weakness of that sensor that no
    capability names and the manual says · costly: sensors with which it is not played, it would take minutes."""

    def __init__(self, during, name, needs, before, after, targets, options, harmless, gaps, alone, anywhere, guest,
                 limits, costly):
        self.limits, self.costly = limits or {}, costly
        self.during, self.name, self.needs = during, name, needs
        self.before, self.after = before, after
        self.targets = targets or (lambda run: [run.dir])
        self.options, self.harmless, self.gaps = options, harmless, gaps
        self.engine = name.split(": ")[0] if name.startswith(ENGINES) else None  # a real one of its own
        containers = name.startswith("container: ") or self.engine is not None
        self.alone = bool(alone or options or gaps or containers)
        self.anywhere, self.guest = anywhere or containers, guest


def scenario(name, needs=("names",), before=None, after=None, targets=None, options=(), harmless=(), gaps=False,
             alone=False, anywhere=False, guest=False, limits=None, costly=()):
    def add(function):
        SCENARIOS.append(Scenario(function, name, needs, before, after, targets, list(options), set(harmless), gaps,
                                  alone, anywhere, guest, limits, costly))
        return function
    return add


def files(*names, mode=0o644):
    return lambda run: [run.write(n, mode=mode) for n in names]


def act_event(run, action, path, pid, **more):
    return Event(action, path, pid=pid, executable="act", **more)
