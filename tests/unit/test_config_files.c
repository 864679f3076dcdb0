/* SPDX-License-Identifier: MIT */
/* The configuration's directories, auditctl's rules in them, bounds. */
#include "test.h"
#include "config_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "event/operation.h"

static void takes_rules(void **state)
{
    static const char rules[] = "# comment\n-w /etc/shadow -p r -k secrets\n-w web:/prd -p wa\n"
                                "-a always,exit -F path=/x -F perm=wa -k y\n-w bad -p wa\n-D\n-w /etc/shadow -p wa\n-w /q -p z\n";
    struct said said = { SBUF_INIT };
    struct config_report report = { .data = &said, .problem = on_problem };
    struct config c;

    (void)state;
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(config_read_rules(&c, "r", bytes_of(rules), &report), 0);
    assert_int_equal(c.blocks[CONFIG_WATCH].count, 3);
    assert_bytes(c.blocks[CONFIG_WATCH].items[0].values[CONFIG_WATCH_TARGETS].items[0], "/etc/shadow");
    assert_int_equal(config_permissions(&c, &c.blocks[CONFIG_WATCH].items[0]), PERMISSION_READ);
    assert_bytes(config_watch_key(&c.blocks[CONFIG_WATCH].items[0]), "secrets");
    assert_bytes(c.blocks[CONFIG_WATCH].items[1].values[CONFIG_WATCH_TARGETS].items[0], "web:/prd");
    assert_false(bytes_known(config_watch_key(&c.blocks[CONFIG_WATCH].items[1])));
    assert_bytes(config_watch_key(&c.blocks[CONFIG_WATCH].items[2]), "y");
    assert_int_equal(report.errors, 4);
    assert_non_null(strstr(sbuf_str(&said.text), "r:5: \"-w bad\" must start with '/'"));
    assert_non_null(strstr(sbuf_str(&said.text), "r:6: this is no watch (-w PATH -p wa -k KEY)"));
    assert_non_null(strstr(sbuf_str(&said.text), "r:7: /etc/shadow is watched already: in r:2\n"));
    assert_non_null(strstr(sbuf_str(&said.text), "r:8: unknown permission 'z'"));
    config_done(&c);
    sbuf_done(&said.text);
}

/* ---- directories ---- */

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (!text) {
        assert_int_equal(mkdir(path, mode), 0);
        return;
    }
    f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void reads_directories(void **state)
{
    char dir[] = "/tmp/culprit-config.XXXXXX", command[64];
    struct said said = { SBUF_INIT };
    struct config_report report = { .data = &said, .problem = on_problem };
    struct config c;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(config_load(&c, dir, &report), 0); /* nothing is there: the defaults */
    assert_int_equal(c.files + report.errors, 0);
    config_done(&c);

    put(dir, "culprit.conf", "writes = on\nstore = /a\nwatch a { targets = /a }\n", 0644);
    put(dir, "conf.d", NULL, 0755);
    put(dir, "watches.d", NULL, 0755);
    put(dir, "conf.d/20.conf", "store = /c\n", 0644);
    put(dir, "conf.d/10.conf", "store = /b\nwatch b { targets = /b }\n", 0644);
    put(dir, "conf.d/10.conf.dpkg-old", "nonsense", 0644);
    put(dir, "conf.d/.hidden.conf", "nonsense", 0644);
    put(dir, "watches.d/x.rules", "-w /x -p wa -k x\n", 0644);
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(config_load(&c, dir, &report), 0);
    assert_string_equal(sbuf_str(&said.text), "");
    assert_int_equal(c.files, 4);
    assert_bytes(config_text(&c, CONFIG_STORE), "/c");
    assert_int_equal(c.blocks[CONFIG_WATCH].count, 3);
    config_done(&c);

    put(dir, "conf.d/30.conf", "watch a { targets = /y }\n", 0644);
    put(dir, "conf.d/40.conf", "writes = off\n", 0666); /* anybody may have written it */
    put(dir, "conf.d/50.conf", NULL, 0755);
    put(dir, "conf.d/60.conf", "nonsense = 1\n", 0644); /* all files are looked at */
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(config_load(&c, dir, &report), 0);
    assert_int_equal(report.errors, 4);
    assert_non_null(strstr(sbuf_str(&said.text), "30.conf:1: watch \"a\" stands twice: first in "));
    assert_non_null(strstr(sbuf_str(&said.text), "40.conf: others than root may write it"));
    assert_non_null(strstr(sbuf_str(&said.text), "50.conf: this is no regular file"));
    assert_non_null(strstr(sbuf_str(&said.text), "60.conf:1: no key \"nonsense\""));
    assert_true(config_switch(&c, CONFIG_WRITES));
    config_done(&c);
    sbuf_done(&said.text);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void has_bounds(void **state)
{
    struct said said = { SBUF_INIT };
    struct sbuf text = SBUF_INIT;
    struct config c;

    (void)state;
    sbuf_add_str(&text, "watch a { targets = {\n");
    for (unsigned i = 0; i <= LIMIT_CONFIG_ITEMS; i++)
        sbuf_addf(&text, "%s/t%u\n", i ? "," : "", i);
    sbuf_add_str(&text, "} }\n");
    read_text(&c, sbuf_bytes(&text), &said);
    assert_non_null(strstr(sbuf_str(&said.text), "targets: more than 1024 values"));
    config_done(&c);
    sbuf_clear(&text);
    sbuf_clear(&said.text);
    for (unsigned i = 0; i <= LIMIT_CONFIG_TARGETS; i++)
        sbuf_addf(&text, "watch w%u { targets = /t%u }\n", i, i);
    read_text(&c, sbuf_bytes(&text), &said);
    assert_string_equal(sbuf_str(&said.text), "f:4097: more than 4096 targets in all\n");
    assert_int_equal(c.blocks[CONFIG_WATCH].count, LIMIT_CONFIG_TARGETS);
    config_done(&c);
    sbuf_done(&text);
    sbuf_done(&said.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_rules),
        cmocka_unit_test(reads_directories),
        cmocka_unit_test(has_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
