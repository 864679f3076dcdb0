# SPDX-License-Identifier: MIT
"""One situation: what is there, what is done with which real program, and what the answer must be."""
import re
from dataclasses import dataclass, field


@dataclass
class Row:
    name: str
    do: str                       # shell text; {d} the watched directory, {t} a folder for tools, {tty} the terminal
    says: list = field(default_factory=list)   # phrases of the first lines, one list a verdict (or a plain list for one)
    never: list = field(default_factory=list)  # phrases that stand nowhere in the answer
    details: list = field(default_factory=list)  # phrases of the lines below, or of any other line of the answer
    verdicts: int = 1
    by: str = 'root'              # who does it, and how: see World.play()
    files: dict = field(default_factory=lambda: {'a': 'a\n'})  # in {d} before it begins; None is a directory
    tools: dict = field(default_factory=dict)  # in {t}, executable
    needs: tuple = ()             # programs without which the row cannot be set up
    until: str = ''               # shell test that holds once it is done; for what nobody waits for
    target: str = '{d}'
    every: bool = False           # also by the other sensors, and from an audit log
    log: bool = True              # a log can show it (with every)
    log_says: list = field(default_factory=list)  # what a log says instead: it has no forks, and nobody's address
    audit_says: list = field(default_factory=list)  # what audit alone says instead, live and from a log: it sees opens, and no writes
    engine: bool = False          # needs a container engine; {c} is a container's name
    prepare: str = ''             # shell text as root, before the watch begins


ROWS = []


def row(name, do, says=(), **more):
    ROWS.append(Row(name, do, list(says), **more))


def flat(text):
    """An answer without its line breaks: a sentence is wrapped where the terminal ends."""
    return re.sub(r'\s+', ' ', text).strip()


def sentences(answer):
    """The first line of each verdict, unwrapped."""
    found, current = [], None
    for line in answer.splitlines():
        if line.startswith('VERDICT'):
            current = [line[len('VERDICT'):]]
            found.append(current)
        elif current is not None and line.startswith('         ') and not current_ended(line):
            current.append(line)
        else:
            current = None
    return [flat(' '.join(lines)) for lines in found]


def current_ended(line):
    return re.match(r'^ {2}\S', line) is not None
