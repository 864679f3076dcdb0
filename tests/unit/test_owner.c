/* SPDX-License-Identifier: MIT */
/* dpkg's lists in a directory of our own: whole lines, both names of /usr, versions, hostile files. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attribution/owner.h"

static char base[] = "/tmp/culprit-test-owner-XXXXXX";

/* An answer for an unknown path that is not -ENOENT would be a false claim. */
static const struct row {
    const char *name, *path, *package, *version; /* package NULL: nobody's; version NULL: not known */
} rows[] = {
    { "plain", "/usr/sbin/cron", "cron", "3.0pl1-162" },
    { "first line of a list", "/opt/first", "edges", NULL },
    { "last line without a newline", "/opt/last", "edges", NULL },
    { "architecture in the list's name", "/lib/libc.so.6", "libc6", "2.36-9" },
    { "listed before the merge of /usr, asked after", "/usr/bin/dash", "dash", "0.5.12-2" },
    { "listed so, asked so", "/bin/dash", "dash", "0.5.12-2" },
    { "listed after the merge, asked before", "/sbin/cron", "cron", "3.0pl1-162" },
    { "blanks in it", "/opt/with space/a b", "edges", NULL },
    { "any byte in it", "/opt/\xff\x1b[2J", "edges", NULL },
    { "a prefix of a line", "/usr/sbin/cro", NULL, NULL },
    { "a line and more", "/usr/sbin/cron2", NULL, NULL },
    { "the end of a line", "/sbin/cron/x", NULL, NULL },
    { "inside a longer path", "/longer", NULL, NULL }, /* /opt/longer is in a list */
    { "nobody's", "/usr/local/bin/tool", NULL, NULL },
    { "only in a file that is no list", "/usr/bin/in-md5sums", NULL, NULL },
    { "only in a list that is a link", "/usr/bin/linked", NULL, NULL },
    { "only in a list that is a directory", "/usr/bin/directory", NULL, NULL },
    { "version of the right paragraph", "/usr/bin/app", "app", "2.0" },
    { "name that another's begins with", "/usr/bin/app-extra", "app-extra", "9.9" },
    { "no version in its paragraph", "/usr/bin/unversioned", "unversioned", NULL },
    { "not in the status at all", "/usr/bin/forgotten", "forgotten", NULL },
    { "relative", "usr/sbin/cron", NULL, NULL },
    { "empty", "", NULL, NULL },
    { "two lines", "/usr/sbin/cron\n/usr/bin/app", NULL, NULL },
    { "newline at the end", "/usr/sbin/cron\n", NULL, NULL },
    { "a memory file", "/memfd:cron", NULL, NULL },
};

static const struct file {
    const char *path, *text;
} files[] = {
    { "info/cron.list", "/.\n/usr\n/usr/sbin\n/usr/sbin/cron\n/etc/crontab\n" },
    { "info/edges.list", "/opt/first\n/opt/with space/a b\n/opt/\xff\x1b[2J\n/opt/longer\n/opt/last" },
    { "info/libc6:amd64.list", "/.\n/lib/libc.so.6\n" },
    { "info/dash.list", "/bin\n/bin/dash\n" },
    { "info/cron.md5sums", "/usr/bin/in-md5sums\n" },
    { "info/.list", "/usr/bin/nameless\n" },
    { "info/empty.list", "" },
    { "info/app.list", "/usr/bin/app\n" },
    { "info/app-extra.list", "/usr/bin/app-extra\n" },
    { "info/unversioned.list", "/usr/bin/unversioned\n" },
    { "info/forgotten.list", "/usr/bin/forgotten\n" },
    { "elsewhere", "/usr/bin/linked\n" },
    { "status", "Package: app-extra\nStatus: install ok installed\nVersion: 9.9\n\n"
                "Package: cron\nVersion: 3.0pl1-162\nDescription: runs\n Package: dash\n Version: 6.6\n\n"
                "X-Package: app\nVersion: 6.6\n\n"
                "Package: unversioned\nXVersion: 6.6\n\n"
                "Package: app\nDescription: x\nVersion: 2.0\n\n"
                "Package: libc6\nVersion: 2.36-9\n\nPackage: dash\nVersion: 0.5.12-2" },
};

static struct packages *packages;

static void finds(void **state)
{
    const struct row *row = *state;

    for (unsigned again = 0; again < 2; again++) { /* the second answer is the cache's */
        struct bytes package = bytes_of("untouched"), version = bytes_of("untouched");
        int r = packages_find(packages, bytes_of(row->path), &package, &version);

        assert_int_equal(r, row->package ? 0 : -ENOENT);
        assert_bytes(package, row->package ? row->package : "untouched");
        assert_bytes(version, !row->package ? "untouched" : row->version ? row->version : "");
    }
}

static void answers_stay_valid(void **state)
{
    struct bytes package, version, other_package, other_version;
    char path[64];

    (void)state;
    assert_int_equal(packages_find(packages, bytes_of("/usr/sbin/cron"), &package, &version), 0);
    for (unsigned i = 0; i < 5000; i++) { /* more than the cache holds */
        snprintf(path, sizeof(path), "/tmp/churn/%u", i);
        assert_int_equal(packages_find(packages, bytes_of(path), &other_package, &other_version), -ENOENT);
    }
    assert_bytes(package, "cron");
    assert_bytes(version, "3.0pl1-162");
    assert_int_equal(packages_find(packages, bytes_of("/usr/sbin/cron"), &package, &version), 0);
    assert_bytes(package, "cron");
}

static void lives_without_dpkg(void **state)
{
    struct bytes package, version;
    struct packages *none = NULL;
    struct err err = ERR_INIT;
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/var", base); /* a root directory that has no /var */
    assert_int_equal(packages_new(path, &none, NULL), 0);
    assert_int_equal(packages_find(none, bytes_of("/bin/dash"), &package, &version), -ENOENT);
    packages_free(none);
    none = NULL;
    snprintf(path, sizeof(path), "%s/none", base);
    assert_int_equal(packages_new(path, &none, &err), -ENOENT);
    assert_non_null(strstr(err.text, path));
    assert_null(none);
    packages_free(NULL);
}

static void knows_this_machine(void **state)
{
    struct packages *host = NULL;
    struct bytes package, version;

    (void)state;
    if (access("/var/lib/dpkg/info/dash.list", R_OK) != 0 || access("/usr/bin/dash", F_OK) != 0)
        skip();
    assert_int_equal(packages_new("/", &host, NULL), 0);
    packages_await(host, 0); /* whether they have been read by then or not */
    packages_await(host, 60000);
    assert_int_equal(packages_find(host, bytes_of("/usr/bin/dash"), &package, &version), 0);
    assert_bytes(package, "dash");
    assert_true(version.len > 0 && version.data[0] >= '0' && version.data[0] <= '9');
    packages_free(host);
}

static int in_dpkg(char *out, size_t size, const char *name)
{
    int n = snprintf(out, size, "%s/var/lib/dpkg/%s", base, name);

    return n > 0 && (size_t)n < size ? 0 : -1;
}

static bool put(const char *name, const char *text)
{
    char path[256], beside[300];
    FILE *f;

    if (in_dpkg(path, sizeof(path), name) < 0)
        return false;
    snprintf(beside, sizeof(beside), "%s-new", path);
    f = fopen(beside, "we");
    if (!f)
        return false;
    fputs(text, f);
    return fclose(f) == 0 && rename(beside, path) == 0;
}

/* A daemon lives through upgrades. */
static void follows_dpkg(void **state)
{
    struct bytes old, version, package;
    char path[256];

    (void)state;
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/app"), &package, &old), 0);
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/late"), &package, &version), -ENOENT);
    assert_true(put("info/late.list", "/usr/bin/late\n"));
    assert_true(put("status", "Package: app\nVersion: 2.1\n\nPackage: late\nVersion: 1.0\n"));
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/app"), &package, &version), 0);
    assert_bytes(version, "2.1");
    assert_bytes(old, "2.0"); /* what was handed out */
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/late"), &package, &version), 0); /* a process is asked for once */
    assert_bytes(package, "late");
    assert_bytes(version, "1.0");
    assert_int_equal(in_dpkg(path, sizeof(path), "info/late.list"), 0);
    assert_int_equal(remove(path), 0);
}

/* A package's script starts its service before dpkg writes its status. */
static void follows_transactions(void **state)
{
    static const char *const made[] = { "info/first.list", "updates/0001", "updates/0002", "updates/0010", "updates/tmp.i", "updates" };
    struct bytes version, package;
    char path[256];

    (void)state;
    assert_int_equal(in_dpkg(path, sizeof(path), "updates"), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_true(put("info/first.list", "/usr/bin/first\n"));
    assert_true(put("updates/0001", "Package: first\nVersion: 3.0\n"));
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/first"), &package, &version), 0); /* before anything else is */
    assert_bytes(package, "first");
    assert_bytes(version, "3.0");
    assert_true(put("updates/0010", "Package: first\nStatus: install ok unpacked\nVersion: 3.2\n"));
    assert_true(put("updates/0002", "Package: first\nVersion: 3.1\n"));
    assert_true(put("updates/tmp.i", "Package: first\nVersion: 6.6\n"));
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/first"), &package, &version), 0);
    assert_bytes(version, "3.2");
    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        assert_int_equal(in_dpkg(path, sizeof(path), made[i]), 0);
        assert_int_equal(remove(path), 0);
    }
    assert_true(put("status", "Package: app\nVersion: 2.2\n"));
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/app"), &package, &version), 0);
    assert_bytes(version, "2.2");
    assert_int_equal(packages_find(packages, bytes_of("/usr/bin/first"), &package, &version), -ENOENT);
}

static int set_up(void)
{
    static const char *const dirs[] = { "var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/info",
                                        "var/lib/dpkg/info/directory.list" };
    char path[256];

    if (!mkdtemp(base))
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        snprintf(path, sizeof(path), "%s/%s", base, dirs[i]);
        if (mkdir(path, 0755) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        FILE *f;

        if (in_dpkg(path, sizeof(path), files[i].path) < 0 || !(f = fopen(path, "we")))
            return -1;
        fputs(files[i].text, f);
        fclose(f);
    }
    return in_dpkg(path, sizeof(path), "info/linked.list") == 0 && symlink("../elsewhere", path) == 0 ? 0 : -1;
}

static int tear_down(void)
{
    static const char *const names[] = { "info/linked.list", "info/directory.list", "info", "" };
    char path[256];

    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (in_dpkg(path, sizeof(path), files[i].path) == 0)
            (void)remove(path);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (in_dpkg(path, sizeof(path), names[i]) == 0)
            (void)remove(path);
    snprintf(path, sizeof(path), "%s/var/lib", base);
    (void)rmdir(path);
    snprintf(path, sizeof(path), "%s/var", base);
    (void)rmdir(path);
    return rmdir(base);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(answers_stay_valid),
        cmocka_unit_test(lives_without_dpkg),
        cmocka_unit_test(knows_this_machine),
        cmocka_unit_test(follows_dpkg),
        cmocka_unit_test(follows_transactions),
    };
    int failed;

    if (set_up() < 0 || packages_new(base, &packages, NULL) < 0)
        return 99;
    failed = RUN_ROWS(rows, finds) + cmocka_run_group_tests(more, NULL, NULL);
    packages_free(packages);
    return tear_down() < 0 ? 98 : failed;
}
