/* SPDX-License-Identifier: MIT */
/* What lies beside what is gone, or was replaced, by a name that says who put it there: "x.conf.dpkg-old", "x.log.1.gz", "x~". Names only. */
#include "clues/beside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NAMES_MAX 200000
#define TOGETHER_NS (2 * NS_PER_S)

static const struct ending_row {
    const char *ending;
    const char *says;
    const char *suspect; /* NULL: anybody */
    bool replaced;       /* it says something of one that is there too: another has taken its place */
} endings[] = {
    { ".dpkg-old", "dpkg kept the old one by this name when a package brought another", "dpkg", true },
    { ".dpkg-bak", "a package's script moved it there when it removed the file", "dpkg" },
    { ".dpkg-remove", "a package's script moved it there to remove it", "dpkg" },
    { ".ucf-old", "ucf kept the old one by this name when a package brought another", "ucf", true },
    { ".rpmsave", "rpm kept it by this name when the package was removed or brought another", "rpm", true },
    { ".rpmorig", "rpm kept by this name what was there before the package", "rpm" },
    { ".gz", "a packed one of the same name", NULL },
    { ".xz", "a packed one of the same name", NULL },
    { ".zst", "a packed one of the same name", NULL },
    { ".bz2", "a packed one of the same name", NULL },
    { ".1", "a rotated one", NULL },
    { ".1.gz", "a rotated one, packed", NULL },
    { ".old", "somebody's copy of it", NULL },
    { ".bak", "somebody's copy of it", NULL },
    { ".orig", "somebody's copy of it", NULL },
    { ".save", "somebody's copy of it", NULL },
    { ".disabled", "somebody's copy of it", NULL },
    { "~", "an editor's copy of it", NULL },
};

void beside_name(struct sbuf *answer, struct bytes path, struct bytes name, uint64_t changed_ns, bool there, uint64_t then_ns)
{
    struct bytes base = bytes_basename(path);
    /* what was moved away at that time: else it may have come back meanwhile, and gone or changed by another */
    bool last = changed_ns <= then_ns + TOGETHER_NS && then_ns <= changed_ns + TOGETHER_NS;

    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        struct clue_fact f = { .kind = CLUE_KEPT, .from_ns = changed_ns };
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        if ((there && !endings[i].replaced) || name.len != base.len + strlen(endings[i].ending) || !bytes_starts_with(name, base) ||
            !bytes_ends_with(name, bytes_of(endings[i].ending)))
            continue;
        sbuf_addf(&text, "beside it lies %.*s: %s", (int)name.len, name.data, endings[i].says);
        f.text = sbuf_bytes(&text);
        f.path = path;
        if (endings[i].suspect && last) {
            f.marks = CLUE_DID | CLUE_NAMES_PATH;
            f.suspect = bytes_of(endings[i].suspect);
        }
        clue_put(answer, &f);
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q), fd = -EBADF, own = -EBADF;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    struct stat above, st;
    bool there;
    struct bytes path;
    uint64_t then;
    unsigned n = 0;

    if (root < 0)
        return root;
    path = q.host_path.len ? q.host_path : q.path;
    own = beneath_open(root, path, O_PATH | O_NOFOLLOW);
    there = own >= 0;
    if (path.len < 2 || (there && (fstat(own, &st) < 0 || !S_ISREG(st.st_mode))))
        return -ENOENT;
    then = there ? clock_of(st.st_ctim) : 0;
    fd = beneath_open(root, bytes_dirname(path), O_RDONLY | O_DIRECTORY);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir)
        return -ENOENT;
    fd = -EBADF; /* the directory's now */
    if (fstat(dirfd(dir), &above) < 0)
        return -errno;
    then = there ? then : clock_of(above.st_mtim);
    clue_put_cover(&out, 0, 0);
    while (n++ < NAMES_MAX && (entry = readdir(dir)))
        if (bytes_starts_with(bytes_of(entry->d_name), bytes_basename(path)) && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            beside_name(&out, path, bytes_of(entry->d_name), clock_of(st.st_ctim), there, then);
    return clue_gather_text(g, CLUE_ANSWER, &out);
}

const struct foreign_job clue_job_beside = { "what lies beside it", 1024 * 1024, gather, NULL, false };
