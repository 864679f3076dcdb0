# SPDX-License-Identifier: MIT
"""What happens in a container: by its engine's client, by itself, by the host. {c} is the container of the row."""
from row import row

RUN = 'docker run -d --name {c} --network none'
IDLE = f'{RUN} shop:1.4 sleep 600'


def inside(name, do, says, prepare=IDLE, target='{c}:/prd', **more):
    row(name, do, says, prepare=prepare, target=target, engine=True, **more)


inside('docker exec of a tool', 'docker exec {c} rm -f /prd/a', ['rm, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'])
inside('docker exec sh -c', 'docker exec {c} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'])
inside('docker exec of a script', 'docker exec {c} /bin/clean', ['/bin/clean, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'])
inside('what an entry point starts', f'{RUN} shop:1.4 /bin/app', ['/bin/clean, in container {c} itself, deleted /prd/a of container {c}, ', ' after {c} started.'], prepare='', never=['docker exec'], wait=3)
inside('the host in a container\'s files', 'rm -f /proc/$(docker inspect -f "{{.State.Pid}}" {c})/root/prd/a', ['root, at {tty}{from}, on the host, deleted /prd/a of container {c}: rm -f /proc/', '/root/prd/a, ', ' after {c} started.'])
inside('two roads into one container', 'docker exec {c} rm -f /prd/a; rm -f /proc/$(docker inspect -f "{{.State.Pid}}" {c})/root/prd/b',
       [['rm, run by ', 'docker exec in container {c}, ', 'deleted /prd/a of container {c}'], ['root, at {tty}{from}, on the host, deleted /prd/b of container {c}: rm -f /proc/']], verdicts=2)
