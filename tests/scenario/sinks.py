# SPDX-License-Identifier: MIT
"""sinks.py CULPRIT: where alerts go: journald's protocol, a file, a program, mail, syslog by TLS, a webhook by TLS that answers 500, closes half-way, hangs, is
away; one whose certificate is not right; what waits outlives the daemon. The last line is "N passed, N failed"."""
import email
import email.policy
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading

from lib.daemon_test import CULPRIT, DaemonTest, own_port

SECONDS = 120
shared = DaemonTest("sinks", SECONDS)
work, etc, run = shared.work, shared.etc, shared.run
check, wait_until, said, start = shared.check, shared.wait_until, shared.said, shared.start
watched, lib = f"{work}/w", f"{work}/lib"


class Journal(threading.Thread):
    """journald's socket: entries as dictionaries."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{work}/journal")
        os.chmod(f"{work}/journal", 0o666)
        self.entries = []
        self.start()

    def run(self):
        while True:
            rest, entry = self.socket.recv(1 << 20), {}
            while rest:
                name, rest = rest.split(b"\n", 1)
                length = struct.unpack("<Q", rest[:8])[0]
                entry[name.decode()] = rest[8:8 + length].decode()
                rest = rest[8 + length + 1:]
            self.entries.append(entry)


class Hook:
    """A webhook by TLS. how: what it does with the next ones; None: it is away."""

    def __init__(self):
        self.got, self.how, self.asked, self.port, self.server = [], "500", 0, own_port(), None
        self.release = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.how == "hang":
                    hook.release.wait(SECONDS)
                elif hook.how == "half":
                    self.wfile.write(b"HTTP/1.1 2")
                elif hook.how == "500":
                    self.send_error(500)
                else:
                    hook.got.append((self.headers.get("Authorization"), body))
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *_):
                pass
        self.handler = Handler

    def open(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{work}/cert.pem", f"{work}/key.pem")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # the one who does not trust us
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Syslog(threading.Thread):
    """A server by TLS (RFC 5425): the messages whose octets were counted right."""

    def __init__(self):
        super().__init__(daemon=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{work}/cert.pem", f"{work}/key.pem")
        self.listening = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True, do_handshake_on_connect=False)
        self.port = self.listening.getsockname()[1]
        self.got = []
        self.start()

    def run(self):
        while True:
            connection, data = self.listening.accept()[0], b""
            try:
                while part := connection.recv(65536):
                    data += part
            except OSError:  # who does not trust us, or ends without a word
                pass
            connection.close()
            while data:
                length, data = data.split(b" ", 1)
                self.got.append(data[:int(length)].decode())
                data = data[int(length):]


class Mail(threading.Thread):
    """A server of mail. how: what it says to recipients; got: (sender, recipients, message) of what it took."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.got, self.how, self.asked = [], "550 nobody of that name", 0
        self.start()

    def run(self):
        while True:
            connection = self.listening.accept()[0]
            try:
                with connection, connection.makefile("rwb", buffering=0) as f:
                    self.serve(f)
            except OSError:
                pass

    def serve(self, f):
        sender, to = None, []
        f.write(b"220 test\r\n")
        while line := f.readline().decode().strip():
            word = line.split(":")[0].upper()
            if word == "MAIL FROM":
                sender = line.split(":", 1)[1]
            if word == "RCPT TO":
                self.asked += 1
                to.append(line.split(":", 1)[1])
                f.write(f"{self.how}\r\n".encode())
            elif word == "DATA":
                f.write(b"354 go on\r\n")
                lines = []
                while (data := f.readline()) != b".\r\n":
                    lines.append(data)
                self.got.append((sender, to, b"".join(lines)))
                f.write(b"250 taken\r\n")
            elif word == "QUIT":
                f.write(b"221 bye\r\n")
                return
            else:
                f.write(b"250 fine\r\n")


def read_mail(data):
    """(message, its text, the alert)"""
    message = email.message_from_bytes(data, policy=email.policy.default)
    return message, message.get_body(("plain",)).get_content(), json.loads(next(message.iter_attachments()).get_content())


def configure(hook, syslog, mail):
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"""groups = {{}}
sensor = fanotify
store = {lib}/culprit.db
heartbeat = off
watch w {{ targets = {watched} }}
sink j {{ type = journal to = {work}/journal }}
sink lines {{ type = file to = {work}/out/alerts.jsonl }}
sink program {{ type = exec to = {{ /bin/sh, -c, 'id -un > {work}/out/user; cat >> {work}/out/program' }} }}
sink hook {{ type = webhook to = 'https://localhost:{hook.port}/x' secret = {work}/secret ca = {work}/cert.pem timeout = 60s }}
sink wrong {{ type = webhook to = 'https://localhost:{hook.port}/s3cret' timeout = 60s severity = medium }}
sink log {{ type = syslog to = 'tls://localhost:{syslog.port}' ca = {work}/cert.pem timeout = 60s }}
sink stranger {{ type = syslog to = 'tls://localhost:{syslog.port}' timeout = 60s }}
sink mail {{ type = mail to = {{ 'ops@example.org', 'ann@example.org' }} from = 'culprit@example.org' server = 'smtp://127.0.0.1:{mail.port}' timeout = 60s }}
sink sendmail {{ type = mail to = 'ops@example.org' server = {work}/sendmail timeout = 60s }}
sink setid {{ type = mail to = 'ops@example.org' server = /bin/false timeout = 60s }}
sink grave {{ type = file to = {work}/out/grave.jsonl severity = critical }}
""")


def sinks():
    answer = subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", "--json", "status"], capture_output=True, text=True, check=False,
                            timeout=SECONDS)
    return {s["name"]: s for s in json.loads(answer.stdout)["alerts"]["sinks"]} if answer.returncode == 0 else {}


def script(name, text):
    with open(f"{work}/{name}", "w", encoding="utf-8") as f:
        f.write(text + "\n")
    subprocess.run(["/bin/sh", f"{work}/{name}"], check=True, timeout=SECONDS, cwd="/")


def lines(name):
    try:
        return [json.loads(line) for line in open(f"{work}/out/{name}", encoding="utf-8")]
    except (FileNotFoundError, ValueError):
        return []


def of_script(name, lines_of):
    return [a for a in lines_of if name in a["message"]]


def goes_everywhere(journal, hook, syslog):
    script("first.sh", f"rm {watched}/a {watched}/b")
    check("a file has it", wait_until(lambda: of_script("first.sh", lines("alerts.jsonl"))), said())
    alert = of_script("first.sh", lines("alerts.jsonl"))[0]
    check("with all that is needed", alert["culprit"]["alert"]["state"] == "begins" and alert["culprit"]["alert"]["first_event"]["process"]["pid"] and
          alert["host"]["name"] and alert["culprit"]["alert"]["page"].startswith("VERDICT") and alert["threat"]["technique"]["id"] == ["T1070.004"],
          alert)
    check("a program has it on its stdin", wait_until(lambda: of_script("first.sh", lines("program"))), said())
    check("as nobody", wait_until(lambda: open(f"{work}/out/user", encoding="utf-8").read() == "nobody\n"))
    check("journald has it", wait_until(lambda: any("first.sh" in e["MESSAGE"] for e in journal.entries)), journal.entries)
    entry = [e for e in journal.entries if "first.sh" in e["MESSAGE"]][0]
    check("in fields", entry["PRIORITY"] == "6" and entry["SYSLOG_IDENTIFIER"] == "culprit" and entry["CULPRIT_SEVERITY"] == "medium" and
          entry["CULPRIT_ALERT"] == alert["culprit"]["alert"]["id"] and json.loads(entry["CULPRIT_JSON"]) == alert, entry)
    check("a syslog server has it by TLS", wait_until(lambda: any("first.sh" in line for line in syslog.got)), syslog.got, sinks())
    line = [line for line in syslog.got if "first.sh" in line][0]
    check("as RFC 5424 has it", line.startswith("<109>1 20") and " culprit - alert - [medium] " in line and
          line.endswith(f" (alert {alert['culprit']['alert']['id'][:8]}, 2 events)"), line)
    check("whose certificate is checked", wait_until(lambda: "certificate" in sinks().get("stranger", {}).get("why", "")) and
          sinks()["stranger"]["delivered"] == 0, sinks())
    check("the log does not say it twice", "culprit: alert" not in said(), said())
    check("the certificate is checked", wait_until(lambda: "certificate" in sinks().get("wrong", {}).get("why", "")), sinks())
    for how in ("500", "half", "hang"):
        hook.how = how
        asked = hook.asked
        check(f"a webhook that does this is asked again: {how}", wait_until(lambda: hook.asked > asked), sinks())
    hook.how = "200"
    hook.release.set()
    check("and gets it in the end", wait_until(lambda: any(b"first.sh" in body for _, body in hook.got)), sinks())
    check("as the same JSON, with its secret", [(h, json.loads(body)) for h, body in hook.got if b"first.sh" in body] == [("Bearer s3cret", alert)],
          hook.got)
    check("a failure is said by the others", wait_until(lambda: any("do not get out of sink wrong" in a["message"] for a in lines("alerts.jsonl"))),
          sinks())
    check("without its URL, which may be a secret", "s3cret" not in open(f"{work}/out/alerts.jsonl", encoding="utf-8").read() + said() +
          json.dumps(sinks()) + str(journal.entries), sinks())
    check("and nothing was posted there", sinks()["wrong"]["delivered"] == 0, sinks())
    check("what is not grave enough is not for a sink", not lines("grave.jsonl"), lines("grave.jsonl"))
    check("all are counted", wait_until(lambda: sinks()["hook"]["delivered"] >= 1 and sinks()["hook"]["failures"] >= 3), sinks())


def is_mailed(mail):
    check("a mail server that refuses is asked again", wait_until(lambda: mail.asked > 2 and "550" in sinks().get("mail", {}).get("why", "")), sinks())
    mail.how = "250 fine"
    check("and has it in the end", wait_until(lambda: [m for m in mail.got if "first.sh" in read_mail(m[2])[2]["message"]]), mail.got, sinks())
    sender, to, data = [m for m in mail.got if "first.sh" in read_mail(m[2])[2]["message"]][0]
    message, text, alert = read_mail(data)
    check("from and to whom it is said", sender.startswith("<culprit@example.org>") and to == ["<ops@example.org>", "<ann@example.org>"], sender, to)
    check("with a subject that says it", message["Subject"].startswith("[medium] ") and "first.sh" in message["Subject"] and not message.defects,
          message["Subject"], message.defects)
    check("a text", alert["message"] in text and "Severity:  medium" in text, text)
    check("and the whole alert", alert == of_script("first.sh", lines("alerts.jsonl"))[0], alert)
    check("a mailer has it on its stdin", wait_until(lambda: os.path.exists(f"{work}/out/mail") and "first.sh" in str(
        [read_mail(part.encode())[2] for part in open(f"{work}/out/mail", encoding="utf-8").read().split("END\n")[:-1]])), sinks())
    check("as nobody, asked to read the recipients there", open(f"{work}/out/mailer", encoding="utf-8").read().startswith("nobody -t -oi\n"))
    check("one that fails says so", wait_until(lambda: "/bin/false: exit status 1" in sinks().get("setid", {}).get("why", "")), sinks())


def is_tried(journal, hook):
    def test(*words):
        return subprocess.run([CULPRIT, "alert", "--control", f"{run}/control", "test", *words], capture_output=True, text=True, check=False,
                              timeout=SECONDS)
    everywhere = test()
    said_of = {line.split()[1].rstrip(":"): line.split()[0] for line in everywhere.stdout.splitlines()}
    check("a test says of each sink whether it arrived", everywhere.returncode == 1 and said_of == {
        "j": "arrived", "lines": "arrived", "program": "arrived", "hook": "arrived", "wrong": "FAILED", "grave": "arrived", "log": "arrived", "stranger": "FAILED", "mail": "arrived", "sendmail": "arrived", "setid": "FAILED"} and
          "certificate" in everywhere.stdout, everywhere)
    tests = [a for a in lines("grave.jsonl") if a["culprit"]["alert"].get("test")]
    check("and is marked", tests and tests[0]["event"]["action"] == "test" and "root" in tests[0]["message"] and
          any(e.get("CULPRIT_TEST") == "1" and e["CULPRIT_STATE"] == "begins" for e in journal.entries) and
          any(b'"test":true' in body for _, body in hook.got), tests)
    check("one sink alone is tried", test("lines").stdout.startswith("arrived  lines: file, after ") and test("lines").returncode == 0)
    nowhere = test("nosuch")
    check("of one that is none that is said", nowhere.returncode == 1 and "no sink of that name" in nowhere.stderr, nowhere)


def outlives_the_daemon(process, hook):
    hook.close()
    script("away.sh", f"rm {watched}/c")
    check("what the webhook does not get waits", wait_until(lambda: sinks().get("hook", {}).get("waiting", 0) >= 1), sinks())
    process.kill()
    process.wait()
    check("also when the daemon is killed", wait_until(lambda: any("hook" in d and f for d, _, f in os.walk(f"{lib}/alerts"))))
    hook.open()
    process = start()
    check("and gets there with the next one", wait_until(lambda: any(b"away.sh" in body for _, body in hook.got)), sinks())
    check("once", sum(b"away.sh" in body and b'"begins"' in body for _, body in hook.got) == 1, hook.got)
    return process


def is_redacted(journal, hook, syslog, mail):
    """Neither the argument nor whose home it is gets anywhere, and the record has both."""
    with open(f"{etc}/culprit.conf", "a", encoding="utf-8") as f:
        f.write("redact = { users, arguments, homes }\n")
    reload = subprocess.run([CULPRIT, "ctl", "--control", f"{run}/control", "reload"], capture_output=True, text=True, check=False, timeout=SECONDS)
    check("what is not to be reported is configured by a reload", reload.returncode == 0, reload)
    with open(f"{work}/hidden.sh", "w", encoding="utf-8") as f:
        f.write(f'rm {watched}/home/bobsecret/a "$1"\n')
    subprocess.run(["/bin/sh", f"{work}/hidden.sh", f"{watched}/home/bobsecret/argsecret"], check=True, timeout=SECONDS, cwd="/")
    check("the alert arrives everywhere", wait_until(lambda: all((
        of_script("hidden.sh", lines("alerts.jsonl")), of_script("hidden.sh", lines("program")), any("hidden.sh" in e["MESSAGE"] for e in journal.entries),
        any("hidden.sh" in line for line in syslog.got), any("hidden.sh" in read_mail(m[2])[1] for m in mail.got), any(b"hidden.sh" in body for _, body in hook.got)))), sinks())
    alert = of_script("hidden.sh", lines("alerts.jsonl"))[0]
    reported = "".join(open(f"{work}/out/{name}", encoding="utf-8").read() for name in os.listdir(f"{work}/out")) + str(journal.entries) + str(
        syslog.got) + str(hook.got) + "".join(read_mail(m[2])[0]["Subject"] + str(read_mail(m[2])[1:]) for m in mail.got)
    check("without whose home it is", "bobsecret" not in reported and alert["culprit"]["alert"]["first_file"] == f"{watched}/home/[redacted]/a", alert)
    check("and without arguments", "$1" not in reported and alert["process"]["args"][1:] == ["[redacted]"], alert)
    who = subprocess.run([CULPRIT, "who", "--format", "json", "--store", f"{lib}/culprit.db", f"{watched}/home/bobsecret"], capture_output=True, text=True,
                         check=False, timeout=SECONDS)
    check("which the record has", "hidden.sh" in who.stdout and "bobsecret/argsecret" in who.stdout, who)


def ends(process):
    script("last.sh", f"rm {watched}/d")
    process.send_signal(signal.SIGTERM)
    check("SIGTERM ends it", process.wait(SECONDS) == 0, process.returncode)
    check("what was not said yet is said", wait_until(lambda: of_script("last.sh", lines("alerts.jsonl"))), lines("alerts.jsonl"))

    def left():
        names = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if work.encode() in open(f"/proc/{pid}/cmdline", "rb").read() and open(f"/proc/{pid}/comm", encoding="utf-8").read() == "culprit-sink\n":
                    names.append(pid)
            except OSError:
                pass
        return names
    check("no process is left", wait_until(lambda: not left()), left())


def main():
    for name in ("etc", "run", "w", "lib", "out"):
        os.makedirs(f"{work}/{name}")
    os.chmod(work, 0o755)
    os.chmod(f"{work}/out", 0o777)
    os.makedirs(f"{watched}/home/bobsecret")
    for name in (*"abcd", "home/bobsecret/a", "home/bobsecret/argsecret"):
        open(f"{watched}/{name}", "w", encoding="utf-8").close()
    with open(f"{work}/secret", "w", encoding="utf-8") as f:
        f.write("s3cret\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", f"{work}/key.pem", "-out", f"{work}/cert.pem"], check=True,
                   capture_output=True, timeout=SECONDS)
    with open(f"{work}/sendmail", "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\necho \"$(id -un) $*\" >> {work}/out/mailer\n(cat; echo END) >> {work}/out/mail\n")
    os.chmod(f"{work}/sendmail", 0o755)
    journal, hook, syslog, mail = Journal(), Hook(), Syslog(), Mail()
    try:
        hook.open()
        configure(hook, syslog, mail)
        process = start()
        goes_everywhere(journal, hook, syslog)
        is_mailed(mail)
        is_tried(journal, hook)
        process = outlives_the_daemon(process, hook)
        is_redacted(journal, hook, syslog, mail)
        ends(process)
    finally:
        shared.clear()
    return shared.result()


sys.exit(main())
