# SPDX-License-Identifier: MIT
"""Round trip of auditctl's rules: auditctl -> kernel -> culprit -> kernel -> auditctl."""
import itertools
import os
import re
import subprocess
import sys
import tempfile

CULPRIT = sys.argv[1]
passed = failed = 0


def run(*argv, text=None):
    return subprocess.run(argv, input=text, capture_output=True, text=True)


def check(name, ok, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}\n{detail}".rstrip())


def auditctl_list():
    out = run("auditctl", "-l").stdout
    return [] if out.strip() == "No rules" else out.splitlines()


def culprit_list():
    return run(CULPRIT, "rules", "list").stdout.splitlines()


def lines(top):
    """At least 200 rules: every list, field, operator and comparison, and what people write."""
    d, f, x = f"{top}/dir", f"{top}/file", f"{top}/missing"
    rules = [f"-w {d} -p wa -k one", f"-w {f} -p r", f"-w {x} -p rwxa -k a -k b", f"-w {d}/ -p x -k slash",
             f"-w {top}/with\\ space -p w -k space", f"-w {f}2"]
    rules += [f"-w {f}{i} -p {''.join(p)} -k k{i}" for i, p in enumerate(
        itertools.chain(*(itertools.combinations("rwxa", n) for n in (1, 2, 3, 4))))]
    order = ["=", "!=", "<", "<=", ">", ">="]
    exit_ = "-a always,exit -F arch=b64 -S unlink,unlinkat,renameat2"
    for field in ["pid", "ppid", "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid", "auid",
                  "devmajor", "sessionid", "obj_uid", "obj_gid", "exit"]:
        rules += [f"{exit_} -F {field}{op}{17 + i} -F key=o" for i, op in enumerate(order)]
    for field in ["a0", "a1", "a2", "a3"]:
        rules += [f"{exit_} -F {field}{op}{0x10 + i}" for i, op in enumerate(order + ["&", "&="])]
    rules += [f"{exit_} -F {w}" for w in [
        "auid!=unset", "auid!=-1", "auid=4294967295", "uid=root", "gid=root", "exit=-EACCES", "exit=-13",
        "exit=EPERM", "success=1", "success=0", "inode=1234", "inode!=5", "devminor&=3", "perm=wa", "pers=8",
        f"path={f}", f"dir={d}", "exe=/bin/rm", "exe!=/bin/mv", "saddr_fam=2", "subj_type=rm_t",
        "obj_type=etc_t", "subj_sen>=s0", "obj_lev_low=s0", "sessionid=unset"]]
    users = ["uid", "euid", "suid", "fsuid", "auid", "obj_uid"]
    groups = ["gid", "egid", "sgid", "fsgid", "obj_gid"]
    for a, b in itertools.chain(itertools.combinations(users, 2), itertools.combinations(groups, 2)):
        rules += [f"-a always,exit -S all -C {a}!={b}", f"{exit_} -C {b}={a} -k cmp"]
    rules += ["-a never,task", "-a task,always -F uid=7", "-a always,exclude -F msgtype=CWD",
              "-a exclude,always -F msgtype>=1300 -F msgtype<=1304", "-a never,exclude -F uid=3",
              "-a always,exclude -F auid=1000 -F exe=/bin/x", "-a never,user -F uid=33",
              "-a always,user -F auid=-1", "-a never,filesystem -F fstype=debugfs",
              "-a never,filesystem -F fstype=tracefs -F key=fs", "-a always,exit -F arch=b32 -S chmod -S 15",
              "-a always,exit -F arch=b64 -S 0-F".replace("-F", ""), "-A never,exit -F arch=b64 -S open -F exe=/x",
              "-a always,exit -F arch!=b64 -S all", "-a exit,never -F exe=/usr/bin/y -k n",
              "-a always,exit -F arch=i386 -S rename", "-a always,exit -F arch=x86_64 -S rename,rmdir",
              f"-a always,exit -F path={f} -F perm=x -F auid>=1000 -F auid!=unset -k privileged",
              f"-a always,exit -F arch=b64 -F dir={d} -F perm=wa -F key=new"]
    return list(dict.fromkeys(rules))


# what auditctl -l of 3.0 prints in a way that cannot be read again; ours can
def same(theirs, ours):
    ours = re.sub(r"\\(.)", r"\1", ours)
    # auditctl 3.0 shows exe!= as exe=, though the kernel has !=
    return theirs == ours or theirs == ours.replace("exe!=", "exe=")


def round_trips(top):
    rules = lines(top)
    check("at least 200 rules", len(rules) >= 200, str(len(rules)))
    for rule in rules:
        run("auditctl", "-D")
        with open(f"{top}/one.rules", "w") as file:
            file.write(rule + "\n")
        a = run("auditctl", "-R", f"{top}/one.rules")
        first = auditctl_list()
        if not first:  # auditctl or this kernel does not have it: then neither may we
            ours = run(CULPRIT, "rules", "load", f"{top}/one.rules")
            check(f"refused by both: {rule}", ours.returncode != 0 and not culprit_list(), ours.stderr + a.stderr)
            continue
        shown = culprit_list()
        ok = len(first) == len(shown) and all(map(same, first, shown))
        run("auditctl", "-D")
        loaded = run(CULPRIT, "rules", "load", f"{top}/one.rules")
        ok = ok and loaded.returncode == 0 and auditctl_list() == first
        run("auditctl", "-D")
        again = run(CULPRIT, "rules", "load", "-", text="\n".join(shown) + "\n")
        ok = ok and again.returncode == 0 and auditctl_list() == first
        check(rule, ok, f"auditctl: {first}\nculprit:  {shown}\nloaded:   {auditctl_list()} {loaded.stderr}{again.stderr}")


def where_auditctl_cannot_be_read_again(top):
    """auditctl -l prints " -p wa-w FILE" and "-p wa -p r": ours says the same in a way that loads again."""
    f, d = f"{top}/file", f"{top}/dir"
    for rule, shown in [
            (f"-a always,exit -F perm=wa -F path={f}", f"-w {f} -p wa"),
            (f"-a always,exit -F perm=wa -F path={f} -k x -k y", f"-w {f} -p wa -k x -k y"),
            (f"-a always,exit -F dir={d} -F perm=wa -F perm=r -F key=x",
             f"-a always,exit -S all -F dir={d} -F perm=wa -F perm=r -F key=x")]:
        run("auditctl", "-D")
        run("auditctl", *rule.split())
        ours = culprit_list()
        run("auditctl", "-D")
        again = run(CULPRIT, "rules", "load", "-", text="\n".join(ours) + "\n")
        check(f"read again: {rule}", ours == [shown] == culprit_list(), f"{ours} {again.stderr}")


def io_uring():
    """auditctl before 3.1 has no such list: the kernel itself is the witness."""
    run("auditctl", "-D")
    rule = "-a always,io_uring -S openat,unlinkat -F key=ring"
    loaded = run(CULPRIT, "rules", "load", "-", text=rule + "\n")
    shown = culprit_list()
    check("io_uring", loaded.returncode == 0 and shown == [rule], str(shown) + loaded.stderr)
    gone = run(CULPRIT, "rules", "load", "-", text=rule.replace("-a", "-d") + "\n")
    check("io_uring, deleted", gone.returncode == 0 and culprit_list() == [], gone.stderr)


def settings(top):
    run("auditctl", "-D")
    text = f"-D\n-b 9000\n-f 1\n-r 0\n--backlog_wait_time 15000\n-w {top}/dir -p wa -k x\n-s\n"
    out = run(CULPRIT, "rules", "load", "-", text=text)
    check("settings", out.returncode == 0 and "backlog_limit 9000" in out.stdout, out.stdout + out.stderr)
    state = run("auditctl", "-s").stdout
    check("the kernel has them", "backlog_limit 9000" in state, state)
    out = run(CULPRIT, "rules", "list", "-k", "x")
    check("list -k", out.stdout.startswith("-w") and out.returncode == 0, out.stdout)
    out = run(CULPRIT, "rules", "list", "-k", "y")
    check("list -k, none", out.stdout == "" and out.returncode == 1, out.stdout)
    out = run(CULPRIT, "rules", "load", "-", text=f"-w {top}/dir -p wa -k x\n-w {top}/later -p w\n")
    check("twice is reported, and stops", out.returncode == 3 and "has this rule already" in out.stderr and
          len(culprit_list()) == 1, out.stderr)
    out = run(CULPRIT, "rules", "load", "-", text=f"-i\n-w {top}/dir -p wa -k x\n-w {top}/later -p w\n")
    check("-i goes on", out.returncode == 0 and len(culprit_list()) == 2, out.stderr)
    out = run(CULPRIT, "rules", "load", "-", text=f"-w {top}/new -p w\n-w {top}/bad -p wz\n")
    check("an error loads nothing", out.returncode == 2 and len(culprit_list()) == 2, out.stderr)
    out = run(CULPRIT, "rules", "load", "-", text="-D -k x\n")
    check("-D -k", out.returncode == 0 and len(culprit_list()) == 1, str(culprit_list()))
    out = run(CULPRIT, "rules", "explain")
    check("explain the kernel's", "in and below" not in out.stdout and f"{top}/later" in out.stdout and
          "No rule here can catch" in out.stdout, out.stdout)


def main():
    state = run("auditctl", "-s").stdout
    backlog = re.search(r"backlog_limit (\d+)", state).group(1)
    wait = re.search(r"backlog_wait_time (\d+)", state).group(1)
    enabled = re.search(r"enabled (\d)", state).group(1)
    if enabled == "2":
        print("rules: the kernel's rules are locked until the next boot")
        check("the kernel's rules can be changed", False)
        return
    before = run(CULPRIT, "rules", "list").stdout
    with tempfile.TemporaryDirectory() as top:
        os.mkdir(f"{top}/dir")
        open(f"{top}/file", "w").close()
        try:
            round_trips(top)
            where_auditctl_cannot_be_read_again(top)
            io_uring()
            settings(top)
        finally:
            run("auditctl", "-D")
            run(CULPRIT, "rules", "load", "-", text=before + f"-b {backlog}\n--backlog_wait_time {wait}\n-e {enabled}\n")
    check("the rules are as they were found", run(CULPRIT, "rules", "list").stdout == before)


main()
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
