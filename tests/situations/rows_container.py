# SPDX-License-Identifier: MIT
"""What happens in a container: by its engine's client, by itself, by the host. {c} is the container of the row."""
from row import row

RUN = 'docker run -d --name {c} --network none'
IDLE = f'{RUN} shop:1.4 sleep 600'
CLEANED = 'docker diff {c} | grep -q "^D /prd/a"'


def inside(name, do, says, prepare=IDLE, target='{c}:/prd', **more):
    row(name, do, says, prepare=prepare, target=target, engine=True, **more)


inside('docker exec of a tool', 'docker exec {c} rm -f /prd/a', ['rm, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'], never=['on a volume'])
inside('docker exec with sudo', 'sudo docker -H unix://{w}/docker/docker.sock exec {c} rm -f /prd/a', ['rm, run by docker exec in container {c}, run by ann', 'deleted /prd/a of container {c}, '], by='ann')
inside('docker exec, given to ssh', 'docker -H unix://{w}/docker/docker.sock exec {c} rm -f /prd/a', ['rm, run by docker exec in container {c}, run by root', 'deleted /prd/a of container {c}, '], by='ssh:root')
inside('docker cp by a script', '{t}/copy', ['docker cp {t}/x {c}:/prd/a, called by {t}/copy, ', 'of container {c}'], tools={'copy': '#!/bin/sh\ndocker cp {t}/x {c}:/prd/a\n:\n', 'x': 'new'})
inside('docker exec sh -c', 'docker exec {c} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'])
inside('docker exec of a script', 'docker exec {c} clean', ['/bin/clean, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'], details=['(docker exec {c} clean)'])
inside('what an entry point starts', f'{RUN} shop:1.4 /bin/app', ['/bin/clean, run by the entry point of container {c} (/bin/app), started by root with docker run of image shop:1.4, deleted /prd/a of container {c}, ', ' after {c} started.'], prepare='', never=['docker exec', 'on a volume'],
       details=['/bin/clean · entry point of container {c} (/bin/app)', 'next its line: /bin/clean:2: rm -f /prd/a'], until=CLEANED)
inside('an entry point', f'docker restart -t 0 {{c}}', ['The entry point of container {c} (/bin/entry), started by root with docker restart, deleted /prd/a of container {c}, '],
       prepare=f'{RUN} shop:1.4 /bin/entry; docker stop -t 0 {{c}}; docker cp /etc/hostname {{c}}:/prd/a', never=['docker exec', 'on a volume'], details=['next its line: /bin/entry:2: rm -f /prd/a'], until=CLEANED)
inside('an entry point by docker-init', f'docker restart -t 0 {{c}}', ['The entry point of container {c} (/bin/entry), started by root with docker restart, deleted /prd/a of container {c}, '],
       prepare=f'{RUN} --init shop:1.4 /bin/entry; docker stop -t 0 {{c}}; docker cp /etc/hostname {{c}}:/prd/a', never=['on a volume'], until=CLEANED)
inside('an entry point that is a text, with parts of its own', 'docker restart -t 0 {c}', ["The entry point of container {c} (sh -c 'rm -f /prd/a; (: > /prd/b); ls", ', started by root with docker restart, '],
       prepare=f'{RUN} shop:1.4 sh -c "rm -f /prd/a; (: > /prd/b); ls / | while read x; do : > /prd/b; done; sleep 600"; docker stop -t 0 {{c}}; docker cp /etc/hostname {{c}}:/prd/a; docker cp /etc/hostname {{c}}:/prd/b',
       details=['/prd/a deleted', '/prd/b overwritten'], never=['on a volume', 'runs)', 'run by the entry point'], until=CLEANED)
inside('the host in a container\'s files', 'rm -f /proc/$(docker inspect -f "{{.State.Pid}}" {c})/root/prd/a', ['root, at {tty}{from}, on the host, deleted /prd/a of container {c}: rm -f /proc/', '/root/prd/a, ', ' after {c} started.'])
# as kubelet has containerd do it: a container of namespace k8s.io with the annotations of CRI; its client is no client that people call
CTR = '{t}/asker -a {w}/docker/exec/containerd/containerd.sock -n k8s.io'
POD = f'cp $(command -v ctr) {{t}}/asker; cp -a {{w}}/docker/root {{t}}/root; {CTR} run -d --env PATH=/bin --annotation io.kubernetes.pod.name=shop-0 --annotation io.kubernetes.cri.container-name=app --rootfs {{t}}/root {{c}} /bin/sleep 600'


def pod(name, do, says, **more):
    inside(name, do, says, prepare=POD, target='{t}/root/prd', **more)


pod('an exec that kubelet asks for', f'{CTR} task exec --exec-id p1 {{c}} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by kubectl exec, a probe or a hook in app, '], never=['run by kubectl exec in'])
pod('an exec that kubelet asks for, at a terminal', f'{CTR} task exec -t --exec-id p1 {{c}} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by kubectl exec in app, '], never=['probe'])
pod('ctr past kubelet', f'{CTR.replace("{t}/asker", "ctr")} task exec --exec-id p1 {{c}} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by containerd exec in container app, '], never=['kubectl'])
inside('two access paths into one container', 'docker exec {c} rm -f /prd/a; rm -f /proc/$(docker inspect -f "{{.State.Pid}}" {c})/root/prd/b',
       [['rm, run by ', 'docker exec in container {c}, ', 'deleted /prd/a of container {c}'], ['root, at {tty}{from}, on the host, deleted /prd/b of container {c}: rm -f /proc/']], verdicts=2)
inside('a health check', f'{RUN} --health-cmd "rm -f /prd/a" --health-interval 1s shop:1.4 sleep 600', ['The health check of container {c} (', 'rm -f /prd/a', 'deleted /prd/a of container {c}'], prepare='', until=CLEANED,
       never=['put the files on a volume'])
inside('docker-compose exec', 'cd {t} && docker-compose -p {c} exec -T app rm -f /prd/a; cd /', ['rm, run by compose exec of project {c}, run by root', 'in container {c}_app_1 itself, ', 'deleted /prd/a of container {c}_app_1'],
       prepare='cd {t} && docker-compose -p {c} up -d', target='compose:{c}/app:/prd', needs=('docker-compose',),
       tools={'docker-compose.yml': 'version: "2"\nservices:\n  app:\n    image: shop:1.4\n    network_mode: none\n    command: sleep 600\n'})
inside('docker-compose up of a service that cleans', 'cd {t} && docker-compose -p {c} up -d; cd /', ['/bin/clean, run by the entry point of container {c}_app_1 (/bin/app), started by root with docker-compose up, deleted /prd/a of container {c}_app_1, '],
       prepare='', target='compose:{c}/app:/prd', needs=('docker-compose',), until=CLEANED.replace('{c}', '{c}_app_1'), never=['docker exec'],
       tools={'docker-compose.yml': 'version: "2"\nservices:\n  app:\n    image: shop:1.4\n    network_mode: none\n    command: /bin/app\n'})
inside('docker cp', 'echo new > {t}/a; docker cp {t}/a {c}:/prd', ['docker cp {t}/a {c}:/prd, run by ann, ', 'of container {c} (deleted and made anew), ', ' after {c} started.'], by='ann', never=['dockerd, for'],
       prepare=IDLE + '; chmod 0666 $(echo $DOCKER_HOST | sed s,unix://,,); chmod 0755 {w}/docker')
inside('docker cp to another name', 'echo new > {t}/x; docker cp {t}/x {c}:/prd/a', ['docker cp {t}/x {c}:/prd/a, ', 'of container {c}'])

# a volume does not go with the layer of its container: whoever had it removed deleted what was in it
VOLUME = 'version: "2"\nservices:\n  app:\n    image: shop:1.4\n    network_mode: none\n    command: sleep 600\n    volumes: ["data:/data"]\nvolumes:\n  data:\n'
inside('docker-compose down with its volumes', 'cd {t} && docker-compose -p {c} down -v -t 0; cd /', ['docker-compose -p {c} down -v -t 0, run by root, on the host, deleted /data/a of container {c}_app_1'],
       prepare='cd {t} && docker-compose -p {c} up -d && docker exec {c}_app_1 touch /data/a', target='compose:{c}/app:/data', needs=('docker-compose',), never=['Nobody deleted'], tools={'docker-compose.yml': VOLUME})
inside('docker rm with its anonymous volume', 'docker rm -f -v {c}', ['docker rm -f -v {c}, run by root, on the host, deleted /data/a of container {c}'], prepare=f'{RUN} -v /data shop:1.4 sleep 600; docker exec {{c}} touch /data/a', target='{c}:/data', never=['Nobody deleted'])

inside('docker volume rm by a script', '{t}/clean', ['docker volume rm v{c}, called by {t}/clean, on the host, deleted {w}/docker/data/volumes/v{c}/_data/a'], tools={'clean': '#!/bin/sh\ndocker volume rm v{c}\n:\n'},
       prepare='docker run --rm --network none -v v{c}:/x shop:1.4 touch /x/a', target='{w}/docker/data/volumes/v{c}')
row('cron in a container', '', ['rm -f /x/a, a cron job of root, in container {c}, deleted {d}/a, '], details=['next in container {c}, its job: crontab -l -u root'], by='none', engine=True, until='! test -e {d}/a',
    prepare=f'{RUN} -v {{d}}:/x shop:1.4 sh -c "mkdir -p /c; echo \'* * * * * rm -f /x/a\' > /c/root; exec busybox crond -f -c /c"')
inside('a folder of the host, while its container is made anew', 'docker rm -f {c}; rm {d}/a; docker run -d --name {c} --network none -v {d}:/data shop:1.4 sleep 600', ['root, at {tty}{from}, on the host, deleted /data/a of container {c}: rm {d}/a, '],
       prepare=f'{RUN} -v {{d}}:/data shop:1.4 sleep 600', target='{c}:/data', never=['Nobody deleted'])
inside('a link in a container', 'docker exec {c} rm -f /link/a', ['rm, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, '], prepare=f'{IDLE}; docker exec {{c}} ln -s /prd /link', target='{c}:/link')
inside('a link in a container that is gone', 'docker exec {c} rm -f /link/a; docker rm -f {c}', ['rm, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, '], prepare=f'{IDLE}; docker exec {{c}} ln -s /prd /link', target='{c}:/link')
inside('docker rm', 'sudo docker -H unix://{w}/docker/docker.sock rm -f {c}', ['Nobody deleted these files by themselves: container {c} was removed by docker rm -f {c}, run by ann, and its writable layer with 1 file was dropped with it.'],
       prepare=IDLE + '; docker exec {c} touch /prd/n', by='ann')
inside('docker-compose up that makes it anew', 'cd {t} && docker-compose -p {c} up -d --force-recreate -t 0; cd /', ['was removed by docker-compose -p {c} up -d --force-recreate -t 0, run by root, and its writable layer with 1 file was dropped with it.'],
       prepare='cd {t} && docker-compose -p {c} up -d; docker exec {c}_app_1 touch /prd/n', target='compose:{c}/app:/prd', needs=('docker-compose',), tools={'docker-compose.yml': VOLUME})
inside('docker-compose restart of a service that cleans', 'cd {t} && docker-compose -p {c} restart -t 0; cd /', ['/bin/clean, run by the entry point of container {c}_app_1 (/bin/app), started by root with docker-compose restart, deleted /prd/a of container {c}_app_1, '],
       prepare='cd {t} && docker-compose -p {c} up -d; sleep 3; docker exec {c}_app_1 touch /prd/a', target='compose:{c}/app:/prd', needs=('docker-compose',), until=CLEANED.replace('{c}', '{c}_app_1'), tools={'docker-compose.yml': VOLUME.replace('sleep 600', '/bin/app')})

# who had it started: the client is there while its container starts
CLEANER = {'clean.sh': '#!/bin/sh\ndocker run --rm --network none -v {d}:/x shop:1.4 rm -f /x/a\n:\n', 'exec.sh': '#!/bin/sh\ndocker exec {c} rm -f /prd/a\n:\n'}
# neither ends before both are there
WAITER = '#!/bin/sh\ndocker run --rm --network none -v {d}:/x -v {t}:/t shop:1.4 sh -c "mkdir /t/one || mkdir /t/two; until cd /t/two; do sleep 0.1; done; rm /x/a"\n:\n'
GONE = '! test -e {d}/a'


def started(name, do, says, **more):
    row(name, do, says, engine=True, until=more.pop('until', GONE), **more)


started('docker run of a tool, typed', 'docker run --rm --network none -v {d}:/x shop:1.4 rm -f /x/a', ['The entry point of a container of image shop:1.4 (rm), started by root with docker run, ', 'deleted '], details=[' docker run --rm ', 'in container '])
started('docker run again and again', 'for i in 1 2 3 4; do touch {d}/a; {t}/clean.sh; done', [['The entry point of a container of image shop:1.4 (rm), started by {t}/clean.sh (root) with docker run, ', 'deleted {d}/a 4 times, ']],
        tools=CLEANER, details=['(the first of 4 runs)'], verdicts=2)
started('docker run under a name', 'docker run --rm --name {c} --network none -v {d}:/x shop:1.4 rm -f /x/a', ['The entry point of container {c} (rm), started by root with docker run of image shop:1.4, ', 'deleted '])
started('docker run by a script', '{t}/clean.sh', ['The entry point of a container of image shop:1.4 (rm), started by {t}/clean.sh (root) with docker run, ', 'deleted '], tools=CLEANER)
started('docker run by make', 'make -s -C {t} clean', ['The entry point of a container of image shop:1.4 (rm), started by make clean (root) with docker run, ', 'deleted '],
        tools={'Makefile': 'clean:\n\tdocker run --rm --network none -v {d}:/x shop:1.4 rm -f /x/a\n'})
started('docker run by a cron job', '', ['The entry point of a container of image shop:1.4 (rm), started by {t}/clean.sh (root) with docker run, ', 'deleted '], by='none', tools=CLEANER,
        prepare='printf "PATH=/usr/bin:/bin\\nDOCKER_HOST=$DOCKER_HOST\\n* * * * * root {t}/clean.sh\\n" > /etc/cron.d/{c}')
started('two scripts that run the same, at once', '{t}/clean.sh & {t}/other.sh & wait', ['The entry point of a container of image shop:1.4 (', 'deleted '], never=['started by'],
        tools={'clean.sh': WAITER, 'other.sh': WAITER})
inside('docker exec by a script', '{t}/exec.sh', ['rm, run by docker exec in container {c}, called by {t}/exec.sh, ', 'deleted /prd/a of container {c}, '], tools=CLEANER)
started('docker-compose run', 'cd {t} && docker-compose -p {c} run --rm app rm -f /x/a; cd /', ['The entry point of a container of image shop:1.4 (rm), started by root with docker-compose run, ', 'deleted '], needs=('docker-compose',),
        tools={'docker-compose.yml': 'version: "2"\nservices:\n  app:\n    image: shop:1.4\n    network_mode: none\n    volumes: ["{d}:/x"]\n    command: sleep 600\n'})
