/* SPDX-License-Identifier: MIT */
/* systemd's units and timers: which commands name the path, and which timers last elapsed at the moment (their stamps say when). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "clues/line.h"
#include "clues/source.h"
#include "clues/units.h"
#include "engine/flat.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define UNIT_MAX (64 * 1024)
#define UNITS_MAX 2000
#define STAMPS "/var/lib/systemd/timers"

/* The first one that has a name wins. */
static const char *const directories[] = { "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                           "/lib/systemd/system" };
static const char *const endings[] = { ".service", ".timer", ".mount", NULL };

static int gather_stamps(struct gathered *g, int root)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    int fd = beneath_open(root, bytes_of(STAMPS), O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    struct stat st;

    while (dir && (entry = readdir(dir)))
        if (bytes_starts_with(bytes_of(entry->d_name), bytes_of("stamp-")) &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            flat_put_bytes(&out, bytes_of(entry->d_name + 6));
            flat_put_u64(&out, clock_of(st.st_mtim));
        }
    if (dir)
        closedir(dir);
    else
        closep(&fd);
    return clue_gather_text(g, "stamps", &out);
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r;

    (void)request;
    if (root < 0)
        return root;
    r = gather_stamps(g, root);
    for (size_t i = 0; i < ARRAY_SIZE(directories) && r == 0; i++)
        r = clue_gather_directory(g, root, directories[i], endings, UNITS_MAX, UNIT_MAX);
    return r == 0 && g->count < 2 ? -ENOENT : r;
}

/* ---- pure ---- */

static bool is_command(struct bytes key)
{
    return bytes_starts_with(key, bytes_of("Exec"));
}

/* RuntimeDirectory=foo: /run/foo is the service's, and gone when it stops. */
static void put_runtime_directory(struct sbuf *answer, const struct clue_question *q, struct clue_fact *f, struct bytes names)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes name;

    while ((name = bytes_next_word(&names)).len) {
        char path[512];
        struct bytes colon = bytes_next_field(&name, ':');

        if ((size_t)snprintf(path, sizeof(path), "/run/%.*s", (int)MIN(colon.len, sizeof(path)), colon.data) >= sizeof(path) ||
            !bytes_path_covers(bytes_of(path), q->path))
            continue;
        sbuf_addf(&text, "%.*s : is removed whenever the service stops", (int)f->text.len, f->text.data);
        f->text = sbuf_bytes(&text);
        f->marks = CLUE_REMOVES | (bytes_equal(bytes_of(path), q->path) ? CLUE_NAMES_PATH : CLUE_NAMES_ABOVE);
        clue_put(answer, f);
        return;
    }
}

void units_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    bool own = bytes_starts_with(name, bytes_of("/etc/")), mount = bytes_ends_with(name, bytes_of(".mount"));
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT;
    struct bytes line;

    sbuf_add_str(&suspect, mount ? "mount: " : "unit: ");
    sbuf_add_bytes(&suspect, bytes_basename(name));
    while (clue_next_line(&lines, &line)) {
        struct bytes value = line, key = bytes_next_field(&value, '=');
        struct clue_fact f = { .kind = CLUE_RULE, .text = line, .suspect = sbuf_bytes(&suspect) };

        if (bytes_equal_str(key, "RuntimeDirectory") && !memmem(text.data, text.len, "\nRuntimeDirectoryPreserve=yes", 29)) {
            f.place = clue_place(&place, name, lines.number);
            put_runtime_directory(answer, q, &f, value);
            continue;
        }
        if (!is_command(key) && !(mount && bytes_equal_str(key, "Where")))
            continue;
        f.marks = line_marks(value, q) | (is_command(key) ? CLUE_COMMAND : 0);
        if (!(f.marks & CLUE_NAMES) && !own)
            continue; /* what packages bring is many, and most of it is programs */
        if (bytes_path_covers(bytes_of("/usr"), q->path) && !(f.marks & (CLUE_REMOVES | CLUE_ALTERS)))
            continue; /* it runs a program that lies there */
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

/* Unit= of the timer's file; else the service of its name. */
static void put_unit_of(const struct gathered *g, struct bytes timer, struct sbuf *ret)
{
    for (size_t i = 0; g && i < g->count; i++) {
        struct bytes rest = g->files[i].content, line;

        if (!bytes_equal(bytes_basename(bytes_of(g->files[i].name)), timer))
            continue;
        while ((line = bytes_next_line(&rest)).data && (line.len || rest.len))
            if (bytes_starts_with(line, bytes_of("Unit="))) {
                sbuf_add(ret, line.data + 5, line.len - 5);
                return;
            }
    }
    sbuf_add(ret, timer.data, timer.len - 6);
    sbuf_add_str(ret, ".service");
}

static void put_stamp(struct sbuf *answer, const struct clue_question *q, const struct gathered *g, struct bytes timer, uint64_t ns)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT, place = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED, .from_ns = ns };

    if (!bytes_ends_with(timer, bytes_of(".timer")) || timer.len < 7 || clue_span_of(q, ns, CLUE_BEFORE_NS) < 0)
        return;
    sbuf_add_str(&suspect, "unit: ");
    put_unit_of(g, timer, &suspect);
    sbuf_addf(&text, "%.*s elapsed then for the last time", (int)timer.len, timer.data);
    sbuf_addf(&place, STAMPS "/stamp-%.*s", (int)timer.len, timer.data);
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    f.place = sbuf_bytes(&place);
    clue_put(answer, &f);
}

static bool is_known(const struct gathered *g, size_t n)
{
    struct bytes name = bytes_basename(bytes_of(g->files[n].name));

    for (size_t i = 0; i < n; i++)
        if (bytes_equal(bytes_basename(bytes_of(g->files[i].name)), name))
            return true;
    return false;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes stamps = gathered_get(g, "stamps"), timer;
    struct clue_question q;
    uint64_t ns;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    while (stamps.len && flat_get_bytes(&stamps, &timer) == 0 && flat_get_u64(&stamps, &ns) == 0)
        put_stamp(answer, &q, g, timer, ns);
    for (size_t i = 1; i < g->count; i++) /* the first one is the stamps */
        if (!is_known(g, i))
            units_text(answer, &q, bytes_of(g->files[i].name), g->files[i].content);
    return 0;
}

const struct foreign_job clue_job_units = { "systemd's units and timers", 64 * 1024 * 1024, gather, parse, false };
