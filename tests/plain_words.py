#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names and comments below src/ and of the tests in C use the words of docs/glossary.md; no file below src/ is longer than 700 lines.

Words that users read are not looked at: strings are theirs. Prints each place, with the word to use.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests/unit", "tests/fuzz", "tests/actors", "bench")
LINES_MAX = 700  # of one file: two jobs, most of the time

INSTEAD = {
    "tell": "emit, report, say, or print",
    "tells": "says, shows, reports",
    "told": "emitted, reported, known",
    "telling": "emitting, printing",
    "untold": "not emitted, not known",
    "news": "notification",
    "sight": "observation",
    "sights": "observations",
    "road": "access path",
    "roads": "access paths",
    "lately": "recent, recently",
    "calm": "poll back-off",
    "ghost": "tombstone",
    "blinks": "say what would be missed",
    "stands": "is (\"stands for\" is fine)",
    "stood": "was",
}
WORD = re.compile(r"(?<![A-Za-z])(" + "|".join(INSTEAD) + r")(?![A-Za-z])(?! for\b)", re.I)
STRING = re.compile(r"/\*.*?\*/|'(?:\\.|[^'\\\n])+'|\"(?:\\.|[^\"\\\n])*\"", re.S)


def without_strings(text):
    """The same text, with strings emptied; comments stay, and lines keep their numbers."""
    return STRING.sub(lambda m: m.group() if m.group().startswith("/*") or "\n" in m.group() else '""', text)


def main():
    bad = 0
    for path in sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.[ch]")):
        name = str(path.relative_to(ROOT))
        text = path.read_text()
        lines = text.count("\n")
        if lines > LINES_MAX and name.startswith("src/"):
            print(f"{name}: {lines} lines, at most {LINES_MAX}: which two jobs does it have? A file for each")
            bad += 1
        found = [(0, m) for m in WORD.finditer(name)]
        for number, line in enumerate(without_strings(text).split("\n"), 1):
            found += [(number, m) for m in WORD.finditer(line)]
        for number, match in found:
            print(f"{name}:{number}: \"{match.group()}\": {INSTEAD[match.group().lower()]} (docs/glossary.md)")
            bad += 1
    print(f"words: {bad} places" if bad else "words: those of docs/glossary.md, and no file is too long")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
