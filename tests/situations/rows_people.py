# SPDX-License-Identifier: MIT
"""Who did it: people at terminals, by sudo and su, by ssh."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'

row('typed rm', 'rm -f {d}/a', ['root, at {tty}{from}, deleted {d}/a: rm -f {d}/a, at'], by='root', every=True)
row('typed rm by a user', 'rm -f {d}/a', ['ann, at {tty}{from}, deleted {d}/a: rm -f {d}/a, at'], by='ann', every=True)
row('sudo rm', 'sudo rm -f {d}/a', ['ann, as root by sudo, at {tty}{from}, deleted {d}/a: sudo rm -f {d}/a, at'], by='ann', never=['VERDICT root'], every=True,
    log_says=['ann, as root, at ', 'deleted {d}/a: rm -f {d}/a, at'])
row('sudo of a script', 'sudo {t}/purge', ['ann, as root by sudo, at {tty}{from}, deleted {d}/a with rm: /bin/sh {t}/purge, at'], by='ann', tools={'purge': SH}, every=True,
    log_says=['ann, as root, at ', 'deleted {d}/a with rm: /bin/sh {t}/purge, at'])
row('sudo as another user', 'sudo -u bob rm -f {d}/a', ['ann, as bob by sudo, at {tty}{from}, deleted {d}/a: sudo -u bob rm -f {d}/a, at'], by='ann')
row('sudo sh -c', 'sudo sh -c "rm -f {d}/a; :"', ['ann, as root by sudo, at {tty}{from}, deleted {d}/a with rm: sudo sh -c \'rm -f {d}/a; :\', at'], by='ann')
row('a root shell by sudo -i', 'sudo -i rm -f {d}/a', ['ann, as root by sudo, at {tty}{from}, deleted {d}/a: sudo -i rm -f {d}/a, at'], by='ann')
row('sudo tee', 'echo x | sudo tee -a {d}/a > /dev/null', ['ann, as root by sudo, at {tty}{from}, wrote to {d}/a: sudo tee -a {d}/a, at'], by='ann')
row('su -c', 'su bob -c "rm -f {d}/a"', ['root, as bob by su, at {tty}{from}, deleted {d}/a: su bob -c \'rm -f {d}/a\', at'], by='root', every=True, log=False)
row('su - with a login shell', 'su - bob -c "rm -f {d}/a"', ['root, as bob by su, at {tty}{from}, deleted {d}/a: su - bob -c \'rm -f {d}/a\', at'], by='root')
row('runuser', 'runuser -u bob -- rm -f {d}/a', ['root, as bob by runuser, at {tty}{from}, deleted {d}/a: runuser -u bob -- rm -f {d}/a, at'], by='root')
row('setpriv', 'setpriv --reuid bob --clear-groups rm -f {d}/a', ['root, as bob, at {tty}{from}, deleted {d}/a: setpriv --reuid bob --clear-groups rm -f {d}/a, at'], by='root')
row('two users with the same tool', 'su bob -c "rm -f {d}/a"; rm -f {d}/b', [['root, as bob by su, at {tty}{from}, deleted {d}/a: su bob -c \'rm -f {d}/a\', at'], ['root, at {tty}{from}, deleted {d}/b: rm -f {d}/b, at']], verdicts=2,
    files={'a': '', 'b': ''}, by='root', every=True, log=False)
row('two users with the same script', 'su bob -c "{t}/purge a"; {t}/purge b', [['root, as bob by su, at {tty}{from}, deleted {d}/a with rm: /bin/sh {t}/purge a, at'],
     ['root, at {tty}{from}, deleted {d}/b with rm: /bin/sh {t}/purge b, at']],
    verdicts=2, files={'a': '', 'b': ''}, tools={'purge': '#!/bin/sh\nrm -f {d}/$1\n:\n'}, by='root')
row('a command given to ssh', 'rm -f {d}/a', ['rm -f {d}/a, a command given to ssh by root, from 127.0.0.1, on the host, deleted {d}/a, at'], by='ssh:root', every=True,
    log_says=['rm -f {d}/a, a command given to ssh by root, from 127.0.0.1, deleted {d}/a, at'])
row('a script given to ssh', '{t}/purge', ['{t}/purge, a command given to ssh by ann, from 127.0.0.1, on the host, deleted {d}/a with rm, at'], by='ssh:ann', tools={'purge': SH})
row('a terminal recorded by script', 'script -qc "rm -f {d}/a" /dev/null < /dev/null', ['root, at {tty}{from}, deleted {d}/a: script -qc \'rm -f {d}/a\' /dev/null, at'], by='root')
