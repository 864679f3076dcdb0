#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names and comments below src/ and of the tests use the words of docs/glossary.md; no file below src/ is longer than 700 lines.

Words that users read are not looked at: strings are theirs. Prints each place, with the word to use.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests/unit", "tests/fuzz", "tests/actors", "bench")
SCRIPTS = ("tests/cli", "tests/oracle", "tests/scenario", "tests/search", "tests/situations")
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
AS_IT_IS = re.compile(r"stands_for|\|.* stands twice")  # a name, the product's words
WORD = re.compile(r"(?<![A-Za-z])(" + "|".join(INSTEAD) + r")(?![A-Za-z])(?! for\b)", re.I)
STRING = re.compile(r"/\*.*?\*/|'(?:\\.|[^'\\\n])+'|\"(?:\\.|[^\"\\\n])*\"", re.S)


def without_strings(text):
    """The same text, with strings emptied; comments stay, and lines keep their numbers."""
    return STRING.sub(lambda m: m.group() if m.group().startswith("/*") or "\n" in m.group() else '""', text)


def words_of_script(path):
    """What a script calls its things, and its comments: (line, match). Strings of one line are not looked at: some are the product's."""
    for number, line in enumerate(path.read_text().split("\n"), 1):
        kept = re.sub(r"(?<!\"\")\"(?!\"\")(?:\\.|[^\"\\])*\"(?!\")|'(?:\\.|[^'\\ ])*'", '""', AS_IT_IS.sub("", line))
        yield from ((number, m) for m in WORD.finditer(kept))


def scripts():
    """(file, places): how each script calls things."""
    for path in sorted(p for folder in SCRIPTS for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".sh")):
        yield str(path.relative_to(ROOT)), list(words_of_script(path))


def complain(name, found):
    """How many places it printed."""
    for number, match in found:
        print(f"{name}:{number}: \"{match.group()}\": {INSTEAD[match.group().lower()]} (docs/glossary.md)")
    return len(found)


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
        bad += complain(name, found)
    bad += sum(complain(name, found) for name, found in scripts())
    print(f"words: {bad} places" if bad else "words: those of docs/glossary.md, and no file is too long")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
