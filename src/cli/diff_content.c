/* SPDX-License-Identifier: MIT */
#include "cli/diff_content.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "copies/large.h"
#include "copies/lives.h"
#include "copies/spans.h"
#include "event/ecs.h"
#include "foreign/unified.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"

#define DIFF_MAX (1024 * 1024)

/* One side of a comparison. */
struct side {
    bool there, known; /* known: its content, or a link's target */
    uint64_t time_ns;  /* of the copy; 0: now */
    mode_t mode;
    uint64_t size;
    char *data;        /* owned; NULL: not known */
    bool summed;       /* its sum is known, whatever is known of its content */
    unsigned char sha256[SHA256_DIGEST_LENGTH];
};

struct content_diff {
    const struct diff_content *asked;
    struct copies copies;
    struct kept_path *oldest, *before; /* before: only where a time was given */
    struct kept_path *after;            /* as the last copies have it, or at the later time */
    struct sbuf out;
    unsigned differ, unknown;
};

static void side_done(struct side *s)
{
    free(s->data);
}

/* ---- what they are ---- */

static int take_text(struct side *s, struct bytes text)
{
    s->data = malloc(text.len + 1);
    if (!s->data)
        return -ENOMEM;
    memcpy(s->data, text.len ? text.data : "", text.len);
    s->data[text.len] = '\0';
    s->size = text.len;
    s->known = true;
    return 0;
}

static int side_of_copy(const struct copies *c, const struct kept_path *p, struct side *ret)
{
    const struct copy *copy = p && !p->gone_ns ? p->newest : NULL;
    int r;

    *ret = (struct side){ .there = copy != NULL };
    if (!copy)
        return 0;
    ret->time_ns = copy->record.time_ns;
    ret->mode = copy->record.mode;
    ret->size = copy->record.size;
    if (S_ISLNK(ret->mode))
        return take_text(ret, copy->link);
    if (!S_ISREG(ret->mode))
        return 0;
    if (copy->record.flags & COPY_LARGE) {
        ret->summed = true;
        memcpy(ret->sha256, copy->record.sha256, sizeof(ret->sha256));
        return 0;
    }
    r = copies_content(c, copy, &ret->data);
    ret->known = r == 0;
    return r == -ENOMEM ? r : 0;
}

/* other: what it will be compared with. */
static int side_of_now(const char *path, const struct side *other, struct side *ret)
{
    _cleanup_close_ int at = beneath_open_plain(AT_FDCWD, path, O_PATH), fd = -EBADF;
    char link[PATH_MAX];
    struct stat st;
    size_t len;
    ssize_t n;

    *ret = (struct side){ .there = at >= 0 };
    if (at < 0 || fstat(at, &st) < 0)
        return at == -ENOENT || at == -ENOTDIR || at == -ELOOP ? 0 : at;
    ret->mode = st.st_mode;
    ret->size = (uint64_t)st.st_size;
    if (S_ISLNK(st.st_mode)) {
        n = readlinkat(at, "", link, sizeof(link));
        return n < 0 ? 0 : take_text(ret, (struct bytes){ link, (size_t)n });
    }
    if (!S_ISREG(st.st_mode) || (st.st_size > COPIES_FILE_MAX && !other->summed) || (fd = beneath_reopen_file(at)) < 0)
        return 0;
    if (st.st_size > COPIES_FILE_MAX) {
        ret->summed = large_sum(fd, ret->sha256, &ret->size) == 0;
        return 0;
    }
    ret->known = beneath_read_fd(fd, COPIES_FILE_MAX, &ret->data, &len) == 0;
    if (ret->known)
        ret->size = len;
    return 0;
}

static bool is_text(const struct side *s)
{
    return s->known && !memchr(s->data, '\0', s->size);
}

static bool is_same(const struct side *a, const struct side *b)
{
    if (a->there != b->there)
        return false;
    if (!a->there)
        return true;
    if ((a->mode & S_IFMT) != (b->mode & S_IFMT))
        return false;
    if (!S_ISREG(a->mode) && !S_ISLNK(a->mode))
        return true;
    if (a->size == b->size && a->summed && b->summed)
        return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
    return a->size == b->size && (!a->known || !b->known || memcmp(a->data, b->data, a->size) == 0);
}

static void hash_of(const struct side *s, char ret[2 * SHA256_DIGEST_LENGTH + 1])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (s->known)
        (void)SHA256((const unsigned char *)s->data, s->size, digest);
    else
        memcpy(digest, s->sha256, sizeof(digest));
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* ---- text ---- */

static void add_when(struct content_diff *d, const struct side *s)
{
    if (s->time_ns) {
        sbuf_add_str(&d->out, "the copy of ");
        cli_add_moment(&d->out, s->time_ns);
    } else {
        sbuf_add_str(&d->out, s->there ? "now" : "not there");
    }
}

/* A line of somebody's file: nothing of it moves the cursor or goes on in another line. */
static void add_line(struct sbuf *out, struct bytes line)
{
    bool plain = true;

    for (size_t i = 0; i < line.len; i++)
        plain &= (unsigned char)line.data[i] >= ' ' || line.data[i] == '\t';
    if (plain)
        escape_above_ascii(out, line);
    else
        escape_terminal(out, line);
    sbuf_add_char(out, '\n');
}

static void add_side(struct content_diff *d, const char *mark, const struct side *s)
{
    char hash[2 * SHA256_DIGEST_LENGTH + 1];

    sbuf_addf(&d->out, "%s ", mark);
    add_when(d, s);
    sbuf_addf(&d->out, ": %llu bytes", (unsigned long long)s->size);
    if (s->known || s->summed) {
        hash_of(s, hash);
        sbuf_addf(&d->out, ", sha256 %s", hash);
    } else if (S_ISREG(s->mode)) {
        sbuf_add_str(&d->out, ", of which the content is not known");
    }
    sbuf_add_char(&d->out, '\n');
}

static const char *word_for(const struct side *a, const struct side *b)
{
    return !a->there ? "new" : !b->there ? "gone" : "changed";
}

/* As whoever has the file sees it. */
static struct bytes shown_of(const struct content_diff *d, struct bytes path)
{
    return (struct bytes){ path.data + d->asked->base.len, path.len - d->asked->base.len };
}

static void print_text(struct content_diff *d, struct bytes path, const struct side *a, const struct side *b, struct bytes text, const char *why)
{
    struct bytes rest = text;

    escape_terminal(&d->out, path);
    sbuf_addf(&d->out, "  %s\n", word_for(a, b));
    if (!rest.len) {
        if (a->there)
            add_side(d, "---", a);
        if (b->there)
            add_side(d, "+++", b);
        if (why)
            sbuf_addf(&d->out, "    %s\n", why);
        return;
    }
    sbuf_add_str(&d->out, "--- ");
    add_when(d, a);
    sbuf_add_str(&d->out, "\n+++ ");
    add_when(d, b);
    sbuf_add_char(&d->out, '\n');
    while (rest.len)
        add_line(&d->out, bytes_next_line(&rest));
}

/* ---- JSON ---- */

static void write_side(struct sbuf *out, const struct side *s)
{
    char hash[2 * SHA256_DIGEST_LENGTH + 1];

    if (s->time_ns) {
        json_key(out, JSON_KEY("copied"));
        ecs_write_time(out, s->time_ns);
    }
    json_number(out, JSON_KEY("size"), s->size);
    if (s->known || s->summed) {
        hash_of(s, hash);
        json_string(out, JSON_KEY("sha256"), bytes_of(hash));
    }
    json_close(out);
}

static void print_json(struct content_diff *d, struct bytes path, const struct side *a, const struct side *b, struct bytes text)
{
    struct sbuf *out = &d->out;

    sbuf_add_char(out, '{');
    json_key(out, JSON_KEY("@timestamp"));
    ecs_write_time(out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"state\",\"category\":[\"file\"],\"module\":\"culprit\",\"dataset\":\"culprit.content\"}"));
    (void)json_open(out, JSON_OBJECT("file"));
    json_bytes(out, JSON_KEY("path"), path);
    json_close(out);
    if (d->asked->container)
        ecs_write_container(out, d->asked->container);
    (void)json_open(out, JSON_OBJECT("culprit"));
    (void)json_open(out, JSON_OBJECT("content"));
    json_string(out, JSON_KEY("difference"), bytes_of(word_for(a, b)));
    if (a->there) {
        (void)json_open(out, JSON_OBJECT("before"));
        write_side(out, a);
    }
    if (b->there) {
        (void)json_open(out, JSON_OBJECT("after"));
        write_side(out, b);
    }
    if (text.len)
        json_bytes(out, JSON_KEY("unified"), text);
    sbuf_add_str(out, "}}}\n");
}

/* ---- one path after the other ---- */

static int show(struct content_diff *d, struct bytes path, const struct side *a, const struct side *b)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct err err = ERR_INIT;
    int r = 0;

    if ((!a->there || is_text(a)) && (!b->there || is_text(b)))
        r = unified_diff(a->there ? (struct bytes){ a->data, a->size } : BYTES_NULL, b->there ? (struct bytes){ b->data, b->size } : BYTES_NULL, DIFF_MAX,
                         &text, &err);
    if (r == -ENOMEM)
        return r;
    d->differ++;
    d->unknown += (a->there && S_ISREG(a->mode) && !a->known && !a->summed) || (b->there && S_ISREG(b->mode) && !b->known && !b->summed);
    if (d->asked->json)
        print_json(d, shown_of(d, path), a, b, sbuf_bytes(&text));
    else
        print_text(d, shown_of(d, path), a, b, sbuf_bytes(&text), r == -EFBIG ? "the difference is longer than 1 MB" : r < 0 ? err_text(&err, r) : NULL);
    cli_write(stdout, &d->out);
    sbuf_clear(&d->out);
    return 0;
}

/* As it was at the time that was asked for. What was there when a watch began was there before, nobody knows how: the oldest copy stands for it. */
static const struct kept_path *before_of(const struct content_diff *d, struct bytes path)
{
    const struct kept_path *oldest = kept_path_find(d->oldest, path), *p = d->asked->since_ns ? kept_path_find(d->before, path) : NULL;

    return p || !oldest || !oldest->at_begin ? p : oldest;
}

static int compare_path(struct content_diff *d, struct bytes path)
{
    char text[PATH_MAX];
    struct side a, b = { 0 };
    int r = side_of_copy(&d->copies, before_of(d, path), &a);

    snprintf(text, sizeof(text), "%.*s", (int)path.len, path.data);
    if (r == 0)
        r = d->asked->until_ns ? side_of_copy(&d->copies, kept_path_find(d->after, path), &b) : side_of_now(text, &a, &b);
    if (r == 0 && !is_same(&a, &b) && !(a.there && S_ISDIR(a.mode)) && !(b.there && S_ISDIR(b.mode)))
        r = show(d, path, &a, &b);
    side_done(&a);
    side_done(&b);
    return r;
}

static int compare_all(struct content_diff *d, struct bytes path)
{
    struct kept_path *p, *next;
    int r = copies_oldest(&d->copies, &d->oldest);

    if (r == 0 && d->asked->since_ns)
        r = copies_replay(&d->copies, d->asked->since_ns, &d->before);
    if (r == 0)
        r = copies_replay(&d->copies, d->asked->until_ns, &d->after); /* also what came later than the one side */
    kept_paths_sort(&d->after);
    HASH_ITER(hh, d->after, p, next) {
        struct bytes at = { p->path, p->len };

        if (r == 0 && bytes_path_covers(path, at) && at.len > d->asked->base.len)
            r = compare_path(d, at);
    }
    return r;
}

/* When nothing was kept, of the time that is compared. */
static void say_gaps(const struct content_diff *d, const char *directory)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), until = d->asked->until_ns ? d->asked->until_ns : now;
    time_t t = (time_t)(until / NS_PER_S);
    struct copy_span *spans;
    size_t count;
    struct tm tm;
    bool goes_on;

    localtime_r(&t, &tm);
    if (spans_read(directory, &spans, &count) < 0)
        return;
    goes_on = spans_gap_goes_on(spans, count, now);
    for (size_t i = 0; i < count; i++) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        if (!spans_find_gap(&spans[i], 1, d->asked->since_ns, until))
            continue;
        spans_write_gap(&spans[i], goes_on && i + 1 == count, tm.tm_gmtoff, &text);
        cli_note("%s", sbuf_str(&text));
    }
    free(spans);
}

static void say_end(const struct content_diff *d)
{
    if (d->copies.damaged)
        cli_note("the index of kept copies is damaged: what was kept after that place is not known");
    if (!d->differ)
        cli_note("nothing differs from the kept copies");
    else if (d->unknown)
        cli_note("of %u the content is not known: larger than there was room for, or its copy had to make room", d->unknown);
}

int diff_content(const struct diff_content *q)
{
    struct content_diff d = { .asked = q, .copies.packs = { -EBADF, -EBADF } };
    _cleanup_free_ char *directory = copies_directory(q->store_path);
    struct err err = ERR_INIT;
    int r = directory ? copies_read(directory, q->path, &d.copies, &err) : -ENOMEM;

    if (r == 0 && !copies_has(&d.copies, q->path))
        r = -ENOENT;
    if (r == -ENOENT)
        r = err_say(&err, r, "no copies of it were kept; from now on: culprit watch --keep-copies 100M PATH");
    else if (r == 0)
        r = compare_all(&d, q->path);
    if (r == 0)
        say_gaps(&d, directory);
    if (r == 0)
        say_end(&d);
    else
        cli_error("%s", err_text(&err, r));
    kept_paths_free(d.oldest);
    kept_paths_free(d.before);
    kept_paths_free(d.after);
    copies_done(&d.copies);
    sbuf_done(&d.out);
    return r == 0 ? (d.differ ? EXIT_ANSWERED : EXIT_NOTHING) : r == -ENOENT ? EXIT_NOTHING : cli_exit_code(r);
}
