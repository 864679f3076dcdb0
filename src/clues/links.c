/* SPDX-License-Identifier: MIT */
/* The links on the way to what is asked for: since one was made, or got its name, the same words lead elsewhere. Nothing is removed by that. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

static void look_at(struct sbuf *out, int root, struct bytes path)
{
    _cleanup_close_ int fd = beneath_open(root, path, O_PATH | O_NOFOLLOW), end = -EBADF;
    struct clue_fact f = { .kind = CLUE_TIME, .marks = CLUE_LATEST, .path = path };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char to[CLUE_PATH_MAX];
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISLNK(st.st_mode) || (n = readlinkat(fd, "", to, sizeof(to))) <= 0)
        return;
    end = beneath_open(root, path, O_PATH);
    sbuf_addf(&text, "is a link to %.*s%s; it was made, or got this name", (int)MIN(n, (ssize_t)200), to, end < 0 ? ", which is not there" : "");
    f.from_ns = clock_of(st.st_ctim); /* a link is not changed, only made again and renamed */
    f.text = sbuf_bytes(&text);
    clue_put(out, &f);
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    if (root < 0)
        return root;
    for (struct bytes path = q.written.len ? q.written : q.path; path.len > 1 && !q.host_path.len; path = bytes_dirname(path))
        look_at(&out, root, path);
    return out.len ? clue_gather_text(g, CLUE_ANSWER, &out) : -ENOENT;
}

const struct foreign_job clue_job_links = { "the links of the path", 1024 * 1024, gather, NULL, false };
