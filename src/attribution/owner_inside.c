/* SPDX-License-Identifier: MIT */
#include "attribution/owner_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sqlite3.h>
#include <uthash.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define LIST_MAX (4 * 1024 * 1024)        /* one package's list; linux-headers has 1.5 MB */
#define GATHER_MAX (192 * 1024 * 1024)    /* all files of one question */
#define STATUS_MAX (16 * 1024 * 1024)     /* dpkg's status of 3000 packages is 4 MB */
#define INSTALLED_MAX (32 * 1024 * 1024)  /* apk's of 500 packages is 3 MB */
#define RPMDB_MAX (64 * 1024 * 1024)      /* a base image's is 10 to 20 MB */
#define SQLITE_STEPS 5000000              /* of the virtual machine: some 50 ms; the database is the container's work */
#define CACHE_MAX 4096

#define STATES_MAX 256                    /* containers whose databases' state is remembered; the oldest go first */
#define LOOK_AGAIN_NS NS_PER_S            /* the databases are looked at for changes so often */
#define DISTRUST_NS (60 * NS_PER_S)       /* a container whose files did not answer is not asked for so long */
#define WAIT_MS 300                       /* for an answer, before the event goes on without; it is kept when it comes */
#define STATE_MS 1000                     /* a worker's deadline: to look at the databases' state */
#define SEARCH_MS 5000                    /* and to search them */

struct inside_answer {
    char *package, *version; /* owned; NULL: none */
    bool known;
    UT_hash_handle hh;
    size_t key_len;
    char key[];
};

/* The state of one container's databases, by its id, or by where its files are. */
struct database_state {
    struct foreign_pending pending;
    char *text; /* owned; NULL: not known */
    size_t len;
    struct foreign_pending search; /* one at a time */
    char *searched;                /* the path; owned */
    uint64_t looked_ns, distrusted_until_ns;
    UT_hash_handle hh;
    size_t key_len;
    char key[];
};

struct image_packages {
    struct inside_answer *answers;
    struct database_state *states; /* in the order of their making */
};

int image_packages_new(struct image_packages **ret, struct err *err)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : err_set(err, -ENOMEM, "packages");
}

static char *memdup(struct bytes b)
{
    return strndup(b.data ? b.data : "", b.len);
}

static void forget_answers(struct image_packages *p)
{
    struct inside_answer *a, *next;

    HASH_ITER(hh, p->answers, a, next) {
        HASH_DEL(p->answers, a);
        free(a->package);
        free(a->version);
        free(a);
    }
}

static void forget_state(struct image_packages *p, struct database_state *s)
{
    HASH_DEL(p->states, s);
    foreign_pending_done(&s->pending);
    foreign_pending_done(&s->search);
    free(s->searched);
    free(s->text);
    free(s);
}

void image_packages_free(struct image_packages *p)
{
    if (!p)
        return;
    forget_answers(p);
    while (p->states)
        forget_state(p, p->states);
    free(p);
}

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

/* ---- in the worker ---- */

static int gather_state(struct bytes place, struct gathered *g)
{
    struct inside in = INSIDE_NONE;
    struct sbuf key = SBUF_INIT;
    struct stat st;
    size_t len;
    int r = inside_open(place, &in);

    if (r < 0)
        return r;
    add_state(&in, &key);
    if (!key.len && in.root >= 0 && fstat(in.root, &st) == 0) /* distroless: nothing that changes with its packages */
        sbuf_addf(&key, "%llu:%llu;", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    inside_done(&in);
    len = key.len;
    return len ? gathered_add(g, "state", sbuf_steal(&key), len) : -ENOENT;
}

static const struct foreign_job state_job = { "the package lists of a container", 64 * 1024, gather_state, NULL, false };

static int gather_file(const struct inside *in, const char *path, const char *name, size_t max, struct gathered *g)
{
    char *text;
    size_t len;
    int r = inside_read(in, path, max, &text, &len);

    return r < 0 ? 0 : gathered_add(g, name, text, len); /* what is not there has no answer */
}

/* The files of a directory that end so, each as `kind` and its name; of those with an empty suffix all others. */
static int gather_lists(const struct inside *in, const char *dir, const char *suffix, char kind, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t n = 0;
    int r = 0;

    if (inside_list(in, dir, &names, &n) < 0)
        return 0;
    for (size_t i = 0, at = 0; i < n && r == 0; i++, at += strlen(names.data + at) + 1) {
        const char *file = names.data + at;
        char *name, full[600];

        if (*suffix ? !ends_with(file, suffix) : ends_with(file, ".md5sums"))
            continue;
        if (snprintf(full, sizeof(full), "%s/%s", dir, file) >= (int)sizeof(full))
            continue;
        if (asprintf(&name, "%c%s", kind, file) < 0)
            return -ENOMEM;
        r = gather_file(in, full, name, LIST_MAX, g);
    }
    return r;
}

/* The path that is looked for, NUL, the place. */
static int gather_databases(struct bytes request, struct gathered *g)
{
    size_t path_len = strnlen(request.data, request.len);
    struct inside in = INSIDE_NONE;
    int r;

    if (path_len == request.len)
        return -EINVAL;
    r = inside_open((struct bytes){ request.data + path_len + 1, request.len - path_len - 1 }, &in);
    if (r == 0)
        r = gather_file(&in, databases[0].file, "status", STATUS_MAX, g);
    if (r == 0)
        r = gather_lists(&in, "/var/lib/dpkg/info", ".list", 'L', g);
    if (r == 0)
        r = gather_lists(&in, "/var/lib/dpkg/status.d", ".md5sums", 'D', g);
    if (r == 0)
        r = gather_lists(&in, "/var/lib/dpkg/status.d", "", 'S', g);
    for (size_t i = 1; i < ARRAY_SIZE(databases) && r == 0; i++)
        r = gather_file(&in, databases[i].file, databases[i].file, databases[i].rpm ? RPMDB_MAX : INSTALLED_MAX, g);
    inside_done(&in);
    return r;
}

int image_packages_search(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf version = SBUF_INIT;
    struct bytes path = { request.data, strnlen(request.data, request.len) }, other;
    char buffer[4200];
    bool found;

    other = alias(path, buffer, sizeof(buffer));
    found = find_dpkg(g, path, other, answer, &version);
    for (size_t i = 0; i < ARRAY_SIZE(databases) && !found; i++) {
        struct bytes file = gathered_get(g, databases[i].file);

        found = (databases[i].apk && find_apk(file, path, other, answer, &version)) ||
                (databases[i].rpm && find_rpm(file, path, other, answer, &version));
    }
    if (!found || !answer->len)
        return -ENOENT;
    sbuf_add_char(answer, '\0');
    sbuf_add_bytes(answer, sbuf_bytes(&version));
    return sbuf_error(answer);
}

static const struct foreign_job search_job = { "the package lists of a container", GATHER_MAX, gather_databases,
                                               image_packages_search, false };

/* ---- asking it ---- */

static struct database_state *state_of(struct image_packages *p, struct bytes key)
{
    struct database_state *s;

    HASH_FIND(hh, p->states, key.data, key.len, s);
    if (s)
        return s;
    if (HASH_COUNT(p->states) >= STATES_MAX)
        forget_state(p, p->states);
    s = calloc(1, sizeof(*s) + key.len);
    if (!s)
        return NULL;
    s->pending = s->search = FOREIGN_PENDING_NONE;
    s->key_len = key.len;
    memcpy(s->key, key.data, key.len);
    HASH_ADD_KEYPTR(hh, p->states, s->key, s->key_len, s);
    return s;
}

/* One that did not answer in time is not waited for again soon, unless the answer comes after all: then it was
 * the machine that was busy. */
static unsigned patience(const struct database_state *s)
{
    return clock_ns(CLOCK_MONOTONIC) < s->distrusted_until_ns ? 0 : WAIT_MS;
}

static void judge(struct database_state *s, int r)
{
    s->distrusted_until_ns = r == -EAGAIN || r == -EBADMSG ? clock_ns(CLOCK_MONOTONIC) + DISTRUST_NS : 0;
}

static void look(struct database_state *s, struct bytes place)
{
    struct bytes answer;
    int r;

    if (s->pending.fd < 0 && s->looked_ns && clock_ns(CLOCK_MONOTONIC) - s->looked_ns < LOOK_AGAIN_NS)
        return;
    if (s->pending.fd < 0 && !patience(s))
        return;
    r = foreign_wait(&s->pending, &state_job, place, STATE_MS, patience(s), &answer);
    s->looked_ns = clock_ns(CLOCK_MONOTONIC);
    judge(s, r);
    if (r == -EAGAIN)
        return;
    free(s->text);
    s->text = r == 0 ? memdup(answer) : NULL;
    s->len = s->text ? answer.len : 0;
}

static void take_answer(struct inside_answer *a, struct bytes text)
{
    size_t name_len = strnlen(text.data, text.len);

    a->known = true;
    a->package = memdup((struct bytes){ text.data, name_len });
    a->version = name_len < text.len ? memdup((struct bytes){ text.data + name_len + 1, text.len - name_len - 1 }) : NULL;
}

static struct inside_answer *answer_of(struct image_packages *p, const struct database_state *s, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf key = SBUF_INIT;
    struct inside_answer *a;

    sbuf_add(&key, s->text, s->len);
    sbuf_add_bytes(&key, path);
    if (sbuf_error(&key) < 0)
        return NULL;
    HASH_FIND(hh, p->answers, key.data, key.len, a);
    if (a)
        return a;
    if (HASH_COUNT(p->answers) >= CACHE_MAX)
        forget_answers(p);
    a = calloc(1, sizeof(*a) + key.len);
    if (!a)
        return NULL;
    a->key_len = key.len;
    memcpy(a->key, key.data, key.len);
    HASH_ADD_KEYPTR(hh, p->answers, a->key, a->key_len, a);
    return a;
}

/* Waits for the search that is running, and keeps its answer. */
static void take_search(struct image_packages *p, struct database_state *s, struct bytes request, unsigned wait_ms)
{
    struct bytes text;
    int r = foreign_wait(&s->search, &search_job, request, SEARCH_MS, wait_ms, &text);
    struct inside_answer *a;

    judge(s, r);
    if (r == -EAGAIN)
        return;
    a = answer_of(p, s, bytes_of(s->searched));
    if (!a || a->known)
        return;
    if (r == 0)
        take_answer(a, text);
    else if (r != -EBUSY)
        a->known = true; /* it has none, or cannot be read: until its databases are others */
}

static void ask(struct image_packages *p, struct database_state *s, struct bytes place, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    bool same = s->searched && bytes_equal_str(path, s->searched);

    if (s->search.fd >= 0) {
        take_search(p, s, BYTES_NULL, same ? patience(s) : 0);
        if (same)
            return;
    }
    if (s->search.fd >= 0 || !patience(s))
        return; /* what it holds takes too long: one question after the other would, too */
    free(s->searched);
    s->searched = memdup(path);
    sbuf_add_bytes(&request, path);
    sbuf_add_char(&request, '\0');
    sbuf_add_bytes(&request, place);
    if (s->searched)
        take_search(p, s, sbuf_bytes(&request), WAIT_MS);
}

int image_packages_find(struct image_packages *p, struct bytes id, struct bytes place, struct bytes path,
                        struct bytes *ret_package, struct bytes *ret_version)
{
    struct database_state *s;
    struct inside_answer *a;

    if (!place.len || !path.len || path.data[0] != '/' || path.len > 4096 || memchr(path.data, '\n', path.len) ||
        memchr(path.data, '\0', path.len))
        return -ENOENT;
    s = state_of(p, id.len ? id : place);
    if (!s)
        return -ENOMEM;
    look(s, place);
    a = s->text ? answer_of(p, s, path) : NULL;
    if (a && !a->known)
        ask(p, s, place, path);
    a = s->text ? answer_of(p, s, path) : NULL; /* a full cache was forgotten meanwhile */
    if (!a || !a->package)
        return -ENOENT;
    *ret_package = bytes_of(a->package);
    *ret_version = bytes_of(a->version);
    return 0;
}
