/* SPDX-License-Identifier: MIT */
#include "daemon/guard_starter.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"
#include "util/sbuf.h"

/*
 * What it starts is this program, as `culprit guard WORDS`: it writes its pid and its words in a line that begins with "guarded: ", and lives
 * until it is killed. The word "confirmed" has it be confirmed; "once:FILE" has it write an empty line only, and end, where FILE is there.
 */
static int be_guard(int argc, char **argv)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    bool confirmed = false;

    sbuf_addf(&out, "culprit: guarded: %d", (int)getpid());
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "once:", 5) == 0 && access(argv[i] + 5, F_OK) == 0)
            return write(STDERR_FILENO, "\n", 1) == 1 ? 3 : 4;
        confirmed |= strcmp(argv[i], "confirmed") == 0;
        sbuf_addf(&out, " %s", argv[i]);
    }
    sbuf_addf(&out, "\n%s", confirmed ? "culprit: confirmed: it goes on\n" : "");
    (void)alarm(300); /* nothing is left behind */
    if (write(STDERR_FILENO, out.data, out.len) != (ssize_t)out.len)
        return 4;
    for (;;)
        (void)pause();
}

static int begin(void)
{
    struct err err = ERR_INIT;
    int fd = -EBADF;

    assert_int_equal(guard_starter_start(NULL, &fd, &err), 0);
    return fd;
}

static void order(int fd, struct bytes words)
{
    assert_int_equal(guard_starter_order(fd, GUARD_ORDER_BEGIN, 1, false, words), 0);
}

static void expect(int fd, enum guard_condition condition, struct guard_report *ret)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&ready, 1, 60 * 1000), 1);
    assert_int_equal(recv(fd, ret, sizeof(*ret), MSG_DONTWAIT), sizeof(*ret));
    if (ret->condition != condition)
        fail_msg("%u, not %u: %s", ret->condition, condition, ret->text);
}

static void kill_it(const struct guard_report *r)
{
    int pid = 0;

    assert_int_equal(sscanf(r->text, "guarded: %d", &pid), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

/* The value of an option in what it was started with; 0: there is none. */
static uint64_t value_of(const struct guard_report *r, const char *option)
{
    const char *at = strstr(r->text, option);
    uint64_t ns = 0;
    char value[64];

    if (!at)
        return 0;
    assert_int_equal(sscanf(at + strlen(option), " %63s", value), 1);
    assert_int_equal(parse_duration(value, &ns, NULL), 0);
    return ns;
}

/* What is begun anew ends when the first one would have. */
static void limits_go_on(void **state)
{
    _cleanup_close_ int fd = begin();
    struct guard_report r;
    uint64_t left;

    (void)state;
    order(fd, BYTES("--no-store\0--store\0--for\0--for\0001h\0--confirm\00010m\0--\0--for\0"));
    expect(fd, GUARD_IN_FORCE, &r);
    assert_non_null(strstr(r.text, " --no-store --store --for --for 1h --confirm 10m -- --for"));
    kill_it(&r);
    expect(fd, GUARD_LOST, &r);
    expect(fd, GUARD_IN_FORCE, &r);
    assert_non_null(strstr(r.text, " --no-store --store --for --for "));
    assert_non_null(strstr(r.text, " -- --for"));
    left = value_of(&r, "--store --for --for");
    assert_true(left > 0 && left < 3600 * NS_PER_S);
    assert_true(value_of(&r, "--confirm") > 0 && value_of(&r, "--confirm") < 600 * NS_PER_S);
}

static void is_confirmed_once(void **state)
{
    _cleanup_close_ int fd = begin();
    struct guard_report r;

    (void)state;
    order(fd, BYTES("--confirm\00010m\0--\0confirmed\0"));
    expect(fd, GUARD_IN_FORCE, &r);
    assert_int_equal(value_of(&r, "--confirm"), 600 * NS_PER_S);
    kill_it(&r);
    expect(fd, GUARD_LOST, &r);
    expect(fd, GUARD_IN_FORCE, &r);
    assert_int_equal(value_of(&r, "--confirm"), 0);
}

static void is_not_begun_after_its_time(void **state)
{
    _cleanup_close_ int fd = begin();
    struct guard_report r;

    (void)state;
    order(fd, BYTES("--for\0001ms\0--\0x\0"));
    expect(fd, GUARD_IN_FORCE, &r);
    kill_it(&r); /* it is begun anew a second after it was begun, not before */
    expect(fd, GUARD_LOST, &r);
    expect(fd, GUARD_OVER, &r);
}

static char directory[64], file[80]; /* in it, which is not there yet */

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/culprit-starter.XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(file, sizeof(file), "%s/once", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    (void)unlink(file);
    return rmdir(directory);
}

/* What a line said before does not count for one that says nothing. */
static void an_empty_line_says_nothing(void **state)
{
    _cleanup_close_ int fd = begin();
    char words[128] = "--";
    struct guard_report r;
    size_t len;
    int made;

    (void)state;
    len = 3 + (size_t)snprintf(words + 3, sizeof(words) - 3, "once:%s", file) + 1;
    order(fd, (struct bytes){ words, len });
    expect(fd, GUARD_IN_FORCE, &r);
    made = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(made >= 0);
    close(made);
    kill_it(&r);
    expect(fd, GUARD_LOST, &r);
    expect(fd, GUARD_NOT_BEGUN, &r);
}

/* More words than a command line has are not cut: what is behind them would not be guarded. */
static void too_many_words(void **state)
{
    _cleanup_close_ int fd = begin();
    _cleanup_sbuf_ struct sbuf words = SBUF_INIT;
    struct guard_report r;

    (void)state;
    for (unsigned i = 0; i < 257; i++)
        sbuf_add(&words, "x", 2);
    order(fd, sbuf_bytes(&words));
    expect(fd, GUARD_NOT_BEGUN, &r);
    order(fd, (struct bytes){ words.data, words.len - 2 });
    expect(fd, GUARD_IN_FORCE, &r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_go_on),
        cmocka_unit_test(is_confirmed_once),
        cmocka_unit_test(is_not_begun_after_its_time),
        cmocka_unit_test_setup_teardown(an_empty_line_says_nothing, make_directory, remove_directory),
        cmocka_unit_test(too_many_words),
    };

    if (argc > 1 && strcmp(argv[0], "culprit") == 0)
        return be_guard(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
