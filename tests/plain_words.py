#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names and comments below src/ and of the tests, and the documents, use the words of docs/glossary.md; no file below src/ is longer
than 700 lines.

Strings of sources are not looked at, nor what a document quotes: code, examples, what is in double quotes on one line. Prints each
place, with the word to use.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests/unit", "tests/fuzz", "tests/actors", "bench")
SCRIPTS = ("tests/cli", "tests/oracle", "tests/scenario", "tests/search", "tests/situations", "tests/vm")
OWN = ("tests/plain_words.py", "tests/type_names.py")  # they name what they refuse
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "man/*.[1-8]", "dist/culprit.conf")
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
IN_DOCUMENTS = {"stand": "are, is listed (\"stand for\" is fine)", **INSTEAD}
AS_QUOTED = ("fanotify: tell nothing that is not known to be so",)  # a commit's subject, by which it is found
AS_IT_IS = re.compile(r"stands_for|\|.* stands twice")  # a name, the product's words


def any_of(words):
    """A pattern of these words."""
    return re.compile(r"(?<![A-Za-z])(" + "|".join(words) + r")(?![A-Za-z])(?! for\b)", re.I)


WORD, WORD_OF_DOCUMENT = any_of(INSTEAD), any_of(IN_DOCUMENTS)
STRING = re.compile(r"/\*.*?\*/|'(?:\\.|[^'\\\n])+'|\"(?:\\.|[^\"\\\n])*\"", re.S)
# examples and code; a paragraph's span of code may go over the end of a line
OF_MARKDOWN = re.compile(r"^```.*?^```|^    .*?$|`(?:[^`\n]|\n(?!\n))*`|\"[^\"\n]*\"", re.S | re.M)
OF_OTHERS = re.compile(r"^\.(EX|nf)$.*?^\.(?:EE|fi)$|\"[^\"\n]*\"", re.S | re.M)
OLDER_WORDS = re.compile(r"^## Inside.*", re.S | re.M)  # the glossary's list of them


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
    found = [p for folder in SCRIPTS for p in (ROOT / folder).rglob("*")] + list((ROOT / "tests").glob("*"))
    for path in sorted(p for p in found if p.suffix in (".py", ".sh")):
        name = str(path.relative_to(ROOT))
        if name not in OWN:
            yield name, list(words_of_script(path))


def documents():
    """(file, places): how each document calls things."""
    for path in sorted(p for pattern in DOCUMENTS for p in ROOT.glob(pattern)):
        name = str(path.relative_to(ROOT))
        text = (OF_MARKDOWN if path.suffix == ".md" else OF_OTHERS).sub(lambda m: "\n" * m.group().count("\n"), path.read_text())
        if name == "docs/glossary.md":
            text = OLDER_WORDS.sub("", text)
        for subject in AS_QUOTED:
            text = text.replace(subject, "")
        yield name, [(n, m) for n, line in enumerate(text.split("\n"), 1) for m in WORD_OF_DOCUMENT.finditer(line)]


def complain(name, found):
    """How many places it printed."""
    for number, match in found:
        print(f"{name}:{number}: \"{match.group()}\": {IN_DOCUMENTS[match.group().lower()]} (docs/glossary.md)")
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
    bad += sum(complain(name, found) for found_in in (scripts, documents) for name, found in found_in())
    print(f"words: {bad} places" if bad else "words: those of docs/glossary.md, and no file is too long")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
