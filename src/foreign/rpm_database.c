/* SPDX-License-Identifier: MIT */
#include "foreign/rpm_database.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "foreign/database.h"
#include "util/cleanup.h"
#include "util/load.h"

#define SQLITE_STEPS 5000000 /* some 50 ms; the database may be a container's work */
#define VALUE_MAX (16 * 1024 * 1024) /* a header */

#define RPM_NAME 1000
#define RPM_VERSION 1001
#define RPM_RELEASE 1002
#define RPM_ARCHITECTURE 1022
#define RPM_FILESTATES 1029
#define RPM_FILEMODES 1030
#define RPM_FILEDIGESTS 1035
#define RPM_FILELINKTOS 1036
#define RPM_FILEFLAGS 1037
#define RPM_FILEUSERNAME 1039
#define RPM_FILEGROUPNAME 1040
#define RPM_DIRINDEXES 1116
#define RPM_BASENAMES 1117
#define RPM_DIRNAMES 1118
#define RPM_FILECAPS 5010
#define RPM_FILEDIGESTALGO 5011

/* Where a tag's data begins, to the end of the header; count of its values. */
static struct bytes rpm_tag(struct bytes header, uint32_t tag, uint32_t *count)
{
    uint32_t entries = load_be32(header.data), len = load_be32(header.data + 4);
    size_t data = 8 + (size_t)entries * 16;

    for (uint32_t i = 0; i < entries; i++) {
        const char *e = header.data + 8 + (size_t)i * 16;
        uint32_t offset = load_be32(e + 8);

        if (load_be32(e) != tag || offset >= len)
            continue;
        *count = load_be32(e + 12);
        return (struct bytes){ header.data + data + offset, len - offset };
    }
    *count = 0;
    return BYTES_NULL;
}

/* One string of a row of them; BYTES_NULL past the end. */
static struct bytes next_string(struct bytes *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;
    struct bytes s;

    if (!end)
        return BYTES_NULL;
    s = (struct bytes){ rest->data, (size_t)(end - rest->data) };
    *rest = (struct bytes){ end + 1, rest->len - s.len - 1 };
    return s;
}

static bool rpm_valid(struct bytes header)
{
    uint64_t size;

    if (header.len < 8)
        return false;
    size = 8 + (uint64_t)load_be32(header.data) * 16 + load_be32(header.data + 4);
    return size <= header.len;
}

/* The directories' names, so that each is found at once: a header may have a million. */
static struct bytes *all_strings(struct bytes strings, uint32_t count, uint32_t *ret_count)
{
    struct bytes *all = count <= strings.len ? calloc((size_t)count + 1, sizeof(*all)) : NULL;

    *ret_count = 0;
    for (uint32_t i = 0; all && i < count; i++) {
        all[i] = next_string(&strings);
        if (!all[i].data)
            break;
        *ret_count = i + 1;
    }
    return all;
}

static bool rpm_lists(struct bytes header, struct bytes path)
{
    struct bytes bases, indexes, base = bytes_basename(path), dir = { path.data, path.len - base.len };
    uint32_t count, dir_count, index_count;
    struct bytes names = rpm_tag(header, RPM_DIRNAMES, &dir_count);
    _cleanup_free_ struct bytes *dirs = all_strings(names, dir_count, &dir_count);

    bases = rpm_tag(header, RPM_BASENAMES, &count);
    indexes = rpm_tag(header, RPM_DIRINDEXES, &index_count);
    for (uint32_t i = 0; dirs && i < count && i < index_count; i++) {
        struct bytes s = next_string(&bases);
        uint32_t d;

        if (!s.data || (uint64_t)i * 4 + 4 > indexes.len)
            return false;
        d = load_be32(indexes.data + (size_t)i * 4);
        if (d < dir_count && bytes_equal(s, base) && bytes_equal(dirs[d], dir))
            return true;
    }
    return false;
}

bool rpm_header_has(struct bytes header, struct bytes path, struct sbuf *name, struct sbuf *version)
{
    uint32_t one;
    struct bytes s;

    if (!rpm_valid(header) || !rpm_lists(header, path))
        return false;
    s = rpm_tag(header, RPM_NAME, &one);
    sbuf_add_bytes(name, next_string(&s));
    s = rpm_tag(header, RPM_VERSION, &one);
    sbuf_add_bytes(version, next_string(&s));
    s = rpm_tag(header, RPM_RELEASE, &one);
    s = next_string(&s);
    if (s.len) {
        sbuf_add_char(version, '-');
        sbuf_add_bytes(version, s);
    }
    return name->len > 0;
}

static bool rpm_ask(sqlite3 *db, struct bytes path, struct sbuf *name, struct sbuf *version)
{
    struct bytes base = bytes_basename(path);
    sqlite3_stmt *s = NULL;
    bool found = false;

    if (sqlite3_prepare_v2(db, "SELECT p.blob FROM Basenames b JOIN Packages p ON p.hnum = b.hnum WHERE b.key = ?1 LIMIT 256",
                           -1, &s, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text64(s, 1, base.data, base.len, SQLITE_STATIC, SQLITE_UTF8);
    while (!found && sqlite3_step(s) == SQLITE_ROW)
        found = rpm_header_has((struct bytes){ sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0) },
                               path, name, version);
    sqlite3_finalize(s);
    return found;
}

bool rpm_find(struct bytes file, struct bytes path, struct bytes other, struct sbuf *name, struct sbuf *version)
{
    sqlite3 *db;
    bool found;

    if (foreign_database_open(file, VALUE_MAX, SQLITE_STEPS, &db) < 0)
        return false;
    found = rpm_ask(db, path, name, version) || (other.len && rpm_ask(db, other, name, version));
    sqlite3_close(db);
    return found;
}

/* ---- lists of files ---- */

#define FLAG_CONFIG 1
#define FLAG_NOT_PACKED 64

/* The value of a row of 32-bit numbers; 0 past its end. */
static uint32_t number_at(struct bytes numbers, uint32_t count, uint32_t i)
{
    return i < count && (uint64_t)i * 4 + 4 <= numbers.len ? load_be32(numbers.data + (size_t)i * 4) : 0;
}

/* A tag's values, one a file. */
struct rpm_row {
    struct bytes rest;
    uint32_t count;
};

static struct rpm_row rpm_row(struct bytes header, uint32_t tag)
{
    struct rpm_row row;

    row.rest = rpm_tag(header, tag, &row.count);
    return row;
}

/* That of the file `i`: they are asked for one after the other. */
static struct bytes string_of(struct rpm_row *row, uint32_t i)
{
    return i < row->count ? next_string(&row->rest) : BYTES_NULL;
}

static uint32_t mode_of(const struct rpm_row *modes, uint32_t i)
{
    return i < modes->count && (uint64_t)i * 2 + 2 <= modes->rest.len ? load_be16(modes->rest.data + (size_t)i * 2) : 0;
}

static struct bytes rpm_text(struct bytes header, uint32_t tag)
{
    struct rpm_row row = rpm_row(header, tag);

    return string_of(&row, 0);
}

static struct rpm_file rpm_package(struct bytes header, uint32_t number)
{
    struct rpm_row kind = rpm_row(header, RPM_FILEDIGESTALGO);

    return (struct rpm_file){
        .number = number, .package = rpm_text(header, RPM_NAME), .version = rpm_text(header, RPM_VERSION),
        .release = rpm_text(header, RPM_RELEASE), .architecture = rpm_text(header, RPM_ARCHITECTURE),
        .digest_kind = kind.count ? number_at(kind.rest, kind.count, 0) : RPM_MD5,
    };
}

/* What one header says is installed. */
static void rpm_header_files(struct bytes header, uint32_t number, void (*each)(void *data, const struct rpm_file *f), void *data)
{
    struct rpm_row bases, indexes, digests, flags, states, modes, links, users, groups, capabilities, names;
    _cleanup_free_ struct bytes *dirs = NULL;
    struct rpm_file f;
    uint32_t dir_count;

    if (!rpm_valid(header))
        return;
    f = rpm_package(header, number);
    names = rpm_row(header, RPM_DIRNAMES);
    dirs = all_strings(names.rest, names.count, &dir_count);
    bases = rpm_row(header, RPM_BASENAMES);
    indexes = rpm_row(header, RPM_DIRINDEXES);
    digests = rpm_row(header, RPM_FILEDIGESTS);
    flags = rpm_row(header, RPM_FILEFLAGS);
    states = rpm_row(header, RPM_FILESTATES);
    modes = rpm_row(header, RPM_FILEMODES);
    links = rpm_row(header, RPM_FILELINKTOS);
    users = rpm_row(header, RPM_FILEUSERNAME);
    groups = rpm_row(header, RPM_FILEGROUPNAME);
    capabilities = rpm_row(header, RPM_FILECAPS);
    for (uint32_t i = 0; dirs && f.package.len && i < bases.count && i < indexes.count; i++) {
        uint32_t d = number_at(indexes.rest, indexes.count, i), flag = number_at(flags.rest, flags.count, i);

        f.name = string_of(&bases, i);
        if (!f.name.data || (uint64_t)i * 4 + 4 > indexes.rest.len)
            return;
        f.digest = string_of(&digests, i);
        f.link = string_of(&links, i);
        f.user = string_of(&users, i);
        f.group = string_of(&groups, i);
        f.capabilities = string_of(&capabilities, i).len > 0;
        f.mode = mode_of(&modes, i);
        f.config = flag & FLAG_CONFIG;
        /* what is not there by the package's own word: made at run time, left out by a choice of languages */
        if (d >= dir_count || (flag & FLAG_NOT_PACKED) || (i < states.count && i < states.rest.len && states.rest.data[i] != 0))
            continue;
        f.directory = dirs[d];
        each(data, &f);
    }
}

int rpm_files(struct bytes file, struct bytes directory, void (*each)(void *data, const struct rpm_file *f), void *data)
{
    _cleanup_sbuf_ struct sbuf from = SBUF_INIT, to = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    uint32_t number = 0;
    sqlite3 *db;
    int r = !file.len ? 0 : foreign_database_open(file, VALUE_MAX, 10 * SQLITE_STEPS, &db), got = SQLITE_ERROR;

    if (r < 0 || !file.len)
        return r;
    /* a directory's name ends with '/': what begins with it is before the same with the next character */
    sbuf_add_bytes(&from, directory);
    sbuf_add_bytes(&to, directory);
    if (!directory.len || directory.data[directory.len - 1] != '/')
        sbuf_add_char(&from, '/');
    else
        sbuf_truncate(&to, to.len - 1);
    sbuf_add_char(&to, '/' + 1);
    if (sqlite3_prepare_v2(db,
                           "SELECT p.blob FROM Packages p WHERE p.hnum IN (SELECT hnum FROM Dirnames WHERE key >= ?1 AND key < ?2 "
                           "UNION SELECT hnum FROM Dirnames WHERE key >= CAST(?1 AS BLOB) AND key < CAST(?2 AS BLOB))",
                           -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text64(s, 1, from.data, from.len, SQLITE_STATIC, SQLITE_UTF8);
        sqlite3_bind_text64(s, 2, to.data, to.len, SQLITE_STATIC, SQLITE_UTF8);
        while ((got = sqlite3_step(s)) == SQLITE_ROW)
            rpm_header_files((struct bytes){ sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0) }, ++number, each, data);
        sqlite3_finalize(s);
    }
    sqlite3_close(db);
    return got == SQLITE_DONE ? 0 : -EBADMSG;
}
