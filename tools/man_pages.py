#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man_pages.py SOURCE_DIR OUTPUT_DIR COMMAND...: a manual page for each command that has none of its own, of what
culprit.1 says about it: its synopsis, its text below COMMANDS, the options that name it, and its sections.
tests/cli/run.sh compares those with the table of options.
"""
import pathlib
import re
import sys

# sections of culprit.1 that are about some commands only; all but the exit status stays there
SECTIONS = {"SEARCH": ("search",), "THE DAEMON": ("watch", "run"), "EXIT STATUS": None}


def sections(text):
    """Name of a section: its lines."""
    parts = re.split(r"^\.SH (.*)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def entries(text):
    """(Tag, text) of a list of paragraphs with tags."""
    for entry in re.split(r"^\.TP\n", text, flags=re.M)[1:]:
        tag, _, words = entry.partition("\n")
        yield tag, words


def options(manual, command):
    out = ""
    for tag, words in entries(manual["OPTIONS"]):
        whose = re.match(r"\(([^)]*)\)[ \n]?", words)
        if whose and command in (name.split()[0] for name in re.split(r", *", whose[1])):
            out += f".TP\n{tag}\n{words[whose.end():]}"
    return out


def page(manual, head, command, summary):
    synopsis = [part for part in manual["SYNOPSIS"].split(".br\n") if re.match(rf"\.B culprit {command}\b", part)]
    description = [words for tag, words in entries(manual["COMMANDS"]) if tag == f".B {command}"]
    if len(synopsis) != 1 or len(description) != 1:
        sys.exit(f"man_pages.py: culprit.1 has {len(synopsis)} synopses and {len(description)} texts of {command}")
    out = '.\\" SPDX-License-Identifier: MIT\n' + head.replace("CULPRIT 1", f"CULPRIT-{command.upper()} 1")
    out += f".SH NAME\nculprit\\-{command} \\- {summary}\n.SH SYNOPSIS\n{synopsis[0]}"
    out += f".SH DESCRIPTION\n{description[0].replace('.IP', '.PP')}"
    own = options(manual, command)
    if own:
        out += f".SH OPTIONS\n{own}"
    for name, whose in SECTIONS.items():
        if whose is None or command in whose:
            out += f".SH {name}\n{manual[name]}"
    return out + (".SH SEE ALSO\n.BR culprit (1)\nhas what a TARGET is, what a verdict says, the limits, the privileges "
                  "and the files;\n.BR culprit\\-daemon (8),\n.BR culprit\\-ctl (1)\n")


def main():
    source, output, commands = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    text = (source / "man/culprit.1").read_text()
    verbs = dict(re.findall(r'\{ VERB_\w+, "(\w+)", "([^"]*)"', (source / "src/cli/verbs.c").read_text()))
    head = re.search(r"^\.TH .*\n", text, flags=re.M)[0]
    for command in commands:
        summary = verbs[command].replace("-", "\\-")
        (output / f"culprit-{command}.1").write_text(page(sections(text), head, command, summary))


main()
