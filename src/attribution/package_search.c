/* SPDX-License-Identifier: MIT */
#include "attribution/package_search.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "foreign/rpm_database.h"
#include "util/cleanup.h"


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
                (package_databases[i].rpm && rpm_find(file, path, other, answer, &version));
    }
    if (!found || !answer->len)
        return -ENOENT;
    sbuf_add_char(answer, '\0');
    sbuf_add_bytes(answer, sbuf_bytes(&version));
    return sbuf_error(answer);
}
