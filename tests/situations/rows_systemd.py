# SPDX-License-Identifier: MIT
"""What systemd starts: played where it is the first process (tests/vm/run.sh boots such a machine)."""
from row import row

SH = '#!/bin/sh\nrm -f {d}/a\n:\n'
SYSTEMD = 'systemd as the first process'
GONE = '[ ! -e {d}/a ]'
UNITS = '/run/systemd/system'


def service(name, unit, lines, begin, says, timer='', **more):
    """A unit of its own, and what makes it run."""
    def write(file, sections):
        text = '\\n'.join(sections)
        return f"printf '{text}\\n' > {UNITS}/{file}"
    prepare = write(f'{unit}.service', ['[Unit]', 'DefaultDependencies=no', '[Service]', *lines])
    if timer:
        prepare += '; ' + write(f'{unit}.timer', ['[Unit]', 'DefaultDependencies=no', '[Timer]', 'AccuracySec=100ms', timer])
    row('systemd: ' + name, begin, says, prepare=prepare + '; systemctl daemon-reload', until=GONE, needs=(SYSTEMD,), **more)


service('a script of a service', 'purge-logs', ['Type=oneshot', 'ExecStart={t}/purge --older 3'], 'systemctl start purge-logs',
        ['{t}/purge, service purge-logs.service, deleted {d}/a with rm, at'], tools={'purge': SH},
        details=['systemctl cat purge-logs.service'], never=['root, at '])
service('a timer', 'tidy', ['Type=oneshot', 'ExecStart={t}/tidy'], 'systemctl restart tidy.timer',
        ['{t}/tidy, service tidy.service, started by its timer, deleted {d}/a with rm, at'], timer='OnActiveSec=1s', tools={'tidy': SH})
service('a service with a timer, started by hand', 'sweep', ['Type=oneshot', 'ExecStart={t}/sweep'], 'systemctl start sweep.service',
        ['{t}/sweep, service sweep.service, deleted {d}/a with rm, at'], timer='OnActiveSec=1h', tools={'sweep': SH}, never=['sweep.timer'])
service('a service that runs as another user', 'mail', ['Type=oneshot', 'User=www-data', 'ExecStart=/usr/bin/rm -f {d}/a'], 'systemctl start mail',
        ['rm, service mail.service, as www-data, deleted {d}/a, at'])
service('a template', 'job@', ['Type=oneshot', 'ExecStart=/usr/bin/python3 {t}/clean.py %%i'], 'systemctl start job@nightly',
        ['{t}/clean.py (python3.11), service job@nightly.service, deleted {d}/a, at'], tools={'clean.py': 'import os\nos.unlink("{d}/a")\n'})
service('a daemon that forks', 'spool', ['Type=forking', 'ExecStart={t}/spoold'], 'systemctl start spool',
        ['{t}/spoold, service spool.service, deleted {d}/a with rm, at'], tools={'spoold': '#!/bin/sh\n(sleep 1; rm -f {d}/a; :) &\n'})
row('systemd: systemd-run', 'systemd-run -q --collect --unit=once {t}/purge', ['{t}/purge, service once.service, deleted {d}/a with rm, at'],
    tools={'purge': SH}, until=GONE, needs=(SYSTEMD,))
row('systemd: systemd-run --scope', 'systemd-run -q --scope {t}/purge', ['root, at {tty}{from}, deleted {d}/a with rm: /bin/sh {t}/purge'],
    tools={'purge': SH}, until=GONE, needs=(SYSTEMD,))
