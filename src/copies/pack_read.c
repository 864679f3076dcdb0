/* SPDX-License-Identifier: MIT */
#include "copies/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "copies/large.h"
#include "util/array.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/read.h"
#include "util/trusted.h"

#define DEFAULT_STORE "/var/lib/culprit/culprit.db"
#define INDEX_MAX (1024 * 1024 * 1024)

char *copies_directory(const char *store_path)
{
    char *path;

    return asprintf(&path, "%s" COPIES_SUFFIX, store_path ? store_path : DEFAULT_STORE) < 0 ? NULL : path;
}

void copies_done(struct copies *c)
{
    for (unsigned i = 0; i < 2; i++)
        closep(&c->packs[i]);
    free(c->all);
    free(c->directory);
    arena_done(&c->arena);
    *c = (struct copies){ .packs = { -EBADF, -EBADF } };
}

static int add(struct copies *c, const struct copy *copy)
{
    if (ARRAY_ROOM(c->all, c->count, c->size, 1024) < 0)
        return -ENOMEM;
    c->all[c->count++] = *copy;
    return 0;
}

/* Also of what lies above the path: where a folder went, all that was in it did. */
static bool concerns(const struct copy *copy, struct bytes path)
{
    return bytes_path_covers(path, copy->path) || ((copy->record.flags & COPY_GONE) && bytes_path_covers(copy->path, path));
}

/* *ret_eras: how often the clock was set back. */
static int read_records(struct copies *c, struct bytes text, bool old, struct bytes path, uint32_t *ret_eras)
{
    struct copy copy;
    uint32_t era = 0;
    int r = 0;

    while (r == 0 && copy_next(&text, &copy)) {
        era += (copy.record.flags & COPY_CLOCK_BACK) != 0;
        copy.era = era;
        copy.old = old;
        if (concerns(&copy, path))
            r = add(c, &copy);
    }
    c->damaged = text.len > 0 || c->damaged;
    *ret_eras = era;
    return r;
}

static int open_at(const char *directory, const char *name)
{
    char path[PATH_MAX];
    _cleanup_close_ int at = -EBADF;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    at = beneath_open_host(bytes_of(path), 0, O_PATH);
    return at < 0 ? at : beneath_reopen_file(at);
}

/* The pack is opened before its index is read: what that refers to is in it, also if both are exchanged meanwhile. */
static int read_generation(const char *directory, bool old, struct bytes path, struct copies *c, uint32_t *ret_eras)
{
    _cleanup_close_ int index = -EBADF;
    _cleanup_free_ char *data = NULL;
    size_t len = 0;
    struct bytes text;
    int r;

    c->packs[!old] = open_at(directory, old ? "pack.old" : "pack");
    index = open_at(directory, old ? "index.old" : "index");
    if (index < 0)
        return index == -ENOENT ? 0 : index;
    r = beneath_read_fd(index, INDEX_MAX, &data, &len);
    if (r < 0 || !len)
        return r;
    text = arena_copy(&c->arena, (struct bytes){ data, len });
    return text.data ? read_records(c, text, old, path, ret_eras) : -ENOMEM;
}

int copies_read(const char *directory, struct bytes path, struct copies *ret, struct err *err)
{
    struct copies c = { .packs = { -EBADF, -EBADF } };
    _cleanup_close_ int at = beneath_open_host(bytes_of(directory), 0, O_PATH | O_DIRECTORY);
    int r = at < 0 ? at : (c.directory = strdup(directory)) ? 0 : -ENOMEM;
    uint32_t eras = 0;
    struct stat st;
    size_t newer;

    if (r == 0 && fstat(at, &st) < 0)
        r = -errno;
    if (r == 0 && !file_is_trusted(&st)) {
        copies_done(&c);
        return err_say(err, -EPERM, COPIES_NOT_OURS, directory, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
    }
    if (r == 0) /* the newer one first: if it becomes the old one meanwhile, it is read twice, which changes nothing */
        r = read_generation(directory, false, path, &c, &eras);
    newer = c.count;
    eras = 0;
    if (r == 0)
        r = read_generation(directory, true, path, &c, &eras);
    for (size_t i = 0; i < newer && r == 0; i++)
        c.all[i].era += eras; /* all that the old one has was before */
    if (r < 0) {
        copies_done(&c);
        return r == -ENOENT ? r : err_set(err, r, "kept copies");
    }
    *ret = c;
    return 0;
}

bool copies_has(const struct copies *c, struct bytes path)
{
    for (size_t i = 0; i < c->count; i++)
        if (bytes_path_covers(path, c->all[i].path))
            return true;
    return c->damaged; /* not known */
}

int copies_open_large(const struct copies *c, const struct copy *copy)
{
    return large_open_content(c->directory, copy->record.sha256, copy->record.size);
}

int copies_content(const struct copies *c, const struct copy *copy, char **ret)
{
    unsigned char sha256[SHA256_DIGEST_LENGTH];
    _cleanup_free_ char *data = NULL;
    int pack = c->packs[!copy->old];

    if ((copy->record.flags & (COPY_GONE | COPY_NO_CONTENT | COPY_LARGE)) || copy->record.size > COPIES_FILE_MAX || pack < 0)
        return -ENODATA;
    data = malloc(copy->record.size + 1);
    if (!data)
        return -ENOMEM;
    if (read_at(pack, data, copy->record.size, (off_t)copy->record.offset) != (ssize_t)copy->record.size)
        return -EBADMSG;
    (void)SHA256((const unsigned char *)data, copy->record.size, sha256);
    if (memcmp(sha256, copy->record.sha256, sizeof(sha256)) != 0)
        return -EBADMSG;
    data[copy->record.size] = '\0';
    *ret = TAKE_PTR(data);
    return 0;
}
