#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses a name of a file in the documents that no file has: what was renamed, moved or removed since.

It looks at what is between back quotes: a path that begins at the top (`src/...`, `tests/...`), in or below a folder of src/
(`watch/resolve.c`, `guard/keeper`), or below tests/ (`unit/test_x.c`); a file's name with .c or .h; and in docs/architecture.md what a
list's row begins with (- `X`:), which is a file of src/ without its ending.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/dependencies.md", "docs/glossary.md",
             "docs/guard.md", "docs/reliability.md", "docs/testing.md")
TOPS = ("src", "tests", "docs", "tools", "bench", "dist", "man", "debian", "systemd", "data", "completions")
QUOTED = re.compile(r"`([^`]+)`")
ROW = re.compile(r"^- ((?:`[\w./]+`(?: \((?:`\w+`(?:, | and )?)+\))?(?:, | and )?)+)[:;]")
PATH = re.compile(r"[\w.-]+(?:/[\w.*-]+)+/?|\w+\.[ch]")


def files():
    """The names of src/ with and without endings, with and without the folders above."""
    known = set()
    for path in (ROOT / "src").rglob("*"):
        parts = path.relative_to(ROOT / "src").parts
        for i in range(len(parts)):
            name = "/".join(parts[i:])
            known |= {name, re.sub(r"(\.bpf)?\.[ch]$", "", name)}
    return known


def is_there(name, known):
    """A file, a folder, or a pattern that some file has."""
    name = name.rstrip("/")
    if name in known:
        return True
    return any(list(ROOT.glob(top + name)) for top in ("", "src/", "tests/", "tests/unit/", "tests/fuzz/"))


def is_of_ours(name):
    """Not a path of the system or of a user's."""
    first = name.split("/")[0]
    return first in TOPS or (ROOT / "src" / first).is_dir() or (ROOT / "tests" / first).is_dir() or name.endswith((".c", ".h"))


def missing(text, rows, known):
    """(line, name) of each that no file has."""
    for number, line in enumerate(text.split("\n"), 1):
        row = ROW.match(line) if rows else None
        for name in QUOTED.findall(row.group(1)) if row else ():
            if not is_there(name, known):
                yield number, name
        for name in QUOTED.findall(line):
            name = name.split(" ")[0]
            if PATH.fullmatch(name) and is_of_ours(name) and not name.startswith("build") and not is_there(name, known):
                yield number, name


def main():
    known = files()
    tried = "`watch/no_such.c`\n- `no_such`, `fuse`: x\n`src/watch/`, `watch/fuse` and `fuse.h`, `/etc/x.c y`\n"
    if list(missing(tried, True, known)) != [(1, "watch/no_such.c"), (2, "no_such")]:
        sys.exit("doc_files: it does not find what it must find: " + str(list(missing(tried, True, known))))
    bad = 0
    for document in DOCUMENTS:
        for number, name in missing((ROOT / document).read_text(), document == "docs/architecture.md", known):
            print(f"{document}:{number}: `{name}`: there is no such file")
            bad += 1
    print(f"documents: {bad} names of no file" if bad else "documents: each file that they name exists")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
