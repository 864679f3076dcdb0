#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses a function of a header below src/ that no comment explains: at it, or above it or the block of lines that it is in.

A comment above a block (declarations without an empty line between them) counts for all of it: "NULL: memory. Freed with X_free()."
src/bpf/ is not looked at: BPF programs, whose functions are all in headers.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src"
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r"'(?:\\.|[^'\\\n])+'|\"(?:\\.|[^\"\\\n])*\"")
NAME = re.compile(r"(\w+)\s*\(")
NO_FUNCTION = re.compile(r"^\s*(#|typedef\b|\}|extern \"C\"|static_assert|_Static_assert)")

# What the checker must find and must not: it is tried on this before anything else.
TRIED = """/* What this file is about. */
#pragma once
#define CALLED(a) called(a)

int uncovered(int a);

/* Covered, 0 or -errno. */
int covered(void);
int in_its_block(const char *text,
                 int more);
static inline int defined(int a) {
    return called(a);
}

struct s {
    int (*pointer)(int a);
};
int below_a_type(struct s *s);

/* Of three. */
#define THREE 3
struct three {
    int a[THREE];

    int b;
};
int three_of(struct three *t);

int at_its_line(void); /* seconds */
int below_that_line(void);

/* About the type. */
struct t {
    int a;

    int b;
};

static inline bool uncovered_too(void)
{
    int a = 1;

    return called(a);
}
"""
UNCOVERED = ["uncovered", "below_a_type", "below_that_line", "uncovered_too"]


def blank(match):
    """As many lines of nothing."""
    return re.sub(r"[^\n]", " ", match[0])


def statements(code):
    """(first line, last line, text) of each declaration or definition of the outermost level; lines count from 0."""
    depth, text, first = 0, "", None
    for number, line in enumerate(code.split("\n")):
        if first is None and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first = number if first is None else first
        text += line + "\n"
        depth += line.count("{") + line.count("(") - line.count("}") - line.count(")")
        if depth == 0 and line.rstrip().endswith((";", "}")):
            yield first, number, text
            text, first = "", None


def function_of(text):
    """The name of the function that the statement declares or defines; None: a type, a variable."""
    head = text.split("{")[0]
    if NO_FUNCTION.match(head) or "(" not in head or "=" in head.split("(")[0]:
        return None
    found = NAME.search(head)
    return found[1] if found else None


def without_macros(text):
    """The same, with directives and the lines that they go on with emptied."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def uncovered(text):
    """(line, name) of the functions that no comment explains."""
    above_all, at_line = set(), set()  # lines of comments that begin a line; lines with one behind something
    for found in COMMENT.finditer(text):
        first = text.count("\n", 0, found.start())
        alone = not text[text.rfind("\n", 0, found.start()) + 1:found.start()].strip()
        (above_all if alone else at_line).update(range(first, first + found[0].count("\n") + 1))
    code = STRING.sub(blank, without_macros(COMMENT.sub(blank, text)))
    directives = {n for n, (line, left) in enumerate(zip(text.split("\n"), code.split("\n"))) if line.strip() and not left.strip()} - above_all
    covered_to = None  # the last line of the covered block, as far as it has come
    for first, last, statement in statements(code):
        above = first - 1
        while above in directives:
            above -= 1
        head = first + statement.split("{")[0].rstrip("\n").count("\n")
        if above in above_all or above == covered_to:
            covered_to = last
        elif function_of(statement) and not at_line.intersection(range(first, head + 1)):
            yield first + 1, function_of(statement)


def main():
    tried = [name for _, name in uncovered(TRIED)]
    if tried != UNCOVERED:
        print(f"contracts: the checker itself finds {tried}, not {UNCOVERED}")
        return 1
    bad = 0
    for path in sorted(ROOT.rglob("*.h")):
        name = path.relative_to(ROOT)
        if name.parts[0] == "bpf":
            continue
        for line, function in uncovered(path.read_text()):
            print(f"src/{name}:{line}: {function}: what must who calls it know? (units, ownership, lifetime, thread, errors)")
            bad += 1
    print(f"contracts: {bad} functions without" if bad else "contracts: each function of a header is explained")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
