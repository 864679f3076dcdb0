/* SPDX-License-Identifier: MIT */
#include "attribution/package_search.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "util/cleanup.h"

#define SQLITE_STEPS 5000000              /* of the virtual machine: some 50 ms; the database is the container's work */

/* clang-format off */
const struct package_database package_databases[] = {
    { "/var/lib/dpkg/status",                 false, false },
    { "/lib/apk/db/installed",                true,  false },
    { "/usr/lib/apk/db/installed",            true,  false }, /* Alpine 3.22 */
    { "/var/lib/rpm/rpmdb.sqlite",            false, true },
    { "/usr/lib/sysimage/rpm/rpmdb.sqlite",   false, true },
    { NULL, false, false },
};
/* clang-format on */

/* ---- text ---- */

static bool has_line(struct bytes text, struct bytes wanted)
{
    while (text.len)
        if (bytes_equal(bytes_next_line(&text), wanted))
            return true;
    return false;
}

static struct bytes after(struct bytes line, const char *prefix)
{
    size_t n = strlen(prefix);

    return bytes_starts_with(line, bytes_of(prefix)) ? (struct bytes){ line.data + n, line.len - n } : BYTES_NULL;
}

/* The paths that one file may be listed by: /bin is a link to /usr/bin in most images, but lists are older. */
static struct bytes alias(struct bytes path, char *buffer, size_t size)
{
    static const char *const merged[] = { "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/" };
    struct bytes rest = after(path, "/usr");
    int n;

    for (size_t i = 0; i < ARRAY_SIZE(merged); i++) {
        if (rest.len && bytes_starts_with(rest, bytes_of(merged[i])))
            return rest;
        if (bytes_starts_with(path, bytes_of(merged[i]))) {
            n = snprintf(buffer, size, "/usr%.*s", (int)path.len, path.data);
            return n > 0 && (size_t)n < size ? (struct bytes){ buffer, (size_t)n } : BYTES_NULL;
        }
    }
    return BYTES_NULL;
}

/* ---- dpkg ---- */

static void dpkg_version(struct bytes status, struct bytes name, struct sbuf *version)
{
    bool here = false;

    while (status.len) {
        struct bytes line = bytes_next_line(&status), value = after(line, "Package: ");

        if (!line.len)
            here = false;
        else if (value.data)
            here = bytes_equal(value, name);
        else if (here && (value = after(line, "Version: ")).data) {
            sbuf_add_bytes(version, value);
            return;
        }
    }
}

/* "<digest>  <path without its slash>": Google's distroless images keep only these. */
static bool has_digest_of(struct bytes text, struct bytes path)
{
    struct bytes bare = { path.data + 1, path.len - 1 };

    while (text.len) {
        struct bytes line = bytes_next_line(&text);

        if (line.len == 32 + 2 + bare.len && memcmp(line.data + 34, bare.data, bare.len) == 0)
            return true;
    }
    return false;
}

/* Names of what is gathered: 'L' a list of paths, 'D' a list of digests, 'S' a status of its own, and the file's name. */
static bool dpkg_in(const struct gathered *g, char kind, struct bytes path, struct bytes other, struct sbuf *name)
{
    const char *suffix = kind == 'L' ? ".list" : ".md5sums";

    for (size_t i = 0; i < g->count; i++) {
        struct bytes text = g->files[i].content;
        const char *file = g->files[i].name + 1;

        if (g->files[i].name[0] != kind)
            continue;
        if (kind == 'L' ? has_line(text, path) || (other.len && has_line(text, other))
                        : has_digest_of(text, path) || (other.len && has_digest_of(text, other))) {
            size_t bare = strcspn(file, ":"); /* libc6:amd64.list */

            sbuf_add(name, file, MIN(bare, strlen(file) - strlen(suffix)));
            return true;
        }
    }
    return false;
}

static bool find_dpkg(const struct gathered *g, struct bytes path, struct bytes other, struct sbuf *name,
                      struct sbuf *version)
{
    _cleanup_sbuf_ struct sbuf own = SBUF_INIT;

    if (dpkg_in(g, 'L', path, other, name)) {
        dpkg_version(gathered_get(g, "status"), sbuf_bytes(name), version);
        return true;
    }
    if (!dpkg_in(g, 'D', path, other, name))
        return false;
    sbuf_addf(&own, "S%s", sbuf_str(name));
    dpkg_version(gathered_get(g, sbuf_str(&own)), sbuf_bytes(name), version);
    return true;
}

/* ---- apk ---- */

/* A paragraph a package: P: its name, V: its version, then F: a directory and R: files in it. */
static bool apk_search(struct bytes text, struct bytes path, struct sbuf *name, struct sbuf *version)
{
    struct bytes package = BYTES_NULL, this_version = BYTES_NULL, value;
    struct bytes dir = bytes_dirname(path), base = bytes_basename(path);
    bool in_dir = false;

    dir = dir.len > 1 ? (struct bytes){ dir.data + 1, dir.len - 1 } : bytes_of("");
    while (text.len) {
        struct bytes line = bytes_next_line(&text);

        if (!line.len)
            package = this_version = BYTES_NULL, in_dir = false;
        else if ((value = after(line, "P:")).data)
            package = value;
        else if ((value = after(line, "V:")).data)
            this_version = value;
        else if ((value = after(line, "F:")).data)
            in_dir = bytes_equal(value, dir);
        else if (in_dir && package.len && (value = after(line, "R:")).data && bytes_equal(value, base)) {
            sbuf_add_bytes(name, package);
            sbuf_add_bytes(version, this_version);
            return true;
        }
    }
    return false;
}

static bool find_apk(struct bytes text, struct bytes path, struct bytes other, struct sbuf *name, struct sbuf *version)
{
    return apk_search(text, path, name, version) || (other.len && apk_search(text, other, name, version));
}

/* ---- rpm ---- */

static uint32_t be32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

#define RPM_NAME 1000
#define RPM_VERSION 1001
#define RPM_RELEASE 1002
#define RPM_DIRINDEXES 1116
#define RPM_BASENAMES 1117
#define RPM_DIRNAMES 1118

/* Where a tag's data begins, to the end of the header; count of its values. */
static struct bytes rpm_tag(struct bytes header, uint32_t tag, uint32_t *count)
{
    uint32_t entries = be32(header.data), len = be32(header.data + 4);
    size_t data = 8 + (size_t)entries * 16;

    for (uint32_t i = 0; i < entries; i++) {
        const char *e = header.data + 8 + (size_t)i * 16;
        uint32_t offset = be32(e + 8);

        if (be32(e) != tag || offset >= len)
            continue;
        *count = be32(e + 12);
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
    size = 8 + (uint64_t)be32(header.data) * 16 + be32(header.data + 4);
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
        d = be32(indexes.data + (size_t)i * 4);
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

static int too_long(void *data)
{
    (void)data;
    return 1;
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

/* The file is the container's: nothing is opened beside it, its views and triggers may not call functions, and
 * the time is bounded. */
static bool find_rpm(struct bytes file, struct bytes path, struct bytes other, struct sbuf *name, struct sbuf *version)
{
    char *data = (char *)(uintptr_t)file.data; /* gathered for this */
    sqlite3 *db = NULL;
    bool found = false;

    if (file.len < 100)
        return false;
    data[18] = data[19] = 1; /* a database in memory has no write-ahead log */
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_deserialize(db, "main", (unsigned char *)data, (sqlite3_int64)file.len, (sqlite3_int64)file.len,
                            SQLITE_DESERIALIZE_READONLY) == SQLITE_OK) {
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024);
        sqlite3_progress_handler(db, SQLITE_STEPS, too_long, NULL);
        found = rpm_ask(db, path, name, version) || (other.len && rpm_ask(db, other, name, version));
    }
    sqlite3_close(db);
    return found;
}

int image_packages_search(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf version = SBUF_INIT;
    struct bytes path = { request.data, strnlen(request.data, request.len) }, other;
    char buffer[4200];
    bool found;

    other = alias(path, buffer, sizeof(buffer));
    found = find_dpkg(g, path, other, answer, &version);
    for (size_t i = 0; package_databases[i].file && !found; i++) {
        struct bytes file = gathered_get(g, package_databases[i].file);

        found = (package_databases[i].apk && find_apk(file, path, other, answer, &version)) ||
                (package_databases[i].rpm && find_rpm(file, path, other, answer, &version));
    }
    if (!found || !answer->len)
        return -ENOENT;
    sbuf_add_char(answer, '\0');
    sbuf_add_bytes(answer, sbuf_bytes(&version));
    return sbuf_error(answer);
}
