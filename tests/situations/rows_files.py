# SPDX-License-Identifier: MIT
"""What was done: the words for each change, counts, what belongs together, what is no change."""
from row import row

row('sed -i', 'sed -i s/a/b/ {d}/a', ['root, at {tty}{from}, replaced {d}/a (written new as sed', ', renamed over it): sed -i s/a/b/ {d}/a, at'], never=['deleted'])
row('an atomic replacement', '{t}/update', ['root, at {tty}{from}, replaced {d}/a (written new as .a.tmp, renamed over it) with mv: /bin/sh {t}/update, at'], tools={'update': '#!/bin/sh\necho new > {d}/.a.tmp\nmv {d}/.a.tmp {d}/a\n:\n'}, never=['deleted'])
row('mv over a file', 'mv -f {d}/b {d}/a', ['root, at {tty}{from}, replaced {d}/a (by {d}/b, renamed over it): mv -f {d}/b {d}/a, at'], files={'a': 'a', 'b': 'b'})
row('a rename there and back', 'mv {d}/a {d}/b; mv {d}/b {d}/a', ['renamed {d}/a to {d}/b and back'], never=['2 files', 'twice'], every=True)
row('a script that moves a file away for a moment', '{t}/swap', ['{t}/swap, ', 'renamed {d}/a to {t}/b and back', ' with mv'], never=['2 files', 'moved'],
    tools={'swap': '#!/bin/sh\nmv {d}/a {t}/b\nmv {t}/b {d}/a\n'})
row('a rename', 'mv {d}/a {d}/z', ['root, at {tty}{from}, renamed {d}/a to {d}/z: mv {d}/a {d}/z, at'], every=True)
row('moved away', 'mv {d}/a {t}/gone', ['root, at {tty}{from}, moved {d}/a away to {t}/gone: mv {d}/a {t}/gone, at'], never=['deleted'], every=True)
row('moved in', 'mv {t}/new {d}/new', ['root, at {tty}{from}, renamed {t}/new to {d}/new: mv {t}/new {d}/new, at'], tools={'new': 'x'})
row('an exchange', 'python3 {t}/swap.py', ['root, at {tty}{from}, exchanged {d}/a and {d}/b: python3 {t}/swap.py, at'], files={'a': 'a', 'b': 'b'},
    tools={'swap.py': 'import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.renameat2(-100, b"{d}/a", -100, b"{d}/b", 2) == 0\n'})
row('an ancestor is moved away', 'mv {t}/data/mid {t}/data/gone', ['root, at {tty}{from}, moved {t}/data/mid to {t}/data/gone: mv {t}/data/mid {t}/data/gone, at', '{t}/data/mid/leaf went with it'],
    tools={'data/mid/leaf/k': 'x'}, target='{t}/data/mid/leaf')
row('chmod', 'chmod 0600 {d}/a', ['root, at {tty}{from}, changed the mode of {d}/a: 0666 → 0600: chmod 0600 {d}/a, at'], every=True)
row('chmod to the same mode', 'chmod 0666 {d}/a', ['root, at {tty}{from}, touched {d}/a, nothing changed: chmod 0666 {d}/a, at'], never=['times'])
row('chown to the same owner', 'chown root:root {d}/a', ['root, at {tty}{from}, touched {d}/a, nothing changed: chown root:root {d}/a, at'], never=['times'])
row('chown', 'chown 4202 {d}/a', ['root, at {tty}{from}, changed the owner of {d}/a: root → bob: chown 4202 {d}/a, at'])
row('touch of what is there', 'touch {d}/a', ['root, at {tty}{from}, set the times of {d}/a: touch {d}/a, at'])
row('a file that is emptied', 'truncate -s 0 {d}/a', ['root, at {tty}{from}, truncated {d}/a: truncate -s 0 {d}/a, at'])
row('a file that is copied over', 'cp /etc/hostname {d}/a', ['root, at {tty}{from}, ', 'overwrote {d}/a: cp /etc/hostname {d}/a, at'], every=True,  # "truncated or", where fanotify reads both as one
    files={'a': 'a' * 300 + '\n'}, audit_says=['root, at {tty}{from}, emptied or overwrote {d}/a: cp /etc/hostname {d}/a, at'])
row('a new file', 'cp /etc/hostname {d}/new', ['root, at {tty}{from}, created {d}/new: cp /etc/hostname {d}/new, at'], every=True)
row('a new directory', 'mkdir {d}/new', ['root, at {tty}{from}, created the directory {d}/new: mkdir {d}/new, at'])
row('a hard link', 'ln {d}/a {d}/b', ['root, at {tty}{from}, created the hard link {d}/b to {d}/a: ln {d}/a {d}/b, at'])
row('a symbolic link', 'ln -s a {d}/b', ['root, at {tty}{from}, created the symbolic link {d}/b to a: ln -s a {d}/b, at'])
row('rm -rf of a tree', 'rm -rf {d}/tree', ['root, at {tty}{from}, deleted 3 files in {d}/tree and removed the directory {d}/tree and 1 directory in it: rm -rf {d}/tree, at'], files={'tree/x': '', 'tree/y': '', 'tree/sub/z': ''}, every=True)
row('an empty directory', 'rmdir {d}/empty', ['root, at {tty}{from}, removed the directory {d}/empty: rmdir {d}/empty, at'], files={'empty': None}, never=['1 file'])
row('one path deleted twice', 'rm {d}/a; echo > {d}/a; rm {d}/a', [['root, at {tty}{from}, deleted {d}/a twice: rm {d}/a, '], ['root, at {tty}{from}, created {d}/a']],
    never=['2 files'], verdicts=2)
row('temporary files', '{t}/build', ['root, at {tty}{from}, created {d}/result: /bin/sh {t}/build, at'], tools={'build': '#!/bin/sh\nfor i in 1 2 3 4 5; do echo $i > {d}/tmp.$i; done\n'
    'cat {d}/tmp.* > {d}/result\nrm {d}/tmp.*\n:\n'})
row('an extended attribute', 'setfattr -n user.x -v 1 {d}/a', ['root, at {tty}{from}, set an extended attribute of {d}/a: setfattr -n user.x -v 1 {d}/a, at'], needs=('setfattr',))
row('an access list', 'setfacl -m u:bob:rwx {d}/a', ['root, at {tty}{from}, changed the ACL of {d}/a: setfacl -m u:bob:rwx {d}/a, at'], needs=('setfacl',), every=True,
    audit_says=['root, at {tty}{from}, set an extended attribute of {d}/a: setfacl -m u:bob:rwx {d}/a, at'])
row('chmod -R', 'chmod -R g-w {d}/tree', ['root, at {tty}{from}, ', 'changed the mode of {d}/tree: 0777 → 0757', 'changed the mode of 2 files in {d}/tree: 0666 → 0646', ': chmod -R g-w {d}/tree, at'], files={'tree/x': '', 'tree/y': ''})
row('a name with a line break', "rm -f {d}/$'two\\nlines'", ['root, at {tty}{from}, deleted {d}/two\\nlines: rm -f {d}/two\\nlines, at'], files={'two\nlines': ''}, never=['two lines'])
row('a release, and then another one', 'rm {t}/r1/config; ln -sfn r2 {t}/current', [['root, at {tty}{from}, deleted {t}/r1/config: rm {t}/r1/config, '], ['root, at {tty}{from}, replaced {t}/current (by ']], verdicts=2, target='{t}/current',
    prepare='mkdir {t}/r1 {t}/r2; echo a > {t}/r1/config; ln -s r1 {t}/current')
