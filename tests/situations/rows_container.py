# SPDX-License-Identifier: MIT
"""What happens in a container: by its engine's client, by itself, by the host. {c} is the container of the row."""
from row import row

RUN = 'docker run -d --name {c} --network none'
IDLE = f'{RUN} shop:1.4 sleep 600'
CLEANED = 'docker diff {c} | grep -q "^D /prd/a"'


def inside(name, do, says, prepare=IDLE, target='{c}:/prd', **more):
    row(name, do, says, prepare=prepare, target=target, engine=True, **more)


inside('docker exec of a tool', 'docker exec {c} rm -f /prd/a', ['rm, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'], never=['on a volume'])
inside('docker exec sh -c', 'docker exec {c} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'])
inside('docker exec of a script', 'docker exec {c} clean', ['/bin/clean, run by docker exec in container {c}, ', 'deleted /prd/a of container {c}, ', ' after {c} started.'], details=['(docker exec {c} clean)'])
inside('what an entry point starts', f'{RUN} shop:1.4 /bin/app', ['/bin/clean, run by the entry point of container {c} (/bin/app), deleted /prd/a of container {c}, ', ' after {c} started.'], prepare='', never=['docker exec', 'on a volume'],
       details=['/bin/clean · entry point of container {c} (/bin/app)', 'next its line: /bin/clean:2: rm -f /prd/a'], until=CLEANED)
inside('an entry point', f'docker restart -t 0 {{c}}', ['The entry point of container {c} (/bin/entry) deleted /prd/a of container {c}, '],
       prepare=f'{RUN} shop:1.4 /bin/entry; docker stop -t 0 {{c}}; docker cp /etc/hostname {{c}}:/prd/a', never=['docker exec', 'on a volume'], details=['next its line: /bin/entry:2: rm -f /prd/a'], until=CLEANED)
inside('an entry point by docker-init', f'docker restart -t 0 {{c}}', ['The entry point of container {c} (/bin/entry) deleted /prd/a of container {c}, '],
       prepare=f'{RUN} --init shop:1.4 /bin/entry; docker stop -t 0 {{c}}; docker cp /etc/hostname {{c}}:/prd/a', never=['on a volume'], until=CLEANED)
inside('the host in a container\'s files', 'rm -f /proc/$(docker inspect -f "{{.State.Pid}}" {c})/root/prd/a', ['root, at {tty}{from}, on the host, deleted /prd/a of container {c}: rm -f /proc/', '/root/prd/a, ', ' after {c} started.'])
# as kubelet has containerd do it: a container of namespace k8s.io with the annotations of CRI; its client is no client that people call
CTR = '{t}/asker -a {w}/docker/exec/containerd/containerd.sock -n k8s.io'
POD = f'cp $(command -v ctr) {{t}}/asker; cp -a {{w}}/docker/root {{t}}/root; {CTR} run -d --env PATH=/bin --annotation io.kubernetes.pod.name=shop-0 --annotation io.kubernetes.cri.container-name=app --rootfs {{t}}/root {{c}} /bin/sleep 600'


def pod(name, do, says, **more):
    inside(name, do, says, prepare=POD, target='{t}/root/prd', **more)


pod('an exec that kubelet asks for', f'{CTR} task exec --exec-id p1 {{c}} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by kubectl exec, a probe or a hook in app, '], never=['run by kubectl exec in'])
pod('an exec that kubelet asks for, at a terminal', f'{CTR} task exec -t --exec-id p1 {{c}} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by kubectl exec in app, '], never=['probe'])
pod('ctr past kubelet', f'{CTR.replace("{t}/asker", "ctr")} task exec --exec-id p1 {{c}} sh -c "rm -f /prd/a; :"', ['sh -c \'rm -f /prd/a; :\', run by containerd exec in container app, '], never=['kubectl'])
inside('two roads into one container', 'docker exec {c} rm -f /prd/a; rm -f /proc/$(docker inspect -f "{{.State.Pid}}" {c})/root/prd/b',
       [['rm, run by ', 'docker exec in container {c}, ', 'deleted /prd/a of container {c}'], ['root, at {tty}{from}, on the host, deleted /prd/b of container {c}: rm -f /proc/']], verdicts=2)
inside('a health check', f'{RUN} --health-cmd "rm -f /prd/a" --health-interval 1s shop:1.4 sleep 600', ['The health check of container {c} (', 'rm -f /prd/a', 'deleted /prd/a of container {c}'], prepare='', until=CLEANED,
       never=['put the files on a volume'])
inside('docker-compose exec', 'cd {t} && docker-compose -p {c} exec -T app rm -f /prd/a; cd /', ['rm, run by compose exec of project {c}, in container {c}_app_1 itself, ', 'deleted /prd/a of container {c}_app_1'],
       prepare='cd {t} && docker-compose -p {c} up -d', target='compose:{c}/app:/prd', needs=('docker-compose',),
       tools={'docker-compose.yml': 'version: "2"\nservices:\n  app:\n    image: shop:1.4\n    network_mode: none\n    command: sleep 600\n'})
inside('docker-compose up of a service that cleans', 'cd {t} && docker-compose -p {c} up -d; cd /', ['/bin/clean, run by the entry point of container {c}_app_1 (/bin/app), deleted /prd/a of container {c}_app_1, '],
       prepare='', target='compose:{c}/app:/prd', needs=('docker-compose',), until=CLEANED.replace('{c}', '{c}_app_1'), never=['docker exec'],
       tools={'docker-compose.yml': 'version: "2"\nservices:\n  app:\n    image: shop:1.4\n    network_mode: none\n    command: /bin/app\n'})
inside('docker cp', 'echo new > {t}/a; docker cp {t}/a {c}:/prd', ['docker cp {t}/a {c}:/prd, run by ann, ', 'of container {c} (deleted and made anew), ', ' after {c} started.'], by='ann', never=['dockerd, for'],
       prepare=IDLE + '; chmod 0666 $(echo $DOCKER_HOST | sed s,unix://,,); chmod 0755 {w}/docker')
inside('docker cp to another name', 'echo new > {t}/x; docker cp {t}/x {c}:/prd/a', ['docker cp {t}/x {c}:/prd/a, ', 'of container {c}'])
