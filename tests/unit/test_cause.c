/* SPDX-License-Identifier: MIT */
/* Chains of processes, and whom a person would name. One row for each kind of interpreter, wrapper, launcher. */
#include "test.h"
#include "cause_chain.h"

#include <stdio.h>

#define INIT { "/usr/lib/systemd/systemd", "/sbin/init" }
#define SSHD { "/usr/sbin/sshd", "sshd: ann [priv]" }

static const struct row {
    const char *name;
    struct step steps[STEPS];
    const char *run;      /* "kind name" */
    const char *tool;     /* "" = it did so itself */
    const char *launcher; /* "kind name", NULL = unknown */
    const char *detail;
    bool claimed;
    const char *line;     /* the command line; NULL = not compared */
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
    { "node FILE", { { "/usr/bin/node", "node|--max-old-space-size=4|--title|shop|-r|./x|/opt/a.js" } }, "script /opt/a.js", "" },
    { "node -e", { { "/usr/bin/node", "node|--eval|fs.rm()" } }, "text node", "" },
    { "deno run", { { "/usr/bin/deno", "deno|run|--config|/opt/deno.json|-c|x|--allow-write|/opt/a.ts" } }, "script /opt/a.ts", "" },
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
    { "env, before it became the interpreter of a packaged script",
      { BASH, { "/usr/bin/env", "/usr/bin/env|ruby|/usr/bin/gem|install|x", .script = "/usr/bin/gem" },
        { "/usr/bin/ruby3.1", "ruby|/usr/bin/gem|install|x", .executed = true } },
      "script /usr/bin/gem", "", "person ann", .line = "ruby|/usr/bin/gem|install|x" },
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
    { "make without a target", { BASH, { "/usr/bin/make", "make|-f|fix.mk|V=1", "/src" }, RM }, "target", "rm", "person ann" },
    { "make of two targets", { BASH, { "/usr/bin/make", "make|clean|-j|4|V=1|all", "/src" }, RM }, "target clean all", "rm", "person ann" },
    { "make of so many jobs and so great a load",
      { BASH, { "/usr/bin/make", "make|-sj|4|-l|2.5|--load-average|2|--jobs|3|--assume-old|x|all", "/src" }, RM }, "target all", "rm", "person ann" },
    { "a number that is no option's", { BASH, { "/usr/bin/make", "make|-j4|-l2|-s|2", "/src" }, RM }, "target 2", "rm", "person ann" },
    { "make, behind --", { BASH, { "/usr/bin/make", "make|-l|--|-x", "/src" }, RM }, "target -x", "rm", "person ann" },
    { "bmake -n takes no value", { BASH, { "/usr/bin/bmake", "bmake|-n|-j|4|clean", "/src" }, RM }, "target clean", "rm", "person ann" },
    { "rake -j", { BASH, { "/usr/bin/ruby3.1", "ruby|/usr/bin/rake|-j|4|-e|p 1|clean", "/src", .script = "/usr/bin/rake" }, RM }, "target clean", "rm", "person ann" },
    { "a tool of ninja's own", { BASH, { "/usr/bin/ninja", "ninja|-C|build|-t|clean|x", "/src" } }, "target -t clean", "", "person ann" },
    { "gradle test --tests", { BASH, { "/usr/lib/jvm/bin/java", "java|-cp|/x.jar|org.gradle.wrapper.GradleWrapperMain|test|--tests|A.b|-F|off", "/src" } }, "target test", "", "person ann" },
    { "just --set", { BASH, { "/usr/bin/just", "just|--set|os|linux|deploy", "/src" }, RM }, "target deploy", "rm", "person ann" },
    { "just, whose recipe has arguments", { BASH, { "/usr/bin/just", "just|-f|a/justfile|deploy|prod", "/src" }, RM }, "target deploy", "rm", "person ann" },
    { "maven", { BASH, { "/usr/bin/dash", "/bin/sh|/usr/share/maven/bin/mvn|clean|package", "/src", .script = "/usr/share/maven/bin/mvn" },
               { "/usr/lib/jvm/bin/java", "/usr/lib/jvm/bin/java|-classpath|/x.jar|-Dmaven.home=/x|org.codehaus.plexus.classworlds.launcher.Launcher|-q|-s|/x.xml|clean|package",
                 "/src", .executed = true } },
      "target clean package", "", "person ann" },
    { "gradle", { BASH, { "/usr/lib/jvm/bin/java", "java|-cp|/x.jar|org.gradle.wrapper.GradleWrapperMain|--no-daemon|-p|app|wipe", "/src" } }, "target wipe", "", "person ann" },
    { "cmake has make do it", { BASH, { "/usr/bin/cmake", "cmake|--build|b|--target|wipe|-j|4|--|-k", "/src" }, { "/usr/bin/gmake", "/usr/bin/gmake|-f|Makefile|wipe", "/src/b" },
        { "/usr/bin/dash", "/bin/sh|-c|rm x" }, RM }, "target --build wipe", "rm", "person ann" },
    { "and make cmake", { BASH, { "/usr/bin/make", "make|all", "/src" }, { "/usr/bin/cmake", "cmake|--build|b", "/src" }, { "/usr/bin/gmake", "/usr/bin/gmake|-f|Makefile", "/src/b" }, RM },
      "target all", "rm", "person ann" },
    { "cmake --install", { BASH, { "/usr/bin/cmake", "cmake|--install|b|--prefix|/opt", "/src" } }, "target --install", "", "person ann" },
    { "a script's tools, where nobody launched it for a reason", { { "/usr/bin/dash", "sh|/opt/bk" }, { "/usr/bin/x86_64-linux-gnu-gcc-12", "gcc|x.c" }, { "/usr/bin/ld", "ld" } }, "script /opt/bk", "ld" },
    { "and its redirected dump", { { "/usr/bin/dash", "sh|/opt/bk" }, { "/usr/bin/mysqldump", "mysqldump|shop" } }, "script /opt/bk", "mysqldump" },
    { "a tool that is a package's script first", { { "/usr/bin/dash", "sh|/opt/bk" }, { "/usr/bin/perl", "perl|/usr/bin/psql", .script = "/usr/bin/psql" }, { "/usr/lib/pg/psql", "psql", .executed = true } }, "script /opt/bk", "psql" },
    { "a wrapper that is one", { { "/usr/bin/dash", "sh|/opt/bk" }, { "/usr/bin/perl", "perl|/usr/bin/parallel|rm", .script = "/usr/bin/parallel" }, RM }, "script /opt/bk", "rm" },
    { "a server that a script begins", { { "/usr/bin/dash", "sh|/opt/mysqld_safe" }, { "/usr/sbin/mysqld", "mysqld" } }, "program mysqld", "" },
    { "cmake that configures", { BASH, { "/usr/bin/cmake", "cmake|-B|b|.", "/src" } }, "command cmake", "", "person ann" },
    { "npm, an option's value before the verb", { BASH, { "/usr/bin/node", "node|/usr/bin/npm|--loglevel|silent|run|clean", "/src", .script = "/usr/bin/npm" }, RM }, "npm-script clean", "rm", "person ann" },
    { "npx of a text is its script", { BASH, { "/usr/bin/node", "node|/usr/bin/npx|-c|rm x", "/src", .script = "/usr/bin/npx" }, RM }, "script /usr/bin/npx", "rm", "person ann" },
    { "npm run",
      { BASH, { "/usr/bin/node", "node|/usr/bin/npm|run|clean", "/src", .script = "/usr/bin/npm" }, { "/usr/bin/dash", "sh|-c|rimraf dist" },
        { "/usr/bin/node", "node|/src/node_modules/.bin/rimraf|dist", .script = "/src/node_modules/.bin/rimraf" } },
      "npm-script clean", "rimraf", "person ann" },
    { "npm, which has written its title over its arguments", { BASH, { "/usr/bin/node", "npm run clean", "/src" }, RM },
      "npm-script clean", "rm", "person ann" },
    { "npm install is no script of the package", { BASH, { "/usr/bin/node", "npm install left-pad", "/src" }, RM }, "target install", "rm", "person ann" },
    { "npm install that runs one", { BASH, { "/usr/bin/node", "npm install", "/src" }, { "/usr/bin/dash", "sh|-c|npm run prepare" }, { "/usr/bin/node", "npm run prepare", "/src" }, RM },
      "target install", "rm", "person ann" },
    { "npx", { BASH, { "/usr/bin/node", "node|/usr/bin/npx|rimraf|dist", "/src", .script = "/usr/bin/npx" } }, "target rimraf", "", "person ann" },
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
      { BASH, { "/usr/bin/sudo", "sudo|apt-get|remove|foo" }, { "/usr/bin/apt-get", "apt-get|-o|x=y|remove|-t|backports|-d|foo" }, { "/usr/bin/dpkg", "dpkg|--remove|foo" } },
      "command apt-get", "dpkg", "package-manager apt-get", "foo" },
    { "dnf is a script",
      { BASH, { "/usr/bin/python3.9", "/usr/bin/python3|/usr/bin/dnf|remove|--setopt|a=b|foo|-c|x", .script = "/usr/bin/dnf" } },
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
    if (row->line) {
        struct process *p = make_process(99, "/x", NULL);

        set_args(p, row->line);
        assert_true(bytes_equal(e->cause.run.args, p->args));
        process_unref(p);
    }
    assert_int_equal(e->cause.run.claimed, row->claimed);
    assert_int_not_equal(e->cause.key.number, 0);
    event_free(e);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siblings),
        cmocka_unit_test(script_siblings),
        cmocka_unit_test(tools_of_scripts),
    };
    int failed;

    web = make_container("67ba10172723", "web");
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(rows, names);
    container_unref(web);
    return failed;
}
