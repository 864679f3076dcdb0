/* SPDX-License-Identifier: MIT */
#include "attribution/host_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attribution/passwd.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/macro.h"

#define FILE_MAX (4 * 1024 * 1024) /* some 80,000 users; the name service has the others */

static const char *const files[] = { "etc/passwd", "etc/group" };

struct host_names {
    int root; /* O_PATH */
    uint64_t stamp; /* of the files that were read; 0 = none yet */
    struct sbuf names[ARRAY_SIZE(files)]; /* lines name:x:id */
};

int host_names_new(const char *root, struct host_names **ret, struct err *err)
{
    struct host_names *h = calloc(1, sizeof(*h));

    if (!h)
        return err_set(err, -ENOMEM, "names of users");
    h->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (h->root < 0) {
        free(h);
        return err_set(err, -errno, "%s", root);
    }
    *ret = h;
    return 0;
}

void host_names_free(struct host_names *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        sbuf_done(&h->names[i]);
    closep(&h->root);
    free(h);
}

/* The time of change is the kernel's, not to be set. */
static uint64_t stamp_of(const struct host_names *h)
{
    uint64_t stamp = HASH_START;

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct stat st = { 0 };

        if (fstatat(h->root, files[i], &st, 0) < 0)
            st = (struct stat){ 0 };
        stamp = hash_word(hash_word(stamp, st.st_ino), (uint64_t)st.st_size);
        stamp = hash_word(hash_word(stamp, (uint64_t)st.st_ctim.tv_sec), (uint64_t)st.st_ctim.tv_nsec);
    }
    return stamp ? stamp : 1;
}

bool host_names_look(struct host_names *h)
{
    uint64_t stamp = stamp_of(h);

    if (stamp == h->stamp)
        return false;
    h->stamp = stamp;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (beneath_read_file(h->root, bytes_of(files[i]), FILE_MAX, &text, &len) < 0)
            continue; /* what was known holds */
        sbuf_clear(&h->names[i]);
        passwd_pick((struct bytes){ text, len }, &h->names[i]);
    }
    return true;
}

struct bytes host_names_find(const struct host_names *h, uint32_t id, bool group)
{
    return passwd_find(sbuf_bytes(&h->names[group]), id);
}
