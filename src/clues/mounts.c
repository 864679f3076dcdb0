/* SPDX-License-Identifier: MIT */
/*
 * Hidden is not deleted: what lies under the mount that covers the path, seen through a copy of the mount below it that is mounted
 * nowhere (open_tree(2)) and gone with its descriptor; what fstab mounts there and is not mounted; a file system of memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"
#include "util/parse.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define MOUNTS_MAX 4096
#define FSTAB_MAX (256 * 1024)
#define NAMES_SHOWN 4

struct mount_row {
    struct mountinfo mount;
    uint64_t parent;
    struct bytes point; /* unescaped, in the same text */
};

/* "ID PARENT ..." of the line whose mount point this is. */
static uint64_t parent_of(struct bytes before_point)
{
    struct bytes rest = before_point;
    uint64_t parent = 0;

    (void)bytes_next_word(&rest);
    return parse_u64(bytes_next_word(&rest), 10, &parent) < 0 ? 0 : parent;
}

static size_t read_mounts(struct sbuf *text, struct mount_row *rows)
{
    struct bytes rest;
    size_t n = 0;

    if (mountinfo_read("/proc/self/mountinfo", text) < 0)
        return 0;
    rest = sbuf_bytes(text);
    while (n < MOUNTS_MAX) {
        struct bytes line = rest;
        struct mount_row *row = &rows[n];

        if (!mountinfo_next(&rest, &row->mount))
            break;
        row->parent = parent_of((struct bytes){ line.data, (size_t)(row->mount.point.data - line.data) });
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        char *point = (char *)(uintptr_t)rows[i].mount.point.data; /* our own copy of the text */

        rows[i].point = (struct bytes){ point, mountinfo_unescape(rows[i].mount.point, point) };
    }
    return n;
}

/* The line's type and source, behind " - ". */
static void type_and_source(const struct mountinfo *m, struct bytes *type, struct bytes *source)
{
    struct bytes rest = m->rest, word;

    while ((word = bytes_next_word(&rest)).len && !bytes_equal_str(word, "-"))
        ;
    *type = bytes_next_word(&rest);
    *source = bytes_next_word(&rest);
}

/* Of several at one point the last one is on top. */
static const struct mount_row *covering(const struct mount_row *rows, size_t n, struct bytes path)
{
    const struct mount_row *found = NULL;

    for (size_t i = 0; i < n; i++)
        if (bytes_path_covers(rows[i].point, path) && (!found || rows[i].point.len >= found->point.len))
            found = &rows[i];
    return found;
}

static const struct mount_row *by_id(const struct mount_row *rows, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].mount.id == id)
            return &rows[i];
    return NULL;
}

static unsigned names_in(int fd, struct sbuf *shown)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *entry;
    unsigned n = 0;

    if (!dir) {
        closep(&again);
        return 0;
    }
    while (n < 100000 && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || strcmp(entry->d_name, "lost+found") == 0)
            continue;
        if (n++ < NAMES_SHOWN)
            sbuf_addf(shown, "%s%s", n > 1 ? ", " : "", entry->d_name);
    }
    closedir(dir);
    return n;
}

static void put_hidden(struct sbuf *out, const struct clue_question *q, const struct mount_row *top, int under)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT, shown = SBUF_INIT;
    struct bytes type, source;
    struct clue_fact f = { .kind = CLUE_HIDDEN, .marks = CLUE_DID | CLUE_NAMES_PATH, .path = q->path };
    struct stat st;
    unsigned n = 0;

    if (fstat(under, &st) < 0)
        return;
    if (S_ISDIR(st.st_mode) && !(n = names_in(under, &shown)))
        return; /* an empty place to mount on hides nothing */
    type_and_source(&top->mount, &type, &source);
    sbuf_addf(&suspect, "the mount of %.*s (%.*s) on %.*s", (int)source.len, source.data, (int)type.len, type.data,
              (int)top->point.len, top->point.data);
    if (S_ISDIR(st.st_mode))
        sbuf_addf(&text, "not deleted: %u name%s (%s%s) below %.*s (%.*s) that is mounted over it", n, n == 1 ? " lies" : "s lie",
                  sbuf_str(&shown), n > NAMES_SHOWN ? ", ..." : "", (int)source.len, source.data, (int)type.len, type.data);
    else
        sbuf_addf(&text, "not deleted: a file of %lld bytes lies below %.*s (%.*s) that is mounted over it", (long long)st.st_size,
                  (int)source.len, source.data, (int)type.len, type.data);
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    clue_put(out, &f);
}

static void look_under(struct sbuf *out, const struct clue_question *q, const struct mount_row *rows, size_t n)
{
    const struct mount_row *top = covering(rows, n, q->path), *below = top ? by_id(rows, n, top->parent) : NULL;
    _cleanup_close_ int tree = -EBADF, under = -EBADF;
    char point[4096];

    if (!below || top->point.len <= 1 || below->point.len >= sizeof(point))
        return;
    if (bytes_equal(below->point, top->point)) {
        clue_put_note(out, "two mounts lie on one another there: what the lower one hides was not looked at");
        return;
    }
    snprintf(point, sizeof(point), "%.*s", (int)below->point.len, below->point.data);
    tree = (int)syscall(SYS_open_tree, AT_FDCWD, point, OPEN_TREE_CLONE | O_CLOEXEC); /* Linux 5.2 */
    if (tree < 0) {
        clue_put_note(out, "what lies under the mount could not be looked at: %s", strerror(errno));
        return;
    }
    under = beneath_open(tree, (struct bytes){ q->path.data + (below->point.len > 1 ? below->point.len : 0),
                                               q->path.len - (below->point.len > 1 ? below->point.len : 0) },
                         O_PATH | O_NOFOLLOW);
    if (under >= 0)
        put_hidden(out, q, top, under);
}

static void look_at_memory(struct sbuf *out, const struct clue_question *q, const struct mount_row *rows, size_t n)
{
    const struct mount_row *top = covering(rows, n, q->path);
    struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_NAMES_PATH | CLUE_RECREATES | CLUE_REMOVES, .from_ns = q->boot_ns,
                           .suspect = bytes_of("the restart of the machine") };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes type, source;

    if (!top)
        return;
    type_and_source(&top->mount, &type, &source);
    if (!bytes_equal_str(type, "tmpfs") && !bytes_equal_str(type, "ramfs"))
        return;
    sbuf_addf(&text, "it lies in memory (%.*s on %.*s): what was there is gone with each start of the machine", (int)type.len, type.data,
              (int)top->point.len, top->point.data);
    f.text = sbuf_bytes(&text);
    clue_put(out, &f);
}

/* ---- fstab ---- */

static bool is_mounted(struct bytes mounted, struct bytes point)
{
    while (mounted.len)
        if (bytes_equal(bytes_next_field(&mounted, '\0'), point))
            return true;
    return false;
}

static void read_fstab(struct sbuf *answer, const struct clue_question *q, struct bytes text, struct bytes mounted)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_UNMOUNTED, .marks = CLUE_NAMES_PATH | CLUE_DID, .text = line, .path = q->path,
                               .suspect = bytes_of("a file system that is not mounted") };
        struct bytes rest = line, source = bytes_next_word(&rest), point = bytes_next_word(&rest);
        char unescaped[4096];

        if (!source.len || source.data[0] == '#' || !point.len || point.len > sizeof(unescaped))
            continue;
        point = (struct bytes){ unescaped, mountinfo_unescape(point, unescaped) };
        while (point.len > 1 && point.data[point.len - 1] == '/')
            point.len--;
        if (point.len < 2 || point.data[0] != '/' || !bytes_path_covers(point, q->path) || is_mounted(mounted, point))
            continue;
        f.place = clue_place(&place, bytes_of("/etc/fstab"), lines.number);
        clue_put(answer, &f);
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    static struct mount_row rows[MOUNTS_MAX]; /* too large for a stack; a worker has one thread */
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, out = SBUF_INIT, points = SBUF_INIT;
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    size_t n;
    int r;

    if (root < 0)
        return root;
    n = read_mounts(&text, rows);
    for (size_t i = 0; i < n; i++) {
        sbuf_add_bytes(&points, rows[i].point);
        sbuf_add_char(&points, '\0');
    }
    if (!q.host_path.len) { /* a container has mounts of its own */
        look_under(&out, &q, rows, n);
        look_at_memory(&out, &q, rows, n);
    }
    r = clue_gather_text(g, "points", &points);
    if (r == 0)
        r = clue_gather_text(g, CLUE_ANSWER, &out);
    return r < 0 ? r : clue_gather_file(g, root, "/etc/fstab", FSTAB_MAX, false);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    sbuf_add_bytes(answer, gathered_get(g, CLUE_ANSWER));
    clue_put_cover(answer, 0, 0);
    if (!q.host_path.len)
        read_fstab(answer, &q, gathered_get(g, "/etc/fstab"), gathered_get(g, "points"));
    return 0;
}

const struct foreign_job clue_job_mounts = { "the mounts and fstab", 16 * 1024 * 1024, gather, parse, false };
