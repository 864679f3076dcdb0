# SPDX-License-Identifier: MIT
"""What fanotify alone reports where it looked too late: less, with the word that the rest is not known. A line without
that word, of another path, or by another process, stands for nothing."""

CHANGES = {"chmod", "chown", "utime", "setxattr", "removexattr", "setflags", "setacl"}

# what is reported · how its note begins · what it may have been · fields that it cannot have · what is not known then
WORDS = (
    ("create", ("gone before it could be looked at",), {"symlink", "mknod", "link"}, ("file.",), "what it was"),
    ("attributes", ("another process changed it in the same moment",), CHANGES, ("culprit.before", "culprit.after", "file."),
     "which attribute, by which of two processes,"),
    ("attributes", ("an attribute was changed; ", "attributes were changed before they could be looked at",
                    "attributes were set to what they were"), CHANGES, ("culprit.before", "culprit.after", "file."),
     "which attribute"),
)


def what_is_not_known(line, event, differences):
    """What this line says that it does not know, if it stands for that event; else None. differences: of
    the two, each beginning with its field, but for the operation and the path."""
    reported = (line.get("event") or {}).get("action")
    note = (line.get("culprit") or {}).get("note") or ""
    for action, notes, meant, lacks, unknown in WORDS:
        if (reported == action and note.startswith(notes) and meant & set(event.action.split("|"))
                and all(d.startswith(lacks) for d in differences)):
            return unknown
    return None
