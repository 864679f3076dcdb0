#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the oracle makes of strace's lines, and of what was reported beside them: an oracle that errs finds nothing. Needs no root."""
import os
import sys
import tempfile
import unittest
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from change import NOBODY, Reported  # noqa: E402
from compare import compare  # noqa: E402
from truth import Truth  # noqa: E402


class Oracle(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.top = os.path.realpath(self.folder.name)
        os.chmod(self.top, 0o755)
        for name in 'ab':
            open(os.path.join(self.top, name), 'w').close()
        os.mkdir(os.path.join(self.top, 'sub'))

    def at(self, name):
        return os.fsencode(os.path.join(self.top, name))

    def changes(self, *lines):
        truth = Truth(self.top)
        with tempfile.NamedTemporaryFile('w') as log:
            log.write(''.join(line + '\n' for line in lines))
            log.flush()
            return truth.read(log.name)

    def reported(self, changes, *rows, sensors='bpf'):
        return compare(changes, Counter(Reported(*row) for row in rows), sensors)

    def test_a_child_that_left_before_its_fork_ended(self):
        c = self.changes('1 vfork( <unfinished ...>', '2 chdir("sub") = 0', '1 <... vfork resumed>) = 2', '2 mkdir("x", 0777) = 0',
                         '1 unlink("a") = 0')
        self.assertEqual([x.path for x in c], [self.at('sub/x'), self.at('a')])

    def test_one_of_several_processes(self):
        c = self.changes('1 chmod("a", 0600) = 0', '2 chown("a", 5, 6) = 0')
        r = self.reported(c, ('chmod', self.at('a'), None), ('chown', self.at('a'), None), sensors='fanotify')
        self.assertEqual((r.right, r.unknown, len(r.wrong)), (2, 2, 0))
        r = self.reported(c, ('chmod', self.at('a'), None), ('chmod', self.at('a'), None), sensors='fanotify')
        self.assertEqual((r.right, len(r.wrong)), (1, 1))

    def test_exchange(self):
        c = self.changes('1 renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) = 0', '1 renameat2(AT_FDCWD, "a", AT_FDCWD, "a", RENAME_EXCHANGE) = 0')
        self.assertEqual([(x.previous, x.path) for x in c], [(self.at('a'), self.at('b')), (self.at('b'), self.at('a'))])

    def test_what_was_refused(self):
        c = self.changes('1 unlink("a") = -1 EACCES (Permission denied)', '1 unlink("none") = -1 ENOENT (No such file or directory)',
                         '1 rmdir("sub") = -1 ENOTEMPTY (Directory not empty)', '1 chmod("b", 0600) = -1 EROFS (Read-only file system)',
                         '1 openat(AT_FDCWD, "new", O_WRONLY|O_CREAT, 0666) = -1 EACCES (Permission denied)',
                         '1 openat(AT_FDCWD, "a", O_WRONLY|O_CREAT, 0666) = -1 EACCES (Permission denied)')
        self.assertEqual([(x.ops[0], x.error) for x in c], [('unlink', 'EACCES'), ('rmdir', 'ENOTEMPTY'), ('chmod', 'EROFS'),
                                                            ('create', 'EACCES'), ('open-write', 'EACCES')])
        self.assertEqual(c[2].unplaced, NOBODY)
        self.assertEqual(len(self.reported(c).missed), 4)
        self.assertEqual(len(self.reported(c).declared), 1)
        self.assertEqual(len(self.reported(c, sensors='fanotify').missed), 0)
        right = self.reported(c, ('unlink', self.at('a'), 1, None, 'EACCES'))
        self.assertEqual((right.right, right.refused, len(right.wrong)), (1, 1, 0))

    def test_names_of_one_file(self):
        c = self.changes('1 link("a", "c") = 0', f'1 fchmod(3<{self.top}/c>, 0600) = 0')
        self.assertEqual(set(c[1].links), {self.at('a'), self.at('c')})
        link = ('link', self.at('c'), 1)
        self.assertEqual(len(self.reported(c, link, ('chmod', self.at('a'), 1), sensors='audit').wrong), 1)
        r = self.reported(c, link, ('chmod?', self.at('a'), 1), sensors='audit')
        self.assertEqual((r.right, r.unknown, len(r.missed), len(r.wrong)), (2, 1, 0, 0))

    def test_a_second_name_of_a_symbolic_link(self):
        c = self.changes('1 symlink("a", "l") = 0', '1 link("l", "m") = 0', '1 chmod("m", 0600) = 0', '1 unlink("l") = 0', '1 chmod("m", 0640) = 0')
        self.assertEqual([(x.ops[0], x.path) for x in c], [('symlink', self.at('l')), ('link', self.at('m')), ('chmod', self.at('a')),
                                                           ('unlink', self.at('l')), ('chmod', self.at('a'))])

    def test_a_name_before_or_after(self):
        c = self.changes('1 creat("sub/x", 0600) = 3<%s/sub/x>' % self.top, '1 chmod("sub/x", 0600) = 0', '1 rename("sub", "moved") = 0', '1 unlink("moved/x") = 0')
        rows = [('create', self.at('sub/x'), 1), ('rename', self.at('moved'), 1, self.at('sub'))]
        r = self.reported(c, *rows, ('chmod?', self.at('moved/x'), 1), ('unlink?', self.at('sub/x'), 1), sensors='fanotify')
        self.assertEqual((r.right, r.unknown, len(r.missed), len(r.wrong)), (4, 2, 0, 0))
        r = self.reported(c, *rows, ('attributes?', self.at('moved/x'), 1), ('unlink', self.at('sub/x'), 1), sensors='fanotify')
        self.assertEqual((r.right, r.unknown, len(r.missed), len(r.wrong)), (3, 1, 1, 1))
        r = self.reported(c, *rows, ('unlink?', self.at('b'), 1), sensors='fanotify')
        self.assertEqual((len(r.missed), len(r.wrong)), (2, 1))
        r = self.reported(c, *rows, ('chmod', self.at('sub/x'), 1), ('unlink', self.at('moved/x'), 1), ('unlink?', self.at('sub/x'), 1), ('attributes?', self.at('sub/x'), 1), sensors='fanotify,audit')
        self.assertEqual((r.right, len(r.extra), len(r.wrong)), (4, 1, 0))

    def test_found_in_a_new_folder(self):
        c = self.changes('1 rename("a", "sub/c") = 0', '1 mkdir("sub/d", 0777) = 0')
        r = self.reported(c, ('found', self.at('sub/c'), 1), ('found', self.at('sub/d'), 1), sensors='fanotify')
        self.assertEqual((r.right, r.unknown, len(r.missed), len(r.wrong)), (2, 2, 0, 0))
        r = self.reported(c, ('found', self.at('sub/e'), 1), ('found', self.at('sub/d'), 2), sensors='fanotify')
        self.assertEqual((r.right, len(r.missed), len(r.wrong)), (0, 2, 2))

    def test_what_is_wrong(self):
        c = self.changes('1 unlink("a") = 0')
        for row, extra, wrong, who in ((('unlink', self.at('a'), 2), 0, 1, 1), (('unlink', self.at('b'), 1), 0, 1, 0),
                                       (('rmdir', self.at('a'), 1), 0, 1, 0), (('unlink', self.at('a'), 1, None, 'EACCES'), 0, 1, 0)):
            r = self.reported(c, row)
            self.assertEqual((len(r.extra), len(r.wrong), len(r.who), len(r.missed)), (extra, wrong, who, 1), row)
        twice = compare(c, Counter({Reported('unlink', self.at('a'), 1): 2}), 'bpf')
        self.assertEqual((twice.right, len(twice.extra), len(twice.wrong)), (1, 1, 0))

    def test_a_descriptor_shows_audit_no_file(self):
        c = self.changes(f'1 ftruncate(3<{self.top}/a>, 1) = 0')
        self.assertEqual(len(self.reported(c, sensors='audit').declared), 1)
        self.assertEqual(len(self.reported(c, sensors='fanotify,audit').missed), 1)
        # it is folded into what was reported, which both declare; nothing of a call by name is
        wrote = ('write', self.at('a'), 1)
        for sensors, declared in (('fanotify,audit', 1), ('fanotify', 1), ('bpf', 0)):
            r = self.reported(c + c, wrote, sensors=sensors) # the first is that write
            self.assertEqual((r.right, len(r.declared), len(r.missed), len(r.wrong)), (1, declared, 1 - declared, 0), sensors)
        c = self.changes('1 truncate("a", 1) = 0', '1 utimensat(AT_FDCWD, "a", NULL, 0) = 0')
        self.assertEqual([len(self.reported(c, wrote, sensors=s).missed) for s in ('fanotify,audit', 'audit', 'bpf')], [1, 1, 1])

    def test_what_can_be_of_two_is_of_the_one_that_must_be_reported(self):
        c = self.changes('1 link("a", "c") = 0', f'1 utimensat(3<{self.top}/a>, NULL, NULL, 0) = -1 EPERM (Operation not permitted)',
                         '1 utimensat(AT_FDCWD, "a", NULL, 0) = -1 EPERM (Operation not permitted)')
        r = self.reported(c, ('link', self.at('c'), 1), ('utime?', self.at('c'), 1, None, 'EPERM'), sensors='audit')
        self.assertEqual((r.right, r.unknown, len(r.declared), len(r.missed)), (2, 1, 1, 0))

    def test_found_by_looking_under_another_name(self):
        c = self.changes('1 chmod("a", 0600) = 0', '1 rename("a", "z") = 0')
        r = self.reported(c, ('chmod?', self.at('z'), None), ('rename', self.at('z'), 1, self.at('a')), sensors='fanotify')
        self.assertEqual((r.right, r.unknown, r.wrong), (2, 1, []))
        for op, path in (('chmod', 'z'), ('chmod?', 'b')): # without the word, or under a name that it never had
            r = self.reported(c, (op, self.at(path), None), ('rename', self.at('z'), 1, self.at('a')), sensors='fanotify')
            self.assertEqual((len(r.missed), len(r.wrong)), (1, 1), op + path)


if __name__ == '__main__':
    unittest.main()
