#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses a name that two types below src/ have, and files whose names say nothing (internal.h, common.c).

Whoever reads `struct entry` should not have to ask which one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src"
NO_CODE = re.compile(r"""/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])+'|"(?:\\.|[^"\\\n])*\"""", re.S)
TYPE = re.compile(r"\b(struct|union|enum)\s+(\w+)\s*\{")

# `struct sensor` is each sensor's own (sensor/sensor.h): whoever holds one knows a pointer alone.
EACH_ITS_OWN = {"sensor"}
SAYS_NOTHING = {"internal", "common", "misc", "helpers", "util", "utils", "tell", "types"}


def main():
    failed = 0
    where = {}
    for path in sorted(p for ext in ("*.c", "*.h") for p in ROOT.rglob(ext)):
        name = path.relative_to(ROOT)
        if path.stem in SAYS_NOTHING:
            print(f"types: src/{name}: a file's name says what is in it")
            failed = 1
        code = NO_CODE.sub(lambda m: "\n" * m[0].count("\n"), path.read_text())
        for found in TYPE.finditer(code):
            line = code.count("\n", 0, found.start()) + 1
            where.setdefault(found[2], []).append(f"src/{name}:{line}")
    for name, places in sorted(where.items()):
        if len(places) > 1 and name not in EACH_ITS_OWN:
            print(f"types: {name} is {len(places)} types: {', '.join(places)}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
