/* SPDX-License-Identifier: MIT */
/* What the tests of launches and sessions share: files below a directory of their own. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "attribution/sessions.h"

static char base[] = "/tmp/culprit-test-launch-XXXXXX";

static inline void put(const char *path, const char *text)
{
    char full[256];
    FILE *f;

    snprintf(full, sizeof(full), "%s%s", base, path);
    for (char *slash = full + strlen(base) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline void environment(void **state)
{
    (void)state;
    assert_bytes(sessions_parse_environment(BYTES("HOME=/root\0SSH_CONNECTION=10.0.0.7 5000 10.0.0.1 22\0A=b\0")), "10.0.0.7");
    assert_int_equal(sessions_parse_environment(BYTES("XSSH_CONNECTION=10.0.0.7 1 2 3\0")).len, 0);
    assert_int_equal(sessions_parse_environment(BYTES("SSH_CONNECTION=\033[2J 1 2 3\0")).len, 0);
    assert_int_equal(sessions_parse_environment(BYTES("SSH_CONNECTION=10.0.0.7")).len, 0);
    assert_int_equal(sessions_parse_environment(BYTES_NULL).len, 0);
}

static inline int set_up(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static inline int tear_down(void **state)
{
    char command[300];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", base);
    return system(command);
}
