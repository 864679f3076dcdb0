# SPDX-License-Identifier: MIT
"""Audit logs of the shapes that kernels, auditd and programs write, made from a seed.

Every generator is our own; the shapes follow kernel/audit*.c, the manuals of audit-userspace and
the record types that public parsers' test suites name.
"""
import random

SEPARATOR = "\x1d"
UNSET = 4294967295


def hexed(text):
    return text.encode().hex().upper()


def untrusted(text):
    """As the kernel writes a string that others control."""
    if text is None:
        return "(null)"
    if any(ord(c) < 0x21 or ord(c) > 0x7E or c == '"' for c in text):
        return hexed(text)
    return '"%s"' % text


PATHS = ["/etc/passwd", "/prd/bin/tool", "tool", "./run", "../lib/x.so", "/tmp/a,b", "/tmp/with space",
         "/srv/w/new1", "/var/log/x", "hello", "/home/im/.ssh/authorized_keys", "caf\u00e9", "/tmp/q\"uote",
         "sub/dir/", "/usr/bin/rm", ".", "/prd/ProcessConf/DeployConfig.sh", None, "..", "/a\tb", "/tmp/0042"]
DIRS = ["/prd/bin", "/", "/srv/w", "/root", "/tmp/with space", "/home/im"]
EXES = [("rm", "/usr/bin/rm"), ("s1-agent", "/opt/sentinelone/bin/s1-agent"), ("bash", "/bin/bash"),
        ("cat", "/usr/bin/cat"), ("my prog", "/opt/my prog/bin"), ("python3", "/usr/bin/python3.11"),
        ("vi", "/usr/bin/vi (deleted)")]
KEYS = [None, "file_delete", "watched", "perm_mod", "two words", "a\x01b", "file_delete\x01perm_mod", "k"]
CALLS = [(87, "unlink"), (263, "unlinkat"), (257, "openat"), (82, "rename"), (316, "renameat2"), (90, "chmod"),
         (92, "chown"), (59, "execve"), (42, "connect"), (41, "socket"), (2, "open"), (188, "setxattr"),
         (101, "ptrace"), (62, "kill"), (9, "mmap"), (165, "mount"), (437, "openat2"), (231, "exit_group"), (49, "bind")]
TTYS = ["(none)", "pts0", "tty1", "pts3"]
UIDS = [0, 1000, 33, UNSET, 65534, 4242]
LABELS = ["unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", "system_u:system_r:sshd_t:s0",
          "system_u:object_r:etc_t:s0", "unconfined"]
HOSTS = ["?", "10.0.0.7", "gw.example.org"]


class Maker:
    def __init__(self, seed, enriched=False, nodes=(), start=1795480000):
        self.r = random.Random(seed)
        self.enriched = enriched
        self.nodes = nodes
        self.sec = start
        self.milli = 0
        self.serial = self.r.randrange(1, 5000)

    def tick(self):
        step = self.r.choice([0, 0, 0, 1, 4, 40, 700, 1500, 3000])
        self.milli += step
        self.sec += self.milli // 1000
        self.milli %= 1000
        self.serial += 1

    def line(self, kind, body, names=""):
        node = "node=%s " % self.node if self.node else ""
        text = "%stype=%s msg=audit(%d.%03d:%d): %s" % (node, kind, self.sec, self.milli, self.serial, body)
        if self.enriched and names:
            text += SEPARATOR + names
        return text

    def who(self):
        r = self.r
        self.uid, self.auid = r.choice(UIDS[:5]), r.choice(UIDS)
        self.ids = tuple(r.choice([self.uid, self.uid, 0, 1000]) for _ in range(7))
        self.pid, self.ppid = r.randrange(1, 400), r.randrange(1, 400)
        self.ses = r.choice([1, 2, 77, UNSET])
        self.comm, self.exe = r.choice(EXES)
        self.tty = r.choice(TTYS)

    def name_of(self, uid):
        return {0: "root", 1000: "im", 33: "www-data", UNSET: "unset", 65534: "nobody"}.get(uid, "unknown(%d)" % uid)

    def syscall(self, number, call, success, code, items, key, args=None, arch="c000003e"):
        args = args or [self.r.choice([0, 0xffffff9c, 0x55d2, 3, 0x1ed, 0x7ffd31337000]) for _ in range(4)]
        uid, gid, euid, suid, fsuid, egid, fsgid = self.ids
        outcome = "" if call == "exit_group" else "success=%s exit=%d " % ("yes" if success else "no", code)
        subj = " subj=%s" % self.r.choice(LABELS) if self.r.random() < 0.3 else ""
        return self.line(
            "SYSCALL",
            "arch=%s syscall=%d %sa0=%x a1=%x a2=%x a3=%x items=%d ppid=%d pid=%d auid=%d uid=%d gid=%d euid=%d "
            "suid=%d fsuid=%d egid=%d sgid=%d fsgid=%d tty=%s ses=%d comm=%s exe=%s%s key=%s"
            % (arch, number, outcome, *args, items, self.ppid, self.pid, self.auid, uid, gid, euid, suid, fsuid,
               egid, egid, fsgid, self.tty, self.ses, untrusted(self.comm), untrusted(self.exe), subj,
               untrusted(key)),
            'ARCH=x86_64 SYSCALL=%s AUID="%s" UID="%s" GID="%s" EUID="%s" SUID="%s" FSUID="%s" EGID="%s" SGID="%s" FSGID="%s"'
            % (call, self.name_of(self.auid), self.name_of(uid), self.name_of(gid), self.name_of(euid),
               self.name_of(suid), self.name_of(fsuid), self.name_of(egid), self.name_of(egid), self.name_of(fsgid)))

    def path(self, item, name, nametype):
        label = " obj=%s" % self.r.choice(LABELS[:3]) if self.r.random() < 0.3 else ""
        return self.line(
            "PATH",
            "item=%d name=%s inode=%d dev=fe:00 mode=%s ouid=%d ogid=%d rdev=00:00%s nametype=%s cap_fp=0 cap_fi=0 "
            "cap_fe=0 cap_fver=0 cap_frootid=0"
            % (item, untrusted(name), self.r.randrange(2, 90), self.r.choice(["0100644", "040755", "0100755", "0120777"]),
               self.uid if self.uid != UNSET else 0, 0, label, nametype),
            'OUID="%s" OGID="root"' % self.name_of(self.uid))

    def file_event(self):
        r = self.r
        self.who()
        number, call = r.choice(CALLS)
        success = r.random() < 0.7
        lines = []
        paths = []
        if call in ("rename", "renameat2"):
            paths = [("/old/dir", "PARENT"), ("/new/dir", "PARENT"), (r.choice(PATHS), "DELETE"), (r.choice(PATHS), "CREATE")]
            if r.random() < 0.3:
                paths.insert(3, (r.choice(PATHS), "DELETE"))
        elif call in ("unlink", "unlinkat"):
            paths = [(r.choice(DIRS), "PARENT"), (r.choice(PATHS), "DELETE")]
        elif call in ("connect", "socket", "ptrace", "kill", "mmap", "exit_group", "bind"):
            paths = []
        elif call == "execve":
            paths = [(r.choice(PATHS), "NORMAL"), ("/lib64/ld-linux-x86-64.so.2", "NORMAL")]
        else:
            paths = [(r.choice(PATHS), r.choice(["NORMAL", "CREATE", "UNKNOWN"]))]
        code = r.choice([0, 3, 4]) if success else r.choice([-1, -2, -13, -17])
        lines.append(self.syscall(number, call, success, code, len(paths), r.choice(KEYS),
                                  arch=r.choice(["c000003e"] * 8 + ["40000003", "c00000b7"])))
        if call == "execve":
            lines.append(self.line("EXECVE", 'argc=3 a0="ls" a1=%s a2=%s' % (untrusted("-l a"), untrusted("/tmp"))))
            if r.random() < 0.2:
                lines.append(self.line("BPRM_FCAPS", "fver=0 fp=0 fi=0 fe=0 old_pp=0 old_pi=0 old_pe=0 old_pa=0 pp=1ffffffffff pi=0 pe=1ffffffffff pa=0 frootid=0"))
        if call in ("connect", "bind"):
            lines.append(self.line("SOCKADDR", "saddr=" + r.choice([
                "0200003508080808" + "00" * 8, "020000160A000007" + "00" * 8,
                "0A00005000000000" + "20010DB8000000000000000000000001" + "00000000",
                "01002F746D702F61677365636B00", "010000746162737472616374", "(null)", "100000000000000000000000"])))
        if call == "mmap":
            lines.append(self.line("MMAP", "fd=3 flags=0x2"))
        if call == "openat2":
            lines.append(self.line("OPENAT2", "oflag=02 mode=0 resolve=0"))
        if call in ("ptrace", "kill"):
            lines.append(self.line("OBJ_PID", "opid=%d oauid=%d ouid=0 oses=1 obj=%s ocomm=%s"
                                   % (r.randrange(1, 400), UNSET, r.choice(LABELS[:3]), untrusted(r.choice(EXES)[0]))))
        if paths:
            lines.append(self.line("CWD", "cwd=%s" % untrusted(r.choice(DIRS))))
        for i, (name, nametype) in enumerate(paths):
            lines.append(self.path(i, name, nametype))
        if r.random() < 0.95:
            lines.append(self.line("PROCTITLE", "proctitle=%s" % untrusted(r.choice(["rm -rf x", "bash", "/usr/bin/act\0/srv/w"]))))
        if r.random() < 0.1:
            lines.append(self.line("EOE", ""))
        if r.random() < 0.06:
            kind = r.choice(["selinux", "apparmor"])
            if kind == "selinux":
                lines.insert(0, self.line("AVC", 'avc:  denied  { read open } for  pid=%d comm=%s name="shadow" dev="dm-0" ino=77 scontext=%s tcontext=%s tclass=file permissive=0'
                                          % (self.pid, untrusted(self.comm), LABELS[0], LABELS[2])))
            else:
                lines.insert(0, self.line("AVC", 'apparmor="DENIED" operation="open" profile="/usr/sbin/x" name="/etc/shadow" pid=%d comm=%s requested_mask="r" denied_mask="r" fsuid=0 ouid=0'
                                          % (self.pid, untrusted(self.comm))))
        return lines

    def user_event(self):
        r = self.r
        self.who()
        uid = self.uid
        head = "pid=%d uid=%d auid=%d ses=%d" % (self.pid, uid, self.auid, self.ses)
        if r.random() < 0.4:
            head += " subj=%s" % r.choice(LABELS)
        names = 'UID="%s" AUID="%s"' % (self.name_of(uid), self.name_of(self.auid))
        res = r.choice(["success", "failed"])
        host = r.choice(HOSTS)
        tail = 'exe="%s" hostname=%s addr=%s terminal=%s res=%s' % (
            r.choice(EXES)[1].replace(" (deleted)", ""), host, "10.0.0.7" if host != "?" else "?", r.choice(["ssh", "pts/0", "?", "cron"]), res)
        kind, body = r.choice([
            ("USER_LOGIN", "op=login id=%d " % r.choice(UIDS[:3])),
            ("USER_AUTH", 'op=PAM:authentication grantors=pam_unix acct="root" '),
            ("USER_ACCT", 'op=PAM:accounting grantors=? acct="im" '),
            ("USER_START", 'op=PAM:session_open grantors=pam_unix,pam_limits acct="im" '),
            ("USER_END", 'op=PAM:session_close acct=%s ' % hexed("two words")),
            ("CRED_ACQ", 'op=PAM:setcred grantors=pam_permit acct="root" '),
            ("USER_CMD", 'cwd="/root" cmd=%s ' % hexed("rm -rf /prd/bin")),
            ("ADD_USER", 'op=adding user acct="neu" '),
            ("ADD_GROUP", 'op=adding group id=1000 acct="grp" '),
            ("GRP_MGMT", 'op=modify-group grp="wheel" '),
            ("USER_CHAUTHTOK", 'op=changing password id=1000 '),
            ("CRYPTO_KEY_USER", 'op=destroy kind=server fp=SHA256:ab direction=? spid=%d suid=0 ' % self.pid),
            ("CRYPTO_SESSION", 'op=start direction=from-client cipher=aes256 ksize=256 mac=x pfs=y spid=9 suid=74 rport=4 laddr=10.0.0.1 lport=22 '),
            ("SERVICE_START", 'unit=cron comm="systemd" '),
            ("SERVICE_STOP", 'unit=web.service comm="systemd" '),
            ("SYSTEM_BOOT", ' comm="systemd-update-utmp" '),
            ("VIRT_CONTROL", 'virt=kvm op=start reason=booted vm="guest one" uuid=11111111-2222-3333-4444-555555555555 vm-pid=77 '),
            ("VIRT_MACHINE_ID", 'virt=kvm vm="g2" uuid=11111111-2222-3333-4444-666666666666 vm-ctx=%s img-ctx=%s model=selinux ' % (LABELS[1], LABELS[2])),
            ("VIRT_RESOURCE", 'virt=kvm resrc=disk reason=start vm="g2" uuid=11111111-2222-3333-4444-555555555555 old-disk="?" new-disk="/srv/img.raw" '),
            ("ROLE_ASSIGN", 'op=login-sename,role acct="im" old-seuser=? new-seuser=staff_u new-role=r,r '),
            ("ANOM_LOGIN_FAILURES", 'op=x acct="im" '),
            ("USER_AVC", ''),
        ])
        if kind == "USER_AVC":
            return [self.line(kind, head + " msg='avc:  denied  { status } for auid=n/a uid=0 gid=0 scontext=%s tcontext=%s tclass=service  exe=\"/usr/lib/systemd/systemd\" sauid=0 hostname=? addr=? terminal=?'"
                              % (LABELS[0], LABELS[1]), names)]
        return [self.line(kind, head + " msg='%s%s'" % (body, tail), names)]

    def lone_event(self):
        r = self.r
        self.who()
        kind, body = r.choice([
            ("LOGIN", "pid=%d uid=0 old-auid=4294967295 auid=1000 tty=(none) old-ses=4294967295 ses=%d res=1" % (self.pid, r.choice([1, 77]))),
            ("LOGIN", "login pid=%d uid=0 old auid=4294967295 new auid=1000 old ses=4294967295 new ses=2" % self.pid),
            ("CONFIG_CHANGE", "auid=%d ses=%d op=add_rule key=%s list=4 res=1" % (self.auid, self.ses, untrusted(r.choice(KEYS)))),
            ("CONFIG_CHANGE", "op=set audit_enabled=1 old=0 auid=%d ses=%d res=1" % (self.auid, self.ses)),
            ("CONFIG_CHANGE", 'auid=0 ses=1 op=updated_rules path="/etc/passwd" key="watched" list=4 res=1'),
            ("DAEMON_START", "op=start ver=3.0.9 format=enriched kernel=6.1.0 auid=%d pid=%d uid=0 ses=%d subj=unconfined  res=success" % (self.auid, self.pid, self.ses)),
            ("DAEMON_END", "op=terminate auid=0 uid=0 ses=4294967295 pid=1 subj=unconfined res=success"),
            ("DAEMON_ROTATE", "op=rotate-logs auid=? pid=%d subj=? res=success" % self.pid),
            ("DAEMON_ACCEPT", "addr=10.0.0.9:60 port=60 res=success"),
            ("SECCOMP", 'auid=%d uid=%d gid=0 ses=%d subj=unconfined pid=%d comm=%s exe=%s sig=31 arch=c000003e syscall=%d compat=0 ip=0x7f code=0x0'
             % (self.auid, self.ids[0], self.ses, self.pid, untrusted(self.comm), untrusted(self.exe), r.choice(CALLS)[0])),
            ("ANOM_ABEND", 'auid=%d uid=%d gid=0 ses=%d subj=unconfined pid=%d comm=%s exe=%s sig=11 res=1'
             % (self.auid, self.ids[0], self.ses, self.pid, untrusted(self.comm), untrusted(self.exe))),
            ("ANOM_PROMISCUOUS", "dev=eth0 prom=256 old_prom=0 auid=%d uid=0 gid=0 ses=%d" % (self.auid, self.ses)),
            ("TTY", 'tty pid=%d uid=0 auid=1000 ses=1 major=136 minor=0 comm="bash" data=%s' % (self.pid, hexed("ls -l\r"))),
            ("INTEGRITY_RULE", 'file="/usr/bin/x" hash="sha1:00" ppid=1 pid=%d auid=0 uid=0 ses=1 subj=unconfined comm="x" exe="/usr/bin/x" res=1' % self.pid),
            ("INTEGRITY_DATA", 'pid=%d uid=0 auid=1000 ses=3 subj=unconfined op=appraise_data cause=missing-hash comm="x" name="/etc/passwd" dev="dm-0" ino=99 res=0' % self.pid),
            ("MAC_POLICY_LOAD", "auid=%d ses=%d lsm=selinux res=1" % (self.auid, self.ses)),
            ("MAC_STATUS", "enforcing=0 old_enforcing=1 auid=0 ses=1 enabled=1 old-enabled=1 lsm=selinux res=1"),
            ("NETFILTER_PKT", "mark=0x1 saddr=10.0.0.7 daddr=10.0.0.1 proto=6"),
            ("KERNEL", "initialized"),
            ("FEATURE_CHANGE", "ppid=1 pid=%d auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm=\"auditctl\" exe=\"/sbin/auditctl\" feature=loginuid_immutable old=0 new=1 old_lock=0 new_lock=1 res=1" % self.pid),
            ("EVENT_LISTENER", 'pid=%d uid=0 auid=%d tty=(none) ses=1 subj=unconfined comm="systemd" exe="/usr/lib/systemd/systemd" nl-mcgrp=1 op=connect res=1' % (self.pid, self.auid)),
            ("BPF", "prog-id=%d op=LOAD" % r.randrange(1, 99)),
            ("NETFILTER_CFG", "table=filter:1 family=2 entries=4 op=nft_register_rule pid=%d subj=unconfined comm=\"nft\"" % self.pid),
            ("AVC", "avc:  granted  { setenforce } for  pid=%d comm=\"x\" scontext=%s tcontext=%s tclass=security" % (self.pid, LABELS[0], LABELS[1])),
            ("UNKNOWN[1421]", "pid=%d what=ever res=1" % self.pid),
            ("SOFTWARE_UPDATE", "pid=1 uid=0 auid=0 ses=1 msg='sw=\"x-1.rpm\" sw_type=rpm key_enforce=0 gpg_res=1 root_dir=\"/\" comm=\"dnf\" exe=\"/usr/bin/python3\" hostname=? addr=? terminal=? res=success'"),
            ("URINGOP", "uring_op=18 success=yes exit=0 items=1 ppid=1 pid=%d uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 key=\"watched\"" % self.pid),
            ("FANOTIFY", "resp=2 fan_type=0 fan_info=0 subj_trust=2 obj_trust=2"),
            ("ANOM_LINK", 'op=linkat ppid=1 pid=%d auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm="ln" exe="/bin/ln" res=0' % self.pid),
        ])
        return [self.line(kind, body)]

    def event(self):
        self.tick()
        self.node = self.r.choice(self.nodes) if self.nodes else None
        return self.r.choices([self.file_event, self.user_event, self.lone_event], [6, 3, 2])[0]()


def ordinary(seed, count, **options):
    maker = Maker(seed, **options)
    return [line for _ in range(count) for line in maker.event()]


def interleaved(seed, count, **options):
    """Records of neighbouring events mixed, as several processors write them."""
    maker = Maker(seed, **options)
    r = maker.r
    open_events, out = [], []
    for _ in range(count):
        open_events.append(maker.event())
        while len(open_events) > 3 or (open_events and r.random() < 0.3):
            i = r.randrange(len(open_events))
            out.append(open_events[i].pop(0))
            if not open_events[i]:
                open_events.pop(i)
    for lines in open_events:
        out.extend(lines)
    return out


def hostile(seed, count):
    """Steps of the clock, serials used twice, records late, missing, cut, and lines that are none."""
    maker = Maker(seed)
    r = maker.r
    out = []
    for _ in range(count):
        if r.random() < 0.03:
            maker.sec += r.choice([-3600, -5, 5, 86400])
        if r.random() < 0.03:
            maker.serial = r.randrange(1, 50)
        lines = maker.event()
        if r.random() < 0.05 and len(lines) > 2:
            lines.pop(r.randrange(len(lines)))
        if r.random() < 0.04:
            lines.append("type=PATH msg=audit(%d.%03d:%d): item=0 nam" % (maker.sec, maker.milli, maker.serial))
        if r.random() < 0.03:
            # not inside the time stamp: ausearch takes what is left of it for one (docs/ausearch.md)
            stamp = lines[-1].find("audit("), lines[-1].find("): ") + 2
            cut = r.randrange(1, len(lines[-1]))
            if not stamp[0] <= cut < stamp[1]:
                lines[-1] = lines[-1][:cut]
        if r.random() < 0.02:
            lines.append(r.choice(["", "garbage", "type=", "type=PATH msg=audit(", "node=", "msg=audit(1.2:3): x", "type=FOO msg=audit(1.002:3): a=b"]))
        if r.random() < 0.03 and out:
            out.insert(max(0, len(out) - r.randrange(6)), lines.pop())
        out.extend(lines)
    return out
