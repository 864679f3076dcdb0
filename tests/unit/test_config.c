/* SPDX-License-Identifier: MIT */
/* The configuration: what is refused and in which words, what it means, the example, the tables. */
#include "test.h"
#include "config_read.h"

#include <errno.h>
#include <stdio.h>

#include "config/groups.h"
#include "event/operation.h"

/* ---- what is refused, and in which words ---- */

#define TOP "(groups, permissions, writes, sensor, store, docker_socket, ring_size, control, metrics, heartbeat, retention_age, retention_size, when_full, copies_size, alerts, learning, expected, editors, redact, watch NAME { ... }, expect NAME { ... }, sink NAME { ... })"

#define OF_WATCH "(targets, permissions, key, retention_age, keep_copies, guard, allow, guard_method, guard_keep, on_verdict, on_verdict_limit, on_verdict_run)"
#define SYNTAX "KEY = VALUE, KEY = { VALUE, VALUE }, or watch, expect, sink NAME { ... }"

static const struct row {
    const char *name;
    struct bytes text;
    const char *said; /* "": it is right */
} rows[] = {
    { "nothing", BYTES(""), "" },
    { "comments only", BYTES("# one\n  # two\n\n# three"), "" },
    { "all keys", BYTES("groups = { etc, opt }\npermissions = rw\nwrites = on\nsensor = { fanotify, audit }\nstore = /a/b.db\n"
                        "docker_socket = \"/x\"\nring_size = 64M\nwatch a { targets = { /a, 'w:/b' } permissions = x key = k }\n"), "" },
    { "what is expected", BYTES("expected = { package }\nexpect backup {\n program = borg\n hours = { 02:00-04:30, '22:00-01:00' }\n operations = { delete, chmod }\n"
                               " paths = '/srv/**/*.tmp'\n}\n"), "" },
    { "nothing expected", BYTES("expected = {}\n"), "" },
    { "expects nothing", BYTES("expect a {\n}\n"), "f:2: expect \"a\" says nothing of what is expected: program = borg, paths = { \"/srv/data\" }\n" },
    { "no row", BYTES("expected = packages\n"), "f:1: expected: no row \"packages\"; did you mean package? (package, container, engine, agent, configuration, git, rotation, tmpfiles, editor)\n" },
    { "what is not told", BYTES("redact = { users, arguments, homes }\n"), "" },
    { "nothing is not told", BYTES("redact = {}\n"), "" },
    { "nothing of that name to redact", BYTES("redact = { users, home }\n"), "f:1: redact: nothing to redact is called \"home\" (users, arguments, homes)\n" },
    { "editors", BYTES("editors = { vim, '/opt/*/bin/edit' }\n"), "" },
    { "no editors", BYTES("editors = {}\n"), "f: editors: no value (names, paths or patterns)\n" },
    { "no hours", BYTES("expect a { hours = 25:00-26:00 }\n"), "f:1: hours: \"25:00-26:00\" is no span of hours: 02:00-04:30\n" },
    { "no operation", BYTES("expect a { operations = delte }\n"), NULL },
    { "an empty pattern", BYTES("expect a { program = '' }\n"), "f:1: program: an empty pattern, which nothing would match\n" },
    { "expected twice", BYTES("expect a { program = x }\nexpect a { program = y }\n"), "f:2: \"a\" stands twice in this file\n" },
    { "a watch's key in it", BYTES("expect a { targets = /a }\n"), NULL },
    { "sinks", BYTES("sink j { type = journal }\nsink f { type = file to = /var/log/a.jsonl size = 1M }\nsink e { type = exec to = { /bin/x, -a } user = root }\n"
                     "sink w { type = webhook to = { 'https://a/b' } format = slack secret = /etc/s ca = /etc/c timeout = 5s severity = high }\n"), "" },
    { "a sink without a type", BYTES("sink a { to = /x }\n"), "f:1: sink \"a\": it has no type: type = journal\n" },
    { "no such type", BYTES("sink a { type = jornal }\n"), "f:1: type: no type \"jornal\" (journal, file, exec, webhook, syslog, container, mail, kubernetes)\n" },
    { "a file without a path", BYTES("sink a { type = file }\n"), "f:1: sink \"a\": to of type file is a path that begins with /\n" },
    { "a program by its name", BYTES("sink a { type = exec to = x }\n"), "f:1: sink \"a\": to of type exec is a program by its whole path, and its arguments\n" },
    { "no URL", BYTES("sink a { type = webhook to = 'ftp://x' }\n"), "f:1: sink \"a\": a URL begins with https:// or http://\n" },
    { "syslog", BYTES("sink s { type = syslog to = { 'tcp://a:514', 'tls://b:6514' } ca = /etc/c }\n"), "" },
    { "syslog without a port", BYTES("sink s { type = syslog to = 'tcp://a' }\n"), "f:1: sink \"s\": a syslog server is tcp://HOST:PORT or tls://HOST:PORT\n" },
    { "syslog by a datagram", BYTES("sink s { type = syslog to = 'udp://a:514' }\n"), NULL },
    { "syslog's secret", BYTES("sink s { type = syslog to = 'tcp://a:514' secret = /etc/s }\n"), "f:1: sink \"s\": secret is of type webhook, mail or kubernetes, not of syslog\n" },
    { "mail", BYTES("sink m { type = mail to = { ops@h.example, \"ann.b+c@h\" } from = culprit@h server = 'smtp://localhost:25' secret = /etc/s }\n"
                    "sink n { type = mail to = root server = /usr/bin/msmtp }\nsink l { type = container }\n"), "" },
    { "mail to nobody", BYTES("sink m { type = mail }\n"), "f:1: sink \"m\": to of type mail is addresses\n" },
    { "no address", BYTES("sink m { type = mail to = 'a@b, c@d' }\n"), "f:1: sink \"m\": \"a@b, c@d\" is no address: letters, digits and .!#$%&'*+/=?^_`{|}~@- without spaces\n" },
    { "a header in an address", BYTES("sink m { type = mail to = \"a@b\\x0aBcc: c\" }\n"), NULL },
    { "an option as an address", BYTES("sink m { type = mail to = '-oQ/tmp' }\n"), NULL },
    { "no mail server", BYTES("sink m { type = mail to = root server = 'http://h' }\n"), "f:1: server: \"http://h\" is neither smtp://HOST nor smtps://HOST, nor a mailer's path\n" },
    { "a mail server's password", BYTES("sink m { type = mail to = root server = 'smtp://a:b@h' }\n"), "f:1: server: user and password of a server are in the file that secret names\n" },
    { "a file's server", BYTES("sink a { type = file to = /a server = 'smtp://h' }\n"), "f:1: sink \"a\": server is of type mail, not of file\n" },
    { "a log to somewhere", BYTES("sink l { type = container to = /x }\n"), "f:1: sink \"l\": type container has no to\n" },
    { "an API server without TLS", BYTES("sink k { type = kubernetes to = 'http://h' }\n"), "f:1: sink \"k\": an API server's URL begins with https://\n" },
    { "no format", BYTES("sink a { type = webhook format = x }\n"), NULL },
    { "a file's format", BYTES("sink a { type = file to = /a format = slack }\n"), "f:1: sink \"a\": format is of type webhook, not of file\n" },
    { "a sink's name is a directory's", BYTES("sink '../a' { type = journal }\n"), NULL },
    { "too short a time", BYTES("sink a { type = journal timeout = 1ms }\n"), "f:1: timeout: \"1ms\" is not between 1s and 5m\n" },
    { "no severity", BYTES("sink a { type = journal severity = grave }\n"), "f:1: severity: no severity \"grave\" (low, medium, high, critical)\n" },
    { "lines of DOS", BYTES("writes = on\r\nstore = /a\r\n"), "" },
    { "no groups", BYTES("groups = {}\n"), "" },
    { "one value for a list", BYTES("groups = etc\nwatch a { targets = /a }\n"), "" },
    { "an empty key", BYTES("watch a { targets = /a key = \"\" }\n"), "" },
    { "quotes", BYTES("watch 'a b' { targets = { \"/x\\x20y\", '/a\"b', \"/c\\\"d\" } }\n"), "" },
    { "a comment in the end", BYTES("writes = on # yes\n"), "" },

    { "no such key", BYTES("\ncolour = 3\n"), "f:2: no key \"colour\" " TOP "\n" },
    { "nearly a key", BYTES("permission = wa\n"), "f:1: no key \"permission\"; did you mean permissions? " TOP "\n" },
    { "nearly a watch", BYTES("watsh \"a\" { targets = /a }\n"), "f:1: no key \"watsh\"; did you mean watch? " TOP "\n" },
    { "nearly a key of a watch", BYTES("watch a {\n  target = /a\n}\n"), "f:2: no key \"target\"; did you mean targets? " OF_WATCH "\n" },
    { "a watch's key outside", BYTES("targets = /a\n"), "f:1: targets has no place here: it belongs into a watch " TOP "\n" },
    { "a top key inside", BYTES("watch a {\nstore = /a\n}\n"), "f:2: store has no place in a watch: it stands outside of it " OF_WATCH "\n" },
    { "twice", BYTES("writes = on\n\nwrites = off\n"), "f:3: writes stands twice: first in f:1\n" },
    { "a list twice", BYTES("groups = { etc, opt }\ngroups = { boot }\n"), "f:2: groups stands twice: first in f:1\n" },
    { "a watch's key twice", BYTES("watch a {\n targets = /a\n key = x\n key = y\n}\n"), "f:4: key stands twice: first in f:3\n" },
    { "a name twice", BYTES("watch a { targets = /a }\nwatch a { targets = /b }\n"), "f:2: \"a\" stands twice in this file\n" },
    { "a target twice", BYTES("watch a { targets = /a }\nwatch b {\n targets = { /b,\n /x/../a/ }\n}\n"), "f:3: /x/../a/ is watched already: in f:1\n" },
    { "a target twice in a watch", BYTES("watch a { targets = { 'w:/a', w://a } }\n"), "f:1: w://a is watched already: in f:1\n" },
    { "no target", BYTES("watch a {\n}\n"), "f:2: watch \"a\" has no target: targets = { \"/srv/data\" }\n" },
    { "empty targets", BYTES("watch a { targets = {} }\n"), "f:1: watch \"a\" has no target: targets = { \"/srv/data\" }\n" },
    { "no name", BYTES("watch { targets = /a }\n"), "f:1: it has a name: watch NAME { ... }\n" },
    { "an empty name", BYTES("watch \"\" { targets = /a }\n"), "f:1: the name of a watch is 1 to 255 bytes long\n" },
    { "relative", BYTES("watch a { targets = srv/data }\n"), "f:1: targets: \"srv/data\" is neither a path that begins with / nor CONTAINER:PATH\n" },
    { "no path in it", BYTES("watch a { targets = \"web:\" }\n"), NULL },
    { "permission", BYTES("permissions = wz\n"), "f:1: permissions: unknown permission 'z' in \"wz\" (use r, w, x, a)\n" },
    { "no permission", BYTES("watch a { targets = /a permissions = \"\" }\n"), "f:1: permissions: no permission (use r, w, x, a)\n" },
    { "no switch", BYTES("writes = maybe\n"), "f:1: writes: \"maybe\" is neither on nor off\n" },
    { "group", BYTES("groups = { etc,\n programm }\n"), "f:2: groups: no group \"programm\"; did you mean programs? (etc, programs, local, opt, boot, schedules, units)\n" },
    { "sensor", BYTES("sensor = fanotfy\n"), NULL },
    { "auto and another", BYTES("sensor = { auto, audit }\n"), "f:1: sensor: auto stands alone, or others are named\n" },
    { "cheap and another", BYTES("sensor = { audit, cheap }\n"), "f:1: sensor: cheap stands alone, or others are named\n" },
    { "cheap", BYTES("sensor = cheap\n"), "" },
    { "no sensor", BYTES("sensor = {}\n"), "f: sensor: no value (auto, cheap, or names from culprit doctor)\n" },
    { "store", BYTES("store = culprit.db\n"), "f:1: store: \"culprit.db\" is no path that begins with /\n" },
    { "age", BYTES("retention_age = 10m\n"), "f:1: retention_age: \"10m\" is less than an hour\n" },
    { "no size for a store", BYTES("retention_size = 1M\n"), "f:1: retention_size: \"1M\" is less than 16M\n" },
    { "no room for copies", BYTES("copies_size = 900K\n"), "f:1: copies_size: \"900K\" is less than 1M\n" },
    { "copies", BYTES("copies_size = 64M\nwatch a { targets = /a keep_copies = on }\n"), "" },
    { "copies of how much", BYTES("watch a { targets = /a keep_copies = 100M }\n"), "f:1: keep_copies: \"100M\" is neither on nor off\n" },
    { "guard", BYTES("watch w { targets = /srv guard = maybe }\n"), "f:1: guard: \"maybe\" is neither on nor off\n" },
    { "guard's method", BYTES("watch w { targets = /srv guard = on guard_method = hope }\n"),
      "f:1: guard_method: \"hope\" is no method (use auto, bpf, immutable)\n" },
    { "nobody is allowed", BYTES("watch w { targets = /srv guard = on allow = \"\" }\n"), "f:1: allow: a value is 1 to 255 bytes long\n" },
    { "allow names nobody", BYTES("watch w { targets = /srv guard = on allow = { a, \"unit:\" } }\n"), "f:1: allow: \"unit:\" names nobody\n" },
    { "an executable by half its path", BYTES("watch w { targets = /srv guard = on allow = bin/true }\n"),
      "f:1: allow: \"bin/true\" is no path of an executable that begins with /\n" },
    { "allow of no guard", BYTES("watch w { targets = /srv allow = a }\n"), "f:1: allow goes with guard = on\n" },
    { "a method of no guard", BYTES("watch w { targets = /srv guard_method = bpf }\n"), "f:1: guard_method goes with guard = on\n" },
    { "what is kept of no guard", BYTES("watch w { targets = /srv guard_keep = on }\n"), "f:1: guard_keep goes with guard = on\n" },
    { "a guard that is kept", BYTES("watch w { targets = /srv guard = on guard_keep = sometimes }\n"),
      "f:1: guard_keep: \"sometimes\" is neither on nor off\n" },
    { "a guard for later", BYTES("watch w { targets = /srv guard = off allow = a guard_method = bpf }\n"), "" },
    { "flags deny everybody", BYTES("watch w { targets = /srv guard = on guard_method = immutable allow = a }\n"),
      "f:1: allow is of guard_method = bpf: the flags of chattr deny everybody\n" },
    { "a list for one value", BYTES("watch w { targets = /srv guard = { on } }\n"),
      "f:1: \"{\" has no place here, where one value is wanted: " SYNTAX "\n" },
    { "a limit of nothing", BYTES("watch w { targets = /srv on_verdict_limit = 2 }\n"),
      "f:1: on_verdict_limit goes with on_verdict = exec, freeze or kill\n" },
    { "a password for a mailer", BYTES("sink s { type = mail to = a@b secret = /x }\n"),
      "f:1: sink \"s\": secret and ca of mail are for a server: server = \"smtp://HOST\"\n" },
    { "all of a guard", BYTES("watch w { targets = /srv guard = on allow = { a, /b } guard_method = bpf guard_keep = on }\n"), "" },
    { "what is done", BYTES("watch w { targets = /srv on_verdict = shout }\n"),
      "f:1: on_verdict: \"shout\" is nothing that is done (use none, exec, freeze, kill)\n" },
    { "how often", BYTES("watch w { targets = /srv on_verdict = kill on_verdict_limit = 61 }\n"),
      "f:1: on_verdict_limit: \"61\" is not a number from 1 to 60\n" },
    { "no program", BYTES("watch w { targets = /srv on_verdict = exec }\n"),
      "f:1: on_verdict = exec needs on_verdict_run = { \"/a/program\", \"argument\" }\n" },
    { "a program by its name", BYTES("watch w { targets = /srv on_verdict = exec on_verdict_run = logger }\n"),
      "f:1: on_verdict = exec needs on_verdict_run = { \"/a/program\", \"argument\" }\n" },
    { "a program for nothing", BYTES("watch w { targets = /srv on_verdict = kill on_verdict_run = /bin/true }\n"),
      "f:1: on_verdict_run goes with on_verdict = exec\n" },
    { "what is done in all", BYTES("watch w { targets = /srv on_verdict = exec on_verdict_limit = 1 on_verdict_run = { /bin/true, a } }\n"), "" },
    { "no retention", BYTES("retention_age = off\nretention_size = off\n"), "" },
    { "size", BYTES("ring_size = many\n"), NULL },
    { "no =", BYTES("writes on\n"), "f:1: \"=\" is missing behind \"writes\": " SYNTAX "\n" },
    { "no value", BYTES("writes =\n"), "f:2: the file ends in the middle of something: " SYNTAX "\n" },
    { "a list for a value", BYTES("writes = { on }\n"), "f:1: \"{\" has no place here, where one value is wanted: " SYNTAX "\n" },
    { "an open watch", BYTES("\nwatch a {\n targets = { /a }\n"), "f:2: the \"{\" that stands here is not closed\n" },
    { "an open list", BYTES("watch a {\n targets = { /a\n}\n"), "f:1: the \"{\" that stands here is not closed\n" },
    { "a watch in a watch", BYTES("watch a { watch b { targets = { /a } } }\n"), "f:1: \"{\" has no place here\n" },
    { "a list in a list", BYTES("groups = { { etc } }\n"), "f:1: \"{\" has no place here, where one value is wanted: " SYNTAX "\n" },
    { "a brace too many", BYTES("writes = on\n}\n"), "f:2: \"}\" closes nothing\n" },
    { "no {", BYTES("watch a targets = /a\n"), "f:1: \"{\" is missing behind the name: watch NAME { ... }\n" },

    { "an open quote", BYTES("store = \"/a\nwrites = on\n"), "f:1: the quote that begins here does not end in its line\n" },
    { "an open single quote", BYTES("writes = on\nstore = '/a"), "f:2: the quote that begins here does not end in its line\n" },
    { "two lines of a value", BYTES("store = \"/a\\\n/b\"\n"), "f:1: the quote that begins here does not end in its line\n" },
    { "octal", BYTES("store = \"/a\\400\"\n"), "f:1: \\4: a byte is written as \\x1b, a backslash as \\\\\n" },
    { "environment", BYTES("store = \"${HOME}/x\"\n"), "f:1: ${: nothing is replaced here; for the characters themselves use '...'\n" },
    { "environment, no quotes", BYTES("store = ${HOME}\n"), "f:1: '$' stands in quotes: \"...\"\n" },
    { "C comment", BYTES("/* x */ writes = on\n"), "f:1: a comment begins with #, a path with one slash\n" },
    { "C++ comment", BYTES("// x\n"), "f:1: a comment begins with #, a path with one slash\n" },
    { "pattern", BYTES("watch a { targets = /a/*.c }\n"), "f:1: \"*\" stands in quotes\n" },
    { "semicolon", BYTES("writes = on;\n"), "f:1: ';' has no place here: what follows begins a line of its own\n" },
    { "append", BYTES("groups += { etc }\n"), "f:1: '+' has no place here: write the whole list, KEY = { VALUE, VALUE }\n" },
    { "a path of keys", BYTES("watch|key = x\n"), "f:1: '|' stands in quotes: \"...\"\n" },
    { "a byte order mark", BYTES("\xef\xbb\xbfwrites = on\n"), "f:1: the byte 0xef stands in quotes: \"...\"\n" },
    { "a section of another kind of file", BYTES("[watch web]\ntargets = /srv\n"),
      "f:1: no [...] here: write watch web { ... }, with what belongs to it between the braces\n" },
    { "the same without a name", BYTES("writes = on\n[sink]\n"), "f:2: no [...] here: write sink NAME { ... }, with what belongs to it between the braces\n" },
    { "a section of nothing", BYTES("[global]\nwrites = on\n"), "f:1: no [...] here: KEY = VALUE stands without one, else watch, expect or sink NAME { ... }\n" },
    { "a list in brackets", BYTES("groups = [etc]\n"), "f:1: '[' stands in quotes: \"...\"\n" },
    { "NUL", BYTES("writes = on\n\0"), "f:2: a NUL byte: this is no text\n" },
    { "NUL in quotes", BYTES("store = \"/\0\"\n"), "f:1: a NUL byte: this is no text\n" },
    { "NUL in a comment", BYTES("# \0\n"), "f:1: a NUL byte: this is no text\n" },
    { "include", BYTES("include(\"/etc/shadow\")\n"), "f:1: '(' stands in quotes: \"...\"\n" },
};

static void says(void **state)
{
    const struct row *row = *state;
    struct said said = { SBUF_INIT };
    struct config c;

    read_text(&c, row->text, &said);
    if (row->said)
        assert_string_equal(sbuf_str(&said.text), row->said);
    else
        assert_true(bytes_starts_with(sbuf_bytes(&said.text), bytes_of("f:"))); /* words of others' */
    config_done(&c);
    /* what went wrong before has no influence: libconfuse's lexer is one for all */
    sbuf_clear(&said.text);
    read_text(&c, BYTES("writes = on\n"), &said);
    assert_string_equal(sbuf_str(&said.text), "");
    assert_true(config_switch(&c, CONFIG_WRITES));
    config_done(&c);
    sbuf_done(&said.text);
}

/* ---- what it means ---- */

static void has_values(void **state)
{
    struct said said = { SBUF_INIT };
    struct config c;

    (void)state;
    read_text(&c, BYTES("permissions = r\nwatch a {\n targets = { /a, \"/x\\x20y\" }\n}\nwatch b { targets = /b key = k permissions = wa }\n"),
              &said);
    assert_string_equal(sbuf_str(&said.text), "");
    assert_int_equal(c.blocks[CONFIG_WATCH].count, 2);
    assert_int_equal(c.target_count, 3);
    assert_bytes(c.blocks[CONFIG_WATCH].items[0].values[CONFIG_WATCH_TARGETS].items[1], "/x y");
    assert_int_equal(config_permissions(&c, &c.blocks[CONFIG_WATCH].items[0]), PERMISSION_READ);
    assert_int_equal(config_permissions(&c, &c.blocks[CONFIG_WATCH].items[1]), PERMISSION_WRITE | PERMISSION_ATTR);
    assert_bytes(config_watch_key(&c.blocks[CONFIG_WATCH].items[0]), "a");
    assert_bytes(config_watch_key(&c.blocks[CONFIG_WATCH].items[1]), "k");
    assert_int_equal(c.blocks[CONFIG_WATCH].items[0].values[CONFIG_WATCH_TARGETS].from.line, 3);
    assert_bytes(config_text(&c, CONFIG_STORE), "/var/lib/culprit/culprit.db");
    assert_false(c.values[CONFIG_STORE].given);
    assert_true(c.values[CONFIG_PERMISSIONS].given);
    config_done(&c);
    sbuf_done(&said.text);
}

/* Without the comments, which say where a value is from. */
static struct sbuf printed(const struct config *c)
{
    struct sbuf all = SBUF_INIT, plain = SBUF_INIT;
    struct bytes rest, line;

    config_print(c, &all);
    rest = sbuf_bytes(&all);
    while (rest.len) {
        line = bytes_next_line(&rest);
        if (line.len && line.data[0] != '#' && memrchr(line.data, '#', line.len))
            line.len = (size_t)((const char *)memrchr(line.data, '#', line.len) - line.data);
        if (line.len && line.data[0] == '#')
            continue;
        while (line.len && line.data[line.len - 1] == ' ')
            line.len--;
        sbuf_add_bytes(&plain, line);
        sbuf_add_char(&plain, '\n');
    }
    sbuf_done(&all);
    return plain;
}

static void example_is_the_defaults(void **state)
{
    struct config_report report = { 0 };
    struct config defaults, example;
    struct sbuf a, b, text = SBUF_INIT;
    FILE *f = fopen(EXAMPLE, "re");
    char buffer[4096];
    size_t n;

    (void)state;
    assert_non_null(f);
    while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
        sbuf_add(&text, buffer, n);
    fclose(f);
    assert_int_equal(config_init(&defaults), 0);
    assert_int_equal(config_init(&example), 0);
    assert_int_equal(config_read(&example, "example", sbuf_bytes(&text), &report), 0);
    assert_int_equal(report.errors + report.warnings, 0);
    for (unsigned key = 0; key < CONFIG_TOP_COUNT; key++)
        assert_true(example.values[key].given); /* every key is explained there */
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++)
        assert_non_null(strstr(sbuf_str(&text), config_key_info((enum config_key)key)->name));
    for (unsigned i = 0; config_group(i); i++)
        for (const struct config_group_path *p = config_group(i)->paths; p->path; p++)
            assert_true(p->if_there || strstr(sbuf_str(&text), p->path));
    a = printed(&defaults);
    b = printed(&example);
    assert_string_equal(sbuf_str(&a), "groups = { \"etc\", \"programs\", \"local\", \"opt\", \"boot\", \"schedules\", \"units\" }\n\n"
                                      "permissions = \"wa\"\n\nwrites = \"off\"\n\nsensor = { \"cheap\" }\n\n"
                                      "store = \"/var/lib/culprit/culprit.db\"\n\ndocker_socket = \"\"\n\nring_size = \"auto\"\n\ncontrol = \"\"\n\nmetrics = \"\"\n\nheartbeat = \"1h\"\n\n"
                                      "retention_age = \"90d\"\n\nretention_size = \"2G\"\n\nwhen_full = \"stop\"\n\ncopies_size = \"256M\"\n\nalerts = \"on\"\n\nlearning = \"7d\"\n\n"
                                      "expected = { \"package\", \"container\", \"engine\", \"agent\", \"configuration\", \"git\", \"rotation\", \"tmpfiles\", \"editor\" }\n\n"
                                      "editors = { \"vi\", \"vim\", \"vim.*\", \"nvim\", \"nano\", \"emacs\", \"emacs-*\", \"ed\", \"micro\", \"joe\", \"mcedit\", \"hx\", \"kak\" }\n\n"
                                      "redact = {}\n");
    assert_string_equal(sbuf_str(&a), sbuf_str(&b));
    sbuf_done(&a);
    sbuf_done(&b);
    sbuf_done(&text);
    config_done(&defaults);
    config_done(&example);
}

static void prints_what_it_reads(void **state)
{
    static const char text[] = "groups = {}\nstore = \"/a\\\"b\\\\c\\$d\\x1b\\xc3\\xa4\\xff\"\n"
                               "watch 'x \"y\"' { targets = { \"/n\\nl\", 'web:/prd' } key = \"\" }\n"
                               "expect e { program = borg user = { root, 0 } paths = '/srv/*' }\n"
                               "watch g { targets = /srv/g guard = on allow = { 'unit:a b', /bin/c } guard_method = bpf }\n";
    struct config_report report = { 0 };
    struct sbuf first = SBUF_INIT, a, b;
    struct said said = { SBUF_INIT };
    struct config one, two;

    (void)state;
    read_text(&one, bytes_of(text), &said);
    assert_string_equal(sbuf_str(&said.text), "");
    config_print(&one, &first);
    assert_non_null(strstr(sbuf_str(&first), "# f:2\n"));
    assert_non_null(strstr(sbuf_str(&first), "# default\n"));
    assert_null(strchr(sbuf_str(&first), '\x1b'));
    assert_int_equal(config_init(&two), 0);
    assert_int_equal(config_read(&two, "f", sbuf_bytes(&first), &report), 0);
    assert_int_equal(report.errors, 0);
    assert_bytes(config_text(&two, CONFIG_STORE), "/a\"b\\c$d\x1b\xc3\xa4\xff");
    assert_bytes(two.blocks[CONFIG_WATCH].items[0].name, "x \"y\"");
    assert_bytes(two.blocks[CONFIG_WATCH].items[0].values[CONFIG_WATCH_TARGETS].items[0], "/n\nl");
    assert_int_equal(two.blocks[CONFIG_EXPECT].count, 1);
    assert_int_equal(two.blocks[CONFIG_EXPECT].items[0].values[CONFIG_EXPECT_USER].count, 2);
    assert_bytes(two.blocks[CONFIG_EXPECT].items[0].values[CONFIG_EXPECT_PATHS].items[0], "/srv/*");
    a = printed(&one);
    b = printed(&two);
    assert_string_equal(sbuf_str(&a), sbuf_str(&b));
    sbuf_done(&a);
    sbuf_done(&b);
    sbuf_done(&first);
    sbuf_done(&said.text);
    config_done(&one);
    config_done(&two);
}

/* ---- the tables ---- */

static void tables_are_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key_info *key = config_key_info((enum config_key)i);

        assert_true(key->name && key->name[0] && key->takes && key->help && key->check);
        assert_int_equal(config_key_by_name(key->section, bytes_of(key->name)), i); /* no name twice */
        assert_int_equal(key->section != CONFIG_TOP, i >= CONFIG_TOP_COUNT);
        assert_true(key->section != CONFIG_TOP || key->fallback);
    }
    for (unsigned i = 0; config_group(i); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(config_key_info(CONFIG_GROUPS)->check(bytes_of(config_group(i)->name), &err), 0);
        assert_non_null(config_group(i)->paths[0].path);
        assert_null(config_group(i)->paths[ARRAY_SIZE(config_group(i)->paths) - 1].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_values),
        cmocka_unit_test(example_is_the_defaults),
        cmocka_unit_test(prints_what_it_reads),
        cmocka_unit_test(tables_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(rows, says);
}
