# SPDX-License-Identifier: MIT
"""control.py CULPRIT: the daemon's control socket and `culprit ctl`: who may ask, what is answered, what is added and removed, a
configuration with mistakes, clients that behave badly. The last line is "N passed, N failed"."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

from lib.daemon_test import CULPRIT, DaemonTest, touch

SECONDS = 120
measured_first = ""
shared = DaemonTest("control", SECONDS)
work, etc, run, started = shared.work, shared.etc, shared.run, shared.started
check, wait_until, said, start = shared.check, shared.wait_until, shared.said, shared.start
watched, store, control = f"{work}/w", f"{work}/db", f"{run}/control"


def configure(text):
    with open(f"{etc}/culprit.conf.new", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nstore = {store}\n{text}")
    os.rename(f"{etc}/culprit.conf.new", f"{etc}/culprit.conf")


def ctl(*words, **more):
    return subprocess.run([CULPRIT, "ctl", "--control", control, *words], capture_output=True, text=True, check=False, timeout=SECONDS,
                          **more)


def asked(*words):
    answer = ctl("--json", *words)
    return json.loads(answer.stdout) if answer.returncode == 0 else {"failed": answer.stderr}


def reported(path):
    """(operation, path, key) of each event at or below it."""
    out = subprocess.run([CULPRIT, "who", "--store", store, "--format", "json", path], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    return [(e["event"]["action"], e["file"]["path"], e.get("rule", {}).get("name")) for e in lines if e["event"]["kind"] == "event"]


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(SECONDS)
    s.connect(control)
    return s


def receive(s):
    """One message; None: the end."""
    data = b""
    while not data.endswith(b"\0"):
        byte = s.recv(1)
        if not byte:
            return None
        data += byte
    return json.loads(data[:-1])


def call(s, method, parameters=None, **more):
    s.sendall(json.dumps({"method": method, "parameters": parameters or {}, **more}).encode() + b"\0")
    return receive(s)


def says_what_it_is():
    check("the socket is nobody else's", os.stat(control).st_mode & 0o007 == 0, oct(os.stat(control).st_mode))
    touch(f"{watched}/f")
    check("flush", ctl("flush").returncode == 0)
    check("after it what was done is recorded", ("create", f"{watched}/f", "outer") in reported(watched), reported(watched))
    status = asked("status")
    check("status: it counts", status.get("events", 0) >= 1 and status["targets"] == 2 and status["pid"] == started[-1].pid, status)
    check("status: what is not seen", "not_seen" in status and status["sensors"] == "fanotify", status)
    text = ctl("status").stdout
    check("status for people", f"pid {started[-1].pid}" in text and store in text and "nothing" in text, text)
    watches = {w["target"]: w for w in asked("watches")["watches"]}
    check("watches: what is watched", watches[watched]["armed"] and watches[watched]["key"] == "outer", watches)
    check("watches: what is not, and why", not watches["nosuch:/x"]["armed"] and "no such container" in watches["nosuch:/x"]["why"],
          watches)
    text = ctl("watches").stdout
    check("watches for people", f"watched    wa   {watched}" in text and "NOT        wa   nosuch:/x" in text, text)


def describes_itself():
    s = connect()
    info = call(s, "org.varlink.service.GetInfo")["parameters"]
    check("GetInfo", "org.culprit" in info["interfaces"] and info["product"] == "culprit daemon", info)
    text = call(s, "org.varlink.service.GetInterfaceDescription", {"interface": "org.culprit"})["parameters"]["description"]
    for method in ("Status", "Watches", "Add", "Remove", "Reload", "Flush", "Metrics"):
        check(f"the interface has {method}", f"method {method}(" in text, text)
    check("no such interface", call(s, "org.varlink.service.GetInterfaceDescription", {"interface": "x.y"})["error"]
          == "org.varlink.service.InterfaceNotFound")
    check("no such method", call(s, "org.culprit.Nothing")["error"] == "org.varlink.service.MethodNotFound")
    check("a wrong parameter", call(s, "org.culprit.Add", {"target": 7}) ==
          {"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": "target"}})
    s.close()


def adds_and_removes():
    other = f"{work}/other"
    os.makedirs(other)
    check("add", ctl("add", "-k", "extra", other).returncode == 0)
    touch(f"{other}/one")
    check("what is added is watched at once", ctl("flush").returncode == 0 and ("create", f"{other}/one", "extra") in reported(other),
          reported(other))
    check("add what the configuration watches", ctl("add", "-k", "mine", f"{watched}/in").returncode == 0)
    touch(f"{watched}/in/two")
    check("its key in the record stays", ctl("flush").returncode == 0 and ("create", f"{watched}/in/two", "outer") in reported(watched),
          reported(watched))
    check("add again", asked("add", "-k", "extra", other) == {"users": 2})
    configure(f"watch outer {{ targets = {watched} }}\n")
    check("reload", ctl("reload").returncode == 0)
    touch(f"{other}/three")
    check("a reload leaves what was added", ctl("flush").returncode == 0 and ("create", f"{other}/three", "extra") in reported(other))
    check("remove once", asked("remove", other) == {"users": 1})
    touch(f"{other}/four")
    check("then it is watched still", ctl("flush").returncode == 0 and ("create", f"{other}/four", "extra") in reported(other))
    check("remove twice", asked("remove", other) == {"users": 0})
    gone = ctl("remove", other)
    check("a third time there is nothing", gone.returncode == 1 and "nobody has added" in gone.stderr, gone)
    check("it is watched no more",
          wait_until(lambda: other not in [w["target"] for w in asked("watches")["watches"]]), asked("watches"))
    check("a path that is none", ctl("add", "x:y").returncode == 2)


def keeps_what_works():
    configure(f"watch outer {{ targets = {watched} }}\nwtach x {{ targets = /tmp }}\n")
    broken = ctl("reload")
    check("a reload with a mistake says which, with status 2", broken.returncode == 2 and f"{etc}/culprit.conf:5: no key" in broken.stderr
          and "1 mistake" in broken.stderr, broken)
    check("status says it too", asked("status")["configuration"]["broken"] is True)
    metrics = ctl("metrics").stdout
    check("and the metric", "culprit_config_last_reload_successful 0\n" in metrics, metrics)
    configure(f"watch outer {{ targets = {watched} }}\n")
    check("a right one is taken", ctl("reload").returncode == 0 and asked("status")["configuration"]["broken"] is False)


def measures():
    text = ctl("metrics").stdout
    series = [line for line in text.splitlines() if not line.startswith("#")]
    check("metrics: changes are counted",
          any(line.startswith(f'culprit_events_total{{watch="{watched}",operation="create",outcome="success"}}') for line in series), text)
    for name in ("culprit_build_info{", "culprit_events_lost_total{place=", "culprit_event_lag_seconds_bucket{le=", "culprit_watch_blind{", "culprit_store_bytes ",
                 "culprit_config_last_reload_success_timestamp_seconds "):
        check(f"metrics: {name}", any(line.startswith(name) for line in series), text)
    check("at most a thousand series", 20 < len(series) <= 1000, len(series))
    lints(text)
    check("what is waited for is blind, what is watched is not", 'culprit_watch_blind{watch="nosuch:/x"} 1' in measured_first
          and f'culprit_watch_blind{{watch="{watched}"}} 0' in series, measured_first)
    over_http()


def lints(text):
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if promtool:
        lint = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        check("promtool finds nothing", lint.returncode == 0 and not lint.stderr + lint.stdout, lint)


def over_http():
    port = int(re.search(r"metrics over HTTP at port (\d+)", said()).group(1))
    stuck = [socket.create_connection(("127.0.0.1", port), timeout=SECONDS) for _ in range(7)]  # they say nothing
    url = f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"{url}/metrics", timeout=SECONDS) as answer:
        kind, text = answer.headers["Content-Type"], answer.read().decode()
    check("over HTTP there is the same", kind.startswith("text/plain; version=0.0.4") and "culprit_events_total{" in text, kind, text)
    def heads(of):
        return [line for line in of.splitlines() if line.startswith("# TYPE ")]
    check("all series that there are", heads(text) == heads(ctl("metrics").stdout) and "# TYPE culprit_alerts_open gauge" in heads(text)
          and "# TYPE culprit_sink_failures_total counter" in heads(text), text)
    lints(text)
    status = None
    try:
        urllib.request.urlopen(f"{url}/etc/passwd", timeout=SECONDS)
    except urllib.error.HTTPError as e:
        status = e.code
    check("and nothing else", status == 404, status)
    check("who says nothing is sent away", all(s.recv(1) == b"" for s in stuck))
    for s in stuck:
        s.close()


def as_other(uid, gid, function):
    """What `function` returns in a process of that user; it has to be JSON."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        try:
            result = function()
        except OSError as e:
            result = e.errno
        os.write(writing, json.dumps(result).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as f:
        text = f.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def knows_who_asks():
    check("another user may not connect", as_other(65534, 65534, lambda: str(connect()))
          in (13,), as_other(65534, 65534, lambda: str(connect())))
    # as the group culprit has it where it exists
    before = os.stat(control)
    os.chmod(work, 0o755)
    os.chown(control, -1, 65533)
    os.chmod(control, 0o660)
    ask = lambda method, parameters=None: as_other(65534, 65533, lambda: call(connect(), method, parameters))
    check("a member may look", "status" in ask("org.culprit.Status").get("parameters", {}), ask("org.culprit.Status"))
    for method in ("Reload", "Flush", "Add", "Remove"):
        answer = ask(f"org.culprit.{method}", {"target": "/etc"})
        check(f"and may not change: {method}", answer.get("error") == "org.culprit.NotPermitted", answer)
    os.chown(control, -1, before.st_gid)


def waits_for_nobody():
    silent = [connect() for _ in range(60)]
    for s in silent[:30]:
        s.sendall(b'{"method":"org.culprit.Status"')  # half a message
    loud = connect()
    request = b'{"method":"org.culprit.Metrics"}\0' * 2000
    loud.setblocking(False)
    sent = 0
    while sent < len(request):
        try:
            sent += loud.send(request[sent:])
        except BlockingIOError:
            break
    check("somebody who asks and does not read holds up nobody", asked("status")["clients"] >= 61)
    garbage = connect()
    garbage.sendall(b"\xff\xfe\0" + b"x" * 1000)
    answer = receive(garbage)
    check("what is no message ends the conversation", answer["error"] == "org.culprit.BadMessage", answer)
    check("for good", garbage.recv(1) == b"")
    for s in silent + [loud, garbage]:
        s.close()
    check("who is gone is forgotten", wait_until(lambda: asked("status")["clients"] == 1), asked("status"))


def is_replaced():
    first = started[-1]
    first.kill()
    first.wait()
    check("a dead daemon's socket is no daemon", ctl("status").returncode == 3, ctl("status"))
    configure(f"heartbeat = 1s\nwatch outer {{ targets = {watched} }}\n")
    second = start()
    check("the next one has it", asked("status")["pid"] == second.pid, asked("status"))
    proves_itself()
    refused = subprocess.run([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], capture_output=True, text=True, check=False,
                             timeout=SECONDS)
    check("one beside it is refused", refused.returncode == 3, refused)
    check("and leaves it the socket", asked("status")["pid"] == second.pid, asked("status"))
    second.send_signal(signal.SIGTERM)
    check("its end", second.wait(SECONDS) == 0)
    check("leaves nothing of its tests behind", not os.path.exists(f"{work}/heartbeat"))
    check("takes the socket along", not os.path.exists(control))
    check("no daemon runs", ctl("status").returncode == 3 and "no daemon runs" in ctl("status").stderr, ctl("status"))


def proves_itself():
    place, away = f"{work}/heartbeat", f"{work}/away"
    heartbeat = lambda: asked("status").get("heartbeat", {})
    check("the heartbeat is right", wait_until(lambda: heartbeat().get("count", 0) >= 2) and heartbeat()["right"] is True, heartbeat(), said())
    check("again and again", heartbeat()["wrong"] == 0, heartbeat())
    kinds = {t[0] for t in reported(place)}
    check("by a change of each kind", {"create", "mkdir", "unlink", "rename", "chmod", "truncate"} <= kinds, kinds)
    gaps = lambda: subprocess.run([CULPRIT, "who", "--store", store, watched], capture_output=True, text=True, check=False,
                                  timeout=SECONDS)
    check("without a gap of its own", "heartbeat" not in asked("status")["lost"] and "watch-window" not in asked("status")["lost"]
          and "own test" not in gaps().stdout, gaps())
    check("nor a span of coverage for each", gaps().stdout.count(" fanotify ") <= 5, gaps())
    os.rename(place, away)
    touch(place)
    check("what does not come back right is wrong", wait_until(lambda: heartbeat().get("right") is False), heartbeat())
    check("is said", "heartbeat: its files could not be made" in said(), said())
    check("is a metric", "culprit_heartbeats_wrong_total 0\n" not in ctl("metrics").stdout)
    check("and a gap in the record", wait_until(lambda: "own test" in gaps().stdout) and gaps().returncode == 4 and "own test did not come back right" in gaps().stdout, gaps())
    os.unlink(place)
    os.rename(away, place)
    check("it is right again", wait_until(lambda: heartbeat().get("right") is True) and wait_until(lambda: "right again" in said()), heartbeat())


def main():
    global measured_first
    os.makedirs(etc)
    os.makedirs(run)
    os.makedirs(f"{watched}/in")
    configure(f"metrics = 127.0.0.1:0\nwatch outer {{ targets = {watched} }}\nwatch gone {{ targets = \"nosuch:/x\" }}\n")
    try:
        start()
        measured_first = ctl("metrics").stdout
        says_what_it_is()
        describes_itself()
        adds_and_removes()
        keeps_what_works()
        measures()
        knows_who_asks()
        waits_for_nobody()
        is_replaced()
    finally:
        shared.clear()
    return shared.result()


sys.exit(main())
