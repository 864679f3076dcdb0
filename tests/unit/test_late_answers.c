/* SPDX-License-Identifier: MIT */
/* Whoever asks a worker that answers late, and never asks about the same container or session again, keeps no descriptor for each. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "attribution/owner_inside.h"
#include "attribution/sessions.h"
#include "attribution/users.h"
#include "children.h"
#include "event/container.h"
#include "util/macro.h"

#define ASKED 8 /* each is waited for, 0.3 s at most */
#define PATIENCE 150 /* as many are not forgotten for their number */
#define PAUSE_US 200000

static struct users *users;
static struct image_packages *packages;
static struct sessions *sessions;

static void ask_names(unsigned n)
{
    struct container *c = container_new();
    char id[32];

    snprintf(id, sizeof(id), "%08x%08x", n, n);
    container_set(c, &c->id, bytes_of(id));
    c->pid = getpid();
    (void)users_name(users, c, 0);
    container_unref(c);
}

static void ask_packages(unsigned n)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes package, version;
    char id[32];

    snprintf(id, sizeof(id), "%08x", n);
    inside_by_process(&place, getpid());
    (void)image_packages_find(packages, bytes_of(id), sbuf_bytes(&place), bytes_of("/nowhere"), &package, &version);
}

static void ask_sessions(unsigned n)
{
    struct process *p = process_new(getpid(), 1000);

    p->session = 1000000 + n;
    (void)sessions_remote(sessions, p);
    process_unref(p);
}

static const struct row {
    const char *name;
    void (*ask)(unsigned n);
} rows[] = {
    { "a container's names", ask_names },
    { "a container's packages", ask_packages },
    { "a session's remote end", ask_sessions },
};

static unsigned descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void closes_what_comes_late(void **state)
{
    const struct row *row = *state;
    unsigned before = descriptors(), n = 0;

    signal_children(SIGSTOP);
    for (; n < ASKED; n++)
        row->ask(n);
    assert_in_range(descriptors(), before + ASKED, before + ASKED + 2);
    signal_children(SIGCONT);
    for (unsigned i = 0; i < PATIENCE && descriptors() > before + 2; i++) {
        usleep(PAUSE_US);
        row->ask(n++);
    }
    assert_in_range(descriptors(), before, before + 2); /* of the last question, which may be late again */
}

int main(void)
{
    int failed;

    if (foreign_start() < 0 || users_new(NULL, "/", &users, NULL) < 0 || image_packages_new(&packages, NULL) < 0 ||
        sessions_new("/nowhere", "/nowhere", &sessions, NULL) < 0)
        return 1;
    failed = RUN_ROWS(rows, closes_what_comes_late);
    users_free(users);
    image_packages_free(packages);
    sessions_free(sessions);
    return failed;
}
