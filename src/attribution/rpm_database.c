/* SPDX-License-Identifier: MIT */
#include "attribution/rpm_database.h"

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
#define RPM_FILESTATES 1029
#define RPM_FILEDIGESTS 1035
#define RPM_FILEFLAGS 1037
#define RPM_DIRINDEXES 1116
#define RPM_BASENAMES 1117
#define RPM_DIRNAMES 1118

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

void rpm_header_files(struct bytes header, void (*each)(void *data, const struct rpm_file *f), void *data)
{
    uint32_t count, dir_count, index_count, digest_count, flag_count, state_count, one;
    struct rpm_file f = { 0 };
    struct bytes bases, indexes, digests, flags, states, names;
    _cleanup_free_ struct bytes *dirs = NULL;

    if (!rpm_valid(header))
        return;
    names = rpm_tag(header, RPM_NAME, &one);
    f.package = next_string(&names);
    names = rpm_tag(header, RPM_DIRNAMES, &dir_count);
    dirs = all_strings(names, dir_count, &dir_count);
    bases = rpm_tag(header, RPM_BASENAMES, &count);
    indexes = rpm_tag(header, RPM_DIRINDEXES, &index_count);
    digests = rpm_tag(header, RPM_FILEDIGESTS, &digest_count);
    flags = rpm_tag(header, RPM_FILEFLAGS, &flag_count);
    states = rpm_tag(header, RPM_FILESTATES, &state_count);
    for (uint32_t i = 0; dirs && f.package.len && i < count && i < index_count; i++) {
        uint32_t d = number_at(indexes, index_count, i), flag = number_at(flags, flag_count, i);

        f.name = next_string(&bases);
        if (!f.name.data || (uint64_t)i * 4 + 4 > indexes.len)
            return;
        f.digest = i < digest_count ? next_string(&digests) : BYTES_NULL;
        if (flag & FLAG_CONFIG)
            f.digest = BYTES_NULL; /* it is there to be changed */
        /* what is not there by the package's own word: made at run time, left out by a choice of languages */
        if (d >= dir_count || (flag & FLAG_NOT_PACKED) || (i < state_count && i < states.len && states.data[i] != 0))
            continue;
        f.directory = dirs[d];
        each(data, &f);
    }
}

void rpm_files(struct bytes file, struct bytes directory, void (*each)(void *data, const struct rpm_file *f), void *data)
{
    _cleanup_sbuf_ struct sbuf from = SBUF_INIT, to = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    sqlite3 *db;

    if (foreign_database_open(file, VALUE_MAX, 10 * SQLITE_STEPS, &db) < 0)
        return;
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
        while (sqlite3_step(s) == SQLITE_ROW)
            rpm_header_files((struct bytes){ sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0) }, each, data);
        sqlite3_finalize(s);
    }
    sqlite3_close(db);
}
