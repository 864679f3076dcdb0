#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses a function below src/ of more than 80 lines, from its name to its last brace."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 80
NAME = re.compile(r"(\w+)\(")


def functions(lines):
    """(first line, number of lines, name): a definition begins a line, and so do its braces."""
    head = first = None
    for number, line in enumerate(lines, 1):
        if line == "{" and head is not None:
            first = head
        elif line.startswith("}") and first is not None:
            yield first, number - first + 1, NAME.search(lines[first - 1])[1]
            head = first = None
        elif first is None and re.match(r"[a-z]", line) and NAME.search(line):
            head = number
        elif first is None and not line.startswith(" "):
            head = None


def main():
    bad = seen = 0
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        for first, count, name in functions(path.read_text().split("\n")):
            seen += 1
            if count > LINES_MAX:
                print(f"{path.relative_to(ROOT)}:{first}: {name}: {count} lines, at most {LINES_MAX}: which part has a name of its own?")
                bad += 1
    if seen < 1000:
        print(f"functions: only {seen} found: the checker does not see them")
        bad += 1
    print(f"functions: {bad} too long" if bad else f"functions: none of {seen} has more than {LINES_MAX} lines")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
