/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"

static int bound(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))), 0);
    return fd;
}

static void hears(int fd, const char *text)
{
    char buffer[2048];
    ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

    assert_int_equal(n, (ssize_t)strlen(text));
    assert_memory_equal(buffer, text, (size_t)n);
}

static char dir[] = "/tmp/culprit-notify-XXXXXX", path[64];

static void arrives(void **state)
{
    char abstract[64];
    int fd = bound(path), other;

    (void)state;
    snprintf(abstract, sizeof(abstract), "@culprit-notify-%d", (int)getpid());
    other = bound(abstract);
    notify_send(path, "READY=1\nSTATUS=%u", 7);
    hears(fd, "READY=1\nSTATUS=7");
    notify_sign(path);
    hears(fd, "WATCHDOG=1");
    notify_send(abstract, "STOPPING=1");
    hears(other, "STOPPING=1");
    close(fd);
    close(other);
    unlink(path);
}

static void nobody_is_fine(void **state)
{
    char longer[300];

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    notify_send(NULL, "READY=1");
    notify_send("", "READY=1");
    notify_send("relative", "READY=1");
    notify_send("/nonexistent/socket", "READY=1");
    notify_send(longer, "READY=1");
    notify_sign(NULL);
}

static void *read_all(void *data)
{
    int fd = *(int *)data;
    char buffer[64];
    ssize_t n;

    do {
        n = recv(fd, buffer, sizeof(buffer), 0);
    } while (n > 0 && (n != strlen("READY=1") || memcmp(buffer, "READY=1", (size_t)n) != 0));
    return n > 0 ? data : NULL;
}

/* A manager that does not read: signs of life are not waited for, states are. */
static void busy_manager(void **state)
{
    int fd = bound(path);
    pthread_t thread;
    void *got = NULL;

    (void)state;
    for (int i = 0; i < 5000; i++) /* more than any queue takes; it ends */
        notify_sign(path);
    assert_int_equal(pthread_create(&thread, NULL, read_all, &fd), 0);
    notify_send(path, "READY=1");
    assert_int_equal(pthread_join(thread, &got), 0);
    assert_ptr_equal(got, &fd);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(arrives), cmocka_unit_test(nobody_is_fine), cmocka_unit_test(busy_manager) };
    int failed;

    if (!mkdtemp(dir))
        return 99;
    snprintf(path, sizeof(path), "%s/socket", dir);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
