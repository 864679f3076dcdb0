/* SPDX-License-Identifier: MIT */
#include "attribution/owner_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>
#include <uthash.h>

#include "util/arena.h"
#include "util/cleanup.h"

#define LIST_MAX (4 * 1024 * 1024)        /* one package's list; linux-headers has 1.5 MB */
#define LISTS_MAX (64 * 1024 * 1024)      /* all lists of one question */
#define STATUS_MAX (16 * 1024 * 1024)     /* dpkg's status of 3000 packages is 4 MB */
#define INSTALLED_MAX (32 * 1024 * 1024)  /* apk's of 500 packages is 3 MB */
#define RPMDB_MAX (64 * 1024 * 1024)      /* a base image's is 10 to 20 MB */
#define SQLITE_STEPS 5000000              /* of the virtual machine: some 50 ms; the database is the container's work */
#define CACHE_MAX 4096

struct answer {
    char *package, *version; /* owned; NULL: none */
    UT_hash_handle hh;
    size_t key_len;
    char key[];
};

struct image_packages {
    struct answer *answers;
};

int image_packages_new(struct image_packages **ret, struct err *err)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : err_set(err, -ENOMEM, "packages");
}

static void forget(struct image_packages *p)
{
    struct answer *a, *next;

    HASH_ITER(hh, p->answers, a, next) {
        HASH_DEL(p->answers, a);
        free(a->package);
        free(a->version);
        free(a);
    }
}

void image_packages_free(struct image_packages *p)
{
    if (!p)
        return;
    forget(p);
    free(p);
}

/* ---- text ---- */

static struct bytes next_line(struct bytes *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct bytes line = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    size_t step = line.len + (end ? 1 : 0);

    *rest = (struct bytes){ rest->data + step, rest->len - step };
    return line;
}

static bool has_line(struct bytes text, struct bytes wanted)
{
    while (text.len)
        if (bytes_equal(next_line(&text), wanted))
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
        struct bytes line = next_line(&status), value = after(line, "Package: ");

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

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);

    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* "<digest>  <path without its slash>": Google's distroless images keep only these. */
static bool has_digest_of(struct bytes text, struct bytes path)
{
    struct bytes bare = { path.data + 1, path.len - 1 };

    while (text.len) {
        struct bytes line = next_line(&text);

        if (line.len == 32 + 2 + bare.len && memcmp(line.data + 34, bare.data, bare.len) == 0)
            return true;
    }
    return false;
}

static bool dpkg_in(const struct inside *in, const char *dir, const char *suffix, struct bytes path,
                    struct bytes other, struct sbuf *name)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t n = 0, budget = LISTS_MAX;

    if (inside_list(in, dir, &names, &n) < 0)
        return false;
    for (size_t i = 0, at = 0; i < n && budget; i++, at += strlen(names.data + at) + 1) {
        const char *file = names.data + at;
        _cleanup_free_ char *text = NULL;
        char full[600];
        size_t len;
        bool found;

        if (!ends_with(file, suffix) || snprintf(full, sizeof(full), "%s/%s", dir, file) >= (int)sizeof(full) ||
            inside_read(in, full, LIST_MAX, &text, &len) < 0)
            continue;
        budget -= MIN(budget, len);
        found = strcmp(suffix, ".list") == 0
                    ? has_line((struct bytes){ text, len }, path) ||
                          (other.len && has_line((struct bytes){ text, len }, other))
                    : has_digest_of((struct bytes){ text, len }, path) ||
                          (other.len && has_digest_of((struct bytes){ text, len }, other));
        if (found) {
            size_t bare = strcspn(file, ":"); /* libc6:amd64.list */

            sbuf_add(name, file, MIN(bare, strlen(file) - strlen(suffix)));
            return true;
        }
    }
    return false;
}

static bool find_dpkg(const struct inside *in, struct bytes path, struct bytes other, struct sbuf *name,
                      struct sbuf *version)
{
    _cleanup_free_ char *status = NULL;
    char file[600];
    size_t len;

    if (dpkg_in(in, "/var/lib/dpkg/info", ".list", path, other, name)) {
        if (inside_read(in, "/var/lib/dpkg/status", STATUS_MAX, &status, &len) == 0)
            dpkg_version((struct bytes){ status, len }, sbuf_bytes(name), version);
        return true;
    }
    if (!dpkg_in(in, "/var/lib/dpkg/status.d", ".md5sums", path, other, name))
        return false;
    if (snprintf(file, sizeof(file), "/var/lib/dpkg/status.d/%s", sbuf_str(name)) < (int)sizeof(file) &&
        inside_read(in, file, STATUS_MAX, &status, &len) == 0)
        dpkg_version((struct bytes){ status, len }, sbuf_bytes(name), version);
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
        struct bytes line = next_line(&text);

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

static bool find_apk(const struct inside *in, const char *file, struct bytes path, struct bytes other,
                     struct sbuf *name, struct sbuf *version)
{
    _cleanup_free_ char *text = NULL;
    size_t len;

    if (inside_read(in, file, INSTALLED_MAX, &text, &len) < 0)
        return false;
    return apk_search((struct bytes){ text, len }, path, name, version) ||
           (other.len && apk_search((struct bytes){ text, len }, other, name, version));
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

static struct bytes nth_string(struct bytes strings, uint32_t n)
{
    struct bytes s = next_string(&strings);

    while (n-- && s.data)
        s = next_string(&strings);
    return s;
}

bool rpm_header_has(struct bytes header, struct bytes path, struct sbuf *name, struct sbuf *version)
{
    struct bytes bases, dirs, indexes, base = bytes_basename(path), dir = { path.data, path.len - base.len };
    uint32_t count, dir_count, index_count, one;

    if (!rpm_valid(header))
        return false;
    bases = rpm_tag(header, RPM_BASENAMES, &count);
    dirs = rpm_tag(header, RPM_DIRNAMES, &dir_count);
    indexes = rpm_tag(header, RPM_DIRINDEXES, &index_count);
    for (uint32_t i = 0; i < count && i < index_count; i++) {
        struct bytes s = next_string(&bases);

        if (!s.data || (uint64_t)i * 4 + 4 > indexes.len)
            return false;
        if (!bytes_equal(s, base) || !bytes_equal(nth_string(dirs, be32(indexes.data + (size_t)i * 4)), dir))
            continue;
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
    return false;
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

/* The file is the container's: it is read into memory, nothing is opened beside it, its views and triggers
 * may not call functions, and the time is bounded. */
static bool find_rpm(const struct inside *in, const char *file, struct bytes path, struct bytes other,
                     struct sbuf *name, struct sbuf *version)
{
    _cleanup_free_ char *data = NULL;
    sqlite3 *db = NULL;
    bool found = false;
    size_t len;

    if (inside_read(in, file, RPMDB_MAX, &data, &len) < 0 || len < 100)
        return false;
    data[18] = data[19] = 1; /* a database in memory has no write-ahead log */
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_deserialize(db, "main", (unsigned char *)data, (sqlite3_int64)len, (sqlite3_int64)len,
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

/* ---- which of them ---- */

/* clang-format off */
static const struct {
    const char *file; /* changes with every package that is installed */
    bool apk, rpm;
} databases[] = {
    { "/var/lib/dpkg/status",                 false, false },
    { "/lib/apk/db/installed",                true,  false },
    { "/usr/lib/apk/db/installed",            true,  false }, /* Alpine 3.22 */
    { "/var/lib/rpm/rpmdb.sqlite",            false, true },
    { "/usr/lib/sysimage/rpm/rpmdb.sqlite",   false, true },
};
/* clang-format on */

/* The state of the databases that are there. The time of change is the kernel's, not to be set. */
static void add_state(const struct inside *in, struct sbuf *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
        struct stat st;

        if (inside_stat(in, databases[i].file, &st) == 0)
            sbuf_addf(key, "%zu:%llu:%lld:%lld.%09ld;", i, (unsigned long long)st.st_ino, (long long)st.st_size,
                      (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    }
}

static void search(const struct inside *in, struct bytes path, struct sbuf *name, struct sbuf *version)
{
    char buffer[4200];
    struct bytes other = alias(path, buffer, sizeof(buffer));

    if (find_dpkg(in, path, other, name, version))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(databases); i++)
        if ((databases[i].apk && find_apk(in, databases[i].file, path, other, name, version)) ||
            (databases[i].rpm && find_rpm(in, databases[i].file, path, other, name, version)))
            return;
}

int image_packages_find(struct image_packages *p, const struct inside *in, struct bytes path,
                        struct bytes *ret_package, struct bytes *ret_version)
{
    _cleanup_sbuf_ struct sbuf key = SBUF_INIT;
    struct answer *a = NULL;

    if (!path.len || path.data[0] != '/' || path.len > 4096 || memchr(path.data, '\n', path.len))
        return -ENOENT;
    add_state(in, &key);
    if (key.len) {
        sbuf_add_bytes(&key, path);
        if (sbuf_error(&key))
            return -ENOMEM;
        HASH_FIND(hh, p->answers, key.data, key.len, a);
    }
    if (!a) {
        _cleanup_sbuf_ struct sbuf name = SBUF_INIT, version = SBUF_INIT;

        if (HASH_COUNT(p->answers) >= CACHE_MAX)
            forget(p);
        search(in, path, &name, &version);
        if (!key.len) { /* distroless: no file that tells of a change; there are few lists */
            sbuf_add_str(&key, "?");
            HASH_FIND(hh, p->answers, key.data, key.len, a);
            if (a) {
                HASH_DEL(p->answers, a);
                free(a->package);
                free(a->version);
                free(a);
            }
        }
        a = calloc(1, sizeof(*a) + key.len);
        if (!a)
            return -ENOMEM;
        a->key_len = key.len;
        memcpy(a->key, key.data, key.len);
        a->package = name.len ? sbuf_steal(&name) : NULL;
        a->version = version.len ? sbuf_steal(&version) : NULL;
        HASH_ADD_KEYPTR(hh, p->answers, a->key, a->key_len, a);
    }
    if (!a->package)
        return -ENOENT;
    *ret_package = bytes_of(a->package);
    *ret_version = bytes_of(a->version);
    return 0;
}
