# SPDX-License-Identifier: MIT
"""What is named relative to where somebody is, what comes by standard input, what a shell does by itself."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
PY = 'import os\nos.unlink("{d}/a")\n'
ROOT = 'root, at {tty}{from}, deleted {d}/a'
BUILTIN = 'a command typed in bash (a shell builtin or redirection), at'
TYPED = 'root, at {tty}{from}, '

row('relative: ./purge', 'cd {t} && ./purge; cd /', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': SH}, details=['next its line: {t}/purge:2: rm -f {d}/a'], every=True,
    log_says=['root, at {tty}, deleted {d}/a with rm: /bin/sh {t}/purge, at'])
row('relative: sh purge', 'cd {t} && sh purge --older 3; cd /', [ROOT + ' with rm: sh {t}/purge --older 3, at'], tools={'purge': SH}, every=True)
row('relative: a script that goes elsewhere', 'cd {t} && sh purge; cd /', [ROOT + ' with rm: sh {t}/purge, at'], tools={'purge': '#!/bin/sh\ncd /\nrm -f {d}/a\n:\n'})
row('relative: python3 clean.py', 'cd {t}/jobs && python3 -u clean.py; cd /', [ROOT + ': python3 -u {t}/jobs/clean.py, at'], tools={'jobs/clean.py': PY})
row('relative: ../purge', 'cd {t}/jobs && ../purge; cd /', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': SH, 'jobs/x': ''})
row('relative: by env in a folder of PATH', 'cd {t} && PATH=.:$PATH purge; cd /', [ROOT + ' with rm: /bin/sh {t}/purge, at'], tools={'purge': SH})
row('relative: a git hook', 'git -C {d} commit -q --allow-empty -m two', [TYPED, 'deleted {d}/a with rm: ', '{d}/.git/hooks/post-commit'],
    target='{d}/a', prepare='export HOME={t}; git config --global user.email a@b; git config --global user.name a; git config --global --add safe.directory "*"; '
    'cd {d} && git init -q && git add -A && git commit -qm one; printf "#!/bin/sh\\nrm -f {d}/a\\n:\\n" > .git/hooks/post-commit; chmod +x .git/hooks/post-commit')

row('input: python3 -', 'python3 - < {t}/clean.py', [ROOT + ': python3 - < {t}/clean.py, at'], tools={'clean.py': PY}, every=True,
    log_says=['root, at {tty}, deleted {d}/a: standard input of python3, at'])
row('input: sh < FILE', 'sh < {t}/purge', [ROOT + ' with rm: sh < {t}/purge, at'], tools={'purge': SH})
row('input: bash -s', 'bash -s -- --older 3 < {t}/purge', [ROOT + ' with rm: bash -s -- --older 3 < {t}/purge, at'], tools={'purge': SH})
row('input: a pipe into bash', 'cat {t}/purge | bash', [ROOT + ' with rm: standard input of bash, at'], tools={'purge': SH})
row('input: a pipe into python3', 'cat {t}/clean.py | python3', [ROOT + ': standard input of python3, at'], tools={'clean.py': PY})
row('input: a here document', 'python3 - << END\nimport os\nos.unlink("{d}/a")\nEND\n', [ROOT + ': standard input of python3, at'])
row('input: a pipe of bash -s, given to ssh', 'cat {t}/purge | bash -s', ['deleted {d}/a with rm, at'], tools={'purge': SH}, by='ssh:root')

row('typed: a redirection', '> {d}/a', [TYPED + 'truncated {d}/a: ' + BUILTIN], every=True, audit_says=[TYPED + 'emptied or overwrote {d}/a: ' + BUILTIN])
row('typed: echo > a file that was there', 'echo x > {d}/a', [TYPED, 'overwrote {d}/a: ' + BUILTIN], every=True, files={'a': 'twenty characters in it\n'},
    audit_says=[TYPED + 'emptied or overwrote {d}/a: ' + BUILTIN])
row('typed: echo >>', 'echo x >> {d}/a', [TYPED + 'wrote to {d}/a: ' + BUILTIN])
row('typed: echo > a new file', 'echo x > {d}/new', [TYPED + 'created {d}/new: ' + BUILTIN])
row('typed: a loop of builtins', 'for i in 1 2 3; do echo $i > {d}/f$i; done', [TYPED + 'created 3 files in {d}: ' + BUILTIN])
row('typed: a redirection of ann with sudo -i', 'sudo -i bash -c "> {d}/a"', ['ann, as root by sudo, at {tty}{from}, truncated {d}/a: sudo -i bash -c \'> {d}/a\', at'], by='ann')
row('typed: cat > file', 'cat > {d}/new < /etc/hostname', [TYPED + 'created {d}/new: cat, at'])
