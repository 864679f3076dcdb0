/* SPDX-License-Identifier: MIT */
/* Chains of processes, and whom a person would name. One row for each kind of interpreter, wrapper, launcher. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "cause/argv.h"
#include "cause/build.h"
#include "cause/cause.h"
#include "cause/interpreter.h"
#include "cause/launcher.h"
#include "cause/link.h"
#include "cause/wrapper.h"
#include "make.h"

/* One process, from pid 1 down. `args`: each followed by '|' but the last. */
struct step {
    const char *executable, *args, *directory;
    const char *script; /* of #!, as the kernel says */
    const char *tty, *unit, *product, *user, *input;
    const char *job;    /* of a CI runner, by its environment */
    const char *copier, *client; /* that asked for it, each argument followed by '|' but the last */
    bool inside;        /* in container web */
    bool executed;      /* the same process as the one above, after an exec */
    uint32_t uid;
    pid_t pid;
};

#define STEPS 10
#define INIT { "/usr/lib/systemd/systemd", "/sbin/init" }
#define CRON { "/usr/sbin/cron", "/usr/sbin/cron|-f", .unit = "cron.service" }
#define SSHD { "/usr/sbin/sshd", "sshd: ann [priv]" }
#define BASH { "/usr/bin/bash", "-bash", "/home/ann", .tty = "pts/3", .user = "ann" }
#define RM { "/usr/bin/rm", "rm|-f|/srv/x" }

static struct container *web;

static void set_words(struct process *p, struct bytes *field, const char *text)
{
    struct bytes args;
    char *copy = strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '|')
            *c = '\0';
    args = (struct bytes){ copy, *text ? strlen(text) + 1 : 0 };
    process_set(p, field, args);
    free(copy);
}

static void set_args(struct process *p, const char *text)
{
    set_words(p, &p->args, text);
}

/* A reference to the last of them. */
static struct process *make_chain(const struct step *steps)
{
    struct process *p = NULL;
    pid_t pid = 1;

    for (unsigned i = 0; i < STEPS && (steps[i].executable || steps[i].args); i++) {
        const struct step *s = &steps[i];
        struct process *above = p;

        if (s->executed) {
            p = make_process(above->pid, s->executable, process_ref(above->parent));
            p->earlier = above;
        } else {
            p = make_process(s->pid ? s->pid : pid++, s->executable, above);
        }
        if (s->args)
            set_args(p, s->args);
        process_set(p, &p->working_directory, bytes_of(s->directory));
        process_set(p, &p->script, bytes_of(s->script));
        process_set(p, &p->input, bytes_of(s->input));
        process_set(p, &p->tty, bytes_of(s->tty));
        process_set(p, &p->owner.unit, bytes_of(s->unit ? s->unit : above && !s->inside ? above->owner.unit.data : NULL));
        process_set(p, &p->owner.product, bytes_of(s->product));
        process_set(p, &p->launch.text, bytes_of(s->job));
        p->launch.kind = s->job ? LAUNCH_CI_JOB : s->client ? LAUNCH_EXEC : LAUNCH_UNKNOWN;
        if (s->copier)
            p->launch.kind = LAUNCH_COPY;
        if (s->client || s->copier)
            set_words(p, &p->launch.text, s->client ? s->client : s->copier);
        if (s->product)
            p->owner.product_kind = bytes_of("EDR");
        process_set(p, &p->real_user_name, bytes_of(s->user));
        p->cred = (struct credentials){ .known = true, .uid = s->uid, .euid = s->uid };
        if (s->inside) {
            p->origin = ORIGIN_CONTAINER;
            p->container = container_ref(web);
        }
    }
    return p;
}

static struct event *find(const struct step *steps)
{
    struct process *p = make_chain(steps);
    struct event *e = make_event(OPERATION_UNLINK, "/srv/x", p, NULL, 1);

    cause_remember(e);
    process_unref(p);
    return e;
}

static const struct row {
    const char *name;
    struct step steps[STEPS];
    const char *run;      /* "kind name" */
    const char *tool;     /* "" = it did so itself */
    const char *launcher; /* "kind name", NULL = unknown */
    const char *detail;
    bool claimed;
} rows[] = {
    /* ---- what was run: interpreters ---- */
    { "a script by #!",
      { INIT, CRON, { "/usr/bin/dash", "/bin/sh|/opt/jobs/purge-logs|--older|3", .script = "/opt/jobs/purge-logs", .user = "bob" }, RM },
      "script /opt/jobs/purge-logs", "rm", "cron bob" },
    { "a script by argument, relative",
      { SSHD, BASH, { "/usr/bin/bash", "bash|./tidy.sh", "/home/ann", .tty = "pts/3" }, RM },
      "script /home/ann/tidy.sh", "rm", "person ann" },
    { "a script above where it was called from", { { "/usr/bin/dash", "sh|./.././../x/a.sh", "/opt/jobs/old" }, RM }, "script /opt/x/a.sh", "rm" },
    { "the same, by #!", { { "/usr/bin/dash", "/bin/sh|../a.sh", "/opt/jobs", .script = "/opt/jobs/../a.sh" }, RM }, "script /opt/a.sh", "rm" },
    { "a script above the root", { { "/usr/bin/dash", "sh|../../a.sh", "/opt" }, RM }, "script /a.sh", "rm" },
    { "behind a folder, .. may be anywhere", { { "/usr/bin/dash", "sh|link/../a.sh", "/opt" }, RM }, "script /opt/link/../a.sh", "rm" },
    { "a hidden script", { { "/usr/bin/dash", "sh|./.a.sh", "/opt" }, RM }, "script /opt/.a.sh", "rm" },
    { "where it was called from is not known", { { "/usr/bin/dash", "sh|../a.sh" }, RM }, "script ../a.sh", "rm" },
    { "sh < FILE", { BASH, { "/usr/bin/dash", "sh", "/opt", .tty = "pts/3", .input = "/opt/a.sh" }, RM }, "script /opt/a.sh", "rm", "person ann" },
    { "bash -s < FILE", { { "/usr/bin/bash", "bash|-s|--|x", .input = "/opt/a.sh" }, RM }, "script /opt/a.sh", "rm" },
    { "python3 - < FILE", { { "/usr/bin/python3.11", "python3|-", .input = "/opt/a.py" } }, "script /opt/a.py", "" },
    { "a script that reads a list", { { "/usr/bin/dash", "sh|/opt/a.sh", .input = "/opt/list" }, RM }, "script /opt/a.sh", "rm" },
    { "a text that reads a list", { { "/usr/bin/dash", "sh|-c|rm x; :", .input = "/opt/list" }, RM }, "text dash", "rm" },
    { "java runs no list", { { "/usr/bin/java", "java|@/opt/options", .input = "/opt/list" } }, "command java", "" },
    { "bash -x -o pipefail FILE", { { "/usr/bin/bash", "bash|-xeo|pipefail|/opt/a.sh" }, RM }, "script /opt/a.sh", "rm" },
    { "bash +x --norc FILE", { { "/usr/bin/bash", "bash|+x|--norc|--rcfile|/etc/rc|/opt/a.sh" }, RM }, "script /opt/a.sh", "rm" },
    { "zsh FILE", { { "/usr/bin/zsh", "zsh|-f|/opt/a.zsh" }, RM }, "script /opt/a.zsh", "rm" },
    { "ksh FILE", { { "/usr/bin/ksh93", "ksh|/opt/a.ksh" }, RM }, "script /opt/a.ksh", "rm" },
    { "fish FILE", { { "/usr/bin/fish", "fish|/opt/a.fish" }, RM }, "script /opt/a.fish", "rm" },
    { "tcsh -f FILE", { { "/usr/bin/tcsh", "tcsh|-f|/opt/a.csh" }, RM }, "script /opt/a.csh", "rm" },
    { "busybox sh FILE", { { "/bin/busybox", "busybox|sh|/opt/a.sh" }, RM }, "script /opt/a.sh", "rm" },
    { "busybox ash, by a link", { { "/bin/busybox", "/bin/ash|/opt/a.sh" }, RM }, "script /opt/a.sh", "rm" },
    { "python FILE", { { "/usr/bin/python3.11", "python3|/opt/jobs/tidy.py|x" } }, "script /opt/jobs/tidy.py", "" },
    { "python with options", { { "/usr/bin/python3.11", "python3|-u|-W|ignore|-Xdev|-OO|/opt/t.py" } }, "script /opt/t.py", "" },
    { "python -m", { { "/usr/bin/python3.11", "python3|-Im|http.server|80" } }, "module http.server", "" },
    { "python -c", { { "/usr/bin/python3.11", "python3|-c|import os" } }, "text python3.11", "" },
    { "python from a pipe", { { "/usr/bin/python3.11", "python3|-" } }, "standard-input python3.11", "" },
    { "a program by python's #!", { { "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/certbot|renew", .script = "/usr/bin/certbot" } },
      "script /usr/bin/certbot", "" },
    { "perl FILE", { { "/usr/bin/perl", "perl|-w|-i.bak|-MFile::Find|-I|/lib|/opt/a.pl" } }, "script /opt/a.pl", "" },
    { "perl -e", { { "/usr/bin/perl", "perl|-pi|-e|s/a/b/|/srv/x" } }, "text perl", "" },
    { "ruby FILE", { { "/usr/bin/ruby3.1", "ruby|-r|json|-W0|/opt/a.rb" } }, "script /opt/a.rb", "" },
    { "ruby -e", { { "/usr/bin/ruby3.1", "ruby|-e|File.delete('x')" } }, "text ruby3.1", "" },
    { "node FILE", { { "/usr/bin/node", "node|--max-old-space-size=4|-r|./x|/opt/a.js" } }, "script /opt/a.js", "" },
    { "node -e", { { "/usr/bin/node", "node|--eval|fs.rm()" } }, "text node", "" },
    { "deno run", { { "/usr/bin/deno", "deno|run|--allow-write|/opt/a.ts" } }, "script /opt/a.ts", "" },
    { "bun FILE", { { "/usr/bin/bun", "bun|/opt/a.ts" } }, "script /opt/a.ts", "" },
    { "php FILE", { { "/usr/bin/php8.2", "php|-d|a=b|/opt/a.php" } }, "script /opt/a.php", "" },
    { "php -f", { { "/usr/bin/php8.2", "php|-f|/opt/a.php" } }, "script /opt/a.php", "" },
    { "php -S", { BASH, { "/usr/bin/php8.2", "php|-S|127.0.0.1:80", .input = "/opt/list" } }, "command php8.2", "", "person ann" },
    { "php --server=", { { "/usr/bin/php8.2", "php|--server=127.0.0.1:80" } }, "command php8.2", "" },
    { "php -S of a router", { { "/usr/bin/php8.2", "php|-S|127.0.0.1:80|/opt/router.php" } }, "script /opt/router.php", "" },
    { "php-cgi that serves", { { "/usr/bin/php-cgi8.2", "php-cgi", .input = "/opt/list" } }, "program php-cgi8.2", "" },
    { "php without anything", { { "/usr/bin/php8.2", "php" } }, "standard-input php8.2", "" },
    { "php -r", { { "/usr/bin/php8.2", "php|-r|unlink('x');" } }, "text php8.2", "" },
    { "lua FILE", { { "/usr/bin/lua5.4", "lua|-l|x|-e|a=1|/opt/a.lua" } }, "script /opt/a.lua", "" },
    { "lua -e", { { "/usr/bin/lua5.4", "lua|-e|os.remove('x')" } }, "text lua5.4", "" },
    { "java -jar", { { "/usr/lib/jvm/bin/java", "java|-Xmx1g|-cp|x|-jar|/opt/app.jar|serve" } }, "archive /opt/app.jar", "" },
    { "java CLASS", { { "/usr/lib/jvm/bin/java", "java|-cp|/opt/lib|com.example.Main" } }, "module com.example.Main", "" },
    { "java FILE", { { "/usr/lib/jvm/bin/java", "java|/opt/A.java" } }, "script /opt/A.java", "" },
    { "awk -f", { { "/usr/bin/mawk", "awk|-v|a=1|-f|/opt/a.awk|x" } }, "script /opt/a.awk", "" },
    { "awk TEXT", { { "/usr/bin/gawk", "awk|-F:|{ print > \"x\" }" } }, "text gawk", "" },
    { "tclsh FILE", { { "/usr/bin/tclsh8.6", "tclsh|/opt/a.tcl" } }, "script /opt/a.tcl", "" },
    { "expect FILE", { { "/usr/bin/expect", "expect|-f|/opt/a.exp" } }, "script /opt/a.exp", "" },
    { "Rscript FILE", { { "/usr/bin/Rscript", "Rscript|--vanilla|/opt/a.R" } }, "script /opt/a.R", "" },
    { "pwsh -File", { { "/usr/bin/pwsh", "pwsh|-NoProfile|-File|/opt/a.ps1" } }, "script /opt/a.ps1", "" },
    { "env, before it became the interpreter",
      { { "/usr/bin/env", "/usr/bin/env|-S|python3 -u|/opt/a.py", .script = "/opt/a.py" },
        { "/usr/bin/python3.11", "python3|-u|/opt/a.py", .executed = true } },
      "script /opt/a.py", "" },
    { "exec rm, at a script's end",
      { CRON, { "/usr/bin/dash", "/bin/sh|/opt/a.sh", .script = "/opt/a.sh", .user = "root" }, { "/usr/bin/rm", "rm|x", .executed = true } },
      "script /opt/a.sh", "rm", "cron root" },
    { "an interpreter that is not known", { { "/usr/bin/newlang", "newlang|/opt/a.nl", .script = "/opt/a.nl" } }, "script /opt/a.nl", "" },
    { "a binary that is a link is no script", { { "/usr/bin/dash", "sh" }, RM }, "standard-input dash", "rm" },
    { "the nearest script explains",
      { BASH, { "/usr/bin/bash", "bash|/opt/outer.sh" }, { "/usr/bin/bash", "bash|/opt/inner.sh" }, RM },
      "script /opt/inner.sh", "rm", "person ann" },
    { "a script that a package brought is another's tool",
      { BASH, { "/usr/bin/bash", "bash|/opt/outer.sh" }, { "/usr/bin/dash", "/bin/sh|/usr/bin/savelog|x", .script = "/usr/bin/savelog" }, RM },
      "script /opt/outer.sh", "rm", "person ann" },
    { "a script that a package brought is the tool, not its interpreter",
      { BASH, { "/usr/bin/bash", "bash|/opt/outer.sh" }, { "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/borg|prune", .script = "/usr/bin/borg" } },
      "script /opt/outer.sh", "borg", "person ann" },
    { "the same of the same interpreter",
      { BASH, { "/usr/bin/python3.11", "python3|/opt/a.py" }, { "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/borg|prune", .script = "/usr/bin/borg" } },
      "script /opt/a.py", "borg", "person ann" },
    { "python runs a shell", { { "/usr/bin/python3.11", "python3|/opt/a.py" }, { "/usr/bin/dash", "sh|-c|rm x" }, RM }, "script /opt/a.py", "rm" },

    /* ---- targets ---- */
    { "make", { BASH, { "/usr/bin/make", "make|-j|4|-C|sub|V=1|clean", "/src" }, { "/usr/bin/dash", "/bin/sh|-c|rm x" }, RM },
      "target clean", "rm", "person ann" },
    { "make that calls make",
      { BASH, { "/usr/bin/make", "make|clean", "/src" }, { "/usr/bin/dash", "/bin/sh|-c|make -C a" }, { "/usr/bin/make", "make|-C|a|x", "/src" }, RM },
      "target clean", "rm", "person ann" },
    { "ninja", { BASH, { "/usr/bin/ninja", "ninja|-C|build|install", "/src" }, RM }, "target install", "rm", "person ann" },
    { "npm run",
      { BASH, { "/usr/bin/node", "node|/usr/bin/npm|run|clean", "/src", .script = "/usr/bin/npm" }, { "/usr/bin/dash", "sh|-c|rimraf dist" },
        { "/usr/bin/node", "node|/src/node_modules/.bin/rimraf|dist", .script = "/src/node_modules/.bin/rimraf" } },
      "npm-script clean", "rimraf", "person ann" },
    { "npm, which has written its title over its arguments", { BASH, { "/usr/bin/node", "npm run clean", "/src" }, RM },
      "npm-script clean", "rm", "person ann" },
    { "git", { BASH, { "/usr/bin/git", "git|-C|/src|checkout|main" } }, "git checkout", "", "person ann" },
    { "git in a script", { BASH, { "/usr/bin/bash", "bash|/opt/deploy.sh" }, { "/usr/bin/git", "git|pull" }, { "/usr/bin/git", "git|merge" } },
      "script /opt/deploy.sh", "git", "person ann" },
    { "git's hook",
      { BASH, { "/usr/bin/git", "git|checkout|main" }, { "/usr/bin/dash", "/bin/sh|.git/hooks/post-checkout", "/src", .script = "/src/.git/hooks/post-checkout" }, RM },
      "git-hook /src/.git/hooks/post-checkout", "rm", "person ann" },
    { "a maintainer script",
      { BASH, { "/usr/bin/sudo", "sudo|apt-get|remove|foo|bar" }, { "/usr/bin/apt-get", "apt-get|-y|remove|foo|bar" }, { "/usr/bin/dpkg", "dpkg|--remove|foo" },
        { "/usr/bin/dash", "/bin/sh|/var/lib/dpkg/info/foo:amd64.prerm|remove", .script = "/var/lib/dpkg/info/foo:amd64.prerm" }, RM },
      "maintainer-script prerm of foo", "rm", "package-manager apt-get", "foo, bar" },
    { "a package manager itself",
      { BASH, { "/usr/bin/sudo", "sudo|apt-get|remove|foo" }, { "/usr/bin/apt-get", "apt-get|remove|foo" }, { "/usr/bin/dpkg", "dpkg|--remove|foo" } },
      "command apt-get", "dpkg", "package-manager apt-get", "foo" },
    { "dnf is a script",
      { BASH, { "/usr/bin/python3.9", "/usr/bin/python3|/usr/bin/dnf|remove|foo", .script = "/usr/bin/dnf" } },
      "script /usr/bin/dnf", "", "package-manager dnf", "foo" },
    { "an ansible module",
      { SSHD, { "/usr/bin/dash", "sh|-c|python3 x" }, { "/usr/bin/python3.11", "python3|/root/.ansible/tmp/ansible-tmp-1.2/AnsiballZ_file.py" } },
      "ansible-module file", "", "ssh" },

    { "a script by pyenv's shim",
      { BASH, { "/usr/bin/bash", "bash|/root/.pyenv/shims/python3|/opt/a.py", .script = "/root/.pyenv/shims/python3" },
        { "/usr/bin/bash", "bash|/root/.pyenv/libexec/pyenv-exec|python3|/opt/a.py", .script = "/root/.pyenv/libexec/pyenv-exec", .executed = true },
        { "/root/.pyenv/versions/3.11.7/bin/python3.11", "python3|/opt/a.py", .executed = true } },
      "script /opt/a.py", "", "person ann" },
    { "a text by pyenv's shim",
      { BASH, { "/usr/bin/bash", "bash|/root/.pyenv/shims/python3|-c|x", .script = "/root/.pyenv/shims/python3" },
        { "/root/.pyenv/versions/3.11.7/bin/python3.11", "python3|-c|x", .executed = true } },
      "text python3.11", "", "person ann" },
    { "a shim that does it itself", { BASH, { "/usr/bin/bash", "bash|/tmp/shims/x", .script = "/tmp/shims/x" }, RM }, "script /tmp/shims/x", "rm", "person ann" },

    /* ---- commands ---- */
    { "a compiler's linker",
      { BASH, { "/usr/bin/x86_64-linux-gnu-gcc-12", "gcc|-o|a|a.c" }, { "/usr/lib/gcc/x86_64-linux-gnu/12/collect2", "/usr/lib/gcc/x86_64-linux-gnu/12/collect2|-o|a" },
        { "/usr/bin/x86_64-linux-gnu-ld.bfd", "/usr/bin/ld|-o|a" } },
      "command x86_64-linux-gnu-gcc-12", "x86_64-linux-gnu-ld.bfd", "person ann" },
    { "a typed command", { SSHD, BASH, RM }, "command rm", "", "person ann" },
    { "a typed command with sudo", { SSHD, BASH, { "/usr/bin/sudo", "sudo|rm|-f|/etc/app.conf" }, RM }, "command rm", "", "person ann" },
    { "find -exec", { BASH, { "/usr/bin/find", "find|/srv|-exec|rm|{}|+" }, RM }, "command find", "rm", "person ann" },
    { "a shell's own doing", { SSHD, BASH }, "shell-builtin bash", "", "person ann" },
    { "a shell that another one feeds", { SSHD, BASH, { "/usr/bin/dash", "sh", .tty = "pts/3" }, RM },
      "standard-input dash", "rm", "person ann" },
    { "a shell in a shell, asked for", { SSHD, BASH, { "/usr/bin/bash", "bash|-i", .tty = "pts/3", .user = "ann" }, RM },
      "command rm", "", "person ann" },
    { "a part of a shell, forked",
      { { "/usr/bin/bash", "bash", .tty = "pts/3", .user = "ann" }, { "/usr/bin/bash", "bash", .tty = "pts/3", .user = "ann" }, RM },
      "command rm", "", "person ann" },
    { "sudo -i with a command", { SSHD, BASH, { "/usr/bin/sudo", "sudo|-i|rm|x" }, { "/usr/bin/bash", "-bash|--login|-c|rm x" }, RM },
      "command rm", "", "person ann" },
    { "sudo of a shell's text", { BASH, { "/usr/bin/sudo", "sudo|sh|-c|rm x; rm y" }, { "/usr/bin/dash", "sh|-c|rm x; rm y" }, RM },
      "text dash", "rm", "person ann" },
    { "git calls git", { BASH, { "/usr/bin/git", "git|pull", "/s" }, { "/usr/bin/git", "git|merge", "/s" } }, "git pull", "", "person ann" },
    { "a root shell by sudo", { SSHD, BASH, { "/usr/bin/sudo", "sudo|-s" }, { "/bin/bash", "/bin/bash", .tty = "pts/4", .user = "root" }, RM },
      "command rm", "", "person root" },
    { "a program that is a script, by cron's shell",
      { CRON, { "/usr/bin/dash", "sh|-c|/usr/bin/certbot renew", .user = "root" }, { "/usr/bin/python3.11", "python3|/usr/bin/certbot|renew", .script = "/usr/bin/certbot" } },
      "script /usr/bin/certbot", "", "cron root" },
    { "a shell's text, typed", { BASH, { "/usr/bin/dash", "sh|-c|rm a; rm b" }, RM }, "text dash", "rm", "person ann" },
    { "cron's shell passes a command on", { CRON, { "/usr/bin/dash", "/bin/sh|-c|rm -f /srv/x >/dev/null 2>&1", .user = "bob" }, RM },
      "command rm", "", "cron bob", "rm -f /srv/x >/dev/null 2>&1" },
    { "cron's shell runs two", { CRON, { "/usr/bin/dash", "/bin/sh|-c|cd /srv && rm x", .user = "bob" }, RM }, "text dash", "rm", "cron bob" },
    { "cron.daily",
      { CRON, { "/usr/bin/dash", "/bin/sh|-c|run-parts /etc/cron.daily", .user = "root" }, { "/usr/bin/run-parts", "run-parts|--report|/etc/cron.daily" },
        { "/usr/bin/dash", "/bin/sh|/etc/cron.daily/tidy", .script = "/etc/cron.daily/tidy" }, RM },
      "script /etc/cron.daily/tidy", "rm", "cron root", "/etc/cron.daily/tidy" },
    { "a program in a person's script", { BASH, { "/usr/bin/bash", "bash|/opt/a.sh" }, { "/opt/bin/cleaner", "cleaner|x" } },
      "script /opt/a.sh", "cleaner", "person ann" },
    { "a service's program is one of its own",
      { INIT, { "/usr/bin/bash", "bash|/opt/start.sh", .unit = "app.service" }, { "/opt/bin/server", "server|--x" }, RM },
      "command server", "rm", "service app.service" },
    { "a service's script", { INIT, { "/usr/bin/bash", "bash|/opt/start.sh", .unit = "app.service" }, RM }, "script /opt/start.sh", "rm", "service app.service" },
    { "a server by a link to one of its tools", { { "/usr/bin/redis-check-rdb", "redis-server|--port|7" } }, "command redis-server", "" },
    { "the same, by its title and path", { { "/opt/r/bin/redis-check-rdb", "/opt/r/bin/redis-server unixsocket:/run/r.sock" } }, "program redis-server", "" },
    { "a name that the program does not have", { { "/usr/bin/redis-check-rdb", "rm|x" } }, "command redis-check-rdb", "" },
    { "half a name", { { "/usr/bin/redis-check-rdb", "redis|x" } }, "command redis-check-rdb", "" },
    { "unxz in a script", { { "/usr/bin/dash", "sh|/opt/a.sh" }, { "/usr/bin/xz", "unxz|a.xz" } }, "script /opt/a.sh", "unxz" },
    { "busybox rm", { BASH, { "/bin/busybox", "busybox|rm|x" } }, "command rm", "", "person ann" },
    { "toybox, by a link", { BASH, { "/bin/toybox", "rm|x" } }, "command rm", "", "person ann" },
    { "coreutils in one binary", { BASH, { "/usr/bin/coreutils", "/usr/bin/coreutils|--coreutils-prog-shebang=rm|/usr/bin/rm|x" } }, "command rm", "", "person ann" },
    { "sftp by a program", { SSHD, { "/usr/bin/bash", "bash|-c|/usr/lib/openssh/sftp-server", .user = "ann", .uid = 1001 },
                           { "/usr/lib/openssh/sftp-server", "/usr/lib/openssh/sftp-server", .user = "ann", .uid = 1001, .executed = true } },
      "command sftp-server", "", "sftp ann" },
    { "a program of that name is a command", { SSHD, { "/usr/bin/bash", "bash|-c|/home/ann/sftp-server", .user = "ann", .uid = 1001 },
                           { "/home/ann/sftp-server", "/home/ann/sftp-server", .user = "ann", .uid = 1001, .executed = true } },
      "command sftp-server", "", "ssh ann" },
    { "sftp by sshd itself", { SSHD, { "/usr/sbin/sshd", "sshd: ann@internal-sftp", .user = "ann", .uid = 1001 } }, "program sshd", "", "sftp ann" },
    { "sshd about its own business", { SSHD, { "/usr/sbin/sshd", "sshd: ann", .user = "root" } }, "program sshd", "", "unknown" },
    { "sshd of a unit about its own business", { { "/usr/sbin/sshd", "sshd: ann", .user = "root", .unit = "ssh.service" } }, "program sshd", "", "unknown" },
    { "ssh's command", { SSHD, { "/usr/bin/bash", "bash|-c|rm -f x", .user = "ann" }, { "/usr/bin/rm", "rm|-f|x", .executed = true } },
      "command rm", "", "ssh ann" },

    /* ---- what started it ---- */
    { "a product", { INIT, { "/opt/edr/agent", "agent|-d", .product = "Some EDR" }, { "/usr/bin/rm", "rm|x" } },
      "command agent", "rm", "product Some EDR" },
    { "at", { { "/usr/sbin/atd", "atd" }, { "/usr/bin/dash", "sh", .user = "bob" }, RM }, "standard-input dash", "rm", "at bob" },
    { "anacron", { { "/usr/sbin/anacron", "anacron" }, { "/usr/bin/dash", "sh|-c|rm x", .user = "root" }, RM }, "command rm", "", "anacron root" },
    { "a CI runner",
      { { "/home/r/bin/Runner.Worker", "Runner.Worker|spawnclient" }, { "/usr/bin/bash", "bash|-e|/home/r/_work/_temp/1.sh" }, RM },
      "script /home/r/_work/_temp/1.sh", "rm", "ci GitHub Actions runner" },
    { "a CI runner's job by its environment",
      { { "/home/r/bin/Runner.Worker", "Runner.Worker|spawnclient" }, { "/usr/bin/bash", "bash|-e|/r/1.sh", .job = "job build" },
        { "/usr/bin/make", "make|clean", .job = "job evil" }, RM },
      "target clean", "rm", "ci GitHub Actions runner", "job build" },
    { "a runner's login shell",
      { { "/usr/bin/gitlab-runner", "gitlab-runner|run" }, { "/usr/bin/bash", "bash|--login" }, { "/usr/bin/bash", "bash|--login" }, RM },
      "standard-input bash", "rm", "ci GitLab runner" },
    { "a runner by its name alone", { { "/tmp/Runner.Worker", "Runner.Worker" }, { "/usr/bin/bash", "bash|-e|/r/1.sh", .job = "job build" }, RM },
      "script /r/1.sh", "rm" },
    { "Jenkins, by its unit",
      { INIT, { "/usr/bin/java", "java|-jar|/srv/agent.jar", .unit = "jenkins-agent.service" },
        { "/usr/bin/dash", "sh|-xe|/srv/ws/1.sh", .job = "job shop, run 7" }, RM },
      "script /srv/ws/1.sh", "rm", "ci Jenkins agent", "job shop, run 7" },
    { "Jenkins itself", { INIT, { "/usr/bin/java", "java|-jar|/srv/agent.jar", .unit = "jenkins-agent.service" } },
      "archive /srv/agent.jar", "", "service jenkins-agent.service" },
    { "culprit run", { BASH, { "/usr/bin/culprit", "culprit|run|-w|/srv|--|rm|x" }, RM }, "command rm", "", "run culprit" },
    { "culprit run, built somewhere", { BASH, { "/tmp/b/culprit", "culprit|run|-w|/srv|--|rm|x" }, RM }, "command rm", "", "run culprit" },
    { "ansible here", { BASH, { "/usr/bin/python3.11", "python3|/usr/bin/ansible-playbook|site.yml", .script = "/usr/bin/ansible-playbook" }, RM },
      "script /usr/bin/ansible-playbook", "rm", "configuration-management Ansible", "site.yml" },
    { "a playbook behind its inventory", { BASH, { "/usr/bin/python3.11", "python3|/usr/bin/ansible-playbook|-i|hosts.yml|-e|@vars.yml|site.yml", .script = "/usr/bin/ansible-playbook" }, RM },
      "script /usr/bin/ansible-playbook", "rm", "configuration-management Ansible", "site.yml" },
    { "a manifest", { BASH, { "/usr/bin/ruby3.1", "/usr/bin/ruby|/usr/bin/puppet|apply|site.pp", .script = "/usr/bin/puppet" } },
      "script /usr/bin/puppet", "", "configuration-management Puppet", "site.pp" },
    { "a policy", { BASH, { "/usr/bin/cf-agent", "cf-agent|-KIf|/etc/site.cf" } },
      "command cf-agent", "", "configuration-management CFEngine", "/etc/site.cf" },

#define PLAYBOOK { "/usr/bin/python3.11", "python3|/usr/bin/ansible-playbook|-i|hosts.yml|-e|@vars.yml|site.yml", .script = "/usr/bin/ansible-playbook" }
#define MODULE(name) { "/usr/bin/python3.11", "python3|/root/.ansible/tmp/ansible-tmp-1.2/AnsiballZ_" name ".py" }
    { "an ansible playbook among options", { BASH, PLAYBOOK, MODULE("file") }, "ansible-module file", "", "configuration-management Ansible", "site.yml" },
    { "one of two ansible playbooks",
      { BASH, { "/usr/bin/python3.11", "python3|/usr/bin/ansible-playbook|a.yml|b.yml", .script = "/usr/bin/ansible-playbook" }, MODULE("file") },
      "ansible-module file", "", "configuration-management Ansible" },
    { "ansible ad hoc",
      { BASH, { "/usr/bin/python3.11", "python3|/usr/bin/ansible|all|-i|x.yml|-m|file|-a|path=/x state=absent", .script = "/usr/bin/ansible" }, MODULE("file") },
      "ansible-module file", "", "configuration-management Ansible", "path=/x state=absent" },

    /* ---- containers ---- */
    { "docker exec",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|moby" }, { "/usr/bin/runc", "runc|--root|/x|exec|--process|/p|web" },
        { "/bin/busybox", "rm|x", .inside = true } },
      "command rm", "", "container-exec web" },
    { "docker cp, by nobody who is known", { { "/usr/bin/dockerd", "dockerd" }, { "/usr/bin/dockerd", "docker-untar|/prd|/m" } },
      "command dockerd", "", "container-copy Docker" },
    { "a pod's exec",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|k8s.io" }, { "/usr/bin/runc", "runc|exec|--process|/p|web" },
        { "/bin/busybox", "rm|x", .inside = true } },
      "command rm", "", "pod-exec web" },
    { "a pod's exec at a terminal",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|k8s.io" }, { "/usr/bin/runc", "runc|exec|--process|/p|web" },
        { "/bin/busybox", "rm|x", .inside = true, .tty = "pts/0" } },
      "command rm", "", "kubectl-exec web" },
    { "kubectl exec on this host",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|k8s.io" }, { "/usr/bin/runc", "runc|exec|--process|/p|web" },
        { "/bin/busybox", "rm|x", .inside = true, .client = "kubectl|exec|web-0|--|rm|x" } },
      "command rm", "", "kubectl-exec web" },
    { "ctr past kubelet",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|k8s.io" }, { "/usr/bin/runc", "runc|exec|--process|/p|web" },
        { "/bin/busybox", "rm|x", .inside = true, .client = "ctr|-n|k8s.io|t|exec|--exec-id|a|web|rm|x" } },
      "command rm", "", "container-exec web" },
    { "an entry point",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2" }, { "/usr/bin/runc", "runc|create|web" },
        { "/usr/bin/dash", "/bin/sh|/entrypoint.sh", .script = "/entrypoint.sh", .inside = true }, { "/usr/bin/app", "app|serve", .inside = true } },
      "command app", "", "entry-point web", "/entrypoint.sh" },
    { "an entry point by tini",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2" }, { "/usr/bin/runc", "runc|create|web" },
        { "/usr/bin/tini", "tini|--|/run.sh", .inside = true }, { "/usr/bin/dash", "/bin/sh|/run.sh", .script = "/run.sh", .inside = true },
        { "/usr/bin/rm", "rm|x", .inside = true } },
      "script /run.sh", "rm", "entry-point web", "/run.sh" },
    { "an entry point that is a text",
      { { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2" }, { "/usr/bin/runc", "runc|create|web" },
        { "/usr/bin/dash", "/bin/sh|-c|rm x; :", .inside = true }, { "/usr/bin/rm", "rm|x", .inside = true } },
      "text dash", "rm", "entry-point web" },
    { "cron in a container",
      { { "/usr/bin/runc", "runc|create|web" }, { "/usr/sbin/cron", "cron", .inside = true }, { "/usr/bin/dash", "/bin/sh|/opt/a.sh", .script = "/opt/a.sh", .inside = true, .user = "bob" },
        { "/usr/bin/rm", "rm|x", .inside = true } },
      "script /opt/a.sh", "rm", "cron bob" },

    /* ---- what argv alone says ---- */
    { "a program that calls itself python", { { "/home/eve/x", "python3|/opt/jobs/tidy.py" } }, "script /opt/jobs/tidy.py", "", NULL, .claimed = true },
    { "a python of somebody's own", { { "/tmp/python3", "python3|/opt/jobs/tidy.py" } }, "script /opt/jobs/tidy.py", "", NULL, .claimed = true },
    { "no executable is known", { { NULL, "python3|/opt/jobs/tidy.py" } }, "script /opt/jobs/tidy.py", "", NULL, .claimed = true },
    { "a cron of somebody's own", { { "/tmp/cron", "cron" }, RM }, "program cron", "rm" },
    { "a product's name in argv", { { "/usr/bin/rm", "/opt/edr/agent|x" } }, "command rm", "" },
    { "a package manager's name in argv", { { "/usr/bin/python3.11", "/usr/bin/dnf|/tmp/x.py" } }, "script /tmp/x.py", "" },
    { "no argv", { { "/usr/bin/python3.11", NULL } }, "standard-input python3.11", "" },
    { "an empty argument", { { "/usr/bin/bash", "|" } }, "script ", "" },
};

static void check_text(struct bytes kind, struct bytes name, const char *expected)
{
    char text[512];

    snprintf(text, sizeof(text), "%.*s%s%.*s", (int)kind.len, kind.data, name.len || strchr(expected, ' ') ? " " : "", (int)name.len,
             name.data ? name.data : "");
    assert_string_equal(text, expected);
}

static void names(void **state)
{
    const struct row *row = *state;
    struct event *e = find(row->steps);

    check_text(bytes_of(cause_run_name(e->cause.run.kind)), e->cause.run.name, row->run);
    assert_bytes(e->cause.tool, row->tool);
    check_text(bytes_of(cause_launcher_name(e->cause.launcher.kind)), e->cause.launcher.name, row->launcher ? row->launcher : "unknown");
    if (row->detail)
        assert_bytes(e->cause.launcher.detail, row->detail);
    assert_int_equal(e->cause.run.claimed, row->claimed);
    assert_int_not_equal(e->cause.key.number, 0);
    event_free(e);
}

/* ---- what belongs together ---- */

#define SCRIPT(path, by) { "/usr/bin/dash", "/bin/sh|" path, .script = path, .uid = by }

static const struct pair {
    const char *name;
    struct step a[STEPS], b[STEPS];
    bool same;
} pairs[] = {
    { "one script with two tools",
      { CRON, SCRIPT("/opt/a", 1), { "/usr/bin/rm", "rm|x", .uid = 1 } }, { CRON, SCRIPT("/opt/a", 1), { "/usr/bin/mkdir", "mkdir|x", .uid = 1 } }, true },
    { "one script, two runs", { CRON, SCRIPT("/opt/a", 1), RM }, { CRON, { "/usr/bin/dash", "/bin/sh|/opt/a|-v", .script = "/opt/a", .uid = 1, .pid = 77 }, RM }, true },
    { "two scripts", { CRON, SCRIPT("/opt/a", 1), RM }, { CRON, SCRIPT("/opt/b", 1), RM }, false },
    { "two python scripts", { BASH, { "/usr/bin/python3", "python3|/a.py" } }, { BASH, { "/usr/bin/python3", "python3|/b.py" } }, false },
    { "two users of one script", { CRON, SCRIPT("/opt/a", 1), { "/usr/bin/rm", "rm", .uid = 1 } }, { CRON, SCRIPT("/opt/a", 2), { "/usr/bin/rm", "rm", .uid = 2 } }, false },
    { "root's rm and bob's", { BASH, { "/usr/bin/rm", "rm|x" } }, { BASH, { "/usr/bin/rm", "rm|x", .uid = 2 } }, false },
    { "one person types two commands of one program", { BASH, { "/usr/bin/rm", "rm|a" } }, { BASH, { "/usr/bin/rm", "rm|b" } }, true },
    { "and one of them with sudo, which makes a terminal", { BASH, { "/usr/bin/rm", "rm|a" } },
      { BASH, { "/usr/bin/sudo", "sudo|rm|b" }, { "/usr/bin/rm", "rm|b", .tty = "pts/9" } }, true },
    { "at another terminal", { BASH, { "/usr/bin/rm", "rm|a" } },
      { { "/usr/bin/bash", "-bash", .tty = "pts/4", .user = "ann" }, { "/usr/bin/rm", "rm|b" } }, false },
    { "two lines of one crontab", { CRON, { "/bin/dash", "sh|-c|rm -f a" }, RM }, { CRON, { "/bin/dash", "sh|-c|rm -f b" }, RM }, false },
    { "two targets", { { "/usr/bin/make", "make|a", "/s" }, RM }, { { "/usr/bin/make", "make|b", "/s" }, RM }, false },
    { "one target in two directories", { { "/usr/bin/make", "make|a", "/s" }, RM }, { { "/usr/bin/make", "make|a", "/t" }, RM }, false },
    { "on the host and in a container", { SCRIPT("/opt/a", 0), RM }, { { "/usr/bin/runc", "runc|create" }, { "/usr/bin/dash", "/bin/sh|/opt/a", .script = "/opt/a", .inside = true } }, false },
    { "a real script and one that argv alone names", { { "/usr/bin/python3", "python3|/a.py" } }, { { "/tmp/python3", "python3|/a.py" } }, false },
    { "a job's script has another name each time", { SCRIPT("/home/r/_work/_temp/a1.sh", 0), RM }, { SCRIPT("/home/r/_work/_temp/b2.sh", 0), RM }, true },
    { "one ansible task for two items", { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|a" } }, { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|b" } }, true },
    { "two ansible tasks", { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|a" } }, { BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/mv", "mv|a|b" } }, false },
    { "so has a directory of mktemp", { SCRIPT("/tmp/tmp.Ab12345678/x.sh", 0), RM }, { SCRIPT("/tmp/tmp.Zz12345678/x.sh", 0), RM }, true },
};

/* What the module `command` executed: arguments, or a shell's text. */
static void ansible_commands(void **state)
{
    struct event *e = find((const struct step[STEPS]){ BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/rm", "rm|-f|a" } });

    (void)state;
    assert_int_equal(e->cause.run.text.len, 8);
    assert_memory_equal(e->cause.run.text.data, "rm\0-f\0a", 8);
    event_free(e);
    e = find((const struct step[STEPS]){ BASH, PLAYBOOK, MODULE("command"), { "/usr/bin/dash", "/bin/sh|-c|rm -f a; :" }, { "/usr/bin/rm", "rm|-f|a" } });
    assert_bytes(e->cause.run.text, "rm -f a; :");
    event_free(e);
    e = find((const struct step[STEPS]){ BASH, PLAYBOOK, MODULE("unarchive"), { "/usr/bin/tar", "tar|x" } });
    assert_int_equal(e->cause.run.text.len, 0);
    event_free(e);
}

/* Who is named, where what was changed is another container's: nobody. */
static void copied_into(void **state)
{
    static const struct step steps[STEPS] = { { "/usr/bin/dockerd", "dockerd" },
                                              { "/usr/bin/dockerd", "docker-untar|/prd|/m", .copier = "docker|cp|a|web:/prd" } };
    struct container *other = make_container("a7ba10172723", "db");
    struct process *p = make_chain(steps);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct event *e = make_event(OPERATION_CREATE, "/prd/a", p, i == 0 ? NULL : i == 1 ? web : other, 1);

        cause_remember(e);
        assert_int_equal(e->cause.launcher.kind, LAUNCHER_COPY);
        assert_int_equal(e->cause.launcher.detail.len, i < 2 ? sizeof("docker cp a web:/prd") : 0);
        event_free(e);
    }
    process_unref(p);
    container_unref(other);
}

static void groups(void **state)
{
    const struct pair *pair = *state;
    struct event *a = find(pair->a), *b = find(pair->b);

    if (pair->same)
        assert_true(fingerprint_equal(a->cause.key, b->cause.key));
    else
        assert_false(fingerprint_equal(a->cause.key, b->cause.key));
    event_free(a);
    event_free(b);
}

/* ---- what an attacker writes ---- */

/* Arguments of any length and content: nothing is read behind them. */
/* ---- siblings ---- */

/* Another process, started as `p` was. */
static struct process *make_sibling(const struct process *p)
{
    struct process *s = make_process(p->pid + 100, p->executable.data, process_ref(p->parent));

    process_set(s, &s->executable, p->executable);
    process_set(s, &s->args, p->args);
    process_set(s, &s->working_directory, p->working_directory);
    process_set(s, &s->script, p->script);
    process_set(s, &s->input, p->input);
    process_set(s, &s->tty, p->tty);
    process_set(s, &s->cgroup, p->cgroup);
    process_set(s, &s->owner.unit, p->owner.unit);
    process_set(s, &s->owner.product, p->owner.product);
    s->owner.product_kind = p->owner.product_kind;
    process_set(s, &s->user_name, p->user_name);
    process_set(s, &s->real_user_name, p->real_user_name);
    s->earlier = process_ref(p->earlier);
    s->cred = p->cred;
    s->origin = p->origin;
    s->container = container_ref(p->container);
    return s;
}

static void check_same_cause(const struct cause *a, const struct cause *b)
{
    const struct bytes pairs_of[][2] = {
        { a->run.name, b->run.name },       { a->run.args, b->run.args },         { a->run.text, b->run.text },
        { a->run.directory, b->run.directory }, { a->run.interpreter, b->run.interpreter }, { a->tool, b->tool },
        { a->launcher.name, b->launcher.name }, { a->launcher.detail, b->launcher.detail }, { a->launcher.unit, b->launcher.unit },
        { a->person.name, b->person.name }, { a->person.as_name, b->person.as_name }, { a->person.by, b->person.by },
        { a->person.terminal, b->person.terminal },
    };

    assert_true(fingerprint_equal(a->key, b->key));
    assert_int_equal(a->run.kind, b->run.kind);
    assert_int_equal(a->run.claimed, b->run.claimed);
    assert_ptr_equal(a->run.process, b->run.process);
    assert_int_equal(a->launcher.kind, b->launcher.kind);
    assert_ptr_equal(a->launcher.process, b->launcher.process);
    assert_int_equal(a->person.id, b->person.id);
    assert_int_equal(a->person.as_id, b->person.as_id);
    for (size_t i = 0; i < ARRAY_SIZE(pairs_of); i++)
        assert_true(bytes_equal(pairs_of[i][0], pairs_of[i][1]));
}

static struct event *event_of(struct process *p)
{
    return make_event(OPERATION_UNLINK, "/srv/y", p, NULL, 1);
}

/* The cause that it has was taken from another event's: a search of its own finds the same. */
static void check_as_found(const struct event *e)
{
    struct cause found;

    cause_find(e, &found);
    check_same_cause(&e->cause, &found);
    cause_done(&found);
}

/* What is taken from a sibling is what would have been found, for every chain of the table. */
static void siblings(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct event *first = find(rows[i].steps), *next;
        struct process *p = make_sibling(first->actor.process);

        next = event_of(p);
        if (cause_suits_siblings(first) && cause_of_sibling(next, first->actor.process, &first->cause)) {
            check_as_found(next);
            taken++;
        }
        event_free(first);
        event_free(next);
        process_unref(p);
    }
    assert_true(taken > 30);
}

/* The same script with more arguments is the same cause, and is reported by its own. */
static void script_siblings(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct event *first = find(rows[i].steps), *next;
        struct process *p = make_sibling(first->actor.process);
        char text[1024];
        struct bytes args = p->args;

        assert_true(args.len + 9 < sizeof(text));
        if (args.len)
            memcpy(text, args.data, args.len);
        memcpy(text + args.len, "-m\0clean", 9);
        process_set(p, &p->args, (struct bytes){ text, args.len + 9 });
        next = event_of(p);
        if (first->cause.run.kind == RUN_SCRIPT && cause_suits_siblings(first) &&
            cause_of_sibling(next, first->actor.process, &first->cause)) {
            check_as_found(next);
            taken++;
        }
        event_free(first);
        process_unref(p); /* held by the event, as what was found for the first is */
        assert_true(bytes_known(next->cause.run.name) || !next->cause.key.number);
        event_free(next);
    }
    assert_true(taken > 15);
}

static bool is_reported_as_its_launcher(struct process *launcher)
{
    struct event *script = event_of(launcher), *next;
    struct process *p = make_sibling(launcher);
    bool taken;

    process_unref(p->earlier);
    p->earlier = NULL;
    p->script = p->input = BYTES_NULL;
    process_unref(p->parent);
    p->parent = process_ref(launcher);
    process_set(p, &p->executable, bytes_of("/usr/bin/rm"));
    set_args(p, "rm|-f|/srv/y");
    next = event_of(p);
    cause_remember(script);
    taken = cause_suits_tools(script) && cause_of_launcher(next, &script->cause);
    if (taken) {
        check_as_found(next);
        assert_bytes(next->cause.tool, "rm");
    }
    event_free(script);
    process_unref(p);
    event_free(next);
    return taken;
}

/* A tool of a script is reported as if all of its chain had been gone up, whoever of the table's chains launches it. */
static void tools_of_scripts(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct event *e = find(rows[i].steps);

        for (struct process *p = e->actor.process; p; p = p->parent)
            taken += is_reported_as_its_launcher(p);
        event_free(e);
    }
    assert_true(taken > 10);
}

/* A script's sibling leads tools, and what is taken from one of them still has its memory once all others are gone. */
static void tools_of_siblings(void **state)
{
    const struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh|1", .tty = "pts/3", .user = "ann" } };
    struct event *first = find(steps), *second, *third, *fourth;
    struct process *p = make_sibling(first->actor.process), *rm, *again;

    (void)state;
    set_args(p, "bash|/opt/a.sh|2");
    second = event_of(p);
    assert_true(cause_suits_siblings(first));
    assert_true(cause_of_sibling(second, first->actor.process, &first->cause));
    assert_true(cause_suits_tools(second));
    event_free(first);
    rm = make_sibling(p);
    process_unref(rm->parent);
    rm->parent = process_ref(p);
    process_set(rm, &rm->executable, bytes_of("/usr/bin/rm"));
    set_args(rm, "rm|x");
    third = event_of(rm);
    assert_true(cause_of_launcher(third, &second->cause));
    event_free(second);
    again = make_sibling(rm);
    fourth = event_of(again);
    assert_true(cause_of_sibling(fourth, rm, &third->cause));
    event_free(third);
    process_unref(p);
    process_unref(rm);
    process_unref(again);
    assert_bytes(fourth->cause.run.name, "/opt/a.sh");
    assert_bytes(fourth->cause.tool, "rm");
    assert_bytes(fourth->cause.run.interpreter, "bash");
    assert_int_equal(fourth->cause.launcher.kind, LAUNCHER_PERSON);
    event_free(fourth);
}

static const char *const other_args[] = { "bash|/opt/b.sh|1", "bash|/opt/a.sh.x", "bash|-c|/opt/a.sh", "bash|-x|/opt/a.sh|1", "bash", "bash|/opt/a" };

static void distinguishes_scripts(void **state)
{
    const struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh|1", .tty = "pts/3", .user = "ann" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(other_args) + 2; i++) {
        struct event *first = find(steps), *next;
        struct process *p = make_sibling(first->actor.process);

        if (i < ARRAY_SIZE(other_args))
            set_args(p, other_args[i]);
        else if (i == ARRAY_SIZE(other_args))
            process_set(p, &p->working_directory, bytes_of("/elsewhere"));
        next = event_of(p);
        assert_true(cause_suits_siblings(first));
        assert_int_equal(cause_of_sibling(next, first->actor.process, &first->cause), i > ARRAY_SIZE(other_args));
        event_free(first);
        event_free(next);
        process_unref(p);
    }
}

static void other_user(struct process *p)
{
    p->cred.uid = 1002;
}

static void other_login(struct process *p)
{
    p->login_uid = 1003;
}

static void other_terminal(struct process *p)
{
    process_set(p, &p->tty, bytes_of("pts/9"));
}

static void other_program(struct process *p)
{
    process_set(p, &p->executable, bytes_of("/usr/local/bin/rm"));
}

static void other_name(struct process *p)
{
    set_args(p, "sh|/opt/innocent.sh");
}

static void script_of_its_own(struct process *p)
{
    process_set(p, &p->script, bytes_of("/opt/b.sh"));
}

static void exec_before(struct process *p)
{
    p->earlier = make_process(p->pid, "/usr/bin/env", process_ref(p->parent));
}

static void other_unit(struct process *p)
{
    process_set(p, &p->owner.unit, bytes_of("other.service"));
}

static void in_container(struct process *p)
{
    p->container = container_ref(web);
    p->origin = ORIGIN_CONTAINER;
}

static void other_parent(struct process *p)
{
    process_unref(p->parent);
    p->parent = make_process(77, "/usr/bin/bash", NULL);
}

static void launched(struct process *p)
{
    p->launch.kind = LAUNCH_CRONTAB;
}

static const struct difference {
    const char *name;
    void (*make)(struct process *p);
} differences[] = {
    { "another user", other_user },       { "another login", other_login },     { "another terminal", other_terminal },
    { "another program", other_program }, { "another name", other_name },       { "a script of its own", script_of_its_own },
    { "an exec before", exec_before },    { "another unit", other_unit },       { "in a container", in_container },
    { "another parent", other_parent },   { "launched by itself", launched },
};

static void distinguishes_siblings(void **state)
{
    const struct difference *d = *state;
    const struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh", .tty = "pts/3", .user = "ann" }, RM };
    struct event *first = find(steps), *next;
    struct process *p = make_sibling(first->actor.process);

    next = make_event(OPERATION_UNLINK, "/srv/y", p, NULL, 1);
    assert_true(cause_suits_siblings(first));
    assert_true(cause_of_sibling(next, first->actor.process, &first->cause));
    event_free(next);
    d->make(p);
    next = make_event(OPERATION_UNLINK, "/srv/y", p, NULL, 1);
    assert_false(cause_of_sibling(next, first->actor.process, &first->cause));
    event_free(next);
    event_free(first);
    process_unref(p);
}

static void any_argv(void **state)
{
    static const char *const programs[] = { "/usr/bin/python3", "/usr/bin/bash", "/bin/busybox", "/usr/bin/java", "/usr/bin/make",
                                            "/usr/bin/git", "/usr/bin/node", "/usr/bin/apt-get", "/usr/bin/awk", "/usr/bin/perl" };
    static const char alphabet[] = "-c\0-m=e.r/js x\xff\n";
    size_t size = 1 << 20;
    char *text = malloc(size);
    unsigned seed = 1;

    (void)state;
    for (unsigned round = 0; round < 4000; round++) {
        size_t len = round < 8 ? (round & 1 ? size : round) : round % 60;
        struct process *p = make_process(7, programs[round % ARRAY_SIZE(programs)], NULL);
        struct event *e;

        for (size_t i = 0; i < len; i++)
            text[i] = round < 8 ? (round & 2 ? '\0' : 'a') : alphabet[(seed = seed * 1103515245 + 12345) >> 16 & 15];
        p->args = (struct bytes){ memcpy(malloc(len ? len : 1), text, len), len }; /* of exactly this size: for the sanitizer */
        if (round % 3 == 0)
            process_set(p, &p->working_directory, BYTES("/w"));
        e = make_event(OPERATION_UNLINK, "/x", p, NULL, 1);
        cause_remember(e);
        assert_int_not_equal(e->cause.key.number, 0);
        {
            char *args = (char *)(uintptr_t)p->args.data;

            event_free(e);
            process_unref(p);
            free(args);
        }
    }
    free(text);
}

/* A chain as long as it gets, and longer: cut. What is found is held when the event's process is not. */
static void a_long_chain(void **state)
{
    struct process *p = make_process(1, "/usr/sbin/cron", NULL);
    struct event *e;

    (void)state;
    for (pid_t pid = 2; pid < 1000; pid++) {
        p = make_process(pid, "/usr/bin/dash", p);
        set_args(p, pid == 990 ? "sh|/opt/a.sh" : "sh|-c|x; y");
    }
    e = make_event(OPERATION_UNLINK, "/x", p, NULL, 1);
    process_unref(p);
    cause_remember(e);
    process_unref(e->actor.process);
    e->actor.process = NULL;
    assert_bytes(e->cause.run.name, "/opt/a.sh");
    assert_bytes(e->cause.run.process->executable, "/usr/bin/dash");
    event_free(e);
}

/* `while read; do ...; done`, a subshell, an applet of busybox: parts of one run of the script. */
static void parts_of_a_script(void **state)
{
    const struct step script = { "/bin/busybox", "sh|/opt/a.sh", .script = "/opt/a.sh" }, other = { "/bin/busybox", "sh|/opt/a.sh|-q", .script = "/opt/a.sh" };
    const struct step parts[STEPS] = { BASH, script, script, script }, runs[STEPS] = { BASH, other, script, RM };
    struct event *e = find(parts);

    (void)state;
    assert_bytes(e->cause.run.name, "/opt/a.sh");
    assert_ptr_equal(e->cause.run.process, e->actor.process->parent->parent);
    event_free(e);
    e = find(runs); /* it called itself with other arguments: that is another run */
    assert_ptr_equal(e->cause.run.process, e->actor.process->parent);
    event_free(e);
}

/* ---- health checks ---- */

#define SHIM { "/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2|-namespace|moby" }
#define RUNC_EXEC { "/usr/bin/runc", "runc|--root|/x|exec|--process|/p|web" }
#define CONMON { "/usr/bin/conmon", "/usr/bin/conmon|--api-version|1|-c|67ba|--exec-attach" }

static const struct health_row {
    const char *name, *check;
    struct step steps[STEPS];
    const char *launcher;
    bool by_client; /* somebody's docker exec is known */
} healths[] = {
    { "by a shell", "/bin/sh|-c|curl -f http://x/; rm /t",
      { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|-c|curl -f http://x/; rm /t", .inside = true }, { "/usr/bin/rm", "rm|/t", .inside = true } },
      "health-check" },
    { "a program", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "health-check" },
    { "the shell became another program", "/bin/sh|-c|rm /t",
      { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|-c|rm /t", .inside = true }, { "/usr/bin/rm", "rm|/t", .inside = true, .executed = true } },
      "health-check" },
    { "a script", "/check.sh|-q", { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|/check.sh|-q", .script = "/check.sh", .inside = true } }, "health-check" },
    { "a script in PATH, whose #! has an option", "check|-q",
      { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|-e|/usr/local/bin/check|-q", .script = "/usr/local/bin/check", .inside = true } }, "health-check" },
    { "the shim alone is known", "rm|-f|/t", { SHIM, { "/usr/bin/rm", "rm|-f|/t", .inside = true, .pid = 500 } }, "health-check" },
    { "podman's", "rm|-f|/t", { CONMON, { "/usr/bin/crun", "crun|exec|67ba" }, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "health-check" },
    { "another command", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/u", .inside = true } }, "container-exec" },
    { "more arguments", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t|/u", .inside = true } }, "container-exec" },
    { "fewer arguments", "rm|-f|/t|/u", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "container-exec" },
    { "no script of the kernel's", "/check.sh|-q", { SHIM, RUNC_EXEC, { "/usr/bin/dash", "/bin/sh|/check.sh|-q", .inside = true } }, "container-exec" },
    { "not known", "", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "container-exec" },
    { "somebody's docker exec of the same command", "rm|-f|/t", { SHIM, RUNC_EXEC, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "container-exec", .by_client = true },
    { "the application runs the same command", "rm|-f|/t",
      { SHIM, { "/usr/bin/runc", "runc|create|web" }, { "/usr/bin/app", "app", .inside = true }, { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "entry-point" },
    { "the entry point is the same command", "app|-x", { SHIM, { "/usr/bin/runc", "runc|create|web" }, { "/usr/bin/app", "app|-x", .inside = true } }, "entry-point" },
    { "nobody above is known", "rm|-f|/t", { { "/usr/bin/rm", "rm|-f|/t", .inside = true } }, "unknown" },
};

static void checks_health(void **state)
{
    const struct health_row *row = *state;
    struct container *plain = web;
    struct process *p, *args = make_process(1, "/x", NULL);
    struct event *e;

    set_args(args, row->check);
    web = make_container("67ba10172723", "web");
    web->pid = 400;
    container_set(web, &web->health_check, args->args);
    p = make_chain(row->steps);
    if (row->by_client)
        p->launch.kind = LAUNCH_EXEC;
    e = make_event(OPERATION_UNLINK, "/t", p, NULL, 1);
    cause_remember(e);
    assert_string_equal(cause_launcher_name(e->cause.launcher.kind), row->launcher);
    if (e->cause.launcher.kind == LAUNCHER_HEALTH_CHECK) {
        assert_bytes(e->cause.launcher.name, "web");
        assert_true(bytes_equal(e->cause.launcher.detail, web->health_check));
    }
    event_free(e);
    process_unref(p);
    process_unref(args);
    container_unref(web);
    web = plain;
}

static void nobody(void **state)
{
    struct event *e = make_event(OPERATION_UNLINK, "/x", NULL, NULL, 1);

    (void)state;
    cause_remember(e);
    assert_int_equal(e->cause.run.kind, RUN_UNKNOWN);
    assert_int_equal(e->cause.launcher.kind, LAUNCHER_UNKNOWN);
    e->actor.executable = BYTES("/usr/bin/rm");
    cause_remember(e);
    assert_int_equal(e->cause.run.kind, RUN_PROGRAM);
    assert_bytes(e->cause.run.name, "rm");
    event_free(e);
}

/* ---- tables ---- */

static const char *interpreter_at(size_t i)
{
    return interpreter_row(i) ? interpreter_name(interpreter_row(i)) : NULL;
}

static const char *launcher_at(size_t i)
{
    return launcher_row(i) ? launcher_row(i)->program : NULL;
}

static void tables(void **state)
{
    const char *(*const lists[])(size_t) = { interpreter_at, launcher_at, wrapper_row, tool_row, changer_row, build_row_name };

    (void)state;
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
        for (size_t i = 0; lists[l](i); i++) {
            assert_int_not_equal(*lists[l](i), '\0');
            if (i && strcmp(lists[l](i - 1), lists[l](i)) >= 0)
                fail_msg("%s stands before %s", lists[l](i - 1), lists[l](i));
        }
    for (size_t i = 0; wrapper_row(i); i++)
        assert_false(tool_is(bytes_of(wrapper_row(i))));
    for (size_t i = 0; tool_row(i); i++) { /* what its name says is what is found of it */
        struct process *p = make_process(7, tool_row(i), NULL);

        set_args(p, tool_row(i));
        assert_int_equal(tool_is_plain(bytes_of(tool_row(i))), link_of(p)->plain);
        process_unref(p);
    }
    for (size_t i = 0; interpreter_at(i); i++)
        assert_ptr_equal(interpreter_find(bytes_of(interpreter_at(i))), interpreter_row(i));
    for (unsigned i = 1; i < RUN_KIND_COUNT; i++)
        assert_string_not_equal(cause_run_name(i), cause_run_name(0));
    for (unsigned i = 1; i < LAUNCHER_KIND_COUNT; i++)
        assert_string_not_equal(cause_launcher_name(i), cause_launcher_name(0));
}

/* Every wrapper is seen through, every tool is explained by who runs it. */
static void every_row(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++)
        for (size_t i = 0; kind ? wrapper_row(i) : tool_row(i); i++) {
            char executable[64];
            struct step steps[STEPS] = { BASH, { "/usr/bin/bash", "bash|/opt/a.sh" }, { executable, "x|y" }, RM };
            struct event *e;

            snprintf(executable, sizeof(executable), "/usr/bin/%s", kind ? wrapper_row(i) : tool_row(i));
            e = find(steps);
            assert_bytes(e->cause.run.name, "/opt/a.sh");
            assert_int_equal(e->cause.launcher.kind, LAUNCHER_PERSON);
            event_free(e);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_argv), cmocka_unit_test(a_long_chain), cmocka_unit_test(parts_of_a_script), cmocka_unit_test(nobody),
                                        cmocka_unit_test(tables), cmocka_unit_test(every_row), cmocka_unit_test(siblings), cmocka_unit_test(script_siblings), cmocka_unit_test(tools_of_scripts),
                                        cmocka_unit_test(tools_of_siblings), cmocka_unit_test(distinguishes_scripts), cmocka_unit_test(ansible_commands), cmocka_unit_test(copied_into) };
    int failed;

    web = make_container("67ba10172723", "web");
    failed = RUN_ROWS(rows, names) + RUN_ROWS(pairs, groups) + RUN_ROWS(healths, checks_health) + RUN_ROWS(differences, distinguishes_siblings) + cmocka_run_group_tests(tests, NULL, NULL);
    container_unref(web);
    return failed;
}
