#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the battery makes of a right line, of a wrong one, and of one that says what it does not know. Needs no root."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib.expect import Event, compare  # noqa: E402

UNSEEN = "gone before it could be looked at: a file, perhaps a link or a special file"
OTHERS = "another process changed it in the same moment; which of them did what is not certain"
EARLIER = "attributes were changed before they could be looked at: what it was is reported with an earlier change, or not known"


class Run:
    act_path = "/act"

    @staticmethod
    def path(name):
        return "/w/" + name


class Scenario:
    harmless, gaps = (), False


def line(action, name, pid, note=None):
    return {"event": {"kind": "event", "action": action, "outcome": "success", "id": "1"}, "@timestamp": "1", "ecs": {"version": "1"},
            "host": {"name": "h"}, "file": {"path": "/w/" + name}, "process": {"pid": pid, "executable": "/act"},
            "culprit": {"note": note} if note else {}}


class Battery(unittest.TestCase):
    def compared(self, expected, lines, alone=True):
        """(wrong, missing, what is said not to be known)"""
        uncertain = [] if alone else None
        wrong, missing, _ = compare(expected, lines, Run, Scenario, uncertain)
        return len(wrong), len(missing), uncertain

    def test_what_was_replaced_before_anybody_looked(self):
        for made in "symlink", "mknod", "link":
            expected = [Event(made, "l", pid=1, executable="act", file__target_path="a")]
            self.assertEqual(self.compared(expected, [line("create", "l", 1, UNSEEN)]), (0, 0, [f"{made} l: what it was is not known"]))
            for other in (line("create", "l", 1), line("create", "m", 1, UNSEEN), line("create", "l", 2, UNSEEN),
                          line("create", "l", 1, OTHERS), line("unlink", "l", 1, UNSEEN)):
                self.assertEqual(self.compared(expected, [other])[:2], (1, 1))
            self.assertEqual(self.compared(expected, [line("create", "l", 1, UNSEEN)], alone=False)[:2], (1, 1))
        self.assertEqual(self.compared([Event("mkdir", "l", pid=1)], [line("create", "l", 1, UNSEEN)])[:2], (1, 1))
        self.assertEqual(self.compared([Event("create", "l", pid=1)], [line("create", "l", 1, UNSEEN)])[:2], (0, 0))

    def test_two_changes_of_attributes_before_anybody_looked(self):
        expected = [Event("setxattr", "f", pid=1), Event("removexattr", "f", pid=2)]
        for note in OTHERS, EARLIER:
            wrong, missing, unknown = self.compared(expected, [line("attributes", "f", 1, note), line("attributes", "f", 2, note)])
            self.assertEqual((wrong, missing, len(unknown)), (0, 0, 2))
        self.assertEqual(self.compared(expected, [line("attributes", "f", 1, OTHERS), line("attributes", "f", 1, OTHERS)])[:2], (1, 1))
        self.assertEqual(self.compared(expected, [line("attributes", "f", 1), line("removexattr", "f", 2)])[:2], (1, 1))
        self.assertEqual(self.compared(expected, [line("setxattr", "f", 2), line("attributes", "f", 1, OTHERS)])[:2], (2, 1))

    def test_one_line_stands_for_one_change(self):
        expected = [Event("chmod", "f", pid=1, culprit__after__mode="0600"), Event("chown", "f", pid=2)]
        self.assertEqual(self.compared(expected, [line("attributes", "f", 1, OTHERS)])[:2], (0, 1))
        self.assertEqual(self.compared(expected[:1], [line("attributes", "f", 1, OTHERS)] * 2)[:2], (1, 0))


if __name__ == '__main__':
    unittest.main(verbosity=0)
