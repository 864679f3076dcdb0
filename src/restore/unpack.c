/* SPDX-License-Identifier: MIT */
#include "restore/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#define PACKAGE_MAX (160 * 1024 * 1024)
#define TIMEOUT_MS 20000

/* In front of each file of an answer; its texts and its content follow. */
struct unpack_record {
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns, mode, uid, gid;
    uint32_t path_len, link_len, user_len, group_len, content_len;
    uint8_t hard_link, left_out, too_large;
};

/* ---- what a worker answers ---- */

#ifdef HAVE_LIBARCHIVE

struct unpack_wanted {
    struct bytes *paths; /* sorted */
    size_t count;
};

static int by_bytes(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, MIN(x->len, y->len));

    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static int read_wanted(struct bytes list, struct unpack_wanted *ret)
{
    size_t size = 0;

    for (size_t i = 0; i < list.len; i++)
        size += list.data[i] == '\0';
    ret->paths = calloc(size + 1, sizeof(*ret->paths));
    if (!ret->paths)
        return -ENOMEM;
    while (list.len && ret->count < size)
        ret->paths[ret->count++] = bytes_next_field(&list, '\0');
    qsort(ret->paths, ret->count, sizeof(*ret->paths), by_bytes);
    return 0;
}

/* "./usr/bin/x/" as "/usr/bin/x", written over it. */
static struct bytes plain_path(const char *text, char *room, size_t size)
{
    size_t len;

    if (!text)
        return BYTES_NULL;
    if (text[0] == '.' && text[1] == '/')
        text++;
    while (*text == '/')
        text++;
    len = (size_t)snprintf(room, size, "/%s", text);
    if (len >= size)
        return BYTES_NULL;
    while (len > 1 && room[len - 1] == '/')
        len--;
    return (struct bytes){ room, len };
}

static bool is_wanted(const struct unpack_wanted *wanted, struct bytes path)
{
    return wanted->count && bsearch(&path, wanted->paths, wanted->count, sizeof(path), by_bytes);
}

static struct unpack_record record_of(struct archive_entry *entry, struct bytes path, size_t budget)
{
    return (struct unpack_record){
        .mode = archive_entry_mode(entry), .uid = (uint32_t)archive_entry_uid(entry), .gid = (uint32_t)archive_entry_gid(entry),
        .mtime_s = archive_entry_mtime(entry), .mtime_ns = (uint32_t)archive_entry_mtime_nsec(entry),
        .path_len = (uint32_t)path.len, .left_out = archive_entry_size(entry) > (la_int64_t)budget,
    };
}

/* As long as the answer has room; what has none is only counted. */
static int add_content(struct archive *inner, struct unpack_record *record, struct sbuf *content)
{
    char block[64 * 1024];
    la_ssize_t n;

    record->size = 0;
    while ((n = archive_read_data(inner, block, sizeof(block))) > 0) {
        record->size += (uint64_t)n;
        if (record->size > UNPACK_BUDGET)
            record->too_large = 1;
        if (!record->left_out && !record->too_large)
            sbuf_add(content, block, (size_t)n);
    }
    return n < 0 ? -EBADMSG : 0;
}

/* Has it a place for that content? */
static void weigh(struct unpack_record *record, struct sbuf *content, size_t *budget)
{
    if (record->too_large || record->left_out || content->len > *budget)
        sbuf_clear(content);
    record->left_out = content->len != record->size && !record->too_large;
    record->content_len = (uint32_t)content->len;
    *budget -= content->len;
}

static int add_file(struct archive *inner, struct archive_entry *entry, struct bytes path, size_t *budget, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf content = SBUF_INIT;
    const char *hard = archive_entry_hardlink(entry), *soft = archive_entry_symlink(entry);
    char room[4096];
    struct bytes link = hard ? plain_path(hard, room, sizeof(room)) : bytes_of(soft);
    struct bytes user = bytes_of(archive_entry_uname(entry)), group = bytes_of(archive_entry_gname(entry));
    struct unpack_record record = record_of(entry, path, *budget);
    int r = 0;

    record.hard_link = hard != NULL;
    record.link_len = (uint32_t)link.len;
    record.user_len = (uint32_t)user.len;
    record.group_len = (uint32_t)group.len;
    if (hard)
        record.mode = S_IFREG | (record.mode & 07777);
    if (S_ISREG(record.mode) && !hard) {
        r = add_content(inner, &record, &content);
        weigh(&record, &content, budget);
    }
    sbuf_add(answer, (const char *)&record, sizeof(record));
    sbuf_add_bytes(answer, path);
    sbuf_add_bytes(answer, link);
    sbuf_add_bytes(answer, user);
    sbuf_add_bytes(answer, group);
    sbuf_add_bytes(answer, sbuf_bytes(&content));
    return r < 0 ? r : sbuf_error(&content) < 0 ? -ENOMEM : sbuf_error(answer);
}

static int add_files(struct archive *inner, const struct unpack_wanted *wanted, struct sbuf *answer)
{
    size_t budget = UNPACK_BUDGET;
    struct archive_entry *entry;
    char room[4096];
    int r = 0, got;

    while (r == 0 && (got = archive_read_next_header(inner, &entry)) == ARCHIVE_OK) {
        struct bytes path = plain_path(archive_entry_pathname(entry), room, sizeof(room));

        if (path.len && is_wanted(wanted, path))
            r = add_file(inner, entry, path, &budget, answer);
    }
    return r < 0 ? r : got == ARCHIVE_EOF ? 0 : -EBADMSG;
}

/* The archive in the archive: the outer one hands its bytes over. */
struct inner_bytes {
    struct archive *outer;
    char block[64 * 1024];
};

static la_ssize_t read_inner(struct archive *a, void *data, const void **ret)
{
    struct inner_bytes *i = data;

    (void)a;
    *ret = i->block;
    return archive_read_data(i->outer, i->block, sizeof(i->block));
}

/* Those that ask for no program: packages are made with no others. */
static struct archive *new_inner(void)
{
    struct archive *a = archive_read_new();

    if (!a)
        return NULL;
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_lzma(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_zstd(a);
    return a;
}

static int read_data_member(struct archive *outer, const struct unpack_wanted *wanted, struct sbuf *answer)
{
    static struct inner_bytes bytes; /* too large for a stack; a worker has one thread */
    struct archive *inner = new_inner();
    int r;

    if (!inner)
        return -ENOMEM;
    archive_read_support_format_tar(inner);
    bytes.outer = outer;
    r = archive_read_open(inner, &bytes, NULL, read_inner, NULL) == ARCHIVE_OK ? add_files(inner, wanted, answer) : -EBADMSG;
    archive_read_free(inner);
    return r;
}

static int unpack_deb(struct bytes package, const struct unpack_wanted *wanted, struct sbuf *answer)
{
    struct archive *outer = archive_read_new();
    struct archive_entry *entry;
    int r = -EBADMSG; /* until its data are found */

    if (!outer)
        return -ENOMEM;
    archive_read_support_format_ar(outer);
    (void)archive_read_open_memory(outer, package.data, package.len);
    while (archive_read_next_header(outer, &entry) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);

        if (!name || strncmp(name, "data.tar", 8) != 0)
            continue;
        r = read_data_member(outer, wanted, answer);
        break;
    }
    archive_read_free(outer);
    return r;
}

/* ---- packages of rpm ---- */

/* Names of one inode, of which the last one in the archive has the content; they lie in front of it. */
struct unpack_names {
    int64_t inode;
    unsigned seen;
    struct sbuf paths; /* each with its NUL */
};

static int add_named(const struct unpack_record *as, struct bytes path, struct bytes link, struct bytes content, struct sbuf *answer)
{
    struct unpack_record record = *as;

    record.path_len = (uint32_t)path.len;
    record.link_len = (uint32_t)link.len;
    sbuf_add(answer, (const char *)&record, sizeof(record));
    sbuf_add_bytes(answer, path);
    sbuf_add_bytes(answer, link);
    sbuf_add_bytes(answer, content);
    return sbuf_error(answer);
}

/* The content once for each of the names that were asked for. */
static int add_names(struct archive *a, struct archive_entry *entry, struct bytes names, size_t *budget, struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf content = SBUF_INIT;
    struct bytes link = bytes_of(archive_entry_symlink(entry));
    struct unpack_record record = record_of(entry, BYTES_NULL, *budget);
    int r = S_ISREG(record.mode) ? add_content(a, &record, &content) : 0;

    while (r == 0 && names.len) {
        struct unpack_record one = record;

        if (S_ISREG(record.mode))
            weigh(&one, &content, budget);
        r = add_named(&one, bytes_next_field(&names, '\0'), link, sbuf_bytes(&content), answer);
    }
    return r < 0 ? r : sbuf_error(&content) < 0 ? -ENOMEM : 0;
}

static int add_entry(struct archive *a, struct archive_entry *entry, const struct unpack_wanted *wanted, struct unpack_names *names, size_t *budget,
                     struct sbuf *answer)
{
    char room[4096];
    struct bytes path = plain_path(archive_entry_pathname(entry), room, sizeof(room));
    bool several = archive_entry_nlink(entry) > 1 && archive_entry_filetype(entry) != AE_IFDIR;
    int r;

    if (!several || archive_entry_ino64(entry) != names->inode) {
        sbuf_clear(&names->paths);
        names->seen = 0;
    }
    names->inode = archive_entry_ino64(entry);
    if (path.len && is_wanted(wanted, path)) {
        sbuf_add_bytes(&names->paths, path);
        sbuf_add_char(&names->paths, '\0');
    }
    if (sbuf_error(&names->paths) < 0)
        return -ENOMEM;
    if (several && archive_entry_size(entry) == 0 && ++names->seen < archive_entry_nlink(entry))
        return 0;
    r = names->paths.len ? add_names(a, entry, sbuf_bytes(&names->paths), budget, answer) : 0;
    sbuf_clear(&names->paths);
    return r;
}

/* A lead and two headers, which are passed over: what they say is in rpm's database; then an archive of cpio. */
static int unpack_rpm(struct bytes package, const struct unpack_wanted *wanted, struct sbuf *answer)
{
    struct unpack_names names = { .paths = SBUF_INIT };
    size_t budget = UNPACK_BUDGET;
    struct archive *a = new_inner();
    struct archive_entry *entry;
    int r = 0, got = ARCHIVE_FATAL;

    if (!a)
        return -ENOMEM;
    archive_read_support_filter_rpm(a);
    archive_read_support_format_cpio(a);
    if (archive_read_open_memory(a, package.data, package.len) == ARCHIVE_OK)
        while (r == 0 && (got = archive_read_next_header(a, &entry)) == ARCHIVE_OK)
            r = add_entry(a, entry, wanted, &names, &budget, answer);
    archive_read_free(a);
    sbuf_done(&names.paths);
    return r < 0 ? r : got == ARCHIVE_EOF ? 0 : -EBADMSG;
}

int unpack_package(struct bytes package, struct bytes asked, struct sbuf *answer)
{
    static const char lead[] = { (char)0xed, (char)0xab, (char)0xee, (char)0xdb };
    struct unpack_wanted wanted = { 0 };
    int r = read_wanted(asked, &wanted);

    if (r == 0)
        r = bytes_starts_with(package, (struct bytes){ lead, sizeof(lead) }) ? unpack_rpm(package, &wanted, answer)
                                                                            : unpack_deb(package, &wanted, answer);
    free(wanted.paths);
    return r;
}

bool unpack_is_possible(void)
{
    return true;
}

#else

int unpack_package(struct bytes package, struct bytes asked, struct sbuf *answer)
{
    (void)package;
    (void)asked;
    (void)answer;
    return -EOPNOTSUPP;
}

bool unpack_is_possible(void)
{
    return false;
}

#endif

static int gather(struct bytes request, struct gathered *g)
{
    struct bytes path = bytes_next_field(&request, '\0');
    _cleanup_close_ int at = beneath_open_host(path, 0, O_PATH), fd = at < 0 ? at : beneath_reopen_file(at);
    char *data;
    size_t len;
    int r = fd < 0 ? fd : beneath_read_fd(fd, PACKAGE_MAX, &data, &len);

    return r < 0 ? r : gathered_add(g, "package", data, len);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    (void)bytes_next_field(&request, '\0'); /* where the package is */
    return unpack_package(gathered_get(g, "package"), request, answer);
}

static const struct foreign_job job = { "the package file", PACKAGE_MAX, gather, parse, false };

int unpack_read(struct bytes package, struct bytes asked, struct sbuf *answer, struct err *err)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;

    sbuf_add_bytes(&request, package);
    sbuf_add_char(&request, '\0');
    sbuf_add_bytes(&request, asked);
    return sbuf_error(&request) < 0 ? -ENOMEM : foreign_ask(&job, sbuf_bytes(&request), TIMEOUT_MS, answer, err);
}

/* ---- reading the answer ---- */

static bool take(struct bytes *answer, size_t len, struct bytes *ret)
{
    if (len > answer->len)
        return false;
    *ret = (struct bytes){ answer->data, len };
    *answer = (struct bytes){ answer->data + len, answer->len - len };
    return true;
}

int unpack_next(struct bytes *answer, struct unpacked_file *ret)
{
    struct unpack_record record;
    struct bytes head;

    if (!answer->len)
        return 0;
    if (!take(answer, sizeof(record), &head))
        return -EBADMSG;
    memcpy(&record, head.data, sizeof(record));
    *ret = (struct unpacked_file){
        .hard_link = record.hard_link, .left_out = record.left_out, .too_large = record.too_large,
    };
    ret->st.st_mode = record.mode;
    ret->st.st_uid = record.uid;
    ret->st.st_gid = record.gid;
    ret->st.st_size = (off_t)record.size;
    ret->st.st_mtim = ret->st.st_atim = (struct timespec){ record.mtime_s, record.mtime_ns };
    if (!take(answer, record.path_len, &ret->path) || !take(answer, record.link_len, &ret->link) ||
        !take(answer, record.user_len, &ret->user) || !take(answer, record.group_len, &ret->group) ||
        !take(answer, record.content_len, &ret->content))
        return -EBADMSG;
    return ret->path.len && ret->path.data[0] == '/' && record.mtime_ns < 1000000000 ? 1 : -EBADMSG;
}
