/* SPDX-License-Identifier: MIT */
/*
 * Snapshots and backups that may still have it. Those that are directories (snapper, timeshift, rsnapshot) are asked whether the name is
 * in them, no more; those of zfs and LVM, and what restic and borg leave of their work here, are named: nothing is mounted or opened.
 */
#include "clues/copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clues/copies_btrfs.h"
#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SNAPSHOTS_MAX 2000 /* of one kind */
#define NAMED 3
#define LVM_MAX (1024 * 1024)

/* A directory of snapshots: each has what the host had below `directory`, in `inside`. */
static const struct snapshots_row {
    const char *kind;
    const char *directory; /* begins with '/': there; else of each directory above what is asked for */
    const char *inside;
} kinds[] = {
    { "snapper", ".snapshots", "/snapshot" },
    { "timeshift", "/timeshift/snapshots", "/localhost" },
    { "timeshift", "/run/timeshift/backup/timeshift/snapshots", "/localhost" },
    { "timeshift", "/run/timeshift/backup/timeshift-btrfs/snapshots", "/@" },
    { "rsnapshot", "/var/cache/rsnapshot", "/localhost" },
    { "rsnapshot", "/.snapshots", "/localhost" },
};

struct last_copy {
    char name[256];
    uint64_t ns; /* 0: none */
};

static uint64_t time_of(int fd)
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) < 0)
        return 0;
    /* when it was filled; of what snapshot tools hold in a folder of its own */
    return clock_of(st.stx_mtime);
}

static DIR *open_directory(int root, const char *path)
{
    int fd = beneath_open(root, bytes_of(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir)
        closep(&fd);
    return dir;
}

/* The newest one that has `rest`, and the oldest behind it that has not. */
static void look_into(int root, const struct snapshots_row *row, const char *directory, struct bytes rest, struct last_copy *has, struct last_copy *lacks)
{
    static struct last_copy all[SNAPSHOTS_MAX]; /* too large for a stack; a worker has one thread */
    static bool with[SNAPSHOTS_MAX];
    _cleanup_closedir_ DIR *dir = open_directory(root, directory);
    struct dirent *entry;
    size_t n = 0;

    *has = *lacks = (struct last_copy){ .ns = 0 };
    while (dir && n < SNAPSHOTS_MAX && (entry = readdir(dir))) {
        _cleanup_close_ int own = -EBADF, inner = -EBADF, fd = -EBADF;
        char path[CLUE_PATH_MAX];

        if (entry->d_name[0] == '.' || (size_t)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= sizeof(path) ||
            (own = beneath_open(root, bytes_of(path), O_PATH | O_NOFOLLOW | O_DIRECTORY)) < 0)
            continue;
        inner = beneath_open(own, bytes_of(row->inside + 1), O_PATH | O_NOFOLLOW | O_DIRECTORY);
        if (inner < 0 || !(all[n].ns = time_of(own)))
            continue;
        fd = rest.len ? beneath_open(inner, rest, O_PATH | O_NOFOLLOW) : dup(inner);
        with[n] = fd >= 0;
        snprintf(all[n++].name, sizeof(all[0].name), "%s", entry->d_name);
    }
    for (size_t i = 0; i < n; i++)
        if (with[i] && all[i].ns > has->ns)
            *has = all[i];
    for (size_t i = 0; i < n; i++)
        if (!with[i] && all[i].ns > has->ns && (!lacks->ns || all[i].ns < lacks->ns))
            *lacks = all[i];
}

static void put_snapshot(struct sbuf *out, int root, const struct clue_question *q, const struct snapshots_row *row, const char *directory,
                         struct bytes rest)
{
    struct clue_fact f = { .kind = CLUE_KEPT, .marks = CLUE_STILL, .path = q->path };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct last_copy has, lacks;

    look_into(root, row, directory, rest, &has, &lacks);
    if (!has.ns)
        return;
    sbuf_addf(&text, "a snapshot of %s has it: %s/%s%s%s%.*s", row->kind, directory, has.name, row->inside, rest.len ? "/" : "", (int)rest.len,
              rest.data);
    if (lacks.ns)
        sbuf_addf(&text, "; the next one, %s, has not", lacks.name);
    f.from_ns = has.ns;
    f.to_ns = lacks.ns;
    f.text = sbuf_bytes(&text);
    clue_put(out, &f);
}

static void put_named(struct sbuf *out, struct bytes place, const char *text)
{
    struct clue_fact f = { .kind = CLUE_BACKUP, .text = bytes_of(text), .place = place };

    clue_put(out, &f);
}

/* The last names of a directory, and how many there are. */
static unsigned names_of(int root, const char *path, struct sbuf *names)
{
    _cleanup_closedir_ DIR *dir = open_directory(root, path);
    struct dirent *entry;
    unsigned n = 0;

    while (dir && n < 100000 && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (n++ < NAMED)
            sbuf_addf(names, "%s%s", n > 1 ? ", " : "", entry->d_name);
    }
    if (n > NAMED)
        sbuf_add_str(names, ", ...");
    return n;
}

/* What each directory above may have: ".snapshots" of snapper, ".zfs". */
static void look_above(struct sbuf *out, int root, const struct clue_question *q)
{
    struct bytes above = q->path;

    while (above.len > 1) {
        _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
        char path[CLUE_PATH_MAX], text[CLUE_TEXT_MAX];
        struct bytes rest;
        unsigned n;

        above = bytes_dirname(above);
        rest = (struct bytes){ q->path.data + above.len + (above.len > 1), q->path.len - above.len - (above.len > 1) };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            if (kinds[i].directory[0] == '/' || above.len > 3000)
                continue;
            snprintf(path, sizeof(path), "%.*s%s%s", (int)above.len, above.data, above.len > 1 ? "/" : "", kinds[i].directory);
            put_snapshot(out, root, q, &kinds[i], path, rest);
        }
        snprintf(path, sizeof(path), "%.*s%s.zfs/snapshot", (int)MIN(above.len, (size_t)3000), above.data, above.len > 1 ? "/" : "");
        n = names_of(root, path, &names);
        if (n) {
            snprintf(text, sizeof(text), "zfs has %u snapshot%s here (%s), each in a directory of that name", n, n == 1 ? "" : "s",
                     sbuf_str(&names));
            put_named(out, bytes_of(path), text);
        }
    }
}

/* What restic and borg leave in a home directory. */
static int gather_home(struct gathered *g, int root, const char *home)
{
    static const struct {
        const char *below, *says;
    } rows[] = {
        { "/.cache/restic", "restic makes backups from here: `restic find` looks for a name in all of them" },
        { "/.cache/borg", "borg makes backups from here: `borg list` names them" },
        { "/.config/borg/security", "borg makes backups from here: `borg list` names them" },
        { "/.duplicity", "duplicity makes backups from here: `duplicity list-current-files` lists one" },
        { "/.cache/duplicity", "duplicity makes backups from here: `duplicity list-current-files` lists one" },
        { "/.config/kopia", "kopia makes backups from here: `kopia snapshot list` names them" },
    };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    const char *said = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
        char path[512];

        snprintf(path, sizeof(path), "%s%s", home, rows[i].below);
        if ((said && strcmp(said, rows[i].says) == 0) || !names_of(root, path, &names))
            continue;
        put_named(&out, bytes_of(path), rows[i].says);
        said = rows[i].says;
    }
    return out.len ? clue_gather_text(g, CLUE_ANSWER, &out) : 0;
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    int r;

    if (root < 0)
        return root;
    if (!q.host_path.len) {
        look_above(&out, root, &q);
        copies_btrfs(&out, root, &q);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
            if (kinds[i].directory[0] == '/')
                put_snapshot(&out, root, &q, &kinds[i], kinds[i].directory, (struct bytes){ q.path.data + 1, q.path.len - 1 });
    }
    r = out.len ? clue_gather_text(g, CLUE_ANSWER, &out) : 0;
    if (r == 0)
        r = clue_gather_homes(g, gather_home);
    if (r == -ENOENT)
        r = 0;
    if (r == 0)
        r = clue_gather_directory(g, root, "/etc/lvm/backup", NULL, 64, LVM_MAX);
    return r == 0 && !g->count ? -ENOENT : r;
}

/* ---- pure ---- */

/* "origin = "root"" -> root; empty: not that key */
static struct bytes value_of(struct bytes line, const char *key)
{
    struct bytes rest = line, word = bytes_next_word(&rest), equals = bytes_next_word(&rest), value = bytes_next_word(&rest);

    if (!bytes_equal_str(word, key) || !bytes_equal_str(equals, "=") || value.len < 3 || value.data[0] != '"')
        return BYTES_NULL;
    return (struct bytes){ value.data + 1, value.len - 2 };
}

void copies_lvm(struct sbuf *answer, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct bytes line, origin, volume = BYTES_NULL;

    while (clue_next_line(&lines, &line)) {
        struct bytes rest = line, word = bytes_next_word(&rest), next = bytes_next_word(&rest);
        char says[CLUE_TEXT_MAX];

        if (bytes_equal_str(next, "{") && !bytes_starts_with(word, bytes_of("segment")))
            volume = word;
        origin = value_of(line, "origin");
        if (!origin.len)
            continue;
        snprintf(says, sizeof(says), "LVM has a snapshot of the volume %.*s (%.*s): mounted read-only it shows what was there", (int)MIN(origin.len, (size_t)100),
                 origin.data, (int)MIN(volume.len, (size_t)100), volume.data);
        put_named(answer, clue_place(&place, name, lines.number), says);
    }
}

static void one_file(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    (void)q;
    copies_lvm(answer, name, text);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_files(request, g, answer, one_file);
}

const struct foreign_job clue_job_copies = { "snapshots and backups", 16 * 1024 * 1024, gather, parse, false };
