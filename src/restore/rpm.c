/* SPDX-License-Identifier: MIT */
/* What rpm has on record of the host's packages: its database is understood by a worker without rights (foreign/rpm_database.h). */
#include "restore/rpm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "foreign/foreign.h"
#include "foreign/rpm_database.h"
#include "restore/stage.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#define DATABASE_MAX (160 * 1024 * 1024)
#define TIMEOUT_MS 20000
#define RECORDS_MAX 1000000

/* In front of each file of an answer; its texts follow, those of its package with the first one of it. */
struct rpm_record {
    uint32_t number, mode, digest_kind; /* as struct rpm_file has them */
    uint32_t name_len, version_len, release_len, architecture_len, path_len, digest_len, link_len, user_len, group_len;
    uint8_t config, capabilities;
};

struct rpm_entry {
    struct rpm_record record;
    struct bytes name, version, release, architecture, path, digest, link, user, group;
};

/* ---- what a worker answers ---- */

struct rpm_answering {
    struct sbuf *out;
    struct bytes wanted;
    uint32_t base, last; /* packages of the questions before; the highest number of this one */
    uint32_t named;      /* the last one whose texts were given */
    unsigned records;
};

static void add_record(struct rpm_answering *a, struct rpm_record *record, const struct rpm_file *f)
{
    if (a->named == record->number) {
        sbuf_add(a->out, (const char *)record, sizeof(*record));
        return;
    }
    a->named = record->number;
    record->name_len = (uint32_t)f->package.len;
    record->version_len = (uint32_t)f->version.len;
    record->release_len = (uint32_t)f->release.len;
    record->architecture_len = (uint32_t)f->architecture.len;
    sbuf_add(a->out, (const char *)record, sizeof(*record));
    sbuf_add_bytes(a->out, f->package);
    sbuf_add_bytes(a->out, f->version);
    sbuf_add_bytes(a->out, f->release);
    sbuf_add_bytes(a->out, f->architecture);
}

static void on_file(void *data, const struct rpm_file *f)
{
    struct rpm_answering *a = data;
    char room[PATH_MAX];
    int n = snprintf(room, sizeof(room), "%.*s%.*s", (int)MIN(f->directory.len, sizeof(room)), f->directory.data,
                     (int)MIN(f->name.len, sizeof(room)), f->name.data);
    struct bytes path = { room, n > 0 ? (size_t)n : 0 };
    struct rpm_record record = {
        .number = a->base + f->number, .mode = f->mode, .digest_kind = f->digest_kind, .digest_len = (uint32_t)f->digest.len,
        .link_len = (uint32_t)f->link.len, .user_len = (uint32_t)f->user.len, .group_len = (uint32_t)f->group.len, .config = f->config, .capabilities = f->capabilities,
    };

    a->last = MAX(a->last, record.number);
    while (path.len > 1 && room[path.len - 1] == '/')
        path.len--; /* the root directory's own */
    record.path_len = (uint32_t)path.len;
    if (n < 1 || (size_t)n >= sizeof(room) || room[0] != '/' || !bytes_path_covers(a->wanted, path) || a->records++ >= RECORDS_MAX)
        return;
    add_record(a, &record, f);
    sbuf_add_bytes(a->out, path);
    sbuf_add_bytes(a->out, f->digest);
    sbuf_add_bytes(a->out, f->link);
    sbuf_add_bytes(a->out, f->user);
    sbuf_add_bytes(a->out, f->group);
}

static int gather(struct bytes request, struct gathered *g)
{
    static const char *const paths[] = { "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite" };
    int fd = -ENOENT;

    (void)request;
    for (size_t i = 0; i < ARRAY_SIZE(paths) && fd == -ENOENT; i++) {
        _cleanup_close_ int at = beneath_open_host(bytes_of(paths[i]), 0, O_PATH);
        _cleanup_close_ int own = at < 0 ? at : beneath_reopen_file(at);
        char *data;
        size_t len;
        int r = own < 0 ? own : beneath_read_fd(own, DATABASE_MAX, &data, &len);

        if (r == 0)
            return gathered_add(g, "database", data, len);
        fd = r == -ENOTDIR ? -ENOENT : r;
    }
    return fd;
}

/* request: the paths that are asked about, each with a NUL behind it. */
static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct rpm_answering a = { .out = answer };
    int r = 0;

    while (r == 0 && request.len) {
        a.wanted = bytes_next_field(&request, '\0');
        a.base = a.last;
        r = rpm_files(gathered_get(g, "database"), bytes_dirname(a.wanted), on_file, &a);
    }
    if (r < 0)
        return r;
    return sbuf_error(answer) < 0 ? -ENOMEM : a.records > RECORDS_MAX || answer->len > FOREIGN_ANSWER_MAX ? -EFBIG : 0;
}

static const struct foreign_job job = { "rpm's database", DATABASE_MAX, gather, parse, false };

/* ---- reading the answer ---- */

static bool take(struct bytes *rest, size_t len, struct bytes *ret)
{
    if (len > rest->len)
        return false;
    *ret = (struct bytes){ rest->data, len };
    *rest = (struct bytes){ rest->data + len, rest->len - len };
    return true;
}

static bool entry_at(struct bytes *rest, struct rpm_entry *ret)
{
    struct rpm_record *r = &ret->record;
    struct bytes head;

    if (!take(rest, sizeof(*r), &head))
        return false;
    memcpy(r, head.data, sizeof(*r));
    return take(rest, r->name_len, &ret->name) && take(rest, r->version_len, &ret->version) && take(rest, r->release_len, &ret->release) &&
           take(rest, r->architecture_len, &ret->architecture) && take(rest, r->path_len, &ret->path) && take(rest, r->digest_len, &ret->digest) &&
           take(rest, r->link_len, &ret->link) && take(rest, r->user_len, &ret->user) && take(rest, r->group_len, &ret->group) && ret->path.len && ret->path.data[0] == '/';
}

static struct rpm_entry entry_of(const struct package_set *set, const struct package_file *f)
{
    struct bytes rest = { set->more.data + f->more, set->more.len - f->more };
    struct rpm_entry e = { 0 };

    (void)entry_at(&rest, &e); /* it was understood before */
    return e;
}

/* ---- where its files lie ---- */

/* Directories that distributions have merged: what lies there is called otherwise in older packages. */
static const char *const merged[] = { "/bin", "/sbin", "/lib", "/lib64", "/usr/sbin", "/usr/lib64" };

struct rpm_aliases {
    char real[ARRAY_SIZE(merged)][PATH_MAX]; /* empty: it is a directory of its own */
};

static void find_aliases(struct rpm_aliases *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(merged); i++) {
        struct err ignored = ERR_INIT;

        if (stage_resolve(AT_FDCWD, bytes_of(merged[i]), ret->real[i], &ignored) < 0 || strcmp(ret->real[i], merged[i]) == 0)
            ret->real[i][0] = '\0';
    }
}

/* What is listed by another name than the one asked about is asked for by its name too. */
static void add_aliases(const struct rpm_aliases *aliases, struct bytes path, struct sbuf *request)
{
    for (size_t i = 0; i < ARRAY_SIZE(merged); i++) {
        struct bytes real = bytes_of(aliases->real[i]);

        if (!real.len || bytes_path_covers(path, bytes_of(merged[i])))
            continue;
        if (!bytes_path_covers(real, path) && !bytes_path_covers(path, real))
            continue;
        sbuf_add_str(request, merged[i]);
        if (path.len > real.len)
            sbuf_add(request, path.data + real.len, path.len - real.len);
        sbuf_add_char(request, '\0');
    }
}

static struct bytes real_path(const struct rpm_aliases *aliases, struct bytes listed, char room[PATH_MAX])
{
    size_t best = ARRAY_SIZE(merged);

    for (size_t i = 0; aliases && i < ARRAY_SIZE(merged); i++)
        if (aliases->real[i][0] && listed.len > strlen(merged[i]) && bytes_path_covers(bytes_of(merged[i]), listed))
            best = i;
    if (best == ARRAY_SIZE(merged))
        return listed;
    if (snprintf(room, PATH_MAX, "%s%.*s", aliases->real[best], (int)(listed.len - strlen(merged[best])), listed.data + strlen(merged[best])) >= PATH_MAX)
        return listed;
    return bytes_of(room);
}

/* ---- the packages ---- */

static int add_package(struct package_set *set, const struct rpm_entry *e)
{
    struct package *p = package_set_add_package(set);
    char version[300];

    if (!p)
        return -ENOMEM;
    snprintf(version, sizeof(version), "%.*s-%.*s", BYTES_SHOWN(e->version), BYTES_SHOWN(e->release));
    p->list = p->name = e->name; /* views of the answer, which the arena has */
    p->version = arena_copy(&set->arena, bytes_of(version));
    p->architecture = e->architecture;
    return p->version.data ? 0 : -ENOMEM;
}

int rpm_read_answer(struct package_set *set, const struct rpm_aliases *aliases, struct bytes path)
{
    struct bytes rest = set->more;
    struct rpm_entry e;
    uint32_t last = 0;
    int r = 0;

    while (r == 0 && rest.len) {
        struct package_file f = { .more = (uint32_t)(rest.data - set->more.data) };
        char room[PATH_MAX];

        if (!entry_at(&rest, &e))
            return -EBADMSG;
        if (!set->package_count || e.record.number != last)
            r = add_package(set, &e);
        last = e.record.number;
        f.package = (uint32_t)set->package_count - 1;
        f.listed = e.path;
        f.path = real_path(aliases, e.path, room);
        if (r == 0 && bytes_path_covers(path, f.path))
            r = package_set_add(set, &f);
    }
    return r;
}

static int rpm_find_files(struct bytes path, struct package_set *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT, answer = SBUF_INIT;
    struct package_set set = { 0 };
    struct rpm_aliases aliases;
    int r;

    find_aliases(&aliases);
    sbuf_add_bytes(&request, path);
    sbuf_add_char(&request, '\0');
    add_aliases(&aliases, path, &request);
    r = sbuf_error(&request) < 0 ? -ENOMEM : foreign_ask(&job, sbuf_bytes(&request), TIMEOUT_MS, &answer, err);
    if (r == -ENOENT)
        *err = (struct err)ERR_INIT;
    if (r < 0)
        return r;
    set.more = arena_copy(&set.arena, sbuf_bytes(&answer));
    r = answer.len && !set.more.data ? -ENOMEM : rpm_read_answer(&set, &aliases, path);
    if (r < 0) {
        package_set_done(&set);
        return err_set(err, r, "rpm's lists of files");
    }
    package_set_sort(&set);
    *ret = set;
    return 0;
}

/* ---- one file, one package ---- */

static void rpm_sum(struct package_set *set, const struct package_file *f, struct package_sum *ret)
{
    struct rpm_entry e = entry_of(set, f);

    *ret = (struct package_sum){ .hex = e.digest, .config = e.record.config, .capabilities = e.record.capabilities,
                                   .type = e.record.mode & S_IFMT, .link = e.link };
    if (!S_ISREG(e.record.mode))
        ret->kind = PACKAGE_DIGEST_NONE;
    else if (e.record.digest_kind == RPM_MD5)
        ret->kind = PACKAGE_DIGEST_MD5;
    else
        ret->kind = e.record.digest_kind == RPM_SHA256 ? PACKAGE_DIGEST_SHA256 : PACKAGE_DIGEST_OTHER;
}

static void rpm_owner(const struct package_set *set, const struct package_file *f, struct bytes *user, struct bytes *group, uint32_t *mode)
{
    struct rpm_entry e = entry_of(set, f);

    if (e.user.len)
        *user = e.user;
    if (e.group.len)
        *group = e.group;
    if (e.record.mode)
        *mode = e.record.mode & 07777;
}

/* Directories below which dnf, yum, zypper and PackageKit keep what they downloaded, where they are set to. */
static const char *const caches[] = { "/var/cache/libdnf5", "/var/cache/dnf", "/var/cache/yum", "/var/cache/zypp/packages", "/var/cache/PackageKit" };

#define CACHE_DEPTH 6
#define CACHE_FOLDERS 4000

struct search_folder {
    char *path; /* owned */
    unsigned depth;
};

static bool has_file(int dir, const char *name)
{
    _cleanup_close_ int fd = beneath_open_here(dir, name, O_PATH);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Its folders, at the end of the list. No link is followed. */
static void add_folders(DIR *dir, const char *path, unsigned depth, struct search_folder *list, size_t *count)
{
    const struct dirent *entry;

    while (*count < CACHE_FOLDERS && (entry = readdir(dir))) {
        char *below = NULL;

        if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) || entry->d_name[0] == '.')
            continue;
        if (asprintf(&below, "%s/%s", path, entry->d_name) >= 0)
            list[(*count)++] = (struct search_folder){ below, depth };
    }
}

/* In that directory or (deep) below it; the caller frees. */
static char *find_below(const char *root, const char *name, bool deep)
{
    _cleanup_free_ struct search_folder *list = calloc(CACHE_FOLDERS, sizeof(*list));
    size_t count = 0;
    char *found = NULL;

    if (list && (list[0].path = strdup(root)))
        count = 1;
    for (size_t i = 0; i < count; i++) {
        int fd = found ? -EBADF : beneath_open_host(bytes_of(list[i].path), i ? strlen(root) : 0, O_RDONLY | O_DIRECTORY);
        _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

        if (!dir)
            closep(&fd);
        if (dir && has_file(dirfd(dir), name) && asprintf(&found, "%s/%s", list[i].path, name) < 0)
            found = NULL;
        if (dir && deep && !found && list[i].depth < CACHE_DEPTH)
            add_folders(dir, list[i].path, list[i].depth + 1, list, &count);
        free(list[i].path);
    }
    return found;
}

static struct bytes rpm_archive(struct package_set *set, const struct package *p, struct bytes directory)
{
    char name[NAME_MAX + 1], root[PATH_MAX];
    int n = snprintf(name, sizeof(name), "%.*s-%.*s.%.*s.rpm", BYTES_SHOWN(p->name), BYTES_SHOWN(p->version), BYTES_SHOWN(p->architecture));
    _cleanup_free_ char *found = NULL;

    if (n >= (int)sizeof(name) || strchr(name, '/') || directory.len >= sizeof(root))
        return BYTES_NULL;
    if (directory.len) {
        snprintf(root, sizeof(root), "%.*s", (int)directory.len, directory.data);
        found = find_below(root, name, false);
    }
    for (size_t i = 0; i < ARRAY_SIZE(caches) && !directory.len && !found; i++)
        found = find_below(caches[i], name, true);
    return found ? arena_copy(&set->arena, bytes_of(found)) : BYTES_NULL;
}

static const char *rpm_again(void)
{
    static const char *const commands[][2] = { { "/usr/bin/zypper", "zypper install -f" }, { "/usr/bin/dnf", "dnf reinstall" },
                                               { "/usr/bin/yum", "yum reinstall" } };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        _cleanup_close_ int fd = beneath_open_host(bytes_of(commands[i][0]), 0, O_PATH);

        if (fd >= 0)
            return commands[i][1];
    }
    return "dnf reinstall";
}

const struct package_kind packages_rpm = { rpm_find_files, rpm_sum, rpm_owner, rpm_archive, rpm_again };
