/* SPDX-License-Identifier: MIT */
#include "engine/oci_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "engine/flat.h"
#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/limits.h"

#define WORKER_MS 300

static const char *const names[] = { "state.json", "status", "config.json", "init.pid" };

static int gather(struct bytes directory, struct gathered *g)
{
    _cleanup_close_ int dir = beneath_open_host(directory, 0, O_PATH | O_DIRECTORY | O_NOFOLLOW);

    for (size_t i = 0; i < ARRAY_SIZE(names) && dir >= 0; i++) {
        char *text;
        size_t len;

        if (beneath_read_file(dir, bytes_of(names[i]), LIMIT_STATE_FILE, &text, &len) == 0 &&
            gathered_add(g, names[i], text, len) < 0)
            return -ENOMEM;
    }
    return g->count ? 0 : -EAGAIN;
}

/* A bundle of containerd: the file beside it has the pid of its first process. */
static int parse_bundle(struct bytes directory, struct bytes config, struct bytes init_pid, struct oci_facts *f,
                        struct err *err)
{
    char number[16] = "";
    long pid;

    f->view.container = container_new();
    if (!f->view.container)
        return -ENOMEM;
    container_set(f->view.container, &f->view.container->id, bytes_basename(directory));
    f->bundle = arena_copy(&f->view.container->arena, directory);
    f->only_bundle = true;
    memcpy(number, init_pid.data ? init_pid.data : "", MIN(init_pid.len, sizeof(number) - 1));
    pid = strtol(number, NULL, 10);
    if (pid > 0 && pid <= INT_MAX)
        f->view.container->pid = (pid_t)pid;
    return oci_parse_config(config, f, err);
}

static int parse_facts(struct bytes directory, const struct gathered *g, struct oci_facts *f, struct err *err)
{
    struct bytes state = gathered_get(g, "state.json"), status = gathered_get(g, "status");
    struct bytes config = gathered_get(g, "config.json");
    int r;

    if (state.data)
        return oci_parse_state(state, f, err);
    if (!status.data)
        return config.data ? parse_bundle(directory, config, gathered_get(g, "init.pid"), f, err) : -EAGAIN;
    r = oci_parse_status(status, bytes_basename(directory), f, err);
    if (r == 0 && config.data)
        (void)oci_parse_config(config, f, NULL);
    return r;
}

int oci_files_read(const char *directory, struct oci_facts *ret, struct err *err)
{
    struct gathered g = { .max = ARRAY_SIZE(names) * (size_t)LIMIT_STATE_FILE, .lent = -EBADF };
    int r = gather(bytes_of(directory), &g);

    if (r == 0)
        r = parse_facts(bytes_of(directory), &g, ret, err);
    for (size_t i = 0; i < g.count; i++)
        free((char *)(uintptr_t)g.files[i].content.data);
    free(g.files);
    return r;
}

static int parse(struct bytes directory, const struct gathered *g, struct sbuf *answer)
{
    struct oci_facts f = { 0 };
    int r = parse_facts(directory, g, &f, NULL);

    if (r < 0)
        return r == -EBADMSG ? -EINVAL : r; /* half written is not made to harm */
    flat_put_container(answer, f.view.container);
    flat_put_view(answer, &f.view);
    flat_put_bytes(answer, f.bundle);
    flat_put_u64(answer, f.pid_ticks);
    flat_put_u64(answer, f.only_bundle);
    flat_put_u64(answer, f.view.running);
    return sbuf_error(answer);
}

static const struct foreign_job job = { "a runtime's state", 4 * (size_t)LIMIT_STATE_FILE, gather, parse, false };

static int take(struct bytes in, struct oci_facts *f)
{
    struct bytes bundle;
    uint64_t only_bundle, running;

    if (flat_get_container(&in, &f->view.container) < 0 || flat_get_view(&in, &f->view) < 0 ||
        flat_get_bytes(&in, &bundle) < 0 || flat_get_u64(&in, &f->pid_ticks) < 0 ||
        flat_get_u64(&in, &only_bundle) < 0 || flat_get_u64(&in, &running) < 0)
        return -EBADMSG;
    f->bundle = arena_copy(&f->view.container->arena, bundle);
    f->only_bundle = only_bundle;
    f->view.running = running;
    return 0;
}

int oci_files_ask(const char *directory, struct oci_facts *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    int r = foreign_ask(&job, bytes_of(directory), WORKER_MS, &answer, err);

    return r < 0 ? r : take(sbuf_bytes(&answer), ret);
}
