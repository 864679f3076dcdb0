/* SPDX-License-Identifier: MIT */
/* What is kept and what is given away. Each case that gives something away in a process of its own; without root nothing can
 * be, and only the table is looked at. */
#include "daemon/privileges.h"
#include "test.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/sensor.h"

#define BIT(c) (UINT64_C(1) << (c))

static uint64_t effective(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { 0 };

    if (syscall(SYS_capget, &header, data) < 0)
        abort();
    /* what is permitted could be taken back: both have to be without it */
    return (uint64_t)(data[1].effective | data[1].permitted) << 32 | data[0].effective | data[0].permitted;
}

static bool is_bounded(unsigned c)
{
    return prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 0;
}

static int observer(void)
{
    uint64_t before = effective();

    if (privileges_drop(BIT(CAP_SYS_PTRACE) | BIT(CAP_BPF), false) != 0)
        return 1;
    if (effective() != (before & (BIT(CAP_SYS_PTRACE) | BIT(CAP_BPF))))
        return 2;
    /* what is executed from here has no more either */
    if ((before & BIT(CAP_SETPCAP)) && (!is_bounded(CAP_SYS_ADMIN) || is_bounded(CAP_SYS_PTRACE)))
        return 3;
    return 0;
}

static int with_commands(void)
{
    uint64_t before = effective();

    if (privileges_drop(BIT(CAP_SYS_PTRACE), true) != 0)
        return 1;
    if (effective() != (before & BIT(CAP_SYS_PTRACE)))
        return 2;
    return is_bounded(CAP_CHOWN) ? 3 : 0; /* an executed program of root's gets its own again */
}

static int everything(void)
{
    uint64_t before = effective();

    return privileges_drop(PRIVILEGES_ALL, false) == 0 && effective() == before && !is_bounded(CAP_CHOWN) ? 0 : 1;
}

static int twice(void)
{
    uint64_t before = effective();

    if (privileges_drop(BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL), false) != 0 || privileges_drop(BIT(CAP_SYS_PTRACE), false) != 0)
        return 1;
    if (effective() != (before & BIT(CAP_SYS_PTRACE)))
        return 2;
    /* what is gone does not come back */
    return privileges_drop(BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL), false) == 0 && !(effective() & BIT(CAP_KILL)) ? 0 : 3;
}

static int missing(void)
{
    char text[256];

    privileges_missing(effective(), text, sizeof(text));
    if (*text)
        return 1;
    if (privileges_drop(BIT(CAP_SYS_PTRACE), false) != 0)
        return 2;
    privileges_missing(BIT(CAP_SYS_PTRACE) | BIT(CAP_BPF) | BIT(CAP_NET_ADMIN), text, sizeof(text));
    return strcmp(text, "CAP_NET_ADMIN, CAP_BPF") == 0 ? 0 : 3;
}

static const struct drop_row {
    const char *name;
    int (*run)(void);
} drop_rows[] = {
    { "an observer keeps what is asked for, and nothing executed gets more", observer },
    { "commands of the user's get theirs", with_commands },
    { "PRIVILEGES_ALL changes nothing", everything },
    { "twice", twice },
    { "what is missing is named", missing },
};

static void drops(void **state)
{
    const struct drop_row *row = *state;
    const uint64_t needed = BIT(CAP_SYS_PTRACE) | BIT(CAP_BPF) | BIT(CAP_KILL) | BIT(CAP_CHOWN);
    int status;
    pid_t pid;

    if ((effective() & needed) != needed || is_bounded(CAP_CHOWN))
        skip();
    pid = fork_child();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(row->run());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void table(void **state)
{
    uint64_t seen = 0;
    char name[64];
    unsigned i;

    (void)state;
    for (i = 0; privilege(i); i++) {
        const struct privilege *p = privilege(i);

        assert_true(p->why && *p->why);
        privileges_names(BIT(p->capability), name, sizeof(name)); /* libcap-ng's name of that number */
        assert_string_equal(p->name, name);
        assert_false(seen & BIT(p->capability));
        seen |= BIT(p->capability);
    }
    assert_true(i > 0);
    assert_true(seen & BIT(CAP_SYS_PTRACE));
}

static void needed(void **state)
{
    static const struct sensor_ops careful = { .name = "careful", .privileges = BIT(CAP_AUDIT_READ) };
    static const struct sensor_ops silent = { .name = "silent" };
    struct choice choice = { .count = 0 };
    uint64_t around = privileges_needed(&choice);

    (void)state;
    assert_true(around & BIT(CAP_SYS_PTRACE));
    assert_false(around & BIT(CAP_AUDIT_READ));
    choice.sensors[choice.count++] = &careful;
    assert_true(privileges_needed(&choice) == (around | BIT(CAP_AUDIT_READ)));
    choice.sensors[choice.count++] = &silent; /* not known what it needs: nothing is given away */
    assert_true(privileges_needed(&choice) == PRIVILEGES_ALL);
}

static void names(void **state)
{
    char text[256], little[20];

    (void)state;
    privileges_names(0, text, sizeof(text));
    assert_string_equal(text, "");
    privileges_names(BIT(CAP_BPF) | BIT(CAP_CHOWN), text, sizeof(text));
    assert_string_equal(text, "CAP_CHOWN, CAP_BPF");
    privileges_names(UINT64_MAX, little, sizeof(little)); /* as many as there is room for */
    assert_true(strlen(little) < sizeof(little));
    assert_int_equal(strncmp(little, "CAP_CHOWN", 9), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(needed), cmocka_unit_test(names) };

    return cmocka_run_group_tests(tests, NULL, NULL) | RUN_ROWS(drop_rows, drops);
}
