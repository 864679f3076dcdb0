/* SPDX-License-Identifier: MIT */
#include "engine/podman_find.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/flat.h"
#include "engine/podman_files.h"
#include "engine/podman_state.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define STORAGES_MS 5000             /* each place has a clock of its own */
#define LOOK_AGAIN_NS (2 * NS_PER_S) /* for storages that are new */

static const struct driver drivers[] = {
    { "overlay-containers", NULL },
    { "vfs-containers", "vfs/dir" },
    { "btrfs-containers", "btrfs/subvolumes" },
};

static bool is_known(const struct podman *p, const char *path, const struct driver *driver)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->storages[i].driver == driver && strcmp(p->storages[i].path, path) == 0)
            return true;
    return false;
}

static void add_candidate(struct podman *p, struct sbuf *request, const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (!is_known(p, path, &drivers[i])) {
            sbuf_add_str(request, path);
            sbuf_add_char(request, '/');
            podman_add_word(request, bytes_of(drivers[i].containers));
        }
}

/* graphroot = "/srv/containers" of storage.conf(5): the one line of it that matters here. */
static void add_configured(struct podman *p, struct sbuf *request, const char *file)
{
    _cleanup_fclose_ FILE *f = fopen(file, "re");
    char line[PATH_MAX], path[PATH_MAX];

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, " graphroot = \"%4000[^\"]\"", path) == 1 && path[0] == '/')
            add_candidate(p, request, path);
}

static void add_users(struct podman *p, struct sbuf *request)
{
    _cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re"); /* not NSS: a directory service may hang */
    const struct passwd *user;
    char path[PATH_MAX];

    while (f && (user = fgetpwent(f)))
        if (user->pw_dir && user->pw_dir[0] == '/' &&
            (size_t)snprintf(path, sizeof(path), "%s/.local/share/containers/storage",
                             user->pw_dir) < sizeof(path))
            add_candidate(p, request, path);
}

struct candidates {
    struct podman *podman;
    struct sbuf *request;
};

static int add_by_bundle(void *data, const struct oci_facts *f)
{
    struct candidates *c = data;
    /* PATH/overlay-containers/ID/userdata */
    struct bytes containers = bytes_dirname(bytes_dirname(f->bundle)), storage = bytes_dirname(containers);
    char path[PATH_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (bytes_equal_str(bytes_basename(containers), drivers[i].containers) && storage.len > 1 &&
            (size_t)snprintf(path, sizeof(path), "%.*s", (int)storage.len, storage.data) < sizeof(path))
            add_candidate(c->podman, c->request, path);
    return 0;
}

static void add_found(struct podman *p, struct bytes directory, int wd, bool own)
{
    struct bytes path = bytes_dirname(directory), name = bytes_basename(directory);
    struct storage *s = &p->storages[p->count];

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (p->count == STORAGES_MAX || path.len >= sizeof(s->path) || !bytes_equal_str(name, drivers[i].containers))
            continue;
        *s = (struct storage){ .wd = wd, .driver = &drivers[i], .changed = true };
        s->reading = s->asked = FOREIGN_PENDING_NONE;
        snprintf(s->path, sizeof(s->path), "%.*s", (int)path.len, path.data);
        s->own = own;
        if (!is_known(p, s->path, s->driver))
            p->count++;
        return;
    }
}

void podman_find_storages(struct podman *p, unsigned wait_ms)
{
    struct candidates c = { p, &(struct sbuf){ 0 } };
    bool asked = p->looking.fd >= 0;
    struct bytes answer, path;
    struct fingerprint bundles;
    uint64_t wd, own;
    int r;

    (void)oci_each(p->oci, "podman", add_by_bundle, &c);
    bundles = fingerprint_of(sbuf_bytes(c.request));
    if (!asked && p->looked_ns && fingerprint_equal(bundles, p->bundles) && clock_ns(CLOCK_MONOTONIC) - p->looked_ns < LOOK_AGAIN_NS) {
        sbuf_done(c.request);
        return;
    }
    if (!fingerprint_equal(bundles, p->bundles) && c.request->len) /* a container of a storage that is not known starts: its name is asked for next */
        wait_ms = MAX(wait_ms, WAIT_MS);
    p->bundles = bundles;
    add_candidate(p, c.request, "/var/lib/containers/storage");
    add_configured(p, c.request, "/etc/containers/storage.conf");
    add_configured(p, c.request, "/usr/share/containers/storage.conf");
    add_users(p, c.request);
    p->looked_ns = clock_ns(CLOCK_MONOTONIC);
    p->looking.lend = p->inotify;
    r = foreign_wait(&p->looking, &podman_storages_job, sbuf_bytes(c.request), STORAGES_MS, wait_ms, &answer);
    if (r == -EAGAIN && !asked)
        podman_await(p, p->looking.fd);
    while (r == 0 && flat_get_bytes(&answer, &path) == 0 && flat_get_u64(&answer, &wd) == 0 && flat_get_u64(&answer, &own) == 0)
        add_found(p, path, (int)wd, own);
    sbuf_done(c.request);
}
