/* SPDX-License-Identifier: MIT */
/*
 * The input is a container's package database; its first byte says which: 'd' dpkg (status, a list, digests and a status of
 * its own, separated by 0x1e), 'a' apk, 'r' rpm's SQLite file, 'h' a header in it.
 */
#include <errno.h>
#include <stdlib.h>

#include "attribution/package_search.h"
#include "foreign/rpm_database.h"
#include "fuzz.h"

static const char request[] = "/usr/bin/hello"; /* and the NUL */

static void add(struct gathered *g, const char *name, struct bytes content)
{
    char *copy = malloc(content.len + 1);

    if (!copy)
        abort();
    memcpy(copy, content.len ? content.data : "", content.len);
    copy[content.len] = '\0';
    if (gathered_add(g, name, copy, content.len) < 0)
        abort();
}

static void add_dpkg(struct gathered *g, struct bytes text)
{
    static const char *const names[] = { "status", "Lhello:amd64.list", "Dhello.md5sums", "Shello" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *end = text.len ? memchr(text.data, 0x1e, text.len) : NULL;
        struct bytes part = { text.data, end ? (size_t)(end - text.data) : text.len };
        size_t step = part.len + (end ? 1 : 0);

        add(g, names[i], part);
        text = (struct bytes){ text.data + step, text.len - step };
    }
}

static void search(struct gathered *g)
{
    struct sbuf answer = SBUF_INIT;
    int r = image_packages_search((struct bytes){ request, sizeof(request) }, g, &answer);

    if ((r == 0 && !memchr(answer.data, '\0', answer.len)) || (r < 0 && r != -ENOENT))
        abort();
    sbuf_done(&answer);
    for (size_t i = 0; i < g->count; i++)
        free((void *)(uintptr_t)g->files[i].content.data);
    free(g->files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gathered g = { .max = 1 << 24, .lent = -EBADF };
    struct sbuf name = SBUF_INIT, version = SBUF_INIT;
    struct bytes text;

    if (!size)
        return 0;
    text = (struct bytes){ (const char *)data + 1, size - 1 };
    if (data[0] == 'd')
        add_dpkg(&g, text);
    else if (data[0] == 'a')
        add(&g, "/lib/apk/db/installed", text);
    else if (data[0] == 'r')
        add(&g, "/var/lib/rpm/rpmdb.sqlite", text);
    else
        (void)rpm_header_has(text, bytes_of(request), &name, &version);
    sbuf_done(&name);
    sbuf_done(&version);
    search(&g);
    return 0;
}
