# SPDX-License-Identifier: MIT
"""labels.py CULPRIT: containers that ask the daemon by a label to be watched, and for its alerts in their log, with a real dockerd; one of a pod, with answers of an API
server. The last line is "N passed, N failed"."""
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading

from lib.daemon_test import CULPRIT, DaemonTest
from lib.engine import Docker

SECONDS = 120
shared = DaemonTest("labels", SECONDS, pause=0.1)
etc, run, err = shared.etc, shared.run, shared.err
check, wait_until, said = shared.check, shared.wait_until, shared.said
store = f"{shared.work}/db"


def watches():
    out = subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", "--json", "watches"], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    return {w["target"]: w for w in json.loads(out)["watches"]} if out else {}


def reported(target):
    out = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", target], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    return [(e["event"]["action"], e["file"]["path"], e.get("rule", {}).get("name")) for e in map(json.loads, out.splitlines())
            if e["event"]["kind"] == "event"]


class ApiServer:
    """Answers as the API reference of Kubernetes has them; none of a real server is to be had here."""

    def __init__(self, work):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", f"{work}/key.pem", "-out", f"{work}/cert.pem"], check=True, capture_output=True,
                       timeout=SECONDS)
        with open(f"{work}/token", "w", encoding="utf-8") as f:
            f.write("t0ken\n")
        self.events, self.asked, api = {}, [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, code, body):
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def status(self, code, reason):
                self.answer(code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "code": code})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.asked.append((self.command, self.path, self.headers["Content-Type"]))
                if self.headers["Authorization"] != "Bearer t0ken":
                    self.status(401, "Unauthorized")
                elif self.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
                    self.answer(201, {**body, "status": {"allowed": True, "reason": "RBAC: allowed by ClusterRoleBinding"}})
                elif self.path != "/api/v1/namespaces/shop/events":
                    self.status(404, "NotFound")
                elif body["metadata"]["name"] in api.events:
                    self.status(409, "AlreadyExists")
                else:
                    api.events[body["metadata"]["name"]] = body
                    self.answer(201, body)

            def do_PATCH(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = self.path.rsplit("/", 1)[1]
                api.asked.append((self.command, self.path, self.headers["Content-Type"]))
                if name not in api.events or self.headers["Content-Type"] != "application/merge-patch+json":
                    self.status(404, "NotFound")
                else:
                    api.events[name].update(body)
                    self.answer(200, api.events[name])

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{work}/cert.pem", f"{work}/key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def sink(self, work):
        return f"sink pods {{ type = kubernetes to = 'https://localhost:{self.port}/' secret = {work}/token ca = {work}/cert.pem timeout = 60s }}\n"


def ctl(*words):
    return subprocess.run([CULPRIT, words[0], "--control", f"{run}/control", *words[1:]], capture_output=True, text=True, check=False, timeout=SECONDS)


def check_pod(docker, api):
    """A container that a kubelet would have started: its pod gets an Event."""
    def labels(watch, namespace, name):
        return [word for label in (f"culprit.watch=/prd /{watch}", f"io.kubernetes.pod.namespace={namespace}", f"io.kubernetes.pod.name={name}",
                                   "io.kubernetes.pod.uid=6d1f0a3c-0001-4b9e-8c62-000000000001", "io.kubernetes.container.name=web")
                for word in ("--label", label)]
    docker.run("pod", *labels("pod", "shop", "web-0"))
    docker.run("liar", *labels("liar", "../../apis", "x"))
    check("a pod is watched", wait_until(lambda: all(watches().get(f"label:culprit.watch=/prd /{name}:/prd", {}).get("armed")
                                                      for name in ("pod", "liar"))), watches())
    docker("exec", "liar", "rm", "/prd/lower")
    docker("exec", "pod", "rm", "/prd/lower")
    check("it gets an Event", wait_until(lambda: api.events), api.asked, said())
    name, event = list(api.events.items())[0]
    check("on the pod", event["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-0",
                                                    "uid": "6d1f0a3c-0001-4b9e-8c62-000000000001"} and event["type"] == "Warning" and
          event["count"] == 1 and "/prd/lower" in event["message"] and name.startswith("web-0."), event)
    mine = [m for m in json.loads(ctl("ctl", "--json", "status").stdout)["alerts"]["open"] if m["id"].startswith(name.split(".")[1])]
    silence = ctl("ctl", "silence", "--for", "1h", "--reason", "known", mine[0]["id"])
    check("its end is the same Event", silence.returncode == 0 and wait_until(lambda: "over" in api.events[name]["message"] or
                                                                             "resolved" in api.events[name]["message"]), api.events, silence)
    check("by a patch", ("PATCH", f"/api/v1/namespaces/shop/events/{name}", "application/merge-patch+json") in api.asked and
          len(api.events) == 1, api.asked)
    pods = wait_until(lambda: [s for s in json.loads(ctl("ctl", "--json", "status").stdout)["alerts"]["sinks"] if s["name"] == "pods" and s["dropped"]])
    check("a name that is none gets into no URL", pods and "as no pod can be named" in said() and not any(".." in path for _, path, _ in api.asked),
          pods, api.asked)
    test = ctl("alert", "test", "pods")
    check("a test asks whether it may", test.returncode == 0 and len(api.events) == 1, test)


def check_log(docker):
    """`docker logs` of a container that asks for it has the verdict; another's has not."""
    def log_of(name):
        return docker("logs", name).stderr.decode(errors="replace")
    docker.run("quiet", "--label", "culprit.watch=/prd /quiet")
    docker.run("log", "--label", "culprit.watch=/prd /log", "--label", "culprit.log=true", command=["/bin/sh", "-c", "echo own >&2; exec sleep 1000"])
    docker.run("terminal", "-t", "--label", "culprit.watch=/prd /terminal", "--label", "culprit.log=true")
    names = ("quiet", "log", "terminal")
    check("they are watched", wait_until(lambda: all(watches().get(f"label:culprit.watch=/prd /{name}:/prd", {}).get("armed") for name in names)),
          watches())
    for name in names:
        docker("exec", name, "rm", "/prd/lower")
    check("a container's own log has the verdict", wait_until(lambda: "lower" in log_of("log")), log_of("log"), said())
    lines = log_of("log").splitlines()
    print("docker logs log:", *lines, sep="\n    ")
    check("in one line beside its own", lines[0] == "own" and len(lines) == 2 and lines[1].startswith("culprit: [medium] ") and
          "container log" in lines[1] and lines[1].endswith(" event)"), lines)
    check("one that does not ask for it has none", "culprit" not in log_of("quiet"), log_of("quiet"))
    status = wait_until(lambda: [s for s in json.loads(subprocess.run(
        [CULPRIT, "ctl", "--control", f"{run}/control", "--json", "status"], capture_output=True, text=True, check=False,
        timeout=SECONDS).stdout)["alerts"]["sinks"] if s["name"] == "container" and s["dropped"] == 1])
    check("that a terminal is not written to is known", status and "container terminal has a terminal" in status[0]["why"], status, said())
    test = subprocess.run([CULPRIT, "alert", "--control", f"{run}/control", "test", "container"], capture_output=True, text=True, check=False,
                          timeout=SECONDS)
    check("a test has no container", test.returncode != 0 and "a test is of no container" in test.stderr, test)


def test(docker):
    os.chmod(shared.work, 0o755)  # a sink reads certificates as nobody
    api = ApiServer(shared.work)
    docker.run("before", "--label", "culprit.watch=/prd", "--label", "culprit.watch.key=early")
    docker.run("plain")
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nheartbeat = off\nstore = {store}\ndocker_socket = {docker.host[len('unix://'):]}\n"
                "sink container { type = container }\n" + api.sink(shared.work))
    with open(err, "w", encoding="utf-8") as stderr:
        daemon = subprocess.Popen([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], stdin=subprocess.DEVNULL, stderr=stderr)
    try:
        check("it is ready", wait_until(lambda: "culprit: ready" in said()), said())
        check("what had the label before is watched", wait_until(lambda: watches().get("label:culprit.watch=/prd:/prd", {}).get("armed") is True)
              and watches()["label:culprit.watch=/prd:/prd"]["source"] == "label", watches(), said())
        docker("exec", "before", "sh", "-c", "echo > /prd/one")
        check("and its changes are recorded with its key", wait_until(lambda: ("create", "/prd/one", "early") in reported("before:/prd")),
              reported("before:/prd"))
        docker.run("later", "--label", "culprit.watch=/srv /opt/app", "--label", "culprit.watch.permissions=w")
        check("so is one that comes later, each of its paths",
              wait_until(lambda: all(watches().get(f"label:culprit.watch=/srv /opt/app:{p}", {}).get("armed") for p in ("/srv", "/opt/app"))),
              watches(), said())
        docker("exec", "later", "sh", "-c", "mkdir -p /opt/app; echo > /opt/app/two")
        check("and recorded", wait_until(lambda: ("create", "/opt/app/two") in [t[:2] for t in reported("later:/opt/app")]), reported("later:/"))
        docker("rm", "-f", "later")
        docker.run("later", "--label", "culprit.watch=/srv /opt/app")
        docker("exec", "later", "sh", "-c", "mkdir -p /opt/app; echo > /opt/app/three")
        check("and one that is made anew", wait_until(lambda: ("create", "/opt/app/three") in [t[:2] for t in reported("later:/opt/app")]),
              reported("later:/"))
        docker.run("greedy", "--label", "culprit.watch=/")
        check("all of a container is refused, with its name", wait_until(lambda: "container greedy: label culprit.watch:" in said()), said())
        docker.run("other", "--label", "culprit.watch=plain:/prd")
        check("so is another one's path", wait_until(lambda: "container other: label culprit.watch:" in said()), said())
        check_log(docker)
        check_pod(docker, api)
        check("what has no label is not watched", not any("plain" in w or w.endswith("=/:/") for w in watches()), watches())
    finally:
        daemon.terminate()
        daemon.wait(SECONDS)


def main():
    os.makedirs(etc)
    os.makedirs(run)
    docker = Docker()
    try:
        test(docker)
    finally:
        docker.clear()
        docker.stop()
        shared.clear()
    return shared.result()


sys.exit(main())
