/* SPDX-License-Identifier: MIT */
/* Both steps: which files there should be, and what they are. */
#include "clues/original.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "clues/source.h"
#include "engine/flat.h"
#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define INDEX "/.git/index"
#define INDEX_MAX (64 * 1024 * 1024)
#define LISTS_MS 1500
#define CHECK_MS 700
#define CHECKS_MAX 4             /* questions of the second kind: so many files are looked at as fit into them */
#define HASHED_MAX (64u << 20)   /* bytes of one question; the rest is compared by what else is known */
#define QUESTION_MAX (FOREIGN_REQUEST_MAX - 8192)

/* ---- git's index ---- */

static int gather_git(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    struct clue_question q;

    if (root < 0 || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    return clue_gather_above(g, root, q.path, INDEX, INDEX_MAX, false);
}

static int parse_git(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;
    struct bytes name = bytes_of(g->files[0].name);

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    name.len -= sizeof(INDEX) - 1;
    return original_git(answer, &q, name, g->files[0].content);
}

static const struct foreign_job git_job = { "git's index", INDEX_MAX, gather_git, parse_git, false };

/* ---- what is there ---- */

struct checking {
    int root;
    struct sbuf out;
    uint64_t hashed;
    unsigned missing, intact, skipped;
};

/* When a name can have gone at the latest: the nearest directory above has not changed since. */
static uint64_t gone_at(const struct checking *c, struct bytes path)
{
    struct stat st;

    while (path.len > 1) {
        _cleanup_close_ int fd = -EBADF;

        path = bytes_dirname(path);
        fd = beneath_open(c->root, path, O_PATH | O_DIRECTORY);
        if (fd >= 0)
            return fstat(fd, &st) == 0 ? clock_of(st.st_mtim) : 0;
    }
    return 0;
}

/* The kind of a digest in hexadecimal; NULL: none that is known. */
static const EVP_MD *kind_of(struct bytes digest)
{
    return digest.len == 32 ? EVP_md5() : digest.len == 40 ? EVP_sha1() : digest.len == 64 ? EVP_sha256() : NULL;
}

int original_has_digest(int fd, struct bytes wanted)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const EVP_MD *kind = kind_of(wanted);
    unsigned char digest[EVP_MAX_MD_SIZE];
    static char buffer[64 * 1024]; /* too large for a stack; a worker has one thread */
    unsigned len = 0;
    char text[65];
    ssize_t n = 0;
    bool ok = md && kind && EVP_DigestInit_ex(md, kind, NULL);

    while (ok && (n = read(fd, buffer, sizeof(buffer))) > 0)
        ok = EVP_DigestUpdate(md, buffer, (size_t)n);
    ok = ok && n == 0 && EVP_DigestFinal_ex(md, digest, &len) && 2 * (size_t)len == wanted.len;
    EVP_MD_CTX_free(md);
    if (!ok)
        return -EIO;
    for (unsigned i = 0; i < len; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
    return bytes_equal(wanted, (struct bytes){ text, wanted.len });
}

static void put(struct checking *c, enum clue_kind kind, const struct original *o, uint64_t time_ns, const char *text)
{
    struct clue_fact f = { .kind = kind, .marks = CLUE_LATEST, .from_ns = time_ns, .path = o->path };
    char says[CLUE_TEXT_MAX];

    snprintf(says, sizeof(says), "%s %.*s", text, (int)o->owner.len, o->owner.data);
    f.text = bytes_of(says);
    clue_put(&c->out, &f);
}

/* Before that it was not gone. */
static void put_seen(struct checking *c, const struct original *o)
{
    struct clue_fact f = { .kind = CLUE_TIME, .marks = CLUE_STILL, .from_ns = o->seen_ns, .path = o->path };
    char says[CLUE_TEXT_MAX];

    snprintf(says, sizeof(says), "was still there for %.*s", (int)o->owner.len, o->owner.data);
    f.text = bytes_of(says);
    clue_put(&c->out, &f);
}

static void check_one(struct checking *c, const struct original *o)
{
    _cleanup_close_ int fd = beneath_open(c->root, o->path, O_PATH | O_NOFOLLOW), file = -EBADF;
    struct stat st;

    if (fd == -ENOENT || fd == -ENOTDIR) {
        c->missing++;
        put(c, CLUE_MISSING, o, gone_at(c, o->path), "is missing; it is in the list of");
        if (o->seen_ns && c->missing == 1)
            put_seen(c, o);
        return;
    }
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if (o->mtime_s && ((uint64_t)st.st_mtim.tv_sec != o->mtime_s || ((uint64_t)st.st_size & UINT32_MAX) != o->size)) {
        put(c, CLUE_CHANGED, o, clock_of(st.st_mtim), (uint64_t)st.st_size == o->size ? "was written since (the size is the same):" : "is not as in");
        return;
    }
    if (kind_of(o->digest)) {
        int same = -EIO;

        if (c->hashed + (uint64_t)st.st_size <= HASHED_MAX && (file = beneath_reopen_file(fd)) >= 0) {
            c->hashed += (uint64_t)st.st_size;
            same = original_has_digest(file, o->digest);
        }
        if (same < 0)
            c->skipped++;
        else if (!same)
            put(c, CLUE_CHANGED, o, clock_of(st.st_mtim), o->configuration ? "is configuration, and not as it came with" : "its content is not as in");
        if (same <= 0)
            return;
    }
    c->intact++;
}

static int gather_check(struct bytes request, struct gathered *g)
{
    struct checking c = { .root = clue_root(), .out = SBUF_INIT };
    struct original o;
    int r;

    while (request.len && original_get(&request, &o) == 0)
        check_one(&c, &o);
    flat_put_u64(&c.out, UINT64_MAX); /* the end of the parts: counts */
    flat_put_u64(&c.out, c.intact);
    flat_put_u64(&c.out, c.skipped);
    r = clue_gather_text(g, CLUE_ANSWER, &c.out);
    sbuf_done(&c.out);
    closep(&c.root);
    return r;
}

static const struct foreign_job check_job = { "the files of the list", 8 * 1024 * 1024, gather_check, NULL, false };

/* ---- who asks ---- */

struct counts {
    uint64_t listed, intact, skipped, differ;
    struct bytes owner;
};

static int take_check(struct clues *c, unsigned source, struct bytes answer, struct counts *counts)
{
    struct clue_span cover;
    struct clue_fact f;
    uint64_t part, intact = 0, skipped = 0;
    int r = 0;

    while (r == 0) {
        struct bytes peek = answer;

        if (flat_get_u64(&peek, &part) < 0)
            return -EBADMSG;
        if (part == UINT64_MAX) {
            if (flat_get_u64(&peek, &intact) < 0 || flat_get_u64(&peek, &skipped) < 0)
                return -EBADMSG;
            counts->intact += intact;
            counts->skipped += skipped;
            return 0;
        }
        if (clue_take(&answer, &f, &cover) != CLUE_PART_FACT)
            return -EBADMSG;
        counts->differ += f.kind != CLUE_TIME;
        r = clues_add(c, source, &f);
    }
    return r;
}

static int check(struct clues *c, unsigned source, struct bytes question, struct counts *counts, struct err *err)
{
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    int r = question.len ? foreign_ask(&check_job, question, clues_time_left(c, CHECK_MS), &answer, err) : 0;

    return r < 0 || !question.len ? r : take_check(c, source, sbuf_bytes(&answer), counts);
}

/* What packages do to a file that is asked for, if it is configuration of theirs: a rule that accuses nobody. */
static int put_configuration(struct clues *c, unsigned source, const struct original *o)
{
    struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_NAMES_PATH, .path = o->path, .place = bytes_of(ORIGINAL_DPKG_STATUS) };
    char says[CLUE_TEXT_MAX];

    if (!o->configuration || !bytes_equal(o->path, clues_question(c)->path))
        return 0;
    snprintf(says, sizeof(says), "it is configuration of %.*s: a new version takes its place where nobody has changed it, purging removes it",
             (int)o->owner.len, o->owner.data);
    f.text = bytes_of(says);
    return clues_add(c, source, &f);
}

static int check_all(struct clues *c, unsigned source, struct bytes rows, struct counts *counts, struct err *err)
{
    _cleanup_sbuf_ struct sbuf question = SBUF_INIT;
    unsigned asked = 0;
    struct original o;
    int r = 0;

    while (r == 0 && rows.len && original_get(&rows, &o) == 0) {
        if (!counts->listed++)
            counts->owner = arena_copy(clues_arena(c), o.owner);
        r = put_configuration(c, source, &o);
        if (asked >= CHECKS_MAX) {
            counts->skipped++;
            continue;
        }
        original_put(&question, &o);
        if (r < 0 || question.len < QUESTION_MAX - CLUE_PATH_MAX)
            continue;
        r = check(c, source, sbuf_bytes(&question), counts, err);
        sbuf_clear(&question);
        asked++;
    }
    return r == 0 && asked < CHECKS_MAX ? check(c, source, sbuf_bytes(&question), counts, err) : r;
}

static int ask(struct clues *c, unsigned source, const struct foreign_job *job)
{
    struct clue_question q = *clues_question(c);
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT, rows = SBUF_INIT, text = SBUF_INIT;
    struct counts counts = { 0 };
    struct err err = ERR_INIT;
    int r;

    if (q.host_path.len) { /* a container is compared with its image */
        clues_set_report(c, source, CLUE_STATE_ABSENT, BYTES_NULL);
        return 0;
    }
    clue_question_put(&request, &q);
    r = foreign_ask(job, sbuf_bytes(&request), clues_time_left(c, LISTS_MS), &rows, &err);
    if (r == 0)
        r = check_all(c, source, sbuf_bytes(&rows), &counts, &err);
    clues_set_report(c, source, r == -ENOENT ? CLUE_STATE_ABSENT : r < 0 ? CLUE_STATE_FAILED : CLUE_STATE_READ,
                     r < 0 && r != -ENOENT ? bytes_of(err_text(&err, r)) : BYTES_NULL);
    if (counts.skipped) {
        sbuf_addf(&text, "%llu of its %llu files here were not looked at", (unsigned long long)counts.skipped,
                  (unsigned long long)counts.listed);
        clues_set_report(c, source, CLUE_STATE_READ, sbuf_bytes(&text));
    }
    if (r == 0 && counts.intact && !counts.differ) {
        struct clue_fact f = { .kind = CLUE_INTACT };

        sbuf_clear(&text);
        sbuf_addf(&text, "%llu file%s as in the list of %.*s%s", (unsigned long long)counts.intact, counts.intact == 1 ? " is" : "s are",
                  (int)counts.owner.len, counts.owner.data, counts.listed > 1 ? " (and others)" : "");
        f.text = sbuf_bytes(&text);
        r = clues_add(c, source, &f);
    }
    return r == -ENOMEM ? r : 0;
}

int original_ask_packages(struct clues *c, unsigned source, struct err *err)
{
    (void)err;
    return ask(c, source, &original_dpkg_job);
}

int original_ask_rpm(struct clues *c, unsigned source, struct err *err)
{
    (void)err;
    return ask(c, source, &original_rpm_job);
}

int original_ask_git(struct clues *c, unsigned source, struct err *err)
{
    (void)err;
    return ask(c, source, &git_job);
}

int original_ask_locate(struct clues *c, unsigned source, struct err *err)
{
    (void)err;
    return ask(c, source, &original_locate_job);
}
