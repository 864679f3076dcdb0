/* SPDX-License-Identifier: MIT */
/* auditctl's rule language: what a line means, how it is printed, and what is said of a wrong word. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "rules/warning.h"
#include "rules/explain.h"
#include "rules/field.h"

#define EXIT "-a always,exit "

/* Paths that end in "d" are directories. */
static bool is_directory(void *data, const char *path)
{
    (void)data;
    return path[strlen(path) - 1] == 'd';
}

static void collect_warning(void *data, unsigned line, const char *text)
{
    struct sbuf *warnings = data;

    (void)line;
    sbuf_addf(warnings, "%s\n", text);
}

/* ---- lines that are rules: as they are printed; NULL = as they were written ---- */

static const struct print_row {
    const char *name; /* the line */
    const char *printed;
    const char *warning; /* a word of it; NULL = none */
} print_rows[] = {
    { "-w /etc/passwd -p wa -k identity", NULL, NULL },
    { "-w /etc/d -p r", NULL, NULL },
    { "-w /x", "-w /x -p rwxa", NULL },
    { "-w /x/ -p w", "-w /x -p w", NULL },
    { "-w /x -p aw", "-w /x -p wa", NULL },
    { "-w/x -pwa -kk", "-w /x -p wa -k k", NULL },
    { "  -w   /x\t-p w  ", "-w /x -p w", NULL },
    { "-w /a\\ b\\\\c -p w -k one -k two\\ words", NULL, NULL },
    { "-W /x -p w -k k", NULL, NULL },
    { "-w /x/../y -p w", NULL, "\"..\"" },
    { "-w /x/*.conf -p w", NULL, "wildcards" },
    { "-w / -p w", NULL, "root file system" },
    { "-w /x -p w -k \"quoted\"", NULL, "quotes" },
    { EXIT "-F path=/x -F perm=w", "-w /x -p w", NULL },
    { EXIT "-F perm=w -F path=/x -F key=k", "-w /x -p w -k k", NULL },
    { EXIT "-F dir=/d -F perm=w -F perm=a", EXIT "-S all -F dir=/d -F perm=w -F perm=a", NULL },
    { "-A exit,always -F path=/x -F perm=w", "-A always,exit -S all -F path=/x -F perm=w", NULL },
    { EXIT "-F arch=b64 -S unlink -S rename,87 -k d", EXIT "-F arch=b64 -S rename,unlink -F key=d", NULL },
    { EXIT "-F arch=b32 -S unlink", NULL, NULL },
    { EXIT "-S unlink", NULL, "32-bit programs" },
    { EXIT "-F arch=aarch64 -S unlinkat", NULL, "another machine" },
    { EXIT "-F auid>=1000 -F auid!=-1", EXIT "-S all -F auid>=1000 -F auid!=-1", NULL },
    { EXIT "-F auid!=unset", EXIT "-S all -F auid!=-1", NULL },
    { EXIT "-F auid!=4294967295", EXIT "-S all -F auid!=-1", NULL },
    { EXIT "-F exit=-13", EXIT "-S all -F exit=-EACCES", NULL },
    { EXIT "-F a1&=0x10", EXIT "-S all -F a1&=0x10", NULL },
    { EXIT "-F uid=root", EXIT "-S all -F uid=0", NULL },
    { EXIT "-C euid!=uid", EXIT "-S all -C uid!=euid", NULL },
    { EXIT "-F filetype=dir -F success=0", EXIT "-S all -F filetype=dir -F success=0", NULL },
    { "-a never,task", NULL, NULL },
    { "-a never,exclude -F msgtype=CWD", NULL, NULL },
    { "-a always,user -F uid=3", NULL, NULL },
    { "-a never,filesystem -F fstype=tracefs", NULL, NULL },
    { "-a always,io_uring -S unlinkat -F key=ring", NULL, NULL },
    { "-d always,exit -S all -F uid=5", NULL, NULL },
    { "-D", NULL, NULL },
    { "-D -k x", NULL, NULL },
    { "-e 2", NULL, NULL },
    { "-b 0x2000", "-b 8192", NULL },
    { "-f 1", NULL, NULL },
    { "-r 0", NULL, NULL },
    { "--backlog_wait_time 60000", NULL, NULL },
    { "--backlog_wait=5", "--backlog_wait_time 5", NULL },
    { "--reset-lost", NULL, NULL },
    { "-q /a,/b", NULL, NULL },
    { "-i", NULL, NULL },
    { "-c", NULL, NULL },
    { "-s", NULL, NULL },
    { "-t", NULL, NULL },
};

static void prints(void **state)
{
    const struct print_row *row = *state;
    struct sbuf warnings = SBUF_INIT, out = SBUF_INIT, again = SBUF_INIT;
    struct rule_options options = { .data = &warnings, .is_directory = is_directory, .warn = collect_warning };
    struct err err = ERR_INIT;
    struct rule rule;

    if (rule_parse(bytes_of(row->name), 7, &options, &rule, &err) != 1)
        fail_msg("%s", err.text);
    assert_int_equal(rule.line, 7);
    rule_print_any(&rule, &out);
    assert_string_equal(sbuf_str(&out), row->printed ? row->printed : row->name);
    if (row->warning)
        assert_non_null(strstr(sbuf_str(&warnings), row->warning));
    else
        assert_string_equal(sbuf_str(&warnings), "");
    rule_done(&rule);

    /* what is printed can be read */
    assert_int_equal(rule_parse(sbuf_bytes(&out), 1, &options, &rule, NULL), 1);
    rule_print_any(&rule, &again);
    assert_string_equal(sbuf_str(&again), sbuf_str(&out));
    rule_done(&rule);
    sbuf_done(&warnings);
    sbuf_done(&out);
    sbuf_done(&again);
}

/* ---- lines that are none: the word and the suggestion ---- */

static const struct error_row {
    const char *name;        /* the line */
    const char *says[2];     /* all of them stand in the error */
} error_rows[] = {
    { "-w etc/passwd", { "\"-w etc/passwd\"", "start with '/'" } },
    { "-w /x -p wz", { "unknown permission 'z' in \"-p wz\"", "use r, w, x, a" } },
    { "-w /x -p rwxaa", { "more than four", "-p rwxaa" } },
    { "-p w -w /x", { "\"-p w\"", "follows the -w" } },
    { "-w", { "-w needs a value", NULL } },
    { "-w /x -w /y", { "a line of its own", NULL } },
    { "-w /x -S unlink", { "\"-S unlink\"", "-a always,exit -F path" } },
    { "-w web:/prd", { "in a container", "culprit watch --rules" } },
    { "-a allways,exit -S unlink", { "\"allways\"", "did you mean always?" } },
    { "-a always,exti -S unlink", { "\"exti\"", "did you mean exit?" } },
    { "-a always,entry", { "entry", "use exit" } },
    { "-a possible,exit", { "possible", "always or never" } },
    { "-a always", { "\"-a always\"", "LIST,ACTION" } },
    { "-a exit,task", { "one list and one action", NULL } },
    { EXIT "-S ,", { "-S needs the name of a system call", NULL } },
    { EXIT "-S ,,, -k x", { "-S needs the name of a system call", NULL } },
    { EXIT "-S unlnk", { "\"unlnk\" in \"-S unlnk\"", "did you mean unlink?" } },
    { EXIT "-S unlink,renmae", { "\"renmae\"", "did you mean rename?" } },
    { EXIT "-S 99999", { "99999", "0 to" } },
    { "-a always,io_uring -S unlnkat", { "io_uring operation", "did you mean unlinkat?" } },
    { "-a never,task -S unlink", { "-S unlink", "list task" } },
    { "-S unlink", { "-S without a list", "-a always,exit" } },
    { "-S 0 -a never,task", { "-S has no place", "list task" } },
    { "-S unlink -d always,exclude", { "-S has no place", "list exclude" } },
    { "-S 5 -a always,io_uring", { "-S before the list io_uring", "put \"-a always,io_uring\" first" } },
    { EXIT "-F uidd=0", { "\"uidd\"", "did you mean uid?" } },
    { EXIT "-F auid", { "no operator", "FIELD=VALUE" } },
    { EXIT "-F =3", { "no field", NULL } },
    { EXIT "-F uid=", { "no value", NULL } },
    { EXIT "-F uid=no-such-user-here", { "no-such-user-here", "its number" } },
    { EXIT "-F uid=1x", { "\"1x\"", "no number" } },
    { EXIT "-F path<=/x", { "path cannot be compared", "use =" } },
    { EXIT "-F perm=", { "no value", NULL } },
    { EXIT "-F exit=-EACCESS", { "EACCESS", "did you mean EACCES?" } },
    { EXIT "-F msgtype=CWD", { "msgtype", "exclude" } },
    { EXIT "-F arch=b63", { "b63", "b64" } },
    { EXIT "-S unlink -F arch=b64", { "before -S", NULL } },
    { EXIT "-F path=/x -F dir=/y", { "already", "one" } },
    { EXIT "-F exe=/x -F exe=/y", { "second exe", NULL } },
    { EXIT "-F success=2", { "1 or 0", NULL } },
    { EXIT "-C uid=gid", { "users with users", NULL } },
    { EXIT "-C uid!=eiud", { "\"eiud\"", "did you mean euid?" } },
    { EXIT "-C uid<euid", { "= or !=", NULL } },
    { EXIT "-k word", { "something to mark", NULL } },
    { "-k word", { "without a rule", NULL } },
    { "-F uid=0", { "follows the list", NULL } },
    { "-e 3", { "\"3\" in \"-e 3\"", "2 locked" } },
    { "-b many", { "many", "8192" } },
    { "-q /a", { "MOUNT,SUBTREE", NULL } },
    { "--backlog_wait_tme 5", { "backlog_wait_tme", "did you mean --backlog_wait_time?" } },
    { "--reset", { "--reset", NULL } }, /* two options begin so */
    { "--reset-lost=3", { "no value", NULL } },
    { "-R file", { "auditctl's command line", NULL } },
    { "-w /x # why", { "comment stands on a line of its own", NULL } },
    { "-x", { "unknown option", "-w -W" } },
    { "word", { "belongs to no option", NULL } },
};

static void explains_error(void **state)
{
    const struct error_row *row = *state;
    struct rule_options options = { .is_directory = is_directory };
    struct err err = ERR_INIT;
    struct rule rule;

    assert_int_equal(rule_parse(bytes_of(row->name), 1, &options, &rule, &err), -EINVAL);
    for (unsigned i = 0; i < ARRAY_SIZE(row->says) && row->says[i]; i++)
        if (!strstr(err.text, row->says[i]))
            fail_msg("\"%s\" is not in \"%s\"", row->says[i], err.text);
    assert_null(strchr(err.text, '\n'));
}

/* ---- files ---- */

struct reading {
    unsigned rules, bad, last_bad;
};

static int count_rule(void *data, struct rule *rule)
{
    ((struct reading *)data)->rules++;
    rule_done(rule);
    return 0;
}

static int count_bad(void *data, unsigned line, const char *error)
{
    struct reading *r = data;

    assert_true(error[0]);
    r->bad++;
    r->last_bad = line;
    return 0;
}

static void reads_files(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        unsigned rules, bad, last_bad;
    } rows[] = {
        { "", 0, 0, 0, 0 },
        { "\n\n# a\n  # b\n", 12, 0, 0, 0 },
        { "-w /a -p w\r\n-w /b -p w", 22, 2, 0, 0 }, /* of Windows; no newline at the end */
        { "-D\n-z\n-w /a\nx\n", 14, 2, 2, 4 },
        { "-w /a\0b\n-D\n", 11, 1, 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rule_options options = { .is_directory = is_directory };
        struct reading r = { 0 };

        assert_int_equal(rules_parse((struct bytes){ rows[i].text, rows[i].len }, &options, count_rule, count_bad, &r), 0);
        assert_int_equal(r.rules, rows[i].rules);
        assert_int_equal(r.bad, rows[i].bad);
        assert_int_equal(r.last_bad, rows[i].last_bad);
    }
}

static void limits(void **state)
{
    struct rule_options options = { .is_directory = is_directory };
    struct sbuf line = SBUF_INIT;
    struct err err = ERR_INIT;
    struct rule rule;

    (void)state;
    sbuf_add_str(&line, EXIT);
    for (unsigned i = 0; i < AUDIT_MAX_FIELDS; i++)
        sbuf_addf(&line, "-F pid!=%u ", i);
    assert_int_equal(rule_parse(sbuf_bytes(&line), 1, &options, &rule, &err), 1);
    assert_int_equal(rule.data->field_count, AUDIT_MAX_FIELDS);
    rule_done(&rule);
    sbuf_add_str(&line, "-F pid!=1");
    assert_int_equal(rule_parse(sbuf_bytes(&line), 1, &options, &rule, &err), -EINVAL);
    assert_non_null(strstr(err.text, "64"));

    line.len = 0;
    sbuf_add_str(&line, "-w /");
    for (unsigned i = 0; i < 256; i++)
        sbuf_add_char(&line, 'x');
    assert_int_equal(rule_parse(sbuf_bytes(&line), 1, &options, &rule, &err), -EINVAL);
    assert_non_null(strstr(err.text, "255"));

    line.len = 0;
    sbuf_add_str(&line, "-w /x -k ");
    for (unsigned i = 0; i < AUDIT_MAX_KEY_LEN; i++)
        sbuf_add_char(&line, 'k');
    assert_int_equal(rule_parse(sbuf_bytes(&line), 1, &options, &rule, &err), 1);
    rule_done(&rule);
    sbuf_add_str(&line, " -k k");
    assert_int_equal(rule_parse(sbuf_bytes(&line), 1, &options, &rule, &err), -EINVAL);
    sbuf_done(&line);
}

/* What came from elsewhere and lies about its lengths is printed, not believed. */
static void damaged_rules(void **state)
{
    struct audit_rule_data *data = calloc(1, sizeof(*data) + 4);
    struct sbuf out = SBUF_INIT;

    (void)state;
    assert_non_null(data);
    data->flags = AUDIT_FILTER_EXIT;
    data->action = AUDIT_ALWAYS;
    data->field_count = 1000;
    data->fields[0] = AUDIT_WATCH;
    data->fieldflags[0] = AUDIT_EQUAL;
    data->values[0] = 4096;
    memcpy(data->buf, "/abc", 4);
    rule_print(data, sizeof(*data) + 4, true, &out);
    assert_non_null(strstr(sbuf_str(&out), "-F path="));
    assert_null(strstr(sbuf_str(&out), "/abc"));
    assert_false(bytes_known(rule_text(data, sizeof(*data) + 4, 0)));
    sbuf_done(&out);
    free(data);
}

/* ---- what each rule is said to catch ---- */

static const struct explain_row {
    const char *name, *says;
} explain_rows[] = {
    { "-w /etc/passwd -p wa", "/etc/passwd" },
    { "-w /etc/d -p wa", "in and below /etc/d" },
    { EXIT "-F arch=b64 -S unlink -F auid>=1000", "at least 1000" },
    { EXIT "-F arch=b64 -S unlink -F auid!=unset", "unset" },
    { "-a never,task", "left out of auditing" },
};

static void explains(void **state)
{
    const struct explain_row *row = *state;
    struct rule_options options = { .is_directory = is_directory };
    struct sbuf out = SBUF_INIT;
    struct rule rule;

    assert_int_equal(rule_parse(bytes_of(row->name), 1, &options, &rule, NULL), 1);
    rule_explain(&(struct rule_set){ &rule, 1 }, 0, &out);
    if (!strstr(sbuf_str(&out), row->says))
        fail_msg("\"%s\" is not in: %s", row->says, sbuf_str(&out));
    assert_int_equal(out.data[out.len - 1], '\n');
    rule_done(&rule);
    sbuf_done(&out);
}

static bool exists(void *data, const char *path)
{
    (void)data;
    return strstr(path, "missing") == NULL;
}

/* A file of rules, and a word of each warning about it; NULL: none. */
static const struct warning_row {
    const char *name, *says;
} warning_rows[] = {
    { EXIT "-F dir=/home -F auid=0 -F auid>=1000", "1: never matches: its conditions on auid" },
    { EXIT "-F dir=/home -F auid>=1000 -F auid!=unset", NULL },
    { EXIT "-F dir=/home -F auid>5 -F auid<7 -F auid!=6", "1: never matches" },
    { EXIT "-F dir=/home -F uid!=0 -F uid=0", "1: never matches" },
    { EXIT "-F arch=b64 -S unlink -F exit=EACCES", "1: exit=13 is a result" },
    { EXIT "-F arch=b64 -S unlink -F exit=-EACCES", NULL },
    { EXIT "-F arch=b64 -S unlink -F success=1 -F exit=-EPERM", "1: never matches: a call that succeeds" },
    { EXIT "-F arch=b64 -S unlink -F success=0 -F exit=-EPERM", NULL },
    { EXIT "-F arch=b64 -S unlink -F success=0 -F exit>=0", "1: never matches: a call that fails" },
    { "-w /etc/hosts -p wa\n-a never,exit -F path=/etc/hosts -F exe=/usr/sbin/usermod", "2: comes too late: line 1" },
    { "-w /etc/d -p wa\n-a never,exit -F path=/etc/d/x -F perm=wa", "2: comes too late: line 1" },
    { "-w /etc/d -p wa\n-a never,exit -F path=/etc/d/x -F perm=r", NULL },
    { "-w /etc/hosts -p wa\n-A never,exit -F path=/etc/hosts", NULL },
    { "-a never,exit -F path=/etc/hosts\n-w /etc/hosts -p wa", "2: never matches what they share: line 1" },
    { "-a never,exit -F path=/etc/hosts -F uid=7\n-w /etc/hosts -p wa", NULL },
    { "-a never,exit -S all\n-w /etc/hosts -p wa", "2: never matches: line 1" },
    { "-w /etc/hosts -p wa\n-a never,exit -F path=/etc/shadow", NULL },
    { "-a always,exclude -F msgtype>0", "1: drops every record" },
    { "-a always,exclude -F msgtype=CWD", NULL },
    { "-a always,exclude -F msgtype!=0", "1: drops every record" },
    { "-a always,exclude -F msgtype!=CWD", NULL },
    { EXIT "-F arch=b64 -S unlink -F exe=/etc/missing/x -F perm=wa", "1: /etc/missing is not there" },
    { EXIT "-F arch=b64 -S unlink -F exe=/etc/missing", NULL },
    { "-w /etc/hosts -p wa\n-D", "2: deletes the 1 rule before it: none is left" },
    { "-D\n-w /etc/hosts -p wa", NULL },
    { "-e 2\n-w /etc/hosts -p wa", "2: comes after -e 2" },
    { "-w /etc/hosts -p wa\n-w /etc/hosts -p wa", "2: is the same rule as line 1" },
    { "-w /etc/missing/x -p wa", "1: /etc/missing is not there" },
    { "-W /etc/missing/x -p wa", NULL },
    { "-w /etc/missing -p wa", NULL },
    { EXIT "-F dir=/etc/missing -F perm=wa", "1: /etc/missing is not there" },
    { EXIT "-F arch=b64 -S all -k all", "1: records every system call" },
    { EXIT "-S all", "1: records every system call" },
    { EXIT "-F arch=b32 -S all -k 32bit-abi", NULL },
};

struct collected {
    struct sbuf said;
    struct rule rules[4];
    size_t count;
};

static void on_warning(void *data, unsigned line, const char *text)
{
    sbuf_addf(&((struct collected *)data)->said, "%u: %s\n", line, text);
}

static int on_rule(void *data, struct rule *rule)
{
    struct collected *d = data;

    assert_true(d->count < ARRAY_SIZE(d->rules));
    d->rules[d->count++] = *rule;
    return 0;
}

static int on_bad(void *data, unsigned line, const char *error)
{
    (void)data;
    fail_msg("%u: %s", line, error);
    return -1;
}

static void warnings(void **state)
{
    const struct warning_row *row = *state;
    struct collected d = { .said = SBUF_INIT };
    struct rule_options options = { .data = &d, .is_directory = is_directory, .exists = exists, .warn = on_warning };

    assert_int_equal(rules_parse(bytes_of(row->name), &options, on_rule, on_bad, &d), 0);
    rule_set_warnings(&(struct rule_set){ d.rules, d.count }, on_warning, &d);
    if (row->says ? !strstr(sbuf_str(&d.said), row->says) : d.said.len > 0)
        fail_msg("\"%s\" is not what was said: %s", row->says ? row->says : "", sbuf_str(&d.said));
    for (size_t i = 0; i < d.count; i++)
        rule_done(&d.rules[i]);
    sbuf_done(&d.said);
}

/* A mask as auditctl sends it, or the kernel takes the two for different rules. */
static void all_calls_fill_the_mask(void **state)
{
    static const char *const texts[] = { "-w /etc/passwd -p wa", EXIT "-F path=/etc/passwd -F perm=wa", EXIT "-S all -F uid=7" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct rule rule;

        assert_int_equal(rule_parse(bytes_of(texts[i]), 1, &(struct rule_options){ 0 }, &rule, NULL), 1);
        for (unsigned k = 0; k < AUDIT_BITMASK_SIZE; k++)
            assert_int_equal(rule.data->mask[k], UINT32_MAX);
        rule_done(&rule);
    }
}

/* Each field by its name, and back. */
static void fields(void **state)
{
    (void)state;
    for (unsigned i = 0; field_by_index(i); i++) {
        const struct field_row *row = field_by_index(i);

        assert_true(row->name && row->name[0] && row->meaning && row->meaning[0] && row->operators && row->lists);
        assert_ptr_equal(field_by_name(row->name), row);
        assert_int_equal(field_by_number(row->field)->field, row->field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files),
        cmocka_unit_test(limits),
        cmocka_unit_test(damaged_rules),
        cmocka_unit_test(fields),
        cmocka_unit_test(all_calls_fill_the_mask),
    };

    return RUN_ROWS(print_rows, prints) + RUN_ROWS(error_rows, explains_error) + RUN_ROWS(explain_rows, explains) +
           RUN_ROWS(warning_rows, warnings) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
