# SPDX-License-Identifier: MIT
"""receivers.py CULPRIT: alerts arrive at the real ones: two Alertmanagers of one cluster (0.25) make one notification of an alert, also with one of
them away; systemd's journald has it in fields; rsyslog reads it as RFC 5424. Each is tried where it is there: $ALERTMANAGER (else
prometheus-alertmanager of the PATH; its templates below $ALERTMANAGER_SHARE, if it is not installed), systemd-journald, $RSYSLOGD (else rsyslogd
of the PATH; its modules in $RSYSLOG_MODULES). The last line is "N passed, N failed"."""
import http.server
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

from lib import journald
from lib.daemon_test import CULPRIT, DaemonTest, own_port

ALERTMANAGER = os.environ.get("ALERTMANAGER") or shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
SHARE = os.environ.get("ALERTMANAGER_SHARE")
RSYSLOGD = os.environ.get("RSYSLOGD") or shutil.which("rsyslogd")
MODULES = os.environ.get("RSYSLOG_MODULES")
SECONDS = 120
shared = DaemonTest("receivers", SECONDS, pause=0.1)
work, etc, run, started = shared.work, shared.etc, shared.run, shared.started
check, wait_until = shared.check, shared.wait_until
watched, lib = f"{work}/w", f"{work}/lib"


def begin(words, name, **more):
    output = open(f"{work}/{name}.log", "a", encoding="utf-8")
    started.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **more))
    return started[-1]


class Receiver:
    """What Alertmanager notifies: its notifications as they come."""

    def __init__(self):
        self.got = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, text):
        """(status of the notification, summary) of each alert that says so."""
        return [(n["status"], a["annotations"]["summary"]) for n in self.got for a in n["alerts"] if text in a["annotations"]["summary"]]

    def of(self, matter):
        """The statuses of the notifications of that alert: others may have its summary in theirs."""
        return [n["status"] for n in self.got for a in n["alerts"] if a["labels"]["culprit"] == matter]


class Cluster:
    def __init__(self, receiver):
        self.processes = [None, None]
        with open(f"{work}/am.yml", "w", encoding="utf-8") as f:
            f.write("route: {receiver: hook, group_by: ['...'], group_wait: 2s, group_interval: 5s, repeat_interval: 1h}\n"
                    f"receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{receiver.port}/', send_resolved: true}}]}}]\n")

    def begin(self):
        """Both; with other ports if somebody else got one of these."""
        for _ in range(5):
            self.ports, self.mesh = [own_port(), own_port()], [own_port(), own_port()]
            for n in range(2):
                self.start(n)
            wait_until(lambda: all(p.poll() is not None or self.ask(n, "status") for n, p in enumerate(self.processes)))
            if not any("address already in use" in self.log(n) for n in range(2)):
                return
            for p in self.processes:
                p.kill()
                p.wait()

    def start(self, n):
        words = [ALERTMANAGER, f"--config.file={work}/am.yml", f"--storage.path={work}/am{n}",
                 f"--web.listen-address=127.0.0.1:{self.ports[n]}", f"--cluster.listen-address=127.0.0.1:{self.mesh[n]}",
                 *(f"--cluster.peer=127.0.0.1:{port}" for port in self.mesh)]
        if SHARE:  # in a mount namespace of its own: its templates are where they would be installed
            words = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs t /usr/share && mkdir /usr/share/prometheus && cp -r "$0" '
                     '/usr/share/prometheus/alertmanager && exec "$@"', SHARE, *words]
        self.processes[n] = begin(words, f"am{n}")

    def ask(self, n, what):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[n]}/api/v2/{what}", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def cluster_of(self, n):
        return (self.ask(n, "status") or {}).get("cluster") or {}

    @staticmethod
    def log(n):
        with open(f"{work}/am{n}.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def last_words(self, n):
        text = self.log(n)
        fatal = re.search(r"^(panic|fatal error|unexpected fault|.*level=error)", text, re.M)
        return text[fatal.start():][:300] if fatal else text[-300:]

    def __str__(self):
        """For a failure: it may be theirs."""
        return "; ".join(f"Alertmanager {n} {'runs' if p.poll() is None else f'ended ({p.returncode})'}: {self.last_words(n)!r}"
                         for n, p in enumerate(self.processes))

    def alerts(self, n, text):
        return [a for a in self.ask(n, "alerts") or [] if text in a["annotations"].get("summary", "")]


def ctl(*words):
    return subprocess.run([CULPRIT, words[0], "--control", f"{run}/control", *words[1:]], capture_output=True, text=True, check=False,
                          timeout=SECONDS)


def status():
    answer = ctl("ctl", "--json", "status")
    return json.loads(answer.stdout)["alerts"] if answer.returncode == 0 else {"sinks": [], "open": []}


def script(name, text):
    with open(f"{work}/{name}", "w", encoding="utf-8") as f:
        f.write(text + "\n")
    subprocess.run(["/bin/sh", f"{work}/{name}"], check=True, timeout=SECONDS, cwd="/")


def start(sinks):
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nstore = {lib}/culprit.db\nheartbeat = off\nwatch w {{ targets = {watched} }}\n{sinks}")
    process = begin([CULPRIT, "daemon", "--config", etc, "--runtime-dir", run], "culprit")
    check("the daemon is ready", wait_until(lambda: "culprit: ready" in open(f"{work}/culprit.log", encoding="utf-8").read()))
    return process


def alertmanagers(cluster, receiver):
    # one that is settling keeps the alerts as they are now, and notifies of them later, whatever they have become
    check("two Alertmanagers are one cluster", wait_until(lambda: all(len(cluster.cluster_of(n).get("peers") or []) == 2 and
                                                                      cluster.cluster_of(n)["status"] == "ready" for n in range(2))), cluster)
    script("first.sh", f"rm {watched}/a {watched}/b")
    check("each has the alert", wait_until(lambda: all(len(cluster.alerts(n, "first.sh")) == 1 for n in range(2))), cluster, status())
    alert = cluster.alerts(0, "first.sh")[0]
    matter = alert["labels"]["culprit"]
    mine = [m for m in status()["open"] if m["id"] == matter]
    check("with its id, watch and host", len(mine) == 1 and alert["labels"]["alertname"] == "culprit" and alert["labels"]["watch"] == watched and
          alert["labels"]["instance"], alert)
    check("and what may change beside them", alert["annotations"]["severity"] == "medium" and alert["annotations"]["events"] == "2" and
          "deleted 2 files" in alert["annotations"]["summary"], alert)
    check("one notification comes", wait_until(lambda: receiver.of(matter)), cluster, receiver.got)
    script("first.sh", f"chown 1 {watched}/c")
    check("when it gets graver it is the same alert", wait_until(lambda: all(
        [a["annotations"]["severity"] for a in cluster.alerts(n, "first.sh")] == ["high"] for n in range(2))), cluster, cluster.alerts(0, "first.sh"))
    for n in range(3):  # each takes a group_wait: together they are longer than a group_interval
        script(f"marker{n}.sh", f"rm {watched}/marker{n}")
        check("others are notified", wait_until(lambda n=n: receiver.about(f"marker{n}.sh")), cluster, receiver.got)
    check("and still one notification", receiver.of(matter) == ["firing"], cluster, receiver.got)
    silence = ctl("ctl", "silence", "--for", "1h", "--reason", "known", matter)
    check("what is silenced is over there", silence.returncode == 0 and wait_until(lambda: receiver.of(matter)[-1:] == ["resolved"]),
          receiver.got, silence, cluster)
    test = ctl("alert", "test", "am")
    check("a test arrives at both", test.returncode == 0 and test.stdout.count("arrived") == 2, cluster, test)
    cluster.processes[1].send_signal(signal.SIGKILL)
    cluster.processes[1].wait()
    script("second.sh", f"rm {watched}/c")
    script("third.sh", f"rm {watched}/d")
    check("with one of them away the other has all", wait_until(lambda: cluster.alerts(0, "second.sh") and cluster.alerts(0, "third.sh")), cluster, status())
    check("and notifies", wait_until(lambda: receiver.about("second.sh") and receiver.about("third.sh")), cluster, receiver.got)
    half = ctl("alert", "test", "am")
    check("a test says which one is away", half.returncode == 1 and "arrived  am: " in half.stdout and "FAILED   am:2: " in half.stdout, cluster, half)
    cluster.start(1)
    check("it gets what it missed", wait_until(lambda: cluster.alerts(1, "second.sh") and cluster.alerts(1, "third.sh"), 400), cluster, status())
    check("and nobody hears it again", len(receiver.about("second.sh")) == 1 and len(receiver.about("third.sh")) == 1, receiver.got)


def journal_entries():
    out = subprocess.run(["journalctl", "-D", f"{work}/journal", "-o", "json", "--all", "--no-pager"], capture_output=True, text=True, check=False,
                         timeout=SECONDS).stdout
    return [e for e in map(json.loads, out.splitlines()) if e.get("SYSLOG_IDENTIFIER") == "culprit"]


def start_journald():
    """Alone, with /run/systemd and its files below ours."""
    for name in ("systemd/journal", "journal"):
        os.makedirs(f"{work}/{name}")
    begin(["unshare", "-m", "sh", "-c", f"mkdir -p /run/log/journal && mount --bind {work}/systemd /run/systemd && mount --bind {work}/journal "
           f"/run/log/journal && mount -t tmpfs t /var/log && exec {shlex.join(journald.COMMAND)}"], "journald")
    check("journald listens", wait_until(lambda: os.path.exists(f"{work}/systemd/journal/socket")))


def in_the_journal():
    script("journal.sh", f"rm {watched}/e")
    check("the journal has it", wait_until(lambda: [e for e in journal_entries() if "journal.sh" in e["MESSAGE"]]), status())
    entry = [e for e in journal_entries() if "journal.sh" in e["MESSAGE"]][0]
    check("in fields", entry["PRIORITY"] == "6" and entry["CULPRIT_SEVERITY"] == "medium" and entry["CULPRIT_STATE"] == "begins" and
          json.loads(entry["CULPRIT_JSON"])["culprit"]["alert"]["id"] == entry["CULPRIT_ALERT"], entry)
    found = subprocess.run(["journalctl", "-D", f"{work}/journal", "--no-pager", f"CULPRIT_ALERT={entry['CULPRIT_ALERT']}"], capture_output=True,
                           text=True, check=False, timeout=SECONDS)
    check("by which it is found", "journal.sh" in found.stdout, found)


def rsyslog(port):
    os.makedirs(f"{work}/rsyslog")
    with open(f"{work}/rsyslog.conf", "w", encoding="utf-8") as f:
        f.write(f"""global(workDirectory="{work}/rsyslog")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="line" type="string" string="%pri-text%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\\n")
action(type="omfile" file="{work}/rsyslog/lines" template="line")
""")
    begin([RSYSLOGD, "-n", "-f", f"{work}/rsyslog.conf", "-i", f"{work}/rsyslog/pid", *(["-M", MODULES] if MODULES else [])], "rsyslogd")


def syslog_lines(text):
    try:
        with open(f"{work}/rsyslog/lines", encoding="utf-8") as f:
            return [line.rstrip("\n").split("|", 5) for line in f if text in line]
    except FileNotFoundError:
        return []


def in_syslog():
    script("syslog.sh", f"rm {watched}/f")
    check("rsyslog has it", wait_until(lambda: syslog_lines("syslog.sh")), status())
    line = syslog_lines("syslog.sh")[0]
    check("in its parts", line[1] and line[2:5] == ["culprit", "alert", "-"] and line[0].endswith(".notice") and
          line[5].strip().startswith("[medium] ") and "deleted" in line[5] and line[5].endswith(" 1 event)"), line)
    test = ctl("alert", "test", "s")
    check("a test arrives", test.returncode == 0 and wait_until(lambda: [x for x in syslog_lines("A test of") if x[3] == "test"]), test)


def main():
    sinks = ""
    for name in ("etc", "run", "w", "lib"):
        os.makedirs(f"{work}/{name}")
    os.chmod(work, 0o755)
    for name in (*"abcdef", *(f"marker{n}" for n in range(3))):
        open(f"{watched}/{name}", "w", encoding="utf-8").close()
    receiver = Receiver()
    try:
        if ALERTMANAGER:
            cluster = Cluster(receiver)
            cluster.begin()
            sinks += f"sink am {{ type = webhook format = alertmanager to = {{ {', '.join(f_url(p) for p in cluster.ports)} }} }}\n"
        if journald.PROGRAM:
            start_journald()
            sinks += f"sink j {{ type = journal to = {work}/systemd/journal/socket }}\n"
        if RSYSLOGD:
            port = own_port()
            rsyslog(port)
            sinks += f"sink s {{ type = syslog to = 'tcp://127.0.0.1:{port}' }}\n"
        if sinks:
            start(sinks)
        if ALERTMANAGER:
            alertmanagers(cluster, receiver)
        else:
            print("skipped: no prometheus-alertmanager")
        if journald.PROGRAM:
            in_the_journal()
        else:
            print("skipped: no systemd-journald")
        if RSYSLOGD:
            in_syslog()
        else:
            print("skipped: no rsyslogd")
    finally:
        shared.clear(reversed)
    return shared.result()


def f_url(port):
    return f"'http://127.0.0.1:{port}/api/v2/alerts'"


sys.exit(main())
