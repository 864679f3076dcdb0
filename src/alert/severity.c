/* SPDX-License-Identifier: MIT */
#include "alert/severity.h"

#include <assert.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "util/json_writer.h"
#include "util/macro.h"

#define BIT(operation) (UINT64_C(1) << (operation))
#define GONE (BIT(OPERATION_UNLINK) | BIT(OPERATION_RMDIR) | BIT(OPERATION_REPLACE))
#define CONTENTS (BIT(OPERATION_WRITE) | BIT(OPERATION_TRUNCATE))
#define NEW (BIT(OPERATION_CREATE) | BIT(OPERATION_MKDIR) | BIT(OPERATION_MKNOD) | BIT(OPERATION_SYMLINK) | BIT(OPERATION_LINK))
#define MOUNTS (BIT(OPERATION_MOUNT) | BIT(OPERATION_UNMOUNT))
#define XATTRS (BIT(OPERATION_SETXATTR) | BIT(OPERATION_REMOVEXATTR))
#define ANY (~UINT64_C(0))
#define MANY 5       /* programs or libraries: an update by hand is two or three files */
#define VERY_MANY 50 /* files: as a burst begins */

typedef const struct bytes *own_files;

/* ---- what kind of file ---- */

static bool is_library(struct bytes name)
{
    for (size_t i = 0; i + 3 <= name.len; i++)
        if (memcmp(name.data + i, ".so", 3) == 0 && (i + 3 == name.len || name.data[i + 3] == '.'))
            return true;
    return false;
}

/* By its mode where that is known, else by its name and place. */
static bool is_program(const struct event *e, own_files own, unsigned own_count)
{
    const struct file_state *file = e->file.known & FILE_MODE ? &e->file : &e->before;
    struct bytes directory = bytes_basename(bytes_dirname(e->path));

    (void)own, (void)own_count;
    if (file->known & FILE_MODE && (file->mode & S_IFMT) && !S_ISREG(file->mode))
        return false;
    return is_library(bytes_basename(e->path)) || (file->known & FILE_MODE && file->mode & 0111) ||
           bytes_equal_str(directory, "bin") || bytes_equal_str(directory, "sbin");
}

static bool is_program_from_outside(const struct event *e, own_files own, unsigned own_count)
{
    const struct process *p = e->actor.process;

    return e->victim && p && p->origin == ORIGIN_HOST && is_program(e, own, own_count);
}

static bool is_ours(const struct event *e, own_files own, unsigned own_count)
{
    for (unsigned i = 0; !e->victim && i < own_count; i++)
        if (own[i].len && (bytes_path_covers(own[i], e->path) || (e->previous_path.len && bytes_path_covers(own[i], e->previous_path))))
            return true;
    return false;
}

static bool is_refused(const struct event *e, own_files own, unsigned own_count)
{
    (void)own, (void)own_count;
    return e->error > 0;
}

static uint32_t mode_gained(const struct event *e)
{
    if (!(e->after.known & FILE_MODE))
        return 0;
    return e->before.known & FILE_MODE ? e->after.mode & ~e->before.mode : e->after.mode;
}

static bool gains_setuid(const struct event *e, own_files own, unsigned own_count)
{
    (void)own, (void)own_count;
    return mode_gained(e) & (S_ISUID | S_ISGID);
}

static bool makes_program_writable(const struct event *e, own_files own, unsigned own_count)
{
    (void)own, (void)own_count;
    return mode_gained(e) & (S_IWGRP | S_IWOTH) && e->after.mode & 0111;
}

/* clang-format off */
static const struct severity_row rows[] = {
    { "refused", false, ANY, is_refused, SEVERITY_LOW, 0, 0, 0, 0 },
    { "own", false, ANY & ~BIT(OPERATION_READ), is_ours, SEVERITY_CRITICAL, TECHNIQUE_DEFENCES, 0, 0, 0 },
    { "set-uid", false, BIT(OPERATION_CHMOD), gains_setuid, SEVERITY_HIGH, TECHNIQUE_SETUID | TECHNIQUE_PERMISSIONS, 0, 0, 0 },
    { "temporary", true, GONE | CONTENTS | BIT(OPERATION_CHOWN), NULL, SEVERITY_LOW, 0, 0, 0, 0 },
    { "program-gone-from-outside", false, GONE | BIT(OPERATION_RENAME) | CONTENTS, is_program_from_outside, SEVERITY_HIGH, TECHNIQUE_DELETION,
      MANY, SEVERITY_CRITICAL, TECHNIQUE_DESTRUCTION },
    { "program-gone", false, GONE, is_program, SEVERITY_HIGH, TECHNIQUE_DELETION, VERY_MANY, SEVERITY_CRITICAL, TECHNIQUE_DESTRUCTION },
    { "program-writable", false, BIT(OPERATION_CHMOD), makes_program_writable, SEVERITY_HIGH, TECHNIQUE_PERMISSIONS, 0, 0, 0 },
    { "owner", false, BIT(OPERATION_CHOWN), NULL, SEVERITY_HIGH, TECHNIQUE_PERMISSIONS, 0, 0, 0 },
    { "gone", false, GONE, NULL, SEVERITY_MEDIUM, TECHNIQUE_DELETION, VERY_MANY, SEVERITY_HIGH, TECHNIQUE_DESTRUCTION },
    { "moved", false, BIT(OPERATION_RENAME), NULL, SEVERITY_MEDIUM, 0, 0, 0, 0 },
    { "contents", false, CONTENTS, NULL, SEVERITY_MEDIUM, TECHNIQUE_DATA, 0, 0, 0 },
    { "new", false, NEW, NULL, SEVERITY_MEDIUM, 0, 0, 0, 0 },
    { "mount", false, MOUNTS, NULL, SEVERITY_MEDIUM, 0, 0, 0, 0 },
    { "mode", false, BIT(OPERATION_CHMOD) | BIT(OPERATION_SETACL) | BIT(OPERATION_SETFLAGS) | BIT(OPERATION_ATTRIBUTES), NULL, SEVERITY_MEDIUM,
      TECHNIQUE_PERMISSIONS, 0, 0, 0 },
    { "times", false, BIT(OPERATION_UTIME), NULL, SEVERITY_LOW, TECHNIQUE_TIMES, 0, 0, 0 },
    { "xattr", false, XATTRS, NULL, SEVERITY_LOW, 0, 0, 0, 0 },
    { "other", false, ANY, NULL, SEVERITY_LOW, 0, 0, 0, 0 },
};
/* clang-format on */
static_assert(ARRAY_SIZE(rows) <= SEVERITY_ROWS_MAX, "a matter counts each row");

static bool fits(const struct severity_row *row, const struct event *e, const struct bytes *own, unsigned own_count, bool made)
{
    return row->operations >> e->operation & 1 && (!row->made || made) && (!row->is || row->is(e, own, own_count));
}

unsigned severity_find(const struct event *e, const struct bytes *own, unsigned own_count, bool made)
{
    unsigned i = 0;

    while (i + 1 < ARRAY_SIZE(rows) && !fits(&rows[i], e, own, own_count, made))
        i++;
    return i;
}

bool severity_depends_on_made(const struct event *e, unsigned row)
{
    for (unsigned i = 0; i < row; i++)
        if (rows[i].made && rows[i].operations >> e->operation & 1)
            return true;
    return false;
}

const struct severity_row *severity_row(unsigned index)
{
    return index < ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

void technique_write(struct sbuf *out, unsigned techniques)
{
    static const char *const ids[] = { "T1070.004", "T1070.006", "T1222.002", "T1485", "T1565.001", "T1548.001", "T1562.001" };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        if (techniques >> i & 1)
            json_element(out, bytes_of(ids[i]));
}
