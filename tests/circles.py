#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses circles of files below src/.

A .c and the .h beside it are one node. An edge is an #include, or the use of a function that the other one defines:
a header that declares the functions of many files would hide a circle else. In a circle no file can be understood,
tested or moved without the others. Prints the files of each circle with what closes it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
NO_CODE = re.compile(r"""/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])+'|"(?:\\.|[^"\\\n])*\"""", re.S)
DEFINITION = re.compile(r"^(?!static\b|typedef\b|#|\s)[^\n;{}()]*\b(\w+)\([^;{}]*\)[^;{}()]*\n\{", re.M)
STATIC = re.compile(r"^static\b[^\n;{}()]*\b(\w+)\([^;{}]*\)\s*\{", re.M)
CALL = re.compile(r"(?<![\w.>])(?<!struct )(?<!enum )(\w+)\b(?!\s*:)")

def node_of(path):
    return str(path.with_suffix(""))


def read(root):
    """node -> node -> what makes that edge"""
    edges = {}
    paths = {p.relative_to(root) for ext in ("*.c", "*.h") for p in root.rglob(ext)}
    text = {p: (root / p).read_text() for p in sorted(paths)}
    code = {p: NO_CODE.sub(" ", t) for p, t in text.items()}
    defined = {}
    for path, body in code.items():
        if path.suffix == ".c" and path.parts[0] != "bpf":
            for name in DEFINITION.findall(body):
                defined.setdefault(name, node_of(path))
    for path, body in text.items():
        out = edges.setdefault(node_of(path), {})
        for name in INCLUDE.findall(body):
            to = pathlib.Path(name) if pathlib.Path(name) in paths else path.parent / name
            if to in paths and node_of(to) != node_of(path):  # others are generated
                out.setdefault(node_of(to), []).append(f"includes {to}")
        if path.suffix != ".c" or path.parts[0] == "bpf":
            continue
        own = set(STATIC.findall(code[path]))
        for name in sorted(set(CALL.findall(code[path])) - own):
            to = defined.get(name)
            if to and to != node_of(path):
                out.setdefault(to, []).append(f"uses {name}()")
    return edges


def circles(edges):
    """The strongly connected components of more than one node (Tarjan, without recursion)."""
    index, low, on, stack, found = {}, {}, set(), [], []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on.add(start)
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in index:
                    index[to] = low[to] = len(index)
                    stack.append(to)
                    on.add(to)
                    work.append((to, iter(edges[to])))
                    break
                if to in on:
                    low[node] = min(low[node], index[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = set()
                    while node not in part:
                        part.add(stack.pop())
                    on -= part
                    if len(part) > 1:
                        found.append(sorted(part))
    return sorted(found, key=lambda c: (-len(c), c))


def main():
    edges = read(ROOT)
    failed = 0
    for circle in circles(edges):
        failed = 1
        print(f"circle of {len(circle)} files: {' '.join(circle)}")
        for node in circle:
            for to in sorted(edges[node]):
                if to in circle:
                    print(f"    {node} {', '.join(edges[node][to])} of {to}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
