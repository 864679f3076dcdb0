# SPDX-License-Identifier: MIT
"""members.py CULPRIT: `who`, `search --store` and `diff` of members of the daemon's group, who may not read the store: the same answers as
root's, of the record alone; hostile questions; many at once; one that does not read. The last line is "N passed, N failed"."""
import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys

from lib.daemon_test import CULPRIT, DaemonTest, touch

SECONDS = 120
MEMBERS = 20
MANY = 3000
GROUP, NOBODY = 65533, 65534
shared = DaemonTest("members", SECONDS)
work, etc, run, started = shared.work, shared.etc, shared.run, shared.started
check, wait_until = shared.check, shared.wait_until
watched, store, control, secret = f"{work}/w", f"{work}/db/culprit.db", f"{run}/control", f"{work}/secret"


def member(uid=NOBODY):
    return {"user": uid, "group": uid, "extra_groups": [GROUP]}


STRANGER = {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def verb_options(verb):
    return [verb, "--store", store, "--control", control]


def ask(verb, *words, **who):
    return subprocess.run([CULPRIT, *verb_options(verb), *words], capture_output=True, text=True, check=False, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, cwd=watched, **who)


def answer(result):
    """Without the moment of asking, with which the last line of a difference in JSON begins."""
    return result.returncode, re.sub(r'\n\{"@timestamp":"[^"]*"(?=[^\n]*\n$)', "\n{", result.stdout), result.stderr


def helpers():
    """Processes that answer: those whose parent is the daemon's, or one of these."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name == "culprit-answer":
            parents[int(pid)] = int(rest.split()[1])
    first = [pid for pid, parent in parents.items() if parent == started[-1].pid]
    handing = [pid for pid, parent in parents.items() if parent in first]
    return handing + [pid for pid, parent in parents.items() if parent in handing]


def flush():
    subprocess.run([CULPRIT, "ctl", "--control", control, "flush"], check=True, timeout=SECONDS)


def make_record():
    os.makedirs(f"{watched}/in")
    subprocess.run(["sh", "-c", f"cd {watched}/in; : > a; chmod 600 a; mv a b; echo x > c; rm b; mkdir d; echo keep > d/kept; "
                    f"ln -s {watched}/in/c link"], check=True)
    subprocess.run([sys.executable, "-c", f"for i in range({MANY}): open(f'{watched}/many/n{{i}}.' + 'n' * 200, 'w').close()"], check=True)
    flush()


QUESTIONS = [
    ("who", f"{watched}/in"), ("who", "in"), ("who", "--format", "json", f"{watched}/in"), ("who", "--verbose", f"{watched}/in", f"{watched}/many"),
    ("who", "--by", "file", "--top", "3", watched), ("who", "--op", "delete", "--quiet", watched), ("who", "--exclude", "in/d", watched),
    ("who", "--user", "root", "--since", "-1h", f"{watched}/in"), ("who", f"{work}/elsewhere"), ("who", f"{watched}/in/link"), ("who",),
    ("who", "--op", "nothing-known", watched), ("who", "--format", "json", f"{watched}/many"),
    ("search", "-f", f"{watched}/in"), ("search", "--format", "json", "--op", "delete"), ("search", "--raw"), ("search", "--format", "csv"),
    ("search", "-f", "/nowhere/at/all"), ("search", "-ts", "no-such-time", "--raw"),
    ("diff", "--since", "-1h", watched), ("diff", "--since", "-1h", "--format", "json", f"{watched}/in"), ("diff", "--since", "-1h", "--times", "./in"),
]


def answers_as_root_is_answered():
    for verb, *words in QUESTIONS:
        for _ in range(5):  # "an hour ago" is another second's now and then
            root, by_daemon = (answer(ask(verb, *words, **who)) for who in ({}, member()))
            if root == by_daemon:
                break
        check(f"{verb} {' '.join(words).replace(work, '')}: the same, byte for byte, and its exit status {root[0]}", root == by_daemon,
              *[(a, b) for a, b in zip(str(root).split(","), str(by_daemon).split(",")) if a != b][:20])
    check("zone and language are the asker's", answer(ask("who", f"{watched}/in", env={"TZ": "Asia/Kathmandu", "LC_ALL": "C"})) ==
          answer(ask("who", f"{watched}/in", env={"TZ": "Asia/Kathmandu", "LC_ALL": "C"}, **member())))


def refuses_strangers():
    for verb, *words in (("who", watched), ("search", "--raw"), ("diff", "--since", "-1h", watched)):
        r = ask(verb, *words, **STRANGER)
        check(f"a stranger's {verb} is refused, and says who could", r.returncode == 3 and not r.stdout and r.stderr.count("\n") == 1 and
              "group culprit" in r.stderr and "you are none" in r.stderr, answer(r))
    r = subprocess.run([CULPRIT, "who", "--store", store, "--control", f"{work}/none", watched], capture_output=True, text=True, check=False,
                       timeout=SECONDS, **member())
    check("without a daemon that is said", r.returncode == 3 and r.stderr.count("\n") == 1 and "none does here" in r.stderr, answer(r))
    other = f"{work}/db/other.db"
    r = subprocess.run([CULPRIT, "who", "--store", other, "--control", control, watched], capture_output=True, text=True, check=False,
                       timeout=SECONDS, **member())
    check("of another store it says nothing", r.returncode == 3 and "another store" in r.stderr and not r.stdout, answer(r))


def as_member(uid, what):
    """What `what` returns, bytes, in a process of that member's."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups([GROUP])
        os.setgid(uid)
        os.setuid(uid)
        with open(write, "wb") as out:
            out.write(what())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as f:
        said = f.read()
    os.waitpid(pid, 0)
    return said


def send(parameters, method="org.culprit.Ask", more=True):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(SECONDS)
    s.connect(control)
    s.sendall(json.dumps({"method": method, "more": more, "parameters": parameters}).encode() + b"\0")
    return s


def raw(parameters, more=True):
    """What a client of another make may send: (output, errors, last reply)."""
    def talk():
        s, replies = send(parameters, more=more), b""
        while not replies.endswith(b"\0") or b'"continues":true' in replies[:-1].rsplit(b"\0", 1)[-1]:
            piece = s.recv(65536)
            if not piece:
                break
            replies += piece
        return replies
    replies = [json.loads(part) for part in as_member(NOBODY, talk).split(b"\0") if part]
    joined = [b"".join(base64.b64decode(reply.get("parameters", {}).get(name, "")) for reply in replies).decode(errors="replace")
              for name in ("output", "errors")]
    return *joined, (replies or [{}])[-1]


def mute_member(parameters, uid=NOBODY):
    """A process that asks and never reads."""
    pid = os.fork()
    if pid == 0:
        os.setgroups([GROUP])
        os.setgid(uid)
        os.setuid(uid)
        kept = send(parameters)
        signal.pause()
        kept.close()
        os._exit(0)
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def question(verb, *words, **more):
    return {"verb": verb, "arguments": list(words), "store": store, "directory": "/", **more}


def refuses_what_is_not_of_the_record():
    shadow = f"{secret}/shadow"
    with open(shadow, "w", encoding="utf-8") as f:
        f.write("type=SYSCALL msg=audit(1700000000.000:1): THE-SECRET\n")
    os.chmod(shadow, 0o600)
    fine = raw(question("who", f"{watched}/in"))
    check("a question by hand is answered", fine[0] and fine[2].get("parameters", {}).get("status") == 0, fine)
    for words in (("who", "--from", shadow, watched), ("who", "--fro", shadow, watched), ("who", "--store", shadow, watched),
                  ("who", f"--stor={shadow}", watched), ("who", "--follow", watched), ("who", "-f", watched), ("who", "--expected", watched),
                  ("who", "--config", secret, "--expected", watched), ("search", "-if", shadow), ("search", "--input", shadow), ("search", shadow),
                  ("search", "--input-logs"), ("search", "--store", shadow, "--raw"), ("search", "--checkpoint", f"{secret}/point", "--raw"),
                  ("search", "-ts", "checkpoint"), ("diff", "--content", watched), ("diff", "--since", "-1h", "--content", watched),
                  ("diff", "web"), ("diff", "--since", "-1h", "--store", shadow, watched)):
        out, errors, last = raw(question(*words))
        check(f"{' '.join(words).replace(work, '')}: one line, and no answer", not out and errors.count("\n") == 1 and
              last.get("parameters", {}).get("status") in (2, 3) and "SECRET" not in errors, out, errors, last)
    check("nothing was written", sorted(os.listdir(secret)) == ["link", "shadow"], os.listdir(secret))
    for name, wrong in (("verb", question("restore", watched)), ("verb", question("daemon")), ("verb", {**question("who"), "verb": 7}),
                        ("arguments", question("who", *["x"] * 600)), ("arguments", {**question("who"), "arguments": [1]}),
                        ("directory", {**question("who"), "directory": ""}), ("environment", question("who", environment=["A=b"] * 600))):
        out, errors, last = raw(wrong)
        check(f"a wrong {name} is refused", last.get("error", "").endswith("InvalidParameter") and not out + errors, last)
    check("another store is refused", raw({**question("who", watched), "store": shadow})[2].get("error", "").endswith("NotFound"))
    check("without more it is no question", raw(question("who", watched), more=False)[2].get("error", "").endswith("ExpectedMore"))
    hostile = ["LD_PRELOAD=/x.so", f"TZ=:{shadow}", "LC_ALL=../../../../etc", "MALLOC_TRACE=/tmp/x", "SQLITE_TMPDIR=/", "TZ"]
    out, errors, last = raw(question("who", f"{watched}/in", environment=hostile))
    check("an environment changes no more than zone and language", out == fine[0] and last["parameters"]["status"] == 0, errors, last)
    check("where it is has to be the asker's to enter", "working directory" in raw({**question("who", watched), "directory": secret})[1])
    check("what begins with a dash is a word behind --", raw(question("who", "--", "--from"))[2].get("parameters", {}).get("status") == 1)


def sees_no_more_than_the_asker():
    root, by_daemon = (ask("who", f"{secret}/link", **who) for who in ({}, member()))
    check("where a link leads that only root can read is not followed", root.returncode == 0 and by_daemon.returncode == 1 and
          f"{watched}/in/c" not in by_daemon.stdout, answer(root), answer(by_daemon))
    check("the record itself is all reported: also of a folder that is root's", "shadow" in ask("who", "--format", "json", secret, **member()).stdout,
          answer(ask("who", secret)))


def answers_many():
    many = [subprocess.Popen([CULPRIT, *verb_options("who"), f"{watched}/in"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, **member(40000 + i)) for i in range(MEMBERS)]
    started[:0] = many
    answers = {(*p.communicate(timeout=SECONDS), p.returncode) for p in many}
    root = ask("who", f"{watched}/in")
    check(f"{MEMBERS} members at once are all answered", answers == {(root.stdout, root.stderr, 0)}, answers)
    files = [open(f"{work}/often{i}", "w+", encoding="utf-8") for i in range(MEMBERS)]
    one = [subprocess.Popen([CULPRIT, *verb_options("search"), "--raw"], stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.DEVNULL,
                            **member()) for f in files]
    started[:0] = one
    statuses = {p.wait(SECONDS) for p in one}
    answers = {f.seek(0) or f.read() for f in files}
    check("as is one who asks so often", statuses == {0} and answers == {ask("search", "--raw").stdout}, statuses)
    for f in files:
        f.close()
    check("nobody who answered is left", wait_until(lambda: not helpers()), helpers())


def waits_for_nobody():
    big = ("--format", "json", f"{watched}/many")
    with open(f"{work}/big", "w", encoding="utf-8") as out:
        stopped = subprocess.Popen([CULPRIT, *verb_options("who"), *big], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
                                   **member())
    stopped.send_signal(signal.SIGSTOP)
    started[:0] = [stopped]
    mute = mute_member(question("who", *big))
    check("two do not read", wait_until(helpers), helpers())
    touch(f"{watched}/in/meanwhile")
    flush()
    check("others are answered meanwhile, with what happened since", "meanwhile" in ask("who", "--format", "json", f"{watched}/in", **member(40001)).stdout)
    check("root's questions are", subprocess.run([CULPRIT, "ctl", "--control", control, "status"], capture_output=True, check=False,
                                                 timeout=SECONDS).returncode == 0)
    stopped.send_signal(signal.SIGCONT)
    check("who goes on reading gets all of it", stopped.wait(SECONDS) == 0)
    with open(f"{work}/big", encoding="utf-8") as f:
        check("the same as root", f.read() == ask("who", *big).stdout)
    check("of the one that never reads something waits still", bool(helpers()), helpers())
    end(mute)
    check("it goes, and who answered it ends", wait_until(lambda: not helpers()), helpers())
    check("whose own next question is answered", ask("who", f"{watched}/in", **member()).returncode == 0)


def is_nobody_else():
    """Who answers is the asker, without capabilities, and not his to look into."""
    pid = mute_member(question("who", "--format", "json", f"{watched}/many"))
    states = {}

    def look():
        for helper in helpers():
            try:
                with open(f"/proc/{helper}/status", encoding="utf-8") as f:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            except OSError:
                continue
            states[helper] = (status["Uid"].split(), status["Gid"].split(), status["Groups"].split(), status["CapPrm"], status["NoNewPrivs"])
        return any(state[0] == [str(NOBODY)] * 4 for state in states.values())
    check("who answers is the asker, by user, groups and rights", wait_until(look), states)
    answering = [helper for helper, state in states.items() if state[0] == [str(NOBODY)] * 4]
    check("with the groups of the asker, no capability, and none to come",
          all(states[h][1:] == ([str(NOBODY)] * 4, [str(GROUP)], "0" * 16, "1") for h in answering), states)
    denied = subprocess.run(["cat", f"/proc/{answering[0]}/environ"] if answering else ["true"], capture_output=True, text=True, check=False, **STRANGER)
    check("the asker cannot look into it", "Permission denied" in denied.stderr, denied)
    end(pid)
    check("it goes with the asker", wait_until(lambda: not helpers()), helpers())


def answering(uid):
    """Processes that are that user's and answer, whoever their parent is by now."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                status = f.read()
        except OSError:
            continue
        if status.startswith("Name:\tculprit-answer\n") and f"\nUid:\t{uid}\t" in status:
            found.append(int(pid))
    return found


def ends_what_does_not_go_on():
    """It would keep the record open: whoever asks may stop it, or have it wait for a file."""
    fifo, uid = f"{watched}/fifo", 40100
    mute = mute_member(question("who", "--format", "json", f"{watched}/many"), uid)
    check("an answer that is not taken", wait_until(lambda: answering(uid)))
    for pid in answering(uid):
        os.kill(pid, signal.SIGSTOP)
    check("is ended where it is stopped", wait_until(lambda: not answering(uid)), answering(uid))
    end(mute)
    os.mkfifo(fifo)
    mute = mute_member(question("who", f"{watched}/in", environment=[f"TZ=:{fifo}"]), uid)
    check("one that waits for a fifo", wait_until(lambda: answering(uid)))
    end(mute)
    check("goes with whoever asked", wait_until(lambda: not answering(uid)), answering(uid))
    mute = mute_member(question("who", f"{watched}/in", environment=[f"TZ=:{fifo}"]), uid)
    check("another one", wait_until(lambda: answering(uid)))
    return mute, uid


def main():
    for directory in (etc, run, f"{watched}/many", secret, os.path.dirname(store)):
        os.makedirs(directory)
    os.chmod(work, 0o755)
    os.chmod(secret, 0o700)
    os.chmod(os.path.dirname(store), 0o700)
    os.symlink(f"{watched}/in/c", f"{secret}/link")
    with open(f"{etc}/culprit.conf", "w", encoding="utf-8") as f:
        f.write(f"groups = {{}}\nsensor = fanotify\nalerts = off\nheartbeat = off\nstore = {store}\nwatch w {{ targets = {{{watched}, {secret}}} }}\n")
    try:
        shared.start()
        os.chown(control, -1, GROUP)
        os.chmod(control, 0o660)
        make_record()
        answers_as_root_is_answered()
        refuses_strangers()
        refuses_what_is_not_of_the_record()
        flush()
        sees_no_more_than_the_asker()
        answers_many()
        is_nobody_else()
        waits_for_nobody()
        check("the daemon has nothing to say of all that", "culprit: " not in shared.said().split("culprit: ready", 1)[1], shared.said())
        daemon = started[-1]
        mute, uid = ends_what_does_not_go_on()
        daemon.send_signal(signal.SIGTERM)
        check("and ends", daemon.wait(SECONDS) == 0)
        check("with all that answers", wait_until(lambda: not answering(uid)), answering(uid))
        end(mute)
    finally:
        shared.clear()
    return shared.result()


sys.exit(main())
