/* SPDX-License-Identifier: MIT */
/*
 * audit_log KIND MEGABYTES FILE: an audit log as a kernel writes it, for measuring.
 *   storm     create and unlink pairs without pause: a thousand events in the same milliseconds
 *   ordinary  people and services at work: some events a second, of many kinds
 * The records have the shapes and lengths that Linux 6.1 writes. In both the key "needle" and the
 * file /srv/rare/needle.conf stand in one event of 500.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    FILE *out;
    uint64_t written, limit;
    uint64_t ms, serial;
    uint64_t random;
};

static uint64_t next(struct state *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}

static const char *const commands[][2] = {
    { "rm", "/usr/bin/rm" },       { "bash", "/usr/bin/bash" },   { "python3", "/usr/bin/python3.11" },
    { "cron", "/usr/sbin/cron" },  { "sshd", "/usr/sbin/sshd" },  { "s1-agent", "/opt/sentinelone/bin/s1-agent" },
    { "vim", "/usr/bin/vim.basic" }, { "logrotate", "/usr/sbin/logrotate" },
};

#define STAMP "msg=audit(%" PRIu64 ".%03" PRIu64 ":%" PRIu64 "): "
#define STAMP_OF(s) (s)->ms / 1000, (s)->ms % 1000, (s)->serial

static void say(struct state *s, int n)
{
    if (n < 0) {
        perror("audit_log");
        exit(1);
    }
    s->written += (uint64_t)n;
}

static void syscall_record(struct state *s, int number, int items, const char *key)
{
    const char *const *c = commands[next(s) % (sizeof(commands) / sizeof(commands[0]))];

    say(s, fprintf(s->out,
                   "type=SYSCALL " STAMP "arch=c000003e syscall=%d success=yes exit=0 a0=ffffff9c a1=%" PRIx64
                   " a2=0 a3=0 items=%d ppid=%" PRIu64 " pid=%" PRIu64 " auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0"
                   " sgid=0 fsgid=0 tty=pts1 ses=3 comm=\"%s\" exe=\"%s\" subj=unconfined key=\"%s\"\n",
                   STAMP_OF(s), number, 0x7ffd00000000 + next(s) % 0x100000000, items, 1000 + next(s) % 3000,
                   1000 + next(s) % 30000, c[0], c[1], key));
}

static void path_record(struct state *s, int item, const char *name, const char *type)
{
    say(s, fprintf(s->out,
                   "type=PATH " STAMP "item=%d name=\"%s\" inode=%" PRIu64 " dev=fe:00 mode=%s ouid=0 ogid=0 rdev=00:00"
                   " nametype=%s cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n",
                   STAMP_OF(s), item, name, 100000 + next(s) % 9000000, type[0] == 'P' ? "040755" : "0100644", type));
}

static void event_end(struct state *s, const char *cwd, const char *title)
{
    (void)cwd;
    say(s, fprintf(s->out, "type=PROCTITLE " STAMP "proctitle=%s\n", STAMP_OF(s), title));
}

static void file_event(struct state *s, int number, const char *name, const char *type, const char *key)
{
    s->serial++;
    syscall_record(s, number, 2, key);
    say(s, fprintf(s->out, "type=CWD " STAMP "cwd=\"/srv/work\"\n", STAMP_OF(s)));
    path_record(s, 0, "/srv/work/data", "PARENT");
    path_record(s, 1, name, type);
    event_end(s, "/srv/work", "2F7573722F62696E2F616374002F7372762F776F726B");
}

static void exec_event(struct state *s)
{
    s->serial++;
    syscall_record(s, 59, 2, "exec");
    say(s, fprintf(s->out, "type=EXECVE " STAMP "argc=3 a0=\"/bin/sh\" a1=\"-c\" a2=\"run-parts /etc/cron.hourly\"\n", STAMP_OF(s)));
    say(s, fprintf(s->out, "type=CWD " STAMP "cwd=\"/root\"\n", STAMP_OF(s)));
    path_record(s, 0, "/usr/bin/dash", "NORMAL");
    path_record(s, 1, "/lib64/ld-linux-x86-64.so.2", "NORMAL");
    event_end(s, "/root", "2F62696E2F7368002D630072756E2D7061727473");
}

static void user_event(struct state *s)
{
    s->serial++;
    say(s, fprintf(s->out,
                   "type=USER_ACCT " STAMP "pid=%" PRIu64 " uid=0 auid=4294967295 ses=4294967295 subj=unconfined"
                   " msg='op=PAM:accounting grantors=pam_permit acct=\"root\" exe=\"/usr/sbin/cron\" hostname=? addr=? terminal=cron"
                   " res=success'\n",
                   STAMP_OF(s), 1000 + next(s) % 30000));
}

int main(int argc, char **argv)
{
    struct state s = { .ms = 1795400000000ull, .random = 88172645463325252ull };
    char name[64];
    int storm;

    if (argc != 4 || ((storm = strcmp(argv[1], "storm") == 0) == 0 && strcmp(argv[1], "ordinary") != 0)) {
        fprintf(stderr, "usage: audit_log storm|ordinary MEGABYTES FILE\n");
        return 2;
    }
    s.limit = strtoull(argv[2], NULL, 10) * 1000000;
    s.out = fopen(argv[3], "we");
    if (!s.out) {
        perror(argv[3]);
        return 1;
    }
    (void)setvbuf(s.out, NULL, _IOFBF, 1 << 20);
    for (uint64_t n = 0; s.written < s.limit; n++) {
        if (storm) {
            /* the kernel's clock ticks every 4 ms, and 80 events fit between two ticks */
            s.ms += n % 80 == 0 ? 4 : 0;
        } else {
            s.ms += next(&s) % 400;
        }
        if (n % 500 == 250) {
            file_event(&s, 263, "/srv/rare/needle.conf", "DELETE", "needle");
            continue;
        }
        snprintf(name, sizeof(name), "file%" PRIu64 ".tmp", n / 2);
        if (storm)
            file_event(&s, n % 2 ? 87 : 257, name, n % 2 ? "DELETE" : "CREATE", "storm");
        else if (next(&s) % 4 == 0)
            user_event(&s);
        else if (next(&s) % 3 == 0)
            exec_event(&s);
        else
            file_event(&s, 257, name, "NORMAL", "access");
    }
    if (fclose(s.out) != 0) {
        perror(argv[3]);
        return 1;
    }
    return 0;
}
